"""Random histories of two stacks with several resources: who owns a copy, and who may delete it.

The first stack's program moves backups between single replications, sets, a rolling set and an
entire vault. The second stack declares some of the same backups.

After every operation:

- A backup that is declared, and had a replica, has one, unless the cloud itself lost it.
- No last copy was deleted, unless that was forced or it rolled off.
- No replica with another stack's mark was deleted, unless the stack took it over with `adopt: any`.
- No row was dropped while its replica exists.
- `up` deleted what the preview before it had said, and nothing else.

After every history, `destroy` of both stacks leaves no replica that a state ever had.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.replication.rules.ownership import split_mark
from simulator.cloud.store import Record
from tests.amount import OWNERS_EXAMPLES, examples
from tests.contract.engine import Engine, Preview, Program, RefusedError, Stored
from tests.contract.fleet_model import BACKUPS
from tests.contract.model import FAULTS, GOING, VAULTS, History, name_of, run
from tests.contract.rig import FULL, LONG_S, WRITES

pytestmark = pytest.mark.simulator_only

STEPS = 50
SEED = 5
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
"""All backups are in it."""
DAYS = {"erp-older": 1, "web": 2, "web-second": 3, "erp": 4}
"""When each was made: the order in which a rolling set removes them."""
SERVERS = ({"erp", "erp-older"}, {"web", "web-second"})
SINGLES = ("one", "two")
SETS = ("many", "rolling")
HOLDERS = ("nobody", *SINGLES, *SETS)
NAMES = (*SINGLES, *SETS, "all")
OURS, OTHERS = "p/test", "p/prod"
BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}
OWNER_FAULTS: dict[str, dict[str, Any]] = {
    **{
        name: fault
        for name, fault in FAULTS.items()
        if fault.get("operation") in ("CopyBackup", "DeleteBackup", "ListOpLogs")
    },
    "reads fail for long": FAULTS["reads fail for long"],
    "vault stays busy": {
        "operation": "CopyCheckpoint",
        "action": "respond",
        "status": 400,
        "body": BUSY,
        "times": 6,
    },
    "vault's copy refused": {
        "operation": "CopyCheckpoint",
        "action": "respond",
        "status": 400,
        "body": FULL,
    },
    "vault's copy accepted, answer lost": {"operation": "CopyCheckpoint", "action": "drop_after"},
}
TROUBLES = ("none", "none", "none", "list cut short", "slow submissions", *sorted(OWNER_FAULTS))
THEN = st.sampled_from(
    [
        "nothing",
        "night",
        "up",
        "up refreshed",
        "up on",
        "preview",
        "preview refreshed",
        "preview on",
        "destroy",
        "destroy refreshed on",
    ]
)
"""What follows an edit: a command, with `--refresh` or `--continue-on-error`."""


@dataclass
class Wanted:
    """What the first program declares.

    `holders` says which resource has a backup, and `vaults` to which vault a resource copies.
    """

    holders: dict[str, str] = field(default_factory=dict)
    vaults: dict[str, str] = field(default_factory=lambda: dict.fromkeys(NAMES, "east"))
    is_vault_copied: bool = False
    keep_newest: int = 2
    forced: set[str] = field(default_factory=set)
    is_declared_twice: bool = False
    is_reversed: bool = False
    """Resources are changed in the reverse order of their names: the engine has no known one."""

    def program(self) -> Program:
        """Return the program."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for name in reversed(NAMES) if self.is_reversed else NAMES:
            backups = sorted(backup for backup, holder in self.holders.items() if holder == name)
            if self.is_declared_twice and name == "many":
                backups = sorted({*backups, *self.holders})
            more = self.more(name)
            if name in SINGLES and backups:
                found[name] = ("single", {"backup_id": BACKUPS[backups[0]], **more})
            elif name in SETS and backups:
                rows = {backup: member(backup) for backup in backups}
                found[name] = ("set", {"backups": rows, **more})
            elif name == "all" and self.is_vault_copied:
                found[name] = ("vault", {"vault_id": SOURCE_VAULT, **more})
        return found

    def more(self, name: str) -> dict[str, Any]:
        """Return the inputs beside the backups."""
        region, vault_id = VAULTS[self.vaults[name]]
        more: dict[str, Any] = {"destination_region": region, "destination_vault_id": vault_id}
        if name == "rolling":
            more["keep_newest"] = self.keep_newest
        if name in self.forced:
            more["force_destroy"] = True
        return more


def member(backup: str) -> dict[str, Any]:
    """Return a member of a set, with its age."""
    at = f"2026-11-{DAYS[backup]:02d}T02:00:00"
    return {"backup_id": BACKUPS[backup], "created_at": at}


@dataclass
class Before:
    """A stack before an operation: rows by record, with the resource and the recorded owner."""

    request: int
    rows: dict[str, list[tuple[Stored, str | None]]]


class Trouble(httpx.AsyncBaseTransport):
    """A connection on which some lists lack their last row, and some submissions take long."""

    def __init__(self, inner: httpx.AsyncBaseTransport, advance: Callable[[float], None]) -> None:
        self._inner = inner
        self._advance = advance
        self.short_lists = 0
        self.slow_submissions = 0
        self.lists_cut = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        path = request.url.path
        if self.slow_submissions and request.method == "POST" and path.endswith("/replicate"):
            self.slow_submissions -= 1
            self._advance(900.0)
        response = await self._inner.handle_async_request(request)
        if not self.short_lists or request.method != "GET" or not path.endswith("/backups"):
            return response
        page = json.loads(await response.aread())
        if response.status_code == 200 and page["backups"]:
            self.short_lists -= 1
            self.lists_cut += 1
            page["backups"].pop()
        return httpx.Response(response.status_code, json=page, request=request)


class OwnersStack(History):
    """Two stacks in one cloud, each driven as by the engine."""

    backups = BACKUPS
    poll_interval_s = 300

    @initialize(
        holders=st.fixed_dictionaries({name: st.sampled_from(HOLDERS) for name in BACKUPS}),
        is_vault_copied=st.sampled_from([False, False, True]),
    )
    def start(self, holders: dict[str, str], is_vault_copied: bool) -> None:
        """Begin with two stacks. The first one has carried out its program already."""
        self.begin()
        self.ours = Engine(self.session, self.configuration)
        self.others = Engine(self.session, self.configuration, stack="prod")
        for engine in (self.ours, self.others):
            engine.before_delete = self.have_waited
        self.wanted = Wanted(is_vault_copied=is_vault_copied)
        self.other_program: dict[str, tuple[str, dict[str, Any]]] = {}
        self.owners: dict[str, str | None] = {}
        self.ever_in_state: set[str] = set()
        for backup, holder in holders.items():
            self.give(backup, holder)
        self.up_and_end()

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return the connection to the cloud."""
        self.trouble = Trouble(self.simulator.transport(), self.simulator.clock.advance)
        return self.trouble

    def begin_run(self) -> None:
        """Leave it to the engine, which begins each operation."""

    def force(self, *, is_forced: bool) -> None:
        """Set `huaweicloud:forceDestroy` for the runs from now on, or remove it."""
        super().force(is_forced=is_forced)
        more = {"huaweicloud:forceDestroy": "true"} if is_forced else {}
        for engine in (self.ours, self.others):
            engine.configure({**self.configuration, **more})

    # -- what users declare -------------------------------------------------------------------

    def give(self, backup: str, to: str) -> None:
        """Give a backup to a resource in the program, and to no other; or to none."""
        holders = self.wanted.holders
        holders.pop(backup, None)
        if to == "nobody":
            return
        if to in SINGLES:
            for other in [name for name, holder in holders.items() if holder == to]:
                del holders[other]
        holders[backup] = to

    @rule(
        backup=st.sampled_from(sorted(BACKUPS)),
        to=st.sampled_from(HOLDERS),
        trouble=st.sampled_from(TROUBLES),
        is_reversed=st.booleans(),
        then=THEN,
    )
    def hand_over(self, backup: str, to: str, trouble: str, is_reversed: bool, then: str) -> None:
        """Move a backup from one resource to another in the program, or remove it."""
        self.wanted.is_reversed = is_reversed
        self.give(backup, to)
        self.get_into(trouble)
        self.go_on(then)

    @precondition(lambda self: bool(self.wanted.holders))
    @rule(
        number=st.integers(0, 3),
        to=st.sampled_from([*SINGLES, *SETS]),
        trouble=st.sampled_from(TROUBLES),
        then=THEN,
    )
    def give_up_first(self, number: int, to: str, trouble: str, then: str) -> None:
        """Move a backup to a resource that is changed after the one that has it."""
        backup = self.one_of(sorted(self.wanted.holders), number)
        former = self.wanted.holders[backup]
        is_reversed = NAMES.index(former) > NAMES.index(to)
        self.up_and_end()
        self.hand_over(backup, to, trouble, is_reversed, then)

    @rule(
        backup=st.sampled_from(sorted(BACKUPS)),
        to=st.sampled_from([*SINGLES, *SETS]),
        is_destroyed=st.booleans(),
    )
    def hand_over_in_two_steps(self, backup: str, to: str, is_destroyed: bool) -> None:
        """Move a backup with two targeted runs: the new owner first, then the old one."""
        former = self.wanted.holders.get(backup, "many")
        self.give(backup, to)
        self.target({to}, is_up=True, is_refreshed=False)
        self.target({former}, is_up=not is_destroyed, is_refreshed=False)

    @rule(
        name=st.sampled_from(NAMES),
        vault=st.sampled_from(sorted(VAULTS)),
        trouble=st.sampled_from(TROUBLES),
        then=THEN,
    )
    def move(self, name: str, vault: str, trouble: str, then: str) -> None:
        """Declare another destination for a resource."""
        self.wanted.vaults[name] = vault
        self.get_into(trouble)
        self.go_on(then)

    @rule(is_copied=st.booleans(), trouble=st.sampled_from(TROUBLES), then=THEN)
    def copy_vault(self, is_copied: bool, trouble: str, then: str) -> None:
        """Declare the entire vault, or remove it."""
        self.wanted.is_vault_copied = is_copied
        self.get_into(trouble)
        self.go_on(then)

    @rule(count=st.integers(1, 3), outcome=st.sampled_from(["fail", "success"]), then=THEN)
    def roll_on(self, count: int, outcome: str, then: str) -> None:
        """List all backups in the rolling set, and decide how the next copies end."""
        self.wanted.keep_newest = count
        for backup in sorted(BACKUPS):
            if backup not in self.wanted.holders:
                self.give(backup, "rolling")
            if backup not in self.expired:
                self.script_copies(backup, outcome)
        self.go_on(then)

    @rule(name=st.sampled_from(NAMES), then=THEN)
    def force_resource(self, name: str, then: str) -> None:
        """Set `force_destroy` of a resource, or remove it."""
        self.wanted.forced ^= {name}
        self.go_on(then)

    @rule(
        number=st.integers(0, 9),
        to=st.sampled_from(HOLDERS),
        waits=st.integers(0, 4),
        then=THEN,
    )
    def hand_over_what_expires(self, number: int, to: str, waits: int, then: str) -> None:
        """Move or remove a backup that expires before the run, or at one of its waits."""
        backup = self.one_of(sorted(self.backups), number)
        self.give(backup, to)
        if waits:
            self.expire_at_a_wait(number, waits)
        elif self.may_expire():
            super().expire(number)
        self.go_on(then)

    def get_into(self, trouble: str) -> None:
        """Make something fail soon, or come late."""
        if trouble == "none":
            return
        self.injected[trouble] += 1
        if trouble == "list cut short":
            self.trouble.short_lists = 2
        elif trouble == "slow submissions":
            self.trouble.slow_submissions = 2
        else:
            self.control.fault(**OWNER_FAULTS[trouble])

    def declare_what_exists(self) -> None:
        """Take back what was refused, as users do: declare what the state has."""
        self.ran["taken back"] += 1
        self.wanted.holders.clear()
        truth = self.all_records()
        for entry in self.ours.state:
            place = entry.outputs["destination_region"], entry.outputs["destination_vault_id"]
            self.wanted.vaults[entry.name] = name_of(VAULTS, place)
            if entry.form != "vault":
                for record_id, _ in rows_of(entry):
                    backup = name_of(BACKUPS, truth[record_id].source_backup_id)
                    self.wanted.holders.setdefault(backup, entry.name)
        self.wanted.is_vault_copied = any(entry.form == "vault" for entry in self.ours.state)

    def go_on(self, then: str) -> None:
        """Run a command after an edit."""
        how = {"is_refreshed": "refreshed" in then, "goes_on": "on" in then.split()}
        if then.startswith("preview"):
            self.preview_and_up(**how)
        elif then.startswith("up"):
            self.up(**how, replaced="nobody")
        elif then.startswith("destroy"):
            self.destroy(**how)
        elif then == "night":
            self.up_and_end()

    # -- what users run -----------------------------------------------------------------------

    @rule(is_refreshed=st.booleans(), goes_on=st.booleans(), replaced=st.sampled_from(HOLDERS))
    def up(self, is_refreshed: bool, goes_on: bool, replaced: str) -> None:
        """Run `up`, perhaps with `--refresh`, `--continue-on-error` or `--replace`."""
        program = self.wanted.program()
        self.operate(
            self.ours,
            lambda: self.ours.up(
                program, is_refreshed=is_refreshed, goes_on=goes_on, replaced=[replaced]
            ),
            program=program,
        )

    @rule(
        names=st.sets(st.sampled_from(NAMES), min_size=1, max_size=3),
        is_up=st.booleans(),
        is_refreshed=st.booleans(),
    )
    def target(self, names: set[str], is_up: bool, is_refreshed: bool) -> None:
        """Run `up` or `destroy` with `--target`."""
        self.ran["with targets"] += 1
        program = self.wanted.program()
        if is_up:
            self.operate(
                self.ours,
                lambda: self.ours.up(program, is_refreshed=is_refreshed, targets=names),
                program=program,
                targets=names,
            )
        else:
            self.operate(
                self.ours,
                lambda: self.ours.destroy(is_refreshed=is_refreshed, targets=names),
                targets=names,
            )

    @rule(is_refreshed=st.booleans(), goes_on=st.booleans())
    def preview_and_up(self, is_refreshed: bool, goes_on: bool) -> None:
        """Run `preview`, then `up`. Nothing else happens in between."""
        program = self.wanted.program()
        before = self.last_request()
        try:
            shown = self.ours.preview(program, is_refreshed=is_refreshed)
        except (CbrError, RefusedError):
            # `up` is refused for the same reason, or it fails where the preview did.
            shown = None
        finally:
            assert not self.writes_since(before), "the preview wrote"
        announced = None if shown is None else self.announced(shown, program)
        if any(row.is_open for row in self.all_records().values()) or self.events:
            # What comes meanwhile changes what can be deleted.
            announced = None
        self.operate(
            self.ours,
            lambda: self.ours.up(program, is_refreshed=is_refreshed, goes_on=goes_on),
            program=program,
            announced=announced,
        )

    @rule()
    def up_and_end(self) -> None:
        """Run `up`, let all copies end, and run `up` again, as each night."""
        for _ in range(2):
            self.up(is_refreshed=False, goes_on=False, replaced="nobody")
            self.control.advance(LONG_S)

    @rule()
    def refresh(self) -> None:
        """Run `refresh`."""
        self.operate(self.ours, self.ours.refresh)

    @rule(is_refreshed=st.booleans(), goes_on=st.booleans())
    def destroy(self, is_refreshed: bool, goes_on: bool) -> None:
        """Run `destroy`."""
        self.operate(
            self.ours, lambda: self.ours.destroy(is_refreshed=is_refreshed, goes_on=goes_on)
        )

    @rule(backup=st.sampled_from(sorted(BACKUPS)), to=st.sampled_from(HOLDERS))
    def declare_twice(self, backup: str, to: str) -> None:
        """Declare each backup a second time: the operation is refused before it writes."""
        self.give(backup, to)
        if not any(holder != "many" for holder in self.wanted.holders.values()):
            return
        self.wanted.is_declared_twice = True
        program = self.wanted.program()
        self.wanted.is_declared_twice = False
        many = program["many"][1]
        places = {
            name: program[name][1]["destination_region"]
            for name in self.wanted.holders.values()
            if name != "many"
        }
        if many["destination_region"] not in places.values():
            return
        before = self.last_request()
        # A read that fails ends it earlier.
        with pytest.raises((RefusedError, CbrError)):
            self.ours.up(program)
        assert not self.writes_since(before), "the second declaration was carried out"
        self.ran["declared twice"] += 1

    # -- the other stack ----------------------------------------------------------------------

    @rule(
        backup=st.sampled_from(sorted(BACKUPS)),
        vault=st.sampled_from(sorted(VAULTS)),
        adopt=st.sampled_from([True, True, "any"]),
        form=st.sampled_from(["single", "set"]),
    )
    def other_declares(self, backup: str, vault: str, adopt: bool | str, form: str) -> None:
        """The other stack declares a copy, and runs `up`."""
        region, vault_id = VAULTS[vault]
        place = {"destination_region": region, "destination_vault_id": vault_id, "adopt": adopt}
        what: dict[str, Any] = {"backup_id": BACKUPS[backup]}
        if form == "set":
            what = {"backups": {backup: BACKUPS[backup]}}
        self.other_program = {f"their-{form}": (form, {**what, **place})}
        program = self.other_program
        self.operate(self.others, lambda: self.others.up(program), program=program)

    @rule(
        backup=st.sampled_from(sorted(BACKUPS)),
        to=st.sampled_from([*SINGLES, *SETS]),
        then=THEN,
    )
    def adopt_while_it_runs(self, backup: str, to: str, then: str) -> None:
        """The other stack begins a copy, and this one adopts it before CBR shows whose it is."""
        self.other_declares(backup, self.wanted.vaults[to], adopt=True, form="single")
        self.give(backup, to)
        self.up(is_refreshed=False, goes_on=True, replaced="nobody")
        self.control.advance(LONG_S)
        self.go_on(then)

    @rule(is_refreshed=st.booleans())
    def other_destroys(self, is_refreshed: bool) -> None:
        """The other stack runs `destroy`."""
        self.operate(self.others, lambda: self.others.destroy(is_refreshed=is_refreshed))

    # -- what happens meanwhile ---------------------------------------------------------------

    def may_expire(self) -> bool:
        """Whether enough sources remain."""
        return len(self.expired) < 2

    @precondition(lambda self: self.may_expire())
    @rule(number=st.integers(0, 9))
    def expire(self, number: int) -> None:
        """Expire a source backup."""
        super().expire(number)

    def go_wrong_soon(self, what: str) -> None:
        """Leave it to `get_into`."""

    def rename_replica(self, number: int) -> None:
        """Leave names as they are: the other models change them."""

    def come_late(self, number: int) -> None:
        """Show replicas in time: the other models hide them."""

    def change_vault(self, vault: str, how: str) -> None:
        """Keep all vaults as they are: the other models change them."""

    # -- operations ---------------------------------------------------------------------------

    def operate(
        self,
        engine: Engine,
        run_it: Callable[[], None],
        *,
        program: Program | None = None,
        targets: Collection[str] | None = None,
        announced: Collection[str] | None = None,
    ) -> None:
        """Run an operation of a stack, and verify what it deleted.

        Args:
            program: what it declares; None: the operation runs no program.
            targets: the resources that it visits; None: all.
            announced: the replicas that the preview named; None: there was no preview.
        """
        self.note_marks()
        # Somebody else deletes these already.
        going = {row.id for row in self.replicas() if row.status in GOING}
        before = self.before(engine)
        self.ran["operations"] += 1
        has_failed, told = False, ""
        try:
            run_it()
        except (CbrError, RefusedError) as error:
            self.ran["failed"] += 1
            has_failed = True
            told = str(error)
            if isinstance(error, RefusedError) and engine is self.ours:
                self.declare_what_exists()
        assert "Traceback" not in told, told
        self.note_marks()
        requested = self.deletions_since(before.request)
        deleted = {key: at for key, at in requested.items() if key not in going}
        self.ran["deletions"] += len(deleted)
        for replica_id, request in deleted.items():
            record = self.record_of(replica_id)
            self.require_own_mark(engine, before, record)
            self.require_not_wanted(before, record, program, targets)
            self.require_not_last(before, record, request, program)
            self.require_enough_newer(engine, before, record, program)
        if announced is not None:
            self.ran["previews kept"] += 1
            extra = set(deleted) - set(announced)
            assert not extra, f"deleted, but not announced: {extra}"
            missing = set(announced) - set(deleted)
            assert has_failed or not missing, f"announced, but not deleted: {missing}"
        self.require_rows(engine, before, deleted)

    def before(self, engine: Engine) -> Before:
        """Return what a stack has now."""
        rows: dict[str, list[tuple[Stored, str | None]]] = {}
        for entry in engine.state:
            for record_id, owner in rows_of(entry):
                rows.setdefault(record_id, []).append((entry, owner))
        return Before(self.last_request(), rows)

    def note_marks(self) -> None:
        """Note whose mark each replica has."""
        for replica in self.replicas():
            self.owners.setdefault(replica.id, split_mark(replica.description)[1])

    # -- what must hold after each ------------------------------------------------------------

    def require_own_mark(self, engine: Engine, before: Before, record: Record) -> None:
        """The replica had no mark, that of this stack, or one that the state had recorded."""
        owner = self.owners.get(record.replica_id)
        recorded = {owner for _, owner in before.rows.get(record.id, [])}
        name = f"p/{engine.stack}"
        assert owner in {None, name} | recorded, f"{name} deleted a replica of {owner}"

    def require_not_wanted(
        self,
        before: Before,
        record: Record,
        program: Program | None,
        targets: Collection[str] | None,
    ) -> None:
        """No resource that stays declares the copy to that vault, and no unvisited one has it."""
        if targets is not None:
            unvisited = [
                entry.name
                for entry, _ in before.rows.get(record.id, [])
                if entry.name not in targets
            ]
            assert not unvisited, f"deleted what {unvisited} has"
        if program is None:
            return
        visited = {name: one for name, one in program.items() if targets is None or name in targets}
        owners = [name for name, one in visited.items() if declares(one, record)]
        assert not owners, f"{record.source_backup_id} was deleted, but {owners} declares it"

    def require_not_last(
        self, before: Before, record: Record, request: int, program: Program | None
    ) -> None:
        """It was no last copy; or that was forced, or it rolled off."""
        backup = name_of(BACKUPS, record.source_backup_id)
        if self.is_forced or not self.is_last_copy_at(backup, request):
            return
        for entry, _ in before.rows.get(record.id, []):
            if entry.outputs.get("force_destroy"):
                self.ran["last copies forced"] += 1
                return
            if program is None or entry.name not in program:
                continue
            inputs = program[entry.name][1]
            if "keep_newest" in inputs:
                self.ran["last copies rolled off"] += 1
                return
            newer_one = inputs.get("backup_id")
            if newer_one is not None and newer_one != record.source_backup_id:
                other = name_of(BACKUPS, newer_one)
                assert {backup, other} in SERVERS, f"{backup} gave way to {other}"
                assert self.has_succeeded(other), f"{backup} gave way to {other}, which failed"
                self.ran["last copies rolled off"] += 1
                return
        raise AssertionError(f"the last copy of {backup} was deleted")

    def require_enough_newer(
        self, engine: Engine, before: Before, record: Record, program: Program | None
    ) -> None:
        """A rolling set that stays where it is has enough newer copies that succeeded."""
        had = [entry.name for entry, _ in before.rows.get(record.id, [])]
        if program is None or "rolling" not in program or had != ["rolling"]:
            return
        inputs = program["rolling"][1]
        if record.destination_vault_id != inputs["destination_vault_id"]:
            return
        truth, live = self.all_records(), self.live_replicas()
        age = DAYS[name_of(BACKUPS, record.source_backup_id)]
        newer = [
            key
            for entry in engine.state
            if entry.name == "rolling"
            for key, _ in rows_of(entry)
            if key in live
            and truth[key].status == "success"
            and DAYS[name_of(BACKUPS, truth[key].source_backup_id)] > age
        ]
        self.ran["rolled off"] += 1
        assert len(newer) >= inputs["keep_newest"], f"{record.source_backup_id} gave way too early"

    def require_rows(self, engine: Engine, before: Before, deleted: Collection[str]) -> None:
        """No row was dropped whose replica exists, unless it turned out to be another stack's."""
        after = self.before(engine).rows
        self.ever_in_state |= after.keys()
        live = self.live_replicas()
        for record_id in before.rows.keys() - after.keys():
            record = self.all_records()[record_id]
            if record_id not in live or record.replica_id in deleted:
                continue
            owner = self.owners.get(record.replica_id)
            recorded = {owner for _, owner in before.rows[record_id]}
            is_foreign = owner not in {None, f"p/{engine.stack}"} | recorded
            assert is_foreign, f"the row of {record.source_backup_id} was dropped"
            self.ran["left to another stack"] += 1

    def announced(self, shown: Preview, program: Program) -> set[str]:
        """Return the replicas that will be deleted, as the preview shows it.

        An entry that goes takes its replicas with it, unless another resource takes them over.
        """
        truth, live = self.all_records(), self.live_replicas()
        told = self.told_to_leave(shown)
        going = [record_id for entry in shown.gone for record_id, _ in rows_of(entry)]
        staying = [entry for entry in self.ours.state if entry not in shown.gone]
        held = {record_id for entry in staying for record_id, _ in rows_of(entry)} - told
        return {
            truth[key].replica_id
            for key in {*going, *told}
            if key in live
            and key not in held
            and not any(declares(one, truth[key]) for one in program.values())
            and self.owners.get(truth[key].replica_id) in {None, OURS} | self.recorded(key)
        }

    def told_to_leave(self, shown: Preview) -> set[str]:
        """Return the records of members that a set will delete."""
        return {
            entry.outputs["members"][label]["replication_record_id"]
            for entry in self.ours.state
            for label in shown.leaving.get(entry.name, ())
        }

    def recorded(self, record_id: str) -> set[str | None]:
        """Return the owners that the first stack's state has recorded for a copy."""
        return {owner for _, owner in self.before(self.ours).rows.get(record_id, [])}

    @invariant()
    def holds(self) -> None:
        """No copy exists twice."""
        if hasattr(self, "simulator"):
            self.require_once()

    # -- the end ------------------------------------------------------------------------------

    def converge(self) -> None:
        """Without faults, the program is carried out; then `destroy` leaves nothing of ours."""
        self.calm_down()
        self.trouble.short_lists = self.trouble.slow_submissions = 0
        self.injected["lists cut short in fact"] += self.trouble.lists_cut
        for _ in range(2):
            self.refresh()
            self.up_and_end()
        self.force(is_forced=True)
        for engine in (self.ours, self.others):
            self.take_down(engine)
        self.note_marks()
        ours = {
            record_id
            for record_id in self.live_replicas() & self.ever_in_state
            if self.owners.get(self.all_records()[record_id].replica_id) in (OURS, OTHERS)
        }
        assert not ours, f"left behind: {ours}"

    def take_down(self, engine: Engine) -> None:
        """Run `destroy` until nothing is left in the state."""
        self.operate(engine, lambda: engine.destroy(is_refreshed=True, goes_on=True))
        self.control.advance(LONG_S)
        self.operate(engine, lambda: engine.destroy(goes_on=True))
        assert not engine.state, [row.name for row in engine.state]

    # -- the truth ----------------------------------------------------------------------------

    def writes_since(self, number: int) -> list[str]:
        """Return the write requests to CBR since then."""
        return [
            entry["operation"]
            for entry in self.control.journal(since=number)
            if entry["method"] in WRITES and entry["operation"] != "CreateToken"
        ]


def rows_of(entry: Stored) -> Iterator[tuple[str, str | None]]:
    """Return the records of a resource, each with its recorded owner."""
    if entry.form == "single":
        yield entry.id, entry.outputs.get("owner")
        return
    for row in entry.outputs["members"].values():
        yield row["replication_record_id"], row.get("owner")


def declares(resource: tuple[str, dict[str, Any]], record: Record) -> bool:
    """Whether a resource of the program declares the copy of a record, and to that vault.

    A rolling set declares at least the newest ones of those that it lists.
    """
    form, inputs = resource
    if record.destination_vault_id != inputs["destination_vault_id"]:
        return False
    if form == "single":
        return bool(record.source_backup_id == inputs["backup_id"])
    if form == "vault":
        return True
    rows = list(inputs["backups"].items())
    if "keep_newest" in inputs:
        rows.sort(key=lambda pair: DAYS.get(pair[0], 0), reverse=True)
        rows = rows[: inputs["keep_newest"]]
    ids = {row["backup_id"] if isinstance(row, dict) else row for _, row in rows}
    return record.source_backup_id in ids


def test_random_histories_of_owners(announce: Callable[[str], None]) -> None:
    """No replica goes that somebody has, declares or needs, whatever happened before."""
    run(OwnersStack, examples(OWNERS_EXAMPLES), STEPS, SEED, announce)
