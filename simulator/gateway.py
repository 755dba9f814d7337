"""What stands before the services: regional addresses, faults, the journal, request ids.

A request may carry the prefix ``/regions/{region}``: then it is for that region's endpoint, where
projects of other regions are refused. Without it the project tells the region.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.cloud import Cloud
from simulator.faults import ConnectionDropped, Fault, take_fault
from simulator.store import JournalRow

_ID = r"(?P<{}>[^/]+)"
_PROJECT = _ID.format("project_id")
_BACKUP = _ID.format("backup_id")
OPERATIONS: tuple[tuple[str, str, str], ...] = (
    ("CreateToken", "POST", r"/v3/auth/tokens"),
    ("ShowToken", "GET", r"/v3/auth/tokens"),
    ("ListProjects", "GET", r"/v3/projects"),
    ("ListAuthProjects", "GET", r"/v3/auth/projects"),
    ("CopyBackup", "POST", rf"/v3/{_PROJECT}/backups/{_BACKUP}/replicate"),
    ("ShowBackup", "GET", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("UpdateBackup", "PUT", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("DeleteBackup", "DELETE", rf"/v3/{_PROJECT}/backups/{_BACKUP}"),
    ("ListBackups", "GET", rf"/v3/{_PROJECT}/backups"),
    ("ListExternalVault", "GET", rf"/v3/{_PROJECT}/vaults/external"),
    ("ShowVault", "GET", rf"/v3/{_PROJECT}/vaults/[^/]+"),
    ("ListVault", "GET", rf"/v3/{_PROJECT}/vaults"),
    ("ShowReplicationCapabilities", "GET", rf"/v3/{_PROJECT}/replication-capabilities"),
    ("ShowOpLog", "GET", rf"/v3/{_PROJECT}/operation-logs/[^/]+"),
    ("ListOpLogs", "GET", rf"/v3/{_PROJECT}/operation-logs"),
)
_COMPILED = tuple((name, method, re.compile(pattern)) for name, method, pattern in OPERATIONS)


@dataclass
class Answer:
    """A whole answer, caught before it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Gateway:
    """ASGI middleware around the services."""

    def __init__(self, services: ASGIApp, cloud: Cloud) -> None:
        self._services = services
        self._cloud = cloud
        self.released = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http" or scope["path"].startswith("/_simulator"):
            await self._services(scope, receive, send)
            return
        body = await _read(receive)
        scope = self._to_region(scope)
        request = self._describe(scope, body)
        with self._cloud.session() as session:
            fault = take_fault(session, request)
        try:
            answer = await self._serve(scope, body, fault)
        except ConnectionDropped:
            self._note(request, None, fault)
            await _drop(scope)
            return
        self._note(request, answer.status, fault)
        if fault and fault.action == "exit_after":
            os._exit(137)
        cut = fault.bytes if fault and fault.action == "truncate_after" else None
        await _send(answer, send, scope, cut)

    async def _serve(self, scope: Scope, body: bytes, fault: Fault | None) -> Answer:
        action = fault.action if fault else "pass"
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if action == "hold_before":
            await self._hold()
        if action == "exit_before":
            os._exit(137)
        if action == "drop_before":
            raise ConnectionDropped
        if fault and action == "respond":
            return _scripted(fault)
        answer = await _call(self._services, scope, body)
        if action == "hold_after":
            await self._hold()
        if action == "drop_after":
            raise ConnectionDropped
        if fault and action == "respond_after":
            return _scripted(fault)
        return answer

    async def _hold(self) -> None:
        self.released.clear()
        await self.released.wait()

    def _to_region(self, scope: Scope) -> Scope:
        match = re.match(r"/regions/([^/]+)(/.*)", scope["path"])
        region, path = (match[1], match[2]) if match else (None, scope["path"])
        inner = dict(scope)
        inner.update(path=path, raw_path=path.encode())
        inner["state"] = {**scope.get("state", {}), "region": region}
        return inner

    def _describe(self, scope: Scope, body: bytes) -> dict[str, Any]:
        path, method = scope["path"], scope["method"]
        operation, ids = None, {}
        for name, wanted, pattern in _COMPILED:
            match = pattern.fullmatch(path)
            if match and method == wanted:
                operation, ids = name, match.groupdict()
                break
        project_id = ids.get("project_id")
        prefix = scope["state"]["region"]
        region = prefix or self._cloud.project_regions.get(project_id or "")
        return {
            "time": self._cloud.clock.now(),
            "method": method,
            "path": path,
            "query": unquote(scope["query_string"].decode()),
            "operation": operation,
            "region": region,
            "has_region_prefix": prefix is not None,
            "project_id": project_id,
            "backup_id": ids.get("backup_id"),
            "headers": sorted({key.decode().lower() for key, _ in scope["headers"]}),
            "body": _without_password(body),
        }

    def _note(self, request: dict[str, Any], status: int | None, fault: Fault | None) -> None:
        with self._cloud.session() as session:
            entry = {**request, "status": status, "fault": fault.action if fault else None}
            session.add(JournalRow(entry=entry))


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def _call(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    answer = Answer(500, [], b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
            answer.headers = [(bytes(key), bytes(value)) for key, value in message["headers"]]
        else:
            answer.body += message.get("body", b"")

    await app(scope, receive, send)
    return answer


def _scripted(fault: Fault) -> Answer:
    text = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    kind = "text/html" if isinstance(fault.body, str) else "application/json"
    headers = {"content-type": kind, **{key.lower(): value for key, value in fault.headers.items()}}
    body = text.encode()
    pairs = [(key.encode(), value.encode()) for key, value in headers.items()]
    return Answer(fault.status, [*pairs, (b"content-length", str(len(body)).encode())], body)


async def _send(answer: Answer, send: Send, scope: Scope, cut: int | None) -> None:
    names = {key.lower() for key, _ in answer.headers}
    headers = answer.headers
    if b"x-request-id" not in names:
        headers = [*headers, (b"x-request-id", uuid.uuid4().hex.encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if cut is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    await send({"type": "http.response.body", "body": answer.body[:cut], "more_body": True})
    await _drop(scope)


async def _drop(scope: Scope) -> None:
    """Break the connection; under uvicorn for real, else by an exception."""
    abort = scope.get("extensions", {}).get("simulator.abort")
    if abort is None:
        raise ConnectionDropped
    # What was written so far has to leave before the connection is cut.
    await asyncio.sleep(0.05)
    abort()


def _without_password(body: bytes) -> Any:
    try:
        document = json.loads(body) if body else None
    except ValueError:
        return None
    try:
        document["auth"]["identity"]["password"]["user"]["password"] = "[hidden]"
    except (KeyError, TypeError):
        return document
    return document
