"""What users type first, run as written: the README's commands, and those of docs/start.md."""

from __future__ import annotations

import os
import pty
import re
import shlex
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.worlds.files import load_world
from tests.pages import answered, commands_in

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
START = (ROOT / "docs" / "start.md").read_text(encoding="utf-8")
CONFIGURATION = ROOT / "docs" / "reference" / "stack-configuration.md"
EXAMPLE = ROOT / "stacks" / "Pulumi.example.yaml"
WORLD = load_world(ROOT / "simulator" / "worlds" / "demo.yaml")
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
COMMAND_LIMIT_S = 900

COPIED = ("Makefile", "Pulumi.yaml", "pyproject.toml", "README.md", "LICENSE")
LINKED = (
    *(".cache", ".toolchain", ".venv", "plugin", "provider"),
    *("requirements", "simulator", "tools"),
)
# What this checkout's environment already has, so that a copy does not make it again.
CURRENT = (".venv/.base", ".venv/.package", ".venv/.tools", "toolchain", "toolchain-quiet")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with this one's environment."""
    directory = tmp_path / "checkout"
    directory.mkdir()
    for name in COPIED:
        shutil.copy(ROOT / name, directory / name)
    for name in LINKED:
        (directory / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "stacks", directory / "stacks", ignore=shutil.ignore_patterns("__py*"))
    return directory


def run_shell(checkout: Path, lines: list[str]) -> tuple[int, str]:
    """Run lines in one shell that stops at the first failure. Return its code and output."""
    options = " ".join(f"-o {target}" for target in CURRENT)
    script = [
        "set -euo pipefail; set +m; trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
        f'make() {{ command make {options} "$@"; }}',
        *(f"echo {shlex.quote(f'$ {line}')}; {line}" for line in lines),
    ]
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout.parent), "LANG": "C.UTF-8"}
    environment["PULUMI_HOME"] = str(checkout.parent / "pulumi-home")
    done = subprocess.run(
        ["bash", "-c", "\n".join(script)],
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def as_typed(lines: list[str], port: int) -> list[str]:
    """Answer a command's questions, wait for the simulator, and use a free port."""
    typed = []
    for written in answered(lines):
        line = written.replace("8080", str(port))
        if "python -m simulator" in line:
            line = line.removesuffix(" &") + " --port-file ready & "
            line += "until [ -e ready ]; do sleep 0.1; done"
        typed.append(line)
    return typed


@pytest.mark.e2e
def test_first_stack_as_the_page_has_it(checkout: Path) -> None:
    """From the tools to a completed `up`, with the simulator that the page starts."""
    lines = commands_in(START, "Your first stack")
    code, printed = run_shell(checkout, as_typed(lines, free_port()))

    assert "make up STACK=prod" == lines[-1]
    assert code == 0, printed
    assert "Ready" in printed
    assert "<!-- pulumi-preview:prod -->" in printed
    assert re.search(r"\+ \d+ created", printed), printed


@pytest.mark.e2e
def test_preview_on_a_terminal_is_text(checkout: Path) -> None:
    """A terminal shows plain text; Markdown is for pull requests. It needs no account."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(checkout.parent), "LANG": "C.UTF-8"}
    environment |= {"TERM": "xterm", "PULUMI_HOME": str(checkout.parent / "pulumi-home")}
    settled = [word for target in CURRENT for word in ("-o", target)]
    terminal, end = pty.openpty()
    command = ["make", *settled, "preview", "STACK=acme/example", "PREFLIGHT=off"]
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            command, cwd=checkout, env=environment, stdin=end, stdout=end, stderr=end
        )
        os.close(end)
        shown = b""
        try:
            while part := screen.read(4096):
                shown += part
        except OSError:
            pass  # EIO: the last process that used the terminal has ended.
        code = process.wait(COMMAND_LIMIT_S)

    text = shown.decode()
    assert code == 0, text
    assert "replicas will be copied" in text
    assert "pulumi-preview:" not in text


def test_two_commands_are_targets() -> None:
    """The first commands of the README exist; tests/e2e/test_make_targets.py runs the demo."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert ["make demo", "make test"] == commands_in(README, "Two commands")
    assert re.search(r"^demo: .*\n\t.* -m tools\.demo ", makefile, re.MULTILINE)


@pytest.mark.parametrize(
    "text", [EXAMPLE.read_text(), CONFIGURATION.read_text().partition("## Keys")[0]]
)
def test_example_stacks_exist_in_the_demo_world(text: str) -> None:
    """A user who copies an example finds its backups and vaults in the simulator."""
    known = {vault.id for vault in WORLD.vaults} | {backup.id for backup in WORLD.backups}

    found = set(UUID.findall(text))
    assert found
    assert found - known == set()


def test_example_stack_is_complete() -> None:
    """The example shows each of the three lists, and no credential."""
    config: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())["config"]

    assert {"replications", "sets", "vaults"} <= {key.partition(":")[2] for key in config}
    assert [key for key in config if re.search("password|token|key", key, re.IGNORECASE)] == []


def test_simulator_without_its_packages_says_what_to_do() -> None:
    """The system's Python has no web framework: one line instead of a traceback."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "simulator"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr.startswith("simulator: this Python (")
    assert "source .venv/bin/activate" in done.stderr
    assert done.stderr.count("\n") == 1
