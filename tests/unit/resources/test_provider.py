"""`Provider`: its inputs are the settings, and functions ask with them."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.config.setting_names import KEYS
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from pulumi_huaweicloud_cbr.resources._arguments.reading import inputs_of
from pulumi_huaweicloud_cbr.resources.provider import _KEY_OF, Provider, known_settings, settings_of

pytestmark = pytest.mark.anyio


def provider(**given: Any) -> Provider:
    """Return a provider that no engine knows."""
    made = object.__new__(Provider)
    made._name = "account-b"
    made.given = {_KEY_OF[name]: value for name, value in given.items()}
    return made


def test_inputs_are_all_settings() -> None:
    """A new setting is an input too."""
    expected = ["poll_interval" if key.field == "poll_interval_s" else key.field for key in KEYS]

    assert expected == list(inputs_of(cbr.ProviderArgs))


async def test_settings_are_stored_as_in_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """As text, and credentials as secrets, however the program gives them."""
    stored: dict[str, pulumi.Output[str]] = {}

    def register(_: Any, package: str, name: str, properties: Any, _options: Any) -> None:
        assert ("pulumi-python", "account-b") == (package, name)
        stored.update(properties)

    monkeypatch.setattr(pulumi.ProviderResource, "__init__", register)

    cbr.Provider(
        "account-b",
        region="cn-north-4",
        access_key="AK",
        secret_key=pulumi.Output.from_input("not-a-secret-key"),
        tokens={"p1": "t1"},
        endpoints={"cbr": "https://cbr.test"},
        metadata=False,
        poll_interval=2.5,
    )
    assert {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:accessKey": "AK",
        "huaweicloud:secretKey": "not-a-secret-key",
        "huaweicloud:tokens": '{"p1": "t1"}',
        "huaweicloud:endpoints": '{"cbr": "https://cbr.test"}',
        "huaweicloud:metadata": "false",
        "huaweicloud:pollInterval": "2.5",
    } == {key: await value.future() for key, value in stored.items()}
    assert {"huaweicloud:accessKey", "huaweicloud:secretKey", "huaweicloud:tokens"} == {
        key for key, value in stored.items() if await value.is_secret()
    }


def test_settings_of_plain_inputs() -> None:
    """What is left out comes from the environment, and nothing from the stack."""
    given = provider(region="cn-east-3", token="a-token", endpoints={"cbr": "https://cbr.test"})

    settings = settings_of(given)

    assert "cn-east-3" == settings.region
    assert {"cbr": "https://cbr.test"} == settings.endpoints


async def test_settings_that_are_known_later_are_for_output_functions() -> None:
    """A function that answers at once cannot wait for them."""
    later = provider(region="cn-east-3", token=pulumi.Output.secret("a-token"))

    with pytest.raises(cbr.ArgumentsError) as caught:
        cbr.get_backups(opts=pulumi.InvokeOptions(provider=later))

    assert (
        "Provider 'account-b': huaweicloud:token is known later; ask with the function whose name "
        "ends with _output" == str(caught.value)
    )
    assert {"huaweicloud:region": "cn-east-3", "huaweicloud:token": "a-token"} == (
        await known_settings(later).future()
    )
    assert await known_settings(later).is_secret()


async def test_functions_ask_with_the_settings_of_the_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also those that wait for the settings."""
    asked: list[Settings] = []

    def run(session: Session, work: Any) -> str:
        work.close()
        asked.append(session.settings)
        return "a-project"

    monkeypatch.setattr(Session, "run", run)
    expected = Settings.of(region="cn-east-3", token="a-token")
    use_session(Session(expected))
    opts = pulumi.InvokeOptions(provider=provider(region="cn-east-3", token="a-token"))

    assert "a-project" == cbr.get_project_id("cn-east-3", opts=opts)
    assert "a-project" == await cbr.get_project_id_output("cn-east-3", opts=opts).future()
    assert [expected, expected] == asked


def test_other_packages_provider_is_refused() -> None:
    """Its settings are not ours."""
    other = object.__new__(pulumi.ProviderResource)

    with pytest.raises(cbr.ArgumentsError) as caught:
        cbr.get_project_id("cn-east-3", opts=pulumi.InvokeOptions(provider=other))

    assert "opts.provider is a ProviderResource, not a Provider of this package" == (
        str(caught.value)
    )


def test_malformed_settings_are_told_by_the_names_of_inputs() -> None:
    """Also if no resource uses the provider, and together; credentials may be known later."""
    with pytest.raises(cbr.ArgumentsError) as caught:
        cbr.Provider("account-b", metadata="maybe", poll_interval=-1)  # type: ignore[call-overload]

    assert (
        "Provider 'account-b': metadata: is 'maybe'; want true or false | poll_interval: is '-1'; "
        "want seconds from 0.01 to 3600" == str(caught.value)
    )
