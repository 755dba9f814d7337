"""Settings: where they come from, what they may be, and that secrets stay unseen."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.setting_keys import KEYS
from pulumi_huaweicloud_cbr.settings import Settings

CANARY = "canary-secret-1"


def load(config: dict[str, Any] | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Return settings from configuration, by short keys, and the environment."""
    given = {f"huaweicloud:{key}": value for key, value in (config or {}).items()}
    return Settings.load(given.get, environ or {})


def test_load_configuration_wins_over_environment() -> None:
    """A key in configuration beats its variable; a variable beats the default."""
    settings = load({"region": "cn-north-4"}, {"HW_REGION_NAME": "x", "HW_CLOUD": "example.org"})

    assert "cn-north-4" == settings.region
    assert "example.org" == settings.cloud


def test_load_nothing_gives_defaults() -> None:
    """Nothing is required to read settings; what is missing is told when it is needed."""
    settings = load()

    assert settings.region is None
    assert 10.0 == settings.poll_interval_s
    assert not settings.insecure


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.config)
def test_load_empty_value_counts_as_missing(key: Any) -> None:
    """An empty value in configuration or environment is none at all."""
    assert load() == load({key.config: ""}, {key.env: ""})


@pytest.mark.parametrize(
    ("config", "words"),
    [
        pytest.param({"region": "cn north"}, "huaweicloud:region (or HW_REGION_NAME)", id="region"),
        pytest.param(
            {"projectId": "a/b"}, "huaweicloud:projectId (or HW_PROJECT_ID)", id="project"
        ),
        pytest.param({"cloud": "https://x"}, "huaweicloud:cloud (or HW_CLOUD)", id="cloud"),
        pytest.param({"authUrl": "iam"}, "huaweicloud:authUrl (or HW_AUTH_URL)", id="auth-url"),
        pytest.param({"endpoints": "not json"}, "want a JSON object", id="no-json"),
        pytest.param({"endpoints": '{"ecs": "https://x"}'}, "unknown service 'ecs'", id="service"),
        pytest.param({"endpoints": '{"cbr": "x"}'}, "want a URL such as", id="endpoint"),
        pytest.param({"endpoints": '{"cbr": "https://u@x"}'}, "want a URL such as", id="user"),
        pytest.param({"insecure": "perhaps"}, "huaweicloud:insecure (or HW_INSECURE)", id="flag"),
        pytest.param({"pollInterval": "0"}, "want seconds from 0.01 to 3600", id="interval"),
        pytest.param({"pollInterval": "soon"}, "huaweicloud:pollInterval", id="no-number"),
        pytest.param({"tokens": '["a"]'}, "huaweicloud:tokens (or HW_AUTH_TOKENS)", id="tokens"),
    ],
)
def test_load_malformed_value_is_named(config: dict[str, Any], words: str) -> None:
    """A malformed value is told under its key and its variable, on one line."""
    with pytest.raises(ConfigurationError) as caught:
        load(config)

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load_all_malformed_values_are_named_at_once() -> None:
    """Two faults are two parts of one message."""
    with pytest.raises(ConfigurationError) as caught:
        load({"region": "a b", "cloud": "/"})

    assert "huaweicloud:region" in str(caught.value)
    assert "huaweicloud:cloud" in str(caught.value)


@pytest.mark.parametrize("key", ["password", "token"])
def test_secret_is_not_shown(key: str) -> None:
    """A secret is in no text that settings turn into."""
    settings = load({key: CANARY, "tokens": f'{{"project": "{CANARY}"}}'})

    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert CANARY not in text


def test_malformed_secret_is_not_quoted() -> None:
    """Not even a malformed secret is quoted."""
    with pytest.raises(ConfigurationError) as caught:
        load({"tokens": [CANARY], "region": "a b"})

    assert CANARY not in str(caught.value)
    assert "huaweicloud:tokens" in str(caught.value)


@pytest.mark.parametrize(
    ("config", "cbr", "iam"),
    [
        pytest.param(
            {},
            "https://cbr.cn-north-4.myhuaweicloud.com",
            "https://iam.cn-north-4.myhuaweicloud.com",
            id="default",
        ),
        pytest.param(
            {"cloud": "example.org"},
            "https://cbr.cn-north-4.example.org",
            "https://iam.cn-north-4.example.org",
            id="cloud",
        ),
        pytest.param(
            {"endpoints": {"cbr": "http://127.0.0.1:1/{region}/"}},
            "http://127.0.0.1:1/cn-north-4",
            "https://iam.cn-north-4.myhuaweicloud.com",
            id="override",
        ),
        pytest.param(
            {"authUrl": "https://iam.example.org/v3"},
            "https://cbr.cn-north-4.myhuaweicloud.com",
            "https://iam.example.org",
            id="auth-url-with-version",
        ),
    ],
)
def test_addresses(config: dict[str, Any], cbr: str, iam: str) -> None:
    """Addresses follow the cloud, the overrides and the region."""
    settings = load(config)

    assert cbr == settings.cbr_url("cn-north-4")
    assert iam == settings.iam_url("cn-north-4")


def test_addresses_of_european_regions() -> None:
    """The European sites have a domain of their own, unless another cloud is named."""
    assert "https://cbr.eu-west-101.myhuaweicloud.eu" == load().cbr_url("eu-west-101")
    assert "https://cbr.eu-west-101.x.org" == load({"cloud": "x.org"}).cbr_url("eu-west-101")
