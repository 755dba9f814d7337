"""The cost of importing the package: in the plugin, in a program, and at a plugin's first call.

``make bench-start`` prints a Markdown table; `results/start.md` is one such output. It has the
median CPU time of separate processes, and the packages that were loaded besides ours. With
``BENCH_ARGS="--against PYTHON"``, an environment with another version, both run in turns.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
from dataclasses import dataclass

from tests.e2e.driver import sdk_python
from tools.benchmarks.rig import machine

PULUMI = "import grpc, pulumi.dynamic; from pulumi.runtime.proto import provider_pb2_grpc"
PLUGIN = (
    "import pulumi_huaweicloud_cbr.plugin.servicer\n"
    "import pulumi_huaweicloud_cbr.resources.backup_replication"
)
FIRST_CALL = (
    "from pulumi_huaweicloud_cbr.api import client\n"
    "from pulumi_huaweicloud_cbr.api.auth import choose\n"
    "from pulumi_huaweicloud_cbr.base import clock\n"
    "from pulumi_huaweicloud_cbr.replication import one, submit\n"
    "from pulumi_huaweicloud_cbr.replication.preflight import backup\n"
    "import asyncio, httpx, tenacity\n"
    "httpx.AsyncClient()"
)
PROGRAM = (
    "import pulumi_huaweicloud_cbr as cbr\n"
    "cbr.get_backups, cbr.BackupReplicationSet, cbr.ReplicationsComplete"
)
"""What a program of a rolling set takes of the package: names load their modules at first use."""
MEASURE = """
import json, sys, time
exec(sys.argv[1])
known = set(sys.modules)
started = time.process_time()
exec(sys.argv[2])
spent_s = time.process_time() - started
loaded = {name.partition(".")[0] for name in set(sys.modules) - known}
print(json.dumps([spent_s, sorted(loaded - sys.stdlib_module_names)]))
"""


@dataclass(frozen=True)
class Stage:
    """A module that is imported after another one."""

    name: str
    before: str
    work: str


STAGES = (
    Stage("Pulumi's own, in a plugin", "", PULUMI),
    Stage("the plugin beyond that", PULUMI, PLUGIN),
    Stage("a plugin's first call", f"{PULUMI}\n{PLUGIN}", FIRST_CALL),
    Stage("Pulumi's own, in a program", "", "import pulumi, pulumi.dynamic"),
    Stage("a program beyond that", "import pulumi.dynamic", PROGRAM),
)


@dataclass(frozen=True)
class Environment:
    """A user's environment: in the developers', httpx also loads the packages of its command."""

    heading: str
    python: str

    def measure(self, stage: Stage) -> tuple[float, list[str]]:
        """Return the CPU seconds of a stage, and the packages that it loaded.

        Raises:
            subprocess.CalledProcessError: its package has no such modules.
        """
        command = [self.python, "-c", MEASURE, stage.before, stage.work]
        printed = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True
        ).stdout
        spent_s, loaded = json.loads(printed)
        return spent_s, loaded

    def try_stage(self, stage: Stage) -> float:
        """Return the CPU seconds of a stage; not a number if its package has no such modules."""
        try:
            return self.measure(stage)[0]
        except subprocess.CalledProcessError:
            return math.nan


OURS = Environment("CPU, ms", str(sdk_python("3.255.0")))


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--against", metavar="PYTHON", help="with another version, to compare")
    options = parser.parse_args()
    compared = [Environment("the other's, ms", options.against)] if options.against else []
    columns = [OURS, *compared]
    print(f"{machine()}, medians of {options.rounds} rounds\n")
    print(f"| stage | {' | '.join(column.heading for column in columns)} | loads |")
    print(f"|---|{'---|' * len(columns)}---|")
    for stage in STAGES:
        loaded = [name for name in OURS.measure(stage)[1] if not name.startswith(("_", "pulumi_"))]
        rounds = [[one.try_stage(stage) * 1000 for one in columns] for _ in range(options.rounds)]
        medians = [f"{statistics.median(spent):.0f}" for spent in zip(*rounds, strict=True)]
        print(f"| {stage.name} | {' | '.join(medians)} | {', '.join(loaded)} |")


if __name__ == "__main__":
    main()
