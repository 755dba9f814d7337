"""The simulator's state in SQLite: it survives kill -9, and any tool can open it."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import JSON, Engine, Index, create_engine, event, func, select
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute, Mapped, Session, mapped_column
from sqlalchemy.pool import StaticPool

LAST_NUMBERS = "last_numbers"
"""The key of a session's last assigned number."""


class Row(DeclarativeBase):
    """Base of all tables."""

    type_annotation_map: ClassVar[dict[Any, Any]] = {dict[str, Any]: JSON, list[str]: JSON}


class Meta(Row):
    """Facts about the state itself."""

    __tablename__ = "meta"

    key: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class Token(Row):
    """A token that IAM issued, by its digest; `region` is None if it is valid in all."""

    __tablename__ = "tokens"

    digest: Mapped[str] = mapped_column(primary_key=True)
    project_id: Mapped[str | None]
    region: Mapped[str | None]
    expires_at: Mapped[float]
    body: Mapped[dict[str, Any]]


class FailedSignIns(Row):
    """The number of a user's wrong passwords in a row."""

    __tablename__ = "failed_sign_ins"

    account: Mapped[str] = mapped_column(primary_key=True)
    user: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[float]


class FailedSignatures(Row):
    """The number of an access key's wrong signatures in a row."""

    __tablename__ = "failed_signatures"

    access_key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    last_at: Mapped[float]


class Vault(Row):
    """A vault.

    `settings` is what only the API shows, and nothing else here uses (`cloud.rules.vaults`).
    `delete_at` is when a running deletion ends.
    """

    __tablename__ = "vaults"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    region: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    protect_type: Mapped[str]
    object_type: Mapped[str]
    size_gb: Mapped[int]
    used_mb: Mapped[int]
    status: Mapped[str]
    created_at: Mapped[float]
    settings: Mapped[dict[str, Any]]
    delete_at: Mapped[float | None]


class Removal(Row):
    """A resource that is leaving its vault: until then its backups there are being deleted."""

    __tablename__ = "removals"

    vault_id: Mapped[str] = mapped_column(primary_key=True)
    resource_id: Mapped[str] = mapped_column(primary_key=True)
    remove_at: Mapped[float] = mapped_column(index=True)


class Backup(Row):
    """A backup or a replica.

    `takes_mb` is its share of its vault's `used_mb`. `promised_mb` is the room that its vault
    reserves while it is incomplete. `made_at` is when an incomplete backup is complete, `delete_at`
    when a running deletion ends.
    """

    __tablename__ = "backups"
    # Both columns in one index: the sum over a vault reads nothing else.
    __table_args__ = (Index("ix_backups_promises", "vault_id", "promised_mb"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    name: Mapped[str]
    description: Mapped[str | None]
    region: Mapped[str]
    project_id: Mapped[str] = mapped_column(index=True)
    vault_id: Mapped[str]
    checkpoint_id: Mapped[str]
    image_type: Mapped[str]
    status: Mapped[str]
    resource_id: Mapped[str]
    resource_name: Mapped[str]
    resource_type: Mapped[str]
    size_gb: Mapped[int]
    takes_mb: Mapped[int]
    promised_mb: Mapped[int] = mapped_column(default=0)
    contain_system_disk: Mapped[bool]
    auto_trigger: Mapped[bool]
    created_at: Mapped[float]
    updated_at: Mapped[float | None]
    expired_at: Mapped[float | None]
    copy_script: Mapped[dict[str, Any] | None]
    made_at: Mapped[float | None] = mapped_column(index=True)
    delete_at: Mapped[float | None] = mapped_column(index=True)


class Record(Row):
    """A replication record.

    `is_open` until the copy has ended. An `is_hidden` record is not listed, while a running copy
    continues. A copy by time lasts `lasts_s`, and its status changes at `due_at`; both are None for
    others.
    """

    __tablename__ = "records"

    id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    source_backup_id: Mapped[str] = mapped_column(index=True)
    source_project_id: Mapped[str]
    source_region: Mapped[str]
    source_checkpoint_id: Mapped[str]
    source_vault_id: Mapped[str]
    destination_project_id: Mapped[str]
    destination_region: Mapped[str]
    destination_vault_id: Mapped[str]
    replica_id: Mapped[str]
    replica_checkpoint_id: Mapped[str]
    created_at: Mapped[float]
    status: Mapped[str]
    progress: Mapped[int]
    reads: Mapped[int]
    is_open: Mapped[bool] = mapped_column(index=True)
    is_hidden: Mapped[bool] = mapped_column(default=False)
    of_whole_vault: Mapped[bool]
    auto_trigger: Mapped[bool]
    script: Mapped[dict[str, Any]]
    lasts_s: Mapped[float | None]
    due_at: Mapped[float | None] = mapped_column(index=True)
    fail_code: Mapped[str]
    fail_reason: Mapped[str]

    def progress_at(self, now: float) -> int:
        """Return the progress; for a copy by time it is calculated, not stored."""
        if self.is_open and self.lasts_s and self.status == "replicating":
            return min(99, int((now - self.created_at) / self.lasts_s * 100))
        return self.progress


class Policy(Row):
    """A policy; nothing runs it. `definition` and `patterns` are as given."""

    __tablename__ = "policies"

    id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    project_id: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    operation_type: Mapped[str]
    enabled: Mapped[bool]
    definition: Mapped[dict[str, Any]]
    patterns: Mapped[list[str]]
    created_at: Mapped[float]


class Association(Row):
    """A policy of a vault: at most one of each type."""

    __tablename__ = "associations"

    vault_id: Mapped[str] = mapped_column(primary_key=True)
    operation_type: Mapped[str] = mapped_column(primary_key=True)
    policy_id: Mapped[str] = mapped_column(index=True)
    destination_vault_id: Mapped[str | None]


class Task(Row):
    """An entry of the operation log; it outlives its subject (`subject_id`)."""

    __tablename__ = "tasks"

    id: Mapped[str] = mapped_column(primary_key=True)
    sequence: Mapped[int] = mapped_column(index=True)
    subject_id: Mapped[str] = mapped_column(index=True)
    project_id: Mapped[str] = mapped_column(index=True)
    operation_type: Mapped[str]
    provider_id: Mapped[str]
    resource_id: Mapped[str]
    resource_name: Mapped[str]
    resource_type: Mapped[str]
    checkpoint_id: Mapped[str | None]
    vault_id: Mapped[str]
    vault_name: Mapped[str]
    status: Mapped[str]
    progress: Mapped[int] = mapped_column(default=0)
    error_code: Mapped[str] = mapped_column(default="")
    error_message: Mapped[str] = mapped_column(default="")
    created_at: Mapped[float]
    updated_at: Mapped[float]
    ended_at: Mapped[float | None]
    details: Mapped[dict[str, Any]]


class FaultRow(Row):
    """A scripted fault; faults are tried in this order."""

    __tablename__ = "faults"

    sequence: Mapped[int] = mapped_column(primary_key=True)
    rule: Mapped[dict[str, Any]]
    to_skip: Mapped[int]
    times_left: Mapped[int]


class JournalRow(Row):
    """One request as it arrived; no token, no password."""

    __tablename__ = "journal"

    sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    operation: Mapped[str | None] = mapped_column(index=True)
    method: Mapped[str]
    backup_id: Mapped[str | None] = mapped_column(index=True)
    entry: Mapped[dict[str, Any]]


def open_store(path: Path | None, content: bytes | None = None) -> Engine:
    """Open a state file, or a state in memory, and create missing tables.

    A state in memory may begin with the `content_of` another.

    Raises:
        sqlalchemy.exc.DatabaseError: the file cannot be opened, or is no SQLite database.
    """
    if path is None:
        engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        if content is not None:
            _raw(engine).deserialize(content)
            return engine
    else:
        engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False})

        @event.listens_for(engine, "connect")
        def _tune(connection: Any, _: Any) -> None:
            # With a write-ahead log, a killed process loses nothing that it had answered. A machine
            # that loses its power may; no request waits for the disk.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")

    try:
        Row.metadata.create_all(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine


def content_of(engine: Engine) -> bytes:
    """Return the content of a state in memory."""
    return _raw(engine).serialize()


def _raw(engine: Engine) -> sqlite3.Connection:
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        raise TypeError("want a state in memory")
    return driver


def empty_store(engine: Engine) -> None:
    """Remove every row of a state, in one transaction."""
    with engine.begin() as connection:
        for table in Row.metadata.sorted_tables:
            connection.execute(table.delete())


def next_sequence(session: Session, column: InstrumentedAttribute[int]) -> int:
    """Return the next number; the sessions of a cloud share the last one."""
    last: dict[Any, int] = session.info[LAST_NUMBERS]
    if column not in last:
        last[column] = int(session.scalar(select(func.max(column))) or 0)
    last[column] += 1
    return last[column]


def digest_of(token: str) -> str:
    """Return the digest of a token: it identifies the token, but cannot be used."""
    return hashlib.sha256(token.encode()).hexdigest()
