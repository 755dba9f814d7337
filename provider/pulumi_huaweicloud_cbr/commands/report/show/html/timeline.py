"""The timeline: for each resource and destination, a mark for each usable copy of 90 days."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import svg

from pulumi_huaweicloud_cbr.commands.report.model import (
    MISSED,
    UNSEEN,
    USABLE,
    Report,
    Resource,
    There,
)
from pulumi_huaweicloud_cbr.commands.report.show.html.words import DAY_S, age, copies_of

DAYS = 90
SHAPES = 5
"""Shapes of marks and colours in ``style.css``; a sixth destination shares a colour only."""
_HEIGHT = 10
_MIDDLE = _HEIGHT / 2


@dataclass(frozen=True)
class Lane:
    """The copies of one resource in one destination: a drawing, and the same in words."""

    region: str
    verdict: str
    mark: str
    drawing: str
    words: str
    count: str


def marks(report: Report) -> dict[str, str]:
    """Return the classes of the marks of each destination, in the order of the areas."""
    regions = dict.fromkeys(
        (
            *(one.region for one in report.areas if one.is_destination),
            *(there.region for one in report.resources for there in one.there),
        )
    )
    return {
        region: f"c{index % SHAPES} s{(index + index // SHAPES) % SHAPES}"
        for index, region in enumerate(regions)
    }


def lanes(report: Report) -> Iterator[tuple[Resource, list[Lane]]]:
    """Yield each resource with its lanes."""
    ages: dict[tuple[str, str], list[int]] = defaultdict(list)
    for copy in report.copies:
        if copy.state == USABLE and copy.age_s is not None and copy.age_s <= DAYS * DAY_S:
            ages[copy.resource_key, copy.region].append(copy.age_s)
    styles = marks(report)
    for resource in report.resources:
        yield (
            resource,
            [
                _lane(there, sorted(ages[resource.key, there.region]), styles)
                for there in resource.there
            ],
        )


def _lane(there: There, ages: list[int], styles: Mapping[str, str]) -> Lane:
    mark = styles[there.region]
    newest = f"newest {age(ages[0])} old, oldest {age(ages[-1])}" if ages else ""
    is_known = bool(ages) or there.verdict != UNSEEN
    count = f"{copies_of(len(ages))} in {DAYS} days" if is_known else "not known"
    missed = "objective missed" if there.verdict == MISSED else ""
    words = ", ".join(filter(None, (f"{there.region}: {count}", newest, missed)))
    elements: list[svg.Element] = [
        _line("grid", [svg.M(30, 0), svg.v(_HEIGHT), svg.M(60, 0), svg.v(_HEIGHT)])
    ]
    if there.verdict == MISSED:
        since = _x(ages[0]) if ages else 0
        elements.append(_line("late", [svg.M(since, _MIDDLE), svg.H(DAYS)]))
    if ages:
        is_bar = "s4" in mark
        points: list[svg.PathData] = []
        for one in ages:
            points += [
                svg.M(_x(one), 0 if is_bar else _MIDDLE),
                svg.v(_HEIGHT) if is_bar else svg.h(0),
            ]
        elements.append(_line(mark, points))
        if "s2" in mark or "s3" in mark:
            elements.append(_line(f"hole {mark.split()[1]}", points))
    drawing = svg.SVG(
        # Inside HTML the namespace is known.
        xmlns=None,
        viewBox=svg.ViewBoxSpec(0, 0, DAYS, _HEIGHT),
        preserveAspectRatio=svg.PreserveAspectRatio("none"),
        elements=elements,
    )
    return Lane(
        there.region,
        there.verdict,
        mark,
        drawing.as_str(),
        words,
        f"{len(ages)}" if is_known else "?",
    )


def _x(age_s: int) -> float:
    return round(DAYS - age_s / DAY_S, 2)


def _line(names: str, points: list[svg.PathData]) -> svg.Path:
    return svg.Path(class_=names.split(), d=points)
