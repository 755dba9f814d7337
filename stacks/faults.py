"""The texts of configuration faults: the key, its value, and what is valid.

Faults are found elsewhere: in `model`, `cross_checks` and `selection`.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from model import (
    MISSING_INPUTS,
    MISSING_VAULT_INPUTS,
    NAMESPACE,
    REFUSED,
    Choices,
    Configuration,
    Defaults,
    Destination,
    Entry,
    HouseRules,
    Keep,
    Member,
    Objectives,
    Part,
    Place,
    Select,
    SetEntry,
    Source,
    VaultEntry,
)

EXAMPLE = """\
    config:
      huaweicloud:region: cn-north-4
      cbr-replication:replications:
        - name: erp-db
          backup_id: 5a863daa-7265-4c0a-822f-e66b2abcfb3d
          destinations:
            - region: cn-east-3
              vault_id: ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"""
SHOWN_LIMIT = 80

Location = tuple["str | int", ...]


@dataclass(frozen=True)
class Fault:
    """A fault and its location: keys and positions, from the namespace downwards."""

    location: Location
    reason: str

    def __str__(self) -> str:
        return f"{NAMESPACE}:{path_of(self.location)}: {self.reason}"


class ConfigurationFaultsError(Exception):
    """The configuration cannot be used; the text names every fault, once, in reading order."""

    def __init__(self, faults: Iterable[Fault], outcome: str = "nothing was sent") -> None:
        self.faults = sorted(dict.fromkeys(faults), key=_reading_order)
        count = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        lines = "".join(f"\n  {fault}" for fault in self.faults)
        super().__init__(f"the stack's configuration has {count}; {outcome}:{lines}")


def path_of(location: Location) -> str:
    """Return the path of a value as Pulumi's `config set --path` spells it."""
    return "".join(map(_step, location)).removeprefix(".")


def _step(part: str | int) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if re.fullmatch(r"[A-Za-z0-9_\-]+", part):
        return f".{_cut(part)}"
    # If it is quoted, any key is one word on one line.
    return f"[{json.dumps(_cut(part), ensure_ascii=not part.isprintable())}]"


def faults_of(error: ValidationError, at: Location = ()) -> list[Fault]:
    """Return pydantic's errors as faults; `at` is the location of what it validated."""
    found = []
    for details in error.errors(include_url=False):
        location = (*at, *details["loc"])
        reason = details["msg"]
        if details["type"] != REFUSED:
            reason = _reason(details["type"], location, details["input"])
        found.append(Fault(location, reason))
    return found


def nothing_to_copy(*, is_empty: bool) -> str:
    """Return the text for a configuration in which no list has an entry."""
    found = "is empty" if is_empty else "is missing"
    return f"{found}, and there are no sets and no vaults; want a list such as\n{EXAMPLE}"


def _reason(kind: str, location: Location, value: Any) -> str:
    key = location[-1]
    missing = _missing(location)
    if missing is not None and (kind == "missing" or value is None):
        return missing
    if kind == "too_short":
        return "is an empty list; give at least one destination, or leave the key out"
    if kind == "extra_forbidden":
        return f"is not a key that is known here; {_hint(str(key), _part_at(location[:-1]))}"
    wanted = f"a list of {key}" if kind == "list_type" else "a mapping of keys to values"
    return f"{_observed(value)}; want {wanted}"


def _observed(value: object) -> str:
    if value is None:
        return "is empty"
    # Not shown: the value was not meant for this key, and may be a secret.
    shown = "" if isinstance(value, (list, dict)) else f"{_cut(repr(value))} "
    return f"{shown}is {_kind_of(value)}"


def _missing(location: Location) -> str | None:
    part, key = _part_at(location[:-1]), str(location[-1])
    if part is VaultEntry and key in MISSING_VAULT_INPUTS:
        return MISSING_VAULT_INPUTS[key]
    if part is Member:
        return MISSING_INPUTS.get(key)
    return _MISSING.get(key)


_MISSING: Mapping[str, str] = {
    "name": "is missing; give the entry a name of its own, such as 'erp-db'",
    "backup_id": MISSING_INPUTS["backup_id"],
    "region": MISSING_INPUTS["destination_region"],
    "vault_id": MISSING_INPUTS["destination_vault_id"],
}

# The name of an input in the resource, and in a destination.
_RESOURCE_NAMES: Mapping[str, str] = {
    "destination_region": "region",
    "destination_vault_id": "vault_id",
    "destination_project_id": "project_id",
    "name": "replica_name",
}
_DELETED = ("max_deleted_percent", "maxDeletedPercent")
_PLACES: tuple[tuple[str, type[Part]], ...] = (
    ("each entry of replications", Entry),
    ("a destination", Destination),
    ("each entry of sets", SetEntry),
    ("the select of a set", Select),
    ("the keep of a set", Keep),
    ("each entry of vaults", VaultEntry),
    ("rules", HouseRules),
    ("the namespace itself", Configuration),
)


def _hint(name: str, part: type[Part]) -> str:
    known = list(part.model_fields)
    if name in _DELETED and part is HouseRules:
        return "only the provider knows the former members, so set huaweicloud:maxDeletedPercent"
    snake_case = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).replace("-", "_").lower()
    renamed = _RESOURCE_NAMES.get(snake_case)
    if renamed in known:
        return f"did you mean {renamed!r}?"
    if snake_case in known:
        return f"did you mean {snake_case!r}?"
    for place, other in _PLACES:
        if (renamed or snake_case) in other.model_fields:
            return f"{renamed or snake_case!r} belongs to {place}"
        if snake_case in other.model_fields:
            return f"{snake_case!r} belongs to {place}"
    close = difflib.get_close_matches(snake_case, known, n=1)
    return f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"


# By location, with 0 for any position.
_PARTS: Mapping[Location, type[Part]] = {
    ("replications", 0): Entry,
    ("replications", 0, "destinations", 0): Destination,
    ("defaults",): Defaults,
    ("defaults", "destinations", 0): Destination,
    ("rules",): HouseRules,
    ("sets", 0): SetEntry,
    ("sets", 0, "select"): Select,
    ("sets", 0, "keep"): Keep,
    ("sets", 0, "destinations", 0): Place,
    ("vaults", 0): VaultEntry,
    ("vaults", 0, "destinations", 0): Place,
}


def _part_at(location: Location) -> type[Part]:
    way = tuple(0 if isinstance(part, int) else part for part in location)
    if way[:3] == ("sets", 0, "backups"):
        return Member
    return _PARTS.get(way, Configuration)


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_LIMIT else f"{text[: SHOWN_LIMIT - 1]}…"


def _kind_of(value: object) -> str:
    kinds: dict[type, str] = {
        bool: "a truth value",
        str: "text",
        int: "a number",
        float: "a number",
        list: "a list",
    }
    return kinds.get(type(value), "a mapping")


def _own_keys_of(part: type[Part]) -> list[str]:
    """Return the keys that a part does not have from a more general one."""
    general = {name for base in part.__bases__ for name in getattr(base, "model_fields", ())}
    return [name for name in part.model_fields if name not in general]


# The order in which people read: from the top down, and what all levels share at the end.
_READ = (
    *(Configuration, Entry, SetEntry, VaultEntry, Member, Source, Defaults),
    *(Place, Select, Keep, Destination, Choices, Objectives, HouseRules),
)
# Keys that are not here are unknown ones, and come last.
_ORDER = tuple(dict.fromkeys(key for part in _READ for key in _own_keys_of(part)))


def _reading_order(fault: Fault) -> list[tuple[int, str]]:
    return [
        (part, "")
        if isinstance(part, int)
        else (_ORDER.index(part), "")
        if part in _ORDER
        else (len(_ORDER), part)
        for part in fault.location
    ]
