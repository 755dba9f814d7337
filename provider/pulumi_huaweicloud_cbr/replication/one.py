"""The replica of one submitted copy: wait for it, rename it, remove it.

Combines finders, decisions and waits. It knows nothing of Pulumi, so tests and `many` use it in
the same way. Every function is idempotent, also after a crash at any point. Submitting a copy does
not belong here: see `submit`.
"""

from __future__ import annotations

import itertools

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_replica_by_id
from pulumi_huaweicloud_cbr.api.wire.answers import Replica, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.error_codes import CODES_DELETION_PENDING
from pulumi_huaweicloud_cbr.base.errors import ApiError, ConflictError, NotFoundError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.observe import (
    Limits,
    is_gone,
    look_for_source,
    observe,
    updated,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    DELETING_STATUSES,
    Observation,
    Standing,
    decide_read,
)
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    Deletion,
    DeletionRules,
    Removal,
    decide_deletion,
    split_mark,
)
from pulumi_huaweicloud_cbr.replication.wait.gone import wait_gone
from pulumi_huaweicloud_cbr.replication.wait.polling import Look, WaitPlan, wait


async def rename(
    api: Api,
    tracked: TrackedReplication,
    name: str,
    report: Reporter,
    limits: Limits | None = None,
) -> TrackedReplication:
    """Rename the replica; if its copy is still running, wait for its end first.

    Raises:
        NotFoundError: the replica is gone.
    """
    found = await settle(api, tracked, report, limits or Limits(), "renaming")
    tracked, replica = found.tracked, found.replica
    if replica.backup is None or replica.backup.status in DELETING_STATUSES:
        raise NotFoundError(
            f"renaming the replica of {tracked} to {name!r}: it does not exist any more",
            remedy="run pulumi refresh, then pulumi up to copy the backup again",
        )
    if replica.backup.name == name:
        return tracked
    renamed = await api.rename_backup(tracked.destination, replica.backup.id, name)
    return replace(tracked, replica_name=renamed.name)


async def remove(
    api: Api,
    tracked: TrackedReplication,
    report: Reporter,
    rules: DeletionRules,
    limits: Limits | None = None,
) -> str | None:
    """Delete the replica and wait until it is gone, unless it has to stay. Idempotent.

    If the copy is still running, wait for its end first: it cannot be cancelled.

    Returns:
        The owner of a replica that was left, because another stack made it; else None.
    Raises:
        ConflictError: it is the last copy of its backup. Nothing was deleted.
    """
    limits = limits or Limits()
    found = None
    if not rules.spares_last_copy:
        found = await _find_known_replica(api, tracked)
    if found is None:
        found = await settle(api, tracked, report, limits)
    if (owner := await look_last(api, found, rules)) is not None:
        return owner
    if await begin_deletion(api, found, report):
        await wait_deleted(api, found, report, limits)
    return None


async def complete(
    api: Api, tracked: TrackedReplication, report: Reporter, limits: Limits
) -> TrackedReplication:
    """Wait until the copy has succeeded and its replica is there.

    Raises:
        ConflictError: the copy failed, or its replica is gone.
    """
    found = await settle(api, tracked, report, limits, "completing")
    if not found.is_deletable:
        raise not_completed(found.tracked)
    return found.tracked


def not_completed(tracked: TrackedReplication, reason: str = "") -> ConflictError:
    """Return the error for a copy without a replica, in place of an old replica.

    Args:
        reason: why there is none, if the record does not tell it.
    """
    reason = tracked.failure or reason or "no replica is to be seen"
    return ConflictError(
        f"completing {tracked}: the copy did not succeed ({reason}), so that the old replica stays",
        remedy="put right what the reason names, then run pulumi up again: it copies again",
    )


class Settled(Struct, frozen=True):
    """A replication whose copy is not running: its last known values, and its replica."""

    tracked: TrackedReplication
    replica: Replica
    is_source_gone: bool

    @property
    def is_deletable(self) -> bool:
        """Whether there is a replica that is not being deleted yet."""
        backup = self.replica.backup
        return backup is not None and backup.status not in DELETING_STATUSES

    @property
    def owner(self) -> str | None:
        """Return the owner that the replica's mark names."""
        backup = self.replica.backup
        return split_mark(backup.description)[1] if backup else None

    def fate(self, rules: DeletionRules, *, is_source_gone: bool) -> Deletion:
        """Return what to do with the replica; there has to be one."""
        recorded = self.tracked.owner
        return decide_deletion(rules, self.owner, recorded, is_source_gone=is_source_gone)


async def _find_known_replica(api: Api, tracked: TrackedReplication) -> Settled | None:
    """Return a replica that an earlier look saw complete, without a look at its source.

    This is for callers to whom the source does not matter, and saves a request for each old copy.

    Returns:
        None if it was never seen complete, or is not there now.
    """
    if not tracked.has_been_seen:
        return None
    replica = await find_replica_by_id(
        api, tracked.destination, tracked.destination_backup_id or ""
    )
    return None if replica.is_gone else Settled(tracked, replica, is_source_gone=False)


async def look_last(api: Api, found: Settled, rules: DeletionRules) -> str | None:
    """Decide anew, just before the deletion; read the source again if the rules need it.

    The plan checked it too, but a wait may lie between. This costs one request, or none. A
    replica's id and its description never change, so they are not read again.

    Returns:
        The owner of a replica that has to be left, because another stack made it; else None.
    Raises:
        ConflictError: it is the last copy of its backup.
    """
    if not found.is_deletable:
        return None
    is_source_gone = found.is_source_gone
    if rules.spares_last_copy and not is_source_gone:
        is_source_gone = is_gone(await look_for_source(api.fresh, found.tracked))
    fate = found.fate(rules, is_source_gone=is_source_gone)
    if fate is Deletion.LEAVE:
        return found.owner
    if fate is Deletion.REFUSE:
        tracked = found.tracked
        doing = "replacing" if rules.removal is Removal.REPLACED else "deleting the replica of"
        raise ConflictError(
            f"{doing} {tracked}: source backup ({tracked.backup_id}) is gone, so replica "
            f"({found.replica.backup_id}) is the last copy: it was not deleted",
            remedy=rules.remedy,
        )
    return None


async def begin_deletion(api: Api, found: Settled, report: Reporter) -> bool:
    """Request the deletion of a replica; return whether there is a deletion to wait for."""
    replica_id = found.replica.backup_id
    if replica_id is None or found.replica.is_gone:
        return False
    try:
        await api.delete_backup(found.tracked.destination, replica_id)
    except NotFoundError:
        return False
    except ApiError as error:
        if error.code not in CODES_DELETION_PENDING:
            raise
        report.tell(f"{error.observed}; waiting to see whether a deletion is under way")
    return True


async def wait_deleted(api: Api, found: Settled, report: Reporter, limits: Limits) -> None:
    """Wait until a replica is gone, after its deletion was requested."""
    replica_id = found.replica.backup_id or ""
    await wait_gone(api, found.tracked.destination, replica_id, limits, report)


async def settle(
    api: Api,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits,
    verb: str = "deleting",
) -> Settled:
    """Wait until the copy has ended; return the replication and its replica as they are then.

    Args:
        verb: what the caller does next, for messages.
    """
    doing = f"{verb} the replica of {tracked}"

    asked = itertools.chain([api], itertools.repeat(api.fresh))

    async def look() -> Look[Observation]:
        # The first poll may use the cache; later polls need fresh answers.
        seen = await observe(next(asked), tracked, report, limits)
        standing = decide_read(seen)
        percent = _percent(seen.record)
        if standing is not Standing.COPYING:
            return Look(standing.value, seen)
        told = "progress unknown" if percent is None else f"progress {percent} %"
        return Look(standing.value, seen, told, percent)

    plan = WaitPlan(
        what="waiting for the copy",
        doing=f"{doing}: waiting for the copy that is under way",
        pending=frozenset({Standing.COPYING.value}),
        target=frozenset(standing.value for standing in _SETTLED),
        interval_s=api.settings.poll_interval_s,
        timeout_s=limits.copy_s,
        hint="the copy goes on in CBR; run the same command again to go on waiting",
    )
    ended = (await wait(plan, look, api.clock, report)).observed
    return Settled(updated(tracked, ended), ended.replica, is_gone(ended.source))


_SETTLED = (Standing.PRESENT, Standing.FAILED, Standing.DELETING, Standing.GONE)


def _percent(record: ReplicationRecord | None) -> int | None:
    return record.extra_info.progress if record and record.extra_info else None
