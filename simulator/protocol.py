"""The HTTP server's protocol, with one thing more: an application may cut its connection."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "simulator.cut"
"""The extension in a request's scope that breaks its connection."""


class CuttableProtocol(HttpToolsProtocol):
    """Hands the application a way to break the connection, as a failing network would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self._with_cut(self.app)

    def _with_cut(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            async def cut() -> None:
                # What was written so far still leaves; then the other side sees the end.
                self.transport.close()
                while (await receive())["type"] != "http.disconnect":
                    pass

            scope.setdefault("extensions", {})[CUT] = cut
            await app(scope, receive, send)

        return wrapped
