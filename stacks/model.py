"""The form of the stack's configuration: its keys, and the valid values of each.

The package decides which values are valid (`check_inputs` and the like). Every value is validated
where it is written, even if a more specific one overrides it. Rules between values do not belong
here: see `cross_checks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

import pulumi_huaweicloud_cbr as cbr

NAMESPACE = "cbr-replication"
LISTS = ("replications", "sets", "vaults")
"""The keys that list what to copy; at least one has to be given."""
PERIODS = ("days", "weeks", "months", "years")
"""The keys of `keep` that count periods."""
REFUSED = "refused"
"""The type of a fault whose message is complete already."""

Check = Callable[[Mapping[str, object]], list[cbr.Finding]]


def _missing(check: Check) -> Mapping[str, str]:
    return MappingProxyType({finding.field: finding.reason for finding in check({})})


MISSING_INPUTS = _missing(cbr.check_inputs)
"""The package's message about each required input that is missing."""
MISSING_VAULT_INPUTS = _missing(cbr.check_vault_inputs)
_A_UUID = "00000000-0000-0000-0000-000000000000"


def _refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError(REFUSED, "{reason}", {"reason": reason})


def _like_input(name: str, check: Check = cbr.check_inputs) -> BeforeValidator:
    """Validate a value by the rule of a resource's input; a missing one is reported elsewhere."""
    return _held_to(lambda value: [found for found in check({name: value}) if found.field == name])


def _held_to(check: Callable[[Any], list[cbr.Finding]]) -> BeforeValidator:
    def validate(value: Any) -> Any:
        for finding in check(value):
            raise _refused(finding.reason)
        return value

    return BeforeValidator(validate)


def _check_entry_name(value: Any) -> Any:
    if not isinstance(value, str):
        # Any text is a valid description, so only other types are reported, as for other inputs.
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
    for finding in cbr.check_inputs({"enable_acceleration": flag}, frozenset(MISSING_INPUTS)):
        raise _refused(finding.reason)
    return flag


def _part_of_keep(name: str) -> BeforeValidator:
    """Validate a part of `keep` by the package's rule; a number is a whole one."""

    def validate(value: Any) -> Any:
        for finding in cbr.check_set_inputs({"keep": {name: value}}):
            if finding.field == f"keep.{name}":
                raise _refused(finding.reason)
        return int(value) if isinstance(value, float) else value

    return BeforeValidator(validate)


def _check_count(value: Any) -> Any:
    for finding in cbr.check_set_inputs({"keep_newest": value}):
        if finding.field == "keep_newest":
            raise _refused(finding.reason)
    return value if value is None else int(value)


EntryName = Annotated[str, BeforeValidator(_check_entry_name)]
Count = Annotated[int, BeforeValidator(_check_count)]
Description = Annotated[str, _like_input("description")]
Flag = Annotated[bool, _like_input("enable_acceleration")]
Adoption = Annotated[bool | str, _like_input("adopt")]
Mode = Annotated[str, _like_input("preflight")]
ProjectId = Annotated[str, _like_input("destination_project_id")]
Region = Annotated[str, _like_input("destination_region")]
ReplicaName = Annotated[str, _like_input("name")]
BackupId = Annotated[str, _like_input("backup_id")]
Moment = Annotated[
    str,
    _held_to(
        lambda value: cbr.check_members(
            {"": {"backup_id": _A_UUID, "created_at": value}}, is_rolling=False
        )
    ),
]
Timeout = Annotated[
    str, _held_to(lambda value: cbr.check_wait({"replications": [], "timeout": value}))
]


Rpo = Annotated[str, _like_input("rpo", cbr.check_objective)]
Owner = Annotated[str, _like_input("owner", cbr.check_objective)]
Tier = Annotated[str, _like_input("tier", cbr.check_objective)]


class Part(BaseModel):
    """A mapping in the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Choices(Part):
    """The keys that are valid on every level."""

    enable_acceleration: Flag | None = None
    adopt: Adoption | None = None
    preflight: Mode | None = None
    protect: Flag | None = None
    retain_on_delete: Flag | None = None
    force_destroy: Flag | None = None


class Place(Choices):
    """A region and a vault to copy to."""

    region: Region
    vault_id: Annotated[str, _like_input("destination_vault_id")]
    project_id: ProjectId | None = None


class Destination(Place):
    """A place to copy one backup to."""

    replica_name: ReplicaName | None = None
    description: Description | None = None


class Objectives(Part):
    """What an entry is to achieve: for reports and rules, no inputs of a resource."""

    rpo: Rpo | None = None
    owner: Owner | None = None
    tier: Tier | None = None


class Source(Choices):
    """Where backups are."""

    source_region: Region | None = None
    source_project_id: ProjectId | None = None


class Defaults(Source, Objectives):
    """The values for every entry that does not override them."""

    description: Description | None = None
    destinations: list[Destination] | None = Field(None, min_length=1)


class Entry(Defaults):
    """A backup to copy."""

    name: EntryName
    backup_id: BackupId


class Member(Part):
    """A backup of a set, if more than its id is given."""

    backup_id: BackupId
    name: ReplicaName | None = None
    created_at: Moment | None = None


def _filter(name: str) -> BeforeValidator:
    return _like_input(name, cbr.check_filters)


class Select(Part):
    """The filters that select the backups of a set."""

    vault_id: Annotated[str, _filter("vault_id")] | None = None
    resource_id: Annotated[str, _filter("resource_id")] | None = None
    resource_name: Annotated[str, _filter("resource_name")] | None = None
    name: Annotated[str, _filter("name")] | None = None
    created_since: Annotated[str, _filter("created_since")] | None = None
    created_until: Annotated[str, _filter("created_until")] | None = None
    newest: Count | None = None


class Keep(Part):
    """How long members of a set stay; `cross_checks` wants one of the numbers."""

    newest: Annotated[int, _part_of_keep("newest")] | None = None
    days: Annotated[int, _part_of_keep("days")] | None = None
    weeks: Annotated[int, _part_of_keep("weeks")] | None = None
    months: Annotated[int, _part_of_keep("months")] | None = None
    years: Annotated[int, _part_of_keep("years")] | None = None
    timezone: Annotated[str, _part_of_keep("timezone")] | None = None


class SetEntry(Source, Objectives):
    """Backups to copy together; `cross_checks` checks the members in `backups`."""

    name: EntryName
    backups: Annotated[Any, _like_input("backups", cbr.check_set_inputs)] | None = None
    select: Select | None = None
    keep_newest: Count | None = None
    keep: Keep | None = None
    destinations: list[Place] | None = Field(None, min_length=1)


class VaultEntry(Source, Objectives):
    """An entire vault to copy."""

    name: EntryName
    vault_id: Annotated[str, _like_input("vault_id", cbr.check_vault_inputs)]
    destinations: list[Place] | None = Field(None, min_length=1)


class HouseRules(Part):
    """Rules that all entries are held to; see `house_rules`."""

    allowed_pairs: (
        Annotated[dict[str, list[str]], _like_input("allowed_pairs", cbr.check_rules)] | None
    ) = None
    regions_for_tier: (
        Annotated[dict[str, int], _like_input("regions_for_tier", cbr.check_rules)] | None
    ) = None
    description_required: (
        Annotated[bool | list[str], _like_input("description_required", cbr.check_rules)] | None
    ) = None


class Configuration(Part):
    """All keys of this project's namespace."""

    preflight: Mode | None = None
    wait: Annotated[bool, BeforeValidator(_check_wait)] = True
    timeout: Timeout | None = None
    defaults: Defaults = Defaults()
    rules: HouseRules = HouseRules()
    replications: list[Entry] = []
    sets: list[SetEntry] = []
    vaults: list[VaultEntry] = []
