"""`VaultReplication`: all backups of a vault copied to another region, as one Pulumi resource.

The module's path and the name of `VaultReplicationProvider` are state format: the engine stores a
pickle that names them, so neither may ever change.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
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

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError, ConflictError
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.credentials import warn_of_plain_credentials
from pulumi_huaweicloud_cbr.engine.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.operation import DiffOf, VaultClaim, current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.model import DesiredVaultReplication
from pulumi_huaweicloud_cbr.replication.rules.decisions import TO_BE_REDONE
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import VAULT_FIELDS, check_vault_inputs
from pulumi_huaweicloud_cbr.replication.rules.members import listed
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES
from pulumi_huaweicloud_cbr.resources._arguments import read_arguments
from pulumi_huaweicloud_cbr.resources._base import (
    CbrProvider,
    PartialResultError,
    served,
    split_unknown,
)
from pulumi_huaweicloud_cbr.resources._inputs import (
    aim_of,
    all_unchecked,
    missing_source_region,
    unchecked,
    with_defaults,
)
from pulumi_huaweicloud_cbr.resources._members import (
    NOBODYS,
    Rows,
    failures_of,
    look,
    look_before_replacing,
    members_failed,
    not_taken_over,
    remaining,
    remove,
    resolve,
)
from pulumi_huaweicloud_cbr.resources._rows import (
    known_replicas_output,
    row_of,
    scopes_of,
    tracked_rows,
    tracking_output,
)

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.vault import Brought, VaultView

_IDENTITY = ("vault_id", *COORDINATES)
_STATE_ONLY = ("enable_acceleration", "adopt", "preflight")
_NOT_LOOKED = (
    "preflight is off: not looked whether the vault has backups that are not copied yet; set "
    "preflight to 'error' or 'warn' to have new ones copied"
)
_NOT_CHECKED = (
    "preflight is off: not checked whether the two vaults exist and fit, whether CBR copies "
    "between the two regions, how many backups there are to copy, and whether replicas stand in "
    "the way"
)


class VaultReplicationProvider(CbrProvider):
    """Reconciles the copy of a whole vault; stateless but for what it is handed."""

    @served
    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Validate the inputs; ask the API before a create, in previews too."""
        known, unknown = split_unknown(news)
        olds, _ = split_unknown(_olds)
        operation, urn = current_operation(), current_call().urn
        operation.note_checked(urn, is_new=not olds)
        try:
            session = self.open()
        except CbrError as error:
            return CheckResult(known, [CheckFailure("", str(error))])
        findings = check_vault_inputs(known, unknown)
        findings += missing_source_region(known, unknown, session)
        inputs = with_defaults(known, unknown, olds, session)
        failures = [CheckFailure(finding.field, finding.reason) for finding in findings]
        claim = _claim_of(inputs, unknown)
        if claim is not None and not failures:
            operation.note_vault_claimed(urn, claim)
        if not failures and not olds:
            failures, resolved = self._preflight(session, inputs, unknown)
            inputs |= resolved
        return CheckResult({**inputs, **{field: news[field] for field in unknown}}, failures)

    def _preflight(
        self, session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]
    ) -> tuple[list[CheckFailure], Mapping[str, str]]:
        mode = inputs.get("preflight")
        if mode is None or unknown & {"source_region", "source_project_id"}:
            return [], {}
        if mode == "off":
            tell(_NOT_CHECKED)
            return [], {}
        try:
            faults, resolved = session.run(_judge(session, inputs, unknown))
        except CbrError as error:
            faults, resolved = [Finding("", unchecked(error))], {}
        return failures_of(faults, mode), resolved

    @served
    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Say whether there are backups to copy; another vault or destination replaces.

        Every preview looks at the vault, in one request for each thousand backups.
        """
        operation, urn = current_operation(), current_call().urn
        asked_for = operation.reason_of_diff(urn)
        state, _ = split_unknown(_olds)
        declared, unknown = split_unknown(_news)
        replaces = [
            field
            for field in _IDENTITY
            if field in unknown or declared.get(field) not in (None, state.get(field))
        ]
        rows = tracked_rows(state)
        records = [row.replication_record_id for row in rows.values()]
        if replaces:
            # Of a backup there is one replica in a region, and it may have moved between vaults.
            is_delete_first = "destination_region" not in replaces
            self._require_replaceable(state, rows, declared, replaces, unknown)
            operation.note_diff(urn, asked_for, records, is_replaced=True)
            return DiffResult(
                changes=True, replaces=replaces, delete_before_replace=is_delete_first
            )
        is_state_only = any(
            field in unknown or declared.get(field) != state.get(field) for field in _STATE_ONLY
        )
        is_more = self._is_more_to_copy(state, rows, declared)
        operation.note_diff(urn, asked_for, records, is_replaced=False)
        if asked_for is DiffOf.PROGRAM:
            operation.note_vault(_identity_of(state))
        return DiffResult(changes=is_more or is_state_only)

    def _is_more_to_copy(self, state: dict[str, Any], rows: Rows, declared: dict[str, Any]) -> bool:
        """Look at the vault, and tell what `up` will do, and what it cannot."""
        mode = declared.get("preflight")
        left_out = frozenset(state.get("left_out", ()))
        has_failed = any(row.has_failed for row in rows.values())
        if mode == "off":
            tell(_NOT_LOOKED)
            return has_failed
        session = self.open()
        try:
            view = session.run(_look(session, {**state, **declared}, rows))
        except CbrError as error:
            if mode != "warn":
                raise
            warn(unchecked(error))
            return has_failed
        due = view.due_but(left_out)
        found = _found_elsewhere(view, rows) if declared.get("adopt", True) else []
        dropped = view.lost.difference(due, found)
        _tell_plan(view, due, found)
        _tell_dropped(dropped)
        _warn_of_view(view, rows, left_out, declared)
        return bool(due or found or dropped)

    def _require_replaceable(
        self,
        state: dict[str, Any],
        rows: Rows,
        declared: dict[str, Any],
        replaces: list[str],
        unknown: frozenset[str],
    ) -> None:
        """Refuse to delete replicas that could not, or would not, be made again.

        An input that is not known yet may turn out to be the same, so it only makes a warning.

        Raises:
            ConflictError: sources are gone, or not in the vault, or CBR copies to the region once
                only.
            MembersFailedError: some could not be looked at.
        """
        mode = declared.get("preflight")
        is_open = bool(unknown & set(replaces))
        doing = "replacing the replication of a vault"
        beside = "leave this one as it is and declare another one beside it"
        session = self.open()
        looked = look_before_replacing(session, rows, doing, beside, mode=mode, is_open=is_open)
        if looked is None or {"vault_id", "source_region"} & set(replaces):
            return
        live = [
            label for label, (standing, _) in looked.done.items() if standing not in TO_BE_REDONE
        ]
        there = session.run(_look(session, state, rows)).labels if live else {}
        strays = [
            label
            for label in live
            if rows[label].backup_id not in there and not looked.done[label][1].source_deleted
        ]
        nevertheless = "with preflight 'warn' they are deleted nevertheless"
        refusals = []
        if strays:
            reason = (
                f"{doing}: the source backups of {listed(strays)} are not in vault "
                f"({state['vault_id']}) any more, so that their replicas would be deleted and not "
                "be made again"
            )
            refusals.append((reason, f"{beside}; {nevertheless}"))
        if live and "destination_region" not in replaces:
            reason = (
                f"{doing}: the replicas of {_backups(len(live))} in region "
                f"{declared['destination_region']!r} ({listed(live)}) would be deleted, and CBR "
                "does not copy a backup to the same region again with its vault"
            )
            remedy = (
                "leave this one as it is, or declare a BackupReplicationSet for the other vault "
                f"instead; {nevertheless}"
            )
            refusals.append((reason, remedy))
        for reason, remedy in refusals:
            if mode != "warn" and not is_open:
                raise ConflictError(reason, remedy=remedy)
            warn(reason)

    @served
    def create(self, props: dict[str, Any]) -> CreateResult:
        """Adopt what is there and submit what is not; return at submission."""
        inputs, _ = split_unknown(props)
        session = self.open()
        identifier = f"vault-{uuid.uuid4()}"
        coordinates, rows, brought = session.run(_bring_about(session, {}, inputs))
        outputs = _to_state(inputs, coordinates, rows, brought.left_out)
        current_operation().note_made(current_call().urn, ())
        if brought.failure is not None:
            if not rows:
                raise brought.failure
            raise PartialResultError(brought.failure, identifier, outputs) from brought.failure
        if not rows:
            tell(
                "no backup of the vault is copied: none can be at present; later runs of pulumi up "
                "look again"
            )
        return CreateResult(identifier, outputs)

    @served
    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Report the copies as they are; those that are gone are left out."""
        current_operation().note_read(current_call().urn)
        state, _ = split_unknown(props)
        session = self.open()
        rows = tracked_rows(state)
        looked = session.run(look(session, rows))
        seen = remaining(
            rows,
            looked,
            "CBR copies a backup to a region once with its vault; declare a BackupReplication for "
            "each that is to be there again",
            "the next pulumi up copies these again, and drops those that CBR cannot copy any more",
        )
        outputs = _to_state(state, state, seen, state.get("left_out", ()))
        inputs = {field: outputs[field] for field in VAULT_FIELDS if field in outputs}
        return ReadResult(id_, outputs, inputs)

    @served
    def import_state(self, id_: str) -> ReadResult:
        """Refuse; our plugin host calls this on import.

        Raises:
            ConfigurationError: always, with the way to take over what exists.
        """
        raise ConfigurationError(
            f"importing {id_!r}: the replication of a vault has no id in CBR",
            remedy="declare it, and create adopts the replicas that exist",
        )

    @served
    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Submit what is not in the destination yet; nothing is ever deleted."""
        state, _ = split_unknown(_olds)
        inputs, _ = split_unknown(_news)
        session = self.open()
        coordinates, rows, brought = session.run(_bring_about(session, state, inputs))
        outputs = _to_state(inputs, coordinates, rows, brought.left_out)
        if brought.failure is not None:
            raise PartialResultError(brought.failure, _id, outputs) from brought.failure
        return UpdateResult(outputs)

    @served
    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete all replicas and wait until they are gone; those that are gone are fine."""
        state, _ = split_unknown(_props)
        session = self.open()
        rows = tracked_rows(state)
        if current_operation().is_vault_copied(_identity_of(state)):
            rows = self._without_unknown_to_the_other(session, rows)
        results = session.run(remove(session, rows))
        if results.failed:
            raise members_failed("deleting replicas", len(rows), results.failed)

    def _without_unknown_to_the_other(self, session: Session, rows: Rows) -> Rows:
        """Return the rows without those that a resource of another name could not take over.

        It takes over what records tell of that are listed, of backups that are in the vault. Nobody
        asked to lose the other replicas.
        """
        left = not_taken_over(session, rows)
        if left:
            warn(
                "not deleted, since another resource copies the same vault to the same place, and "
                "could not adopt these, because their source backups are gone or in another vault, "
                f"or CBR does not list their replication records any more: {listed(left)}; "
                f"{NOBODYS}"
            )
        return {label: row for label, row in rows.items() if label not in left}


def _claim_of(inputs: Mapping[str, Any], unknown: frozenset[str]) -> VaultClaim | None:
    """Return what a resource claims: the backups of its vault, in its destination.

    With `adopt` false it takes over nothing, so it claims nothing.
    """
    fields = ("source_region", "vault_id", "destination_region", "destination_vault_id")
    if unknown & {*fields, "adopt"} or not inputs.get("adopt", True):
        return None
    values = [inputs.get(field) for field in fields]
    if not all(isinstance(value, str) for value in values):
        return None
    return VaultClaim(*(str(value).lower() for value in values))


# -- what is told ---------------------------------------------------------------------------------


def _identity_of(state: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(state.get(field, "") for field in _IDENTITY)


def _backups(count: int) -> str:
    return "1 backup" if count == 1 else f"{count} backups"


def _tell_plan(view: VaultView, due: Collection[str], found: Collection[str]) -> None:
    """Tell what will be copied and adopted, and what may keep CBR from it."""
    if due:
        tell(f"{_backups(len(due))} will be copied: {listed(due)}")
    if due and view.pending:
        warn(
            f"copies of this vault's backups that are under way: {view.pending}; CBR refuses to "
            "copy a vault again while it is being copied as a whole: if pulumi up ends with error "
            "6130, run it again when these have ended"
        )
    if found:
        tell(f"will be adopted, so that nothing is copied: {listed(found)}")


def _tell_dropped(labels: Collection[str]) -> None:
    """Tell of rows that stand for nothing, so that nobody has to wait for them."""
    if labels:
        tell(
            "dropped from the state, because their copies failed or their replicas are gone, and "
            f"they cannot be copied with the vault at present: {listed(sorted(labels))}"
        )


def _found_elsewhere(view: VaultView, rows: Rows) -> list[str]:
    """Return the backups whose copy was made by somebody else, or by a submission that was lost."""
    return [
        label
        for label, seen in view.held.items()
        if label not in rows or rows[label].replication_record_id != seen.replication_record_id
    ]


def _warn_of_view(
    view: VaultView, rows: Rows, left_out: Iterable[str], inputs: Mapping[str, Any]
) -> None:
    """Tell of backups that this resource does not, or cannot, have copied."""
    region = inputs.get("destination_region")
    if view.spent:
        warn(
            f"not copied, because the replica in region {region!r} was deleted, and CBR copies a "
            f"backup there once with its vault: {listed(view.spent)}; declare a BackupReplication "
            "for each that is to be there again"
        )
    silent = [view.labels[backup_id] for backup_id in left_out if backup_id in view.labels]
    if silent:
        warn(
            f"CBR left out {_backups(len(silent))} when it copied the vault, and told no reason: "
            f"{listed(sorted(silent))}; declare a BackupReplication for each, which copies it or "
            "tells why not"
        )
    if view.elsewhere:
        warn(
            f"not copied, because another vault or project of region {region!r} has the replica, "
            f"and CBR keeps one per region: {listed(view.elsewhere)}"
        )
    if view.unclear:
        warn(
            "not copied, because a replication record has a status that this version does not "
            f"know: {listed(view.unclear)}; look at them in the CBR console"
        )
    if view.doubtful:
        warn(
            f"left as they are: nothing names the replicas of {listed(view.doubtful)} any more, "
            "and the destination vault holds some that could be theirs; look at them in the CBR "
            "console, and delete there what is no longer needed"
        )
    strangers = _found_elsewhere(view, rows)
    if strangers and not inputs.get("adopt", True):
        warn(
            f"in the destination vault, or on the way to it, but not made by this resource: "
            f"{listed(strangers)}; left alone, unless adopt is set to true"
        )


# -- work on the session's loop -------------------------------------------------------------------


async def _judge(
    session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]
) -> tuple[list[Finding], Mapping[str, str]]:
    """Ask the API whether it would accept the copy; return findings, and projects' ids."""
    from pulumi_huaweicloud_cbr.replication.preflight.vault import run_vault_preflight

    verdict = await run_vault_preflight(
        session.client(),
        aim_of(inputs, unknown),
        inputs.get("vault_id"),
        session.project_id,
        EngineReporter(),
    )
    view = verdict.view
    if view is not None:
        _tell_plan(view, view.due, view.held if inputs.get("adopt", True) else ())
        if view.unfit:
            tell(
                "not copied, because they are not available or of a kind that CBR does not copy: "
                f"{listed(view.unfit)}"
            )
        # What stands in the way is among the findings.
        _warn_of_view(replace(view, elsewhere={}, held={}), {}, (), inputs)
    return [*verdict.findings, *all_unchecked(verdict.faults)], verdict.resolved


async def _look(session: Session, state: Mapping[str, Any], rows: Rows) -> VaultView:
    from pulumi_huaweicloud_cbr.replication.vault import look_at_vault

    source, destination = scopes_of(state)
    desired = _desired(state, source, destination)
    return await look_at_vault(session.client(), desired, rows, EngineReporter())


def _desired(
    inputs: Mapping[str, Any], source: ProjectScope, destination: ProjectScope
) -> DesiredVaultReplication:
    return DesiredVaultReplication(
        vault_id=inputs["vault_id"],
        source=source,
        destination=destination,
        destination_vault_id=inputs["destination_vault_id"],
        enable_acceleration=inputs.get("enable_acceleration", False),
        adopt=inputs.get("adopt", True),
    )


async def _bring_about(
    session: Session, state: dict[str, Any], inputs: dict[str, Any]
) -> tuple[dict[str, Any], Rows, Brought]:
    """Have copied what is not in the destination yet.

    Returns:
        The coordinates, the rows as they are now, and what became of the wish.
    """
    from pulumi_huaweicloud_cbr.replication.vault import bring_over

    source, destination, coordinates = await resolve(session, inputs)
    old = tracked_rows({**coordinates, "members": state.get("members", {})})
    left_out = state.get("left_out", ())
    brought = await bring_over(
        session.client(),
        _desired(inputs, source, destination),
        old,
        EngineReporter(),
        left_out=left_out,
        is_new=not state,
        is_strict=inputs.get("preflight") == "error",
    )
    rows = {**old, **brought.rows}
    for label in brought.dropped:
        del rows[label]
    _tell_dropped(brought.dropped)
    operation = current_operation()
    operation.note_vault(_identity_of({**inputs, **coordinates}))
    operation.note_held(row.replication_record_id for row in brought.rows.values())
    adopted = [label for label in _found_elsewhere(brought.view, old) if label in rows]
    if adopted:
        tell(f"adopted {len(adopted)} of {len(rows)} copies: they exist and are not made again")
    _warn_of_view(brought.view, rows, brought.left_out, inputs)
    return coordinates, rows, brought


# -- state --------------------------------------------------------------------------------------


def _to_state(
    inputs: Mapping[str, Any],
    coordinates: Mapping[str, Any],
    rows: Rows,
    left_out: Iterable[str],
) -> dict[str, Any]:
    """Return the outputs: the inputs resolved, and a row for each backup."""
    state = {field: inputs.get(field) for field in VAULT_FIELDS}
    state |= {field: coordinates.get(field) for field in COORDINATES}
    state["members"] = {label: row_of(row, is_named=False) for label, row in rows.items()}
    state["left_out"] = sorted(left_out)
    return {field: value for field, value in state.items() if value is not None}


# -- what programs use --------------------------------------------------------------------------


@dataclass
class VaultReplicationArgs:
    """What the copy of a vault is to be.

    Args:
        vault_id: the vault whose backups to copy. What comes into it is copied by the next `up`;
            what leaves it keeps its replica. Changing it replaces.
        destination_region: the region to copy to. Changing it replaces.
        destination_vault_id: a vault of protect_type ``replication`` there. Changing it replaces.
        destination_project_id: default: the project named like the region. Changing it replaces.
        enable_acceleration: copy faster, at extra cost. Default: false.
        source_region: where the vault is. Default: ``huaweicloud:region``.
        source_project_id: default: ``huaweicloud:projectId``, else the project named like the
            region. Changing it replaces.
        adopt: take over replicas or running copies that match, instead of failing. Default: true.
        preflight: ask the API in previews what it will copy, and whether it will accept:
            ``error``, ``warn`` or ``off``. Default: ``error``.

    Source: CBR API reference, CopyCheckpoint.
    """

    vault_id: pulumi.Input[str]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool] | None = None
    preflight: pulumi.Input[str] | None = None


class VaultReplication(Resource, module="huaweicloud_cbr", name="VaultReplication"):
    """Copies of all backups of a CBR vault in another region.

    Creating it submits the copies and returns; every later `up` submits those of backups that
    have come since. Deleting it deletes the replicas.
    """

    vault_id: pulumi.Output[str]
    destination_region: pulumi.Output[str]
    destination_vault_id: pulumi.Output[str]
    destination_project_id: pulumi.Output[str]
    enable_acceleration: pulumi.Output[bool]
    source_region: pulumi.Output[str]
    source_project_id: pulumi.Output[str]
    adopt: pulumi.Output[bool]
    preflight: pulumi.Output[str]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label, the resource's name and the backup's time: rows as those of
    `BackupReplicationSet`."""
    left_out: pulumi.Output[list[str]]
    """Ids of backups that CBR did not take when the vault was copied, without telling why."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: VaultReplicationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        *,
        vault_id: pulumi.Input[str],
        destination_region: pulumi.Input[str],
        destination_vault_id: pulumi.Input[str],
        destination_project_id: pulumi.Input[str] | None = None,
        enable_acceleration: pulumi.Input[bool] | None = None,
        source_region: pulumi.Input[str] | None = None,
        source_project_id: pulumi.Input[str] | None = None,
        adopt: pulumi.Input[bool] | None = None,
        preflight: pulumi.Input[str] | None = None,
    ) -> None: ...

    def __init__(self, resource_name: str, *positional: Any, **keywords: Any) -> None:
        args, opts = read_arguments(self, VaultReplicationArgs, resource_name, positional, keywords)
        warn_of_plain_credentials()
        inputs = {field.name: getattr(args, field.name) for field in fields(args)}
        super().__init__(
            VaultReplicationProvider(),
            resource_name,
            {**inputs, "members": None, "left_out": None},
            opts,
        )

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """Return what `ReplicationsComplete` waits by."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replica's id by its record's, as far as the state knows it."""
        return known_replicas_output(self.members)
