"""What a stack says about its replicas: the rows of its state, and what its configuration names.

Only the Pulumi CLI is asked here; the examiners of the commands ask CBR.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.text import REGION_ID
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import failure_of, run_pulumi
from pulumi_huaweicloud_cbr.config.entries import (
    Entry,
    as_text,
    parsed,
    read_document,
    read_entries,
)
from pulumi_huaweicloud_cbr.engine.ownership.stack import owner_of
from pulumi_huaweicloud_cbr.engine.ownership.state import (
    is_managed,
    plain_outputs,
    replications_of,
)

_FORMS = (
    ("region", "project_id", "vault_id"),
    ("destination_region", "destination_project_id", "destination_vault_id"),
)
"""The names that a destination's parts have: in the stack program, and in inputs."""


@dataclass(frozen=True)
class Place:
    """Where replicas of the stack may be; without a vault, it is all of the project."""

    scope: Scope
    vault_id: str | None = None


@dataclass(frozen=True)
class Row:
    """A copy in the stack's state: a single replication, or a member of a set or a vault.

    `owner` is the mark that the state recorded. `made_at` is when the source backup was made, which
    rolling sets know.
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
    made_at: str | None = None

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

    `owner` is ``project/stack``; None if no URN tells it. `vaults` are the entire vaults that are
    copied, each with its destination. `unreadable` are resources of this package whose rows cannot
    be read. `names` are the names of all resources.
    """

    owner: str | None = None
    rows: tuple[Row, ...] = ()
    vaults: frozenset[tuple[str, Place]] = frozenset()
    unreadable: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()
    pending_count: int = 0


@dataclass(frozen=True)
class Copy:
    """What one entry of the stack program's configuration copies to one destination.

    `at` is the entry's place and name. `backup_ids` are those that it names: none for an entire
    vault, which is `vault_id`, and for a selection. `is_required`: a preview fails if the copy is
    not possible. Values are as written, and may be wrong.
    """

    at: str
    source: Scope | None
    destination: Place
    backup_ids: tuple[str, ...] = ()
    vault_id: str | None = None
    adopt: bool | str = True
    is_required: bool = True


def export(stack: str, directory: Path | None = None) -> dict[str, Any]:
    """Return the stack's deployment, with secrets decrypted: a backup's id may be one.

    Args:
        directory: the project's; default: the current one.
    Raises:
        ConfigurationError: the CLI is missing, or cannot export it.
    """
    there = ["--cwd", str(directory)] if directory is not None else []
    done = run_pulumi("stack", "export", "--show-secrets", "--stack", stack, *there)
    if done.returncode:
        raise failure_of(f"reading the state of stack {stack!r}", done.stderr)
    deployment: dict[str, Any] = json.loads(done.stdout).get("deployment") or {}
    return deployment


def read_state(deployment: Mapping[str, Any]) -> State:
    """Return what a deployment says about replicas."""
    resources = deployment.get("resources") or []
    owner = None
    rows: list[Row] = []
    vaults = set()
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
            if isinstance(vault_id := outputs.get("vault_id"), str):
                vaults.add((vault_id.lower(), _place_of(outputs)))
        except (AttributeError, KeyError, TypeError, ValueError):
            unreadable.append(urn)
    return State(
        owner,
        tuple(rows),
        frozenset(vaults),
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
        made_at=as_text(_member_of(outputs, values["backup_id"]).get("created_at")),
    )


def _member_of(outputs: Mapping[str, Any], backup_id: str) -> Mapping[str, Any]:
    """Return what a set's inputs say about a member besides its id."""
    backups = outputs.get("backups")
    members = backups.values() if isinstance(backups, dict) else ()
    found = (one for one in members if isinstance(one, dict) and one.get("backup_id") == backup_id)
    return next(found, {})


def _place_of(outputs: Mapping[str, Any]) -> Place:
    scope = Scope(outputs["destination_region"], outputs["destination_project_id"])
    return Place(scope, outputs["destination_vault_id"].lower())


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
            vault_id = as_text(part.get(vault_key))
            if scope is not None and vault_id is not None:
                found.append(Place(scope, vault_id.lower()))
    return tuple(dict.fromkeys(found))


def sources_in(configured: Mapping[str, Any]) -> tuple[Scope, ...]:
    """Return the source regions that a stack's configuration names."""
    parts = _mappings(configured)
    found = (_scope(part, "source_region", "source_project_id") for part in parts)
    return tuple(dict.fromkeys(scope for scope in found if scope is not None))


def copies_in(configured: Mapping[str, Any]) -> tuple[Copy, ...]:
    """Return the copies that the configuration of the stack program declares.

    What it cannot read is left out: the program itself names the faults of its configuration.
    """
    document = read_document(configured)
    for_all = {"preflight": document["preflight"]} if document.get("preflight") else {}
    found = []
    for entry in read_entries(document):
        for destination in entry.destinations:
            values = {**entry.defaults, **entry.keys, **destination, **for_all}
            region, vault_id = as_text(values.get("region")), as_text(destination.get("vault_id"))
            if region is None or vault_id is None:
                continue
            scope = Scope(region, as_text(destination.get("project_id")))
            found.append(_copy(entry, Place(scope, vault_id.lower()), values))
    return tuple(found)


def _copy(entry: Entry, place: Place, values: Mapping[str, Any]) -> Copy:
    adopt = values.get("adopt")
    return Copy(
        f"{entry.at} ({entry.keys.get('name')})",
        _scope(values, "source_region", "source_project_id"),
        place,
        entry.members(),
        as_text(entry.keys.get("vault_id")) if entry.kind == "vaults" else None,
        adopt=adopt if isinstance(adopt, (bool, str)) else True,
        is_required=values.get("preflight") not in ("warn", "off"),
    )


def _scope(part: Mapping[str, Any], region_key: str, project_key: str) -> Scope | None:
    region = as_text(part.get(region_key))
    # It selects the host that gets a signed request.
    if region is None or not REGION_ID.fullmatch(region):
        return None
    return Scope(region, as_text(part.get(project_key)))


def _mappings(configured: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield all mappings in the configuration of programs; credentials are not searched."""
    parts: list[Any] = []
    for key, value in configured.items():
        if not key.startswith("huaweicloud:") and isinstance(value, str):
            parts.append(parsed(value))
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            yield part
            parts += reversed(part.values())
        elif isinstance(part, list):
            parts += reversed(part)
