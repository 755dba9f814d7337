"""Random histories of an entire vault and of a wait for it, with crashes, drift and faults.

After every step:

- At most one replica of a backup is in a region, and nothing is copied to a place that was never
  declared.
- The state has no row that contradicts CBR, and no secret.

After every call:

- A poll or a wait has written nothing.
- An update has deleted nothing.
- A refresh has dropped no replica that exists.
- No replica whose source is gone was deleted, unless that was forced.
- A wait that succeeded has seen the replica of every copy.

After every history, once the faults are over: each backup that CBR may copy has one replica, and
the state knows it. The others were copied before, and their replicas deleted. A wait for all
succeeds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select

from pulumi_huaweicloud_cbr import (
    CbrError,
    ReplicationsCompleteProvider,
    ReplicationsFailedError,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError, UnexpectedError
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, merge_groups
from simulator.cloud.errors import RefusalError
from simulator.cloud.rules.copy_refusals import Destination
from simulator.cloud.store import Backup, FaultRow, JournalRow, next_sequence
from tests.amount import VAULT_EXAMPLES, examples
from tests.contract import fleet_model
from tests.contract.fleet_model import (
    Declared,
    FleetHistory,
    FleetState,
    Place,
    place_of,
    records_in,
)
from tests.contract.model import (
    FAULTS,
    VAULTS,
    CrashError,
    Known,
    name_of,
    require_no_secret,
    run,
)
from tests.contract.rig import WRITES

pytestmark = pytest.mark.simulator_only

STEPS = 50
SEED = 71
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
IN_THE_MAKING = "b0ec9300-d8cb-4260-8884-43c180125193"
TO_COME = {f"next-{number}": f"b0ec9300-d8cb-4260-8884-43c18012519{number}" for number in range(6)}
"""Backups that are incomplete at the beginning."""
BACKUPS = {**fleet_model.BACKUPS, **TO_COME}
MOST_MOVED = 3
PROJECTS = {
    "cn-east-3": "863129926600475a959e8f2efb991722",
    "cn-south-1": "4b1d8b3a0e5f4c0d9b6a7f8e9d0c1b2a",
}
BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}
UNCLEAR = {"error_code": "BackupService.9910", "error_msg": "Unknown error."}
NOTHING_TAKEN = {"replication": {"vault_id": SOURCE_VAULT, "backups": []}}
LEFT_OUT = "submission answered with nothing taken"
VAULT_FAULTS: dict[str, dict[str, Any]] = {
    **{
        name: {**fault, "operation": "CopyCheckpoint"}
        for name, fault in FAULTS.items()
        if fault.get("operation") == "CopyBackup"
    },
    **{
        name: fault
        for name, fault in FAULTS.items()
        if fault.get("operation") not in ("CopyBackup", "UpdateBackup")
    },
    "submission accepted, error unclear": {
        "operation": "CopyCheckpoint",
        "action": "respond_after",
        "status": 500,
        "body": UNCLEAR,
    },
    "submission accepted, told busy": {
        "operation": "CopyCheckpoint",
        "action": "respond_after",
        "status": 400,
        "body": BUSY,
    },
    "vault busy for a while": {
        "operation": "CopyCheckpoint",
        "action": "respond",
        "status": 400,
        "body": BUSY,
        "times": 2,
    },
    "vault stays busy": {
        "operation": "CopyCheckpoint",
        "action": "respond",
        "status": 400,
        "body": BUSY,
        "times": 6,
    },
    LEFT_OUT: {
        "operation": "CopyCheckpoint",
        "action": "respond",
        "status": 200,
        "body": NOTHING_TAKEN,
    },
    "lists fail": {"operation": "ListBackups", "action": "drop_before", "times": 2},
    "lists fail for long": {
        "operation": "ListBackups",
        "action": "respond",
        "status": 503,
        "times": 9,
    },
}
THEN = st.sampled_from(["nothing", "up", "up and wait"])
"""What follows an edit."""


@dataclass
class Program(Place):
    """What the program declares."""

    adopt: bool = True

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs that the engine receives."""
        return {"vault_id": SOURCE_VAULT, "adopt": self.adopt, **self.destination}


@dataclass
class State(FleetState):
    """What the engine keeps of an entire vault, and of the wait for it."""

    wait: Known | None = None


@dataclass
class Death(httpx.AsyncBaseTransport):
    """Connects to the cloud until the process dies. The last request may have been executed.

    Args:
        left: this many requests, or writes, are answered before; None: it does not die.
    """

    inner: httpx.AsyncBaseTransport
    left: int | None = None
    is_of_writes: bool = False
    is_after: bool = False
    has_come: bool = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        if self.has_come:
            raise CrashError
        is_counted = not self.is_of_writes or (
            request.method in WRITES and not request.url.path.endswith("/auth/tokens")
        )
        if self.left is None or not is_counted:
            return await self.inner.handle_async_request(request)
        if self.left:
            self.left -= 1
            return await self.inner.handle_async_request(request)
        self.has_come = True
        if self.is_after:
            await self.inner.handle_async_request(request)
        raise CrashError


class VaultStack(FleetHistory):
    """A stack with one entire vault and one wait, driven as by the engine."""

    kind = "VaultReplication"
    backups = BACKUPS
    most_expired = 4
    state: State
    # Each waiting row advances the one clock. Together they must stay far below the time that a
    # deletion may take.
    poll_interval_s = 60

    @initialize(is_on_host=st.booleans(), is_refreshed=st.booleans())
    def start(self, is_on_host: bool, is_refreshed: bool) -> None:
        """Begin with an empty stack, and decide whether each `up` at the end follows a refresh."""
        self.waiter = ReplicationsCompleteProvider()
        self.begin_empty(VaultReplicationProvider(), self.waiter, is_on_host=is_on_host)
        self.add_backups_to_come()
        names = {row["id"]: row["name"] for row in self.control.state()["vaults"]}
        self.other_vault = name_of(names, "prod-files")
        self.is_refreshed = is_refreshed
        self.state = State()
        self.program: Program | None = Program()
        self.has_left_out = False
        self.has_come: set[str] = set()
        self.restoring: set[str] = set()
        self.moved: set[str] = set()
        self.by_hand: set[str] = set()
        self.unsaved: set[str] = set()

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return the connection to the cloud; a process can die on it."""
        self.death = Death(self.simulator.transport())
        return self.death

    def add_backups_to_come(self) -> None:
        """Create several incomplete backups; the demo world has one."""
        names = [column.name for column in Backup.__table__.columns]
        with self.simulator.cloud.session() as session:
            one = session.get(Backup, IN_THE_MAKING)
            assert one is not None
            columns = {name: getattr(one, name) for name in names}
            session.delete(one)
            for id_ in TO_COME.values():
                columns |= {"id": id_, "checkpoint_id": id_}
                columns["sequence"] = next_sequence(session, Backup.sequence)
                session.add(Backup(**columns))

    # -- what users do ------------------------------------------------------------------------

    @rule(vault=st.sampled_from(sorted(VAULTS)), then=THEN)
    def move(self, vault: str, then: str) -> None:
        """Declare another destination, or declare the entire vault again."""
        if self.program is None:
            self.program = Program(vault)
        self.program.vault = vault
        self.go_on(then)

    @rule(preflight=st.sampled_from(["error", "warn", "off"]), adopt=st.booleans(), then=THEN)
    def choose(self, preflight: str, adopt: bool, then: str) -> None:
        """Declare the preflight mode, and whether copies of others are adopted."""
        if self.program is not None:
            self.program.preflight, self.program.adopt = preflight, adopt
        self.go_on(then)

    @rule(then=THEN)
    def rename_resource(self, then: str) -> None:
        """Rename the resource in the program."""
        self.remake(is_named=True)
        self.go_on(then)

    @rule(is_waited=st.booleans())
    def up_replace(self, is_waited: bool) -> None:
        """Run `up --replace`."""
        was_remade = self.is_remade
        self.remake(is_named=False)
        self.up(is_waited)
        # The option applied to that run only.
        self.is_remade = self.is_remade and was_remade

    @rule()
    def undeclare(self) -> None:
        """Remove the entire vault from the program, and run `up`."""
        self.program = None
        self.up(is_waited=False)

    def go_on(self, then: str) -> None:
        """Run `up` after an edit, as users usually do."""
        if then != "nothing":
            self.up(is_waited=then == "up and wait")

    @rule(is_waited=st.booleans())
    def up(self, is_waited: bool) -> None:
        """Run `up`, for everything or for the entire vault only."""
        self.attempt(lambda: self.bring_up(is_waited=is_waited))

    @rule()
    def preview(self) -> None:
        """Run `preview`."""
        self.attempt(self.show)

    @rule(
        command=st.sampled_from(["up", "up and wait", "destroy"]),
        survived=st.sampled_from([0, 0, 1, 2, 3, 4, 6, 8]),
        is_of_writes=st.booleans(),
        is_after=st.booleans(),
        is_run_again=st.booleans(),
    )
    def crash(
        self,
        command: str,
        survived: int,
        is_of_writes: bool,
        is_after: bool,
        is_run_again: bool,
    ) -> None:
        """Run a command and die at one of its requests, or writes. Perhaps run it again."""
        if command == "destroy":
            operation = self.take_down
        else:

            def operation() -> None:
                self.bring_up(is_waited=command == "up and wait")

        self.death.is_of_writes, self.death.is_after = is_of_writes, is_after
        self.death.left = survived % 4 if is_of_writes else survived
        self.attempt(operation)
        self.death.left = None
        if is_run_again:
            self.attempt(operation)

    # -- what happens meanwhile ---------------------------------------------------------------

    @rule(what=st.sampled_from(sorted(VAULT_FAULTS)), then=THEN)
    def go_wrong_soon(self, what: str, then: str = "nothing") -> None:
        """Make a request fail soon."""
        self.injected[what] += 1
        self.has_left_out |= what == LEFT_OUT
        self.control.fault(**VAULT_FAULTS[what])
        self.go_on(then)

    @rule(outcome=st.sampled_from(["success", "success", "fail", "skip"]), then=THEN)
    def come_into_vault(self, outcome: str, then: str) -> None:
        """Complete the next backup, and decide how its copies will end."""
        left = [backup for backup in TO_COME if backup not in self.has_come | self.expired]
        if left:
            self.injected["backup came"] += 1
            self.has_come.add(left[0])
            self.script_copies(left[0], outcome)
            self.control.change_backup(BACKUPS[left[0]], status="available")
        self.go_on(then)

    @rule(number=st.integers(0, 9))
    def restore(self, number: int) -> None:
        """Start a restore of a source backup, during which it cannot be copied, or end it."""
        backup = self.one_of(sorted(self.backups), number)
        if backup in self.restoring - self.expired:
            self.restoring.discard(backup)
            self.control.change_backup(BACKUPS[backup], status="available")
        elif self.is_fit(backup):
            self.injected["source being restored"] += 1
            self.restoring.add(backup)
            self.control.change_backup(BACKUPS[backup], status="restoring")

    @precondition(lambda self: len(self.moved) < MOST_MOVED)
    @rule(number=st.integers(0, 9), then=THEN)
    def move_source(self, number: int, then: str) -> None:
        """Move a source backup to another vault, or back."""
        backup = self.one_of(sorted(self.backups), number)
        if backup not in self.expired:
            self.injected["source moved"] += 1
            self.moved ^= {backup}
            vault_id = self.other_vault if backup in self.moved else SOURCE_VAULT
            self.control.change_backup(BACKUPS[backup], vault_id=vault_id)
        self.go_on(then)

    @rule(number=st.integers(0, 9), vault=st.sampled_from(sorted(VAULTS)))
    def copy_by_hand(self, number: int, vault: str) -> None:
        """Copy a backup as in the console, if CBR allows it."""
        region, vault_id = VAULTS[vault]
        with self.simulator.cloud.session() as session:
            backup = session.get(Backup, BACKUPS[self.one_of(sorted(self.backups), number)])
            if backup is None:
                return
            wanted = Destination(region, PROJECTS[region], vault_id)
            try:
                record = self.simulator.cloud.copies.replicate(session, backup, wanted, None, None)
            except RefusalError:
                return
            self.injected["copied by hand"] += 1
            self.by_hand.add(record.id)

    # -- the engine ---------------------------------------------------------------------------

    def attempt(self, operation: Callable[[], None]) -> None:
        """Run an operation in a process that may die."""

        def mortal() -> None:
            try:
                operation()
            except (CbrError, UnexpectedError) as error:
                if self.death.has_come:
                    raise CrashError from error
                raise

        super().attempt(mortal)
        self.end_lateness()
        if self.death.has_come:
            self.session.close()
            self.connect()

    def end_lateness(self) -> None:
        """Make replicas visible from now on: a list may have shown one that a read did not."""
        with self.simulator.cloud.books() as session:
            for row in session.scalars(select(FaultRow)):
                if row.rule["path"] is not None:
                    session.delete(row)

    def declared(self) -> Program | None:
        """Return what the program declares."""
        return self.program

    def save(self) -> None:
        """Save what a call returned, unless the process is dead."""
        if self.death.has_come:
            raise CrashError

    def bring_up(self, *, is_waited: bool = True) -> None:
        """Do what `up` does: the vault's copy, the wait, then what is left over."""
        if self.program is None:
            self.take_down()
            return
        known = self.state.known
        if known is None or self.is_remade:
            self.make(self.program, replaced=known)
        else:
            self.change(known, self.program)
        if is_waited:
            self.wait()
        self.delete_left_over()

    def change(self, known: Known, program: Program) -> None:
        """Do what `up` does with an existing resource: nothing, an update or a replacement."""
        inputs = self.checked(known.inputs, program)
        with self.allowing():
            difference = self.about(known).diff(known.id, known.outputs, inputs)
        if not difference.replaces:
            if difference.changes or self.state.is_in_error:
                self.update(known, inputs)
            return
        self.require_replaceable(known, program)
        # The engine checks a replacement before it deletes anything.
        self.checked({}, program)
        if difference.delete_before_replace:
            self.delete(known)
            self.state.known = None
            self.make(program)
        else:
            self.make(program, replaced=known)

    def checked(self, olds: dict[str, Any], program: Declared) -> dict[str, Any]:
        """Check; it writes nothing."""
        with self.allowing():
            return super().checked(olds, program)

    def make(self, program: Program, replaced: Known | None = None) -> None:
        """Create; the resource that it replaces is deleted at the end."""
        inputs = self.checked({}, program)
        with self.allowing(copies_to=program):
            try:
                result = self.about().create(inputs)
            except PartialResultError as error:
                if self.is_on_host:
                    made = Known(error.id, inputs, error.outputs, self.name)
                    self.keep(made, replaced=replaced, is_in_error=True)
                raise
        made = Known(str(result.id), inputs, dict(result.outs or {}), self.name)
        self.keep(made, replaced=replaced)

    def update(self, known: Known, inputs: dict[str, Any]) -> None:
        """Update; it deletes nothing and forgets no replica."""
        assert self.program is not None
        with self.allowing(copies_to=self.program):
            try:
                outputs = dict(self.about(known).update(known.id, known.outputs, inputs).outs or {})
                failure = None
            except PartialResultError as error:
                outputs, failure = error.outputs, error
        self.require_nothing_forgotten(known.outputs, outputs)
        if failure is None:
            self.keep(Known(known.id, inputs, outputs, known.name))
            return
        if self.is_on_host:
            self.keep(Known(known.id, inputs, outputs, known.name), is_in_error=True)
        raise failure

    def keep(
        self, known: Known, *, replaced: Known | None = None, is_in_error: bool = False
    ) -> None:
        """Save what a call returned, or die."""
        super().keep(known, replaced=replaced, is_in_error=is_in_error)
        self.unsaved -= records_in(known)

    def delete(self, known: Known) -> None:
        """Delete its replicas, but none that the resource of the program has."""
        declared = self.state.known
        held: set[str] = set()
        if declared is not None and declared is not known:
            held = records_in(declared)
            is_renamed = declared.name != known.name and place_of(declared) == place_of(known)
            if is_renamed and not self.is_forced and self.kept_by(known) - held:
                # Nobody asked to lose what the renamed resource could not find.
                with self.allowing(), pytest.raises(CbrError) as caught:
                    self.about(known).delete(known.id, known.outputs)
                raise caught.value
        truth = self.all_records()
        mine = {truth[record_id].replica_id for record_id in records_in(known) - held}
        last = self.last_request()
        with self.allowing(deletions=mine):
            try:
                self.about(known).delete(known.id, known.outputs)
            finally:
                self.require_last_copies_spared(last)
        self.save()

    def require_last_copies_spared(self, last: int) -> None:
        """No last copy was deleted, unless that is forced."""
        for replica_id, request in self.deletions_since(last).items():
            backup = name_of(BACKUPS, self.record_of(replica_id).source_backup_id)
            is_last = self.is_last_copy_at(backup, request)
            assert self.is_forced or not is_last, f"the last copy of {backup} was deleted"

    def look(self) -> None:
        """Refresh; what it drops is gone."""
        known = self.state.known
        if known is None:
            return
        with self.allowing():
            result = self.about(known).read(known.id, known.outputs)
        assert known.id == result.id
        outputs = dict(result.outs or {})
        self.require_nothing_forgotten(known.outputs, outputs)
        self.save()
        known.outputs = outputs
        known.inputs = result.inputs or known.inputs

    def show(self) -> None:
        """Do what `preview` does; it writes nothing."""
        known, program = self.state.known, self.program
        if program is None:
            return
        if known is None or self.is_remade:
            self.checked({}, program)
            return
        inputs = self.checked(known.inputs, program)
        with self.allowing():
            difference = self.about(known).diff(known.id, known.outputs, inputs)
        if difference.replaces:
            self.require_replaceable(known, program)
            self.checked({}, program)
        self.ran["previews with a change" if difference.changes else "previews without"] += 1

    def take_down(self) -> None:
        """Delete everything in the state."""
        self.state.wait = None
        super().take_down()

    def wait(self) -> None:
        """Wait for all copies, if there are new ones."""
        known, old = self.state.known, self.state.wait
        assert known is not None
        inputs = {
            "replications": merge_groups([tracking_of(known)]),
            "known_replicas": {
                row["replication_record_id"]: row["destination_backup_id"]
                for row in known.outputs["members"].values()
                if "destination_backup_id" in row
            },
        }
        with self.allowing():
            checked = self.waiter.check(old.inputs if old else {}, inputs)
            assert [] == checked.failures
            inputs = checked.inputs
            try:
                if old is None:
                    result: Any = self.waiter.create(inputs)
                elif self.waiter.diff(old.id, old.outputs, inputs).changes:
                    result = self.waiter.update(old.id, old.outputs, inputs)
                else:
                    return
            except ReplicationsFailedError as error:
                self.require_failed(error.record_ids)
                raise
        outputs = dict(result.outs or {})
        self.require_complete(known, outputs, old)
        self.save()
        self.state.wait = Known("replications-complete", inputs, outputs)

    # -- what must hold after each call ---------------------------------------------------------

    @contextmanager
    def allowing(
        self, *, copies_to: Program | None = None, deletions: Collection[str] = ()
    ) -> Iterator[None]:
        """Allow a call only these writes, whatever its result."""
        last = self.last_request()
        before = set(self.all_records())
        try:
            yield
        finally:
            self.session.run(others_ended())
            writes = self.writes_since(last)
            deleted = {row.backup_id for row in writes if row.operation == "DeleteBackup"}
            others = {row.operation for row in writes} - {"DeleteBackup"}
            assert others <= ({"CopyCheckpoint"} if copies_to is not None else set())
            assert deleted <= set(deletions), f"deleted {deleted - set(deletions)}"
            new = [row for row in self.all_records().values() if row.id not in before]
            for row in new:
                assert copies_to is not None
                assert VAULTS[copies_to.vault] == (row.destination_region, row.destination_vault_id)
                assert row.of_whole_vault
                assert row.source_backup_id in BACKUPS.values()
            self.unsaved |= {row.id for row in new}
            self.ran["copies"] += len(new)
            self.ran["deletions"] += len(deleted)

    def require_nothing_forgotten(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        """Each former row whose copy exists, or is still expected, has its row."""
        kept = {row["replication_record_id"] for row in new["members"].values()}
        live = self.live_replicas()
        for label, row in old["members"].items():
            record_id = row["replication_record_id"]
            assert record_id in kept or record_id not in live, f"forgotten: {label}"

    def require_replaceable(self, known: Known, program: Program) -> None:
        """Nothing that could not be made again may be replaced, unless that is wanted."""
        self.ran["replacements allowed"] += 1
        assert not self.last_copies(records_in(known)), "orphans would be deleted"
        assert program.preflight == "warn" or not self.strays(known), "strays would be deleted"
        if known.outputs["destination_region"] == program.region:
            is_lost = program.preflight == "warn"
            assert is_lost or not self.kept_by(known), "replicas would be lost"

    def require_failed(self, record_ids: Collection[str]) -> None:
        """A wait that reports failed copies is right."""
        self.ran["waits failed"] += 1
        truth = self.all_records()
        live = self.live_replicas()
        for record_id in record_ids:
            is_whole = truth[record_id].status == "success" and record_id in live
            assert not is_whole, f"{record_id}: has its replica"
            assert not truth[record_id].is_open, f"{record_id}: is still running"

    def require_complete(self, known: Known, outputs: dict[str, Any], old: Known | None) -> None:
        """A wait that succeeded has seen each replica; those of an earlier wait were seen then."""
        self.ran["waits done"] += 1
        assert records_in(known) == set(outputs["replicas"])
        truth = self.all_records()
        live = self.live_replicas()
        seen_before = set(old.outputs["replicas"]) if old is not None else set()
        for record_id, replica_id in outputs["replicas"].items():
            record = truth[record_id]
            assert replica_id == record.replica_id
            assert not record.is_open, f"{record_id}: is still running"
            assert record.status == "success", f"{record_id}: {record.status}"
            if record_id not in seen_before:
                assert record_id in live, f"{record_id}: its replica is not there"

    # -- what must hold always ------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No copy exists twice, all rows name their own copies, and there is no secret."""
        if not hasattr(self, "simulator"):
            return
        self.require_once()
        state = self.state
        known = [row for row in (state.known, *state.to_delete) if row is not None]
        require_no_secret([*known, *([state.wait] if state.wait else [])])
        truth = self.all_records()
        for resource in known:
            rows = resource.outputs["members"].values()
            assert len(rows) == len({row["backup_id"] for row in rows})
            for row in rows:
                record = truth[row["replication_record_id"]]
                assert record.source_backup_id == row["backup_id"]
                assert record.destination_vault_id == resource.outputs["destination_vault_id"]
                assert row.get("destination_backup_id") in (None, record.replica_id)

    # -- the end ------------------------------------------------------------------------------

    def calm_down(self) -> None:
        """End all restores too."""
        super().calm_down()
        for backup in self.restoring - self.expired:
            self.control.change_backup(BACKUPS[backup], status="available")
        self.restoring.clear()

    def converge(self) -> None:
        """Without faults, `up`s lead to the declared state, as far as CBR allows it.

        There is a refresh before each, or only if an error asks for one.
        """
        self.calm_down()
        self.begin_run()
        self.look_again()
        self.give_up_the_impossible()
        self.come_together()
        self.begin_run()
        self.look()
        self.require_as_declared()
        self.begin_run()
        if self.program is not None:
            self.bring_up(is_waited=True)
        self.require_taken_down()

    def look_again(self) -> None:
        """Refresh, in histories with a refresh before each `up`."""
        if self.is_refreshed:
            self.look()

    def give_up_the_impossible(self) -> None:
        """Undeclare what cannot exist. It must be refused; the refusal names what is to blame."""
        if self.program is None:
            return
        if self.program.preflight == "off":
            # So a preview reports new backups to a user who wants them copied.
            self.program.preflight = "error"
        known = self.state.known
        if known is not None and not self.is_remade and self.is_moved(known, self.program):
            self.move_back_if_refused(known, self.program)
        if self.program.vault not in self.lost_vaults:
            return
        failures = self.about().check({}, {**self.program.inputs, "preflight": "error"}).failures
        assert "destination_vault_id" in {failure.property for failure in failures}, failures
        self.ran["refused at the end"] += 1
        self.program = None

    def move_back_if_refused(self, known: Known, program: Program) -> None:
        """Declare what exists if the other destination is refused, as it must be."""
        inputs = self.about().check(known.inputs, program.inputs).inputs
        is_same_region = known.outputs["destination_region"] == program.region
        lossy = self.kept_by(known) if is_same_region else self.strays(known)
        is_lossy = bool(lossy) and program.preflight != "warn"
        if not (self.last_copies(records_in(known)) or is_lossy):
            return
        with pytest.raises(CbrError) as caught:
            self.about(known).diff(known.id, known.outputs, inputs)
        reasons = (
            "could not be made again",
            "would be deleted and not be made again",
            "CBR does not copy a backup to the same region again",
        )
        assert any(reason in str(caught.value) for reason in reasons), caught.value
        self.ran["moves refused at the end"] += 1
        program.vault = name_of(VAULTS, place_of(known))

    def do_as_told(self, told: str) -> None:
        """Do what a refusal says. It has to be right."""
        assert self.program is not None, told
        if "gone by now" in told:
            return  # The next `up` deletes it.
        if "does not have it yet" in told:
            # No listed record names these replicas, so the renamed resource never finds them.
            self.ran["not found by the renamed one"] += 1
            for old in self.state.to_delete:
                untaken = self.kept_by(old) - records_in(self.state.known or old)
                for record_id in untaken:
                    self.control.forget_backup(self.all_records()[record_id].replica_id)
            return
        if "forceDestroy" in told:
            self.ran["deletions refused at the end"] += 1
            self.force(is_forced=True)
            return
        self.ran["refusals met"] += 1
        truth = self.all_records()
        known = self.state.known
        # For a renamed resource, those of the old one are foreign, too.
        own = records_in(known) if known is not None and not self.is_remade else set()
        there = [truth[key] for key in self.live_replicas() if key not in own]
        region, vault_id = VAULTS[self.program.vault]
        there = [row for row in there if row.destination_region == region]
        if "set adopt to true" in told:
            assert any(row.destination_vault_id == vault_id for row in there), told
            self.program.adopt = True
        elif "set preflight to 'warn'" in told:
            assert any(row.destination_vault_id != vault_id for row in there), told
            self.program.preflight = "warn"
        elif "run pulumi refresh, then pulumi up" in told:
            self.begin_run()
            self.look()
        else:
            assert "BackupService.6130" in told or "run pulumi up again to copy anew" in told, told

    def is_moved(self, known: Known, program: Program) -> bool:
        """Whether the declared destination differs from the state."""
        return place_of(known) != VAULTS[program.vault]

    def require_as_declared(self) -> None:
        """What CBR may copy exists and is known; nothing else of ours exists."""
        truth = self.all_records()
        live = self.live_replicas()
        known, program = self.state.known, self.program
        rows = known.outputs["members"].values() if known is not None else ()
        held = {row["replication_record_id"] for row in rows}
        # What a crash left, and no listed object names, is known to nobody.
        ours = {key for key in live if truth[key].of_whole_vault}
        assert ours <= held | self.unsaved, f"left: {ours - held - self.unsaved}"
        if known is None or program is None:
            return
        for row in rows:
            record_id = row["replication_record_id"]
            assert record_id in live
            assert "success" == truth[record_id].status == row["status"]
            assert truth[record_id].replica_id == row["destination_backup_id"]
            is_expired = name_of(BACKUPS, row["backup_id"]) in self.expired
            assert is_expired == row.get("source_deleted", False)
        for backup in filter(self.is_fit, BACKUPS):
            self.require_copied(backup, program, known)

    def require_copied(self, backup: str, program: Program, known: Known) -> None:
        """A backup has a known replica, or CBR does not copy it (again)."""
        held = records_in(known)
        live = self.live_replicas()
        region, vault_id = VAULTS[program.vault]
        records = [
            row
            for row in self.all_records().values()
            if row.source_backup_id == BACKUPS[backup] and row.destination_region == region
        ]
        there = [row for row in records if row.id in live]
        was_copied = any(row.status == "success" for row in records)
        if BACKUPS[backup] in known.outputs["left_out"]:
            self.ran["left out at the end"] += 1
            is_hidden = was_copied and all(row.is_hidden for row in records if row.id in live)
            assert is_hidden or self.has_left_out, f"{backup}: left out"
        elif not there:
            self.ran["copied before at the end"] += 1
            assert was_copied, f"{backup}: not copied"
        for row in there:
            is_here = row.destination_vault_id == vault_id
            is_wanted = program.adopt or row.id not in self.by_hand | self.unsaved
            if is_here and is_wanted and not row.is_hidden:
                assert row.id in held, f"{backup}: its replica is not known"
            if not is_here:
                self.ran["elsewhere at the end"] += 1
                assert row.id not in held

    def require_taken_down(self) -> None:
        """A `destroy` deletes exactly what the state has."""
        held = records_in(self.state.known) if self.state.known is not None else set()
        others = self.live_replicas() - held
        self.begin_run()
        self.force(is_forced=True)
        self.take_down()
        assert others == self.live_replicas()

    # -- the truth ----------------------------------------------------------------------------

    def is_fit(self, backup: str) -> bool:
        """Whether a backup can be copied now."""
        if backup in self.expired:
            return False
        with self.simulator.cloud.session() as session:
            row = session.get(Backup, BACKUPS[backup])
            is_here = row is not None and row.vault_id == SOURCE_VAULT
            return row is not None and is_here and row.status == "available"

    def strays(self, known: Known) -> set[str]:
        """Return the records of a resource whose replica exists, and whose source moved."""
        moved = {BACKUPS[backup] for backup in self.moved - self.expired}
        truth = self.all_records()
        return {key for key in self.kept_by(known) if truth[key].source_backup_id in moved}

    def kept_by(self, known: Known) -> set[str]:
        """Return the records of a resource whose replica exists."""
        return records_in(known) & self.live_replicas()

    def writes_since(self, number: int) -> list[JournalRow]:
        """Return the write requests to CBR since then."""
        with self.simulator.cloud.books() as session:
            query = select(JournalRow).where(
                JournalRow.sequence > number,
                JournalRow.method.in_(WRITES),
                JournalRow.operation != "CreateToken",
            )
            return list(session.scalars(query))


async def others_ended() -> None:
    """Wait until all polls have ended that began beside a failed one."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)


def tracking_of(known: Known) -> dict[str, Any]:
    """Return what a program passes to the wait."""
    rows = known.outputs["members"].values()
    records = {row["replication_record_id"]: row["backup_id"] for row in rows}
    return {**{key: known.outputs[key] for key in COORDINATES}, "records": records}


def test_random_vault_histories(announce: Callable[[str], None]) -> None:
    """What CBR's rules allow exists once, and a wait that succeeds is right."""
    run(VaultStack, examples(VAULT_EXAMPLES), STEPS, SEED, announce)
