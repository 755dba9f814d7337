"""Command line: `python -m tools.state_servers` provides the servers for the tests of backends."""

from __future__ import annotations

import sys

from tools.state_servers.build import VERSITYGW
from tools.state_servers.postgresql import programs_folder
from tools.toolchain.errors import ToolchainError


def main() -> int:
    """Build the S3 server if needed, and look for PostgreSQL; return the exit code."""
    try:
        VERSITYGW.provide(_say)
    except ToolchainError as exc:
        sys.stderr.write(f"state-servers: {exc}\n")
        return 1
    folder = programs_folder()
    if folder is None:
        _say("there is no PostgreSQL here; on Debian and Ubuntu: apt-get install postgresql")
    else:
        _say(f"versitygw {VERSITYGW.version}, and PostgreSQL in {folder}")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"state-servers: {text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
