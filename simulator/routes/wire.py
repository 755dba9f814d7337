"""Answers in CBR's format: with every documented field, null if samples have null.

Source: CBR API reference, ShowBackup, ListOpLogs, ShowVault.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from simulator.cloud.clock import cbr_time
from simulator.cloud.providers import provider_of, provider_of_vault
from simulator.cloud.specs import made_uuid
from simulator.cloud.store import Association, Backup, Policy, Record, Task, Vault

# Source: CBR API reference, ShowVault, spec_code. It says "volume" for disks and "database" for
# databases, and has no code for other kinds, nor for replicas of file systems.
_SPEC_NAMES = {"disk": "volume", "rds": "database"}
_DAY_S = 86_400
# CBR API reference, ShowCheckpoint: a restore point has fewer statuses than a backup. The first of
# these that any of its backups has is used.
_CHECKPOINT_STATUSES = (
    *(("protecting", "protecting"), ("waiting_protect", "protecting")),
    *(("deleting", "deleting"), ("waiting_delete", "deleting"), ("error", "error")),
)
_PROTECT_STATUSES = {
    "protecting": "protecting",
    "waiting_protect": "protecting",
    "restoring": "restoring",
    "deleting": "removing",
    "waiting_delete": "removing",
    "error": "error",
}
# The settings of a vault that are below `billing`.
_BILLING = ("consistent_level", "is_multi_az", "charging_mode")


def availability_zone(region: str) -> str:
    """Return the zone of all resources in a region."""
    return f"{region}a"


def backup_body(backup: Backup) -> dict[str, Any]:
    """Return a backup, without the records that some calls include."""
    return {
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
        "resource_az": availability_zone(backup.region),
        "provider_id": provider_of(backup.resource_type),
        "enterprise_project_id": "0",
        "created_at": cbr_time(backup.created_at),
        "updated_at": cbr_time(backup.updated_at),
        "protected_at": None,
        "expired_at": cbr_time(backup.expired_at),
        "incremental": True,
        "version": 3,
        "extend_info": {
            "auto_trigger": backup.auto_trigger,
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


def record_body(record: Record, now: float, *, early_ids: bool) -> dict[str, Any]:
    """Return a replication record; the replica is named from submission or success on only."""
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
            "progress": record.progress_at(now),
            "fail_code": record.fail_code,
            "fail_reason": record.fail_reason,
            "auto_trigger": record.auto_trigger,
            "destination_vault_id": record.destination_vault_id,
        },
    }


def checkpoint_body(vault: Vault | None, backups: list[Backup]) -> dict[str, Any]:
    """Return a restore point, the group of its backups; sizes are strings there."""
    first = backups[0]
    statuses = {backup.status for backup in backups}
    keeps_s = first.expired_at - first.created_at if first.expired_at else None
    return {
        "id": first.checkpoint_id,
        "project_id": first.project_id,
        "created_at": cbr_time(first.created_at),
        "status": next(
            (shown for status, shown in _CHECKPOINT_STATUSES if status in statuses), "available"
        ),
        "vault": {
            "id": first.vault_id,
            "name": vault.name if vault else "",
            "resources": [
                {
                    "id": backup.resource_id,
                    "name": backup.resource_name,
                    "type": backup.resource_type,
                    "protect_status": _PROTECT_STATUSES.get(backup.status, "available"),
                    "resource_size": str(backup.size_gb),
                }
                for backup in backups
            ],
            "skipped_resources": [],
        },
        "extra_info": {
            "name": first.name,
            "description": first.description,
            "retention_duration": -1 if keeps_s is None else int(keeps_s // _DAY_S),
        },
    }


def vault_body(vault: Vault) -> dict[str, Any]:
    """Return a vault; `size` in GB, `used` in MB."""
    spec_name = _SPEC_NAMES.get(vault.object_type, vault.object_type)
    return {
        "id": vault.id,
        "name": vault.name,
        "project_id": vault.project_id,
        "provider_id": provider_of_vault(vault.object_type),
        "user_id": None,
        "enterprise_project_id": "0",
        "created_at": cbr_time(vault.created_at),
        **{key: value for key, value in vault.settings.items() if key not in _BILLING},
        "billing": {
            "size": vault.size_gb,
            "used": vault.used_mb,
            "allocated": 0,
            "status": vault.status,
            "protect_type": vault.protect_type,
            "object_type": vault.object_type,
            "cloud_type": "public",
            **{key: vault.settings[key] for key in _BILLING},
            "spec_code": f"vault.{vault.protect_type}.{spec_name}.normal",
            "order_id": None,
            "product_id": None,
            "storage_unit": None,
            "frozen_scene": None,
        },
    }


def policy_body(policy: Policy, applied: list[Association]) -> dict[str, Any]:
    """Return a policy with its vaults."""
    started = datetime.fromtimestamp(policy.created_at, UTC)
    return {
        "id": policy.id,
        "name": policy.name,
        "enabled": policy.enabled,
        "operation_type": policy.operation_type,
        "operation_definition": policy.definition,
        "trigger": {
            "id": made_uuid("trigger", policy.id),
            "name": "default",
            "type": "time",
            "properties": {
                "pattern": policy.patterns,
                "start_time": started.strftime("%Y-%m-%d %H:%M:%S"),
            },
        },
        "associated_vaults": [
            {"vault_id": row.vault_id, "destination_vault_id": row.destination_vault_id}
            for row in applied
        ],
    }


def task_body(task: Task, progress: int) -> dict[str, Any]:
    """Return an entry of the operation log."""
    return {
        "id": task.id,
        "operation_type": task.operation_type,
        "status": task.status,
        "project_id": task.project_id,
        "provider_id": task.provider_id,
        "checkpoint_id": task.checkpoint_id,
        "policy_id": None,
        "vault_id": task.vault_id,
        "vault_name": task.vault_name,
        "created_at": cbr_time(task.created_at),
        "started_at": cbr_time(task.created_at),
        "ended_at": cbr_time(task.ended_at),
        "updated_at": cbr_time(task.updated_at),
        "error_info": {"code": task.error_code, "message": task.error_message},
        "extra_info": {
            "common": {"progress": progress, "request_id": f"req-{task.id}"},
            "resource": {
                "id": task.resource_id,
                "type": task.resource_type,
                "name": task.resource_name,
            },
            **task.details,
        },
    }
