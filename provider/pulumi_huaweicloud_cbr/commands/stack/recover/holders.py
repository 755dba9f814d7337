"""When a lock's holder is dead: a pure function of what can be seen from here.

A lock names a host, a process and a time. Nothing in it proves which machine or container has that
host name. So an equal name counts only where no other machine can have made the lock. The table of
cases is in the documentation (crash safety, "When is a holder dead?").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Seen(Enum):
    """What this machine has under the number of the lock's process."""

    NOTHING = auto()
    """No process, or a dead one whose exit code nobody has read."""
    OLDER = auto()
    """A process that started before the lock was made, or at an unknown time."""
    LATER_CLI = auto()
    """A later process that may be the Pulumi CLI."""
    LATER_OTHER = auto()
    """A later process of another program: the number was used again."""


class Ruling(Enum):
    """Whether a holder is dead, and if that is not certain, why."""

    DEAD = auto()
    ALIVE = auto()
    ELSEWHERE = auto()
    """The lock names another host."""
    OTHER_CONTAINER = auto()
    """This container is younger than the lock: an older one may have had its name."""
    SAME_NAME = auto()
    """Other machines can lock there, and one of them may have this machine's name."""
    CLOCK = auto()
    """A later CLI has the number. If the clock was set, that CLI may be the holder."""


@dataclass(frozen=True)
class Evidence:
    """What is known of a lock and of its holder.

    `names_this_host`: the lock has this machine's host name. `is_shared`: other machines can make
    locks there. `predates_container`: this is a container, and the lock is older. `predates_boot`:
    the lock is older than this machine's start. `is_confirmed`: the user says that the holder is
    dead.
    """

    names_this_host: bool
    is_shared: bool
    seen: Seen
    predates_container: bool = False
    predates_boot: bool = False
    is_confirmed: bool = False


def judge(evidence: Evidence) -> Ruling:
    """Return whether a lock's holder is dead. Only certainty counts.

    The user's word outweighs all doubts, but not a process that is seen alive.
    """
    if evidence.names_this_host and evidence.seen is Seen.OLDER:
        return Ruling.ALIVE
    if evidence.is_confirmed:
        return Ruling.DEAD
    return _doubt(evidence) or Ruling.DEAD


def _doubt(evidence: Evidence) -> Ruling | None:
    if not evidence.names_this_host:
        return Ruling.ELSEWHERE
    if evidence.predates_container:
        return Ruling.OTHER_CONTAINER
    if evidence.is_shared:
        return Ruling.SAME_NAME
    if evidence.seen is Seen.LATER_CLI and not evidence.predates_boot:
        return Ruling.CLOCK
    return None
