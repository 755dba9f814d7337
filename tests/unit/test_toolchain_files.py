"""The build files are consistent: Makefile, workflows, requirements, pyproject."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
ACTIONS = [*WORKFLOWS, *sorted((ROOT / ".github" / "actions").rglob("*.yml"))]
PIPELINES = {"drift.yml", "preview-comment.yml", "preview.yml", "recover.yml", "up.yml"}
"""Workflows with scripts of their own, which the end-to-end tests run."""
WRITTEN = {
    "drift.yml": {"id-token", "issues"},
    "preview-comment.yml": {"pull-requests"},
    "preview.yml": {"id-token"},
    "recover.yml": {"id-token"},
    "release.yml": {"attestations", "id-token"},
    "site.yml": {"id-token", "pages"},
    "up.yml": {"id-token"},
}
"""What a job of a workflow may write. `id-token` is the identity of the run, for a sign-in."""
REQUIREMENTS = sorted((ROOT / "requirements").glob("*.txt"))
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pins_of(name: str) -> dict[str, list[Version]]:
    """Return all pinned versions by package; they may depend on the Python version."""
    found: dict[str, list[Version]] = {}
    for line in (ROOT / "requirements" / name).read_text().splitlines():
        pin = re.match(r"([a-z0-9-]+)(?:\[[a-z0-9,-]+\])?==([^ ;\\]+)", line)
        if pin:
            found.setdefault(pin[1], []).append(Version(pin[2]))
    return found


def group(name: str) -> list[Requirement]:
    """Return a dependency group, including its subgroups."""
    result = []
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, dict):
            result += group(entry["include-group"])
        else:
            result.append(Requirement(entry))
    return result


RUNTIME = [Requirement(entry) for entry in PROJECT["project"]["dependencies"]]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("runtime.txt", RUNTIME),
        ("runtime-sdk-3.272.txt", RUNTIME),
        ("demo.txt", RUNTIME + group("demo")),
        ("dev.txt", RUNTIME + group("dev")),
        ("go.txt", group("go")),
        ("audit.txt", group("audit")),
    ],
)
def test_requirements_are_current(name: str, wanted: list[Requirement]) -> None:
    """The pins satisfy pyproject; `make requirements` updates them."""
    pinned = pins_of(name)
    stale = [
        str(requirement)
        for requirement in wanted
        if not all(
            version in requirement.specifier
            for version in pinned.get(requirement.name.lower(), [Version("0")])
        )
    ]

    assert stale == []


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("runtime.txt", "3.255.0"),
        ("runtime-sdk-3.272.txt", "3.272.0"),
        ("demo.txt", "3.255.0"),
        ("dev.txt", "3.255.0"),
    ],
)
def test_requirements_hold_the_promised_sdk(name: str, version: str) -> None:
    assert pins_of(name)["pulumi"] == [Version(version)]


def test_requirements_of_development_hold_what_users_run() -> None:
    """The tests run the same versions that runtime.txt pins."""
    dev = pins_of("dev.txt")
    demo = pins_of("demo.txt")

    assert {name: dev.get(name) for name in demo} == demo
    assert {name: demo.get(name) for name in pins_of("runtime.txt")} == pins_of("runtime.txt")


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.name)
def test_requirements_are_hashed_and_name_no_host(path: Path) -> None:
    text = path.read_text()
    pins = re.findall(r"^[a-z0-9-]+(?:\[[a-z0-9,-]+\])?==.*(?:\n .*)*", text, re.MULTILINE)

    assert pins
    assert [pin for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text
    assert "index-url" not in text


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_make_targets_only(path: Path) -> None:
    """A step calls a Make target or .ci/run; end-to-end tests run the scripts of pipelines."""
    strange = []
    for job in yaml.safe_load(path.read_text())["jobs"].values():
        for step in job["steps"]:
            command = step.get("run", "").strip()
            made = re.fullmatch(r"make ([a-z0-9-]+)", command)
            if command and command != ".ci/run" and not (made and made[1] in TARGETS):
                strange.append(command)

    assert bool(strange) == (path.name in PIPELINES)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_ask_for_few_permissions(path: Path) -> None:
    """A workflow can only read; a job can write what is in the table."""
    workflow = yaml.safe_load(path.read_text())
    written = {
        right
        for job in workflow["jobs"].values()
        for right, degree in (job.get("permissions") or {}).items()
        if degree == "write"
    }

    assert {"contents": "read"} == workflow["permissions"]
    assert WRITTEN.get(path.name, set()) == written


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_give_secrets_to_few_steps_only(path: Path) -> None:
    """No secret is in the environment of an action or an entire job, nor in a script."""
    workflow = yaml.safe_load(path.read_text())
    for job in workflow["jobs"].values():
        steps = job.pop("steps")
        assert "secrets." not in str(job)
        for step in steps:
            if "secrets." in str(step):
                assert " pulumi_huaweicloud_cbr ci " in step["run"] or "make " in step["run"]
                assert "secrets." not in str(step["run"])


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name + "/" + path.name)
def test_actions_are_pinned_by_commit(path: Path) -> None:
    """A tag can be moved to other code. The comment names the version of the commit."""
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())

    foreign = [(name, comment) for name, comment in used if not name.startswith("./")]
    assert [] == [
        name
        for name, comment in foreign
        if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", name)
        or not re.fullmatch(r" # v\d+\.\d+\.\d+", comment)
    ]


def test_ci_script_calls_targets_that_exist() -> None:
    called = re.findall(
        r"^(?:step|exec) make ([a-z-]+)", (ROOT / ".ci" / "run").read_text(), re.MULTILINE
    )

    assert called
    assert set(called) <= TARGETS


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / ".ci" / "run"], ids=lambda path: path.name)
def test_live_suite_is_started_by_hand_only(path: Path) -> None:
    """Nothing that costs money starts automatically, neither in CI nor with other suites."""
    suites = re.findall(r"^SUITES = (.+)$", MAKEFILE, re.MULTILINE)

    assert "live" not in path.read_text()
    assert suites
    assert "live" not in suites[0]


def test_makefile_help_lists_every_target() -> None:
    internal = {"pips", "toolchain-quiet"}
    described = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))

    assert described == TARGETS - internal


def test_all_tests_run_at_night_and_every_guarantee_in_each_change() -> None:
    """`make test` omits what has the mark; the nightly workflow omits nothing."""
    recipes = dict(re.findall(r"^(test|test-full):.*\n((?:\t.*\n)+)", MAKEFILE, re.MULTILINE))
    nightly = yaml.safe_load((ROOT / ".github" / "workflows" / "nightly.yml").read_text())
    commands = [step.get("run") for job in nightly["jobs"].values() for step in job["steps"]]
    # YAML reads the key `on` as a truth value.
    started_by = nightly[True]

    assert "$(NOT_FULL)" in recipes["test"]
    assert "$(NOT_FULL)" not in recipes["test-full"]
    assert 'NOT_FULL = -m "not full"' in MAKEFILE
    assert "make test-full" in commands
    assert {"schedule", "workflow_dispatch"} == set(started_by)
    assert [mark for mark in PROJECT["tool"]["pytest"]["ini_options"]["markers"] if "full:" in mark]
