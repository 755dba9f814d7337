"""Answers as CBR writes them: every documented field is there, null where samples have null.

Source: CBR API reference, ShowBackup, ListOpLogs, ShowVault.
"""

from __future__ import annotations

from typing import Any

from simulator.clock import cbr_time
from simulator.store import Backup, Record, Task, Vault
from simulator.world import PROVIDER_IDS


def backup_body(backup: Backup, records: list[Record] | None, *, early_ids: bool) -> dict[str, Any]:
    """Return a backup; `records` is None where the call does not show them."""
    body: dict[str, Any] = {
        "id": backup.id,
        "name": backup.name,
        "description": backup.description,
        "project_id": backup.project_id,
        "vault_id": backup.vault_id,
        "checkpoint_id": backup.checkpoint_id,
        "parent_id": None,
        "image_type": backup.image_type,
        "status": backup.status,
        "resource_id": backup.resource_id,
        "resource_name": backup.resource_name,
        "resource_type": backup.resource_type,
        "resource_size": backup.size_gb,
        "resource_az": f"{backup.region}a",
        "provider_id": PROVIDER_IDS[backup.resource_type],
        "enterprise_project_id": "0",
        "created_at": cbr_time(backup.created_at),
        "updated_at": cbr_time(backup.updated_at),
        "protected_at": None,
        "expired_at": cbr_time(backup.expired_at),
        "incremental": True,
        "version": 3,
        "extend_info": {
            "auto_trigger": backup.image_type == "backup",
            "bootable": None,
            "contain_system_disk": backup.contain_system_disk,
            "system_disk": False,
            "encrypted": False,
            "snapshot_id": None,
            "support_lld": True,
            "supported_restore_mode": "backup",
            "os_images_data": None,
            "is_multi_az": False,
        },
        "children": [],
    }
    if records is not None:
        body["replication_records"] = [
            record_body(record, early_ids=early_ids) for record in reversed(records)
        ]
    return body


def record_body(record: Record, *, early_ids: bool) -> dict[str, Any]:
    """Return a replication record; the replica is named at submission or at success only."""
    is_named = record.status == "success" or (early_ids and record.is_open)
    return {
        "id": record.id,
        "status": record.status,
        "created_at": cbr_time(record.created_at),
        "vault_id": record.source_vault_id,
        "source_backup_id": record.source_backup_id,
        "source_checkpoint_id": record.source_checkpoint_id,
        "source_project_id": record.source_project_id,
        "source_region": record.source_region,
        "destination_backup_id": record.replica_id if is_named else None,
        "destination_checkpoint_id": record.replica_checkpoint_id if is_named else None,
        "destination_project_id": record.destination_project_id,
        "destination_region": record.destination_region,
        "destination_vault_id": record.destination_vault_id,
        "extra_info": {
            "progress": record.progress,
            "fail_code": record.fail_code,
            "fail_reason": record.fail_reason,
            "auto_trigger": False,
            "destination_vault_id": record.destination_vault_id,
        },
    }


def vault_body(vault: Vault) -> dict[str, Any]:
    """Return a vault; `size` in GB, `used` in MB."""
    return {
        "id": vault.id,
        "name": vault.name,
        "description": None,
        "project_id": vault.project_id,
        "provider_id": PROVIDER_IDS["OS::Nova::Server"],
        "user_id": None,
        "enterprise_project_id": "0",
        "created_at": cbr_time(vault.created_at),
        "auto_bind": False,
        "bind_rules": {},
        "auto_expand": False,
        "smn_notify": True,
        "threshold": 80,
        "locked": False,
        "tags": [],
        "resources": [],
        "billing": {
            "size": vault.size_gb,
            "used": vault.used_mb,
            "allocated": 0,
            "status": vault.status,
            "protect_type": vault.protect_type,
            "object_type": vault.object_type,
            "consistent_level": "crash_consistent",
            "charging_mode": "post_paid",
            "cloud_type": "public",
            "spec_code": f"vault.{vault.protect_type}.{vault.object_type}.normal",
            "order_id": None,
            "product_id": None,
            "storage_unit": None,
            "frozen_scene": None,
            "is_multi_az": False,
        },
    }


def task_body(backup: Backup, replica: Backup, record: Record, vault_name: str) -> dict[str, Any]:
    """Return the parts of a task that do not change."""
    return {
        "operation_type": "replication",
        "provider_id": PROVIDER_IDS[backup.resource_type],
        "checkpoint_id": backup.checkpoint_id,
        "policy_id": None,
        "vault_name": vault_name,
        "resource": {
            "id": backup.resource_id,
            "type": backup.resource_type,
            "name": backup.resource_name,
        },
        "replication": {
            "source_backup_id": backup.id,
            "source_backup_name": backup.name,
            "source_checkpoint_id": backup.checkpoint_id,
            "source_project_id": backup.project_id,
            "source_region": backup.region,
            "destination_backup_id": replica.id,
            "destination_backup_name": replica.name,
            "destination_checkpoint_id": replica.checkpoint_id,
            "destination_project_id": record.destination_project_id,
            "destination_region": record.destination_region,
        },
    }


def task_answer(task: Task) -> dict[str, Any]:
    """Return an entry of the operation log."""
    body = dict(task.body)
    resource, replication = body.pop("resource"), body.pop("replication")
    if task.status != "success":
        # The replica is named once it is there, as in the record.
        unnamed = ("destination_backup_id", "destination_backup_name", "destination_checkpoint_id")
        replication = {key: value for key, value in replication.items() if key not in unnamed}
    return {
        "id": task.id,
        "project_id": task.project_id,
        "status": task.status,
        "vault_id": task.vault_id,
        "created_at": cbr_time(task.created_at),
        "started_at": cbr_time(task.created_at),
        "ended_at": cbr_time(task.ended_at),
        "updated_at": cbr_time(task.ended_at or task.created_at),
        "error_info": {"code": "", "message": ""},
        "extra_info": {
            "common": {"progress": 100 if task.ended_at else 0, "request_id": f"req-{task.id}"},
            "resource": resource,
            "replication": replication,
        },
        **body,
    }
