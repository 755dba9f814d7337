"""The responses of CBR and IAM as typed values.

Decoding is lenient where the vendor's own samples are: nulls in required fields, unknown fields,
unknown statuses, numbers as text. What the definitions do not require may be missing, and then is
unknown. It is strict if a wrong type would mislead us. `Replica` is not of the wire: it is the
result of a look-up. Separate from `requests`, so that a program that decodes nothing does not load
this module.
Source: CBR API reference, CopyBackup, CopyCheckpoint, ShowBackup, ListBackups, ShowVault,
ListOpLogs and ShowReplicationCapabilities; IAM API reference, KeystoneListProjects.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Annotated, ClassVar

from msgspec import Meta, Struct
from msgspec.structs import fields, force_setattr

from pulumi_huaweicloud_cbr.api.wire.requests import (
    PENDING_RECORD_STATUSES,
    STATUS_SKIPPED,
    STATUS_SUBMITTED,
    STATUS_SUCCESS,
    is_unreadable,
)
from pulumi_huaweicloud_cbr.base.text import readable

# Ids select what is changed or deleted. So they are validated. The id in the response to a
# submission becomes the resource's own.
# `\\Z`, since `$` lets a line break follow.
Id = Annotated[str, Meta(pattern=r"^[!-~]{1,255}\Z")]
Uuid = Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\Z")]
IdIfAny = Annotated[str, Meta(pattern=r"^[!-~]{0,255}\Z")]
RegionName = Annotated[str, Meta(max_length=255)]
"""A region's id, or another name of it, such as ``southchina``; validated before it is used."""
Word = Annotated[str, Meta(max_length=64)]
"""A status or a type, known or unknown."""
Number = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class WireModel(Struct, frozen=True, kw_only=True):
    """Base of everything decoded from a response: immutable, unknown fields ignored.

    CBR omits, nulls or empties a field without a value: an optional field is None then.

    `is_lenient`: what is odd in such an answer is left out, see `salvage`. `strict_fields`: if one
    of these cannot be read, nothing of its row counts.
    """

    is_lenient: ClassVar[bool] = False
    strict_fields: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for field in _optional_fields(type(self)):
            if getattr(self, field) == "":
                force_setattr(self, field, None)


@functools.cache
def _optional_fields(model: type[WireModel]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(model) if field.default is None)


class RecordExtraInfo(WireModel, frozen=True):
    """The progress of a copy, and why it failed."""

    progress: Number | None = None
    fail_code: str | None = None
    fail_reason: str | None = None


class ReplicationRecord(WireModel, frozen=True):
    """One attempt to copy a backup to another region, as the source backup lists it.

    The definition requires only the id. A record without a status has an unknown one.
    """

    id: Id
    status: Word | None = None
    created_at: str | None = None
    destination_backup_id: IdIfAny | None = None
    destination_checkpoint_id: IdIfAny | None = None
    destination_project_id: IdIfAny | None = None
    destination_region: RegionName | None = None
    destination_vault_id: IdIfAny | None = None
    extra_info: RecordExtraInfo | None = None

    @property
    def is_pending(self) -> bool:
        """Whether the copy is waiting or under way."""
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
    """A backup, or a replica if `image_type` is ``replication``; sizes in GB.

    `replication_records` is None if the answer does not tell them. That is not the same as none.
    """

    # Without its mark, another stack's replica would look like nobody's.
    strict_fields: ClassVar[frozenset[str]] = frozenset({"description"})

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
    def may_be_replica(self) -> bool:
        """Whether this backup is a copy from another region, or does not tell its type."""
        return self.image_type in (None, "replication")

    @property
    def is_unreadable(self) -> bool:
        """Whether this stands for a row of which nothing could be read."""
        return is_unreadable(self.id)

    @property
    def records(self) -> tuple[ReplicationRecord, ...]:
        """Return the replication records; empty also if the answer does not tell them."""
        return self.replication_records or ()


class VaultBilling(WireModel, frozen=True):
    """Type, status and capacity of a vault: `size` in GB, `used` in MB."""

    status: Word | None = None
    size: Number | None = None
    used: Number | None = None
    protect_type: Word | None = None
    object_type: Word | None = None


class VaultResource(WireModel, frozen=True):
    """A server, file system or disk that a vault protects."""

    id: str | None = None
    name: str | None = None
    type: Word | None = None


class Vault(WireModel, frozen=True):
    """A vault, and what it protects; that is None if the answer does not tell it."""

    id: Id
    name: str | None = None
    project_id: str | None = None
    billing: VaultBilling = VaultBilling()
    resources: tuple[VaultResource, ...] | None = None

    @property
    def takes_replicas(self) -> bool | None:
        """Whether it is of type replication; None if the answer does not tell its type."""
        kind = self.billing.protect_type
        return None if kind is None else kind == "replication"

    @property
    def free_gb(self) -> float | None:
        """Return the free capacity in GB; None if the response lacks a figure for it."""
        if self.billing.size is None or self.billing.used is None:
            return None
        return self.billing.size - self.billing.used / 1024


class Replication(WireModel, frozen=True):
    """The response of CopyBackup: the id of the replication record, and the destination."""

    replication_record_id: Uuid
    backup_id: str | None = None
    project_id: str | None = None
    provider_id: str | None = None
    source_region: str | None = None
    destination_project_id: str | None = None
    destination_region: str | None = None
    destination_vault_id: str | None = None


class CopyOfVault(WireModel, frozen=True):
    """One backup that a copy of an entire vault includes, with its replication record's id."""

    backup_id: Id
    replication_record_id: Uuid


class VaultCopies(WireModel, frozen=True):
    """The response of CopyCheckpoint: the copies that it started; empty if nothing was left."""

    backups: tuple[CopyOfVault, ...]
    vault_id: str | None = None
    provider_id: str | None = None


class RegionCapability(WireModel, frozen=True):
    """A region and the regions that its backups can be copied to."""

    name: RegionName
    replication_destinations: tuple[RegionName, ...] | None = None


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
    """IAM's description of a token; the token itself is in a header."""

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
"""The status of a record for each status of its task (CBR API reference, ListOpLogs, status)."""


class TaskReplication(WireModel, frozen=True):
    """What the log of a replication task says about the source backup and the replica."""

    source_backup_id: str | None = None
    destination_backup_id: IdIfAny | None = None
    destination_checkpoint_id: IdIfAny | None = None
    destination_project_id: IdIfAny | None = None
    destination_region: RegionName | None = None


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
        """Whether the task is waiting or running."""
        return self.status in RECORD_STATUSES_OF_TASKS

    @property
    def replication(self) -> TaskReplication:
        """Return the task's part about a replication; empty for other kinds of tasks."""
        extra = self.extra_info or TaskExtraInfo()
        return extra.replication or TaskReplication()


class BackupEnvelope(WireModel, frozen=True):
    """``{"backup": …}``."""

    is_lenient: ClassVar[bool] = True
    backup: Backup


class BackupPage(WireModel, frozen=True):
    """One page of ListBackups."""

    is_lenient: ClassVar[bool] = True
    backups: tuple[Backup, ...]
    count: Number | None = None

    @property
    def rows(self) -> tuple[Backup, ...]:
        """Return the rows."""
        return self.backups


class VaultEnvelope(WireModel, frozen=True):
    """``{"vault": …}``."""

    is_lenient: ClassVar[bool] = True
    vault: Vault


class VaultPage(WireModel, frozen=True):
    """One page of ListVault or ListExternalVault."""

    is_lenient: ClassVar[bool] = True
    vaults: tuple[Vault, ...]
    count: Number | None = None

    @property
    def rows(self) -> tuple[Vault, ...]:
        """Return the rows."""
        return self.vaults


class ReplicationEnvelope(WireModel, frozen=True):
    """``{"replication": …}``."""

    replication: Replication


class VaultCopiesEnvelope(WireModel, frozen=True):
    """``{"replication": …}`` of an entire vault."""

    replication: VaultCopies


class CapabilitiesEnvelope(WireModel, frozen=True):
    """``{"regions": […]}``."""

    is_lenient: ClassVar[bool] = True
    regions: tuple[RegionCapability, ...]


class ProjectPage(WireModel, frozen=True):
    """``{"projects": […]}``."""

    is_lenient: ClassVar[bool] = True
    projects: tuple[Project, ...]


class TaskPage(WireModel, frozen=True):
    """One page of ListOpLogs."""

    is_lenient: ClassVar[bool] = True
    operation_logs: tuple[Task, ...]
    count: Number | None = None

    @property
    def rows(self) -> tuple[Task, ...]:
        """Return the rows."""
        return self.operation_logs


class Replica(Struct, frozen=True):
    """The result of a look-up of a replication's replica.

    `backup_id` is the replica's id if any source names it, else None. `backup` is the backup with
    that id in the destination now; None if it is gone.
    """

    backup_id: str | None
    backup: Backup | None

    @property
    def is_gone(self) -> bool:
        """Whether there is no replica."""
        return self.backup is None
