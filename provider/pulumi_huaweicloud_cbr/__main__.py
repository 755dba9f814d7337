"""``python -m pulumi_huaweicloud_cbr COMMAND``: commands for users, beside `pulumi` itself.

What a command does is in `commands`.
"""

from __future__ import annotations

import argparse
import sys

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands import import_file
from pulumi_huaweicloud_cbr.commands._cli import print_whatever_comes
from pulumi_huaweicloud_cbr.commands.check import command as check
from pulumi_huaweicloud_cbr.commands.owners import command as owners
from pulumi_huaweicloud_cbr.commands.recover import command as recover


def command_line() -> argparse.ArgumentParser:
    """Return the parser of all commands and their options."""
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_huaweicloud_cbr",
        description="Help for replications of Huawei Cloud CBR backups, beside pulumi itself.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check.add_to(commands)
    import_file.add_to(commands)
    owners.add_to(commands)
    recover.add_to(commands)
    return parser


def main(arguments: list[str]) -> int:
    """Run a command; return its exit code, or 1 after a message on standard error."""
    print_whatever_comes()
    given = command_line().parse_args(arguments)
    try:
        code: int = given.run(given)
    except CbrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
