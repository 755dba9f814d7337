"""One wait for many copies: polls all of them together until each has ended.

A failure ends the wait for that copy alone. All others are waited for, then one error reports all
failures. How copies are polled is in `copies`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from urllib.parse import quote

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.transport.retry import may_repeat
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED
from pulumi_huaweicloud_cbr.base.errors import (
    CbrError,
    InterruptedWaitError,
    ReplicationsFailedError,
    WaitTimeoutError,
)
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.base.text import span
from pulumi_huaweicloud_cbr.replication.wait.copies import (
    ABSENT,
    OPEN,
    Copy,
    Outcome,
    Source,
    confirm,
    copies_of,
)
from pulumi_huaweicloud_cbr.replication.wait.estimates import PollSchedule, ProgressEstimate, about
from pulumi_huaweicloud_cbr.replication.wait.tracking import Group

FAULTY_LOOKS = 10
"""Consecutive polls without an answer that end the wait, each after all retries of its requests."""
TEXT_LIMIT = 4000
"""Bytes of an error's list, encoded as gRPC sends them: beyond 8 kB it refuses the whole error."""
MANY = 10
"""With at least this many copies, the speed of all is an estimate for those that have not begun."""
TOLD_AT_ONCE = 20
NAMED_AT_TIMEOUT = 5


class CompletionPlan(Struct, frozen=True):
    """The timeout and the shortest pause between polls, in seconds."""

    timeout_s: float
    interval_s: float


async def wait_for_all(
    api: Api,
    groups: Sequence[Group],
    plan: CompletionPlan,
    report: Reporter,
    named: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Copy]:
    """Wait until every copy has ended; return them by record id, each with its `replica_id`.

    Args:
        named: record id -> replica id, if known. It identifies a copy whose source is long gone.
    Raises:
        ReplicationsFailedError: some ended without a replica; raised when all have ended.
        WaitTimeoutError: some are still running; the text lists failures as well.
        InterruptedWaitError: the user interrupted; the copies go on.
        CbrError: several consecutive polls got no answer.
    """
    copies = list(copies_of(groups, named))
    wait = _Wait(api, copies, plan, report)
    await wait.run()
    return wait.result()


async def wait_until_ended(
    api: Api, copies: list[Copy], plan: CompletionPlan, report: Reporter
) -> None:
    """Wait until every copy has ended, with a replica or without; each copy tells its outcome.

    Raises:
        WaitTimeoutError: some are still running.
        InterruptedWaitError: the user interrupted; the copies go on.
        CbrError: several consecutive polls got no answer.
    """
    await _Wait(api, copies, plan, report).run()


class _Wait:
    def __init__(
        self, api: Api, copies: list[Copy], plan: CompletionPlan, report: Reporter
    ) -> None:
        # A wait needs fresh answers.
        api = api.fresh
        self._api = api
        self._clock = api.clock
        self._copies = copies
        self._plan = plan
        self._report = report
        self._schedule = PollSchedule(plan.interval_s)
        self._all = ProgressEstimate()
        self._sources = [
            Source(api, scope, [copy for copy in copies if copy.source == scope])
            for scope in dict.fromkeys(copy.source for copy in copies)
        ]
        self.doing = f"waiting for {_replications(len(copies))}"

    async def run(self) -> None:
        """Poll until all copies have ended and their replicas are confirmed.

        Raises:
            InterruptedWaitError: the user interrupted; the text says how far the copies are.
        """
        try:
            await self._poll()
        except InterruptedWaitError as error:
            raise InterruptedWaitError(
                f"{self.doing}: interrupted, {self.count()}",
                remedy="the copies go on in CBR; run pulumi up again to go on waiting",
            ) from error

    async def _poll(self) -> None:
        started = self._clock.monotonic()
        faults = 0
        while True:
            before = self._standings()
            try:
                await self._look()
            except CbrError as error:
                faults += 1
                if faults >= FAULTY_LOOKS or not may_repeat(error, is_repeatable=True):
                    raise
                self._report.waiting(f"{self.count()}; {error}; looking again")
            else:
                faults = 0
                self._note_progress()
            if not self._open():
                return
            left_s = started + self._plan.timeout_s - self._clock.monotonic()
            if left_s <= 0:
                raise self._timeout()
            if not faults:
                self._report.waiting(self.summary())
                self._tell_failures()
            is_new = before != self._standings() or any(copy.absences for copy in self._open())
            pause_s = self._schedule.next_s(is_new=is_new, left_s=self._left_s())
            await self._clock.sleep(min(pause_s, left_s))

    def result(self) -> dict[str, Copy]:
        """Return the copies by record id.

        Raises:
            ReplicationsFailedError: not all copies have a replica.
        """
        failed = [copy for copy in self._copies if copy.has_failed]
        if failed:
            self._tell_what_does_not_fit(failed)
            # `up` alone does not query replicas that the state has seen; a refresh does.
            is_absent = any(copy.outcome in ABSENT for copy in failed)
            again = "run pulumi refresh, then pulumi up," if is_absent else "run pulumi up again"
            raise ReplicationsFailedError(
                f"{self.doing}: {len(failed)} failed, {len(self._copies) - len(failed)} done; "
                f"{again} to copy anew what failed, and to wait for it:{_listed(failed)}",
                record_ids=tuple(copy.record_id for copy in failed),
            )
        return {copy.record_id: copy for copy in self._copies}

    # -- polling ----------------------------------------------------------------------------

    async def _look(self) -> None:
        for source in self._sources:
            await source.look()
        if any(copy.outcome is Outcome.RUNNING for copy in self._copies):
            return
        # Once all have ended: one list for each destination vault.
        copied = [copy for copy in self._copies if copy.outcome is Outcome.COPIED]
        for place in dict.fromkeys((copy.destination, copy.vault_id) for copy in copied):
            there = [copy for copy in copied if (copy.destination, copy.vault_id) == place]
            await confirm(self._api, there)

    def _open(self) -> list[Copy]:
        return [copy for copy in self._copies if copy.outcome in OPEN]

    def _standings(self) -> list[tuple[Outcome, str]]:
        return [(copy.outcome, copy.status) for copy in self._copies]

    def _note_progress(self) -> None:
        now = self._clock.monotonic()
        for copy in self._copies:
            is_moving = copy.outcome is Outcome.RUNNING and copy.status != STATUS_SUBMITTED
            if is_moving and copy.progress is not None:
                copy.course.see(now, copy.share)
        if self._copies:
            self._all.see(now, sum(copy.share for copy in self._copies) / len(self._copies))

    def _left_s(self) -> float | None:
        """Return the seconds until all should have ended: by the slowest, or by the total."""
        now = self._clock.monotonic()
        running = [copy for copy in self._copies if copy.outcome is Outcome.RUNNING]
        told = [copy.course.left_s(now) for copy in running]
        if None in told:
            # For copies that have not begun, only the overall speed is known.
            told.append(self._all.left_s(now) if len(self._copies) >= MANY else None)
        return max((left_s for left_s in told if left_s is not None), default=None)

    # -- reporting --------------------------------------------------------------------------

    def count(self) -> str:
        """Return how many copies are done, and how many failed."""
        done = sum(copy.outcome in (Outcome.COPIED, Outcome.DONE) for copy in self._copies)
        failed = sum(copy.has_failed for copy in self._copies)
        return f"{done} of {len(self._copies)} done" + (f", {failed} failed" if failed else "")

    def summary(self) -> str:
        """Return the line of progress, numbers first: the terminal may cut off its end."""
        slowest = self._slowest()
        if not slowest:
            return f"{self.count()}; looking for the replicas in the destination"
        left_s = self._left_s()
        rest = f", {about(left_s)} left" if left_s is not None else ""
        return f"{self.count()}{rest}; slowest: {slowest[0].progress_text}"

    def _slowest(self) -> list[Copy]:
        """Return the running copies, the slowest first."""
        now = self._clock.monotonic()

        def urgency(copy: Copy) -> tuple[float, float]:
            left_s = copy.course.left_s(now)
            # A copy that has not begun is assumed to end last.
            return (-left_s if left_s is not None else -math.inf, copy.share)

        return sorted(
            (copy for copy in self._copies if copy.outcome is Outcome.RUNNING), key=urgency
        )

    def _tell_failures(self) -> None:
        """Report failures while other copies are running; the final error repeats them."""
        told = sum(copy.is_told for copy in self._copies)
        news = [copy for copy in self._copies if copy.has_failed and not copy.is_told]
        for copy in news[: max(0, TOLD_AT_ONCE - told)]:
            copy.is_told = True
            self._report.tell(f"{copy.failure}; the other copies are waited for")

    def _tell_what_does_not_fit(self, failed: list[Copy]) -> None:
        fitting = len(_fitting(failed))
        rest = [copy for copy in failed[fitting:] if not copy.is_told]
        for start in range(0, len(rest), TOLD_AT_ONCE):
            self._report.tell(
                "\n".join(copy.failure for copy in rest[start : start + TOLD_AT_ONCE])
            )

    def _timeout(self) -> WaitTimeoutError:
        running = self._slowest()
        failed = [copy for copy in self._copies if copy.has_failed]
        named = ", ".join(copy.progress_text for copy in running[:NAMED_AT_TIMEOUT])
        more = len(running) - NAMED_AT_TIMEOUT
        what = f"{len(running)} still running" if running else "not all replicas seen"
        slowest = f", the slowest: {named}" + (f" and {more} more" if more > 0 else "")
        failures = f"; failed:{_listed(failed)}" if failed else ""
        return WaitTimeoutError(
            f"{self.doing}: {what} after {span(self._plan.timeout_s)}, {self.count()}"
            f"{slowest if running else ''}; what is running goes on in CBR: run pulumi up again to "
            f"go on waiting, or give a longer timeout{failures}"
        )


def _replications(count: int) -> str:
    return "a replication" if count == 1 else f"{count} replications"


def _fitting(copies: Sequence[Copy]) -> list[str]:
    """Return the lines about copies that fit into an error."""
    lines: list[str] = []
    size = 0
    for copy in copies:
        size += len(quote(copy.failure)) + 5
        if size > TEXT_LIMIT and lines:
            break
        lines.append(f"\n  {copy.failure}")
    return lines


def _listed(copies: Sequence[Copy]) -> str:
    lines = _fitting(copies)
    more = len(copies) - len(lines)
    return "".join(lines) + (f"\n  and {more} more, told above" if more else "")
