"""Preflight of a whole vault's copy against the API: asked for at once, read-only."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_destinations, find_vault
from pulumi_huaweicloud_cbr.api.wire.answers import Vault
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.preflight.backup import (
    Aim,
    faults_of,
    find_destination_vault,
    missing_vault,
    or_error,
)
from pulumi_huaweicloud_cbr.replication.rules.fitness import (
    VAULT_OBJECT_TYPES,
    Finding,
    check_region_pair,
    check_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredVaultReplication
from pulumi_huaweicloud_cbr.replication.vault import VaultView, check_view, look_at_vault


class VaultQuestion(Aim, frozen=True, kw_only=True):
    """The copy of a whole vault to be judged."""

    vault_id: str | None

    @property
    def desired(self) -> DesiredVaultReplication | None:
        """Return the whole copy, None while a part of it is not known."""
        destination = self.destination
        if destination is None or self.vault_id is None or self.destination_vault_id is None:
            return None
        return DesiredVaultReplication(
            vault_id=self.vault_id,
            source=self.source,
            destination=destination,
            destination_vault_id=self.destination_vault_id,
            adopt=self.adopt,
        )


class VaultVerdict(Struct, frozen=True):
    """What preflight found; `view` is None where the backups were not looked at."""

    findings: tuple[Finding, ...] = ()
    faults: tuple[CbrError, ...] = ()
    destination_project_id: str | None = None
    view: VaultView | None = None


async def run_vault_preflight(
    api: Api,
    question: VaultQuestion,
    find_project: Callable[[str], Awaitable[str]],
    report: Reporter,
) -> VaultVerdict:
    """Ask the API whether it will accept a vault's copy; what needs unknown inputs is left out.

    Args:
        find_project: returns the id of a region's project.
    """
    vault, destinations, project_id = await asyncio.gather(
        or_error(_find_source_vault(api, question)),
        or_error(find_destinations(api, question.source)),
        or_error(_find_project_early(api, question, find_project)),
    )
    findings = _check_source(question, vault)
    region = question.destination_region
    if region is not None and isinstance(destinations, frozenset):
        findings += check_region_pair(question.source.region, region, destinations)
    verdict = VaultVerdict(tuple(findings), faults_of(vault, destinations))
    is_pair = not any(finding.field == "destination_region" for finding in findings)
    if region is None or not is_pair:
        return verdict
    if question.is_project_wanted:
        if project_id is None:
            project_id = await or_error(find_project(region))
        if isinstance(project_id, ConfigurationError):
            finding = Finding("destination_region", str(project_id))
            return replace(verdict, findings=(*verdict.findings, finding))
        if isinstance(project_id, CbrError):
            return replace(verdict, faults=(*verdict.faults, project_id))
        question = replace(question, destination_project_id=project_id)
    source_vault = vault if isinstance(vault, Vault) else None
    at_destination = await _check_destination(api, question, source_vault, report)
    return replace(
        at_destination,
        findings=(*verdict.findings, *at_destination.findings),
        faults=(*verdict.faults, *at_destination.faults),
        destination_project_id=question.destination_project_id,
    )


async def _find_project_early(
    api: Api, question: VaultQuestion, find_project: Callable[[str], Awaitable[str]]
) -> str | None:
    """Look the destination's project up beside the source, where that region is known to exist."""
    region = question.destination_region
    if region is None or not question.is_project_wanted:
        return None
    return await find_project(region) if api.settings.is_known_region(region) else None


async def _find_source_vault(api: Api, question: VaultQuestion) -> Vault | None:
    if question.vault_id is None:
        return None
    return await find_vault(api, question.source, question.vault_id)


def _check_source(question: VaultQuestion, vault: Vault | CbrError | None) -> list[Finding]:
    if isinstance(vault, NotFoundError):
        reason = (
            f"vault ({question.vault_id}) does not exist in {question.source}; check vault_id, "
            "source_region and source_project_id"
        )
        return [Finding("vault_id", reason)]
    return check_source_vault(vault) if isinstance(vault, Vault) else []


def check_source_vault(vault: Vault) -> list[Finding]:
    """Find what makes a vault unfit to be copied as a whole (error code 6128)."""
    billing = vault.billing
    if billing.protect_type == "replication":
        reason = (
            f"vault ({vault.id}) holds replicas, which cannot be copied again; "
            "give the vault of the original backups"
        )
    elif billing.object_type not in (None, *VAULT_OBJECT_TYPES.values()):
        reason = (
            f"vault ({vault.id}) holds object type {billing.object_type!r}, which cannot be "
            "copied; choose a vault of servers or of SFS Turbo file systems"
        )
    else:
        return []
    return [Finding("vault_id", reason)]


async def _check_destination(
    api: Api, question: VaultQuestion, source_vault: Vault | None, report: Reporter
) -> VaultVerdict:
    vault, view = await asyncio.gather(
        or_error(find_destination_vault(api, question)),
        or_error(_look(api, question, source_vault, report)),
    )
    seen = view if isinstance(view, VaultView) else None
    findings = []
    if isinstance(vault, NotFoundError):
        findings.append(missing_vault(question))
    if isinstance(vault, Vault):
        findings += check_destination_vault(vault, source_vault, seen)
    desired = question.desired
    if seen is not None and desired is not None:
        findings += check_view(seen, desired)
    return VaultVerdict(tuple(findings), faults_of(vault, view), view=seen)


async def _look(
    api: Api, question: VaultQuestion, source_vault: Vault | None, report: Reporter
) -> VaultView | None:
    desired = question.desired
    if desired is None or source_vault is None:
        return None
    return await look_at_vault(api, desired, {}, report, question.own_record_ids)


def check_destination_vault(
    vault: Vault, source_vault: Vault | None, view: VaultView | None
) -> list[Finding]:
    """Find what makes a destination vault unfit to take all that is to come."""
    due = list(view.due.values()) if view is not None else []
    # Where nothing is to come, a full vault is no fault.
    is_room_needed = view is None or bool(due)
    findings = check_vault(vault if is_room_needed else _without_room(vault), None)
    kind, wanted = vault.billing.object_type, source_vault and source_vault.billing.object_type
    if kind is not None and wanted is not None and kind != wanted:
        reason = (
            f"vault ({vault.id}) holds object type {kind!r}, want {wanted!r} as the source vault; "
            "give a vault of that type"
        )
        findings.append(Finding("destination_vault_id", reason))
    free_gb = vault.free_gb
    needed_gb = sum(backup.resource_size or 0 for backup in due)
    if free_gb is not None and 0 < free_gb < needed_gb:
        # What a replica occupies is less than the size of its resource when blocks are unused.
        reason = (
            f"vault ({vault.id}) has {free_gb:.1f} GB free, and the resources of the backups to "
            f"copy have {needed_gb} GB; enlarge the vault or free room in it"
        )
        findings.append(Finding("destination_vault_id", reason, is_certain=False))
    return findings


def _without_room(vault: Vault) -> Vault:
    return replace(vault, billing=replace(vault.billing, used=None))
