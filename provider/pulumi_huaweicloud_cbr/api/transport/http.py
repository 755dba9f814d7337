"""Connections that are kept open, each with a client of httpx of its own.

Whenever a request begins or ends, httpx's pool compares all pairs of its connections (httpcore,
``AsyncConnectionPool._assign_requests_to_connections``). With dozens under way that is more work
than all the rest of a request. Here a request takes the connection that was given back last, and
leaves the others alone.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx

KEPT_FOR_S = 5.0
"""How long a connection is kept that nobody uses; what httpx itself takes for usual."""


class Connections:
    """Lends clients, each to one request at a time; how many there are is the borrowers' affair.

    Args:
        make: returns a new client.
        now: the time by which connections grow old; the network's, so not a clock that jumps.
    """

    def __init__(
        self, make: Callable[[], httpx.AsyncClient], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._make = make
        self._now = now
        # By address, and there the one that was given back last at the end.
        self._idle: defaultdict[tuple[str, bytes], deque[tuple[float, httpx.AsyncClient]]]
        self._idle = defaultdict(deque)
        self._all: set[httpx.AsyncClient] = set()

    @asynccontextmanager
    async def lent(self, url: httpx.URL) -> AsyncIterator[httpx.AsyncClient]:
        """Lend a client for one request, if possible one with a connection to that address."""
        idle = self._idle[url.scheme, url.netloc]
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

    def _add(self) -> httpx.AsyncClient:
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
