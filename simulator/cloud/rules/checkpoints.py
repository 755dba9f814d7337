"""Restore points: backups of a vault's resources, which take a while. No HTTP here.

A restore point is the group of its backups, and exists as long as one of them does. Source: CBR API
reference, CreateCheckpoint, ShowCheckpoint and "Error Codes".
"""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import Clock
from simulator.cloud.rules import tasks
from simulator.cloud.rules.copies import promised_mb
from simulator.cloud.rules.copy_refusals import MB_PER_GB
from simulator.cloud.rules.resources import refuse_leaving
from simulator.cloud.specs import Options
from simulator.cloud.store import Backup, Vault, next_sequence

DAY_S = 86_400
USUAL_SIZE_GB = 40
"""The size of a resource that has no backup yet; a choice of ours."""


@dataclass(frozen=True)
class Wanted:
    """A request: which resources (none named: all), and the properties of their backups."""

    resource_ids: list[str]
    name: str | None
    description: str
    auto_trigger: bool
    retention_days: int


@dataclass(frozen=True)
class _Resource:
    id: str
    name: str
    type: str
    size_gb: int = USUAL_SIZE_GB
    contain_system_disk: bool = True


class Checkpoints:
    """The incomplete restore points of one cloud."""

    def __init__(self, options: Options, clock: Clock, speed: float) -> None:
        self._options = options
        self._clock = clock
        self._speed = speed
        # Nothing is due before then. A time that is too early, as after an error or at the start,
        # does no harm.
        self._next_at = -math.inf

    def begin(self, session: Session, vault: Vault, wanted: Wanted) -> str:
        """Start a backup of resources, or raise the refusal. Return the restore point's id."""
        if vault.protect_type != "backup":
            raise errors.cbr("6124")
        if vault.status not in ("available", "lock"):
            raise errors.cbr("6113")
        if _is_being_backed_up(session, vault.id):
            raise errors.cbr("6125")
        refuse_leaving(vault)
        resources = _chosen(session, vault, wanted.resource_ids)
        size_mb = sum(resource.size_gb for resource in resources) * MB_PER_GB
        taken_mb = vault.used_mb + promised_mb(session, vault.id)
        is_full = taken_mb + size_mb > vault.size_gb * MB_PER_GB
        if is_full and not vault.settings["auto_expand"]:
            raise errors.cbr("6114")
        checkpoint_id = str(uuid.uuid4())
        kind = "autobk" if wanted.auto_trigger else "manualbk"
        name = wanted.name or f"{kind}_{checkpoint_id[:4]}"
        for resource in resources:
            self._begin_one(session, vault, wanted, resource, checkpoint_id, name)
        session.flush()
        return checkpoint_id

    def is_due(self) -> bool:
        """Whether anything may be due."""
        return self._clock.now() >= self._next_at

    def go_on(self, session: Session) -> None:
        """Update all incomplete backups to the present."""
        if not self.is_due():
            return
        now = self._clock.now()
        for backup in session.scalars(select(Backup).where(Backup.made_at <= now)).all():
            vault = session.get(Vault, backup.vault_id)
            backup.status = "available"
            backup.takes_mb, backup.promised_mb = backup.promised_mb, 0
            if vault is not None:
                vault.used_mb += backup.takes_mb
            tasks.end(session, backup.id, "backup", backup.made_at or now)
            backup.updated_at, backup.made_at = backup.made_at, None
        session.flush()
        next_at = session.scalar(select(func.min(Backup.made_at)))
        self._next_at = math.inf if next_at is None else next_at

    def _begin_one(
        self,
        session: Session,
        vault: Vault,
        wanted: Wanted,
        resource: _Resource,
        checkpoint_id: str,
        name: str,
    ) -> None:
        now = self._clock.now()
        keeps_s = wanted.retention_days * DAY_S
        backup = Backup(
            id=str(uuid.uuid4()),
            sequence=next_sequence(session, Backup.sequence),
            name=name,
            description=wanted.description,
            region=vault.region,
            project_id=vault.project_id,
            vault_id=vault.id,
            checkpoint_id=checkpoint_id,
            image_type="backup",
            status="protecting",
            resource_id=resource.id,
            resource_name=resource.name,
            resource_type=resource.type,
            size_gb=resource.size_gb,
            takes_mb=0,
            promised_mb=resource.size_gb * MB_PER_GB,
            contain_system_disk=resource.contain_system_disk,
            auto_trigger=wanted.auto_trigger,
            created_at=now,
            expired_at=now + keeps_s if keeps_s > 0 else None,
            made_at=now + self._options.backup_seconds / self._speed,
        )
        session.add(backup)
        tasks.note_backup(session, backup, now)
        self._next_at = min(self._next_at, now + self._options.backup_seconds / self._speed)


def backups_of(session: Session, project_id: str, checkpoint_id: str) -> list[Backup]:
    """Return the backups of a restore point; none if there is no such restore point."""
    query = select(Backup).where(
        Backup.checkpoint_id == checkpoint_id, Backup.project_id == project_id
    )
    return list(session.scalars(query.order_by(Backup.sequence)))


def _is_being_backed_up(session: Session, vault_id: str) -> bool:
    query = select(Backup).where(Backup.vault_id == vault_id, Backup.made_at.is_not(None))
    return session.scalars(query).first() is not None


def _chosen(session: Session, vault: Vault, wanted: list[str]) -> list[_Resource]:
    """Return all resources of a vault, or those that are requested."""
    known = {resource.id: resource for resource in _resources_of(session, vault)}
    if any(resource_id not in known for resource_id in wanted):
        raise errors.cbr("6135")
    if not known:
        raise errors.cbr("0001")
    return [known[resource_id] for resource_id in dict.fromkeys(wanted)] or list(known.values())


def _resources_of(session: Session, vault: Vault) -> list[_Resource]:
    """Return the resources that are bound to a vault or have backups in it, as last backed up."""
    bound: list[dict[str, Any]] = vault.settings["resources"]
    found = {row["id"]: _Resource(row["id"], row["name"] or "", row["type"]) for row in bound}
    query = select(Backup).where(Backup.vault_id == vault.id, Backup.image_type == "backup")
    for backup in session.scalars(query.order_by(Backup.created_at, Backup.sequence)):
        found[backup.resource_id] = _Resource(
            backup.resource_id,
            backup.resource_name,
            backup.resource_type,
            backup.size_gb,
            backup.contain_system_disk,
        )
    return list(found.values())
