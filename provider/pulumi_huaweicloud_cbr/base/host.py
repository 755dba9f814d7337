"""The host: what this process keeps from one call of the engine to the next.

A process serves one operation of one engine, so there is one host, and each module that keeps
something has its part of it. Tests begin a new host for each of them. It is no context variable:
the threads in which gRPC serves calls do not inherit any.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Part = TypeVar("Part")


class Host:
    """The parts, by their class; each is made when it is asked for first."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._parts: dict[type, Any] = {}

    def part(self, kind: type[Part]) -> Part:
        """Return the host's one object of a class that needs no arguments."""
        with self._lock:
            if kind not in self._parts:
                self._parts[kind] = kind()
            part: Part = self._parts[kind]
            return part

    def close(self) -> None:
        """End what parts have begun, as the end of a process would."""
        for part in self._parts.values():
            end = getattr(part, "close", None)
            if end is not None:
                end()

    def renew(self, kind: type[Part]) -> Part:
        """Forget the object of a class, and return a new one."""
        with self._lock:
            self._parts.pop(kind, None)
            return self.part(kind)


_hosts = [Host()]


def current_host() -> Host:
    """Return the host of this process."""
    return _hosts[-1]


@contextmanager
def new_host() -> Iterator[Host]:
    """Have a host of its own for a while: all threads of the process see it."""
    host = Host()
    _hosts.append(host)
    try:
        yield host
    finally:
        _hosts.remove(host)
        host.close()
