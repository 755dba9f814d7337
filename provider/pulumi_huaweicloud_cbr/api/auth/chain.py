"""Keys that the vendor's tools would find: the last resort if nothing else is configured.

The vendor's own SDK gets them: with an OIDC token, an identity provider's token, pod identity, its
profile file, or the server's metadata service. The first of these ways that is set up is used. If
it fails, no other one is tried, because that would sign in as another identity. The SDK blocks, so
it runs on a thread of its own, with a timeout.
Source: vendor SDK core, auth/provider.py and auth/internal.py. Its ready-made chain is not used:
it stops at a metadata service that does not respond, before pod identity is reached.
"""

from __future__ import annotations

import asyncio
import calendar
import concurrent.futures
import configparser
import contextlib
import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from huaweicloudsdkcore.auth.endpoint import get_sts_endpoint_by_id
from huaweicloudsdkcore.utils.filepath_utils import get_home_path
from msgspec import Struct

from pulumi_huaweicloud_cbr.api.auth.signing import Keys
from pulumi_huaweicloud_cbr.api.transport.proxies import proxy_of
from pulumi_huaweicloud_cbr.api.wire.decoding import parse_error
from pulumi_huaweicloud_cbr.base.clock import Clock, said_if_slow
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError, ConfigurationError
from pulumi_huaweicloud_cbr.base.text import excerpt, remember_secret, span
from pulumi_huaweicloud_cbr.config.settings import Settings

logger = logging.getLogger(__name__)

Answer = TypeVar("Answer")

LIMIT_S = 20.0
"""The timeout of one search for keys; the vendor's SDK limits each of its requests to 3 to 15 s."""

RENEW_BEFORE_EXPIRY_S = 1200.0
"""Keys are replaced this long before they expire: a clock may be off by 15 minutes, and a signed
request still has to arrive."""

ASK_AGAIN_AFTER_S = 60.0
"""The minimum time between two searches, whatever the outcome of the first."""

METADATA_URL = "http://169.254.169.254"
"""The address of a server's own metadata service (vendor SDK core, auth/internal.py)."""

METADATA_CONNECT_S = 1.0
"""A metadata service is on the same host as its clients; other machines must not wait for one."""

DEFAULT_STS = "https://sts.cn-north-4.myhuaweicloud.com"
"""The STS that the vendor's SDK uses for regions without one of their own."""

_FILE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"
_POD = ("HC_CONTAINER_CREDENTIALS_FULL_URI", "HC_CONTAINER_AUTHORIZATION_TOKEN_FILE")
_TIMEOUTS = (5, 10)
_SOCKS_PACKAGE = "socks"
"""The package that the SDK needs for SOCKS proxies: PySocks, imported under this name."""
_HOW_TO_GIVE = (
    "set huaweicloud:accessKey and huaweicloud:secretKey (with --secret), or "
    "huaweicloud:userName, huaweicloud:password (with --secret) and "
    "huaweicloud:domainName, or huaweicloud:token (with --secret); or the environment "
    "variables HW_ACCESS_KEY and HW_SECRET_KEY, or "
    "HW_USER_NAME, HW_USER_PASSWORD and HW_DOMAIN_NAME, or HW_AUTH_TOKEN; or what the vendor's "
    "tools read: HUAWEICLOUD_OIDC_…, HUAWEICLOUD_SDK_IDP_ID, ~/.huaweicloud/credentials"
)


class Found(NamedTuple):
    """Keys, and when they expire, in seconds since 1970; None if that is never or unknown."""

    keys: Keys
    expires_at: float | None


class Way(Struct, frozen=True):
    """One of the ways in which the vendor's tools find keys.

    `name` completes "getting keys with …". `needs` are groups of variables; one of each group has
    to be set. `look` returns the SDK's credentials. `tokens` are the variables that hold a token.
    `files` are those that name a file with a token.
    """

    name: str
    described: str
    remedy: str
    look: Callable[[Settings, str], Any]
    needs: tuple[tuple[str, ...], ...] = ()
    tokens: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


def is_way_given() -> bool:
    """Whether one of the ways is set up, at least in part."""
    names = (name for way in _BY_VARIABLES for group in way.needs for name in group)
    return any(os.environ.get(name) for name in names) or _has_profile()


def find_way(settings: Settings) -> Way:
    """Return the way that is used, from the environment and the home directory alone.

    Raises:
        ConfigurationError: no way is set up, or the first one is incomplete.
    """
    for way in _BY_VARIABLES:
        given = [any(os.environ.get(name) for name in group) for group in way.needs]
        if not any(given):
            continue
        if not all(given):
            missing = [
                " or ".join(group)
                for group, is_given in zip(way.needs, given, strict=True)
                if not is_given
            ]
            raise ConfigurationError(
                f"getting keys with {way.name} needs also {', '.join(missing)}",
                remedy=f"set it, or unset {way.needs[0][0]}",
            )
        return way
    if _has_profile():
        name = f"the profile file {str(_profile_path())!r}"
        return Way(
            name=name,
            described=name,
            remedy="want a section [basic] with ak and sk, or with idp_id and id_token_file",
            look=_look_into_profile,
        )
    if settings.metadata:
        return _METADATA
    raise ConfigurationError("no credentials are configured", remedy=_HOW_TO_GIVE)


class ChainKeys:
    """The keys that one way finds, kept until shortly before they expire.

    After a failed search the next one waits; meanwhile keys that have not expired are used.
    """

    def __init__(self, way: Way, settings: Settings, clock: Clock) -> None:
        self.are_exchanged = False  # The user did not write them.
        self.remedy: str | None = f"the keys come from {way.name}; {way.remedy}"
        self._way = way
        self._settings = settings
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: Keys | None = None
        self._renew_at = float("-inf")
        self._expires_at = float("-inf")
        self._ask_at = float("-inf")
        self._failure: AuthenticationError | None = None

    async def current(self, region: str) -> Keys:
        """Return the keys to sign with; `region` is the region of the request.

        Raises:
            AuthenticationError: no keys were found, or no new ones after the old ones expired.
        """
        if self._keys is not None and self._clock.monotonic() < self._renew_at:
            return self._keys
        async with self._lock:
            # Concurrent requests wait here, and find the keys when they hold the lock.
            now = self._clock.monotonic()
            if (self._keys is None or now >= self._renew_at) and now >= self._ask_at:
                await self._ask(region)
            if self._keys is not None and self._clock.monotonic() < self._expires_at:
                return self._keys
            raise self._reason()

    async def renew(self, refused: Keys, region: str) -> bool:
        """Return whether there are other keys now, after a refusal of these.

        Raises:
            AuthenticationError: as `current` does.
        """
        async with self._lock:
            if self._keys == refused and self._clock.monotonic() >= self._ask_at:
                await self._ask(region)
                if self._failure is not None:
                    # Refused keys are not used again while no better ones are found.
                    self._keys = None
            if self._keys is None:
                raise self._reason()
            return self._keys != refused

    async def _ask(self, region: str) -> None:
        home = self._settings.region or region
        try:
            with said_if_slow(f"still getting keys with {self._way.name}"):
                found = await _off_the_loop(lambda: search(self._way, self._settings, home))
        except TimeoutError:
            self._failure = _failure_of(self._way, f"no answer within {span(LIMIT_S)}")
        except AuthenticationError as failure:
            self._failure = failure
        else:
            self._keep(found)
        # Set only here: a cancelled search has no outcome.
        self._ask_at = self._clock.monotonic() + ASK_AGAIN_AFTER_S
        if self._failure is not None:
            logger.info("no new keys: %s", self._failure)

    def _keep(self, found: Found) -> None:
        now = self._clock.monotonic()
        self._keys, self._failure = found.keys, None
        self._renew_at = self._expires_at = float("inf")
        if found.expires_at is not None:
            life_s = found.expires_at - self._clock.wall_time()
            # Keys that seem to have expired are tried: the clock may be off.
            self._expires_at = now + max(life_s, ASK_AGAIN_AFTER_S)
            margin_s = min(RENEW_BEFORE_EXPIRY_S, 0.25 * life_s)
            self._renew_at = now + max(life_s - margin_s, ASK_AGAIN_AFTER_S)
            logger.info("keys of %s, good for %s", self._way.name, span(life_s))

    def _reason(self) -> AuthenticationError:
        if self._failure is None:
            raise RuntimeError("there are neither keys nor a reason why not")
        # The error is raised many times, and must not collect a traceback of each place.
        return self._failure.with_traceback(None)


def search(way: Way, settings: Settings, region: str) -> Found:
    """Search for keys; blocks, because the vendor's SDK does.

    Raises:
        AuthenticationError: the way is set up, but gives no keys.
    """
    _remember_tokens(way)
    try:
        credentials = way.look(settings, region)
        if not credentials.ak:
            # These credentials have no keys yet. IAM or STS gives them, at the address set in them.
            with contextlib.closing(_http_client(settings)) as http_client:
                credentials.process_sts(http_client)
        keys = Keys(credentials.ak, credentials.sk, credentials.security_token or None)
        expires_at = _expiry_of(credentials)
    except configparser.Error as error:
        # `from None`: the parser's own text quotes lines of the file, including secrets.
        raise _failure_of(way, f"{type(error).__name__}: the file cannot be read") from None
    except Exception as error:
        # The errors of the vendor's code and of its libraries have no common class.
        raise _failure_of(way, _observed(error), error) from error
    for secret in (keys.ak, keys.sk, keys.security_token):
        if secret is not None:
            remember_secret(secret)
    return Found(keys, expires_at)


def _failure_of(way: Way, observed: str, error: Exception | None = None) -> AuthenticationError:
    if way is _METADATA:
        return AuthenticationError(
            "no credentials are configured, and this machine's metadata service "
            f"({METADATA_URL}) gives none: {observed}",
            remedy=_HOW_TO_GIVE,
        )
    code, request_id = getattr(error, "error_code", None), getattr(error, "request_id", None)
    return AuthenticationError(
        f"getting keys with {way.name}: {observed}",
        status=getattr(error, "status_code", None),
        remedy=way.remedy,
        # If a body has no code, the SDK puts the status in its place.
        code=code if isinstance(code, str) and "." in code else None,
        request_id=request_id,
    )


def _observed(error: Exception) -> str:
    status = getattr(error, "status_code", None)
    told = getattr(error, "error_msg", None) or getattr(error, "strerror", None) or str(error)
    # The SDK passes on a body as it came.
    observed = excerpt(parse_error(str(told)).message).rstrip(".。") or type(error).__name__
    return f"HTTP {status}: {observed}" if status else observed


async def _off_the_loop(work: Callable[[], Answer]) -> Answer:
    """Run a blocking function on a daemon thread, with a timeout."""
    outcome: concurrent.futures.Future[Answer] = concurrent.futures.Future()
    outcome.set_running_or_notify_cancel()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 -- it is raised where it is waited for
            outcome.set_exception(error)

    threading.Thread(target=run, name="cbr-credentials", daemon=True).start()
    return await asyncio.wait_for(asyncio.wrap_future(outcome), LIMIT_S)


# -- the ways ------------------------------------------------------------------------------


def _look_for_oidc(settings: Settings, region: str) -> Any:
    from huaweicloudsdkcore.auth.provider import OidcStsCredentialProvider  # noqa: PLC0415

    credentials = OidcStsCredentialProvider.get_basic().get_credentials()
    return credentials.with_sts_endpoint(_usable(_sts_url(settings, region)))


def _look_for_identity_provider(settings: Settings, region: str) -> Any:
    from huaweicloudsdkcore.auth.provider import EnvCredentialProvider  # noqa: PLC0415

    credentials = EnvCredentialProvider.get_basic().get_credentials()
    return credentials.with_iam_endpoint(_usable(_iam_url(settings, region, None)))


def _look_into_profile(settings: Settings, region: str) -> Any:
    from huaweicloudsdkcore.auth.provider import ProfileCredentialProvider  # noqa: PLC0415

    credentials = ProfileCredentialProvider.get_basic().get_credentials()
    endpoint = _iam_url(settings, region, credentials.iam_endpoint)
    return credentials.with_iam_endpoint(endpoint if credentials.ak else _usable(endpoint))


def _look_for_pod(settings: Settings, region: str) -> Any:  # noqa: ARG001 -- none of them matters
    from huaweicloudsdkcore.auth.provider import PodIdentityCredentialProvider  # noqa: PLC0415

    _require_no_proxy(os.environ[_POD[0]])
    return PodIdentityCredentialProvider.get_basic().get_credentials()


def _look_for_agency(settings: Settings, region: str) -> Any:  # noqa: ARG001 -- as above
    _require_no_proxy(METADATA_URL)
    address = urlsplit(METADATA_URL)
    # The SDK would wait for seconds; most machines without credentials are not servers.
    socket.create_connection((address.hostname, address.port or 80), METADATA_CONNECT_S).close()
    from huaweicloudsdkcore.auth.provider import MetadataCredentialProvider  # noqa: PLC0415

    return MetadataCredentialProvider.get_basic().get_credentials()


_BY_VARIABLES = (
    Way(
        name="an OIDC token",
        described="temporary keys of the agency in HUAWEICLOUD_OIDC_AGENCY_URN, by an OIDC token",
        remedy=(
            "check that HUAWEICLOUD_OIDC_PROVIDER_URN and HUAWEICLOUD_OIDC_AGENCY_URN belong "
            "together, and that the token is fresh"
        ),
        look=_look_for_oidc,
        needs=(
            ("HUAWEICLOUD_OIDC_PROVIDER_URN",),
            ("HUAWEICLOUD_OIDC_AGENCY_URN",),
            ("HUAWEICLOUD_OIDC_ID_TOKEN", "HUAWEICLOUD_OIDC_TOKEN_FILE"),
        ),
        tokens=("HUAWEICLOUD_OIDC_ID_TOKEN",),
        files=("HUAWEICLOUD_OIDC_TOKEN_FILE",),
    ),
    Way(
        name="an identity provider's token",
        described="temporary keys by the token of the identity provider in HUAWEICLOUD_SDK_IDP_ID",
        remedy=(
            "check HUAWEICLOUD_SDK_IDP_ID, and that the token in HUAWEICLOUD_SDK_ID_TOKEN_FILE "
            "is fresh"
        ),
        look=_look_for_identity_provider,
        needs=(("HUAWEICLOUD_SDK_IDP_ID",), ("HUAWEICLOUD_SDK_ID_TOKEN_FILE",)),
        files=("HUAWEICLOUD_SDK_ID_TOKEN_FILE",),
    ),
    Way(
        name="pod identity",
        described=f"temporary keys by pod identity, from {_POD[0]}",
        remedy="check the pod's service account and its agency",
        look=_look_for_pod,
        needs=((_POD[0],), (_POD[1],)),
        files=(_POD[1],),
    ),
)
_METADATA = Way(
    name="this server's agency",
    described=f"temporary keys of this server's agency, if {METADATA_URL} gives any",
    remedy="check the agency of the server, and its rights in CBR",
    look=_look_for_agency,
)


def _profile_path() -> Path | None:
    named = os.environ.get(_FILE)
    if named:
        return Path(named)
    home: str | None = get_home_path()
    return Path(home, ".huaweicloud", "credentials") if home else None


def _has_profile() -> bool:
    path = _profile_path()
    # A home without search permission has no profile; `Path.exists` would raise up to Python 3.13.
    return bool(os.environ.get(_FILE)) or (path is not None and os.path.exists(path))  # noqa: PTH110


def _iam_url(settings: Settings, region: str, of_profile: str | None) -> str:
    """Return the IAM address for the SDK: the configured one if set, else the SDK's own."""
    if settings.auth_url or "iam" in settings.endpoints:
        return settings.iam_url(region)
    own = of_profile or os.environ.get("HUAWEICLOUD_SDK_IAM_ENDPOINT")
    return own or settings.iam_url(region)


def _sts_url(settings: Settings, region: str) -> str:
    own = os.environ.get("HUAWEICLOUD_SDK_STS_ENDPOINT")
    if own:
        return own
    if settings.cloud:
        return f"https://sts.{region}.{settings.cloud}"
    known: str = get_sts_endpoint_by_id(region, DEFAULT_STS)
    return known


def _http_client(settings: Settings) -> Any:
    """Return the HTTP client for the SDK; it follows no redirects and writes no log."""
    import urllib3  # noqa: PLC0415
    from huaweicloudsdkcore.exceptions.exception_handler import (  # noqa: PLC0415
        DefaultExceptionHandler,
    )
    from huaweicloudsdkcore.http.http_client import HttpClient  # noqa: PLC0415
    from huaweicloudsdkcore.http.http_config import HttpConfig  # noqa: PLC0415

    if settings.insecure:
        # Our own warning already says so.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    config = HttpConfig(
        timeout=_TIMEOUTS,
        allow_redirects=False,
        # If both are set, the SDK verifies after all.
        ssl_ca_cert=None if settings.insecure else settings.ca_file,
        ignore_ssl_verification=settings.insecure,
    )
    return HttpClient(config, None, DefaultExceptionHandler(), _silent_logger())


@functools.cache
def _silent_logger() -> logging.Logger:
    # The SDK also raises what it logs; we report the error, redacted.
    silent = logging.getLogger(f"{__name__}.vendor")
    silent.propagate = False
    silent.addHandler(logging.NullHandler())
    return silent


def _require_no_proxy(url: str) -> None:
    # The SDK's requests use the proxies of the environment; keys in plain text must not.
    from requests.utils import get_environ_proxies, select_proxy  # noqa: PLC0415

    address = urlsplit(url)
    # The SDK's own rules differ slightly from ours: it does not know IPv6 networks.
    if address.scheme == "http" and select_proxy(url, get_environ_proxies(url)) is not None:
        raise ConnectionError(
            f"HTTP_PROXY would be handed the keys, add {address.hostname!r} to NO_PROXY"
        )


def _usable(url: str) -> str:
    """Return an address for the SDK after a check of the proxy on the way to it.

    Raises:
        ConfigurationError: that proxy cannot be used.
    """
    proxy_of(url, _SOCKS_PACKAGE)
    return url


def _remember_tokens(way: Way) -> None:
    for name in way.tokens:
        remember_secret(os.environ.get(name, ""))
    for name in way.files:
        # The SDK reports a file that cannot be read.
        with contextlib.suppress(OSError, UnicodeDecodeError):
            remember_secret(Path(os.environ.get(name, "")).read_text().strip())


def _expiry_of(credentials: Any) -> float | None:
    # The SDK has no public attribute for it.
    told: float | None = getattr(credentials, "_expired_at", None)
    # The SDK reads UTC times as if they were local; this reverses it.
    return calendar.timegm(time.localtime(told)) if told else None
