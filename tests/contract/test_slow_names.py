"""Names that resolve slowly or not at all: a line soon says what is being tried."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.auth import chain
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.auth.signing import Keys
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.transport.retry import RetryBudget
from pulumi_huaweicloud_cbr.base import clock
from pulumi_huaweicloud_cbr.base.errors import NotSentError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.output import messages
from tests.unit.wire import BACKUP, SOURCE, FakeClock

pytestmark = pytest.mark.simulator_only

HOST = "cbr.cn-north-4.myhuaweicloud.com"


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of the package."""
    return "asyncio"


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Treat every look-up as slow at once, and use no proxy."""
    monkeypatch.setattr(clock, "NOTICE_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "*")


def client(on_slow: Callable[[str], None], **settings: Any) -> CbrClient:
    """Return a client on the real network; tests provide its name resolution."""
    chosen = Settings.of(**({"token": "a-token"} | settings))
    return CbrClient(
        chosen,
        make_authenticator(chosen, FakeClock()),
        clock=FakeClock(),
        budget=RetryBudget(attempts=1),
        on_slow=on_slow,
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("settings", "doing", "host"),
    [
        pytest.param({}, "reading backup", HOST, id="cbr"),
        pytest.param(
            {"token": None, "user_name": "u", "password": "not-a-secret", "domain_name": "d"},
            "reading backup",
            "iam.cn-north-4.myhuaweicloud.com",
            id="sign-in",
        ),
    ],
)
async def test_name_that_resolves_slowly_is_reported(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], doing: str, host: str
) -> None:
    """The line appears during the look-up, and names the host."""
    said: list[str] = []
    is_said = asyncio.Event()

    def on_slow(message: str) -> None:
        said.append(message)
        is_said.set()

    async def resolve(*_: Any, **__: Any) -> Any:
        await is_said.wait()
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with client(on_slow, **settings) as api:
        with pytest.raises(NotSentError, match="name resolution"):
            await api.get_backup(SOURCE, BACKUP)

    (line,) = said
    assert line.startswith(doing)
    assert f"still trying to reach {host!r}: its name is being looked up" in line


@pytest.mark.anyio
async def test_name_that_resolves_quickly_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quick failure is an error, without a line before it."""
    monkeypatch.setattr(clock, "NOTICE_S", 3600.0)
    said: list[str] = []

    async def resolve(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    async with client(said.append) as api:
        with pytest.raises(NotSentError, match="not known"):
            await api.get_backup(SOURCE, BACKUP)

    assert [] == said


@pytest.mark.anyio
async def test_slow_server_is_not_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow answer of a server is different: the host exists."""
    said: list[str] = []
    asked = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setattr(clock, "NOTICE_S", 3600.0)
    endpoints = {"cbr": f"http://127.0.0.1:{port}"}
    timers: list[asyncio.TimerHandle] = []
    call_later = asyncio.get_running_loop().call_later

    def noted(delay: float, *rest: Any, **options: Any) -> asyncio.TimerHandle:
        timer = call_later(delay, *rest, **options)
        if delay == clock.NOTICE_S:
            timers.append(timer)
        return timer

    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", noted)
    async with client(said.append, endpoints=endpoints) as api, server:
        request = asyncio.ensure_future(api.get_backup(SOURCE, BACKUP))
        await asked.wait()
        (timer,) = timers
        assert timer.cancelled()
        await asyncio.gather(request, return_exceptions=True)

    assert [] == said


@pytest.mark.anyio
async def test_slow_look_up_of_keys_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vendor's SDK resolves names itself. The line names the keys that it looks for."""
    said: list[str] = []
    is_said = asyncio.Event()

    def say(message: str) -> None:
        said.append(message)
        is_said.set()

    async def search(_: Callable[[], Any]) -> chain.Found:
        await is_said.wait()
        return chain.Found(Keys("a", "not-a-secret", None), None)

    monkeypatch.setattr(chain, "_off_the_loop", search)
    clock.slow_reporter.set(say)
    keys = chain.ChainKeys(chain._METADATA, Settings.of(), FakeClock())

    assert "a" == (await keys.current("cn-north-4")).ak
    assert ["still getting keys with this server's agency"] == said


def test_slow_names_are_reported_in_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an engine, the line appears among the program's own lines."""
    messages.say_now("still trying")

    assert "info: still trying\n" == capsys.readouterr().err
