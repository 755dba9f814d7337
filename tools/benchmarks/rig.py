"""What the benchmarks share: projects on a throwaway backend, and a watch on the plugin."""

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

from tests.e2e.driver import TOOLCHAIN, Project, heed_interrupts, plugins_of, sdk_python

LOOK_S = 0.01


def seconds_of(work: Callable[[], object]) -> float:
    """Return how long something took."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def make_project(directory: Path, files: dict[str, str]) -> Project:
    """Return a project with these files, on the SDK's plugin; modules beside the program import."""
    heed_interrupts()
    program = directory / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: bench\nruntime: python\n")
    for name, text in files.items():
        (program / name).write_text(text)
    # A user's environment: the developers' has more, some of which is imported where it is there.
    project = Project(program, sdk_python("3.255.0"))
    project.environment["PYTHONPATH"] = str(program)
    project.init()
    return project


class PluginWatch:
    """While it is entered, keeps the highest memory use of a project's plugin."""

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
            # Looking at all processes costs more than looking at one.
            plugins = plugins or plugins_of(self._project)
            for plugin in plugins:
                self.peak_mb = max(self.peak_mb, peak_mb(plugin))
            if not plugins:
                self._left.wait(LOOK_S * 10)


def peak_mb(process: int) -> float:
    """Return the highest memory use of a process so far; 0 where it has ended."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    # proc(5): VmHWM is the peak of the resident set; a process that is ending has none.
    values = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return values[0] / 1024 if values else 0.0


def pulumi_version() -> str:
    """Return which Pulumi CLI was measured."""
    command = [str(TOOLCHAIN / "pulumi"), "version"]
    return f"Pulumi {subprocess.check_output(command, text=True, timeout=60).strip()}"


def machine() -> str:
    """Return what a result has to be read with."""
    return f"CPython {sys.version.split()[0]}, {os.cpu_count()} cores"
