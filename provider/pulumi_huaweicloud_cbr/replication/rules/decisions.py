"""What to do, given what is desired and what was observed: the reconciliation tables, pure.

Nothing here calls the API or waits. The tables are told in the user guide, and each row is
exercised by a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord, Task
    from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication

ARRIVING_STATUSES = frozenset({"waiting_protect", "protecting"})
"""Those of a replica that is still being received. The reference does not tell; our reading."""
DELETING_STATUSES = frozenset({"deleting", "waiting_delete"})


class Attempt(Struct, frozen=True):
    """A replication record to the desired region, with its replica as found in the destination.

    `replica` is None where it was not looked for, because the copy is still running or failed.
    """

    record: ReplicationRecord
    replica: Replica | None = None


class Submit(Struct, frozen=True):
    """Nothing stands in the way: send the request."""


class Adopt(Struct, frozen=True):
    """A copy of the same backup to the same vault exists or is under way: take it over."""

    attempt: Attempt


class AwaitDeletion(Struct, frozen=True):
    """The region's replica is being deleted: submit when it is gone."""

    attempt: Attempt


class Refuse(Struct, frozen=True):
    """Something stands in the way that must not be touched; `field` is the input to change."""

    field: str
    reason: str
    remedy: str


CreateDecision = Submit | Adopt | AwaitDeletion | Refuse


def decide_create(desired: DesiredReplication, attempts: Sequence[Attempt]) -> CreateDecision:
    """Decide how to bring a replication about, given all attempts to copy there.

    CBR keeps at most one live replica of a backup in a region (error code 1009), so the first
    attempt that is or may become a replica settles it.
    """
    for attempt in attempts:
        record = attempt.record
        if record.is_failed:
            continue
        if record.is_succeeded and (attempt.replica is None or attempt.replica.is_gone):
            continue
        if not (record.is_pending or record.is_succeeded):
            return Refuse(
                "backup_id",
                f"{_named(attempt)} has status {record.status!r}, which this version does not know",
                "look at it in the CBR console; a newer version of this package may know it",
            )
        return _decide_live(desired, attempt)
    return Submit()


def _decide_live(desired: DesiredReplication, attempt: Attempt) -> CreateDecision:
    record = attempt.record
    backup = attempt.replica.backup if attempt.replica else None
    if backup is not None and backup.status in DELETING_STATUSES:
        return AwaitDeletion(attempt)
    if record.destination_project_id != desired.destination.project_id:
        return Refuse(
            "destination_project_id",
            f"{_named(attempt)} is in project ({record.destination_project_id}), "
            f"want ({desired.destination.project_id})",
            f"CBR keeps one replica of a backup per region: delete it, or set "
            f"destination_project_id to '{record.destination_project_id}' to adopt it",
        )
    if record.destination_vault_id != desired.destination_vault_id:
        return Refuse(
            "destination_vault_id",
            f"{_named(attempt)} is in vault ({record.destination_vault_id}), "
            f"want ({desired.destination_vault_id})",
            f"CBR keeps one replica of a backup per region: delete it, or set "
            f"destination_vault_id to '{record.destination_vault_id}' to adopt it",
        )
    if not desired.adopt:
        return Refuse(
            "adopt",
            f"{_named(attempt)} exists already",
            "set adopt to true to take it over, or delete it first",
        )
    return Adopt(attempt)


def _named(attempt: Attempt) -> str:
    record = attempt.record
    replica_id = record.destination_backup_id
    if attempt.replica and attempt.replica.backup_id:
        replica_id = attempt.replica.backup_id
    what = f"replica ({replica_id})" if replica_id and not record.is_pending else "a copy under way"
    return f"{what} of replication record ({record.id})"


class Observation(Struct, frozen=True):
    """All that could be found out about a tracked replication.

    `source` is None when the source backup is gone; `record` when it is not listed (any more).
    `task` is the copy's entry in the operation log, None also where it was not asked for.
    """

    source: Backup | None
    record: ReplicationRecord | None
    replica: Replica
    task: Task | None = None


class Standing(Enum):
    """How a tracked replication stands.

    `PRESENT`: the replica exists. `COPYING`: it is still to come. `FAILED`: it will not come.
    `LEAVING`: it is being deleted, which nothing can stop. `GONE`: it does not exist (any more).
    `UNKNOWN`: CBR shows a status that we do not know.
    """

    PRESENT = "present"
    COPYING = "copying"
    FAILED = "failed"
    LEAVING = "being deleted"
    GONE = "gone"
    UNKNOWN = "unknown"


LOST = frozenset({Standing.LEAVING, Standing.GONE})
"""Nothing can keep the replica: it is to be copied again."""
TO_BE_REDONE = LOST | {Standing.FAILED}


def decide_read(observation: Observation) -> Standing:
    """Decide how a replication stands: the read table.

    The record alone proves nothing once a copy has ended. It may say ``success`` long after the
    replica was deleted. It vanishes with the source backup, while the replica lives on or is still
    to come.
    """
    record, backup = observation.record, observation.replica.backup
    if record is not None and record.is_pending:
        return Standing.COPYING
    if backup is None:
        return _decide_without_replica(record, observation.task)
    return _decide_with_replica(record, backup)


def _decide_with_replica(record: ReplicationRecord | None, backup: Backup) -> Standing:
    if backup.status in DELETING_STATUSES:
        return Standing.LEAVING
    # A replica may be there before it is whole; only a record that ended says that it is.
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


# Inputs that a replica cannot change after it was made (CBR API reference, UpdateBackup: only
# the name can be changed).
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
# Leaving these out means "as it is": the projects are looked up, the texts are CBR's choice.
COMPUTED_FIELDS = frozenset({"source_region", "source_project_id", "destination_project_id"})
_OPTIONAL_FIELDS = COMPUTED_FIELDS | {"name", "description"}


class Difference(Struct, frozen=True):
    """How declared inputs differ from the state; both lists hold names of inputs."""

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
    """Decide what a change of inputs asks for.

    Args:
        state: the outputs as last recorded.
        declared: the inputs wanted now, without those that are not known yet.
        unknown: names of inputs whose value is only known later; they count as changed.
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
        # Only with the same natural key would the old replica stand in the new one's way.
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
    return bool(wanted != state.get(field))
