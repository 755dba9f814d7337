"""The report as test results in JUnit's XML, which CI servers show.

A resource is a test case in each destination that is declared for it, or one case if none is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands._cli.text import long_age
from pulumi_huaweicloud_cbr.commands.report.model import (
    MET,
    MISSED,
    UNJUDGED,
    UNSEEN,
    Report,
    Resource,
    There,
)
from pulumi_huaweicloud_cbr.commands.report.show.clean import CleanReport
from pulumi_huaweicloud_cbr.commands.report.show.extra import needing_extra

OBJECTIVES = "objectives"
READING = "reading"
_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


@dataclass(frozen=True)
class Case:
    """A test case: its names, its verdict, and why it is not met."""

    of: str
    name: str
    verdict: str
    reason: str = ""


def as_junit(report: CleanReport) -> str:
    """Return the report as a JUnit document: failures, errors and skipped cases have reasons.

    A missed objective is a failure. An error is what could not be read: a region, or a resource
    that needs it. A resource without an objective is skipped.

    Raises:
        ConfigurationError: the extra ``report`` is not installed.
    """
    with needing_extra("test results"):
        from junitparser.junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

    results = {MISSED: Failure, UNSEEN: Error, UNJUDGED: Skipped}
    document = JUnitXml("copies of backups")
    for title, cases in {OBJECTIVES: _objectives(report), READING: _reading(report)}.items():
        suite = TestSuite(title)
        if moment(report.made_at) != UNKNOWN:
            suite.timestamp = report.made_at.removesuffix("Z")
        shown = []
        for one in _with_own_names(cases):
            case = TestCase(one.name, one.of)
            if one.verdict in results:
                case.result = [results[one.verdict](one.reason, one.verdict)]
            shown.append(case)
        # Added one at a time, each one would count all before it.
        suite.add_testcases(shown)
        document.add_testsuite(suite)
    # Not `update_statistics`: for the whole, sites know no number of skipped cases.
    document.tests = sum(suite.tests for suite in document)
    document.failures = sum(suite.failures for suite in document)
    document.errors = sum(suite.errors for suite in document)
    text: bytes = document.tostring()  # type: ignore[no-untyped-call]
    return f"{_HEAD}{text.decode()}\n"


def _objectives(report: Report) -> Iterator[Case]:
    for resource in report.resources:
        wanted = [one for one in resource.there if one.is_wanted]
        for there in wanted:
            yield _of_region(resource, there)
        # A verdict that no destination explains is not lost.
        if resource.verdict not in {one.verdict for one in wanted}:
            reason = resource.reason or _why(resource.verdict)
            yield Case(_source(resource), _label(resource), resource.verdict, reason)


def _of_region(resource: Resource, there: There) -> Case:
    project = f" (project {there.project_id})" if there.project_id else ""
    name = f"{_label(resource)} in {there.region}{project}"
    if there.verdict == MET:
        return Case(_source(resource), name, MET)
    if there.has_doubt:
        why = "the age of the newest copy is not known, nor when its backup was made"
        return Case(_source(resource), name, UNSEEN, why)
    if there.verdict in (UNJUDGED, UNSEEN):
        return Case(_source(resource), name, there.verdict, _why(there.verdict))
    newest = (
        "no usable copy"
        if there.newest_age_s is None
        else f"the newest copy is {long_age(there.newest_age_s)} old"
    )
    limit = f", want {long_age(there.rpo_s)}" if there.rpo_s is not None else ""
    failure = f"; the last copy failed: {there.last_failure}" if there.last_failure else ""
    return Case(_source(resource), name, MISSED, f"{newest}{limit}{failure}")


def _why(verdict: str) -> str:
    return {
        MISSED: "the objective is missed",
        UNSEEN: "a region that is needed could not be read",
    }.get(verdict, "there is no objective")


def _reading(report: Report) -> Iterator[Case]:
    for area in report.areas:
        project = f" project {area.project_id}" if area.project_id else ""
        verdict = UNSEEN if area.unseen_because else MET
        yield Case(READING, f"{area.region}{project}", verdict, area.unseen_because or "")
    for number, remark in enumerate(report.remarks, 1):
        yield Case(READING, f"remark {number}", UNSEEN, remark)


def _source(resource: Resource) -> str:
    return resource.source_region or "source not seen"


def _label(resource: Resource) -> str:
    return f"{resource.name} ({resource.id or resource.key})"


def _with_own_names(cases: Iterator[Case]) -> Iterator[Case]:
    """Yield the cases, numbered where names repeat: CI servers take equal names for one case."""
    seen: set[tuple[str, str]] = set()
    for one in cases:
        name, number = one.name, 1
        while (one.of, name) in seen:
            number += 1
            name = f"{one.name} #{number}"
        seen.add((one.of, name))
        yield replace(one, name=name)
