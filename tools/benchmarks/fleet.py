"""The cost of fleets: one resource for each backup, one for many, one for an entire vault.

``make bench`` prints Markdown tables; `results/fleet.md` is one such output. Beside each form, a
table shows its floor: as many dynamic resources that do nothing. They have the inputs and outputs
that the form leaves in the state. The difference is the cost of this package and of the API. Copies
end between `up` and the next command, deletions immediately.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from simulator.cloud.specs import CopyScript, Options
from simulator.testing import SimulatorProcess
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.e2e.driver import Project, connection, on_host
from tools.benchmarks.rig import PluginWatch, machine, make_project, pulumi_version, seconds_of

SINGLE = """
import json, pathlib
import pulumi_huaweicloud_cbr as cbr

fleet = json.loads(pathlib.Path("fleet.json").read_text())
for label, backup_id in fleet["backups"].items():
    cbr.BackupReplication(label, cbr.BackupReplicationArgs(backup_id=backup_id, **fleet["to"]))
"""
SET = """
import json, pathlib
import pulumi_huaweicloud_cbr as cbr

fleet = json.loads(pathlib.Path("fleet.json").read_text())
cbr.BackupReplicationSet(
    "fleet", cbr.BackupReplicationSetArgs(backups=fleet["backups"], **fleet["to"])
)
"""
VAULT = """
import json, pathlib
import pulumi_huaweicloud_cbr as cbr

fleet = json.loads(pathlib.Path("fleet.json").read_text())
cbr.VaultReplication("fleet", cbr.VaultReplicationArgs(vault_id=fleet["vault"], **fleet["to"]))
"""
WAIT = """
import json, pathlib
import pulumi_huaweicloud_cbr as cbr

fleet = json.loads(pathlib.Path("fleet.json").read_text())
replications = [
    cbr.BackupReplication(label, cbr.BackupReplicationArgs(backup_id=backup_id, **fleet["to"]))
    for label, backup_id in fleet["backups"].items()
]
cbr.ReplicationsComplete(
    "all-there", cbr.ReplicationsCompleteArgs(replications=replications)
)
"""
# Importable, so the plugin has no code to unpickle.
IDLE_MODULE = """
import json, pathlib
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

def recorded():
    return json.loads(pathlib.Path(__file__).with_name("recorded.json").read_text())

class IdleProvider(ResourceProvider):
    serialize_as_secret_always = False
    outputs = None

    def diff(self, id, olds, news):
        return DiffResult(changes=False)

    def create(self, props):
        if IdleProvider.outputs is None:
            IdleProvider.outputs = {name: row["outputs"] for name, row in recorded().items()}
        return CreateResult("idle", IdleProvider.outputs[props["idle"]])

    def read(self, id, props):
        return ReadResult(id, props)

class Idle(Resource):
    def __init__(self, name, inputs):
        super().__init__(IdleProvider(), name, {**inputs, "idle": name})
"""
IDLE = """
from idle import Idle, recorded

for name, row in recorded().items():
    Idle(name, row["inputs"])
"""
STEPS = ("up", "preview", "refresh", "destroy")
COPY_S = 10.0
"""The duration of each copy if waiting is measured."""
LONG_COPY_S = 3600.0
"""Otherwise no copy ends during `up`, and all have ended after it: the clock is advanced."""
MANY = 500
"""From this number on there is only one round, as each takes minutes."""


Recorded = dict[str, dict[str, Any]]
"""Inputs and outputs of resources in a state, by name."""


@dataclass(frozen=True)
class Form:
    """A way to declare a fleet, and its known properties."""

    program: str
    copies: CopyScript = field(default_factory=lambda: CopyScript(seconds=LONG_COPY_S))
    recorded: Recorded = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)
    """More files of the program, by name."""


FORMS = {
    "single": Form(SINGLE),
    "set": Form(SET),
    "vault": Form(VAULT),
    "wait": Form(WAIT, CopyScript(seconds=COPY_S)),
}
FLOOR = "floor of "


def floor_of(project: Project) -> Form:
    """Return the floor form that leaves the same state as a project, and does nothing."""
    recorded = {
        row["urn"].rsplit("::", 1)[1]: {
            key: {name: value for name, value in row[key].items() if name != "__provider"}
            for key in ("inputs", "outputs")
        }
        for row in project.deployment()["resources"]
        if row["type"].startswith("pulumi-python:dynamic")
    }
    return Form(IDLE, recorded=recorded)


@dataclass
class Cell:
    """The results for one form, size and latency; lists have a value for each round."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})
    requests: dict[str, list[int]] = field(default_factory=lambda: {step: [] for step in STEPS})
    state_bytes: list[int] = field(default_factory=list)
    up_cpu_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0

    def median(self, step: str) -> float | None:
        """Return the median of a step, if it was measured."""
        return statistics.median(self.seconds[step]) if self.seconds[step] else None


Results = dict[tuple[str, int, float], Cell]


@contextmanager
def fleet(form: Form, size: int) -> Iterator[tuple[SimulatorProcess, Project]]:
    """A project of a form on the plugin host, and a simulator with this many backups."""
    world = fleet_world(size, copy=form.copies, options=Options(deletion_seconds=0.0))
    source, destination = world.vaults
    description = {
        "backups": {backup.name: backup.id for backup in world.backups},
        "vault": source.id,
        "to": {
            "destination_region": destination.region,
            "destination_vault_id": destination.id,
        },
    }
    files = {
        "__main__.py": form.program,
        "idle.py": IDLE_MODULE,
        "fleet.json": json.dumps(description),
        "recorded.json": json.dumps(form.recorded),
        **form.modules,
    }
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "simulator").mkdir()
        with SimulatorProcess(Path(scratch) / "simulator", world) as simulator:
            project = make_project(Path(scratch), files)
            project.environment["HW_USER_PASSWORD"] = FLEET_PASSWORD
            project.configure(
                {
                    **connection(simulator),
                    "huaweicloud:userName": FLEET_USER,
                    "huaweicloud:domainName": FLEET_ACCOUNT,
                }
            )
            yield simulator, on_host(project)


@contextmanager
def bare_client(simulator: SimulatorProcess) -> Iterator[tuple[httpx.Client, dict[str, Any]]]:
    """A client that only sends, with a token for the source, and an existing backup."""
    backup = simulator.control.state()["backups"][0]
    user = {"name": FLEET_USER, "password": FLEET_PASSWORD, "domain": {"name": FLEET_ACCOUNT}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"id": backup["project_id"]}}
    where = f"{simulator.url}/regions/{backup['region']}/v3"
    with httpx.Client(base_url=where, trust_env=False) as client:
        signed_in = client.post(
            "/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
        )
        client.headers["X-Auth-Token"] = signed_in.headers["X-Subject-Token"]
        client.base_url = httpx.URL(f"{where}/{backup['project_id']}")
        yield client, backup


def warm(simulator: SimulatorProcess) -> None:
    """Let a new simulator answer each request once: the first time is much slower."""
    with bare_client(simulator) as (client, backup):
        client.get("/replication-capabilities").raise_for_status()
        client.get(f"/vaults/{backup['vault_id']}").raise_for_status()
        client.get("/backups", params={"vault_id": backup["vault_id"]}).raise_for_status()
        client.get(f"/backups/{backup['id']}").raise_for_status()
        place = {
            "destination_region": "nowhere",
            "destination_project_id": backup["project_id"],
            "destination_vault_id": backup["vault_id"],
        }
        refused = client.post(f"/backups/{backup['id']}/replicate", json={"replicate": place})
        if not refused.is_client_error:
            raise RuntimeError(f"a copy to nowhere was answered {refused.status_code}")


def children_cpu_s() -> float:
    """Return the CPU time of all ended child processes; the simulator still runs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure_round(simulator: SimulatorProcess, project: Project, cell: Cell) -> Form:
    """Create, preview, refresh and destroy the fleet once; return its floor."""
    work: dict[str, Callable[[], object]] = {
        "up": project.up,
        "preview": lambda: project.preview("--expect-no-changes"),
        "refresh": project.refresh,
        "destroy": project.destroy,
    }
    floor = Form(IDLE)
    for step in STEPS:
        simulator.control.clear_journal()
        spent_s = children_cpu_s()
        with PluginWatch(project) as watch:
            cell.seconds[step].append(seconds_of(work[step]))
        cell.peak_mb = max(cell.peak_mb, watch.peak_mb)
        cell.requests[step].append(sum(simulator.control.journal_counts().values()))
        if step == "up":
            cell.up_cpu_s.append(children_cpu_s() - spent_s)
            cell.state_bytes.append(len(json.dumps(project.deployment(), separators=(",", ":"))))
            floor = floor_of(project)
            end_copies(simulator)
    return floor


def end_copies(simulator: SimulatorProcess) -> None:
    """Advance the clock until all copies have ended."""
    simulator.control.advance(2 * LONG_COPY_S)
    # The simulator ends copies at the next request: that must not be a measured one.
    simulator.control.records()


def measure(
    names: list[str],
    sizes: list[int],
    latencies: list[float],
    rounds: int,
    tell: Callable[[str], None],
) -> Results:
    """Measure all requested forms, each followed by its floor."""
    results: Results = {}
    for size in sizes:
        for name in names:
            floor: Form | None = None
            for latency in latencies:
                cell = results[name, size, latency] = Cell()
                for number in range(1 if size >= MANY else rounds):
                    tell(f"{name}, {size}, {latency:g} ms, round {number + 1}")
                    floor = measured(FORMS[name], size, latency, cell, tell) or floor
            if floor is None:
                continue
            # A floor sends no requests.
            cell = results[FLOOR + name, size, latencies[0]] = Cell()
            for number in range(1 if size >= MANY else rounds):
                tell(f"{FLOOR}{name}, {size}, round {number + 1}")
                measured(floor, size, latencies[0], cell, tell)
    return results


def measured(
    form: Form, size: int, latency: float, cell: Cell, tell: Callable[[str], None]
) -> Form | None:
    """Measure one round, and return the floor; None if a command failed."""
    # Each round starts from nothing: a backup that was copied before needs other requests.
    with fleet(form, size) as (simulator, project):
        warm(simulator)
        simulator.control.change_options(latency_ms=latency)
        try:
            return measure_round(simulator, project, cell)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            tell(f"given up: {str(error)[:2000]}")
            return None


def rows(results: Results, sizes: list[int], latencies: list[float]) -> Iterator[str]:
    """Yield the table's lines."""
    steps = " | ".join(f"`{step}`, s" for step in STEPS)
    yield (
        f"| form | replicas | latency, ms | {steps} | `up` above the floor, s | CPU of `up`, s "
        f"| requests per replica: {' / '.join(STEPS)} | state, kB | plugin's peak, MB |"
    )
    yield "|" + "---|" * (8 + len(STEPS))
    for size in sizes:
        for name in FORMS:
            floor = results.get((FLOOR + name, size, latencies[0]))
            if floor is not None:
                yield row(FLOOR + name, size, None, floor, None)
            for latency in latencies:
                cell = results.get((name, size, latency))
                if cell is not None:
                    yield row(name, size, latency, cell, floor)


def row(name: str, size: int, latency: float | None, cell: Cell, floor: Cell | None) -> str:
    """Return one line of the table; a floor has no latency."""
    medians = [cell.median(step) for step in STEPS]
    took, least = cell.median("up"), floor.median("up") if floor else None
    ours = "" if took is None or least is None else f"{took - least:.2f}"
    requests = " / ".join(
        f"{statistics.median(counts) / size:.2f}" if (counts := cell.requests[step]) else "-"
        for step in STEPS
    )
    return (
        f"| {name} | {size} | {'' if latency is None else f'{latency:g}'} | "
        + " | ".join("-" if value is None else f"{value:.2f}" for value in medians)
        + f" | {ours} | {statistics.median(cell.up_cpu_s or [0]):.2f} "
        f"| {'' if latency is None else requests} "
        f"| {max(cell.state_bytes, default=0) / 1000:.0f} | {cell.peak_mb:.0f} |"
    )


def numbers(text: str) -> list[int]:
    """Return the whole numbers of a list with commas."""
    return [int(part) for part in text.split(",")]


def milliseconds(text: str) -> list[float]:
    """Return the numbers of a list with commas."""
    return [float(part) for part in text.split(",")]


def forms(text: str) -> list[str]:
    """Return the names of a list with commas."""
    chosen = text.split(",")
    if unknown := set(chosen) - set(FORMS):
        raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none of {', '.join(FORMS)}")
    return [name for name in FORMS if name in chosen]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.fleet", description=__doc__)
    parser.add_argument("--forms", type=forms, default=list(FORMS), help="such as single,set")
    parser.add_argument("--sizes", type=numbers, default=[1, 10, 100, 500, 1000])
    parser.add_argument("--latencies", type=milliseconds, default=[0.0, 50.0, 200.0])
    parser.add_argument("--rounds", type=int, default=3, help=f"one from {MANY} replicas on")
    options = parser.parse_args()

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    results = measure(options.forms, options.sizes, options.latencies, options.rounds, tell)
    command = " ".join(sys.argv[1:])
    print(f"`{f'python -m tools.benchmarks.fleet {command}'.strip()}`\n")
    print(f"{machine()}, {pulumi_version()}, medians of {options.rounds} rounds (one from {MANY}")
    print(f"replicas on). With `wait`, each copy takes {COPY_S:g} s, which `up` waits for.\n")
    print("\n".join(rows(results, options.sizes, options.latencies)))


if __name__ == "__main__":
    main()
