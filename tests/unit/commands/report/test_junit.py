"""The report as JUnit's XML, valid by what Jenkins and GitLab document of it."""

from __future__ import annotations

import functools
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import xmlschema

from pulumi_huaweicloud_cbr.commands.report.model import (
    MET,
    MISSED,
    UNJUDGED,
    UNSEEN,
    Area,
    Report,
    Resource,
    There,
)
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.junit import as_junit
from tests.report_worlds import worlds

WORLDS = worlds()
SCHEMA = Path(__file__).resolve().parents[3] / "fixtures" / "junit" / "results.xsd"
TAGS = {MISSED: "failure", UNSEEN: "error", UNJUDGED: "skipped"}


@functools.cache
def schema() -> xmlschema.XMLSchema:
    """Return the schema, which says what both sites read."""
    return xmlschema.XMLSchema(str(SCHEMA))


def cases(report: Report) -> list[ET.Element]:
    """Return the test cases of a report."""
    return list(ET.fromstring(as_junit(cleaned(report))).iter("testcase"))


@pytest.mark.parametrize("name", WORLDS)
def test_document_is_valid_and_counts_its_cases(name: str) -> None:
    """Whatever the names are; no two cases of a class have one name."""
    text = as_junit(cleaned(WORLDS[name]))
    root = ET.fromstring(text)
    schema().validate(text)

    counts = {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}
    for part in (root, *root.iter("testsuite")):
        for attribute, tag in counts.items():
            # The whole has no number of skipped cases.
            if part is not root or tag != "skipped":
                assert len(list(part.iter(tag))) == int(part.get(attribute, "-1"))
    named = Counter((one.get("classname"), one.get("name")) for one in root.iter("testcase"))
    assert [] == [key for key, count in named.items() if count > 1]


@pytest.mark.parametrize("name", WORLDS)
def test_no_verdict_is_lost(name: str) -> None:
    """There is a failure for each missed destination, and a case for each resource and area."""
    report = WORLDS[name]
    found = Counter(next((child.get("type") for child in case), MET) for case in cases(report))
    wanted = Counter(
        there.verdict for one in report.resources for there in one.there if there.is_wanted
    )

    for verdict in (MISSED, UNSEEN, MET, UNJUDGED):
        assert found[verdict] >= wanted[verdict]
        assert (found[verdict] > 0) or not report.having(verdict)
    assert found[UNSEEN] >= len(report.unseen) + len(report.remarks)


SERVER = Resource(
    "k", "id-1", "web", None, "cn-north-4", "p", None, 1, None, None, 86_400, None, None, (),
    MISSED, "no usable copy in another region",
)  # fmt: skip


@pytest.mark.parametrize(
    ("there", "tag", "reason"),
    [
        (
            There("r", True, MISSED, newest_age_s=100_000, rpo_s=86_400),
            "failure",
            "the newest copy is 27 h 46 min old, want 24 h",
        ),
        (
            There("r", True, MISSED, rpo_s=3600, last_failure="no room"),
            "failure",
            "no usable copy, want 1 h; the last copy failed: no room",
        ),
        (There("r", True, UNSEEN), "error", "a region that is needed could not be read"),
        (There("r", True, UNJUDGED), "skipped", "there is no objective"),
        (There("r", True, MET), None, None),
    ],
)
def test_each_verdict_has_its_result(there: There, tag: str | None, reason: str | None) -> None:
    """A missed objective is a failure, an unseen region an error; both say why."""
    resource = replace(SERVER, verdict=there.verdict, there=(there,))
    (case,) = cases(Report(made_at="2026-11-30T06:00:00Z", resources=(resource,)))

    assert "web (id-1) in r" == case.get("name")
    assert "cn-north-4" == case.get("classname")
    assert (tag, reason) == next(((one.tag, one.get("message")) for one in case), (None, None))


def test_resource_without_a_destination_is_one_case() -> None:
    """Its own verdict and reason are told."""
    (case,) = cases(Report(made_at="", resources=(SERVER,)))

    assert "web (id-1)" == case.get("name")
    assert ["no usable copy in another region"] == [one.get("message") for one in case]


def test_copies_that_nobody_declares_are_no_case() -> None:
    """They have no objective: a region with such copies neither passes nor fails."""
    there = (There("r", False, UNJUDGED, count=3), There("s", True, MET, count=1))

    assert ["web (id-1) in s"] == [
        case.get("name")
        for case in cases(
            Report(made_at="", resources=(replace(SERVER, verdict=MET, there=there),))
        )
    ]


def test_what_could_not_be_read_is_an_error() -> None:
    """A pipeline that looks at the results alone cannot take a part for the whole."""
    report = Report(
        made_at="",
        areas=(Area("cn-north-4", "p", is_source=True), Area("r", None, unseen_because="503")),
        remarks=("the state of stack archive could not be read",),
    )

    assert [
        ("cn-north-4 project p", None),
        ("r", "503"),
        ("remark 1", "the state of stack archive could not be read"),
    ] == [(one.get("name"), next((c.get("message") for c in one), None)) for one in cases(report)]
