"""The adoption table (decision record 0025), and what an adoption means for descriptions."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    WAYS_OUT,
    Adopt,
    Attempt,
    AwaitDeletion,
    Refuse,
    Submit,
    consequence,
    decide_create,
    decide_diff,
)
from pulumi_huaweicloud_cbr.replication.rules.inputs import check_room_for_mark
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, Identity
from pulumi_huaweicloud_cbr.replication.rules.ownership import TEXT_LIMIT, Maker, marked

OURS, FORMER, OTHERS = "shop/prod", "shop/old", "shop/test"
SOURCE = ProjectScope("cn-north-4", "north")
EAST = ProjectScope("cn-east-3", "east")
IDENTITY = Identity(OURS, frozenset({FORMER}))


def desired(adopt: bool | str = True, **changes: Any) -> DesiredReplication:
    """Return a copy of backup ``b`` to vault ``v``."""
    given = {"adopt": adopt, "identity": IDENTITY, **changes}
    return DesiredReplication("b", SOURCE, EAST, "v", **given)


def attempt(
    owner: str | None = None,
    *,
    status: str = "success",
    is_shown: bool = True,
    replica_status: str = "available",
    **changes: Any,
) -> Attempt:
    """Return an attempt to copy it there.

    Args:
        owner: as the mark names it; None without a mark.
        is_shown: whether CBR shows the replica.
    """
    given = {
        "destination_region": "cn-east-3",
        "destination_project_id": "east",
        "destination_vault_id": "v",
        "destination_backup_id": "r",
        **changes,
    }
    record = ReplicationRecord(id="rec", status=status, **given)
    if not is_shown:
        return Attempt(record, Replica("r", None) if status == "success" else None)
    description = "weekly" if owner is None else marked("weekly", owner)
    backup = Backup(id="r", status=replica_status, description=description)
    return Attempt(record, Replica("r", backup))


MADE_BY = {
    "this stack": (attempt(OURS), Maker.US),
    "this stack earlier": (attempt(FORMER), Maker.US),
    "this stack, running": (
        attempt(OURS, status="replicating", replica_status="protecting"),
        Maker.US,
    ),
    "another stack": (attempt(OTHERS), Maker.ANOTHER_STACK),
    "another stack, running": (
        attempt(OTHERS, status="replicating", replica_status="protecting"),
        Maker.ANOTHER_STACK,
    ),
    "somebody": (attempt(None), Maker.SOMEBODY),
    "somebody, running": (attempt(None, status="waiting_replicate"), Maker.SOMEBODY),
    "not shown": (attempt(None, status="replicating", is_shown=False), Maker.NOT_SHOWN),
}
ADOPTED = {
    (Maker.US, True): True,
    (Maker.US, False): True,
    (Maker.US, "any"): True,
    (Maker.ANOTHER_STACK, True): False,
    (Maker.ANOTHER_STACK, False): False,
    (Maker.ANOTHER_STACK, "any"): True,
    (Maker.SOMEBODY, True): True,
    (Maker.SOMEBODY, False): False,
    (Maker.SOMEBODY, "any"): True,
    (Maker.NOT_SHOWN, True): True,
    (Maker.NOT_SHOWN, False): False,
    (Maker.NOT_SHOWN, "any"): True,
}


@pytest.mark.parametrize("adopt", [True, False, "any"])
@pytest.mark.parametrize("made_by", MADE_BY)
def test_adoption_table(made_by: str, adopt: bool | str) -> None:
    """Each cell, for a replica that exists and for a copy that runs."""
    found, maker = MADE_BY[made_by]
    assert maker is found.maker(IDENTITY.names)

    decision = decide_create(desired(adopt), [found])

    if ADOPTED[maker, adopt]:
        assert Adopt(found) == decision
        return
    assert isinstance(decision, Refuse)
    assert "adopt" == decision.field
    if maker is Maker.ANOTHER_STACK:
        assert f"belongs to stack '{OTHERS}'" in decision.reason
        assert WAYS_OUT == decision.remedy
    else:
        assert "exists already" in decision.reason
        assert "set adopt to true" in decision.remedy


@pytest.mark.parametrize("adopt", [True, False, "any"])
def test_another_stack_is_named_before_the_place(adopt: bool | str) -> None:
    """A replica of another stack in another vault: no other input helps, so `adopt` is named."""
    found = attempt(OTHERS, destination_vault_id="w", destination_project_id="other")

    decision = decide_create(desired(adopt), [found])

    assert isinstance(decision, Refuse)
    assert ("destination_project_id" if adopt == "any" else "adopt") == decision.field


@pytest.mark.parametrize("owner", [OURS, None])
@pytest.mark.parametrize("adopt", [True, False, "any"])
@pytest.mark.parametrize(
    ("elsewhere", "field"),
    [
        ({"destination_vault_id": "w"}, "destination_vault_id"),
        ({"destination_project_id": "p"}, "destination_project_id"),
    ],
)
def test_replica_elsewhere_is_refused_for_its_place(
    owner: str | None, adopt: bool | str, elsewhere: dict[str, Any], field: str
) -> None:
    """Whoever made it: CBR keeps one replica of a backup per region."""
    decision = decide_create(desired(adopt), [attempt(owner, **elsewhere)])

    assert isinstance(decision, Refuse)
    assert field == decision.field


@pytest.mark.parametrize("owner", [OURS, OTHERS, None])
@pytest.mark.parametrize("adopt", [True, False, "any"])
@pytest.mark.parametrize("status", ["deleting", "waiting_delete"])
def test_replica_that_is_being_deleted_is_awaited(
    owner: str | None, adopt: bool | str, status: str
) -> None:
    """It will be gone, so it does not matter who made it."""
    found = attempt(owner, replica_status=status)

    assert AwaitDeletion(found) == decide_create(desired(adopt), [found])


@pytest.mark.parametrize("adopt", [True, False, "any"])
def test_attempt_without_a_replica_is_passed_over(adopt: bool | str) -> None:
    """A failed copy, and a replica that is gone, stand in nobody's way."""
    failed = attempt(None, status="fail", is_shown=False)
    gone = attempt(None, is_shown=False)
    assert gone.replica is not None

    assert Submit() == decide_create(desired(adopt), [failed, gone])
    decision = decide_create(desired(adopt), [failed, gone, attempt(OURS)])
    assert Adopt(attempt(OURS)) == decision


def test_without_an_owner_of_its_own_a_stack_adopts_what_has_no_mark() -> None:
    """The SDK's plugin may not pass the URN. Then every mark is another stack's."""
    nobody = Identity()

    assert isinstance(decide_create(desired(identity=nobody), [attempt(OURS)]), Refuse)
    assert Adopt(attempt(None)) == decide_create(desired(identity=nobody), [attempt(None)])


def test_without_marks_a_stack_still_knows_its_former_ones() -> None:
    """`markReplicas: false` is about new copies. A mark that exists is still read."""
    silent = Identity(OURS, is_marking=False)

    assert silent.mark_owner is None
    assert desired(identity=silent, description="weekly").request().description == "weekly"
    assert desired(identity=silent).request().description is None
    assert Adopt(attempt(OURS)) == decide_create(desired(False, identity=silent), [attempt(OURS)])


def test_request_carries_the_mark_after_the_text() -> None:
    """The mark alone, if the program gives no text."""
    assert f"weekly [pulumi {OURS}]" == desired(description="weekly").request().description
    assert f"[pulumi {OURS}]" == desired().request().description


@pytest.mark.parametrize(
    ("maker", "words"),
    [
        (Maker.US, ""),
        (Maker.SOMEBODY, "this stack did not make it, but owns it from now on, and destroy"),
        (Maker.ANOTHER_STACK, f"stack '{OTHERS}' made it, and this stack owns it from now on"),
        (Maker.NOT_SHOWN, "CBR does not show yet who made it, so a later run looks"),
    ],
)
def test_consequence_is_said(maker: Maker, words: str) -> None:
    """Only the adoption of the stack's own copy needs no word."""
    assert words == consequence(maker, OTHERS).removeprefix("; ").partition(" deletes")[0]


# -- room for the mark --------------------------------------------------------------------------

ROOM = TEXT_LIMIT - len(f" [pulumi {OURS}]")


@pytest.mark.parametrize(
    ("description", "owner", "is_refused"),
    [
        ("x" * ROOM, OURS, False),
        ("x" * (ROOM + 1), OURS, True),
        ("x" * TEXT_LIMIT, OURS, True),
        ("x" * TEXT_LIMIT, None, False),
        (None, OURS, False),
        (7.0, OURS, False),
    ],
)
def test_room_for_mark(description: object, owner: str | None, is_refused: bool) -> None:
    """The text and the mark share 255 characters; the finding says how many are left."""
    findings = check_room_for_mark(description, owner)

    assert is_refused == bool(findings)
    for finding in findings:
        assert "description" == finding.field
        assert f"at most {ROOM} leave room for the mark '[pulumi {OURS}]'" in finding.reason
        assert "markReplicas 'false'" in finding.reason


# -- descriptions -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "declared", "is_replaced"),
    [
        pytest.param({"description": "a"}, {"description": "a"}, False, id="same"),
        pytest.param({"description": "a"}, {"description": "b"}, True, id="changed"),
        pytest.param({}, {"description": "b"}, True, id="added"),
        pytest.param({"description": "a"}, {}, False, id="left-out"),
        pytest.param(
            {"description": "a", "declared_description": "b"},
            {"description": "b"},
            False,
            id="adopted-with-another",
        ),
        pytest.param(
            {"description": "a", "declared_description": "b"},
            {"description": "c"},
            True,
            id="adopted-then-changed",
        ),
        pytest.param(
            {"description": "a", "declared_description": "b"},
            {"description": "a"},
            False,
            id="adopted-then-declared-as-it-is",
        ),
        pytest.param(
            {"description": "a", "declared_description": "b"}, {}, False, id="adopted-then-left-out"
        ),
        pytest.param(
            {"declared_description": "b"}, {"description": "b"}, False, id="adopted-without-any"
        ),
    ],
)
def test_description_replaces_only_if_the_program_changes_it(
    state: dict[str, object], declared: dict[str, object], is_replaced: bool
) -> None:
    """A text cannot change later. So a difference comes from an adoption, or from the program."""
    same: dict[str, object] = {"backup_id": "b"}

    difference = decide_diff({**same, **state}, {**same, **declared}, frozenset())

    assert (("description",) if is_replaced else ()) == difference.replaces


def test_description_that_is_not_known_replaces() -> None:
    """A preview cannot tell whether it will be another."""
    state: dict[str, object] = {"description": "a", "declared_description": "b"}

    difference = decide_diff(state, {}, frozenset({"description"}))

    assert ("description",) == difference.replaces
