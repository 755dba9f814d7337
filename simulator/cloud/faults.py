"""Scripted faults: a rule determines exactly which request fails, and nothing is random."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.cloud.operations import PATHS
from simulator.cloud.store import FaultRow, next_sequence


class ConnectionDroppedError(Exception):
    """The connection is to break here. In-process transports turn it into a network error."""


class Fault(BaseModel):
    """A rule: which requests it hits, and what happens to them.

    It passes over the first `skip` requests that match, then hits `times` of them. Matching is by
    `operation` (see `cloud.operations`), `method`, `path` (a regular expression that
    is searched for), `backup_id` and `region`; what is left out matches everything.

    `action` is one of these:

    - ``respond``: with `status`, `headers`, `body`, without carrying the request out
    - ``respond_after``: the same, but the request is carried out
    - ``drop_before``, ``drop_after``: no answer; with the latter the request is carried out
    - ``truncate_after``: the request is carried out, and the answer is cut after `bytes`
    - ``exit_before``, ``exit_after``: the process dies at once
    - ``hold_before``, ``hold_after``: until released by the control route
    - ``pass``: nothing

    `delay_s` waits beforehand, in real seconds.
    """

    model_config = ConfigDict(extra="forbid")

    operation: str | None = None
    method: Literal["GET", "POST", "PUT", "DELETE"] | None = None
    path: str | None = None
    backup_id: str | None = None
    region: str | None = None
    skip: int = Field(0, ge=0)
    times: int = Field(1, ge=1)
    action: Literal[
        "respond",
        "drop_before",
        "drop_after",
        "respond_after",
        "truncate_after",
        "exit_before",
        "exit_after",
        "hold_before",
        "hold_after",
        "pass",
    ] = "pass"
    status: int = Field(503, ge=200, le=599)
    headers: dict[str, str] = {}
    body: Any = ""
    bytes: int = Field(10, ge=0)
    delay_s: float = Field(0.0, ge=0, le=600)

    @field_validator("operation")
    @classmethod
    def _require_known(cls, operation: str | None) -> str | None:
        if operation is not None and operation not in PATHS:
            raise ValueError(f"want one of {', '.join(sorted(PATHS))}")
        return operation

    @field_validator("path")
    @classmethod
    def _require_pattern(cls, path: str | None) -> str | None:
        try:
            re.compile(path or "")
        except re.error as error:
            raise ValueError(f"is not a regular expression: {error}") from error
        return path

    def hits(self, request: dict[str, Any]) -> bool:
        """Whether the rule matches this request, in the journal's terms."""
        exact = ("operation", "method", "backup_id", "region")
        for key in exact:
            wanted = getattr(self, key)
            if wanted is not None and wanted != request.get(key):
                return False
        return self.path is None or re.search(self.path, request["path"]) is not None


class Faults:
    """The faults of one cloud that have not applied yet.

    If none `may_wait`, no request needs to check.
    """

    def __init__(self) -> None:
        self.may_wait = True

    def add(self, session: Session, faults: list[Fault]) -> None:
        """Append rules to the waiting ones."""
        self.may_wait = True
        for number, fault in enumerate(faults, start=next_sequence(session, FaultRow.sequence)):
            session.add(
                FaultRow(
                    sequence=number,
                    rule=fault.model_dump(),
                    to_skip=fault.skip,
                    times_left=fault.times,
                )
            )

    def take(self, session: Session, request: dict[str, Any]) -> Fault | None:
        """Return the fault that applies to this request, and count it as used."""
        rows = session.scalars(select(FaultRow).order_by(FaultRow.sequence)).all()
        self.may_wait = bool(rows)
        for row in rows:
            fault = Fault(**row.rule)
            if not fault.hits(request):
                continue
            if row.to_skip > 0:
                row.to_skip -= 1
                continue
            row.times_left -= 1
            if row.times_left == 0:
                session.delete(row)
            return fault
        return None
