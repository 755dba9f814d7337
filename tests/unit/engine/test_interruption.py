"""A program that Pulumi interrupts ends without a traceback; other handlers stay."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.engine.interruption import RUNNER

RUN = """
import runpy, sys
runpy.run_path(sys.argv[1], run_name="__main__")
"""
# The waiting code catches all exceptions, as frameworks do.
WAIT = """
import os, signal, time
try:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
except BaseException as error:
    print("caught", type(error).__name__)
    raise
"""
IMPORT = "import pulumi_huaweicloud_cbr\n"
OWN = "import signal\nsignal.signal(signal.SIGINT, lambda *_: (print('mine'), exit(7)))\n"
IN_THREAD = """
import importlib, threading
one = threading.Thread(target=importlib.import_module, args=["pulumi_huaweicloud_cbr"])
one.start()
one.join()
"""


def interrupted(
    tmp_path: Path,
    program: str,
    runner: str = RUNNER,
    inherited: Any = signal.default_int_handler,
) -> tuple[int, str, str]:
    """Run a program that interrupts itself. Return its exit code and its output."""
    (tmp_path / runner).write_text(RUN)
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-u", tmp_path / runner, tmp_path / "program.py"],
        capture_output=True,
        text=True,
        check=False,
        # The tests themselves may have been started with the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, inherited),
    )
    return done.returncode, done.stdout, done.stderr


def test_program_of_pulumi_ends_quietly(tmp_path: Path) -> None:
    """Nothing is printed above the message that names the failure."""
    assert (130, "", "") == interrupted(tmp_path, IMPORT + WAIT)


@pytest.mark.parametrize("program", [OWN + IMPORT + WAIT, IMPORT + OWN + WAIT])
def test_handler_of_the_program_stays(tmp_path: Path, program: str) -> None:
    """It may have been set before the import or after it."""
    code, printed, told = interrupted(tmp_path, program)

    assert (7, "mine") == (code, printed.split()[0])
    assert "Traceback" not in told


def test_program_that_inherits_an_ignored_interrupt_ends_too(tmp_path: Path) -> None:
    """After `nohup` the host would wait five seconds for it in each `up` that fails."""
    outcome = interrupted(tmp_path, IMPORT + WAIT, inherited=signal.SIG_IGN)

    assert (130, "", "") == outcome


def test_program_that_ignores_interrupts_continues(tmp_path: Path) -> None:
    """Its decision after the import counts."""
    ignore = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    go_on = "import os\nos.kill(os.getpid(), signal.SIGINT)\nprint('on')\n"

    assert (0, "on\n", "") == interrupted(tmp_path, IMPORT + ignore + go_on)


@pytest.mark.parametrize(
    ("program", "runner"),
    [(IMPORT + WAIT, "something-else"), (WAIT, RUNNER), (IN_THREAD + WAIT, RUNNER)],
    ids=["another runner", "without the package", "imported by a thread"],
)
def test_other_programs_are_left_alone(tmp_path: Path, program: str, runner: str) -> None:
    """Python does as usual."""
    code, printed, told = interrupted(tmp_path, program, runner)

    assert -signal.SIGINT == code
    assert "caught KeyboardInterrupt\n" == printed
    assert "Traceback" in told


def test_this_process_is_left_alone() -> None:
    """Tests, commands and the plugin are not programs of Pulumi."""
    handler = signal.getsignal(signal.SIGINT)

    assert handler in (signal.default_int_handler, signal.SIG_IGN)
