"""The package's client, observed: its last raw answer, and slow calls."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.call import Call
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.transport.retry import Pause
from pulumi_huaweicloud_cbr.api.wire.exchange import Response
from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.base.errors import ApiError, CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings


class ObservedClient(CbrClient):
    """A client that keeps the last answer, for sequential requests."""

    def __init__(self, settings: Settings, clock: SystemClock | None = None) -> None:
        self.calls = 0
        self.throttled: list[float | None] = []
        self.statuses: dict[str, int] = {}
        self._last: Response | None = None
        clock = clock or SystemClock()
        self.authenticator = make_authenticator(settings, clock)
        super().__init__(settings, self.authenticator, clock=clock, on_pause=self._note_pause)

    async def __aenter__(self) -> ObservedClient:  # noqa: PYI034 -- no typing.Self before 3.11
        return self

    @property
    def last(self) -> Response:
        """The last successful answer."""
        if self._last is None:
            raise RuntimeError("nothing was answered yet")
        return self._last

    def raw(self, *path: str) -> Any:
        """Return a part of the last successful answer, unprocessed."""
        value = json.loads(self.last.body)
        for step in path:
            value = value[step]
        return value

    async def _respond(self, call: Call) -> Response:
        self.calls += 1
        self._last = await super()._respond(call)
        self.statuses[call.method] = self._last.status
        return self._last

    def _note_pause(self, pause: Pause) -> None:
        if isinstance(pause.reason, ApiError) and pause.reason.status == 429:
            self.throttled.append(pause.reason.retry_after_s)


def words_of(error: CbrError) -> str:
    """Return the form of a refusal, in the terms of the open questions."""
    if isinstance(error, ApiError):
        form = ' in the form "Malformed request url"' if error.is_unauthorized_url else ""
        return f"HTTP {error.status} {error.code or 'without a code'}{form}"
    status = getattr(error, "status", None)
    answered = f"HTTP {status} {error.code or 'without a code'}" if status else "not answered"
    return f"{answered} ({type(error).__name__})"


async def outcome(api: ObservedClient, call: Callable[[], Awaitable[object]]) -> str:
    """Make a call that may be refused; return the form of its answer."""
    try:
        await call()
    except CbrError as error:
        return words_of(error)
    return f"HTTP {api.last.status}"
