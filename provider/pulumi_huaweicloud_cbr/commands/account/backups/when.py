"""Times as a user gives them: a day, a time, or an age such as ``36h``. Pure."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime, timedelta

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, age, moment

When = datetime | timedelta
"""A moment, or an age that counts back from now."""


def when(text: str) -> When:
    """Return the value of an option; a time without a zone is UTC.

    Raises:
        ArgumentTypeError: the text is neither a time nor an age.
    """
    if (found := age(text)) is not None:
        return found
    at = moment(text)
    # No backup is older than the service; far years would overflow in UTC.
    if at == UNKNOWN or not 2000 <= at.year < 9000:
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a time nor an age; want 2026-11-20, 2026-11-20T02:00:00Z, or "
            "90m, 36h, 7d, 2w"
        )
    return at


def as_filter(at: When | None, now: datetime) -> str | None:
    """Return a moment as CBR takes it in filters, in UTC and whole seconds."""
    if at is None:
        return None
    there = now - at if isinstance(at, timedelta) else at.astimezone(UTC)
    return f"{there:%Y-%m-%dT%H:%M:%SZ}"
