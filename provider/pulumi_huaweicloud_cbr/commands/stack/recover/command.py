"""``recover``: after a CLI was killed, repair a stack so that `pulumi up` can go on.

A killed CLI leaves a lock and perhaps pending operations. `pulumi cancel` removes any lock, even
that of a running `up`, and then one of two states is lost. So this command removes a lock only if
its holder is known to be dead, or the user says so. It drops a pending creation of this package,
since the next one finds what CBR accepted. One of another package may not, so it is left to the
user.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import counted
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import add_dead
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import run_pulumi
from pulumi_huaweicloud_cbr.commands.stack.recover.locks import (
    Lock,
    LockedError,
    locks_in,
    require_dead,
)
from pulumi_huaweicloud_cbr.commands.stack.recover.processes import Processes

_OURS = "pulumi-python:dynamic/huaweicloud_cbr:"
_STACK = "pulumi:pulumi:Stack"
# A lock that is not a file takes two rounds, and the third finds none. If there are more refusals,
# somebody else works on the stack.
_ROUNDS = 4


@dataclass(frozen=True)
class Pending:
    """The interrupted operations of a state.

    `targets` are the resources to refresh, and the stack itself. `foreign` are the creations that
    might be made twice if they are repeated.
    """

    count: int
    targets: tuple[str, ...]
    foreign: tuple[str, ...]


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "recover",
        summary="after a killed pulumi up: remove its lock and pending operations",
        purpose=(
            "Removes the lock of a CLI that was killed, once its process is known to be dead, and "
            "the pending operations that it left. Then pulumi up goes on without a second copy. "
            "Run it in the project's directory, on the machine where the CLI was killed. In a "
            "bucket or a database, a lock does not prove which machine made it: there, --dead says "
            "that its holder is dead."
        ),
        exits={
            Exit.DONE: "no lock and no pending operation is left; go on with pulumi up",
            Exit.TO_DO: "not done: the lock's holder may live, or the CLI failed",
        },
        examples=("recover --stack prod", "recover --stack prod --dead build-7:4711"),
        arguments="--stack NAME",
    )
    parser.add_argument("--stack", required=True, metavar="NAME", help="the stack")
    add_dead(parser)
    parser.add_argument(
        "--advise",
        type=Path,
        metavar="ERRORS",
        help="change nothing; say in one line whether this command is needed, by the state and by "
        "what a pulumi command wrote to standard error, which is in this file",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Recover the stack and print what was done, or only print whether that is needed.

    Returns the exit code.

    Raises:
        LockedError: the lock's holder is alive, or cannot be checked; nothing was changed.
        ConfigurationError: the CLI fails for another reason, which is shown; or a pending creation
            is not ours to drop.
    """
    if given.advise is not None:
        said = given.advise.read_text(encoding="utf-8", errors="replace")
        if advice := advice_for(given.stack, said):
            print(advice)
        return Exit.DONE
    _recover(given.stack, Processes(), given.dead)
    print(
        "No lock, and no operation is pending. Go on with the command that was killed, such as:\n"
        f"  {_command('up', given.stack)}"
    )
    print(
        "Then see whether a replica is left without an owner:\n"
        f"  python -m pulumi_huaweicloud_cbr owners --stack {shlex.quote(given.stack)}"
    )
    return Exit.DONE


def _recover(stack: str, processes: Processes, confirmed: list[str]) -> None:
    dead: set[str] = set()
    for _ in range(_ROUNDS):
        pending = _pending(stack)
        done = _settle(stack, pending)
        locks = _refused_for(done)
        if not locks:
            break
        for lock in locks:
            require_dead(lock, processes, confirmed)
        _remove(stack, locks, dead)
        dead.update(lock.url for lock in locks)
    else:
        raise LockedError(
            f"recovering: the stack was locked again {_ROUNDS} times",
            remedy="somebody else works on it; wait for them",
        )
    _require_success(done, "refresh")
    if pending.foreign:
        raise ConfigurationError(
            f"recovering: {counted(len(pending.foreign), 'interrupted creation')} of other "
            f"packages might be made twice: {', '.join(pending.foreign)}",
            remedy="look whether they exist and delete those that do; then "
            + _command("refresh --clear-pending-creates", stack),
        )
    if pending.count:
        dropped = counted(pending.count, "pending operation")
        print(f"Dropped {dropped}, and read what their resources are now.")


def _refused_for(done: subprocess.CompletedProcess[str]) -> list[Lock]:
    """Return the locks because of which a command did not run."""
    if done.returncode == 0:
        return []
    try:
        return locks_in(done.stderr + done.stdout)
    except LockedError:
        sys.stderr.write(done.stdout + done.stderr)
        raise


def _pending(stack: str) -> Pending:
    done = run_pulumi("stack", "export", "--stack", stack)
    _require_success(done, "stack export")
    return _pending_in(done.stdout)


def _pending_in(exported: str) -> Pending:
    deployment = json.loads(exported).get("deployment") or {}
    resources = {row["urn"]: row for row in deployment.get("resources") or []}
    operations = deployment.get("pending_operations") or []
    urns = [operation["resource"]["urn"] for operation in operations]
    roots = [urn for urn, row in resources.items() if row["type"] == _STACK]
    foreign = [
        operation["resource"]["urn"] for operation in operations if _is_foreign_creation(operation)
    ]
    targets = [*roots, *(urn for urn in urns if urn in resources)]
    return Pending(len(operations), tuple(dict.fromkeys(targets)), tuple(foreign))


def _is_foreign_creation(operation: dict[str, Any]) -> bool:
    resource = operation["resource"]
    # Components, providers and the stack itself exist in the state only.
    is_real = resource.get("custom", False) and not resource["type"].startswith("pulumi:")
    is_ours = resource["type"].startswith(_OURS)
    return operation["type"] == "creating" and is_real and not is_ours


def _settle(stack: str, pending: Pending) -> subprocess.CompletedProcess[str]:
    """Refresh only what was interrupted: other drift is not ours to accept.

    The refresh drops pending operations, and creations only on request. The stack itself is always
    a target, since the CLI would refresh everything without a target.
    """
    clear = [] if pending.foreign else ["--clear-pending-creates"]
    targets = [part for urn in pending.targets for part in ("--target", urn)]
    return run_pulumi("refresh", "--yes", "--skip-preview", *clear, *targets, "--stack", stack)


def _remove(stack: str, locks: list[Lock], dead: set[str]) -> None:
    """Remove locks whose holders are dead; if they are files, exactly these files.

    In buckets and databases, the CLI's own command removes all locks of a stack. It is called only
    if all holders were found `dead` in an earlier round. Such a lock does not disappear by itself,
    and nobody else can lock the stack meanwhile. Only somebody who cancels by hand at the same time
    could make room for another lock.
    """
    files = [lock.file for lock in locks]
    if None in files:
        if not {lock.url for lock in locks} <= dead:
            return
        _require_success(run_pulumi("cancel", "--yes", "--stack", stack), "cancel")
    for lock, file in zip(locks, files, strict=True):
        if file is not None and not lock.remove(file):
            continue
        print(f"Removed the lock of {lock}, which is dead.")


def advice_for(stack: str, errors: str, directory: Path | None = None) -> str | None:
    """Return in one line whether this command is needed, None if it is not.

    Args:
        errors: what a command of Pulumi wrote to standard error.
        directory: the project's; default: the current one.
    """
    try:
        is_locked = bool(locks_in(errors))
    except LockedError as error:
        return str(error)
    reason = "the stack is locked" if is_locked else None
    if not reason:
        there = ["--cwd", str(directory)] if directory is not None else []
        done = run_pulumi("stack", "export", "--stack", stack, *there)
        count = _pending_in(done.stdout).count if done.returncode == 0 else 0
        reason = f"the state has {counted(count, 'pending operation')}" if count else None
    return reason and _advice(reason, stack)


def advice_after_kill(stack: str) -> str:
    """Return the same line for a CLI that was killed, if nothing else is known."""
    return _advice("its lock may be left", stack)


def _advice(reason: str, stack: str) -> str:
    command = f"python -m pulumi_huaweicloud_cbr recover --stack {shlex.quote(stack)}"
    return f"{reason}; if no pulumi is at work on it: {command}"


def _command(what: str, stack: str) -> str:
    return f"pulumi {what} --stack {shlex.quote(stack)}"


def _require_success(done: subprocess.CompletedProcess[str], command: str) -> None:
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise ConfigurationError(
            f"recovering: pulumi {command} failed with exit code {done.returncode}, see above",
            remedy="run this again when that is settled, or go on with pulumi up; nothing is lost",
        )
