"""Look up in CBR who owns the replicas in a stack's destinations. Reads only.

A failed list does not stop the others. What could not be seen never makes an orphan: of an orphan
the user may delete the replica, and that must not be one that a resource has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_copy_tasks
from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands._cli.cloud import find_scope
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.stack import Place, State
from pulumi_huaweicloud_cbr.commands.account.inventory import Inventories
from pulumi_huaweicloud_cbr.commands.account.owners.classify import (
    Known,
    Listed,
    classify,
    needs_sources,
    sources_of_unnamed,
)
from pulumi_huaweicloud_cbr.commands.account.owners.report import RegionLook, Report
from pulumi_huaweicloud_cbr.replication.preflight.flow import or_error


@dataclass(frozen=True)
class Asked:
    """What to look at. `owner` is what this stack's marks say."""

    stack: str
    owner: str
    state: State
    places: tuple[Place, ...]
    sources: tuple[Scope, ...]


@dataclass
class _Destination:
    """A project with its look; `vault_ids` is None if all vaults are of interest."""

    look: RegionLook
    vault_ids: set[str] | None
    backups: tuple[Backup, ...] = ()
    vault_names: dict[str, str | None] = field(default_factory=dict)

    def listed(self) -> Listed:
        """Return what was listed."""
        vault_ids = None if self.vault_ids is None else frozenset(self.vault_ids)
        return Listed(self.look, vault_ids, self.backups, self.vault_names)


async def examine(api: Api, asked: Asked, inventories: Inventories | None = None) -> Report:
    """Return who owns what in the stack's destinations.

    Args:
        inventories: what was read already; default: nothing.
    """
    state = asked.state
    inventories = inventories or Inventories(api)
    report = Report(
        asked.stack,
        asked.owner,
        api.settings.mark_replicas,
        state.pending_count,
        state.unreadable,
    )
    destinations = await _resolved(api, asked.places)
    report.destinations = [at.look for at in destinations]
    await asyncio.gather(*(_list(inventories, at) for at in destinations))
    known = Known(asked.owner, state, now=datetime.fromtimestamp(api.clock.wall_time(), UTC))
    listed = [at.listed() for at in destinations if at.look.unseen_because is None]
    if needs_sources(known, listed):
        await _find_origins(inventories, asked, known, report)
        for scope in sources_of_unnamed(known, listed):
            await _read_log(api, scope, known, report)
    classify(report, known, listed)
    return report


async def _resolved(api: Api, places: Iterable[Place]) -> list[_Destination]:
    """Return the projects of places, each once, with the vaults that are named there."""
    scopes = dict.fromkeys(place.scope for place in places)
    answers = await asyncio.gather(*(or_error(find_scope(api, scope)) for scope in scopes))
    found: dict[tuple[str, str | None], _Destination] = {}
    for scope, answer in zip(scopes, answers, strict=True):
        project_id = scope.project_id if isinstance(answer, CbrError) else answer.project_id
        look = RegionLook(scope.region, project_id)
        if isinstance(answer, CbrError):
            look.unseen_because = str(answer)
        at = found.setdefault((scope.region, project_id), _Destination(look, set()))
        vault_ids = {place.vault_id for place in places if place.scope == scope}
        if None in vault_ids or at.vault_ids is None:
            at.vault_ids = None
        else:
            at.vault_ids |= {vault_id for vault_id in vault_ids if vault_id}
    for at in found.values():
        at.look.vault_ids = tuple(sorted(at.vault_ids or ()))
    return list(found.values())


async def _list(inventories: Inventories, at: _Destination) -> None:
    if at.look.unseen_because is not None or at.look.project_id is None:
        return
    found = await inventories.of(ProjectScope(at.look.region, at.look.project_id))
    if isinstance(found, CbrError):
        at.look.unseen_because = str(found)
        return
    at.backups = found.replicas
    # Without names, ids are shown.
    at.vault_names = {vault.id.lower(): vault.name for vault in found.known_vaults}


async def _find_origins(
    inventories: Inventories, asked: Asked, known: Known, report: Report
) -> None:
    """Read the records of all source backups."""
    api = inventories.api
    sources = await _resolved(api, [Place(scope) for scope in asked.sources])
    report.sources = [at.look for at in sources]
    await asyncio.gather(*(_read_records(inventories, at.look, known) for at in sources))
    for region in {at.look.region for at in sources}:
        default = await or_error(find_scope(api, Scope(region)))
        if not isinstance(default, CbrError):
            known.default_projects[region] = default.project_id


async def _read_records(inventories: Inventories, look: RegionLook, known: Known) -> None:
    if look.unseen_because is not None or look.project_id is None:
        return
    scope = ProjectScope(look.region, look.project_id)
    found = await inventories.of(scope)
    if isinstance(found, CbrError):
        look.unseen_because = str(found)
        return
    for backup in found.backups:
        for record in backup.records:
            known.note(record, backup, scope)


async def _read_log(api: Api, scope: ProjectScope, known: Known, report: Report) -> None:
    """Read which replicas the operation log names, as for sources that are gone."""
    place = (scope.region, scope.project_id)
    look = next(one for one in report.sources if place == (one.region, one.project_id))
    if look.unseen_because is not None:
        return
    tasks = await or_error(find_copy_tasks(api, scope))
    if isinstance(tasks, CbrError):
        look.unseen_because = str(tasks)
        return
    for task in tasks:
        known.note_task(task)
