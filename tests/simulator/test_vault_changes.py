"""Vaults that the API creates, changes and deletes."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import DEMO_WORLD, Control, InProcessSimulator
from simulator.worlds.files import load_world
from tests.simulator.rig import (
    FROZEN_VAULT,
    LONG_S,
    PROJECT,
    REPLICA,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
    connect,
    sign_in,
)

pytestmark = pytest.mark.anyio

SERVER = {"id": UNKNOWN_ID, "type": "OS::Nova::Server", "name": "web-09"}


def vault_body(billing: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return the body of CreateVault."""
    usual = {
        "protect_type": "replication",
        "object_type": "server",
        "consistent_level": "crash_consistent",
        "size": 500,
    }
    wanted = {"name": "dr-new", "resources": [], "billing": {**usual, **(billing or {})}}
    return {"vault": {**wanted, **changes}}


async def make(caller: Caller, billing: dict[str, Any] | None = None, **changes: Any) -> Any:
    """Create a vault; return it."""
    response = await caller.call("POST", "/vaults", json=vault_body(billing, **changes))
    assert 200 == response.status_code, response.text
    return response.json()["vault"]


async def update(caller: Caller, vault_id: str, **changes: Any) -> Any:
    """Return the answer to UpdateVault."""
    return await caller.call("PUT", f"/vaults/{vault_id}", json={"vault": changes})


# -- creating -------------------------------------------------------------------------------------


async def test_create_vault_has_documented_defaults(destination: Caller) -> None:
    """Omitted fields have the documented defaults."""
    made = await make(destination)
    shown = (await destination.get(f"/vaults/{made['id']}"))["vault"]

    assert ("dr-new", PROJECT, "available") == (
        shown["name"],
        shown["project_id"],
        shown["billing"]["status"],
    )
    assert (False, False, True, 80, False) == tuple(
        shown[key] for key in ("auto_bind", "auto_expand", "smn_notify", "threshold", "locked")
    )
    assert (0, "vault.replication.server.normal") == (
        shown["billing"]["used"],
        shown["billing"]["spec_code"],
    )
    assert shown.items() <= made.items()


async def test_create_vault_same_name_again_is_another_vault(destination: Caller) -> None:
    """Names need not be unique: the id identifies a vault."""
    first, second = await make(destination), await make(destination)
    listed = (await destination.get("/vaults", name="dr-new"))["vaults"]

    assert first["id"] != second["id"]
    assert {first["id"], second["id"]} == {row["id"] for row in listed}


async def test_create_vault_is_found_by_its_resources(destination: Caller) -> None:
    """A vault is found by a resource that has no backup in it yet."""
    made = await make(destination, {"protect_type": "backup"}, resources=[SERVER])
    listed = (await destination.get("/vaults", resource_ids=UNKNOWN_ID))["vaults"]

    assert [made["id"]] == [row["id"] for row in listed]


async def test_vault_shows_the_prefix_of_its_backups(destination: Caller) -> None:
    """A prefix is shown wherever a vault is; clients replace a vault that does not show it."""
    made = await make(destination, {"protect_type": "backup"}, backup_name_prefix="nightly")
    changed = (await update(destination, made["id"], threshold=70)).json()["vault"]
    shown = (await destination.get(f"/vaults/{made['id']}"))["vault"]
    (listed,) = (await destination.get("/vaults", name="dr-new"))["vaults"]
    (other,) = (await destination.get("/vaults", name="dr-full"))["vaults"]

    assert ["nightly"] * 4 == [row["backup_name_prefix"] for row in (made, changed, shown, listed)]
    assert other["backup_name_prefix"] is None


async def test_vault_shows_whether_resources_are_backed_up_by_its_policy(
    destination: Caller,
) -> None:
    """Each bound resource has `auto_protect`."""
    made = await make(destination, {"protect_type": "backup"}, resources=[SERVER])
    (resource,) = (await destination.get(f"/vaults/{made['id']}"))["vault"]["resources"]

    assert resource["auto_protect"] is False


@pytest.mark.parametrize(
    ("object_type", "spec_code"),
    [
        ("server", "vault.backup.server.normal"),
        ("disk", "vault.backup.volume.normal"),
        ("turbo", "vault.backup.turbo.normal"),
        ("rds", "vault.backup.database.normal"),
    ],
)
async def test_vault_of_each_kind_has_the_documented_code(
    destination: Caller, object_type: str, spec_code: str
) -> None:
    """The codes of disks and databases do not have the kind's name."""
    made = await make(destination, {"protect_type": "backup", "object_type": object_type})

    assert spec_code == made["billing"]["spec_code"]


@pytest.mark.parametrize(
    ("billing", "changes", "code"),
    [
        ({"object_type": "disk"}, {}, "6116"),
        ({}, {"resources": [SERVER]}, "6108"),
        ({"protect_type": "backup"}, {"resources": [SERVER, SERVER]}, "6104"),
        ({"protect_type": "backup", "object_type": "turbo"}, {"resources": [SERVER]}, "6102"),
    ],
    ids=["disks", "resources of replicas", "twice", "another kind"],
)
async def test_create_vault_against_a_rule_is_refused(
    destination: Caller, billing: dict[str, Any], changes: dict[str, Any], code: str
) -> None:
    """Each rule about vaults and resources has its code."""
    response = await destination.call("POST", "/vaults", json=vault_body(billing, **changes))

    assert (400, f"BackupService.{code}") == code_of(response)


async def test_create_vault_resource_of_another_vault_is_refused(destination: Caller) -> None:
    """A resource is bound to one vault."""
    backup = {"protect_type": "backup"}
    await make(destination, backup, resources=[SERVER])
    response = await destination.call(
        "POST", "/vaults", json=vault_body(backup, resources=[SERVER])
    )

    assert (400, "BackupService.6103") == code_of(response)


TAG = {"key": "team", "value": "erp"}


@pytest.mark.parametrize(
    ("billing", "changes", "where"),
    [
        ({"size": 9}, {}, "billing.size"),
        ({"size": 10_485_761}, {}, "billing.size"),
        ({"size": "500"}, {}, "billing.size"),
        ({"size": True}, {}, "billing.size"),
        ({"protect_type": "hybrid"}, {}, "billing.protect_type"),
        ({"object_type": "servers"}, {}, "billing.object_type"),
        ({"consistent_level": None}, {}, "billing.consistent_level"),
        ({"charging_mode": "pre_paid"}, {}, "billing.charging_mode"),
        ({"status": "available"}, {}, "invalid key vault.billing.status"),
        ({}, {"name": ""}, "name"),
        ({}, {"name": "with space"}, "name"),
        ({}, {"name": "x" * 65}, "name"),
        ({}, {"resources": None}, "resources"),
        ({}, {"resources": [{**SERVER, "id": "no uuid"}]}, "resources.0.id"),
        ({}, {"resources": [{**SERVER, "size": 1}]}, "resources.0.size"),
        ({}, {"description": "<b>"}, "description"),
        ({}, {"description": "x" * 65}, "description"),
        ({}, {"tags": []}, "tags"),
        ({}, {"tags": [TAG, TAG]}, "tags"),
        ({}, {"tags": [{**TAG, "key": "x" * 37}]}, "tags.0.key"),
        ({}, {"tags": [{"key": f"k{number}", "value": ""} for number in range(11)]}, "tags"),
        ({}, {"bind_rules": {"tags": []}}, "bind_rules.tags"),
        ({}, {"threshold": 0}, "threshold"),
        ({}, {"threshold": 101}, "threshold"),
        ({}, {"locked": "true"}, "locked"),
        ({}, {"backup_name_prefix": "x" * 33}, "backup_name_prefix"),
        ({}, {"used": 1}, "invalid key vault.used"),
    ],
    ids=str,
)
async def test_create_vault_malformed_is_refused(
    destination: Caller, billing: dict[str, Any], changes: dict[str, Any], where: str
) -> None:
    """Unknown fields, wrong types and values out of limits are refused, and named."""
    response = await destination.call("POST", "/vaults", json=vault_body(billing, **changes))

    assert (400, "BackupService.9900") == code_of(response)
    assert where in response.json()["error_msg"]


# -- changing -------------------------------------------------------------------------------------


async def test_update_vault_keeps_omitted_fields(destination: Caller) -> None:
    """A change affects only the fields that it names."""
    made = await make(destination, description="kept", threshold=70, tags=[TAG])
    changed = (await update(destination, made["id"], smn_notify=False)).json()["vault"]
    shown = (await destination.get(f"/vaults/{made['id']}"))["vault"]

    assert changed == shown
    assert ("kept", 70, [TAG], False) == tuple(
        shown[key] for key in ("description", "threshold", "tags", "smn_notify")
    )


async def test_update_vault_rules_and_size_are_shown(destination: Caller) -> None:
    """Size, consistency, rules, lock and name can be changed."""
    billing = {"size": 900, "consistent_level": "app_consistent"}
    changes = {"name": "dr-next", "auto_bind": True, "locked": True, "auto_expand": True}
    rules = {"tags": [TAG]}
    vault = (await update(destination, VAULT, billing=billing, bind_rules=rules, **changes)).json()[
        "vault"
    ]

    assert billing.items() <= vault["billing"].items()
    assert {**changes, "bind_rules": rules}.items() <= vault.items()


async def test_update_vault_empty_list_clears_the_rules(destination: Caller) -> None:
    """A vault has no rules after an empty list of tags, which Terraform sends."""
    made = await make(destination, auto_bind=True, bind_rules={"tags": [TAG]})
    changed = await update(destination, made["id"], auto_bind=False, bind_rules={"tags": []})

    assert {"tags": [TAG]} == made["bind_rules"]
    assert 200 == changed.status_code
    assert {} == changed.json()["vault"]["bind_rules"]


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ({"locked": True}, {"locked": False}, "6110"),
        (
            {"billing": {"consistent_level": "app_consistent"}},
            {"billing": {"consistent_level": "crash_consistent"}},
            "6110",
        ),
    ],
    ids=["unlocking", "back to crash consistent"],
)
async def test_update_vault_cannot_unlock(
    destination: Caller, before: dict[str, Any], after: dict[str, Any], code: str
) -> None:
    """A vault cannot be unlocked or made less consistent; other changes are accepted."""
    first = await update(destination, VAULT, **before)
    second = await update(destination, VAULT, **after)
    other = await update(destination, VAULT, threshold=50)

    assert (200, 200) == (first.status_code, other.status_code)
    assert (400, f"BackupService.{code}") == code_of(second)


async def test_update_vault_size_below_use_is_refused(source: Caller) -> None:
    """A vault cannot be smaller than its content."""
    response = await update(source, SOURCE_VAULT, billing={"size": 10})

    assert (400, "BackupService.6101") == code_of(response)


async def test_update_vault_frozen_is_refused(destination: Caller) -> None:
    """A frozen vault cannot be changed."""
    response = await update(destination, FROZEN_VAULT, threshold=50)

    assert (400, "BackupService.6112") == code_of(response)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "new"},
        {"tags": [TAG]},
        {"billing": {"protect_type": "backup"}},
        {"billing": {"size": 0}},
        {"name": None},
        {"threshold": 1.5},
    ],
    ids=str,
)
async def test_update_vault_what_cannot_change_is_refused(
    destination: Caller, change: dict[str, Any]
) -> None:
    """Description, tags and kind cannot be updated, and types are not converted."""
    response = await update(destination, VAULT, **change)

    assert (400, "BackupService.9900") == code_of(response)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("vault_id", [UNKNOWN_ID, SOURCE_VAULT], ids=["unknown", "other project"])
async def test_change_vault_not_of_project_is_not_found(
    destination: Caller, method: str, vault_id: str
) -> None:
    """A vault is changed only in its own project."""
    body = {"vault": {"threshold": 50}} if method == "PUT" else None
    response = await destination.call(method, f"/vaults/{vault_id}", json=body)

    assert (404, "BackupService.6105") == code_of(response)


# -- deleting -------------------------------------------------------------------------------------


async def test_delete_vault_deletes_its_backups(source: Caller, control: Control) -> None:
    """Every backup and replica of a vault is deleted with it; others are not."""
    response = await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
    again = await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
    meanwhile = (await source.show(SMALL_BACKUP))["status"]
    control.advance(LONG_S)
    left = control.state()

    assert (204, 204) == (response.status_code, again.status_code)
    assert "deleting" == meanwhile
    assert set() == {REPLICA, SMALL_BACKUP, SERVER_BACKUP} & {
        row["id"] for row in left["backups"] + left["replicas"]
    }
    assert SOURCE_VAULT not in {row["id"] for row in left["vaults"]}
    assert 2 == len(left["backups"])


async def test_delete_vault_takes_a_while(destination: Caller, control: Control) -> None:
    """A deletion takes a while."""
    await destination.call("DELETE", f"/vaults/{VAULT}")
    control.advance(19)
    before = (await destination.call("GET", f"/vaults/{VAULT}")).status_code
    control.advance(1)
    after = (await destination.call("GET", f"/vaults/{VAULT}")).status_code

    assert (200, 404) == (before, after)


async def test_delete_vault_being_deleted_accepts_no_copies(
    source: Caller, destination: Caller
) -> None:
    """A vault that is being deleted is no destination."""
    await destination.call("DELETE", f"/vaults/{VAULT}")

    assert (400, "BackupService.6112") == code_of(await source.replicate())


async def test_delete_vault_with_copies_under_way_is_refused(
    source: Caller, destination: Caller
) -> None:
    """Neither a copy's source nor its destination is deleted during the copy."""
    await source.begin_copy()
    of_source = await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
    of_destination = await destination.call("DELETE", f"/vaults/{VAULT}")

    assert (400, "BackupService.6203") == code_of(of_source)
    assert (400, "BackupService.6203") == code_of(of_destination)


async def test_delete_vault_frozen_is_refused(destination: Caller) -> None:
    """A vault can be deleted if it is available or in error."""
    response = await destination.call("DELETE", f"/vaults/{FROZEN_VAULT}")

    assert (400, "BackupService.6112") == code_of(response)


async def test_delete_vault_prepaid_is_refused() -> None:
    """A prepaid vault is unsubscribed, not deleted; its bill is shown."""
    world = load_world(DEMO_WORLD)
    world.vaults[3].charging_mode = "pre_paid"
    simulator = InProcessSimulator(world)
    async with connect(simulator) as client:
        caller = await sign_in(client, PROJECT)
        shown = (await caller.get(f"/vaults/{world.vaults[3].id}"))["vault"]
        response = await caller.call("DELETE", f"/vaults/{world.vaults[3].id}")
    simulator.close()

    assert "pre_paid" == shown["billing"]["charging_mode"]
    assert (400, "BackupService.6111") == code_of(response)
