"""Builds the replications that the stack's configuration lists; see docs/user-guide.md."""

from __future__ import annotations

import sys

import pulumi

import pulumi_huaweicloud_cbr as cbr
from config import Replication, read_replications
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


def main() -> None:
    """Declare everything, and export a row for each replication."""
    try:
        replications = read_replications(pulumi.runtime.get_config_env())
    except ConfigurationFaultsError as faults:
        pulumi.log.error(str(faults))
        sys.exit(TOLD_EXIT_CODE)
    rows = {}
    for replication in replications:
        resource = declare(replication)
        rows[replication.name] = {
            column: getattr(resource, output) for column, output in COLUMNS.items()
        }
    pulumi.export("replications", rows)


main()
