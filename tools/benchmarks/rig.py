"""Shared parts of the benchmarks: projects on a temporary backend, and memory of the plugin."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.e2e.driver import TOOLCHAIN, Project, plugins_of, sdk_python
from tests.interrupts import heed_interrupts

LOOK_S = 0.01


def seconds_of(work: Callable[[], object]) -> float:
    """Return the duration of a call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def make_project(directory: Path, files: dict[str, str]) -> Project:
    """Return a project with these files, on the SDK's plugin; the program can import modules."""
    heed_interrupts()
    program = directory / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    for name, text in files.items():
        (program / name).write_text(text)
    # A user's environment: the developers' has more packages, and some are imported if present.
    project = Project(program, sdk_python("3.255.0"))
    project.environment["PYTHONPATH"] = str(program)
    project.init()
    return project


class PluginWatch:
    """Records the highest memory use of a project's plugin while it is entered."""

    def __init__(self, project: Project) -> None:
        self.peak_mb = 0.0
        self._project = project
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._left.set()
        self._thread.join()

    def _watch(self) -> None:
        plugins: list[int] = []
        while not self._left.wait(LOOK_S):
            # Reading all processes costs more than reading one.
            plugins = plugins or plugins_of(self._project)
            for plugin in plugins:
                self.peak_mb = max(self.peak_mb, peak_mb(plugin))
            if not plugins:
                self._left.wait(LOOK_S * 10)


def peak_mb(process: int) -> float:
    """Return the highest memory use of a process so far; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    # proc(5): VmHWM is the peak of the resident set; a process that is ending has none.
    values = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return values[0] / 1024 if values else 0.0


def pulumi_version() -> str:
    """Return the version of the measured Pulumi CLI."""
    command = [str(TOOLCHAIN / "pulumi"), "version"]
    return f"Pulumi {subprocess.check_output(command, text=True, timeout=60).strip()}"


def machine() -> str:
    """Return the conditions of a result."""
    return f"CPython {sys.version.split()[0]}, {os.cpu_count()} cores"
