"""Builds the replications that the stack's configuration lists; see docs/user-guide.md."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import pulumi

import pulumi_huaweicloud_cbr as cbr
from config import Replication, Wait, read_replications, read_wait
from faults import ConfigurationFaultsError

# Tells the language host that the user knows all there is to know. Any other code, that of
# `pulumi.RunError` too, makes it add "an unhandled error occurred" to our message.
TOLD_EXIT_CODE = 32

# What the stack's output `replications` says of each resource, under these names.
COLUMNS = {
    "replication_record_id": "replication_record_id",
    "source_backup_id": "backup_id",
    "destination_region": "destination_region",
    "destination_project_id": "destination_project_id",
    "destination_vault_id": "destination_vault_id",
    "destination_backup_id": "destination_backup_id",
    "status": "status",
}


def declare(replication: Replication) -> cbr.BackupReplication:
    """Declare one replication as a resource."""
    return cbr.BackupReplication(
        replication.name,
        replication.args,
        pulumi.ResourceOptions(
            protect=replication.protect, retain_on_delete=replication.retain_on_delete
        ),
    )


def declare_wait(
    wait: Wait, resources: Mapping[str, cbr.BackupReplication]
) -> pulumi.Output[dict[str, str]]:
    """Declare the wait for all copies, if it is wanted; return record id -> replica id."""
    if not wait.is_wanted:
        return pulumi.Output.from_input({})
    complete = cbr.ReplicationsComplete(
        "replications-complete",
        cbr.ReplicationsCompleteArgs(replications=list(resources.values()), timeout=wait.timeout),
    )
    return complete.replicas


def row_of(resource: cbr.BackupReplication, replicas: pulumi.Output[dict[str, str]]) -> Any:
    """Return what is told of a replication; what the wait has seen is newer than its own state."""
    row = {column: getattr(resource, output) for column, output in COLUMNS.items()}
    seen = pulumi.Output.all(record_id=resource.id, replicas=replicas).apply(
        lambda known: known["replicas"].get(known["record_id"])
    )

    def newer(column: str, of_replica: Callable[[str], str]) -> pulumi.Output[Any]:
        return pulumi.Output.all(state=row[column], seen=seen).apply(
            lambda known: of_replica(known["seen"]) if known["seen"] else known["state"]
        )

    return {
        **row,
        "destination_backup_id": newer("destination_backup_id", lambda replica_id: replica_id),
        "status": newer("status", lambda _: "success"),
    }


def main() -> None:
    """Declare everything, and export a row for each replication."""
    try:
        replications = read_replications(pulumi.runtime.get_config_env())
        wait = read_wait(pulumi.runtime.get_config_env())
    except ConfigurationFaultsError as faults:
        pulumi.log.error(str(faults))
        sys.exit(TOLD_EXIT_CODE)
    resources = {replication.name: declare(replication) for replication in replications}
    replicas = declare_wait(wait, resources)
    rows = {name: row_of(resource, replicas) for name, resource in resources.items()}
    pulumi.export("replications", rows)


main()
