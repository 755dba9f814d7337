"""A user's own project with only the built wheel: on the SDK's plugin, and on our host."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from simulator.testing import Control, SimulatorProcess
from tests.e2e import printing_host
from tests.e2e.driver import (
    PASSWORD,
    REPOSITORY,
    TOOLCHAIN,
    MakeProject,
    Project,
    connection,
    sdk_python,
)
from tests.e2e.programs import BACKUP, TYPE

PROGRAM = """
import pulumi
import pulumi_huaweicloud_cbr as cbr

backup = cbr.get_backups(resource_name="erp-db-01", limit=1)[0]
vault = cbr.get_vault("ca0083e4-1bda-48ca-af6d-aa9c8c93bc85", region="cn-east-3")
replica = cbr.BackupReplication(
    "erp",
    cbr.BackupReplicationArgs(
        backup_id=backup.id,
        destination_region="cn-east-3",
        destination_vault_id=vault.id,
        name=pulumi.Config().get("name"),
    ),
)
pulumi.export("record", replica.replication_record_id)
"""


@pytest.fixture(params=[pytest.param("3.255.0", marks=pytest.mark.full), "3.272.0"])
def python(request: pytest.FixtureRequest) -> Path:
    """The interpreter of an environment with the wheel and one SDK, made by `make sdk-venvs`."""
    interpreter = REPOSITORY / ".cache" / f"sdk-{request.param}" / "bin" / "python"
    if not interpreter.exists():
        pytest.fail("run `make sdk-venvs` first; `make test` does")
    return interpreter


def test_wheel_full_cycle(make_program: MakeProject, python: Path, control: Control) -> None:
    """Up, an empty second up, a rename, a repair after drift and a destroy in a user's project."""
    project = make_program(PROGRAM, python)
    project.up()
    control.advance(20_000)
    project.refresh()
    project.up("--expect-no-changes")
    project.configure({"program:name": "erp-dr"})
    project.up()
    outputs = project.state()["erp"]["outputs"]

    (replica,) = [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert "erp-dr" == replica["name"] == outputs["name"]
    control.forget_backup(replica["id"])
    project.refresh()
    project.up()
    project.destroy()
    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert 2 == len(control.journal(operation="CopyBackup"))


@pytest.mark.full
def test_wheel_downloads_no_plugin(make_program: MakeProject, python: Path) -> None:
    """The package declares that it needs no plugin, so the engine looks for none."""
    project = make_program(PROGRAM, python)
    project.is_pip_asked = True
    outcome = project.preview("--logtostderr", "--verbose=7")

    assert "huaweicloud-cbr downloading" not in outcome.text
    assert "PLUGIN" not in outcome.stdout


def test_wheel_refusal_is_one_line_without_traceback(
    make_program: MakeProject, python: Path, control: Control
) -> None:
    """An expected error of `up` is shown without a traceback on either SDK."""
    control.fault(
        operation="CopyBackup",
        action="respond",
        status=400,
        body={"error_code": "BackupService.1012", "error_msg": "The maximum number is reached."},
    )
    project = make_program(PROGRAM, python)

    outcome = project.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "BackupService.1012" in outcome.text
    assert "delete replicas of this backup that are no longer needed" in outcome.text
    assert "Traceback" not in outcome.text
    assert {} == project.state()


@pytest.mark.full
def test_wheel_state_moves_between_sdks(make_program: MakeProject, control: Control) -> None:
    """A stack that one SDK created is unchanged under the other."""
    old, new = (
        REPOSITORY / ".cache" / f"sdk-{version}" / "bin" / "python"
        for version in ("3.255.0", "3.272.0")
    )
    project = make_program(PROGRAM, old)
    project.up()
    project.use(new)

    project.up("--expect-no-changes")

    assert 1 == len(control.journal(operation="CopyBackup"))


# -- a project as `pulumi new` creates it ---------------------------------------------------------

PAGE = (REPOSITORY / "docs" / "reference" / "resources.md").read_text()
_, _, OWN = PAGE.partition("## BackupReplication\n```python\n")
KEYWORDS, _, _ = OWN.partition("```\n")


@dataclass(frozen=True)
class Kind:
    """A tool for Python environments: its part of Pulumi.yaml, and the environments' place."""

    options: dict[str, str]
    environment: str
    folder: str = "."


KINDS = {
    "pip": Kind({"toolchain": "pip", "virtualenv": "venv"}, "venv"),
    "uv": Kind({"toolchain": "uv"}, ".venv", "program"),
    "poetry": Kind({"toolchain": "poetry"}, "../cache/x-py3.12", "program"),
}


def new_project(directory: Path, kind: Kind, simulator: SimulatorProcess) -> Project:
    """Return a project as `pulumi new` leaves it, with the wheel installed, on our plugin host.

    The pinned language host does not know toolchains: it takes the Python on PATH, which has
    another environment. The engine passes the project's to the plugin.
    """
    project = Project(directory / "x", sdk_python("3.255.0"))
    (project.directory / kind.folder).mkdir(parents=True)
    runtime = {"name": "python", "options": kind.options}
    document = {"name": "program", "runtime": runtime, "description": "A minimal program"}
    if kind.folder != ".":
        document["main"] = kind.folder
    (project.directory / "Pulumi.yaml").write_text(yaml.safe_dump(document))
    (project.directory / "requirements.txt").write_text("pulumi>=3.0.0,<4.0.0\n")
    (project.directory / kind.folder / "__main__.py").write_text(KEYWORDS)
    home = project.directory / kind.environment
    (home / "bin").mkdir(parents=True)
    started = shlex.quote(str(directory / "started"))
    wheel = shlex.quote(str(sdk_python("3.272.0")))
    script = f'#!/bin/sh\necho "$@" >>{started}\nexec {wheel} "$@"\n'
    for path, text in {
        home / "bin" / "python": script,
        directory / "bin" / "poetry": f"#!/bin/sh\necho {shlex.quote(str(home))}\n",
    }.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)
    installed = subprocess.run(
        [project.python, "-m", "pulumi_huaweicloud_cbr.plugin", "--install", "plugin"],
        cwd=project.directory,
        check=True,
        capture_output=True,
        text=True,
    )
    (line,) = (line for line in installed.stdout.splitlines() if line.startswith("plugins:"))
    with (project.directory / "Pulumi.yaml").open("a") as file:
        file.write(f"{line}\n")
    printing_host.put_on_path(directory / "bin", TOOLCHAIN / "pulumi-language-python")
    project.environment["HW_USER_PASSWORD"] = PASSWORD
    paths = f"{directory / 'bin'}:{project.env['PATH']}"
    project.environment["PATH"] = paths
    project.must("stack", "init", "test", on_stack=False)
    project.configure(connection(simulator))
    return project


# Only the executable's search for Python differs: tests/unit/plugin/test_plugin_executable.py.
@pytest.mark.full
@pytest.mark.parametrize(
    "name",
    [name if name == "pip" else pytest.param(name, marks=pytest.mark.full) for name in KINDS],
)
def test_new_project_full_cycle(
    tmp_path: Path, simulator: SimulatorProcess, control: Control, name: str
) -> None:
    """Up, import, the printed program, refresh, destroy, with a plugin in the project's Python."""
    kind = KINDS[name]
    project = new_project(tmp_path, kind, simulator)
    project.up()
    project.up("--expect-no-changes")
    created = project.state()["erp-db"]
    for resource in ("complete", "erp-db"):
        urn = project.resources()[resource]["urn"]
        project.must("state", "delete", "--yes", urn)

    imported = project.must("import", "--yes", TYPE, "erp-db", f"{BACKUP}/{created['id']}")
    printed = imported.stdout[imported.stdout.index("import pulumi\n") :]
    (project.directory / kind.folder / "__main__.py").write_text(printed)

    assert created["id"] == project.state()["erp-db"]["id"]
    assert "import pulumi_huaweicloud_cbr as " in printed
    project.up("--expect-no-changes")
    project.refresh()
    project.up("--expect-no-changes")
    project.must("state", "unprotect", "--all", "--yes")
    project.destroy()
    assert [] == [row for row in control.replicas() if row["region"] == "cn-east-3"]
    assert 1 == len(control.journal(operation="CopyBackup"))
    started = (tmp_path / "started").read_text().splitlines()
    assert started
    assert all(line.startswith("-u -m pulumi_huaweicloud_cbr.plugin ") for line in started)
