"""Rules for all suites: a clean environment, the slow suites last, no skip that goes unnoticed."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest

FOREIGN = ("HW_", "HUAWEICLOUD_", "PULUMI_")
# Reasons that a skipped test may give in CI; another reason fails the run.
ALLOWED_SKIPS = ("needs a real account",)

_unallowed: list[str] = []


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the caller's account and backend out of every test."""
    for key in list(os.environ):
        if key.startswith(FOREIGN) and not (
            key.startswith("HW_") and "CBR_TEST_REAL" in os.environ
        ):
            monkeypatch.delenv(key)


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the package does."""
    return "asyncio"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what is quick first."""
    items.sort(key=lambda item: item.get_closest_marker("e2e") is not None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note skips that nobody allowed."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr[2]) if isinstance(report.longrepr, tuple) else ""
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            _unallowed.append(f"{item.nodeid}: {reason}")
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run in CI if a test was skipped for a reason that is not allowed."""
    if os.environ.get("CI") and _unallowed and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the skips that fail the run."""
    if os.environ.get("CI"):
        for line in _unallowed:
            terminalreporter.write_line(f"skipped without leave: {line}", red=True)
