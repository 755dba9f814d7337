"""Which operation of the references a request is, by its method and path."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PROJECT = r"(?P<project_id>[^/]+)"
_BACKUP = r"(?P<backup_id>[^/]+)"
# The first match counts. Source: IAM API reference; CBR API reference.
_PATHS: tuple[tuple[str, str, str], ...] = (
    ("CreateToken", "POST", r"/v3/auth/tokens"),
    ("ShowToken", "GET", r"/v3/auth/tokens"),
    ("ListProjects", "GET", r"/v3/projects"),
    ("ListAuthProjects", "GET", r"/v3/auth/projects"),
    ("CopyBackup", "POST", rf"/v3/{_PROJECT}/backups/{_BACKUP}/replicate"),
    ("CopyCheckpoint", "POST", rf"/v3/{_PROJECT}/checkpoints/replicate"),
    ("CreateCheckpoint", "POST", rf"/v3/{_PROJECT}/checkpoints"),
    ("ShowCheckpoint", "GET", rf"/v3/{_PROJECT}/checkpoints/[^/]+"),
    ("ShowBackup", "GET", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("UpdateBackup", "PUT", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("DeleteBackup", "DELETE", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("ListBackups", "GET", rf"/v3/{_PROJECT}/backups"),
    ("AssociateVaultPolicy", "POST", rf"/v3/{_PROJECT}/vaults/[^/]+/associatepolicy"),
    ("DisassociateVaultPolicy", "POST", rf"/v3/{_PROJECT}/vaults/[^/]+/dissociatepolicy"),
    ("CreatePolicy", "POST", rf"/v3/{_PROJECT}/policies"),
    ("ListPolicies", "GET", rf"/v3/{_PROJECT}/policies"),
    ("ShowPolicy", "GET", rf"/v3/{_PROJECT}/policies/[^/]+"),
    ("UpdatePolicy", "PUT", rf"/v3/{_PROJECT}/policies/[^/]+"),
    ("DeletePolicy", "DELETE", rf"/v3/{_PROJECT}/policies/[^/]+"),
    ("BatchCreateAndDeleteVaultTags", "POST", rf"/v3/{_PROJECT}/vault/[^/]+/tags/action"),
    ("CreateVaultTags", "POST", rf"/v3/{_PROJECT}/vault/[^/]+/tags"),
    ("ShowVaultTag", "GET", rf"/v3/{_PROJECT}/vault/[^/]+/tags"),
    ("DeleteVaultTag", "DELETE", rf"/v3/{_PROJECT}/vault/[^/]+/tags/[^/]+"),
    ("ListExternalVault", "GET", rf"/v3/{_PROJECT}/vaults/external"),
    ("CreateVault", "POST", rf"/v3/{_PROJECT}/vaults"),
    ("UpdateVault", "PUT", rf"/v3/{_PROJECT}/vaults/[^/]+"),
    ("DeleteVault", "DELETE", rf"/v3/{_PROJECT}/vaults/[^/]+"),
    ("ShowVault", "GET", rf"/v3/{_PROJECT}/vaults/[^/]+"),
    ("ListVault", "GET", rf"/v3/{_PROJECT}/vaults"),
    ("ShowReplicationCapabilities", "GET", rf"/v3/{_PROJECT}/replication-capabilities"),
    ("ShowOpLog", "GET", rf"/v3/{_PROJECT}/operation-logs/[^/]+"),
    ("ListOpLogs", "GET", rf"/v3/{_PROJECT}/operation-logs"),
)
_COMPILED = tuple((name, method, re.compile(path)) for name, method, path in _PATHS)
OPERATIONS = frozenset(name for name, _, _ in _PATHS)
CBR_OPERATIONS = frozenset(name for name, _, path in _PATHS if _PROJECT in path)


@dataclass(frozen=True)
class Operation:
    """An operation, and the ids in its path; `name` is None if there is no such operation."""

    name: str | None
    ids: dict[str, str] = field(default_factory=dict)


def operation_of(method: str, path: str) -> Operation:
    """Return the operation of a request."""
    for name, wanted, pattern in _COMPILED:
        if method == wanted and (match := pattern.fullmatch(path)):
            return Operation(name, match.groupdict())
    return Operation(None)
