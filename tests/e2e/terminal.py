"""Runs a command in a terminal of a given width, and records the output."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from pathlib import Path

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\x1b[=>]")


def lines_in_terminal(
    command: list[str], directory: Path, environment: dict[str, str], columns: int
) -> tuple[int, list[str]]:
    """Run a command to its end. Return its exit code and each drawn line, as text."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(
        command,
        cwd=directory,
        env={**environment, "TERM": "xterm-256color"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as process:
        os.close(theirs)
        sent = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux raises this when the other side is closed.
                break
            if not part:
                break
            sent += part
    os.close(ours)
    text = ESCAPE.sub("", sent.decode(errors="replace"))
    return process.returncode, re.split(r"[\r\n]+", text)
