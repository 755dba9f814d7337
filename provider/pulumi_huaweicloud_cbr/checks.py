"""Preflight against the API: what `preflight` needs to know, asked for at once, read-only.

Runs in previews, so nothing here may write, and a fault of one call hides nothing that the
others found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.client import CbrClient
from pulumi_huaweicloud_cbr.decisions import (
    Adopt,
    Attempt,
    Refuse,
    decide_create,
)
from pulumi_huaweicloud_cbr.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.finders import find_backup, find_destinations, find_vault
from pulumi_huaweicloud_cbr.lifecycle import observe_attempts
from pulumi_huaweicloud_cbr.models import DesiredReplication, ProjectScope
from pulumi_huaweicloud_cbr.preflight import (
    Finding,
    check_backup,
    check_region_pair,
    check_vault,
)
from pulumi_huaweicloud_cbr.wire import Backup, Vault

Found = TypeVar("Found")


class Question(Struct, frozen=True):
    """The replication to be judged, as far as its inputs are known.

    A `destination_project_id` that is None is looked up, unless `is_project_unknown` says that it
    is given, but only known later.
    `own_record_ids` are the records of replicas that are about to be replaced, which
    therefore do not stand in the way.
    """

    source: ProjectScope
    destination_region: str | None
    backup_id: str | None = None
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


async def run_preflight(
    api: CbrClient, question: Question, find_project: Callable[[str], Awaitable[str]]
) -> Verdict:
    """Ask the API whether it will accept the replication; checks of unknown inputs are left out.

    Args:
        find_project: returns the id of a region's project.
    """
    backup, destinations, project_id = await asyncio.gather(
        or_error(_find_backup(api, question)),
        or_error(find_destinations(api, question.source)),
        or_error(_find_project_early(api, question, find_project)),
    )
    at_source = Verdict(
        findings=tuple(_check_source(question, backup, destinations)),
        faults=faults_of(backup, destinations),
    )
    is_pair = not any(finding.field == "destination_region" for finding in at_source.findings)
    if not is_pair or question.destination_region is None:
        # Nothing is asked of a region that CBR does not copy to: it need not even exist.
        return at_source
    if question.is_project_wanted:
        if project_id is None:
            project_id = await or_error(find_project(question.destination_region))
        if isinstance(project_id, ConfigurationError):
            finding = Finding("destination_region", str(project_id))
            return replace(at_source, findings=(*at_source.findings, finding))
        if isinstance(project_id, CbrError):
            return replace(at_source, faults=(*at_source.faults, project_id))
        question = replace(question, destination_project_id=project_id)
    known_backup = backup if isinstance(backup, Backup) else None
    at_destination = await _check_destination(api, question, known_backup)
    return Verdict(
        findings=(*at_source.findings, *at_destination.findings),
        notes=at_destination.notes,
        faults=(*at_source.faults, *at_destination.faults),
        destination_project_id=question.destination_project_id,
        size_gb=at_destination.size_gb,
        free_gb=at_destination.free_gb,
    )


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


async def _check_destination(api: CbrClient, question: Question, backup: Backup | None) -> Verdict:
    vault, standing = await asyncio.gather(
        or_error(_find_vault(api, question)), _check_conflict(api, question, backup)
    )
    findings = list(standing.findings)
    if isinstance(vault, NotFoundError):
        findings.append(
            Finding(
                "destination_vault_id",
                f"vault ({question.destination_vault_id}) does not exist in "
                f"{question.destination}; check destination_vault_id, destination_region and "
                "destination_project_id",
            )
        )
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


async def _find_backup(api: CbrClient, question: Question) -> Backup | None:
    if question.backup_id is None:
        return None
    return await find_backup(api, question.source, question.backup_id)


async def _find_project_early(
    api: CbrClient, question: Question, find_project: Callable[[str], Awaitable[str]]
) -> str | None:
    """Look the destination's project up beside the source, where that region is known to exist."""
    region = question.destination_region
    if region is None or not question.is_project_wanted:
        return None
    return await find_project(region) if api.settings.is_known_region(region) else None


async def _find_vault(api: CbrClient, question: Question) -> Vault | None:
    if question.destination is None or question.destination_vault_id is None:
        return None
    return await find_vault(api, question.destination, question.destination_vault_id)


async def _check_conflict(api: CbrClient, question: Question, backup: Backup | None) -> Verdict:
    desired = question.desired
    if desired is None or backup is None:
        return Verdict()
    attempts = await or_error(observe_attempts(api, desired, backup))
    if isinstance(attempts, CbrError):
        return Verdict(faults=(attempts,))
    foreign: list[Attempt] = [
        attempt for attempt in attempts if attempt.record.id not in question.own_record_ids
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
