"""Times as moments: texts of the API, of programs and of YAML, made comparable. Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

UNKNOWN = datetime.min.replace(tzinfo=UTC)
"""The moment of a text that is no time, or of no text: before all others."""

# What Pulumi makes of a time without quotes in a YAML file is Go's `time.String`, such as
# "2026-11-20 02:00:00.5 +0200 CEST". Where Go's parser knows a form of YAML's not, such as
# "2026-11-20 02:00:00+02:00", it passes the text (both seen with CLI 3.255).
_SPACED = (
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?"
    r"(?: ?(?:Z|([+-])(\d\d):?(\d\d))(?: [A-Z]+| [+-]\d+)?)?"
)


_AGE = r"(\d{1,4})([mhdw])"
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta | None:
    """Return an age such as ``90m``, ``36h``, ``7d`` or ``2w``; None if the text is none."""
    found = re.fullmatch(_AGE, text, re.ASCII)
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def spelled(text: str) -> str:
    """Return a time in the spelling of Go or YAML as the API writes it; another text as it is.

    It is in UTC. A fraction stays as it is written.
    """
    found = re.fullmatch(_SPACED, text, re.ASCII)
    if found is None:
        return text
    day, time, fraction, sign, hours, minutes = found.groups(default="")
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = timezone(-offset if sign == "-" else offset)
        at = datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return text  # no day of the calendar, or beyond its ends
    return f"{at:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def moment(text: str | None) -> datetime:
    """Return a time as a moment with a time zone; `UNKNOWN` if the text is no time.

    CBR writes UTC without saying so. Other texts may have ``Z`` or an offset, and a fraction of any
    length.
    """
    if not text:
        return UNKNOWN
    try:
        found = datetime.fromisoformat(spelled(text))
    except ValueError:
        return UNKNOWN
    # Not turned into UTC: at the ends of the calendar that overflows.
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
