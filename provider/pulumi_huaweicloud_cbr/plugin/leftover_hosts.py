"""End the language hosts that a killed CLI leaves running.

Pulumi's language host checks every five minutes whether its engine still exists
(`rpcutil.Healthcheck` in Pulumi's SDK). The plugin host knows at once. The address of the engine is
in the command lines of both, so a host of another engine is never ended.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROCESSES = Path("/proc")
"""Where Linux shows processes. Other systems lack it, so there the host ends after five minutes."""
LANGUAGE_HOST = "pulumi-language-"


def end_language_hosts(engine: str, processes: Path = PROCESSES) -> list[int]:
    """End the language hosts of an engine that is gone; return their process ids."""
    ended = []
    for process in processes.glob("[0-9]*"):
        if is_language_host_of(engine, process):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(int(process.name), signal.SIGTERM)
                ended.append(int(process.name))
    return ended


def is_language_host_of(engine: str, process: Path) -> bool:
    """Whether a process is a language host that serves this very engine."""
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return False  # It ended, or is not ours to look at.
    return Path(words[0]).name.startswith(LANGUAGE_HOST) and engine in words[1:]
