"""A set of hundreds of members, killed halfway: the next `up` submits only missing members."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.transport.pacing import AT_ONCE
from simulator.testing import Control, SimulatorProcess
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
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
from tests.e2e.programs import REPLICATIONS
from tests.e2e.simulators import ForkedSimulator

MEMBERS, ACCEPTED = 500, 250
WORLD = fleet_world(MEMBERS)
REGION = "cn-east-3"
BACKUPS = {backup.name: backup.id for backup in WORLD.backups}


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """A simulator with a fleet, slow calls and running copies."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    with ForkedSimulator(directory, WORLD, latency_ms=20) as running:
        yield running


def fleet(tmp_path: Path, plugin: str, simulator: SimulatorProcess) -> Project:
    """Return a project that declares the entire fleet as one set."""
    python = sdk_python("3.272.0" if plugin == "host" else plugin)
    project = new_program(tmp_path, REPLICATIONS, python, simulator)
    if plugin == "host":
        on_host(project)
    (vault_id,) = (vault.id for vault in WORLD.vaults if vault.region == REGION)
    arguments = {
        "backups": BACKUPS,
        "destination_region": REGION,
        "destination_vault_id": vault_id,
    }
    project.environment["HW_USER_PASSWORD"] = FLEET_PASSWORD
    project.configure(
        {
            "huaweicloud:userName": FLEET_USER,
            "huaweicloud:domainName": FLEET_ACCOUNT,
            "program:replications": json.dumps({"fleet": arguments}),
        }
    )
    return project


def submissions(control: Control) -> list[dict[str, Any]]:
    """Return the submissions that were answered, if the receiver still existed."""
    return control.journal(operation="CopyBackup")


@pytest.mark.full
@pytest.mark.parametrize(
    ("victim", "plugin"),
    [
        ("cli", "host"),
        pytest.param("plugin", "host"),
        pytest.param("plugin", "3.255.0", marks=pytest.mark.full),
    ],
)
def test_fleet_killed_in_the_middle(
    tmp_path: Path, simulator: SimulatorProcess, victim: str, plugin: str
) -> None:
    """Half of the members are accepted, more are in flight: those are not sent again."""
    control = simulator.control
    project = fleet(tmp_path, plugin, simulator)
    control.fault(operation="CopyBackup", action="hold_before", skip=ACCEPTED, times=MEMBERS)
    running = start(project, "up")
    # The maximum number in flight is held, so no other request is sent.
    wait_until(lambda: running.poll() is not None or AT_ONCE == control.held())
    assert running.poll() is None, said(project)
    assert ACCEPTED == len(control.records()) == len(submissions(control))

    if victim == "cli":
        running.kill()
    else:
        for process in plugins_of(project):
            os.kill(process, signal.SIGKILL)
    assert 0 != running.wait(COMMAND_LIMIT_S)
    wait_until(lambda: not plugins_of(project))
    control.drop_faults()
    control.release()
    wait_until(lambda: ACCEPTED + AT_ONCE == len(submissions(control)))
    before = [entry["backup_id"] for entry in submissions(control)]
    if victim == "cli":
        outcome = recover(project)
        assert 0 == outcome.code, outcome.text
    project.up()
    project.up("--expect-no-changes")

    sent = [entry["backup_id"] for entry in submissions(control)][len(before) :]
    assert Counter(set(BACKUPS.values()) - set(before)) == Counter(sent)
    records = {row["source_backup_id"]: row["id"] for row in control.records()}
    assert MEMBERS == len(control.records()) == len(records)
    rows = project.resources()["fleet"]["outputs"]["members"]
    assert BACKUPS == {label: row["backup_id"] for label, row in rows.items()}
    assert records == {row["backup_id"]: row["replication_record_id"] for row in rows.values()}
    assert [] == project.locks()
