"""Pulumi's Automation API for many stacks of one project at once.

Three things differ from its own classes. A stack is named in each command and never selected: the
selection is one file of the project, which all runs would write. The CLI writes into files: with a
pipe it would be killed at work if this process died. And its processes are known, so that an
interrupt reaches each of them once.
"""

from __future__ import annotations

import copy
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from pulumi.automation import (
    CommandResult,
    InvalidVersionError,
    LocalWorkspace,
    OutputMap,
    PulumiCommand,
)
from pulumi.automation.errors import create_command_error

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

MOST_BYTES = 256 * 1024 * 1024
"""Of an output that is read back; a preview of 2,000 replicas has a hundredth of it."""
_NONE = 127


class StoppedError(Exception):
    """The user has interrupted, so no other process is started."""


class Children:
    """The running processes of the CLI, which an interrupt reaches from this process only.

    Each is the leader of a group of its own. So Ctrl-C in a terminal does not reach it directly: a
    second interrupt would end the CLI before it has removed its lock.
    """

    def __init__(self) -> None:
        # A signal's handler may come in the middle of another one.
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self.is_stopping = False

    def start(
        self,
        command: Sequence[str],
        *,
        cwd: str,
        env: Mapping[str, str],
        out: IO[bytes],
        err: IO[bytes],
    ) -> subprocess.Popen[bytes]:
        """Start a process.

        Raises:
            StoppedError: the user has interrupted.
        """
        with self._lock:
            if self.is_stopping:
                raise StoppedError
            process = subprocess.Popen(
                command,
                cwd=cwd,
                env=dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,
            )
            self._running.add(process)
        return process

    def wait(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for the end of a process, and return its exit code."""
        code = process.wait()
        with self._lock:
            self._running.discard(process)
        return code

    def interrupt(self) -> None:
        """Start nothing more, and ask each process to end; it then removes its lock."""
        with self._lock:
            self.is_stopping = True
            for process in self._running:
                process.send_signal(signal.SIGINT)


class StackCommand(PulumiCommand):
    """The CLI for one stack: its environment, and what its last command printed.

    Args:
        environment: all of it; nothing of this process's own is added.
    Raises:
        ConfigurationError: there is no CLI on PATH, or it does not fit the SDK.
    """

    def __init__(self, children: Children, environment: Mapping[str, str]) -> None:
        try:
            super().__init__()
        except FileNotFoundError:
            raise ConfigurationError(
                "running pulumi version: there is no pulumi on PATH",
                remedy="install the Pulumi CLI, or make toolchain and add .toolchain/bin to PATH",
            ) from None
        except InvalidVersionError as error:
            raise ConfigurationError(
                f"running pulumi version: {error}", remedy="install a CLI that fits the SDK"
            ) from None
        self._children = children
        self.environment = dict(environment)
        self.last = CommandResult("", "", _NONE)

    @property
    def is_stopping(self) -> bool:
        """Whether the user has interrupted."""
        return self._children.is_stopping

    def for_stack(self, environment: Mapping[str, str]) -> StackCommand:
        """Return the same CLI for another stack."""
        other = copy.copy(self)
        other.environment = dict(environment)
        return other

    def run(
        self,
        args: list[str],
        cwd: str,
        additional_env: Mapping[str, str],
        on_output: Callable[[str], Any] | None = None,
        on_error: Callable[[str], Any] | None = None,
    ) -> CommandResult:
        """Run a command to its end.

        Raises:
            CommandError: it failed.
            StoppedError: the user has interrupted.
        """
        if args[0] == "preview" and "--refresh" in args:
            # What was lost is what has no further step, so unchanged resources need theirs.
            args = [*args, "--show-sames"]
        env = {**self.environment, **additional_env, "PULUMI_AUTOMATION_API": "true"}
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self._children.start(
                [self.command, "--non-interactive", *args], cwd=cwd, env=env, out=out, err=err
            )
            code = self._children.wait(process)
            self.last = CommandResult(_text(out), _text(err), code)
        for callback, text in ((on_output, self.last.stdout), (on_error, self.last.stderr)):
            if callback is not None:
                for line in text.splitlines():
                    callback(line)
        if code:
            raise create_command_error(self.last)
        return self.last


class StackWorkspace(LocalWorkspace):
    """A project's directory, in which many stacks are run at once."""

    def __init__(self, project: Path, command: StackCommand, secrets_provider: str | None) -> None:
        super().__init__(
            work_dir=os.fspath(project), pulumi_command=command, secrets_provider=secrets_provider
        )
        self.has_created = False

    def create_stack(self, stack_name: str) -> None:
        """Create a stack, and leave the selection as it is."""
        given = ["--secrets-provider", self.secrets_provider] if self.secrets_provider else []
        self._run_pulumi_cmd_sync(["stack", "init", stack_name, "--no-select", *given])
        self.has_created = True

    def select_stack(self, stack_name: str) -> None:
        """Require that a stack exists; each command names it, so nothing is selected."""
        self._run_pulumi_cmd_sync(["stack", "--stack", stack_name])

    def stack_outputs(self, stack_name: str) -> OutputMap:  # noqa: ARG002 -- an override
        """Return none: nobody reads them after an `up`, and they would be two more commands."""
        return {}


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read(MOST_BYTES).decode("utf-8", errors="replace").rstrip("\n")
