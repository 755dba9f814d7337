"""The provider methods of sets and entire vaults: check, diff, create, read, update and delete.

The engine's calls, and their effect on the state, are the same for both. What differs belongs to
the form of the resource, not here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, ConflictError
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell
from pulumi_huaweicloud_cbr.engine.output.preview_facts import deferred
from pulumi_huaweicloud_cbr.engine.ownership.operation import DiffOf, current_operation
from pulumi_huaweicloud_cbr.engine.provider import (
    CbrProvider,
    PartialResultError,
    served,
    split_unknown,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.resources._forms.form import Change, Judged
from pulumi_huaweicloud_cbr.resources._forms.inputs import (
    failures_of,
    identity_of,
    is_forced,
    limits,
    tell_gap,
    unchecked,
)
from pulumi_huaweicloud_cbr.resources._forms.members import (
    look,
    members_failed,
    not_taken_over,
    remaining,
    remove,
)
from pulumi_huaweicloud_cbr.resources._forms.owners import warn_of_foreign, with_owners
from pulumi_huaweicloud_cbr.resources._forms.state import tracked_rows

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.engine.session import Session
    from pulumi_huaweicloud_cbr.resources._forms.form import Declared, Done, Form


class Reconciler(CbrProvider):
    """Base of the provider classes of sets and of entire vaults.

    Instances keep only what the engine passes to `configure`; see `CbrProvider`.
    """

    def form(self) -> Form:
        """Return the form of the resource; its module is imported when the engine calls."""
        raise NotImplementedError

    @served
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; ask the API about copies that would be submitted, in previews too.

        The returned inputs are complete: with defaults, looked-up projects and, for a set, members.
        """
        known, unknown = split_unknown(news)
        olds, _ = split_unknown(_olds)
        operation, urn = current_operation(), current_call().urn
        operation.note_checked(urn, is_new=not olds)
        try:
            session = self.open()
        except CbrError as error:
            return CheckResult(known, [CheckFailure("", str(error))])
        declared = self.form().declare(known, unknown, olds, session)
        failures = [CheckFailure(finding.field, finding.reason) for finding in declared.findings]
        if not failures:
            findings = declared.claim(operation, urn)
            failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        if not failures:
            failures, resolved = self._preflight(session, declared, unknown)
            declared.inputs |= resolved
            failures = deferred(failures)
        elif not olds:
            failures = deferred(failures)
        return CheckResult(
            {**declared.inputs, **{field: news[field] for field in unknown}}, failures
        )

    def _preflight(
        self, session: Session, declared: Declared, unknown: frozenset[str]
    ) -> tuple[list[CheckFailure], Mapping[str, str]]:
        form, mode = self.form(), declared.inputs.get("preflight")
        if (
            not declared.is_asked
            or mode is None
            or unknown & {"source_region", "source_project_id"}
        ):
            return [], {}
        if mode == "off":
            tell(form.not_checked)
            return [], {}
        try:
            judged = session.run(form.judge(session, declared, unknown))
        except CbrError as error:
            judged = Judged([Finding("", unchecked(error))], {})
        return failures_of(judged.findings, mode), judged.resolved

    @served
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report what `up` would copy, rename or delete; another destination replaces the resource.

        Unfinished copies are looked up, in one request for each thousand.
        """
        form, operation, urn = self.form(), current_operation(), current_call().urn
        asked_for = operation.reason_of_diff(urn)
        state, _ = split_unknown(_olds)
        declared, unknown = split_unknown(_news)
        replaces = [
            field
            for field in form.identity
            if field in unknown or declared.get(field) not in (None, state.get(field))
        ]
        rows = tracked_rows(state)
        is_declared = asked_for is DiffOf.PROGRAM
        change = Change(state, rows, declared, unknown, replaces, is_declared)
        if replaces:
            form.require_replaceable(self.open(), change)
            records = [row.replication_record_id for row in rows.values()]
            # CBR keeps one replica of a backup per region, so the old one has to be deleted first.
            is_delete_first = "destination_region" not in replaces
            operation.note_diff(
                urn,
                asked_for,
                records,
                is_replaced=True,
                is_created_first=not is_delete_first,
            )
            form.tell_replacement(change)
            if is_delete_first and not all(row.has_failed for row in rows.values()):
                tell_gap(state["destination_region"], is_one=False)
            return DiffResult(
                changes=True, replaces=replaces, delete_before_replace=is_delete_first
            )
        if is_declared and any(row.other_owner for row in rows.values()):
            form.require_ours(self.open(), change)
        plan = form.plan(self.open, change)
        if plan is None:
            return DiffResult(changes=True)
        stay = [rows[label].replication_record_id for label in rows.keys() - plan.leaving]
        operation.note_diff(urn, asked_for, stay, is_replaced=False)
        if is_declared:
            form.note_staying(change)
        is_changed = plan.is_changed or any(
            field in unknown or declared.get(field) != state.get(field) for field in form.state_only
        )
        return DiffResult(changes=is_changed)

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit or adopt all copies; a refused copy does not block the others.

        If it replaces a resource in another region, it waits until the new copies have succeeded.
        """
        form = self.form()
        inputs, _ = split_unknown(props)
        session = self.open()
        identifier = f"{form.prefix}-{uuid.uuid4()}"
        done = session.run(form.bring_about(session, {}, inputs))
        operation, urn = current_operation(), current_call().urn
        if operation.is_created_first(urn):
            done = session.run(_completed(session, done))
        outputs = form.outputs(done)
        operation.note_made(urn, [row.replication_record_id for row in done.rows.values()])
        form.note_created(done)
        if done.failure is not None and not done.rows:
            raise done.failure
        _raise_partial(done, identifier, outputs)
        return CreateResult(identifier, outputs)

    @served
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the copies as they are, without those that are gone."""
        form = self.form()
        current_operation().note_read(current_call().urn)
        state, _ = split_unknown(props)
        session = self.open()
        rows = tracked_rows(state)
        looked = session.run(look(session, rows))
        seen = remaining(rows, looked, form.if_gone, form.if_failed)
        identity = identity_of(session)
        seen = with_owners(seen, identity, state.get("adopt"))
        warn_of_foreign(seen, identity)
        if form.is_gone(rows, seen):
            return ReadResult("", {})
        outputs = form.observed(state, rows, seen)
        inputs = {field: outputs[field] for field in form.fields if field in outputs}
        return ReadResult(id_, outputs, inputs)

    @served
    def import_state(self, id_: str) -> ReadResult:
        """Refuse; our plugin host calls this on import.

        Raises:
            ConfigurationError: always; the remedy says how to take over existing replicas.
        """
        raise ConfigurationError(
            f"importing {id_!r}: {self.form().what} has no id in CBR",
            remedy="declare it, and create adopts the replicas that exist",
        )

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Submit what the destination lacks, rename, and delete removed members, in this order."""
        form = self.form()
        state, _ = split_unknown(_olds)
        inputs, _ = split_unknown(_news)
        session = self.open()
        done = session.run(form.bring_about(session, state, inputs))
        outputs = form.outputs(done)
        _raise_partial(done, _id, outputs)
        return UpdateResult(outputs)

    @served
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete all replicas and wait until they are gone. Idempotent.

        The resource may have a successor under another name. Replicas that the successor could not
        find stay.
        """
        form = self.form()
        state, _ = split_unknown(_props)
        session = self.open()
        rows = tracked_rows(state)
        if (
            not (is_forced(state) or session.settings.force_destroy)
            and form.may_have_successor(state, rows)
            and (left := not_taken_over(session, rows))
        ):
            raise ConflictError(
                f"deleting {form.what}: nothing was deleted, since {form.successor}: "
                f"{listed(left)}",
                remedy="if it only got another name, declare its old name in aliases; to delete "
                "these replicas, set huaweicloud:forceDestroy (or HW_FORCE_DESTROY) for one run; "
                "to keep them without a resource, use pulumi state delete",
            )
        results = session.run(remove(session, rows, is_forced=is_forced(state)))
        if results.failed:
            raise members_failed("deleting replicas", len(rows), results.failed)


async def _completed(session: Session, done: Done) -> Done:
    """Wait until the copies of a new resource have succeeded, before the old one is deleted.

    Raises:
        CbrError: some did not. A plain error leaves the old resource in the state as it was.
    """
    from pulumi_huaweicloud_cbr.replication.many import complete_all

    if done.failure is not None:
        raise done.failure
    results = await complete_all(
        session.client(), done.rows, EngineReporter(), limits(), current_call().timeout_s
    )
    if results.failed:
        raise members_failed("completing replications", len(done.rows), results.failed)
    done.rows = results.done
    return done


def _raise_partial(done: Done, identifier: str, outputs: dict[str, Any]) -> None:
    """Raise if something failed, so that the engine keeps what was done."""
    if done.failure is not None:
        raise PartialResultError(done.failure, identifier, outputs) from done.failure
