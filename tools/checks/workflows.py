"""``python -m tools.checks.workflows``: check the workflows with actionlint and zizmor.

actionlint knows the syntax, the expressions and the contexts. It gives each script to shellcheck.
zizmor looks for what an attacker could use. It asks no network here.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tools.toolchain.errors import ToolchainError
from tools.toolchain.module import GoProgram

REPOSITORY = Path(__file__).resolve().parents[2]
ACTIONLINT = GoProgram(
    name="actionlint",
    title="actionlint",
    folder=Path(__file__).parent / "actionlint",
    module="github.com/rhysd/actionlint",
    package="github.com/rhysd/actionlint/cmd/actionlint",
    family="checks",
    otherwise="run the other checks of make lint by themselves",
)
CLEAN = 0


def check(folder: Path) -> int:
    """Check the workflows of a repository; return 1 if there is a fault, which is printed."""
    beside = Path(sys.executable).parent
    shellcheck = shutil.which("shellcheck", path=str(beside)) or ""
    commands = (
        # Python's linter for scripts is not among our tools.
        [str(ACTIONLINT.path), "-no-color", "-pyflakes=", f"-shellcheck={shellcheck}"],
        [str(beside / "zizmor"), "--offline", "--quiet", "--no-progress", "."],
    )
    codes = [
        subprocess.run(
            command, cwd=folder, env={**os.environ, "NO_COLOR": "1"}, check=False
        ).returncode
        for command in commands
    ]
    return 1 if any(codes) else CLEAN


def main() -> int:
    """Provide actionlint, and check this repository."""
    try:
        ACTIONLINT.provide(lambda text: print(f"workflows: {text}", file=sys.stderr))
    except ToolchainError as error:
        print(f"workflows: {error}", file=sys.stderr)
        return 1
    return check(REPOSITORY)


if __name__ == "__main__":
    sys.exit(main())
