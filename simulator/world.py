"""World files: which accounts, regions, projects, vaults and backups there are to begin with.

A world is YAML (JSON is YAML too). Ids that are left out are made from names, so that the same
file always gives the same world.
"""

from __future__ import annotations

import hashlib
import uuid
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

_NAMESPACE = uuid.UUID("6f0f8f0e-5b5e-4c36-9d44-0b6f5d7f2c11")

# Source: CBR API reference, ShowBackup, provider_id.
PROVIDER_IDS = {
    "OS::Nova::Server": "0daac4c5-6707-4851-97ba-169e36266b66",
    "OS::Ironic::BareMetalServer": "0daac4c5-6707-4851-97ba-169e36266b66",
    "OS::Native::Server": "0daac4c5-6707-4851-97ba-169e36266b66",
    "OS::Workspace::DesktopV2": "0daac4c5-6707-4851-97ba-169e36266b66",
    "OS::Cinder::Volume": "d1603440-187d-4516-af25-121250c7cc97",
    "OS::Sfs::Turbo": "3f3c3220-245c-4805-b811-758870015881",
}
OBJECT_TYPES = {
    "OS::Nova::Server": "server",
    "OS::Ironic::BareMetalServer": "server",
    "OS::Native::Server": "server",
    "OS::Workspace::DesktopV2": "workspace",
    "OS::Cinder::Volume": "disk",
    "OS::Sfs::Turbo": "turbo",
}


class WorldError(Exception):
    """A world file cannot be used; the text has one line for each fault."""


def made_uuid(*parts: str) -> str:
    """Return the UUID that always belongs to these names."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(parts)))


def made_hex(*parts: str) -> str:
    """Return the 32 hexadecimal digits that always belong to these names."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:32]


class Part(BaseModel):
    """Base of all parts of a world: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid")


class User(Part):
    """An IAM user."""

    name: str
    password: str


class Account(Part):
    """An account with its users."""

    name: str
    id: str = ""
    users: list[User] = Field(min_length=1)

    @model_validator(mode="after")
    def _make_id(self) -> Account:
        self.id = self.id or made_hex("account", self.name)
        return self


class Region(Part):
    """A region, the regions that it can copy to, and its project."""

    name: str
    project_id: str = ""
    replicates_to: list[str] = []

    @model_validator(mode="after")
    def _make_id(self) -> Region:
        self.project_id = self.project_id or made_hex("project", self.name)
        return self


class SubProject(Part):
    """A further project in a region, named like ``cn-north-4_team``."""

    name: str
    region: str
    id: str = ""

    @model_validator(mode="after")
    def _make_id(self) -> SubProject:
        self.id = self.id or made_hex("project", self.name)
        return self


class VaultSpec(Part):
    """A vault; `project` defaults to the region's own."""

    name: str
    region: str
    project: str = ""
    id: str = ""
    protect_type: Literal["backup", "replication", "hybrid"] = "backup"
    object_type: str = "server"
    size_gb: int = Field(500, ge=1, le=10_485_760)
    used_mb: int = Field(0, ge=0)
    status: Literal["available", "lock", "frozen", "deleting", "error"] = "available"

    @model_validator(mode="after")
    def _make_id(self) -> VaultSpec:
        self.id = self.id or made_uuid("vault", self.region, self.name)
        return self


class CopyScript(Part):
    """How a copy or a deletion goes: when it ends, and how.

    `seconds` counts by the simulator's clock, divided by its speed; without it a copy takes as
    long as its size does at 80 MB/s. `reads` ends it at that look at the record.
    """

    mode: Literal["seconds", "immediate", "after_reads", "never"] = "seconds"
    seconds: float | None = Field(None, ge=0)
    reads: int = Field(1, ge=1)
    outcome: Literal["success", "fail", "skip"] = "success"
    fail_code: str = "BackupService.6129"
    fail_reason: str = "destination vault full"


class BackupSpec(Part):
    """A backup in a vault."""

    name: str
    vault: str
    id: str = ""
    resource_name: str = ""
    resource_id: str = ""
    resource_type: str = "OS::Nova::Server"
    size_gb: int = Field(40, ge=1)
    status: str = "available"
    image_type: Literal["backup", "replication"] = "backup"
    contain_system_disk: bool = True
    created_at: str = "2026-11-20T02:00:11.905331"
    expired_at: str | None = None
    description: str | None = ""
    copy_script: CopyScript | None = Field(None, alias="copy")

    @model_validator(mode="after")
    def _make_ids(self) -> BackupSpec:
        self.id = self.id or made_uuid("backup", self.vault, self.name)
        self.resource_name = self.resource_name or self.name
        self.resource_id = self.resource_id or made_uuid("resource", self.resource_name)
        return self


class Options(Part):
    """Choices where the published reference is silent or contradicts itself."""

    token_lifetime_s: float = Field(86400, gt=0)
    destination_ids: Literal["early", "late"] = "late"
    replication_refusals_status: Literal[400, 500] = 400
    missing_backup: Literal["404", "401"] = "404"
    max_failed_sign_ins: int = Field(5, ge=1)
    deletion_seconds: float = Field(20.0, ge=0)
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
        regions = {region.name for region in self.regions}
        for vault in self.vaults:
            if vault.region not in regions:
                raise ValueError(f"vault {vault.name!r}: region {vault.region!r} is not declared")
        names = [vault.name for vault in self.vaults]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"vault name {name!r} is used twice; backups refer to it by name")
        for backup in self.backups:
            if backup.vault not in names:
                raise ValueError(f"backup {backup.name!r}: vault {backup.vault!r} is not declared")
        return self


def load_world(path: Path) -> World:
    """Read a world file.

    Raises:
        WorldError: it cannot be read, is not YAML, or does not describe a world.
    """
    try:
        document: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise WorldError(f"{path}: cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise WorldError(f"{path}: is not YAML: {where}") from error
    if not isinstance(document, dict):
        raise WorldError(f"{path}: want a mapping with accounts, regions, vaults and backups")
    try:
        return World.model_validate(document)
    except ValidationError as error:
        lines = []
        for fault in error.errors(include_url=False, include_context=False):
            where = ".".join(str(part) for part in fault["loc"]) or "(the whole)"
            reason = fault["msg"].removeprefix("Value error, ")
            shown = "" if isinstance(fault["input"], dict) else f", got {fault['input']!r}"
            lines.append(f"{path}: {where}: {reason}{shown}")
        raise WorldError("\n".join(lines)) from None
