"""Vaults, of the own and of another region, and possible destinations."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.rig import (
    FILE_VAULT,
    PROJECT,
    REGION,
    SOURCE_REGION,
    SOURCE_VAULT,
    SUBPROJECT,
    SUBPROJECT_VAULT,
    THIRD_REGION,
    UNKNOWN_ID,
    VAULT,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio

# CBR API reference, ShowVault, billing.
BILLING = """
    size used allocated status protect_type object_type consistent_level charging_mode cloud_type
    spec_code order_id product_id storage_unit frozen_scene is_multi_az
"""


async def names(caller: Caller, path: str, **query: Any) -> list[str]:
    """Return the names of the vaults that a query finds."""
    return [row["name"] for row in (await caller.get(path, **query))["vaults"]]


async def test_show_vault_known_id_has_size_in_gb_and_use(destination: Caller) -> None:
    """A vault shows its kind, its size and its use."""
    vault = (await destination.get(f"/vaults/{VAULT}"))["vault"]

    assert ("dr-replicas", PROJECT) == (vault["name"], vault["project_id"])
    assert set(BILLING.split()) == set(vault["billing"])
    assert (1000, 0) == (vault["billing"]["size"], vault["billing"]["used"])
    assert "vault.replication.server.normal" == vault["billing"]["spec_code"]
    assert "0daac4c5-6707-4851-97ba-169e36266b66" == vault["provider_id"]


async def test_show_vault_use_is_the_size_of_its_backups(source: Caller) -> None:
    """A vault uses at least the size of its backups, in MB."""
    vault = (await source.get(f"/vaults/{SOURCE_VAULT}"))["vault"]
    listed = (await source.get("/backups", vault_id=SOURCE_VAULT))["backups"]

    assert sum(row["resource_size"] for row in listed) * 1024 == vault["billing"]["used"]


async def test_show_vault_of_disks_is_called_volume(source: Caller) -> None:
    """The specification of a disk vault says volume."""
    (vault,) = (await source.get("/vaults", object_type="disk"))["vaults"]

    assert "vault.backup.volume.normal" == vault["billing"]["spec_code"]
    assert "d1603440-187d-4516-af25-121250c7cc97" == vault["provider_id"]


@pytest.mark.parametrize("vault_id", [UNKNOWN_ID, SOURCE_VAULT], ids=["unknown", "other project"])
async def test_show_vault_not_of_project_is_not_found(destination: Caller, vault_id: str) -> None:
    """A vault is found only in its own project."""
    response = await destination.call("GET", f"/vaults/{vault_id}")

    assert (404, "BackupService.6105") == code_of(response)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "dr-full"}, ["dr-full"]),
        ({"id": [VAULT, FILE_VAULT]}, ["dr-files", "dr-replicas"]),
        ({"protect_type": "backup"}, ["not-for-replicas"]),
        ({"object_type": "turbo"}, ["dr-files"]),
        ({"status": "frozen"}, ["dr-frozen"]),
        ({"cloud_type": "hybrid"}, []),
        ({"policy_id": UNKNOWN_ID}, []),
        ({"resource_ids": UNKNOWN_ID}, []),
        ({"enterprise_project_id": UNKNOWN_ID}, []),
        ({"limit": 2, "offset": 1}, ["dr-frozen", "dr-full"]),
    ],
    ids=str,
)
async def test_list_vaults_filter_finds_what_fits(
    destination: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    """Each filter narrows the list."""
    assert expected == await names(destination, "/vaults", **query)


async def test_list_vaults_resource_is_found_where_its_backups_are(source: Caller) -> None:
    """A vault is found by the resources that it protects."""
    erp = "2d3e5f89-4ed2-411f-801f-21d70f3362de"

    assert ["prod-servers"] == await names(source, "/vaults", resource_ids=f"{UNKNOWN_ID},{erp}")


@pytest.mark.parametrize(
    "query",
    [
        {"protect_type": "hybrid"},
        {"object_type": "servers"},
        {"status": "fine"},
        {"cloud_type": "private"},
        {"limit": 0},
        {"offset": "x"},
        {"vault_id": VAULT},
    ],
    ids=str,
)
async def test_list_vaults_bad_query_is_refused(destination: Caller, query: dict[str, Any]) -> None:
    """A wrong value and an unknown parameter are refused with 9900."""
    response = await destination.call("GET", "/vaults", params=query)

    assert (400, "BackupService.9900") == code_of(response)
    assert next(iter(query)) in response.json()["error_msg"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"vault_id": VAULT}, ["dr-replicas"]),
        ({"vault_id": VAULT, "protect_type": "backup"}, ["dr-replicas"]),
        ({"protect_type": "backup"}, ["not-for-replicas"]),
        ({"objcet_type": "turbo"}, ["dr-files"]),
        ({"object_type": "turbo"}, ["dr-files"]),
        ({"object_type": "turbo", "objcet_type": "turbo"}, ["dr-files"]),
        ({"object_type": "turbo", "objcet_type": "server"}, []),
        ({"cloud_type": "hybrid"}, []),
        ({"external_project_id": SUBPROJECT}, ["dr-subproject"]),
        ({"vault_id": SUBPROJECT_VAULT}, []),
        ({"region_id": THIRD_REGION}, []),
    ],
    ids=str,
)
async def test_list_external_vaults_seen_from_source(
    source: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    """The source lists the destination's vaults; an id overrides other filters."""
    wanted = {"external_project_id": PROJECT, "region_id": REGION, **query}

    assert expected == await names(source, "/vaults/external", **wanted)


@pytest.mark.parametrize(
    "query",
    [
        {"region_id": REGION},
        {"external_project_id": PROJECT},
        {"external_project_id": PROJECT, "region_id": REGION, "object_type": "turbos"},
        {"external_project_id": PROJECT, "region_id": REGION, "objectType": "turbo"},
    ],
    ids=str,
)
async def test_list_external_vaults_bad_query_is_refused(
    source: Caller, query: dict[str, Any]
) -> None:
    """Project and region are required, and filters have the documented names and values."""
    response = await source.call("GET", "/vaults/external", params=query)

    assert (400, "BackupService.9900") == code_of(response)


async def test_capabilities_are_those_of_the_local_region(source: Caller) -> None:
    """A region lists its destinations."""
    expected = {
        "name": SOURCE_REGION,
        "replication_destinations": ["cn-east-3", "cn-south-1", "cn-southwest-2"],
    }

    assert {"regions": [expected]} == await source.get("/replication-capabilities")
