"""Programs and looks at the cloud for the tests of who owns a copy."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import httpx

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import PASSWORD, Project
from tests.e2e.programs import BACKUP, VAULT

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
SOUTH_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
FOUR = Counter([BACKUP, WEB_1, WEB_2, MANUAL])
_NORTH_PROJECT = "c6cb0876eaee4f5092d0fdf4c4fc09b3"
_EAST_PROJECT = "863129926600475a959e8f2efb991722"

# Any configuration: single replications, sets and entire vaults by name, with their inputs. What a
# resource waits for, and the limit of its creation, are among them.
PROGRAM = """
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

made = {}
for name, inputs in json.loads(pulumi.Config().require("resources")).items():
    options = pulumi.ResourceOptions(
        depends_on=[made[other] for other in inputs.pop("after", [])],
        custom_timeouts=pulumi.CustomTimeouts(create=inputs.pop("timeout", None)),
    )
    if "backups" in inputs:
        args = cbr.BackupReplicationSetArgs(**inputs)
        made[name] = cbr.BackupReplicationSet(name, args, options)
    elif "vault_id" in inputs:
        made[name] = cbr.VaultReplication(name, cbr.VaultReplicationArgs(**inputs), options)
    else:
        made[name] = cbr.BackupReplication(name, cbr.BackupReplicationArgs(**inputs), options)
"""


def declare(project: Project, **resources: dict[str, Any]) -> None:
    """Declare these resources and no others."""
    project.configure({"program:resources": json.dumps(resources)})


def to_east(destination: str = VAULT, /, **inputs: Any) -> dict[str, Any]:
    """Return inputs of a resource that copies to a vault in the east."""
    return {"destination_region": "cn-east-3", "destination_vault_id": destination, **inputs}


def to_south(**inputs: Any) -> dict[str, Any]:
    """Return inputs of a resource that copies to the vault in the south."""
    return {"destination_region": "cn-south-1", "destination_vault_id": SOUTH_VAULT, **inputs}


def copies(control: Control, region: str = "cn-east-3") -> Counter[str]:
    """Count the existing replicas of each backup in a region."""
    present = {row["id"] for row in control.replicas() if row["region"] == region}
    return Counter(
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    )


def replicas(control: Control) -> dict[str, str]:
    """Return all replicas outside of the source region, each with its vault."""
    return {
        row["id"]: row["vault_id"] for row in control.replicas() if row["region"] != "cn-north-4"
    }


def replicas_of(control: Control, *backup_ids: str, region: str = "cn-east-3") -> list[str]:
    """Return the existing replicas of these backups in a region, in this order."""
    present = {row["id"] for row in control.replicas() if row["region"] == region}
    of_backup = {
        record["source_backup_id"]: record["destination_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    }
    return [of_backup[backup_id] for backup_id in backup_ids]


def deleted(control: Control) -> list[str]:
    """Return the replicas that somebody asked CBR to delete."""
    return sorted(
        entry["backup_id"]
        for entry in control.journal(operation="DeleteBackup")
        if entry["status"] == 204
    )


def descriptions(control: Control) -> dict[str, str | None]:
    """Return the description of each replica outside of the source region, by its id."""
    return {
        row["id"]: row["description"] for row in control.replicas() if row["region"] != "cn-north-4"
    }


def members(project: Project, name: str) -> dict[str, dict[str, Any]]:
    """Return a resource's rows in the state, by label."""
    rows: dict[str, dict[str, Any]] = project.resources()[name]["outputs"]["members"]
    return rows


def leaving(project: Project, name: str) -> set[str]:
    """Return the labels of the rows that are to leave."""
    return {label for label, row in members(project, name).items() if row.get("leaving")}


def copy_by_hand(simulator: SimulatorProcess, backup_id: str, description: str, **more: str) -> str:
    """Copy a backup to the east, as the console or another tool does; return the record's id."""
    north = f"{simulator.url}/regions/cn-north-4/v3"
    user = {"name": "ops-replicator", "password": PASSWORD, "domain": {"name": "acme-cloud"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"id": _NORTH_PROJECT}}
    wanted = {
        "destination_project_id": _EAST_PROJECT,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        "description": description,
        **more,
    }
    with httpx.Client(trust_env=False, timeout=60) as client:
        signed_in = client.post(
            f"{north}/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
        )
        answer = client.post(
            f"{north}/{_NORTH_PROJECT}/backups/{backup_id}/replicate",
            headers={"X-Auth-Token": signed_in.headers["X-Subject-Token"]},
            json={"replicate": wanted},
        )
    assert 200 == answer.status_code, answer.text
    record_id: str = answer.json()["replication"]["replication_record_id"]
    return record_id
