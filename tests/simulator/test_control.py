"""The control routes: what happens in the cloud without the API."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulator.testing import Control, InProcessSimulator
from tests.simulator.rig import (
    LONG_S,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio


async def test_health_is_ready(client: httpx.AsyncClient) -> None:
    """A simulator that answers is ready."""
    response = await client.get("/_simulator/health")

    assert (200, {"status": "ready"}) == (response.status_code, response.json())


async def test_state_shows_all_regions(control: Control, source: Caller) -> None:
    """The state has everything, by region, and replicas even before they are named."""
    await source.begin_copy()
    state = control.state()

    assert {"backups", "replicas", "records", "vaults"} == set(state)
    assert [10, 2, 1, 12] == [
        len(state[key]) for key in ("backups", "replicas", "records", "vaults")
    ]
    assert state["replicas"][-1]["id"] == state["records"][0]["destination_backup_id"]
    assert "cn-east-3" == state["replicas"][-1]["region"]
    assert {"cn-north-4", "cn-east-3", "cn-south-1"} == {row["region"] for row in state["vaults"]}


async def test_clock_advanced_moves_time(simulator: InProcessSimulator, control: Control) -> None:
    """The clock can be advanced."""
    before = simulator.clock.now()
    control.advance(90)

    assert before + 90 == simulator.clock.now()


@pytest.mark.parametrize("seconds", [-1, "soon", None])
async def test_clock_is_never_turned_back(client: httpx.AsyncClient, seconds: Any) -> None:
    """Time only increases."""
    response = await client.post("/_simulator/clock", json={"seconds": seconds})

    assert 422 == response.status_code


async def test_backup_changed_is_seen(control: Control, source: Caller) -> None:
    """Name, status, expiry and vault of a backup can be changed; omitted fields stay."""
    vaults = {row["name"]: row["id"] for row in control.state()["vaults"]}
    control.change_backup(SERVER_BACKUP, name="other", expired_at="2027-01-01T00:00:00Z")
    control.change_backup(SERVER_BACKUP, vault_id=vaults["prod-disks"])
    control.change_backup(SERVER_BACKUP, status="restoring")
    backup = await source.show(SERVER_BACKUP)

    assert ("other", "restoring") == (backup["name"], backup["status"])
    assert vaults["prod-disks"] == backup["vault_id"]
    assert "2027-01-01T00:00:00.000000" == backup["expired_at"]


async def test_backup_forgotten_is_gone_at_once(control: Control, source: Caller) -> None:
    """A backup can vanish without a deletion."""
    control.forget_backup(SMALL_BACKUP)

    assert (404, "BackupService.6200") == code_of(
        await source.call("GET", f"/backups/{SMALL_BACKUP}")
    )


async def test_vault_changed_is_seen(control: Control, destination: Caller) -> None:
    """Status, size and use of a vault can be changed."""
    control.change_vault(VAULT, status="frozen", size_gb=7, used_mb=9)
    billing = (await destination.get(f"/vaults/{VAULT}"))["vault"]["billing"]

    assert ("frozen", 7, 9) == (billing["status"], billing["size"], billing["used"])


async def test_vault_forgotten_removes_its_backups(control: Control, source: Caller) -> None:
    """A vault vanishes with its content."""
    control.forget_vault(SOURCE_VAULT)
    found = await source.get("/backups")

    assert 2 == found["count"]
    assert 404 == (await source.call("GET", f"/vaults/{SOURCE_VAULT}")).status_code


async def test_record_changed_is_seen(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A record can have an unknown status."""
    record_id = await source.begin_copy()
    simulator.clock.advance(LONG_S)
    control.change_record(record_id, status="paused")

    assert "paused" == (await source.record())["status"]


async def test_record_script_changed_ends_a_copy(control: Control, source: Caller) -> None:
    """A copy that hangs can be made to continue."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "never"})
    record_id = await source.begin_copy()
    control.change_record(record_id, copy={"mode": "immediate"})

    assert "success" == (await source.record())["status"]


async def test_record_forgotten_leaves_the_replica(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A record can vanish; the copy continues and the replica arrives."""
    record_id = await source.begin_copy()
    control.forget_record(record_id)
    simulator.clock.advance(LONG_S)

    assert [] == (await source.show(SERVER_BACKUP))["replication_records"]
    assert "available" == control.replicas()[-1]["status"]


@pytest.mark.parametrize("kind", ["backup", "vault", "record"])
@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
async def test_unknown_id_is_named(client: httpx.AsyncClient, method: str, kind: str) -> None:
    """A wrong id in a test is reported, not ignored."""
    options: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    response = await client.request(method, f"/_simulator/{kind}s/{UNKNOWN_ID}", **options)

    assert (404, {"detail": f"no {kind} ({UNKNOWN_ID})"}) == (
        response.status_code,
        response.json(),
    )


@pytest.mark.parametrize(
    ("path", "change"),
    [
        (f"/backups/{SERVER_BACKUP}", {"nmae": "x"}),
        (f"/backups/{SERVER_BACKUP}", {"expired_at": "soon"}),
        (f"/backups/{SERVER_BACKUP}", {"copy": {"mode": "slowly"}}),
        (f"/vaults/{VAULT}", {"size_gb": 0}),
        (f"/vaults/{VAULT}", {"name": "x"}),
    ],
    ids=str,
)
async def test_wrong_change_is_refused(
    client: httpx.AsyncClient, path: str, change: dict[str, Any]
) -> None:
    """A change of a fixed field is reported, not ignored."""
    response = await client.patch(f"/_simulator{path}", json=change)

    assert 422 == response.status_code
    assert next(iter(change)) in response.json()["detail"]


def test_control_error_names_request_and_reason(control: Control) -> None:
    """A mistake in a test is an assertion with the simulator's message."""
    with pytest.raises(AssertionError, match=f"DELETE /records/{UNKNOWN_ID}: 404"):
        control.forget_record(UNKNOWN_ID)
