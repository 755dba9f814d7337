"""Requests signed with an access key: whose key it is, and whether the signature is correct.

This follows the published rules, and shares no code with the provider or the vendor's SDK. Source:
API Gateway guide, "AK/SK Signing and Authentication" (SDK-HMAC-SHA256) and its FAQ.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote, unquote, unquote_plus

from fastapi import Request
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import iam_time, parse_time
from simulator.cloud.cloud import Cloud
from simulator.cloud.specs import AccessKey, Account
from simulator.cloud.store import FailedSignatures

ALGORITHM = "SDK-HMAC-SHA256"
LARGEST_SKEW_S = 15 * 60
UNSIGNED = "UNSIGNED-PAYLOAD"
_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), SignedHeaders=(?P<headers>[a-z0-9;\-]+), "
    r"Signature=(?P<signature>[0-9a-f]{64})"
)
# Were the date not signed, a request could be sent again later. The vendor's SDK for Go does not
# sign the host, and is served: Terraform uses it.
_HAVE_TO_BE_SIGNED = {"x-sdk-date"}

Refuse = Callable[[str], errors.RefusalError]


@dataclass(frozen=True)
class SignedRequest:
    """A request as it was sent: the path is still encoded, and begins with a region's prefix."""

    method: str
    raw_path: str
    query: str
    headers: dict[str, str]
    body: bytes


class _Claim(NamedTuple):
    """The parts of an Authorization header."""

    access_key: str
    headers: tuple[str, ...]
    signature: str


def is_signed(authorization: str | None) -> bool:
    """Whether the caller uses a signature."""
    return (authorization or "").startswith(ALGORITHM)


async def as_sent(request: Request) -> SignedRequest:
    """Return a request in the form that signatures use."""
    return SignedRequest(
        method=request.method,
        raw_path=request.state.raw_path,
        query=request.scope["query_string"].decode("latin-1"),
        headers={name: _decoded(value) for name, value in request.headers.items()},
        body=await request.body(),
    )


def account_of(cloud: Cloud, request: SignedRequest, refuse: Refuse) -> Account:
    """Return the account whose access key signed a request.

    Args:
        refuse: makes a refusal of a reason.
    """
    claim = _claim_of(request, refuse)
    known = _find_key(cloud, claim.access_key)
    if known is None:
        raise refuse(f"ak {claim.access_key} not exist")
    account, key = known
    with cloud.books() as session:
        if _is_locked(cloud, session, claim.access_key):
            raise refuse("AK access failed to reach the limit,forbidden.")
    _require_security_token(cloud, key, request, refuse)
    _require_fresh(cloud, request, refuse)
    wanted = signature_of(request, claim.headers, key.secret_key)
    is_right = hmac.compare_digest(wanted, claim.signature)
    with cloud.books() as session:
        if is_right:
            _forget_failures(session, claim.access_key)
        else:
            _count_failure(cloud, session, claim.access_key)
    if not is_right:
        raise refuse("verify aksk signature fail")
    return account


def signature_of(request: SignedRequest, names: tuple[str, ...], secret_key: str) -> str:
    """Return the signature that a request must have."""
    canonical = "\n".join(
        (
            request.method.upper(),
            canonical_path(request.raw_path),
            canonical_query(request.query),
            "".join(f"{name}:{request.headers[name].strip()}\n" for name in names),
            ";".join(names),
            _body_hash(request),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{request.headers['x-sdk-date']}\n{digest}"
    return hmac.new(secret_key.encode(), to_sign.encode(), hashlib.sha256).hexdigest()


def canonical_path(raw_path: str) -> str:
    """Return a path with each segment encoded, and a trailing slash."""
    path = "/".join(_encoded(segment) for segment in unquote(raw_path).split("/"))
    return path if path.endswith("/") else f"{path}/"


def canonical_query(query: str) -> str:
    """Return a query sorted by name and value, both encoded."""
    pairs = [piece.partition("=")[::2] for piece in query.split("&") if piece]
    decoded = sorted((unquote_plus(name), unquote_plus(value)) for name, value in pairs)
    return "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in decoded)


def _claim_of(request: SignedRequest, refuse: Refuse) -> _Claim:
    match = _AUTHORIZATION.fullmatch(request.headers["authorization"])
    if match is None:
        raise refuse("the authorization header is malformed")
    names = tuple(match["headers"].split(";"))
    unsigned = _HAVE_TO_BE_SIGNED - set(names)
    if unsigned or not set(names) <= request.headers.keys() or sorted(names) != list(names):
        raise refuse("verify aksk signature fail")
    return _Claim(match["access"], names, match["signature"])


def _find_key(cloud: Cloud, access_key: str) -> tuple[Account, AccessKey] | None:
    for account in cloud.world.accounts:
        for user in account.users:
            for key in user.access_keys:
                if key.access_key == access_key:
                    return account, key
    return None


def _require_security_token(
    cloud: Cloud, key: AccessKey, request: SignedRequest, refuse: Refuse
) -> None:
    given = request.headers.get("x-security-token")
    if key.security_token is not None and given is None:
        raise refuse(f"ak {key.access_key} not exist")
    if given is not None and not hmac.compare_digest(
        (key.security_token or "").encode(), given.encode()
    ):
        raise refuse("decrypt token fail")
    if key.expires_at is not None and parse_time(key.expires_at) <= cloud.clock.now():
        raise refuse(f"token expires, expires_at: {iam_time(parse_time(key.expires_at))}")


def _require_fresh(cloud: Cloud, request: SignedRequest, refuse: Refuse) -> None:
    text, here = request.headers["x-sdk-date"], cloud.clock.wall_time()
    try:
        signed_at = datetime.strptime(text, "%Y%m%dT%H%M%S%z")
    except ValueError:
        raise refuse("verify aksk signature fail") from None
    if abs(signed_at.timestamp() - here) > LARGEST_SKEW_S:
        server_time = datetime.fromtimestamp(here, UTC).strftime(_DATE_FORMAT)
        raise refuse(f"signature expired, signature time:{text},server time:{server_time}")


def _body_hash(request: SignedRequest) -> str:
    if request.body and request.headers.get("x-sdk-content-sha256") == UNSIGNED:
        return UNSIGNED
    return hashlib.sha256(request.body).hexdigest()


def _is_locked(cloud: Cloud, session: Session, access_key: str) -> bool:
    failed = session.get(FailedSignatures, access_key)
    if failed is None or failed.count <= cloud.options.max_failed_signatures:
        return False
    if cloud.clock.now() < failed.last_at + cloud.options.access_key_lock_s:
        return True
    _forget_failures(session, access_key)
    return False


def _count_failure(cloud: Cloud, session: Session, access_key: str) -> None:
    failed = session.get(FailedSignatures, access_key)
    if failed is None:
        failed = FailedSignatures(access_key=access_key, count=0)
        session.add(failed)
    failed.count += 1
    failed.last_at = cloud.clock.now()


def _forget_failures(session: Session, access_key: str) -> None:
    failed = session.get(FailedSignatures, access_key)
    if failed is not None:
        session.delete(failed)
        session.flush()


def _encoded(text: str) -> str:
    return quote(text, safe="-_.~")


def _decoded(value: str) -> str:
    # Headers are bytes, which the server reads as Latin-1; the signed text is UTF-8.
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return value
