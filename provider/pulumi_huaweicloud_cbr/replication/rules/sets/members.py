"""The members of a set: which are added, removed, renamed or copied again; and labels. Pure.

A member is one backup, identified by the backup's id. Its label is a name for people, so a new
label copies nothing. The backups of an entire vault have such labels too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from msgspec import Struct, field

from pulumi_huaweicloud_cbr.base.moments import moment

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup
    from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication


class Member(Struct, frozen=True):
    """One backup of a set, as declared.

    `name` is the replica's; None leaves the choice to CBR. `created_at` is the backup's creation
    time as the API writes it; only rolling sets need it.
    """

    backup_id: str
    name: str | None = None
    created_at: str | None = None


class MemberChanges(Struct, frozen=True):
    """The changes from the recorded members of a set to the declared ones, as labels.

    `removed` has the old labels, the others have the new ones. `relabelled` maps an old label to
    the new one. `redone` are members whose copy failed or whose replica is gone.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    redone: tuple[str, ...] = ()
    relabelled: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether anything changes."""
        return bool(self.added or self.removed or self.renamed or self.redone or self.relabelled)


def decide_members(
    rows: Mapping[str, TrackedReplication],
    wanted: Mapping[str, Member],
    lost: Iterable[str] = (),
) -> MemberChanges:
    """Compare the recorded members of a set with the declared ones.

    Args:
        rows: the members as last known, by label.
        lost: labels of rows that failed or are gone, as observed just now.
    """
    label_of = {tracked.backup_id: label for label, tracked in rows.items()}
    staying = {member.backup_id for member in wanted.values()}
    renamed, redone, added = [], [], []
    relabelled = {}
    lost_labels = set(lost)
    for label, member in wanted.items():
        old_label = label_of.get(member.backup_id)
        if old_label is None:
            added.append(label)
            continue
        if old_label != label:
            relabelled[old_label] = label
        row = rows[old_label]
        if row.has_failed or old_label in lost_labels:
            redone.append(label)
        elif member.name is not None and member.name != row.replica_name:
            renamed.append(label)
    return MemberChanges(
        added=tuple(added),
        removed=tuple(label for label, row in rows.items() if row.backup_id not in staying),
        renamed=tuple(renamed),
        redone=tuple(redone),
        relabelled=relabelled,
    )


def relabelled(
    rows: Iterable[TrackedReplication],
    former: Mapping[str, TrackedReplication],
    wanted: Mapping[str, Member],
) -> dict[str, TrackedReplication]:
    """Return rows by the labels of the declared members; an undeclared row keeps its former label.

    If another member has that label now, the backup's id is appended to it.
    """
    label_of = {member.backup_id: label for label, member in wanted.items()}
    former_of = {row.backup_id: label for label, row in former.items()}
    by_label: dict[str, TrackedReplication] = {}
    for row in rows:
        label = label_of.get(row.backup_id)
        if label is None:
            taken = wanted.keys() | by_label.keys()
            label = _free_label(former_of[row.backup_id], row.backup_id, taken)
        by_label[label] = row
    return by_label


def _free_label(label: str, backup_id: str, taken: Collection[str]) -> str:
    """Return a label that no other member has: the shortest one, with as much of the id as needed.

    Two members under one label would count as one, and a replica would be forgotten.
    """
    free = label
    for length in (8, len(backup_id)):
        if free not in taken:
            break
        free = f"{label}-{backup_id[:length]}"
    while free in taken:
        free = f"{free}-{backup_id}"
    return free


def candidates(declared: Mapping[str, Member], former: Mapping[str, Member]) -> dict[str, Member]:
    """Return the declared members, and those that were kept so far under free labels.

    A program that lists existing backups no longer declares a source that has expired. Its replica
    stays as long as the set's rule keeps it.
    """
    known = {member.backup_id for member in declared.values()}
    found = dict(declared)
    for label, member in former.items():
        if member.backup_id not in known:
            found[_free_label(label, member.backup_id, found)] = member
    return found


def age_of(member: Member) -> tuple[datetime, str]:
    """Return what sorts members by the creation of their backups; the id makes it unique."""
    return moment(member.created_at), member.backup_id


def labelled(backups: Iterable[Backup], taken: Collection[str] = ()) -> dict[str, Backup]:
    """Return backups by readable labels: the resource's name and the backup's creation time.

    Args:
        taken: labels that other backups have already.
    """
    found: dict[str, Backup] = {}
    for backup in backups:
        named = backup.resource_name or backup.name or backup.id
        plain = f"{named}@{backup.created_at[:19]}" if backup.created_at else named
        # The shortest label that is unique: two backups under one label would count as one.
        for label in (plain, f"{plain}#{backup.id[:8]}", f"{plain}#{backup.id}"):
            if label not in found and label not in taken:
                break
        found[label] = backup
    return found
