"""Finders: one thing or none, whichever way the API expresses it."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
import pytest

from pulumi_huaweicloud_cbr.api import find, pages
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.cache import CachedApi
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    ConfigurationError,
    MalformedResponseError,
    NotFoundError,
    UnidentifiedReplicaError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings

SOURCE = ProjectScope("cn-north-4", "source-project")
DESTINATION = ProjectScope("cn-east-3", "destination-project")
VAULT = "destination-vault"
WRONG_PATH = httpx.Response(
    401, json={"unauthorized": {"code": "401", "message": "Malformed request url"}}
)
MISSING = httpx.Response(
    404, json={"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
)
FORBIDDEN = httpx.Response(403, json={"error_code": "APIGW.0302", "error_msg": "not authorized"})

_numbers = itertools.count(1)


class Cloud:
    """Responds by path and, for lists, page by page; records the requests."""

    def __init__(
        self,
        answers: dict[str, httpx.Response] | None = None,
        rows: dict[str, list[dict[str, Any]]] | None = None,
    ) -> None:
        self.answers = answers or {}
        self.rows = rows or {}
        self.requests: list[httpx.Request] = []
        settings = Settings.of(token="a-token", region="cn-north-4")
        self.api = CbrClient(
            settings,
            make_authenticator(settings, SystemClock()),
            transport=httpx.MockTransport(self.handle),
        )

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer a request by the end of its path."""
        self.requests.append(request)
        end = request.url.path.removeprefix("/v3/").partition("/")[2] or request.url.path
        if end in self.answers:
            return self.answers[end]
        key = {"operation-logs": "operation_logs"}.get(end, end)
        rows = self.rows[end]
        offset = int(request.url.params.get("offset", 0))
        limit = int(request.url.params["limit"])
        return httpx.Response(200, json={key: rows[offset : offset + limit]})

    def queries(self) -> list[dict[str, str]]:
        """Return the query of each request."""
        return [dict(request.url.params) for request in self.requests]


def make_replica(id_: str, checkpoint_id: str = "c", **changes: Any) -> dict[str, Any]:
    """Return a replica in the form of ListBackups."""
    return {
        "id": id_,
        "name": f"name-of-{id_}",
        "checkpoint_id": checkpoint_id,
        "image_type": "replication",
        **changes,
    }


def make_task(
    created_at: str | None,
    replica_id: str | None,
    *,
    source: str = "b",
    region: str = "cn-east-3",
    project: str = DESTINATION.project_id,
) -> dict[str, Any]:
    """Return a replication task in the form of ListOpLogs."""
    told = {
        "source_backup_id": source,
        "destination_backup_id": replica_id,
        "destination_region": region,
        "destination_project_id": project,
    }
    id_ = f"task-{next(_numbers)}"
    return {"id": id_, "created_at": created_at, "extra_info": {"replication": told}}


def shown(id_: str) -> httpx.Response:
    """Return a backup in the form of ShowBackup."""
    return httpx.Response(200, json={"backup": {"id": id_}})


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the page size of lists to two."""
    monkeypatch.setattr(pages, "PAGE_SIZE", 2)


# -- one thing by its id -------------------------------------------------------------------


@pytest.mark.anyio
async def test_find_backup_shown_is_returned() -> None:
    """A backup that the API returns takes one call."""
    cloud = Cloud({"backups/b": shown("b")})

    backup = await find.find_backup(cloud.api, SOURCE, "b")

    assert "b" == backup.id
    assert 1 == len(cloud.requests)


@pytest.mark.anyio
async def test_find_backup_missing_is_not_found() -> None:
    """The code for a missing backup needs no second call."""
    cloud = Cloud({"backups/b": MISSING})

    with pytest.raises(NotFoundError):
        await find.find_backup(cloud.api, SOURCE, "b")

    assert 1 == len(cloud.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("kind", ["backup", "vault"])
async def test_existing_wrong_path_and_project_answers_is_not_found(kind: str) -> None:
    """A 401 about the path means a missing id once the project has proved to answer."""
    cloud = Cloud({f"{kind}s/x": WRONG_PATH}, {"backups": []})
    look_up = find.find_backup if kind == "backup" else find.find_vault

    with pytest.raises(NotFoundError) as caught:
        await look_up(cloud.api, SOURCE, "x")

    assert "the project answers, so it is the id that does not exist" in str(caught.value)
    assert caught.value.is_unauthorized_url
    assert {"limit": "1"} == cloud.queries()[1]
    assert "/v3/source-project/backups" == cloud.requests[1].url.path


@pytest.mark.anyio
@pytest.mark.parametrize("proof", [WRONG_PATH, FORBIDDEN], ids=["wrong-path", "forbidden"])
async def test_existing_wrong_path_and_project_silent_is_an_error(proof: httpx.Response) -> None:
    """If the project does not answer either, it is unknown whether the backup exists."""
    cloud = Cloud({"backups/b": WRONG_PATH, "backups": proof})

    with pytest.raises(ApiError) as caught:
        await find.find_backup(cloud.api, SOURCE, "b")

    assert not isinstance(caught.value, NotFoundError)
    assert str(caught.value).startswith("listing backups")


@pytest.mark.anyio
async def test_find_backup_other_refusal_is_passed_on() -> None:
    """Another refusal says nothing about the id, so no request to the project follows."""
    cloud = Cloud({"backups/b": FORBIDDEN})

    with pytest.raises(ApiError) as caught:
        await find.find_backup(cloud.api, SOURCE, "b")

    assert "APIGW.0302" == caught.value.code
    assert 1 == len(cloud.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("is_there", [True, False], ids=["there", "gone"])
async def test_find_replica_by_id_keeps_the_id(is_there: bool) -> None:
    """The id is kept whether or not the replica still exists."""
    cloud = Cloud({"backups/r": shown("r") if is_there else MISSING})

    replica = await find.find_replica_by_id(cloud.api, DESTINATION, "r")

    assert "r" == replica.backup_id
    assert is_there is not replica.is_gone


# -- lists (see also test_pages.py) -------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.usefixtures("small_pages")
async def test_find_replica_by_checkpoint_is_found_on_a_later_page() -> None:
    """The replica of a restore point is found at any position in the list."""
    rows = [make_replica("x", "other"), make_replica("y", "c", image_type="backup")]
    cloud = Cloud(rows={"backups": [*rows, make_replica("z")]})

    replica = await find.find_replica_by_checkpoint(cloud.api, DESTINATION, "v", "c")

    assert "z" == replica.backup_id
    expected = {"image_type": "replication", "vault_id": "v", "checkpoint_id": "c", "limit": "2"}
    assert expected == cloud.queries()[0]


@pytest.mark.anyio
async def test_find_replica_by_checkpoint_filter_ignored_is_not_fooled() -> None:
    """Rows that do not match are ignored, even if the API did not filter."""
    rows = [make_replica("x", "other"), make_replica("y", image_type="backup")]
    cloud = Cloud(rows={"backups": rows})

    replica = await find.find_replica_by_checkpoint(cloud.api, DESTINATION, "v", "c")

    assert replica.is_gone
    assert replica.backup_id is None


# -- the operation log ---------------------------------------------------------------------


@pytest.mark.anyio
async def test_find_copy_task_newest_comes_first() -> None:
    """Of several tasks that match the newest is used, in whatever order they are listed."""
    tasks = [
        make_task("2026-11-20T08:00:00", "old"),
        make_task("2026-11-22T08:00:00", "new"),
        make_task("2026-11-21T08:00:00", "middle"),
        make_task(None, "undated"),
    ]
    cloud = Cloud(rows={"operation-logs": tasks})

    task = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION)

    assert task is not None
    assert "new" == task.replication.destination_backup_id
    assert "/v3/source-project/operation-logs" == cloud.requests[0].url.path
    assert [{"limit": "1000", "operation_type": "replication"}] == cloud.queries()


@pytest.mark.anyio
async def test_find_copy_task_of_a_resource_asks_for_its_log_alone() -> None:
    """One request shows its tasks of all types, those of earlier versions of CBR too."""
    old = {**make_task("2026-11-20T08:00:00", "r"), "operation_type": "copy"}
    cloud = Cloud(rows={"operation-logs": [{"id": "t", "operation_type": "backup"}, old]})

    task = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION, "server")

    assert task is not None
    assert "r" == task.replication.destination_backup_id
    assert [{"limit": "1000", "resource_id": "server"}] == cloud.queries()


@pytest.mark.anyio
async def test_find_copy_task_without_a_resource_asks_for_both_types() -> None:
    """Earlier versions of CBR call the task of a replication ``copy``."""
    cloud = Cloud(rows={"operation-logs": []})

    assert await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION) is None
    assert () == await find.find_copy_tasks(cloud.api, SOURCE)

    asked = [query["operation_type"] for query in cloud.queries()]
    assert ["replication", "copy"] * 2 == asked


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("region", "project", "is_found"),
    [
        ("cn-east-3", DESTINATION.project_id, True),
        ("eastchina", DESTINATION.project_id, True),
        (None, DESTINATION.project_id, True),
        ("eastchina", "other", False),
        ("eastchina", None, False),
        ("cn-south-1", DESTINATION.project_id, False),
    ],
)
async def test_find_copy_task_by_the_project_if_the_region_has_another_name(
    region: str | None, project: str | None, is_found: bool
) -> None:
    """A project belongs to one region. Another id of a region is another region."""
    task = make_task("2026", "r")
    task["extra_info"]["replication"] |= {
        "destination_region": region,
        "destination_project_id": project,
    }
    cloud = Cloud(rows={"operation-logs": [task]})

    found = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION)

    assert is_found is (found is not None)


@pytest.mark.anyio
async def test_find_copy_task_newest_is_the_latest_moment() -> None:
    """The log may write zones, and then the latest text is not the latest time."""
    tasks = [
        make_task("2026-11-20T08:00:00+08:00", "old"),
        make_task("2026-11-20T01:00:00Z", "new"),
    ]
    cloud = Cloud(rows={"operation-logs": tasks})

    task = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION)

    assert task is not None
    assert "new" == task.replication.destination_backup_id


@pytest.mark.anyio
@pytest.mark.usefixtures("small_pages")
async def test_find_copy_task_is_found_on_a_later_page() -> None:
    """The log is read until a task matches."""
    foreign = [make_task("2026-11-22T08:00:00", "x", source="other") for _ in range(4)]
    tasks = [*foreign, make_task("2026-11-20T08:00:00", "r")]
    cloud = Cloud(rows={"operation-logs": tasks})

    task = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION)

    assert task is not None
    assert "r" == task.replication.destination_backup_id
    assert [None, "1", "2", "3"] == [query.get("offset") for query in cloud.queries()]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "expected"),
    [("waiting", "newest"), ("running", "newest"), ("skipped", "older"), ("failed", "older")],
)
async def test_find_copy_task_unnamed_counts_while_it_is_under_way(
    status: str, expected: str
) -> None:
    """A task that names no replica yet counts; one that ended without a replica does not."""
    newest = {**make_task("2026-11-22T08:00:00", None), "id": "newest", "status": status}
    older = {**make_task("2026-11-20T08:00:00", "r"), "id": "older", "status": "success"}
    cloud = Cloud(rows={"operation-logs": [newest, older]})

    task = await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION)

    assert task is not None
    assert expected == task.id


@pytest.mark.anyio
@pytest.mark.parametrize(
    "tasks",
    [
        pytest.param([], id="none"),
        pytest.param([make_task("2026", "r", source="other")], id="other-source"),
        pytest.param([make_task("2026", "r", region="cn-south-1")], id="other-region"),
        pytest.param([make_task("2026", "r", project="other")], id="other-project"),
        pytest.param([make_task("2026", None)], id="no-replica-named"),
        pytest.param([{"id": "t", "extra_info": None}], id="other-task"),
    ],
)
async def test_find_copy_task_no_match_is_none(tasks: list[dict[str, Any]]) -> None:
    """A log without a copy of this backup to this project gives no result."""
    cloud = Cloud(rows={"operation-logs": tasks})

    assert await find.find_copy_task(cloud.api, SOURCE, "b", DESTINATION) is None


@pytest.mark.anyio
async def test_find_claimed_replicas_are_those_of_other_backups() -> None:
    """Replicas in the records or tasks of other backups are theirs, and not the one wanted."""

    def backup(id_: str, *replica_ids: str | None) -> dict[str, Any]:
        records = [
            {"id": f"of-{replica}", "status": "success", "destination_backup_id": replica}
            for replica in replica_ids
        ]
        return {"id": id_, "replication_records": records}

    rows = [backup("b", "ours"), backup("c", "r1", None), backup("d", "r2"), {"id": "e"}]
    tasks = [
        make_task("2026", "r3", source="gone"),
        make_task("2026", None, source="gone"),
        make_task("2026", "ours-too"),
        {"id": "t", "extra_info": None},
    ]
    cloud = Cloud(rows={"backups": rows, "operation-logs": tasks})

    claimed = await find.find_claimed_replicas(cloud.api, SOURCE, "b", "server")

    assert {"r1", "r2", "r3"} == claimed
    expected = {"image_type": "backup", "resource_id": "server", "show_replication": "true"}
    assert [
        {**expected, "limit": "1000"},
        {"resource_id": "server", "limit": "1000"},
    ] == cloud.queries()


# -- what nothing names any more -----------------------------------------------------------


@pytest.mark.anyio
async def test_require_no_replica_none_of_the_resource_passes() -> None:
    """A vault without replicas of the same resource cannot contain the one wanted."""
    cloud = Cloud(rows={"backups": []})

    await find.require_no_replica(cloud.api, DESTINATION, "v", "server", "looking")

    expected = {"image_type": "replication", "vault_id": "v", "resource_id": "server"}
    assert {**expected, "limit": "1000"} == cloud.queries()[0]


@pytest.mark.anyio
async def test_require_no_replica_candidates_are_named() -> None:
    """Any replica of the same resource could be it: five are named, none is chosen."""
    cloud = Cloud(rows={"backups": [make_replica(f"r{number}") for number in range(7)]})

    with pytest.raises(UnidentifiedReplicaError) as caught:
        await find.require_no_replica(cloud.api, DESTINATION, "v", None, "looking for it")

    assert str(caught.value).startswith("looking for it: ")
    assert "holds 7 replicas" in str(caught.value)
    assert "'name-of-r4' (r4)" in str(caught.value)
    assert "r5" not in str(caught.value)
    assert "resource_id" not in cloud.queries()[0]


@pytest.mark.anyio
async def test_require_no_replica_claimed_ones_do_not_count() -> None:
    """A replica that is known to be another backup's cannot be the one wanted."""
    cloud = Cloud(rows={"backups": [make_replica("r1"), make_replica("r2")]})

    await find.require_no_replica(
        cloud.api, DESTINATION, "v", "server", "looking", frozenset({"r1", "r2"})
    )


# -- projects and regions ------------------------------------------------------------------


@pytest.mark.anyio
async def test_find_project_id_one_of_that_name_is_it() -> None:
    """The project with exactly the region's name is used, not one with it as a prefix."""
    projects = [{"id": "p1", "name": "cn-north-4_team"}, {"id": "p2", "name": "cn-north-4"}]
    cloud = Cloud({"/v3/projects": httpx.Response(200, json={"projects": projects})})

    assert "p2" == await find.find_project_id(cloud.api, "cn-north-4")


@pytest.mark.anyio
async def test_find_project_tells_the_account() -> None:
    """A project contains the id of its account."""
    projects = [{"id": "p1", "name": "cn-north-4", "domain_id": "d1"}]
    cloud = Cloud({"/v3/projects": httpx.Response(200, json={"projects": projects})})

    assert "d1" == (await find.find_project(cloud.api, "cn-north-4")).domain_id


@pytest.mark.anyio
async def test_find_replication_vaults_are_asked_for_and_made_sure_of() -> None:
    """Vaults of another type are left out, even if the service does not filter; all pages are
    read."""
    of_replicas = [{"id": f"v{number}"} for number in range(1000)]
    others = [
        {"id": "b", "billing": {"protect_type": "backup"}},
        {"id": "r", "billing": {"protect_type": "replication"}},
    ]
    cloud = Cloud(rows={"vaults": of_replicas + others})

    vaults = await find.find_replication_vaults(cloud.api, SOURCE)

    assert [*(row["id"] for row in of_replicas), "r"] == [vault.id for vault in vaults]
    assert [
        {"limit": "1000", "protect_type": "replication"},
        {"limit": "1000", "offset": "999", "protect_type": "replication"},
    ] == cloud.queries()


@pytest.mark.anyio
@pytest.mark.parametrize("count", [0, 2])
async def test_find_project_id_none_or_several_is_refused(count: int) -> None:
    """If no project or several have the name, the user has to choose."""
    projects = [{"id": f"p{number}", "name": "cn-north-4"} for number in range(count)]
    cloud = Cloud({"/v3/projects": httpx.Response(200, json={"projects": projects})})

    with pytest.raises(ConfigurationError, match=f"found {count} of that name"):
        await find.find_project_id(cloud.api, "cn-north-4")


@pytest.mark.anyio
async def test_find_destinations_is_of_the_region_itself() -> None:
    """Only the row of the scope's own region lists its destinations."""
    regions = [
        {"name": "cn-north-4", "replication_destinations": ["cn-east-3", "cn-south-1"]},
        {"name": "cn-north-1", "replication_destinations": ["cn-east-2"]},
    ]
    answer = httpx.Response(200, json={"regions": regions})
    cloud = Cloud({"replication-capabilities": answer})

    found = await find.find_destinations(cloud.api, SOURCE)

    assert frozenset({"cn-east-3", "cn-south-1"}) == found


@pytest.mark.anyio
@pytest.mark.parametrize(
    "regions",
    [
        [],
        [{"name": "southchina", "replication_destinations": ["cn-east-3"]}],
        [{"name": "cn-north-4", "replication_destinations": None}],
        [{"name": "cn-north-4", "replication_destinations": ["cn-east-3", "southchina"]}],
        [{"name": "cn-north-4", "replication_destinations": ["cn-east-3", 7]}],
    ],
)
async def test_find_destinations_under_another_name_is_not_known(
    regions: list[dict[str, Any]],
) -> None:
    """The reference's own sample has a name that is no region id: unknown is not "no"."""
    cloud = Cloud({"replication-capabilities": httpx.Response(200, json={"regions": regions})})

    assert await find.find_destinations(cloud.api, SOURCE) is None


# -- records -------------------------------------------------------------------------------


def make_record(id_: str, created_at: str | None, region: str = "cn-east-3") -> ReplicationRecord:
    """Return a record in the form in which the source backup lists it."""
    return ReplicationRecord(
        id=id_, status="success", created_at=created_at, destination_region=region
    )


def test_records_for_place_newest_comes_first() -> None:
    """Records for other regions are left out, and those without a date come last."""
    records = (
        make_record("undated", None),
        make_record("old", "2026-11-20T08:00:00"),
        make_record("elsewhere", "2026-11-23T08:00:00", "cn-south-1"),
        make_record("new", "2026-11-21T08:00:00"),
    )
    source = Backup(id="b", replication_records=records)

    found = find.records_for_place(source, DESTINATION, VAULT)

    assert ["new", "old", "undated"] == [record.id for record in found]


def test_records_for_place_are_sorted_by_moments() -> None:
    """As texts, the order would be another one: the zones and the forms differ."""
    records = (
        make_record("second", "2026-11-20T02:00:00.5Z"),
        make_record("first", "2026-11-20T09:59:59+08:00"),
        make_record("third", "2026-11-19T21:00:02-05:00"),
    )
    source = Backup(id="b", replication_records=records)

    found = find.records_for_place(source, DESTINATION, VAULT)

    assert ["third", "second", "first"] == [record.id for record in found]


@pytest.mark.parametrize(
    ("place", "is_there"),
    [
        ({"destination_region": "cn-east-3", "destination_vault_id": "other"}, True),
        ({"destination_region": "cn-south-1", "destination_vault_id": VAULT}, False),
        ({"destination_region": "eastchina", "destination_vault_id": VAULT.upper()}, True),
        (
            {
                "destination_region": "eastchina",
                "destination_vault_id": "other",
                "destination_project_id": DESTINATION.project_id,
            },
            True,
        ),
        (
            {
                "destination_region": "eastchina",
                "destination_vault_id": "other",
                "destination_project_id": "other",
            },
            False,
        ),
        ({"destination_vault_id": VAULT, "destination_project_id": "other"}, True),
        ({"destination_project_id": "other"}, False),
        # It may be a copy to any region.
        ({"destination_region": "eastchina"}, True),
        ({}, True),
    ],
)
def test_records_for_place_by_vault_and_project(place: dict[str, Any], is_there: bool) -> None:
    """An id of a region decides. Under another name, the vault or the project does."""
    record = ReplicationRecord(id="r", **place)
    source = Backup(id="b", replication_records=(record,))

    assert is_there is bool(find.records_for_place(source, DESTINATION, VAULT))


@pytest.mark.anyio
async def test_find_backups_with_a_row_that_cannot_be_read_is_an_error() -> None:
    """The list does not tell what exists. Each of the others can be read by itself."""
    cloud = Cloud(rows={"backups": [make_replica("r"), {"id": None}]})

    with pytest.raises(MalformedResponseError, match=r"1 row cannot be read"):
        await find.find_backups(cloud.api, DESTINATION)
    with pytest.raises(MalformedResponseError):
        await find.find_replica_by_checkpoint(cloud.api, DESTINATION, VAULT, "unknown")
    replica = await find.find_replica_by_checkpoint(cloud.api, DESTINATION, VAULT, "c")
    assert "r" == replica.backup_id


@pytest.mark.anyio
async def test_find_statuses_is_asked_once_for_all() -> None:
    """Many members ask about other copies of their backups at the same time."""
    cloud = Cloud(rows={"backups": [make_replica("r", status="deleting")]})
    api = CachedApi(cloud.api)

    found = [await find.find_statuses(each, DESTINATION, VAULT) for each in (api, api, api.fresh)]

    assert [{"r": "deleting"}] * 3 == found
    assert [{"limit": "1000", "vault_id": VAULT}] == cloud.queries()


@pytest.mark.parametrize("listed", [None, ()], ids=["null", "empty"])
def test_find_record_none_listed_is_none(listed: tuple[ReplicationRecord, ...] | None) -> None:
    """A backup that lists no records does not have this one either."""
    assert find.find_record(Backup(id="b", replication_records=listed), "x") is None


def test_find_record_listed_is_returned() -> None:
    """A record is found by its id."""
    record = make_record("new", None)
    source = Backup(id="b", replication_records=(make_record("old", None), record))

    assert record == find.find_record(source, "new")
