"""The form of an entire vault: all its backups to one destination, as CBR takes them.

An update never deletes a replica. The engine's calls are in `reconciler`, and the rules of a
vault's copy are in `replication.vault`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError
from pulumi_huaweicloud_cbr.base.text import listed
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.output.preview_facts import are_wanted, note
from pulumi_huaweicloud_cbr.engine.ownership.operation import (
    Operation,
    VaultClaim,
    current_operation,
)
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    TO_BE_REDONE,
    WAYS_OUT,
    another_stack,
)
from pulumi_huaweicloud_cbr.replication.rules.facts import (
    Fact,
    adoption_fact,
    copy_fact,
    dropped_facts,
    vault_facts,
)
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import VAULT_FIELDS, check_vault_inputs
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredVaultReplication,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import Maker
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES
from pulumi_huaweicloud_cbr.resources._forms.form import (
    Change,
    Declared,
    Done,
    Form,
    Judged,
    Plan,
    Rows,
)
from pulumi_huaweicloud_cbr.resources._forms.inputs import (
    aim_of,
    all_unchecked,
    declared_as,
    identity_of,
    missing_source_region,
    unchecked,
    with_defaults,
)
from pulumi_huaweicloud_cbr.resources._forms.members import (
    look_before_replacing,
    resolve,
    warn_of_doubles,
)
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    foreign_in,
    tell_taken_over,
    vault_declared_twice,
    with_owners,
)
from pulumi_huaweicloud_cbr.resources._forms.state import row_of, scopes_of, tracked_rows

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Vault
    from pulumi_huaweicloud_cbr.replication.vault import VaultView

_NOT_LOOKED = (
    "preflight is off: not looked whether the vault has backups that are not copied yet; set "
    "preflight to 'error' or 'warn' to have new ones copied"
)


class DeclaredVault(Declared):
    """An entire vault as declared."""

    vault_claim: VaultClaim | None = None

    def claim(self, operation: Operation, urn: str) -> list[Finding]:
        """Note the vault: all backups in it are claimed, if no other resource declares them."""
        claim = self.vault_claim
        if claim is None:
            return []
        operation.note_vault_claimed(urn, claim)
        other = operation.vault_claimant_of(claim, besides=urn) if urn else None
        if other is None:
            return []
        return [vault_declared_twice(claim.vault_id, claim.destination_region, other)]


class VaultForm(Form):
    """CBR decides which backups a copy takes. An update never deletes a replica. See `Form`."""

    what = "the replication of a vault"
    prefix = "vault"
    fields = VAULT_FIELDS
    identity = ("vault_id", *COORDINATES)
    not_checked = (
        "preflight is off: not checked whether the two vaults exist and fit, whether CBR copies "
        "between the two regions, how many backups there are to copy, and whether replicas stand "
        "in the way"
    )
    if_gone = (
        "CBR copies a backup to a region once with its vault; declare a BackupReplication for "
        "each that is to be there again"
    )
    if_failed = (
        "the next pulumi up copies these again, and drops those that CBR cannot copy any more"
    )
    successor = (
        "another resource copies the same vault to the same place, and could not adopt these, "
        "because their source backups are gone or in another vault, or CBR does not list their "
        "replication records any more"
    )

    def declare(
        self,
        known: dict[str, Any],
        unknown: frozenset[str],
        olds: dict[str, Any],
        session: Session,
    ) -> DeclaredVault:
        """Complete the inputs; preflight runs before a create only, since `diff` queries later."""
        findings = check_vault_inputs(known, unknown)
        findings += missing_source_region(known, unknown, session)
        inputs = with_defaults(known, unknown, olds, session)
        return DeclaredVault(inputs, findings, not olds, _claim_of(inputs, unknown))

    async def judge(
        self, session: Session, declared: DeclaredVault, unknown: frozenset[str]
    ) -> Judged:
        """Ask the API about the vault, and report what will be copied."""
        return await _judge(session, declared.inputs, unknown)

    def require_replaceable(self, session: Session, change: Change) -> None:
        """Refuse to delete replicas that could not, or would not, be made again.

        CBR copies a backup to a region once with its vault. So a replacement within the region
        would lose the replicas.
        """
        _require_replaceable(session, change)

    def plan(self, open_session: Callable[[], Session], change: Change) -> Plan:
        """Query the vault, in each preview: one request for each thousand backups."""
        is_more = _is_more_to_copy(open_session, change)
        current_operation().note_plan(current_call().urn, is_more=is_more)
        return Plan(is_more)

    def note_staying(self, change: Change) -> None:
        """Note the vault and its destination."""
        current_operation().note_vault(self._identity_of(change.state))

    async def bring_about(
        self, session: Session, state: dict[str, Any], inputs: dict[str, Any]
    ) -> Done:
        """Copy every backup of the vault that the destination lacks. Idempotent."""
        done = await _bring_about(session, state, inputs)
        current_operation().note_vault(self._identity_of({**inputs, **done.coordinates}))
        return done

    def note_created(self, done: Done) -> None:
        """Report it if there was nothing to copy."""
        if not done.rows and done.failure is None:
            tell(
                "no backup of the vault is copied: none can be at present; later runs of pulumi "
                "up look again"
            )

    def outputs(self, done: Done) -> dict[str, Any]:
        """Return the resolved inputs, and a row for each backup."""
        return _to_state(done.inputs, done.coordinates, done.rows, done.left_out)

    def observed(self, state: Mapping[str, Any], rows: Rows, seen: Rows) -> dict[str, Any]:
        """Return the outputs with the copies that are left, even if there are none."""
        return _to_state(state, state, seen, state.get("left_out", ()))

    def may_have_successor(self, state: Mapping[str, Any], rows: Rows) -> bool:
        """Whether another resource of this operation copies the same vault to the same place.

        That one adopts only copies of backups in the vault, by records that are listed. The user
        did not ask to delete the other replicas.
        """
        return current_operation().is_vault_copied(self._identity_of(state))

    def _identity_of(self, state: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(state.get(field, "") for field in self.identity)


def _is_more_to_copy(open_session: Callable[[], Session], change: Change) -> bool:
    """Query the vault; report what `up` will do, and what it cannot do."""
    state, rows, declared = change.state, change.rows, change.declared
    mode = declared.get("preflight")
    left_out = frozenset(state.get("left_out", ()))
    has_failed = any(row.has_failed for row in rows.values())
    if mode == "off":
        tell(_NOT_LOOKED)
        return has_failed
    session = open_session()
    try:
        view = session.run(_look(session, {**state, **declared}, rows))
    except CbrError as error:
        if mode != "warn":
            raise
        warn(unchecked(error))
        return has_failed
    due = view.due_but(left_out)
    identity = identity_of(session)
    # Copies that were adopted while they ran show their marks only now.
    seen = with_owners({**rows, **view.held}, identity, declared.get("adopt"))
    foreign = foreign_in(seen, identity)
    found = _to_adopt(view, rows, declared, foreign)
    dropped = view.lost.difference(due, found)
    _tell_plan(view, due, found)
    note(_facts_of(view, due, found, _vault_to_fill(session, state, due)))
    note(dropped_facts([*dropped, *foreign], rows))
    tell_taken_over([label for label in found if view.held[label].owner is None])
    _tell_dropped(dropped)
    _warn_of_view(view, rows, left_out, declared)
    _warn_of_foreign_rows(foreign)
    return bool(due or found or dropped or foreign.keys() & rows.keys())


def _facts_of(
    view: VaultView, due: Collection[str], found: Collection[str], vault: Vault | None
) -> list[Fact]:
    """Return what a copy of the vault takes, and what is adopted instead."""
    facts = vault_facts(vault)
    facts += [copy_fact(label, view.due[label]) for label in due]
    for label in found:
        row = view.held[label]
        maker = Maker.SOMEBODY if row.owner is None else Maker.US
        facts.append(adoption_fact(label, row.backup_id, maker, row.owner))
    return facts


def _vault_to_fill(
    session: Session, state: Mapping[str, Any], due: Collection[str]
) -> Vault | None:
    """Return the destination vault of an update, if somebody reads how much room it has."""
    from pulumi_huaweicloud_cbr.api.find import find_vault

    if not due or not are_wanted():
        return None
    _, destination = scopes_of(state)
    try:
        return session.run(find_vault(session.client(), destination, state["destination_vault_id"]))
    except CbrError:
        # The report then says that the room is not known.
        return None


def _to_adopt(
    view: VaultView, rows: Rows, inputs: Mapping[str, Any], foreign: Collection[str]
) -> list[str]:
    """Return the copies that an update takes over: not those that other resources declare."""
    others = _of_others(inputs)
    return [
        label
        for label in _found_elsewhere(view, rows)
        if label not in foreign
        and view.held[label].backup_id.lower() not in others
        and _is_adoptable(view, label, inputs)
    ]


def _is_adoptable(view: VaultView, label: str, inputs: Mapping[str, Any]) -> bool:
    from pulumi_huaweicloud_cbr.replication.vault import is_adoptable

    return is_adoptable(view.held[label], inputs.get("adopt", True))


def _of_others(inputs: Mapping[str, Any]) -> frozenset[str]:
    """Return the backups whose copy to the destination another resource declares."""
    region = inputs.get("destination_region")
    if not isinstance(region, str):
        return frozenset()
    return current_operation().backups_of_others(region, besides=current_call().urn)


async def _declared_by_others(session: Session, inputs: Mapping[str, Any]) -> frozenset[str]:
    """Return `_of_others`, once the program has probably declared all resources.

    A diff cannot wait for that: the engine checks the next resource only after its answer (seen
    with CLI 3.255).
    """
    await current_operation().settled(session.client().clock.sleep)
    return _of_others(inputs)


def _warn_of_foreign_rows(foreign: Rows) -> None:
    if foreign:
        named = ", ".join(
            f"{label} ({another_stack(row.seen_owner)})" for label, row in foreign.items()
        )
        warn(f"dropped from the state, since another stack made the replica: {named}")


def _require_replaceable(session: Session, change: Change) -> None:
    state, rows, is_open = change.state, change.rows, change.is_open
    mode = change.declared.get("preflight")
    doing = "replacing the replication of a vault"
    beside = "leave this one as it is and declare another one beside it"
    looked = look_before_replacing(session, rows, doing, beside, mode=mode, is_open=is_open)
    if looked is None or {"vault_id", "source_region"}.intersection(change.replaces):
        return
    live = [label for label, (standing, _) in looked.done.items() if standing not in TO_BE_REDONE]
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
    if live and "destination_region" not in change.replaces:
        reason = (
            f"{doing}: the replicas of {_backups(len(live))} in region "
            f"{change.declared['destination_region']!r} ({listed(live)}) would be deleted, and CBR "
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


def _claim_of(inputs: Mapping[str, Any], unknown: frozenset[str]) -> VaultClaim | None:
    """Return the claim of a resource: the backups of its vault, in its destination.

    With `adopt` false it takes over only copies with a mark of this stack. So it claims nothing.
    """
    fields = ("source_region", "vault_id", "destination_region", "destination_vault_id")
    if unknown & {*fields, "adopt"} or not inputs.get("adopt", True):
        return None
    values = [inputs.get(field) for field in fields]
    if not all(isinstance(value, str) for value in values):
        return None
    return VaultClaim(*(str(value).lower() for value in values))


# -- messages -------------------------------------------------------------------------------------


def _backups(count: int) -> str:
    return "1 backup" if count == 1 else f"{count} backups"


def _tell_plan(view: VaultView, due: Collection[str], found: Collection[str]) -> None:
    """Report what will be copied and adopted, and what may prevent it."""
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
    """Report rows that are dropped because they describe no copy any more."""
    if labels:
        tell(
            "dropped from the state, because their copies failed or their replicas are gone, and "
            f"they cannot be copied with the vault at present: {listed(sorted(labels))}"
        )


def _found_elsewhere(view: VaultView, rows: Rows) -> list[str]:
    """Return the backups with a copy that `rows` lack: by others, or submitted without answer."""
    return [
        label
        for label, seen in view.held.items()
        if label not in rows or rows[label].replication_record_id != seen.replication_record_id
    ]


def _warn_of_view(
    view: VaultView, rows: Rows, left_out: Iterable[str], inputs: Mapping[str, Any]
) -> None:
    """Warn of backups that this resource does not copy, or cannot copy."""
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
    if view.foreign:
        named = ", ".join(f"{label!r}: {refuse.reason}" for label, refuse in view.foreign.items())
        warn(f"not copied, because another stack has the replica: {named}; {WAYS_OUT}")
    if view.elsewhere:
        warn(
            f"not copied, because another vault or project of region {region!r} has the replica, "
            f"and CBR keeps one per region: {listed(view.elsewhere)}"
        )
    if view.unclear:
        warn(
            "not copied, because a replication record has a status that CBR does not tell, or that "
            f"this version does not know: {listed(view.unclear)}; look at them in the CBR console"
        )
    if view.untold:
        warn(
            f"CBR does not tell which copies of {listed(view.untold)} exist, so a copy there is "
            "not seen; CBR itself does not copy a backup twice with its vault"
        )
    warn_of_doubles(region, {label: list(named) for label, named in view.doubled.items()})
    if view.doubtful:
        warn(
            f"left as they are: nothing names the replicas of {listed(view.doubtful)} any more, "
            "and the destination vault holds some that could be theirs; look at them in the CBR "
            "console, and delete there what is no longer needed"
        )
    found = _found_elsewhere(view, rows)
    not_adopted = [label for label in found if not _is_adoptable(view, label, inputs)]
    if not_adopted:
        warn(
            f"in the destination vault, or on the way to it, but not made by this resource: "
            f"{listed(not_adopted)}; left alone, unless adopt is set to true"
        )


# -- work on the session's loop -------------------------------------------------------------------


async def _judge(session: Session, inputs: Mapping[str, Any], unknown: frozenset[str]) -> Judged:
    """Ask the API whether it would accept the copy, and report what will be copied."""
    from pulumi_huaweicloud_cbr.replication.preflight.vault import run_vault_preflight

    verdict = await run_vault_preflight(
        session.client(),
        aim_of(session, inputs, unknown),
        inputs.get("vault_id"),
        session.project_id,
        EngineReporter(),
    )
    view = verdict.view
    if view is not None:
        found = _to_adopt(view, {}, inputs, ())
        _tell_plan(view, view.due, found)
        note(_facts_of(view, view.due, found, verdict.vault))
        tell_taken_over([label for label in found if view.held[label].owner is None])
        if view.unfit:
            tell(
                "not copied, because they are not available or of a kind that CBR does not copy: "
                f"{listed(view.unfit)}"
            )
        # Conflicts are among the findings already.
        _warn_of_view(replace(view, elsewhere={}, foreign={}, held={}), {}, (), inputs)
    return Judged([*verdict.findings, *all_unchecked(verdict.faults)], verdict.resolved)


async def _look(session: Session, state: Mapping[str, Any], rows: Rows) -> VaultView:
    from pulumi_huaweicloud_cbr.replication.vault import look_at_vault

    source, destination = scopes_of(state)
    desired = _desired(session, state, source, destination)
    return await look_at_vault(session.client(), desired, rows, EngineReporter())


def _desired(
    session: Session,
    inputs: Mapping[str, Any],
    source: ProjectScope,
    destination: ProjectScope,
) -> DesiredVaultReplication:
    return DesiredVaultReplication(
        source=source,
        destination=destination,
        identity=identity_of(session),
        **declared_as(DesiredVaultReplication, inputs),
    )


async def _bring_about(session: Session, state: dict[str, Any], inputs: dict[str, Any]) -> Done:
    """Adopt and submit what the destination lacks, and report the result."""
    from pulumi_huaweicloud_cbr.replication.vault import replicate_vault

    source, destination, coordinates = await resolve(session, inputs)
    old = tracked_rows({**coordinates, "members": state.get("members", {})})
    left_out = state.get("left_out", ())
    identity = identity_of(session)
    if state and current_operation().has_nothing_to_copy(current_call().urn):
        # Only the state changes, so an outage of the source is no error.
        return Done(inputs, coordinates, with_owners(old, identity, inputs.get("adopt")), left_out)
    brought = await replicate_vault(
        session.client(),
        _desired(session, inputs, source, destination),
        old,
        EngineReporter(),
        left_out=left_out,
        others=lambda: _declared_by_others(session, inputs),
        is_new=not state,
        is_strict=inputs.get("preflight") == "error",
    )
    rows = {**old, **brought.rows}
    for label in brought.dropped:
        del rows[label]
    _tell_dropped(brought.dropped)
    rows = with_owners(rows, identity, inputs.get("adopt"))
    foreign = foreign_in(rows, identity)
    for label in foreign:
        del rows[label]
    _warn_of_foreign_rows(foreign)
    operation, urn = current_operation(), current_call().urn
    operation.note_held(
        urn, (rows[label].replication_record_id for label in brought.rows if label in rows)
    )
    rows = _left_to_others(rows, inputs)
    adopted = [label for label in _found_elsewhere(brought.view, old) if label in rows]
    if adopted:
        tell(f"adopted {len(adopted)} of {len(rows)} copies: they exist and are not made again")
        tell_taken_over([label for label in adopted if rows[label].owner is None])
    _warn_of_view(brought.view, rows, brought.left_out, inputs)
    return Done(inputs, coordinates, rows, brought.left_out, brought.failure)


def _left_to_others(rows: Rows, inputs: Mapping[str, Any]) -> Rows:
    """Return the rows without copies that another resource declares by their backup, and has."""
    operation, urn, others = current_operation(), current_call().urn, _of_others(inputs)
    theirs = [
        label
        for label, row in rows.items()
        if row.backup_id.lower() in others
        and operation.is_held(row.replication_record_id, besides=urn)
    ]
    if theirs:
        tell(f"left to the resources that declare them by their backups: {listed(theirs)}")
    return {label: row for label, row in rows.items() if label not in theirs}


# -- state --------------------------------------------------------------------------------------


def _to_state(
    inputs: Mapping[str, Any],
    coordinates: Mapping[str, Any],
    rows: Rows,
    left_out: Iterable[str],
) -> dict[str, Any]:
    """Return the outputs: the resolved inputs, and a row for each backup."""
    state = {field: inputs.get(field) for field in VAULT_FIELDS}
    state |= {field: coordinates.get(field) for field in COORDINATES}
    state["members"] = {label: row_of(row, is_named=False) for label, row in rows.items()}
    state["left_out"] = sorted(left_out)
    return {field: value for field, value in state.items() if value is not None}
