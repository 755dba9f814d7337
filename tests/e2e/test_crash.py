"""Each cell of the crash table, run with the real CLI: never lost, never twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.testing import SimulatorProcess
from tests.e2e.crash import Point, cells, points_of
from tests.e2e.crash_stack import (
    PLUGINS,
    PREPARED,
    REGION,
    Prepared,
    Replications,
    afterwards,
    backup_of,
    beforehand,
    copies,
    declare,
    prepare,
    replica_of,
    submissions,
    unread_bytes,
)
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    Project,
    plugins_of,
    recover,
    said,
    start,
    wait_until,
)

# The SDK's newer plugin differs in how it tells errors and in nothing that a crash can meet: the
# scenes that meet a submission and an update are run on it as well.
ON_NEWEST = (("submitting", "cli"), ("submitting", "plugin"), ("renaming", "plugin"))


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The stack as it is before anything dies."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def simulator(tmp_path: Path, prepared: Prepared) -> Iterator[SimulatorProcess]:
    """A simulator in the prepared state."""
    with prepared.simulator(tmp_path / "simulator") as running:
        yield running


def assert_never_lost_never_twice(
    simulator: SimulatorProcess, project: Project, scene: str, replications: Replications
) -> None:
    """The service has what is declared, once, and the state knows which it is."""
    wanted = {(args["backup_id"], REGION): name for name, args in replications.items()}
    found = {copy.key: copy for copy in copies(simulator)}
    state = project.state()
    # Replicas that nobody has declared yet are left alone.
    known = {*beforehand(scene), *replications}
    others = {(backup_of(name), REGION) for name in PREPARED if name not in known}

    assert len(found) == len(copies(simulator))
    assert set(wanted) | others == set(found)
    assert set(wanted.values()) == set(state)
    for key, name in wanted.items():
        assert found[key].record_id == state[name]["id"]
        assert replications[name].get("name") in (None, found[key].name)
    accepted = Counter(dict.fromkeys(submissions(simulator), 1))
    if scene == "submitting":
        accepted[backup_of("delete-first"), REGION] += 1
    assert accepted == submissions(simulator)
    assert [] == project.deployment().get("pending_operations", [])
    assert [] == project.locks()


def script(simulator: SimulatorProcess, points: tuple[Point, ...], action: str) -> int:
    """Have each point's request held or dropped; return how many there are."""
    met = [point for point in points if point.operation is not None]
    for point in met:
        about = {}
        if point.about == "backup":
            about = {"backup_id": backup_of(point.key)}
        elif point.about == "replica":
            about = {"backup_id": replica_of(simulator, point.key)}
        simulator.control.fault(
            operation=point.operation, action=f"{action}_{point.when}", skip=point.skip, **about
        )
    return len(met)


def end_running_copy(simulator: SimulatorProcess) -> None:
    """Have the copy end that a deletion waits for."""
    (record,) = (
        row
        for row in simulator.control.records()
        if row["status"] in ("waiting_replicate", "replicating")
        and row["source_backup_id"] == backup_of("copy-wait")
    )
    simulator.control.change_record(record["id"], copy={"mode": "immediate"})


def die(
    victim: str,
    is_answered: bool,
    running: subprocess.Popen[bytes],
    project: Project,
    simulator: SimulatorProcess,
) -> None:
    """Have the victim die while requests are held, or after their answer if that is the scene."""
    control = simulator.control
    if victim == "service":
        simulator.kill()
        simulator.start()
    elif victim == "cli":
        if is_answered:
            running.send_signal(signal.SIGSTOP)
            control.release()
            wait_until(lambda: unread_bytes(running.pid) > 0)
        running.kill()
    elif victim == "plugin":
        plugins = plugins_of(project)
        if is_answered:
            for process in plugins:
                os.kill(process, signal.SIGSTOP)
            control.release()
            wait_until(lambda: control.journal(operation="CopyBackup"))
        for process in plugins:
            os.kill(process, signal.SIGKILL)
    if victim in ("cli", "plugin"):
        control.release()


CELLS = [
    pytest.param(scene, victim, plugin, id=f"{scene}-{victim}-{plugin}")
    for scene, victim in cells()
    for plugin in PLUGINS
    if plugin != "sdk-3.272.0" or (scene, victim) in ON_NEWEST
]


@pytest.mark.parametrize(("scene", "victim", "plugin"), CELLS)
def test_crash(
    scene: str,
    victim: str,
    plugin: str,
    prepared: Prepared,
    simulator: SimulatorProcess,
    tmp_path: Path,
) -> None:
    """After the way on that the table names, there is one copy of each, and the state knows it."""
    points = points_of(scene)
    replications = afterwards(scene)
    project = prepared.project(tmp_path, plugin, simulator, beforehand(scene))
    declare(project, replications)
    command = "refresh" if scene == "refreshing" else "up"
    count = script(simulator, points, "drop" if victim == "connection" else "hold")
    way = points[0].way(victim)

    running = start(project, command)
    wait_until(lambda: running.poll() is not None or not simulator.control.waiting_faults())
    if victim != "connection":
        wait_until(lambda: running.poll() is not None or simulator.control.held() == count)
        assert running.poll() is None, said(project)
        die(victim, scene == "answered", running, project, simulator)
    if scene == "waiting":
        end_running_copy(simulator)
    code = running.wait(COMMAND_LIMIT_S)

    if way == "goes on":
        assert 0 == code, said(project)
    elif victim != "service":
        # The service may be back before anybody has given up.
        assert 0 != code, said(project)
    if way == "recover":
        assert project.locks()
        outcome = recover(project)
        assert 0 == outcome.code, outcome.text
    if way != "goes on":
        project.must(command, "--yes", "--skip-preview")
    project.up("--expect-no-changes")
    assert_never_lost_never_twice(simulator, project, scene, replications)
