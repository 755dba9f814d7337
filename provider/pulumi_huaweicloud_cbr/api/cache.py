"""A cache in front of a client: look-ups at about the same time share answers and list requests.

A hundred resources of one stack look up a hundred backups within seconds. One by one, that is a
request each; one page of ListBackups answers a thousand. Vaults, projects, capabilities and
sign-ins are cached as well. Only answers are shared, never decisions. A backup that a list lacks
is read by itself before it counts as missing. After a change by this process, the answers about
what it changed are stale.

Two objects use one store. `CachedApi` returns stored answers while they are good. Its `fresh`
returns none, but batches look-ups of backups at the same time.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Coroutine, Hashable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol, Self, TypeVar, cast

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.api.client import Api
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


class _Shared(Protocol):
    """The method `CachedApi.shared`."""

    async def __call__(
        self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]], /
    ) -> Answer: ...


GATHER_S = 0.01
"""While a request is under way, a look-up waits this long for others to join its batch. Real time,
not the clock's."""
USELESS_LISTS = 2
"""After this many list requests in a row without a hit, single look-ups bypass batching."""
SHARED_FOR_S = 5.0
"""The maximum age of a shared answer. If a copy was started elsewhere meanwhile, CBR refuses ours
(error code 1009), and the existing copy is looked up then."""


class _Shelf(Struct):
    """The stored backups of one project, and the look-ups that wait for an answer.

    `known` has each answer with the number of its request; `changed` has the number of a backup's
    last change. `asked` has the time of each backup's last look-up, the latest at its end.
    `questions` counts the requests under way. `useless_lists` counts the list requests in a row
    without a hit. Answers up to number `all_changed` are stale.
    """

    known: dict[str, tuple[int, float, Backup]] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, asyncio.Future[Backup]] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)
    questions: int = 0
    useless_lists: int = 0
    all_changed: int = 0

    def note_asked(self, backup_id: str, now: float) -> None:
        """Record a look-up of a backup, and drop the look-ups of long ago."""
        self.asked.pop(backup_id, None)
        self.asked[backup_id] = now
        while now - self.asked[oldest := next(iter(self.asked))] > SHARED_FOR_S:
            del self.asked[oldest]

    def is_asked_for_many(self) -> bool:
        """Whether several backups were looked up recently, so that more look-ups are likely."""
        return len(self.asked) >= LIST_FROM and self.useless_lists < USELESS_LISTS


class CachedApi:
    """Requests each thing once for all callers; one object serves one plugin process."""

    def __init__(self, client: Api) -> None:
        self.settings = client.settings
        self.clock = client.clock
        self._client = client
        self._backups = _Backups(client)
        self._answers: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}
        self.fresh: Api = _FreshApi(client, self._backups, self.shared)
        # The answers of these methods are not stored.
        self.list_backups = client.list_backups
        self.get_backup_page = client.get_backup_page
        self.get_vault_page = client.get_vault_page
        self.list_tasks = client.list_tasks
        self.get_task_page = client.get_task_page
        # A write through either object makes stored answers stale.
        self.replicate_backup = self.fresh.replicate_backup
        self.replicate_vault = self.fresh.replicate_vault
        self.rename_backup = self.fresh.rename_backup
        self.delete_backup = self.fresh.delete_backup

    def forget(self) -> None:
        """Drop all stored answers."""
        self._backups.forget()
        self._answers.clear()

    async def get_backup(self, scope: ProjectScope, backup_id: str) -> Backup:
        """Read a backup; from a list if others are looked up too, or were recently.

        The engine checks resources one after the other. Only past look-ups show that many more
        will follow.

        Raises:
            NotFoundError: the project has no backup with that id; the backup itself was requested.
        """
        return self._backups.stored(scope, backup_id) or await self._backups.ask(
            scope, backup_id, may_list_ahead=True
        )

    async def get_vault(self, scope: ProjectScope, vault_id: str) -> Vault:
        """Read a vault."""
        ask = self._client.get_vault
        return await self._once(("vault", scope, vault_id), lambda: ask(scope, vault_id))

    async def get_replication_capabilities(
        self, scope: ProjectScope
    ) -> tuple[RegionCapability, ...]:
        """Read the regions that backups can be copied to."""
        ask = self._client.get_replication_capabilities
        return await self._once(("capabilities", scope), lambda: ask(scope))

    async def shared(
        self, key: Hashable, ask: Callable[[], Coroutine[Any, Any, Answer]], /
    ) -> Answer:
        """Return what `ask` returns, once for all who ask with the same key at about that time."""
        return await self._once(("shared", key), ask)

    async def sign_in(self, region: str) -> str | None:
        """Sign in to a region, once."""
        return await self._once(("signing in", region), lambda: self._client.sign_in(region))

    async def list_projects(self, region: str) -> tuple[Project, ...]:
        """Read the projects with the name of a region."""
        return await self._once(("projects", region), lambda: self._client.list_projects(region))

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


class _FreshApi:
    """The API without stored answers; it batches look-ups of backups at the same time."""

    def __init__(self, client: Api, backups: _Backups, shared: _Shared) -> None:
        self.settings = client.settings
        self.clock = client.clock
        self._client = client
        self._backups = backups
        self.list_backups = client.list_backups
        self.get_backup_page = client.get_backup_page
        self.get_vault = client.get_vault
        self.get_vault_page = client.get_vault_page
        self.get_replication_capabilities = client.get_replication_capabilities
        self.list_tasks = client.list_tasks
        self.get_task_page = client.get_task_page
        self.list_projects = client.list_projects
        self.sign_in = client.sign_in
        self.shared = shared

    @property
    def fresh(self) -> Self:
        """This object itself."""
        return self

    async def get_backup(self, scope: ProjectScope, backup_id: str) -> Backup:
        """Read a backup: alone, or from a list if others are looked up at the same time.

        Raises:
            NotFoundError: the project has no backup with that id; the backup itself was requested.
        """
        return await self._backups.ask(scope, backup_id)

    async def replicate_backup(
        self, scope: ProjectScope, backup_id: str, request: ReplicateRequest
    ) -> Replication:
        """Submit a copy; stored answers about the backup become stale."""
        try:
            return await self._client.replicate_backup(scope, backup_id, request)
        finally:
            self._backups.note_change(scope, backup_id)

    async def replicate_vault(
        self, scope: ProjectScope, request: ReplicateVaultRequest
    ) -> VaultCopies:
        """Submit copies of a vault's backups; stored answers about all backups become stale."""
        try:
            return await self._client.replicate_vault(scope, request)
        finally:
            self._backups.note_change_of_all(scope)

    async def rename_backup(self, scope: ProjectScope, backup_id: str, name: str) -> Backup:
        """Rename a backup; stored answers about it become stale."""
        try:
            return await self._client.rename_backup(scope, backup_id, name)
        finally:
            self._backups.note_change(scope, backup_id)

    async def delete_backup(self, scope: ProjectScope, backup_id: str) -> None:
        """Start the deletion of a backup; stored answers about it become stale."""
        try:
            await self._client.delete_backup(scope, backup_id)
        finally:
            self._backups.note_change(scope, backup_id)


class _Backups:
    """The store of backups; it batches the look-ups that it cannot answer."""

    def __init__(self, client: Api) -> None:
        self._client = client
        self._clock = client.clock
        self._numbers = itertools.count(1)
        self._shelves: dict[ProjectScope, _Shelf] = {}
        self._gathering: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Drop all stored answers."""
        self._shelves.clear()

    def stored(self, scope: ProjectScope, backup_id: str) -> Backup | None:
        """Return the stored answer; None if there is none, or if it is stale or too old."""
        shelf = self._shelf(scope)
        number, asked_at, backup = shelf.known.get(backup_id, (0, 0.0, None))
        is_changed = number <= max(shelf.changed.get(backup_id, 0), shelf.all_changed)
        if is_changed or self._clock.monotonic() - asked_at > SHARED_FOR_S:
            return None
        return backup

    def note_change(self, scope: ProjectScope, backup_id: str) -> None:
        """Mark the answers about a backup so far as stale."""
        self._shelf(scope).changed[backup_id] = next(self._numbers)

    def note_change_of_all(self, scope: ProjectScope) -> None:
        """Mark the answers about all backups of the project so far as stale."""
        self._shelf(scope).all_changed = next(self._numbers)

    async def ask(
        self, scope: ProjectScope, backup_id: str, *, may_list_ahead: bool = False
    ) -> Backup:
        """Read a backup with a request that is sent after this call, batched with others.

        Args:
            may_list_ahead: list even for one backup, if several were looked up recently. The list
                answers the next look-ups.
        """
        shelf = self._shelf(scope)
        shelf.note_asked(backup_id, self._clock.monotonic())
        is_one_of_many = may_list_ahead and shelf.is_asked_for_many()
        if not shelf.waiting and not shelf.questions and not is_one_of_many:
            # There is no other look-up to batch with: most stacks are small.
            with _counted(shelf):
                return await self._client.get_backup(scope, backup_id)
        if not shelf.waiting:
            gathering = asyncio.ensure_future(self._gather(scope, shelf, is_one_of_many))
            self._gathering.add(gathering)
            gathering.add_done_callback(self._gathering.discard)
        if backup_id not in shelf.waiting:
            shelf.waiting[backup_id] = asyncio.get_running_loop().create_future()
            shelf.waiting[backup_id].add_done_callback(_take_error)
        # Cancelling one look-up does not cancel the others.
        return await asyncio.shield(shelf.waiting[backup_id])

    def _shelf(self, scope: ProjectScope) -> _Shelf:
        return self._shelves.setdefault(scope, _Shelf())

    async def _gather(self, scope: ProjectScope, shelf: _Shelf, is_one_of_many: bool) -> None:
        """Answer all look-ups that wait, and those that join within `GATHER_S`."""
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
        """Yield the missing backups that lists contain, while a page is worth its request."""
        number, asked_at = next(self._numbers), self._clock.monotonic()
        try:
            async for page in pages_worth_reading(
                self._client, scope, missing, show_replication=True
            ):
                for backup in page.backups:
                    shelf.known[backup.id] = (number, asked_at, backup)
                    if backup.id in missing:
                        yield backup
                number, asked_at = next(self._numbers), self._clock.monotonic()
        except CbrError:
            # For any reason: each backup is then read by itself, and has its own error.
            return

    async def _read(
        self, scope: ProjectScope, backup_id: str, future: asyncio.Future[Backup]
    ) -> None:
        try:
            backup = await self._client.get_backup(scope, backup_id)
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
    # asyncio would write an error that nobody awaits to the user's terminal.
    if not future.cancelled():
        future.exception()


def _succeeded(task: asyncio.Task[Any]) -> bool:
    return not task.cancelled() and task.exception() is None
