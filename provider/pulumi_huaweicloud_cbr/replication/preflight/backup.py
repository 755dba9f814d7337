"""Preflight of single backups, one or many: queries what the rules in `fitness` need.

Read-only, since it also runs in previews.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from types import MappingProxyType

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backup, records_for_place
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, NotFoundError
from pulumi_huaweicloud_cbr.replication.observe import observe_attempts
from pulumi_huaweicloud_cbr.replication.preflight.flow import (
    Aim,
    FindProject,
    Sides,
    faults_of,
    look_at_both_sides,
    missing_vault,
    or_error,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    Adopt,
    Attempt,
    Refuse,
    consequence,
    decide_create,
    doubled,
    told_of_doubles,
)
from pulumi_huaweicloud_cbr.replication.rules.facts import (
    Fact,
    adoption_fact,
    copy_fact,
    vault_facts,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.fitness import (
    check_backup,
    check_records,
    check_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import Maker

_Answers = Sequence[Backup | CbrError | None]


class Verdict(Struct, frozen=True):
    """The result of preflight: reasons for a refusal, notes for the user, calls that failed.

    `maker` made a copy that will be adopted, None if none will be. `owner` is the one that its mark
    names. `resolved` are the ids of known projects, by the names of their inputs. `backup` and
    `vault` are what was found, None if they were not.
    """

    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    maker: Maker | None = None
    owner: str | None = None
    faults: tuple[CbrError, ...] = ()
    resolved: Mapping[str, str] = MappingProxyType({})
    backup: Backup | None = None
    vault: Vault | None = None

    @property
    def is_adopted(self) -> bool:
        """Whether an existing copy will be adopted, so that nothing is copied."""
        return bool(self.notes)

    @property
    def size_gb(self) -> float | None:
        """Return the room that the copy may need, None if it needs none or that is not known."""
        return None if self.is_adopted or self.backup is None else self.backup.resource_size

    @property
    def free_gb(self) -> float | None:
        """Return the free room of the vault, None if it is not known."""
        return None if self.vault is None else self.vault.free_gb


def facts_of(labels: Iterable[str | None], verdicts: Iterable[Verdict]) -> list[Fact]:
    """Return what was found out about the copies of a resource, which share a destination."""
    pairs = list(zip(labels, verdicts, strict=True))
    facts = vault_facts(next((verdict.vault for _, verdict in pairs if verdict.vault), None))
    for label, verdict in pairs:
        if verdict.backup is None:
            continue
        if verdict.is_adopted:
            facts.append(adoption_fact(label, verdict.backup.id, verdict.maker, verdict.owner))
        else:
            facts.append(copy_fact(label, verdict.backup))
    return facts


async def run_preflight(
    api: Api, aim: Aim, backup_id: str | None, find_project: FindProject
) -> Verdict:
    """Check whether the API will accept the replication; unknown inputs are not checked."""
    (verdict,) = await run_preflights(api, aim, [backup_id], find_project)
    return verdict


async def run_preflights(
    api: Api, aim: Aim, backup_ids: Sequence[str | None], find_project: FindProject
) -> list[Verdict]:
    """Check several backups for one destination; common facts are queried once."""

    def look_at_source(source: ProjectScope) -> Awaitable[_Answers]:
        return asyncio.gather(*(or_error(_find_backup(api, source, id_)) for id_ in backup_ids))

    sides = await look_at_both_sides(api, aim, find_project, look_at_source, with_vault=True)
    backups = sides.seen or [None] * len(backup_ids)
    standings = await _check_conflicts(api, aim, sides, backup_ids, backups)
    return [_judge(aim, sides, *each) for each in zip(backup_ids, backups, standings, strict=True)]


async def _find_backup(api: Api, source: ProjectScope, backup_id: str | None) -> Backup | None:
    return None if backup_id is None else await find_backup(api, source, backup_id)


def _judge(
    aim: Aim,
    sides: Sides[_Answers],
    backup_id: str | None,
    backup: Backup | CbrError | None,
    standing: Verdict,
) -> Verdict:
    """Return the verdict on one backup, after all queries.

    Args:
        standing: the verdict on earlier copies.
    """
    found = backup if isinstance(backup, Backup) else None
    findings = [*check_backup(found), *check_records(found)] if found else []
    if isinstance(backup, NotFoundError):
        findings.append(missing_backup(sides.source, backup_id))
    findings += [*sides.findings, *standing.findings]
    if isinstance(sides.vault, NotFoundError):
        findings.append(missing_vault(aim, sides.destination))
    vault = sides.vault if isinstance(sides.vault, Vault) else None
    if vault and not standing.is_adopted:
        # An existing replica needs no room.
        findings += check_vault(vault, found)
    return Verdict(
        findings=tuple(findings),
        notes=standing.notes,
        maker=standing.maker,
        owner=standing.owner,
        faults=(*faults_of(backup), *sides.faults, *faults_of(sides.vault), *standing.faults),
        resolved=sides.resolved,
        backup=found,
        vault=vault,
    )


def missing_backup(source: ProjectScope | None, backup_id: str | None) -> Finding:
    """Return the finding for a backup that does not exist."""
    return Finding(
        "backup_id",
        f"backup ({backup_id}) does not exist in {source}; it may have "
        "expired: give another backup_id, or check source_region and source_project_id",
    )


async def _check_conflicts(
    api: Api,
    aim: Aim,
    sides: Sides[_Answers],
    backup_ids: Sequence[str | None],
    backups: _Answers,
) -> list[Verdict]:
    """Return a verdict on earlier copies of each backup; without a record it takes no request."""
    standings = [Verdict() for _ in backups]
    source, destination, vault_id = sides.source, sides.destination, aim.destination_vault_id
    if source is None or destination is None or vault_id is None:
        return standings
    asked = {
        number: _check_conflict(
            api,
            DesiredReplication(
                backup_id=backup_id,
                source=source,
                destination=destination,
                destination_vault_id=vault_id,
                adopt=aim.adopt,
                identity=aim.identity,
            ),
            aim.own_record_ids,
            backup,
        )
        for number, (backup_id, backup) in enumerate(zip(backup_ids, backups, strict=True))
        if backup_id is not None
        and isinstance(backup, Backup)
        and records_for_place(backup, destination, vault_id)
    }
    for number, standing in zip(asked, await asyncio.gather(*asked.values()), strict=True):
        standings[number] = standing
    return standings


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
    doubles: tuple[Finding, ...] = ()
    if live := doubled(foreign):
        named = [str(attempt) for attempt in live]
        reason = told_of_doubles(desired.backup_id, desired.destination.region, named)
        doubles = (Finding("backup_id", reason, is_certain=False),)
    if isinstance(decision, Refuse):
        refusal = Finding(decision.field, f"{decision.reason}; {decision.remedy}")
        return Verdict(findings=(refusal, *doubles))
    if isinstance(decision, Adopt):
        record = decision.attempt.record
        maker = decision.attempt.maker(desired.identity.names)
        note = (
            f"replication record ({record.id}) with status {record.status!r} will be adopted: "
            f"nothing will be copied{consequence(maker, decision.attempt.owner)}"
        )
        return Verdict(findings=doubles, notes=(note,), maker=maker, owner=decision.attempt.owner)
    return Verdict()
