"""What the engine's present operation has shown so far; it has a plugin process of its own.

The engine tells a provider about one resource at a time. That two of them are about the same
copy shows only when both were seen: the old and the new one of a replacement, or of a
resource that was renamed in the program.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

QUIET_S, QUIET_LOOKS = 1.0, 10
"""How long the engine has to be silent before a replica is deleted that another resource of the
program may declare; and how often that is looked at."""


class Operation:
    """Records, by id, that resources of the operation were about; used by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replaced: set[str] = set()
        self._held: set[str] = set()
        self._claimed: set[tuple[str, str]] = set()
        self._vaults: set[tuple[str, ...]] = set()
        self._kept: dict[str, Any] = {}
        self._rolling_places: set[tuple[str, ...]] = set()
        self._rolling: set[str] = set()
        self._calls = 0

    def note_call(self) -> None:
        """Note that the engine has come with a resource of the program."""
        with self._lock:
            self._calls += 1

    def note_claimed(self, backup_id: str, region: str) -> None:
        """Note a copy that a resource of the program declares, whether it has it or not yet."""
        with self._lock:
            self._claimed.add((backup_id.lower(), region))

    def is_claimed(self, backup_id: str, region: str) -> bool:
        """Whether a resource of the program declares the copy of a backup to a region."""
        with self._lock:
            return (backup_id.lower(), region) in self._claimed

    async def settled(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until the engine has come with what it has, as far as can be told.

        It comes with resources as the program declares them, all within moments, unless some
        depend on others.
        """
        for _ in range(QUIET_LOOKS):
            calls = self._calls
            await sleep(QUIET_S)
            if calls == self._calls:
                return

    def note_vault(self, identity: tuple[str, ...]) -> None:
        """Note a vault and its destination that a resource of the program copies as a whole."""
        with self._lock:
            self._vaults.add(identity)

    def is_vault_copied(self, identity: tuple[str, ...]) -> bool:
        """Whether a resource that will be there after the operation copies the vault there."""
        with self._lock:
            return identity in self._vaults

    def note_kept(self, asked: str, members: Any) -> None:
        """Note what a resource keeps beside what the program lists, by what was asked of it.

        The engine asks again, without telling that there is an old one, if it is to be replaced.
        """
        with self._lock:
            self._kept[asked] = members

    def kept(self, asked: str) -> Any:
        """Return what was noted under this, None where nothing was."""
        with self._lock:
            return self._kept.get(asked)

    def note_rolling(
        self, place: tuple[str, ...], record_ids: Iterable[str], *, is_new: bool
    ) -> None:
        """Note a rolling set that will be there after the operation, and what it has.

        Args:
            is_new: it was made in this operation, so that it may be an old one of another name.
        """
        with self._lock:
            self._rolling.update(record_ids)
            if is_new:
                self._rolling_places.add(place)

    def is_rolling_on(self, place: tuple[str, ...], record_ids: Iterable[str]) -> bool:
        """Whether a rolling set may be the same as one that is deleted and has these."""
        with self._lock:
            return place in self._rolling_places or not self._rolling.isdisjoint(record_ids)

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
