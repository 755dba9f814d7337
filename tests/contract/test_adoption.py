"""Adoption goes by the mark (decision record 0025): each cell of its table, through the providers.

A mark that CBR shows only later, descriptions, names, and two declarations of one copy are here
too.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pulumi.output import Unknown

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.testing import Control, InProcessSimulator
from tests.contract.engine import Engine, RefusedError
from tests.contract.owned import (
    BACKUPS,
    EAST,
    FORMS,
    MANUAL,
    SOUTH,
    WEB_1,
    copied,
    declared,
)
from tests.contract.rig import BACKUP, LONG_S, SECOND_VAULT, VAULT, SimulatedClock

pytestmark = pytest.mark.simulator_only

NORTH = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
EAST_PROJECT = "863129926600475a959e8f2efb991722"
OURS, OTHERS = "p/test", "team-b/prod"
MARKS = {"us": f"[pulumi {OURS}]", "another stack": f"nightly [pulumi {OTHERS}]", "somebody": None}
RUNNING_S = 500.0


def configured(
    simulator: InProcessSimulator, configuration: dict[str, str], **settings: Any
) -> Engine:
    """Return an engine with an empty stack and more settings, in a process of its own."""
    more = {f"huaweicloud:{key}": value for key, value in settings.items()}
    loaded = Settings.load({**configuration, **more}.get, {})
    session = Session(loaded, transport=simulator.transport(), clock=SimulatedClock(simulator))
    use_session(session)
    return Engine(session, {**configuration, **more})


def copy_as(
    engine: Engine, description: str | None, backup_id: str = BACKUP, vault_id: str = VAULT
) -> None:
    """Copy a backup as somebody else would."""
    request = ReplicateRequest("cn-east-3", EAST_PROJECT, vault_id, description=description)
    session = engine.session
    session.run(session.client().replicate_backup(NORTH, backup_id, request))
    session.forget()


def rows_of(engine: Engine) -> list[dict[str, Any]]:
    """Return the rows of the only resource."""
    (row,) = engine.state
    return list(row.outputs.get("members", {"": row.outputs}).values())


def row_of(engine: Engine, backup_id: str = BACKUP) -> dict[str, Any]:
    """Return the row of a backup."""
    (row,) = (row for row in rows_of(engine) if row["backup_id"] == backup_id)
    return row


def submissions(control: Control) -> int:
    """Return how many copies were requested."""
    counts = control.journal_counts()
    return counts.get("CopyBackup", 0) + counts.get("CopyCheckpoint", 0)


# -- the table ----------------------------------------------------------------------------------

ADOPTED = {
    ("us", True): True,
    ("us", False): True,
    ("us", "any"): True,
    ("another stack", True): False,
    ("another stack", False): False,
    ("another stack", "any"): True,
    ("somebody", True): True,
    ("somebody", False): False,
    ("somebody", "any"): True,
}


@pytest.mark.parametrize("form", ["single", "set"])
@pytest.mark.parametrize("state", ["ended", "running", "running, not shown"])
@pytest.mark.parametrize(("maker", "adopt"), ADOPTED)
def test_adoption_table(
    simulator: InProcessSimulator,
    engine: Engine,
    control: Control,
    form: str,
    state: str,
    maker: str,
    adopt: bool | str,
) -> None:
    """What `check` says, `create` does: the copy is adopted, or refused and left alone."""
    simulator.world.options.destination_ids = "early" if state == "running" else "late"
    copy_as(engine, MARKS[maker])
    control.advance(LONG_S if state == "ended" else RUNNING_S)
    program = declared(form, adopt=adopt)
    if form == "set":
        program = {"dr": ("set", {**program["dr"][1], "backups": {"erp": BACKUP}})}
    is_adopted = ADOPTED[maker, adopt]
    if state == "running, not shown":
        # Nobody knows who made it.
        is_adopted = bool(adopt)

    if is_adopted:
        engine.up(program)
        assert [BACKUP] == [row["backup_id"] for row in rows_of(engine)]
    else:
        with pytest.raises(RefusedError) as caught:
            engine.up(program)
        named = maker == "another stack" and state != "running, not shown"
        assert (f"stack '{OTHERS}'" in str(caught.value)) == named
        off = {"dr": (form, {**program["dr"][1], "preflight": "off"})}
        with pytest.raises(CbrError, match="belongs to stack" if named else "exists already"):
            engine.up(off)
        assert [] == engine.state
    assert 1 == submissions(control)


@pytest.mark.parametrize("adopt", [True, False, "any"])
@pytest.mark.parametrize("maker", MARKS)
def test_adoption_table_of_an_entire_vault(
    engine: Engine, control: Control, maker: str, adopt: bool | str
) -> None:
    """The other backups of the vault are copied, unless a copy stands in the way."""
    copy_as(engine, MARKS[maker])
    control.advance(LONG_S)

    if ADOPTED[maker, adopt]:
        engine.up(declared("vault", adopt=adopt))
        assert BACKUPS["vault"] == sorted(row["backup_id"] for row in rows_of(engine))
        assert 2 == submissions(control)
    else:
        with pytest.raises(RefusedError):
            engine.up(declared("vault", adopt=adopt))
        assert 1 == submissions(control)


# -- what is recorded ---------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["single", "set"])
def test_mark_of_a_new_copy_is_recorded(engine: Engine, control: Control, form: str) -> None:
    """The state has it at submission, and CBR's description ends with it."""
    engine.up(declared(form))

    assert {OURS} == {row["owner"] for row in rows_of(engine)}
    assert {f"[pulumi {OURS}]"} == {row["description"] for row in control.replicas() if our(row)}


def our(row: dict[str, Any]) -> bool:
    """Whether a replica is none of the demo world's."""
    return bool(row["region"] == "cn-east-3")


@FORMS
def test_renamed_stack_still_owns_what_it_recorded(
    simulator: InProcessSimulator,
    engine: Engine,
    control: Control,
    configuration: dict[str, str],
    form: str,
) -> None:
    """The mark names the old stack. The state names it too, so nothing is foreign."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.refresh()
    renamed = configured(simulator, configuration, owner="shop/renamed")
    renamed.state = engine.state

    renamed.up(declared(form), is_refreshed=True)
    assert len(BACKUPS[form]) == len(rows_of(renamed))
    renamed.destroy(is_refreshed=True)

    assert [] == copied(control)


@pytest.mark.parametrize("preflight", ["error", "off"])
def test_name_that_a_row_recorded_counts_for_its_own_copy_only(
    simulator: InProcessSimulator,
    engine: Engine,
    control: Control,
    configuration: dict[str, str],
    preflight: str,
) -> None:
    """It may be a former name, or a stack from which one copy was taken over: nothing tells."""
    engine.up(declared("set"))
    control.advance(LONG_S)
    renamed = configured(simulator, configuration, owner="shop/renamed")
    renamed.state = engine.state
    del renamed.state[0].outputs["members"]["web"]
    renamed.state[0].inputs["backups"].pop("web")

    with pytest.raises((CbrError, RefusedError), match=rf"belongs to stack '{OURS}'"):
        renamed.up(declared("set", preflight=preflight))

    renamed.up(declared("set", adopt="any", preflight=preflight))
    assert OURS == row_of(renamed, WEB_1)["owner"]
    assert 2 == submissions(control)


def test_owner_setting_is_the_mark(
    simulator: InProcessSimulator, control: Control, configuration: dict[str, str]
) -> None:
    """Two backends may use the same names of projects and stacks."""
    engine = configured(simulator, configuration, owner="backend-2/p/test")

    engine.up(declared("single", description="weekly"))
    control.advance(LONG_S)
    engine.refresh()

    row = row_of(engine)
    assert ("backend-2/p/test", "weekly") == (row["owner"], row["description"])
    (replica,) = (row for row in control.replicas() if our(row))
    assert "weekly [pulumi backend-2/p/test]" == replica["description"]


@pytest.mark.parametrize("form", ["single", "set"])
def test_without_marks_everything_is_as_before(
    simulator: InProcessSimulator,
    control: Control,
    configuration: dict[str, str],
    form: str,
) -> None:
    """No mark is sent or recorded, the copies are adopted as somebody's, and are deleted."""
    engine = configured(simulator, configuration, markReplicas="false")
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.refresh()
    assert [None] * len(BACKUPS[form]) == [row.get("owner") for row in rows_of(engine)]
    assert {None} == {row["description"] or None for row in control.replicas() if our(row)}

    engine.state = []
    engine.up(declared(form))
    assert len(BACKUPS[form]) == submissions(control)
    engine.destroy()
    assert [] == copied(control)


def test_without_marks_a_description_may_fill_all_characters(
    simulator: InProcessSimulator,
    engine: Engine,
    control: Control,
    configuration: dict[str, str],
) -> None:
    """With a mark, the finding says how long it may be."""
    text = "x" * 255
    limit = 255 - len(f" [pulumi {OURS}]")

    with pytest.raises(RefusedError, match=f"at most {limit} leave room"):
        engine.up(declared("single", description=text))
    configured(simulator, configuration, markReplicas="false").up(
        declared("single", description=text)
    )

    assert text in {row["description"] for row in control.replicas()}


# -- a mark that is shown later -----------------------------------------------------------------


@pytest.mark.parametrize("form", ["single", "set"])
@pytest.mark.parametrize("adopt", [True, "any"])
def test_mark_of_another_stack_that_is_shown_later(
    engine: Engine,
    control: Control,
    form: str,
    adopt: bool | str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Adopted while CBR showed no replica. Then `diff` refuses, and `delete` leaves it alone."""
    copy_as(engine, MARKS["another stack"])
    control.advance(RUNNING_S)
    engine.up(declared(form, adopt=adopt))
    assert row_of(engine).get("owner") is None
    control.advance(LONG_S)

    if adopt == "any":
        engine.up(declared(form, adopt=adopt), is_refreshed=True)
        assert OTHERS == row_of(engine)["owner"]
        engine.destroy()
        assert [] == copied(control)
        return
    with pytest.raises(ConflictError, match=f"stack '{OTHERS}'"):
        engine.up(declared(form))
    engine.refresh()
    assert "belong" in capfd.readouterr().err
    assert row_of(engine).get("owner") is None
    engine.destroy()
    assert [BACKUP] == copied(control)
    assert "not deleted, since another stack made the replica" in capfd.readouterr().err


def test_mark_of_another_stack_on_an_entire_vaults_copy(
    engine: Engine, control: Control, capfd: pytest.CaptureFixture[str]
) -> None:
    """The row is dropped with a warning, and the replica stays whatever follows."""
    copy_as(engine, MARKS["another stack"])
    control.advance(RUNNING_S)
    engine.up(declared("vault"))
    control.advance(LONG_S)

    engine.up(declared("vault"))

    assert BACKUP not in {row["backup_id"] for row in rows_of(engine)}
    assert "dropped from the state, since another stack made the replica" in capfd.readouterr().err
    engine.destroy()
    assert [BACKUP] == copied(control)


@pytest.mark.parametrize("form", ["single", "set"])
@pytest.mark.parametrize("preflight", ["error", "off"])
def test_mark_of_another_stack_that_a_refresh_saw_is_not_forgotten(
    engine: Engine, control: Control, form: str, preflight: str
) -> None:
    """The copy has ended by then, so `diff` does not look again, and refuses nevertheless."""
    copy_as(engine, MARKS["another stack"])
    control.advance(RUNNING_S)
    engine.up(declared(form, preflight=preflight))
    control.advance(LONG_S)
    engine.refresh()

    for is_refreshed in (False, True):
        with pytest.raises(ConflictError, match=f"stack '{OTHERS}'"):
            engine.up(declared(form, preflight=preflight), is_refreshed=is_refreshed)
    state = copy.deepcopy(engine.state)
    engine.destroy(is_refreshed=True)
    assert [BACKUP] == copied(control)
    engine.state = state

    engine.up(declared(form, preflight=preflight, adopt="any"))
    assert OTHERS == row_of(engine)["owner"]
    engine.up(declared(form, preflight=preflight))
    engine.destroy()
    assert [] == copied(control)


def test_member_of_another_stack_may_leave(engine: Engine, control: Control) -> None:
    """Once the program no longer lists it, nothing is refused, and its replica stays."""
    copy_as(engine, MARKS["another stack"])
    control.advance(RUNNING_S)
    engine.up(declared("set"))
    control.advance(LONG_S)
    engine.refresh()

    engine.up(declared("set", backups={"web": WEB_1}))

    assert [WEB_1] == [row["backup_id"] for row in rows_of(engine)]
    assert sorted([BACKUP, WEB_1]) == copied(control)


def test_mark_of_another_stack_that_a_refresh_saw_leaves_an_entire_vault(
    engine: Engine, control: Control
) -> None:
    """The next `up` drops the row. With `any` it records whose the copy was."""
    copy_as(engine, MARKS["another stack"])
    control.advance(RUNNING_S)
    engine.up(declared("vault"))
    control.advance(LONG_S)
    engine.refresh()
    before = engine.state[0].outputs

    engine.up(declared("vault", adopt="any"))
    assert OTHERS == row_of(engine)["owner"]
    engine.state[0].outputs = before
    engine.up(declared("vault"))

    assert BACKUP not in {row["backup_id"] for row in rows_of(engine)}
    engine.destroy()
    assert [BACKUP] == copied(control)


def test_own_mark_that_is_shown_later_is_recorded(engine: Engine, control: Control) -> None:
    """A crash before the state was written: the running copy is adopted, and is ours."""
    engine.up(declared("single"))
    engine.state = []
    control.advance(RUNNING_S)
    engine.up(declared("single"))
    assert row_of(engine).get("owner") is None
    control.advance(LONG_S)

    engine.refresh()

    assert OURS == row_of(engine)["owner"]
    assert 1 == submissions(control)


# -- description and name -----------------------------------------------------------------------


def adopted_with_another_text(engine: Engine, control: Control) -> None:
    """Adopt a replica whose text is not the declared one."""
    copy_as(engine, "by hand")
    control.advance(LONG_S)
    engine.up(declared("single", description="weekly"))


def test_adopted_text_replaces_nothing(engine: Engine, control: Control) -> None:
    """The state tells what CBR shows, and keeps what the program wants beside it."""
    adopted_with_another_text(engine, control)

    for is_refreshed in (False, True, True):
        engine.up(declared("single", description="weekly"), is_refreshed=is_refreshed)
        row = row_of(engine)
        assert ("by hand", "weekly") == (row["description"], row["declared_description"])
    assert 1 == submissions(control)


def test_adopted_text_is_replaced_by_a_later_change(engine: Engine, control: Control) -> None:
    """The program wants another text than it wanted before, so the replica is made again."""
    adopted_with_another_text(engine, control)

    engine.up(declared("single", description="monthly"))
    control.advance(LONG_S)
    engine.refresh()

    row = row_of(engine)
    assert "monthly" == row["description"]
    assert "declared_description" not in row
    assert 2 == submissions(control)


@pytest.mark.parametrize("is_adopted", [False, True])
@pytest.mark.parametrize("is_refreshed", [False, True])
def test_description_that_is_left_out_replaces_nothing(
    engine: Engine, control: Control, is_adopted: bool, is_refreshed: bool
) -> None:
    """Whether the text came from the program or from an adoption."""
    if is_adopted:
        adopted_with_another_text(engine, control)
    else:
        engine.up(declared("single", description="weekly"))
        control.advance(LONG_S)

    engine.up(declared("single"), is_refreshed=is_refreshed)
    engine.up(declared("single"), is_refreshed=is_refreshed)

    assert 1 == submissions(control)
    assert [] == control.journal(operation="DeleteBackup")


def test_adopted_copy_that_runs_gets_its_name_later(engine: Engine, control: Control) -> None:
    """It cannot be renamed before it is there. The next `up` after that renames it."""
    copy_as(engine, None)
    control.advance(RUNNING_S)
    engine.up(declared("single", name="erp-dr"))
    assert row_of(engine).get("name") is None
    control.advance(LONG_S)

    engine.up(declared("single", name="erp-dr"), is_refreshed=True)

    assert "erp-dr" == row_of(engine)["name"]
    assert "erp-dr" in {row["name"] for row in control.replicas()}
    control.clear_journal()
    engine.up(declared("single", name="erp-dr"))
    assert [] == control.journal(operation="UpdateBackup")


def test_adopted_member_that_runs_gets_its_name_later(engine: Engine, control: Control) -> None:
    """As for a single one."""
    named = {"erp": {"backup_id": BACKUP, "name": "erp-dr"}}
    copy_as(engine, None)
    control.advance(RUNNING_S)
    engine.up(declared("set", backups=named))
    control.advance(LONG_S)

    engine.up(declared("set", backups=named), is_refreshed=True)

    assert "erp-dr" in {row["name"] for row in control.replicas()}


# -- a replica that is gone ---------------------------------------------------------------------


@pytest.mark.parametrize("absences", [1, 3])
def test_replica_without_a_source_is_looked_for_again(
    engine: Engine, control: Control, absences: int
) -> None:
    """Nothing could make it again, so one 404 is not enough to drop it."""
    engine.up(declared("single"))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(BACKUP)
    replica_id = row_of(engine)["destination_backup_id"]
    missing = {"error_code": "BackupService.6200", "error_msg": "does not exist"}
    control.fault(
        operation="ShowBackup",
        action="respond",
        status=404,
        body=missing,
        path=f"/{replica_id}$",
        times=absences,
    )

    engine.refresh()

    assert replica_id == row_of(engine)["destination_backup_id"]


@pytest.mark.parametrize("is_source_gone", [False, True])
def test_replica_that_is_gone_is_dropped_with_true_words(
    engine: Engine,
    control: Control,
    is_source_gone: bool,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The next `up` copies again only if there is something to copy."""
    engine.up(declared("single"))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(row_of(engine)["destination_backup_id"])
    if is_source_gone:
        control.forget_backup(BACKUP)
    control.clear_journal()

    engine.refresh()

    assert [] == engine.state
    told = capfd.readouterr().err
    assert is_source_gone == ("nothing can copy it again" in told)
    assert is_source_gone != ("the next pulumi up copies the backup again" in told)
    # It was seen, so the log of the copy's task has nothing to tell.
    assert [] == control.journal(operation="ListOpLogs")
    looks = len(control.journal(operation="ShowBackup"))
    assert (looks > 4) == is_source_gone


# -- room of the destination --------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize("change", [{"status": "frozen"}, {"size_gb": 1}])
def test_adoption_needs_no_room(
    engine: Engine, control: Control, form: str, change: dict[str, Any]
) -> None:
    """After a crash, the copies are adopted again though the vault is full or frozen by now."""
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.state = []
    before = submissions(control)
    control.change_vault(VAULT, **change)

    engine.up(declared(form))

    assert len(BACKUPS[form]) == len(rows_of(engine))
    assert before == submissions(control)


# -- two declarations of one copy ---------------------------------------------------------------

DECLARATIONS: dict[str, Callable[[], tuple[str, dict[str, Any]]]] = {
    "single": lambda: declared("single")["dr"],
    "single in capitals": lambda: declared("single", backup_id=BACKUP.upper())["dr"],
    "set": lambda: declared("set")["dr"],
    "other vault": lambda: declared("single", destination_vault_id=SECOND_VAULT)["dr"],
}


@pytest.mark.parametrize(
    ("first", "second"),
    [pair for pair in itertools.product(DECLARATIONS, repeat=2) if "capitals" not in pair[0]],
)
def test_two_declarations_of_a_copy_are_refused(
    engine: Engine, control: Control, first: str, second: str
) -> None:
    """In both orders, before anything is copied; the error names both."""
    program = {"one": DECLARATIONS[first](), "two": DECLARATIONS[second]()}
    kinds = {"single": "single", "set": "set"}

    with pytest.raises(RefusedError) as caught:
        engine.up(program)

    words = f"{kinds[program['two'][0]]} 'two' and {kinds[program['one'][0]]} 'one' both declare"
    assert words in str(caught.value)
    assert BACKUP in str(caught.value).lower()
    assert 0 == submissions(control)


def test_two_declarations_of_an_entire_vault_are_refused(engine: Engine, control: Control) -> None:
    """Into whichever vault of the region."""
    for other in ({}, {"destination_vault_id": SECOND_VAULT}):
        program = {"one": declared("vault")["dr"], "two": declared("vault", **other)["dr"]}
        with pytest.raises(RefusedError, match="vault 'two' and vault 'one' both declare the copy"):
            engine.up(program)
    assert 0 == submissions(control)


@pytest.mark.parametrize("form", ["single", "set"])
@pytest.mark.parametrize("is_vault_first", [False, True])
def test_entire_vault_leaves_a_copy_to_who_declares_it(
    engine: Engine, control: Control, form: str, is_vault_first: bool
) -> None:
    """It is no second declaration. The copy is made once, and `destroy` deletes it."""
    program = {"dr": declared(form)["dr"], "all": declared("vault")["dr"]}
    if is_vault_first:
        program = dict(reversed(program.items()))

    engine.up(program)
    control.advance(LONG_S)
    engine.up(program, is_refreshed=True)

    assert BACKUPS["vault"] == copied(control)
    assert 2 >= submissions(control) - len(BACKUPS[form])
    engine.destroy()
    assert [] == copied(control)


def test_entire_vault_gives_a_row_up_to_who_declares_it(engine: Engine, control: Control) -> None:
    """With its next update, after the other resource has adopted the copy."""
    control.change_backup(MANUAL, copy={"mode": "immediate", "outcome": "fail"})
    with suppress(CbrError):
        engine.up(declared("vault"))
    control.change_backup(MANUAL, copy={"mode": "immediate", "outcome": "success"})
    control.advance(LONG_S)

    engine.up({"one": declared("single")["dr"], **declared("vault")})

    (vault,) = (row for row in engine.state if row.form == "vault")
    held = {row["backup_id"] for row in vault.outputs["members"].values()}
    assert set(BACKUPS["vault"]) - {BACKUP} == held
    engine.destroy()
    assert [] == copied(control)


def test_copies_to_two_regions_are_two_copies(engine: Engine, control: Control) -> None:
    """One owner for each backup and region."""
    engine.up({"one": declared("single")["dr"], "two": declared("single", **SOUTH)["dr"]})

    assert 2 == submissions(control)


def test_backup_that_is_not_known_yet_is_not_declared_twice(engine: Engine) -> None:
    """A preview cannot compare it; `up` does."""
    later = Unknown()  # type: ignore[no-untyped-call]
    begin_operation()
    for name in ("one", "two"):
        engine.check(name, "single", {}, {"backup_id": later, **EAST})
        engine.check(f"{name}-set", "set", {}, {"backups": later, **EAST})
