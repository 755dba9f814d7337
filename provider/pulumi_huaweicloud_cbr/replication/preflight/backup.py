"""Preflight against the API: what `fitness` needs to know, asked for at once, read-only.

Runs in previews, so nothing here may write, and a fault of one call hides nothing that the
others found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import (
    find_backup,
    find_destinations,
    find_vault,
    records_for_region,
)
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.replication.observe import observe_attempts
from pulumi_huaweicloud_cbr.replication.rules.decisions import Adopt, Attempt, Refuse, decide_create
from pulumi_huaweicloud_cbr.replication.rules.fitness import (
    Finding,
    check_backup,
    check_region_pair,
    check_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication

Found = TypeVar("Found")


class Aim(Struct, frozen=True, kw_only=True):
    """Whence and whereto something is to be copied, as far as its inputs are known.

    A `destination_project_id` that is None is looked up, unless `is_project_unknown` says that it
    is given, but only known later. `own_record_ids` are the records of replicas that are about to
    be replaced, which therefore do not stand in the way.
    """

    source: ProjectScope
    destination_region: str | None
    destination_project_id: str | None = None
    destination_vault_id: str | None = None
    is_project_unknown: bool = False
    adopt: bool = True
    own_record_ids: frozenset[str] = frozenset()

    @property
    def is_project_wanted(self) -> bool:
        """Whether the destination's project has to be looked up."""
        return self.destination_project_id is None and not self.is_project_unknown

    @property
    def destination(self) -> ProjectScope | None:
        """Return the destination project, None while a part of it is not known."""
        if self.destination_region is None or self.destination_project_id is None:
            return None
        return ProjectScope(self.destination_region, self.destination_project_id)


class Question(Aim, frozen=True, kw_only=True):
    """The replication of one backup to be judged."""

    backup_id: str | None = None

    @property
    def desired(self) -> DesiredReplication | None:
        """Return the whole replication, None while a part of it is not known."""
        destination = self.destination
        if destination is None or self.backup_id is None or self.destination_vault_id is None:
            return None
        return DesiredReplication(
            backup_id=self.backup_id,
            source=self.source,
            destination=destination,
            destination_vault_id=self.destination_vault_id,
            adopt=self.adopt,
        )


class Verdict(Struct, frozen=True):
    """What preflight found: reasons for a refusal, news for the user, calls that failed.

    `destination_project_id` is the one that was given or looked up, None where neither was done.
    `size_gb` is what the copy may take, None where it takes nothing or is not known; `free_gb` the
    room in its vault.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[CbrError, ...] = ()
    destination_project_id: str | None = None
    size_gb: float | None = None
    free_gb: float | None = None


class _Place(Struct, frozen=True):
    """What a copy is to go to; None where that was not asked for."""

    project_id: str | CbrError | None = None
    vault: Vault | CbrError | None = None


async def run_preflight(
    api: Api, question: Question, find_project: Callable[[str], Awaitable[str]]
) -> Verdict:
    """Ask the API whether it will accept the replication; checks of unknown inputs are left out.

    Args:
        find_project: returns the id of a region's project.
    """
    (verdict,) = await run_preflights(api, [question], find_project)
    return verdict


async def run_preflights(
    api: Api, questions: Sequence[Question], find_project: Callable[[str], Awaitable[str]]
) -> list[Verdict]:
    """Ask the same of several replications that differ in their backup alone.

    What they have in common is asked once, and all requests run at the same time. The source comes
    first. The destination is asked beside it if its region is known to exist.

    Args:
        questions: at least one.
    """
    common = questions[0]
    region = common.destination_region
    backups, destinations, place = await asyncio.gather(
        asyncio.gather(*(or_error(_find_backup(api, question)) for question in questions)),
        or_error(find_destinations(api, common.source)),
        _see_place_early(api, common, find_project),
    )
    at_source = [
        Verdict(
            findings=tuple(_check_source(question, backup, destinations)),
            faults=faults_of(backup, destinations),
        )
        for question, backup in zip(questions, backups, strict=True)
    ]
    is_pair = not any(finding.field == "destination_region" for finding in at_source[0].findings)
    if region is None or not is_pair:
        # Nothing is asked of a region that CBR does not copy to: it need not even exist.
        return at_source
    if place is None:
        place = await _see_place(api, common, find_project)
    if isinstance(place.project_id, ConfigurationError):
        finding = Finding("destination_region", str(place.project_id))
        return [replace(each, findings=(*each.findings, finding)) for each in at_source]
    if isinstance(place.project_id, CbrError):
        fault = place.project_id
        return [replace(each, faults=(*each.faults, fault)) for each in at_source]
    return await _judge_at(api, place.project_id, place.vault, questions, backups, at_source)


async def _judge_at(
    api: Api,
    project_id: str | None,
    vault: Vault | CbrError | None,
    questions: Sequence[Question],
    backups: Sequence[Backup | CbrError | None],
    at_source: Sequence[Verdict],
) -> list[Verdict]:
    """Return the verdicts, now that the destination is known."""
    complete = [replace(question, destination_project_id=project_id) for question in questions]
    found = [backup if isinstance(backup, Backup) else None for backup in backups]
    standings = await _check_conflicts(api, complete, found)
    verdicts = []
    for question, backup, before, standing in zip(
        complete, found, at_source, standings, strict=True
    ):
        at_destination = _check_destination(question, backup, vault, standing)
        verdicts.append(
            replace(
                at_destination,
                findings=(*before.findings, *at_destination.findings),
                faults=(*before.faults, *at_destination.faults),
                destination_project_id=project_id,
            )
        )
    return verdicts


def _check_source(
    question: Question, backup: Backup | CbrError | None, destinations: frozenset[str] | CbrError
) -> list[Finding]:
    findings: list[Finding] = []
    if isinstance(backup, Backup):
        findings += check_backup(backup)
    if isinstance(backup, NotFoundError):
        findings.append(
            Finding(
                "backup_id",
                f"backup ({question.backup_id}) does not exist in {question.source}; it may have "
                "expired: give another backup_id, or check source_region and source_project_id",
            )
        )
    if question.destination_region is not None and isinstance(destinations, frozenset):
        findings += check_region_pair(
            question.source.region, question.destination_region, destinations
        )
    return findings


def _check_destination(
    question: Question,
    backup: Backup | None,
    vault: Vault | CbrError | None,
    standing: Verdict,
) -> Verdict:
    findings = list(standing.findings)
    if isinstance(vault, NotFoundError):
        findings.append(missing_vault(question))
    is_adopted = bool(standing.notes)
    if isinstance(vault, Vault) and not is_adopted:
        # A replica that is there already needs no room.
        findings += check_vault(vault, backup)
    return Verdict(
        findings=tuple(findings),
        notes=standing.notes,
        faults=(*faults_of(vault), *standing.faults),
        size_gb=None if is_adopted or backup is None else backup.resource_size,
        free_gb=vault.free_gb if isinstance(vault, Vault) else None,
    )


def missing_vault(aim: Aim) -> Finding:
    """Return what is wrong where the destination vault does not exist."""
    reason = (
        f"vault ({aim.destination_vault_id}) does not exist in {aim.destination}; "
        "check destination_vault_id, destination_region and destination_project_id"
    )
    return Finding("destination_vault_id", reason)


def faults_of(*found: object) -> tuple[CbrError, ...]:
    """Return the calls that failed for another reason than that the thing does not exist."""
    return tuple(
        error
        for error in found
        if isinstance(error, CbrError) and not isinstance(error, NotFoundError)
    )


async def or_error(call: Awaitable[Found]) -> Found | CbrError:
    """Return what a call returns, or the error in which it ended."""
    try:
        return await call
    except CbrError as error:
        return error


async def _find_backup(api: Api, question: Question) -> Backup | None:
    if question.backup_id is None:
        return None
    return await find_backup(api, question.source, question.backup_id)


async def _see_place_early(
    api: Api, aim: Aim, find_project: Callable[[str], Awaitable[str]]
) -> _Place | None:
    """Look at the destination beside the source, where that region is known to exist."""
    region = aim.destination_region
    if region is None or not api.settings.is_known_region(region):
        return None
    return await _see_place(api, aim, find_project)


async def _see_place(api: Api, aim: Aim, find_project: Callable[[str], Awaitable[str]]) -> _Place:
    region, project_id = aim.destination_region, aim.destination_project_id
    if region is not None and aim.is_project_wanted:
        found = await or_error(find_project(region))
        if isinstance(found, CbrError):
            return _Place(found)
        project_id = found
    here = replace(aim, destination_project_id=project_id)
    return _Place(project_id, await or_error(find_destination_vault(api, here)))


async def find_destination_vault(api: Api, aim: Aim) -> Vault | None:
    """Return the destination vault, None while it is not known which that is.

    Raises:
        NotFoundError: there is none of that id in the project.
    """
    if aim.destination is None or aim.destination_vault_id is None:
        return None
    return await find_vault(api, aim.destination, aim.destination_vault_id)


async def _check_conflicts(
    api: Api, questions: Sequence[Question], backups: Sequence[Backup | None]
) -> list[Verdict]:
    """Say of each what was copied before; most were not, and nothing is asked about them."""
    asked = {
        number: _check_conflict(api, question.desired, question.own_record_ids, backup)
        for number, (question, backup) in enumerate(zip(questions, backups, strict=True))
        if question.desired is not None
        and backup is not None
        and records_for_region(backup, question.desired.destination.region)
    }
    verdicts = dict(zip(asked, await asyncio.gather(*asked.values()), strict=True))
    return [verdicts.get(number, Verdict()) for number in range(len(questions))]


async def _check_conflict(
    api: Api, desired: DesiredReplication, own_record_ids: frozenset[str], backup: Backup
) -> Verdict:
    attempts = await or_error(observe_attempts(api, desired, backup))
    if isinstance(attempts, CbrError):
        return Verdict(faults=(attempts,))
    foreign: list[Attempt] = [
        attempt for attempt in attempts if attempt.record.id not in own_record_ids
    ]
    decision = decide_create(desired, foreign)
    if isinstance(decision, Refuse):
        return Verdict(findings=(Finding(decision.field, f"{decision.reason}; {decision.remedy}"),))
    if isinstance(decision, Adopt):
        record = decision.attempt.record
        note = (
            f"replication record ({record.id}) with status {record.status!r} will be adopted: "
            "nothing will be copied"
        )
        return Verdict(notes=(note,))
    return Verdict()
