"""How the run of a stack ended, and what that makes of all runs together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit


class Ended(Enum):
    """How a run ended; the values are those of JSON."""

    DONE = "done"
    DIFFERS = "differs"
    ABSENT = "absent"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    NOT_BEGUN = "not begun"


LEFT = (Ended.FAILED, Ended.INTERRUPTED, Ended.NOT_BEGUN)
"""What a repetition has to do."""


@dataclass(frozen=True)
class Outcome:
    """The end of a stack's run.

    `headline` says in a line what happened or would happen. `changes` are Pulumi's counts by
    operation. `advice` is what to do before the next run, None if nothing is.
    """

    stack: str
    ended: Ended
    headline: str = ""
    errors: tuple[str, ...] = ()
    advice: str | None = None
    changes: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return the line of JSON."""
        return {
            "event": "result",
            "stack": self.stack,
            "outcome": self.ended.value,
            "headline": self.headline,
            "errors": list(self.errors),
            "advice": self.advice,
            "changes": dict(self.changes),
            "seconds": round(self.seconds, 1),
        }


def exit_of(outcomes: Iterable[Outcome]) -> Exit:
    """Return the exit code; a failure goes before drift, since more drift may be unknown."""
    found = {one.ended for one in outcomes}
    if found & {Ended.INTERRUPTED, Ended.NOT_BEGUN}:
        return Exit.INTERRUPTED
    if Ended.FAILED in found:
        return Exit.TO_DO
    return Exit.DIFFERS if Ended.DIFFERS in found else Exit.DONE


def counts_of(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many runs ended in which way; ways that none ended in are left out."""
    listed = [one.ended for one in outcomes]
    return {one.value: listed.count(one) for one in Ended if one in listed}
