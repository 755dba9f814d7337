"""Text that users see: redacted secrets, quoted values, lists, durations; a region's id."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable

from pulumi_huaweicloud_cbr.base.process import process_state

REGION_LIMIT = 255
REGION_CHARACTER = r"[A-Za-z0-9._\-]"
REGION_ID = re.compile(rf"{REGION_CHARACTER}{{1,{REGION_LIMIT}}}")
"""The form of a region's id (CBR API reference, CopyBackup, destination_region). It is as wide as
what the vendor publishes, since legacy names such as ``southchina`` exist."""


def is_region_id(name: str) -> bool:
    """Whether the name of a region is its id, and not another name such as ``southchina``.

    Each id that the vendor publishes has a hyphen (Regions and Endpoints); the other names have
    none (CBR API reference, ShowReplicationCapabilities, sample).
    """
    return "-" in name and REGION_ID.fullmatch(name) is not None


EXCERPT_CHARS = 256
"""How much of a response body an error may quote."""

# Patterns are compiled at first use, and `re` keeps them: programs start on every command.

# Tokens are long base64 texts: IAM's begin with MII, those of OIDC have three parts. Signatures are
# 64 hex digits. A URL may have a user and a password, that of a proxy for instance.
_CONFIDENTIAL = (
    r"MII[A-Za-z0-9+/=_\-]{40,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{8,}"
    r"|Signature=[0-9a-fA-F]{16,}|(?<=://)[^\s/?#@]+(?=@)"
)


# Control characters, zero-width ones, and those that change the direction of what follows.
_ACTING = "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"


class _Secrets:
    """The values that must never be shown."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: set[str] = set()


def remember_secret(value: str) -> None:
    """Make `redact` replace this value wherever it appears in this process."""
    # Redacting shorter strings would hide ordinary words and protect nothing.
    if len(value) >= 4:
        secrets = process_state().part(_Secrets)
        with secrets.lock:
            secrets.values.add(value)


def redact(text: str) -> str:
    """Return the text with known secrets, and anything that looks like one, replaced."""
    secrets = process_state().part(_Secrets)
    with secrets.lock:
        known = sorted(secrets.values, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, "[secret]")
    return re.sub(_CONFIDENTIAL, "[secret]", text)


def inert(text: str) -> str:
    """Return the text with the characters escaped that act on a terminal or reorder what it shows.

    Line breaks and tabs stay. Names in CBR, and ids in a state, may have any character.
    """
    return re.sub(_ACTING, lambda found: found[0].encode("unicode_escape").decode(), text)


def excerpt(text: str, limit: int = EXCERPT_CHARS) -> str:
    """Return the text on one line, redacted and at most `limit` characters long."""
    # Cut only after redaction: half a secret would not be recognised.
    line = " ".join(redact(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted(value: object, limit: int = 80) -> str:
    """Return a user's value as an error shows it; any value works."""
    try:
        return excerpt(repr(value), limit)
    except (RecursionError, ValueError):
        # It is nested without end, or a number with more digits than Python prints.
        return f"this {type(value).__name__}"


def listed(labels: Iterable[str], limit: int = 10) -> str:
    """Return labels for a message: the first `limit` of them, and the number of the others."""
    names = list(labels)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def named_ids(ids: Iterable[str], limit: int = 10) -> str:
    """Return ids for a message, at most the first `limit` of them."""
    names = list(ids)
    return ", ".join(names if len(names) <= limit else [*names[:limit], "..."])


def readable(text: str, limit: int = EXCERPT_CHARS) -> str:
    """Return an excerpt without characters that could control the terminal."""
    return "".join(char if char.isprintable() else "\ufffd" for char in excerpt(text, limit))


def counted(number: int, what: str) -> str:
    """Return a number of things, such as ``1 row`` or ``2 rows``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def span(seconds: float) -> str:
    """Return a duration in its two largest units, such as ``3 min 20 s``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _joined(whole // 60, "min", whole % 60, "s")
    return _joined(whole // 3600, "h", whole % 3600 // 60, "min")


def _joined(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large} {large_unit} {small} {small_unit}" if small else f"{large} {large_unit}"
