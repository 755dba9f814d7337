"""Use the Pulumi that the user already has on PATH."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain import pins

_VERSION_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class PathCli:
    """A usable Pulumi on PATH: the version it reports and its executables by name."""

    version: str
    files: dict[str, Path]


def ask_version(cli: Path) -> str:
    """Return the output of `pulumi version`, or an empty string if it cannot be run."""
    environ = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(
            [cli, "version"],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_VERSION_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return answer.stdout.strip()


def find_on_path(
    search_path: str, own_bin: Path, ask: Callable[[Path], str] = ask_version
) -> tuple[PathCli | None, str]:
    """Look for a complete, recent enough Pulumi; return it, or None and the reason.

    Args:
        search_path: the PATH to look in; `own_bin`, the checkout's links, is left out of it.
    """
    folders = [folder for folder in search_path.split(os.pathsep) if folder]
    path = os.pathsep.join(f for f in folders if Path(f).resolve() != own_bin.resolve())
    found = shutil.which(pins.CLI, path=path)
    if found is None:
        return None, "there is no `pulumi` on PATH"
    cli = Path(found).absolute()
    reported = ask(cli)
    version = pins.parse_version(reported)
    oldest = ".".join(map(str, pins.OLDEST_PATH_VERSION))
    if version is None:
        return None, f"{cli} does not say which version it is"
    if version < pins.OLDEST_PATH_VERSION:
        return None, f"{cli} is {reported}, older than v{oldest}"
    files = {pins.CLI: cli}
    beside_first = os.pathsep.join([str(cli.parent), str(cli.resolve().parent), path])
    for name in pins.FILES[1:]:
        companion = shutil.which(name, path=beside_first)
        if companion is None:
            return None, f"{cli} ({reported}) comes without {name}"
        files[name] = Path(companion).absolute()
    return PathCli(reported, files), ""
