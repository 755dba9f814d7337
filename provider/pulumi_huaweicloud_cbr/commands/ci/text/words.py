"""Numbers, sizes, ages and lists of names, as a reviewer reads them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# The labels of selected members: the server, and when the backup was made.
_DATED = re.compile(r"(.+)@(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)")
_NUMBERED = re.compile(r"(.*?)(\d{1,9})")
_SHORTEST_RUN = 3
_LONGEST_NAME = 128


def amount(count: int, one: str, many: str | None = None) -> str:
    """Return a number of things, such as ``1 replica`` or ``1,200 replicas``."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def size(gigabytes: float) -> str:
    """Return a size, such as ``120 GB`` or ``1.4 TB``."""
    if gigabytes < 1000:
        return (
            f"{gigabytes:,.0f} GB" if gigabytes >= 10 else f"{gigabytes:.1f} GB".replace(".0", "")
        )
    return f"{gigabytes / 1024:,.1f} TB".replace(".0 ", " ")


def total(sizes: Iterable[float | None]) -> str:
    """Return the sum of sizes; empty if none is known."""
    listed = list(sizes)
    known = [one for one in listed if one is not None]
    if not known:
        return ""
    return f"{'at least ' if len(known) < len(listed) else ''}{size(sum(known))}"


def age(happened_at: str | None, now: datetime, verb: str = "made") -> str:
    """Return how long ago something was, such as ``made 3 h ago``; empty if not known."""
    at = moment(happened_at)
    if at == UNKNOWN:
        return ""
    seconds = (now - at).total_seconds()
    if seconds < 0:
        return f"{verb} {day(at.date(), now.date())}"
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{verb} {int(seconds // length)} {unit} ago"
    return f"just {verb}"


def day(at: date, today: date) -> str:
    """Return a day, such as ``20 Nov``, with its year if that is another one."""
    year = "" if at.year == today.year else f" {at.year}"
    return f"{at.day} {_MONTHS[at.month - 1]}{year}"


def time(at: datetime) -> str:
    """Return a moment in UTC, such as ``30 Nov 2026, 02:06 UTC``."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} UTC"


def names(labels: Sequence[str], today: date) -> list[str]:
    """Return all labels, as short as they can be told apart.

    Days in a row of one server, and numbers in a row, become a range with its count.
    """
    dated: dict[str, list[datetime]] = {}
    others = []
    for label in map(_shortened, labels):
        found = _DATED.fullmatch(label)
        at = moment(found[2]) if found else UNKNOWN
        if found and at != UNKNOWN:
            dated.setdefault(found[1], []).append(at)
        else:
            others.append(label)
    return [*_servers(dated, today), *_numbers(others)]


def _servers(dated: dict[str, list[datetime]], today: date) -> list[str]:
    """Return servers with the days of their backups; those in a row with the same days are one."""
    by_days: dict[tuple[str, int], list[str]] = {}
    for server, times in dated.items():
        by_days.setdefault((_days(times, today), len(times)), []).append(server)
    told = []
    for (days, count), servers in by_days.items():
        for run in _rows(servers):
            total_count = count * len(run)
            who = f"{run[0]} to {run[-1]}" if len(run) > 1 else run[0]
            told.append(f"{who} {days}{f' ({total_count})' if total_count > 1 else ''}")
    return told


def _shortened(label: str) -> str:
    """Return a name of which its two ends are left, if it is longer than any that CBR takes."""
    if len(label) <= _LONGEST_NAME:
        return label
    return f"{label[: _LONGEST_NAME - 41]}…{label[-40:]}"


def chunks(told: Sequence[str], most: int) -> Iterator[list[str]]:
    """Yield names in parts of at most so many characters."""
    part: list[str] = []
    length = 0
    for name in told:
        if part and length + len(name) > most:
            yield part
            part, length = [], 0
        part.append(name)
        length += len(name) + 2
    if part:
        yield part


def _days(times: list[datetime], today: date) -> str:
    """Return the times of one server's backups; each is a day, if there is one of that day."""
    times = sorted(times)
    per_day = {at: len(list(group)) for at, group in groupby(times, key=datetime.date)}
    alone = [at for at, count in per_day.items() if count == 1]
    told = [(run[0], _range_of_days(run, today)) for run in _runs(alone)]
    told += [
        (at.date(), f"{day(at.date(), today)} {at:%H:%M}:{at:%S}")
        for at in times
        if per_day[at.date()] > 1
    ]
    return ", ".join(words for _, words in sorted(told))


def _runs(days: list[date]) -> list[list[date]]:
    runs: list[list[date]] = []
    for at in days:
        if runs and at - runs[-1][-1] == timedelta(days=1):
            runs[-1].append(at)
        else:
            runs.append([at])
    return [
        part
        for run in runs
        for part in ([run] if len(run) >= _SHORTEST_RUN else [[at] for at in run])
    ]


def _range_of_days(run: list[date], today: date) -> str:
    first, last = run[0], run[-1]
    if first == last:
        return day(first, today)
    is_same_month = (first.year, first.month) == (last.year, last.month)
    begin = str(first.day) if is_same_month else day(first, today)
    return f"{begin} to {day(last, today)}"


def _numbers(labels: Sequence[str]) -> list[str]:
    """Return labels with numbers in a row as ranges, such as ``app-01 to app-09 (9)``."""
    return [
        f"{run[0]} to {run[-1]} ({len(run)})" if len(run) > 1 else run[0] for run in _rows(labels)
    ]


def _rows(labels: Sequence[str]) -> list[list[str]]:
    """Return labels in rows: those with numbers that follow each other, and others alone."""
    rows: list[list[str]] = []
    for label in sorted(dict.fromkeys(labels), key=_order):
        if rows and _follows(rows[-1][-1], label):
            rows[-1].append(label)
        else:
            rows.append([label])
    return [
        part
        for row in rows
        for part in ([row] if len(row) >= _SHORTEST_RUN else [[one] for one in row])
    ]


def _order(label: str) -> tuple[str, int, int, str]:
    found = _NUMBERED.fullmatch(label)
    return (found[1], len(found[2]), int(found[2]), label) if found else (label, 0, 0, label)


def _follows(label: str, other: str) -> bool:
    one, two = _NUMBERED.fullmatch(label), _NUMBERED.fullmatch(other)
    if not (one and two):
        return False
    is_alike = one[1] == two[1] and len(one[2]) == len(two[2])
    return is_alike and int(two[2]) - int(one[2]) == 1
