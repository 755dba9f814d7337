"""A report whose texts can be written into any document: valid, without secrets, inert."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from pulumi_huaweicloud_cbr.base.text import inert, redact

Value = TypeVar("Value")

_NOT_TEXT = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""Halves of characters, which JSON can have and UTF-8 cannot, and what XML 1.0 does not allow."""


def cleaned(value: Value) -> Value:
    """Return a report, or a part of it, with each text cleaned. Line breaks become spaces.

    Characters that act, such as ESC, are escaped: they are no part of XML or OpenMetrics, or they
    reorder what follows. What looks like a secret is replaced.
    """
    result: Value = _cleaned(value)
    return result


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return _NOT_TEXT.sub("\ufffd", inert(redact(" ".join(value.split("\n")))))
    if isinstance(value, tuple):
        return tuple(_cleaned(one) for one in value)
    if is_dataclass(value) and not isinstance(value, type):
        before = {one.name: getattr(value, one.name) for one in fields(value)}
        after = {name: _cleaned(one) for name, one in before.items()}
        return replace(value, **{name: one for name, one in after.items() if one != before[name]})
    return value
