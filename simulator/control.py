"""The control routes under ``/_simulator/``: what a test or a demo does behind the cloud's back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, select

from simulator.clock import cbr_time, parse_time
from simulator.cloud import Cloud
from simulator.faults import Fault, add_faults
from simulator.store import Backup, FaultRow, JournalRow, Record, Token, Vault
from simulator.wire import backup_body, record_body, vault_body
from simulator.world import CopyScript


class BackupChange(BaseModel):
    """What may be changed of a backup; fields that are left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    status: str | None = None
    expired_at: str | None = None
    copy_script: CopyScript | None = Field(None, alias="copy")


class VaultChange(BaseModel):
    """What may be changed of a vault; fields that are left out stay."""

    model_config = ConfigDict(extra="forbid")

    status: str | None = None
    size_gb: int | None = Field(None, ge=1)
    used_mb: int | None = Field(None, ge=0)


class RecordChange(BaseModel):
    """What may be changed of a replication record; `status` also takes unknown ones."""

    model_config = ConfigDict(extra="forbid")

    status: str | None = None
    copy_script: CopyScript | None = Field(None, alias="copy")


class Advance(BaseModel):
    """How far to push the clock."""

    model_config = ConfigDict(extra="forbid")

    seconds: float = Field(ge=0)


def make_control(cloud: Cloud, release: Callable[[], None]) -> APIRouter:
    """Return the control routes; `release` lets held requests go on."""
    control = APIRouter(prefix="/_simulator")

    @control.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ready"}

    @control.post("/clock")
    async def advance(by: Advance) -> dict[str, str | None]:
        cloud.clock.advance(by.seconds)
        return {"now": cbr_time(cloud.clock.now())}

    @control.post("/release")
    async def let_go() -> dict[str, bool]:
        release()
        return {"released": True}

    @control.post("/faults")
    async def script_faults(faults: list[Fault]) -> dict[str, int]:
        with cloud.session() as session:
            add_faults(session, faults)
        return {"added": len(faults)}

    @control.get("/faults")
    async def waiting_faults() -> list[dict[str, Any]]:
        with cloud.session() as session:
            rows = session.scalars(select(FaultRow).order_by(FaultRow.sequence))
            return [{**row.rule, "skip": row.to_skip, "times": row.times_left} for row in rows]

    @control.delete("/faults")
    async def drop_faults() -> dict[str, bool]:
        with cloud.session() as session:
            session.execute(delete(FaultRow))
        return {"dropped": True}

    @control.get("/journal")
    async def journal(
        operation: str | None = None,
        method: str | None = None,
        backup_id: str | None = None,
        since: int = 0,
    ) -> list[dict[str, Any]]:
        wanted = {"operation": operation, "method": method, "backup_id": backup_id}
        given = {key: value for key, value in wanted.items() if value is not None}
        with cloud.session() as session:
            query = select(JournalRow).where(JournalRow.sequence > since)
            rows = session.scalars(query.order_by(JournalRow.sequence))
            entries = [{"sequence": row.sequence, **row.entry} for row in rows]
        return [
            entry for entry in entries if all(entry[key] == value for key, value in given.items())
        ]

    @control.delete("/journal")
    async def clear_journal() -> dict[str, bool]:
        with cloud.session() as session:
            session.execute(delete(JournalRow))
        return {"cleared": True}

    @control.get("/state")
    async def state() -> dict[str, list[dict[str, Any]]]:
        with cloud.session() as session:
            backups = list(session.scalars(select(Backup).order_by(Backup.sequence)))
            shown = [
                {"region": row.region, **backup_body(row, None, early_ids=True)} for row in backups
            ]
            records = session.scalars(select(Record).order_by(Record.sequence))
            return {
                "backups": [row for row in shown if row["image_type"] == "backup"],
                "replicas": [row for row in shown if row["image_type"] == "replication"],
                "records": [record_body(record, early_ids=True) for record in records],
                "vaults": [
                    {"region": row.region, **vault_body(row)}
                    for row in session.scalars(select(Vault).order_by(Vault.name))
                ],
            }

    _add_changes(control, cloud)
    return control


def _add_changes(control: APIRouter, cloud: Cloud) -> None:
    @control.delete("/backups/{backup_id}")
    async def forget_backup(backup_id: str) -> dict[str, bool]:
        with cloud.session() as session:
            backup = session.get(Backup, backup_id)
            if backup is None:
                raise HTTPException(404, f"no backup ({backup_id})")
            cloud.forget(session, backup)
        return {"gone": True}

    @control.patch("/backups/{backup_id}")
    async def change_backup(backup_id: str, change: BackupChange) -> dict[str, bool]:
        with cloud.session() as session:
            backup = session.get(Backup, backup_id)
            if backup is None:
                raise HTTPException(404, f"no backup ({backup_id})")
            if change.name is not None:
                backup.name = change.name
            if change.status is not None:
                backup.status = change.status
            if change.expired_at is not None:
                backup.expired_at = parse_time(change.expired_at)
            if change.copy_script is not None:
                backup.copy_script = change.copy_script.model_dump()
        return {"changed": True}

    @control.patch("/vaults/{vault_id}")
    async def change_vault(vault_id: str, change: VaultChange) -> dict[str, bool]:
        with cloud.session() as session:
            vault = session.get(Vault, vault_id)
            if vault is None:
                raise HTTPException(404, f"no vault ({vault_id})")
            for field, value in change.model_dump(exclude_none=True).items():
                setattr(vault, field, value)
        return {"changed": True}

    @control.delete("/vaults/{vault_id}")
    async def forget_vault(vault_id: str) -> dict[str, bool]:
        with cloud.session() as session:
            vault = session.get(Vault, vault_id)
            if vault is None:
                raise HTTPException(404, f"no vault ({vault_id})")
            for backup in session.scalars(select(Backup).where(Backup.vault_id == vault_id)):
                cloud.forget(session, backup)
            session.delete(vault)
        return {"gone": True}

    @control.patch("/records/{record_id}")
    async def change_record(record_id: str, change: RecordChange) -> dict[str, bool]:
        with cloud.session() as session:
            record = session.get(Record, record_id)
            if record is None:
                raise HTTPException(404, f"no record ({record_id})")
            if change.status is not None:
                record.status = change.status
            if change.copy_script is not None:
                record.script = change.copy_script.model_dump()
        return {"changed": True}

    @control.delete("/records/{record_id}")
    async def forget_record(record_id: str) -> dict[str, bool]:
        with cloud.session() as session:
            record = session.get(Record, record_id)
            if record is None:
                raise HTTPException(404, f"no record ({record_id})")
            session.delete(record)
        return {"gone": True}

    @control.post("/tokens/expire")
    async def expire_tokens() -> dict[str, bool]:
        with cloud.session() as session:
            for token in session.scalars(select(Token)):
                token.expires_at = cloud.clock.now()
        return {"expired": True}
