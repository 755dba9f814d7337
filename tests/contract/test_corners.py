"""Corners of ownership: two entries of one name, ids in upper case, ages, and settings that change.

Each test runs an operation as the engine does, and inspects the simulator's database.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control
from tests.contract.engine import Engine, Program, RefusedError
from tests.contract.rig import BACKUP, LONG_S, VAULT

pytestmark = pytest.mark.simulator_only

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
FAILED_COPY = {"mode": "immediate", "outcome": "fail"}


def declared(form: str, **changes: Any) -> Program:
    """Return a program with one resource of a form."""
    what: dict[str, dict[str, Any]] = {
        "single": {"backup_id": BACKUP},
        "set": {"backups": {"erp": BACKUP, "web": WEB_1}},
        "vault": {"vault_id": SOURCE_VAULT},
    }
    return {"dr": (form, {**what[form], **EAST, **changes})}


@pytest.fixture
def engine(session: Session, configuration: dict[str, str]) -> Engine:
    """An engine with an empty stack."""
    return Engine(session, configuration)


def copied(control: Control) -> list[str]:
    """Return the sources of all replicas, once for each replica."""
    present = {row["id"] for row in control.replicas() if row["status"] != "deleting"}
    return sorted(
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    )


class DeadError(Exception):
    """The process died."""


def die() -> None:
    """End the operation here."""
    raise DeadError


FORMS = pytest.mark.parametrize("form", ["single", "set", "vault"])


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


@pytest.mark.parametrize("form", ["single"])
def test_text_like_a_mark_makes_no_copy_foreign(
    engine: Engine, control: Control, form: str
) -> None:
    """Without marks, the text of the user is all that stands there."""
    engine.session.settings = replace(engine.session.settings, mark_replicas=False)
    text = "see [pulumi other/stack]"
    with suppress(RefusedError):
        engine.up(declared(form, description=text))
    control.advance(LONG_S)

    with suppress(CbrError):
        engine.destroy(is_refreshed=True)

    assert bool(engine.state) == bool(copied(control))


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
