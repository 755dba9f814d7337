"""The form of the output `tracking`, and the rules for the inputs of a wait. Pure.

Every replication resource has `tracking`, so that a wait can include it. It names the source and
destination of the copies. Under ``records`` it maps each replication record's id to that of its
source backup. Merged groups keep a thousand replications small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pulumi_huaweicloud_cbr.base.text import excerpt
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding

COORDINATES = (
    "source_region",
    "source_project_id",
    "destination_region",
    "destination_project_id",
    "destination_vault_id",
)
RECORDS = "records"
TIMEOUT_LIMIT_S = 30 * 86400.0
"""A longer timeout is a mistake: CBR keeps its own log of a copy for about 30 days."""
POLL_INTERVAL_S = (0.01, 3600.0)
"""The least and the most, as for ``huaweicloud:pollInterval``."""

Group = dict[str, Any]

_DURATION = r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s)?"
_UNITS_S = {"h": 3600.0, "m": 60.0, "s": 1.0}
_SHOWN_LIMIT = 80
_INPUTS = ("replications", "timeout", "poll_interval")


def merge_groups(groups: Any) -> Any:
    """Merge groups with equal coordinates, in a fixed order.

    Anything but a list of groups is returned unchanged: `check_wait` reports it.
    """
    if not isinstance(groups, (list, tuple)):
        return groups
    if any(_fault_of_group(group) for group in groups):
        return list(groups)
    merged: dict[tuple[str, ...], dict[str, str]] = {}
    for group in groups:
        key = tuple(group[name] for name in COORDINATES)
        merged.setdefault(key, {}).update(group[RECORDS])
    return [
        {**dict(zip(COORDINATES, key, strict=True)), RECORDS: dict(sorted(records.items()))}
        for key, records in sorted(merged.items())
        if records
    ]


def record_ids(groups: Iterable[Group]) -> frozenset[str]:
    """Return the ids of all records in groups."""
    return frozenset(record_id for group in groups for record_id in group[RECORDS])


def without_records(groups: Iterable[Group], known: Iterable[str]) -> list[Group]:
    """Return the groups without the `known` records; groups that become empty are dropped."""
    done = set(known)
    left = (
        {
            **group,
            RECORDS: {
                record_id: backup_id
                for record_id, backup_id in group[RECORDS].items()
                if record_id not in done
            },
        }
        for group in groups
    )
    return [group for group in left if group[RECORDS]]


def seconds_of(duration: object) -> float | None:
    """Return the seconds of ``30m``, ``4h``, ``1h30m``, ``90s`` or a number; None if invalid."""
    if isinstance(duration, (int, float)) and not isinstance(duration, bool):
        return float(min(duration, 1e300))
    if not isinstance(duration, str) or not duration:
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", duration):
        return float(duration)
    parts = re.fullmatch(_DURATION, duration, re.ASCII)
    if parts is None:
        return None
    return sum(_UNITS_S[unit] * float(amount) for unit, amount in parts.groupdict("0").items())


def check_wait(known: Mapping[str, object], unknown: frozenset[str] = frozenset()) -> list[Finding]:
    """Return every fault of the inputs of a wait.

    Args:
        known: inputs whose value is known; None means that the input was left out.
        unknown: names of inputs whose value is not known yet; they are not checked.
    """
    findings = [
        Finding(field, f"is not an input of a wait; known: {', '.join(_INPUTS)}")
        for field in known
        if field not in _INPUTS
    ]
    groups = known.get("replications")
    if groups is None:
        if "replications" not in unknown:
            findings.append(Finding("replications", "is missing; give a list of replications"))
    elif not isinstance(groups, (list, tuple)):
        findings.append(
            Finding("replications", f"is {_shown(groups)}; want a list, each of it {_WANTED}")
        )
    else:
        for number, group in enumerate(groups):
            fault = _fault_of_group(group)
            if fault:
                findings.append(Finding("replications", f"[{number}] {fault}"))
    findings += _check_duration("timeout", known.get("timeout"), 0.0, TIMEOUT_LIMIT_S)
    findings += _check_duration("poll_interval", known.get("poll_interval"), *POLL_INTERVAL_S)
    return findings


_WANTED = "a replication of this package or its `tracking`"


def _fault_of_group(group: object) -> str | None:
    if not isinstance(group, Mapping):
        return f"is {_shown(group)}; want {_WANTED}"
    for field in (*COORDINATES, RECORDS):
        if field not in group:
            return f"has no {field!r}; want {_WANTED}"
    for field in COORDINATES:
        if not isinstance(group[field], str) or not group[field]:
            return f"has {field} {_shown(group[field])}; want text"
    records = group[RECORDS]
    if not isinstance(records, Mapping) or not all(
        isinstance(text, str) and text for pair in records.items() for text in pair
    ):
        return f"has records {_shown(records)}; want record ids with their backups' ids"
    return None


def _check_duration(field: str, value: object, least_s: float, most_s: float) -> list[Finding]:
    if value is None:
        return []
    seconds = seconds_of(value)
    if seconds is None:
        wanted = "want a duration such as '30m', '4h' or '1h30m', or seconds"
        return [Finding(field, f"{_shown(value)} is not a valid duration; {wanted}")]
    if not (least_s <= seconds <= most_s and seconds > 0):
        span = (
            f"{least_s:g} to {most_s:g}"
            if least_s
            else f"more than 0, up to {most_s:.0f} (30 days)"
        )
        return [Finding(field, f"{_shown(value)} is {seconds:.15g} seconds; want {span}")]
    return []


def _shown(value: object) -> str:
    # Every number reaches a provider as a float.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return excerpt(repr(value), _SHOWN_LIMIT)
