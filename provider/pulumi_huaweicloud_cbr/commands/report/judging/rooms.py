"""Room and growth of vaults, and the flows of copies between regions. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.base.moments import moment
from pulumi_huaweicloud_cbr.commands.report.asking import SeenArea
from pulumi_huaweicloud_cbr.commands.report.judging.subjects import LEAVING_STATUSES, Subject
from pulumi_huaweicloud_cbr.commands.report.model import (
    GROWTH_DAYS,
    MISSED,
    USABLE,
    Area,
    CopyLook,
    Flow,
    Resource,
    VaultLook,
)
from pulumi_huaweicloud_cbr.commands.report.prices import Prices


def area_of(seen: SeenArea) -> Area:
    """Return a project with the number of its backups and replicas."""
    inventory = seen.inventory
    there = () if inventory is None else inventory.rows
    present = [row for row in there if row.status not in LEAVING_STATUSES]
    replica_count = sum(row.is_replica for row in present)
    return Area(
        seen.region,
        seen.project_id,
        seen.is_source,
        seen.is_destination,
        len(present) - replica_count,
        replica_count,
        seen.unseen_because,
    )


def vaults_of(areas: Iterable[SeenArea], now: datetime) -> Iterator[VaultLook]:
    """Yield each vault, with what was added in the last days and when it will be full."""
    since = now - timedelta(days=GROWTH_DAYS)
    for area in areas:
        inventory = area.inventory
        if inventory is None:
            continue
        rows: defaultdict[str, list[Backup]] = defaultdict(list)
        for row in inventory.rows:
            if row.status not in LEAVING_STATUSES:
                rows[(row.vault_id or "").lower()].append(row)
        for vault in inventory.known_vaults:
            inside = rows[vault.id.lower()]
            added_gb = sum(
                row.resource_size or 0 for row in inside if moment(row.created_at) >= since
            )
            free_gb = vault.free_gb
            lasts = added_gb > 0 and free_gb is not None
            yield VaultLook(
                region=area.region,
                project_id=inventory.scope.project_id,
                id=vault.id,
                name=vault.name,
                takes_replicas=bool(vault.takes_replicas),
                size_gb=vault.billing.size,
                used_gb=None if vault.billing.used is None else vault.billing.used / 1024,
                free_gb=free_gb,
                copy_count=len(inside),
                added_gb=added_gb,
                full_in_days=int(max(0.0, free_gb or 0.0) * GROWTH_DAYS / added_gb)
                if lasts
                else None,
            )


def flows_of(
    subjects: Iterable[Subject], resources: Iterable[Resource], prices: Prices
) -> Iterator[Flow]:
    """Yield a flow for each pair of regions that has copies, or should have."""
    by_key = {one.key: one for one in resources}
    copies: defaultdict[tuple[str, str], list[CopyLook]] = defaultdict(list)
    missed: defaultdict[tuple[str, str], int] = defaultdict(int)
    for subject in subjects:
        source = subject.area.region if subject.area else ""
        for copy in subject.copies:
            if copy.state == USABLE:
                copies[source, copy.region].append(copy)
    for resource in by_key.values():
        for there in resource.there:
            if there.verdict == MISSED:
                missed[resource.source_region or "", there.region] += 1
    since_s = GROWTH_DAYS * 86400
    for source, region in sorted(copies.keys() | missed.keys()):
        inside = copies[source, region]
        size_gb = sum(one.size_gb for one in inside)
        added_gb = sum(one.size_gb for one in inside if (one.age_s or 0) <= since_s)
        yield Flow(
            source_region=source or None,
            region=region,
            resource_count=len({one.resource_key for one in inside}),
            copy_count=len(inside),
            size_gb=size_gb,
            missed_count=missed[source, region],
            added_gb=added_gb,
            storage=prices.storage(region, size_gb),
            transfer=prices.transfer(source or None, region, added_gb),
        )
