"""CBR: the resources that a vault protects, and when its backups expire.

Source: CBR API reference, AddVaultResource, RemoveVaultResource, UpdateExpirationTime.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from sqlalchemy import select

from simulator.cloud import errors
from simulator.cloud.rules import resources, tasks
from simulator.cloud.rules.resources import MOST_RESOURCES
from simulator.cloud.store import Backup
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import UUID, Body
from simulator.routes.vaults.changes import ResourceBody, find_vault

router = APIRouter(prefix="/v3/{project_id}/vaults/{vault_id}")

ResourceId = Annotated[str, StringConstraints(pattern=UUID)]


class AddedBody(Body):
    """The body of AddVaultResource."""

    resources: list[ResourceBody] = Field(min_length=1, max_length=MOST_RESOURCES)


class RemovedBody(Body):
    """The body of RemoveVaultResource."""

    resource_ids: list[ResourceId] = Field(min_length=1, max_length=MOST_RESOURCES)


class ExpiryBody(Body):
    """The body of UpdateExpirationTime: a day, and where it begins."""

    expect_expiration_date: Annotated[
        str | None, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
    ] = None
    time_zone: str = Field(pattern=r"^UTC[+-]([01][0-9]|2[0-3]):[0-5][0-9]$")


@router.post("/addresources")
async def add_resources(
    project_id: Project, cloud: CloudHere, vault_id: str, body: AddedBody
) -> dict[str, Any]:
    wanted = [resource.model_dump(exclude_none=True) for resource in body.resources]
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        return {"add_resource_ids": resources.add(session, vault, wanted)}


@router.post("/removeresources")
async def remove_resources(
    project_id: Project, cloud: CloudHere, vault_id: str, body: RemovedBody
) -> dict[str, Any]:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        cloud.deletions.begin_removal(session, vault, body.resource_ids)
    return {"remove_resource_ids": body.resource_ids}


@router.put("/update-backup-expiration-time")
async def update_expiry(
    project_id: Project, cloud: CloudHere, vault_id: str, body: ExpiryBody
) -> dict[str, Any]:
    day = body.expect_expiration_date
    if day is None:
        raise errors.cbr("9900", "expect_expiration_date: want a day; without one: not modelled")
    zone = body.time_zone.removeprefix("UTC")
    try:
        expires_at = datetime.fromisoformat(f"{day}T00:00:00{zone}").timestamp()
    except ValueError:
        raise errors.cbr("9900", f"expect_expiration_date: {day!r} is not a day") from None
    now = cloud.clock.now()
    if expires_at <= now:
        raise errors.cbr("9900", f"expect_expiration_date: {day!r} is not in the future")
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        query = select(Backup).where(Backup.vault_id == vault.id, Backup.delete_at.is_(None))
        backups = session.scalars(query).all()
        for backup in backups:
            backup.expired_at, backup.updated_at = expires_at, now
        task_id = tasks.note_expiry(session, vault, len(backups), day, now)
    return {
        "affected_backups_count": len(backups),
        "new_expiration_day": day,
        "operation_log_id": task_id,
    }
