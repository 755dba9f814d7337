"""What can be read of an answer that is not of the documented form in every part.

One odd value makes one thing unknown, and nothing else. A field that cannot be read counts as left
out. A row or a replication record without a readable id gets an id of its own, which no request
accepts: so it stays visible that there is something. Only answers to look-ups are read in this way,
and only if they cannot be read as they are.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from pulumi_huaweicloud_cbr.api.wire.requests import UNREADABLE

_ID_CHARS = 12


class _OddError(Exception):
    """A value of which nothing can be used."""


def salvaged(model: type[Struct], value: Any) -> Any:
    """Return the readable part of a decoded JSON value, in the form of a model.

    Raises:
        msgspec.ValidationError: too little can be read.
    """
    try:
        readable = _object(model, value)
    except _OddError:
        readable = value
    return msgspec.convert(readable, model, strict=False)


def _object(model: type[Struct], value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _OddError
    kept = {}
    for field, hint in _fields_of(model):
        name = field.encode_name
        if name in value:
            try:
                kept[name] = _value(hint, field, value[name])
            except _OddError:
                if field.required or name in _strict_fields(model):
                    raise
        elif field.required:
            kept[name] = _without(hint, value)
    return kept


@functools.cache
def _fields_of(model: type[Struct]) -> tuple[tuple[FieldInfo, Any], ...]:
    hints = get_type_hints(model, include_extras=True)
    return tuple((field, hints[field.name]) for field in fields(model))


def _strict_fields(model: type[Struct]) -> frozenset[str]:
    strict: frozenset[str] = getattr(model, "strict_fields", frozenset())
    return strict


def _without(hint: Any, value: dict[str, Any]) -> list[Any]:
    """Return the rows of a page that has none, if its count shows that it is a page."""
    _, is_list = _nested(hint)
    if is_list and isinstance(value.get("count"), int):
        return []
    raise _OddError


def _value(hint: Any, field: FieldInfo, value: Any) -> Any:
    model, is_list = _nested(hint)
    if model is None:
        return _plain(hint, value)
    if is_list:
        if value is None:
            return [] if field.required else None
        rows = value if isinstance(value, list) else [value]
        if field.required and not isinstance(value, list):
            raise _OddError
        return _rows(model, rows)
    if value is None and not field.required:
        # A null where the model has no null: as if it were left out.
        raise _OddError
    return _object(model, value)


def _rows(model: type[Struct], values: list[Any]) -> list[Any]:
    """Return the readable parts of rows; a stand-in for each that has no readable id.

    Rows of a model without an id cannot have a stand-in, and are left out.
    """
    rows = []
    alike: Counter[str] = Counter()
    for value in values:
        try:
            rows.append(value if _fits(model, value) else _object(model, value))
        except _OddError:
            made = _made_id(value)
            alike[made] += 1
            stand_in = {"id": f"{UNREADABLE}{made}-{alike[made]}>"}
            rows += [stand_in] if _fits(model, stand_in) else []
    return rows


def _fits(hint: Any, value: Any) -> bool:
    try:
        msgspec.convert(value, hint, strict=False)
    except msgspec.ValidationError:
        return False
    return True


def _made_id(value: Any) -> str:
    """Return an id that is the same each time that the row is listed."""
    return hashlib.sha256(repr(value).encode(errors="replace")).hexdigest()[:_ID_CHARS]


def _plain(hint: Any, value: Any) -> Any:
    if not _fits(hint, value):
        raise _OddError
    return value


def _nested(hint: Any) -> tuple[type[Struct] | None, bool]:
    """Return the model in an annotation, and whether it is a list of them."""
    for part in (hint, *get_args(hint)):
        if isinstance(part, type) and issubclass(part, Struct):
            return part, False
        if get_origin(part) is tuple:
            (item, *_) = get_args(part)
            if isinstance(item, type) and issubclass(item, Struct):
                return item, True
    return None, False
