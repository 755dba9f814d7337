"""When backups expire: how that is changed, and what an expired backup does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from simulator.cloud.specs import World
from simulator.testing import Control, InProcessSimulator
from tests.simulator.rig import (
    LONG_S,
    PROJECT,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
    connect,
    sign_in,
)

pytestmark = pytest.mark.anyio

DAY = "2026-11-21"
SOON = "2026-11-20T08:01:00"
"""A minute after the virtual clock's start."""


async def change(caller: Caller, vault_id: str = SOURCE_VAULT, **body: Any) -> httpx.Response:
    """Return the answer to UpdateExpirationTime."""
    wanted = {"expect_expiration_date": DAY, "time_zone": "UTC+08:00", **body}
    path = f"/vaults/{vault_id}/update-backup-expiration-time"
    return await caller.call("PUT", path, json=wanted)


@pytest.fixture
async def strict(demo_world: World) -> AsyncIterator[tuple[InProcessSimulator, Caller]]:
    """A simulator that deletes what has expired, and a caller for the source project."""
    world = demo_world.model_copy(deep=True)
    world.options.expiry = "deletes"
    simulator = InProcessSimulator(world)
    async with connect(simulator) as client:
        yield simulator, await sign_in(client, SOURCE_PROJECT)
    simulator.close()


async def status(caller: Caller, backup_id: str = SMALL_BACKUP) -> str:
    """Return a backup's status, "gone" if there is none."""
    response = await caller.call("GET", f"/backups/{backup_id}")
    return str(response.json()["backup"]["status"]) if response.is_success else "gone"


# -- changing -----------------------------------------------------------------------------------


async def test_expiry_changes_for_all_backups_of_a_vault(source: Caller) -> None:
    """The day begins in the given time zone; backups of other vaults keep theirs."""
    response = await change(source)
    shown = (await source.get("/backups"))["backups"]
    (task,) = (await source.get("/operation-logs"))["operation_logs"]

    answer = response.json()
    of_vault = [row["expired_at"] for row in shown if row["vault_id"] == SOURCE_VAULT]
    assert {"2026-11-20T16:00:00.000000"} == set(of_vault)
    assert {None} == {row["expired_at"] for row in shown if row["vault_id"] != SOURCE_VAULT}
    assert (len(of_vault), DAY) == (answer["affected_backups_count"], answer["new_expiration_day"])
    assert (answer["operation_log_id"], "success") == (task["id"], task["status"])
    assert {"affected_backups_count": len(of_vault), "expiration_day": DAY} == (
        task["extra_info"]["update_expiration_time"]
    )


@pytest.mark.parametrize(
    "body",
    [
        {"expect_expiration_date": "2026-11-20"},
        {"expect_expiration_date": "2027-02-30"},
        {"expect_expiration_date": "21.11.2026"},
        {"expect_expiration_date": None},
        {"time_zone": "Asia/Shanghai"},
        {"time_zone": None},
        {"days": 7},
    ],
    ids=str,
)
async def test_expiry_malformed_is_refused(source: Caller, body: dict[str, Any]) -> None:
    """A day in the past, no day, and an unknown time zone are refused."""
    assert (400, "BackupService.9900") == code_of(await change(source, **body))


async def test_expiry_without_a_day_is_refused(source: Caller) -> None:
    """The reference does not say what is changed then."""
    path = f"/vaults/{SOURCE_VAULT}/update-backup-expiration-time"
    response = await source.call("PUT", path, json={"time_zone": "UTC+08:00"})

    assert (400, "BackupService.9900") == code_of(response)
    assert response.json()["error_msg"].endswith("not modelled")


@pytest.mark.parametrize("vault_id", [UNKNOWN_ID, VAULT], ids=["unknown", "other project"])
async def test_expiry_of_another_vault_is_not_found(source: Caller, vault_id: str) -> None:
    """Only the vaults of the project can be changed."""
    assert (404, "BackupService.6105") == code_of(await change(source, vault_id))


# -- expiring -----------------------------------------------------------------------------------


async def test_expired_backup_stays_by_default(source: Caller, control: Control) -> None:
    """Without the option, the time is shown and nothing happens."""
    control.change_backup(SMALL_BACKUP, expired_at=SOON)
    control.advance(LONG_S)

    assert "available" == await status(source)


async def test_expired_backup_is_deleted(strict: tuple[InProcessSimulator, Caller]) -> None:
    """With the option, a deletion begins at that time, takes as long as others, and is logged."""
    simulator, caller = strict
    simulator.control.change_backup(SMALL_BACKUP, expired_at=SOON)
    seen = [await status(caller)]
    for seconds in (60, 19, 1):
        simulator.clock.advance(seconds)
        seen.append(await status(caller))
    (task,) = (await caller.get("/operation-logs"))["operation_logs"]

    assert ["available", "deleting", "deleting", "gone"] == seen
    assert ("delete", "2026-11-20T08:01:20.000000") == (task["operation_type"], task["ended_at"])
    assert "available" == await status(caller, SERVER_BACKUP)


async def test_expired_backup_is_kept_while_it_is_copied(
    strict: tuple[InProcessSimulator, Caller],
) -> None:
    """A copy under way ends first."""
    simulator, caller = strict
    await caller.begin_copy(SMALL_BACKUP)
    simulator.control.change_backup(SMALL_BACKUP, expired_at=SOON)
    simulator.clock.advance(90)
    during = await status(caller)
    simulator.clock.advance(LONG_S)

    assert ("available", "gone") == (during, await status(caller))


async def test_expired_replica_is_deleted_too(
    strict: tuple[InProcessSimulator, Caller],
) -> None:
    """A replica expires like a backup, also by a change for its vault."""
    simulator, caller = strict
    await caller.begin_copy(SMALL_BACKUP)
    simulator.clock.advance(LONG_S)
    there = await sign_in(caller.client, PROJECT)
    response = await change(there, VAULT)
    simulator.clock.advance(24 * 3600)
    there = await sign_in(caller.client, PROJECT)

    assert 1 == response.json()["affected_backups_count"]
    assert [] == (await there.get("/backups", vault_id=VAULT))["backups"]
