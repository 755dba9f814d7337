"""Members that leave a set, where the source is gone: what a preview says, `up` does (0026)."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation, current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control
from tests.contract.engine import Engine
from tests.contract.owned import MANUAL, WEB_1, declared, replicas
from tests.contract.rig import BACKUP, LONG_S, SimulatedClock

pytestmark = pytest.mark.simulator_only


@pytest.fixture
def engine(session: Session, configuration: dict[str, str], control: Control) -> Engine:
    """A stack with a set of two. Both copies have ended, and one source is gone."""
    engine = Engine(session, configuration)
    engine.up(declared("set"))
    control.advance(LONG_S)
    engine.refresh()
    control.forget_backup(BACKUP)
    return engine


def preview(engine: Engine, **changes: Any) -> bool:
    """Check and diff the set without the member; return whether an update is planned."""
    begin_operation()
    engine.session.forget()
    (row,) = engine.state
    _, inputs = declared("set", backups={"web": WEB_1}, **changes)["dr"]
    checked = engine.check("dr", "set", row.inputs, inputs)
    planned = engine.call("set", "dr", "diff", row.id, row.outputs, checked)
    return bool(planned.changes)


def test_preview_refuses_what_up_refuses(engine: Engine, control: Control) -> None:
    """The last copy leaves only if the user insists."""
    for run in (
        lambda: preview(engine),
        lambda: engine.up(declared("set", backups={"web": WEB_1})),
    ):
        with pytest.raises(ConflictError, match=r"'erp' are gone.*last copies.*force_destroy"):
            run()
    assert 2 == len(replicas(control))


def test_preview_with_warn_says_that_up_refuses(
    engine: Engine, control: Control, capfd: pytest.CaptureFixture[str]
) -> None:
    """And `up` does: it keeps the row, so that nothing is forgotten."""
    assert preview(engine, preflight="warn")
    assert "last copies and would be deleted; pulumi up refuses that" in capfd.readouterr().err

    with pytest.raises(CbrError, match=r"'erp'.*last cop"):
        engine.up(declared("set", backups={"web": WEB_1}, preflight="warn"))

    assert 2 == len(replicas(control))
    assert {"erp", "web"} == set(engine.state[0].outputs["members"])


def test_preview_plans_it_if_the_state_insists(engine: Engine, control: Control) -> None:
    """`force_destroy` was in the state before."""
    engine.up(declared("set", force_destroy=True))

    assert preview(engine, force_destroy=True)
    engine.up(declared("set", backups={"web": WEB_1}, force_destroy=True))

    assert 1 == len(replicas(control))


def test_force_destroy_of_the_same_run_is_too_late(engine: Engine, control: Control) -> None:
    """It has to be in the state first, so that a slip deletes nothing."""
    with pytest.raises(ConflictError, match="force_destroy"):
        engine.up(declared("set", backups={"web": WEB_1}, force_destroy=True))

    assert 2 == len(replicas(control))


def test_member_without_a_source_is_not_left_to_an_entire_vault(
    engine: Engine, control: Control
) -> None:
    """A copy of the vault does not take it over, since it is no longer in the vault."""
    (row,) = engine.state
    replica_id = row.outputs["members"]["erp"]["destination_backup_id"]
    engine.up(declared("set", force_destroy=True))
    less = declared("set", backups={"web": WEB_1}, force_destroy=True)

    engine.up({**less, "all": declared("vault")["dr"]})

    assert replica_id not in replicas(control)
    assert ["web"] == list(engine.state[0].outputs["members"])


def test_member_that_is_gone_with_its_source_stops_no_deletion(
    engine: Engine, control: Control
) -> None:
    """Without a replica there is no last copy, and the others are deleted as usual."""
    (row,) = engine.state
    control.forget_backup(row.outputs["members"]["erp"]["destination_backup_id"])

    engine.destroy()

    assert {} == replicas(control)
    assert [] == engine.state


def test_removal_waits_until_others_have_declared_their_copies(
    engine: Engine, control: Control, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The update of a set may come before the check of the resource that takes a member over."""
    (row,) = engine.state
    _, inputs = declared("set", backups={"erp": BACKUP})["dr"]
    begin_operation()
    checked = engine.check("dr", "set", row.inputs, inputs)
    sleep = SimulatedClock.sleep

    async def declare_meanwhile(clock: SimulatedClock, seconds: float) -> None:
        if seconds:
            current_operation().note_claimed("urn:other", [(WEB_1, "cn-east-3")])
        await sleep(clock, seconds)

    monkeypatch.setattr(SimulatedClock, "sleep", declare_meanwhile)
    updated = engine.call("set", "dr", "update", row.id, row.outputs, checked)

    assert True is updated.outs["members"]["web"]["leaving"]
    assert [] == control.journal(operation="DeleteBackup")


def test_member_that_is_declared_again_no_longer_leaves(engine: Engine, control: Control) -> None:
    """Its removal was refused. Then the program lists it again, and its row is as before."""
    with pytest.raises(CbrError):
        engine.up(declared("set", backups={"web": WEB_1}, preflight="warn"))
    rows = engine.state[0].outputs["members"]
    assert {"erp": True, "web": None} == {name: row.get("leaving") for name, row in rows.items()}

    engine.up(declared("set", preflight="warn"))

    rows = engine.state[0].outputs["members"]
    assert {"erp": None, "web": None} == {name: row.get("leaving") for name, row in rows.items()}
    assert 2 == len(replicas(control))


# -- another backup is declared -----------------------------------------------------------------


@pytest.fixture
def single(session: Session, configuration: dict[str, str], control: Control) -> Engine:
    """A stack with a single replication, whose copy has ended."""
    engine = Engine(session, configuration)
    engine.up(declared("single"))
    control.advance(LONG_S)
    engine.refresh()
    return engine


def test_backup_of_another_server_does_not_replace_a_last_copy(
    single: Engine, control: Control
) -> None:
    """`diff` refuses if the source is gone by then, and `delete` if it goes meanwhile."""
    (replica_id,) = replicas(control)
    single.before_delete = lambda: control.forget_backup(BACKUP)

    with pytest.raises(ConflictError, match="last copy"):
        single.up(declared("single", backup_id=WEB_1))
    assert replica_id in replicas(control)

    single.state = [row for row in single.state if row.is_left_over]
    single.state[0].is_left_over = False
    with pytest.raises(ConflictError, match="could not be made again"):
        single.up(declared("single", backup_id=WEB_1))
    assert replica_id in replicas(control)


def test_backup_of_another_server_replaces_a_last_copy_if_forced(
    single: Engine, control: Control
) -> None:
    """`force_destroy` was in the state before."""
    (replica_id,) = replicas(control)
    single.up(declared("single", force_destroy=True))
    control.forget_backup(BACKUP)

    single.up(declared("single", backup_id=WEB_1, force_destroy=True))

    assert replica_id not in replicas(control)
    assert 1 == len(replicas(control))


def test_newer_backup_of_the_same_server_replaces_a_last_copy(
    single: Engine, control: Control
) -> None:
    """The old one rolls off, as in a rolling set: the newer copy has succeeded."""
    (replica_id,) = replicas(control)
    control.forget_backup(BACKUP)

    single.up(declared("single", backup_id=MANUAL))

    assert replica_id not in replicas(control)
    assert 1 == len(replicas(control))


# -- what a refresh tells -----------------------------------------------------------------------

TOLD = {
    "single": f"the source backup ({BACKUP}) is gone: its copy is a last copy now",
    "set": "the source backups of 'erp' are gone: their copies are last copies now",
    "vault": "the source backups of 'erp-db-01@2026-11-20T02:00:11' are gone: their copies are "
    "last copies now",
}


@pytest.fixture
def stack(form: str, session: Session, configuration: dict[str, str], control: Control) -> Engine:
    """A stack with a resource of the form. Its copies have ended."""
    stack = Engine(session, configuration)
    stack.up(declared(form))
    control.advance(LONG_S)
    stack.refresh()
    return stack


def last_copies_told(capfd: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines about last copies since the last call."""
    lines = capfd.readouterr().err.splitlines()
    return [line.removeprefix("info: ") for line in lines if "last cop" in line]


@pytest.mark.parametrize("form", TOLD)
def test_refresh_tells_once_that_a_source_is_gone(
    stack: Engine, form: str, control: Control, capfd: pytest.CaptureFixture[str]
) -> None:
    """The engine shows no difference, since the replica is as it was."""
    control.forget_backup(BACKUP)
    assert [] == last_copies_told(capfd)

    stack.refresh()

    assert [TOLD[form]] == last_copies_told(capfd)
    stack.refresh()
    stack.up(declared(form))
    assert [] == last_copies_told(capfd)


@pytest.mark.parametrize("form", ["single", "set"])
def test_refresh_tells_of_no_last_copy_if_the_replica_is_gone_too(
    stack: Engine, form: str, control: Control, capfd: pytest.CaptureFixture[str]
) -> None:
    """What it tells then is that nothing can copy the backup again."""
    outputs = stack.state[0].outputs
    row = outputs["members"]["erp"] if form == "set" else outputs
    control.forget_backup(BACKUP)
    control.forget_backup(row["destination_backup_id"])

    stack.refresh()

    assert [] == last_copies_told(capfd)


@pytest.mark.parametrize("form", ["single", "set"])
def test_refresh_tells_of_a_copy_that_still_runs(
    form: str,
    session: Session,
    configuration: dict[str, str],
    control: Control,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The copy goes on without its source; later refreshes say nothing new."""
    stack = Engine(session, configuration)
    stack.up(declared(form))
    control.forget_backup(BACKUP)
    stack.refresh()
    control.advance(LONG_S)

    assert [TOLD[form]] == last_copies_told(capfd)
    stack.refresh()
    assert [] == last_copies_told(capfd)
