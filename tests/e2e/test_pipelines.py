"""Two stacks in the pipelines as the files have them: each shell step is run as it is written.

A pull request, its merge, a night, drift and a killed `up`, on GitHub and on GitLab. The sites are
stand-ins that keep comments and issues; Pulumi, the package and the simulator are real.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import (
    COMMAND_LIMIT_S,
    PASSWORD,
    REPOSITORY,
    TOOLCHAIN,
    connection,
    wait_until,
)
from tests.e2e.programs import BACKUP, VAULT
from tests.e2e.runner import FakeSite, Job, Runner

pytestmark = pytest.mark.full

STACKS = {
    "east": ("cn-east-3", VAULT),
    "south": ("cn-south-1", "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"),
}
COPIED = ("Makefile", "Pulumi.yaml", "pyproject.toml", "README.md", "LICENSE", ".gitlab-ci.yml")
LINKED = (".cache", ".toolchain", ".venv", "plugin", "provider", "requirements", "tools")
# What this checkout's environment already has, so that a copy does not make it again.
CURRENT = (".venv/.base", ".venv/.package", "toolchain")
HEAD = "0123456789abcdef0123456789abcdef01234567"
SECRETS = {
    "secrets.HW_USER_NAME": "ops-replicator",
    "secrets.HW_USER_PASSWORD": PASSWORD,
    "secrets.HW_DOMAIN_NAME": "acme-cloud",
    "secrets.PULUMI_CONFIG_PASSPHRASE": "a passphrase of the test",
}
ON_GITHUB = {
    "github.event.pull_request.number": "7",
    "join(github.event.pull_request.labels.*.name, ' ')": "",
    "github.token": "token-of-the-test",
    "github.repository": "o/r",
    "github.event.workflow_run.id": "4711",
    "github.event.workflow_run.head_sha": HEAD,
    "github.event.workflow_run.run_number": "12",
    "github.event.workflow_run.html_url": "https://github.test/o/r/actions/runs/4711",
}
ON_GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.test/api/v4",
    "CI_PROJECT_ID": "3",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_LABELS": "",
    "GITLAB_NOTES_TOKEN": "token-of-the-test",
    **{key.removeprefix("secrets."): value for key, value in SECRETS.items()},
}


@dataclass
class Site:
    """A repository on a site, with its runner and its two stacks."""

    runner: Runner
    posts: FakeSite
    control: Control

    def each(self, workflow: str, job: str) -> dict[str, Job]:
        """Run a job of a workflow for each stack."""
        return {
            stack: self.runner.run(
                workflow, job, {"matrix.stack": stack, "strategy.job-index": str(index)}
            )
            for index, stack in enumerate(STACKS)
        }

    def up(self) -> None:
        """Run Up as after a push: plan all stacks, then bring them up to date."""
        for name in ("plan", "up"):
            for job in self.each("up.yml", name).values():
                assert job.code == 0, job.printed

    def copied(self) -> list[tuple[str, str]]:
        """Return the region and the source backup of each replica."""
        return sorted(
            (record["destination_region"], record["source_backup_id"])
            for record in self.control.records()
        )


@pytest.fixture
def site(tmp_path: Path, simulator: SimulatorProcess, control: Control) -> Site:
    """A checkout with two stacks, in a state without resources."""
    if shutil.which("jq") is None:
        pytest.skip("there is no jq here")
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    for name in COPIED:
        shutil.copy(REPOSITORY / name, checkout / name)
    for name in LINKED:
        (checkout / name).symlink_to(REPOSITORY / name)
    shutil.copytree(REPOSITORY / ".github", checkout / ".github")
    ignored = shutil.ignore_patterns("__py*", "Pulumi.*.yaml")
    shutil.copytree(REPOSITORY / "stacks", checkout / "stacks", ignore=ignored)
    shutil.copy(REPOSITORY / "stacks" / "Pulumi.example.yaml", checkout / "stacks")
    posts = FakeSite(tmp_path / "site")
    current = " ".join(f"-o {target}" for target in CURRENT)
    make = posts.folder / "make"
    make.write_text(f'#!/bin/sh\nexec "{shutil.which("make")}" {current} "$@"\n')
    make.chmod(0o755)
    (tmp_path / "backend").mkdir()
    environment = {
        "PATH": os.pathsep.join([str(posts.folder), os.environ["PATH"]]),
        "PYTHONPATH": str(REPOSITORY),
        "HOME": str(tmp_path),
        "HW_METADATA": "false",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        "PULUMI_HOME": str(tmp_path / "pulumi-home"),
    }
    backend = {"vars.PULUMI_BACKEND_URL": f"file://{tmp_path / 'backend'}"}
    runner = Runner(checkout, {**ON_GITHUB, **SECRETS, **backend}, environment, tmp_path / "kept")
    runner.artifacts.mkdir()
    for stack, (region, vault) in STACKS.items():
        make_stack(runner, stack, simulator, region, vault)
    return Site(runner, posts, control)


def make_stack(
    runner: Runner, stack: str, simulator: SimulatorProcess, region: str, vault: str
) -> None:
    """Create a stack, as its owner does once, with a server's backups in one region."""
    settings: dict[str, Any] = {
        key: value
        for key, value in connection(simulator).items()
        if key not in ("huaweicloud:userName", "huaweicloud:domainName")
    }
    settings["cbr-replication:sets"] = [
        {
            "name": "erp",
            "select": {"resource_name": "erp-db-01", "newest": 7},
            "keep_newest": 7,
            "destinations": [{"region": region, "vault_id": vault}],
        }
    ]
    file = runner.checkout / "stacks" / f"Pulumi.{stack}.yaml"
    file.write_text(yaml.safe_dump({"config": settings}))
    pulumi(runner, "stack", "init", stack, "--no-select")


def pulumi(runner: Runner, *arguments: str) -> None:
    """Run the CLI as the stacks' owner does."""
    subprocess.run(
        [TOOLCHAIN / "pulumi", "--non-interactive", *arguments],
        cwd=runner.checkout,
        env=owners_environment(runner),
        check=True,
        capture_output=True,
        timeout=COMMAND_LIMIT_S,
    )


def owners_environment(runner: Runner) -> dict[str, str]:
    """Return what the stacks' owner has in a shell."""
    secrets = {key.removeprefix("secrets."): value for key, value in SECRETS.items()}
    backend = runner.known["vars.PULUMI_BACKEND_URL"]
    path = os.pathsep.join([str(Path(sys.executable).parent), str(TOOLCHAIN), os.environ["PATH"]])
    return {**runner.environment, **secrets, "PULUMI_BACKEND_URL": backend, "PATH": path}


def test_github_from_pull_request_to_recovery(site: Site) -> None:
    """What each workflow does to replicas, comments and issues."""
    site.control.change_backup(BACKUP, status="error")  # Made in the second night.

    # A pull request, previewed twice.
    found = site.runner.run("preview.yml", "stacks")
    assert list(STACKS) == json.loads(found.outputs["find"]["stacks"])
    comment(site)
    first = site.posts.get()["comments"]
    assert 2 == len(first)
    headlines = [one["body"].splitlines()[2] for one in first]
    assert [line for line in headlines if "1 replica will be copied (120 GB)" not in line] == []
    comment(site)
    assert [one["id"] for one in first] == [one["id"] for one in site.posts.get()["comments"]]
    assert [] == site.copied()

    # It is merged.
    site.up()
    assert ["cn-east-3", "cn-south-1"] == [region for region, _ in site.copied()]

    # At night a new backup is there, and a replica is lost.
    site.control.change_backup(BACKUP, status="available")
    site.up()
    assert 4 == len(site.copied())
    lost = next(row for row in site.control.replicas() if row["region"] == "cn-east-3")
    site.control.forget_backup(lost["id"])
    for _ in range(2):
        drift = site.each("drift.yml", "drift")
        assert 4 == drift["east"].codes["Issue"]
        assert 0 == drift["south"].code
        (issue,) = site.posts.get()["issues"]
        assert ("Drift of stack east", "open") == (issue["title"], issue["state"])
        assert "1 replica is LOST" in issue["body"]

    # The next `up` repairs it, and the issue is closed.
    site.up()
    assert 5 == len(site.control.journal(operation="CopyBackup"))
    assert [0, 0] == [job.code for job in site.each("drift.yml", "drift").values()]
    assert "closed" == site.posts.get()["issues"][0]["state"]

    # A runner is lost in the middle of an `up`.
    kill_an_up(site)
    assert 0 != site.each("up.yml", "up")["south"].code
    recovered = site.runner.run(
        "recover.yml", "recover", {"inputs.stack": "south", "inputs.holder": ""}
    )
    assert recovered.code == 0, recovered.printed
    site.up()
    assert 5 == len(site.control.journal(operation="CopyBackup"))


def comment(site: Site) -> None:
    """Preview both stacks and post the comments, as the two workflows do."""
    for job in site.each("preview.yml", "preview").values():
        assert job.code == 0, job.printed
        assert job.summary
    site.posts.set({**site.posts.get(), "head": HEAD})
    posted = site.runner.run("preview-comment.yml", "comment")
    assert posted.code == 0, posted.printed


def kill_an_up(site: Site) -> None:
    """Kill the CLI while it holds the lock of a stack."""
    running = subprocess.Popen(
        [TOOLCHAIN / "pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "-s", "south"],
        cwd=site.runner.checkout,
        env=owners_environment(site.runner),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    locks = Path(site.runner.environment["HOME"], "backend", ".pulumi", "locks")
    wait_until(lambda: any(path.is_file() for path in locks.rglob("*")))
    running.send_signal(signal.SIGKILL)
    running.wait()


def test_preview_of_a_fork_has_no_secret_and_is_commented(site: Site) -> None:
    """Without credentials the preview says what it could not check."""
    without = dict.fromkeys((*SECRETS, "vars.PULUMI_BACKEND_URL"), "")
    job = site.runner.run(
        "preview.yml", "preview", {**without, "matrix.stack": "east", "strategy.job-index": "0"}
    )
    assert job.code == 0, job.printed
    site.posts.set({**site.posts.get(), "head": HEAD})

    assert 0 == site.runner.run("preview-comment.yml", "comment").code

    (posted,) = site.posts.get()["comments"]
    assert "without credentials" in posted["body"]


def test_comment_of_a_run_that_was_overtaken_is_not_posted(site: Site) -> None:
    """The pull request has another commit by now: its own run comments."""
    site.each("preview.yml", "preview")
    site.posts.set({**site.posts.get(), "head": "f" * 40})

    posted = site.runner.run("preview-comment.yml", "comment")

    assert posted.code == 0
    assert "has moved on" in posted.printed
    assert [] == site.posts.get()["comments"]


def test_failure_before_the_preview_has_a_comment(site: Site) -> None:
    """The tools could not be installed: no old comment stays as if all were well."""
    broken = site.posts.folder / "make"
    kept = broken.read_text()
    broken.write_text("#!/bin/sh\necho no network; exit 1\n")
    job = site.runner.run(
        "preview.yml", "preview", {"matrix.stack": "east", "strategy.job-index": "0"}
    )
    assert job.code == 1
    broken.write_text(kept)
    site.posts.set({**site.posts.get(), "head": HEAD})

    assert 0 == site.runner.run("preview-comment.yml", "comment").code

    (posted,) = site.posts.get()["comments"]
    assert "FAILED" in posted["body"]


def test_gitlab_from_merge_request_to_recovery(site: Site) -> None:
    """The same on GitLab, where one job does all stacks."""
    variables = {**ON_GITLAB, "PULUMI_BACKEND_URL": site.runner.known["vars.PULUMI_BACKEND_URL"]}
    tools = os.pathsep.join([str(site.runner.checkout / ".venv" / "bin"), str(TOOLCHAIN)])
    variables["PATH"] = f"{site.posts.folder}{os.pathsep}{tools}{os.pathsep}{os.environ['PATH']}"

    def run(job: str, **more: str) -> Job:
        return site.runner.run_gitlab(job, {**variables, **more})

    def up() -> None:
        for job in ("plan", "up"):
            done = run(job)
            assert done.code == 0, done.printed

    site.control.change_backup(BACKUP, status="error")
    for _ in range(2):
        previewed = run("preview")
        assert previewed.code == 0, previewed.printed
        assert 2 == len(site.posts.get()["comments"])
    assert [] == site.copied()

    up()
    assert 2 == len(site.copied())

    site.control.change_backup(BACKUP, status="available")
    up()
    assert 4 == len(site.copied())

    lost = next(row for row in site.control.replicas() if row["region"] == "cn-east-3")
    site.control.forget_backup(lost["id"])
    for _ in range(2):
        assert 4 == run("drift").code
        (issue,) = site.posts.get()["issues"]
        assert ("Drift of stack east", "opened") == (issue["title"], issue["state"])
    up()
    assert 5 == len(site.control.journal(operation="CopyBackup"))
    assert 0 == run("drift").code
    assert "closed" == site.posts.get()["issues"][0]["state"]

    kill_an_up(site)
    assert 0 != run("up").code
    recovered = run("recover", RECOVER_STACK="south")
    assert recovered.code == 0, recovered.printed
    up()
    assert 5 == len(site.control.journal(operation="CopyBackup"))
