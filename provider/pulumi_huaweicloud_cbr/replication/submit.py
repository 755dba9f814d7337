"""Bring one copy about: look, decide, submit or adopt, and look again; never send blindly.

It may be run again after a crash at any point: what was done is found by its natural key (backup,
destination region), not by memory.
"""

from __future__ import annotations

from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backup, records_for_region
from pulumi_huaweicloud_cbr.api.transport.retry import is_outcome_unknown
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica
from pulumi_huaweicloud_cbr.api.wire.error_codes import CODE_ALREADY_REPLICATED
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    CbrError,
    ConflictError,
    OutcomeUnknownError,
)
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.observe import Limits, observe_attempts, updated
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    Adopt,
    Attempt,
    AwaitDeletion,
    CreateDecision,
    Observation,
    Refuse,
    Submit,
    decide_create,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.wait.gone import wait_gone


class IncompleteError(CbrError):
    """The replica is ours, but what was declared of it could not be brought about.

    Args:
        tracked: the replication as it stands.
    """

    def __init__(self, cause: CbrError, tracked: TrackedReplication) -> None:
        self.tracked = tracked
        super().__init__(
            f"adopting {tracked}: {cause.message}",
            remedy=cause.remedy,
            code=cause.code,
            request_id=cause.request_id,
        )


async def submit_or_adopt(
    api: Api,
    desired: DesiredReplication,
    report: Reporter,
    limits: Limits | None = None,
) -> TrackedReplication:
    """Bring a replication about, once, whatever happened before; return at submission.

    Looks first, then submits. A submission whose outcome is unknown is looked for, never simply
    sent again; the API's own refusal of a second copy (1009) settles what looking cannot.

    Raises:
        ConflictError: a replica or a copy that does not match stands in the way.
        IncompleteError: a replica was adopted, but could not be renamed.
        NotFoundError: the source backup does not exist.
        OutcomeUnknownError: several submissions were neither answered nor found.
    """
    limits = limits or Limits()
    unsettled: CbrError | None = None
    for _ in range(limits.submissions):
        source, decision = await _look(api, desired, report, limits, unsettled)
        if isinstance(decision, Refuse):
            raise ConflictError(f"submitting {desired}: {decision.reason}", remedy=decision.remedy)
        if isinstance(decision, Adopt):
            return await _adopt(api, desired, source, decision.attempt, report)
        # Nothing was sent yet: an interruption ends it here.
        await api.clock.sleep(0)
        try:
            answer = await api.replicate_backup(
                desired.source, desired.backup_id, desired.request()
            )
        except CbrError as error:
            if not (_is_second_copy(error) or is_outcome_unknown(error)):
                raise
            report.tell(f"{error.observed}; looking whether it was accepted")
            unsettled = error
            continue
        return TrackedReplication(
            backup_id=desired.backup_id,
            source=desired.source,
            destination=desired.destination,
            destination_vault_id=desired.destination_vault_id,
            replication_record_id=answer.replication_record_id,
            status=STATUS_SUBMITTED,
            provider_id=answer.provider_id or source.provider_id,
            source_resource_id=source.resource_id,
        )
    if _is_second_copy(unsettled):
        raise _unseen(desired, source) from unsettled
    raise OutcomeUnknownError(
        f"submitting {desired}: {limits.submissions} submissions were neither answered nor found",
        remedy="run pulumi up again: it looks for the copy before it submits one",
    ) from unsettled


def _unseen(desired: DesiredReplication, source: Backup) -> ConflictError:
    """Return the error for a copy that CBR says exists, and does not show."""
    records = records_for_region(source, desired.destination.region)
    record = next((record for record in records if record.is_succeeded), None)
    doing = f"submitting {desired}: CBR says that the backup has been copied there, but"
    if record is None:
        return ConflictError(
            f"{doing} lists no replication record of it",
            remedy="look for the replica in the CBR console of that region, and delete it there",
            code=CODE_ALREADY_REPLICATED,
        )
    return ConflictError(
        f"{doing} the replica of replication record ({record.id}) is not to be seen in the "
        "destination",
        remedy="run pulumi up again in some minutes: it adopts the replica once it is there",
        code=CODE_ALREADY_REPLICATED,
    )


def _is_second_copy(error: CbrError | None) -> bool:
    return isinstance(error, ApiError) and error.code == CODE_ALREADY_REPLICATED


async def _look(
    api: Api,
    desired: DesiredReplication,
    report: Reporter,
    limits: Limits,
    unsettled: CbrError | None,
) -> tuple[Backup, CreateDecision]:
    """Return the source backup and what to do, looking several times for a late record.

    Args:
        unsettled: how a submission ended of which it is not known whether it was accepted.
    """
    asked = api if unsettled is None else api.fresh
    for look in range(limits.looks if unsettled else 1):
        if look:
            await api.clock.sleep(limits.look_again_s)
        source = await find_backup(asked, desired.source, desired.backup_id)
        attempts = await observe_attempts(asked, desired, source)
        decision = decide_create(desired, attempts)
        if not isinstance(decision, Submit):
            break
    if isinstance(decision, AwaitDeletion):
        replica = decision.attempt.replica
        if replica is not None and replica.backup_id is not None:
            report.tell(f"waiting until the old replica ({replica.backup_id}) is deleted")
            await wait_gone(api, desired.destination, replica.backup_id, limits, report)
        return source, Submit()
    return source, decision


def adopted(desired: DesiredReplication, source: Backup, attempt: Attempt) -> TrackedReplication:
    """Return an attempt to copy a backup as a replication of ours."""
    tracked = TrackedReplication(
        backup_id=desired.backup_id,
        source=desired.source,
        destination=desired.destination,
        destination_vault_id=desired.destination_vault_id,
        replication_record_id=attempt.record.id,
        status=attempt.record.status,
        provider_id=source.provider_id,
        source_resource_id=source.resource_id,
        is_adopted=True,
    )
    replica = attempt.replica or Replica(attempt.record.destination_backup_id, None)
    return updated(tracked, Observation(source, attempt.record, replica))


async def _adopt(
    api: Api,
    desired: DesiredReplication,
    source: Backup,
    attempt: Attempt,
    report: Reporter,
) -> TrackedReplication:
    tracked = adopted(desired, source, attempt)
    report.tell(f"adopting {tracked} with status {tracked.status!r}: nothing is copied again")
    backup = attempt.replica.backup if attempt.replica else None
    if backup is not None and desired.name is not None and backup.name != desired.name:
        try:
            renamed = await api.rename_backup(desired.destination, backup.id, desired.name)
        except CbrError as error:
            raise IncompleteError(error, tracked) from error
        tracked = replace(tracked, replica_name=renamed.name)
    return tracked
