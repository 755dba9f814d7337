"""A set of replications with the real CLI: previews, partial failures, crashes."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    BY_NIGHT,
    BY_NIGHT_TOO,
    COMMAND_LIMIT_S,
    STACK,
    MakeProject,
    Project,
    on_host,
    on_plugin,
    plugins_of,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, SECOND_VAULT

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
THREE = {"erp": BACKUP, "web-1": WEB_1, "web-2": WEB_2}
PROGRAM = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
cbr.BackupReplicationSet(
    "dr",
    cbr.BackupReplicationSetArgs(
        backups=json.loads(given.require("backups")),
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
    ),
)
"""

ROLLING = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
days = json.loads(given.require("days"))
former = given.get("former")
cbr.BackupReplicationSet(
    given.get("name") or "nightly",
    cbr.BackupReplicationSetArgs(
        backups={
            f"day-{day}": {"backup_id": backup_id, "created_at": f"2026-11-0{day}T02:00:00"}
            for day, backup_id in days.items()
        },
        keep={"newest": 2, "days": 1, "years": 0, "timezone": "UTC+08:00"},
        destination_region="cn-east-3",
        destination_vault_id=given.get("vault") or "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
    ),
    pulumi.ResourceOptions(aliases=[pulumi.Alias(name=former)] if former else None),
)
"""

SELECTING = """
import pulumi
import pulumi_huaweicloud_cbr as cbr

cbr.BackupReplicationSet(
    "dr",
    cbr.BackupReplicationSetArgs(
        backups=cbr.as_members(cbr.get_backups(resource_name="erp-db-01")),
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
    ),
)
"""


@pytest.fixture(params=BY_NIGHT_TOO)
def project(request: pytest.FixtureRequest, make_program: MakeProject) -> Project:
    """A project with one set, on our host and on the SDK's plugin in both versions."""
    project = on_plugin(request.param, make_program, PROGRAM)
    declare(project, THREE)
    return project


@pytest.fixture
def on_our_host(make_program: MakeProject) -> Project:
    """A project with one set on our host."""
    project = on_host(make_program(PROGRAM))
    declare(project, THREE)
    return project


def declare(project: Project, backups: dict[str, str]) -> None:
    """Change the set's members."""
    project.configure({"program:backups": json.dumps(backups)})


def replica_of(control: Control, backup_id: str) -> str:
    """Return the id of a backup's replica."""
    (record,) = (row for row in control.records() if row["source_backup_id"] == backup_id)
    replica: str = record["destination_backup_id"]
    return replica


def live_copies(control: Control) -> Counter[str]:
    """Count the existing replicas of each backup."""
    present = {row["id"] for row in control.replicas() if row["region"] == "cn-east-3"}
    return Counter(
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    )


@pytest.mark.parametrize("project", BY_NIGHT, indirect=True)
def test_set_full_cycle(project: Project, control: Control) -> None:
    """Create, change, refresh and destroy: nothing is copied twice, nothing is left."""
    project.up()
    project.up("--expect-no-changes")
    control.advance(20_000)
    project.refresh()
    project.up("--expect-no-changes")
    declare(project, {"erp": BACKUP, "web-1": WEB_1, "new": MANUAL})
    project.up()

    assert Counter([BACKUP, WEB_1, MANUAL]) == live_copies(control)
    control.advance(20_000)
    control.forget_backup(replica_of(control, MANUAL))
    project.refresh()
    assert {"erp", "web-1"} == set(project.state()["dr"]["outputs"]["members"])
    project.up()
    assert Counter([BACKUP, WEB_1, MANUAL]) == live_copies(control)
    project.destroy()

    assert Counter() == live_copies(control)


@pytest.mark.full
def test_set_of_an_incomplete_list_deletes_nothing(
    make_program: MakeProject, control: Control
) -> None:
    """While CBR counts more backups than it lists, `up` fails, and every replica stays."""
    project = on_host(make_program(SELECTING))
    project.up()
    rows = [row for row in control.state()["backups"] if row["resource_name"] == "erp-db-01"]
    short = {"backups": rows[:1], "count": len(rows)}
    control.fault(operation="ListBackups", action="respond", status=200, body=short, times=99)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert outcome.code not in (0, None)
    assert "the list lacks rows each time that it is read" in outcome.text
    assert Counter([BACKUP, MANUAL]) == live_copies(control)
    assert [] == control.journal(operation="DeleteBackup")


def test_set_preview_names_added_and_removed_members(project: Project, control: Control) -> None:
    """A reviewer reads the labels of added and removed members."""
    project.up()
    declare(project, {"erp": BACKUP, "web-1": WEB_1, "new": MANUAL})

    text = project.preview("--diff").text

    assert MANUAL in text
    assert "new" in text
    assert "members that enter, to be copied or adopted: 'new'" in text
    assert "unless later resources declare them: 'web-2'" in text
    assert 3 == len(control.journal(operation="CopyBackup"))


def test_set_detailed_diff_has_a_line_for_each_member(on_our_host: Project) -> None:
    """On our host a preview's JSON has exactly the paths of the members that differ."""
    on_our_host.up()
    declare(on_our_host, {"erp": BACKUP, "web-1": WEB_1, "new": MANUAL})

    steps = on_our_host.must("preview", "--json").json()["steps"]

    (detail,) = (step["detailedDiff"] for step in steps if step["op"] == "update")
    assert {"backups.new": "add", 'backups["web-2"]': "delete"} == {
        path: change["kind"] for path, change in detail.items()
    }


def test_set_refused_members_block_no_others(project: Project, control: Control) -> None:
    """The error lists each refused member and its reason; the next `up` retries only those."""
    body = {"error_code": "BackupService.6129", "error_msg": "The maximum capacity is reached."}
    control.fault(operation="CopyBackup", action="respond", status=400, body=body, backup_id=WEB_1)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "1 of 3 failed, the others are done; put right what is listed below" in outcome.text
    assert "'web-1': The maximum capacity is reached; enlarge" in outcome.text
    assert "Traceback" not in outcome.text
    assert Counter([BACKUP, WEB_2]) == live_copies(control)
    project.up()
    project.up("--expect-no-changes")
    assert Counter(THREE.values()) == live_copies(control)
    assert 4 == len(control.journal(operation="CopyBackup"))


MOVES = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
where = {
    "destination_region": "cn-east-3",
    "destination_vault_id": "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
}
single = []
if given.require("single"):
    args = cbr.BackupReplicationArgs(backup_id=given.require("single"), **where)
    single.append(cbr.BackupReplication("erp", args))
members = json.loads(given.require("backups"))
sets = []
if members:
    args = cbr.BackupReplicationSetArgs(backups=members, **where)
    depends = pulumi.ResourceOptions(depends_on=single)
    sets.append(cbr.BackupReplicationSet("dr", args, depends))
if given.get("wait"):
    args = cbr.ReplicationsCompleteArgs(replications=[*single, *sets])
    cbr.ReplicationsComplete(given.require("wait"), args)
"""


def kept(project: Project, control: Control) -> None:
    """Create a rolling set of two; the program lists only the newer one."""
    project.configure({"program:days": json.dumps({1: BACKUP, 2: WEB_1})})
    project.up()
    control.advance(20_000)
    project.refresh()
    project.configure({"program:days": json.dumps({2: WEB_1})})
    project.up()
    assert {"day-1", "day-2"} == set(project.state()["nightly"]["outputs"]["members"])


@pytest.mark.parametrize("plugin", BY_NIGHT)
def test_set_rolling_lets_the_oldest_go_as_a_target_too(
    make_program: MakeProject, control: Control, plugin: str
) -> None:
    """A new day replaces the oldest one in an update of the set alone."""
    project = on_plugin(plugin, make_program, ROLLING)
    kept(project, control)
    target = f"--target={project.state()['nightly']['urn']}"
    project.configure({"program:days": json.dumps({3: WEB_2})})

    project.must("preview", target)
    assert Counter([BACKUP, WEB_1]) == live_copies(control)
    # The oldest goes when the newest is there.
    for _ in range(2):
        project.up(target)
        control.advance(20_000)

    assert {"day-2", "day-3"} == set(project.state()["nightly"]["outputs"]["members"])
    assert Counter([WEB_1, WEB_2]) == live_copies(control)
    project.up("--expect-no-changes", target)


@pytest.mark.parametrize("plugin", BY_NIGHT)
def test_set_rolling_moves_with_all_that_it_keeps(
    make_program: MakeProject, control: Control, plugin: str
) -> None:
    """The engine checks the successor as a new set; kept members move with it."""
    project = on_plugin(plugin, make_program, ROLLING)
    kept(project, control)
    project.configure({"program:vault": SECOND_VAULT})

    project.up()

    assert {"day-1", "day-2"} == set(project.state()["nightly"]["outputs"]["members"])
    assert Counter([BACKUP, WEB_1]) == live_copies(control)
    assert {SECOND_VAULT} == {
        row["vault_id"] for row in control.replicas() if row["region"] == "cn-east-3"
    }
    project.up("--expect-no-changes")


@pytest.mark.full
def test_set_rolling_of_another_name_loses_nothing(
    make_program: MakeProject, control: Control
) -> None:
    """With an alias, or renamed in the state, it keeps all.

    Created again it lists only some, so the old one is not deleted, nor dropped from the state.
    """
    project = on_host(make_program(ROLLING))
    kept(project, control)
    project.configure({"program:name": "rolling", "program:former": "nightly"})
    project.up()
    assert {"day-1", "day-2"} == set(project.state()["rolling"]["outputs"]["members"])

    urn = project.state()["rolling"]["urn"]
    project.must("state", "rename", urn, "third", "--yes")
    project.configure({"program:name": "third", "program:former": ""})
    project.up("--expect-no-changes")

    project.configure({"program:name": "other"})
    refused = project.run("up", "--yes", "--skip-preview")

    assert 0 != refused.code
    assert "knows only what is listed: 'day-1'" in refused.text
    assert {"day-2"} == set(project.state()["other"]["outputs"]["members"])
    assert {"day-1", "day-2"} == set(project.state()["third"]["outputs"]["members"])
    assert Counter([BACKUP, WEB_1]) == live_copies(control)
    project.configure({"program:days": json.dumps({1: BACKUP, 2: WEB_1})})
    project.up()
    assert "third" not in project.state()
    project.configure({"program:days": json.dumps({2: WEB_1})})
    project.up()
    replace = ("--replace", project.state()["other"]["urn"])
    refused = project.run("up", "--yes", "--skip-preview", *replace)
    assert 0 != refused.code
    assert "knows only what is listed: 'day-1'" in refused.text
    assert Counter([BACKUP, WEB_1]) == live_copies(control)
    project.environment["HW_FORCE_DESTROY"] = "true"
    project.up()
    assert Counter([WEB_1]) == live_copies(control)


@pytest.mark.full
def test_set_moves_copy_nothing(make_program: MakeProject, control: Control) -> None:
    """A single replica moves into a set and out again, each in one `up`, without a new copy.

    The set depends on the single resource, so this one has the replica before the set removes it.
    """
    project = on_host(make_program(MOVES))
    for single, backups in (
        (BACKUP, {}),
        ("", {"erp": BACKUP, "web": WEB_1}),
        (BACKUP, {"web": WEB_1}),
    ):
        project.configure({"program:single": single})
        declare(project, backups)
        project.up()
        control.advance(20_000)
        project.refresh()

    project.up("--expect-no-changes")
    assert Counter([BACKUP, WEB_1]) == live_copies(control)
    assert 2 == len(control.journal(operation="CopyBackup"))


@pytest.mark.full
def test_set_is_waited_for(make_program: MakeProject, control: Control) -> None:
    """A wait accepts sets. It knows the replicas in a set's state, even if nothing else does."""
    project = on_host(make_program(MOVES))
    project.configure({"program:single": "", "program:wait": "first"})
    declare(project, {"erp": BACKUP, "web": WEB_1})
    project.up()
    waited = project.resources()["first"]["outputs"]["replicas"]
    project.refresh()
    control.forget_backup(WEB_1)
    project.refresh()
    empty = {"operation_logs": [], "count": 0}
    control.fault(operation="ListOpLogs", action="respond", status=200, body=empty, times=100)
    project.configure({"program:wait": "second"})
    project.up()
    control.drop_faults()

    assert {replica_of(control, BACKUP)} < set(waited.values())
    assert 2 == len(waited)
    assert waited == project.resources()["second"]["outputs"]["replicas"]


@pytest.mark.full
@pytest.mark.parametrize("victim", ["cli", pytest.param("plugin", marks=pytest.mark.full)])
def test_set_killed_in_the_middle(project: Project, control: Control, victim: str) -> None:
    """After a kill halfway, the next `up` submits only the missing members."""
    control.fault(operation="CopyBackup", action="hold_before", backup_id=WEB_2)
    running = start(project, "up")
    wait_until(lambda: control.held() == 1 and len(control.records()) == 2)

    plugins = plugins_of(project)
    if victim == "cli":
        running.kill()
    for process in plugins:
        os.kill(process, signal.SIGKILL)
    running.wait(COMMAND_LIMIT_S)
    if victim == "cli":
        project.must("cancel", "--yes", STACK, on_stack=False)
        project.must("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    project.up()
    control.release()

    project.up("--expect-no-changes")
    assert Counter(THREE.values()) == live_copies(control)
    accepted = [
        entry["backup_id"]
        for entry in control.journal(operation="CopyBackup")
        if entry["status"] == 200
    ]
    assert sorted(THREE.values()) == sorted(accepted)
