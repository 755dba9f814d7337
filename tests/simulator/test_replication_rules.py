"""What may be copied, and where; and the codes of refusals."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Control, InProcessSimulator
from tests.simulator.rig import (
    BACKUP_VAULT,
    BROKEN_BACKUP,
    DISK_BACKUP,
    DISKLESS_BACKUP,
    FILE_BACKUP,
    FILE_VAULT,
    FROZEN_VAULT,
    FULL_VAULT,
    LONG_S,
    METAL_BACKUP,
    PROJECT,
    REGION,
    REPLICA,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    SOURCE_REGION,
    SOURCE_VAULT,
    SUBPROJECT,
    SUBPROJECT_VAULT,
    THIRD_PROJECT,
    THIRD_REGION,
    THIRD_VAULT,
    TIGHT_VAULT,
    UNFINISHED_BACKUP,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
    replicate_body,
)

pytestmark = pytest.mark.anyio

THIRD = {
    "destination_region": THIRD_REGION,
    "destination_project_id": THIRD_PROJECT,
    "destination_vault_id": THIRD_VAULT,
}
SUB = {"destination_project_id": SUBPROJECT, "destination_vault_id": SUBPROJECT_VAULT}

# -- accepted -----------------------------------------------------------------------------------


async def test_copy_accepted_echoes_the_request(source: Caller) -> None:
    """The answer has all documented fields, and the id of the record."""
    answer = (await source.replicate()).json()["replication"]

    assert (await source.record())["id"] == answer.pop("replication_record_id")
    assert {
        "backup_id": SERVER_BACKUP,
        "project_id": SOURCE_PROJECT,
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "source_region": SOURCE_REGION,
        "destination_region": REGION,
        "destination_project_id": PROJECT,
        "destination_vault_id": VAULT,
    } == answer


@pytest.mark.parametrize(
    ("backup_id", "wanted"),
    [
        (SERVER_BACKUP, {"enable_acceleration": False}),
        (SERVER_BACKUP, {"enable_acceleration": True}),
        (SERVER_BACKUP, SUB),
        (SERVER_BACKUP, THIRD),
        (FILE_BACKUP, {"destination_vault_id": FILE_VAULT}),
        (SMALL_BACKUP, {"destination_vault_id": TIGHT_VAULT}),
        (SERVER_BACKUP, {"name": "备份-1_x", "description": ""}),
        (SERVER_BACKUP, {"name": "x" * 64, "description": "y" * 255}),
    ],
)
async def test_copy_allowed_is_accepted(
    source: Caller, backup_id: str, wanted: dict[str, Any]
) -> None:
    """What the rules allow is accepted with 200."""
    assert 200 == (await source.replicate(backup_id, **wanted)).status_code


async def test_copy_vault_being_changed_is_accepted(control: Control, source: Caller) -> None:
    """A vault that is being expanded accepts copies."""
    control.change_vault(VAULT, status="lock")

    assert 200 == (await source.replicate()).status_code


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("autobk_7c1e", "")),
        ({"name": "erp-dr"}, ("erp-dr", "")),
        ({"description": "weekly"}, ("autobk_7c1e", "weekly")),
    ],
    ids=str,
)
async def test_copy_name_and_description_default_to_the_source(
    source: Caller, destination: Caller, given: dict[str, str], expected: tuple[str, str]
) -> None:
    """A replica has the requested name, or that of its source."""
    await source.begin_copy(**given)
    (replica,) = (await destination.get("/backups", vault_id=VAULT))["backups"]

    assert expected == (replica["name"], replica["description"])
    assert "replication" == replica["image_type"]
    assert replica["expired_at"] is None


# -- refused: one row for each rule -------------------------------------------------------------

REFUSED: dict[str, tuple[str, dict[str, Any], int, str]] = {
    "unknown backup": (UNKNOWN_ID, {}, 404, "6200"),
    "backup in error": (BROKEN_BACKUP, {}, 400, "1001"),
    "backup in the making": (UNFINISHED_BACKUP, {}, 400, "1001"),
    "a replica": (REPLICA, {}, 400, "1002"),
    "of bare metal": (METAL_BACKUP, {}, 400, "1003"),
    "without system disk": (DISKLESS_BACKUP, {}, 400, "1004"),
    "of a disk": (DISK_BACKUP, {}, 400, "6122"),
    "region without capability": (
        SERVER_BACKUP,
        {"destination_region": "ap-southeast-3"},
        400,
        "1005",
    ),
    "unknown region": (SERVER_BACKUP, {"destination_region": "nowhere"}, 400, "1005"),
    "the same region": (
        SERVER_BACKUP,
        {"destination_region": SOURCE_REGION, "destination_project_id": SOURCE_PROJECT},
        400,
        "1005",
    ),
    "project of another region": (
        SERVER_BACKUP,
        {"destination_project_id": THIRD_PROJECT},
        400,
        "1011",
    ),
    "unknown project": (SERVER_BACKUP, {"destination_project_id": "0" * 32}, 400, "1011"),
    "unknown vault": (SERVER_BACKUP, {"destination_vault_id": UNKNOWN_ID}, 400, "6120"),
    "vault of another project": (
        SERVER_BACKUP,
        {"destination_vault_id": SUBPROJECT_VAULT},
        400,
        "6120",
    ),
    "vault for backups": (SERVER_BACKUP, {"destination_vault_id": BACKUP_VAULT}, 400, "6119"),
    "frozen vault": (SERVER_BACKUP, {"destination_vault_id": FROZEN_VAULT}, 400, "6112"),
    "vault for files": (SERVER_BACKUP, {"destination_vault_id": FILE_VAULT}, 400, "6102"),
    "full vault": (SERVER_BACKUP, {"destination_vault_id": FULL_VAULT}, 400, "6129"),
    "vault too small": (SERVER_BACKUP, {"destination_vault_id": TIGHT_VAULT}, 400, "6129"),
}


@pytest.mark.parametrize("row", REFUSED.values(), ids=REFUSED.keys())
async def test_copy_against_a_rule_is_refused(
    control: Control, source: Caller, row: tuple[str, dict[str, Any], int, str]
) -> None:
    """Each rule has its code, and a refusal leaves nothing behind."""
    backup_id, wanted, status, number = row
    before = control.state()
    response = await source.replicate(backup_id, **wanted)

    assert (status, f"BackupService.{number}") == code_of(response)
    assert {"error_code", "error_msg"} == set(response.json())
    assert before == control.state()


@pytest.mark.parametrize(
    ("backup_id", "wanted", "status"),
    [
        (BROKEN_BACKUP, {}, 500),
        (REPLICA, {}, 500),
        (SERVER_BACKUP, {"destination_region": "nowhere"}, 500),
        (SERVER_BACKUP, {"destination_project_id": "0" * 32}, 400),
        (SERVER_BACKUP, {"destination_vault_id": UNKNOWN_ID}, 400),
    ],
)
async def test_copy_refused_as_older_regions_do_has_status_500(
    simulator: InProcessSimulator,
    source: Caller,
    backup_id: str,
    wanted: dict[str, Any],
    status: int,
) -> None:
    """If the published status differs between editions, the world chooses it."""
    simulator.world.options.replication_refusals_status = 500

    assert status == (await source.replicate(backup_id, **wanted)).status_code


MALFORMED: dict[str, dict[str, Any]] = {
    "empty": {},
    "without region": {"replicate": {"destination_project_id": "x", "destination_vault_id": "y"}},
    "region of a wrong type": replicate_body(destination_region=7),
    "region with a slash": replicate_body(destination_region="cn/east"),
    "region too long": replicate_body(destination_region="x" * 256),
    "project is null": replicate_body(destination_project_id=None),
    "name empty": replicate_body(name=""),
    "name too long": replicate_body(name="x" * 65),
    "name with a dot": replicate_body(name="erp.dr"),
    "name is null": replicate_body(name=None),
    "description too long": replicate_body(description="x" * 256),
    "description with a bracket": replicate_body(description="a<b"),
    "acceleration of a wrong type": replicate_body(enable_acceleration="true"),
    "unknown field": replicate_body(destination_vault="x"),
    "cross-account": replicate_body(cross_account_urn="x"),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_copy_malformed_request_is_refused(source: Caller, body: dict[str, Any]) -> None:
    """Unknown and missing fields, wrong types and values out of limits are refused with 9900."""
    response = await source.call("POST", f"/backups/{SERVER_BACKUP}/replicate", json=body)

    assert (400, "BackupService.9900") == code_of(response)


async def test_copy_acceleration_gate_refuses_true_only(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """An account without acceleration gets the error that the key is invalid."""
    simulator.world.options.acceleration = "refused"
    refused = await source.replicate(enable_acceleration=True)
    accepted = await source.replicate(enable_acceleration=False)

    assert (400, "BackupService.9900") == code_of(refused)
    assert "invalid key enable_acceleration" == refused.json()["error_msg"]
    assert 200 == accepted.status_code


# -- again --------------------------------------------------------------------------------------


@pytest.mark.parametrize("waited_s", [0, LONG_S], ids=["running", "done"])
async def test_copy_again_to_same_region_is_refused(
    simulator: InProcessSimulator, source: Caller, waited_s: float
) -> None:
    """A region accepts one replica of a backup, in any vault."""
    await source.begin_copy()
    simulator.clock.advance(waited_s)
    response = await source.replicate(**SUB)

    assert (400, "BackupService.1009") == code_of(response)


async def test_copy_again_to_other_region_is_accepted(source: Caller) -> None:
    """Other regions accept their own replicas."""
    await source.begin_copy()
    await source.begin_copy(**THIRD)

    regions = [
        row["destination_region"]
        for row in (await source.show(SERVER_BACKUP))["replication_records"]
    ]
    assert [THIRD_REGION, REGION] == regions


async def test_copy_again_after_replica_is_gone_is_accepted(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A single backup may be copied again after its replica was deleted."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    control.forget_backup((await source.record())["destination_backup_id"])

    assert 200 == (await source.replicate()).status_code


@pytest.mark.parametrize("outcome", ["fail", "skip"])
async def test_copy_again_after_failure_is_accepted(
    control: Control, source: Caller, outcome: str
) -> None:
    """A failed copy may be repeated; each attempt leaves a record."""
    control.change_backup(SERVER_BACKUP, copy={"mode": "immediate", "outcome": outcome})
    await source.begin_copy()
    await source.begin_copy()

    statuses = [row["status"] for row in (await source.show(SERVER_BACKUP))["replication_records"]]
    assert [outcome, outcome] == statuses


async def test_copy_room_is_reserved_for_running_copies(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A vault's room includes running copies, until they have failed."""
    control.change_vault(VAULT, size_gb=130)
    control.change_backup(SERVER_BACKUP, copy={"seconds": 60, "outcome": "fail"})
    await source.begin_copy()
    refused = await source.replicate(SMALL_BACKUP)
    simulator.clock.advance(60)
    accepted = await source.replicate(SMALL_BACKUP)

    assert (400, "BackupService.6129") == code_of(refused)
    assert 200 == accepted.status_code


# -- entire vaults ------------------------------------------------------------------------------


async def copy_vault(caller: Caller, **changes: Any) -> Any:
    """Request copies of an entire vault."""
    body = replicate_body(vault_id=SOURCE_VAULT, **changes)
    return await caller.call("POST", "/checkpoints/replicate", json=body)


async def test_vault_copy_takes_all_that_can_be_copied(control: Control, source: Caller) -> None:
    """A vault is copied without backups that the rules exclude."""
    response = await copy_vault(source, auto_trigger=True)

    answer = response.json()["replication"]
    begun = answer.pop("backups")
    assert 200 == response.status_code
    assert {
        "vault_id": SOURCE_VAULT,
        "project_id": SOURCE_PROJECT,
        "provider_id": "0daac4c5-6707-4851-97ba-169e36266b66",
        "source_region": SOURCE_REGION,
        "destination_region": REGION,
        "destination_project_id": PROJECT,
        "destination_vault_id": VAULT,
    } == answer
    assert {row["id"] for row in control.records()} == {
        row["replication_record_id"] for row in begun
    }
    assert 4 == len(begun)
    assert SERVER_BACKUP in {row["backup_id"] for row in begun}
    assert all(row["extra_info"]["auto_trigger"] for row in control.records())


async def test_vault_copy_under_way_is_refused(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """One copy of a vault runs at a time. Afterwards nothing is left to copy."""
    await copy_vault(source)
    meanwhile = await copy_vault(source)
    simulator.clock.advance(LONG_S)
    afterwards = await copy_vault(source)

    assert (400, "BackupService.6130") == code_of(meanwhile)
    assert [] == afterwards.json()["replication"]["backups"]


async def test_vault_copy_never_repeats_a_deleted_replica(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A backup whose replica was deleted is not copied again with its vault."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    control.forget_backup((await source.record())["destination_backup_id"])
    begun = (await copy_vault(source)).json()["replication"]["backups"]

    assert SERVER_BACKUP not in {row["backup_id"] for row in begun}
    assert 3 == len(begun)


async def test_vault_copy_repeats_no_copy_with_an_unlisted_record(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A replica without a listed record is not made a second time."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    control.forget_record((await source.record())["id"])
    begun = (await copy_vault(source)).json()["replication"]["backups"]

    assert SERVER_BACKUP not in {row["backup_id"] for row in begun}
    assert 3 == len(begun)


@pytest.mark.parametrize(
    ("changes", "status", "number"),
    [
        ({"vault_id": UNKNOWN_ID}, 404, "6105"),
        ({"vault_id": VAULT}, 404, "6105"),
        ({"destination_region": "nowhere"}, 400, "1005"),
        ({"destination_project_id": THIRD_PROJECT}, 400, "1011"),
        ({"destination_vault_id": UNKNOWN_ID}, 400, "6120"),
        ({"destination_vault_id": BACKUP_VAULT}, 400, "6119"),
        ({"destination_vault_id": FILE_VAULT}, 400, "6102"),
        ({"destination_vault_id": TIGHT_VAULT}, 400, "6129"),
        ({"name": "x"}, 400, "9900"),
    ],
    ids=str,
)
async def test_vault_copy_against_a_rule_is_refused(
    control: Control, source: Caller, changes: dict[str, Any], status: int, number: str
) -> None:
    """A vault's copy is refused as a whole, and leaves nothing behind."""
    body = {"replicate": {**replicate_body(vault_id=SOURCE_VAULT)["replicate"], **changes}}
    response = await source.call("POST", "/checkpoints/replicate", json=body)

    assert (status, f"BackupService.{number}") == code_of(response)
    assert [] == control.records()


async def test_vault_copy_of_disks_is_refused(source: Caller) -> None:
    """Vaults of disks cannot be copied."""
    (vault,) = (await source.get("/vaults", object_type="disk"))["vaults"]
    body = replicate_body(vault_id=vault["id"])
    response = await source.call("POST", "/checkpoints/replicate", json=body)

    assert (400, "BackupService.6128") == code_of(response)
