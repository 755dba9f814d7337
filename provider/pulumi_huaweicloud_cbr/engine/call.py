"""The engine's current call: its URN, its timeout, and which plugin serves it.

Our plugin host sets it. The SDK's own plugin passes nothing of it to a provider's methods. There,
URN and timeout are in the call's request, a few frames up the stack. They are read from there with
care: a value that is not found is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from msgspec import Struct

_SEARCHED_FRAMES = 12
_PLUGIN_MODULES = ("pulumi.dynamic.__main__", "__main__")


class Call(Struct, frozen=True):
    """One call of the engine.

    `timeout_s` is the program's `customTimeouts`, None if it sets none. `is_by_host`: our plugin
    host serves the call, not the SDK's plugin.
    """

    urn: str = ""
    timeout_s: float | None = None
    is_preview: bool = False
    is_by_host: bool = False


_current: ContextVar[Call | None] = ContextVar("current_call", default=None)


@contextmanager
def serving(known: Call | None = None) -> Iterator[Call]:
    """Set the current call for all code below, including the client's loop.

    Args:
        known: the call, if the plugin passes it. Otherwise it is the call that our plugin host has
            set, or it is searched for in the stack.
    """
    call = known or _current.get() or call_of(_find_in_plugin("request"))
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def current_call() -> Call:
    """Return the current call; an empty one outside of any call."""
    return _current.get() or Call()


def call_of(request: Any, *, is_by_host: bool = False) -> Call:
    """Return the call that a request of the engine's protocol describes; None: an empty one."""
    return Call(
        urn=str(getattr(request, "urn", "") or ""),
        timeout_s=getattr(request, "timeout", None) or None,
        is_preview=bool(getattr(request, "preview", False)),
        is_by_host=is_by_host,
    )


def refuse(message: str) -> None:
    """Answer the call with exactly this error, if the SDK's plugin allows that.

    Otherwise it returns: a plugin of 3.265 and later catches this too, and ours needs no help.

    Raises:
        Exception: of gRPC, which ends the call.
    """
    if current_call().is_by_host or hasattr(sys.modules["__main__"], "_abort_with_traceback"):
        return
    context = _find_in_plugin("context")
    if context is None:
        return
    import grpc  # type: ignore[import-untyped]

    context.abort(grpc.StatusCode.UNKNOWN, message)


def _find_in_plugin(local: str) -> Any:
    """Return a local variable of the SDK plugin's frame that serves the call."""
    frame = sys._getframe(1)  # noqa: SLF001 -- the only way to the request
    for _ in range(_SEARCHED_FRAMES):
        back = frame.f_back
        if back is None:
            return None
        frame = back
        is_plugin = frame.f_globals.get("__name__") in _PLUGIN_MODULES
        if is_plugin and {"request", "context"} <= frame.f_locals.keys():
            return frame.f_locals[local]
    return None
