"""How much the random tests try; they try the same each time, and more where they are asked to."""

from __future__ import annotations

import os

MODEL_EXAMPLES = 52
"""Histories of `test_model.py` in a plain `make test`."""
SET_EXAMPLES = 12
"""Those of `test_set_model.py`."""
VAULT_EXAMPLES = 14
"""Those of `test_vault_model.py`."""


def examples(usual: int) -> int:
    """Return how many examples to try of a test that usually tries that many.

    ``CBR_MODEL_EXAMPLES`` gives those of `test_model.py`; the others follow in proportion.
    """
    wanted = int(os.environ.get("CBR_MODEL_EXAMPLES", MODEL_EXAMPLES))
    return max(1, usual * wanted // MODEL_EXAMPLES)
