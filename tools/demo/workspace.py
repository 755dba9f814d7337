"""A temporary place for the demo: backend, Pulumi home, simulator and the `pulumi` command."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from simulator.testing import Control, SimulatorProcess
from simulator.worlds.files import load_world
from tools.demo.interrupts import Interrupts

ROOT = Path(__file__).resolve().parents[2]
STACK = "demo"
SPEED = 300.0
"""Copies are this many times faster than CBR's 80 MB/s: 500 GB in about 20 seconds."""
STOP_LIMIT_S = 20


class DemoError(Exception):
    """A step did not do what it should show."""


class Workspace:
    """Everything that the demo creates, removed at the end; a context manager."""

    def __init__(self, interrupts: Interrupts, *, keep: bool) -> None:
        self._interrupts = interrupts
        self._keep = keep
        self._child: subprocess.Popen[str] | None = None
        self._simulator: SimulatorProcess | None = None

    def __enter__(self) -> Workspace:  # noqa: PYI034 -- no typing.Self before 3.11
        try:
            with self._interrupts.held():
                self.directory = Path(tempfile.mkdtemp(prefix="cbr-demo-"))
                self._simulator = SimulatorProcess(self.directory, speed=SPEED)
                self._simulator.start()
            self._set_up()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def control(self) -> Control:
        """The simulator's control routes."""
        return self._running.control

    @property
    def url(self) -> str:
        """The address of the simulator."""
        return self._running.url

    @property
    def _running(self) -> SimulatorProcess:
        if self._simulator is None:
            raise RuntimeError("the workspace was not entered")
        return self._simulator

    def _set_up(self) -> None:
        for name in ("backend", "home"):
            (self.directory / name).mkdir()
        user = load_world(self._running.world).accounts[0].users[0]
        address = f"{self.url}/regions/{{region}}"
        # The user's settings must not affect the demo, and the demo must not change them.
        inherited = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PULUMI_", "HW_", "HUAWEICLOUD_"))
        }
        paths = [str(Path(sys.executable).parent), str(ROOT / ".toolchain" / "bin")]
        self.environment = {
            **inherited,
            "PATH": os.pathsep.join([*paths, inherited.get("PATH", "")]),
            "NO_PROXY": "127.0.0.1",
            "HW_METADATA": "false",
            "PULUMI_HOME": str(self.directory / "home"),
            "PULUMI_BACKEND_URL": f"file://{self.directory / 'backend'}",
            "PULUMI_CONFIG_PASSPHRASE": secrets.token_urlsafe(12),
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "HW_USER_PASSWORD": user.password,
            "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
        }
        # A copy of the project: creating a stack writes into its configuration file.
        self._project = self.directory / "project"
        (self._project / "stacks").mkdir(parents=True)
        for source in (ROOT / "Pulumi.yaml", *(ROOT / "stacks").glob("*.*")):
            shutil.copy(source, self._project / source.relative_to(ROOT))
        shutil.copytree(ROOT / "plugin", self._project / "plugin")
        self.pulumi("stack", "init", STACK)

    def pulumi(self, *arguments: str, codes: tuple[int, ...] = (0,)) -> str:
        """Run the CLI and return its standard output.

        Raises:
            DemoError: it ended with another exit code than those expected.
        """
        command = ["pulumi", *arguments, "--non-interactive", "--cwd", str(self._project)]
        if arguments[:2] != ("stack", "init"):
            command += ["--stack", STACK]
        with self._interrupts.held():
            self._child = subprocess.Popen(
                command,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                errors="replace",
            )
        output, errors = self._child.communicate()
        code, self._child = self._child.returncode, None
        if code not in codes:
            raise DemoError(
                f"`pulumi {' '.join(arguments)}` ended with exit code {code}:\n{output}\n{errors}"
            )
        return output

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the ids and outputs of the replications in the stack's state, by name."""
        deployment = json.loads(self.pulumi("stack", "export"))["deployment"]
        return {
            resource["urn"].rsplit("::", 1)[1]: {**resource["outputs"], "id": resource["id"]}
            for resource in deployment.get("resources", [])
            if resource["type"].endswith(":BackupReplication")
        }

    def close(self) -> None:
        """Stop processes and remove files; a signal waits until that is done.

        Raises:
            DemoError: the directory cannot be removed.
        """
        with self._interrupts.held():
            self._close()

    def _close(self) -> None:
        child, self._child = self._child, None
        if child is not None and child.poll() is None:
            # One interrupt lets the CLI complete its step and save the state.
            child.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STOP_LIMIT_S)
            if child.poll() is None:
                child.kill()
                child.wait()
        simulator, self._simulator = self._simulator, None
        if simulator is not None:
            simulator.stop()
            if not self._keep:
                self._remove()

    def _remove(self) -> None:
        """Remove the directory; the CLI's program may write its bytecode a moment longer.

        Raises:
            DemoError: it cannot be removed.
        """
        deadline = time.monotonic() + STOP_LIMIT_S
        while (error := _remove(self.directory)) is not None:
            if time.monotonic() > deadline:
                raise DemoError(f"{self.directory} cannot be removed: {error}")
            time.sleep(0.1)


def _remove(directory: Path) -> OSError | None:
    try:
        shutil.rmtree(directory)
    except OSError as error:
        return error
    return None
