"""The end of a program that Pulumi interrupts: quiet, as for any command that is told to stop.

When an operation fails, Pulumi's language host interrupts the program, which may still wait for the
engine. Python's own handler raises `KeyboardInterrupt` there, and a traceback of some 26 lines
stands above the message that tells what failed. Where the command was started with interrupts
ignored (`nohup`, a background job), the host would wait five seconds and then kill the program.
The host and its program have a process group of their own, so Ctrl-C in a terminal reaches neither:
the signal always comes from the host.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

RUNNER = "pulumi-language-python-exec"
"""The script in which Pulumi's language host runs programs."""
EXIT_CODE = 130
"""What a shell tells of a command that ended by this signal."""


def end_quietly_when_interrupted() -> None:
    """Have the program end without a traceback when it is interrupted.

    Only a program that Pulumi runs, and only where nobody has set a handler. A program that sets a
    handler later, or ignores the signal later, overrides this one.
    """
    is_program = any(os.path.basename(word) == RUNNER for word in sys.orig_argv)  # noqa: PTH119
    if (
        is_program
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_IGN)
    ):
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: object) -> None:
    # Not by an exception: what catches all of them in the program, or waits for threads, would go
    # on. Output is not buffered: the language host starts Python with -u.
    os._exit(EXIT_CODE)
