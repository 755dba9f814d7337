"""Estimates for waits: the time that copies still need, and the pause before the next poll.

Nothing here polls, sleeps or reads a clock.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.text import span

LEAST_PROGRESS = 0.05
"""The progress that is needed to estimate a speed: CBR reports whole percents."""
GROWTH = 1.5
LONGEST = 6.0
"""The longest pause between polls, in intervals."""
SHARE_OF_REST = 0.5
"""The next poll comes after this share of the expected rest. So the pauses shrink towards the end,
and a wrong estimate costs little."""


class ProgressEstimate(Struct):
    """The progress of something, from 0 to 1, as first and as last seen; times in seconds."""

    began_at: float | None = None
    at: float = 0.0
    began_with: float = 0.0
    done: float = 0.0

    def see(self, now: float, done: float) -> None:
        """Note the progress; if it went back, the estimate begins anew."""
        if self.began_at is None or done < self.done:
            self.began_at, self.began_with = now, done
        self.at, self.done = now, done

    def left_s(self, now: float) -> float | None:
        """Return the seconds that the rest takes at the speed so far, None while it is unknown."""
        if self.began_at is None or self.at <= self.began_at:
            return None
        if self.done - self.began_with < LEAST_PROGRESS:
            return None
        speed = (self.done - self.began_with) / (self.at - self.began_at)
        return max(0.0, (1.0 - self.done) / speed - (now - self.at))


def about(seconds: float) -> str:
    """Return an estimated duration as text, rounded to a plausible precision."""
    step = 10 if seconds < 120 else 60 if seconds < 5400 else 600
    return f"about {span(max(step, round(seconds / step) * step))}"


class PollSchedule:
    """The pauses between polls.

    They begin with the interval and grow while no copy begins or ends, up to `LONGEST` intervals.
    If the end can be estimated, they shrink towards it, down to the interval.

    Args:
        interval_s: the shortest pause.
        jitter: returns a factor near 1, so that waits that began together do not poll together.
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
        """Return the seconds to wait before the next poll.

        Args:
            is_new: the last poll showed that something began, ended or was missing.
            left_s: seconds to the expected end, None if there is no estimate.
        """
        longest_s = LONGEST * self.interval_s
        self._pause_s = self.interval_s if is_new else min(self._pause_s * GROWTH, longest_s)
        pause_s = self._pause_s
        if left_s is not None:
            pause_s = min(pause_s, max(self.interval_s, left_s * SHARE_OF_REST))
        return pause_s * self._jitter()
