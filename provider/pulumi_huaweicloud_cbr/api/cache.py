"""A client whose look-ups are shared: what many ask at about the same time is asked once.

A hundred resources of one stack look at a hundred backups within seconds. Asked one by one that
is a request each; a page of ListBackups answers a thousand. Only answers are shared, never
decisions: nothing is taken for missing because a list lacks it, and what was changed by this
process is asked anew.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.pages import LIST_FROM, pages_worth_reading
from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    Project,
    RegionCapability,
    Replication,
    Vault,
    VaultCopies,
)
from pulumi_huaweicloud_cbr.api.wire.requests import (
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.base.errors import CbrError

Answer = TypeVar("Answer")

GATHER_S = 0.01
"""How long a look-up waits for others to be asked together with, while one is under way already;
real time, not the clock's."""
USELESS_LISTS = 2
"""After so many lists without what was wanted, a backup that is asked for alone is read alone."""
SHARED_FOR_S = 5.0
"""How old an answer may be that is shared. A copy that was begun elsewhere meanwhile is refused by
CBR itself (error code 1009), and looked for then."""


class _Shelf(Struct):
    """Backups of one project: answers with the number of their question, and who waits.

    `asked` has when each was asked for last, the latest at its end. `questions` counts the requests
    under way, and `useless_lists` the lists in a row without a hit. Answers up to number
    `all_changed` are stale.
    """

    known: dict[str, tuple[int, float, Backup]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, asyncio.Future[Backup]] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    questions: int = 0
    useless_lists: int = 0
    all_changed: int = 0

    def note_asked(self, backup_id: str, now: float) -> None:
        """Note that a backup was asked for, and forget what was long ago."""
        self.asked.pop(backup_id, None)
        self.asked[backup_id] = now
        while now - self.asked[oldest := next(iter(self.asked))] > SHARED_FOR_S:
            del self.asked[oldest]

    def is_asked_for_many(self) -> bool:
        """Whether several backups were asked for lately, so that others will be soon."""
        return len(self.asked) >= LIST_FROM and self.useless_lists < USELESS_LISTS


class SharedClient(CbrClient):
    """Asks for each thing once for all who want it; meant for one process of a plugin."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._numbers = itertools.count(1)
        self._shelves: dict[ProjectScope, _Shelf] = {}
        self._answers: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}
        self._gathering: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Share nothing that was answered so far."""
        self._shelves.clear()
        self._answers.clear()

    async def get_backup(
        self, scope: ProjectScope, backup_id: str, *, is_fresh: bool = False
    ) -> Backup:
        """Read a backup, from a list where others are looked for too, or were a moment ago.

        The engine checks resources one after the other: that many will be asked for shows only
        when some were.

        Args:
            is_fresh: want an answer to a question that is asked from now on.
        Raises:
            NotFoundError: there is none of that id in the project; it was asked for by itself.
        """
        shelf = self._shelves.setdefault(scope, _Shelf())
        if not is_fresh:
            known = self._known(shelf, backup_id)
            if known is not None:
                return known
        shelf.note_asked(backup_id, self.clock.monotonic())
        is_one_of_many = not is_fresh and shelf.is_asked_for_many()
        if not shelf.waiting and not shelf.questions and not is_one_of_many:
            # Nobody to wait for: most stacks are small.
            with _counted(shelf):
                return await super().get_backup(scope, backup_id)
        if not shelf.waiting:
            gathering = asyncio.ensure_future(self._gather(scope, shelf, is_one_of_many))
            self._gathering.add(gathering)
            gathering.add_done_callback(self._gathering.discard)
        if backup_id not in shelf.waiting:
            shelf.waiting[backup_id] = asyncio.get_running_loop().create_future()
            shelf.waiting[backup_id].add_done_callback(_take_error)
        # Who gives up takes nothing from the others.
        return await asyncio.shield(shelf.waiting[backup_id])

    async def replicate_backup(
        self, scope: ProjectScope, backup_id: str, request: ReplicateRequest
    ) -> Replication:
        """Submit a copy; what was known of the backup is out of date then."""
        try:
            return await super().replicate_backup(scope, backup_id, request)
        finally:
            self._note_change(scope, backup_id)

    async def replicate_vault(
        self, scope: ProjectScope, request: ReplicateVaultRequest
    ) -> VaultCopies:
        """Submit copies of a vault's backups; what was known of any backup is out of date then."""
        try:
            return await super().replicate_vault(scope, request)
        finally:
            self._shelves.setdefault(scope, _Shelf()).all_changed = next(self._numbers)

    async def rename_backup(self, scope: ProjectScope, backup_id: str, name: str) -> Backup:
        """Rename a backup; what was known of it is out of date then."""
        try:
            return await super().rename_backup(scope, backup_id, name)
        finally:
            self._note_change(scope, backup_id)

    async def delete_backup(self, scope: ProjectScope, backup_id: str) -> None:
        """Begin to delete a backup; what was known of it is out of date then."""
        try:
            await super().delete_backup(scope, backup_id)
        finally:
            self._note_change(scope, backup_id)

    async def get_vault(self, scope: ProjectScope, vault_id: str) -> Vault:
        """Read a vault."""
        ask = super().get_vault
        return await self._once(("vault", scope, vault_id), lambda: ask(scope, vault_id))

    async def get_replication_capabilities(
        self, scope: ProjectScope
    ) -> tuple[RegionCapability, ...]:
        """Read to which regions backups can be copied."""
        ask = super().get_replication_capabilities
        return await self._once(("capabilities", scope), lambda: ask(scope))

    async def sign_in(self, region: str) -> str | None:
        """Sign in to a region, once."""
        ask = super().sign_in
        return await self._once(("signing in", region), lambda: ask(region))

    async def list_projects(self, region: str) -> tuple[Project, ...]:
        """Read the projects that are named like a region."""
        ask = super().list_projects
        return await self._once(("projects", region), lambda: ask(region))

    # -- answers that are shared as they are ------------------------------------------------

    async def _once(self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]]) -> Answer:
        now = self.clock.monotonic()
        asked_at, task = self._answers.get(key, (now, None))
        is_usable = task is not None and (
            not task.done() or (now - asked_at <= SHARED_FOR_S and _succeeded(task))
        )
        if task is None or not is_usable:
            task = asyncio.ensure_future(ask())
            task.add_done_callback(_take_error)
            self._answers[key] = (now, task)
        return cast("Answer", await asyncio.shield(task))

    # -- backups ----------------------------------------------------------------------------

    def _known(self, shelf: _Shelf, backup_id: str) -> Backup | None:
        number, asked_at, backup = shelf.known.get(backup_id, (0, 0.0, None))
        is_changed = number <= max(shelf.changed.get(backup_id, 0), shelf.all_changed)
        if is_changed or self.clock.monotonic() - asked_at > SHARED_FOR_S:
            return None
        return backup

    def _note_change(self, scope: ProjectScope, backup_id: str) -> None:
        self._shelves.setdefault(scope, _Shelf()).changed[backup_id] = next(self._numbers)

    async def _gather(self, scope: ProjectScope, shelf: _Shelf, is_one_of_many: bool) -> None:
        """Answer all who are waiting, and who come to wait for a moment yet."""
        await asyncio.sleep(GATHER_S)
        waiting, shelf.waiting = shelf.waiting, {}
        missing = dict(waiting)
        try:
            with _counted(shelf):
                if is_one_of_many or len(waiting) >= LIST_FROM:
                    async for backup in self._listed(scope, shelf, missing):
                        _answer(missing.pop(backup.id), backup)
                    is_useless = len(missing) == len(waiting)
                    shelf.useless_lists = shelf.useless_lists + 1 if is_useless else 0
                await asyncio.gather(
                    *(self._read(scope, backup_id, future) for backup_id, future in missing.items())
                )
        except BaseException as error:
            for future in missing.values():
                _fail(future, error)
            raise

    async def _listed(
        self, scope: ProjectScope, shelf: _Shelf, missing: dict[str, asyncio.Future[Backup]]
    ) -> AsyncIterator[Backup]:
        """Yield those of the missing that lists show, as long as a page is worth its request."""
        number, asked_at = next(self._numbers), self.clock.monotonic()
        try:
            async for page in pages_worth_reading(self, scope, missing, show_replication=True):
                for backup in page.backups:
                    shelf.known[backup.id] = (number, asked_at, backup)
                    if backup.id in missing:
                        yield backup
                number, asked_at = next(self._numbers), self.clock.monotonic()
        except CbrError:
            # Whatever the reason, each is read by itself then, and has its own error.
            return

    async def _read(
        self, scope: ProjectScope, backup_id: str, future: asyncio.Future[Backup]
    ) -> None:
        try:
            backup = await super().get_backup(scope, backup_id)
        except Exception as error:  # noqa: BLE001 -- it is for who waits
            _fail(future, error)
        else:
            _answer(future, backup)


@contextmanager
def _counted(shelf: _Shelf) -> Iterator[None]:
    shelf.questions += 1
    try:
        yield
    finally:
        shelf.questions -= 1


def _answer(future: asyncio.Future[Backup], backup: Backup) -> None:
    if not future.done():
        future.set_result(backup)


def _fail(future: asyncio.Future[Backup], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _take_error(future: asyncio.Future[Any]) -> None:
    # An error that nobody waits for any more would be written to the user's terminal.
    if not future.cancelled():
        future.exception()


def _succeeded(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is None
