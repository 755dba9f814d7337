"""The simulator as a process: over TCP, killed and restarted, and with invalid starts."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from simulator.cloud.specs import Options
from simulator.serve import main
from simulator.testing import DEMO_WORLD, ROOT, SimulatorProcess
from simulator.worlds.fleet import fleet_world
from tests.simulator.rig import (
    PASSWORD,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    replicate_body,
    sign_in_body,
)

BACKUPS = f"/v3/{SOURCE_PROJECT}/backups"


@contextmanager
def connect(process: SimulatorProcess) -> Iterator[httpx.Client]:
    """A client that has signed in."""
    with httpx.Client(base_url=process.url, timeout=60, trust_env=False) as client:
        body = sign_in_body(project={"id": SOURCE_PROJECT})
        response = client.post("/v3/auth/tokens", json=body)
        client.headers["X-Auth-Token"] = response.headers["X-Subject-Token"]
        yield client


def replicate(client: httpx.Client, backup_id: str = SERVER_BACKUP) -> httpx.Response:
    """Request a copy."""
    return client.post(f"{BACKUPS}/{backup_id}/replicate", json=replicate_body())


# -- broken connections -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "backup_id", "count"),
    [("drop_before", SERVER_BACKUP, 0), ("drop_after", SMALL_BACKUP, 1)],
)
def test_drop_breaks_a_real_connection(
    process: SimulatorProcess, action: str, backup_id: str, count: int
) -> None:
    """The client sees the connection end without an answer; later requests are handled."""
    process.control.fault(operation="CopyBackup", action=action)
    with connect(process) as client:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            replicate(client, backup_id)
        shown = client.get(f"{BACKUPS}/{backup_id}")

    assert count == len(shown.json()["backup"]["replication_records"])


def test_truncate_after_sends_a_part(process: SimulatorProcess) -> None:
    """The client receives the head and the first bytes of a longer answer, then the end."""
    process.control.fault(operation="ShowBackup", action="truncate_after", bytes=12)
    received: list[bytes] = []
    with (
        connect(process) as client,
        client.stream("GET", f"{BACKUPS}/{SERVER_BACKUP}") as response,
        pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)),
    ):
        received.extend(response.iter_raw())

    assert 200 == response.status_code
    assert b'{"backup":{"' == b"".join(received)
    assert int(response.headers["Content-Length"]) > 12


def test_broken_connections_are_no_errors_of_the_server(process: SimulatorProcess) -> None:
    """A scripted fault leaves no traceback in the log."""
    process.control.fault(operation="ListBackups", action="drop_before")
    with connect(process) as client, pytest.raises(httpx.TransportError):
        client.get(BACKUPS)

    log = process.log_file.read_text(encoding="utf-8")
    assert "simulator ready on http://127.0.0.1:" in log
    assert "Traceback" not in log
    assert "ERROR" not in log


def test_process_listens_on_loopback_only(process: SimulatorProcess) -> None:
    """Nothing listens on other addresses of the machine."""
    port = int(process.url.rsplit(":", 1)[1])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port), timeout=30).close()


def test_state_file_holds_no_secret(process: SimulatorProcess) -> None:
    """Neither password nor token is written to disk."""
    with connect(process) as client:
        client.get(BACKUPS)
        token = client.headers["X-Auth-Token"]
    files = process.directory.glob(f"{process.state_file.name}*")
    written = b"".join(file.read_bytes() for file in files)

    assert SERVER_BACKUP.encode() in written
    assert PASSWORD.encode() not in written
    assert token.encode() not in written


def test_state_file_can_be_read_while_running(process: SimulatorProcess) -> None:
    """The state is a database that any tool can open."""
    connection = sqlite3.connect(process.state_file)
    try:
        names = {row[0] for row in connection.execute("SELECT name FROM vaults")}
    finally:
        connection.close()

    assert "dr-replicas" in names


# -- ending and starting again ------------------------------------------------------------------


def test_killed_and_restarted_process_keeps_everything(process: SimulatorProcess) -> None:
    """After kill -9, state, tokens, faults, journal and port are as before."""
    with connect(process) as client:
        assert 200 == replicate(client).status_code
        process.control.fault(operation="ListBackups", action="respond", status=418)
        before = process.control.records(), process.control.journal(), process.url
        process.kill()
        process.start()
        after = process.control.records(), process.control.journal(), process.url
        shown = client.get(f"{BACKUPS}/{SERVER_BACKUP}")
        faulty = client.get(BACKUPS)

    assert before == after
    assert 1 == len(shown.json()["backup"]["replication_records"])
    assert 418 == faulty.status_code


def test_latency_of_the_command_line_overrides_the_world(process: SimulatorProcess) -> None:
    """The same state can continue with another latency, which overrides that of the world."""
    process.reset(fleet_world(2, options=Options(latency_ms=60_000)), latency_ms=1)
    with httpx.Client(base_url=process.url, timeout=30, trust_env=False) as client:
        client.get("/v3/projects")
    process.kill()
    process.latency_ms = 30
    process.start()
    with httpx.Client(base_url=process.url, timeout=30, trust_env=False) as client:
        started = time.monotonic()
        client.get("/v3/projects")

    assert 0.03 <= time.monotonic() - started
    assert {"ListProjects": 2} == process.control.journal_counts()


@pytest.mark.parametrize(("action", "count"), [("exit_before", 0), ("exit_after", 1)])
def test_exit_ends_the_process_like_a_crash(
    process: SimulatorProcess, action: str, count: int
) -> None:
    """The process dies immediately, before or after the request is executed."""
    process.control.fault(operation="CopyBackup", action=action)
    with connect(process) as client, pytest.raises(httpx.TransportError):
        replicate(client)
    code = process.wait_for_exit()
    process.start()
    (entry,) = process.control.journal(operation="CopyBackup")

    assert 137 == code
    assert count == len(process.control.records())
    assert (None, action) == (entry["status"], entry["fault"])


def test_sigterm_ends_with_code_0(process: SimulatorProcess) -> None:
    """After a request to stop, a simulator ends cleanly, even with open connections."""
    with connect(process):
        os.kill(process.pid, signal.SIGTERM)

        assert 0 == process.wait_for_exit()


# -- invalid starts -----------------------------------------------------------------------------


def test_start_taken_port_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is reported with a remedy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        code = main(["--port", str(port)])

    (line,) = capsys.readouterr().err.splitlines()
    assert 2 == code
    assert f"simulator: port {port} on 127.0.0.1 is taken; choose another --port, or 0" in line


def test_start_bad_world_has_no_traceback(tmp_path: Path) -> None:
    """An invalid world ends the process with code 2 and its errors."""
    file = tmp_path / "world.yaml"
    file.write_text("regions: 7\n", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-m", "simulator", "--world", file],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (2, "") == (ended.returncode, ended.stdout)
    assert [
        f"simulator: {file}: accounts: found nothing, want a value",
        f"simulator: {file}: regions: found 7, want a valid list",
    ] == ended.stderr.splitlines()


def test_start_other_world_for_the_same_state_is_refused(
    tmp_path: Path, process: SimulatorProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state belongs to the world that it was created with."""
    file = tmp_path / "world.yaml"
    text = DEMO_WORLD.read_text(encoding="utf-8").replace("size_gb: 2000", "size_gb: 2001", 1)
    file.write_text(text, encoding="utf-8")
    code = main(["--world", str(file), "--state", str(process.state_file)])

    (line,) = capsys.readouterr().err.splitlines()
    assert 2 == code
    assert "holds the state of another world" in line


def test_start_state_that_is_no_database_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file of another kind is not written to."""
    file = tmp_path / "notes.txt"
    file.write_text("my notes\n" * 100, encoding="utf-8")
    code = main(["--state", str(file)])

    assert 2 == code
    assert "cannot be used as a state file" in capsys.readouterr().err
    assert "my notes\n" * 100 == file.read_text(encoding="utf-8")


def test_start_state_in_missing_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A state file that cannot be created is reported in one line."""
    code = main(["--state", str(tmp_path / "none" / "state.sqlite")])

    assert 2 == code
    assert 1 == len(capsys.readouterr().err.splitlines())


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--port", "-1"),
        ("--port", "70000"),
        ("--speed", "0"),
        ("--speed", "nan"),
        ("--speed", "fast"),
        ("--latency-ms", "-1"),
        ("--latency-ms", "nan"),
        ("--latency-ms", "slow"),
        ("--port-file", "none/port"),
    ],
)
def test_start_wrong_option_names_it(
    capsys: pytest.CaptureFixture[str], option: str, value: Any
) -> None:
    """An invalid value is reported with its option."""
    with pytest.raises(SystemExit) as caught:
        main([f"{option}={value}"])

    error = capsys.readouterr().err
    assert 2 == caught.value.code
    assert f"argument {option}: want a" in error
    assert repr(value) in error
