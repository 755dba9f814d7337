"""The steps that cost money: one copy, its observation, and its end."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.find import find_backup, find_record, find_replica_by_id
from pulumi_huaweicloud_cbr.api.transport.retry import is_outcome_unknown
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import (
    PENDING_RECORD_STATUSES,
    STATUS_SUBMITTED,
    STATUS_SUCCESS,
)
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.observe import Limits, observe_once
from pulumi_huaweicloud_cbr.replication.one import remove, rename
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark
from pulumi_huaweicloud_cbr.replication.wait.copies import GRACE_LOOKS
from pulumi_huaweicloud_cbr.replication.wait.polling import Look, WaitPlan, wait
from tools.live.asking import records_in
from tools.live.ledger import OWN, OWNER, Entry, Ledger
from tools.live.notes import Notes
from tools.live.observed import ObservedClient, outcome, words_of
from tools.live.plan import LiveError, Plan

NEW_NAME = "live-suite-renamed"


class Copying:
    """One copy from its submission to its deletion; what it creates is noted in `ledger`."""

    def __init__(
        self, api: ObservedClient, plan: Plan, notes: Notes, ledger: Ledger, report: Reporter
    ) -> None:
        self._api = api
        self._plan = plan
        self._notes = notes
        self._ledger = ledger
        self._report = report
        self._described: set[str] = set()

    async def copy(self) -> None:
        """Submit, expect the refusal of a second submission, and wait for the replica."""
        plan, api = self._plan, self._api
        entry, status = await self._submit(plan.desired)
        if entry is None or entry.record_id is None:
            raise LiveError(f"the copy was refused: {status}")
        self._notes.answer("14.20", status)
        again, refusal = await self._submit(plan.desired)
        self._notes.claim(again is None, "a second copy to the region is refused")
        self._notes.answer("14.1", f"a second copy while the first goes on: {refusal}")
        seen = await self._wait(entry.tracked(entry.record_id))
        self._notes.claim(
            seen.destination_backup_id is not None, "the record names the replica when it ends"
        )
        self._made = entry
        self._tracked = replace(
            entry.tracked(entry.record_id),
            status=seen.status,
            destination_backup_id=seen.destination_backup_id,
            source_resource_id=plan.backup.resource_id,
        )

        shown = await find_backup(api, plan.source, plan.backup.id)
        self._notes.claim(
            find_record(shown, entry.record_id) is not None, "ShowBackup lists the record"
        )
        self._notes.answer("14.8", f"ShowBackup, after: {records_in(api.raw('backup'))}")
        again, refusal = await self._submit(plan.desired)
        self._notes.claim(again is None, "a second copy is refused beside the replica, too")
        self._notes.answer("14.1", f"a second copy when the first has ended: {refusal}")

    async def _submit(self, desired: DesiredReplication) -> tuple[Entry | None, str]:
        """Send a submission. Return its entry, or None if refused, and the form of the answer.

        An interruption waits for the answer: what was created must be known.
        """
        backup = await find_backup(self._api, desired.source, desired.backup_id)
        entry = Entry.of(desired, tuple(record.id for record in backup.records))
        self._ledger.add(entry)
        work = asyncio.ensure_future(
            self._api.replicate_backup(desired.source, desired.backup_id, desired.request())
        )
        try:
            answer = await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait({work})
            if work.exception() is None:
                self._ledger.accepted(entry, work.result().replication_record_id)
            raise
        except CbrError as error:
            if is_outcome_unknown(error):
                raise
            self._ledger.drop(entry)
            return None, words_of(error)
        status = f"HTTP {self._api.last.status}"
        return self._ledger.accepted(entry, answer.replication_record_id), status

    async def _wait(self, tracked: TrackedReplication) -> ReplicationRecord:
        """Wait until the copy has succeeded, and note the observations."""
        plan, api = self._plan, self._api
        noted: set[str] = set()
        absences = itertools.count(1)

        async def look() -> Look[ReplicationRecord]:
            backup = await find_backup(api, plan.source, plan.backup.id)
            record = find_record(backup, tracked.replication_record_id)
            if record is None and next(absences) > GRACE_LOOKS:
                raise LiveError(f"the backup does not list {tracked}, though it was accepted")
            if record is None:
                self._notes.answer("14.8", "ShowBackup does not list an accepted record at once")
                record = ReplicationRecord(id=tracked.replication_record_id, status=tracked.status)
            replica_status, replica = "not told", Replica(None, None)
            if record.destination_backup_id:
                replica = await find_replica_by_id(
                    api, plan.destination, record.destination_backup_id
                )
                replica_status = (replica.backup and replica.backup.status) or "not to be seen"
            if record.is_pending:
                self._note_description("while the copy runs", replica.backup)
            told = f"record {record.status!r}, replica {replica_status}"
            if told not in noted:
                noted.add(told)
                self._notes.answer("14.7", told)
            progress = record.extra_info.progress if record.extra_info else None
            detail = "progress unknown" if progress is None else f"{progress} %"
            return Look(
                record.status or STATUS_SUBMITTED,
                record,
                record.failure if record.is_failed else detail,
            )

        wanted = WaitPlan(
            what="waiting for the copy",
            doing=f"waiting for {tracked}",
            pending=PENDING_RECORD_STATUSES,
            target=frozenset({STATUS_SUCCESS}),
            interval_s=api.settings.poll_interval_s,
            timeout_s=Limits().copy_s,
            hint="run make live-clean later",
        )
        return (await wait(wanted, look, api.clock, self._report)).observed

    # -- the replica -----------------------------------------------------------------------

    async def read_replica(self) -> None:
        """Check the replica that CBR made."""
        plan = self._plan
        seen = await observe_once(self._api, self._tracked)
        replica = seen.replica.backup
        if replica is None:
            raise LiveError(f"the replica of {self._tracked} is not to be seen")
        self._notes.claim(replica.is_replica, "the replica says that it is one")
        self._notes.claim(
            replica.vault_id == plan.vault.id, "the replica is in the vault that was named"
        )
        source = plan.backup
        name = "the source's" if replica.name == source.name else repr(replica.name)
        self._notes.answer("14.6", name)
        self._note_description("after", replica)
        self._replica_id = replica.id
        await self._api.get_vault(plan.destination, plan.vault.id)
        billing = self._api.raw("vault", "billing")
        numbers = {key: billing.get(key) for key in ("size", "allocated", "used")}
        self._notes.answer("14.10", f"with a replica of {source.resource_size} GB: {numbers}")

    def _note_description(self, when: str, replica: Backup | None) -> None:
        """Note what became of the description that was sent, each answer once."""
        shown = replica.description if replica else None
        if replica is None:
            what = "no replica is to be seen yet"
        elif not shown:
            what = "none"
        elif shown == self._plan.desired.request().description:
            what = "as it was sent"
        else:
            is_marked = split_mark(shown)[1] == OWNER
            what = f"{'with' if is_marked else 'without'} the mark, as {shown!r}"
        answer = f"{when}: {what}"
        if answer not in self._described:
            self._described.add(answer)
            self._notes.answer("14.26", answer)

    async def read_tasks(self) -> None:
        """Find the region that logs the copy, and its type there."""
        plan = self._plan
        for side, scope in (("source", plan.source), ("destination", plan.destination)):
            # CBR's clock and ours may differ, so the newest tasks are searched.
            await self._api.list_tasks(scope, limit=100)
            kinds = {
                str(row.get("operation_type"))
                for row in self._api.raw("operation_logs")
                if _copied_in(row) == plan.backup.id
            }
            self._notes.answer("14.9", f"{side} region: {', '.join(sorted(kinds)) or 'no task'}")

    async def rename_replica(self) -> None:
        """Rename the replica."""
        renamed = await rename(self._api, self._tracked, NEW_NAME, self._report)
        self._notes.claim(renamed.replica_name == NEW_NAME, "the answer has the new name")
        again = await observe_once(self._api, self._tracked)
        shown = again.replica.backup
        self._notes.claim(
            shown is not None and shown.name == NEW_NAME, "the replica has the new name"
        )

    async def copy_the_replica(self) -> None:
        """Try to copy the replica: it must be refused, and is cleaned up otherwise."""
        plan = self._plan
        back = DesiredReplication(
            backup_id=self._replica_id,
            source=plan.destination,
            destination=plan.source,
            destination_vault_id=plan.vault.id,
        )
        entry, refusal = await self._submit(back)
        self._notes.claim(entry is None, "a copy of a replica is refused")
        self._notes.answer("14.1", f"a copy of a replica: {refusal}")
        self._notes.answer("14.19", refusal)

    async def delete(self) -> None:
        """Delete the replica, and check what is left."""
        plan, api = self._plan, self._api
        await remove(api, self._tracked, self._report, OWN)
        self._ledger.drop(self._made)
        replica = await find_replica_by_id(api, plan.destination, self._replica_id)
        self._notes.claim(replica.is_gone, "the replica is gone")
        self._notes.answer("14.25", f"the deletion worked: HTTP {api.statuses['DELETE']}")
        replica_id = self._replica_id
        answered = await outcome(api, lambda: api.delete_backup(plan.destination, replica_id))
        self._notes.answer("14.25", f"a second one: {answered}")
        source = await find_backup(api, plan.source, plan.backup.id)
        self._notes.claim(source.status == "available", "the source is as it was")
        record = find_record(source, self._tracked.replication_record_id)
        stands = "it is gone" if record is None else f"it stays with status {record.status!r}"
        self._notes.answer("14.5", stands)


def _copied_in(task: dict[str, Any]) -> str | None:
    replication = (task.get("extra_info") or {}).get("replication") or {}
    source: str | None = replication.get("source_backup_id")
    return source
