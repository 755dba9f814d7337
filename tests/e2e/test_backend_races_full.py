"""Two `up`s of one stack at once, and CLIs that are killed, on backends that machines share.

A growing set is declared: each round adds a member, so each round has exactly one copy to submit.
"""

from __future__ import annotations

import json
import random
import re
import shutil
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulator.testing import Control, SimulatorProcess
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.e2e.backends import SHARED, Places, records_in_state
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

ROUNDS = 50
KILLS = 20
WORLD = fleet_world(max(ROUNDS, KILLS))
REGION = "cn-east-3"
BACKUPS = {backup.name: backup.id for backup in WORLD.backups}
REFUSALS = (
    "the stack is currently locked by",
    # PostgreSQL alone: the other's lock vanished between the list and the look at it.
    "error: could not list bucket: blob (code=NotFound): sql: no rows in result set",
)
"""What the CLI says that did not get the lock."""
REQUESTS = ("CreateToken", "ListBackups", "ShowVault", "CopyBackup")
"""Requests of an `up` at which the CLI is killed; also before the first one, and by time."""


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """A simulator with a backup for each round."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    with ForkedSimulator(directory, WORLD) as running:
        yield running


@dataclass
class Team:
    """Two checkouts of one project with the same stack on a shared backend."""

    one: Project
    two: Project
    control: Control

    def declare(self, count: int) -> None:
        """Declare this many members in both checkouts."""
        (vault_id,) = (vault.id for vault in WORLD.vaults if vault.region == REGION)
        arguments = {
            "backups": dict(list(BACKUPS.items())[:count]),
            "destination_region": REGION,
            "destination_vault_id": vault_id,
        }
        for project in (self.one, self.two):
            project.configure({"program:replications": json.dumps({"fleet": arguments})})

    def assert_nothing_lost_or_doubled(self, count: int) -> None:
        """CBR accepted one copy of each declared backup, and the state knows each record."""
        sent = Counter(
            entry["backup_id"]
            for entry in self.control.journal(operation="CopyBackup")
            if entry["status"] == 200
        )
        wanted = list(BACKUPS.values())[:count]
        records = {row["source_backup_id"]: row["id"] for row in self.control.records()}
        state = records_in_state(self.one)

        assert Counter(wanted) == sent
        assert set(wanted) == set(records)
        assert count == len(self.control.records())
        assert {("fleet", backup_id): records[backup_id] for backup_id in wanted} == state
        assert [] == self.one.locks()


@pytest.fixture(params=SHARED)
def team(
    request: pytest.FixtureRequest, tmp_path: Path, simulator: SimulatorProcess, places: Places
) -> Team:
    """A team whose first member has created the stack."""
    place = places.new(request.param)
    projects = []
    for name in ("one", "two"):
        project = Project(tmp_path / name / "program", sdk_python("3.272.0"), place=place)
        projects.append(project)
    one = on_host(
        new_program(tmp_path / "one", REPLICATIONS, sdk_python("3.272.0"), simulator, place)
    )
    one.environment["HW_USER_PASSWORD"] = FLEET_PASSWORD
    one.configure({"huaweicloud:userName": FLEET_USER, "huaweicloud:domainName": FLEET_ACCOUNT})
    shutil.copytree(one.directory, projects[1].directory)
    two = projects[1]
    two.environment.update(one.environment)
    return Team(one, two, simulator.control)


Running = tuple[Project, subprocess.Popen[bytes]]


def one_that_is_in(team: Team, delay_s: float) -> Running | None:
    """Start two `up`s; return the one whose submission is held, None if both were refused."""
    runs: list[Running] = []
    for project in (team.one, team.two):
        runs.append((project, start(project, "up")))
        time.sleep(delay_s)
    wait_until(lambda: any(running.poll() is not None for _, running in runs))
    runs.sort(key=lambda run: run[1].poll() is None)
    (loser, refused), (winner, other) = runs
    assert_refused(loser, refused)
    wait_until(lambda: other.poll() is not None or team.control.held())
    if other.poll() is None:
        return winner, other
    assert_refused(winner, other)
    return None


def assert_refused(project: Project, running: subprocess.Popen[bytes]) -> None:
    """The lock refused the run, which changed nothing."""
    assert 0 != running.returncode, said(project)
    assert any(words in said(project) for words in REFUSALS), said(project)


def test_two_ups_of_one_stack(team: Team, announce: Callable[[str], None]) -> None:
    """In each round one of them makes the copy; the other is refused and changes nothing.

    The winner's submission is held until the other has ended. If both are refused, as each may see
    the other's lock, they begin again. In every other round one of them begins a little later.
    """
    both_refused = 0
    for count in range(1, ROUNDS + 1):
        team.declare(count)
        team.control.fault(operation="CopyBackup", action="hold_before")
        while not (run := one_that_is_in(team, 0.05 * (count % 5) if count % 2 else 0)):
            both_refused += 1
        assert count - 1 == len(team.control.records())
        team.control.release()
        winner, running = run
        assert 0 == running.wait(COMMAND_LIMIT_S), said(winner)
        team.assert_nothing_lost_or_doubled(count)
    team.one.up("--expect-no-changes")
    announce(f"{ROUNDS} rounds; both were refused {both_refused} times")


def killed_up(project: Project, control: Control, number: int, chance: random.Random) -> str:
    """Start an `up`, kill its CLI, and return when that was."""
    request = [*REQUESTS, "CopyBackup, accepted", "the lock", "a moment"][number % 7]
    operation, _, accepted = request.partition(", ")
    if operation in REQUESTS:
        action = "hold_after" if accepted else "hold_before"
        control.fault(operation=operation, action=action)
    running = start(project, "up")
    if request == "the lock":
        wait_until(lambda: project.locks() or running.poll() is not None)
    elif request == "a moment":
        time.sleep(chance.uniform(0.1, 2))
    else:
        wait_until(lambda: control.held() or running.poll() is not None)
    running.kill()
    running.wait()
    wait_until(lambda: not plugins_of(project))
    control.drop_faults()
    control.release()
    return request


def holder_in(text: str) -> str:
    """Return the holder that the refusal tells to name, for the option ``--dead``."""
    found = re.search(r"--dead (\S+:\d+)", text)
    assert found is not None, text
    return found[1]


def test_killed_ups_are_recovered(team: Team, announce: Callable[[str], None]) -> None:
    """A lock on a shared backend is removed at the user's word only; then `up` converges."""
    chance = random.Random(19)
    left = Counter[str]()
    for count in range(1, KILLS + 1):
        team.declare(count)
        when = killed_up(team.one, team.control, count, chance)
        if team.one.locks():
            left[when] += 1
            beside = team.two.run("up", "--yes", "--skip-preview")
            assert "the stack is currently locked by" in beside.text
            refused = recover(team.one)
            assert 1 == refused.code
            assert holder_in(refused.stderr).startswith(f"{socket.gethostname()}:")
            assert team.one.locks()
            done = recover(team.one, "--dead", holder_in(refused.stderr))
        else:
            done = recover(team.one)
        assert 0 == done.code, done.text
        team.two.up()
        team.assert_nothing_lost_or_doubled(count)
        assert [] == team.one.deployment().get("pending_operations", [])
    team.two.up("--expect-no-changes")
    announce(f"{KILLS} kills; a lock was left by those at: {dict(left)}")


def test_lock_of_a_living_up_stays(team: Team) -> None:
    """`recover` does not remove it, even if the user says that its holder is dead."""
    team.declare(1)
    team.control.fault(operation="CopyBackup", action="hold_before")
    running = start(team.one, "up")
    wait_until(team.control.held)
    locks = team.one.locks()
    assert 1 == len(locks)

    outcome = recover(team.two, "--dead", f"{socket.gethostname()}:{running.pid}")

    assert 1 == outcome.code
    assert "that process is alive" in outcome.stderr
    assert locks == team.one.locks()
    team.control.release()
    assert 0 == running.wait(COMMAND_LIMIT_S), said(team.one)
    team.assert_nothing_lost_or_doubled(1)
