"""The stack's configuration: every failure has its key, its value and what is expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from config import Plan, Replication, read_plan
from faults import ConfigurationFaultsError

UUID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
OTHER = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
PREFIX = "cbr-replication:"


def destination(**changes: Any) -> dict[str, Any]:
    """Return a destination; None omits a key."""
    whole = {"region": "cn-east-3", "vault_id": VAULT, **changes}
    return {key: value for key, value in whole.items() if value is not None}


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry with one destination; None omits a key."""
    whole = {"name": "erp", "backup_id": UUID, "destinations": [destination()], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def a_set(**changes: Any) -> dict[str, Any]:
    """Return an entry of sets with one destination; None omits a key."""
    whole = {"name": "all", "backups": {"erp": UUID}, "destinations": [destination()], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def selecting(**select: Any) -> dict[str, Any]:
    """Return an entry of sets that selects."""
    return a_set(backups=None, select=select)


def a_vault(**changes: Any) -> dict[str, Any]:
    """Return an entry of vaults with one destination; None omits a key."""
    whole = {"name": "prod", "vault_id": OTHER, "destinations": [destination()], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def read(**keys: Any) -> list[Replication]:
    """Read the replications of a configuration."""
    return plan(**keys).replications


def plan(**keys: Any) -> Plan:
    """Read a configuration as the engine passes it: JSON if it is structured."""
    config = {
        f"{PREFIX}{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in keys.items()
    }
    return read_plan({"huaweicloud:region": "cn-north-4", **config})


def faults(**keys: Any) -> list[str]:
    """Return the failures of a configuration, a line each."""
    with pytest.raises(ConfigurationFaultsError) as caught:
        plan(**keys)
    return [str(fault) for fault in caught.value.faults]


def in_entry(key: str, value: Any, words: str, name: str) -> Any:
    """Return a case: a wrong value in an entry."""
    at = f"{PREFIX}replications[0].{key}"
    return pytest.param({"replications": [entry(**{key: value})]}, at, words, id=f"entry-{name}")


def in_destination(key: str, value: Any, words: str, name: str) -> Any:
    """Return a case: a wrong value in a destination."""
    at = f"{PREFIX}replications[0].destinations[0].{key}"
    wrong = entry(destinations=[destination(**{key: value})])
    return pytest.param({"replications": [wrong]}, at, words, id=f"destination-{name}")


def in_defaults(key: str, value: Any, words: str, name: str) -> Any:
    """Return a case: a wrong value in the defaults."""
    keys = {"replications": [entry()], "defaults": {key: value}}
    return pytest.param(keys, f"{PREFIX}defaults.{key}", words, id=f"defaults-{name}")


def in_set(key: str, value: Any, words: str, name: str, below: str = "") -> Any:
    """Return a case: a wrong value in an entry of sets."""
    keys = {"sets": [a_set(**{key: value})]}
    return pytest.param(keys, f"{PREFIX}sets[0].{key}{below}", words, id=f"set-{name}")


def in_select(key: str, value: Any, words: str, name: str) -> Any:
    """Return a case: a wrong value in a selection."""
    at = f"{PREFIX}sets[0].select.{key}"
    return pytest.param({"sets": [selecting(**{key: value})]}, at, words, id=f"select-{name}")


def in_vault(key: str, value: Any, words: str, name: str) -> Any:
    """Return a case: a wrong value in an entry of vaults."""
    keys = {"vaults": [a_vault(**{key: value})]}
    return pytest.param(keys, f"{PREFIX}vaults[0].{key}", words, id=f"vault-{name}")


SETS_AND_VAULTS = [
    in_set("name", "a b", "no name for a resource", "name"),
    in_set("backups", "erp", "is text; want labels with backup ids", "backups-type"),
    in_set("backups", {}, "a set without members would delete all its replicas", "no-member"),
    in_set("backups", [], "a set without members would delete all its replicas", "empty-list"),
    in_set("backups", None, "is missing; give labels with backup ids", "backups-missing"),
    in_set("backups", {"erp": "x"}, ".erp: is not a UUID; want 32", "member", ".erp"),
    in_set(
        "backups", {"erp": None}, "is missing; give the id of the backup", "member-null", ".erp"
    ),
    in_set("backups", [UUID, 7], "7 is a number; want a UUID", "listed-member", "[1]"),
    in_set("backups", [{"backup_id": UUID}], "is an object; want a UUID", "listed-mapping", "[0]"),
    in_set(
        *("backups", {"a b": {"backup_id": "x"}}, "'x' is not a UUID", "member-id"),
        '["a b"].backup_id',
    ),
    in_set(
        *("backups", {"erp": {"name": "dr"}}, "is missing; give the id", "member-without-id"),
        ".erp.backup_id",
    ),
    in_set(
        *("backups", {"erp": {"backup_id": UUID, "name": "a/b"}}, "contains '/'", "replica-name"),
        ".erp.name",
    ),
    in_set(
        *("backups", {"erp": {"backupId": UUID}}, "did you mean 'backup_id'?", "member-key"),
        ".erp.backupId",
    ),
    in_set(
        *(
            "backups",
            {"erp": {"backup_id": UUID, "created_at": "now"}},
            "is not a time as CBR",
            "made-at",
        ),
        ".erp.created_at",
    ),
    in_set(
        *("backups", {"a": UUID, "b": UUID.upper()}, "backup of sets[0].backups.a again", "twice"),
        ".b",
    ),
    in_set("keep_newest", 0, "0 is no number of backups; want a whole number", "keep-none"),
    in_set("keep_newest", 1.5, "want a whole number", "keep-part"),
    in_set("keep_newest", 10**9, "is more than the 100000 backups", "keep-too-many"),
    in_set("keep_newest", True, "want a whole number", "keep-type"),
    in_set("keep", {}, "keeps nothing; give at least one of newest, days", "keep-empty"),
    in_set("keep", 7, "7 is a number; want a mapping of keys to values", "keep-number"),
    in_set(*("keep", {"days": 101}, "want a whole number, 0 to 100", "keep-days"), ".days"),
    in_set(*("keep", {"days": "14"}, "'14' is text; want a whole number", "keep-text"), ".days"),
    in_set(*("keep", {"day": 1}, "did you mean 'days'?", "keep-key"), ".day"),
    in_set(
        *("keep", {"days": 1, "timezone": "CST"}, "no time zone as CBR's policies", "keep-zone"),
        ".timezone",
    ),
    in_set(*("days", 1, "'days' belongs to the keep of a set", "keep-days-outside")),
    in_set("select", {"name": "x"}, "stands beside backups; give one of the two", "both"),
    in_set("description", "x", "belongs to each entry of replications", "description"),
    in_set("backup_id", UUID, "belongs to each entry of replications", "backup-id"),
    in_set("newest", 3, "belongs to the select of a set", "newest"),
    in_set("keepNewest", 3, "did you mean 'keep_newest'?", "camel-case"),
    in_set("destinations", [], "is an empty list", "no-destination"),
    in_set(
        *("destinations", [destination(replica_name="x")], "belongs to a destination", "renamed"),
        "[0].replica_name",
    ),
    in_set(
        *("destinations", [destination(region="a b")], "contains ' '", "region"),
        "[0].region",
    ),
    in_set(
        *("destinations", [destination(), destination()], "region of sets[0].destinations[0]"),
        "region-twice",
        "[1].region",
    ),
    in_select("vault_id", "x", "'x' is not a UUID", "vault"),
    in_select("resource_name", "", "'' is no name or id", "resource-name"),
    in_select("resource_id", 3, "3 is a number; want text", "resource-type"),
    in_select("created_since", "2026-11-20", "is no such time; want a time in UTC", "since"),
    in_select("created_until", 2026, "want a time in UTC", "until-type"),
    in_select("newest", 0, "want a whole number", "newest"),
    in_select("keep_newest", 3, "belongs to each entry of sets", "keep"),
    in_select("resourceName", "x", "did you mean 'resource_name'?", "camel-case"),
    in_select("latest", 3, "known are vault_id, resource_id", "unknown"),
    pytest.param(
        {"sets": [selecting(vault_id=None)]}, f"{PREFIX}sets[0].select", "is empty", id="select-any"
    ),
    pytest.param(
        {"sets": [a_set(keep_newest=3)]},
        f"{PREFIX}sets[0].backups.erp",
        "has no created_at, which keep and keep_newest go by",
        id="set-rolling-without-times",
    ),
    pytest.param(
        {"sets": [a_set(keep={"days": 3})]},
        f"{PREFIX}sets[0].backups.erp",
        "has no created_at, which keep and keep_newest go by",
        id="set-keep-without-times",
    ),
    pytest.param(
        {"sets": [selecting(newest=7) | {"keep": {"days": 3}, "keep_newest": 7}]},
        f"{PREFIX}sets[0].keep",
        "stands beside keep_newest; give one of the two",
        id="set-keep-twice",
    ),
    pytest.param(
        {"sets": [a_set(destinations=None)]},
        f"{PREFIX}sets[0].destinations",
        "is missing; give a list of destinations",
        id="set-destinations-missing",
    ),
    in_vault("name", None, "is missing; give the entry a name", "name-missing"),
    in_vault("vault_id", None, "is missing; give the id of the vault whose backups", "id-missing"),
    in_vault("vault_id", "x", "'x' is not a UUID", "id"),
    in_vault("keep_newest", 3, "belongs to each entry of sets", "keep"),
    in_set("rpo", "1h30m", "'1h30m' is no such duration; want a number of minutes", "rpo"),
    in_set("owner", "a\nb", "is no name of an owner; want 1 to 64 printable", "owner"),
    in_vault("tier", "gold one", "'gold one' is no tier; want 1 to 64 letters", "tier"),
    in_vault("protect", 1, "want true or false", "protect"),
    in_vault("adopt", "all", "want true, false or 'any'", "adopt"),
    in_vault("force_destroy", "any", "is text; want true or false", "force"),
    in_vault("destinations", None, "is missing; give a list of destinations", "destinations"),
    in_vault("source_region", "a b", "contains ' '", "source-region"),
    pytest.param(
        {"sets": [a_set(backups=None, select="all")]},
        f"{PREFIX}sets[0].select",
        "'all' is text; want a mapping of keys to values",
        id="select-text",
    ),
    pytest.param({"sets": "x"}, f"{PREFIX}sets", "want a list of sets", id="sets-text"),
    pytest.param({"vaults": {}}, f"{PREFIX}vaults", "want a list of vaults", id="vaults-mapping"),
    pytest.param(
        {"replications": [], "sets": [], "vaults": []},
        f"{PREFIX}replications",
        "is empty, and there are no sets and no vaults",
        id="nothing-in-three-lists",
    ),
    pytest.param(
        {"replications": [entry(name="all")], "sets": [a_set(backups=[OTHER])]},
        f"{PREFIX}sets[0].name",
        "'all' is the name of replications[0] already",
        id="name-of-a-replication",
    ),
    pytest.param(
        {"sets": [a_set(), a_set(name="again")]},
        f"{PREFIX}sets[1].backups.erp",
        "is copied to region 'cn-east-3' by sets[0] already",
        id="backup-in-two-sets",
    ),
    pytest.param(
        {"replications": [entry()], "sets": [a_set(backups=[OTHER, UUID.upper()])]},
        f"{PREFIX}sets[0].backups[1]",
        "is copied to region 'cn-east-3' by replications[0] already",
        id="backup-of-a-replication",
    ),
    pytest.param(
        {"vaults": [a_vault(), a_vault(name="again")]},
        f"{PREFIX}vaults[1].vault_id",
        "are copied to region 'cn-east-3' by vaults[0] already",
        id="vault-twice",
    ),
    pytest.param(
        {"sets": [selecting(vault_id=OTHER.upper())], "vaults": [a_vault()]},
        f"{PREFIX}sets[0].select.vault_id",
        "are copied to region 'cn-east-3' by vaults[0] already",
        id="selected-vault",
    ),
    pytest.param(
        {
            "sets": [a_set(name="a", destinations=[destination(region="b-to-c")])],
            "vaults": [a_vault(name="a-to-b", destinations=[destination(region="c")])],
        },
        f"{PREFIX}vaults[0].name",
        "makes the resource 'a-to-b-to-c', as sets[0] ('a') does already",
        id="same-resource",
    ),
]
CASES = [
    *SETS_AND_VAULTS,
    in_entry("name", "", "no name for a resource", "name-empty"),
    in_entry("name", "a b", "'a b' is no name for a resource", "name-character"),
    in_entry("name", 3, "3 is a number; want text", "name-type"),
    in_entry("backup_id", "", "'' is not a UUID", "backup-empty"),
    in_entry("backup_id", UUID[:-1], "is not a UUID", "backup-short"),
    in_entry("backup_id", 7, "7 is a number; want a UUID", "backup-type"),
    in_entry("source_region", "a b", "contains ' '", "source-region"),
    in_entry("source_project_id", "a/b", "contains '/'", "source-project"),
    in_entry("description", "a<b", "contains '<'", "description"),
    in_entry("description", "x" * 256, "has 256 characters", "description-long"),
    in_entry("enable_acceleration", "yes", "is text; want true or false", "flag"),
    in_entry("adopt", 1, "1 is a number; want true, false or 'any'", "adopt"),
    in_entry("force_destroy", "true", "is text; want true or false", "force"),
    in_entry("preflight", "no", "want 'error', 'warn' or 'off'", "mode"),
    in_entry("protect", "true", "is text; want true or false", "protect"),
    in_entry("retain_on_delete", [], "is a list; want true or false", "retain"),
    in_entry("destinations", [], "is an empty list", "no-destination"),
    in_entry("destinations", "cn-east-3", "want a list of destinations", "destinations-type"),
    in_entry("backupId", UUID, "did you mean 'backup_id'?", "camel-case"),
    in_entry("forceDestroy", True, "did you mean 'force_destroy'?", "force-camel-case"),
    in_entry("protct", True, "did you mean 'protect'?", "typing-error"),
    in_entry("vault_id", VAULT, "belongs to a destination", "wrong-level"),
    in_destination("region", "", "is empty", "region-empty"),
    in_destination("region", "a b", "contains ' '", "region-character"),
    in_destination("region", "x" * 256, "has 256 characters", "region-long"),
    in_destination("region", 3, "is a number; want text", "region-type"),
    in_destination("vault_id", "x", "'x' is not a UUID", "vault"),
    in_destination("vault_id", True, "is a truth value; want a UUID", "vault-type"),
    in_destination("project_id", "a b", "contains ' '", "project"),
    in_destination("replica_name", "", "is empty", "name-empty"),
    in_destination("replica_name", "a/b", "contains '/'", "name-character"),
    in_destination("replica_name", "x" * 65, "has 65 characters", "name-long"),
    in_destination("replica_name", {}, "is an object; want text", "name-type"),
    in_destination("preflight", True, "want 'error', 'warn' or 'off'", "mode-type"),
    in_destination("adopt", "ANY", "want true, false or 'any'", "adopt"),
    in_destination("force_destroy", {}, "is an object; want true or false", "force"),
    in_destination("name", "x", "did you mean 'replica_name'?", "resource-name"),
    in_defaults("preflight", "no", "want 'error', 'warn' or 'off'", "mode"),
    in_defaults("protect", 1, "want true or false", "protect"),
    in_defaults("adopt", ["any"], "is a list; want true, false or 'any'", "adopt"),
    in_defaults("force_destroy", 1, "want true or false", "force"),
    in_defaults("destinations", [], "is an empty list", "no-destination"),
    in_defaults("backup_id", UUID, "belongs to each entry of replications", "wrong-level"),
    pytest.param(
        {"replications": [entry(backup_id=None)]},
        f"{PREFIX}replications[0].backup_id",
        "is missing; give the id of the backup to copy",
        id="entry-backup-missing",
    ),
    pytest.param(
        {"replications": [entry(name=None)]},
        f"{PREFIX}replications[0].name",
        "is missing",
        id="entry-name-missing",
    ),
    pytest.param(
        {"replications": [entry(destinations=[destination(vault_id=None)])]},
        f"{PREFIX}replications[0].destinations[0].vault_id",
        "is missing; give the id of a replication vault",
        id="destination-vault-missing",
    ),
    pytest.param(
        {"replications": [entry(destinations=None)]},
        f"{PREFIX}replications[0].destinations",
        "is missing; give a list of destinations",
        id="entry-destinations-missing",
    ),
    pytest.param({"replications": "abc"}, f"{PREFIX}replications", "want a list", id="text"),
    pytest.param({"replications": {}}, f"{PREFIX}replications", "want a list", id="mapping"),
    pytest.param({"replications": []}, f"{PREFIX}replications", "is empty", id="empty"),
    pytest.param({}, f"{PREFIX}replications", "is missing", id="nothing"),
    pytest.param(
        {"replications": [3]}, f"{PREFIX}replications[0]", "3 is a number", id="entry-type"
    ),
    pytest.param(
        {"replications": [entry()], "defaults": "x"}, f"{PREFIX}defaults", "is text", id="defaults"
    ),
    pytest.param(
        {"replications": [entry()], "preflight": "no"},
        f"{PREFIX}preflight",
        "want 'error', 'warn' or 'off'",
        id="mode-of-the-run",
    ),
    pytest.param(
        {"replications": [entry()], "replicatons": []},
        f"{PREFIX}replicatons",
        "did you mean 'replications'?",
        id="unknown-top-level-key",
    ),
    pytest.param(
        {"replications": [entry(), entry(backup_id=VAULT)]},
        f"{PREFIX}replications[1].name",
        "'erp' is the name of replications[0] already",
        id="name-twice",
    ),
]


@pytest.mark.parametrize(("keys", "key", "words"), CASES)
def test_read_fault_is_reported_under_its_key(keys: dict[str, Any], key: str, words: str) -> None:
    """A failure is reported once, under the key that the user wrote."""
    told = [fault for fault in faults(**keys) if fault.startswith(f"{key}: ")]

    assert 1 == len(told), faults(**keys)
    assert words in told[0]


def test_read_reports_all_faults_at_once() -> None:
    """Failures of several entries and of the defaults are one message."""
    told = faults(
        replications=[entry(name="a b"), entry(name="c", backup_id="x")],
        defaults={"description": "<"},
    )

    assert 3 == len(told)


def test_read_two_copies_to_one_region_is_a_fault() -> None:
    """CBR keeps one replica of a backup per region, also across entries and with defaults."""
    other = destination(vault_id="0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a")
    for replications in (
        [entry(destinations=[destination(), other])],
        [entry(), entry(name="again", destinations=[other])],
        [entry(), entry(name="again", backup_id=UUID.upper())],
    ):
        assert any(
            "one replica of a backup per region" in told
            for told in faults(replications=replications)
        )


def test_read_most_specific_value_wins() -> None:
    """A destination overrides its entry, the entry the defaults, and `preflight` of the run all."""
    defaults = {"description": "all", "adopt": False, "protect": True, "preflight": "warn"}
    special = entry(
        description="entry",
        protect=False,
        destinations=[destination(description="one"), destination(region="cn-south-1")],
    )

    first, second = read(replications=[special], defaults=defaults)
    assert ("one", "entry") == (first.args.description, second.args.description)
    assert (False, "warn", False) == (first.args.adopt, first.args.preflight, first.protect)

    (first, _) = read(replications=[special], defaults=defaults, preflight="off")
    assert "off" == first.args.preflight


def test_read_ownership_on_every_level() -> None:
    """`adopt: any` and `force_destroy` are keys of each list, of destinations and of defaults."""
    defaults = {"adopt": "any", "force_destroy": True, "destinations": [destination()]}
    own = {"adopt": False, "force_destroy": False}
    narrow = [destination(**own), destination(region="cn-south-1")]
    whole = plan(
        replications=[entry(), entry(name="web", backup_id=OTHER, destinations=narrow)],
        sets=[
            a_set(backups=[VAULT], destinations=None),
            a_set(name="some", backups=None, select={"name": "x"}, **own),
        ],
        vaults=[a_vault(destinations=None), a_vault(name="other", vault_id=UUID, **own)],
        defaults=defaults,
    )
    resources: list[Any] = [*whole.replications, *whole.sets, *whole.vaults]

    assert {
        "erp-to-cn-east-3": ("any", True),
        "web-to-cn-east-3": (False, False),
        "web-to-cn-south-1": ("any", True),
        "all-to-cn-east-3": ("any", True),
        "some-to-cn-east-3": (False, False),
        "prod-to-cn-east-3": ("any", True),
        "other-to-cn-east-3": (False, False),
    } == {one.name: (one.args.adopt, one.args.force_destroy) for one in resources}


def test_read_wait_is_no_adoption() -> None:
    """`wait` has no third value, unlike `adopt`."""
    (told,) = faults(replications=[entry()], wait="any")

    assert f"{PREFIX}wait: 'any' is text; want true or false" == told


def test_read_destinations_of_defaults_are_used() -> None:
    """An entry without destinations uses those of the defaults."""
    (replication,) = read(
        replications=[entry(destinations=None)], defaults={"destinations": [destination()]}
    )

    assert "erp-to-cn-east-3" == replication.name
    assert VAULT == replication.args.destination_vault_id


def test_read_other_namespaces_are_ignored() -> None:
    """Keys of other packages are ignored."""
    (replication,) = read_plan(
        {"other:replications": "x", f"{PREFIX}replications": json.dumps([entry()])}
    ).replications

    assert not replication.protect
    assert not replication.retain_on_delete


def test_read_set_of_backups() -> None:
    """Members are passed on unchanged. Options are resolved as for replications."""
    backups = {"erp": UUID, "web": {"backup_id": OTHER, "name": "web-dr", "created_at": None}}
    special = a_set(
        backups=backups,
        adopt=False,
        destinations=[destination(preflight="warn", project_id="p1"), destination(region="r2")],
    )
    first, second = plan(
        sets=[special],
        defaults={"protect": True, "source_region": "cn-north-1", "description": "for others"},
    ).sets

    assert ("all-to-cn-east-3", "all-to-r2") == (first.name, second.name)
    assert {"erp": UUID, "web": {"backup_id": OTHER, "name": "web-dr"}} == first.args.backups
    assert ("warn", None) == (first.args.preflight, second.args.preflight)
    assert ("p1", False, "cn-north-1") == (
        first.args.destination_project_id,
        first.args.adopt,
        first.args.source_region,
    )
    assert (True, False) == (first.protect, first.retain_on_delete)
    assert first.selection is None
    assert [UUID] == plan(sets=[a_set(backups=[UUID])]).sets[0].args.backups


@pytest.mark.parametrize(
    ("newest", "given", "kept", "limit"),
    [
        pytest.param(7, None, 7, 7, id="newest-alone"),
        pytest.param(7, 30, 30, 7, id="more-are-kept"),
        pytest.param(7, 3, 3, 3, id="fewer-are-kept"),
        pytest.param(None, 5, 5, 5, id="kept-alone"),
        pytest.param(None, None, None, None, id="neither"),
    ],
)
def test_read_selection_keeps_as_many_as_it_selects(
    newest: int | None, given: int | None, kept: int | None, limit: int | None
) -> None:
    """`keep_newest` defaults to `newest`, so only kept backups are selected."""
    select = {"resource_name": "erp-db-01", "newest": newest}
    (one,) = plan(sets=[a_set(backups=None, select=select, keep_newest=given)]).sets

    assert kept == one.args.keep_newest
    assert one.selection is not None
    assert (limit, kept is not None) == (one.selection.limit, one.selection.is_rolling)
    assert (("resource_name", "erp-db-01"),) == one.selection.filters


@pytest.mark.parametrize(
    ("newest", "keep", "limit", "counts_periods"),
    [
        pytest.param(None, {"newest": 7}, 7, False, id="newest-alone"),
        pytest.param(30, {"newest": 7.0, "days": 0}, 7, False, id="fewer-than-selected"),
        pytest.param(None, {"newest": 7, "months": 12}, None, True, id="periods"),
        pytest.param(100, {"days": 14}, 100, True, id="periods-of-those-selected"),
    ],
)
def test_read_selection_with_keep_lists_what_its_periods_need(
    newest: int | None, keep: dict[str, Any], limit: int | None, counts_periods: bool
) -> None:
    """The newest backups alone do not show which one was the last of its month."""
    select = {"resource_name": "erp-db-01", "newest": newest}
    (one,) = plan(sets=[a_set(backups=None, select=select, keep=keep)]).sets

    assert (keep, None) == (one.args.keep, one.args.keep_newest)
    assert one.selection is not None
    assert one.selection.is_rolling
    assert (limit, counts_periods) == (one.selection.limit, one.selection.counts_periods)


@pytest.mark.parametrize("at", ["2026-11-20 00:00:00 +0000 UTC", "2026-11-20 02:00:00 +0200 CEST"])
def test_read_time_without_quotes_is_accepted(at: str) -> None:
    """The engine passes a YAML time in Go's format, and a day as its midnight."""
    select = {"created_since": at, "created_until": "2026-11-27T02:00:00Z"}
    member = {"backup_id": UUID, "created_at": at}
    read = plan(
        sets=[selecting(**select), a_set(name="listed", backups={"erp": member}, keep_newest=1)]
    )

    assert read.sets[0].selection is not None
    assert at == dict(read.sets[0].selection.filters)["created_since"]
    assert {"erp": member} == read.sets[1].args.backups


def test_read_vault() -> None:
    """A vault is one resource for each destination. Destinations may come from the defaults."""
    defaults = {"destinations": [destination(), destination(region="cn-south-1")]}
    vaults = plan(vaults=[a_vault(destinations=None, adopt=True)], defaults=defaults).vaults

    assert ["prod-to-cn-east-3", "prod-to-cn-south-1"] == [vault.name for vault in vaults]
    assert {(OTHER, VAULT, True)} == {
        (vault.args.vault_id, vault.args.destination_vault_id, vault.args.adopt) for vault in vaults
    }


def test_read_faults_of_all_lists_in_reading_order() -> None:
    """Failures are reported in reading order: replications, sets, vaults, each from its name on."""
    told = faults(
        vaults=[a_vault(vault_id="x")],
        sets=[a_set(keep_newest=0, name="a b")],
        replications=[entry(backup_id="x")],
    )

    keys = [fault.split(":")[1] for fault in told if "created_at" not in fault]
    assert ["replications[0].backup_id", "sets[0].name", "sets[0].keep_newest"] == keys[:3]
    assert ["vaults[0].vault_id"] == keys[3:]


def test_example_is_a_configuration_of_all_three() -> None:
    """The example that users copy is valid, and shows each list."""
    file = Path(__file__).parents[2] / "stacks" / "Pulumi.example.yaml"
    document = yaml.safe_load(file.read_text())["config"]
    keys = {key.removeprefix(PREFIX): value for key, value in document.items() if PREFIX in key}
    keys["wait"] = "true" if keys["wait"] else "false"

    example = plan(**keys)

    assert ["erp-db-to-cn-east-3", "web-to-cn-south-1"] == [
        one.name for one in example.replications
    ]
    assert [("nightly-to-cn-east-3", 7)] == [
        (one.name, one.args.keep_newest) for one in example.sets
    ]
    assert ["files-to-cn-east-3"] == [one.name for one in example.vaults]
    assert {True} == {one.args.adopt for one in example.replications}
    assert {False} == {one.args.force_destroy for one in example.vaults}
