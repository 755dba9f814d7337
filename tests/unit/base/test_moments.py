"""Times as moments: what the API, programs and YAML write, compared with one another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment, spelled

AT = datetime(2026, 11, 20, 2, 0, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T02:00:11",
        "2026-11-20T02:00:11Z",
        "2026-11-20T02:00:11+00:00",
        "2026-11-20T02:00:11.000000",
        "2026-11-20T02:00:11.000000000",
        "2026-11-20T10:00:11+08:00",
        "2026-11-20T10:00:11+0800",
        "2026-11-19T21:00:11.0-05:00",
        "2026-11-20 02:00:11",
        "2026-11-20 02:00:11Z",
        "2026-11-20 02:00:11 +0000 UTC",
        "2026-11-20 10:00:11 +0800 +0800",
        "2026-11-19 20:30:11 -0530 IST",
    ],
)
def test_moment_is_the_same_in_every_form(text: str) -> None:
    """A zone that is not told is UTC, and a fraction may have any length."""
    assert AT == moment(text)


def test_moments_sort_by_time_and_not_by_text() -> None:
    """As texts, each of these would stand elsewhere."""
    in_order = [
        "2026-11-20T09:59:59+08:00",
        "2026-11-20T02:00:00",
        "2026-11-20T02:00:00.5Z",
        "2026-11-20T02:00:00.905331999",
        "2026-11-20 02:00:01",
        "2026-11-19T21:00:02-05:00",
    ]

    assert in_order == sorted(in_order, key=moment)
    assert in_order != sorted(in_order)


@pytest.mark.parametrize("text", [None, "", "yesterday", "2026-13-01T00:00:00", "1764554400"])
def test_moment_of_what_is_no_time_is_before_all_others(text: str | None) -> None:
    """A record without a date counts as the oldest."""
    assert UNKNOWN == moment(text)
    assert moment(text) < moment("0001-01-02T00:00:00")


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00Z"]
)
def test_moment_at_the_ends_of_the_calendar_is_compared(text: str) -> None:
    """An input may hold them, and nothing may overflow."""
    assert (text[0] == "9") == (moment(text) > AT)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2026-11-20 02:00:00 +0000 UTC", "2026-11-20T02:00:00Z"),
        ("2026-11-20 02:00:00.905331 +0200 CEST", "2026-11-20T00:00:00.905331Z"),
        ("2026-11-20 02:00:00+02:00", "2026-11-20T00:00:00Z"),
        ("2026-11-20 02:00:00.5 Z", "2026-11-20T02:00:00.5Z"),
        ("2026-11-20 02:00:00", "2026-11-20T02:00:00Z"),
        ("2026-11-20T02:00:00", "2026-11-20T02:00:00"),
        ("2026-02-30 02:00:00 +0000 UTC", "2026-02-30 02:00:00 +0000 UTC"),
        ("0001-01-01 00:00:00 +0200 CEST", "0001-01-01 00:00:00 +0200 CEST"),
        ("now", "now"),
    ],
)
def test_spelled_is_a_time_as_the_api_writes_it(given: str, expected: str) -> None:
    """Those of Go and YAML are converted; a text that is no time is told of as it is."""
    assert expected == spelled(given)
