"""``python -m pulumi_huaweicloud_cbr COMMAND``: help for people beside `pulumi` itself."""

from __future__ import annotations

import argparse
import sys

from pulumi_huaweicloud_cbr.commands import import_file, recover
from pulumi_huaweicloud_cbr.errors import CbrError


def main(arguments: list[str]) -> int:
    """Run a command; return the exit code: 0, or 1 after a message on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m pulumi_huaweicloud_cbr",
        description="Help for replications of Huawei Cloud CBR backups, beside pulumi itself.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    import_file.add_to(commands)
    recover.add_to(commands)
    given = parser.parse_args(arguments)
    try:
        given.run(given)
    except CbrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
