"""Sending through httpx, and connections: each request has its own, and later ones reuse it."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import AsyncIterator
from typing import Any, cast

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.client import TIMEOUTS
from pulumi_huaweicloud_cbr.api.transport.http import (
    KEPT_FOR_S,
    Connections,
    HttpxConnection,
    bare_request,
    connector,
)
from pulumi_huaweicloud_cbr.api.transport.proxies import ProxyRouter
from pulumi_huaweicloud_cbr.api.wire.exchange import Headers, Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import NotSentError, OutcomeUnknownError
from tests.unit.wire import FakeConnection, answered, connection_to

HERE = "https://cbr.cn-north-4.example/v3/backups"
THERE = "https://cbr.cn-east-3.example/v3/backups"


class Place:
    """Counted connections, at a time that the test sets."""

    def __init__(self) -> None:
        self.made: list[FakeConnection] = []
        self.time = 0.0
        self.connections = Connections(self._make, now=lambda: self.time)

    def _make(self) -> FakeConnection:
        self.made.append(FakeConnection(_answer))
        return self.made[-1]

    @property
    def open(self) -> list[int]:
        """The numbers of the open connections, in the order in which they were made."""
        return [number for number, http in enumerate(self.made) if not http.is_closed]

    async def use(self, count: int, url: str = HERE) -> list[int]:
        """Run this number of requests at a time; return the numbers of their connections."""
        async with contextlib.AsyncExitStack() as stack:
            lent = [
                await stack.enter_async_context(self.connections.lent(url)) for _ in range(count)
            ]
            return [self.made.index(cast("FakeConnection", http)) for http in lent]


async def _answer(request: Request) -> Response:
    return answered(200, request=request)


@pytest.fixture
def place() -> Place:
    """Connections, none of which is open yet."""
    return Place()


@pytest.mark.anyio
async def test_requests_in_a_row_share_a_connection(place: Place) -> None:
    """A returned connection is lent again."""
    assert [[0], [0], [0]] == [await place.use(1) for _ in range(3)]


@pytest.mark.anyio
async def test_requests_at_a_time_share_none(place: Place) -> None:
    """As many connections are open as were ever needed at a time, whoever needs them later."""
    first = await place.use(3)
    again = await place.use(2)
    more = await place.use(4)

    assert [0, 1, 2] == first
    assert set(again) < set(first)
    assert {0, 1, 2, 3} == set(more)
    assert [0, 1, 2, 3] == place.open


@pytest.mark.anyio
async def test_connection_to_the_same_address_is_taken(place: Place) -> None:
    """A request to one region leaves connections to other regions unchanged."""
    used = [await place.use(1, url) for url in (HERE, THERE, HERE, THERE)]

    assert [[0], [1], [0], [1]] == used


@pytest.mark.anyio
async def test_connection_of_a_failed_request_is_not_lost(place: Place) -> None:
    """A request that ends in an error returns its connection."""
    with pytest.raises(OSError, match="broke"):
        async with place.connections.lent(HERE):
            raise OSError("broke")

    assert [0] == await place.use(1)


@pytest.mark.anyio
async def test_connections_that_nobody_uses_are_closed(place: Place) -> None:
    """A few requests keep the connections that they use; the rest of a burst is closed later."""
    await place.use(3)
    await place.use(2, THERE)
    place.time = KEPT_FOR_S
    (kept,) = await place.use(1)
    still = place.open
    place.time = 2 * KEPT_FOR_S

    assert [0, 1, 2, 3, 4] == still
    assert [kept] == await place.use(1)
    assert [kept] == place.open


@pytest.mark.anyio
async def test_closing_closes_all(place: Place) -> None:
    """At the end no connection is open, not even a lent one."""
    await place.use(2)
    async with place.connections.lent(THERE):
        await place.connections.aclose()

        assert [] == place.open


# -- sending by httpx ----------------------------------------------------------------------


class Network:
    """A network with one response, which records what is sent."""

    def __init__(self, answer: httpx.Response | None = None) -> None:
        self.answer = answer or httpx.Response(200)
        self.sent: list[tuple[str, str, list[tuple[bytes, bytes]], bytes]] = []
        self.limits: list[object] = []
        self.http = connection_to(self._handle)

    def _handle(self, request: httpx.Request) -> httpx.Response:
        self.sent.append((request.method, str(request.url), request.headers.raw, request.content))
        self.limits.append(request.extensions.get("timeout"))
        return self.answer


COMMON = [
    (b"Host", b"cbr.cn-north-4.example"),
    (b"Connection", b"keep-alive"),
    (b"User-Agent", f"python-httpx/{httpx.__version__}".encode()),
    (b"Accept", b"application/json"),
    (b"Accept-Encoding", b"gzip"),
    (b"X-Language", b"en-us"),
]


@pytest.mark.anyio
async def test_request_is_sent_as_it_was_built() -> None:
    """A request's values equal what is sent, except for the order of its headers."""
    network = Network()
    request = network.http.build_request("PUT", HERE, params={"a b": ["1", "ü"]}, json={"n": "备"})

    await network.http.answer(request)

    body = '{"n":"备"}'.encode()
    of_body = [(b"Content-Length", b"11"), (b"Content-Type", b"application/json")]
    assert [("PUT", f"{HERE}?a+b=1&a+b=%C3%BC", COMMON + of_body, body)] == network.sent
    assert body == request.body
    assert network.sent[0][1] == request.url
    fields = [(name.encode(), value.encode()) for name, value in request.headers.items()]
    assert network.sent[0][2] == fields


@pytest.mark.anyio
async def test_request_is_sent_with_what_was_changed() -> None:
    """Headers and the form of the query are those of the request when it is sent."""
    network = Network()
    request = network.http.build_request("GET", HERE, params={"name": "a b"})
    request.headers["X-Auth-Token"] = "first-ü"
    request.headers["x-language"] = "zh-cn"
    del request.headers["Accept"]
    request.url = f"{HERE}?name=a%20b"

    await network.http.answer(request)
    request.headers["X-Auth-Token"] = "second"
    await network.http.answer(request)

    left = [field for field in COMMON if field[0] not in (b"Accept", b"X-Language")]
    changed = [*left, (b"x-language", b"zh-cn")]
    tokens = ["first-ü".encode(), b"second"]
    assert [
        ("GET", f"{HERE}?name=a%20b", [*changed, (b"X-Auth-Token", token)], b"") for token in tokens
    ] == network.sent


@pytest.mark.anyio
async def test_request_of_another_make_is_sent() -> None:
    """A connection also sends requests that it did not build."""
    network = Network()

    await network.http.answer(Request("POST", HERE, Headers([("Host", "h")]), b"body"))

    assert [("POST", HERE, [(b"Host", b"h")], b"body")] == network.sent


@pytest.mark.anyio
async def test_bare_request_has_nothing_of_the_others() -> None:
    """A sign-in has only its own headers, and only the call as a whole has a timeout."""
    network = Network()

    await network.http.answer(bare_request("POST", HERE, params={"a": "true"}, json={}))
    await network.http.answer(network.http.build_request("GET", HERE))

    of_body = [(b"Content-Length", b"2"), (b"Content-Type", b"application/json")]
    assert ("POST", f"{HERE}?a=true", [COMMON[0], *of_body], b"{}") == network.sent[0]
    assert [None, {"connect": 15.0, "read": 60.0, "write": 30.0, "pool": 60.0}] == network.limits


@pytest.mark.anyio
async def test_answer_is_what_came() -> None:
    """Status, headers, the decompressed body, and the request that it answers."""
    headers = [
        (b"Content-Encoding", b"gzip"),
        (b"Content-Type", b"text/plain; charset=undefined"),
        (b"Location", b"http://["),
        (b"X-Twice", b"one"),
        (b"x-twice", "zwei ü".encode()),
    ]
    packed = gzip.compress("备".encode())
    network = Network(httpx.Response(302, headers=headers, stream=httpx.ByteStream(packed)))
    request = network.http.build_request("GET", HERE)

    response = await network.http.answer(request)

    assert (302, "备", False) == (response.status, response.text, response.is_success)
    assert request is response.request
    assert "http://[" == response.headers["Location"]
    assert "one, zwei ü" == response.headers["X-Twice"]
    assert 1 == len(network.sent)


@pytest.mark.anyio
async def test_cookies_go_back_with_later_requests() -> None:
    """A gateway's cookie is sent with later requests of this connection; not with sign-ins."""
    network = Network(httpx.Response(200, headers={"Set-Cookie": "at=node-1; Path=/"}))
    for url in (HERE, HERE, THERE):
        await network.http.answer(network.http.build_request("GET", url))
    await network.http.answer(bare_request("POST", HERE, params={}, json={}))

    cookies = [dict(headers).get(b"Cookie") for _, _, headers, _ in network.sent]
    assert [None, b"at=node-1", None, None] == cookies


@pytest.mark.anyio
async def test_answer_is_shown_before_its_body_is_read() -> None:
    """The callback sees the headers even if the body does not arrive."""
    seen: list[tuple[str, bytes]] = []
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers={"Date": "now"}, stream=Broken())
    )
    http = HttpxConnection(
        transport, TIMEOUTS, lambda answer: seen.append((answer.headers["Date"], answer.body))
    )
    request = http.build_request("GET", HERE)

    with pytest.raises(UnansweredError, match="broke off") as caught:
        await http.answer(request)

    assert [("now", b"")] == seen
    assert OutcomeUnknownError is caught.value.kind
    assert request is caught.value.request
    assert isinstance(caught.value.__cause__, httpx.ReadError)


class Broken(httpx.AsyncByteStream):
    """A body that breaks off."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"{"
        raise httpx.ReadError("broke off")


@pytest.mark.anyio
async def test_error_is_one_redacted_line_or_its_name() -> None:
    """httpx's text for a failure can be shown; without a text, its class is shown."""
    told = []
    for words in ("two\n lines", ""):

        def fail(_: httpx.Request, words: str = words) -> httpx.Response:
            raise httpx.ConnectTimeout(words)

        with pytest.raises(UnansweredError) as caught:
            await connection_to(fail).answer(bare_request("GET", HERE, params={}, json=None))
        assert NotSentError is caught.value.kind
        told.append(caught.value.observed)

    assert ["two lines", "ConnectTimeout"] == told


@pytest.mark.anyio
async def test_body_that_cannot_be_read_here_is_a_fault_of_ours() -> None:
    """A body that cannot be read in pieces is an error: the limit is never skipped silently."""
    network = Network()
    network.answer.stream = _SyncOnly()
    request = network.http.build_request("GET", HERE)

    with pytest.raises(TypeError, match="got _SyncOnly"):
        await network.http.answer(request)


class _SyncOnly(httpx.SyncByteStream):
    pass


@pytest.mark.anyio
async def test_transport_is_closed_with_its_connection() -> None:
    """A closed connection leaves nothing open."""
    closed: list[bool] = []

    class Closable(httpx.MockTransport):
        async def aclose(self) -> None:
            closed.append(True)

    await HttpxConnection(
        Closable(lambda _: httpx.Response(200)), TIMEOUTS, lambda _: None
    ).aclose()

    assert [True] == closed


def test_network_is_replaced_in_tests_alone() -> None:
    """A given transport replaces the network: one of httpx, or a maker of other connections."""

    def make(transport: Any) -> object:
        return connector(transport, verify=True, timeouts=TIMEOUTS, on_answer=lambda _: None)()

    mock = httpx.MockTransport(lambda _: httpx.Response(200))
    by_mock, real = make(mock), make(None)

    assert isinstance(by_mock, HttpxConnection)
    assert mock is by_mock._transport
    assert isinstance(real, HttpxConnection)
    assert isinstance(real._transport, ProxyRouter)
    assert isinstance(make(lambda: FakeConnection(_answer)), FakeConnection)
