"""Property bags on the wire of the engine's protocol, and what differs between two of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf.struct_pb2 import Struct  # type: ignore[import-untyped]
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2

from pulumi_huaweicloud_cbr.plugin.secrecy import Secrets, open_secrets, seal_secrets

logger = logging.getLogger(__name__)

PROVIDER_KEY = "__provider"


def from_wire(bag: Struct, *, keep_unknowns: bool = False) -> tuple[dict[str, Any], Secrets]:
    """Return a property bag as the SDK hands it to providers, and what was secret in it."""
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
    """Return the properties that can be written down."""
    return {key: value for key, value in properties.items() if _is_serialisable(key, value)}


def _is_serialisable(key: str, value: Any) -> bool:
    try:
        to_wire({key: value}, Secrets())
    except Exception as error:  # noqa: BLE001 -- whatever the SDK cannot serialise
        logger.debug("leaving out property %r: %s", key, error)
        return False
    return True


def changed_keys(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the properties that differ, those of the engine's own left out."""
    return sorted(
        key
        for key in old.keys() | new.keys()
        if not key.startswith("__") and old.get(key) != new.get(key)
    )


def detailed_diff(
    old: Mapping[str, Any], new: Mapping[str, Any], replaces: Iterable[str]
) -> dict[str, provider_pb2.PropertyDiff]:
    """Return how each property differs, and whether it replaces.

    A property that replaces without having changed, such as an observed status, is told too.
    """
    replacing = set(replaces)
    kinds = provider_pb2.PropertyDiff.Kind
    found = {}
    for key in [*changed_keys(old, new), *sorted(replacing)]:
        name = "ADD" if key not in old and key in new else "UPDATE"
        if key in old and key not in new and key not in replacing:
            name = "DELETE"
        suffix = "_REPLACE" if key in replacing else ""
        found[key] = provider_pb2.PropertyDiff(kind=kinds.Value(name + suffix), inputDiff=True)
    return found
