"""A place for states: what the CLI is told, and what lies there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """A folder, a bucket or a database for the states of one test.

    `url` and `environment` are what the CLI is given. `read` returns what lies there, by key.
    Its argument selects the keys that begin so.
    """

    url: str
    read: Callable[[str], dict[str, bytes]]
    environment: dict[str, str] = field(default_factory=dict)


def folder_place(folder: Path) -> Place:
    """Return a place in a folder."""
    return Place(f"file://{folder}", lambda under: files_in(folder, under))


def files_in(folder: Path, under: str) -> dict[str, bytes]:
    """Return the files below a path of a folder, by their paths; those that vanish are left out."""
    found = {}
    for path in (folder / under).rglob("*"):
        try:
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = path.read_bytes()
        except FileNotFoundError:
            continue
    return found
