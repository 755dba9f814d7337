"""How long members stay: examples, properties, and random histories against an oracle.

Decision record 0040. The guarantee is of the second use of the rule: no replica leaves that would
be kept among the replicas that exist.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pulumi_huaweicloud_cbr.replication.rules.inputs import check_set_inputs
from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import (
    PERIODS,
    Keep,
    keep_of,
    kept,
    still_needed,
    without_default_parts,
)
from tests.unit.replication.rules.retention_oracle import History, oracle

ZONES = ("UTC+00:00", "UTC+05:30", "UTC-03:00", "UTC+14:00", "UTC-12:00")
START = datetime(2022, 12, 25, tzinfo=UTC)
NUMBERS = ("newest", *PERIODS)


def at(*texts: str) -> dict[str, Member]:
    """Return members of these times, which are their labels too."""
    return {text: Member(f"id-{text}", created_at=text) for text in texts}


def reasons(points: Mapping[str, Member], keep: Keep) -> dict[str, tuple[str, ...]]:
    """Return the kept members with their reasons, the newest first."""
    return {label: one.reasons for label, one in kept(points, keep).items() if one.reasons}


# -- examples -------------------------------------------------------------------------------------


def test_each_kept_member_has_its_reasons() -> None:
    points = at("2026-11-20T02:00", "2026-11-19T02:00", "2026-11-13T02:00", "2025-12-31T02:00")
    keep = Keep(newest=1, days=2, weeks=2, months=2, years=2)

    assert {
        "2026-11-20T02:00": (
            *("newest 1 of 1", "day 2026-11-20", "week 2026-W47", "month 2026-11", "year 2026"),
        ),
        "2026-11-19T02:00": ("day 2026-11-19",),
        "2026-11-13T02:00": ("week 2026-W46",),
        "2025-12-31T02:00": ("month 2025-12", "year 2025"),
    } == reasons(points, keep)


@pytest.mark.parametrize(
    ("keep", "why_not"),
    [
        pytest.param(Keep(newest=1), "1 newer backup is kept", id="newest"),
        pytest.param(Keep(newest=2), "2 newer backups are kept", id="two-newest"),
        pytest.param(Keep(days=1), "1 newer day is kept", id="day"),
        pytest.param(Keep(days=2, months=1), "2026-10-31 is its month's newest", id="month"),
        pytest.param(Keep(weeks=3), "2026-10-11 is its week's newest", id="week"),
        pytest.param(Keep(days=3), "2026-10-05 02:00:00 is its day's newest", id="same-day"),
        pytest.param(
            Keep(days=3, timezone="UTC+05:30"),
            "2026-10-05 07:30:00 is its day's newest",
            id="time-in-zone",
        ),
    ],
)
def test_leaving_member_names_what_stands_for_it(keep: Keep, why_not: str) -> None:
    """It is the newest of the shortest period that still counts."""
    points = at("2026-10-31T02:00", "2026-10-11T02:00", "2026-10-05T02:00", "2026-10-05T01:00")

    assert why_not == kept(points, keep)["2026-10-05T01:00"].why_not


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        pytest.param("UTC+00:00", {"2026-11-30", "2026-12-01"}, id="utc"),
        pytest.param("UTC+05:30", {"2026-12-01"}, id="east"),
        pytest.param("UTC-03:00", {"2026-11-30"}, id="west"),
    ],
)
def test_days_and_months_begin_in_the_time_zone(zone: str, days: set[str]) -> None:
    """Half past six in the evening of the last of November in UTC is midnight in India."""
    points = at("2026-11-30T18:30", "2026-12-01T02:59:59")
    found = reasons(points, Keep(days=9, months=9, timezone=zone))
    told = {reason for one in found.values() for reason in one}

    assert {f"day {day}" for day in days} | {f"month {day[:7]}" for day in days} == told


@pytest.mark.parametrize(
    ("older", "newer", "weeks"),
    [
        ("2026-12-27T23:59:59", "2026-12-28T00:00", ("2026-W52", "2026-W53")),
        ("2026-12-31T12:00", "2027-01-03T12:00", ("2026-W53",)),
        ("2027-01-03T12:00", "2027-01-04T00:00", ("2026-W53", "2027-W01")),
        ("2024-12-29T12:00", "2024-12-30T12:00", ("2024-W52", "2025-W01")),
    ],
)
def test_weeks_are_those_of_iso(older: str, newer: str, weeks: tuple[str, ...]) -> None:
    """A week may be of another year than its day."""
    found = reasons(at(older, newer), Keep(weeks=2))

    assert {f"week {week}" for week in weeks} == {reason for (reason,) in found.values()}


def test_period_without_a_member_does_not_count() -> None:
    """After a month without backups, as many months as before are kept."""
    points = at("2026-11-20T02:00", "2026-07-31T02:00", "2026-06-30T02:00", "2026-05-31T02:00")

    assert 3 == len(reasons(points, Keep(months=3)))


def test_members_without_a_time_are_the_oldest_each_in_a_period_of_its_own() -> None:
    """They may be of any day, so none of them stands for another one."""
    points = {"a": Member("a"), "b": Member("b", created_at="no time"), **at("2026-11-20T02:00")}
    keep = Keep(newest=1, months=2)
    found = reasons(points, keep)

    assert ["2026-11-20T02:00", "b"] == list(found)
    assert ("month unknown",) == found["b"]
    assert "2 newer months are kept" == kept(points, keep)["a"].why_not


def test_member_is_needed_until_its_successor_exists() -> None:
    """A copy that was only submitted stands for nothing; an older one that exists does not either.

    This is what `keep_newest` promises, for each period.
    """
    points = at("2026-10-31T02:00", "2026-10-30T02:00", "2026-10-29T02:00")
    last, middle, first = points.values()
    keep = Keep(months=1)

    assert {"m": ("month 2026-10",)} == still_needed({"m": middle}, [middle, first], keep)
    assert {"m": ("month 2026-10",)} == still_needed({"m": middle}, [], keep)
    assert {} == still_needed({"m": middle, "f": first}, [last], keep)
    assert {"m"} == still_needed({"m": middle, "f": first}, [middle, first], keep).keys()


def test_rule_of_inputs_is_the_same_with_floats_and_defaults() -> None:
    """Pulumi passes every number as a float; `keep_newest` is `newest` alone."""
    given = {"newest": 7.0, "days": 14.0, "weeks": 0.0, "months": None, "timezone": "UTC+08:00"}

    assert Keep(newest=7, days=14, timezone="UTC+08:00") == keep_of({"keep": given})
    assert Keep(newest=7) == keep_of({"keep_newest": 7.0}) == keep_of({"keep": {"newest": 7}})
    assert None is keep_of({"backups": {}})
    assert {"newest": 7, "days": 14, "timezone": "UTC+08:00"} == without_default_parts(given)
    assert {} == without_default_parts({"years": 0, "timezone": "UTC+00:00"})


def test_inputs_accept_the_parts_of_the_rule_and_no_others() -> None:
    """A part that the rule has and the check lacks would be refused, or ignored."""
    parts = dict.fromkeys(NUMBERS, 1) | {"timezone": "UTC-03:30"}
    assert set(parts) == set(Keep.__struct_fields__)

    found = {finding.field for finding in check_set_inputs({"keep": {**parts, "hours": 1}})}

    assert {"keep.hours"} == {field for field in found if field.startswith("keep")}


def test_rule_reads_as_it_is_written() -> None:
    keep = Keep(newest=7, days=14, years=3, timezone="UTC+08:00")

    assert "newest 7, days 14, years 3 in UTC+08:00" == str(keep)
    assert "newest 7" == str(Keep(newest=7))


# -- properties -----------------------------------------------------------------------------------

HOUR_S = 3_600
BORDERS = [
    int((datetime.fromisoformat(text).replace(tzinfo=UTC) - START).total_seconds())
    for text in ("2022-12-31T18:30", "2023-01-01T00:00", "2023-01-02T03:00", "2023-02-28T23:59:59")
]
SECONDS = st.one_of(
    st.integers(0, 100 * 24).map(lambda hours: hours * HOUR_S),
    st.sampled_from(BORDERS),
    st.integers(0, 3 * 365 * 24).map(lambda hours: hours * HOUR_S),
)
KEEPS = st.builds(
    Keep,
    newest=st.integers(0, 4),
    days=st.integers(0, 4),
    weeks=st.integers(0, 3),
    months=st.integers(0, 3),
    years=st.integers(0, 2),
    timezone=st.sampled_from(ZONES),
)
POINTS = st.lists(SECONDS, max_size=25).map(
    lambda all_s: {f"m{number}": member_of(number, seconds) for number, seconds in enumerate(all_s)}
)
PROPERTY = settings(derandomize=True, deadline=None, max_examples=100)


def member_of(number: int, seconds: int) -> Member:
    """Return a member made so many seconds after the start."""
    made = START + timedelta(seconds=seconds)
    return Member(f"b{number:04}", created_at=made.isoformat())


@PROPERTY
@given(points=POINTS, keep=KEEPS, more=KEEPS)
def test_larger_numbers_keep_a_superset(points: dict[str, Member], keep: Keep, more: Keep) -> None:
    sums = {name: getattr(keep, name) + getattr(more, name) for name in NUMBERS}
    larger = Keep(**sums, timezone=keep.timezone)

    assert reasons(points, keep).keys() <= reasons(points, larger).keys()


@PROPERTY
@given(points=POINTS, keep=KEEPS, chance=st.randoms(use_true_random=False))
def test_result_does_not_depend_on_what_left_before_or_on_the_order(
    points: dict[str, Member], keep: Keep, chance: random.Random
) -> None:
    """Night after night, the rule sees what it kept and what is new: the same as all at once."""
    labels = list(points)
    chance.shuffle(labels)
    middle = len(labels) // 2
    first = reasons({label: points[label] for label in labels[:middle]}, keep)
    rest = {label: points[label] for label in (*labels[middle:], *first)}
    once = reasons(points, keep)

    assert once == reasons(rest, keep)
    assert once == reasons({label: points[label] for label in once}, keep)
    assert list(once) == list(reasons(rest, keep))


@PROPERTY
@given(points=POINTS, keep=KEEPS)
def test_never_fewer_than_the_newest(points: dict[str, Member], keep: Keep) -> None:
    found = reasons(points, keep)
    newest = sorted(points.values(), key=lambda one: (one.created_at, one.backup_id), reverse=True)

    assert {one.backup_id for one in newest[: keep.newest]} <= {
        points[label].backup_id for label in found
    }
    if points and any(getattr(keep, name) for name in NUMBERS):
        assert newest[0].backup_id == points[next(iter(found))].backup_id


@PROPERTY
@given(points=POINTS, keep=KEEPS, failed=st.sets(st.integers(0, 24)))
@example(points={}, keep=Keep(), failed=set())
def test_no_member_leaves_because_of_a_copy_that_failed_or_is_late(
    points: dict[str, Member], keep: Keep, failed: set[int]
) -> None:
    """Only copies that exist count; each further one makes others leave, never stay for longer."""
    late = {f"m{number}" for number in failed} & points.keys()
    there = {label: member for label, member in points.items() if label not in late}
    needed = still_needed(points, there.values(), keep)

    assert reasons(there, keep) == {label: needed[label] for label in reasons(there, keep)}
    assert {label for label in needed if label not in late} == reasons(there, keep).keys()
    assert still_needed(points, points.values(), keep).keys() <= needed.keys()


@PROPERTY
@given(points=POINTS, keep=KEEPS)
def test_each_member_that_leaves_has_a_reason(points: dict[str, Member], keep: Keep) -> None:
    """Either it stays with reasons, or it leaves with one."""
    assert all(bool(one.reasons) != bool(one.why_not) for one in kept(points, keep).values())


@PROPERTY
@given(
    times=st.lists(
        st.sampled_from(
            [
                *("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00Z", "0001-01-01T00:00:01-12:00"),
                *("9999-12-31T23:59:59-12:00", "9999-12-31T23:59:59Z", "2026-02-31T00:00:00"),
                *("9999-12-31T23:59:59.999999999+14:00", "", "2026-11-20T02:00:00"),
            ]
        )
    ),
    keep=KEEPS,
)
def test_rule_is_total_at_the_ends_of_the_calendar(times: list[str], keep: Keep) -> None:
    points = {str(number): Member(str(number), created_at=at) for number, at in enumerate(times)}

    found = kept(points, keep)

    assert points.keys() == found.keys()
    assert len(found) >= min(keep.newest, len(points))


# -- random histories -----------------------------------------------------------------------------


def rule_of(chance: random.Random) -> Keep:
    """Return a rule such as people write."""
    return Keep(
        newest=chance.choice((0, 1, 3, 7)),
        days=chance.choice((0, 7, 14)),
        weeks=chance.choice((0, 0, 5, 8)),
        months=chance.choice((1, 3, 12, 24)),
        years=chance.choice((0, 1, 3)),
        timezone=chance.choice(ZONES),
    )


@pytest.mark.parametrize("histories", [10, pytest.param(1_000, marks=pytest.mark.full)])
def test_four_years_are_kept_as_the_oracle_says(histories: int) -> None:
    """Sources expire, and runs are late: at any day the set has what the oracle keeps of all."""
    for seed in range(histories):
        chance = random.Random(seed)
        keep = rule_of(chance)
        history = History(chance, nights=4 * 365)
        had: dict[str, Member] = {}
        for made in history.between_runs(runs=5):
            new = {id_: Member(id_, created_at=time) for id_, time in made}
            had = {id_: {**had, **new}[id_] for id_ in reasons({**had, **new}, keep)}

            assert oracle(history.so_far, keep) == had.keys(), f"history {seed}"


@pytest.mark.parametrize(
    ("histories", "nights"), [(2, 120), pytest.param(10, 4 * 365, marks=pytest.mark.full)]
)
def test_replicas_that_exist_are_those_of_all_that_ever_succeeded(
    histories: int, nights: int
) -> None:
    """Copies fail, end late or never; what the oracle keeps of all successes is there each night.

    A set copies what it wants, and deletes what it no longer wants once the rule allows it.
    """
    for seed in range(histories):
        chance = random.Random(seed)
        keep = rule_of(chance)
        history = History(chance, nights=nights)
        wanted: dict[str, Member] = {}
        rows: dict[str, Member] = {}
        there: set[str] = set()
        succeeded: list[tuple[str, str]] = []
        for night, made in enumerate(history.between_runs(runs=nights), 1):
            # What was submitted in an earlier run may have ended by now, in any order.
            for id_ in [id_ for id_ in rows if id_ not in there and chance.random() < 0.6]:
                there.add(id_)
                succeeded.append((id_, rows[id_].created_at or ""))
            new = {id_: Member(id_, created_at=time) for id_, time in made}
            every = {**wanted, **new}
            wanted = {id_: every[id_] for id_ in reasons(every, keep)}
            rows |= wanted
            leaving = {id_: rows[id_] for id_ in rows if id_ not in wanted}
            needed = still_needed(leaving, [rows[id_] for id_ in there], keep)
            for id_ in [id_ for id_ in leaving if id_ not in needed]:
                del rows[id_]
                there.discard(id_)

            if night % (nights // 60) == 0:
                assert oracle(succeeded, keep) <= there, f"history {seed}"
                assert len(rows) <= 2 * len(wanted) + 60
