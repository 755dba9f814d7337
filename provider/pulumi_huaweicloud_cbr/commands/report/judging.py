"""Compute a report from what was read: copies, ages, objectives, rooms and costs. Pure.

A copy counts if its region lists it and it can be restored. A record that says ``success`` proves
nothing, since it stays when its replica is deleted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    ReplicationRecord,
    Vault,
    VaultResource,
)
from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands._cli.text import long_age
from pulumi_huaweicloud_cbr.commands.report.asking import Seen, SeenArea
from pulumi_huaweicloud_cbr.commands.report.model import (
    GROWTH_DAYS,
    MET,
    MISSED,
    RUNNING,
    UNJUDGED,
    UNMARKED,
    UNSEEN,
    UNUSABLE,
    USABLE,
    VERDICTS,
    Area,
    CopyLook,
    Failure,
    Flow,
    Report,
    Resource,
    There,
    VaultLook,
)
from pulumi_huaweicloud_cbr.commands.report.prices import Prices
from pulumi_huaweicloud_cbr.config.objectives import Declared

_USABLE_STATUSES = frozenset({"available", "restoring", "waiting_restore"})
_MAKING_STATUSES = frozenset({"protecting", "waiting_protect"})
_LEAVING_STATUSES = frozenset({"deleting", "waiting_delete"})
"""Statuses of a backup (CBR API reference, ListBackups, status). Other ones are not usable."""

_CLOSED_VAULTS = frozenset({"frozen", "deleting", "error"})
"""Statuses of a vault (CBR API reference, ShowVault, billing.status) whose copies do not count.

The reference does not say whether a vault that is frozen for arrears restores. Not to count on it
is a choice of ours.
"""

_SKEW_S = 900
"""Times may be so far ahead of this machine's clock: signed requests are refused beyond that (API
Gateway, signing guide). A choice of ours for other credentials."""

Age = int | None
Goals = dict[str | None, Age]
"""The strictest objective in each declared project of a region; None for any project."""


def judge(
    seen: Seen, now: datetime, *, rpo_s: int | None = None, prices: Prices | None = None
) -> Report:
    """Return the report on what was read.

    Args:
        rpo_s: the objective of all resources that have none of their own; None for no objective.
        prices: what a gigabyte costs; None leaves costs out.
    """
    return _Judge(seen, now, rpo_s, prices or Prices()).report()


@dataclass
class _Origin:
    """A source backup, the project that has it, and its record of one copy."""

    backup: Backup
    area: SeenArea
    record: ReplicationRecord


@dataclass
class _Subject:
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


class _Judge:
    """One report; each step adds to what the steps before it found."""

    def __init__(self, seen: Seen, now: datetime, rpo_s: int | None, prices: Prices) -> None:
        self._seen = seen
        self._now = now
        self._rpo_s = rpo_s
        self._prices = prices
        self._region_of = {one.project_id: one.region for one in seen.areas}
        self._subjects: dict[str, _Subject] = {}
        self._origins: dict[str, _Origin] = {}
        # A restore point may have backups of several resources.
        self._points: dict[tuple[str, str | None], _Origin] = {}
        self._copied: set[tuple[str, str, str | None]] = set()
        self._future: set[str] = set()

    def report(self) -> Report:
        """Return the report."""
        for area in self._sources():
            self._note_sources(area)
        for area in self._destinations():
            self._note_replicas(area)
        self._note_attempts()
        self._note_entries()
        resources = sorted(
            (*map(self._resource, self._subjects.values()), *self._empty_entries()), key=_urgency
        )
        subjects = self._subjects.values()
        return Report(
            made_at=f"{self._now:%Y-%m-%dT%H:%M:%SZ}",
            stacks=tuple(self._seen.stacks),
            rpo_s=self._rpo_s,
            currency=self._prices.currency,
            areas=tuple(_area(one) for one in self._seen.areas),
            resources=tuple(resources),
            copies=tuple(copy for one in subjects for copy in one.copies),
            failures=tuple(failure for one in subjects for failure in one.failures),
            vaults=tuple(self._vaults()),
            flows=tuple(self._flows(resources)),
            remarks=(*self._seen.remarks, *self._remarks_on_time()),
        )

    # -- what there is ---------------------------------------------------------------------------

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
            if backup.status not in _LEAVING_STATUSES:
                subject.backups.append(backup)

    def _note_resource(self, resource: VaultResource, area: SeenArea, vault: Vault) -> None:
        key = str(resource.id).lower()
        subject = self._subjects.setdefault(key, _Subject(key, resource.id))
        subject.area, subject.vault_id, subject.vault_name = area, vault.id, vault.name
        subject.name, subject.type = resource.name, resource.type

    def _subject(self, backup: Backup) -> _Subject:
        """Return what was backed up; a backup that does not tell it stands for itself."""
        key = (backup.resource_id or backup.id).lower()
        subject = self._subjects.setdefault(key, _Subject(key, backup.resource_id))
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
            if replica.status in _LEAVING_STATUSES:
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
        self, replica: Backup, origin: _Origin | None, subject: _Subject, area: SeenArea
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
            age_s=self._age(made_at),
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
        self, backup: Backup, record: ReplicationRecord, subject: _Subject, region: str
    ) -> None:
        """Note a copy under way. CBR may list its replica before the record names it."""
        age_s = self._age(backup.created_at)
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

    # -- verdicts --------------------------------------------------------------------------------

    def _resource(self, subject: _Subject) -> Resource:
        there = tuple(self._there(subject))
        verdict, reason = self._verdict(subject, there)
        newest = subject.newest_backup()
        area = subject.area
        objectives = [entry.objective for entry in subject.entries]
        limits = [
            limit
            for goals in self._wanted(subject).values()
            for limit in goals.values()
            if limit is not None
        ]
        return Resource(
            key=subject.key,
            id=subject.id,
            name=subject.name or subject.key,
            type=subject.type,
            source_region=area.region if area else None,
            source_project_id=area.project_id if area else None,
            vault_name=subject.vault_name,
            backup_count=len(subject.backups),
            newest_backup_at=newest.created_at if newest else None,
            newest_backup_age_s=self._age(newest.created_at) if newest else None,
            rpo_s=None if area is None else min(limits, default=self._rpo_s),
            owner=next((one.owner for one in objectives if one.owner), None),
            tier=next((one.tier for one in objectives if one.tier), None),
            entries=tuple(dict.fromkeys(entry.entry for entry in subject.entries)),
            verdict=verdict,
            reason=reason,
            there=there,
        )

    def _there(self, subject: _Subject) -> Iterator[There]:
        wanted = self._wanted(subject)
        seen = {one.region for one in subject.copies} | {one.region for one in subject.failures}
        for region in sorted(wanted.keys() | seen):
            copies = [one for one in subject.copies if one.region == region]
            usable = [one for one in copies if one.state == USABLE]
            failures = [one for one in subject.failures if one.region == region]
            goals: Goals = wanted.get(region, {None: None})
            looks = [
                self._look(usable, region, project_id, rpo_s) for project_id, rpo_s in goals.items()
            ]
            look = min(looks, key=_need)
            newest = look.newest
            # A failure of an older backup explains nothing once a newer one was copied.
            newest_at = moment(newest.made_at if newest else None)
            later = [one for one in failures if moment(one.made_at) > newest_at]
            last = max(later, key=lambda one: moment(one.attempted_at), default=None)
            yield There(
                region=region,
                is_wanted=region in wanted,
                verdict=look.verdict,
                count=len(usable),
                size_gb=sum(one.size_gb for one in usable),
                running_count=sum(one.state == RUNNING for one in copies),
                unusable_count=sum(one.state == UNUSABLE for one in copies),
                failure_count=len(failures),
                newest_id=newest.id if newest else None,
                newest_made_at=newest.made_at if newest else None,
                newest_age_s=newest.age_s if newest else None,
                is_time_of_copy=newest is not None and newest.is_time_of_copy,
                last_failure=last.reason if last else None,
                rpo_s=look.rpo_s,
                project_id=look.project_id if self._has_more_projects(region) else None,
                has_doubt=look.has_doubt,
            )

    def _look(
        self, usable: Sequence[CopyLook], region: str, project_id: str | None, rpo_s: Age
    ) -> _Look:
        """Judge the copies of one project of a region, None for all of its projects."""
        inside = [one for one in usable if project_id in (None, one.project_id)]
        newest = min(
            (one for one in inside if one.age_s is not None),
            key=lambda one: one.age_s or 0,
            default=None,
        )
        verdict = self._verdict_there(inside, rpo_s, region, project_id)
        has_doubt = (
            rpo_s is not None
            and verdict == UNSEEN
            and any(_may_be_young(one, rpo_s) for one in inside)
        )
        return _Look(project_id, rpo_s, verdict, newest, has_doubt)

    def _has_more_projects(self, region: str) -> bool:
        """Whether a destination region has several projects, so that its name is not enough."""
        areas = [one for one in self._seen.areas if one.region == region and one.is_destination]
        return len(areas) > 1

    def _wanted(self, subject: _Subject) -> dict[str, Goals]:
        """Return the declared destinations by region and project."""
        wanted: dict[str, Goals] = {}
        for entry in subject.entries:
            rpo_s = entry.objective.rpo_s if entry.objective.rpo_s is not None else self._rpo_s
            for region, project_id in entry.destinations:
                goals = wanted.setdefault(region, {})
                limits = [one for one in (rpo_s, goals.get(project_id)) if one is not None]
                goals[project_id] = min(limits, default=None)
        return wanted

    def _verdict_there(
        self, usable: Iterable[CopyLook], rpo_s: Age, region: str, project_id: str | None
    ) -> str:
        if rpo_s is None:
            return UNJUDGED
        found = list(usable)
        if any(_is_young(one, rpo_s) for one in found):
            return MET
        # Of such a copy nobody knows whether it is too old.
        is_unknown = any(_may_be_young(one, rpo_s) for one in found)
        return UNSEEN if is_unknown or self._is_unseen(region, project_id) else MISSED

    def _is_unseen(self, region: str, project_id: str | None) -> bool:
        """Whether a destination was not read, so that copies may be there."""
        areas = [
            one
            for one in self._seen.areas
            if one.region == region
            and one.is_destination
            and (project_id is None or one.project_id in (None, project_id))
        ]
        return not areas or any(one.unseen_because for one in areas)

    def _verdict(self, subject: _Subject, there: Sequence[There]) -> tuple[str, str | None]:
        if subject.area is None:
            return UNJUDGED, self._why_sourceless()
        if not subject.entries:
            return self._verdict_anywhere(subject, there)
        worst = min((one.verdict for one in there if one.is_wanted), key=VERDICTS.index)
        if worst not in (MISSED, UNSEEN):
            return worst, None
        failing = [one for one in there if one.is_wanted and one.verdict == worst]
        if worst == UNSEEN:
            return worst, "; ".join(_doubts(failing))
        told = [_shortfall(one, one.rpo_s) for one in failing]
        limits = [one.rpo_s for one in failing if one.rpo_s is not None]
        return worst, "; ".join([*told, *self._causes(subject, failing, max(limits))])

    def _why_sourceless(self) -> str:
        """Return why only copies are known: a source that was not read may have the resource."""
        unread = [one.region for one in self._seen.areas if one.is_source and one.unseen_because]
        if unread:
            regions = ", ".join(dict.fromkeys(unread))
            return f"{regions} could not be read, so only its copies were seen"
        return "no source region that was read has a backup of it; only copies are left"

    def _verdict_anywhere(
        self, subject: _Subject, there: Sequence[There]
    ) -> tuple[str, str | None]:
        """Judge a resource that no entry declares: one region with a new copy is enough."""
        if self._rpo_s is None:
            return UNJUDGED, None
        usable = [one for one in subject.copies if one.state == USABLE]
        if any(_is_young(one, self._rpo_s) for one in usable):
            return MET, None
        if doubts := {one.region for one in usable if _may_be_young(one, self._rpo_s)}:
            return UNSEEN, "; ".join(map(_DOUBT.format, sorted(doubts)))
        unseen = [
            one.region for one in self._seen.areas if one.is_destination and one.unseen_because
        ]
        if unseen:
            return UNSEEN, f"copies may be in {', '.join(unseen)}, which could not be read"
        newest = min(
            (one for one in there if one.newest_age_s is not None),
            key=lambda one: one.newest_age_s or 0,
            default=None,
        )
        told = _shortfall(newest, self._rpo_s)
        return MISSED, "; ".join([told, *self._causes(subject, there, self._rpo_s)])

    def _causes(self, subject: _Subject, there: Sequence[There], rpo_s: int) -> Iterator[str]:
        """Yield what may explain that copies are missing, or too old."""
        newest = subject.newest_backup()
        age_s = self._age(newest.created_at) if newest else None
        if newest is None:
            yield "it has no usable backup"
        elif age_s is None:
            yield "how old its newest backup is, is not known"
        elif age_s > rpo_s:
            yield f"its newest backup is {long_age(age_s)} old itself"
        for one in there:
            if one.last_failure:
                yield f"the last copy to {one.region} failed: {one.last_failure}"
        regions = {one.region for one in there}
        running = [one for one in subject.copies if one.state == RUNNING and one.region in regions]
        if running:
            yield "1 copy is under way" if len(running) == 1 else f"{len(running)} are under way"

    def _empty_entries(self) -> Iterator[Resource]:
        """Yield entries with an objective that cover nothing: they would be missed by nobody."""
        covered = {id(entry) for one in self._subjects.values() for entry in one.entries}
        for entry in self._seen.declared:
            if id(entry) in covered or entry.objective.rpo_s is None:
                continue
            sources = [
                one
                for one in self._seen.areas
                if one.is_source and entry.source_region in (None, one.region)
            ]
            is_unseen = not sources or any(one.unseen_because for one in sources)
            where = entry.source_region or "the source region"
            verdict = UNSEEN if is_unseen else MISSED
            yield Resource(
                key=f"entry {entry.entry}",
                id=None,
                name=entry.entry,
                type=None,
                source_region=entry.source_region,
                source_project_id=entry.source_project_id,
                vault_name=None,
                backup_count=0,
                newest_backup_at=None,
                newest_backup_age_s=None,
                rpo_s=entry.objective.rpo_s,
                owner=entry.objective.owner,
                tier=entry.objective.tier,
                entries=(entry.entry,),
                verdict=verdict,
                reason=f"{where} could not be read"
                if is_unseen
                else f"the entry covers no backup in {where}",
                there=tuple(
                    There(region, is_wanted=True, verdict=verdict)
                    for region in sorted({region for region, _ in entry.destinations})
                ),
            )

    # -- rooms and flows -------------------------------------------------------------------------

    def _vaults(self) -> Iterator[VaultLook]:
        since = self._now - timedelta(days=GROWTH_DAYS)
        for area in self._seen.areas:
            inventory = area.inventory
            if inventory is None:
                continue
            rows: defaultdict[str, list[Backup]] = defaultdict(list)
            for row in inventory.rows:
                if row.status not in _LEAVING_STATUSES:
                    rows[(row.vault_id or "").lower()].append(row)
            for vault in inventory.known_vaults:
                inside = rows[vault.id.lower()]
                added_gb = sum(
                    row.resource_size or 0 for row in inside if moment(row.created_at) >= since
                )
                free_gb = vault.free_gb
                lasts = added_gb > 0 and free_gb is not None
                yield VaultLook(
                    region=area.region,
                    project_id=inventory.scope.project_id,
                    id=vault.id,
                    name=vault.name,
                    takes_replicas=bool(vault.takes_replicas),
                    size_gb=vault.billing.size,
                    used_gb=None if vault.billing.used is None else vault.billing.used / 1024,
                    free_gb=free_gb,
                    copy_count=len(inside),
                    added_gb=added_gb,
                    full_in_days=int(max(0.0, free_gb or 0.0) * GROWTH_DAYS / added_gb)
                    if lasts
                    else None,
                )

    def _flows(self, resources: Iterable[Resource]) -> Iterator[Flow]:
        """Yield a flow for each pair of regions that has copies, or should have."""
        by_key = {one.key: one for one in resources}
        copies: defaultdict[tuple[str, str], list[CopyLook]] = defaultdict(list)
        missed: defaultdict[tuple[str, str], int] = defaultdict(int)
        for subject in self._subjects.values():
            source = subject.area.region if subject.area else ""
            for copy in subject.copies:
                if copy.state == USABLE:
                    copies[source, copy.region].append(copy)
        for resource in by_key.values():
            for there in resource.there:
                if there.verdict == MISSED:
                    missed[resource.source_region or "", there.region] += 1
        since_s = GROWTH_DAYS * 86400
        for source, region in sorted(copies.keys() | missed.keys()):
            inside = copies[source, region]
            size_gb = sum(one.size_gb for one in inside)
            added_gb = sum(one.size_gb for one in inside if (one.age_s or 0) <= since_s)
            yield Flow(
                source_region=source or None,
                region=region,
                resource_count=len({one.resource_key for one in inside}),
                copy_count=len(inside),
                size_gb=size_gb,
                missed_count=missed[source, region],
                added_gb=added_gb,
                storage=self._prices.storage(region, size_gb),
                transfer=self._prices.transfer(source or None, region, added_gb),
            )

    def _age(self, made_at: str | None) -> Age:
        """Return an age in seconds; None if it is not known.

        This machine's clock may be a little behind the service's. A time that is further ahead
        tells no age: taken for new, it would meet each objective.
        """
        made = moment(made_at)
        if made == UNKNOWN:
            return None
        age_s = int((self._now - made).total_seconds())
        if age_s < -_SKEW_S:
            self._future.add(str(made_at))
            return None
        return max(0, age_s)

    def _remarks_on_time(self) -> Iterator[str]:
        if self._future:
            yield (
                f"ages: CBR tells times that are later than this machine's clock, such as "
                f"{max(self._future)}; correct the clock if it is behind"
            )


@dataclass(frozen=True)
class _Look:
    """The usable copies in one project of a region; `newest` is None if none tells its age."""

    project_id: str | None
    rpo_s: Age
    verdict: str
    newest: CopyLook | None
    has_doubt: bool


def _need(look: _Look) -> tuple[int, int]:
    """Return what sorts projects of a region: the one first that needs a person most."""
    age_s = look.newest.age_s if look.newest else None
    return VERDICTS.index(look.verdict), -(age_s if age_s is not None else 1 << 40)


def _is_young(copy: CopyLook, rpo_s: int) -> bool:
    """Whether a copy is certainly not too old."""
    return not copy.is_time_of_copy and copy.age_s is not None and copy.age_s <= rpo_s


def _may_be_young(copy: CopyLook, rpo_s: int) -> bool:
    """Whether a copy may be young enough, but nobody knows when its backup was made."""
    if copy.age_s is None:
        return True
    return copy.is_time_of_copy and copy.age_s <= rpo_s


def _lowered(value: str | None) -> str | None:
    return value.lower() if value else None


def _covers(entry: Declared, subject: _Subject, area: SeenArea) -> bool:
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


def _area(seen: SeenArea) -> Area:
    inventory = seen.inventory
    there = () if inventory is None else inventory.rows
    present = [row for row in there if row.status not in _LEAVING_STATUSES]
    replica_count = sum(row.is_replica for row in present)
    return Area(
        seen.region,
        seen.project_id,
        seen.is_source,
        seen.is_destination,
        len(present) - replica_count,
        replica_count,
        seen.unseen_because,
    )


def _state(replica: Backup, origin: _Origin | None) -> str:
    # How a replica looks while its data arrives is not documented. Its record says that it runs.
    if replica.status in _MAKING_STATUSES or (origin and origin.record.is_pending):
        return RUNNING
    return USABLE if replica.status in _USABLE_STATUSES else UNUSABLE


def _failure(backup: Backup, record: ReplicationRecord, subject: _Subject, region: str) -> Failure:
    return Failure(
        subject.key,
        region,
        backup.id,
        backup.name,
        backup.created_at,
        record.created_at,
        record.failure,
    )


_DOUBT = "the age of the newest copy in {} is not known, nor when its backup was made"


def _doubts(there: Iterable[There]) -> Iterator[str]:
    """Yield why destinations could not be judged: their copies' ages, then regions not read."""
    places = list(there)
    yield from (_DOUBT.format(one.region) for one in places if one.has_doubt)
    unread = ", ".join(one.region for one in places if not one.has_doubt)
    if unread:
        yield f"{unread} could not be read"


def _shortfall(there: There | None, rpo_s: Age) -> str:
    """Return how far a destination is from its objective; None is any destination."""
    want = "" if rpo_s is None else f", want {long_age(rpo_s)}"
    if there is None:
        return f"no usable copy in another region{want}"
    where = f"project {there.project_id} of {there.region}" if there.project_id else there.region
    if there.newest_age_s is None:
        return f"no usable copy in {where}{want}"
    return f"the newest copy in {where} is {long_age(there.newest_age_s)} old{want}"


def _urgency(resource: Resource) -> tuple[int, int, str, str]:
    """Return what sorts resources: what needs a person first, then the oldest copies."""
    newest = resource.newest
    age_s = newest.newest_age_s if newest else None
    oldest = -(age_s if age_s is not None else 1 << 40)
    return VERDICTS.index(resource.verdict), oldest, resource.name, resource.key


def now_of(wall_time: float) -> datetime:
    """Return a clock's seconds since the epoch as a moment."""
    return datetime.fromtimestamp(wall_time, UTC)
