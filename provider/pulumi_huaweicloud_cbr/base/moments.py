"""Times as moments: texts of the API, of programs and of YAML, made comparable. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

UNKNOWN = datetime.min.replace(tzinfo=UTC)
"""The moment of a text that is no time, or of no text: before all others."""


def moment(text: str | None) -> datetime:
    """Return a time as a moment with a time zone; `UNKNOWN` if the text is no time.

    CBR writes UTC without saying so. Other texts may have ``Z`` or an offset, and a fraction of any
    length.
    """
    if not text:
        return UNKNOWN
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return UNKNOWN
    # Not turned into UTC: at the ends of the calendar that overflows.
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found
