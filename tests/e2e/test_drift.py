"""Each cell of the drift table, run with the real CLI: what happens to a replication.

The rows share a stack, and each has two backups and vaults of its own. On one, only `up` runs; on
the other, `refresh`, `preview` and `up` in turn. A refusal ends a command before other rows are
checked, so a refused row gets its own copy of the stack. Two rows run alone: many would share the
requests that distinguish them, or something must be done meanwhile.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.config.settings import Settings
from simulator.cloud.specs import made_uuid
from simulator.testing import DEMO_WORLD, Control, SimulatorProcess
from tests.e2e.conftest import SPEED, new_stacks_project
from tests.e2e.drift import COPIES, DRIFTS, DROPPED, KEPT, NOTHING, SAME, Drift, refused
from tests.e2e.driver import (
    PASSWORD,
    MakeProject,
    Project,
    connection,
    start,
    wait_until,
)
from tests.e2e.programs import BACKUP, VAULT
from tests.e2e.simulators import ForkedSimulator

NAME = "erp-to-cn-east-3"
SOURCE_REGION, REGION = "cn-north-4", "cn-east-3"
PROJECT = ProjectScope(REGION, "863129926600475a959e8f2efb991722")
SOURCE = ProjectScope(SOURCE_REGION, "c6cb0876eaee4f5092d0fdf4c4fc09b3")
MISSING = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
LONG_S = 100_000
LONG_COPY = {"mode": "seconds", "seconds": LONG_S * SPEED}
"""Ends only when the clock is advanced."""
ALONE = ("replica_late", "replica_leaving")
CYCLES = ("plain", "refreshed")
"""`up` alone, or `refresh`, `preview` and `up` in turn."""


@dataclass
class Row:
    """A situation in preparation: a replication with its own backup and vault."""

    drift: Drift
    cycle: str
    simulator: SimulatorProcess
    entry: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        destination = {"region": REGION, "vault_id": self.vault}
        if self.drift.key == "replica_renamed":
            destination["replica_name"] = "erp-dr"
        self.entry = {"name": self.name, "backup_id": self.backup, "destinations": [destination]}

    @property
    def control(self) -> Control:
        """Control of the simulator: what happens in the cloud without us."""
        return self.simulator.control

    @property
    def name(self) -> str:
        """The name of the entry, the backup and the vault."""
        return f"{self.cycle}-{self.drift.key}".replace("_", "-")

    @property
    def resource(self) -> str:
        """The resource's name."""
        return f"{self.name}-to-{REGION}"

    @property
    def backup(self) -> str:
        """The backup's id."""
        return made_uuid("backup", "servers", self.name)

    @property
    def vault(self) -> str:
        """The destination vault's id."""
        return made_uuid("vault", REGION, self.name)

    def record(self) -> dict[str, Any]:
        """The backup's newest record."""
        rows = [row for row in self.control.records() if row["source_backup_id"] == self.backup]
        return rows[-1]

    @property
    def replica(self) -> str:
        """The replica's id."""
        return str(self.record()["destination_backup_id"])

    def script(self, **copy: Any) -> None:
        """Set how copies of the backup end."""
        self.control.change_backup(self.backup, copy=copy)


# -- what happens to a copy that was refreshed -----------------------------------------------


def make_source_expired(row: Row) -> None:
    row.control.forget_backup(row.backup)


def make_source_and_replica_gone(row: Row) -> None:
    make_replica_deleted(row)
    make_source_expired(row)


def make_source_busy(row: Row) -> None:
    row.control.change_backup(row.backup, status="restoring")


def make_replica_deleted(row: Row) -> None:
    row.control.forget_backup(row.replica)


def make_replica_renamed(row: Row) -> None:
    row.control.change_backup(row.replica, name="somebody-elses")


def make_vault_deleted(row: Row) -> None:
    row.control.forget_vault(row.vault)


def make_vault_frozen(row: Row) -> None:
    row.control.change_vault(row.vault, status="frozen")


def make_vault_frozen_replacement(row: Row) -> None:
    make_vault_frozen(row)
    row.entry["description"] = "another"


def make_record_lost(row: Row) -> None:
    row.control.forget_record(row.record()["id"])


SEEN: dict[str, Callable[[Row], None]] = {
    "source_expired": make_source_expired,
    "source_and_replica_gone": make_source_and_replica_gone,
    "source_busy": make_source_busy,
    "replica_deleted": make_replica_deleted,
    "replica_renamed": make_replica_renamed,
    "replica_renamed_freely": make_replica_renamed,
    "vault_deleted": make_vault_deleted,
    "vault_frozen": make_vault_frozen,
    "vault_frozen_replacement": make_vault_frozen_replacement,
    "other_vault_later": make_replica_deleted,
    "record_lost": make_record_lost,
}

# -- what happens to a copy that was not refreshed -------------------------------------------


def make_nothing(_row: Row) -> None:
    """Leave it unchanged; the script of its copy caused the situation."""


def make_copy_possible(row: Row) -> None:
    row.script(mode="immediate")


def make_status_unknown(row: Row) -> None:
    row.control.change_record(row.record()["id"], status="paused")


UNSEEN: dict[str, tuple[dict[str, Any], Callable[[Row], None]]] = {
    "source_deleted_copying": ({"mode": "never"}, make_source_expired),
    "source_deleted_copied": (LONG_COPY, make_source_expired),
    "replica_deleted_unseen": ({}, make_replica_deleted),
    "copy_failed": ({"mode": "immediate", "outcome": "fail"}, make_copy_possible),
    "copy_skipped": ({"mode": "immediate", "outcome": "skip"}, make_copy_possible),
    "record_lost_unseen": ({}, make_record_lost),
    "status_unknown": ({"mode": "never"}, make_status_unknown),
}
"""How the copy ends, and what happens then."""
NEW = ("other_vault_first",)
"""Situations that begin without a copy."""
ELSEWHERE = ("other_vault_first", "other_vault_later")
"""Situations in which somebody else copies to another vault at the end."""


def write_world(path: Path, rows: list[Row]) -> None:
    """Write the demo world's accounts and regions, with a backup and a vault for each row."""
    world = yaml.safe_load(DEMO_WORLD.read_text())
    replicas = {"region": REGION, "protect_type": "replication", "size_gb": 1000}
    world["vaults"] = [
        {"name": "servers", "region": SOURCE_REGION, "size_gb": 10_000},
        *({"name": name, **replicas} for name in ("elsewhere", *(row.name for row in rows))),
    ]
    world["backups"] = [{"name": row.name, "vault": "servers"} for row in rows]
    path.write_text(yaml.safe_dump(world))


def copy_elsewhere(simulator: SimulatorProcess, backups: list[str]) -> None:
    """Copy backups to another vault of the region, as somebody else does."""
    values = {**connection(simulator), "huaweicloud:password": PASSWORD}
    settings = Settings.load(values.get, {})
    vault = made_uuid("vault", REGION, "elsewhere")
    request = ReplicateRequest(REGION, PROJECT.project_id, vault)

    async def copy() -> None:
        async with CbrClient(settings, make_authenticator(settings, SystemClock())) as api:
            for backup in backups:
                await api.replicate_backup(SOURCE, backup, request)

    asyncio.run(copy())
    simulator.control.advance(20_000)


def declare(project: Project, rows: list[Row]) -> None:
    """Declare the rows in the program."""
    project.configure({"cbr-replication:replications": [row.entry for row in rows]})


def bring_about(project: Project, simulator: SimulatorProcess, rows: list[Row]) -> None:
    """Create all situations."""
    control = simulator.control
    seen = [row for row in rows if row.drift.key in SEEN]
    unseen = [row for row in rows if row.drift.key in UNSEEN]
    declare(project, seen)
    project.up()
    control.advance(20_000)
    project.refresh()
    for row in unseen:
        row.script(**UNSEEN[row.drift.key][0])
    declare(project, [*seen, *unseen])
    project.up()
    control.advance(20_000)
    for row in seen:
        SEEN[row.drift.key](row)
    for row in unseen:
        UNSEEN[row.drift.key][1](row)
    control.advance(LONG_S)
    copy_elsewhere(simulator, [row.backup for row in rows if row.drift.key in ELSEWHERE])


# -- the results ---------------------------------------------------------------------------

WRITTEN = {
    (): NOTHING,
    ("CopyBackup",): COPIES,
    ("UpdateBackup",): "renames it back",
}
OPERATIONS = {"create": "create", "update": "update", "replace": "replace"}


@dataclass
class Stage:
    """A stack with some of the rows, and the shared simulator."""

    project: Project
    simulator: SimulatorProcess
    rows: list[Row]

    def part(self, directory: Path, rows: list[Row]) -> Stage:
        """Return a copy of the stack with only these rows."""
        project = new_stacks_project(directory, self.simulator, [])
        for file in (self.project.backend / ".pulumi" / "stacks").rglob("*.json"):
            document = json.loads(file.read_text())
            latest = document["checkpoint"]["latest"]
            others = {row.resource for row in self.rows} - {row.resource for row in rows}
            latest["resources"] = [
                kept for kept in latest["resources"] if kept["urn"].rsplit("::", 1)[1] not in others
            ]
            copy = project.backend / file.relative_to(self.project.backend)
            copy.write_text(json.dumps(document))
        declare(project, rows)
        return Stage(project, self.simulator, rows)

    @contextmanager
    def written(self) -> Iterator[dict[str, str]]:
        """Record the cloud's writes for each row; complete when the block ends."""
        control = self.simulator.control
        before = control.journal()
        # An answered deletion may have removed the replica: its owner is known from before.
        sources = {
            row["destination_backup_id"]: row["source_backup_id"] for row in control.records()
        }
        seen: dict[str, str] = {}
        yield seen
        operations: dict[str, list[str]] = {}
        for entry in control.journal(since=before[-1]["sequence"]):
            if entry["method"] != "GET" and entry["operation"] != "CreateToken":
                source = sources.get(entry["backup_id"], entry["backup_id"])
                operations.setdefault(source, []).append(entry["operation"])
        assert set(operations) <= {row.backup for row in self.rows}
        seen |= {row.drift.key: WRITTEN[tuple(operations.get(row.backup, ()))] for row in self.rows}

    def up(self) -> dict[str, str]:
        """Run `up`. Return its changes to the cloud for each row."""
        with self.written() as seen:
            self.project.up()
        return seen

    def refresh(self) -> dict[str, str]:
        """Run `refresh`. Return the result for each row's resource in the state."""
        before = self.project.state()
        text = self.project.must("refresh", "--yes", "--skip-preview", "--json").stdout
        after = self.project.state()
        events = [json.loads(line).get("diagnosticEvent") or {} for line in text.splitlines()]
        warned = {
            event.get("urn", "").rsplit("::", 1)[-1]
            for event in events
            if event.get("severity") == "warning"
        }
        return {
            row.drift.key: _became(before, after, row.resource, row.resource in warned)
            for row in self.rows
        }

    def preview(self) -> dict[str, str]:
        """Run `preview`; return what it would do for each row."""
        with self.written() as written:
            steps = self.project.must("preview", "--json").json()["steps"]
        assert {NOTHING} == set(written.values())
        planned: dict[str, str] = {}
        for step in steps:
            if step["op"] in OPERATIONS:
                planned.setdefault(step["urn"].rsplit("::", 1)[1], OPERATIONS[step["op"]])
        return {row.drift.key: planned.get(row.resource, SAME) for row in self.rows}

    def refusal(self, *command: str) -> str:
        """Run a command on a single row that is refused. Return the named input."""
        with self.written() as written:
            outcome = self.project.run(*command)
        assert 0 != outcome.code
        assert {NOTHING} == set(written.values())
        (found,) = set(re.findall(r"property (\w+) value .* has a problem", outcome.text))
        return refused(found)


def _became(
    before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]], name: str, is_warned: bool
) -> str:
    if name not in before:
        return "nothing to look at"
    if name not in after:
        return DROPPED
    old, new = (state[name]["outputs"] for state in (before, after))
    shown = [
        f"`{key}: {json.dumps(new[key])}`".replace('"', "")
        for key in ("status", "source_deleted", "name")
        if key in new and new[key] != old.get(key)
    ]
    assert before[name]["id"] == after[name]["id"]
    return ", ".join([KEPT, *shown, *(["a warning"] if is_warned else [])])


UP = ("up", "--yes", "--skip-preview")


def is_refused(seen: str) -> bool:
    """Whether a cell of the table is a refusal."""
    return seen.startswith("refused: ")


def see(stage: Stage, directory: Path) -> dict[str, Drift]:
    """Run the commands on a stack with all situations. Return the results of each row."""
    plain, refreshed = ([row for row in stage.rows if row.cycle == cycle] for cycle in CYCLES)
    quiet = [row for row in plain if not is_refused(row.drift.plain_up)]
    up_alone = stage.part(directory / "plain", quiet).up()
    for row in plain:
        if row not in quiet:
            up_alone[row.drift.key] = stage.part(directory / row.name, [row]).refusal(*UP)

    after = stage.part(directory / "refreshed", refreshed)
    refresh = after.refresh()
    going = after.part(
        directory / "going-on", [row for row in refreshed if not is_refused(row.drift.up)]
    )
    preview = going.preview()
    up = going.up()
    for row in refreshed:
        if row not in going.rows:
            alone = after.part(directory / row.name, [row])
            preview[row.drift.key] = alone.refusal("preview", "--json")
            up[row.drift.key] = alone.refusal(*UP)
    return {
        key: Drift(key, row.drift.title, up_alone[key], refresh[key], preview[key], up[key])
        for row in plain
        for key in (row.drift.key,)
    }


def test_drift(tmp_path: Path) -> None:
    """The results of each row are those of the table, and no second copy exists."""
    table = {drift.key: drift for drift in DRIFTS if drift.key not in ALONE}
    assert {*SEEN, *UNSEEN, *NEW} == set(table)
    (tmp_path / "simulator").mkdir()
    simulator = ForkedSimulator(tmp_path / "simulator", tmp_path / "world.yaml", speed=SPEED)
    rows = [Row(drift, cycle, simulator) for drift in table.values() for cycle in CYCLES]
    write_world(simulator.world, rows)
    with simulator:
        project = new_stacks_project(tmp_path / "all", simulator, [])
        bring_about(project, simulator, rows)

        assert table == see(Stage(project, simulator, rows), tmp_path)
        copies = Counter(str(replica["vault_id"]) for replica in simulator.control.replicas())
        assert len(ELSEWHERE) * len(CYCLES) == copies.pop(made_uuid("vault", REGION, "elsewhere"))
        assert {1} == set(copies.values())


# -- two rows that run alone ---------------------------------------------------------------


@dataclass
class Bench:
    """A stack with one replication, and its cloud."""

    project: Project
    control: Control

    def declare(self, name: str = "erp") -> None:
        """Declare the replication in the program."""
        destination = {"region": REGION, "vault_id": VAULT}
        entry = {"name": name, "backup_id": BACKUP, "destinations": [destination]}
        self.project.configure({"cbr-replication:replications": [entry]})

    def settle(self) -> None:
        """Create it, end its copy, and refresh."""
        self.declare()
        self.project.up()
        self.control.advance(20_000)
        self.project.refresh()

    @property
    def replica(self) -> str:
        """The replica's id."""
        (replica,) = (row for row in self.control.replicas() if row["region"] == REGION)
        return str(replica["id"])

    @property
    def written(self) -> list[str]:
        """The writes to the cloud so far."""
        return [
            entry["operation"]
            for entry in self.control.journal()
            if entry["method"] != "GET" and entry["operation"] != "CreateToken"
        ]

    @property
    def status(self) -> object:
        """The status in the state."""
        return self.project.state()[NAME]["outputs"]["status"]

    def hide_replica(self) -> None:
        """Hide the destination's replicas from three polls."""
        answer: dict[str, Any] = {"action": "respond", "status": 404, "body": MISSING}
        self.control.fault(operation="ShowBackup", region=REGION, times=3, **answer)


@pytest.fixture
def bench(make_stacks_project: MakeProject, control: Control) -> Bench:
    """An empty stack."""
    return Bench(make_stacks_project([]), control)


def row_of(key: str) -> tuple[str, str, str, str]:
    """Return the cells of a row."""
    (drift,) = (drift for drift in DRIFTS if drift.key == key)
    return drift.plain_up, drift.refresh, drift.preview, drift.up


@pytest.mark.full
def test_drift_replica_late(bench: Bench) -> None:
    """A replica that only a later poll sees is kept, and copied once."""
    assert (NOTHING, "kept, `status: success`", SAME, NOTHING) == row_of("replica_late")
    bench.declare()
    bench.project.up()
    bench.control.advance(20_000)
    bench.hide_replica()
    bench.project.up()
    assert ["CopyBackup"] == bench.written
    assert "success" != bench.status

    bench.control.drop_faults()
    bench.hide_replica()
    bench.project.refresh()
    assert [] == bench.control.waiting_faults()
    assert "success" == bench.status
    bench.project.up("--expect-no-changes")

    assert ["CopyBackup"] == bench.written


@pytest.mark.full
def test_drift_replica_leaving(bench: Bench) -> None:
    """A replica that is being deleted is dropped; `up` waits for its end, and copies again."""
    row = (NOTHING, DROPPED, "create", f"waits, then {COPIES}")
    assert row == row_of("replica_leaving")
    bench.settle()
    leaving = bench.replica
    bench.control.change_backup(leaving, status="deleting")
    bench.project.up()
    assert [NAME] == list(bench.project.state())

    bench.project.refresh()
    assert {} == bench.project.state()
    assert {NAME: "create"} == bench.project.plan()
    looks = len(bench.control.journal(operation="ShowBackup"))
    running = start(bench.project, "up")
    wait_until(lambda: len(bench.control.journal(operation="ShowBackup")) > looks + 4)
    assert ["CopyBackup"] == bench.written
    bench.control.forget_backup(leaving)

    assert 0 == running.wait()
    assert ["CopyBackup"] * 2 == bench.written
    assert leaving != bench.replica


def test_renamed_resource_keeps_its_replica(bench: Bench) -> None:
    """The renamed resource adopts the replica; the old one leaves it."""
    bench.settle()
    replica, before = bench.replica, bench.written

    bench.declare("erp-db")
    told = bench.project.up().text

    assert [f"erp-db-to-{REGION}"] == list(bench.project.state())
    assert before == bench.written
    assert replica == bench.replica
    assert "stays, since another resource of the stack has it" in told


def test_replace_option_keeps_the_replica(bench: Bench) -> None:
    """`up --replace` creates before it deletes, so the replica is adopted."""
    bench.settle()
    replica, before = bench.replica, bench.written

    told = bench.project.up("--replace", bench.project.state()[NAME]["urn"]).text

    assert before == bench.written
    assert replica == bench.replica
    assert "stays, since another resource of the stack has it" in told
