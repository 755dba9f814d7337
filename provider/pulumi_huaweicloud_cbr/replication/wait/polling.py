"""Waits as data: pending and target statuses, the poll interval and the timeout.

`wait` is for what is expected. It ends with an error after its timeout, and at once if it sees a
status outside both sets. `look_for` is for what may be late or absent. It ends after a number of
polls, without an error. The clock is injected, and nothing here calls the API by itself.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import UnexpectedStatusError, WaitTimeoutError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.base.text import span

Observed = TypeVar("Observed")

GONE = "gone"
"""The status of a thing that no longer exists."""


class WaitPlan(Struct, frozen=True):
    """A wait: durations in seconds, with `timeout_s` counted from the first poll.

    A `pending` status keeps the wait going, a `target` status ends it, and any other is an error.
    `what` is a few words for a line of progress. `doing` begins the text of an error. `hint` is the
    remedy of an error.
    """

    what: str
    doing: str
    pending: frozenset[str]
    target: frozenset[str]
    interval_s: float
    timeout_s: float
    hint: str


class Sightings(Struct, frozen=True):
    """Polls without a sighting before something counts as absent, since it may be late.

    `looks` is at least 1. `interval_s` is the pause between two polls, in seconds.
    """

    looks: int
    interval_s: float


class Look(Struct, Generic[Observed], frozen=True):
    """The result of one poll: the status, the object itself, and its progress as text and in %."""

    status: str
    observed: Observed
    detail: str = ""
    percent: int | None = None


async def wait(
    plan: WaitPlan,
    look: Callable[[], Awaitable[Look[Observed]]],
    clock: Clock,
    report: Reporter,
) -> Look[Observed]:
    """Poll until a target status is seen; return that observation.

    Reports progress after each poll that leaves something to wait for.

    Raises:
        UnexpectedStatusError: a status that is neither pending nor a target.
        WaitTimeoutError: the timeout was reached; the work goes on in CBR.
    """
    started = clock.monotonic()
    while True:
        seen = await look()
        if seen.status in plan.target:
            return seen
        detail = f" ({seen.detail})" if seen.detail else ""
        if seen.status not in plan.pending:
            raise UnexpectedStatusError(
                f"{plan.doing}: status {seen.status!r}{detail}, "
                f"want {_listed(plan.target)} after {_listed(plan.pending)}",
                remedy=plan.hint,
            )
        elapsed = clock.monotonic() - started
        share = "" if seen.percent is None else f"{seen.percent} %, "
        report.waiting(
            f"{share}{span(elapsed)} of at most {span(plan.timeout_s)}: {plan.what}, {seen.status}"
        )
        # Jitter: waits that began together should not poll together for ever.
        pause_s = plan.interval_s * random.uniform(0.9, 1.1)  # noqa: S311 -- no secret
        if elapsed + pause_s > plan.timeout_s:
            raise WaitTimeoutError(
                f"{plan.doing}: still {seen.status!r}{detail} after {span(plan.timeout_s)}",
                remedy=plan.hint,
            )
        await clock.sleep(pause_s)


async def look_for(
    look: Callable[[], Awaitable[Observed]],
    is_seen: Callable[[Observed], bool],
    sightings: Sightings,
    clock: Clock,
) -> Observed:
    """Poll until it is seen, or until it counts as absent; return the last observation."""
    looks_left = sightings.looks
    while True:
        observed = await look()
        looks_left -= 1
        if looks_left <= 0 or is_seen(observed):
            return observed
        await clock.sleep(sightings.interval_s)


def _listed(statuses: frozenset[str]) -> str:
    return " or ".join(repr(status) for status in sorted(statuses))
