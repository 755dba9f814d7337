"""The comment on a pull request, from what the real CLI prints."""

from __future__ import annotations

import html
from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject, Project
from tests.e2e.programs import BACKUP
from tools.preview import preview_comment

MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
REPLICATIONS = "cbr-replication:replications"
SETS = "cbr-replication:sets"


def comment_of(project: Project) -> dict[str, str]:
    """Return the lines of the comment: the verdict as "", and the table's rows by resource."""
    outcome = project.run("preview", "--json")
    comment = preview_comment.render(
        outcome.json(), outcome.stderr, "test", exit_code=outcome.code, offline=False
    )
    lines = html.unescape(comment).splitlines()
    rows = [line for line in lines if line.startswith("| ") and "<code>" in line]
    named = {row.split("<code>")[1].partition("-to-")[0]: row for row in rows}
    return {"": next(line for line in lines if line.startswith("###")), **named}


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
    comment = comment_of(project)
    assert "force_destroy: <code>true</code> (last copies may be deleted)" in comment["web"]
    assert "last cop" not in comment[""]
    project.up()

    project.configure({REPLICATIONS: [], SETS: [many]})
    comment = comment_of(project)
    assert "3 to delete, **2 last copies**" in comment[""]
    assert "**LAST COPY**" in comment["erp"]
    assert "up refuses this unless it is forced" in comment["erp"]
    assert "force_destroy is set, so up deletes it" in comment["web"]
    assert "retained: the replica stays" in comment["old"]
    assert "LAST COPY" not in comment["old"]
