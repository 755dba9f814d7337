"""Cross-region replication of Huawei Cloud CBR backups as Pulumi resources.

All public names are here; programs need no submodule. A name loads its module at first use: a
program starts on every command, and most use one resource. The import also makes an interrupted
program end without a traceback.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.engine import interruption as _interruption

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import (
        Backup,
        RegionCapability,
        ReplicationRecord,
        Vault,
    )
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
    from pulumi_huaweicloud_cbr.config.rules import (
        Rules,
        rules_of,
    )
    from pulumi_huaweicloud_cbr.replication.rules.finding import (
        Finding,
    )
    from pulumi_huaweicloud_cbr.replication.rules.inputs import (
        check_filters,
        check_inputs,
        check_members,
        check_objective,
        check_rules,
        check_set_inputs,
        check_vault_inputs,
    )
    from pulumi_huaweicloud_cbr.replication.wait.tracking import (
        check_wait,
    )
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import (
        BackupReplicationArgsDict,
        BackupReplicationSetArgsDict,
        ProviderArgsDict,
        ReplicationsCompleteArgsDict,
        VaultReplicationArgsDict,
    )
    from pulumi_huaweicloud_cbr.resources._arguments.members import (
        KeepArgsDict,
        MemberArgsDict,
        Members,
        SelectedMember,
        as_members,
    )
    from pulumi_huaweicloud_cbr.resources._arguments.reading import (
        ArgumentsError,
    )
    from pulumi_huaweicloud_cbr.resources.backup_replication import (
        BackupReplication,
        BackupReplicationArgs,
        BackupReplicationProvider,
    )
    from pulumi_huaweicloud_cbr.resources.backup_replication_set import (
        BackupReplicationSet,
        BackupReplicationSetArgs,
        BackupReplicationSetProvider,
    )
    from pulumi_huaweicloud_cbr.resources.functions import (
        get_backup,
        get_backup_output,
        get_backups,
        get_backups_output,
        get_project_id,
        get_project_id_output,
        get_replication_capabilities,
        get_replication_capabilities_output,
        get_vault,
        get_vault_output,
    )
    from pulumi_huaweicloud_cbr.resources.provider import (
        Provider,
        ProviderArgs,
    )
    from pulumi_huaweicloud_cbr.resources.replications_complete import (
        CopyResult,
        ReplicationsComplete,
        ReplicationsCompleteArgs,
        ReplicationsCompleteProvider,
        results_of,
    )
    from pulumi_huaweicloud_cbr.resources.vault_replication import (
        VaultReplication,
        VaultReplicationArgs,
        VaultReplicationProvider,
    )

__all__ = [
    "ApiError",
    "ArgumentsError",
    "AuthenticationError",
    "Backup",
    "BackupReplication",
    "BackupReplicationArgs",
    "BackupReplicationArgsDict",
    "BackupReplicationProvider",
    "BackupReplicationSet",
    "BackupReplicationSetArgs",
    "BackupReplicationSetArgsDict",
    "BackupReplicationSetProvider",
    "CbrError",
    "ConfigurationError",
    "ConflictError",
    "CopyResult",
    "Finding",
    "IncompleteListError",
    "InterruptedWaitError",
    "KeepArgsDict",
    "MalformedResponseError",
    "MemberArgsDict",
    "Members",
    "NotFoundError",
    "NotSentError",
    "OutcomeUnknownError",
    "Provider",
    "ProviderArgs",
    "ProviderArgsDict",
    "RegionCapability",
    "ReplicationRecord",
    "ReplicationsComplete",
    "ReplicationsCompleteArgs",
    "ReplicationsCompleteArgsDict",
    "ReplicationsCompleteProvider",
    "ReplicationsFailedError",
    "Rules",
    "SelectedMember",
    "TransportError",
    "UnexpectedStatusError",
    "UnidentifiedReplicaError",
    "Vault",
    "VaultReplication",
    "VaultReplicationArgs",
    "VaultReplicationArgsDict",
    "VaultReplicationProvider",
    "WaitTimeoutError",
    "as_members",
    "check_filters",
    "check_inputs",
    "check_members",
    "check_objective",
    "check_rules",
    "check_set_inputs",
    "check_vault_inputs",
    "check_wait",
    "get_backup",
    "get_backup_output",
    "get_backups",
    "get_backups_output",
    "get_project_id",
    "get_project_id_output",
    "get_replication_capabilities",
    "get_replication_capabilities_output",
    "get_vault",
    "get_vault_output",
    "results_of",
    "rules_of",
]

_interruption.end_quietly_when_interrupted()

_MODULES = {
    "api.wire.answers": (
        "Backup",
        "RegionCapability",
        "ReplicationRecord",
        "Vault",
    ),
    "base.errors": (
        "ApiError",
        "AuthenticationError",
        "CbrError",
        "ConfigurationError",
        "ConflictError",
        "IncompleteListError",
        "InterruptedWaitError",
        "MalformedResponseError",
        "NotFoundError",
        "NotSentError",
        "OutcomeUnknownError",
        "ReplicationsFailedError",
        "TransportError",
        "UnexpectedStatusError",
        "UnidentifiedReplicaError",
        "WaitTimeoutError",
    ),
    "config.rules": (
        "Rules",
        "rules_of",
    ),
    "replication.rules.finding": ("Finding",),
    "replication.rules.inputs": (
        "check_filters",
        "check_inputs",
        "check_members",
        "check_objective",
        "check_rules",
        "check_set_inputs",
        "check_vault_inputs",
    ),
    "replication.wait.tracking": ("check_wait",),
    "resources._arguments.dicts": (
        "BackupReplicationArgsDict",
        "BackupReplicationSetArgsDict",
        "ProviderArgsDict",
        "ReplicationsCompleteArgsDict",
        "VaultReplicationArgsDict",
    ),
    "resources._arguments.members": (
        "KeepArgsDict",
        "MemberArgsDict",
        "Members",
        "SelectedMember",
        "as_members",
    ),
    "resources._arguments.reading": ("ArgumentsError",),
    "resources.backup_replication": (
        "BackupReplication",
        "BackupReplicationArgs",
        "BackupReplicationProvider",
    ),
    "resources.backup_replication_set": (
        "BackupReplicationSet",
        "BackupReplicationSetArgs",
        "BackupReplicationSetProvider",
    ),
    "resources.functions": (
        "get_backup",
        "get_backup_output",
        "get_backups",
        "get_backups_output",
        "get_project_id",
        "get_project_id_output",
        "get_replication_capabilities",
        "get_replication_capabilities_output",
        "get_vault",
        "get_vault_output",
    ),
    "resources.provider": (
        "Provider",
        "ProviderArgs",
    ),
    "resources.replications_complete": (
        "CopyResult",
        "ReplicationsComplete",
        "ReplicationsCompleteArgs",
        "ReplicationsCompleteProvider",
        "results_of",
    ),
    "resources.vault_replication": (
        "VaultReplication",
        "VaultReplicationArgs",
        "VaultReplicationProvider",
    ),
}
"""Each module with its public names: the imports above, which type checkers read."""
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:
    # Type checkers read the imports above. With this function they would accept any name.
    def __getattr__(name: str) -> object:
        """Load a public name from its module, and keep it."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module  # noqa: PLC0415

        value: object = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Name what is not loaded yet as well, for completion in a shell."""
    return sorted({*globals(), *__all__})
