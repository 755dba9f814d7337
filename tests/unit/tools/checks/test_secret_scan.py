"""The secret scan finds issued secrets, and allows only invented words."""

from __future__ import annotations

import random
import string
from pathlib import Path

import pytest

from tools.checks import secret_scan
from tools.checks.secret_scan import Finding, faults, is_allowed

RANDOM = random.Random(11)


def of(alphabet: str, length: int) -> str:
    """Return random text, from parts, so that this file has nothing like a secret."""
    return "".join(RANDOM.choices(alphabet, k=length))


CAPITALS, ALL = string.ascii_uppercase + string.digits, string.ascii_letters + string.digits
ISSUED = {
    "access-key": "Z9" + of(CAPITALS, 18),
    "secret-key": "aZ9" + of(ALL, 37),
    "token": "MII" + of(ALL + "+/=-", 900),
    "aws": "AKIA" + of(CAPITALS, 16),
    "github": "ghp_" + of(ALL, 36),
    "private-key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "address": "https://somebody:" + of(ALL, 12) + "@proxy.example/",
    "named": "password = '" + of(ALL, 12) + "'",
}


@pytest.mark.parametrize("kind", ISSUED)
@pytest.mark.parametrize("name", ["settings.py", "Pulumi.prod.yaml", "notes.md"])
def test_secret_is_found(tmp_path: Path, kind: str, name: str) -> None:
    """An issued secret is found in code, configuration and prose, and is not shown."""
    path = tmp_path / name
    path.write_text(f"# first line\nx: y\n{ISSUED[kind]}\n", encoding="utf-8")

    found = faults([path])

    assert {3} == {finding.line for finding in found}
    assert all(finding.value[4:] not in str(finding) for finding in found if finding.value[4:])


@pytest.mark.parametrize("path", ["tests/unit/test_x.py", "simulator/worlds/x.yaml", "README.md"])
@pytest.mark.parametrize("kind", ["access-key", "secret-key", "token", "aws", "github"])
def test_allowance_is_narrow(path: str, kind: str) -> None:
    """An issued secret does not pass for invented, in any file."""
    assert not is_allowed(Finding(path, 1, "x", ISSUED[kind]))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("simulator/worlds/x.yaml", "not-a-secret-demo", True),
        ("simulator/worlds/x.yaml", "not-a-secretX9", False),
        ("simulator/worlds/x.yaml", "hunter2", False),
        ("tests/unit/test_x.py", "hunter2", True),
        ("tests/unit/test_x.py", "Hunter2", False),
        ("tests/unit/test_x.py", "words-that-go-on-for-ever-x", False),
        ("provider/pulumi_huaweicloud_cbr/x.py", "words", False),
        ("tools/live/x.py", "words", False),
    ],
)
def test_allowance_is_by_file_and_words(path: str, value: str, expected: bool) -> None:
    """Lower-case words are invented in tests. Elsewhere the words have to say so."""
    assert expected == is_allowed(Finding(path, 1, "x", value))


def test_scan_reads_what_is_committed() -> None:
    """The worlds with their invented keys are read; lists of hashes are not."""
    names = {path.as_posix() for path in secret_scan.files()}

    assert {"simulator/worlds/demo.yaml", "Makefile", ".github/workflows/up.yml"} <= names
    assert not {name for name in names if name.startswith(("requirements/", ".venv/"))} - {
        "requirements/sdk-3.255.in",
        "requirements/sdk-3.272.in",
    }


def test_worlds_have_something_to_allow() -> None:
    """The allowance is needed: the demo world's keys are found, and allowed."""
    world = Path("simulator/worlds/demo.yaml")
    found = list(secret_scan.findings([secret_scan.REPOSITORY / world]))

    assert {"Huawei Cloud access key", "Secret Keyword"} <= {finding.kind for finding in found}
    assert all(is_allowed(finding._replace(path=world.as_posix())) for finding in found)
