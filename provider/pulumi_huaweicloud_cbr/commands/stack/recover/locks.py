"""The locks of a stack, read from the CLI's message; and whether their holders are dead.

The backends on files, buckets and databases share one form of lock: an entry for each CLI process,
without expiry (pulumi 3.255, backend/diy/lock.go). Pulumi Cloud has another one. A lock of an
unknown form is never removed.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands.stack.recover.holders import Evidence, Ruling, judge
from pulumi_huaweicloud_cbr.commands.stack.recover.places import is_shared
from pulumi_huaweicloud_cbr.commands.stack.recover.processes import SLACK, Processes

_COUNT = re.compile(r"the stack is currently locked by (\d+) lock\(s\)")
# A user's name may contain blanks and @; a host's contains neither.
_LOCK = re.compile(
    r"^\s*(?P<url>\S.*): created by (?P<user>.*)@(?P<host>[^@\s]+) "
    r"\(pid (?P<pid>\d+)\) at (?P<at>\S+)\s*$",
    re.MULTILINE,
)
# Parts of refusals in other forms; these are never a reason to remove anything.
_OTHERWISE_LOCKED = re.compile(
    r"the stack is (?:currently )?locked|another update is (?:currently|already) in progress",
    re.IGNORECASE,
)


class LockedError(CbrError):
    """The stack is locked by a process that is alive, or that cannot be checked from here."""


@dataclass(frozen=True)
class Lock:
    """A lock and its holder: `url` is the place of the lock, `at` its creation time."""

    url: str
    user: str
    host: str
    pid: int
    at: datetime

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid} since {self.at.isoformat()})"

    @property
    def holder(self) -> str:
        """The holder as the option ``--dead`` names it."""
        return f"{self.host}:{self.pid}"

    @property
    def file(self) -> Path | None:
        """The path of the lock, None if it is not a file."""
        address = urlsplit(self.url)
        if address.scheme != "file":
            return None
        file = Path(unquote(address.netloc + address.path))
        try:
            return file.expanduser()
        except RuntimeError:
            # There is no home directory: HOME is not set, and the user has none.
            return None

    def remove(self, file: Path) -> bool:
        """Remove the lock's file if it still names the same holder; return whether it did."""
        try:
            content = json.loads(file.read_bytes())
            holder = (content["username"], content["hostname"], content["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return False
        if holder != (self.user, self.host, self.pid):
            return False
        file.unlink(missing_ok=True)
        # Go's file buckets keep the attributes of a file in a second file.
        file.with_name(f"{file.name}.attrs").unlink(missing_ok=True)
        return True


def locks_in(text: str) -> list[Lock]:
    """Return the locks because of which a command refused to run; none if it did not refuse.

    Raises:
        LockedError: it refused because of a lock, but not all of the locks have a known form.
    """
    count = _COUNT.search(text)
    if count is None:
        if _OTHERWISE_LOCKED.search(text):
            raise _unreadable()
        return []
    locks = [_lock(match) for match in _LOCK.finditer(text, count.end())]
    if len(locks) != int(count[1]):
        raise _unreadable()
    return locks


def _lock(match: re.Match[str]) -> Lock:
    try:
        # Python before 3.11 does not parse a Z.
        at = datetime.fromisoformat(re.sub(r"Z$", "+00:00", match["at"]))
    except ValueError:
        raise _unreadable() from None
    if at.tzinfo is None:
        raise _unreadable()
    return Lock(match["url"], match["user"], match["host"], int(match["pid"]), at)


def _unreadable() -> LockedError:
    return LockedError(
        "recovering: the stack is locked, and the CLI tells by whom in a form that is not known "
        "here; nothing was changed",
        remedy="find out from its message who holds it; once that is surely dead, run pulumi "
        "cancel, then this again",
    )


def require_dead(lock: Lock, processes: Processes, confirmed: Collection[str] = ()) -> None:
    """Check that a lock's holder is dead.

    Args:
        confirmed: holders that are dead by the user's word, in the form of `Lock.holder`.

    Raises:
        LockedError: it is alive, or that cannot be checked from here.
    """
    here = socket.gethostname()
    ruling = judge(_evidence(lock, processes, here, confirmed))
    if ruling is Ruling.DEAD:
        return
    observed, remedy = _WHY[ruling]
    raise LockedError(
        f"recovering: the stack is locked by {lock}, {observed.format(here=here)}",
        remedy=remedy.format(option=f"--dead {lock.holder}"),
    )


def _evidence(lock: Lock, processes: Processes, here: str, confirmed: Collection[str]) -> Evidence:
    booted_at = processes.booted_at()
    return Evidence(
        names_this_host=lock.host == here,
        is_shared=is_shared(lock.file),
        seen=processes.seen(lock.pid, lock.at),
        predates_container=processes.is_isolated and lock.at < processes.first_started_at(),
        predates_boot=booted_at is not None and lock.at < booted_at - SLACK,
        is_confirmed=lock.holder in confirmed,
    )


_WHY = {
    Ruling.ALIVE: ("and that process is alive", "wait for it, or end it with Ctrl-C"),
    Ruling.ELSEWHERE: (
        "on another machine than this ({here})",
        "run this there; if that machine or container is gone for good, add {option}",
    ),
    Ruling.OTHER_CONTAINER: (
        "and this container is younger: the holder may be in another one of the same name",
        "if that container is gone, add {option}",
    ),
    Ruling.SAME_NAME: (
        "and has no process here; but another machine may have this name, and lock there too",
        "make sure that the process has ended, wherever it ran; then add {option}",
    ),
    Ruling.CLOCK: (
        "and a later pulumi has that number; if the clock was set meanwhile, it is the holder",
        "wait for it, or end it with Ctrl-C; if it does other work, add {option}",
    ),
}
