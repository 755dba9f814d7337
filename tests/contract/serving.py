"""The simulator in this process behind a real socket, for clients of other vendors."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import Receive, Scope, Send

from simulator.http.protocol import CuttableProtocol
from simulator.testing import InProcessSimulator

STOP_LIMIT_S = 60.0


class Door:
    """One address; behind it is the simulator of the current test."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._simulator: InProcessSimulator | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if self._simulator is None:
            raise RuntimeError("a request came while no test has a simulator here")
        await self._simulator.app(scope, receive, send)

    @contextlib.contextmanager
    def lead_to(self, simulator: InProcessSimulator) -> Iterator[None]:
        """Let a simulator handle the requests."""
        self._simulator = simulator
        try:
            yield
        finally:
            self._simulator = None


@contextlib.contextmanager
def open_door() -> Iterator[Door]:
    """Listen on a free port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        door = Door(f"http://127.0.0.1:{listener.getsockname()[1]}")
        config = uvicorn.Config(
            door, http=CuttableProtocol, log_level="warning", access_log=False, lifespan="off"
        )
        server = uvicorn.Server(config)
        # Requests that arrive before the server runs wait in the listener's queue.
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield door
        finally:
            server.should_exit = True
            thread.join(STOP_LIMIT_S)
