"""Each cell of the crash table, run with the real CLI: nothing is lost or copied twice."""

from __future__ import annotations

import os
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from simulator.testing import SimulatorProcess
from tests.e2e.crash import Point, cells, points_of, runs_by_day
from tests.e2e.crash_stack import (
    ALREADY_ACCEPTED,
    PLUGINS,
    PREPARED,
    REGION,
    UNENDED,
    Prepared,
    Replications,
    afterwards,
    backup_of,
    backups_of,
    beforehand,
    copies,
    declare,
    prepare,
    prepared,
    records_in_state,
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

# The SDK's newer plugin differs only in how it reports errors, which no crash depends on: the
# scenes with a submission and an update run on it as well.
ON_NEWEST = (("submitting", "cli"), ("submitting", "plugin"), ("renaming", "plugin"))
# The plugin does not change what the service and connections do to resources that are handled like
# single ones.
ON_HOST_ALONE = tuple(
    (scene, victim) for scene in ("fleets", "awaiting") for victim in ("service", "connection")
)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    """The stack before anything dies."""
    return prepare(tmp_path_factory.mktemp("prepared"))


@pytest.fixture
def simulator(tmp_path: Path, stack: Prepared) -> Iterator[SimulatorProcess]:
    """A simulator in the prepared state."""
    with stack.simulator(tmp_path / "simulator") as running:
        yield running


def assert_never_lost_never_twice(
    simulator: SimulatorProcess, project: Project, scene: str, replications: Replications
) -> None:
    """The service has each declared copy once, and the state knows it."""
    wanted = {
        name: {(backup_id, REGION) for backup_id in backups_of(name, arguments)}
        for name, arguments in replications.items()
    }
    found = {copy.key: copy for copy in copies(simulator)}
    state = records_in_state(project)
    # Replicas that nobody has declared yet are ignored.
    known = {*beforehand(scene), *replications}
    others = {
        (backup_id, REGION)
        for name in PREPARED
        if name not in known
        for backup_id in backups_of(name, prepared(name))
    }

    assert len(found) == len(copies(simulator))
    assert set().union(others, *wanted.values()) == set(found)
    assert {
        name: {key: found[key].record_id for key in keys} for name, keys in wanted.items()
    } == state
    for name, arguments in replications.items():
        names = {found[key].name for key in wanted[name]}
        assert "name" not in arguments or {arguments["name"]} == names
        for other in arguments.get("replications", ()):
            replicas = {found[key].record_id: found[key].id for key in wanted[other]}
            assert replicas == project.resources()[name]["outputs"]["replicas"]
    accepted = Counter(dict.fromkeys(submissions(simulator), 1))
    if scene == "submitting":
        accepted[backup_of("delete-first"), REGION] += 1
    assert accepted == submissions(simulator)
    assert [] == project.deployment().get("pending_operations", [])
    assert [] == project.locks()


def assert_only_missing_were_sent(simulator: SimulatorProcess, scene: str) -> None:
    """No submission that was accepted before the death was sent again, answered or not."""
    sent = Counter(
        entry["backup_id"] for entry in simulator.control.journal(operation="CopyBackup")
    )
    for name in ALREADY_ACCEPTED.get(scene, ()):
        assert 1 == sent[backup_of(name)], name
    for point in points_of(scene):
        if point.operation == "CopyBackup" and point.when == "after":
            # A service that dies with its answer has not logged the request.
            assert sent[backup_of(point.key)] <= 1, point.key


def script(simulator: SimulatorProcess, points: tuple[Point, ...], action: str) -> int:
    """Hold or drop each point's request; return how many there are."""
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


def is_accepted(simulator: SimulatorProcess, names: Iterable[str]) -> bool:
    """Whether the copies of these were accepted and answered."""
    posts = simulator.control.journal(operation="CopyBackup")
    return {backup_of(name) for name in names} <= {entry["backup_id"] for entry in posts}


def end_copies(simulator: SimulatorProcess, names: Iterable[str]) -> None:
    """End copies that would not end themselves."""
    ending = {backup_of(name) for name in names}
    running = [
        row["id"]
        for row in simulator.control.records()
        if row["status"] in ("waiting_replicate", "replicating")
        and row["source_backup_id"] in ending
    ]
    assert len(ending) == len(running)
    for record_id in running:
        simulator.control.change_record(record_id, copy={"mode": "immediate"})


def die(
    victim: str,
    is_answered: bool,
    running: subprocess.Popen[bytes],
    project: Project,
    simulator: SimulatorProcess,
) -> None:
    """Kill the victim while requests are held, or after their answers, as the scene requires."""
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


def marks(scene: str, victim: str, plugin: str) -> tuple[pytest.MarkDecorator, ...]:
    """Return when a cell runs. By day, other plugins run a submission by the CLI only."""
    is_by_day = runs_by_day(scene, victim)
    if plugin != "host":
        is_by_day = (scene, victim, plugin) == ("submitting", "cli", "sdk-3.272.0")
    return () if is_by_day else (pytest.mark.full,)


CELLS = [
    pytest.param(
        scene, victim, plugin, id=f"{scene}-{victim}-{plugin}", marks=marks(scene, victim, plugin)
    )
    for scene, victim in cells()
    for plugin in PLUGINS
    if plugin == "host"
    or (plugin == "sdk-3.255.0" and (scene, victim) not in ON_HOST_ALONE)
    or (scene, victim) in ON_NEWEST
]


@pytest.mark.parametrize(("scene", "victim", "plugin"), CELLS)
def test_crash(
    scene: str,
    victim: str,
    plugin: str,
    stack: Prepared,
    simulator: SimulatorProcess,
    tmp_path: Path,
) -> None:
    """After the table's next commands, each copy exists once, and the state knows it."""
    points = points_of(scene)
    replications = afterwards(scene)
    project = stack.project(tmp_path, plugin, simulator, beforehand(scene))
    declare(project, replications)
    command = "refresh" if scene == "refreshing" else "up"
    count = script(simulator, points, "drop" if victim == "connection" else "hold")
    way = points[0].way(victim)

    running = start(project, command)
    wait_until(lambda: running.poll() is not None or not simulator.control.waiting_faults())
    if victim != "connection":
        wait_until(lambda: running.poll() is not None or simulator.control.held() == count)
        assert running.poll() is None, said(project)
        wait_until(lambda: is_accepted(simulator, ALREADY_ACCEPTED.get(scene, ())))
        die(victim, scene == "answered", running, project, simulator)
    end_copies(simulator, UNENDED.get(scene, ()))
    code = running.wait(COMMAND_LIMIT_S)

    if way == "goes on":
        assert 0 == code, said(project)
    elif victim != "service":
        # The service may be back before anything has given up.
        assert 0 != code, said(project)
    if way == "recover":
        assert project.locks()
        outcome = recover(project)
        assert 0 == outcome.code, outcome.text
    if way != "goes on":
        project.must(command, "--yes", "--skip-preview")
    project.up("--expect-no-changes")
    assert_never_lost_never_twice(simulator, project, scene, replications)
    assert_only_missing_were_sent(simulator, scene)
