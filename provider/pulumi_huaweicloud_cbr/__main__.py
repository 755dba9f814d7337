"""``python -m pulumi_huaweicloud_cbr COMMAND``: commands for users, beside `pulumi` itself.

What a command does is in `commands`.
"""

from __future__ import annotations

import argparse
import os
import sys

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands import import_file
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import PROGRAM, CommandParser
from pulumi_huaweicloud_cbr.commands._cli.output import print_whatever_comes
from pulumi_huaweicloud_cbr.commands.check import command as check
from pulumi_huaweicloud_cbr.commands.owners import command as owners
from pulumi_huaweicloud_cbr.commands.recover import command as recover

_SETTINGS = """\
settings:
  Credentials and the region come from the environment, such as HW_REGION_NAME,
  HW_ACCESS_KEY and HW_SECRET_KEY. --stack NAME takes the huaweicloud:* settings
  of that stack too, which go before those of the environment. `check` names the
  settings in use."""


def make_parser() -> CommandParser:
    """Return the parser of all commands; the help lists them in this order."""
    parser = CommandParser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND [options]",
        purpose="Commands beside pulumi itself, for copies of CBR backups in other regions.",
        notes=_SETTINGS,
        examples=("check --stack prod", "owners --help"),
    )
    commands = parser.add_subparsers(
        metavar="COMMAND", required=True, help=argparse.SUPPRESS, parser_class=CommandParser
    )
    for command in (check, owners, import_file, recover):
        command.add_to(commands)
    parser.list_commands(commands)
    return parser


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code. An error is a line on standard error."""
    print_whatever_comes()
    given = make_parser().parse_args(arguments)
    try:
        code: int = given.run(given)
        sys.stdout.flush()
    except CbrError as error:
        print(f"error: {error}", file=sys.stderr)
        return Exit.TO_DO
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more at the end, which would fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OUTPUT_CLOSED
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
