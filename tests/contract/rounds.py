"""Which requests run in parallel: each round of them costs a user the latency once."""

from __future__ import annotations

import asyncio

import httpx

from simulator.cloud.operations import operation_of
from simulator.testing import InProcessSimulator

PATIENCE = 200
"""After this many turns of all other tasks without a request, none is expected."""


class RoundsTransport(httpx.AsyncBaseTransport):
    """Answers requests in rounds, each when no more requests can come without an answer.

    Attributes:
        rounds: the operations of each round so far, sorted.
    """

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._inner = simulator.transport()
        self._held: list[tuple[str, asyncio.Event]] = []
        self._unserved = 0
        self._all_served = asyncio.Event()
        self._releasing: asyncio.Task[None] | None = None
        self.rounds: list[list[str]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request in its round."""
        turn = asyncio.Event()
        path = "/v3" + request.url.path.partition("/v3")[2]
        self._held.append((operation_of(request.method, path).name or path, turn))
        if self._releasing is None:
            self._releasing = asyncio.ensure_future(self._release())
        await turn.wait()
        try:
            return await self._inner.handle_async_request(request)
        finally:
            self._unserved -= 1
            if not self._unserved:
                self._all_served.set()

    async def _release(self) -> None:
        while self._held:
            await self._all_have_come()
            held, self._held = self._held, []
            self.rounds.append(sorted(name for name, _ in held))
            self._unserved = len(held)
            self._all_served.clear()
            for _, turn in held:
                turn.set()
            await self._all_served.wait()
            await self._all_have_come()
        self._releasing = None

    async def _all_have_come(self) -> None:
        count, quiet = len(self._held), 0
        while quiet < PATIENCE:
            await asyncio.sleep(0)
            quiet = quiet + 1 if len(self._held) == count else 0
            count = len(self._held)
