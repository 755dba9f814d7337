"""The stack's outputs: a row for each copy, updated by what the wait has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

import pulumi_huaweicloud_cbr as cbr

# The columns of a row, and where a result has them.
COLUMNS = {
    "replication_record_id": "replication_record_id",
    "source_backup_id": "backup_id",
    "resource_name": "resource_name",
    "backup_created_at": "backup_created_at",
    "size_gb": "size_gb",
    "destination_region": "destination_region",
    "destination_project_id": "destination_project_id",
    "destination_vault_id": "destination_vault_id",
    "destination_backup_id": "destination_backup_id",
    "destination_checkpoint_id": "destination_checkpoint_id",
    "status": "status",
}
KNOWN_EARLY = (
    "replication_record_id",
    "source_backup_id",
    *("destination_region", "destination_project_id", "destination_vault_id"),
)
"""The columns that the resource itself tells; a preview may know them before the others."""


def row_of(
    resource: cbr.BackupReplication, wait: cbr.ReplicationsComplete | None
) -> dict[str, Any]:
    """Return the row of a replication; what the wait has seen is newer than its own state."""
    result = cbr.results_of(resource, wait)
    # A row's columns are separate outputs: in a preview, some are known and others are not.
    return {
        column: getattr(resource, name) if column in KNOWN_EARLY else result[name]
        for column, name in COLUMNS.items()
    }


def rows_of(
    resource: cbr.BackupReplicationSet | cbr.VaultReplication,
    wait: cbr.ReplicationsComplete | None,
) -> pulumi.Output[dict[str, Any]]:
    """Return a row for each member of a resource, under its label."""
    return cbr.results_of(resource, wait).apply(
        lambda results: {label: _row(result) for label, result in results.items()}
    )


def _row(result: Mapping[str, Any]) -> dict[str, Any]:
    return {column: result[name] for column, name in COLUMNS.items()}
