"""Programs with one resource of each form, and what the cloud has of it.

For tests that run operations as the engine does; see `engine`.
"""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Control
from tests.contract.engine import Program
from tests.contract.rig import BACKUP, VAULT

WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
SOUTH = {
    "destination_region": "cn-south-1",
    "destination_vault_id": "d5e6f708-192a-43b4-85d6-e7f8091a2b3c",
}
EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
BACKUPS = {
    "single": [BACKUP],
    "set": [BACKUP, WEB_1],
    "vault": sorted([BACKUP, WEB_1, WEB_2, MANUAL]),
}
"""Return the backup or backups that a resource of each form copies here."""
FORMS = pytest.mark.parametrize("form", sorted(BACKUPS))


def declared(form: str, **changes: Any) -> Program:
    """Return a program with one resource of a form."""
    what: dict[str, dict[str, Any]] = {
        "single": {"backup_id": BACKUP},
        "set": {"backups": {"erp": BACKUP, "web": WEB_1}},
        "vault": {"vault_id": SOURCE_VAULT},
    }
    return {"dr": (form, {**what[form], **EAST, **changes})}


def copied(control: Control) -> list[str]:
    """Return the sources of all replicas, once for each replica."""
    present = {row["id"] for row in control.replicas() if row["status"] != "deleting"}
    return sorted(
        record["source_backup_id"]
        for record in control.records()
        if record["destination_backup_id"] in present
    )


def replicas(control: Control) -> dict[str, str]:
    """Return the ids of all replicas outside of the source region, with their vaults."""
    return {
        row["id"]: row["vault_id"] for row in control.replicas() if row["region"] != "cn-north-4"
    }


class DeadError(Exception):
    """The process died."""


def die() -> None:
    """End the operation here."""
    raise DeadError
