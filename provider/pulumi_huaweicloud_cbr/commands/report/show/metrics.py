"""The report as metrics in the OpenMetrics text format, for Prometheus and what reads the same.

Ages stand still between two reports, so each has a moment beside it, and the report its own time:
an alert on ``time() - cbr_copy_newest_timestamp_seconds`` notices reports that stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands.report.model import (
    MET,
    MISSED,
    UNSEEN,
    Report,
    Resource,
    There,
)
from pulumi_huaweicloud_cbr.commands.report.show.clean import CleanReport
from pulumi_huaweicloud_cbr.commands.report.show.extra import needing_extra

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric

BYTES_PER_GB = 1024**3
"""A choice of ours: the API reference says GB and defines it nowhere; disks have powers of two."""
DAY_S = 86_400

RESOURCE = ("resource", "resource_id", "source_region", "tier", "owner")
COPY = (*RESOURCE, "region")
VAULT = ("vault", "vault_id", "region", "project_id", "takes_replicas")
FLOW = ("source_region", "region")

METRICS: dict[str, tuple[str, tuple[str, ...]]] = {
    "cbr_report_timestamp_seconds": ("When the report was made.", ()),
    "cbr_report_complete": ("Whether everything was read that was asked for: 1 or 0.", ()),
    "cbr_report_remarks": ("What could not be read beside regions.", ()),
    "cbr_area_read": (
        "Whether a project's backups could be read: 1 or 0.",
        ("region", "project_id"),
    ),
    "cbr_resource_objective_seconds": (
        "How old the newest copy of a resource may be; absent without an objective.",
        RESOURCE,
    ),
    "cbr_resource_objective_met": (
        "Whether a resource meets its objective: 1 or 0; absent if that is not known.",
        RESOURCE,
    ),
    "cbr_resource_unseen": (
        "Whether what is needed to judge the resource is not known: 1 or 0.",
        RESOURCE,
    ),
    "cbr_resource_copies": ("Usable copies of a resource, in all regions.", RESOURCE),
    "cbr_resource_newest_backup_timestamp_seconds": (
        "When the newest source backup of a resource was made; absent without one.",
        RESOURCE,
    ),
    "cbr_copy_newest_age_seconds": (
        "How old the newest usable copy was when the report was made; absent without one.",
        COPY,
    ),
    "cbr_copy_newest_timestamp_seconds": (
        "When the backup was made whose copy is the newest usable one; absent without one.",
        COPY,
    ),
    "cbr_copy_objective_seconds": (
        "How old the newest copy in a region may be; absent without an objective.",
        COPY,
    ),
    "cbr_copy_objective_met": (
        "Whether the objective is met in a region: 1 or 0; absent if that is not known.",
        COPY,
    ),
    "cbr_copies": ("Copies in a region, by state.", (*COPY, "state")),
    "cbr_copy_size_bytes": ("Size of the usable copies, by the size of their disks.", COPY),
    "cbr_copy_failures": ("Attempts that failed, with no copy of their backup since.", COPY),
    "cbr_undeclared_copies": ("Copies that no stack declares.", ("region",)),
    "cbr_vault_size_bytes": ("Size of a vault.", VAULT),
    "cbr_vault_used_bytes": ("What is used of a vault; absent if CBR does not tell.", VAULT),
    "cbr_vault_free_bytes": ("What is free in a vault; absent if CBR does not tell.", VAULT),
    "cbr_vault_full_seconds": (
        "How long the free room lasts at the pace of the last 30 days; absent without growth.",
        VAULT,
    ),
    "cbr_flow_copies": ("Usable copies from one region in another.", FLOW),
    "cbr_flow_size_bytes": ("Size of the usable copies from one region in another.", FLOW),
    "cbr_flow_storage_cost": (
        "Cost of keeping these copies for a month, by the user's prices.",
        (*FLOW, "currency"),
    ),
    "cbr_flow_transfer_cost": (
        "Cost of the copies that came within 30 days, by the user's prices.",
        (*FLOW, "currency"),
    ),
}
"""Each metric with its text and labels. All are gauges."""

Sample = tuple[str, tuple[str, ...], float]
"""A metric's name, the values of its labels, and its value."""


def as_metrics(report: CleanReport) -> str:
    """Return the report as OpenMetrics text. No two samples have the same labels.

    Raises:
        ConfigurationError: the extra ``report`` is not installed.
    """
    with needing_extra("metrics"):
        from prometheus_client.metrics_core import GaugeMetricFamily
        from prometheus_client.openmetrics.exposition import generate_latest
        from prometheus_client.registry import Collector, CollectorRegistry

    families = {
        name: GaugeMetricFamily(name, text, labels=labels)
        for name, (text, labels) in METRICS.items()
    }
    for name, values, value in _samples(report):
        families[name].add_metric(values, value)

    class Once(Collector):
        def collect(self) -> Iterable[Metric]:
            return (one for one in families.values() if one.samples)

    registry = CollectorRegistry()
    registry.register(Once())
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text.decode()


def _samples(report: Report) -> Iterator[Sample]:
    made_at = moment(report.made_at)
    if made_at != UNKNOWN:
        yield "cbr_report_timestamp_seconds", (), made_at.timestamp()
    yield "cbr_report_complete", (), float(report.is_complete)
    yield "cbr_report_remarks", (), len(report.remarks)
    names = _Names()
    for area in report.areas:
        labels = names.of(("area", area.region, area.project_id or ""), last=1)[1:]
        yield "cbr_area_read", labels, float(area.unseen_because is None)
    for resource in report.resources:
        yield from _of_resource(resource, names)
    undeclared = dict.fromkeys((one.region for one in report.areas if one.is_destination), 0)
    for copy in report.undeclared:
        undeclared[copy.region] = undeclared.get(copy.region, 0) + 1
    for region, count in undeclared.items():
        yield "cbr_undeclared_copies", (region,), count
    yield from _of_vaults(report, names)
    yield from _of_flows(report, names)


def _of_resource(resource: Resource, names: _Names) -> Iterator[Sample]:
    labels = names.of(
        (
            resource.name,
            resource.id or resource.key,
            resource.source_region or "",
            resource.tier or "",
            resource.owner or "",
        ),
        last=1,
    )
    if resource.rpo_s is not None:
        yield "cbr_resource_objective_seconds", labels, resource.rpo_s
    if resource.verdict in (MET, MISSED):
        yield "cbr_resource_objective_met", labels, float(resource.verdict == MET)
    yield "cbr_resource_unseen", labels, float(resource.verdict == UNSEEN)
    yield "cbr_resource_copies", labels, resource.copy_count
    newest = moment(resource.newest_backup_at)
    if newest != UNKNOWN:
        yield "cbr_resource_newest_backup_timestamp_seconds", labels, newest.timestamp()
    regions: dict[str, There] = {one.region: one for one in resource.there}
    for region, there in regions.items():
        yield from _of_copy(there, (*labels, region))


def _of_copy(there: There, labels: tuple[str, ...]) -> Iterator[Sample]:
    if there.newest_age_s is not None:
        yield "cbr_copy_newest_age_seconds", labels, there.newest_age_s
    newest = moment(there.newest_made_at)
    if newest != UNKNOWN:
        yield "cbr_copy_newest_timestamp_seconds", labels, newest.timestamp()
    if there.rpo_s is not None:
        yield "cbr_copy_objective_seconds", labels, there.rpo_s
    if there.verdict in (MET, MISSED):
        yield "cbr_copy_objective_met", labels, float(there.verdict == MET)
    yield "cbr_copies", (*labels, "usable"), there.count
    yield "cbr_copies", (*labels, "running"), there.running_count
    yield "cbr_copies", (*labels, "unusable"), there.unusable_count
    yield "cbr_copy_size_bytes", labels, there.size_gb * BYTES_PER_GB
    yield "cbr_copy_failures", labels, there.failure_count


def _of_vaults(report: Report, names: _Names) -> Iterator[Sample]:
    for vault in report.vaults:
        labels = names.of(
            (
                vault.name or "",
                vault.id,
                vault.region,
                vault.project_id,
                "true" if vault.takes_replicas else "false",
            ),
            last=1,
        )
        rooms = {"size": vault.size_gb, "used": vault.used_gb, "free": vault.free_gb}
        for name, gigabytes in rooms.items():
            if gigabytes is not None:
                yield f"cbr_vault_{name}_bytes", labels, gigabytes * BYTES_PER_GB
        if vault.full_in_days is not None:
            yield "cbr_vault_full_seconds", labels, vault.full_in_days * DAY_S


def _of_flows(report: Report, names: _Names) -> Iterator[Sample]:
    for flow in report.flows:
        labels = names.of(("flow", flow.source_region or "", flow.region), last=1)[1:]
        yield "cbr_flow_copies", labels, flow.copy_count
        yield "cbr_flow_size_bytes", labels, flow.size_gb * BYTES_PER_GB
        priced = (*labels, report.currency or "")
        if flow.storage is not None:
            yield "cbr_flow_storage_cost", priced, flow.storage
        if flow.transfer is not None:
            yield "cbr_flow_transfer_cost", priced, flow.transfer


class _Names:
    """Sets of labels, each given out once: a reader of OpenMetrics refuses a second one."""

    def __init__(self) -> None:
        self._given: set[tuple[str, ...]] = set()

    def of(self, labels: tuple[str, ...], last: int) -> tuple[str, ...]:
        """Return the labels; if they were given out, one of them with a number.

        Args:
            last: the label that gets the number.
        """
        unique, number = labels, 1
        while unique in self._given:
            number += 1
            unique = (*labels[:last], f"{labels[last]} ({number})", *labels[last + 1 :])
        self._given.add(unique)
        return unique
