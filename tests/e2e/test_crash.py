"""Crashes in the middle of a create: the documented way on ends with one copy, and its record."""

from __future__ import annotations

import os
import signal
from typing import Any

import pytest

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    STACK,
    MakeProject,
    Project,
    plugins_of,
    start,
    wait_until,
)

NAME = "erp-to-cn-east-3"


def recover(project: Project) -> None:
    """Do what the user guide says after a CLI was killed."""
    project.must("cancel", "--yes", STACK, on_stack=False)
    project.must("refresh", "--yes", "--skip-preview", "--clear-pending-creates")
    project.up()


def assert_one_copy(project: Project, control: Control) -> None:
    """There is one record, one replica, and the state knows it."""
    (record,) = control.records()
    replicas = [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert 1 == len(replicas)
    assert record["id"] == project.state()[NAME]["id"]
    project.up("--expect-no-changes")


@pytest.mark.parametrize("point", ["hold_before", "hold_after"], ids=["not-accepted", "accepted"])
def test_cli_killed_during_submission(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control, point: str
) -> None:
    """The CLI killed while CBR works on the submission: the recipe ends with one copy."""
    control.fault(operation="CopyBackup", action=point)
    project = make_stacks_project([erp])
    running = start(project, "up")
    expected = 1 if point == "hold_after" else 0
    wait_until(lambda: not control.waiting_faults() and len(control.records()) == expected)

    running.kill()
    running.wait()
    locked = project.run("up", "--yes", "--skip-preview")
    control.release()

    assert 0 != locked.code
    assert "locked" in locked.text
    wait_until(lambda: not plugins_of(project))
    recover(project)
    assert_one_copy(project, control)


def test_plugin_killed_during_submission(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """The plugin killed after CBR accepted: running up again adopts the copy."""
    control.fault(operation="CopyBackup", action="hold_after")
    project = make_stacks_project([erp])
    running = start(project, "up")
    wait_until(control.records)

    for process in plugins_of(project):
        os.kill(process, signal.SIGKILL)
    assert 0 != running.wait(COMMAND_LIMIT_S)
    control.release()

    project.up()
    assert_one_copy(project, control)
    assert 1 == len(control.journal(operation="CopyBackup"))


@pytest.mark.parametrize("point", ["exit_before", "exit_after"], ids=["not-accepted", "accepted"])
def test_cloud_dies_during_submission(
    make_stacks_project: MakeProject, erp: dict[str, Any], simulator: SimulatorProcess, point: str
) -> None:
    """The service gone in the middle of the submission: one copy, once it is back."""
    simulator.control.fault(operation="CopyBackup", action=point)
    project = make_stacks_project([erp])
    running = start(project, "up")
    simulator.wait_for_exit(COMMAND_LIMIT_S)
    simulator.start()
    running.wait(COMMAND_LIMIT_S)

    project.up()
    assert_one_copy(project, simulator.control)


def test_cli_killed_during_deletion(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """The CLI killed while a replica is being deleted: destroy again ends well."""
    project = make_stacks_project([erp])
    project.up()
    control.advance(20_000)
    control.fault(operation="DeleteBackup", action="hold_after")
    running = start(project, "destroy")
    wait_until(lambda: not control.waiting_faults())
    running.kill()
    running.wait()
    control.release()

    project.must("cancel", "--yes", STACK, on_stack=False)
    project.destroy()

    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert {} == project.state()
