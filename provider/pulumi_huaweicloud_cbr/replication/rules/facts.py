"""Facts that a preview finds out, as values for JSON: copies, members, vaults. Pure.

`commands.ci.plan.facts` reads them. A fact that `up` does not act on may be missing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.replication.rules.ownership import Maker

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault
    from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication
    from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member, MemberChanges
    from pulumi_huaweicloud_cbr.replication.rules.sets.retention import Verdict

Fact = dict[str, Any]


def vault_facts(vault: Vault | None) -> list[Fact]:
    """Return the fact about a destination vault; none if it was not queried."""
    if vault is None:
        return []
    return [{"kind": "vault", "id": vault.id, "name": vault.name, "free_gb": vault.free_gb}]


def copy_fact(label: str | None, backup: Backup) -> Fact:
    """Return the fact about a backup that will be copied; a single replication has no label."""
    return {
        "kind": "copy",
        "label": label,
        "backup_id": backup.id,
        "name": backup.resource_name or backup.name,
        "size_gb": backup.resource_size,
        "made_at": backup.created_at,
    }


def adoption_fact(
    label: str | None, backup_id: str, maker: Maker | None, owner: str | None
) -> Fact:
    """Return the fact about a copy that exists already, so that nothing is copied.

    Args:
        maker: who made it.
        owner: as its mark names it, None without one.
    """
    return {
        "kind": "copy",
        "label": label,
        "backup_id": backup_id,
        "is_adopted": True,
        "maker": maker.value if maker is not None else None,
        "owner": owner,
    }


def member_facts(
    changes: MemberChanges,
    rows: Mapping[str, TrackedReplication],
    *,
    staying: Mapping[str, Collection[str]],
    handed_over: Collection[str],
    refused: Collection[str],
    whys: Mapping[str, str],
) -> list[Fact]:
    """Return what becomes of the members that leave a set, and which ones are copied again.

    Args:
        rows: the recorded members, by their old labels.
        staying, handed_over, refused: old labels of removed members that are not deleted. Those
            that stay come with the reasons.
        whys: why members leave, where the set's rule says it.
    """
    facts = []
    for label in changes.removed:
        fate = "deleted"
        for others, other_fate in (
            (staying, "stays"),
            (handed_over, "handed over"),
            (refused, "refused"),
        ):
            if label in others:
                fate = other_fate
                break
        fact = _member(label, rows[label], fate)
        if label in whys:
            fact["why"] = ", ".join(staying[label]) if label in staying else whys[label]
        facts.append(fact)
    former = {new: old for old, new in changes.relabelled.items()}
    facts += [_member(label, rows[former.get(label, label)], "redone") for label in changes.redone]
    return facts


def retention_facts(
    members: Mapping[str, Member], verdicts: Mapping[str, Verdict], before: Collection[str]
) -> Iterator[Fact]:
    """Yield what a set's rule says about each member, and why.

    Args:
        before: ids of the backups that the set has. Others that are not kept are never copied.
    """
    for label, verdict in verdicts.items():
        backup_id = members[label].backup_id
        fate = "kept" if verdict.reasons else "leaves" if backup_id in before else "not copied"
        yield {
            "kind": "retention",
            "label": label,
            "backup_id": backup_id,
            "fate": fate,
            "why": ", ".join(verdict.reasons) or verdict.why_not,
        }


def dropped_facts(labels: Collection[str], rows: Mapping[str, TrackedReplication]) -> list[Fact]:
    """Return the rows that an update takes out of the state without deleting a replica."""
    return [_member(label, rows[label], "dropped") for label in labels if label in rows]


def _member(label: str, row: TrackedReplication, fate: str) -> Fact:
    return {"kind": "member", "label": label, "backup_id": row.backup_id, "fate": fate}
