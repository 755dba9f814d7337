"""Look up backups and their copies for `backups`. Reads only.

A record that says ``success`` proves no replica: it stays when the replica is deleted. So what has
no copy in a region is found out in that region.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backups, find_destinations
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.base.text import is_region_id
from pulumi_huaweicloud_cbr.commands._cli.cloud import find_scope
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands.account.backups.report import (
    BACKUP,
    REPLICATION,
    BackupLook,
    CopyLook,
    Report,
)
from pulumi_huaweicloud_cbr.commands.account.backups.when import When, as_filter
from pulumi_huaweicloud_cbr.replication.preflight.flow import or_error
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark

_BEING_DELETED = frozenset({"deleting", "waiting_delete"})
"""Statuses of a replica that does not count (CBR API reference, ListBackups, status)."""


@dataclass(frozen=True)
class Asked:
    """Which backups to list. None is no filter.

    `is_of_replicas`: replicas are listed instead of backups. `without_copy_in` is a region.
    """

    at: Scope
    is_of_replicas: bool = False
    server: str | None = None
    vault_id: str | None = None
    since: When | None = None
    until: When | None = None
    status: str | None = None
    without_copy_in: str | None = None
    limit: int | None = None


async def examine(api: Api, asked: Asked) -> Report:
    """Return the backups that were asked for, the newest first.

    Raises:
        CbrError: a list cannot be read; what has no copy cannot be told then.
    """
    scope = await find_scope(api, asked.at)
    now = datetime.fromtimestamp(api.clock.wall_time(), UTC)
    image_type = REPLICATION if asked.is_of_replicas else BACKUP
    region = asked.without_copy_in
    # One more than the limit tells whether there are more.
    enough = None if asked.limit is None or region is not None else asked.limit + 1
    found = await find_backups(
        api,
        scope,
        limit=enough,
        image_type=image_type,
        resource_name=asked.server,
        vault_id=asked.vault_id,
        status=asked.status,
        start_time=as_filter(asked.since, now),
        end_time=as_filter(asked.until, now),
        sort="created_at:desc",
        show_replication=None if asked.is_of_replicas else True,
    )
    looks = [_look(backup, now, is_replica=asked.is_of_replicas) for backup in found]
    if region is not None:
        await _require_destination(api, scope, region, found)
        there = await _look_there(api, region, found)
        looks = [
            _verified(look, region, there)
            for look, backup in zip(looks, found, strict=True)
            if not _has_copy(backup, region, there)
        ]
    return Report(
        scope.region,
        scope.project_id,
        image_type,
        tuple(_filters(asked, now)),
        is_cut=asked.limit is not None and len(looks) > asked.limit,
        backups=tuple(looks[: asked.limit]),
    )


def _filters(asked: Asked, now: datetime) -> Iterable[str]:
    # Of a replica, CBR's time may be that of the copy.
    made = "created" if asked.is_of_replicas else "made"
    if asked.server is not None:
        yield f"of server {asked.server!r}"
    if asked.vault_id is not None:
        yield f"in vault {asked.vault_id}"
    if asked.since is not None:
        yield f"{made} since {as_filter(asked.since, now)}"
    if asked.until is not None:
        yield f"{made} until {as_filter(asked.until, now)}"
    if asked.status is not None:
        yield f"with status {asked.status!r}"
    if asked.without_copy_in is not None:
        yield f"without a copy in {asked.without_copy_in}"


def _look(backup: Backup, now: datetime, *, is_replica: bool) -> BackupLook:
    made = moment(backup.created_at)
    is_told = backup.replication_records is not None and not is_replica
    return BackupLook(
        backup.id,
        backup.name,
        backup.resource_id,
        backup.resource_name,
        backup.resource_type,
        backup.vault_id,
        backup.resource_size,
        backup.status,
        backup.created_at,
        None if made == UNKNOWN else max(0, int((now - made).total_seconds())),
        backup.expired_at,
        split_mark(backup.description)[1] if is_replica else None,
        tuple(_copies(backup.records)) if is_told else None,
    )


def _copies(records: Sequence[ReplicationRecord]) -> Iterable[CopyLook]:
    """Yield the newest record for each region, by the region's name."""
    newest: dict[str | None, ReplicationRecord] = {}
    for record in sorted(records, key=lambda one: moment(one.created_at)):
        newest[record.destination_region] = record
    for region, record in sorted(newest.items(), key=lambda pair: pair[0] or ""):
        yield CopyLook(
            region,
            record.status,
            record.extra_info.progress if record.extra_info and record.is_pending else None,
            record.destination_project_id,
            record.destination_vault_id,
            record.id,
            record.destination_backup_id,
            record.created_at,
            record.failure if record.is_failed else None,
        )


async def _require_destination(
    api: Api, scope: ProjectScope, region: str, backups: Iterable[Backup]
) -> None:
    """Require that CBR copies to the region: in one that is misspelt, nothing has a copy.

    Raises:
        ConfigurationError: no record names the region, and CBR says that it copies to others only.
    """
    if any(record.destination_region == region for one in backups for record in one.records):
        return
    known = await or_error(find_destinations(api, scope))
    if isinstance(known, CbrError) or known is None or region in known:
        return
    raise ConfigurationError(
        f"looking for backups without a copy in {region!r}: CBR copies from {scope.region!r} to "
        f"{', '.join(sorted(known)) or 'no other region'} only",
        remedy="name one of the regions that it copies to",
    )


@dataclass(frozen=True)
class _There:
    """What exists in a region: its replicas, and the projects that are known to be its own."""

    replica_ids: frozenset[str]
    project_ids: frozenset[str]


async def _look_there(api: Api, region: str, backups: Iterable[Backup]) -> _There:
    """Return what exists in the region, in the projects that records name.

    A project belongs to one region. That of a record which names its region otherwise may belong to
    another one, and then it cannot be read here, which is no error.
    """
    records = [record for backup in backups for record in backup.records]
    project_ids = {
        record.destination_project_id
        for record in records
        if record.destination_region == region and record.destination_backup_id
    }
    named = {await find_scope(api, Scope(region, one)) for one in project_ids}
    perhaps = {
        ProjectScope(region, record.destination_project_id)
        for record in records
        if record.destination_project_id and _is_named_otherwise(record)
    } - named
    scopes = [*named, *perhaps]
    answers = await asyncio.gather(
        *(or_error(find_backups(api, scope, image_type=REPLICATION)) for scope in scopes)
    )
    replica_ids: set[str] = set()
    own_ids: set[str] = set()
    for scope, answer in zip(scopes, answers, strict=True):
        if isinstance(answer, CbrError):
            if scope in named:
                raise answer
            continue
        own_ids.add(scope.project_id)
        replica_ids |= {one.id for one in answer if one.status not in _BEING_DELETED}
    return _There(frozenset(replica_ids), frozenset(own_ids))


def _is_named_otherwise(record: ReplicationRecord) -> bool:
    """Whether a record names its region otherwise than by its id, or not at all."""
    name = record.destination_region
    return name is None or not is_region_id(name)


def _has_copy(backup: Backup, region: str, there: _There) -> bool:
    """Whether a replica exists in the region, or a copy to it is waiting or under way."""

    def is_going_there(record: ReplicationRecord) -> bool:
        is_its_project = record.destination_project_id in there.project_ids
        return record.is_pending and (
            record.destination_region == region or (_is_named_otherwise(record) and is_its_project)
        )

    return any(
        record.destination_backup_id in there.replica_ids or is_going_there(record)
        for record in backup.records
    )


def _verified(look: BackupLook, region: str, there: _There) -> BackupLook:
    """Return a backup whose copy in the region says whether it is there."""
    copies = (
        replace(copy, is_there=copy.replica_id in there.replica_ids)
        if copy.region == region
        else copy
        for copy in look.copies or ()
    )
    return look if look.copies is None else replace(look, copies=tuple(copies))
