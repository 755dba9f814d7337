"""The contents of the toolchain: versions, file names, platforms, and the key for them."""

from __future__ import annotations

import hashlib
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain.errors import ToolchainError

CLI_VERSION = "v3.255.0"
# The last version of the SDK's Go module with the language host; it works with the CLI above.
LANGUAGE_HOST_VERSION = "v3.79.0"
# The package requires SDK 3.255; an engine more than about a year older is not tested. The engine's
# features that the project uses are older (`plugins`, `stackConfigDir`, `refresh --preview-only`).
OLDEST_PATH_VERSION = (3, 200, 0)
# The `go` line of cli/go.mod, the stricter of the two.
OLDEST_GO_VERSION = (1, 25, 11)

CLI = "pulumi"
LANGUAGE_HOST = "pulumi-language-python"
EXEC_SCRIPT = "pulumi-language-python-exec"
PLUGIN_SCRIPT = "pulumi-resource-pulumi-python"
FILES = (CLI, LANGUAGE_HOST, EXEC_SCRIPT, PLUGIN_SCRIPT)

MODULES_ROOT = Path(__file__).parent
PINNED_FILES = ("cli/go.mod", "cli/go.sum", "language-host/go.mod", "language-host/go.sum")

# Increased when build flags or the stored format change, so that older results are not reused.
_RECIPE = "1"
_VERSION = re.compile(r"(?:v|go)?(\d+)\.(\d+)(?:\.(\d+))?")
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Platform:
    """An operating system and processor in the spelling of Pulumi's release archives."""

    system: str
    machine: str

    def __str__(self) -> str:
        return f"{self.system}-{self.machine}"


def current_platform() -> Platform:
    """Name this machine's platform; refuse one without a Unix release of Pulumi."""
    system, machine = platform.system(), platform.machine()
    try:
        return Platform(_SYSTEMS[system], _MACHINES[machine.lower()])
    except KeyError:
        raise ToolchainError(
            f"no Pulumi toolchain is known for {system} on {machine}",
            "install Pulumi yourself so that `pulumi` and `pulumi-language-python` are on PATH",
        ) from None


def toolchain_key(source: str, target: Platform, modules_root: Path = MODULES_ROOT) -> str:
    """Name the cache entry of one source; it covers every pin, the recipe and the platform."""
    digest = hashlib.sha256(f"{_RECIPE}\0{CLI_VERSION}\0{LANGUAGE_HOST_VERSION}\0{target}".encode())
    if source == "build":
        for name in PINNED_FILES:
            digest.update(b"\0" + name.encode() + b"\0" + (modules_root / name).read_bytes())
    return f"{source}-{CLI_VERSION}-{target}-{digest.hexdigest()[:12]}"


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Read `v3.255.0`, `3.255.0-alpha.1+dirty` or `go1.26` as three numbers, else return None."""
    core = text.strip().split("-")[0].split("+")[0]
    found = _VERSION.fullmatch(core)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
