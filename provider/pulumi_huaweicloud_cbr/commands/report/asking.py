"""Read from CBR what a report needs. Reads only; nothing is judged here.

A region that cannot be read does not stop the others. Each project is read once for each account
that asks, whatever its part is. Destinations that nobody named are found in the records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from pulumi_huaweicloud_cbr.api.cache import CachedApi
from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.transport.http import Transport
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.text import is_region_id
from pulumi_huaweicloud_cbr.commands._cli.cloud import find_scope, make_client
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.stack import Place, State
from pulumi_huaweicloud_cbr.commands.account.inventory import Inventories, Inventory
from pulumi_huaweicloud_cbr.commands.account.owners.examiner import Asked as AskedOwners
from pulumi_huaweicloud_cbr.commands.account.owners.examiner import examine as examine_owners
from pulumi_huaweicloud_cbr.commands.report.model import (
    IN_STATE,
    ORPHAN,
    OTHER_STACK,
    UNCLEAR,
    UNMARKED,
)
from pulumi_huaweicloud_cbr.config.objectives import Declared
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.replication.preflight.flow import or_error
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark

_NEAREST_OWNER = (IN_STATE, UNCLEAR, ORPHAN, OTHER_STACK, UNMARKED)
"""Of what several stacks say about a replica, the first of these counts: who knows it best."""


@dataclass(frozen=True)
class AskedStack:
    """A stack: what its marks say, its state, and what its configuration declares."""

    name: str
    owner: str
    state: State
    declared: tuple[Declared, ...] = ()


@dataclass(frozen=True)
class AskedAccount:
    """What to read with one set of credentials.

    `is_closed`: only these destinations are read, not those that records name as well.
    """

    settings: Settings
    sources: tuple[Scope, ...]
    destinations: tuple[Scope, ...] = ()
    stacks: tuple[AskedStack, ...] = ()
    is_closed: bool = False


@dataclass
class SeenArea:
    """A project with its content; `inventory` is None if it could not be read."""

    region: str
    project_id: str | None
    is_source: bool = False
    is_destination: bool = False
    inventory: Inventory | None = None
    unseen_because: str | None = None


@dataclass
class Seen:
    """Everything that was read, for all accounts.

    `owners` has the group of each replica by its id, and what holds it. `remarks` tell what else
    could not be read. `made_at` tells when the source backups of some replicas were made, by the
    replicas' ids: states of rolling sets know it.
    """

    stacks: list[str] = field(default_factory=list)
    areas: list[SeenArea] = field(default_factory=list)
    declared: list[Declared] = field(default_factory=list)
    owners: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    made_at: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def area(self, region: str, project_id: str | None) -> SeenArea:
        """Return the area of a project; a new one if it was not noted yet."""
        for area in self.areas:
            if (area.region, area.project_id) == (region, project_id):
                return area
        area = SeenArea(region, project_id)
        self.areas.append(area)
        return area


async def ask(
    accounts: Sequence[AskedAccount],
    clock: Clock,
    *,
    transport: Transport | None = None,
    on_read: Callable[[Inventory], None] | None = None,
) -> Seen:
    """Read what the accounts show.

    Args:
        transport: replaces the network, in tests.
        on_read: is told of each project that was read.
    Raises:
        ConfigurationError: an account has no credentials, or a setting is wrong.
    """
    seen = Seen()
    for account in accounts:
        async with make_client(account.settings, clock, transport) as client:
            await _Reader(CachedApi(client), account, seen, on_read).read()
    return seen


class _Reader:
    """Reads one account."""

    def __init__(
        self,
        api: Api,
        asked: AskedAccount,
        seen: Seen,
        on_read: Callable[[Inventory], None] | None,
    ) -> None:
        self._api = api
        self._asked = asked
        self._seen = seen
        self._inventories = Inventories(api, on_read)
        self._projects: dict[Scope, str | None] = {}

    async def read(self) -> None:
        """Read the sources and all destinations, and find the owners of the replicas."""
        asked, seen = self._asked, self._seen
        sources, destinations = await asyncio.gather(
            self._areas(asked.sources), self._areas(asked.destinations)
        )
        await self._fill([*sources, *destinations])
        for area in sources:
            area.is_source = True
        if not asked.is_closed:
            found = [seen.area(one.region, one.project_id) for one in self._named_by(sources)]
            await self._fill(found)
            destinations += found
            # What was read anyway may have copies that nobody names any more.
            destinations += [one for one in sources if one.inventory and one.inventory.replicas]
        for area in destinations:
            area.is_destination = True
        await self._find_owners(list({id(area): area for area in destinations}.values()))

    async def _areas(self, scopes: Iterable[Scope]) -> list[SeenArea]:
        """Return the areas of places; a place whose project is not found is an unseen area."""
        wanted = list(dict.fromkeys(scopes))
        answers = await asyncio.gather(*(or_error(find_scope(self._api, one)) for one in wanted))
        found: dict[int, SeenArea] = {}
        for scope, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, CbrError):
                area = self._seen.area(scope.region, scope.project_id)
                area.unseen_because = str(answer)
            else:
                area = self._seen.area(answer.region, answer.project_id)
            found[id(area)] = area
            self._projects[scope] = area.project_id
        return list(found.values())

    async def _fill(self, areas: Iterable[SeenArea]) -> None:
        # One that is a source and a destination is filled once.
        wanted = {id(area): area for area in areas}
        await asyncio.gather(*(self._fill_one(area) for area in wanted.values()))

    async def _fill_one(self, area: SeenArea) -> None:
        if area.inventory is not None:
            # Another account has read it already.
            self._inventories.put(area.inventory)
        if area.inventory is not None or area.project_id is None:
            return
        found = await self._inventories.of(ProjectScope(area.region, area.project_id))
        if isinstance(found, CbrError):
            area.unseen_because = str(found)
            return
        area.inventory, area.unseen_because = found, None
        if isinstance(found.vaults, CbrError):
            self._seen.remarks.append(f"vaults in {area.region}: {found.vaults}")

    def _named_by(self, sources: Iterable[SeenArea]) -> list[ProjectScope]:
        """Return the places that records of the sources name, and that were not read yet."""
        known = {area.project_id for area in self._seen.areas}
        found: dict[ProjectScope, None] = {}
        nameless: set[str] = set()
        for area in sources:
            for backup in area.inventory.backups if area.inventory else ():
                for record in backup.records:
                    region, project_id = record.destination_region, record.destination_project_id
                    if not project_id or project_id in known or record.is_failed:
                        continue
                    if region is None or not is_region_id(region):
                        nameless.add(
                            f"{region or 'a region without a name'} (project {project_id})"
                        )
                    else:
                        found[ProjectScope(region, project_id)] = None
        self._seen.remarks += [
            f"copies in {one}: CBR's records do not tell the id of this region; name it with "
            "--destination REGION/PROJECT_ID"
            for one in sorted(nameless)
        ]
        return list(found)

    async def _find_owners(self, areas: Sequence[SeenArea]) -> None:
        seen, asked = self._seen, self._asked
        for area in areas:
            for replica in area.inventory.replicas if area.inventory else ():
                owner = split_mark(replica.description)[1]
                self._note(replica.id, UNMARKED if owner is None else OTHER_STACK, owner)
        places = tuple(
            Place(Scope(area.region, area.project_id)) for area in areas if area.project_id
        )
        for stack in asked.stacks:
            seen.stacks.append(stack.name)
            seen.declared += map(self._placed, stack.declared)
            for row in stack.state.rows:
                if row.replica_id and row.made_at:
                    seen.made_at[row.replica_id] = row.made_at
            seen.remarks += [
                f"stack {stack.name}: the state of {urn} cannot be read"
                for urn in stack.state.unreadable
            ]
            report = await examine_owners(
                self._api,
                AskedOwners(stack.name, stack.owner, stack.state, places, asked.sources),
                self._inventories,
            )
            for one in report.replicas:
                held = ", ".join(holder.title for holder in one.held_by)
                holder = f"{stack.name}: {held}" if held else one.owner
                self._note(one.id, one.group, holder)

    def _placed(self, declared: Declared) -> Declared:
        """Return an entry with the projects that it means where it names none.

        Another account has another default project in the same region, and a region may have copies
        in several projects: those of one are none of the other.
        """
        region = declared.source_region or self._api.settings.region
        return replace(
            declared,
            source_region=region,
            source_project_id=None
            if region is None
            else self._project_of(region, declared.source_project_id),
            destinations=tuple(
                dict.fromkeys(
                    (to, self._project_of(to, project_id))
                    for to, project_id in declared.destinations
                )
            ),
        )

    def _project_of(self, region: str, project_id: str | None) -> str | None:
        return project_id or self._projects.get(Scope(region))

    def _note(self, replica_id: str, group: str, holder: str | None) -> None:
        key = replica_id.lower()
        known = self._seen.owners.get(key)
        if known is None or _NEAREST_OWNER.index(group) < _NEAREST_OWNER.index(known[0]):
            self._seen.owners[key] = (group, holder)
