"""How much longer copies take, from how fast they were seen to go; when to look again. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.reporting import span

LEAST_PROGRESS = 0.05
"""What has to be seen done before a speed is believed: CBR tells whole percents."""
GROWTH = 1.5
LONGEST = 6.0
"""The longest pause between looks, in intervals."""
SHARE_OF_REST = 0.5
"""After this share of the expected rest it is looked again: the end is met by ever shorter steps,
and an estimate that was wrong costs little."""


class Course(Struct):
    """How far something is, from 0 to 1, as first and as last seen."""

    began_at: float | None = None
    at: float = 0.0
    began_with: float = 0.0
    done: float = 0.0

    def see(self, now: float, done: float) -> None:
        """Note how far it is."""
        if self.began_at is None or done < self.done:
            self.began_at, self.began_with = now, done
        self.at, self.done = now, done

    def left_s(self, now: float) -> float | None:
        """Return how long the rest takes at the speed seen so far, None while none was seen."""
        if self.began_at is None or self.at <= self.began_at:
            return None
        if self.done - self.began_with < LEAST_PROGRESS:
            return None
        speed = (self.done - self.began_with) / (self.at - self.began_at)
        return max(0.0, (1.0 - self.done) / speed - (now - self.at))


def about(seconds: float) -> str:
    """Return a duration that was estimated, without a precision that it has not."""
    step = 10 if seconds < 120 else 60 if seconds < 5400 else 600
    return f"about {span(max(step, round(seconds / step) * step))}"


class Rhythm:
    """The pauses between polls.

    They begin with the interval and grow while no copy begins or ends, up to `LONGEST` intervals.
    If the end can be estimated, they shrink towards it, down to the interval.

    Args:
        interval_s: the shortest pause.
        jitter: returns a factor near 1: many waits that began together should not look together.
    """

    def __init__(
        self,
        interval_s: float,
        jitter: Callable[[], float] = lambda: random.uniform(0.9, 1.1),  # noqa: S311 -- no secret
    ) -> None:
        self.interval_s = interval_s
        self._jitter = jitter
        self._pause_s = interval_s / GROWTH

    def next_s(self, *, is_new: bool, left_s: float | None) -> float:
        """Return how long to wait before the next look.

        Args:
            is_new: the last look showed that something began, ended or needs a closer look.
            left_s: seconds to the expected end, as far as it can be told.
        """
        longest_s = LONGEST * self.interval_s
        self._pause_s = self.interval_s if is_new else min(self._pause_s * GROWTH, longest_s)
        pause_s = self._pause_s
        if left_s is not None:
            pause_s = min(pause_s, max(self.interval_s, left_s * SHARE_OF_REST))
        return pause_s * self._jitter()
