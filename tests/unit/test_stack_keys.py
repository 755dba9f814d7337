"""Each key of the stack program's model changes what the program declares: none is ignored."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

import faults
import model
from config import Plan, read_plan
from pulumi_huaweicloud_cbr.config.objectives import Declared, read_declared

UUIDS = [f"{number:08d}-7265-4c0a-822f-e66b2abcfb3d" for number in range(4)]
MADE = "2026-11-20T02:00:11.905331"
PLACE = {"region": "cn-east-3", "vault_id": UUIDS[0]}
MEMBER = {"backup_id": UUIDS[1], "created_at": MADE}
FOUND = {"resource_name": "erp"}
ONE = {"name": "erp", "backup_id": UUIDS[1], "destinations": [PLACE]}
SET = {"name": "nightly", "backups": {"a": MEMBER}, "destinations": [PLACE]}
SELECTION = {"name": "nightly", "select": FOUND, "destinations": [PLACE]}
KEPT = {**SELECTION, "keep": {"newest": 1}}
WHOLE = {"name": "files", "vault_id": UUIDS[2], "destinations": [PLACE]}
SHARED = {
    "replications": [{"name": "erp", "backup_id": UUIDS[1]}],
    "defaults": {"destinations": [PLACE]},
}

Way = tuple["str | int", ...]
PARTS: dict[str, tuple[type[model.Part], dict[str, Any], Way]] = {
    "beside the lists": (model.Configuration, {"replications": [ONE]}, ()),
    "defaults": (model.Defaults, SHARED, ("defaults",)),
    "replications": (model.Entry, {"replications": [ONE]}, ("replications", 0)),
    "destination of replications": (
        model.Destination,
        {"replications": [ONE]},
        ("replications", 0, "destinations", 0),
    ),
    "sets": (model.SetEntry, {"sets": [SET]}, ("sets", 0)),
    "member of sets": (model.Member, {"sets": [SET]}, ("sets", 0, "backups", "a")),
    "select of sets": (model.Select, {"sets": [SELECTION]}, ("sets", 0, "select")),
    "keep of sets": (model.Keep, {"sets": [KEPT]}, ("sets", 0, "keep")),
    "destination of sets": (model.Place, {"sets": [SET]}, ("sets", 0, "destinations", 0)),
    "vaults": (model.VaultEntry, {"vaults": [WHOLE]}, ("vaults", 0)),
    "destination of vaults": (model.Place, {"vaults": [WHOLE]}, ("vaults", 0, "destinations", 0)),
}
TRIED: tuple[Any, ...] = (
    *(True, "false", "any", "warn", "30m", 3, "cn-south-1", UUIDS[3], "dr"),
    *("2026-11-20T02:00:00Z", MADE.replace("11.9", "12.9"), {"b": MEMBER}, FOUND),
    *([{**PLACE, "region": "cn-north-1"}], {"description": "weekly"}, "26h"),
    *({"months": 12}, "UTC+08:00"),
)
"""Of these, one is valid for any key, and changes it."""


def read(document: dict[str, Any]) -> tuple[Plan, tuple[Declared, ...]]:
    """Read a configuration as the engine passes it: resources, and objectives for reports."""
    config = {
        f"{model.NAMESPACE}:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in document.items()
    }
    return read_plan(config), read_declared(config)


def with_key(document: dict[str, Any], way: Way, key: str, value: Any) -> dict[str, Any]:
    """Return a configuration with another value of a key; a set has either backups or select."""
    changed = copy.deepcopy(document)
    part: Any = changed
    for step in way:
        part = part[step]
    part[key] = value
    if part.get("select"):
        part.pop("backups", None)
    return changed


@pytest.mark.parametrize(
    ("place", "key"),
    [
        (place, key)
        for place, (part, _, _) in PARTS.items()
        for key in part.model_fields
        if key not in (*model.LISTS, "rules")
    ],
)
def test_key_reaches_what_is_declared(place: str, key: str) -> None:
    """A valid value changes an input, an option, the selection, the wait or the objective."""
    _, document, way = PARTS[place]
    before = read(document)
    seen: list[object] = []
    for value in TRIED:
        try:
            seen.append(read(with_key(document, way, key, value)))
        except faults.ConfigurationFaultsError:
            continue

    assert any(plan != before for plan in seen), f"{len(seen)} valid values changed nothing"


def test_objectives_are_no_inputs() -> None:
    """They are for reports: with them, the program declares the same resources."""
    objective = {"rpo": "26h", "owner": "Storage team", "tier": "gold"}
    document: dict[str, list[dict[str, Any]]] = {
        "replications": [ONE],
        "sets": [SELECTION],
        "vaults": [WHOLE],
    }
    with_them = {kind: [{**one, **objective} for one in document[kind]] for kind in document}
    (plan, before), (same_plan, after) = read(document), read(with_them)

    assert plan == same_plan
    assert all(one.objective.tier is None for one in before)
    assert ["gold"] * 3 == [one.objective.tier for one in after]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed_pairs", {"cn-north-4": ["cn-south-1"]}),
        ("regions_for_tier", {"gold": 2}),
        ("description_required", ["gold"]),
    ],
)
def test_rule_changes_no_resource_and_refuses_some(key: str, value: Any) -> None:
    """A rule that holds changes nothing; the same one stops an entry that breaks it."""
    entry = {**ONE, "tier": "gold"}
    obeying = {
        **entry,
        "description": "weekly",
        "destinations": [{**PLACE, "region": region} for region in ("cn-south-1", "cn-south-1b")],
    }
    rules = {key: {"cn-north-4": ["cn-south-1", "cn-south-1b"]} if "pairs" in key else value}

    assert read({"replications": [obeying], "rules": rules}) == read({"replications": [obeying]})
    with pytest.raises(faults.ConfigurationFaultsError, match=key):
        read({"replications": [{**entry, "source_region": "cn-north-4"}], "rules": {key: value}})
    assert {"allowed_pairs", "regions_for_tier", "description_required"} == set(
        model.HouseRules.model_fields
    )


def test_every_part_of_the_model_is_tried() -> None:
    """A new part of the configuration has a place above, or only adds keys to others."""
    parts = {
        part
        for part in vars(model).values()
        if isinstance(part, type) and issubclass(part, model.Part) and part is not model.Part
    }
    tried: set[type[model.Part]] = {part for part, _, _ in PARTS.values()}
    tried.add(model.HouseRules)

    assert parts == {base for part in tried for base in part.__mro__ if base in parts}


def test_every_key_has_a_place_in_the_reading_order() -> None:
    """Faults of known keys come before those of unknown ones."""
    keys = [key for part, _, _ in PARTS.values() for key in part.model_fields]
    told = faults.ConfigurationFaultsError(
        [faults.Fault(("aaa",), "unknown"), *(faults.Fault((key,), "known") for key in keys)]
    )

    assert "aaa" == told.faults[-1].location[0]
    assert ["preflight", "wait", "timeout", "defaults", "rules", "replications"] == [
        fault.location[0] for fault in told.faults[:6]
    ]
