"""What a wait receives about replications: merged, with every failure reported."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr import check_wait
from pulumi_huaweicloud_cbr.replication.wait.tracking import (
    merge_groups,
    record_ids,
    seconds_of,
    without_records,
)

ONE = "a replication of this package or its `tracking`"


def group(records: dict[str, str], **changes: Any) -> dict[str, Any]:
    """Return a group; None omits a key."""
    whole = {
        "source_region": "cn-north-4",
        "source_project_id": "p",
        "destination_region": "cn-east-3",
        "destination_project_id": "q",
        "destination_vault_id": "v",
        "records": records,
        **changes,
    }
    return {key: value for key, value in whole.items() if value is not None}


def test_groups_of_the_same_route_are_merged() -> None:
    """A thousand copies of the same route have one group, in a stable order."""
    other = group({"r9": "b9"}, destination_vault_id="w")
    singles = [group({f"r{number}": f"b{number}"}) for number in (2, 1, 3)]

    merged = merge_groups([other, *singles, group({})])

    assert [group({"r1": "b1", "r2": "b2", "r3": "b3"}), other] == merged
    assert merged == merge_groups([*reversed(singles), other])
    assert merged == merge_groups(merged)
    assert frozenset({"r1", "r2", "r3", "r9"}) == record_ids(merged)


@pytest.mark.parametrize("value", [None, "text", 5.0, [5.0], [{"records": {}}]])
def test_invalid_groups_are_left_to_the_check(value: Any) -> None:
    """A program's mistake is reported as a failure of the input, not as a traceback."""
    assert value == merge_groups(value)


def test_completed_records_are_omitted() -> None:
    """Groups without remaining records are omitted too."""
    groups = [group({"r1": "b1", "r2": "b2"}), group({"r3": "b3"}, destination_vault_id="w")]

    assert [group({"r2": "b2"})] == without_records(groups, ["r1", "r3"])


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        ("30m", 1800),
        ("4h", 14400),
        ("1h30m", 5400),
        ("1.5h", 5400),
        ("90s", 90),
        ("90", 90),
        (90.0, 90),
        ("1h 30m", None),
        ("-5m", None),
        ("soon", None),
        ("", None),
        (True, None),
        (["30m"], None),
    ],
)
def test_duration(duration: object, seconds: float | None) -> None:
    """Hours, minutes and seconds, or a number of seconds."""
    assert seconds == seconds_of(duration)


@pytest.mark.parametrize(
    ("inputs", "field", "words"),
    [
        ({}, "replications", "is missing; give a list of replications"),
        (
            {"replications": "x"},
            "replications",
            f"is 'x'; want a list, each of it {ONE}",
        ),
        (
            {"replications": [group({}), 5.0]},
            "replications",
            f"[1] is 5; want {ONE}",
        ),
        (
            {"replications": [group({}, source_region=None)]},
            "replications",
            f"[0] has no 'source_region'; want {ONE}",
        ),
        (
            {"replications": [group({}, destination_vault_id=7.0)]},
            "replications",
            "[0] has destination_vault_id 7; want text",
        ),
        (
            {"replications": [group({"r": ""})]},
            "replications",
            "[0] has records {'r': ''}; want record ids with their backups' ids",
        ),
        (
            {"replications": [], "timeout": "soon"},
            "timeout",
            (
                "'soon' is not a valid duration; "
                "want a duration such as '30m', '4h' or '1h30m', or seconds"
            ),
        ),
        (
            {"replications": [], "timeout": 0.0},
            "timeout",
            "0 is 0 seconds; want more than 0, up to 2592000 (30 days)",
        ),
        (
            {"replications": [], "poll_interval": "2h"},
            "poll_interval",
            "'2h' is 7200 seconds; want 0.01 to 3600",
        ),
        (
            {"replications": [], "interval": 1.0},
            "interval",
            "is not an input of a wait; known: replications, timeout, poll_interval",
        ),
    ],
)
def test_fault_of_an_input(inputs: dict[str, object], field: str, words: str) -> None:
    """Each failure names its input, its value and what is expected."""
    (finding,) = check_wait(inputs)

    assert (field, words) == (finding.field, finding.reason)


def test_faults_are_reported_together() -> None:
    """All failures at once, and none for unknown values."""
    findings = check_wait({"timeout": "x", "poll_interval": "y"}, frozenset({"replications"}))

    assert ["timeout", "poll_interval"] == [finding.field for finding in findings]
