"""Runs a server until its standard input ends, then ends the server and removes its folder.

The other end of that pipe is the server's user. It closes whenever that process ends, even if it
was killed. So no server is left behind. It is run as a file: nothing is imported from this project.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import threading

LIMIT_S = 20.0
"""How long a server has to end by itself."""


def main() -> int:
    """Run `guard.py SIGNAL USER FOLDER COMMAND...`; USER is empty for the same user."""
    number, user, folder, *command = sys.argv[1:]
    # Only the pipe ends this: an interrupt from a terminal reaches the user of the server as well.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A group of its own, so that a terminal's interrupt does not reach the server either.
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        cwd=folder,
        start_new_session=True,
        user=user or None,
        group=pwd.getpwnam(user).pw_gid if user else None,
        extra_groups=[] if user else None,
    )

    def end_with_user() -> None:
        sys.stdin.buffer.read()
        server.send_signal(signal.Signals[number])
        try:
            server.wait(LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)

    threading.Thread(target=end_with_user, daemon=True).start()
    code = server.wait()
    shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
