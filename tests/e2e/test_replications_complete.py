"""`up` that waits for all copies: with the real CLI, on our host and on the SDK's plugin."""

from __future__ import annotations

import re
import signal
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    BY_NIGHT,
    STACK,
    MakeProject,
    Project,
    on_host,
    on_plugin,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, TYPE, WAITED_FOR
from tests.e2e.terminal import lines_in_terminal

WAIT = "replications-complete"
WAITING = {"cbr-replication:wait": "true"}


@pytest.fixture
def waiting(
    make_stacks_project: MakeProject, backup_ids: dict[str, str], vault_ids: dict[str, str]
) -> Project:
    """A stack with three replications, and a wait for them."""
    destinations = [{"region": "cn-east-3", "vault_id": vault_ids["dr-replicas"]}]
    names = {"erp": "autobk_7c1e", "web": "autobk_8d2f", "mail": "autobk_9e30"}
    entries = [
        {"name": name, "backup_id": backup_ids[backup], "destinations": destinations}
        for name, backup in names.items()
    ]
    return make_stacks_project(entries, **WAITING)


def records_of(control: Control) -> dict[str, str]:
    """Return the replica ids of copies that succeeded, by record id."""
    return {
        row["id"]: row["destination_backup_id"]
        for row in control.records()
        if row["status"] == "success"
    }


def no_output_changes(project: Project) -> bool:
    """Whether a preview shows no difference of the stack's outputs."""
    return "outputs:" not in project.preview("--diff").stdout


@pytest.mark.full
def test_wait_basic(waiting: Project, control: Control) -> None:
    """`up` returns with all replicas present and their ids known; then nothing differs."""
    assert not no_output_changes(waiting)
    waiting.up()

    assert 3 == len(records_of(control))
    complete = waiting.resources()[WAIT]
    assert records_of(control) == complete["outputs"]["replicas"]
    assert 1 == len(complete["inputs"]["replications"])
    copies = {row["urn"] for row in waiting.state().values()}
    assert copies == set(complete["dependencies"])
    assert {"__provider": [], "replications": [], "known_replicas": []}.items() >= complete[
        "propertyDependencies"
    ].items()
    lists = {f"cbr-replication:{name}" for name in ("replications", "sets", "vaults")}
    assert lists.isdisjoint(waiting.resources()["default"]["inputs"])
    shown = waiting.must("stack", "output", "--json").json()
    rows = shown["replications"]
    assert records_of(control) == {
        row["replication_record_id"]: row["destination_backup_id"] for row in rows.values()
    }
    assert {"success"} == {row["status"] for row in rows.values()}
    backups = {row["id"]: row for row in control.state()["backups"]}
    for row in rows.values():
        backup = backups[row["source_backup_id"]]
        assert {
            "resource_name": backup["resource_name"],
            "backup_created_at": backup["created_at"],
            "size_gb": backup["resource_size"],
        }.items() <= row.items()
        assert row["destination_checkpoint_id"]

    # The outputs are the wait's. So they differ neither now, nor once the state knows as much.
    assert no_output_changes(waiting)
    waiting.up("--expect-no-changes")
    waiting.refresh()
    assert no_output_changes(waiting)
    control.clear_journal()
    waiting.up("--expect-no-changes")
    assert shown == waiting.must("stack", "output", "--json").json()
    assert [] == control.journal(operation="ListBackups")

    # Another limit changes only the state.
    waiting.configure({"cbr-replication:timeout": "2h"})
    waiting.up()
    assert "2h" == waiting.resources()[WAIT]["outputs"]["timeout"]
    assert [] == control.journal(operation="ListBackups")
    waiting.destroy()
    assert {} == waiting.resources()


@pytest.mark.parametrize("plugin", BY_NIGHT)
def test_wait_failed_copy_is_reported_and_copied_again(
    make_program: MakeProject, control: Control, plugin: str
) -> None:
    """A failed copy fails `up` with a message; the next `up` copies again and waits."""
    project = on_plugin(plugin, make_program, WAITED_FOR)
    control.change_backup(BACKUP, copy={"mode": "seconds", "seconds": 0, "outcome": "fail"})

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "waiting for a replication: 1 failed, 0 done; run pulumi up again" in outcome.text
    assert (
        f"erp-db-01 ({BACKUP}) to region 'cn-east-3': failed: BackupService.6129: "
        "destination vault full"
    ) in outcome.text
    assert "Traceback" not in outcome.text
    assert ["erp"] == [
        name
        for name, resource in project.resources().items()
        if not resource["type"].startswith("pulumi:")
    ]

    control.change_backup(BACKUP, copy={"mode": "seconds", "seconds": 0})
    project.up()

    (replica_id,) = records_of(control).values()
    assert [replica_id] == list(
        project.must("stack", "output", "--json").json()["replicas"].values()
    )
    assert 2 == len(control.journal(operation="CopyBackup"))
    project.up("--expect-no-changes")


def test_wait_interrupted_and_timed_out_continues(waiting: Project, control: Control) -> None:
    """Ctrl-C and a limit end the wait with all copies in the state; the next `up` continues."""
    control.change_backup(BACKUP, copy={"mode": "never"})
    looks = len(control.journal(operation="ShowBackup"))
    running = start(waiting, "up")
    wait_until(lambda: len(control.records()) == 3)
    wait_until(lambda: len(control.journal(operation="ShowBackup")) > looks + 6)
    running.send_signal(signal.SIGINT)

    assert 0 != running.wait(120)
    assert 3 == len(waiting.state())
    assert WAIT not in waiting.resources()

    waiting.configure({"cbr-replication:timeout": "1s"})
    outcome = waiting.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "waiting for 3 replications: 1 still running after 1 s, 2 of 3 done" in outcome.text
    assert f"the slowest: erp-db-01 ({BACKUP})" in outcome.text
    assert "run pulumi up again to go on waiting" in outcome.text

    (record,) = (row for row in control.records() if row["source_backup_id"] == BACKUP)
    control.change_record(record["id"], copy={"mode": "immediate"})
    waiting.configure({"cbr-replication:timeout": "1h"})
    waiting.up()
    assert records_of(control) == waiting.resources()[WAIT]["outputs"]["replicas"]
    assert 3 == len(control.journal(operation="CopyBackup"))


@pytest.mark.full
def test_wait_of_another_member(
    waiting: Project, control: Control, erp: dict[str, Any], backup_ids: dict[str, str]
) -> None:
    """A new replication is an update that waits only for it, and the preview says so."""
    waiting.configure({"cbr-replication:replications": [erp]})
    waiting.up()
    known = waiting.resources()[WAIT]["outputs"]["replicas"]
    second = {**erp, "name": "web", "backup_id": backup_ids["autobk_8d2f"]}
    waiting.configure({"cbr-replication:replications": [erp, second]})

    steps = waiting.must("preview", "--json").json()["steps"]
    ops = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in steps}
    waiting.up()

    assert ("update", "create") == (ops[WAIT], ops["web-to-cn-east-3"])
    replicas = waiting.resources()[WAIT]["outputs"]["replicas"]
    assert records_of(control) == replicas
    assert known.items() <= replicas.items()


@pytest.mark.full
def test_wait_is_not_changed_by_a_rename(waiting: Project, erp: dict[str, Any]) -> None:
    """A renamed replication is the same copy: the wait neither looks changed nor is updated."""
    waiting.configure({"cbr-replication:replications": [erp]})
    waiting.up()
    erp["destinations"][0]["replica_name"] = "erp-dr"
    waiting.configure({"cbr-replication:replications": [erp]})

    steps = waiting.must("preview", "--json").json()["steps"]
    done = waiting.up()

    ops = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in steps}
    assert "update" == ops["erp-to-cn-east-3"]
    assert "same" == ops.get(WAIT, "same")
    assert "1 updated" in done.text


def test_wait_cannot_be_imported(waiting: Project) -> None:
    """Import is refused in one line that says what to do."""
    kind = TYPE.replace("BackupReplication", "ReplicationsComplete")
    options = ("--yes", "--generate-code=false", "--protect=false")

    outcome = waiting.run("import", *options, kind, "complete", "some-id")

    assert 0 != outcome.code
    assert "importing 'some-id': a wait for replications has nothing" in outcome.text
    assert "Traceback" not in outcome.text


COLUMNS = 120
"""The names of the types take 61 columns; at 100 the engine has none left for messages."""


@pytest.mark.full
def test_progress_has_its_numbers_first_and_leaves_nothing_behind(
    make_program: MakeProject, control: Control
) -> None:
    """Cut at the terminal's edge, the row still counts. After the wait it is empty.

    The same holds for a log, in which each change of the row is a line.
    """
    project = on_host(make_program(WAITED_FOR))
    command = ["pulumi", "up", "--yes", "--skip-preview", "--stack", STACK]
    code, lines = lines_in_terminal(command, project.directory, project.env, COLUMNS)
    project.destroy()
    logged = project.up().stdout.splitlines()

    assert 0 == code
    assert all(len(line) <= COLUMNS for line in lines if ":ReplicationsComplete" in line)
    assert 2 == len(control.journal(operation="CopyBackup"))
    for rows in (lines, logged):
        wait = [line for line in rows if ":ReplicationsComplete" in line]
        assert any(re.search(r" creating \(\S+\)\S* +0 of 1 done", line) for line in wait)
        assert re.search(r" created \(\S+\)$", wait[-1].rstrip())
        assert not any(" created (" in line and " done" in line for line in wait)
