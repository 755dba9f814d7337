"""The stack program's configuration as the Pulumi CLI shows it: its entries, as they are written.

Values may be wrong: the program itself names the faults of its configuration. Pure. What an entry
copies does not belong here, nor whether it may: see `objectives` and the commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

PROGRAM = "cbr-replication:"
"""The namespace of the stack program's configuration, whatever the name of its project."""
Kind = Literal["replications", "sets", "vaults"]
KINDS: tuple[Kind, ...] = ("replications", "sets", "vaults")
"""The keys that list what to copy."""
_LONGEST_VALUE = 1_000_000
"""Of configuration values; the engine's own limits are far below."""


@dataclass(frozen=True)
class Entry:
    """An entry of one of the lists, as it is written.

    `kind` is the list, and `number` its place there. `destinations` are its own, else those of
    `defaults`.
    """

    kind: Kind
    number: int
    keys: Mapping[str, Any]
    defaults: Mapping[str, Any]
    destinations: tuple[Mapping[str, Any], ...]

    @property
    def at(self) -> str:
        """Return the place in the configuration, such as ``sets[0]``."""
        return f"{self.kind}[{self.number}]"

    def value_of(self, key: str) -> Any:
        """Return a value of the entry, else of `defaults`; None if neither has it."""
        own = self.keys.get(key)
        return self.defaults.get(key) if own is None else own

    def members(self) -> tuple[str, ...]:
        """Return the backups that a replication or a set names: none for a selection."""
        found: list[Any] = [self.keys.get("backup_id")] if self.kind == "replications" else []
        if self.kind == "sets":
            backups = self.keys.get("backups")
            found = list(backups.values()) if isinstance(backups, dict) else as_list(backups)
        ids = (one.get("backup_id") if isinstance(one, dict) else one for one in found)
        return tuple(one for one in ids if isinstance(one, str))


def read_document(configured: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of the stack program without their namespace; structured ones are parsed.

    Args:
        configured: full key to text, as ``pulumi config --json`` shows it. A secret that cannot be
            read is None, and left out.
    """
    return {
        key.removeprefix(PROGRAM): parsed(value) if value[:1] in ("[", "{") else value
        for key, value in configured.items()
        if key.startswith(PROGRAM) and isinstance(value, str)
    }


def read_entries(document: Mapping[str, Any]) -> Iterator[Entry]:
    """Yield the entries of all three lists; what is no entry is left out."""
    defaults = as_mapping(document.get("defaults"))
    for kind in KINDS:
        for number, keys in enumerate(as_list(document.get(kind))):
            if not isinstance(keys, dict):
                continue
            listed = keys.get("destinations") or defaults.get("destinations")
            destinations = tuple(one for one in as_list(listed) if isinstance(one, dict))
            yield Entry(kind, number, keys, defaults, destinations)


def parsed(value: str) -> Any:
    """Return a structured value, which is JSON text here; None if it is none."""
    if len(value) > _LONGEST_VALUE or value[:1] not in "[{":
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def as_mapping(value: object) -> Mapping[str, Any]:
    """Return a mapping; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[Any]:
    """Return a list; an empty one in place of anything else."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str | None:
    """Return a text that is not empty; None in place of anything else."""
    return value if isinstance(value, str) and value else None
