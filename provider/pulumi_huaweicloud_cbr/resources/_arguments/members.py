"""The members of a set, in each form that a program may give them, and the plain form of the state.

A rolling set needs the times at which its backups were made. So a `Backup` is not only its id.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Required, TypedDict, TypeGuard, Union

import pulumi

from pulumi_huaweicloud_cbr.replication.rules.sets.members import labelled
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, kind_of

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup


class MemberArgsDict(TypedDict, total=False):
    """A member of a set."""

    backup_id: Required[pulumi.Input[str]]
    """The backup to copy, a UUID."""
    name: pulumi.Input[str] | None
    """The replica's name: 1 to 64 letters, digits, CJK, ``_`` or ``-``. Default: CBR's choice."""
    created_at: pulumi.Input[str] | None
    """When the backup was made, as CBR says it. `keep` and `keep_newest` need it."""


class KeepArgsDict(TypedDict, total=False):
    """How many members a set keeps, as CBR's own policies count them; at least one number.

    For each of the most recent days, weeks, months and years that have a backup, the newest backup
    is kept. A member that several of the numbers keep counts for each of them.
    """

    newest: pulumi.Input[int] | None
    """Keep this many of the newest members, 0 to 100,000. Default: 0."""
    days: pulumi.Input[int] | None
    """Keep one member for each of so many days, 0 to 100. Default: 0."""
    weeks: pulumi.Input[int] | None
    """Keep one member for each of so many ISO weeks, 0 to 100. Default: 0."""
    months: pulumi.Input[int] | None
    """Keep one member for each of so many months, 0 to 100. Default: 0."""
    years: pulumi.Input[int] | None
    """Keep one member for each of so many years, 0 to 100. Default: 0."""
    timezone: pulumi.Input[str] | None
    """Where a day begins, such as ``UTC+08:00``. Default: ``UTC+00:00``."""


class SelectedMember(TypedDict, total=False):
    """A member that `as_members` made of a backup."""

    backup_id: Required[str]
    created_at: str


Member = Union[str, MemberArgsDict, SelectedMember, "Backup"]
Members = Mapping[str, pulumi.Input[Member]] | Sequence[pulumi.Input[Member]]


def as_members(backups: Sequence[Backup]) -> dict[str, SelectedMember]:
    """Return backups as members of a set, with readable labels and creation times.

    `keep` and `keep_newest` go by the times.

    A label is the resource's name and the backup's creation time, such as
    ``erp-db-01@2026-11-20T02:00:11``. If the backup has no creation time, label and member lack it.

    Raises:
        ArgumentsError: these are no backups of `get_backups` or `get_backup`.
    """
    given: Any = backups
    if isinstance(given, (pulumi.Output, Awaitable)):
        raise ArgumentsError(
            "as_members: backups is an Output, which is known later; a set takes it as it is: "
            "backups=get_backups_output(...)"
        )
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise ArgumentsError(
            f"as_members: backups is {kind_of(given)}, not a list of backups; give what "
            "get_backups returns"
        )
    for index, backup in enumerate(given):
        if not _is_backup(backup):
            raise ArgumentsError(
                f"as_members: backups[{index}] is {kind_of(backup)}, not a Backup; get_backups and "
                "get_backup return those, with the time of each"
            )
    return {label: _member_of(backup) for label, backup in labelled(backups).items()}


def plain_members(backups: Any) -> Any:
    """Return what a program gives as `backups` without objects of type `Backup`.

    What is neither a mapping, a sequence nor a backup is returned as it is: `check` tells.

    Args:
        backups: a backup, backups by label, or a sequence of backups or ids. All of these, and
            their elements, may be known later.
    """
    if isinstance(backups, (pulumi.Output, Awaitable)):
        return pulumi.Output.from_input(backups).apply(plain_members)
    if _is_backup(backups):
        return as_members([backups])
    if isinstance(backups, Mapping):
        return {label: _plain_member(member) for label, member in backups.items()}
    if isinstance(backups, Sequence) and not isinstance(backups, str):
        if backups and all(_is_backup(backup) for backup in backups):
            return as_members(backups)
        return [_plain_id(backup) for backup in backups]
    return backups


def _member_of(backup: Backup) -> SelectedMember:
    if backup.created_at is None:
        return {"backup_id": backup.id}
    return {"backup_id": backup.id, "created_at": backup.created_at}


def _plain_member(member: Any) -> Any:
    if isinstance(member, (pulumi.Output, Awaitable)):
        return pulumi.Output.from_input(member).apply(_plain_member)
    return _member_of(member) if _is_backup(member) else member


def _plain_id(member: Any) -> Any:
    if isinstance(member, (pulumi.Output, Awaitable)):
        return pulumi.Output.from_input(member).apply(_plain_id)
    return member.id if _is_backup(member) else member


def _is_backup(value: object) -> TypeGuard[Backup]:
    # A program without look-ups does not pay for the import: then no value is a backup.
    answers = sys.modules.get("pulumi_huaweicloud_cbr.api.wire.answers")
    return answers is not None and isinstance(value, answers.Backup)
