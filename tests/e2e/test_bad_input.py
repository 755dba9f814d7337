"""Wrong inputs: one short message per failure in a preview, and no request."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject, Project

ERP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
FORM = "want 32 hexadecimal digits in the form 8-4-4-4-12"
LONG = "x" * 65

# Inputs by the name of the resource; for each failure the property and words of the message.
RESOURCES: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
    "empty": (
        {"backup_id": "", "destination_region": "", "destination_vault_id": ""},
        [("backup_id", FORM), ("destination_region", "is empty"), ("destination_vault_id", FORM)],
    ),
    "characters": (
        {
            "name": "a/b",
            "description": "a<b",
            "destination_region": "cn east",
            "source_region": "c/n",
        },
        [
            ("name", "contains '/'"),
            ("description", "contains '<'"),
            ("destination_region", "contains ' '"),
            ("source_region", "contains '/'"),
        ],
    ),
    "long": (
        {"name": LONG, "description": "x" * 256, "destination_project_id": LONG},
        [
            ("name", "has 65 characters"),
            ("description", "has 256 characters"),
            ("destination_project_id", "has 65 characters"),
        ],
    ),
    "types": (
        {
            "backup_id": 7,
            "name": ["a"],
            "adopt": "yes",
            "enable_acceleration": 1,
            "preflight": "no",
        },
        [
            ("backup_id", "7 is a number; want a UUID"),
            ("name", "is a list; want text"),
            ("adopt", "is text; want true, false or 'any'"),
            ("enable_acceleration", "is a number; want true or false"),
            ("preflight", "want 'error', 'warn' or 'off'"),
        ],
    ),
    "project": (
        {"destination_project_id": "a b", "source_project_id": "a/b"},
        [("destination_project_id", "contains ' '"), ("source_project_id", "contains '/'")],
    ),
}

PROGRAM = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr
for name, inputs in json.loads(pulumi.Config().require("resources")).items():
    given = {**json.loads(pulumi.Config().require("good")), **inputs}
    cbr.BackupReplication(name, cbr.BackupReplicationArgs(**given))
"""


@pytest.fixture
def program(make_program: MakeProject) -> Project:
    """A program with resources from the configuration."""
    project = make_program(PROGRAM)
    good = {"backup_id": ERP, "destination_region": "cn-east-3", "destination_vault_id": VAULT}
    project.configure({"program:good": good})
    return project


def diagnostics_of(program: Project, name: str, inputs: dict[str, Any]) -> list[str]:
    """Return the errors of a preview of one resource.

    The engine stops a preview at the first resource that fails, so each has its own.
    """
    program.configure({"program:resources": {name: inputs}})
    outcome = program.run("preview")
    assert 0 != outcome.code
    assert "Traceback" not in outcome.text
    shown = outcome.text[outcome.text.index("Diagnostics:") :]
    return [line for line in shown.splitlines() if "error:" in line]


@pytest.mark.full
def test_bad_fields_one_message_each(program: Project, control: Control) -> None:
    """All wrong fields are reported at once, with value and expectation; nothing is sent."""
    for name, (inputs, faults) in RESOURCES.items():
        errors = diagnostics_of(program, name, inputs)

        assert len(faults) == len(errors), errors
        for field, words in faults:
            assert any(f"property {field} " in line and words in line for line in errors), errors

    assert [] == control.journal()


BACKUPS = {
    "missing": "does not exist",
    "broken": "has status 'error'",
    "a-replica": "is itself a replica",
    "of-a-disk": "cannot be copied",
    "without-system-disk": "lacks the server's system disk",
}
VAULTS = {
    "missing-vault": "does not exist",
    "not-for-replicas": "want 'replication'",
    "dr-files": "want 'server'",
    "dr-full": "is full",
    "dr-frozen": "settle its bill",
}
REGIONS = ("ap-southeast-3", "no-such-region-1")


@pytest.mark.parametrize(
    ("backups", "vaults", "regions"),
    [
        pytest.param(["broken"], ["dr-full"], REGIONS[:1], id="one-of-each"),
        pytest.param(BACKUPS, VAULTS, REGIONS, id="all", marks=pytest.mark.full),
    ],
)
def test_bad_facts_one_message_each(
    program: Project,
    control: Control,
    backup_ids: dict[str, str],
    vault_ids: dict[str, str],
    backups: Iterable[str],
    vaults: Iterable[str],
    regions: Iterable[str],
) -> None:
    """What only the API knows is reported in the preview too, and nothing is written.

    Contract tests prove each fact in every `make test`; here the CLI shows one of each kind.
    """
    cases: dict[str, tuple[dict[str, str], str, str]] = {}
    for backup in backups:
        backup_id = backup_ids.get(backup, "00000000-0000-4000-8000-000000000000")
        cases[backup] = ({"backup_id": backup_id}, "backup_id", BACKUPS[backup])
    for vault in vaults:
        vault_id = vault_ids.get(vault, "00000000-0000-4000-8000-000000000000")
        cases[vault] = ({"destination_vault_id": vault_id}, "destination_vault_id", VAULTS[vault])

    for name, (inputs, field, words) in cases.items():
        (error,) = diagnostics_of(program, name, inputs)
        assert f"property {field} " in error
        assert words in error
        assert ";" in error

    for region in regions:
        (error,) = diagnostics_of(program, "pair", {"destination_region": region})
        assert "property destination_region " in error
        assert "choose one of: cn-east-3" in error
    assert [] == [entry for entry in control.journal() if entry["operation"] == "CopyBackup"]
    assert {"GET", "POST"} == {entry["method"] for entry in control.journal()}


def test_bad_configuration_one_message(make_stacks_project: MakeProject, control: Control) -> None:
    """A wrong stack configuration is one message: each key, its value and what is expected."""
    project = make_stacks_project(
        [
            {
                "name": "a b",
                "backup_id": "x",
                "destinations": [{"region": "cn-east-3", "vault_id": VAULT}],
            },
            {
                "name": "c",
                "backup_id": ERP,
                "destinations": [{"region": "cn-east-3", "vault_id": "y"}],
            },
        ]
    )

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert "the stack's configuration has 3 faults; nothing was sent" in outcome.text
    assert "cbr-replication:replications[0].name: 'a b'" in outcome.text
    assert "cbr-replication:replications[0].backup_id: 'x' is not a UUID" in outcome.text
    assert "cbr-replication:replications[1].destinations[0].vault_id: 'y'" in outcome.text
    assert "Traceback" not in outcome.text
    assert [] == control.journal()


def test_missing_configuration_shows_an_example(
    make_stacks_project: MakeProject, control: Control
) -> None:
    """Without any configuration, the message shows an example."""
    outcome = make_stacks_project([]).run("preview")

    assert 0 != outcome.code
    assert "backup_id: 5a863daa" in outcome.text
    assert [] == control.journal()


def test_bad_setting_is_reported_under_its_key(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """An invalid setting of the provider is reported with its key and its variable."""
    project = make_stacks_project([erp], **{"huaweicloud:region": "cn north"})

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert "huaweicloud:region (or HW_REGION_NAME)" in outcome.text
    assert "Traceback" not in outcome.text
    assert [] == control.journal()
