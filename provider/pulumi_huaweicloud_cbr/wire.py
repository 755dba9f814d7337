"""What CBR and IAM say, as typed values; with `models`, the only home of wire spelling.

Responses are decoded leniently where the vendor's own samples are (nulls in required fields,
unknown fields, unknown statuses) and strictly where a wrong type would mislead us. Apart from
`models`, so that a program which decodes nothing does not pay for pydantic.
Source: CBR API reference, CopyBackup, CopyCheckpoint, ShowBackup, ListBackups, ShowVault,
ListOpLogs and ShowReplicationCapabilities; IAM API reference, KeystoneListProjects.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from pulumi_huaweicloud_cbr.models import (
    PENDING_RECORD_STATUSES,
    REGION_ID,
    STATUS_SKIPPED,
    STATUS_SUBMITTED,
    STATUS_SUCCESS,
    readable,
)


def _empty_as_none(value: Any) -> Any:
    return None if value == "" else value


def _in_utc(value: datetime) -> datetime:
    return value if value.tzinfo else value.replace(tzinfo=timezone.utc)


# An id leads to what is changed or deleted, and a region to where credentials are sent, so neither
# is taken on trust; the id that a submission answers becomes the resource's own.
Id = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
Uuid = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$")
]
RegionId = Annotated[str, StringConstraints(pattern=f"^{REGION_ID.pattern}$")]
Word = Annotated[str, StringConstraints(max_length=64)]
"""A status or a type, known or not."""
Number = Annotated[int, Field(ge=-(2**63), lt=2**63)]
Moment = Annotated[datetime, AfterValidator(_in_utc)]

Row = TypeVar("Row")
# Of a list full of junk the first fault is told, and no others are kept.
Rows = Annotated[tuple[Row, ...], Field(fail_fast=True)]

OptionalText = Annotated[str | None, BeforeValidator(_empty_as_none)]
"""A string that CBR leaves out, nulls or empties when it has nothing to say."""
OptionalId = Annotated[Id | None, BeforeValidator(_empty_as_none)]
OptionalRegionId = Annotated[RegionId | None, BeforeValidator(_empty_as_none)]


class WireModel(BaseModel):
    """Base of everything decoded from a response: immutable, unknown fields ignored."""

    # Built at first use: most runs of a program decode nothing.
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class RecordExtraInfo(WireModel):
    """How far a copy got, and why it failed."""

    progress: Number | None = None
    fail_code: OptionalText = None
    fail_reason: OptionalText = None


class ReplicationRecord(WireModel):
    """One attempt to copy a backup to another region, as the source backup lists it."""

    id: Id
    status: Word
    created_at: OptionalText = None
    destination_backup_id: OptionalId = None
    destination_checkpoint_id: OptionalId = None
    destination_project_id: OptionalId = None
    destination_region: OptionalRegionId = None
    destination_vault_id: OptionalId = None
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


class BackupExtendInfo(WireModel):
    """The part of a backup's `extend_info` that decides whether it can be copied."""

    contain_system_disk: bool | None = None


class Backup(WireModel):
    """A backup, or a replica where `image_type` is ``replication``; sizes in GB."""

    id: Id
    name: str | None = None
    description: str | None = None
    project_id: str | None = None
    vault_id: str | None = None
    checkpoint_id: OptionalId = None
    image_type: str | None = None
    status: Word | None = None
    resource_id: OptionalText = None
    resource_name: str | None = None
    resource_type: Word | None = None
    resource_size: Number | None = None
    provider_id: OptionalText = None
    created_at: OptionalText = None
    expired_at: OptionalText = None
    extend_info: BackupExtendInfo | None = None
    replication_records: Rows[ReplicationRecord] | None = None

    @property
    def is_replica(self) -> bool:
        """Whether this backup is itself a copy from another region."""
        return self.image_type == "replication"

    @property
    def records(self) -> tuple[ReplicationRecord, ...]:
        """Return the replication records, none when the field is missing or null."""
        return self.replication_records or ()


class VaultBilling(WireModel):
    """Kind, state and room of a vault: `size` in GB, `used` in MB."""

    status: Word | None = None
    size: Number | None = None
    used: Number | None = None
    protect_type: Word | None = None
    object_type: Word | None = None


class Vault(WireModel):
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


class Replication(WireModel):
    """What CopyBackup answers: the record to follow the copy by, and the destination echoed."""

    replication_record_id: Uuid
    backup_id: OptionalText = None
    project_id: OptionalText = None
    provider_id: OptionalText = None
    source_region: OptionalText = None
    destination_project_id: OptionalText = None
    destination_region: OptionalText = None
    destination_vault_id: OptionalText = None


class CopyOfVault(WireModel):
    """One backup that a vault-level copy takes, and the record to follow it by."""

    backup_id: Id
    replication_record_id: Uuid


class VaultCopies(WireModel):
    """What CopyCheckpoint answers: the copies that it began, none where nothing was left to do."""

    backups: Rows[CopyOfVault]
    vault_id: OptionalText = None
    provider_id: OptionalText = None


class RegionCapability(WireModel):
    """A region and the regions that its backups can be copied to."""

    name: str
    replication_destinations: Rows[RegionId]


class Project(WireModel):
    """An IAM project; `domain_id` is the account's."""

    id: Id
    name: str
    domain_id: OptionalId = None
    enabled: bool | None = None


class TokenProject(WireModel):
    """The project that a token is scoped to."""

    id: Id


class TokenBody(WireModel):
    """What IAM says of a token; the token itself is in a header."""

    issued_at: Moment | None = None
    expires_at: Moment | None = None
    project: TokenProject | None = None


class TokenEnvelope(WireModel):
    """``{"token": …}``."""

    token: TokenBody


RECORD_STATUSES_OF_TASKS = {"waiting": STATUS_SUBMITTED, "running": "replicating"}
"""What a record says while its task says this (CBR API reference, ListOpLogs, status)."""


class TaskReplication(WireModel):
    """What the log of a replication task says of the two backups."""

    source_backup_id: OptionalText = None
    destination_backup_id: OptionalId = None
    destination_checkpoint_id: OptionalId = None
    destination_project_id: OptionalId = None
    destination_region: OptionalText = None


class TaskExtraInfo(WireModel):
    """The part of a task's `extra_info` that concerns replication."""

    replication: TaskReplication | None = None


class Task(WireModel):
    """One entry of the operation log."""

    id: str
    status: Word | None = None
    created_at: OptionalText = None
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


class BackupEnvelope(WireModel):
    """``{"backup": …}``."""

    backup: Backup


class BackupPage(WireModel):
    """One page of ListBackups."""

    backups: Rows[Backup]
    count: int | None = None


class VaultEnvelope(WireModel):
    """``{"vault": …}``."""

    vault: Vault


class VaultPage(WireModel):
    """One page of ListVault or ListExternalVault."""

    vaults: Rows[Vault]
    count: int | None = None


class ReplicationEnvelope(WireModel):
    """``{"replication": …}``."""

    replication: Replication


class VaultCopiesEnvelope(WireModel):
    """``{"replication": …}`` of a whole vault."""

    replication: VaultCopies


class CapabilitiesEnvelope(WireModel):
    """``{"regions": […]}``."""

    regions: Rows[RegionCapability]


class ProjectPage(WireModel):
    """``{"projects": […]}``."""

    projects: Rows[Project]


class TaskPage(WireModel):
    """One page of ListOpLogs."""

    operation_logs: Rows[Task]
    count: int | None = None


@dataclass(frozen=True)
class Replica:
    """Where a replication's replica was looked for, and what was found there.

    `backup_id` is the replica's id as far as any source tells it, None when none does;
    `backup` is what stands under that id in the destination now, None when it is gone.
    """

    backup_id: str | None
    backup: Backup | None

    @property
    def is_gone(self) -> bool:
        """Whether there is no replica."""
        return self.backup is None
