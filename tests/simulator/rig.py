"""Names of the demo world, and a caller with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from simulator.testing import InProcessSimulator

PASSWORD = "not-a-secret-demo"  # Values of the demo world.
SOURCE_REGION, SOURCE_PROJECT = "cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3"
REGION, PROJECT = "cn-east-3", "863129926600475a959e8f2efb991722"
SUBPROJECT = "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0"
THIRD_REGION, THIRD_PROJECT = "cn-south-1", "4b1d8b3a0e5f4c0d9b6a7f8e9d0c1b2a"

SERVER_BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"  # 120 GB
SMALL_BACKUP = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"  # 40 GB
FILE_BACKUP = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
BROKEN_BACKUP = "afdb82ff-c7ba-415f-9773-32b07f014082"
UNFINISHED_BACKUP = "b0ec9300-d8cb-4260-8884-43c180125193"
DISKLESS_BACKUP = "c1fda411-e9dc-4371-9995-54d2912362a4"
DISK_BACKUP = "d20eb522-faed-4482-8aa6-65e3a23473b5"
METAL_BACKUP = "e31fc633-0bfe-4593-9bb7-76f4b34584c6"
REPLICA = "f420d744-1c0f-46a4-8cc8-8705c45695d7"

SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
FILE_VAULT = "3c9d2e1f-6b5a-4f48-9d7c-8e1f0a2b3c4d"
SUBPROJECT_VAULT = "7d8c9b0a-1e2f-4a3b-8c4d-5e6f7a8b9c0d"
BACKUP_VAULT = "91a2b3c4-d5e6-4f70-8192-a3b4c5d6e7f8"
FULL_VAULT = "a2b3c4d5-e6f7-4081-92a3-b4c5d6e7f809"
TIGHT_VAULT = "b3c4d5e6-f708-4192-a3b4-c5d6e7f8091a"
FROZEN_VAULT = "c4d5e6f7-0819-42a3-b4c5-d6e7f8091a2b"
THIRD_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"

LONG_S = 20_000.0
"""More than any copy or deletion of the demo world takes, less than a token's lifetime."""


def sign_in_body(**scope: Any) -> dict[str, Any]:
    """Return the body of a sign-in as the demo world's user."""
    user = {"name": "ops-replicator", "password": PASSWORD, "domain": {"name": "acme-cloud"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": identity, "scope": scope}}


def replicate_body(**changes: Any) -> dict[str, Any]:
    """Return the body of CopyBackup."""
    wanted = {
        "destination_project_id": PROJECT,
        "destination_region": REGION,
        "destination_vault_id": VAULT,
        **changes,
    }
    return {"replicate": wanted}


def code_of(response: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return response.status_code, response.json()["error_code"]


@dataclass
class Caller:
    """A client with a token for a project."""

    client: httpx.AsyncClient
    project: str
    token: str

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Send one request below the project's path."""
        return await self.client.request(
            method, f"/v3/{self.project}{path}", headers={"X-Auth-Token": self.token}, **options
        )

    async def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Return the resource at a path below the project's."""
        response = await self.call("GET", path, params=params)
        assert 200 == response.status_code, response.text
        body: dict[str, Any] = response.json()
        return body

    async def show(self, backup_id: str) -> dict[str, Any]:
        """Return a backup."""
        backup: dict[str, Any] = (await self.get(f"/backups/{backup_id}"))["backup"]
        return backup

    async def replicate(self, backup_id: str = SERVER_BACKUP, **changes: Any) -> httpx.Response:
        """Request a copy."""
        return await self.call(
            "POST", f"/backups/{backup_id}/replicate", json=replicate_body(**changes)
        )

    async def begin_copy(self, backup_id: str = SERVER_BACKUP, **changes: Any) -> str:
        """Start a copy; return the record's id."""
        response = await self.replicate(backup_id, **changes)
        assert 200 == response.status_code, response.text
        record_id: str = response.json()["replication"]["replication_record_id"]
        return record_id

    async def record(self, backup_id: str = SERVER_BACKUP) -> dict[str, Any]:
        """Return a backup's latest record."""
        record: dict[str, Any] = (await self.show(backup_id))["replication_records"][0]
        return record


@asynccontextmanager
async def connect(simulator: InProcessSimulator) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a token."""
    async with httpx.AsyncClient(
        transport=simulator.transport(), base_url=simulator.url, trust_env=False
    ) as client:
        yield client


async def sign_in(client: httpx.AsyncClient, project: str, prefix: str = "") -> Caller:
    """Return a caller for a project; `prefix` is that of a region's endpoint."""
    body = sign_in_body(project={"id": project})
    response = await client.post(f"{prefix}/v3/auth/tokens", json=body)
    assert 201 == response.status_code, response.text
    return Caller(client, project, response.headers["X-Subject-Token"])
