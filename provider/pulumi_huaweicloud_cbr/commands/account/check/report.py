"""The result of `check`: plain values about an account, and their JSON document.

Nothing here queries the API: `examiner` does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands._cli.text import redacted

FORMAT = 1
"""Of the JSON document. A new number means that a member was removed or has another meaning."""

GRANTED, MISSING, UNKNOWN = "granted", "missing", "unknown"
"""The states of a permission."""
POSSIBLE, COPIED, REFUSED = "possible", "copied", "refused"
"""For a vault and a backup: it can be copied there; a copy exists or is running; CBR refuses."""


@dataclass(frozen=True)
class SignIn:
    """How requests are signed in; `way` is None if there are no credentials."""

    way: str | None
    text: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """Something to do before replications can be made, or only a note if `is_to_do` is false.

    `check` is its subject in one word. `permission` is the IAM action that is missing.
    """

    check: str
    observed: str
    remedy: str | None = None
    is_to_do: bool = True
    permission: str | None = None
    code: str | None = None
    request_id: str | None = None

    @classmethod
    def of(cls, check: str, error: CbrError, remedy: str | None = None) -> Remark:
        """Return the remark about an error; `remedy` replaces the error's own."""
        return cls(
            check,
            error.message,
            remedy or error.remedy,
            code=error.code,
            request_id=error.request_id,
        )

    def as_note(self) -> Remark:
        """Return the same remark as a note, which needs no action."""
        return replace(self, is_to_do=False)

    def __str__(self) -> str:
        text = f"{self.observed}; {self.remedy}" if self.remedy else self.observed
        request = f"request {self.request_id}" if self.request_id else None
        tail = ", ".join(part for part in (self.code, request) if part)
        return f"{text} [{tail}]" if tail else text


@dataclass(frozen=True)
class VaultLook:
    """A vault of type replication; `faults` are the reasons why it takes no copy at present."""

    id: str
    name: str | None
    object_type: str | None
    status: str | None
    size_gb: int | None
    free_gb: float | None
    faults: tuple[str, ...] = ()


@dataclass
class RegionLook:
    """What was observed of a region; None means that it could not be queried.

    `is_asked`: the user named the region, so its faults have to be fixed. `given_project_id` is
    the user's project, `named_project_id` the one named like the region. `project_id` is the one of
    the two that was examined. `unseen_because` is the reason why nothing more was queried.
    `destinations` is for the source, `vaults` for the others.
    """

    region: str
    is_source: bool
    is_asked: bool
    cbr_url: str
    iam_url: str
    given_project_id: str | None = None
    project_id: str | None = None
    named_project_id: str | None = None
    destinations: tuple[str, ...] | None = None
    vaults: tuple[VaultLook, ...] | None = None
    permissions: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    unseen_because: str | None = None

    def add(self, remark: Remark) -> None:
        """Add a remark; if the user did not name the region, it becomes a note."""
        self.remarks.append(remark if self.is_asked else remark.as_note())

    @property
    def usable_vaults(self) -> tuple[VaultLook, ...]:
        """Return the vaults that take a copy at present."""
        return tuple(vault for vault in self.vaults or () if not vault.faults)


@dataclass(frozen=True)
class RecordLook:
    """A replication record of the backup."""

    id: str
    region: str | None
    vault_id: str | None
    status: str | None
    progress: int | None
    replica_id: str | None
    failure: str | None


@dataclass(frozen=True)
class TargetLook:
    """Whether the backup can be copied to a vault; `answer` is unknown if a query failed."""

    region: str
    vault_id: str
    vault_name: str | None
    answer: str
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class ListedBackup:
    """A backup of the source; `age_s` is the time since it was made, in seconds."""

    id: str
    name: str | None
    resource_name: str | None
    resource_type: str | None
    vault_id: str | None
    size_gb: float | None
    status: str | None
    created_at: str | None
    age_s: float | None


@dataclass
class CopyLook:
    """What was observed of the copies that an entry of the stack's configuration declares.

    `possible`, `copied` and `in_state` count its backups: those that can be copied, those of which
    a copy is there or on its way, and those that the stack's state has. An entire vault counts as
    one.
    """

    at: str
    region: str
    vault_id: str
    possible: int = 0
    copied: int = 0
    in_state: int = 0
    remarks: list[Remark] = field(default_factory=list)


@dataclass
class BackupLook:
    """What was observed of the backup; if it could not be read, there is only its id."""

    id: str
    name: str | None = None
    resource_name: str | None = None
    resource_type: str | None = None
    size_gb: int | None = None
    status: str | None = None
    created_at: str | None = None
    records: tuple[RecordLook, ...] = ()
    targets: tuple[TargetLook, ...] = ()
    remarks: list[Remark] = field(default_factory=list)


@dataclass
class Account:
    """The whole result; `settings` maps the names of settings to the places they are from.

    `backups` are those of the source, None if they were not asked for, or could not be listed.
    `id` is the account's; IAM reports it with a project. `clock_ahead_s` is how far this machine's
    clock is ahead of the service's, in seconds.
    """

    sign_in: SignIn
    settings: dict[str, str] = field(default_factory=dict)
    id: str | None = None
    clock_ahead_s: float | None = None
    source: RegionLook | None = None
    destinations: list[RegionLook] = field(default_factory=list)
    copies: list[CopyLook] = field(default_factory=list)
    backups: list[ListedBackup] | None = None
    backup: BackupLook | None = None
    remarks: list[Remark] = field(default_factory=list)

    @property
    def regions(self) -> list[RegionLook]:
        """Return the source, if there is one, and the destinations."""
        return [*([self.source] if self.source else []), *self.destinations]

    @property
    def to_do_count(self) -> int:
        """Return the number of things to do before the account is ready."""
        looks: list[Account | RegionLook | CopyLook | BackupLook]
        looks = [self, *self.regions, *self.copies]
        if self.backup:
            looks.append(self.backup)
        return sum(remark.is_to_do for look in looks for remark in look.remarks)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints (docs/how-to/check-an-account.md)."""
        document = {"format": FORMAT, "is_ready": not self.to_do_count, **asdict(self)}
        if self.clock_ahead_s is not None:
            # Dates in headers are in whole seconds.
            document["clock_ahead_s"] = round(self.clock_ahead_s)
        shown: dict[str, Any] = redacted(document)
        return shown
