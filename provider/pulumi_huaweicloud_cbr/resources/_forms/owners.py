"""Who else has, or declares, the replica of a resource, and so what the resource may delete.

The sources are notes of the operation, the stack's state, and the mark on the replica. Decision
records 0025 to 0027 say how they are weighed.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.ownership.operation import Operation, current_operation
from pulumi_huaweicloud_cbr.engine.ownership.stack import this_owner
from pulumi_huaweicloud_cbr.engine.ownership.state import (
    StackState,
    UnreadableStateError,
    read_stack_state,
)
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import WAYS_OUT, another_stack
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import ADOPT_ANY
from pulumi_huaweicloud_cbr.replication.rules.model import Identity, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    DeletionRules,
    Maker,
    Removal,
    maker_of,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

    from pulumi_huaweicloud_cbr.base.reporting import Reporter
    from pulumi_huaweicloud_cbr.replication.many import Results

Rows = dict[str, TrackedReplication]


class OtherClaim(Enum):
    """Which other resource of the stack has the replica of a row.

    `HAS_IT`: it was created with it, keeps it, or has it in the stack's state. `DECLARES_IT`: the
    program declares the copy there, but the resource does not have it yet; its create may fail.
    `NOBODY`: no other resource.
    """

    HAS_IT = "has it"
    DECLARES_IT = "declares it"
    NOBODY = "nobody"


def deletion_rules(session: Session, removal: Removal, *, is_forced: bool) -> DeletionRules:
    """Return the rules for the current resource.

    Args:
        is_forced: `force_destroy` in the state; `huaweicloud:forceDestroy` has the same effect.
    """
    if removal is Removal.REPLACED:
        remedy = _remedy_for_replacement()
    else:
        remedy = (
            "to delete them all the same, set force_destroy to true and run pulumi up before, or "
            "set huaweicloud:forceDestroy (or HW_FORCE_DESTROY) for one run; to keep them without "
            "the resource, set retain_on_delete, or use pulumi state delete"
        )
    owner = this_owner(session.settings)
    ours = frozenset() if owner is None else frozenset({owner})
    return DeletionRules(removal, ours, is_forced or session.settings.force_destroy, remedy)


def _remedy_for_replacement() -> str:
    """Return the remedy for a replacement that would delete the last copy of a backup."""
    if current_operation().is_made(current_call().urn):
        return (
            "the new copies exist, and the next pulumi up deletes the old replicas: to keep these, "
            "run pulumi state delete on the old resource before"
        )
    return (
        "declare again what was declared before, or remove the resource if nobody wants its "
        "replicas any more"
    )


# -- one owner in a program -----------------------------------------------------------------------


def declared_twice(
    operation: Operation, urn: str, copies: Mapping[str, tuple[str, str]]
) -> list[Finding]:
    """Return a finding for each copy that another resource of the program declares too.

    Args:
        copies: a backup's id and a region, by the name of the input.
    """
    findings = []
    for field, (backup_id, region) in copies.items():
        other = operation.claimant_of(backup_id, region, besides=urn)
        if other is not None and urn:
            findings.append(_twice(field, f"backup ({backup_id})", region, other))
    return findings


def _twice(field: str, what: str, region: str, other: str) -> Finding:
    here, there = _name_of(current_call().urn), _name_of(other)
    return Finding(
        field,
        f"{here} and {there} both declare the copy of {what} to region {region!r}; a copy has one "
        "owner: remove it from one of them",
    )


def vault_declared_twice(vault_id: str, region: str, other: str) -> Finding:
    """Return the finding for a vault that another resource copies to the same region."""
    return _twice("vault_id", f"vault ({vault_id})", region, other)


def _name_of(urn: str) -> str:
    """Return the kind and the name of a resource, for messages."""
    parts = urn.split("::", 3)
    if len(parts) < 4:
        return "this resource"
    kind = parts[2].rpartition(":")[2]
    return f"{kind} {parts[3]!r}"


# -- other stacks ---------------------------------------------------------------------------------


def with_owner(row: TrackedReplication, identity: Identity, adopt: object) -> TrackedReplication:
    """Return a row that records the owner in its mark, if it recorded none.

    A copy that was adopted while it ran shows its mark only later. A mark of another stack is
    recorded only if `adopt` takes over copies of other stacks.
    """
    if row.owner is not None or row.seen_owner is None:
        return row
    is_ours = row.seen_owner in identity.names or adopt == ADOPT_ANY
    return replace(row, owner=row.seen_owner) if is_ours else row


def with_owners(rows: Mapping[str, TrackedReplication], identity: Identity, adopt: object) -> Rows:
    """Return rows by label, each as `with_owner` does."""
    return {label: with_owner(row, identity, adopt) for label, row in rows.items()}


def is_foreign(row: TrackedReplication, identity: Identity) -> bool:
    """Whether the mark of a replica names another stack than this one and the recorded one."""
    return maker_of(row.seen_owner, identity.names, row.owner) is Maker.ANOTHER_STACK


def foreign_in(rows: Mapping[str, TrackedReplication], identity: Identity) -> Rows:
    """Return the rows of another stack, by label; see `is_foreign`."""
    return {label: row for label, row in rows.items() if is_foreign(row, identity)}


def foreign_replicas(doing: str, rows: Mapping[str, TrackedReplication]) -> ConflictError:
    """Return the error for replicas that turned out to be another stack's.

    Args:
        rows: by label; a single replication has the label "".
    """
    named = ", ".join(
        f"{label!r} of {another_stack(row.seen_owner)}" if label else another_stack(row.seen_owner)
        for label, row in rows.items()
    )
    what = "the replicas belong to other stacks" if any(rows) else "its replica belongs to"
    separator = ": " if any(rows) else " "
    return ConflictError(f"{doing}: {what}{separator}{named}", remedy=WAYS_OUT)


def tell_taken_over(labels: Collection[str]) -> None:
    """Tell that this stack will own replicas that it did not make."""
    if labels:
        tell(
            "this stack did not make these, but owns them from now on, and destroy deletes them: "
            f"{listed(labels)}"
        )


def warn_of_foreign(rows: Mapping[str, TrackedReplication], identity: Identity) -> None:
    """Warn of replicas in the state that another stack made."""
    if foreign := foreign_in(rows, identity):
        warn(f"{foreign_replicas('reading replications', foreign)}")


# -- other resources ------------------------------------------------------------------------------


async def owners_of(
    session: Session, rows: Mapping[str, TrackedReplication], *, is_plan: bool = False
) -> Results[OtherClaim]:
    """Return for each row which other resource of the stack has or declares its replica.

    An entire vault declares all backups in it. If another resource copies a vault to the same
    place, this takes one request for each backup, to learn its vault.

    Args:
        is_plan: nothing will be deleted or left now.
    """
    from pulumi_huaweicloud_cbr.replication.many import Results, for_each

    operation, urn = current_operation(), current_call().urn
    owners: Results[OtherClaim] = Results()
    asked: dict[str, Callable[[Reporter], Awaitable[OtherClaim]]] = {}
    state: StackState | None = None
    open_rows = {
        label: row
        for label, row in rows.items()
        if not operation.is_held(row.replication_record_id, besides=urn)
    }
    owners.done |= dict.fromkeys(rows.keys() - open_rows.keys(), OtherClaim.HAS_IT)
    if open_rows:
        state = await _stack_state(urn)
    for label, row in open_rows.items():
        if _is_left(operation, urn, row.replication_record_id, state, is_plan=is_plan):
            owners.done[label] = OtherClaim.HAS_IT
        elif operation.is_claimed(
            row.backup_id, row.destination.region, besides=urn
        ) or _is_declared_by_successor(operation, urn, row, state):
            owners.done[label] = OtherClaim.DECLARES_IT
        elif vaults := _vaults_declared(row, operation, urn):
            asked[label] = _asked_for_vault(session, row, vaults)
        else:
            owners.done[label] = OtherClaim.NOBODY
    answers = await for_each(asked, "looking for sources", EngineReporter())
    owners.done |= answers.done
    owners.failed |= answers.failed
    return owners


async def _stack_state(urn: str) -> StackState | None:
    """Return the stack's state, None if it cannot be read; that is told."""
    import asyncio

    if not urn:
        return None
    try:
        return await asyncio.to_thread(read_stack_state, urn)
    except UnreadableStateError as failure:
        tell(
            "not looked in the stack's state whether another resource has what is deleted here: "
            f"{failure}"
        )
        return None


def _is_left(
    operation: Operation, urn: str, record_id: str, state: StackState | None, *, is_plan: bool
) -> bool:
    """Whether another entry of the stack's state has a replication, so it is left to that one."""
    if state is None:
        # A resource that stays is deleted only as a leftover of a replacement.
        return (
            bool(urn) and operation.holds_itself(urn, record_id) and not operation.is_replaced(urn)
        )
    entries = state.entries_of(record_id)
    others = {entry.urn for entry in entries if entry.urn != urn}
    own = {entry.is_left_over for entry in entries if entry.urn == urn}
    if own == {True, False}:
        # The leftover of a replacement, and its successor. The export does not tell which of them
        # is deleted now. If the program does not keep the successor, both are, and the second one
        # takes the replica along.
        has_failed_to_move = operation.is_created_first(urn) and not operation.is_made(urn)
        if has_failed_to_move or operation.holds_itself(urn, record_id):
            # The successor stays, also if its own successor failed.
            return True
        if is_plan or (operation.is_replaced(urn) and not operation.is_made(urn)):
            return bool(others)
        return operation.give_up(urn, record_id, {urn, *others})
    if is_plan:
        return bool(others)
    return bool(others) and operation.give_up(urn, record_id, others)


def _is_declared_by_successor(
    operation: Operation, urn: str, row: TrackedReplication, state: StackState | None
) -> bool:
    """Whether the leftover of a replacement has a copy that its successor declares, but lacks.

    The successor was created first, so it would have adopted the copy if it had found it.
    """
    if not urn or not operation.claims(urn, row.backup_id, row.destination.region):
        return False
    entries = state.entries_of(row.replication_record_id) if state is not None else ()
    is_left_over = any(entry.urn == urn and entry.is_left_over for entry in entries)
    return is_left_over or operation.is_made(urn)


def _vaults_declared(row: TrackedReplication, operation: Operation, urn: str) -> frozenset[str]:
    """Return the vaults that another resource copies to the destination of a row."""
    place = (row.source.region, row.destination.region, row.destination_vault_id.lower())
    return frozenset(
        claim.vault_id
        for claim in operation.vaults_claimed(besides=urn)
        if place == (claim.source_region, claim.destination_region, claim.destination_vault_id)
    )


def _asked_for_vault(
    session: Session, row: TrackedReplication, vault_ids: Collection[str]
) -> Callable[[Reporter], Awaitable[OtherClaim]]:
    async def ask(_reporter: Reporter) -> OtherClaim:
        from pulumi_huaweicloud_cbr.api.find import find_backup
        from pulumi_huaweicloud_cbr.base.errors import NotFoundError

        try:
            source = await find_backup(session.client(), row.source, row.backup_id)
        except NotFoundError:
            # A copy of the vault does not take over what is no longer in it.
            return OtherClaim.NOBODY
        is_in_one = (source.vault_id or "").lower() in vault_ids
        return OtherClaim.DECLARES_IT if is_in_one else OtherClaim.NOBODY

    return ask


def not_had_yet(tracked: TrackedReplication) -> CbrError:
    """Return the error for a deleted resource whose copy another one declares, but lacks."""
    return ConflictError(
        f"deleting {tracked}: another resource of the program declares this copy, and does not "
        "have it yet, so the replica stays, and so does this resource",
        remedy="run pulumi up again when the other one is created",
    )


def warn_of_left(left: Iterable[tuple[str, str]]) -> None:
    """Warn of replicas that were not deleted, because another stack made them.

    Args:
        left: labels, each with the owner.
    """
    named = ", ".join(f"{label} ({another_stack(owner)})" for label, owner in left)
    if named:
        warn(f"not deleted, since another stack made the replica: {named}")
