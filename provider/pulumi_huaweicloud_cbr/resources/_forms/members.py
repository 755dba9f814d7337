"""What sets and entire vaults do alike with all their rows: refresh, delete, report failures.

A single replication is one row without a label: it takes `require_ours` from here. What differs
between the forms does not belong here: that is in their modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.ownership.operation import current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    ABOUT_DOUBLES,
    LOST,
    TO_BE_REDONE,
    Standing,
)
from pulumi_huaweicloud_cbr.replication.rules.model import Identity, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import DeletionRules, Removal
from pulumi_huaweicloud_cbr.resources._forms.inputs import limits, may_look_before_replacing
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    OtherClaim,
    Rows,
    deletion_rules,
    foreign_in,
    foreign_replicas,
    not_had_yet,
    owners_of,
    warn_of_left,
    with_owners,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.many import Results


SHOWN = 5
"""At most this many members are named one by one in warnings."""


async def look(session: Session, rows: Rows) -> Results[tuple[Standing, TrackedReplication]]:
    """Refresh the members; return the state and the updated values of each."""
    from pulumi_huaweicloud_cbr.replication.many import refresh_all

    return await refresh_all(session.client(), rows, EngineReporter())


async def look_anew(session: Session, rows: Rows) -> Results[tuple[Standing, TrackedReplication]]:
    """Refresh the members without cached answers; as `look`."""
    session.forget()
    return await look(session, rows)


async def remove(session: Session, rows: Rows, *, is_forced: bool) -> Results[None]:
    """Delete the replicas of a resource that is deleted, and wait until they are gone.

    Replicas that other resources have stay, and count as done. Those that another resource only
    declares stay too, but count as failed, so that the state keeps them.

    Args:
        is_forced: last copies of backups are deleted too, unless the resource is replaced.
    Raises:
        ConflictError: some are last copies. Nothing was deleted.
        MembersFailedError: some could not be observed. Nothing was deleted.
    """
    is_replaced = current_operation().is_replaced(current_call().urn)
    # What other resources have put into the cache may be stale.
    session.forget()
    removal = Removal.REPLACED if is_replaced else Removal.REMOVED
    rules = deletion_rules(session, removal, is_forced=is_forced)
    owners, results = await _remove_unowned(session, rows, rules)
    for label, owner in owners.items():
        if owner is OtherClaim.DECLARES_IT:
            results.failed[label] = not_had_yet(rows[label])
    return results


async def let_go(
    session: Session, rows: Rows, removal: Removal, *, is_forced: bool
) -> tuple[Results[None], list[str]]:
    """Delete the replicas of members that are removed from a resource; as `remove`.

    The engine updates resources in no known order. So first wait until all resources have declared
    their copies.

    Returns:
        What was done, and the members that another resource declares, but does not have yet: these
        have to stay in the state.
    """
    from pulumi_huaweicloud_cbr.replication.many import Results

    if not rows:
        return Results(), []
    await current_operation().settled(session.client().clock.sleep)
    rules = deletion_rules(session, removal, is_forced=is_forced)
    owners, results = await _remove_unowned(session, rows, rules)
    waiting = [label for label, owner in owners.items() if owner is OtherClaim.DECLARES_IT]
    if waiting:
        warn(
            "leaving, but kept for now, since other resources of the program declare them and do "
            f"not have them yet: {listed(sorted(waiting))}; the next pulumi up settles this"
        )
    return results, waiting


async def _remove_unowned(
    session: Session, rows: Rows, rules: DeletionRules
) -> tuple[dict[str, OtherClaim], Results[None]]:
    """Delete the replicas that no other resource has or declares."""
    from pulumi_huaweicloud_cbr.replication.many import Results, remove_all

    owners = await owners_of(session, rows)
    declared = {label for label, owner in owners.done.items() if owner is OtherClaim.DECLARES_IT}
    if declared:
        # What does not exist any more waits for nobody: only a replica is handed over.
        looked = await look(session, {label: rows[label] for label in declared})
        gone = {label for label, (standing, _) in looked.done.items() if standing in TO_BE_REDONE}
        owners.done |= dict.fromkeys(gone, OtherClaim.NOBODY)
    held = sorted(label for label, owner in owners.done.items() if owner is OtherClaim.HAS_IT)
    if held:
        tell(f"not deleted, since other resources have their replicas now: {listed(held)}")
    alone = {
        label: rows[label] for label, owner in owners.done.items() if owner is OtherClaim.NOBODY
    }
    removed = await remove_all(
        session.client(), alone, EngineReporter(), limits(), current_call().timeout_s, rules=rules
    )
    warn_of_left((label, owner) for label, owner in removed.done.items() if owner is not None)
    done = dict.fromkeys([*held, *removed.done])
    # Where the owners are not known, the replicas stay.
    return owners.done, Results(done, {**removed.failed, **owners.failed})


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
    for_ever = [label for label in gone if looked.done[label][1].source_deleted]
    if again := [label for label in gone if label not in for_ever]:
        tell(f"gone: {listed(again)}; {if_gone}")
    if for_ever:
        tell(
            f"gone: {listed(for_ever)}; their source backups are gone as well, so nothing can copy "
            "them again"
        )
    failures = [
        f"{label!r} ({tracked.failure})"
        for label, (standing, tracked) in looked.done.items()
        if standing is Standing.FAILED
    ]
    if failures:
        warn(f"failed: {', '.join(failures)}; {if_failed}")
    warn_of_unknown(looked)
    tell_last_copies(rows, looked)
    doubled = {label: [str(row), *row.beside] for label, row in seen.items() if row.beside}
    warn_of_doubles(next((row.destination.region for row in seen.values()), None), doubled)
    return seen


def warn_of_unknown(looked: Results[tuple[Standing, TrackedReplication]]) -> None:
    """Warn of members with statuses that CBR does not tell, or that this version does not know."""
    unknown = [
        f"{label}: {'not told' if tracked.has_known_status else tracked.status}"
        for label, (standing, tracked) in looked.done.items()
        if standing is Standing.UNKNOWN
    ]
    if unknown:
        warn(
            "statuses that CBR does not tell, or that this version does not know, left as they "
            f"are: {listed(unknown)}; look at them in the CBR console"
        )


def warn_of_doubles(region: object, doubled: Mapping[str, Sequence[str]]) -> None:
    """Warn of backups with several live copies in a region, each with the copies beside ours."""
    if doubled:
        named = [f"{label!r}: {', '.join(copies)}" for label, copies in doubled.items()]
        more = f"; and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
        warn(
            f"CBR lists several copies of a backup in region {region!r}: {'; '.join(named[:SHOWN])}"
            f"{more}; {ABOUT_DOUBLES}"
        )


def tell_last_copies(rows: Rows, looked: Results[tuple[Standing, TrackedReplication]]) -> None:
    """Report the members whose source is gone now and was not before, unless no copy is left.

    Args:
        rows: as the state has them, so that each is reported once.
    """
    new = sorted(
        label
        for label, (standing, tracked) in looked.done.items()
        if is_now_last_copy(standing, tracked, was_last=rows[label].source_deleted)
    )
    if new:
        tell(f"the source backups of {listed(new)} are gone: their copies are last copies now")


def is_now_last_copy(standing: Standing, tracked: TrackedReplication, *, was_last: bool) -> bool:
    """Whether a copy has lost its source since the state was written; it exists or still runs."""
    return tracked.source_deleted and not was_last and standing not in TO_BE_REDONE


def last_copies_in(looked: Results[tuple[Standing, TrackedReplication]]) -> list[str]:
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
    last = last_copies_in(looked)
    if last:
        reason = (
            f"{doing}: the source backups of {listed(last)} are gone, so that their replicas "
            "would be deleted and could not be made again"
        )
        if not is_open:
            raise ConflictError(reason, remedy=remedy)
        warn(reason)
    return looked


def not_taken_over(session: Session, rows: Rows) -> list[str]:
    """Return the rows whose replica, existing or being copied, no other resource has.

    This is for a resource that may have a successor under another name in the program. The user did
    not ask to delete replicas that the successor could not find.

    Raises:
        MembersFailedError: some could not be observed.
    """
    owners = session.run(owners_of(session, rows, is_plan=True))
    others = {
        label: row for label, row in rows.items() if owners.done.get(label) is not OtherClaim.HAS_IT
    }
    looked = session.run(look(session, others))
    if looked.failed:
        raise members_failed("looking at replicas", len(others), looked.failed)
    return [label for label, (standing, _) in looked.done.items() if standing not in TO_BE_REDONE]


def require_ours(doing: str, rows: Rows, identity: Identity, adopt: object) -> None:
    """Refuse if replicas turned out to be another stack's.

    Raises:
        ConflictError: it names them and their owners.
    """
    if foreign := foreign_in(with_owners(rows, identity, adopt), identity):
        raise foreign_replicas(doing, foreign)
