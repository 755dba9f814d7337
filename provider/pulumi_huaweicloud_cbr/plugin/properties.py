"""Property bags of the engine's protocol: conversion from and to the wire, and detailed diffs."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_huaweicloud_cbr.plugin.secrecy import Secrets, open_secrets, seal_secrets

logger = logging.getLogger(__name__)

PROVIDER_KEY = "__provider"


def from_wire(bag: Struct, *, keep_unknowns: bool = False) -> tuple[dict[str, Any], Secrets]:
    """Return a property bag as the SDK passes it to providers, and its secrets."""
    plain, secrets = open_secrets(bag)
    properties: dict[str, Any] = rpc.deserialize_properties(plain, keep_unknowns)
    return properties, secrets


def to_wire(properties: Mapping[str, Any], secrets: Secrets) -> Struct:
    """Return a property bag for an answer, with the request's secrets marked in it.

    Raises:
        Exception: a value cannot be serialised; the SDK names the property.
    """
    bag = asyncio.run(rpc.serialize_properties(dict(properties), {}))
    seal_secrets(bag, secrets)
    return bag


def serialisable(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the properties that can be serialised."""
    return {key: value for key, value in properties.items() if _is_serialisable(key, value)}


def _is_serialisable(key: str, value: Any) -> bool:
    try:
        to_wire({key: value}, Secrets())
    except Exception as error:  # noqa: BLE001 -- whatever the SDK cannot serialise
        logger.debug("leaving out property %r: %s", key, error)
        return False
    return True


def detailed_diff(
    old: Mapping[str, Any], new: Mapping[str, Any], replaces: Iterable[str]
) -> dict[str, provider_pb2.PropertyDiff]:
    """Return how each property differs, and whether it replaces, by the property's path.

    Of an object, only the members that differ are reported. A property that replaces without a
    change, such as an observed status, is reported too.
    """
    replacing = set(replaces)
    kinds = provider_pb2.PropertyDiff.Kind
    found = {}
    for root in differing(old, new, replacing):
        suffix = "_REPLACE" if root in replacing else ""
        changes = dict(_changes(root, old.get(root, _ABSENT), new.get(root, _ABSENT)))
        for path, name in (changes or {root: "UPDATE"}).items():
            kind = "UPDATE" if name == "DELETE" and suffix else name
            found[path] = provider_pb2.PropertyDiff(kind=kinds.Value(kind + suffix), inputDiff=True)
    return found


def differing(old: Mapping[str, Any], new: Mapping[str, Any], replaces: Iterable[str]) -> list[str]:
    """Return the properties that differ or that replace, sorted."""
    return sorted({*replaces, *_changed_keys(old, new)})


_ABSENT = object()
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def _changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the properties that differ, without the engine's own."""
    return [
        key
        for key in old.keys() | new.keys()
        if not key.startswith("__") and old.get(key) != new.get(key)
    ]


def _changes(path: str, old: Any, new: Any) -> Iterator[tuple[str, str]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in [*new, *(key for key in old if key not in new)]:
            yield from _changes(_member(path, key), old.get(key, _ABSENT), new.get(key, _ABSENT))
    elif old is _ABSENT or new is _ABSENT:
        yield path, "ADD" if old is _ABSENT else "DELETE"
    elif old != new:
        yield path, "UPDATE"


def _member(path: str, key: str) -> str:
    """Return the path of an object's member, as the engine reads it."""
    if _IDENTIFIER.fullmatch(key):
        return f"{path}.{key}"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{escaped}"]'
