"""Signing requests with an access key (SDK-HMAC-SHA256), by the vendor's own signer.

The signature covers what is sent. Path and query are taken from the request's URL, and the
query is sent in the exact form that was signed. Until a key was accepted, one request at a time
uses it. After a refusal it is not tried again for as long as the gateway locks keys.
Several wrong signatures in a row lock a key for everybody who uses it.
Source: API Gateway guide, "AK/SK Signing and Authentication" and its FAQ; vendor SDK core, signer.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.trust import Trust
from pulumi_huaweicloud_cbr.api.wire.decoding import (
    answered_at,
    is_credential_refused,
    parse_error,
    request_id_of,
)
from pulumi_huaweicloud_cbr.api.wire.error_codes import is_known
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError
from pulumi_huaweicloud_cbr.base.text import span
from pulumi_huaweicloud_cbr.config.settings import Settings, key_of

LOCKED_FOR_S = 300.0
"""API Gateway guide: more than five wrong signatures in a row lock an access key for 5 minutes."""

LARGEST_SKEW_S = 900.0
"""API Gateway guide: X-Sdk-Date may differ from the gateway's clock by 15 minutes."""

_DATE_FORMAT = "%Y%m%dT%H%M%SZ"
# Headers that a proxy adds, changes or drops are not signed.
_SIGNED_HEADERS = (
    "Host",
    "Content-Type",
    "X-Sdk-Date",
    "X-Project-Id",
    "X-Security-Token",
)

# Source: API Gateway user guide, "Error Codes"; the first is for IAM's keys, the others are alike.
_SIGNATURE_CODES = frozenset(
    f"{family}.{number}" for family in ("APIGW", "APIG") for number in ("0301", "0303", "0305")
)

_ACCESS_KEY, _SECRET_KEY = key_of("access_key"), key_of("secret_key")
_SECURITY_TOKEN = key_of("security_token")
_CLOCK = "set this machine's clock: more than 15 minutes off the service's is refused"
_LOCKED = (
    "the access key is locked after wrong signatures: correct the secret key wherever it is used, "
    "wait 5 minutes, then run the same command again"
)
_UNKNOWN = f"check {_ACCESS_KEY}; a temporary key has to come with {_SECURITY_TOKEN}"
_EXPIRED = "the temporary keys have expired, get new ones: access key, secret key, security token"
_EXCHANGED = (
    f"{_ACCESS_KEY} and {_SECRET_KEY} look exchanged: give the one of capital letters and digits "
    "as access key"
)
# Source: IAM API reference, CreatePermanentAccessKey: the samples of `access`, and of `secret`,
# which has small letters. No form is documented, so this is only a hint after a refusal.
_LIKE_AN_ACCESS_KEY = re.compile(r"[A-Z0-9]+", re.ASCII)
_OTHER_TOKEN = f"check {_SECURITY_TOKEN}: it belongs to one pair of temporary keys alone"
_WRONG = (
    f"check {_SECRET_KEY}, that it belongs to the access key, "
    f"and for temporary keys {_SECURITY_TOKEN}"
)
# All of these have the same code, so its text has to distinguish them. Any other text, for
# instance in another language, gets the remedy for a wrong secret key.
# Source: API Gateway FAQ, "Incorrect IAM authentication information".
_REMEDIES_FOR_ANY_KEY = (
    ("signature expired", _CLOCK),
    ("reach the limit", _LOCKED),
)
_REMEDIES_FOR_GIVEN_KEYS = (
    ("not exist", _UNKNOWN),
    ("token expires", _EXPIRED),
    ("decrypt token fail", _OTHER_TOKEN),
)


@dataclass(frozen=True)
class Keys:
    """An access key in the form that the vendor's signer reads; temporary if it has a token."""

    ak: str = field(repr=False)
    sk: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)


class KeySource(Protocol):
    """The source of the keys that requests are signed with.

    `remedy` says what to do if they are refused; None if the user gave the keys themselves.
    `are_exchanged`: the two keys look as if each was given in place of the other.
    """

    remedy: str | None
    are_exchanged: bool

    async def current(self, region: str) -> Keys:
        """Return the keys to sign with; `region` is the region of the request."""
        ...

    async def renew(self, refused: Keys, region: str) -> bool:
        """Return whether there are other keys now, after a refusal of these."""
        ...


class GivenKeys:
    """The access key of the settings; there is no other."""

    remedy: str | None = None

    def __init__(self, settings: Settings) -> None:
        if settings.access_key is None or settings.secret_key is None:
            raise RuntimeError("GivenKeys was made without an access key")
        token = settings.security_token
        self._keys = Keys(
            settings.access_key.get_secret_value(),
            settings.secret_key.get_secret_value(),
            token.get_secret_value() if token else None,
        )
        ak, sk = self._keys.ak, self._keys.sk
        is_like_one = bool(_LIKE_AN_ACCESS_KEY.fullmatch(sk))
        self.are_exchanged = is_like_one and not _LIKE_AN_ACCESS_KEY.fullmatch(ak)

    async def current(self, region: str) -> Keys:  # noqa: ARG002 -- they are good everywhere
        """Return the keys."""
        return self._keys

    async def renew(self, refused: Keys, region: str) -> bool:  # noqa: ARG002 -- as above
        """Return False: there are no others."""
        return False


class SignatureAuth:
    """Signs each request anew; `project_id` is None for calls that concern no project."""

    def __init__(
        self,
        source: KeySource,
        clock: Clock,
        trust: Trust[Keys],
        region: str,
        project_id: str | None,
    ) -> None:
        self._source = source
        self._clock = clock
        self._trust = trust
        self._region = region
        self._project_id = project_id

    async def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Sign and send; after a refusal, once more if there are other keys."""
        may_renew = True
        while True:
            async with self._trust.turn(self._current) as keys:
                self._sign(request, keys)
                response = yield request
                may_renew = may_renew and is_credential_refused(response)
                if not (may_renew and await self._source.renew(keys, self._region)):
                    self._learn(response, keys)
                    return
            may_renew = False

    def remedy_for(self, response: Response) -> str | None:
        """Return the remedy for a refusal; None if the error code's own remedy says more."""
        if not is_credential_refused(response):
            return None
        refusal = parse_error(response.text)
        if is_known(refusal.code) and refusal.code not in _SIGNATURE_CODES:
            return None
        off_s = _skew_s(response)
        if off_s is not None and abs(off_s) > LARGEST_SKEW_S:
            side = "ahead of" if off_s > 0 else "behind"
            return f"set this machine's clock: it is {span(abs(off_s))} {side} the service's"
        if self._source.are_exchanged:
            return _EXCHANGED
        remedies: tuple[tuple[str, str], ...] = _REMEDIES_FOR_ANY_KEY
        if self._source.remedy is None:
            remedies += _REMEDIES_FOR_GIVEN_KEYS
        for fragment, remedy in remedies:
            if fragment in refusal.message:
                return remedy
        return self._source.remedy or _WRONG

    async def _current(self) -> Keys:
        return await self._source.current(self._region)

    def _learn(self, response: Response, keys: Keys) -> None:
        if self._trust.is_accepted(keys):
            # After that, a refusal concerns one request only.
            return
        if not is_credential_refused(response):
            # Throttling and gateway faults may come before the gateway checks the signature.
            if response.status not in (407, 429) and response.status < 500:
                self._trust.accept(keys)
            return
        refusal = parse_error(response.text)
        observed = refusal.message or "the answer was empty"
        self._trust.refuse(
            keys,
            AuthenticationError(
                "signing with an access key that was refused less than 5 minutes ago: "
                f"HTTP {response.status}: {observed.rstrip('.。')}",
                status=response.status,
                remedy=self.remedy_for(response),
                code=refusal.code,
                request_id=request_id_of(response) or refusal.request_id,
            ),
        )

    def _sign(self, request: Request, keys: Keys) -> None:
        # Imported with the first request: most programs send none.
        from huaweicloudsdkcore.sdk_request import SdkRequest  # noqa: PLC0415
        from huaweicloudsdkcore.signer.signer import Signer  # noqa: PLC0415

        headers = request.headers
        headers["X-Sdk-Date"] = _utc(self._clock.wall_time()).strftime(_DATE_FORMAT)
        if self._project_id is not None:
            headers["X-Project-Id"] = self._project_id
        headers.pop("X-Security-Token", None)
        if keys.security_token is not None:
            headers["X-Security-Token"] = keys.security_token
        address = urlsplit(request.url)
        signed = SdkRequest(
            method=request.method,
            schema=address.scheme,
            host=headers["Host"],
            resource_path=address.path or "/",
            query_params=_values_by_name(address.query),
            header_params={name: headers[name] for name in _SIGNED_HEADERS if name in headers},
            body=request.body,
        )
        Signer(keys).sign(signed)
        headers.update(signed.header_params)
        # The signed form of the query: it encodes a space as %20, which was + before.
        request.url = f"{address.scheme}://{address.netloc}{signed.uri}"


class AccessKeys:
    """Signs in all projects and regions with the keys of one source."""

    def __init__(self, source: KeySource, clock: Clock) -> None:
        self._source = source
        self._clock = clock
        self._trust: Trust[Keys] = Trust(clock, LOCKED_FOR_S)

    def for_project(self, scope: ProjectScope) -> Authorisation:
        """Return the signature for requests to a project."""
        return self._auth(scope.region, scope.project_id)

    def for_lookup(self, region: str) -> tuple[str, Authorisation]:
        """Use the region itself, on behalf of no project."""
        return region, self._auth(region, None)

    def _auth(self, region: str, project_id: str | None) -> SignatureAuth:
        return SignatureAuth(self._source, self._clock, self._trust, region, project_id)


def _values_by_name(query: str) -> list[tuple[str, Any]]:
    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return list(values.items())


def _skew_s(response: Response) -> float | None:
    """Return how far the request's date is ahead of the response's; None if that has no date."""
    there = answered_at(response)
    if there is None:
        return None
    signed_at = response.request.headers["X-Sdk-Date"]
    return datetime.strptime(signed_at, "%Y%m%dT%H%M%S%z").timestamp() - there


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
