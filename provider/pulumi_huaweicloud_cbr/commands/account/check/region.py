"""Examine one region for `check`: its project, permissions, destinations and vaults. Reads only.

After a fault, only calls that would fail in the same way are skipped.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import (
    find_backups,
    find_destinations,
    find_project,
    find_replication_vaults,
)
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Project, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.commands.account.check import refusals
from pulumi_huaweicloud_cbr.commands.account.check.refusals import (
    ENDPOINT,
    OF_THE_WHOLE_REGION,
    PROJECT,
    SIGN_IN,
    remark_on,
)
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    GRANTED,
    MISSING,
    UNKNOWN,
    Account,
    RegionLook,
    Remark,
    VaultLook,
)
from pulumi_huaweicloud_cbr.replication.preflight.flow import or_error
from pulumi_huaweicloud_cbr.replication.rules.fitness import check_region_pair, check_vault

Found = TypeVar("Found")

MAKE_A_VAULT = "create one there, for the kind of resource that the backups are of"


async def see_source(
    api: Api, account: Account, look: RegionLook, *, is_listing: bool = False
) -> tuple[Backup, ...] | None:
    """Examine the region of the backups, and find the regions that CBR copies them to.

    Args:
        is_listing: read all backups, not only one to see whether that is permitted.
    Returns:
        The backups with `is_listing`, the newest first; None if they cannot be read.
    """
    scope = await _enter(api, account, look)
    if scope is None:
        return None
    found = await _try(look, refusals.QUERY_CAPABILITY, lambda: find_destinations(api, scope))
    if found is not None:
        look.destinations = tuple(sorted(found))
    listed = await _try_backups(api, look, scope, "backup", is_listing=is_listing)
    await _try(
        look,
        refusals.LIST_TASKS,
        lambda: api.list_tasks(scope, limit=1, operation_type="replication"),
    )
    if look.destinations == ():
        look.add(
            Remark(
                "destinations",
                f"CBR copies from region {look.region!r} to no other",
                "choose another source region, or ask the vendor's support",
            )
        )
    return listed


async def see_destination(api: Api, account: Account, look: RegionLook) -> None:
    """Examine a region to copy to, and its vaults; the source was examined before."""
    source = account.source
    if source and source.destinations is not None:
        pair = check_region_pair(source.region, look.region, frozenset(source.destinations))
        if pair:
            # Send nothing to a region that CBR does not copy to: it may not even exist.
            look.unseen_because = "CBR does not copy there"
            look.remarks += [Remark("destinations", finding.reason) for finding in pair]
            return
    if source and _is_refused_everywhere(api, source):
        look.unseen_because = f"the credentials were refused in {source.region}"
        return
    scope = await _enter(api, account, look)
    if scope is None:
        return
    vaults = await _try(look, refusals.LIST_VAULTS, lambda: find_replication_vaults(api, scope))
    if vaults is not None:
        look.vaults = tuple(_vault_look(vault) for vault in vaults)
    if vaults:
        first_id = vaults[0].id
        await _try(look, refusals.GET_VAULT, lambda: api.get_vault(scope, first_id))
    await _try_backups(api, look, scope, "replication")
    _judge_vaults(look)


async def _try_backups(
    api: Api, look: RegionLook, scope: ProjectScope, image_type: str, *, is_listing: bool = False
) -> tuple[Backup, ...] | None:
    """Read one backup, if there is one: that shows whether the user may read backups."""

    def ask() -> Awaitable[tuple[Backup, ...]]:
        if is_listing:
            return find_backups(api, scope, image_type=image_type, sort="created_at:desc")
        return api.list_backups(scope, limit=1, image_type=image_type)

    backups = await _try(look, refusals.LIST_BACKUPS, ask)
    if backups:
        first_id = backups[0].id
        await _try(look, refusals.GET_BACKUP, lambda: api.get_backup(scope, first_id))
    return backups if is_listing else None


def _is_refused_everywhere(api: Api, source: RegionLook) -> bool:
    # If each project has its own token, another token may be accepted.
    is_refused = any(remark.check == SIGN_IN for remark in source.remarks)
    return is_refused and not api.settings.tokens


async def _enter(api: Api, account: Account, look: RegionLook) -> ProjectScope | None:
    """Return the project to examine, None if it cannot be reached."""
    given = look.given_project_id
    named = await or_error(find_project(api, look.region))
    if isinstance(named, Project):
        look.named_project_id = named.id
        account.id = account.id or named.domain_id
    else:
        remark = remark_on(look, named)
        if isinstance(named, ConfigurationError):
            remark = replace(remark, check=PROJECT)
        if given is None or not _is_way_past(account, remark):
            look.add(remark)
            look.unseen_because = "its project could not be looked up"
            return None
        look.add(remark.as_note())
    look.project_id = given or look.named_project_id
    if look.project_id is None:
        return None
    return ProjectScope(look.region, look.project_id)


def _is_way_past(account: Account, remark: Remark) -> bool:
    """Whether a given project may be reachable although IAM did not answer as it should."""
    if remark.check == ENDPOINT:
        # With a password, each sign-in needs IAM.
        return account.sign_in.way != "password"
    return remark.check != SIGN_IN


async def _try(
    look: RegionLook, permission: str, call: Callable[[], Awaitable[Found]]
) -> Found | None:
    """Return the result of a call, and note what it shows of the needed permission."""
    if look.unseen_because:
        look.permissions[permission] = UNKNOWN
        return None
    found = await or_error(call())
    if isinstance(found, NotFoundError):
        # It existed a moment ago. CBR says that it is gone only to a user who may read it.
        look.permissions[permission] = GRANTED
        return None
    if not isinstance(found, CbrError):
        look.permissions[permission] = GRANTED
        return found
    remark = remark_on(look, found, permission)
    look.permissions[permission] = MISSING if remark.permission else UNKNOWN
    look.add(remark)
    look.unseen_because = OF_THE_WHOLE_REGION.get(remark.check)
    return None


def _vault_look(vault: Vault) -> VaultLook:
    billing = vault.billing
    return VaultLook(
        vault.id,
        vault.name,
        billing.object_type,
        billing.status,
        billing.size,
        vault.free_gb,
        tuple(finding.reason for finding in check_vault(vault, None) if finding.is_certain),
    )


def _judge_vaults(look: RegionLook) -> None:
    if look.vaults == ():
        look.add(
            Remark(
                "vaults",
                f"no vault of type replication in project ({look.project_id}) of region "
                f"{look.region!r}",
                MAKE_A_VAULT,
            )
        )
    elif look.vaults and not look.usable_vaults:
        look.add(
            Remark(
                "vaults",
                "no vault of type replication takes a copy at present",
                "settle what stands beside one of them, or create another",
            )
        )
