"""Choosing credentials: which of several are used and why, in words that hold no secret.

Sends nothing and signs nothing. `tokens` and `signing` authorise the requests; `chain` searches for
the keys of the vendor's tools.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.chain import ChainKeys, find_way, is_way_given
from pulumi_huaweicloud_cbr.api.auth.signing import AccessKeys, GivenKeys
from pulumi_huaweicloud_cbr.api.auth.tokens import GivenTokens, PasswordSignIn
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import quoted
from pulumi_huaweicloud_cbr.config.settings import Settings, key_of

SHORTEST_SHOWN_KEY = 12
"""If an access key is shorter than this, not even its end is shown."""


class Authenticator(Protocol):
    """Gives each request the credentials that are valid for its project."""

    def for_project(self, scope: ProjectScope) -> Authorisation:
        """Return the authorisation for requests to a project."""
        ...

    def for_lookup(self, region: str) -> tuple[str, Authorisation]:
        """Return the region and the authorisation for IAM's look-up of a region's project."""
        ...


class Choice(Struct, frozen=True):
    """The chosen way of signing in, in words that hold no secret, and the function that makes it.

    `way` is the kind of credentials: token, access_key or password. `described` names the
    identity, the credentials and where they come from. `reason` says why this way was chosen.
    """

    way: str
    described: str
    reason: str
    make: Callable[[Clock], Authenticator]


def make_authenticator(settings: Settings, clock: Clock) -> Authenticator:
    """Return the way of signing in that the settings describe.

    Raises:
        ConfigurationError: as `choose` does.
    """
    return choose(settings).make(clock)


def choose(settings: Settings) -> Choice:
    """Return the first of `_WAYS` that is given, or else the way of the vendor's tools.

    Half an access key is an error even beside other credentials: the user's intention is unknown.

    Raises:
        ConfigurationError: no credentials are given, or only some of their parts.
    """
    if _ACCESS_KEY.is_given(settings):
        _ACCESS_KEY.require(settings)
    given = [way for way in _WAYS if way.is_given(settings)]
    if not given and settings.user_name and not is_way_given():
        # A user's name alone chooses this way only if nothing else is given.
        given = [_PASSWORD]
    if not given:
        found = find_way(settings)
        # Each of these ways gives temporary access keys.
        return Choice(
            _ACCESS_KEY.name,
            found.described,
            _reason(settings, _WAYS, ()),
            lambda clock: AccessKeys(ChainKeys(found, settings, clock), clock),
        )
    chosen, *unused = given
    chosen.require(settings)
    return Choice(
        chosen.name,
        chosen.describe(settings),
        _reason(settings, _WAYS[: _WAYS.index(chosen)], unused),
        lambda clock: chosen.make(settings, clock),
    )


def _reason(settings: Settings, missing: Sequence[_Way], unused: Sequence[_Way]) -> str:
    """Return why a way was chosen: earlier ways are not given, later ones are not used."""
    if missing:
        *others, last = (way.noun for way in missing)
        nouns = f"{', '.join(others)} or {last}" if others else last
        reason = f"no {nouns} is given, which would come first"
    else:
        reason = f"a {_WAYS[0].noun} comes first"
    if unused:
        left = " and ".join(f"the {way.noun}{way.origin(settings)}" for way in unused)
        reason += f"; not used: {left}"
    return reason


def _describe_tokens(settings: Settings) -> str:
    for_all = f"a token{_origin(settings, 'token')}"
    if not settings.tokens:
        return for_all
    projects = "1 project" if len(settings.tokens) == 1 else f"{len(settings.tokens)} projects"
    by_project = f"tokens for {projects}{_origin(settings, 'tokens')}"
    return f"{by_project}, elsewhere {for_all}" if settings.token else by_project


def _describe_access_key(settings: Settings) -> str:
    kind = "temporary access key" if settings.security_token else "access key"
    key = settings.access_key.get_secret_value() if settings.access_key else ""
    # The end of a key identifies it to its owner, and is useless to anybody else.
    tail = f" …{key[-4:]}" if len(key) >= SHORTEST_SHOWN_KEY else ""
    described = f"{kind}{tail}{_origin(settings, 'access_key')}"
    is_configured = [
        settings.origins.get(field, "").startswith("huaweicloud:")
        for field in ("access_key", "secret_key")
    ]
    if is_configured[0] == is_configured[1]:
        return described
    return f"{described}, its secret key{_origin(settings, 'secret_key')}"


def _describe_user(settings: Settings) -> str:
    password = f"the password{_origin(settings, 'password')}"
    user, account = quoted(settings.user_name), quoted(settings.domain_name)
    return f"user {user} of account {account} with {password}"


def _origin(settings: Settings, field: str) -> str:
    origin = settings.origins.get(field)
    return f" from {origin}" if origin else ""


def _require_both_keys(settings: Settings) -> None:
    if missing := _missing(settings, "access_key", "secret_key"):
        raise ConfigurationError(
            f"signing with an access key needs also {missing}",
            remedy="give both, or none of accessKey, secretKey and securityToken",
        )


def _require_user(settings: Settings) -> None:
    if missing := _missing(settings, "user_name", "password", "domain_name"):
        raise ConfigurationError(
            f"signing in with a user name needs also {missing}",
            remedy="domainName is the account's name, userName the IAM user's",
        )


def _require_nothing_else(_: Settings) -> None:
    """Accept: a token needs no other setting."""


def _missing(settings: Settings, *fields: str) -> str:
    return ", ".join(str(key_of(field)) for field in fields if not getattr(settings, field))


class _Way(NamedTuple):
    """A way of signing in: any setting in `given_by` gives it; `require` refuses half of it.

    `name` is for programs, `noun` for people.
    """

    name: str
    noun: str
    given_by: tuple[str, ...]
    require: Callable[[Settings], None]
    describe: Callable[[Settings], str]
    make: Callable[[Settings, Clock], Authenticator]

    def is_given(self, settings: Settings) -> bool:
        return any(getattr(settings, field) for field in self.given_by)

    def origin(self, settings: Settings) -> str:
        return _origin(settings, next(f for f in self.given_by if getattr(settings, f)))


_ACCESS_KEY = _Way(
    "access_key",
    "access key",
    ("access_key", "secret_key", "security_token"),
    _require_both_keys,
    _describe_access_key,
    lambda settings, clock: AccessKeys(GivenKeys(settings), clock),
)
_PASSWORD = _Way(
    "password", "password", ("password",), _require_user, _describe_user, PasswordSignIn
)
_WAYS = (
    _Way(
        "token",
        "token",
        ("tokens", "token"),
        _require_nothing_else,
        _describe_tokens,
        lambda settings, _: GivenTokens(settings),
    ),
    _ACCESS_KEY,
    _PASSWORD,
)
"""The first row that is given is used."""
