"""A project of one's own as docs/start.md has it: an empty directory, the wheel, three nights."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.cloud.specs import BackupSpec, World
from simulator.testing import Control, SimulatorProcess
from tests.e2e.conftest import SPEED
from tests.e2e.driver import REPOSITORY, TOOLCHAIN, sdk_python
from tests.e2e.programs import BACKUP
from tests.e2e.simulators import ForkedSimulator
from tests.pages import answered, blocks_in, commands_in

PAGE = (REPOSITORY / "docs" / "start.md").read_text(encoding="utf-8")
SECTION = "In a project of your own"
TEN_MINUTES_S = 600
KEPT = 7
NIGHTS = 3
MOMENT = "2026-11-{day:02}T02:00:00"


@pytest.fixture
def server(world: World) -> list[str]:
    """The ids of the server's nightly backups, oldest first, which the world has from now on."""
    model = next(backup for backup in world.backups if backup.id == BACKUP)
    nightly = [
        BackupSpec.model_validate(
            {
                **model.model_dump(exclude={"id", "repeat", "expired_at", "copy_script"}),
                "name": f"nightly-{day:02}",
                "size_gb": 40,
                "created_at": MOMENT.format(day=day),
            }
        )
        for day in range(1, KEPT + NIGHTS + 1)
    ]
    others = [each for each in world.backups if each.resource_name != model.resource_name]
    world.backups = [*others, *nightly]
    return [backup.id for backup in nightly]


@pytest.fixture
def simulator(tmp_path: Path, world: World, server: list[str]) -> Iterator[SimulatorProcess]:
    """A simulator with those backups; those of the coming nights cannot be used yet."""
    directory = tmp_path / "simulator"
    directory.mkdir()
    with ForkedSimulator(directory, world=world, speed=SPEED) as running:
        for backup in server[KEPT:]:
            running.control.change_backup(backup, status="error")
        yield running


@pytest.fixture
def world() -> World:
    """The demo world, to be changed."""
    from simulator.worlds.files import load_world  # noqa: PLC0415

    return load_world(REPOSITORY / "simulator" / "worlds" / "demo.yaml")


class Terminal:
    """A user's shell in an empty directory. Each line is echoed, as a transcript has it."""

    def __init__(self, directory: Path, simulator: SimulatorProcess, first: str) -> None:
        self.directory = directory
        directory.mkdir()
        address = f"{simulator.url}/regions/{{region}}"
        self.environment = {
            "PATH": os.pathsep.join([str(TOOLCHAIN), os.environ["PATH"]]),
            "HOME": str(directory.parent),
            "LANG": "C.UTF-8",
            "HW_METADATA": "false",
            "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
            "PULUMI_HOME": str(directory.parent / "pulumi-home"),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
        }
        self.first = first

    def type(self, lines: list[str]) -> str:
        """Run lines in one shell that stops at the first failure. Return what was printed."""
        script = ["set -euo pipefail", self.first]
        script += [f"echo {shlex.quote(f'$ {line}')}; {line}" for line in lines]
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TEN_MINUTES_S,
            check=False,
        )
        assert 0 == done.returncode, done.stdout
        return done.stdout


WITHOUT_NETWORK = """
python3() { ln -s "$MADE" .venv; }
pip() { test -f "$2"; }
"""
"""The environment is the one that `make sdk-venvs` made of the same wheel."""


@pytest.mark.full
def test_first_copy_and_three_nights(
    tmp_path: Path,
    simulator: SimulatorProcess,
    control: Control,
    server: list[str],
    is_installed_anew: bool,
) -> None:
    """The page's commands, files and program, from an empty directory to the third night.

    The first copies are there in less than ten minutes: the shell's time limit.
    """
    terminal = Terminal(
        tmp_path / "replicas", simulator, "" if is_installed_anew else WITHOUT_NETWORK
    )
    terminal.environment["MADE"] = str(sdk_python("3.272.0").parents[1])
    (project,) = blocks_in(PAGE, SECTION, "yaml")
    (program,) = blocks_in(PAGE, SECTION, "python")
    (terminal.directory / "Pulumi.yaml").write_text(project)
    (terminal.directory / "__main__.py").write_text(program)
    written = commands_in(PAGE, SECTION)
    *first_day, night = [
        line.replace("/path/to/dist", str(REPOSITORY / "dist")) for line in answered(written)
    ]

    printed = terminal.type(first_day)
    assert "pulumi up" == written[-2]
    assert "Ready" in printed
    assert re.search(r"\+ 3 created", printed), printed
    assert set(server[:KEPT]) == copied(control)

    environment = [line for line in first_day if line.startswith("export ")]
    for number in range(NIGHTS):
        control.change_backup(server[KEPT + number], status="available")
        printed = terminal.type(["source .venv/bin/activate", *environment, night])
        assert "nightly" in printed
        assert server[KEPT + number] in copied(control)
    # Each night deletes what seven newer copies have replaced by then.
    assert set(server[NIGHTS - 1 :]) == copied(control)
    assert len(server) == len(control.journal(operation="CopyBackup"))


def copied(control: Control) -> set[str]:
    """Return the backups with a replica that can be used."""
    replicas = {replica["id"] for replica in control.replicas() if replica["status"] == "available"}
    return {
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in replicas
    }


@pytest.fixture(params=[False, True], ids=["made", "pip"])
def is_installed_anew(request: pytest.FixtureRequest) -> bool:
    """Whether pip installs the wheel and its dependencies from the registry, as users do."""
    anew: bool = request.param
    return anew
