"""The result of `owners` as lines for a terminal or a log, without colours."""

from __future__ import annotations

import shlex
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from pulumi_huaweicloud_cbr.base.text import counted
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS, LONGEST, cell, table, wrapped
from pulumi_huaweicloud_cbr.commands.account.owners.report import (
    DELETING,
    FAILED,
    GONE,
    IN_STATE,
    ORPHAN,
    OTHER_STACK,
    RUNNING,
    UNCLEAR,
    UNMARKED,
    UNNAMED,
    UNSEEN,
    RegionLook,
    ReplicaLook,
    Report,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import mark_of

_INDENT = "  "
_NAME, _PLACE = 20, 28
"""The widths of cells: names of what was backed up, vaults. The last cell of a row is shown whole,
since labels and replicas' names may differ at their ends only."""
_REASONS = {
    GONE: "gone",
    DELETING: "being deleted",
    FAILED: "copy failed",
    RUNNING: "copy runs",
    UNNAMED: "not named by CBR",
}


def as_text(report: Report, directory: Path | None = None) -> str:
    """Return the result, group by group, with a conclusion.

    Args:
        directory: the project's, for the command that imports; None if it is the current one.
    """
    sections = [
        _head(report),
        _in_state(report.of(IN_STATE)),
        _rows_without_replica(report),
        _rows_unseen(report),
        _other_stacks(report.of(OTHER_STACK)),
        _unmarked(report.of(UNMARKED)),
        _unclear(report.of(UNCLEAR)),
        _orphans(report, directory),
        _conclusion(report),
    ]
    texts = ("\n".join(section) for section in sections)
    return "\n\n".join(text for text in texts if text)


def _head(report: Report) -> Iterator[str]:
    yield from _paragraph(
        f"Stack {cell(report.stack)} marks its replicas with {mark_of(report.owner)}"
        if report.is_marking
        else f"Stack {cell(report.stack)} marks no new replicas (huaweicloud:markReplicas); its "
        f"mark would be {mark_of(report.owner)}"
    )
    told = [(look.region, _destination(look)) for look in report.destinations]
    told += [
        (look.region, f"source, not looked at: {look.unseen_because}")
        for look in report.sources
        if look.unseen_because
    ]
    width = max(len(cell(region)) for region, _ in told)
    for region, text in told:
        yield from wrapped(f"{_INDENT}{cell(region):<{width}}  ", text)
    for urn in report.unreadable:
        yield from wrapped(_INDENT, f"the state of {urn} cannot be read")
    if report.pending_count:
        yield from wrapped(
            _INDENT,
            f"{counted(report.pending_count, 'operation')} pending in the state: an up that still "
            "runs, or was killed, may explain an orphan",
        )


def _destination(look: RegionLook) -> str:
    project = f"project {look.project_id}" if look.project_id else "its project"
    if look.unseen_because:
        return f"{project}, not looked at: {look.unseen_because}"
    count = counted(look.replica_count, "replica")
    if not look.elsewhere_count:
        return f"{project}, {count}"
    return (
        f"{project}, {count}; not listed: {look.elsewhere_count} without this stack's mark, in "
        "vaults that it does not name"
    )


def _in_state(replicas: Sequence[ReplicaLook]) -> Iterator[str]:
    if not replicas:
        return
    yield f"In the state of this stack: {counted(len(replicas), 'replica')}"
    rows = [(*_facts(one), cell(_titles(one), LONGEST)) for one in replicas]
    yield from table([("of", "age", "size", "in", "as"), *rows], _INDENT)
    for one in replicas:
        if one.is_left_alone:
            yield from wrapped(
                _INDENT,
                f"{_titles(one)}: the replica has the mark of {one.owner}, so Pulumi leaves it in "
                "the cloud when the resource goes",
            )


def _rows_without_replica(report: Report) -> Iterator[str]:
    rows = [row for row in report.rows_without_replica if row.reason != UNSEEN]
    if not rows:
        return
    yield f"In the state, without a replica: {counted(len(rows), 'row')}"
    cells = [
        (row.backup_id, cell(row.region, 16), _REASONS[row.reason], cell(row.title, LONGEST))
        for row in rows
    ]
    yield from table([("backup", "to", "replica", "as"), *cells], _INDENT)
    if any(row.reason == GONE for row in rows):
        yield from _paragraph(
            "pulumi refresh drops what is gone. The next up copies it again, if the program "
            "declares it and the source exists.",
            _INDENT,
        )


def _rows_unseen(report: Report) -> Iterator[str]:
    rows = [row for row in report.rows_without_replica if row.reason == UNSEEN]
    if not rows:
        return
    yield f"In the state, not looked at: {counted(len(rows), 'row')}"
    cells = [(row.backup_id, cell(row.region, 16), cell(row.title, LONGEST)) for row in rows]
    yield from table([("backup", "to", "as"), *cells], _INDENT)
    yield from _paragraph(
        "Their replicas may exist: the reason why their destinations were not listed is above.",
        _INDENT,
    )


def _other_stacks(replicas: Sequence[ReplicaLook]) -> Iterator[str]:
    by_owner: defaultdict[str, list[ReplicaLook]] = defaultdict(list)
    for replica in replicas:
        by_owner[cell(replica.owner)].append(replica)
    is_first = True
    for owner, its_replicas in sorted(by_owner.items()):
        if not is_first:
            yield ""
        is_first = False
        yield f"Of the stack {owner}: {counted(len(its_replicas), 'replica')}"
        yield from _listed(its_replicas)


def _unmarked(replicas: Sequence[ReplicaLook]) -> Iterator[str]:
    if not replicas:
        return
    yield f"Without a mark, and in no row of this state: {counted(len(replicas), 'replica')}"
    yield from _listed(replicas)
    yield from _paragraph(
        "Made in the console, by a policy, by another tool, with marks turned off, or as part of "
        "an entire vault, whose copies get no mark.",
        _INDENT,
    )


def _listed(replicas: Sequence[ReplicaLook]) -> Iterator[str]:
    rows = [(*_facts(one), cell(one.name, LONGEST)) for one in replicas]
    yield from table([("of", "age", "size", "in", "name"), *rows], _INDENT)


def _facts(replica: ReplicaLook) -> tuple[str, str, str, str]:
    return (
        cell(replica.resource_name, _NAME),
        _age(replica.age_s),
        _size(replica.size_gb),
        cell(_place(replica), _PLACE),
    )


def _unclear(replicas: Sequence[ReplicaLook]) -> Iterator[str]:
    if not replicas:
        return
    yield f"Not clear: {counted(len(replicas), 'replica')}"
    for one in replicas:
        yield from wrapped(_INDENT, _described(one))
        reason = (
            f"perhaps the replica of {', '.join(one.may_be_of)}, which CBR does not name yet"
            if one.may_be_of
            else "not all that could have it was looked at"
        )
        yield from wrapped(f"{_INDENT}  id      ", one.id)
        yield from wrapped(f"{_INDENT}  why     ", reason)
    yield from _paragraph(
        "When the copies have ended, run pulumi refresh and then this command again. Delete none "
        "of these before.",
        _INDENT,
    )


def _orphans(report: Report, directory: Path | None) -> Iterator[str]:
    orphans = report.of(ORPHAN)
    if not orphans:
        return
    yield f"Orphans, with this stack's mark and in no state: {counted(len(orphans), 'replica')}"
    for one in orphans:
        yield from wrapped(_INDENT, _described(one))
        yield from wrapped(f"{_INDENT}  id      ", one.id)
        yield from _ways(report, one, directory)
    if any(one.origin for one in orphans):
        yield from _paragraph(
            "If the program declares the copy, pulumi up takes it over, and no import is needed. "
            "Otherwise import it: the command writes a file, and prints the pulumi import that "
            "reads it. Declare it before the next up, which else deletes the replica.",
            _INDENT,
        )


def _ways(report: Report, orphan: ReplicaLook, directory: Path | None) -> Iterator[str]:
    origin = orphan.origin
    if origin is None:
        regions = ", ".join(dict.fromkeys(look.region for look in report.sources)) or "any region"
        yield from wrapped(
            f"{_INDENT}  source  ",
            f"gone: no backup in {regions} names this replica any more. It cannot be imported: "
            "keep it, or delete it in the CBR console",
        )
        return
    source = f"backup {cell(origin.backup_name)} ({origin.backup_id}) in {origin.region}"
    yield from wrapped(f"{_INDENT}  source  ", source)
    if orphan.import_id is None:
        yield from wrapped(
            f"{_INDENT}  import  ",
            f"not possible: an id cannot name the source's project ({origin.project_id}). Declare "
            "the copy with source_project_id, and pulumi up takes it over",
        )
        return
    yield f"{_INDENT}  import  {import_command(report.stack, directory)} \\"
    yield f"{_INDENT}    {shlex.quote(f'{orphan.import_name}={orphan.import_id}')}"


def import_command(stack: str, directory: Path | None) -> str:
    """Return the command that writes an import file, without the replications."""
    there = f" --cwd {shlex.quote(str(directory))}" if directory is not None else ""
    return f"python -m pulumi_huaweicloud_cbr import-file --stack {shlex.quote(stack)}{there}"


def _conclusion(report: Report) -> Iterator[str]:
    if not report.is_complete:
        yield "Not everything could be looked at; see above."
    count = len(report.of(ORPHAN))
    unclear = len(report.of(UNCLEAR))
    but = f"; {counted(unclear, 'replica')} not clear" if unclear else ""
    yield f"{counted(count, 'orphan') if count else 'No orphans'}{but}."


def _described(replica: ReplicaLook) -> str:
    return (
        f"{cell(replica.resource_name)}, {_size(replica.size_gb)}, {_age(replica.age_s)} old, in "
        f"{_place(replica)}, named {cell(replica.name)}"
    )


def _titles(replica: ReplicaLook) -> str:
    return ", ".join(holder.title for holder in replica.held_by)


def _place(replica: ReplicaLook) -> str:
    return f"{replica.vault_name or replica.vault_id or '-'}, {replica.region}"


def _size(size_gb: int | None) -> str:
    return "-" if size_gb is None else f"{size_gb} GB"


def _age(age_s: int | None) -> str:
    """Return an age in its largest unit."""
    if age_s is None:
        return "-"
    for unit, seconds in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if age_s >= seconds:
            return counted(age_s // seconds, unit)
    return "new"


def _paragraph(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
