"""What a release has: the same bytes each time, whole, and described truthfully."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.metadata import Metadata
from packaging.requirements import Requirement

from pulumi_huaweicloud_cbr.plugin.servicer import VERSION
from tools.toolchain import pins

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PACKAGE = "pulumi_huaweicloud_cbr"
SOURCES = ("provider", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
COMMITTED_AT = "1764547200"


def build(parent: Path, *, umask: int, origin: Path = ROOT) -> dict[str, Path]:
    """Build a copy of the sources in a folder of its own; return wheel and sdist by suffix."""
    tree = parent / "tree"
    for source in SOURCES:
        if (origin / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(origin / source, tree / source, ignore=ignored)
        else:
            tree.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(origin / source, tree / source)
    for path in tree.rglob("*"):
        os.utime(path, (umask, umask))
        path.chmod((0o777 if path.is_dir() else 0o666) & ~umask)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--directory", parent / "dist"],
        cwd=tree,
        env={**os.environ, "SOURCE_DATE_EPOCH": COMMITTED_AT},
        check=True,
        capture_output=True,
        umask=umask,
    )
    return {path.suffix: path for path in (parent / "dist").iterdir()}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel and the sdist of this checkout."""
    return build(tmp_path_factory.mktemp("release"), umask=0o022)


def digests(built: dict[str, Path]) -> dict[str, str]:
    """Return the hash of each file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in built.values()}


def test_two_builds_have_the_same_bytes(built: dict[str, Path], tmp_path: Path) -> None:
    """Another folder, other file times and another umask change nothing."""
    assert digests(built) == digests(build(tmp_path / "a-longer-name", umask=0o077))


def test_sdist_builds_the_same_wheel(built: dict[str, Path], tmp_path: Path) -> None:
    """So the sdist is whole, and the wheel is of the published sources."""
    with tarfile.open(built[".gz"]) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = tmp_path.iterdir()

    again = build(tmp_path / "again", umask=0o022, origin=unpacked)

    assert digests(built)[built[".whl"].name] == digests(again)[again[".whl"].name]


def test_wheel_has_the_package_alone(built: dict[str, Path]) -> None:
    """Every module, the typing marker and the licence; no test, cache or configuration."""
    with zipfile.ZipFile(built[".whl"]) as wheel:
        names = set(wheel.namelist())
    info = f"{PACKAGE}-{VERSION}.dist-info"
    package = ROOT / "provider" / PACKAGE
    expected = {
        f"{PACKAGE}/{path.relative_to(package)}"
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert f"{PACKAGE}/py.typed" in expected
    assert (
        expected
        | {
            f"{info}/{name}"
            for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")
        }
        == names
    )


def test_sdist_has_what_the_wheel_is_built_from(built: dict[str, Path]) -> None:
    """And nothing of the repository besides."""
    with tarfile.open(built[".gz"]) as archive:
        tops = {Path(name).parts[1] for name in archive.getnames()}

    assert {*SOURCES, "PKG-INFO", ".gitignore"} >= tops >= {*SOURCES, "PKG-INFO"}


def test_metadata_is_true(built: dict[str, Path]) -> None:
    """It follows the standard, names the version everywhere, and shows the front page."""
    with zipfile.ZipFile(built[".whl"]) as wheel:
        raw = wheel.read(f"{PACKAGE}-{VERSION}.dist-info/METADATA")
    metadata = Metadata.from_email(raw, validate=True)

    assert PROJECT["version"] == VERSION == str(metadata.version)
    assert "Apache-2.0" == metadata.license_expression
    assert ["LICENSE"] == metadata.license_files
    assert "text/markdown" == metadata.description_content_type
    assert (ROOT / "README.md").read_text().strip() == (metadata.description or "").strip()
    extras = {
        Requirement(f'{one}; extra == "{extra}"')
        for extra, wanted in PROJECT["optional-dependencies"].items()
        for one in wanted
    }
    always = {Requirement(one) for one in PROJECT["dependencies"]}
    assert always | extras == set(metadata.requires_dist or ())


def test_changelog_has_the_version() -> None:
    """A release without its changes is none."""
    assert f"\n## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()


def test_compatibility_page_has_the_versions_that_are_tried() -> None:
    """Python's from the classifiers, the SDK's and the CLI's from the pins."""
    page = (ROOT / "docs" / "reference" / "compatibility.md").read_text()
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|", page, re.MULTILINE))
    pythons = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    sdks = [
        re.findall(r"^pulumi==(\d+\.\d+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)
        for name in ("runtime.txt", "runtime-sdk-3.272.txt")
    ]
    assert f"{pythons[0]} to {pythons[-1]}" == rows["Python"]
    assert PROJECT["requires-python"] == f">={pythons[0]}"
    assert f"{sdks[0][0]} to {sdks[1][0]}" == rows["Pulumi SDK for Python"]
    assert pins.CLI_VERSION == f"v{rows['Pulumi CLI']}.0"
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text()
    assert f'python: ["{pythons[0]}", "{pythons[-1]}"]' in workflow
