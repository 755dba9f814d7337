"""The official release archive: command line, language hosts and scripts of one version."""

from __future__ import annotations

import shutil
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from tools.toolchain import pins
from tools.toolchain.errors import ToolchainError
from tools.toolchain.store import sha256_of

ARCHIVE_URL = "https://get.pulumi.com/releases/sdk/{archive}"
# Published with each release on GitHub: lines of `<sha256>  <archive>`.
CHECKSUMS_URL = (
    "https://github.com/pulumi/pulumi/releases/download/{version}/pulumi-{bare}-checksums.txt"
)

_REACH_TIMEOUT_S = 8.0
_STALL_TIMEOUT_S = 60.0
_SHA256_HEX_CHARS = 64

Fetch = Callable[[str, Path, float], None]


class ReleaseUnavailableError(Exception):
    """The release is unavailable from here; another source may work."""


def fetch(url: str, destination: Path, timeout_s: float) -> None:
    """Download `url`; `timeout_s` bounds the connection and each pause in the transfer."""
    with urllib.request.urlopen(url, timeout=timeout_s) as response, destination.open("wb") as file:  # noqa: S310 - https only
        shutil.copyfileobj(response, file)


def install_release(
    scratch: Path, target: pins.Platform, say: Callable[[str], None], fetch_file: Fetch = fetch
) -> None:
    """Put the verified executables of the release into `scratch / "bin"`.

    Raises:
        ReleaseUnavailableError: the hosts cannot be reached, or do not have this release.
        ToolchainError: the archive is not the one that the checksum file names.
    """
    archive = f"pulumi-{pins.CLI_VERSION}-{target}.tar.gz"
    checksums = scratch / "checksums.txt"
    bare = pins.CLI_VERSION.removeprefix("v")
    _fetch_quickly(fetch_file, CHECKSUMS_URL.format(version=pins.CLI_VERSION, bare=bare), checksums)
    expected = _checksum_of(archive, checksums.read_text(encoding="utf-8", errors="replace"))
    say(f"downloading Pulumi {pins.CLI_VERSION} for {target} (about 100 MB)")
    package = scratch / archive
    try:
        fetch_file(ARCHIVE_URL.format(archive=archive), package, _STALL_TIMEOUT_S)
    except OSError as exc:
        raise ReleaseUnavailableError(f"the download broke off: {_reason(exc)}") from exc
    actual = sha256_of(package)
    if actual != expected:
        raise ToolchainError(
            f"{archive} has SHA-256 {actual}, the release's checksum file says {expected}",
            "try again; if it stays so, distrust this network; PULUMI_TOOLCHAIN=build builds it",
        )
    _unpack(package, scratch / "bin")
    package.unlink()
    checksums.unlink()


def _fetch_quickly(fetch_file: Fetch, url: str, destination: Path) -> None:
    """Fetch the small file that shows whether the release is reachable, within one deadline.

    A socket timeout does not limit name resolution. So the attempt runs on another thread, and is
    abandoned if it is late.
    """
    failure: list[OSError] = []

    def attempt() -> None:
        try:
            fetch_file(url, destination, _REACH_TIMEOUT_S / 2)
        except OSError as exc:
            failure.append(exc)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(_REACH_TIMEOUT_S)
    if thread.is_alive():
        raise ReleaseUnavailableError(f"no answer within {_REACH_TIMEOUT_S:.0f} s")
    if failure:
        raise ReleaseUnavailableError(_reason(failure[0])) from failure[0]


def _reason(exc: OSError) -> str:
    if isinstance(exc, urllib.error.HTTPError):
        return f"HTTP {exc.code}"
    cause = exc.reason if isinstance(exc, urllib.error.URLError) else exc
    return (isinstance(cause, OSError) and cause.strerror) or str(cause)


def _checksum_of(archive: str, listing: str) -> str:
    for line in listing.splitlines():
        digest, _, name = line.partition(" ")
        if name.strip().lstrip("*") == archive and len(digest) == _SHA256_HEX_CHARS:
            return digest.lower()
    raise ReleaseUnavailableError(f"the checksum file does not name {archive}")


def _unpack(package: Path, destination: Path) -> None:
    """Extract our files from the archive by name: nothing else in it is written."""
    wanted = {f"pulumi/{name}": name for name in pins.FILES}
    with tarfile.open(package) as archive:
        for member in archive:
            name = wanted.pop(member.name.removeprefix("./"), None)
            content = archive.extractfile(member) if name and member.isfile() else None
            if name and content is not None:
                with content, (destination / name).open("wb") as file:
                    shutil.copyfileobj(content, file)
    missing = [name for name in pins.FILES if not (destination / name).exists()]
    if missing:
        raise ToolchainError(
            f"the release archive has no {', '.join(missing)}",
            "build it instead: PULUMI_TOOLCHAIN=build",
        )
