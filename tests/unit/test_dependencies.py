"""What users and developers install: by its hashes, under licences that allow it, and audited."""

from __future__ import annotations

import re
from importlib import metadata
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))

# Licences that ask for no more than their text and a notice, or (MPL) for changes to their own
# files. Each is matched whole against what a package says of itself.
ALLOWED = re.compile(
    r"Apache( Software License|-2\.0|[ -]License,?( Version)? 2\.0| 2\.0)?"
    r"|MIT( License)?|ISC( License \(ISCL\))?"
    r"|(3-Clause )?BSD( License|-[23]-Clause)?"
    r"|MPL-2\.0|Mozilla Public License 2\.0 \(MPL 2\.0\)"
    r"|PSF-2\.0|Python Software Foundation License"
)
CLASSIFIER = "License :: OSI Approved :: "


def names_in(path: Path) -> list[str]:
    """Return the packages that a list of requirements pins."""
    found = re.findall(
        r"^([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==", path.read_text(encoding="utf-8"), re.MULTILINE
    )
    return sorted(set(found))


def licences_of(name: str) -> list[str]:
    """Return the licences that an installed package names, each for itself."""
    found = metadata.metadata(name)
    expressions = found.get_all("License-Expression") or []
    classifiers = [
        value.removeprefix(CLASSIFIER)
        for value in found.get_all("Classifier") or []
        if value.startswith(CLASSIFIER)
    ]
    texts = [text.strip().partition("\n")[0] for text in found.get_all("License") or []]
    return expressions or classifiers or texts


def is_allowed(licence: str) -> bool:
    """Whether a licence may be; of several to choose from one is enough."""
    if " OR " in licence:
        return any(is_allowed(part.strip("() ")) for part in licence.split(" OR "))
    return all(ALLOWED.fullmatch(part) for part in licence.split(" AND "))


@pytest.mark.parametrize("name", names_in(ROOT / "requirements" / "runtime.txt"))
def test_licences_of_what_users_install_are_allowed(name: str) -> None:
    """Nothing that comes with the package puts its users under an obligation they do not expect."""
    try:
        licences = licences_of(name)
    except metadata.PackageNotFoundError:
        # Pinned for another Python version or another platform, with a marker.
        pins = (ROOT / "requirements" / "runtime.txt").read_text(encoding="utf-8")
        assert re.search(rf"^{name}==\S+ ;", pins, re.MULTILINE)
        return

    assert [] == [licence for licence in licences if not is_allowed(licence)]
    assert licences


def test_everything_is_installed_by_its_hashes() -> None:
    """Whatever the Makefile installs from a list is checked, and no package builds itself."""
    installs = [line for line in MAKEFILE.splitlines() if "$(PIP_INSTALL" in line]
    from_lists = [line for line in installs if " -r " in line]
    others = [line for line in installs if line not in from_lists and " = " not in line]
    (options,) = re.findall(r"^PIP_INSTALL_PINS = \$\(PIP_INSTALL\) (.*)$", MAKEFILE, re.MULTILINE)

    assert from_lists
    assert [] == [line for line in from_lists if "$(PIP_INSTALL_PINS)" not in line]
    assert {"--no-deps", "--require-hashes", "--only-binary", ":all:"} == set(options.split())
    # What else is installed is this package itself, whose dependencies are there by then.
    assert [] == [line for line in others if "--no-deps" not in line]


def test_audit_looks_at_all_requirements() -> None:
    """`make audit` has all of every list looked up, and its workflow runs it by itself."""
    (recipe,) = re.findall(r"^audit: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text())
    # YAML takes the key `on` for a truth value.
    triggers = workflow[True]

    assert "requirements/*.txt" in recipe
    # Without it, what the database could not be asked about would pass.
    assert "--strict" in recipe
    assert ["requirements/**"] == triggers["pull_request"]["paths"]
    assert triggers["schedule"]
    assert "make audit" in [
        step.get("run") for job in workflow["jobs"].values() for step in job["steps"]
    ]


def test_checks_need_no_database() -> None:
    """What CI and `make check` run asks no database of vulnerabilities, so it works offline."""
    for called in ((ROOT / ".ci" / "run").read_text(), MAKEFILE.partition("\ncheck:")[2][:80]):
        assert "audit" not in called


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_are_of_the_registry(path: Path) -> None:
    """No pin leads around the registry, to a file, a repository or an option of the installer."""
    lines = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]

    expected = re.compile(
        r"[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==[^ @]+( ;.*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [] == [line for line in lines if not expected.fullmatch(line)]
