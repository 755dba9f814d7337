"""The members of a rolling set: which are kept, and which may leave (decision record 0028)."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member, candidates
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import Keep, kept, still_needed


def day(number: int, form: str = "2026-11-{:02}T02:00:00") -> Member:
    """Return the backup of a day."""
    return Member(f"b{number}", created_at=form.format(number))


def keep_newest(
    declared: dict[str, Member], former: dict[str, Member], count: int
) -> dict[str, Member]:
    """Return the members that a set keeps, the newest first."""
    every = candidates(declared, former)
    verdicts = kept(every, Keep(newest=count))
    return {label: every[label] for label, verdict in verdicts.items() if verdict.reasons}


def rolled_off(leaving: dict[str, Member], succeeded: list[Member], count: int) -> set[str]:
    """Return the leaving members that may go."""
    return leaving.keys() - still_needed(leaving, succeeded, Keep(newest=count)).keys()


FORMS = (
    "2026-11-{:02}T02:00:00",
    "2026-11-{:02}T02:00:00.905331",
    "2026-11-{:02}T02:00:00Z",
    "2026-11-{:02}T10:00:00+08:00",
    "2026-11-{:02}T10:00:00.123456789+08:00",
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_newest_are_kept_whatever_the_form_of_their_times(form: str, other: str) -> None:
    """The program's list and the state's may write times in different forms."""
    declared = {f"d{number}": day(number, form) for number in (3, 5)}
    former = {f"f{number}": day(number, other) for number in (2, 4)}

    assert ["d5", "f4", "d3"] == list(keep_newest(declared, former, 3))


def test_offset_decides_between_two_of_one_night() -> None:
    """As texts, the older one would be the newer one."""
    declared = {
        "older": Member("a", created_at="2026-11-20T09:59:59+08:00"),
        "newer": Member("b", created_at="2026-11-20T02:00:00"),
    }

    assert ["newer"] == list(keep_newest(declared, {}, 1))


@pytest.mark.parametrize(
    ("succeeded", "count", "expected"),
    [
        pytest.param([1, 2], 1, {1}, id="newer-exists"),
        pytest.param([1], 1, set(), id="itself-alone"),
        pytest.param([], 1, set(), id="none-succeeded"),
        pytest.param([2], 1, {1}, id="own-replica-gone"),
        pytest.param([1, 2], 2, set(), id="counts-for-itself"),
        pytest.param([1, 2, 3], 2, {1}, id="enough-newer"),
        pytest.param([1, 3, 4, 5], 2, {1, 2, 3}, id="between"),
        pytest.param([5], 2, set(), id="one-too-few"),
        pytest.param([4, 5], 2, {1, 2, 3}, id="exactly-enough"),
    ],
)
def test_member_leaves_when_enough_newer_copies_succeeded(
    succeeded: list[int], count: int, expected: set[int]
) -> None:
    """A copy that was only submitted does not count."""
    leaving = {str(number): day(number) for number in (1, 2, 3)}

    gone = rolled_off(leaving, [day(number) for number in succeeded], count)

    assert {str(number) for number in expected} == gone


def test_member_of_the_same_moment_is_no_newer_copy_than_itself() -> None:
    """Two backups of one second are ordered by their ids, so never both count as the newer."""
    first, second = (Member(id_, created_at="2026-11-20T02:00:00") for id_ in ("a", "b"))

    assert {"first"} == rolled_off({"first": first, "second": second}, [first, second], 1)


def test_member_without_a_time_is_older_than_all() -> None:
    """It cannot be told from the oldest, so it leaves first."""
    undated = Member("a", created_at=None)

    assert {"undated"} == rolled_off({"undated": undated}, [undated, day(1)], 1)
