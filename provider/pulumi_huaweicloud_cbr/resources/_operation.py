"""What the engine's present operation has shown so far; it has a plugin process of its own.

The engine tells a provider about one resource at a time. That two of them are about the same
copy shows only when both were seen: the old and the new one of a replacement, or of a
resource that was renamed in the program.
"""

from __future__ import annotations

import threading


class Operation:
    """Records, by id, that resources of the operation were about; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replaced: set[str] = set()
        self._held: set[str] = set()

    def note_replaced(self, record_id: str) -> None:
        """Note a replication that is to be replaced."""
        with self._lock:
            self._replaced.add(record_id)

    def note_held(self, record_id: str) -> None:
        """Note a replication that a resource was made for, by a copy or by adoption, or keeps."""
        with self._lock:
            self._held.add(record_id)

    @property
    def replaced(self) -> frozenset[str]:
        """The replications that do not stand in the way of their own successors."""
        with self._lock:
            return frozenset(self._replaced)

    def is_held(self, record_id: str) -> bool:
        """Whether a resource has the replication that will be there after the operation."""
        with self._lock:
            return record_id in self._held


_operation = Operation()


def current_operation() -> Operation:
    """Return what is known of the operation that this process serves."""
    return _operation


def begin_operation() -> None:
    """Forget what was noted; for tests, in which one process serves many operations."""
    global _operation  # noqa: PLW0603 -- one operation per process
    _operation = Operation()
