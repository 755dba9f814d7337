"""Registers what a program declares, so that the state keeps little besides the inputs.

The SDK sends the whole call stack with each resource, and the engine stores it: 1.5 kB, mostly
paths of the machine. It also pickles the provider anew for each resource. Here only the program's
own line is sent, and each provider has one short pickle.
"""

from __future__ import annotations

import base64
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pulumi
from pulumi.dynamic import Resource, ResourceProvider
from pulumi.dynamic.dynamic import PROVIDER_KEY
from pulumi.output import Unknown
from pulumi.runtime.settings import SETTINGS

_PACKAGE = __name__.partition(".")[0]
_TO_CALLER = 7
"""The levels from the SDK's look at its stack up to the line that calls our constructor.

Source: pulumi/runtime/resource.py, `_get_stack_trace`, 3.255 and 3.272: itself,
`register_resource`, two constructors of the SDK, `Registered.register`, our constructor.
"""
WITHOUT_LINE = 5
"""So few levels that the SDK finds no line, and sends none."""


class Registered(Resource):
    """A dynamic resource of this package."""

    def register(
        self,
        provider: type[ResourceProvider],
        name: str,
        properties: Mapping[str, Any],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        """Do what the SDK's constructor of dynamic resources does; to be called in `__init__`.

        The SDK looks for the third ``__init__`` above its own code, and takes the line that calls
        it for the program's. With the constructor of dynamic resources between, that would be a
        line of this package.
        """
        with from_caller_only():
            pulumi.CustomResource.__init__(
                self,
                f"pulumi-python:{self._resource_type_name}",
                name,
                {**properties, PROVIDER_KEY: pickle_of(provider)},
                opts,
            )
        _leave_to_registration(
            output
            for name, output in vars(self).items()
            if isinstance(output, pulumi.Output) and name not in ("id", "urn")
        )


def pickle_of(provider: type[ResourceProvider]) -> str:
    """Return a provider as the state has it: a pickle of an instance without any attributes.

    It names the class as the package publishes it, which is shorter than its module. Both names
    are state format, and a unit test loads committed pickles of both.
    """
    # Protocol 2: the class by name, no arguments, a new object (Python, pickletools).
    named = f"\x80\x02c{_PACKAGE}\n{provider.__name__}\n)\x81."
    return base64.b64encode(named.encode("latin-1")).decode("ascii")


def told_or(output: Any, default: Any) -> pulumi.Output[Any]:
    """Return an output whose value is the default if the state lacks it, in previews as well.

    In a preview, Pulumi calls unknown what a state lacks. So an unchanged stack would seem to
    change.
    """
    return pulumi.Output.from_input(output).apply(
        lambda value: default if value is None or isinstance(value, Unknown) else value,
        run_with_unknowns=True,
    )


def without_resources(output: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """Return an output that tells nothing of the resources that its value is from."""
    value = _Later(functools.partial(output.future, with_unknowns=True))
    return pulumi.Output(set(), value, _Later(output.is_known), _Later(output.is_secret))


class _Later(Awaitable[Any]):
    """Starts a coroutine when it is awaited: Python warns of one that never is, after an error."""

    def __init__(self, start: Callable[[], Awaitable[Any]]) -> None:
        self._start = start

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._start().__await__()


def _leave_to_registration(outputs: Iterable[pulumi.Output[Any]]) -> None:
    """Take outputs off the list of what the program waits for at its end.

    The SDK waits for all of them at once, and again whenever one is known: the time grows with the
    square of their number. They are known when the registration ends, which the program waits for
    too, as it does for `id`. A failed registration raises its error itself.
    """
    # If a later SDK keeps the list otherwise, it is left as it is.
    tracked, lock = getattr(SETTINGS, "outputs", None), getattr(SETTINGS, "lock", None)
    if isinstance(tracked, set) and lock is not None:
        with lock:
            tracked.difference_update(vars(output).get("_data") for output in outputs)


class _OnTheseThreads:
    """A limit of `sys.tracebacklimit` for threads that register; others have the program's own.

    `traceback` compares it and takes its index. What prints in C ignores what is no integer.
    """

    def __init__(self, theirs: Any) -> None:
        self.theirs = theirs
        self.levels: dict[int, list[int]] = {}

    def __index__(self) -> int:
        if levels := self.levels.get(threading.get_ident()):
            return levels[-1]
        return sys.maxsize if self.theirs is None else self.theirs

    def __lt__(self, other: int) -> bool:
        return self.__index__() < other

    def __ge__(self, other: int) -> bool:
        return self.__index__() >= other


_lock = threading.Lock()


@contextmanager
def from_caller_only(levels: int = _TO_CALLER) -> Iterator[None]:
    """Let the SDK see only so many levels of this thread's calls, for as long as this is entered.

    Other threads, and other tasks of this one, see all of theirs: nothing may await in here.
    """
    thread = threading.get_ident()
    with _lock:
        present: object = getattr(sys, "tracebacklimit", None)
        if isinstance(present, _OnTheseThreads):
            limit = present
        else:
            limit = sys.tracebacklimit = _OnTheseThreads(present)  # type: ignore[assignment]
        limit.levels.setdefault(thread, []).append(levels)
    try:
        yield
    finally:
        with _lock:
            limit.levels[thread].pop()
            if not limit.levels[thread]:
                del limit.levels[thread]
            if not limit.levels and getattr(sys, "tracebacklimit", None) is limit:
                _put_back(limit.theirs)


def _put_back(theirs: Any) -> None:
    if theirs is None:
        del sys.tracebacklimit
    else:
        sys.tracebacklimit = theirs
