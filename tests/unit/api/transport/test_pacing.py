"""The rate of requests: learned from refusals, never guessed."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import threading
from collections import deque

import pytest

from pulumi_huaweicloud_cbr.api.transport.pacing import AT_ONCE, RateLimiter
from pulumi_huaweicloud_cbr.base.clock import InterruptibleClock
from pulumi_huaweicloud_cbr.base.errors import InterruptedWaitError

pytestmark = pytest.mark.anyio


class Timeline:
    """A clock that moves to the next sleeper once all tasks sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        self._numbers = itertools.count()
        self._sleepers: list[tuple[float, int, asyncio.Event]] = []

    def monotonic(self) -> float:
        """Return the present."""
        return self.now

    def wall_time(self) -> float:
        """Return the present."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Sleep until it is time."""
        event = asyncio.Event()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._numbers), event))
        await event.wait()

    async def run(self, *work: asyncio.Task[None]) -> None:
        """Let time pass until all of the work is done."""
        while not all(task.done() for task in work):
            for _ in range(20):
                await asyncio.sleep(0)
            if self._sleepers:
                self.now, _, event = heapq.heappop(self._sleepers)
                event.set()
        for task in work:
            task.result()


class Service:
    """Accepts a number of requests in any second, each of which takes a while."""

    def __init__(self, time: Timeline, limit: int, latency_s: float) -> None:
        self.time, self.limit, self.latency_s = time, limit, latency_s
        self.begun: deque[float] = deque()
        self.under_way = self.most_under_way = self.refused = 0

    async def accepts(self) -> bool:
        """Answer one request."""
        while self.begun and self.begun[0] <= self.time.now - 1.0:
            self.begun.popleft()
        is_accepted = len(self.begun) < self.limit
        if is_accepted:
            self.begun.append(self.time.now)
        else:
            self.refused += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        await self.time.sleep(self.latency_s)
        self.under_way -= 1
        return is_accepted


async def send_all(time: Timeline, service: Service, pacer: RateLimiter, count: int) -> float:
    """Send this number of requests, each until it is accepted; return the seconds it took."""

    async def send() -> None:
        while True:
            async with pacer:
                is_accepted = await service.accepts()
                (pacer.accepted if is_accepted else pacer.throttled)()
            if is_accepted:
                return

    started = time.now
    await time.run(*(asyncio.ensure_future(send()) for _ in range(count)))
    return time.now - started


async def test_nothing_but_the_number_holds_requests_back() -> None:
    """A service that refuses nothing gets the maximum number of concurrent requests."""
    time = Timeline()
    service, pacer = Service(time, 10_000, 0.2), RateLimiter(time)

    seconds = await send_all(time, service, pacer, 10 * AT_ONCE)

    assert AT_ONCE == service.most_under_way
    assert pytest.approx(10 * 0.2) == seconds
    assert pacer.rate_hz is None


@pytest.mark.parametrize("latency_s", [0.0, 0.05, 0.2, 1.0])
@pytest.mark.parametrize("limit", [5, 20, 25])
async def test_rate_settles_under_the_limit(limit: int, latency_s: float) -> None:
    """All are accepted in slightly more than the minimum time, with few refusals."""
    time = Timeline()
    service, pacer = Service(time, limit, latency_s), RateLimiter(time)
    count = 30 * limit

    seconds = await send_all(time, service, pacer, count)

    assert seconds <= 1.3 * (count / limit + latency_s)
    assert service.refused <= AT_ONCE + 0.1 * count


async def test_pace_follows_a_limit_that_falls_and_rises() -> None:
    """A later increase of the allowed rate is found, without endless refusals."""
    time = Timeline()
    service, pacer = Service(time, 40, 0.1), RateLimiter(time)
    await send_all(time, service, pacer, 400)
    service.limit, service.refused = 4, 0
    slow_s = await send_all(time, service, pacer, 80)
    refused = service.refused
    service.limit = 40
    fast_s = await send_all(time, service, pacer, 800)

    assert slow_s <= 1.6 * 80 / 4
    assert refused <= 4 * AT_ONCE
    # The rate rises slowly, since the limit is unknown.
    assert fast_s <= 2.5 * 800 / 40


async def test_silence_that_was_asked_for_is_kept_by_all() -> None:
    """No request begins during a Retry-After, not even one that was about to."""
    time = Timeline()
    pacer = RateLimiter(time)
    began: list[float] = []

    async def send() -> None:
        async with pacer:
            began.append(time.now)

    async with pacer:
        pacer.throttled(None)
        early = asyncio.ensure_future(send())
        await asyncio.sleep(0)
        pacer.throttled(30.0)
    await time.run(early, asyncio.ensure_future(send()))

    assert all(moment >= 30.0 for moment in began)
    assert 2 == len(began)


async def test_interruption_ends_a_wait_and_frees_its_place() -> None:
    """An interrupt ends the wait for a turn, and releases its slot."""
    interruption = threading.Event()
    pacer = RateLimiter(InterruptibleClock(interruption), at_once=1)
    pacer.throttled(60.0)
    interruption.set()

    for _ in range(2):
        with pytest.raises(InterruptedWaitError):
            async with pacer:
                pass
