"""Routing: an httpx transport that sends each request by the environment's proxy or directly.

The rules of ``NO_PROXY`` are those of the vendor's SDK (its requests, ``should_bypass_proxies``).
Networks are understood, and a name covers all names that end with it. In addition, IPv6 networks
and addresses are understood, with brackets and without. httpx knows neither, and fails on some.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import ssl
import urllib.request

import httpx

from pulumi_huaweicloud_cbr.base.clock import said_if_slow
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import quoted

_SCHEMES = ("http", "https", "socks5", "socks5h")
_SOCKS = ("socks5", "socks5h")
_PORTS = {"http": 80, "https": 443}

PROXY = "huaweicloud_cbr_proxy"
"""The extension of a request that names the proxy on its way."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ProxyRouter(httpx.AsyncBaseTransport):
    """Sends each request by the proxy that the environment names for its address, if any.

    Args:
        verify: which servers are trusted, in httpx's form.
    """

    def __init__(self, verify: ssl.SSLContext | bool) -> None:
        self._verify = verify
        self._proxies: dict[tuple[str, bytes], str | None] = {}
        self._transports: dict[str | None, httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            ConfigurationError: the proxy for its address cannot be used.
        """
        address = request.url.scheme, request.url.netloc
        if address not in self._proxies:
            self._proxies[address] = proxy_of(str(request.url))
        proxy = self._proxies[address]
        transport = self._by(proxy)
        host = f"{request.url.host!r}"
        by = f" by the proxy {httpx.URL(proxy).host!r}" if proxy else ""
        if proxy:
            # Its address may have a password, so it is told by its host alone.
            named = f"{httpx.URL(proxy).host!r} ({_variable(_kind(request.url))})"
            request.extensions[PROXY] = named
        with said_if_slow(
            f"still trying to reach {host}{by}: its name is being looked up, or it does not answer"
        ) as reached:

            async def trace(event: str, _: object) -> None:
                # Until the first byte is sent, it is unknown whether the host exists.
                if event.startswith("http"):
                    reached()

            request.extensions["trace"] = trace
            return await transport.handle_async_request(request)

    def _by(self, proxy: str | None) -> httpx.AsyncHTTPTransport:
        if proxy not in self._transports:
            self._transports[proxy] = httpx.AsyncHTTPTransport(
                verify=self._verify, proxy=proxy, trust_env=False
            )
        return self._transports[proxy]

    async def aclose(self) -> None:
        """Close the connections of all transports."""
        for transport in self._transports.values():
            await transport.aclose()


def proxy_of(url: str, socks_package: str = "socksio") -> str | None:
    """Return the proxy for a request to an address; None for a direct connection.

    Args:
        socks_package: the package that SOCKS proxies need.
    Raises:
        ConfigurationError: the proxy cannot be used.
    """
    where = httpx.URL(url)
    named = urllib.request.getproxies()
    kind = _kind(where)
    if kind not in named or _goes_straight(where, named.get("no", "")):
        return None
    proxy = named[kind] if "://" in named[kind] else f"http://{named[kind]}"
    reason = _reason_against(proxy, socks_package)
    if reason:
        raise ConfigurationError(
            f"{_variable(kind)} names a proxy that cannot be used: {reason}",
            remedy=f"correct it, or unset it, or add {where.host!r} to NO_PROXY",
        )
    return proxy


def _kind(where: httpx.URL) -> str:
    return where.scheme if where.scheme in urllib.request.getproxies() else "all"


def _reason_against(proxy: str, socks_package: str) -> str | None:
    scheme = proxy.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        return f"its scheme is {quoted(scheme)}, want one of {', '.join(_SCHEMES)}"
    if scheme in _SOCKS and importlib.util.find_spec(socks_package) is None:
        return f"SOCKS needs the package {socks_package!r}, which is not installed"
    try:
        address = httpx.URL(proxy)
    except httpx.InvalidURL as error:
        return f"it is no address ({error})"
    return None if address.host else "it names no host"


def _variable(kind: str) -> str:
    """Return the variable that names a proxy; as in Python, the lower-case name comes first."""
    small = f"{kind}_proxy"
    names = (small, *(name for name in os.environ if name.lower() == small))
    return next((name for name in names if os.environ.get(name)), "the system's settings")


def _goes_straight(where: httpx.URL, no_proxy: str) -> bool:
    host, port = where.host.rstrip(".").lower(), where.port or _PORTS.get(where.scheme)
    address = _address(host)
    for entry in no_proxy.replace(",", " ").lower().split():
        scheme, _, rest = entry.rpartition("://")
        if scheme not in ("", where.scheme):
            continue
        if rest == "*" or (_is_within(address, rest) if address else _is_named(host, port, rest)):
            return True
        if address and _is_named_address(address, port, rest):
            return True
    return _is_exempt_by_system(host)


def _is_exempt_by_system(host: str) -> bool:
    # Without such variables, macOS and Windows have settings of their own.
    try:
        return bool(urllib.request.proxy_bypass(host))
    except (TypeError, OSError):
        return False


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _is_within(address: Address, entry: str) -> bool:
    """Whether an entry is this address, or a network that contains it: also ``[fd00::]/8``."""
    try:
        network = ipaddress.ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return False
    return address in network


def _is_named_address(address: Address, port: int | None, entry: str) -> bool:
    """Whether an entry is this address with this port: ``10.0.0.1:443``, ``[fd00::1]:443``."""
    host, _, number = entry.rpartition(":")
    return number == str(port) and _address(host.strip("[]")) == address


def _is_named(host: str, port: int | None, entry: str) -> bool:
    """Whether an entry is this name, or a parent domain of it."""
    name, _, number = entry.partition(":")
    name = name.removeprefix("*").strip(".")
    if not name or (number and number != str(port)):
        return False
    return host == name or host.endswith(f".{name}")
