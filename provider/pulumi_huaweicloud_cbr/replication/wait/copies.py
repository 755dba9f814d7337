"""The copies of a wait, and how they are polled: many copies with few requests.

One poll is a page of ListBackups for up to a thousand backups of a source project, not a request
for each. Only the needed fields of each row are kept. A copy counts as succeeded only once its
replica is in the destination. Nothing here sleeps: see `completion`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum, auto

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backup, find_record, find_replica_by_id
from pulumi_huaweicloud_cbr.api.pages import LIST_FROM, pages_worth_reading
from pulumi_huaweicloud_cbr.api.transport.retry import may_repeat
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ApiError, NotFoundError, UnidentifiedReplicaError
from pulumi_huaweicloud_cbr.base.text import readable
from pulumi_huaweicloud_cbr.replication.observe import observe_once
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    ARRIVING_STATUSES,
    DELETING_STATUSES,
    GOOD_STATUSES,
    Standing,
    decide_read,
)
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication
from pulumi_huaweicloud_cbr.replication.wait.estimates import ProgressEstimate
from pulumi_huaweicloud_cbr.replication.wait.tracking import RECORDS, Group

GRACE_LOOKS = 6
"""Consecutive polls without a sighting, at the shortest interval, before it counts as deleted."""
NAME_LIMIT, REASON_LIMIT = 60, 160


class Outcome(Enum):
    """The state of the wait for one copy.

    `RUNNING`: the copy has not ended. `COPIED`: CBR reports success. `DONE`: the replica was seen.
    All others are ends without a replica.
    """

    RUNNING = auto()
    COPIED = auto()
    DONE = auto()
    FAILED = auto()
    SOURCE_GONE = auto()
    RECORD_GONE = auto()
    REPLICA_GONE = auto()
    UNKNOWN_STATUS = auto()
    UNIDENTIFIED = auto()


OPEN = (Outcome.RUNNING, Outcome.COPIED)
ABSENT = (Outcome.SOURCE_GONE, Outcome.RECORD_GONE, Outcome.REPLICA_GONE)
_REASON_OF_ABSENCE = {
    Outcome.SOURCE_GONE: "the source backup was deleted, and no replica is to be seen: "
    "choose another backup",
    Outcome.RECORD_GONE: "the backup does not list the replication record any more, and no replica "
    "is to be seen",
    Outcome.REPLICA_GONE: "CBR says that it succeeded, but the replica is not to be seen in the "
    "destination vault",
}


class Copy(Struct):
    """One copy of a wait, and its last observation.

    `absences` counts consecutive polls without a sighting. `is_told`: its failure was reported.
    `is_untold`: CBR tells no status of it, so only its replica can show that it has ended.
    `resource_name` and `size_gb` are of what was backed up. `backup_created_at` is when the backup
    was made, `created_at` when the copy began; both in UTC.
    """

    record_id: str
    backup_id: str
    source: ProjectScope
    destination: ProjectScope
    vault_id: str
    outcome: Outcome = Outcome.RUNNING
    name: str = ""
    status: str = STATUS_SUBMITTED
    progress: int | None = None
    course: ProgressEstimate = field(default_factory=ProgressEstimate)
    replica_id: str | None = None
    checkpoint_id: str | None = None
    resource_id: str | None = None
    is_source_gone: bool = False
    is_untold: bool = False
    absences: int = 0
    reason: str = ""
    is_told: bool = False
    resource_name: str | None = None
    size_gb: float | None = None
    backup_created_at: str | None = None
    created_at: str | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.backup_id})" if self.name else f"backup ({self.backup_id})"

    @property
    def failure(self) -> str:
        """Return a line with the reason why it failed."""
        return f"{self} to region {self.destination.region!r}: {self.reason}"

    @property
    def has_failed(self) -> bool:
        """Whether it ended without a replica."""
        return self.outcome not in (*OPEN, Outcome.DONE)

    @property
    def share(self) -> float:
        """Return its progress, from 0 to 1."""
        return (self.progress or 0) / 100 if self.outcome is Outcome.RUNNING else 1.0

    @property
    def progress_text(self) -> str:
        """Return its name and its progress."""
        if self.is_source_gone:
            return f"{self} whose source was deleted meanwhile"
        if self.absences:
            return f"{self} whose record is not to be seen"
        if self.status == STATUS_SUBMITTED:
            return f"{self} waiting"
        return f"{self} {'progress unknown' if self.progress is None else f'{self.progress} %'}"

    def end(self, outcome: Outcome, reason: str = "") -> None:
        """Note how it ended."""
        self.outcome, self.reason = outcome, reason or _REASON_OF_ABSENCE.get(outcome, "")

    def end_with(self, replica: Backup) -> None:
        """Note that it ended with a replica that stands in the destination."""
        self.outcome = Outcome.DONE
        self.replica_id = replica.id
        self.checkpoint_id = self.checkpoint_id or replica.checkpoint_id
        self._note(replica)

    def note_source(self, backup: Backup) -> None:
        """Note what the source backup tells."""
        self.name = readable(backup.resource_name or backup.name or "", NAME_LIMIT)
        self.backup_created_at = backup.created_at or self.backup_created_at
        self._note(backup)

    def _note(self, backup: Backup) -> None:
        self.resource_id = backup.resource_id or self.resource_id
        self.resource_name = backup.resource_name or self.resource_name
        self.size_gb = self.size_gb if backup.resource_size is None else backup.resource_size

    def tracked(self) -> TrackedReplication:
        """Return it as a tracked replication."""
        return TrackedReplication(
            backup_id=self.backup_id,
            source=self.source,
            destination=self.destination,
            destination_vault_id=self.vault_id,
            replication_record_id=self.record_id,
            status=self.status,
            destination_backup_id=self.replica_id,
            destination_checkpoint_id=self.checkpoint_id,
            source_resource_id=self.resource_id,
        )


def copies_of(groups: Iterable[Group], named: Mapping[str, str]) -> Iterator[Copy]:
    """Yield the copies to wait for; `named` maps record ids to replica ids that are known."""
    for group in groups:
        for record_id, backup_id in group[RECORDS].items():
            yield Copy(
                record_id=record_id,
                backup_id=backup_id,
                source=ProjectScope(group["source_region"], group["source_project_id"]),
                destination=ProjectScope(
                    group["destination_region"], group["destination_project_id"]
                ),
                vault_id=group["destination_vault_id"],
                replica_id=named.get(record_id),
            )


def copy_of(row: TrackedReplication) -> Copy:
    """Return the copy to wait for that a tracked replication describes."""
    return Copy(
        record_id=row.replication_record_id,
        backup_id=row.backup_id,
        source=row.source,
        destination=row.destination,
        vault_id=row.destination_vault_id,
        replica_id=row.destination_backup_id,
        checkpoint_id=row.destination_checkpoint_id,
        resource_id=row.source_resource_id,
    )


class Source:
    """The copies of one source project's backups."""

    def __init__(self, api: Api, scope: ProjectScope, copies: list[Copy]) -> None:
        self._api = api
        self._scope = scope
        self._copies = copies
        self._vaults: dict[str, str | None] = {}
        self._pages = 1
        self._may_list = True

    async def look(self) -> None:
        """Poll all running copies once."""
        missing = self._by_backup()
        if self._may_list and len(missing) >= LIST_FROM and len(missing) > self._pages:
            await self._list(missing)
        for backup_id, copies in missing.items():
            await self._read(backup_id, copies)
        running = [copy for copy in self._copies if copy.outcome is Outcome.RUNNING]
        await _see_untold(self._api, [copy for copy in running if copy.is_untold])
        for copy in self._copies:
            if copy.outcome is Outcome.RUNNING and copy.is_source_gone:
                await _look_closely(self._api, copy, Outcome.SOURCE_GONE)
            elif copy.outcome is Outcome.RUNNING and copy.absences >= GRACE_LOOKS:
                await _look_closely(self._api, copy, Outcome.RECORD_GONE)

    def _by_backup(self) -> dict[str, list[Copy]]:
        found: dict[str, list[Copy]] = {}
        for copy in self._copies:
            if copy.outcome is Outcome.RUNNING and not copy.is_source_gone:
                found.setdefault(copy.backup_id, []).append(copy)
        return found

    async def _read(self, backup_id: str, copies: list[Copy]) -> None:
        try:
            backup = await find_backup(self._api, self._scope, backup_id)
        except NotFoundError:
            for copy in copies:
                copy.is_source_gone = True
        else:
            self._take(copies, backup)

    async def _list(self, missing: dict[str, list[Copy]]) -> None:
        """Remove from `missing` what lists show; if lists are refused, stop using them."""
        vault_id = self._only_vault()
        wanted, read = len(missing), 0
        try:
            async for page in pages_worth_reading(
                self._api, self._scope, missing, show_replication=True, vault_id=vault_id
            ):
                read += 1
                for backup in page.backups:
                    if backup.id in missing:
                        self._take(missing.pop(backup.id), backup)
        except ApiError as error:
            if may_repeat(error, is_repeatable=True):
                raise
            self._may_list = False
            return
        # The next list costs as many requests, while the number of missing copies only shrinks.
        self._pages = read
        self._may_list = wanted - len(missing) > read

    def _only_vault(self) -> str | None:
        """Return the vault of all backups, None if it is not known or not a single one."""
        if {copy.backup_id for copy in self._copies} - self._vaults.keys():
            return None
        vaults = set(self._vaults.values())
        return vaults.pop() if len(vaults) == 1 else None

    def _take(self, copies: Iterable[Copy], backup: Backup) -> None:
        self._vaults[backup.id] = backup.vault_id
        for copy in copies:
            copy.note_source(backup)
            record = find_record(backup, copy.record_id)
            copy.is_untold = record is None and backup.replication_records is None
            if record is None and not (copy.is_untold and copy.replica_id):
                copy.absences += 1
            elif record is None:
                copy.absences = 0
            else:
                _follow(copy, record)


def _follow(copy: Copy, record: ReplicationRecord) -> None:
    copy.absences = 0
    copy.is_untold = record.status is None
    copy.status = record.status or copy.status
    progress = record.extra_info.progress if record.extra_info else None
    copy.progress = None if progress is None else min(100, max(0, progress))
    copy.replica_id = record.destination_backup_id or copy.replica_id
    copy.checkpoint_id = record.destination_checkpoint_id or copy.checkpoint_id
    copy.created_at = record.created_at or copy.created_at
    if record.is_pending or copy.is_untold:
        return
    if record.is_succeeded:
        copy.outcome = Outcome.COPIED
    elif record.is_failed:
        word = "skipped" if record.status == "skip" else "failed"
        copy.end(Outcome.FAILED, f"{word}: {readable(record.failure, REASON_LIMIT)}")
    else:
        status = readable(repr(record.status), NAME_LIMIT)
        copy.end(
            Outcome.UNKNOWN_STATUS,
            f"its record ({copy.record_id}) has status {status}, which this version does not know; "
            "look at it in the CBR console",
        )


async def _look_closely(api: Api, copy: Copy, otherwise: Outcome) -> None:
    """Look for the replica itself, if there is no record or it does not name the replica.

    Args:
        otherwise: the outcome if several polls find no replica.
    """
    reason = ""
    try:
        seen = await observe_once(api, copy.tracked())
    except UnidentifiedReplicaError:
        otherwise = Outcome.UNIDENTIFIED
        reason = (
            f"nothing names its replica any more, and vault ({copy.vault_id}) holds some that "
            "could be it; look there in the CBR console"
        )
    else:
        if seen.record is not None and copy.outcome is Outcome.RUNNING:
            _follow(copy, seen.record)
        replica = seen.replica.backup
        if replica is not None and _stands(replica):
            if seen.record is None and replica.status in ARRIVING_STATUSES:
                copy.absences = 0
                return
            copy.end_with(replica)
            return
        if decide_read(seen) in (Standing.COPYING, Standing.UNKNOWN) or copy.has_failed:
            return
    copy.absences += 1
    if copy.absences >= GRACE_LOOKS:
        copy.end(otherwise, reason)


async def _see_untold(api: Api, copies: Iterable[Copy]) -> None:
    """End copies of which CBR tells no status, if their replicas are complete."""
    named = [copy for copy in copies if copy.replica_id]
    for scope, vault_id in dict.fromkeys((copy.destination, copy.vault_id) for copy in named):
        there = {
            copy.replica_id or "": copy
            for copy in named
            if (copy.destination, copy.vault_id) == (scope, vault_id)
        }
        if len(there) >= LIST_FROM:
            await _confirm_by_list(api, there, _is_complete)
            continue
        for replica_id, copy in there.items():
            replica = await find_replica_by_id(api, scope, replica_id)
            if replica.backup is not None and _is_complete(replica.backup):
                copy.end_with(replica.backup)


async def confirm(api: Api, copies: list[Copy]) -> None:
    """Check that the replicas exist; all copies go to one destination vault."""
    scope = copies[0].destination
    named = {copy.replica_id: copy for copy in copies if copy.replica_id}
    if len(named) >= LIST_FROM:
        await _confirm_by_list(api, named, _stands)
    for replica_id, copy in named.items():
        replica = await find_replica_by_id(api, scope, replica_id)
        if replica.backup is not None and _stands(replica.backup):
            copy.end_with(replica.backup)
        else:
            _miss(copy)
    for copy in copies:
        if copy.replica_id is None:
            await _look_closely(api, copy, Outcome.REPLICA_GONE)


async def _confirm_by_list(
    api: Api, named: dict[str, Copy], is_good: Callable[[Backup], bool]
) -> None:
    """Remove from `named` the replicas that the vault's list shows, and that are good."""
    first = next(iter(named.values()))
    filters = {"image_type": "replication", "vault_id": first.vault_id}
    try:
        async for page in pages_worth_reading(api, first.destination, named, **filters):
            for backup in page.backups:
                if backup.id in named and is_good(backup):
                    named.pop(backup.id).end_with(backup)
    except ApiError as error:
        # Credentials that may not list backups may still read each one.
        if may_repeat(error, is_repeatable=True):
            raise


def _miss(copy: Copy) -> None:
    copy.absences += 1
    if copy.absences >= GRACE_LOOKS:
        copy.end(
            Outcome.REPLICA_GONE, f"{_REASON_OF_ABSENCE[Outcome.REPLICA_GONE]}: ({copy.replica_id})"
        )


def _stands(replica: Backup) -> bool:
    return replica.may_be_replica and replica.status not in DELETING_STATUSES


def _is_complete(replica: Backup) -> bool:
    return replica.may_be_replica and replica.status in GOOD_STATUSES
