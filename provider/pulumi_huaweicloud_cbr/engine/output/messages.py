"""Messages to the user, on the row of the current resource.

The engine shows them in the terminal, in logs and in `--json`. A message must never fail an
operation: if the engine does not take it, or is gone, nothing else changes.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.base.process import process_state
from pulumi_huaweicloud_cbr.base.text import inert
from pulumi_huaweicloud_cbr.engine.call import Call, current_call
from pulumi_huaweicloud_cbr.engine.workers import worker_limit

if TYPE_CHECKING:
    from pulumi.runtime.proto import engine_pb2_grpc

logger = logging.getLogger(__name__)

ENGINE_LIMIT_S = 5.0
"""How long the engine may take to accept a message."""

NOTHING = "<{%reset%}>"
"""A message that shows nothing. The engine drops an empty message, so this is the engine's own mark
for the end of a colour."""


def tell(message: str) -> None:
    """Show a line that stays in the output; once per resource and wording."""
    _say_once(message, is_warning=False)


def warn(message: str) -> None:
    """Show a warning to the user; once per resource and wording."""
    _say_once(message, is_warning=True)


def progress(message: str) -> None:
    """Show the progress of the resource: not every line, and gone from the final output.

    Put numbers first: at 100 columns a row has room for little else.
    """
    call, shown = current_call(), _shown()
    if shown.pace.is_due(call.urn):
        _send(call, message, is_ephemeral=True)
        with shown.lock:
            shown.progressing.add(call.urn)


def waiting(message: str) -> None:
    """Show the progress of a wait; say that the user cannot interrupt it, if that is so."""
    progress(message)
    if not current_call().is_by_host:
        _hint(
            "a wait cannot be interrupted with the SDK's plugin for dynamic resources, which "
            "ignores Ctrl-C until the wait's own limit"
        )


def say_now(message: str) -> None:
    """Show at once what is waited for, in plugins and in programs; gone from the final output."""
    if _engine_address() is None:
        import pulumi

        pulumi.log.info(_sendable(message), ephemeral=True)
        return
    _send(current_call(), message, is_ephemeral=True)


def end_progress() -> None:
    """Remove the line of progress from the row, after the work on the resource has succeeded."""
    call, shown = current_call(), _shown()
    with shown.lock:
        if call.urn not in shown.progressing:
            return
        shown.progressing.discard(call.urn)
    _send(call, NOTHING, is_ephemeral=True)


class EngineReporter:
    """Reports to the engine, on the row of the current resource."""

    def tell(self, message: str) -> None:
        """Show a line that stays."""
        tell(message)

    def progress(self, message: str) -> None:
        """Show progress."""
        progress(message)

    def waiting(self, message: str) -> None:
        """Show the progress of a wait."""
        waiting(message)


class Pace:
    """How often the progress of one resource gets a line.

    A log keeps each line, so lines become rarer. The first is shown at once, the next after 2 s.
    Each further gap is half as long again, up to a minute.
    """

    FIRST_GAP_S, LONGEST_GAP_S, GROWTH = 2.0, 60.0, 1.5

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def is_due(self, urn: str) -> bool:
        """Return whether a line may be shown now, and count it as shown if so."""
        now = self._now()
        with self._lock:
            due, gap = self._next.get(urn, (now, self.FIRST_GAP_S))
            if now < due:
                return False
            self._next[urn] = (now + gap, min(gap * self.GROWTH, self.LONGEST_GAP_S))
            return True


class _Shown:
    """What was shown so far, and to which engine.

    `progressing` are rows whose last line is one of progress. `busy` counts the running slow calls.
    `was_full`: there were once as many as the plugin serves at a time.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.told: set[tuple[str, str]] = set()
        self.progressing: set[str] = set()
        self.pace = Pace()
        self.busy = 0
        self.was_full = False
        self.engine_address: str | None = None


def _shown() -> _Shown:
    return process_state().part(_Shown)


_SLOW_METHODS = frozenset({"create", "read", "update", "delete"})


@contextmanager
def slow_call(method: str) -> Iterator[None]:
    """Count a slow call, to notice that the SDK's plugin makes other calls wait."""
    if current_call().is_by_host or method not in _SLOW_METHODS:
        yield
        return
    shown = _shown()
    with shown.lock:
        shown.busy += 1
        is_full = shown.busy >= worker_limit()
        # The pool is full for a second time, so there are more calls than it serves.
        is_short = is_full and shown.was_full
        shown.was_full = is_full or shown.was_full
    if is_short:
        _hint(
            f"the SDK's plugin for dynamic resources makes {worker_limit()} calls at a time, "
            "whatever --parallel says"
        )
    try:
        yield
    finally:
        with shown.lock:
            shown.busy -= 1


def _hint(lacking: str) -> None:
    if _engine_address() is None:
        return
    _say_once(
        f"{lacking}; this package's plugin host does better: python -m "
        "pulumi_huaweicloud_cbr.plugin --install plugin",
        is_warning=False,
        call=Call(),
    )


def _say_once(message: str, *, is_warning: bool, call: Call | None = None) -> None:
    call, shown = call or current_call(), _shown()
    with shown.lock:
        # The engine checks a resource several times in one operation.
        if (call.urn, message) in shown.told:
            return
        shown.told.add((call.urn, message))
        shown.progressing.discard(call.urn)
    if _engine_address() is None:
        import pulumi

        (pulumi.log.warn if is_warning else pulumi.log.info)(_sendable(message))
        return
    _send(call, message, is_warning=is_warning)


def _sendable(message: str) -> str:
    # Text of the environment in another encoding has lone surrogates, which no request can have.
    return inert(message.encode(errors="replace").decode())


def _send(
    call: Call, message: str, *, is_warning: bool = False, is_ephemeral: bool = False
) -> None:
    address = _engine_address()
    if address is None:
        return
    import grpc  # type: ignore[import-untyped]
    from pulumi.runtime.proto import engine_pb2

    request = engine_pb2.LogRequest(
        severity=engine_pb2.WARNING if is_warning else engine_pb2.INFO,
        message=_sendable(message),
        urn=call.urn,
        ephemeral=is_ephemeral,
    )
    try:
        _engine(address).Log(request, timeout=ENGINE_LIMIT_S)
    except grpc.RpcError as error:
        logger.debug("the engine did not take a message: %s", error)


def use_engine(address: str) -> None:
    """Send messages to the engine at this address."""
    _shown().engine_address = address


def _engine_address() -> str | None:
    """Return the engine's address, None outside of a plugin process."""
    if (address := _shown().engine_address) is not None:
        return address
    module = sys.modules.get("__main__")
    if not hasattr(module, "DynamicResourceProviderServicer") or len(sys.argv) < 2:
        return None
    return sys.argv[1]


@lru_cache(maxsize=1)
def _engine(address: str) -> engine_pb2_grpc.EngineStub:
    import grpc
    from pulumi.runtime.proto import engine_pb2_grpc

    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
