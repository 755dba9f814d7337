"""Deletions of backups, replicas and vaults, which take a while, and immediate removals."""

from __future__ import annotations

import math

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import Clock
from simulator.cloud.rules import policies, resources, tasks
from simulator.cloud.rules.copies import is_being_copied, is_vault_in_use, records_of
from simulator.cloud.specs import Options
from simulator.cloud.store import Backup, Removal, Vault


class Deletions:
    """The deletions of one cloud."""

    def __init__(self, options: Options, clock: Clock, speed: float) -> None:
        self._options = options
        self._clock = clock
        self._speed = speed
        # Nothing is due before then. A time that is too early, as after an error or at the start,
        # does no harm.
        self._next_at = -math.inf

    def begin(self, session: Session, backup: Backup) -> None:
        """Start to delete a backup, or raise the refusal. A second request changes nothing.

        The reference has no code for a source that is being copied; 6216 is a choice of ours.
        """
        if backup.delete_at is not None:
            return
        if backup.status not in ("available", "error"):
            raise errors.cbr("6201")
        if is_being_copied(session, backup.id):
            raise errors.cbr("6216")
        vault = session.get(Vault, backup.vault_id)
        if vault is not None and vault.status == "deleting":
            raise errors.cbr("6201")
        now = self._clock.now()
        backup.status = "waiting_delete"
        backup.delete_at = now + self._options.deletion_seconds / self._speed
        self._next_at = now  # The next poll sees the deletion.
        tasks.note_deletion(session, backup, now)

    def begin_vault(self, session: Session, vault: Vault) -> None:
        """Start to delete a vault with its content, or raise the refusal.

        The reference has no code for a vault with running copies; 6203, the code for backups that
        are being made, is a choice of ours.
        """
        if vault.delete_at is not None:
            return
        if vault.settings["charging_mode"] == "pre_paid":
            raise errors.cbr("6111")
        if vault.status not in ("available", "error"):
            raise errors.cbr("6112")
        if is_vault_in_use(session, vault.id):
            raise errors.cbr("6203")
        now = self._clock.now()
        vault.status = "deleting"
        vault.delete_at = now + self._options.deletion_seconds / self._speed
        self._next_at = now
        for backup in session.scalars(select(Backup).where(Backup.vault_id == vault.id)):
            if backup.delete_at is None:
                backup.status, backup.delete_at = "waiting_delete", vault.delete_at
                tasks.note_deletion(session, backup, now)

    def begin_removal(self, session: Session, vault: Vault, resource_ids: list[str]) -> None:
        """Start to remove resources from a vault with their backups, or raise the refusal."""
        now = self._clock.now()
        remove_at = now + self._options.deletion_seconds / self._speed
        resources.begin_removal(session, vault, resource_ids, now, remove_at)
        self._next_at = now

    def is_due(self) -> bool:
        """Whether anything may be due. When a backup expires can change at any time."""
        return self._options.expiry == "deletes" or self._clock.now() >= self._next_at

    def go_on(self, session: Session) -> None:
        """Update all deletions to the present."""
        if not self.is_due():
            return
        now = self._clock.now()
        if self._options.expiry == "deletes":
            self._begin_expired(session, now)
        for backup in session.scalars(select(Backup).where(Backup.delete_at <= now)).all():
            tasks.end(session, backup.id, "delete", backup.delete_at or now)
            self.forget(session, backup)
        resources.end_removals(session, now)
        session.execute(delete(Vault).where(Vault.delete_at <= now))
        policies.forget_vaults(session)
        session.execute(
            update(Backup)
            .where(Backup.delete_at.is_not(None))
            .values(status="deleting")
            .execution_options(synchronize_session=False)
        )
        times = (Backup.delete_at, Vault.delete_at, Removal.remove_at)
        ends = [session.scalar(select(func.min(time))) for time in times]
        self._next_at = min((end for end in ends if end is not None), default=math.inf)

    def _begin_expired(self, session: Session, now: float) -> None:
        """Start the deletion of what has expired; a backup that is in use is kept meanwhile."""
        query = select(Backup).where(
            Backup.expired_at <= now,
            Backup.delete_at.is_(None),
            Backup.status.in_(("available", "error")),
        )
        for backup in session.scalars(query).all():
            if is_being_copied(session, backup.id):
                continue
            expired_at = backup.expired_at or now
            backup.status = "waiting_delete"
            backup.delete_at = expired_at + self._options.deletion_seconds / self._speed
            tasks.note_deletion(session, backup, expired_at)
        session.flush()

    def forget(self, session: Session, backup: Backup) -> None:
        """Remove a backup immediately.

        Its records are removed with it. Its replicas stay, and running copies continue unseen.
        """
        vault = session.get(Vault, backup.vault_id)
        if vault is not None:
            vault.used_mb = max(0, vault.used_mb - backup.takes_mb)
        for record in records_of(session, backup.id):
            record.is_hidden = True
        session.delete(backup)
        session.flush()
