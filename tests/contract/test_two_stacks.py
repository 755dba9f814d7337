"""Two stacks with the same backups, and two resources with the same copy: who may do what."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr import ConflictError
from simulator.testing import Control
from tests.contract.engine import Engine, RefusedError
from tests.contract.rig import BACKUP, LONG_S, VAULT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulumi_huaweicloud_cbr.engine.session import Session

pytestmark = pytest.mark.simulator_only

EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
FORMS: dict[str, dict[str, Any]] = {
    "single": {"backup_id": BACKUP},
    "set": {"backups": {"erp": BACKUP}},
}
MARKED = pytest.mark.parametrize("form", FORMS)
"""Forms whose copies have marks: CBR takes no description for a copy of an entire vault."""


class Stack:
    """A stack with its own name and state."""

    def __init__(self, name: str, session: Session, configuration: dict[str, str]) -> None:
        self._name, self._session = name, session
        self.engine = Engine(session, {**configuration, "huaweicloud:owner": name})

    @contextmanager
    def _working(self) -> Iterator[Engine]:
        self._session.settings = replace(self._session.settings, owner=self._name)
        yield self.engine

    def up(self, form: str, **changes: Any) -> None:
        """Declare one resource of a form, and run `up`."""
        with self._working() as engine:
            engine.up({"dr": (form, {**FORMS[form], **EAST, **changes})})

    def destroy(self) -> None:
        """Run `destroy`."""
        with self._working() as engine:
            engine.destroy()


@pytest.fixture
def first(session: Session, configuration: dict[str, str], control: Control, form: str) -> Stack:
    """A stack that has copied."""
    stack = Stack("team-a/prod", session, configuration)
    stack.up(form)
    control.advance(LONG_S)
    return stack


@pytest.fixture
def second(session: Session, configuration: dict[str, str]) -> Stack:
    """A stack that has nothing yet."""
    return Stack("team-b/prod", session, configuration)


def replicas(control: Control) -> list[str]:
    """Return the ids of all replicas outside of the source region."""
    return [row["id"] for row in control.replicas() if row["region"] != "cn-north-4"]


@MARKED
@pytest.mark.parametrize("adopt", [True, False])
def test_copy_of_another_stack_is_refused(
    first: Stack, second: Stack, control: Control, form: str, adopt: bool
) -> None:
    """The preview names that stack and the ways out. Nothing is written."""
    before = replicas(control)

    with pytest.raises(RefusedError, match=r"stack 'team-a/prod'; choose another region, or set"):
        second.up(form, adopt=adopt)

    assert before == replicas(control)
    assert [] == second.engine.state
    assert 1 == len(first.engine.state)


@MARKED
def test_copy_that_was_taken_over_is_deleted_by_its_new_owner(
    first: Stack, second: Stack, control: Control, form: str
) -> None:
    """The state has recorded the mark, so `destroy` of the second stack deletes the replica."""
    second.up(form, adopt="any")
    assert 1 == len(replicas(control))

    second.destroy()

    assert [] == replicas(control)
    assert 1 == len(first.engine.state)


@MARKED
def test_copy_that_was_taken_over_still_has_the_mark_of_its_maker(
    first: Stack, second: Stack, control: Control, form: str
) -> None:
    """So `destroy` of the first stack deletes it too, unless that one gave it up before."""
    second.up(form, adopt="any")

    first.destroy()

    assert [] == replicas(control)
    assert 1 == len(second.engine.state)


@pytest.mark.parametrize(
    ("one", "other"), [("single", "single"), ("single", "set"), ("set", "single"), ("set", "set")]
)
def test_two_declarations_of_one_copy_are_refused(
    engine: Engine, control: Control, one: str, other: str
) -> None:
    """The preview names both resources. Nothing is submitted."""
    program = {
        "first": (one, {**FORMS[one], **EAST}),
        "second": (other, {**FORMS[other], **EAST}),
    }

    with pytest.raises(RefusedError, match=r"'second' and \w+ 'first' both declare the copy of"):
        engine.up(program)

    assert [] == control.journal(operation="CopyBackup")


def test_two_declarations_of_one_vault_are_refused(engine: Engine, control: Control) -> None:
    """An entire vault may be declared once for each region."""
    whole = ("vault", {"vault_id": SOURCE_VAULT, **EAST})

    with pytest.raises(RefusedError, match=r"both declare the copy of vault"):
        engine.up({"first": whole, "second": whole})

    assert [] == control.journal(operation="CopyCheckpoint")


@pytest.mark.parametrize("form", ["set"])
def test_last_copies_of_a_set_keep_all_its_replicas(
    first: Stack, control: Control, form: str
) -> None:
    """A refused resource deletes nothing, also not the replicas whose sources exist."""
    web = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
    first.up(form, backups={"erp": BACKUP, "web": web})
    control.advance(LONG_S)
    before = replicas(control)
    control.forget_backup(BACKUP)

    with pytest.raises(ConflictError, match=r"'erp' are gone"):
        first.destroy()

    assert before == replicas(control)
    assert 2 == len(before)
