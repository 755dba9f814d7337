"""CBR: own vaults, those of other regions, and possible destinations.

Source: CBR API reference, ListVault, ShowVault, ListExternalVault, ShowReplicationCapabilities.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy import Select, false, func, select
from sqlalchemy.orm import Session

from simulator.cloud.specs import ObjectType, VaultStatus
from simulator.cloud.store import Association, Backup, Vault
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import EVERY_ENTERPRISE_PROJECT, Filters, Limit, Offset
from simulator.routes.vaults.changes import find_vault
from simulator.routes.wire import vault_body

router = APIRouter(prefix="/v3/{project_id}")


class ExternalVaultFilters(Filters):
    """The query of ListExternalVault; the misspelling is the service's until 2026."""

    external_project_id: str
    region_id: str
    protect_type: Literal["backup", "replication", "hybrid"] | None = None
    vault_id: str | None = None
    objcet_type: ObjectType | None = None
    object_type: ObjectType | None = None
    cloud_type: Literal["public", "hybrid"] | None = None
    limit: Limit = 1000
    offset: Offset = 0


class VaultFilters(Filters):
    """The query of ListVault."""

    name: str | None = None
    id: list[str] = Field(default_factory=list)
    protect_type: Literal["backup", "replication"] | None = None
    object_type: ObjectType | None = None
    cloud_type: Literal["public", "hybrid"] | None = None
    status: VaultStatus | None = None
    policy_id: str | None = None
    resource_ids: str | None = None
    enterprise_project_id: str | None = None
    limit: Limit = 1000
    offset: Offset = 0

    @property
    def finds_nothing(self) -> bool:
        """Whether it asks for what does not exist here: hybrid vaults, other projects."""
        return (
            self.cloud_type == "hybrid"
            or self.enterprise_project_id not in EVERY_ENTERPRISE_PROJECT
        )


@router.get("/vaults/external")
async def list_external_vaults(
    project_id: Project, cloud: CloudHere, filters: Annotated[ExternalVaultFilters, Query()]
) -> dict[str, Any]:
    del project_id  # Only the caller's permission matters.
    query = select(Vault).where(Vault.project_id == filters.external_project_id)
    if filters.vault_id is not None:
        query = query.where(Vault.id == filters.vault_id)
    else:
        if filters.protect_type is not None:
            query = query.where(Vault.protect_type == filters.protect_type)
        for object_type in (filters.objcet_type, filters.object_type):
            if object_type is not None:
                query = query.where(Vault.object_type == object_type)
        if filters.cloud_type == "hybrid":
            query = query.where(false())
    if cloud.project_regions.get(filters.external_project_id) != filters.region_id:
        query = query.where(false())
    with cloud.session() as session:
        return _page(session, query, filters.limit, filters.offset)


@router.get("/vaults/{vault_id}")
async def show_vault(project_id: Project, cloud: CloudHere, vault_id: str) -> dict[str, Any]:
    with cloud.session() as session:
        return {"vault": vault_body(find_vault(session, project_id, vault_id))}


@router.get("/vaults")
async def list_vaults(
    project_id: Project, cloud: CloudHere, filters: Annotated[VaultFilters, Query()]
) -> dict[str, Any]:
    equal = {"name", "protect_type", "object_type", "status"}
    query = select(Vault).where(Vault.project_id == project_id)
    query = query.filter_by(**filters.model_dump(include=equal, exclude_none=True))
    if filters.id:
        query = query.where(Vault.id.in_(filters.id))
    if filters.resource_ids is not None:
        wanted = set(filters.resource_ids.split(","))
        holding = select(Backup.vault_id).where(Backup.resource_id.in_(wanted))
        resource = func.json_each(Vault.settings, "$.resources").table_valued("value")
        bound_id = func.json_extract(resource.c.value, "$.id")
        is_bound = select(1).select_from(resource).where(bound_id.in_(wanted)).exists()
        query = query.where(Vault.id.in_(holding) | is_bound)
    if filters.policy_id is not None:
        applied = select(Association.vault_id).where(Association.policy_id == filters.policy_id)
        query = query.where(Vault.id.in_(applied))
    if filters.finds_nothing:
        query = query.where(false())
    with cloud.session() as session:
        return _page(session, query, filters.limit, filters.offset)


@router.get("/replication-capabilities")
async def show_capabilities(project_id: Project, cloud: CloudHere) -> dict[str, Any]:
    region = cloud.world.region(cloud.project_regions[project_id])
    return {"regions": [{"name": region.name, "replication_destinations": region.replicates_to}]}


def _page(session: Session, query: Select[Vault], limit: int, offset: int) -> dict[str, Any]:
    found = list(session.scalars(query.order_by(Vault.name, Vault.created_at, Vault.id)))
    return {
        "vaults": [vault_body(vault) for vault in found[offset : offset + limit]],
        "count": len(found),
        "limit": limit,
        "offset": offset,
    }
