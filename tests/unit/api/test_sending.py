"""How an authorisation is driven: each request that it yields is sent, and it is always closed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

import pytest

from pulumi_huaweicloud_cbr.api.client import send_authorised
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError, OutcomeUnknownError
from tests.unit.wire import FakeConnection, answered

ASKED = Request("GET", "https://cbr.example/")
SIGN_IN = Request("POST", "https://iam.example/")


class Script:
    """An authorisation that yields these requests, whatever the responses; then ends or fails."""

    def __init__(self, *requests: Request, failure: Exception | None = None) -> None:
        self._requests = requests
        self._failure = failure
        self.seen: list[int] = []
        self.is_ended = False

    async def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Record the responses, and that the end was reached."""
        assert request is ASKED
        try:
            for each in self._requests:
                answer = yield each
                self.seen.append(answer.status)
            if self._failure is not None:
                raise self._failure
        finally:
            self.is_ended = True


async def send(auth: Script, answers: Sequence[Response | Exception]) -> list[Request | Response]:
    """Send over a connection with these responses; return what was sent, and the outcome."""
    sent: list[Request | Response] = []
    left = list(answers)

    async def handle(request: Request) -> Response:
        sent.append(request)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    outcome = await send_authorised(FakeConnection(handle), ASKED, auth)
    return [*sent, outcome]


@pytest.mark.anyio
async def test_each_request_that_is_yielded_is_sent_and_the_last_answer_counts() -> None:
    """A sign-in, the request, and the request once more, in this order."""
    auth = Script(SIGN_IN, ASKED, ASKED)
    last = answered(202)

    outcome = await send(auth, [answered(201), answered(401), last])

    assert [SIGN_IN, ASKED, ASKED, last] == outcome
    assert [201, 401, 202] == auth.seen
    assert auth.is_ended


@pytest.mark.anyio
async def test_request_without_an_answer_ends_the_authorisation() -> None:
    """Anything that it holds, such as a lock, is released before the error is raised."""
    auth = Script(SIGN_IN, ASKED)
    failure = UnansweredError(ASKED, OutcomeUnknownError, "it broke")

    with pytest.raises(UnansweredError) as caught:
        await send(auth, [answered(201), failure])

    assert failure is caught.value
    assert [201] == auth.seen
    assert auth.is_ended


@pytest.mark.anyio
async def test_refused_sign_in_is_the_outcome() -> None:
    """An error of the authorisation is raised unchanged, and nothing more is sent."""
    auth = Script(SIGN_IN, failure=AuthenticationError("wrong password"))

    with pytest.raises(AuthenticationError, match="wrong password"):
        await send(auth, [answered(401)])
