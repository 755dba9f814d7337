"""The rules of an organisation: what they accept, and what they say about a copy."""

from __future__ import annotations

from typing import Any

import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.config.rules import REGIONS_LIMIT, fault_of_deletions, rules_of

PAIRS = {"cn-north-4": ["cn-east-3", "cn-south-1"], "eu-west-101": []}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed_pairs", PAIRS),
        ("regions_for_tier", {"gold": 2, "silver": 1.0, "x": REGIONS_LIMIT}),
        ("description_required", True),
        ("description_required", False),
        ("description_required", ["gold"]),
    ],
)
def test_valid_rules_have_no_fault(key: str, value: object) -> None:
    """Numbers reach a provider as floats."""
    assert [] == cbr.check_rules({key: value})


WRONG: dict[str, list[Any]] = {
    "allowed_pairs": [
        *({}, [], "cn-east-3", {"a": "b"}, {"a": [1]}),
        *({"a b": ["c"]}, {"a": ["b c"]}, {1: ["b"]}),
    ],
    "regions_for_tier": [
        *({}, ["gold"], {"a b": 1}, {"gold": "2"}),
        *({"gold": wrong} for wrong in (0, -1, 1.5, True, 1000)),
    ],
    "description_required": ["yes", [], ["a b"], 1, {}],
    "max_deleted_percent": [20],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRONG.items() for value in values]
)
def test_wrong_rules_have_a_fault(key: str, value: object) -> None:
    """One for each rule, which says what is wanted."""
    (fault,) = cbr.check_rules({key: value})

    assert key == fault.field
    assert "; want " in fault.reason or "known: " in fault.reason


@pytest.mark.parametrize(
    ("source", "destination", "is_allowed"),
    [
        ("cn-north-4", "cn-east-3", True),
        ("cn-north-4", "eu-west-101", False),
        ("eu-west-101", "cn-east-3", False),
        ("cn-east-3", "cn-north-4", False),
    ],
)
def test_pairs_are_a_complete_list(source: str, destination: str, *, is_allowed: bool) -> None:
    """A pair is allowed in the direction that is listed, and a source without a row has none."""
    fault = rules_of({"allowed_pairs": PAIRS}).fault_of_pair(source, destination)

    assert is_allowed == (fault is None)
    assert rules_of({}).fault_of_pair(source, destination) is None


@pytest.mark.parametrize(
    ("tier", "source", "destinations", "is_enough"),
    [
        ("gold", "a", ["b", "c"], True),
        ("gold", "a", ["b", "b"], False),
        ("gold", "a", ["a", "b"], False),
        ("gold", None, ["a", "b"], True),
        ("silver", "a", [], True),
        (None, "a", [], True),
    ],
)
def test_tier_needs_so_many_different_regions(
    tier: str | None, source: str | None, destinations: list[str], *, is_enough: bool
) -> None:
    """The source has the original, so it does not count. Nor does a region that is listed twice."""
    rules = rules_of({"regions_for_tier": {"gold": 2.0}})

    assert is_enough == (rules.fault_of_regions(tier, source, destinations) is None)


@pytest.mark.parametrize(
    ("required", "tier", "is_kept", "is_needed"),
    [
        (None, "gold", True, False),
        (False, "gold", True, False),
        (True, None, True, True),
        (True, "gold", False, False),
        (["gold"], "gold", False, True),
        (["gold"], None, True, True),
        (["gold"], "silver", False, False),
    ],
)
def test_description_is_needed_of_what_is_kept_and_of_tiers(
    required: Any, tier: str | None, *, is_kept: bool, is_needed: bool
) -> None:
    """A list of tiers includes what is kept."""
    rules = rules_of({"description_required": required})

    for text in (None, "", "  "):
        assert is_needed == bool(rules.fault_of_description(tier, text, is_kept=is_kept))
    assert rules.fault_of_description(tier, "legal hold 1742", is_kept=is_kept) is None


@pytest.mark.parametrize(
    ("limit", "deleted", "former", "is_allowed"),
    [
        *((20, 2, 10, True), (20, 3, 10, False), (20, 1, 4, False)),
        *((0, 0, 4, True), (0, 1, 1000, False), (0, 0, 0, True)),
        *((100, 4, 4, True), (12.5, 1, 8, True)),
    ],
)
def test_share_of_deletions(limit: float, deleted: int, former: int, *, is_allowed: bool) -> None:
    """The limit itself is allowed, and what it wants for one run is enough."""
    labels = [f"m{number}" for number in range(deleted)]
    fault = fault_of_deletions(limit, labels, former)

    assert is_allowed == (fault is None)
    if fault is not None:
        wanted = float(fault.remedy.rpartition("=")[2])
        assert fault_of_deletions(wanted, labels, former) is None
