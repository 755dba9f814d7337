"""Incomplete lists: because of them, no member is removed and no replica counts as gone."""

from __future__ import annotations

from typing import Any

import pulumi.runtime.config
import pytest
from pulumi.dynamic import Config, ConfigureRequest

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr import IncompleteListError
from pulumi_huaweicloud_cbr.api import pages
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import Control, InProcessSimulator
from tests.contract.rig import VAULT, Rig

pytestmark = pytest.mark.simulator_only

SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
COPIED = ("erp-db-01", "web-01", "web-02")
ALWAYS = 1000


@pytest.fixture(autouse=True)
def pages_of_three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Return lists in pages of three."""
    monkeypatch.setattr(pages, "PAGE_SIZE", 3)


@pytest.fixture
def rig(simulator: InProcessSimulator, session: Session, configuration: dict[str, str]) -> Rig:
    """A set's provider, called as the engine calls it."""
    provider = cbr.BackupReplicationSetProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)


@pytest.fixture
def vault(simulator: InProcessSimulator, session: Session, configuration: dict[str, str]) -> Rig:
    """The provider of entire vaults, called as the engine calls it."""
    provider = cbr.VaultReplicationProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)


def members(configuration: dict[str, str]) -> dict[str, Any]:
    """Return what a program selects, without what cannot be copied."""
    pulumi.runtime.config.set_all_config(configuration)
    try:
        backups = cbr.get_backups(vault_id=SOURCE_VAULT)
        return cbr.as_members([row for row in backups if row.resource_name in COPIED])
    finally:
        pulumi.runtime.config.set_all_config({})


def of_set(selected: dict[str, Any]) -> dict[str, Any]:
    """Return a set's inputs."""
    return {
        "backups": selected,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
    }


OF_VAULT = {
    "vault_id": SOURCE_VAULT,
    "destination_region": "cn-east-3",
    "destination_vault_id": VAULT,
}


def replicas(control: Control) -> set[str]:
    """Return the ids of the live replicas."""
    return {row["id"] for row in control.replicas() if row["status"] != "deleting"}


def first_page(control: Control) -> dict[str, Any]:
    """Return the first page of the source vault's backups, in its current state."""
    state = control.state()
    records = {record["source_backup_id"]: [record] for record in state["records"]}
    rows = [
        {**row, "replication_records": records.get(row["id"], [])}
        for row in state["backups"]
        if row["vault_id"] == SOURCE_VAULT
    ]
    rows.sort(key=lambda row: str(row["created_at"]), reverse=True)
    return {"backups": rows[:3], "count": len(rows)}


def answer_list(control: Control, body: dict[str, Any], times: int = 1) -> None:
    """Answer lists of backups in the source region with this body."""
    control.fault(
        operation="ListBackups",
        region="cn-north-4",
        action="respond",
        status=200,
        body=body,
        times=times,
    )


def cut_short(control: Control, times: int = 1) -> None:
    """Omit a row from pages, though their count includes it."""
    page = first_page(control)
    answer_list(control, {**page, "backups": page["backups"][:2]}, times)


def vanish_after_first_page(control: Control) -> str:
    """Delete a backup of the first page before the second is requested. Return its id."""
    page = first_page(control)
    answer_list(control, page)
    gone: str = page["backups"][0]["id"]
    control.forget_backup(gone)
    return gone


def test_set_keeps_members_that_a_page_lacks(
    rig: Rig, control: Control, configuration: dict[str, str]
) -> None:
    """After a page that was cut short once, reading continues; the selection is the same."""
    selected = members(configuration)
    rig.create(of_set(selected))
    rig.finish_copies()
    before = replicas(control)
    cut_short(control)

    again = members(configuration)

    assert selected == again
    assert not rig.diff(of_set(again)).changes
    assert before == replicas(control)
    assert [] == control.waiting_faults()


@pytest.mark.usefixtures("session")
def test_set_keeps_members_when_a_row_vanishes_between_pages(
    control: Control, configuration: dict[str, str]
) -> None:
    """Only the deleted backup is removed, not the one that moved to the page before."""
    selected = {row["backup_id"] for row in members(configuration).values()}

    gone = vanish_after_first_page(control)
    again = {row["backup_id"] for row in members(configuration).values()}

    assert selected - {gone} == again
    assert 4 == len(selected)


@pytest.mark.usefixtures("session")
def test_selection_that_stays_incomplete_is_an_error(
    control: Control, configuration: dict[str, str]
) -> None:
    """A program that selects from such a list ends before it declares anything."""
    cut_short(control, times=ALWAYS)

    with pytest.raises(IncompleteListError, match=r"CBR counts \d rows, and shows 2"):
        members(configuration)


def test_vault_keeps_rows_that_a_page_lacks(vault: Rig, control: Control) -> None:
    """A list that was cut short once does not change an entire vault."""
    vault.create(OF_VAULT)
    vault.finish_copies()
    before, rows = replicas(control), set(vault.outputs["members"])
    cut_short(control)

    assert not vault.diff(OF_VAULT).changes
    assert [] == control.waiting_faults()
    assert rows == set(vault.outputs["members"])
    assert before == replicas(control)


def test_vault_keeps_rows_when_a_row_vanishes_between_pages(vault: Rig, control: Control) -> None:
    """The replica of a deleted backup stays, like all others. Nothing is copied again."""
    vault.create(OF_VAULT)
    vault.finish_copies()
    before, rows = replicas(control), set(vault.outputs["members"])
    writes = vault.writes()
    vanish_after_first_page(control)

    assert not vault.diff(OF_VAULT).changes
    assert [] == control.waiting_faults()
    vault.update(OF_VAULT)
    assert rows == set(vault.outputs["members"])
    assert before == replicas(control)
    assert writes == vault.writes()


def test_vault_list_that_stays_incomplete_is_an_error(vault: Rig, control: Control) -> None:
    """Preview and update stop, and nothing is deleted or submitted.

    A refresh reads each row individually, whatever a list contains.
    """
    vault.create(OF_VAULT)
    vault.finish_copies()
    before, writes, rows = replicas(control), vault.writes(), set(vault.outputs["members"])
    cut_short(control, times=ALWAYS)

    with pytest.raises(IncompleteListError):
        vault.diff(OF_VAULT)
    with pytest.raises(IncompleteListError):
        vault.update(OF_VAULT)
    vault.refresh()

    assert rows == set(vault.outputs["members"])
    assert before == replicas(control)
    assert writes == vault.writes()
