"""One client and one event loop per process, shared by all resources and functions.

The engine calls providers on threads of its own, and the API client is asynchronous. The loop runs
on a daemon thread that starts at first use, so calls that stay offline cost nothing.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import WaitTimeoutError
from pulumi_huaweicloud_cbr.base.logging import start_logging
from pulumi_huaweicloud_cbr.base.process import process_state
from pulumi_huaweicloud_cbr.base.text import span
from pulumi_huaweicloud_cbr.engine.call import current_call

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.cache import CachedApi
    from pulumi_huaweicloud_cbr.api.client import Api, CbrClient
    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.config.settings import Settings

Answer = TypeVar("Answer")

LAST_REQUEST_S = 5.0
"""More time for a request that runs at a call's timeout; waits end at the timeout itself."""


class _Shared:
    """What the sessions of a process share: the loop, and whether waits were interrupted."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sessions: list[Session] = []
        self.interruption = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def running_loop(self) -> asyncio.AbstractEventLoop:
        """Return the loop; the first call starts it."""
        with self.lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                run = self._loop.run_forever
                self._thread = threading.Thread(target=run, name="cbr-client", daemon=True)
                self._thread.start()
            return self._loop

    def close(self) -> None:
        """End the loop; a process that ends need not call this."""
        if self._loop is None or self._thread is None:
            return
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _cancel_all() -> None:
    """Cancel all other tasks on this loop, and wait until they have ended."""
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _shared() -> _Shared:
    return process_state().part(_Shared)


class Session:
    """The API client for one set of settings; use `open_session` to share it.

    Args:
        transport: replaces the network.
        clock: replaces the machine's time.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        transport: Transport | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.settings = settings
        self._transport = transport
        self._clock = clock
        self._client: CbrClient | None = None
        self._api: CachedApi | None = None
        self._project_ids: dict[str, str] = {}

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Run a coroutine on the shared loop and wait for its answer.

        Raises:
            WaitTimeoutError: the timeout that the program set for the call was reached.
        """
        limit_s = current_call().timeout_s
        return asyncio.run_coroutine_threadsafe(
            _within(limit_s, work), _shared().running_loop()
        ).result()

    def client(self) -> Api:
        """Return the client behind its cache; made at first use, inside the loop.

        Raises:
            ConfigurationError: credentials are missing.
        """
        if self._api is None:
            from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
            from pulumi_huaweicloud_cbr.api.cache import CachedApi
            from pulumi_huaweicloud_cbr.api.client import CbrClient
            from pulumi_huaweicloud_cbr.base.clock import InterruptibleClock
            from pulumi_huaweicloud_cbr.engine.output.messages import progress, say_now, warn

            if self.settings.insecure:
                warn(
                    "huaweicloud:insecure is true: no certificate is verified, so that whoever is "
                    "on the way can read and change what is sent; huaweicloud:caFile trusts a "
                    "private CA instead"
                )
            clock = self._clock or InterruptibleClock(_shared().interruption)
            self._client = CbrClient(
                self.settings,
                make_authenticator(self.settings, clock),
                clock=clock,
                on_pause=lambda pause: progress(str(pause)),
                on_slow=say_now,
                transport=self._transport,
            )
            self._api = CachedApi(self._client)
        return self._api

    def forget(self) -> None:
        """Forget cached answers, as a new process would."""
        if self._api is not None:
            self._api.forget()

    def close(self) -> None:
        """Close the connections; the session opens new ones when it is used again."""
        client, self._client, self._api = self._client, None, None
        if client is not None:
            self.run(client.aclose())

    async def project_id(self, region: str) -> str:
        """Return the id of the project named like the region, looked up once per process.

        Raises:
            ConfigurationError: IAM lists no such project, or several.
        """
        from pulumi_huaweicloud_cbr.api.find import find_project_id

        if region not in self._project_ids:
            self._project_ids[region] = await find_project_id(self.client(), region)
        return self._project_ids[region]

    async def scope(self, region: str, project_id: str | None) -> ProjectScope:
        """Return a region's project: the given one, the configured one or the one named like it."""
        if project_id is None and region == self.settings.region:
            project_id = self.settings.project_id
        return ProjectScope(region, project_id or await self.project_id(region))


async def _within(limit_s: float | None, work: Coroutine[Any, Any, Answer]) -> Answer:
    if limit_s is None:
        return await work
    try:
        return await asyncio.wait_for(work, limit_s + LAST_REQUEST_S)
    except TimeoutError:
        raise WaitTimeoutError(
            f"the time limit of {span(limit_s)} that the program sets in custom_timeouts was "
            "reached",
            remedy="what was begun goes on in CBR; run the same command again to go on",
        ) from None


def open_session(settings: Settings) -> Session:
    """Return the process's session for these settings."""
    shared = _shared()
    with shared.lock:
        for session in shared.sessions:
            if session.settings == settings:
                return session
        start_logging()
        session = Session(settings)
        shared.sessions.append(session)
        return session


def interrupt_waits() -> None:
    """End all waits of this process, now and from now on; running requests may finish."""
    _shared().interruption.set()


def use_session(session: Session) -> None:
    """Make `open_session` return this session for its settings; forget all others."""
    shared = _shared()
    with shared.lock:
        shared.sessions[:] = [session]
