"""Replications as this package thinks of them: plain values."""

from __future__ import annotations

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.wire.requests import (
    ENDED_RECORD_STATUSES,
    FAILED_RECORD_STATUSES,
    STATUS_SKIPPED,
    STATUS_SUCCESS,
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)


class DesiredReplication(Struct, frozen=True):
    """A replication as declared, with both projects resolved."""

    backup_id: str
    source: ProjectScope
    destination: ProjectScope
    destination_vault_id: str
    name: str | None = None
    description: str | None = None
    enable_acceleration: bool = False
    adopt: bool = True

    def __str__(self) -> str:
        return f"replication of backup ({self.backup_id}) to region {self.destination.region!r}"

    def request(self) -> ReplicateRequest:
        """Return what to submit."""
        return ReplicateRequest(
            destination_region=self.destination.region,
            destination_project_id=self.destination.project_id,
            destination_vault_id=self.destination_vault_id,
            name=self.name,
            description=self.description,
            enable_acceleration=self.enable_acceleration,
        )


class DesiredVaultReplication(Struct, frozen=True):
    """The copy of a whole vault as declared, with both projects resolved."""

    vault_id: str
    source: ProjectScope
    destination: ProjectScope
    destination_vault_id: str
    enable_acceleration: bool = False
    adopt: bool = True

    def __str__(self) -> str:
        return f"replication of vault ({self.vault_id}) to region {self.destination.region!r}"

    def of_backup(self, backup_id: str) -> DesiredReplication:
        """Return what is declared of one backup of the vault; what exists of it is not refused."""
        return DesiredReplication(
            backup_id=backup_id,
            source=self.source,
            destination=self.destination,
            destination_vault_id=self.destination_vault_id,
        )

    def request(self) -> ReplicateVaultRequest:
        """Return what to submit."""
        return ReplicateVaultRequest(
            vault_id=self.vault_id,
            destination_region=self.destination.region,
            destination_project_id=self.destination.project_id,
            destination_vault_id=self.destination_vault_id,
            enable_acceleration=self.enable_acceleration,
        )


class TrackedReplication(Struct, frozen=True):
    """A replication as last known: what identifies it, and what was observed of it.

    `replica_name` is the replica's name as observed, None while that is not known.
    `failure` is the code and reason of a copy that failed, in words. `is_adopted` says that it
    existed before; it is not kept.
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
    failure: str | None = None
    is_adopted: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether the copy is known to have ended, with a replica or without."""
        return self.status in ENDED_RECORD_STATUSES

    @property
    def has_failed(self) -> bool:
        """Whether the copy ended without a replica; one that was skipped may still name one."""
        is_named = self.status == STATUS_SKIPPED and self.destination_backup_id is not None
        return self.status in FAILED_RECORD_STATUSES and not is_named

    @property
    def has_been_seen(self) -> bool:
        """Whether the replica was seen in the destination, whole, when last looked at.

        A record may name the replica before it is there; it counts as seen with the copy's end.
        """
        has_ended = self.status in (STATUS_SUCCESS, STATUS_SKIPPED)
        return has_ended and self.destination_backup_id is not None

    def __str__(self) -> str:
        return f"replication record ({self.replication_record_id})"
