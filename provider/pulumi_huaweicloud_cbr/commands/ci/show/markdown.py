"""A report as Markdown: one comment, or several if the deletions alone do not fit into one.

Deletions come first and are never cut. What else does not fit is left out, and the comment says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from pulumi_huaweicloud_cbr.commands.ci.show.escape import block, code, escaped
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Block, Phrase, Strong, Table, Value
from pulumi_huaweicloud_cbr.commands.ci.text.report import Report, Section
from pulumi_huaweicloud_cbr.commands.ci.text.words import time

GITHUB_LIMIT = 65_000
"""GitHub refuses comments of more than 65,536 characters."""
GITLAB_LIMIT = 950_000
"""GitLab refuses notes of more than 1,000,000 characters; a step summary has 1 MiB."""
_LONGEST_STACK = 200
_KEPT_FOR_THE_REST = 2_500
_MOST_OF_ATTENTION = 12_000
_MOST_OF_DESTINATIONS = 10_000
_LONGEST_VALUE = 4_000
_GOES_ON = "**The list of what is deleted goes on in the next comment.**"
_SHOWN_RESOURCES = 10


def markdown(report: Report, limit: int = GITHUB_LIMIT) -> list[str]:
    """Return the comments, each of at most `limit` characters and with its own marker."""
    top = [_heading(report), *_top(report)]
    rows = _rows(report.deleted)
    parts: list[str] = []
    current = _Page(limit, marker(report.origin.stack, report.kind))
    for text in top:
        current.add(text)
    while rows:
        rows = current.add_rows(report.deleted, rows, keep=_KEPT_FOR_THE_REST)
        if rows:
            parts.append(
                current.end("**The list of what is deleted goes on in the next comment.**")
            )
            current = _Page(limit, marker(report.origin.stack, report.kind, len(parts) + 1))
            current.add(f"### {code(_stack(report.origin))}: what is deleted, continued")
    _add_sections(current, report.sections)
    return [*parts, current.end("")]


def marker(stack: str, kind: str = "preview", part: int = 1) -> str:
    """Return the invisible first line that identifies a stack's comment for a later run."""
    name = re.sub(r"[^A-Za-z0-9._/-]", "_", stack[:_LONGEST_STACK])
    return f"<!-- pulumi-{kind}:{name}{f'/part-{part}' if part > 1 else ''} -->"


class _Page:
    """One comment while it is written."""

    def __init__(self, limit: int, first: str) -> None:
        self._limit = limit
        self._texts = [first]
        self._length = len(first)

    def room(self) -> int:
        """Return how many characters can be added."""
        return self._limit - self._length - 2

    def add(self, text: str) -> None:
        """Add a paragraph."""
        self._texts.append(text)
        self._length += len(text) + 2

    def add_rows(self, table: Table | None, rows: list[str], keep: int) -> list[str]:
        """Add a table with as many rows as fit; return the others.

        Args:
            keep: characters that stay free.
        """
        head = _head(table)
        room = self.room() - len(head) - keep
        count = 0
        for row in rows:
            room -= len(row) + 1
            if room < 0:
                break
            count += 1
        # A page with nothing in it could not become shorter.
        count = max(count, 1 if len(self._texts) <= 2 else 0)
        if count:
            self.add("\n".join([head, *rows[:count]]))
        return rows[count:]

    def end(self, last: str) -> str:
        """Return the page."""
        if last:
            self.add(last)
        return "\n\n".join(self._texts) + "\n"


def _heading(report: Report) -> str:
    return f"### {report.headline}"


def _top(report: Report) -> Iterator[str]:
    yield _origin(report.origin)
    yield from (_phrase(one) for one in report.notes)
    lines = _within((f"> {_phrase(one)}" for one in report.attention), _MOST_OF_ATTENTION)
    if lines:
        alert = "CAUTION" if report.is_grave else "WARNING"
        yield "\n>\n".join([f"> [!{alert}]\n{lines[0]}", *lines[1:]])
    if report.destinations is not None:
        yield _cut_table(report.destinations, _MOST_OF_DESTINATIONS) or ""


def _within(lines: Iterable[str], room: int) -> list[str]:
    """Return the first lines that fit, and how many there are besides."""
    listed = list(lines)
    kept: list[str] = []
    for line in listed:
        room -= len(line)
        if room < 0:
            return [*kept, f"> And {len(listed) - len(kept):,} more of the kind."]
        kept.append(line)
    return kept


def _origin(origin: Origin) -> str:
    run = f"run {escaped(origin.run)}" if origin.run else "the run"
    shown = {
        "stack": code(_stack(origin)),
        "commit": code(origin.short_commit) if origin.short_commit else "",
        "run": f"[{run}]({origin.safe_url})" if origin.safe_url else (run if origin.run else ""),
        "at": time(origin.at),
    }
    return " · ".join(part for part in shown.values() if part)


def _stack(origin: Origin) -> str:
    return origin.stack[:_LONGEST_STACK]


def _add_sections(page: _Page, sections: Iterable[Section]) -> None:
    left_out = []
    for section in sections:
        text = _section(section, page.room() - 300)
        if text is None:
            left_out.append(section.title)
        else:
            page.add(text)
    if left_out:
        listed = ", ".join(escaped(title) for title in left_out)
        page.add(
            f"Left out, since a comment has no room for more: {listed}. The run has all of it."
        )


def _section(section: Section, room: int) -> str | None:
    """Return a section, shortened to the room; None if there is none for any of it."""
    title = escaped(section.title)
    room -= len(title) + 60
    if isinstance(section.content, Table):
        content = _cut_table(section.content, room)
    else:
        content = _cut_blocks(section.content, room)
    if content is None:
        return None
    if section.is_folded:
        return f"<details><summary>{title}</summary>\n\n{content}\n\n</details>"
    return f"**{title}**\n\n{content}"


def _cut_table(table: Table, room: int) -> str | None:
    head, rows = _head(table), _rows(table)
    lines = [head]
    used = len(head)
    for number, row in enumerate(rows):
        used += len(row) + 1
        if used > room - 40:
            rest = f"| and {len(rows) - number:,} more |{' |' * (len(table.head) - 1)}"
            return "\n".join([*lines, rest]) if number else None
        lines.append(row)
    return "\n".join(lines)


def _cut_blocks(blocks: Iterable[Block], room: int) -> str | None:
    texts: list[str] = []
    listed = list(blocks)
    for number, one in enumerate(listed):
        text = _block(one)
        room -= len(text) + 2
        if room < 60:
            texts.append(f"And {len(listed) - number:,} more in the log of the run.")
            return "\n\n".join(texts) if number else None
        texts.append(text)
    return "\n\n".join(texts)


def _block(one: Block) -> str:
    names = [code(name[:_LONGEST_STACK]) for name in one.resources[:_SHOWN_RESOURCES]]
    if len(one.resources) > _SHOWN_RESOURCES:
        names.append(f"and {len(one.resources) - _SHOWN_RESOURCES} more")
    return f"{', '.join(names)}\n{block(one.text)}" if names else block(one.text)


def _head(table: Table | None) -> str:
    cells = table.head if table is not None else ()
    return f"| {' | '.join(cells)} |\n|{'---|' * len(cells)}"


def _rows(table: Table | None) -> list[str]:
    rows = table.rows if table is not None else ()
    return [f"| {' | '.join(_phrase(cell) for cell in row)} |" for row in rows]


def _phrase(phrase: Phrase) -> str:
    return "".join(_part(part) for part in phrase)


def _part(part: str) -> str:
    if isinstance(part, Value):
        return code(part if len(part) <= _LONGEST_VALUE else f"{part[:_LONGEST_VALUE]}…")
    return f"**{part}**" if isinstance(part, Strong) else part
