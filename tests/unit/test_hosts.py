"""Targets and limits of requests: configured hosts, TLS, time limits."""

from __future__ import annotations

import ast
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CALL_LIMIT_S, CbrClient
from pulumi_huaweicloud_cbr.api.transport.proxies import proxy_of
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateVaultRequest
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError, MalformedResponseError
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import (
    ACCEPTED,
    PROJECT,
    SHOWN,
    SOURCE,
    TOKEN,
    FakeClock,
    Operation,
    Wire,
    delete_backup,
    error_from,
    get_backup,
    get_vault,
    list_projects,
    rename_backup,
    replicate,
)

PACKAGE = Path(cbr.__file__).parent
ELSEWHERE = "https://elsewhere.example/v3/auth/tokens?next=1"
SIGN_IN: dict[str, Any] = {
    "token": None,
    "user_name": "u",
    "password": "secret-word",
    "domain_name": "d",
}
ACCESS_KEY = {"token": None, "access_key": "AKIDEMO", "secret_key": "secret-word"}


async def replicate_vault(api: CbrClient) -> Any:
    """Copy an entire vault."""
    return await api.replicate_vault(SOURCE, ReplicateVaultRequest("v", "cn-east-3", "p", "d"))


async def list_backups(api: CbrClient) -> Any:
    """Read a page."""
    return await api.list_backups(SOURCE, limit=10)


async def list_vaults(api: CbrClient) -> Any:
    """Read a page of vaults."""
    return await api.list_vaults(SOURCE, limit=10)


async def list_tasks(api: CbrClient) -> Any:
    """Read a page of the operation log."""
    return await api.list_tasks(SOURCE, limit=10)


async def get_capabilities(api: CbrClient) -> Any:
    """Read the destinations of a region."""
    return await api.get_replication_capabilities(SOURCE)


OPERATIONS: dict[str, Operation] = {
    "replicate_backup": replicate,
    "replicate_vault": replicate_vault,
    "get_backup": get_backup,
    "get_backup_page": list_backups,
    "list_backups": list_backups,
    "rename_backup": rename_backup,
    "delete_backup": delete_backup,
    "get_vault": get_vault,
    "get_vault_page": list_vaults,
    "list_vaults": list_vaults,
    "get_replication_capabilities": get_capabilities,
    "get_task_page": list_tasks,
    "list_tasks": list_tasks,
    "list_projects": list_projects,
}
WAYS: dict[str, dict[str, Any]] = {"token": {}, "sign-in": SIGN_IN, "access-key": ACCESS_KEY}


def test_operations_are_all_tested_here() -> None:
    """A new operation of the client must follow these rules as well."""
    public = {
        name
        for name, value in vars(CbrClient).items()
        if callable(value) and not name.startswith("_") and name not in ("aclose", "shared")
    }

    # A sign-in is also the first request of every other operation.
    assert {*OPERATIONS, "sign_in"} == public


# -- redirections --------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [300, 301, 302, 303, 305, 307, 308])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", OPERATIONS)
async def test_redirection_is_refused_and_not_followed(name: str, way: str, status: int) -> None:
    """Nothing is sent to the target of a redirection, and the error names it."""
    wire = Wire(httpx.Response(status, headers={"Location": ELSEWHERE}))

    error = await error_from(wire, OPERATIONS[name], **WAYS[way])

    assert MalformedResponseError is type(error)
    assert f"HTTP {status} redirects to 'https://elsewhere.example', which is not" in str(error)
    assert "huaweicloud:endpoints" in str(error)
    (sent,) = wire.requests
    assert sent.url.host.endswith(".myhuaweicloud.com")


@pytest.mark.anyio
@pytest.mark.parametrize(
    "place",
    [
        *(None, b"", b"/login", b"//[", b"http://[", b"mailto:x", b"http://", b"\xff", b"?x"),
        *(b"http://:80/", b"https://\x1b[2J"),
    ],
)
async def test_redirection_to_nowhere_is_refused_in_one_line(place: bytes | None) -> None:
    """For any target, the refusal is one printable line."""
    headers = [] if place is None else [(b"Location", place)]
    wire = Wire(httpx.Response(302, headers=headers))

    error = await error_from(wire, get_backup)

    assert MalformedResponseError is type(error)
    assert "HTTP 302 redirects " in str(error)
    assert str(error).isprintable()
    assert 1 == len(wire.requests)


@pytest.mark.anyio
async def test_redirection_error_names_the_host_only() -> None:
    """The rest of the address may contain what was sent."""
    wire = Wire(httpx.Response(302, headers={"Location": f"https://u:{TOKEN}@x.test/{TOKEN}"}))

    error = await error_from(wire, get_backup)

    assert "redirects to 'https://x.test', which" in str(error)
    assert TOKEN not in str(error)


@pytest.mark.anyio
async def test_redirection_with_a_token_does_not_sign_in() -> None:
    """A token that comes with a redirection is not used."""
    body = {"token": {"project": {"id": PROJECT}}}
    headers = {"Location": ELSEWHERE, "X-Subject-Token": "token-of-somebody"}
    wire = Wire(httpx.Response(302, json=body, headers=headers))

    error = await error_from(wire, get_backup, **SIGN_IN)

    assert "signing in as user 'u'" in str(error)
    assert "redirects to 'https://elsewhere.example'" in str(error)
    assert 1 == len(wire.requests)


@pytest.mark.anyio
async def test_redirection_of_a_sign_in_alone_is_not_followed() -> None:
    """A sign-in to look up the project follows the same rule."""
    wire = Wire(httpx.Response(307, headers={"Location": ELSEWHERE}))

    async with wire.client(**SIGN_IN) as api:
        with pytest.raises(MalformedResponseError, match="redirects to 'https://elsewhere"):
            await api.sign_in("cn-north-4")

    assert 1 == len(wire.requests)


# -- hosts ---------------------------------------------------------------------------------

LINKS = {
    "links": {"self": ELSEWHERE, "next": ELSEWHERE, "previous": None},
    "next": ELSEWHERE,
    "href": ELSEWHERE,
    "count": 5000,
    "endpoints": [{"url": ELSEWHERE}],
}
FULL = {
    **LINKS,
    **ACCEPTED,
    **SHOWN,
    "vault": {"id": "v", **LINKS},
    "backups": [{"id": "b", **LINKS}],
    "vaults": [{"id": "v", **LINKS}],
    "projects": [{"id": PROJECT, "name": "cn-east-3", **LINKS}],
    "operation_logs": [{"id": "t", **LINKS}],
    "regions": [{"name": "cn-north-4", "replication_destinations": [], **LINKS}],
    # IAM's catalogue contains the address of each service.
    "token": {
        "project": {"id": PROJECT},
        "catalog": [{"type": "cbr", "endpoints": [{"url": ELSEWHERE, "region": "cn-north-4"}]}],
    },
}


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS)
async def test_hosts_are_those_of_the_configuration(way: str) -> None:
    """No link, catalogue or header in an answer leads a request to another host."""
    headers = {
        "X-Subject-Token": "token-of-iam",
        "Location": ELSEWHERE,
        "Content-Location": ELSEWHERE,
        "Refresh": f"0; url={ELSEWHERE}",
        "Link": f'<{ELSEWHERE}>; rel="next"',
        "Alt-Svc": 'h2="elsewhere.example:443"',
    }
    wire = Wire(httpx.Response(200, json=FULL, headers=headers))
    # For an entire vault another form is documented, which changes nothing here.
    operations = [work for name, work in OPERATIONS.items() if name != "replicate_vault"]

    async with wire.client(**WAYS[way]) as api:
        for _ in range(2):
            for operation in operations:
                await operation(api)

    hosts = {request.url.host for request in wire.requests}
    assert hosts <= {f"{name}.cn-north-4.myhuaweicloud.com" for name in ("cbr", "iam")} | {
        "iam.cn-east-3.myhuaweicloud.com"
    }
    assert len(wire.requests) >= 2 * len(operations)


@pytest.mark.anyio
@pytest.mark.parametrize("region", ["x@elsewhere.example#", "elsewhere.example/", "a?b", "", "é"])
@pytest.mark.parametrize("way", WAYS)
async def test_region_cannot_name_another_host(region: str, way: str) -> None:
    """An invalid region in a state or an id causes no request."""
    wire = Wire(httpx.Response(200, json=FULL))

    async with wire.client(**WAYS[way]) as api:
        with pytest.raises(ConfigurationError, match="is not a valid region"):
            await api.get_backup(ProjectScope(region, PROJECT), "b")
        with pytest.raises(ConfigurationError, match="is not a valid region"):
            await api.list_projects(region)

    assert [] == wire.requests


@pytest.mark.anyio
@pytest.mark.parametrize("id_", [".", "..", "", "a b", "a\x1b[2J", "a\u202eb", "x" * 256])
@pytest.mark.parametrize("way", WAYS)
async def test_id_cannot_name_another_path(id_: str, way: str) -> None:
    """An invalid id in a state or an id to import causes no request; the error is harmless."""
    wire = Wire(httpx.Response(200, json=FULL))

    async with wire.client(**WAYS[way]) as api:
        for scope, backup_id in (
            (ProjectScope("cn-north-4", PROJECT), id_),
            (ProjectScope("cn-north-4", id_), "b"),
        ):
            for operation in (api.get_backup, api.delete_backup, api.get_vault):
                with pytest.raises(ConfigurationError, match="is not a valid id") as caught:
                    await operation(scope, backup_id)
                assert str(caught.value).isprintable()

    assert [] == wire.requests


def test_region_of_any_form_stays_below_the_configured_domain() -> None:
    """For any accepted region, the host has the configured domain."""
    for region in ("cn-north-4", "elsewhere.example", "..", "-", "a" * 255):
        settings = Settings.of(
            cloud="otc.example", endpoints={"iam": "https://{region}.iam.example"}
        )

        assert str(httpx.URL(settings.cbr_url(region)).host).endswith(".otc.example")
        assert str(httpx.URL(settings.iam_url(region)).host).endswith(".iam.example")


# -- TLS -----------------------------------------------------------------------------------


def contexts_of(settings: Settings) -> list[ssl.SSLContext]:
    """Return what a client's connections are created with, including those through a proxy."""
    http: Any = CbrClient(settings, make_authenticator(settings, FakeClock()))._connections._make()
    ways = http._transport
    proxies = {None, proxy_of("https://cbr.cn-north-4.myhuaweicloud.com/")}
    return [ways._by(proxy)._pool._ssl_context for proxy in proxies]


@pytest.mark.parametrize(
    "variables",
    [
        {},
        # Variables that Python, other clients and other tools read.
        {"PYTHONHTTPSVERIFY": "0", "CURL_CA_BUNDLE": "", "REQUESTS_CA_BUNDLE": ""},
        {"HUAWEICLOUD_SDK_IGNORE_SSL_VERIFICATION": "true", "SSL_VERIFY": "false"},
        {"HTTPS_PROXY": "http://proxy.example:3128"},
    ],
    ids=["nothing", "of-python", "of-the-vendor", "proxy"],
)
def test_tls_is_verified_by_default(
    variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates and host names are verified, whatever variables of other tools say."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    settings = Settings.load({"huaweicloud:token": TOKEN}.get, os.environ)
    contexts = contexts_of(settings)

    assert not settings.insecure
    assert 1 + ("HTTPS_PROXY" in variables) == len(contexts)
    for context in contexts:
        assert ssl.CERT_REQUIRED is context.verify_mode
        assert context.check_hostname
        assert context.get_ca_certs()
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_tls_is_off_by_the_one_setting() -> None:
    """Only this setting turns verification off."""
    (context,) = contexts_of(Settings.of(token=TOKEN, insecure=True))

    assert ssl.CERT_NONE is context.verify_mode


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules of the package."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def test_tls_can_be_off_in_two_places() -> None:
    """Our own client and the vendor's credential chain; no other code decides it."""
    forbidden = {"CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context", "check_hostname"}
    forbidden |= {"verify_mode", "ignore_ssl_verification"}
    places = set()
    readers = set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg in ("verify", *forbidden):
                places.add((name, node.arg))
            if isinstance(node, ast.Attribute) and node.attr in forbidden:
                places.add((name, node.attr))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                readers |= {
                    (name, function.name)
                    for node in ast.walk(function)
                    if isinstance(node, ast.Attribute) and node.attr == "insecure"
                }

    # `proxies` passes on what the client decided.
    assert {
        ("api/transport/proxies.py", "verify"),
        ("api/auth/chain.py", "ignore_ssl_verification"),
    } == places
    deciders = {("api/client.py", "_tls_context"), ("api/auth/chain.py", "_http_client")}
    tellers = {("engine/session.py", "client"), ("commands/_cli/cloud.py", "make_client")}
    assert deciders | tellers == readers


# -- time limits, and modules with network access ------------------------------------------


def test_every_wait_for_the_network_has_a_limit() -> None:
    """Connecting, sending, reading and waiting for a connection have limits, and so has a call."""
    settings = Settings.of(token=TOKEN)
    http = CbrClient(settings, make_authenticator(settings, FakeClock()))._connections._make()
    request: Any = http.build_request("GET", "https://cbr.test/")
    limits = request.theirs.extensions["timeout"]

    assert httpx.Timeout(connect=15.0, read=60.0, write=30.0, pool=60.0).as_dict() == limits
    for limit_s in limits.values():
        assert limit_s is not None
        assert 0 < limit_s <= CALL_LIMIT_S
    assert CALL_LIMIT_S < 600


def test_network_is_used_in_one_module() -> None:
    """One module opens connections, so it decides limits, TLS and redirections.

    Another one tests whether there is a metadata service, which the vendor's SDK then asks.
    """
    openers = {"AsyncClient", "Client", "urlopen", "create_connection", "HTTPSConnection"}
    openers |= {"HTTPConnection", "AsyncHTTPTransport", "HTTPTransport", "Session"}
    foreign = {"requests", "urllib3", "aiohttp", "http.client", "urllib.request"}
    users, imported = set(), set()
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                root = node.func.value
                if isinstance(root, ast.Name) and root.id in ("httpx", "socket"):
                    users |= {(name, node.func.attr)} if node.func.attr in openers else set()
            if isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
            if isinstance(node, ast.ImportFrom):
                imported.add(node.module or "")

    assert {
        ("api/transport/proxies.py", "AsyncHTTPTransport"),
        ("api/auth/chain.py", "create_connection"),
    } == users
    # The environment's proxies, and in the chain the switch of a warning.
    assert {"urllib3", "urllib.request"} == imported & foreign
