"""Secrets in property bags: plain for the provider, marked as secret again in its answer.

The engine sends secrets only to plugins that promise to return them as secrets. A provider of a
dynamic resource works with plain values. So the marks are removed before its call, and set after
it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from google.protobuf.struct_pb2 import Struct, Value  # type: ignore[import-untyped]
from pulumi.runtime import rpc

from pulumi_huaweicloud_cbr.base.text import remember_secret
from pulumi_huaweicloud_cbr.engine.ownership.state import SIGNATURE_KEY

# From the engine's protocol: the kind of an object with `SIGNATURE_KEY`.
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 -- a marker, no secret
_MARK = SECRET_SIGNATURE.encode()
SHORTEST_TEXT = 4
"""Shorter secrets would mark ordinary words as secret wherever they appear."""

Path = tuple[str | int, ...]


@dataclass
class Secrets:
    """The secrets of a bag: their paths, and their texts."""

    paths: set[Path] = field(default_factory=set)
    texts: set[str] = field(default_factory=set, repr=False)

    def __or__(self, other: Secrets) -> Secrets:
        """Return the secrets of both."""
        return Secrets(self.paths | other.paths, self.texts | other.texts)

    def are_in(self, place: str) -> bool:
        """Whether a property has a secret; its name may go on with the place in it."""
        name = place.partition("[")[0].partition(".")[0]
        return any(path[0] == name for path in self.paths)


def open_secrets(bag: Struct) -> tuple[Struct, Secrets]:
    """Return the bag with plain values, and its secrets; without secrets it is the same bag.

    From now on, `redact` removes the texts from all messages of this process.
    """
    if _MARK not in bag.SerializeToString():
        # Nothing is marked, so there is no need to walk through a state of thousands of rows.
        return bag, Secrets()
    plain = Struct()
    plain.CopyFrom(bag)
    secrets = Secrets()
    for key in plain.fields:
        _open(plain.fields[key], (key,), secrets)
    for text in secrets.texts:
        remember_secret(text)
    return plain, secrets


def _open(value: Value, path: Path, secrets: Secrets) -> None:
    while _is_secret(value):
        inner = Value()
        inner.CopyFrom(value.struct_value.fields["value"])
        value.CopyFrom(inner)
        secrets.paths.add(path)
        if not str(path[0]).startswith("__"):  # of the SDK's own: a provider's pickle
            secrets.texts.update(
                text for text in _texts(value) if len(text) >= SHORTEST_TEXT and text != rpc.UNKNOWN
            )
    for step, member in _members(value):
        _open(member, (*path, step), secrets)


def seal_secrets(bag: Struct, secrets: Secrets) -> None:
    """Mark as secret what was secret in the request, and each text that contains a secret.

    A value that is derived from a secret without its text, such as a hash, is not recognised:
    `additional_secret_outputs` is for that.
    """
    if not secrets.paths and not secrets.texts:
        return
    for key in bag.fields:
        _seal(bag.fields[key], (key,), secrets)


def _seal(value: Value, path: Path, secrets: Secrets) -> None:
    if _is_secret(value):
        return
    is_derived = value.HasField("string_value") and any(
        text in value.string_value for text in secrets.texts
    )
    if path in secrets.paths or is_derived:
        sealed = Value()
        sealed.struct_value.fields[SIGNATURE_KEY].string_value = SECRET_SIGNATURE
        sealed.struct_value.fields["value"].CopyFrom(value)
        value.CopyFrom(sealed)
        return
    for step, member in _members(value):
        _seal(member, (*path, step), secrets)


def _is_secret(value: Value) -> bool:
    if not value.HasField("struct_value"):
        return False
    fields = value.struct_value.fields
    return SIGNATURE_KEY in fields and fields[SIGNATURE_KEY].string_value == SECRET_SIGNATURE


def _members(value: Value) -> Iterator[tuple[str | int, Value]]:
    if value.HasField("struct_value"):
        for key in value.struct_value.fields:
            yield key, value.struct_value.fields[key]
    elif value.HasField("list_value"):
        yield from enumerate(value.list_value.values)


def _texts(value: Value) -> Iterator[str]:
    if value.HasField("string_value"):
        yield value.string_value
    for _, member in _members(value):
        yield from _texts(member)
