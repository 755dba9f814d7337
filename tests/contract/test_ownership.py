"""Who owns a copy: what a refresh, a replacement and a move between forms may delete.

Each test runs an operation as the engine does, and inspects the simulator's database.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace
from pulumi.output import Unknown

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.ownership.operation import (
    QUIET_S,
    Operation,
    begin_operation,
    current_operation,
)
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.replication import many, one
from simulator.testing import Control
from tests.contract.engine import Engine, Program
from tests.contract.owned import (
    BACKUPS,
    EAST,
    FORMS,
    MANUAL,
    SOURCE_VAULT,
    SOUTH,
    WEB_1,
    WEB_2,
    DeadError,
    copied,
    declared,
    die,
    replicas,
)
from tests.contract.rig import BACKUP, LONG_S, SECOND_VAULT, SimulatedClock, refuse_to_export

pytestmark = pytest.mark.simulator_only

IN_THE_MAKING = "b0ec9300-d8cb-4260-8884-43c180125193"
OTHER_SOURCE_VAULT = "00000000-0000-4000-8000-000000000000"
BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}


def moved(form: str) -> Program:
    """Return it with another vault of the region. An entire vault moves only with `warn`."""
    more = {"preflight": "warn"} if form == "vault" else {}
    return declared(form, destination_vault_id=SECOND_VAULT, **more)


# -- a refresh in the same operation ------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("command", ["destroy", "up"])
def test_refresh_stops_no_deletion(settled: Engine, control: Control, command: str) -> None:
    """`destroy --refresh`, and `up --refresh` after a removal, leave no replica behind."""
    if command == "destroy":
        settled.destroy(is_refreshed=True)
    else:
        settled.up({}, is_refreshed=True)

    assert [] == settled.state
    assert [] == copied(control)


@FORMS
def test_refresh_stops_no_move_to_another_vault(
    settled: Engine, control: Control, form: str
) -> None:
    """`up --refresh` with another vault in the region deletes the old replicas and succeeds."""
    settled.up(moved(form), is_refreshed=True)

    # CBR copies a backup to a region once with its vault.
    assert ([] if form == "vault" else BACKUPS[form]) == copied(control)
    assert set(replicas(control).values()) <= {SECOND_VAULT}
    settled.destroy(is_refreshed=True)
    assert [] == copied(control)


@pytest.mark.parametrize("form", ["single"])
def test_refresh_stops_no_change_of_the_backup(settled: Engine, control: Control) -> None:
    """`up --refresh` with another backup deletes the replica of the old one."""
    settled.up(declared("single", backup_id=MANUAL), is_refreshed=True)

    assert [MANUAL] == copied(control)


@FORMS
def test_refresh_changes_nothing_for_what_stays(
    settled: Engine, control: Control, form: str
) -> None:
    """An unchanged declaration is neither copied nor deleted."""
    control.clear_journal()

    settled.up(declared(form), is_refreshed=True)

    assert BACKUPS[form] == copied(control)
    assert [] == control.journal(operation="DeleteBackup")
    assert [] == control.journal(operation="CopyBackup")


@FORMS
def test_refresh_leaves_a_replica_to_its_other_owner(
    settled: Engine, control: Control, form: str
) -> None:
    """A renamed resource has the replica. The old one, refreshed before, leaves it."""
    (program,) = declared(form).values()

    settled.up({"other": program}, is_refreshed=True)

    assert BACKUPS[form] == copied(control)
    assert ["other"] == [row.name for row in settled.state]
    settled.destroy(is_refreshed=True)
    assert [] == copied(control)


@FORMS
@pytest.mark.parametrize("is_refreshed", [False, True], ids=["plain", "refreshed"])
def test_leftover_of_the_same_name_deletes_no_replica(
    settled: Engine, control: Control, form: str, is_refreshed: bool
) -> None:
    """`up --replace` died before the deletion: the old resource names the new one's replicas."""
    settled.before_delete = die
    with pytest.raises(DeadError):
        settled.up(declared(form), replaced=["dr"])
    assert [True, False] == [row.is_left_over for row in settled.state]
    settled.before_delete = lambda: None

    settled.up(declared(form), is_refreshed=is_refreshed)

    assert BACKUPS[form] == copied(control)
    assert 1 == len(settled.state)
    settled.destroy(is_refreshed=is_refreshed)
    assert [] == copied(control)


@FORMS
@pytest.mark.parametrize("command", ["destroy", "up"])
def test_leftover_and_its_successor_are_both_deleted(
    settled: Engine, control: Control, form: str, command: str
) -> None:
    """Both have the replicas. Neither leaves them to the other for good."""
    settled.before_delete = die
    with pytest.raises(DeadError):
        settled.up(declared(form), replaced=["dr"])
    settled.before_delete = lambda: None

    if command == "destroy":
        settled.destroy()
    else:
        settled.up({})

    assert [] == settled.state
    assert [] == copied(control)


@pytest.mark.parametrize("form", ["set"])
def test_leftover_keeps_what_its_successor_could_not_adopt(
    settled: Engine, control: Control, form: str
) -> None:
    """No record names one replica, so the new set fails; the old one must not delete it."""
    (hidden,) = (row["id"] for row in control.records() if row["source_backup_id"] == WEB_1)
    before = replicas(control)
    control.forget_record(hidden)

    for number in range(2):
        with pytest.raises(CbrError):
            settled.up(declared(form), replaced=[] if number else ["dr"], goes_on=True)
        assert before == replicas(control)

    settled.destroy()
    assert {} == replicas(control)


@pytest.mark.parametrize("command", ["destroy", "up"])
def test_refresh_of_two_owners_that_both_go(engine: Engine, control: Control, command: str) -> None:
    """An older version let two resources have one replica. Neither leaves it to the other."""
    engine.up({"many": declared("set")["dr"]})
    (many_,) = engine.state
    engine.state = []
    engine.up({"one": declared("single")["dr"]})
    engine.state.append(many_)
    control.advance(LONG_S)

    if command == "destroy":
        engine.destroy(is_refreshed=True)
    else:
        engine.up({}, is_refreshed=True)

    assert [] == engine.state
    assert [] == copied(control)


def test_refresh_stops_no_removal_of_a_member(engine: Engine, control: Control) -> None:
    """A set that was refreshed in the same `up` removes members as usual."""
    engine.up(declared("set"))
    control.advance(LONG_S)

    engine.up(declared("set", backups={"erp": BACKUP}), is_refreshed=True)

    assert [BACKUP] == copied(control)


@FORMS
@pytest.mark.parametrize("is_readable", [True, False], ids=["state", "no state"])
def test_diff_for_a_dependency_stops_no_deletion(
    settled: Engine, control: Control, form: str, is_readable: bool
) -> None:
    """Its dependency is replaced, so the engine diffs it. The program no longer has it.

    This holds where the stack's state cannot be read as well: then the notes alone decide.
    """
    (row,) = settled.state
    begin_operation()
    if not is_readable:
        use_export(refuse_to_export)
    settled.call(form, "dr", "diff", row.id, row.outputs, row.inputs)

    settled.call(form, "dr", "delete", row.id, row.outputs)

    assert [] == copied(control)


# -- a replacement checks last ------------------------------------------------------------------


def replace_by_declaration(engine: Engine, form: str) -> None:
    """Declare another vault in the same region."""
    engine.up(moved(form))


def replace_by_option(engine: Engine, form: str) -> None:
    """Run `up --replace` with `delete_before_replace`; the engine requests no diff."""
    engine.up(declared(form), replaced=["dr"], is_delete_first=True)


def replace_for_dependency(engine: Engine, form: str) -> None:
    """Replace its dependency: a diff with an unknown input, no check, and a deletion."""
    (row,) = engine.state
    begin_operation()
    engine.session.forget()
    unknown = {**row.inputs, "destination_vault_id": Unknown()}  # type: ignore[no-untyped-call]
    if form == "vault":
        unknown["preflight"] = "warn"
    assert engine.call(form, "dr", "diff", row.id, row.outputs, unknown).replaces
    engine.before_delete()
    engine.call(form, "dr", "delete", row.id, row.outputs)


REPLACEMENTS = pytest.mark.parametrize(
    "replace",
    [replace_by_declaration, replace_by_option, replace_for_dependency],
    ids=["declared", "option", "dependency"],
)


@FORMS
@REPLACEMENTS
@pytest.mark.parametrize("is_forced", [False, True], ids=["plain", "forced"])
def test_replacement_keeps_the_last_copy_when_the_source_goes_before_delete(
    settled: Engine, control: Control, form: str, replace: Any, is_forced: bool
) -> None:
    """Diff and preflight saw the source, but not `delete`: it refuses, and all replicas stay.

    `force_destroy` is about what nobody wants any more, and not about a replacement.
    """
    if is_forced:
        settled.up(declared(form, force_destroy=True))
    before = replicas(control)
    settled.before_delete = lambda: control.forget_backup(BACKUP)

    with pytest.raises(ConflictError, match=r"gone, so"):
        replace(settled, form)

    assert before == replicas(control)
    assert [] == control.journal(operation="DeleteBackup")
    assert ["dr"] == [row.name for row in settled.state]


@FORMS
def test_replacement_keeps_the_last_copy_when_the_source_goes_during_the_wait(
    engine: Engine, control: Control, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`delete` waits for a running copy, and the source expires meanwhile."""
    for backup_id in BACKUPS[form]:
        control.change_backup(backup_id, copy={"mode": "seconds", "seconds": 3000})
    engine.up(declared(form))
    engine.before_delete = lambda: expire_at_next_sleep(monkeypatch, control)

    with pytest.raises(ConflictError, match=r"gone, so"):
        engine.up(moved(form))

    assert [] == control.journal(operation="DeleteBackup")
    assert len(BACKUPS[form]) == len(replicas(control))


def expire_at_next_sleep(monkeypatch: pytest.MonkeyPatch, control: Control) -> None:
    """Expire the source at the first wait."""
    sleep = SimulatedClock.sleep

    async def expire_first(clock: SimulatedClock, seconds: float) -> None:
        monkeypatch.setattr(SimulatedClock, "sleep", sleep)
        await asyncio.to_thread(control.forget_backup, BACKUP)
        await sleep(clock, seconds)

    monkeypatch.setattr(SimulatedClock, "sleep", expire_first)


@FORMS
def test_replacement_looks_immediately_before_the_request(
    settled: Engine, control: Control, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source expires after all checks of `delete` except the last one, which notices it."""
    real = one.look_last
    kept = replica_of(control, BACKUP)

    async def expire_first(*arguments: Any) -> str | None:
        if arguments[1].tracked.backup_id == BACKUP:
            await asyncio.to_thread(control.forget_backup, BACKUP)
        return await real(*arguments)

    monkeypatch.setattr(one, "look_last", expire_first)
    monkeypatch.setattr(many, "look_last", expire_first)

    with pytest.raises(CbrError, match=r"is gone, so replica"):
        settled.up(moved(form))

    deleted = {row["backup_id"] for row in control.journal(operation="DeleteBackup")}
    assert kept not in deleted
    assert len(BACKUPS[form]) - len(deleted) == len(replicas(control))


@FORMS
def test_replacement_costs_one_request_for_each_replica(
    settled: Engine, control: Control, form: str
) -> None:
    """At most one request more for each replica than a plain deletion."""
    (row,) = settled.state
    requests = []
    for is_replaced in (True, False):
        begin_operation()
        settled.session.forget()
        if is_replaced:
            current_operation().note_replaced(f"urn:pulumi:test::p::{form}::dr", [])
        control.clear_journal()
        for _ in BACKUPS[form]:
            # Refused each time, so both ask about the same replicas.
            body = {"error_code": "BackupService.6204", "error_msg": "an image was made of it"}
            control.fault(operation="DeleteBackup", action="respond", status=400, body=body)
        with pytest.raises(CbrError):
            settled.call(form, "dr", "delete", row.id, row.outputs)
        requests.append(len(control.journal()))

    assert requests[0] - requests[1] <= len(BACKUPS[form])


@pytest.mark.parametrize("form", ["single"])
def test_replacement_by_another_backup_gives_the_old_replica_up(
    settled: Engine, control: Control
) -> None:
    """Nobody wants the replica of the old backup, whether its source exists or not."""
    settled.before_delete = lambda: control.forget_backup(BACKUP)

    settled.up(declared("single", backup_id=MANUAL))

    assert [MANUAL] == copied(control)
    assert 1 == len(replicas(control))


@FORMS
def test_replacement_that_creates_first_keeps_the_last_whole_copy(
    settled: Engine, control: Control, form: str
) -> None:
    """The new copy in the other region is incomplete when the source expires."""
    before = replicas(control)
    settled.before_delete = lambda: control.forget_backup(BACKUP)

    with pytest.raises(ConflictError, match=r"gone, so"):
        settled.up(declared(form, **SOUTH))

    assert before.items() <= replicas(control).items()
    assert [] == control.journal(operation="DeleteBackup")


@FORMS
@pytest.mark.parametrize("command", ["destroy", "up"])
@pytest.mark.parametrize("is_refreshed", [False, True], ids=["plain", "refreshed"])
def test_last_copy_is_deleted_only_if_forced(
    settled: Engine, control: Control, form: str, command: str, is_refreshed: bool
) -> None:
    """Neither `destroy` nor a removal deletes the last copy of a backup; `force_destroy` does."""
    control.forget_backup(BACKUP)
    before = replicas(control)

    def run(**given: Any) -> None:
        if command == "destroy":
            settled.destroy(**given)
        else:
            settled.up({}, **given)

    with pytest.raises(ConflictError, match=r"force_destroy.*forceDestroy.*retain_on_delete"):
        run(is_refreshed=is_refreshed)

    assert before == replicas(control)
    assert 1 == len(settled.state)
    settled.up(declared(form, force_destroy=True, preflight="warn"))
    run(is_refreshed=is_refreshed)
    assert {} == replicas(control)
    assert [] == settled.state


@FORMS
def test_last_copy_is_deleted_if_the_run_is_forced(
    settled: Engine, control: Control, configuration: dict[str, str]
) -> None:
    """`huaweicloud:forceDestroy` works for one run, without a change of the state."""
    control.forget_backup(BACKUP)

    settled.session.settings = replace(settled.session.settings, force_destroy=True)
    settled.configure({**configuration, "huaweicloud:forceDestroy": "true"})
    settled.destroy()

    assert {} == replicas(control)


# -- an entire vault claims its backups ---------------------------------------------------------


LEFT = {"web": ("set", {"backups": {"web": WEB_1}, **EAST})}


@pytest.fixture
def handed_over(engine: Engine, control: Control) -> Program:
    """A set of two, and the program that removes one and copies its vault."""
    engine.up({"web": declared("set")["dr"]})
    control.advance(LONG_S)
    return {**LEFT, **declared("vault")}


@pytest.mark.parametrize("is_refreshed", [False, True], ids=["plain", "refreshed"])
def test_member_is_left_to_the_vault_that_is_yet_to_be_copied(
    engine: Engine, control: Control, handed_over: Program, is_refreshed: bool
) -> None:
    """The set changes first, then CBR refuses to copy the vault (6130). The next `up` adopts."""
    replica = replica_of(control, BACKUP)
    control.fault(operation="CopyCheckpoint", action="respond", status=400, body=BUSY, times=99)

    with pytest.raises(CbrError, match=r"6130"):
        engine.up(handed_over, is_refreshed=is_refreshed)

    assert replica == replica_of(control, BACKUP)
    rows = engine.state[0].outputs["members"]
    assert {"erp": True, "web": None} == {name: row.get("leaving") for name, row in rows.items()}
    control.drop_faults()
    engine.up(handed_over)
    engine.up(handed_over)
    assert ["web"] == list(engine.state[0].outputs["members"])
    assert BACKUPS["vault"] == copied(control)
    assert replica == replica_of(control, BACKUP)
    assert 2 == len(control.journal(operation="CopyBackup"))


def replica_of(control: Control, backup_id: str) -> str:
    """Return the id of a backup's replica."""
    present = {row["id"] for row in control.replicas()}
    (replica,) = (
        record["destination_backup_id"]
        for record in control.records()
        if record["source_backup_id"] == backup_id and record["destination_backup_id"] in present
    )
    found: str = replica
    return found


@pytest.mark.parametrize("former", ["single", "set"])
def test_removed_resource_is_left_to_a_vault_that_failed(
    engine: Engine, control: Control, former: str
) -> None:
    """With `--continue-on-error` the old resource is deleted although the new one failed."""
    engine.up({"old": declared(former)["dr"]})
    control.advance(LONG_S)
    control.fault(operation="CopyCheckpoint", action="drop_before", times=99)
    control.fault(operation="ListBackups", action="drop_before", times=99)

    with pytest.raises(CbrError):
        engine.up(declared("vault", preflight="off"), goes_on=True)

    control.drop_faults()
    assert BACKUPS[former] == copied(control)
    engine.up(declared("vault"))
    assert BACKUPS["vault"] == copied(control)


@FORMS
def test_removed_resource_without_replicas_waits_for_nobody(
    settled: Engine, control: Control, form: str
) -> None:
    """Its replicas were deleted by hand, and the renamed resource fails: nothing is kept."""
    for replica_id in replicas(control):
        control.forget_backup(replica_id)
    operation = "CopyCheckpoint" if form == "vault" else "CopyBackup"
    control.fault(operation=operation, action="respond", status=400, body=BUSY, times=99)
    (program,) = declared(form).values()

    with suppress(CbrError):
        settled.up({"other": program}, goes_on=True)

    assert "dr" not in [row.name for row in settled.state]


@pytest.mark.parametrize(
    "vault",
    [
        pytest.param({"adopt": False, "preflight": "warn"}, id="adopts-nothing"),
        pytest.param({"destination_vault_id": SECOND_VAULT, "preflight": "warn"}, id="elsewhere"),
        pytest.param({"vault_id": OTHER_SOURCE_VAULT, "preflight": "off"}, id="other-vault"),
        pytest.param(SOUTH, id="other-region"),
    ],
)
def test_member_is_not_left_to_a_vault_that_does_not_take_it_over(
    engine: Engine, control: Control, handed_over: Program, vault: dict[str, Any]
) -> None:
    """It is removed as usual: nobody else would have its replica."""
    replica = replica_of(control, BACKUP)
    control.fault(operation="CopyCheckpoint", action="respond", status=400, body=BUSY, times=99)

    with suppress(CbrError):
        engine.up({**handed_over, **declared("vault", **vault)})

    assert replica not in replicas(control)


def test_member_stays_when_its_vault_cannot_be_looked_up(
    engine: Engine, control: Control, handed_over: Program
) -> None:
    """It is unknown whether the vault takes the replica over, so nothing is deleted."""
    control.fault(
        operation="ShowBackup", action="respond", status=403, path=f"/{BACKUP}$", times=99
    )

    with pytest.raises(CbrError, match=r"'erp'"):
        engine.up(handed_over)

    assert [] == control.journal(operation="DeleteBackup")
    assert {"erp", "web"} == set(engine.state[0].outputs["members"])


def test_vault_waits_for_who_declares_a_copy_that_it_could_adopt(
    engine: Engine, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine may create the vault before it checks the resource that declares a backup.

    It checks that one when it has the answer about another one.
    """
    program = {"old": ("single", {"backup_id": WEB_1, **EAST})}
    engine.up(program)
    control.advance(LONG_S)
    name, (form, inputs) = "dr", declared("vault")["dr"]

    begin_operation()
    checked = engine.check(name, form, {}, inputs)
    claim_after_a_diff(monkeypatch)
    outputs = engine.call(form, name, "create", checked).outs

    assert {BACKUP, WEB_2, MANUAL} == {row["backup_id"] for row in outputs["members"].values()}


def claim_after_a_diff(monkeypatch: pytest.MonkeyPatch) -> None:
    """End a diff after some waits. Then another resource declares a copy, in its `check`."""
    sleep, waits = SimulatedClock.sleep, iter(range(3))
    call = current_operation().call_about_program()
    call.__enter__()

    async def claim_late(clock: SimulatedClock, seconds: float) -> None:
        await sleep(clock, seconds)
        if next(waits, None) is None:
            monkeypatch.setattr(SimulatedClock, "sleep", sleep)
            current_operation().note_claimed("urn:old", [(WEB_1, "cn-east-3")])
            call.__exit__(None, None, None)

    monkeypatch.setattr(SimulatedClock, "sleep", claim_late)


def test_vault_claims_without_a_request(engine: Engine, control: Control) -> None:
    """A check of an existing resource sends no request, as before."""
    engine.up(declared("vault"))
    control.clear_journal()

    engine.check("dr", "vault", engine.state[0].inputs, declared("vault")["dr"][1])

    assert [] == control.journal()
    assert [SOURCE_VAULT] == [
        claim.vault_id for claim in current_operation().vaults_claimed(besides="")
    ]


# -- changes of the state alone -----------------------------------------------------------------


@pytest.mark.parametrize("preflight", ["off", "warn"])
@pytest.mark.parametrize("form", ["vault"])
def test_vault_asks_its_source_nothing_for_a_change_of_the_state(
    settled: Engine, control: Control, preflight: str
) -> None:
    """Another `preflight` is a change of the state, so an outage of the source is no error."""
    control.clear_journal()
    control.fault(region="cn-north-4", action="respond", status=503, body="down", times=100_000)

    settled.up(declared("vault", preflight=preflight))

    assert preflight == settled.state[0].outputs["preflight"]
    assert BACKUPS["vault"] == copied(control)
    asked = {entry["operation"] for entry in control.journal() if entry["region"] == "cn-north-4"}
    assert asked <= ({"ListBackups"} if preflight == "warn" else set())


@pytest.mark.parametrize("form", ["vault"])
def test_backup_that_comes_after_a_refresh_is_copied(settled: Engine, control: Control) -> None:
    """The last diff counts: the one of the refresh came before the backup."""
    seen: list[int] = []

    def available() -> None:
        if not seen:
            control.change_backup(IN_THE_MAKING, status="available")
        seen.append(1)

    settled.before_check = available

    settled.up(declared("vault", preflight="warn"), is_refreshed=True)

    assert IN_THE_MAKING in {row["source_backup_id"] for row in control.records()}


# -- notes --------------------------------------------------------------------------------------


def test_settled_waits_for_calls_without_an_answer() -> None:
    """A diff that reads a vault for a long time may still note an owner."""
    operation = Operation()
    slept: list[float] = []
    call = operation.call_about_program()
    call.__enter__()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 30:
            call.__exit__(None, None, None)

    asyncio.run(operation.settled(sleep))

    assert [QUIET_S] * 30 <= slept
    assert 30 <= len(slept) <= 32
