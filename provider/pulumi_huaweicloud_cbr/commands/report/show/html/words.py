"""Ages, sizes, times and verdicts as the page spells them."""

from __future__ import annotations

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands.report.model import (
    IN_STATE,
    MET,
    MISSED,
    ORPHAN,
    OTHER_STACK,
    RUNNING,
    UNCLEAR,
    UNJUDGED,
    UNMARKED,
    UNSEEN,
    UNUSABLE,
    USABLE,
)

MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400
NOTHING = "–"  # noqa: RUF001  an en dash, as in tables

NAMES = {
    MISSED: "missed",
    UNSEEN: "not known",
    MET: "met",
    UNJUDGED: "no objective",
    USABLE: "usable",
    RUNNING: "under way",
    UNUSABLE: "in error",
    IN_STATE: "declared",
    UNCLEAR: "unclear",
    OTHER_STACK: "another stack",
    ORPHAN: "orphan",
    UNMARKED: "no mark",
}
"""Verdicts, states and owners for a reader who does not know the names in the JSON document."""

TYPES = {
    "OS::Nova::Server": "server",
    "OS::Cinder::Volume": "disk",
    "OS::Sfs::Turbo": "file system",
    "OS::Ironic::BareMetalServer": "bare-metal server",
    "OS::Native::Server": "local server",
    "OS::Workspace::DesktopV2": "desktop",
}
"""Types of resources that vaults protect (CBR API reference, ListBackups, resource_type)."""


def age(seconds: float | None) -> str:
    """Return an age in its two largest units, such as ``3 d 4 h``."""
    if seconds is None:
        return NOTHING
    whole = max(0, int(seconds))
    if whole < HOUR_S:
        return f"{whole // MINUTE_S} min"
    if whole < 2 * DAY_S:
        return _joined(whole // HOUR_S, "h", whole % HOUR_S // MINUTE_S, "min")
    return _joined(whole // DAY_S, "d", whole % DAY_S // HOUR_S, "h")


def _joined(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"


def number(value: float | None) -> str:
    """Return a number with its thousands apart, and at most one digit behind the point."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if float(value).is_integer() or value >= 100 else f"{value:,.1f}"


def copies_of(count: int) -> str:
    """Return a number of copies in words."""
    return f"{count:,} {'copy' if count == 1 else 'copies'}"


def money(value: float | None) -> str:
    """Return an amount with its hundredths."""
    return NOTHING if value is None else f"{value:,.2f}"


def when(text: str | None) -> str:
    """Return a time to the minute; a text that is no time as it is."""
    at = moment(text)
    return (text or NOTHING) if at == UNKNOWN else f"{at:%Y-%m-%d %H:%M}"


def named(value: str) -> str:
    """Return what the page calls a verdict, a state or an owner."""
    return NAMES.get(value, value)


def kind(value: str | None) -> str:
    """Return what the page calls a type of resource."""
    return TYPES.get(value or "", value or "")


def clipped(text: str, limit: int) -> str:
    """Return a text of at most `limit` characters."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"
