"""What is known of the engine's call that is being served: urn, time limit, how to tell the user.

The SDK's own plugin hands a provider's methods neither; both are in the call's request, a few
frames up the stack. That is read with care: whatever is not found is left out, and the worst
case is a message on the stack's row instead of the resource's.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pulumi.runtime.proto import engine_pb2_grpc

_SEARCHED_FRAMES = 12
_PLUGIN_MODULES = ("pulumi.dynamic.__main__", "__main__")


@dataclass(frozen=True)
class Call:
    """One call of the engine.

    `timeout_s` is what the program set in `customTimeouts`, None when it set nothing.
    """

    urn: str = ""
    timeout_s: float | None = None


_current: ContextVar[Call | None] = ContextVar("current_call", default=None)
_told: set[tuple[str, str]] = set()
_told_lock = threading.Lock()


@contextmanager
def serving(known: Call | None = None) -> Iterator[Call]:
    """Make the call that is being served known to everything below, other threads included.

    Args:
        known: the call, where the plugin tells it; else it is the one that a plugin around us
            told, or it is looked for.
    """
    call = known or _current.get() or _found_call()
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def _found_call() -> Call:
    request = _find_request()
    timeout_s = getattr(request, "timeout", None) or None
    return Call(urn=str(getattr(request, "urn", "") or ""), timeout_s=timeout_s)


def current_timeout_s() -> float | None:
    """Return the time limit that the program set for the call, in seconds."""
    call = _current.get()
    return call.timeout_s if call else None


def _find_request() -> Any:
    frame = sys._getframe(1)  # noqa: SLF001 -- the only way to the request
    for _ in range(_SEARCHED_FRAMES):
        back = frame.f_back
        if back is None:
            return None
        frame = back
        if frame.f_globals.get("__name__") in _PLUGIN_MODULES and "request" in frame.f_locals:
            return frame.f_locals["request"]
    return None


def tell(message: str) -> None:
    """Show a line to the user that stays in the output; once per resource and wording."""
    _say(message, is_warning=False)


def warn(message: str) -> None:
    """Show a warning to the user; once per resource and wording."""
    _say(message, is_warning=True)


def _say(message: str, *, is_warning: bool) -> None:
    call = _current.get() or Call()
    with _told_lock:
        # The engine checks a resource several times in one operation.
        if (call.urn, message) in _told:
            return
        _told.add((call.urn, message))
    address = _engine_address()
    if address is None:
        import pulumi

        (pulumi.log.warn if is_warning else pulumi.log.info)(message)
        return
    from pulumi.runtime.proto import engine_pb2

    severity = engine_pb2.WARNING if is_warning else engine_pb2.INFO
    _engine(address).Log(engine_pb2.LogRequest(severity=severity, message=message, urn=call.urn))


_told_address: str | None = None


def use_engine(address: str) -> None:
    """Send messages to the engine at this address."""
    global _told_address  # noqa: PLW0603 -- one engine per process
    _told_address = address


def _engine_address() -> str | None:
    """Return where the engine listens, None outside of a plugin process."""
    if _told_address is not None:
        return _told_address
    module = sys.modules.get("__main__")
    if not hasattr(module, "DynamicResourceProviderServicer") or len(sys.argv) < 2:
        return None
    return sys.argv[1]


@lru_cache(maxsize=1)
def _engine(address: str) -> engine_pb2_grpc.EngineStub:
    import grpc  # type: ignore[import-untyped]
    from pulumi.runtime.proto import engine_pb2_grpc

    return engine_pb2_grpc.EngineStub(grpc.insecure_channel(address))
