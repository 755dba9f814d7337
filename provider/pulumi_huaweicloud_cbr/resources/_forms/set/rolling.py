"""Rolling sets: which rule a set has, which members it keeps, and which may go by now.

The rule itself is pure: see `rules.sets.retention`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import tell, warn
from pulumi_huaweicloud_cbr.engine.output.preview_facts import note
from pulumi_huaweicloud_cbr.engine.ownership.operation import current_operation
from pulumi_huaweicloud_cbr.replication.rules.facts import retention_facts
from pulumi_huaweicloud_cbr.replication.rules.sets.members import Member, candidates
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import (
    PERIODS,
    keep_of,
    kept,
    still_needed,
)
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES
from pulumi_huaweicloud_cbr.resources._forms.form import Rows
from pulumi_huaweicloud_cbr.resources._forms.members import SHOWN
from pulumi_huaweicloud_cbr.resources._forms.set.declared import (
    is_unknown,
    old_members,
    to_inputs,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.client import Api


def is_rolling(inputs: Mapping[str, Any]) -> bool:
    """Whether a set keeps members by a rule; otherwise it has those that are listed."""
    return inputs.get("keep") is not None or inputs.get("keep_newest") is not None


def is_rule_unknown(inputs: Mapping[str, Any], unknown: frozenset[str]) -> bool:
    """Whether a preview does not know the rule, or a part of it, yet."""
    return not unknown.isdisjoint(("keep", "keep_newest")) or is_unknown(inputs.get("keep"))


def thinned(
    members: Mapping[str, Member],
    known: Mapping[str, Any],
    inputs: Mapping[str, Any],
    olds: Mapping[str, Any],
) -> dict[str, Member]:
    """Return the members that a rolling set keeps, of those listed and those kept so far.

    If the set has `keep`, facts for `ci preview` say why.

    Args:
        known: the declared inputs, without defaults.
        inputs: the same with defaults.
    """
    keep = keep_of(inputs)
    if keep is None:
        return dict(members)
    every = candidates(members, kept_so_far(known, olds))
    verdicts = kept(every, keep)
    found = {label: every[label] for label, verdict in verdicts.items() if verdict.reasons}
    if "keep" in inputs:
        before = {member.backup_id for member in old_members(olds).values()}
        note(retention_facts(every, verdicts, before))
        if not olds and len(found) < len(every):
            tell(f"keeps {len(found)} of the {len(every)} listed backups, by keep ({keep})")
    return found


def why_leaving(
    removed: Rows, declared: Mapping[str, Any], state: Mapping[str, Any]
) -> dict[str, str]:
    """Return why members leave a set with `keep`, by label; nothing for those without an age."""
    keep = keep_of(declared)
    if keep is None or "keep" not in declared:
        return {}
    ages = ages_of(declared, state)
    verdicts = kept(ages, keep)
    whys = {
        label: verdicts[row.backup_id].why_not
        for label, row in removed.items()
        if row.backup_id in ages
    }
    return {label: why for label, why in whys.items() if why}


def tell_why(
    rows: Rows,
    leaving: Mapping[str, str],
    staying: Mapping[str, tuple[str, ...]],
    declared: Mapping[str, Any],
) -> None:
    """Report why members leave, or have to stay for now; a few of them by label.

    Args:
        leaving: why, by label; those that stay for now may be among them.
    """
    keep = keep_of(declared)
    if keep is None:
        return
    if "keep" not in declared:
        if staying:
            tell(
                "stay until enough newer copies have succeeded (keep_newest "
                f"{keep.newest}): {listed(sorted(staying))}"
            )
        return
    gone = {label: why for label, why in leaving.items() if label not in staying}
    if gone:
        tell(f"why they leave, by keep ({keep}): {_with_reasons(gone)}")
    if staying:
        reasons = {label: ", ".join(staying[label]) for label in sorted(staying)}
        tell(f"stay until newer copies stand for them: {_with_reasons(reasons)}")
    resources = {row.source_resource_id for row in rows.values() if row.source_resource_id}
    if len(resources) > 1 and any(getattr(keep, name) for name in PERIODS):
        warn(
            f"keep counts over the whole set, which has backups of {len(resources)} resources: "
            "of each period only one backup of one of them stays; declare a set for each resource"
        )


def _with_reasons(reasons: Mapping[str, str]) -> str:
    shown = [f"{label!r} ({why})" for label, why in list(reasons.items())[:SHOWN]]
    more = f" and {len(reasons) - SHOWN} more" if len(reasons) > SHOWN else ""
    return f"{', '.join(shown)}{more}"


async def replicas_beside(api: Api, rows: Rows, removed: Rows) -> dict[str, bool]:
    """Return which replicas of a set exist, each with whether it is complete; see `replicas_in`."""
    from pulumi_huaweicloud_cbr.replication.many import replicas_in

    row = next(iter(removed.values()))
    resources = {row.source_resource_id for row in rows.values()}
    return await replicas_in(
        api,
        row.destination,
        row.destination_vault_id,
        resource_id=resources.pop() if len(resources) == 1 else None,
        expected=[row.destination_backup_id for row in removed.values()],
    )


def split_by_age(
    removed: Rows, declared: Mapping[str, Any], state: Mapping[str, Any]
) -> tuple[Rows, Rows]:
    """Return the members that a rolling set lets go by age, and those that were removed."""
    if not is_rolling(declared):
        return {}, removed
    ages = ages_of(declared, state)
    rolling = {label: row for label, row in removed.items() if row.backup_id in ages}
    return rolling, {label: row for label, row in removed.items() if label not in rolling}


def staying_of(
    rows: Rows,
    removed: Rows,
    declared: Mapping[str, Any],
    state: Mapping[str, Any],
    there: Mapping[str, bool],
) -> dict[str, tuple[str, ...]]:
    """Return the members that have to stay until newer copies stand for them, and why.

    A member without an age, of a set that was not rolling before, counts as the oldest.

    Args:
        there: the ids of replicas that exist, each with whether it is complete.
    """
    keep = keep_of(declared)
    if keep is None:
        return {}
    ages = ages_of(declared, state)
    succeeded = [
        ages[row.backup_id]
        for row in rows.values()
        if row.backup_id in ages and there.get(row.destination_backup_id or "")
    ]
    leaving = {
        label: ages.get(row.backup_id, Member(row.backup_id)) for label, row in removed.items()
    }
    # What has no replica need not stay. A running copy, or one whose id is late, may become one.
    return {
        label: reasons
        for label, reasons in still_needed(leaving, succeeded, keep).items()
        if not (row := removed[label]).has_failed
        and (row.destination_backup_id is None or row.destination_backup_id in there)
    }


def ages_of(declared: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Member]:
    """Return the members whose age is known, by backup."""
    return {
        member.backup_id: member
        for given in (state, declared)
        for member in old_members(given).values()
        if member.created_at
    }


def kept_so_far(known: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Member]:
    """Return the members of the set, or of the set that it will replace.

    Args:
        known: the declared inputs, which are equal in both of the engine's calls.
    """
    operation = current_operation()
    asked = f"{current_call().urn} {json.dumps(known, sort_keys=True, default=repr)}"
    if not olds:
        former: dict[str, Member] = operation.kept(asked) or {}
        return former
    former = {label: row for label, row in old_members(olds).items() if row.created_at}
    operation.note_kept(asked, former)
    return former


def ages_of_kept(state: Mapping[str, Any], inputs: Mapping[str, Any], rows: Rows) -> dict[str, Any]:
    """Return inputs for members that stay although they should be removed, with their ages.

    A refresh turns them into inputs. Without its age, a rolling set could not keep such a member.
    """
    wanted = {member.backup_id for member in old_members(inputs).values()}
    former = {member.backup_id: member for member in old_members(state).values()}
    staying = {
        label: former[row.backup_id]
        for label, row in rows.items()
        if row.backup_id in former and row.backup_id not in wanted
    }
    return to_inputs(staying)


def place_of(state: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the source and the destination of a set."""
    return tuple(state.get(field, "") for field in COORDINATES)


def note_rolling(state: Mapping[str, Any], rows: Rows, *, is_new: bool) -> None:
    """Note a rolling set for its predecessor or successor under another name."""
    if is_rolling(state):
        records = [row.replication_record_id for row in rows.values()]
        current_operation().note_rolling(place_of(state), records, is_new=is_new)
