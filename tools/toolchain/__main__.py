"""Command line: `python -m tools.toolchain [--quiet]` prepares the checkout that contains it."""

from __future__ import annotations

import argparse
import errno
import io
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from tools.toolchain.errors import ToolchainError
from tools.toolchain.pins import current_platform
from tools.toolchain.provision import link, provision, real_sources
from tools.toolchain.store import Store, default_store_root

CHECKOUT = Path(__file__).resolve().parents[2]
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def main(arguments: list[str] | None = None) -> int:
    """Prepare the toolchain and link it into `.toolchain/bin`; return the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    parser = argparse.ArgumentParser(prog="python -m tools.toolchain", description=main.__doc__)
    parser.add_argument("--quiet", action="store_true", help="be silent when nothing was to do")
    options = parser.parse_args(arguments)
    # So that the compiler is stopped and scratch files are removed.
    signal.signal(signal.SIGTERM, _stop)
    own_bin = CHECKOUT / ".toolchain" / "bin"
    environ = dict(os.environ)
    try:
        target = current_platform()
        store = Store(default_store_root(environ), _say)
        sources = real_sources(environ.get("PATH", os.defpath), own_bin, target, _say)
        wanted = environ.get("PULUMI_TOOLCHAIN") or "auto"
        toolchain = provision(wanted, store, sources, target, _say)
        link(toolchain, own_bin)
    except ToolchainError as exc:
        sys.stderr.write(f"toolchain: {exc}\n")
        return 1
    except OSError as exc:
        remedy = "free some space" if exc.errno in _DISK_FULL else "check the file's owner and mode"
        sys.stderr.write(f"toolchain: {exc}\n  what to do: {remedy}, then run it again\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("toolchain: stopped; run it again to go on\n")
        return 130
    if not options.quiet:
        _say(f"Pulumi {toolchain.version}, {toolchain.origin}; in .toolchain/bin")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"toolchain: {text}\n")
    sys.stdout.flush()


def _stop(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
