"""Rules for all suites: a clean environment, slow suites last, and no unnoticed skip."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.base.process import new_process_state
from tests.interrupts import heed_interrupts

FOREIGN = ("HC_", "HW_", "HUAWEICLOUD_", "PULUMI_")
# Allowed reasons for a skipped test in CI; any other reason fails the run.
ALLOWED_SKIPS = (
    "needs a real account",
    # Some machines, and some checkout folders, do not allow tests as another user.
    "setpriv is not installed",
    "other users cannot run this Python",
    "this machine keeps nobody from",
    # State on a backend is tried where its server is: Debian's package, and `make state-servers`.
    "there is no PostgreSQL here",
    "there is no S3 server here",
    # Completion for a shell is tried where the shell is.
    "there is no zsh here",
    "there is no fish here",
    # `make lint` provides it.
    "there is no actionlint here",
    # The sites' runners have it.
    "there is no jq here",
    # The registries of Python packages have no browser.
    "there is no Chromium here",
)

FULL = "full"
"""The mark of tests that `make test` leaves to `make test-full`."""

_unallowed: list[str] = []
_announced: list[str] = []


@pytest.fixture(autouse=True, scope="session")
def heed_interrupts_always() -> None:
    """Behave the same if the tests run in the background."""
    heed_interrupts()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the caller's account and backend from every test."""
    for key in list(os.environ):
        if key.startswith(FOREIGN) and not (
            key.startswith("HW_") and "CBR_TEST_REAL" in os.environ
        ):
            monkeypatch.delenv(key)
    # Possible places of a profile file of the vendor's tools.
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
    """Start each test in a new process's state: no output, no known secret, no open session."""
    with new_process_state():
        yield


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the package does."""
    return "asyncio"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import modules whose tests would not run: their imports take long."""
    wants_none = config.getoption("markexpr") == f"not {FULL}"
    return True if wants_none and collection_path.stem.endswith(f"_{FULL}") else None


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark all tests of a module named ``test_*_full.py``."""
    if item.path.stem.endswith(f"_{FULL}"):
        item.add_marker(FULL)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run quick suites first."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.fixture
def announce(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Print a line below the results, from any test process."""
    return lambda line: record_property("announced", line)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record skips that are not allowed, and lines to print, in the process that reports."""
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
    """Print the tests' lines, and name the skips that fail the run."""
    for line in _announced:
        terminalreporter.write_line(line)
    if os.environ.get("CI"):
        for line in _unallowed:
            terminalreporter.write_line(f"skipped without leave: {line}", red=True)
