"""Preflight of an entire vault: queries both vaults and the state of all its backups.

Read-only, since it also runs in previews.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_vault
from pulumi_huaweicloud_cbr.api.wire.answers import Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, NotFoundError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.preflight.flow import (
    Aim,
    FindProject,
    Sides,
    faults_of,
    find_destination_vault,
    look_at_both_sides,
    missing_vault,
    or_error,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.fitness import (
    COPIED_OBJECT_TYPES,
    UNCERTAIN_OBJECT_TYPES,
    check_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredVaultReplication
from pulumi_huaweicloud_cbr.replication.vault import VaultView, check_view, look_at_vault

_Answer = Vault | CbrError | None


class VaultVerdict(Struct, frozen=True):
    """The result of preflight; `view` is None if the backups were not queried.

    `resolved` are the ids of known projects, by the names of their inputs. `vault` is the
    destination vault, None if it was not found.
    """

    findings: tuple[Finding, ...] = ()
    faults: tuple[CbrError, ...] = ()
    resolved: Mapping[str, str] = MappingProxyType({})
    view: VaultView | None = None
    vault: Vault | None = None


async def run_vault_preflight(
    api: Api, aim: Aim, vault_id: str | None, find_project: FindProject, report: Reporter
) -> VaultVerdict:
    """Check whether the API will accept a vault's copy; unknown inputs are not checked."""

    def look_at_source(source: ProjectScope) -> Awaitable[_Answer]:
        return or_error(_find_source_vault(api, source, vault_id))

    # The destination vault is queried in parallel with the backups, which takes no longer.
    sides = await look_at_both_sides(api, aim, find_project, look_at_source, with_vault=False)
    source_vault = sides.seen if isinstance(sides.seen, Vault) else None
    desired = _desired(aim, sides, source_vault, vault_id)
    vault, view = await asyncio.gather(
        or_error(find_destination_vault(api, sides.destination, aim.destination_vault_id)),
        or_error(_look(api, desired, aim.own_record_ids, report)),
    )
    seen = view if isinstance(view, VaultView) else None
    findings = check_source_vault(source_vault) if source_vault else []
    if isinstance(sides.seen, NotFoundError):
        findings.append(missing_source_vault(sides.source, vault_id))
    findings += sides.findings
    if isinstance(vault, NotFoundError):
        findings.append(missing_vault(aim, sides.destination))
    if isinstance(vault, Vault):
        findings += check_destination_vault(vault, source_vault, seen)
    if seen is not None and desired is not None:
        findings += check_view(seen, desired)
    return VaultVerdict(
        findings=tuple(findings),
        faults=(*faults_of(sides.seen), *sides.faults, *faults_of(vault, view)),
        resolved=sides.resolved,
        view=seen,
        vault=vault if isinstance(vault, Vault) else None,
    )


async def _find_source_vault(api: Api, source: ProjectScope, vault_id: str | None) -> Vault | None:
    return None if vault_id is None else await find_vault(api, source, vault_id)


def _desired(
    aim: Aim, sides: Sides[_Answer], source_vault: Vault | None, vault_id: str | None
) -> DesiredVaultReplication | None:
    """Return the copy to check, None while a part of it is not known."""
    source, destination, into = sides.source, sides.destination, aim.destination_vault_id
    if not (source_vault and vault_id and source and destination and into):
        return None
    return DesiredVaultReplication(
        vault_id=vault_id,
        source=source,
        destination=destination,
        destination_vault_id=into,
        adopt=aim.adopt,
        identity=aim.identity,
    )


async def _look(
    api: Api,
    desired: DesiredVaultReplication | None,
    own_record_ids: frozenset[str],
    report: Reporter,
) -> VaultView | None:
    if desired is None:
        return None
    return await look_at_vault(api, desired, {}, report, own_record_ids)


def missing_source_vault(source: ProjectScope | None, vault_id: str | None) -> Finding:
    """Return the finding for a source vault that does not exist."""
    reason = (
        f"vault ({vault_id}) does not exist in {source}; check vault_id, "
        "source_region and source_project_id"
    )
    return Finding("vault_id", reason)


def check_source_vault(vault: Vault) -> list[Finding]:
    """Return the reasons why a vault cannot be copied as a whole (error code 6128)."""
    billing = vault.billing
    if billing.protect_type == "replication":
        reason = (
            f"vault ({vault.id}) holds replicas, which cannot be copied again; "
            "give the vault of the original backups"
        )
    elif billing.object_type in UNCERTAIN_OBJECT_TYPES:
        reason = (
            f"vault ({vault.id}) holds object type {billing.object_type!r}, of which it is not "
            "certain that CBR copies it as a whole"
        )
        return [Finding("vault_id", reason, is_certain=False)]
    elif billing.object_type not in (None, *COPIED_OBJECT_TYPES):
        reason = (
            f"vault ({vault.id}) holds object type {billing.object_type!r}, which cannot be "
            "copied; choose a vault of servers or of SFS Turbo file systems"
        )
    else:
        return []
    return [Finding("vault_id", reason)]


def check_destination_vault(
    vault: Vault, source_vault: Vault | None, view: VaultView | None
) -> list[Finding]:
    """Return the reasons why a destination vault cannot take all backups that are due."""
    due = list(view.due.values()) if view is not None else []
    asked = vault
    is_written = view is None or bool(due)
    if view is not None and view.held and not is_written:
        # Nothing will be written: a frozen vault is no fault for an adoption.
        asked = replace(vault, billing=replace(vault.billing, status=None))
    other_kind: list[Finding] = []
    kind, wanted = vault.billing.object_type, source_vault and source_vault.billing.object_type
    if kind is not None and wanted is not None and kind != wanted:
        reason = (
            f"vault ({vault.id}) holds object type {kind!r}, want {wanted!r} as the source vault; "
            "give a vault of that type"
        )
        other_kind.append(Finding("destination_vault_id", reason))
    free_gb = vault.free_gb
    is_room_needed = is_written and not (other_kind and free_gb is None)
    findings = [*check_vault(asked, None, is_room_needed=is_room_needed), *other_kind]
    needed_gb = sum(backup.resource_size or 0 for backup in due)
    if free_gb is not None and 0 < free_gb < needed_gb:
        # A replica needs less room than the size of its resource if blocks are unused.
        reason = (
            f"vault ({vault.id}) has {free_gb:.1f} GB free, and the resources of the backups to "
            f"copy have {needed_gb} GB; enlarge the vault or free room in it"
        )
        findings.append(Finding("destination_vault_id", reason, is_certain=False))
    return findings
