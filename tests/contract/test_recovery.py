"""What `docs/recovery.md` and `docs/permissions.md` say of a source region that does not answer.

Also which operations need a permission in which region, and what happens without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.cloud.operations import CBR_OPERATIONS
from simulator.testing import Control, InProcessSimulator
from tests.contract.doctor import Network
from tests.contract.engine import Engine
from tests.contract.owned import BACKUPS, FORMS, copied, declared
from tests.contract.rig import LONG_S, SimulatedClock

pytestmark = pytest.mark.simulator_only

SOURCE, DESTINATION = "cn-north-4", "cn-east-3"
PERMISSIONS = Path(__file__).parents[2] / "docs" / "permissions.md"
OPERATION = re.compile(r"^\| `(\w+)` \| .+ \| (source|destination|both) \| .+ \|$", re.MULTILINE)


@pytest.fixture
def network(simulator: InProcessSimulator) -> Network:
    """The network that the session uses."""
    return Network(simulator)


@pytest.fixture
def session(
    simulator: InProcessSimulator, configuration: dict[str, str], network: Network
) -> Iterator[Session]:
    """A session over a network that can fail."""
    session = Session(
        Settings.load(configuration.get, {}),
        transport=network,
        clock=SimulatedClock(simulator),
    )
    use_session(session)
    yield session
    session.close()


@pytest.fixture
def cut_off(settled: Engine, network: Network) -> Engine:
    """A stack with one resource, whose copies have ended. Its source region does not answer."""
    network.silent = f"/regions/{SOURCE}/"
    return settled


@FORMS
def test_commands_that_look_end_with_an_error_and_lose_nothing(
    cut_off: Engine, control: Control, form: str
) -> None:
    """Refresh, destroy and a removed entry cannot see whether the source exists."""
    for command in (cut_off.refresh, cut_off.destroy, lambda: cut_off.up({})):
        with pytest.raises(CbrError, match=f"in region '{SOURCE}'.*no answer from"):
            command()

    assert ["dr"] == [row.name for row in cut_off.state]
    assert BACKUPS[form] == copied(control)


@pytest.mark.parametrize("form", ["single", "set"])
def test_ended_copies_need_no_source_region(cut_off: Engine, network: Network, form: str) -> None:
    """Without a change, preview and `up` of single resources and sets ask nothing."""
    cut_off.preview(declared(form))
    cut_off.up(declared(form))

    assert [] == network.tried


@pytest.mark.parametrize("form", ["vault"])
@pytest.mark.parametrize("mode", ["error", "warn", "off"])
def test_entire_vault_asks_for_new_backups(
    settled: Engine, network: Network, control: Control, form: str, mode: str
) -> None:
    """With preflight `off` nothing is asked, with `warn` it is not needed."""
    program = declared(form, preflight=mode)
    settled.up(program)
    network.silent = f"/regions/{SOURCE}/"
    if mode == "error":
        with pytest.raises(CbrError, match="listing backups in region"):
            settled.preview(program)
    else:
        settled.preview(program)
        settled.up(program)

    assert (mode == "off") == (not network.tried)
    assert BACKUPS[form] == copied(control)


@FORMS
def test_forced_deletion_does_not_look(
    settled: Engine, network: Network, control: Control, form: str
) -> None:
    """So nobody should force a deletion while the source region is away."""
    settled.up(declared(form, force_destroy=True))
    network.silent = f"/regions/{SOURCE}/"
    settled.destroy()

    assert [] == copied(control)


@FORMS
def test_replica_with_an_image_stays(settled: Engine, control: Control, form: str) -> None:
    """CBR refuses to delete it; the error says what to delete first."""
    body = {"error_code": "BackupService.6204", "error_msg": "An image was created from it."}
    control.fault(operation="DeleteBackup", action="respond", status=400, body=body, times=99)
    with pytest.raises(CbrError, match="delete the image that was made from the backup first"):
        settled.destroy()

    assert ["dr"] == [row.name for row in settled.state]
    assert BACKUPS[form] == copied(control)


@FORMS
def test_replicas_stay_without_the_permission_to_delete(
    settled: Engine, control: Control, form: str
) -> None:
    """`up` ends with an error that names the permission, and the state keeps the resource."""
    body = {"error_code": "APIGW.0302", "error_msg": "The IAM user is not authorized."}
    control.fault(operation="DeleteBackup", action="respond", status=403, body=body, times=99)
    with pytest.raises(CbrError, match="give the user the permission for this call"):
        settled.up({})

    assert ["dr"] == [row.name for row in settled.state]
    assert BACKUPS[form] == copied(control)


@FORMS
def test_operations_are_those_of_the_page(engine: Engine, control: Control, form: str) -> None:
    """A life of each form asks each region only for what `docs/permissions.md` allows there."""
    name = {"name": "erp-dr"} if form == "single" else {}
    engine.preview(declared(form))
    engine.up(declared(form))
    control.advance(LONG_S)
    engine.refresh()
    engine.up(declared(form, **name))
    for record in control.records():
        control.forget_record(record["id"])
    engine.refresh()
    engine.destroy()
    asked = {
        (row["operation"], row["region"])
        for row in control.journal()
        if row["operation"] in CBR_OPERATIONS
    }
    sides = {"source": (SOURCE,), "destination": (DESTINATION,), "both": (SOURCE, DESTINATION)}
    allowed = {
        (operation, region)
        for operation, side in OPERATION.findall(PERMISSIONS.read_text(encoding="utf-8"))
        for region in sides[side]
    }

    assert set() == asked - allowed
    assert {operation for operation, _ in asked} & {"CopyBackup", "CopyCheckpoint"}


def test_message_in_chinese_is_shown_as_it_is(engine: Engine, control: Control) -> None:
    """CBR's own words stand beside our remedy, and the error code decides what that is."""
    body = {"error_code": "BackupService.6119", "error_msg": "目标存储库不支持复制。"}
    control.fault(operation="CopyBackup", action="respond", status=400, body=body)
    with pytest.raises(CbrError) as refused:
        engine.up(declared("single"))

    assert "目标存储库不支持复制; " in str(refused.value)
    assert "set destination_vault_id to a vault with protect_type 'replication'" in str(
        refused.value
    )
    assert "BackupService.6119" in str(refused.value)
