"""The cloud itself: what exists, how copies and deletions go on, what is refused. No HTTP here."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from simulator import errors
from simulator.clock import Clock, parse_time
from simulator.store import Backup, Meta, Record, Task, Vault, open_store
from simulator.wire import task_body
from simulator.world import OBJECT_TYPES, CopyScript, World, WorldError, made_uuid

COPY_MB_PER_S = 80
"""CBR user guide, 2021."""
WAITING_SHARE = 0.1
"""The share of a copy's time for which its record says `waiting_replicate`; a choice of ours."""


class Cloud:
    """All regions, with one clock and one state."""

    def __init__(self, world: World, clock: Clock, state: Path | None, speed: float) -> None:
        self.world = world
        self.clock = clock
        self.speed = speed
        self.options = world.options
        self.regions = {region.name: region for region in world.regions}
        self.project_regions = {region.project_id: region.name for region in world.regions}
        self.project_regions |= {project.id: project.region for project in world.projects}
        self.project_names = {region.project_id: region.name for region in world.regions}
        self.project_names |= {project.id: project.name for project in world.projects}
        self._engine = open_store(state)
        self._found(state)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Work on the state as it is now; saved at the end, dropped on an error."""
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            self._go_on(session)
            yield session

    def close(self) -> None:
        """Close the state."""
        self._engine.dispose()

    def _found(self, state: Path | None) -> None:
        digest = hashlib.sha256(
            json.dumps(self.world.model_dump(mode="json"), sort_keys=True).encode()
        ).hexdigest()
        with Session(self._engine) as session, session.begin():
            known = session.get(Meta, "world")
            if known is not None:
                if known.value != digest:
                    raise WorldError(
                        f"{state}: holds the state of another world; give that world's file, or "
                        "another --state"
                    )
                return
            session.add(Meta(key="world", value=digest))
            self._populate(session)

    def _populate(self, session: Session) -> None:
        vaults = {}
        for spec in self.world.vaults:
            project = self._project_id(spec.region, spec.project)
            vaults[spec.name] = Vault(
                id=spec.id,
                name=spec.name,
                region=spec.region,
                project_id=project,
                protect_type=spec.protect_type,
                object_type=spec.object_type,
                size_gb=spec.size_gb,
                used_mb=spec.used_mb,
                status=spec.status,
                created_at=self.clock.now(),
            )
        session.add_all(vaults.values())
        for sequence, backup in enumerate(self.world.backups, start=1):
            vault = vaults[backup.vault]
            session.add(
                Backup(
                    id=backup.id,
                    sequence=sequence,
                    name=backup.name,
                    description=backup.description,
                    region=vault.region,
                    project_id=vault.project_id,
                    vault_id=vault.id,
                    checkpoint_id=made_uuid("checkpoint", backup.id),
                    image_type=backup.image_type,
                    status=backup.status,
                    resource_id=backup.resource_id,
                    resource_name=backup.resource_name,
                    resource_type=backup.resource_type,
                    size_gb=backup.size_gb,
                    contain_system_disk=backup.contain_system_disk,
                    created_at=parse_time(backup.created_at),
                    expired_at=parse_time(backup.expired_at) if backup.expired_at else None,
                    copy_script=(backup.copy_script.model_dump() if backup.copy_script else None),
                )
            )

    def _project_id(self, region: str, name: str) -> str:
        if not name:
            return self.regions[region].project_id
        for project in self.world.projects:
            if project.name == name:
                return project.id
        raise WorldError(f"project {name!r} is not declared")

    # -- copies -----------------------------------------------------------------------------

    def replicate(
        self,
        session: Session,
        backup: Backup,
        *,
        region: str,
        project_id: str,
        vault_id: str,
        name: str | None,
        description: str | None,
    ) -> Record:
        """Accept a copy, or raise the refusal that the reference has for it."""
        vault = session.get(Vault, vault_id)
        self._refuse_source(backup)
        self._refuse_destination(backup, region, project_id, vault)
        if self._has_live_copy(session, backup.id, region):
            raise self._refusal("1009")
        script = CopyScript(**(backup.copy_script or self.options.default_copy.model_dump()))
        now = self.clock.now()
        replica = Backup(
            id=str(uuid.uuid4()),
            sequence=self._next(session, Backup.sequence),
            name=name or backup.name,
            description=description if description is not None else backup.description,
            region=region,
            project_id=project_id,
            vault_id=vault_id,
            checkpoint_id=str(uuid.uuid4()),
            image_type="replication",
            status="waiting_protect",
            resource_id=backup.resource_id,
            resource_name=backup.resource_name,
            resource_type=backup.resource_type,
            size_gb=backup.size_gb,
            contain_system_disk=backup.contain_system_disk,
            created_at=now,
        )
        record = Record(
            id=str(uuid.uuid4()),
            sequence=self._next(session, Record.sequence),
            source_backup_id=backup.id,
            source_project_id=backup.project_id,
            source_region=backup.region,
            source_checkpoint_id=backup.checkpoint_id,
            source_vault_id=backup.vault_id,
            destination_project_id=project_id,
            destination_region=region,
            destination_vault_id=vault_id,
            replica_id=replica.id,
            replica_checkpoint_id=replica.checkpoint_id,
            created_at=now,
            status="waiting_replicate",
            progress=0,
            reads=0,
            is_open=True,
            script=script.model_dump(),
            fail_code="",
            fail_reason="",
        )
        session.add_all([replica, record, self._task(session, backup, replica, record)])
        session.flush()
        return record

    def _refuse_source(self, backup: Backup) -> None:
        if backup.image_type != "backup":
            raise self._refusal("1002")
        if backup.status != "available":
            raise self._refusal("1001")
        if backup.resource_type in ("OS::Ironic::BareMetalServer", "OS::Native::Server"):
            raise self._refusal("1003")
        if backup.resource_type == "OS::Cinder::Volume":
            raise errors.cbr("6122")
        if backup.resource_type == "OS::Nova::Server" and not backup.contain_system_disk:
            raise self._refusal("1004")

    def _refuse_destination(
        self, backup: Backup, region: str, project_id: str, vault: Vault | None
    ) -> None:
        if region not in self.regions[backup.region].replicates_to:
            raise self._refusal("1005")
        if self.project_regions.get(project_id) != region:
            raise errors.cbr("1011")
        if vault is None or vault.project_id != project_id:
            raise errors.cbr("6120")
        if vault.protect_type != "replication":
            raise errors.cbr("6119")
        if vault.status not in ("available", "lock"):
            raise errors.cbr("6112")
        if vault.object_type != OBJECT_TYPES[backup.resource_type]:
            raise errors.cbr("6102")
        if vault.used_mb + backup.size_gb * 1024 > vault.size_gb * 1024:
            raise errors.cbr("6129")

    def _refusal(self, number: str) -> errors.Refusal:
        return errors.cbr(number, status=self.options.replication_refusals_status)

    def _has_live_copy(self, session: Session, backup_id: str, region: str) -> bool:
        for record in self.records_of(session, backup_id):
            if record.destination_region != region:
                continue
            if record.is_open:
                return True
            if record.status == "success" and session.get(Backup, record.replica_id):
                return True
        return False

    def records_of(self, session: Session, backup_id: str) -> list[Record]:
        """Return a backup's records, the oldest first."""
        query = select(Record).where(Record.source_backup_id == backup_id)
        return list(session.scalars(query.order_by(Record.sequence)))

    def look_at(self, session: Session, record: Record) -> None:
        """Count a look at a record whose copy goes on by looks."""
        if record.is_open and record.script["mode"] == "after_reads":
            record.reads += 1
            if record.reads >= record.script["reads"]:
                self._end(session, record)
            else:
                self._show(session, record, record.reads / record.script["reads"])

    # -- time -------------------------------------------------------------------------------

    def _go_on(self, session: Session) -> None:
        """Bring everything that takes time up to now."""
        now = self.clock.now()
        for backup in session.scalars(select(Backup).where(Backup.delete_at.is_not(None))):
            if backup.delete_at is not None and backup.delete_at <= now:
                self.forget(session, backup)
            else:
                backup.status = "deleting"
        for record in session.scalars(select(Record).where(Record.is_open)):
            share = self._share(session, record, now)
            if share is None:
                continue
            if share >= 1:
                self._end(session, record)
            else:
                self._show(session, record, share)

    def _share(self, session: Session, record: Record, now: float) -> float | None:
        script = CopyScript(**record.script)
        if script.mode == "immediate":
            return 1.0
        if script.mode in ("never", "after_reads"):
            return None
        seconds = script.seconds
        if seconds is None:
            replica = session.get(Backup, record.replica_id)
            seconds = (replica.size_gb if replica else 0) * 1024 / COPY_MB_PER_S
        lasting = seconds / self.speed
        return 1.0 if lasting <= 0 else (now - record.created_at) / lasting

    def _show(self, session: Session, record: Record, share: float) -> None:
        replica = session.get(Backup, record.replica_id)
        if share < WAITING_SHARE:
            return
        record.status = "replicating"
        record.progress = min(99, int(share * 100))
        if replica is not None:
            replica.status = "protecting"
        self._retell(session, record)

    def _end(self, session: Session, record: Record) -> None:
        script = CopyScript(**record.script)
        replica = session.get(Backup, record.replica_id)
        record.is_open = False
        record.ended_at = self.clock.now()
        record.status = script.outcome
        if script.outcome == "success":
            record.progress = 100
            if replica is not None:
                replica.status = "available"
                vault = session.get(Vault, replica.vault_id)
                if vault is not None:
                    vault.used_mb += replica.size_gb * 1024
        else:
            if script.outcome == "fail":
                record.fail_code = script.fail_code
                record.fail_reason = script.fail_reason
            if replica is not None:
                session.delete(replica)
        self._retell(session, record)

    # -- backups ----------------------------------------------------------------------------

    def begin_deletion(self, session: Session, backup: Backup) -> None:
        """Begin to delete a backup, or raise the refusal."""
        if backup.delete_at is not None:
            return
        if backup.status not in ("available", "error"):
            raise errors.cbr("6201")
        now = self.clock.now()
        backup.status = "waiting_delete"
        backup.delete_began_at = now
        backup.delete_at = now + self.options.deletion_seconds / self.speed
        session.flush()

    def forget(self, session: Session, backup: Backup) -> None:
        """Have a backup gone now; its records go with it, its replicas stay."""
        if backup.image_type == "replication":
            vault = session.get(Vault, backup.vault_id)
            if vault is not None:
                vault.used_mb = max(0, vault.used_mb - backup.size_gb * 1024)
        for record in self.records_of(session, backup.id):
            session.delete(record)
        session.delete(backup)
        session.flush()

    # -- tasks ------------------------------------------------------------------------------

    def _task(self, session: Session, backup: Backup, replica: Backup, record: Record) -> Task:
        vault = session.get(Vault, backup.vault_id)
        return Task(
            id=str(uuid.uuid4()),
            sequence=self._next(session, Task.sequence),
            record_id=record.id,
            project_id=backup.project_id,
            resource_id=backup.resource_id,
            vault_id=backup.vault_id,
            status="waiting",
            created_at=record.created_at,
            ended_at=None,
            body=task_body(backup, replica, record, vault.name if vault else ""),
        )

    def _retell(self, session: Session, record: Record) -> None:
        statuses = {
            "waiting_replicate": "waiting",
            "replicating": "running",
            "success": "success",
            "fail": "failed",
            "skip": "skipped",
        }
        for task in session.scalars(select(Task).where(Task.record_id == record.id)):
            task.status = statuses[record.status]
            task.ended_at = record.ended_at

    def _next(self, session: Session, column: object) -> int:
        return int(session.scalar(select(func.max(column))) or 0) + 1  # type: ignore[arg-type]
