"""The words that a shell can complete, as the parser of the commands has them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser

FILES, DIRECTORIES, TEXT = "files", "directories", "text"
"""What the value of an option is; a shell completes the first two by itself."""
_LONGEST = 60


@dataclass(frozen=True)
class Option:
    """An option. `takes` is what its value is, None for a flag."""

    name: str
    takes: str | None
    help: str


@dataclass(frozen=True)
class Command:
    """A command. `choices` are the words that it takes beside options."""

    name: str
    help: str
    options: tuple[Option, ...]
    choices: tuple[str, ...]


def commands_of(parser: CommandParser) -> tuple[Command, ...]:
    """Return all commands, in the order of the help."""
    return tuple(
        Command(name, one.summary, _options_of_all(one), tuple(_choices(one)))
        for name, one in parser.commands.items()
    )


def _options_of_all(parser: CommandParser) -> tuple[Option, ...]:
    """Return the options of a command, and those of its own commands, each once."""
    found = {option.name: option for option in options_of(parser)}
    for one in parser.commands.values():
        for option in options_of(one):
            found.setdefault(option.name, option)
    return tuple(found.values())


def options_of(parser: CommandParser) -> tuple[Option, ...]:
    """Return the long options of a parser."""
    return tuple(
        Option(name, _takes(action), _short(action.help or ""))
        for action in parser.actions
        for name in action.option_strings
        if name.startswith("--")
    )


def _takes(action: argparse.Action) -> str | None:
    if action.nargs == 0:
        return None
    if action.type is Path:
        return DIRECTORIES if action.metavar == "DIRECTORY" else FILES
    return TEXT


def _choices(parser: CommandParser) -> Iterator[str]:
    for action in parser.actions:
        if not action.option_strings:
            yield from (str(one) for one in action.choices or ())
    yield from parser.commands


def _short(text: str) -> str:
    """Return the first part of a help text."""
    first = re.split(r"[;:] | \(", text)[0]
    return first if len(first) <= _LONGEST else f"{first[: _LONGEST - 1].rsplit(' ', 1)[0]} …"
