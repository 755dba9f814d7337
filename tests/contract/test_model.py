"""Random histories of a stack of replications, with crashes, drift and faults, against a model.

After every step: at most one replica of a backup exists in a region. Nothing was copied that was
never declared, and the state has no secret.

After every history, once the faults are over: what is declared exists once, in the declared place.
Otherwise its source is gone, and the refusal says so. Nothing else of ours is left.

A history reads like a script. When one fails, Hypothesis prints the shortest one that still fails.
CONTRIBUTING says how to run it again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from pulumi_huaweicloud_cbr import BackupReplicationProvider, CbrError
from tests.amount import MODEL_EXAMPLES, examples
from tests.contract.model import (
    BACKUPS,
    PREFLIGHT,
    VAULTS,
    History,
    Known,
    name_of,
    require_no_secret,
    run,
    serving_for,
)
from tests.contract.rig import declared

pytestmark = pytest.mark.simulator_only

STEPS = 50
SEED = 1

SAME_SERVER = {"erp", "erp-older"}
SLOTS = ("one", "two", "three")
"""Names of resources in the program."""


@dataclass
class State:
    """What the engine keeps: resources by name, and old ones that it has yet to delete."""

    resources: dict[str, Known] = field(default_factory=dict)
    to_delete: list[tuple[str, Known]] = field(default_factory=list)


class Stack(History):
    """Some resources in a stack, driven as by the engine."""

    kind = "BackupReplication"

    @initialize()
    def start(self) -> None:
        """Begin with an empty stack, and a program that declares one replication."""
        self.provider = BackupReplicationProvider()
        self.begin(self.provider)
        self.state = State()
        self.program: dict[str, dict[str, Any]] = {"one": wanted("erp", "east")}
        self.ever_declared = {copy_of(self.program["one"])}
        self.let_go: set[tuple[str, str]] = set()
        self.unsaved: set[tuple[str, str]] = set()

    # -- what users do ------------------------------------------------------------------------

    @rule(
        slot=st.sampled_from(SLOTS),
        backup=st.sampled_from(sorted(BACKUPS)),
        vault=st.sampled_from(sorted(VAULTS)),
        name=st.sampled_from([None, "dr-1", "dr-2"]),
        description=st.sampled_from([None, "d"]),
        preflight=PREFLIGHT,
    )
    def declare(
        self,
        slot: str,
        backup: str,
        vault: str,
        name: str | None,
        description: str | None,
        preflight: str,
    ) -> None:
        """Declare or edit a replication. No two resources may be about the same copy."""
        new = wanted(backup, vault, name=name, description=description, preflight=preflight)
        others = {copy_of(row) for other, row in self.program.items() if other != slot}
        if copy_of(new) in others:
            return
        self.program[slot] = new
        self.ever_declared.add(copy_of(new))

    @rule(slot=st.sampled_from(SLOTS))
    def undeclare(self, slot: str) -> None:
        """Remove a replication from the program."""
        self.program.pop(slot, None)

    @precondition(lambda self: bool(self.state.resources))
    @rule(slot=st.sampled_from(SLOTS), to=st.sampled_from(SLOTS))
    def rename_resource(self, slot: str, to: str) -> None:
        """Rename a resource in the program."""
        if slot in self.program and to not in self.program:
            self.program[to] = self.program.pop(slot)

    @precondition(lambda self: bool(self.state.resources))
    @rule(slot=st.sampled_from(SLOTS))
    def let_go_of(self, slot: str) -> None:
        """Remove a replication from program and state, and retain its replica."""
        known = self.state.resources.pop(slot, None)
        self.program.pop(slot, None)
        if known is not None:
            self.ran["let_go"] += 1
            self.let_go.add(copy_of(known.inputs))

    @rule()
    def up(self) -> None:
        """Run `up`. It may fail, and then the engine keeps what it knew."""
        self.attempt(self.bring_up)

    @precondition(lambda self: not self.is_known())
    @rule(saves=st.integers(0, 2))
    def up_and_crash(self, saves: int) -> None:
        """Run `up`, and die before the call after `saves` others has its result saved."""
        self.injected["crash during up"] += 1
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

    @precondition(lambda self: bool(self.state.resources))
    @rule(is_up=st.booleans())
    def refresh_first(self, is_up: bool) -> None:
        """Run `up --refresh` or `destroy --refresh`: the refresh is part of the operation."""
        self.ran["refreshed first"] += 1

        def operation() -> None:
            self.refresh_within()
            if is_up:
                self.bring_up()
            else:
                self.take_down()
                assert not self.state.resources, "left in the state"
                kept = self.let_go | self.unsaved
                assert set(self.live_copies()) <= kept, f"left: {self.live_copies()}"

        self.attempt(operation)

    # -- the engine ---------------------------------------------------------------------------

    def bring_up(self, replacing: str | None = None) -> None:
        """Do what `up` does: remove, change, replace and create, then delete leftovers."""
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
            # The engine requests no diff then.
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
        # The engine checks a replacement before it deletes anything.
        self.check_new(slot, program)
        if difference.delete_before_replace:
            assert not self.last_copies({known.id}), f"{slot}: could not be made again"
            self.delete(slot, known)
            del self.state.resources[slot]
            self.make(slot, program)
        else:
            self.make(slot, program, old=known)

    def check_new(self, slot: str, program: dict[str, Any]) -> dict[str, Any]:
        """Check a resource that is to be created."""
        with serving_for(slot):
            checked = self.provider.check({}, program)
        if checked.failures:
            raise CbrError(checked.failures[0].reason)
        return checked.inputs

    def make(self, slot: str, program: dict[str, Any], old: Known | None = None) -> None:
        """Create; an old resource is deleted at the end."""
        inputs = self.check_new(slot, program)
        self.unsaved.add(copy_of(program))
        with serving_for(slot):
            result = self.provider.create(inputs)
        self.save()
        self.unsaved.discard(copy_of(program))
        self.let_go.discard(copy_of(program))
        self.state.resources[slot] = Known(str(result.id), inputs, dict(result.outs or {}))
        if old is not None:
            self.state.to_delete.append((slot, old))

    def delete(self, slot: str, known: Known) -> None:
        """Delete; a last copy only if that is wanted."""
        last = self.last_request()
        try:
            with serving_for(slot):
                self.provider.delete(known.id, known.outputs)
        finally:
            self.require_last_copies_spared(slot, last)
        self.save()

    def require_last_copies_spared(self, slot: str, last: int) -> None:
        """No last copy was deleted, unless that was forced or a newer copy had succeeded."""
        if self.is_forced:
            return
        program = self.program.get(slot)
        newer = None if program is None else name_of(BACKUPS, program["backup_id"])
        for replica_id, request in self.deletions_since(last).items():
            self.ran["deletions"] += 1
            record = self.record_of(replica_id)
            backup = name_of(BACKUPS, record.source_backup_id)
            if not self.is_last_copy_at(backup, request):
                continue
            self.ran["last copies rolled off"] += 1
            assert {backup, newer} == SAME_SERVER, f"the last copy of {backup} was deleted"
            assert self.has_succeeded(newer), f"no newer copy than that of {backup}"

    def delete_left_over(self) -> None:
        """Delete the leftovers of replacements."""
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

    def refresh_within(self) -> None:
        """Read all, then ask for a diff of each with the new outputs and the old inputs."""
        inputs = {slot: known.inputs for slot, known in self.state.resources.items()}
        self.look()
        for slot, known in self.state.resources.items():
            with serving_for(slot):
                self.provider.diff(known.id, known.outputs, inputs[slot])

    def take_down(self) -> None:
        """Delete everything in the state."""
        for slot, known in list(self.state.resources.items()):
            self.delete(slot, known)
            del self.state.resources[slot]
        self.delete_left_over()

    def in_state(self) -> list[tuple[str, Known, bool]]:
        """Return what the state has."""
        rows = [(slot, known, False) for slot, known in self.state.resources.items()]
        return [*rows, *((slot, known, True) for slot, known in self.state.to_delete)]

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        """No copy exists twice, none was never declared, and the state has no secret."""
        if not hasattr(self, "simulator"):
            return
        self.require_once()
        live = self.live_copies()
        assert set(live) <= self.ever_declared, f"never declared: {set(live) - self.ever_declared}"
        known = [*self.state.resources.values(), *(row for _, row in self.state.to_delete)]
        require_no_secret(known)

    # -- the end ------------------------------------------------------------------------------

    def converge(self) -> None:
        """Without faults, a refresh and `up`s lead to the declared state, and nothing else."""
        self.calm_down()
        for program in self.program.values():
            program["preflight"] = "error"
        self.begin_run()
        self.look()
        self.give_up_the_impossible()
        self.come_together()
        self.require_as_declared()

    def give_up_the_impossible(self) -> None:
        """Undeclare what cannot exist. It must be refused; the refusal names what is missing."""
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
                self.ran["refused at the end"] += 1
                del self.program[slot]

    def is_replaced(self, slot: str, known: Known) -> bool:
        """Whether `up` would replace a resource."""
        with serving_for(slot):
            inputs = self.provider.check(known.inputs, self.program[slot]).inputs
            return bool(self.provider.diff(known.id, known.outputs, inputs).replaces)

    def is_quiet(self) -> bool:
        """Whether `up` would change nothing."""
        if not self.is_known():
            return False
        for slot, known in self.state.resources.items():
            with serving_for(slot):
                inputs = self.provider.check(known.inputs, self.program[slot]).inputs
                if self.provider.diff(known.id, known.outputs, inputs).changes:
                    return False
        return True

    def do_as_told(self, told: str) -> None:
        """Do what a conflict's message says about a copy that a crash left.

        One in another vault is adopted from there. One that no record names is deleted.
        """
        if "gone by now" in told:
            return  # The next `up` deletes it.
        if "force_destroy" in told:
            self.ran["last copies met"] += 1
            gone = self.last_copies({known.id for _, known, _ in self.in_state()})
            assert gone, told
            self.force(is_forced=True)
            return
        self.ran["orphans met"] += 1
        if "lists no replication record" in told:
            self.delete_untold(told)
            return
        vaults = [vault for _, vault in VAULTS.values()]
        found = [vault for vault in vaults if f"set destination_vault_id to '{vault}'" in told]
        assert 1 == len(found), told
        for slot, program in self.program.items():
            if slot in self.state.resources:
                continue
            adopting = {**program, "destination_vault_id": found[0]}
            failures = self.provider.check({}, program).failures
            if any(found[0] in failure.reason for failure in failures):
                self.make(slot, adopting)

    def require_as_declared(self) -> None:
        """What is declared exists once, in the declared place; nothing else of ours exists."""
        live = self.live_copies()
        for slot, program in self.program.items():
            assert 1 == live[copy_of(program)], f"{slot}: want one replica of {copy_of(program)}"
            replica_id = self.state.resources[slot].outputs["destination_backup_id"]
            (replica,) = [row for row in self.replicas() if row.id == replica_id]
            assert program["destination_vault_id"] == replica.vault_id
            assert program.get("name") in (None, replica.name)
        # What a crash left and nobody declared again is known to nobody.
        kept = {copy_of(row) for row in self.program.values()} | self.let_go | self.unsaved
        assert set(live) <= kept, f"left behind: {set(live) - kept}"

    def is_known(self) -> bool:
        """Whether the state has exactly what is declared."""
        state = self.state
        return set(state.resources) == set(self.program) and not state.to_delete


def wanted(backup: str, vault: str, **more: Any) -> dict[str, Any]:
    """Return a program's inputs."""
    region, vault_id = VAULTS[vault]
    return declared(
        backup_id=BACKUPS[backup], destination_region=region, destination_vault_id=vault_id, **more
    )


def copy_of(inputs: dict[str, Any]) -> tuple[str, str]:
    """Return which copy the inputs are about: the backup's name and the region."""
    return name_of(BACKUPS, inputs["backup_id"]), inputs["destination_region"]


def test_random_histories(announce: Callable[[str], None]) -> None:
    """Declared equals replicated, once, whatever happened before."""
    run(Stack, examples(MODEL_EXAMPLES), STEPS, SEED, announce)
