"""A random history of a stack with the real CLI: edits, drift, faults, and killed plugins.

The seed is fixed, so a history is always the same. What must hold is checked in the simulator's own
database, not in the provider's answers.
"""

from __future__ import annotations

import os
import random
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from simulator.testing import Control, SimulatorProcess
from tests.amount import examples
from tests.e2e.driver import MakeProject, Outcome, Project, plugins_of, start, wait_until
from tests.e2e.programs import SECOND_VAULT, VAULT

SEED = 20261120
COMMANDS = 10
"""CLI commands for each 34 examples of `test_model.py`, without those at the end."""
BACKUPS = {
    "erp": "5a863daa-7265-4c0a-822f-e66b2abcfb3d",
    "web": "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e",
}
EAST, SOUTH = "cn-east-3", "cn-south-1"
VAULTS = {EAST: (VAULT, SECOND_VAULT), SOUTH: ("d5e6f708-192a-43b4-85d6-e7f8091a2b3c",)}
FAULTS: tuple[dict[str, Any], ...] = (
    {"operation": "CopyBackup", "action": "drop_after"},
    {"operation": "CopyBackup", "action": "drop_before"},
    {"operation": "CopyBackup", "action": "respond_after", "status": 502},
    {"operation": "DeleteBackup", "action": "drop_after"},
    {"operation": "ShowBackup", "action": "drop_before"},
)
LIVE = """
    select source_backup_id, destination_region, destination_vault_id
    from records join backups on backups.id = records.replica_id
    where backups.status not in ('deleting', 'waiting_delete')
"""

Copy = tuple[str, str]


@dataclass
class History:
    """A stack, its cloud, and the steps so far."""

    project: Project
    simulator: SimulatorProcess
    dice: random.Random
    program: dict[Copy, str] = field(default_factory=dict)
    declared: set[Copy] = field(default_factory=set)
    done: Counter[str] = field(default_factory=Counter)
    script: list[str] = field(default_factory=list)

    @property
    def control(self) -> Control:
        """Control of the simulator: what happens in the cloud without us."""
        return self.simulator.control

    # -- steps; each is one CLI command or none ------------------------------------------------

    def edit(self) -> None:
        """Declare a copy, move it, or remove it."""
        copy = self.dice.choice(sorted(BACKUPS)), self.dice.choice(sorted(VAULTS))
        if copy in self.program and self.dice.random() < 0.4:
            del self.program[copy]
        else:
            self.program[copy] = self.dice.choice(VAULTS[copy[1]])
        self.declare()

    def declare(self) -> None:
        """Write the program's configuration."""
        self.declared |= set(self.program)
        entries: dict[str, dict[str, Any]] = {}
        for (name, region), vault_id in sorted(self.program.items()):
            entry = entries.setdefault(
                name, {"name": name, "backup_id": BACKUPS[name], "destinations": []}
            )
            entry["destinations"].append({"region": region, "vault_id": vault_id})
        self.project.configure({"cbr-replication:replications": list(entries.values())})

    def up(self) -> None:
        """Run `up`."""
        self.run("up", "--yes", "--skip-preview")

    def up_killed(self) -> None:
        """Run `up`, and kill the plugin when a copy was accepted but not yet answered."""
        self.control.fault(operation="CopyBackup", action="hold_after")
        running = start(self.project, "up")
        wait_until(lambda: self.control.held() or running.poll() is not None)
        if self.control.held():
            self.done["plugins killed"] += 1
            for process in plugins_of(self.project):
                os.kill(process, signal.SIGKILL)
        running.wait()
        self.control.drop_faults()
        self.control.release()

    def refresh(self) -> None:
        """Run `refresh`."""
        self.run("refresh", "--yes", "--skip-preview")

    def preview(self) -> None:
        """Run `preview`, which writes nothing."""
        before = len(self.writes())
        self.run("preview")
        assert before == len(self.writes())

    def destroy(self) -> None:
        """Run `destroy`."""
        self.run("destroy", "--yes", "--skip-preview")

    def lose_replica(self) -> None:
        """Delete a replica, as somebody else does."""
        live = self.live()
        if live:
            name, region, _ = self.dice.choice(live)
            self.control.forget_backup(self.replica_of(name, region))

    def rename_replica(self) -> None:
        """Rename a replica, as somebody else does."""
        live = self.live()
        if live:
            name, region, _ = self.dice.choice(live)
            self.control.change_backup(self.replica_of(name, region), name="somebody-elses")

    def fail_soon(self) -> None:
        """Make a request fail soon."""
        self.control.fault(**self.dice.choice(FAULTS))

    def fail_copies(self) -> None:
        """Make the copies of a backup fail, or succeed again."""
        outcome = self.dice.choice(["fail", "success"])
        backup_id = BACKUPS[self.dice.choice(sorted(BACKUPS))]
        self.control.change_backup(backup_id, copy={"mode": "immediate", "outcome": outcome})

    def pass_time(self) -> None:
        """Let the running copies and deletions end."""
        self.control.advance(20_000)

    def run(self, *arguments: str) -> Outcome:
        """Run a command, which may fail in the documented ways."""
        outcome = self.project.run(*arguments)
        assert "Traceback" not in outcome.text, outcome.text
        self.done["commands"] += 1
        self.done["failed"] += outcome.code != 0
        return outcome

    # -- the truth ----------------------------------------------------------------------------

    def live(self) -> list[tuple[str, str, str]]:
        """Return backup, region and vault of each existing replica, from the database."""
        self.control.state()  # This updates the database.
        names = {backup_id: name for name, backup_id in BACKUPS.items()}
        with closing(sqlite3.connect(self.simulator.state_file)) as database:
            rows = database.execute(LIVE).fetchall()
        return sorted((names[row[0]], row[1], row[2]) for row in rows)

    def replica_of(self, name: str, region: str) -> str:
        """Return the id of a backup's replica in a region."""
        query = f"select replica_id from ({LIVE.replace('select', 'select replica_id,')}) where "
        query += "source_backup_id = ? and destination_region = ?"
        with closing(sqlite3.connect(self.simulator.state_file)) as database:
            ((replica_id,),) = database.execute(query, (BACKUPS[name], region)).fetchall()
        return str(replica_id)

    def writes(self) -> list[str]:
        """Return the write requests to CBR so far."""
        return [
            entry["operation"]
            for entry in self.control.journal()
            if entry["method"] != "GET" and entry["operation"] != "CreateToken"
        ]

    def require_once(self) -> None:
        """No copy exists twice, and none was never declared."""
        copies = Counter((name, region) for name, region, _ in self.live())
        assert all(count == 1 for count in copies.values()), f"{copies} after {self.script}"
        assert set(copies) <= self.declared, f"{copies} after {self.script}"

    def converge(self) -> None:
        """Without faults, what is declared exists once, in the declared place."""
        self.control.drop_faults()
        for backup_id in BACKUPS.values():
            self.control.change_backup(backup_id, copy={"mode": "immediate"})
        # What a killed plugin left is declared, and so adopted. Then all is as declared.
        wanted = dict(self.program)
        for name, region, vault_id in self.live():
            self.program[name, region] = vault_id
        self.declare()
        self.project.refresh()
        self.project.up()
        self.program = wanted
        self.declare()
        self.project.up()
        self.control.advance(20_000)
        self.project.refresh()
        self.project.up("--expect-no-changes")

        expected = sorted((*copy, vault_id) for copy, vault_id in wanted.items())
        assert expected == self.live(), self.script
        self.project.destroy()
        assert [] == self.live(), self.script


STEPS: dict[Callable[[History], None], int] = {
    History.edit: 6,
    History.up: 5,
    History.up_killed: 2,
    History.refresh: 3,
    History.preview: 1,
    History.destroy: 1,
    History.lose_replica: 2,
    History.rename_replica: 1,
    History.fail_soon: 2,
    History.fail_copies: 1,
    History.pass_time: 3,
}
"""The possible next steps, with their relative frequency."""


@pytest.mark.full
def test_random_commands(
    make_stacks_project: MakeProject, simulator: SimulatorProcess, announce: Callable[[str], None]
) -> None:
    """After any steps, no copy exists twice. At the end each declared copy exists once."""
    history = History(make_stacks_project([]), simulator, random.Random(SEED))
    history.edit()
    while history.done["commands"] < examples(COMMANDS):
        (step,) = history.dice.choices(list(STEPS), weights=list(STEPS.values()))
        history.script.append(step.__name__)
        history.done[step.__name__] += 1
        step(history)
        history.require_once()
    history.converge()

    announce(f"seed {SEED}: " + ", ".join(f"{n} {what}" for what, n in history.done.items()))
