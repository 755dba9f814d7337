"""Notes of an operation: who has, declares and gives up a replication."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pulumi_huaweicloud_cbr.engine.ownership.operation import (
    QUIET_LOOKS,
    QUIET_S,
    DiffOf,
    Operation,
    VaultClaim,
)

ME, SHE, THEY = "urn:me", "urn:she", "urn:they"
EAST, SOUTH = "cn-east-3", "cn-south-1"
CLAIM = VaultClaim("cn-north-4", "vault", EAST, "replicas")


@pytest.fixture
def operation() -> Operation:
    """An operation without notes."""
    return Operation()


# -- who has a replication ----------------------------------------------------------------------


def test_own_note_is_no_other_owner(operation: Operation) -> None:
    """What a resource notes of itself never stops its own deletion."""
    operation.note_held(ME, ["r1"])

    assert not operation.is_held("r1", besides=ME)
    assert operation.is_held("r1", besides=SHE)
    assert operation.is_held("r1", besides="")
    assert operation.holds_itself(ME, "r1")
    assert not operation.holds_itself(SHE, "r1")
    assert not operation.is_held("r2", besides=SHE)


def test_other_note_is_an_owner_beside_the_own_one(operation: Operation) -> None:
    """Two resources note the same replication."""
    operation.note_held(ME, ["r1"])
    operation.note_held(SHE, ["r1", "r2"])

    assert operation.is_held("r1", besides=ME)
    assert operation.is_held("r2", besides=ME)
    assert not operation.is_held("r2", besides=SHE)


def test_created_resource_counts_under_its_own_name_too(operation: Operation) -> None:
    """A successor of the same URN has the replication that the old resource is to delete."""
    operation.note_made(ME, ["r1"])

    assert operation.is_held("r1", besides=ME)
    assert operation.is_made(ME)
    assert not operation.is_made(SHE)


@pytest.mark.parametrize("asked_for", DiffOf)
@pytest.mark.parametrize("is_replaced", [False, True])
def test_diff_is_noted_only_if_it_shows_what_will_be(
    operation: Operation, asked_for: DiffOf, is_replaced: bool
) -> None:
    """A refresh shows nothing of what follows; a dependency shows only a replacement."""
    operation.note_diff(ME, asked_for, ["r1"], is_replaced=is_replaced, is_created_first=True)

    is_noted = is_replaced and asked_for is not DiffOf.REFRESH
    assert is_noted == operation.is_replaced(ME)
    assert is_noted == operation.is_created_first(ME)
    assert (frozenset({"r1"}) if is_noted else frozenset()) == operation.replaced
    assert (not is_replaced and asked_for is DiffOf.PROGRAM) == operation.holds_itself(ME, "r1")


def test_replacement_is_created_first_only_if_its_diff_said_so(operation: Operation) -> None:
    """`--replace` asks for no diff, so the order is not known, and nothing is waited for."""
    operation.note_replaced(ME, ["r1"])
    operation.note_checked(SHE, is_new=True)

    assert [False, False] == [operation.is_created_first(urn) for urn in (ME, SHE)]
    assert [True, True] == [operation.is_replaced(urn) for urn in (ME, SHE)]
    assert not operation.is_replaced(THEY)


def test_check_without_a_urn_is_no_replacement(operation: Operation) -> None:
    """The SDK's plugin may not pass it, and then all resources would be replaced."""
    operation.note_checked("", is_new=True)

    assert not operation.is_replaced("")


# -- giving up ----------------------------------------------------------------------------------


def test_first_of_two_owners_leaves_it_and_the_second_deletes(operation: Operation) -> None:
    """An older version let two resources have one replica. In `destroy` it must not stay."""
    assert operation.give_up(ME, "r1", {SHE})
    assert not operation.give_up(SHE, "r1", {ME})


def test_last_of_three_owners_deletes(operation: Operation) -> None:
    """As long as one of the others has not given it up, it is left."""
    assert operation.give_up(ME, "r1", {SHE, THEY})
    assert operation.give_up(SHE, "r1", {ME, THEY})
    assert not operation.give_up(THEY, "r1", {ME, SHE})


def test_owner_that_is_not_deleted_keeps_it(operation: Operation) -> None:
    """With `--target`, the engine visits only some of the owners."""
    assert operation.give_up(ME, "r1", {SHE, THEY})
    assert operation.give_up(SHE, "r1", {ME, THEY})
    assert operation.give_up(SHE, "r1", {ME, THEY})


def test_replications_are_given_up_one_by_one(operation: Operation) -> None:
    """A note about one says nothing of another."""
    assert operation.give_up(ME, "r1", {SHE})
    assert operation.give_up(SHE, "r2", {ME})
    assert not operation.give_up(ME, "r2", {SHE})


# -- claims -------------------------------------------------------------------------------------


@pytest.mark.parametrize("declared", ["abc-1", "ABC-1"])
@pytest.mark.parametrize("asked", ["abc-1", "ABC-1", "Abc-1"])
def test_claims_compare_ids_without_regard_to_case(
    operation: Operation, declared: str, asked: str
) -> None:
    """A program may write an id as a console shows it."""
    operation.note_claimed(SHE, [(declared, EAST)])

    assert SHE == operation.claimant_of(asked, EAST, besides=ME)
    assert operation.is_claimed(asked, EAST, besides=ME)
    assert {"abc-1"} == operation.backups_of_others(EAST, besides=ME)
    assert {"abc-1"} == operation.backups_claimed(SHE)


def test_claims_of_oneself_and_of_other_regions_do_not_count(operation: Operation) -> None:
    """One backup may be copied to two regions, by two resources."""
    operation.note_claimed(ME, [("b", EAST)])
    operation.note_claimed(SHE, [("b", SOUTH)])

    assert operation.claimant_of("b", EAST, besides=ME) is None
    assert SHE == operation.claimant_of("b", SOUTH, besides=ME)
    assert ME == operation.claimant_of("b", EAST, besides="")
    assert frozenset() == operation.backups_of_others(EAST, besides=ME)


def test_claims_of_a_later_check_replace_the_earlier_ones(operation: Operation) -> None:
    """A replacement is checked twice."""
    operation.note_claimed(SHE, [("a", EAST)])
    operation.note_claimed(SHE, [("b", EAST)])

    assert not operation.is_claimed("a", EAST, besides=ME)
    assert operation.is_claimed("b", EAST, besides=ME)


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (CLAIM, True),
        (VaultClaim("cn-north-4", "vault", EAST, "elsewhere"), True),
        (VaultClaim("cn-north-4", "vault", SOUTH, "replicas"), False),
        (VaultClaim("cn-north-4", "other", EAST, "replicas"), False),
        (VaultClaim("cn-east-2", "vault", EAST, "replicas"), False),
    ],
)
def test_vaults_of_two_resources_are_one_copy_in_one_region(
    operation: Operation, other: VaultClaim, is_same: bool
) -> None:
    """CBR keeps one replica of a backup per region, in whichever vault."""
    operation.note_vault_claimed(SHE, other)

    assert (SHE if is_same else None) == operation.vault_claimant_of(CLAIM, besides=ME)
    assert operation.vault_claimant_of(CLAIM, besides=SHE) is None
    assert [other] == operation.vaults_claimed(besides=ME)
    assert [] == operation.vaults_claimed(besides=SHE)
    assert [other] == operation.vaults_claimed(besides="")


# -- waiting for the others ---------------------------------------------------------------------


class Sleeper:
    """Counts the periods of a wait, and lets the engine call during some of them."""

    def __init__(self, during: Callable[[int], None] = lambda _: None) -> None:
        self.slept: list[float] = []
        self._during = during

    async def __call__(self, seconds: float) -> None:
        """Let a period pass."""
        self.slept.append(seconds)
        self._during(len(self.slept))


@pytest.mark.anyio
@pytest.mark.parametrize("wait", ["settled", "declared"])
async def test_quiet_is_a_period_without_a_call(operation: Operation, wait: str) -> None:
    """With no other call, one period is enough."""
    sleeper = Sleeper()

    await getattr(operation, wait)(sleeper)

    assert [QUIET_S] == sleeper.slept


@pytest.mark.anyio
@pytest.mark.parametrize("wait", ["settled", "declared"])
async def test_quiet_begins_anew_with_each_call(operation: Operation, wait: str) -> None:
    """A call in a period means that others may follow."""

    def call(number: int) -> None:
        if number <= 3:
            with operation.call_about_program("check"):
                pass

    sleeper = Sleeper(call)
    await getattr(operation, wait)(sleeper)

    assert 4 == len(sleeper.slept)


@pytest.mark.anyio
async def test_quiet_ends_in_a_program_that_calls_for_ever(operation: Operation) -> None:
    """After that many periods, all resources were probably declared."""

    def call(_: int) -> None:
        with operation.call_about_program("check"):
            pass

    sleeper = Sleeper(call)
    await operation.settled(sleeper)

    assert QUIET_LOOKS == len(sleeper.slept)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("wait", "method", "is_awaited"),
    [
        ("settled", "check", True),
        ("settled", "diff", True),
        ("declared", "check", True),
        ("declared", "diff", False),
    ],
)
async def test_calls_without_an_answer_are_awaited(
    operation: Operation, wait: str, method: str, is_awaited: bool
) -> None:
    """`declared` is called in a diff: two of them would wait for each other for ever."""
    under_way = operation.call_about_program(method)
    under_way.__enter__()

    def end(number: int) -> None:
        if number == 3 * QUIET_LOOKS:
            under_way.__exit__(None, None, None)

    sleeper = Sleeper(end)
    await getattr(operation, wait)(sleeper)

    assert (3 * QUIET_LOOKS if is_awaited else 1) == len(sleeper.slept)
