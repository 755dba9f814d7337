"""The commands that the workflows and the README name, run exactly as written."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    PASSWORD,
    REPOSITORY,
    TOOLCHAIN,
    connection,
    processes_of,
    wait_until,
)

SHARED = ("Makefile", "Pulumi.yaml", "pyproject.toml", "README.md", "LICENSE")
LINKED = (".venv", ".toolchain", "plugin", "provider", "requirements", "tools")


@pytest.fixture
def checkout(tmp_path: Path, simulator: SimulatorProcess) -> Path:
    """A checkout with this one's environment and a stack for the simulator."""
    directory = tmp_path / "checkout"
    (directory / "stacks").mkdir(parents=True)
    for name in SHARED:
        shutil.copy(REPOSITORY / name, directory / name)
    for name in LINKED:
        (directory / name).symlink_to(REPOSITORY / name)
    for source in (REPOSITORY / "stacks").glob("*.*"):
        shutil.copy(source, directory / "stacks")
    demo = directory / "stacks" / "Pulumi.demo.yaml"
    document = yaml.safe_load(demo.read_text())
    document["config"].update(connection(simulator))
    demo.write_text(yaml.safe_dump(document))
    return directory


def make(checkout: Path, *arguments: str, password: str | None = PASSWORD) -> tuple[int, str]:
    """Run a Make target as a workflow does. Return exit code and output."""
    backend = checkout.parent / "backend"
    backend.mkdir(exist_ok=True)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(checkout.parent),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "e2e-passphrase",
        "PULUMI_HOME": str(checkout.parent / "pulumi-home"),
    }
    if password is not None:
        environment["HW_USER_PASSWORD"] = password
    # The environment is that of this checkout, and counts as up to date there.
    current = (".venv/.base", ".venv/.package", ".venv/.tools", "toolchain-quiet")
    settled = [word for target in current for word in ("-o", target)]
    done = subprocess.run(
        ["make", "--no-print-directory", *settled, *arguments],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout


def make_stack(checkout: Path) -> None:
    """Create the stack, as is done once for a real one."""
    environment = {
        "PATH": os.pathsep.join(
            [str(Path(sys.executable).parent), str(TOOLCHAIN), os.environ["PATH"]]
        ),
        "HOME": str(checkout.parent),
        "PULUMI_BACKEND_URL": f"file://{checkout.parent / 'backend'}",
        "PULUMI_CONFIG_PASSPHRASE": "e2e-passphrase",
        "PULUMI_HOME": str(checkout.parent / "pulumi-home"),
    }
    (checkout.parent / "backend").mkdir(exist_ok=True)
    subprocess.run(
        ["pulumi", "stack", "init", "demo", "--non-interactive"],
        cwd=checkout,
        env=environment,
        check=True,
        capture_output=True,
        timeout=COMMAND_LIMIT_S,
    )


@pytest.mark.full
def test_make_preview_and_up_of_a_stack(checkout: Path, control: Control) -> None:
    """The commands of pull requests and the main branch: a report, then the announced change."""
    make_stack(checkout)

    code, printed = make(checkout, "preview", "STACK=demo")
    assert 0 == code, printed
    report = (checkout / "build" / "preview" / "demo.md").read_text()
    assert "### 4 replicas will be copied (" in report
    assert "<code>erp-db</code>" in report
    assert [] == control.journal(operation="CopyBackup")

    code, printed = make(checkout, "up", "STACK=demo")
    assert 0 == code, printed
    assert 4 == len(control.journal(operation="CopyBackup"))

    code, printed = make(checkout, "preview", "STACK=demo")
    assert 0 == code, printed
    assert "### Nothing changes" in (checkout / "build" / "preview" / "demo.md").read_text()


@pytest.mark.parametrize(
    ("project", "stack"),
    [
        ("dr-copies", "acme/demo"),
        pytest.param("dr-copies", "acme/dr-copies/demo", marks=pytest.mark.full),
        pytest.param("cbr-replication", "demo", marks=pytest.mark.full),
    ],
)
def test_make_preview_of_a_fork_needs_no_credentials(
    checkout: Path, control: Control, project: str, stack: str
) -> None:
    """A fork's pull request has no secrets: nothing is asked; the report says what is unknown.

    A project has any name, and a stack may be named with its organisation and project.
    """
    project_file = checkout / "Pulumi.yaml"
    settings = yaml.safe_load(project_file.read_text())
    project_file.write_text(yaml.safe_dump({**settings, "name": project}))
    stack_file = checkout / "stacks" / "Pulumi.demo.yaml"
    document = yaml.safe_load(stack_file.read_text())
    sealed = {"secure": "v1:not-a-secret-but-sealed"}
    document["encryptionsalt"] = "v1:salt"
    document["config"]["cbr-replication:replications"][0]["backup_id"] = sealed
    document["config"]["cbr-replication:sets"] = [
        {"name": "nightly", "select": {"resource_name": "web-02", "newest": 7}}
    ]
    stack_file.write_text(yaml.safe_dump(document))

    code, printed = make(checkout, "preview", f"STACK={stack}", "PREFLIGHT=off", password=None)

    assert 0 == code, printed
    name = stack.replace("/", "-")
    report = (checkout / "build" / "preview" / f"{name}.md").read_text()
    assert "<code>erp-db</code>" in report
    assert "not checked" in report
    assert "Replicas of <code>nightly-to-cn-east-3</code> may be copied" in report
    assert "preflight is off: not asked which backups it has" in report
    assert [] == control.journal()


def test_make_preview_of_a_faulty_change_fails_with_the_fault(
    checkout: Path, control: Control
) -> None:
    """A change that the API would refuse fails the check, and the report names the failure."""
    make_stack(checkout)
    stack = checkout / "stacks" / "Pulumi.demo.yaml"
    document = yaml.safe_load(stack.read_text())
    replications = document["config"]["cbr-replication:replications"]
    replications[0]["backup_id"] = "afdb82ff-c7ba-415f-9773-32b07f014082"
    stack.write_text(yaml.safe_dump(document))

    code, _ = make(checkout, "preview", "STACK=demo")

    assert 0 != code
    report = (checkout / "build" / "preview" / "demo.md").read_text()
    assert "wait for it or choose another backup" in report
    assert [] == control.journal(operation="CopyBackup")


@pytest.mark.full
def test_make_recover_after_a_killed_up(checkout: Path, control: Control) -> None:
    """`make up` and `make preview` name `recover`. After it, `up` copies nothing twice."""
    make_stack(checkout)
    control.fault(operation="CopyBackup", action="hold_after", times=4)
    with ThreadPoolExecutor() as threads:
        killed = threads.submit(make, checkout, "up", "STACK=demo")
        # While all copies are held, the CLI writes no state that the signal could cut short.
        wait_until(lambda: 4 == control.held())
        for process, command in processes_of(checkout.parent).items():
            if re.match(r"(\S*/)?pulumi --non-interactive up ", command):
                os.kill(process, signal.SIGKILL)
        control.release()
        assert 0 != killed.result()[0]

    code, printed = make(checkout, "up", "STACK=demo")
    assert 0 != code
    assert printed.rstrip().splitlines()[-2].endswith("recover --stack demo"), printed
    code, printed = make(checkout, "preview", "STACK=demo")
    assert 0 == code, printed
    assert "recover --stack demo" in printed

    code, printed = make(checkout, "recover", "STACK=demo", "DEAD=nobody")
    assert 0 != code
    assert "argument --dead: 'nobody' is not HOST:PROCESS" in printed
    code, printed = make(checkout, "recover", "STACK=demo")
    assert 0 == code, printed
    code, printed = make(checkout, "up", "STACK=demo")
    assert 0 == code, printed
    assert "recover --stack" not in printed
    assert 4 == len(control.records())


@pytest.mark.full
def test_demo_interrupted_cleans_up(tmp_path: Path) -> None:
    """An interrupt ends the demo with its code, and leaves no process or file."""
    environment = {
        "PATH": os.pathsep.join([str(TOOLCHAIN), os.environ["PATH"]]),
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
    }
    running = subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        cwd=REPOSITORY,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if "pulumi up" in line:
            break
    running.send_signal(signal.SIGTERM)
    rest, _ = running.communicate(timeout=COMMAND_LIMIT_S)

    assert 143 == running.returncode, rest
    assert "cleaned up" in rest
    assert [] == list(tmp_path.glob("cbr-demo-*"))
    deadline = time.monotonic() + 30
    while processes_below(tmp_path):
        assert time.monotonic() < deadline, processes_below(tmp_path)
        time.sleep(0.2)


def processes_below(directory: Path) -> list[str]:
    """Return the command lines of processes that were started with a path in a directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes().decode(errors="replace").replace("\0", " ")
        except OSError:
            continue
        if str(directory) in command and str(os.getpid()) != entry.parent.name:
            found.append(json.dumps(command))
    return found


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("utf-8", marks=pytest.mark.full)])
def test_demo_runs_to_its_end(encoding: str, tmp_path: Path) -> None:
    """`make demo` runs to its end, with any output encoding, and checks its own claims."""
    done = subprocess.run(
        [sys.executable, "-m", "tools.demo"],
        cwd=REPOSITORY,
        env={
            "PATH": os.pathsep.join([str(TOOLCHAIN), os.environ["PATH"]]),
            "HOME": str(tmp_path),
            "TMPDIR": str(tmp_path),
            "PYTHONIOENCODING": encoding,
        },
        capture_output=True,
        encoding=encoding,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "The demo did all of it." in done.stdout
    assert [] == list(tmp_path.glob("cbr-demo-*"))
