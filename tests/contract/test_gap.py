"""A replacement that deletes first leaves a time without a copy, and its preview says so."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest

from pulumi_huaweicloud_cbr import (
    BackupReplicationProvider,
    BackupReplicationSetProvider,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.engine.output import messages
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import InProcessSimulator
from tests.contract.rig import BACKUP, SECOND_VAULT, VAULT, Rig

pytestmark = pytest.mark.simulator_only

SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
SOUTH_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
SOUTH = {"destination_region": "cn-south-1", "destination_vault_id": SOUTH_VAULT}
GAP = "until the new copy has succeeded, there is no copy in region 'cn-east-3'"
GAPS = "until the new copies have succeeded, there are no copies in region 'cn-east-3'"
FORMS: dict[str, tuple[type[Any], dict[str, Any], str]] = {
    "single": (BackupReplicationProvider, {"backup_id": BACKUP}, GAP),
    "set": (BackupReplicationSetProvider, {"backups": {"erp": BACKUP}}, GAPS),
    "vault": (VaultReplicationProvider, {"vault_id": SOURCE_VAULT, "preflight": "warn"}, GAPS),
}
EACH_FORM = pytest.mark.parametrize("form", FORMS)


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the resource's row shows."""
    shown: list[str] = []
    monkeypatch.setattr(messages, "_say_once", lambda message, **_: shown.append(message))
    return shown


@pytest.fixture
def rig(
    form: str, simulator: InProcessSimulator, session: Session, configuration: dict[str, str]
) -> Rig:
    """A resource of each form, which exists in the east."""
    provider = FORMS[form][0]()
    provider.configure(ConfigureRequest(Config(configuration, "p")))
    rig = Rig(provider, simulator.control, session)
    rig.create({**FORMS[form][1], **EAST})
    return rig


@EACH_FORM
def test_gap_is_told_before_a_deletion_comes_first(rig: Rig, lines: list[str], form: str) -> None:
    """Another vault of the same region: CBR keeps one replica per region, so the old one goes."""
    rig.finish_copies()

    difference = rig.diff({**FORMS[form][1], **EAST, "destination_vault_id": SECOND_VAULT})

    assert difference.delete_before_replace
    assert FORMS[form][2] in lines


@EACH_FORM
def test_no_gap_is_told_if_the_new_copy_comes_first(rig: Rig, lines: list[str], form: str) -> None:
    """Another region: the old replica stays until the new copy has succeeded."""
    rig.finish_copies()

    difference = rig.diff({**FORMS[form][1], **SOUTH})

    assert difference.replaces
    assert not difference.delete_before_replace
    assert not any("there " in line and "no cop" in line for line in lines)


@pytest.mark.parametrize("form", ["single"])
def test_no_gap_is_told_of_a_copy_that_failed(rig: Rig, lines: list[str]) -> None:
    """There is nothing to delete, so the replacement changes nothing about it."""
    rig.outputs["status"] = "fail"

    assert rig.diff({"backup_id": BACKUP, **EAST, "destination_vault_id": SECOND_VAULT}).replaces

    assert GAP not in lines


@pytest.mark.parametrize("form", ["set"])
def test_no_gap_is_told_of_a_set_without_replicas(rig: Rig, lines: list[str]) -> None:
    """A set whose members all failed has nothing to delete either."""
    for row in rig.outputs["members"].values():
        row["status"] = "fail"

    program = {"backups": {"erp": BACKUP}, **EAST, "destination_vault_id": SECOND_VAULT}
    assert rig.diff(program).replaces

    assert GAPS not in lines
