"""Make a copy of the project whose preview needs no credentials at all.

The copy's stack configuration has preflight off for the whole run. It has no secret (it could not
be decrypted) and no encryption salt (it would ask for a passphrase). Where the program requires a
value that is secret, a stand-in of zeros replaces it. Everything else is a link to the original, so
relative paths in Pulumi.yaml stay valid. The original is not changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError

_PROJECT_FILE = "Pulumi.yaml"
_SECRET_KEY = "secure"  # noqa: S105 - the key under which Pulumi stores an encrypted value
_ENCRYPTION_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
# The namespace is the program's (stacks/model.py), whatever the name of the project.
_NAMESPACE = "cbr-replication"
# Overrides defaults and entries.
_PREFLIGHT_KEY = f"{_NAMESPACE}:preflight"
# What an entry or a selection needs; the program does without other values.
_IDS = ("backup_id", "vault_id", "resource_id", "backups")
_TIMES = ("created_at", "created_since", "created_until")


def make_offline_project(root: Path, stack: str, destination: Path) -> None:
    """Create `destination` as the offline copy of the project at `root`, for one stack.

    Raises:
        ConfigurationError: a file of the project is missing, or cannot be read.
    """
    import yaml

    root = root.resolve()
    project = _read(root / _PROJECT_FILE)
    config_dir = Path(str(project.get("stackConfigDir", ".")))
    file_name = f"Pulumi.{stack.rpartition('/')[2]}.yaml"
    configuration = _read(root / config_dir / file_name)
    destination.mkdir(parents=True)
    _link_all(root, destination)
    folder = destination
    for part in config_dir.parts:  # real folders above the configuration, links beside them
        source = root / (folder / part).relative_to(destination)
        folder = folder / part
        folder.unlink()
        folder.mkdir()
        _link_all(source, folder)
    (folder / file_name).unlink()
    offline = yaml.safe_dump(without_credentials(configuration), sort_keys=False)
    (folder / file_name).write_text(offline, encoding="utf-8")


def without_credentials(configuration: dict[str, Any]) -> dict[str, Any]:
    """Return a stack's configuration without secrets, and with preflight off."""
    cleaned = {key: value for key, value in configuration.items() if key not in _ENCRYPTION_KEYS}
    values = _without_secrets(configuration.get("config") or {}, (), itertools.count(1))
    return {**cleaned, "config": {**values, _PREFLIGHT_KEY: "off"}}


def _without_secrets(value: Any, at: tuple[str, ...], numbers: Iterator[int]) -> Any:
    """Return a value without its secrets, or with stand-ins for them.

    Args:
        at: the keys that lead to the value.
        numbers: of stand-ins; each is another one, as two backups are.
    """
    if isinstance(value, dict):
        members = {
            key: _stand_in((*at, str(key)), numbers) if _is_secret(item) else item
            for key, item in value.items()
        }
        kept = {key: item for key, item in members.items() if item is not None or not value[key]}
        return {key: _without_secrets(item, (*at, str(key)), numbers) for key, item in kept.items()}
    if isinstance(value, list):
        listed = [_stand_in(at, numbers) if _is_secret(item) else item for item in value]
        return [_without_secrets(item, at, numbers) for item in listed if item is not None]
    return value


def _stand_in(at: tuple[str, ...], numbers: Iterator[int]) -> str | None:
    """Return what replaces a secret, None if nothing does."""
    if not at[0].startswith(f"{_NAMESPACE}:") or len(at) == 1:
        return None
    if at[-1] in _TIMES:
        return "1970-01-01T00:00:00Z"
    if at[-1] in _IDS or at[-2] == "backups":
        return f"00000000-0000-0000-0000-{next(numbers):012}"
    return "secret" if at[-2] == "select" else None


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {_SECRET_KEY}


def _link_all(source: Path, destination: Path) -> None:
    for entry in source.iterdir():
        (destination / entry.name).symlink_to(entry.resolve())


def _read(path: Path) -> dict[str, Any]:
    # The SDK brings it along.
    import yaml

    doing = f"reading {path.name} for a preview without credentials"
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{doing}: there is no {path}", remedy="give the name of a stack that has a file"
        ) from None
    except yaml.YAMLError as exc:
        raise ConfigurationError(f"{doing}: it is not valid YAML: {exc}") from exc
    if not isinstance(content, dict):
        raise ConfigurationError(f"{doing}: it holds no settings")
    return content
