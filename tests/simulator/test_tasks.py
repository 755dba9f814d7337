"""The operation log: the entries of copies and deletions."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Control, InProcessSimulator
from tests.simulator.rig import (
    DISK_BACKUP,
    LONG_S,
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_VAULT,
    UNKNOWN_ID,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio

ERP = "2d3e5f89-4ed2-411f-801f-21d70f3362de"


async def tasks(caller: Caller, **query: Any) -> list[dict[str, Any]]:
    """Return the tasks that a query finds."""
    found: list[dict[str, Any]] = (await caller.get("/operation-logs", **query))["operation_logs"]
    return found


async def test_copy_under_way_is_a_running_task(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A task goes from waiting to running, with the record's progress, and names no replica yet."""
    await source.begin_copy()
    (waiting,) = await tasks(source)
    simulator.clock.advance(768)  # Half of what 120 GB take at 80 MB/s.
    (running,) = await tasks(source)

    assert ("waiting", "running") == (waiting["status"], running["status"])
    assert 50 == running["extra_info"]["common"]["progress"]
    assert "destination_backup_id" not in running["extra_info"]["replication"]
    assert running["ended_at"] is None


async def test_copy_that_succeeded_is_a_task_that_names_the_replica(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """The task of a completed copy has its end and the id of the replica."""
    await source.begin_copy(name="erp-dr")
    simulator.clock.advance(LONG_S)
    (task,) = await tasks(source, operation_type="replication", resource_id=ERP)
    record = await source.record()

    replication = task["extra_info"]["replication"]
    assert ("success", 100) == (task["status"], task["extra_info"]["common"]["progress"])
    assert "2026-11-20T08:25:36.000000" == task["ended_at"]
    assert {"code": "", "message": ""} == task["error_info"]
    assert (SOURCE_VAULT, "prod-servers") == (task["vault_id"], task["vault_name"])
    assert {"id": ERP, "type": "OS::Nova::Server", "name": "erp-db-01"} == (
        task["extra_info"]["resource"]
    )
    assert (SERVER_BACKUP, REGION) == (
        replication["source_backup_id"],
        replication["destination_region"],
    )
    assert (record["destination_backup_id"], "erp-dr") == (
        replication["destination_backup_id"],
        replication["destination_backup_name"],
    )


async def test_copy_that_failed_is_a_task_with_a_reason(control: Control, source: Caller) -> None:
    """The log says failed if the record says fail, and has the same code."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "immediate", "outcome": "fail"})
    await source.begin_copy()
    (task,) = await tasks(source)

    assert "failed" == task["status"]
    assert "BackupService.6129" == task["error_info"]["code"]


async def test_copy_that_was_skipped_is_a_skipped_task(control: Control, source: Caller) -> None:
    """The log says skipped if the record says skip."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "immediate", "outcome": "skip"})
    await source.begin_copy()

    assert ["skipped"] == [task["status"] for task in await tasks(source)]


async def test_copy_leaves_no_task_in_destination(source: Caller, destination: Caller) -> None:
    """A copy is logged where it was requested; the other side logs nothing (a choice)."""
    await source.begin_copy()

    assert [] == await tasks(destination)


async def test_task_outlives_its_backup(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A copy whose source is gone can still be followed in the log."""
    await source.begin_copy()
    control.forget_backup(SERVER_BACKUP)
    simulator.clock.advance(LONG_S)
    (task,) = await tasks(source)

    assert "success" == task["status"]
    assert (
        control.replicas()[-1]["id"] == (task["extra_info"]["replication"]["destination_backup_id"])
    )


async def test_deletion_is_a_task_of_its_own(simulator: InProcessSimulator, source: Caller) -> None:
    """A deletion is logged in the deleted object's project."""
    await source.call("DELETE", f"/backups/{SMALL_BACKUP}")
    (running,) = await tasks(source, operation_type="delete")
    simulator.clock.advance(LONG_S)
    (ended,) = await tasks(source, operation_type="delete")

    assert ("running", "success") == (running["status"], ended["status"])
    assert {"backup_id": SMALL_BACKUP, "backup_name": "autobk_8d2f"} == (
        ended["extra_info"]["delete"]
    )
    assert "2026-11-20T08:00:20.000000" == ended["ended_at"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 2),
        ({"limit": 1}, 1),
        ({"offset": 1}, 1),
        ({"operation_type": "copy"}, 0),
        ({"operation_type": "replication"}, 1),
        ({"status": "running"}, 1),
        ({"status": "waiting"}, 1),
        ({"resource_id": ERP}, 1),
        ({"resource_name": "web-01"}, 1),
        ({"provider_id": UNKNOWN_ID}, 0),
        ({"vault_id": SOURCE_VAULT}, 2),
        ({"vault_name": "prod-files"}, 0),
        ({"start_time": "2026-11-20T08:00:00Z"}, 2),
        ({"end_time": "2026-11-20T07:59:59Z"}, 0),
        ({"enterprise_project_id": UNKNOWN_ID}, 0),
    ],
    ids=str,
)
async def test_list_tasks_filter_finds_what_fits(
    source: Caller, query: dict[str, Any], count: int
) -> None:
    """Each filter narrows the list."""
    await source.begin_copy()
    await source.call("DELETE", f"/backups/{SMALL_BACKUP}")

    assert count == len(await tasks(source, **query))


@pytest.mark.parametrize(
    "query",
    [
        {"status": "success,failed"},
        {"status": "fail"},
        {"operation_type": "replicate"},
        {"limit": 1001},
        {"end_time": "soon"},
        {"backup_id": SERVER_BACKUP},
    ],
    ids=str,
)
async def test_list_tasks_bad_query_is_refused(source: Caller, query: dict[str, Any]) -> None:
    """A wrong value and an unknown parameter are refused with 9900."""
    response = await source.call("GET", "/operation-logs", params=query)

    assert (400, "BackupService.9900") == code_of(response)


async def test_show_task_known_id_is_the_listed_one(source: Caller) -> None:
    """A task can be read individually."""
    await source.begin_copy()
    (listed,) = await tasks(source)

    assert {"operation_log": listed} == await source.get(f"/operation-logs/{listed['id']}")


async def test_show_task_unknown_id_is_not_found(source: Caller) -> None:
    """A task that does not exist is refused with 6500."""
    response = await source.call("GET", f"/operation-logs/{UNKNOWN_ID}")

    assert (404, "BackupService.6500") == code_of(response)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"destination_region": REGION}, ["web-01", "erp-db-01"]),
        ({"destination_region": "cn-south-1"}, []),
        ({"destination_project_id": PROJECT}, ["web-01", "erp-db-01"]),
        ({"destination_project_id": UNKNOWN_ID}, []),
        ({"destination_region": REGION, "offset": 0, "limit": 1}, ["web-01"]),
        ({"destination_region": REGION, "offset": 1, "limit": 1}, ["erp-db-01"]),
    ],
    ids=str,
)
async def test_tasks_are_found_by_their_destination(
    source: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    """The filters of 2026 find copies only, in pages that begin at 0."""
    await source.begin_copy()
    await source.begin_copy(SMALL_BACKUP)
    await source.call("DELETE", f"/backups/{DISK_BACKUP}")
    found = await tasks(source, **query)

    assert expected == [task["extra_info"]["resource"]["name"] for task in found]
