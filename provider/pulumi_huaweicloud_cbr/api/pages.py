"""Paging: read a list until it is proven complete, or only while a page is worth its request.

To conclude from a list that something is gone, the whole list is needed. A page may be cut short.
Rows move up if an earlier row is deleted between two pages. So pages overlap by one row, and the
number of rows is compared with CBR's `count`. A list that fails either check is read again.
Source: CBR API reference, ListBackups, ListVault, ListOpLogs: `count` is the number of all rows
that match the filters.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import aclosing
from typing import Any, Generic, Protocol, TypeVar

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.client import PAGE_SIZE, Api
from pulumi_huaweicloud_cbr.api.wire.answers import BackupPage
from pulumi_huaweicloud_cbr.api.wire.decoding import NOT_THE_SERVICE
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import IncompleteListError, MalformedResponseError

LIST_FROM = 3
"""From this many backups on, a list request is used; fewer are read one by one."""
ROWS_LIMIT = 200 * PAGE_SIZE
"""More rows than this are not a long list, but a service that ignores the offset."""
PAGES_LIMIT = 200
"""More pages than this are not a long list, but one without an end."""
PAUSES_S = (0.5, 1.0, 2.0)
"""The pauses before an incomplete list is read again; it is read again once for each pause."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


Row = TypeVar("Row", bound=_HasId)
RowOfPage = TypeVar("RowOfPage", bound=_HasId, covariant=True)  # noqa: PLC0105 -- named by its use
Found = TypeVar("Found")


class Page(Protocol[RowOfPage]):
    """Some rows of a list, and the count of all its rows; None if the response has no count."""

    @property
    def rows(self) -> tuple[RowOfPage, ...]: ...

    @property
    def count(self) -> int | None: ...


class Listing(Struct, Generic[Row], frozen=True):
    """A list that can be read; `read` takes the size and the offset of a page.

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
    """Return what `keep` takes from the rows of a whole list, in the list's order.

    Args:
        keep: returns what to keep of a row; the rest of the row is dropped at once.
        limit: the maximum number of results; pages after them are not read.
    Raises:
        IncompleteListError: rows are missing each time that the list is read.
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
    """Return the first page's result that is not None; None if no row of the list matches.

    Raises:
        IncompleteListError: no row matched, and rows are missing each time that the list is read.
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
    """Pass a list's pages to `consume`; start again each time that the list is incomplete."""
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
    """Yield new rows as soon as the rows so far are proven to have no gap.

    Raises:
        _NotWholeError: there is a gap.
        MalformedResponseError: the list has no end.
    """
    seen: set[str] = set()
    held: list[Row] = []
    for _ in range(PAGES_LIMIT):
        # Begin at the last row that was seen. If another row is there now, rows have moved.
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
        # If the count equals the rows of a full page, another page may still follow.
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
    """Yield pages of ListBackups until the missing backups are cheaper to read one by one.

    The list need not be complete: a backup that it lacks is read by itself, and only then
    counts as gone.

    Args:
        missing: the backups to find; the caller removes those found before the next page.
    """
    offset = 0
    while missing and offset < ROWS_LIMIT:
        page = await api.get_backup_page(scope, limit=PAGE_SIZE, offset=offset, **filters)
        yield page
        offset += len(page.backups)
        pages_left = -(-((page.count or 0) - offset) // PAGE_SIZE)
        if len(page.backups) < PAGE_SIZE or pages_left >= len(missing):
            return
