"""The result of `check` as lines for a terminal or a log, without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from pulumi_huaweicloud_cbr.base.text import span
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS, cell, table, wrapped
from pulumi_huaweicloud_cbr.commands.account.check.refusals import (
    WRITING_AT_DESTINATION,
    WRITING_AT_SOURCE,
)
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    COPIED,
    GRANTED,
    POSSIBLE,
    REFUSED,
    UNKNOWN,
    Account,
    BackupLook,
    CopyLook,
    ListedBackup,
    RecordLook,
    RegionLook,
    Remark,
    TargetLook,
    VaultLook,
)

IN_STEP_S = 5.0
"""A clock is in step below this difference: an answer's date is in whole seconds, and old."""

OK, TO_DO, NOTE, UNSEEN = "ok", "TO DO", "note", "-"
_MARK_WIDTH = len(TO_DO)
_NAME_WIDTH = 12
_LIST_NAME_WIDTH = 24
_TABLE_INDENT = " " * (_MARK_WIDTH + 3)
_ANSWERS = {
    POSSIBLE: "can be copied",
    COPIED: "is there, or on its way",
    REFUSED: "cannot be copied",
    UNKNOWN: "not known",
}


def as_text(account: Account) -> str:
    """Return the result, section by section, with a conclusion."""
    sections = [_sign_in(account)]
    sections += [_region(look) for look in account.regions]
    if account.copies:
        sections.append(_copies(account.copies))
    if account.backups is not None and account.source:
        sections.append(_list(account.source.region, account.backups))
    if account.backup:
        sections.append(_backup(account.backup))
    sections.append(_conclusion(account))
    return "\n\n".join("\n".join(section) for section in sections)


def _row(mark: str, name: str, text: str) -> Iterator[str]:
    head = f"  {mark:<{_MARK_WIDTH}} {name:<{_NAME_WIDTH}} "
    yield from wrapped(head, text)


def _remarks(remarks: Iterable[Remark]) -> Iterator[str]:
    for remark in remarks:
        yield from _row(TO_DO if remark.is_to_do else NOTE, remark.check, str(remark))


def _sign_in(account: Account) -> Iterator[str]:
    yield "Sign-in"
    sign_in = account.sign_in
    yield from _row(OK if sign_in.way else UNSEEN, "way", f"{sign_in.text} ({sign_in.reason})")
    for place, name in (("stack", "of the stack"), ("environment", "environment")):
        names = [key for key, found_in in account.settings.items() if found_in == place]
        if names:
            yield from _row("", name, ", ".join(names))
    yield from _row(
        OK if account.id else UNSEEN,
        "account",
        account.id or "not known: IAM told of no project",
    )
    if not any(remark.check == "clock" for remark in account.remarks):
        yield from _clock(account.clock_ahead_s)
    yield from _remarks(remark for remark in account.remarks if remark.check != "vaults")


def _clock(ahead_s: float | None) -> Iterator[str]:
    if ahead_s is None:
        yield from _row(UNSEEN, "clock", "not known: no answer had a date")
    elif abs(ahead_s) < IN_STEP_S:
        yield from _row(OK, "clock", "in step with the service's")
    else:
        side = "ahead of" if ahead_s > 0 else "behind"
        yield from _row(OK, "clock", f"{span(abs(ahead_s))} {side} the service's")


def _region(look: RegionLook) -> Iterator[str]:
    yield f"{'Source' if look.is_source else 'Destination'} {look.region}"
    yield from _row("", "CBR", look.cbr_url)
    yield from _row("", "IAM", look.iam_url)
    if look.project_id is not None:
        yield from _row(OK if not _is_amiss(look, "project") else UNSEEN, "project", _project(look))
    if look.destinations:
        yield from _row(OK, "copies to", ", ".join(look.destinations))
    yield from _permissions(look)
    if look.vaults:
        free = len(look.usable_vaults)
        yield from _row(
            OK if free else UNSEEN, "vaults", f"{free} of {len(look.vaults)} take copies"
        )
        yield from _vaults(look.vaults)
    yield from _remarks(look.remarks)
    if look.unseen_because:
        yield from _row(UNSEEN, "the rest", f"not looked at: {look.unseen_because}")


def _is_amiss(look: RegionLook, check: str) -> bool:
    return any(remark.check == check for remark in look.remarks)


def _project(look: RegionLook) -> str:
    if look.project_id == look.named_project_id:
        return f"{look.project_id}, named like the region"
    if look.named_project_id is None:
        return f"{look.project_id}, as set"
    return f"{look.project_id}, as set; the one named like the region is {look.named_project_id}"


def _permissions(look: RegionLook) -> Iterator[str]:
    # Each missing permission has a remark of its own.
    granted = [name for name, known in look.permissions.items() if known == GRANTED]
    if granted:
        yield from _row(OK, "may", ", ".join(granted))


def _vaults(vaults: Sequence[VaultLook]) -> Iterator[str]:
    rows = [
        (
            cell(vault.name),
            vault.id,
            cell(vault.object_type),
            cell(vault.status),
            "-" if vault.free_gb is None else f"{max(vault.free_gb, 0):.1f}",
            cell(vault.size_gb),
        )
        for vault in vaults
    ]
    head, *lines = table(
        [("name", "id", "for", "status", "free GB", "of GB"), *rows], _TABLE_INDENT
    )
    yield head
    for vault, line in zip(vaults, lines, strict=True):
        yield line
        for fault in vault.faults:
            yield from wrapped(f"{_TABLE_INDENT}  ", fault)


def _copies(looks: Iterable[CopyLook]) -> Iterator[str]:
    yield "Copies of the stack"
    for look in looks:
        where = f"{look.at} to {look.region}"
        counts = (
            (look.in_state, "in the state"),
            (look.copied, _ANSWERS[COPIED]),
            (look.possible, _ANSWERS[POSSIBLE]),
        )
        told = [f"{count} {what}" for count, what in counts if count]
        if told or not look.remarks:
            text = f"{where}: {', '.join(told) or 'nothing stands in the way'}"
            yield from _row(OK, "copies", text)
        for remark in look.remarks:
            mark = TO_DO if remark.is_to_do else NOTE
            yield from _row(mark, remark.check, f"{where}: {remark}")


def _list(region: str, backups: Sequence[ListedBackup]) -> Iterator[str]:
    yield f"Backups in {region}, the newest first"
    if not backups:
        yield from _row(UNSEEN, "backups", "there are none")
        return
    rows = [
        (
            backup.id,
            cell(backup.resource_name, _LIST_NAME_WIDTH),
            "-" if backup.age_s is None else age(backup.age_s),
            cell(backup.size_gb),
            cell(backup.status),
        )
        for backup in backups
    ]
    yield from table([("id", "of", "age", "GB", "status"), *rows], _TABLE_INDENT)


def age(seconds: float) -> str:
    """Return the age of a backup in one or two units, such as ``3 d 4 h``."""
    hours = int(seconds // 3600)
    if hours < 24:
        return span(hours * 3600 if hours else seconds)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def _backup(look: BackupLook) -> Iterator[str]:
    yield f"Backup {look.id}"
    if look.status is not None:
        parts = [
            f"{cell(look.name)} of {cell(look.resource_name)} ({cell(look.resource_type)})",
            "size not told" if look.size_gb is None else f"{look.size_gb} GB",
            f"made {cell(look.created_at)}",
            f"status {cell(look.status)}",
        ]
        yield from _row("", "is", ", ".join(parts))
        yield from _row("", "records", str(len(look.records)))
        if look.records:
            head = ("to region", "vault", "status", "replica, or why there is none")
            yield from table([head, *(_record(record) for record in look.records)], _TABLE_INDENT)
    # CBR keeps one replica per region. If it exists, other vaults there need no line.
    copied = {target.region for target in look.targets if target.answer == COPIED}
    for target in look.targets:
        if target.answer == COPIED or target.region not in copied:
            yield from _target(target)
    if look.status is not None and not look.targets and not look.remarks:
        yield from _row(UNSEEN, "to", "no vault was found that it could be copied to")
    yield from _remarks(look.remarks)


def _record(record: RecordLook) -> tuple[str, ...]:
    progress = "" if record.progress is None else f" {record.progress} %"
    return (
        cell(record.region),
        cell(record.vault_id),
        f"{cell(record.status)}{progress}",
        record.failure or cell(record.replica_id),
    )


def _target(target: TargetLook) -> Iterator[str]:
    is_good = target.answer in (POSSIBLE, COPIED)
    where = f"vault {cell(target.vault_name)} ({target.vault_id})"
    text = "; ".join([f"{where}: {_ANSWERS[target.answer]}", *target.reasons])
    yield from _row(OK if is_good else UNSEEN, target.region, text)


def _conclusion(account: Account) -> Iterator[str]:
    yield from _remarks(remark for remark in account.remarks if remark.check == "vaults")
    source = account.source
    if source and source.destinations is None and not account.destinations:
        yield "No destination was looked at, since none is known; name regions with --destination."
    yield from textwrap.wrap(
        "Not tried, since it would change something: "
        f"{', '.join(WRITING_AT_SOURCE)} in the source, "
        f"{', '.join(WRITING_AT_DESTINATION)} in a destination.",
        COLUMNS,
        break_on_hyphens=False,
    )
    count = account.to_do_count
    if not count:
        yield "Ready."
    else:
        yield f"Not ready: {count} thing{'s' if count > 1 else ''} to do, marked TO DO."
