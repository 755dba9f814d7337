"""The results of a run: claims and answers, written after each step."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.text import readable
from tools.live.questions import BY_ID, QUESTIONS

ANSWER_LIMIT = 400


class Notes:
    """The claims of this run, and the answers of this and earlier ones.

    Args:
        directory: where ``answers.json`` and its readable form ``answers.md`` are.
        where: the regions of the answers.
        say: shows a line.
    """

    def __init__(self, directory: Path, where: str, say: Callable[[str], None]) -> None:
        self._file = directory / "answers.json"
        self._page = directory / "answers.md"
        self._where = where
        self._say = say
        self._answers: dict[str, dict[str, Any]] = {}
        if self._file.exists():
            self._answers = json.loads(self._file.read_text(encoding="utf-8"))
        self._fresh: set[str] = set()
        self.broken: list[str] = []

    def claim(self, is_true: bool, claim: str) -> None:
        """Note whether a claim that the package relies on was observed to hold."""
        self._say(f"  {'ok    ' if is_true else 'NOT SO'} {claim}")
        if not is_true:
            self.broken.append(claim)

    def answer(self, id_: str, observed: str) -> None:
        """Note an observation about an open question; a run may have several."""
        question = BY_ID[id_]
        if not question.is_asked:
            raise ValueError(f"question {id_} is marked as not asked")
        if id_ not in self._fresh:
            self._fresh.add(id_)
            self._answers[id_] = {"question": question.text, "observed": []}
        row = self._answers[id_]
        row["where"] = self._where
        row["at"] = datetime.now(UTC).isoformat(timespec="seconds")
        row["observed"].append(readable(observed, ANSWER_LIMIT))
        self._say(f"  {id_}: {row['observed'][-1]}")
        self._write()

    @property
    def unanswered(self) -> list[str]:
        """Return the questions that the suite asks and that this run has not answered."""
        return [row.id for row in QUESTIONS if row.is_asked and row.id not in self._fresh]

    def _write(self) -> None:
        write_whole(self._file, json.dumps(self._answers, indent=2, ensure_ascii=False) + "\n")
        lines = ["# What the live suite observed", ""]
        for question in QUESTIONS:
            lines.append(f"## {question.id} {question.text}")
            row = self._answers.get(question.id)
            if row:
                lines += [f"- {observed}" for observed in row["observed"]]
                lines.append(f"- seen {row['at']}, {row['where']}")
            else:
                lines.append(f"Not asked: {question.reason}." if question.reason else "Open.")
            lines.append("")
        write_whole(self._page, "\n".join(lines))


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader, or the next run, finds a complete old or new one."""
    scratch = path.with_suffix(".new")
    with scratch.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    scratch.replace(path)
