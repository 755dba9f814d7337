"""The steps of the live suite, cheapest first: each makes claims and answers open questions.

What they rely on is the package itself: its client, finders and life of a replication. Only
`copy` and what follows it costs anything.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from live.ledger import Entry, Ledger
from live.notes import Notes
from live.observed import ObservedClient, words_of
from live.plan import LiveError, Plan
from pulumi_huaweicloud_cbr.backoff import is_outcome_unknown
from pulumi_huaweicloud_cbr.client import PAGE_SIZE
from pulumi_huaweicloud_cbr.clock import SystemClock
from pulumi_huaweicloud_cbr.copies import GRACE_LOOKS
from pulumi_huaweicloud_cbr.errors import CbrError, NotFoundError
from pulumi_huaweicloud_cbr.finders import (
    find_backup,
    find_destinations,
    find_record,
    find_replica_by_id,
)
from pulumi_huaweicloud_cbr.lifecycle import Limits, observe_once, remove, rename
from pulumi_huaweicloud_cbr.models import (
    PENDING_RECORD_STATUSES,
    STATUS_SUCCESS,
    DesiredReplication,
    ProjectScope,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.reporting import Reporter
from pulumi_huaweicloud_cbr.settings import Settings
from pulumi_huaweicloud_cbr.signing import LARGEST_SKEW_S, AccessKeys
from pulumi_huaweicloud_cbr.waiters import Look, WaitPlan, wait
from pulumi_huaweicloud_cbr.wire import ReplicationRecord

NEW_NAME = "live-suite-renamed"


class LateClock(SystemClock):
    """A clock that is further off than the gateway puts up with."""

    def wall_time(self) -> float:
        """Return a time long past."""
        return super().wall_time() - 4 * LARGEST_SKEW_S


class Suite:
    """The steps in their order; what they find goes into `notes`, what they make into `ledger`."""

    def __init__(
        self, api: ObservedClient, plan: Plan, notes: Notes, ledger: Ledger, report: Reporter
    ) -> None:
        self._api = api
        self._plan = plan
        self._notes = notes
        self._ledger = ledger
        self._report = report

    async def run(self) -> None:
        """Go through all steps.

        Raises:
            LiveError: the copy did not come about, so that nothing more can be seen.
        """
        for title, step in (
            ("read the backup", self.read_backup),
            ("list with filters", self.list_with_filters),
            ("ask for what does not exist", self.ask_for_missing),
            ("sign with a clock that is off", self.sign_late),
            ("read the capabilities", self.read_capabilities),
            ("read the vault", self.read_vault),
            ("copy the backup", self.copy),
            ("look at the replica", self.read_replica),
            ("look for the tasks", self.read_tasks),
            ("rename the replica", self.rename_replica),
            ("have a copy of the replica refused", self.copy_the_replica),
            ("delete the replica", self.delete),
        ):
            self._report.tell(title)
            await step()
        throttled = self._api.throttled
        waits = ", ".join("none" if wish is None else f"{wish:.0f} s" for wish in throttled)
        self._notes.answer(
            "14.21",
            f"{len(throttled)} of {self._api.calls} requests were throttled"
            + (f"; Retry-After: {waits}" if throttled else ""),
        )

    # -- reads -----------------------------------------------------------------------------

    async def read_backup(self) -> None:
        """Look at the form of a backup."""
        plan = self._plan
        backup = await find_backup(self._api, plan.source, plan.backup.id)
        row = self._api.raw("backup")
        self._notes.claim(backup.status == "available", "the backup is available")
        self._notes.answer("14.8", f"ShowBackup, before: {_records_in(row)}")
        inner = row.get("extend_info") or {}
        holders = (("backup", row), ("extend_info", inner))
        places = [name for name, held in holders if "incremental" in held]
        self._notes.answer("14.15", f"`incremental` stands in: {', '.join(places) or 'neither'}")
        self._notes.answer("14.16", f"created_at of a backup is like {row.get('created_at')!r}")

    async def list_with_filters(self) -> None:
        """Compare what lists show by their filters."""
        plan, api = self._plan, self._api
        own: dict[str, Any] = {"limit": PAGE_SIZE, "resource_id": plan.backup.resource_id}
        found = await api.list_backups(plan.source, **own)
        self._notes.claim(
            plan.backup.id in {backup.id for backup in found}, "the list of its resource has it"
        )
        plain = _records_in(self._row_in_list())
        await api.list_backups(plan.source, show_replication=True, **own)
        shown = _records_in(self._row_in_list())
        self._notes.answer("14.8", f"ListBackups: {plain}; with show_replication: {shown}")
        for form in (["available", "error"], "available,error"):
            counted = await self._counted(status=form)
            self._notes.answer("14.13", f"status as {form!r}: {counted}")
        for kind in ("OS::Sfs::Turbo", "OS::Ironic::BareMetalServer"):
            self._notes.answer("14.14", f"{kind}: {await self._counted(resource_type=kind)}")
        counts = [
            f"{'without' if value is None else value}: {await self._counted(incremental=value)}"
            for value in (None, True, False)
        ]
        self._notes.answer("14.15", f"lists by `incremental`, {'; '.join(counts)}")

    async def ask_for_missing(self) -> None:
        """Ask for a backup that nobody has, and for one in a foreign project's path."""
        plan, api = self._plan, self._api
        nobodys = str(uuid.uuid4())
        answered = await self._outcome(lambda: api.get_backup(plan.source, nobodys))
        self._notes.answer("14.2", f"a backup that does not exist: {answered}")
        try:
            await find_backup(api, plan.source, nobodys)
            is_missing = False
        except NotFoundError:
            is_missing = True
        self._notes.claim(is_missing, "a backup that does not exist is told as missing")
        mixed = ProjectScope(plan.source.region, plan.destination.project_id)
        answered = await self._outcome(lambda: api.get_backup(mixed, plan.backup.id))
        self._notes.answer("14.2", f"the other region's project in the path: {answered}")

    async def sign_late(self) -> None:
        """Sign one request with a clock that is off; only access keys sign."""
        settings: Settings = self._api.settings
        clock = LateClock()
        async with ObservedClient(settings, clock) as late:
            if not isinstance(late.authenticator, AccessKeys):
                self._report.tell("  left out: no access key signs here")
                return
            try:
                await late.list_backups(self._plan.source, limit=1)
                answered = "accepted"
            except CbrError as error:
                answered = words_of(error)
        self._notes.answer("14.23", f"an hour behind: {answered}")

    async def read_capabilities(self) -> None:
        """See that the copy is possible by CBR's own word."""
        plan = self._plan
        destinations = await find_destinations(self._api, plan.source)
        self._notes.answer("14.24", f"/replication-capabilities: HTTP {self._api.last.status_code}")
        self._notes.claim(
            plan.destination.region in destinations,
            f"{plan.source.region} can copy to {plan.destination.region}",
        )

    async def read_vault(self) -> None:
        """Look at the numbers of the destination vault."""
        plan = self._plan
        await self._api.get_vault(plan.destination, plan.vault.id)
        billing = self._api.raw("vault", "billing")
        numbers = {name: billing.get(name) for name in ("size", "allocated", "used")}
        self._notes.answer("14.10", f"size in GB, allocated, used in MB: {numbers}")

    # -- the copy --------------------------------------------------------------------------

    async def copy(self) -> None:
        """Submit, have a second submission refused, and wait for the replica."""
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
        self._notes.answer("14.8", f"ShowBackup, after: {_records_in(api.raw('backup'))}")
        again, refusal = await self._submit(plan.desired)
        self._notes.claim(again is None, "a second copy is refused beside the replica, too")
        self._notes.answer("14.1", f"a second copy when the first has ended: {refusal}")

    async def _submit(self, desired: DesiredReplication) -> tuple[Entry | None, str]:
        """Send a submission; return its entry, or None if refused, and how it was answered.

        An interruption waits for the answer: what was made must be known.
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
        status = f"HTTP {self._api.last.status_code}"
        return self._ledger.accepted(entry, answer.replication_record_id), status

    async def _wait(self, tracked: TrackedReplication) -> ReplicationRecord:
        """Wait until the copy has succeeded; note what is to be seen meanwhile."""
        plan, api = self._plan, self._api
        noted: set[str] = set()
        absences = itertools.count(1)

        async def look() -> Look[ReplicationRecord]:
            backup = await find_backup(api, plan.source, plan.backup.id, is_fresh=True)
            record = find_record(backup, tracked.replication_record_id)
            if record is None and next(absences) > GRACE_LOOKS:
                raise LiveError(f"the backup does not list {tracked}, though it was accepted")
            if record is None:
                self._notes.answer("14.8", "ShowBackup does not list an accepted record at once")
                record = ReplicationRecord(id=tracked.replication_record_id, status=tracked.status)
            replica_status = "not told"
            if record.destination_backup_id:
                replica = await find_replica_by_id(
                    api, plan.destination, record.destination_backup_id, is_fresh=True
                )
                replica_status = (replica.backup and replica.backup.status) or "not to be seen"
            told = f"record {record.status!r}, replica {replica_status}"
            if told not in noted:
                noted.add(told)
                self._notes.answer("14.7", told)
            progress = record.extra_info.progress if record.extra_info else None
            detail = "progress unknown" if progress is None else f"{progress} %"
            return Look(record.status, record, record.failure if record.is_failed else detail)

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
        """Look at what CBR made."""
        plan = self._plan
        seen = await observe_once(self._api, self._tracked, is_fresh=True)
        replica = seen.replica.backup
        if replica is None:
            raise LiveError(f"the replica of {self._tracked} is not to be seen")
        self._notes.claim(replica.is_replica, "the replica says that it is one")
        self._notes.claim(
            replica.vault_id == plan.vault.id, "the replica is in the vault that was named"
        )
        source = plan.backup
        name = "the source's" if replica.name == source.name else repr(replica.name)
        text = "the source's" if replica.description == source.description else "another"
        if not replica.description:
            text = repr(replica.description)
        self._notes.answer("14.6", f"name: {name}; description: {text}")
        self._replica_id = replica.id
        await self._api.get_vault(plan.destination, plan.vault.id)
        billing = self._api.raw("vault", "billing")
        numbers = {key: billing.get(key) for key in ("size", "allocated", "used")}
        self._notes.answer("14.10", f"with a replica of {source.resource_size} GB: {numbers}")

    async def read_tasks(self) -> None:
        """See which region logs the copy, and as what."""
        plan = self._plan
        for side, scope in (("source", plan.source), ("destination", plan.destination)):
            # CBR's clock and ours need not agree, so the newest are looked through.
            await self._api.list_tasks(scope, limit=100)
            kinds = {
                str(row.get("operation_type"))
                for row in self._api.raw("operation_logs")
                if _copied_in(row) == plan.backup.id
            }
            self._notes.answer("14.9", f"{side} region: {', '.join(sorted(kinds)) or 'no task'}")

    async def rename_replica(self) -> None:
        """Give the replica another name."""
        renamed = await rename(self._api, self._tracked, NEW_NAME, self._report)
        self._notes.claim(renamed.replica_name == NEW_NAME, "the answer has the new name")
        again = await observe_once(self._api, self._tracked, is_fresh=True)
        shown = again.replica.backup
        self._notes.claim(
            shown is not None and shown.name == NEW_NAME, "the replica has the new name"
        )

    async def copy_the_replica(self) -> None:
        """Try to copy the replica on: it has to be refused, and is cleaned up if it is not."""
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
        """Delete the replica, and look what is left."""
        plan, api = self._plan, self._api
        await remove(api, self._tracked, self._report)
        self._ledger.drop(self._made)
        replica = await find_replica_by_id(api, plan.destination, self._replica_id, is_fresh=True)
        self._notes.claim(replica.is_gone, "the replica is gone")
        self._notes.answer("14.25", f"the deletion worked: HTTP {api.statuses['DELETE']}")
        replica_id = self._replica_id
        answered = await self._outcome(lambda: api.delete_backup(plan.destination, replica_id))
        self._notes.answer("14.25", f"a second one: {answered}")
        source = await find_backup(api, plan.source, plan.backup.id, is_fresh=True)
        self._notes.claim(source.status == "available", "the source is as it was")
        record = find_record(source, self._tracked.replication_record_id)
        stands = "it is gone" if record is None else f"it stays with status {record.status!r}"
        self._notes.answer("14.5", stands)

    # -- how something was answered --------------------------------------------------------

    def _row_in_list(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = self._api.raw("backups")
        return next((row for row in rows if row["id"] == self._plan.backup.id), {})

    async def _outcome(self, call: Callable[[], Awaitable[object]]) -> str:
        try:
            await call()
        except CbrError as error:
            return words_of(error)
        return f"HTTP {self._api.last.status_code}"

    async def _counted(self, **filters: Any) -> str:
        api, scope = self._api, self._plan.source
        answered = await self._outcome(lambda: api.list_backups(scope, limit=1, **filters))
        if answered.startswith("HTTP 2"):
            return f"{answered}, count {self._api.raw().get('count')}"
        return answered


def _records_in(row: dict[str, Any]) -> str:
    if "replication_records" not in row:
        return "no replication_records"
    records = row["replication_records"]
    return "replication_records null" if records is None else f"{len(records)} replication_records"


def _copied_in(task: dict[str, Any]) -> str | None:
    replication = (task.get("extra_info") or {}).get("replication") or {}
    source: str | None = replication.get("source_backup_id")
    return source
