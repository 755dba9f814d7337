"""Where the API is and who asks: typed, immutable, checked once; secrets never shown.

Settings come from stack configuration (namespace ``huaweicloud``) or the environment, under
the names that the ecosystem's other Huawei Cloud providers use; configuration wins.
No I/O and no Pulumi here: the caller brings a getter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from huaweicloudsdkcore.auth.endpoint import get_iam_endpoint_by_id
from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError, field_validator
from pydantic_core import from_json

from pulumi_huaweicloud_cbr.errors import ConfigurationError, quoted, remember_secret
from pulumi_huaweicloud_cbr.setting_keys import KEYS, SECRET_FIELDS, Key

DEFAULT_CLOUD = "myhuaweicloud.com"
EU_CLOUD = "myhuaweicloud.eu"
GLOBAL_IAM = "https://iam.myhuaweicloud.com"
"""Where IAM is for regions without an endpoint of its own; its tokens are good in all of them
(IAM API reference, KeystoneCreateUserTokenByPassword; vendor SDK core)."""
DEFAULT_POLL_INTERVAL_S = 10.0

# CBR API reference, CopyBackup: destination_region. Legacy names such as "southchina" exist,
# so nothing narrower than the published pattern is enforced.
_REGION = re.compile(r"[A-Za-z0-9._\-]{1,255}")
_PROJECT_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?")
_SERVICES = ("cbr", "iam")


_KEY_OF = {key.field: key for key in KEYS}
_JSON_FIELDS = ("endpoints", "tokens")
# What signs somebody in, by the way of signing in; the names of a user and an account do not.
_WAYS = (
    frozenset({"token", "tokens"}),
    frozenset({"access_key", "secret_key", "security_token"}),
    frozenset({"password"}),
)
_ACCESS_KEY_FIELDS = _WAYS[1]
_ONE_WORD = re.compile(r"[!-~]+")


class Settings(BaseModel):
    """How to reach CBR and IAM, and with which credentials.

    `endpoints` maps ``cbr`` and ``iam`` to base URLs in which ``{region}`` stands for the region;
    `tokens` maps a project id to a token that is good for it; `poll_interval_s` is in seconds.
    `metadata` says whether a server's metadata service may be asked for keys, as a last resort;
    `origins` maps a field to the key or the variable that its value came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    region: str | None = None
    project_id: str | None = None
    access_key: SecretStr | None = None
    secret_key: SecretStr | None = None
    security_token: SecretStr | None = None
    user_name: str | None = None
    password: SecretStr | None = None
    domain_name: str | None = None
    token: SecretStr | None = None
    tokens: dict[str, SecretStr] = {}
    metadata: bool = True
    auth_url: str | None = None
    cloud: str | None = None
    endpoints: dict[str, str] = {}
    insecure: bool = False
    ca_file: str | None = None
    poll_interval_s: float = DEFAULT_POLL_INTERVAL_S
    origins: dict[str, str] = {}

    @classmethod
    def load(cls, get: Callable[[str], Any], environ: Mapping[str, str]) -> Settings:
        """Build settings from a configuration getter and the environment.

        Where the configuration has what signs somebody in, the environment's other ways of signing
        in are not looked at.

        Args:
            get: returns the value of a full key such as ``huaweicloud:region``, or None.
            environ: usually ``os.environ``.
        Raises:
            ConfigurationError: one or more values are malformed; all of them are named.
        """
        given = _given_values(get, environ)
        for field in SECRET_FIELDS:
            _remember(given.get(field))
        try:
            return cls(**given)
        except ValidationError as error:
            # `from None`: pydantic's own text quotes the inputs, secrets among them.
            raise ConfigurationError(_describe(error)) from None

    def __eq__(self, other: object) -> bool:
        """Whether both lead to the same place as the same caller, wherever values are from."""
        if not isinstance(other, Settings):
            return NotImplemented
        ours, theirs = dict(self), dict(other)
        return ours | {"origins": None} == theirs | {"origins": None}

    __hash__ = None  # type: ignore[assignment] # some of the values are mappings

    @field_validator("region")
    @classmethod
    def _check_region(cls, value: str | None) -> str | None:
        if value is not None and not _REGION.fullmatch(value):
            raise ValueError("want a region id such as 'cn-north-4'")
        return value

    @field_validator("project_id")
    @classmethod
    def _check_project_id(cls, value: str | None) -> str | None:
        if value is not None and not _PROJECT_ID.fullmatch(value):
            raise ValueError("want a project id, 32 hexadecimal digits as a rule")
        return value

    @field_validator("access_key", "secret_key", "security_token")
    @classmethod
    def _check_one_word(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _ONE_WORD.fullmatch(value.get_secret_value()):
            raise ValueError("want letters, digits and signs without spaces or line breaks")
        return value

    @field_validator("cloud")
    @classmethod
    def _check_cloud(cls, value: str | None) -> str | None:
        if value is not None and not _HOST.fullmatch(value):
            raise ValueError(f"want a domain such as '{DEFAULT_CLOUD}'")
        return value

    @field_validator("auth_url")
    @classmethod
    def _check_auth_url(cls, value: str | None) -> str | None:
        return None if value is None else _checked_url(value)

    @field_validator("endpoints")
    @classmethod
    def _check_endpoints(cls, value: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(value) - set(_SERVICES))
        if unknown:
            raise ValueError(f"unknown service {unknown[0]!r}, known are 'cbr' and 'iam'")
        return {service: _checked_url(url) for service, url in value.items()}

    @field_validator("poll_interval_s")
    @classmethod
    def _check_poll_interval(cls, value: float) -> float:
        if not 0.01 <= value <= 3600:
            raise ValueError("want seconds from 0.01 to 3600")
        return value

    def cbr_url(self, region: str) -> str:
        """Return the base URL of CBR in a region, without a trailing slash."""
        return self._base_url("cbr", region)

    def other_cbr_endpoint(self, region: str) -> str | None:
        """Return where else CBR of a region may be, in the form that `endpoints` takes.

        None where the vendor's tables agree, or where the user has said where it is.
        """
        is_set = bool(self.cloud) or "cbr" in self.endpoints
        if is_set or self._cloud_of(region) == DEFAULT_CLOUD:
            return None
        return f"https://cbr.{{region}}.{DEFAULT_CLOUD}"

    def iam_url(self, region: str) -> str:
        """Return the base URL of IAM for a region, without a trailing slash or version."""
        if self.auth_url:
            return re.sub(r"/v3/?$", "", self.auth_url.replace("{region}", region)).rstrip("/")
        if "iam" not in self.endpoints and self._cloud_of(region) == DEFAULT_CLOUD:
            # The vendor's own table: not all regions have an IAM of their own.
            known: str = get_iam_endpoint_by_id(region, GLOBAL_IAM)
            return known
        return self._base_url("iam", region)

    def is_known_region(self, region: str) -> bool:
        """Whether the vendor's table of regions has it; there may be others."""
        return get_iam_endpoint_by_id(region, None) is not None

    def _base_url(self, service: str, region: str) -> str:
        override = self.endpoints.get(service)
        if override:
            return override.replace("{region}", region).rstrip("/")
        return f"https://{service}.{region}.{self._cloud_of(region)}"

    def _cloud_of(self, region: str) -> str:
        if self.cloud:
            return self.cloud
        # The European site has a domain of its own: the vendor's Terraform provider says so by this
        # prefix, and most of its tables by region (docs/decisions/0018). The table of SDK core, all
        # that is installed with this package, lacks the region.
        return EU_CLOUD if region.startswith("eu-west-1") else DEFAULT_CLOUD


def _checked_url(value: str) -> str:
    if not _is_url(value.replace("{region}", "region")):
        raise ValueError("want a URL such as 'https://cbr.{region}.myhuaweicloud.com'")
    return value


def _is_url(text: str) -> bool:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[!-~]*)?", text) or set(text) & set("?#"):
        return False
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return ":" in host or bool(_HOST.fullmatch(host))


def key_of(field: str) -> Key:
    """Return the names of a setting by that of its field."""
    return _KEY_OF[field]


def _given_values(get: Callable[[str], Any], environ: Mapping[str, str]) -> dict[str, Any]:
    configured = _non_empty({key.field: get(f"huaweicloud:{key.config}") for key in KEYS})
    present = _non_empty({key.field: environ.get(key.env) for key in KEYS})
    origins = {key.field: key.env for key in KEYS}
    if not present.keys() & _ACCESS_KEY_FIELDS:
        # An access key comes from one family of variables whole: parts of two do not fit together.
        of_sdk = {key.field: environ.get(key.sdk_env) for key in KEYS if key.sdk_env}
        present |= _non_empty(of_sdk)
        origins |= {key.field: key.sdk_env for key in KEYS if key.sdk_env}
    if any(configured.keys() & way for way in _WAYS):
        for way in _WAYS:
            if not configured.keys() & way:
                present = {field: present[field] for field in present.keys() - way}
    if "secret_key" in configured:
        # A security token belongs to the one secret key that it was issued with.
        present.pop("security_token", None)
    origins |= {field: f"huaweicloud:{key_of(field).config}" for field in configured}
    values = {**present, **configured}
    given = {key.field: _parsed(key, values[key.field]) for key in KEYS if key.field in values}
    return {**given, "origins": {field: origins[field] for field in given}}


def _non_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None and value != ""}


def _parsed(key: Key, value: Any) -> Any:
    if key.field in _JSON_FIELDS and isinstance(value, str):
        # Structured configuration reaches a program as JSON text.
        try:
            return from_json(value)
        except ValueError:
            raise ConfigurationError(
                f"{key}: want a JSON object, got text that is not JSON",
                remedy="pulumi config set --path sets one member at a time",
            ) from None
    return value


def _remember(value: Any) -> None:
    values = value.values() if isinstance(value, Mapping) else [value]
    for secret in values:
        if isinstance(secret, str):
            remember_secret(secret)


_WANTED = {
    "string_type": "want text",
    "dict_type": "want a JSON object",
    "bool_type": "want true or false",
    "bool_parsing": "want true or false",
    "float_type": "want a number of seconds",
    "float_parsing": "want a number of seconds",
}


def _describe(error: ValidationError) -> str:
    faults = []
    for fault in error.errors(include_url=False, include_context=False):
        field, *inner = (str(part) for part in fault["loc"])
        key = _KEY_OF[field]
        path = "".join(f"[{quoted(part)}]" for part in inner)
        shown = "" if field in SECRET_FIELDS else f" is {quoted(fault['input'])};"
        reason = _WANTED.get(fault["type"]) or fault["msg"].removeprefix("Value error, ")
        faults.append(f"{key}{path}:{shown} {reason[:1].lower()}{reason[1:]}")
    return " | ".join(faults)
