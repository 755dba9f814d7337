"""Errors as a user sees them, with the real CLI: throttling, and unexpected errors."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    ON_TWO_BY_DAY,
    PASSWORD,
    MakeProject,
    on_plugin,
    processes_of,
    said,
    start,
    wait_until,
)
from tests.e2e.programs import REPLICATION, UNEXPECTED

OVER_LIMIT = {"error_code": "APIGW.0308", "error_msg": "The throttling threshold has been reached"}


@pytest.mark.parametrize("plugin", ON_TWO_BY_DAY)
def test_unexpected_error_keeps_its_traceback_and_no_secret(
    plugin: str, make_program: MakeProject
) -> None:
    """A bug of ours says so, how to report it and where it is; secrets are redacted."""
    project = on_plugin(plugin, make_program, UNEXPECTED)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert PASSWORD not in outcome.text
    assert PASSWORD not in project.everything_stored()
    assert {} == project.state()
    diagnostics = outcome.stdout[outcome.stdout.index("Diagnostics:") :]
    (line,) = (line for line in diagnostics.splitlines() if "unexpected RuntimeError" in line)
    assert line.strip().startswith("error: unexpected RuntimeError in pulumi-huaweicloud-cbr 0.")
    assert "please report it with all that follows" in line
    assert 1 == diagnostics.count("RuntimeError: no sign-in with '[secret]'")
    assert 1 == diagnostics.count("Traceback (most recent call last)")
    assert "in create" in diagnostics


def throttle(control: Control, operation: str, wait_s: int) -> None:
    """Refuse the next call for this many seconds."""
    headers = {"Retry-After": str(wait_s)}
    control.fault(
        operation=operation, action="respond", status=429, body=OVER_LIMIT, headers=headers
    )


def shown(outcome: str) -> list[dict[str, Any]]:
    """Return the messages of the engine."""
    events = [json.loads(line).get("diagnosticEvent") for line in outcome.splitlines()]
    return [event for event in events if event]


@pytest.mark.parametrize("plugin", ["host", pytest.param("sdk-3.255.0", marks=pytest.mark.full)])
def test_throttled_create_waits_and_says_why(
    plugin: str, make_program: MakeProject, control: Control
) -> None:
    """The resource's row shows the length and reason of the wait; then the copy is submitted."""
    project = on_plugin(plugin, make_program, REPLICATION)
    throttle(control, "CopyBackup", 1)

    events = shown(project.up("--json").stdout)

    (event,) = (event for event in events if ", next in " in event["message"])
    assert event["urn"].endswith("::erp")
    assert event["ephemeral"]
    assert event["message"].startswith("attempt 1 of 6, next in 1.")
    assert " s: submitting replication of backup" in event["message"]
    assert "HTTP 429: The throttling threshold has been reached [APIGW.0308" in event["message"]
    assert "run the same command again" not in event["message"]
    assert [429, 200] == [entry["status"] for entry in control.journal(operation="CopyBackup")]
    assert 1 == len(control.records())


def test_throttled_for_too_long_ends_at_once(make_program: MakeProject, control: Control) -> None:
    """Nobody waits a quarter of an hour in vain: the error says when to try again."""
    project = on_plugin("host", make_program, REPLICATION)
    throttle(control, "CopyBackup", 900)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "the service asks to wait 15 min: requests are throttled" in outcome.text
    assert "Traceback" not in outcome.text
    assert 1 == len(control.journal(operation="CopyBackup"))
    project.up()
    assert 1 == len(control.records())


# A program that waits, as for the engine, and catches what ends it.
WAITING = """
import pathlib, time
import pulumi_huaweicloud_cbr

try:
    pathlib.Path("started").touch()
    time.sleep(600)
except BaseException:
    pathlib.Path("caught").touch()
    raise
"""


def test_interrupted_program_ends_without_a_traceback(make_program: MakeProject) -> None:
    """Current language hosts interrupt the program when an operation fails; here the test does."""
    project = make_program(WAITING)
    running = start(project, "up")
    wait_until((project.directory / "started").exists)

    (program,) = (
        process
        for process, command in processes_of(project.directory.parent).items()
        if "pulumi-language-python-exec" in command
    )
    os.kill(program, signal.SIGINT)
    running.wait(COMMAND_LIMIT_S)

    assert 0 != running.returncode
    assert "Traceback" not in said(project)
    assert "KeyboardInterrupt" not in said(project)
    assert not (project.directory / "caught").exists()
