"""Drives the real `pulumi` CLI on a project and a backend that live for one test."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from simulator.testing import SimulatorProcess

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLCHAIN = REPOSITORY / ".toolchain" / "bin"
STACK = "test"
PASSWORD = "not-a-secret-demo"  # of the demo world
COMMAND_LIMIT_S = 300
"""Far above what any command takes; only a hang reaches it."""


@dataclass(frozen=True)
class Outcome:
    """What one CLI command did."""

    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        """Everything that was printed."""
        return f"{self.stdout}\n{self.stderr}"

    def json(self) -> dict[str, Any]:
        """Return the one JSON document that was printed."""
        document: dict[str, Any] = json.loads(self.stdout)
        return document


@dataclass
class Project:
    """A Pulumi project in a directory, with a backend and a home of its own.

    `python` is the interpreter whose environment the program and the plugin run in.
    """

    directory: Path
    python: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.backend = self.directory.parent / "backend"
        self.backend.mkdir(parents=True, exist_ok=True)

    def use(self, python: Path) -> None:
        """Run the program and the plugin in another environment from now on."""
        self.python = python

    def init(self) -> None:
        """Create the stack."""
        self.must("stack", "init", STACK, on_stack=False)

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
        """Where the stack's configuration is."""
        document = yaml.safe_load((self.directory / "Pulumi.yaml").read_text())
        return Path(self.directory, document.get("stackConfigDir", ""), f"Pulumi.{STACK}.yaml")

    def run(self, *arguments: str, on_stack: bool = True) -> Outcome:
        """Run one command to its end; `on_stack` adds the option that names the stack."""
        # Files, not pipes: after a failure the CLI leaves a process behind for some seconds, and a
        # pipe would only end with it.
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            done = subprocess.run(
                self.command(*arguments, on_stack=on_stack),
                cwd=self.directory,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                timeout=COMMAND_LIMIT_S,
                check=False,
            )
            stdout.seek(0)
            stderr.seek(0)
            return Outcome(done.returncode, stdout.read(), stderr.read())

    def must(self, *arguments: str, on_stack: bool = True) -> Outcome:
        """Run one command that has to succeed."""
        outcome = self.run(*arguments, on_stack=on_stack)
        assert outcome.code == 0, f"pulumi {' '.join(arguments)}:\n{outcome.text}"
        return outcome

    def command(self, *arguments: str, on_stack: bool = True) -> list[str]:
        """Return the command line of a CLI call."""
        stack = ["--stack", STACK] if on_stack else []
        return ["pulumi", "--non-interactive", *arguments, *stack]

    @property
    def env(self) -> dict[str, str]:
        """The environment of every command: ours, and nothing of the caller's."""
        paths = [str(self.python.parent), str(TOOLCHAIN), os.environ.get("PATH", "")]
        return {
            "PATH": os.pathsep.join(paths),
            "HOME": str(self.directory.parent),
            "PULUMI_HOME": str(self.directory.parent / "pulumi-home"),
            "PULUMI_BACKEND_URL": f"file://{self.backend}",
            "PULUMI_CONFIG_PASSPHRASE": "e2e-passphrase",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "NO_COLOR": "1",
            **self.environment,
        }

    def up(self, *arguments: str) -> Outcome:
        """Run `pulumi up`, which has to succeed."""
        return self.must("up", "--yes", "--skip-preview", *arguments)

    def preview(self, *arguments: str) -> Outcome:
        """Run `pulumi preview`, which has to succeed."""
        return self.must("preview", *arguments)

    def plan(self) -> dict[str, str]:
        """Return what a preview would do: name of each replication -> operation."""
        steps = self.must("preview", "--json").json()["steps"]
        return {
            step["urn"].rsplit("::", 1)[1]: step["op"]
            for step in steps
            if "BackupReplication" in step["urn"]
        }

    def refresh(self) -> Outcome:
        """Run `pulumi refresh`, which has to succeed."""
        return self.must("refresh", "--yes", "--skip-preview")

    def destroy(self) -> Outcome:
        """Run `pulumi destroy`, which has to succeed."""
        return self.must("destroy", "--yes", "--skip-preview")

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the replications in the state: name -> resource."""
        deployment = self.must("stack", "export").json()["deployment"]
        return {
            resource["urn"].rsplit("::", 1)[1]: resource
            for resource in deployment.get("resources", [])
            if "BackupReplication" in resource["type"]
        }

    def everything_stored(self) -> str:
        """Return all text that the backend holds: states, checkpoints, history, backups."""
        files = (path for path in self.backend.rglob("*") if path.is_file())
        return "\n".join(path.read_text(errors="replace") for path in files)


MakeProject = Callable[..., Project]


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


def plugin_hosts_below(directory: Path) -> list[int]:
    """Return the processes of our plugin host that work below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
            where = (process / "cwd").resolve()
        except OSError:
            continue
        if "pulumi_huaweicloud_cbr.plugin" in command and directory in (where, *where.parents):
            found.append(int(process.name))
    return found
