"""Who owns a replica: the mark in its description, and what may be deleted. Pure.

The decision records 0025 and 0026 have the tables, and a test exercises each cell.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from enum import Enum

from msgspec import Struct

TEXT_LIMIT = 255
"""Characters of a replica's description (CBR API reference, CopyBackup)."""

_MARK = r"(?:^|\s)\[pulumi ([^\s\[\]<>]+)\]\s*$"


def mark_of(owner: str) -> str:
    """Return the mark of an owner, such as ``[pulumi project/stack]``."""
    return f"[pulumi {owner}]"


def marked(text: str | None, owner: str) -> str:
    """Return a description with an owner's mark at its end."""
    return f"{text} {mark_of(owner)}" if text else mark_of(owner)


def split_mark(description: str | None) -> tuple[str | None, str | None]:
    """Return the user's part of a description, and the owner that its mark names.

    Either is None if there is none.
    """
    if not description:
        return None, None
    found = re.search(_MARK, description)
    if found is None:
        return description, None
    return description[: found.start()] or None, found[1]


def text_limit(owner: str | None) -> int:
    """Return how long a user's description may be, beside the mark of an owner."""
    return TEXT_LIMIT if owner is None else TEXT_LIMIT - len(f" {mark_of(owner)}")


class Maker(Enum):
    """Who made a replica, as seen from one resource.

    `US`: this stack, or the owner that the state recorded. `ANOTHER_STACK`: the mark names another
    one. `SOMEBODY`: there is no mark. `NOT_SHOWN`: the copy runs, and CBR shows no replica yet.
    """

    US = "us"
    ANOTHER_STACK = "another stack"
    SOMEBODY = "somebody else"
    NOT_SHOWN = "not shown"


def maker_of(owner: str | None, ours: Collection[str], recorded: str | None = None) -> Maker:
    """Return who made a replica that exists.

    Args:
        owner: as its mark names it, None without a mark.
        ours: the names of this stack, now and earlier.
        recorded: the owner that the state has for this replica, None without one.
    """
    if owner is None:
        return Maker.SOMEBODY
    return Maker.US if owner in ours or owner == recorded else Maker.ANOTHER_STACK


class Removal(Enum):
    """Why a replica is to be deleted.

    `REMOVED`: the program no longer declares the copy, or the stack is destroyed. `REPLACED`: the
    resource gets a successor. `ROLLED_OFF`: a rolling set has enough newer replicas.
    """

    REMOVED = "removed"
    REPLACED = "replaced"
    ROLLED_OFF = "rolled off"


class Deletion(Enum):
    """What to do with a replica that is to be deleted.

    `LEAVE`: another stack made it. `REFUSE`: it is the last copy of its backup.
    """

    DELETE = "delete"
    LEAVE = "leave"
    REFUSE = "refuse"


class DeletionRules(Struct, frozen=True):
    """What `decide_deletion` needs to know of a resource.

    `ours` are names of this stack, now and earlier. `is_forced`: the user wants last copies to be
    deleted as well. `remedy` is what the user can do about a refusal.
    """

    removal: Removal
    ours: frozenset[str] = frozenset()
    is_forced: bool = False
    remedy: str = ""

    @property
    def spares_last_copy(self) -> bool:
        """Whether a replica stays if its source is gone, so the source has to be read."""
        if self.removal is Removal.REPLACED:
            return True
        return self.removal is Removal.REMOVED and not self.is_forced


def decide_deletion(
    rules: DeletionRules, owner: str | None, recorded: str | None, *, is_source_gone: bool
) -> Deletion:
    """Decide whether an existing replica may be deleted: the deletion table.

    Args:
        owner: as the replica's mark names it, None without a mark.
        recorded: the owner in the state.
        is_source_gone: it was just seen that the source cannot be copied again.
    """
    if maker_of(owner, rules.ours, recorded) is Maker.ANOTHER_STACK:
        return Deletion.LEAVE
    if is_source_gone and rules.spares_last_copy:
        return Deletion.REFUSE
    return Deletion.DELETE
