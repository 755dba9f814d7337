"""World files, in YAML (JSON is YAML too), and their errors: a line for each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from simulator.cloud import specs
from simulator.cloud.specs import World, WorldError

__all__ = ["World", "WorldError", "load_world"]

_SECTIONS: dict[str, type[BaseModel]] = {
    "accounts": specs.Account,
    "users": specs.User,
    "access_keys": specs.AccessKey,
    "regions": specs.Region,
    "projects": specs.SubProject,
    "vaults": specs.VaultSpec,
    "backups": specs.BackupSpec,
    "copy": specs.CopyScript,
    "default_copy": specs.CopyScript,
    "options": specs.Options,
    "rate_limit": specs.RateLimit,
    "operation_limits": specs.Limit,
}

_SECRETS = ("password", "secret_key", "security_token")


def load_world(path: Path) -> World:
    """Read a world file: JSON if it is named so, otherwise YAML.

    Raises:
        WorldError: it cannot be read, is not YAML, or does not describe a world.
    """
    try:
        text = path.read_text(encoding="utf-8")
        # For a big world, YAML takes seconds.
        document: Any = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except OSError as error:
        raise WorldError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise WorldError(f"{path}: is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise WorldError(f"{path}: is not JSON: {error}") from error
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise WorldError(f"{path}: is not YAML: {where}") from error
    if not isinstance(document, dict):
        raise WorldError(f"{path}: want a mapping with accounts, regions, vaults and backups")
    try:
        return World.model_validate(document)
    except ValidationError as error:
        lines = [f"{path}: {line}" for line in _lines(error)]
        raise WorldError("\n".join(lines)) from None


def _lines(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_context=False):
        reason = fault["msg"].removeprefix("Value error, ")
        if not fault["loc"]:
            # The references between parts, each with its own path.
            yield from reason.splitlines()
            continue
        where = ".".join(str(part) for part in fault["loc"])
        if fault["type"] == "extra_forbidden":
            yield f"{where}: found an unknown key, want one of {_known_keys(fault['loc'])}"
        elif fault["type"] == "missing":
            yield f"{where}: found nothing, want a value"
        else:
            reason = reason.replace("Input should be ", "want ", 1)
            found = "a value" if fault["loc"][-1] in _SECRETS else repr(fault["input"])
            yield f"{where}: found {found}, {reason[0].lower()}{reason[1:]}"


def _known_keys(where: tuple[int | str, ...]) -> str:
    # Names of operations are keys as well, and no sections.
    sections = [part for part in where[:-1] if isinstance(part, str) and part in _SECTIONS]
    part = _SECTIONS[sections[-1]] if sections else World
    return ", ".join(field.alias or name for name, field in part.model_fields.items())
