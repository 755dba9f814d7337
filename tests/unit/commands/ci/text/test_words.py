"""Sizes, ages and lists of names."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from pulumi_huaweicloud_cbr.commands.ci.text.words import age, amount, chunks, names, size, total
from tests.unit.commands.ci.plans import NOW

TODAY = date(2026, 11, 30)


@pytest.mark.parametrize(
    ("gigabytes", "shown"),
    [(0.5, "0.5 GB"), (2, "2 GB"), (120, "120 GB"), (1024, "1 TB"), (1433.6, "1.4 TB")],
)
def test_sizes(gigabytes: float, shown: str) -> None:
    assert shown == size(gigabytes)


def test_a_sum_says_if_a_part_is_not_known() -> None:
    assert ["30 GB", "at least 10 GB", ""] == [total([10, 20]), total([10, None]), total([None])]


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-11-29T23:06:00", "made 3 h ago"),
        ("2026-11-20T02:06:00Z", "made 10 d ago"),
        ("2026-11-30T02:05:30", "just made"),
        ("2026-12-24T00:00:00", "made 24 Dec"),
        ("no time", ""),
        (None, ""),
    ],
)
def test_ages(at: str | None, shown: str) -> None:
    assert shown == age(at, NOW)


def test_amounts() -> None:
    assert ["1 replica", "1,200 replicas"] == [amount(1, "replica"), amount(1200, "replica")]


def days(first: date, count: int, server: str = "app-01") -> list[str]:
    """Return labels of a server's backups, one for each day."""
    return [f"{server}@{first + timedelta(days=n)}T02:00:11" for n in range(count)]


@pytest.mark.parametrize(
    ("labels", "shown"),
    [
        pytest.param(days(date(2026, 11, 20), 7), ["app-01 20 to 26 Nov (7)"], id="days in a row"),
        pytest.param(days(date(2026, 11, 28), 4), ["app-01 28 Nov to 1 Dec (4)"], id="two months"),
        pytest.param(
            days(date(2025, 12, 31), 3), ["app-01 31 Dec 2025 to 2 Jan (3)"], id="two years"
        ),
        pytest.param(days(date(2026, 11, 20), 1), ["app-01 20 Nov"], id="one"),
        pytest.param(
            ["a@2026-11-20T02:00:00", "a@2026-11-20T14:00:00"],
            ["a 20 Nov 02:00:00, 20 Nov 14:00:00 (2)"],
            id="twice a day",
        ),
        pytest.param(["web-9", "web-7", "db"], ["db", "web-7", "web-9"], id="no row"),
        pytest.param([f"web-{n:02}" for n in range(1, 10)], ["web-01 to web-09 (9)"], id="numbers"),
        pytest.param(["a1", "a2", "b1", "b2"], ["a1", "a2", "b1", "b2"], id="short rows"),
        pytest.param(["9", "10", "11"], ["9", "10", "11"], id="other lengths"),
        pytest.param(
            [label for n in range(1, 4) for label in days(date(2026, 11, 20), 7, f"web-{n}")],
            ["web-1 to web-3 20 to 26 Nov (21)"],
            id="servers in a row",
        ),
        pytest.param(["a@2026-02-30T00:00:00"], ["a@2026-02-30T00:00:00"], id="no day"),
    ],
)
def test_names_are_as_short_as_they_can_be_told_apart(labels: list[str], shown: list[str]) -> None:
    assert shown == names(labels, TODAY)


def test_a_name_longer_than_any_of_cbr_keeps_its_ends() -> None:
    (shown,) = names(["a" * 500 + "-end"], TODAY)

    assert len(shown) <= 128
    assert shown.endswith("-end")


def test_chunks_have_all_names() -> None:
    told = [f"n{number}" for number in range(100)]
    parts = list(chunks(told, 50))

    assert told == [name for part in parts for name in part]
    assert len(parts) > 5
