"""Cross-region replication of Huawei Cloud CBR backups as Pulumi resources.

All public names are here; programs need no submodule. The import also makes an interrupted program
end without a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    AuthenticationError,
    CbrError,
    ConfigurationError,
    ConflictError,
    IncompleteListError,
    InterruptedWaitError,
    MalformedResponseError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    ReplicationsFailedError,
    TransportError,
    UnexpectedStatusError,
    UnidentifiedReplicaError,
    WaitTimeoutError,
)
from pulumi_huaweicloud_cbr.engine import interruption as _interruption
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    check_filters,
    check_inputs,
    check_members,
    check_set_inputs,
    check_vault_inputs,
)
from pulumi_huaweicloud_cbr.replication.wait.tracking import check_wait
from pulumi_huaweicloud_cbr.resources.backup_replication import (
    BackupReplication,
    BackupReplicationArgs,
    BackupReplicationProvider,
)
from pulumi_huaweicloud_cbr.resources.backup_replication_set import (
    BackupReplicationSet,
    BackupReplicationSetArgs,
    BackupReplicationSetProvider,
    as_members,
)
from pulumi_huaweicloud_cbr.resources.functions import (
    get_backup,
    get_backups,
    get_project_id,
    get_replication_capabilities,
    get_vault,
)
from pulumi_huaweicloud_cbr.resources.replications_complete import (
    ReplicationsComplete,
    ReplicationsCompleteArgs,
    ReplicationsCompleteProvider,
)
from pulumi_huaweicloud_cbr.resources.vault_replication import (
    VaultReplication,
    VaultReplicationArgs,
    VaultReplicationProvider,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import (
        Backup,
        RegionCapability,
        ReplicationRecord,
        Vault,
    )

__all__ = [
    "ApiError",
    "AuthenticationError",
    "Backup",
    "BackupReplication",
    "BackupReplicationArgs",
    "BackupReplicationProvider",
    "BackupReplicationSet",
    "BackupReplicationSetArgs",
    "BackupReplicationSetProvider",
    "CbrError",
    "ConfigurationError",
    "ConflictError",
    "Finding",
    "IncompleteListError",
    "InterruptedWaitError",
    "MalformedResponseError",
    "NotFoundError",
    "NotSentError",
    "OutcomeUnknownError",
    "RegionCapability",
    "ReplicationRecord",
    "ReplicationsComplete",
    "ReplicationsCompleteArgs",
    "ReplicationsCompleteProvider",
    "ReplicationsFailedError",
    "TransportError",
    "UnexpectedStatusError",
    "UnidentifiedReplicaError",
    "Vault",
    "VaultReplication",
    "VaultReplicationArgs",
    "VaultReplicationProvider",
    "WaitTimeoutError",
    "as_members",
    "check_filters",
    "check_inputs",
    "check_members",
    "check_set_inputs",
    "check_vault_inputs",
    "check_wait",
    "get_backup",
    "get_backups",
    "get_project_id",
    "get_replication_capabilities",
    "get_vault",
]

_interruption.end_quietly_when_interrupted()

_DECODED = frozenset({"Backup", "RegionCapability", "ReplicationRecord", "Vault"})


def __getattr__(name: str) -> object:
    """Load the classes of decoded answers at first use: most programs only declare resources."""
    if name not in _DECODED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from pulumi_huaweicloud_cbr.api.wire import answers  # noqa: PLC0415

    value: object = getattr(answers, name)
    globals()[name] = value
    return value
