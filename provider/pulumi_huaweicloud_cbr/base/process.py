"""The state of the process: what it keeps from one call of the engine to the next.

A process serves one operation of one engine, so there is one state. Each module that keeps
something has its part of it. Every test begins a new one. It is not a context variable, because the
threads in which gRPC serves calls do not inherit any.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

Part = TypeVar("Part")


class ProcessState:
    """The parts, by their class; each is created at its first use."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._parts: dict[type, Any] = {}

    def part(self, kind: type[Part]) -> Part:
        """Return the one instance of a class that needs no arguments."""
        with self._lock:
            if kind not in self._parts:
                self._parts[kind] = kind()
            part: Part = self._parts[kind]
            return part

    def close(self) -> None:
        """End what the parts have started, as the end of a process would."""
        for part in self._parts.values():
            end = getattr(part, "close", None)
            if end is not None:
                end()

    def renew(self, kind: type[Part]) -> Part:
        """Forget the instance of a class, and return a new one."""
        with self._lock:
            self._parts.pop(kind, None)
            return self.part(kind)


_states = [ProcessState()]


def process_state() -> ProcessState:
    """Return the state of this process."""
    return _states[-1]


@contextmanager
def new_process_state() -> Iterator[ProcessState]:
    """Use a new state for a while; all threads of the process see it."""
    state = ProcessState()
    _states.append(state)
    try:
        yield state
    finally:
        _states.remove(state)
        state.close()
