"""The report as lines for a terminal or a log, without colours, in 100 columns.

What needs a person comes first. What is in order is counted, and listed on demand.
"""

from __future__ import annotations

from collections.abc import Iterator

from pulumi_huaweicloud_cbr.base.text import counted, span
from pulumi_huaweicloud_cbr.commands._cli.text import cell, short_age, table, wrapped
from pulumi_huaweicloud_cbr.commands.report.model import (
    GROWTH_DAYS,
    MET,
    MISSED,
    ORPHAN,
    UNJUDGED,
    UNSEEN,
    CopyLook,
    Report,
    Resource,
    There,
)

_INDENT = "  "
_NAME, _WHERE = 26, 20
_SHOWN = 10
"""At most this many rows of a kind are shown without ``--all``."""
_FAR_DAYS = 365


def as_text(report: Report, *, shows_all: bool = False) -> str:
    """Return the report, section by section.

    Args:
        shows_all: no list is cut, and resources that are in order are listed too.
    """
    sections = (
        _head(report),
        _resources(report, MISSED, "Objective missed", shows_all=True),
        _resources(report, UNSEEN, "Not judged, since something is not known", shows_all=True),
        _without_copy(report, shows_all=shows_all),
        _failures(report, shows_all=shows_all),
        _flows(report),
        _vaults(report, shows_all=shows_all),
        _undeclared(report, shows_all=shows_all),
        _resources(report, MET, "Objective met", shows_all=True) if shows_all else (),
        _resources(report, UNJUDGED, "Without an objective", shows_all=True) if shows_all else (),
        _conclusion(report, shows_all=shows_all),
    )
    texts = ("\n".join(section) for section in sections)
    return "\n\n".join(text for text in texts if text)


def headline(report: Report) -> str:
    """Return the report in one sentence."""
    counts = report.counts
    if not report.resources:
        if report.unseen:
            return "No server, file system or disk was seen: not every region could be read"
        return "No server, file system or disk is protected in the source regions"
    told = [
        f"{counts[MISSED]} missed" if counts[MISSED] else "",
        f"{counts[UNSEEN]} could not be judged" if counts[UNSEEN] else "",
        f"{counts[MET]} met" if counts[MET] else "",
        f"{counts[UNJUDGED]} without an objective" if counts[UNJUDGED] else "",
    ]
    judged = ", ".join(part for part in told if part)
    copies = counted(counts["copies"], "usable copy")
    if counts["copies"] != 1:
        copies = f"{counts['copies']} usable copies"
    return (
        f"{counted(counts['resources'], 'resource')}: {judged}; {copies}, "
        f"{_size(counts['size_gb'])}"
    )


def _head(report: Report) -> Iterator[str]:
    yield from wrapped("", headline(report))
    whose = f"stack {', '.join(report.stacks)}; " if report.stacks else ""
    limit = f"objective {span(report.rpo_s)} unless declared; " if report.rpo_s else ""
    yield from wrapped(_INDENT, f"{whose}{limit}read at {report.made_at}")
    for area in report.areas:
        parts = [
            name
            for name, is_one in (("source", area.is_source), ("destination", area.is_destination))
            if is_one
        ]
        what = (
            f"NOT READ: {area.unseen_because}"
            if area.unseen_because
            else f"{counted(area.backup_count, 'backup')}, {counted(area.replica_count, 'replica')}"
        )
        yield from wrapped(f"{_INDENT}{cell(area.region, _WHERE)}  ", f"{', '.join(parts)}: {what}")
    for remark in report.remarks:
        yield from wrapped(_INDENT, f"NOT READ: {remark}")


def _resources(report: Report, verdict: str, title: str, *, shows_all: bool) -> Iterator[str]:
    found = report.having(verdict)
    if not found:
        return
    yield f"{title}: {counted(len(found), 'resource')}"
    shown = found if shows_all else found[:_SHOWN]
    for resource in shown:
        head = f"{_INDENT}{cell(resource.name, _NAME)}  "
        yield from wrapped(head, _about(resource))
        if resource.reason:
            yield from wrapped(_INDENT * 2, resource.reason)
    yield from _others(len(found) - len(shown))


def _about(resource: Resource) -> str:
    parts = [resource.source_region or "its source was not seen"]
    parts += [f"tier {resource.tier}"] if resource.tier else []
    parts += [f"owner {resource.owner}"] if resource.owner else []
    parts += [f"entry {', '.join(resource.entries)}"] if resource.entries else []
    parts += [_there(one) for one in resource.there]
    return "; ".join(parts)


def _there(there: There) -> str:
    missing = "not known" if there.verdict == UNSEEN else "none"
    newest = missing if there.newest_age_s is None else f"{short_age(there.newest_age_s)} old"
    if there.is_time_of_copy:
        newest += " or older"
    extra = f", {there.count} in all" if there.count > 1 else ""
    return f"{there.region} {newest}{extra}"


def _without_copy(report: Report, *, shows_all: bool) -> Iterator[str]:
    # Those that miss an objective are told above.
    found = [one for one in report.without_copy if one.verdict == UNJUDGED]
    if not found:
        return
    where = "another region" if report.saw_all_destinations else "the regions that were read"
    yield f"No copy in {where}, and no objective: {counted(len(found), 'resource')}"
    shown = found if shows_all else found[:_SHOWN]
    rows = [
        (
            cell(one.name, _NAME),
            cell(one.source_region, _WHERE),
            cell(one.vault_name, _NAME),
            str(one.backup_count),
            _age(one.newest_backup_age_s),
        )
        for one in shown
    ]
    yield from table([("resource", "in", "vault", "backups", "newest"), *rows], _INDENT)
    yield from _others(len(found) - len(shown))


def _failures(report: Report, *, shows_all: bool) -> Iterator[str]:
    if not report.failures:
        return
    names = {one.key: one.name for one in report.resources}
    yield f"Copies that failed, with none since: {counted(len(report.failures), 'backup')}"
    shown = report.failures if shows_all else report.failures[:_SHOWN]
    for one in shown:
        head = f"{_INDENT}{cell(names.get(one.resource_key), _NAME)}  "
        yield from wrapped(
            head, f"backup of {(one.made_at or '-')[:16]} to {one.region}: {one.reason}"
        )
    yield from _others(len(report.failures) - len(shown))


def _flows(report: Report) -> Iterator[str]:
    if not report.flows:
        return
    yield "Copies by region"
    has_costs = any(one.storage is not None or one.transfer is not None for one in report.flows)
    head = ["from", "to", "resources", "copies", "size", f"new in {GROWTH_DAYS} d", "missed"]
    rows = []
    for one in report.flows:
        row = [
            cell(one.source_region or "unknown", _WHERE),
            cell(one.region, _WHERE),
            str(one.resource_count),
            str(one.copy_count),
            _size(one.size_gb),
            _size(one.added_gb),
            str(one.missed_count or "-"),
        ]
        if has_costs:
            row += [_money(one.storage), _money(one.transfer)]
        rows.append(row)
    if has_costs:
        head += ["a month", "copying"]
    yield from table([head, *rows], _INDENT)
    if has_costs:
        kept = sum(one.storage or 0 for one in report.flows)
        copied = sum(one.transfer or 0 for one in report.flows)
        yield from wrapped(
            _INDENT,
            f"by the given prices, in {report.currency}: {kept:,.2f} a month for keeping, "
            f"{copied:,.2f} for copying in {GROWTH_DAYS} days",
        )


def _vaults(report: Report, *, shows_all: bool) -> Iterator[str]:
    found = [one for one in report.vaults if one.takes_replicas or shows_all]
    if not found:
        return
    yield "Room in vaults" if shows_all else "Room in destination vaults"
    rows = [
        (
            cell(one.name or one.id, _NAME),
            cell(one.region, _WHERE),
            "-" if one.size_gb is None else _size(one.size_gb),
            "-" if one.free_gb is None else _size(one.free_gb),
            _size(one.added_gb),
            _lasting(one.full_in_days),
        )
        for one in sorted(found, key=lambda one: _soonest(one.full_in_days))
    ]
    head = ("vault", "in", "size", "free", f"new in {GROWTH_DAYS} d", "lasts")
    yield from table([head, *rows], _INDENT)


def _lasting(days: int | None) -> str:
    if days is None:
        return "-"
    return f"{days} d" if days <= _FAR_DAYS else "> 1 y"


def _soonest(days: int | None) -> int:
    return 1 << 30 if days is None else days


def _undeclared(report: Report, *, shows_all: bool) -> Iterator[str]:
    found = sorted(report.undeclared, key=lambda one: -(one.age_s or 0))
    if not found:
        return
    names = {one.key: one.name for one in report.resources}
    size = _size(sum(one.size_gb for one in found))
    count = "1 copy" if len(found) == 1 else f"{len(found)} copies"
    yield f"Declared by no stack: {count}, {size}"
    shown = found if shows_all else found[:_SHOWN]
    rows = [
        (
            cell(names.get(one.resource_key), _NAME),
            cell(one.region, _WHERE),
            _age(one.age_s),
            _size(one.size_gb),
            _owner(one),
        )
        for one in shown
    ]
    yield from table([("of", "in", "age", "size", "mark"), *rows], _INDENT)
    yield from _others(len(found) - len(shown))


def _owner(copy: CopyLook) -> str:
    return cell(f"{copy.held_by}, in no state" if copy.owner == ORPHAN else "none", _NAME)


def _conclusion(report: Report, *, shows_all: bool) -> Iterator[str]:
    hidden = len(report.having(MET)) + len(report.having(UNJUDGED))
    if hidden and not shows_all:
        yield from wrapped("", "--all lists every resource, vault and copy.")
    if not report.is_complete:
        yield from wrapped("", "Not everything could be read: see NOT READ.")
    if report.having(MISSED):
        yield from wrapped("", f"{counted(len(report.having(MISSED)), 'objective')} missed.")
    elif not report.is_complete:
        return
    elif report.having(UNSEEN):
        yield from wrapped("", f"{counted(len(report.having(UNSEEN)), 'objective')} not judged.")
    elif report.having(MET):
        yield from wrapped("", "All objectives are met.")
    else:
        yield from wrapped(
            "", "No objective is set: give --rpo, or rpo in the entries of the configuration."
        )


def _others(count: int) -> Iterator[str]:
    if count > 0:
        yield f"{_INDENT}and {count} more; --all lists them"


def _age(seconds: int | None) -> str:
    return "-" if seconds is None else short_age(seconds)


def _size(gigabytes: float) -> str:
    return f"{gigabytes / 1024:,.1f} TB" if gigabytes >= 1024 else f"{gigabytes:,.0f} GB"


def _money(amount: float | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}"
