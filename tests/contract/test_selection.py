"""Selections of the stack program, against the simulator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pulumi.runtime.config
import pytest

from config import Plan, Selection, read_plan
from faults import ConfigurationFaultsError
from pulumi_huaweicloud_cbr.engine.session import Session
from selection import select_members
from simulator.testing import Control
from tests.contract.rig import BACKUP, VAULT

pytestmark = pytest.mark.simulator_only

MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
"""The older backup of the same server as BACKUP."""
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
DESTINATION = {"region": "cn-east-3", "vault_id": VAULT}
AT = "cbr-replication:sets[0]"


@pytest.fixture(autouse=True)
def program(session: Session, configuration: dict[str, str]) -> Iterator[None]:
    """Set the stack's configuration, as a program has it."""
    assert session.settings.region == "cn-north-4"
    pulumi.runtime.config.set_all_config(configuration)
    yield
    pulumi.runtime.config.set_all_config({})


def plan(select: dict[str, Any], keys: dict[str, Any] | None = None, **entry: Any) -> Plan:
    """Read a configuration with one selecting set, and other keys beside it."""
    whole = {"name": "erp", "select": select, "destinations": [DESTINATION], **entry}
    document = {"sets": [whole], **(keys or {})}
    return read_plan(
        {
            f"cbr-replication:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in document.items()
        }
    )


def selected(plan: Plan, *, is_preview: bool = False) -> list[str] | None:
    """Return the ids of the selected backups, None if they are unknown."""
    ((_, members),) = select_members(plan, is_preview=is_preview).items()
    return None if members is None else [member["backup_id"] for member in members.values()]


def fault(plan: Plan, *, is_preview: bool = False) -> str:
    """Return the only failure of a selection, after its place."""
    with pytest.raises(ConfigurationFaultsError) as caught:
        select_members(plan, is_preview=is_preview)
    (found,) = caught.value.faults
    assert str(found).startswith(f"{AT}.select: ")
    assert "nothing was changed" in str(caught.value)
    return found.reason


@pytest.mark.parametrize(
    ("select", "wanted"),
    [
        pytest.param({"resource_name": "erp-db-01"}, [BACKUP, MANUAL], id="resource-name"),
        pytest.param({"resource_name": "erp-db-01", "newest": 1}, [BACKUP], id="newest"),
        pytest.param(
            {"resource_id": "2d3e5f89-4ed2-411f-801f-21d70f3362de"},
            [BACKUP, MANUAL],
            id="resource-id",
        ),
        pytest.param({"name": "manualbk_af41"}, [MANUAL], id="name"),
        pytest.param(
            {"resource_name": "erp-db-01", "created_since": "2026-11-20T00:00:00Z"},
            [BACKUP],
            id="since",
        ),
        pytest.param(
            {"resource_name": "erp-db-01", "created_until": "2026-11-20T00:00:00Z"},
            [MANUAL],
            id="until",
        ),
    ],
)
def test_selection_passes_its_filters_on(select: dict[str, Any], wanted: list[str]) -> None:
    """The selection is what the API lists, newest first."""
    assert wanted == selected(plan(select))


def test_selection_of_a_vault_omits_what_cannot_be_copied() -> None:
    """Failed and incomplete backups, and replicas, are no members."""
    found = selected(plan({"vault_id": "de587d5d-f63e-4ea1-a892-5935070352ba"}))

    assert found is not None
    assert {BACKUP, MANUAL, WEB_1} <= set(found)
    assert not {
        "afdb82ff-c7ba-415f-9773-32b07f014082",  # error
        "b0ec9300-d8cb-4260-8884-43c180125193",  # protecting
        "f420d744-1c0f-46a4-8cc8-8705c45695d7",  # a replica
    } & set(found)


def test_selection_of_several_servers_warns_if_periods_count(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One backup stands for a day, whichever server it is of; a set for each server is needed."""
    vault = {"vault_id": "de587d5d-f63e-4ea1-a892-5935070352ba"}
    for keep, warns in (({"days": 7}, True), ({"newest": 7}, False)):
        selected(plan(vault, keep=keep))
        assert warns == ("keep counts over all of them" in capsys.readouterr().err)
    selected(plan({"resource_name": "erp-db-01"}, keep={"days": 7}))
    assert "warning" not in capsys.readouterr().err


def test_selection_is_asked_once_for_all_destinations(control: Control) -> None:
    """Two regions of one entry have the same members, from one list request."""
    south = {"region": "cn-south-1", "vault_id": "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"}
    both = plan({"name": "manualbk_af41"}, destinations=[DESTINATION, south])

    assert [MANUAL] == selected(both)
    assert 2 == len(both.sets)
    assert 1 == len(control.journal(operation="ListBackups"))


def test_selection_that_finds_nothing_is_a_fault() -> None:
    """The entry and its filters are named. A set without members would delete its replicas."""
    told = fault(plan({"resource_name": "gone", "newest": 3}, source_region="cn-north-4"))

    assert "'erp' selects no backup in region 'cn-north-4' (resource_name 'gone')" in told
    assert "would delete all its replicas" in told


def test_selection_that_does_not_roll_keeps_what_is_being_restored(
    control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without keep_newest, a temporarily busy source stays a member, with a warning."""
    control.change_backup(MANUAL, status="restoring")

    assert [BACKUP, MANUAL] == selected(plan({"resource_name": "erp-db-01"}))
    assert f"{AT} ('erp'): has no keep, keep_newest or newest" in capsys.readouterr().err
    # The set keeps what it has. The busy backup would be refused only as a new member.
    assert [BACKUP] == selected(plan({"resource_name": "erp-db-01"}, keep_newest=2))
    assert "keep_newest" not in capsys.readouterr().err


@pytest.mark.parametrize("keys", [{"preflight": "off"}, {"defaults": {"preflight": "off"}}])
def test_selection_is_not_asked_in_previews_without_preflight(
    keys: dict[str, Any], control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its members are unknown there, with a warning. `up` must ask."""
    offline = plan({"resource_name": "erp-db-01", "newest": 1}, keys)

    assert selected(offline, is_preview=True) is None
    assert [] == control.journal()
    told = capsys.readouterr().err
    assert f"{AT} ('erp'): preflight is off: not asked which backups it has" in told
    assert [BACKUP] == selected(offline, is_preview=False)


def test_selection_without_an_answer_is_a_fault_or_a_warning(
    control: Control, capsys: pytest.CaptureFixture[str]
) -> None:
    """`error` refuses; `warn` leaves the members unknown in a preview. `up` always refuses."""
    body = {"error_code": "BackupService.0001", "error_msg": "No."}
    control.fault(operation="ListBackups", action="respond", status=403, body=body, times=3)
    select = {"resource_name": "erp-db-01", "newest": 1}

    assert "listing backups" in fault(plan(select), is_preview=True)
    warned = plan(select, preflight="warn")
    assert selected(warned, is_preview=True) is None
    assert f"{AT} ('erp'): not asked which backups it has: " in capsys.readouterr().err
    assert "listing backups" in fault(warned)


@pytest.mark.parametrize(
    ("other", "where"),
    [
        pytest.param(
            {
                "replications": [
                    {"name": "one", "backup_id": BACKUP.upper(), "destinations": [DESTINATION]}
                ]
            },
            "replications[0]",
            id="replication",
        ),
        pytest.param(
            {
                "sets": [
                    {"name": "erp", "select": {"newest": 9}, "destinations": [DESTINATION]},
                    {"name": "b", "backups": [BACKUP], "destinations": [DESTINATION]},
                ]
            },
            "sets[1]",
            id="set",
        ),
    ],
)
def test_selection_of_what_something_else_copies_is_a_fault(
    other: dict[str, Any], where: str
) -> None:
    """Each replica has one owner. The same backup may be copied to another region."""
    select = {"resource_name": "erp-db-01"}

    told = fault(plan(select, other))

    assert f"({BACKUP}), which is copied to region 'cn-east-3' by {where} already" in told


def test_selections_of_the_same_backup_are_a_fault_for_the_same_region() -> None:
    """Two selections may share a backup only if they copy it to different regions."""
    entries = [
        {"name": name, "select": {"name": "manualbk_af41"}, "destinations": [place]}
        for name, place in (("a", {**DESTINATION, "region": "cn-south-1"}), ("b", DESTINATION))
    ]
    assert 2 == len(select_members(plan({}, {"sets": entries}), is_preview=False))

    entries[0]["destinations"] = [DESTINATION]
    with pytest.raises(ConfigurationFaultsError) as caught:
        select_members(plan({}, {"sets": entries}), is_preview=False)

    (found,) = caught.value.faults
    assert str(found).startswith("cbr-replication:sets[1].select: selects 'erp-db-01@2026-11-19")
    assert "by sets[0] already" in str(found)


def test_selection_asks_the_source_of_its_entry(control: Control) -> None:
    """Region and project are those that the set copies from."""
    (one,) = plan(
        {"name": "x"}, {"defaults": {"source_project_id": "p1"}}, source_region="cn-south-1"
    ).sets

    assert isinstance(one.selection, Selection)
    assert ("cn-south-1", "p1") == (one.selection.region, one.selection.project_id)
    assert ("cn-south-1", "p1") == (one.args.source_region, one.args.source_project_id)
    assert [] == control.journal()
