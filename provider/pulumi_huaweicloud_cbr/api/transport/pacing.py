"""The rate limiter: how many requests are under way, and how many begin per second.

CBR publishes no figure for its throttling (API Gateway user guide: 200 calls a second by default,
far fewer for some). So the rate limiter learns the rate. Until the service refuses a request, only
the number of concurrent requests is limited. After a refusal, requests go slightly slower than the
accepted rate. Then the rate rises again: quickly while far below the refused rate, slowly near it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from types import TracebackType

from pulumi_huaweicloud_cbr.api.transport.shared_rate import SharedRate
from pulumi_huaweicloud_cbr.base.clock import Clock

AT_ONCE = 32
"""Requests under way at the same time."""
WINDOW_S = 1.0
"""The time over which accepted requests are counted, and after which a rate is judged."""
SLOWER, MUCH_SLOWER = 0.9, 0.5
FASTER, MUCH_FASTER = 1.03, 1.25
NEAR, PAST = 0.7, 1.15
"""Between these multiples of the refused rate, the rate rises slowly."""
LONGEST_SILENCE_S = 20.0
SLOWEST_HZ, FIRST_HZ, FREE_HZ = 0.1, 1.0, 500.0


class RateLimiter:
    """Lets requests begin: an asynchronous context manager around each request.

    Args:
        at_once: the maximum number of concurrent requests.
        shared: turns that other processes take as well; None: there are none.
    """

    def __init__(
        self, clock: Clock, at_once: int = AT_ONCE, shared: SharedRate | None = None
    ) -> None:
        self._clock = clock
        self._shared = shared
        self._competing = asyncio.Lock()
        self._slots = asyncio.Semaphore(at_once)
        self._accepted: deque[float] = deque()
        self._rate_hz: float | None = None
        self._refused_hz: float | None = None
        now = clock.monotonic()
        self._slowed_at = self._changed_at = now
        self._next_at = self._closed_until = now
        self._refusals_in_a_row = 0

    @property
    def rate_hz(self) -> float | None:
        """Return how many requests begin per second; None while the rate is not limited."""
        return self._rate_hz

    async def __aenter__(self) -> None:
        """Wait for a turn.

        Raises:
            InterruptedWaitError: the user interrupted the wait.
        """
        await self._slots.acquire()
        try:
            await self._wait_for_turn()
            if self._shared is not None:
                await self._wait_for_shared_turn(self._shared)
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let the next request begin."""
        self._slots.release()

    async def _wait_for_shared_turn(self, shared: SharedRate) -> None:
        # One request of this process at a time competes with those of the others.
        async with self._competing:
            await shared.wait_for_turn(self._clock)
            while self._clock.monotonic() < self._closed_until:
                # The service has asked for a pause in the meantime.
                await self._clock.sleep(self._closed_until - self._clock.monotonic())
                await shared.wait_for_turn(self._clock)

    async def _wait_for_turn(self) -> None:
        now = self._clock.monotonic()
        turn_at = max(now, self._next_at)
        if self._rate_hz is not None:
            self._next_at = turn_at + 1 / self._rate_hz
        while turn_at > now:
            await self._clock.sleep(turn_at - now)
            now = self._clock.monotonic()
            # The service may have asked for a pause in the meantime.
            turn_at = max(turn_at, self._closed_until)

    def accepted(self) -> None:
        """Count a request that was not throttled, and raise the rate at most once per window."""
        now = self._clock.monotonic()
        self._refusals_in_a_row = 0
        self._accepted.append(now)
        while self._accepted[0] < now - WINDOW_S:
            self._accepted.popleft()
        if self._rate_hz is not None and now - self._changed_at >= WINDOW_S:
            self._changed_at = now
            if self._refused_hz is not None and self._rate_hz > PAST * self._refused_hz:
                self._refused_hz = None  # The service now allows more.
            is_near = self._refused_hz is not None and self._rate_hz > NEAR * self._refused_hz
            faster_hz = self._rate_hz * (FASTER if is_near else MUCH_FASTER)
            self._rate_hz = faster_hz if faster_hz < FREE_HZ else None

    def throttled(self, retry_after_s: float | None = None) -> None:
        """Lower the rate once for all requests under way; pause for as long as requested.

        Args:
            retry_after_s: seconds in which the service wants no request.
        """
        now = self._clock.monotonic()
        self._close_until(now + (retry_after_s or 0.0))
        if self._rate_hz is not None and now - self._slowed_at < WINDOW_S:
            return
        self._slowed_at = self._changed_at = now
        accepted_hz = sum(1 for moment in self._accepted if moment > now - WINDOW_S) / WINDOW_S
        is_used_up = self._rate_hz is None or self._refusals_in_a_row > 0
        if self._rate_hz is None:
            rate_hz = SLOWER * accepted_hz or FIRST_HZ
        else:
            least_hz, most_hz = MUCH_SLOWER * self._rate_hz, SLOWER * self._rate_hz
            rate_hz = min(max(SLOWER * accepted_hz, least_hz), most_hz)
        self._refused_hz = accepted_hz or self._refused_hz
        self._rate_hz = max(SLOWEST_HZ, rate_hz)
        if is_used_up:
            # The present allowance is used up. If that lasts, send less and less often.
            silence_s = min(WINDOW_S * 2**self._refusals_in_a_row, LONGEST_SILENCE_S)
            self._close_until(now + silence_s)
        self._refusals_in_a_row += 1

    def _close_until(self, moment: float) -> None:
        self._closed_until = max(self._closed_until, moment)
        self._next_at = max(self._next_at, moment)
