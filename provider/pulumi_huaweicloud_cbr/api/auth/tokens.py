"""Tokens: given by the user, or obtained with user name and password and renewed in time.

Tokens live in memory only. CBR requires tokens scoped to a project. A token from a regional IAM
endpoint is valid in that region only, so source and destination have one each.
Source: IAM API reference, KeystoneCreateUserTokenByPassword.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.trust import Trust
from pulumi_huaweicloud_cbr.api.transport.http import bare_request
from pulumi_huaweicloud_cbr.api.wire.answers import TokenBody, TokenEnvelope
from pulumi_huaweicloud_cbr.api.wire.decoding import (
    decode,
    error_of,
    is_credential_refused,
    redirection_of,
    request_id_of,
)
from pulumi_huaweicloud_cbr.api.wire.error_codes import is_known
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    ConfigurationError,
    MalformedResponseError,
)
from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.config.settings import Secret, Settings

RENEW_BEFORE_EXPIRY_S = 600.0
"""A token is replaced this long before it expires, so that no request outlives it."""

DEFAULT_TOKEN_LIFETIME_S = 24 * 3600.0
"""IAM API reference: a token lives 24 hours."""

REFUSED_FOR_S = 300.0
"""A refused password is not sent again for this long. Several wrong ones lock the user (IAM API
reference, IAM.0061). The account sets how many, and for how long, so this value is our choice."""


_LIMITS = "a token lives 24 hours at most, and is valid in one project alone"
_ONE_FOR_EACH = (
    "for two regions, give one for each project in huaweicloud:tokens (or HW_AUTH_TOKENS)"
)


class GivenTokenAuth:
    """Sends a token that the user gave; it cannot be renewed.

    `remedy` says what to do if it is refused.
    """

    def __init__(self, token: str, remedy: str) -> None:
        self._token = token
        self._remedy = remedy

    def remedy_for(self, response: Response) -> str | None:
        """Return the remedy for a refusal; None if the error code's own remedy says more."""
        return self._remedy if is_credential_refused(response) else None

    async def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Add the token and send."""
        request.headers["X-Auth-Token"] = self._token
        yield request


class GivenTokens:
    """Tokens that the user gave: by project id, or else one for all projects."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def for_project(self, scope: ProjectScope) -> Authorisation:
        """Return the token for a project.

        Raises:
            ConfigurationError: tokens are given by project, but none for this one.
        """
        token = self._settings.tokens.get(scope.project_id) or self._settings.token
        if token is None:
            raise ConfigurationError(
                f"no token is configured for {scope}",
                remedy=f"set huaweicloud:tokens (or HW_AUTH_TOKENS) for '{scope.project_id}'",
            )
        return self._auth(token, scope.project_id)

    def for_lookup(self, region: str) -> tuple[str, Authorisation]:
        """Use the configured region: a token may be valid only there; IAM knows all projects."""
        tokens = self._settings.tokens
        project_id = self._settings.project_id or ""
        home = tokens.get(project_id) or self._settings.token
        if home is None:
            project_id, home = next(iter(tokens.items()))
        return self._settings.region or region, self._auth(home, project_id)

    def _auth(self, token: Secret, project_id: str) -> GivenTokenAuth:
        if project_id in self._settings.tokens:
            remedy = (
                f"renew the one for '{project_id}' in huaweicloud:tokens (or HW_AUTH_TOKENS): "
                f"{_LIMITS}"
            )
        else:
            remedy = f"renew huaweicloud:token (or HW_AUTH_TOKEN): {_LIMITS}; {_ONE_FOR_EACH}"
        return GivenTokenAuth(token.get_secret_value(), remedy)


class _Token(Struct, frozen=True):
    value: str
    renew_at: float
    project_id: str | None


class PasswordAuth:
    """Gets a project's token with user name and password, keeps it, renews it once if refused."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        trust: Trust[Secret],
        region: str,
        project_id: str | None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._trust = trust
        self._region = region
        self._project_id = project_id
        self._token: _Token | None = None
        self._lock = asyncio.Lock()

    @property
    def project_id(self) -> str | None:
        """Return the project that the token is valid for; None until that is known."""
        return self._project_id or (self._token.project_id if self._token else None)

    @property
    def sign_in_url(self) -> str:
        """The URL where IAM issues tokens."""
        return f"{self._settings.iam_url(self._region)}/v3/auth/tokens"

    async def flow(self, request: Request) -> AsyncGenerator[Request, Response]:
        """Sign in if needed, and send; if the token was refused, renew it and send once more.

        A request to the sign-in's own URL only signs in.
        """
        is_sign_in = request.url == self.sign_in_url
        async with self._lock:
            # Concurrent requests wait here, and find the token when they hold the lock.
            if is_sign_in or not self._has_usable_token():
                async with self._trust.turn(self._password) as password:
                    response = yield self._sign_in_request(password)
                    self._accept(response, password)
        if is_sign_in:
            return
        used = self._stamp(request)
        response = yield request
        if not is_credential_refused(response):
            return
        async with self._lock:
            if self._token is used:
                async with self._trust.turn(self._password) as password:
                    response = yield self._sign_in_request(password)
                    self._accept(response, password)
        self._stamp(request)
        yield request

    def _has_usable_token(self) -> bool:
        return self._token is not None and self._clock.monotonic() < self._token.renew_at

    def _stamp(self, request: Request) -> _Token:
        token = self._token
        if token is None:
            raise RuntimeError("a request was to be stamped before the sign-in was accepted")
        request.headers["X-Auth-Token"] = token.value
        return token

    async def _password(self) -> Secret:
        if self._settings.password is None:
            raise RuntimeError("PasswordAuth was made without a password")
        return self._settings.password

    def _sign_in_request(self, password: Secret) -> Request:
        settings = self._settings
        user = {
            "name": settings.user_name,
            "password": password.get_secret_value(),
            "domain": {"name": settings.domain_name},
        }
        project = {"id": self._project_id} if self._project_id else {"name": self._region}
        return bare_request(
            "POST",
            self.sign_in_url,
            params={"nocatalog": "true"},
            json={
                "auth": {
                    "identity": {"methods": ["password"], "password": {"user": user}},
                    "scope": {"project": project},
                }
            },
        )

    def _accept(self, response: Response, password: Secret) -> None:
        project = f"({self._project_id})" if self._project_id else f"{self._region!r}"
        doing = f"signing in as user {self._settings.user_name!r} to project {project}"
        if response.status in (400, 401, 403, 404):
            refusal = error_of(response, doing)
            remedy = refusal.remedy
            if not is_known(refusal.code):
                remedy = _SIGN_IN_REMEDIES.get(response.status, remedy)
            doubt = self._settings.doubt_about(self._region)
            if doubt and not self._project_id:
                # IAM takes the region's name for that of a project, and finds none.
                remedy = f"{remedy}; {doubt}" if remedy else doubt
            error = refusal.restated_as(AuthenticationError, remedy=remedy)
            if response.status == 401:
                self._trust.refuse(password, error)
            raise error
        if response.status >= 400:
            raise error_of(response, doing)
        if not response.is_success:
            # Even with a token in it: no service redirects and issues a token at once.
            raise redirection_of(response, doing)
        value = response.headers.get("X-Subject-Token")
        if not value:
            raise MalformedResponseError(
                f"{doing}: HTTP {response.status} without a token in X-Subject-Token",
                remedy="check huaweicloud:authUrl or the 'iam' member of huaweicloud:endpoints",
                request_id=request_id_of(response),
            )
        self._trust.accept(password)
        remember_secret(value)
        body = decode(response, TokenEnvelope, doing).token
        lifetime_s = _lifetime_s(body)
        # The local clock may be off, so the lifetime counts from now, not to `expires_at`.
        margin_s = min(RENEW_BEFORE_EXPIRY_S, 0.1 * lifetime_s)
        self._token = _Token(
            value=value,
            renew_at=self._clock.monotonic() + lifetime_s - margin_s,
            project_id=body.project.id if body.project else None,
        )


_SIGN_IN_REMEDIES = {
    401: "check huaweicloud:userName, huaweicloud:password and huaweicloud:domainName",
    403: "the user may not work in this project; ask the account's administrator",
    404: "check the project id or the region's name, and huaweicloud:authUrl",
}


def _lifetime_s(token: TokenBody) -> float:
    if token.expires_at is None or token.issued_at is None:
        return DEFAULT_TOKEN_LIFETIME_S
    return max((token.expires_at - token.issued_at).total_seconds(), 0.0)


class PasswordSignIn:
    """Signs in with user name and password, once for each project."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._trust: Trust[Secret] = Trust(clock, REFUSED_FOR_S)
        self._by_project: dict[ProjectScope, PasswordAuth] = {}
        self._by_region: dict[str, PasswordAuth] = {}

    def for_project(self, scope: ProjectScope) -> Authorisation:
        """Return the sign-in for a project; reuse the one that looked up its id, if any."""
        by_name = self._by_region.get(scope.region)
        if by_name is not None and by_name.project_id == scope.project_id:
            return by_name
        if scope not in self._by_project:
            self._by_project[scope] = self._sign_in(scope.region, scope.project_id)
        return self._by_project[scope]

    def for_lookup(self, region: str) -> tuple[str, Authorisation]:
        """Use the region itself, with a token for the project that has its name."""
        if region not in self._by_region:
            self._by_region[region] = self._sign_in(region, None)
        return region, self._by_region[region]

    def _sign_in(self, region: str, project_id: str | None) -> PasswordAuth:
        return PasswordAuth(self._settings, self._clock, self._trust, region, project_id)
