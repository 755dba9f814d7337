"""A server under guard: started on a free port, ended with its user."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Self

from tools.state_servers.places import Place

HOST = "127.0.0.1"
START_LIMIT_S = 60.0
_ATTEMPTS = 5


class ServerError(Exception):
    """A server did not start, or did not answer; the message has the end of its log."""


class Server(ABC):
    """A server in a temporary folder of its own, which is removed with it.

    Args:
        user: the user that runs it, who owns the folder; empty for the same user.
    """

    ending = "SIGTERM"
    """The signal that ends it."""

    def __init__(self, user: str = "") -> None:
        self._user = user
        self.port = 0
        self.folder = Path()
        self._guard: subprocess.Popen[bytes] | None = None
        self._output = tempfile.TemporaryFile()  # noqa: SIM115 (it is read after the server's end)

    def __enter__(self) -> Self:
        try:
            self._start_somewhere()
        except BaseException:
            self._end()
            self._output.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()
        self._output.close()

    @abstractmethod
    def prepare(self) -> None:
        """Create in the new, empty folder what the server starts from."""

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line, for `port` and `folder`."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Whether this server answers, and not another one that took its port."""

    @abstractmethod
    def new_place(self) -> Place:
        """Create an empty place for states."""

    def environment(self) -> dict[str, str]:
        """Return the server's environment."""
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)}

    def run(self, command: list[str], text: str | None = None) -> str:
        """Run a command as the server's user in its folder, and return its output.

        Raises:
            ServerError: it failed.
        """
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            user=self._user or None,
            group=group_of(self._user),
            extra_groups=[] if self._user else None,
        )
        if done.returncode:
            raise ServerError(f"{Path(command[0]).name}: {done.stderr.strip()[-2000:]}")
        return done.stdout

    def cpu_s(self) -> float:
        """Return the CPU time of the server and its processes so far, in seconds (Linux)."""
        parents, spent = {}, {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                # proc(5), from the third field on: the second one may contain blanks.
                fields = path.read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it has ended meanwhile
            parents[int(path.parent.name)] = int(fields[1])
            # Its own, and what its ended children took.
            spent[int(path.parent.name)] = sum(int(field) for field in fields[11:15])
        own = self._guard.pid if self._guard else 0
        servers = [pid for pid, parent in parents.items() if parent == own]
        family = [pid for pid, parent in parents.items() if pid in servers or parent in servers]
        return sum(spent[pid] for pid in family) / os.sysconf("SC_CLK_TCK")

    def _start_somewhere(self) -> None:
        for _ in range(_ATTEMPTS):
            if self._start():
                return
            self._end()
        raise ServerError(f"no server started in {_ATTEMPTS} attempts: {self._told()}")

    def _start(self) -> bool:
        """Start it on a free port; return False if somebody else took the port meanwhile."""
        self.folder = Path(tempfile.mkdtemp(prefix="state-server-"))
        if self._user:
            shutil.chown(self.folder, self._user, group_of(self._user))
        self.port = _free_port()
        self.prepare()
        guard = Path(__file__).with_name("guard.py")
        self._guard = subprocess.Popen(
            [sys.executable, "-I", str(guard), *self._ends(), *self.command()],
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=self._output,
            stderr=self._output,
        )
        deadline = time.monotonic() + START_LIMIT_S
        while self._guard.poll() is None:
            if self.is_ready():
                return True
            if time.monotonic() > deadline:
                raise ServerError(f"no answer within {START_LIMIT_S:g} s: {self._told()}")
            time.sleep(0.02)
        return False

    def _ends(self) -> list[str]:
        return [self.ending, self._user, str(self.folder)]

    def _told(self) -> str:
        self._output.seek(0)
        return self._output.read().decode(errors="replace")[-2000:]

    def _end(self) -> None:
        guard, self._guard = self._guard, None
        if guard is not None and guard.stdin is not None:
            guard.stdin.close()
            guard.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def group_of(user: str) -> int | None:
    """Return the id of a user's own group; None for the same user."""
    return pwd.getpwnam(user).pw_gid if user else None


def is_open(port: int) -> bool:
    """Whether something listens on a port of the loopback address."""
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        port: int = taken.getsockname()[1]
    return port
