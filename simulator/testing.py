"""For tests and demos: a simulator in its own process, or in this one without sockets."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from simulator.cloud.clock import VirtualClock
from simulator.cloud.cloud import Cloud
from simulator.cloud.faults import ConnectionDroppedError, Fault
from simulator.http.app import make_app
from simulator.http.gateway import Answer, Gateway, call
from simulator.worlds.files import World, load_world

DEMO_WORLD = Path(__file__).parent / "worlds" / "demo.yaml"
START_LIMIT_S = 60.0
ROOT = Path(__file__).resolve().parent.parent


class Control:
    """The control routes, typed; `client` connects to the simulator."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        response = self._client.request(method, f"/_simulator{path}", **options)
        if response.is_error:
            raise AssertionError(f"{method} {path}: {response.status_code} {response.text}")
        return response.json()

    def state(self) -> dict[str, list[dict[str, Any]]]:
        """Return the current backups, replicas, records and vaults."""
        shown: dict[str, list[dict[str, Any]]] = self._ask("GET", "/state")
        return shown

    def replicas(self) -> list[dict[str, Any]]:
        """Return all replicas, including those being copied or deleted."""
        return self.state()["replicas"]

    def records(self) -> list[dict[str, Any]]:
        """Return all replication records."""
        return self.state()["records"]

    def journal(self, **filters: Any) -> list[dict[str, Any]]:
        """Return the logged requests; filters: operation, method, backup_id, since."""
        entries: list[dict[str, Any]] = self._ask("GET", "/journal", params=filters)
        return entries

    def journal_counts(self, since: int = 0) -> dict[str, int]:
        """Return the number of logged requests, by operation; "" is none of the references'."""
        counts: dict[str, int] = self._ask("GET", "/journal/counts", params={"since": since})
        return counts

    def clear_journal(self) -> None:
        """Clear the journal."""
        self._ask("DELETE", "/journal")

    def fault(self, **rule: Any) -> None:
        """Script one fault; see `simulator.cloud.faults.Fault`."""
        fault = Fault(**rule)
        self._ask("POST", "/faults", json=[fault.model_dump()])

    def waiting_faults(self) -> list[dict[str, Any]]:
        """Return the faults that have not applied yet."""
        waiting: list[dict[str, Any]] = self._ask("GET", "/faults")
        return waiting

    def drop_faults(self) -> None:
        """Remove the faults that have not applied yet."""
        self._ask("DELETE", "/faults")

    def describe(self) -> dict[str, Any]:
        """Return the OpenAPI document of the services."""
        described: dict[str, Any] = self._ask("GET", "/openapi.json")
        return described

    def advance(self, seconds: float) -> None:
        """Advance the clock."""
        self._ask("POST", "/clock", json={"seconds": seconds})

    def change_options(self, **change: Any) -> None:
        """Change latency_ms, rate_limit (None: no limit) or operation_limits (by operation).

        They hold until the process ends.
        """
        self._ask("PATCH", "/options", json=change)

    def release(self) -> None:
        """Release the requests that a fault holds."""
        self._ask("POST", "/release")

    def held(self) -> int:
        """Return how many requests a fault currently holds."""
        count: int = self._ask("GET", "/held")["held"]
        return count

    def forget_backup(self, backup_id: str) -> None:
        """Remove a backup or replica immediately."""
        self._ask("DELETE", f"/backups/{backup_id}")

    def change_backup(self, backup_id: str, **change: Any) -> None:
        """Change name, status, expired_at or the copy script (``copy``) of a backup."""
        self._ask("PATCH", f"/backups/{backup_id}", json=change)

    def change_vault(self, vault_id: str, **change: Any) -> None:
        """Change status, size_gb or used_mb of a vault."""
        self._ask("PATCH", f"/vaults/{vault_id}", json=change)

    def forget_vault(self, vault_id: str) -> None:
        """Remove a vault with its content."""
        self._ask("DELETE", f"/vaults/{vault_id}")

    def change_record(self, record_id: str, **change: Any) -> None:
        """Change the status or the copy script (``copy``) of a record."""
        self._ask("PATCH", f"/records/{record_id}", json=change)

    def forget_record(self, record_id: str) -> None:
        """Remove a record; the replica stays."""
        self._ask("DELETE", f"/records/{record_id}")

    def reset(
        self,
        world: World | None = None,
        speed: float | None = None,
        latency_ms: float | None = None,
    ) -> None:
        """Restore the initial state; arguments replace what the simulator started with."""
        wanted: dict[str, Any] = {"speed": speed, "latency_ms": latency_ms}
        wanted["world"] = None if world is None else world.model_dump(mode="json", by_alias=True)
        self._ask("POST", "/reset", json=wanted)

    def expire_tokens(self) -> None:
        """Expire all tokens."""
        self._ask("POST", "/tokens/expire")


class Running(Protocol):
    """The methods of `subprocess.Popen` that a simulator's process needs."""

    @property
    def pid(self) -> int:
        """The process's id."""

    def poll(self) -> int | None:
        """Return the exit code, if it has ended."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end, and return the exit code."""

    def send_signal(self, number: signal.Signals, /) -> None:
        """Send it a signal."""

    def kill(self) -> None:
        """Kill it immediately."""


class SimulatorProcess:
    """A simulator in a process of its own; a context manager.

    Args:
        directory: the folder of state, port file and log.
        world: a file, or a world; default: the demo world.
        speed: copies, backups and deletions are this many times faster.
        latency_ms: each API call takes that much longer; default: what the world says.
    """

    def __init__(
        self,
        directory: Path,
        world: World | Path = DEMO_WORLD,
        speed: float = 1.0,
        latency_ms: float | None = None,
    ) -> None:
        self.directory = directory
        self.world = self._file_of(world)
        self.speed = speed
        self.latency_ms = latency_ms
        self.state_file = directory / "simulator.sqlite"
        self.log_file = directory / "simulator.log"
        self._port_file = directory / "simulator.port"
        self._port = 0
        self._process: Running | None = None
        self._client: httpx.Client | None = None
        self._started_with: tuple[Path, float, float | None] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The address."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def control(self) -> Control:
        """The control routes."""
        if self._client is None:
            raise RuntimeError("the simulator is not running")
        return Control(self._client)

    @property
    def pid(self) -> int:
        """The process, while it runs."""
        if self._process is None:
            raise RuntimeError("the simulator is not running")
        return self._process.pid

    def start(self) -> None:
        """Start on the last port, if there was one, and wait until it is ready."""
        self._port_file.unlink(missing_ok=True)
        arguments = ["--port", str(self._port), "--world", str(self.world)]
        arguments += ["--state", str(self.state_file), "--speed", str(self.speed)]
        arguments += ["--port-file", str(self._port_file)]
        if self.latency_ms is not None:
            arguments += ["--latency-ms", str(self.latency_ms)]
        self._started_with = (self.world, self.speed, self.latency_ms)
        self._process = self._spawn(arguments)
        deadline = time.monotonic() + START_LIMIT_S
        while not self._port_file.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the simulator did not start: {self.log_file.read_text()}")
            time.sleep(0.02)
        self._port = int(self._port_file.read_text())
        self._client = httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def reset(
        self,
        world: World | Path = DEMO_WORLD,
        speed: float = 1.0,
        latency_ms: float | None = None,
    ) -> None:
        """Restore the state of a new simulator with these arguments; the port stays.

        It starts if it is not running. This is much cheaper than a process for each test. Make sure
        first that no client still sends requests.
        """
        self.world = self._file_of(world)
        self.speed, self.latency_ms = speed, latency_ms
        wanted = (self.world, speed, latency_ms)
        if self._process is None:
            self._start_anew()
            return
        try:
            if isinstance(world, Path) and wanted == self._started_with:
                self.control.reset()
                return
            read = _copy_of(world) if isinstance(world, Path) else world
            chosen_ms = read.options.latency_ms if latency_ms is None else latency_ms
            self.control.reset(read, speed, chosen_ms)
        except httpx.TransportError:
            # A scripted fault has ended it, or will. One that keeps running has a bug.
            self.wait_for_exit()
            self._start_anew()

    def stop(self) -> None:
        """Stop it cleanly; kill it if it does not stop."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it immediately, like a crash."""
        self._end(signal.SIGKILL)

    def wait_for_exit(self, limit_s: float = 30.0) -> int:
        """Wait until it has ended itself, and return its exit code."""
        if self._process is None:
            raise RuntimeError("the simulator is not running")
        code = self._process.wait(limit_s)
        self._end(signal.SIGKILL)
        return code

    def _spawn(self, arguments: list[str]) -> Running:
        """Start a process with these arguments; its output goes to the log."""
        with self.log_file.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "simulator", *arguments],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
            )

    def _start_anew(self) -> None:
        for file in self.directory.glob(f"{self.state_file.name}*"):
            file.unlink()
        self.start()

    def _file_of(self, world: World | Path) -> Path:
        if isinstance(world, Path):
            return world
        file = self.directory / "world.json"
        file.write_text(world.model_dump_json(by_alias=True), encoding="utf-8")
        return file

    def _end(self, number: signal.Signals) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@functools.cache
def _read_once(file: Path) -> World:
    return load_world(file)


def _copy_of(file: Path) -> World:
    """Return the world of a file; that of the demo is read once."""
    if file == DEMO_WORLD:
        return _read_once(file).model_copy(deep=True)
    return load_world(file)


class SimulatorTransport(httpx.AsyncBaseTransport):
    """Connects to a simulator in this process; a dropped connection is a network error."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._inner = httpx.ASGITransport(simulator.app, raise_app_exceptions=True)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        # On a network, other tasks run before an answer arrives.
        await asyncio.sleep(0)
        try:
            return await self._inner.handle_async_request(request)
        except ConnectionDroppedError as error:
            raise httpx.ReadError("the connection was dropped", request=request) from error


class InProcessSimulator:
    """A simulator in this process, in memory, on a virtual clock."""

    url = "http://simulator.test"

    def __init__(self, world: World | Path = DEMO_WORLD) -> None:
        first = _copy_of(world) if isinstance(world, Path) else world
        self.clock = VirtualClock()
        self.app = make_app(Cloud(first, self.clock, None, speed=1.0))
        self._client = httpx.Client(transport=_SyncTransport(self.app), base_url=self.url)
        self.control = Control(self._client)

    @property
    def cloud(self) -> Cloud:
        """The current cloud; after a reset it is another one."""
        return self.app.cloud

    @property
    def world(self) -> World:
        """The initial state, with the current options."""
        return self.cloud.world

    def transport(self) -> httpx.AsyncBaseTransport:
        """Return a transport for `httpx.AsyncClient`."""
        return SimulatorTransport(self)

    def close(self) -> None:
        """Forget everything."""
        self._client.close()
        self.app.close()


class _SyncTransport(httpx.BaseTransport):
    """Calls the control routes from synchronous code, without an event loop: none waits."""

    def __init__(self, app: Gateway) -> None:
        self._app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path.partition(b"?")[0],
            "query_string": request.url.query,
            "headers": [(key.lower(), value) for key, value in request.headers.raw],
            "scheme": "http",
            "http_version": "1.1",
            "root_path": "",
            "server": (request.url.host, 80),
            "client": ("127.0.0.1", 1),
        }
        asking = call(self._app, scope, request.read())
        try:
            asking.send(None)
        except StopIteration as ended:
            answer: Answer = ended.value
        else:
            raise RuntimeError(f"{request.url.path}: a control route waits")
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
