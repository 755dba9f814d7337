"""What users and developers install: pinned by hashes, with allowed licences, and audited."""

from __future__ import annotations

import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))

# Licences that require only their text and a notice, or (MPL) publishing changes to their own
# files. Each pattern must match a package's whole entry.
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
    """Return the licences that an installed package names, as a list."""
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
    """Whether a licence is allowed; for a choice of several, one is enough."""
    if " OR " in licence:
        return any(is_allowed(part.strip("() ")) for part in licence.split(" OR "))
    return all(ALLOWED.fullmatch(part) for part in licence.split(" AND "))


def names_of_extras() -> list[str]:
    """Return the packages that our extras name, and those that these need."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    ahead = [one for extra in project["optional-dependencies"].values() for one in extra]
    while ahead:
        requirement = Requirement(ahead.pop())
        wanted = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if wanted and requirement.name not in found:
            found.add(requirement.name)
            ahead += metadata.requires(requirement.name) or []
    return sorted(found)


@pytest.mark.parametrize("name", names_of_extras())
def test_licences_of_extras_are_allowed(name: str) -> None:
    """The same holds for what users add by an extra."""
    licences = licences_of(name)

    assert [] == [licence for licence in licences if not is_allowed(licence)]
    assert licences


@pytest.mark.parametrize("name", names_in(ROOT / "requirements" / "runtime.txt"))
def test_licences_of_what_users_install_are_allowed(name: str) -> None:
    """No dependency puts its users under an obligation that they do not expect."""
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
    """The Makefile verifies each installation from a list, and no package is built."""
    installs = [line for line in MAKEFILE.splitlines() if "$(PIP_INSTALL" in line]
    from_lists = [line for line in installs if " -r " in line]
    others = [line for line in installs if line not in from_lists and " = " not in line]
    (options,) = re.findall(r"^PIP_INSTALL_PINS = \$\(PIP_INSTALL\) (.*)$", MAKEFILE, re.MULTILINE)

    assert from_lists
    assert [] == [line for line in from_lists if "$(PIP_INSTALL_PINS)" not in line]
    assert {"--no-deps", "--require-hashes", "--only-binary", ":all:"} == set(options.split())
    # Other installations are this package only, whose dependencies are installed by then.
    assert [] == [line for line in others if "--no-deps" not in line]


def test_audit_checks_all_requirements() -> None:
    """`make audit` checks all of every list, and its workflow runs on a schedule."""
    (recipe,) = re.findall(r"^audit: .*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "audit.yml").read_text())
    # YAML reads the key `on` as a truth value.
    triggers = workflow[True]

    assert "requirements/*.txt" in recipe
    # Without it, a failed database request would pass.
    assert "--strict" in recipe
    assert ["requirements/**"] == triggers["pull_request"]["paths"]
    assert triggers["schedule"]
    assert "make audit" in [
        step.get("run") for job in workflow["jobs"].values() for step in job["steps"]
    ]


def test_checks_need_no_database() -> None:
    """CI and `make check` ask no database of vulnerabilities, so they work offline."""
    for called in ((ROOT / ".ci" / "run").read_text(), MAKEFILE.partition("\ncheck:")[2][:80]):
        assert "audit" not in called


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_are_of_the_registry(path: Path) -> None:
    """No pin bypasses the registry with a file, a repository or an installer option."""
    lines = [
        line
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.strip().startswith("#")
    ]

    expected = re.compile(
        r"[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==[^ @]+( ;.*)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?"
    )
    assert [] == [line for line in lines if not expected.fullmatch(line)]
