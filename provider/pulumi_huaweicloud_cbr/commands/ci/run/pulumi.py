"""Runs the Pulumi CLI with its output in files, and shows the files while it runs.

A pipe whose reader dies would kill the CLI in the middle of its work, and leave a locked stack.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

_LOOK_S = 0.1
_NOT_FOUND, _NOT_STARTED = 127, 126
MOST_BYTES = 256 * 1024 * 1024
"""Of a file that is read back; a preview of 2,000 replicas has a hundredth of it."""


@dataclass(frozen=True)
class Ran:
    """A command that has ended; `is_interrupted`: the user or the pipeline ended it."""

    code: int
    out: str
    said: str
    is_interrupted: bool = False


def run(
    arguments: Sequence[str],
    *,
    scratch: Path,
    env: Mapping[str, str],
    shows_output: bool = False,
    shows_errors: bool = False,
) -> Ran:
    """Run the CLI to its end, without prompts; return what it printed.

    Args:
        scratch: a folder for the files.
        shows_output, shows_errors: pass these on while it runs.
    """
    out, err = scratch / "output", scratch / "errors"
    program = shutil.which("pulumi", path=env.get("PATH"))
    if program is None:
        return Ran(
            _NOT_FOUND,
            "",
            f"running pulumi {arguments[0]}: there is no pulumi on PATH; install the Pulumi CLI, "
            "or make toolchain and add .toolchain/bin to PATH",
        )
    command = [program, "--non-interactive", *arguments]
    with out.open("wb") as output, err.open("wb") as errors:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=dict(env)
            )
        except OSError as error:
            return Ran(_NOT_STARTED, "", f"running {program}: {error}; look at that file")
        shown = [
            _Tail(out, sys.stdout) if shows_output else None,
            _Tail(err, sys.stderr) if shows_errors else None,
        ]
        is_interrupted = _wait(process, [tail for tail in shown if tail is not None])
    return Ran(process.returncode, _read(out), _read(err), is_interrupted)


def _wait(process: subprocess.Popen[bytes], tails: Sequence[_Tail]) -> bool:
    """Wait for the end, however often this process is asked to end: the CLI needs to clean up."""
    is_interrupted = False
    with _terminating(process) as terminated:
        while True:
            try:
                process.wait(_LOOK_S if tails else None)
            except subprocess.TimeoutExpired:
                _show(tails)
                continue
            except KeyboardInterrupt:
                # A terminal interrupts the CLI as well.
                is_interrupted = True
                continue
            break
        _show(tails)
    return is_interrupted or terminated.is_set()


def _show(tails: Sequence[_Tail]) -> None:
    for tail in tails:
        tail.show()


@contextmanager
def _terminating(process: subprocess.Popen[bytes]) -> Iterator[threading.Event]:
    """Pass SIGTERM on to the CLI, which then ends in order; a pipeline sends it."""
    terminated = threading.Event()

    def terminate(_number: int, _frame: FrameType | None) -> None:
        terminated.set()
        process.terminate()

    former: Any = signal.signal(signal.SIGTERM, terminate)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, former)


class _Tail:
    """Shows what a file has got since the last time."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self._path = path
        self._at = 0
        self._stream: TextIO | None = stream

    def show(self) -> None:
        """Show it; a reader that went away stops nothing."""
        with self._path.open("rb") as file:
            file.seek(self._at)
            added = file.read()
        self._at += len(added)
        if not added or self._stream is None:
            return
        try:
            self._stream.write(added.decode("utf-8", errors="replace"))
            self._stream.flush()
        except BrokenPipeError:
            self._stream = None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(MOST_BYTES).decode("utf-8", errors="replace")
