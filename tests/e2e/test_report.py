"""`report` as a user runs it: for a stack of the real CLI, and for an account of thousands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from simulator.testing import Control, SimulatorProcess
from tests.contract.reporting import empty_world, make_world, use_state_of
from tests.e2e.driver import MakeProject, ci, ours
from tools.benchmarks.report import measure

MOST_MB = 150


@pytest.mark.full
def test_lost_replica_misses_its_objective(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """Met after `up`; missed once the replica is gone, in the report and in the nightly drift."""
    project = make_stacks_project([{**erp, "rpo": "9999d", "owner": "dba", "tier": "gold"}])
    project.up()

    met = ours(project, "report", "--json")
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
    missed = ours(project, "report")

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
        files = [f"--{name}={tmp_path / name}" for name in ("html", "metrics", "junit")]
        run = measure(simulator.url, tmp_path, ["--json", *files])
    assert Exit.TO_DO == run.code, run.errors
    told = json.loads(run.printed)
    assert len(in_process.copies) == len(told["copies"])
    assert in_process.counts["failures"] == told["counts"]["failures"]
    assert {"html", "metrics", "junit"} <= {path.name for path in tmp_path.iterdir()}
    assert run.peak_mb < MOST_MB
    world.simulator.close()
