"""Real connections to the service: private CAs, proxies, redirects.

All servers run on this machine, and the certificates are made here.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib.abc
import json
import socket
import socketserver
import ssl
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.transport.pacing import AT_ONCE
from pulumi_huaweicloud_cbr.api.wire.exchange import Response
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    MalformedResponseError,
    NotSentError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import InProcessSimulator
from tests.contract.issuer import open_issuer
from tests.contract.rig import connect, declared
from tests.contract.test_credential_chain import use_oidc
from tests.unit.wire import BACKUP, SHOWN, FakeClock, get_backup

pytestmark = pytest.mark.simulator_only

STOP_LIMIT_S = 60.0
HOST = "cbr.cn-north-4.example.test"
"""A name that no resolver knows: only a proxy can connect to it."""
TOKEN = "token-that-no-proxy-may-read"
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore the proxies of the machine that runs the tests."""
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A private CA, like that of a company."""
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """The file that makes clients trust that CA."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def tls_for(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """Return the TLS settings of a server with these names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@contextlib.contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Serve until the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(STOP_LIMIT_S)
        server.server_close()


class Service:
    """Gives each request the same answer, and records the headers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[dict[str, str]] = []

    @property
    def port(self) -> int:
        """Its address."""
        return int(self.url.rpartition(":")[2])


@contextlib.contextmanager
def open_service(
    tls: ssl.SSLContext | None = None, status: int = 200, **headers: str
) -> Iterator[Service]:
    """Serve the answer to ShowBackup, or another one."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            service.seen.append(dict(self.headers.items()))
            sent = json.dumps(SHOWN).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_POST = do_GET  # noqa: N815 -- as the standard library calls it

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 -- as above
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    scheme = "http" if tls is None else "https"
    service = Service(f"{scheme}://127.0.0.1:{server.server_address[1]}")
    with running(server):
        yield service


class Proxy:
    """Connects every CONNECT to one port of this machine, and records what it could read."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: list[str] = []
        self.carried = b""


@contextlib.contextmanager
def open_proxy(port: int | None) -> Iterator[Proxy]:
    """Serve as a proxy. Without a port it refuses."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            proxy.asked.append(self.rfile.readline().decode().strip())
            while self.rfile.readline().strip():
                pass
            if port is None:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port)) as onward:
                self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=pump, args=(onward, self.connection))
                back.start()
                pump(self.connection, onward)
                back.join(STOP_LIMIT_S)

    def pump(here: socket.socket, there: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := here.recv(65536):
                proxy.carried += piece
                there.sendall(piece)
        with contextlib.suppress(OSError):
            there.shutdown(socket.SHUT_WR)

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")
    with running(server):
        yield proxy


def ask(url: str, **settings: Any) -> str:
    """Read a backup from this address; return its id."""
    chosen = Settings.of(**{"token": TOKEN, "endpoints": {"cbr": url, "iam": url}} | settings)

    async def run() -> str:
        clock = FakeClock()
        async with CbrClient(chosen, make_authenticator(chosen, clock), clock=clock) as api:
            return str((await get_backup(api)).id)

    return asyncio.run(run())


def refusal(url: str, **settings: Any) -> CbrError:
    """Return the error that the same read raises."""
    with pytest.raises(CbrError) as caught:
        ask(url, **settings)
    return caught.value


# -- connections ----------------------------------------------------------------------------


class Counter:
    """A service that keeps connections open and counts them. It answers on demand."""

    def __init__(self) -> None:
        self.connections = 0
        self.waiting = 0
        self.all_came = asyncio.Event()
        self.wanted = 0

    @contextlib.asynccontextmanager
    async def opened(self) -> AsyncIterator[str]:
        """Serve until the end."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def ask(self, api: CbrClient, count: int) -> None:
        """Keep a number of requests in flight until all are answered."""
        self.waiting, self.wanted = 0, count
        self.all_came.clear()
        await asyncio.gather(*(get_backup(api) for _ in range(count)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError), contextlib.closing(writer):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                self.waiting += 1
                if self.waiting == self.wanted:
                    self.all_came.set()
                await self.all_came.wait()
                body = json.dumps(SHOWN).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


@contextlib.asynccontextmanager
async def counted() -> AsyncIterator[tuple[Counter, CbrClient]]:
    """Yield such a service and a client for it."""
    counter = Counter()
    async with counter.opened() as url:
        chosen = Settings.of(token=TOKEN, endpoints={"cbr": url})
        async with CbrClient(chosen, make_authenticator(chosen, FakeClock())) as api:
            yield counter, api


@pytest.mark.anyio
async def test_connections_are_kept_for_the_next_requests() -> None:
    """Hundreds of requests need only as many connections as there are parallel requests."""
    opened = []
    async with counted() as (counter, api):
        for count in (1, 1, AT_ONCE, AT_ONCE, 2):
            await asyncio.wait_for(counter.ask(api, count), STOP_LIMIT_S)
            opened.append(counter.connections)

    assert [1, 1, AT_ONCE, AT_ONCE, AT_ONCE] == opened


@pytest.mark.anyio
async def test_requests_search_for_no_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Modules are imported before the second request; searching for them is expensive.

    Without `sniffio`, httpcore tries in vain to import it, several times for each request.
    """
    looked_for: list[str] = []

    class Watch(importlib.abc.MetaPathFinder):
        def find_spec(self, fullname: str, *_: object) -> None:
            looked_for.append(fullname)

    async with counted() as (counter, api):
        await counter.ask(api, 1)
        monkeypatch.setattr(sys, "meta_path", [Watch(), *sys.meta_path])
        await counter.ask(api, 1)

    assert [] == looked_for


@pytest.mark.anyio
async def test_answers_are_freed_without_garbage_collection() -> None:
    """Answers are freed immediately. A wait reads large pages, and would collect megabytes.

    That holds for our response, which has the body, and for the response of httpx it came from.
    """
    async with counted() as (counter, api):
        gc.collect()
        gc.disable()
        try:
            before = {id(left) for left in answers_left()}
            await counter.ask(api, 3)
            after = [left for left in answers_left() if id(left) not in before]
        finally:
            gc.enable()

    assert [] == after


def answers_left() -> list[object]:
    """Return the responses that still exist, even if only a cycle holds them."""
    # A proxy's `isinstance` may raise: objects of others are examined as well.
    return [found for found in gc.get_objects() if type(found) in (Response, httpx.Response)]


# -- certificates ---------------------------------------------------------------------------


def test_private_ca_is_trusted_when_it_is_named(authority: trustme.CA, ca_file: str) -> None:
    """`caFile` is enough for a service with certificates of a private CA."""
    with open_service(tls_for(authority, "127.0.0.1")) as service:
        assert BACKUP == ask(service.url, ca_file=ca_file)

    assert TOKEN == service.seen[0]["X-Auth-Token"]


@pytest.mark.parametrize("case", ["not-named", "another-ca", "another-host"])
def test_untrusted_certificate_gets_no_token(
    authority: trustme.CA, ca_file: str, tmp_path: Path, case: str
) -> None:
    """Certificates and names are verified by default, before anything is sent."""
    names = ("elsewhere.example.test",) if case == "another-host" else ("127.0.0.1",)
    given = {} if case == "not-named" else {"ca_file": ca_file}
    if case == "another-ca":
        trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with open_service(tls_for(authority, *names)) as service:
        error = refusal(service.url, **given)

    assert isinstance(error, NotSentError)
    assert "certificate verify failed" in str(error)
    assert "a private CA goes into huaweicloud:caFile (or HW_CA_FILE)" in str(error)
    assert [] == service.seen


def test_insecure_is_warned_of_once(
    authority: trustme.CA, capfd: pytest.CaptureFixture[str]
) -> None:
    """Without verification everything works, and each run warns once."""
    with open_service(tls_for(authority, "elsewhere.example.test")) as service:
        chosen = Settings.of(token=TOKEN, endpoints={"cbr": service.url}, insecure=True)
        session = Session(chosen, clock=FakeClock())
        found = []
        for _ in range(3):
            session.forget()
            found.append(session.run(get_backup(session.client())))
        session.close()

    assert {BACKUP} == {backup.id for backup in found}
    assert 1 == capfd.readouterr().err.count("huaweicloud:insecure is true")


@pytest.mark.parametrize("case", ["named", "insecure", "not-named"])
def test_private_ca_applies_to_requests_of_the_vendors_sdk(
    authority: trustme.CA,
    ca_file: str,
    simulator: InProcessSimulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    case: str,
) -> None:
    """Keys are fetched over connections that are verified like ours."""
    is_trusted = case != "not-named"
    of_case = {
        "named": {"huaweicloud:caFile": ca_file},
        # The SDK alone would verify if both are given.
        "insecure": {"huaweicloud:insecure": "true", "huaweicloud:caFile": "/nowhere/ca.pem"},
        "not-named": {},
    }
    with open_issuer(simulator, tls_for(authority, "127.0.0.1")) as issuer:
        use_oidc(monkeypatch, issuer, tmp_path)
        endpoints = json.dumps({"cbr": simulator.url})
        rig = connect(
            simulator,
            {"huaweicloud:region": "cn-north-4", "huaweicloud:endpoints": endpoints}
            | of_case[case],
        )
        faults = rig.faults(declared())

    assert is_trusted == (not faults)
    assert is_trusted == bool(issuer.asked)
    assert is_trusted or "certificate verify failed" in faults[0][1]


# -- proxies ----------------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_proxy_connects_to_the_service_and_reads_nothing(
    authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """The environment's proxy connects by name, and cannot read a token."""
    with open_service(tls_for(authority, HOST)) as service, open_proxy(service.port) as proxy:
        monkeypatch.setenv(variable, proxy.url)
        found = ask(f"https://{HOST}", ca_file=ca_file)

    assert BACKUP == found
    assert [f"CONNECT {HOST}:443 HTTP/1.1"] == proxy.asked
    assert TOKEN == service.seen[0]["X-Auth-Token"]
    assert proxy.carried
    assert TOKEN.encode() not in proxy.carried


def test_proxy_that_refuses_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that a proxy refused was not executed. The error names the proxy."""
    with open_proxy(None) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        error = refusal(f"https://{HOST}")

    assert isinstance(error, NotSentError)
    assert "403 Forbidden" in str(error)
    assert "check the network, the proxy" in str(error)
    assert {f"CONNECT {HOST}:443 HTTP/1.1"} == set(proxy.asked)


# -- redirects --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "credentials",
    [
        pytest.param({}, id="token"),
        pytest.param(
            {"token": None, "access_key": "NOBODYSKEY", "secret_key": "nobodys-secret"}, id="key"
        ),
        pytest.param(
            {"token": None, "user_name": "u", "password": "nobodys-pw", "domain_name": "d"},
            id="password",
        ),
    ],
)
@pytest.mark.parametrize("status", [302, 307, 308])
def test_redirect_is_not_followed_with_credentials(
    status: int, credentials: dict[str, Any]
) -> None:
    """A server in the service's place cannot redirect credentials to another host."""
    with (
        open_service() as elsewhere,
        open_service(status=status, Location=f"{elsewhere.url}/v3/x") as service,
    ):
        error = refusal(service.url, **credentials)

    assert isinstance(error, (MalformedResponseError, AuthenticationError))
    assert 1 == len(service.seen)
    assert [] == elsewhere.seen


def test_redirect_of_a_search_for_keys_is_not_followed(
    simulator: InProcessSimulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token for keys is sent only to the configured STS."""
    with (
        open_issuer(simulator) as elsewhere,
        open_service(status=307, Location=f"{elsewhere.url}/v5/agencies/assume-with-oidc") as sts,
    ):
        use_oidc(monkeypatch, elsewhere, tmp_path)
        monkeypatch.setenv("HUAWEICLOUD_SDK_STS_ENDPOINT", sts.url)
        error = refusal(simulator.url, token=None, region="cn-north-4")

    assert isinstance(error, AuthenticationError)
    assert 1 == len(sts.seen)
    assert [] == elsewhere.asked
