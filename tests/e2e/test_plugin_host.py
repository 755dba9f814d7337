"""Our plugin host under the real CLI: what it adds, and that nothing else changes."""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    MakeProject,
    Project,
    off_host,
    on_host,
    plugins_of,
    sdk_python,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, FOREIGN, REPLICATION, TYPE


@pytest.fixture
def project(make_program: MakeProject) -> Project:
    """A project with one replication, on our host."""
    return on_host(make_program(REPLICATION))


@pytest.fixture
def foreign(make_program: MakeProject, tmp_path: Path) -> Project:
    """A project with foreign dynamic resources, on our host."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    project = on_host(make_program(FOREIGN))
    project.configure({"program:folder": str(folder), "program:count": 1})
    return project


def has_ended_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Whether a process ends within a short wait."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    return process.returncode is not None


def replicas(control: Control) -> list[dict[str, Any]]:
    """Return the replicas in the destination."""
    return [row for row in control.replicas() if row["region"] == "cn-east-3"]


@pytest.mark.full
def test_host_full_cycle(project: Project, control: Control) -> None:
    """Create, rename, drift, repair and destroy work as on the SDK's plugin."""
    project.up()
    control.advance(20_000)
    project.refresh()
    project.up("--expect-no-changes")
    project.configure({"program:name": "erp-dr"})
    project.up()
    assert ["erp-dr"] == [replica["name"] for replica in replicas(control)]

    control.forget_backup(replicas(control)[0]["id"])
    project.refresh()
    assert {} == project.state()
    project.up()
    project.destroy()

    assert [] == replicas(control)
    assert 2 == len(control.journal(operation="CopyBackup"))


@pytest.mark.full
def test_host_and_sdk_plugin_share_a_stack(make_program: MakeProject, control: Control) -> None:
    """A stack of the SDK's plugin is unchanged on the host, and vice versa."""
    project = make_program(REPLICATION)
    project.up()
    on_host(project)
    project.up("--expect-no-changes")
    off_host(project)
    project.up("--expect-no-changes")

    assert 1 == len(control.journal(operation="CopyBackup"))


def test_host_import_unknown_record_is_refused(project: Project, control: Control) -> None:
    """An invalid id, or one of nothing, is reported in one line."""
    for identifier, words in (
        ("nonsense", "want SOURCE_REGION/BACKUP_ID/RECORD_ID"),
        (f"{BACKUP}/{BACKUP}", "the backup does not list it"),
    ):
        outcome = project.run(
            "import", "--yes", "--generate-code=false", "--protect=false", TYPE, "erp", identifier
        )

        assert 0 != outcome.code
        assert words in outcome.text
        assert "Traceback" not in outcome.text
    assert [] == control.journal(operation="CopyBackup")


def test_host_serves_foreign_resources_unchanged(make_program: MakeProject, tmp_path: Path) -> None:
    """A dynamic resource that is pickled by value works unchanged."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    project = make_program(FOREIGN)
    project.configure({"program:folder": str(folder), "program:count": 2, "program:what": "meet"})
    project.up()
    on_host(project)

    project.up("--expect-no-changes")
    project.destroy()


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("exit", "SystemExit: 3"),
        ("interrupt", "KeyboardInterrupt"),
        ("no-id", "as the resource's id"),
        ("object", "bad"),
    ],
)
def test_host_never_hangs(foreign: Project, what: str, words: str) -> None:
    """Whatever a provider does, the call is answered, if only with an error."""
    foreign.configure({"program:what": what})

    outcome = foreign.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert words in outcome.text


def test_host_keeps_what_was_created_with_outputs_that_cannot_be_stored(foreign: Project) -> None:
    """The state has the id of what exists, with the other outputs; `up` continues from there."""
    foreign.configure({"program:what": "object"})

    outcome = foreign.run("up", "--yes", "--skip-preview")
    kept = foreign.resources()["thing-0"]
    foreign.configure({"program:what": "meet"})
    after = foreign.up()

    assert "it was created, but its outputs cannot be stored" in outcome.text
    assert ("x", "object") == (kept["id"], kept["outputs"]["what"])
    assert "1 updated" in after.text
    assert "x" == foreign.resources()["thing-0"]["id"]


@pytest.mark.full
def test_host_interrupted_twice(project: Project, control: Control) -> None:
    """Two Ctrl-C's abandon a submission that CBR accepts; `up` finds it."""
    control.fault(operation="CopyBackup", action="hold_after")
    running = start(project, "up")
    wait_until(control.records)
    running.send_signal(signal.SIGINT)
    for _ in range(COMMAND_LIMIT_S // 2):
        if has_ended_within(running, 2):
            break
        # A second one before the first was handled would have no effect.
        running.send_signal(signal.SIGINT)

    assert running.returncode not in (None, 0)
    assert {} == project.state()
    wait_until(lambda: not plugins_of(project))
    control.release()
    project.up()

    (record,) = control.records()
    assert record["id"] == project.state()["erp"]["id"]
    assert 1 == len(control.journal(operation="CopyBackup"))


def test_host_listens_on_loopback_only() -> None:
    """Nothing listens on other addresses of the machine."""
    with subprocess.Popen(
        [sys.executable, "-m", "pulumi_huaweicloud_cbr.plugin", "127.0.0.1:9"],
        stdout=subprocess.PIPE,
    ) as plugin:
        assert plugin.stdout is not None
        port = int(plugin.stdout.readline())
        try:
            socket.create_connection(("127.0.0.1", port), timeout=30).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.2", port), timeout=30).close()
        finally:
            plugin.terminate()


@pytest.mark.full
@pytest.mark.parametrize("version", ["3.255.0", pytest.param("3.272.0", marks=pytest.mark.full)])
def test_host_from_an_installed_wheel(
    make_program: MakeProject, control: Control, version: str
) -> None:
    """A project with only the wheel enables the host with one documented line."""
    project = on_host(make_program(REPLICATION, sdk_python(version)))
    project.up()
    project.up("--expect-no-changes")
    project.destroy()

    assert 1 == len(control.journal(operation="CopyBackup"))
