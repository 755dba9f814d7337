"""The control routes under ``/_simulator/``: changes by a test or a demo without the API."""

from __future__ import annotations

from typing import Any, TypeVar

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from simulator.cloud.clock import cbr_time, parse_time
from simulator.cloud.faults import Fault
from simulator.cloud.rules import policies
from simulator.cloud.specs import (
    LONGEST_LATENCY_MS,
    CopyScript,
    OperationLimits,
    RateLimit,
    Time,
    World,
)
from simulator.cloud.store import Backup, FaultRow, JournalRow, Record, Row, Vault
from simulator.control import openapi
from simulator.routes.caller import CloudHere
from simulator.routes.wire import backup_body, record_body, vault_body

router = APIRouter()
RowT = TypeVar("RowT", bound=Row)


class Change(BaseModel):
    """The changeable fields of an object; omitted fields stay."""

    model_config = ConfigDict(extra="forbid")


class BackupChange(Change):
    name: str | None = None
    status: str | None = None
    expired_at: Time | None = None
    vault_id: str | None = None
    copy_script: CopyScript | None = Field(None, alias="copy")


class VaultChange(Change):
    status: str | None = None
    size_gb: int | None = Field(None, ge=1)
    used_mb: int | None = Field(None, ge=0)


class RecordChange(Change):
    """The fields of a record; `status` also accepts unknown ones."""

    status: str | None = None
    copy_script: CopyScript | None = Field(None, alias="copy")


class OptionsChange(Change):
    """The world's options for a gateway; without limits (null, none) every call passes."""

    latency_ms: float = Field(0.0, ge=0, le=LONGEST_LATENCY_MS)
    rate_limit: RateLimit | None = None
    operation_limits: OperationLimits = {}


class NewBeginning(Change):
    """The initial state; omitted fields are as when the simulator was started."""

    world: World | None = None
    speed: float | None = Field(None, gt=0, allow_inf_nan=False)
    latency_ms: float | None = Field(None, ge=0, le=LONGEST_LATENCY_MS)


class Advance(Change):
    """By how much the clock is advanced."""

    seconds: float = Field(ge=0, allow_inf_nan=False)


@router.get("/health")
async def health() -> dict[str, str]:
    return {"status": "ready"}


@router.get("/openapi.json")
async def describe(request: Request) -> dict[str, Any]:
    return openapi.document(request.app, request.url.path.removesuffix("/openapi.json"))


@router.post("/reset")
async def reset(request: Request, wanted: NewBeginning) -> dict[str, bool]:
    changes: dict[str, Any] = wanted.model_dump(exclude={"world"}, exclude_none=True)
    if wanted.world is not None:
        changes["world"] = wanted.world.model_dump_json(by_alias=True)
    request.state.begin_again(**changes)
    return {"reset": True}


@router.post("/clock")
async def advance(cloud: CloudHere, by: Advance) -> dict[str, str | None]:
    cloud.clock.advance(by.seconds)
    return {"now": cbr_time(cloud.clock.now())}


@router.patch("/options")
async def change_options(cloud: CloudHere, change: OptionsChange) -> OptionsChange:
    for field in change.model_fields_set:
        setattr(cloud.options, field, getattr(change, field))
    return OptionsChange(
        latency_ms=cloud.options.latency_ms,
        rate_limit=cloud.options.rate_limit,
        operation_limits=cloud.options.operation_limits,
    )


@router.post("/release")
async def release(request: Request) -> dict[str, bool]:
    request.state.release()
    return {"released": True}


@router.get("/held")
async def held(request: Request) -> dict[str, int]:
    return {"held": request.state.held()}


@router.post("/tokens/expire")
async def expire_tokens(cloud: CloudHere) -> dict[str, bool]:
    cloud.expire_tokens()
    return {"expired": True}


# -- faults and the journal ---------------------------------------------------------------------


@router.post("/faults")
async def script_faults(cloud: CloudHere, faults: list[Fault]) -> dict[str, int]:
    with cloud.books() as session:
        cloud.faults.add(session, faults)
    return {"added": len(faults)}


@router.get("/faults")
async def waiting_faults(cloud: CloudHere) -> list[dict[str, Any]]:
    with cloud.books() as session:
        rows = session.scalars(select(FaultRow).order_by(FaultRow.sequence))
        return [{**row.rule, "skip": row.to_skip, "times": row.times_left} for row in rows]


@router.delete("/faults")
async def drop_faults(cloud: CloudHere) -> dict[str, bool]:
    with cloud.books() as session:
        session.execute(delete(FaultRow))
    return {"dropped": True}


@router.get("/journal")
async def journal(
    cloud: CloudHere,
    operation: str | None = None,
    method: str | None = None,
    backup_id: str | None = None,
    since: int = 0,
) -> Response:
    wanted = {"operation": operation, "method": method, "backup_id": backup_id}
    given = {key: value for key, value in wanted.items() if value is not None}
    query = select(JournalRow.sequence, JournalRow.entry).where(JournalRow.sequence > since)
    with cloud.books() as session:
        rows = session.execute(query.filter_by(**given).order_by(JournalRow.sequence))
        return JSONResponse([{"sequence": sequence, **entry} for sequence, entry in rows])


@router.get("/journal/counts")
async def count_journal(cloud: CloudHere, since: int = 0) -> dict[str, int]:
    query = select(JournalRow.operation, func.count()).where(JournalRow.sequence > since)
    with cloud.books() as session:
        rows = session.execute(query.group_by(JournalRow.operation))
        return {operation or "": count for operation, count in rows}


@router.delete("/journal")
async def clear_journal(cloud: CloudHere) -> dict[str, bool]:
    with cloud.books() as session:
        session.execute(delete(JournalRow))
    return {"cleared": True}


# -- objects ------------------------------------------------------------------------------------


@router.get("/state")
async def state(cloud: CloudHere) -> dict[str, list[dict[str, Any]]]:
    with cloud.session() as session:
        backups = list(session.scalars(select(Backup).order_by(Backup.sequence)))
        records = session.scalars(select(Record).where(~Record.is_hidden).order_by(Record.sequence))
        vaults = session.scalars(select(Vault).order_by(Vault.name))
        shown = [{"region": row.region, **backup_body(row)} for row in backups]
        now = cloud.clock.now()
        return {
            "backups": [row for row in shown if row["image_type"] == "backup"],
            "replicas": [row for row in shown if row["image_type"] == "replication"],
            "records": [record_body(record, now, early_ids=True) for record in records],
            "vaults": [{"region": row.region, **vault_body(row)} for row in vaults],
        }


@router.patch("/backups/{backup_id}")
async def change_backup(cloud: CloudHere, backup_id: str, change: BackupChange) -> dict[str, bool]:
    with cloud.session() as session:
        backup = _require(session, Backup, backup_id)
        if change.name is not None:
            backup.name = change.name
        if change.status is not None:
            backup.status = change.status
        if change.expired_at is not None:
            backup.expired_at = parse_time(change.expired_at)
        if change.vault_id is not None:
            backup.vault_id = _require(session, Vault, change.vault_id).id
        if change.copy_script is not None:
            backup.copy_script = change.copy_script.model_dump()
    return {"changed": True}


@router.delete("/backups/{backup_id}")
async def forget_backup(cloud: CloudHere, backup_id: str) -> dict[str, bool]:
    with cloud.session() as session:
        cloud.deletions.forget(session, _require(session, Backup, backup_id))
    return {"gone": True}


@router.patch("/vaults/{vault_id}")
async def change_vault(cloud: CloudHere, vault_id: str, change: VaultChange) -> dict[str, bool]:
    with cloud.session() as session:
        vault = _require(session, Vault, vault_id)
        for field, value in change.model_dump(exclude_none=True).items():
            setattr(vault, field, value)
    return {"changed": True}


@router.delete("/vaults/{vault_id}")
async def forget_vault(cloud: CloudHere, vault_id: str) -> dict[str, bool]:
    with cloud.session() as session:
        vault = _require(session, Vault, vault_id)
        for backup in session.scalars(select(Backup).where(Backup.vault_id == vault_id)):
            cloud.deletions.forget(session, backup)
        session.delete(vault)
        session.flush()
        policies.forget_vaults(session)
    return {"gone": True}


@router.patch("/records/{record_id}")
async def change_record(cloud: CloudHere, record_id: str, change: RecordChange) -> dict[str, bool]:
    with cloud.session() as session:
        record = _require(session, Record, record_id)
        if change.status is not None:
            record.status = change.status
        if change.copy_script is not None:
            cloud.copies.change_script(session, record, change.copy_script)
    return {"changed": True}


@router.delete("/records/{record_id}")
async def forget_record(cloud: CloudHere, record_id: str) -> dict[str, bool]:
    with cloud.session() as session:
        _require(session, Record, record_id).is_hidden = True
    return {"gone": True}


def _require(session: Session, kind: type[RowT], key: str) -> RowT:
    row = session.get(kind, key)
    if row is None or (isinstance(row, Record) and row.is_hidden):
        raise HTTPException(404, f"no {kind.__name__.lower()} ({key})")
    return row
