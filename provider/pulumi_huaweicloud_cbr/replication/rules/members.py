"""The members of a set of replications: which enter, leave or change; pure.

A member is one backup, and the backup's id is what identifies it: its label is a name for people,
and giving it another one copies nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup
    from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication


class Member(Struct, frozen=True):
    """One backup of a set as declared.

    `name` is the replica's, None for CBR's choice. `created_at` is when the backup was made, as
    the API writes it, None where it does not matter.
    """

    backup_id: str
    name: str | None = None
    created_at: str | None = None


class MemberChanges(Struct, frozen=True):
    """What brings a set to what is declared; lists of labels, those of leaving ones the old.

    `relabelled` maps an old label to a new one. `redone` are copies that failed or are gone.
    """

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    renamed: tuple[str, ...] = ()
    redone: tuple[str, ...] = ()
    relabelled: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.added or self.removed or self.renamed or self.redone or self.relabelled)


def decide_members(
    rows: Mapping[str, TrackedReplication],
    wanted: Mapping[str, Member],
    lost: Iterable[str] = (),
) -> MemberChanges:
    """Decide what has to change.

    Args:
        rows: the members as last known, by label.
        lost: labels of rows whose copy was seen to have failed, or to be gone, just now.
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
    """Return rows by the labels of what is wanted; what is wanted no more keeps its former one.

    Where that belongs to another member by now, the backup's id tells the two apart.
    """
    label_of = {member.backup_id: label for label, member in wanted.items()}
    former_of = {row.backup_id: label for label, row in former.items()}
    by_label = {}
    for row in rows:
        label = label_of.get(row.backup_id)
        if label is None:
            label = former_of[row.backup_id]
            label = f"{label}-{row.backup_id[:8]}" if label in wanted else label
        by_label[label] = row
    return by_label


def keep_newest(
    declared: Mapping[str, Member], former: Mapping[str, Member], count: int
) -> dict[str, Member]:
    """Return the newest so many of the declared members and of those that were kept so far.

    A source that has expired is no longer declared by whoever lists the backups that exist; its
    replica stays until enough newer ones have come.

    Args:
        declared, former: all with `created_at`.
    """
    known = {member.backup_id for member in declared.values()}
    labels = set(declared)
    candidates = list(declared.items())
    for label, member in former.items():
        if member.backup_id not in known:
            free = label if label not in labels else f"{label}-{member.backup_id[:8]}"
            candidates.append((free, member))
    candidates.sort(key=lambda pair: (pair[1].created_at or "", pair[1].backup_id), reverse=True)
    kept = {label for label, _ in candidates[:count]}
    return {label: member for label, member in candidates if label in kept}


def labelled(backups: Iterable[Backup], taken: Collection[str] = ()) -> dict[str, Backup]:
    """Return backups by labels that people can read: the resource's name and the backup's time.

    Args:
        taken: labels that are given already, to other backups.
    """
    found: dict[str, Backup] = {}
    for backup in backups:
        named = backup.resource_name or backup.name or backup.id
        plain = f"{named}@{backup.created_at[:19]}" if backup.created_at else named
        # As short as can be told apart; under one label two backups would be one.
        for label in (plain, f"{plain}#{backup.id[:8]}", f"{plain}#{backup.id}"):
            if label not in found and label not in taken:
                break
        found[label] = backup
    return found


def listed(labels: Iterable[str], limit: int = 10) -> str:
    """Return labels for a message, at most so many and how many more there are."""
    names = list(labels)
    shown = ", ".join(repr(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
