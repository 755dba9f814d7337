"""Requests that are generated from the OpenAPI document of the routes, valid and invalid."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from simulator.cloud.operations import OPERATIONS
from simulator.control.openapi import document
from simulator.http.services import CONTROL, make_services
from simulator.testing import InProcessSimulator
from simulator.worlds.files import World
from tests.simulator.rig import (
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SOURCE_PROJECT,
    SOURCE_VAULT,
    VAULT,
    connect,
    sign_in,
)

GOOD, BAD = 20, 10
"""The number of requests of each kind for each operation."""
# Values in paths are existing ones, so that requests reach fields and rules.
KNOWN = {
    "project_id": SOURCE_PROJECT,
    "backup_id": SERVER_BACKUP,
    "vault_id": SOURCE_VAULT,
    "feature_key": "replication.enable",
}
# The same in bodies.
KNOWN_FIELDS = {
    "CheckpointBody": {"vault_id": SOURCE_VAULT},
    "ExpiryBody": {"expect_expiration_date": "2026-12-24"},
    "ResourceBody": {"type": "OS::Nova::Server"},
    "ReplicateBody": {
        "destination_region": REGION,
        "destination_project_id": PROJECT,
        "destination_vault_id": VAULT,
    },
    "ReplicateVaultBody": {
        "vault_id": SOURCE_VAULT,
        "destination_region": REGION,
        "destination_project_id": PROJECT,
        "destination_vault_id": VAULT,
    },
}
# These are about what nobody can guess: a password, a token, things that do not exist at first.
NEVER_SUCCEED = {
    *("CreateToken", "ShowToken", "ShowCheckpoint", "ShowOpLog", "DeleteVaultTag"),
    *("ShowPolicy", "UpdatePolicy", "DeletePolicy"),
    *("AssociateVaultPolicy", "DisassociateVaultPolicy", "RemoveVaultResource"),
}
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def described() -> dict[str, Any]:
    """Return the document."""
    return document(make_services(), CONTROL)


def asked_for() -> dict[str, Any]:
    """Return the document for a caller that has a token and knows what exists."""
    wanted = described()
    settled = {"Authorization", "X-Auth-Token", *KNOWN}
    paths = {}
    for path, methods in wanted["paths"].items():
        for operation in methods.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [row for row in parameters if row["name"] not in settled]
        paths[re.sub(r"{(\w+)}", lambda part: KNOWN.get(part[1], part[0]), path)] = methods
    for body, values in KNOWN_FIELDS.items():
        for field, value in values.items():
            wanted["components"]["schemas"][body]["properties"][field] = {"const": value}
    return {**wanted, "paths": paths}


SCHEMA = schemathesis.openapi.from_dict(
    asked_for(), config=SchemathesisConfig.from_dict({"phases": {"coverage": {"enabled": False}}})
)
NAMES = sorted(OPERATIONS)


def cases() -> list[Any]:
    """Return each operation with valid requests, and with invalid ones if it has any input."""
    found = []
    for name in NAMES:
        found.append(pytest.param(name, GenerationMode.POSITIVE, id=f"{name}-good"))
        operation = SCHEMA.find_operation_by_id(name).definition.raw
        # In a path, any text is valid.
        is_checked = any(row["in"] != "path" for row in operation["parameters"])
        if is_checked or "requestBody" in operation:
            found.append(pytest.param(name, GenerationMode.NEGATIVE, id=f"{name}-bad"))
    return found


def send(simulator: InProcessSimulator, case: schemathesis.Case[Any]) -> httpx.Response:
    """Send a case as a caller with a token."""

    async def serve() -> httpx.Response:
        async with connect(simulator) as client:
            token = (await sign_in(client, SOURCE_PROJECT)).token
            arguments = case.as_transport_kwargs(base_url=simulator.url)
            arguments["headers"] = {**dict(arguments["headers"]), "X-Auth-Token": token}
            body = {key: arguments[key] for key in ("json",) if key in arguments}
            if arguments.get("data") is not None:
                body["content"] = arguments["data"]
            url, params = arguments["url"], arguments["params"]
            return await client.request(
                arguments["method"], url, params=params, headers=arguments["headers"], **body
            )

    return asyncio.run(serve())


@pytest.mark.parametrize(("name", "mode"), cases())
def test_requests_from_the_document_are_answered_as_it_says(
    demo_world: World, name: str, mode: GenerationMode
) -> None:
    """Requests get a documented status and shape; invalid ones are refused."""
    operation = SCHEMA.find_operation_by_id(name)
    own_checks = [*CHECKS, negative_data_rejection] if mode.is_negative else CHECKS
    succeeded = []

    @settings(
        max_examples=BAD if mode.is_negative else GOOD,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def try_out(case: schemathesis.Case[Any]) -> None:
        simulator = InProcessSimulator(demo_world.model_copy(deep=True))
        try:
            answer = send(simulator, case)
        finally:
            simulator.close()
        case.validate_response(answer, checks=own_checks)
        succeeded.append(answer.is_success)

    try_out()

    # Some invalid requests are valid once encoded: an empty list is not sent at all.
    if mode.is_negative:
        assert not all(succeeded)
    else:
        assert (name not in NEVER_SUCCEED) == any(succeeded)
