"""The state of resources with many replications: a compact row for each, and outputs for a wait.

Existing states have this form, so it must stay readable.
"""

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
    "owner",
)


def row_of(tracked: TrackedReplication, *, is_named: bool) -> dict[str, Any]:
    """Return a member's row for the state; `is_named`: its replica's name was declared."""
    row: dict[str, Any] = {
        "backup_id": tracked.backup_id,
        "replication_record_id": tracked.replication_record_id,
        "status": tracked.status,
    }
    row.update({field: getattr(tracked, field) for field in _OPTIONAL if getattr(tracked, field)})
    if tracked.other_owner is not None:
        row["seen_owner"] = tracked.other_owner
    if tracked.source_deleted:
        row["source_deleted"] = True
    if tracked.is_leaving:
        row["leaving"] = True
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
    """Return the rows of a resource's outputs as tracked replications, by label.

    Raises:
        ConfigurationError: the state lacks source or destination.
    """
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
            is_leaving=bool(row.get("leaving")),
            replica_name=row.get("name"),
            seen_owner=row.get("seen_owner"),
            **{field: row.get(field) for field in _OPTIONAL},
        )
        for label, row in state.get("members", {}).items()
    }


def tracking_output(resource: pulumi.Resource) -> pulumi.Output[dict[str, Any]]:
    """Return the output `tracking` of a resource whose output `members` has rows."""
    fields = (*COORDINATES, "members")
    values = {field: getattr(resource, field) for field in fields}
    return pulumi.Output.all(**values).apply(
        lambda known: {
            **{field: known[field] for field in COORDINATES},
            RECORDS: {
                row["replication_record_id"]: row["backup_id"]
                for row in (known["members"] or {}).values()
                if not row.get("leaving")
            },
        }
    )


def known_replicas_output(members: pulumi.Output[Any]) -> pulumi.Output[dict[str, str]]:
    """Return the replica ids that rows know, by replication record id."""
    return members.apply(
        lambda rows: {
            row["replication_record_id"]: row["destination_backup_id"]
            for row in (rows or {}).values()
            if row.get("destination_backup_id")
        }
    )
