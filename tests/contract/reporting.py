"""Random worlds of backups and copies, and what a report on them has to say.

The world is written into the simulator's database. What is expected is computed from the rows of
the database alone, by other means than the package's.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pulumi_huaweicloud_cbr.api.transport.http import Transport
from pulumi_huaweicloud_cbr.commands.report.command import account_of, make_report
from pulumi_huaweicloud_cbr.commands.report.model import Report
from pulumi_huaweicloud_cbr.commands.report.show.text import as_text
from simulator.cloud.specs import CopyScript, World
from simulator.cloud.store import Backup, Record, Vault, content_of
from simulator.testing import InProcessSimulator, SimulatorProcess
from tests.contract.rig import SimulatedClock

TEXT = Path(__file__).parents[1] / "fixtures" / "report.txt"
DAY, HOUR = 86400.0, 3600.0
REGIONS = ("cn-north-4", "cn-east-3", "cn-south-1")
SOURCES = REGIONS[:2]
OWNER = "p/test"
STACK = "test"
SET = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet"
FATES = (
    ("copied", 50),
    ("not copied", 20),
    ("replica gone", 6),
    ("replica in error", 3),
    ("replica leaves", 3),
    ("runs", 4),
    ("runs unseen", 2),
    ("failed", 6),
    ("failed, then copied", 4),
    ("failed twice", 2),
)
"""What became of a backup in a region, each with its weight."""
STATUSES = (("available", 92), ("error", 3), ("protecting", 3), ("deleting", 2))


@dataclass
class Expected:
    """The figures of a world, by resource, and by resource and region."""

    resources: set[str] = field(default_factory=set)
    counts: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    sizes: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    newest: dict[tuple[str, str], float] = field(default_factory=dict)
    proven: dict[tuple[str, str], float] = field(default_factory=dict)
    """The age of the newest usable copy whose source backup exists and tells it."""
    running: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    unusable: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    failed: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    verdicts: dict[str, str] = field(default_factory=dict)
    without_copy: set[str] = field(default_factory=set)
    undeclared: set[str] = field(default_factory=set)
    owners: dict[str, str] = field(default_factory=dict)
    flows: dict[tuple[str | None, str], tuple[int, int]] = field(default_factory=dict)
    """The number of usable copies, and of resources that miss their objective there."""
    rooms: dict[str, tuple[int, int]] = field(default_factory=dict)
    """The number of backups in a vault, and the gigabytes of those from the last 30 days."""


@dataclass
class ReportWorld:
    """A simulator with a random world, and a stack that declares a part of it."""

    simulator: InProcessSimulator
    configured: dict[str, Any]
    deployment: dict[str, Any]
    rpo_of: dict[str, tuple[int, tuple[str, ...]]]
    """The objective of a server in seconds, and where its copies have to be, by resource id."""
    names: dict[str, str]
    """The name of each server, by resource id."""
    declared_home: dict[str, str]
    """The source region that the entry of a server names, by resource id."""
    held: set[str]
    """The replicas that the stack's state has."""

    def look(self, *, rpo_s: int | None = None, transport: Transport | None = None) -> Report:
        """Make the report of the stack."""
        self.simulator.control.clear_journal()
        account = account_of(STACK, self.configured, {}, self.deployment)
        return make_report(
            [account],
            SimulatedClock(self.simulator),
            rpo_s=rpo_s,
            transport=transport or self.simulator.transport(),
        )

    def expected(self, rpo_s: int | None = None) -> Expected:
        """Return what the report has to say, from the database."""
        cloud = self.simulator.cloud
        with cloud.session() as session:
            backups = list(session.scalars(select(Backup)))
            records = list(session.scalars(select(Record)))
            vaults = list(session.scalars(select(Vault)))
        return _expected(self, backups, records, vaults, cloud.clock.now(), rpo_s)


def make_world(
    seed: int, *, servers: int = 8, nights: int = 8, simulator: InProcessSimulator | None = None
) -> ReportWorld:
    """Return a random world; the same seed gives the same one."""
    chance = random.Random(seed)
    running = simulator or InProcessSimulator(empty_world())
    address = f"{running.url}/regions/{{region}}"
    names = [f"srv-{number:02}" for number in range(servers)]
    rpo_of: dict[str, tuple[int, tuple[str, ...]]] = {}
    ids: dict[str, str] = {}
    homes: dict[str, str] = {}
    entries = []
    cloud = running.cloud
    with cloud.session() as session:
        vaults = {
            (vault.region, vault.protect_type): vault for vault in session.scalars(select(Vault))
        }
        maker = _Maker(session, chance, vaults, cloud.clock.now())
        for name in names:
            resource_id = str(uuid.UUID(int=chance.getrandbits(128)))
            ids[resource_id] = name
            home = chance.choice(SOURCES)
            homes[resource_id] = home
            others = [region for region in REGIONS if region != home]
            wanted = tuple(chance.sample(others, chance.choice((1, 2))))
            if chance.random() < 0.6:
                hours = chance.choice((12, 26, 50, 200))
                rpo_of[resource_id] = (hours * 3600, wanted)
                entries.append(_entry(name, home, wanted, vaults, hours))
            maker.server(name, resource_id, home, wanted, nights if chance.random() > 0.1 else 0)
    configured = {
        "huaweicloud:region": SOURCES[0],
        "huaweicloud:userName": "reporter",
        "huaweicloud:password": "not-a-secret-report",
        "huaweicloud:domainName": "acme",
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        "cbr-replication:sets": json.dumps(entries),
        # Of a backup that is gone: it names all regions, and has no objective.
        "cbr-replication:replications": json.dumps([_former(vaults)]),
        "cbr-replication:defaults": json.dumps(
            {"source_region": SOURCES[1], "owner": "operations"}
        ),
    }
    return ReportWorld(running, configured, maker.deployment(), rpo_of, ids, homes, maker.held)


def empty_world() -> World:
    """Return regions and vaults with room, and nothing in them."""
    return World.model_validate(
        {
            "accounts": [
                {"name": "acme", "users": [{"name": "reporter", "password": "not-a-secret-report"}]}
            ],
            "regions": [
                {"name": one, "replicates_to": [two for two in REGIONS if two != one]}
                for one in REGIONS
            ],
            "vaults": [
                {
                    "name": f"{kind}-{region}",
                    "region": region,
                    "protect_type": kind,
                    "size_gb": 1_000_000,
                }
                for region in REGIONS
                for kind in ("backup", "replication")
            ],
            "options": {"default_copy": CopyScript(mode="never").model_dump()},
        }
    )


def _entry(
    name: str, home: str, wanted: tuple[str, ...], vaults: dict[tuple[str, str], Vault], hours: int
) -> dict[str, Any]:
    return {
        "name": f"nightly-{name}",
        "select": {"resource_name": name},
        "source_region": home,
        "rpo": f"{hours}h",
        "destinations": [
            {"region": region, "vault_id": vaults[region, "replication"].id} for region in wanted
        ],
    }


def use_state_of(world: ReportWorld, simulator: SimulatorProcess) -> None:
    """Give a simulator in a process of its own what a world has; it is started anew."""
    simulator.stop()
    for file in simulator.directory.glob(f"{simulator.state_file.name}*"):
        file.unlink()
    simulator.state_file.write_bytes(content_of(world.simulator.cloud._engine))
    simulator.start()


def _former(vaults: dict[tuple[str, str], Vault]) -> dict[str, Any]:
    return {
        "name": "former",
        "backup_id": str(uuid.UUID(int=0)),
        "destinations": [
            {"region": region, "vault_id": vaults[region, "replication"].id} for region in REGIONS
        ],
    }


class _Maker:
    """Writes servers, backups, records and replicas into the database."""

    def __init__(
        self,
        session: Session,
        chance: random.Random,
        vaults: dict[tuple[str, str], Vault],
        now: float,
    ) -> None:
        self._session = session
        self._chance = chance
        self._vaults = vaults
        self._now = now
        self._sequence = 0
        self._members: dict[tuple[str, str], dict[str, Any]] = defaultdict(dict)
        self.held: set[str] = set()

    def server(
        self, name: str, resource_id: str, home: str, wanted: tuple[str, ...], nights: int
    ) -> None:
        """Make a server with its backups and copies."""
        chance = self._chance
        size_gb = chance.choice((20, 40, 120, 500))
        vault = self._vaults[home, "backup"]
        if chance.random() < 0.8:
            bound = {"id": resource_id, "name": name, "type": "OS::Nova::Server"}
            vault.settings = {
                **vault.settings,
                "resources": [*vault.settings["resources"], {**bound, "extra_info": {}}],
            }
        age_s = chance.choice((2, 20, 30, 100)) * HOUR
        for _ in range(nights):
            is_kept = chance.random() < 0.8
            backup = self._backup(name, resource_id, home, vault, size_gb, self._now - age_s)
            backup.status = _chosen(chance, STATUSES)
            for region in wanted:
                self._fate(backup, region, is_kept=is_kept)
            if is_kept:
                self._session.add(backup)
            age_s += chance.choice((6, 24, 24, 24, 48)) * HOUR

    def deployment(self) -> dict[str, Any]:
        """Return the state of the stack, with a set for each pair of regions."""
        return {
            "resources": [
                {
                    "urn": f"urn:pulumi:{STACK}::p::{SET}::of-{source}-to-{region}",
                    "type": SET,
                    "custom": True,
                    "id": str(uuid.uuid5(uuid.NAMESPACE_DNS, source + region)),
                    "outputs": {
                        "source_region": source,
                        "source_project_id": self._vaults[source, "backup"].project_id,
                        "destination_region": region,
                        "destination_project_id": self._vaults[region, "replication"].project_id,
                        "destination_vault_id": self._vaults[region, "replication"].id,
                        "members": members,
                    },
                }
                for (source, region), members in self._members.items()
            ]
        }

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _id(self) -> str:
        return str(uuid.UUID(int=self._chance.getrandbits(128)))

    def _backup(
        self, name: str, resource_id: str, region: str, vault: Vault, size_gb: int, at: float
    ) -> Backup:
        return Backup(
            id=self._id(),
            sequence=self._next(),
            name=f"autobk_{self._sequence:05}",
            description="",
            region=region,
            project_id=vault.project_id,
            vault_id=vault.id,
            checkpoint_id=self._id(),
            image_type="backup",
            status="available",
            resource_id=resource_id,
            resource_name=name,
            resource_type="OS::Nova::Server",
            size_gb=size_gb,
            takes_mb=size_gb,
            promised_mb=0,
            contain_system_disk=True,
            auto_trigger=True,
            created_at=at,
            updated_at=None,
            expired_at=None,
            copy_script=None,
            made_at=None,
            delete_at=None,
        )

    def _fate(self, backup: Backup, region: str, *, is_kept: bool) -> None:
        fate = _chosen(self._chance, FATES)
        at = backup.created_at + HOUR
        # CBR deletes no backup that is being copied.
        if fate == "not copied" or (
            fate.startswith("runs") and (not is_kept or backup.status == "deleting")
        ):
            return
        if fate.startswith("failed"):
            self._record(backup, region, at, "fail", None, is_kept=is_kept)
            at += HOUR
        if fate == "failed twice":
            self._record(backup, region, at, "fail", None, is_kept=is_kept)
        if fate in ("failed", "failed twice"):
            return
        vault = self._vaults[region, "replication"]
        replica = self._backup(
            backup.resource_name, backup.resource_id, region, vault, backup.size_gb, at
        )
        replica.image_type = "replication"
        replica.status = {
            "replica in error": "error",
            "replica leaves": "deleting",
            "runs": "protecting",
        }.get(fate, "available")
        replica.delete_at = self._now + DAY if fate == "replica leaves" else None
        owner = self._chance.choice((None, OWNER, OWNER, OWNER, "team-b/prod"))
        replica.description = "" if owner is None else f"nightly [pulumi {owner}]"
        status = "replicating" if fate.startswith("runs") else "success"
        record_id = self._record(backup, region, at, status, replica, is_kept=is_kept)
        if fate in ("replica gone", "runs unseen"):
            return
        self._session.add(replica)
        if owner == OWNER and self._chance.random() < 0.7 and status == "success":
            self.held.add(replica.id)
            self._members[backup.region, region][f"{replica.name}"] = {
                "backup_id": backup.id,
                "replication_record_id": record_id,
                "status": "success",
                "destination_backup_id": replica.id,
            }

    def _record(
        self,
        backup: Backup,
        region: str,
        at: float,
        status: str,
        replica: Backup | None,
        *,
        is_kept: bool,
    ) -> str:
        vault = self._vaults[region, "replication"]
        record_id = self._id()
        is_open = status == "replicating"
        # The records go with their backup.
        if is_kept:
            self._session.add(
                Record(
                    id=record_id,
                    sequence=self._next(),
                    source_backup_id=backup.id,
                    source_project_id=backup.project_id,
                    source_region=backup.region,
                    source_checkpoint_id=backup.checkpoint_id,
                    source_vault_id=backup.vault_id,
                    destination_project_id=vault.project_id,
                    destination_region=region,
                    destination_vault_id=vault.id,
                    replica_id=replica.id if replica else self._id(),
                    replica_checkpoint_id=replica.checkpoint_id if replica else self._id(),
                    created_at=at,
                    status=status,
                    progress=100 if status == "success" else 10,
                    reads=0,
                    is_open=is_open,
                    is_hidden=False,
                    of_whole_vault=False,
                    auto_trigger=False,
                    script=CopyScript(mode="never").model_dump(),
                    lasts_s=None,
                    due_at=None,
                    fail_code="BackupService.6129" if status == "fail" else "",
                    fail_reason="destination vault full" if status == "fail" else "",
                )
            )
        return record_id


def _chosen(chance: random.Random, table: tuple[tuple[str, int], ...]) -> str:
    return chance.choices([name for name, _ in table], [weight for _, weight in table])[0]


def _expected(
    world: ReportWorld,
    backups: list[Backup],
    records: list[Record],
    vaults: list[Vault],
    now: float,
    rpo_s: int | None,
) -> Expected:
    """Compute the figures the long way round: for each server, look at everything."""
    told = Expected()
    sources = {one.id: one for one in backups if one.image_type == "backup"}
    replicas = [one for one in backups if one.image_type == "replication"]
    listed = {one.id for one in replicas if one.status != "deleting"}
    home = {one.resource_id: one.region for one in sources.values()} | _bound(vaults)
    told.resources = set(home) | {one.resource_id for one in replicas if one.id in listed}
    made_at = {one.replica_id: sources[one.source_backup_id].created_at for one in records}
    status_of = {one.replica_id: one.status for one in records}
    for replica in replicas:
        if replica.id in listed:
            age_s = now - made_at.get(replica.id, replica.created_at)
            is_proven = replica.id in made_at
            _expect_replica(told, replica, age_s, status_of.get(replica.id), is_proven=is_proven)
            told.owners[replica.id] = _owner_of(world, replica)
    told.undeclared = {key for key, one in told.owners.items() if one in ("orphan", "unmarked")}
    _expect_attempts(told, sources, records, listed)
    for resource_id in told.resources:
        is_copied = any(told.counts[resource_id, region] for region in REGIONS)
        if resource_id in home and not is_copied:
            told.without_copy.add(resource_id)
        told.verdicts[resource_id] = _verdict_of(world, told, resource_id, set(home), rpo_s)
    _expect_flows(world, told, home)
    for vault in vaults:
        inside = [one for one in backups if one.vault_id == vault.id and one.status != "deleting"]
        new = [one for one in inside if now - one.created_at <= 30 * DAY]
        told.rooms[vault.id] = (len(inside), sum(one.size_gb for one in new))
    # What an objective is declared for, and does not exist, is missed as well.
    for resource_id in world.rpo_of.keys() - set(home):
        key = f"entry nightly-{world.names[resource_id]}"
        told.resources.add(key)
        told.verdicts[key] = "missed"
        told.without_copy.add(key)
    return told


def _bound(vaults: list[Vault]) -> dict[str, str]:
    """Return the region of each server that a vault protects."""
    return {
        one["id"]: vault.region
        for vault in vaults
        if vault.protect_type == "backup"
        for one in vault.settings["resources"]
    }


def _expect_replica(
    told: Expected,
    replica: Backup,
    age_s: float,
    record_status: str | None,
    *,
    is_proven: bool,
) -> None:
    key = (replica.resource_id, replica.region)
    if replica.status == "protecting" or record_status == "replicating":
        told.running[key] += 1
    elif replica.status == "error":
        told.unusable[key] += 1
    else:
        told.counts[key] += 1
        told.sizes[key] += replica.size_gb
        told.newest[key] = min(told.newest.get(key, age_s), age_s)
        if is_proven:
            told.proven[key] = min(told.proven.get(key, age_s), age_s)


def _expect_attempts(
    told: Expected, sources: dict[str, Backup], records: list[Record], listed: set[str]
) -> None:
    """Expect what records say of backups that have no replica."""
    attempts: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in sorted(records, key=lambda one: one.created_at):
        attempts[record.source_backup_id, record.destination_region].append(record)
    for (backup_id, region), rows in attempts.items():
        backup = sources[backup_id]
        if backup.status == "deleting" or any(one.replica_id in listed for one in rows):
            continue
        if rows[-1].status == "fail":
            told.failed[backup.resource_id, region] += 1
        elif rows[-1].status == "replicating":
            told.running[backup.resource_id, region] += 1


def _expect_flows(world: ReportWorld, told: Expected, home: dict[str, str]) -> None:
    for (resource_id, region), count in list(told.counts.items()):
        if count:
            key = (home.get(resource_id), region)
            copies, missed = told.flows.get(key, (0, 0))
            told.flows[key] = (copies + count, missed)
    for resource_id, (limit_s, wanted) in world.rpo_of.items():
        for region in wanted:
            # Whatever exists nowhere counts for its entry, in the region that the entry names.
            source = home.get(resource_id) or world.declared_home[resource_id]
            is_home = resource_id in home
            age_s = (
                told.newest.get((resource_id, region), float("inf")) if is_home else float("inf")
            )
            if age_s > limit_s:
                copies, missed = told.flows.get((source, region), (0, 0))
                told.flows[source, region] = (copies, missed + 1)


def _owner_of(world: ReportWorld, replica: Backup) -> str:
    if replica.id in world.held:
        return "in_state"
    if "team-b" in (replica.description or ""):
        return "other_stack"
    return "orphan" if OWNER in (replica.description or "") else "unmarked"


def _verdict_of(
    world: ReportWorld, told: Expected, resource_id: str, at_home: set[str], rpo_s: int | None
) -> str:
    if resource_id not in at_home:
        return "unjudged"
    if resource_id in world.rpo_of:
        limit_s, wanted = world.rpo_of[resource_id]
        verdicts = {verdict_in(told, resource_id, (region,), limit_s) for region in wanted}
        return next(one for one in ("missed", "unseen", "met") if one in verdicts)
    if rpo_s is None:
        return "unjudged"
    return verdict_in(told, resource_id, REGIONS, rpo_s)


def verdict_in(told: Expected, resource_id: str, regions: Iterable[str], limit_s: float) -> str:
    """Return the verdict if one of the regions is enough; a time that proves nothing is a doubt."""
    places = [(resource_id, region) for region in regions]
    if any(told.proven.get(place, float("inf")) <= limit_s for place in places):
        return "met"
    is_doubtful = any(told.newest.get(place, float("inf")) <= limit_s for place in places)
    return "unseen" if is_doubtful else "missed"


def figures(report: Report) -> Iterator[tuple[str, Any]]:
    """Yield the report's figures in the form of `Expected`, by the names of its fields."""
    there = {(one.key, at.region): at for one in report.resources for at in one.there}
    yield "resources", {one.key for one in report.resources}
    yield "counts", {key: at.count for key, at in there.items() if at.count}
    yield "sizes", {key: at.size_gb for key, at in there.items() if at.count}
    yield (
        "newest",
        {key: at.newest_age_s for key, at in there.items() if at.newest_age_s is not None},
    )
    yield "running", {key: at.running_count for key, at in there.items() if at.running_count}
    yield "unusable", {key: at.unusable_count for key, at in there.items() if at.unusable_count}
    yield "failed", {key: at.failure_count for key, at in there.items() if at.failure_count}
    yield "verdicts", {one.key: one.verdict for one in report.resources}
    yield "without_copy", {one.key for one in report.without_copy}
    yield "undeclared", {one.id for one in report.undeclared}
    yield "owners", {one.id: one.owner for one in report.copies if one.id is not None}
    yield (
        "flows",
        {
            (one.source_region, one.region): (one.copy_count, one.missed_count)
            for one in report.flows
        },
    )
    yield "rooms", {one.id: (one.copy_count, one.added_gb) for one in report.vaults}


def wanted_figures(expected: Expected) -> dict[str, Any]:
    """Return what `figures` has to yield: no count of zero, and ages in whole seconds."""
    found = dict(vars(expected))
    found["newest"] = {key: int(age_s) for key, age_s in expected.newest.items()}
    for name in ("counts", "sizes", "running", "unusable", "failed"):
        found[name] = {key: count for key, count in found[name].items() if count}
    return found


def printed() -> str:
    """Return what is printed about a small world, for people to read."""
    world = make_world(19, servers=7)
    text = as_text(world.look(rpo_s=26 * 3600)) + "\n"
    world.simulator.close()
    return text


def write_report() -> None:
    """Write what is printed about a small world."""
    TEXT.write_text(printed())
