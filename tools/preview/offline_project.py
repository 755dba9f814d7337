"""Make a copy of the project whose preview needs no credentials at all.

The copy's stack configuration has preflight off for the whole run. It has no secret (it could not
be decrypted) and no encryption salt (it would ask for a passphrase). Everything else is a link to
the original, so relative paths in Pulumi.yaml stay valid. The original is not changed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import yaml

_PROJECT_FILE = "Pulumi.yaml"
_SECRET_KEY = "secure"  # noqa: S105 - the key under which Pulumi stores an encrypted value
_ENCRYPTION_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
# Overrides defaults and entries; declared in Pulumi.yaml.
_PREFLIGHT_KEY = "preflight"


class ProjectError(Exception):
    """The project cannot be previewed; the message has the reason."""


def make_offline_project(root: Path, stack: str, destination: Path) -> None:
    """Create `destination` as the offline copy of the project at `root`, for one stack."""
    project = _read(root / _PROJECT_FILE)
    name = str(project.get("name", ""))
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
    offline = yaml.safe_dump(without_credentials(configuration, name), sort_keys=False)
    (folder / file_name).write_text(offline, encoding="utf-8")


def without_credentials(configuration: dict[str, Any], project: str) -> dict[str, Any]:
    """Return a stack's configuration without secrets, and with preflight off."""
    cleaned = {key: value for key, value in configuration.items() if key not in _ENCRYPTION_KEYS}
    values = _without_secrets(configuration.get("config") or {})
    return {**cleaned, "config": {**values, f"{project}:{_PREFLIGHT_KEY}": "off"}}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if not _is_secret(item)}
        return {key: _without_secrets(item) for key, item in kept.items()}
    if isinstance(value, list):
        return [_without_secrets(item) for item in value if not _is_secret(item)]
    return value


def _is_secret(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {_SECRET_KEY}


def _link_all(source: Path, destination: Path) -> None:
    for entry in source.iterdir():
        (destination / entry.name).symlink_to(entry.resolve())


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ProjectError(f"there is no {path}; is the stack's name right?") from None
    except yaml.YAMLError as exc:
        raise ProjectError(f"{path} is no valid YAML: {exc}") from exc
    if not isinstance(content, dict):
        raise ProjectError(f"{path} holds no settings")
    return content


def main(arguments: list[str] | None = None) -> int:
    """Make an offline copy of a Pulumi project."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("root", type=Path, help="the folder of Pulumi.yaml")
    parser.add_argument("stack")
    parser.add_argument("destination", type=Path, help="a folder that does not exist yet")
    options = parser.parse_args(arguments)
    try:
        make_offline_project(options.root.resolve(), options.stack, options.destination)
    except ProjectError as exc:
        sys.stderr.write(f"preview: {exc}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
