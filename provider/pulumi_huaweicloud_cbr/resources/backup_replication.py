"""`BackupReplication`: one copy of one backup in another region, as a Pulumi resource.

The module's path and the name of `BackupReplicationProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Required, Unpack, overload

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    UpdateResult,
)

from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, ConflictError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.operation import current_operation
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
)
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_inputs
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES, RECORDS
from pulumi_huaweicloud_cbr.resources._arguments import CopyInputs, CopyOutputs, declared
from pulumi_huaweicloud_cbr.resources._forms.inputs import (
    DEFAULTS,
    NOT_CHECKED,
    aim_of,
    all_unchecked,
    declared_as,
    failures_of,
    limits,
    may_look_before_replacing,
    missing_source_region,
    unchecked,
    with_defaults,
)
from pulumi_huaweicloud_cbr.resources._forms.owners import HELD, owners_of, remedy_for_last_copy


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
        failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        if not failures and not unknown & {"backup_id", "destination_region"}:
            operation.note_claimed(urn, [(inputs["backup_id"], inputs["destination_region"])])
        if not failures and not olds:
            failures, resolved = self._preflight(session, inputs, unknown)
            inputs |= resolved
        # Unknown inputs stay as they are: the engine replaces them when they are known.
        return CheckResult({**inputs, **{field: news[field] for field in unknown}}, failures)

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
        previews. All inputs but `name`, `enable_acceleration`, `adopt` and `preflight` replace. An
        unfinished copy is looked up, so that a failed one is planned again.
        """
        operation, urn = current_operation(), current_call().urn
        asked_for = operation.reason_of_diff(urn)
        state, _ = split_unknown(_olds)
        declared, unknown = split_unknown(_news)
        difference = decide_diff(state, declared, unknown)
        # After a diff that replaces, the engine checks the new resource without any old inputs.
        if not difference.replaces and self._must_be_redone(state, declared):
            operation.note_diff(urn, asked_for, [_id], is_replaced=True)
            return DiffResult(changes=True, replaces=["status"], delete_before_replace=True)
        if difference.replaces:
            self._require_source(state, declared, frozenset(difference.replaces) & unknown)
        operation.note_diff(urn, asked_for, [_id], is_replaced=bool(difference.replaces))
        return DiffResult(
            changes=not difference.is_empty,
            replaces=list(difference.replaces),
            delete_before_replace=difference.is_delete_first,
        )

    def _require_source(
        self, state: dict[str, Any], declared: dict[str, Any], is_open: frozenset[str]
    ) -> None:
        """Refuse to replace a replica that could not be made again.

        With preflight ``error``, the check of the new resource does this. If another backup is
        declared, the replica of the old one is no longer wanted. An unknown input may be unchanged.

        Raises:
            ConflictError: the source backup is gone, and the replica exists or is being copied.
        """
        mode = declared.get("preflight")
        is_other = declared.get("backup_id") != state.get("backup_id")
        if mode == "error" or is_other or is_open or _from_state(state).has_failed:
            return
        session = self.open()
        if not may_look_before_replacing(session, mode, is_open=False):
            return
        standing, tracked = session.run(_refresh_anew(session, state))
        if tracked.source_deleted and standing not in TO_BE_REDONE:
            raise ConflictError(
                f"replacing {tracked}: source backup ({tracked.backup_id}) is gone, so that its "
                "replica would be deleted and could not be made again",
                remedy="leave the resource as it is, or remove it if nobody wants the replica any "
                "more",
            )

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
        if standing is Standing.FAILED:
            tell(f"{tracked} failed ({tracked.failure}), so the backup will be copied again")
        elif standing in LOST:
            tell(
                f"the replica of {tracked} is {standing.value}, so the backup will be copied again"
            )
        elif standing is Standing.UNKNOWN:
            warn(_not_known(tracked))
        return standing in TO_BE_REDONE

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Submit the copy, or adopt an existing one; return without waiting for it."""
        from pulumi_huaweicloud_cbr.replication.submit import IncompleteError

        inputs, _ = split_unknown(props)
        session = self.open()
        try:
            tracked = session.run(_create(session, inputs))
        except IncompleteError as error:
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
        state, _ = split_unknown(props)
        session = self.open()
        standing, tracked = session.run(_refresh(session, {**state, "replication_record_id": id_}))
        if standing in LOST:
            tell(
                f"the replica of {tracked} is {standing.value}: dropped from the state; the next "
                "pulumi up copies the backup again"
            )
            return ReadResult("", {})
        if standing is Standing.UNKNOWN:
            warn(_not_known(tracked))
        if standing is Standing.FAILED:
            warn(
                f"{tracked} failed ({tracked.failure}); the next pulumi up copies the backup again"
            )
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
        session = self.open()
        region, backup_id, record_id = _split_import_id(id_, session.settings.region)
        tracked = session.run(_find(session, region, backup_id, record_id))
        declared = {**DEFAULTS, "name": tracked.replica_name}
        outputs = _to_state(declared, tracked)
        return ReadResult(record_id, outputs, _inputs_of(outputs))

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Rename the replica. All other in-place changes affect only the state."""
        state, _ = split_unknown(_olds)
        inputs, _ = split_unknown(_news)
        tracked = _from_state({**state, "replication_record_id": _id})
        name = inputs.get("name")
        if name is not None and name != state.get("name"):
            session = self.open()
            tracked = session.run(_rename(session, tracked, name))
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
        state, _ = split_unknown(_props)
        session = self.open()
        tracked = _from_state({**state, "replication_record_id": _id})
        operation, urn = current_operation(), current_call().urn
        # If another backup is declared, the replica of the old one is no longer wanted.
        declared = operation.backups_claimed(urn)
        is_same = not declared or tracked.backup_id.lower() in declared
        is_replaced = is_same and operation.is_replaced(urn)
        session.run(_remove(session, tracked, is_replaced=is_replaced))


def _not_known(tracked: TrackedReplication) -> str:
    return (
        f"{tracked} has status {tracked.status!r}, which this version does not know: left as it "
        "is; look at it in the CBR console"
    )


async def _judge(
    session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]
) -> tuple[list[Finding], Mapping[str, str]]:
    """Ask the API whether it would accept the copy; return findings and the projects' ids."""
    from pulumi_huaweicloud_cbr.replication.preflight.backup import run_preflight

    client = session.client()
    if "source_project_id" in unknown:
        return [], {}
    verdict = await run_preflight(
        client, aim_of(inputs, unknown), inputs.get("backup_id"), session.project_id
    )
    for note in verdict.notes:
        tell(note)
    return [*verdict.findings, *all_unchecked(verdict.faults)], verdict.resolved


async def _create(session: Session, inputs: dict[str, Any]) -> TrackedReplication:
    from pulumi_huaweicloud_cbr.replication.submit import submit_or_adopt

    desired = DesiredReplication(
        source=await session.scope(inputs["source_region"], inputs.get("source_project_id")),
        destination=await session.scope(
            inputs["destination_region"], inputs.get("destination_project_id")
        ),
        **declared_as(DesiredReplication, inputs),
    )
    return await submit_or_adopt(session.client(), desired, EngineReporter(), limits())


def _split_import_id(identifier: str, region: str | None) -> tuple[str, str, str]:
    parts = identifier.split("/")
    if len(parts) == 2 and region is not None:
        parts = [region, *parts]
    if len(parts) != 3 or not all(parts):
        raise ConfigurationError(
            f"importing {identifier!r}: this is not a valid id of a replication",
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


async def _remove(session: Session, tracked: TrackedReplication, *, is_replaced: bool) -> None:
    from pulumi_huaweicloud_cbr.replication.one import remove, remove_replaced

    owners = await owners_of(session, {"": tracked})
    for error in owners.failed.values():
        raise error
    if (owner := owners.done[""]) is not None:
        reason = (
            "a resource has adopted it"
            if owner == HELD
            else "another resource of the program declares it"
        )
        tell(f"{tracked}: the replica stays, since {reason}")
        return
    api, report = session.client(), EngineReporter()
    if is_replaced:
        remedy = remedy_for_last_copy()
        await remove_replaced(api, tracked, report, limits(), remedy=remedy)
    else:
        await remove(api, tracked, report, limits())


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
        "replication_record_id": tracked.replication_record_id,
        "provider_id": tracked.provider_id,
        "status": tracked.status,
        "destination_backup_id": tracked.destination_backup_id,
        "destination_checkpoint_id": tracked.destination_checkpoint_id,
        "created_at": tracked.created_at,
        "source_deleted": tracked.source_deleted,
        "source_resource_id": tracked.source_resource_id,
    }
    if state["name"] is not None and tracked.replica_name is not None:
        # Only a declared name is compared: a name that CBR chose is not drift.
        state["name"] = tracked.replica_name
    return {field: value for field, value in state.items() if value is not None}


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


@dataclass
class BackupReplicationArgs:
    """The inputs of `BackupReplication`.

    An input without a default is required. A change that replaces makes a new copy and deletes the
    old replica.

    Args:
        backup_id: the backup to copy, a UUID. A change replaces.
        destination_region: the region to copy to, such as ``cn-east-3``. A change replaces.
        destination_vault_id: a vault of protect_type ``replication`` there. A change replaces.
        destination_project_id: default: the project named like the region. A change replaces.
        name: the replica's name: 1 to 64 letters, digits, CJK, ``_`` or ``-``. Default: CBR's
            choice. A change renames the replica. Removing it changes nothing.
        description: the replica's: at most 255 characters without ``<`` and ``>``. Default: CBR's
            choice. A change replaces, since CBR cannot change it. Removing it changes nothing.
        enable_acceleration: copy faster, at extra cost. Default: false. A change affects later
            copies only.
        source_region: the backup's region. Default: ``huaweicloud:region``. A change replaces.
        source_project_id: default: ``huaweicloud:projectId`` in ``huaweicloud:region``, else the
            project named like the region. A change replaces.
        adopt: take over a matching replica or running copy, instead of failing. Default: true. A
            change affects later copies only.
        preflight: ask the API in previews whether it will accept the copy. ``error`` fails if it
            will not, ``warn`` warns, ``off`` does not ask. Default: ``error``. A change
            affects only the state.

    Source: CBR API reference, CopyBackup.
    """

    backup_id: pulumi.Input[str]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    name: pulumi.Input[str] | None = None
    description: pulumi.Input[str] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool] | None = None
    preflight: pulumi.Input[str] | None = None


class BackupReplicationInputs(CopyInputs, total=False):
    """The inputs of `BackupReplicationArgs`, as keywords."""

    backup_id: Required[pulumi.Input[str]]
    name: pulumi.Input[str] | None
    description: pulumi.Input[str] | None


class BackupReplication(CopyOutputs, Resource, module="huaweicloud_cbr", name="BackupReplication"):
    """One copy of one CBR backup in another region.

    Creating it submits the copy and returns. `status` is the last observed status, and ``pulumi
    refresh`` observes it again. Deleting it deletes the replica.
    """

    backup_id: pulumi.Output[str]
    name: pulumi.Output[str | None]
    description: pulumi.Output[str | None]
    replication_record_id: pulumi.Output[str]
    """The replication record of the copy; also the resource's id."""
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
    source_deleted: pulumi.Output[bool]
    """Whether the source backup is gone; the replica remains."""
    source_resource_id: pulumi.Output[str | None]
    """The server or file system that was backed up."""

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

    @overload
    def __init__(
        self,
        resource_name: str,
        args: BackupReplicationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[BackupReplicationInputs],
    ) -> None: ...

    def __init__(self, resource_name: str, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, BackupReplicationArgs, resource_name, positional, keywords)
        outputs: dict[str, Any] = dict.fromkeys(_OUTPUTS)
        super().__init__(BackupReplicationProvider(), resource_name, {**inputs, **outputs}, opts)


_OUTPUTS = (
    "replication_record_id",
    "provider_id",
    "status",
    "destination_backup_id",
    "destination_checkpoint_id",
    "created_at",
    "source_deleted",
    "source_resource_id",
)
