"""Builds the replications that the stack's configuration lists; see docs/user-guide.md."""

from __future__ import annotations

import pulumi

import pulumi_huaweicloud_cbr as cbr
from config import ConfigurationFaultsError, Replication, read_replications

COLUMNS = (
    "replication_record_id",
    "backup_id",
    "destination_region",
    "destination_project_id",
    "destination_vault_id",
    "destination_backup_id",
    "status",
)


def declare(replication: Replication) -> cbr.BackupReplication:
    """Declare one replication as a resource."""
    return cbr.BackupReplication(
        replication.name,
        replication.args(),
        pulumi.ResourceOptions(
            protect=replication.protect, retain_on_delete=replication.retain_on_delete
        ),
    )


def main() -> None:
    """Declare everything, and export a row for each replication."""
    try:
        replications = read_replications(pulumi.Config().get)
    except ConfigurationFaultsError as faults:
        # RunError is shown as it is, without a traceback.
        raise pulumi.RunError(str(faults)) from None
    rows = {}
    for replication in replications:
        resource = declare(replication)
        rows[replication.name] = {column: getattr(resource, column) for column in COLUMNS}
    pulumi.export("replications", rows)


main()
