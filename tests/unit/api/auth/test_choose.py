"""Which of several credentials is used to sign in, and how the choice is described."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.auth.choose import Choice, choose, make_authenticator
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import FakeClock

PASSWORD = {"user_name": "ops-replicator", "password": "<secret>", "domain_name": "acme-cloud"}

# -- which way of signing in ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        pytest.param({"user_name": None}, ["userName"], id="user"),
        pytest.param({"password": None}, ["password"], id="password"),
        pytest.param({"domain_name": None}, ["domainName"], id="domain"),
        pytest.param(
            {"domain_name": None, "user_name": None}, ["userName", "domainName"], id="two"
        ),
    ],
)
def test_make_authenticator_part_missing_is_named(
    changes: dict[str, Any], missing: list[str]
) -> None:
    """Incomplete credentials are refused, and the message names the missing part only."""
    with pytest.raises(ConfigurationError) as caught:
        make_authenticator(Settings.of(**{**PASSWORD, **changes}), FakeClock())

    known = ("userName", "password", "domainName")
    named = [key for key in known if f"huaweicloud:{key}" in caught.value.message]
    assert missing == named


def test_make_authenticator_no_credentials_tells_all_ways() -> None:
    """Without any credentials the message names both ways of giving them."""
    with pytest.raises(ConfigurationError) as caught:
        make_authenticator(Settings.of(domain_name="acme-cloud", metadata=False), FakeClock())

    assert "huaweicloud:userName" in str(caught.value)
    assert "HW_AUTH_TOKEN" in str(caught.value)


# -- in words ------------------------------------------------------------------------------


def chosen(config: dict[str, Any], environ: dict[str, str] | None = None) -> Choice:
    """Return the way of signing in for a user's configuration and environment."""
    given = {f"huaweicloud:{key}": value for key, value in config.items()}
    return choose(Settings.load(given.get, environ or {}))


KEY_PAIR = {"accessKey": "NOBODYSACCESSKEY0001", "secretKey": "nobodys-secret"}
HW_PAIR = {"HW_ACCESS_KEY": "NOBODYSACCESSKEY0002", "HW_SECRET_KEY": "nobodys-secret"}


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        pytest.param({}, {"HW_AUTH_TOKEN": "no-secret"}, "a token from HW_AUTH_TOKEN", id="token"),
        pytest.param(
            {"tokens": {"p": "no-secret"}},
            {},
            "tokens for 1 project from huaweicloud:tokens",
            id="tokens",
        ),
        pytest.param(
            {"tokens": {"p": "no-secret", "q": "no-secret"}, "token": "no-secret"},
            HW_PAIR,
            "tokens for 2 projects from huaweicloud:tokens, elsewhere a token from "
            "huaweicloud:token",
            id="both",
        ),
        pytest.param(
            KEY_PAIR, HW_PAIR, "access key …0001 from huaweicloud:accessKey", id="access-key"
        ),
        pytest.param(
            {},
            {
                "HUAWEICLOUD_SDK_AK": "NOBODYSACCESSKEY0003",
                "HUAWEICLOUD_SDK_SK": "nobodys-secret",
                "HUAWEICLOUD_SDK_SECURITY_TOKEN": "nobodys-token",
            },
            "temporary access key …0003 from HUAWEICLOUD_SDK_AK",
            id="temporary",
        ),
        pytest.param(
            {"accessKey": "NOBODYSACCESSKEY0001"},
            HW_PAIR,
            "access key …0001 from huaweicloud:accessKey, its secret key from HW_SECRET_KEY",
            id="shared-out",
        ),
        pytest.param(
            {"accessKey": "KEY-TOO-BAR", "secretKey": "nobodys-secret"},
            {},
            "access key from huaweicloud:accessKey",
            id="short",
        ),
        pytest.param(
            {"userName": "ops", "domainName": "acme"},
            {"HW_USER_PASSWORD": "nobodys-secret"},
            "user 'ops' of account 'acme' with the password from HW_USER_PASSWORD",
            id="password",
        ),
    ],
)
def test_choose_says_what_counts_and_from_where(
    config: dict[str, Any], environ: dict[str, str], expected: str
) -> None:
    """The chosen way of signing in is named with its source, without secrets."""
    assert expected == chosen(config, environ).described


@pytest.mark.parametrize(
    ("config", "environ", "way", "reason"),
    [
        pytest.param(
            {"token": "no-secret", **KEY_PAIR, "userName": "ops", "password": "nobodys-secret"},
            {},
            "token",
            "a token comes first; not used: the access key from huaweicloud:accessKey and the "
            "password from huaweicloud:password",
            id="all",
        ),
        pytest.param(
            {},
            {**HW_PAIR, "HW_USER_PASSWORD": "nobodys-secret"},
            "access_key",
            "no token is given, which would come first; not used: the password from "
            "HW_USER_PASSWORD",
            id="access-key",
        ),
        pytest.param(
            {"userName": "ops", "domainName": "acme", "password": "nobodys-secret"},
            {},
            "password",
            "no token or access key is given, which would come first",
            id="password",
        ),
        pytest.param(
            {},
            {},
            "access_key",
            "no token, access key or password is given, which would come first",
            id="found",
        ),
    ],
)
def test_choose_says_why_it_is_this_way(
    config: dict[str, Any], environ: dict[str, str], way: str, reason: str
) -> None:
    """The reason names the ways that would come first, and those that are given but not used."""
    choice = chosen(config, environ)

    assert (way, reason) == (choice.way, choice.reason)


def test_choose_credentials_made_by_a_program_have_no_source() -> None:
    """Settings made by a program have no known source."""
    assert "access key" == choose(Settings.of(access_key="a", secret_key="s")).described


def test_choose_refuses_what_cannot_sign_in() -> None:
    """Without a usable way of signing in, the error is the same as for the first request."""
    with pytest.raises(ConfigurationError, match="needs also huaweicloud:secretKey"):
        choose(Settings.of(access_key="a"))
