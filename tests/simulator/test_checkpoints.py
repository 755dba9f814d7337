"""Restore points that the API creates, and their backups."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulator.cloud.specs import made_uuid
from simulator.testing import Control
from tests.simulator.rig import (
    BACKUP_VAULT,
    FROZEN_VAULT,
    LONG_S,
    REPLICA,
    SERVER_BACKUP,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio

ERP, WEB = "2d3e5f89-4ed2-411f-801f-21d70f3362de", made_uuid("resource", "web-01")


async def back_up(caller: Caller, vault_id: str = SOURCE_VAULT, **given: Any) -> httpx.Response:
    """Request a restore point."""
    body = {"checkpoint": {"vault_id": vault_id, "parameters": given}}
    return await caller.call("POST", "/checkpoints", json=body)


async def begin(caller: Caller, **given: Any) -> dict[str, Any]:
    """Start a restore point of the source vault; return it."""
    response = await back_up(caller, **given)
    assert 200 == response.status_code, response.text
    checkpoint: dict[str, Any] = response.json()["checkpoint"]
    return checkpoint


async def test_create_checkpoint_backs_up_what_is_asked_for(
    source: Caller, control: Control
) -> None:
    """Each resource gets a backup with the same restore point, incomplete at first."""
    made = await begin(source, resources=[ERP, WEB], name="before-change", description="by hand")
    backups = (await source.get("/backups", checkpoint_id=made["id"]))["backups"]
    control.advance(60)
    ready = (await source.get("/backups", checkpoint_id=made["id"]))["backups"]
    shown = (await source.get(f"/checkpoints/{made['id']}"))["checkpoint"]

    assert {ERP, WEB} == {row["resource_id"] for row in backups}
    assert {("before-change", "by hand", "protecting", None)} == {
        (row["name"], row["description"], row["status"], row["expired_at"]) for row in backups
    }
    assert {"available"} == {row["status"] for row in ready}
    assert ("protecting", "available") == (made["status"], shown["status"])
    assert [("120", "protecting"), ("40", "protecting")] == [
        (row["resource_size"], row["protect_status"]) for row in made["vault"]["resources"]
    ]
    assert {"name": "before-change", "description": "by hand", "retention_duration": -1} == shown[
        "extra_info"
    ]


async def test_create_checkpoint_uses_space_once_complete(source: Caller, control: Control) -> None:
    """An incomplete backup uses no space."""
    before = (await source.get(f"/vaults/{SOURCE_VAULT}"))["vault"]["billing"]["used"]
    await begin(source, resources=[ERP])
    meanwhile = (await source.get(f"/vaults/{SOURCE_VAULT}"))["vault"]["billing"]["used"]
    control.advance(60)
    after = (await source.get(f"/vaults/{SOURCE_VAULT}"))["vault"]["billing"]["used"]

    assert (0, 120 * 1024) == (meanwhile - before, after - before)


async def test_create_checkpoint_backup_can_be_copied_when_ready(
    source: Caller, control: Control
) -> None:
    """A new backup is refused while incomplete, then copied like any other."""
    made = await begin(source, resources=[ERP])
    (backup,) = (await source.get("/backups", checkpoint_id=made["id"]))["backups"]
    early = await source.replicate(backup["id"])
    control.advance(60)
    later = await source.replicate(backup["id"])

    assert (400, "BackupService.1001") == code_of(early)
    assert 200 == later.status_code


async def test_create_checkpoint_has_the_requested_retention(source: Caller) -> None:
    """A restore point shows its retention in days, and its backups when they expire."""
    made = await begin(source, resources=[ERP], retention_duration_days=7)
    (backup,) = (await source.get("/backups", checkpoint_id=made["id"]))["backups"]

    assert 7 == made["extra_info"]["retention_duration"]
    assert "2026-11-27T08:00:00.000000" == backup["expired_at"]


@pytest.mark.parametrize(
    ("given", "prefix"), [({}, "manualbk_"), ({"auto_trigger": True}, "autobk_")], ids=str
)
async def test_create_checkpoint_without_a_name_gets_one(
    source: Caller, given: dict[str, Any], prefix: str
) -> None:
    """The name shows who requested the backup."""
    assert (await begin(source, **given))["extra_info"]["name"].startswith(prefix)


async def test_create_checkpoint_without_resources_takes_all(source: Caller) -> None:
    """If no resource is named, each of the vault's is backed up, once."""
    made = await begin(source)
    named = [row["name"] for row in made["vault"]["resources"]]

    assert sorted({*named}) == sorted(named)
    assert {"erp-db-01", "web-01", "web-02"} < set(named)
    assert "web-06" not in named  # Only a replica of it exists.


async def test_create_checkpoint_is_a_task_of_type_backup(source: Caller, control: Control) -> None:
    """The operation log has an entry for each backup."""
    made = await begin(source, resource_details=[{"id": ERP, "type": "OS::Nova::Server"}])
    (running,) = (await source.get("/operation-logs", operation_type="backup"))["operation_logs"]
    control.advance(60)
    (done,) = (await source.get("/operation-logs", operation_type="backup"))["operation_logs"]
    (backup,) = (await source.get("/backups", checkpoint_id=made["id"]))["backups"]

    assert ("running", "success") == (running["status"], done["status"])
    assert backup["id"] == done["extra_info"]["backup"]["backup_id"]


@pytest.mark.parametrize(
    ("vault_id", "given", "expected"),
    [
        (SOURCE_VAULT, {"resources": [UNKNOWN_ID]}, (400, "6135")),
        (SOURCE_VAULT, {"name": "with space"}, (400, "9900")),
        (SOURCE_VAULT, {"resources": ["no uuid"]}, (400, "9900")),
        (SOURCE_VAULT, {"description": "<b>"}, (400, "9900")),
        (SOURCE_VAULT, {"incremental": "true"}, (400, "9900")),
        (SOURCE_VAULT, {"retention_duration_days": -2}, (400, "9900")),
        (SOURCE_VAULT, {"retention_duration_days": 0}, (400, "9900")),
        (SOURCE_VAULT, {"vault": "x"}, (400, "9900")),
        (UNKNOWN_ID, {}, (404, "6105")),
        (VAULT, {}, (404, "6105")),
    ],
    ids=str,
)
async def test_create_checkpoint_against_a_rule_is_refused(
    source: Caller, vault_id: str, given: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Each rule has its code, and nothing is started."""
    response = await back_up(source, vault_id, **given)
    tasks = (await source.get("/operation-logs"))["count"]

    assert (expected[0], f"BackupService.{expected[1]}") == code_of(response)
    assert 0 == tasks


@pytest.mark.parametrize(
    ("vault_id", "code"),
    [(VAULT, "6124"), (FROZEN_VAULT, "6124"), (BACKUP_VAULT, "0001")],
    ids=["for replicas", "frozen, for replicas", "empty"],
)
async def test_create_checkpoint_unfit_vault_is_refused(
    destination: Caller, vault_id: str, code: str
) -> None:
    """Replication vaults take no new backups, and an empty vault has nothing to back up."""
    response = await back_up(destination, vault_id)

    assert (400, f"BackupService.{code}") == code_of(response)


@pytest.mark.parametrize(
    ("change", "code"),
    [({"status": "frozen"}, "6113"), ({"used_mb": 2000 * 1024}, "6114")],
    ids=str,
)
async def test_create_checkpoint_frozen_or_full_vault_is_refused(
    source: Caller, control: Control, change: dict[str, Any], code: str
) -> None:
    """A frozen vault and a full one accept no backup."""
    control.change_vault(SOURCE_VAULT, **change)

    assert (400, f"BackupService.{code}") == code_of(await back_up(source))


async def test_create_checkpoint_twice_at_once_is_refused(source: Caller, control: Control) -> None:
    """A vault runs one backup at a time, and is not deleted meanwhile."""
    await begin(source, resources=[ERP])
    second = await back_up(source, resources=[WEB])
    deletion = await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
    control.advance(60)
    third = await back_up(source, resources=[WEB])

    assert (400, "BackupService.6125") == code_of(second)
    assert (400, "BackupService.6203") == code_of(deletion)
    assert 200 == third.status_code


async def test_show_checkpoint_of_the_world_is_its_backup(source: Caller) -> None:
    """A backup of the world file has a restore point, too."""
    checkpoint_id = (await source.show(SERVER_BACKUP))["checkpoint_id"]
    shown = (await source.get(f"/checkpoints/{checkpoint_id}"))["checkpoint"]

    assert (SOURCE_VAULT, "prod-servers") == (shown["vault"]["id"], shown["vault"]["name"])
    assert [ERP] == [row["id"] for row in shown["vault"]["resources"]]
    assert 29 == shown["extra_info"]["retention_duration"]


async def test_show_checkpoint_ends_with_its_last_backup(source: Caller, control: Control) -> None:
    """A restore point without backups does not exist, nor does one of another project."""
    checkpoint_id = (await source.show(REPLICA))["checkpoint_id"]
    await source.call("DELETE", f"/backups/{REPLICA}")
    meanwhile = (await source.get(f"/checkpoints/{checkpoint_id}"))["checkpoint"]["status"]
    control.advance(LONG_S)
    after = await source.call("GET", f"/checkpoints/{checkpoint_id}")

    assert "deleting" == meanwhile
    assert (404, "BackupService.6217") == code_of(after)
