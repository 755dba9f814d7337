"""``--version``: the versions that a report of a fault needs, without any setting or path."""

from __future__ import annotations

import platform
import re
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import readable
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import run_pulumi
from pulumi_huaweicloud_cbr.commands._cli.text import table

FORMAT = 1
"""Of the JSON document. A new number means that a member was removed or has another meaning."""

NO_PROJECT = "no project: there is no Pulumi.yaml in this directory or above"
NOT_INSTALLED = "not installed in this project: the SDK's own plugin serves its resources"
INSTALLED = "installed in this project"
NO_EXECUTABLE = "named in Pulumi.yaml, but its executable is not there"

_PROJECT_FILES = ("Pulumi.yaml", "Pulumi.yml", "Pulumi.json")
_EXECUTABLE = "pulumi-resource-pulumi-python"
_PLUGIN = re.compile(r"""\bname["']?\s*:\s*["']?pulumi-python\b""")
_PATH = re.compile(r"""\bpath["']?\s*:\s*(?:"([^"]+)"|'([^']+)'|([^\s,}\]]+))""")


@dataclass(frozen=True)
class Versions:
    """What is installed; `pulumi_cli` is None if there is no CLI on PATH."""

    package: str
    python: str
    pulumi_sdk: str
    pulumi_cli: str | None
    httpx: str
    msgspec: str
    os: str
    plugin_host: str

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints; docs/reference/commands.md describes it."""
        return {"format": FORMAT, **asdict(self)}

    def __str__(self) -> str:
        rows = [
            ("pulumi-huaweicloud-cbr", self.package),
            ("Python", self.python),
            ("pulumi SDK", self.pulumi_sdk),
            ("pulumi CLI", self.pulumi_cli or "not found on PATH"),
            ("httpx", self.httpx),
            ("msgspec", self.msgspec),
            ("OS", self.os),
            ("plugin host", self.plugin_host),
        ]
        return "\n".join(table(rows, ""))


def find_versions(directory: Path) -> Versions:
    """Return the versions of what is installed.

    Args:
        directory: where the project's file is looked for, and in the directories above.
    """
    return Versions(
        version("pulumi-huaweicloud-cbr"),
        f"{platform.python_version()} ({platform.python_implementation()})",
        version("pulumi"),
        _version_of_cli(),
        version("httpx"),
        version("msgspec"),
        platform.platform(),
        host_in(directory),
    )


def _version_of_cli() -> str | None:
    try:
        done = run_pulumi("version")
    except ConfigurationError:
        return None
    if done.returncode:
        return f"fails: {readable(done.stderr.strip())}"
    return readable(done.stdout.strip().removeprefix("v"))


def host_in(directory: Path) -> str:
    """Return whether the project of a directory has the plugin host, in words.

    The project's file is searched as text, since this package needs no YAML otherwise.
    """
    above = [directory, *directory.parents]
    files = (folder / name for folder in above for name in _PROJECT_FILES)
    project = next((file for file in files if file.is_file()), None)
    if project is None:
        return NO_PROJECT
    try:
        lines = project.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return f"not known: {project.name} cannot be read"
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    named = _PLUGIN.search(text)
    if named is None:
        return NOT_INSTALLED
    path = _PATH.search(text, named.end()) or _PATH.search(text)
    folder = next((part for part in path.groups() if part), "") if path else ""
    is_there = (project.parent / folder / _EXECUTABLE).is_file()
    return INSTALLED if is_there else NO_EXECUTABLE
