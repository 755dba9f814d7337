"""`BackupReplicationSet`: many backups copied to one destination, as one Pulumi resource.

The module's path and the name of `BackupReplicationSetProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, overload

import pulumi
from msgspec.structs import replace
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from pulumi_huaweicloud_cbr.api.wire.error_codes import CODES_BACKUP_MISSING
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.credentials import warn_of_plain_credentials
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.operation import DiffOf, current_operation
from pulumi_huaweicloud_cbr.replication.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.decisions import TO_BE_REDONE
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    SET_FIELDS,
    check_members,
    check_set_inputs,
)
from pulumi_huaweicloud_cbr.replication.rules.members import (
    Member,
    MemberChanges,
    decide_members,
    keep_newest,
    labelled,
    listed,
    relabelled,
)
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES
from pulumi_huaweicloud_cbr.resources._arguments import read_arguments
from pulumi_huaweicloud_cbr.resources._base import (
    CbrProvider,
    PartialResultError,
    served,
    split_unknown,
)
from pulumi_huaweicloud_cbr.resources._inputs import (
    NOT_CHECKED,
    aim_of,
    all_unchecked,
    limits,
    missing_source_region,
    unchecked,
    with_defaults,
)
from pulumi_huaweicloud_cbr.resources._members import (
    NOBODYS,
    Rows,
    failures_of,
    let_go,
    look,
    look_before_replacing,
    members_failed,
    not_taken_over,
    remaining,
    remove,
    resolve,
    warn_of_unknown,
)
from pulumi_huaweicloud_cbr.resources._rows import (
    known_replicas_output,
    row_of,
    tracked_rows,
    tracking_output,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup
    from pulumi_huaweicloud_cbr.engine.session import Session
    from pulumi_huaweicloud_cbr.replication.many import Results
    from pulumi_huaweicloud_cbr.replication.preflight.backup import Verdict

_STATE_ONLY = ("enable_acceleration", "adopt", "preflight", "keep_newest")


class BackupReplicationSetProvider(CbrProvider):
    """Reconciles a set of replications, member by member; stateless but for what it is handed."""

    @served
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; ask the API about members that would be submitted.

        The members come out as labels with ids, or with objects where more than the id is given;
        with `keep_newest`, those that stay are among them, so that a preview shows what leaves.
        """
        known, unknown = split_unknown(news)
        olds, _ = split_unknown(_olds)
        operation, urn = current_operation(), current_call().urn
        operation.note_checked(urn, is_new=not olds)
        try:
            session = self.open()
        except CbrError as error:
            return CheckResult(known, [CheckFailure("", str(error))])
        findings = check_set_inputs(known, unknown)
        findings += missing_source_region(known, unknown, session)
        inputs = with_defaults(known, unknown, olds, session)
        members: dict[str, Member] = {}
        unknown_members: dict[str, Any] = {}
        if "backups" not in unknown and not findings:
            given, unknown_members = _split_members(known["backups"])
            findings += check_members(given, is_rolling="keep_newest" in inputs)
            if not findings:
                members = _members_of(given)
                if (count := inputs.get("keep_newest")) is not None:
                    members = keep_newest(members, _kept_so_far(known, olds), int(count))
                inputs["backups"] = {**_to_inputs(members), **unknown_members}
        if isinstance(region := inputs.get("destination_region"), str):
            operation.note_claimed(urn, [(row.backup_id, region) for row in members.values()])
        failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        if not failures:
            before = {member.backup_id for member in _old_members(olds).values()}
            entering = {
                label: member for label, member in members.items() if member.backup_id not in before
            }
            failures, resolved = self._preflight(session, inputs, unknown, entering)
            inputs |= resolved
        return CheckResult({**inputs, **{field: news[field] for field in unknown}}, failures)

    def _preflight(
        self,
        session: Session,
        inputs: Mapping[str, Any],
        unknown: frozenset[str],
        entering: Mapping[str, Member],
    ) -> tuple[list[CheckFailure], Mapping[str, str]]:
        mode = inputs.get("preflight")
        if not entering or mode is None or unknown & {"source_region", "source_project_id"}:
            return [], {}
        if mode == "off":
            tell(NOT_CHECKED)
            return [], {}
        try:
            faults, resolved = session.run(_judge(session, inputs, unknown, entering))
        except CbrError as error:
            faults, resolved = [Finding("", unchecked(error))], {}
        return failures_of(faults, mode), resolved

    @served
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Say which members enter, leave or change; another destination replaces the whole set.

        Copies that are not known to have ended are looked up, all in one request per thousand.
        """
        operation, urn = current_operation(), current_call().urn
        asked_for = operation.reason_of_diff(urn)
        state, _ = split_unknown(_olds)
        declared, unknown = split_unknown(_news)
        replaces = [
            field
            for field in COORDINATES
            if field in unknown or declared.get(field) not in (None, state.get(field))
        ]
        rows = tracked_rows(state)
        if replaces:
            self._require_sources(rows, declared, is_open=bool(unknown & set(replaces)))
            records = [row.replication_record_id for row in rows.values()]
            operation.note_diff(urn, asked_for, records, is_replaced=True)
            if "backups" not in unknown:
                given, unknown_members = _split_members(declared["backups"])
                if not unknown_members:
                    _tell_changes(decide_members(rows, _members_of(given)), rows)
            # Of the same backups in the same region there is one replica each.
            is_delete_first = "destination_region" not in replaces
            return DiffResult(
                changes=True, replaces=replaces, delete_before_replace=is_delete_first
            )
        if "backups" in unknown:
            return DiffResult(changes=True)
        given, unknown_members = _split_members(declared["backups"])
        lost = self._lost(rows, declared)
        changes = decide_members(rows, _members_of(given), lost)
        is_state_only = any(
            field in unknown or declared.get(field) != state.get(field) for field in _STATE_ONLY
        )
        _tell_changes(changes, rows)
        stay = [rows[label].replication_record_id for label in rows.keys() - set(changes.removed)]
        operation.note_diff(urn, asked_for, stay, is_replaced=False)
        if asked_for is DiffOf.PROGRAM:
            _note_rolling(state, rows, is_new=False)
        return DiffResult(changes=bool(changes or unknown_members or is_state_only))

    def _lost(self, rows: Rows, declared: dict[str, Any]) -> list[str]:
        """Return the members whose copy, not known to have ended, failed or is gone by now."""
        pending = {label: row for label, row in rows.items() if not row.has_ended}
        if not pending:
            return []
        if declared.get("preflight") == "off":
            tell("preflight is off: not checked how far the copies are by now")
            return []
        session = self.open()
        looked = session.run(look(session, pending))
        if looked.failed:
            error = members_failed("looking how far copies are", len(pending), looked.failed)
            if declared.get("preflight") != "warn":
                raise error
            warn(str(error))
        warn_of_unknown(looked)
        return [label for label, (standing, _) in looked.done.items() if standing in TO_BE_REDONE]

    def _require_sources(self, rows: Rows, declared: dict[str, Any], *, is_open: bool) -> None:
        """Refuse to replace replicas that could not be made again.

        An input that is not known yet may turn out to be the same, so it only makes a warning.

        Raises:
            ConflictError: the sources of some are gone.
            MembersFailedError: some could not be looked at.
        """
        look_before_replacing(
            self.open(),
            rows,
            "replacing a set of replications",
            "leave this set as it is and declare another one for the new destination",
            mode=declared.get("preflight"),
            is_open=is_open,
        )

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit or adopt all members; those that fail keep none of the others back."""
        inputs, _ = split_unknown(props)
        session = self.open()
        identifier = f"set-{uuid.uuid4()}"
        coordinates, rows, failed = session.run(_bring_about(session, {}, inputs))
        outputs = _to_state(inputs, coordinates, rows)
        current_operation().note_made(current_call().urn, ())
        _note_rolling(outputs, rows, is_new=True)
        if failed and not rows:
            raise failed
        if failed:
            raise PartialResultError(failed, identifier, outputs) from failed
        return CreateResult(identifier, outputs)

    @served
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the members as they are; those that are gone are left out.

        A set of which nothing is left is gone itself.
        """
        current_operation().note_read(current_call().urn)
        state, _ = split_unknown(props)
        session = self.open()
        rows = tracked_rows(state)
        looked = session.run(look(session, rows))
        again = "the next pulumi up copies again what is still declared"
        seen = remaining(rows, looked, again, again)
        if rows and not seen:
            return ReadResult("", {})
        outputs = _to_state(state, state, {**rows, **seen}, only=seen)
        inputs = {field: outputs[field] for field in SET_FIELDS if field in outputs}
        return ReadResult(id_, outputs, inputs)

    @served
    def import_state(self, id_: str) -> ReadResult:
        """Refuse; our plugin host calls this on import.

        Raises:
            ConfigurationError: always, with the way to take over what exists.
        """
        raise ConfigurationError(
            f"importing {id_!r}: a set of replications has no id in CBR",
            remedy="declare it, and create adopts the replicas that exist",
        )

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Submit members that enter, rename, and delete those that leave, in this order."""
        state, _ = split_unknown(_olds)
        inputs, _ = split_unknown(_news)
        session = self.open()
        coordinates, rows, failed = session.run(_bring_about(session, state, inputs))
        if failed and "keep_newest" in inputs:
            inputs["backups"] = {**_ages_of_kept(state, inputs, rows), **inputs["backups"]}
        outputs = _to_state(inputs, coordinates, rows)
        if failed:
            raise PartialResultError(failed, _id, outputs) from failed
        return UpdateResult(outputs)

    @served
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete all replicas and wait until they are gone; those that are gone are fine."""
        state, _ = split_unknown(_props)
        session = self.open()
        rows = tracked_rows(state)
        records = [row.replication_record_id for row in rows.values()]
        is_rolling = "keep_newest" in state
        if is_rolling and current_operation().is_rolling_on(_place_of(state), records):
            rows = self._without_kept(session, rows)
        results = session.run(remove(session, rows))
        if results.failed:
            raise members_failed("deleting replicas", len(rows), results.failed)

    def _without_kept(self, session: Session, rows: Rows) -> Rows:
        """Return the rows without those that another rolling set may have been meant to keep."""
        kept = not_taken_over(session, rows)
        if kept:
            warn(
                "not deleted, since another rolling set goes to the same place, and knows only "
                f"what is listed: {listed(kept)}; {NOBODYS}"
            )
        return {label: row for label, row in rows.items() if label not in kept}


# -- members ------------------------------------------------------------------------------------


def _split_members(backups: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the members by label, each as an object, and those that are not known yet."""
    pairs: Iterable[tuple[Any, Any]]
    if isinstance(backups, Mapping):
        pairs = backups.items()
    else:
        pairs = (
            (f"#{number}" if _is_unknown(value) else str(value), value)
            for number, value in enumerate(backups)
        )
    known, unknown = {}, {}
    for label, value in pairs:
        if _is_unknown(value):
            unknown[str(label)] = value
        elif isinstance(value, Mapping):
            known[str(label)] = {key: part for key, part in value.items() if part is not None}
        else:
            known[str(label)] = {"backup_id": value}
    return known, unknown


def _is_unknown(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_is_unknown(part) for part in value.values())
    return isinstance(value, pulumi.output.Unknown)


def _members_of(given: Mapping[str, Mapping[str, Any]]) -> dict[str, Member]:
    return {label: Member(**fields) for label, fields in given.items()}


def _old_members(olds: Mapping[str, Any]) -> dict[str, Member]:
    given, _ = _split_members(olds.get("backups") or {})
    return _members_of(given)


def _kept_so_far(known: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Member]:
    """Return the members that the set has, or that the one had which it is to replace.

    Args:
        known: what the program declares, as it is the same in both of the engine's questions.
    """
    operation = current_operation()
    asked = f"{current_call().urn} {json.dumps(known, sort_keys=True, default=repr)}"
    if not olds:
        former: dict[str, Member] = operation.kept(asked) or {}
        return former
    former = {label: row for label, row in _old_members(olds).items() if row.created_at}
    operation.note_kept(asked, former)
    return former


def _ages_of_kept(
    state: Mapping[str, Any], inputs: Mapping[str, Any], rows: Rows
) -> dict[str, Any]:
    """Return members as inputs that are kept although they were to leave, with their ages.

    A refresh makes inputs of them: without its age a rolling set could not go on keeping one.
    """
    wanted = {member.backup_id for member in _old_members(inputs).values()}
    former = {member.backup_id: member for member in _old_members(state).values()}
    kept = {
        label: former[row.backup_id]
        for label, row in rows.items()
        if row.backup_id in former and row.backup_id not in wanted
    }
    return _to_inputs(kept)


def _place_of(state: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(state.get(field, "") for field in COORDINATES)


def _note_rolling(state: Mapping[str, Any], rows: Rows, *, is_new: bool) -> None:
    if "keep_newest" in state:
        records = [row.replication_record_id for row in rows.values()]
        current_operation().note_rolling(_place_of(state), records, is_new=is_new)


def _to_inputs(members: Mapping[str, Member]) -> dict[str, Any]:
    inputs: dict[str, Any] = {}
    for label, member in members.items():
        extra = {"name": member.name, "created_at": member.created_at}
        given = {key: value for key, value in extra.items() if value is not None}
        inputs[label] = {"backup_id": member.backup_id, **given} if given else member.backup_id
    return inputs


def _tell_changes(changes: MemberChanges, rows: Rows) -> None:
    for verb, labels in (
        ("enter, to be copied or adopted", changes.added),
        (
            "leave, and whose replicas will be deleted unless other resources declare them",
            changes.removed,
        ),
        ("will be renamed", changes.renamed),
        ("failed or are gone, and will be copied again", changes.redone),
    ):
        if labels and rows:
            tell(f"members that {verb}: {listed(labels)}")


# -- work on the session's loop -------------------------------------------------------------------


async def _judge(
    session: Session,
    inputs: Mapping[str, Any],
    unknown: frozenset[str],
    entering: Mapping[str, Member],
) -> tuple[list[Finding], Mapping[str, str]]:
    """Ask the API whether it would accept all who enter; return findings, and projects' ids."""
    from pulumi_huaweicloud_cbr.replication.preflight.backup import run_preflights

    backup_ids = [member.backup_id for member in entering.values()]
    verdicts = await run_preflights(
        session.client(), aim_of(inputs, unknown), backup_ids, session.project_id
    )
    by_label = dict(zip(entering, verdicts, strict=True))
    adopted = [label for label, verdict in by_label.items() if verdict.notes]
    if adopted:
        tell(f"will be adopted, so that nothing is copied: {listed(adopted)}")
    # All have source and destination in common.
    return _summed_up(by_label, inputs), verdicts[0].resolved


def _summed_up(by_label: Mapping[str, Verdict], inputs: Mapping[str, Any]) -> list[Finding]:
    """Return what was found of all members: what is the same for many, once."""
    findings: dict[tuple[str, str], Finding] = {}
    for label, verdict in by_label.items():
        for finding in verdict.findings:
            # What one copy takes of the room says nothing; the sum is judged below.
            if finding.field == "destination_vault_id" and not finding.is_certain:
                continue
            field = f'backups["{label}"]' if finding.field == "backup_id" else finding.field
            findings.setdefault((field, finding.reason), Finding(field, finding.reason))
    faults = [fault for verdict in by_label.values() for fault in verdict.faults]
    findings |= {("", finding.reason): finding for finding in all_unchecked(faults)}
    sizes = [verdict.size_gb for verdict in by_label.values() if verdict.size_gb is not None]
    rooms = [verdict.free_gb for verdict in by_label.values() if verdict.free_gb is not None]
    if sizes and rooms and 0 < rooms[0] < sum(sizes):
        reason = (
            f"vault ({inputs['destination_vault_id']}) has {rooms[0]:.1f} GB free, and the "
            f"resources of {len(sizes)} backups have {sum(sizes):.0f} GB; enlarge the vault or "
            "free room in it"
        )
        findings["", reason] = Finding("destination_vault_id", reason, is_certain=False)
    return list(findings.values())


async def _bring_about(
    session: Session, state: dict[str, Any], inputs: dict[str, Any]
) -> tuple[dict[str, Any], Rows, CbrError | None]:
    """Make the members what is declared: first those who enter, last those who leave.

    Returns:
        The coordinates, the members as they are now by their new labels, and who failed.
    """
    source, destination, coordinates = await resolve(session, inputs)
    wanted = _members_of(_split_members(inputs["backups"])[0])
    old, lost = await _seen_anew(
        session, tracked_rows({**coordinates, "members": state.get("members", {})})
    )
    changes = decide_members(old, wanted, lost)
    # By backup: a label may pass from a member that leaves to one that enters.
    known = {row.backup_id: row for row in old.values()}
    entering = {label: wanted[label] for label in (*changes.added, *changes.redone)}
    submitted = await _submit(session, (source, destination), inputs, entering)
    renamed = await _rename(
        session,
        {label: (known[wanted[label].backup_id], wanted[label]) for label in changes.renamed},
    )
    leaving = {label: old[label] for label in changes.removed}
    removed: Results[None] | None = None
    if not (submitted.failed and "keep_newest" in inputs):
        removed = await let_go(session, leaving)
    elif leaving:
        # A rolling set that cannot take the newer one must not lose the older one for it.
        tell(f"kept for now, since newer members failed: {listed(leaving)}")
    known |= {row.backup_id: row for row in (*submitted.done.values(), *renamed.done.values())}
    for label in removed.done if removed else ():
        del known[leaving[label].backup_id]
    rows = relabelled(known.values(), old, wanted)
    failed = {**submitted.failed, **renamed.failed}
    for label, error in (removed.failed if removed else {}).items():
        failed[label if label not in failed else f"{label} (leaving)"] = error
    if not failed:
        return coordinates, rows, None
    doing = f"replicating to region {destination.region!r}"
    total = len(entering) + len(changes.renamed) + len(leaving)
    return coordinates, rows, members_failed(doing, total, failed)


def _leaving_out(error: Exception) -> Exception:
    """Return the error with the way out for a member whose source went before it was copied.

    A rolling set keeps what nobody lists any more, so that nobody could take the member out.
    """
    if not isinstance(error, NotFoundError) or error.code not in CODES_BACKUP_MISSING:
        return error
    return NotFoundError(
        error.message,
        status=error.status,
        service_message=error.service_message,
        remedy="it went before it was copied: run pulumi refresh, then pulumi up, which leaves it "
        "out",
        code=error.code,
        request_id=error.request_id,
    )


async def _seen_anew(session: Session, rows: Rows) -> tuple[Rows, list[str]]:
    """Return the members with what is known of unfinished copies now, and whose copy is lost."""
    pending = {label: row for label, row in rows.items() if not row.has_ended}
    if not pending:
        return rows, []
    looked = await look(session, pending)
    lost = [label for label, (standing, _) in looked.done.items() if standing in TO_BE_REDONE]
    return {**rows, **{label: seen for label, (_, seen) in looked.done.items()}}, lost


async def _submit(
    session: Session,
    scopes: tuple[ProjectScope, ProjectScope],
    inputs: Mapping[str, Any],
    entering: Mapping[str, Member],
) -> Results[TrackedReplication]:
    from pulumi_huaweicloud_cbr.replication.many import submit_all

    source, destination = scopes
    desired = {
        label: DesiredReplication(
            backup_id=member.backup_id,
            source=source,
            destination=destination,
            destination_vault_id=inputs["destination_vault_id"],
            name=member.name,
            enable_acceleration=inputs.get("enable_acceleration", False),
            adopt=inputs.get("adopt", True),
        )
        for label, member in entering.items()
    }
    submitted = await submit_all(
        session.client(), desired, EngineReporter(), current_call().timeout_s
    )
    for label, tracked in submitted.done.items():
        current_operation().note_held([tracked.replication_record_id])
        if not tracked.is_adopted:
            # Submitted with its name: there is nothing to rename before anything else is seen.
            submitted.done[label] = replace(tracked, replica_name=entering[label].name)
    if "keep_newest" in inputs:
        for label, error in submitted.failed.items():
            submitted.failed[label] = _leaving_out(error)
    return submitted


async def _rename(
    session: Session, changing: Mapping[str, tuple[TrackedReplication, Member]]
) -> Results[TrackedReplication]:
    from pulumi_huaweicloud_cbr.replication.many import rename_all

    named = {label: (row, member.name or "") for label, (row, member) in changing.items()}
    return await rename_all(
        session.client(), named, EngineReporter(), limits(), current_call().timeout_s
    )


# -- state --------------------------------------------------------------------------------------


def _to_state(
    inputs: Mapping[str, Any],
    coordinates: Mapping[str, Any],
    rows: Rows,
    only: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Return the outputs: the inputs resolved, and a row for each member.

    Args:
        only: labels of the rows that are left; the inputs' members are reported accordingly.
    """
    state = {field: inputs.get(field) for field in SET_FIELDS}
    state |= {field: coordinates.get(field) for field in COORDINATES}
    members = _members_of(_split_members(inputs.get("backups") or {})[0])
    if only is not None:
        kept = set(only)
        observed = {
            label: Member(
                member.backup_id,
                rows[label].replica_name if member.name is not None else None,
                member.created_at,
            )
            for label, member in members.items()
            if label in kept
        }
        state["backups"] = _to_inputs(observed)
        rows = {label: row for label, row in rows.items() if label in kept}
    state["members"] = {
        label: row_of(row, is_named=label in members and members[label].name is not None)
        for label, row in rows.items()
    }
    return {field: value for field, value in state.items() if value is not None}


# -- what programs use --------------------------------------------------------------------------


def as_members(backups: Sequence[Backup]) -> dict[str, dict[str, str]]:
    """Return backups as members of a set, with readable labels and how old they are.

    The label is the resource's name and when the backup was made, such as
    ``erp-db-01@2026-11-20T02:00:11``. A backup without a time has neither of them.
    """
    return {
        label: {"backup_id": backup.id}
        | ({"created_at": backup.created_at} if backup.created_at else {})
        for label, backup in labelled(backups).items()
    }


@dataclass
class BackupReplicationSetArgs:
    """What a set of replications is to be.

    Args:
        backups: the members: labels with backup ids, or with objects of ``backup_id`` and, where
            wanted, ``name`` (the replica's) and ``created_at``; or a list of backup ids. What
            enters is copied, what leaves is deleted in the destination, a changed name renames.
        destination_region: the region to copy to. Changing it replaces the set.
        destination_vault_id: a vault of protect_type ``replication`` there. Changing it replaces.
        destination_project_id: default: the project named like the region. Changing it replaces.
        keep_newest: keep so many of the newest members, those included that are no longer listed
            because their source has expired. Members need ``created_at`` then; see `as_members`.
        enable_acceleration: copy faster, at extra cost. Default: false.
        source_region: where the backups are. Default: ``huaweicloud:region``.
        source_project_id: default: ``huaweicloud:projectId``, else the project named like the
            region. Changing it replaces.
        adopt: take over replicas or running copies that match, instead of failing. Default: true.
        preflight: ask the API in previews whether it will accept: ``error``, ``warn`` or
            ``off``. Default: ``error``.

    Source: CBR API reference, CopyBackup.
    """

    backups: pulumi.Input[Mapping[str, Any] | Sequence[Any]]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    keep_newest: pulumi.Input[int] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool] | None = None
    preflight: pulumi.Input[str] | None = None


class BackupReplicationSet(Resource, module="huaweicloud_cbr", name="BackupReplicationSet"):
    """Copies of many CBR backups in another region.

    Creating it submits all copies and returns. Deleting it deletes all replicas.
    """

    backups: pulumi.Output[dict[str, Any]]
    destination_region: pulumi.Output[str]
    destination_vault_id: pulumi.Output[str]
    destination_project_id: pulumi.Output[str]
    keep_newest: pulumi.Output[int | None]
    enable_acceleration: pulumi.Output[bool]
    source_region: pulumi.Output[str]
    source_project_id: pulumi.Output[str]
    adopt: pulumi.Output[bool]
    preflight: pulumi.Output[str]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label: ``backup_id``, ``replication_record_id``, ``status`` and, once known,
    ``destination_backup_id``, ``destination_checkpoint_id``, ``created_at``, ``name``,
    ``source_resource_id``, ``source_deleted``."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: BackupReplicationSetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        backups: pulumi.Input[Mapping[str, Any] | Sequence[Any]],
        destination_region: pulumi.Input[str],
        destination_vault_id: pulumi.Input[str],
        destination_project_id: pulumi.Input[str] | None = None,
        keep_newest: pulumi.Input[int] | None = None,
        enable_acceleration: pulumi.Input[bool] | None = None,
        source_region: pulumi.Input[str] | None = None,
        source_project_id: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        preflight: pulumi.Input[str] | None = None,
    ) -> None: ...

    def __init__(self, resource_name: str, *positional: Any, **keywords: Any) -> None:
        args, opts = read_arguments(
            self, BackupReplicationSetArgs, resource_name, positional, keywords
        )
        warn_of_plain_credentials()
        inputs = {field.name: getattr(args, field.name) for field in fields(args)}
        super().__init__(
            BackupReplicationSetProvider(), resource_name, {**inputs, "members": None}, opts
        )

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """Return what `ReplicationsComplete` waits by."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replica's id by its record's, as far as the state knows it."""
        return known_replicas_output(self.members)
