"""``completion``: prints a script; what it contains is in `shells`."""

from __future__ import annotations

import argparse

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser, Commands, add_command

SHELLS = ("bash", "zsh", "fish")


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "completion",
        summary="print a script with which bash, zsh or fish completes commands",
        purpose=(
            "Prints a script for a shell. With it, Tab completes the commands and options of "
            "python -m pulumi_huaweicloud_cbr, and starts no Python for that. Save it to a file, "
            "and source that file where the shell starts. Print it again after an update."
        ),
        exits={Exit.DONE: "the script is printed"},
        examples=("completion bash >cbr-completion.bash",),
        arguments="bash|zsh|fish",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell: bash, zsh or fish")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print the script; return the exit code."""
    from pulumi_huaweicloud_cbr.commands.about.completion.shells import SCRIPTS
    from pulumi_huaweicloud_cbr.commands.about.completion.words import commands_of, options_of

    program: CommandParser = given.program
    print(SCRIPTS[given.shell](commands_of(program), options_of(program)), end="")
    return Exit.DONE
