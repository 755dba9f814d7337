"""CBR: the features of a region, in public beta.

Source: CBR API reference, ListFeatures, ShowFeature. Both have parameters for pages, which change
nothing: an answer is a mapping.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from simulator.cloud import errors
from simulator.cloud.cloud import Cloud
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import Filters, Limit

router = APIRouter(prefix="/v3/{project_id}/cbr-features")


class FeatureFilters(Filters):
    """The query of both operations."""

    limit: Limit = 1000
    offset: int = Field(0, ge=0, le=1000)


Pages = Annotated[FeatureFilters, Query()]


@router.get("")
async def list_features(project_id: Project, cloud: CloudHere, _: Pages) -> dict[str, Any]:
    return _features(cloud, project_id)


@router.get("/{feature_key}")
async def show_feature(
    project_id: Project, cloud: CloudHere, feature_key: str, _: Pages
) -> dict[str, Any]:
    features = _features(cloud, project_id)
    if feature_key not in features:
        raise errors.cbr("9900", f"feature_key: {feature_key!r} is not supported")
    return {feature_key: features[feature_key]}


def _features(cloud: Cloud, project_id: str) -> dict[str, Any]:
    region = cloud.world.region(cloud.project_regions[project_id])
    return {
        "replication.enable": bool(region.replicates_to),
        "replication.source_region": region.name,
        "replication.destination_regions": region.replicates_to,
        "replication.destination_dgw_regions": [],
        "features.backup_double_az": False,
    }
