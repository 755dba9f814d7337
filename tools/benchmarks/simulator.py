"""The cost of the simulator at fleet scale, by kind of request, with all copies running.

``make bench-simulator`` prints a Markdown table; `results/simulator.md` is one such output. It
compares the CPU time of the server's process, which hardly depends on other load.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from simulator.testing import SimulatorProcess
from simulator.worlds.files import World
from simulator.worlds.fleet import FLEET_PASSWORD, FLEET_USER, fleet_world
from tools.benchmarks.rig import machine

AT_ONCE = 16
"""The number of parallel requests."""


class Meter:
    """Measures requests by the server's CPU time and by the clock."""

    def __init__(self, pid: int) -> None:
        self._stat = Path(f"/proc/{pid}/stat")
        print("| requests | how many | server CPU, ms each | wall, ms each |\n|---|---|---|---|")

    def _cpu_s(self) -> float:
        # proc(5): utime and stime are fields 14 and 15; the name before them may contain spaces.
        fields = self._stat.read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    async def measure(self, name: str, calls: list[Callable[[], Awaitable[Any]]]) -> None:
        """Make all calls, some in parallel, and print a row."""
        waiting = iter(calls)

        async def work() -> None:
            for call in waiting:
                await call()

        cpu_s, started = self._cpu_s(), time.perf_counter()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        wall_s, cpu_s = time.perf_counter() - started, self._cpu_s() - cpu_s
        count = len(calls)
        print(f"| {name} | {count} | {cpu_s / count * 1e3:.2f} | {wall_s / count * 1e3:.2f} |")


async def measure_all(process: SimulatorProcess, world: World) -> None:
    """Measure each kind of request."""
    meter = Meter(process.pid)
    source = world.vaults[0]
    vault = world.vaults[1]
    project, destination = world.project_of(source), world.project_of(vault)
    ids = [backup.id for backup in world.backups]
    async with httpx.AsyncClient(base_url=process.url, timeout=600, trust_env=False) as client:

        async def call(method: str, path: str, **options: Any) -> None:
            response = await client.request(method, path, **options)
            if response.is_error:
                raise RuntimeError(f"{method} {path}: {response.status_code} {response.text}")

        client.headers["X-Auth-Token"] = await sign_in(client, project)
        wanted = {
            "destination_project_id": destination,
            "destination_region": vault.region,
            "destination_vault_id": vault.id,
        }
        base = f"/v3/{project}/backups"
        await meter.measure(
            "POST replicate",
            [
                partial(call, "POST", f"{base}/{key}/replicate", json={"replicate": wanted})
                for key in ids
            ],
        )
        await meter.measure("ShowBackup", [partial(call, "GET", f"{base}/{key}") for key in ids])
        query = {"limit": 1000, "show_replication": "true"}
        await meter.measure(
            f"ListBackups of {min(1000, len(ids)):,} with records",
            [partial(call, "GET", base, params=query)] * 8,
        )
        await meter.measure("the whole journal", [partial(call, "GET", "/_simulator/journal")] * 4)
        await meter.measure(
            "the journal of one operation",
            [partial(call, "GET", "/_simulator/journal?operation=ListBackups")] * 20,
        )


async def sign_in(client: httpx.AsyncClient, project: str) -> str:
    """Return a token for a project."""
    user = {"name": FLEET_USER, "password": FLEET_PASSWORD, "domain": {"name": "fleet"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"id": project}}
    response = await client.post(
        "/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
    )
    return response.raise_for_status().headers["X-Subject-Token"]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backups", type=int, default=1000)
    backups = parser.parse_args().backups
    world = fleet_world(backups=backups)
    print(f"{machine()}, {backups} backups\n")
    with (
        tempfile.TemporaryDirectory() as scratch,
        SimulatorProcess(Path(scratch), world) as process,
    ):
        asyncio.run(measure_all(process, world))


if __name__ == "__main__":
    main()
