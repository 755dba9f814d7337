"""Random histories of one declared replication, with crashes, drift and faults, against a model.

After every step: at most one live replica of a backup in a region, no secret in the state. After
every history, once the faults are over: what is declared exists, once, and nothing else of ours.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
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

from pulumi_huaweicloud_cbr import BackupReplicationProvider, CbrError
from pulumi_huaweicloud_cbr.resources._session import Session, use_session
from pulumi_huaweicloud_cbr.settings import Settings
from simulator.testing import InProcessSimulator
from tests.contract.rig import PASSWORD, SECOND_VAULT, VAULT, Rig, SimulatedClock, declared

pytestmark = pytest.mark.simulator_only

BACKUPS = (
    "5a863daa-7265-4c0a-822f-e66b2abcfb3d",
    "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e",
)
DESTINATIONS = (
    ("cn-east-3", VAULT),
    ("cn-east-3", SECOND_VAULT),
    ("cn-south-1", "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"),
)
EXAMPLES, STEPS = 90, 50

THROTTLED = {"error_code": "APIGW.0308", "error_msg": "over ratelimit", "request_id": "0" * 32}
FAULTS = (
    {"operation": "CopyBackup", "action": "drop_before"},
    {"operation": "CopyBackup", "action": "drop_after"},
    {"operation": "CopyBackup", "action": "respond_after", "status": 502},
    {"operation": "CopyBackup", "action": "respond", "status": 429, "body": THROTTLED},
    {"operation": "ShowBackup", "action": "drop_before", "times": 2},
    {"operation": "ShowBackup", "action": "respond", "status": 503, "times": 9},
    {"operation": "DeleteBackup", "action": "drop_after"},
    {"operation": "DeleteBackup", "action": "respond", "status": 503, "times": 9},
    {"operation": "UpdateBackup", "action": "drop_after"},
    {"operation": "CreateToken", "action": "respond", "status": 503},
)

injected: Counter[str] = Counter()
ran: Counter[str] = Counter()
GOING = ("deleting", "waiting_delete")


class Replicated(RuleBasedStateMachine):
    """One resource in a stack, as the engine drives it."""

    @initialize()
    def start(self) -> None:
        """Begin with an empty stack and a program that declares one replication."""
        self.simulator = InProcessSimulator()
        address = f"{self.simulator.url}/regions/{{region}}"
        configuration = {
            "huaweicloud:region": "cn-north-4",
            "huaweicloud:userName": "ops-replicator",
            "huaweicloud:password": PASSWORD,
            "huaweicloud:domainName": "acme-cloud",
            "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
        }
        session = Session(
            Settings.load(configuration.get, {}),
            transport=self.simulator.transport(),
            clock=SimulatedClock(self.simulator),
        )
        use_session(session)
        provider = BackupReplicationProvider()
        provider.configure(ConfigureRequest(Config(configuration, "p")))
        self.rig = Rig(provider, self.simulator.control, session)
        self.exists = False
        self.to_delete: list[tuple[str, dict[str, Any]]] = []
        self.program = declared(backup_id=BACKUPS[0])

    def teardown(self) -> None:
        """End the history: without faults, everything comes to be as declared."""
        if not hasattr(self, "rig"):
            return
        try:
            self.converge()
        finally:
            self.rig.session.close()
            self.simulator.close()

    # -- what people and machines do ----------------------------------------------------------

    @rule(
        backup=st.sampled_from(BACKUPS),
        destination=st.sampled_from(DESTINATIONS),
        name=st.sampled_from([None, "one", "two"]),
        description=st.sampled_from([None, "d"]),
    )
    def edit(
        self, backup: str, destination: tuple[str, str], name: str | None, description: str | None
    ) -> None:
        """Change the program."""
        self.program = declared(
            backup_id=backup,
            destination_region=destination[0],
            destination_vault_id=destination[1],
            name=name,
            description=description,
        )

    @rule()
    def up(self) -> None:
        """Run `up`; it may fail, and then the engine keeps what it knew."""
        self.attempt(self.bring_up)

    @rule()
    def up_and_crash(self) -> None:
        """Run `up`, and lose its outcome: the process died before the state was saved."""
        known = (self.rig.id, self.rig.inputs, self.rig.outputs, self.exists, list(self.to_delete))
        self.attempt(self.bring_up)
        self.rig.id, self.rig.inputs, self.rig.outputs, self.exists, self.to_delete = known

    @rule()
    def refresh(self) -> None:
        """Run `refresh`."""
        if self.exists:
            self.attempt(self.look)

    @rule()
    def destroy(self) -> None:
        """Run `destroy`."""
        self.attempt(self.take_down)

    @rule(seconds=st.sampled_from([1.0, 600.0, 10_000.0]))
    def pass_time(self, seconds: float) -> None:
        """Let copies and deletions go on."""
        self.rig.control.advance(seconds)

    @rule(fault=st.sampled_from(FAULTS))
    def script_fault(self, fault: dict[str, Any]) -> None:
        """Have something go wrong soon."""
        injected[f"{fault['operation']} {fault['action']}"] += 1
        self.rig.control.fault(**fault)

    @precondition(lambda self: bool(self.rig.replicas))
    @rule(data=st.data())
    def delete_replica(self, data: st.DataObject) -> None:
        """Delete a replica behind our back."""
        injected["replica deleted"] += 1
        replica = data.draw(st.sampled_from(sorted(row["id"] for row in self.rig.replicas)))
        self.rig.control.forget_backup(replica)

    @precondition(lambda self: bool(self.rig.replicas))
    @rule()
    def rename_replica(self) -> None:
        """Rename a replica behind our back."""
        injected["replica renamed"] += 1
        self.rig.control.change_backup(self.rig.replicas[0]["id"], name="somebody-elses")

    @rule(backup=st.sampled_from(BACKUPS), outcome=st.sampled_from(["fail", "skip", "success"]))
    def decide_copies(self, backup: str, outcome: str) -> None:
        """Decide how the next copies of a backup end."""
        injected[f"copies {outcome}"] += 1
        self.rig.control.change_backup(backup, copy={"mode": "immediate", "outcome": outcome})

    # -- the engine ---------------------------------------------------------------------------

    def attempt(self, step: Callable[[], None]) -> None:
        """Run a step that may fail in any of the ways that we promise, and in no other."""
        ran["steps"] += 1
        told = ""
        try:
            step()
        except CbrError as error:
            told = str(error)
        assert "\n" not in told

    def bring_up(self) -> None:
        """Do what `up` does with a resource: make, replace or change it."""
        rig = self.rig
        self.delete_pending()
        if not self.exists:
            self.make()
            return
        checked = rig.provider.check(rig.inputs, self.program)
        difference = rig.provider.diff(rig.id, rig.outputs, checked.inputs)
        if difference.replaces and difference.delete_before_replace:
            rig.delete()
            self.exists = False
            self.make()
        elif difference.replaces:
            old = (rig.id, rig.outputs)
            self.make()
            self.to_delete.append(old)
            self.delete_pending()
        elif difference.changes:
            rig.update(self.program)

    def make(self) -> None:
        """Check and create."""
        checked = self.rig.provider.check({}, self.program)
        if checked.failures:
            raise CbrError(checked.failures[0].reason)
        result = self.rig.provider.create(checked.inputs)
        self.rig.id, self.rig.inputs = result.id, checked.inputs
        self.rig.outputs = dict(result.outs or {})
        self.exists = True

    def delete_pending(self) -> None:
        """Delete what a replacement left over."""
        while self.to_delete:
            identifier, outputs = self.to_delete[0]
            self.rig.provider.delete(identifier, outputs)
            self.to_delete.pop(0)

    def look(self) -> None:
        """Refresh, and drop what is gone."""
        self.exists = self.rig.refresh()

    def take_down(self) -> None:
        """Delete everything that the state knows."""
        self.delete_pending()
        if self.exists:
            self.rig.delete()
            self.exists = False

    # -- what must hold -----------------------------------------------------------------------

    @invariant()
    def one_replica_at_most(self) -> None:
        """A backup has at most one live replica in a region."""
        if hasattr(self, "rig"):
            for copy, count in self.live_copies().items():
                assert count <= 1, copy

    @invariant()
    def no_secret_in_state(self) -> None:
        """Neither the password nor a token is in inputs or outputs."""
        if hasattr(self, "rig"):
            stored = json.dumps([self.rig.inputs, self.rig.outputs])
            assert PASSWORD not in stored
            assert "MII" not in stored

    def live_copies(self) -> Counter[tuple[str, str]]:
        """Count the live replicas of each backup in each region."""
        staying = (row for row in self.rig.replicas if row["status"] not in GOING)
        present = {row["id"] for row in staying}
        return Counter(
            (record["source_backup_id"], record["destination_region"])
            for record in self.rig.control.records()
            if record["destination_backup_id"] in present
        )

    def converge(self) -> None:
        """Without faults, one refresh and `up`s make the declared true."""
        rig = self.rig
        rig.control.drop_faults()
        for backup in BACKUPS:
            rig.control.change_backup(backup, copy={"mode": "immediate", "outcome": "success"})
        rig.control.advance(20_000)
        if self.exists:
            self.look()
        for _ in self.until_quiet():
            rig.control.advance(20_000)
            self.look()
        wanted = (self.program["backup_id"], self.program["destination_region"])
        assert 1 == self.live_copies()[wanted]
        (record,) = [row for row in rig.control.records() if row["id"] == rig.id]
        assert self.program["destination_vault_id"] == record["destination_vault_id"]

    def until_quiet(self) -> Iterator[None]:
        """Run `up` until it is quiet; an orphan of a crash may need its own vault first."""
        for _ in range(6):
            try:
                self.bring_up()
            except CbrError as error:
                self.adopt_orphan(error)
            yield
            checked = self.rig.provider.check(self.rig.inputs, self.program)
            if (
                self.exists
                and not self.rig.provider.diff(
                    self.rig.id, self.rig.outputs, checked.inputs
                ).changes
            ):
                return
        raise AssertionError("the program and the cloud do not come together")

    def adopt_orphan(self, error: CbrError) -> None:
        """Do what a conflict's message says: adopt the copy that a crash left in another vault."""
        wanted, vaults = self.program, [vault for _, vault in DESTINATIONS]
        found = [
            vault for vault in vaults if f"set destination_vault_id to '{vault}'" in str(error)
        ]
        assert 1 == len(found), error
        self.program = {**wanted, "destination_vault_id": found[0]}
        self.make()
        self.program = wanted


def test_random_histories(capsys: pytest.CaptureFixture[str]) -> None:
    """Declared equals replicated, once, whatever happened in between."""
    run_state_machine_as_test(
        Replicated,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )

    faults = ", ".join(f"{name} {count}" for name, count in sorted(injected.items()))
    with capsys.disabled():
        sys.stdout.write(f"\n{ran['steps']} steps of the engine; injected: {faults}\n")
