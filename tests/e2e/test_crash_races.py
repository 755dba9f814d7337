"""Deaths while something else is running, and signals: nothing is lost or copied twice."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    MakeProject,
    Project,
    new_program,
    on_host,
    plugins_of,
    recover,
    said,
    sdk_python,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, REPLICATION, REPLICATIONS, VAULT


def assert_one_copy(project: Project, control: Control) -> None:
    """CBR made only one replica ever, and the state knows its record."""
    (record,) = control.records()
    assert 1 == len([row for row in control.replicas() if row["region"] == "cn-east-3"])
    assert record["id"] == project.state()["erp"]["id"]
    assert [] == project.deployment().get("pending_operations", [])
    assert [] == project.locks()
    project.up("--expect-no-changes")


def arguments(backup_id: str = BACKUP, **more: Any) -> dict[str, Any]:
    """Return the arguments of a replication of the demo world."""
    return {
        "backup_id": backup_id,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        **more,
    }


def declare(project: Project, replications: dict[str, dict[str, Any]]) -> None:
    """Declare these in the program."""
    project.configure({"program:replications": json.dumps(replications)})


@pytest.mark.full
def test_orphaned_plugin_submits_beside_the_next_up(
    make_program: MakeProject, control: Control
) -> None:
    """The SDK's plugin survives the CLI and submits what it had begun; CBR still has one copy.

    The first submission is in flight while the next `up` looks, finds nothing, submits and ends.
    """
    control.fault(operation="CopyBackup", action="hold_before")
    project = make_program(REPLICATION, sdk_python("3.255.0"))
    running = start(project, "up")
    wait_until(control.held)
    running.kill()
    running.wait()
    (orphan,) = plugins_of(project)

    assert 0 == recover(project).code
    project.up()
    assert orphan in plugins_of(project)
    control.release()
    wait_until(lambda: 2 == len(control.journal(operation="CopyBackup")))

    (late,) = (row for row in control.journal(operation="CopyBackup") if row["fault"])
    assert 400 == late["status"]
    assert_one_copy(project, control)


@pytest.mark.full
def test_orphaned_plugin_submits_while_the_next_up_does(
    make_program: MakeProject, control: Control
) -> None:
    """Both submissions are in flight together: one is accepted, and `up` has that copy."""
    control.fault(operation="CopyBackup", action="hold_before", times=2)
    project = make_program(REPLICATION, sdk_python("3.255.0"))
    running = start(project, "up")
    wait_until(control.held)
    running.kill()
    running.wait()

    assert 0 == recover(project).code
    again = start(project, "up")
    wait_until(lambda: 2 == control.held())
    control.release()

    assert 0 == again.wait(COMMAND_LIMIT_S), said(project)
    assert_one_copy(project, control)


@pytest.mark.full
def test_killed_without_checkpoints(
    make_program: MakeProject, control: Control, backup_ids: dict[str, str]
) -> None:
    """With checkpoints skipped, a killed CLI leaves an empty state; `up` adopts all copies.

    The first two were made; the third was accepted and not answered.
    """
    names = ("autobk_7c1e", "autobk_8d2f", "autobk_9e30")
    project = on_host(make_program(REPLICATIONS, sdk_python("3.272.0")))
    declare(project, {name: arguments(backup_ids[name]) for name in names})
    project.environment["PULUMI_SKIP_CHECKPOINTS"] = "true"
    control.fault(operation="CopyBackup", action="hold_after", backup_id=backup_ids["autobk_9e30"])
    running = start(project, "up")
    wait_until(lambda: control.held() and 3 == len(control.records()))
    running.kill()
    running.wait()
    control.release()
    assert {} == project.state()

    assert 0 == recover(project).code
    project.up()

    made = {row["source_backup_id"]: row["id"] for row in control.records()}
    assert 3 == len(control.records())
    assert made == {backup_ids[name]: project.state()[name]["id"] for name in names}
    project.up("--expect-no-changes")


@pytest.mark.full
def test_killed_destroy(make_program: MakeProject, control: Control) -> None:
    """The CLI is killed during deletions: a second `destroy` deletes the rest."""
    project = on_host(make_program(REPLICATION, sdk_python("3.255.0")))
    project.up()
    control.advance(20_000)
    control.fault(operation="DeleteBackup", action="hold_after")
    running = start(project, "destroy")
    wait_until(control.held)
    running.kill()
    running.wait()
    control.release()

    assert 0 == recover(project).code
    project.destroy()

    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert {} == project.state()
    assert [] == project.locks()


@pytest.mark.parametrize("adopt", [True, False], ids=["adopt", "no-adopt"])
def test_two_machines_declare_the_same(
    tmp_path: Path, simulator: SimulatorProcess, adopt: bool
) -> None:
    """Two `up`s on two backends submit together: one copy; the slower one adopts or reports it.

    Both have looked and found nothing when the first submission is executed. The stacks have the
    same name. While the copy runs, CBR shows no mark, so nobody knows whose it is.
    """
    control = simulator.control
    control.change_backup(BACKUP, copy={"mode": "never"})
    control.fault(operation="CopyBackup", action="hold_before", times=2)
    projects = [
        on_host(new_program(tmp_path / name, REPLICATIONS, sdk_python("3.272.0"), simulator))
        for name in ("one", "two")
    ]
    for project in projects:
        declare(project, {"erp": arguments(adopt=adopt)})
    runs = [start(project, "up") for project in projects]
    wait_until(lambda: 2 == control.held())
    control.release()
    codes = [running.wait(COMMAND_LIMIT_S) for running in runs]

    (record,) = control.records()
    ids = [{row["id"] for row in project.state().values()} for project in projects]
    if adopt:
        assert [0, 0] == codes, [said(project) for project in projects]
        assert [{record["id"]}] * 2 == ids
    else:
        assert 1 == codes.count(0)
        slower = projects[1 - codes.index(0)]
        assert {record["id"]} == ids[codes.index(0)]
        assert {} == slower.state()
        told = said(slower).partition("Diagnostics:")[2].splitlines()
        (line,) = (line for line in told if record["id"] in line)
        assert "exists already; set adopt to true to take it over" in line
        assert "Traceback" not in said(slower)


def test_lock_of_a_living_up_is_not_removed(make_program: MakeProject, control: Control) -> None:
    """`recover` refuses to run beside an active `up`, and does no harm."""
    control.fault(operation="CopyBackup", action="hold_after")
    project = on_host(make_program(REPLICATION, sdk_python("3.272.0")))
    running = start(project, "up")
    wait_until(control.held)
    locks = project.locks()

    refused = project.run("up", "--yes", "--skip-preview")
    outcome = recover(project)
    assert 0 != refused.code
    assert f"(pid {running.pid})" in refused.stderr
    assert 1 == outcome.code
    assert f"(process {running.pid} since " in outcome.stderr
    assert "that process is alive; wait for it, or end it with Ctrl-C" in outcome.stderr
    assert locks == project.locks()
    control.release()

    assert 0 == running.wait(COMMAND_LIMIT_S), said(project)
    assert_one_copy(project, control)


@pytest.mark.parametrize(
    ("plugin", "number"),
    [
        pytest.param("stock", signal.SIGINT, id="stock-SIGINT"),
        pytest.param("stock", signal.SIGTERM, id="stock-SIGTERM", marks=pytest.mark.full),
        pytest.param("host", signal.SIGTERM, id="host-SIGTERM"),
    ],
)
def test_one_signal_during_a_submission(
    make_program: MakeProject, control: Control, plugin: str, number: signal.Signals
) -> None:
    """The current submission is completed first, and its record is in the state."""
    control.fault(operation="CopyBackup", action="hold_after")
    project = make_program(REPLICATION, sdk_python("3.255.0"))
    if plugin == "host":
        on_host(project)
    running = start(project, "up")
    wait_until(control.held)
    running.send_signal(number)
    wait_until(lambda: "cancelling" in said(project))
    control.release()

    assert 0 != running.wait(COMMAND_LIMIT_S)
    assert ["erp"] == list(project.state())
    project.up()
    assert_one_copy(project, control)


@pytest.mark.full
@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, id="SIGINT"),
        pytest.param(signal.SIGTERM, id="SIGTERM", marks=pytest.mark.full),
    ],
)
def test_two_signals_during_a_submission(
    make_program: MakeProject, control: Control, number: signal.Signals
) -> None:
    """The SDK's plugin is killed during it; `recover` finds no lock, and `up` finds the copy."""
    control.fault(operation="CopyBackup", action="hold_after")
    project = make_program(REPLICATION, sdk_python("3.272.0"))
    running = start(project, "up")
    wait_until(control.held)
    running.send_signal(number)
    wait_until(lambda: "cancelling" in said(project))
    running.send_signal(number)

    assert 0 != running.wait(COMMAND_LIMIT_S)
    control.release()
    assert [] == project.locks()
    assert 1 == len(project.deployment()["pending_operations"])
    outcome = recover(project)
    assert "Dropped 1 pending operation, and read" in outcome.stdout, outcome.text
    project.up()
    assert_one_copy(project, control)


@pytest.fixture
def hang_up_heeded() -> Iterator[None]:
    """Let children handle a hang-up even if the tests were started with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.full
@pytest.mark.usefixtures("hang_up_heeded")
def test_terminal_closed_during_a_submission(make_program: MakeProject, control: Control) -> None:
    """A hang-up ends the CLI like a kill, and the next commands are the same."""
    control.fault(operation="CopyBackup", action="hold_after")
    project = on_host(make_program(REPLICATION, sdk_python("3.255.0")))
    running = start(project, "up")
    wait_until(control.held)
    os.kill(running.pid, signal.SIGHUP)

    assert 0 != running.wait(COMMAND_LIMIT_S)
    control.release()
    wait_until(lambda: not plugins_of(project))
    assert project.locks()
    assert 0 == recover(project).code
    project.up()
    assert_one_copy(project, control)
