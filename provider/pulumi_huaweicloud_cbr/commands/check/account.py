"""What `check` found out about an account: plain values, and their form as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.text import redact

FORMAT = 1
"""Of the JSON document; another number tells that a member was removed or means something else."""

GRANTED, MISSING, UNKNOWN = "granted", "missing", "unknown"
"""What is known of a permission."""
POSSIBLE, COPIED, REFUSED = "possible", "copied", "refused"
"""Of a vault and a backup: it can be copied there, it is there or on its way, CBR would refuse."""


@dataclass(frozen=True)
class SignIn:
    """How requests are signed in: `way` is None where nothing is given to do so with."""

    way: str | None
    text: str
    reason: str


@dataclass(frozen=True)
class Remark:
    """Something to do before replications can be made, or worth knowing if `is_to_do` is false.

    `check` says what it is about, in one word; `permission` is the IAM action that is missing.
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
        """Return what an error says, with another remedy where that says more."""
        return cls(
            check,
            error.message,
            remedy or error.remedy,
            code=error.code,
            request_id=error.request_id,
        )

    def as_note(self) -> Remark:
        """Return the same as something that may be left as it is."""
        return replace(self, is_to_do=False)

    def __str__(self) -> str:
        text = f"{self.observed}; {self.remedy}" if self.remedy else self.observed
        request = f"request {self.request_id}" if self.request_id else None
        tail = ", ".join(part for part in (self.code, request) if part)
        return f"{text} [{tail}]" if tail else text


@dataclass(frozen=True)
class VaultLook:
    """A vault of type replication; `faults` say why it takes no copy at present."""

    id: str
    name: str | None
    object_type: str | None
    status: str | None
    size_gb: int | None
    free_gb: float | None
    faults: tuple[str, ...] = ()


@dataclass
class RegionLook:
    """What was seen of a region; None stands for what could not be asked.

    `is_asked` says that the user named it: what is amiss elsewhere need not be put right.
    `given_project_id` is what the user named, `named_project_id` the project named like the region,
    and `project_id` the one of the two that was looked into. `unseen_because` says why nothing
    further was asked. `destinations` is for the source, `vaults` for the others.
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
        """Keep a remark: as a note, where the user did not ask for the region."""
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
    status: str
    progress: int | None
    replica_id: str | None
    failure: str | None


@dataclass(frozen=True)
class TargetLook:
    """Whether the backup can be copied to a vault; `answer` is unknown where it was not told."""

    region: str
    vault_id: str
    vault_name: str | None
    answer: str
    reasons: tuple[str, ...]


@dataclass
class BackupLook:
    """What was seen of the backup; all but its id is None where it could not be read."""

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
    """All that was seen; `settings` maps the names of settings to where they were found.

    `id` is the account's, as IAM tells it with a project. `clock_ahead_s` is how far this machine's
    clock is ahead of the service's.
    """

    sign_in: SignIn
    settings: dict[str, str] = field(default_factory=dict)
    id: str | None = None
    clock_ahead_s: float | None = None
    source: RegionLook | None = None
    destinations: list[RegionLook] = field(default_factory=list)
    backup: BackupLook | None = None
    remarks: list[Remark] = field(default_factory=list)

    @property
    def regions(self) -> list[RegionLook]:
        """Return the source, if there is one, and the destinations."""
        return [*([self.source] if self.source else []), *self.destinations]

    @property
    def to_do_count(self) -> int:
        """Return how many things are to be done before all is well."""
        looks: list[Account | RegionLook | BackupLook] = [self, *self.regions]
        if self.backup:
            looks.append(self.backup)
        return sum(remark.is_to_do for look in looks for remark in look.remarks)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints; the user guide describes it."""
        document = {"format": FORMAT, "is_ready": not self.to_do_count, **asdict(self)}
        if self.clock_ahead_s is not None:
            # Dates in headers are in whole seconds.
            document["clock_ahead_s"] = round(self.clock_ahead_s)
        redacted: dict[str, Any] = _redacted(document)
        return redacted


def _redacted(value: Any) -> Any:
    """Return a value without secrets, whatever a service put into a name."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: _redacted(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [_redacted(member) for member in value]
    return value
