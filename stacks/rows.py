"""The stack's outputs: a row for each copy, updated by what the wait has seen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

import pulumi_huaweicloud_cbr as cbr

Replicas = pulumi.Output[dict[str, str]]
"""Record id -> replica id, of copies that the wait has seen end."""

# The columns of a row, and the resource's outputs that they are from.
COLUMNS = {
    "replication_record_id": "replication_record_id",
    "source_backup_id": "backup_id",
    "destination_region": "destination_region",
    "destination_project_id": "destination_project_id",
    "destination_vault_id": "destination_vault_id",
    "destination_backup_id": "destination_backup_id",
    "status": "status",
}
SEEN = ("destination_backup_id", "status")
"""The columns that a wait updates."""
PLACE = ("destination_region", "destination_project_id", "destination_vault_id")


def row_of(resource: cbr.BackupReplication, replicas: Replicas) -> Any:
    """Return the row of a replication; what the wait has seen is newer than its own state."""
    row = {column: getattr(resource, output) for column, output in COLUMNS.items()}
    newer = pulumi.Output.all(row=row, replicas=replicas).apply(
        lambda known: _with_seen(known["row"], known["replicas"])
    )
    # The other columns are separate outputs: in a preview, some are known and these are not.
    return {**row, **{column: newer[column] for column in SEEN}}


def rows_of(
    resource: cbr.BackupReplicationSet | cbr.VaultReplication, replicas: Replicas
) -> pulumi.Output[dict[str, Any]]:
    """Return a row for each member of a resource, under its label."""
    place = {name: getattr(resource, name) for name in PLACE}
    return pulumi.Output.all(place=place, members=resource.members, replicas=replicas).apply(
        lambda known: {
            label: _row({**known["place"], **member}, known["replicas"])
            for label, member in (known["members"] or {}).items()
        }
    )


def _row(told: Mapping[str, Any], replicas: Mapping[str, str]) -> dict[str, Any]:
    return _with_seen({column: told.get(name) for column, name in COLUMNS.items()}, replicas)


def _with_seen(row: dict[str, Any], replicas: Mapping[str, str]) -> dict[str, Any]:
    replica_id = replicas.get(str(row["replication_record_id"]))
    if replica_id is None:
        return row
    return {**row, **dict(zip(SEEN, (replica_id, "success"), strict=True))}
