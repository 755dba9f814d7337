"""The reports of `ci` from what the real CLI prints, with the commands that pipelines call."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject, Project, ci
from tests.e2e.programs import BACKUP
from tests.e2e.simulators import ForkedSimulator
from tests.e2e.six_comments import six_previews

MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
NOWHERE = "00000000-0000-4000-8000-000000000000"
NOWHERE_TOO = "00000000-0000-4000-8000-000000000001"
REPLICATIONS = "cbr-replication:replications"
SETS = "cbr-replication:sets"


def shown(project: Project, *options: str) -> str:
    """Return the comment of a preview that succeeds, as a reader sees it."""
    outcome = ci(project, "preview", *options)
    assert 0 == outcome.code, outcome.text
    return html.unescape(re.sub(r"</?code>", "", outcome.stdout))


def headline(told: str) -> str:
    """Return the headline of a comment."""
    return next(line for line in told.splitlines() if line.startswith("### "))[4:]


def replica_of(project: Project, name: str, label: str | None = None) -> str:
    """Return the id of a replica in the state."""
    outputs = project.state()[name]["outputs"]
    row = outputs if label is None else outputs["members"][label]
    return str(row["destination_backup_id"])


@pytest.mark.full
def test_pipeline_of_a_stack(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control, tmp_path: Path
) -> None:
    """Preview by a saved plan, `up` by it, lost replicas at night, faults of all entries."""
    to_east = {"destinations": erp["destinations"]}
    app = {**to_east, "name": "app", "backups": {"a": WEB_1, "b": WEB_2}}
    project = make_stacks_project([erp], **{SETS: [app]})
    saved, kept = tmp_path / "plan.json", tmp_path / "preview.json"

    told = shown(project, "--save-plan", str(saved), "--json-file", str(kept))
    assert "3 replicas will be copied (200 GB)" == headline(told)
    assert "| cn-east-3, dr-replicas | 3 | 200 GB | 1 TB |" in told
    assert "erp, of erp-db-01, 120 GB, made" in told
    assert "config" not in json.loads(kept.read_text())
    again = ci(project, "comment", str(kept))
    assert headline(told) == headline(again.stdout)

    done = ci(project, "up", "--plan", str(saved), "--summary", str(tmp_path / "summary.md"))
    assert 0 == done.code, done.text
    assert "### `up` is done" in (tmp_path / "summary.md").read_text()
    control.advance(20_000)
    project.refresh()
    assert "Nothing changes" == headline(shown(project))

    assert 0 == ci(project, "drift").code
    control.forget_backup(replica_of(project, "app-to-cn-east-3", "a"))
    drift = ci(project, "drift", "--format", "text")
    assert 4 == drift.code, drift.text
    assert drift.stdout.startswith("1 replica is LOST. By the next up, 1 replica will be copied")
    assert "- app cn-east-3, dr-replicas LOST: a; " in drift.stdout
    assert "the next up copies it again" in drift.stdout

    project.configure(
        {
            REPLICATIONS: [{**erp, "backup_id": NOWHERE}],
            SETS: [{**app, "backups": {"a": WEB_1, "no": NOWHERE_TOO}}],
        }
    )
    refused = ci(project, "preview", "--save-plan", str(saved))
    assert 1 == refused.code, refused.text
    assert "### `up` would be REFUSED for 2 faults" in refused.stdout
    assert not saved.exists()


@pytest.mark.full
def test_an_outdated_plan_is_refused(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control, tmp_path: Path
) -> None:
    project = make_stacks_project([erp])
    saved = tmp_path / "plan.json"
    shown(project, "--save-plan", str(saved))
    project.configure({REPLICATIONS: [{**erp, "backup_id": MANUAL}]})
    done = ci(project, "up", "--plan", str(saved))

    assert 5 == done.code, done.text
    assert "the saved plan no longer fits" in done.stderr
    assert [] == control.records()


@pytest.mark.full
def test_comment_shouts_at_last_copies(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """A reviewer reads which deletions take a last copy, and what `up` makes of each."""
    to_east = {"destinations": erp["destinations"]}
    kept = {**to_east, "name": "old", "backup_id": MANUAL, "retain_on_delete": True}
    forced = {**to_east, "name": "web", "backup_id": WEB_1}
    many = {**to_east, "name": "app", "backups": {"app-01": WEB_2}}
    project = make_stacks_project([erp, kept, forced], **{SETS: [many]})
    project.up()
    control.advance(20_000)
    for backup_id in (BACKUP, MANUAL, WEB_1, WEB_2):
        control.forget_backup(backup_id)
    project.refresh()

    forced["force_destroy"] = True
    project.configure({REPLICATIONS: [erp, kept, forced]})
    told = shown(project)
    assert "**force_destroy** is set for web-to-cn-east-3" in told
    assert "LAST COPY" not in told
    project.up()

    project.configure({REPLICATIONS: [], SETS: [many]})
    refused = ci(project, "preview", "--fail-on", "last-copy")
    assert 3 == refused.code, refused.text
    told = html.unescape(re.sub(r"</?code>", "", refused.stdout))
    assert "2 replicas will be DELETED, 1 left behind" == headline(told)
    assert "**1 LAST COPY**: erp. Nothing can make it again" in told
    assert "`up` refuses this unless it is forced" in told
    assert "**1 LAST COPY**: web" in told
    assert "force_destroy is set, so `up` deletes it" in told


@pytest.mark.full
@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("stack", "no stack named"),
        ("yaml", "invalid YAML"),
        ("passphrase", "passphrase"),
        ("backend", "unable to open bucket"),
        ("program", "ZeroDivisionError"),
        ("cli", "there is no pulumi on PATH"),
    ],
)
def test_a_failure_before_the_preview_has_a_comment(
    make_stacks_project: MakeProject, erp: dict[str, Any], tmp_path: Path, what: str, said: str
) -> None:
    """So no old comment stays that says that all is well."""
    project = make_stacks_project([erp])
    if what == "yaml":
        project.config_file.write_text("config: [")
    elif what == "program":
        (project.directory / "stacks" / "__main__.py").write_text("1 / 0\n")
    elif what == "passphrase":
        project.environment["PULUMI_CONFIG_PASSPHRASE"] = "wrong"
    elif what == "backend":
        project.environment["PULUMI_BACKEND_URL"] = "file:///nowhere/at/all"
    elif what == "stack":
        project.stack = "nowhere"
    else:
        project.environment["PATH"] = "/nowhere"
    file = tmp_path / "comment.md"
    outcome = ci(project, "preview", "--comment-file", str(file), "--commit", "a1b2c3d4")

    assert 1 == outcome.code
    told = html.unescape(file.read_text())
    assert "### Preview FAILED" in told
    assert said in told
    assert "a1b2c3d" in told


@pytest.mark.full
def test_six_comments_tell_the_decision_in_their_first_line(tmp_path: Path) -> None:
    """The comments that the documentation shows, from a stack of 375 replicas."""
    told = {
        name: headline(file.read_text())
        for name, _, file in six_previews(tmp_path, ForkedSimulator)
    }

    assert {
        "nothing-changes": "Nothing changes",
        "two-new-backups": "2 replicas will be copied (240 GB)",
        "three-members-less": "3 replicas will be DELETED",
        "a-set-moves": "7 replicas will be DELETED, 7 copied (840 GB)",
        "hundred-new-two-deleted": "2 replicas will be DELETED, 100 copied (2 TB)",
        "broken-configuration": "Preview FAILED",
    } == told
