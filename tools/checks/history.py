"""What a set with `keep` has after four years of nights, as a table of the documentation.

The nights are virtual, but the rule is the package's: each night it sees what it kept and what is
new, as a set does. Some nights have no backup, as when a server is off or a backup fails.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import Keep, Verdict, kept

RULE = Keep(newest=7, days=14, weeks=5, months=12, years=3, timezone="UTC+08:00")
"""The rule that the page shows beside the table."""
LAST_NIGHT = datetime(2026, 11, 19, 18, tzinfo=UTC)
"""Two in the morning of 2026-11-20 in the rule's time zone."""
NIGHTS = 4 * 365
_MISSING = 0.06
_OFF = range(200, 230)
"""Nights ago on which the server was off."""


def history_table() -> str:
    """Return which copies are there after the last night, and why."""
    made, found = backups(), kept_after_the_last_night()
    rows = [
        f"| {day} | {', '.join(_told(reason) for reason in verdict.reasons)} |"
        for day, verdict in found.items()
    ]
    counted = f"{len(found)} of the {len(made):,} backups have a copy:"
    return "\n".join([counted, "", "| backup of | kept as |", "|---|---|", *rows])


def backups() -> dict[str, str]:
    """Return the backups in order: the day in the rule's time zone, and the time in UTC."""
    chance = random.Random(0)  # noqa: S311 -- no secret is made of it
    made = {}
    for ago in reversed(range(NIGHTS)):
        if ago not in _OFF and (not ago or chance.random() >= _MISSING):
            at = LAST_NIGHT - timedelta(days=ago)
            made[f"{at + timedelta(hours=8):%Y-%m-%d}"] = f"{at:%Y-%m-%dT%H:%M:%S}"
    return made


def kept_after_the_last_night() -> dict[str, Verdict]:
    """Return what is kept, by its day, the newest first."""
    had: dict[str, Member] = {}
    verdicts: dict[str, Verdict] = {}
    for day, made_at in backups().items():
        had[day] = Member(day, created_at=made_at)
        verdicts = {label: one for label, one in kept(had, RULE).items() if one.reasons}
        had = {label: had[label] for label in verdicts}
    return verdicts


def _told(reason: str) -> str:
    """Return a reason without what the row says already."""
    return "day" if reason.startswith("day ") else reason
