"""Retries within a budget of attempts and seconds, on a clock that tests move."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr import (
    ApiError,
    CbrError,
    MalformedResponseError,
    NotSentError,
    OutcomeUnknownError,
)
from pulumi_huaweicloud_cbr.api.transport.retry import (
    Pause,
    RetryBudget,
    is_outcome_unknown,
    is_refused_for_now,
    may_repeat,
    retrying,
)
from tests.unit.wire import ManualClock


def api_error(code: str | None, status: int, retry_after_s: float | None = None) -> ApiError:
    """Return an error of the service."""
    return ApiError("it", status=status, code=code, retry_after_s=retry_after_s)


RULES = [
    # error, read/rename/delete repeated, submission repeated, outcome unknown
    pytest.param(NotSentError("x"), True, True, False, id="not-sent"),
    pytest.param(OutcomeUnknownError("x"), True, False, True, id="no-answer"),
    pytest.param(MalformedResponseError("x"), False, False, True, id="malformed"),
    pytest.param(api_error("APIGW.0308", 429), True, True, False, id="throttled"),
    pytest.param(api_error("BackupService.6130", 400), True, True, False, id="vault-busy"),
    pytest.param(api_error("BackupService.9910", 500), True, False, True, id="unknown-error"),
    pytest.param(api_error(None, 502), True, False, True, id="bare-502"),
    pytest.param(api_error("BackupService.1005", 500), False, False, False, id="refused-as-500"),
    pytest.param(api_error("BackupService.1009", 400), False, False, False, id="second-copy"),
    pytest.param(CbrError("x"), False, False, False, id="ours"),
    pytest.param(KeyError("x"), False, False, False, id="foreign"),
]


@pytest.mark.parametrize(("error", "repeatable", "submission", "unknown"), RULES)
def test_rules(error: Exception, repeatable: bool, submission: bool, unknown: bool) -> None:
    """Whether to repeat depends on what the error leaves open, and on the request."""
    assert repeatable is may_repeat(error, is_repeatable=True)
    assert submission is may_repeat(error, is_repeatable=False)
    assert submission is is_refused_for_now(error)
    assert unknown is is_outcome_unknown(error)


async def run(budget: RetryBudget, errors: list[CbrError]) -> tuple[ManualClock, list[Pause]]:
    """Fail with these errors one after the other, then succeed."""
    clock, left = ManualClock(), list(errors)
    pauses: list[Pause] = []

    async def call() -> None:
        if left:
            raise left.pop(0)

    loop = retrying("doing it", budget, clock, lambda _: True, pauses.append)
    await loop(call)
    return clock, pauses


@pytest.mark.anyio
async def test_retrying_goes_on_until_success() -> None:
    """A call that succeeds in the end is a success; each wait was announced."""
    _, pauses = await run(RetryBudget(), [NotSentError("a"), NotSentError("b")])

    assert [(1, 6), (2, 6)] == [(pause.attempt, pause.attempts) for pause in pauses]
    assert str(pauses[0]).startswith("attempt 1 of 6, next in ")
    assert str(pauses[0]).endswith(" s: a")


@pytest.mark.anyio
async def test_retrying_stops_after_so_many_attempts() -> None:
    """The last error is raised unchanged when the attempts are used up."""
    errors: list[CbrError] = [NotSentError(str(number)) for number in range(5)]

    with pytest.raises(NotSentError) as caught:
        await run(RetryBudget(attempts=3), errors)

    assert "2" == str(caught.value)


@pytest.mark.anyio
async def test_retrying_waits_as_long_as_it_is_asked_to() -> None:
    """Retry-After is a lower bound of the wait."""
    clock, _ = await run(RetryBudget(), [api_error("APIGW.0308", 429, retry_after_s=30.0)])

    assert 30.0 <= clock.now <= 31.0


@pytest.mark.anyio
async def test_retrying_does_not_wait_beyond_its_seconds() -> None:
    """A Retry-After beyond the budget ends the retries at once, without a wait."""
    with pytest.raises(ApiError):
        await run(RetryBudget(seconds=20), [api_error("APIGW.0308", 429, retry_after_s=30.0)])


@pytest.mark.anyio
async def test_retrying_waits_are_bounded() -> None:
    """Waits are random below a bound that does not grow for ever."""
    budget = RetryBudget(attempts=40, seconds=10_000, longest_wait_s=5)

    _, pauses = await run(budget, [NotSentError("x")] * 39)

    assert 0 <= min(pause.seconds for pause in pauses)
    assert 5 >= max(pause.seconds for pause in pauses)
