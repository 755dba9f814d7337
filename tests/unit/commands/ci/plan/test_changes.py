"""What a step does with replicas: each form, each operation, with and without facts."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands.ci.plan.effects import What, Why
from tests.unit.commands.ci.plans import (
    EAST,
    SECRET,
    SET,
    SINGLE,
    SOUTH,
    UNKNOWN,
    VAULT,
    WAIT,
    copy_fact,
    had,
    member_fact,
    members,
    one,
    plan,
    step,
    urn_of,
)

APP = "app-to-cn-east-3"


def counted(*steps: dict[str, Any], **more: Any) -> dict[str, int]:
    """Return how many replicas have which effect."""
    return dict(Counter(effect.what.value for effect in plan(*steps, **more).effects))


@pytest.mark.parametrize(
    ("given", "effects"),
    [
        pytest.param(step("create", new=one()), {"copied": 1}, id="create"),
        pytest.param(step("delete", old=one()), {"deleted": 1}, id="delete"),
        pytest.param(step("same", old=one(), new=one()), {}, id="same"),
        pytest.param(step("import", new=one()), {"adopted": 1}, id="import"),
        pytest.param(step("delete", old=one(), retainOnDelete=True), {"retained": 1}, id="retain"),
        pytest.param(step("delete", old=one(), external=True), {}, id="only read"),
        pytest.param(step("delete", old=one(status="fail")), {}, id="failed copy"),
        pytest.param(
            step("delete", old=one(status="skip", destination_backup_id="r")),
            {"deleted": 1},
            id="skipped copy with a replica",
        ),
        pytest.param(step("update", old=one(), new=one(name="n")), {"renamed": 1}, id="rename"),
        pytest.param(step("update", old=one(name="n"), new=one()), {}, id="name removed"),
        pytest.param(
            step("replace", old=one(), new=one("b-2")), {"deleted": 1, "copied": 1}, id="replace"
        ),
        pytest.param(
            {**step("replace", old=one(), new=one()), "replaceReasons": ["status"]},
            {"copied": 1},
            id="copied again",
        ),
    ],
)
def test_a_single_replication(given: dict[str, Any], effects: dict[str, int]) -> None:
    assert effects == counted(given)


@pytest.mark.parametrize(
    ("old", "new", "effects"),
    [
        pytest.param({"a": "1"}, {"a": "1", "b": "2"}, {"copied": 1}, id="added"),
        pytest.param({"a": "1", "b": "2"}, {"a": "1"}, {"deleted": 1}, id="removed"),
        pytest.param({"a": "1"}, {"b": "1"}, {}, id="only another label"),
        pytest.param({"a": "X-1"}, {"a": "x-1"}, {}, id="another case of the id"),
        pytest.param({"a": "1"}, {"a": "2"}, {"deleted": 1, "copied": 1}, id="another backup"),
        pytest.param({"a": "1"}, {"a": {"backup_id": "1", "name": "n"}}, {"renamed": 1}, id="name"),
        pytest.param(
            {"a": {"backup_id": "1", "status": "fail"}}, {"a": "1"}, {"copied": 1}, id="redone"
        ),
        pytest.param(
            {"a": {"backup_id": "1", "status": "fail"}}, {"b": "2"}, {"copied": 1}, id="no replica"
        ),
    ],
)
def test_the_members_of_a_set(
    old: dict[str, Any], new: dict[str, Any], effects: dict[str, int]
) -> None:
    assert effects == counted(step("update", SET, APP, old=had(old), new=members(new)))


def test_rows_without_a_readable_backup_count_one_by_one() -> None:
    """Two members whose ids are secret are two replicas."""
    rows = {"a": {"backup_id": "[secret]"}, "b": {"backup_id": "[secret]"}}
    found = plan(step("delete", SET, APP, old=had(rows)))

    assert 2 == len(found.of(What.DELETED))


@pytest.mark.parametrize(
    ("fate", "effects"),
    [
        ("deleted", {"deleted": 1}),
        ("stays", {"stays": 1}),
        ("handed over", {"handed over": 1}),
        ("refused", {"deleted": 1}),
        ("nonsense", {"deleted": 1}),
    ],
)
def test_a_fact_tells_what_becomes_of_a_member(fate: str, effects: dict[str, int]) -> None:
    """A member whose fate nobody knows counts as deleted."""
    given = step("update", SET, APP, old=had({"a": "1", "b": "2"}), new=members({"a": "1"}))
    found = plan(given, facts=[member_fact("b", "2", fate)])

    assert effects == dict(Counter(effect.what.value for effect in found.effects))
    assert (fate == "refused") == bool(found.last_copies)


def test_a_fact_about_another_backup_of_that_label_does_not_count() -> None:
    given = step("update", SET, APP, old=had({"a": "1", "b": "2"}), new=members({"a": "1"}))

    assert {"deleted": 1} == counted(given, facts=[member_fact("b", "9", "stays")])


def test_a_lost_member_is_copied_again() -> None:
    given = step("update", SET, APP, old=had({"a": "1"}), new=members({"a": "1"}))
    (effect,) = plan(given, facts=[member_fact("a", "1", "redone")]).effects

    assert (What.COPIED, True) == (effect.what, effect.is_again)


def test_a_set_that_is_replaced_deletes_all_and_copies_all() -> None:
    moved = members({"a": "1", "b": "2"}, **SOUTH)
    given = step("replace", SET, APP, old=had({"a": "1", "b": "2"}), new=moved)
    found = plan(given)

    assert {"cn-east-3"} == {effect.place.region for effect in found.of(What.DELETED)}
    assert {"cn-south-1"} == {effect.place.region for effect in found.of(What.COPIED)}
    assert all(effect.is_replaced for effect in found.of(What.DELETED))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_gap_is_where_the_old_one_goes_first(is_first: bool) -> None:
    given = step("replace", old=one(), new=one("b-2"), pendingReplacement=is_first)

    assert [is_first] == [effect.has_gap for effect in plan(given).of(What.DELETED)]


def test_an_adopted_copy_is_not_copied() -> None:
    fact = copy_fact("B-1", is_adopted=True, maker="another stack", owner="p/other")
    (effect,) = plan(step("create", new=one()), facts=[fact]).effects

    assert (What.ADOPTED, "p/other") == (effect.what, effect.owner)


def test_facts_bring_name_size_and_time() -> None:
    fact = copy_fact("b-1", name="erp-to-cn-east-3", size_gb=120, made_at="2026-11-29T02:00:00")
    (effect,) = plan(step("create", new=one()), facts=[fact]).effects

    assert (120, "2026-11-29T02:00:00") == (effect.size_gb, effect.made_at)


def test_an_entire_vault_copies_what_facts_name() -> None:
    facts = [copy_fact(f"b-{n}", VAULT, "all", label=f"l{n}", size_gb=10) for n in range(3)]
    given = step("create", VAULT, "all", new={"vault_id": "v", **EAST})

    assert {"copied": 3} == counted(given, facts=facts)
    assert {} == counted(given, facts=[])
    assert () == plan(given, facts=[]).uncounted


@pytest.mark.parametrize("op", ["create", "update"])
@pytest.mark.parametrize("preflight", ["off", "error"])
def test_an_entire_vault_nobody_looked_at_is_not_counted(op: str, preflight: str) -> None:
    """Without facts, or with preflight off, nobody knows what CBR would copy."""
    new = {"vault_id": "v", **EAST, "preflight": preflight}
    given = step(op, VAULT, "all", old=had({}) if op == "update" else None, new=new)
    facts: list[dict[str, Any]] | None = [] if preflight == "off" else None

    assert [Why.NOT_LOOKED] == [each.why for each in plan(given, facts=facts).uncounted]


def test_an_update_of_a_vault_deletes_nothing() -> None:
    given = step("update", VAULT, "all", old=had({"a": "1"}), new={"vault_id": "v", **EAST})

    assert {} == counted(given, facts=[])


def test_a_deleted_vault_deletes_all_its_replicas() -> None:
    assert {"deleted": 2} == counted(step("delete", VAULT, "all", old=had({"a": "1", "b": "2"})))


@pytest.mark.parametrize("rows", ["[secret]", SECRET])
@pytest.mark.parametrize("op", ["delete", "replace"])
def test_secret_rows_are_an_unknown_number_of_deletions(rows: Any, op: str) -> None:
    old = {**members({}), "members": rows}
    new = members({"a": "1"}) if op == "replace" else None
    found = plan(step(op, SET, APP, old=old, new=new))

    assert (What.DELETED, Why.HIDDEN) in [(each.what, each.why) for each in found.uncounted]
    assert not found.of(What.DELETED)


def test_members_that_are_not_known_yet_are_not_counted() -> None:
    found = plan(step("update", SET, APP, old=had({"a": "1"}), new={**EAST, "backups": UNKNOWN}))

    assert {What.DELETED, What.COPIED} == {each.what for each in found.uncounted}
    assert {Why.LATER} == {each.why for each in found.uncounted}


def test_a_member_that_is_not_known_yet_may_be_one_that_seems_to_leave() -> None:
    given = step("update", SET, APP, old=had({"a": "1"}), new=members({"x": UNKNOWN}))
    found = plan(given)

    assert () == found.effects
    assert {What.DELETED, What.COPIED} == {each.what for each in found.uncounted}


@pytest.mark.parametrize("hidden", [UNKNOWN, "[secret]", {"backup_id": "[secret]"}])
def test_each_member_of_a_new_set_is_a_copy(hidden: Any) -> None:
    """Its label is known, whatever is not known of its backup."""
    found = plan(step("create", SET, APP, new=members({"a": "1", "b": hidden})))

    assert ["a", "b"] == [effect.label for effect in found.of(What.COPIED)]
    assert () == found.uncounted


def test_last_copies_and_what_up_makes_of_them() -> None:
    forced = one(source_deleted=True, force_destroy=True)
    rows = {"a": {"backup_id": "1", "source_deleted": True}, "b": "2"}
    found = plan(
        step("delete", old=one(source_deleted=True)),
        step("delete", name="f", old=forced),
        step("replace", name="r", old=forced, new=one("b-2")),
        step("delete", SET, APP, old=had(rows)),
        step("delete", name="k", old=one(source_deleted=True), retainOnDelete=True),
    )
    told = [(one_.resource, one_.label, one_.is_forced) for one_ in found.last_copies]

    assert [
        ("erp-to-cn-east-3", None, False),
        ("f", None, True),
        ("r", None, False),
        (APP, "a", False),
    ] == told


def test_the_wait_and_what_is_internal_do_not_count() -> None:
    stack = {"op": "create", "urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev"}
    provider = step("update", "pulumi:providers:pulumi-python", "default", old={}, new={})
    wait = step("update", WAIT, "wait", old={"replications": 1}, new={"replications": 2})

    assert plan(stack, provider, wait).is_empty
    assert plan(wait).has_wait


def test_resources_of_others_are_listed() -> None:
    found = plan(step("delete", "random:index/randomId:RandomId", "id", old={}))

    assert [("delete", "id", "RandomId")] == [
        (each.op, each.name, each.kind) for each in found.others
    ]


@pytest.mark.parametrize(
    "raw",
    [
        {"op": 7, "urn": None},
        {"op": "delete", "urn": urn_of(SET, APP), "oldState": "nonsense"},
        {"op": "delete", "urn": urn_of(SET, APP), "oldState": {"outputs": {"members": 7}}},
        {"op": "update", "urn": urn_of(SET, APP), "oldState": {"outputs": {"members": {"a": 1}}}},
        {"op": "create", "urn": urn_of(SINGLE, "x"), "newState": {"inputs": []}},
        {"op": "replace", "urn": urn_of(SET, APP), "newState": {"inputs": {"backups": 4}}},
    ],
)
def test_values_of_a_wrong_kind_count_as_none(raw: dict[str, Any]) -> None:
    """A fork may write any JSON; nothing of it is an exception here."""
    plan(raw, facts=[{"kind": "vault", "free_gb": "x"}, {"kind": "copy", "backup_id": []}])
