"""Which operation of the references a request is, by its method and path.

All operations of CBR have a row, also those that are not modelled: a request for one of them is
refused with its name. Source: IAM API reference; CBR API reference, and the vendor's SDK 3.1.219
for the names and paths of all operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_P = "/v3/{project_id}"
_ORGANIZATION = f"{_P}/organization-policies/{{organization_policy_id}}"
_PROTECTABLE = f"{_P}/protectables/{{protectable_type}}/instances"
_IAM: tuple[tuple[str, str, str], ...] = (
    ("CreateToken", "POST", "/v3/auth/tokens"),
    ("ShowToken", "GET", "/v3/auth/tokens"),
    ("ListProjects", "GET", "/v3/projects"),
    ("ListAuthProjects", "GET", "/v3/auth/projects"),
    ("ListAuthDomains", "GET", "/v3/auth/domains"),
    ("ListUsers", "GET", "/v3/users"),
)
_CBR: tuple[tuple[str, str, str], ...] = (
    ("CopyBackup", "POST", f"{_P}/backups/{{backup_id}}/replicate"),
    ("CopyCheckpoint", "POST", f"{_P}/checkpoints/replicate"),
    ("CreateCheckpoint", "POST", f"{_P}/checkpoints"),
    ("ShowCheckpoint", "GET", f"{_P}/checkpoints/{{checkpoint_id}}"),
    ("ShowBackup", "GET", f"{_P}/backups/{{backup_id}}"),
    ("UpdateBackup", "PUT", f"{_P}/backups/{{backup_id}}"),
    ("DeleteBackup", "DELETE", f"{_P}/backups/{{backup_id}}"),
    ("ListBackups", "GET", f"{_P}/backups"),
    ("AssociateVaultPolicy", "POST", f"{_P}/vaults/{{vault_id}}/associatepolicy"),
    ("DisassociateVaultPolicy", "POST", f"{_P}/vaults/{{vault_id}}/dissociatepolicy"),
    ("CreatePolicy", "POST", f"{_P}/policies"),
    ("ListPolicies", "GET", f"{_P}/policies"),
    ("ShowPolicy", "GET", f"{_P}/policies/{{policy_id}}"),
    ("UpdatePolicy", "PUT", f"{_P}/policies/{{policy_id}}"),
    ("DeletePolicy", "DELETE", f"{_P}/policies/{{policy_id}}"),
    ("BatchCreateAndDeleteVaultTags", "POST", f"{_P}/vault/{{vault_id}}/tags/action"),
    ("CreateVaultTags", "POST", f"{_P}/vault/{{vault_id}}/tags"),
    ("ShowVaultTag", "GET", f"{_P}/vault/{{vault_id}}/tags"),
    ("DeleteVaultTag", "DELETE", f"{_P}/vault/{{vault_id}}/tags/{{key}}"),
    ("ListExternalVault", "GET", f"{_P}/vaults/external"),
    ("CreateVault", "POST", f"{_P}/vaults"),
    ("UpdateVault", "PUT", f"{_P}/vaults/{{vault_id}}"),
    ("DeleteVault", "DELETE", f"{_P}/vaults/{{vault_id}}"),
    ("ShowVault", "GET", f"{_P}/vaults/{{vault_id}}"),
    ("ListVault", "GET", f"{_P}/vaults"),
    ("AddVaultResource", "POST", f"{_P}/vaults/{{vault_id}}/addresources"),
    ("RemoveVaultResource", "POST", f"{_P}/vaults/{{vault_id}}/removeresources"),
    ("ListFeatures", "GET", f"{_P}/cbr-features"),
    ("ShowFeature", "GET", f"{_P}/cbr-features/{{feature_key}}"),
    ("UpdateExpirationTime", "PUT", f"{_P}/vaults/{{vault_id}}/update-backup-expiration-time"),
    ("ShowReplicationCapabilities", "GET", f"{_P}/replication-capabilities"),
    ("ShowOpLog", "GET", f"{_P}/operation-logs/{{operation_log_id}}"),
    ("ListOpLogs", "GET", f"{_P}/operation-logs"),
)
OF_CBR = " (CBR)"
"""Ends the name of an operation of CBR if IAM has one of the same name."""
_NOT_MODELLED: tuple[tuple[str, str, str], ...] = (
    ("AddAgentPath", "POST", f"{_P}/agents/{{agent_id}}/add-path"),
    ("AddMember", "POST", f"{_P}/backups/{{backup_id}}/members"),
    ("BatchUpdateVault", "PUT", f"{_P}/vaults/batch-update"),
    ("ChangeOrder", "POST", f"{_P}/orders/change"),
    ("ChangeVaultChargeMode", "POST", f"{_P}/vaults/change-charge-mode"),
    ("CheckAgent", "POST", f"{_P}/agent/check"),
    ("CreateOrganizationPolicy", "POST", f"{_P}/organization-policies"),
    ("CreatePostPaidVault", "POST", f"{_P}/vaults/order"),
    ("DeleteMember", "DELETE", f"{_P}/backups/{{backup_id}}/members/{{member_id}}"),
    (
        "DeleteOrganizationPolicy",
        "DELETE",
        f"{_P}/organization-policies/{{organization_policy_id}}",
    ),
    ("ImportBackup", "POST", f"{_P}/backups/sync"),
    ("ImportCheckpoint", "POST", f"{_P}/checkpoints/sync"),
    ("ListAgent", "GET", f"{_P}/agents"),
    ("ListDomainProjects", "GET", "/v3/domain/{domain_name}/projects"),
    ("ListOrganizationPolicies", "GET", f"{_P}/organization-policies"),
    ("ListOrganizationPolicyDetail", "GET", f"{_ORGANIZATION}/policy-detail"),
    (f"ListProjects{OF_CBR}", "GET", "/v3/region-projects"),
    ("ListProtectable", "GET", _PROTECTABLE),
    ("MigrateDomain", "POST", "/v3/migrates"),
    ("MigrateVaultResource", "POST", f"{_P}/vaults/{{vault_id}}/migrateresources"),
    ("RegisterAgent", "POST", f"{_P}/agents"),
    ("RemoveAgentPath", "POST", f"{_P}/agents/{{agent_id}}/remove-path"),
    ("RestoreBackup", "POST", f"{_P}/backups/{{backup_id}}/restore"),
    ("SetVaultResource", "PUT", f"{_P}/vaults/{{vault_id}}/set-resources"),
    ("ShowAgent", "GET", f"{_P}/agents/{{agent_id}}"),
    ("ShowDomain", "GET", "/v3/domain/{source_project_id}"),
    ("ShowMemberDetail", "GET", f"{_P}/backups/{{backup_id}}/members/{{member_id}}"),
    ("ShowMembersDetail", "GET", f"{_P}/backups/{{backup_id}}/members"),
    ("ShowMetadata", "GET", f"{_P}/backups/{{backup_id}}/metadata"),
    ("ShowMigrateStatus", "GET", "/v3/migrates"),
    ("ShowOrganizationPolicy", "GET", _ORGANIZATION),
    ("ShowProtectable", "GET", f"{_PROTECTABLE}/{{instance_id}}"),
    ("ShowStorageUsage", "GET", f"{_P}/storage_usage"),
    ("ShowSummary", "GET", f"{_P}/vaults/summary"),
    ("ShowVaultProjectTag", "GET", f"{_P}/vault/tags"),
    ("ShowVaultResourceInstances", "POST", f"{_P}/vault/resource_instances/action"),
    ("UnregisterAgent", "DELETE", f"{_P}/agents/{{agent_id}}"),
    ("UpdateAgent", "PUT", f"{_P}/agents/{{agent_id}}"),
    ("UpdateMemberStatus", "PUT", f"{_P}/backups/{{backup_id}}/members/{{member_id}}"),
    ("UpdateOrder", "PUT", f"{_P}/orders/{{order_id}}"),
    ("UpdateOrganizationPolicy", "PUT", _ORGANIZATION),
)

PATHS = {name: (method, path) for name, method, path in (*_IAM, *_CBR, *_NOT_MODELLED)}
"""Method and path of each operation, by its name; variables of the path are in braces."""
CBR_OPERATIONS = frozenset(name for name, _, _ in _CBR)
"""The operations of CBR that are modelled."""
OPERATIONS = CBR_OPERATIONS | {name for name, _, _ in _IAM}
"""All operations that are modelled."""
NOT_MODELLED = frozenset(name for name, _, _ in _NOT_MODELLED)
"""The operations of CBR that are refused with their names."""


def _compiled(wanted: str) -> list[tuple[str, re.Pattern[str]]]:
    """Return the operations of a method. What a path spells out goes before its variables."""
    rows = [
        (name, re.compile(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", path)))
        for name, (method, path) in PATHS.items()
        if method == wanted
    ]
    return sorted(rows, key=lambda row: row[1].groups)


_BY_METHOD = {method: _compiled(method) for method, _ in PATHS.values()}


@dataclass(frozen=True)
class Operation:
    """An operation, and the ids in its path; `name` is None if there is no such operation."""

    name: str | None
    ids: dict[str, str] = field(default_factory=dict)


def operation_of(method: str, path: str) -> Operation:
    """Return the operation of a request."""
    for name, pattern in _BY_METHOD.get(method, ()):
        if match := pattern.fullmatch(path):
            return Operation(name, match.groupdict())
    return Operation(None)
