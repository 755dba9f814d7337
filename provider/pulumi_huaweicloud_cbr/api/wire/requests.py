"""Request bodies for CBR, the project they go to, and the statuses of replication records.

Plain values without decoding: `answers` has the models of responses.
Source: CBR API reference, CopyBackup, CopyCheckpoint, ReplicationRecordGet.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class ProjectScope(Struct, frozen=True):
    """A project in a region: where a request goes, and what its credentials must be valid for."""

    region: str
    project_id: str

    def __str__(self) -> str:
        return f"region {self.region!r}, project ({self.project_id})"


UNREADABLE = "<unreadable:"
"""How the id begins that a row gets whose own id cannot be read; no id of CBR begins so."""


def is_unreadable(id_: str) -> bool:
    """Whether an id stands for a row of which nothing could be read."""
    return id_.startswith(UNREADABLE)


PENDING_RECORD_STATUSES = frozenset({"waiting_replicate", "replicating"})
"""The copy is waiting or under way (CBR API reference, ReplicationRecordGet)."""

STATUS_SUBMITTED = "waiting_replicate"
STATUS_SUCCESS = "success"
STATUS_SKIPPED = "skip"
FAILED_RECORD_STATUSES = frozenset({"fail", STATUS_SKIPPED})
"""Nothing was copied. The vendor does not define `skip`; it failed unless it names a replica."""
ENDED_RECORD_STATUSES = FAILED_RECORD_STATUSES | {STATUS_SUCCESS}


class ReplicateRequest(Struct, frozen=True):
    """The body of CopyBackup."""

    destination_region: str
    destination_project_id: str
    destination_vault_id: str
    name: str | None = None
    description: str | None = None
    enable_acceleration: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body; optional fields are omitted rather than sent empty."""
        replicate: dict[str, Any] = {
            "destination_region": self.destination_region,
            "destination_project_id": self.destination_project_id,
            "destination_vault_id": self.destination_vault_id,
        }
        if self.name is not None:
            replicate["name"] = self.name
        if self.description is not None:
            replicate["description"] = self.description
        if self.enable_acceleration:
            # Accounts gated by OP_GATED_CSBS_REP_ACCELERATION refuse the key itself with
            # BackupService.9900, so false is expressed by omission.
            replicate["enable_acceleration"] = True
        return {"replicate": replicate}


class ReplicateVaultRequest(Struct, frozen=True):
    """The body of CopyCheckpoint, which takes a vault's id in spite of its name."""

    vault_id: str
    destination_region: str
    destination_project_id: str
    destination_vault_id: str
    enable_acceleration: bool = False

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON body; `auto_trigger` is for policies, and false if omitted."""
        replicate: dict[str, Any] = {
            "vault_id": self.vault_id,
            "destination_region": self.destination_region,
            "destination_project_id": self.destination_project_id,
            "destination_vault_id": self.destination_vault_id,
        }
        if self.enable_acceleration:
            # As in CopyBackup: false is expressed by omission.
            replicate["enable_acceleration"] = True
        return {"replicate": replicate}
