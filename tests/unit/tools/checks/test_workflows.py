"""`make lint` finds a broken workflow, a careless script, and what an attacker could use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.checks import workflows

GOOD = """\
name: Good
on: push
permissions:
  contents: read
concurrency:
  group: good
  cancel-in-progress: false
jobs:
  one:
    name: One
    runs-on: ubuntu-latest
    steps:
      - name: Greet
        env:
          NAME: ${{ github.ref_name }}
        run: echo "$NAME"
"""
FAULTS = {
    "an unknown context": ("github.ref_name", "githop.ref_name"),
    "a script that splits words": ('echo "$NAME"', "rm -r $NAME/*"),
    "a script made of foreign text": ('echo "$NAME"', "echo ${{ github.head_ref }}"),
}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one workflow, in which nothing is wrong."""
    if not os.access(workflows.ACTIONLINT.path, os.X_OK):
        pytest.skip("there is no actionlint here")
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (folder / "good.yml").write_text(GOOD)
    return tmp_path


def test_good_workflow_passes(repository: Path) -> None:
    """The checks complain of nothing that is right."""
    assert workflows.CLEAN == workflows.check(repository)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found(repository: Path, fault: str) -> None:
    """Each of these is a failure of `make lint`."""
    before, after = FAULTS[fault]
    assert before in GOOD
    broken = GOOD.replace(before, after)
    (repository / ".github" / "workflows" / "good.yml").write_text(broken)

    assert workflows.CLEAN != workflows.check(repository)
