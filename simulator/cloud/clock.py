"""The simulator's time: the machine's, or a virtual one that is advanced by hand."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

VIRTUAL_START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Clock(Protocol):
    """A source of time, in seconds since 1970, that can be advanced."""

    def now(self) -> float:
        """Return the time."""
        ...

    def wall_time(self) -> float:
        """Return the date and time that callers use too."""
        ...

    def advance(self, seconds: float) -> None:
        """Advance the time."""
        ...

    def restart(self) -> None:
        """Undo all advances."""
        ...


class RealClock:
    """The machine's time, plus all advances."""

    def __init__(self) -> None:
        self._ahead_s = 0.0

    def now(self) -> float:
        """Return the time."""
        return time.time() + self._ahead_s

    def wall_time(self) -> float:
        """Return the machine's time: callers on it do not notice advances."""
        return time.time()

    def advance(self, seconds: float) -> None:
        """Advance the time."""
        self._ahead_s += seconds

    def restart(self) -> None:
        """Undo all advances."""
        self._ahead_s = 0.0


class VirtualClock:
    """Time that only advances by hand."""

    def __init__(self, start: datetime = VIRTUAL_START) -> None:
        self._start = start.timestamp()
        self._now = self._start

    def now(self) -> float:
        """Return the time."""
        return self._now

    def wall_time(self) -> float:
        """Return the time: callers use this clock."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Advance the time."""
        self._now += seconds

    def restart(self) -> None:
        """Undo all advances."""
        self._now = self._start


@lru_cache(maxsize=100_000)  # Each list formats the times of all its backups again.
def cbr_time(seconds: float | None) -> str | None:
    """Return a time in CBR's format: UTC without a zone, with microseconds."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def iam_time(seconds: float) -> str:
    """Return a time in IAM's format: UTC with a Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str) -> float:
    """Return the seconds of a time in a world file or a query; UTC if it has no zone.

    Raises:
        ValueError: the text is not a time.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp()
