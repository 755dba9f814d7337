"""The JSON of `pulumi preview --json`, with the facts that `ci preview` adds to it.

It may be missing or broken: a preview that fails early prints no JSON, or something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

FACTS_KEY = "cbr"
"""The key of a document under which `ci preview` keeps what it adds."""
FORMAT = 1
OURS = "pulumi-python:dynamic/huaweicloud_cbr:"
STACK_TYPE = "pulumi:pulumi:Stack"
SECRET = "[secret]"  # noqa: S105 -- what the CLI prints instead of one
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""Pulumi's sign for a value that is known only after an update (sdk, plugin.UnknownStringValue)."""
_SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
"""The key that marks a special value, such as a secret (sdk, resource.SigKey)."""


@dataclass(frozen=True)
class Step:
    """What a preview would do with one resource. `old` and `new` are its states, perhaps empty."""

    op: str
    urn: str
    old: Mapping[str, Any]
    new: Mapping[str, Any]
    replace_reasons: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Return the resource's type."""
        parts = self.urn.split("::", 3)
        return parts[2].rpartition("$")[2] if len(parts) == 4 else ""

    @property
    def name(self) -> str:
        """Return the resource's name in the program."""
        parts = self.urn.split("::", 3)
        return parts[3] if len(parts) == 4 else self.urn

    @property
    def kind(self) -> str:
        """Return the class of a resource of this package, empty for any other."""
        return self.type.removeprefix(OURS) if self.type.startswith(OURS) else ""


@dataclass(frozen=True)
class Document:
    """A preview as printed.

    `said` is what the command printed beside the JSON, or instead of it. `has_facts`: a
    `ci preview` wrote it, so that facts are complete. `is_read`: there was a plan, or a part of it.
    `exit_code` is the command's. `stack`, `note` and `is_offline` are what `ci preview` noted.
    """

    steps: tuple[Step, ...] = ()
    diagnostics: tuple[Mapping[str, Any], ...] = ()
    facts: tuple[Mapping[str, Any], ...] = ()
    said: str = ""
    has_facts: bool = False
    is_read: bool = False
    exit_code: int = 0
    stack: str = ""
    note: str = ""
    is_offline: bool = False
    raw: Mapping[str, Any] = field(default_factory=dict)


def read_document(printed: str, said: str = "", exit_code: int | None = None) -> Document:
    """Read what a preview printed.

    Args:
        said: what it printed as errors.
        exit_code: its own; default: what the document says, else that of a success.
    """
    try:
        raw = json.loads(printed) if printed.strip() else None
    except (ValueError, RecursionError):
        raw = None
    if not isinstance(raw, dict):
        told = "\n".join(part for part in (printed.strip(), said.strip()) if part)
        return Document(said=told, exit_code=1 if exit_code is None else exit_code)
    added = mapping(raw.get(FACTS_KEY))
    return Document(
        steps=tuple(_step(one) for one in mappings(raw.get("steps"))),
        diagnostics=tuple(mappings(raw.get("diagnostics"))),
        facts=tuple(mappings(added.get("facts"))),
        said="\n".join(part for part in (text(added.get("said")), said.strip()) if part),
        has_facts=added.get("format") == FORMAT,
        is_read="steps" in raw or "diagnostics" in raw,
        exit_code=exit_code if exit_code is not None else int(number(added.get("exit_code")) or 0),
        stack=text(added.get("stack")),
        note=text(added.get("note")),
        is_offline=added.get("is_offline") is True,
        raw=raw,
    )


def _step(raw: Mapping[str, Any]) -> Step:
    return Step(
        op=text(raw.get("op")),
        urn=text(raw.get("urn")),
        old=mapping(raw.get("oldState")),
        new=mapping(raw.get("newState")),
        replace_reasons=tuple(text(one) for one in sequence(raw.get("replaceReasons"))),
    )


def mapping(value: object) -> Mapping[str, Any]:
    """Return a value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """Return a value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects in a list."""
    return (one for one in sequence(value) if isinstance(one, dict))


def text(value: object) -> str:
    """Return a value if it is a text, else an empty one."""
    return value if isinstance(value, str) else ""


def known_text(value: object) -> str | None:
    """Return a text that is neither secret, nor known only during an update; None otherwise."""
    return value if isinstance(value, str) and value not in ("", SECRET, UNKNOWN) else None


def number(value: object) -> float | None:
    """Return a value if it is a finite number, else None."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e15 else None


def is_hidden(value: object) -> bool:
    """Whether a value is a secret, or has one in it."""
    if isinstance(value, dict):
        return _SIGNATURE_KEY in value or any(is_hidden(one) for one in value.values())
    if isinstance(value, list):
        return any(is_hidden(one) for one in value)
    return value == SECRET


def without_secrets(value: Any) -> Any:
    """Return a value with each secret replaced."""
    if isinstance(value, dict):
        if _SIGNATURE_KEY in value:
            return SECRET
        return {key: without_secrets(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    return value
