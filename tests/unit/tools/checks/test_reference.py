"""The tables of inputs say once what a change does, and never against the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tools.checks import reference

TABLES = (
    reference.one_table,
    reference.set_table,
    reference.vault_table,
    reference.wait_table,
)


@dataclass
class Args:
    """Inputs of a resource."""

    size: int
    """How large. A change replaces, since nothing grows. Removing it changes nothing."""
    hint: str
    """For people. Default: none. A change affects later copies only."""
    plain: str
    """No word about changes."""


def test_change_moves_to_its_own_column() -> None:
    """The column has the sentence with its reason, or else what the rules say."""
    assert (
        "| `size` | How large. Removing it changes nothing | replaces, since nothing grows |\n"
        "| `hint` | For people. Default: none | affects later copies only |\n"
        "| `plain` | No word about changes | affects only the state |"
    ) == reference.inputs_table(Args, {"size": "replaces"}).partition("|---|---|---|\n")[2]


def test_rules_overrule_the_text() -> None:
    """The column follows from the code where the code says it."""
    table = reference.inputs_table(Args, {"size": "replaces", "hint": "renames"})

    assert "| `hint` | For people. Default: none | renames |" in table


def test_text_that_contradicts_the_rules_is_refused() -> None:
    """An input that only the text takes for one that replaces is a fault."""
    with pytest.raises(ValueError, match="size: the text says that a change replaces"):
        reference.inputs_table(Args, {})


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_no_row_says_it_twice(table: Callable[[], str]) -> None:
    """What a change does is in the last column, and not in the description too."""
    rows = table().splitlines()[2:]

    assert rows
    assert [] == [row for row in rows if "A change " in row]
