"""The help of commands: what each one says beside its options, in 80 columns.

The reference of commands is generated from the same parsers.
"""

from __future__ import annotations

import argparse
import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from pulumi_huaweicloud_cbr.commands._cli.exits import MEANINGS, Exit

PROGRAM = "python -m pulumi_huaweicloud_cbr"
COLUMNS = 80
_HELP_AT = 24
"""The column at which the texts of options begin."""


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Takes at most 80 columns, and fewer in a narrow terminal."""

    def __init__(self, prog: str, **given: Any) -> None:
        width = min(COLUMNS, max(40, shutil.get_terminal_size().columns))
        super().__init__(prog, **{**given, "max_help_position": _HELP_AT, "width": width})


class CommandParser(argparse.ArgumentParser):
    """The options of a command, with what its help says beside them.

    `summary` is a line of the list of commands. `purpose` says what the command does. `notes` stand
    before its exit codes, which `exits` has in its own words. `examples` are command lines without
    the program.
    """

    def __init__(
        self,
        *,
        summary: str = "",
        purpose: str = "",
        notes: str = "",
        exits: Mapping[Exit, str] | None = None,
        examples: Iterable[str] = (),
        **given: Any,
    ) -> None:
        self.summary = summary
        self.purpose = purpose
        self.notes = notes
        self.exits = dict(exits or MEANINGS)
        self.examples = tuple(examples)
        # An abbreviation in a script would change its meaning with the next option.
        super().__init__(
            **given,
            description=textwrap.fill(purpose, COLUMNS),
            epilog=self._epilog(),
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def _epilog(self) -> str:
        codes = [f"  {code:<3}  {meaning}" for code, meaning in self.exits.items()]
        lines = [self.notes, ""] if self.notes else []
        lines += ["exit codes:", *codes]
        if self.examples:
            title = "example:" if len(self.examples) == 1 else "examples:"
            lines += ["", title, *(f"  {shown}" for shown in self.command_lines())]
        return "\n".join(lines)

    @property
    def actions(self) -> tuple[argparse.Action, ...]:
        """Return the options and arguments that the help shows."""
        return tuple(one for one in self._actions if one.help != argparse.SUPPRESS)

    @property
    def commands(self) -> dict[str, CommandParser]:
        """Return the parsers of the commands by name, in the order of the help."""
        groups = (one for one in self._actions if isinstance(one, argparse._SubParsersAction))  # noqa: SLF001 -- no public name
        return {name: one for group in groups for name, one in group.choices.items()}

    def command_lines(self) -> list[str]:
        """Return the examples as a shell takes them, in lines of the help's width."""
        lines = []
        for example in self.examples:
            head, *options = re.split(r" (?=--)", f"{PROGRAM} {example}")
            parts = [head]
            for option in options:
                # An option stays together with its value.
                if len(f"  {parts[-1]} {option} \\") > COLUMNS:
                    parts.append(f"  {option}")
                else:
                    parts[-1] += f" {option}"
            lines += [*(f"{part} \\" for part in parts[:-1]), parts[-1]]
        return lines

    def list_commands(self) -> None:
        """Show the commands with their summaries, before the options."""
        rows = [f"  {name:<13}{one.summary}" for name, one in self.commands.items()]
        self.description = "\n".join([textwrap.fill(self.purpose, COLUMNS), "", "commands:", *rows])


Commands: TypeAlias = "argparse._SubParsersAction[CommandParser]"  # noqa: SLF001 -- no public name
"""What a command is added to."""


def add_command(
    commands: Commands,
    name: str,
    *,
    summary: str,
    purpose: str,
    exits: Mapping[Exit, str],
    examples: Iterable[str],
    arguments: str = "",
    group: str = "",
) -> CommandParser:
    """Add a command, and return its parser for the options.

    Args:
        group: the command that it belongs to, such as ``ci``.
        exits: its exit codes beside those that each command has, in its own words.
        arguments: what is required, for the line of its usage.
    """
    usage = " ".join(part for part in (PROGRAM, group, name, arguments, "[options]") if part)
    return commands.add_parser(
        name,
        help=summary,
        summary=summary,
        purpose=purpose,
        exits={**exits, Exit.USAGE: MEANINGS[Exit.USAGE]},
        examples=examples,
        usage=usage,
    )
