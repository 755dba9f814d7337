"""Observe one copy: its source, its record and its replica, as CBR shows them now.

Reads only. What was known before says where to look, and nothing more. `Limits`, the limits of all
waits for one copy, is here too.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import (
    find_backup,
    find_claimed_replicas,
    find_copy_task,
    find_record,
    find_replica_by_checkpoint,
    find_replica_by_id,
    find_statuses,
    records_for_place,
    require_no_replica,
)
from pulumi_huaweicloud_cbr.api.wire.answers import (
    RECORD_STATUSES_OF_TASKS,
    Backup,
    Replica,
    ReplicationRecord,
    Task,
)
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, STATUS_SUCCESS, ProjectScope
from pulumi_huaweicloud_cbr.base.errors import (
    CbrError,
    ConflictError,
    NotFoundError,
    UnidentifiedReplicaError,
)
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.base.text import is_region_id, readable
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    DELETING_STATUSES,
    Attempt,
    Observation,
    Standing,
    decide_read,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark


class Limits(Struct, frozen=True):
    """How long to wait, in seconds, and how often to poll or submit.

    `copy_s`: the vendor names about 80 MB/s, so 1 TB takes 3.6 hours (CBR user guide, 2021).
    `looks` and `look_again_s`: polls for a submission without an answer, before it counts as not
    accepted, and the pause between them. `submissions`: attempts to submit a copy.
    `replica_looks`: polls for a replica that was never seen, at the usual interval, before it
    counts as gone.
    """

    copy_s: float = 4 * 3600.0
    deletion_s: float = 20 * 60.0
    looks: int = 3
    look_again_s: float = 2.0
    submissions: int = 3
    replica_looks: int = 6


async def observe_attempts(api: Api, desired: DesiredReplication, source: Backup) -> list[Attempt]:
    """Return all attempts to copy the backup to the region, the newest first."""
    attempts = []
    for record in records_for_place(source, desired.destination, desired.destination_vault_id):
        replica = None
        is_named = record.destination_backup_id or record.destination_checkpoint_id
        # The replica tells who made the copy. While that runs, CBR may not show it yet. If there is
        # no status, the replica also tells whether there is a copy.
        if (
            record.is_succeeded
            or (record.is_pending and record.destination_backup_id)
            or (record.status is None and is_named)
        ):
            replica = await _replica_of_record(api, desired, source, record)
        attempts.append(Attempt(record, replica))
    return attempts


async def _replica_of_record(
    api: Api, desired: DesiredReplication, source: Backup, record: ReplicationRecord
) -> Replica:
    # The record says where the replica is, which may not be the desired place.
    scope = replace(
        desired.destination,
        project_id=record.destination_project_id or desired.destination.project_id,
    )
    if record.destination_backup_id:
        return await find_replica_by_id(api, scope, record.destination_backup_id)
    vault_id = record.destination_vault_id or desired.destination_vault_id
    if record.destination_checkpoint_id:
        return await find_replica_by_checkpoint(
            api, scope, vault_id, record.destination_checkpoint_id
        )
    task = await find_copy_task(api, desired.source, desired.backup_id, scope, source.resource_id)
    return await _replica_of_task(api, scope, vault_id, task)


async def _replica_of_task(
    api: Api, destination: ProjectScope, vault_id: str, task: Task | None
) -> Replica:
    """Return the replica that a task names, if it is in the vault."""
    replica_id = task.replication.destination_backup_id if task else None
    if replica_id is None:
        return Replica(None, None)
    replica = await find_replica_by_id(api, destination, replica_id)
    # The log has no record ids: the newest copy to the region may be one to another vault.
    is_elsewhere = replica.backup is not None and replica.backup.vault_id not in (None, vault_id)
    return Replica(None, None) if is_elsewhere else replica


async def observe(
    api: Api,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    is_doubt_final: bool = False,
) -> Observation:
    """Observe a tracked replication, with several polls if the replica may be late.

    A replica that was never seen may be late, and so may its record. It counts as gone after
    several polls without a sighting. A replica that was seen before is gone as soon as one poll
    does not find it, if its source exists. Without a source it could not be made again, so it takes
    several polls too.

    Args:
        api: for the first poll; later polls always get fresh answers.
        is_doubt_final: stop polling if nothing identifies the replica. This is for callers that
            leave such a replica alone. If its name was late, the next run finds it.
    Raises:
        UnidentifiedReplicaError: a replica may exist, but nothing identifies it.
    """
    looks = (limits or Limits()).replica_looks
    for look in range(1, looks):
        try:
            seen = await observe_once(api if look == 1 else api.fresh, tracked)
        except UnidentifiedReplicaError:
            # Perhaps only the replica's name is late.
            if is_doubt_final or tracked.has_been_seen:
                raise
        else:
            is_final = tracked.has_been_seen and seen.source is not None
            if is_final or decide_read(seen) is not Standing.GONE:
                return seen
        report.progress(
            f"look {look + 1} of {looks} follows: no replica of {tracked} is to be seen yet"
        )
        await api.clock.sleep(api.settings.poll_interval_s)
    return await observe_once(api.fresh, tracked)


async def observe_once(api: Api, tracked: TrackedReplication) -> Observation:
    """Observe a tracked replication with one poll; see `observe`."""
    source = await look_for_source(api, tracked)
    record = find_record(source, tracked.replication_record_id) if source else None
    if record is not None and record.is_pending:
        return Observation(source, record, Replica(record.destination_backup_id, None))
    is_unnamed = record is not None and not (
        tracked.destination_backup_id
        or record.destination_backup_id
        or (record.status is None and record.destination_checkpoint_id)
    )
    if record is not None and is_unnamed and not record.is_succeeded:
        # It failed, or its status is not known: CBR never named a replica.
        return Observation(source, record, Replica(None, None))
    # The id of a replica that was seen tells whether it exists, without any record.
    is_told = source is None or source.replication_records is not None or tracked.has_been_seen
    replica, task = await _find_replica(api, tracked, record, is_told=is_told)
    if task is not None and source is not None and _is_of_another(source, tracked, replica):
        # The log has no record ids: its newest copy of the backup was not this one.
        return Observation(source, record, Replica(None, None), are_records_told=is_told)
    return Observation(source, record, replica, task, is_told)


async def look_for_source(api: Api, tracked: TrackedReplication) -> Backup | None:
    try:
        return await find_backup(api, tracked.source, tracked.backup_id)
    except NotFoundError:
        return None


def is_gone(source: Backup | None) -> bool:
    """Whether a source cannot be copied again, because it is gone or is being deleted."""
    return source is None or source.status in DELETING_STATUSES


def _is_of_another(source: Backup, tracked: TrackedReplication, replica: Replica) -> bool:
    """Whether another record of the backup than the tracked one names the replica."""
    return replica.backup_id is not None and any(
        record.destination_backup_id == replica.backup_id
        for record in source.records
        if record.id != tracked.replication_record_id
    )


async def _find_replica(
    api: Api, tracked: TrackedReplication, record: ReplicationRecord | None, *, is_told: bool
) -> tuple[Replica, Task | None]:
    """Return the replica by the most reliable trace, and the task if it was needed.

    Args:
        is_told: CBR told which records there are. If not, the absence of traces proves nothing.
    """
    backup_id = tracked.destination_backup_id or (record and record.destination_backup_id)
    if backup_id:
        replica = await find_replica_by_id(api, tracked.destination, backup_id)
        if not replica.is_gone or record is not None or tracked.has_been_seen:
            return replica, None
        # The copy may still be running, although its source and so its record are gone.
        return replica, await _find_task(api, tracked)
    checkpoint_id = tracked.destination_checkpoint_id or (
        record and record.destination_checkpoint_id
    )
    if checkpoint_id:
        replica = await find_replica_by_checkpoint(
            api, tracked.destination, tracked.destination_vault_id, checkpoint_id
        )
        return replica, None
    task = await _find_task(api, tracked)
    if task is not None:
        replica = await _replica_of_task(
            api, tracked.destination, tracked.destination_vault_id, task
        )
        return replica, task
    if not is_told:
        return Replica(None, None), None
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


async def _find_task(api: Api, tracked: TrackedReplication) -> Task | None:
    return await find_copy_task(
        api, tracked.source, tracked.backup_id, tracked.destination, tracked.source_resource_id
    )


async def find_replication(
    api: Api, source_scope: ProjectScope, backup_id: str, record_id: str, report: Reporter
) -> TrackedReplication:
    """Return the replication of a source backup and a record id; nothing else is known of it.

    Raises:
        NotFoundError: the backup or the record does not exist, or the replica is gone.
        ConflictError: the record does not tell where the copy is.
    """
    source = await find_backup(api, source_scope, backup_id)
    record = find_record(source, record_id)
    doing = f"looking for replication record ({record_id}) of backup ({backup_id})"
    if record is None:
        known = ", ".join(row.id for row in source.records) or "none"
        raise NotFoundError(f"{doing}: the backup does not list it; listed: {known}")
    region, project_id = record.destination_region, record.destination_project_id
    if not (region and project_id and record.destination_vault_id and is_region_id(region)):
        raise ConflictError(
            f"{doing}: CBR does not tell region, project and vault of the copy; told: region "
            f"{readable(repr(region))}, project ({project_id}), "
            f"vault ({record.destination_vault_id})",
            remedy="declare the resource with its destination, and create adopts the replica",
        )
    tracked = TrackedReplication(
        backup_id=backup_id,
        source=source_scope,
        destination=ProjectScope(region, project_id),
        destination_vault_id=record.destination_vault_id,
        replication_record_id=record_id,
        status=record.status or STATUS_SUBMITTED,
        provider_id=source.provider_id,
        source_resource_id=source.resource_id,
    )
    standing, tracked = await refresh(api, tracked, report)
    if standing in (Standing.GONE, Standing.DELETING):
        raise NotFoundError(
            f"{doing}: its replica is {standing.value}", remedy="there is nothing to import"
        )
    return tracked


async def refresh(
    api: Api,
    tracked: TrackedReplication,
    report: Reporter,
    limits: Limits | None = None,
    *,
    is_doubt_final: bool = False,
) -> tuple[Standing, TrackedReplication]:
    """Return the state of a replication, and its updated values; arguments as `observe`."""
    observation = await observe(api, tracked, report, limits, is_doubt_final=is_doubt_final)
    seen = updated(tracked, observation)
    return decide_read(observation), replace(
        seen, beside=await find_beside(api, seen, observation.source)
    )


async def find_beside(
    api: Api, tracked: TrackedReplication, source: Backup | None
) -> tuple[str, ...]:
    """Return what else is a live copy of the source in the region, as texts.

    CBR keeps one replica of a backup per region, but may have accepted two requests. Records of
    earlier copies stay when their replicas are deleted. So the replicas have to be looked for: in
    one list for all members, since many of them may have such records.
    """
    others = [
        record
        for record in _records_beside(tracked, source)
        if record.is_pending or record.destination_backup_id
    ]
    found = []
    for record in others:
        replica_id = record.destination_backup_id
        if record.is_pending:
            found.append(f"a copy under way (replication record {record.id})")
        elif replica_id:
            named = f"replica {replica_id} (replication record {record.id})"
            try:
                is_there = await _is_listed(api, tracked, record, replica_id)
            except CbrError as error:
                found.append(f"perhaps {named}, for which CBR could not be asked ({error})")
            else:
                found += [named] if is_there else []
    return tuple(found)


def _records_beside(
    tracked: TrackedReplication, source: Backup | None
) -> Iterator[ReplicationRecord]:
    if source is None:
        return
    for record in records_for_place(source, tracked.destination, tracked.destination_vault_id):
        is_ours = record.id == tracked.replication_record_id
        is_same = record.destination_backup_id in (None, tracked.destination_backup_id)
        if not (is_ours or record.is_failed) and (record.is_pending or not is_same):
            yield record


async def _is_listed(
    api: Api, tracked: TrackedReplication, record: ReplicationRecord, replica_id: str
) -> bool:
    scope = replace(
        tracked.destination,
        project_id=record.destination_project_id or tracked.destination.project_id,
    )
    vault_id = record.destination_vault_id or tracked.destination_vault_id
    statuses = await find_statuses(api, scope, vault_id)
    return replica_id in statuses and statuses[replica_id] not in DELETING_STATUSES


def updated(tracked: TrackedReplication, observation: Observation) -> TrackedReplication:
    """Return a replication with what was observed of it; the recorded owner stays."""
    record, replica = observation.record, observation.replica
    found = replica.backup
    text, owner = split_mark(found.description if found else None)
    failure = record.failure if record is not None and record.is_failed else None
    if failure is not None and found is None:
        # CBR reported this id while the copy was running; now it names nothing.
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
        description=_first(text, tracked.description),
        # A mark never changes, so it stays while the replica is not to be seen.
        seen_owner=owner if found else tracked.seen_owner,
    )


def _status_of(tracked: TrackedReplication, observation: Observation) -> str:
    """Return the record's status, or the equivalent if CBR does not tell it, or no record."""
    if observation.record is not None and observation.record.status is not None:
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
