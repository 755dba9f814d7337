"""The number of examples of random tests: always the same examples, more on request."""

from __future__ import annotations

import os

MODEL_EXAMPLES = 34
"""Histories of `test_model.py` in a plain `make test`."""
SET_EXAMPLES = 9
"""Those of `test_set_model.py`."""
VAULT_EXAMPLES = 10
"""Those of `test_vault_model.py`."""
OWNERS_EXAMPLES = 4
"""Those of `test_owners_model.py`."""


def examples(usual: int) -> int:
    """Return the number of examples for a test with this usual number.

    ``CBR_MODEL_EXAMPLES`` sets the number for `test_model.py`; the others follow in proportion.
    """
    wanted = int(os.environ.get("CBR_MODEL_EXAMPLES", MODEL_EXAMPLES))
    return max(1, usual * wanted // MODEL_EXAMPLES)
