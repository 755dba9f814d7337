"""Corners of ownership: two entries of one name, ids in upper case, ages, and settings that change.

Each test runs an operation as the engine does, and inspects the simulator's database.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.ownership.state import UnreadableStateError
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control, InProcessSimulator
from tests.contract.engine import Engine, Program, RefusedError
from tests.contract.owned import (
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
)
from tests.contract.rig import BACKUP, LONG_S
from tests.contract.test_adoption import configured

pytestmark = pytest.mark.simulator_only

FAILED_COPY = {"mode": "immediate", "outcome": "fail"}


@pytest.fixture
def with_leftover(engine: Engine, control: Control, form: str) -> Engine:
    """`up --replace` died before the deletion: two entries of one name have the same replicas."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.before_delete = die
    with pytest.raises(DeadError):
        engine.up(declared(form), replaced=["dr"])
    engine.before_delete = lambda: None
    assert [True, False] == [row.is_left_over for row in engine.state]
    return engine


# -- two entries of one name --------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("is_refreshed", [False, True], ids=["plain", "refreshed"])
@pytest.mark.parametrize("command", ["destroy", "up"])
def test_leftover_and_successor_that_both_go_leave_nothing(
    with_leftover: Engine, control: Control, command: str, is_refreshed: bool
) -> None:
    """Neither leaves the replica to the other."""
    if command == "destroy":
        with_leftover.destroy(is_refreshed=is_refreshed)
    else:
        with_leftover.up({}, is_refreshed=is_refreshed)

    assert [] == with_leftover.state
    assert [] == copied(control)


@pytest.mark.parametrize("form", ["set"])
def test_member_that_leaves_is_not_left_to_a_leftover(
    with_leftover: Engine, control: Control
) -> None:
    """The leftover goes in the same `up`, and would leave the replica to its successor."""
    with_leftover.up(declared("set", backups={"erp": BACKUP}))
    with_leftover.up(declared("set", backups={"erp": BACKUP}))

    assert ["erp"] == [label for row in with_leftover.state for label in row.outputs["members"]]
    assert [BACKUP] == copied(control)


@FORMS
def test_leftover_of_a_resource_that_was_refused_deletes_no_replica(
    with_leftover: Engine, control: Control, form: str
) -> None:
    """The update fails, and the leftover is deleted nevertheless (`--continue-on-error`)."""
    before = copied(control)
    control.fault(operation="UpdateBackup", action="respond", status=403, times=9)
    changes: dict[str, dict[str, Any]] = {"single": {"name": "other"}, "vault": {"adopt": False}}
    changes["set"] = {"backups": {"erp": {"backup_id": BACKUP, "name": "other"}, "web": WEB_1}}

    with suppress(CbrError):
        with_leftover.up(declared(form, **changes[form]), goes_on=True)

    assert before == copied(control)


# -- ids in upper case --------------------------------------------------------------------------


def test_case_of_an_id_changes_no_member(engine: Engine, control: Control) -> None:
    """The same backup is neither copied again nor deleted."""
    engine.up(declared("set", backups={"erp": BACKUP}))
    control.advance(LONG_S)
    engine.refresh()

    engine.up(declared("set", backups={"erp": BACKUP.upper()}))

    assert [BACKUP] == copied(control)
    assert [] == control.journal(operation="DeleteBackup")
    assert 1 == len(control.journal(operation="CopyBackup"))


def test_backup_in_two_cases_is_declared_twice(engine: Engine) -> None:
    """A set cannot have one backup under two labels."""
    with pytest.raises(RefusedError, match=r"names the backup of"):
        engine.up(declared("set", backups={"a": BACKUP, "b": BACKUP.upper()}))


# -- ages ---------------------------------------------------------------------------------------


def rolling(count: int, **backups: tuple[str, str]) -> Program:
    """Return a rolling set of members with ages."""
    members = {
        label: {"backup_id": backup_id, "created_at": at}
        for label, (backup_id, at) in backups.items()
    }
    return declared("set", backups=members, keep_newest=count)


OLD, NEW = "2026-11-20T02:00:00", "2026-11-21T02:00:00"


@pytest.mark.parametrize("is_listed", [True, False], ids=["listed", "not-listed"])
def test_set_that_becomes_rolling_keeps_its_copy_until_a_newer_one_exists(
    engine: Engine, control: Control, is_listed: bool
) -> None:
    """The state of a plain set has no ages."""
    engine.up(declared("set", backups={"old": WEB_1}))
    control.advance(LONG_S)
    control.change_backup(WEB_2, copy=FAILED_COPY)
    listed = {"old": (WEB_1, OLD)} if is_listed else {}

    with suppress(CbrError):
        engine.up(rolling(1, **listed, new=(WEB_2, NEW)))
    control.advance(LONG_S)

    assert [WEB_1] == copied(control)


def test_labels_that_collide_drop_no_row(engine: Engine, control: Control) -> None:
    """A member that has to stay gets a free label."""
    engine.up(declared("set", backups={"web": WEB_1}))
    control.advance(LONG_S)
    control.fault(operation="DeleteBackup", action="respond", status=403, times=9)

    with suppress(CbrError):
        engine.up(declared("set", backups={"web": WEB_2, f"web-{WEB_1[:8]}": BACKUP}))

    rows = engine.state[0].outputs["members"].values()
    assert sorted([WEB_1, WEB_2, BACKUP]) == sorted(row["backup_id"] for row in rows)


def test_labels_of_a_rolling_set_that_collide_drop_no_member(
    engine: Engine, control: Control
) -> None:
    """A kept member gets a free label."""
    engine.up(rolling(3, web=(WEB_1, OLD)))
    control.advance(LONG_S)

    engine.up(rolling(3, web=(WEB_2, NEW), **{f"web-{WEB_1[:8]}": (BACKUP, NEW)}))
    control.advance(LONG_S)

    rows = engine.state[0].outputs["members"].values()
    assert sorted([WEB_1, WEB_2, BACKUP]) == sorted(row["backup_id"] for row in rows)
    assert sorted([WEB_1, WEB_2, BACKUP]) == copied(control)


# -- replacements that delete first ---------------------------------------------------------------


def test_other_backup_of_the_server_with_delete_before_replace_keeps_the_last_copy(
    engine: Engine, control: Control
) -> None:
    """The option `delete_before_replace` deletes before the newer copy exists."""
    engine.up(declared("single"))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(BACKUP)
    control.change_backup(MANUAL, copy=FAILED_COPY)

    with suppress(CbrError):
        engine.up(declared("single", backup_id=MANUAL), is_delete_first=True)
    control.advance(LONG_S)

    assert 1 == len([row for row in control.replicas() if row["region"] == "cn-east-3"])


# -- adoption and marks ---------------------------------------------------------------------------


def named(engine: Engine, owner: str, **changes: Any) -> Engine:
    """Let an engine work as another stack, or with other settings."""
    engine.session.settings = replace(engine.session.settings, owner=owner, **changes)
    engine.configure({**engine.configuration, "huaweicloud:owner": owner})
    return engine


@pytest.mark.parametrize("form", ["set", "vault"])
@pytest.mark.parametrize("preflight", ["error", "warn"])
def test_one_taken_over_copy_gives_no_right_to_others(
    session: Session, configuration: dict[str, str], control: Control, form: str, preflight: str
) -> None:
    """`adopt` was "any" for one member, and is true again."""
    first = named(Engine(session, configuration), "team-a/prod")
    first.up({"a": ("set", {"backups": {"erp": BACKUP}, **EAST})})
    control.advance(LONG_S)
    second = named(Engine(session, configuration), "team-b/prod")
    mine = {"backups": {"erp": BACKUP}} if form == "set" else {}
    second.up(declared(form, **mine, adopt="any", preflight="warn"))
    control.advance(LONG_S)
    named(first, "team-a/prod")
    late = MANUAL if form == "set" else "b0ec9300-d8cb-4260-8884-43c180125193"
    control.change_backup(late, status="available")
    first.up({"a": ("set", {"backups": {"erp": BACKUP, "late": late}, **EAST})})
    control.advance(LONG_S)
    named(second, "team-b/prod")
    more = {"backups": {"erp": BACKUP, "late": late}} if form == "set" else {}

    with suppress(CbrError, RefusedError):
        second.up(declared(form, **more, adopt=True, preflight=preflight))

    rows = second.state[0].outputs["members"].values()
    assert late not in {row["backup_id"] for row in rows}
    second.destroy()
    assert late in copied(control)


def test_text_like_a_mark_is_refused_without_marks(
    simulator: InProcessSimulator, control: Control, configuration: dict[str, str]
) -> None:
    """It would be taken for a mark: every `up` refused, and `destroy` left the replica."""
    engine = configured(simulator, configuration, markReplicas="false")

    with pytest.raises(RefusedError, match=r"ends like the mark of stack 'other/stack'"):
        engine.up(declared("single", description="see [pulumi other/stack]"))

    engine.up(declared("single", description="see [pulumi other/stack]."))
    control.advance(LONG_S)
    engine.destroy(is_refreshed=True)
    assert [] == copied(control)


def test_text_like_a_mark_stays_a_text_beside_the_mark(engine: Engine, control: Control) -> None:
    """The mark of this stack comes last, and counts."""
    engine.up(declared("single", description="see [pulumi other/stack]"))
    control.advance(LONG_S)
    engine.up(declared("single", description="see [pulumi other/stack]"))

    engine.destroy(is_refreshed=True)

    assert [] == copied(control)


# -- force_destroy ------------------------------------------------------------------------------


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_force_destroy_that_is_withdrawn_with_the_removal_deletes_no_last_copy(
    engine: Engine, control: Control, preflight: str
) -> None:
    """The program no longer wants it."""
    engine.up(declared("set", force_destroy=True))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(WEB_1)

    with suppress(ConflictError, CbrError):
        engine.up(declared("set", backups={"erp": BACKUP}, preflight=preflight))

    assert [] == control.journal(operation="DeleteBackup")


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_force_destroy_that_comes_with_the_removal_deletes_no_last_copy(
    engine: Engine, control: Control, preflight: str
) -> None:
    """It has to be in the state before."""
    engine.up(declared("set"))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(WEB_1)

    with suppress(ConflictError, CbrError):
        engine.up(declared("set", backups={"erp": BACKUP}, force_destroy=True, preflight=preflight))

    assert [] == control.journal(operation="DeleteBackup")


# -- settings that change, and moves ------------------------------------------------------------


@pytest.mark.parametrize("form", ["single", "set"])
def test_resource_removed_beside_a_vault_that_looks_at_nothing_ends(
    engine: Engine, control: Control, form: str
) -> None:
    """With preflight "off" the vault takes nothing over in an update; the replica stays."""
    single = declared(form)
    engine.up({"mine": single["dr"]})
    control.advance(LONG_S)
    program: Program = {"whole": ("vault", {"vault_id": SOURCE_VAULT, **EAST})}
    engine.up({"mine": single["dr"], **program})
    control.advance(LONG_S)
    before = copied(control)
    quiet: Program = {"whole": ("vault", {**program["whole"][1], "preflight": "off"})}

    with suppress(CbrError):
        engine.up(quiet)
    with suppress(CbrError):
        engine.up(quiet)

    assert before == copied(control)
    engine.up(program)
    assert before == copied(control)
    assert ["whole"] == [row.name for row in engine.state]
    engine.destroy()
    assert [] == copied(control)


@FORMS
def test_two_leftovers_and_a_successor_leave_nothing(
    with_leftover: Engine, control: Control, form: str
) -> None:
    """`up --replace` died twice."""
    engine = with_leftover
    engine.before_delete = die
    with pytest.raises(DeadError):
        engine.up(declared(form), replaced=["dr"])
    engine.before_delete = lambda: None
    before = copied(control)

    engine.up(declared(form))

    assert before == copied(control)
    assert 1 == len(engine.state)
    engine.destroy()
    assert [] == copied(control)


@pytest.mark.parametrize(
    "forms",
    [
        ("set", "single"),
        ("single", "set"),
        ("set", "vault"),
        ("single", "vault"),
        ("vault", "set"),
        ("vault", "single"),
    ],
)
@pytest.mark.parametrize("is_refreshed", [False, True])
def test_move_between_forms_with_a_refusal_keeps_the_copy(
    engine: Engine, control: Control, forms: tuple[str, str], is_refreshed: bool
) -> None:
    """The source's list fails at first, and the operation goes on."""
    old, new = forms
    erp = {"backups": {"erp": BACKUP}}
    engine.up({"old": declared(old, **(erp if old == "set" else {}))["dr"]})
    control.advance(LONG_S)
    if is_refreshed:
        engine.refresh()
    target = {"new": declared(new, **(erp if new == "set" else {}))["dr"]}
    for code in ("BackupService.1009", "BackupService.6130"):
        control.fault(
            operation="ListBackups",
            action="respond",
            status=429,
            body={"error_code": "APIGW.0308", "error_msg": "throttled"},
            times=12,
        )
        control.fault(
            operation="ShowBackup",
            action="respond",
            status=400,
            body={"error_code": code, "error_msg": "x"},
            times=3,
        )
        with suppress(CbrError, RefusedError):
            engine.up(target, goes_on=True, is_refreshed=is_refreshed)
        assert BACKUP in copied(control)
        control.drop_faults()
    engine.up(target, is_refreshed=is_refreshed)
    assert BACKUP in copied(control)
    assert 1 >= len(
        [
            1
            for row in control.records()
            if row["source_backup_id"] == BACKUP and row["status"] != "fail"
        ]
    )
    engine.destroy(is_refreshed=is_refreshed)
    assert [] == copied(control)


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_rename_and_removal_and_move_in_one_operation(
    engine: Engine, control: Control, is_refreshed: bool
) -> None:
    """Set "a" becomes "b" with one member less, which a single takes, and one more."""
    engine.up({"a": ("set", {"backups": {"erp": BACKUP, "web": WEB_1, "m": MANUAL}, **EAST})})
    control.advance(LONG_S)
    program: Program = {
        "b": ("set", {"backups": {"erp": BACKUP, "w2": WEB_2}, **EAST}),
        "one": ("single", {"backup_id": WEB_1, **EAST}),
    }
    control.fault(
        operation="CopyBackup",
        action="respond",
        status=400,
        body={"error_code": "BackupService.6130", "error_msg": "x"},
        times=2,
    )

    with suppress(CbrError):
        engine.up(program, goes_on=True, is_refreshed=is_refreshed)
    assert {BACKUP, WEB_1} <= set(copied(control))
    control.drop_faults()
    engine.up(program, is_refreshed=is_refreshed)
    control.advance(LONG_S)

    assert sorted([BACKUP, WEB_1, WEB_2]) == copied(control)
    engine.destroy(is_refreshed=is_refreshed)
    assert [] == copied(control)


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_rolling_set_with_counts_that_change_and_failures(
    engine: Engine, control: Control, is_refreshed: bool
) -> None:
    """Lowered, raised, and lowered; zones, equal times, and copies that fail."""
    a, b, c, d = WEB_1, WEB_2, BACKUP, MANUAL
    times = {
        a: "2026-11-20T02:00:00",
        b: "2026-11-20T10:00:00+08:00",
        c: "2026-11-20T02:00:00Z",
        d: "2026-11-20T03:00:00",
    }
    engine.up(rolling(3, a=(a, times[a]), b=(b, times[b])))
    control.advance(LONG_S)
    control.change_backup(c, copy=FAILED_COPY)
    control.change_backup(d, copy=FAILED_COPY)
    for count in (1, 3, 1):
        with suppress(CbrError, RefusedError):
            engine.up(rolling(count, c=(c, times[c]), d=(d, times[d])), is_refreshed=is_refreshed)
        control.advance(LONG_S)
        assert [b] == copied(control)
    control.change_backup(d, copy={"mode": "immediate"})
    for _ in range(3):
        with suppress(CbrError, RefusedError):
            engine.up(rolling(1, d=(d, times[d])), is_refreshed=is_refreshed)
        control.advance(LONG_S)
    assert [d] == copied(control)
    engine.destroy()
    assert [] == copied(control)


@FORMS
def test_region_change_that_failed_in_part(engine: Engine, control: Control, form: str) -> None:
    """One copy to the new region fails, and all old ones stay; the next `up` ends the move."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.refresh()
    before = copied(control)
    if form == "single":
        control.change_backup(BACKUP, copy={"mode": "never"})
    else:
        control.change_backup(WEB_1, copy=FAILED_COPY)

    with suppress(CbrError):
        engine.up(declared(form, **SOUTH))

    assert set(before) <= set(copied(control))
    if form == "single":
        for record in control.records():
            if record["status"] not in ("success", "fail"):
                control.change_record(record["id"], copy={"mode": "immediate"})
    control.change_backup(WEB_1, copy={"mode": "immediate"})
    control.advance(LONG_S)
    engine.up(declared(form, **SOUTH))
    assert set(before) == set(copied(control))
    engine.destroy()
    assert [] == copied(control)


def test_unreadable_export_with_two_owners(engine: Engine, control: Control) -> None:
    """An older version let two resources have one replica; the state cannot be exported."""
    engine.up({"many": declared("set")["dr"]})
    (many_,) = engine.state
    engine.state = []
    engine.up({"one": declared("single")["dr"]})
    engine.state.append(many_)
    control.advance(LONG_S)

    def refuse(_urn: str, _with_secrets: bool) -> bytes:
        raise UnreadableStateError("no CLI")

    engine.export = refuse  # type: ignore[method-assign]
    engine.up({"one": declared("single")["dr"]})
    assert [BACKUP] == copied(control)
    engine.destroy()
    assert [] == copied(control)


@pytest.mark.parametrize("is_refreshed", [False, True])
def test_rolling_after_the_console_deleted_what_was_kept(
    engine: Engine, control: Control, is_refreshed: bool
) -> None:
    """A replica that somebody deleted does not count."""
    engine.up(rolling(2, a=(WEB_1, OLD), b=(WEB_2, NEW)))
    control.advance(LONG_S)
    engine.refresh()
    b = next(
        r["destination_backup_id"] for r in control.records() if r["source_backup_id"] == WEB_2
    )
    control.forget_backup(b)
    engine.up(rolling(1, a=(WEB_1, OLD), b=(WEB_2, NEW)), is_refreshed=is_refreshed)
    assert WEB_1 in copied(control)
    engine.up(rolling(1, b=(WEB_2, NEW)), is_refreshed=is_refreshed)
    assert WEB_1 in copied(control)
    for _ in range(3):
        control.advance(LONG_S)
        engine.up(rolling(1, b=(WEB_2, NEW)), is_refreshed=True)
    assert [WEB_2] == copied(control)


@FORMS
def test_leftover_deletes_nothing_if_the_move_to_a_region_fails(
    with_leftover: Engine, control: Control, form: str
) -> None:
    """The current entry has the same replicas, and stays (`--continue-on-error`)."""
    before = copied(control)
    control.change_backup(BACKUP, copy=FAILED_COPY)

    with pytest.raises(CbrError):
        with_leftover.up(declared(form, **SOUTH), goes_on=True)

    assert set(before) <= set(copied(control))
    assert [] == control.journal(operation="DeleteBackup")
