"""Stacks of earlier versions are taken over without a difference.

`tests/fixtures/takeover` has a stack with each of the four resources as an earlier version left it.
It also has the cloud at that time: the simulator's database as SQL, and its world.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from simulator.cloud.cloud import facts_of
from simulator.testing import SimulatorProcess
from simulator.worlds.files import load_world
from tests.e2e.conftest import SPEED
from tests.e2e.driver import MakeProject, Project, on_plugin
from tests.e2e.programs import BACKUP, VAULT
from tests.e2e.simulators import ForkedSimulator

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "takeover"

# A copy by hand, two members, an entire vault, and a wait for all of them.
PROGRAM = f"""
import pulumi_huaweicloud_cbr as cbr

to_east = {{"destination_region": "cn-east-3", "destination_vault_id": "{VAULT}"}}
one = cbr.BackupReplication(
    "one", cbr.BackupReplicationArgs(backup_id="{BACKUP}", name="erp-dr", **to_east)
)
web = {{
    "first": {{"backup_id": "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e", "name": "web-dr"}},
    "second": "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f",
}}
many = cbr.BackupReplicationSet(
    "many", cbr.BackupReplicationSetArgs(backups=web, **to_east)
)
everything = cbr.VaultReplication(
    "all",
    cbr.VaultReplicationArgs(
        vault_id="de587d5d-f63e-4ea1-a892-5935070352ba",
        destination_region="cn-south-1",
        destination_vault_id="d5e6f708-192a-43b4-85d6-e7f8091a2b3c",
    ),
)
cbr.ReplicationsComplete(
    "wait", cbr.ReplicationsCompleteArgs(replications=[one, many, everything])
)
"""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """The cloud as the earlier version left it."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    cloud = ForkedSimulator(directory, FIXTURE / "world.yaml", speed=SPEED)
    with closing(sqlite3.connect(cloud.state_file)) as database:
        database.executescript((FIXTURE / "cloud.sql").read_text(encoding="utf-8"))
        # A cloud has no format, and its world may say more today than it did then.
        facts = [
            (value, key) for key, value in facts_of(load_world(FIXTURE / "world.yaml")).items()
        ]
        database.executemany("UPDATE meta SET value = ? WHERE key = ?", facts)
        database.commit()
    with cloud:
        yield cloud


def taken_over(make_program: MakeProject, plugin: str, simulator: SimulatorProcess) -> Project:
    """Return a project with the earlier version's state."""
    project = on_plugin(plugin, make_program, PROGRAM)
    # The state also has the cloud's address: `refresh` and `destroy` read it from there.
    state = (FIXTURE / "stack.json").read_text(encoding="utf-8")
    state = state.replace("http://simulator.invalid", simulator.url)
    (project.directory / "stack.json").write_text(state, encoding="utf-8")
    project.must("stack", "import", "--file", "stack.json")
    return project


@pytest.mark.parametrize("plugin", ["host", pytest.param("sdk-3.255.0", marks=pytest.mark.full)])
def test_stack_of_an_earlier_version_is_taken_over(
    make_program: MakeProject, simulator: SimulatorProcess, plugin: str
) -> None:
    """Neither a preview nor a refresh shows a difference, and destroy finds every replica."""
    control = simulator.control
    project = taken_over(make_program, plugin, simulator)
    before = sorted(row["id"] for row in control.replicas())

    project.must("preview", "--expect-no-changes")
    project.must("refresh", "--yes", "--skip-preview", "--expect-no-changes")
    project.up("--expect-no-changes")

    assert {"one", "many", "all", "wait"} <= set(project.resources())
    assert before == sorted(row["id"] for row in control.replicas())
    assert {"CreateToken"} == {
        entry["operation"] for entry in control.journal() if entry["method"] != "GET"
    }
    project.destroy()
    assert [] == [row for row in control.replicas() if row["region"] != "cn-north-4"]
