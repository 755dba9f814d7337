"""What a resource with many replications does in its own way; `Reconciler` asks it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.engine.operation import Operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.fitness import Finding
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication

Rows = dict[str, TrackedReplication]
"""Replications by label."""


class Declared(Struct):
    """What `check` makes of a program's inputs.

    `inputs` are complete, as far as they are known; `findings` say what is wrong with them.
    `is_asked`: there may be something to submit, so that preflight has something to ask about.
    """

    inputs: dict[str, Any]
    findings: list[Finding]
    is_asked: bool = False

    def claim(self, operation: Operation, urn: str) -> None:
        """Note which copies the resource declares."""


class Judged(Struct, frozen=True):
    """What preflight found: what is wrong, and the projects' ids by the names of their inputs."""

    findings: list[Finding]
    resolved: Mapping[str, str]


class Change(Struct, frozen=True):
    """What `diff` compares: the state and its rows with what the program declares.

    `unknown` are inputs that are not known yet, `replaces` those whose change replaces.
    """

    state: Mapping[str, Any]
    rows: Rows
    declared: Mapping[str, Any]
    unknown: frozenset[str]
    replaces: Collection[str]

    @property
    def is_open(self) -> bool:
        """Whether an input that replaces is not known yet, and may turn out to be the same."""
        return not self.unknown.isdisjoint(self.replaces)


class Plan(Struct, frozen=True):
    """What an update would do: whether anything, and which members it would let go."""

    is_changed: bool
    leaving: frozenset[str] = frozenset()


class Done(Struct):
    """What became of an attempt to bring about what is declared.

    `inputs` and `coordinates` are as the state is to hold them; `rows` are the replications as
    they are now. `left_out` are ids of backups that CBR did not take. `failure` is why something
    is not done.
    """

    inputs: Mapping[str, Any]
    coordinates: Mapping[str, Any]
    rows: Rows
    left_out: Iterable[str] = ()
    failure: CbrError | None = None


class Form(ABC):
    """A kind of resource with many replications; stateless."""

    what: ClassVar[str]
    """What a message calls it."""
    prefix: ClassVar[str]
    """How the ids of its resources begin."""
    fields: ClassVar[tuple[str, ...]]
    """Its inputs."""
    identity: ClassVar[tuple[str, ...]]
    """The inputs that replace the resource when they change."""
    content: ClassVar[tuple[str, ...]] = ()
    """The inputs that say which backups there are; `plan` compares them."""
    not_checked: ClassVar[str]
    """What to say where preflight is off."""
    if_gone: ClassVar[str]
    if_failed: ClassVar[str]
    """What becomes of replicas that a refresh finds gone, and of copies that it finds failed."""
    successor: ClassVar[str]
    """Why replicas stay that a resource of another name may have been meant to keep."""

    @property
    def state_only(self) -> list[str]:
        """The inputs that change nothing in the cloud by themselves: all others."""
        return [field for field in self.fields if field not in (*self.identity, *self.content)]

    @abstractmethod
    def declare(
        self,
        known: dict[str, Any],
        unknown: frozenset[str],
        olds: dict[str, Any],
        session: Session,
    ) -> Declared:
        """Validate the inputs of a program and complete them; no calls of the API."""

    @abstractmethod
    async def judge(self, session: Session, declared: Any, unknown: frozenset[str]) -> Judged:
        """Ask the API whether it would accept the copies."""

    @abstractmethod
    def require_replaceable(self, session: Session, change: Change) -> None:
        """Refuse to replace replicas that could not, or would not, be made again.

        Where the change is open, this only warns.

        Raises:
            ConflictError: the sources of some are gone, or CBR would not copy them again.
            MembersFailedError: some could not be looked at.
        """

    def tell_replacement(self, change: Change) -> None:
        """Say how the members of the successor differ."""

    @abstractmethod
    def plan(self, open_session: Callable[[], Session], change: Change) -> Plan | None:
        """Return what an update would do, and say it; None while that is not known yet."""

    @abstractmethod
    def note_staying(self, change: Change) -> None:
        """Note a resource that will be there after the operation."""

    @abstractmethod
    async def bring_about(
        self, session: Session, state: dict[str, Any], inputs: dict[str, Any]
    ) -> Done:
        """Make the replications what is declared; idempotent."""

    def note_created(self, done: Done) -> None:
        """Note, or say, what follows from a create."""

    @abstractmethod
    def outputs(self, done: Done) -> dict[str, Any]:
        """Return the outputs: the inputs resolved, and a row for each replication."""

    def is_gone(self, rows: Rows, seen: Rows) -> bool:
        """Whether the resource itself is gone, now that a refresh has seen these."""
        return False

    @abstractmethod
    def observed(self, state: Mapping[str, Any], rows: Rows, seen: Rows) -> dict[str, Any]:
        """Return the outputs after a refresh that has seen these of the rows."""

    @abstractmethod
    def may_have_successor(self, state: Mapping[str, Any], rows: Rows) -> bool:
        """Whether a resource of another name may be meant to take over what this one has."""
