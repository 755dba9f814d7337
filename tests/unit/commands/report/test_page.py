"""The report as a page: complete in itself, and whatever a name is, it is text."""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from pulumi_huaweicloud_cbr.commands.report.model import (
    MISSED,
    UNSEEN,
    USABLE,
    Area,
    Report,
    Resource,
    There,
)
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.html import flows, timeline, words
from pulumi_huaweicloud_cbr.commands.report.show.html.page import as_page
from pulumi_huaweicloud_cbr.commands.report.show.html.view import View
from tests.report_worlds import DAY_S, World, large, worlds

WORLDS = worlds()
VOID = {"meta", "link", "input", "br"}


@dataclass
class Element:
    """An element with its attributes and what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def all(self, tag: str = "") -> list[Element]:
        """Return the elements within this one, of one tag or of all."""
        found = [one for one in self.children if tag in ("", one.tag)]
        return found + [deep for one in self.children for deep in one.all(tag)]

    def text(self) -> str:
        """Return all text within this element."""
        return " ".join((*self.texts, *(one.text() for one in self.children)))


class Page(HTMLParser):
    """A page as a tree; an end tag that does not fit is a failure."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("", {})
        self._open = [self.root]
        self.faults: list[str] = []
        self.feed(text)
        self.close()
        assert [self.root] == self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        self.faults += [name for name in names if names.count(name) > 1]
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop().tag

    def handle_data(self, data: str) -> None:
        self._open[-1].texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.faults.append(data)


@pytest.fixture(scope="module")
def pages() -> dict[str, Page]:
    """Return all reports as pages."""
    return {name: Page(as_page(cleaned(report))) for name, report in WORLDS.items()}


@pytest.mark.parametrize("name", WORLDS)
def test_page_has_one_script_one_style_and_no_way_out(pages: dict[str, Page], name: str) -> None:
    """Nothing is loaded, no handler is in the markup, and the policy allows no more than that."""
    page = pages[name]
    elements = page.root.all()
    attributes = [(key, value) for one in elements for key, value in one.attributes.items()]

    assert [] == page.faults
    assert 1 == len(page.root.all("script")) == len(page.root.all("style"))
    assert {} == page.root.all("script")[0].attributes
    assert not {one.tag for one in elements} & {"img", "iframe", "object", "embed", "form", "base"}
    assert [] == [key for key, _ in attributes if key.startswith("on") or key in ("style", "src")]
    links = [value for key, value in attributes if key in ("href", "xlink:href", "action")]
    assert [] == [value for value in links if not value.startswith("#") and value != "data:,"]
    assert set() == set(re.findall(r"url\([^)]*\)|@import", page.root.all("style")[0].text()))


@pytest.mark.parametrize("name", ["empty", "hostile"])
def test_policy_allows_exactly_what_is_in_the_page(pages: dict[str, Page], name: str) -> None:
    """A script or a style of someone else has another hash."""
    root = pages[name].root
    (policy,) = [
        one.attributes["content"] for one in root.all("meta") if "http-equiv" in one.attributes
    ]
    parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))

    def hashed(tag: str) -> str:
        digest = sha256("".join(root.all(tag)[0].texts).encode()).digest()
        return f"'sha256-{b64encode(digest).decode()}'"

    assert "'none'" == parts.pop("default-src")
    assert {
        "script-src": hashed("script"),
        "style-src": hashed("style"),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    } == parts


def squeezed(text: str) -> str:
    """Return a text as a browser shows it."""
    return " ".join(text.split())


def test_hostile_names_are_shown_as_they_are(pages: dict[str, Page]) -> None:
    """Each name of a resource, a region, a vault and a reason is in the page as text."""
    report = cleaned(WORLDS["hostile"])
    text = squeezed(pages["hostile"].root.text())
    names = [
        *(one.name for one in report.resources),
        *(one.reason or "" for one in report.resources),
        *(one.region for one in report.areas),
        *(one.name or "" for one in report.vaults),
        *(one.held_by or "" for one in report.copies),
        *report.remarks,
    ]

    assert any("<script>" in name for name in names)
    assert [] == [name for name in names if squeezed(name) not in text]


@pytest.mark.parametrize("name", WORLDS)
def test_page_is_made_for_all_readers(pages: dict[str, Page], name: str) -> None:
    """Each table has a caption and heads with a scope, each drawing a text, each field a label."""
    root = pages[name].root
    ids = Counter(one.attributes["id"] for one in root.all() if "id" in one.attributes)

    assert "en" == root.all("html")[0].attributes["lang"]
    assert [] == [key for key, count in ids.items() if count > 1]
    for table in root.all("table"):
        assert 1 == len(table.all("caption"))
        assert [] == [head for head in table.all("th") if "scope" not in head.attributes]
    drawn = [one for one in root.all() if one.attributes.get("role") == "img"]
    assert len(root.all("svg")) == sum(len(one.all("svg")) for one in drawn)
    assert [] == [one for one in drawn if not one.attributes["aria-label"]]
    for label in root.all("label"):
        assert 1 == len(label.all("input") + label.all("select"))
    fields = len(root.all("input")) + len(root.all("select"))
    assert fields == len(root.all("label"))
    targets = {one.attributes["href"][1:] for one in root.all("a")}
    assert targets <= set(ids)
    labelled = {one.attributes.get("aria-labelledby") for one in root.all()}
    assert labelled - {None} <= set(ids)


@pytest.mark.parametrize("name", WORLDS)
def test_page_has_a_row_for_everything(pages: dict[str, Page], name: str) -> None:
    """Without a script, all rows are there: what is left out could be what matters."""
    report = WORLDS[name]
    root = pages[name].root
    expected = {
        "resources-table": len(report.resources),
        "timeline-table": len(report.resources),
        "failures-table": len(report.failures),
        "copies-table": len(report.copies),
        "vaults-table": len(report.vaults),
        "areas-table": len(report.areas),
        "flows-table": len(flows.all_flows(report)),
    }
    found = {
        table.attributes["id"]: len(table.all("tbody")[0].children) for table in root.all("table")
    }

    assert {key: count for key, count in expected.items() if count} == found


def test_urgent_rows_come_first() -> None:
    """Missed, then not known, then the others; copies in error before usable ones."""
    view = View(WORLDS["hostile"])
    verdicts = [one.verdict for one in view.resources]
    states = [one.state for one in view.copies]

    assert [MISSED] * verdicts.count(MISSED) == verdicts[: verdicts.count(MISSED)]
    assert UNSEEN == verdicts[verdicts.count(MISSED)]
    assert {USABLE} == set(states[-states.count(USABLE) :])


@pytest.mark.parametrize("name", ["one unseen", "all unseen", "hostile"])
def test_what_is_missing_is_shouted(pages: dict[str, Page], name: str) -> None:
    """Before any number, the page names each region and remark that could not be read."""
    report = cleaned(WORLDS[name])
    alarm = next(
        one for one in pages[name].root.all("section") if one.attributes.get("class") == "alarm"
    )
    text = squeezed(alarm.text())

    assert "This report is incomplete" in text
    for area in report.unseen:
        assert squeezed(area.region) in text
        assert squeezed(area.unseen_because or "") in text
    for remark in report.remarks:
        assert squeezed(remark) in text


def test_complete_report_has_no_alarm(pages: dict[str, Page]) -> None:
    """A warning that is always there is read by nobody."""
    classes = {one.attributes.get("class") for one in pages["priced"].root.all("section")}

    assert "alarm" not in classes


def resource(verdict: str, *there: There, source: str | None = "cn-north-4") -> Resource:
    """Return a resource with this verdict."""
    return Resource(
        "k", None, "web", None, source, None, None, 1, None, None, None, None, None, (), verdict,
        None, there,
    )  # fmt: skip


COPIED = There("r", True, "met", count=1)


@pytest.mark.parametrize(
    ("report", "headline", "tone"),
    [
        (Report(made_at=""), "No resource was found", "plain"),
        (
            Report(made_at="", resources=(resource(MISSED), resource("met", COPIED))),
            "1 of 2 resources misses its objective",
            "bad",
        ),
        (
            Report(made_at="", resources=(resource(MISSED), resource(MISSED), resource(UNSEEN))),
            "2 of 3 resources miss their objective",
            "bad",
        ),
        (
            Report(made_at="", resources=(resource(UNSEEN), resource("met", COPIED))),
            "It is not known whether 1 of 2 resources can be recovered",
            "doubt",
        ),
        (
            Report(
                made_at="",
                areas=(Area("r", None, unseen_because="503"),),
                resources=(resource("met", COPIED),),
            ),
            "Not everything could be read",
            "doubt",
        ),
        (
            Report(made_at="", resources=(resource("met", COPIED),)),
            "The 1 resource meets its objective",
            "good",
        ),
        (
            Report(made_at="", resources=(resource("met", COPIED),) * 3),
            "All 3 resources meet their objective",
            "good",
        ),
        (
            Report(made_at="", resources=(resource("met", COPIED), resource("unjudged"))),
            "The 1 resource with an objective meets it; 1 has no copy in another region",
            "doubt",
        ),
        (
            Report(made_at="", resources=(resource("unjudged"), resource("unjudged", COPIED))),
            "1 of 2 resources has no copy in another region",
            "doubt",
        ),
        (
            Report(made_at="", resources=(resource("unjudged", COPIED),)),
            "1 resource, each with a copy; there is no objective",
            "plain",
        ),
    ],
)
def test_headline(report: Report, headline: str, tone: str) -> None:
    """One sentence says whether someone has to act. What is not known is never good."""
    view = View(report)

    assert headline == view.headline
    assert tone == view.tone


def test_map_has_a_band_for_each_flow() -> None:
    """Also for a destination that should have copies and has none; missed ones are marked."""
    report = Report(
        made_at="",
        resources=(resource(MISSED, There("cn-east-3", True, MISSED)),),
        flows=WORLDS["priced"].flows,
    )
    listed = flows.all_flows(report)

    assert ("cn-north-4", "cn-east-3", 0, 1) in [
        (one.source_region, one.region, one.copy_count, one.missed_count) for one in listed
    ]
    for width in (flows.WIDE, flows.NARROW):
        drawing = Page(flows.flow_map(report, width)).root
        bands = [one.attributes["class"] for one in drawing.all("path")]
        assert len(listed) == len(bands)
        assert sum(bool(one.missed_count) for one in listed) == bands.count("flow missed")
    assert flows.summary(listed).count(" to ") == len(listed)
    assert "" == flows.flow_map(Report(made_at=""), flows.WIDE)


def test_wider_bands_have_more_gigabytes() -> None:
    """The height of a band follows its size; a small one can still be seen."""
    report = World(servers=40, seed=2).report()
    drawing = flows.flow_map(report, flows.WIDE)
    heights = [float(one) for one in re.findall(r" v ([\d.]+)", drawing)]

    assert len(report.flows) == len(heights)
    assert min(heights) >= 2.5
    assert round(max(heights), 1) == round(
        150 * max(one.size_gb for one in report.flows) / sum(one.size_gb for one in report.flows), 1
    )


@pytest.mark.parametrize("name", WORLDS)
def test_timeline_has_a_mark_for_each_usable_copy(name: str) -> None:
    """Each one of 90 days, at its day; in words it is the same number."""
    report = WORLDS[name]
    recent = [
        one
        for one in report.copies
        if one.state == USABLE and one.age_s is not None and one.age_s <= 90 * DAY_S
    ]
    marks = 0
    for of, its in timeline.lanes(report):
        for lane, there in zip(its, of.there, strict=True):
            path = Page(lane.drawing).root.all("path")
            marked = [one for one in path if one.attributes["class"] == lane.mark]
            count = sum(one.attributes["d"].count("M") for one in marked)
            marks += count
            assert lane.count == ("?" if there.verdict == UNSEEN and not count else str(count))
            late = [one for one in path if one.attributes["class"] == "late"]
            assert (there.verdict == MISSED) == bool(late)
            assert (there.verdict == MISSED) == ("objective missed" in lane.words)
    assert len(recent) == marks


def test_destinations_differ_by_more_than_colour() -> None:
    """Five destinations have five shapes; a sixth one shares its shape with none of its colour."""
    regions = [f"region-{number}" for number in range(10)]
    report = Report(made_at="", areas=tuple(Area(one, None, False, True) for one in regions))
    marks = list(timeline.marks(report).values())

    assert 5 == len({mark.split()[1] for mark in marks[:5]})
    assert len(marks) == len(set(marks))


def test_large_page_stays_small() -> None:
    """A page grows by less than half a kilobyte for each copy with its share of a resource."""
    few, many = large(servers=20, copies=160), large(servers=80, copies=640)
    grown = len(as_page(cleaned(many)).encode()) - len(as_page(cleaned(few)).encode())

    assert 600 * (len(many.copies) - len(few.copies)) > grown


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (None, "–"),  # noqa: RUF001
        (-5, "0 min"),
        (59, "0 min"),
        (3_599, "59 min"),
        (3_600, "1 h"),
        (90_060, "25 h 1 min"),
        (172_800, "2 d"),
        (180_000, "2 d 2 h"),
    ],
)
def test_ages(seconds: int | None, expected: str) -> None:
    """Two units at most: hours up to two days, as objectives are spelled, then days."""
    assert expected == words.age(seconds)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(None, "–"), (0, "0"), (12.34, "12.3"), (1234.5, "1,234"), (7.0, "7")],  # noqa: RUF001
)
def test_numbers(value: float | None, expected: str) -> None:
    """Thousands are apart; a vault's use has a digit behind the point while it is small."""
    assert expected == words.number(value)


def test_times_that_are_none_stay_as_they_are() -> None:
    """What CBR writes is never hidden."""
    assert "2026-11-30 06:00" == words.when("2026-11-30T06:00:11.000000")
    assert "soon" == words.when("soon")
    assert "–" == words.when(None)  # noqa: RUF001
