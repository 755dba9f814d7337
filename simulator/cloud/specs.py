"""The parts of a world: its initial accounts, regions, projects, vaults and backups.

Omitted ids are generated from names, so the same file always gives the same world.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from simulator.cloud.clock import parse_time
from simulator.cloud.operations import OPERATIONS

_NAMESPACE = uuid.UUID("6f0f8f0e-5b5e-4c36-9d44-0b6f5d7f2c11")

LONGEST_LATENCY_MS = 60_000
BackupStatus = Literal[
    "available",
    "protecting",
    "deleting",
    "restoring",
    "error",
    "waiting_protect",
    "waiting_delete",
    "waiting_restore",
]
"""CBR API reference, ShowBackup, status."""
ResourceType = Literal[
    "OS::Nova::Server",
    "OS::Cinder::Volume",
    "OS::Ironic::BareMetalServer",
    "OS::Native::Server",
    "OS::Sfs::Turbo",
    "OS::Workspace::DesktopV2",
]
"""CBR API reference, ShowBackup, resource_type."""
ObjectType = Literal["server", "disk", "turbo", "workspace", "vmware", "rds", "file"]
"""CBR API reference, CreateVault, object_type."""
VaultStatus = Literal["available", "lock", "frozen", "deleting", "error"]
"""CBR API reference, ShowVault, billing.status."""
OBJECT_TYPES: dict[str, str] = {
    "OS::Nova::Server": "server",
    "OS::Ironic::BareMetalServer": "server",
    "OS::Native::Server": "server",
    "OS::Workspace::DesktopV2": "workspace",
    "OS::Cinder::Volume": "disk",
    "OS::Sfs::Turbo": "turbo",
}
"""The kind of vault for backups of a resource."""


def made_uuid(*parts: str) -> str:
    """Return the UUID of these names, always the same."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def made_hex(*parts: str) -> str:
    """Return 32 hexadecimal digits for these names, always the same."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


def _checked_time(value: Any) -> Any:
    # YAML reads a time without quotation marks as a time.
    text = value.isoformat() if isinstance(value, datetime) else value
    if isinstance(text, str):
        try:
            parse_time(text)
        except ValueError:
            raise ValueError("want a time, such as 2026-11-20T02:00:00") from None
    return text


def _checked_word(text: str) -> str:
    if not re.fullmatch(r"[!-+\--~]+", text):
        raise ValueError("want letters, digits and signs without spaces and commas")
    return text


Name = Annotated[str, StringConstraints(min_length=1)]
Word = Annotated[str, AfterValidator(_checked_word)]
"""A value between the commas of an Authorization header."""
Time = Annotated[str, BeforeValidator(_checked_time)]


class WorldError(Exception):
    """A world file or a state file cannot be used; the text has one line for each error."""


class Part(BaseModel):
    """Base of all parts of a world: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid")


class AccessKey(Part):
    """An access key of a user. With a `security_token` it is temporary, and may expire."""

    access_key: Word
    secret_key: Word = Field(repr=False)
    security_token: Word | None = Field(None, repr=False)
    expires_at: Time | None = None


class User(Part):
    """An IAM user."""

    name: Name
    password: Annotated[str, StringConstraints(min_length=1)] = Field(repr=False)
    access_keys: list[AccessKey] = []


class Account(Part):
    """An account with its users."""

    name: Name
    id: str = ""
    users: list[User] = Field(min_length=1)

    @model_validator(mode="after")
    def _make_id(self) -> Account:
        self.id = self.id or made_hex("account", self.name)
        return self


def user_id_of(account: Account, user: User) -> str:
    """Return the id of a user, always the same."""
    return made_hex("user", account.name, user.name)


class Region(Part):
    """A region, the regions that it can copy to, and its project."""

    name: Name = Field(pattern=r"^[a-zA-Z0-9._\-]+$")
    project_id: str = ""
    replicates_to: list[str] = []

    @model_validator(mode="after")
    def _make_id(self) -> Region:
        self.project_id = self.project_id or made_hex("project", self.name)
        return self


class SubProject(Part):
    """A further project in a region, with a name like ``cn-north-4_team``."""

    name: Name
    region: str
    id: str = ""

    @model_validator(mode="after")
    def _make_id(self) -> SubProject:
        self.id = self.id or made_hex("project", self.name)
        return self


class VaultSpec(Part):
    """A vault; `project` defaults to the region's own.

    It uses `used_mb`, or the size of its backups if that is more.
    """

    name: Name
    region: str
    project: str = ""
    id: str = ""
    protect_type: Literal["backup", "replication", "hybrid"] = "backup"
    object_type: ObjectType = "server"
    size_gb: int = Field(500, ge=1, le=10_485_760)
    used_mb: int = Field(0, ge=0)
    status: VaultStatus = "available"
    charging_mode: Literal["post_paid", "pre_paid"] = "post_paid"

    @model_validator(mode="after")
    def _make_id(self) -> VaultSpec:
        self.id = self.id or made_uuid("vault", self.region, self.name)
        return self


class CopyScript(Part):
    """The progress and result of a copy.

    `seconds` counts by the simulator's clock, divided by its speed. Without it, a copy takes as
    long as its size at 80 MB/s. `reads` ends it at that poll of the record.
    """

    mode: Literal["seconds", "immediate", "after_reads", "never"] = "seconds"
    seconds: float | None = Field(None, ge=0)
    reads: int = Field(1, ge=1)
    outcome: Literal["success", "fail", "skip"] = "success"
    fail_code: str = "BackupService.6129"
    fail_reason: str = "destination vault full"


class BackupSpec(Part):
    """A backup in a vault, or `repeat` of them: their names get a number, from ``-0001`` on."""

    name: Name
    repeat: int = Field(1, ge=1, le=100_000)
    vault: str
    id: str = ""
    resource_name: str = ""
    resource_id: str = ""
    resource_type: ResourceType = "OS::Nova::Server"
    size_gb: int = Field(40, ge=1)
    status: BackupStatus = "available"
    image_type: Literal["backup", "replication"] = "backup"
    contain_system_disk: bool = True
    created_at: Time = "2026-11-20T02:00:11.905331"
    expired_at: Time | None = None
    description: str | None = ""
    copy_script: CopyScript | None = Field(None, alias="copy")

    @model_validator(mode="after")
    def _make_ids(self) -> BackupSpec:
        if self.repeat > 1:
            if self.id or self.resource_id:
                raise ValueError("want no id and no resource_id beside repeat: they are made")
            return self
        self.id = self.id or made_uuid("backup", self.vault, self.name)
        self.resource_name = self.resource_name or self.name
        self.resource_id = self.resource_id or made_uuid("resource", self.resource_name)
        return self

    def each(self) -> Iterator[BackupSpec]:
        """Yield itself, or the repeated backups."""
        if self.repeat == 1:
            yield self
            return
        given = self.model_dump(exclude_unset=True, by_alias=True, exclude={"repeat"})
        for number in range(1, self.repeat + 1):
            names = {
                key: f"{given[key]}-{number:04}"
                for key in ("name", "resource_name")
                if given.get(key)
            }
            yield BackupSpec.model_validate({**given, **names})


class Limit(Part):
    """A limit of a region's gateway: a number of calls in a number of seconds.

    Refused calls do not count. With `retry_after` a refusal says when calls are accepted again.
    """

    calls: int = Field(ge=1)
    seconds: float = Field(1.0, gt=0, allow_inf_nan=False)
    retry_after: bool = False


class RateLimit(Limit):
    """The limit on calls to CBR; `operations` limits only these, counted together."""

    operations: list[str] = []

    @field_validator("operations")
    @classmethod
    def _require_known(cls, operations: list[str]) -> list[str]:
        _require_operations(operations)
        return operations


def _require_operations(names: Iterable[str]) -> None:
    if unknown := set(names) - OPERATIONS:
        raise ValueError(f"found {min(unknown)!r}, want some of {', '.join(sorted(OPERATIONS))}")


def _checked_limits(limits: dict[str, Limit]) -> dict[str, Limit]:
    _require_operations(limits)
    return limits


OperationLimits = Annotated[dict[str, Limit], AfterValidator(_checked_limits)]
"""Limits of single operations, each with a count of its own."""


class Options(Part):
    """Options for facts that the published reference omits or contradicts."""

    token_lifetime_s: float = Field(86400, gt=0)
    max_failed_sign_ins: int = Field(5, ge=1)
    lock_s: float = Field(900, gt=0)
    max_failed_signatures: int = Field(5, ge=1)
    access_key_lock_s: float = Field(300, gt=0)
    destination_ids: Literal["early", "late"] = "late"
    replication_refusals_status: Literal[400, 500] = 400
    missing_backup: Literal["404", "401"] = "404"
    acceleration: Literal["allowed", "refused"] = "allowed"
    deletion_seconds: float = Field(20.0, ge=0)
    expiry: Literal["shown", "deletes"] = "shown"
    backup_seconds: float = Field(60.0, ge=0)
    latency_ms: float = Field(0.0, ge=0, le=LONGEST_LATENCY_MS)
    rate_limit: RateLimit | None = None
    operation_limits: OperationLimits = {}
    default_copy: CopyScript = CopyScript()


class World(Part):
    """Everything that exists when the simulator starts with an empty state."""

    accounts: list[Account] = Field(min_length=1)
    regions: list[Region] = Field(min_length=1)
    projects: list[SubProject] = []
    vaults: list[VaultSpec] = []
    backups: list[BackupSpec] = []
    options: Options = Options()

    @model_validator(mode="after")
    def _check_references(self) -> World:
        self.backups = [each for backup in self.backups for each in backup.each()]
        faults = list(_reference_faults(self))
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def owner(self) -> Account:
        """The account that owns all projects: the first one."""
        return self.accounts[0]

    @property
    def project_regions(self) -> dict[str, str]:
        """The region of each project, by project id."""
        return {
            **{region.project_id: region.name for region in self.regions},
            **{project.id: project.region for project in self.projects},
        }

    @property
    def project_names(self) -> dict[str, str]:
        """The name of each project, by id. A region's own project has the region's name."""
        return {
            **{region.project_id: region.name for region in self.regions},
            **{project.id: project.name for project in self.projects},
        }

    def region(self, name: str) -> Region:
        """Return a declared region."""
        return next(region for region in self.regions if region.name == name)

    def project_of(self, vault: VaultSpec) -> str:
        """Return the id of a vault's project."""
        wanted = vault.project or vault.region
        return next(key for key, name in self.project_names.items() if name == wanted)


def _reference_faults(world: World) -> Iterator[str]:
    yield from _repeated("accounts", "name", [account.name for account in world.accounts])
    for number, account in enumerate(world.accounts):
        names = [user.name for user in account.users]
        yield from _repeated(f"accounts.{number}.users", "name", names)
    yield from _access_key_faults(world)
    yield from _region_faults(world)
    yield from _project_faults(world)
    yield from _vault_faults(world)
    vaults = [vault.name for vault in world.vaults]
    yield from _repeated("backups", "id", [backup.id for backup in world.backups])
    for number, backup in enumerate(world.backups):
        yield from _undeclared(f"backups.{number}.vault", backup.vault, "vault", vaults)


def _access_key_faults(world: World) -> Iterator[str]:
    firsts: dict[str, str] = {}
    for number, account in enumerate(world.accounts):
        for place, user in enumerate(account.users):
            for position, key in enumerate(user.access_keys):
                at = f"accounts.{number}.users.{place}.access_keys.{position}"
                first = firsts.setdefault(key.access_key, at)
                if first != at:
                    found = f"{at}.access_key: found {key.access_key!r}"
                    yield f"{found}, want another one than that of {first}"


def _region_faults(world: World) -> Iterator[str]:
    regions = [region.name for region in world.regions]
    yield from _repeated("regions", "name", regions)
    yield from _repeated("regions", "project_id", [region.project_id for region in world.regions])
    for number, region in enumerate(world.regions):
        for place, name in enumerate(region.replicates_to):
            at = f"regions.{number}.replicates_to.{place}"
            yield from _undeclared(at, name, "region", regions)
            if name == region.name:
                yield f"{at}: found {name!r}, want a region other than its own"


def _project_faults(world: World) -> Iterator[str]:
    regions = [region.name for region in world.regions]
    ids = {region.project_id for region in world.regions}
    yield from _repeated("projects", "name", [project.name for project in world.projects])
    yield from _repeated("projects", "id", [project.id for project in world.projects])
    for number, project in enumerate(world.projects):
        at = f"projects.{number}"
        yield from _undeclared(f"{at}.region", project.region, "region", regions)
        if project.id in ids:
            yield f"{at}.id: found {project.id!r}, want an id that no region has"
        if project.name in regions:
            yield f"{at}.name: found {project.name!r}, want a name that no region has"


def _vault_faults(world: World) -> Iterator[str]:
    regions = [region.name for region in world.regions]
    projects = {project.name: project.region for project in world.projects}
    yield from _repeated("vaults", "name", [vault.name for vault in world.vaults])
    yield from _repeated("vaults", "id", [vault.id for vault in world.vaults])
    for number, vault in enumerate(world.vaults):
        yield from _undeclared(f"vaults.{number}.region", vault.region, "region", regions)
        if vault.project:
            at = f"vaults.{number}.project"
            yield from _undeclared(at, vault.project, "project", list(projects))
            if projects.get(vault.project, vault.region) != vault.region:
                yield f"{at}: found {vault.project!r}, want a project in region {vault.region!r}"


def _undeclared(at: str, name: str, kind: str, declared: Sequence[str]) -> Iterator[str]:
    if name not in declared:
        known = ", ".join(declared) or "none"
        yield f"{at}: found {name!r}, want a declared {kind}: {known}"


def _repeated(section: str, key: str, values: Sequence[str]) -> Iterator[str]:
    firsts: dict[str, int] = {}
    for number, value in enumerate(values):
        first = firsts.setdefault(value, number)
        if first < number:
            at = f"{section}.{number}.{key}"
            yield f"{at}: found {value!r}, want another one than that of {section}.{first}"
