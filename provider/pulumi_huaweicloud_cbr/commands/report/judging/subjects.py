"""What there is: resources with their backups, copies and failed attempts. Pure.

A copy counts if its region lists it and it can be restored. A record that says ``success`` proves
nothing, since it stays when its replica is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    ReplicationRecord,
    Vault,
    VaultResource,
)
from pulumi_huaweicloud_cbr.base.moments import moment
from pulumi_huaweicloud_cbr.commands.report.asking import Seen, SeenArea
from pulumi_huaweicloud_cbr.commands.report.judging.ages import Ages
from pulumi_huaweicloud_cbr.commands.report.model import (
    RUNNING,
    UNMARKED,
    UNUSABLE,
    USABLE,
    CopyLook,
    Failure,
)
from pulumi_huaweicloud_cbr.config.objectives import Declared

_USABLE_STATUSES = frozenset({"available", "restoring", "waiting_restore"})
_MAKING_STATUSES = frozenset({"protecting", "waiting_protect"})
LEAVING_STATUSES = frozenset({"deleting", "waiting_delete"})
"""Statuses of a backup (CBR API reference, ListBackups, status). Other ones are not usable."""

_CLOSED_VAULTS = frozenset({"frozen", "deleting", "error"})
"""Statuses of a vault (CBR API reference, ShowVault, billing.status) whose copies do not count.

The reference does not say whether a vault that is frozen for arrears restores. Not to count on it
is a choice of ours.
"""


@dataclass
class _Origin:
    """A source backup, the project that has it, and its record of one copy."""

    backup: Backup
    area: SeenArea
    record: ReplicationRecord


@dataclass
class Subject:
    """A resource while it is looked at."""

    key: str
    id: str | None
    name: str | None = None
    type: str | None = None
    area: SeenArea | None = None
    vault_id: str | None = None
    vault_name: str | None = None
    backups: list[Backup] = field(default_factory=list)
    copies: list[CopyLook] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    entries: list[Declared] = field(default_factory=list)

    def newest_backup(self) -> Backup | None:
        """Return the newest source backup that can be restored."""
        usable = [one for one in self.backups if one.status in _USABLE_STATUSES]
        return max(usable, key=lambda one: moment(one.created_at), default=None)


def subjects_of(seen: Seen, ages: Ages) -> list[Subject]:
    """Return each resource that was backed up, or that a source vault protects."""
    return _Collector(seen, ages).subjects()


class _Collector:
    """Each step adds to what the steps before it found."""

    def __init__(self, seen: Seen, ages: Ages) -> None:
        self._seen = seen
        self._ages = ages
        self._region_of = {one.project_id: one.region for one in seen.areas}
        self._subjects: dict[str, Subject] = {}
        self._origins: dict[str, _Origin] = {}
        # A restore point may have backups of several resources.
        self._points: dict[tuple[str, str | None], _Origin] = {}
        self._copied: set[tuple[str, str, str | None]] = set()

    def subjects(self) -> list[Subject]:
        """Return the resources."""
        for area in self._sources():
            self._note_sources(area)
        for area in self._destinations():
            self._note_replicas(area)
        self._note_attempts()
        self._note_entries()
        return list(self._subjects.values())

    def _sources(self) -> Iterator[SeenArea]:
        return (one for one in self._seen.areas if one.is_source and one.inventory)

    def _destinations(self) -> Iterator[SeenArea]:
        return (one for one in self._seen.areas if one.is_destination and one.inventory)

    def _note_sources(self, area: SeenArea) -> None:
        if area.inventory is None:
            return
        names = {vault.id.lower(): vault.name for vault in area.inventory.known_vaults}
        for vault in area.inventory.known_vaults:
            for resource in () if vault.takes_replicas else vault.resources or ():
                if resource.id:
                    self._note_resource(resource, area, vault)
        for backup in area.inventory.backups:
            subject = self._subject(backup)
            subject.area = area
            subject.vault_id = subject.vault_id or backup.vault_id
            subject.vault_name = subject.vault_name or names.get((backup.vault_id or "").lower())
            for record in backup.records:
                self._note_origin(_Origin(backup, area, record))
            if backup.status not in LEAVING_STATUSES:
                subject.backups.append(backup)

    def _note_resource(self, resource: VaultResource, area: SeenArea, vault: Vault) -> None:
        key = str(resource.id).lower()
        subject = self._subjects.setdefault(key, Subject(key, resource.id))
        subject.area, subject.vault_id, subject.vault_name = area, vault.id, vault.name
        subject.name, subject.type = resource.name, resource.type

    def _subject(self, backup: Backup) -> Subject:
        """Return what was backed up; a backup that does not tell it stands for itself."""
        key = (backup.resource_id or backup.id).lower()
        subject = self._subjects.setdefault(key, Subject(key, backup.resource_id))
        subject.name = subject.name or backup.resource_name or backup.name
        subject.type = subject.type or backup.resource_type
        return subject

    def _note_origin(self, origin: _Origin) -> None:
        record = origin.record
        if record.destination_backup_id:
            self._origins[record.destination_backup_id.lower()] = origin
        elif record.destination_checkpoint_id:
            point = (record.destination_checkpoint_id.lower(), _lowered(origin.backup.resource_id))
            self._points[point] = origin

    def _note_replicas(self, area: SeenArea) -> None:
        vaults = area.inventory.known_vaults if area.inventory else ()
        closed = {one.id.lower() for one in vaults if one.billing.status in _CLOSED_VAULTS}
        for replica in area.inventory.replicas if area.inventory else ():
            if replica.status in LEAVING_STATUSES:
                continue
            point = ((replica.checkpoint_id or "").lower(), _lowered(replica.resource_id))
            origin = self._origins.get(replica.id.lower()) or self._points.get(point)
            subject = self._subject(origin.backup if origin else replica)
            if origin is not None:
                self._copied |= {
                    (origin.backup.id, area.region, one) for one in (area.project_id, None)
                }
            copy = self._copy(replica, origin, subject, area)
            if (replica.vault_id or "").lower() in closed:
                copy = replace(copy, state=UNUSABLE)
            subject.copies.append(copy)

    def _copy(
        self, replica: Backup, origin: _Origin | None, subject: Subject, area: SeenArea
    ) -> CopyLook:
        group, holder = self._seen.owners.get(replica.id.lower(), (UNMARKED, None))
        # A rolling set's state knows it, also when the source is gone.
        known = origin.backup.created_at if origin else self._seen.made_at.get(replica.id.lower())
        made_at = known or replica.created_at
        return CopyLook(
            id=replica.id,
            name=replica.name,
            resource_key=subject.key,
            region=area.region,
            project_id=area.project_id or "",
            vault_id=replica.vault_id,
            backup_id=origin.backup.id if origin else None,
            made_at=made_at,
            age_s=self._ages.of(made_at),
            is_time_of_copy=known is None,
            size_gb=replica.resource_size or 0,
            state=_state(replica, origin),
            owner=group,
            held_by=holder,
        )

    def _note_attempts(self) -> None:
        """Note copies that are being made without a replica, and attempts that failed."""
        for subject in self._subjects.values():
            for backup in subject.backups:
                newest: dict[tuple[str, str | None], ReplicationRecord] = {}
                for record in sorted(backup.records, key=lambda one: moment(one.created_at)):
                    region = self._region(record)
                    if region is not None:
                        newest[region, record.destination_project_id] = record
                for (region, project_id), record in newest.items():
                    # A record that names no project may be of any.
                    if (backup.id, region, project_id) in self._copied:
                        continue
                    if record.is_pending:
                        self._note_running(backup, record, subject, region)
                    elif record.is_failed:
                        subject.failures.append(_failure(backup, record, subject, region))

    def _region(self, record: ReplicationRecord) -> str | None:
        """Return the region's id: records may name it otherwise, and the project tells it."""
        known = self._region_of.get(record.destination_project_id)
        return known or record.destination_region

    def _note_running(
        self, backup: Backup, record: ReplicationRecord, subject: Subject, region: str
    ) -> None:
        """Note a copy under way. CBR may list its replica before the record names it."""
        age_s = self._ages.of(backup.created_at)
        for place, copy in enumerate(subject.copies):
            is_there = copy.region == region and record.destination_project_id in (
                None,
                copy.project_id,
            )
            if copy.state == RUNNING and is_there and copy.backup_id is None:
                subject.copies[place] = replace(
                    copy,
                    backup_id=backup.id,
                    made_at=backup.created_at,
                    age_s=age_s,
                    is_time_of_copy=False,
                )
                return
        subject.copies.append(
            CopyLook(
                id=None,
                name=backup.name,
                resource_key=subject.key,
                region=region,
                project_id=record.destination_project_id or "",
                vault_id=record.destination_vault_id,
                backup_id=backup.id,
                made_at=backup.created_at,
                age_s=age_s,
                is_time_of_copy=False,
                size_gb=backup.resource_size or 0,
                state=RUNNING,
                owner=UNMARKED,
            )
        )

    def _note_entries(self) -> None:
        for subject in self._subjects.values():
            if subject.area is not None:
                subject.entries = [
                    entry for entry in self._seen.declared if _covers(entry, subject, subject.area)
                ]


def _lowered(value: str | None) -> str | None:
    return value.lower() if value else None


def _covers(entry: Declared, subject: Subject, area: SeenArea) -> bool:
    """Whether an entry covers a backup of the resource, or would cover its first one."""
    where = {"region": area.region, "project_id": area.project_id}
    if not subject.backups:
        return entry.covers(
            "",
            resource_id=subject.id,
            resource_name=subject.name,
            vault_id=subject.vault_id,
            **where,
        )
    return any(
        entry.covers(
            backup.id,
            resource_id=backup.resource_id,
            resource_name=backup.resource_name,
            name=backup.name,
            vault_id=backup.vault_id,
            created_at=backup.created_at,
            **where,
        )
        for backup in subject.backups
    )


def _state(replica: Backup, origin: _Origin | None) -> str:
    # How a replica looks while its data arrives is not documented. Its record says that it runs.
    if replica.status in _MAKING_STATUSES or (origin and origin.record.is_pending):
        return RUNNING
    return USABLE if replica.status in _USABLE_STATUSES else UNUSABLE


def _failure(backup: Backup, record: ReplicationRecord, subject: Subject, region: str) -> Failure:
    return Failure(
        subject.key,
        region,
        backup.id,
        backup.name,
        backup.created_at,
        record.created_at,
        record.failure,
    )
