"""What `report` costs for 5,000 backups in three regions, with 200 ms for each call.

``make bench-report`` prints a Markdown table; `results/report.md` is one such output. The world is
one of those whose figures a test compares with the database.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from simulator.testing import SimulatorProcess
from tests.contract.reporting import SOURCES, empty_world, make_world, use_state_of
from tools.benchmarks.rig import machine

LATENCY_MS = 200.0
# A process counts the memory of the one that started it, so a small one starts the command.
_MEASURED = """\
import os, resource, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
sys.stderr.write(f"\\n{usage.ru_maxrss} {usage.ru_utime + usage.ru_stime}")
sys.exit(os.waitstatus_to_exitcode(status))
"""
_FORMS = ("html", "metrics", "junit")


class Run(NamedTuple):
    """One run: seconds by the clock and of the CPU, the peak memory in MB, and its outcome."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    code: int
    printed: str
    errors: str


def measure(url: str, folder: Path, options: list[str]) -> Run:
    """Run the command once against a simulator."""
    address = f"{url}/regions/{{region}}"
    env = {
        "PATH": os.environ["PATH"],
        "HW_METADATA": "false",
        "HW_REGION_NAME": SOURCES[0],
        "HW_USER_NAME": "reporter",
        "HW_USER_PASSWORD": "not-a-secret-report",
        "HW_DOMAIN_NAME": "acme",
        "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
    }
    command = [sys.executable, "-m", "pulumi_huaweicloud_cbr", "report", "--rpo=26h"]
    command += [f"--source={region}" for region in SOURCES]
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *command, *options],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    wall_s = time.perf_counter() - began
    peak_kb, cpu_s = done.stderr.split()[-2:]
    return Run(wall_s, float(cpu_s), int(peak_kb) / 1024, done.returncode, done.stdout, done.stderr)


def main() -> None:
    """Measure the text alone, and all forms."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    rounds = options.parse_args().rounds
    world = make_world(1, servers=40, nights=80)
    count = sum(one.backup_count + one.replica_count for one in world.look().areas)
    print(f"{machine()}, medians of {rounds} rounds, {count:,} backups and replicas\n")
    print("| forms | wall, s | CPU, s | peak memory, MB |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with SimulatorProcess(folder, empty_world(), latency_ms=LATENCY_MS) as simulator:
            use_state_of(world, simulator)
            forms: dict[str, list[str]] = {
                "text": [],
                "all": ["--all", *(f"--{one}={folder / one}" for one in _FORMS)],
            }
            for title, given in forms.items():
                runs = [measure(simulator.url, folder, given) for _ in range(rounds)]
                wall_s = statistics.median(run.wall_s for run in runs)
                cpu_s = statistics.median(run.cpu_s for run in runs)
                peak_mb = statistics.median(run.peak_mb for run in runs)
                print(f"| {title} | {wall_s:.1f} | {cpu_s:.1f} | {peak_mb:.0f} |")
    world.simulator.close()


if __name__ == "__main__":
    main()
