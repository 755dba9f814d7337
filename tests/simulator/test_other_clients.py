"""Requests of clients that cannot be installed here, in the shapes that they send.

The shapes are those of Terraform's provider for this cloud (1.95), its SDK for Go, and OpenStack's
clients, as their public sources have them. Nothing here is made by the code under test.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import httpx
import pytest

from simulator.cloud.specs import made_uuid
from simulator.testing import Control, InProcessSimulator
from tests.odd_requests import ACCESS_KEY, SECRET_KEY
from tests.simulator.rig import (
    DISK_BACKUP,
    PASSWORD,
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    VAULT,
    Caller,
    connect,
)

pytestmark = pytest.mark.anyio

ACCOUNT = "677aa086f2614be08a737b6b22aad606"
DATE = "20261120T080000Z"
"""The start of the virtual clock, as the SDK for Go writes it."""
A_WHILE_S = 60.0
"""More than a deletion takes, and less than a signature lasts."""
SIGNED = ("accept", "content-type", "user-agent", "x-sdk-date")
"""What the SDK for Go signs: every header that it sets itself, so not the host."""


def signed(method: str, path: str, query: str = "", body: bytes = b"") -> dict[str, str]:
    """Return the headers of a request as the SDK for Go signs it; the query is sorted."""
    headers = {
        "accept": "application/json",
        "content-type": "application/json",
        "user-agent": "golangsdk/2.0.0",
        "x-sdk-date": DATE,
    }
    names = ";".join(SIGNED)
    lines = "".join(f"{name}:{headers[name]}\n" for name in SIGNED)
    hashed = hashlib.sha256(body).hexdigest()
    canonical = "\n".join((method, f"{path}/", query, lines, names, hashed))
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{DATE}\n{digest}"
    signature = hmac.new(SECRET_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()
    headers["authorization"] = (
        f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders={names}, Signature={signature}"
    )
    return headers


class Terraform:
    """Sends requests as Terraform does: signed without the host, and without a project."""

    def __init__(self, client: httpx.AsyncClient, project: str = PROJECT) -> None:
        self._client = client
        self._project = project

    async def ask(self, method: str, path: str, query: str = "", body: Any = None) -> Any:
        """Return the decoded answer of IAM or CBR; None if it is empty."""
        content = b"" if body is None else json.dumps(body).encode()
        url = f"{path}?{query}" if query else path
        headers = signed(method, path, query, content)
        response = await self._client.request(method, url, content=content, headers=headers)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def cbr(self, method: str, path: str, query: str = "", body: Any = None) -> Any:
        """Return the decoded answer of CBR, below the project's path."""
        return await self.ask(method, f"/v3/{self._project}{path}", query, body)


async def test_signature_without_the_host_is_accepted(client: httpx.AsyncClient) -> None:
    """A request as it was recorded, with its signature."""
    signature = "e069e0e534156b39fb75dc065a466688704d87de53bdc1de51cc71295b5723ea"
    headers = {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "User-Agent": "golangsdk/2.0.0",
        "X-Sdk-Date": DATE,
        "Authorization": (
            "SDK-HMAC-SHA256 Access=DEMOACCESSKEY0000001, "
            f"SignedHeaders=accept;content-type;user-agent;x-sdk-date, Signature={signature}"
        ),
    }
    response = await client.get(f"/v3/{PROJECT}/vaults?limit=100&offset=0", headers=headers)

    assert 200 == response.status_code


async def test_terraform_starts_up(client: httpx.AsyncClient) -> None:
    """Each run finds the account, the region's project and the user; without them it ends."""
    terraform = Terraform(client)
    (domain,) = (await terraform.ask("GET", "/v3/auth/domains"))["domains"]
    (project,) = (await terraform.ask("GET", "/v3/projects", f"name={REGION}"))["projects"]
    (user,) = (await terraform.ask("GET", "/v3/users", "name=ops-replicator"))["users"]

    assert ("acme-cloud", ACCOUNT) == (domain["name"], domain["id"])
    assert (PROJECT, ACCOUNT) == (project["id"], project["domain_id"])
    assert ACCOUNT == user["domain_id"]


async def test_terraform_keeps_a_vault(client: httpx.AsyncClient, control: Control) -> None:
    """A vault is created, read back as declared, changed and deleted."""
    terraform = Terraform(client)
    web, db = (made_uuid("resource", name) for name in ("web", "db"))
    billing = {
        "cloud_type": "public",
        "consistent_level": "crash_consistent",
        "is_multi_az": False,
        "object_type": "server",
        "protect_type": "backup",
        "size": 200,
    }
    declared = {
        "auto_bind": True,
        "auto_expand": False,
        "backup_name_prefix": "nightly",
        "billing": billing,
        "bind_rules": {"tags": [{"key": "keep", "value": "yes"}]},
        "locked": False,
        "name": "terraform",
        "resources": [{"id": web, "type": "OS::Nova::Server"}],
    }
    vault_id = (await terraform.cbr("POST", "/vaults", body={"vault": declared}))["vault"]["id"]
    path = f"/vaults/{vault_id}"
    tags = [{"key": "team", "value": "erp"}]
    tagging = {"action": "create", "tags": tags}
    await terraform.cbr("POST", f"/vault/{vault_id}/tags/action", body=tagging)
    made = (await terraform.cbr("GET", path))["vault"]
    policies = (await terraform.cbr("GET", "/policies", f"vault_id={vault_id}"))["policies"]

    assert {**declared, "billing": None, "resources": None, "tags": tags}.items() <= {
        **made,
        "billing": None,
        "resources": None,
    }.items()
    assert billing.items() <= made["billing"].items()
    assert [web] == [resource["id"] for resource in made["resources"]]
    assert [] == policies

    change = {"auto_bind": False, "auto_expand": False, "bind_rules": {"tags": []}}
    change["billing"] = {"size": 300}
    await terraform.cbr("PUT", path, body={"vault": change})
    await terraform.cbr("POST", f"{path}/removeresources", body={"resource_ids": [web]})
    control.advance(A_WHILE_S)
    excluding = {"id": db, "type": "OS::Nova::Server", "extra_info": {"exclude_volumes": [web]}}
    await terraform.cbr("POST", f"{path}/addresources", body={"resources": [excluding]})
    changed = (await terraform.cbr("GET", path))["vault"]

    assert (300, {}, "nightly") == (
        changed["billing"]["size"],
        changed["bind_rules"],
        changed["backup_name_prefix"],
    )
    assert [(db, {"exclude_volumes": [web]})] == [
        (resource["id"], resource["extra_info"]) for resource in changed["resources"]
    ]

    await terraform.cbr("DELETE", path)
    control.advance(A_WHILE_S)
    left = (await terraform.cbr("GET", "/vaults", "limit=100&name=terraform&offset=0"))["vaults"]

    assert [] == left


async def test_terraform_reads_lists_to_their_ends(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A list is read by offset until a page is empty, also without a limit."""
    await source.begin_copy(SERVER_BACKUP)
    await source.begin_copy(SMALL_BACKUP)
    await source.call("DELETE", f"/backups/{DISK_BACKUP}")
    expected = {
        "backups": len((await source.get("/backups"))["backups"]),
        "vaults": len((await source.get("/vaults"))["vaults"]),
        "operation_logs": 3,
    }
    found = {}
    async with connect(simulator) as client:
        terraform = Terraform(client, SOURCE_PROJECT)
        for path, key in (
            ("/backups", "backups"),
            ("/vaults", "vaults"),
            ("/operation-logs", "operation_logs"),
        ):
            for limit in ("", "limit=2&"):
                rows: list[str] = []
                while page := (await terraform.cbr("GET", path, f"{limit}offset={len(rows)}"))[key]:
                    rows += [row["id"] for row in page]
                found[key, limit] = len(rows), len(set(rows))

    assert {
        (key, limit): (count, count)
        for key, count in expected.items()
        for limit in ("", "limit=2&")
    } == found


@pytest.mark.parametrize(
    "domain", [{"name": "acme-cloud"}, {"id": ACCOUNT}], ids=["by name", "by id"]
)
async def test_openstack_clients_sign_in_with_a_domain(
    client: httpx.AsyncClient, domain: dict[str, str]
) -> None:
    """A user and a project are named in the domain; the token is good for the project."""
    user = {"name": "ops-replicator", "password": PASSWORD, "domain": domain}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"project": {"name": REGION, "domain": domain}}
    response = await client.post(
        "/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
    )
    caller = Caller(client, PROJECT, response.headers["X-Subject-Token"])

    assert VAULT == (await caller.get(f"/vaults/{VAULT}"))["vault"]["id"]


async def test_openstack_clients_sign_in_for_a_domain(client: httpx.AsyncClient) -> None:
    """A token of the account lists its projects and its users, as tools for whole accounts do."""
    user = {"name": "ops-replicator", "password": PASSWORD, "domain": {"name": "acme-cloud"}}
    identity = {"methods": ["password"], "password": {"user": user}}
    scope = {"domain": {"name": "acme-cloud"}}
    response = await client.post(
        "/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}}
    )
    headers = {"X-Auth-Token": response.headers["X-Subject-Token"]}
    counts = {
        path: len((await client.get(f"/v3/{path}", headers=headers)).json()[path.split("/")[-1]])
        for path in ("auth/projects", "auth/domains", "users")
    }

    assert {"auth/projects": 6, "auth/domains": 1, "users": 1} == counts
