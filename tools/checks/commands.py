"""The reference of the commands: tables of options and exit codes, from the parsers themselves."""

from __future__ import annotations

import argparse

from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser


def commands_of(parser: CommandParser) -> dict[str, CommandParser]:
    """Return the parsers of all commands by name, in the order of the help."""
    actions = parser._actions  # noqa: SLF001 -- argparse has no public list of them
    (commands,) = (one for one in actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001
    return dict(commands.choices)
