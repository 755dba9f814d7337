"""The files ``Pulumi.NAME.yaml`` of a project: which there are, and what an estate makes of them.

What is encrypted in such a file, and the keys that encrypt it, are never lost.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.commands.fleet.estate import StackEntry

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml")
_STACK_FILE = re.compile(r"Pulumi\.(.+)\.yaml")
_SECURE = "secure"
"""The key under which Pulumi stores an encrypted value."""


@dataclass(frozen=True)
class StackFile:
    """A stack's file, as it is and as the estate wants it."""

    path: Path
    present: Mapping[str, Any]
    wanted: Mapping[str, Any]

    @property
    def differs(self) -> bool:
        """Whether the estate's configuration is another one than the file's."""
        return _as_stored(self.present.get("config") or {}) != _as_stored(self.wanted["config"])

    def write(self, path: Path | None = None) -> None:
        """Write what the estate wants, all of it or nothing.

        Args:
            path: another file than the stack's own, for a preview.
        """
        import yaml

        target = path or self.path
        text = yaml.safe_dump(dict(self.wanted), sort_keys=False, allow_unicode=True)
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        # As a new file would be: mkstemp's are readable by their owner alone.
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        Path(name).chmod(mode)
        Path(name).replace(target)


def config_folder(project: Path) -> Path:
    """Return the folder of the stacks' files.

    Raises:
        ConfigurationError: there is no project, or its file cannot be read.
    """
    for name in _PROJECT_FILES:
        if (project / name).is_file():
            chosen = _read(project / name).get("stackConfigDir") or "."
            return project / str(chosen)
    raise ConfigurationError(
        f"looking for the project: there is no Pulumi.yaml in {str(project)!r}",
        remedy="run this in the project's directory, or give it with --cwd",
    )


def stacks_in(folder: Path) -> tuple[StackEntry, ...]:
    """Return the stacks that have a file, by name."""
    found = (_STACK_FILE.fullmatch(path.name) for path in folder.glob("Pulumi.*.yaml"))
    return tuple(StackEntry(name) for name in sorted(one[1] for one in found if one))


def read_stack_file(folder: Path, stack: StackEntry) -> StackFile:
    """Return a stack's file, with the configuration that the estate declares.

    Values that are encrypted in the file stay; a plain one that the estate lacks goes.

    Raises:
        ConfigurationError: the file cannot be read, or the estate declares a key that has a secret
            in the file.
    """
    path = folder / f"Pulumi.{stack.name}.yaml"
    present = _read(path) if path.exists() else {}
    config = present.get("config") or {}
    if not isinstance(config, dict):
        raise ConfigurationError(
            f"reading {path.name}: config is not a mapping", remedy="correct the file"
        )
    if stack.config is None:
        return StackFile(path, present, {**present, "config": config})
    secret = {key: value for key, value in config.items() if _has_secret(value)}
    both = sorted(secret.keys() & stack.config.keys())
    if both:
        raise ConfigurationError(
            f"configuring stack {stack.name!r}: {path.name} has a secret in {listed(both)}, which "
            "the estate declares too",
            remedy="take it out of one of them; nothing was changed",
        )
    return StackFile(path, present, {**present, "config": {**stack.config, **secret}})


def _as_stored(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration as the CLI writes it: a number or a flag of a key becomes text."""
    return {
        key: str(value).lower() if isinstance(value, (bool, int, float)) else value
        for key, value in config.items()
    }


def _has_secret(value: Any) -> bool:
    if isinstance(value, dict):
        return set(value) == {_SECURE} or any(_has_secret(one) for one in value.values())
    return isinstance(value, list) and any(_has_secret(one) for one in value)


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise ConfigurationError(
            f"reading {path.name}: {getattr(error, 'problem', None) or type(error).__name__}",
            remedy="correct the file",
        ) from None
    if document is not None and not isinstance(document, dict):
        raise ConfigurationError(
            f"reading {path.name}: it is not a mapping", remedy="correct the file"
        )
    return document or {}
