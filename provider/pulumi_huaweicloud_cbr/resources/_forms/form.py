"""The interface of a form, which `Reconciler` calls: what a set or a vault does in its own way.

Nothing here is special to one kind of resource.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, ClassVar

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.engine.ownership.operation import Operation
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication

Rows = dict[str, TrackedReplication]
"""Replications by label."""


class Declared(Struct):
    """The inputs of a program after `declare`.

    `inputs` are complete, except for unknown ones. `findings` are their faults. `is_asked`: there
    may be something to submit, so preflight has to query the API.
    """

    inputs: dict[str, Any]
    findings: list[Finding]
    is_asked: bool = False

    def claim(self, operation: Operation, urn: str) -> list[Finding]:
        """Note which copies the resource declares; return those that another one declares too."""
        return []


class Judged(Struct, frozen=True):
    """The result of preflight: findings, and the projects' ids by the names of their inputs."""

    findings: list[Finding]
    resolved: Mapping[str, str]


class Change(Struct, frozen=True):
    """What `diff` compares: the state and its rows with the declared inputs.

    `unknown` are inputs that are not known yet. `replaces` are changed or unknown inputs that
    replace the resource. `is_declared`: the program declares it; a refresh asks for a diff, too.
    """

    state: Mapping[str, Any]
    rows: Rows
    declared: Mapping[str, Any]
    unknown: frozenset[str]
    replaces: Collection[str]
    is_declared: bool = False

    @property
    def is_open(self) -> bool:
        """Whether an input that replaces is not known yet, so that it may be unchanged."""
        return not self.unknown.isdisjoint(self.replaces)


class Plan(Struct, frozen=True):
    """What an update would do: whether it changes anything, and which members it removes."""

    is_changed: bool
    leaving: frozenset[str] = frozenset()


class Done(Struct):
    """The result of creating or updating the replications of a resource.

    `inputs` and `coordinates` are the values for the state. `rows` are the replications as they are
    now. `left_out` are ids of backups that CBR did not take. `failure` is the error if something is
    not done.
    """

    inputs: Mapping[str, Any]
    coordinates: Mapping[str, Any]
    rows: Rows
    left_out: Iterable[str] = ()
    failure: CbrError | None = None


class Form(ABC):
    """A kind of resource with many replications; stateless."""

    what: ClassVar[str]
    """Its name in messages."""
    prefix: ClassVar[str]
    """The prefix of its resources' ids."""
    fields: ClassVar[tuple[str, ...]]
    """Its inputs."""
    identity: ClassVar[tuple[str, ...]]
    """The inputs whose change replaces the resource."""
    content: ClassVar[tuple[str, ...]] = ()
    """The inputs that list the backups; `plan` compares them."""
    not_checked: ClassVar[str]
    """The message if preflight is off."""
    if_gone: ClassVar[str]
    if_failed: ClassVar[str]
    """What happens after a refresh finds replicas gone, or copies failed; for messages."""
    successor: ClassVar[str]
    """Why replicas stay that a successor under another name may be meant to keep; for messages."""

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
        """Validate the inputs of a program and complete them; no API calls."""

    @abstractmethod
    async def judge(self, session: Session, declared: Any, unknown: frozenset[str]) -> Judged:
        """Ask the API whether it would accept the copies."""

    @abstractmethod
    def require_replaceable(self, session: Session, change: Change) -> None:
        """Refuse to replace replicas that could not, or would not, be made again.

        If the change is open, this only warns.

        Raises:
            ConflictError: the sources of some are gone, or CBR would not copy them again.
            MembersFailedError: some could not be observed.
        """

    def tell_replacement(self, change: Change) -> None:
        """Report how the members of the successor differ."""

    def require_ours(self, session: Session, change: Change) -> None:
        """Refuse to keep replicas that a refresh has seen to be another stack's.

        Raises:
            ConflictError: it names them.
        """

    @abstractmethod
    def plan(self, open_session: Callable[[], Session], change: Change) -> Plan | None:
        """Return what an update would do, and report it; None while that is not known yet."""

    @abstractmethod
    def note_staying(self, change: Change) -> None:
        """Note a resource that will exist after the operation."""

    @abstractmethod
    async def bring_about(
        self, session: Session, state: dict[str, Any], inputs: dict[str, Any]
    ) -> Done:
        """Create or change the replications as declared. Idempotent."""

    def note_created(self, done: Done) -> None:
        """Note or report what follows from a create."""

    @abstractmethod
    def outputs(self, done: Done) -> dict[str, Any]:
        """Return the outputs: the resolved inputs, and a row for each replication."""

    def is_gone(self, rows: Rows, seen: Rows) -> bool:
        """Whether the resource itself is gone; `seen` are the rows that a refresh found."""
        return False

    @abstractmethod
    def observed(self, state: Mapping[str, Any], rows: Rows, seen: Rows) -> dict[str, Any]:
        """Return the outputs after a refresh; `seen` are the rows that it found."""

    @abstractmethod
    def may_have_successor(self, state: Mapping[str, Any], rows: Rows) -> bool:
        """Whether a resource under another name may be meant to take over these replicas."""
