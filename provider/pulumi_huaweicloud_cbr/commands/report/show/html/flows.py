"""The map of flows: regions that copies come from, those they are in, and bands between them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import svg
from markupsafe import escape

from pulumi_huaweicloud_cbr.commands.report.model import MISSED, Flow, Report
from pulumi_huaweicloud_cbr.commands.report.show.html.words import clipped, copies_of, number

WIDE, NARROW = 880, 330
"""Widths of the two drawings in CSS pixels; the page shows the one that fits."""
_BAR = 10
_GAP = 18
_LINE = 15
_BANDS = 150
"""Height of all bands together."""
_THINNEST = 2.5
NOT_KNOWN = "source not seen"


@dataclass
class _Node:
    """A region on one side, with its bands from top to bottom."""

    name: str
    lines: list[str]
    is_bad: bool
    y: float = 0
    height: float = 8
    taken: float = 0


@dataclass
class _Side:
    nodes: dict[str, _Node] = field(default_factory=dict)

    def place(self, heights: Counter[str]) -> float:
        """Give each node its place; return where the last one ends."""
        y = 4.0
        for name, node in self.nodes.items():
            y += _LINE * (1 + len(node.lines)) + 4
            node.y = y
            node.height = max(node.height, heights[name])
            y += node.height + _GAP
        return y


def all_flows(report: Report) -> list[Flow]:
    """Return the flows, the largest first, with those that are declared and have no copy.

    A destination that should have copies and has none is what a reader must not overlook.
    """
    known = {(one.source_region, one.region) for one in report.flows}
    absent = Counter(
        (resource.source_region, there.region)
        for resource in report.resources
        for there in resource.there
        if there.verdict == MISSED and (resource.source_region, there.region) not in known
    )
    empty = [Flow(source, region, 0, 0, 0, count) for (source, region), count in absent.items()]
    return [*sorted(report.flows, key=lambda one: -one.size_gb), *empty]


def flow_map(report: Report, width: int) -> str:
    """Return the map as SVG; empty if there is nothing to draw.

    Its texts are escaped here, since the library writes them as they are.
    """
    flows = all_flows(report)
    if not flows:
        return ""
    thickness = _thickness(flows)
    left, right = _sides(report, flows, width)
    ends = [
        left.place(_heights((_source(one), height) for one, height in thickness)),
        right.place(_heights((one.region, height) for one, height in thickness)),
    ]
    elements: list[svg.Element] = []
    order = {name: index for index, name in enumerate((*left.nodes, *right.nodes))}
    for flow, height in sorted(
        thickness, key=lambda one: (order[_source(one[0])], order[one[0].region])
    ):
        elements.append(
            _band(flow, height, left.nodes[_source(flow)], right.nodes[flow.region], width)
        )
    elements += _nodes(left.nodes.values(), 0, "start", 0)
    elements += _nodes(right.nodes.values(), width - _BAR, "end", width)
    height = round(max(ends))
    drawing = svg.SVG(
        viewBox=svg.ViewBoxSpec(0, 0, width, height), class_=["map"], elements=elements
    )
    return drawing.as_str()


def summary(flows: Sequence[Flow]) -> str:
    """Return the map in words, for readers who do not see it."""
    parts = [
        f"{_source(one)} to {one.region}: {copies_of(one.copy_count)},"
        f" {number(one.size_gb)} GB"
        + (f", objective missed {one.missed_count} times" if one.missed_count else "")
        for one in flows
    ]
    return "; ".join(parts)


def _thickness(flows: Iterable[Flow]) -> list[tuple[Flow, float]]:
    listed = list(flows)
    total = sum(one.size_gb for one in listed) or 1
    return [(one, max(_THINNEST, _BANDS * one.size_gb / total)) for one in listed]


def _heights(parts: Iterable[tuple[str, float]]) -> Counter[str]:
    heights: Counter[str] = Counter()
    for name, height in parts:
        heights[name] += height  # type: ignore[assignment]
    return heights


def _sides(report: Report, flows: Sequence[Flow], width: int) -> tuple[_Side, _Side]:
    unread = {one.region for one in report.unseen}
    sources = [one.region for one in report.areas if one.is_source]
    destinations = [one.region for one in report.areas if one.is_destination]
    left = dict.fromkeys((*sources, *(_source(one) for one in flows)))
    right = dict.fromkeys((*destinations, *(one.region for one in flows)))
    limit = 20 if width == NARROW else 60
    return (
        _Side(
            {
                name: _node(name, [f for f in flows if _source(f) == name], unread, limit)
                for name in left
            }
        ),
        _Side(
            {
                name: _node(name, [f for f in flows if f.region == name], unread, limit)
                for name in right
            }
        ),
    )


def _node(name: str, flows: Sequence[Flow], unread: set[str], limit: int) -> _Node:
    copies = sum(one.copy_count for one in flows)
    missed = sum(one.missed_count for one in flows)
    size = number(sum(one.size_gb for one in flows))
    lines = [f"{size} GB, {copies_of(copies)}" if copies else "no copies"]
    if name in unread:
        lines = ["could not be read"]
    if missed:
        lines.append(f"objective missed: {missed}")
    return _Node(clipped(name, limit), lines, bool(missed) or name in unread)


def _source(flow: Flow) -> str:
    return flow.source_region or NOT_KNOWN


def _band(flow: Flow, height: float, left: _Node, right: _Node, width: int) -> svg.Path:
    start, end, middle = _BAR, width - _BAR, width / 2
    top, bottom = left.y + left.taken, right.y + right.taken
    left.taken += height
    right.taken += height
    return svg.Path(
        class_=["flow", *(["missed"] if flow.missed_count else [])],
        d=[
            svg.M(start, round(top, 1)),
            svg.C(middle, round(top, 1), middle, round(bottom, 1), end, round(bottom, 1)),
            svg.v(round(height, 1)),
            svg.C(
                middle,
                round(bottom + height, 1),
                middle,
                round(top + height, 1),
                start,
                round(top + height, 1),
            ),
            svg.Z(),
        ],
    )


def _nodes(nodes: Iterable[_Node], x: float, anchor: str, text_x: float) -> Iterable[svg.Element]:
    for node in nodes:
        yield svg.Rect(
            x=x,
            y=round(node.y, 1),
            width=_BAR,
            height=round(node.height, 1),
            class_=["node", *(["missed"] if node.is_bad else [])],
        )
        for index, line in enumerate((node.name, *node.lines)):
            up = (len(node.lines) - index) * _LINE + 6
            classes = [anchor, "name" if index == 0 else "detail"]
            if node.is_bad and index == len(node.lines):
                classes.append("missed")
            yield svg.Text(
                x=text_x, y=round(node.y - up, 1), class_=classes, text=str(escape(line))
            )
