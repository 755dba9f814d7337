"""Who has the replica of a row: notes of the operation, the stack's state, and marks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import ConflictError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation, current_operation
from pulumi_huaweicloud_cbr.engine.ownership.stack import this_owner
from pulumi_huaweicloud_cbr.engine.ownership.state import Export, UnreadableStateError, use_export
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.model import Identity, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import Removal
from pulumi_huaweicloud_cbr.resources._forms.members import require_ours
from pulumi_huaweicloud_cbr.resources._forms.owners import (
    OtherClaim,
    deletion_rules,
    foreign_replicas,
    is_foreign,
    owners_of,
    with_owner,
)

TYPE = "pulumi-python:dynamic/huaweicloud_cbr:"
ME = f"urn:pulumi:prod::shop::{TYPE}BackupReplicationSet::me"
SHE = f"urn:pulumi:prod::shop::{TYPE}BackupReplication::she"
THEY = f"urn:pulumi:prod::shop::{TYPE}VaultReplication::they"
OURS, FORMER, OTHERS = "shop/prod", "shop/old", "shop/test"
IDENTITY = Identity(OURS, frozenset({FORMER}))
MARKER = "4dabf18193072939515e22adb298388d"
ROW = TrackedReplication(
    backup_id="Abc",
    source=ProjectScope("cn-north-4", "north"),
    destination=ProjectScope("cn-east-3", "east"),
    destination_vault_id="v",
    replication_record_id="r1",
    status="success",
)


# -- marks that are seen ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("recorded", "seen", "adopt", "expected", "is_anothers"),
    [
        (None, None, True, None, False),
        (None, OURS, True, OURS, False),
        (None, OURS, False, OURS, False),
        (None, FORMER, True, FORMER, False),
        (None, OTHERS, True, None, True),
        (None, OTHERS, False, None, True),
        (None, OTHERS, "any", OTHERS, False),
        (OURS, None, True, OURS, False),
        (OTHERS, OTHERS, True, OTHERS, False),
        (OURS, OTHERS, True, OURS, True),
        (OURS, OTHERS, "any", OURS, True),
        (OTHERS, OURS, True, OTHERS, False),
    ],
)
def test_mark_that_is_seen_later(
    recorded: str | None,
    seen: str | None,
    adopt: bool | str,
    expected: str | None,
    is_anothers: bool,
) -> None:
    """It is recorded once, if it is this stack's or `any` takes it over. Else it is foreign."""
    row = with_owner(replace(ROW, owner=recorded, seen_owner=seen), IDENTITY, adopt)

    assert expected == row.owner
    assert is_anothers == is_foreign(row, IDENTITY)


def test_foreign_replicas_are_refused_by_label() -> None:
    """Only those of another stack are named, each with its stack."""
    rows = {
        "ours": replace(ROW, seen_owner=OURS),
        "web": replace(ROW, seen_owner=OTHERS),
        "no mark": ROW,
    }

    with pytest.raises(ConflictError) as caught:
        require_ours("looking", rows, IDENTITY, True)

    assert "looking: the replicas belong to other stacks: 'web' of stack 'shop/test'" in str(
        caught.value
    )
    assert "ours" not in str(caught.value)
    require_ours("looking", rows, IDENTITY, "any")


def test_foreign_replica_of_a_single_one_has_no_label() -> None:
    """The resource is known, so only the stack is named."""
    error = foreign_replicas("looking", {"": replace(ROW, seen_owner=OTHERS)})

    assert str(error).startswith("looking: its replica belongs to stack 'shop/test'")


# -- the stack's name and the rules of a deletion -----------------------------------------------


@pytest.mark.parametrize(
    ("urn", "setting", "expected"),
    [
        (ME, None, OURS),
        (ME, "team/a", "team/a"),
        ("", "team/a", "team/a"),
        ("", None, None),
        ("no-urn", None, None),
        ("urn:other:prod::shop::type::name", None, None),
    ],
)
def test_owner_of_this_stack(urn: str, setting: str | None, expected: str | None) -> None:
    """`huaweicloud:owner` takes precedence over the names in the URN."""
    with serving(Call(urn=urn)):
        assert expected == this_owner(Settings.of(owner=setting))


@pytest.mark.parametrize("removal", Removal)
@pytest.mark.parametrize("in_state", [False, True])
@pytest.mark.parametrize("in_settings", [False, True])
def test_rules_are_forced_by_the_state_or_for_one_run(
    removal: Removal, in_state: bool, in_settings: bool
) -> None:
    """A replacement is never forced: its last copy could not be made again."""
    session = Session(Settings.of(force_destroy=in_settings))
    with serving(Call(urn=ME)):
        rules = deletion_rules(session, removal, is_forced=in_state)

    assert frozenset({OURS}) == rules.ours
    spares = {
        Removal.REPLACED: True,
        Removal.REMOVED: not (in_state or in_settings),
        Removal.ROLLED_OFF: False,
    }
    assert spares[removal] == rules.spares_last_copy
    assert ("force_destroy" in rules.remedy) == (removal is not Removal.REPLACED)
    session.close()


def test_rules_of_a_replacement_name_what_was_created() -> None:
    """Once the new copies exist, declaring the old ones again is no remedy."""
    session = Session(Settings.of())
    remedies = []
    for is_made in (False, True):
        begin_operation()
        if is_made:
            current_operation().note_made(ME, [])
        with serving(Call(urn=ME)):
            remedies.append(deletion_rules(session, Removal.REPLACED, is_forced=False).remedy)

    assert "declare again what was declared before" in remedies[0]
    assert "the new copies exist" in remedies[1]
    assert "pulumi state delete" in remedies[1]
    session.close()


# -- other resources of the stack ---------------------------------------------------------------


def entry(urn: str, *record_ids: str, is_secret: bool = False, **more: Any) -> dict[str, Any]:
    """Return a resource of the state with rows."""
    rows: dict[str, Any] = {each: {"replication_record_id": each} for each in record_ids}
    if is_secret:
        rows = {MARKER: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "x"}
    return {"urn": urn, "type": urn.split("::")[2], "outputs": {"members": rows}, **more}


def state_with(*entries: dict[str, Any]) -> Export:
    """Return an export of these resources."""
    document = {"deployment": {"resources": list(entries)}}
    return lambda _urn, _with_secrets: json.dumps(document).encode()


def unreadable(_urn: str, _with_secrets: bool) -> bytes:
    """Export nothing, as without a CLI."""
    raise UnreadableStateError("the pulumi CLI was not found")


@pytest.fixture
def session() -> Iterator[Session]:
    """A session that never sends anything here, in a new operation."""
    begin_operation()
    use_export(state_with())
    opened = Session(Settings.of())
    yield opened
    opened.close()


def owner_of(session: Session, *, urn: str = ME, is_plan: bool = False) -> OtherClaim:
    """Return who else has the replica of the row."""
    with serving(Call(urn=urn)):
        owners = asyncio.run(owners_of(session, {"x": ROW}, is_plan=is_plan))
    assert {} == owners.failed
    return owners.done["x"]


def test_nobody_else_has_it(session: Session) -> None:
    """The resource itself, in the state and in the notes, never counts."""
    use_export(state_with(entry(ME, "r1"), entry(SHE, "r2")))
    current_operation().note_held(ME, ["r1"])
    current_operation().note_claimed(ME, [("abc", "cn-east-3")])

    assert OtherClaim.NOBODY is owner_of(session)


@pytest.mark.parametrize("is_plan", [False, True])
def test_entry_of_the_state_has_it(session: Session, is_plan: bool) -> None:
    """With `--target`, the engine does not visit that resource, but the state has it."""
    use_export(state_with(entry(ME, "r1"), entry(THEY, "r1")))

    assert OtherClaim.HAS_IT is owner_of(session, is_plan=is_plan)


def test_second_owner_of_the_state_does_not_leave_it_to_the_first(session: Session) -> None:
    """Both are deleted, so one of them deletes the replica. A plan gives nothing up."""
    use_export(state_with(entry(ME, "r1"), entry(THEY, "r1")))

    assert OtherClaim.HAS_IT is owner_of(session, urn=THEY, is_plan=True)
    assert OtherClaim.HAS_IT is owner_of(session, urn=ME)
    assert OtherClaim.NOBODY is owner_of(session, urn=THEY)


@pytest.mark.parametrize(
    ("is_plan", "owner"), [(False, OtherClaim.HAS_IT), (True, OtherClaim.NOBODY)]
)
def test_leftover_of_a_replacement_leaves_it_to_its_successor(
    session: Session, is_plan: bool, owner: OtherClaim
) -> None:
    """Both have the same URN. A plan is about the successor, which leaves nothing to the leftover.

    The export does not tell which of them is deleted: the first one leaves it to the other.
    """
    use_export(state_with(entry(ME, "r1"), entry(ME, "r1", delete=True)))

    assert owner is owner_of(session, is_plan=is_plan)


def test_leftover_alone_is_deleted(session: Session) -> None:
    """Its successor copies another backup."""
    use_export(state_with(entry(ME, "r2"), entry(ME, "r1", delete=True)))

    assert OtherClaim.NOBODY is owner_of(session)


def test_secret_rows_are_read_too(session: Session) -> None:
    """The second export has them in plain text."""

    def export(_urn: str, with_secrets: bool) -> bytes:
        return state_with(entry(THEY, "r1", is_secret=not with_secrets))(_urn, with_secrets)

    use_export(export)

    assert OtherClaim.HAS_IT is owner_of(session)


@pytest.mark.parametrize("is_replaced", [False, True])
def test_unreadable_state_leaves_the_notes(
    session: Session, capfd: pytest.CaptureFixture[str], is_replaced: bool
) -> None:
    """Then a resource that its diff kept is deleted only as the leftover of a replacement."""
    use_export(unreadable)
    current_operation().note_held(ME, ["r1"])
    if is_replaced:
        current_operation().note_replaced(ME, ["r1"])

    assert (OtherClaim.NOBODY if is_replaced else OtherClaim.HAS_IT) is owner_of(session)
    assert "not looked in the stack's state" in capfd.readouterr().err


def test_unreadable_state_and_no_note_is_nobody(
    session: Session, capfd: pytest.CaptureFixture[str]
) -> None:
    """The look before the deletion decides alone, and this is said."""
    use_export(unreadable)

    assert OtherClaim.NOBODY is owner_of(session)
    assert "the pulumi CLI was not found" in capfd.readouterr().err


def test_without_a_urn_no_state_is_asked(session: Session) -> None:
    """Nothing tells which stack it is, and which notes are one's own."""
    use_export(state_with(entry(THEY, "r1")))

    assert OtherClaim.NOBODY is owner_of(session, urn="")
    current_operation().note_held("", ["r1"])
    assert OtherClaim.HAS_IT is owner_of(session, urn="")


def test_note_of_the_operation_needs_no_state(session: Session) -> None:
    """What this operation has created is not in the state yet."""
    asked: list[str] = []

    def export(urn: str, _: bool) -> bytes:
        asked.append(urn)
        return b"{}"

    use_export(export)
    current_operation().note_held(SHE, ["r1"])

    assert OtherClaim.HAS_IT is owner_of(session)
    assert [] == asked


def test_declared_copy_is_not_had_yet(session: Session) -> None:
    """Ids are compared without regard to case. What the state has comes first."""
    current_operation().note_claimed(SHE, [("ABC", "cn-east-3")])

    assert OtherClaim.DECLARES_IT is owner_of(session)
    begin_operation()
    current_operation().note_claimed(SHE, [("ABC", "cn-south-1")])
    assert OtherClaim.NOBODY is owner_of(session)
    current_operation().note_claimed(SHE, [("ABC", "cn-east-3")])
    use_export(state_with(entry(THEY, "r1")))
    assert OtherClaim.HAS_IT is owner_of(session)
