"""Steps, documents and reports for the tests of `ci`, as `pulumi preview --json` writes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document, read_document
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan, read_plan
from pulumi_huaweicloud_cbr.commands.ci.show.markdown import markdown
from pulumi_huaweicloud_cbr.commands.ci.show.plain import plain
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin
from pulumi_huaweicloud_cbr.commands.ci.text.report import report_of

OURS = "pulumi-python:dynamic/huaweicloud_cbr:"
SINGLE, SET, VAULT, WAIT = (
    "BackupReplication",
    "BackupReplicationSet",
    "VaultReplication",
    "ReplicationsComplete",
)
STACK_URN = "urn:pulumi:dev::cbr-replication::pulumi:pulumi:Stack::cbr-replication-dev"
NOW = datetime(2026, 11, 30, 2, 6, tzinfo=UTC)
EAST = {"destination_region": "cn-east-3", "destination_vault_id": "ca0083e4-1bda"}
SOUTH = {"destination_region": "cn-south-1", "destination_vault_id": "d5e6f708-192a"}
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "value": "x"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn_of(kind: str, name: str) -> str:
    """Return the URN of a resource."""
    type_ = kind if ":" in kind else OURS + kind
    return f"urn:pulumi:dev::cbr-replication::{type_}::{name}"


def step(
    op: str,
    kind: str = SINGLE,
    name: str = "erp-to-cn-east-3",
    *,
    old: Mapping[str, Any] | None = None,
    new: Mapping[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return a step; `old` are outputs and inputs of the state, `new` the new inputs.

    `more` with a name of the engine's state, such as ``retainOnDelete``, goes to the old state.
    """
    made: dict[str, Any] = {"op": op, "urn": urn_of(kind, name)}
    if old is not None:
        made["oldState"] = {"inputs": dict(old), "outputs": dict(old), **more}
    if new is not None:
        made["newState"] = {"inputs": dict(new)}
    return made


def one(backup_id: str = "b-1", **changes: Any) -> dict[str, Any]:
    """Return the inputs of a single replication."""
    return {"__provider": "gASV", "adopt": True, "backup_id": backup_id, **EAST, **changes}


def members(backups: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the inputs of a set."""
    return {"__provider": "gASV", "adopt": True, "backups": dict(backups), **EAST, **changes}


def had(rows: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the state of a set with rows, each a backup or a whole row."""
    whole: dict[str, dict[str, Any]] = {
        label: {
            "status": "success",
            "replication_record_id": f"record-of-{label}",
            **({"backup_id": row} if isinstance(row, str) else row),
        }
        for label, row in rows.items()
    }
    backups = {label: row["backup_id"] for label, row in whole.items()}
    return {**members(backups), "members": whole, **changes}


def document(
    *steps: Mapping[str, Any],
    facts: Iterable[Mapping[str, Any]] | None = None,
    diagnostics: Iterable[Mapping[str, Any]] = (),
    said: str = "",
    exit_code: int = 0,
    **more: Any,
) -> Document:
    """Return a document; with facts it is one of `ci preview`."""
    raw: dict[str, Any] = {
        "config": {"huaweicloud:password": "canary-password"},
        "steps": list(steps),
        "diagnostics": list(diagnostics),
    }
    if facts is not None or more:
        raw["cbr"] = {"format": 1, "facts": list(facts or ()), **more}
    return read_document(json.dumps(raw), said, exit_code)


def plan(*steps: Mapping[str, Any], **more: Any) -> Plan:
    """Return the plan of steps; see `document`."""
    return read_plan(document(*steps, **more))


def comments(
    *steps: Mapping[str, Any], limit: int = 65_000, stack: str = "dev", **more: Any
) -> list[str]:
    """Return the comments about steps; see `document`."""
    read = document(*steps, **more)
    return markdown(report_of(read, read_plan(read), Origin(stack, NOW)), limit)


def comment(*steps: Mapping[str, Any], **more: Any) -> str:
    """Return the only comment about steps."""
    (only,) = comments(*steps, **more)
    return only


def text(*steps: Mapping[str, Any], **more: Any) -> str:
    """Return the report about steps as plain text."""
    read = document(*steps, **more)
    return plain(report_of(read, read_plan(read), Origin("dev", NOW)))


def headline(*steps: Mapping[str, Any], **more: Any) -> str:
    """Return the first line of the report."""
    return text(*steps, **more).splitlines()[0]


def copy_fact(
    backup_id: str, kind: str = SINGLE, name: str = "erp-to-cn-east-3", **more: Any
) -> dict[str, Any]:
    """Return the fact about a copy."""
    return {
        "urn": urn_of(kind, name),
        "kind": "copy",
        "backup_id": backup_id,
        "label": None,
        **more,
    }


def member_fact(
    label: str, backup_id: str, fate: str, name: str = "app-to-cn-east-3"
) -> dict[str, Any]:
    """Return the fact about a member of a set."""
    return {
        "urn": urn_of(SET, name),
        "kind": "member",
        "label": label,
        "backup_id": backup_id,
        "fate": fate,
    }


def vault_fact(
    id_: str = EAST["destination_vault_id"], name: str = "dr-replicas", free_gb: float = 500
) -> dict[str, Any]:
    """Return the fact about a vault."""
    return {"urn": "", "kind": "vault", "id": id_, "name": name, "free_gb": free_gb}
