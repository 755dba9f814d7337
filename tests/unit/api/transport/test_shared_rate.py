"""A rate that several rate limiters share through a file, on a clock of the tests."""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.api.transport.pacing import RateLimiter
from pulumi_huaweicloud_cbr.api.transport.shared_rate import (
    MOST_HZ,
    VARIABLE,
    SharedRate,
    shared_rate,
)
from pulumi_huaweicloud_cbr.base.clock import InterruptibleClock
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError, InterruptedWaitError
from tests.unit.api.transport.test_pacing import Service, Timeline

pytestmark = pytest.mark.anyio


async def began(time: Timeline, limiters: list[RateLimiter], each: int) -> list[float]:
    """Send this number of requests by each rate limiter; return when they began."""
    moments: list[float] = []

    async def send(limiter: RateLimiter) -> None:
        async with limiter:
            moments.append(time.now)

    work = [asyncio.ensure_future(send(one)) for one in limiters for _ in range(each)]
    await time.run(*work)
    return moments


async def test_limiters_of_one_file_share_its_turns(tmp_path: Path) -> None:
    """Together they begin as many requests a second as one alone would."""
    time = Timeline()
    rate = SharedRate(10.0, tmp_path / "acme.rate")
    limiters = [RateLimiter(time, shared=rate) for _ in range(3)]

    moments = await began(time, limiters, 20)

    assert pytest.approx([number / 10 for number in range(60)]) == moments


async def test_accounts_have_turns_of_their_own(tmp_path: Path) -> None:
    """Another file is another account: neither waits for the other."""
    time = Timeline()
    limiters = [
        RateLimiter(time, shared=SharedRate(10.0, tmp_path / f"{name}.rate")) for name in "ab"
    ]

    moments = await began(time, limiters, 10)

    assert pytest.approx(0.9) == max(moments)


async def test_learned_pause_counts_beside_the_shared_rate(tmp_path: Path) -> None:
    """A request whose shared turn comes during a Retry-After takes another one after it."""
    time = Timeline()
    limiter = RateLimiter(time, shared=SharedRate(10.0, tmp_path / "acme.rate"))
    await began(time, [limiter], 1)
    moments: list[float] = []

    async def send() -> None:
        async with limiter:
            moments.append(time.now)

    waiting = asyncio.ensure_future(send())
    for _ in range(5):
        await asyncio.sleep(0)
    # It waits for its shared turn by now, which comes in a tenth of a second.
    limiter.throttled(30.0)
    await time.run(waiting)

    assert [30.0] == moments


async def test_shared_rate_under_the_limit_is_never_refused(tmp_path: Path) -> None:
    """Five limiters on one account never exceed a limit that is slightly higher."""
    time = Timeline()
    service = Service(time, 10, 0.2)
    rate = SharedRate(9.5, tmp_path / "acme.rate")

    async def send(limiter: RateLimiter) -> None:
        async with limiter:
            assert await service.accepts()
            limiter.accepted()

    limiters = [RateLimiter(time, shared=rate) for _ in range(5)]
    await time.run(*(asyncio.ensure_future(send(one)) for one in limiters for _ in range(20)))

    assert 0 == service.refused


async def test_locked_file_is_tried_again(tmp_path: Path) -> None:
    """A holder that is paused blocks nobody's event loop."""
    time = Timeline()
    file = tmp_path / "acme.rate"
    rate = SharedRate(10.0, file)
    held = os.open(file, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    waiting = asyncio.ensure_future(rate.wait_for_turn(time))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    os.close(held)

    await time.run(waiting)

    assert 8 == file.stat().st_size


@pytest.mark.parametrize("stored", [b"", b"abc", b"\xff" * 8, b"\0\0\0\0\0\0\xf0\x7f"])
async def test_useless_content_of_the_file_counts_as_none(tmp_path: Path, stored: bytes) -> None:
    """Neither a cut write nor a time from before a restart holds a request back."""
    time = Timeline()
    file = tmp_path / "acme.rate"
    file.write_bytes(stored)

    moments = await began(time, [RateLimiter(time, shared=SharedRate(10.0, file))], 2)

    assert pytest.approx([0.0, 0.1]) == moments


async def test_interruption_ends_the_wait_for_a_shared_turn(tmp_path: Path) -> None:
    """The user need not wait for the queue of all stacks."""
    interruption = threading.Event()
    clock = InterruptibleClock(interruption)
    rate = SharedRate(0.001, tmp_path / "acme.rate")
    await rate.wait_for_turn(clock)
    interruption.set()

    with pytest.raises(InterruptedWaitError):
        await rate.wait_for_turn(clock)


async def test_missing_folder_is_told(tmp_path: Path) -> None:
    """The file's folder ends with `fleet`; a plugin that outlives it says why it stops."""
    rate = SharedRate(10.0, tmp_path / "gone" / "acme.rate")

    with pytest.raises(ConfigurationError, match=r"opening '.*acme.rate': No such file"):
        await rate.wait_for_turn(Timeline())


def test_rate_is_read_as_it_is_written(tmp_path: Path) -> None:
    """What `fleet` puts into the environment, the plugin reads."""
    rate = SharedRate(9.5, tmp_path / "a name.rate")

    assert rate == shared_rate({VARIABLE: str(rate)})
    assert shared_rate({}) is None


@pytest.mark.parametrize("given", ["10", "x /tmp/a", "0 /tmp/a", "10 relative", f"{MOST_HZ}1 /a"])
def test_wrong_variable_is_told(given: str) -> None:
    """No rate is guessed: without one the account would get too many requests."""
    with pytest.raises(ConfigurationError, match=VARIABLE):
        shared_rate({VARIABLE: given})
