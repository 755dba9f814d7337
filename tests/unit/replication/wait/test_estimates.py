"""How long the rest takes, and when to poll again."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.replication.wait.estimates import PollSchedule, ProgressEstimate, about


def seen(*points: tuple[float, float]) -> ProgressEstimate:
    """Return a history with these shares done at these times."""
    course = ProgressEstimate()
    for now, done in points:
        course.see(now, done)
    return course


@pytest.mark.parametrize(
    ("points", "now", "expected"),
    [
        pytest.param([], 10, None, id="never-seen"),
        pytest.param([(0, 0.5)], 10, None, id="one-sample"),
        pytest.param([(0, 0.1), (60, 0.14)], 60, None, id="hardly-moved"),
        pytest.param([(0, 0.1), (0, 0.5)], 0, None, id="same-moment"),
        pytest.param([(0, 0.1), (60, 0.4)], 60, 120.0, id="two-samples"),
        pytest.param([(0, 0.1), (30, 0.11), (60, 0.4)], 60, 120.0, id="whole-course-counts"),
        pytest.param([(0, 0.1), (60, 0.4)], 100, 80.0, id="time-since-the-last-look"),
        pytest.param([(0, 0.1), (60, 0.4)], 1000, 0.0, id="late"),
        pytest.param([(0, 0.9), (60, 0.1), (120, 0.2)], 120, 480.0, id="began-anew"),
    ],
)
def test_rest_is_estimated_from_the_observed_speed(
    points: list[tuple[float, float]], now: float, expected: float | None
) -> None:
    """Two polls and some percent between them give a speed; less gives no estimate."""
    assert expected == pytest.approx(seen(*points).left_s(now))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "about 10 s"),
        (44, "about 40 s"),
        (700, "about 12 min"),
        (5000, "about 1 h 23 min"),
        (9000, "about 2 h 30 min"),
    ],
)
def test_estimate_has_no_precision_that_it_lacks(seconds: float, words: str) -> None:
    """Seconds near the end, minutes before, and tens of minutes for hours."""
    assert words == about(seconds)


def test_pause_grows_to_a_bound_and_starts_again() -> None:
    """While nothing begins or ends, the pause grows by half, up to six intervals."""
    rhythm = PollSchedule(10, jitter=lambda: 1.0)
    pauses = [rhythm.next_s(is_new=False, left_s=None) for _ in range(7)]

    assert [10, 15, 22.5, 33.75, 50.625, 60, 60] == pytest.approx(pauses)
    assert 10 == rhythm.next_s(is_new=True, left_s=None)


def test_pause_shrinks_towards_the_expected_end() -> None:
    """The next poll is after half of the rest, and never before the interval."""
    rhythm = PollSchedule(10, jitter=lambda: 1.0)
    for _ in range(9):
        rhythm.next_s(is_new=False, left_s=None)

    assert [60, 50, 25, 10, 10] == [
        rhythm.next_s(is_new=False, left_s=left_s) for left_s in (600, 100, 50, 12, 0)
    ]


def test_pauses_are_spread() -> None:
    """Waits that began together do not always poll together."""
    rhythm = PollSchedule(10)
    pauses = {rhythm.next_s(is_new=True, left_s=None) for _ in range(20)}

    assert len(pauses) > 1
    assert all(9 <= pause <= 11 for pause in pauses)
