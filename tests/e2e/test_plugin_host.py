"""Our plugin host under the real CLI: what it adds, and that nothing else changes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import COMMAND_LIMIT_S, MakeProject, Project, plugin_hosts_below

TYPE = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication"
BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
PROGRAM = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
options = {}
if given.get("import"):
    options["import_"] = given.get("import")
if given.get("replace-on"):
    options["replace_on_changes"] = [given.get("replace-on")]
if given.get("delete-timeout"):
    options["custom_timeouts"] = pulumi.CustomTimeouts(delete=given.get("delete-timeout"))
replica = cbr.BackupReplication(
    "erp",
    cbr.BackupReplicationArgs(
        backup_id="5a863daa-7265-4c0a-822f-e66b2abcfb3d",
        destination_region="cn-east-3",
        destination_vault_id=given.get("vault") or "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
        name=given.get("name"),
    ),
    pulumi.ResourceOptions(**options),
)
"""

# A dynamic resource that is not ours: pickled by value, since it lives in `__main__`.
FOREIGN = """
import os, pathlib, time
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        what = props["what"]
        if what == "exit":
            raise SystemExit(3)
        if what == "interrupt":
            raise KeyboardInterrupt
        if what == "no-id":
            return CreateResult("", {})
        if what == "object":
            return CreateResult("x", {"what": what, "bad": object()})
        folder = pathlib.Path(props["folder"])
        (folder / f"in-{props['number']:.0f}").touch()
        deadline = time.monotonic() + 60
        while what == "meet" and len(list(folder.iterdir())) < props["want"]:
            if time.monotonic() > deadline:
                raise RuntimeError("the others did not come")
            time.sleep(0.02)
        if what == "stay":
            time.sleep(600)
        return CreateResult(f"made-{props['number']:.0f}", dict(props))

class Thing(Resource):
    def __init__(self, name, props):
        super().__init__(Provider(), name, props)

given = pulumi.Config()
for number in range(given.require_int("count")):
    Thing(f"thing-{number}", {
        "what": given.require("what"), "folder": given.require("folder"),
        "number": number, "want": given.require_int("count"),
    })
"""


def on_host(project: Project) -> Project:
    """Have a project use our host, as the documentation says."""
    subprocess.run(
        [project.python, "-m", "pulumi_huaweicloud_cbr.plugin", "--install", "plugin"],
        cwd=project.directory,
        check=True,
        capture_output=True,
    )
    file = project.directory / "Pulumi.yaml"
    line = "plugins: {providers: [{name: pulumi-python, path: ./plugin}]}\n"
    file.write_text(file.read_text() + line)
    return project


def off_host(project: Project) -> None:
    """Have a project use the SDK's own plugin again."""
    file = project.directory / "Pulumi.yaml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("plugins:")))


@pytest.fixture
def project(make_program: MakeProject) -> Project:
    """A project with one replication, on our host."""
    return on_host(make_program(PROGRAM))


@pytest.fixture
def foreign(make_program: MakeProject, tmp_path: Path) -> Project:
    """A project with dynamic resources that are not ours, on our host."""
    folder = tmp_path / "meeting"
    folder.mkdir()
    project = on_host(make_program(FOREIGN))
    project.configure({"program:folder": str(folder), "program:count": 1})
    return project


def replicas(control: Control) -> list[dict[str, Any]]:
    """Return the replicas in the destination."""
    return [row for row in control.replicas() if row["region"] == "cn-east-3"]


def test_host_full_cycle(project: Project, control: Control) -> None:
    """Create, rename, drift, repair and destroy are the same as on the SDK's plugin."""
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


def test_host_takes_over_and_gives_back(make_program: MakeProject, control: Control) -> None:
    """A stack of the SDK's plugin is unchanged on the host, and the other way round."""
    project = make_program(PROGRAM)
    project.up()
    on_host(project)
    project.up("--expect-no-changes")
    off_host(project)
    project.up("--expect-no-changes")

    assert 1 == len(control.journal(operation="CopyBackup"))


@pytest.mark.parametrize("way", ["option", "command"])
def test_host_import(project: Project, control: Control, way: str) -> None:
    """An existing replication is imported; the state is that of a created one, and stays quiet."""
    project.up()
    control.advance(20_000)
    project.refresh()
    created = project.state()["erp"]
    project.must("state", "delete", "--yes", created["urn"])
    identifier = f"cn-north-4/{BACKUP}/{created['id']}"

    if way == "command":
        project.must(
            "import", "--yes", "--generate-code=false", "--protect=false", TYPE, "erp", identifier
        )
    else:
        project.configure({"program:import": identifier})
        assert "1 imported" in project.up().text

    imported = project.state()["erp"]
    assert created["id"] == imported["id"]
    name = {"name": replicas(control)[0]["name"]}
    assert {**created["outputs"], **name} == {**imported["outputs"], **name}
    project.configure({"program:import": ""})
    project.up("--expect-no-changes")
    assert 1 == len(control.journal(operation="CopyBackup"))


def test_host_import_unknown_record_is_refused(project: Project, control: Control) -> None:
    """An id that is none, or of nothing, is told in one line."""
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


def test_host_detailed_diff(project: Project) -> None:
    """A preview names the property that changed, and whether it replaces."""
    project.up()
    project.configure({"program:vault": "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"})

    steps = project.must("preview", "--json").json()["steps"]

    details = [step["detailedDiff"] for step in steps if step["op"] == "replace"]
    assert [{"destination_vault_id"}] == [set(detail) for detail in details]
    assert "update-replace" == details[0]["destination_vault_id"]["kind"]
    assert "[diff: ~destination_vault_id]" in project.preview().text


def test_host_replace_on_changes(project: Project, control: Control) -> None:
    """`replaceOnChanges`, without effect on the SDK's plugin, makes a rename a replacement."""
    project.up()
    control.advance(20_000)
    project.refresh()
    project.configure({"program:name": "erp-dr", "program:replace-on": "name"})

    assert "replace" in project.plan()["erp"]


def test_host_error_is_one_clean_block(project: Project, control: Control) -> None:
    """A refusal is shown as its one line: no prefix of the transport, no traceback."""
    body = {"error_code": "BackupService.1012", "error_msg": "The maximum number is reached."}
    control.fault(operation="CopyBackup", action="respond", status=400, body=body)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "error: submitting replication of backup" in outcome.text
    assert "BackupService.1012" in outcome.text
    assert "Exception calling application" not in outcome.text
    assert "Traceback" not in outcome.text


def test_host_custom_timeout_ends_a_wait(project: Project, control: Control) -> None:
    """The program's time limit ends the wait of a deletion; running it again goes on."""
    control.change_backup(BACKUP, copy={"mode": "never"})
    project.configure({"program:delete-timeout": "1s"})
    project.up()

    outcome = project.run("destroy", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "after 1 s" in outcome.text
    assert ["erp"] == list(project.state())


def test_host_interrupt_ends_a_wait(project: Project, control: Control) -> None:
    """One Ctrl-C ends the wait of a deletion; the state is saved, and nothing is lost."""
    control.change_backup(BACKUP, copy={"mode": "never"})
    project.up()
    running = subprocess.Popen(
        project.command("destroy", "--yes", "--skip-preview"),
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    before = len(control.journal(operation="ShowBackup"))
    deadline = time.monotonic() + COMMAND_LIMIT_S
    while len(control.journal(operation="ShowBackup")) < before + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)

    assert 0 != running.wait(60)
    assert ["erp"] == list(project.state())
    assert 1 == len(replicas(control))


def test_host_as_many_calls_as_the_engine_makes(foreign: Project) -> None:
    """Twelve creates that wait for each other end only if all are served at once."""
    foreign.configure({"program:what": "meet", "program:count": 12})

    foreign.up("--parallel", "12")


def test_host_serves_foreign_resources_unchanged(make_program: MakeProject, tmp_path: Path) -> None:
    """A dynamic resource that is pickled by value is taken over without a change."""
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
    """Whatever a provider does, the call is answered with an error."""
    foreign.configure({"program:what": what})

    outcome = foreign.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert words in outcome.text


def test_host_ends_with_a_killed_cli(foreign: Project) -> None:
    """When the CLI is killed outright, the host does not stay behind."""
    foreign.configure({"program:what": "stay"})
    running = subprocess.Popen(
        foreign.command("up", "--yes", "--skip-preview"),
        cwd=foreign.directory,
        env=foreign.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    meeting = foreign.directory.parent / "meeting"
    deadline = time.monotonic() + COMMAND_LIMIT_S
    while not list(meeting.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert [] != plugin_hosts_below(foreign.directory.parent)

    running.kill()
    running.wait()

    while plugin_hosts_below(foreign.directory.parent):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("version", ["3.255.0", "3.272.0"])
def test_host_from_an_installed_wheel(
    make_program: MakeProject, control: Control, version: str
) -> None:
    """A project with the wheel alone enables the host with one documented line."""
    python = Path(sys.prefix).parent / ".cache" / f"sdk-{version}" / "bin" / "python"
    project = on_host(make_program(PROGRAM, python))
    project.up()
    project.up("--expect-no-changes")
    project.destroy()

    assert 1 == len(control.journal(operation="CopyBackup"))
