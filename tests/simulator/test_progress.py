"""Progress of copies: by the clock, by polls, or never; and their results."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from simulator.cloud.clock import VirtualClock
from simulator.cloud.cloud import Cloud
from simulator.cloud.rules.copy_refusals import Destination
from simulator.cloud.store import Backup
from simulator.testing import DEMO_WORLD, Control, InProcessSimulator
from simulator.worlds.files import load_world
from tests.simulator.rig import (
    LONG_S,
    PROJECT,
    REGION,
    SERVER_BACKUP,
    VAULT,
    Caller,
)

pytestmark = pytest.mark.anyio

COPY_S = 120 * 1024 / 80
"""The time of 120 GB at 80 MB/s."""


async def replica_status(destination: Caller) -> str:
    """Return the status of the only replica in the destination vault."""
    (replica,) = (await destination.get("/backups", vault_id=VAULT))["backups"]
    return str(replica["status"])


@pytest.mark.parametrize(
    ("share", "status", "progress", "of_replica"),
    [
        (0.0, "waiting_replicate", 0, "waiting_protect"),
        (0.09, "waiting_replicate", 0, "waiting_protect"),
        (0.11, "replicating", 11, "protecting"),
        (0.5, "replicating", 50, "protecting"),
        (0.999, "replicating", 99, "protecting"),
        (1.0, "success", 100, "available"),
        (50.0, "success", 100, "available"),
    ],
)
async def test_copy_by_clock_goes_through_its_states(
    simulator: InProcessSimulator,
    source: Caller,
    destination: Caller,
    share: float,
    status: str,
    progress: int,
    of_replica: str,
) -> None:
    """A copy waits, replicates and succeeds at 80 MB/s; its replica follows."""
    await source.begin_copy()
    simulator.clock.advance(COPY_S * share)
    record = await source.record()

    assert (status, progress) == (record["status"], record["extra_info"]["progress"])
    assert of_replica == await replica_status(destination)


async def test_copy_seconds_set_its_end(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A script may define the duration of a copy."""
    control.change_backup(SERVER_BACKUP, copy={"seconds": 60})
    await source.begin_copy()
    simulator.clock.advance(59)
    before = await source.record()
    simulator.clock.advance(1)
    after = await source.record()

    assert ("replicating", "success") == (before["status"], after["status"])


async def test_copy_immediate_has_ended_at_the_first_poll(control: Control, source: Caller) -> None:
    """A copy may be over before the first poll."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "immediate"})
    await source.begin_copy()

    assert "success" == (await source.record())["status"]


async def test_copy_after_reads_ends_at_that_poll(control: Control, source: Caller) -> None:
    """A copy may progress with polls of its record; lists with records count."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "after_reads", "reads": 4})
    await source.begin_copy()
    first = await source.record()
    await source.get("/backups", name="autobk_7c1e")
    await source.get("/backups", name="autobk_7c1e", show_replication="true")
    third = await source.record()
    fourth = await source.record()

    assert [("replicating", 25), ("replicating", 75), ("success", 100)] == [
        (row["status"], row["extra_info"]["progress"]) for row in (first, third, fourth)
    ]


async def test_copy_never_does_not_end(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A copy may hang."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "never"})
    await source.begin_copy()
    simulator.clock.advance(LONG_S * 4)

    assert "waiting_replicate" == (await source.record())["status"]


@pytest.mark.parametrize(
    ("outcome", "code", "reason"),
    [("fail", "BackupService.1006", "import failed"), ("skip", "", "")],
)
async def test_copy_without_success_leaves_no_replica(
    simulator: InProcessSimulator,
    control: Control,
    source: Caller,
    destination: Caller,
    outcome: str,
    code: str,
    reason: str,
) -> None:
    """A failed copy has a reason, uses no space, and names no replica any more."""
    simulator.world.options.destination_ids = "early"
    script: dict[str, Any] = {"seconds": 60, "outcome": outcome}
    if code:
        script |= {"fail_code": code, "fail_reason": reason}
    control.change_backup(SERVER_BACKUP, copy=script)
    await source.begin_copy()
    simulator.clock.advance(30)
    meanwhile = await replica_status(destination)
    simulator.clock.advance(30)
    record = await source.record()

    assert "protecting" == meanwhile
    assert outcome == record["status"]
    assert (code, reason) == (
        record["extra_info"]["fail_code"],
        record["extra_info"]["fail_reason"],
    )
    assert record["destination_backup_id"] is None
    assert 0 == (await destination.get("/backups", vault_id=VAULT))["count"]
    assert 0 == (await destination.get(f"/vaults/{VAULT}"))["vault"]["billing"]["used"]


@pytest.mark.parametrize(("choice", "is_early"), [("early", True), ("late", False)])
async def test_copy_names_its_replica_early_or_late(
    simulator: InProcessSimulator,
    source: Caller,
    choice: Literal["early", "late"],
    is_early: bool,
) -> None:
    """The world decides when the replica's ids are known, at success at the latest."""
    simulator.world.options.destination_ids = choice
    await source.begin_copy()
    meanwhile = await source.record()
    simulator.clock.advance(LONG_S)
    record = await source.record()

    for key in ("destination_backup_id", "destination_checkpoint_id"):
        assert (meanwhile[key] is not None) is is_early
        assert record[key] is not None
        assert not is_early or meanwhile[key] == record[key]


async def test_copy_continues_when_its_source_is_gone(
    simulator: InProcessSimulator, control: Control, source: Caller, destination: Caller
) -> None:
    """The record vanishes with its source, but the replica still arrives."""
    await source.begin_copy()
    control.forget_backup(SERVER_BACKUP)
    simulator.clock.advance(LONG_S)

    assert "available" == await replica_status(destination)
    assert [] == control.records()


async def test_copy_whose_replica_is_gone_ends_without_one(
    simulator: InProcessSimulator, control: Control, source: Caller, destination: Caller
) -> None:
    """A replica that vanishes during the copy uses no space, whatever the record says."""
    await source.begin_copy()
    control.forget_backup(control.replicas()[-1]["id"])
    simulator.clock.advance(LONG_S)

    assert "success" == (await source.record())["status"]
    assert 0 == (await destination.get("/backups", vault_id=VAULT))["count"]
    assert 0 == (await destination.get(f"/vaults/{VAULT}"))["vault"]["billing"]["used"]


async def test_speed_divides_the_time_of_copies() -> None:
    """With a speed of eight, a copy takes an eighth of its time."""
    clock = VirtualClock()
    cloud = Cloud(load_world(DEMO_WORLD), clock, None, speed=8)
    with cloud.session() as session:
        backup = session.get(Backup, SERVER_BACKUP)
        assert backup is not None
        record = cloud.copies.replicate(
            session, backup, Destination(REGION, PROJECT, VAULT), None, None
        )
        record_id = record.id
    statuses = []
    for seconds in (COPY_S / 8 - 1, 1):
        clock.advance(seconds)
        with cloud.session() as session:
            statuses.append(session.get_one(type(record), record_id).status)
    cloud.close()

    assert ["replicating", "success"] == statuses
