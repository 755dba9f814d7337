"""`Provider`: settings of its own for some of a program's resources, such as a second account's.

Everything about one account in one place: resources get it as an option, functions as well.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, overload

import pulumi

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.config.setting_names import KEYS, NAMESPACE, SECRET_FIELDS
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, checked, declared
from pulumi_huaweicloud_cbr.resources._arguments.registration import (
    WITHOUT_LINE,
    from_caller_only,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.config.settings import Settings
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import ProviderArgsDict

_PACKAGE = "pulumi-python"
"""The package of all dynamic resources (Pulumi, `pulumi.dynamic`)."""
_INPUT_OF = {"poll_interval_s": "poll_interval"}
_KEY_OF = {_INPUT_OF.get(key.field, key.field): f"{NAMESPACE}:{key.config}" for key in KEYS}
"""The configuration key of each input."""
_NAME_OF = {key: name for name, key in _KEY_OF.items()}
_KEY_IN_TEXT = re.compile(rf"({NAMESPACE}:\w+)(?: \(or \w+\))?")
_CREDENTIALS = {*SECRET_FIELDS, "access_key", "user_name", "domain_name"}


@checked
@dataclass(kw_only=True)
class ProviderArgs:
    """The inputs of `Provider`: the settings of ``huaweicloud:`` in a stack's configuration.

    A setting that is left out comes from the environment. Nothing comes from the stack's
    configuration. Give one way to sign in: an access key, a user, or a token.
    """

    region: pulumi.Input[str] | None = None
    """The region of the backups. A change affects only what resources leave out."""
    project_id: pulumi.Input[str] | None = None
    """The project of the backups. Default: the project named like the region."""
    access_key: pulumi.Input[str] | None = None
    """An access key, which signs each request. Stored encrypted."""
    secret_key: pulumi.Input[str] | None = None
    """The secret key that belongs to it. Stored encrypted."""
    security_token: pulumi.Input[str] | None = None
    """For a temporary access key. Stored encrypted."""
    user_name: pulumi.Input[str] | None = None
    """An IAM user, in place of an access key."""
    password: pulumi.Input[str] | None = None
    """The password of that user. Stored encrypted."""
    domain_name: pulumi.Input[str] | None = None
    """The name of that user's account."""
    token: pulumi.Input[str] | None = None
    """One token for everything. Stored encrypted."""
    tokens: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None
    """Tokens by project id. Stored encrypted."""
    metadata: pulumi.Input[bool] | None = None
    """Whether a server's metadata service may be asked for keys. Default: true."""
    auth_url: pulumi.Input[str] | None = None
    """The address of IAM."""
    cloud: pulumi.Input[str] | None = None
    """The domain of the endpoints. Default: the vendor's own addresses."""
    endpoints: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None = None
    """Addresses of ``cbr`` and ``iam``; ``{region}`` is substituted."""
    insecure: pulumi.Input[bool] | None = None
    """Verify no certificate, with a warning. Default: false."""
    ca_file: pulumi.Input[str] | None = None
    """The file of a private CA."""
    poll_interval: pulumi.Input[float] | None = None
    """Seconds between polls while waiting. Default: 10."""
    owner: pulumi.Input[str] | None = None
    """The name in the marks on replicas. Default: ``project/stack``."""
    mark_replicas: pulumi.Input[bool] | None = None
    """Whether new replicas get a mark. Default: true."""
    force_destroy: pulumi.Input[bool] | None = None
    """Delete last copies as well; meant for one run. Default: false."""
    max_deleted_percent: pulumi.Input[float] | None = None
    """The part of a set's members that an update may delete. Default: 100."""


class Provider(pulumi.ProviderResource):
    """Settings for the resources that have it as their option `provider`.

    Functions take it too: ``opts=pulumi.InvokeOptions(provider=...)``. The engine starts a plugin
    for each provider.
    """

    given: dict[str, Any]
    """The settings by configuration key, as the program gives them."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: ProviderArgs | ProviderArgsDict,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[ProviderArgsDict],
    ) -> None: ...

    def __init__(self, resource_name: Any = None, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, ProviderArgs, resource_name, positional, keywords)
        given = {name: value for name, value in inputs.items() if value is not None}
        _require_valid(resource_name, given)
        self.given = {_KEY_OF[name]: value for name, value in given.items()}
        properties = {_KEY_OF[name]: _stored(name, value) for name, value in given.items()}
        # The SDK would take a line of this package for the program's.
        with from_caller_only(WITHOUT_LINE):
            super().__init__(_PACKAGE, resource_name, properties, opts)


def _require_valid(name: str, given: Mapping[str, Any]) -> None:
    """Refuse malformed settings while the program runs: a preview may not use the provider.

    Credentials are left out. One of a pair may be known later.

    Raises:
        ArgumentsError: the first fault, by the name of the input.
    """
    plain = {
        _KEY_OF[key]: _text(value)
        for key, value in given.items()
        if key not in _CREDENTIALS and not _is_later(value)
    }
    from pulumi_huaweicloud_cbr.config.settings import Settings

    try:
        Settings.load(plain.get, {})
    except ConfigurationError as error:
        told = _KEY_IN_TEXT.sub(lambda found: _NAME_OF.get(found[1], found[1]), str(error))
        raise ArgumentsError(f"Provider {name!r}: {told}") from None


def settings_of(provider: Provider) -> Settings:
    """Return the settings of a provider whose inputs are plain values.

    Raises:
        ArgumentsError: an input is an output, whose value is known later.
        ConfigurationError: a setting is malformed.
    """
    for key, value in provider.given.items():
        if _is_later(value):
            raise ArgumentsError(
                f"Provider {provider.pulumi_resource_name!r}: {key} is known later; ask with the "
                "function whose name ends with _output"
            )
    return load({key: _text(value) for key, value in provider.given.items()})


def known_settings(provider: Provider) -> pulumi.Output[dict[str, str]]:
    """Return the settings of a provider by key, once they are known."""
    return pulumi.Output.all(**provider.given).apply(
        lambda known: {key: _text(value) for key, value in known.items()}
    )


def load(given: Mapping[str, str]) -> Settings:
    """Return settings of values by key; what is left out comes from the environment.

    Raises:
        ConfigurationError: a setting is malformed.
    """
    from pulumi_huaweicloud_cbr.config.settings import Settings

    return Settings.load(given.get, os.environ)


def _stored(name: str, value: Any) -> pulumi.Output[str]:
    """Return an input as the state has it: text, as in a stack's configuration."""
    text = pulumi.Output.from_input(value).apply(_text)
    return pulumi.Output.secret(text) if name in SECRET_FIELDS else text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _is_later(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_later(part) for part in value.values())
    return isinstance(value, (pulumi.Output, Awaitable))
