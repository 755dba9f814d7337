"""Of the processes that a killed CLI leaves, only its own language host is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from pulumi_huaweicloud_cbr.plugin.leftover_hosts import end_language_hosts

ENGINE = "127.0.0.1:4242"


def process(folder: Path, number: int, *words: str) -> None:
    """Add a process to the list."""
    (folder / str(number)).mkdir()
    (folder / str(number) / "cmdline").write_bytes("\0".join([*words, ""]).encode())


def test_only_the_language_host_of_the_dead_engine_is_ended(tmp_path: Path) -> None:
    """Not another engine's host, nor a program that names the address, nor an ended one."""
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as host:
        process(tmp_path, host.pid, "/opt/pulumi-language-python", "-root=/p", ENGINE)
        process(tmp_path, os.getpid(), "/opt/pulumi-language-python", "127.0.0.1:4243")
        process(tmp_path, os.getppid(), "curl", ENGINE)
        process(tmp_path, 2**22 + 1, "pulumi-language-nodejs", ENGINE)
        (tmp_path / "7").mkdir()

        ended = end_language_hosts(ENGINE, tmp_path)

        assert [host.pid] == ended
        assert -signal.SIGTERM == host.wait(60)


def test_without_a_list_of_processes_nothing_happens(tmp_path: Path) -> None:
    """Other systems list their processes differently."""
    assert [] == end_language_hosts(ENGINE, tmp_path / "none")


def test_own_process_is_no_language_host() -> None:
    """The real list is read, and contains no language host for us."""
    assert [] == end_language_hosts(ENGINE)
