"""What a killed CLI leaves running beside us, and nobody else would end soon.

Pulumi's language host asks every five minutes whether its engine is still there
(`rpcutil.Healthcheck` in Pulumi's SDK). We know at once, and which engine it was: its address is in
the command line of both.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

PROCESSES = Path("/proc")
"""Where processes can be looked at; other systems than Linux have none, and wait five minutes."""
LANGUAGE_HOST = "pulumi-language-"


def end_language_hosts(engine: str, processes: Path = PROCESSES) -> list[int]:
    """End the language hosts of an engine that is gone; return their ids."""
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
