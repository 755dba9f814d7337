"""Polls for something that may be late: until it is seen, or until it counts as absent."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import pytest

from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.replication.wait.polling import (
    Look,
    Sightings,
    WaitPlan,
    look_for,
    wait,
)
from tests.unit.replication.reports import Reports


class RecordingClock(SystemClock):
    """A clock that records its sleeps, which take no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        """Record a sleep."""
        self.slept.append(seconds)


def look_through(answers: Iterator[str], looks: int) -> tuple[str, list[float]]:
    """Poll scripted answers for "there". Return the last answer and the sleeps."""
    clock = RecordingClock()

    async def look() -> str:
        return next(answers)

    async def run() -> str:
        return await look_for(look, lambda seen: seen == "there", Sightings(looks, 2.0), clock)

    return anyio.run(run), clock.slept


@pytest.mark.parametrize(
    ("answers", "looks", "seen", "slept"),
    [
        pytest.param(["there"], 3, "there", [], id="at-once"),
        pytest.param(["no", "there"], 3, "there", [2.0], id="late"),
        pytest.param(["no", "no", "there"], 3, "there", [2.0, 2.0], id="last-look"),
        pytest.param(["1", "2", "3"], 3, "3", [2.0, 2.0], id="absent"),
        pytest.param(["1"], 1, "1", [], id="one-look"),
    ],
)
def test_look_for_ends_with_a_sighting_or_the_last_look(
    answers: list[str], looks: int, seen: str, slept: list[float]
) -> None:
    """A pause follows each poll except the last. No poll happens after the limit."""
    left = iter(answers)

    assert (seen, slept) == look_through(left, looks)
    assert [] == list(left)


def test_wait_is_reported_as_one_while_something_is_left() -> None:
    """The user learns from it that Ctrl-C does not end it on the SDK's plugin."""
    statuses = iter(["copying", "copying", "gone"])
    plan = WaitPlan(
        doing="deleting",
        what="the copy",
        pending=frozenset({"copying"}),
        target=frozenset({"gone"}),
        timeout_s=3600.0,
        interval_s=2.0,
        hint="",
    )
    reports = Reports()

    async def look() -> Look[None]:
        return Look(next(statuses), None)

    anyio.run(wait, plan, look, RecordingClock(), reports)

    assert ["waiting: 0 s of at most 1 h: the copy, copying"] * 2 == reports.called
