"""An oracle for `keep`: what a person with a calendar would cross out, and random backups.

It shares nothing with the package but the rule's numbers. It walks back through the backups, newest
first, and notes which periods it has met. Periods are computed by arithmetic on UTC seconds.
"""

from __future__ import annotations

import calendar
import random
import time
from collections.abc import Iterable, Iterator
from typing import Any

DAY_S = 86_400
FIRST_NIGHT_S = calendar.timegm((2023, 1, 1, 0, 0, 0))


def oracle(backups: Iterable[tuple[str, str]], keep: Any) -> set[str]:
    """Return the ids to keep.

    Args:
        backups: ids and times in UTC, as ``2026-11-20T02:00:00``.
        keep: has the numbers by name, and `timezone`.
    """
    hours, minutes = keep.timezone[3:].split(":")
    ahead_s = (int(hours[1:]) * 60 + int(minutes)) * (-60 if hours.startswith("-") else 60)
    walk = sorted(
        ((calendar.timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%S")), id_) for id_, at in backups),
        reverse=True,
    )
    stay = {id_ for _, id_ in walk[: keep.newest]}
    for count, form in (
        (keep.days, "%Y-%j"),
        (keep.weeks, "%G-%V"),
        (keep.months, "%Y-%m"),
        (keep.years, "%Y"),
    ):
        met: list[str] = []
        for utc_s, id_ in walk:
            period = time.strftime(form, time.gmtime(utc_s + ahead_s))
            if len(met) >= count and period not in met:
                break
            if period not in met:
                met.append(period)
                stay.add(id_)
    return stay


class History:
    """Backups of a server over many nights: most nights one, some none, some several.

    `so_far` are those that were made before the last run.
    """

    def __init__(self, chance: random.Random, nights: int) -> None:
        self._chance = chance
        self._nights = nights
        self.so_far: list[tuple[str, str]] = []

    def between_runs(self, runs: int) -> Iterator[list[tuple[str, str]]]:
        """Yield the ids and times of what was made since the run before; each part may be empty."""
        ends = {self._nights, *(self._chance.randint(1, self._nights) for _ in range(runs - 1))}
        if runs >= self._nights:
            ends = set(range(1, self._nights + 1))
        night = 0
        lag = 0
        for end in sorted(ends):
            made: list[tuple[str, str]] = []
            while night < end:
                # Now and then there is no backup for some weeks.
                lag = self._chance.randint(10, 70) if self._chance.random() < 0.004 else lag - 1
                for _ in range(0 if lag > 0 else self._chance.choice((0, 1, 1, 1, 1, 2, 3))):
                    second = FIRST_NIGHT_S + night * DAY_S + self._chance.randrange(DAY_S)
                    made_at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
                    made.append((f"{self._chance.getrandbits(48):012x}", made_at))
                night += 1
            self.so_far += made
            yield made
