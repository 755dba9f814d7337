"""A rate that several processes share: when the next request of any of them may begin.

``fleet`` runs many stacks of one account at once, and each has a plugin process with a rate limiter
of its own. The environment variable `VARIABLE` names a rate and a file. The file has the time from
which the next request may begin, on the machine's monotonic clock, which all processes share. A
lock of the kernel protects it, and ends with the process that holds it.

A turn is taken at the moment of its use, and the next one counts from then. Turns that are given
out ahead would come closer together wherever a process wakes up late.
"""

from __future__ import annotations

import errno
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

VARIABLE = "CBR_SHARED_RATE"
"""Calls per second and a file, such as ``9.5 /tmp/acme.rate``; set by `fleet` only."""
MOST_HZ = 10_000.0
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?) (/.+)")
_TIME = struct.Struct("=d")
_LOCK_AGAIN_S = 0.002
"""A turn is taken within microseconds. The event loop goes on if the machine pauses a holder."""


@dataclass(frozen=True)
class SharedRate:
    """The turns of all processes that share a file.

    Args:
        rate_hz: the number of turns per second.
    """

    rate_hz: float
    file: Path

    def __str__(self) -> str:
        return f"{self.rate_hz:g} {self.file}"

    async def wait_for_turn(self, clock: Clock) -> None:
        """Wait for a turn, and take it.

        Few should wait at once in a process: all of them wake up for each turn.

        Raises:
            ConfigurationError: the file cannot be opened.
            InterruptedWaitError: the user interrupted the wait.
        """
        while (left_s := self._take(clock.monotonic())) > 0:
            await clock.sleep(left_s)

    def _take(self, now: float) -> float:
        """Take a turn, or return how many seconds are left until it can be tried again."""
        import fcntl  # noqa: PLC0415 -- only Unix has it, and only this needs it

        try:
            file = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigurationError(
                f"waiting for a turn at the shared rate: opening {str(self.file)!r}: "
                f"{error.strerror or error}",
                remedy=f"run `fleet` again, which makes the file; {VARIABLE} is not set by hand",
            ) from None
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            stored = os.pread(file, _TIME.size, 0)
            free_at = float(_TIME.unpack(stored)[0]) if len(stored) == _TIME.size else now
            # More than a turn ahead is from before a restart of the machine.
            if now < free_at <= now + 1 / self.rate_hz:
                return free_at - now
            os.pwrite(file, _TIME.pack(now + 1 / self.rate_hz), 0)
        except OSError as error:
            if error.errno not in (errno.EAGAIN, errno.EACCES):
                raise
            return _LOCK_AGAIN_S
        finally:
            os.close(file)
        return 0.0


def shared_rate(environ: Mapping[str, str]) -> SharedRate | None:
    """Return the rate that the environment names, None if it names none.

    Raises:
        ConfigurationError: the variable is not a rate and an absolute path.
    """
    given = environ.get(VARIABLE)
    if not given:
        return None
    found = _FORM.fullmatch(given)
    rate_hz = float(found[1]) if found else 0.0
    if found is None or not 0 < rate_hz <= MOST_HZ:
        raise ConfigurationError(
            f"reading {VARIABLE}: {given!r} is not a number of calls per second and an absolute "
            "path",
            remedy="leave it to `fleet`, which sets it for the stacks that it runs",
        )
    return SharedRate(rate_hz, Path(found[2]))
