"""The layer in front of the services: regional addresses, faults, the journal, request ids.

A request with the prefix ``/regions/{region}`` is for that region's endpoint, which refuses
projects of other regions. Without it, the project determines the region.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import time
import uuid
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulator.cloud.cloud import Cloud, CloudGoneError
from simulator.cloud.errors import RefusalError, not_modelled
from simulator.cloud.faults import ConnectionDroppedError, Fault
from simulator.cloud.operations import NOT_MODELLED
from simulator.http import journal
from simulator.http.protocol import CUT
from simulator.http.services import CONTROL, refuse

KILLED = 137
"""The exit code of a process that a fault ends, as after kill -9."""


@dataclass
class Answer:
    """A complete answer, captured before it is sent."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Gateway:
    """ASGI middleware around the services, for one cloud at a time."""

    def __init__(self, services: ASGIApp, cloud: Cloud) -> None:
        self.cloud = cloud
        self._services = services
        self._beginning = cloud.beginning
        self._held: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http":
            scope = self._to_region(scope)
        if scope["type"] != "http" or scope["path"].startswith(CONTROL):
            await self._services(scope, receive, send)
            return
        try:
            await self._pass_on(scope, receive, send)
        except CloudGoneError:
            await _drop(scope)

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        # The cloud that received the request. While the request waits, another may replace it.
        cloud = _cloud_of(scope)
        body = await _read(receive)
        request = journal.describe(scope, body, cloud)
        fault = _fault_for(cloud, request)
        action = fault.action if fault else None
        # Half of it before the request and half after it, and processing counts as part of the
        # latter. So even many parallel requests each take no longer than configured.
        latency_s = cloud.options.latency_ms / 1000
        due_at = time.monotonic() + latency_s
        await asyncio.sleep(latency_s / 2)
        try:
            answer = await self._serve(scope, body, request, fault)
        except ConnectionDroppedError:
            journal.note(cloud, request, None, action)
            await _drop(scope)
            return
        is_exit = action in ("exit_before", "exit_after")
        journal.note(cloud, request, None if is_exit else answer.status, action)
        if is_exit:
            _exit(scope)
        await asyncio.sleep(max(0.0, due_at - time.monotonic()))
        cut = fault.bytes if fault and action == "truncate_after" else None
        await _send(answer, send, scope, cut)

    def release(self) -> None:
        """Release all held requests; may be called from another thread than theirs."""
        held, self._held = self._held, []
        for loop, event in held:
            loop.call_soon_threadsafe(event.set)

    def begin_again(self, **changes: Any) -> None:
        """Restore the initial state, except for changes of a `Beginning`.

        Running requests end without an answer, and change nothing in the new state.
        """
        self.cloud = self.cloud.begin_again(replace(self._beginning, **changes))
        self.release()

    def close(self) -> None:
        """Close the state."""
        self.cloud.close()

    async def _serve(
        self, scope: Scope, body: bytes, request: dict[str, Any], fault: Fault | None
    ) -> Answer:
        if fault is None:
            return await self._carry_out(scope, body, request)
        await asyncio.sleep(fault.delay_s)
        if fault.action == "hold_before":
            await self._hold(_cloud_of(scope))
        if fault.action == "drop_before":
            raise ConnectionDroppedError
        if fault.action in ("respond", "exit_before"):
            return _scripted(fault)
        answer = await self._carry_out(scope, body, request)
        if fault.action == "hold_after":
            await self._hold(_cloud_of(scope))
        if fault.action == "drop_after":
            raise ConnectionDroppedError
        return _scripted(fault) if fault.action == "respond_after" else answer

    async def _carry_out(self, scope: Scope, body: bytes, request: dict[str, Any]) -> Answer:
        cloud = _cloud_of(scope)
        cloud.require_present()
        try:
            if request["operation"] in NOT_MODELLED:
                raise not_modelled(request["operation"])
            cloud.throttle.let_through(request, cloud.options)
        except RefusalError as refusal:
            refused = refuse(refusal)
            return Answer(refused.status_code, refused.raw_headers, bytes(refused.body))
        return await call(self._services, scope, body)

    async def _hold(self, cloud: Cloud) -> None:
        cloud.require_present()
        event = asyncio.Event()
        self._held.append((asyncio.get_running_loop(), event))
        await event.wait()

    def _to_region(self, scope: Scope) -> Scope:
        match = re.match(r"/regions/([^/]+)(/.*)", scope["path"])
        region, path = (match[1], match[2]) if match else (None, scope["path"])
        if region is not None and region not in self.cloud.project_regions.values():
            region, path = None, scope["path"]  # No such host.
        inner = dict(scope)
        inner.update(path=path, raw_path=path.encode())
        here = {
            "region": region,
            "raw_path": scope["raw_path"].decode("latin-1"),
            "cloud": self.cloud,
            "begin_again": self.begin_again,
            "release": self.release,
            "held": lambda: len(self._held),
        }
        inner["state"] = {**scope.get("state", {}), **here}
        return inner


def _cloud_of(scope: Scope) -> Cloud:
    cloud: Cloud = scope["state"]["cloud"]
    return cloud


def _fault_for(cloud: Cloud, request: dict[str, Any]) -> Fault | None:
    if not cloud.faults.may_wait:
        return None
    with cloud.books() as session:
        return cloud.faults.take(session, request)


async def _read(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(chunks)


async def call(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Return the complete answer of an application to one request."""
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
    headers: dict[str, Any] = {"content-type": kind}
    headers |= {key.lower(): value for key, value in fault.headers.items()}
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
    """Break the connection: a real one if there is one, otherwise by an exception."""
    cut = scope.get("extensions", {}).get(CUT)
    if cut is None:
        raise ConnectionDroppedError
    await cut()


def _exit(scope: Scope) -> NoReturn:
    """End the process like a crash: nothing is closed, nothing is printed."""
    if CUT not in scope.get("extensions", {}):
        raise RuntimeError("exit_before and exit_after want a simulator in a process of its own")
    os._exit(KILLED)
