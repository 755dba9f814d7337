"""The journal: every request as it arrived, without its secrets."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

from starlette.types import Scope

from simulator.cloud.cloud import Cloud
from simulator.cloud.operations import operation_of

_SECRET_KEYS = ("password", "token", "secret")
_HIDDEN = "[hidden]"


def describe(scope: Scope, body: bytes, cloud: Cloud) -> dict[str, Any]:
    """Return a request in the journal's terms; headers by name only."""
    operation = operation_of(scope["method"], scope["path"])
    project_id = operation.ids.get("project_id")
    prefix = scope["state"]["region"]
    return {
        "time": cloud.clock.now(),
        "method": scope["method"],
        "path": scope["path"],
        "query": unquote(scope["query_string"].decode()),
        "operation": operation.name,
        "region": prefix or cloud.project_regions.get(project_id or ""),
        "has_region_prefix": prefix is not None,
        "project_id": project_id,
        "backup_id": operation.ids.get("backup_id"),
        "headers": sorted({key.decode().lower() for key, _ in scope["headers"]}),
        "body": _without_secrets(body),
    }


def note(cloud: Cloud, request: dict[str, Any], status: int | None, fault: str | None) -> None:
    """Log a request; `status` is None if nothing was answered."""
    row = {key: request[key] for key in ("operation", "method", "backup_id")}
    row["entry"] = {**request, "status": status, "fault": fault}
    cloud.note(row)


def _without_secrets(body: bytes) -> Any:
    try:
        return _hide(json.loads(body)) if body else None
    except ValueError:
        return None


def _hide(value: Any, key: str = "") -> Any:
    is_secret = any(word in key.lower() for word in _SECRET_KEYS)
    if isinstance(value, dict):
        # {"token": {"id": …}} has a secret under another name.
        inherited = "token" if "token" in key.lower() else ""
        return {name: _hide(inner, inherited or str(name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_hide(inner, key) for inner in value]
    return _HIDDEN if is_secret and isinstance(value, str) else value
