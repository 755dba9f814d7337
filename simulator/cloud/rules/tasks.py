"""The operation log: a task for each copy, backup and deletion, in the requesting project.

Source: CBR API reference, ListOpLogs.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.cloud.providers import provider_of, provider_of_vault
from simulator.cloud.store import Backup, Record, Task, Vault, next_sequence

# The log's own words for the statuses of records.
_STATUSES = {
    "waiting_replicate": "waiting",
    "replicating": "running",
    "success": "success",
    "fail": "failed",
    "skip": "skipped",
}


def note_copy(session: Session, backup: Backup, record: Record, replica: Backup) -> None:
    """Log an accepted copy. The replica is named once it exists, as in late records."""
    details = {
        "source_backup_id": backup.id,
        "source_backup_name": backup.name,
        "source_checkpoint_id": backup.checkpoint_id,
        "source_project_id": backup.project_id,
        "source_region": backup.region,
        "destination_project_id": replica.project_id,
        "destination_region": replica.region,
    }
    _note(session, backup, record.id, "replication", record.created_at, {"replication": details})


def note_deletion(session: Session, backup: Backup, now: float) -> None:
    """Log an accepted deletion."""
    details = {"backup_id": backup.id, "backup_name": backup.name}
    task = _note(session, backup, backup.id, "delete", now, {"delete": details})
    task.status = "running"


def follow_copy(task: Task, record: Record, replica: Backup | None, at: float) -> None:
    """Update a copy's task from its record."""
    task.status = _STATUSES[record.status]
    task.progress = record.progress
    task.updated_at = at
    if record.is_open:
        return
    task.ended_at = at
    if record.status == "fail":
        task.error_code, task.error_message = record.fail_code, record.fail_reason
    if record.status == "success" and replica is not None:
        named = {
            "destination_backup_id": replica.id,
            "destination_backup_name": replica.name,
            "destination_checkpoint_id": replica.checkpoint_id,
        }
        task.details = {"replication": {**task.details["replication"], **named}}


def note_backup(session: Session, backup: Backup, now: float) -> None:
    """Log an accepted backup."""
    details = {"backup_id": backup.id, "backup_name": backup.name}
    task = _note(session, backup, backup.id, "backup", now, {"backup": details})
    task.status = "running"


def note_removal(
    session: Session, vault: Vault, resource: dict[str, Any], backups: int, now: float
) -> None:
    """Log that a resource is being removed from its vault, with so many backups."""
    named = {key: resource[key] for key in ("id", "type", "name")}
    details = {"total_count": backups, "fail_count": 0, "resources": [named]}
    task = _new(session, vault, resource["id"], "remove_resource", now)
    task.resource_id, task.resource_type = resource["id"], resource["type"]
    task.resource_name = resource["name"] or ""
    task.provider_id = provider_of(resource["type"])
    task.details = {"remove_resources": details}


def note_expiry(session: Session, vault: Vault, backups: int, day: str, now: float) -> str:
    """Log that so many backups of a vault expire on another day; return the task's id."""
    task = _new(session, vault, vault.id, "update_expiration_time", now)
    task.details = {
        "update_expiration_time": {"affected_backups_count": backups, "expiration_day": day}
    }
    task.status, task.progress, task.ended_at = "success", 100, now
    return task.id


def end(session: Session, subject_id: str, operation_type: str, at: float) -> None:
    """End the running tasks of a kind about a backup or a resource."""
    query = select(Task).where(
        Task.subject_id == subject_id,
        Task.operation_type == operation_type,
        Task.ended_at.is_(None),
    )
    for task in session.scalars(query):
        task.status, task.progress = "success", 100
        task.updated_at = task.ended_at = at


def _note(
    session: Session,
    backup: Backup,
    subject_id: str,
    operation_type: str,
    now: float,
    details: dict[str, Any],
) -> Task:
    vault = session.get(Vault, backup.vault_id)
    task = Task(
        id=str(uuid.uuid4()),
        sequence=next_sequence(session, Task.sequence),
        subject_id=subject_id,
        project_id=backup.project_id,
        operation_type=operation_type,
        provider_id=provider_of(backup.resource_type),
        resource_id=backup.resource_id,
        resource_name=backup.resource_name,
        resource_type=backup.resource_type,
        checkpoint_id=backup.checkpoint_id,
        vault_id=backup.vault_id,
        vault_name=vault.name if vault else "",
        status="waiting",
        created_at=now,
        updated_at=now,
        details=details,
    )
    session.add(task)
    return task


def _new(session: Session, vault: Vault, subject_id: str, operation_type: str, now: float) -> Task:
    """Return a running task about a vault, which is about no backup."""
    task = Task(
        id=str(uuid.uuid4()),
        sequence=next_sequence(session, Task.sequence),
        subject_id=subject_id,
        project_id=vault.project_id,
        operation_type=operation_type,
        provider_id=provider_of_vault(vault.object_type),
        resource_id=vault.id,
        resource_name=vault.name,
        resource_type="",
        checkpoint_id=None,
        vault_id=vault.id,
        vault_name=vault.name,
        status="running",
        created_at=now,
        updated_at=now,
        details={},
    )
    session.add(task)
    return task
