"""A rate that several processes share."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.api.transport.shared_rate import VARIABLE, SharedRate

RATE_HZ, PROCESSES, EACH = 100.0, 3, 20
WAITER = f"""
import asyncio, os, time
from pulumi_huaweicloud_cbr.api.transport.shared_rate import shared_rate
from pulumi_huaweicloud_cbr.base.clock import SystemClock

async def wait(clock):
    for _ in range({EACH}):
        await shared_rate(os.environ).wait_for_turn(clock)
        print(time.monotonic())

asyncio.run(wait(SystemClock()))
"""
HOLDER = """
import fcntl, os, sys, time
file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""


@pytest.mark.simulator_only
def test_processes_share_a_rate_though_one_is_killed(tmp_path: Path) -> None:
    """No turn is taken twice, and a killed process that held the lock keeps nobody waiting."""
    rate = SharedRate(RATE_HZ, tmp_path / "acme.rate")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(rate.file)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert "held\n" == holder.stdout.readline()
        started = time.monotonic()
        running = [
            subprocess.Popen(
                [sys.executable, "-c", WAITER],
                env={**os.environ, VARIABLE: str(rate)},
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(PROCESSES)
        ]
        holder.kill()
    printed = [process.communicate()[0] for process in running]

    assert [0] * PROCESSES == [process.returncode for process in running]
    moments = sorted(float(line) for text in printed for line in text.splitlines())
    assert PROCESSES * EACH == len(moments)
    for number, moment in enumerate(moments):
        assert moment >= started + number / RATE_HZ
