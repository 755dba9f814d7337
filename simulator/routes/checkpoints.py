"""CBR: restore points, the backups of a vault's resources.

Source: CBR API reference, CreateCheckpoint, ShowCheckpoint.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.rules.checkpoints import Wanted, backups_of
from simulator.cloud.store import Vault
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import DESCRIPTION, NAME, UUID, Body
from simulator.routes.vaults.changes import ResourceBody, find_vault
from simulator.routes.wire import checkpoint_body

router = APIRouter(prefix="/v3/{project_id}")

ResourceId = Annotated[str, StringConstraints(pattern=UUID)]


def _refuse_zero(days: int) -> int:
    if days == 0:
        raise ValueError("want -1 for ever, or 1 and more")
    return days


Days = Annotated[int, Field(ge=-1, le=99_999), AfterValidator(_refuse_zero)]


class ParametersBody(Body):
    """Properties of the new backups; `incremental` is checked and has no effect."""

    name: str | None = Field(None, min_length=1, max_length=64, pattern=NAME)
    description: str = Field("", max_length=255, pattern=DESCRIPTION)
    auto_trigger: bool = False
    incremental: bool = True
    resources: list[ResourceId] = Field(default_factory=list, max_length=256)
    resource_details: list[ResourceBody] = Field(default_factory=list, max_length=256)
    retention_duration_days: Days = -1


class CheckpointBody(Body):
    vault_id: ResourceId
    parameters: ParametersBody = ParametersBody()


class CheckpointEnvelope(Body):
    checkpoint: CheckpointBody


@router.post("/checkpoints")
async def create_checkpoint(
    project_id: Project, cloud: CloudHere, body: CheckpointEnvelope
) -> dict[str, Any]:
    given = body.checkpoint.parameters
    wanted = Wanted(
        resource_ids=[*given.resources, *(resource.id for resource in given.resource_details)],
        name=given.name,
        description=given.description,
        auto_trigger=given.auto_trigger,
        retention_days=given.retention_duration_days,
    )
    with cloud.session() as session:
        vault = find_vault(session, project_id, body.checkpoint.vault_id)
        checkpoint_id = cloud.checkpoints.begin(session, vault, wanted)
        return _shown(session, project_id, checkpoint_id)


@router.get("/checkpoints/{checkpoint_id}")
async def show_checkpoint(
    project_id: Project, cloud: CloudHere, checkpoint_id: str
) -> dict[str, Any]:
    with cloud.session() as session:
        return _shown(session, project_id, checkpoint_id)


def _shown(session: Session, project_id: str, checkpoint_id: str) -> dict[str, Any]:
    backups = backups_of(session, project_id, checkpoint_id)
    if not backups:
        raise errors.cbr("6217")
    vault = session.get(Vault, backups[0].vault_id)
    return {"checkpoint": checkpoint_body(vault, backups)}
