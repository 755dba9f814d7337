"""``recover``: after a CLI was killed, bring a stack to where `pulumi up` can go on.

A killed CLI leaves a lock and perhaps pending operations. `pulumi cancel` removes any lock, also
that of an `up` which is alive, and then one of two states is lost. So the holder has to be dead,
and known to be.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

from pulumi_huaweicloud_cbr.commands._cli import run_pulumi
from pulumi_huaweicloud_cbr.errors import CbrError, ConfigurationError

# As backends on files, buckets and databases tell who holds a lock (pulumi 3.255, backend/diy).
_HOLDER = re.compile(r"created by (?P<user>\S+)@(?P<host>\S+) \(pid (?P<pid>\d+)\) at (?P<at>\S+)")


class LockedError(CbrError):
    """The stack is locked by a process that is alive, or that cannot be looked at from here."""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "recover",
        help="after a CLI was killed: remove its lock and pending operations",
        description=(
            "Removes the lock of a CLI that was killed, once its process is known to be dead, and "
            "the pending operations that it left; then pulumi up goes on without a second copy. "
            "Run it in the project's directory, on the machine where the CLI was killed."
        ),
    )
    parser.add_argument("--stack", required=True, help="the stack's name")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Recover the stack and say what was done.

    Raises:
        LockedError: the lock's holder is alive, or on another machine; nothing was changed.
        ConfigurationError: the CLI fails for another reason, which is shown.
    """
    done = _refresh(given.stack)
    holders = [match.groupdict() for match in _HOLDER.finditer(done.stderr)]
    if done.returncode and holders:
        for holder in holders:
            _require_dead(holder)
            print(f"The lock's holder (process {holder['pid']} since {holder['at']}) is dead.")
        _require_success(run_pulumi("cancel", "--yes", given.stack), "cancel")
        print("Removed its lock.")
        done = _refresh(given.stack)
    _require_success(done, "refresh")
    print(
        "The state is what CBR has, and no operation is pending. Go on with:\n"
        f"  pulumi up --stack {given.stack}"
    )


def _refresh(stack: str) -> subprocess.CompletedProcess[str]:
    # Safe for replications: a create that was accepted is found, and adopted, by the next one.
    return run_pulumi(
        "refresh", "--yes", "--skip-preview", "--clear-pending-creates", "--stack", stack
    )


def _require_dead(holder: dict[str, str]) -> None:
    doing = f"recovering: the stack is locked by {holder['user']}@{holder['host']}"
    if holder["host"] != socket.gethostname():
        raise LockedError(
            f"{doing} (process {holder['pid']} since {holder['at']}), another machine than this "
            f"({socket.gethostname()})",
            remedy="run this there; if that machine is gone for good, pulumi cancel removes the "
            "lock",
        )
    if _is_alive(int(holder["pid"])):
        raise LockedError(
            f"{doing}, and process {holder['pid']} is alive",
            remedy="wait for it, or end it with Ctrl-C",
        )


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # somebody else's, and alive
    try:
        # The number may have been given to another program since.
        return b"pulumi" in Path(f"/proc/{process}/cmdline").read_bytes()
    except FileNotFoundError:
        return True


def _require_success(done: subprocess.CompletedProcess[str], command: str) -> None:
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise ConfigurationError(
            f"recovering: pulumi {command} failed with exit code {done.returncode}, see above",
            remedy="run this again when that is settled; nothing is lost",
        )
