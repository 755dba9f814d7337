"""Objectives of a configuration: valid values, the entries that have them, what entries cover."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.config.objectives import (
    RULES,
    Declared,
    Objective,
    objective_of,
    read_declared,
)

BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
OTHER = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
EAST = {"region": "cn-east-3", "vault_id": VAULT}
ONE = {"name": "erp", "backup_id": BACKUP.upper(), "destinations": [EAST]}
SETTINGS = {"huaweicloud:region": "cn-north-4", "huaweicloud:projectId": "north"}


def declared(settings: dict[str, Any] = SETTINGS, **keys: Any) -> tuple[Declared, ...]:
    """Return the entries of a configuration as the CLI shows it: structured values as JSON."""
    return read_declared(
        {
            **settings,
            **{
                f"cbr-replication:{key}": value if isinstance(value, str) else json.dumps(value)
                for key, value in keys.items()
            },
        }
    )


def a_set(**keys: Any) -> Declared:
    """Return the only entry, which is a set."""
    (only,) = declared(sets=[{"name": "nightly", "destinations": [EAST], **keys}])
    return only


@pytest.mark.parametrize(
    ("text", "expected"), [("90m", 5400), ("26h", 93_600), ("7d", 604_800), ("2w", 1_209_600)]
)
def test_rpo_is_in_seconds(text: str, expected: int) -> None:
    """A recovery point objective has one number and one unit."""
    assert RULES["rpo"](text) is None
    assert Objective(rpo_s=expected) == objective_of({"rpo": text})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("rpo", wrong) for wrong in ("0h", "26", 26, "1h30m", "-1h", "soon", "", ["1h"], True)),
        *(("owner", wrong) for wrong in ("", " ", "a\nb", "x" * 65, 7, {"a": 1})),
        *(("tier", wrong) for wrong in ("", "gold one", "x" * 65, 1, "gött")),
    ],
)
def test_wrong_value_has_a_fault(key: str, value: object) -> None:
    """The fault says what is wanted, and shows no nested value."""
    fault = RULES[key](value)

    assert fault is not None
    assert "; want " in fault
    if isinstance(value, (list, dict)):
        assert fault.startswith(("a list is no ", "an object is no "))


def test_objective_of_the_entry_goes_before_the_defaults() -> None:
    """Each key by itself: an entry with a tier of its own keeps the owner of the defaults."""
    (found,) = declared(
        defaults={"rpo": "7d", "owner": "Storage team", "tier": "bronze"},
        replications=[{**ONE, "rpo": "26h", "tier": "gold", "owner": None}],
    )

    assert Objective(93_600, "Storage team", "gold") == found.objective


def test_entries_of_all_three_lists() -> None:
    """Ids are in lower case, and an entry without a source has that of the settings."""
    south = {"region": "cn-south-1", "vault_id": VAULT, "project_id": "p"}
    one, listed, selected, whole = declared(
        defaults={"destinations": [EAST, south]},
        replications=[ONE],
        sets=[
            {"name": "listed", "backups": {"a": BACKUP, "b": {"backup_id": OTHER.upper()}}},
            {"name": "found", "select": {"resource_name": "erp", "newest": 7}},
        ],
        vaults=[{"name": "files", "vault_id": VAULT.upper(), "source_region": "cn-north-9"}],
    )

    assert one == Declared(
        entry="erp",
        kind="replications",
        source_region="cn-north-4",
        source_project_id="north",
        destinations=(("cn-east-3", None),),
        objective=Objective(),
        backup_ids=frozenset({BACKUP}),
        filters={},
        vault_id=None,
    )
    assert (("cn-east-3", None), ("cn-south-1", "p")) == listed.destinations
    assert frozenset({BACKUP, OTHER}) == listed.backup_ids
    assert [False, True] == [listed.is_selection, selected.is_selection]
    assert {"resource_name": "erp"} == selected.filters
    assert (VAULT, "cn-north-9", None) == (
        whole.vault_id,
        whole.source_region,
        whole.source_project_id,
    )


def test_source_is_unknown_if_only_the_environment_tells_it() -> None:
    """The region may be in HW_REGION_NAME, so it is not guessed."""
    (found,) = declared({}, replications=[ONE])

    assert (None, None) == (found.source_region, found.source_project_id)
    assert found.covers(BACKUP, region="anywhere", project_id="any")


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"replications": "[broken"},
        {"replications": [7, {**ONE, "name": None}, {**ONE, "backup_id": None}]},
        {"replications": [{**ONE, "destinations": [{"region": "no region"}]}]},
        {"sets": [{"name": "x", "destinations": [EAST]}]},
        {"sets": [{"name": "x", "destinations": [EAST], "select": {}}]},
        {"sets": [{"name": "x", "destinations": [EAST], "select": {"name": "[secret]"}}]},
        {"vaults": [{"name": "x", "destinations": [EAST]}]},
    ],
)
def test_entries_that_copy_nothing_are_left_out(keys: dict[str, Any]) -> None:
    """The program itself names the faults of its configuration."""
    assert () == declared(**keys)


def test_secrets_that_cannot_be_read_are_left_out() -> None:
    """Without its passphrase, the CLI shows a whole secret as nothing, and a part as a mark."""
    owner = {"secure": "v1:x"}
    (found,) = declared(
        {"cbr-replication:sets": None}, replications=[{**ONE, "owner": owner, "tier": "[secret]"}]
    )

    assert Objective() == found.objective


def test_malformed_objectives_are_told_with_their_places() -> None:
    """A report without them would be too good."""
    with pytest.raises(ConfigurationError) as caught:
        declared(
            defaults={"tier": "not one"},
            replications=[{**ONE, "rpo": "soon"}],
            vaults=[{"name": "files", "vault_id": VAULT, "destinations": [EAST]}],
        )

    first, second = str(caught.value).split(" | ")
    assert first.startswith("cbr-replication:replications[0].rpo: 'soon' is no such duration")
    assert second.startswith("cbr-replication:defaults.tier: 'not one' is no tier")


# -- what an entry covers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ({}, True),
        ({"region": "cn-north-4", "project_id": "north"}, True),
        ({"region": "cn-north-9"}, False),
        ({"project_id": "south"}, False),
    ],
)
def test_backup_is_covered_in_its_region_and_project(seen: dict[str, str], expected: bool) -> None:
    """The same id elsewhere is another backup."""
    (found,) = declared(replications=[ONE])

    assert expected == found.covers(BACKUP.upper(), **seen)
    assert not found.covers(OTHER, **seen)


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({"newest": 7}, True),
        ({"resource_name": "erp"}, True),
        ({"resource_name": "erp", "name": "auto"}, True),
        ({"resource_name": "ERP"}, False),
        ({"vault_id": VAULT.upper()}, True),
        ({"vault_id": OTHER}, False),
        ({"resource_id": "s1"}, False),
        ({"created_since": "2026-11-20T02:00:11Z"}, True),
        ({"created_since": "2026-11-20T02:00:12Z"}, False),
        ({"created_until": "2026-11-20T02:00:11Z"}, False),
        ({"created_until": "2026-11-20T02:00:12Z"}, True),
    ],
)
def test_selection_covers_what_all_its_filters_find(select: dict[str, Any], expected: bool) -> None:
    """Filters are those of the select; names are compared exactly, ids without regard to case."""
    seen = {"resource_name": "erp", "name": "auto", "vault_id": VAULT, "resource_id": "S9"}

    assert expected == a_set(select=select).covers(
        BACKUP, created_at="2026-11-20T02:00:11.905331", **seen
    )


def test_time_that_is_not_known_fits_all_limits() -> None:
    """CBR may leave the time out."""
    assert a_set(select={"created_until": "2020-01-01T00:00:00Z"}).covers(BACKUP)


def test_vault_covers_what_is_in_it() -> None:
    """The backup's id does not count."""
    (found,) = declared(vaults=[{"name": "files", "vault_id": VAULT, "destinations": [EAST]}])

    assert found.covers(BACKUP, vault_id=VAULT.upper())
    assert not found.covers(BACKUP, vault_id=OTHER)
    assert not found.covers(BACKUP)
