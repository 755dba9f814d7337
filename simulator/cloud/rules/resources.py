"""The resources that a vault protects: which may be added, and what removing them deletes.

Source: CBR API reference, AddVaultResource, RemoveVaultResource and "Error Codes"; the user guide's
limit on resources. No HTTP here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.rules import tasks, vaults
from simulator.cloud.rules.copies import is_being_copied
from simulator.cloud.store import Backup, Removal, Vault

MOST_RESOURCES = 256


def add(session: Session, vault: Vault, resources: list[dict[str, Any]]) -> list[str]:
    """Bind resources to a vault, or raise the refusal. Return their ids."""
    if vault.status not in ("available", "lock"):
        raise errors.cbr("6112")
    vaults.refuse_resources(session, vault.protect_type, vault.object_type, resources)
    bound = [*vault.settings["resources"], *(usual(resource) for resource in resources)]
    if len(bound) > MOST_RESOURCES:
        raise errors.cbr("6100")
    vault.settings = {**vault.settings, "resources": bound}
    return [resource["id"] for resource in resources]


def begin_removal(
    session: Session, vault: Vault, resource_ids: list[str], now: float, remove_at: float
) -> None:
    """Start to remove resources and their backups from a vault, or raise the refusal.

    A second request changes nothing. The code 6115 for backups that cannot be deleted now is a
    choice of ours.
    """
    bound = {resource["id"]: resource for resource in vault.settings["resources"]}
    if any(resource_id not in bound for resource_id in resource_ids):
        raise errors.cbr("6135")
    wanted = [key for key in dict.fromkeys(resource_ids) if not _is_leaving(bound[key])]
    query = select(Backup).where(
        Backup.vault_id == vault.id, Backup.resource_id.in_(wanted), Backup.delete_at.is_(None)
    )
    backups = session.scalars(query.order_by(Backup.sequence)).all()
    for backup in backups:
        if backup.status not in ("available", "error") or is_being_copied(session, backup.id):
            raise errors.cbr("6115")
    for backup in backups:
        backup.status, backup.delete_at = "waiting_delete", remove_at
    for key in wanted:
        session.add(Removal(vault_id=vault.id, resource_id=key, remove_at=remove_at))
        count = sum(backup.resource_id == key for backup in backups)
        tasks.note_removal(session, vault, bound[key], count, now)
    vault.settings = {
        **vault.settings,
        "resources": [
            {**row, "protect_status": "removing"} if row["id"] in wanted else row
            for row in vault.settings["resources"]
        ],
    }


def end_removals(session: Session, now: float) -> None:
    """Remove the resources whose time has come."""
    for removal in session.scalars(select(Removal).where(Removal.remove_at <= now)).all():
        tasks.end(session, removal.resource_id, "remove_resource", removal.remove_at)
        vault = session.get(Vault, removal.vault_id)
        if vault is not None:
            kept = [row for row in vault.settings["resources"] if row["id"] != removal.resource_id]
            vault.settings = {**vault.settings, "resources": kept}
        session.delete(removal)
    session.flush()


def refuse_leaving(vault: Vault) -> None:
    """Raise the refusal of a backup while resources leave the vault; a choice of ours."""
    if any(_is_leaving(resource) for resource in vault.settings["resources"]):
        raise errors.cbr("6134")


def usual(given: dict[str, Any]) -> dict[str, Any]:
    """Return a bound resource with all its fields. Without a backup it has no known size."""
    fields: dict[str, Any] = {
        "name": None,
        "extra_info": {},
        "size": 0,
        "backup_size": 0,
        "backup_count": 0,
    }
    return {**fields, **given, "protect_status": "available", "auto_protect": False}


def _is_leaving(resource: dict[str, Any]) -> bool:
    return bool(resource["protect_status"] == "removing")
