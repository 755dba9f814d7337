"""Put the parts of a report together. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from pulumi_huaweicloud_cbr.commands.report.asking import Seen
from pulumi_huaweicloud_cbr.commands.report.judging.ages import Ages
from pulumi_huaweicloud_cbr.commands.report.judging.rooms import area_of, flows_of, vaults_of
from pulumi_huaweicloud_cbr.commands.report.judging.subjects import subjects_of
from pulumi_huaweicloud_cbr.commands.report.judging.verdicts import Verdicts
from pulumi_huaweicloud_cbr.commands.report.model import Report
from pulumi_huaweicloud_cbr.commands.report.prices import Prices


def judge(
    seen: Seen, now: datetime, *, rpo_s: int | None = None, prices: Prices | None = None
) -> Report:
    """Return the report on what was read.

    Args:
        rpo_s: the objective of all resources that have none of their own; None for no objective.
        prices: what a gigabyte costs; None leaves costs out.
    """
    prices = prices or Prices()
    ages = Ages(now)
    subjects = subjects_of(seen, ages)
    resources = Verdicts(seen, ages, rpo_s).judged(subjects)
    return Report(
        made_at=f"{now:%Y-%m-%dT%H:%M:%SZ}",
        stacks=tuple(seen.stacks),
        rpo_s=rpo_s,
        currency=prices.currency,
        areas=tuple(area_of(one) for one in seen.areas),
        resources=tuple(resources),
        copies=tuple(copy for one in subjects for copy in one.copies),
        failures=tuple(failure for one in subjects for failure in one.failures),
        vaults=tuple(vaults_of(seen.areas, now)),
        flows=tuple(flows_of(subjects, resources, prices)),
        remarks=(*seen.remarks, *ages.remarks()),
    )


def now_of(wall_time: float) -> datetime:
    """Return a clock's seconds since the epoch as a moment."""
    return datetime.fromtimestamp(wall_time, UTC)
