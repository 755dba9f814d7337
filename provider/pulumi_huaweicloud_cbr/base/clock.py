"""The clock of the package: injected, so that tests need not wait. Also a notice of slow work."""

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
"""Seconds without an answer after which the user learns what is being tried."""

slow_reporter: ContextVar[Callable[[str], None] | None]
slow_reporter = ContextVar("slow_reporter", default=None)
"""Reports slow work while a request is made; None reports nothing."""


class Clock(Protocol):
    """A source of time, and the only way to let time pass."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards, from an arbitrary start."""
        ...

    def wall_time(self) -> float:
        """Return the machine's date and time, in seconds since 1970; it may be wrong."""
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
        """Return the machine's date and time, in seconds since 1970; it may be wrong."""
        return time.time()

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass."""
        await asyncio.sleep(seconds)


class InterruptibleClock(SystemClock):
    """The machine's clock; a sleep ends with an error once the user has interrupted.

    Args:
        interruption: set when the user interrupts, from any thread.
    """

    def __init__(self, interruption: threading.Event) -> None:
        self._interruption = interruption

    async def sleep(self, seconds: float) -> None:
        """Let that many seconds pass.

        Raises:
            InterruptedWaitError: the user interrupted, before the sleep or during it.
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
    """Report what is being tried if it takes long; calling what is yielded cancels the report."""
    say = slow_reporter.get()
    if say is None:
        yield lambda: None
        return
    timer = asyncio.get_running_loop().call_later(NOTICE_S, say, what)
    try:
        yield timer.cancel
    finally:
        timer.cancel()
