"""Writes a report where it is wanted: on the terminal, into files, into a step summary."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document
from pulumi_huaweicloud_cbr.commands.ci.show.markdown import GITHUB_LIMIT, GITLAB_LIMIT, markdown
from pulumi_huaweicloud_cbr.commands.ci.show.plain import plain
from pulumi_huaweicloud_cbr.commands.ci.text.report import Report

_SUMMARY = "GITHUB_STEP_SUMMARY"


def write(report: Report, given: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """Print a report, and write its files.

    Raises:
        ConfigurationError: a file cannot be written.
    """
    comments = markdown(report, _limit(given.limit, environ))
    if given.comment_file is not None:
        for number, comment in enumerate(comments, start=1):
            _write(numbered(given.comment_file, number), comment)
        _remove_later(given.comment_file, len(comments) + 1)
    add_summary(report, given.summary, environ)
    chosen = given.format or ("text" if sys.stdout.isatty() else "markdown")
    print(plain(report) if chosen == "text" else "\n".join(comments), end="")


def write_json(document: Document, path: Path | None) -> None:
    """Write the JSON of a preview.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    if path is not None:
        _write(path, json.dumps(document.raw, indent=1) + "\n")


def add_summary(report: Report, path: Path | None, environ: Mapping[str, str]) -> None:
    """Add a report to the summary of the step, if there is one.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    named = path or (Path(environ[_SUMMARY]) if environ.get(_SUMMARY) else None)
    if named is not None:
        _write(named, "\n".join(markdown(report, GITLAB_LIMIT)) + "\n", mode="a")


def numbered(path: Path, number: int) -> Path:
    """Return the file of a comment's part: ``comment.md``, ``comment-2.md`` and so on."""
    return path if number == 1 else path.with_name(f"{path.stem}-{number}{path.suffix}")


def _remove_later(path: Path, number: int) -> None:
    """Remove the parts that an earlier run has left."""
    while (stale := numbered(path, number)).exists():
        stale.unlink()
        number += 1


def _limit(chosen: str | None, environ: Mapping[str, str]) -> int:
    site = chosen or ("gitlab" if environ.get("GITLAB_CI") else "github")
    return GITLAB_LIMIT if site == "gitlab" else GITHUB_LIMIT


def _write(path: Path, text: str, mode: str = "w") -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(
            f"writing {path}: {error.strerror or error}", remedy="name a file that can be written"
        ) from None
