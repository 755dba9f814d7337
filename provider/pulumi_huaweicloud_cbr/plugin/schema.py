"""The Pulumi schema of this package's resources, from which `pulumi import` prints code.

The inputs are read from the Args classes, so a new input is printed too. The schema has no outputs,
because no code is printed from them.
"""

from __future__ import annotations

import json
import types
from collections.abc import Awaitable, Mapping, Sequence
from functools import cache
from typing import (
    Any,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

import pulumi
from pulumi.dynamic import Resource

from pulumi_huaweicloud_cbr.resources._arguments.reading import inputs_of
from pulumi_huaweicloud_cbr.resources.backup_replication import (
    BackupReplication,
    BackupReplicationArgs,
)
from pulumi_huaweicloud_cbr.resources.backup_replication_set import (
    BackupReplicationSet,
    BackupReplicationSetArgs,
)
from pulumi_huaweicloud_cbr.resources.replications_complete import (
    ReplicationsComplete,
    ReplicationsCompleteArgs,
)
from pulumi_huaweicloud_cbr.resources.vault_replication import (
    VaultReplication,
    VaultReplicationArgs,
)

PACKAGE = "pulumi-python"
"""The package of every dynamic resource: types begin with it, and the engine calls that plugin."""
MODULE = "dynamic/huaweicloud_cbr"
IMPORTED = "pulumi_huaweicloud_cbr"
"""The module that printed code imports; it has the resources under their names."""

ARGUMENTS: dict[type[Resource], type[Any]] = {
    BackupReplication: BackupReplicationArgs,
    BackupReplicationSet: BackupReplicationSetArgs,
    ReplicationsComplete: ReplicationsCompleteArgs,
    VaultReplication: VaultReplicationArgs,
}

_PLAIN = {bool: "boolean", int: "integer", float: "number", str: "string"}
_ANY = {"$ref": "pulumi.json#/Any"}


class _Backup:
    """Stands for `Backup`, whose module is not loaded here."""


# `pulumi.Input`, and the types of members, refer to these by name.
_NAMES = {"Output": pulumi.Output, "T": TypeVar("T"), "Backup": _Backup}
_LATER = (Awaitable, pulumi.Output, pulumi.Resource, _Backup)
"""What programs may pass instead of a value; a state never has it."""


@cache
def schema_text(version: str) -> str:
    """Return the schema as JSON for the engine, with the version of the plugin."""
    python = {"packageName": IMPORTED, "moduleNameOverrides": {MODULE: ""}}
    return json.dumps(
        {
            "name": PACKAGE,
            "version": version,
            "language": {"python": python},
            "resources": {
                f"{PACKAGE}:{MODULE}:{resource.__name__}": _described(resource, form)
                for resource, form in ARGUMENTS.items()
            },
        }
    )


def _described(resource: type[Resource], form: type[Any]) -> dict[str, Any]:
    return {
        "description": (resource.__doc__ or "").partition("\n")[0],
        "inputProperties": types_of(form),
        "requiredInputs": [name for name, is_required in inputs_of(form).items() if is_required],
    }


def types_of(form: type[Any]) -> dict[str, dict[str, Any]]:
    """Return the types of an Args class's fields, in the form of the schema."""
    hints = get_type_hints(form, localns=_NAMES)
    return {name: _type_of(hints[name]) for name in inputs_of(form)}


def _type_of(hint: Any) -> dict[str, Any]:
    kinds = []
    for member in _members(hint):
        kind = _kind_of(member)
        if kind is not None and kind not in kinds:
            kinds.append(kind)
    return kinds[0] if len(kinds) == 1 else {"oneOf": kinds}


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _kind_of(hint: Any) -> dict[str, Any] | None:
    origin, parts = get_origin(hint) or hint, get_args(hint)
    if origin is Literal:
        origin = type(parts[0])
    if origin is type(None) or (isinstance(origin, type) and issubclass(origin, _LATER)):
        return None
    if origin in _PLAIN:
        return {"type": _PLAIN[origin]}
    if origin is Any:
        return _ANY
    return _collection_of(hint, origin, parts)


def _collection_of(hint: Any, origin: Any, parts: tuple[Any, ...]) -> dict[str, Any]:
    if is_typeddict(origin):
        return {"type": "object", "additionalProperties": _ANY}
    if issubclass(origin, Mapping) and parts:
        return {"type": "object", "additionalProperties": _type_of(parts[1])}
    if issubclass(origin, Sequence) and parts:
        return {"type": "array", "items": _type_of(parts[0])}
    raise TypeError(f"a schema has no words for {hint!r}")
