"""Lists: read until they are shown to be whole, or only as far as that is worth its requests.

Whoever takes something for gone because a list lacks it needs the whole list. A page may be cut
short, and rows move up when one before them vanishes between two pages. So pages overlap by a row,
the number of rows is compared with CBR's `count`, and a list that does not fit is read again.
Source: CBR API reference, ListBackups, ListVault, ListOpLogs: `count` is the number of all rows
that pass the filters.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.client import PAGE_SIZE, Api
from pulumi_huaweicloud_cbr.api.wire.answers import BackupPage
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.api.wire.responses import NOT_THE_SERVICE
from pulumi_huaweicloud_cbr.base.errors import IncompleteListError, MalformedResponseError

LIST_FROM = 3
"""So many backups are worth a list; fewer are read one by one."""
ROWS_LIMIT = 200 * PAGE_SIZE
"""More than this is not a long list, but a service that ignores the offset."""
PAGES_LIMIT = 200
"""More pages than this are not a long list, but one without an end."""
PAUSES_S = (0.5, 1.0, 2.0)
"""How long to wait before a list that is not whole is read again; as often as there are pauses."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=_HasId)
RowOfPage = TypeVar("RowOfPage", bound=_HasId, covariant=True)  # noqa: PLC0105 -- named by its use
Found = TypeVar("Found")


class Page(Protocol[RowOfPage]):
    """Some rows of a list, and how many the whole of it has, None where that is not said."""

    @property
    def rows(self) -> tuple[RowOfPage, ...]: ...

    @property
    def count(self) -> int | None: ...


class Listing(Struct, Generic[Row], frozen=True):
    """A list that can be read: `read` takes a page's size and where it begins.

    `doing` is for errors, such as "listing backups in region 'cn-north-4' (project 0a1b)".
    """

    doing: str
    read: Callable[[int, int], Awaitable[Page[Row]]]


class _NotWholeError(Exception):
    """One pass over a list showed that rows are missing; the text says how."""


async def gathered(
    api: Api,
    listing: Listing[Row],
    keep: Callable[[Row], Iterable[Found]],
    limit: int | None = None,
) -> tuple[Found, ...]:
    """Return what is to be kept of the rows of a whole list, in its order.

    Args:
        keep: what of a row; the rest of it is let go at once.
        limit: at most so many; what is behind them is not read.
    Raises:
        IncompleteListError: rows are missing, however often it is read.
    """

    async def gather(pages: AsyncIterator[tuple[Row, ...]]) -> tuple[Found, ...]:
        found: list[Found] = []
        async for rows in pages:
            found.extend(kept for row in rows for kept in keep(row))
            if limit is not None and len(found) >= limit:
                break
        return tuple(found[:limit])

    return await _read(api, listing, gather)


async def first(
    api: Api, listing: Listing[Row], choose: Callable[[tuple[Row, ...]], Found | None]
) -> Found | None:
    """Return what is chosen from the first page that has it; None says that no row is it.

    Raises:
        IncompleteListError: none was chosen, and rows are missing, however often it is read.
    """

    async def look(pages: AsyncIterator[tuple[Row, ...]]) -> Found | None:
        async for rows in pages:
            found = choose(rows)
            if found is not None:
                return found
        return None

    return await _read(api, listing, look)


async def _read(
    api: Api,
    listing: Listing[Row],
    consume: Callable[[AsyncIterator[tuple[Row, ...]]], Awaitable[Found]],
) -> Found:
    """Have a list consumed, from its beginning each time that it was not whole."""
    for pause_s in (*PAUSES_S, None):
        try:
            async with aclosing(_pass_over(listing)) as pages:
                return await consume(pages)
        except _NotWholeError as reason:
            if pause_s is None:
                raise IncompleteListError(
                    f"{listing.doing}: the list lacks rows each time that it is read, "
                    f"{len(PAUSES_S) + 1} times so far: {reason}",
                    remedy=(
                        "nothing is taken for gone because of such a list; run the same command "
                        "again later, and ask the vendor's support if it stays so"
                    ),
                ) from None
            await api.clock.sleep(pause_s)
    raise AssertionError("the last time ends with a result or an error")


async def _pass_over(listing: Listing[Row]) -> AsyncGenerator[tuple[Row, ...], None]:
    """Yield new rows, as soon as those so far are shown to be without a gap.

    Raises:
        _NotWholeError: there is a gap.
        MalformedResponseError: the list has no end.
    """
    seen: set[str] = set()
    held: list[Row] = []
    for _ in range(PAGES_LIMIT):
        # From the last row that was seen: if another row stands there, some have moved.
        page = await listing.read(PAGE_SIZE, max(0, len(seen) - 1))
        if seen and not (page.rows and page.rows[0].id in seen):
            raise _NotWholeError("rows moved while its pages were read")
        before = len(seen)
        for row in page.rows:
            if row.id not in seen:
                seen.add(row.id)
                held.append(row)
        is_short = len(page.rows) < PAGE_SIZE
        has_all = page.count is None or len(seen) >= page.count
        if has_all or not is_short:
            yield tuple(held)
            held.clear()
        # A full page whose own rows are all that is counted may be followed by another.
        if has_all and (is_short or (page.count or 0) > len(page.rows)):
            return
        if len(seen) == before:
            counted = "more" if page.count is None else page.count
            raise _NotWholeError(f"CBR counts {counted} rows, and shows {len(seen)}")
    raise MalformedResponseError(
        f"{listing.doing}: {PAGES_LIMIT} pages, and no end", remedy=NOT_THE_SERVICE
    )


async def pages_worth_reading(
    api: Api, scope: ProjectScope, missing: Collection[object], **filters: Any
) -> AsyncIterator[BackupPage]:
    """Yield pages of ListBackups until what is missing is cheaper to have one by one.

    The list need not be whole: what it lacks is asked for by itself, and only then gone.

    Args:
        missing: what is looked for; the caller takes out what it finds, before the next page.
    """
    offset = 0
    while missing and offset < ROWS_LIMIT:
        page = await api.get_backup_page(scope, limit=PAGE_SIZE, offset=offset, **filters)
        yield page
        offset += len(page.backups)
        pages_left = -(-((page.count or 0) - offset) // PAGE_SIZE)
        if len(page.backups) < PAGE_SIZE or pages_left >= len(missing):
            return
