"""Times as a user gives them to `backups`."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

import pytest

from pulumi_huaweicloud_cbr.commands._cli.text import short_age
from pulumi_huaweicloud_cbr.commands.account.backups.when import as_filter, when

NOW = datetime(2026, 11, 30, 12, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20", "2026-11-20T00:00:00Z"),
        ("2026-11-20T02:00:11.905331", "2026-11-20T02:00:11Z"),
        ("2026-11-20T02:00:00Z", "2026-11-20T02:00:00Z"),
        ("2026-11-20 02:00:00+08:00", "2026-11-19T18:00:00Z"),
        ("90m", "2026-11-30T10:30:30Z"),
        ("36h", "2026-11-29T00:00:30Z"),
        ("7d", "2026-11-23T12:00:30Z"),
        ("2w", "2026-11-16T12:00:30Z"),
        ("9999w", "1835-04-13T12:00:30Z"),
    ],
)
def test_time_is_a_moment_or_an_age(text: str, expected: str) -> None:
    """A time without a zone is UTC, and an age counts back from now."""
    assert expected == as_filter(when(text), NOW)


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "7", "d", "7y", "-7d", "12345d", "1999-12-31", "9999-12-31", "\u0667d"],
)
def test_other_texts_are_refused(text: str) -> None:
    """The message shows the forms that are taken."""
    with pytest.raises(argparse.ArgumentTypeError, match="want 2026-11-20, 2026-11-20T02:00:00Z"):
        when(text)


def test_no_time_is_no_filter() -> None:
    """None stays None."""
    assert as_filter(None, NOW) is None


@pytest.mark.parametrize(
    ("seconds", "age"),
    [(0, "new"), (59, "new"), (60, "1 min"), (3599, "59 min"), (7300, "2 h"), (900_000, "10 d")],
)
def test_age_has_one_unit(seconds: float, age: str) -> None:
    """The largest unit is enough beside the time itself."""
    assert age == short_age(seconds)
