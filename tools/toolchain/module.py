"""A program that is built from the Go modules pinned in a folder, into the user's cache."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.toolchain.go import find_go, run_go
from tools.toolchain.pins import current_platform
from tools.toolchain.store import Store, default_store_root

CHECKOUT = Path(__file__).resolve().parents[2]
# Increased when build flags or the stored format change, so that older results are not reused.
_RECIPE = "1"


@dataclass(frozen=True)
class GoProgram:
    """A program of a Go module.

    `title` names it in messages. `folder` has the ``go.mod`` that pins `module`, and its
    ``go.sum``. `package` is what is built. `family` is its folder in the caches. `otherwise` says
    what to do where it cannot be built.
    """

    name: str
    title: str
    folder: Path
    module: str
    package: str
    family: str
    otherwise: str

    @property
    def path(self) -> Path:
        """The link to the program in this checkout, once it was provided."""
        return CHECKOUT / ".cache" / self.family / self.name

    @property
    def version(self) -> str:
        """The pinned version.

        Raises:
            ValueError: ``go.mod`` pins none.
        """
        found = re.search(
            rf"^\s*{re.escape(self.module)} (v\S+)",
            (self.folder / "go.mod").read_text(),
            re.MULTILINE,
        )
        if found is None:
            raise ValueError(f"{self.folder.name}/go.mod pins no version of {self.name}")
        return found[1]

    @property
    def key(self) -> str:
        """The name of the cache's entry; it covers every pin, the recipe and the platform."""
        digest = hashlib.sha256(f"{_RECIPE}\0{current_platform()}".encode())
        for name in ("go.mod", "go.sum"):
            digest.update(b"\0" + (self.folder / name).read_bytes())
        return f"{self.name}-{self.version}-{current_platform()}-{digest.hexdigest()[:12]}"

    def build_arguments(self, output: Path) -> list[str]:
        """Return the go command line: reproducible, stripped, versions from go.mod and go.sum."""
        return [
            *("build", "-C", str(self.folder), "-trimpath", "-buildvcs=false"),
            *("-tags", "osusergo", "-ldflags", "-s -w", "-o", str(output), self.package),
        ]

    def provide(self, say: Callable[[str], None]) -> Path:
        """Return the program, built if the cache does not have it.

        Raises:
            ToolchainError: there is no Go compiler, or its modules cannot be had.
        """
        cache = default_store_root(dict(os.environ)).with_name(self.family)
        store = Store(cache, say, name=self.title, version=self.version)
        entry = store.find(self.key) or store.add(
            self.key, "build", lambda scratch: self._build(scratch, say)
        )
        self._link(entry.bin / self.name)
        return self.path

    def _build(self, scratch: Path, say: Callable[[str], None]) -> None:
        go = find_go(say)
        say(f"building {self.name} {self.version} from its Go modules, once for all checkouts")
        log = scratch / "go.log"
        arguments = self.build_arguments(scratch / "bin" / self.name)
        run_go(go, arguments, log, f"building {self.name}", say, self.otherwise)
        log.unlink()

    def _link(self, program: Path) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.path.with_name(f".{self.name}.{os.getpid()}")
        fresh.symlink_to(program)
        fresh.replace(self.path)
