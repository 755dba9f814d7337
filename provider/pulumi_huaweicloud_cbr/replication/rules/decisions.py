"""The decision tables: what to do, given the desired state and the observed one. Pure.

Nothing here calls the API or waits. The documentation has the tables; a test exercises each row.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from pulumi_huaweicloud_cbr.api.wire.requests import is_unreadable
from pulumi_huaweicloud_cbr.replication.rules.inputs import ADOPT_ANY, FIELDS
from pulumi_huaweicloud_cbr.replication.rules.ownership import Maker, maker_of, split_mark

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord, Task
    from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication

ARRIVING_STATUSES = frozenset({"waiting_protect", "protecting"})
"""CBR is still receiving the replica. The reference does not say so; this is our reading."""
DELETING_STATUSES = frozenset({"deleting", "waiting_delete"})
GOOD_STATUSES = frozenset({"available", "restoring", "waiting_restore"})
"""A backup with one of these is complete, and can be used."""


class Attempt(Struct, frozen=True):
    """A replication record to the desired region, with its replica as found in the destination.

    `replica` is None if it was not looked up, because the copy failed, or because it is still
    running and CBR names no replica yet. What CBR does not tell of the record is unknown.
    """

    record: ReplicationRecord
    replica: Replica | None = None

    @property
    def is_standing(self) -> bool:
        """Whether the replica was found, and is not being deleted."""
        backup = self.replica.backup if self.replica else None
        return backup is not None and backup.status not in DELETING_STATUSES

    @property
    def is_live(self) -> bool:
        """Whether it is certain that there is a replica, or that one is being made."""
        return self.record.is_pending or (self._may_have_replica and self.is_standing)

    @property
    def is_over(self) -> bool:
        """Whether it is certain that there is no replica, and that none will be made."""
        is_gone = self.replica is None or self.replica.is_gone
        return self.record.is_failed or (self.record.is_succeeded and is_gone)

    @property
    def is_unclear(self) -> bool:
        """Whether the status is not told or not known, and no replica shows what it means."""
        is_known = self.record.is_pending or self.record.is_failed or self.record.is_succeeded
        is_found = self.replica is not None and not self.replica.is_gone
        return not is_known and not (self.record.status is None and is_found)

    def __str__(self) -> str:
        replica_id = self.replica.backup_id if self.replica else None
        what = f"replica {replica_id}" if self.is_standing else "a copy under way"
        return f"{what} (replication record {self.record.id})"

    @property
    def _may_have_replica(self) -> bool:
        return self.record.is_succeeded or self.record.status is None

    @property
    def project_id(self) -> str | None:
        """Return the project of the copy, by its record or by its replica."""
        backup = self.replica.backup if self.replica else None
        return self.record.destination_project_id or (backup.project_id if backup else None)

    @property
    def vault_id(self) -> str | None:
        """Return the vault of the copy, by its record or by its replica."""
        backup = self.replica.backup if self.replica else None
        return self.record.destination_vault_id or (backup.vault_id if backup else None)

    @property
    def owner(self) -> str | None:
        """Return the owner that the replica's mark names."""
        backup = self.replica.backup if self.replica else None
        return split_mark(backup.description)[1] if backup else None

    def maker(self, ours: frozenset[str]) -> Maker:
        """Return who made the replica, as the names of this stack tell."""
        if self.replica is None or self.replica.backup is None:
            return Maker.NOT_SHOWN
        return maker_of(self.owner, ours)


class Submit(Struct, frozen=True):
    """Nothing prevents the copy: send the request."""


class Adopt(Struct, frozen=True):
    """A copy of the same backup to the same vault exists or is running: adopt it."""

    attempt: Attempt


class AwaitDeletion(Struct, frozen=True):
    """The region's replica is being deleted: submit once it is gone."""

    attempt: Attempt


class Refuse(Struct, frozen=True):
    """A replica or record conflicts and must not be touched; `field` is the input to change."""

    field: str
    reason: str
    remedy: str


CreateDecision = Submit | Adopt | AwaitDeletion | Refuse


def decide_create(desired: DesiredReplication, attempts: Sequence[Attempt]) -> CreateDecision:
    """Decide how to create a replication, given all attempts to copy the backup there.

    CBR keeps at most one live replica of a backup in a region (error code 1009). So the first
    attempt that is or may become a replica decides. If there is none, but an attempt of which that
    is not known, nothing may be submitted.

    Args:
        attempts: to the desired region, the newest first.
    """
    possible = [attempt for attempt in attempts if not attempt.is_over]
    for attempt in possible:
        if not attempt.is_unclear:
            return _decide_live(desired, attempt)
    return _unclear(possible[0]) if possible else Submit()


def doubled(attempts: Sequence[Attempt]) -> tuple[Attempt, ...]:
    """Return the live attempts of a backup in a region if there are several, else none.

    CBR keeps one, but may have accepted two requests at about the same time.
    """
    live = tuple(attempt for attempt in attempts if attempt.is_live)
    return live if len(live) > 1 else ()


ABOUT_DOUBLES = (
    "a resource owns one of them, and nothing here deletes the others: look at them in the CBR "
    "console, since each takes room there"
)


def told_of_doubles(backup_id: str, region: str, named: Iterable[str]) -> str:
    """Return the text about several live copies of a backup in a region.

    Args:
        named: the records or replicas, one text each.
    """
    return (
        f"CBR lists several copies of backup ({backup_id}) in region {region!r}: "
        f"{', '.join(named)}; {ABOUT_DOUBLES}"
    )


def _unclear(attempt: Attempt) -> Refuse:
    record = attempt.record
    if is_unreadable(record.id):
        return Refuse(
            "backup_id",
            "a replication record cannot be read, so it may be that of a copy to this region",
            "run pulumi up again later; if it stays so, look at the backup in the CBR console",
        )
    if record.status is None:
        return Refuse(
            "backup_id",
            f"CBR tells no status of replication record ({record.id}), and no replica of it is "
            "to be seen",
            "run pulumi up again later; if it stays so, look at the backup in the CBR console",
        )
    return Refuse(
        "backup_id",
        f"{_named(attempt)} has status {record.status!r}, which this version does not know",
        "look at it in the CBR console; a newer version of this package may know it",
    )


def _decide_live(desired: DesiredReplication, attempt: Attempt) -> CreateDecision:
    backup = attempt.replica.backup if attempt.replica else None
    if backup is not None and backup.status in DELETING_STATUSES:
        return AwaitDeletion(attempt)
    maker = attempt.maker(desired.identity.names)
    if maker is Maker.ANOTHER_STACK and desired.adopt != ADOPT_ANY:
        reason = f"{_named(attempt)} belongs to {another_stack(attempt.owner)}"
        return Refuse("adopt", reason, WAYS_OUT)
    if (misplaced := _misplaced(desired, attempt)) is not None:
        return misplaced
    if not desired.adopt and maker is not Maker.US:
        return Refuse(
            "adopt",
            f"{_named(attempt)} exists already",
            "set adopt to true to take it over, or delete it first",
        )
    return Adopt(attempt)


def _misplaced(desired: DesiredReplication, attempt: Attempt) -> Refuse | None:
    """Return why a live copy is not where it is wanted, None if it is."""
    if attempt.vault_id is None:
        return Refuse(
            "backup_id",
            f"CBR does not tell the vault of {_named(attempt)}",
            "run pulumi up again later; if it stays so, look at the backup in the CBR console",
        )
    if attempt.project_id not in (None, desired.destination.project_id):
        return Refuse(
            "destination_project_id",
            f"{_named(attempt)} is in project ({attempt.project_id}), "
            f"want ({desired.destination.project_id})",
            f"CBR keeps one replica of a backup per region: delete it, or set "
            f"destination_project_id to '{attempt.project_id}' to adopt it",
        )
    if attempt.vault_id != desired.destination_vault_id:
        return Refuse(
            "destination_vault_id",
            f"{_named(attempt)} is in vault ({attempt.vault_id}), "
            f"want ({desired.destination_vault_id})",
            f"CBR keeps one replica of a backup per region: delete it, or set "
            f"destination_vault_id to '{attempt.vault_id}' to adopt it",
        )
    return None


def another_stack(owner: str | None) -> str:
    """Return the text about a replica's owner, which is another stack."""
    return f"stack {owner!r}"


WAYS_OUT = (
    "choose another region, or set adopt to 'any' to take it over; before that, the other stack "
    "should give it up: retain_on_delete: true there, then pulumi up, then pulumi state delete"
)
"""What a user can do about a replica of another stack."""


def consequence(maker: Maker, owner: str | None) -> str:
    """Return what an adoption means for who owns the replica; empty for a copy of this stack."""
    if maker is Maker.SOMEBODY:
        return "; this stack did not make it, but owns it from now on, and destroy deletes it"
    if maker is Maker.ANOTHER_STACK:
        return f"; {another_stack(owner)} made it, and this stack owns it from now on"
    if maker is Maker.NOT_SHOWN:
        return "; CBR does not show yet who made it, so a later run looks"
    return ""


def _named(attempt: Attempt) -> str:
    record = attempt.record
    replica_id = record.destination_backup_id
    if attempt.replica and attempt.replica.backup_id:
        replica_id = attempt.replica.backup_id
    what = f"replica ({replica_id})" if replica_id and not record.is_pending else "a copy under way"
    return f"{what} of replication record ({record.id})"


class Observation(Struct, frozen=True):
    """All that could be found out about a tracked replication.

    `source` is None if the source backup is gone. `record` is None if the source does not list it,
    or no longer does. `task` is the copy's entry in the operation log. It is also None if the log
    was not queried. `are_records_told`: CBR told which records the source has, as far as that
    matters.
    """

    source: Backup | None
    record: ReplicationRecord | None
    replica: Replica
    task: Task | None = None
    are_records_told: bool = True


class Standing(Enum):
    """The state of a tracked replication.

    `PRESENT`: the replica exists. `COPYING`: the copy is still running. `FAILED`: the copy ended
    without a replica. `DELETING`: CBR is deleting the replica, and nothing can stop that. `GONE`:
    the replica does not exist, or no longer does. `UNKNOWN`: CBR reports a status that this version
    does not know, or none.
    """

    PRESENT = "present"
    COPYING = "copying"
    FAILED = "failed"
    DELETING = "being deleted"
    GONE = "gone"
    UNKNOWN = "unknown"


LOST = frozenset({Standing.DELETING, Standing.GONE})
"""Nothing can keep the replica, so the backup has to be copied again."""
TO_BE_REDONE = LOST | {Standing.FAILED}


def decide_read(observation: Observation) -> Standing:
    """Decide the state of a replication: the read table.

    The record alone proves nothing once a copy has ended. It may say ``success`` long after the
    replica was deleted. It disappears with the source backup, while the replica still exists or is
    still being copied.
    """
    record, backup = observation.record, observation.replica.backup
    if record is not None and record.is_pending:
        return Standing.COPYING
    if backup is None:
        standing = _decide_without_replica(record, observation.task)
        is_unknown = standing is Standing.GONE and not observation.are_records_told
        return Standing.UNKNOWN if is_unknown else standing
    return _decide_with_replica(record, backup)


def _decide_with_replica(record: ReplicationRecord | None, backup: Backup) -> Standing:
    if backup.status in DELETING_STATUSES:
        return Standing.DELETING
    # CBR may list a replica before it is complete; only a record that ended proves that it is.
    is_arriving = backup.status in ARRIVING_STATUSES
    if is_arriving and record is None:
        return Standing.COPYING
    if is_arriving and record is not None and not (record.is_succeeded or record.is_failed):
        return Standing.UNKNOWN
    return Standing.PRESENT


def _decide_without_replica(record: ReplicationRecord | None, task: Task | None) -> Standing:
    if record is None:
        is_to_come = task is not None and task.is_under_way
        return Standing.COPYING if is_to_come else Standing.GONE
    if record.is_succeeded:
        return Standing.GONE
    return Standing.FAILED if record.is_failed else Standing.UNKNOWN


# A change of these needs a new replica (CBR API reference, UpdateBackup: only the name can be
# changed).
REPLACING_FIELDS = (
    "backup_id",
    "source_region",
    "source_project_id",
    "destination_region",
    "destination_project_id",
    "destination_vault_id",
    "description",
)
UPDATING_FIELDS = tuple(field for field in FIELDS if field not in REPLACING_FIELDS)
# If these are left out, the recorded value stays: projects are looked up, CBR chooses the texts.
COMPUTED_FIELDS = frozenset({"source_region", "source_project_id", "destination_project_id"})
_OPTIONAL_FIELDS = COMPUTED_FIELDS | {"name", "description"}


class Difference(Struct, frozen=True):
    """How declared inputs differ from the state.

    `replaces` and `updates` are names of inputs. `is_delete_first`: the old replica has to be
    deleted before the new copy is submitted.
    """

    replaces: tuple[str, ...] = ()
    updates: tuple[str, ...] = ()
    is_delete_first: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.replaces and not self.updates


def decide_diff(
    state: dict[str, object], declared: dict[str, object], unknown: frozenset[str]
) -> Difference:
    """Decide which changed inputs replace the replication, and which update it.

    Args:
        state: the outputs as last recorded.
        declared: the inputs as declared now, without those that are not known yet.
        unknown: names of inputs whose value is not known yet; they count as changed.
    """
    replaces = tuple(
        field for field in REPLACING_FIELDS if _is_changed(field, state, declared, unknown)
    )
    updates = tuple(
        field for field in UPDATING_FIELDS if _is_changed(field, state, declared, unknown)
    )
    return Difference(
        replaces=replaces,
        updates=updates,
        # The old replica conflicts with the new one only if both have the same natural key.
        is_delete_first=bool(replaces) and not {"backup_id", "destination_region"} & set(replaces),
    )


def _is_changed(
    field: str,
    state: dict[str, object],
    declared: dict[str, object],
    unknown: frozenset[str],
) -> bool:
    if field in unknown:
        return True
    wanted = declared.get(field)
    if wanted is None and field in _OPTIONAL_FIELDS:
        return False
    if field == "description" and wanted == state.get("declared_description"):
        # It was adopted with another text, which cannot be changed.
        return False
    return bool(wanted != state.get(field))
