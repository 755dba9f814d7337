"""Lists: read until they are proven complete, with no more requests than that takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from pulumi_huaweicloud_cbr.api import find, pages
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import IncompleteListError, MalformedResponseError
from tests.unit.wire import BACKUP, SOURCE, Wire

DESTINATION = ProjectScope("cn-east-3", "destination-project")
UNTOLD = object()
"""A count that the service leaves out."""


class Lister(Wire):
    """A network whose lists change between requests.

    Args:
        ids: the rows of the list.
        page_limit: the longest page that the service returns.
    """

    def __init__(self, *ids: str, count: Any = None, page_limit: int = 1000) -> None:
        super().__init__(httpx.Response(500))
        self.ids = list(ids)
        self.count = count
        self.page_limit = page_limit
        self.before: dict[int, Callable[[], object]] = {}
        self.cut: set[int] = set()
        self.left_out: dict[int, str] = {}
        self.offsets: list[int] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Return the requested page of the current list.

        `before` has actions by the number of the request that they precede. The pages of `cut` lack
        their last row. A page in `left_out` lacks the row that is named there.
        """
        number = len(self.offsets)
        self.before.get(number, lambda: None)()
        offset = int(request.url.params.get("offset", 0))
        self.offsets.append(offset)
        size = min(int(request.url.params["limit"]), self.page_limit)
        page = self.ids[offset : offset + size]
        if number in self.cut or -1 in self.cut:
            page = page[:-1]
        page = [id_ for id_ in page if id_ != self.left_out.get(number)]
        rows = [{"id": id_, "vault_id": "v", "image_type": "replication"} for id_ in page]
        key = request.url.path.rpartition("/")[2].replace("-", "_")
        answer: dict[str, Any] = {key: rows}
        if self.count is not UNTOLD:
            answer["count"] = len(self.ids) if self.count is None else self.count
        return httpx.Response(200, json=answer)

    async def found(self, limit: int | None = None) -> list[str]:
        """Return the ids in a list of backups."""
        async with self.client() as api:
            return [row.id for row in await find.find_backups(api, SOURCE, limit=limit)]


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the page size of lists to three."""
    monkeypatch.setattr(pages, "PAGE_SIZE", 3)


def ids(count: int) -> list[str]:
    """Return this number of ids."""
    return [f"b{number}" for number in range(count)]


@pytest.mark.anyio
@pytest.mark.parametrize("count", [None, UNTOLD], ids=["counted", "uncounted"])
@pytest.mark.parametrize(
    ("length", "offsets"),
    [
        pytest.param(0, [0], id="none"),
        pytest.param(2, [0], id="short-page"),
        pytest.param(3, [0, 2], id="full-page"),
        pytest.param(4, [0, 2], id="two-pages"),
        pytest.param(8, [0, 2, 4, 6], id="several"),
    ],
)
async def test_list_that_is_still_is_read_once(
    length: int, offsets: list[int], count: object
) -> None:
    """Pages overlap by a row; no row is missing or doubled; a one-page list takes one request."""
    lister = Lister(*ids(length), count=count)

    assert ids(length) == await lister.found()
    assert offsets == lister.offsets
    assert [] == lister.clock.slept


@pytest.mark.anyio
@pytest.mark.parametrize(("count", "offsets"), [(None, [0, 2]), (UNTOLD, [0, 2, 4])])
async def test_list_that_ends_with_a_full_page_is_known_by_its_count(
    count: object, offsets: list[int]
) -> None:
    """With the count, no page is requested after the last one, which only the overlap fills."""
    lister = Lister(*ids(5), count=count)

    assert ids(5) == await lister.found()
    assert offsets == lister.offsets


@pytest.mark.anyio
async def test_list_whose_count_is_that_of_the_page_goes_on() -> None:
    """A full page whose count is its own rows does not prove that none follow."""
    lister = Lister(*ids(4), count=3)

    assert ids(4) == await lister.found()


@pytest.mark.anyio
@pytest.mark.parametrize("count", [0, 1, -1])
async def test_list_that_has_more_than_is_counted_is_taken(count: int) -> None:
    """Rows beyond the count are returned; none is missing."""
    assert ids(2) == await Lister(*ids(2), count=count).found()


@pytest.mark.anyio
async def test_list_null_count_is_unknown() -> None:
    """A null count is no count."""
    lister = Lister(*ids(2))
    rows = [{"id": "b0"}]
    answer = httpx.Response(200, json={"backups": rows, "count": None})
    lister.handle = lambda _: answer  # type: ignore[assignment, method-assign]

    assert ["b0"] == await lister.found()


@pytest.mark.anyio
async def test_list_page_cut_short_is_read_on() -> None:
    """After a page with fewer rows than the count, the missing rows are requested."""
    lister = Lister(*ids(3))
    lister.cut = {0}

    assert ids(3) == await lister.found()
    assert [0, 1] == lister.offsets


@pytest.mark.anyio
async def test_list_of_a_service_with_smaller_pages_is_read_on() -> None:
    """A service may return fewer rows than requested."""
    lister = Lister(*ids(7), page_limit=2)

    assert ids(7) == await lister.found()
    assert [] == lister.clock.slept


@pytest.mark.anyio
@pytest.mark.parametrize("count", [None, UNTOLD], ids=["counted", "uncounted"])
async def test_list_row_that_vanishes_between_pages_hides_no_other(count: object) -> None:
    """When rows move up, the list is read again from its beginning."""
    lister = Lister(*ids(6), count=count)
    lister.before[1] = lambda: lister.ids.remove("b1")

    assert ["b0", "b2", "b3", "b4", "b5"] == await lister.found()
    assert 0 in lister.offsets[1:]


@pytest.mark.anyio
async def test_list_row_that_comes_between_pages_is_found() -> None:
    """Rows that move down are returned once; the count shows that there is a new one."""
    lister = Lister(*ids(4))
    lister.before[1] = lambda: lister.ids.insert(0, "new")

    assert ["new", *ids(4)] == await lister.found()


@pytest.mark.anyio
async def test_list_that_shrinks_below_what_was_read_is_read_again() -> None:
    """If the overlap is gone as well, the rows in between are unknown."""
    lister = Lister(*ids(4))
    lister.before[1] = lambda: lister.ids.__delitem__(slice(1, 4))

    assert ["b0"] == await lister.found()


@pytest.mark.anyio
async def test_list_row_that_is_left_out_in_the_middle_is_found() -> None:
    """The count reveals a gap within a page, even if only the newest few are wanted."""
    lister = Lister(*ids(3))
    lister.left_out = {0: "b1"}

    assert ids(2) == await lister.found(limit=2)


@pytest.mark.anyio
async def test_list_that_stays_incomplete_is_an_error() -> None:
    """The list is read four times, with pauses; then the error says what is missing."""
    lister = Lister(*ids(3))
    lister.cut = {-1}

    with pytest.raises(IncompleteListError) as caught:
        await lister.found()

    assert "CBR counts 3 rows, and shows 2" in str(caught.value)
    assert 4 == lister.offsets.count(0)
    assert list(pages.PAUSES_S) == lister.clock.slept


@pytest.mark.anyio
@pytest.mark.parametrize("count", [9, UNTOLD], ids=["counted", "uncounted"])
async def test_list_of_a_service_that_ignores_the_offset_is_an_error(count: object) -> None:
    """The same page again and again is not a list."""
    lister = Lister(*ids(3), count=count)
    page = {"backups": [{"id": id_} for id_ in ids(3)]}
    counted = page if count is UNTOLD else page | {"count": count}
    answer = httpx.Response(200, json=counted)
    lister.handle = lambda _: answer  # type: ignore[assignment, method-assign]

    with pytest.raises(IncompleteListError):
        await lister.found()


@pytest.mark.anyio
async def test_list_without_an_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service with ever more rows is not queried for ever."""
    monkeypatch.setattr(pages, "PAGES_LIMIT", 5)

    with pytest.raises(MalformedResponseError, match="5 pages, and no end"):
        await Lister(*ids(100)).found()


@pytest.mark.anyio
async def test_list_limit_reads_no_more_than_it_takes() -> None:
    """The limit bounds the rows, and pages after them are not requested."""
    lister = Lister(*ids(9))

    assert ids(4) == await lister.found(limit=4)
    assert [0, 2] == lister.offsets


async def replicas_are_none(api: CbrClient) -> None:
    """Conclude that a vault has no replica."""
    await find.require_no_replica(api, DESTINATION, "v", "r", "looking")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "conclude",
    [
        pytest.param(replicas_are_none, id="no-replica"),
        pytest.param(
            lambda api: find.find_copy_task(api, SOURCE, BACKUP, DESTINATION), id="no-task"
        ),
        pytest.param(
            lambda api: find.find_claimed_replicas(api, SOURCE, BACKUP, "r"), id="no-claims"
        ),
        pytest.param(
            lambda api: find.find_replica_by_checkpoint(api, DESTINATION, "v", "c"),
            id="no-replica-of-a-checkpoint",
        ),
        pytest.param(lambda api: find.find_replication_vaults(api, SOURCE), id="no-vault"),
        pytest.param(lambda api: find.find_backups(api, SOURCE), id="no-backup"),
    ],
)
async def test_list_that_lacks_rows_proves_nothing(
    conclude: Callable[[CbrClient], Awaitable[object]],
) -> None:
    """No finder concludes from an incomplete list that something is missing."""
    lister = Lister("b0")
    lister.cut = {-1}

    async with lister.client() as api:
        with pytest.raises(IncompleteListError):
            await conclude(api)
