"""The control route that restores the initial state, so that tests can share a process."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from sqlalchemy import Engine, select

from simulator.cloud.specs import Options, World
from simulator.cloud.store import Row
from simulator.testing import InProcessSimulator, SimulatorProcess
from simulator.worlds.fleet import fleet_world
from tests.simulator.rig import (
    LONG_S,
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
    Caller,
    replicate_body,
    sign_in_body,
)

BACKUPS = f"/v3/{SOURCE_PROJECT}/backups"
RATE_LIMIT = {"calls": 1, "seconds": 3600}


def tables_of(simulator: InProcessSimulator) -> dict[str, list[Any]]:
    """Return every row of the state."""
    with simulator.cloud._engine.connect() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in Row.metadata.sorted_tables
        }


def memory_of(value: Any) -> Any:
    """Return everything that a simulator object keeps in memory, in comparable form."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, dict):
        return {str(key): memory_of(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | deque | set):
        return [memory_of(inner) for inner in value]
    if isinstance(value, str | int | float | Path | None):
        return value
    if isinstance(value, Row | Engine) or not type(value).__module__.startswith("simulator."):
        return type(value).__name__
    return {name: memory_of(inner) for name, inner in vars(value).items()}


def policy_body() -> dict[str, Any]:
    """Return the body of CreatePolicy, for replication."""
    return {
        "policy": {
            "name": "nightly",
            "operation_type": "replication",
            "operation_definition": {
                "destination_region": REGION,
                "destination_project_id": PROJECT,
            },
            "trigger": {"properties": {"pattern": ["FREQ=WEEKLY;BYDAY=MO;BYHOUR=14"]}},
        }
    }


async def change_everything(simulator: InProcessSimulator, caller: Caller) -> None:
    """Leave traces in every table and everything in memory."""
    control, call = simulator.control, caller.call
    await caller.begin_copy()
    await call("POST", "/checkpoints", json={"checkpoint": {"vault_id": SOURCE_VAULT}})
    made = (await call("POST", "/policies", json=policy_body())).json()["policy"]["id"]
    applied = {"policy_id": made, "destination_vault_id": VAULT}
    await call("POST", f"/vaults/{SOURCE_VAULT}/associatepolicy", json=applied)
    simulator.clock.advance(LONG_S)
    assert 204 == (await call("DELETE", f"/backups/{SMALL_BACKUP}")).status_code
    bound = {"resources": [{"id": UNKNOWN_ID, "type": "OS::Nova::Server"}]}
    await call("POST", f"/vaults/{SOURCE_VAULT}/addresources", json=bound)
    leaving = {"resource_ids": [UNKNOWN_ID]}
    removed = await call("POST", f"/vaults/{SOURCE_VAULT}/removeresources", json=leaving)
    assert 200 == removed.status_code
    control.change_vault(VAULT, status="lock")
    control.change_backup(SERVER_BACKUP, copy={"mode": "never"})
    await fail_to_sign_in(caller.client, simulator.clock.now())
    control.change_options(
        latency_ms=1, rate_limit=RATE_LIMIT, operation_limits={"ListBackups": {"calls": 9}}
    )
    await caller.call("GET", "/backups")
    control.fault(operation="ListVault", action="respond", status=418)
    simulator.world.options.destination_ids = "early"
    del simulator.world.accounts[0].users[0].access_keys[0]


async def fail_to_sign_in(client: httpx.AsyncClient, now: float) -> None:
    """Send a wrong password and a wrong signature."""
    wrong = sign_in_body(project={"id": SOURCE_PROJECT})
    wrong["auth"]["identity"]["password"]["user"]["password"] = "wrong"
    assert 401 == (await client.post("/v3/auth/tokens", json=wrong)).status_code
    signed = {
        "X-Sdk-Date": datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ"),
        "Authorization": "SDK-HMAC-SHA256 Access=DEMOACCESSKEY0000001, "
        f"SignedHeaders=host;x-sdk-date, Signature={'0' * 64}",
    }
    assert 401 == (await client.get("/v3/projects", headers=signed)).status_code


@pytest.mark.anyio
async def test_reset_leaves_nothing_of_the_old_state(
    simulator: InProcessSimulator, demo_world: World, source: Caller
) -> None:
    """State, clock, faults, journal, throttle, options, locks and tokens are as new."""
    new = InProcessSimulator(demo_world.model_copy(deep=True))
    await change_everything(simulator, source)
    untouched = [
        name for name, rows in tables_of(new).items() if rows == tables_of(simulator)[name]
    ]
    # Only another world changes what the state says about itself.
    assert ["meta"] == untouched
    assert {} != {
        name: kept
        for name, kept in memory_of(simulator.cloud).items()
        if kept != memory_of(new.cloud)[name]
    }

    simulator.control.reset()

    assert tables_of(new) == tables_of(simulator)
    assert memory_of(new.app) == memory_of(simulator.app)
    assert memory_of(new.clock) == memory_of(simulator.clock)
    assert 401 == (await source.call("GET", "/backups")).status_code
    new.close()


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"speed": 0}, "speed"),
        ({"latency_ms": -1}, "latency_ms"),
        ({"wrold": None}, "wrold"),
        ({"world": {"accounts": [], "regions": []}}, "world.accounts"),
    ],
)
async def test_reset_to_an_invalid_state_is_refused(
    simulator: InProcessSimulator, client: httpx.AsyncClient, body: dict[str, Any], named: str
) -> None:
    """An invalid initial state is reported, and everything stays."""
    simulator.clock.advance(90)
    before = simulator.clock.now()
    response = await client.post("/_simulator/reset", json=body)

    assert 422 == response.status_code
    assert named in response.json()["detail"]
    assert before == simulator.clock.now()


# -- a separate process -------------------------------------------------------------------------


def written_by(process: SimulatorProcess) -> dict[str, list[Any]]:
    """Return every row of the state file, without the creation times of vaults."""
    connection = sqlite3.connect(process.state_file)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master")]
        tables = [name for name in names if name in Row.metadata.tables]
        connection.execute("UPDATE vaults SET created_at = 0")
        return {name: list(connection.execute(f"SELECT * FROM {name}")) for name in tables}
    finally:
        connection.close()


@contextmanager
def signed_in(process: SimulatorProcess) -> Iterator[httpx.Client]:
    """A client with a token."""
    with httpx.Client(base_url=process.url, timeout=60, trust_env=False) as client:
        body = sign_in_body(project={"id": SOURCE_PROJECT})
        answer = client.post("/v3/auth/tokens", json=body)
        client.headers["X-Auth-Token"] = answer.headers["X-Subject-Token"]
        yield client


def test_reset_process_is_as_when_it_was_started(process: SimulatorProcess) -> None:
    """The state file is as new too, and an earlier token is refused."""
    at_first = written_by(process)
    with signed_in(process) as client:
        client.post(f"{BACKUPS}/{SERVER_BACKUP}/replicate", json=replicate_body())
        process.control.advance(LONG_S)
        changed = written_by(process)
        process.reset()
        refused = client.get(BACKUPS)

    assert changed != at_first
    assert 401 == refused.status_code
    process.control.clear_journal()
    assert at_first == written_by(process)


@pytest.mark.parametrize(
    ("action", "delay_s"),
    [
        ("hold_before", 0),
        ("hold_after", 0),
        ("pass", 0.5),
        ("exit_after", 0.5),
        ("drop_after", 0.5),
    ],
)
def test_reset_ends_requests_under_way_without_a_trace(
    process: SimulatorProcess, action: str, delay_s: float
) -> None:
    """They get no answer, and change nothing in the new state."""
    with signed_in(process) as client, ThreadPoolExecutor(1) as thread:
        process.control.fault(operation="CopyBackup", action=action, delay_s=delay_s)
        path = f"{BACKUPS}/{SERVER_BACKUP}/replicate"
        sent = thread.submit(client.post, path, json=replicate_body())
        while process.control.waiting_faults():
            pass
        process.reset()
        with pytest.raises(httpx.TransportError):
            sent.result()

    assert [] == process.control.journal()
    assert [] == process.control.records()
    assert 0 == process.control.held()


def test_reset_loads_another_world(process: SimulatorProcess) -> None:
    """The requested world, speed and latency apply until the next reset, also after a crash."""
    process.reset(fleet_world(3, options=Options(latency_ms=20)), speed=100.0)
    fleet = process.control.state()["backups"]
    latency = process.control._ask("PATCH", "/options", json={})["latency_ms"]
    process.kill()
    process.start()
    after_a_crash = process.control.state()["backups"]
    process.reset()

    assert ["backup-0001", "backup-0002", "backup-0003"] == [row["name"] for row in fleet]
    assert 20 == latency
    assert fleet == after_a_crash
    assert 10 == len(process.control.state()["backups"])
    assert 0 == process.control._ask("PATCH", "/options", json={})["latency_ms"]


def test_reset_starts_a_process_that_a_fault_ended(process: SimulatorProcess) -> None:
    """A dead process starts with a new state, at its old address."""
    process.control.forget_backup(SERVER_BACKUP)
    address = process.url
    process.control.fault(operation="CreateToken", action="exit_before")
    with pytest.raises(httpx.TransportError), signed_in(process):
        pass
    process.reset()

    assert address == process.url
    assert 10 == len(process.control.state()["backups"])
