"""`report` as a user runs it: for a stack of the real CLI, and for an account of thousands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from simulator.testing import Control, SimulatorProcess
from tests.contract.reporting import SOURCES, empty_world, make_world, use_state_of
from tests.e2e.driver import COMMAND_LIMIT_S, MakeProject, Outcome, Project, ci

COMMAND = ("-m", "pulumi_huaweicloud_cbr", "report")
MOST_MB = 150
MEASURED = """\
import os, resource, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
open("peak", "w").write(str(usage.ru_maxrss))
sys.exit(os.waitstatus_to_exitcode(status))
"""
"""A small process that starts another and notes its peak memory in kB.

A process counts the memory of the one that started it, so that a test's own would count.
"""


def report(project: Project, *options: str) -> Outcome:
    """Run the command on a project's stack."""
    done = subprocess.run(
        [str(project.python), *COMMAND, "--stack", project.stack, *options],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.full
def test_lost_replica_misses_its_objective(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Met after `up`; missed once the replica is gone, in the report and in the nightly drift."""
    project = make_stacks_project([{**erp, "rpo": "9999d", "owner": "dba", "tier": "gold"}])
    project.up()

    met = report(project, "--json")
    (resource,) = [one for one in met.json()["resources"] if one["entries"]]
    assert ("erp-db-01", "met", "dba", "gold", ["erp"]) == (
        resource["name"],
        resource["verdict"],
        resource["owner"],
        resource["tier"],
        resource["entries"],
    )
    assert Exit.DONE == met.code
    (copy,) = [one for one in met.json()["copies"] if one["owner"] == "in_state"]
    assert "test: erp-to-cn-east-3" == copy["held_by"]

    for replica in control.replicas():
        control.forget_backup(replica["id"])
    missed = report(project)

    assert Exit.TO_DO == missed.code
    assert "no usable copy in cn-east-3, want 9999 d" in missed.text
    drift = ci(project, "drift", "--format", "text")
    assert Exit.DIFFERS == drift.code
    assert drift.stdout.startswith("1 replica is LOST, 1 objective is MISSED")
    assert "OBJECTIVE MISSED now: erp-db-01 (gold, dba)" in drift.stdout


@pytest.mark.full
def test_thousands_of_backups_take_little_memory(tmp_path: Path) -> None:
    """5,000 backups at 200 ms for each call, with all files, in less than 150 MB."""
    world = make_world(1, servers=40, nights=80)
    in_process = world.look()
    directory = tmp_path / "simulator"
    directory.mkdir()
    with SimulatorProcess(directory, empty_world(), latency_ms=200) as simulator:
        use_state_of(world, simulator)
        address = f"{simulator.url}/regions/{{region}}"
        env = {
            "PATH": os.environ["PATH"],
            "HW_METADATA": "false",
            "HW_REGION_NAME": SOURCES[0],
            "HW_USER_NAME": "reporter",
            "HW_USER_PASSWORD": "not-a-secret-report",
            "HW_DOMAIN_NAME": "acme",
            "HW_ENDPOINTS": json.dumps({"cbr": address, "iam": address}),
        }
        files = [f"--{name}={tmp_path / name}" for name in ("html", "metrics", "junit")]
        sources = [f"--source={region}" for region in SOURCES]
        measured = (sys.executable, "-c", MEASURED, sys.executable)
        done = subprocess.run(
            [*measured, *COMMAND, "--json", "--rpo=26h", *files, *sources],
            cwd=tmp_path,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_LIMIT_S,
            check=False,
        )
    assert Exit.TO_DO == done.returncode, done.stderr
    told = json.loads(done.stdout)
    assert len(in_process.copies) == len(told["copies"])
    assert in_process.counts["failures"] == told["counts"]["failures"]
    assert {"html", "metrics", "junit"} <= {path.name for path in tmp_path.iterdir()}
    assert int((tmp_path / "peak").read_text()) / 1024 < MOST_MB
    world.simulator.close()
