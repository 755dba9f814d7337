"""Limits for the cost of fleets: each of our targets beside its measured value, in one run.

``make bench-targets`` prints a Markdown table; `results/targets.md` is one such output. Seconds are
compared with a floor of the same minutes: as many dynamic resources that do nothing and have the
same state, or one property each. The ideal is the API's latency if requests are always in flight.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pulumi_huaweicloud_cbr.api.transport.pacing import AT_ONCE
from simulator.cloud.specs import CopyScript
from tools.benchmarks.fleet import FORMS, Cell, Form, bare_client, end_copies, fleet, measured, warm
from tools.benchmarks.rig import PluginWatch, machine, pulumi_version, seconds_of
from tools.benchmarks.start import OURS, PLUGIN, PULUMI, Stage

LATENCY_MS = 200.0
LATENCY_S = LATENCY_MS / 1000
ENGINES_CALLS = 8
"""The engine's default: four for each of two cores (`pulumi up --help`, --parallel)."""
LIMIT_HZ = 20
THROTTLED = 500
WAITS_S = (20.0, 80.0)
WAIT_INTERVAL_S = 1.0


@dataclass(frozen=True)
class Finding:
    """One target, and its measured value."""

    what: str
    measured: float
    limit: float
    how: str

    def row(self) -> str:
        """Return a line of the table."""
        verdict = "yes" if self.measured <= self.limit else "**no**"
        return f"| {self.what} | {self.how} | {self.measured:.2f} | {self.limit:g} | {verdict} |"


Tell = Callable[[str], None]


def side_by_side(
    name: str, size: int, latency_ms: float, rounds: int, tell: Tell
) -> tuple[Cell, Cell]:
    """Measure a form and its floor in turn."""
    cell, beside = Cell(), Cell()
    for number in range(rounds):
        tell(f"{name}, {size}, {latency_ms:g} ms, round {number + 1} of {rounds}")
        floor = must(measured(FORMS[name], size, latency_ms, cell, tell))
        must(measured(floor, size, latency_ms, beside, tell))
    return cell, beside


def must(form: Form | None) -> Form:
    """Return the results; end if a command failed, which was reported."""
    if form is None:
        raise SystemExit(1)
    return form


def of(cell: Cell, step: str = "up") -> float:
    """Return the median seconds of a step."""
    return statistics.median(cell.seconds[step])


def per_replica(cell: Cell, size: int) -> float:
    """Return the number of requests of `up` for each replica."""
    return statistics.median(cell.requests["up"]) / size


ONE_PROPERTY = """
import json, pathlib
from one_property import Idle

for label in json.loads(pathlib.Path("fleet.json").read_text())["backups"]:
    Idle(label)
"""
ONE_PROPERTY_MODULE = """
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, Resource, ResourceProvider

class IdleProvider(ResourceProvider):
    serialize_as_secret_always = False

    def diff(self, id, olds, news):
        return DiffResult(changes=False)

    def create(self, props):
        return CreateResult("idle", {"idle": props["idle"]})

    def read(self, id, props):
        return ReadResult(id, props)

class Idle(Resource):
    def __init__(self, name):
        super().__init__(IdleProvider(), name, {"idle": name})
"""
MANY_SINGLES = 500
SINGLE_BYTES = 1700


def many_singles(rounds: int, tell: Tell) -> Iterator[Finding]:
    """Yield the times of `up` for many single replications against resources that do nothing."""
    idle = Form(ONE_PROPERTY, modules={"one_property.py": ONE_PROPERTY_MODULE})
    for latency_ms, limit in ((0.0, 1.5), (LATENCY_MS, 1.3)):
        cell, beside = Cell(), Cell()
        for number in range(rounds):
            tell(f"{MANY_SINGLES} singles, {latency_ms:g} ms, round {number + 1} of {rounds}")
            must(measured(idle, MANY_SINGLES, latency_ms, beside, tell))
            must(measured(FORMS["single"], MANY_SINGLES, latency_ms, cell, tell))
        ideal_s = MANY_SINGLES * latency_ms / 1000 / ENGINES_CALLS
        yield Finding(
            f"{MANY_SINGLES} single replications go up, {latency_ms:g} ms",
            of(cell) / (of(beside) + ideal_s),
            limit,
            f"{of(cell):.2f} s / ({of(beside):.2f} s of {MANY_SINGLES} that do nothing + "
            f"{ideal_s:.2f} s ideal)",
        )
        if not latency_ms:
            state_bytes = statistics.median(cell.state_bytes) / MANY_SINGLES
            yield Finding("bytes of each in the state", state_bytes, SINGLE_BYTES, "file / number")


def sets(rounds: int, tell: Tell) -> Iterator[Finding]:
    """Yield the times of `up` for sets, and of a preview without changes."""
    middle, floor = side_by_side("set", 500, LATENCY_MS, rounds, tell)
    large, _ = side_by_side("set", 1000, LATENCY_MS, rounds, tell)
    one_s, thousand_s = (preview_s(size, rounds, tell) for size in (1, 1000))
    ideal_s = 500 * LATENCY_S / AT_ONCE
    yield Finding(
        "a set of 500 goes up",
        of(middle) / (of(floor) + ideal_s),
        1.25,
        f"{of(middle):.2f} s / ({of(floor):.2f} s floor + {ideal_s:.2f} s ideal)",
    )
    yield Finding("requests for each of its members", per_replica(middle, 500), 1.1, "journal")
    yield Finding(
        "a set of 1,000 against one of 500",
        of(large) / of(middle),
        2.0,
        f"{of(large):.2f} s / {of(middle):.2f} s",
    )
    yield Finding(
        "preview without changes, a set of 1,000 against one of 1",
        thousand_s / one_s,
        1.3,
        f"{thousand_s:.2f} s / {one_s:.2f} s",
    )


def preview_s(size: int, rounds: int, tell: Tell) -> float:
    """Return the time of a preview without changes; several run in turn."""
    tell(f"previews of a set, {size}, {LATENCY_MS:g} ms")
    with fleet(FORMS["set"], size) as (simulator, project):
        warm(simulator)
        simulator.control.change_options(latency_ms=LATENCY_MS)
        project.up()
        end_copies(simulator)
        return statistics.median(
            seconds_of(lambda: project.preview("--expect-no-changes"))
            for _ in range(2 * rounds + 1)
        )


def singles(rounds: int, tell: Tell) -> Iterator[Finding]:
    """Yield the times of `up` for single replications, many and one."""
    many, floor = side_by_side("single", 100, LATENCY_MS, rounds, tell)
    ideal_s = 100 * LATENCY_S / ENGINES_CALLS
    yield Finding(
        "100 single replications go up",
        of(many) / (of(floor) + ideal_s),
        1.3,
        f"{of(many):.2f} s / ({of(floor):.2f} s floor + {ideal_s:.2f} s ideal)",
    )
    yield Finding("requests for each of them", per_replica(many, 100), 1.25, "journal")
    # One takes only a second or two, so it needs more rounds.
    one, least = side_by_side("single", 1, 0.0, 4 * rounds - 1, tell)
    answers_s = statistics.median(one.requests["up"]) * bare_answer_s()
    # Each is compared with the floor of its own round: the machine's speed varies.
    pairs = zip(one.seconds["up"], least.seconds["up"], strict=True)
    beyond_s = statistics.median(took_s - floor_s for took_s, floor_s in pairs)
    yield Finding(
        "our own share of one `up`, ms",
        (beyond_s - answers_s) * 1000,
        150.0,
        f"{beyond_s:.3f} s beyond the floor's {of(least):.3f} s - {answers_s:.3f} s that the "
        "simulator takes",
    )


def bare_answer_s() -> float:
    """Return the time in which a client that does nothing else reads a backup, without latency."""
    with fleet(FORMS["single"], 1) as (simulator, _), bare_client(simulator) as (client, backup):
        path = f"/backups/{backup['id']}"
        client.get(path).raise_for_status()
        return statistics.median(seconds_of(lambda: client.get(path)) for _ in range(21))


def imports(rounds: int, tell: Tell) -> Iterator[Finding]:
    """Yield what the plugin imports besides Pulumi's own modules."""
    tell("imports")
    stage = Stage("plugin", PULUMI, PLUGIN)
    spent_s = statistics.median(OURS.measure(stage)[0] for _ in range(2 * rounds + 1))
    yield Finding("imports of the plugin beyond pulumi's, ms", spent_s * 1000, 250.0, "CPU time")


def throttled(_: int, tell: Tell) -> Iterator[Finding]:
    """Yield the time of `up` for a set if the service allows few calls."""
    tell(f"set, {THROTTLED}, {LIMIT_HZ} calls a second")
    with fleet(FORMS["set"], THROTTLED) as (simulator, project):
        project.preview()
        simulator.control.clear_journal()
        simulator.control.change_options(
            latency_ms=LATENCY_MS, rate_limit={"calls": LIMIT_HZ, "seconds": 1}
        )
        took_s = seconds_of(project.up)
        journal = simulator.control.journal()
        done = len(simulator.control.records())
    refused = [entry["time"] for entry in journal if entry["status"] == 429]
    least_s = (len(journal) - len(refused)) / LIMIT_HZ
    yield Finding(
        f"a set of {THROTTLED} at {LIMIT_HZ} calls a second",
        took_s / least_s,
        1.3,
        f"{took_s:.1f} s / {least_s:.1f} s ideal, {done} done",
    )
    yield Finding(
        "calls refused meanwhile, of those accepted",
        len(refused) / (len(journal) - len(refused)),
        0.1,
        f"{len(refused)} of {len(journal)}",
    )
    yield Finding("members lost", THROTTLED - done, 0, "records in the simulator")


WAIT_FOR_SET = """
import json, pathlib
import pulumi_huaweicloud_cbr as cbr

fleet = json.loads(pathlib.Path("fleet.json").read_text())
copies = cbr.BackupReplicationSet(
    "fleet", cbr.BackupReplicationSetArgs(backups=fleet["backups"], **fleet["to"])
)
cbr.ReplicationsComplete(
    "all-there", cbr.ReplicationsCompleteArgs(replications=[copies], poll_interval=%s)
)
"""


@dataclass(frozen=True)
class Waited:
    """The results of one wait: `beyond_s` is from the end of the last copy to the last poll."""

    beyond_s: float
    lists_per_look: float
    peak_mb: float


def waiting(rounds: int, tell: Tell) -> Iterator[Finding]:
    """Yield the cost of waiting for 1,000 copies: time, requests, memory."""
    waits: dict[float, list[Waited]] = {copy_s: [] for copy_s in WAITS_S}
    for number in range(rounds):
        for copy_s, done in waits.items():
            tell(f"waiting for 1,000 copies of {copy_s:g} s, round {number + 1} of {rounds}")
            done.append(wait_once(copy_s))
    everything = [waited for done in waits.values() for waited in done]
    yield Finding(
        "lists for each look at 1,000 copies",
        max(waited.lists_per_look for waited in everything),
        1.0,
        "journal: lists with the same offset",
    )
    beyond_s = max(waited.beyond_s for waited in everything)
    yield Finding(
        "time beyond the last copy's end, in intervals",
        beyond_s / WAIT_INTERVAL_S,
        2.0,
        f"{beyond_s:.1f} s, the longest of {len(everything)}",
    )
    short_mb, long_mb = (
        statistics.median(waited.peak_mb for waited in done) for done in waits.values()
    )
    yield Finding(
        "memory of a wait four times as long",
        long_mb / short_mb,
        1.05,
        f"{long_mb:.1f} MB / {short_mb:.1f} MB",
    )


def wait_once(copy_s: float) -> Waited:
    """Copy 1,000 backups with this duration, and wait for them."""
    form = Form(WAIT_FOR_SET % WAIT_INTERVAL_S, CopyScript(seconds=copy_s))
    with fleet(form, 1000) as (simulator, project):
        with PluginWatch(project) as watch:
            project.up()
        posted = simulator.control.journal(operation="CopyBackup")
        lists = simulator.control.journal(operation="ListBackups")
    last_end = max(entry["time"] for entry in posted) + copy_s
    first_pages = sum("offset=1000" not in str(entry["query"]) for entry in lists)
    return Waited(
        max(entry["time"] for entry in lists) - last_end, len(lists) / first_pages, watch.peak_mb
    )


PARTS = {
    "imports": imports,
    "singles": singles,
    "many": many_singles,
    "sets": sets,
    "throttled": throttled,
    "waiting": waiting,
}


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.targets", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    options = parser.parse_args()

    def tell(line: str) -> None:
        print(line, file=sys.stderr, flush=True)

    lines = ["| target | from | measured | at most | holds |", "|---|---|---|---|---|"]
    for name in options.parts.split(","):
        for finding in PARTS[name](options.rounds, tell):
            tell(finding.row())
            lines.append(finding.row())
    print(f"{machine()}, {pulumi_version()}, medians of {options.rounds} rounds, API latency")
    print(f"{LATENCY_MS:g} ms where nothing else is said; up to {AT_ONCE} requests under way.\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
