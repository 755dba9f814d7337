"""Copies of backups to other regions: how they start, progress by time or by polls, and end."""

from __future__ import annotations

import math
import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from simulator.cloud import errors
from simulator.cloud.clock import Clock
from simulator.cloud.rules import tasks
from simulator.cloud.rules.copy_refusals import (
    MB_PER_GB,
    Destination,
    refusal,
    refuse_destination,
    refuse_overfull,
    refuse_source,
    refuse_source_vault,
)
from simulator.cloud.specs import OBJECT_TYPES, CopyScript, World
from simulator.cloud.store import Backup, Record, Task, Vault, next_sequence

COPY_MB_PER_S = 80
"""CBR user guide, 2021."""
WAITING_SHARE = 0.1
"""The part of a copy's time in which its record says `waiting_replicate`; a choice of ours."""
# Created once, since each requested copy needs them.
_TO = aliased(Vault)
_READ_AHEAD = (
    select(Backup, Vault, _TO)
    .outerjoin(Vault, Vault.id == Backup.vault_id)
    .outerjoin(_TO, _TO.id == bindparam("destination"))
    .where(Backup.id == bindparam("backup"))
)
_RECORDS = select(Record).where(Record.source_backup_id == bindparam("backup"))
_PROMISED = select(func.sum(Backup.promised_mb)).where(Backup.vault_id == bindparam("vault"))
_KEPT = "read ahead"
"""The key of a session's rows that were read ahead."""


@dataclass(frozen=True)
class _Copy:
    """A copy with all its rows."""

    record: Record
    replica: Backup | None
    task: Task


class Copies:
    """The copies of one cloud."""

    def __init__(self, world: World, clock: Clock, speed: float) -> None:
        self._world = world
        self._options = world.options
        self._clock = clock
        self._speed = speed
        # Nothing is due before then. A time that is too early, as after an error or at the start,
        # does no harm.
        self._next_at = -math.inf

    # -- starting ---------------------------------------------------------------------------

    def replicate(
        self,
        session: Session,
        backup: Backup,
        wanted: Destination,
        name: str | None,
        description: str | None,
    ) -> Record:
        """Accept a copy, or raise the refusal in the reference."""
        refuse_source(backup, self._options)
        vault = refuse_destination(
            self._world,
            backup.region,
            OBJECT_TYPES[backup.resource_type],
            wanted,
            session.get(Vault, wanted.vault_id),
        )
        if self._has_live_copy(session, backup, wanted.region):
            raise refusal("1009", self._options)
        size_mb = backup.size_gb * MB_PER_GB
        refuse_overfull(vault, promised_mb(session, vault.id), size_mb, self._options)
        replica = self._new_replica(session, backup, wanted)
        replica.name = name or backup.name
        replica.description = backup.description if description is None else description
        return self._begin(session, backup, replica)

    def replicate_vault(
        self, session: Session, source: Vault, wanted: Destination, *, auto_trigger: bool
    ) -> list[Record]:
        """Accept copies of all backups of a vault that were never copied to the region."""
        refuse_source_vault(
            source, self._options, is_being_copied=_is_vault_being_copied(session, source.id)
        )
        vault = refuse_destination(
            self._world,
            source.region,
            source.object_type,
            wanted,
            session.get(Vault, wanted.vault_id),
        )
        query = select(Backup).where(Backup.vault_id == source.id).order_by(Backup.sequence)
        chosen = [
            backup
            for backup in session.scalars(query)
            if self._is_due(session, backup, wanted.region)
        ]
        size_mb = sum(backup.size_gb for backup in chosen) * MB_PER_GB
        refuse_overfull(vault, promised_mb(session, vault.id), size_mb, self._options)
        records = []
        for backup in chosen:
            record = self._begin(session, backup, self._new_replica(session, backup, wanted))
            record.of_whole_vault, record.auto_trigger = True, auto_trigger
            records.append(record)
        return records

    def _is_due(self, session: Session, backup: Backup, region: str) -> bool:
        try:
            refuse_source(backup, self._options)
        except errors.RefusalError:
            return False
        # The rule does not depend on whether records are still listed.
        query = select(Record).where(
            Record.source_backup_id == backup.id, Record.destination_region == region
        )
        return not any(
            record.is_open or record.status == "success" for record in session.scalars(query)
        )

    def _has_live_copy(self, session: Session, backup: Backup, region: str) -> bool:
        # The rule does not depend on whether records are still listed.
        for record in session.scalars(_RECORDS, {"backup": backup.id}):
            if record.destination_region != region:
                continue
            if record.is_open:
                return True
            replica = session.get(Backup, record.replica_id)
            if record.status == "success" and replica is not None:
                return True
        return False

    def _new_replica(self, session: Session, backup: Backup, wanted: Destination) -> Backup:
        return Backup(
            id=str(uuid.uuid4()),
            sequence=next_sequence(session, Backup.sequence),
            name=backup.name,
            description=backup.description,
            region=wanted.region,
            project_id=wanted.project_id,
            vault_id=wanted.vault_id,
            checkpoint_id=str(uuid.uuid4()),
            image_type="replication",
            status="waiting_protect",
            resource_id=backup.resource_id,
            resource_name=backup.resource_name,
            resource_type=backup.resource_type,
            size_gb=backup.size_gb,
            takes_mb=0,
            promised_mb=backup.size_gb * MB_PER_GB,
            contain_system_disk=backup.contain_system_disk,
            auto_trigger=False,
            created_at=self._clock.now(),
        )

    def _begin(self, session: Session, backup: Backup, replica: Backup) -> Record:
        own = CopyScript(**backup.copy_script) if backup.copy_script else None
        record = Record(
            id=str(uuid.uuid4()),
            sequence=next_sequence(session, Record.sequence),
            source_backup_id=backup.id,
            source_project_id=backup.project_id,
            source_region=backup.region,
            source_checkpoint_id=backup.checkpoint_id,
            source_vault_id=backup.vault_id,
            destination_project_id=replica.project_id,
            destination_region=replica.region,
            destination_vault_id=replica.vault_id,
            replica_id=replica.id,
            replica_checkpoint_id=replica.checkpoint_id,
            created_at=replica.created_at,
            status="waiting_replicate",
            progress=0,
            reads=0,
            is_open=True,
            is_hidden=False,
            of_whole_vault=False,
            auto_trigger=False,
            fail_code="",
            fail_reason="",
        )
        self._plan(record, own or self._options.default_copy, replica.size_gb)
        # Reads the vault first, so that all writes are together.
        tasks.note_copy(session, backup, record, replica)
        session.add_all([replica, record])
        return record

    # -- progress ---------------------------------------------------------------------------

    def is_due(self) -> bool:
        """Whether anything may be due."""
        return self._clock.now() >= self._next_at

    def go_on(self, session: Session) -> None:
        """Update all copies that progress by time to the present."""
        if not self.is_due():
            return
        now = self._clock.now()
        for copy in _copies(session, Record.due_at <= now):
            record = copy.record
            ends_at = record.created_at + (record.lasts_s or 0.0)
            if now >= ends_at:
                self._end(session, copy, ends_at)
            else:
                self._show(copy, record.progress)
                record.due_at = ends_at
        session.flush()
        next_at = session.scalar(select(func.min(Record.due_at)))
        self._next_at = math.inf if next_at is None else next_at

    def look_at(self, session: Session, records: Iterable[Record]) -> None:
        """Count a poll for those of the records whose copies progress by polls."""
        looked_at = [
            record.id
            for record in records
            if record.is_open and record.script["mode"] == "after_reads"
        ]
        if not looked_at:
            return
        for copy in _copies(session, Record.id.in_(looked_at)):
            record, wanted = copy.record, copy.record.script["reads"]
            record.reads += 1
            if record.reads >= wanted:
                self._end(session, copy, self._clock.now())
            elif record.reads / wanted >= WAITING_SHARE:
                self._show(copy, min(99, int(record.reads / wanted * 100)))

    def change_script(self, session: Session, record: Record, script: CopyScript) -> None:
        """Continue a copy with another script, as if it had started with it."""
        replica = session.get(Backup, record.replica_id)
        record.progress = record.progress_at(self._clock.now())
        self._plan(record, script, replica.size_gb if replica else 0)

    def _plan(self, record: Record, script: CopyScript, size_gb: int) -> None:
        record.script = script.model_dump()
        record.lasts_s = record.due_at = None
        if script.mode == "immediate":
            record.lasts_s = 0.0
        elif script.mode == "seconds":
            own_s = script.seconds
            usual_s = size_gb * MB_PER_GB / COPY_MB_PER_S
            record.lasts_s = (usual_s if own_s is None else own_s) / self._speed
        if record.is_open and record.lasts_s is not None:
            record.due_at = record.created_at + record.lasts_s * WAITING_SHARE
            self._next_at = min(self._next_at, record.due_at)

    def _show(self, copy: _Copy, progress: int) -> None:
        copy.record.status = "replicating"
        copy.record.progress = progress
        if copy.replica is not None:
            copy.replica.status = "protecting"
        tasks.follow_copy(copy.task, copy.record, copy.replica, self._clock.now())

    def _end(self, session: Session, copy: _Copy, at: float) -> None:
        record, replica = copy.record, copy.replica
        script = CopyScript(**record.script)
        record.progress = 100 if script.outcome == "success" else record.progress_at(at)
        record.is_open = False
        record.due_at = None
        record.status = script.outcome
        if script.outcome == "fail":
            record.fail_code, record.fail_reason = script.fail_code, script.fail_reason
        if replica is not None and script.outcome == "success":
            replica.status = "available"
            replica.takes_mb, replica.promised_mb = replica.size_gb * MB_PER_GB, 0
            vault = session.get(Vault, replica.vault_id)
            if vault is not None:
                vault.used_mb += replica.takes_mb
        tasks.follow_copy(copy.task, record, replica, at)
        if replica is not None and script.outcome != "success":
            session.delete(replica)


def read_ahead(session: Session, backup_id: str, destination_vault_id: str) -> None:
    """Read the rows of a future copy with one query, so that the session has them."""
    ids = {"backup": backup_id, "destination": destination_vault_id}
    session.info[_KEPT] = session.execute(_READ_AHEAD, ids).one_or_none()


def _copies(session: Session, which: ColumnElement[bool]) -> list[_Copy]:
    query = (
        select(Record, Backup, Task)
        .join(Task, Task.subject_id == Record.id)
        .outerjoin(Backup, Backup.id == Record.replica_id)
        .where(which)
        .order_by(Record.sequence)
    )
    return [_Copy(record, replica, task) for record, replica, task in session.execute(query)]


def records_of_all(session: Session, backup_ids: list[str]) -> dict[str, list[Record]]:
    """Return the records of some backups, by backup, oldest first."""
    query = select(Record).where(Record.source_backup_id.in_(backup_ids), ~Record.is_hidden)
    found: dict[str, list[Record]] = defaultdict(list)
    for record in session.scalars(query.order_by(Record.sequence)):
        found[record.source_backup_id].append(record)
    return found


def records_of(session: Session, backup_id: str) -> list[Record]:
    """Return a backup's records, oldest first."""
    query = select(Record).where(Record.source_backup_id == backup_id, ~Record.is_hidden)
    return list(session.scalars(query.order_by(Record.sequence)))


def is_being_copied(session: Session, backup_id: str) -> bool:
    """Whether a copy of a backup is running."""
    return any(record.is_open for record in records_of(session, backup_id))


def _is_vault_being_copied(session: Session, vault_id: str) -> bool:
    query = select(Record).where(
        Record.source_vault_id == vault_id, Record.of_whole_vault, Record.is_open
    )
    return session.scalars(query).first() is not None


def is_vault_in_use(session: Session, vault_id: str) -> bool:
    """Whether copies from or to a vault are running."""
    outward = select(Record).where(Record.is_open, Record.source_vault_id == vault_id)
    return session.scalars(outward).first() is not None or promised_mb(session, vault_id) > 0


def promised_mb(session: Session, vault_id: str) -> int:
    """Return the room that a vault reserves for incomplete backups."""
    return session.scalar(_PROMISED, {"vault": vault_id}) or 0
