"""The settings: where the API is, and with which credentials; typed, immutable, validated once.

Settings come from stack configuration (namespace ``huaweicloud``) or from the environment, and
configuration wins, but for `_ENVIRONMENT_FIRST`. Their names are those of the ecosystem's other
Huawei Cloud providers. No I/O and no Pulumi here: the caller passes a getter. Secrets are never
shown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NoReturn
from urllib.parse import urlsplit

import msgspec
from huaweicloudsdkcore.auth.endpoint import get_iam_endpoint_by_id

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import REGION_ID, quoted, remember_secret
from pulumi_huaweicloud_cbr.config.setting_names import (
    KEYS,
    NAMESPACE,
    SECRET_FIELDS,
    Key,
)

DEFAULT_CLOUD = "myhuaweicloud.com"
EU_CLOUD = "myhuaweicloud.eu"
GLOBAL_IAM = "https://iam.myhuaweicloud.com"
"""The endpoint of IAM for regions that have none of their own. Its tokens are valid in all regions
(IAM API reference, KeystoneCreateUserTokenByPassword; vendor SDK core)."""
DEFAULT_POLL_INTERVAL_S = 10.0

_OWNER = re.compile(r"[A-Za-z0-9._/-]{1,100}")
_PROJECT_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.\-]*[A-Za-z0-9])?")
_SERVICES = ("cbr", "iam")
_REGION_CHARS = "abcdefghijklmnopqrstuvwxyz0123456789-"


_KEY_OF = {key.field: key for key in KEYS}
_JSON_FIELDS = ("endpoints", "tokens")
# The fields that sign in, one group for each way. The names of a user and an account do not.
_WAYS = (
    frozenset({"token", "tokens"}),
    frozenset({"access_key", "secret_key", "security_token"}),
    frozenset({"password"}),
)
_ACCESS_KEY_FIELDS = _WAYS[1]
# What somebody wants for one run goes before what the stack has for all of them.
_ENVIRONMENT_FIRST = frozenset({"max_deleted_percent"})
_ONE_WORD = re.compile(r"[!-~]+")


class Secret:
    """Text that is never shown or stored: `str` and `repr` hide it, and pickling raises."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def get_secret_value(self) -> str:
        """Return the text, to send it or to sign with it."""
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __repr__(self) -> str:
        return "Secret('**********')"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not to be stored")


class Settings(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """How to reach CBR and IAM, and with which credentials; made by `of` or `load`.

    `endpoints` maps ``cbr`` and ``iam`` to base URLs; the region replaces ``{region}`` in them.
    `tokens` maps a project id to a token that is valid for it. `poll_interval_s` is in seconds.
    `metadata`: a server's metadata service may be queried for keys, as a last resort. `owner` is
    the name in marks on replicas, None for ``project/stack``. `mark_replicas`: new copies get a
    mark. `force_destroy`: last copies may be deleted as well. `max_deleted_percent`: so much of a
    set's members an update may delete, None for all. `origins` maps a field to the key or the
    variable that its value is from.
    """

    region: str | None = None
    project_id: str | None = None
    access_key: Secret | None = None
    secret_key: Secret | None = None
    security_token: Secret | None = None
    user_name: str | None = None
    password: Secret | None = None
    domain_name: str | None = None
    token: Secret | None = None
    tokens: dict[str, Secret] = msgspec.field(default_factory=dict)
    metadata: bool = True
    auth_url: str | None = None
    cloud: str | None = None
    endpoints: dict[str, str] = msgspec.field(default_factory=dict)
    insecure: bool = False
    ca_file: str | None = None
    poll_interval_s: float = DEFAULT_POLL_INTERVAL_S
    owner: str | None = None
    mark_replicas: bool = True
    force_destroy: bool = False
    max_deleted_percent: float | None = None
    origins: dict[str, str] = msgspec.field(default_factory=dict)

    @classmethod
    def load(cls, get: Callable[[str], Any], environ: Mapping[str, str]) -> Settings:
        """Build settings from a configuration getter and the environment.

        If the configuration has credentials, other ways to sign in from the environment are
        ignored.

        Args:
            get: returns the value of a full key such as ``huaweicloud:region``, or None.
            environ: usually ``os.environ``.
        Raises:
            ConfigurationError: one or more values are malformed; the error names all of them.
        """
        given = _given_values(get, environ)
        for field in SECRET_FIELDS:
            _remember(given.get(field))
        return cls.of(**given)

    @classmethod
    def of(cls, **given: Any) -> Settings:
        """Build settings from values by field, secrets as plain text; None counts as not given.

        Raises:
            ConfigurationError: one or more values are malformed; the error names all of them.
        """
        values, faults = {}, []
        for field, value in given.items():
            if value is None:
                continue
            try:
                values[field] = _CHECKS[field](value)
            except _ValueFaultError as fault:
                faults.append(fault.told_of(field))
        if faults:
            raise ConfigurationError(" | ".join(faults))
        return cls(**values)

    def __eq__(self, other: object) -> bool:
        """Whether both reach the same place with the same credentials; `origins` do not count."""
        if not isinstance(other, Settings):
            return NotImplemented
        ours, theirs = msgspec.structs.asdict(self), msgspec.structs.asdict(other)
        return ours | {"origins": None} == theirs | {"origins": None}

    __hash__ = None  # type: ignore[assignment] # some of the values are mappings

    def cbr_url(self, region: str) -> str:
        """Return the base URL of CBR in a region, without a trailing slash."""
        return self._base_url("cbr", region)

    def other_cbr_endpoint(self, region: str) -> str | None:
        """Return another possible endpoint of CBR for a region, in the form of `endpoints`.

        None if the vendor's tables agree on one, or if the user has set one.
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
        """Whether the vendor's table has this region; there may be others."""
        return get_iam_endpoint_by_id(region, None) is not None

    def doubt_about(self, region: str) -> str | None:
        """Return a hint if a region looks like a misspelt one of the vendor's table."""
        if self.cloud is not None or self.is_known_region(region):
            return None
        near = sorted(name for name in _misspelt(region) if self.is_known_region(name))
        if not near:
            return None
        meant = " or ".join(repr(name) for name in near[:3])
        return f"the vendor's table has no region {region!r}, did you mean {meant}?"

    def _base_url(self, service: str, region: str) -> str:
        override = self.endpoints.get(service)
        if override:
            return override.replace("{region}", region).rstrip("/")
        return f"https://{service}.{region}.{self._cloud_of(region)}"

    def _cloud_of(self, region: str) -> str:
        if self.cloud:
            return self.cloud
        # The European site has a domain of its own. The vendor's Terraform provider goes by this
        # prefix, most of the vendor's tables by region (docs/decisions/0018). SDK core has the only
        # table that is installed with this package, and that table lacks the region.
        return EU_CLOUD if region.startswith("eu-west-1") else DEFAULT_CLOUD


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
    """Return the names of a setting, by its field."""
    return _KEY_OF[field]


def _given_values(get: Callable[[str], Any], environ: Mapping[str, str]) -> dict[str, Any]:
    configured = _non_empty({key.field: _configured(get, key) for key in KEYS})
    present = _non_empty({key.field: environ.get(key.env) for key in KEYS})
    origins = {key.field: key.env for key in KEYS}
    if not present.keys() & _ACCESS_KEY_FIELDS:
        # All parts of an access key come from one family of variables: parts of two do not match.
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
    for field in _ENVIRONMENT_FIRST & present.keys():
        configured.pop(field, None)
    origins |= {field: f"huaweicloud:{key_of(field).config}" for field in configured}
    values = {**present, **configured}
    given = {key.field: _parsed(key, values[key.field]) for key in KEYS if key.field in values}
    return {**given, "origins": {field: origins[field] for field in given}}


def _configured(get: Callable[[str], Any], key: Key) -> Any:
    value = get(f"{NAMESPACE}:{key.config}")
    if value in (None, "") and key.synonym is not None:
        return get(f"{NAMESPACE}:{key.synonym}")
    return value


def _non_empty(values: Mapping[str, Any]) -> dict[str, Any]:
    return {field: value for field, value in values.items() if value is not None and value != ""}


def _parsed(key: Key, value: Any) -> Any:
    if key.field in _JSON_FIELDS and isinstance(value, str):
        # Structured configuration reaches a program as JSON text.
        try:
            return msgspec.json.decode(value)
        except (ValueError, RecursionError):
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


class _ValueFaultError(Exception):
    """A value is malformed; in a mapping, `path` leads to the malformed member."""

    def __init__(self, wanted: str, value: Any, path: str = "") -> None:
        super().__init__(wanted)
        self.wanted = wanted
        self.value = value
        self.path = path

    def told_of(self, field: str) -> str:
        """Return the fault as text, without the value if it is a secret."""
        shown = "" if field in SECRET_FIELDS else f" is {quoted(self.value)};"
        return f"{key_of(field)}{self.path}:{shown} {self.wanted}"


Check = Callable[[Any], Any]


def _of_type(kind: type, wanted: str) -> Check:
    def check(value: Any) -> Any:
        try:
            # Not strict: configuration and environment hold numbers and flags as text.
            return msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError:
            raise _ValueFaultError(wanted, value) from None

    return check


_text = _of_type(str, "want text")
_flag = _of_type(bool, "want true or false")
_number_of_seconds = _of_type(float, "want a number of seconds")
_number = _of_type(float, "want a number from 0 to 100")
_object = _of_type(dict, "want a JSON object")


def _matching(pattern: re.Pattern[str], wanted: str) -> Check:
    def check(value: Any) -> str:
        text: str = _text(value)
        if not pattern.fullmatch(text):
            raise _ValueFaultError(wanted, value)
        return text

    return check


def _secret(check: Check) -> Check:
    return lambda value: Secret(check(value))


def _each(check: Check) -> Check:
    def check_member(name: Any, value: Any) -> Any:
        try:
            return check(value)
        except _ValueFaultError as fault:
            raise _ValueFaultError(fault.wanted, value, f"[{quoted(name)}]") from None

    def check_members(value: Any) -> dict[str, Any]:
        return {_text(name): check_member(name, one) for name, one in _object(value).items()}

    return check_members


def _url(value: Any) -> str:
    text: str = _text(value)
    if not _is_url(text.replace("{region}", "region")):
        wanted = "want a URL such as 'https://cbr.{region}.myhuaweicloud.com'"
        raise _ValueFaultError(wanted, value)
    return text


def _endpoints(value: Any) -> dict[str, str]:
    # Other services belong to the vendor's own provider, which has the same setting.
    ours = {name: url for name, url in _object(value).items() if name in _SERVICES}
    urls: dict[str, str] = _each(_url)(ours)
    return urls


def _interval(value: Any) -> float:
    seconds: float = _number_of_seconds(value)
    if not 0.01 <= seconds <= 3600:
        raise _ValueFaultError("want seconds from 0.01 to 3600", value)
    return seconds


def _percent(value: Any) -> float:
    percent: float = _number(value)
    if not 0 <= percent <= 100:
        raise _ValueFaultError("want a number from 0 to 100", value)
    return percent


_one_word = _matching(_ONE_WORD, "want letters, digits and signs without spaces or line breaks")
_CHECKS: dict[str, Check] = {
    "region": _matching(REGION_ID, "want a region id such as 'cn-north-4'"),
    "project_id": _matching(_PROJECT_ID, "want a project id, 32 hexadecimal digits as a rule"),
    "access_key": _secret(_one_word),
    "secret_key": _secret(_one_word),
    "security_token": _secret(_one_word),
    "user_name": _text,
    "password": _secret(_text),
    "domain_name": _text,
    "token": _secret(_text),
    "tokens": _each(_secret(_text)),
    "metadata": _flag,
    "auth_url": _url,
    "cloud": _matching(_HOST, f"want a domain such as '{DEFAULT_CLOUD}'"),
    "endpoints": _endpoints,
    "insecure": _flag,
    "ca_file": _text,
    "poll_interval_s": _interval,
    "owner": _matching(
        _OWNER, "want up to 100 letters, digits, '.', '_', '-' and '/', such as 'team-a/prod'"
    ),
    "mark_replicas": _flag,
    "force_destroy": _flag,
    "max_deleted_percent": _percent,
    "origins": _object,
}


def _misspelt(name: str) -> set[str]:
    """Return the names that differ in one place: a character less, more, another, or exchanged."""
    parts = [(name[:at], name[at:]) for at in range(len(name) + 1)]
    return {
        *(f"{head}{tail[1:]}" for head, tail in parts if tail),
        *(f"{head}{tail[1]}{tail[0]}{tail[2:]}" for head, tail in parts if len(tail) > 1),
        *(f"{head}{char}{tail[1:]}" for head, tail in parts if tail for char in _REGION_CHARS),
        *(f"{head}{char}{tail}" for head, tail in parts for char in _REGION_CHARS),
    }
