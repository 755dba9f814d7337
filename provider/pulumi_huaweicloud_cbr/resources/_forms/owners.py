"""Which replicas other resources of the program hold or claim, so that a deletion spares them.

Nothing is deleted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter
from pulumi_huaweicloud_cbr.engine.operation import Operation, current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from pulumi_huaweicloud_cbr.base.reporting import Reporter
    from pulumi_huaweicloud_cbr.replication.many import Results

HELD, CLAIMED = "held", "claimed"


def remedy_for_last_copy() -> str:
    """Return the remedy for a replacement that would delete the last copy of a backup."""
    if current_operation().is_made(current_call().urn):
        return (
            "the new copies were begun first, and the next pulumi up deletes the old replicas: run "
            "it when the new copies have succeeded"
        )
    return (
        "declare again what was declared before, or remove the resource if nobody wants its "
        "replicas any more"
    )


async def owners_of(
    session: Session, rows: Mapping[str, TrackedReplication]
) -> Results[str | None]:
    """Return for each row whether another resource holds its replica, claims it, or neither.

    A resource holds what it was created with, or keeps, in this operation. It claims what it
    declares. A claimed copy may not exist yet: the engine has not created it, or creating it
    failed. An entire vault claims all backups in it. If another resource copies a vault to the same
    place, this takes one request for each backup, to learn its vault.
    """
    from pulumi_huaweicloud_cbr.replication.many import Results, for_each

    operation, urn = current_operation(), current_call().urn
    owners: Results[str | None] = Results()
    asked: dict[str, Callable[[Reporter], Awaitable[str | None]]] = {}
    for label, row in rows.items():
        if operation.is_held(row.replication_record_id):
            owners.done[label] = HELD
        elif operation.is_claimed(row.backup_id, row.destination.region, besides=urn):
            owners.done[label] = CLAIMED
        elif claims := _claims_on(row, operation, urn):
            asked[label] = _asked_for_vault(session, row, claims)
        else:
            owners.done[label] = None
    answers = await for_each(asked, "looking for sources", EngineReporter())
    owners.done |= answers.done
    owners.failed |= answers.failed
    return owners


def _claims_on(row: TrackedReplication, operation: Operation, urn: str) -> frozenset[str]:
    """Return the vaults that another resource copies to the destination of a row."""
    place = (row.source.region, row.destination.region, row.destination_vault_id.lower())
    return frozenset(
        claim.vault_id
        for claim in operation.vaults_claimed(besides=urn)
        if place == (claim.source_region, claim.destination_region, claim.destination_vault_id)
    )


def _asked_for_vault(
    session: Session, row: TrackedReplication, vault_ids: Iterable[str]
) -> Callable[[Reporter], Awaitable[str | None]]:
    async def ask(_reporter: Reporter) -> str | None:
        from pulumi_huaweicloud_cbr.api.find import find_backup
        from pulumi_huaweicloud_cbr.base.errors import NotFoundError

        try:
            source = await find_backup(session.client(), row.source, row.backup_id)
        except NotFoundError:
            # A copy of the vault does not take over what is no longer in it.
            return None
        return CLAIMED if (source.vault_id or "").lower() in vault_ids else None

    return ask
