"""The per-user cache: entries appear complete or not at all, and are verified on every use."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tools.toolchain import pins
from tools.toolchain.errors import ToolchainError

MANIFEST = "manifest.json"
_MANIFEST_FORMAT = 1
_SCRATCH_PREFIX = ".incomplete-"
_CHUNK_BYTES = 1 << 20


def default_store_root(environ: dict[str, str]) -> Path:
    """Return the cache directory of this user; it does not depend on HOME being set."""
    cache = Path(environ.get("XDG_CACHE_HOME", ""))
    if not cache.is_absolute():  # The XDG specification says that relative paths are ignored.
        cache = home_directory(environ) / ".cache"
    return cache / "pulumi-huaweicloud-cbr" / "toolchain"


def home_directory(environ: dict[str, str]) -> Path:
    """Return HOME, or the home directory of the user database if HOME is unset."""
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        raise ToolchainError(
            "HOME is not set and this user has no home directory",
            "set HOME or XDG_CACHE_HOME to a directory you can write to",
        ) from None


@dataclass(frozen=True)
class Entry:
    """One complete toolchain in the cache."""

    root: Path
    source: str
    version: str

    @property
    def bin(self) -> Path:
        """Return the directory of the executables."""
        return self.root / "bin"


class Store:
    """Programs by key under one root, shared by all checkouts of a user.

    Args:
        name: what the messages call an entry.
        version: the version of new entries.
    """

    def __init__(
        self,
        root: Path,
        say: Callable[[str], None],
        name: str = "Pulumi toolchain",
        version: str = pins.CLI_VERSION,
    ) -> None:
        self._root = root
        self._say = say
        self._name = name
        self._version = version

    def find(self, key: str) -> Entry | None:
        """Return the entry if it exists and is intact; report it if it is damaged."""
        entry, damage = self._look(key)
        if damage is not None:
            self._say(f"the cached {self._name} is damaged ({damage}); preparing it again")
        return entry

    def _look(self, key: str) -> tuple[Entry | None, str | None]:
        root = self._root / key
        if not root.exists():
            return None, None
        manifest, damage = _verify(root)
        if damage is not None:
            return None, damage
        return Entry(root, str(manifest["source"]), str(manifest["version"])), None

    def add(self, key: str, source: str, fill: Callable[[Path], None]) -> Entry:
        """Return the entry of `key`, made by `fill(scratch)` unless another process just did.

        `fill` puts the executables into `scratch / "bin"`. The scratch directory becomes the entry
        by one rename, after its manifest is written. An interrupted `fill` leaves no entry.
        """
        with self._locked():
            for leftover in self._root.glob(f"{_SCRATCH_PREFIX}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            found, _ = self._look(key)
            if found is not None:
                return found
            scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=self._root))
            try:
                (scratch / "bin").mkdir()
                fill(scratch)
                _write_manifest(scratch, source, self._version)
                scratch.chmod(0o755)
                self._publish(scratch, self._root / key)
            finally:
                shutil.rmtree(scratch, ignore_errors=True)
            return Entry(self._root / key, source, self._version)

    def _publish(self, scratch: Path, destination: Path) -> None:
        if destination.exists():  # Damaged, since find() would have returned it otherwise.
            damaged = Path(tempfile.mkdtemp(prefix=_SCRATCH_PREFIX, dir=self._root))
            destination.rename(damaged / "damaged")
            shutil.rmtree(damaged, ignore_errors=True)
        scratch.rename(destination)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            lock: IO[str] = (self._root / ".lock").open("w")
        except OSError as exc:
            raise ToolchainError(
                f"the {self._name} cache {str(self._root)!r} cannot be written ({exc.strerror})",
                "set XDG_CACHE_HOME to a directory you can write to",
            ) from exc
        with lock:  # Closing the file releases the lock, as does the end of the process.
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._say(f"another run is preparing the {self._name}; waiting for it")
                fcntl.flock(lock, fcntl.LOCK_EX)
            except OSError as exc:
                raise ToolchainError(
                    f"the {self._name} cache {str(self._root)!r} cannot be locked ({exc.strerror})",
                    "set XDG_CACHE_HOME to a directory on a local file system",
                ) from exc
            yield


def sha256_of(path: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _write_manifest(root: Path, source: str, version: str) -> None:
    files = {}
    for path in sorted((root / "bin").iterdir()):
        path.chmod(0o755)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        files[path.name] = {"sha256": sha256_of(path), "size": path.stat().st_size}
    manifest = {
        "format": _MANIFEST_FORMAT,
        "source": source,
        "version": version,
        "files": files,
    }
    with (root / MANIFEST).open("w", encoding="utf-8") as file_:
        json.dump(manifest, file_, indent=2)
        file_.flush()
        os.fsync(file_.fileno())


def _verify(root: Path) -> tuple[dict[str, Any], str | None]:
    """Return the manifest, and what is wrong with the entry (None when intact)."""
    try:
        manifest = json.loads((root / MANIFEST).read_text(encoding="utf-8"))
        files: dict[str, dict[str, Any]] = manifest["files"]
        if manifest["format"] != _MANIFEST_FORMAT or not files:
            return {}, "its manifest is of another format"
        manifest["source"], manifest["version"]
        for name, recorded in files.items():
            path = root / "bin" / name
            if not path.is_file() or not os.access(path, os.X_OK):
                return {}, f"{name} is missing or not executable"
            if path.stat().st_size != recorded["size"] or sha256_of(path) != recorded["sha256"]:
                return {}, f"{name} is not the file that was put there"
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, "its manifest is missing or unreadable"
    return manifest, None
