"""The tables of the reference are complete, and say nothing twice or against the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pulumi
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api.wire.error_codes import known_codes
from tools.checks import limits, reference

TABLES = (
    reference.one_table,
    reference.set_table,
    reference.vault_table,
    reference.wait_table,
)


LIMIT = limits.Limit("any", (), ())
LIMITS = dict.fromkeys(("size", "hint", "plain", "bare"), LIMIT)


@dataclass
class Args:
    """Inputs of a resource."""

    size: int
    """How large. A change replaces, since nothing grows. Removing it changes nothing."""
    hint: pulumi.Input[str] | None = None
    """For people. Default: none, or 1.5 of it. A change affects later copies only."""
    plain: pulumi.Input[bool] | None = None
    """No word about changes. Default: ``false``."""


def table_of(args: type[Any], changes: dict[str, str]) -> str:
    """Return the table's rows."""
    return reference.inputs_table(args, changes, LIMITS).partition("|---|---|---|---|---|\n")[2]


def test_default_and_change_move_to_columns_of_their_own() -> None:
    """The change has its reason, or else what the rules say."""
    assert (
        "| `size` | How large. Removing it changes nothing | `int`: any | **required** "
        "| replaces, since nothing grows |\n"
        "| `hint` | For people | `str`: any | none, or 1.5 of it | affects later copies only |\n"
        "| `plain` | No word about changes | `bool`: any | `false` | affects only the state |"
    ) == table_of(Args, {"size": "replaces"})


def test_rules_overrule_the_text() -> None:
    """The column follows from the code where the code says it."""
    assert "| none, or 1.5 of it | renames |" in table_of(
        Args, {"size": "replaces", "hint": "renames"}
    )


def test_text_that_contradicts_the_rules_is_refused() -> None:
    """An input that only the text takes for one that replaces is a fault."""
    with pytest.raises(ValueError, match="size: the text says that a change replaces"):
        table_of(Args, {})


@dataclass
class NoDefault:
    bare: pulumi.Input[str] | None = None
    """An optional input."""


@dataclass
class NoText:
    bare: pulumi.Input[str] | None = None
    """Default: none. A change replaces."""


@dataclass
class NoLimit:
    other: str
    """A required input."""


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (NoDefault, "bare: want a default in the text"),
        (NoText, "bare: no description"),
        (NoLimit, "other: no limit"),
    ],
)
def test_input_that_lacks_a_part_is_refused(args: type[Any], message: str) -> None:
    """Each input has a description, a default or the word `required`, and a limit."""
    with pytest.raises(ValueError, match=message):
        table_of(args, {"bare": "replaces"})


class Made:
    count: pulumi.Output[int]


def test_each_output_is_described() -> None:
    """An output that is no input and has no text is a fault."""
    with pytest.raises(ValueError, match="Made: no text behind count"):
        reference.outputs_table(Made, cbr.VaultReplicationArgs)


def test_codes_are_all_in_the_table() -> None:
    """A row for each code, and two where a 4xx means another thing than a 5xx."""
    rows = reference.codes_table().splitlines()[2:]
    two = [code for code, facts in known_codes().items() if facts.below_500]

    assert len(known_codes()) + len(two) == len(rows) > 100
    assert any(row.startswith("| `BackupService.1009` | never | adopt") for row in rows)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__name__)
def test_no_row_says_it_twice(table: Callable[[], str]) -> None:
    """What a change does and a default have their columns; the description has neither."""
    rows = table().splitlines()[2:]

    assert rows
    assert [] == [row for row in rows if "A change " in row or "Default:" in row]


def get_anything(region: str) -> int:
    """Return anything."""
    return len(region)


def test_required_argument_of_a_function_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text that most functions share would be wrong for it."""
    monkeypatch.setitem(limits.ARGUMENTS, "region", "default: `huaweicloud:region`")
    with pytest.raises(ValueError, match="get_anything: region is required"):
        reference._function_text(get_anything)

    monkeypatch.setitem(limits.ARGUMENTS, "region", "where to look")
    assert "| `region` | `str` | **required** | where to look |" in reference._function_text(
        get_anything
    )
