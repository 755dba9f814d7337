"""`BackupReplication`: one copy of one backup in another region, as a Pulumi resource.

The module's path and the name of `BackupReplicationProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, overload

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    UpdateResult,
)

from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, ProjectScope
from pulumi_huaweicloud_cbr.base.errors import (
    CbrError,
    ConfigurationError,
    ConflictError,
    NotFoundError,
)
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.output.preview_facts import deferred, note
from pulumi_huaweicloud_cbr.engine.ownership.operation import DiffOf, current_operation
from pulumi_huaweicloud_cbr.engine.provider import (
    CbrProvider,
    PartialResultError,
    served,
    split_unknown,
)
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    COMPUTED_FIELDS,
    LOST,
    TO_BE_REDONE,
    Standing,
    decide_diff,
    told_of_doubles,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_inputs
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import DeletionRules, Removal
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, RECORDS
from pulumi_huaweicloud_cbr.resources._arguments.reading import checked, declared, inputs_of
from pulumi_huaweicloud_cbr.resources._arguments.registration import Registered, told_or
from pulumi_huaweicloud_cbr.resources._arguments.shared import CopyArgs, CopyOutputs
from pulumi_huaweicloud_cbr.resources._forms.inputs import (
    DEFAULTS,
    NOT_CHECKED,
    aim_of,
    all_unchecked,
    declared_as,
    failures_of,
    identity_of,
    is_forced,
    limits,
    may_look_before_replacing,
    missing_source_region,
    no_room_for_mark,
    split_stored,
    tell_gap,
    unchecked,
    with_defaults,
    without_defaults,
)
from pulumi_huaweicloud_cbr.resources._forms.members import is_now_last_copy, require_ours
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    OtherClaim,
    declared_twice,
    deletion_rules,
    not_had_yet,
    owners_of,
    warn_of_foreign,
    warn_of_left,
    with_owner,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import BackupReplicationArgsDict


class BackupReplicationProvider(CbrProvider):
    """Reconciles one replication; instances keep only what the engine passes to `configure`."""

    @served
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; before a create, also ask the API (read-only, in previews too).

        The engine calls this first for every resource. Inputs may be unknown in previews. If a
        replacement is planned, the engine calls this again without old inputs. So no old inputs
        mean that a copy would be submitted.
        """
        known, unknown = split_unknown(news)
        olds, _ = split_unknown(_olds)
        operation, urn = current_operation(), current_call().urn
        operation.note_checked(urn, is_new=not olds)
        try:
            session = self.open()
        except CbrError as error:
            return CheckResult(known, [CheckFailure("", str(error))])
        findings = check_inputs(known, unknown)
        inputs = with_defaults(known, unknown, olds, session)
        findings += missing_source_region(known, unknown, session)
        if not findings:
            findings += no_room_for_mark(known, session)
        failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        if not failures and not unknown & {"backup_id", "destination_region"}:
            copy = (inputs["backup_id"], inputs["destination_region"])
            operation.note_claimed(urn, [copy])
            twice = declared_twice(operation, urn, {"backup_id": copy})
            failures = [CheckFailure(finding.field, finding.reason) for finding in twice]
        if not failures and not olds:
            failures, resolved = self._preflight(session, inputs, unknown)
            inputs |= resolved
        # Unknown inputs stay as they are: the engine replaces them when they are known.
        if not olds:
            failures = deferred(failures)
        return CheckResult(
            {**without_defaults(inputs), **{field: news[field] for field in unknown}}, failures
        )

    def _preflight(
        self, session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]
    ) -> tuple[list[CheckFailure], Mapping[str, str]]:
        mode = inputs.get("preflight")
        if mode == "off":
            tell(NOT_CHECKED)
            return [], {}
        if mode is None or "source_region" not in inputs:
            return [], {}
        try:
            faults, resolved = session.run(_judge(session, inputs, unknown))
        except CbrError as error:
            faults, resolved = [Finding("", unchecked(error))], {}
        return failures_of(faults, mode), resolved

    @served
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Report whether an existing replication must change.

        The engine passes the recorded outputs and the checked inputs; some inputs may be unknown in
        previews. The inputs in `REPLACING_FIELDS` replace. An unfinished copy is looked up, so that
        a failed one is planned again.
        """
        operation, urn = current_operation(), current_call().urn
        asked_for = operation.reason_of_diff(urn)
        state, _ = split_stored(_olds)
        state["replication_record_id"] = _id
        declared, unknown = split_stored(_news)
        difference = decide_diff(state, declared, unknown)
        if not difference.replaces and asked_for is DiffOf.PROGRAM:
            self._require_ours(state, declared)
        # After a diff that replaces, the engine checks the new resource without any old inputs.
        if not difference.replaces and self._must_be_redone(state, declared):
            operation.note_diff(urn, asked_for, [_id], is_replaced=True)
            return DiffResult(changes=True, replaces=["status"], delete_before_replace=True)
        if difference.replaces:
            self._require_source(state, declared, frozenset(difference.replaces) & unknown)
            if difference.is_delete_first and not _from_state(state).has_failed:
                tell_gap(state["destination_region"], is_one=True)
        operation.note_diff(
            urn,
            asked_for,
            [_id],
            is_replaced=bool(difference.replaces),
            is_created_first=bool(difference.replaces) and not difference.is_delete_first,
        )
        return DiffResult(
            changes=not difference.is_empty,
            replaces=list(difference.replaces),
            delete_before_replace=difference.is_delete_first,
        )

    def _require_source(
        self, state: dict[str, Any], declared: dict[str, Any], is_open: frozenset[str]
    ) -> None:
        """Refuse to replace a replica that could not be made again.

        With preflight ``error``, the check of the new resource does this for the same backup. If
        another backup is declared, the replica of the old one is no longer wanted. It still is a
        last copy if its source is gone, and the new backup is not of the same server. An unknown
        input may be unchanged.

        Raises:
            ConflictError: the source backup is gone, and the replica exists or is being copied.
        """
        mode = declared.get("preflight")
        is_other = declared.get("backup_id") != state.get("backup_id")
        if is_open or _from_state(state).has_failed or (mode == "error" and not is_other):
            return
        session = self.open()
        if is_other and (is_forced(state) or session.settings.force_destroy):
            return
        if not may_look_before_replacing(session, mode, is_open=False):
            return
        standing, tracked = session.run(_refresh_anew(session, state))
        if not tracked.source_deleted or standing in TO_BE_REDONE:
            return
        if is_other and session.run(_is_of_same_server(session, tracked, declared["backup_id"])):
            return
        raise ConflictError(
            f"replacing {tracked}: source backup ({tracked.backup_id}) is gone, so that its "
            "replica would be deleted and could not be made again",
            remedy="leave the resource as it is, and declare another one for the new copy; if "
            "nobody wants the replica, set force_destroy to true, run pulumi up, and remove the "
            "resource",
        )

    def _require_ours(self, state: dict[str, Any], declared: dict[str, Any]) -> None:
        """Refuse to keep a replica that a refresh has seen to be another stack's.

        Raises:
            ConflictError: it names that stack.
        """
        tracked = _from_state(state)
        if tracked.other_owner is not None:
            identity = identity_of(self.open(), [tracked.owner])
            require_ours(f"planning {tracked}", {"": tracked}, identity, declared.get("adopt"))

    def _must_be_redone(self, state: dict[str, Any], declared: dict[str, Any]) -> bool:
        if _from_state(state).has_failed:
            return True
        if _from_state(state).has_ended:
            return False
        if declared.get("preflight") == "off":
            tell("preflight is off: not checked how far the copy is by now")
            return False
        session = self.open()
        try:
            standing, tracked = session.run(_refresh(session, state))
        except CbrError as error:
            if declared.get("preflight") != "warn":
                raise
            warn(f"not checked how far the copy is by now: {error}")
            return False
        identity = identity_of(session, [tracked.owner])
        require_ours(f"looking at {tracked}", {"": tracked}, identity, declared.get("adopt"))
        if standing is Standing.FAILED:
            tell(f"{tracked} failed ({tracked.failure}), so the backup will be copied again")
        elif standing in LOST:
            tell(
                f"the replica of {tracked} is {standing.value}, so the backup will be copied again"
            )
        elif standing is Standing.UNKNOWN:
            warn(_not_known(tracked))
        _warn_of_double(tracked)
        return standing in TO_BE_REDONE

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit the copy, or adopt an existing one; return without waiting for it.

        If it replaces a copy in another region or of another backup, it waits until the new copy
        has succeeded.
        """
        from pulumi_huaweicloud_cbr.replication.submit import IncompleteError

        inputs, _ = split_stored(props)
        session = self.open()
        is_created_first = current_operation().is_created_first(current_call().urn)
        try:
            tracked = session.run(_create(session, inputs, is_completed=is_created_first))
        except IncompleteError as error:
            if is_created_first:
                # A plain error leaves the old resource in the state as it was.
                raise error from None
            self._note_made(error.tracked)
            outputs = _to_state(inputs, error.tracked)
            raise PartialResultError(error, error.tracked.replication_record_id, outputs) from error
        self._note_made(tracked)
        return CreateResult(tracked.replication_record_id, _to_state(inputs, tracked))

    def _note_made(self, tracked: TrackedReplication) -> None:
        current_operation().note_made(current_call().urn, [tracked.replication_record_id])

    @served
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the replication as it is; the engine calls this on refresh.

        If the replica is gone, the resource is too, so the next `up` copies again. If the replica
        was renamed outside of Pulumi, the inputs get that name. So the next preview shows the
        change back.
        """
        current_operation().note_read(current_call().urn)
        state, _ = split_stored(props)
        if "backup_id" not in state:
            # `get` gives nothing but the id.
            return self._found_by_id(id_)
        session = self.open()
        standing, tracked = session.run(_refresh(session, {**state, "replication_record_id": id_}))
        if standing in LOST:
            what_next = (
                "its source backup is gone as well, so nothing can copy it again"
                if tracked.source_deleted
                else "the next pulumi up copies the backup again"
            )
            tell(
                f"the replica of {tracked} is {standing.value}: dropped from the state; {what_next}"
            )
            return ReadResult("", {})
        identity = identity_of(session, [tracked.owner])
        tracked = with_owner(tracked, identity, state.get("adopt"))
        warn_of_foreign({"": tracked}, identity)
        if standing is Standing.UNKNOWN:
            warn(_not_known(tracked))
        _warn_of_double(tracked)
        if standing is Standing.FAILED:
            warn(
                f"{tracked} failed ({tracked.failure}); the next pulumi up copies the backup again"
            )
        if is_now_last_copy(standing, tracked, was_last=bool(state.get("source_deleted"))):
            tell(f"the source backup ({tracked.backup_id}) is gone: its copy is a last copy now")
        outputs = _to_state(state, tracked)
        if outputs.get("name") != state.get("name"):
            return ReadResult(id_, outputs, _inputs_of(outputs))
        return ReadResult(id_, outputs)

    @served
    def import_state(self, id_: str) -> ReadResult:
        """Find a replication that no state knows; our plugin host calls this on import.

        Args:
            id_: ``SOURCE_REGION/BACKUP_ID/RECORD_ID``, or ``BACKUP_ID/RECORD_ID`` for a backup in
                ``huaweicloud:region``.
        Raises:
            ConfigurationError: the id has another form.
            NotFoundError: the backup or the record does not exist, or the replica is gone.
        """
        return self._found_by_id(id_)

    def _found_by_id(self, id_: str) -> ReadResult:
        session = self.open()
        region, backup_id, record_id = _split_import_id(id_, session.settings.region)
        tracked = session.run(_find(session, region, backup_id, record_id))
        declared = {**DEFAULTS, "name": tracked.replica_name}
        identity = identity_of(session)
        tracked = with_owner(tracked, identity, declared.get("adopt"))
        warn_of_foreign({"": tracked}, identity)
        outputs = _to_state(declared, tracked)
        return ReadResult(record_id, outputs, _inputs_of(outputs))

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename the replica. All other in-place changes affect only the state."""
        state, _ = split_stored(_olds)
        inputs, _ = split_stored(_news)
        tracked = _from_state({**state, "replication_record_id": _id})
        name = inputs.get("name")
        if name is not None and name != state.get("name"):
            session = self.open()
            tracked = session.run(_rename(session, tracked, name))
        if tracked.other_owner is not None:
            identity = identity_of(self.open(), [tracked.owner])
            tracked = with_owner(tracked, identity, inputs.get("adopt"))
        merged = {**{field: state.get(field) for field in COMPUTED_FIELDS}, **inputs}
        return UpdateResult(_to_state(merged, tracked))

    @served
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the replica and wait until it is gone. Idempotent.

        The replica stays if another resource has adopted or keeps it in this operation, or if
        another resource of the program declares it. A resource that was renamed in the program
        adopts it under its new name before the old one is deleted. So does one that the user
        replaces by ``--replace``.
        """
        state, _ = split_stored(_props)
        session = self.open()
        tracked = _from_state({**state, "replication_record_id": _id})
        removal = session.run(_why_removed(session, tracked))
        rules = deletion_rules(session, removal, is_forced=is_forced(state))
        session.run(_remove(session, tracked, rules))


def _warn_of_double(tracked: TrackedReplication) -> None:
    if tracked.beside:
        region = tracked.destination.region
        warn(told_of_doubles(tracked.backup_id, region, [str(tracked), *tracked.beside]))


def _not_known(tracked: TrackedReplication) -> str:
    if tracked.has_known_status:
        return (
            f"CBR does not tell the status of {tracked} at present: left as it is; run pulumi "
            "refresh again later, and look at it in the CBR console if it stays so"
        )
    return (
        f"{tracked} has status {tracked.status!r}, which this version does not know: left as it "
        "is; look at it in the CBR console"
    )


async def _judge(
    session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]
) -> tuple[list[Finding], Mapping[str, str]]:
    """Ask the API whether it would accept the copy; return findings and the projects' ids."""
    from pulumi_huaweicloud_cbr.replication.preflight.backup import facts_of, run_preflight

    client = session.client()
    if "source_project_id" in unknown:
        return [], {}
    verdict = await run_preflight(
        client, aim_of(session, inputs, unknown), inputs.get("backup_id"), session.project_id
    )
    for told in verdict.notes:
        tell(told)
    note(facts_of([None], [verdict]))
    return [*verdict.findings, *all_unchecked(verdict.faults)], verdict.resolved


async def _create(
    session: Session, inputs: dict[str, Any], *, is_completed: bool
) -> TrackedReplication:
    """Submit or adopt a copy.

    Args:
        is_completed: wait until the copy has succeeded, since the old replica is deleted next.
    """
    from pulumi_huaweicloud_cbr.replication.one import complete
    from pulumi_huaweicloud_cbr.replication.submit import submit_or_adopt

    desired = DesiredReplication(
        source=await session.scope(inputs["source_region"], inputs.get("source_project_id")),
        destination=await session.scope(
            inputs["destination_region"], inputs.get("destination_project_id")
        ),
        identity=identity_of(session),
        **declared_as(DesiredReplication, inputs),
    )
    api, report = session.client(), EngineReporter()
    tracked = await submit_or_adopt(api, desired, report, limits())
    if is_completed:
        return await complete(api, tracked, report, limits())
    return tracked


def _split_import_id(identifier: str, region: str | None) -> tuple[str, str, str]:
    parts = identifier.split("/")
    if len(parts) == 2 and region is not None:
        parts = [region, *parts]
    if len(parts) != 3 or not all(parts):
        raise ConfigurationError(
            f"reading {identifier!r}: this is not a valid id of a replication",
            remedy="want SOURCE_REGION/BACKUP_ID/RECORD_ID, or BACKUP_ID/RECORD_ID for a backup in "
            "huaweicloud:region",
        )
    return parts[0], parts[1], parts[2]


async def _find(
    session: Session, region: str, backup_id: str, record_id: str
) -> TrackedReplication:
    from pulumi_huaweicloud_cbr.replication.observe import find_replication

    scope = await session.scope(region, None)
    return await find_replication(session.client(), scope, backup_id, record_id, EngineReporter())


async def _refresh(session: Session, state: dict[str, Any]) -> tuple[Standing, TrackedReplication]:
    from pulumi_huaweicloud_cbr.replication.observe import refresh

    return await refresh(session.client(), _from_state(state), EngineReporter())


async def _refresh_anew(
    session: Session, state: dict[str, Any]
) -> tuple[Standing, TrackedReplication]:
    """Refresh without cached answers."""
    session.forget()
    return await _refresh(session, state)


async def _rename(session: Session, tracked: TrackedReplication, name: str) -> TrackedReplication:
    from pulumi_huaweicloud_cbr.replication.one import rename

    return await rename(session.client(), tracked, name, EngineReporter(), limits())


async def _why_removed(session: Session, tracked: TrackedReplication) -> Removal:
    """Return why a resource is deleted in this operation.

    If the program declares another backup, the replica of the old one is no longer wanted. If that
    is one of the same server, and its copy has succeeded by now, the old one rolls off. With the
    option ``delete_before_replace`` the new copy does not exist yet.
    """
    operation, urn = current_operation(), current_call().urn
    declared = operation.backups_claimed(urn)
    if declared and tracked.backup_id.lower() not in declared:
        (backup_id,) = declared
        if operation.is_replaced(urn) and not operation.is_made(urn):
            return Removal.REMOVED
        is_same = await _is_of_same_server(session, tracked, backup_id)
        return Removal.ROLLED_OFF if is_same else Removal.REMOVED
    return Removal.REPLACED if operation.is_replaced(urn) else Removal.REMOVED


async def _is_of_same_server(session: Session, tracked: TrackedReplication, backup_id: str) -> bool:
    """Whether another backup in the source region is of the same server or file system."""
    from pulumi_huaweicloud_cbr.api.find import find_backup

    if tracked.source_resource_id is None:
        return False
    try:
        other = await find_backup(session.client(), tracked.source, backup_id)
    except NotFoundError:
        return False
    return other.resource_id == tracked.source_resource_id


async def _remove(session: Session, tracked: TrackedReplication, rules: DeletionRules) -> None:
    from pulumi_huaweicloud_cbr.replication.observe import refresh
    from pulumi_huaweicloud_cbr.replication.one import remove

    owners = await owners_of(session, {"": tracked})
    for error in owners.failed.values():
        raise error
    if owners.done[""] is OtherClaim.HAS_IT:
        tell(f"{tracked}: the replica stays, since another resource of the stack has it")
        return
    if owners.done[""] is OtherClaim.DECLARES_IT:
        standing, _ = await refresh(session.client(), tracked, EngineReporter())
        if standing in TO_BE_REDONE:
            # What does not exist any more waits for nobody: only a replica is handed over.
            return
        raise not_had_yet(tracked)
    left_to = await remove(session.client(), tracked, EngineReporter(), rules, limits())
    if left_to is not None:
        warn_of_left([(str(tracked), left_to)])


def _to_state(inputs: dict[str, Any], tracked: TrackedReplication) -> dict[str, Any]:
    """Return the outputs: the resolved inputs, and the known values of the replica."""
    state = {
        **{field: inputs.get(field) for field in FIELDS},
        "backup_id": tracked.backup_id,
        "source_region": tracked.source.region,
        "source_project_id": tracked.source.project_id,
        "destination_region": tracked.destination.region,
        "destination_project_id": tracked.destination.project_id,
        "destination_vault_id": tracked.destination_vault_id,
        "provider_id": tracked.provider_id,
        "status": tracked.status,
        "destination_backup_id": tracked.destination_backup_id,
        "destination_checkpoint_id": tracked.destination_checkpoint_id,
        "created_at": tracked.created_at,
        "source_deleted": tracked.source_deleted or None,
        "source_resource_id": tracked.source_resource_id,
        "owner": tracked.owner,
        "seen_owner": tracked.other_owner,
    }
    if state["name"] is not None and (tracked.replica_name is not None or tracked.is_adopted):
        # Only a declared name is compared: a name that CBR chose is not drift. A running copy that
        # was adopted shows its name later.
        state["name"] = tracked.replica_name
    if tracked.description is not None and tracked.description != state["description"]:
        # It was adopted with this text, which cannot be changed. The program's own is kept beside.
        state["declared_description"] = inputs.get("declared_description", state["description"])
        state["description"] = tracked.description
    elif inputs.get("declared_description") is not None:
        state["declared_description"] = inputs["declared_description"]
    return without_defaults({field: value for field, value in state.items() if value is not None})


def _from_state(state: dict[str, Any]) -> TrackedReplication:
    """Return the replication that the outputs describe.

    Raises:
        ConfigurationError: an identifying output is missing, as after a read by id alone.
    """
    missing = [field for field in _IDENTIFYING if not state.get(field)]
    if missing:
        raise ConfigurationError(
            f"reading replication record ({state.get('replication_record_id')}): "
            f"{', '.join(missing)} not known",
            remedy="a record's id alone does not tell where it is; declare the resource, and "
            "create adopts the replica that exists",
        )
    return TrackedReplication(
        backup_id=state["backup_id"],
        source=ProjectScope(state["source_region"], state["source_project_id"]),
        destination=ProjectScope(state["destination_region"], state["destination_project_id"]),
        destination_vault_id=state["destination_vault_id"],
        replication_record_id=state["replication_record_id"],
        status=state.get("status", STATUS_SUBMITTED),
        provider_id=state.get("provider_id"),
        destination_backup_id=state.get("destination_backup_id"),
        destination_checkpoint_id=state.get("destination_checkpoint_id"),
        source_resource_id=state.get("source_resource_id"),
        created_at=state.get("created_at"),
        source_deleted=bool(state.get("source_deleted")),
        description=state.get("description"),
        owner=state.get("owner"),
        seen_owner=state.get("seen_owner"),
    )


_IDENTIFYING = (
    "backup_id",
    "source_region",
    "source_project_id",
    "destination_region",
    "destination_project_id",
    "destination_vault_id",
    "replication_record_id",
)


def _inputs_of(outputs: dict[str, Any]) -> dict[str, Any]:
    return {field: outputs[field] for field in FIELDS if field in outputs}


@checked
@dataclass(kw_only=True)
class BackupReplicationArgs(CopyArgs):
    """The inputs of `BackupReplication`; those without a default are required.

    A change that replaces makes a new copy and deletes the old replica.

    Source: CBR API reference, CopyBackup.
    """

    backup_id: pulumi.Input[str]
    """The backup to copy, a UUID. A change replaces."""
    name: pulumi.Input[str] | None = None
    """The replica's name: 1 to 64 letters, digits, CJK, ``_`` or ``-``. Default: CBR's choice. A
    change renames the replica. Removing it changes nothing."""
    description: pulumi.Input[str] | None = None
    """The replica's: at most 255 characters without ``<`` and ``>``, together with the mark of the
    stack. Default: the mark alone. A change replaces, since CBR cannot change it. Removing it
    changes nothing."""


class BackupReplication(
    CopyOutputs, Registered, module="huaweicloud_cbr", name="BackupReplication"
):
    """One copy of one CBR backup in another region.

    Creating it submits the copy and returns. If it replaces a copy in another region or of another
    backup, it waits until the new copy has succeeded. `status` is the last observed status, and
    ``pulumi refresh`` observes it again. Deleting it deletes the replica.
    """

    backup_id: pulumi.Output[str]
    name: pulumi.Output[str | None]
    description: pulumi.Output[str | None]
    provider_id: pulumi.Output[str | None]
    """The kind of resource that was backed up, as CBR numbers it."""
    status: pulumi.Output[str]
    """``waiting_replicate``, ``replicating``, ``success``, ``fail`` or ``skip``."""
    destination_backup_id: pulumi.Output[str | None]
    """The replica; not known until CBR reports it."""
    destination_checkpoint_id: pulumi.Output[str | None]
    """The replica's restore point; not known until CBR reports it."""
    created_at: pulumi.Output[str | None]
    """When the copy began, in UTC."""
    source_resource_id: pulumi.Output[str | None]
    """The server or file system that was backed up."""
    owner: pulumi.Output[str | None]
    """The stack that the replica's mark names; none without a mark."""

    @property
    def replication_record_id(self) -> pulumi.Output[str]:
        """The replication record of the copy; also the resource's id."""
        return self.id

    @property
    def source_deleted(self) -> pulumi.Output[bool]:
        """Whether the source backup is gone; the replica remains."""
        return told_or(vars(self)["source_deleted"], default=False)

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """The data by which `ReplicationsComplete` waits for the copy."""
        # Only from outputs that a preview of an update knows, or the wait would seem to change.
        parts = {name: getattr(self, name) for name in COORDINATES}
        return pulumi.Output.all(record_id=self.id, backup_id=self.backup_id, **parts).apply(
            lambda known: {
                **{name: known[name] for name in COORDINATES},
                RECORDS: {known["record_id"]: known["backup_id"]},
            }
        )

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replica's id by replication record id; empty while the state does not know it."""
        return pulumi.Output.all(record_id=self.id, replica_id=self.destination_backup_id).apply(
            lambda known: {known["record_id"]: known["replica_id"]} if known["replica_id"] else {}
        )

    @staticmethod
    def get(
        resource_name: str,
        id: pulumi.Input[str],  # noqa: A002 -- Pulumi's name for it
        opts: pulumi.ResourceOptions | None = None,
    ) -> BackupReplication:
        """Return an existing replication, which this program reads and does not manage.

        Args:
            id: ``SOURCE_REGION/BACKUP_ID/RECORD_ID``, as for an import.
        """
        found = BackupReplication.__new__(BackupReplication)
        nothing: dict[str, Any] = dict.fromkeys((*inputs_of(BackupReplicationArgs), *_OUTPUTS))
        options = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id))
        found.register(BackupReplicationProvider, resource_name, nothing, options)
        return found

    @overload
    def __init__(
        self,
        resource_name: str,
        args: BackupReplicationArgs | BackupReplicationArgsDict,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[BackupReplicationArgsDict],
    ) -> None: ...

    def __init__(self, resource_name: Any = None, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, BackupReplicationArgs, resource_name, positional, keywords)
        outputs: dict[str, Any] = dict.fromkeys(_OUTPUTS)
        self.register(BackupReplicationProvider, resource_name, {**inputs, **outputs}, opts)


_OUTPUTS = (
    "provider_id",
    "status",
    "destination_backup_id",
    "destination_checkpoint_id",
    "created_at",
    "source_deleted",
    "source_resource_id",
    "owner",
)
