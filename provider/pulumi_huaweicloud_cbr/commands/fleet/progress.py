"""One view of all runs: lines that are rewritten on a terminal, a line for each event, or JSON.

What an event of the engine says about a stack is read here as well.
"""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TextIO

from pulumi_huaweicloud_cbr.base.text import readable, redact
from pulumi_huaweicloud_cbr.commands._cli.output import takes_every_character
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import plain
from pulumi_huaweicloud_cbr.commands.fleet.outcome import LEFT, Ended, Outcome, counts_of

_INTERNAL = ("pulumi:pulumi:", "pulumi:providers:")
_UNTOLD = ("same", "read", "refresh")
"""Operations that change nothing; there may be thousands."""
_REDRAW_S = 0.2
_UP, _CLEAR = "\x1b[{}A", "\x1b[2K"


class View(Protocol):
    """Shows what happens; it is called by one thread at a time."""

    def note(self, event: dict[str, Any]) -> None:
        """Show an event; it has at least ``event`` and ``stack``."""

    def draw(self) -> None:
        """Show what has become of time."""

    def close(self, outcomes: Sequence[Outcome]) -> None:
        """Show the results, in the order of the stacks."""


@dataclass
class Noted:
    """What the events of one run said: errors, and the counts of its summary."""

    errors: list[str] = field(default_factory=list)
    changes: dict[str, int] = field(default_factory=dict)


class Board:
    """Passes on what the runs of all threads tell, one at a time."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._lock = threading.Lock()

    def note(self, event: dict[str, Any]) -> None:
        """Tell an event."""
        with self._lock:
            self._view.note(event)

    def draw(self) -> None:
        """Show what has become of time."""
        with self._lock:
            self._view.draw()

    def listener(
        self, stack: str, noted: Noted, *, is_preview: bool = False
    ) -> Callable[[Any], None]:
        """Return what takes the engine's events of a stack.

        Args:
            noted: gets what the result needs.
            is_preview: operations are planned, and none is done.
        """

        def take(event: Any) -> None:
            if event.summary_event is not None:
                changes = event.summary_event.resource_changes or {}
                noted.changes = {str(key): int(count) for key, count in changes.items()}
            told = told_by(event, is_preview=is_preview)
            if told is None:
                return
            if told["event"] == "message" and told["severity"] == "error":
                noted.errors.append(told["text"])
            self.note({"stack": stack, **told})

        return take


def told_by(event: Any, *, is_preview: bool = False) -> dict[str, Any] | None:
    """Return what an event of the engine tells, None if it tells nothing to a user.

    Args:
        event: of `pulumi.automation.EngineEvent`'s form.
        is_preview: the engine begins and ends each operation of a preview as well.
    """
    if event.diagnostic_event is not None:
        return _message(event.diagnostic_event)
    if event.resource_pre_event is not None:
        state = "planned" if is_preview else "begun"
        return _operation(event.resource_pre_event.metadata, state)
    if event.res_op_failed_event is not None:
        return _operation(event.res_op_failed_event.metadata, "failed")
    if event.res_outputs_event is not None and not is_preview:
        return _operation(event.res_outputs_event.metadata, "done")
    return None


def _message(part: Any) -> dict[str, Any] | None:
    severity = str(part.severity).removesuffix("#err")
    text = redact(plain(part.message)).removeprefix(f"{severity}: ")
    if severity == "debug" or not text:
        return None
    kind = "progress" if part.ephemeral else "message"
    return {"event": kind, "severity": severity, "resource": _name(part.urn), "text": text}


def _operation(step: Any, state: str) -> dict[str, Any] | None:
    operation = str(getattr(step.op, "value", step.op))
    if step.type.startswith(_INTERNAL) or operation in _UNTOLD:
        return None
    return {
        "event": "resource",
        "resource": _name(step.urn),
        "operation": operation,
        "state": state,
    }


def _name(urn: str | None) -> str:
    return (urn or "").rpartition("::")[2]


def words_of(event: dict[str, Any]) -> str:
    """Return an event as a line says it, empty if it is left to JSON."""
    kind = event["event"]
    if kind == "resource":
        return f"{event['operation']} {event['resource']}: {event['state']}"
    if kind in ("message", "progress"):
        at = f"{event['resource']}: " if event["resource"] else ""
        severity = f"{event['severity']}: " if event["severity"] != "info" else ""
        return readable(f"{severity}{at}{event['text']}".replace("\n", " "), 2000)
    if kind == "result":
        return ": ".join(part for part in (event["outcome"], event["headline"]) if part)
    return str(event.get("text", kind))


class Lines:
    """A line for each event, and the results at the end."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def note(self, event: dict[str, Any]) -> None:
        """Show an event; what only lasts for a moment is left out."""
        if event["event"] != "progress":
            self._print(f"{event['stack']}: {words_of(event)}")

    def draw(self) -> None:
        """Show nothing: time alone is no event."""

    def close(self, outcomes: Sequence[Outcome]) -> None:
        """Show the results."""
        for line in summary(outcomes):
            self._print(line)

    def _print(self, line: str) -> None:
        print(line, file=self._out, flush=True)


class JsonLines:
    """A JSON document on each line; the last one counts the results."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._ended: set[str] = set()

    def note(self, event: dict[str, Any]) -> None:
        """Print an event; the last one of a stack is its result."""
        if event["event"] == "result":
            self._ended.add(event["stack"])
        self._print(event)

    def draw(self) -> None:
        """Print nothing."""

    def close(self, outcomes: Sequence[Outcome]) -> None:
        """Print the results of stacks that were not begun, and the counts of all."""
        for one in outcomes:
            if one.stack not in self._ended:
                self._print(one.to_json())
        self._print({"event": "end", "stacks": len(outcomes), "outcomes": counts_of(outcomes)})

    def _print(self, document: dict[str, Any]) -> None:
        text = json.dumps(document, ensure_ascii=not takes_every_character(self._out))
        print(redact(text), file=self._out, flush=True)


@dataclass
class _Row:
    name: str
    state: str = "waiting"
    text: str = ""
    begun_at: float | None = None
    ended_at: float | None = None


class Terminal:
    """A line for each stack, which is rewritten; only those at work if there is no room for all.

    Args:
        clock: seconds that never run backwards.
    """

    def __init__(self, out: TextIO, names: Iterable[str], clock: Callable[[], float]) -> None:
        self._out = out
        self._clock = clock
        self._rows = {name: _Row(name) for name in names}
        self._height = 0
        self._drawn_at = -_REDRAW_S

    def note(self, event: dict[str, Any]) -> None:
        """Show an event on the stack's line."""
        row = self._rows[event["stack"]]
        if event["event"] == "begun":
            row.state, row.begun_at = "running", self._clock()
        elif event["event"] == "result":
            row.state, row.ended_at = event["outcome"], self._clock()
        row.text = words_of(event)
        self.draw()

    def draw(self) -> None:
        """Write the lines again, unless they were written a moment ago."""
        if self._clock() - self._drawn_at >= _REDRAW_S:
            self._draw()

    def close(self, outcomes: Sequence[Outcome]) -> None:
        """Show the last state, and the results below it."""
        self._draw()
        print("\n".join(summary(outcomes)), file=self._out, flush=True)

    def _draw(self) -> None:
        self._drawn_at = self._clock()
        columns, rows = shutil.get_terminal_size()
        lines = [line[: columns - 1] for line in self._lines(rows - 1)]
        # Fewer lines than before would leave old ones below.
        lines += [""] * (self._height - len(lines))
        up = _UP.format(self._height) if self._height else ""
        self._out.write(up + "".join(f"{_CLEAR}{line}\n" for line in lines))
        self._out.flush()
        self._height = len(lines)

    def _lines(self, room: int) -> list[str]:
        rows = list(self._rows.values())
        counted = dict.fromkeys((one.state for one in rows), 0)
        for one in rows:
            counted[one.state] += 1
        total = ", ".join(f"{count} {state}" for state, count in counted.items())
        if len(rows) + 1 > room:
            wanted = ("running", *(one.value for one in LEFT if one is not Ended.NOT_BEGUN))
            rows = [one for one in rows if one.state in wanted][: max(room - 1, 0)]
        width = max((len(one.name) for one in self._rows.values()), default=0)
        return [*(self._line(one, width) for one in rows), total]

    def _line(self, row: _Row, width: int) -> str:
        until = row.ended_at if row.ended_at is not None else self._clock()
        took = f"{until - row.begun_at:.0f} s" if row.begun_at is not None else ""
        return f"{row.name:<{width}}  {row.state:<11}  {took:>6}  {row.text}".rstrip()


def summary(outcomes: Sequence[Outcome]) -> list[str]:
    """Return the lines below the view: each result, what to do, and the counts."""
    lines = [""]
    for one in outcomes:
        lines.append(f"{one.stack}: {one.ended.value}{f': {one.headline}' if one.headline else ''}")
        lines += [f"  {line}" for error in one.errors for line in error.splitlines()]
        lines += [f"  before the next run: {one.advice}"] if one.advice else []
    counted = ", ".join(f"{count} {word}" for word, count in counts_of(outcomes).items())
    lines.append(f"stacks: {counted}")
    if any(one.ended in LEFT for one in outcomes):
        lines.append("Run the same command again for what is left; stacks that are done stay so.")
    return lines


def view_of(out: TextIO, names: Iterable[str], *, is_json: bool) -> View:
    """Return the view that fits the output."""
    if is_json:
        return JsonLines(out)
    return Terminal(out, names, time.monotonic) if out.isatty() else Lines(out)
