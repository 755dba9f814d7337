"""An entire vault with the real CLI: added backups, crashes, and what is left."""

from __future__ import annotations

import os
import signal
from collections import Counter

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    BY_NIGHT,
    COMMAND_LIMIT_S,
    MakeProject,
    Project,
    on_host,
    on_plugin,
    plugins_of,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
IN_THE_MAKING = "b0ec9300-d8cb-4260-8884-43c180125193"
FOUR = Counter([BACKUP, WEB_1, WEB_2, MANUAL])
PROGRAM = """
import pulumi
import pulumi_huaweicloud_cbr as cbr

cbr.VaultReplication(
    "prod",
    cbr.VaultReplicationArgs(
        vault_id="de587d5d-f63e-4ea1-a892-5935070352ba",
        destination_region="cn-east-3",
        destination_vault_id=pulumi.Config().get("vault")
        or "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
    ),
)
"""


@pytest.fixture(params=BY_NIGHT)
def project(request: pytest.FixtureRequest, make_program: MakeProject) -> Project:
    """A project with one vault, on our host and on the SDK's plugin in both versions."""
    return on_plugin(request.param, make_program, PROGRAM)


def live_copies(control: Control) -> Counter[str]:
    """Count the existing replicas of each backup."""
    present = {row["id"] for row in control.replicas() if row["region"] == "cn-east-3"}
    return Counter(
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    )


def test_vault_full_cycle(project: Project, control: Control) -> None:
    """Added backups are previewed and copied; nothing is copied twice, nothing is left."""
    project.up()
    project.up("--expect-no-changes")
    control.advance(20_000)
    project.refresh()
    control.change_backup(IN_THE_MAKING, status="available")

    preview = project.preview()
    project.up()

    assert "1 backup will be copied: 'web-04@" in preview.text
    assert "to update" in preview.text
    assert FOUR + Counter([IN_THE_MAKING]) == live_copies(control)
    assert 2 == len(control.journal(operation="CopyCheckpoint"))
    project.up("--expect-no-changes")
    control.advance(20_000)
    project.refresh()
    project.destroy()
    assert Counter() == live_copies(control)


def test_vault_other_destination_is_refused_in_preview(make_program: MakeProject) -> None:
    """A preview fails, with the reason in one line, if replicas would not be copied again."""
    project = on_host(make_program(PROGRAM))
    project.up()
    project.configure({"program:vault": "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"})

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert "replacing the replication of a vault: the replicas of 4 backups" in outcome.text
    assert "Traceback" not in outcome.text


@pytest.mark.full
def test_vault_plugin_killed_after_the_request(make_program: MakeProject, control: Control) -> None:
    """A request that was accepted for a dead plugin is found by the next `up`."""
    project = on_host(make_program(PROGRAM))
    control.fault(operation="CopyCheckpoint", action="hold_after")
    running = start(project, "up")
    wait_until(lambda: control.held() == 1 and len(control.records()) == 4)

    for process in plugins_of(project):
        os.kill(process, signal.SIGKILL)
    running.wait(COMMAND_LIMIT_S)
    control.release()
    project.up()

    project.up("--expect-no-changes")
    assert FOUR == live_copies(control)
    assert 1 == len(control.journal(operation="CopyCheckpoint"))
    assert 4 == len(project.resources()["prod"]["outputs"]["members"])
