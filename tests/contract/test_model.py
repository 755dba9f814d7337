"""Random histories of a stack of replications, with crashes, drift and faults, against a model.

After every step: at most one live replica of a backup in a region, nothing copied that was never
declared, no secret in the state. After every history, once the faults are over: what is
declared exists, once, where it was declared, or its source is gone and the refusal says so; and
nothing else of ours is left.

A history reads like a script. When one fails, Hypothesis prints the shortest one that still
fails; CONTRIBUTING says how to run it again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pulumi.dynamic import Config, ConfigureRequest
from sqlalchemy import select

from pulumi_huaweicloud_cbr import BackupReplicationProvider, CbrError
from pulumi_huaweicloud_cbr.resources._call import Call, serving
from pulumi_huaweicloud_cbr.resources._operation import begin_operation
from pulumi_huaweicloud_cbr.resources._session import Session, use_session
from pulumi_huaweicloud_cbr.settings import Settings
from simulator.store import Backup, Record
from simulator.testing import InProcessSimulator
from tests.amount import MODEL_EXAMPLES, examples
from tests.contract.rig import PASSWORD, SECOND_VAULT, VAULT, SimulatedClock, declared

pytestmark = pytest.mark.simulator_only

STEPS = 50

SOURCE_REGION = "cn-north-4"
BACKUPS = {
    "erp": "5a863daa-7265-4c0a-822f-e66b2abcfb3d",
    "erp-older": "8db960dd-a598-4f3d-b551-109e5def2e60",
    "web": "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e",
}
"""The first two are of the same server, so that one's replicas could be taken for the other's."""
VAULTS = {
    "east": ("cn-east-3", VAULT),
    "east-second": ("cn-east-3", SECOND_VAULT),
    "south": ("cn-south-1", "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"),
}
SLOTS = ("one", "two", "three")
"""Names of resources in the program."""
LONG_S = 20_000.0

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

injected: Counter[str] = Counter()
ran: Counter[str] = Counter()
GOING = ("deleting", "waiting_delete")


class CrashError(Exception):
    """The process died before what the last call returned was saved."""


@dataclass
class Known:
    """A resource in the state."""

    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]


@dataclass
class State:
    """What the engine keeps: resources by name, and old ones that are still to be deleted."""

    resources: dict[str, Known] = field(default_factory=dict)
    to_delete: list[tuple[str, Known]] = field(default_factory=list)


class Stack(RuleBasedStateMachine):
    """Some resources in a stack, as the engine drives them."""

    @initialize()
    def start(self) -> None:
        """Begin with an empty stack and a program that declares one replication."""
        self.simulator = InProcessSimulator()
        address = f"{self.simulator.url}/regions/{{region}}"
        configuration = {
            "huaweicloud:region": SOURCE_REGION,
            "huaweicloud:userName": "ops-replicator",
            "huaweicloud:password": PASSWORD,
            "huaweicloud:domainName": "acme-cloud",
            # Copies take hours of virtual time; more looks at them would tell nothing more.
            "huaweicloud:pollInterval": "900",
            "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        }
        self.session = Session(
            Settings.load(configuration.get, {}),
            transport=self.simulator.transport(),
            clock=SimulatedClock(self.simulator),
        )
        use_session(self.session)
        self.provider = BackupReplicationProvider()
        self.provider.configure(ConfigureRequest(Config(configuration, "p")))
        self.control = self.simulator.control
        self.state = State()
        self.program: dict[str, dict[str, Any]] = {"one": wanted("erp", "east")}
        self.ever_declared = {copy_of(self.program["one"])}
        self.let_go: set[tuple[str, str]] = set()
        self.unsaved: set[tuple[str, str]] = set()
        self.late: set[str] = set()
        self.expired: set[str] = set()
        self.lost_vaults: set[str] = set()
        self.saves_left: int | None = None

    def teardown(self) -> None:
        """End the history: without faults, everything comes to be as declared."""
        if not hasattr(self, "simulator"):
            return
        try:
            self.converge()
        finally:
            self.session.close()
            self.simulator.close()

    # -- what people do -----------------------------------------------------------------------

    @rule(
        slot=st.sampled_from(SLOTS),
        backup=st.sampled_from(sorted(BACKUPS)),
        vault=st.sampled_from(sorted(VAULTS)),
        name=st.sampled_from([None, "dr-1", "dr-2"]),
        description=st.sampled_from([None, "d"]),
    )
    def declare(
        self, slot: str, backup: str, vault: str, name: str | None, description: str | None
    ) -> None:
        """Declare a replication, or edit one; no two resources may be about the same copy."""
        new = wanted(backup, vault, name=name, description=description)
        others = {copy_of(row) for other, row in self.program.items() if other != slot}
        if copy_of(new) in others:
            return
        self.program[slot] = new
        self.ever_declared.add(copy_of(new))
        self.let_go.discard(copy_of(new))

    @rule(slot=st.sampled_from(SLOTS))
    def undeclare(self, slot: str) -> None:
        """Take a replication out of the program."""
        self.program.pop(slot, None)

    @precondition(lambda self: bool(self.state.resources))
    @rule(slot=st.sampled_from(SLOTS), to=st.sampled_from(SLOTS))
    def rename_resource(self, slot: str, to: str) -> None:
        """Give a resource another name in the program."""
        if slot in self.program and to not in self.program:
            self.program[to] = self.program.pop(slot)

    @precondition(lambda self: bool(self.state.resources))
    @rule(slot=st.sampled_from(SLOTS))
    def let_go_of(self, slot: str) -> None:
        """Take a replication out of program and state with its replica retained."""
        known = self.state.resources.pop(slot, None)
        self.program.pop(slot, None)
        if known is not None:
            ran["let_go"] += 1
            self.let_go.add(copy_of(known.inputs))

    @rule()
    def up(self) -> None:
        """Run `up`; it may fail, and then the engine keeps what it knew."""
        self.attempt(self.bring_up)

    @precondition(lambda self: not self.is_known())
    @rule(saves=st.integers(0, 2))
    def up_and_crash(self, saves: int) -> None:
        """Run `up` and die, with what the call after so many saves returned not saved."""
        injected["crash during up"] += 1
        self.saves_left = saves
        self.attempt(self.bring_up)
        self.saves_left = None

    @rule(slot=st.sampled_from(SLOTS))
    def up_replace(self, slot: str) -> None:
        """Run `up --replace` for one resource."""
        self.attempt(lambda: self.bring_up(replacing=slot))

    @rule()
    def refresh(self) -> None:
        """Run `refresh`."""
        self.attempt(self.look)

    @rule()
    def destroy(self) -> None:
        """Run `destroy`."""
        self.attempt(self.take_down)

    # -- what happens meanwhile -----------------------------------------------------------------

    @rule(seconds=st.sampled_from([1.0, 600.0, 10_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let copies and deletions go on."""
        self.control.advance(seconds)

    @rule(what=st.sampled_from(sorted(FAULTS)))
    def go_wrong_soon(self, what: str) -> None:
        """Have something go wrong soon."""
        injected[what] += 1
        self.control.fault(**FAULTS[what])

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def lose_replica(self, number: int) -> None:
        """Have a replica gone, whether it is whole or still being received."""
        replica = self.one_of(self.replicas(), number)
        is_whole = replica.status not in ("waiting_protect", "protecting")
        injected["replica lost" if is_whole else "replica lost during its copy"] += 1
        self.control.forget_backup(replica.id)

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def delete_replica_by_hand(self, number: int) -> None:
        """Have somebody delete a replica in the console, which takes its time."""
        replica = self.one_of(self.replicas(), number)
        with self.simulator.cloud.session() as session:
            row = session.get(Backup, replica.id)
            if row is not None and row.status == "available":
                injected["replica deleted by hand"] += 1
                self.simulator.cloud.deletions.begin(session, row)

    @precondition(lambda self: any(row.is_open for row in self.records()))
    @rule(number=st.integers(0, 9))
    def come_late(self, number: int) -> None:
        """Have a replica that is being received not to be seen at the first looks."""
        record = self.one_of([row for row in self.records() if row.is_open], number)
        if record.replica_id in self.late:
            return
        injected["replica late"] += 1
        self.late.add(record.replica_id)
        refusal: dict[str, Any] = {"action": "respond", "status": 404, "body": MISSING}
        path = f"/backups/{record.replica_id}$"
        self.control.fault(operation="ShowBackup", path=path, times=3, **refusal)

    @precondition(lambda self: bool(self.replicas()))
    @rule(number=st.integers(0, 9))
    def rename_replica(self, number: int) -> None:
        """Have somebody rename a replica."""
        injected["replica renamed"] += 1
        self.control.change_backup(self.one_of(self.replicas(), number).id, name="somebody-elses")

    @precondition(lambda self: bool(self.records()))
    @rule(number=st.integers(0, 9))
    def lose_record(self, number: int) -> None:
        """Have a record no longer listed, while its copy goes on and its replica stays."""
        injected["record lost"] += 1
        self.control.forget_record(self.one_of(self.records(), number).id)

    @rule(backup=st.sampled_from(sorted(BACKUPS)))
    def expire(self, backup: str) -> None:
        """Have a source backup expire, also while it is being copied."""
        if backup in self.expired:
            return
        is_copying = any(
            row.is_open and row.source_backup_id == BACKUPS[backup] for row in self.records()
        )
        injected["source expired during its copy" if is_copying else "source expired"] += 1
        self.expired.add(backup)
        self.control.forget_backup(BACKUPS[backup])

    @rule(
        vault=st.sampled_from(sorted(VAULTS)),
        how=st.sampled_from(["frozen", "full", "available", "lost"]),
    )
    def change_vault(self, vault: str, how: str) -> None:
        """Have a vault frozen, full, usable again, or gone with everything in it."""
        _, vault_id = VAULTS[vault]
        if vault in self.lost_vaults:
            return
        injected[f"vault {how}"] += 1
        if how == "lost":
            self.lost_vaults.add(vault)
            self.control.forget_vault(vault_id)
        elif how == "full":
            self.control.change_vault(vault_id, size_gb=1)
        else:
            self.control.change_vault(vault_id, status=how, size_gb=1000)

    @rule(
        backup=st.sampled_from(sorted(BACKUPS)),
        outcome=st.sampled_from(["fail", "skip", "success"]),
    )
    def decide_copies(self, backup: str, outcome: str) -> None:
        """Decide how the next copies of a backup end."""
        if backup not in self.expired:
            injected[f"copies {outcome}"] += 1
            self.script_copies(backup, outcome)

    # -- the engine ---------------------------------------------------------------------------

    def attempt(self, operation: Callable[[], None]) -> None:
        """Run an operation that may fail in any of the ways that we promise, and in no other."""
        ran["operations"] += 1
        begin_operation()
        told = ""
        try:
            operation()
        except CrashError:
            ran["crashed"] += 1
        except CbrError as error:
            ran["failed"] += 1
            told = str(error)
        assert "\n" not in told

    def save(self) -> None:
        """Save what a call returned, or die first."""
        if self.saves_left is not None:
            if self.saves_left == 0:
                raise CrashError
            self.saves_left -= 1

    def bring_up(self, replacing: str | None = None) -> None:
        """Do what `up` does: leave, change, replace and make, then delete what is left over."""
        state = self.state
        for slot in SLOTS:
            if slot in self.program:
                self.bring_about(slot, self.program[slot], is_replaced=slot == replacing)
        for slot in [slot for slot in state.resources if slot not in self.program]:
            self.delete(slot, state.resources[slot])
            del state.resources[slot]
        self.delete_left_over()

    def bring_about(self, slot: str, program: dict[str, Any], *, is_replaced: bool) -> None:
        """Do what `up` does with one resource of the program."""
        known = self.state.resources.get(slot)
        if known is None:
            self.make(slot, program)
            return
        if is_replaced:
            # The engine asks for no diff then.
            self.make(slot, program, old=known)
            return
        with serving_for(slot):
            inputs = self.provider.check(known.inputs, program).inputs
            difference = self.provider.diff(known.id, known.outputs, inputs)
        if not difference.replaces:
            if difference.changes:
                with serving_for(slot):
                    outputs = self.provider.update(known.id, known.outputs, inputs).outs
                self.save()
                self.state.resources[slot] = Known(known.id, inputs, dict(outputs or {}))
            return
        # The engine checks what is to replace before it deletes anything.
        self.check_new(slot, program)
        if difference.delete_before_replace:
            self.delete(slot, known)
            del self.state.resources[slot]
            self.make(slot, program)
        else:
            self.make(slot, program, old=known)

    def check_new(self, slot: str, program: dict[str, Any]) -> dict[str, Any]:
        """Check a resource that is to be made."""
        with serving_for(slot):
            checked = self.provider.check({}, program)
        if checked.failures:
            raise CbrError(checked.failures[0].reason)
        return checked.inputs

    def make(self, slot: str, program: dict[str, Any], old: Known | None = None) -> None:
        """Create; an old one is deleted in the end."""
        inputs = self.check_new(slot, program)
        self.unsaved.add(copy_of(program))
        with serving_for(slot):
            result = self.provider.create(inputs)
        self.save()
        self.unsaved.discard(copy_of(program))
        self.state.resources[slot] = Known(str(result.id), inputs, dict(result.outs or {}))
        if old is not None:
            self.state.to_delete.append((slot, old))

    def delete(self, slot: str, known: Known) -> None:
        """Delete."""
        with serving_for(slot):
            self.provider.delete(known.id, known.outputs)
        self.save()

    def delete_left_over(self) -> None:
        """Delete what replacements left over."""
        while self.state.to_delete:
            self.delete(*self.state.to_delete[0])
            self.state.to_delete.pop(0)

    def look(self) -> None:
        """Refresh, and drop what is gone."""
        for slot, known in list(self.state.resources.items()):
            with serving_for(slot):
                result = self.provider.read(known.id, known.outputs)
            if not result.id:
                del self.state.resources[slot]
                continue
            known.outputs = dict(result.outs or {})
            known.inputs = result.inputs or known.inputs

    def take_down(self) -> None:
        """Delete everything that the state knows."""
        for slot, known in list(self.state.resources.items()):
            self.delete(slot, known)
            del self.state.resources[slot]
        self.delete_left_over()

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No copy is there twice, none that was never declared, and no secret in the state."""
        if not hasattr(self, "simulator"):
            return
        ran["steps"] += 1
        live = self.live_copies()
        for copy, count in live.items():
            assert count <= 1, f"{copy} was copied {count} times"
        assert set(live) <= self.ever_declared, f"never declared: {set(live) - self.ever_declared}"
        known = [*self.state.resources.values(), *(row for _, row in self.state.to_delete)]
        stored = json.dumps([[row.inputs, row.outputs] for row in known])
        assert PASSWORD not in stored
        assert "MII" not in stored

    # -- the end ------------------------------------------------------------------------------

    def converge(self) -> None:
        """Without faults, a refresh and `up`s make the declared true, and nothing else."""
        self.control.drop_faults()
        for backup in set(BACKUPS) - self.expired:
            self.script_copies(backup, "success")
        for vault in set(VAULTS) - self.lost_vaults:
            self.control.change_vault(VAULTS[vault][1], status="available", size_gb=2000)
        self.control.advance(LONG_S)
        begin_operation()
        self.look()
        self.give_up_the_impossible()
        for _ in range(8):
            begin_operation()
            is_refused = False
            try:
                self.bring_up()
            except CbrError as error:
                self.adopt_orphan(error)
                is_refused = True
            self.control.advance(LONG_S)
            begin_operation()
            self.look()
            if not is_refused and self.is_quiet():
                break
        else:
            raise AssertionError("the program and the cloud do not come together")
        self.require_as_declared()

    def give_up_the_impossible(self) -> None:
        """Undeclare what cannot come to be; it has to be refused, naming what is missing."""
        for slot, program in list(self.program.items()):
            known = self.state.resources.get(slot)
            has_it = known is not None and copy_of(known.inputs) == copy_of(program)
            is_settled = has_it and known is not None and not self.is_replaced(slot, known)
            if is_settled:
                continue
            failures = self.provider.check({}, program).failures
            named = {failure.property for failure in failures}
            is_expired = name_of(BACKUPS, program["backup_id"]) in self.expired
            destination = (program["destination_region"], program["destination_vault_id"])
            is_vault_lost = name_of(VAULTS, destination) in self.lost_vaults
            if is_expired:
                assert "backup_id" in named, f"{slot}: want a refusal of backup_id, got {failures}"
            if is_vault_lost:
                assert "destination_vault_id" in named, f"{slot}: got {failures}"
            if is_expired or is_vault_lost:
                ran["refused at the end"] += 1
                del self.program[slot]

    def is_replaced(self, slot: str, known: Known) -> bool:
        """Whether `up` would replace a resource."""
        with serving_for(slot):
            inputs = self.provider.check(known.inputs, self.program[slot]).inputs
            return bool(self.provider.diff(known.id, known.outputs, inputs).replaces)

    def is_quiet(self) -> bool:
        """Whether `up` would do nothing."""
        if not self.is_known():
            return False
        for slot, known in self.state.resources.items():
            with serving_for(slot):
                inputs = self.provider.check(known.inputs, self.program[slot]).inputs
                if self.provider.diff(known.id, known.outputs, inputs).changes:
                    return False
        return True

    def adopt_orphan(self, error: CbrError) -> None:
        """Do what a conflict's message says about a copy that a crash left.

        One in another vault is adopted from there; one that no record tells of is deleted.
        """
        ran["orphans met"] += 1
        if "lists no replication record" in str(error):
            self.delete_untold(str(error))
            return
        vaults = [vault for _, vault in VAULTS.values()]
        found = [
            vault for vault in vaults if f"set destination_vault_id to '{vault}'" in str(error)
        ]
        assert 1 == len(found), error
        for slot, program in self.program.items():
            if slot in self.state.resources:
                continue
            adopting = {**program, "destination_vault_id": found[0]}
            failures = self.provider.check({}, program).failures
            if any(found[0] in failure.reason for failure in failures):
                self.make(slot, adopting)

    def delete_untold(self, message: str) -> None:
        """Delete by hand the replica that an error says exists, though no record is listed."""
        with self.simulator.cloud.session() as session:
            hidden = list(session.scalars(select(Record).where(Record.is_hidden)))
        present = {row.id for row in self.replicas()}
        (replica_id,) = {
            row.replica_id
            for row in hidden
            if row.replica_id in present
            and row.source_backup_id in message
            and f"'{row.destination_region}'" in message
        }
        self.control.forget_backup(replica_id)

    def require_as_declared(self) -> None:
        """What is declared exists once, where it was declared; nothing else of ours does."""
        live = self.live_copies()
        for slot, program in self.program.items():
            assert 1 == live[copy_of(program)], f"{slot}: want one replica of {copy_of(program)}"
            replica_id = self.state.resources[slot].outputs["destination_backup_id"]
            (replica,) = [row for row in self.replicas() if row.id == replica_id]
            assert program["destination_vault_id"] == replica.vault_id
            assert program.get("name") in (None, replica.name)
        # What a crash left and nobody declared again cannot be known to anybody.
        kept = {copy_of(row) for row in self.program.values()} | self.let_go | self.unsaved
        assert set(live) <= kept, f"left behind: {set(live) - kept}"

    # -- the truth ----------------------------------------------------------------------------

    def replicas(self) -> list[Backup]:
        """Return all replicas outside of the source region, in the order of their making."""
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

    def live_copies(self) -> Counter[tuple[str, str]]:
        """Count the live replicas of each backup in each region, by their names here."""
        present = {row.id for row in self.replicas() if row.status not in GOING}
        with self.simulator.cloud.session() as session:
            records = list(session.scalars(select(Record)))
        return Counter(
            (name_of(BACKUPS, row.source_backup_id), row.destination_region)
            for row in records
            if row.replica_id in present
        )

    def is_known(self) -> bool:
        """Whether the state has all that is declared, and nothing else."""
        state = self.state
        return set(state.resources) == set(self.program) and not state.to_delete

    def one_of(self, rows: list[Any], number: int) -> Any:
        """Return the row of that number, counted round."""
        return rows[number % len(rows)]

    def script_copies(self, backup: str, outcome: str) -> None:
        """Say how the copies of a backup end that are asked for from now on."""
        script = {"mode": "seconds", "seconds": 1500, "outcome": outcome}
        self.control.change_backup(BACKUPS[backup], copy=script)


def wanted(backup: str, vault: str, **more: Any) -> dict[str, Any]:
    """Return a program's inputs."""
    region, vault_id = VAULTS[vault]
    return declared(
        backup_id=BACKUPS[backup], destination_region=region, destination_vault_id=vault_id, **more
    )


def copy_of(inputs: dict[str, Any]) -> tuple[str, str]:
    """Return which copy inputs are about: the backup's name and the region."""
    return name_of(BACKUPS, inputs["backup_id"]), inputs["destination_region"]


def name_of(names: dict[str, Any], value: Any) -> str:
    """Return the name that a value has here."""
    return next(name for name, named in names.items() if named == value)


@contextmanager
def serving_for(slot: str) -> Iterator[None]:
    """Have the calls inside be about one resource."""
    with serving(Call(urn=f"urn:pulumi:test::p::BackupReplication::{slot}")):
        yield


def test_random_histories(announce: Callable[[str], None]) -> None:
    """Declared equals replicated, once, whatever happened in between."""
    run_state_machine_as_test(
        Stack,
        settings=settings(
            max_examples=examples(MODEL_EXAMPLES),
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    announce(", ".join(f"{count} {name}" for name, count in sorted(ran.items())))
    announce("injected: " + ", ".join(f"{name} {n}" for name, n in sorted(injected.items())))
