"""Sending: our requests go out through httpx, and its responses and errors are mapped to ours.

Only this module and `proxies` import httpx. A successor with the same interface is a change
here, and a decision record.

Each request under way has a connection with an httpx transport of its own. Whenever a request
begins or ends, httpx's pool compares all pairs of its connections (httpcore,
``AsyncConnectionPool._assign_requests_to_connections``). With dozens under way that is more work
than the rest of a request. Here a request takes the connection that was returned last, and
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

from pulumi_huaweicloud_cbr.api.transport.proxies import PROXY, ProxyRouter
from pulumi_huaweicloud_cbr.api.wire.bodies import ENCODING, BoundedBody, UnpackingError
from pulumi_huaweicloud_cbr.api.wire.exchange import Headers, Request, Response, UnansweredError
from pulumi_huaweicloud_cbr.base.errors import NotSentError, OutcomeUnknownError, TransportError
from pulumi_huaweicloud_cbr.base.text import excerpt

KEPT_FOR_S = 5.0
"""How long an unused connection is kept; httpx has the same default."""

# One table from exceptions to our errors, the most specific first. It decides one thing: whether a
# request can have been carried out. Before a connection was established it certainly was not.
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

# The headers that httpx sends by default, and those that CBR needs.
_HEADERS = {
    "Connection": "keep-alive",
    "User-Agent": f"python-httpx/{httpx.__version__}",
    "Accept": "application/json",
    "Accept-Encoding": ENCODING,
    "X-Language": "en-us",
}


class Timeouts(NamedTuple):
    """Timeouts for the parts of one request, in seconds.

    `pool_s` is the wait for a free connection; each request has its own.
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
        """Return a request in the form in which it is sent, with the headers common to all.

        Args:
            params: the query's values by name; a list repeats its name.
            json: the content of the body; None for no body.
        """
        ...

    async def answer(self, request: Request) -> Response:
        """Send a request once, follow no redirection, and return the response with its body.

        Raises:
            UnansweredError: there is no response, or an incomplete one.
            BodyTooLongError: the body is longer than `bodies` allows; the rest was not read.
            ConfigurationError: the proxy for this address cannot be used.
        """
        ...

    async def aclose(self) -> None:
        """Close it."""
        ...


Transport = httpx.AsyncBaseTransport | Callable[[], Connection]
"""Replaces the network in tests: an httpx transport, or a function that makes other connections."""


def connector(
    transport: Transport | None,
    verify: ssl.SSLContext | bool,
    timeouts: Timeouts,
    on_answer: Callable[[Response], None],
) -> Callable[[], Connection]:
    """Return a function that makes connections.

    Args:
        transport: replaces the network, in tests.
        verify: which servers are trusted, in httpx's form.
        on_answer: called with each response before its body is read.
    """
    if transport is None:
        # `ProxyRouter` finds the environment's proxies.
        return lambda: HttpxConnection(ProxyRouter(verify), timeouts, on_answer)
    if isinstance(transport, httpx.AsyncBaseTransport):
        return lambda: HttpxConnection(transport, timeouts, on_answer)
    return transport


class HttpxConnection:
    """A connection through one httpx transport.

    A transport sends one request, and no more. It follows no redirection, which would carry the
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
        """Return a request with the headers common to all; see `Connection`."""
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
        """Send a request and return its response; see `Connection`."""
        sent: httpx.Request | None = None
        try:
            sent = _theirs(request)
            theirs = await self._transport.handle_async_request(sent)
            theirs.request = sent
            stream = theirs.stream
            if not isinstance(stream, httpx.AsyncByteStream):
                raise TypeError(f"want an asynchronous stream, got {type(stream).__name__}")
            try:
                response = self._begin(theirs, request)
                # httpx itself would decompress without a bound.
                encoding = response.headers.get("Content-Encoding", "")
                body = BoundedBody(stream, encoding, request.host)
                response.body = b"".join([piece async for piece in body])
            finally:
                await stream.aclose()
        except _CAUGHT as error:
            kind = next(kind for foreign, kind in TRANSPORT_ERRORS if isinstance(error, foreign))
            observed = excerpt(str(error)) or type(error).__name__
            proxy = sent.extensions.get(PROXY) if sent is not None else None
            raise UnansweredError(request, kind, observed, proxy) from error
        return response

    def _begin(self, theirs: httpx.Response, request: Request) -> Response:
        """Return the response before its body is read, and store its cookies."""
        if "Set-Cookie" in theirs.headers:
            self._cookies.extract_cookies(theirs)
        response = Response(theirs.status_code, Headers(theirs.headers.items()), request)
        self._on_answer(response)
        return response

    async def aclose(self) -> None:
        """Close the connection."""
        await self._transport.aclose()


def bare_request(method: str, url: str, *, params: Mapping[str, Any], json: Any) -> Request:
    """Return a request with only the headers that its address and its body need.

    There are no timeouts for its parts: the call as a whole has one.
    """
    return _ours(httpx.Request(method, url, params=params, json=json))


class _BuiltRequest(Request, eq=False, kw_only=True):
    """A request with httpx's form of it, since building that again would cost the same again."""

    theirs: httpx.Request


def _ours(theirs: httpx.Request) -> Request:
    fields = ((name.decode(), value.decode()) for name, value in theirs.headers.raw)
    headers = Headers(fields)
    return _BuiltRequest(theirs.method, str(theirs.url), headers, theirs.content, theirs=theirs)


def _theirs(request: Request) -> httpx.Request:
    """Return httpx's form of the request, with the changes of the authorisation."""
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
    """Lends connections, each to one request at a time; the borrowers limit their number.

    Args:
        make: returns a new connection.
        now: the time for the age of connections; the network's, so not a clock that jumps.
    """

    def __init__(
        self, make: Callable[[], Connection], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._now = now
        # By address; the connection that was returned last is at the end.
        self._idle: defaultdict[tuple[str, str], deque[tuple[float, Connection]]]
        self._idle = defaultdict(deque)
        self._all: set[Connection] = set()

    @asynccontextmanager
    async def lent(self, url: str) -> AsyncIterator[Connection]:
        """Lend a connection for one request, if possible an open one to the URL's address."""
        address = urlsplit(url)
        idle = self._idle[address.scheme, address.netloc]
        http = idle.pop()[1] if idle else self._add()
        try:
            yield http
        finally:
            idle.append((self._now(), http))
            await self._close_old()

    async def aclose(self) -> None:
        """Close all connections, including those that are lent."""
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
