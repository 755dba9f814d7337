"""Each cell of the feature table, run with the real CLI on the SDK's plugin and on our host."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    MakeProject,
    Project,
    on_plugin,
    plugins_of,
    processes_of,
    start,
    wait_until,
)
from tests.e2e.features import FEATURES, PLUGINS, Feature
from tests.e2e.programs import BACKUP, FOREIGN, MANY, REPLICATION, SECOND_VAULT, TYPE

HANG_S = 12
"""A call without an answer for this long counts as one that never ends."""


@dataclass
class Bench:
    """Creates projects on one of the plugins."""

    plugin: str
    make: MakeProject
    control: Control
    folder: Path

    def replication(self) -> Project:
        """A project with one replication."""
        return self._on_plugin(REPLICATION)

    def many(self, count: int) -> Project:
        """A project with this many replications."""
        project = self._on_plugin(MANY)
        project.configure({"program:count": count})
        return project

    def foreign(self, what: str, count: int = 1) -> Project:
        """A project with foreign dynamic resources."""
        project = self._on_plugin(FOREIGN)
        project.configure(
            {"program:what": what, "program:count": count, "program:folder": str(self.folder)}
        )
        return project

    def _on_plugin(self, program: str) -> Project:
        return on_plugin(self.plugin, self.make, program)

    def replicated(self, project: Project) -> dict[str, Any]:
        """Create the replication, and end its copy; return the resource."""
        project.up()
        self.control.advance(20_000)
        project.refresh()
        return project.state()["erp"]

    def start_waiting(self, project: Project, *options: str) -> subprocess.Popen[bytes]:
        """Start a `destroy` that waits for an endless copy."""
        self.control.change_backup(BACKUP, copy={"mode": "never"})
        project.up()
        looks = len(self.control.journal(operation="ShowBackup"))
        running = start(project, "destroy", *options)
        wait_until(lambda: len(self.control.journal(operation="ShowBackup")) > looks + 2)
        return running


def see_parallel(bench: Bench) -> str:
    bench.foreign("count", 6).up("--parallel", "6")
    return str(max(int(path.name.removeprefix("saw-")) for path in bench.folder.glob("saw-*")))


def see_parallel_ours(bench: Bench) -> str:
    bench.control.fault(operation="CopyBackup", action="hold_before", times=6)
    project = bench.many(6)
    running = start(project, "up", "--parallel", "6")
    wait_until(lambda: bench.control.held() == 6 or running.poll() is not None)
    seen = bench.control.held()
    bench.control.release()
    running.wait(COMMAND_LIMIT_S)
    return str(seen)


def see_import_command(bench: Bench) -> str:
    project = bench.replication()
    resource = bench.replicated(project)
    project.must("state", "delete", "--yes", resource["urn"])
    options = ("--yes", "--generate-code=false", "--protect=false")
    outcome = project.run("import", *options, TYPE, "erp", import_id(resource))
    return _imported(project, resource, outcome.code)


def see_import_option(bench: Bench) -> str:
    project = bench.replication()
    resource = bench.replicated(project)
    project.must("state", "delete", "--yes", resource["urn"])
    project.configure({"program:import": import_id(resource)})
    outcome = project.run("up", "--yes", "--skip-preview")
    project.configure({"program:import": ""})
    return _imported(project, resource, outcome.code)


def see_import_file(bench: Bench) -> str:
    project = bench.replication()
    resource = bench.replicated(project)
    project.must("state", "delete", "--yes", resource["urn"])
    command = [str(project.python), "-m", "pulumi_huaweicloud_cbr", "import-file"]
    command += ["--stack", "test", f"erp={import_id(resource)}"]
    written = subprocess.run(
        command, cwd=project.directory, env=project.env, capture_output=True, text=True, check=True
    )
    (line,) = (line for line in written.stdout.splitlines() if "pulumi import" in line)
    outcome = project.run(*line.split()[1:], on_stack=False)
    return _imported(project, resource, outcome.code)


def see_get(bench: Bench) -> str:
    """The replication is read with each `up`, and belongs to its resource all the same."""
    project = bench.replication()
    created = bench.replicated(project)
    project.configure({"program:read": import_id(created)})
    project.up()
    seen = project.state()["seen"]
    assert seen["external"]
    replica = created["outputs"]["destination_backup_id"]
    assert replica == seen["outputs"]["destination_backup_id"]
    assert replica == json.loads(project.must("stack", "output", "--json").stdout)["seen"]
    project.up("--expect-no-changes")
    project.up("--refresh", "--expect-no-changes")
    project.destroy()
    assert not [row for row in bench.control.replicas() if row["region"] == "cn-east-3"]
    return "works"


def import_id(resource: dict[str, Any]) -> str:
    """Return the id that a replication is imported with."""
    return f"cn-north-4/{BACKUP}/{resource['id']}"


def _imported(project: Project, created: dict[str, Any], code: int) -> str:
    if code:
        assert {} == project.state()
        return "fails"
    imported = project.state()["erp"]
    # A declared name is recorded, CBR's own choice is not; an import cannot distinguish them.
    name = {"name": imported["outputs"]["name"]}
    assert created["id"] == imported["id"]
    assert {**created["outputs"], **name} == imported["outputs"]
    project.up("--expect-no-changes")
    return "works"


def see_detailed_diff(bench: Bench) -> str:
    project = bench.replication()
    project.up()
    project.configure({"program:vault": SECOND_VAULT})
    steps = project.must("preview", "--json").json()["steps"]
    (detail,) = (step["detailedDiff"] for step in steps if step["op"] == "replace")
    if detail is None:
        return "no"
    assert {"destination_vault_id"} == set(detail)
    assert "update-replace" == detail["destination_vault_id"]["kind"]
    return "yes"


def see_replace_on_changes(bench: Bench) -> str:
    project = bench.replication()
    bench.replicated(project)
    project.configure({"program:name": "erp-dr", "program:replace-on": "name"})
    return {"update": "ignored", "replace": "replaces"}[project.plan()["erp"]]


def see_custom_timeouts(bench: Bench) -> str:
    bench.control.change_backup(BACKUP, copy={"mode": "never"})
    project = bench.replication()
    project.configure({"program:delete-timeout": "1s"})
    project.up()
    outcome = project.run("destroy", "--yes", "--skip-preview")
    assert 0 != outcome.code
    assert ["erp"] == list(project.state())
    return "end it" if "after 1 s" in outcome.text else outcome.text


def see_interrupt(bench: Bench) -> str:
    project = bench.replication()
    running = bench.start_waiting(project)
    running.send_signal(signal.SIGINT)
    looks = len(bench.control.journal(operation="ShowBackup"))
    wait_until(
        lambda: (
            running.poll() is not None
            or len(bench.control.journal(operation="ShowBackup")) > looks + 20
        )
    )
    if running.poll() is None:
        # Only the end of the copy ends the wait.
        (record,) = bench.control.records()
        bench.control.change_record(record["id"], status="fail")
        running.wait(COMMAND_LIMIT_S)
        return "waits on"
    assert 0 != running.returncode
    assert ["erp"] == list(project.state())
    assert [] == project.deployment().get("pending_operations", [])
    return "ends it"


def see_partial(bench: Bench) -> str:
    project = bench.replication()
    resource = bench.replicated(project)
    project.must("state", "delete", "--yes", resource["urn"])
    project.configure({"program:name": "erp-dr"})
    body = {"error_code": "BackupService.9998", "error_msg": "Forbidden."}
    bench.control.fault(operation="UpdateBackup", action="respond", status=403, body=body)

    outcome = project.run("up", "--yes", "--skip-preview")
    assert 0 != outcome.code
    assert "BackupService.9998" in outcome.text
    kept = project.state()
    project.up()

    assert resource["id"] == project.state()["erp"]["id"]
    assert "erp-dr" == project.state()["erp"]["outputs"]["name"]
    assert 1 == len(bench.control.journal(operation="CopyBackup"))
    project.up("--expect-no-changes")
    if kept:
        assert resource["id"] == kept["erp"]["id"]
        return "kept in the state"
    return "found by the next `up`"


def see_error(bench: Bench) -> str:
    body = {"error_code": "BackupService.1012", "error_msg": "The maximum number is reached."}
    bench.control.fault(operation="CopyBackup", action="respond", status=400, body=body)
    outcome = bench.replication().run("up", "--yes", "--skip-preview")
    assert 0 != outcome.code
    assert "BackupService.1012" in outcome.text
    assert "Traceback" not in outcome.text
    assert "Exception calling application" not in outcome.text
    assert "error: submitting replication of backup" in outcome.text
    return "its text alone"


def see_progress(bench: Bench) -> str:
    project = bench.replication()
    project.configure({"program:delete-timeout": "2s"})
    bench.control.change_backup(BACKUP, copy={"mode": "never"})
    project.up()
    events = [
        json.loads(line).get("diagnosticEvent") or {}
        for line in project.run("destroy", "--yes", "--skip-preview", "--json").stdout.splitlines()
    ]
    lines = [event for event in events if "waiting for the copy" in event.get("message", "")]
    lines = [event for event in lines if event["severity"] == "info"]
    assert 1 <= len(lines) <= 3
    assert all(event["ephemeral"] for event in lines)
    assert all(event["urn"].endswith("::erp") for event in lines)
    return "on the resource's row"


def see_secrets(bench: Bench) -> str:
    project = bench.foreign("derive")
    project.up()
    outputs = project.resources()["thing-0"]["outputs"]
    assert isinstance(outputs["secret"], dict)
    assert "derive" == outputs["what"]
    kinds = {isinstance(outputs[key], dict) for key in ("copy", "url")}
    assert 1 == len(kinds)
    stored = project.everything_stored()
    assert ("hunter2" in stored) != kinds.pop()
    project.up("--expect-no-changes")
    return "plain" if "hunter2" in stored else "secret"


def see_exit(bench: Bench) -> str:
    project = bench.foreign("exit")
    running = start(project, "up")
    try:
        running.wait(HANG_S if bench.plugin != "host" else None)
    except subprocess.TimeoutExpired:
        running.kill()
        running.wait()
        return "the engine hangs"
    assert 0 != running.returncode
    return "an error"


def see_killed(bench: Bench) -> str:
    project = bench.foreign("stay")
    running = start(project, "up")
    wait_until(lambda: list(bench.folder.iterdir()))
    assert 1 == len(plugins_of(project))
    running.kill()
    running.wait()
    if bench.plugin == "host":
        # The language host too: no process that the CLI started is left.
        wait_until(lambda: not processes_of(project.directory.parent))
        return "all ends"
    time.sleep(3)
    assert 1 == len(plugins_of(project))
    return "the plugin stays"


def see_hint(bench: Bench) -> str:
    project = bench.replication()
    project.configure({"program:delete-timeout": "2s"})
    bench.control.change_backup(BACKUP, copy={"mode": "never"})
    project.up()
    text = project.run("destroy", "--yes", "--skip-preview").stdout
    diagnostics = text[text.index("Diagnostics:") :]
    return {0: "none", 1: "once"}[diagnostics.count("-m pulumi_huaweicloud_cbr.plugin --install")]


SEE: dict[str, Callable[[Bench], str]] = {
    feature.key: getattr(sys.modules[__name__], f"see_{feature.key}") for feature in FEATURES
}


CELLS = [
    pytest.param(
        feature,
        plugin,
        id=f"{feature.key}-{plugin}",
        marks=() if feature.runs_by_day(plugin) else pytest.mark.full,
    )
    for feature in FEATURES
    for plugin in PLUGINS
]


@pytest.mark.parametrize(("feature", "plugin"), CELLS)
def test_feature(
    feature: Feature, plugin: str, make_program: MakeProject, control: Control, tmp_path: Path
) -> None:
    """The result is that of the table."""
    folder = tmp_path / "meeting"
    folder.mkdir()

    seen = SEE[feature.key](Bench(plugin, make_program, control, folder))

    assert feature.cell(plugin) == seen
