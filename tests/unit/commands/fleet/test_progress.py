"""The view of all runs: on a terminal, in a pipe, as JSON."""

from __future__ import annotations

import io
import json
import re

import pytest

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands.fleet.outcome import Ended, Outcome, exit_of
from pulumi_huaweicloud_cbr.commands.fleet.progress import JsonLines, Lines, Terminal, summary

DONE = Outcome("prod-a", Ended.DONE, "1 created", changes={"create": 1}, seconds=2.04)
FAILED = Outcome("prod-b", Ended.FAILED, "up FAILED", ("vault is full\n  at once",), "wait")
NOT_BEGUN = Outcome("prod-c", Ended.NOT_BEGUN)


class Screen(io.StringIO):
    """A terminal that shows what its control sequences leave on it."""

    def shown(self) -> list[str]:
        """Return the lines."""
        lines: list[str] = []
        at = 0
        for part in re.findall(r"\x1b\[\d+A|\x1b\[2K|[^\n\x1b]*\n?", self.getvalue()):
            if up := re.fullmatch(r"\x1b\[(\d+)A", part):
                at -= int(up[1])
            elif part.endswith("\n"):
                lines[at:] = [part[:-1], *lines[at + 1 :]]
                at += 1
        return lines


@pytest.fixture
def size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 60 columns and 5 rows."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "5")


@pytest.mark.usefixtures("size")
def test_terminal_rewrites_a_line_for_each_stack() -> None:
    """State, seconds, and what was told last, cut to the width."""
    out, now = Screen(), [0.0]
    view = Terminal(out, ["prod-a", "prod-b", "prod-c"], lambda: now[0])
    view.note({"stack": "prod-a", "event": "begun"})
    now[0] = 3.0
    told = {"severity": "info", "resource": "s", "text": "x" * 80}
    view.note({"stack": "prod-a", "event": "progress", **told})

    assert [
        "prod-a  running         3 s  s: " + "x" * 27,
        "prod-b  waiting",
        "prod-c  waiting",
        "1 running, 2 waiting",
    ] == [line[:60].rstrip() for line in out.shown()]
    assert all(len(line) < 60 for line in out.shown())

    now[0] = 4.0
    view.note(DONE.to_json())
    view.close([DONE, FAILED, NOT_BEGUN])

    shown = out.shown()
    assert "prod-a  done            4 s  done: 1 created" == shown[0]
    assert summary([DONE, FAILED, NOT_BEGUN]) == shown[4:]


@pytest.mark.usefixtures("size")
def test_small_terminal_shows_the_stacks_at_work() -> None:
    """The others are counted below, and no old line is left."""
    out, now = Screen(), [0.0]
    view = Terminal(out, [f"prod-{number}" for number in range(9)], lambda: now[0])
    for number in (3, 5):
        now[0] += 1
        view.note({"stack": f"prod-{number}", "event": "begun"})

    assert ["prod-3", "prod-5", "7"] == [line.split()[0] for line in out.shown()[:3] if line]

    now[0] += 1
    view.note({**DONE.to_json(), "stack": "prod-3"})
    assert ["prod-5", "7"] == [line.split()[0] for line in out.shown() if line]


def test_lines_leave_out_what_lasts_a_moment() -> None:
    """A pipe gets a line for each event, and each result with its errors."""
    out = io.StringIO()
    view = Lines(out)
    told = {"severity": "info", "resource": "s", "text": "1 of 2"}
    view.note({"stack": "prod-a", "event": "progress", **told})
    view.note({"stack": "prod-a", "event": "message", **told, "severity": "warning"})
    view.note(FAILED.to_json())
    view.draw()
    view.close([FAILED])

    assert (
        "prod-a: warning: s: 1 of 2\n"
        "prod-b: failed: up FAILED\n"
        "\n"
        "prod-b: failed: up FAILED\n"
        "  vault is full\n"
        "    at once\n"
        "  before the next run: wait\n"
        "stacks: 1 failed\n"
        "Run the same command again for what is left; stacks that are done stay so.\n"
    ) == out.getvalue()


def test_json_has_one_result_for_each_stack() -> None:
    """Also for one that was not begun, and of characters that the output has."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    view = JsonLines(out)
    view.note(DONE.to_json())
    view.draw()
    view.close([DONE, Outcome("生产", Ended.NOT_BEGUN)])
    out.seek(0)

    first, second, last = map(json.loads, out.read().splitlines())
    assert {
        "event": "result",
        "stack": "prod-a",
        "outcome": "done",
        "headline": "1 created",
        "errors": [],
        "advice": None,
        "changes": {"create": 1},
        "seconds": 2.0,
    } == first
    assert ("生产", "not begun") == (second["stack"], second["outcome"])
    assert {"event": "end", "stacks": 2, "outcomes": {"done": 1, "not begun": 1}} == last


@pytest.mark.parametrize(
    ("ended", "code"),
    [
        ((Ended.DONE, Ended.ABSENT), Exit.DONE),
        ((Ended.DIFFERS, Ended.DONE), Exit.DIFFERS),
        ((Ended.DIFFERS, Ended.FAILED), Exit.TO_DO),
        ((Ended.FAILED, Ended.NOT_BEGUN), Exit.INTERRUPTED),
        ((Ended.INTERRUPTED, Ended.DONE), Exit.INTERRUPTED),
    ],
)
def test_worst_end_is_the_exit_code(ended: tuple[Ended, ...], code: Exit) -> None:
    """A failure goes before drift: what failed may have drift as well."""
    assert code == exit_of([Outcome(f"{number}", one) for number, one in enumerate(ended)])
