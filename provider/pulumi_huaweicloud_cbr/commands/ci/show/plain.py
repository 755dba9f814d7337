"""A report as plain text, for a terminal and for logs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from pulumi_huaweicloud_cbr.base.text import inert
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Block, Phrase, Table
from pulumi_huaweicloud_cbr.commands.ci.text.report import Report
from pulumi_huaweicloud_cbr.commands.ci.text.words import time

COLUMNS = 100
_LONGEST_SECTION = 60
"""Lines of a section that few readers need."""


def plain(report: Report) -> str:
    """Return the report in lines of at most 100 columns, where names allow it."""
    lines = [_flat(report.headline), _origin(report.origin), ""]
    for phrase in report.notes:
        lines += [*_wrapped("", _phrase(phrase)), ""]
    for phrase in report.attention:
        lines += _wrapped("! ", _phrase(phrase))
    lines += [""] if report.attention else []
    if report.destinations is not None:
        lines += [*_table(report.destinations), ""]
    if report.deleted is not None:
        lines += [*_records(report.deleted, "- "), ""]
    for section in report.sections:
        lines.append(f"{section.title}:")
        if isinstance(section.content, Table):
            listed = list(_records(section.content, "  "))
        else:
            listed = [line for one in section.content for line in _block(one)]
        shown = listed[:_LONGEST_SECTION] if section.is_folded else listed
        more = len(listed) - len(shown)
        lines += [*shown, *([f"  and {more} lines more"] if more else []), ""]
    return "\n".join(lines).rstrip() + "\n"


def _origin(origin: Origin) -> str:
    run = f"run {origin.run}" if origin.run else ""
    parts = (origin.stack, origin.short_commit, run, origin.safe_url, time(origin.at))
    return _flat(" · ".join(part for part in parts if part))


def _table(table: Table) -> Iterator[str]:
    rows = [table.head, *(tuple(_phrase(cell) for cell in row) for row in table.rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def _records(table: Table, head: str) -> Iterator[str]:
    """Yield each row as a paragraph: its cells may be long."""
    for row in table.rows:
        cells = [_phrase(cell) for cell in row]
        yield from _wrapped(head, ": ".join([" ".join(cells[:-1]).strip(), cells[-1]]))


def _block(one: Block) -> Iterator[str]:
    if one.resources:
        yield from _wrapped("  ", ", ".join(one.resources[:10]) + ":")
    for line in one.text.splitlines():
        yield from _wrapped("    " if one.resources else "  ", line)


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        _flat(text),
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _phrase(phrase: Phrase) -> str:
    return _flat("".join(phrase))


def _flat(text: str) -> str:
    whole = text.encode("utf-8", errors="replace").decode("utf-8")
    return inert(" ".join(whole.split("\n"))).replace("`", "")
