"""The stack's configuration as it is written: its keys, and what each may be.

What a value may be is the package's to say (`check_inputs`). Every value is held to it where it
stands, also one that something more special overrides.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

import pulumi_huaweicloud_cbr as cbr

NAMESPACE = "cbr-replication"
REFUSED = "refused"
"""The type of a fault whose message is complete already."""
MISSING_INPUTS: Mapping[str, str] = MappingProxyType(
    {finding.field: finding.reason for finding in cbr.check_inputs({})}
)
"""What the package says of a required input that is missing."""


def _refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def _like_input(name: str) -> BeforeValidator:
    """Hold a value to the rule of that input of the resource."""

    def check(value: Any) -> Any:
        # The inputs that are not here stand under other keys: nothing is said of them.
        for finding in cbr.check_inputs({name: value}, frozenset(MISSING_INPUTS)):
            raise _refused(finding.reason)
        return value

    return BeforeValidator(check)


def _check_entry_name(value: Any) -> Any:
    if not isinstance(value, str):
        # Text of any kind is a good description; all else is told as for the other inputs.
        for finding in cbr.check_inputs({"description": value}, frozenset(MISSING_INPUTS)):
            raise _refused(finding.reason)
        return value
    if not value or not all(char.isalnum() or char in "-_." for char in value):
        raise _refused(
            f"{value!r} is no name for a resource; "
            "want letters, digits, '-', '_' and '.', at least one"
        )
    return value


def _check_wait(value: Any) -> Any:
    # A key of the namespace itself is text, whatever it looked like in the file.
    flag = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    for finding in cbr.check_inputs({"adopt": flag}, frozenset(MISSING_INPUTS)):
        raise _refused(finding.reason)
    return flag


def _check_timeout(value: Any) -> Any:
    for finding in cbr.check_wait({"replications": [], "timeout": value}):
        raise _refused(finding.reason)
    return value


Description = Annotated[str, _like_input("description")]
Flag = Annotated[bool, _like_input("adopt")]
Mode = Annotated[str, _like_input("preflight")]
ProjectId = Annotated[str, _like_input("destination_project_id")]
Region = Annotated[str, _like_input("destination_region")]


class Part(BaseModel):
    """A mapping in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Choices(Part):
    """What may be said on every level."""

    description: Description | None = None
    enable_acceleration: Flag | None = None
    adopt: Flag | None = None
    preflight: Mode | None = None
    protect: Flag | None = None
    retain_on_delete: Flag | None = None


class Destination(Choices):
    """A region and a vault to copy to."""

    region: Region
    vault_id: Annotated[str, _like_input("destination_vault_id")]
    project_id: ProjectId | None = None
    replica_name: Annotated[str, _like_input("name")] | None = None


class Defaults(Choices):
    """What holds for every entry that does not say otherwise."""

    source_region: Region | None = None
    source_project_id: ProjectId | None = None
    destinations: list[Destination] | None = Field(None, min_length=1)


class Entry(Defaults):
    """A backup to copy."""

    name: Annotated[str, BeforeValidator(_check_entry_name)]
    backup_id: Annotated[str, _like_input("backup_id")]


class Configuration(Part):
    """All keys of this project's namespace."""

    replications: list[Entry] = Field(min_length=1)
    defaults: Defaults = Defaults()
    preflight: Mode | None = None
    wait: Annotated[bool, BeforeValidator(_check_wait)] = True
    timeout: Annotated[str, BeforeValidator(_check_timeout)] | None = None
