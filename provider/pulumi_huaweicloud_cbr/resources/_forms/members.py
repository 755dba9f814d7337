"""What sets and entire vaults do alike with all their rows: refresh, delete, report failures.

What differs between the two does not belong here: that is in their forms.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.operation import current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import LOST, TO_BE_REDONE, Standing
from pulumi_huaweicloud_cbr.replication.rules.members import listed
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication
from pulumi_huaweicloud_cbr.resources._forms.inputs import limits, may_look_before_replacing
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    CLAIMED,
    HELD,
    owners_of,
    remedy_for_last_copy,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.many import Results

Rows = dict[str, TrackedReplication]


async def look(session: Session, rows: Rows) -> Results[tuple[Standing, TrackedReplication]]:
    """Refresh the members; return the state and the updated values of each."""
    from pulumi_huaweicloud_cbr.replication.many import refresh_all

    return await refresh_all(session.client(), rows, EngineReporter())


async def look_anew(session: Session, rows: Rows) -> Results[tuple[Standing, TrackedReplication]]:
    """Refresh the members without cached answers; as `look`."""
    session.forget()
    return await look(session, rows)


async def remove(session: Session, rows: Rows) -> Results[None]:
    """Delete the replicas of a resource that is deleted, and wait until they are gone.

    Replicas that other resources of the program hold or claim stay, and count as done. If the
    resource is replaced, the last copy of a backup is not deleted.

    Raises:
        ConflictError: a replacement would delete last copies. Nothing was deleted.
        MembersFailedError: a replacement could not observe some. Nothing was deleted.
    """
    is_replaced = current_operation().is_replaced(current_call().urn)
    if is_replaced:
        # What other resources have put into the cache may be stale.
        session.forget()
    return await _remove_unowned(session, rows, is_replaced=is_replaced)


async def let_go(session: Session, rows: Rows) -> Results[None]:
    """Delete the replicas of members that are removed from a resource; as `remove`.

    The engine updates resources in no known order. So first wait until all resources have declared
    their copies.
    """
    if rows:
        await current_operation().settled(session.client().clock.sleep)
    return await _remove_unowned(session, rows, is_replaced=False)


async def _remove_unowned(session: Session, rows: Rows, *, is_replaced: bool) -> Results[None]:
    from pulumi_huaweicloud_cbr.replication.many import remove_all, remove_replaced_all

    owners = await owners_of(session, rows)
    held, claimed = (
        sorted(label for label, owner in owners.done.items() if owner == kind)
        for kind in (HELD, CLAIMED)
    )
    if held:
        tell(f"not deleted, since other resources have their replicas now: {listed(held)}")
    if claimed:
        tell(f"not deleted, since other resources of the program declare them: {listed(claimed)}")
    leaving = {label: rows[label] for label, owner in owners.done.items() if owner is None}
    api, report, limit_s = session.client(), EngineReporter(), current_call().timeout_s
    if is_replaced:
        remedy = remedy_for_last_copy()
        results = await remove_replaced_all(api, leaving, report, limits(), limit_s, remedy=remedy)
    else:
        results = await remove_all(api, leaving, report, limits(), limit_s)
    results.done.update(dict.fromkeys([*held, *claimed]))
    # Their owners are not known, so these replicas stay.
    results.failed.update(owners.failed)
    return results


async def resolve(
    session: Session, inputs: Mapping[str, Any]
) -> tuple[ProjectScope, ProjectScope, dict[str, Any]]:
    """Return the source, the destination, and both as outputs."""
    source = await session.scope(inputs["source_region"], inputs.get("source_project_id"))
    destination = await session.scope(
        inputs["destination_region"], inputs.get("destination_project_id")
    )
    coordinates = {
        "source_region": source.region,
        "source_project_id": source.project_id,
        "destination_region": destination.region,
        "destination_project_id": destination.project_id,
        "destination_vault_id": inputs["destination_vault_id"],
    }
    return source, destination, coordinates


def members_failed(doing: str, total: int, failed: Mapping[str, Exception]) -> CbrError:
    """Return the error for members that failed while the others are done."""
    from pulumi_huaweicloud_cbr.replication.many import MembersFailedError

    return MembersFailedError(doing, total, failed)


def remaining(
    rows: Rows, looked: Results[tuple[Standing, TrackedReplication]], if_gone: str, if_failed: str
) -> Rows:
    """Return the members that still exist; report those that are gone or have failed.

    Args:
        if_gone, if_failed: what happens to them, for messages.
    Raises:
        MembersFailedError: some could not be observed.
    """
    if looked.failed:
        raise members_failed("reading replications", len(rows), looked.failed)
    seen = {
        label: tracked for label, (standing, tracked) in looked.done.items() if standing not in LOST
    }
    gone = sorted(rows.keys() - seen.keys())
    if gone:
        tell(f"gone: {listed(gone)}; {if_gone}")
    failures = [
        f"{label!r} ({tracked.failure})"
        for label, (standing, tracked) in looked.done.items()
        if standing is Standing.FAILED
    ]
    if failures:
        warn(f"failed: {', '.join(failures)}; {if_failed}")
    warn_of_unknown(looked)
    return seen


def warn_of_unknown(looked: Results[tuple[Standing, TrackedReplication]]) -> None:
    """Warn of members with statuses that this version does not know."""
    unknown = [
        f"{label}: {tracked.status}"
        for label, (standing, tracked) in looked.done.items()
        if standing is Standing.UNKNOWN
    ]
    if unknown:
        warn(
            f"statuses that this version does not know, left as they are: {listed(unknown)}; "
            "look at them in the CBR console"
        )


def orphans_of(looked: Results[tuple[Standing, TrackedReplication]]) -> list[str]:
    """Return the members whose source is gone: their replicas could not be made again."""
    return [
        label
        for label, (standing, tracked) in looked.done.items()
        if tracked.source_deleted and standing not in LOST
    ]


def look_before_replacing(
    session: Session,
    rows: Rows,
    doing: str,
    remedy: str,
    *,
    mode: str | None,
    is_open: bool,
) -> Results[tuple[Standing, TrackedReplication]] | None:
    """Refresh what a replacement would delete, whatever preflight is; refuse to lose replicas.

    Args:
        doing: such as "replacing a set of replications".
        remedy: what the user can do instead.
        mode: of preflight.
        is_open: a changed input is not known yet, and may be unchanged. Then this only warns.
    Returns:
        The state of each member; None if there are none, or no way to observe them.
    Raises:
        ConflictError: the sources of some are gone, so their replicas could not be made again.
        MembersFailedError: some could not be observed.
    """
    if not rows or not may_look_before_replacing(session, mode, is_open=is_open):
        return None
    looked = session.run(look_anew(session, rows))
    if looked.failed:
        # Of these replicas it is not known whether they could be made again.
        raise members_failed("looking at replicas", len(rows), looked.failed)
    orphans = orphans_of(looked)
    if orphans:
        reason = (
            f"{doing}: the source backups of {listed(orphans)} are gone, so that their replicas "
            "would be deleted and could not be made again"
        )
        if not is_open:
            raise ConflictError(reason, remedy=remedy)
        warn(reason)
    return looked


NOBODYS = (
    "no resource has them now: declare them, or delete them in the CBR console when they are not "
    "wanted any more; a resource that is given another name by aliases, or by pulumi state rename, "
    "keeps all that it has"
)
"""The message about replicas that stay although their resource is deleted."""


def not_taken_over(session: Session, rows: Rows) -> list[str]:
    """Return the rows whose replica, existing or being copied, no other resource holds.

    This is for a resource that may have a successor under another name in the program. The user did
    not ask to delete replicas that the successor could not find.

    Raises:
        MembersFailedError: some could not be observed.
    """
    operation = current_operation()
    others = {
        label: row
        for label, row in rows.items()
        if not operation.is_held(row.replication_record_id)
    }
    looked = session.run(look(session, others))
    if looked.failed:
        raise members_failed("looking at replicas", len(others), looked.failed)
    return [label for label, (standing, _) in looked.done.items() if standing not in TO_BE_REDONE]
