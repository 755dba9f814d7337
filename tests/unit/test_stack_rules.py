"""Rules of the stack program's configuration: all broken ones in one message, at their places."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config import read_plan
from faults import ConfigurationFaultsError

UUIDS = [f"{number:08d}-7265-4c0a-822f-e66b2abcfb3d" for number in range(9)]
SETTINGS = {"huaweicloud:region": "cn-north-4"}


def to(*regions: str, **keys: Any) -> list[dict[str, Any]]:
    """Return destinations in some regions."""
    return [{"region": region, "vault_id": UUIDS[0], **keys} for region in regions]


def broken(settings: dict[str, str] = SETTINGS, **keys: Any) -> dict[str, str]:
    """Return the faults of a configuration by place."""
    config = {f"cbr-replication:{key}": json.dumps(value) for key, value in keys.items()}
    try:
        read_plan({**settings, **config})
    except ConfigurationFaultsError as error:
        found = (str(fault).removeprefix("cbr-replication:") for fault in error.faults)
        return {place: reason for place, _, reason in (text.partition(": ") for text in found)}
    return {}


def an_entry(**keys: Any) -> dict[str, Any]:
    """Return an entry of replications."""
    return {"name": "erp", "backup_id": UUIDS[1], "destinations": to("cn-east-3"), **keys}


PAIRS = {"allowed_pairs": {"cn-north-4": ["cn-east-3"], "cn-south-1": ["cn-north-4"]}}


def test_pairs_are_checked_for_each_destination_of_all_lists() -> None:
    """The place is that of the destination, also where it comes from the defaults."""
    found = broken(
        rules=PAIRS,
        defaults={"destinations": to("cn-east-3", "cn-north-9")},
        replications=[an_entry(destinations=to("cn-east-3", "cn-south-1"))],
        sets=[
            {"name": "nightly", "select": {"resource_name": "erp"}, "source_region": "cn-south-1"}
        ],
        vaults=[{"name": "files", "vault_id": UUIDS[2]}],
    )

    assert [
        "defaults.destinations[0].region",
        "defaults.destinations[1].region",
        "replications[0].destinations[1].region",
    ] == sorted(found)
    assert (
        "'cn-south-1' is no region that copies from 'cn-north-4' may go to; allowed_pairs allows "
        "'cn-east-3'"
    ) == found["replications[0].destinations[1].region"]


def test_source_comes_from_the_entry_the_defaults_or_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where nothing tells the source, there is no pair; the provider reports that it is missing."""
    monkeypatch.delenv("HW_REGION_NAME", raising=False)
    entries: dict[str, Any] = {"rules": PAIRS, "replications": [an_entry()]}
    of_defaults = {**entries, "defaults": {"source_region": "cn-south-1"}}
    own = {**of_defaults, "replications": [an_entry(source_region="cn-north-4")]}

    assert {} == broken({}, **entries)
    assert 1 == len(broken({}, **of_defaults))
    assert {} == broken({}, **own)
    monkeypatch.setenv("HW_REGION_NAME", "cn-south-1")
    assert 1 == len(broken({}, **entries))
    assert {} == broken(**entries)


def test_tier_needs_regions_besides_the_source() -> None:
    """The tier of the defaults counts for entries without one of their own."""
    rules = {"regions_for_tier": {"gold": 2}}
    found = broken(
        rules=rules,
        defaults={"tier": "gold"},
        replications=[
            an_entry(),
            an_entry(name="b", backup_id=UUIDS[2], tier="silver"),
            an_entry(name="c", backup_id=UUIDS[3], destinations=to("cn-east-3", "cn-south-1")),
            an_entry(name="d", backup_id=UUIDS[4], destinations=to("cn-east-3", "cn-north-4")),
        ],
    )

    assert ["replications[0].destinations", "replications[3].destinations"] == sorted(found)
    assert (
        "has copies in 1 region besides 'cn-north-4' ('cn-east-3'), and regions_for_tier wants 2 "
        "for tier 'gold'; add destinations in other regions"
    ) == found["replications[0].destinations"]


def test_what_is_kept_has_to_say_why() -> None:
    """The replicas of sets and entire vaults have no description: their entries name an owner."""
    kept = {"protect": True}
    found = broken(
        rules={"description_required": True},
        replications=[
            an_entry(**kept),
            an_entry(name="b", backup_id=UUIDS[2], description="hold 1742", **kept),
            an_entry(name="c", backup_id=UUIDS[3]),
            an_entry(
                name="d",
                backup_id=UUIDS[4],
                destinations=[*to("cn-east-3", retain_on_delete=True), *to("cn-south-1")],
            ),
            an_entry(
                name="e",
                backup_id=UUIDS[5],
                destinations=to("cn-east-3", description="hold 1743"),
                **kept,
            ),
        ],
        sets=[{"name": "s", "backups": [UUIDS[6]], "destinations": to("cn-east-3"), **kept}],
        vaults=[
            {
                "name": "v",
                "vault_id": UUIDS[7],
                "destinations": to("cn-east-3"),
                "owner": "Compliance",
                **kept,
            }
        ],
    )

    assert [
        "replications[0].description",
        "replications[3].destinations[0].description",
        "sets[0].owner",
    ] == sorted(found)
    assert found["sets[0].owner"].startswith("is missing, and protect or retain_on_delete keeps it")


def test_rules_are_told_beside_other_faults() -> None:
    """One message has all of them."""
    found = broken(
        rules={**PAIRS, "regions_for_tier": {"gold": 2}},
        replications=[an_entry(tier="gold", protect="yes", destinations=to("cn-south-1"))],
    )

    assert [
        "replications[0].destinations",
        "replications[0].destinations[0].region",
        "replications[0].protect",
    ] == sorted(found)


@pytest.mark.parametrize(
    ("rules", "place", "words"),
    [
        ({"allowed_pairs": {"cn-north-4": "cn-east-3"}}, "rules.allowed_pairs", "has no list for"),
        ({"regions_for_tier": {"gold": 0}}, "rules.regions_for_tier", "is no number of regions"),
        ({"description_required": "yes"}, "rules.description_required", "is neither true nor"),
        ({"max_deleted_percent": 20}, "rules.max_deleted_percent", "huaweicloud:maxDeletedPercent"),
        ({"allowedPairs": {}}, "rules.allowedPairs", "did you mean 'allowed_pairs'?"),
        ({"tier": "gold"}, "rules.tier", "'tier' belongs to each entry of replications"),
        ([], "rules", "is a list; want a mapping"),
        ("soon", "rules", "'soon' is text; want a mapping"),
    ],
)
def test_wrong_rule_is_told_where_it_is_written(rules: Any, place: str, words: str) -> None:
    """And entries are not held to rules that cannot be read."""
    found = broken(rules=rules, replications=[an_entry(protect=True)])

    assert [place] == list(found)
    assert words in found[place]


def test_rule_that_is_left_empty_is_none() -> None:
    """A key without a value is the same as no key."""
    assert {} == broken(rules={"allowed_pairs": None}, replications=[an_entry()])
    assert {} == broken(rules={}, replications=[an_entry()])
