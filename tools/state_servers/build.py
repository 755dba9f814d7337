"""Provide the S3 server: a build of the Go module pinned in `versitygw/`, in the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

from tools.toolchain.go import find_go, run_go
from tools.toolchain.pins import current_platform
from tools.toolchain.store import Store, default_store_root

NAME = "versitygw"
MODULE = Path(__file__).parent / NAME
CHECKOUT = Path(__file__).resolve().parents[2]
PROGRAM = CHECKOUT / ".cache" / "state-servers" / NAME
"""The link to the program, once it was provided."""
_PACKAGE = "github.com/versity/versitygw/cmd/versitygw"
# Increased when build flags or the stored format change, so that older results are not reused.
_RECIPE = "1"


def provide(say: Callable[[str], None]) -> Path:
    """Return the S3 server's program, built if the cache does not have it.

    Raises:
        ToolchainError: there is no Go compiler, or its modules cannot be had.
    """
    cache = default_store_root(dict(os.environ)).with_name("state-servers")
    store = Store(cache, say, name="S3 server", version=pinned_version())
    key = cache_key()
    entry = store.find(key) or store.add(key, "build", lambda scratch: _build(scratch, say))
    _link(entry.bin / NAME)
    return PROGRAM


def pinned_version() -> str:
    """Return the version that `versitygw/go.mod` pins."""
    found = re.search(
        r"^\s*github\.com/versity/versitygw (v\S+)", (MODULE / "go.mod").read_text(), re.MULTILINE
    )
    if found is None:
        raise ValueError("versitygw/go.mod pins no version of versitygw")
    return found[1]


def cache_key() -> str:
    """Name the cache's entry; it covers every pin, the recipe and the platform."""
    digest = hashlib.sha256(f"{_RECIPE}\0{current_platform()}".encode())
    for name in ("go.mod", "go.sum"):
        digest.update(b"\0" + (MODULE / name).read_bytes())
    return f"{NAME}-{pinned_version()}-{current_platform()}-{digest.hexdigest()[:12]}"


def build_arguments(output: Path) -> list[str]:
    """Return the go command line: reproducible, stripped, versions from go.mod and go.sum."""
    return [
        *("build", "-C", str(MODULE), "-trimpath", "-buildvcs=false"),
        *("-tags", "osusergo", "-ldflags", "-s -w", "-o", str(output), _PACKAGE),
    ]


def _build(scratch: Path, say: Callable[[str], None]) -> None:
    go = find_go(say)
    say(f"building {NAME} {pinned_version()} from its Go modules, once for all checkouts: minutes")
    log = scratch / "go.log"
    otherwise = "leave out the tests that need it"
    run_go(go, build_arguments(scratch / "bin" / NAME), log, f"building {NAME}", say, otherwise)
    log.unlink()


def _link(program: Path) -> None:
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    fresh = PROGRAM.with_name(f".{NAME}.{os.getpid()}")
    fresh.symlink_to(program)
    fresh.replace(PROGRAM)
