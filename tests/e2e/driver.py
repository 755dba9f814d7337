"""Runs the real `pulumi` CLI on a project and a backend that exist for one test."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.testing import SimulatorProcess
from tools.state_servers.places import Place, folder_place

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLCHAIN = REPOSITORY / ".toolchain" / "bin"
STACK = "test"
PASSWORD = "not-a-secret-demo"  # Values of the demo world.
SDKS = ("3.255.0", "3.272.0")
COMMAND_LIMIT_S = 300
"""Far above the time of any command; only a hang reaches it."""

_STARTED: list[subprocess.Popen[bytes]] = []
_NEW_STACKS: dict[str, tempfile.TemporaryDirectory[str]] = {}
_WITH_PACKAGES: dict[Path, tempfile.TemporaryDirectory[str]] = {}
LIST_PACKAGES = ("-m", "pip", "list", "-v", "--format", "json")
"""What each `up` and `preview` first asks of Python; it takes a fifth of their time."""


@dataclass(frozen=True)
class Outcome:
    """The result of one CLI command."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return f"{self.stdout}\n{self.stderr}"

    def json(self) -> dict[str, Any]:
        """Return the only JSON document that was printed."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


@dataclass
class Project:
    """A Pulumi project in a directory, with its own backend and home.

    `python` is the interpreter whose environment the program and the plugin run in. Its packages
    are listed once for each test process, or each time if `is_pip_asked`. `stack` is the stack that
    all commands are about. `place` is where states lie, the folder `backend` unless it is given.
    """

    directory: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)
    is_pip_asked: bool = False
    stack: str = STACK
    place: Place | None = None

    def __post_init__(self) -> None:
        self.backend = self.directory.parent / "backend"
        self.backend.mkdir(parents=True, exist_ok=True)
        self._place = self.place or folder_place(self.backend)

    def use(self, python: Path) -> None:
        """Run the program and the plugin in another environment from now on."""
        self.python = python

    def other_stack(self, stack: str) -> Project:
        """Create another stack of this project, with the same configuration, and return it."""
        other = replace(self, stack=stack, environment=dict(self.environment))
        settings = yaml.safe_load(self.config_file.read_text())["config"]
        other.must("stack", "init", stack, "--no-select", on_stack=False)
        other.configure(settings)
        return other

    def init(self) -> None:
        """Create the stack. The CLI does it once per project name; others get a copy."""
        if self.place is not None:
            self.must("stack", "init", self.stack, on_stack=False)
            return
        name = yaml.safe_load((self.directory / "Pulumi.yaml").read_text())["name"]
        if name not in _NEW_STACKS:
            self.must("stack", "init", self.stack, on_stack=False)
            # It ends with the test process.
            kept = tempfile.TemporaryDirectory(prefix="new-stack-")
            shutil.copytree(self.backend, Path(kept.name, "backend"))
            shutil.copy(self.config_file, Path(kept.name, "config.yaml"))
            _NEW_STACKS[name] = kept
            return
        template = Path(_NEW_STACKS[name].name)
        shutil.copytree(template / "backend", self.backend, dirs_exist_ok=True)
        shutil.copy(template / "config.yaml", self.config_file)

    def configure(self, settings: dict[str, Any], secrets: dict[str, str] | None = None) -> None:
        """Write the stack's configuration; secrets are encrypted by the CLI."""
        path = self.config_file
        present = yaml.safe_load(path.read_text()) if path.exists() else None
        document = present or {}
        document.setdefault("config", {}).update(settings)
        path.write_text(yaml.safe_dump(document, allow_unicode=True))
        for key, value in (secrets or {}).items():
            self.must("config", "set", "--secret", key, value)

    @property
    def config_file(self) -> Path:
        """The path of the stack's configuration."""
        document = yaml.safe_load((self.directory / "Pulumi.yaml").read_text())
        return Path(self.directory, document.get("stackConfigDir", ""), f"Pulumi.{self.stack}.yaml")

    def run(self, *arguments: str, on_stack: bool = True) -> Outcome:
        """Run one command to its end; `on_stack` adds the option that names the stack."""
        # Files instead of pipes: after a failure the CLI leaves a process behind for some seconds,
        # and a pipe would end only with it.
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            command = self.command(*arguments, on_stack=on_stack)
            with subprocess.Popen(
                command,
                cwd=self.directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
            ) as process:
                code = _end_of(process, command)
            stdout.seek(0)
            stderr.seek(0)
            return Outcome(code, stdout.read(), stderr.read())

    def must(self, *arguments: str, on_stack: bool = True) -> Outcome:
        """Run one command that must succeed."""
        outcome = self.run(*arguments, on_stack=on_stack)
        assert outcome.code == 0, f"pulumi {' '.join(arguments)}:\n{outcome.text}"
        return outcome

    def command(self, *arguments: str, on_stack: bool = True) -> list[str]:
        """Return the command line of a CLI call."""
        stack = ["--stack", self.stack] if on_stack else []
        return ["pulumi", "--non-interactive", *arguments, *stack]

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command: ours, with nothing from the caller."""
        paths = [str(self.python.parent), str(TOOLCHAIN), os.environ.get("PATH", "")]
        if not self.is_pip_asked:
            paths.insert(0, str(_with_packages_listed(self.python)))
        return {
            "PATH": os.pathsep.join(paths),
            "HOME": str(self.directory.parent),
            # A machine of the cloud has its own credentials.
            "HW_METADATA": "false",
            "PULUMI_HOME": str(self.directory.parent / "pulumi-home"),
            "PULUMI_BACKEND_URL": self._place.url,
            "PULUMI_CONFIG_PASSPHRASE": "e2e-passphrase",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "NO_COLOR": "1",
            **self._place.environment,
            **self.environment,
        }

    def up(self, *arguments: str) -> Outcome:
        """Run `pulumi up`; it must succeed."""
        return self.must("up", "--yes", "--skip-preview", *arguments)

    def preview(self, *arguments: str) -> Outcome:
        """Run `pulumi preview`; it must succeed."""
        return self.must("preview", *arguments)

    def plan(self) -> dict[str, str]:
        """Return what a preview would do: operations by the names of replications."""
        steps = self.must("preview", "--json").json()["steps"]
        return {
            step["urn"].rsplit("::", 1)[1]: step["op"]
            for step in steps
            if "BackupReplication" in step["urn"]
        }

    def refresh(self) -> Outcome:
        """Run `pulumi refresh`; it must succeed."""
        return self.must("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Outcome:
        """Run `pulumi destroy`; it must succeed."""
        return self.must("destroy", "--yes", "--skip-preview")

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the replications in the state: name -> resource."""
        return {
            name: resource
            for name, resource in self.resources().items()
            if "BackupReplication" in resource["type"]
        }

    def resources(self) -> dict[str, dict[str, Any]]:
        """Return everything in the state: name -> resource."""
        return {
            resource["urn"].rsplit("::", 1)[1]: resource
            for resource in self.deployment().get("resources") or []
        }

    def deployment(self) -> dict[str, Any]:
        """Return the state as stored in the backend."""
        latest: dict[str, Any] = json.loads(self.stored_state())["checkpoint"]["latest"] or {}
        return latest

    def stored_state(self) -> bytes:
        """Return the bytes of the state's file, without compression."""
        found = self._states()
        packed = found.get(f"{self.stack}.json.gz")
        return gzip.decompress(packed) if packed else found[f"{self.stack}.json"]

    def is_state_packed(self) -> bool:
        """Whether the state is stored with compression."""
        return f"{self.stack}.json.gz" in self._states()

    def _states(self) -> dict[str, bytes]:
        return {
            key.rpartition("/")[2]: content
            for key, content in self._place.read(".pulumi/stacks/").items()
        }

    def locks(self) -> list[str]:
        """Return the keys of the entries that lock a stack of the backend."""
        return sorted(self._place.read(".pulumi/locks/"))

    def everything_stored(self) -> str:
        """Return all text in the backend: states, checkpoints, history, backups."""
        return "\n".join(text.decode(errors="replace") for text in self._place.read("").values())


MakeProject = Callable[..., Project]


def new_program(
    directory: Path,
    source: str,
    python: Path,
    simulator: SimulatorProcess,
    place: Place | None = None,
) -> Project:
    """Return a project in a directory with its own program, and its state in a place."""
    project = Project(directory / "program", python, place=place)
    project.directory.mkdir(parents=True)
    (project.directory / "Pulumi.yaml").write_text("name: program\nruntime: python\n")
    (project.directory / "__main__.py").write_text(source)
    project.environment["HW_USER_PASSWORD"] = PASSWORD
    project.init()
    project.configure(connection(simulator))
    return project


def connection(simulator: SimulatorProcess) -> dict[str, Any]:
    """Return the provider's settings for a simulator, without the password."""
    address = f"{simulator.url}/regions/{{region}}"
    return {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:userName": "ops-replicator",
        "huaweicloud:domainName": "acme-cloud",
        "huaweicloud:pollInterval": "0.1",
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
    }


def sdk_python(version: str) -> Path:
    """Return the interpreter of a project with only the wheel and that SDK."""
    return REPOSITORY / ".cache" / f"sdk-{version}" / "bin" / "python"


def on_host(project: Project) -> Project:
    """Make a project use our plugin host, as documented."""
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


BY_NIGHT_TOO = ["host", *(pytest.param(f"sdk-{sdk}", marks=pytest.mark.full) for sdk in SDKS)]
"""The plugins, for tests with equal results on each. By day only our host runs."""
ON_TWO_BY_DAY = ["host", "sdk-3.272.0", pytest.param("sdk-3.255.0", marks=pytest.mark.full)]
"""The same, for tests of a whole life, which run by day on the newest SDK's plugin too."""
BY_NIGHT = [
    pytest.param(plugin, marks=pytest.mark.full)
    for plugin in ("host", "sdk-3.272.0", "sdk-3.255.0")
]
"""The same, for a form whose whole life on our host is a part of `test_fleets.py` by day."""


def on_plugin(plugin: str, make: MakeProject, program: str) -> Project:
    """Return a project on one of the plugins of `tests.e2e.features.PLUGINS`."""
    if plugin == "host":
        return on_host(make(program, sdk_python("3.272.0")))
    return make(program, sdk_python(plugin.removeprefix("sdk-")))


def _with_packages_listed(python: Path) -> Path:
    """Return a folder with a `python3` that is `python`, but has pip's answer cached."""
    if python not in _WITH_PACKAGES:
        # It ends with the test process.
        kept = tempfile.TemporaryDirectory(prefix="python-")
        listed, command = Path(kept.name, "packages.json"), Path(kept.name, "python3")
        with listed.open("wb") as file:
            subprocess.run([python, *LIST_PACKAGES], stdout=file, check=True)
        lines = (
            "#!/bin/sh",
            f'if [ "$*" = "{" ".join(LIST_PACKAGES)}" ]; then exec cat "{listed}"; fi',
            f'exec "{python.parent / "python3"}" "$@"',
        )
        command.write_text("\n".join(lines) + "\n")
        command.chmod(0o755)
        _WITH_PACKAGES[python] = kept
    return Path(_WITH_PACKAGES[python].name)


def off_host(project: Project) -> None:
    """Make a project use the SDK's own plugin again."""
    file = project.directory / "Pulumi.yaml"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if not line.startswith("plugins:")))


def start(project: Project, command: str, *options: str) -> subprocess.Popen[bytes]:
    """Start `up`, `refresh` or `destroy` without waiting for its end; see `said`."""
    with _log_of(project).open("wb") as log:
        running = subprocess.Popen(
            project.command(command, "--yes", "--skip-preview", *options),
            cwd=project.directory,
            env=project.env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    _STARTED.append(running)
    return running


def end_started() -> None:
    """End started commands that nobody waited for, as after a failed test."""
    while _STARTED:
        running = _STARTED.pop()
        running.kill()
        running.wait()


def said(project: Project) -> str:
    """Return the output so far of the command that was started last."""
    return _log_of(project).read_text(errors="replace")


def _log_of(project: Project) -> Path:
    return project.directory.parent / f"started-{project.stack}.log"


def recover(project: Project, *options: str) -> Outcome:
    """Do what the documentation says after a CLI was killed."""
    command = ["-m", "pulumi_huaweicloud_cbr", "recover", "--stack", project.stack]
    done = subprocess.run(
        [project.python, *command, *options],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def ci(project: Project, command: str, *options: str) -> Outcome:
    """Run a command for pipelines on a project's stack."""
    return ours(project, "ci", command, *options)


def ours(project: Project, *command: str) -> Outcome:
    """Run a command of the package on a project's stack."""
    done = subprocess.run(
        [project.python, "-m", "pulumi_huaweicloud_cbr", *command, "--stack", project.stack],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for a condition, on a machine of any speed."""
    deadline = time.monotonic() + COMMAND_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def processes_of(home: Path) -> dict[int, str]:
    """Return the command lines of processes that were started with this home, by id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ")
            environment = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if f"HOME={home}".encode() in environment:
            found[int(process.name)] = command.decode(errors="replace")
    return found


def plugins_of(project: Project) -> list[int]:
    """Return the processes that serve a project's dynamic resources."""
    return [
        process
        for process, command in processes_of(project.directory.parent).items()
        if "-m pulumi_huaweicloud_cbr.plugin" in command or "-m pulumi.dynamic" in command
    ]


def _end_of(process: subprocess.Popen[str], command: list[str]) -> int:
    """Return the exit code as soon as it is known; a wait with a time limit polls every 50 ms.

    Raises:
        subprocess.TimeoutExpired: it took too long, and was killed.
    """
    is_too_long = threading.Event()

    def end() -> None:
        is_too_long.set()
        process.kill()

    guard = threading.Timer(COMMAND_LIMIT_S, end)
    guard.start()
    try:
        code = process.wait()
    except BaseException:
        process.kill()
        raise
    finally:
        guard.cancel()
    if is_too_long.is_set():
        raise subprocess.TimeoutExpired(command, COMMAND_LIMIT_S)
    return code
