"""Common parts of random histories of one resource with many replications.

Beyond `model`, the resource has rows, and some may succeed while others fail. Each test defines
what the program declares, and what must hold after each call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from pulumi.dynamic import ResourceProvider

from pulumi_huaweicloud_cbr import CbrError
from tests.contract import model
from tests.contract.model import VAULTS, History, Known, urn_of
from tests.contract.rig import AboutOne

BACKUPS = {**model.BACKUPS, "web-second": "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"}


class Declared(Protocol):
    """What a program declares of a resource."""

    @property
    def inputs(self) -> dict[str, Any]:
        """The inputs that the engine receives."""


@dataclass
class Place:
    """The destination of all copies, and the preflight mode."""

    vault: str = "east"
    preflight: str = "error"

    @property
    def region(self) -> str:
        """The destination."""
        return VAULTS[self.vault][0]

    @property
    def destination(self) -> dict[str, Any]:
        """Return these settings as inputs."""
        region, vault_id = VAULTS[self.vault]
        return {
            "destination_region": region,
            "destination_vault_id": vault_id,
            "preflight": self.preflight,
        }


@dataclass
class FleetState:
    """What the engine keeps: the resource, whether it is up to date, and old ones to delete."""

    known: Known | None = None
    is_in_error: bool = False
    to_delete: list[Known] = field(default_factory=list)


class FleetHistory(History):
    """A stack with one resource that has many replications."""

    most_expired: ClassVar[int]
    provider: ResourceProvider
    state: FleetState

    def begin_empty(
        self, provider: ResourceProvider, *others: ResourceProvider, is_on_host: bool
    ) -> None:
        """Begin without a resource. On our host a stack keeps partial results, otherwise not."""
        self.provider = provider
        self.begin(provider, *others)
        self.is_on_host = is_on_host
        self.is_remade = False
        self.name = "dr-0"

    def declared(self) -> Declared | None:
        """Return what the program declares, or None."""
        raise NotImplementedError

    def about(self, known: Known | None = None) -> AboutOne:
        """Return the provider for calls about a resource; None: the program's."""
        name = self.name if known is None else known.name
        return AboutOne(self.provider, urn_of(self.kind, name))

    def in_state(self) -> list[tuple[str, Known, bool]]:
        """Return what the state has."""
        known = self.state.known
        rows = [] if known is None else [(known.name, known, False)]
        return [*rows, *((old.name, old, True) for old in self.state.to_delete)]

    # -- what users do ------------------------------------------------------------------------

    @precondition(lambda self: len(self.expired) < self.most_expired)
    @rule(number=st.integers(0, 9))
    def expire(self, number: int) -> None:
        """Expire a source backup; enough others remain."""
        super().expire(number)

    def may_expire(self) -> bool:
        """Whether enough sources remain."""
        return len(self.expired) < self.most_expired

    @rule()
    def refresh(self) -> None:
        """Run `refresh`."""
        self.attempt(self.look)

    @precondition(lambda self: self.state.known is not None)
    @rule()
    def destroy(self) -> None:
        """Run `destroy`."""
        self.attempt(self.take_down)

    @precondition(lambda self: self.state.known is not None)
    @rule(is_up=st.booleans())
    def refresh_first(self, is_up: bool) -> None:
        """Run `up --refresh` or `destroy --refresh`: the refresh is part of the operation."""
        self.ran["refreshed first"] += 1

        def operation() -> None:
            self.refresh_within()
            if is_up:
                self.bring_up()
            else:
                held = records_in(self.state.known) if self.state.known else set()
                self.take_down()
                assert held.isdisjoint(self.live_replicas()), "replicas were left behind"

        self.attempt(operation)

    def refresh_within(self) -> None:
        """Read, then ask for a diff with the new outputs and the old inputs, without a check."""
        former = self.state.known
        inputs = former.inputs if former is not None else {}
        self.look()
        known = self.state.known
        if known is not None:
            self.about(known).diff(known.id, known.outputs, inputs)

    def remake(self, *, is_named: bool) -> None:
        """Plan another resource, and check its inputs as those of a new one.

        The engine does so for another name in the program, and for `up --replace`.

        Args:
            is_named: it is for another name.
        """
        self.is_remade = self.state.known is not None and self.declared() is not None
        if self.is_remade and is_named:
            self.name = f"dr-{int(self.name[3:]) + 1}"

    # -- the engine ---------------------------------------------------------------------------

    def require_readable(self, told: str) -> None:
        """A failure has one line for all, and one for each reason. None is a bug of ours."""
        assert "Traceback" not in told
        assert "unexpected" not in told

    def checked(self, olds: dict[str, Any], program: Declared) -> dict[str, Any]:
        """Check, as the engine does first."""
        checked = self.about().check(olds, program.inputs)
        if checked.failures:
            raise CbrError("; ".join(failure.reason for failure in checked.failures))
        inputs: dict[str, Any] = checked.inputs
        return inputs

    def keep(
        self, known: Known, *, replaced: Known | None = None, is_in_error: bool = False
    ) -> None:
        """Save what a call returned, or die. The resource that it replaces is deleted later."""
        self.save()
        self.ran["saved in part" if is_in_error else "saved"] += 1
        if replaced is not None:
            self.ran["made another" if self.is_remade else "replaced"] += 1
            self.state.to_delete.append(replaced)
        self.state.known, self.state.is_in_error = known, is_in_error
        self.is_remade = False

    def delete(self, known: Known) -> None:
        """Delete a resource that the program does not declare, or no longer declares."""
        raise NotImplementedError

    def delete_left_over(self) -> None:
        """Delete the leftovers of replacements."""
        while self.state.to_delete:
            self.delete(self.state.to_delete[0])
            self.state.to_delete.pop(0)

    def take_down(self) -> None:
        """Delete everything in the state, the newest first."""
        self.is_remade = False
        if self.state.known is not None:
            self.delete(self.state.known)
            self.state.known = None
        self.delete_left_over()

    def is_quiet(self) -> bool:
        """Whether `up` would change nothing."""
        state, program = self.state, self.declared()
        if state.to_delete or (state.known is None) != (program is None):
            return False
        if state.known is None or program is None:
            return True
        if self.is_remade or state.is_in_error:
            return False
        inputs = self.checked(state.known.inputs, program)
        known = state.known
        return not self.about(known).diff(known.id, known.outputs, inputs).changes


def place_of(known: Known) -> tuple[str, str]:
    """Return the region and the vault that a resource copies to."""
    return known.outputs["destination_region"], known.outputs["destination_vault_id"]


def records_in(known: Known) -> set[str]:
    """Return the records that a resource's rows name."""
    return {row["replication_record_id"] for row in known.outputs["members"].values()}
