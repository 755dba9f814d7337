"""The members of a set as a program declares them, as `Member`, and as the state has them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pulumi
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.base.moments import moment, spelled
from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member


def split_members(backups: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the known members by label, each as an object, and the unknown ones."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(backups, Mapping):
        pairs = backups.items()
    else:
        pairs = (
            (f"#{number}" if is_unknown(value) else str(value), value)
            for number, value in enumerate(backups)
        )
    known, unknown = {}, {}
    for label, value in pairs:
        if is_unknown(value):
            unknown[str(label)] = value
        elif isinstance(value, Mapping):
            known[str(label)] = {key: part for key, part in value.items() if part is not None}
        else:
            known[str(label)] = {"backup_id": value}
    return known, unknown


def is_unknown(value: Any) -> bool:
    """Whether a value, or a part of it, is not known yet."""
    if isinstance(value, Mapping):
        return any(is_unknown(part) for part in value.values())
    return isinstance(value, pulumi.output.Unknown)


def members_of(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Member]:
    """Return known members, with their times as the API spells them."""
    members = {label: Member(**fields) for label, fields in given.items()}
    return {
        label: replace(member, created_at=spelled(member.created_at))
        if member.created_at
        else member
        for label, member in members.items()
    }


def spelled_as_before(
    members: Mapping[str, Member], former: Mapping[str, Member]
) -> dict[str, Member]:
    """Return members with ids and times as the state has them.

    Another case is not another backup, and another spelling of a time is not another time.
    """
    before = {member.backup_id.lower(): member for member in former.values()}
    return {
        label: _like(member, before.get(member.backup_id.lower(), member))
        for label, member in members.items()
    }


def _like(member: Member, former: Member) -> Member:
    is_same_time = moment(member.created_at) == moment(former.created_at)
    return replace(
        member,
        backup_id=former.backup_id,
        created_at=former.created_at if is_same_time else member.created_at,
    )


def old_members(olds: Mapping[str, Any]) -> dict[str, Member]:
    """Return the known members in inputs or outputs, by label."""
    given, _ = split_members(olds.get("backups") or {})
    return members_of(given)


def to_inputs(members: Mapping[str, Member]) -> dict[str, Any]:
    """Return members as inputs have them: the id alone, if a member has nothing else."""
    inputs: dict[str, Any] = {}
    for label, member in members.items():
        extra = {"name": member.name, "created_at": member.created_at}
        given = {key: value for key, value in extra.items() if value is not None}
        inputs[label] = {"backup_id": member.backup_id, **given} if given else member.backup_id
    return inputs
