"""The copy of an entire vault: observe its backups, adopt what exists, submit the rest.

CBR decides which backups the copy takes, and its answer names them (CopyCheckpoint). A preview
predicts that from the backups' replication records, by the documented rules. CBR copies a
backup to a region with its vault once, and never again after that replica is deleted. A failed
copy is made again. Nothing here deletes a replica.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from msgspec import Struct, field
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backups, find_record, records_for_place
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, VaultCopies
from pulumi_huaweicloud_cbr.api.wire.error_codes import CODE_VAULT_BEING_REPLICATED
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    CbrError,
    ConflictError,
    UnidentifiedReplicaError,
)
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.replication.observe import (
    Limits,
    find_beside,
    observe_attempts,
    refresh,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    TO_BE_REDONE,
    WAYS_OUT,
    Adopt,
    Attempt,
    Refuse,
    decide_create,
    doubled,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.fitness import check_backup
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredVaultReplication,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.replication.rules.sets.members import labelled
from pulumi_huaweicloud_cbr.replication.submit import (
    adopted,
    late_record,
    never_answered,
    submit_what_is_left,
)
from pulumi_huaweicloud_cbr.replication.wait.polling import look_for

SHOWN = 5
"""At most this many conflicts are named one by one."""


class VaultView(Struct, frozen=True):
    """The state of a vault's backups in the destination region, by label.

    `due`: a copy of the vault would take them. `held`: copied, or being copied, to the desired
    vault, without those that a known row still describes. `spent`: copied once, and the replica is
    gone. `elsewhere`: in another vault or project of the region. `foreign`: of another stack.
    `unclear`: with a status that this version does not know, or that CBR does not tell. `unfit`: of
    a kind or in a state that cannot be copied. `untold`: due, but CBR does not tell which copies
    exist. `doubled`: with several live copies in the region, each named. `labels`: the label by
    backup id. `pending` counts all running copies of the backups, to any region.

    Of the known rows, `lost` are those whose copy failed or whose replica is gone. The vault may be
    unable to copy these again. For the rows in `doubtful`, nothing identifies the replica.
    """

    due: Mapping[str, Backup] = field(default_factory=dict)
    held: Mapping[str, TrackedReplication] = field(default_factory=dict)
    spent: tuple[str, ...] = ()
    elsewhere: Mapping[str, Refuse] = field(default_factory=dict)
    foreign: Mapping[str, Refuse] = field(default_factory=dict)
    unclear: tuple[str, ...] = ()
    unfit: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()
    doubled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    pending: int = 0
    lost: frozenset[str] = frozenset()
    doubtful: tuple[str, ...] = ()

    def due_but(self, left_out: frozenset[str]) -> list[str]:
        """Return the labels that are due, without the backups of these ids."""
        return [label for label, backup in self.due.items() if backup.id not in left_out]


def decide_vault(
    desired: DesiredVaultReplication,
    backups: Mapping[str, tuple[Backup, Sequence[Attempt]]],
    own_record_ids: frozenset[str] = frozenset(),
    recorded: Mapping[str, str | None] | None = None,
) -> VaultView:
    """Classify the backups of a vault.

    Args:
        backups: by label, each with the attempts to copy it to the region, the newest first.
        own_record_ids: records of replicas that are about to be deleted; these do not conflict.
        recorded: the owners that the state has, by backup. Each counts for its own backup only.
    """
    due, held = {}, {}
    elsewhere: dict[str, Refuse] = {}
    foreign: dict[str, Refuse] = {}
    spent, unclear, unfit, untold = [], [], [], []
    doubles: dict[str, tuple[str, ...]] = {}
    for label, (backup, attempts) in backups.items():
        wanted = desired.of_backup(backup.id, (recorded or {}).get(backup.id))
        others = [attempt for attempt in attempts if attempt.record.id not in own_record_ids]
        decision = decide_create(wanted, others)
        if live := doubled(others):
            doubles[label] = tuple(str(attempt) for attempt in live)
        if isinstance(decision, Adopt):
            held[label] = adopted(wanted, backup, decision.attempt)
        elif isinstance(decision, Refuse) and decision.field == "backup_id":
            unclear.append(label)
        elif isinstance(decision, Refuse) and decision.field == "adopt":
            foreign[label] = decision
        elif isinstance(decision, Refuse):
            elsewhere[label] = decision
        elif any(finding.is_certain for finding in check_backup(backup)):
            unfit.append(label)
        elif any(not attempt.record.is_failed for attempt in attempts):
            spent.append(label)
        else:
            due[label] = backup
            untold += [label] if backup.replication_records is None else []
    return VaultView(
        due=due,
        held=held,
        spent=tuple(spent),
        elsewhere=elsewhere,
        foreign=foreign,
        unclear=tuple(unclear),
        unfit=tuple(unfit),
        untold=tuple(untold),
        doubled=doubles,
        labels={backup.id: label for label, (backup, _) in backups.items()},
    )


def is_adoptable(row: TrackedReplication, adopt: object) -> bool:
    """Whether an existing copy may be taken over, of those that `VaultView.held` names.

    Copies of other stacks are not among these. So a mark is one of this stack, and without `adopt`
    it is taken over as well.
    """
    return bool(adopt) or row.owner is not None


def check_view(view: VaultView, desired: DesiredVaultReplication) -> list[Finding]:
    """Return the reasons why a vault cannot be copied as declared."""
    findings = []
    if view.elsewhere:
        reason = (
            f"{len(view.elsewhere)} of the backups cannot come into vault "
            f"({desired.destination_vault_id}): {_each_reason(view.elsewhere)}; CBR keeps one "
            "replica of a backup per region: delete these, or set preflight to 'warn' to copy "
            "the others only"
        )
        findings.append(Finding("destination_vault_id", reason))
    if view.foreign:
        have = "has" if len(view.foreign) == 1 else "have"
        reason = (
            f"{len(view.foreign)} of the backups {have} a replica of another stack: "
            f"{_each_reason(view.foreign)}; {WAYS_OUT}; or set preflight to 'warn' to copy the "
            "others only"
        )
        findings.append(Finding("adopt", reason))
    if left := [label for label, row in view.held.items() if not is_adoptable(row, desired.adopt)]:
        reason = (
            f"already in vault ({desired.destination_vault_id}), or on the way to it: "
            f"{listed(left)}; set adopt to true to take these over, or delete them first"
        )
        findings.append(Finding("adopt", reason))
    return findings


def _each_reason(refusals: Mapping[str, Refuse]) -> str:
    """Return the first reasons, each with its label, and the number of the others."""
    named = [f"{label!r}: {refuse.reason}" for label, refuse in refusals.items()]
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    return f"{'; '.join(named[:SHOWN])}{more}"


async def look_at_vault(
    api: Api,
    desired: DesiredVaultReplication,
    known: Mapping[str, TrackedReplication],
    report: Reporter,
    own_record_ids: frozenset[str] = frozenset(),
) -> VaultView:
    """Observe a vault's backups: one list request for each thousand of them.

    A replica is only looked up if a record names one that is not known.

    Args:
        known: the rows so far, by label. A backup that its row still describes is in no group of
            the result.
        own_record_ids: see `decide_vault`.
    """
    listing: dict[str, Backup] = {}
    for backup in await find_backups(
        api, desired.source, vault_id=desired.vault_id, show_replication=True
    ):
        if backup.vault_id in (None, desired.vault_id):
            listing[backup.id] = backup
    rows = {row.backup_id: (label, row) for label, row in known.items()}
    newcomers = labelled((backup for key, backup in listing.items() if key not in rows), known)
    labels = {backup.id: label for label, backup in newcomers.items()}
    labels |= {key: label for key, (label, _) in rows.items() if key in listing}
    told: dict[str, _Told] = {}
    beside: dict[str, tuple[str, ...]] = {}

    async def attempts_of(backup: Backup) -> list[Attempt] | None:
        label, row = rows.get(backup.id, ("", None))
        if row is not None:
            told[label] = await _told_by_records(api, row, backup, report)
            if told[label] in (_Told.STANDS, _Told.DOUBTFUL):
                if found := await find_beside(api, row, backup):
                    beside[label] = (f"{row}, of the state", *found)
                return None
        wanted = desired.of_backup(backup.id)
        return await observe_attempts(api.fresh, wanted, backup)

    attempts = await asyncio.gather(*(attempts_of(backup) for backup in listing.values()))
    asked = {
        labels[backup.id]: (backup, found)
        for backup, found in zip(listing.values(), attempts, strict=True)
        if found is not None
    }
    recorded = {row.backup_id: row.owner for row in known.values()}
    view = decide_vault(desired, asked, own_record_ids, recorded)
    # If a row's backup has left the vault, it needs no request once its replica was seen.
    for label, row in known.items():
        told.setdefault(label, _Told.STANDS if row.has_been_seen else _Told.OPEN)
    open_rows = {
        label: row
        for label, row in known.items()
        if told[label] is _Told.OPEN and not _is_held(view, label, row)
    }
    found = await asyncio.gather(*(_find_out(api, row, report) for row in open_rows.values()))
    told |= {label: word for label, (word, _) in zip(open_rows, found, strict=True)}
    seen = {label: row for label, (_, row) in zip(open_rows, found, strict=True) if row is not None}
    return replace(
        view,
        held={**view.held, **seen},
        doubled={**view.doubled, **beside},
        lost=frozenset(label for label, word in told.items() if word is _Told.LOST),
        doubtful=tuple(label for label, word in told.items() if word is _Told.DOUBTFUL),
        labels=labels,
        pending=sum(record.is_pending for backup in listing.values() for record in backup.records),
    )


class _Told(Enum):
    """Whether a row still describes the copy of its backup.

    `STANDS`: it does. `LOST`: its copy failed or its replica is gone. `OPEN`: the records alone do
    not say. `DOUBTFUL`: nothing identifies its replica.
    """

    STANDS = auto()
    LOST = auto()
    OPEN = auto()
    DOUBTFUL = auto()


async def _told_by_records(
    api: Api, row: TrackedReplication, backup: Backup, report: Reporter
) -> _Told:
    """Classify a row by its backup's records; query the API if its own record is missing."""
    if row.has_failed:
        return _Told.LOST
    own = find_record(backup, row.replication_record_id)
    if own is None:
        # The record may be late, and a running copy must not be submitted again.
        word, _ = await _find_out(api, row, report)
        return word
    if own.is_failed:
        return _Told.LOST
    records = records_for_place(backup, row.destination, row.destination_vault_id)
    newest = next((record for record in records if record is own or not record.is_failed), own)
    if newest is own and (own.is_pending or (own.is_succeeded and row.has_been_seen)):
        return _Told.STANDS
    return _Told.OPEN


def _is_held(view: VaultView, label: str, row: TrackedReplication) -> bool:
    """Whether the replica of a row was found."""
    found = view.held.get(label)
    return found is not None and found.replication_record_id == row.replication_record_id


async def _find_out(
    api: Api, row: TrackedReplication, report: Reporter
) -> tuple[_Told, TrackedReplication | None]:
    """Classify a row by its replica; return the updated row too, if it still describes a copy."""
    if row.has_failed:
        return _Told.LOST, None
    try:
        # A doubtful row is left alone, so there is no need to poll for a late name.
        standing, seen = await refresh(api, row, report, is_doubt_final=True)
    except UnidentifiedReplicaError:
        return _Told.DOUBTFUL, None
    return (_Told.LOST, None) if standing in TO_BE_REDONE else (_Told.STANDS, seen)


class Brought(Struct):
    """The result of copying a vault.

    `rows` are new or updated rows, by label. `dropped` are labels of rows that describe no copy any
    more, and that no new row replaces. `left_out` are ids of backups that CBR did not take,
    although nothing that it shows forbids it. `failure` is the error if something is not done.
    """

    view: VaultView
    rows: dict[str, TrackedReplication] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    failure: CbrError | None = None


async def replicate_vault(
    api: Api,
    desired: DesiredVaultReplication,
    known: Mapping[str, TrackedReplication],
    report: Reporter,
    *,
    left_out: Iterable[str] = (),
    others: Callable[[], Awaitable[frozenset[str]]] | None = None,
    is_new: bool = False,
    is_strict: bool = False,
    limits: Limits | None = None,
) -> Brought:
    """Copy every backup of the vault that the destination lacks. Idempotent.

    Existing copies are adopted. If CBR refuses because the vault is being copied (6130), that copy
    may be ours, so it is polled for.

    Args:
        known: the rows so far, by label.
        left_out: ids of backups that CBR did not take the last time. They alone cause no
            submission.
        others: asked for the ids of backups whose copies other resources declare, in lower case,
            if there are copies to adopt. Those of these backups are left to them.
        is_new: there is no state yet. Copies without a mark are then refused if `adopt` is false.
        is_strict: if `is_new`, every conflict is refused, not only those about `adopt`.
    Raises:
        ConflictError: refused; nothing was sent.
    """
    limits = limits or Limits()
    asked_before = frozenset(left_out)
    view = await look_at_vault(api, desired, known, report)
    if is_new:
        _refuse(check_view(view, desired), desired, is_strict=is_strict)
    brought = Brought(view, left_out=asked_before & view.labels.keys())
    own = {row.replication_record_id for row in known.values()}
    found = [row for row in view.held.values() if row.replication_record_id not in own]
    theirs = await others() if others is not None and found else frozenset()
    not_adopted = frozenset(
        row.replication_record_id
        for row in found
        if not is_adoptable(row, desired.adopt) or row.backup_id.lower() in theirs
    )
    copy = _VaultCopy(api, desired, known, report, limits, asked_before, not_adopted, brought)
    try:
        return await submit_what_is_left(copy, api.clock, report, limits)
    except CbrError as error:
        if not copy.is_sent:
            raise
        # Keep what was adopted.
        brought.failure = error
        return brought


def _refuse(
    findings: Sequence[Finding], desired: DesiredVaultReplication, *, is_strict: bool
) -> None:
    for finding in findings:
        # Never adopt existing replicas against the user's will. Those of other stacks are not
        # adopted in any case.
        if is_strict or (finding.field == "adopt" and not desired.adopt):
            raise ConflictError(f"submitting {desired}: {finding.reason}")


@dataclass
class _VaultCopy:
    """The submission of a vault's copy; `brought` collects the result.

    `not_adopted` are records of copies that are not adopted. `is_sent`: a submission may have been
    sent.
    """

    api: Api
    desired: DesiredVaultReplication
    known: Mapping[str, TrackedReplication]
    report: Reporter
    limits: Limits
    asked_before: frozenset[str]
    not_adopted: frozenset[str]
    brought: Brought
    is_sent: bool = False
    looking: str = "looking what is being copied"

    async def look(self, unsettled: CbrError | None) -> Brought | None:
        """Adopt what exists; poll again only after a submission."""
        if unsettled is not None:
            rows = {**self.known, **self.brought.rows}
            self.brought.view = await look_for(
                lambda: look_at_vault(self.api, self.desired, rows, self.report),
                lambda view: not view.due_but(self.asked_before),
                late_record(self.limits),
                self.api.clock,
            )
        brought = self.brought
        for label, row in brought.view.held.items():
            if row.replication_record_id not in self.not_adopted:
                brought.rows[label] = row
        if not brought.view.due_but(self.asked_before):
            brought.dropped = brought.view.lost - brought.rows.keys()
            return brought
        if unsettled is not None and _is_busy(unsettled):
            raise unsettled
        return None

    async def submit(self) -> Brought:
        """Submit the copy; CBR's answer names the backups that it takes."""
        self.is_sent = True
        answer = await self.api.replicate_vault(self.desired.source, self.desired.request())
        _take_answer(self.brought, self.desired, answer)
        return self.brought

    def may_be_ours(self, refusal: CbrError) -> bool:
        """Whether CBR says that the vault is being copied."""
        return _is_busy(refusal)

    async def give_up(self, unsettled: CbrError | None) -> Brought:
        """Poll for the last submission as well, and raise if it is not found."""
        found = await self.look(unsettled)
        if found is not None:
            return found
        raise never_answered(
            self.desired, self.limits, "it looks for the copies before it submits any"
        ) from unsettled


def _is_busy(error: CbrError) -> bool:
    return isinstance(error, ApiError) and error.code == CODE_VAULT_BEING_REPLICATED


def _take_answer(brought: Brought, desired: DesiredVaultReplication, answer: VaultCopies) -> None:
    view = brought.view
    for copy in answer.backups:
        label = view.labels.get(copy.backup_id, copy.backup_id)
        source = view.due.get(label)
        brought.rows[label] = TrackedReplication(
            backup_id=copy.backup_id,
            source=desired.source,
            destination=desired.destination,
            destination_vault_id=desired.destination_vault_id,
            replication_record_id=copy.replication_record_id,
            status=STATUS_SUBMITTED,
            provider_id=answer.provider_id or (source.provider_id if source else None),
            source_resource_id=source.resource_id if source else None,
        )
    brought.dropped = view.lost - brought.rows.keys()
    taken = {copy.backup_id for copy in answer.backups}
    brought.left_out = frozenset(backup.id for backup in view.due.values()) - taken
