"""The cost of importing the package: in the plugin, in a program, and at a plugin's first call.

``make bench-start`` prints a Markdown table; `results/start.md` is one such output. It has the
median CPU time of separate processes, and the packages that were loaded besides ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from dataclasses import dataclass

from tests.e2e.driver import sdk_python
from tools.benchmarks.rig import machine

PULUMI = "import grpc, pulumi.dynamic; from pulumi.runtime.proto import provider_pb2_grpc"
PLUGIN = "import pulumi_huaweicloud_cbr.plugin.servicer"
FIRST_CALL = (
    "from pulumi_huaweicloud_cbr.api import client\n"
    "from pulumi_huaweicloud_cbr.api.auth import choose\n"
    "from pulumi_huaweicloud_cbr.base import clock\n"
    "from pulumi_huaweicloud_cbr.replication import one, submit\n"
    "from pulumi_huaweicloud_cbr.replication.preflight import backup\n"
    "import asyncio, httpx, tenacity\n"
    "httpx.AsyncClient()"
)
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
    Stage("a program beyond that", "import pulumi.dynamic", "import pulumi_huaweicloud_cbr"),
)


def measure(stage: Stage) -> tuple[float, list[str]]:
    """Return the CPU seconds of a stage, and the packages that it loaded."""
    # A user's environment: in the developers', httpx also loads the packages of its command.
    command = [str(sdk_python("3.255.0")), "-c", MEASURE, stage.before, stage.work]
    spent_s, loaded = json.loads(subprocess.check_output(command, text=True, timeout=120))
    return spent_s, loaded


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    print(f"{machine()}, medians of {rounds} rounds\n\n| stage | CPU, ms | loads |\n|---|---|---|")
    for stage in STAGES:
        results = [measure(stage) for _ in range(rounds)]
        spent_ms = statistics.median(spent_s for spent_s, _ in results) * 1000
        others = [name for name in results[0][1] if not name.startswith(("_", "pulumi_"))]
        print(f"| {stage.name} | {spent_ms:.0f} | {', '.join(others)} |")


if __name__ == "__main__":
    main()
