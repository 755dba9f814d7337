"""`python -m tools.live`: the package against the real cloud; shows the cost first.

Without LIVE_CONFIRM=yes it changes nothing.

Environment: the account as everywhere (HW_ACCESS_KEY and so on). HW_REGION_NAME and LIVE_BACKUP_ID
name the backup to copy, LIVE_DESTINATION_REGION its destination. Optional:
LIVE_DESTINATION_VAULT_ID (default: the matching vault with the most room),
LIVE_DESTINATION_PROJECT_ID and LIVE_DIRECTORY (default: .live).

Exit code 0: all is as the package expects. 1: something is not, or failed. 2: nothing was started.
3: something is left to clean up. 130 or 143: interrupted and cleaned up.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import os
import re
import signal
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from tools.live.ledger import BusyError, Ledger, remove_made
from tools.live.notes import Notes
from tools.live.observed import ObservedClient
from tools.live.plan import LiveError, Wanted, make_plan
from tools.live.suite import run_steps

DONE, BROKEN, NOT_BEGUN, LEFT_OVER = 0, 1, 2, 3
_TIME_PASSED = re.compile(r"(?:^|(?<=, ))[^,:]+ of at most [^:]+: ")
"""The changing part of a line of progress."""
SIGNAL_CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Terminal:
    """Prints one line per event; an unchanged progress is not repeated."""

    def __init__(self) -> None:
        self._shown = ""

    def tell(self, message: str) -> None:
        """Show a line."""
        print(message, flush=True)

    def progress(self, message: str) -> None:
        """Show the progress of a wait, if it has changed."""
        what = _TIME_PASSED.sub("", message)
        if what != self._shown:
            self._shown = what
            print(f"  {what}", flush=True)

    waiting = progress


class InterruptedRunError(Exception):
    """A signal ended the work."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


async def until_signal(work: Coroutine[Any, Any, None]) -> None:
    """Do some work. A signal cancels it, and is raised once it has ended.

    Raises:
        InterruptedRunError: a signal came.
    """
    task = asyncio.ensure_future(work)
    came: list[int] = []

    def on_signal(code: int) -> None:
        came.append(code)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number, code in SIGNAL_CODES.items():
        loop.add_signal_handler(number, on_signal, code)
    try:
        await task
    except asyncio.CancelledError:
        if not came:
            raise
        raise InterruptedRunError(came[0]) from None


async def clean_up(api: ObservedClient, ledger: Ledger, terminal: Terminal) -> int:
    """Remove what is left. Return 0, or the exit code if something stays."""
    try:
        await until_signal(remove_made(api, ledger, terminal))
    except (InterruptedRunError, CbrError) as error:
        if isinstance(error, CbrError):
            terminal.tell(f"cleaning up failed: {error}")
        for entry in ledger.entries:
            terminal.tell(f"STILL THERE: {entry}")
        terminal.tell("make live-clean goes on with that; it costs as long as it is there")
        return LEFT_OVER
    return DONE


async def run_suite(
    api: ObservedClient, environ: Mapping[str, str], directory: Path, ledger: Ledger
) -> int:
    """Plan, ask, run and clean up; return the exit code."""
    terminal = Terminal()
    wanted = Wanted.load(environ)
    plan = await make_plan(api, wanted)
    terminal.tell(plan.cost())
    if environ.get("LIVE_CONFIRM") != "yes":
        terminal.tell("Nothing was begun. To go on: LIVE_CONFIRM=yes make live ...")
        return NOT_BEGUN
    where = f"{plan.source.region} to {plan.destination.region}"
    notes = Notes(directory, where, terminal.tell)
    code = DONE
    try:
        await until_signal(run_steps(api, plan, notes, ledger, terminal))
    except InterruptedRunError as interrupted:
        code = interrupted.code
        terminal.tell(
            "interrupted; cleaning up, a copy under way is waited for (a second interrupt ends "
            "that too, and make live-clean takes it up again)"
        )
    except (CbrError, LiveError) as error:
        code = BROKEN
        terminal.tell(f"ended early: {error}")
    finally:
        code = await clean_up(api, ledger, terminal) or code
    for claim in notes.broken:
        terminal.tell(f"NOT SO: {claim}")
    if notes.unanswered:
        terminal.tell(f"not answered by this run: {', '.join(notes.unanswered)}")
    terminal.tell(f"answers: {directory / 'answers.md'}")
    return code or (BROKEN if notes.broken else DONE)


async def work(directory: Path, ledger: Ledger, environ: Mapping[str, str], *, clean: bool) -> int:
    """Clean up after an earlier run, then run the suite unless only the clean-up is requested."""
    settings = Settings.load(lambda _: None, environ)
    async with ObservedClient(settings) as api:
        if ledger.entries and await clean_up(api, ledger, Terminal()):
            return LEFT_OVER
        if clean:
            Terminal().tell("nothing of an earlier run is left")
            return DONE
        return await run_suite(api, environ, directory, ledger)


def main(arguments: list[str], environ: Mapping[str, str]) -> int:
    """Run the suite, or clean up after an earlier run; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--clean", action="store_true", help="only delete what an earlier run has left"
    )
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    options = parser.parse_args(arguments)
    directory = Path(environ.get("LIVE_DIRECTORY") or ".live")
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with contextlib.closing(Ledger(directory)) as ledger:
            return asyncio.run(work(directory, ledger, environ, clean=options.clean))
    except (BusyError, CbrError, LiveError) as error:
        print(f"live: {error}", file=sys.stderr)
        return NOT_BEGUN
    except KeyboardInterrupt:
        # Only before the first step: later the signal has a handler.
        return SIGNAL_CODES[signal.SIGINT]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
