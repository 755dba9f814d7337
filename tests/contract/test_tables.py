"""The reconciliation tables of the documentation, row by row, against the simulator."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pulumi.output import Unknown

from pulumi_huaweicloud_cbr import ApiError, ConflictError, NotFoundError, UnidentifiedReplicaError
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from tests.contract.rig import BACKUP, SECOND_VAULT, VAULT, Rig, declared

pytestmark = pytest.mark.simulator_only

MANY_TIMES = 1000
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
WEB = ("6b974ebb-8376-4d1b-933f-f77c3bcd0c4e", "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f")
FAILING = {"mode": "immediate", "outcome": "fail"}


def replicate(rig: Rig, **changes: Any) -> None:
    """Create one replication whose copy has ended, and refresh it."""
    rig.create(declared(**changes))
    rig.finish_copies()
    assert rig.refresh()


def lose_log(rig: Rig) -> None:
    """Empty the operation log, as for an old copy."""
    empty = {"operation_logs": [], "count": 0}
    rig.control.fault(
        operation="ListOpLogs", action="respond", status=200, body=empty, times=MANY_TIMES
    )


# -- read: what refresh finds ---------------------------------------------------------------


def test_read_success_and_replica_found_is_present(rig: Rig) -> None:
    """A completed copy is present, with the ids from CBR."""
    replicate(rig)

    (replica,) = rig.replicas
    assert "success" == rig.outputs["status"]
    assert replica["id"] == rig.outputs["destination_backup_id"]
    assert replica["checkpoint_id"] == rig.outputs["destination_checkpoint_id"]


def test_read_success_and_replica_gone_is_gone(rig: Rig) -> None:
    """A deleted replica is gone, whatever its record says."""
    replicate(rig)
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    assert "success" == rig.control.records()[0]["status"]
    assert not rig.refresh()


@pytest.mark.parametrize("share", [0.01, 0.5], ids=["waiting", "replicating"])
def test_read_copy_under_way_is_present(rig: Rig, share: float) -> None:
    """A running copy is kept, with its observed status."""
    rig.create(declared())
    rig.control.advance(share * 1536)

    assert rig.refresh()
    expected = "waiting_replicate" if share < 0.1 else "replicating"
    assert expected == rig.outputs["status"]


@pytest.mark.parametrize("outcome", ["fail", "skip"])
def test_read_failed_copy_is_present_and_replaced(rig: Rig, outcome: str) -> None:
    """A failed copy is kept with its status, and replaced."""
    rig.control.change_backup(BACKUP, copy={"mode": "immediate", "outcome": outcome})
    rig.create(declared())

    assert rig.refresh()
    assert outcome == rig.outputs["status"]
    difference = rig.diff(declared())
    assert difference.changes
    assert difference.delete_before_replace
    rig.delete()
    assert ["CopyBackup"] == rig.writes()


def test_read_record_lost_and_replica_found_is_present(rig: Rig) -> None:
    """A replica whose record is no longer listed is still there."""
    replicate(rig)
    rig.control.forget_record(rig.id)

    assert rig.refresh()
    assert "source_deleted" not in rig.outputs


def test_read_record_lost_and_id_unknown_is_found_by_task(rig: Rig) -> None:
    """A replica whose id was never recorded is found in the operation log."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_record(rig.id)

    assert rig.refresh()
    assert rig.replicas[0]["id"] == rig.outputs["destination_backup_id"]


def test_read_record_lost_and_replica_gone_is_gone(rig: Rig) -> None:
    """Without a record and a replica, the copy is gone."""
    replicate(rig)
    rig.control.forget_record(rig.id)
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    assert not rig.refresh()


def test_read_source_expired_and_replica_found_is_present(rig: Rig) -> None:
    """After its source expired, the replica is present, without a difference, and deletable."""
    replicate(rig)
    rig.control.forget_backup(BACKUP)

    assert rig.refresh()
    assert rig.outputs["source_deleted"] is True
    assert "success" == rig.outputs["status"]
    assert not rig.diff(declared()).changes
    rig.delete(is_forced=True)
    assert [] == rig.replicas


def test_read_source_expired_before_ids_were_known_is_found_by_task(rig: Rig) -> None:
    """A replica is not lost if its source expired right after the copy."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(BACKUP)

    assert rig.refresh()
    assert rig.replicas[0]["id"] == rig.outputs["destination_backup_id"]


def test_read_source_expired_and_replica_gone_is_gone(rig: Rig) -> None:
    """Without source and replica the resource is gone, and a create says why it is impossible."""
    replicate(rig)
    rig.control.forget_backup(rig.outputs["destination_backup_id"])
    rig.control.forget_backup(BACKUP)

    assert not rig.refresh()
    ((field, reason),) = rig.faults(declared())
    assert "backup_id" == field
    assert "may have expired" in reason


def test_read_replica_that_cannot_be_identified_is_an_error(rig: Rig) -> None:
    """With no trace left, and replicas of the same server in the vault, nothing is guessed."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(BACKUP)
    lose_log(rig)

    with pytest.raises(UnidentifiedReplicaError) as caught:
        rig.refresh()

    assert rig.replicas[0]["id"] in str(caught.value)


def test_read_unknown_status_is_present(rig: Rig) -> None:
    """An unknown status is reported, not interpreted."""
    rig.create(declared())
    rig.control.change_record(rig.id, status="paused")

    assert rig.refresh()
    assert "paused" == rig.outputs["status"]


def test_read_renamed_replica_reports_drift_in_inputs(rig: Rig) -> None:
    """A changed name is returned in the inputs, so a preview shows it."""
    replicate(rig, name="erp-dr")
    rig.control.change_backup(rig.outputs["destination_backup_id"], name="other")

    assert rig.refresh()
    assert "other" == rig.inputs["name"]
    assert rig.diff(declared(name="erp-dr")).changes
    rig.update(declared(name="erp-dr"))
    assert ["erp-dr"] == [replica["name"] for replica in rig.replicas]


def test_read_undeclared_name_is_no_drift(rig: Rig) -> None:
    """A name that was never declared is not compared."""
    replicate(rig)
    rig.control.change_backup(rig.outputs["destination_backup_id"], name="other")

    assert rig.refresh()
    assert not rig.diff(declared()).changes


# -- diff: what a change causes -------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "replaces", "is_delete_first"),
    [
        pytest.param(
            {"backup_id": "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"}, ["backup_id"], False, id="backup"
        ),
        pytest.param(
            {"destination_region": "cn-south-1", "destination_project_id": "p"},
            ["destination_region", "destination_project_id"],
            False,
            id="region",
        ),
        pytest.param(
            {"destination_vault_id": SECOND_VAULT}, ["destination_vault_id"], True, id="vault"
        ),
        pytest.param(
            {"destination_project_id": "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0"},
            ["destination_project_id"],
            True,
            id="project",
        ),
        pytest.param(
            {"source_region": "cn-east-3", "source_project_id": "p"},
            ["source_region", "source_project_id"],
            True,
            id="source",
        ),
        pytest.param({"description": "new"}, ["description"], True, id="description"),
    ],
)
def test_diff_replaces(
    rig: Rig, change: dict[str, Any], replaces: list[str], is_delete_first: bool
) -> None:
    """A change that CBR cannot make replaces. The old replica is deleted first only if it must."""
    replicate(rig)

    difference = rig.diff(declared(**change))

    assert sorted(replaces) == sorted(difference.replaces or [])
    assert is_delete_first == difference.delete_before_replace


@pytest.mark.parametrize(
    "change",
    [{"name": "new"}, {"enable_acceleration": True}, {"adopt": False}, {"preflight": "warn"}],
    ids=lambda change: next(iter(change)),
)
def test_diff_updates_in_place(rig: Rig, change: dict[str, Any]) -> None:
    """A name renames, other inputs change the state only, and a second diff is empty."""
    replicate(rig)

    difference = rig.diff(declared(**change))

    assert difference.changes
    assert not difference.replaces
    rig.update(declared(**change))
    assert not rig.diff(declared(**change)).changes
    expected = ["UpdateBackup"] if "name" in change else []
    assert ["CopyBackup", *expected] == rig.writes()


def test_diff_omitted_project_is_no_change(rig: Rig) -> None:
    """A project id that is no longer declared keeps its value."""
    replicate(rig, destination_project_id="863129926600475a959e8f2efb991722")

    assert not rig.diff(declared()).changes


def test_diff_unknown_input_replaces(rig: Rig) -> None:
    """An unknown value may differ, and the preview says so."""
    replicate(rig)

    later = Unknown()  # type: ignore[no-untyped-call]

    assert ["backup_id"] == rig.diff(declared(backup_id=later)).replaces


@pytest.mark.parametrize("seconds", [0.0, 700.0, 20_000.0], ids=["new", "running", "done"])
def test_diff_pending_copy_is_looked_up_and_quiet(rig: Rig, seconds: float) -> None:
    """A running copy is polled. While it is fine, nothing is shown."""
    rig.create(declared())
    rig.control.advance(seconds)

    assert not rig.diff(declared()).changes


def test_diff_pending_copy_that_failed_is_replaced(rig: Rig) -> None:
    """A copy that failed since the last up is replaced without a refresh."""
    rig.control.change_backup(BACKUP, copy=FAILING)
    rig.create(declared())

    difference = rig.diff(declared())

    assert ["status"] == difference.replaces
    assert difference.delete_before_replace


def test_diff_pending_copy_that_vanished_is_replaced(rig: Rig) -> None:
    """A replica that was deleted before its id was recorded is replaced without a refresh."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(rig.replicas[0]["id"])

    assert ["status"] == rig.diff(declared()).replaces


def test_diff_without_preflight_asks_nothing(rig: Rig) -> None:
    """With preflight off, a preview sends no request, not even for a running copy."""
    rig.create(declared(preflight="off"))
    rig.control.clear_journal()

    assert not rig.diff(declared(preflight="off")).changes
    assert [] == rig.control.journal()


def test_diff_api_out_of_reach_only_warns_with_preflight_warn(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    """A copy that cannot be polled fails the preview, or with `warn` causes a warning."""
    rig.create(declared())
    refusal = {"error_code": "APIGW.0302", "error_msg": "no", "request_id": "0" * 32}
    rig.control.fault(operation="ShowBackup", action="respond", status=403, body=refusal, times=2)

    with pytest.raises(ApiError):
        rig.diff(declared())
    assert rig.diff(declared(preflight="warn")).replaces == []
    assert "not checked how far the copy is" in capfd.readouterr().err


@pytest.mark.parametrize("preflight", ["warn", "off"])
@pytest.mark.parametrize("is_recorded", [True, False])
def test_replacement_that_would_lose_the_last_copy_is_refused(
    rig: Rig, preflight: str, is_recorded: bool
) -> None:
    """The last copy cannot be made again, so this is refused even with `warn`."""
    replicate(rig)
    rig.control.forget_backup(BACKUP)
    if is_recorded:
        rig.refresh()

    with pytest.raises(ConflictError) as caught:
        rig.diff(declared(destination_vault_id=SECOND_VAULT, preflight=preflight))

    assert (
        f"replacing replication record ({rig.id}): source backup ({BACKUP}) is gone, so that its "
        "replica would be deleted and could not be made again; leave the resource as it is, "
        "and declare another one for the new copy; if nobody wants the replica, set force_destroy "
        "to true, run pulumi up, and remove the resource"
    ) == str(caught.value)


def test_replacement_uses_no_stored_answers(rig: Rig) -> None:
    """Stored answers may be stale, and a deletion cannot be undone."""
    replicate(rig)
    client = rig.session.client()
    scope = ProjectScope("cn-north-4", rig.outputs["source_project_id"])

    async def look_at_many() -> None:
        ids = (MANUAL, *WEB, BACKUP)
        await asyncio.gather(*(client.get_backup(scope, backup_id) for backup_id in ids))

    rig.session.run(look_at_many())
    rig.control.forget_backup(BACKUP)
    moved = {**rig.inputs, "destination_vault_id": SECOND_VAULT, "preflight": "warn"}

    with pytest.raises(ConflictError):
        rig.provider.diff(rig.id, rig.outputs, moved)


def test_replacement_that_would_lose_the_last_copy_is_refused_by_preflight(rig: Rig) -> None:
    """The engine checks a replacement before it deletes anything."""
    replicate(rig)
    rig.control.forget_backup(BACKUP)
    moved = declared(destination_vault_id=SECOND_VAULT)

    assert rig.diff(moved).delete_before_replace
    assert ["backup_id"] == [field for field, _ in rig.faults(moved)]


@pytest.mark.parametrize("preflight", ["warn", "off"])
def test_replacement_after_a_failure_asks_for_no_source(rig: Rig, preflight: str) -> None:
    """Without a replica, none can be lost."""
    rig.control.change_backup(BACKUP, copy=FAILING)
    rig.create(declared())
    rig.refresh()
    rig.control.forget_backup(BACKUP)

    difference = rig.diff(declared(destination_vault_id=SECOND_VAULT, preflight=preflight))

    assert ["destination_vault_id"] == difference.replaces


def test_replacement_without_preflight_needs_an_answer(rig: Rig) -> None:
    """A replica that cannot be checked is not deleted for a replacement."""
    replicate(rig)
    moved = declared(destination_vault_id=SECOND_VAULT, preflight="off")
    rig.control.fault(operation="ShowBackup", action="respond", status=403, times=9)

    with pytest.raises(ApiError):
        rig.diff(moved)


def test_replacement_by_another_backup_gives_the_replica_up(rig: Rig) -> None:
    """A user who declares another backup does not want the replica of the expired one."""
    replicate(rig)
    rig.control.forget_backup(BACKUP)

    difference = rig.diff(declared(backup_id=MANUAL, preflight="off"))

    assert ["backup_id"] == difference.replaces


def test_replacement_that_is_not_certain_yet_is_no_refusal(rig: Rig) -> None:
    """An unknown vault may be the same one: no request is sent for it."""
    replicate(rig)
    rig.control.forget_backup(BACKUP)
    inputs = {**rig.inputs, "preflight": "off"}
    inputs["destination_vault_id"] = Unknown()  # type: ignore[no-untyped-call]
    rig.control.clear_journal()

    difference = rig.provider.diff(rig.id, rig.outputs, inputs)

    assert ["destination_vault_id"] == difference.replaces
    assert [] == rig.control.journal()


# -- create: submit, adopt, refuse ----------------------------------------------------------


def test_create_nothing_there_submits(rig: Rig) -> None:
    """If nothing exists, one copy is submitted, and its answer is in the outputs."""
    outputs = rig.create(declared(name="erp-dr", description="d"))

    (record,) = rig.control.records()
    assert record["id"] == rig.id
    assert "waiting_replicate" == outputs["status"]
    assert "0daac4c5-6707-4851-97ba-169e36266b66" == outputs["provider_id"]
    assert "863129926600475a959e8f2efb991722" == outputs["destination_project_id"]
    assert "c6cb0876eaee4f5092d0fdf4c4fc09b3" == outputs["source_project_id"]


@pytest.mark.parametrize("seconds", [0.0, 20_000.0], ids=["under-way", "done"])
def test_create_matching_copy_adopts(rig: Rig, seconds: float) -> None:
    """A running copy or a replica in the declared vault is adopted, not copied again."""
    rig.create(declared())
    first = rig.id
    rig.control.advance(seconds)

    rig.create(declared())

    assert first == rig.id
    assert ["CopyBackup"] == rig.writes()


def test_create_adopted_replica_is_renamed(rig: Rig) -> None:
    """An adopted replica gets the declared name."""
    rig.create(declared())
    rig.finish_copies()

    rig.create(declared(name="erp-dr"))

    assert ["erp-dr"] == [replica["name"] for replica in rig.replicas]
    assert not rig.diff(declared(name="erp-dr")).changes


@pytest.mark.parametrize("seconds", [0.0, 20_000.0], ids=["under-way", "done"])
def test_create_other_vault_refuses(rig: Rig, seconds: float) -> None:
    """A replica in another vault is named and left alone, in preview and create."""
    rig.create(declared())
    rig.control.advance(seconds)
    other = declared(destination_vault_id=SECOND_VAULT)

    ((field, reason),) = rig.faults(other)

    assert "destination_vault_id" == field
    assert VAULT in reason
    with pytest.raises(ConflictError) as caught:
        rig.provider.create(rig.provider.check({}, {**other, "preflight": "off"}).inputs)
    assert VAULT in str(caught.value)
    assert ["CopyBackup"] == rig.writes()


def test_create_other_project_refuses(rig: Rig) -> None:
    """A replica in another project of the region is named and left alone."""
    rig.create(declared())
    other = declared(
        destination_project_id="5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0",
        destination_vault_id="7d8c9b0a-1e2f-4a3b-8c4d-5e6f7a8b9c0d",
    )

    ((field, _),) = rig.faults(other)

    assert "destination_project_id" == field


def test_create_adopt_off_refuses(rig: Rig) -> None:
    """With `adopt` off, an existing replica is an error with a remedy."""
    rig.create(declared())

    ((field, reason),) = rig.faults(declared(adopt=False))

    assert "adopt" == field
    assert "set adopt to true" in reason


def test_create_after_failure_or_deletion_submits(rig: Rig) -> None:
    """Failed attempts and deleted replicas do not block a copy."""
    rig.control.change_backup(BACKUP, copy=FAILING)
    rig.create(declared())
    rig.control.advance(0)
    rig.control.change_backup(BACKUP, copy={"mode": "immediate"})
    rig.create(declared())
    rig.refresh()
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    rig.create(declared())

    assert 3 == len(rig.control.records())


def test_create_while_old_replica_is_being_deleted_waits(rig: Rig) -> None:
    """Create waits until the old replica is deleted, then submits the copy."""
    replicate(rig)
    other = rig.session
    destination = rig.outputs["destination_project_id"]
    replica_id = rig.outputs["destination_backup_id"]

    async def begin() -> None:
        scope = await other.scope("cn-east-3", destination)
        await other.client().delete_backup(scope, replica_id)

    other.run(begin())
    rig.create(declared())

    assert ["CopyBackup", "DeleteBackup", "CopyBackup"] == rig.writes()
    assert 1 == len(rig.replicas)
    assert replica_id != rig.replicas[0]["id"]


def test_create_unknown_status_refuses(rig: Rig) -> None:
    """A record with an unknown status may be a copy: nothing is submitted."""
    rig.create(declared())
    rig.control.change_record(rig.id, status="paused", copy={"mode": "never"})

    ((_, reason),) = rig.faults(declared())

    assert "'paused'" in reason


# -- delete and update ----------------------------------------------------------------------


def test_delete_waits_for_copy_under_way(rig: Rig) -> None:
    """Delete waits for a running copy, then deletes its replica."""
    rig.create(declared())

    rig.delete()

    assert [] == rig.replicas
    assert ["CopyBackup", "DeleteBackup"] == rig.writes()


def test_delete_gone_replica_is_success(rig: Rig) -> None:
    """A replica that is already gone needs no deletion."""
    replicate(rig)
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    rig.delete()

    assert ["CopyBackup"] == rig.writes()


def test_delete_twice_is_success(rig: Rig) -> None:
    """A second deletion, as after a crash, succeeds."""
    replicate(rig)
    rig.delete()

    rig.delete()

    assert [] == rig.replicas


def test_update_name_of_gone_replica_is_an_error(rig: Rig) -> None:
    """A replica that is gone cannot be renamed; the error says what to run."""
    replicate(rig)
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    with pytest.raises(NotFoundError) as caught:
        rig.update(declared(name="new"))

    assert "pulumi refresh" in str(caught.value)
