"""The resources of a vault, which other tools declare: adding them, and removing them."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulator.cloud.rules.resources import MOST_RESOURCES
from simulator.cloud.specs import made_uuid
from simulator.testing import Control
from tests.simulator.rig import (
    BACKUP_VAULT,
    FROZEN_VAULT,
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

WEB = {"id": made_uuid("resource", "web-01"), "type": "OS::Nova::Server", "name": "web-01"}
NEW = {"id": UNKNOWN_ID, "type": "OS::Nova::Server"}
DISK = {"id": UNKNOWN_ID, "type": "OS::Cinder::Volume"}
ERP = {"id": "2d3e5f89-4ed2-411f-801f-21d70f3362de", "type": "OS::Nova::Server", "name": "erp"}


async def add(
    caller: Caller, *resources: dict[str, Any], vault_id: str = SOURCE_VAULT
) -> httpx.Response:
    """Return the answer to AddVaultResource."""
    body = {"resources": list(resources)}
    return await caller.call("POST", f"/vaults/{vault_id}/addresources", json=body)


async def remove(caller: Caller, *ids: str, vault_id: str = SOURCE_VAULT) -> httpx.Response:
    """Return the answer to RemoveVaultResource."""
    body = {"resource_ids": list(ids)}
    return await caller.call("POST", f"/vaults/{vault_id}/removeresources", json=body)


async def bound(caller: Caller, vault_id: str = SOURCE_VAULT) -> dict[str, str]:
    """Return the status of each resource of a vault, by its id."""
    vault = (await caller.get(f"/vaults/{vault_id}"))["vault"]
    return {row["id"]: row["protect_status"] for row in vault["resources"]}


# -- adding -------------------------------------------------------------------------------------


async def test_added_resource_is_shown_and_finds_its_vault(source: Caller) -> None:
    """The answer has the ids, and the vault the resource with all its fields."""
    excluded = {**NEW, "extra_info": {"exclude_volumes": [WEB["id"]]}}
    response = await add(source, WEB, excluded)
    vault = (await source.get(f"/vaults/{SOURCE_VAULT}"))["vault"]
    found = (await source.get("/vaults", resource_ids=UNKNOWN_ID))["vaults"]

    assert {"add_resource_ids": [WEB["id"], UNKNOWN_ID]} == response.json()
    assert [SOURCE_VAULT] == [row["id"] for row in found]
    assert {**excluded, "name": None}.items() <= vault["resources"][1].items()
    assert ("web-01", "available", False) == tuple(
        vault["resources"][0][key] for key in ("name", "protect_status", "auto_protect")
    )


async def test_added_resource_is_backed_up(source: Caller, control: Control) -> None:
    """A restore point of the vault has a backup of it."""
    await add(source, NEW)
    body = {"checkpoint": {"vault_id": SOURCE_VAULT, "parameters": {"resources": [UNKNOWN_ID]}}}
    await source.call("POST", "/checkpoints", json=body)
    control.advance(LONG_S)

    assert 1 == len((await source.get("/backups", resource_id=UNKNOWN_ID))["backups"])


@pytest.mark.parametrize(
    ("vault_id", "resources", "code"),
    [
        (VAULT, [NEW], "6108"),
        (BACKUP_VAULT, [DISK], "6102"),
        (BACKUP_VAULT, [NEW, NEW], "6104"),
        (FROZEN_VAULT, [NEW], "6112"),
    ],
    ids=["of replicas", "another kind", "twice", "frozen"],
)
async def test_resource_against_a_rule_is_refused(
    destination: Caller, vault_id: str, resources: list[dict[str, Any]], code: str
) -> None:
    """Each rule has its code, and nothing is added."""
    response = await add(destination, *resources, vault_id=vault_id)

    assert (400, f"BackupService.{code}") == code_of(response)
    assert {} == await bound(destination, vault_id)


async def test_resource_that_is_bound_is_refused(source: Caller) -> None:
    """A resource has one vault, and is added to it once."""
    await add(source, WEB)

    assert (400, "BackupService.6103") == code_of(await add(source, WEB))


async def test_resources_of_a_vault_are_limited(source: Caller) -> None:
    """A vault takes 256 resources."""
    many = [{**NEW, "id": made_uuid("many", str(number))} for number in range(MOST_RESOURCES)]
    first = await add(source, *many)
    one_more = await add(source, NEW)
    too_many = await add(source, *many, NEW)

    assert 200 == first.status_code
    assert (400, "BackupService.6100") == code_of(one_more)
    assert (400, "BackupService.9900") == code_of(too_many)


# -- removing -----------------------------------------------------------------------------------


async def test_removed_resource_goes_with_its_backups(source: Caller, control: Control) -> None:
    """Until its backups are deleted, the resource is shown as being removed; others stay."""
    await add(source, WEB, ERP)
    response = await remove(source, WEB["id"])
    during = await bound(source), (await source.show(SMALL_BACKUP))["status"]
    control.advance(19)
    nearly = await bound(source)
    control.advance(1)
    after = await bound(source)

    assert {"remove_resource_ids": [WEB["id"]]} == response.json()
    assert ({WEB["id"]: "removing", ERP["id"]: "available"}, "deleting") == during
    assert WEB["id"] in nearly
    assert {ERP["id"]: "available"} == after
    gone = await source.call("GET", f"/backups/{SMALL_BACKUP}")
    assert (404, "BackupService.6200") == code_of(gone)
    assert "available" == (await source.show(SERVER_BACKUP))["status"]


async def test_removed_resource_can_be_added_again(source: Caller, control: Control) -> None:
    """A resource without a vault takes another one."""
    await add(source, WEB)
    await remove(source, WEB["id"])
    before = await add(source, WEB)
    control.advance(LONG_S)

    assert (400, "BackupService.6103") == code_of(before)
    assert 200 == (await add(source, WEB)).status_code


async def test_remove_again_changes_nothing(source: Caller, control: Control) -> None:
    """A second request neither fails nor takes longer."""
    await add(source, WEB)
    await remove(source, WEB["id"])
    control.advance(10)
    again = await remove(source, WEB["id"], WEB["id"])
    control.advance(10)

    assert 200 == again.status_code
    assert {} == await bound(source)


async def test_remove_resource_not_in_the_vault_is_refused(source: Caller) -> None:
    """A resource that only has backups in a vault is not bound to it."""
    await add(source, ERP)
    response = await remove(source, ERP["id"], WEB["id"])

    assert (400, "BackupService.6135") == code_of(response)
    assert {ERP["id"]: "available"} == await bound(source)


async def test_remove_resource_with_a_copy_under_way_is_refused(source: Caller) -> None:
    """A backup that is being copied is not deleted, and its resource stays."""
    await add(source, ERP)
    await source.begin_copy(SERVER_BACKUP)
    response = await remove(source, ERP["id"])

    assert (400, "BackupService.6115") == code_of(response)
    assert {ERP["id"]: "available"} == await bound(source)


async def test_remove_resource_takes_no_backup_meanwhile(source: Caller) -> None:
    """A vault that loses a resource is backed up later."""
    await add(source, WEB, ERP)
    await remove(source, WEB["id"])
    body = {"checkpoint": {"vault_id": SOURCE_VAULT}}

    assert (400, "BackupService.6134") == code_of(
        await source.call("POST", "/checkpoints", json=body)
    )


async def test_removal_is_a_task(source: Caller, control: Control) -> None:
    """The operation log says which resource is removed, and with how many backups."""
    await add(source, ERP)
    await remove(source, ERP["id"])
    (running,) = (await source.get("/operation-logs"))["operation_logs"]
    control.advance(LONG_S)
    (ended,) = (await source.get("/operation-logs", operation_type="remove_resource"))[
        "operation_logs"
    ]

    details = ended["extra_info"]["remove_resources"]
    assert ("running", "success") == (running["status"], ended["status"])
    assert (2, 0) == (details["total_count"], details["fail_count"])
    assert [ERP] == details["resources"]
    assert (SOURCE_VAULT, ERP["id"]) == (ended["vault_id"], ended["extra_info"]["resource"]["id"])


async def test_vault_deleted_meanwhile_takes_its_removals_along(
    source: Caller, control: Control
) -> None:
    """A vault and a resource of it can leave at the same time."""
    await add(source, WEB)
    await remove(source, WEB["id"])
    response = await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
    control.advance(LONG_S)

    assert 204 == response.status_code
    assert (404, "BackupService.6105") == code_of(
        await source.call("GET", f"/vaults/{SOURCE_VAULT}")
    )


@pytest.mark.parametrize("path", ["addresources", "removeresources"])
@pytest.mark.parametrize("vault_id", [UNKNOWN_ID, VAULT], ids=["unknown", "other project"])
async def test_vault_not_of_project_is_not_found(source: Caller, path: str, vault_id: str) -> None:
    """Resources are changed only in a vault of the project."""
    body = {"resources": [NEW]} if path == "addresources" else {"resource_ids": [UNKNOWN_ID]}
    response = await source.call("POST", f"/vaults/{vault_id}/{path}", json=body)

    assert (404, "BackupService.6105") == code_of(response)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("addresources", {"resources": []}),
        ("addresources", {"resources": [{**NEW, "id": "web-01"}]}),
        ("addresources", {"resources": [{"id": UNKNOWN_ID}]}),
        ("removeresources", {"resource_ids": []}),
        ("removeresources", {"resource_ids": ["web-01"]}),
        ("removeresources", {}),
    ],
    ids=str,
)
async def test_malformed_request_is_refused(
    source: Caller, path: str, body: dict[str, Any]
) -> None:
    """Bodies follow the definitions."""
    response = await source.call("POST", f"/vaults/{SOURCE_VAULT}/{path}", json=body)

    assert (400, "BackupService.9900") == code_of(response)
