"""Rules for all suites: a clean environment, the slow suites last, no skip that goes unnoticed."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.base.host import new_host

FOREIGN = ("HC_", "HW_", "HUAWEICLOUD_", "PULUMI_")
# Reasons that a skipped test may give in CI; another reason fails the run.
ALLOWED_SKIPS = (
    "needs a real account",
    # Another user cannot be played where the machine or the checkout's folder does not let it.
    "setpriv is not installed",
    "other users cannot run this Python",
    "this machine keeps nobody from",
)

FULL = "full"
"""The mark of tests that `make test` leaves to `make test-full`."""

_unallowed: list[str] = []
_announced: list[str] = []


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's account and backend out of every test."""
    for key in list(os.environ):
        if key.startswith(FOREIGN) and not (
            key.startswith("HW_") and "CBR_TEST_REAL" in os.environ
        ):
            monkeypatch.delenv(key)
    # Where a profile file of the vendor's tools may be.
    monkeypatch.setattr("pulumi_huaweicloud_cbr.api.auth.chain.get_home_path", lambda: None)


@pytest.fixture(autouse=True, scope="session")
def no_way_out() -> Iterator[None]:
    """Keep this process's connections on this machine: a metadata service is never asked."""
    connect = socket.socket.connect

    def connect_here(self: socket.socket, address: Any) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_here(address[0]):
            raise ConnectionRefusedError(f"tests do not leave this machine: {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        if "CBR_TEST_REAL" not in os.environ:
            patch.setattr(socket.socket, "connect", connect_here)
        yield


def _is_here(host: str) -> bool:
    return host == "localhost" or ipaddress.ip_address(host).is_loopback


@pytest.fixture(autouse=True)
def as_in_a_new_process() -> Iterator[None]:
    """Let each test begin as a process does: nothing said, no secret known, no session open."""
    with new_host():
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the package does."""
    return "asyncio"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import modules of which no test would run: what they import takes long."""
    wants_none = config.getoption("markexpr") == f"not {FULL}"
    return True if wants_none and collection_path.stem.endswith(f"_{FULL}") else None


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all of a module that is named ``test_*_full.py``."""
    if item.path.stem.endswith(f"_{FULL}"):
        item.add_marker(FULL)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is quick first."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.fixture
def announce(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print a line below the results, whichever process the test runs in."""
    return lambda line: record_property("announced", line)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note skips that nobody allowed, and lines to print; called where the results are shown."""
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            _unallowed.append(f"{report.nodeid}: {reason}")
    if report.when == "teardown":
        lines = (str(value) for name, value in report.user_properties if name == "announced")
        _announced.extend(f"{report.nodeid.rsplit('::', 1)[-1]}: {line}" for line in lines)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run in CI if a test was skipped for a reason that is not allowed."""
    if os.environ.get("CI") and _unallowed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests had to say, and name the skips that fail the run."""
    for line in _announced:
        terminalreporter.write_line(line)
    if os.environ.get("CI"):
        for line in _unallowed:
            terminalreporter.write_line(f"skipped without leave: {line}", red=True)
