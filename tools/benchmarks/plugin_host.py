"""The cost and gain of the plugin host against the SDK's plugin, side by side in one run.

``make bench-host`` prints a Markdown table; `results/plugin-host.md` is one such output. Rounds
alternate, so that other load on the machine affects all alike. Medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.e2e.driver import Project, off_host, on_host
from tools.benchmarks.rig import machine, make_project, seconds_of

SLEEP_S = 0.2
PROGRAM = """
import pulumi
from sleeper import Sleeper

for number in range(pulumi.Config().require_int("count")):
    Sleeper(f"sleeper-{number}")
"""
# Importable, so neither plugin has to unpickle code.
SLEEPER = f"""
import time
from pulumi.dynamic import CreateResult, DiffResult, Resource, ResourceProvider

class SleeperProvider(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, id, olds, news):
        return DiffResult(changes=False)

    def create(self, props):
        time.sleep({SLEEP_S})
        return CreateResult("asleep", {{}})

class Sleeper(Resource):
    def __init__(self, name):
        super().__init__(SleeperProvider(), name, {{}})
"""


def time_up(project: Project, count: int, parallel: int) -> float:
    """Return the seconds in which `up` creates this many resources, then destroy them."""
    project.configure({"bench:count": count})
    seconds = seconds_of(lambda: project.up("--parallel", str(parallel)))
    project.destroy()
    return seconds


def time_preview(project: Project) -> float:
    """Return the seconds of a preview of one existing resource."""
    return seconds_of(project.preview)


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    few: list[float] = []
    many: list[float] = []
    stock: list[float] = []
    host: list[float] = []
    with tempfile.TemporaryDirectory() as scratch:
        project = make_project(Path(scratch), {"__main__.py": PROGRAM, "sleeper.py": SLEEPER})
        on_host(project)
        for _ in range(rounds):
            few.append(time_up(project, 16, 16))
            many.append(time_up(project, 64, 64))
        project.configure({"bench:count": 1})
        project.up()
        time_preview(project)
        for _ in range(rounds * 2):
            off_host(project)
            stock.append(time_preview(project))
            on_host(project)
            host.append(time_preview(project))
    print(f"{machine()}, {rounds} rounds\n")
    print("| | median | compared |\n|---|---|---|")
    median = statistics.median
    print(f"| host, `up` of 16 creates of {SLEEP_S} s, `--parallel 16` | {median(few):.2f} s | 1 |")
    print(
        f"| host, `up` of 64 creates of {SLEEP_S} s, `--parallel 64` | {median(many):.2f} s "
        f"| {median(many) / median(few):.2f} times |"
    )
    print(f"| SDK's plugin, `preview` of one resource | {median(stock):.2f} s | 0 |")
    # Of pairs: each host run with the SDK's run just before it.
    extra = median([ours - theirs for ours, theirs in zip(host, stock, strict=True)])
    print(f"| host, the same | {median(host):.2f} s | {extra * 1000:+.0f} ms |")


if __name__ == "__main__":
    main()
