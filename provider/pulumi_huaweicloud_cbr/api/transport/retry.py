"""Retries: when a request may be sent again, and how long to wait before that.

Pure rules, and the arithmetic of a budget in attempts and in seconds. tenacity does the waiting,
with the caller's clock. A submission (POST replicate) has no idempotency key, so it is retried
only if it was certainly not carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.wire.error_codes import Repeat, facts_of
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    CbrError,
    MalformedResponseError,
    NotSentError,
    OutcomeUnknownError,
    TransportError,
)

if TYPE_CHECKING:
    from tenacity import AsyncRetrying, RetryCallState

    from pulumi_huaweicloud_cbr.base.clock import Clock


class RetryBudget(Struct, frozen=True):
    """How often and how long one call may be retried.

    `attempts` counts the first one; `seconds` counts from the start of the first one. Waits are
    random between zero and a bound that doubles from `first_wait_s` up to `longest_wait_s`.
    """

    attempts: int = 6
    seconds: float = 120.0
    first_wait_s: float = 0.5
    longest_wait_s: float = 20.0


class Pause(Struct, frozen=True):
    """A wait that is about to begin, to be shown to the user."""

    doing: str
    reason: CbrError
    seconds: float
    attempt: int
    attempts: int

    def __str__(self) -> str:
        return (
            f"attempt {self.attempt} of {self.attempts}, next in {self.seconds:.1f} s: "
            f"{self.reason.observed}"
        )


def is_refused_for_now(error: BaseException) -> bool:
    """Whether the request was certainly not carried out and may be accepted later."""
    if isinstance(error, NotSentError):
        return True
    return isinstance(error, ApiError) and _repeat_of(error) is Repeat.LATER


def is_outcome_unknown(error: BaseException) -> bool:
    """Whether the request may have been carried out although it ended in this error."""
    if isinstance(error, (OutcomeUnknownError, MalformedResponseError)):
        return True
    return isinstance(error, ApiError) and _repeat_of(error) is Repeat.UNKNOWN


def may_repeat(error: BaseException, *, is_repeatable: bool) -> bool:
    """Whether to send the request again after this error.

    Args:
        is_repeatable: carrying the request out twice does no harm (GET, PUT, DELETE).
    """
    if is_refused_for_now(error):
        return True
    if not is_repeatable or isinstance(error, MalformedResponseError):
        return False
    return isinstance(error, TransportError) or is_outcome_unknown(error)


def retrying(
    doing: str,
    budget: RetryBudget,
    clock: Clock,
    should_repeat: Callable[[BaseException], bool],
    on_pause: Callable[[Pause], None],
    not_counted_s: Callable[[], float] = lambda: 0.0,
) -> AsyncRetrying:
    """Return a tenacity loop that follows these rules; it raises the last error unchanged.

    Args:
        not_counted_s: returns the seconds so far that the budget excludes, such as the wait
            for the rate limiter.
    """
    # Imported at the first call: most runs of a program make none.
    from tenacity import (  # noqa: PLC0415
        AsyncRetrying,
        retry_if_exception,
        wait_random_exponential,
    )

    started = clock.monotonic()
    jitter = wait_random_exponential(multiplier=budget.first_wait_s, max=budget.longest_wait_s)

    def wait_s(state: RetryCallState) -> float:
        asked = getattr(_error_of(state), "retry_after_s", None) or 0.0
        return max(float(asked), jitter(state))

    def is_spent(state: RetryCallState) -> bool:
        elapsed = clock.monotonic() - started - not_counted_s()
        return (
            state.attempt_number >= budget.attempts
            or elapsed + state.upcoming_sleep > budget.seconds
        )

    def announce(state: RetryCallState) -> None:
        error = _error_of(state)
        if isinstance(error, CbrError):
            on_pause(
                Pause(doing, error, state.upcoming_sleep, state.attempt_number, budget.attempts)
            )

    return AsyncRetrying(
        retry=retry_if_exception(should_repeat),
        wait=wait_s,
        stop=is_spent,
        sleep=clock.sleep,
        before_sleep=announce,
        reraise=True,
    )


def _error_of(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _repeat_of(error: ApiError) -> Repeat:
    return facts_of(error.code, error.status).repeat
