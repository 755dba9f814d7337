"""Rolling sets over many nights: no set ever has fewer good copies than it is to keep.

`keep_newest` counts the members of a whole set. In a set of all servers, a server whose copies
fail loses its older ones to the others. With a set for each server, no server has fewer.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pulumi.runtime.config
import pytest
from sqlalchemy import select

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import keep_of
from simulator.cloud.specs import CopyScript, Options
from simulator.cloud.store import Backup, next_sequence
from simulator.testing import InProcessSimulator
from simulator.worlds.fleet import (
    FLEET_ACCOUNT,
    FLEET_PASSWORD,
    FLEET_USER,
    SOURCE_REGION,
    fleet_world,
)
from tests.contract.engine import Engine, Program
from tests.contract.rig import SimulatedClock
from tests.contract.rounds import PATIENCE
from tests.unit.replication.rules.retention_oracle import oracle

pytestmark = pytest.mark.simulator_only

NIGHT_S = 86_400.0
COPY_S = 600.0
EAST = "cn-east-3"
NIGHTS = 14
FIXED = 10
"""Requests of a night of a few servers that do not grow with their number."""
ONE_IN = 20
"""One copy in so many fails: 5 %."""


class Watched(httpx.AsyncBaseTransport):
    """Calls `before_deletion` before each deletion, and cuts one list short if asked to."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner
        self.before_deletion: Callable[[str], None] = lambda _: None
        self.is_cutting = False
        self.cuts = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        path = request.url.path
        if request.method == "DELETE":
            self.before_deletion(path.rpartition("/")[2])
        response = await self._inner.handle_async_request(request)
        if not self.is_cutting or request.method != "GET" or not path.endswith("/backups"):
            return response
        page = json.loads(await response.aread())
        self.is_cutting = False
        self.cuts += 1
        page["backups"] = page["backups"][: len(page["backups"]) // 2]
        return httpx.Response(response.status_code, json=page, request=request)


class ParallelClock(SimulatedClock):
    """Virtual time on which tasks sleep at the same time; it advances when none has other work."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        super().__init__(simulator)
        self._sleeping: list[tuple[float, int, asyncio.Future[None]]] = []
        self._numbers = itertools.count()
        self._waking: asyncio.Task[None] | None = None

    async def sleep(self, seconds: float) -> None:
        """Sleep until the virtual time has come."""
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (self.monotonic() + seconds, next(self._numbers), turn)
        heapq.heappush(self._sleeping, entry)
        if self._waking is None or self._waking.done():
            self._waking = asyncio.ensure_future(self._wake())
        await turn

    async def _wake(self) -> None:
        while self._sleeping:
            newest, quiet = None, 0
            while quiet < PATIENCE:
                await asyncio.sleep(0)
                last = self._sleeping[-1] if self._sleeping else None
                quiet = quiet + 1 if newest is last else 0
                newest = last
            due, _, turn = heapq.heappop(self._sleeping)
            self._clock.advance(max(0.0, due - self._clock.now()))
            if not turn.done():
                turn.set_result(None)


class Fleet:
    """A vault of many servers, each of which gets a backup each night.

    Args:
        is_one_set: whether one set has the copies of all servers; else each server has its own.
        in_source: nights after which a backup expires in the source region.
    """

    def __init__(
        self,
        servers: int,
        *,
        is_one_set: bool = False,
        is_parallel: bool = False,
        in_source: int = 2,
        deletion_seconds: float = 20.0,
    ) -> None:
        script = CopyScript(mode="seconds", seconds=COPY_S)
        options = Options(deletion_seconds=deletion_seconds)
        self.simulator = InProcessSimulator(fleet_world(servers, copy=script, options=options))
        self.is_one_set = is_one_set
        self.in_source = in_source
        self.transport = Watched(self.simulator.transport())
        address = f"{self.simulator.url}/regions/{{region}}"
        self.configuration = {
            "huaweicloud:region": SOURCE_REGION,
            "huaweicloud:userName": FLEET_USER,
            "huaweicloud:password": FLEET_PASSWORD,
            "huaweicloud:domainName": FLEET_ACCOUNT,
            "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        }
        self.session = Session(
            Settings.load(self.configuration.get, {}),
            transport=self.transport,
            clock=(ParallelClock if is_parallel else SimulatedClock)(self.simulator),
        )
        use_session(self.session)
        self.engine = Engine(self.session, self.configuration)
        self.vaults = {row["region"]: row["id"] for row in self.simulator.control.state()["vaults"]}
        with self.simulator.cloud.session() as session:
            query = select(Backup).order_by(Backup.sequence)
            rows = list(session.scalars(query))
        self.first = [row.id for row in rows]
        self._times = {row.id: row.created_at for row in rows}
        self.nights: list[list[str]] = [self.first]
        self._made: dict[str, tuple[str, str]] = {}

    def close(self) -> None:
        """End the session and the simulator."""
        self.session.close()
        self.simulator.close()

    def next_night(self) -> None:
        """Let a day pass: all copies end, new backups are made, and the oldest expire."""
        self.simulator.control.advance(NIGHT_S)
        night = len(self.nights)
        names = [column.name for column in Backup.__table__.columns]
        made = []
        with self.simulator.cloud.session() as session:
            for number, first_id in enumerate(self.first):
                one = self.pattern(session, first_id)
                columns = {name: one[name] for name in names}
                new_id = f"{night:08x}-0000-4000-8000-{number:012x}"
                fails = (number * 7 + night) % ONE_IN == 0
                columns |= {
                    "id": new_id,
                    "checkpoint_id": new_id,
                    "sequence": next_sequence(session, Backup.sequence),
                    "created_at": self.simulator.clock.now(),
                    "copy_script": self.failing() if fails else None,
                }
                session.add(Backup(**columns))
                session.flush()
                made.append(new_id)
                self._times[new_id] = columns["created_at"]
        self.nights.append(made)
        if night >= self.in_source:
            for old_id in self.nights[night - self.in_source]:
                self.simulator.control.forget_backup(old_id)

    def pattern(self, session: Any, first_id: str) -> dict[str, Any]:
        """Return the columns of a server's first backup, which may have expired since."""
        if not hasattr(self, "_patterns"):
            self._patterns: dict[str, dict[str, Any]] = {}
        if first_id not in self._patterns:
            row = session.get(Backup, first_id)
            columns = Backup.__table__.columns
            self._patterns[first_id] = {
                column.name: getattr(row, column.name) for column in columns
            }
        return self._patterns[first_id]

    def failing(self) -> dict[str, Any]:
        """Return the script of a copy that fails."""
        return CopyScript(mode="seconds", seconds=COPY_S, outcome="fail").model_dump()

    def members(self) -> dict[str, dict[str, Any]]:
        """Return what the program selects: the members of each set."""
        pulumi.runtime.config.set_all_config(self.configuration)
        try:
            found = cbr.get_backups(vault_id=self.vaults[SOURCE_REGION])
        finally:
            pulumi.runtime.config.set_all_config({})
        by_set: defaultdict[str, dict[str, Any]] = defaultdict(dict)
        for backup in found:
            row = {"backup_id": backup.id, "created_at": backup.created_at}
            by_set[self.set_of(backup.resource_id)][backup.id] = row
        return by_set

    def set_of(self, server: str | None) -> str:
        """Return the name of the set that has a server's copies."""
        return "fleet" if self.is_one_set else str(server)

    def place(self, **more: Any) -> dict[str, Any]:
        """Return the destination as inputs."""
        return {"destination_region": EAST, "destination_vault_id": self.vaults[EAST], **more}

    def made_of(self, replica_id: str) -> tuple[str, str]:
        """Return which backup a replica is of, and when that was made; also if it is gone."""
        if replica_id not in self._made:
            for record in self.simulator.control.records():
                if record["destination_backup_id"] == replica_id:
                    source_id = record["source_backup_id"]
                    at = time.gmtime(self._times[source_id])
                    self._made[replica_id] = source_id, time.strftime("%Y-%m-%dT%H:%M:%S", at)
        return self._made[replica_id]

    def good(self) -> defaultdict[str, set[str]]:
        """Return the complete replicas of each set, which are not being deleted."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        with self.simulator.cloud.session() as session:
            query = select(Backup).where(Backup.region == EAST, Backup.status == "available")
            for row in session.scalars(query):
                found[self.set_of(row.resource_id)].add(row.id)
        return found


@pytest.fixture
def make_fleet() -> Iterator[Callable[..., Fleet]]:
    """Make a fleet of a number of servers."""
    made: list[Fleet] = []

    def make(servers: int, **more: Any) -> Fleet:
        made.append(Fleet(servers, **more))
        return made[-1]

    yield make
    for fleet in made:
        fleet.close()


@pytest.mark.parametrize("is_one_set", [False, True], ids=["sets-of-one-server", "one-set"])
@pytest.mark.parametrize(
    ("servers", "kept"), [(4, 4), pytest.param(250, 8, marks=pytest.mark.full)]
)
def test_no_set_has_fewer_copies_than_it_keeps(
    make_fleet: Callable[..., Fleet],
    servers: int,
    kept: int,
    is_one_set: bool,
    announce: Callable[[str], None],
) -> None:
    """Over 14 nights copies fail, sources expire, and a page of a list is cut short each night."""
    fleet = make_fleet(servers, is_one_set=is_one_set, is_parallel=is_one_set)
    control = fleet.simulator.control
    keep_newest = servers * kept if is_one_set else kept
    asked: set[str] = set()
    short: list[str] = []
    good: defaultdict[str, set[str]] = defaultdict(set)

    def look(replica_id: str) -> None:
        if replica_id in asked:
            return
        asked.add(replica_id)
        for name, replicas in good.items():
            if replica_id in replicas:
                replicas.discard(replica_id)
                if len(replicas) < keep_newest:
                    short.append(f"night {len(fleet.nights)}: {name}: {len(replicas)}")

    fleet.transport.before_deletion = look
    failed = 0
    for _ in range(NIGHTS):
        good.clear()
        good.update(fleet.good())
        had = {name for name, replicas in good.items() if len(replicas) >= keep_newest}
        fleet.transport.is_cutting = True
        program: Program = {
            name: ("set", {"backups": rows, **fleet.place(keep_newest=keep_newest)})
            for name, rows in fleet.members().items()
        }
        try:
            fleet.engine.up(program, is_refreshed=True, goes_on=True)
        except CbrError:
            failed += 1
        assert [] == short
        there = fleet.good()
        fewer = {name for name in had if len(there[name]) < keep_newest}
        assert not fewer, f"sets with fewer copies than before: {fewer}"
        fleet.next_night()
    deletions = control.journal(operation="DeleteBackup")
    assert {entry["backup_id"] for entry in deletions} == asked
    copies = len(control.journal(operation="CopyBackup"))
    announce(
        f"{servers * kept} copies in {len(good)} set(s): {copies} submitted, {len(asked)} deleted, "
        f"{failed} nights with an error, {fleet.transport.cuts} lists cut short"
    )
    assert NIGHTS == fleet.transport.cuts
    assert len(asked) > servers * (NIGHTS - kept) // 2, "too few rolled off"
    # A set whose newest copies failed keeps more.
    assert all(keep_newest <= len(replicas) for replicas in fleet.good().values())


@pytest.mark.parametrize("nights", [16, pytest.param(100, marks=pytest.mark.full)])
def test_set_with_keep_has_what_its_rule_keeps_of_all_that_succeeded(
    make_fleet: Callable[..., Fleet], nights: int, announce: Callable[[str], None]
) -> None:
    """Sources live for two nights. Each fourth copy fails, and so does the newest of a week.

    After each night the set has every copy that the oracle keeps of all that ever succeeded.
    """
    fleet = make_fleet(1, in_source=2)
    keep = {"newest": 1.0, "days": 3.0, "weeks": 2.0, "months": 2.0, "timezone": "UTC+05:30"}
    succeeded: dict[str, tuple[str, str]] = {}
    asked: list[str] = []
    fleet.transport.before_deletion = asked.append
    for night in range(nights):
        if night % 7 == 3 or night % 4 == 1:
            (newest,) = fleet.nights[-1]
            fleet.simulator.control.change_backup(newest, copy=fleet.failing())
        (rows,) = fleet.members().values()
        inputs = {"backups": rows, **fleet.place(keep=keep)}
        with contextlib.suppress(CbrError):  # a failed copy whose source is gone by now
            fleet.engine.up({"server": ("set", inputs)}, is_refreshed=True, goes_on=True)
        fleet.next_night()
        (there,) = fleet.good().values()
        succeeded |= {id_: fleet.made_of(id_) for id_ in there if id_ not in succeeded}
        wanted = oracle(succeeded.values(), keep_of({"keep": keep}))
        assert wanted <= {backup_id for backup_id, _ in map(fleet.made_of, there)}
    copies = len(fleet.simulator.control.journal(operation="CopyBackup"))
    announce(f"{nights} nights: {copies} submitted, {len(set(asked))} deleted, {len(there)} kept")
    assert len(set(asked)) >= nights // 3, "too few rolled off"
    assert len(there) < 12


@pytest.mark.parametrize(
    "in_source",
    [pytest.param(NIGHTS, id="sources-exist"), pytest.param(2, id="sources-expired")],
)
@pytest.mark.parametrize("servers", [50, pytest.param(500, marks=pytest.mark.full)])
def test_requests_of_a_rolling_night(
    make_fleet: Callable[..., Fleet], servers: int, in_source: int
) -> None:
    """One set of all servers: 1.1 requests for each new copy, and 3 for each old one.

    These are a look at the replica, its deletion, and the look that shows it gone. CBR deletes at
    once here: more polls depend on how long it takes.
    """
    fleet = make_fleet(
        servers, is_one_set=True, is_parallel=True, in_source=in_source, deletion_seconds=0.0
    )
    control = fleet.simulator.control
    for _ in range(3):
        fleet.next_night()
        inputs = {"backups": fleet.members()["fleet"], **fleet.place(keep_newest=servers)}
        control.clear_journal()
        fleet.engine.up({"fleet": ("set", inputs)})
    counts = control.journal_counts()

    new, old = counts["CopyBackup"], counts["DeleteBackup"]
    assert min(new, old) >= servers * 9 // 10
    # Lists, sign-in and preflight do not depend on the number of servers.
    assert sum(counts.values()) - FIXED <= 1.1 * new + 3 * old, counts
