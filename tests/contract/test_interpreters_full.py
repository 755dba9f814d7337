"""The built wheel with its pinned requirements, under each supported Python of this machine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import SimulatorProcess
from tests.contract.rig import BACKUP, VAULT

pytestmark = pytest.mark.simulator_only

REPOSITORY = Path(__file__).resolve().parents[2]
INSTALL = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
PINS = ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
LIMIT_S = 900
"""Far above the time of any command; only a hang reaches it."""

CREATE = """
import json, sys
from pulumi.dynamic import Config, ConfigureRequest
from pulumi_huaweicloud_cbr import BackupReplicationProvider

given = json.load(sys.stdin)
provider = BackupReplicationProvider()
provider.configure(ConfigureRequest(Config(given["configuration"], "cbr-replication")))
checked = provider.check({}, given["inputs"])
assert not checked.failures, [failure.reason for failure in checked.failures]
created = provider.create(checked.inputs)
json.dump({"version": sys.version_info[:2], "id": created.id, "outs": created.outs}, sys.stdout)
"""


def supported() -> list[str]:
    """Return the Python versions that the package declares as supported."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    versions = [name.rpartition(" :: ")[2] for name in project["classifiers"]]
    return [version for version in versions if version.startswith("3.")]


def candidates(version: str) -> Iterator[Path]:
    """Yield the paths where an interpreter of a version may be: on PATH, or with pyenv."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        yield Path(folder, f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")
    yield from sorted(pyenv.glob(f"{version}.*/bin/python{version}"))


def works(interpreter: Path, version: str) -> bool:
    """Whether it runs, has that version, and can make environments; a pyenv shim may not."""
    if shutil.which(interpreter) is None:
        return False
    code = "import ensurepip, sys, venv; print('.'.join(map(str, sys.version_info[:2])))"
    ran = subprocess.run(
        [interpreter, "-c", code], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    return (0, version) == (ran.returncode, ran.stdout.strip())


def found() -> dict[str, Path]:
    """Return an interpreter for each supported version that this machine has."""
    first = {
        version: next((each for each in candidates(version) if works(each, version)), None)
        for version in supported()
    }
    return {version: path for version, path in first.items() if path is not None}


INTERPRETERS = found()


def run(*command: str | Path, given: str = "") -> str:
    """Run a command outside of the checkout, require its success, and return its output."""
    ran = subprocess.run(
        command,
        input=given,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd=Path(command[0]).parent,
        check=False,
    )
    assert 0 == ran.returncode, f"{command}:\n{ran.stdout}\n{ran.stderr}"
    return ran.stdout


def test_an_interpreter_of_this_machine_is_tried() -> None:
    """The interpreter that runs the tests is always found; none would prove nothing."""
    assert INTERPRETERS


@pytest.mark.parametrize("version", INTERPRETERS)
@pytest.mark.parametrize("pins", ["runtime.txt", "runtime-sdk-3.272.txt"])
def test_wheel_works_under_each_python(
    tmp_path: Path, version: str, pins: str, configuration: dict[str, Any]
) -> None:
    """The pins install, the command line works, and a provider submits a copy."""
    (wheel,) = (REPOSITORY / "dist").glob("*.whl")
    run(INTERPRETERS[version], "-m", "venv", tmp_path / "env")
    python = tmp_path / "env" / "bin" / "python"
    run(python, *INSTALL, *PINS, "-r", REPOSITORY / "requirements" / pins)
    run(python, *INSTALL, "--no-deps", "--no-index", wheel)
    helped = run(python, "-m", "pulumi_huaweicloud_cbr", "--help")
    with SimulatorProcess(tmp_path) as simulator:
        address = f"{simulator.url}/regions/{{region}}"
        endpoints = json.dumps({"cbr": address, "iam": address})
        here = {**configuration, "huaweicloud:endpoints": endpoints}
        inputs = {
            "backup_id": BACKUP,
            "destination_region": "cn-east-3",
            "destination_vault_id": VAULT,
        }
        given = json.dumps({"configuration": here, "inputs": inputs})
        created = json.loads(run(python, "-c", CREATE, given=given))
        (record,) = simulator.control.records()

    assert "recover" in helped
    assert version == ".".join(map(str, created["version"]))
    assert record["id"] == created["id"]
    assert BACKUP == record["source_backup_id"]
