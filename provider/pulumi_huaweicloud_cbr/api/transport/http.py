"""Sending: requests of ours go out through httpx, and its answers and errors come back as ours.

Beside `proxies`, no other module imports httpx. A successor with the same interface is a change
here, and a decision record.

Each request under way has a connection with a transport of httpx of its own. Whenever a request
begins or ends, httpx's pool compares all pairs of its connections (httpcore,
``AsyncConnectionPool._assign_requests_to_connections``). With dozens under way that is more work
than all the rest of a request. Here a request takes the connection that was given back last, and
leaves the others alone.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

import httpx

from pulumi_huaweicloud_cbr.api.transport.proxies import Ways
from pulumi_huaweicloud_cbr.api.wire.bodies import ENCODING, BoundedBody, UnpackingError
from pulumi_huaweicloud_cbr.api.wire.exchange import Headers, Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import NotSentError, OutcomeUnknownError, TransportError
from pulumi_huaweicloud_cbr.base.text import excerpt

KEPT_FOR_S = 5.0
"""How long a connection is kept that nobody uses; what httpx itself takes for usual."""

# One table from exceptions to our errors, the most specific first. Whether a request can have
# been carried out is all that matters: up to an established connection it certainly was not.
TRANSPORT_ERRORS: tuple[tuple[type[Exception], type[TransportError]], ...] = (
    (httpx.ConnectError, NotSentError),
    (httpx.ConnectTimeout, NotSentError),
    (httpx.PoolTimeout, NotSentError),
    (httpx.ProxyError, NotSentError),
    (httpx.UnsupportedProtocol, NotSentError),
    (httpx.LocalProtocolError, NotSentError),
    (httpx.TimeoutException, OutcomeUnknownError),
    (httpx.NetworkError, OutcomeUnknownError),
    (httpx.ProtocolError, OutcomeUnknownError),
    (httpx.DecodingError, OutcomeUnknownError),
    (httpx.TooManyRedirects, OutcomeUnknownError),
    (httpx.RequestError, OutcomeUnknownError),
    (httpx.InvalidURL, NotSentError),
    (httpx.StreamError, NotSentError),
    (UnpackingError, OutcomeUnknownError),
)
_CAUGHT = tuple(foreign for foreign, _ in TRANSPORT_ERRORS)

# What httpx would send of its own accord, and what CBR is told beside.
_HEADERS = {
    "Connection": "keep-alive",
    "User-Agent": f"python-httpx/{httpx.__version__}",
    "Accept": "application/json",
    "Accept-Encoding": ENCODING,
    "X-Language": "en-us",
}


class Timeouts(NamedTuple):
    """Limits for the parts of one request, in seconds.

    `pool_s` is for a connection to be free; each request has its own.
    """

    connect_s: float
    read_s: float
    write_s: float
    pool_s: float


class Connection(Protocol):
    """A connection for one request at a time. `HttpxConnection` is one; tests have others."""

    def build_request(
        self, method: str, url: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Request:
        """Return a request in the form in which it is sent, with the headers that all have.

        Args:
            params: the query's values by name; a list repeats its name.
            json: what the body is to be; None for no body.
        """
        ...

    async def answer(self, request: Request) -> Response:
        """Send a request once, follow no redirection, and return the answer with its body.

        Raises:
            UnansweredError: there is no answer, or not all of it.
            BodyTooLongError: the body is longer than `bodies` allows, and was not read to its end.
            ConfigurationError: the proxy that it would take cannot be used.
        """
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


Transport = httpx.AsyncBaseTransport | Callable[[], Connection]
"""What replaces the network in tests: a transport of httpx, or what makes other connections."""


def connector(
    transport: Transport | None,
    verify: ssl.SSLContext | bool,
    timeouts: Timeouts,
    on_answer: Callable[[Response], None],
) -> Callable[[], Connection]:
    """Return what makes connections.

    Args:
        transport: replaces the network, in tests.
        verify: which servers are trusted, as httpx takes it.
        on_answer: shown each response before its body is read.
    """
    if transport is None:
        # The way by the environment's proxies is found by `Ways`.
        return lambda: HttpxConnection(Ways(verify), timeouts, on_answer)
    if isinstance(transport, httpx.AsyncBaseTransport):
        return lambda: HttpxConnection(transport, timeouts, on_answer)
    return transport


class HttpxConnection:
    """A connection by httpx, over a transport of its kind.

    A transport sends one request, and no more: it follows no redirection, which would carry the
    credentials to a host that nobody configured.
    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        timeouts: Timeouts,
        on_answer: Callable[[Response], None],
    ) -> None:
        self._transport = transport
        self._limits = dict(zip(("connect", "read", "write", "pool"), timeouts, strict=True))
        self._on_answer = on_answer
        self._cookies = httpx.Cookies()

    def build_request(
        self, method: str, url: str, *, params: Mapping[str, Any] | None = None, json: Any = None
    ) -> Request:
        """Return a request with the headers that all have; see `Connection`."""
        return _ours(
            httpx.Request(
                method,
                url,
                params=params,
                json=json,
                headers=_HEADERS,
                cookies=self._cookies,
                extensions={"timeout": self._limits},
            )
        )

    async def answer(self, request: Request) -> Response:
        """Send a request and return its answer; see `Connection`."""
        try:
            sent = _theirs(request)
            theirs = await self._transport.handle_async_request(sent)
            theirs.request = sent
            stream = theirs.stream
            if not isinstance(stream, httpx.AsyncByteStream):
                raise TypeError(f"want an asynchronous stream, got {type(stream).__name__}")
            try:
                response = self._begin(theirs, request)
                # httpx itself would unpack without a bound.
                encoding = response.headers.get("Content-Encoding", "")
                body = BoundedBody(stream, encoding, request.host)
                response.body = b"".join([piece async for piece in body])
            finally:
                await stream.aclose()
        except _CAUGHT as error:
            kind = next(kind for foreign, kind in TRANSPORT_ERRORS if isinstance(error, foreign))
            observed = excerpt(str(error)) or type(error).__name__
            raise UnansweredError(request, kind, observed) from error
        return response

    def _begin(self, theirs: httpx.Response, request: Request) -> Response:
        """Return what is known before the body is read."""
        if "Set-Cookie" in theirs.headers:
            self._cookies.extract_cookies(theirs)
        response = Response(theirs.status_code, Headers(theirs.headers.items()), request)
        self._on_answer(response)
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()


def bare_request(method: str, url: str, *, params: Mapping[str, Any], json: Any) -> Request:
    """Return a request with the headers alone that its address and its body need.

    Its parts have no limits: the call as a whole has one.
    """
    return _ours(httpx.Request(method, url, params=params, json=json))


class _BuiltRequest(Request, eq=False, kw_only=True):
    """A request, with what httpx has made of it: to build that again would cost as much again."""

    theirs: httpx.Request


def _ours(theirs: httpx.Request) -> Request:
    fields = ((name.decode(), value.decode()) for name, value in theirs.headers.raw)
    headers = Headers(fields)
    return _BuiltRequest(theirs.method, str(theirs.url), headers, theirs.content, theirs=theirs)


def _theirs(request: Request) -> httpx.Request:
    """Return what httpx sends, with what the authorisation has changed."""
    if isinstance(request, _BuiltRequest):
        theirs = request.theirs
    else:
        theirs = httpx.Request(request.method, request.url, content=request.body)
    fields = [(name.encode(), value.encode()) for name, value in request.headers.fields]
    theirs.headers = httpx.Headers(fields)
    if str(theirs.url) != request.url:
        theirs.url = httpx.URL(request.url)
    return theirs


class Connections:
    """Lends connections, each to one request at a time; how many is the borrowers' affair.

    Args:
        make: returns a new connection.
        now: the time by which connections grow old; the network's, so not a clock that jumps.
    """

    def __init__(
        self, make: Callable[[], Connection], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._now = now
        # By address, and there the one that was given back last at the end.
        self._idle: defaultdict[tuple[str, str], deque[tuple[float, Connection]]]
        self._idle = defaultdict(deque)
        self._all: set[Connection] = set()

    @asynccontextmanager
    async def lent(self, url: str) -> AsyncIterator[Connection]:
        """Lend a connection for one request, if possible one to the address of this URL."""
        address = urlsplit(url)
        idle = self._idle[address.scheme, address.netloc]
        http = idle.pop()[1] if idle else self._add()
        try:
            yield http
        finally:
            idle.append((self._now(), http))
            await self._close_old()

    async def aclose(self) -> None:
        """Close all, those that are lent as well."""
        closing, self._all = self._all, set()
        self._idle.clear()
        await asyncio.gather(*(http.aclose() for http in closing))

    def _add(self) -> Connection:
        http = self._make()
        self._all.add(http)
        return http

    async def _close_old(self) -> None:
        oldest = self._now() - KEPT_FOR_S
        for idle in self._idle.values():
            while idle and idle[0][0] < oldest:
                _, http = idle.popleft()
                self._all.discard(http)
                await http.aclose()
