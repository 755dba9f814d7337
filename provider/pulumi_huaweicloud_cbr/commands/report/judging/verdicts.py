"""Whether each resource's copies meet its objective, and why not. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pulumi_huaweicloud_cbr.base.moments import moment
from pulumi_huaweicloud_cbr.commands._cli.text import long_age
from pulumi_huaweicloud_cbr.commands.report.asking import Seen
from pulumi_huaweicloud_cbr.commands.report.judging.ages import Age, Ages, is_young, may_be_young
from pulumi_huaweicloud_cbr.commands.report.judging.subjects import Subject
from pulumi_huaweicloud_cbr.commands.report.model import (
    MET,
    MISSED,
    RUNNING,
    UNJUDGED,
    UNSEEN,
    UNUSABLE,
    USABLE,
    VERDICTS,
    CopyLook,
    Resource,
    There,
)

Goals = dict[str | None, Age]
"""The strictest objective in each declared project of a region; None for any project."""


class Verdicts:
    """Judges resources by the objectives that are declared, and by the one of the command."""

    def __init__(self, seen: Seen, ages: Ages, rpo_s: int | None) -> None:
        self._seen = seen
        self._ages = ages
        self._rpo_s = rpo_s

    def judged(self, subjects: Iterable[Subject]) -> list[Resource]:
        """Return the resources, and entries that cover nothing: the most urgent first."""
        known = list(subjects)
        found = (*map(self._resource, known), *self._empty_entries(known))
        return sorted(found, key=_urgency)

    def _resource(self, subject: Subject) -> Resource:
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
            newest_backup_age_s=self._ages.of(newest.created_at) if newest else None,
            rpo_s=None if area is None else min(limits, default=self._rpo_s),
            owner=next((one.owner for one in objectives if one.owner), None),
            tier=next((one.tier for one in objectives if one.tier), None),
            entries=tuple(dict.fromkeys(entry.entry for entry in subject.entries)),
            verdict=verdict,
            reason=reason,
            there=there,
        )

    def _there(self, subject: Subject) -> Iterator[There]:
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
            and any(may_be_young(one, rpo_s) for one in inside)
        )
        return _Look(project_id, rpo_s, verdict, newest, has_doubt)

    def _has_more_projects(self, region: str) -> bool:
        """Whether a destination region has several projects, so that its name is not enough."""
        areas = [one for one in self._seen.areas if one.region == region and one.is_destination]
        return len(areas) > 1

    def _wanted(self, subject: Subject) -> dict[str, Goals]:
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
        if any(is_young(one, rpo_s) for one in found):
            return MET
        # Of such a copy nobody knows whether it is too old.
        is_unknown = any(may_be_young(one, rpo_s) for one in found)
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

    def _verdict(self, subject: Subject, there: Sequence[There]) -> tuple[str, str | None]:
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

    def _verdict_anywhere(self, subject: Subject, there: Sequence[There]) -> tuple[str, str | None]:
        """Judge a resource that no entry declares: one region with a new copy is enough."""
        if self._rpo_s is None:
            return UNJUDGED, None
        usable = [one for one in subject.copies if one.state == USABLE]
        if any(is_young(one, self._rpo_s) for one in usable):
            return MET, None
        if doubts := {one.region for one in usable if may_be_young(one, self._rpo_s)}:
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

    def _causes(self, subject: Subject, there: Sequence[There], rpo_s: int) -> Iterator[str]:
        """Yield what may explain that copies are missing, or too old."""
        newest = subject.newest_backup()
        age_s = self._ages.of(newest.created_at) if newest else None
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

    def _empty_entries(self, subjects: Iterable[Subject]) -> Iterator[Resource]:
        """Yield entries with an objective that cover nothing: they would be missed by nobody."""
        covered = {id(entry) for one in subjects for entry in one.entries}
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
