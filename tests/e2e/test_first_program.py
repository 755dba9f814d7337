"""The program of the README and of docs/start.md, with the real CLI, on three days."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject, Project
from tests.e2e.programs import BACKUP

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
PREVIEW = (FIXTURES / "preview.txt").read_text(encoding="utf-8")
"""What the README shows of the second day."""
PROGRAM = (FIXTURES / "program.py").read_text(encoding="utf-8")
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
"""The older backup of the same server as BACKUP."""


@pytest.fixture
def project(make_program: MakeProject) -> Project:
    """The program in a project of its own."""
    return make_program(PROGRAM)


def shown(preview: str) -> str:
    """Return a preview as the README shows it: the steps, and the messages once, below them."""
    lines = preview.splitlines()
    messages = lines.index("Diagnostics:")
    steps = [line.partition(";")[0] for line in lines[:messages] if line.startswith((" ~", " +"))]
    return "\n".join([lines[0], "", *steps, "", *lines[messages:]]).rstrip() + "\n"


def test_program_is_right_each_day(project: Project, control: Control) -> None:
    """A newer backup is copied and the older replica stays. Without backups nothing is deleted."""
    control.change_backup(BACKUP, status="error")
    project.up()
    assert [MANUAL] == [record["source_backup_id"] for record in control.records()]
    project.up("--expect-no-changes")

    control.change_backup(BACKUP, status="available")
    assert PREVIEW == shown(project.preview().stdout)
    assert 1 == len(control.records())
    project.up()
    assert {MANUAL, BACKUP} == {record["source_backup_id"] for record in control.records()}
    copies = {replica["id"] for replica in control.replicas()}
    project.up("--expect-no-changes")

    control.forget_backup(MANUAL)
    control.forget_backup(BACKUP)
    outcome = project.run("up", "--yes", "--skip-preview")
    assert outcome.code != 0
    assert "a set without members would delete all its replicas" in outcome.text
    assert "Traceback" not in outcome.text
    assert copies == {replica["id"] for replica in control.replicas()}
