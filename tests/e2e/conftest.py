"""Fixtures of the end-to-end tests: a simulator, and a project with its own backend."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control, SimulatorProcess
from simulator.worlds.files import World, load_world
from tests.e2e.backends import Places
from tests.e2e.driver import (
    PASSWORD,
    REPOSITORY,
    MakeProject,
    Project,
    connection,
    end_started,
    new_program,
    processes_of,
)
from tests.e2e.simulators import ForkedSimulator, simulators_forked
from tools.state_servers.places import Place

SPEED = 5000.0
"""Copies of 500 GB take about a second, so no test waits long."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all tests here as end to end."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(autouse=True)
def end_what_killed_commands_left(tmp_path: Path) -> Iterator[None]:
    """End the language hosts and plugins that a killed CLI leaves; nothing else would."""
    yield
    end_started()
    for process in processes_of(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


@pytest.fixture(autouse=True, scope="session")
def fork_simulators() -> Iterator[None]:
    """Import the simulators' modules once."""
    with simulators_forked():
        yield


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """A simulator with the demo world."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    with ForkedSimulator(directory, speed=SPEED) as running:
        yield running


@pytest.fixture(scope="session")
def places() -> Iterator[Places]:
    """Places for states on each backend; a test process starts each server at most once."""
    with Places() as started:
        yield started


@pytest.fixture
def control(simulator: SimulatorProcess) -> Control:
    """Control of the simulator: what happens in the cloud without us."""
    return simulator.control


@pytest.fixture(scope="session")
def world() -> World:
    """The demo world as its file defines it."""
    return load_world(REPOSITORY / "simulator" / "worlds" / "demo.yaml")


@pytest.fixture
def backup_ids(world: World) -> dict[str, str]:
    """The ids of the demo world's backups, by name."""
    return {backup.name: backup.id for backup in world.backups}


@pytest.fixture
def vault_ids(world: World) -> dict[str, str]:
    """The ids of the demo world's vaults, by name."""
    return {vault.name: vault.id for vault in world.vaults}


def new_stacks_project(
    parent: Path,
    simulator: SimulatorProcess,
    replications: list[dict[str, Any]],
    place: Place | None = None,
    **settings: Any,
) -> Project:
    """Return a project in a directory with a copy of this repository's stack program."""
    directory = parent / "project"
    (directory / "stacks").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Pulumi.yaml", directory)
    shutil.copytree(REPOSITORY / "plugin", directory / "plugin")
    for source in (REPOSITORY / "stacks").glob("*.py"):
        shutil.copy(source, directory / "stacks")
    project = Project(directory, Path(sys.executable), place=place)
    project.environment["HW_USER_PASSWORD"] = PASSWORD
    project.init()
    project.configure(
        {
            **connection(simulator),
            # Most tests are about what holds while copies run.
            "cbr-replication:wait": "false",
            "cbr-replication:replications": replications,
            **settings,
        }
    )
    return project


@pytest.fixture
def make_stacks_project(tmp_path: Path, simulator: SimulatorProcess) -> MakeProject:
    """Return a factory of projects with copies of this repository's stack program."""

    def make(replications: list[dict[str, Any]], **settings: Any) -> Project:
        return new_stacks_project(tmp_path, simulator, replications, **settings)

    return make


@pytest.fixture
def make_program(tmp_path: Path, simulator: SimulatorProcess) -> MakeProject:
    """Return a factory of projects with their own program, in any environment."""

    def make(source: str, python: Path = Path(sys.executable)) -> Project:
        return new_program(tmp_path, source, python, simulator)

    return make


@pytest.fixture
def erp(backup_ids: dict[str, str], vault_ids: dict[str, str]) -> dict[str, Any]:
    """An entry of the stack's configuration: one server backup to one region."""
    return {
        "name": "erp",
        "backup_id": backup_ids["autobk_7c1e"],
        "destinations": [{"region": "cn-east-3", "vault_id": vault_ids["dr-replicas"]}],
    }
