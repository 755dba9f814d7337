"""Random histories of one set of replications, with crashes, drift and faults, against a model.

After every step:

- At most one replica of a backup is in a region, and nothing is copied that was never declared.
- No replica is deleted whose member is still wanted. A last copy is deleted only if that is forced,
  or if it rolls off.
- A rolling set deletes no replica unless enough newer ones exist.
- No row is dropped whose replica exists. A row that should not be there says that it leaves.
- No secret is in the state.

After every history, once the faults are over: each member that can be copied is replicated once,
with its label and name. What cannot be copied is refused by name. Nothing else of ours is left.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from pulumi_huaweicloud_cbr import BackupReplicationSetProvider, CbrError
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError
from simulator.cloud.store import Record
from tests.amount import SET_EXAMPLES, examples
from tests.contract.fleet_model import (
    BACKUPS,
    FleetHistory,
    FleetState,
    Place,
    place_of,
    records_in,
)
from tests.contract.model import PREFLIGHT, VAULTS, Known, name_of, require_no_secret, run

pytestmark = pytest.mark.simulator_only

STEPS = 50
SEED = 102
DAYS = {"erp-older": 1, "web": 2, "web-second": 3, "erp": 4}
"""When each was made: the order in which a rolling set removes them."""
THEN = st.sampled_from(["nothing", "up", "crash"])
"""What follows an edit."""
LABELS = ("a", "b", "c")

Copy = tuple[str, str]


@dataclass
class Program(Place):
    """What the program declares. Members are backups and names of replicas, by label."""

    members: dict[str, tuple[str, str | None]] = field(default_factory=dict)
    keep_newest: int | None = None

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs that the engine receives."""
        inputs = {
            "backups": {
                label: {
                    "backup_id": BACKUPS[backup],
                    "created_at": f"2026-11-{DAYS[backup]:02d}T02:00:00",
                    **({"name": name} if name else {}),
                }
                for label, (backup, name) in self.members.items()
            },
            "keep_newest": self.keep_newest,
            **self.destination,
        }
        return {key: value for key, value in inputs.items() if value is not None}


@dataclass
class State(FleetState):
    """What the engine keeps of a set."""

    to_replace: Known | None = None
    """The one that was deleted for its replacement, which does not exist yet."""


class SetStack(FleetHistory):
    """A stack with one set, driven as by the engine."""

    kind = "BackupReplicationSet"
    backups = BACKUPS
    most_expired = 2
    state: State
    # Each waiting member advances the one clock. Together they must stay far below the time that a
    # deletion may take, while one of them waits for an answer.
    poll_interval_s = 200

    @initialize(is_on_host=st.booleans())
    def start(self, is_on_host: bool) -> None:
        """Begin with an empty stack, and two members declared."""
        self.begin_empty(BackupReplicationSetProvider(), is_on_host=is_on_host)
        self.state = State()
        members: dict[str, tuple[str, str | None]] = {"a": ("erp", None), "b": ("web", None)}
        self.program: Program | None = Program(members=members)
        self.ever_declared: set[Copy] = set()
        self.unsaved: set[Copy] = set()

    # -- what users do ------------------------------------------------------------------------

    @rule(
        label=st.sampled_from(LABELS),
        backup=st.sampled_from(sorted(BACKUPS)),
        name=st.sampled_from([None, "dr-1", "dr-2"]),
        then=THEN,
    )
    def edit_member(self, label: str, backup: str, name: str | None, then: str) -> None:
        """Give a label to a backup as its only one. The first label creates the set."""
        if self.program is None:
            self.program = Program()
        for other, (found, _) in list(self.program.members.items()):
            if found == backup:
                del self.program.members[other]
        self.program.members[label] = (backup, name)
        self.go_on(then)

    @rule(label=st.sampled_from(LABELS), then=THEN)
    def drop_member(self, label: str, then: str) -> None:
        """Remove a member, if others remain."""
        if self.program is not None and len(self.program.members) > 1:
            self.program.members.pop(label, None)
        self.go_on(then)

    @rule(one=st.sampled_from(LABELS), other=st.sampled_from(LABELS))
    def exchange_labels(self, one: str, other: str) -> None:
        """Exchange the labels of two members, or rename the label of one."""
        if self.program is None:
            return
        turned = {one: other, other: one}
        members = self.program.members
        self.program.members = {turned.get(label, label): row for label, row in members.items()}

    @rule(count=st.sampled_from([None, 1, 2, 3]), then=THEN)
    def keep_newest(self, count: int | None, then: str) -> None:
        """Make it a rolling set, or an ordinary one."""
        if self.program is not None:
            self.program.keep_newest = count
        self.go_on(then)

    @precondition(lambda self: self.program is not None and self.program.keep_newest is not None)
    @rule(backup=st.sampled_from(sorted(BACKUPS)), label=st.sampled_from(LABELS))
    def list_for_a_while(self, backup: str, label: str) -> None:
        """Refuse the new member of a rolling set, poll the set, and stop listing that member."""
        assert self.program is not None
        former = dict(self.program.members)
        self.program.members[label] = (backup, None)
        self.go_wrong_soon("submission refused")
        self.attempt(self.bring_up)
        self.attempt(self.look)
        self.program.members = former
        self.attempt(self.bring_up)

    @rule(vault=st.sampled_from(sorted(VAULTS)), preflight=PREFLIGHT, then=THEN)
    def move(self, vault: str, preflight: str, then: str) -> None:
        """Declare another destination, and the preflight mode."""
        if self.program is not None:
            self.program.vault, self.program.preflight = vault, preflight
        self.go_on(then)

    @rule(is_named=st.booleans(), then=THEN)
    def make_another(self, is_named: bool, then: str) -> None:
        """Rename the resource in the program, or run `up --replace`."""
        self.remake(is_named=is_named)
        self.go_on(then if is_named else "up")
        # The option applied to that run only.
        self.is_remade = self.is_remade and is_named

    def go_on(self, then: str) -> None:
        """Run `up` after an edit, as users usually do, or die before it saves."""
        if then == "up":
            self.up()
        elif then == "crash":
            self.up_and_crash(saves=0)

    @rule()
    def up(self) -> None:
        """Run `up`. It may fail, and then the engine keeps what it knew."""
        self.attempt(self.bring_up)

    @rule(saves=st.integers(0, 1))
    def up_and_crash(self, saves: int) -> None:
        """Run `up`, and die before the call after `saves` others has its result saved."""
        self.injected["crash during up"] += 1
        self.saves_left = saves
        self.attempt(self.bring_up)
        self.saves_left = None

    # -- the engine ---------------------------------------------------------------------------

    def declared(self) -> Program | None:
        """Return what the program declares."""
        return self.program

    def bring_up(self) -> None:
        """Do what `up` does, then delete the leftovers."""
        if self.program is None:
            self.take_down()
            return
        known, former = self.state.known, self.state.to_replace
        if known is not None and self.is_remade:
            self.make(self.program, replaced=known)
        elif known is not None:
            self.change(known, self.program)
        elif former is not None:
            self.checked(former.inputs, self.program)
            self.make(self.program, former)
        else:
            self.make(self.program)
        self.delete_left_over()

    def change(self, known: Known, program: Program) -> None:
        """Do what `up` does with an existing set: nothing, an update or a replacement."""
        inputs = self.checked(known.inputs, program)
        difference = self.about(known).diff(known.id, known.outputs, inputs)
        if not difference.replaces:
            if difference.changes or self.state.is_in_error:
                self.update(known, inputs)
            return
        # The engine checks a replacement before it deletes anything.
        self.checked({}, program)
        if difference.delete_before_replace:
            self.delete(known)
            self.state.known, self.state.to_replace = None, known
            self.make(program, known)
        else:
            self.make(program, known, replaced=known)

    def make(
        self, program: Program, former: Known | None = None, *, replaced: Known | None = None
    ) -> None:
        """Create; the set that it replaces is deleted at the end.

        Args:
            former: the set that it replaces, as far as the provider knows it.
        """
        inputs = self.checked({}, program)
        wanted = self.wanted(former)
        self.ever_declared |= wanted
        self.unsaved |= wanted
        with self.only_deleting(set()):
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
        """Update. Only members that are no longer wanted may be removed.

        A rolling set removes them for enough newer replicas, and any other set no last copy.
        """
        wanted = self.wanted(known)
        self.ever_declared |= wanted
        self.unsaved |= wanted
        backups = {backup for backup, _ in wanted}
        failure: PartialResultError | None = None
        with self.only_deleting(set(BACKUPS) - backups, is_update=True) as deleted:
            try:
                result = self.about(known).update(known.id, known.outputs, inputs)
                changed = Known(known.id, inputs, dict(result.outs or {}), known.name)
            except PartialResultError as error:
                failure = error
                changed = Known(known.id, inputs, error.outputs, known.name)
        self.require_displaced(deleted)
        self.require_rows(known, changed, deleted)
        if failure is None or self.is_on_host:
            self.keep(changed, is_in_error=failure is not None)
        if failure is not None:
            raise failure

    def require_displaced(self, deleted: Collection[str]) -> None:
        """Verify that a rolling set removed members only for enough newer replicas."""
        if self.program is None or self.program.keep_newest is None:
            return
        for backup in deleted:
            newer = [other for other in BACKUPS if DAYS[other] > DAYS[backup]]
            there = [other for other in newer if self.is_whole(other, self.program.region)]
            self.ran["rolled off"] += 1
            assert len(there) >= self.program.keep_newest, f"{backup} gave way to {there}"

    def require_rows(self, old: Known, new: Known, deleted: Collection[str]) -> None:
        """Verify that no row was dropped whose replica lives; one that leaves says so."""
        live = self.live_replicas()
        kept = records_in(new)
        for row in old.outputs["members"].values():
            record_id = row["replication_record_id"]
            backup = name_of(BACKUPS, row["backup_id"])
            is_there = record_id in live and backup not in deleted
            assert record_id in kept or not is_there, f"the row of {backup} was dropped"
        wanted = self.backups_wanted(old)
        for row in new.outputs["members"].values():
            is_wanted = name_of(BACKUPS, row["backup_id"]) in wanted
            assert is_wanted != row.get("leaving", False), f"want leaving: {not is_wanted}"
            self.ran["leaving rows"] += not is_wanted

    def is_whole(self, backup: str, region: str) -> bool:
        """Whether a backup has a complete replica in a region."""
        truth = self.all_records()
        return any(
            truth[key].status == "success"
            and truth[key].source_backup_id == BACKUPS[backup]
            and truth[key].destination_region == region
            for key in self.live_replicas()
        )

    def keep(
        self, known: Known, *, replaced: Known | None = None, is_in_error: bool = False
    ) -> None:
        """Save what a call returned, or die first."""
        super().keep(known, replaced=replaced, is_in_error=is_in_error)
        self.state.to_replace = None
        region = known.outputs["destination_region"]
        for row in known.outputs["members"].values():
            self.unsaved.discard((name_of(BACKUPS, row["backup_id"]), region))

    def delete(self, known: Known) -> None:
        """Delete, but no last copy, and nothing that a set of another name may still need."""
        declared = self.state.known
        is_renamed = declared is not None and declared.name != known.name
        is_rolling_on = (
            declared is not None
            and is_renamed
            and "keep_newest" in known.outputs
            and "keep_newest" in declared.outputs
            and place_of(declared) == place_of(known)
            and not records_in(declared).isdisjoint(records_in(known))
        )
        held = records_in(declared) if declared is not None and declared is not known else set()
        kept = self.live_replicas() & records_in(known)
        untaken = kept - held if is_rolling_on and not self.is_forced else set()
        with self.only_deleting(set(BACKUPS)):
            try:
                self.about(known).delete(known.id, known.outputs)
            finally:
                live = self.live_replicas()
                assert kept & held <= live, "replicas of the other set were deleted"
                assert untaken <= live, "what no other set has was deleted"
        self.save()

    def look(self) -> None:
        """Refresh, and drop what is gone."""
        former = self.state.to_replace
        if former is not None and not self.about(former).read(former.id, former.outputs).id:
            self.state.to_replace = None
        known = self.state.known
        if known is None:
            return
        with self.only_deleting(set()):
            result = self.about(known).read(known.id, known.outputs)
        if not result.id:
            self.state.known = None
            return
        known.outputs = dict(result.outs or {})
        known.inputs = result.inputs or known.inputs

    def take_down(self) -> None:
        """Delete everything in the state."""
        self.state.to_replace = None
        super().take_down()

    @contextmanager
    def only_deleting(self, allowed: set[str], *, is_update: bool = False) -> Iterator[set[str]]:
        """Let a call delete only replicas of these backups, whatever its result.

        Yields:
            A set that has, after the call, the backups whose replicas it deleted.
        """
        last = self.last_request()
        deleted: set[str] = set()
        try:
            yield deleted
        finally:
            is_rolling = self.program is not None and self.program.keep_newest is not None
            for replica_id, request in self.deletions_since(last).items():
                backup = name_of(BACKUPS, self.record_of(replica_id).source_backup_id)
                deleted.add(backup)
                is_last = self.is_last_copy_at(backup, request) and not self.is_forced
                may_roll = is_rolling and is_update
                assert may_roll or not is_last, f"the last copy of {backup} was deleted"
                self.ran["last copies rolled off"] += is_last
            self.ran["deletions"] += len(deleted)
            assert deleted <= allowed, f"deleted {deleted - allowed} of sources, allowed {allowed}"

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No copy exists twice, none was never declared, and the state has no secret."""
        if not hasattr(self, "simulator"):
            return
        self.require_once()
        live = self.live_copies()
        assert set(live) <= self.ever_declared, f"never declared: {set(live) - self.ever_declared}"
        known = [self.state.known] if self.state.known else []
        require_no_secret([*known, *self.state.to_delete])

    # -- the end ------------------------------------------------------------------------------

    def converge(self) -> None:
        """Without faults, a refresh and `up`s lead to the declared state, and nothing else."""
        self.calm_down()
        if self.program is not None:
            self.program.preflight = "error"
        self.begin_run()
        self.look()
        self.give_up_the_impossible()
        self.come_together()
        self.require_as_declared()
        self.begin_run()
        self.force(is_forced=True)
        self.take_down()
        assert set(self.live_copies()) <= self.unsaved

    def give_up_the_impossible(self) -> None:
        """Undeclare what cannot exist. It must be refused; the refusal names what is missing."""
        if self.program is None:
            return
        known = self.state.known
        if known is not None and not self.is_remade and self.is_replaced(known, self.program):
            self.program = self.moved_if_allowed(known, self.program)
        if self.program is None:
            return
        if self.program.vault in self.lost_vaults:
            self.require_refused("destination_vault_id")
            self.program = None
            return
        is_settled = known is not None and not self.is_made_anew(known, self.program)
        present = {backup for backup, _ in self.live_copies()} if is_settled else set()
        # Without a newer member, an older one may be among the kept ones.
        while missing := self.backups_wanted(self.former()) & self.expired - present:
            labels = {label for label, (name, _) in self.program.members.items() if name in missing}
            for label in labels:
                self.require_refused(f'backups["{label}"]')
            for label in labels:
                del self.program.members[label]
            if not self.program.members:
                self.program = None
                return

    def require_refused(self, field: str) -> None:
        """A preview refuses the declaration, and names the input at fault."""
        assert self.program is not None
        known = self.state.known
        if known is not None and not self.is_remade:
            failures = self.about().check(known.inputs, self.program.inputs).failures
        if known is None or self.is_made_anew(known, self.program):
            failures = self.about().check({}, self.program.inputs).failures
        assert field in {failure.property for failure in failures}, f"{field}: got {failures}"
        self.ran["refused at the end"] += 1

    def moved_if_allowed(self, known: Known, program: Program) -> Program | None:
        """Return the declaration; or what exists, if the declaration would lose replicas."""
        held = {name_of(BACKUPS, row["backup_id"]) for row in known.outputs["members"].values()}
        if not held & self.expired:
            return program
        inputs = self.about().check(known.inputs, program.inputs).inputs
        with pytest.raises(CbrError) as caught:
            self.about(known).diff(known.id, known.outputs, inputs)
        assert "could not be made again" in str(caught.value)
        self.ran["moves refused at the end"] += 1
        return self.as_known()

    def as_known(self) -> Program | None:
        """Return a program that declares what the state has."""
        known = self.state.known
        if known is None or not known.inputs["backups"]:
            return None
        return Program(
            vault=name_of(VAULTS, place_of(known)),
            members={
                label: (name_of(BACKUPS, row["backup_id"]), row.get("name"))
                for label, row in known.inputs["backups"].items()
            },
            keep_newest=known.inputs.get("keep_newest"),
        )

    def is_replaced(self, known: Known, program: Program) -> bool:
        """Whether `up` would create another set."""
        where = ("destination_region", "destination_vault_id")
        return any(known.outputs[key] != program.inputs[key] for key in where)

    def is_made_anew(self, known: Known, program: Program) -> bool:
        """Whether `up` creates another set, for any reason."""
        return self.is_remade or self.is_replaced(known, program)

    def former(self) -> Known | None:
        """Return what the provider knows when it creates or updates the set."""
        return None if self.is_remade else self.state.known

    def do_as_told(self, told: str) -> None:
        """Do what a conflict's message says about copies that a crash left: delete them.

        They are in another vault, or no listed record names them.
        """
        if "gone by now" in told:
            return  # The next `up` deletes it.
        if "forceDestroy" in told:
            self.require_right_refusal(told)
            self.force(is_forced=True)
            return
        self.ran["orphans met"] += 1
        if "lists no replication record" in told:
            self.delete_untold(told)
            return
        vaults = {vault for _, vault in VAULTS.values() if vault in told}
        assert vaults, told
        rows = self.state.known.outputs["members"].values() if self.state.known else ()
        ours = {row.get("destination_backup_id") for row in rows}
        for replica in self.replicas():
            if replica.vault_id in vaults and replica.id not in ours:
                self.control.forget_backup(replica.id)

    def require_right_refusal(self, told: str) -> None:
        """A refusal to delete names last copies, or what a renamed rolling set left behind."""
        held = {key for _, known, _ in self.in_state() for key in records_in(known)}
        if "another rolling set" in told:
            self.ran["renames refused"] += 1
            assert self.state.to_delete, told
        else:
            self.ran["last copies met"] += 1
            assert self.last_copies(held), told

    def require_as_declared(self) -> None:
        """Each member is replicated once and in the state; nothing else of ours exists."""
        live = self.live_copies()
        wanted = self.wanted(self.state.known)
        assert dict.fromkeys(wanted, 1) == {copy: live[copy] for copy in wanted}
        # What a crash left and nobody declared again is known to nobody.
        assert set(live) <= wanted | self.unsaved, f"left: {set(live) - wanted - self.unsaved}"
        if self.state.known is None or self.program is None:
            return
        known, program = self.state.known, self.program
        rows = known.outputs["members"]
        assert {label: row["backup_id"] for label, row in rows.items()} == {
            label: row["backup_id"] if isinstance(row, dict) else row
            for label, row in known.inputs["backups"].items()
        }
        replicas = {row.id: row for row in self.replicas()}
        with self.simulator.cloud.session() as session:
            records = {row.id: row.replica_id for row in session.query(Record)}
        for label, (backup, name) in program.members.items():
            if (backup, program.region) not in wanted:
                continue
            row = rows[label]
            replica = replicas[row["destination_backup_id"]]
            assert BACKUPS[backup] == row["backup_id"]
            assert replica.id == records[row["replication_record_id"]]
            assert VAULTS[program.vault][1] == replica.vault_id
            assert name in (None, replica.name)

    # -- the truth ----------------------------------------------------------------------------

    def backups_wanted(self, former: Known | None) -> set[str]:
        """Return the backups alone."""
        return {backup for backup, _ in self.wanted(former)}

    def wanted(self, former: Known | None) -> set[Copy]:
        """Return the copies that the program wants, with those that a rolling set keeps.

        Args:
            former: the set as it was, or the one that is replaced. If it has another name by now,
                or the user asked for the replacement, nobody knows what it kept.
        """
        if self.program is None:
            return set()
        backups = {backup for backup, _ in self.program.members.values()}
        if self.program.keep_newest is not None:
            backups |= members_of(former.inputs) if former is not None else set()
            by_age = sorted(backups, key=lambda backup: DAYS[backup], reverse=True)
            backups = set(by_age[: self.program.keep_newest])
        return {(backup, self.program.region) for backup in backups}


def members_of(inputs: dict[str, Any]) -> set[str]:
    """Return the backups that checked inputs declare."""
    return {name_of(BACKUPS, row["backup_id"]) for row in inputs["backups"].values()}


def test_random_set_histories(announce: Callable[[str], None]) -> None:
    """Declared members equal replicas, once, whatever happened before."""
    run(SetStack, examples(SET_EXAMPLES), STEPS, SEED, announce)
