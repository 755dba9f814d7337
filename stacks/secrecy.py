"""Which values of the stack's configuration are secret; inputs that contain one become secret.

Pulumi tells a program which keys hold a secret, such as ``cbr-replication:replications``, but not
where in the value it is. The stack's file shows that: a secret there is a mapping with the one key
``secure``. So a value is plain only if the file has it in plain text at the same place.

Values are not validated here: see `model`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import pulumi

from faults import Fault, Location
from model import LISTS, NAMESPACE

_Args = TypeVar("_Args", bound=Any)

_SECURE = "secure"
"""The key under which Pulumi stores an encrypted value."""
_DEFAULTS = {
    "adopt": True,
    "enable_acceleration": False,
    "force_destroy": False,
    "preflight": "error",
}
"""The values of inputs that states leave out."""
_PROJECT_FILE = "Pulumi.yaml"
_GO_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} \S+", re.ASCII)
SHORTEST_TEXT = 4
"""Shorter secrets would be taken out of ordinary words."""
_AS_A_NAME = (
    "is secret, but it becomes a resource's name, which the state has in plain text; set it again "
    "without --secret"
)
_AS_A_WHOLE = (
    "is one secret as a whole, but its names and regions become names of resources, which the "
    "state has in plain text; set only single values with pulumi config set --secret --path"
)


@dataclass(frozen=True)
class Secrecy:
    """What of the configuration is secret.

    `texts` are the secret values. `unknown` are the keys that hold a secret at an unknown place, so
    that everything counts as secret. `faults` are secrets that cannot be kept.
    """

    texts: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything is secret."""
        return bool(self.texts)

    @property
    def warning(self) -> str | None:
        """Return what the user should know, if it is unknown where secrets are."""
        if not self.unknown:
            return None
        keys = ", ".join(f"{NAMESPACE}:{key}" for key in sorted(self.unknown))
        return (
            f"{keys} holds secrets, and the stack's file does not show where (as with "
            "--config-file): everything in it counts as secret but the names of entries and their "
            "regions, which become names of resources; keep it in the stack's file"
        )

    def hide(self, text: str) -> str:
        """Return a text without secrets; the CLI removes some of them, but not all."""
        for secret in sorted(self.texts, key=len, reverse=True):
            if len(secret) >= SHORTEST_TEXT:
                text = text.replace(secret, "[secret]")
        return text

    def seal(self, value: Any) -> Any:
        """Return a value with its secrets as secret outputs, or the value itself if it has none."""
        if isinstance(value, str):
            return pulumi.Output.secret(value) if value in self.texts else value
        if isinstance(value, Mapping):
            if not self.texts.isdisjoint(value):
                return pulumi.Output.secret(value)
            sealed = {key: self.seal(member) for key, member in value.items()}
            return sealed if any(sealed[key] is not value[key] for key in value) else value
        if isinstance(value, list):
            members = [self.seal(member) for member in value]
            return (
                members if any(a is not b for a, b in zip(members, value, strict=True)) else value
            )
        return value

    def sealed(self, args: _Args, kind: str) -> tuple[_Args, list[str]]:
        """Return the inputs of a resource with their secrets, and the outputs that are secret too.

        Args:
            args: an Args object of the package.
            kind: the list that the resource is from.
        """
        is_everything = not self.unknown.isdisjoint((kind, "defaults"))
        changes: dict[str, Any] = {}
        for field in fields(args):
            value = getattr(args, field.name)
            if value is None:
                continue
            sealed = pulumi.Output.secret(value) if is_everything else self.seal(value)
            if sealed is not value:
                changes[field.name] = sealed
        # The engine finds a secret input again in the output of the same name only. An unchanged
        # resource keeps its outputs as they are, unless they are named here. The engine warns of a
        # name that the state does not have, and states leave out defaults.
        told = [name for name in changes if getattr(args, name) != _DEFAULTS.get(name)]
        outputs = [*told, *(["members"] if "backups" in changes else [])]
        return replace(args, **changes), outputs


def find_secrecy(
    document: Mapping[str, Any], secret_keys: Collection[str], stored: Mapping[str, Any]
) -> Secrecy:
    """Compare the configuration with the stack's file.

    Args:
        document: key of this project's namespace -> decrypted value.
        secret_keys: the full keys of which Pulumi says that they hold a secret.
        stored: `config` of the stack's file, with each scalar as text; empty if it is not known.
    """
    texts: set[str] = set()
    unknown: set[str] = set()
    faults: list[Fault] = []
    for key, value in document.items():
        full = f"{NAMESPACE}:{key}"
        if full not in secret_keys:
            continue
        for at, secret, is_stored in _secrets((key,), value, stored.get(full)):
            if not is_stored:
                unknown.add(key)
            elif isinstance(secret, str):
                texts.add(secret)
                if _is_name(at):
                    faults.append(Fault(at, _AS_A_NAME))
            elif key in LISTS or (isinstance(secret, dict) and "destinations" in secret):
                faults.append(Fault(at, _AS_A_WHOLE))
            texts.update(_texts(secret))
    return Secrecy(frozenset(texts), frozenset(unknown), tuple(faults))


def _secrets(at: Location, value: Any, stored: Any) -> Iterator[tuple[Location, Any, bool]]:
    """Yield each secret with its location, and whether the stack's file has a secret there."""
    if isinstance(stored, dict) and set(stored) == {_SECURE}:
        yield at, value, True
    elif isinstance(value, dict) and isinstance(stored, dict) and set(value) == set(stored):
        for key, member in value.items():
            yield from _secrets((*at, key), member, stored[key])
    elif isinstance(value, list) and isinstance(stored, list) and len(value) == len(stored):
        for number, (member, beside) in enumerate(zip(value, stored, strict=True)):
            yield from _secrets((*at, number), member, beside)
    elif not _is_plain(value, stored):
        yield at, value, False


def _is_plain(value: Any, stored: Any) -> bool:
    """Whether the file shows a value; a secret is text, so what is no text is none."""
    if isinstance(value, (dict, list)):
        return not value and not stored
    if not isinstance(value, str):
        return True
    # YAML parses a time without quotes, and the engine passes it in another spelling.
    return value == stored or (isinstance(stored, str) and bool(_GO_TIME.fullmatch(value)))


def _is_name(at: Location) -> bool:
    return at[-1] == "region" or (len(at) == 3 and at[-1] == "name")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str) and value:
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def read_stored(folder: Path, stack: str) -> dict[str, Any]:
    """Return `config` of a stack's file, with each scalar as text; empty if there is no such file.

    Args:
        folder: the program's; the project's is the same, or above it.
    """
    for root in (folder, *folder.parents):
        if (root / _PROJECT_FILE).is_file():
            project = _mapping_in(root / _PROJECT_FILE)
            place = root / str(project.get("stackConfigDir", ""))
            stored = _mapping_in(place / f"Pulumi.{stack}.yaml").get("config")
            return stored if isinstance(stored, dict) else {}
    return {}


def _mapping_in(path: Path) -> dict[str, Any]:
    # A package that the SDK needs. Most configurations have no secret here, and need no file.
    import yaml  # noqa: PLC0415

    try:
        found = yaml.load(path.read_text(encoding="utf-8"), yaml.BaseLoader)  # noqa: S506
    except (OSError, UnicodeError, yaml.YAMLError):
        # The configuration may come from elsewhere (--config-file): then its places are unknown.
        return {}
    return found if isinstance(found, dict) else {}
