"""Work on the members of a set or of an entire vault: what is reported for one of them."""

from __future__ import annotations

import anyio

from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.many import for_each
from tests.unit.replication.reports import Reports


def test_wait_of_a_member_is_reported_as_one_with_its_label() -> None:
    """A set's deletion that waits says what a single one says. No line of a member stays."""
    reports = Reports()

    async def remove(report: Reporter) -> None:
        report.tell("leaving the replica")
        report.progress("looking")
        report.waiting("0 s of at most 1 h: the copy, copying")

    anyio.run(for_each, {"web-1": remove}, "deleting", reports)

    assert [
        "progress: web-1: leaving the replica",
        "progress: looking, web-1",
        "waiting: 0 s of at most 1 h: the copy, copying, web-1",
    ] == reports.called
