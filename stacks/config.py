"""The stack's configuration, checked as a whole: which backups are to be copied where.

A destination overrides its entry, an entry overrides `defaults`; `preflight` at the top overrides
all three. Every fault is told in one message, under the key that the user wrote.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import pulumi_huaweicloud_cbr as cbr

NAMESPACE = "cbr-replication"
MODES = ("error", "warn", "off")
EXAMPLE = """\
config:
  huaweicloud:region: cn-north-4
  cbr-replication:replications:
    - name: erp-db
      backup_id: 5a863daa-7265-4c0a-822f-e66b2abcfb3d
      destinations:
        - region: cn-east-3
          vault_id: ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"""


class ConfigurationFaultsError(Exception):
    """The configuration cannot be used; the text names every fault."""

    def __init__(self, faults: list[str]) -> None:
        count = "a fault" if len(faults) == 1 else f"{len(faults)} faults"
        lines = "".join(f"\n  {fault}" for fault in faults)
        super().__init__(f"the stack's configuration has {count}; nothing was sent:{lines}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Overridable(_Part):
    description: str | None = None
    enable_acceleration: bool | None = None
    adopt: bool | None = None
    preflight: str | None = None
    protect: bool | None = None
    retain_on_delete: bool | None = None


class _Destination(_Overridable):
    region: str
    vault_id: str
    project_id: str | None = None
    replica_name: str | None = None


class _Defaults(_Overridable):
    source_region: str | None = None
    source_project_id: str | None = None
    destinations: list[_Destination] | None = Field(None, min_length=1)


class _Entry(_Defaults):
    name: str
    backup_id: str


class _Stack(_Part):
    replications: list[_Entry] = []
    defaults: _Defaults = _Defaults()
    preflight: str | None = None


@dataclass(frozen=True)
class Replication:
    """One backup's copy in one region, as configured.

    `keys` tells for each input under which key of the configuration its value stands.
    """

    name: str
    inputs: dict[str, Any]
    protect: bool
    retain_on_delete: bool
    keys: dict[str, str] = field(compare=False)

    def args(self) -> cbr.BackupReplicationArgs:
        """Return the resource's arguments."""
        return cbr.BackupReplicationArgs(**self.inputs)


def read_replications(get: Callable[[str], str | None]) -> list[Replication]:
    """Read what is to be replicated.

    Args:
        get: returns the text of a key of this project's namespace, JSON where it is structured.
    Raises:
        ConfigurationFaultsError: naming every fault.
    """
    stack = _parse(get)
    if not stack.replications:
        raise ConfigurationFaultsError(
            [f"{NAMESPACE}:replications: is missing or empty; want a list such as\n{EXAMPLE}"]
        )
    replications = list(_merged(stack))
    faults = [*_faults_of_names(stack), *_faults_of_copies(replications)]
    for replication in replications:
        for finding in cbr.check_inputs(replication.inputs):
            key = replication.keys.get(finding.field, replication.keys["backup_id"])
            faults.append(f"{key}: {finding.reason}")
    if faults:
        # A default that is wrong would be told once for each replication that takes it.
        raise ConfigurationFaultsError(list(dict.fromkeys(faults)))
    return replications


def _parse(get: Callable[[str], str | None]) -> _Stack:
    document: dict[str, Any] = {}
    for key in ("replications", "defaults"):
        text = get(key)
        if text:
            try:
                document[key] = json.loads(text)
            except ValueError:
                document[key] = text
    if get("preflight"):
        document["preflight"] = get("preflight")
    try:
        return _Stack(**document)
    except ValidationError as error:
        faults = [_describe(dict(fault)) for fault in error.errors(include_url=False)]
    raise ConfigurationFaultsError(faults)


def _merged(stack: _Stack) -> Iterator[Replication]:
    for number, entry in enumerate(stack.replications):
        at_entry = f"{NAMESPACE}:replications[{number}]"
        destinations, at_list = entry.destinations, f"{at_entry}.destinations"
        if destinations is None:
            destinations = stack.defaults.destinations
            at_list = f"{NAMESPACE}:defaults.destinations"
        if destinations is None:
            wanted = f"give a list of destinations here or in {NAMESPACE}:defaults"
            raise ConfigurationFaultsError([f"{at_entry}.destinations: is missing; {wanted}"])
        for index, destination in enumerate(destinations):
            levels = (
                (f"{at_list}[{index}]", destination),
                (at_entry, entry),
                (f"{NAMESPACE}:defaults", stack.defaults),
            )
            yield _merge(stack, entry, levels)


def _merge(
    stack: _Stack, entry: _Entry, levels: tuple[tuple[str, _Overridable], ...]
) -> Replication:
    keys: dict[str, str] = {}

    def first(key: str, name: str | None = None) -> Any:
        for at, level in levels:
            value = getattr(level, key, None)
            if value is not None:
                keys[name or key] = f"{at}.{key}"
                return value
        return None

    inputs = {
        "backup_id": first("backup_id"),
        "destination_region": first("region", "destination_region"),
        "destination_vault_id": first("vault_id", "destination_vault_id"),
        "destination_project_id": first("project_id", "destination_project_id"),
        "name": first("replica_name", "name"),
        "description": first("description"),
        "enable_acceleration": first("enable_acceleration"),
        "source_region": first("source_region"),
        "source_project_id": first("source_project_id"),
        "adopt": first("adopt"),
        "preflight": first("preflight"),
    }
    if stack.preflight is not None:
        inputs["preflight"] = stack.preflight
        keys["preflight"] = f"{NAMESPACE}:preflight"
    return Replication(
        name=f"{entry.name}-to-{inputs['destination_region']}",
        inputs=inputs,
        protect=first("protect") is True,
        retain_on_delete=first("retain_on_delete") is True,
        keys=keys,
    )


def _faults_of_names(stack: _Stack) -> Iterator[str]:
    first_use: dict[str, int] = {}
    for number, entry in enumerate(stack.replications):
        key = f"{NAMESPACE}:replications[{number}].name"
        if not entry.name or not all(char.isalnum() or char in "-_." for char in entry.name):
            yield (
                f"{key}: {entry.name!r} is no name for a resource; "
                "want letters, digits, '-', '_' and '.', at least one"
            )
        elif entry.name in first_use:
            yield (
                f"{key}: {entry.name!r} is the name of replications[{first_use[entry.name]}] "
                "already; give each entry a name of its own"
            )
        first_use.setdefault(entry.name, number)


def _faults_of_copies(replications: list[Replication]) -> Iterator[str]:
    """Find two copies of one backup to one region, of which CBR keeps only one."""
    seen: dict[tuple[str, str], Replication] = {}
    for replication in replications:
        inputs = replication.inputs
        copy = (inputs["backup_id"].lower(), inputs["destination_region"])
        other = seen.setdefault(copy, replication)
        if other is not replication:
            yield (
                f"{replication.keys['backup_id']}: backup ({copy[0]}) goes to region {copy[1]!r} "
                f"by {other.keys['backup_id']} already; CBR keeps one replica per region"
            )


_WANTED = {
    "string_type": "text",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
}


def _describe(fault: dict[str, Any]) -> str:
    key = _key_of(fault["loc"])
    kind, value = fault["type"], fault["input"]
    if kind == "missing":
        return f"{key}: is missing"
    if kind == "too_short":
        return f"{key}: is empty; want at least one destination"
    if kind == "extra_forbidden":
        known = _known_keys(fault["loc"])
        name = str(fault["loc"][-1])
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
        return f"{key}: is not a key that is known here; {hint}"
    wanted = _WANTED.get(kind, fault["msg"])
    shown = json.dumps(value, ensure_ascii=False)
    shown = shown if len(shown) <= 80 else shown[:79] + "…"
    return f"{key}: {shown} is {_kind_of(value)}; want {wanted}"


def _key_of(location: tuple[str | int, ...]) -> str:
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return f"{NAMESPACE}:{path.removeprefix('.')}"


def _known_keys(location: tuple[str | int, ...]) -> list[str]:
    model: type[_Part] = _Stack
    for part in location[:-1]:
        if part == "replications":
            model = _Entry
        elif part == "defaults":
            model = _Defaults
        elif part == "destinations":
            model = _Destination
    return sorted(model.model_fields)


def _kind_of(value: object) -> str:
    if value is None:
        return "empty"
    kinds: dict[type, str] = {
        bool: "a truth value",
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
    }
    return kinds.get(type(value), "a mapping")
