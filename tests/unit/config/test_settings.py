"""Settings: their sources, their valid values, and that secrets stay hidden."""

from __future__ import annotations

import pickle
from typing import Any

import msgspec
import pytest
from huaweicloudsdkcbr.v1.region.cbr_region import CbrRegion
from huaweicloudsdkcore.auth.internal import IamHelper
from huaweicloudsdkiam.v3.region.iam_region import IamRegion
from msgspec.structs import asdict

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.config.setting_names import KEYS
from pulumi_huaweicloud_cbr.config.settings import Settings

CANARY = "canary-secret-1"


def load(config: dict[str, Any] | None = None, environ: dict[str, str] | None = None) -> Settings:
    """Return settings from configuration, by short keys, and the environment."""
    given = {f"huaweicloud:{key}": value for key, value in (config or {}).items()}
    return Settings.load(given.get, environ or {})


def test_load_configuration_wins_over_environment() -> None:
    """A key in the configuration beats its variable; a variable beats the default."""
    settings = load({"region": "cn-north-4"}, {"HW_REGION_NAME": "x", "HW_CLOUD": "example.org"})

    assert "cn-north-4" == settings.region
    assert "example.org" == settings.cloud


def test_load_same_values_from_other_sources_are_the_same_settings() -> None:
    """Sources are recorded, but do not distinguish settings: a session is shared."""
    configured, in_environment = load({"region": "r"}, {}), load({}, {"HW_REGION_NAME": "r"})

    assert configured == in_environment
    assert configured != load({"region": "s"})
    assert configured != "r"
    assert {"region": "huaweicloud:region"} == configured.origins
    assert {"region": "HW_REGION_NAME"} == in_environment.origins


def test_load_nothing_gives_defaults() -> None:
    """Settings can be read without any value. What is missing is reported when it is needed."""
    settings = load()

    assert settings.region is None
    assert 10.0 == settings.poll_interval_s
    assert not settings.insecure


def test_load_beside_the_vendors_own_provider() -> None:
    """It has the same namespace: its names are understood, and what is not ours is ignored."""
    settings = load(
        {
            "cacertFile": "vendor.pem",
            "endpoints": {"vpc": "no URL of ours", "cbr": "https://cbr.example.org"},
        }
    )

    assert "vendor.pem" == settings.ca_file
    assert {"cbr": "https://cbr.example.org"} == settings.endpoints
    assert "ours.pem" == load({"cacertFile": "vendor.pem", "caFile": "ours.pem"}).ca_file


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.config)
def test_load_empty_value_counts_as_missing(key: Any) -> None:
    """An empty value in configuration or environment counts as missing."""
    assert load() == load({key.config: ""}, {key.env: "", key.sdk_env or "X": ""})


# -- which of several credentials ----------------------------------------------------------

HW_KEYS = {"HW_ACCESS_KEY": "hw-access", "HW_SECRET_KEY": "hw-secret"}
SDK_KEYS = {
    "HUAWEICLOUD_SDK_AK": "sdk-access",
    "HUAWEICLOUD_SDK_SK": "sdk-secret",
    "HUAWEICLOUD_SDK_SECURITY_TOKEN": "sdk-token",
}


def credentials(
    config: dict[str, Any] | None = None, environ: dict[str, str] | None = None
) -> dict[str, str]:
    """Return the credentials that were read."""
    loaded = load(config, environ)
    fields = ("access_key", "secret_key", "security_token", "password", "token")
    values = {field: getattr(loaded, field) for field in fields}
    return {field: value.get_secret_value() for field, value in values.items() if value}


def test_load_access_key_from_the_variables_of_the_vendors_tools() -> None:
    """The vendor's variables are read if none of the usual ones is set."""
    expected = {
        "access_key": "sdk-access",
        "secret_key": "sdk-secret",
        "security_token": "sdk-token",
    }
    assert expected == credentials({}, SDK_KEYS)


def test_load_access_key_of_two_families_is_not_mixed() -> None:
    """One usual variable excludes the vendor's: the parts would not match."""
    expected = {"access_key": "hw-access", "secret_key": "hw-secret"}
    assert expected == credentials({}, HW_KEYS | SDK_KEYS)
    assert {"access_key": "hw-access"} == credentials({}, {"HW_ACCESS_KEY": "hw-access"} | SDK_KEYS)


def test_load_secret_key_in_configuration_takes_no_token_of_the_environment() -> None:
    """A security token in the environment belongs to another secret key."""
    config = {"accessKey": "a", "secretKey": "s"}

    found = credentials(config, HW_KEYS | {"HW_SECURITY_TOKEN": "left-over"})

    assert {"access_key": "a", "secret_key": "s"} == found


def test_load_access_key_may_be_split() -> None:
    """The access key may be in the configuration, and its secret in the environment."""
    expected = {"access_key": "a", "secret_key": "hw-secret", "security_token": "t"}
    assert expected == credentials(
        {"accessKey": "a"}, HW_KEYS | {"HW_SECURITY_TOKEN": "t", "HW_USER_PASSWORD": "p"}
    )


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({"password": "pw"}, {"password": "pw"}, id="password"),
        pytest.param(
            {"accessKey": "a", "secretKey": "s"},
            {"access_key": "a", "secret_key": "s"},
            id="access-key",
        ),
        pytest.param({"token": "tk"}, {"token": "tk"}, id="token"),
    ],
)
def test_load_credentials_in_configuration_beat_others_in_the_environment(
    config: dict[str, str], expected: dict[str, str]
) -> None:
    """The environment does not override the stack's configuration."""
    environ = {"HW_AUTH_TOKEN": "env", "HW_USER_PASSWORD": "env", **HW_KEYS}

    assert expected == credentials(config, environ)


def test_load_names_of_user_and_account_choose_nothing() -> None:
    """A stack that names its user also works with a token or a key of the environment."""
    config = {"userName": "ops", "domainName": "acme"}

    assert {"token": "env"} == credentials(config, {"HW_AUTH_TOKEN": "env"})
    expected = {"access_key": "hw-access", "secret_key": "hw-secret"}
    assert expected == credentials(config, HW_KEYS)


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
        pytest.param({"endpoints": '{"cbr": "x"}'}, "want a URL such as", id="endpoint"),
        pytest.param({"endpoints": '{"cbr": "https://u@x"}'}, "want a URL such as", id="user"),
        pytest.param({"insecure": "perhaps"}, "huaweicloud:insecure (or HW_INSECURE)", id="flag"),
        pytest.param({"pollInterval": "0"}, "want seconds from 0.01 to 3600", id="interval"),
        pytest.param({"pollInterval": "soon"}, "huaweicloud:pollInterval", id="no-number"),
        pytest.param({"tokens": '["a"]'}, "huaweicloud:tokens (or HW_AUTH_TOKENS)", id="tokens"),
    ],
)
def test_load_invalid_value_is_named(config: dict[str, Any], words: str) -> None:
    """An invalid value is reported with its key and its variable, on one line."""
    with pytest.raises(ConfigurationError) as caught:
        load(config)

    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_load_all_invalid_values_are_named_at_once() -> None:
    """Two failures are two parts of one message."""
    with pytest.raises(ConfigurationError) as caught:
        load({"region": "a b", "cloud": "/"})

    assert "huaweicloud:region" in str(caught.value)
    assert "huaweicloud:cloud" in str(caught.value)


@pytest.mark.parametrize("key", ["password", "token", "accessKey", "secretKey", "securityToken"])
def test_secret_is_not_shown(key: str) -> None:
    """Settings as text contain no secret."""
    settings = load({key: CANARY, "tokens": f'{{"project": "{CANARY}"}}'})

    for text in (repr(settings), str(settings), str(asdict(settings))):
        assert CANARY not in text


def test_secret_is_not_stored() -> None:
    """Settings with a secret cannot be pickled, so none gets into the state with a provider."""
    settings = load({"password": CANARY})

    with pytest.raises(TypeError, match="not to be stored"):
        pickle.dumps(settings)
    with pytest.raises(TypeError, match="Secret"):
        msgspec.json.encode(settings)


def test_invalid_secret_is_not_quoted() -> None:
    """An invalid secret is not quoted either."""
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


def vendors_cbr_urls(region: str) -> list[str]:
    """Return the vendor's addresses of CBR: by its table, and by the domain of its IAM table."""
    (of_cbr,) = CbrRegion.static_fields[region].endpoints
    of_iam = IamRegion.static_fields.get(region)
    if of_iam is None:
        return [of_cbr]
    (iam,) = of_iam.endpoints
    return list(dict.fromkeys([of_cbr, iam.replace("//iam.", "//cbr.", 1)]))


def test_vendors_tables_differ_on_one_region() -> None:
    """Otherwise there is an exception too many, or one too few: see docs/decisions/0018."""
    differing = [region for region in CbrRegion.static_fields if len(vendors_cbr_urls(region)) > 1]

    assert ["eu-west-101"] == differing


@pytest.mark.parametrize("region", CbrRegion.static_fields)
def test_addresses_are_those_of_the_vendors_tables(region: str) -> None:
    """Every region in which the vendor's SDK finds CBR has the vendor's addresses here.

    If its tables differ, IAM's domain is used. The other address is suggested when that one cannot
    be reached.
    """
    of_iam = IamRegion.static_fields.get(region)
    # If IAM's table lacks the region, the SDK asks the global endpoint.
    (iam,) = of_iam.endpoints if of_iam else (IamHelper.get_iam_endpoint(region),)

    *others, chosen = vendors_cbr_urls(region)
    other = load().other_cbr_endpoint(region)
    assert chosen == load().cbr_url(region)
    assert others == ([other.replace("{region}", region)] if other else [])
    assert iam == load().iam_url(region)


def test_addresses_of_iam_regions_are_the_vendors() -> None:
    """The vendor's two tables of IAM's regions agree with ours."""
    for region, of_iam in IamRegion.static_fields.items():
        assert list(of_iam.endpoints) == [load().iam_url(region)]


@pytest.mark.parametrize("region", ["eu-de", "eu-nl"])
def test_addresses_of_open_telekom_cloud(region: str) -> None:
    """Another cloud with the same API needs only its domain."""
    settings = load({"cloud": "otc.t-systems.com"})

    assert f"https://cbr.{region}.otc.t-systems.com" == settings.cbr_url(region)
    assert f"https://iam.{region}.otc.t-systems.com" == settings.iam_url(region)


def test_addresses_of_regions_that_the_vendor_does_not_list() -> None:
    """A region that is not listed has the usual address for CBR, and IAM's global one."""
    assert "https://cbr.southchina.myhuaweicloud.com" == load().cbr_url("southchina")
    assert "https://iam.myhuaweicloud.com" == load().iam_url("southchina")


def test_addresses_that_are_configured_overrule_the_vendors() -> None:
    """A domain, an endpoint or an address of IAM takes precedence over every table."""
    named = load({"cloud": "x.org"})
    given = load({"endpoints": {"iam": "https://iam.x.org"}})

    assert "https://iam.af-north-1.x.org" == named.iam_url("af-north-1")
    assert "https://iam.x.org" == given.iam_url("af-north-1")
    assert "https://y.org" == load({"authUrl": "https://y.org/v3"}).iam_url("af-north-1")


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        pytest.param({"cloud": "x.org"}, "https://cbr.eu-west-101.x.org", id="cloud"),
        pytest.param(
            {"endpoints": {"cbr": "https://{region}.x.org"}},
            "https://eu-west-101.x.org",
            id="endpoints",
        ),
        pytest.param(
            {"endpoints": {"cbr": "https://cbr.{region}.myhuaweicloud.com"}},
            "https://cbr.eu-west-101.myhuaweicloud.com",
            id="as-advised",
        ),
    ],
)
def test_addresses_that_are_configured_leave_no_doubt(
    config: dict[str, Any], expected: str
) -> None:
    """If the user has configured the address of CBR, no other one is suggested."""
    settings = load(config)

    assert expected == settings.cbr_url("eu-west-101")
    assert settings.other_cbr_endpoint("eu-west-101") is None


@pytest.mark.parametrize(
    ("region", "meant"),
    [
        ("cn-north-44", "'cn-north-4'"),
        ("cn-nroth-4", "'cn-north-4'"),
        ("cn-nort-4", "'cn-north-4'"),
        ("cn-north-4x", "'cn-north-4'"),
        ("cn-north4", "'cn-north-4'"),
        ("cn-east-8", " or "),
    ],
)
def test_misspelt_region_is_told_with_the_right_one(region: str, meant: str) -> None:
    """One slip of the finger leads to a region of the vendor's table; at most three are told."""
    doubt = Settings().doubt_about(region)

    assert doubt is not None
    assert doubt.startswith(f"the vendor's table has no region {region!r}, did you mean ")
    assert meant in doubt
    assert doubt.count(" or ") <= 2


@pytest.mark.parametrize("region", ["cn-north-4", "my-own-region", ""])
def test_region_that_is_known_or_quite_another_is_in_no_doubt(region: str) -> None:
    """The table may lack a region, so only a likely slip is told."""
    assert Settings().doubt_about(region) is None


def test_region_of_another_cloud_is_in_no_doubt() -> None:
    """The table has the regions of Huawei Cloud alone."""
    assert Settings.of(cloud="otc.t-systems.com").doubt_about("cn-north-44") is None


@pytest.mark.parametrize(
    ("configured", "present", "expected", "origin"),
    [
        ("20", None, 20.0, "huaweicloud:maxDeletedPercent"),
        ("20", "50", 50.0, "HW_MAX_DELETED_PERCENT"),
        (None, "0", 0.0, "HW_MAX_DELETED_PERCENT"),
        (None, None, None, None),
    ],
)
def test_limit_of_deletions_can_be_lifted_for_one_run(
    configured: str | None, present: str | None, expected: float | None, origin: str | None
) -> None:
    """For this setting, the environment goes before the stack's configuration."""
    environ = {} if present is None else {"HW_MAX_DELETED_PERCENT": present}
    loaded = Settings.load({"huaweicloud:maxDeletedPercent": configured}.get, environ)

    assert expected == loaded.max_deleted_percent
    assert origin == loaded.origins.get("max_deleted_percent")
