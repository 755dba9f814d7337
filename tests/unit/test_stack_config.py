"""The stack's configuration: every fault under its key, with its value and what is wanted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from config import Replication, read_replications
from faults import ConfigurationFaultsError

UUID = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
PREFIX = "cbr-replication:"


def destination(**changes: Any) -> dict[str, Any]:
    """Return a destination; None leaves a key out."""
    whole = {"region": "cn-east-3", "vault_id": VAULT, **changes}
    return {key: value for key, value in whole.items() if value is not None}


def entry(**changes: Any) -> dict[str, Any]:
    """Return an entry with one destination; None leaves a key out."""
    whole = {"name": "erp", "backup_id": UUID, "destinations": [destination()], **changes}
    return {key: value for key, value in whole.items() if value is not None}


def read(**keys: Any) -> list[Replication]:
    """Read a configuration as the engine hands it over: JSON where it is structured."""
    config = {
        f"{PREFIX}{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in keys.items()
    }
    return read_replications({"huaweicloud:region": "cn-north-4", **config})


def faults(**keys: Any) -> list[str]:
    """Return the faults of a configuration, a line each."""
    with pytest.raises(ConfigurationFaultsError) as caught:
        read(**keys)
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


CASES = [
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
    in_entry("adopt", 1, "1 is a number; want true or false", "adopt"),
    in_entry("preflight", "no", "want 'error', 'warn' or 'off'", "mode"),
    in_entry("protect", "true", "is text; want true or false", "protect"),
    in_entry("retain_on_delete", [], "is a list; want true or false", "retain"),
    in_entry("destinations", [], "is an empty list", "no-destination"),
    in_entry("destinations", "cn-east-3", "want a list of destinations", "destinations-type"),
    in_entry("backupId", UUID, "did you mean 'backup_id'?", "camel-case"),
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
    in_destination("name", "x", "did you mean 'replica_name'?", "resource-name"),
    in_defaults("preflight", "no", "want 'error', 'warn' or 'off'", "mode"),
    in_defaults("protect", 1, "want true or false", "protect"),
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
def test_read_fault_is_told_under_its_key(keys: dict[str, Any], key: str, words: str) -> None:
    """A fault is told once, under the key that the user wrote."""
    told = [fault for fault in faults(**keys) if fault.startswith(f"{key}: ")]

    assert 1 == len(told), faults(**keys)
    assert words in told[0]


def test_read_tells_all_faults_at_once() -> None:
    """Faults of several entries and of the defaults are one message."""
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


def test_read_more_special_value_holds() -> None:
    """A destination overrides its entry, the entry the defaults, `preflight` of the run all."""
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


def test_read_destinations_of_defaults_stand_in() -> None:
    """An entry without destinations goes where the defaults say."""
    (replication,) = read(
        replications=[entry(destinations=None)], defaults={"destinations": [destination()]}
    )

    assert "erp-to-cn-east-3" == replication.name
    assert VAULT == replication.args.destination_vault_id


def test_read_other_namespaces_are_left_alone() -> None:
    """Keys of other packages are none of ours."""
    (replication,) = read_replications(
        {"other:replications": "x", f"{PREFIX}replications": json.dumps([entry()])}
    )

    assert not replication.protect
    assert not replication.retain_on_delete
