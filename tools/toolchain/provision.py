"""Choose a source, obtain the toolchain, and link it into the checkout."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain import pins
from tools.toolchain.build import build_toolchain
from tools.toolchain.errors import ToolchainError
from tools.toolchain.path_cli import PathCli, find_on_path
from tools.toolchain.release import ReleaseUnavailableError, install_release
from tools.toolchain.store import Entry, Store

SOURCES = ("auto", "path", "release", "build")

Say = Callable[[str], None]
Fill = Callable[[Path], None]


@dataclass(frozen=True)
class Sources:
    """The three sources of a toolchain; tests replace them."""

    find_on_path: Callable[[], tuple[PathCli | None, str]]
    release: Fill
    build: Fill


@dataclass(frozen=True)
class Toolchain:
    """The result: a word for its source, its version, its executables by name."""

    origin: str
    version: str
    files: dict[str, Path]


def real_sources(search_path: str, own_bin: Path, target: pins.Platform, say: Say) -> Sources:
    """Bind the sources to this machine."""
    return Sources(
        find_on_path=lambda: find_on_path(search_path, own_bin),
        release=lambda scratch: install_release(scratch, target, say),
        build=lambda scratch: build_toolchain(scratch, say),
    )


def provision(
    wanted: str,
    store: Store,
    sources: Sources,
    target: pins.Platform,
    say: Say,
) -> Toolchain:
    """Return a complete toolchain from the requested source, made if necessary.

    Args:
        wanted: one of SOURCES; "auto" means PATH, else the cache, else the release, else a build.
    """
    if wanted not in SOURCES:
        raise ToolchainError(
            f"PULUMI_TOOLCHAIN is {wanted!r}", f"set it to one of {', '.join(SOURCES)}"
        )
    if wanted in ("auto", "path"):
        on_path, reason = sources.find_on_path()
        if on_path is not None:
            return Toolchain("on PATH", on_path.version, on_path.files)
        if wanted == "path":
            raise ToolchainError(reason, "install Pulumi, or leave PULUMI_TOOLCHAIN unset")
    kept = [source for source in ("release", "build") if wanted in ("auto", source)]
    keys = {source: pins.toolchain_key(source, target) for source in kept}
    for key in keys.values():
        entry = store.find(key)
        if entry is not None:
            return _from_store(entry)
    if "release" in keys:
        try:
            return _from_store(store.add(keys["release"], "release", sources.release))
        except ReleaseUnavailableError as exc:
            if wanted == "release":
                raise ToolchainError(
                    f"the official release of Pulumi {pins.CLI_VERSION} cannot be had: {exc}",
                    "check the network, or leave PULUMI_TOOLCHAIN unset to have it built",
                ) from exc
            say(f"the official release of Pulumi cannot be had from here ({exc})")
    return _from_store(store.add(keys["build"], "build", sources.build))


def _from_store(entry: Entry) -> Toolchain:
    origin = {"release": "official release", "build": "built from its Go modules"}[entry.source]
    return Toolchain(origin, entry.version, {name: entry.bin / name for name in pins.FILES})


def link(toolchain: Toolchain, own_bin: Path) -> None:
    """Create exactly one link per executable in `own_bin`, each replaced in one step."""
    own_bin.mkdir(parents=True, exist_ok=True)
    for stray in own_bin.iterdir():
        if stray.name not in toolchain.files:
            stray.unlink()
    for name, file in toolchain.files.items():
        place = own_bin / name
        if place.is_symlink() and place.readlink() == file:
            continue
        fresh = own_bin / f".{name}.{os.getpid()}"
        fresh.symlink_to(file)
        fresh.replace(place)
