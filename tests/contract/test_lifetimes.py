"""Different lifetimes: a source that expires, a replica that is late or being deleted.

Nothing is lost: a declared copy that may exist stays in the state, and `destroy` reaches it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import ConflictError, NotFoundError, UnexpectedStatusError
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.replication.observe import Limits
from simulator.testing import DEMO_WORLD, InProcessSimulator
from simulator.worlds.files import load_world
from tests.contract.rig import BACKUP, SECOND_VAULT, VAULT, Rig, declared, refuse_to_export

pytestmark = pytest.mark.simulator_only

DESTINATION = "cn-east-3"
DESTINATION_PROJECT = "863129926600475a959e8f2efb991722"
SIBLING = "8db960dd-a598-4f3d-b551-109e5def2e60"
"""Another backup of the same server."""
MISSING = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
EMPTY_LOG = {"operation_logs": [], "count": 0}
LOOKS = Limits().replica_looks


@pytest.fixture(params=["late", "early"])
def simulator(request: pytest.FixtureRequest) -> Iterator[InProcessSimulator]:
    """A simulator whose records name the replica at success, or immediately."""
    world = load_world(DEMO_WORLD)
    world.options.destination_ids = request.param
    running = InProcessSimulator(world)
    yield running
    running.close()


def hide_replicas(rig: Rig, looks: int) -> None:
    """Hide the destination's replicas from this many polls."""
    answer: dict[str, Any] = {"action": "respond", "status": 404, "body": MISSING}
    rig.control.fault(operation="ShowBackup", region=DESTINATION, times=looks, **answer)


def looks_at_destination(rig: Rig) -> int:
    """Return how often a replica was polled in the destination."""
    shown = rig.control.journal(operation="ShowBackup")
    return len([entry for entry in shown if entry["region"] == DESTINATION])


def begin_deletion(rig: Rig, replica_id: str) -> None:
    """Delete a replica as somebody else does, which takes a while."""

    async def delete() -> None:
        scope = await rig.session.scope(DESTINATION, DESTINATION_PROJECT)
        await rig.session.client().delete_backup(scope, replica_id)

    rig.session.run(delete())
    rig.control.clear_journal()


# -- the source expires during the copy ----------------------------------------------------


@pytest.mark.parametrize("share", [0.01, 0.5], ids=["waiting", "replicating"])
def test_source_gone_during_copy_is_kept(rig: Rig, share: float) -> None:
    """The record disappears with its source; the operation log shows that the copy continues."""
    rig.create(declared())
    rig.control.advance(share * 1536)
    rig.control.forget_backup(BACKUP)

    assert rig.refresh()
    expected = "waiting_replicate" if share < 0.1 else "replicating"
    assert expected == rig.outputs["status"]
    assert rig.outputs["source_deleted"] is True
    assert not rig.diff(declared()).changes


def test_source_gone_during_copy_is_found_when_it_has_ended(rig: Rig) -> None:
    """A copy that ended unseen is found in the operation log, and stays known from then on."""
    rig.create(declared())
    rig.control.advance(700)
    rig.control.forget_backup(BACKUP)
    assert rig.refresh()
    rig.finish_copies()

    assert rig.refresh()
    assert "success" == rig.outputs["status"]
    assert rig.replicas[0]["id"] == rig.outputs["destination_backup_id"]
    assert not rig.diff(declared()).changes


def test_source_gone_during_copy_is_destroyed_with_its_replica(rig: Rig) -> None:
    """Destroy waits for a copy without a record, and leaves no replica behind."""
    rig.create(declared())
    rig.control.advance(700)
    rig.control.forget_backup(BACKUP)

    rig.delete(is_forced=True)

    assert [] == rig.replicas


def test_source_gone_and_copy_failed_is_gone(rig: Rig) -> None:
    """A copy that failed after its source expired left nothing."""
    rig.control.change_backup(BACKUP, copy={"mode": "seconds", "seconds": 600, "outcome": "fail"})
    rig.create(declared())
    rig.control.forget_backup(BACKUP)
    assert rig.refresh()
    rig.finish_copies()

    assert not rig.refresh()


def test_record_not_listed_during_copy_is_kept(rig: Rig) -> None:
    """A copy is not lost while its record is not listed."""
    rig.create(declared())
    rig.control.advance(700)
    rig.control.forget_record(rig.id)

    assert rig.refresh()
    assert "replicating" == rig.outputs["status"]
    assert "source_deleted" not in rig.outputs


def test_source_gone_and_log_lost_ignores_replicas_of_other_backups(rig: Rig) -> None:
    """Replicas that records assign to other backups of the server are not ours."""
    rig.create(declared(backup_id=SIBLING))
    rig.create(declared())
    rig.finish_copies()
    ours = next(row for row in rig.control.records() if row["source_backup_id"] == BACKUP)
    rig.control.forget_backup(ours["destination_backup_id"])
    rig.control.forget_backup(BACKUP)
    rig.control.fault(
        operation="ListOpLogs", action="respond", status=200, body=EMPTY_LOG, times=2 * LOOKS
    )

    assert not rig.refresh()
    assert 1 == len(rig.replicas)


# -- what is late --------------------------------------------------------------------------


@pytest.mark.parametrize("looks", [1, LOOKS - 1])
def test_late_replica_is_present(rig: Rig, looks: int) -> None:
    """After a success, a replica that is not visible yet is polled again, and not lost."""
    rig.create(declared())
    rig.finish_copies()
    hide_replicas(rig, looks)

    assert rig.refresh()
    assert "success" == rig.outputs["status"]
    assert rig.replicas[0]["id"] == rig.outputs["destination_backup_id"]
    assert looks + 1 == looks_at_destination(rig)


def test_late_replica_is_not_replaced(rig: Rig) -> None:
    """A preview does not take a late replica for a lost one: up would delete and copy again."""
    rig.create(declared())
    rig.finish_copies()
    hide_replicas(rig, LOOKS - 1)

    assert not rig.diff(declared()).changes


def test_late_replica_is_destroyed(rig: Rig) -> None:
    """Destroy immediately after the copy's end does not leave the late replica behind."""
    rig.create(declared())
    rig.finish_copies()
    hide_replicas(rig, LOOKS - 1)

    rig.delete()

    assert [] == rig.replicas


def test_replica_never_seen_is_gone_after_several_looks(rig: Rig) -> None:
    """A replica that was never seen counts as gone after several polls."""
    rig.create(declared())
    rig.finish_copies()
    started = rig.session.client().clock.monotonic()
    hide_replicas(rig, 1000)

    assert not rig.refresh()
    assert LOOKS == looks_at_destination(rig)
    waited_s = rig.session.client().clock.monotonic() - started
    assert (LOOKS - 1) * rig.session.settings.poll_interval_s == pytest.approx(waited_s)


def test_replica_seen_before_is_gone_at_once(rig: Rig) -> None:
    """A replica that was seen before counts as gone after one poll."""
    rig.create(declared())
    rig.finish_copies()
    assert rig.refresh()
    rig.control.clear_journal()
    rig.control.forget_backup(rig.outputs["destination_backup_id"])

    assert not rig.refresh()
    assert 1 == looks_at_destination(rig)


def test_late_record_is_kept(rig: Rig) -> None:
    """A submission is not forgotten while its record, task and replica are not listed."""
    rig.create(declared())
    bare = {"backup": {"id": BACKUP, "status": "available"}}
    source = {"operation": "ShowBackup", "region": "cn-north-4"}
    rig.control.fault(**source, action="respond", status=200, body=bare, times=LOOKS - 1)
    rig.control.fault(
        operation="ListOpLogs", action="respond", status=200, body=EMPTY_LOG, times=LOOKS - 1
    )

    assert rig.refresh()
    assert "waiting_replicate" == rig.outputs["status"]


def test_late_replica_that_blocks_a_create_is_reported(rig: Rig) -> None:
    """CBR refuses a second copy, but no replica is visible: the error names the record."""
    rig.create(declared())
    rig.finish_copies()
    hide_replicas(rig, 1000)

    with pytest.raises(ConflictError) as caught:
        rig.create(declared())

    assert rig.control.records()[0]["id"] in str(caught.value)
    assert "run pulumi up again in some minutes" in str(caught.value)
    rig.control.drop_faults()
    first = rig.id
    rig.create(declared())
    assert first == rig.id
    assert 1 == len(rig.replicas)


def test_copy_without_a_record_that_blocks_a_create_is_reported(rig: Rig) -> None:
    """CBR refuses a second copy, but no record is listed: the error says where to look for it."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_record(rig.id)

    with pytest.raises(ConflictError) as caught:
        rig.create(declared())

    assert "lists no replication record" in str(caught.value)
    assert 1 == len(rig.replicas)


# -- two resources, one copy ---------------------------------------------------------------


def test_copy_that_was_adopted_under_another_name_stays(rig: Rig) -> None:
    """A replica that one resource adopted is not deleted with the old one in the same operation."""
    rig.create(declared())
    rig.finish_copies()
    begin_operation()
    rig.create(declared())

    rig.provider.delete(rig.id, rig.outputs)

    assert 1 == len(rig.replicas)
    rig.delete()
    assert [] == rig.replicas


def test_copy_that_a_resource_keeps_stays(rig: Rig) -> None:
    """A leftover of a replacement leaves the replica to the resource of the same name."""
    rig.create(declared())
    rig.finish_copies()
    begin_operation()
    use_export(refuse_to_export)
    assert not rig.diff(declared()).changes

    rig.provider.delete(rig.id, rig.outputs)

    assert 1 == len(rig.replicas)


# -- what is being deleted -----------------------------------------------------------------


def test_deletion_that_cbr_calls_a_running_task_is_waited_for(rig: Rig) -> None:
    """``CSBS.2003`` for a second DELETE means that the first is at work."""
    rig.create(declared())
    rig.finish_copies()
    assert rig.refresh()
    body = {"error_code": "CSBS.2003", "error_msg": "The backup is being executed."}
    rig.control.fault(operation="DeleteBackup", action="respond_after", status=400, body=body)

    rig.delete()

    assert [] == rig.replicas


@pytest.fixture
def leaving(rig: Rig) -> Rig:
    """A replication whose replica somebody else is deleting."""
    rig.create(declared())
    rig.finish_copies()
    assert rig.refresh()
    begin_deletion(rig, rig.outputs["destination_backup_id"])
    return rig


def test_replica_being_deleted_is_dropped_and_copied_again(leaving: Rig) -> None:
    """A replica that is being deleted is dropped. Create waits until it is gone."""
    old = leaving.outputs["destination_backup_id"]

    assert not leaving.refresh()
    leaving.create(declared())
    leaving.finish_copies()
    assert leaving.refresh()
    assert [leaving.outputs["destination_backup_id"]] == [row["id"] for row in leaving.replicas]
    assert old != leaving.outputs["destination_backup_id"]


def test_replica_being_deleted_is_waited_for_by_delete(leaving: Rig) -> None:
    """Destroy ends when the replica that somebody else deletes is gone."""
    leaving.delete()

    assert [] == leaving.replicas


def test_replica_being_deleted_is_not_renamed(leaving: Rig) -> None:
    """Renaming a replica that is being deleted is an error that says what to run."""
    with pytest.raises(NotFoundError) as caught:
        leaving.update(declared(name="new"))

    assert "pulumi refresh" in str(caught.value)
    assert [] == leaving.writes()


# -- what is not ours ----------------------------------------------------------------------


def test_replica_in_other_vault_is_not_taken_for_ours(rig: Rig) -> None:
    """After ours was deleted, a foreign copy to another vault is neither tracked nor deleted."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(rig.replicas[0]["id"])
    rig.control.forget_record(rig.id)
    known = rig.id, dict(rig.outputs)
    rig.create(declared(destination_vault_id=SECOND_VAULT))
    rig.finish_copies()
    rig.id, rig.outputs = known

    rig.delete()

    assert not rig.refresh()
    assert [SECOND_VAULT] == [row["vault_id"] for row in rig.replicas]
    ((field, reason),) = rig.faults(declared())
    assert "destination_vault_id" == field
    assert VAULT in reason


# -- statuses ------------------------------------------------------------------------------


def test_skipped_copy_with_a_replica_is_left_alone(rig: Rig) -> None:
    """`skip` with an existing replica is not a failure: nothing is replaced."""
    rig.create(declared())
    rig.finish_copies()
    assert rig.refresh()
    rig.control.change_record(rig.id, status="skip")

    assert rig.refresh()
    assert "skip" == rig.outputs["status"]
    assert not rig.diff(declared()).changes


def test_failed_copy_keeps_no_replica_id(rig: Rig) -> None:
    """A replica id from a running copy is not kept if the copy failed."""
    script = {"mode": "seconds", "seconds": 600, "outcome": "skip"}
    rig.control.change_backup(BACKUP, copy=script)
    rig.create(declared())
    assert rig.refresh()
    rig.finish_copies()

    assert rig.refresh()
    assert "destination_backup_id" not in rig.outputs
    assert ["status"] == rig.diff(declared()).replaces


def test_unknown_status_is_reported_and_left_alone(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    """An unknown status replaces and deletes nothing; each command reports it."""
    rig.create(declared())
    rig.control.change_record(rig.id, status="paused", copy={"mode": "never"})

    assert rig.refresh()
    assert not rig.diff(declared()).changes
    assert "has status 'paused'" in capfd.readouterr().err
    with pytest.raises(UnexpectedStatusError):
        rig.delete()
    assert ["CopyBackup"] == rig.writes()


@pytest.mark.parametrize("status", ["restoring", "error", "waiting_restore"])
def test_source_in_another_status_changes_nothing(rig: Rig, status: str) -> None:
    """A source that is in use or broken after the copy is not drift."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_backup(BACKUP, status=status)

    assert not rig.diff(declared()).changes
    assert rig.refresh()
    assert not rig.diff(declared()).changes
