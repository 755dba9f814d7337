"""The form of a set: many backups to one destination, member by member.

The engine's calls are in `reconciler`, and the decisions about members are in `rules.members`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pulumi
from msgspec import field
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.error_codes import CODES_BACKUP_MISSING
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError, ConflictError, NotFoundError
from pulumi_huaweicloud_cbr.base.moments import moment, spelled
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
from pulumi_huaweicloud_cbr.replication.rules.members import (
    Member,
    MemberChanges,
    decide_members,
    keep_newest,
    relabelled,
    rolled_off,
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
from pulumi_huaweicloud_cbr.resources._forms.state import row_of, tracked_rows

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.client import Api
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

        With `keep_newest`, kept members are included, so a preview shows which ones are removed.
        """
        findings = check_set_inputs(known, unknown)
        findings += missing_source_region(known, unknown, session)
        inputs = with_defaults(known, unknown, olds, session)
        if "backups" in unknown or findings:
            return DeclaredSet(inputs, findings)
        given, unknown_members = _split_members(known["backups"])
        findings += check_members(given, is_rolling="keep_newest" in inputs)
        if findings:
            return DeclaredSet(inputs, findings)
        members = _spelled_as_before(_members_of(given), _old_members(olds))
        if (count := inputs.get("keep_newest")) is not None:
            members = keep_newest(members, _kept_so_far(known, olds), int(count))
        inputs["backups"] = {**_to_inputs(members), **unknown_members}
        before = {member.backup_id for member in _old_members(olds).values()}
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
        given, unknown_members = _split_members(change.declared["backups"])
        if not unknown_members:
            _tell_changes(decide_members(change.rows, _members_of(given)), change.rows, {})

    def require_ours(self, session: Session, change: Change) -> None:
        """Refuse to keep another stack's replicas; members that leave do not count."""
        given, _ = _split_members(change.declared.get("backups") or {})
        wanted = {fields.get("backup_id") for fields in given.values()}
        kept = {label: row for label, row in change.rows.items() if row.backup_id in wanted}
        identity = identity_of(session)
        require_ours("planning a set", kept, identity, change.declared.get("adopt"))

    def plan(self, open_session: Callable[[], Session], change: Change) -> Plan | None:
        """Return the removed members; report which are added, removed, renamed or copied again."""
        if "backups" in change.unknown:
            return None
        given, unknown_members = _split_members(change.declared["backups"])
        rows, lost = _looked_up(open_session, change.rows, change.declared)
        changes = decide_members(rows, _members_of(given), lost)
        removed = {label: rows[label] for label in changes.removed}
        staying = _plan_staying(open_session, change, rows, removed)
        going = {label: row for label, row in removed.items() if label not in staying}
        owners = _plan_owners(open_session, change, going)
        alone = {label: row for label, row in going.items() if label not in owners}
        if not unknown_members:
            _require_few(open_session, change, alone)
        refused = _require_sources(open_session, change, alone)
        told = tuple(label for label in going if label not in refused)
        note(member_facts(changes, rows, staying=staying, handed_over=owners, refused=refused))
        _tell_changes(replace(changes, removed=told), rows, owners)
        if staying:
            count = int(change.declared["keep_newest"])
            tell(
                f"stay until enough newer copies have succeeded (keep_newest {count}): "
                f"{listed(sorted(staying))}"
            )
        changes = replace(changes, removed=tuple(going))
        return Plan(bool(changes or unknown_members), frozenset(going))

    def note_staying(self, change: Change) -> None:
        """Note a rolling set and its replications."""
        _note_rolling(change.state, change.rows, is_new=False)

    async def bring_about(
        self, session: Session, state: dict[str, Any], inputs: dict[str, Any]
    ) -> Done:
        """Add and rename members first, then remove members."""
        coordinates, rows, failed = await _bring_about(session, state, inputs)
        if state and "keep_newest" in inputs:
            kept = _ages_of_kept(state, inputs, rows)
            inputs = {**inputs, "backups": {**kept, **inputs["backups"]}}
        return Done(inputs, coordinates, rows, failure=failed)

    def note_created(self, done: Done) -> None:
        """Note a new rolling set, which may be an old one under another name."""
        _note_rolling(self.outputs(done), done.rows, is_new=True)

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
        is_rolling = "keep_newest" in state
        return is_rolling and current_operation().is_rolling_on(_place_of(state), records)


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
) -> frozenset[str]:
    """Return the removed members of a rolling set that have to stay for now."""
    if not removed or "keep_newest" not in change.declared:
        return frozenset()
    if change.declared.get("preflight") == "off":
        tell("preflight is off: not looked which newer replicas exist")
        there = {row.destination_backup_id or "": True for row in rows.values() if row.has_ended}
    else:
        session = open_session()
        there = session.run(_replicas_beside(session.client(), rows, removed))
    return _staying(rows, removed, change.declared, change.state, there)


def _require_few(open_session: Callable[[], Session], change: Change, going: Rows) -> None:
    """Refuse to delete more members than the stack allows for one update.

    Those that leave by age do not count, unless the same update changes how many are kept. What
    another resource has or declares does not count either. Preflight does not matter, except that
    ``off`` asks nobody, so that such members count.

    Raises:
        ConflictError: it names the members, and how to delete them nevertheless.
    """
    if not going or not change.is_declared:
        return
    limit = open_session().settings.max_deleted_percent
    if limit is None:
        return
    is_same_rule = all(change.declared.get(key) == change.state.get(key) for key in _RETENTION)
    if is_same_rule:
        _, going = _split_by_age(going, change.declared, change.state)
    # A failed copy has no replica, and what left in an earlier update was allowed then.
    deleted = [label for label, row in going.items() if not (row.is_leaving or row.has_failed)]
    former = [row for row in change.rows.values() if not row.is_leaving]
    from pulumi_huaweicloud_cbr.config.rules import fault_of_deletions

    if fault := fault_of_deletions(limit, deleted, len(former)):
        raise ConflictError(fault.reason, remedy=fault.remedy)


_RETENTION = ("keep_newest",)
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
    _, removed = _split_by_age(removed, change.declared, change.state)
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


async def _replicas_beside(api: Api, rows: Rows, removed: Rows) -> dict[str, bool]:
    """Return which replicas of a set exist, each with whether it is complete; see `replicas_in`."""
    from pulumi_huaweicloud_cbr.replication.many import replicas_in

    row = next(iter(removed.values()))
    resources = {row.source_resource_id for row in rows.values()}
    return await replicas_in(
        api,
        row.destination,
        row.destination_vault_id,
        resource_id=resources.pop() if len(resources) == 1 else None,
        expected=[row.destination_backup_id for row in removed.values()],
    )


def _split_by_age(
    removed: Rows, declared: Mapping[str, Any], state: Mapping[str, Any]
) -> tuple[Rows, Rows]:
    """Return the members that a rolling set lets go by age, and those that were removed."""
    if "keep_newest" not in declared:
        return {}, removed
    ages = _ages(declared, state)
    rolling = {label: row for label, row in removed.items() if row.backup_id in ages}
    return rolling, {label: row for label, row in removed.items() if label not in rolling}


def _staying(
    rows: Rows,
    removed: Rows,
    declared: Mapping[str, Any],
    state: Mapping[str, Any],
    there: Mapping[str, bool],
) -> frozenset[str]:
    """Return the members that have to stay until enough newer copies have succeeded.

    A member without an age, of a set that was not rolling before, counts as the oldest.

    Args:
        there: the ids of replicas that exist, each with whether it is complete.
    """
    ages = _ages(declared, state)
    succeeded = [
        ages[row.backup_id]
        for row in rows.values()
        if row.backup_id in ages and there.get(row.destination_backup_id or "")
    ]
    leaving = {
        label: ages.get(row.backup_id, Member(row.backup_id)) for label, row in removed.items()
    }
    gone = rolled_off(leaving, succeeded, int(declared["keep_newest"]))
    # What has no replica need not stay. A running copy, or one whose id is late, may become one.
    return frozenset(
        label
        for label, row in removed.items()
        if label not in gone
        and not row.has_failed
        and (row.destination_backup_id is None or row.destination_backup_id in there)
    )


def _ages(declared: Mapping[str, Any], state: Mapping[str, Any]) -> dict[str, Member]:
    """Return the members whose age is known, by backup."""
    return {
        member.backup_id: member
        for given in (state, declared)
        for member in _old_members(given).values()
        if member.created_at
    }


# -- members ------------------------------------------------------------------------------------


def _split_members(backups: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """Return the known members by label, each as an object, and the unknown ones."""
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
    members = {label: Member(**fields) for label, fields in given.items()}
    return {
        label: replace(member, created_at=spelled(member.created_at))
        if member.created_at
        else member
        for label, member in members.items()
    }


def _spelled_as_before(
    members: Mapping[str, Member], former: Mapping[str, Member]
) -> dict[str, Member]:
    """Return members with ids and times as the state has them.

    Another case is not another backup, and another spelling of a time is not another time.
    """
    before = {member.backup_id.lower(): member for member in former.values()}
    return {
        label: _like(member, before.get(member.backup_id.lower(), member))
        for label, member in members.items()
    }


def _like(member: Member, former: Member) -> Member:
    is_same_time = moment(member.created_at) == moment(former.created_at)
    return replace(
        member,
        backup_id=former.backup_id,
        created_at=former.created_at if is_same_time else member.created_at,
    )


def _old_members(olds: Mapping[str, Any]) -> dict[str, Member]:
    given, _ = _split_members(olds.get("backups") or {})
    return _members_of(given)


def _kept_so_far(known: Mapping[str, Any], olds: Mapping[str, Any]) -> dict[str, Member]:
    """Return the members of the set, or of the set that it will replace.

    Args:
        known: the declared inputs, which are equal in both of the engine's calls.
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
    """Return inputs for members that stay although they should be removed, with their ages.

    A refresh turns them into inputs. Without its age, a rolling set could not keep such a member.
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
    wanted = _members_of(_split_members(inputs["backups"])[0])
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
    if leaving and "keep_newest" in inputs:
        there = await _replicas_beside(session.client().fresh, old, leaving)
        staying = _staying(old, leaving, inputs, state, there)
    going = {label: row for label, row in leaving.items() if label not in staying}
    rolling, others = _split_by_age(going, inputs, state)
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
    """Return the outputs: the resolved inputs, and a row for each member.

    Args:
        only: labels of the rows that are left; then the inputs have only these members too.
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
