"""Members that leave a set, where the source is gone: what a preview says, `up` does (0026)."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control
from tests.contract.engine import Engine
from tests.contract.rig import BACKUP, LONG_S
from tests.contract.test_ownership import WEB_1, declared, replicas

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
