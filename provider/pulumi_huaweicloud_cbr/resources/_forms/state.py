"""Rows of replications in the outputs of resources that hold many: compact, one per member."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, RECORDS

_OPTIONAL = (
    "destination_backup_id",
    "destination_checkpoint_id",
    "created_at",
    "source_resource_id",
)


def row_of(tracked: TrackedReplication, *, is_named: bool) -> dict[str, Any]:
    """Return what the state keeps of a member; `is_named`: its replica's name was declared."""
    row: dict[str, Any] = {
        "backup_id": tracked.backup_id,
        "replication_record_id": tracked.replication_record_id,
        "status": tracked.status,
    }
    row.update({field: getattr(tracked, field) for field in _OPTIONAL if getattr(tracked, field)})
    if tracked.source_deleted:
        row["source_deleted"] = True
    if is_named and tracked.replica_name is not None:
        row["name"] = tracked.replica_name
    return row


def scopes_of(state: Mapping[str, Any]) -> tuple[ProjectScope, ProjectScope]:
    """Return the source and the destination of a resource's rows.

    Raises:
        ConfigurationError: the state lacks them.
    """
    missing = [field for field in COORDINATES if not state.get(field)]
    if missing:
        raise ConfigurationError(
            f"reading the state of a resource with many replications: {', '.join(missing)} not "
            "known",
            remedy="it cannot be imported by its id; declare it, and create adopts what exists",
        )
    return (
        ProjectScope(state["source_region"], state["source_project_id"]),
        ProjectScope(state["destination_region"], state["destination_project_id"]),
    )


def tracked_rows(state: Mapping[str, Any]) -> dict[str, TrackedReplication]:
    """Return the members of a resource's outputs, by label."""
    source, destination = scopes_of(state)
    return {
        label: TrackedReplication(
            backup_id=row["backup_id"],
            source=source,
            destination=destination,
            destination_vault_id=state["destination_vault_id"],
            replication_record_id=row["replication_record_id"],
            status=row["status"],
            source_deleted=bool(row.get("source_deleted")),
            replica_name=row.get("name"),
            **{field: row.get(field) for field in _OPTIONAL},
        )
        for label, row in state.get("members", {}).items()
    }


def tracking_output(resource: pulumi.Resource) -> pulumi.Output[dict[str, Any]]:
    """Return what a wait for all members of a resource needs to know; its `members` are rows."""
    fields = (*COORDINATES, "members")
    values = {field: getattr(resource, field) for field in fields}
    return pulumi.Output.all(**values).apply(
        lambda known: {
            **{field: known[field] for field in COORDINATES},
            RECORDS: {
                row["replication_record_id"]: row["backup_id"]
                for row in (known["members"] or {}).values()
            },
        }
    )


def known_replicas_output(members: pulumi.Output[Any]) -> pulumi.Output[dict[str, str]]:
    """Return the replicas' ids by their records', as far as rows know them."""
    return members.apply(
        lambda rows: {
            row["replication_record_id"]: row["destination_backup_id"]
            for row in (rows or {}).values()
            if row.get("destination_backup_id")
        }
    )
