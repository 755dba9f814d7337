"""Which requests use a proxy, by the rules of the vendor's SDK; an unusable one is reported."""

from __future__ import annotations

import os

import httpx
import pytest
from requests.utils import should_bypass_proxies

from pulumi_huaweicloud_cbr.api.transport import proxies
from pulumi_huaweicloud_cbr.api.transport.proxies import ProxyRouter, proxy_of
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

PROXY = "http://proxy.test:3128"
CBR = "https://cbr.cn-north-4.myhuaweicloud.com/v3"


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove all proxy settings."""
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


AGREED = [
    ("127.0.0.0/8", "http://127.0.0.1:8080/", True),
    ("127.0.0.0/8", "http://128.0.0.1:8080/", False),
    ("10.0.0.0/8,192.168.1.0/24", "https://192.168.1.7/", True),
    ("192.168.1.1/24", "https://192.168.1.7/", True),
    ("192.168.1.0/33", "https://192.168.1.7/", False),
    ("192.168.1.7", "https://192.168.1.7/", True),
    ("localhost, 192.168.1.7", "https://192.168.1.7:8443/", True),
    ("fd00::1", "https://[fd00::1]/", True),
    ("myhuaweicloud.com", CBR, True),
    (".myhuaweicloud.com", CBR, True),
    ("cloud.com", CBR, False),
    ("CBR.cn-north-4.myhuaweicloud.com".lower(), CBR, True),
    ("cbr.cn-north-4.myhuaweicloud.com:8443", CBR.replace(".com", ".com:8443"), True),
    ("cbr.cn-north-4.myhuaweicloud.com:8443", CBR.replace(".com", ".com:9443"), False),
    ("10.0.0.0/8", CBR, False),
    ("*", CBR, True),
    ("", CBR, False),
]


@pytest.mark.parametrize(("no_proxy", "url", "is_straight"), AGREED)
def test_no_proxy_is_understood_as_by_the_vendors_sdk(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, *, is_straight: bool
) -> None:
    """The same entries exempt the same addresses."""
    monkeypatch.setenv("ALL_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert is_straight == should_bypass_proxies(url, None)
    assert (None if is_straight else PROXY) == proxy_of(url)


@pytest.mark.parametrize(
    ("no_proxy", "url", "is_straight"),
    [
        ("fd00::/8", "https://[fd00::1]/", True),
        ("[fd00::]/8", "https://[fd00::1]/", True),
        ("[fd00::/8]", "https://[fd00::1]/", True),
        ("[fd00::1]", "https://[fd00::1]:8443/", True),
        ("[fd00::1]:8443", "https://[fd00::1]:8443/", True),
        ("[fd00::1]:8443", "https://[fd00::1]/", False),
        ("fd00::/8", "https://[2001:db8::1]/", False),
        ("fd00::/8", "https://10.0.0.1/", False),
        ("FD00::/8", "https://[fd00::1]/", True),
        ("10.0.0.1:443", "https://10.0.0.1/", True),
        ("*.myhuaweicloud.com", CBR, True),
        ("https://cbr.cn-north-4.myhuaweicloud.com", CBR, True),
        ("http://cbr.cn-north-4.myhuaweicloud.com", CBR, False),
        ("10.0.0.0/8 myhuaweicloud.com", CBR, True),
        ("[::1, not/a/network, :, .", CBR, False),
    ],
)
def test_no_proxy_knows_more_than_the_vendors_sdk(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str, *, is_straight: bool
) -> None:
    """IPv6 networks, brackets, ports of addresses and schemes; an invalid entry exempts nothing."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", no_proxy)

    assert (None if is_straight else PROXY) == proxy_of(url)


@pytest.mark.parametrize(
    ("variables", "url", "proxy"),
    [
        ({}, CBR, None),
        ({"HTTPS_PROXY": "proxy.test:3128"}, CBR, PROXY),
        ({"HTTP_PROXY": PROXY}, CBR, None),
        ({"ALL_PROXY": PROXY}, CBR, PROXY),
        ({"ALL_PROXY": "http://other.test", "https_proxy": PROXY}, CBR, PROXY),
        ({"HTTPS_PROXY": "http://other.test", "https_proxy": PROXY}, CBR, PROXY),
    ],
)
def test_proxy_is_that_of_the_scheme(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str, proxy: str | None
) -> None:
    """The scheme's own variable comes before ALL_PROXY, lower case before upper case."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert proxy == proxy_of(url)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("ALL_PROXY", "socks://p:9/", "its scheme is 'socks', want one of http, https, socks5"),
        ("ALL_PROXY", "socks5://p:9", "SOCKS needs the package 'no-such-package', which is not"),
        ("https_proxy", "ftp://u:not-a-secret@p", "its scheme is 'ftp'"),
        ("HTTPS_PROXY", "http://p:port", "it is no address"),
        ("HTTPS_PROXY", "http://", "it names no host"),
    ],
)
def test_proxy_that_cannot_be_used_names_its_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """One line, and no traceback; for an exempt address it does not matter."""
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        proxy_of(CBR, "no-such-package")

    assert str(caught.value).startswith(f"{name} names a proxy that cannot be used: {reason}")
    assert "not-a-secret" not in str(caught.value)
    monkeypatch.setenv("NO_PROXY", "myhuaweicloud.com")
    assert proxy_of(CBR, "no-such-package") is None


@pytest.mark.anyio
async def test_request_of_another_host_takes_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sign-in before a request uses the proxy that the environment names for its own host."""
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "iam.test")
    taken: list[tuple[str, str | None]] = []
    told: list[str | None] = []

    class Transport(httpx.AsyncBaseTransport):
        def __init__(self, *, proxy: str | None, **_: object) -> None:
            self.proxy = proxy

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            taken.append((request.url.host, self.proxy))
            told.append(request.extensions.get(proxies.PROXY))
            return httpx.Response(200)

    monkeypatch.setattr(httpx, "AsyncHTTPTransport", Transport)
    async with httpx.AsyncClient(transport=ProxyRouter(verify=True)) as http:
        for host in ("cbr.test", "iam.test", "cbr.test"):
            await http.get(f"https://{host}/")

    assert [("cbr.test", PROXY), ("iam.test", None), ("cbr.test", PROXY)] == taken
    named = "'proxy.test' (HTTPS_PROXY)"
    assert [named, None, named] == told
