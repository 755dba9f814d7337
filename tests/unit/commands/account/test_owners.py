"""`owners` without a service: its options, what it reads of a stack, and how it classifies."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    ReplicationRecord,
    Task,
    TaskExtraInfo,
    TaskReplication,
)
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner
from pulumi_huaweicloud_cbr.commands._cli.stack import (
    Place,
    Row,
    State,
    export,
    places_in,
    read_state,
    sources_in,
)
from pulumi_huaweicloud_cbr.commands.account.owners.classify import Known, Listed, classify, match
from pulumi_huaweicloud_cbr.commands.account.owners.report import RegionLook, ReplicaLook, Report
from pulumi_huaweicloud_cbr.commands.account.owners.text import as_text, import_command

NOW = datetime(2026, 11, 30, tzinfo=UTC)
SOURCE = ProjectScope("cn-north-4", "north")
URN = "urn:pulumi:prod::p::pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet::dr"
TYPE = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet"
COORDINATES = {
    "source_region": "cn-north-4",
    "source_project_id": "north",
    "destination_region": "cn-east-3",
    "destination_project_id": "east",
    "destination_vault_id": "VAULT",
}


# -- options ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [[], ["--stack"], ["--stack", "prod", "--destination", "no region"], ["--stack", "p", "--x"]],
)
def test_wrong_options_end_with_2(arguments: list[str]) -> None:
    """Nothing is asked for."""
    with pytest.raises(SystemExit) as ended:
        main(["owners", *arguments])

    assert 2 == ended.value.code


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A CLI that prints what a file holds, and notes its arguments."""
    program = tmp_path / "pulumi"
    program.write_text(
        f"#!{sys.executable}\nimport pathlib, sys\nroot = pathlib.Path({str(tmp_path)!r})\n"
        "(root / 'called').write_text(' '.join(sys.argv[1:]))\n"
        "print((root / 'answer').read_text(), end='')\n"
        "sys.exit((root / 'fails').exists())\n"
    )
    program.chmod(0o755)
    (tmp_path / "answer").write_text("")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def test_state_is_exported_with_its_secrets(cli: Path) -> None:
    """A backup's id may be a secret. A stack that was never deployed has no resources."""
    (cli / "answer").write_text('{"version": 3, "deployment": null}')

    assert {} == export("prod")
    expected = "--non-interactive stack export --show-secrets --stack prod"
    assert expected == (cli / "called").read_text()


def test_state_that_cannot_be_exported_is_one_message(
    cli: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message comes from the configuration, which is read first."""
    (cli / "fails").touch()

    assert 1 == main(["owners", "--stack", "prod"])

    assert "error: reading the configuration of stack 'prod'" in capsys.readouterr().err
    with pytest.raises(ConfigurationError, match="reading the state of stack 'prod'"):
        export("prod")


def test_stack_is_read_in_the_projects_directory(
    cli: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--cwd` reaches each call of the CLI."""
    (cli / "answer").write_text("{}")

    assert 1 == main(["owners", "--stack", "prod", "--cwd", "infra"])
    assert (
        (cli / "called")
        .read_text()
        .endswith("stack export --show-secrets --stack prod --cwd infra")
    )
    assert 1 == main(["import-file", "a=b/c", "--stack", "prod", "--cwd", "infra"])
    assert (cli / "called").read_text().endswith("--stack prod --cwd infra")
    assert "looking for the destinations of stack 'prod'" in capsys.readouterr().err


def test_import_of_an_orphan_names_the_projects_directory() -> None:
    """Who gave `--cwd` can run the command from the same place."""
    program = "python -m pulumi_huaweicloud_cbr import-file --stack prod"

    assert program == import_command("prod", None)
    assert f"{program} --cwd 'in fra'" == import_command("prod", Path("in fra"))


def test_project_of_an_empty_stack_is_that_of_its_full_name(cli: Path) -> None:
    """The backend tells it; a backend that does not has the setting as remedy."""
    (cli / "answer").write_text("acme/shop/prod\n")
    assert "shop/prod" == default_owner("prod")

    (cli / "answer").write_text("prod\n")
    with pytest.raises(ConfigurationError, match="HW_OWNER=PROJECT/STACK"):
        default_owner("prod")


# -- what a stack says --------------------------------------------------------------------------


def secret(value: Any) -> dict[str, str]:
    """Return a secret as the CLI exports it with `--show-secrets`."""
    return {"4dabf18193072939515e22adb298388d": "signature", "plaintext": json.dumps(value)}


def a_set(**outputs: Any) -> dict[str, Any]:
    """Return a set of the state."""
    return {"urn": URN, "type": TYPE, "id": "x", "outputs": {**COORDINATES, **outputs}}


def test_rows_of_a_state() -> None:
    """Ids are compared in lower case; secrets are read; other resources are ignored."""
    members = {"erp": {"backup_id": secret("ERP"), "replication_record_id": "R1", "leaving": True}}
    resources = [
        {"urn": "urn:pulumi:prod::p::pulumi:pulumi:Stack::p-prod", "type": "pulumi:pulumi:Stack"},
        a_set(members=secret(members)),
        {
            "urn": URN.replace("::dr", "::wait"),
            "type": TYPE.replace("BackupReplicationSet", "ReplicationsComplete"),
            "id": "y",
            "outputs": {"replicas": {}},
        },
    ]

    state = read_state({"resources": resources, "pending_operations": [{}, {}]})

    (row,) = state.rows
    assert ("erp", "r1", "vault", True) == (
        row.backup_id,
        row.record_id,
        row.vault_id,
        row.is_leaving,
    )
    assert "dr: erp" == row.title
    assert ("p/prod", (), 2) == (state.owner, state.unreadable, state.pending_count)
    assert {"p-prod", "dr", "wait"} == state.names


@pytest.mark.parametrize(
    "outputs", [{"members": {"erp": {}}}, {"members": "x"}, {"members": secret(1)}]
)
def test_rows_of_another_form_are_named(outputs: dict[str, Any]) -> None:
    """A resource that cannot be read is not dropped silently."""
    state = read_state({"resources": [a_set(**outputs)]})

    assert ((), (URN,)) == (state.rows, state.unreadable)


def test_places_of_a_configuration() -> None:
    """Destinations are found at any depth; what only resembles them is not called."""
    east = {"region": "cn-east-3", "vault_id": "V1", "project_id": "east"}
    south = {"destination_region": "cn-south-1", "destination_vault_id": "V2"}
    configured = {
        "a:deep": json.dumps([{"x": [{"y": east}]}, south, east]),
        "a:odd": json.dumps(
            [
                {"region": "no region", "vault_id": "V"},
                {"region": 1, "vault_id": 2},
                {"region": "x"},
            ]
        ),
        "a:text": "plain",
        "a:broken": "{",
        "a:none": None,
        "huaweicloud:tokens": json.dumps({"x": east | {"region": "of-tokens"}}),
    }

    assert (
        Place(Scope("cn-east-3", "east"), "v1"),
        Place(Scope("cn-south-1"), "v2"),
    ) == places_in(configured)


def test_sources_of_a_configuration() -> None:
    """Entries may name source regions, with or without a project."""
    configured = {
        "a:b": json.dumps([{"source_region": "r1"}, {"source_region": "r2"} | COORDINATES])
    }

    assert (Scope("r1"), Scope("cn-north-4", "north")) == sources_in(configured)


# -- groups -------------------------------------------------------------------------------------


def a_row(**changes: Any) -> Row:
    """Return a row of the state whose replica is not known."""
    values = {
        "urn": URN,
        "label": "erp",
        "backup_id": "b1",
        "record_id": "r1",
        "region": "cn-east-3",
        "project_id": "east",
        "vault_id": "v1",
        "source": SOURCE,
    }
    return Row(**{**values, **changes})


def replica(one: str, **changes: Any) -> Backup:
    """Return a replica of a server's backup."""
    values = {"vault_id": "v1", "checkpoint_id": "c1", "resource_id": "s1", "status": "available"}
    return Backup(**{**values, "id": one, "image_type": "replication", **changes})


def sorted_out(
    backups: list[Backup],
    rows: list[Row],
    records: list[tuple[ReplicationRecord, Backup]] | None = None,
) -> Report:
    """Return the report about some replicas."""
    report = Report("prod", "p/prod", is_marking=True)
    known = Known("p/prod", State("p/prod", tuple(rows)), NOW)
    for record, source in records or []:
        known.note(record, source, SOURCE)
    classify(report, known, [Listed(RegionLook("cn-east-3", "east"), None, tuple(backups), {})])
    return report


def grouped(report: Report) -> dict[str, str]:
    """Return the group of each replica."""
    return {one.id: one.group for one in report.replicas}


def test_restore_point_with_several_servers_names_one_by_its_server() -> None:
    """The replicas of all servers of a restore point belong to one restore point as well."""
    backups = [replica("x", resource_id="s2"), replica("y")]
    record = ReplicationRecord(id="R1", status="success", destination_checkpoint_id="C1")
    source = Backup(id="B1", resource_id="s1")

    by_server = sorted_out(backups, [a_row(resource_id="s1")], [(record, source)])
    by_point = sorted_out(backups, [a_row()], [(record, source)])
    alone = sorted_out(backups, [], [(record, source)])

    assert {"x": "unmarked", "y": "in_state"} == grouped(by_server)
    assert {"x": "unclear", "y": "unmarked"} == grouped(by_point)
    assert {"x": False, "y": True} == {one.id: bool(one.origin) for one in alone.replicas}


@pytest.mark.parametrize("other", [{"vault_id": "v2"}, {"resource_id": "s2"}])
def test_row_is_no_reason_to_spare_what_it_cannot_have(other: dict[str, str]) -> None:
    """A row's replica is in its vault, and of its server."""
    mark = {"description": "[pulumi p/prod]"}
    backups = [replica("x", **mark), replica("y", **mark, **other)]

    report = sorted_out(backups, [a_row(resource_id="s1")])

    assert {"x": "unclear", "y": "orphan"} == grouped(report)


def test_known_replica_is_not_looked_for_by_its_restore_point() -> None:
    """Another replica in the restore point is not the one that the state names."""
    report = sorted_out([replica("x")], [a_row(replica_id="gone", checkpoint_id="c1")])

    assert {"x": "unmarked"} == grouped(report)
    assert ["gone"] == [row.reason for row in report.rows_without_replica]


def test_skipped_copy_had_a_replica() -> None:
    """CBR skips a copy that exists. A failed one never had a replica."""
    rows = [a_row(status="skip", replica_id="x"), a_row(label="web", status="skip")]

    reasons = [row.reason for row in sorted_out([], rows).rows_without_replica]

    assert ["gone", "failed"] == reasons


def test_log_does_not_overrule_a_restore_point() -> None:
    """The log has no record ids: it may name another copy of the backup."""
    told = TaskReplication(
        source_backup_id="B1", destination_region="cn-east-3", destination_backup_id="Y"
    )
    row = a_row(checkpoint_id="c1")
    known = Known("p/prod", State(rows=(row, a_row(label="log"))), NOW)
    known.note_task(Task(id="t", extra_info=TaskExtraInfo(replication=told)))
    backups = (replica("X"), replica("Y", checkpoint_id="c2"))

    found = match(known, [Listed(RegionLook("cn-east-3", "east"), None, backups, {})]).found

    assert {"erp": "X", "log": "Y"} == {one.label: at.id for one, at in found.items()}


def test_tasks_and_records_without_a_replica_name_nothing() -> None:
    """A task may have failed before there was a replica."""
    known = Known("p/prod", State(rows=(a_row(),)), NOW)
    known.note_task(Task(id="t"))
    known.note(ReplicationRecord(id="r1", status="fail"), Backup(id="b1"), SOURCE)

    assert ({}, set()) == (known.logged, known.replicas_of(a_row()))
    assert known.origin_of(replica("x")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-29T00:00:00.905331", 86399),
        ("2026-11-29T08:00:00+08:00", 86400),
        ("2026-12-01T00:00:00Z", 0),
        ("yesterday", None),
        (None, None),
    ],
)
def test_age_is_counted_from_a_moment(text: str | None, expected: int | None) -> None:
    """A time without a zone is UTC, and the service's clock may be ahead."""
    report = sorted_out([replica("x", created_at=text)], [])

    assert [expected] == [seen.age_s for seen in report.replicas]


# -- text ---------------------------------------------------------------------------------------


def look(**changes: Any) -> ReplicaLook:
    """Return a replica of which little is known."""
    names = ("name", "status", "vault_name", "resource_name", "resource_type", "size_gb")
    unknown = dict.fromkeys((*names, "created_at", "age_s", "owner", "vault_id"))
    place = {"region": "cn-east-3", "project_id": "east"}
    return ReplicaLook(**{**unknown, **place, "group": "unmarked", "id": "x", **changes})


@pytest.mark.parametrize(
    ("age_s", "expected"),
    [(None, "-"), (5, "new"), (60, "1 minute"), (7300, "2 hours"), (200_000, "2 days")],
)
def test_ages_are_in_their_largest_unit(age_s: int | None, expected: str) -> None:
    """What is not known is a dash."""
    report = Report("prod", "p/prod", is_marking=True)
    report.destinations = [RegionLook("cn-east-3", "east")]
    report.replicas = [look(age_s=age_s)]

    assert expected in as_text(report)


def test_each_other_stack_has_a_list() -> None:
    """The lists have the order of the stacks' names."""
    report = Report("prod", "p/prod", is_marking=True)
    report.destinations = [RegionLook("cn-east-3", "east")]
    owners = ("z/dev", "a/dev", "z/dev")
    report.replicas = [look(group="other_stack", owner=owner) for owner in owners]

    lists = [line for line in as_text(report).splitlines() if line.startswith("Of the stack")]

    assert ["Of the stack a/dev: 1 replica", "Of the stack z/dev: 2 replicas"] == lists


def test_marks_that_are_off_and_pending_operations_are_told() -> None:
    """Both may explain what is listed."""
    report = Report("prod", "p/prod", is_marking=False, pending_count=2)
    report.destinations = [RegionLook("cn-east-3", "east")]

    text = as_text(report)

    assert text.startswith("Stack prod marks no new replicas (huaweicloud:markReplicas)")
    assert "2 operations pending in the state" in text
    assert "No orphans." == text.splitlines()[-1]


def test_names_control_no_terminal_and_hide_no_secret() -> None:
    """Anybody can write a name in CBR."""
    remember_secret("hunter2-of-owners")
    report = Report("prod", "p/prod", is_marking=True)
    report.destinations = [RegionLook("cn-east-3", "east")]
    report.replicas = [look(resource_name="\x1b[2J", name="hunter2-of-owners", vault_name="\r")]

    printed = as_text(report) + json.dumps(report.to_json())

    assert "\x1b" not in printed
    assert "hunter2" not in printed
