"""Preflight against the API: what `preflight` needs to know, asked for at once, read-only.

Runs in previews, so nothing here may write, and a fault of one call hides nothing that the
others found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from pulumi_huaweicloud_cbr.client import CbrClient
from pulumi_huaweicloud_cbr.decisions import (
    Adopt,
    Attempt,
    Refuse,
    decide_create,
)
from pulumi_huaweicloud_cbr.errors import CbrError, NotFoundError
from pulumi_huaweicloud_cbr.finders import find_backup, find_destinations, find_vault
from pulumi_huaweicloud_cbr.lifecycle import observe_attempts
from pulumi_huaweicloud_cbr.models import Backup, DesiredReplication, ProjectScope, Vault
from pulumi_huaweicloud_cbr.preflight import (
    Finding,
    check_backup,
    check_region_pair,
    check_vault,
)

Found = TypeVar("Found")


@dataclass(frozen=True)
class Question:
    """The replication to be judged, as far as its inputs are known.

    `own_record_id` is the record of the replica that this one is about to replace, which
    therefore does not stand in its way.
    """

    source: ProjectScope
    destination_region: str | None
    backup_id: str | None = None
    destination_project_id: str | None = None
    destination_vault_id: str | None = None
    adopt: bool = True
    own_record_ids: frozenset[str] = frozenset()

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


@dataclass(frozen=True)
class Verdict:
    """What preflight found: reasons for a refusal, news for the user, calls that failed."""

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    faults: tuple[CbrError, ...] = ()


async def run_preflight(api: CbrClient, question: Question) -> Verdict:
    """Ask the API whether it will accept the replication; checks of unknown inputs are left out."""
    backup, vault, destinations = await asyncio.gather(
        _attempt(_find_backup(api, question)),
        _attempt(_find_vault(api, question)),
        _attempt(find_destinations(api, question.source)),
    )
    findings: list[Finding] = []
    if question.destination_region is not None and isinstance(destinations, frozenset):
        findings += check_region_pair(
            question.source.region, question.destination_region, destinations
        )
    if isinstance(backup, NotFoundError):
        findings.append(
            Finding(
                "backup_id",
                f"backup ({question.backup_id}) does not exist in {question.source}; it may have "
                "expired: give another backup_id, or check source_region and source_project_id",
            )
        )
    if isinstance(vault, NotFoundError):
        findings.append(
            Finding(
                "destination_vault_id",
                f"vault ({question.destination_vault_id}) does not exist in "
                f"{question.destination}; check destination_vault_id, destination_region and "
                "destination_project_id",
            )
        )
    known_backup = backup if isinstance(backup, Backup) else None
    standing = Verdict()
    if known_backup is not None:
        findings += check_backup(known_backup)
        standing = await _check_conflict(api, question, known_backup)
    is_adopted = bool(standing.notes)
    if isinstance(vault, Vault) and not is_adopted:
        # A replica that is there already needs no room.
        findings += check_vault(vault, known_backup)
    faults = tuple(
        found
        for found in (backup, vault, destinations)
        if isinstance(found, CbrError) and not isinstance(found, NotFoundError)
    )
    return Verdict(
        findings=(*findings, *standing.findings),
        notes=standing.notes,
        faults=(*faults, *standing.faults),
    )


async def _attempt(call: Awaitable[Found]) -> Found | CbrError:
    try:
        return await call
    except CbrError as error:
        return error


async def _find_backup(api: CbrClient, question: Question) -> Backup | None:
    if question.backup_id is None:
        return None
    return await find_backup(api, question.source, question.backup_id)


async def _find_vault(api: CbrClient, question: Question) -> Vault | None:
    if question.destination is None or question.destination_vault_id is None:
        return None
    return await find_vault(api, question.destination, question.destination_vault_id)


async def _check_conflict(api: CbrClient, question: Question, backup: Backup) -> Verdict:
    desired = question.desired
    if desired is None:
        return Verdict()
    attempts = await _attempt(observe_attempts(api, desired, backup))
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
