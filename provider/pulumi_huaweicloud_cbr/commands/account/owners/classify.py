"""Which group each replica belongs to, from the state's rows and from what CBR shows. Pure.

A replica of the state is found by the id that the state or the row's record has. An orphan has this
stack's mark, and no row can have it. Where that is not sure, the replica is unclear.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, ReplicationRecord, Task
from pulumi_huaweicloud_cbr.api.wire.requests import FAILED_RECORD_STATUSES, ProjectScope
from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands._cli.stack import Row, State
from pulumi_huaweicloud_cbr.commands.account.owners.report import (
    DELETING,
    FAILED,
    GONE,
    IN_STATE,
    ORPHAN,
    OTHER_STACK,
    RUNNING,
    UNCLEAR,
    UNMARKED,
    UNNAMED,
    UNSEEN,
    Holder,
    Origin,
    RegionLook,
    ReplicaLook,
    Report,
    RowLook,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import DELETING_STATUSES
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark

NAME_LIMIT = 30
"""Of a proposed resource name, so that it leaves room for the id beside it."""


@dataclass(frozen=True)
class Listed:
    """A project whose replicas were listed; `vault_ids` is None if all vaults are of interest."""

    look: RegionLook
    vault_ids: frozenset[str] | None
    backups: tuple[Backup, ...]
    vault_names: Mapping[str, str | None]

    @property
    def present(self) -> Iterator[Backup]:
        """Yield the replicas that are not being deleted."""
        return (row for row in self.backups if row.status not in DELETING_STATUSES)


@dataclass
class Known:
    """What the state and the source regions tell.

    `default_projects` are the projects that an import takes, by region. `logged` are the replicas
    that the operation log names, by source backup and destination region.
    """

    owner: str
    state: State
    now: datetime
    default_projects: dict[str, str] = field(default_factory=dict)
    logged: dict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))

    def __post_init__(self) -> None:
        self._records: dict[str, ReplicationRecord] = {}
        self._origins: dict[str, Origin] = {}
        # A restore point may have backups of several resources.
        self._points: dict[tuple[str, str | None], Origin] = {}

    def note(self, record: ReplicationRecord, source: Backup, scope: ProjectScope) -> None:
        """Note a record of a source backup."""
        self._records[record.id.lower()] = record
        origin = Origin(scope.region, scope.project_id, source.id, source.name, record.id)
        replica_id, checkpoint_id = record.destination_backup_id, record.destination_checkpoint_id
        if replica_id:
            self._origins[replica_id.lower()] = origin
        elif checkpoint_id:
            self._points[checkpoint_id.lower(), source.resource_id] = origin

    def note_task(self, task: Task) -> None:
        """Note an entry of the operation log."""
        told = task.replication
        if told.source_backup_id and told.destination_region and told.destination_backup_id:
            key = (told.source_backup_id.lower(), told.destination_region)
            self.logged[key].add(told.destination_backup_id.lower())

    def origin_of(self, backup: Backup) -> Origin | None:
        """Return the source that names a replica; None if none does."""
        point = ((backup.checkpoint_id or "").lower(), backup.resource_id)
        return self._origins.get(backup.id.lower()) or self._points.get(point)

    def record_of(self, row: Row) -> ReplicationRecord | None:
        """Return the record of a row; None if no source lists it."""
        return self._records.get(row.record_id)

    def replicas_of(self, row: Row) -> set[str]:
        """Return the ids that the replica of a row may have; empty if nothing names it."""
        record = self.record_of(row)
        told = row.replica_id or (record and record.destination_backup_id)
        if told:
            return {told.lower()}
        return set() if self.point_of(row) else self.logged.get((row.backup_id, row.region), set())

    def point_of(self, row: Row) -> str | None:
        """Return the id of the replica's restore point; None if nothing names it."""
        record = self.record_of(row)
        told = row.checkpoint_id or (record and record.destination_checkpoint_id)
        return told.lower() if told else None


def needs_sources(known: Known, listed: Iterable[Listed]) -> bool:
    """Whether the source backups' records have to be read to tell who owns what."""
    matches = match(known, listed)
    held = {backup.id for backup in matches.found.values()}
    return bool(matches.missing) or any(
        split_mark(backup.description)[1] == known.owner and backup.id not in held
        for at in listed
        for backup in at.present
    )


def sources_of_unnamed(known: Known, listed: Iterable[Listed]) -> set[ProjectScope]:
    """Return the sources whose operation log may name the replicas of rows."""
    missing = match(known, listed).missing
    return {row.source for row, reason in missing.items() if reason == UNNAMED}


@dataclass
class Matches:
    """The replica of each row, or the reason why it has none."""

    found: dict[Row, Backup] = field(default_factory=dict)
    missing: dict[Row, str] = field(default_factory=dict)


def match(known: Known, listed: Iterable[Listed]) -> Matches:
    """Find the replica of each row in the lists."""
    lists: defaultdict[tuple[str, str | None], dict[str, Backup]] = defaultdict(dict)
    for at in listed:
        there = lists[at.look.region, at.look.project_id]
        there.update({backup.id.lower(): backup for backup in at.backups})
    matches = Matches()
    for row in known.state.rows:
        place = (row.region, row.project_id)
        found = _found(known, row, lists.get(place, {}))
        if found is None:
            matches.missing[row] = _why_missing(known, row) if place in lists else UNSEEN
        elif found.status in DELETING_STATUSES:
            matches.missing[row] = DELETING
        else:
            matches.found[row] = found
    return matches


def _found(known: Known, row: Row, there: Mapping[str, Backup]) -> Backup | None:
    ids = known.replicas_of(row)
    if ids:
        return next((there[one] for one in sorted(ids) if one in there), None)
    point = known.point_of(row)
    of_point = [
        backup
        for backup in there.values()
        if point is not None
        and (backup.checkpoint_id or "").lower() == point
        and row.resource_id in (None, backup.resource_id)
    ]
    # Several resources may have a backup in it.
    return of_point[0] if len(of_point) == 1 else None


def _why_missing(known: Known, row: Row) -> str:
    record = known.record_of(row)
    if record is not None and record.is_pending:
        return RUNNING
    is_failed = record.is_failed if record else row.status in FAILED_RECORD_STATUSES
    if is_failed and row.replica_id is None:
        return FAILED
    return GONE if known.replicas_of(row) else UNNAMED


def classify(report: Report, known: Known, listed: Iterable[Listed]) -> None:
    """Put each replica and each row without one into the report."""
    lists = list(listed)
    matches = match(known, lists)
    report.rows_without_replica = [
        RowLook(
            row.urn,
            row.name,
            row.label,
            row.backup_id,
            row.region,
            row.project_id,
            row.vault_id,
            row.replica_id,
            reason,
        )
        for row, reason in matches.missing.items()
    ]
    holders: defaultdict[str, list[Row]] = defaultdict(list)
    for row, backup in matches.found.items():
        holders[backup.id].append(row)
    nameless = [
        row
        for row, reason in matches.missing.items()
        if reason in (RUNNING, UNNAMED) and not known.replicas_of(row)
    ]
    sorter = _Sorter(report, known, holders, nameless)
    for at in lists:
        for backup in at.present:
            at.look.replica_count += 1
            replica = sorter.look_at(at, backup)
            is_of_others = replica.group in (OTHER_STACK, UNMARKED)
            if is_of_others and not _is_named(at, backup):
                at.look.elsewhere_count += 1
            else:
                report.replicas.append(replica)


def _is_named(at: Listed, backup: Backup) -> bool:
    return at.vault_ids is None or (backup.vault_id or "").lower() in at.vault_ids


@dataclass
class _Sorter:
    """Decides about one replica after the other; `nameless` rows may have any of some replicas."""

    report: Report
    known: Known
    holders: Mapping[str, list[Row]]
    nameless: list[Row]

    def __post_init__(self) -> None:
        self._taken = set(self.known.state.names)

    def look_at(self, at: Listed, backup: Backup) -> ReplicaLook:
        """Return a replica with its group."""
        owner = split_mark(backup.description)[1]
        rows = self.holders.get(backup.id, [])
        origin = self.known.origin_of(backup)
        suitors = () if origin or rows else self._candidates(at, backup)
        group = self._group(owner, is_held=bool(rows), origin=origin, suitors=suitors)
        import_id = self._import_id(origin) if group == ORPHAN else None
        created = moment(backup.created_at)
        vault_id = (backup.vault_id or "").lower()
        return ReplicaLook(
            group=group,
            id=backup.id,
            name=backup.name,
            status=backup.status,
            region=at.look.region,
            project_id=at.look.project_id or "",
            vault_id=backup.vault_id,
            vault_name=at.vault_names.get(vault_id),
            resource_name=backup.resource_name,
            resource_type=backup.resource_type,
            size_gb=backup.resource_size,
            created_at=backup.created_at,
            age_s=None if created == UNKNOWN else _seconds(self.known.now - created),
            owner=owner,
            held_by=tuple(Holder(row.urn, row.name, row.label, row.is_leaving) for row in rows),
            may_be_of=tuple(row.title for row in suitors) if group == UNCLEAR else (),
            origin=origin,
            import_id=import_id,
            import_name=self._new_name(backup) if import_id else None,
            is_left_alone=any(owner not in (None, self.known.owner, row.owner) for row in rows),
        )

    def _group(
        self, owner: str | None, *, is_held: bool, origin: Origin | None, suitors: tuple[Row, ...]
    ) -> str:
        if is_held:
            return IN_STATE
        if owner not in (None, self.known.owner):
            return OTHER_STACK
        if suitors:
            return UNCLEAR
        if owner is None:
            return UNMARKED
        if self.known.state.unreadable or (origin is None and not self._has_seen_sources):
            return UNCLEAR
        return ORPHAN

    @property
    def _has_seen_sources(self) -> bool:
        return not any(look.unseen_because for look in self.report.sources)

    def _candidates(self, at: Listed, backup: Backup) -> tuple[Row, ...]:
        """Return the rows without a known replica whose replica this may be."""
        place = (at.look.region, at.look.project_id, (backup.vault_id or "").lower())
        return tuple(
            row
            for row in self.nameless
            if (row.region, row.project_id, row.vault_id) == place
            and row.resource_id in (None, backup.resource_id)
        )

    def _import_id(self, origin: Origin | None) -> str | None:
        # An id to import cannot name a project.
        default = self.known.default_projects.get(origin.region) if origin else None
        if origin is None or origin.project_id != default:
            return None
        return f"{origin.region}/{origin.backup_id}/{origin.record_id}"

    def _new_name(self, backup: Backup) -> str:
        """Return a name that no resource has, of what was backed up."""
        given = backup.resource_name or backup.name or ""
        base = re.sub(r"[^\w.-]+", "-", given)[:NAME_LIMIT].strip("-.") or "replica"
        name, number = base, 1
        while name in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(name)
        return name


def _seconds(age: timedelta) -> int:
    # This machine's clock may be behind the service's.
    return max(0, round(age.total_seconds()))
