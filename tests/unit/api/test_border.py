"""The border to the HTTP library: all code above it uses our own values, whatever sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    CbrError,
    MalformedResponseError,
    NotSentError,
    OutcomeUnknownError,
    TransportError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session
from tests.unit.wire import (
    ACCEPTED,
    BACKUP,
    PROJECT,
    SHOWN,
    SOURCE,
    THROTTLED,
    FakeClock,
    FakeConnection,
    Operation,
    answered,
    get_backup,
    replicate,
)

PASSWORD = {"user_name": "ops", "password": "not-a-secret-word", "domain_name": "acme"}
ACCESS_KEY = {"access_key": "DEMOACCESSKEY0000001", "secret_key": "not-a-secret-demo-key"}
TOKEN = {"token": "not-a-secret-token"}
SIGNED_IN = answered(
    201, json={"token": {"project": {"id": PROJECT}}}, headers={"X-Subject-Token": "of-iam"}
)
REFUSED = answered(401, json={"error_code": "APIGW.0307", "error_msg": "must be updated"})
FOUND = answered(200, json=SHOWN)


class Service:
    """Replaces the network: a script of responses, the last of them repeated."""

    def __init__(self, *script: Response | Callable[[Request], Exception]) -> None:
        self._script = list(script)
        self.sent: list[tuple[str, str]] = []
        self.requests: list[Request] = []
        self.connections: list[FakeConnection] = []
        self.clock = FakeClock()

    def connect(self) -> FakeConnection:
        """Return a connection to it."""
        self.connections.append(FakeConnection(self._answer))
        return self.connections[-1]

    async def _answer(self, request: Request) -> Response:
        self.requests.append(request)
        self.sent.append((request.method, request.path))
        answer = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(answer, Response):
            return Response(answer.status, answer.headers, request, answer.body)
        raise answer(request)

    async def ask(self, operation: Operation, **credentials: Any) -> Any:
        """Run an operation."""
        settings = Settings.of(**credentials)
        authenticator = make_authenticator(settings, self.clock)
        async with CbrClient(
            settings, authenticator, clock=self.clock, transport=self.connect
        ) as api:
            return await operation(api)

    async def refuse(self, operation: Operation, **credentials: Any) -> CbrError:
        """Return the error that it ends with."""
        with pytest.raises(CbrError) as caught:
            await self.ask(operation, **credentials)
        return caught.value


def unanswered(kind: type[TransportError]) -> Callable[[Request], Exception]:
    """Return the error of an unanswered request."""
    return lambda request: UnansweredError(request, kind, "it broke")


SHOW = ("GET", f"/v3/{PROJECT}/backups/{BACKUP}")
COPY = ("POST", f"/v3/{PROJECT}/backups/{BACKUP}/replicate")
SIGN_IN = ("POST", "/v3/auth/tokens")


@pytest.mark.anyio
async def test_request_says_what_is_asked_for() -> None:
    """Address, credentials and body are in the request, in the form in which it is sent."""
    service = Service(answered(202, json=ACCEPTED))

    accepted = await service.ask(replicate, **TOKEN)

    (request,) = service.requests
    assert [COPY] == service.sent
    assert "cbr.cn-north-4.myhuaweicloud.com" == request.host
    assert "not-a-secret-token" == request.headers["X-Auth-Token"]
    assert request.body.startswith(b'{"replicate":{"destination_region":"cn-east-3",')
    assert ACCEPTED["replication"]["replication_record_id"] == accepted.replication_record_id


@pytest.mark.anyio
async def test_refused_token_is_renewed() -> None:
    """Sign in, send, and send once more with a new token."""
    service = Service(SIGNED_IN, REFUSED, SIGNED_IN, FOUND)

    backup = await service.ask(get_backup, **PASSWORD)

    assert BACKUP == backup.id
    assert [SIGN_IN, SHOW, SIGN_IN, SHOW] == service.sent
    assert service.requests[1] is service.requests[3]
    assert "of-iam" == service.requests[3].headers["X-Auth-Token"]


@pytest.mark.anyio
async def test_signature_is_of_the_url_that_is_sent() -> None:
    """The request is signed as the connection built it; the query has the signed form."""
    service = Service(answered(200, json={"backups": []}))

    await service.ask(lambda api: api.list_backups(SOURCE, limit=5, name="a b"), **ACCESS_KEY)

    (request,) = service.requests
    assert request.url.endswith("/backups?limit=5&name=a%20b")
    assert request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=DEMOACCESSKEY")


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("operation", "kind", "count"),
    [
        pytest.param(get_backup, NotSentError, 6, id="GET-not-sent"),
        pytest.param(get_backup, OutcomeUnknownError, 6, id="GET-unclear"),
        pytest.param(replicate, NotSentError, 6, id="POST-not-sent"),
        pytest.param(replicate, OutcomeUnknownError, 1, id="POST-unclear"),
    ],
)
async def test_end_without_an_answer_tells_whether_it_was_sent(
    operation: Operation, kind: type[TransportError], count: int
) -> None:
    """The connection's verdict decides whether the request is sent again."""
    service = Service(unanswered(kind))

    error = await service.refuse(operation, **TOKEN)

    assert kind is type(error)
    assert "no answer from 'cbr.cn-north-4.myhuaweicloud.com': it broke" in str(error)
    assert count == len(service.requests)


@pytest.mark.anyio
async def test_sign_in_without_an_answer_leaves_the_request_unsent() -> None:
    """Nobody knows whether a token was issued; the submission was certainly not sent."""
    service = Service(unanswered(OutcomeUnknownError))

    error = await service.refuse(replicate, **PASSWORD)

    assert NotSentError is type(error)
    assert "no answer from 'iam.cn-north-4.myhuaweicloud.com'" in str(error)
    assert {SIGN_IN} == set(service.sent)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "kind", "count"),
    [
        pytest.param(REFUSED, AuthenticationError, 1, id="refused"),
        pytest.param(answered(429, json=THROTTLED), CbrError, 6, id="throttled"),
        pytest.param(
            answered(302, headers={"Location": "https://elsewhere.example/login"}),
            MalformedResponseError,
            1,
            id="redirection",
        ),
        pytest.param(answered(200, "<html>"), MalformedResponseError, 1, id="malformed"),
    ],
)
async def test_answer_means_what_it_says(
    answer: Response, kind: type[CbrError], count: int
) -> None:
    """Refusals, throttling, redirections and nonsense are distinguished without the library."""
    service = Service(answer)

    error = await service.refuse(replicate, **TOKEN)

    assert isinstance(error, kind)
    assert count == len(service.requests)
    assert ("'https://elsewhere.example'" in str(error)) == (answer.status == 302)


@pytest.mark.anyio
async def test_connections_are_closed_with_the_client() -> None:
    """One connection serves consecutive requests, and none stays open."""
    service = Service(FOUND)

    async def twice(api: CbrClient) -> None:
        await get_backup(api)
        await get_backup(api)

    await service.ask(twice, **TOKEN)

    assert [True] == [connection.is_closed for connection in service.connections]


def test_session_takes_other_connections_too() -> None:
    """Everything that resources do can be tested without the library."""
    service = Service(FOUND)
    session = Session(Settings.of(**TOKEN), transport=service.connect, clock=service.clock)

    assert BACKUP == session.run(get_backup(session.client())).id
    session.close()

    assert [SHOW] == service.sent
