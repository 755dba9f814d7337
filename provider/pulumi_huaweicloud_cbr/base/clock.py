"""Time as the rest of the package sees it: injected, so that tests need not wait."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from pulumi_huaweicloud_cbr.base.errors import InterruptedWaitError

LOOK_AT_INTERRUPTION_S = 0.1
NOTICE_S = 2.5
"""After so long without a sign of life somebody wants to know what is being tried."""

slow_reporter: ContextVar[Callable[[str], None] | None]
slow_reporter = ContextVar("slow_reporter", default=None)
"""Who is told of what takes long, while a request is made; None for nobody."""


class Clock(Protocol):
    """A source of time and the only way to let some pass."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...

    def wall_time(self) -> float:
        """Return the date and time, in seconds since 1970, as far as the machine knows it."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        ...


class SystemClock:
    """The machine's own clock."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        return time.monotonic()

    def wall_time(self) -> float:
        """Return the date and time, in seconds since 1970, as far as the machine knows it."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds)


class InterruptibleClock(SystemClock):
    """The machine's clock; a sleep ends with an error once the user has interrupted.

    Args:
        interruption: set, from any thread, when the user interrupts.
    """

    def __init__(self, interruption: threading.Event) -> None:
        self._interruption = interruption

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        Raises:
            InterruptedWaitError: the user interrupted, before or meanwhile.
        """
        until = self.monotonic() + seconds
        while True:
            if self._interruption.is_set():
                raise InterruptedWaitError(
                    "interrupted while waiting",
                    remedy="what was begun goes on in CBR; run the same command again to go on",
                )
            left = until - self.monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(left, LOOK_AT_INTERRUPTION_S))


@contextmanager
def said_if_slow(what: str) -> Iterator[Callable[[], None]]:
    """Say what is being tried if it goes on for long; call what is yielded to say nothing more."""
    say = slow_reporter.get()
    if say is None:
        yield lambda: None
        return
    timer = asyncio.get_running_loop().call_later(NOTICE_S, say, what)
    try:
        yield timer.cancel
    finally:
        timer.cancel()
