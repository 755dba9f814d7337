"""CBR: backups and replicas, and copying them.

Source: CBR API reference, CopyBackup, CopyCheckpoint, ShowBackup, ListBackups, UpdateBackup,
DeleteBackup.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BeforeValidator, Field
from sqlalchemy import Select, false, select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.cloud import Cloud
from simulator.cloud.providers import provider_of, provider_of_vault
from simulator.cloud.rules.copies import read_ahead, records_of_all
from simulator.cloud.rules.copy_refusals import Destination
from simulator.cloud.specs import BackupStatus, ResourceType
from simulator.cloud.store import Backup, Vault
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import (
    DESCRIPTION,
    EVERY_ENTERPRISE_PROJECT,
    NAME,
    REGION,
    Body,
    Filters,
    Flag,
    Limit,
    Moment,
    Offset,
)
from simulator.routes.wire import (
    availability_zone,
    backup_body,
    record_body,
)

router = APIRouter(prefix="/v3/{project_id}")

_SORT_KEYS = ("created_at", "updated_at", "name", "status", "protected_at", "id")
_EQUAL = (
    *("image_type", "resource_type", "resource_id", "resource_name"),
    *("name", "vault_id", "checkpoint_id"),
)


class DestinationBody(Body):
    """Common fields of both ways of copying."""

    destination_project_id: str
    destination_region: str = Field(max_length=255, pattern=REGION)
    destination_vault_id: str
    enable_acceleration: bool = False

    @property
    def destination(self) -> Destination:
        """The destination."""
        return Destination(
            self.destination_region, self.destination_project_id, self.destination_vault_id
        )


class ReplicateBody(DestinationBody):
    """The body of CopyBackup."""

    name: str | None = Field(None, min_length=1, max_length=64, pattern=NAME)
    description: str | None = Field(None, max_length=255, pattern=DESCRIPTION)


class ReplicateEnvelope(Body):
    replicate: ReplicateBody


class ReplicateVaultBody(DestinationBody):
    """The body of CopyCheckpoint, which copies a vault."""

    vault_id: str
    auto_trigger: bool = False


class ReplicateVaultEnvelope(Body):
    replicate: ReplicateVaultBody


class RenameBody(Body):
    """The body of UpdateBackup: only the name can be changed."""

    name: str = Field(min_length=1, max_length=64, pattern=NAME)


class RenameEnvelope(Body):
    backup: RenameBody


def _split(values: Any) -> Any:
    # The reference repeats the parameter; other clients send a list with commas.
    return [part for value in values for part in str(value).split(",")]


class BackupFilters(Filters):
    """The query of ListBackups."""

    limit: Limit = 1000
    offset: Offset = 0
    marker: str | None = None
    sort: str = Field("created_at:desc", max_length=255)
    show_replication: Flag = False
    image_type: Literal["backup", "replication"] | None = None
    status: Annotated[list[BackupStatus], BeforeValidator(_split)] = Field(default_factory=list)
    resource_type: ResourceType | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    resource_az: str | None = None
    name: str | None = None
    vault_id: str | None = None
    checkpoint_id: str | None = None
    parent_id: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    enterprise_project_id: str | None = None
    own_type: Literal["all_granted", "private", "shared"] = "private"
    member_status: Literal["pending", "accepted", "rejected"] | None = None
    used_percent: int | None = Field(None, ge=1, le=100)
    incremental: Flag | None = None
    dec: Flag | None = None
    existed_quantity_based_retention_backups: Flag | None = None

    @property
    def finds_nothing(self) -> bool:
        """Whether it asks for what does not exist here: children, shares, other projects."""
        return (
            self.parent_id is not None
            or self.own_type == "shared"
            or self.enterprise_project_id not in EVERY_ENTERPRISE_PROJECT
        )


@router.post("/backups/{backup_id}/replicate")
async def copy_backup(
    project_id: Project, cloud: CloudHere, backup_id: str, body: ReplicateEnvelope
) -> dict[str, Any]:
    wanted = body.replicate
    _refuse_acceleration(cloud, wanted)
    with cloud.session() as session:
        read_ahead(session, backup_id, wanted.destination_vault_id)
        backup = _find(cloud, session, project_id, backup_id)
        record = cloud.copies.replicate(
            session, backup, wanted.destination, wanted.name, wanted.description
        )
        answer = {
            "backup_id": backup_id,
            "replication_record_id": record.id,
            "provider_id": provider_of(backup.resource_type),
        }
    return {"replication": {**answer, **_route(cloud, project_id, wanted)}}


@router.post("/checkpoints/replicate")
async def copy_vault(
    project_id: Project, cloud: CloudHere, body: ReplicateVaultEnvelope
) -> dict[str, Any]:
    wanted = body.replicate
    _refuse_acceleration(cloud, wanted)
    with cloud.session() as session:
        vault = session.get(Vault, wanted.vault_id)
        if vault is None or vault.project_id != project_id:
            raise errors.cbr("6105")
        records = cloud.copies.replicate_vault(
            session, vault, wanted.destination, auto_trigger=wanted.auto_trigger
        )
        answer = {
            "vault_id": vault.id,
            "provider_id": provider_of_vault(vault.object_type),
            "backups": [
                {"backup_id": row.source_backup_id, "replication_record_id": row.id}
                for row in records
            ],
        }
    return {"replication": {**answer, **_route(cloud, project_id, wanted)}}


@router.get("/backups/{backup_id}")
async def show_backup(project_id: Project, cloud: CloudHere, backup_id: str) -> dict[str, Any]:
    with cloud.session() as session:
        backup = _find(cloud, session, project_id, backup_id)
        return {"backup": _shown(cloud, session, [backup])[0]}


@router.put("/backups/{backup_id}")
async def update_backup(
    project_id: Project, cloud: CloudHere, backup_id: str, body: RenameEnvelope
) -> dict[str, Any]:
    with cloud.session() as session:
        backup = _find(cloud, session, project_id, backup_id)
        backup.name = body.backup.name
        backup.updated_at = cloud.clock.now()
        return {"backup": _shown(cloud, session, [backup])[0]}


@router.delete("/backups/{backup_id}", status_code=204)
async def delete_backup(project_id: Project, cloud: CloudHere, backup_id: str) -> Response:
    with cloud.session() as session:
        cloud.deletions.begin(session, _find(cloud, session, project_id, backup_id))
    return Response(status_code=204)


@router.get("/backups")
async def list_backups(
    project_id: Project, cloud: CloudHere, filters: Annotated[BackupFilters, Query()]
) -> dict[str, Any]:
    with cloud.session() as session:
        found = list(session.scalars(_selected(project_id, filters)))
        if filters.resource_az is not None:
            found = [row for row in found if availability_zone(row.region) == filters.resource_az]
        if filters.used_percent is not None:
            full = _vaults_at_least(session, filters.used_percent)
            found = [row for row in found if row.vault_id in full]
        page = found[_start(found, filters) :][: filters.limit]
        if filters.show_replication:
            bodies = _shown(cloud, session, page)
        else:
            bodies = [backup_body(row) for row in page]
        return {"backups": bodies, "count": len(found)}


def _refuse_acceleration(cloud: Cloud, wanted: DestinationBody) -> None:
    if wanted.enable_acceleration and cloud.options.acceleration == "refused":
        raise errors.cbr("9900", "invalid key enable_acceleration")


def _route(cloud: Cloud, project_id: str, wanted: DestinationBody) -> dict[str, str]:
    return {
        "project_id": project_id,
        "source_region": cloud.project_regions[project_id],
        "destination_region": wanted.destination_region,
        "destination_project_id": wanted.destination_project_id,
        "destination_vault_id": wanted.destination_vault_id,
    }


def _find(cloud: Cloud, session: Session, project_id: str, backup_id: str) -> Backup:
    backup = session.get(Backup, backup_id)
    if backup is None or backup.project_id != project_id:
        if cloud.options.missing_backup == "401":
            raise errors.wrong_project()
        raise errors.cbr("6200")
    return backup


def _shown(cloud: Cloud, session: Session, backups: list[Backup]) -> list[dict[str, Any]]:
    """Return backups with their records, newest first. This counts as a poll of each."""
    records = records_of_all(session, [backup.id for backup in backups])
    cloud.copies.look_at(session, [row for rows in records.values() for row in rows])
    now = cloud.clock.now()
    early_ids = cloud.options.destination_ids == "early"
    return [
        {
            **backup_body(backup),
            "replication_records": [
                record_body(row, now, early_ids=early_ids)
                for row in reversed(records.get(backup.id, []))
            ],
        }
        for backup in backups
    ]


def _selected(project_id: str, filters: BackupFilters) -> Select[Backup]:
    query = select(Backup).where(Backup.project_id == project_id)
    query = query.filter_by(**filters.model_dump(include=set(_EQUAL), exclude_none=True))
    if filters.finds_nothing:
        query = query.where(false())
    if filters.status:
        query = query.where(Backup.status.in_(filters.status))
    if filters.start_time is not None:
        query = query.where(Backup.created_at >= filters.start_time)
    if filters.end_time is not None:
        query = query.where(Backup.created_at <= filters.end_time)
    for part in filters.sort.split(","):
        key, _, direction = part.partition(":")
        if key not in _SORT_KEYS or direction not in ("", "asc", "desc"):
            raise errors.cbr("9900", f"sort: {part!r} is not a key with a direction")
        if key != "protected_at":  # Null in every backup.
            column = getattr(Backup, key)
            query = query.order_by(column.asc() if direction == "asc" else column.desc())
    return query.order_by(Backup.sequence)


def _start(found: list[Backup], filters: BackupFilters) -> int:
    if not filters.marker:
        return filters.offset
    ids = [backup.id for backup in found]
    return ids.index(filters.marker) + 1 if filters.marker in ids else len(ids)


def _vaults_at_least(session: Session, percent: int) -> set[str]:
    vaults = session.scalars(select(Vault))
    return {row.id for row in vaults if row.used_mb * 100 >= percent * row.size_gb * 1024}
