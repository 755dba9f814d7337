"""CBR: the operation log.

Source: CBR API reference, ListOpLogs, ShowOpLog.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from sqlalchemy import Select, false, func, select

from simulator.cloud import errors
from simulator.cloud.cloud import Cloud
from simulator.cloud.store import Record, Task
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import EVERY_ENTERPRISE_PROJECT, Filters, Limit, Moment, Offset
from simulator.routes.wire import task_body

router = APIRouter(prefix="/v3/{project_id}")

_EQUAL = (
    *("operation_type", "status", "provider_id", "resource_id"),
    *("resource_name", "vault_id", "vault_name"),
)

# Filters of 2026, which only copies fit.
_OF_COPIES = ("destination_region", "destination_project_id")

OperationType = Literal[
    "backup",
    "copy",
    "replication",
    "delete",
    "restore",
    "vault_delete",
    "remove_resource",
    "sync",
]


class TaskFilters(Filters):
    """The query of ListOpLogs."""

    operation_type: OperationType | None = None
    status: Literal["success", "skipped", "failed", "running", "timeout", "waiting"] | None = None
    provider_id: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    vault_id: str | None = None
    vault_name: str | None = None
    destination_region: str | None = None
    destination_project_id: str | None = None
    enterprise_project_id: str | None = None
    start_time: Moment | None = None
    end_time: Moment | None = None
    limit: Limit = 1000
    offset: Offset = 0


@router.get("/operation-logs")
async def list_tasks(
    project_id: Project, cloud: CloudHere, filters: Annotated[TaskFilters, Query()]
) -> dict[str, Any]:
    query = _with_records().where(Task.project_id == project_id)
    given = filters.model_dump(include=set(_EQUAL), exclude_none=True)
    query = query.where(*(getattr(Task, key) == value for key, value in given.items()))
    for key, value in filters.model_dump(include=set(_OF_COPIES), exclude_none=True).items():
        query = query.where(func.json_extract(Task.details, f"$.replication.{key}") == value)
    if filters.enterprise_project_id not in EVERY_ENTERPRISE_PROJECT:
        query = query.where(false())
    if filters.start_time is not None:
        query = query.where(Task.created_at >= filters.start_time)
    if filters.end_time is not None:
        query = query.where(Task.created_at <= filters.end_time)
    with cloud.session() as session:
        found = list(session.execute(query.order_by(Task.sequence.desc())))
    page = found[filters.offset :][: filters.limit]
    return {
        "operation_logs": [_shown(cloud, task, record) for task, record in page],
        "count": len(found),
        "limit": filters.limit,
        "offset": filters.offset,
    }


@router.get("/operation-logs/{task_id}")
async def show_task(project_id: Project, cloud: CloudHere, task_id: str) -> dict[str, Any]:
    with cloud.session() as session:
        query = _with_records().where(Task.id == task_id, Task.project_id == project_id)
        found = session.execute(query).one_or_none()
        if found is None:
            raise errors.cbr("6500")
        return {"operation_log": _shown(cloud, *found)}


def _with_records() -> Select[Task, Record | None]:
    # The record has the progress of a running copy.
    return select(Task, Record).outerjoin(Record, Record.id == Task.subject_id)


def _shown(cloud: Cloud, task: Task, record: Record | None) -> dict[str, Any]:
    progress = record.progress_at(cloud.clock.now()) if record else task.progress
    return task_body(task, progress)
