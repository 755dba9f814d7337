"""How long members of a rolling set stay: the newest ones, and one for each of some periods. Pure.

The rule is applied twice. Among the declared members and those kept so far, it decides which ones
are wanted. Among the members whose copy exists, it decides whether one that is no longer wanted may
go: only if it would not be kept among these. So no copy goes before the one that stands for it
exists (decision records 0028 and 0040).

A period is a day, an ISO week, a month or a year in the rule's time zone. Of each of the most
recent periods *that have a member*, the newest member stays. A period without one does not count,
so a late or failed copy never shortens what is kept.

Source of the numbers and of the time zone's form: CBR API reference, CreatePolicy,
operation_definition. Which backup stands for a period is our choice: the reference does not say it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from msgspec import Struct, structs

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN
from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member, age_of

PERIODS = {"days": "day", "weeks": "week", "months": "month", "years": "year"}
"""The numbers of a rule that count periods, the shortest first, with the word for one."""

Age = tuple[datetime, str]
"""What sorts members: when the backup was made, and its id."""
_Key = tuple[str, str]
"""A period, sortable by time: its name, and, for a member without a time, the backup's id."""


class Keep(Struct, frozen=True):
    """A rule: how many of the newest members stay, and for how many periods one each.

    0 counts nothing. `timezone` is ``UTC±hh:mm``.
    """

    newest: int = 0
    days: int = 0
    weeks: int = 0
    months: int = 0
    years: int = 0
    timezone: str = "UTC+00:00"

    def __str__(self) -> str:
        """Return the rule in words, such as ``newest 7, days 14 in UTC+08:00``."""
        counts = [
            f"{name} {value}" for name in ("newest", *PERIODS) if (value := getattr(self, name))
        ]
        zone = f" in {self.timezone}" if any(getattr(self, name) for name in PERIODS) else ""
        return f"{', '.join(counts)}{zone}"


class Verdict(Struct, frozen=True):
    """What a rule says about a member.

    `reasons`: why it stays, such as ``month 2026-09``; empty if it leaves. `why_not`: why it
    leaves, such as ``2026-10-31 is its month's newest``.
    """

    reasons: tuple[str, ...]
    why_not: str = ""


def keep_of(inputs: Mapping[str, Any]) -> Keep | None:
    """Return the rule of a set's valid inputs, None if the set does not roll.

    `keep_newest` is the rule with nothing but `newest`.
    """
    given = inputs.get("keep")
    if given is None:
        count = inputs.get("keep_newest")
        return None if count is None else Keep(newest=int(count))
    parts: dict[str, Any] = {
        # Every number reaches a provider as a float.
        name: value if name == "timezone" else int(value)
        for name, value in given.items()
        if value is not None
    }
    return Keep(**parts)


def kept(points: Mapping[str, Member], keep: Keep) -> dict[str, Verdict]:
    """Return what the rule says about each member among all of them, the newest first.

    Args:
        points: by label.
    """
    ages = {label: age_of(member) for label, member in points.items()}
    among = Retention(keep, ages.values())
    ordered = sorted(ages.items(), key=lambda pair: pair[1], reverse=True)
    return {label: among.verdict(age) for label, age in ordered}


def still_needed(
    leaving: Mapping[str, Member], succeeded: Iterable[Member], keep: Keep
) -> dict[str, tuple[str, ...]]:
    """Return the leaving members that the rule keeps among those whose copy exists, and why.

    The others may go: for each of them, newer copies exist.

    Args:
        leaving: by label.
        succeeded: the members whose replica exists; leaving ones count too.
    """
    among = Retention(keep, map(age_of, succeeded))
    found = {label: among.reasons(age_of(member)) for label, member in leaving.items()}
    return {label: reasons for label, reasons in found.items() if reasons}


class Retention:
    """A rule, applied among some members. A member need not be one of them to be judged.

    A member without a time counts as the oldest, in periods of its own: it may be of any day.
    """

    def __init__(self, keep: Keep, ages: Iterable[Age]) -> None:
        self._keep = keep
        self._zone = _zone_of(keep.timezone)
        self._counts: dict[str, int] = {
            word: count for name, word in PERIODS.items() if (count := getattr(keep, name))
        }
        self._ages = sorted(ages)
        self._known: dict[Age, dict[str, _Key]] = {}
        self._known = {age: self._periods_of(age) for age in self._ages}
        self._newest: dict[str, dict[_Key, Age]] = {
            word: {periods[word]: age for age, periods in self._known.items()}
            for word in self._counts
        }
        self._periods = {word: sorted(newest) for word, newest in self._newest.items()}

    def verdict(self, age: Age) -> Verdict:
        """Return whether a member stays, and why."""
        reasons = self.reasons(age)
        return Verdict(reasons, "" if reasons else self._why_not(age))

    def reasons(self, age: Age) -> tuple[str, ...]:
        """Return why a member stays among these members and itself; empty if it does not."""
        found = []
        newer = len(self._ages) - bisect_right(self._ages, age)
        if newer < self._keep.newest:
            found.append(f"newest {newer + 1} of {self._keep.newest}")
        for word, period in self._periods_of(age).items():
            if self._is_recent(word, period) and self._newest[word].get(period, age) <= age:
                found.append(f"{word} {period[0] or 'unknown'}")
        return tuple(found)

    def _why_not(self, age: Age) -> str:
        """Return which newer member stands for one that leaves, in its shortest period that counts.

        If none of its periods counts any more, that is the reason.
        """
        for word, period in self._periods_of(age).items():
            if self._is_recent(word, period):
                return f"{self._day(self._newest[word][period], age)} is its {word}'s newest"
        if not self._counts:
            return _are_kept(self._keep.newest, "backup")
        word = list(self._counts)[-1]
        return _are_kept(self._counts[word], word)

    def _is_recent(self, word: str, period: _Key) -> bool:
        periods = self._periods[word]
        newer = len(periods) - bisect_right(periods, period)
        return newer < self._counts[word]

    def _periods_of(self, age: Age) -> dict[str, _Key]:
        """Return the periods of a member that the rule counts, the shortest first."""
        if age in self._known:
            return self._known[age]
        at, backup_id = age
        if at == UNKNOWN:
            return dict.fromkeys(self._counts, ("", backup_id))
        local = self._local(at)
        return {word: (_name_of(word, local), "") for word in self._counts}

    def _day(self, age: Age, other: Age) -> str:
        """Return the day of a member; the time as well, if the other one is of the same day."""
        local = self._local(age[0])
        is_same = local.date() == self._local(other[0]).date()
        if is_same:
            return local.replace(tzinfo=None).isoformat(" ", "seconds")
        return local.date().isoformat()

    def _local(self, at: datetime) -> datetime:
        try:
            return at.astimezone(self._zone)
        except OverflowError:  # beyond the ends of the calendar
            return at


def _name_of(word: str, local: datetime) -> str:
    """Return the name of the period of a time; names sort as the periods do."""
    if word == "week":
        year, week, _ = local.isocalendar()
        return f"{year:04}-W{week:02}"
    # ISO writes the year first, then the month: its beginnings are the names of the others.
    return local.date().isoformat()[: {"year": 4, "month": 7, "day": 10}[word]]


def _are_kept(count: int, word: str) -> str:
    return f"{count} newer {word} is kept" if count == 1 else f"{count} newer {word}s are kept"


def _zone_of(text: str) -> timezone:
    """Return a time zone that is written as ``UTC±hh:mm``."""
    sign, hours, minutes = text[3], int(text[4:6]), int(text[7:9])
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if sign == "-" else offset)


def without_default_parts(keep: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parts of a rule that do not have their default: states have only these."""
    defaults = {each.name: each.default for each in structs.fields(Keep)}
    return {
        name: value
        for name, value in keep.items()
        if value is not None and value != defaults.get(name)
    }
