"""The engine's call that is being served, as the code below a provider's method sees it.

Our plugin host sets it. The SDK's own plugin passes nothing of it to a provider's methods. There,
urn and timeout are in the call's request, a few frames up the stack. They are read from there with
care: whatever is not found is left out.
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

    `timeout_s` is what the program set in `customTimeouts`, None when it set nothing;
    `is_by_host` says that our plugin host serves it, not the SDK's plugin.
    """

    urn: str = ""
    timeout_s: float | None = None
    is_preview: bool = False
    is_by_host: bool = False


_current: ContextVar[Call | None] = ContextVar("current_call", default=None)


@contextmanager
def serving(known: Call | None = None) -> Iterator[Call]:
    """Make the call that is being served known to everything below, the client's loop included.

    Args:
        known: the call, where the plugin tells it; else it is the one that a plugin around us
            told, or it is looked for.
    """
    call = known or _current.get() or call_of(_find_in_plugin("request"))
    token = _current.set(call)
    try:
        yield call
    finally:
        _current.reset(token)


def current_call() -> Call:
    """Return the call that is being served; an empty one outside of any."""
    return _current.get() or Call()


def call_of(request: Any, *, is_by_host: bool = False) -> Call:
    """Return what a request of the engine's protocol says of its call; None says nothing."""
    return Call(
        urn=str(getattr(request, "urn", "") or ""),
        timeout_s=getattr(request, "timeout", None) or None,
        is_preview=bool(getattr(request, "preview", False)),
        is_by_host=is_by_host,
    )


def refuse(message: str) -> None:
    """Answer the call with this error and nothing around it, where the SDK's plugin lets us.

    Returns where it does not: a plugin of 3.265 and later catches this too, ours needs no help.

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
    """Return what the frame of the plugin that serves the call has under this name."""
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
