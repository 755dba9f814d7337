"""Submit what is missing: the submit loop for all copies, and the submission of a single copy.

Idempotent, also after a crash at any point. An earlier submission is found by its natural key
(backup, destination region), not by memory. No request may follow another without a poll between.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn, Protocol, TypeVar

from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backup, records_for_place
from pulumi_huaweicloud_cbr.api.transport.retry import is_outcome_unknown
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica
from pulumi_huaweicloud_cbr.api.wire.error_codes import CODE_ALREADY_REPLICATED
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED
from pulumi_huaweicloud_cbr.base.clock import Clock
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
    consequence,
    decide_create,
    doubled,
    told_of_doubles,
)
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredReplication,
    DesiredVaultReplication,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.replication.wait.gone import wait_gone
from pulumi_huaweicloud_cbr.replication.wait.polling import Sightings, look_for

Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class IncompleteError(CbrError):
    """A replica was adopted, but could not be renamed as declared.

    Args:
        tracked: the replication as it is now.
    """

    def __init__(self, cause: CbrError, tracked: TrackedReplication) -> None:
        self.tracked = tracked
        super().__init__(
            f"adopting {tracked}: {cause.message}",
            remedy=cause.remedy,
            code=cause.code,
            request_id=cause.request_id,
        )


class Submission(Protocol[Result_co]):
    """Something to submit once: a single copy, or the copy of an entire vault."""

    looking: str
    """What is reported when polling for a submission begins."""

    async def look(self, unsettled: CbrError | None) -> Result_co | None:
        """Return what exists already, None if anything is left to submit.

        Args:
            unsettled: the error of a submission that CBR may have accepted; its record may be late.
        Raises:
            CbrError: nothing may be submitted.
        """
        ...

    async def submit(self) -> Result_co:
        """Send the request once; return the result."""
        ...

    def may_be_ours(self, refusal: CbrError) -> bool:
        """Whether an earlier submission of ours may be the reason for a refusal."""
        ...

    async def give_up(self, unsettled: CbrError | None) -> Result_co:
        """Raise the error after the last submission, unless a poll finds it now."""
        ...


async def submit_what_is_left(
    submission: Submission[Result], clock: Clock, report: Reporter, limits: Limits
) -> Result:
    """Poll, decide, submit and poll again; never send a second request without a poll.

    CBR may have accepted a submission whose answer was lost. It has no idempotency key by which it
    would recognise a second one. So there is a poll between any two submissions.

    Raises:
        CbrError: a refusal, or whatever `look` and `give_up` raise.
    """
    unsettled: CbrError | None = None
    for _ in range(limits.submissions):
        found = await submission.look(unsettled)
        if found is not None:
            return found
        # Nothing was sent since the poll, so an interruption can end it here.
        await clock.sleep(0)
        try:
            return await submission.submit()
        except CbrError as error:
            if not (submission.may_be_ours(error) or is_outcome_unknown(error)):
                raise
            report.tell(f"{error.observed}; {submission.looking}")
            unsettled = error
    return await submission.give_up(unsettled)


async def submit_or_adopt(
    api: Api,
    desired: DesiredReplication,
    report: Reporter,
    limits: Limits | None = None,
) -> TrackedReplication:
    """Submit a copy, or adopt one that exists; do not wait for its end. Idempotent.

    CBR refuses a second copy by itself (1009), which decides what polling cannot.

    Raises:
        ConflictError: there is a replica or a copy that does not match.
        IncompleteError: a replica was adopted, but could not be renamed.
        NotFoundError: the source backup does not exist.
        OutcomeUnknownError: several submissions got no answer, and no poll found them.
    """
    limits = limits or Limits()
    copy = _SingleCopy(api, desired, report, limits)
    return await submit_what_is_left(copy, api.clock, report, limits)


@dataclass
class _SingleCopy:
    """The submission of one copy."""

    api: Api
    desired: DesiredReplication
    report: Reporter
    limits: Limits
    source: Backup = field(init=False)
    looking: str = "looking whether it was accepted"

    async def look(self, unsettled: CbrError | None) -> TrackedReplication | None:
        """Adopt an existing copy; if a replica is being deleted, wait until it is gone."""
        if unsettled is None:
            decision = await self._decide(self.api)
        else:
            decision = await look_for(
                lambda: self._decide(self.api.fresh),
                lambda decision: not isinstance(decision, Submit),
                late_record(self.limits),
                self.api.clock,
            )
        if isinstance(decision, Refuse):
            raise ConflictError(
                f"submitting {self.desired}: {decision.reason}", remedy=decision.remedy
            )
        if isinstance(decision, Adopt):
            return await _adopt(self.api, self.desired, self.source, decision.attempt, self.report)
        if isinstance(decision, AwaitDeletion):
            await self._wait_for_deletion(decision.attempt)
        return None

    async def _decide(self, api: Api) -> CreateDecision:
        desired = self.desired
        self.source = await find_backup(api, desired.source, desired.backup_id)
        attempts = await observe_attempts(api, desired, self.source)
        if live := doubled(attempts):
            named = [str(attempt) for attempt in live]
            self.report.tell(told_of_doubles(desired.backup_id, desired.destination.region, named))
        return decide_create(desired, attempts)

    async def _wait_for_deletion(self, attempt: Attempt) -> None:
        replica, destination = attempt.replica, self.desired.destination
        if replica is not None and replica.backup_id is not None:
            self.report.tell(f"waiting until the old replica ({replica.backup_id}) is deleted")
            await wait_gone(self.api, destination, replica.backup_id, self.limits, self.report)

    async def submit(self) -> TrackedReplication:
        """Submit the copy; return it as submitted."""
        desired, source = self.desired, self.source
        answer = await self.api.replicate_backup(
            desired.source, desired.backup_id, desired.request()
        )
        return TrackedReplication(
            backup_id=desired.backup_id,
            source=desired.source,
            destination=desired.destination,
            destination_vault_id=desired.destination_vault_id,
            replication_record_id=answer.replication_record_id,
            status=STATUS_SUBMITTED,
            provider_id=answer.provider_id or source.provider_id,
            source_resource_id=source.resource_id,
            description=desired.description,
            owner=desired.identity.mark_owner,
        )

    def may_be_ours(self, refusal: CbrError) -> bool:
        """Whether CBR refuses a second copy of the backup."""
        return _is_second_copy(refusal)

    async def give_up(self, unsettled: CbrError | None) -> NoReturn:
        """Raise the error; the next run polls for the last submission before it submits."""
        if _is_second_copy(unsettled):
            raise _unseen(self.desired, self.source) from unsettled
        raise never_answered(
            self.desired, self.limits, "it looks for the copy before it submits one"
        ) from unsettled


def late_record(limits: Limits) -> Sightings:
    """Return how often to poll for a submission without an answer: its record may be late."""
    return Sightings(limits.looks, limits.look_again_s)


def never_answered(
    desired: DesiredReplication | DesiredVaultReplication, limits: Limits, why_safe: str
) -> OutcomeUnknownError:
    """Return the error for submissions that got no answer and that no poll found.

    Args:
        why_safe: why another `up` copies nothing twice.
    """
    return OutcomeUnknownError(
        f"submitting {desired}: {limits.submissions} submissions were neither answered nor found",
        remedy=f"run pulumi up again: {why_safe}",
    )


def _unseen(desired: DesiredReplication, source: Backup) -> ConflictError:
    """Return the error for a copy that exists by CBR's refusal, but that CBR does not show."""
    records = records_for_place(source, desired.destination, desired.destination_vault_id)
    record = next((record for record in records if not record.is_failed), None)
    doing = f"submitting {desired}: CBR says that the backup has been copied there, but"
    if record is None:
        return ConflictError(
            f"{doing} lists no replication record of it",
            remedy="the copy exists, so keep it: run pulumi up again in some minutes, which adopts "
            "it once its record is listed; if it stays so, take the backup out of the program, or "
            "ask the vendor's support why the record is missing",
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


def adopted(desired: DesiredReplication, source: Backup, attempt: Attempt) -> TrackedReplication:
    """Return an existing attempt to copy a backup as a tracked replication."""
    tracked = TrackedReplication(
        backup_id=desired.backup_id,
        source=desired.source,
        destination=desired.destination,
        destination_vault_id=desired.destination_vault_id,
        replication_record_id=attempt.record.id,
        status=attempt.record.status or STATUS_SUBMITTED,
        provider_id=source.provider_id,
        source_resource_id=source.resource_id,
        owner=attempt.owner,
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
    report.tell(
        f"adopting {tracked} with status {tracked.status!r}: nothing is copied again"
        f"{consequence(attempt.maker(desired.identity.names), attempt.owner)}"
    )
    backup = attempt.replica.backup if attempt.replica and tracked.has_been_seen else None
    if backup is not None and desired.name is not None and backup.name != desired.name:
        try:
            renamed = await api.rename_backup(desired.destination, backup.id, desired.name)
        except CbrError as error:
            raise IncompleteError(error, tracked) from error
        tracked = replace(tracked, replica_name=renamed.name)
    return tracked
