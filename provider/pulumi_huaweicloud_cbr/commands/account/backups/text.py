"""The result of `backups` as lines for a terminal or a log, without colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC

from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.base.text import counted
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS, cell, short_age, table, wrapped
from pulumi_huaweicloud_cbr.commands.account.backups.report import (
    REPLICATION,
    BackupLook,
    CopyLook,
    Report,
)

_INDENT = "  "
_HEAD = ("id", "server", "made (UTC)", "age", "GB", "status")
_HEAD_OF_REPLICAS = ("id", "server", "created (UTC)", "age", "GB", "status")
_ABOUT_TIMES = "created may be the time of the copy; backup_created_at in outputs is the source's"
"""No document tells it. In the simulator it is the time of the copy (docs/recovery.md)."""
_LEAST = 12
"""At least so many characters of a server's name are shown."""


def as_text(report: Report) -> str:
    """Return the list, with two lines for each backup, and its count."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    what = "Replicas" if report.image_type == REPLICATION else "Backups"
    yield f"{what} in {report.region} (project {report.project_id}), newest first"
    if report.filters:
        yield from wrapped("Only: ", ", ".join(report.filters))
    if not report.backups:
        one = what.removesuffix("s").lower()
        yield f"No {one} fits." if report.filters else f"There are no {one}s."
        return
    is_of_replicas = report.image_type == REPLICATION
    head, *rows = _table(report.backups, _HEAD_OF_REPLICAS if is_of_replicas else _HEAD)
    yield ""
    yield head
    for backup, row in zip(report.backups, rows, strict=True):
        yield row
        yield from wrapped(f"{_INDENT}-> ", _where(report, backup))
    yield ""
    yield _conclusion(report)
    if is_of_replicas:
        yield _ABOUT_TIMES


def _table(backups: Sequence[BackupLook], head: tuple[str, ...]) -> Iterator[str]:
    others = [_cells(backup) for backup in backups]
    widths = [max(map(len, column)) for column in zip(head[2:], *others, strict=True)]
    # What the other columns leave of the line.
    taken = max(len(backup.id) for backup in backups) + sum(widths) + 2 * (len(head) - 1)
    limit = max(_LEAST, COLUMNS - taken)
    rows = [
        (backup.id, cell(backup.resource_name, limit), *cells)
        for backup, cells in zip(backups, others, strict=True)
    ]
    return table([head, *rows], "")


def _cells(backup: BackupLook) -> tuple[str, ...]:
    made = moment(backup.created_at)
    return (
        "-" if made == UNKNOWN else f"{made.astimezone(UTC):%Y-%m-%d %H:%M}",
        "-" if backup.age_s is None else short_age(backup.age_s),
        cell(backup.size_gb),
        cell(backup.status, 20),
    )


def _where(report: Report, backup: BackupLook) -> str:
    if report.image_type == REPLICATION:
        owner = f"of stack {cell(backup.owner)}" if backup.owner else "without a stack's mark"
        return f"in vault {cell(backup.vault_id)}, {owner}"
    if backup.copies is None:
        return "CBR does not tell its copies"
    return ", ".join(_copy(copy) for copy in backup.copies) or "no copy"


def _copy(copy: CopyLook) -> str:
    text = f"{cell(copy.region)} {cell(copy.status)}"
    if copy.progress is not None:
        text += f" {copy.progress} %"
    if copy.failure is not None:
        text += f" ({copy.failure})"
    elif copy.is_there is False:
        text += ", but the replica is not there"
    return text


def _conclusion(report: Report) -> str:
    what = "replica" if report.image_type == REPLICATION else "backup"
    shown = counted(len(report.backups), what)
    if report.is_cut:
        return f"{shown}, the newest; there are more, which --limit leaves out."
    return f"{shown}."
