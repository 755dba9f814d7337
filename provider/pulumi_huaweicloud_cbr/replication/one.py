"""One submitted copy: rename or remove its replica, after the copy has ended.

Combines finders, decisions and waits. It knows nothing of Pulumi, so tests and `many` use it in
the same way. Every function is idempotent, also after a crash at any point. Submitting a copy does
not belong here: see `submit`.
"""

from __future__ import annotations

import itertools

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
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
    limits: Limits | None = None,
) -> None:
    """Delete the replica and wait until it is gone. Idempotent.

    If the copy is still running, wait for its end first: it cannot be cancelled.
    """
    limits = limits or Limits()
    found = await settle(api, tracked, report, limits)
    if await begin_deletion(api, found, report):
        await wait_deleted(api, found, report, limits)


async def remove_replaced(
    api: Api,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    remedy: str,
) -> None:
    """Delete a replica that is replaced; like `remove`, but never the last copy of a backup.

    Args:
        remedy: what the user can do about a refusal.
    Raises:
        ConflictError: the source is gone by now. Nothing was deleted.
    """
    limits = limits or Limits()
    found = await settle(api, tracked, report, limits)
    await require_source(api, found, remedy)
    if await begin_deletion(api, found, report):
        await wait_deleted(api, found, report, limits)


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
    def is_last_copy(self) -> bool:
        """Whether the replica exists and its source was seen to be gone."""
        return self.is_deletable and self.is_source_gone


async def require_source(api: Api, found: Settled, remedy: str) -> None:
    """Check again that the source exists, just before a replacement deletes its replica.

    The plan of the replacement checked it too, but a wait may lie between. This costs one request,
    or none if the source was seen to be gone.

    Raises:
        ConflictError: the source is gone, or is being deleted.
    """
    if not found.is_deletable:
        return
    tracked = found.tracked
    if not (found.is_source_gone or is_gone(await look_for_source(api.fresh, tracked))):
        return
    raise ConflictError(
        f"replacing {tracked}: source backup ({tracked.backup_id}) is gone by now, so replica "
        f"({found.replica.backup_id}) is the last copy: it was not deleted",
        remedy=remedy,
    )


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


_SETTLED = (Standing.PRESENT, Standing.FAILED, Standing.LEAVING, Standing.GONE)


def _percent(record: ReplicationRecord | None) -> int | None:
    return record.extra_info.progress if record and record.extra_info else None
