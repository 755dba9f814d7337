"""Backups: showing, listing, renaming and deleting them."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Control, InProcessSimulator
from tests.simulator.rig import (
    BROKEN_BACKUP,
    FILE_BACKUP,
    LONG_S,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_VAULT,
    UNFINISHED_BACKUP,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio


# CBR API reference, ShowBackup: required fields, and further ones in the samples.
ALWAYS = """
    id name description project_id vault_id checkpoint_id parent_id image_type status resource_id
    resource_name resource_type resource_size resource_az provider_id created_at updated_at
    protected_at expired_at extend_info children enterprise_project_id incremental version
"""


async def names(caller: Caller, **query: Any) -> list[str]:
    """Return the names of the backups that a query finds."""
    return [row["name"] for row in (await caller.get("/backups", **query))["backups"]]


# -- one ----------------------------------------------------------------------------------------


async def test_show_backup_known_id_has_all_documented_fields(source: Caller) -> None:
    """A backup has every documented field, and its records."""
    backup = await source.show(SERVER_BACKUP)

    assert {*ALWAYS.split(), "replication_records"} == set(backup)
    assert ("erp-db-01", 120) == (backup["resource_name"], backup["resource_size"])
    assert "2026-11-20T02:00:11.905331" == backup["created_at"]
    assert "2026-12-20T02:00:11.900120" == backup["expired_at"]
    assert backup["extend_info"]["contain_system_disk"] is True
    assert [] == backup["replication_records"]


@pytest.mark.parametrize(
    ("backup_id", "provider_id"),
    [
        (SERVER_BACKUP, "0daac4c5-6707-4851-97ba-169e36266b66"),
        (FILE_BACKUP, "3f3c3220-245c-4805-b811-758870015881"),
    ],
)
async def test_show_backup_kind_of_resource_gives_provider_id(
    source: Caller, backup_id: str, provider_id: str
) -> None:
    """The provider id shows the kind of resource that was backed up."""
    assert provider_id == (await source.show(backup_id))["provider_id"]


@pytest.mark.parametrize("backup_id", [UNKNOWN_ID, "not-a-uuid"])
@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_backup_unknown_id_is_not_found(source: Caller, method: str, backup_id: str) -> None:
    """An id that does not exist is refused with 6200."""
    response = await source.call(method, f"/backups/{backup_id}")

    assert (404, "BackupService.6200") == code_of(response)


async def test_backup_of_other_project_is_not_found(destination: Caller) -> None:
    """A backup is found only in its own project."""
    response = await destination.call("GET", f"/backups/{SERVER_BACKUP}")

    assert (404, "BackupService.6200") == code_of(response)


async def test_backup_unknown_id_is_malformed_url_if_configured(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """Some callers have received the 401 of a wrong project for a deleted id."""
    simulator.world.options.missing_backup = "401"
    response = await source.call("GET", f"/backups/{UNKNOWN_ID}")

    assert 401 == response.status_code
    assert "Malformed request url" == response.json()["unauthorized"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", f"/backups/{SERVER_BACKUP}"),
        ("POST", "/backups"),
        ("GET", f"/backups/{SERVER_BACKUP}/"),
        ("GET", "/organisation-policies"),
    ],
)
async def test_route_unknown_is_refused_by_gateway(source: Caller, method: str, path: str) -> None:
    """A path or method that is not in the API never reaches CBR."""
    assert (404, "APIGW.0101") == code_of(await source.call(method, path))


# -- lists --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status": "error"}, ["broken"]),
        ({"status": ["error", "protecting"]}, ["broken", "in-the-making"]),
        ({"status": "error,protecting"}, ["broken", "in-the-making"]),
        ({"image_type": "replication"}, ["a-replica"]),
        ({"resource_type": "OS::Sfs::Turbo"}, ["autobk_b052"]),
        ({"resource_name": "erp-db-01"}, ["autobk_7c1e", "manualbk_af41"]),
        (
            {"resource_id": "2d3e5f89-4ed2-411f-801f-21d70f3362de"},
            ["autobk_7c1e", "manualbk_af41"],
        ),
        ({"name": "autobk_8d2f"}, ["autobk_8d2f"]),
        ({"name": "autobk"}, []),
        (
            {"name": "autobk_8d2f", "existed_quantity_based_retention_backups": "true"},
            ["autobk_8d2f"],
        ),
        ({"vault_id": UNKNOWN_ID}, []),
        ({"vault_id": SOURCE_VAULT, "status": "error"}, ["broken"]),
        ({"checkpoint_id": UNKNOWN_ID}, []),
        ({"parent_id": SERVER_BACKUP}, []),
        ({"resource_az": "elsewhere"}, []),
        ({"enterprise_project_id": UNKNOWN_ID}, []),
        ({"own_type": "shared"}, []),
        ({"used_percent": "99"}, []),
        ({"end_time": "2026-11-20T01:00:00Z"}, ["manualbk_af41"]),
        (
            {"start_time": "2026-11-20T02:05:00Z", "end_time": "2026-11-20T02:30:00Z"},
            ["autobk_8d2f", "autobk_9e30"],
        ),
    ],
    ids=str,
)
async def test_list_backups_filter_finds_what_fits(
    source: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    """Each filter narrows the list."""
    assert expected == sorted(await names(source, **query))


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 1001},
        {"limit": "many"},
        {"offset": -1},
        {"sort": "size"},
        {"sort": "name:down"},
        {"show_replication": "yes"},
        {"image_type": "sync"},
        {"status": "replicating"},
        {"status": ["error", "gone"]},
        {"resource_type": "server"},
        {"start_time": "yesterday"},
        {"own_type": "mine"},
        {"member_status": "maybe"},
        {"used_percent": 101},
        {"incremental": "perhaps"},
        {"existed_quantity_based_retention_backups": "few"},
        {"source_backup_id": SERVER_BACKUP},
    ],
    ids=str,
)
async def test_list_backups_bad_query_is_refused(source: Caller, query: dict[str, Any]) -> None:
    """A wrong value and an unknown parameter are refused with 9900."""
    response = await source.call("GET", "/backups", params=query)

    assert (400, "BackupService.9900") == code_of(response)
    assert next(iter(query)) in response.json()["error_msg"]


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("created_at", ["autobk_9e30", "autobk_8d2f"]),
        ("created_at:asc", ["manualbk_af41", "autobk_7c1e"]),
        ("name:asc", ["a-replica", "autobk_7c1e"]),
        ("status:desc,name", ["in-the-making", "broken"]),
        ("protected_at,name:asc", ["a-replica", "autobk_7c1e"]),
    ],
)
async def test_list_backups_sort_orders(source: Caller, sort: str, expected: list[str]) -> None:
    """Keys are applied in turn, in descending order by default."""
    assert expected == await names(source, sort=sort, limit=2)


async def test_list_backups_offset_pages_are_complete(source: Caller) -> None:
    """Pages by offset contain each backup once. The count is that of all."""
    pages = [await source.get("/backups", limit=4, offset=offset) for offset in (0, 4, 8, 12)]

    found = [row["id"] for page in pages for row in page["backups"]]
    assert [4, 4, 3, 0] == [len(page["backups"]) for page in pages]
    assert {11} == {page["count"] for page in pages}
    assert 11 == len(set(found))


async def test_list_backups_marker_continues_after_it(source: Caller) -> None:
    """A page by marker begins after the row with that id."""
    everything = await source.get("/backups")
    ids = [row["id"] for row in everything["backups"]]
    page = await source.get("/backups", marker=ids[3], limit=2)

    assert ids[4:6] == [row["id"] for row in page["backups"]]


async def test_list_backups_records_come_on_demand(source: Caller) -> None:
    """A list contains records only on request."""
    await source.begin_copy()
    ((plain,), (shown,)) = [
        (await source.get("/backups", name="autobk_7c1e", show_replication=flag))["backups"]
        for flag in ("false", "true")
    ]

    assert "replication_records" not in plain
    assert 1 == len(shown["replication_records"])


# -- renaming -----------------------------------------------------------------------------------


async def test_update_backup_name_is_changed(source: Caller) -> None:
    """A backup is renamed, and returned completely."""
    response = await source.call(
        "PUT", f"/backups/{SMALL_BACKUP}", json={"backup": {"name": "web-nightly"}}
    )

    assert 200 == response.status_code
    assert "web-nightly" == response.json()["backup"]["name"]
    assert response.json()["backup"] == await source.show(SMALL_BACKUP)
    assert "2026-11-20T08:00:00.000000" == response.json()["backup"]["updated_at"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"backup": {}},
        {"backup": {"name": ""}},
        {"backup": {"name": "x" * 65}},
        {"backup": {"name": "with space"}},
        {"backup": {"name": 7}},
        {"backup": {"name": None}},
        {"backup": {"name": "x", "description": "y"}},
    ],
    ids=str,
)
async def test_update_backup_bad_body_is_refused(source: Caller, body: dict[str, Any]) -> None:
    """Only the name can be changed, within its limits."""
    response = await source.call("PUT", f"/backups/{SMALL_BACKUP}", json=body)

    assert (400, "BackupService.9900") == code_of(response)
    assert "autobk_8d2f" == (await source.show(SMALL_BACKUP))["name"]


async def test_update_backup_body_that_is_no_json_is_refused(source: Caller) -> None:
    """An unreadable body is an invalid parameter too."""
    response = await source.call("PUT", f"/backups/{SMALL_BACKUP}", content='{"backup": {')

    assert (400, "BackupService.9900") == code_of(response)


# -- deleting -----------------------------------------------------------------------------------


async def test_delete_backup_takes_a_while_then_is_gone(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A deletion is accepted immediately, takes a while, and ends with an unknown id."""
    accepted = await source.call("DELETE", f"/backups/{SMALL_BACKUP}")
    meanwhile = await source.show(SMALL_BACKUP)
    simulator.clock.advance(simulator.world.options.deletion_seconds)
    later = await source.call("GET", f"/backups/{SMALL_BACKUP}")

    assert (204, b"") == (accepted.status_code, accepted.content)
    assert "deleting" == meanwhile["status"]
    assert (404, "BackupService.6200") == code_of(later)


async def test_delete_backup_again_meanwhile_changes_nothing(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A second deletion meanwhile is accepted, and does not start again."""
    await source.call("DELETE", f"/backups/{SMALL_BACKUP}")
    simulator.clock.advance(simulator.world.options.deletion_seconds / 2)
    again = await source.call("DELETE", f"/backups/{SMALL_BACKUP}")
    simulator.clock.advance(simulator.world.options.deletion_seconds / 2)
    later = await source.call("DELETE", f"/backups/{SMALL_BACKUP}")

    assert 204 == again.status_code
    assert (404, "BackupService.6200") == code_of(later)


async def test_delete_backup_in_error_is_accepted(source: Caller) -> None:
    """A broken backup can be deleted."""
    assert 204 == (await source.call("DELETE", f"/backups/{BROKEN_BACKUP}")).status_code


async def test_delete_incomplete_backup_is_refused(source: Caller) -> None:
    """An incomplete backup cannot be deleted."""
    response = await source.call("DELETE", f"/backups/{UNFINISHED_BACKUP}")

    assert (400, "BackupService.6201") == code_of(response)


async def test_delete_backup_in_vault_being_deleted_is_refused(
    control: Control, source: Caller
) -> None:
    """A vault that is being deleted deletes its backups itself."""
    control.change_vault(SOURCE_VAULT, status="deleting")
    response = await source.call("DELETE", f"/backups/{SMALL_BACKUP}")

    assert (400, "BackupService.6201") == code_of(response)


@pytest.mark.parametrize("waited_s", [0, 800], ids=["waiting_protect", "protecting"])
async def test_delete_replica_being_received_is_refused(
    simulator: InProcessSimulator, source: Caller, destination: Caller, waited_s: int
) -> None:
    """A replica cannot be deleted before its copy has ended."""
    await source.begin_copy()
    simulator.clock.advance(waited_s)
    (replica,) = (await destination.get("/backups", vault_id=VAULT))["backups"]
    response = await destination.call("DELETE", f"/backups/{replica['id']}")

    assert (400, "BackupService.6201") == code_of(response)


async def test_delete_backup_being_copied_is_refused(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A source is in use until its copy ends."""
    await source.begin_copy()
    meanwhile = await source.call("DELETE", f"/backups/{SERVER_BACKUP}")
    simulator.clock.advance(LONG_S)
    afterwards = await source.call("DELETE", f"/backups/{SERVER_BACKUP}")

    assert (400, "BackupService.6216") == code_of(meanwhile)
    assert 204 == afterwards.status_code


async def test_delete_source_replica_stays(
    simulator: InProcessSimulator, control: Control, source: Caller, destination: Caller
) -> None:
    """A replica outlives its source; the records do not."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    await source.call("DELETE", f"/backups/{SERVER_BACKUP}")
    simulator.clock.advance(LONG_S)
    (replica,) = (await destination.get("/backups", vault_id=VAULT))["backups"]

    assert "available" == replica["status"]
    assert [] == control.records()


async def test_delete_replica_frees_its_space_and_keeps_record(
    simulator: InProcessSimulator, source: Caller, destination: Caller
) -> None:
    """Deleting a replica frees the vault, and leaves the source and its record."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    replica_id = (await source.record())["destination_backup_id"]
    before = (await destination.get(f"/vaults/{VAULT}"))["vault"]["billing"]["used"]
    await destination.call("DELETE", f"/backups/{replica_id}")
    simulator.clock.advance(LONG_S)
    after = (await destination.get(f"/vaults/{VAULT}"))["vault"]["billing"]["used"]

    assert (120 * 1024, 0) == (before, after)
    assert "success" == (await source.record())["status"]


async def test_requests_carry_a_request_id(source: Caller) -> None:
    """Answers and refusals have an id for support."""
    for path in ("/backups", f"/backups/{UNKNOWN_ID}"):
        assert 32 == len((await source.call("GET", path)).headers["X-Request-Id"])
