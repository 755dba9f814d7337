"""What CBR and IAM say, as typed values; with `requests`, the only home of wire spelling.

Responses are decoded leniently where the vendor's own samples are (nulls in required fields,
unknown fields, unknown statuses, numbers as text) and strictly where a wrong type would mislead us.
Apart from `requests`, so that a program which decodes nothing does not pay for it.
Source: CBR API reference, CopyBackup, CopyCheckpoint, ShowBackup, ListBackups, ShowVault,
ListOpLogs and ShowReplicationCapabilities; IAM API reference, KeystoneListProjects.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Annotated

from msgspec import Meta, Struct
from msgspec.structs import fields, force_setattr

from pulumi_huaweicloud_cbr.api.wire.requests import (
    PENDING_RECORD_STATUSES,
    STATUS_SKIPPED,
    STATUS_SUBMITTED,
    STATUS_SUCCESS,
    readable,
)
from pulumi_huaweicloud_cbr.base.text import REGION_ID

# An id leads to what is changed or deleted, and a region to where credentials are sent, so neither
# is taken on trust; the id that a submission answers becomes the resource's own.
# `\\Z`, since `$` lets a line break follow.
Id = Annotated[str, Meta(pattern=r"^[!-~]{1,255}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")]
RegionId = Annotated[str, Meta(pattern=rf"^{REGION_ID.pattern}\Z")]
IdIfAny = Annotated[str, Meta(pattern=r"^[!-~]{0,255}\Z")]
RegionIdIfAny = Annotated[str, Meta(pattern=rf"^({REGION_ID.pattern})?\Z")]
Word = Annotated[str, Meta(max_length=64)]
"""A status or a type, known or not."""
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class WireModel(Struct, frozen=True, kw_only=True):
    """Base of everything decoded from a response: immutable, unknown fields ignored.

    What CBR has nothing to say of it leaves out, nulls or empties: an optional field is None then.
    """

    def __post_init__(self) -> None:
        for field in _optional_fields(type(self)):
            if getattr(self, field) == "":
                force_setattr(self, field, None)


@functools.cache
def _optional_fields(model: type[WireModel]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(model) if field.default is None)


class RecordExtraInfo(WireModel, frozen=True):
    """How far a copy got, and why it failed."""

    progress: Number | None = None
    fail_code: str | None = None
    fail_reason: str | None = None


class ReplicationRecord(WireModel, frozen=True):
    """One attempt to copy a backup to another region, as the source backup lists it."""

    id: Id
    status: Word
    created_at: str | None = None
    destination_backup_id: IdIfAny | None = None
    destination_checkpoint_id: IdIfAny | None = None
    destination_project_id: IdIfAny | None = None
    destination_region: RegionIdIfAny | None = None
    destination_vault_id: IdIfAny | None = None
    extra_info: RecordExtraInfo | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the copy is still to come or under way."""
        return self.status in PENDING_RECORD_STATUSES

    @property
    def is_failed(self) -> bool:
        """Whether the attempt ended without a replica."""
        if self.status == STATUS_SKIPPED:
            return self.destination_backup_id is None
        return self.status == "fail"

    @property
    def is_succeeded(self) -> bool:
        """Whether the attempt ended with a replica."""
        return self.status == STATUS_SUCCESS or (
            self.status == STATUS_SKIPPED and not self.is_failed
        )

    @property
    def failure(self) -> str:
        """Return the code and reason of a failure in words."""
        extra = self.extra_info or RecordExtraInfo()
        parts = [part for part in (extra.fail_code, extra.fail_reason) if part]
        return readable(": ".join(parts)) or "CBR gave no reason"


class BackupExtendInfo(WireModel, frozen=True):
    """The part of a backup's `extend_info` that decides whether it can be copied."""

    contain_system_disk: bool | None = None


class Backup(WireModel, frozen=True):
    """A backup, or a replica where `image_type` is ``replication``; sizes in GB."""

    id: Id
    name: str | None = None
    description: str | None = None
    project_id: str | None = None
    vault_id: str | None = None
    checkpoint_id: IdIfAny | None = None
    image_type: str | None = None
    status: Word | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    resource_type: Word | None = None
    resource_size: Number | None = None
    provider_id: str | None = None
    created_at: str | None = None
    expired_at: str | None = None
    extend_info: BackupExtendInfo | None = None
    replication_records: tuple[ReplicationRecord, ...] | None = None

    @property
    def is_replica(self) -> bool:
        """Whether this backup is itself a copy from another region."""
        return self.image_type == "replication"

    @property
    def records(self) -> tuple[ReplicationRecord, ...]:
        """Return the replication records, none when the field is missing or null."""
        return self.replication_records or ()


class VaultBilling(WireModel, frozen=True):
    """Kind, state and room of a vault: `size` in GB, `used` in MB."""

    status: Word | None = None
    size: Number | None = None
    used: Number | None = None
    protect_type: Word | None = None
    object_type: Word | None = None


class Vault(WireModel, frozen=True):
    """A vault; one that takes replicas has `billing.protect_type` ``replication``."""

    id: Id
    name: str | None = None
    project_id: str | None = None
    billing: VaultBilling = VaultBilling()

    @property
    def free_gb(self) -> float | None:
        """Return the free room in GB, None when the vault does not tell."""
        if self.billing.size is None or self.billing.used is None:
            return None
        return self.billing.size - self.billing.used / 1024


class Replication(WireModel, frozen=True):
    """What CopyBackup answers: the record to follow the copy by, and the destination echoed."""

    replication_record_id: Uuid
    backup_id: str | None = None
    project_id: str | None = None
    provider_id: str | None = None
    source_region: str | None = None
    destination_project_id: str | None = None
    destination_region: str | None = None
    destination_vault_id: str | None = None


class CopyOfVault(WireModel, frozen=True):
    """One backup that a vault-level copy takes, and the record to follow it by."""

    backup_id: Id
    replication_record_id: Uuid


class VaultCopies(WireModel, frozen=True):
    """What CopyCheckpoint answers: the copies that it began, none where nothing was left to do."""

    backups: tuple[CopyOfVault, ...]
    vault_id: str | None = None
    provider_id: str | None = None


class RegionCapability(WireModel, frozen=True):
    """A region and the regions that its backups can be copied to."""

    name: str
    replication_destinations: tuple[RegionId, ...]


class Project(WireModel, frozen=True):
    """An IAM project; `domain_id` is the account's."""

    id: Id
    name: str
    domain_id: IdIfAny | None = None
    enabled: bool | None = None


class TokenProject(WireModel, frozen=True):
    """The project that a token is scoped to."""

    id: Id


class TokenBody(WireModel, frozen=True):
    """What IAM says of a token; the token itself is in a header."""

    issued_at: datetime | None = None
    expires_at: datetime | None = None
    project: TokenProject | None = None

    def __post_init__(self) -> None:
        for field in ("issued_at", "expires_at"):
            moment = getattr(self, field)
            if moment is not None and moment.tzinfo is None:
                force_setattr(self, field, moment.replace(tzinfo=UTC))


class TokenEnvelope(WireModel, frozen=True):
    """``{"token": …}``."""

    token: TokenBody


RECORD_STATUSES_OF_TASKS = {"waiting": STATUS_SUBMITTED, "running": "replicating"}
"""What a record says while its task says this (CBR API reference, ListOpLogs, status)."""


class TaskReplication(WireModel, frozen=True):
    """What the log of a replication task says of the two backups."""

    source_backup_id: str | None = None
    destination_backup_id: IdIfAny | None = None
    destination_checkpoint_id: IdIfAny | None = None
    destination_project_id: IdIfAny | None = None
    destination_region: str | None = None


class TaskExtraInfo(WireModel, frozen=True):
    """The part of a task's `extra_info` that concerns replication."""

    replication: TaskReplication | None = None


class Task(WireModel, frozen=True):
    """One entry of the operation log."""

    id: str
    status: Word | None = None
    created_at: str | None = None
    extra_info: TaskExtraInfo | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether what the task does is still to come or being done."""
        return self.status in RECORD_STATUSES_OF_TASKS

    @property
    def replication(self) -> TaskReplication:
        """Return what the task says of a replication, empty for another kind of task."""
        extra = self.extra_info or TaskExtraInfo()
        return extra.replication or TaskReplication()


class BackupEnvelope(WireModel, frozen=True):
    """``{"backup": …}``."""

    backup: Backup


class BackupPage(WireModel, frozen=True):
    """One page of ListBackups."""

    backups: tuple[Backup, ...]
    count: int | None = None

    @property
    def rows(self) -> tuple[Backup, ...]:
        """Return what is listed."""
        return self.backups


class VaultEnvelope(WireModel, frozen=True):
    """``{"vault": …}``."""

    vault: Vault


class VaultPage(WireModel, frozen=True):
    """One page of ListVault or ListExternalVault."""

    vaults: tuple[Vault, ...]
    count: int | None = None

    @property
    def rows(self) -> tuple[Vault, ...]:
        """Return what is listed."""
        return self.vaults


class ReplicationEnvelope(WireModel, frozen=True):
    """``{"replication": …}``."""

    replication: Replication


class VaultCopiesEnvelope(WireModel, frozen=True):
    """``{"replication": …}`` of a whole vault."""

    replication: VaultCopies


class CapabilitiesEnvelope(WireModel, frozen=True):
    """``{"regions": […]}``."""

    regions: tuple[RegionCapability, ...]


class ProjectPage(WireModel, frozen=True):
    """``{"projects": […]}``."""

    projects: tuple[Project, ...]


class TaskPage(WireModel, frozen=True):
    """One page of ListOpLogs."""

    operation_logs: tuple[Task, ...]
    count: int | None = None

    @property
    def rows(self) -> tuple[Task, ...]:
        """Return what is listed."""
        return self.operation_logs


class Replica(Struct, frozen=True):
    """Where a replication's replica was looked for, and what was found there.

    `backup_id` is the replica's id if any source names it, else None. `backup` is what the
    destination has under that id now, None if it is gone.
    """

    backup_id: str | None
    backup: Backup | None

    @property
    def is_gone(self) -> bool:
        """Whether there is no replica."""
        return self.backup is None
