"""End a program without a traceback when Pulumi interrupts it.

When an operation fails, Pulumi's language host interrupts the program, which may still wait for the
engine. Python's own handler would raise `KeyboardInterrupt`. Its traceback of some 26 lines would
hide the message about the failure. If the command was started with interrupts ignored (`nohup`, a
background job), the host would wait five seconds and then kill the program. The host and its
program have a process group of their own. So Ctrl-C in a terminal reaches neither, and the signal
always comes from the host.

This is about programs only. `session.interrupt_waits` ends the waits of a plugin process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

RUNNER = "pulumi-language-python-exec"
"""The script in which Pulumi's language host runs programs."""
EXIT_CODE = 130
"""The exit code that a shell reports for a command that this signal ended."""


def end_quietly_when_interrupted() -> None:
    """Set a signal handler that ends an interrupted program without a traceback.

    This is only for a program that Pulumi runs, and only if no handler is set. A program that sets
    a handler later, or ignores the signal later, overrides this one.
    """
    is_program = any(os.path.basename(word) == RUNNER for word in sys.orig_argv)  # noqa: PTH119
    if (
        is_program
        and threading.current_thread() is threading.main_thread()
        and signal.getsignal(signal.SIGINT) in (signal.default_int_handler, signal.SIG_IGN)
    ):
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: object) -> None:
    # Not by an exception: a program that catches all of them, or waits for threads, would go on.
    # Output is not buffered: the language host starts Python with -u.
    os._exit(EXIT_CODE)
