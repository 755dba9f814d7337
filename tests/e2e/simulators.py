"""Simulators that start quickly: each is a fork of a process with all imports done.

Each behaves like any other: it has its own world, state and port, and can be killed. Importing a
simulator takes as long as half an `up`; here each test process does it once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path

from simulator.testing import ROOT, SimulatorProcess

_CONTEXT = multiprocessing.get_context("forkserver")


class ForkedSimulator(SimulatorProcess):
    """A simulator as a fork of the server that `simulators_forked` runs."""

    def _spawn(self, arguments: list[str]) -> _Fork:
        return _Fork(arguments, self.log_file)


class _Fork:
    """The methods that `SimulatorProcess` needs of a process, for a fork."""

    def __init__(self, arguments: list[str], log_file: Path) -> None:
        self._process = _CONTEXT.Process(target=_serve, args=(arguments, log_file))
        self._process.start()
        self.pid = self._process.pid or 0

    def poll(self) -> int | None:
        """Return the exit code, if it has ended."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code.

        Raises:
            subprocess.TimeoutExpired: it is still running.
        """
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("simulator", timeout or 0)
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it immediately."""
        self.send_signal(signal.SIGKILL)


def _serve(arguments: list[str], log_file: Path) -> None:
    """Run as a simulator, in the fork."""
    with log_file.open("ab") as log:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(log.fileno(), stream.fileno())
    # Inherited from the fork server, whose children must not die with it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from simulator.serve import main  # noqa: PLC0415

    sys.exit(main(arguments))


@contextmanager
def simulators_forked() -> Iterator[None]:
    """Run the fork server, and end it after all forks have ended."""
    _CONTEXT.set_forkserver_preload(["simulator.serve", __name__])
    # The server has no other way to find the modules.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = str(ROOT)
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    yield
    # Waited for, so that it leaves nothing behind, and so that what it took is counted.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]
