"""The features of a region, below `/cbr-features`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.rig import SOURCE_REGION, THIRD_PROJECT, THIRD_REGION, Caller, code_of, sign_in

pytestmark = pytest.mark.anyio


async def test_features_are_those_of_the_local_region(source: Caller) -> None:
    """The service tells its region's own name, and where it copies to."""
    features = await source.get("/cbr-features")

    assert {
        "replication.enable": True,
        "replication.source_region": SOURCE_REGION,
        "replication.destination_regions": ["cn-east-3", "cn-south-1", "cn-southwest-2"],
        "replication.destination_dgw_regions": [],
        "features.backup_double_az": False,
    } == features


async def test_features_of_a_region_that_copies_nowhere(source: Caller) -> None:
    """A region without destinations says that it does not copy."""
    caller = await sign_in(source.client, THIRD_PROJECT)
    features = await caller.get("/cbr-features", limit=5, offset=0)

    assert (False, THIRD_REGION, []) == tuple(
        features[f"replication.{key}"] for key in ("enable", "source_region", "destination_regions")
    )


async def test_feature_is_shown_by_its_key(source: Caller) -> None:
    """One feature is shown like the same one in the list."""
    key = "replication.source_region"

    assert {key: SOURCE_REGION} == await source.get(f"/cbr-features/{key}")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/cbr-features/replication", {}),
        ("/cbr-features", {"limit": 0}),
        ("/cbr-features", {"offset": 1001}),
        ("/cbr-features/replication.enable", {"key": "x"}),
    ],
    ids=str,
)
async def test_features_bad_request_is_refused(
    source: Caller, path: str, query: dict[str, Any]
) -> None:
    """An unknown key is 400, not 404."""
    response = await source.call("GET", path, params=query)

    assert (400, "BackupService.9900") == code_of(response)
