"""Calls a provider in the engine's order, with inputs as the engine passes them."""

from __future__ import annotations

import asyncio
import itertools
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import Config, ConfigureRequest, DiffResult, ResourceProvider

from pulumi_huaweicloud_cbr import BackupReplicationProvider
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import UnreadableStateError
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.testing import Control, InProcessSimulator

PASSWORD = "not-a-secret-demo"  # Values of the demo world.
BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
SECOND_VAULT = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
WRITES = ("POST", "PUT", "DELETE")
LONG_S = 20_000.0
"""More than any copy or deletion of the demo world takes, less than a token's lifetime."""


PERMANENT = {
    "huaweicloud:accessKey": "DEMOACCESSKEY0000001",
    "huaweicloud:secretKey": "not-a-secret-demo-key",
}
TEMPORARY = {
    "huaweicloud:accessKey": "DEMOACCESSKEY0000002",
    "huaweicloud:secretKey": "not-a-secret-demo-key-2",
    "huaweicloud:securityToken": "not-a-secret-demo-security-token",
}
"""Access keys of the demo world."""


def signed_with(configuration: dict[str, Any], credentials: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with these credentials in place of the password."""
    of_password = {f"huaweicloud:{key}" for key in ("userName", "password", "domainName")}
    kept = {key: value for key, value in configuration.items() if key not in of_password}
    return kept | credentials


FULL = {"error_code": "BackupService.6129", "error_msg": "The maximum capacity is reached."}
"""CBR's answer if the destination vault has no room left."""


class SimulatedClock:
    """The simulator's virtual time; a sleep advances it. The machine's date may be ahead."""

    def __init__(self, simulator: InProcessSimulator, ahead_s: float = 0.0) -> None:
        self._clock = simulator.clock
        self._ahead_s = ahead_s

    def monotonic(self) -> float:
        """Return the virtual monotonic time."""
        return self._clock.now()

    def wall_time(self) -> float:
        """Return the machine's date and time."""
        return self._clock.now() + self._ahead_s

    async def sleep(self, seconds: float) -> None:
        """Advance the virtual time."""
        self._clock.advance(seconds)
        await asyncio.sleep(0)


def declared(**changes: Any) -> dict[str, Any]:
    """Return a program's inputs; None omits one."""
    inputs = {
        "backup_id": BACKUP,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        **changes,
    }
    return {key: value for key, value in inputs.items() if value is not None}


class AboutOne:
    """A provider whose calls are all about one resource, as a plugin announces it."""

    def __init__(self, provider: ResourceProvider, urn: str) -> None:
        self._provider = provider
        self._urn = urn

    def __getattr__(self, name: str) -> Any:
        """Return a method that announces the resource before its call."""
        method = getattr(self._provider, name)

        def serve(*arguments: Any) -> Any:
            with serving(Call(urn=self._urn)):
                return method(*arguments)

        return serve if callable(method) else method


def refuse_to_export(_urn: str, _with_secrets: bool) -> bytes:
    """Export no state, as without a CLI.

    Raises:
        UnreadableStateError: always.
    """
    raise UnreadableStateError("the pulumi CLI was not found")


_numbers = itertools.count(1)


@dataclass
class Rig:
    """A provider and one resource, as the engine keeps it."""

    provider: Any
    control: Control
    session: Session
    id: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Set the name of the resource, and begin an operation."""
        begin_operation()
        name = f"{type(self.provider).__name__}::{next(_numbers)}"
        self.provider = AboutOne(self.provider, f"urn:pulumi:test::p::{name}")

    def faults(self, program: dict[str, Any]) -> list[tuple[str, str]]:
        """Check a new resource. Return property and reason of each failure."""
        self.session.forget()
        failures = self.provider.check({}, program).failures
        return [(failure.property, failure.reason) for failure in failures]

    def create(self, program: dict[str, Any]) -> dict[str, Any]:
        """Check and create, as `up` does with a new resource. Return the outputs."""
        self.session.forget()
        checked = self.provider.check({}, program)
        assert [] == [failure.reason for failure in checked.failures]
        result = self.provider.create(checked.inputs)
        self.id, self.inputs = result.id, checked.inputs
        self.outputs = dict(result.outs or {})
        return self.outputs

    def diff(self, program: dict[str, Any]) -> DiffResult:
        """Check and diff, as a preview does with an existing resource."""
        self.session.forget()
        checked = self.provider.check(self.inputs, program)
        assert [] == [failure.reason for failure in checked.failures]
        difference: DiffResult = self.provider.diff(self.id, self.outputs, checked.inputs)
        return difference

    def update(self, program: dict[str, Any]) -> dict[str, Any]:
        """Check and update, as `up` does after a diff without a replacement."""
        self.session.forget()
        begin_operation()
        checked = self.provider.check(self.inputs, program)
        result = self.provider.update(self.id, self.outputs, checked.inputs)
        self.inputs, self.outputs = checked.inputs, dict(result.outs or {})
        return self.outputs

    def refresh(self) -> bool:
        """Read, as `refresh` does. Return whether the resource still exists."""
        self.session.forget()
        result = self.provider.read(self.id, self.outputs)
        assert result.outs is not None
        if not result.id:
            return False
        self.outputs = result.outs
        if result.inputs is not None:
            self.inputs = result.inputs
        return True

    def delete(self, *, is_forced: bool = False) -> None:
        """Delete, as `destroy` does, in an operation and process of its own.

        Args:
            is_forced: the state says that last copies may be deleted.
        """
        self.session.forget()
        begin_operation()
        forced = {"force_destroy": True} if is_forced else {}
        self.provider.delete(self.id, {**self.outputs, **forced})

    def finish_copies(self) -> None:
        """Let the running copies end."""
        self.control.advance(LONG_S)

    @property
    def replicas(self) -> list[dict[str, Any]]:
        """Return all replicas outside of the source region."""
        return [row for row in self.control.replicas() if row["region"] != "cn-north-4"]

    def writes(self) -> list[str]:
        """Return the write requests to CBR."""
        return [
            entry["operation"]
            for entry in self.control.journal()
            if entry["method"] in WRITES and entry["operation"] != "CreateToken"
        ]


def connect(
    simulator: InProcessSimulator,
    configuration: dict[str, Any],
    clock: SimulatedClock | None = None,
) -> Rig:
    """Return a provider with its own configuration, and optionally its own clock."""
    session = Session(
        Settings.load(configuration.get, {}),
        transport=simulator.transport(),
        clock=clock or SimulatedClock(simulator),
    )
    use_session(session)
    provider = BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)
