"""A stack of version 0.1 goes on: its replicas have no marks, and its state has no owners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from simulator.testing import Control
from tests.contract.engine import Engine, Stored
from tests.contract.rig import BACKUP, LONG_S, VAULT

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.engine.session import Session

pytestmark = pytest.mark.simulator_only

EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
FORMS: dict[str, dict[str, Any]] = {
    "single": {"backup_id": BACKUP, "description": "weekly"},
    "set": {"backups": {"erp": BACKUP}},
    "vault": {"vault_id": "de587d5d-f63e-4ea1-a892-5935070352ba"},
}
OLD_VALUES = {"adopt": True, "enable_acceleration": False, "preflight": "error"}
"""What every resource had then. A single replication leaves it out today."""
NEW_OUTPUTS = ("owner", "force_destroy", "declared_description")
EACH_FORM = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def stack(session: Session, configuration: dict[str, str], control: Control, form: str) -> Engine:
    """A stack as version 0.1 left it."""
    marking = session.settings
    session.settings = replace(marking, mark_replicas=False)
    unmarked = {**configuration, "huaweicloud:markReplicas": "false"}
    engine = Engine(session, unmarked)
    engine.up({"dr": (form, {**FORMS[form], **EAST})})
    control.advance(LONG_S)
    engine.refresh()
    session.settings = marking
    engine.configure(configuration)
    (row,) = engine.state
    for values in (row.inputs, row.outputs, *row.outputs.get("members", {}).values()):
        for name in NEW_OUTPUTS:
            values.pop(name, None)
    row.inputs.update(OLD_VALUES)
    row.outputs.update(OLD_VALUES)
    if form == "single":
        row.outputs.update(replication_record_id=row.id, source_deleted=False)
    return engine


def plan(stack: Engine, **changes: Any) -> Any:
    """Return the difference that a preview shows."""
    row: Stored = stack.state[0]
    stack.session.forget()
    inputs = stack.check(row.name, row.form, row.inputs, {**FORMS[row.form], **EAST, **changes})
    return stack.call(row.form, row.name, "diff", row.id, row.outputs, inputs)


@EACH_FORM
@pytest.mark.parametrize("is_refreshed", [False, True], ids=["plain", "refreshed"])
def test_older_state_shows_no_difference(
    stack: Engine, control: Control, is_refreshed: bool
) -> None:
    """Neither the missing marks nor the new inputs change anything, before and after a refresh."""
    if is_refreshed:
        stack.refresh()

    assert not plan(stack).changes
    assert not plan(stack, force_destroy=False).changes
    assert not plan(stack, **OLD_VALUES).changes
    assert plan(stack, adopt=False).changes
    assert all("[pulumi" not in (row["description"] or "") for row in control.replicas())


@EACH_FORM
def test_older_state_is_destroyed(stack: Engine, control: Control) -> None:
    """A replica without a mark is the state's own, so it is deleted as before."""
    stack.destroy()

    assert {"cn-north-4"} == {row["region"] for row in control.replicas()}
    assert [] == stack.state
