"""Build the command line and the language host from the Go modules pinned beside this file."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain import pins
from tools.toolchain.errors import ToolchainError
from tools.toolchain.go import find_go, read_go, run_go
from tools.toolchain.path_cli import ask_version

_SDK_MODULE = "github.com/pulumi/pulumi/sdk/v3"
_VERSION_VARIABLE = f"{_SDK_MODULE}/go/common/version.Version"
_MINIMUM_FREE_GIB = 2


@dataclass(frozen=True)
class Program:
    """One executable: the folder of its go.mod, its package, and the version it reports."""

    name: str
    folder: str
    package: str
    version: str


PROGRAMS = (
    Program(pins.CLI, "cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", pins.CLI_VERSION),
    Program(
        pins.LANGUAGE_HOST,
        "language-host",
        f"{_SDK_MODULE}/python/cmd/pulumi-language-python",
        pins.LANGUAGE_HOST_VERSION,
    ),
)
# Scripts of the SDK's module: their paths in it.
SCRIPTS = {
    pins.EXEC_SCRIPT: "python/cmd/pulumi-language-python-exec",
    pins.PLUGIN_SCRIPT: "python/dist/pulumi-resource-pulumi-python",
}


def build_toolchain(scratch: Path, say: Callable[[str], None]) -> None:
    """Put freshly built executables and the SDK's scripts into `scratch / "bin"`."""
    _check_space(scratch)
    go = find_go(say)
    say(
        f"building Pulumi {pins.CLI_VERSION} from its Go modules, once for all checkouts: about 5 "
        "minutes on two cores and 6 GB of Go caches, less where Go has some of them already"
    )
    for program in PROGRAMS:
        arguments = build_arguments(program, scratch / "bin" / program.name)
        run_go(go, arguments, scratch / "go.log", f"building {program.name}", say)
    listed = read_go(go, ["list", "-C", str(pins.MODULES_ROOT / "cli"), "-m", "-json", _SDK_MODULE])
    sdk = Path(json.loads(listed)["Dir"])
    for name, place in SCRIPTS.items():
        shutil.copyfile(sdk / place, scratch / "bin" / name)
    (scratch / "go.log").unlink()
    reported = ask_version(scratch / "bin" / pins.CLI)
    if reported != pins.CLI_VERSION:
        raise ToolchainError(
            f"the Pulumi just built reports version {reported!r}, not {pins.CLI_VERSION}",
            "run it again; if it stays so, report it",
        )


def build_arguments(program: Program, output: Path) -> list[str]:
    """Return one program's go command line: reproducible, stripped, versions from go.mod."""
    return [
        "build",
        "-C",
        str(pins.MODULES_ROOT / program.folder),
        "-trimpath",
        "-buildvcs=false",
        "-tags",
        "osusergo,grpcnotrace",
        "-ldflags",
        f"-s -w -X {_VERSION_VARIABLE}={program.version}",
        "-o",
        str(output),
        program.package,
    ]


def _check_space(scratch: Path) -> None:
    free_gib = shutil.disk_usage(scratch).free / (1 << 30)
    if free_gib < _MINIMUM_FREE_GIB:
        raise ToolchainError(
            f"only {free_gib:.1f} GiB are free where the cache is, and building needs up to 6",
            "free some space, or set XDG_CACHE_HOME, GOCACHE and GOMODCACHE to a larger disk",
        )
