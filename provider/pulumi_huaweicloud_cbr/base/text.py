"""Text that users see: secrets blanked out, values quoted, and the form of a region's id."""

from __future__ import annotations

import re
import threading

from pulumi_huaweicloud_cbr.base.host import current_host

REGION_LIMIT = 255
REGION_CHARACTER = re.compile(r"[A-Za-z0-9._\-]")
REGION_ID = re.compile(rf"{REGION_CHARACTER.pattern}{{1,{REGION_LIMIT}}}")
"""The form of a region's id (CBR API reference, CopyBackup, destination_region). Legacy names such
as ``southchina`` exist, so it is no narrower than what the vendor publishes."""

EXCERPT_CHARS = 256
"""How much of a response body an error may quote."""

# Tokens are long runs of base64 (IAM's begin with MII, those of OIDC have three parts); signatures
# are 64 hex digits; an address may carry user and password, that of a proxy for instance.
_TOKEN_LIKE = re.compile(
    r"MII[A-Za-z0-9+/=_\-]{40,}|eyJ[\w\-]{8,}\.[\w\-]{8,}\.[\w\-]{8,}"
    r"|Signature=[0-9a-fA-F]{16,}|(?<=://)[^\s/?#@]+(?=@)"
)


class _Secrets:
    """What must never be shown."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.values: set[str] = set()


def remember_secret(value: str) -> None:
    """Have `redact` replace this value wherever it turns up in this process."""
    # Shorter strings would blank out ordinary words without protecting anything.
    if len(value) >= 4:
        secrets = current_host().part(_Secrets)
        with secrets.lock:
            secrets.values.add(value)


def redact(text: str) -> str:
    """Return the text with known secrets and anything that looks like one blanked out."""
    secrets = current_host().part(_Secrets)
    with secrets.lock:
        known = sorted(secrets.values, key=len, reverse=True)
    for secret in known:
        text = text.replace(secret, "[secret]")
    return _TOKEN_LIKE.sub("[secret]", text)


def excerpt(text: str, limit: int = EXCERPT_CHARS) -> str:
    """Return the text on one line, redacted and at most `limit` characters long."""
    # Cut only after redaction: a secret cut in half would no longer be recognised.
    line = " ".join(redact(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def quoted(value: object, limit: int = 80) -> str:
    """Return a user's value as an error shows it, whatever it is."""
    try:
        return excerpt(repr(value), limit)
    except (RecursionError, ValueError):
        # Nested without end, or a number of more digits than Python writes.
        return f"this {type(value).__name__}"
