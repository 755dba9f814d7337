"""What commands share to print results: wrapped lines, tables, and values without secrets.

Lines break between words only, so that ids and addresses can be searched and copied.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from pulumi_huaweicloud_cbr.base.text import readable, redact, span

COLUMNS = 100
LONGEST = 2000
"""At most this many characters of one text are shown."""
_IN_DAYS_FROM_S = 3 * 86400


def wrapped(head: str, text: str) -> list[str]:
    """Return a text in lines; all but the first one are indented by the width of the head."""
    return textwrap.wrap(
        readable(text, LONGEST) or "-",
        COLUMNS,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )


def table(rows: Sequence[Sequence[str]], indent: str) -> Iterator[str]:
    """Yield rows with aligned cells; the first row is the head."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield f"{indent}{'  '.join(cells)}".rstrip()


def cell(value: object, limit: int = 64) -> str:
    """Return a value as a table shows it; of a longer one, the beginning and the end."""
    text = "-" if value in (None, "") else readable(str(value), LONGEST)
    if len(text) <= limit:
        return text
    # Names of one kind often differ at their ends only, such as those with a date.
    end = (limit - 1) // 2
    return f"{text[: limit - 1 - end]}…{text[len(text) - end :]}"


def redacted(value: Any) -> Any:
    """Return a value without secrets, since a service may return any text as a name."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {key: redacted(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [redacted(member) for member in value]
    return value


def short_age(seconds: float) -> str:
    """Return an age in its largest unit, such as ``10 d``."""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return "new"


def long_age(seconds: int) -> str:
    """Return an age as people compare it: in hours, and from three days on in days."""
    if seconds < _IN_DAYS_FROM_S:
        return span(seconds)
    hours = seconds % 86400 // 3600
    return f"{seconds // 86400} d {hours} h" if hours else f"{seconds // 86400} d"
