"""``python -m pulumi_huaweicloud_cbr COMMAND``: commands for users, beside `pulumi` itself.

What a command does is in `commands`.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import PROGRAM, CommandParser
from pulumi_huaweicloud_cbr.commands._cli.output import print_json, print_whatever_comes
from pulumi_huaweicloud_cbr.commands.about.completion import command as completion
from pulumi_huaweicloud_cbr.commands.about.version import find_versions
from pulumi_huaweicloud_cbr.commands.account.backups import command as backups
from pulumi_huaweicloud_cbr.commands.account.check import command as check
from pulumi_huaweicloud_cbr.commands.account.owners import command as owners
from pulumi_huaweicloud_cbr.commands.ci import command as ci
from pulumi_huaweicloud_cbr.commands.fleet import command as fleet
from pulumi_huaweicloud_cbr.commands.report import command as report
from pulumi_huaweicloud_cbr.commands.stack import import_file
from pulumi_huaweicloud_cbr.commands.stack.recover import command as recover

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
        examples=("check --stack prod", "backups --without-copy-in cn-east-3"),
    )
    parser.add_argument(
        "--version",
        action="store_true",
        help="print the versions that a report of a fault needs, and exit",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        dest="is_json",
        help="with --version: print a JSON document, which docs/reference/commands.md describes",
    )
    commands = parser.add_subparsers(
        prog=PROGRAM, metavar="COMMAND", help=argparse.SUPPRESS, parser_class=CommandParser
    )
    for command in (check, backups, owners, report, ci, fleet, import_file, recover, completion):
        command.add_to(commands)
    parser.list_commands()
    parser.set_defaults(program=parser)
    return parser


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code. An error is a line on standard error."""
    print_whatever_comes()
    given = make_parser().parse_args(arguments)
    try:
        code = _run(given)
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
    return code


def _run(given: argparse.Namespace) -> int:
    parser: CommandParser = given.program
    if given.version:
        versions = find_versions(Path.cwd())
        if given.is_json:
            print_json(versions.to_json())
        else:
            print(versions)
        return Exit.DONE
    if given.is_json:
        parser.error("--json before a command goes with --version")
    if "run" not in given:
        parser.error("want a COMMAND; --help lists them")
    code: int = given.run(given)
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
