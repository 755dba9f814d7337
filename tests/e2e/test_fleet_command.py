"""`fleet`: many stacks side by side, by the stack program of this repository."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.cloud.specs import CopyScript, Options, RateLimit
from simulator.testing import Control, SimulatorProcess
from simulator.worlds.files import World
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.e2e.backends import Places
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    REPOSITORY,
    Outcome,
    Project,
    processes_of,
    recover,
    wait_until,
)
from tests.e2e.simulators import ForkedSimulator
from tools.state_servers.places import Place
from tools.state_servers.postgresql import programs_folder

REGION = "cn-east-3"
CALLS, RATE = 10, 9
"""What the account allows in a second, and what the estate file says, which is slightly less."""
VARIABLES = ("HW_USER_PASSWORD", "ACME_PASSWORD")
"""The variable of the runs, and the one that `fleet` has the value from."""
DEAD = re.compile(r"--dead (\S+)")


@contextmanager
def simulator_of(folder: Path, world: World) -> Iterator[SimulatorProcess]:
    """Run a simulator with a world."""
    folder.mkdir()
    with ForkedSimulator(folder, world) as running:
        yield running


def world_of(backups: int, copy_s: float = 0) -> World:
    """Return an account with backups, whose copies take a while, and which throttles."""
    limit = RateLimit(calls=CALLS, seconds=1)
    copy = CopyScript(mode="seconds", seconds=copy_s)
    return fleet_world(backups, copy=copy, options=Options(rate_limit=limit))


def fleet_project(
    folder: Path, simulator: SimulatorProcess, world: World, each: int, place: Place | None = None
) -> Project:
    """Return a project with an estate file: each stack copies so many backups."""
    directory = folder / "project"
    (directory / "stacks").mkdir(parents=True)
    shutil.copy(REPOSITORY / "Pulumi.yaml", directory)
    shutil.copytree(REPOSITORY / "plugin", directory / "plugin")
    for source in (REPOSITORY / "stacks").glob("*.py"):
        shutil.copy(source, directory / "stacks")
    address = f"{simulator.url}/regions/{{region}}"
    (vault_id,) = (vault.id for vault in world.vaults if vault.region == REGION)
    destination = {"region": REGION, "vault_id": vault_id}
    estate = {
        "accounts": {
            "acme": {
                "environment": dict([VARIABLES]),
                "calls_per_second": RATE,
                "config": {
                    "huaweicloud:userName": FLEET_USER,
                    "huaweicloud:domainName": FLEET_ACCOUNT,
                },
            }
        },
        "defaults": {
            "huaweicloud:region": "cn-north-4",
            "huaweicloud:pollInterval": 1,
            "huaweicloud:endpoints": {"cbr": address, "iam": address},
        },
        "stacks": {
            f"prod-{first // each:02}": {
                "account": "acme",
                "config": {
                    "cbr-replication:sets": [
                        {
                            "name": "nightly",
                            "backups": {
                                one.name: one.id for one in world.backups[first : first + each]
                            },
                            "destinations": [destination],
                        }
                    ]
                },
            }
            for first in range(0, len(world.backups), each)
        },
    }
    (directory / "estate.yaml").write_text(yaml.safe_dump(estate, sort_keys=False))
    project = Project(directory, Path(sys.executable), place=place)
    project.environment[VARIABLES[1]] = FLEET_PASSWORD
    return project


def command_of(project: Project, verb: str, *options: str) -> list[str]:
    """Return the command line of a run of all stacks, with JSON lines."""
    program = [str(project.python), "-m", "pulumi_huaweicloud_cbr", "fleet"]
    return [*program, verb, "--stacks", "prod-*", "--json", *options]


def fleet(project: Project, verb: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Run all stacks; return the exit code, and the lines of JSON."""
    done = subprocess.run(
        command_of(project, verb, *options),
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=4 * COMMAND_LIMIT_S,
        check=False,
    )
    assert "" == done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def results(lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the results by stack."""
    return {line["stack"]: line for line in lines if line["event"] == "result"}


def unfinished(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the results of stacks that a repetition would go on with."""
    return [one for one in results(lines).values() if one["outcome"] not in ("done", "absent")]


def accepted(control: Control) -> list[str]:
    """Return the backups of the submissions that were accepted."""
    submissions = control.journal(operation="CopyBackup")
    return [entry["backup_id"] for entry in submissions if entry["status"] != 429]


@pytest.mark.full
def test_fleet_creates_copies_and_finds_what_is_lost(tmp_path: Path) -> None:
    """Two stacks are created and copied; a lost replica of one is drift of that one."""
    world = world_of(4)
    with simulator_of(tmp_path / "simulator", world) as simulator:
        control = simulator.control
        project = fleet_project(tmp_path, simulator, world, each=2)

        code, lines = fleet(project, "up")

        assert 0 == code, unfinished(lines)
        assert Counter(accepted(control)) == Counter({one.id: 1 for one in world.backups})
        assert {"event": "end", "stacks": 2, "outcomes": {"done": 2}} == lines[-1]
        created = {"created", "configured"} & {line["event"] for line in lines}
        assert {"created", "configured"} == created
        # The user's selection is nobody else's.
        assert [] == list((tmp_path / "pulumi-home" / "workspaces").glob("*"))

        lost = control.replicas()[0]
        control.forget_backup(lost["id"])
        code, lines = fleet(project, "drift")

        assert 4 == code, lines
        ended = {name: one["outcome"] for name, one in results(lines).items()}
        assert ["differs", "done"] == sorted(ended.values())
        (differing,) = (one for one in results(lines).values() if one["outcome"] == "differs")
        assert differing["headline"].startswith("1 replica is LOST")


@pytest.mark.full
def test_interrupted_fleet_leaves_no_lock_and_goes_on(tmp_path: Path) -> None:
    """Both stacks wait for copies when Ctrl-C comes; the same command does the rest."""
    world = world_of(4, copy_s=3600)
    with simulator_of(tmp_path / "simulator", world) as simulator:
        control = simulator.control
        project = fleet_project(tmp_path, simulator, world, each=2)
        out = tmp_path / "lines"
        with out.open("w") as file:
            running = subprocess.Popen(
                command_of(project, "up"),
                cwd=project.directory,
                env=project.env,
                stdin=subprocess.DEVNULL,
                stdout=file,
            )
        waiting = '"resource": "replications-complete", "operation": "create", "state": "begun"'
        wait_until(lambda: running.poll() is not None or out.read_text().count(waiting) == 2)
        running.send_signal(signal.SIGINT)

        assert 130 == running.wait(COMMAND_LIMIT_S)
        assert '"outcomes": {"interrupted": 2}' in out.read_text()
        assert [] == project.locks()

        control.advance(3601)
        code, lines = fleet(project, "up")

        assert 0 == code, unfinished(lines)
        assert Counter(accepted(control)) == Counter({one.id: 1 for one in world.backups})


@pytest.mark.full
def test_twenty_stacks_of_fifty_one_killed_in_the_middle(tmp_path: Path) -> None:
    """Each backup is copied once, though a CLI was killed, and few calls are refused."""
    world, each = world_of(1000), 50
    with Places() as places, simulator_of(tmp_path / "simulator", world) as simulator:
        control = simulator.control
        place = places.new("postgresql" if programs_folder() is not None else "file")
        project = fleet_project(tmp_path, simulator, world, each, place)
        with (tmp_path / "lines").open("w") as out, (tmp_path / "errors").open("w") as errors:
            running = subprocess.Popen(
                command_of(project, "up", "--parallel", "5"),
                cwd=project.directory,
                env=project.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
            )
        wait_until(lambda: running.poll() is not None or len(accepted(control)) >= 10)
        assert running.poll() is None, (tmp_path / "lines").read_text()
        victim, name = submitting(project, tmp_path / "lines")
        os.kill(victim, signal.SIGKILL)
        code = running.wait(4 * COMMAND_LIMIT_S)

        lines = [json.loads(line) for line in (tmp_path / "lines").read_text().splitlines()]
        assert (1, "") == (code, (tmp_path / "errors").read_text()), unfinished(lines)
        ended = {stack: one["outcome"] for stack, one in results(lines).items()}
        assert {"done": 19, "failed": 1} == Counter(ended.values())
        assert "failed" == ended[name]
        assert f"recover --stack {name}" in results(lines)[name]["advice"]
        assert 0 == recover_as_told(project, name).code
        code, lines = fleet(project, "up", "--parallel", "5")
        assert 0 == code, unfinished(lines)

        assert Counter(accepted(control)) == Counter({one.id: 1 for one in world.backups})
        calls = [one for one in control.journal() if one["operation"] != "CreateToken"]
        refused = [one for one in calls if one["status"] == 429]
        assert len(refused) < 0.05 * len(calls), f"{len(refused)} of {len(calls)}"


def submitting(project: Project, lines: Path) -> tuple[int, str]:
    """Return the CLI of a stack that submits, and the stack's name."""
    at_work = [
        one["stack"]
        for one in map(json.loads, lines.read_text().splitlines())
        if one["event"] == "progress" and "submitting" in one["text"]
    ]
    for process, command in processes_of(project.directory.parent).items():
        words = command.split()
        if words[0] == "pulumi" and " up " in command and at_work[-1] in words:
            return process, at_work[-1]
    raise AssertionError(f"no CLI of {at_work[-1]}")


def recover_as_told(project: Project, stack: str) -> Outcome:
    """Recover a stack; where a lock proves nothing, say what the command asks for."""
    project.stack = stack
    outcome = recover(project)
    asked = DEAD.search(outcome.text)
    return outcome if asked is None else recover(project, "--dead", asked[1])
