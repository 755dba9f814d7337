"""Common parts of random histories of a stack: the cloud, its drift and faults, and the truth.

Each test defines what a history declares, and how the engine applies it.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from unittest.mock import patch

import httpx
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from sqlalchemy import func, select

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.cloud.store import Backup, JournalRow, Record
from simulator.testing import InProcessSimulator
from tests.contract.rig import FULL, LONG_S, PASSWORD, SECOND_VAULT, VAULT, SimulatedClock

SOURCE_REGION = "cn-north-4"
BACKUPS = {
    "erp": "5a863daa-7265-4c0a-822f-e66b2abcfb3d",
    "erp-older": "8db960dd-a598-4f3d-b551-109e5def2e60",
    "web": "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e",
}
"""The first two belong to the same server, so their replicas could be confused."""
VAULTS = {
    "east": ("cn-east-3", VAULT),
    "east-second": ("cn-east-3", SECOND_VAULT),
    "south": ("cn-south-1", "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"),
}
MISSING = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
THROTTLED = {"error_code": "APIGW.0308", "error_msg": "over ratelimit", "request_id": "0" * 32}
FAULTS: dict[str, dict[str, Any]] = {
    "submission lost": {"operation": "CopyBackup", "action": "drop_before"},
    "submission accepted, answer lost": {"operation": "CopyBackup", "action": "drop_after"},
    "submission accepted, 502": {
        "operation": "CopyBackup",
        "action": "respond_after",
        "status": 502,
    },
    "submission accepted, answer cut": {"operation": "CopyBackup", "action": "truncate_after"},
    "submission refused": {
        "operation": "CopyBackup",
        "action": "respond",
        "status": 400,
        "body": FULL,
    },
    "submission throttled": {
        "operation": "CopyBackup",
        "action": "respond",
        "status": 429,
        "body": THROTTLED,
    },
    "everything throttled": {"action": "respond", "status": 429, "body": THROTTLED, "times": 4},
    "reads fail": {"operation": "ShowBackup", "action": "drop_before", "times": 2},
    "reads fail for long": {
        "operation": "ShowBackup",
        "action": "respond",
        "status": 503,
        "times": 9,
    },
    "log fails": {"operation": "ListOpLogs", "action": "respond", "status": 503, "times": 9},
    "deletion accepted, answer lost": {"operation": "DeleteBackup", "action": "drop_after"},
    "deletion fails for long": {
        "operation": "DeleteBackup",
        "action": "respond",
        "status": 503,
        "times": 9,
    },
    "rename accepted, answer lost": {"operation": "UpdateBackup", "action": "drop_after"},
    "sign-in fails": {"operation": "CreateToken", "action": "respond", "status": 503},
}

RACE = 48
"""The most requests between the look at a source and the deletion of its replica. There are three
for each member that is looked at and deleted at the same time."""
GOING = ("deleting", "waiting_delete")
PREFLIGHT = st.sampled_from(["error", "error", "warn", "off"])


class CrashError(Exception):
    """The process died before it saved what the last call returned."""


@dataclass
class Known:
    """A resource in the state, with the name that it had in the program."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    name: str = ""


class EventfulClock(SimulatedClock):
    """The virtual time of a history. While the package waits, something else may happen."""

    def __init__(self, history: History) -> None:
        super().__init__(history.simulator)
        self._history = history

    async def sleep(self, seconds: float) -> None:
        """Advance the virtual time."""
        await super().sleep(seconds)
        self._history.have_waited()


@dataclass
class Event:
    """Something that happens after some more waits."""

    waits_left: int
    happen: Callable[[], None]


class History(RuleBasedStateMachine):
    """Events in the cloud, from any cause. Counts injected faults and operations."""

    kind: ClassVar[str]
    backups: ClassVar[dict[str, str]] = BACKUPS
    poll_interval_s: ClassVar[int] = 900
    """Copies take hours of virtual time; more polls would show nothing new."""
    injected: ClassVar[Counter[str]]
    ran: ClassVar[Counter[str]]

    def __init_subclass__(cls) -> None:
        cls.injected, cls.ran = Counter(), Counter()

    def begin(self, *providers: ResourceProvider) -> None:
        """Begin with the demo world, and a session of the providers with it."""
        self.simulator = InProcessSimulator()
        # Code that depends on the order of ids does the same each time.
        dice = random.Random(0)
        self.ids = patch.object(
            uuid, "uuid4", lambda: uuid.UUID(int=dice.getrandbits(128), version=4)
        )
        self.ids.start()
        address = f"{self.simulator.url}/regions/{{region}}"
        self.configuration = {
            "huaweicloud:region": SOURCE_REGION,
            "huaweicloud:userName": "ops-replicator",
            "huaweicloud:password": PASSWORD,
            "huaweicloud:domainName": "acme-cloud",
            "huaweicloud:pollInterval": str(self.poll_interval_s),
            "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        }
        self.connect()
        self.providers = providers
        for provider in providers:
            provider.configure(ConfigureRequest(Config(self.configuration, "p")))
        self.control = self.simulator.control
        self.late: set[str] = set()
        self.expired: set[str] = set()
        self.lost_vaults: set[str] = set()
        self.saves_left: int | None = None
        self.is_forced = False
        self.events: list[Event] = []
        self.expired_at: dict[str, int] = {}

    def connect(self) -> None:
        """Open a session with the cloud, as a new process does."""
        self.session = Session(
            Settings.load(self.configuration.get, {}),
            transport=self.transport(),
            clock=EventfulClock(self),
        )
        use_session(self.session)

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return the connection to the cloud."""
        return self.simulator.transport()

    def teardown(self) -> None:
        """End the history: without faults, everything becomes as declared."""
        if not hasattr(self, "simulator"):
            return
        try:
            self.converge()
        finally:
            self.session.close()
            self.simulator.close()
            self.ids.stop()

    def converge(self) -> None:
        """Bring the cloud to what is declared, and verify it."""
        raise NotImplementedError

    def come_together(self) -> None:
        """Run `up`, and do what refusals say, until it would change nothing."""
        for _ in range(8):
            self.begin_run()
            is_refused = False
            try:
                self.bring_up()
            except CbrError as error:
                self.do_as_told(str(error))
                is_refused = True
            self.control.advance(LONG_S)
            if not is_refused:
                # It was meant for one run.
                self.force(is_forced=False)
            self.begin_run()
            self.look_again()
            if not is_refused and self.is_quiet():
                return
        raise AssertionError("the program and the cloud do not come together")

    def bring_up(self) -> None:
        """Do what `up` does."""
        raise NotImplementedError

    def look(self) -> None:
        """Do what `refresh` does."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Refresh, as users do after `up`."""
        self.look()

    def do_as_told(self, told: str) -> None:
        """Do what a refusal says. It has to be right."""
        raise NotImplementedError

    def is_quiet(self) -> bool:
        """Whether `up` would change nothing."""
        raise NotImplementedError

    # -- what happens meanwhile -----------------------------------------------------------------

    @rule()
    def up_and_end(self) -> None:
        """Run `up`, let all copies end, and run `up` again, as each night."""
        for _ in range(2):
            self.attempt(self.bring_up)
            self.control.advance(LONG_S)

    @rule(seconds=st.sampled_from([1.0, 600.0, 10_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let copies and deletions proceed."""
        self.control.advance(seconds)

    @rule(what=st.sampled_from(sorted(FAULTS)))
    def go_wrong_soon(self, what: str) -> None:
        """Make a request fail soon."""
        self.injected[what] += 1
        self.control.fault(**FAULTS[what])

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def lose_replica(self, number: int) -> None:
        """Remove a replica, complete or incomplete."""
        replica = self.one_of(self.replicas(), number)
        is_whole = replica.status not in ("waiting_protect", "protecting")
        self.injected["replica lost" if is_whole else "replica lost during its copy"] += 1
        self.control.forget_backup(replica.id)

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def delete_replica_by_hand(self, number: int) -> None:
        """Delete a replica as in the console, which takes time."""
        replica = self.one_of(self.replicas(), number)
        with self.simulator.cloud.session() as session:
            row = session.get(Backup, replica.id)
            if row is not None and row.status == "available":
                self.injected["replica deleted by hand"] += 1
                self.simulator.cloud.deletions.begin(session, row)

    @precondition(lambda self: any(row.is_open for row in self.records()))
    @rule(number=st.integers(0, 9))
    def come_late(self, number: int) -> None:
        """Hide an incomplete replica from the first polls."""
        record = self.one_of([row for row in self.records() if row.is_open], number)
        if record.replica_id in self.late:
            return
        self.injected["replica late"] += 1
        self.late.add(record.replica_id)
        refusal: dict[str, Any] = {"action": "respond", "status": 404, "body": MISSING}
        path = f"/backups/{record.replica_id}$"
        self.control.fault(operation="ShowBackup", path=path, times=3, **refusal)

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def rename_replica(self, number: int) -> None:
        """Rename a replica, as somebody else does."""
        self.injected["replica renamed"] += 1
        self.control.change_backup(self.one_of(self.replicas(), number).id, name="somebody-elses")

    @precondition(lambda self: bool(self.records()))
    @rule(number=st.integers(0, 9))
    def lose_record(self, number: int) -> None:
        """Stop listing a record, while its copy continues and its replica stays."""
        self.injected["record lost"] += 1
        self.control.forget_record(self.one_of(self.records(), number).id)

    @rule(number=st.integers(0, 9))
    def expire(self, number: int) -> None:
        """Expire a source backup, also while it is being copied."""
        backup = self.one_of(sorted(self.backups), number)
        if backup in self.expired:
            return
        is_copying = any(
            row.is_open and row.source_backup_id == self.backups[backup] for row in self.records()
        )
        self.injected["source expired during its copy" if is_copying else "source expired"] += 1
        self.expire_now(backup)

    @rule(number=st.integers(0, 9), waits=st.integers(1, 4))
    def expire_at_a_wait(self, number: int, waits: int) -> None:
        """Expire a source backup in the middle of an operation: after some of its waits."""
        backup = self.one_of(sorted(self.backups), number)
        if self.may_expire():
            self.events.append(Event(waits, lambda: self.expire_meanwhile(backup)))

    def may_expire(self) -> bool:
        """Whether one more source may expire, so that enough remain for a history."""
        return True

    def expire_meanwhile(self, backup: str) -> None:
        """Expire a source while the package waits."""
        if backup not in self.expired and self.may_expire():
            self.injected["source expired during a wait"] += 1
            self.expire_now(backup)

    def expire_now(self, backup: str) -> None:
        """Expire a source, and note before which request that was."""
        self.expired.add(backup)
        self.expired_at[backup] = self.last_request()
        self.control.forget_backup(self.backups[backup])

    def have_waited(self) -> None:
        """Let the events happen whose time has come."""
        for event in self.events:
            event.waits_left -= 1
        due = [event for event in self.events if event.waits_left <= 0]
        self.events = [event for event in self.events if event.waits_left > 0]
        for event in due:
            event.happen()

    @rule(
        vault=st.sampled_from(sorted(VAULTS)),
        how=st.sampled_from(["frozen", "full", "available", "lost"]),
    )
    def change_vault(self, vault: str, how: str) -> None:
        """Make a vault frozen, full, usable again, or delete it with its content."""
        _, vault_id = VAULTS[vault]
        if vault in self.lost_vaults:
            return
        self.injected[f"vault {how}"] += 1
        if how == "lost":
            self.lost_vaults.add(vault)
            self.control.forget_vault(vault_id)
        elif how == "full":
            self.control.change_vault(vault_id, size_gb=1)
        else:
            self.control.change_vault(vault_id, status=how, size_gb=1000)

    @rule(number=st.integers(0, 9), outcome=st.sampled_from(["fail", "skip", "success"]))
    def decide_copies(self, number: int, outcome: str) -> None:
        """Decide how the next copies of a backup end."""
        backup = self.one_of(sorted(self.backups), number)
        if backup not in self.expired:
            self.injected[f"copies {outcome}"] += 1
            self.script_copies(backup, outcome)

    # -- the engine ---------------------------------------------------------------------------

    def attempt(self, operation: Callable[[], None]) -> None:
        """Run an operation that may fail in the documented ways only."""
        self.ran["operations"] += 1
        self.begin_run()
        told = ""
        try:
            operation()
        except CrashError:
            self.ran["crashed"] += 1
        except CbrError as error:
            self.ran["failed"] += 1
            told = str(error)
        self.require_readable(told)

    def begin_run(self) -> None:
        """Begin an operation, which is a new process."""
        begin_operation()
        self.session.forget()
        use_export(self.export)

    def export(self, _urn: str, _with_secrets: bool) -> bytes:
        """Return the state, as the CLI exports it in the middle of an operation."""
        names = {name for name, _, is_left_over in self.in_state() if not is_left_over}
        resources = [
            {
                "urn": urn_of(self.kind, name),
                "type": f"pulumi-python:dynamic/huaweicloud_cbr:{self.kind}",
                "id": known.id,
                "outputs": known.outputs,
                # The old one of a renamed resource is an entry as any other.
                "delete": is_left_over and name in names,
            }
            for name, known, is_left_over in self.in_state()
        ]
        return json.dumps({"deployment": {"resources": resources}}).encode()

    def in_state(self) -> list[tuple[str, Known, bool]]:
        """Return what the state has: by name, and whether it is left over from a replacement."""
        raise NotImplementedError

    def force(self, *, is_forced: bool) -> None:
        """Set `huaweicloud:forceDestroy` for the runs from now on, or remove it."""
        if is_forced == self.is_forced:
            return
        self.is_forced = is_forced
        configuration = {
            **self.configuration,
            **({"huaweicloud:forceDestroy": "true"} if is_forced else {}),
        }
        self.session.settings = Settings.load(configuration.get, {})
        for provider in self.providers:
            provider.configure(ConfigureRequest(Config(configuration, "p")))

    def require_readable(self, told: str) -> None:
        """Check that the error's text is meant for people."""
        assert "\n" not in told

    def save(self) -> None:
        """Save what a call returned, or die first."""
        if self.saves_left is not None:
            if self.saves_left == 0:
                raise CrashError
            self.saves_left -= 1

    def calm_down(self) -> None:
        """Stop all faults, make copies succeed and vaults usable, and let everything end."""
        self.control.drop_faults()
        self.events.clear()
        for backup in set(self.backups) - self.expired:
            self.script_copies(backup, "success")
        for vault in set(VAULTS) - self.lost_vaults:
            self.control.change_vault(VAULTS[vault][1], status="available", size_gb=2000)
        self.control.advance(LONG_S)

    def delete_untold(self, message: str) -> None:
        """Delete by hand the replicas that an error names, though no records are listed."""
        with self.simulator.cloud.session() as session:
            hidden = list(session.scalars(select(Record).where(Record.is_hidden)))
        present = {row.id for row in self.replicas()}
        untold = {
            row.replica_id
            for row in hidden
            if row.replica_id in present
            and row.source_backup_id in message
            and f"'{row.destination_region}'" in message
        }
        assert untold, message
        for replica_id in untold:
            self.control.forget_backup(replica_id)

    # -- the truth ----------------------------------------------------------------------------

    def require_once(self) -> None:
        """No backup has two replicas in a region."""
        self.ran["steps"] += 1
        for copy, count in self.live_copies().items():
            assert count <= 1, f"{copy} was copied {count} times"

    def replicas(self) -> list[Backup]:
        """Return all replicas outside of the source region, oldest first."""
        with self.simulator.cloud.session() as session:
            query = select(Backup).where(
                Backup.image_type == "replication", Backup.region != SOURCE_REGION
            )
            return list(session.scalars(query.order_by(Backup.sequence)))

    def records(self) -> list[Record]:
        """Return the records that are listed."""
        with self.simulator.cloud.session() as session:
            query = select(Record).where(~Record.is_hidden).order_by(Record.sequence)
            return list(session.scalars(query))

    def all_records(self) -> dict[str, Record]:
        """Return all records by id, also those that are no longer listed."""
        with self.simulator.cloud.session() as session:
            return {row.id: row for row in session.scalars(select(Record))}

    def live_replicas(self) -> set[str]:
        """Return the records whose replica exists, or is being made."""
        present = {row.id for row in self.replicas() if row.status not in GOING}
        return {row.id for row in self.all_records().values() if row.replica_id in present}

    def last_copies(self, record_ids: Collection[str]) -> set[str]:
        """Return those of the records whose replica could not be made again."""
        gone = {self.backups[backup] for backup in self.expired}
        truth = self.all_records()
        kept = self.live_replicas() & set(record_ids)
        return {key for key in kept if truth[key].source_backup_id in gone}

    def live_copies(self) -> Counter[tuple[str, str]]:
        """Count the existing replicas of each backup in each region, by their names here."""
        truth = self.all_records()
        rows = (truth[record_id] for record_id in self.live_replicas())
        return Counter(
            (name_of(self.backups, row.source_backup_id), row.destination_region) for row in rows
        )

    def last_request(self) -> int:
        """Return the number of the last request."""
        with self.simulator.cloud.books() as session:
            return session.scalar(select(func.max(JournalRow.sequence))) or 0

    def deletions_since(self, number: int) -> dict[str, int]:
        """Return the replicas whose deletion was requested since then, and by which request."""
        found: dict[str, int] = {}
        with self.simulator.cloud.books() as session:
            query = select(JournalRow).where(
                JournalRow.sequence > number, JournalRow.operation == "DeleteBackup"
            )
            for row in session.scalars(query.order_by(JournalRow.sequence)):
                found.setdefault(str(row.backup_id), row.sequence)
        return found

    def is_last_copy_at(self, backup: str, request: int) -> bool:
        """Whether the package could know that a source was gone before a deletion.

        It reads the source just before. Nobody can prevent that it expires in between.
        """
        gone = self.expired_at.get(backup)
        if gone is None or request <= gone:
            return False
        with self.simulator.cloud.books() as session:
            query = select(func.max(JournalRow.sequence)).where(
                JournalRow.sequence <= gone,
                JournalRow.operation == "ShowBackup",
                JournalRow.backup_id == self.backups[backup],
            )
            looked = session.scalar(query)
        return looked is None or request - looked > RACE

    def record_of(self, replica_id: str) -> Record:
        """Return the record of a replica, which may be deleted."""
        truth = self.all_records().values()
        (record,) = (row for row in truth if row.replica_id == replica_id)
        return record

    def has_succeeded(self, backup: str | None) -> bool:
        """Whether a whole replica of a backup exists in any region."""
        truth, live = self.all_records(), self.live_replicas()
        return any(
            truth[key].status == "success"
            and self.backups.get(backup or "") is not None
            and truth[key].source_backup_id == self.backups[backup or ""]
            for key in live
        )

    def one_of(self, rows: list[Any], number: int) -> Any:
        """Return the row with that number, modulo the number of rows."""
        return rows[number % len(rows)]

    def script_copies(self, backup: str, outcome: str) -> None:
        """Set how the copies of a backup end that are requested from now on."""
        script = {"mode": "seconds", "seconds": 1500, "outcome": outcome}
        self.control.change_backup(self.backups[backup], copy=script)


def require_no_secret(known: list[Known]) -> None:
    """The state has neither the password nor a token."""
    stored = json.dumps([[row.inputs, row.outputs] for row in known])
    assert PASSWORD not in stored
    assert "MII" not in stored


def name_of(names: dict[str, Any], value: Any) -> str:
    """Return the name of a value in this test."""
    return next(name for name, named in names.items() if named == value)


def urn_of(kind: str, name: str) -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:test::p::{kind}::{name}"


@contextmanager
def serving_for(slot: str) -> Iterator[None]:
    """Make the calls inside about one single replication."""
    with serving(Call(urn=urn_of("BackupReplication", slot))):
        yield


def run(
    machine: type[History],
    count: int,
    steps: int,
    number: int,
    announce: Callable[[str], None],
) -> None:
    """Run a number of histories, always the same ones, and report what they contained.

    Args:
        number: what the dice begin with; chosen so that everything that can happen does.
    """
    run_state_machine_as_test(
        seed(number)(machine),
        settings=settings(
            max_examples=count,
            stateful_step_count=steps,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )

    injected = ", ".join(f"{name} {amount}" for name, amount in sorted(machine.injected.items()))
    announce(", ".join(f"{amount} {name}" for name, amount in sorted(machine.ran.items())))
    announce(f"injected: {injected}")
