"""`BackupReplication` with the real CLI: asserted in the simulator; the state gives the ids."""

from __future__ import annotations

import time
from typing import Any

import pytest

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import MakeProject, Project

NAME = "erp-to-cn-east-3"
WRITES = {"POST", "PUT", "DELETE"}
COPY_LIMIT_S = 120
proved_by_the_drift_table = pytest.mark.full
"""The mark of tests that are also rows of `test_drift.py`: alone they run at night."""


def wait_for_copies(control: Control) -> None:
    """Let the running copies end."""
    deadline = time.monotonic() + COPY_LIMIT_S
    while any(
        record["status"] in ("waiting_replicate", "replicating") for record in control.records()
    ):
        assert time.monotonic() < deadline, "the copies do not end"
        time.sleep(0.05)


def replicas_of(control: Control, region: str = "cn-east-3") -> list[dict[str, Any]]:
    """Return the replicas in a region."""
    return [replica for replica in control.replicas() if replica["region"] == region]


def writes(control: Control) -> list[tuple[str, str | None]]:
    """Return the write requests to CBR, except token requests."""
    return [
        (entry["method"], entry["operation"])
        for entry in control.journal()
        if entry["method"] in WRITES and entry["operation"] != "CreateToken"
    ]


@pytest.fixture
def replicated(make_stacks_project: MakeProject, erp: dict[str, Any], control: Control) -> Project:
    """A stack with one replication whose copy has ended and was refreshed."""
    project = make_stacks_project([erp])
    project.up()
    wait_for_copies(control)
    project.refresh()
    control.clear_journal()
    return project


def test_replication_basic(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """One replication is copied once, recorded, left alone by a second up, and destroyed."""
    project = make_stacks_project([erp])
    project.up()
    wait_for_copies(control)
    project.refresh()

    (record,) = control.records()
    (replica,) = replicas_of(control)
    outputs = project.state()[NAME]["outputs"]
    assert record["id"] == project.state()[NAME]["id"]
    assert replica["id"] == outputs["destination_backup_id"]
    assert replica["checkpoint_id"] == outputs["destination_checkpoint_id"]
    assert outputs["status"] == "success"
    rows = project.must("stack", "output", "--json").json()["replications"]
    assert record["id"] == rows[NAME]["replication_record_id"]

    project.up("--expect-no-changes")
    assert [("POST", "CopyBackup")] == writes(control)

    project.destroy()
    assert [] == replicas_of(control)
    assert {} == project.state()


def test_replication_request_is_the_documented_one(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """CopyBackup is sent with the documented body and a token, at the source region's endpoint."""
    erp["description"] = "weekly off-site copy"
    erp["destinations"][0]["replica_name"] = "erp-db-dr"
    make_stacks_project([erp]).up()

    (sent,) = control.journal(operation="CopyBackup")
    expected = {
        "replicate": {
            "destination_region": "cn-east-3",
            "destination_project_id": "863129926600475a959e8f2efb991722",
            "destination_vault_id": "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
            "name": "erp-db-dr",
            "description": "weekly off-site copy [pulumi cbr-replication/test]",
        }
    }
    assert expected == sent["body"]
    assert "x-auth-token" in sent["headers"]
    assert sent["has_region_prefix"]
    assert "cn-north-4" == sent["region"]
    assert (
        f"/v3/c6cb0876eaee4f5092d0fdf4c4fc09b3/backups/{erp['backup_id']}/replicate" == sent["path"]
    )


@proved_by_the_drift_table
def test_replication_disappears(replicated: Project, control: Control) -> None:
    """A replica that somebody deleted is found by refresh and copied again by up."""
    control.forget_backup(replicas_of(control)[0]["id"])

    replicated.refresh()

    assert {} == replicated.state()
    assert {NAME: "create"} == replicated.plan()
    replicated.up()
    wait_for_copies(control)
    assert 1 == len(replicas_of(control))


@pytest.mark.full
def test_replication_adopt(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """An existing replica is adopted: the preview says so, and nothing is copied."""
    project = make_stacks_project([erp])
    project.up()
    wait_for_copies(control)
    project.must("state", "delete", "--yes", project.state()[NAME]["urn"])

    assert "will be adopted" in project.preview().text
    project.up()

    assert 1 == len(control.journal(operation="CopyBackup"))
    assert control.records()[0]["id"] == project.state()[NAME]["id"]


@pytest.mark.full
def test_replication_adopt_off(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """With `adopt` off, a replica without this stack's mark is an error with a remedy."""
    project = make_stacks_project([erp])
    project.configure({"huaweicloud:markReplicas": "false"})
    project.up()
    project.must("state", "delete", "--yes", project.state()[NAME]["urn"])
    erp["adopt"] = False
    project.configure({"cbr-replication:replications": [erp]})

    outcome = project.run("preview")

    assert 0 != outcome.code
    assert control.records()[0]["id"] in outcome.text
    assert "set adopt to true" in outcome.text


@pytest.mark.full
def test_replication_rename(replicated: Project, erp: dict[str, Any], control: Control) -> None:
    """A changed name renames the replica in place."""
    erp["destinations"][0]["replica_name"] = "erp-renamed"
    replicated.configure({"cbr-replication:replications": [erp]})

    assert {NAME: "update"} == replicated.plan()
    replicated.up()

    assert ["erp-renamed"] == [replica["name"] for replica in replicas_of(control)]
    assert [("PUT", "UpdateBackup")] == writes(control)
    replicated.up("--expect-no-changes")


@proved_by_the_drift_table
def test_replication_drift_name(replicated: Project, erp: dict[str, Any], control: Control) -> None:
    """A declared name that somebody changed shows as drift, and up restores it."""
    erp["destinations"][0]["replica_name"] = "erp-dr"
    replicated.configure({"cbr-replication:replications": [erp]})
    replicated.up()
    control.change_backup(replicas_of(control)[0]["id"], name="somebody-elses")

    replicated.refresh()

    shown = replicated.preview("--diff").text
    assert '"somebody-elses" => "erp-dr"' in shown
    replicated.up()
    assert ["erp-dr"] == [replica["name"] for replica in replicas_of(control)]


@pytest.mark.full
def test_replication_replace_vault(
    replicated: Project, erp: dict[str, Any], vault_ids: dict[str, str], control: Control
) -> None:
    """Another vault in the same region deletes the old replica first, then copies again."""
    erp["destinations"][0]["vault_id"] = vault_ids["dr-replicas-second"]
    replicated.configure({"cbr-replication:replications": [erp]})

    assert {NAME: "replace"} == {
        name: "replace" for name, op in replicated.plan().items() if "replace" in op
    }
    replicated.up()
    wait_for_copies(control)

    assert [("DELETE", "DeleteBackup"), ("POST", "CopyBackup")] == writes(control)
    assert [vault_ids["dr-replicas-second"]] == [
        replica["vault_id"] for replica in replicas_of(control)
    ]


@pytest.mark.full
def test_replication_replace_backup(
    replicated: Project, erp: dict[str, Any], backup_ids: dict[str, str], control: Control
) -> None:
    """Another backup is copied first, then the old replica is deleted."""
    erp["backup_id"] = backup_ids["autobk_8d2f"]
    replicated.configure({"cbr-replication:replications": [erp]})

    replicated.up()

    assert [("POST", "CopyBackup"), ("DELETE", "DeleteBackup")] == writes(control)


@proved_by_the_drift_table
def test_replication_failed_is_replaced(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """A copy that failed after up is replaced by the next one."""
    control.change_backup(erp["backup_id"], copy={"mode": "immediate", "outcome": "fail"})
    project = make_stacks_project([erp])
    project.up()
    control.change_backup(erp["backup_id"], copy={"mode": "immediate"})

    shown = project.preview().text
    assert "BackupService.6129" in shown
    assert "1 to replace" in shown
    project.up()

    assert ["fail", "success"] == [record["status"] for record in control.records()]
    project.up("--expect-no-changes")


@pytest.mark.full
def test_replication_source_expired(
    replicated: Project, erp: dict[str, Any], control: Control
) -> None:
    """If the source expires, the replica is kept, and no later up changes it."""
    control.forget_backup(erp["backup_id"])

    replicated.refresh()

    assert replicated.state()[NAME]["outputs"]["source_deleted"] is True
    replicated.up("--expect-no-changes")
    assert [] == writes(control)
    replicated.environment["HW_FORCE_DESTROY"] = "true"
    replicated.destroy()
    assert [] == replicas_of(control)


def test_replication_retain_on_delete(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """With retain_on_delete the replica stays after destroy."""
    erp["retain_on_delete"] = True
    project = make_stacks_project([erp])
    project.up()
    wait_for_copies(control)

    project.destroy()

    assert 1 == len(replicas_of(control))
    assert [("POST", "CopyBackup")] == writes(control)


def test_replication_protect(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """With protect, destroy is refused and nothing is deleted."""
    erp["protect"] = True
    project = make_stacks_project([erp])
    project.up()

    outcome = project.run("destroy", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "protected" in outcome.text
    assert [("POST", "CopyBackup")] == writes(control)


def test_replication_preview_makes_no_writes(
    replicated: Project, erp: dict[str, Any], backup_ids: dict[str, str], control: Control
) -> None:
    """A preview of a create, an update and a replacement sends no POST, PUT or DELETE to CBR."""
    erp["destinations"][0]["replica_name"] = "another"
    other = {**erp, "name": "web", "backup_id": backup_ids["autobk_8d2f"]}
    replicated.configure({"cbr-replication:replications": [erp, other]})
    replicated.preview()
    erp["description"] = "replaces"
    replicated.configure({"cbr-replication:replications": [erp, other]})
    replicated.preview()

    assert [] == writes(control)


@pytest.mark.full
def test_replication_survives_killed_simulator(
    make_stacks_project: MakeProject, erp: dict[str, Any], simulator: SimulatorProcess
) -> None:
    """After a kill during a copy, the simulator has the same state, and up is correct."""
    simulator.control.change_backup(erp["backup_id"], copy={"mode": "never"})
    project = make_stacks_project([erp])
    project.up()
    before = simulator.control.records()
    simulator.kill()
    simulator.start()

    assert before == simulator.control.records()
    project.up("--expect-no-changes")
    assert 1 == len(simulator.control.journal(operation="CopyBackup"))


@pytest.mark.full
def test_replication_unanswered_submission(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """A submission that was accepted but not answered is found, not sent again."""
    control.fault(operation="CopyBackup", action="drop_after")
    project = make_stacks_project([erp])

    shown = project.up().text

    assert "looking whether it was accepted" in shown
    assert 1 == len(control.journal(operation="CopyBackup"))
    assert control.records()[0]["id"] == project.state()[NAME]["id"]


def test_replication_throttled_then_succeeds(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """A throttled call waits as long as requested, informs the user, and continues."""
    control.fault(
        operation="CopyBackup",
        action="respond",
        status=429,
        headers={"Retry-After": "1"},
        body={"error_code": "APIGW.0308", "error_msg": "throttled", "request_id": "0" * 32},
    )
    project = make_stacks_project([erp])

    shown = project.up().text

    assert "attempt 1 of 6, next in" in shown
    assert "APIGW.0308" in shown
    assert 1 == len(control.records())
