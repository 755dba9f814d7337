"""The flow of every preflight: look up projects, then query source and destination in parallel.

It is the same for backups and for a vault; callers pass in what is special to each. It runs in
previews, so it only reads, and it changes none of its arguments. A failed call does not hide what
other calls found.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_destinations, find_vault
from pulumi_huaweicloud_cbr.api.wire.answers import Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.fitness import check_region_pair
from pulumi_huaweicloud_cbr.replication.rules.model import Identity

Found = TypeVar("Found")
Seen = TypeVar("Seen")

FindProject = Callable[[str], Awaitable[str]]
"""Return the id of a region's project."""


class Aim(Struct, frozen=True, kw_only=True):
    """Source and destination of a copy; fields are None while unknown in a preview.

    A project that is None is looked up. `is_project_unknown`: the destination project is given, but
    its value is not known yet, so it is not looked up. `identity` tells whose work existing
    replicas are. `own_record_ids` are the records of replicas that are about to be replaced, so
    these do not conflict.
    """

    source_region: str
    source_project_id: str | None = None
    destination_region: str | None = None
    destination_project_id: str | None = None
    destination_vault_id: str | None = None
    is_project_unknown: bool = False
    adopt: bool | str = True
    identity: Identity = Identity()
    own_record_ids: frozenset[str] = frozenset()


class Sides(Struct, Generic[Seen], frozen=True, kw_only=True):
    """What was found of source and destination, for a backup or for a vault.

    `seen` is the answer of `look_at_source`. It and `source` are None if the source project could
    not be looked up. `destination` and `vault` are None if the destination may not be queried, or
    is not fully known. `vault` is also None if it was not queried. `resolved` are the ids of the
    projects, by the names of their inputs.
    """

    source: ProjectScope | None = None
    seen: Seen | None = None
    destination: ProjectScope | None = None
    vault: Vault | CbrError | None = None
    findings: tuple[Finding, ...] = ()
    faults: tuple[CbrError, ...] = ()
    resolved: Mapping[str, str] = MappingProxyType({})


class _Place(Struct, frozen=True):
    """The destination's project and vault; None if they are not known or were not queried."""

    project_id: str | CbrError | None
    vault: Vault | CbrError | None = None


async def look_at_both_sides(
    api: Api,
    aim: Aim,
    find_project: FindProject,
    look_at_source: Callable[[ProjectScope], Awaitable[Seen]],
    *,
    with_vault: bool,
) -> Sides[Seen]:
    """Query the source, and in parallel the destination if its region is known to exist.

    Args:
        look_at_source: queries what will be copied; returns errors instead of raising them.
        with_vault: query the destination vault as well, as soon as its project is known.
    """
    source_project_id: str | CbrError | None = aim.source_project_id
    if source_project_id is None:
        source_project_id = await or_error(find_project(aim.source_region))
    if isinstance(source_project_id, CbrError):
        return _without_project(Sides(), "source_region", source_project_id)
    source = ProjectScope(aim.source_region, source_project_id)
    seen, destinations, place = await asyncio.gather(
        look_at_source(source),
        or_error(find_destinations(api, source)),
        _look_at_place_early(api, aim, find_project, with_vault=with_vault),
    )
    sides: Sides[Seen] = Sides(
        source=source,
        seen=seen,
        faults=faults_of(destinations),
        resolved={"source_project_id": source_project_id},
    )
    region = aim.destination_region
    if region is None:
        return sides
    if isinstance(destinations, frozenset):
        findings = check_region_pair(source.region, region, destinations)
        if findings:
            # Send nothing to a region that CBR does not copy to: it may not even exist.
            return replace(sides, findings=tuple(findings))
    if place is None:
        place = await _look_at_place(api, aim, region, find_project, with_vault=with_vault)
    if isinstance(place.project_id, CbrError):
        return _without_project(sides, "destination_region", place.project_id)
    if place.project_id is None:
        return sides
    return replace(
        sides,
        destination=ProjectScope(region, place.project_id),
        vault=place.vault,
        resolved={**sides.resolved, "destination_project_id": place.project_id},
    )


def _without_project(sides: Sides[Seen], field: str, error: CbrError) -> Sides[Seen]:
    """Add the reason why the project of a region is not known.

    Args:
        field: the input that names the region.
    """
    if isinstance(error, ConfigurationError):
        # IAM answered, and lists no such project: the name of the region is wrong.
        return replace(sides, findings=(*sides.findings, Finding(field, str(error))))
    return replace(sides, faults=(*sides.faults, error))


async def _look_at_place_early(
    api: Api, aim: Aim, find_project: FindProject, *, with_vault: bool
) -> _Place | None:
    """Query the destination in parallel with the source, if its region is known to exist."""
    region = aim.destination_region
    if region is None or not api.settings.is_known_region(region):
        return None
    return await _look_at_place(api, aim, region, find_project, with_vault=with_vault)


async def _look_at_place(
    api: Api, aim: Aim, region: str, find_project: FindProject, *, with_vault: bool
) -> _Place:
    project_id = aim.destination_project_id
    if project_id is None:
        if aim.is_project_unknown:
            return _Place(None)
        found = await or_error(find_project(region))
        if isinstance(found, CbrError):
            return _Place(found)
        project_id = found
    if not with_vault:
        return _Place(project_id)
    destination = ProjectScope(region, project_id)
    vault = await or_error(find_destination_vault(api, destination, aim.destination_vault_id))
    return _Place(project_id, vault)


async def find_destination_vault(
    api: Api, destination: ProjectScope | None, vault_id: str | None
) -> Vault | None:
    """Return the destination vault, None while its project or its id is not known.

    Raises:
        NotFoundError: the project has no vault with that id.
    """
    if destination is None or vault_id is None:
        return None
    return await find_vault(api, destination, vault_id)


def missing_vault(aim: Aim, destination: ProjectScope | None) -> Finding:
    """Return the finding for a destination vault that does not exist."""
    reason = (
        f"vault ({aim.destination_vault_id}) does not exist in {destination}; "
        "check destination_vault_id, destination_region and destination_project_id"
    )
    return Finding("destination_vault_id", reason)


def faults_of(*found: object) -> tuple[CbrError, ...]:
    """Return the errors among the answers, without those for things that do not exist."""
    return tuple(
        error
        for error in found
        if isinstance(error, CbrError) and not isinstance(error, NotFoundError)
    )


async def or_error(call: Awaitable[Found]) -> Found | CbrError:
    """Return the result of a call, or the error that it raised."""
    try:
        return await call
    except CbrError as error:
        return error
