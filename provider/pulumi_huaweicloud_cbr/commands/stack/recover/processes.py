"""Whether a process id of this machine still belongs to the same CLI as before. Ends nothing."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pulumi_huaweicloud_cbr.commands.stack.recover.holders import Seen

# The kernel's number for the first process namespace, which is that of no container (Linux,
# include/linux/proc_ns.h, PROC_PID_INIT_INO).
_FIRST_NAMESPACE = "pid:[4026531836]"
SLACK = timedelta(seconds=2)
"""The times of a lock and of the machine's start are in whole seconds."""


class Processes:
    """The processes that are visible from here.

    Args:
        proc: the directory in which Linux shows them; other systems have `ps`.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._proc = proc

    @property
    def is_isolated(self) -> bool:
        """Whether there may be invisible processes, because this is a container."""
        try:
            return str((self._proc / "self" / "ns" / "pid").readlink()) != _FIRST_NAMESPACE
        except OSError:
            return False

    def first_started_at(self) -> datetime:
        """Return when the first of them started: the container or the machine.

        If that is not known, return the current time, which is the safe answer.
        """
        return self._started_at(1) or datetime.now(UTC)

    def booted_at(self) -> datetime | None:
        """Return when this machine started, None if that is not known."""
        booted = self._booted_s()
        return self._started_at(1) if booted is None else datetime.fromtimestamp(booted, UTC)

    def seen(self, pid: int, since: datetime) -> Seen:
        """Return what has the process id that a CLI had at that time.

        Ids are reused. Another program that started later is not that CLI. A container may share
        this machine's name, so a process that has the id in a container counts too.
        """
        found = {self._seen(process, since) for process in (pid, *self._in_containers(pid))}
        order = (Seen.OLDER, Seen.LATER_CLI, Seen.LATER_OTHER)
        return next((seen for seen in order if seen in found), Seen.NOTHING)

    def _seen(self, pid: int, since: datetime) -> Seen:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return Seen.NOTHING
        except PermissionError:
            pass  # it exists, and is another user's
        if self._state(pid).startswith(("Z", "X")):
            return Seen.NOTHING  # dead, but its parent has not read its exit code
        started_at = self._started_at(pid)
        if started_at is None or started_at <= since + SLACK:
            return Seen.OLDER
        return Seen.LATER_CLI if "pulumi" in self._program(pid) else Seen.LATER_OTHER

    def _in_containers(self, pid: int) -> list[int]:
        """Return the CLIs that have this id in a namespace of their own."""
        found = []
        for status in self._proc.glob("[0-9]*/status"):
            try:
                text = status.read_text()
            except OSError:
                continue  # it has ended meanwhile
            # proc(5): its id here, then in each nested namespace, the innermost last.
            numbers = re.search(r"^NSpid:((?:\s+\d+)+)$", text, re.MULTILINE)
            seen = numbers[1].split() if numbers else []
            if len(seen) > 1 and int(seen[-1]) == pid:
                found.append(int(status.parent.name))
        # Many containers have a process with this id.
        return [process for process in found if "pulumi" in self._program(process)]

    def _state(self, pid: int) -> str:
        fields = self._stat(pid)
        return fields[0] if fields else _ps(pid, "stat")

    def _started_at(self, pid: int) -> datetime | None:
        fields = self._stat(pid)
        if not fields:
            try:
                # For example "Wed Nov 25 09:38:56 2026", in local time.
                return datetime.strptime(_ps(pid, "lstart"), "%a %b %d %H:%M:%S %Y").astimezone()
            except ValueError:
                return None
        booted = self._booted_s()
        if booted is None:
            return None
        # proc(5): the 22nd field of stat is the start in clock ticks since the machine booted.
        seconds = booted + int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return datetime.fromtimestamp(seconds, UTC)

    def _booted_s(self) -> int | None:
        try:
            text = (self._proc / "stat").read_text()
        except OSError:
            return None
        booted = re.search(r"^btime (\d+)$", text, re.MULTILINE)
        return int(booted[1]) if booted else None

    def _program(self, pid: int) -> str:
        """Return the names of the program; an unknown one may be any program."""
        names = []
        try:
            names.append((self._proc / str(pid) / "comm").read_text())
            names.append(str((self._proc / str(pid) / "exe").readlink()))
        except OSError:
            names.append(_ps(pid, "comm"))
        return "\n".join(Path(name).name for name in names if name) or "perhaps pulumi"

    def _stat(self, pid: int) -> list[str]:
        """Return a process's fields from the third one on: the second may contain blanks."""
        try:
            return (self._proc / str(pid) / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            return []


def _ps(pid: int, column: str) -> str:
    command = ["ps", "-o", f"{column}=", "-p", str(pid)]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return " ".join(done.stdout.split()) if done.returncode == 0 else ""
