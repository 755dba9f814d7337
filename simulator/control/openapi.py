"""The OpenAPI document of the simulator's own routes: accepted requests, and refusals.

Parameters and bodies are those that requests are checked against. Answers are described only as
objects: the contract tests compare their fields with the vendor's models.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from simulator.cloud.operations import operation_of

_TEXT = {"type": "string"}
_NULL = {"type": "null"}


def _closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name != "request_id"],
        "additionalProperties": False,
    }


_CODE = {"type": "string", "pattern": r"^(BackupService|APIGW|IAM)\.[0-9]{4}$"}
_NUMBER = {"type": "integer", "minimum": 400, "maximum": 499}
_REFUSAL = {
    "anyOf": [
        _closed(error_code=_CODE, error_msg=_TEXT, request_id=_TEXT),
        _closed(error=_closed(code=_NUMBER, message=_TEXT, title=_TEXT)),
        _closed(unauthorized=_closed(code=_TEXT, message=_TEXT)),
    ]
}
_REFUSALS = {
    str(status): {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
    }
    for status, description in {
        400: "Parameters are wrong, or a rule of the service is broken.",
        401: "Nobody is signed in, or in another project.",
        404: "What the path names does not exist.",
        429: "Too many requests.",
    }.items()
}


def document(app: FastAPI, without: str) -> dict[str, Any]:
    """Return the document of an application's routes, except those below a path."""
    described = get_openapi(
        title="CBR and IAM, simulated", version="v3", routes=app.routes, openapi_version="3.1.0"
    )
    paths = {
        path: methods
        for path, methods in described["paths"].items()
        if not path.startswith(without)
    }
    for path, methods in paths.items():
        for method in methods:
            # A name in braces matches any one part, in the path and in the operations' table.
            like = re.sub(r"[{}]", "", path)
            name = operation_of(method.upper(), like).name
            methods[method].pop("summary", None)
            methods[method]["operationId"] = name
            methods[method]["responses"].pop("422", None)
            methods[method]["responses"] |= _REFUSALS
    schemas = {**described["components"]["schemas"], "Refusal": _REFUSAL}
    used = _used(paths, schemas)
    described["paths"] = _without_null(paths)
    described["components"]["schemas"] = {
        name: _without_null(schema) for name, schema in schemas.items() if name in used
    }
    return described


def _without_null(value: Any) -> Any:
    """Return a part of a document with the same rules as requests: None means "not given" only."""
    if isinstance(value, list):
        return [_without_null(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _without_null(inner) for key, inner in value.items()}
    if _NULL in kept.get("anyOf", []):
        choices = [choice for choice in kept.pop("anyOf") if choice != _NULL]
        kept |= choices[0] if len(choices) == 1 else {"anyOf": choices}
    return kept


def _used(part: Any, schemas: dict[str, Any]) -> set[str]:
    """Return the schemas that a part of a document refers to, directly or not."""
    found: set[str] = set()
    new = _named(part)
    while new:
        found |= new
        new = set().union(*(_named(schemas[name]) for name in new)) - found
    return found


def _named(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*(_named(inner) for inner in part))
    if not isinstance(part, dict):
        return set()
    own = {part["$ref"].rpartition("/")[2]} if "$ref" in part else set()
    return own.union(*(_named(inner) for inner in part.values()))
