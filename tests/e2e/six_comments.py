"""Six previews of one stack, for the comments that the documentation shows and a test checks.

The stack copies 368 backups of 53 servers each night, and the seven newest of one database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from simulator.cloud.specs import World
from simulator.testing import SimulatorProcess
from simulator.worlds.files import load_world
from tests.e2e.conftest import SPEED, new_stacks_project
from tests.e2e.driver import REPOSITORY, Outcome, Project, ci

SETS = "cbr-replication:sets"
FIRST_DAY = date(2026, 11, 20)
SERVERS = [*(f"app-{n:02}" for n in range(1, 41)), *(f"db-{n:02}" for n in range(1, 14))]
NEW_SERVERS = [f"web-{n:02}" for n in range(1, 16)]
DAYS = 7
MEMBERS = 368
SOURCE, EAST, SOUTH = "nightly-servers", "dr-east", "dr-south"


def world_of_six() -> World:
    """Return the demo world with a bigger vault on each side, and 490 more backups."""
    demo = load_world(REPOSITORY / "simulator" / "worlds" / "demo.yaml").model_dump(by_alias=True)
    replicas = {"protect_type": "replication"}
    demo["vaults"] += [
        {"name": SOURCE, "region": "cn-north-4", "size_gb": 100_000},
        {"name": EAST, "region": "cn-east-3", "size_gb": 40_000, **replicas},
        {"name": SOUTH, "region": "cn-south-1", "size_gb": 500, **replicas},
    ]
    demo["backups"] += [
        {
            "name": f"autobk_{server}_{day}".replace("-", ""),
            "vault": SOURCE,
            "resource_name": server,
            "size_gb": 120 if server.startswith(("db", "erp")) else 20,
            "created_at": f"{day}T02:00:11.000000",
        }
        for server in (*SERVERS, *NEW_SERVERS, "erp-db")
        for day in days()
    ]
    return World.model_validate(demo)


def days() -> list[date]:
    """Return the nights whose backups exist."""
    return [FIRST_DAY + timedelta(days=n) for n in range(DAYS)]


@dataclass(frozen=True)
class Six:
    """The stack, and what its configuration names."""

    project: Project
    backups: Mapping[str, str]
    vaults: Mapping[str, str]

    def members(self, servers: list[str]) -> dict[str, str]:
        """Return all members of servers: labels with backups."""
        return {
            label: backup_id
            for label, backup_id in self.backups.items()
            if label.rpartition("@")[0] in servers
        }

    def configure(self, nightly: Mapping[str, str], region: str = "cn-east-3") -> None:
        """Write the configuration.

        Args:
            region: where the database's copies go.
        """
        places = {"cn-east-3": EAST, "cn-south-1": SOUTH}
        to = {
            name: [{"region": name, "vault_id": self.vaults[vault]}]
            for name, vault in places.items()
        }
        self.project.configure(
            {
                SETS: [
                    {"name": "nightly", "backups": dict(nightly), "destinations": to["cn-east-3"]},
                    {
                        "name": "erp",
                        "backups": self.members(["erp-db"]),
                        "destinations": to[region],
                    },
                ],
                "cbr-replication:wait": "true",
            }
        )


def six_previews(folder: Path, kind: type[SimulatorProcess]) -> Iterator[tuple[str, Outcome, Path]]:
    """Make the stack, and yield each preview: its name, its outcome, the file of its comment.

    Args:
        kind: of the simulator.
    """
    world = world_of_six()
    (folder / "simulator").mkdir()
    with kind(folder / "simulator", world, speed=SPEED) as simulator:
        yield from _previews(new_stacks_project(folder, simulator, []), simulator, world, folder)


def _previews(
    project: Project, simulator: SimulatorProcess, world: World, folder: Path
) -> Iterator[tuple[str, Outcome, Path]]:
    six = Six(
        project,
        {
            f"{backup.resource_name}@{backup.created_at[:19]}": backup.id
            for one in world.backups
            for backup in one.each()
            if backup.vault == SOURCE
        },
        {vault.name: vault.id for vault in world.vaults},
    )
    nightly = dict(list(six.members(SERVERS).items())[: MEMBERS + 2])
    two = list(nightly)[MEMBERS:]
    before = {label: id_ for label, id_ in nightly.items() if label not in two}
    six.configure(before)
    six.project.up()
    simulator.control.advance(20_000)
    six.project.refresh()
    six.project.up()

    def preview(name: str) -> tuple[str, Outcome, Path]:
        file = folder / f"{name}.md"
        origin = ("--commit", "a1b2c3d", "--run", "4711", "--run-url", "https://example.org/4711")
        return name, ci(six.project, "preview", "--comment-file", str(file), *origin), file

    yield preview("nothing-changes")
    six.configure(nightly)
    yield preview("two-new-backups")
    six.configure(dict(list(before.items())[3:]))
    yield preview("three-members-less")
    six.configure(before, "cn-south-1")
    yield preview("a-set-moves")
    new = dict(list(six.members(NEW_SERVERS).items())[:100])
    six.configure({**dict(list(before.items())[2:]), **new})
    yield preview("hundred-new-two-deleted")
    six.project.configure(
        {
            SETS: [
                {"name": "nightly", "backups": {"app-01": "no-id"}, "destination": []},
                {"name": "erp", "select": {"newest": "seven"}, "destinations": [{"region": "x"}]},
            ]
        }
    )
    yield preview("broken-configuration")
