"""The HTTP server's protocol, extended so that an application can cut its connection."""

from __future__ import annotations

from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

CUT = "simulator.cut"
"""The extension in a request's scope that breaks its connection."""


class CuttableProtocol(HttpToolsProtocol):
    """Lets the application break the connection, as a failing network would."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.app = self._with_cut(self.app)

    def _with_cut(self, app: ASGIApp) -> ASGIApp:
        async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
            async def cut() -> None:
                # Written data is still sent; then the client sees the end.
                self.transport.close()
                while (await receive())["type"] != "http.disconnect":
                    pass

            scope.setdefault("extensions", {})[CUT] = cut
            await app(scope, receive, send)

        return wrapped
