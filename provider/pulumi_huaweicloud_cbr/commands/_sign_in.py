"""How requests are signed in, in words and without secrets; the order is that of `auth`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.auth import describe_credentials
from pulumi_huaweicloud_cbr.commands._account import SignIn
from pulumi_huaweicloud_cbr.errors import ConfigurationError, quoted
from pulumi_huaweicloud_cbr.setting_keys import KEYS

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.settings import Settings

# What httpx reads from the environment, and what so decides which way requests take.
_OF_THE_NETWORK = frozenset(
    {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)


def describe_sign_in(settings: Settings) -> SignIn:
    """Return how these settings sign in, and why in this way."""
    has_token = bool(settings.token or settings.tokens)
    has_key = bool(settings.access_key and settings.secret_key)
    has_password = bool(settings.password)
    others = []
    if has_token and has_key:
        others.append("the access key")
    if (has_token or has_key) and has_password:
        others.append("the password")
    unused = f"; not used: {' and '.join(others)}" if others else ""
    if has_token:
        text = f"tokens for {len(settings.tokens)} project(s)" if settings.tokens else "a token"
        return SignIn("token", f"{text}, as given", f"a token comes first{unused}")
    if has_key:
        kind = "a temporary access key" if settings.security_token else "an access key"
        reason = f"no token is given, which would come first{unused}"
        return SignIn("access_key", f"{kind}, with which each request is signed", reason)
    if has_password:
        user, domain = quoted(settings.user_name), quoted(settings.domain_name)
        return SignIn(
            "password",
            f"user {user} of account {domain}, with a password",
            "neither a token nor an access key is given, which would come first",
        )
    try:
        described = describe_credentials(settings)
    except ConfigurationError:
        return SignIn(None, "not at all", "neither a token, an access key nor a password is given")
    # Whatever way it is, it comes to temporary access keys.
    return SignIn("access_key", described, "nothing is given in the settings, which come first")


def places_of(
    settings: Settings, get: Callable[[str], Any], environ: Mapping[str, str]
) -> dict[str, str]:
    """Return where each setting in use was found: its name there, and which place that is."""
    places = {}
    for key in KEYS:
        if key.field not in settings.origins:
            continue
        if get(f"huaweicloud:{key.config}") not in (None, ""):
            places[f"huaweicloud:{key.config}"] = "stack"
        else:
            name = key.env if environ.get(key.env) or key.sdk_env is None else key.sdk_env
            places[name] = "environment"
    of_network = sorted(name for name in environ if name.upper() in _OF_THE_NETWORK)
    return places | {name: "environment" for name in of_network if environ[name]}
