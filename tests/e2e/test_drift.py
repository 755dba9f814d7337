"""Each cell of the drift table, seen with the real CLI: what becomes of a replication.

`up` alone is tried first. Where it changes something, the situation is brought about once more,
with another backup, before `refresh`, `preview` and `up` follow each other.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.auth import make_authenticator
from pulumi_huaweicloud_cbr.client import CbrClient
from pulumi_huaweicloud_cbr.clock import SystemClock
from pulumi_huaweicloud_cbr.models import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.settings import Settings
from simulator.testing import Control, SimulatorProcess
from tests.e2e.conftest import SPEED
from tests.e2e.drift import COPIES, DRIFTS, DROPPED, KEPT, NOTHING, SAME, Drift, refused
from tests.e2e.driver import (
    PASSWORD,
    MakeProject,
    Outcome,
    Project,
    connection,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, SECOND_VAULT, VAULT

REGION = "cn-east-3"
PROJECT = ProjectScope(REGION, "863129926600475a959e8f2efb991722")
SOURCE = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
OTHER_BACKUP = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
NAME = f"erp-to-{REGION}"
MISSING = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
LONG_COPY = {"mode": "seconds", "seconds": 2000 * SPEED}
"""Ends only when the clock is pushed."""


@dataclass
class Bench:
    """A stack with one replication, and the cloud around it."""

    project: Project
    simulator: SimulatorProcess
    backup: str = BACKUP
    entry: dict[str, Any] = field(default_factory=dict)
    leaving: str = ""

    @property
    def control(self) -> Control:
        """What happens behind the cloud's back."""
        return self.simulator.control

    def declare(self, vault: str = VAULT, **more: Any) -> None:
        """Have the program declare the replication."""
        entry = {
            "name": "erp",
            "backup_id": self.backup,
            "destinations": [{"region": REGION, "vault_id": vault}],
            **more,
        }
        self.project.configure({"cbr-replication:replications": [entry]})

    def submit(self, vault: str = VAULT, **more: Any) -> None:
        """Have it submitted."""
        self.declare(vault, **more)
        self.project.up()

    def settle(self, **more: Any) -> None:
        """Have it made, and its copy ended and seen by a refresh."""
        self.submit(**more)
        self.control.advance(20_000)
        self.project.refresh()

    @property
    def replica(self) -> str:
        """The replica's id."""
        (replica,) = self.replicas()
        return str(replica["id"])

    def replicas(self) -> list[dict[str, Any]]:
        """The replicas in the destination."""
        return [row for row in self.control.replicas() if row["region"] == REGION]

    def record(self) -> str:
        """The id of the backup's newest record."""
        records = self.control.records()
        return str([row["id"] for row in records if row["source_backup_id"] == self.backup][-1])

    def script(self, **copy: Any) -> None:
        """Say how copies of the backup go."""
        self.control.change_backup(self.backup, copy=copy)

    def hide_replicas(self, looks: int) -> None:
        """Have the destination not show its replicas for that many looks."""
        answer: dict[str, Any] = {"action": "respond", "status": 404, "body": MISSING}
        self.control.fault(operation="ShowBackup", region=REGION, times=looks, **answer)

    def copy_elsewhere(self) -> None:
        """Have somebody else copy the backup to another vault of the region."""
        values = {**connection(self.simulator), "huaweicloud:password": PASSWORD}
        settings = Settings.load(values.get, {})
        request = ReplicateRequest(REGION, PROJECT.project_id, SECOND_VAULT)

        async def copy() -> None:
            async with CbrClient(settings, make_authenticator(settings, SystemClock())) as api:
                await api.replicate_backup(SOURCE, self.backup, request)

        asyncio.run(copy())
        self.control.advance(20_000)


# -- the situations ------------------------------------------------------------------------


def make_source_expired(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_backup(bench.backup)


def make_source_and_replica_gone(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_backup(bench.replica)
    bench.control.forget_backup(bench.backup)


def make_source_deleted_copying(bench: Bench) -> None:
    bench.script(**LONG_COPY)
    bench.submit()
    bench.control.forget_backup(bench.backup)


def make_source_deleted_copied(bench: Bench) -> None:
    make_source_deleted_copying(bench)
    bench.control.advance(20_000)


def make_source_busy(bench: Bench) -> None:
    bench.settle()
    bench.control.change_backup(bench.backup, status="restoring")


def make_replica_deleted(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_backup(bench.replica)


def make_replica_deleted_unseen(bench: Bench) -> None:
    bench.submit()
    bench.control.advance(20_000)
    bench.control.forget_backup(bench.replica)


def make_replica_late(bench: Bench) -> None:
    bench.submit()
    bench.control.advance(20_000)
    repeat_replica_late(bench)


def repeat_replica_late(bench: Bench) -> None:
    bench.hide_replicas(3)


def make_replica_leaving(bench: Bench) -> None:
    bench.settle()
    bench.leaving = bench.replica
    bench.control.change_backup(bench.leaving, status="deleting")


def make_replica_renamed(bench: Bench) -> None:
    bench.settle(destinations=[{"region": REGION, "vault_id": VAULT, "replica_name": "erp-dr"}])
    bench.control.change_backup(bench.replica, name="somebody-elses")


def make_replica_renamed_freely(bench: Bench) -> None:
    bench.settle()
    bench.control.change_backup(bench.replica, name="somebody-elses")


def make_vault_deleted(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_vault(VAULT)


def make_vault_frozen(bench: Bench) -> None:
    bench.settle()
    bench.control.change_vault(VAULT, status="frozen")


def make_vault_frozen_replacement(bench: Bench) -> None:
    make_vault_frozen(bench)
    bench.declare(description="another")


def make_other_vault_first(bench: Bench) -> None:
    bench.copy_elsewhere()
    bench.declare()


def make_other_vault_later(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_backup(bench.replica)
    bench.copy_elsewhere()


def make_copy_failed(bench: Bench) -> None:
    _end_copy(bench, "fail")


def make_copy_skipped(bench: Bench) -> None:
    _end_copy(bench, "skip")


def _end_copy(bench: Bench, outcome: str) -> None:
    bench.script(mode="immediate", outcome=outcome)
    bench.submit()
    bench.script(mode="immediate")


def make_record_lost(bench: Bench) -> None:
    bench.settle()
    bench.control.forget_record(bench.record())


def make_record_lost_unseen(bench: Bench) -> None:
    bench.submit()
    bench.control.advance(20_000)
    bench.control.forget_record(bench.record())


def make_status_unknown(bench: Bench) -> None:
    bench.script(mode="never")
    bench.submit()
    bench.control.change_record(bench.record(), status="paused")


MAKE: dict[str, Callable[[Bench], None]] = {
    row.key: getattr(sys.modules[__name__], f"make_{row.key}") for row in DRIFTS
}
REPEAT: dict[str, Callable[[Bench], None]] = {"replica_late": repeat_replica_late}
"""What a look uses up, and has to be brought about again before the next one."""


# -- what is seen --------------------------------------------------------------------------

WRITTEN = {
    (): NOTHING,
    ("CopyBackup",): COPIES,
    ("UpdateBackup",): "renames it back",
}
OPERATIONS = {"create": "create", "update": "update", "replace": "replace"}


def see_refusal(outcome: Outcome) -> str:
    """Return which input a refusal names; nothing was written."""
    found = set(re.findall(r"property (\w+) value .* has a problem", outcome.text))
    assert 1 == len(found), outcome.text
    return refused(found.pop())


def see_up(bench: Bench) -> str:
    """Run `up`; return what it did to the cloud."""
    before = bench.control.journal()
    running = start(bench.project, "up") if bench.leaving in _ids(bench) else None
    if running is not None and not bench.project.state():
        looks = len(bench.control.journal(operation="ShowBackup"))
        wait_until(lambda: len(bench.control.journal(operation="ShowBackup")) > looks + 4)
        assert not _written(bench, before)
        bench.control.forget_backup(bench.leaving)
        assert 0 == running.wait()
        assert ("CopyBackup",) == _written(bench, before)
        return f"waits, then {COPIES}"
    if running is not None:
        assert 0 == running.wait()
        return WRITTEN[_written(bench, before)]
    outcome = bench.project.run("up", "--yes", "--skip-preview")
    if outcome.code:
        assert () == _written(bench, before)
        return see_refusal(outcome)
    return WRITTEN[_written(bench, before)]


def _ids(bench: Bench) -> set[str]:
    return {replica["id"] for replica in bench.replicas()}


def _written(bench: Bench, before: list[dict[str, Any]]) -> tuple[str, ...]:
    since = before[-1]["sequence"] if before else 0
    return tuple(
        entry["operation"]
        for entry in bench.control.journal(since=since)
        if entry["method"] != "GET" and entry["operation"] != "CreateToken"
    )


def see_refresh(bench: Bench) -> str:
    """Run `refresh`; return what became of the resource in the state."""
    before = bench.project.state()
    outcome = bench.project.refresh()
    after = bench.project.state()
    if not before:
        return "nothing to look at"
    if not after:
        return DROPPED
    old, new = (state[NAME]["outputs"] for state in (before, after))
    shown = [
        f"`{name}: {json.dumps(new[name])}`".replace('"', "")
        for name in ("status", "source_deleted", "name")
        if name in new and new[name] != old.get(name)
    ]
    assert before[NAME]["id"] == after[NAME]["id"]
    warning = ["a warning"] if "warning:" in outcome.text else []
    return ", ".join([KEPT, *shown, *warning])


def see_preview(bench: Bench) -> str:
    """Run `preview`; return what it would do."""
    outcome = bench.project.run("preview", "--json")
    if outcome.code:
        return see_refusal(outcome)
    steps = [step for step in outcome.json()["steps"] if step["urn"].endswith(f"::{NAME}")]
    operations = [step["op"] for step in steps if step["op"] in OPERATIONS]
    return OPERATIONS[operations[0]] if operations else SAME


@pytest.fixture
def bench(make_stacks_project: MakeProject, simulator: SimulatorProcess) -> Bench:
    """An empty stack."""
    return Bench(make_stacks_project([]), simulator)


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda drift: drift.key)
def test_drift(drift: Drift, bench: Bench) -> None:
    """What is seen is what the table says, and no second copy comes about."""
    MAKE[drift.key](bench)
    before = bench.control.journal()
    plain_up = see_up(bench)
    if _written(bench, before):
        bench.backup = OTHER_BACKUP
        MAKE[drift.key](bench)
    elif drift.key in REPEAT:
        bench.control.drop_faults()
        REPEAT[drift.key](bench)

    refresh = see_refresh(bench)
    preview = see_preview(bench)
    up = see_up(bench)

    seen = Drift(drift.key, drift.title, plain_up, refresh, preview, up)
    assert drift == seen
    assert len(bench.replicas()) <= 1


def test_renamed_resource_keeps_its_replica(bench: Bench) -> None:
    """A resource with another name in the program adopts the replica; the old one leaves it."""
    bench.settle()
    replica = bench.replica
    before = bench.control.journal()

    bench.declare(name="erp-db")
    told = bench.project.up().text

    assert [f"erp-db-to-{REGION}"] == list(bench.project.state())
    assert () == _written(bench, before)
    assert replica == bench.replica
    assert "stays: a resource has adopted it" in told


def test_replace_option_keeps_the_replica(bench: Bench) -> None:
    """`up --replace` makes the new before it deletes the old, so the replica is adopted."""
    bench.settle()
    replica = bench.replica
    before = bench.control.journal()

    told = bench.project.up("--replace", bench.project.state()[NAME]["urn"]).text

    assert () == _written(bench, before)
    assert replica == bench.replica
    assert "stays: a resource has adopted it" in told
