"""Wrong programs end with one line that names the argument and the right form."""

from __future__ import annotations

import pytest

from tests.e2e.driver import MakeProject, on_plugin
from tests.e2e.mistakes import HEAD, MISTAKES

BY_DAY = ("missing", "positional", "no-members")
"""One fault that the program finds by itself, one of Python, one that the provider finds."""


@pytest.mark.parametrize(
    "key",
    [key if key in BY_DAY else pytest.param(key, marks=pytest.mark.full) for key in MISTAKES],
)
def test_wrong_program_is_answered_in_one_line(make_program: MakeProject, key: str) -> None:
    """No traceback, neither of this package nor of Pulumi."""
    mistake = MISTAKES[key]
    project = on_plugin("host", make_program, f"{HEAD}{mistake.program}\n")

    outcome = project.run("preview")

    assert outcome.code != 0
    assert "Traceback" not in outcome.text
    assert any(map(mistake.is_answered_in, outcome.text.splitlines())), outcome.text
