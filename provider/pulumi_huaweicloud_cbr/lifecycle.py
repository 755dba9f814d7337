"""The life of one replication: preflight, submit or adopt, observe, rename, remove.

Puts finders, decisions and waiters together; knows nothing of Pulumi, so it is driven by tests
and by fleets in the same way. Every function may be run again after a crash at any point: what
was done is found by its natural key (backup, destination region), not by memory.
"""

from __future__ import annotations

import itertools

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.find import (
    find_backup,
    find_claimed_replicas,
    find_copy_task,
    find_record,
    find_replica_by_checkpoint,
    find_replica_by_id,
    records_for_region,
    require_no_replica,
)
from pulumi_huaweicloud_cbr.api.transport.retry import is_outcome_unknown
from pulumi_huaweicloud_cbr.api.wire.answers import (
    RECORD_STATUSES_OF_TASKS,
    Backup,
    Replica,
    ReplicationRecord,
    Task,
)
from pulumi_huaweicloud_cbr.api.wire.error_codes import (
    CODE_ALREADY_REPLICATED,
    CODES_DELETION_PENDING,
)
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, STATUS_SUCCESS, ProjectScope
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    CbrError,
    ConflictError,
    NotFoundError,
    OutcomeUnknownError,
    UnidentifiedReplicaError,
)
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.decisions import (
    DELETING_STATUSES,
    Adopt,
    Attempt,
    AwaitDeletion,
    CreateDecision,
    Observation,
    Refuse,
    Standing,
    Submit,
    decide_create,
    decide_read,
)
from pulumi_huaweicloud_cbr.replication.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.waiters import GONE, Look, WaitPlan, wait


class IncompleteError(CbrError):
    """The replica is ours, but what was declared of it could not be brought about.

    Args:
        tracked: the replication as it stands.
    """

    def __init__(self, cause: CbrError, tracked: TrackedReplication) -> None:
        self.tracked = tracked
        super().__init__(
            f"adopting {tracked}: {cause.message}",
            remedy=cause.remedy,
            code=cause.code,
            request_id=cause.request_id,
        )


class Limits(Struct, frozen=True):
    """How long to wait, in seconds.

    The vendor names about 80 MB/s, so 1 TB takes 3.6 hours (CBR user guide, 2021). `looks` and
    `look_again_s`: how often a lost submission is looked for before it counts as not accepted.
    `replica_looks`: how often a replica that was never seen is looked for, at the interval of all
    waits, before it counts as gone.
    """

    copy_s: float = 4 * 3600.0
    deletion_s: float = 20 * 60.0
    looks: int = 3
    look_again_s: float = 2.0
    submissions: int = 3
    replica_looks: int = 6


async def observe_attempts(
    api: CbrClient, desired: DesiredReplication, source: Backup, *, is_fresh: bool = False
) -> list[Attempt]:
    """Return all attempts to copy the backup to the region, the newest first."""
    attempts = []
    for record in records_for_region(source, desired.destination.region):
        replica = None
        if record.is_succeeded:
            replica = await _replica_of_record(api, desired, record, is_fresh=is_fresh)
        attempts.append(Attempt(record, replica))
    return attempts


async def _replica_of_record(
    api: CbrClient, desired: DesiredReplication, record: ReplicationRecord, *, is_fresh: bool
) -> Replica:
    # The replica is where the record says, which need not be where it is wanted.
    scope = replace(
        desired.destination,
        project_id=record.destination_project_id or desired.destination.project_id,
    )
    if record.destination_backup_id:
        return await find_replica_by_id(api, scope, record.destination_backup_id, is_fresh=is_fresh)
    vault_id = record.destination_vault_id or desired.destination_vault_id
    if record.destination_checkpoint_id:
        return await find_replica_by_checkpoint(
            api, scope, vault_id, record.destination_checkpoint_id
        )
    task = await find_copy_task(api, desired.source, desired.backup_id, scope)
    return await _replica_of_task(api, scope, vault_id, task)


async def _replica_of_task(
    api: CbrClient, destination: ProjectScope, vault_id: str, task: Task | None
) -> Replica:
    """Return the replica that a task names, as far as it is in the vault."""
    replica_id = task.replication.destination_backup_id if task else None
    if replica_id is None:
        return Replica(None, None)
    replica = await find_replica_by_id(api, destination, replica_id)
    # The log has no record ids: the newest copy to the region may be somebody's to another vault.
    is_elsewhere = replica.backup is not None and replica.backup.vault_id not in (None, vault_id)
    return Replica(None, None) if is_elsewhere else replica


async def submit_or_adopt(
    api: CbrClient,
    desired: DesiredReplication,
    report: Reporter,
    limits: Limits | None = None,
) -> TrackedReplication:
    """Bring a replication about, once, whatever happened before; return at submission.

    Looks first, then submits. A submission whose outcome is unknown is looked for, never simply
    sent again; the API's own refusal of a second copy (1009) settles what looking cannot.

    Raises:
        ConflictError: a replica or a copy that does not match stands in the way.
        IncompleteError: a replica was adopted, but could not be renamed.
        NotFoundError: the source backup does not exist.
        OutcomeUnknownError: several submissions were neither answered nor found.
    """
    limits = limits or Limits()
    unsettled: CbrError | None = None
    for _ in range(limits.submissions):
        source, decision = await _look(api, desired, report, limits, unsettled)
        if isinstance(decision, Refuse):
            raise ConflictError(f"submitting {desired}: {decision.reason}", remedy=decision.remedy)
        if isinstance(decision, Adopt):
            return await _adopt(api, desired, source, decision.attempt, report)
        # Nothing was sent yet: an interruption ends it here.
        await api.clock.sleep(0)
        try:
            answer = await api.replicate_backup(
                desired.source, desired.backup_id, desired.request()
            )
        except CbrError as error:
            if not (_is_second_copy(error) or is_outcome_unknown(error)):
                raise
            report.tell(f"{error.observed}; looking whether it was accepted")
            unsettled = error
            continue
        return TrackedReplication(
            backup_id=desired.backup_id,
            source=desired.source,
            destination=desired.destination,
            destination_vault_id=desired.destination_vault_id,
            replication_record_id=answer.replication_record_id,
            status=STATUS_SUBMITTED,
            provider_id=answer.provider_id or source.provider_id,
            source_resource_id=source.resource_id,
        )
    if _is_second_copy(unsettled):
        raise _unseen(desired, source) from unsettled
    raise OutcomeUnknownError(
        f"submitting {desired}: {limits.submissions} submissions were neither answered nor found",
        remedy="run pulumi up again: it looks for the copy before it submits one",
    ) from unsettled


def _unseen(desired: DesiredReplication, source: Backup) -> ConflictError:
    """Return the error for a copy that CBR says exists, and does not show."""
    records = records_for_region(source, desired.destination.region)
    record = next((record for record in records if record.is_succeeded), None)
    doing = f"submitting {desired}: CBR says that the backup has been copied there, but"
    if record is None:
        return ConflictError(
            f"{doing} lists no replication record of it",
            remedy="look for the replica in the CBR console of that region, and delete it there",
            code=CODE_ALREADY_REPLICATED,
        )
    return ConflictError(
        f"{doing} the replica of replication record ({record.id}) is not to be seen in the "
        "destination",
        remedy="run pulumi up again in some minutes: it adopts the replica once it is there",
        code=CODE_ALREADY_REPLICATED,
    )


def _is_second_copy(error: CbrError | None) -> bool:
    return isinstance(error, ApiError) and error.code == CODE_ALREADY_REPLICATED


async def _look(
    api: CbrClient,
    desired: DesiredReplication,
    report: Reporter,
    limits: Limits,
    unsettled: CbrError | None,
) -> tuple[Backup, CreateDecision]:
    """Return the source backup and what to do, looking several times for a late record.

    Args:
        unsettled: how a submission ended of which it is not known whether it was accepted.
    """
    is_fresh = unsettled is not None
    for look in range(limits.looks if unsettled else 1):
        if look:
            await api.clock.sleep(limits.look_again_s)
        source = await find_backup(api, desired.source, desired.backup_id, is_fresh=is_fresh)
        attempts = await observe_attempts(api, desired, source, is_fresh=is_fresh)
        decision = decide_create(desired, attempts)
        if not isinstance(decision, Submit):
            break
    if isinstance(decision, AwaitDeletion):
        replica = decision.attempt.replica
        if replica is not None and replica.backup_id is not None:
            report.tell(f"waiting until the old replica ({replica.backup_id}) is deleted")
            await _wait_gone(api, desired.destination, replica.backup_id, limits, report)
        return source, Submit()
    return source, decision


def adopted(desired: DesiredReplication, source: Backup, attempt: Attempt) -> TrackedReplication:
    """Return an attempt to copy a backup as a replication of ours."""
    tracked = TrackedReplication(
        backup_id=desired.backup_id,
        source=desired.source,
        destination=desired.destination,
        destination_vault_id=desired.destination_vault_id,
        replication_record_id=attempt.record.id,
        status=attempt.record.status,
        provider_id=source.provider_id,
        source_resource_id=source.resource_id,
        is_adopted=True,
    )
    replica = attempt.replica or Replica(attempt.record.destination_backup_id, None)
    return _updated(tracked, Observation(source, attempt.record, replica))


async def _adopt(
    api: CbrClient,
    desired: DesiredReplication,
    source: Backup,
    attempt: Attempt,
    report: Reporter,
) -> TrackedReplication:
    tracked = adopted(desired, source, attempt)
    report.tell(f"adopting {tracked} with status {tracked.status!r}: nothing is copied again")
    backup = attempt.replica.backup if attempt.replica else None
    if backup is not None and desired.name is not None and backup.name != desired.name:
        try:
            renamed = await api.rename_backup(desired.destination, backup.id, desired.name)
        except CbrError as error:
            raise IncompleteError(error, tracked) from error
        tracked = replace(tracked, replica_name=renamed.name)
    return tracked


async def observe(
    api: CbrClient,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    is_fresh: bool = False,
    is_doubt_final: bool = False,
) -> Observation:
    """Find out how a tracked replication stands; `is_fresh` as in `find_backup`.

    A replica that was never seen may be late, and so may its record: it is looked for several
    times before it counts as gone. One that was seen before is gone when it is not there.

    Args:
        is_doubt_final: look no more where nothing tells which replica it is; for those who leave
            it alone then, and see it the next time if its name was late.
    Raises:
        UnidentifiedReplicaError: a replica may exist, but nothing tells which it is.
    """
    looks = 1 if tracked.has_been_seen else (limits or Limits()).replica_looks
    for look in range(1, looks):
        try:
            seen = await observe_once(api, tracked, is_fresh=is_fresh or look > 1)
        except UnidentifiedReplicaError:
            # What is late may be its name alone.
            if is_doubt_final:
                raise
        else:
            if decide_read(seen) is not Standing.GONE:
                return seen
        report.progress(
            f"look {look + 1} of {looks} follows: no replica of {tracked} is to be seen yet"
        )
        await api.clock.sleep(api.settings.poll_interval_s)
    return await observe_once(api, tracked, is_fresh=is_fresh or looks > 1)


async def observe_once(
    api: CbrClient, tracked: TrackedReplication, *, is_fresh: bool
) -> Observation:
    """Find out what there is to be seen of a tracked replication now; see `observe`."""
    source = await _find_source(api, tracked, is_fresh=is_fresh)
    record = find_record(source, tracked.replication_record_id) if source else None
    if record is not None and record.is_pending:
        return Observation(source, record, Replica(record.destination_backup_id, None))
    is_unnamed = record is not None and not (
        tracked.destination_backup_id or record.destination_backup_id
    )
    if record is not None and is_unnamed and not record.is_succeeded:
        # It failed, or has a status that we do not know: no replica was ever named.
        return Observation(source, record, Replica(None, None))
    replica, task = await _find_replica(api, tracked, record, is_fresh=is_fresh)
    if task is not None and source is not None and _is_of_another(source, tracked, replica):
        # The log has no record ids: its newest copy of the backup was not this one.
        return Observation(source, record, Replica(None, None))
    return Observation(source, record, replica, task)


async def _find_source(
    api: CbrClient, tracked: TrackedReplication, *, is_fresh: bool
) -> Backup | None:
    try:
        return await find_backup(api, tracked.source, tracked.backup_id, is_fresh=is_fresh)
    except NotFoundError:
        return None


def _is_gone(source: Backup | None) -> bool:
    """Whether a source cannot be copied again, because it is gone or soon will be."""
    return source is None or source.status in DELETING_STATUSES


def _is_of_another(source: Backup, tracked: TrackedReplication, replica: Replica) -> bool:
    """Whether a record of the backup that is listed, and not the tracked one, has the replica."""
    return replica.backup_id is not None and any(
        record.destination_backup_id == replica.backup_id
        for record in source.records
        if record.id != tracked.replication_record_id
    )


async def _find_replica(
    api: CbrClient,
    tracked: TrackedReplication,
    record: ReplicationRecord | None,
    *,
    is_fresh: bool,
) -> tuple[Replica, Task | None]:
    """Return the replica by the surest of the traces that are left, and the task if it took one."""
    backup_id = tracked.destination_backup_id or (record and record.destination_backup_id)
    if backup_id:
        replica = await find_replica_by_id(api, tracked.destination, backup_id, is_fresh=is_fresh)
        if not replica.is_gone or record is not None or tracked.has_been_seen:
            return replica, None
        # The copy may still be under way: its source, and the record with it, went meanwhile.
        return replica, await find_copy_task(
            api, tracked.source, tracked.backup_id, tracked.destination
        )
    checkpoint_id = tracked.destination_checkpoint_id or (
        record and record.destination_checkpoint_id
    )
    if checkpoint_id:
        replica = await find_replica_by_checkpoint(
            api, tracked.destination, tracked.destination_vault_id, checkpoint_id
        )
        return replica, None
    task = await find_copy_task(api, tracked.source, tracked.backup_id, tracked.destination)
    if task is not None:
        replica = await _replica_of_task(
            api, tracked.destination, tracked.destination_vault_id, task
        )
        return replica, task
    claimed = await find_claimed_replicas(
        api, tracked.source, tracked.backup_id, tracked.source_resource_id
    )
    await require_no_replica(
        api,
        tracked.destination,
        tracked.destination_vault_id,
        tracked.source_resource_id,
        f"looking for the replica of {tracked}",
        claimed,
    )
    return Replica(None, None), None


async def find_replication(
    api: CbrClient, source_scope: ProjectScope, backup_id: str, record_id: str, report: Reporter
) -> TrackedReplication:
    """Return a replication of which only the source backup and the record are known.

    Raises:
        NotFoundError: there is no such backup, no such record, or its replica is gone.
    """
    source = await find_backup(api, source_scope, backup_id)
    record = find_record(source, record_id)
    doing = f"looking for replication record ({record_id}) of backup ({backup_id})"
    if record is None or not (record.destination_region and record.destination_project_id):
        known = ", ".join(row.id for row in source.records) or "none"
        raise NotFoundError(f"{doing}: the backup does not list it; listed: {known}")
    tracked = TrackedReplication(
        backup_id=backup_id,
        source=source_scope,
        destination=ProjectScope(record.destination_region, record.destination_project_id),
        destination_vault_id=record.destination_vault_id or "",
        replication_record_id=record_id,
        status=record.status,
        provider_id=source.provider_id,
        source_resource_id=source.resource_id,
    )
    standing, tracked = await refresh(api, tracked, report)
    if standing in (Standing.GONE, Standing.LEAVING):
        raise NotFoundError(
            f"{doing}: its replica is {standing.value}", remedy="there is nothing to import"
        )
    return tracked


async def refresh(
    api: CbrClient,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    is_doubt_final: bool = False,
) -> tuple[Standing, TrackedReplication]:
    """Return how a replication stands, and what is known of it now; arguments as `observe`."""
    observation = await observe(api, tracked, report, limits, is_doubt_final=is_doubt_final)
    return decide_read(observation), _updated(tracked, observation)


def _updated(tracked: TrackedReplication, observation: Observation) -> TrackedReplication:
    record, replica = observation.record, observation.replica
    found = replica.backup
    failure = record.failure if record is not None and record.is_failed else None
    if failure is not None and found is None:
        # An id that was told while the copy went on names nothing now.
        tracked = replace(tracked, destination_backup_id=None, destination_checkpoint_id=None)
        replica = Replica(None, None)
    return replace(
        tracked,
        status=_status_of(tracked, observation),
        failure=failure,
        source_deleted=observation.source is None,
        destination_backup_id=_first(
            found.id if found else None,
            replica.backup_id,
            record.destination_backup_id if record else None,
            tracked.destination_backup_id,
        ),
        destination_checkpoint_id=_first(
            found.checkpoint_id if found else None,
            record.destination_checkpoint_id if record else None,
            tracked.destination_checkpoint_id,
        ),
        created_at=_first(record.created_at if record else None, tracked.created_at),
        replica_name=_first(found.name if found else None, tracked.replica_name),
    )


def _status_of(tracked: TrackedReplication, observation: Observation) -> str:
    """Return the record's status, or what it would be if it had not gone with the source."""
    if observation.record is not None:
        return observation.record.status
    standing = decide_read(observation)
    if standing is Standing.PRESENT:
        return STATUS_SUCCESS
    task = observation.task
    if standing is Standing.COPYING and task is not None and task.status is not None:
        return RECORD_STATUSES_OF_TASKS.get(task.status, tracked.status)
    return tracked.status


def _first(*values: str | None) -> str | None:
    return next((value for value in values if value), None)


async def rename(
    api: CbrClient,
    tracked: TrackedReplication,
    name: str,
    report: Reporter,
    limits: Limits | None = None,
) -> TrackedReplication:
    """Give the replica another name, after waiting for a copy that is still running.

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
    api: CbrClient,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
) -> None:
    """Delete the replica and wait until it is gone; a replica that is gone already is fine.

    A copy that is still running is waited for first, since it cannot be called back.
    """
    limits = limits or Limits()
    found = await settle(api, tracked, report, limits)
    if await begin_deletion(api, found, report):
        await wait_deleted(api, found, report, limits)


async def remove_replaced(
    api: CbrClient,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    remedy: str,
) -> None:
    """Delete a replica that is replaced; as `remove`, but never the last copy of a backup.

    Args:
        remedy: what to do when it is refused.
    Raises:
        ConflictError: the source is gone by now. Nothing was deleted.
    """
    limits = limits or Limits()
    found = await settle(api, tracked, report, limits)
    await require_source(api, found, remedy)
    if await begin_deletion(api, found, report):
        await wait_deleted(api, found, report, limits)


class Settled(Struct, frozen=True):
    """A replication without a copy under way: what is known of it, and its replica."""

    tracked: TrackedReplication
    replica: Replica
    is_source_gone: bool

    @property
    def is_deletable(self) -> bool:
        """Whether there is a replica that nobody deletes yet."""
        backup = self.replica.backup
        return backup is not None and backup.status not in DELETING_STATUSES

    @property
    def is_last_copy(self) -> bool:
        """Whether the replica is there and its source was seen to be gone."""
        return self.is_deletable and self.is_source_gone


async def require_source(api: CbrClient, found: Settled, remedy: str) -> None:
    """Ask anew whether the source is there, just before its replica is deleted to be replaced.

    Whoever planned the replacement looked as well, but a wait may lie between. It costs one
    request, and none where the source was seen to be gone.

    Raises:
        ConflictError: it is gone, or is being deleted.
    """
    if not found.is_deletable:
        return
    tracked = found.tracked
    if not (found.is_source_gone or _is_gone(await _find_source(api, tracked, is_fresh=True))):
        return
    raise ConflictError(
        f"replacing {tracked}: source backup ({tracked.backup_id}) is gone by now, so replica "
        f"({found.replica.backup_id}) is the last copy: it was not deleted",
        remedy=remedy,
    )


async def begin_deletion(api: CbrClient, found: Settled, report: Reporter) -> bool:
    """Ask for the deletion of a replica; return whether there is one to wait for."""
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


async def wait_deleted(api: CbrClient, found: Settled, report: Reporter, limits: Limits) -> None:
    """Wait until a replica is gone whose deletion was asked for."""
    replica_id = found.replica.backup_id or ""
    await _wait_gone(api, found.tracked.destination, replica_id, limits, report)


async def settle(
    api: CbrClient,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits,
    verb: str = "deleting",
) -> Settled:
    """Wait until the copy has ended; return what is known then, and the replica.

    Args:
        verb: what it is waited for.
    """
    doing = f"{verb} the replica of {tracked}"

    looks = itertools.count()

    async def look() -> Look[Observation]:
        # The first look may be shared with others; what is waited for has to be seen anew.
        seen = await observe(api, tracked, report, limits, is_fresh=next(looks) > 0)
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
    return Settled(_updated(tracked, ended), ended.replica, _is_gone(ended.source))


_SETTLED = (Standing.PRESENT, Standing.FAILED, Standing.LEAVING, Standing.GONE)


def _percent(record: ReplicationRecord | None) -> int | None:
    return record.extra_info.progress if record and record.extra_info else None


# All statuses that a backup can have (CBR API reference, ShowBackup) may be seen until a
# deletion, which is asynchronous, has begun and ended.
_ANY_BACKUP_STATUS = frozenset(
    {
        "available",
        "protecting",
        "deleting",
        "restoring",
        "error",
        "waiting_protect",
        "waiting_delete",
        "waiting_restore",
    }
)


async def _wait_gone(
    api: CbrClient, scope: ProjectScope, backup_id: str, limits: Limits, report: Reporter
) -> None:
    async def look() -> Look[None]:
        replica = await find_replica_by_id(api, scope, backup_id, is_fresh=True)
        if replica.backup is None:
            return Look(GONE, None)
        return Look(replica.backup.status or "unknown", None)

    plan = WaitPlan(
        what="waiting for the deletion",
        doing=f"waiting until replica ({backup_id}) in {scope} is deleted",
        pending=_ANY_BACKUP_STATUS,
        target=frozenset({GONE}),
        interval_s=api.settings.poll_interval_s,
        timeout_s=limits.deletion_s,
        hint="the deletion goes on in CBR; run the same command again to go on waiting",
    )
    await wait(plan, look, api.clock, report)
