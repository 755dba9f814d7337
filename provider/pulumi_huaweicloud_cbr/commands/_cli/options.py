"""Options that several commands have: the same name, the same reader, the same words."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Scope:
    """A region; without a project, it is the default one."""

    region: str
    project_id: str | None = None


def scope(text: str) -> Scope:
    """Return the value of an option ``REGION[/PROJECT_ID]``."""
    region, slash, project_id = text.partition("/")
    return Scope(
        like_input("destination_region")(region),
        like_input("destination_project_id")(project_id) if slash else None,
    )


def like_input(field: str) -> Callable[[str], str]:
    """Return a reader for an option that is also an input of replications; the rule is the same."""

    def read(text: str) -> str:
        from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_inputs

        faults = check_inputs({field: text}, unknown=frozenset(FIELDS))
        if faults:
            raise argparse.ArgumentTypeError(faults[0].reason)
        return text

    return read


def as_text(argument: str) -> str:
    """Return an argument as text, even if this machine's encoding could not read all of it."""
    return os.fsencode(argument).decode("utf-8", errors="replace")


def stack_name(argument: str) -> str:
    """Return the name of a stack.

    Raises:
        argparse.ArgumentTypeError: it is empty, as a variable that is not set; the CLI would take
            the stack that happens to be selected.
    """
    if not argument.strip():
        raise argparse.ArgumentTypeError("is empty; name a stack that pulumi stack ls shows")
    return as_text(argument)


def add_dead(parser: argparse.ArgumentParser) -> None:
    """Add ``--dead``, the user's word on holders of locks; the value is a list of texts."""
    parser.add_argument(
        "--dead",
        action="append",
        default=[],
        type=_holder,
        metavar="HOST:PROCESS",
        help="a lock's holder that is certainly dead, although that cannot be seen from here; can "
        "be given several times",
    )


def _holder(text: str) -> str:
    host, _, process = text.rpartition(":")
    if not host or not process.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PROCESS, such as build-7:4711")
    return text


def add_stack(parser: argparse.ArgumentParser, words: str, *, is_required: bool = False) -> None:
    """Add ``--stack`` and ``--cwd``.

    Args:
        words: what the command takes from the stack.
    """
    parser.add_argument(
        "--stack", type=stack_name, required=is_required, metavar="NAME", help=words
    )
    parser.add_argument(
        "--cwd",
        type=Path,
        metavar="DIRECTORY",
        help="the project's directory, with --stack (default: this one)",
    )
    parser.set_defaults(parser=parser)


def require_stack_for_cwd(given: argparse.Namespace) -> None:
    """End the command if ``--cwd`` is given without the stack that it belongs to."""
    if given.cwd is not None and given.stack is None:
        given.parser.error("--cwd goes with --stack")


def add_json(parser: argparse.ArgumentParser, described_in: str) -> None:
    """Add ``--json``.

    Args:
        described_in: the document that describes the members.
    """
    parser.add_argument(
        "--json",
        action="store_true",
        help=f"print a JSON document, which {described_in} describes",
    )


SETTINGS_OF_STACK = (
    "take huaweicloud:* settings from this stack of the project, beside the environment"
)
"""The words of ``--stack`` where it only brings settings."""
