"""Policies, and the vaults that they are applied to."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulator.testing import Control
from tests.simulator.rig import (
    BACKUP_VAULT,
    FILE_VAULT,
    LONG_S,
    PROJECT,
    REGION,
    SOURCE_VAULT,
    THIRD_PROJECT,
    THIRD_REGION,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio

DESTINATION = {"destination_region": REGION, "destination_project_id": PROJECT}
DAILY = ["FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=14;BYMINUTE=00"]


def policy_body(
    definition: dict[str, Any] | None = None, patterns: Any = DAILY, **changes: Any
) -> dict[str, Any]:
    """Return the body of CreatePolicy, for replication."""
    wanted = {
        "name": "nightly",
        "operation_type": "replication",
        "operation_definition": DESTINATION if definition is None else definition,
        "trigger": {"properties": {"pattern": patterns}},
    }
    return {"policy": {**wanted, **changes}}


async def make(caller: Caller, definition: Any = None, **changes: Any) -> dict[str, Any]:
    """Create a policy; return it."""
    response = await caller.call("POST", "/policies", json=policy_body(definition, **changes))
    assert 200 == response.status_code, response.text
    policy: dict[str, Any] = response.json()["policy"]
    return policy


async def make_backup_policy(caller: Caller) -> dict[str, Any]:
    """Create a backup policy; return it."""
    return await make(caller, {"max_backups": 5}, operation_type="backup")


async def apply(
    caller: Caller, policy_id: str, vault_id: str = SOURCE_VAULT, **given: Any
) -> httpx.Response:
    """Apply a policy to a vault."""
    body = {"policy_id": policy_id, **given}
    return await caller.call("POST", f"/vaults/{vault_id}/associatepolicy", json=body)


async def lift(caller: Caller, policy_id: str, vault_id: str = SOURCE_VAULT) -> httpx.Response:
    """Detach a policy from a vault."""
    path = f"/vaults/{vault_id}/dissociatepolicy"
    return await caller.call("POST", path, json={"policy_id": policy_id})


async def test_create_policy_is_shown_and_listed_as_given(source: Caller) -> None:
    """A policy has the requested values, and is enabled."""
    definition = {**DESTINATION, "day_backups": 7, "timezone": "UTC+08:00", "max_backups": -1}
    made = await make(source, definition)
    shown = await source.get(f"/policies/{made['id']}")
    listed = await source.get("/policies")

    assert definition == made["operation_definition"]
    assert (DAILY, True, []) == (
        made["trigger"]["properties"]["pattern"],
        made["enabled"],
        made["associated_vaults"],
    )
    assert {"policy": made} == shown
    assert {"policies": [made], "count": 1} == listed


@pytest.mark.parametrize(
    ("definition", "changes"),
    [
        ({}, {}),
        ({"destination_region": REGION}, {}),
        ({"destination_project_id": PROJECT}, {}),
        (DESTINATION, {"operation_type": "backup"}),
        (DESTINATION, {"operation_type": "sync"}),
        (DESTINATION, {"name": ""}),
        (DESTINATION, {"name": "x" * 65}),
        (DESTINATION, {"enabled": "true"}),
        (DESTINATION, {"id": UNKNOWN_ID}),
        (DESTINATION, {"patterns": []}),
        (DESTINATION, {"patterns": ["every day"]}),
        (DESTINATION, {"patterns": ["FREQ=YEARLY"]}),
        (DESTINATION, {"patterns": DAILY * 25}),
        ({**DESTINATION, "max_backups": 0}, {}),
        ({**DESTINATION, "max_backups": 100_000}, {}),
        ({**DESTINATION, "retention_duration_days": -2}, {}),
        ({**DESTINATION, "day_backups": 1}, {}),
        ({**DESTINATION, "day_backups": 101, "timezone": "UTC+08:00"}, {}),
        ({**DESTINATION, "timezone": "Europe/Berlin"}, {}),
        ({**DESTINATION, "full_backup_interval": 101}, {}),
        ({**DESTINATION, "destination_region": "no region"}, {}),
        ({**DESTINATION, "enable_acceleration": 1}, {}),
        ({**DESTINATION, "cross_account_urn": "x"}, {}),
    ],
    ids=str,
)
async def test_create_policy_malformed_is_refused(
    source: Caller, definition: dict[str, Any], changes: dict[str, Any]
) -> None:
    """Missing, unknown, wrongly typed and out-of-limit fields are refused."""
    response = await source.call("POST", "/policies", json=policy_body(definition, **changes))

    assert (400, "BackupService.9900") == code_of(response)
    assert 0 == (await source.get("/policies"))["count"]


async def test_create_policy_too_many_are_refused(source: Caller) -> None:
    """There are at most 32 policies of each type."""
    for _ in range(32):
        await make(source)
    response = await source.call("POST", "/policies", json=policy_body())
    await make_backup_policy(source)

    assert (400, "BackupService.6001") == code_of(response)


async def test_update_policy_changes_what_is_given(source: Caller) -> None:
    """A change affects only the fields that it names."""
    made = await make(source)
    body = {"policy": {"enabled": False, "name": "paused"}}
    changed = (await source.call("PUT", f"/policies/{made['id']}", json=body)).json()["policy"]

    assert {**made, "enabled": False, "name": "paused"} == changed
    assert {"policy": changed} == await source.get(f"/policies/{made['id']}")


async def test_update_policy_applied_keeps_its_region(source: Caller) -> None:
    """The destination region can be changed only while no vault has the policy."""
    policy_id = (await make(source))["id"]
    third = {"destination_region": THIRD_REGION, "destination_project_id": THIRD_PROJECT}
    elsewhere = {"policy": {"operation_definition": third}}
    await apply(source, policy_id, destination_vault_id=VAULT)
    early = await source.call("PUT", f"/policies/{policy_id}", json=elsewhere)
    await lift(source, policy_id)
    later = await source.call("PUT", f"/policies/{policy_id}", json=elsewhere)

    assert (400, "BackupService.6003") == code_of(early)
    assert third == later.json()["policy"]["operation_definition"]


async def test_associate_policy_is_seen_from_both_sides(source: Caller) -> None:
    """Policy and vault show each other until they are detached."""
    policy_id = (await make(source))["id"]
    answer = (await apply(source, policy_id, destination_vault_id=VAULT)).json()
    pair = {"vault_id": SOURCE_VAULT, "destination_vault_id": VAULT}
    shown = (await source.get(f"/policies/{policy_id}"))["policy"]["associated_vaults"]
    of_vault = (await source.get("/policies", vault_id=SOURCE_VAULT))["count"]
    vaults = (await source.get("/vaults", policy_id=policy_id))["vaults"]
    parted = (await lift(source, policy_id)).json()
    after = (await source.get("/vaults", policy_id=policy_id))["count"]

    assert {"associate_policy": {"policy_id": policy_id, **pair}} == answer
    assert ([pair], 1, [SOURCE_VAULT]) == (shown, of_vault, [row["id"] for row in vaults])
    assert {"policy_id": policy_id, "vault_id": SOURCE_VAULT} == parted["dissociate_policy"]
    assert 0 == after


async def test_associate_policy_replaces_another_of_the_type(source: Caller) -> None:
    """A vault has one policy of each type."""
    first, second = (await make(source))["id"], (await make(source))["id"]
    own = (await make_backup_policy(source))["id"]
    await apply(source, own)
    for policy_id in (first, second):
        await apply(source, policy_id, destination_vault_id=VAULT)
    listed = (await source.get("/policies", vault_id=SOURCE_VAULT))["policies"]

    assert {own, second} == {row["id"] for row in listed}
    assert [second] == [
        row["id"]
        for row in (await source.get("/policies", operation_type="replication"))["policies"]
        if row["associated_vaults"]
    ]


@pytest.mark.parametrize(
    ("destination_vault_id", "code"),
    [
        (None, "9900"),
        (UNKNOWN_ID, "6120"),
        (BACKUP_VAULT, "6119"),
        (FILE_VAULT, "6102"),
        (SOURCE_VAULT, "6120"),
    ],
    ids=["none", "unknown", "not for replicas", "another kind", "elsewhere"],
)
async def test_associate_policy_unfit_destination_is_refused(
    source: Caller, destination_vault_id: str | None, code: str
) -> None:
    """A destination must be valid as for a copy."""
    policy_id = (await make(source))["id"]
    given = {} if destination_vault_id is None else {"destination_vault_id": destination_vault_id}

    assert (400, f"BackupService.{code}") == code_of(await apply(source, policy_id, **given))


async def test_associate_policy_to_a_vault_of_replicas_is_refused(destination: Caller) -> None:
    """A vault of replicas has no policy of either type."""
    own = (await make_backup_policy(destination))["id"]
    copying = (await make(destination))["id"]

    assert (400, "BackupService.6127") == code_of(await apply(destination, own, VAULT))
    assert (400, "BackupService.6127") == code_of(
        await apply(destination, copying, VAULT, destination_vault_id=VAULT)
    )


async def test_policy_unknown_is_not_found(source: Caller, destination: Caller) -> None:
    """A policy exists only in its own project, and so does a vault."""
    foreign = (await make(destination))["id"]
    own = (await make(source))["id"]
    for policy_id in (UNKNOWN_ID, foreign):
        for response in (
            await source.call("GET", f"/policies/{policy_id}"),
            await source.call("PUT", f"/policies/{policy_id}", json={"policy": {}}),
            await source.call("DELETE", f"/policies/{policy_id}"),
            await apply(source, policy_id),
            await lift(source, policy_id),
        ):
            assert (404, "BackupService.6000") == code_of(response)

    assert (404, "BackupService.6002") == code_of(await lift(source, own))
    assert (404, "BackupService.6105") == code_of(await apply(source, own, UNKNOWN_ID))


async def test_delete_policy_detaches_it_from_its_vaults(source: Caller) -> None:
    """A policy is gone at once, applied or not."""
    policy_id = (await make(source))["id"]
    await apply(source, policy_id, destination_vault_id=VAULT)
    response = await source.call("DELETE", f"/policies/{policy_id}")

    assert 204 == response.status_code
    assert 0 == (await source.get("/policies"))["count"]
    assert 0 == (await source.get("/vaults", policy_id=policy_id))["count"]


@pytest.mark.parametrize("by_api", [True, False], ids=["deleted", "vanished"])
async def test_policy_has_no_deleted_vaults(source: Caller, control: Control, by_api: bool) -> None:
    """A deleted vault has no policy."""
    policy_id = (await make(source))["id"]
    await apply(source, policy_id, destination_vault_id=VAULT)
    if by_api:
        await source.call("DELETE", f"/vaults/{SOURCE_VAULT}")
        control.advance(LONG_S)
    else:
        control.forget_vault(SOURCE_VAULT)

    assert [] == (await source.get(f"/policies/{policy_id}"))["policy"]["associated_vaults"]


async def test_create_vault_with_a_backup_policy_has_it(source: Caller) -> None:
    """A new vault may have its backup policy from the beginning."""
    policy_id = (await make_backup_policy(source))["id"]
    billing = {
        "protect_type": "backup",
        "object_type": "server",
        "consistent_level": "crash_consistent",
        "size": 100,
    }
    wanted = {"name": "kept", "resources": [], "billing": billing, "backup_policy_id": policy_id}
    made = await source.call("POST", "/vaults", json={"vault": wanted})
    unknown = await source.call(
        "POST", "/vaults", json={"vault": {**wanted, "backup_policy_id": UNKNOWN_ID}}
    )
    found = (await source.get("/vaults", policy_id=policy_id))["vaults"]

    assert [made.json()["vault"]["id"]] == [row["id"] for row in found]
    assert (404, "BackupService.6000") == code_of(unknown)
