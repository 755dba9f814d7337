"""What happens to replicas: an effect for each replica, and what could not be counted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class What(Enum):
    """What happens to one replica.

    `STAYS`: a member that left a rolling set, until newer copies have succeeded. `HANDED_OVER`: it
    gets another owner. `RETAINED`: it leaves the state, and nothing else.
    """

    DELETED = "deleted"
    COPIED = "copied"
    ADOPTED = "adopted"
    RENAMED = "renamed"
    STAYS = "stays"
    HANDED_OVER = "handed over"
    RETAINED = "retained"


@dataclass(frozen=True)
class Place:
    """Where replicas are: a region and a vault there. Empty if not known."""

    region: str = ""
    vault_id: str = ""


@dataclass(frozen=True)
class Effect:
    """What happens to one replica of one resource.

    `label` is the member's, None for a single replication. `server` is what was backed up,
    `size_gb` its size, `made_at` when the backup was made, `copied_at` when the copy began. Each is
    None if not known. `renamed_to` is a new name. `owner` is who has an adopted replica by its
    mark, and `maker` who made it.

    `is_last`: the source backup is gone. `is_forced`: `up` deletes it nevertheless. `is_replaced`:
    a new copy takes its place. `has_gap`: it goes before the new copy is made. `is_again`: the copy
    failed or was lost.
    """

    what: What
    resource: str
    place: Place
    label: str | None = None
    backup_id: str | None = None
    server: str | None = None
    size_gb: float | None = None
    made_at: str | None = None
    copied_at: str | None = None
    renamed_to: str | None = None
    owner: str | None = None
    maker: str | None = None
    is_last: bool = False
    is_forced: bool = False
    is_replaced: bool = False
    has_gap: bool = False
    is_again: bool = False


class Why(Enum):
    """Why the replicas of a resource cannot be counted."""

    HIDDEN = "hidden"
    LATER = "known during up only"
    NOT_LOOKED = "not looked"


@dataclass(frozen=True)
class Uncounted:
    """An unknown number of replicas of one resource, to which the same happens."""

    what: What
    resource: str
    place: Place
    why: Why


@dataclass(frozen=True)
class Property:
    """A changed input of a resource; None: it is not there. A change may replace the resource."""

    name: str
    old: Any
    new: Any
    is_replacing: bool = False


@dataclass(frozen=True)
class Resource:
    """A resource whose settings change: the operation, and the properties that matter."""

    op: str
    name: str
    kind: str
    properties: tuple[Property, ...] = ()


@dataclass
class Outcome:
    """The effects of steps, and what could not be counted."""

    effects: list[Effect] = field(default_factory=list)
    uncounted: list[Uncounted] = field(default_factory=list)
