"""``fleet``: its options, and how a run of many stacks is put together."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser, Commands, add_command

_NAME = "fleet"
_ESTATE = "estate.yaml"
_MOST_AT_ONCE = 64
_AT_ONCE = 4
_FAILED = "some stack failed, or up would refuse it: the result tells why"


class _Verb(NamedTuple):
    summary: str
    purpose: str
    exits: dict[Exit, str]


_VERBS = {
    "preview": _Verb(
        "preview many stacks, and say what happens to replicas",
        "Previews the stacks side by side, with the configuration of the estate file. Nothing is "
        "changed: a stack that does not exist is named, and not created.",
        {Exit.DONE: "all previews succeeded", Exit.TO_DO: _FAILED},
    ),
    "up": _Verb(
        "create or update many stacks",
        "Runs up for the stacks side by side. It creates those that do not exist, and writes "
        "Pulumi.NAME.yaml where the estate file says something else. A failure stops no other "
        "stack. After an interrupt or a failure, the same command does what is left.",
        {
            Exit.DONE: "all stacks are up",
            Exit.TO_DO: "some stack failed: the result tells why",
        },
    ),
    "drift": _Verb(
        "say which stacks have lost or changed replicas",
        "Previews the stacks with a refresh, which changes nothing, and counts replicas that "
        "are lost or were changed outside of Pulumi.",
        {
            Exit.DONE: "no replica is lost, and none differs",
            Exit.TO_DO: _FAILED,
            Exit.DIFFERS: "replicas of some stack are lost, or were changed outside of Pulumi",
        },
    ),
}
_INTERRUPTED = {Exit.INTERRUPTED: "interrupted: what was at work ended in order, some may be left"}


def add_to(commands: Commands) -> None:
    """Add the command and its own commands to a parser."""
    parser = add_command(
        commands,
        _NAME,
        summary="many stacks at once: preview, up, drift",
        purpose=(
            "Runs many stacks of a project side by side, on Pulumi's Automation API. The stacks "
            "are those of an estate file, or those with a file Pulumi.NAME.yaml. Stacks of one "
            "account share a limit of calls per second."
        ),
        exits={Exit.DONE: "all stacks are done", Exit.TO_DO: "some stack failed"},
        examples=("fleet preview --stacks 'prod-*'", "fleet up --stacks 'prod-*' --parallel 5"),
        arguments="COMMAND",
    )
    own = parser.add_subparsers(
        prog=parser.prog, metavar="COMMAND", help=argparse.SUPPRESS, parser_class=CommandParser
    )
    for verb in _VERBS:
        _add(own, verb)
    parser.list_commands()
    parser.set_defaults(run=lambda _given: parser.error("want a COMMAND; --help lists them"))


def _add(commands: Commands, verb: str) -> None:
    parser = add_command(
        commands,
        verb,
        group=_NAME,
        summary=_VERBS[verb].summary,
        purpose=_VERBS[verb].purpose,
        exits={**_VERBS[verb].exits, **_INTERRUPTED},
        examples=(f"fleet {verb} --stacks 'prod-*' --parallel 5",),
        arguments="--stacks PATTERN",
    )
    parser.add_argument(
        "--stacks",
        action="append",
        required=True,
        metavar="PATTERN",
        help="stacks by name or pattern, in quotes: 'prod-*'; may be given several times",
    )
    parser.add_argument(
        "--estate",
        type=Path,
        metavar="FILE",
        help=f"the estate file (default: {_ESTATE} of the project, if there is one)",
    )
    parser.add_argument(
        "--parallel",
        type=_at_once,
        default=_AT_ONCE,
        metavar="NUMBER",
        help=f"how many stacks run at once, up to {_MOST_AT_ONCE} (default: {_AT_ONCE})",
    )
    parser.add_argument(
        "--cwd", type=Path, metavar="DIRECTORY", help="the project's directory (default: this one)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON document on each line, which docs/reference/commands.md describes",
    )
    parser.set_defaults(run=run, verb=verb)


def _at_once(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_AT_ONCE:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {_MOST_AT_ONCE}")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """Run the stacks and show it; return the exit code.

    Raises:
        ConfigurationError: the estate, the environment or the project has a fault; nothing was run.
    """
    from pulumi_huaweicloud_cbr.api.transport.shared_rate import SharedRate
    from pulumi_huaweicloud_cbr.commands.fleet import estate as estates
    from pulumi_huaweicloud_cbr.commands.fleet.outcome import exit_of
    from pulumi_huaweicloud_cbr.commands.fleet.progress import Board, view_of
    from pulumi_huaweicloud_cbr.commands.fleet.stack_files import config_folder, stacks_in

    project = (given.cwd or Path()).absolute()
    files = config_folder(project)
    chosen = given.estate or (project / _ESTATE if (project / _ESTATE).exists() else None)
    estate = estates.read_estate(chosen) if chosen else estates.Estate(stacks_in(files))
    stacks = estates.selected(estate.stacks, given.stacks)
    estates.require_variables(stacks, os.environ)
    estates.remember_secrets(stacks, os.environ)

    # Pulumi's SDK takes a while to load, and faults of the files need none of it.
    from pulumi_huaweicloud_cbr.commands.fleet.running import Fleet, run_all
    from pulumi_huaweicloud_cbr.commands.fleet.workspace import Children, StackCommand

    children = Children()
    view = view_of(sys.stdout, [one.name for one in stacks], is_json=given.json)
    board = Board(view)
    with tempfile.TemporaryDirectory(prefix="cbr-fleet-") as name:
        scratch = Path(name)
        rates = {
            one.name: SharedRate(one.calls_per_second, scratch / f"{number}.rate")
            for number, one in enumerate(estate.accounts)
            if one.calls_per_second is not None
        }
        fleet = Fleet(
            given.verb,
            project,
            files,
            scratch,
            estate,
            os.environ,
            StackCommand(children, os.environ),
            board,
            rates,
        )
        outcomes = run_all(
            stacks, fleet.run, parallel=given.parallel, children=children, draw=board.draw
        )
    view.close(outcomes)
    return exit_of(outcomes)
