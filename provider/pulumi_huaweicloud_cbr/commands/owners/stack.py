"""What a stack says about its replicas: the rows of its state, and the places that it names.

Only the Pulumi CLI is asked here; `examiner` asks CBR.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import REGION_ID, excerpt
from pulumi_huaweicloud_cbr.commands._cli import run_pulumi
from pulumi_huaweicloud_cbr.engine.ownership.stack import owner_of
from pulumi_huaweicloud_cbr.engine.ownership.state import (
    is_managed,
    plain_outputs,
    replications_of,
)

_LONGEST_VALUE = 1_000_000
"""Of configuration values; the engine's own limits are far below."""
_FORMS = (
    ("region", "project_id", "vault_id"),
    ("destination_region", "destination_project_id", "destination_vault_id"),
)
"""The names that a destination's parts have: in the stack program, and in inputs."""


@dataclass(frozen=True)
class Scope:
    """A region; without a project, it is the default one."""

    region: str
    project_id: str | None = None


@dataclass(frozen=True)
class Place:
    """Where replicas of the stack may be; without a vault, it is all of the project."""

    scope: Scope
    vault_id: str | None = None


@dataclass(frozen=True)
class Row:
    """A copy in the stack's state: a single replication, or a member of a set or a vault.

    `owner` is the mark that the state recorded.
    """

    urn: str
    label: str | None
    backup_id: str
    record_id: str
    region: str
    project_id: str
    vault_id: str
    source: ProjectScope
    status: str | None = None
    replica_id: str | None = None
    checkpoint_id: str | None = None
    resource_id: str | None = None
    owner: str | None = None
    is_leaving: bool = False

    @property
    def name(self) -> str:
        """Return the resource's name in the program."""
        return self.urn.rsplit("::", 1)[-1]

    @property
    def title(self) -> str:
        """Return the resource's name, and the member's label if there is one."""
        return self.name if self.label is None else f"{self.name}: {self.label}"


@dataclass(frozen=True)
class State:
    """What the state of a stack says.

    `owner` is ``project/stack``; None if no URN tells it. `unreadable` are resources of this
    package whose rows cannot be read. `names` are the names of all resources.
    """

    owner: str | None = None
    rows: tuple[Row, ...] = ()
    unreadable: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    pending_count: int = 0


def export(stack: str) -> dict[str, Any]:
    """Return the stack's deployment, with secrets decrypted: a backup's id may be one.

    Raises:
        ConfigurationError: the CLI is missing, or cannot export it.
    """
    done = run_pulumi("stack", "export", "--show-secrets", "--stack", stack)
    if done.returncode:
        raise ConfigurationError(
            f"reading the state of stack {stack!r}: {excerpt(done.stderr)}",
            remedy="run this in the project's directory",
        )
    deployment: dict[str, Any] = json.loads(done.stdout).get("deployment") or {}
    return deployment


def read_state(deployment: Mapping[str, Any]) -> State:
    """Return what a deployment says about replicas."""
    resources = deployment.get("resources") or []
    owner = None
    rows: list[Row] = []
    unreadable = []
    for resource in resources:
        urn = resource["urn"]
        owner = owner or owner_of(urn)
        if not is_managed(resource):
            continue
        try:
            outputs = plain_outputs(resource)
            rows += [
                _row(urn, label, outputs, values)
                for label, values in replications_of(resource, outputs)
            ]
        except (AttributeError, KeyError, TypeError, ValueError):
            unreadable.append(urn)
    return State(
        owner,
        tuple(rows),
        tuple(unreadable),
        frozenset(resource["urn"].rsplit("::", 1)[-1] for resource in resources),
        len(deployment.get("pending_operations") or []),
    )


def _row(urn: str, label: str | None, outputs: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
    return Row(
        urn,
        label,
        backup_id=values["backup_id"].lower(),
        record_id=values["replication_record_id"].lower(),
        region=outputs["destination_region"],
        project_id=outputs["destination_project_id"],
        vault_id=outputs["destination_vault_id"].lower(),
        source=ProjectScope(outputs["source_region"], outputs["source_project_id"]),
        status=values.get("status"),
        replica_id=_lowered(values.get("destination_backup_id")),
        checkpoint_id=_lowered(values.get("destination_checkpoint_id")),
        resource_id=values.get("source_resource_id"),
        owner=values.get("owner"),
        is_leaving=bool(values.get("leaving")),
    )


def _lowered(value: str | None) -> str | None:
    return value.lower() if value else None


def places_in(configured: Mapping[str, Any]) -> tuple[Place, ...]:
    """Return the destinations that a stack's configuration names, in whatever key.

    They have the names of the stack program, or those of inputs.
    """
    found = []
    for part in _mappings(configured):
        for region_key, project_key, vault_key in _FORMS:
            scope = _scope(part, region_key, project_key)
            vault_id = _text(part.get(vault_key))
            if scope is not None and vault_id is not None:
                found.append(Place(scope, vault_id.lower()))
    return tuple(dict.fromkeys(found))


def sources_in(configured: Mapping[str, Any]) -> tuple[Scope, ...]:
    """Return the source regions that a stack's configuration names."""
    parts = _mappings(configured)
    found = (_scope(part, "source_region", "source_project_id") for part in parts)
    return tuple(dict.fromkeys(scope for scope in found if scope is not None))


def _scope(part: Mapping[str, Any], region_key: str, project_key: str) -> Scope | None:
    region = _text(part.get(region_key))
    # It selects the host that gets a signed request.
    if region is None or not REGION_ID.fullmatch(region):
        return None
    return Scope(region, _text(part.get(project_key)))


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mappings(configured: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all mappings in the configuration of programs; credentials are not searched."""
    parts: list[Any] = []
    for key, value in configured.items():
        if not key.startswith("huaweicloud:") and isinstance(value, str):
            parts.append(_parsed(value))
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            yield part
            parts += reversed(part.values())
        elif isinstance(part, list):
            parts += reversed(part)


def _parsed(value: str) -> Any:
    # Structured configuration is JSON text here.
    if len(value) > _LONGEST_VALUE or value[:1] not in "[{":
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None
