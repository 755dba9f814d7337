"""``python -m simulator``: say what to do if this Python lacks the simulator's packages."""

from __future__ import annotations

import io
import sys


def main() -> int:
    """Run the simulator. Return the exit code: 2 if it could not start."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        from simulator.serve import main as serve  # noqa: PLC0415 -- needs what may be missing
    except ModuleNotFoundError as error:
        print(
            f"simulator: this Python ({sys.executable}) has no module {error.name!r};"
            " run `make toolchain`, then `source .venv/bin/activate`, and start it again",
            file=sys.stderr,
        )
        return 2
    return serve()


if __name__ == "__main__":
    sys.exit(main())
