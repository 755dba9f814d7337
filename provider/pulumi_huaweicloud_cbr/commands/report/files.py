"""The files that options of `report` name: checked before CBR is asked, then written whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.output import tell

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from pulumi_huaweicloud_cbr.commands.report.model import Report
    from pulumi_huaweicloud_cbr.commands.report.show.clean import CleanReport

FORMS = {"html": "a page", "metrics": "metrics", "junit": "test results"}
"""The options that name a file, and what is written into it."""


def check_files(given: argparse.Namespace) -> None:
    """Refuse now what could not be written later: reading an account may take minutes.

    Raises:
        ConfigurationError: a directory takes no file, or the extra ``report`` is not installed.
    """
    from pulumi_huaweicloud_cbr.commands.report.show.extra import check_extra

    for option, path in _named(given):
        check_extra(FORMS[option])
        _put(path, None)


def write_files(given: argparse.Namespace, report: Report) -> None:
    """Write the files. One that cannot be written does not stop the others.

    Raises:
        ConfigurationError: a file cannot be written; with several, the error of the first one.
    """
    from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned

    named = list(_named(given))
    if not named:
        return
    clean = cleaned(report)
    problems: list[ConfigurationError] = []
    for option, path in named:
        try:
            _put(path, _renderer(option)(clean))
        except ConfigurationError as error:
            problems.append(error)
        else:
            tell(f"wrote {path}")
    if problems:
        raise problems[0]


def _named(given: argparse.Namespace) -> Iterator[tuple[str, Path]]:
    for option in FORMS:
        path: Path | None = getattr(given, option)
        if path is not None:
            yield option, path


def _renderer(option: str) -> Callable[[CleanReport], str]:
    """Return what makes the content; it is loaded only if its file is asked for."""
    if option == "html":
        from pulumi_huaweicloud_cbr.commands.report.show.html.page import as_page

        return as_page
    if option == "metrics":
        from pulumi_huaweicloud_cbr.commands.report.show.metrics import as_metrics

        return as_metrics
    from pulumi_huaweicloud_cbr.commands.report.show.junit import as_junit

    return as_junit


def _put(path: Path, content: str | None) -> None:
    """Replace a file by one with this content; with None, only try whether that would work."""
    # A reader, such as Prometheus' collector of text files, never sees half a file.
    beside = path.parent / f".{path.name}.{os.getpid()}"
    try:
        if path.is_dir():
            raise IsADirectoryError("Is a directory")
        try:
            beside.write_text(content or "", encoding="utf-8")
            if content is not None:
                beside.replace(path)
        finally:
            if beside.exists():
                beside.unlink()
    except OSError as error:
        raise ConfigurationError(
            f"writing {str(path)!r}: {error.strerror or error}",
            remedy="name a file in a directory that exists and can be written to",
        ) from None
