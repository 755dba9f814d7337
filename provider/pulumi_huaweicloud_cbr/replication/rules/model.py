"""Desired and tracked replications: plain values, and the request that follows from them.

No decisions here: see `decisions`.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.requests import (
    ENDED_RECORD_STATUSES,
    FAILED_RECORD_STATUSES,
    PENDING_RECORD_STATUSES,
    STATUS_SKIPPED,
    STATUS_SUCCESS,
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import marked


class Identity(Struct, frozen=True):
    """Whose work a stack's replicas are.

    `owner` names this stack, None if that is not known. `former` are other names that its state
    recorded, as before it was renamed. `is_marking`: new copies get a mark.
    """

    owner: str | None = None
    former: frozenset[str] = frozenset()
    is_marking: bool = True

    @property
    def names(self) -> frozenset[str]:
        """Return all names of this stack."""
        return self.former if self.owner is None else self.former | {self.owner}

    @property
    def mark_owner(self) -> str | None:
        """Return the owner that new copies name, None if they get no mark."""
        return self.owner if self.is_marking else None


class DesiredReplication(Struct, frozen=True):
    """A replication as declared, with both projects resolved."""

    backup_id: str
    source: ProjectScope
    destination: ProjectScope
    destination_vault_id: str
    name: str | None = None
    description: str | None = None
    enable_acceleration: bool = False
    adopt: bool | str = True
    identity: Identity = Identity()

    def __str__(self) -> str:
        return f"replication of backup ({self.backup_id}) to region {self.destination.region!r}"

    def request(self) -> ReplicateRequest:
        """Return the request to submit; the description carries the mark."""
        owner = self.identity.mark_owner
        return ReplicateRequest(
            destination_region=self.destination.region,
            destination_project_id=self.destination.project_id,
            destination_vault_id=self.destination_vault_id,
            name=self.name,
            description=self.description if owner is None else marked(self.description, owner),
            enable_acceleration=self.enable_acceleration,
        )


class DesiredVaultReplication(Struct, frozen=True):
    """The copy of an entire vault as declared, with both projects resolved."""

    vault_id: str
    source: ProjectScope
    destination: ProjectScope
    destination_vault_id: str
    enable_acceleration: bool = False
    adopt: bool | str = True
    identity: Identity = Identity()

    def __str__(self) -> str:
        return f"replication of vault ({self.vault_id}) to region {self.destination.region!r}"

    def of_backup(self, backup_id: str, recorded: str | None = None) -> DesiredReplication:
        """Return the desired copy of one backup of the vault.

        Without `adopt` as well, it finds what exists: who calls decides what to take over.

        Args:
            recorded: the owner that the state has for this backup's copy.
        """
        former = self.identity.former if recorded is None else self.identity.former | {recorded}
        return DesiredReplication(
            backup_id=backup_id,
            source=self.source,
            destination=self.destination,
            destination_vault_id=self.destination_vault_id,
            adopt=self.adopt or True,
            identity=replace(self.identity, former=former),
        )

    def request(self) -> ReplicateVaultRequest:
        """Return the request to submit."""
        return ReplicateVaultRequest(
            vault_id=self.vault_id,
            destination_region=self.destination.region,
            destination_project_id=self.destination.project_id,
            destination_vault_id=self.destination_vault_id,
            enable_acceleration=self.enable_acceleration,
        )


class TrackedReplication(Struct, frozen=True):
    """A replication as last known: its identity, and what was last observed.

    `replica_name` is the observed name, None while it is not known. `description` is the user's
    part of the observed description. `owner` is the one that the replica's mark named when the copy
    was made or adopted. `seen_owner` is the one that it names now; the state keeps it only if it is
    another one. `failure` is the code and reason of a copy that failed, as text. `is_leaving`: a
    set no longer declares it, but cannot let it go yet. `is_adopted`: the copy existed before.
    `beside`: other live copies of the backup in the region, as texts. The state keeps neither of
    these two.
    """

    backup_id: str
    source: ProjectScope
    destination: ProjectScope
    destination_vault_id: str
    replication_record_id: str
    status: str
    provider_id: str | None = None
    destination_backup_id: str | None = None
    destination_checkpoint_id: str | None = None
    source_resource_id: str | None = None
    created_at: str | None = None
    source_deleted: bool = False
    replica_name: str | None = None
    description: str | None = None
    owner: str | None = None
    seen_owner: str | None = None
    failure: str | None = None
    is_leaving: bool = False
    is_adopted: bool = False
    beside: tuple[str, ...] = ()

    @property
    def has_known_status(self) -> bool:
        """Whether this version knows the status, which may be an earlier one."""
        return self.status in ENDED_RECORD_STATUSES | PENDING_RECORD_STATUSES

    @property
    def has_ended(self) -> bool:
        """Whether the copy is known to have ended, with or without a replica."""
        return self.status in ENDED_RECORD_STATUSES

    @property
    def has_failed(self) -> bool:
        """Whether the copy ended without a replica; a skipped copy may still name one."""
        is_named = self.status == STATUS_SKIPPED and self.destination_backup_id is not None
        return self.status in FAILED_RECORD_STATUSES and not is_named

    @property
    def has_been_seen(self) -> bool:
        """Whether the last observation found the complete replica in the destination.

        A record may name the replica before it exists. So it counts as seen once the copy has
        ended.
        """
        has_ended = self.status in (STATUS_SUCCESS, STATUS_SKIPPED)
        return has_ended and self.destination_backup_id is not None

    @property
    def other_owner(self) -> str | None:
        """Return the owner that the mark names, if it is not the recorded one."""
        return None if self.seen_owner == self.owner else self.seen_owner

    def __str__(self) -> str:
        return f"replication record ({self.replication_record_id})"
