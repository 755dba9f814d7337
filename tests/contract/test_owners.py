"""`owners` against the simulator: whose each replica is, and what can be done about orphans."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_huaweicloud_cbr import BackupReplicationProvider, ConfigurationError
from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS
from pulumi_huaweicloud_cbr.commands.account.owners import command as owners
from pulumi_huaweicloud_cbr.commands.account.owners.command import look_at_stack
from pulumi_huaweicloud_cbr.commands.account.owners.text import as_text
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from simulator.testing import InProcessSimulator
from tests.contract.doctor import NORTH_PROJECT
from tests.contract.owning import (
    EAST,
    EAST_PROJECT,
    FILES,
    FILES_VAULT,
    MANUAL,
    OTHERS,
    OURS,
    SOUTH_VAULT,
    TEXT,
    WEB_1,
    WEB_2,
    Estate,
    groups_of,
    make_all_groups,
    make_estate,
    only,
    shown,
)
from tests.contract.rig import BACKUP, LONG_S, PASSWORD, SECOND_VAULT, VAULT, WRITES, SimulatedClock

pytestmark = pytest.mark.simulator_only

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "find-orphans.md"
SINGLE = {"backup_id": BACKUP, **EAST}
DENIED = {"error_code": "APIGW.0302", "error_msg": "The IAM user is not authorized."}


@pytest.fixture
def estate(simulator: InProcessSimulator) -> Iterator[Estate]:
    """A stack without resources."""
    estate = make_estate(simulator)
    yield estate
    estate.engine.session.close()


def deny(estate: Estate, region: str) -> None:
    """Refuse to list backups in a region."""
    estate.control.fault(
        operation="ListBackups", region=region, action="respond", status=403, body=DENIED, times=99
    )


def have(estate: Estate, **resources: tuple[str, dict[str, Any]]) -> None:
    """Declare resources, let their copies end, and refresh the state."""
    estate.engine.up(resources)
    estate.control.advance(LONG_S)
    estate.engine.refresh()


# -- the groups ---------------------------------------------------------------------------------


def test_each_replica_is_in_its_group(estate: Estate) -> None:
    """In the state, orphan, another stack's, without a mark; vaults of others are only counted."""
    made = make_all_groups(estate)

    report = estate.look()

    assert {
        made["held"]: "in_state",
        made["orphan"]: "orphan",
        made["orphan without source"]: "orphan",
        made["other"]: "other_stack",
        made["unmarked"]: "unmarked",
    } == groups_of(report)
    assert ["nightly: web"] == [row.title for row in report.rows_without_replica]
    assert ["gone"] == [row.reason for row in report.rows_without_replica]
    assert [(4, 1), (2, 0)] == [
        (at.replica_count, at.elsewhere_count) for at in report.destinations
    ]
    assert "team-b/prod" == only(report, "other_stack").owner
    assert not report.is_clean
    assert report.is_complete


def test_text_is_printed_word_for_word(estate: Estate) -> None:
    """All groups are printed in these words; only the argument of an import may be long."""
    make_all_groups(estate)

    text = shown(estate, estate.look())

    assert TEXT.read_text() == text
    assert [] == [line for line in text.splitlines() if len(line) > COLUMNS]


def test_nothing_is_changed_and_no_secret_is_shown(estate: Estate) -> None:
    """The only POST requests are sign-ins."""
    make_all_groups(estate)

    report = estate.look()

    assert PASSWORD not in as_text(report) + json.dumps(report.to_json())
    writes = {row["operation"] for row in estate.control.journal() if row["method"] in WRITES}
    assert {"CreateToken"} == writes


@pytest.mark.parametrize("form", ["single", "set", "vault"])
def test_replicas_of_each_form_are_in_the_state(estate: Estate, form: str) -> None:
    """Each replica is shown with its resource, and with the label of its member."""
    what: dict[str, dict[str, Any]] = {
        "single": {"backup_id": BACKUP},
        "set": {"backups": {"erp": BACKUP}},
        "vault": {"vault_id": "de587d5d-f63e-4ea1-a892-5935070352ba"},
    }
    have(estate, dr=(form, {**what[form], **EAST}))

    report = estate.look()

    assert report.is_clean
    assert {"in_state"} == set(groups_of(report).values())
    titles = {holder.title for one in report.replicas for holder in one.held_by}
    assert {"single": 1, "set": 1, "vault": 4}[form] == len(titles)
    assert {"single": "dr", "set": "dr: erp"}.get(form) in (*titles, None)
    assert ["cn-east-3"] == estate.lists()


def test_replica_of_two_resources_names_both(estate: Estate) -> None:
    """An older version let two resources have one replica."""
    have(estate, one=("single", SINGLE))
    (row,) = estate.deployment()["resources"]
    other = {**row, "urn": row["urn"].replace("::one", "::two")}

    report = estate.look(deployment={"resources": [row, other]})

    assert ["one", "two"] == [holder.title for holder in only(report, "in_state").held_by]


def test_leaving_member_still_has_its_replica(estate: Estate) -> None:
    """Its row says that another `up` settles it."""
    have(estate, dr=("set", {"backups": {"erp": BACKUP}, **EAST}))
    estate.engine.state[0].outputs["members"]["erp"]["leaving"] = True

    text = as_text(estate.look())

    assert "dr: erp (leaving)" in text
    assert "No orphans." == text.splitlines()[-1]


@pytest.mark.parametrize(("recorded", "is_left_alone"), [(None, True), ("team-b/prod", False)])
def test_replica_of_the_state_with_another_mark(
    estate: Estate, recorded: str | None, is_left_alone: bool
) -> None:
    """Pulumi will not delete it, unless the state recorded that mark."""
    replica_id = estate.copy(BACKUP, OTHERS)
    have(estate, erp=("single", {**SINGLE, "adopt": "any"}))
    row = estate.deployment()["resources"][0]
    row["outputs"] = {**row["outputs"], "owner": recorded}

    report = estate.look(deployment={"resources": [row]})

    assert replica_id == only(report, "in_state").id
    assert is_left_alone == only(report, "in_state").is_left_alone
    assert is_left_alone == ("so Pulumi leaves it in the cloud" in as_text(report))


# -- rows without a known replica ---------------------------------------------------------------


@pytest.mark.parametrize("is_marked", [True, False])
@pytest.mark.parametrize("shows_ids", [True, False])
def test_replica_of_a_running_copy_is_no_orphan(
    estate: Estate, *, is_marked: bool, shows_ids: bool
) -> None:
    """After `up` the state does not know the replica, and CBR may not name it either."""
    estate.simulator.world.options.destination_ids = "early" if shows_ids else "late"
    replica_id = estate.copy(BACKUP, OURS if is_marked else None, wait=False)
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.engine.state[0].outputs.pop("destination_backup_id", None)
    estate.engine.state[0].outputs.pop("destination_checkpoint_id", None)

    report = estate.look()

    assert {replica_id: "in_state" if shows_ids else "unclear"} == groups_of(report)
    assert report.is_clean
    if not shows_ids:
        assert ("erp",) == only(report, "unclear").may_be_of
        assert ["running"] == [row.reason for row in report.rows_without_replica]
        assert "No orphans; 1 replica not clear." == as_text(report).splitlines()[-1]


def test_replica_that_only_the_record_names_is_in_the_state(estate: Estate) -> None:
    """No `refresh` ran after the copy ended; the source's records tell the replica."""
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)

    report = estate.look()

    assert ["in_state"] == list(groups_of(report).values())
    assert ["cn-east-3", "cn-north-4"] == estate.lists()


def test_replica_that_only_the_log_names_is_in_the_state(estate: Estate) -> None:
    """No `refresh` ran, and the source is gone: the operation log tells the replica.

    The log is listed once for each type of copies, however many rows there are.
    """
    estate.copy(BACKUP, OURS, wait=False)
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)
    estate.control.forget_backup(BACKUP)

    report = estate.look()

    assert ["in_state"] == list(groups_of(report).values())
    assert 2 == len(estate.control.journal(operation="ListOpLogs"))


def test_replica_that_nothing_names_may_be_that_of_a_row(estate: Estate) -> None:
    """Neither records nor log name it: it is not offered for deletion."""
    replica_id = estate.copy(BACKUP, OURS, wait=False)
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)
    estate.control.forget_backup(BACKUP)
    nothing: dict[str, Any] = {"operation_logs": [], "count": 0}
    estate.control.fault(operation="ListOpLogs", action="respond", status=200, body=nothing)

    report = estate.look()

    assert {replica_id: "unclear"} == groups_of(report)
    assert ["unnamed"] == [row.reason for row in report.rows_without_replica]


def test_row_without_a_replica_says_why(estate: Estate) -> None:
    """The copy failed, or the replica is being deleted."""
    estate.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    estate.engine.up({"dr": ("set", {"backups": {"erp": BACKUP, "web": WEB_1}, **EAST})})
    estate.control.advance(LONG_S)
    (replica,) = (row for row in estate.control.replicas() if row["region"] == "cn-east-3")
    estate.control.change_backup(replica["id"], status="deleting")

    report = estate.look()

    reasons = {row.title: row.reason for row in report.rows_without_replica}
    assert {"dr: erp": "deleting", "dr: web": "failed"} == reasons
    assert [] == report.replicas
    assert "pulumi refresh drops" not in as_text(report)


# -- orphans ------------------------------------------------------------------------------------


def test_orphan_is_imported_by_its_id(estate: Estate) -> None:
    """The id names the source's region, the backup and the record, and an import reads it."""
    replica_id = estate.copy(WEB_2, OURS)
    estate.configured["program:to"] = json.dumps([EAST])

    orphan = only(estate.look(), "orphan")

    (record,) = estate.control.records()
    assert f"cn-north-4/{WEB_2}/{record['id']}" == orphan.import_id
    assert "web-02" == orphan.import_name
    provider = BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(estate.configured, "p")))
    imported = provider.import_state(orphan.import_id or "")
    assert imported.outs is not None
    assert replica_id == imported.outs["destination_backup_id"]


@pytest.mark.parametrize(
    ("maker", "recorded"),
    [(OURS, {"owner": "p/test"}), (OTHERS, {"seen_owner": "team-b/prod"}), (None, {})],
    ids=["this stack", "another stack", "nobody"],
)
def test_import_records_the_owner(
    estate: Estate,
    capsys: pytest.CaptureFixture[str],
    maker: str | None,
    recorded: dict[str, str],
) -> None:
    """A mark of this stack is recorded; another's is told, and a later diff refuses the replica."""
    estate.copy(WEB_2, maker)
    (record,) = estate.control.records()
    provider = BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(estate.configured, "p")))

    with serving(Call(urn="urn:pulumi:test::p::t::erp")):
        imported = provider.import_state(f"cn-north-4/{WEB_2}/{record['id']}")

    assert imported.outs is not None
    assert recorded == {
        field: value for field, value in imported.outs.items() if field in {"owner", "seen_owner"}
    }
    assert ("team-b/prod" in capsys.readouterr().err) is (maker == OTHERS)


def test_orphan_whose_record_is_gone_cannot_be_imported(estate: Estate) -> None:
    """Then only keeping it, or its deletion in the console, is left."""
    estate.copy(WEB_2, OURS)
    (record,) = estate.control.records()
    estate.control.forget_record(record["id"])

    report = estate.look("cn-east-3")

    assert (None, None) == (only(report, "orphan").origin, only(report, "orphan").import_id)
    text = as_text(report)
    assert "no backup in cn-north-4 names this replica any more" in " ".join(text.split())
    assert "import-file" not in text


def test_orphans_of_one_server_get_different_names(estate: Estate) -> None:
    """A proposed name is that of no resource in the state, and of no other orphan."""
    have(estate, **{"erp-db-01": ("single", {**SINGLE, "backup_id": WEB_1})})
    estate.copy(BACKUP, OURS)
    estate.copy(MANUAL, OURS, vault_id=SECOND_VAULT)

    names = {one.import_name for one in estate.look().of("orphan")}

    assert {"erp-db-01-2", "erp-db-01-3"} == names


def test_orphan_from_another_project_is_declared_instead(estate: Estate) -> None:
    """An id to import cannot name a project: `create` adopts the copy."""
    estate.copy(WEB_2, OURS)
    estate.configured["huaweicloud:projectId"] = "0123456789abcdef0123456789abcdef"
    source = {"source_region": "cn-north-4", "source_project_id": NORTH_PROJECT}
    estate.configured["program:from"] = json.dumps({**source, **EAST})
    answer = {"backups": [], "count": 0}
    estate.control.fault(
        operation="ListBackups", path="/0123456789", action="respond", status=200, body=answer
    )

    report = estate.look()

    assert NORTH_PROJECT == getattr(only(report, "orphan").origin, "project_id", None)
    assert only(report, "orphan").import_id is None
    assert "with source_project_id, and pulumi up takes it over" in " ".join(
        as_text(report).split()
    )


def test_mark_of_the_setting_decides(estate: Estate) -> None:
    """`HW_OWNER` says whose marks are looked for, as after a renamed stack."""
    replica_id = estate.copy(WEB_2, "[pulumi p/old]")

    before = estate.look("cn-east-3")
    estate.environ["HW_OWNER"] = "p/old"
    after = estate.look("cn-east-3")

    assert {replica_id: "other_stack"} == groups_of(before)
    assert {replica_id: "orphan"} == groups_of(after)


# -- where is looked ----------------------------------------------------------------------------


def test_empty_state_leaves_the_configuration(estate: Estate) -> None:
    """After `destroy`, the destinations are those of the configuration, also in its lists."""
    replica_id = estate.copy(WEB_2, OURS)
    entry = {"name": "erp", "destinations": [{"region": "cn-east-3", "vault_id": VAULT}]}
    estate.configured["cbr-replication:sets"] = json.dumps([entry])
    estate.configured["cbr-replication:timeout"] = "4h"
    estate.configured["program:broken"] = "[{"

    report = estate.look(deployment={})

    assert {replica_id: "orphan"} == groups_of(report)
    assert [(VAULT,)] == [at.vault_ids for at in report.destinations]


def test_named_region_has_all_vaults(estate: Estate) -> None:
    """With `--destination` nothing is left out, whatever else names vaults there."""
    have(estate, erp=("single", SINGLE))
    estate.configured["program:to"] = json.dumps([EAST])
    replica_id = estate.copy(FILES, vault_id=FILES_VAULT)

    report = estate.look(f"cn-east-3/{EAST_PROJECT}", "cn-south-1")

    assert "unmarked" == groups_of(report)[replica_id]
    assert ["cn-east-3", "cn-south-1"] == [at.region for at in report.destinations]
    assert ["cn-east-3", "cn-south-1"] == estate.lists()


def test_source_region_may_be_that_of_the_rows_alone(estate: Estate) -> None:
    """`huaweicloud:region` need not be set if each resource names its source."""
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)
    del estate.configured["huaweicloud:region"]

    report = estate.look()

    assert ["in_state"] == list(groups_of(report).values())
    assert ["cn-north-4"] == [at.region for at in report.sources]


def test_source_and_log_that_cannot_be_read_are_asked_once(estate: Estate) -> None:
    """A refused list of backups is reason enough to leave the log alone."""
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)
    deny(estate, "cn-north-4")

    report = estate.look()

    assert [] == estate.control.journal(operation="ListOpLogs")
    assert ["unnamed"] == [row.reason for row in report.rows_without_replica]


def test_stack_without_destinations_is_an_error(estate: Estate) -> None:
    """There is nothing to look at, and the option is named."""
    with pytest.raises(ConfigurationError, match="--destination REGION"):
        estate.look()


def test_backup_that_is_no_replica_is_left_out(estate: Estate) -> None:
    """A service may ignore the filter of a list."""
    plain = {"id": WEB_1, "image_type": "backup", "description": OURS, "vault_id": VAULT}
    answer = {"backups": [plain], "count": 1}
    estate.control.fault(
        operation="ListBackups", region="cn-east-3", action="respond", status=200, body=answer
    )

    assert [] == estate.look("cn-east-3").replicas


# -- what could not be seen ---------------------------------------------------------------------


def test_region_that_cannot_be_listed_stops_no_other(estate: Estate) -> None:
    """Its rows are not called gone, and the result is not clean."""
    have(
        estate,
        east=("single", SINGLE),
        south=(
            "single",
            {**SINGLE, "destination_region": "cn-south-1", "destination_vault_id": SOUTH_VAULT},
        ),
    )
    deny(estate, "cn-east-3")

    report = estate.look()

    assert ["in_state"] == list(groups_of(report).values())
    assert [("east", "unseen")] == [(row.title, row.reason) for row in report.rows_without_replica]
    assert (False, False) == (report.is_clean, report.is_complete)
    text = as_text(report)
    assert "not looked at: listing backups in region 'cn-east-3'" in " ".join(text.split())
    assert "In the state, not looked at: 1 row\n" in text
    assert "In the state, without a replica" not in text


def test_rows_that_were_not_looked_at_are_apart_from_those_without_a_replica(
    estate: Estate,
) -> None:
    """Of the one kind the replica is known to be missing, of the other it is not."""
    south = {"destination_region": "cn-south-1", "destination_vault_id": SOUTH_VAULT}
    have(estate, east=("single", SINGLE), south=("single", {**SINGLE, **south}))
    (gone,) = (one.id for one in estate.look().of("in_state") if one.region == "cn-south-1")
    estate.control.forget_backup(gone)
    deny(estate, "cn-east-3")

    sections = as_text(estate.look()).split("\n\n")

    (without,) = (one for one in sections if one.startswith("In the state, without a replica"))
    (unseen,) = (one for one in sections if one.startswith("In the state, not looked at"))
    assert ["south"] == re.findall("(?:east|south)$", without, re.MULTILINE)
    assert ["east"] == re.findall("(?:east|south)$", unseen, re.MULTILINE)
    assert f"{BACKUP}  cn-east-3" in unseen


def test_long_labels_are_shown_whole(estate: Estate) -> None:
    """Labels of rolling sets differ at their ends, so a cut would make two of them look alike."""
    label = "a-database-server-with-a-long-name@2026-11-2"
    labels = {f"{label}{day}T02:00:11": backup for day, backup in enumerate((BACKUP, WEB_1))}
    have(estate, nightly=("set", {"backups": labels, **EAST}))
    (gone, _) = (one.id for one in estate.look().of("in_state"))
    estate.control.forget_backup(gone)

    lines = as_text(estate.look()).splitlines()

    ends = [f"nightly: {one}" for one in labels]
    assert ends == [end for end in ends if any(line.endswith(end) for line in lines)]


def test_source_that_cannot_be_listed_makes_no_orphan(estate: Estate) -> None:
    """A resource may have the replica: it is not offered for deletion."""
    replica_id = estate.copy(WEB_2, OURS)
    deny(estate, "cn-north-4")

    report = estate.look("cn-east-3")

    assert {replica_id: "unclear"} == groups_of(report)
    assert not report.is_complete
    assert "Not everything could be looked at; see above." in as_text(report)


def test_log_that_cannot_be_read_makes_no_orphan(estate: Estate) -> None:
    """It might have named the replica of a row. The row cannot have this one by its vault."""
    estate.copy(MANUAL, OURS, vault_id=SECOND_VAULT)
    estate.engine.up({"erp": ("single", SINGLE)})
    estate.control.advance(LONG_S)
    for backup_id in (BACKUP, MANUAL):
        estate.control.forget_backup(backup_id)
    estate.control.fault(
        operation="ListOpLogs", action="respond", status=403, body=DENIED, times=99
    )

    report = estate.look()

    assert [] == report.of("orphan")
    assert not report.is_complete
    assert "source, not looked at: listing tasks in region" in " ".join(as_text(report).split())


def test_source_whose_project_cannot_be_found_makes_no_orphan(estate: Estate) -> None:
    """IAM has no project of that name, and its backups may name the replica."""
    replica_id = estate.copy(WEB_2, OURS)
    (record,) = estate.control.records()
    estate.control.forget_record(record["id"])
    estate.configured["program:from"] = json.dumps({"source_region": "xx-nowhere-1"})

    report = estate.look("cn-east-3")

    assert {replica_id: "unclear"} == groups_of(report)


def test_row_that_cannot_be_read_makes_no_orphan(estate: Estate) -> None:
    """The resource is named, and marked replicas may be its own."""
    have(estate, erp=("single", SINGLE))
    replica_id = estate.copy(WEB_2, OURS)
    deployment = estate.deployment()
    del deployment["resources"][0]["outputs"]["source_region"]

    report = estate.look("cn-east-3", deployment=deployment)

    assert "unclear" == groups_of(report)[replica_id]
    assert "::erp cannot be read" in " ".join(as_text(report).split())
    assert (deployment["resources"][0]["urn"],) == report.unreadable
    assert not report.is_complete


def test_vaults_that_cannot_be_listed_are_shown_by_id(estate: Estate) -> None:
    """Names are a comfort, and their permission is not required."""
    have(estate, erp=("single", SINGLE))
    estate.control.fault(operation="ListVault", action="respond", status=403, body=DENIED, times=99)

    report = estate.look()

    assert report.is_clean
    assert (VAULT, None) == (
        only(report, "in_state").vault_id,
        only(report, "in_state").vault_name,
    )


def test_project_that_cannot_be_found_is_told(estate: Estate) -> None:
    """IAM has no project of that name."""
    report = estate.look("xx-nowhere-1", "cn-east-3")

    assert [True, False] == [at.unseen_because is not None for at in report.destinations]
    assert not report.is_clean


# -- as a command -------------------------------------------------------------------------------


@pytest.fixture
def command(estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Estate:
    """A stack whose CLI is a program that prints what files hold."""
    (tmp_path / "config").write_text(
        json.dumps({key: {"value": value} for key, value in estate.configured.items()})
    )
    (tmp_path / "stack").write_text(json.dumps({"deployment": None}))
    cli = tmp_path / "pulumi"
    cli.write_text(f'#!/bin/sh\ncat "{tmp_path}/$2"\n')
    cli.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HW_OWNER", "p/test")
    monkeypatch.setenv("HW_INSECURE", "true")
    clock, transport = SimulatedClock(estate.simulator), estate.simulator.transport()
    look = partial(look_at_stack, clock=clock, transport=transport)
    monkeypatch.setattr(owners, "look_at_stack", look)
    return estate


@pytest.mark.parametrize(("is_marked", "code"), [(False, 0), (True, 1)])
def test_exit_code_tells_whether_there_are_orphans(
    command: Estate, capsys: pytest.CaptureFixture[str], *, is_marked: bool, code: int
) -> None:
    """Results go to standard output, warnings do not."""
    command.copy(WEB_2, OURS if is_marked else None)
    arguments = ["owners", "--stack", "test", "--destination", "cn-east-3"]

    assert code == main(arguments)
    lines = capsys.readouterr()
    assert code == main([*arguments, "--json"])
    document = json.loads(capsys.readouterr().out)

    assert ("1 orphan." if is_marked else "No orphans.") == lines.out.splitlines()[-1]
    assert "huaweicloud:insecure is true: no certificate is verified\n" == lines.err
    assert (code, not code) == (document["counts"]["orphan"], document["is_clean"])


# -- the document -------------------------------------------------------------------------------


def members_of(value: Any) -> set[str]:
    """Return the names of all members of a document."""
    if isinstance(value, dict):
        return set(value) | {name for part in value.values() for name in members_of(part)}
    if isinstance(value, list):
        return {name for part in value for name in members_of(part)}
    return set()


def test_document_has_its_documented_members(estate: Estate) -> None:
    """The user guide names each member, and the groups and reasons."""
    make_all_groups(estate)

    document = estate.look().to_json()

    section = GUIDE.read_text()
    told = section.partition("**The JSON document**")[2]
    assert 1 == document["format"]
    assert {"in_state": 1, "orphan": 2, "unclear": 0, "other_stack": 1, "unmarked": 1} == document[
        "counts"
    ]
    assert set() == {
        name for name in members_of(document) if not re.search(rf"`{name}(\[\])?`", told)
    }
    for word in ("gone", "deleting", "failed", "running", "unnamed", "unseen"):
        assert f"`{word}`" in told
