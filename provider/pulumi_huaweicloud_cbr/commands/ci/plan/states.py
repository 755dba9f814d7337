"""The replicas in a resource's old state, and the copies that its new inputs declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pulumi_huaweicloud_cbr.api.wire.requests import FAILED_RECORD_STATUSES, STATUS_SKIPPED
from pulumi_huaweicloud_cbr.commands.ci.plan.document import (
    UNKNOWN,
    is_hidden,
    known_text,
    mapping,
    sequence,
    text,
)
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Place, Why

SINGLE, SET, VAULT = "BackupReplication", "BackupReplicationSet", "VaultReplication"
FORMS = (SINGLE, SET, VAULT)
WAIT = "ReplicationsComplete"


@dataclass(frozen=True)
class Replica:
    """A replica in a state. `label` is None for a single replication.

    `made_at` is when its backup was made, `copied_at` when the copy began; None if not known.
    """

    label: str | None
    backup_id: str | None
    name: str | None
    made_at: str | None
    is_last: bool
    has_failed: bool
    record_id: str = ""
    copied_at: str | None = None


@dataclass(frozen=True)
class Copy:
    """A copy that inputs declare; `name` is the replica's, None if CBR chooses it."""

    label: str | None
    backup_id: str | None
    name: str | None = None


def place_of(bag: Mapping[str, Any]) -> Place:
    """Return the destination in inputs or outputs."""
    return Place(
        known_text(bag.get("destination_region")) or "",
        (known_text(bag.get("destination_vault_id")) or "").lower(),
    )


def replicas_in(kind: str, state: Mapping[str, Any]) -> list[Replica] | None:
    """Return the replicas of an old state, also those that failed; None if they are secret."""
    outputs = mapping(state.get("outputs"))
    if kind == SINGLE:
        bag = outputs or mapping(state.get("inputs"))
        # Its id is that of its record.
        return [_replica(None, {"replication_record_id": state.get("id"), **bag}, {})]
    rows = outputs.get("members")
    if is_hidden(rows) and not isinstance(rows, dict):
        return None
    times = _times_in(mapping(state.get("inputs")).get("backups"))
    if not isinstance(rows, dict):
        return []
    if _is_special(rows):
        return None
    return [_replica(str(label), mapping(row), times) for label, row in rows.items()]


def _replica(label: str | None, row: Mapping[str, Any], times: Mapping[str, str]) -> Replica:
    status = text(row.get("status"))
    is_named = status == STATUS_SKIPPED and bool(row.get("destination_backup_id"))
    backup_id = known_text(row.get("backup_id"))
    return Replica(
        label,
        backup_id,
        known_text(row.get("name")),
        times.get((backup_id or "").lower()),
        row.get("source_deleted") is True,
        status in FAILED_RECORD_STATUSES and not is_named,
        text(row.get("replication_record_id")),
        known_text(row.get("created_at")),
    )


def _times_in(backups: object) -> dict[str, str]:
    """Return the times of backups that inputs give, by backup."""
    found = {}
    for member in mapping(backups).values():
        given = mapping(member)
        backup_id, at = known_text(given.get("backup_id")), known_text(given.get("created_at"))
        if backup_id and at:
            found[backup_id.lower()] = at
    return found


def copies_in(kind: str, state: Mapping[str, Any]) -> list[Copy] | Why:
    """Return the copies that a new state declares, or why they are not known.

    An entire vault declares none by name.
    """
    inputs = mapping(state.get("inputs"))
    if kind == SINGLE:
        backup_id = known_text(inputs.get("backup_id"))
        return [Copy(None, backup_id, known_text(inputs.get("name")))]
    if kind == VAULT:
        return Why.NOT_LOOKED
    backups = inputs.get("backups")
    if isinstance(backups, dict) and not _is_special(backups):
        return [_copy(str(label), member) for label, member in backups.items()]
    if isinstance(backups, list):
        return [_copy(text(member), member) for member in backups]
    return Why.LATER if backups in (UNKNOWN, None) else Why.HIDDEN


def _copy(label: str, member: object) -> Copy:
    if isinstance(member, dict):
        return Copy(label, known_text(member.get("backup_id")), known_text(member.get("name")))
    return Copy(label, known_text(member))


def _is_special(bag: Mapping[str, Any]) -> bool:
    """Whether an object stands for a secret instead of being one with members."""
    return any(len(str(key)) == 32 and is_hidden({key: value}) for key, value in bag.items())


def has_unknown_member(state: Mapping[str, Any]) -> bool:
    """Whether a set has a member that is known only during `up`, or is secret."""
    backups = mapping(state.get("inputs")).get("backups")
    return any(one is None for one in _ids(backups))


def _ids(backups: object) -> Iterator[str | None]:
    members = backups.values() if isinstance(backups, dict) else sequence(backups)
    return (_copy("", member).backup_id for member in members)
