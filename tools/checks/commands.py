"""The reference of the commands: what they do, options and exit codes, from their parsers."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from pulumi_huaweicloud_cbr.__main__ import make_parser
from pulumi_huaweicloud_cbr.commands._cli.exits import MEANINGS, Exit
from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser
from pulumi_huaweicloud_cbr.commands.about.version import INSTALLED, Versions

OF_SOME = (Exit.NOT_ALLOWED, Exit.DIFFERS, Exit.OUTDATED)
"""The exit codes that only some commands have."""
EXAMPLE = Versions(
    "0.2.0",
    "3.12.4 (CPython)",
    "3.255.0",
    "3.255.0",
    "0.28.1",
    "0.20.0",
    "Linux-6.1.0-x86_64-with-glibc2.36",
    INSTALLED,
)
"""What `--version` might find."""


def overview() -> str:
    """Return the table of all commands."""
    rows = [(f"[`{name}`](#{name})", one.summary) for name, one in make_parser().commands.items()]
    return _table(("command", "what it does"), rows)


def all_commands() -> dict[str, CommandParser]:
    """Return the parsers of all commands by name, those of a group as ``ci preview``."""
    found = {}
    for name, one in make_parser().commands.items():
        found[name] = one
        found |= {f"{name} {below}": each for below, each in one.commands.items()}
    return found


def codes() -> str:
    """Return the table of exit codes: the meaning of each one, and the words of commands."""
    rows = []
    for code in Exit:
        own = [
            (str(int(code)), f"`{name}`", one.exits[code])
            for name, one in all_commands().items()
            if code in one.exits
        ]
        if code not in OF_SOME:
            rows.append((str(int(code)), "every command", MEANINGS[code]))
            own = [row for row in own if row[2] != MEANINGS[code]]
        rows += own
    rows.sort(key=lambda row: int(row[0]))
    return _table(("code", "command", "meaning"), rows)


def description(name: str) -> str:
    """Return what a command does, examples of calls, and its options.

    Args:
        name: the command; empty for the options before all commands.
    """
    one = all_commands()[name] if name else make_parser()
    parts = [f"```\n{chr(10).join(one.command_lines())}\n```"] if name else []
    if name:
        parts.insert(0, one.purpose)
    return "\n\n".join([*parts, _options(one)])


def _options(parser: CommandParser) -> str:
    rows = [
        (f"`{_shape(action)}`", _text(parser, action))
        for action in parser.actions
        if "--help" not in action.option_strings
    ]
    return _table(("option", "purpose"), rows)


def _shape(action: argparse.Action) -> str:
    """Return an option or an argument as it is written on the command line."""
    value = action.metavar or "|".join(map(str, action.choices or ()))
    return " ".join(part for part in (*action.option_strings, str(value)) if part)


def _text(parser: CommandParser, action: argparse.Action) -> str:
    formatter = parser.formatter_class(prog=parser.prog)
    text = formatter._expand_help(action)  # noqa: SLF001 -- argparse has no public way to fill in %(default)s
    return f"{text} (required)" if action.required and action.option_strings else text


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    first, *lines = (
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
        for row in (head, *rows)
    )
    columns = first.count("|") - 1
    return "\n".join([first, "|---" * columns + "|", *lines])
