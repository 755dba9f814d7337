"""The form of a set: many backups to one destination, member by member.

The engine's calls are in `reconciler`, and the decisions about members are in `rules.sets`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import field
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.error_codes import CODES_BACKUP_MISSING
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError, NotFoundError
from pulumi_huaweicloud_cbr.base.text import listed, named_ids
from pulumi_huaweicloud_cbr.engine.call import current_call
from pulumi_huaweicloud_cbr.engine.output.messages import EngineReporter, tell, warn
from pulumi_huaweicloud_cbr.engine.output.preview_facts import note
from pulumi_huaweicloud_cbr.engine.ownership.operation import Operation, current_operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.decisions import TO_BE_REDONE
from pulumi_huaweicloud_cbr.replication.rules.facts import member_facts
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import (
    SET_FIELDS,
    check_members,
    check_set_inputs,
)
from pulumi_huaweicloud_cbr.replication.rules.model import (
    DesiredReplication,
    TrackedReplication,
)
from pulumi_huaweicloud_cbr.replication.rules.ownership import (
    Deletion,
    Maker,
    Removal,
    decide_deletion,
)
from pulumi_huaweicloud_cbr.replication.rules.sets.members import (
    Member,
    MemberChanges,
    decide_members,
    relabelled,
)
from pulumi_huaweicloud_cbr.replication.rules.sets.retention import without_default_parts
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
    NOT_CHECKED,
    aim_of,
    all_unchecked,
    declared_as,
    identity_of,
    is_forced,
    limits,
    missing_source_region,
    with_defaults,
)
from pulumi_huaweicloud_cbr.resources._forms.members import (
    SHOWN,
    last_copies_in,
    let_go,
    look,
    look_before_replacing,
    members_failed,
    require_ours,
    resolve,
    warn_of_unknown,
)
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    OtherClaim,
    declared_twice,
    deletion_rules,
    owners_of,
    tell_taken_over,
    with_owners,
)
from pulumi_huaweicloud_cbr.resources._forms.set.declared import (
    is_unknown,
    members_of,
    old_members,
    spelled_as_before,
    split_members,
    to_inputs,
)
from pulumi_huaweicloud_cbr.resources._forms.set.rolling import (
    ages_of_kept,
    is_rolling,
    is_rule_unknown,
    note_rolling,
    place_of,
    replicas_beside,
    split_by_age,
    staying_of,
    tell_why,
    thinned,
    why_leaving,
)
from pulumi_huaweicloud_cbr.resources._forms.state import row_of, tracked_rows

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.replication.many import Results
    from pulumi_huaweicloud_cbr.replication.preflight.backup import Verdict


class DeclaredSet(Declared):
    """A set as declared; `entering` are the members that it does not have yet."""

    members: Mapping[str, Member] = field(default_factory=dict)
    entering: Mapping[str, Member] = field(default_factory=dict)

    def claim(self, operation: Operation, urn: str) -> list[Finding]:
        """Note the copy of each member; return those that another resource declares too."""
        region = self.inputs.get("destination_region")
        if not isinstance(region, str):
            return []
        copies = {
            f'backups["{label}"]': (member.backup_id, region)
            for label, member in self.members.items()
        }
        operation.note_claimed(urn, copies.values())
        return declared_twice(operation, urn, copies)


class SetForm(Form):
    """Members are added, removed and renamed one by one; see `Form`."""

    what = "a set of replications"
    prefix = "set"
    fields = SET_FIELDS
    identity = COORDINATES
    content = ("backups",)
    not_checked = NOT_CHECKED
    if_gone = "the next pulumi up copies again what is still declared"
    if_failed = if_gone
    successor = "another rolling set goes to the same place, and knows only what is listed"

    def declare(
        self,
        known: dict[str, Any],
        unknown: frozenset[str],
        olds: dict[str, Any],
        session: Session,
    ) -> DeclaredSet:
        """Validate the inputs; return the members as labels with ids, or with objects.

        A rolling set includes the members that it keeps, so a preview shows which ones are removed.
        """
        findings = check_set_inputs(*_without_unknown_rule(known, unknown))
        findings += missing_source_region(known, unknown, session)
        inputs = with_defaults(known, unknown, olds, session)
        if "backups" in unknown or findings or is_rule_unknown(known, unknown):
            return DeclaredSet(inputs, findings)
        if "keep" in inputs:
            # A part with its default is left out, so that writing it down is no change.
            inputs["keep"] = without_default_parts(inputs["keep"])
        given, unknown_members = split_members(known["backups"])
        findings += check_members(given, is_rolling=is_rolling(inputs))
        if findings:
            return DeclaredSet(inputs, findings)
        members = spelled_as_before(members_of(given), old_members(olds))
        members = thinned(members, known, inputs, olds)
        inputs["backups"] = {**to_inputs(members), **unknown_members}
        before = {member.backup_id for member in old_members(olds).values()}
        entering = {
            label: member for label, member in members.items() if member.backup_id not in before
        }
        return DeclaredSet(inputs, [], bool(entering), members, entering)

    async def judge(
        self, session: Session, declared: DeclaredSet, unknown: frozenset[str]
    ) -> Judged:
        """Ask the API about all added members at once."""
        return await _judge(session, declared.inputs, unknown, declared.entering)

    def require_replaceable(self, session: Session, change: Change) -> None:
        """Refuse to replace replicas whose source is gone."""
        look_before_replacing(
            session,
            change.rows,
            "replacing a set of replications",
            "leave this set as it is and declare another one for the new destination",
            mode=change.declared.get("preflight"),
            is_open=change.is_open,
        )

    def tell_replacement(self, change: Change) -> None:
        """Report which members the successor has and lacks."""
        if "backups" in change.unknown:
            return
        given, unknown_members = split_members(change.declared["backups"])
        if not unknown_members:
            _tell_changes(decide_members(change.rows, members_of(given)), change.rows, {})

    def require_ours(self, session: Session, change: Change) -> None:
        """Refuse to keep another stack's replicas; members that leave do not count."""
        given, _ = split_members(change.declared.get("backups") or {})
        wanted = {fields.get("backup_id") for fields in given.values()}
        kept = {label: row for label, row in change.rows.items() if row.backup_id in wanted}
        identity = identity_of(session)
        require_ours("planning a set", kept, identity, change.declared.get("adopt"))

    def plan(self, open_session: Callable[[], Session], change: Change) -> Plan | None:
        """Return the removed members; report which are added, removed, renamed or copied again."""
        if "backups" in change.unknown or is_rule_unknown(change.declared, change.unknown):
            return None
        given, unknown_members = split_members(change.declared["backups"])
        rows, lost = _looked_up(open_session, change.rows, change.declared)
        changes = decide_members(rows, members_of(given), lost)
        removed = {label: rows[label] for label in changes.removed}
        staying = _plan_staying(open_session, change, rows, removed)
        going = {label: row for label, row in removed.items() if label not in staying}
        owners = _plan_owners(open_session, change, going)
        alone = {label: row for label, row in going.items() if label not in owners}
        if not unknown_members:
            _require_few(open_session, change, alone, {label: removed[label] for label in staying})
        refused = _require_sources(open_session, change, alone)
        told = tuple(label for label in going if label not in refused)
        whys = why_leaving(removed, change.declared, change.state)
        note(
            member_facts(
                changes, rows, staying=staying, handed_over=owners, refused=refused, whys=whys
            )
        )
        _tell_changes(replace(changes, removed=told), rows, owners)
        tell_why(rows, whys, staying, change.declared)
        changes = replace(changes, removed=tuple(going))
        return Plan(bool(changes or unknown_members), frozenset(going))

    def note_staying(self, change: Change) -> None:
        """Note a rolling set and its replications."""
        note_rolling(change.state, change.rows, is_new=False)

    async def bring_about(
        self, session: Session, state: dict[str, Any], inputs: dict[str, Any]
    ) -> Done:
        """Add and rename members first, then remove members."""
        coordinates, rows, failed = await _bring_about(session, state, inputs)
        if state and is_rolling(inputs):
            staying = ages_of_kept(state, inputs, rows)
            inputs = {**inputs, "backups": {**staying, **inputs["backups"]}}
        return Done(inputs, coordinates, rows, failure=failed)

    def note_created(self, done: Done) -> None:
        """Note a new rolling set, which may be an old one under another name."""
        note_rolling(self.outputs(done), done.rows, is_new=True)

    def outputs(self, done: Done) -> dict[str, Any]:
        """Return the resolved inputs, and a row for each member."""
        return _to_state(done.inputs, done.coordinates, done.rows)

    def is_gone(self, rows: Rows, seen: Rows) -> bool:
        """Whether all members are gone."""
        return bool(rows) and not seen

    def observed(self, state: Mapping[str, Any], rows: Rows, seen: Rows) -> dict[str, Any]:
        """Return the outputs with the members that are left; the inputs have only these too."""
        return _to_state(state, state, {**rows, **seen}, only=seen)

    def may_have_successor(self, state: Mapping[str, Any], rows: Rows) -> bool:
        """Whether another rolling set of this operation may be the same set."""
        records = [row.replication_record_id for row in rows.values()]
        return is_rolling(state) and current_operation().is_rolling_on(place_of(state), records)


def _without_unknown_rule(
    known: Mapping[str, Any], unknown: frozenset[str]
) -> tuple[dict[str, Any], frozenset[str]]:
    """Return the inputs without a `keep` that is known in part: it cannot be checked yet."""
    if not is_unknown(known.get("keep")):
        return dict(known), unknown
    return {field: known[field] for field in known if field != "keep"}, unknown | {"keep"}


def _looked_up(
    open_session: Callable[[], Session], rows: Rows, declared: Mapping[str, Any]
) -> tuple[Rows, list[str]]:
    """Look at unfinished copies; return all rows, and the labels of copies that failed or are gone.

    Raises:
        ConflictError: a copy that was adopted while it ran turned out to be another stack's.
    """
    pending = {label: row for label, row in rows.items() if not row.has_ended}
    if not pending:
        return rows, []
    if declared.get("preflight") == "off":
        tell("preflight is off: not checked how far the copies are by now")
        return rows, []
    session = open_session()
    looked = session.run(look(session, pending))
    if looked.failed:
        error = members_failed("looking how far copies are", len(pending), looked.failed)
        if declared.get("preflight") != "warn":
            raise error
        warn(str(error))
    warn_of_unknown(looked)
    seen = {label: row for label, (_, row) in looked.done.items()}
    identity = identity_of(session)
    require_ours("looking how far copies are", seen, identity, declared.get("adopt"))
    lost = [label for label, (standing, _) in looked.done.items() if standing in TO_BE_REDONE]
    return {**rows, **seen}, lost


def _plan_owners(
    open_session: Callable[[], Session], change: Change, removed: Rows
) -> dict[str, OtherClaim]:
    """Return the removed members that other resources have, or were seen to declare.

    A diff cannot wait for all declarations: the engine checks the next resource only after its
    answer (seen with CLI 3.255).
    """
    if not removed or change.declared.get("preflight") == "off":
        return {}
    session = open_session()
    owners = session.run(owners_of(session, removed, is_plan=True))
    if owners.failed:
        error = members_failed(
            "looking who has the members that leave", len(removed), owners.failed
        )
        if change.declared.get("preflight") != "warn":
            raise error
        warn(str(error))
    return {label: owner for label, owner in owners.done.items() if owner is not OtherClaim.NOBODY}


def _plan_staying(
    open_session: Callable[[], Session], change: Change, rows: Rows, removed: Rows
) -> dict[str, tuple[str, ...]]:
    """Return the removed members of a rolling set that have to stay for now, and why."""
    if not removed or not is_rolling(change.declared):
        return {}
    if change.declared.get("preflight") == "off":
        tell("preflight is off: not looked which newer replicas exist")
        there = {row.destination_backup_id or "": True for row in rows.values() if row.has_ended}
    else:
        session = open_session()
        there = session.run(replicas_beside(session.client(), rows, removed))
    return staying_of(rows, removed, change.declared, change.state, there)


def _require_few(
    open_session: Callable[[], Session], change: Change, going: Rows, staying: Rows
) -> None:
    """Refuse to delete more members than the stack allows for one update.

    Those that leave by age do not count, unless the same update changes how many are kept. What
    another resource has or declares does not count either. Preflight does not matter, except that
    ``off`` asks nobody, so that such members count.

    Args:
        going: members that the update deletes.
        staying: members that leave once newer copies stand for them. If the rule changes, they
            count now: the update that deletes them changes no rule.
    Raises:
        ConflictError: it names the members, and how to delete them nevertheless.
    """
    if not (going or staying) or not change.is_declared:
        return
    limit = open_session().settings.max_deleted_percent
    if limit is None:
        return
    is_same_rule = all(change.declared.get(key) == change.state.get(key) for key in _RETENTION)
    if is_same_rule:
        _, going = split_by_age(going, change.declared, change.state)
    else:
        going = {**going, **staying}
    # A failed copy has no replica, and what left in an earlier update was allowed then.
    deleted = [label for label, row in going.items() if not (row.is_leaving or row.has_failed)]
    former = [row for row in change.rows.values() if not row.is_leaving]
    from pulumi_huaweicloud_cbr.config.rules import fault_of_deletions

    if fault := fault_of_deletions(limit, deleted, len(former)):
        raise ConflictError(fault.reason, remedy=fault.remedy)


_RETENTION = ("keep_newest", "keep")
"""The inputs that decide by age which members stay."""


def _require_sources(
    open_session: Callable[[], Session], change: Change, removed: Rows
) -> frozenset[str]:
    """Refuse to delete last copies, as the deletion itself would; so a preview tells it.

    Returns:
        If this only warns: all removed members, since `up` then deletes none of them.
    Raises:
        ConflictError: it names them.
    """
    mode = change.declared.get("preflight")
    _, removed = split_by_age(removed, change.declared, change.state)
    if not removed or mode == "off":
        return frozenset()
    session = open_session()
    is_wanted = "force_destroy" in change.unknown or is_forced(change.declared)
    rules = deletion_rules(
        session, Removal.REMOVED, is_forced=is_forced(change.state) and is_wanted
    )
    if not rules.spares_last_copy:
        return frozenset()
    looked = session.run(look(session, removed))
    last = {label: looked.done[label][1] for label in sorted(last_copies_in(looked))}
    last = {
        label: row
        for label, row in last.items()
        if decide_deletion(rules, row.seen_owner, row.owner, is_source_gone=True) is Deletion.REFUSE
    }
    if not last:
        return frozenset()
    reason = (
        f"members that leave: the source backups of {listed(last)} are gone, so their replicas "
        f"({named_ids(row.destination_backup_id or '' for row in last.values())}) are "
        "the last copies and would be deleted"
    )
    if mode != "warn":
        raise ConflictError(reason, remedy=rules.remedy)
    warn(f"{reason}; pulumi up refuses that, and deletes no replica of a removed member")
    return frozenset(removed)


def _tell_changes(changes: MemberChanges, rows: Rows, owners: Mapping[str, OtherClaim]) -> None:
    """Report what an update would do with the members.

    Args:
        owners: the removed members that other resources have or declare.
    """
    removed: dict[OtherClaim | None, list[str]] = {owner: [] for owner in (*_REMOVED, None)}
    for label in changes.removed:
        removed[owners.get(label)].append(label)
    for verb, labels in (
        ("enter, to be copied or adopted", changes.added),
        (
            "leave, to be deleted unless later resources declare them",
            removed[None],
        ),
        *((words, removed[owner]) for owner, words in _REMOVED.items()),
        ("will be renamed", changes.renamed),
        ("failed or are gone, and will be copied again", changes.redone),
    ):
        if labels and rows:
            tell(f"members that {verb}: {listed(labels)}")


_REMOVED = {
    OtherClaim.HAS_IT: "leave, and whose replicas stay with the resources that have them",
    OtherClaim.DECLARES_IT: "leave when the resources that declare them have their replicas",
}


# -- work on the session's loop -------------------------------------------------------------------


async def _judge(
    session: Session,
    inputs: Mapping[str, Any],
    unknown: frozenset[str],
    entering: Mapping[str, Member],
) -> Judged:
    """Ask the API whether it would accept all added members."""
    from pulumi_huaweicloud_cbr.replication.preflight.backup import facts_of, run_preflights

    backup_ids = [member.backup_id for member in entering.values()]
    verdicts = await run_preflights(
        session.client(), aim_of(session, inputs, unknown), backup_ids, session.project_id
    )
    by_label = dict(zip(entering, verdicts, strict=True))
    adopted = [label for label, verdict in by_label.items() if verdict.notes]
    if adopted:
        tell(f"will be adopted, so that nothing is copied: {listed(adopted)}")
    others = [
        label
        for label, verdict in by_label.items()
        if verdict.maker in (Maker.SOMEBODY, Maker.ANOTHER_STACK)
    ]
    tell_taken_over(others)
    note(facts_of(by_label, verdicts))
    # All share source and destination.
    return Judged(_summed_up(by_label, inputs), verdicts[0].resolved)


def _summed_up(by_label: Mapping[str, Verdict], inputs: Mapping[str, Any]) -> list[Finding]:
    """Return the findings about all members; those that are the same for many appear once."""
    findings: dict[tuple[str, str], Finding] = {}
    doubts = 0
    for label, verdict in by_label.items():
        for finding in verdict.findings:
            # The room that a single copy needs says little; the sum is checked below.
            is_room = finding.field == "destination_vault_id" and not finding.is_certain
            if is_room and verdict.free_gb is not None:
                continue
            is_members = finding.field in ("backup_id", "adopt")
            field = f'backups["{label}"]' if is_members else finding.field
            if is_members and not finding.is_certain:
                doubts += 1
                if doubts > SHOWN:
                    continue
            findings.setdefault((field, finding.reason), replace(finding, field=field))
    if doubts > SHOWN:
        reason = f"{doubts - SHOWN} more doubts of this kind about other members"
        findings["backups", reason] = Finding("backups", reason, is_certain=False)
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
    """Add and rename members first, then remove members.

    Returns:
        The coordinates, the members as they are now by their new labels, and the error.
    """
    source, destination, coordinates = await resolve(session, inputs)
    wanted = members_of(split_members(inputs["backups"])[0])
    old, lost = await _seen_anew(
        session,
        tracked_rows({**coordinates, "members": state.get("members", {})}),
        inputs.get("adopt"),
    )
    changes = decide_members(old, wanted, lost)
    # By backup: an added member may have the label of a removed one.
    known = {row.backup_id: row for row in old.values()}
    entering = {label: wanted[label] for label in (*changes.added, *changes.redone)}
    submitted = await _submit(session, (source, destination), inputs, entering, known)
    renamed = await _rename(
        session,
        {label: (known[wanted[label].backup_id], wanted[label]) for label in changes.renamed},
    )
    removed, staying = await _let_go(session, state, inputs, old, changes.removed)
    known |= {row.backup_id: row for row in (*submitted.done.values(), *renamed.done.values())}
    for label in changes.removed:
        if label in staying or label in removed.failed:
            known[old[label].backup_id] = replace(old[label], is_leaving=True)
        else:
            del known[old[label].backup_id]
    for member in wanted.values():
        if member.backup_id in known:
            known[member.backup_id] = replace(known[member.backup_id], is_leaving=False)
    rows = relabelled(known.values(), old, wanted)
    failed = {**submitted.failed, **renamed.failed}
    for label, error in removed.failed.items():
        failed[label if label not in failed else f"{label} (leaving)"] = error
    if not failed:
        return coordinates, rows, None
    doing = f"replicating to region {destination.region!r}"
    total = len(entering) + len(changes.renamed) + len(changes.removed)
    return coordinates, rows, members_failed(doing, total, failed)


async def _let_go(
    session: Session,
    state: Mapping[str, Any],
    inputs: Mapping[str, Any],
    old: Rows,
    removed: Iterable[str],
) -> tuple[Results[None], frozenset[str]]:
    """Delete the replicas of removed members; return also the members that have to stay for now.

    A member that was refused is among the failed ones.
    """
    from pulumi_huaweicloud_cbr.replication.many import MembersFailedError, Results

    leaving = {label: old[label] for label in removed}
    staying: frozenset[str] = frozenset()
    if leaving and is_rolling(inputs):
        there = await replicas_beside(session.client().fresh, old, leaving)
        staying = frozenset(staying_of(old, leaving, inputs, state, there))
    going = {label: row for label, row in leaving.items() if label not in staying}
    rolling, others = split_by_age(going, inputs, state)
    results: Results[None] = Results()
    # It has to be in the state, and the program must not withdraw it in the same run.
    is_all_forced = is_forced(state) and is_forced(inputs)
    for rows, removal in ((rolling, Removal.ROLLED_OFF), (others, Removal.REMOVED)):
        try:
            part, waiting = await let_go(session, rows, removal, is_forced=is_all_forced)
        except (ConflictError, MembersFailedError) as error:
            # Nothing of it was deleted. What was added has to be kept in the state nevertheless.
            results.failed.update(dict.fromkeys(rows, error))
            continue
        results.done.update(part.done)
        results.failed.update(part.failed)
        staying |= frozenset(waiting)
    return results, staying


def _leaving_out(error: Exception) -> Exception:
    """Return the error with a remedy, for a member whose source was deleted before its copy.

    A rolling set keeps members that the program no longer lists. So the user could not remove this
    one.
    """
    if not isinstance(error, NotFoundError) or error.code not in CODES_BACKUP_MISSING:
        return error
    return error.restated(
        remedy="it went before it was copied: run pulumi refresh, then pulumi up, which leaves it "
        "out"
    )


async def _seen_anew(session: Session, rows: Rows, adopt: object) -> tuple[Rows, list[str]]:
    """Refresh unfinished copies; return all members, and the labels of lost ones."""
    pending = {label: row for label, row in rows.items() if not row.has_ended}
    looked = await look(session, pending)
    lost = [label for label, (standing, _) in looked.done.items() if standing in TO_BE_REDONE]
    seen = {**rows, **{label: row for label, (_, row) in looked.done.items()}}
    return with_owners(seen, identity_of(session), adopt), lost


async def _submit(
    session: Session,
    scopes: tuple[ProjectScope, ProjectScope],
    inputs: Mapping[str, Any],
    entering: Mapping[str, Member],
    known: Mapping[str, TrackedReplication],
) -> Results[TrackedReplication]:
    """Submit or adopt members; `known` has the rows so far, by backup."""
    from pulumi_huaweicloud_cbr.replication.many import submit_all

    source, destination = scopes
    desired = {
        label: DesiredReplication(
            backup_id=member.backup_id,
            source=source,
            destination=destination,
            name=member.name,
            identity=identity_of(
                session, [known[member.backup_id].owner] if member.backup_id in known else ()
            ),
            **declared_as(DesiredReplication, inputs),
        )
        for label, member in entering.items()
    }
    submitted = await submit_all(
        session.client(), desired, EngineReporter(), current_call().timeout_s
    )
    for label, tracked in submitted.done.items():
        current_operation().note_held(current_call().urn, [tracked.replication_record_id])
        if not tracked.is_adopted:
            # It was submitted with its name, so there is nothing to rename.
            submitted.done[label] = replace(tracked, replica_name=entering[label].name)
    if is_rolling(inputs):
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
    """Return the outputs: the resolved inputs, and a row for each member.

    Args:
        only: labels of the rows that are left; then the inputs have only these members too.
    """
    state = {field: inputs.get(field) for field in SET_FIELDS}
    state |= {field: coordinates.get(field) for field in COORDINATES}
    members = members_of(split_members(inputs.get("backups") or {})[0])
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
        state["backups"] = to_inputs(observed)
        rows = {label: row for label, row in rows.items() if label in kept}
    state["members"] = {
        label: row_of(row, is_named=label in members and members[label].name is not None)
        for label, row in rows.items()
    }
    return {field: value for field, value in state.items() if value is not None}
