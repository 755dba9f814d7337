"""Connections: each request has one for itself, and they are kept for the next ones."""

from __future__ import annotations

import contextlib

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.transport.http import KEPT_FOR_S, Connections

HERE = httpx.URL("https://cbr.cn-north-4.example/v3/backups")
THERE = httpx.URL("https://cbr.cn-east-3.example/v3/backups")


class Place:
    """Connections whose clients are counted, at a time that the test sets."""

    def __init__(self) -> None:
        self.made: list[httpx.AsyncClient] = []
        self.time = 0.0
        self.connections = Connections(self._make, now=lambda: self.time)

    def _make(self) -> httpx.AsyncClient:
        self.made.append(httpx.AsyncClient(transport=httpx.MockTransport(_answer)))
        return self.made[-1]

    @property
    def open(self) -> list[int]:
        """The numbers of the clients that are not closed, in the order in which they were made."""
        return [number for number, http in enumerate(self.made) if not http.is_closed]

    async def use(self, count: int, url: httpx.URL = HERE) -> list[int]:
        """Have so many requests under way at a time; return the numbers of their clients."""
        async with contextlib.AsyncExitStack() as stack:
            lent = [
                await stack.enter_async_context(self.connections.lent(url)) for _ in range(count)
            ]
            return [self.made.index(http) for http in lent]


def _answer(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


@pytest.fixture
def place() -> Place:
    """Connections, none of which is open yet."""
    return Place()


@pytest.mark.anyio
async def test_requests_in_a_row_share_a_connection(place: Place) -> None:
    """What was given back is lent again."""
    assert [[0], [0], [0]] == [await place.use(1) for _ in range(3)]


@pytest.mark.anyio
async def test_requests_at_a_time_share_none(place: Place) -> None:
    """So many connections are open as were ever needed at a time, whoever needs them later."""
    first = await place.use(3)
    again = await place.use(2)
    more = await place.use(4)

    assert [0, 1, 2] == first
    assert set(again) < set(first)
    assert {0, 1, 2, 3} == set(more)
    assert [0, 1, 2, 3] == place.open


@pytest.mark.anyio
async def test_connection_to_the_same_address_is_taken(place: Place) -> None:
    """A request to one region leaves the connections to others as they are."""
    used = [await place.use(1, url) for url in (HERE, THERE, HERE, THERE)]

    assert [[0], [1], [0], [1]] == used


@pytest.mark.anyio
async def test_connection_of_a_failed_request_is_not_lost(place: Place) -> None:
    """A request that ends in an error gives back what it was lent."""
    with pytest.raises(httpx.ReadError, match="broke"):
        async with place.connections.lent(HERE):
            raise httpx.ReadError("broke")

    assert [0] == await place.use(1)


@pytest.mark.anyio
async def test_connections_that_nobody_uses_are_closed(place: Place) -> None:
    """A few requests leave those open that they use; the rest of a burst is closed in a while."""
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
    """At the end none is left open, not even one that is lent."""
    await place.use(2)
    async with place.connections.lent(THERE):
        await place.connections.aclose()

        assert [] == place.open
