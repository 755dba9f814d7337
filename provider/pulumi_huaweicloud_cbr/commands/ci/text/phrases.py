"""Phrases: words of ours with values of others between them.

A value is never markup, whatever it holds. So the two are kept apart until a phrase is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class Value(str):
    """A text of a program, a configuration or the API."""

    __slots__ = ()


class Strong(str):
    """Words of ours that stand out."""

    __slots__ = ()


Part = str
"""Words of ours, `Strong` ones, or a `Value`."""
Phrase = tuple[Part, ...]


@dataclass(frozen=True)
class Table:
    """Rows of phrases under a head; a cell of the head is words of ours."""

    head: tuple[str, ...]
    rows: tuple[tuple[Phrase, ...], ...]


@dataclass(frozen=True)
class Block:
    """Lines of output as they are, and the resources that reported them."""

    text: str
    resources: tuple[str, ...] = ()


def joined(phrases: Iterable[Phrase], between: str = ", ") -> Phrase:
    """Return phrases one after the other."""
    parts: list[Part] = []
    for phrase in phrases:
        if parts:
            parts.append(between)
        parts.extend(phrase)
    return tuple(parts)
