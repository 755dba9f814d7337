"""Calls providers in the engine's order, for several resources of one program.

The order was observed with CLI 3.255, on both plugins, with a provider that logged each call. One
operation is one process, so its notes end with it.

- A refresh in an `up` or a `destroy` reads all resources of the state. Then it asks for a diff of
  each, with the new outputs and the old inputs. It checks nothing.
- The program's resources are checked and diffed next. With `--replace`, and for a tainted resource,
  there is no diff.
- A replacement is checked once more, as a new resource, before anything is deleted.
- Resources that the program no longer declares, and leftovers of replacements, are deleted last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider

from pulumi_huaweicloud_cbr import (
    BackupReplicationProvider,
    BackupReplicationSetProvider,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError
from pulumi_huaweicloud_cbr.engine.session import Session

PROVIDERS: dict[str, type[ResourceProvider]] = {
    "single": BackupReplicationProvider,
    "set": BackupReplicationSetProvider,
    "vault": VaultReplicationProvider,
}
TYPES = {
    "single": "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication",
    "set": "pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet",
    "vault": "pulumi-python:dynamic/huaweicloud_cbr:VaultReplication",
}
Program = Mapping[str, tuple[str, dict[str, Any]]]
"""By name: the form and inputs of a resource."""


class RefusedError(Exception):
    """A check failed, so the operation ended before it changed anything."""


@dataclass
class Stored:
    """A resource in the state. The old one of a replacement is still to be deleted."""

    name: str
    form: str
    id: str
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    is_left_over: bool = False


@dataclass
class Engine:
    """A stack with its state.

    `before_delete` is called before each call of a provider's `delete`, and `before_check` before
    each `check`.
    """

    session: Session
    configuration: dict[str, str]
    state: list[Stored] = field(default_factory=list)
    before_delete: Callable[[], None] = lambda: None
    before_check: Callable[[], None] = lambda: None

    def __post_init__(self) -> None:
        """Configure the providers."""
        self.configure(self.configuration)

    def configure(self, configuration: dict[str, str]) -> None:
        """Use another configuration of the stack from now on."""
        self._providers = {form: kind() for form, kind in PROVIDERS.items()}
        for provider in self._providers.values():
            provider.configure(ConfigureRequest(Config(configuration, "p")))

    def call(self, form: str, name: str, method: str, *arguments: Any) -> Any:
        """Call a provider about a resource."""
        with serving(Call(urn=f"urn:pulumi:test::p::{form}::{name}")):
            return getattr(self._providers[form], method)(*arguments)

    # -- commands ---------------------------------------------------------------------------

    def up(
        self,
        program: Program,
        *,
        is_refreshed: bool = False,
        replaced: Collection[str] = (),
        is_delete_first: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Run `up`.

        Args:
            program: changes are made in its order.
            replaced: named in `--replace`.
            is_delete_first: the option `delete_before_replace` is set.
            goes_on: after errors, as with `--continue-on-error`.
        """
        self._begin(is_refreshed=is_refreshed)
        steps = [
            self._plan(name, form, inputs, name in replaced, is_delete_first=is_delete_first)
            for name, (form, inputs) in program.items()
        ]
        failure: Exception | None = None
        for step in steps:
            try:
                step()
            except Exception as error:
                if not goes_on:
                    raise
                failure = error
        gone = [row for row in self.state if row.is_left_over or row.name not in program]
        self._delete_all(gone)
        if failure is not None:
            raise failure

    def destroy(self, *, is_refreshed: bool = False) -> None:
        """Run `destroy`, which does not run the program."""
        self._begin(is_refreshed=is_refreshed)
        self._delete_all(list(reversed(self.state)))

    def refresh(self) -> None:
        """Run `refresh` alone."""
        self._begin(is_refreshed=True)

    # -- steps ------------------------------------------------------------------------------

    def export(self, _urn: str, _with_secrets: bool) -> bytes:
        """Return the state, as the CLI exports it in the middle of an operation."""
        resources = [
            {
                "urn": f"urn:pulumi:test::p::{row.form}::{row.name}",
                "type": TYPES[row.form],
                "id": row.id,
                "outputs": row.outputs,
                "delete": row.is_left_over,
            }
            for row in self.state
        ]
        return json.dumps({"deployment": {"resources": resources}}).encode()

    def _begin(self, *, is_refreshed: bool) -> None:
        begin_operation()
        use_export(self.export)
        self.session.forget()
        if not is_refreshed:
            return
        for row in list(self.state):
            seen = self.call(row.form, row.name, "read", row.id, row.outputs)
            if not seen.id:
                self.state.remove(row)
                continue
            row.outputs = dict(seen.outs)
        for row in self.state:
            self.call(row.form, row.name, "diff", row.id, row.outputs, row.inputs)

    def _find(self, name: str) -> Stored | None:
        rows = (row for row in self.state if row.name == name and not row.is_left_over)
        return next(rows, None)

    def check(self, name: str, form: str, olds: dict[str, Any], inputs: dict[str, Any]) -> Any:
        """Check a resource; return its inputs."""
        self.before_check()
        checked = self.call(form, name, "check", olds, inputs)
        if checked.failures:
            raise RefusedError("; ".join(failure.reason for failure in checked.failures))
        return checked.inputs

    def _plan(
        self,
        name: str,
        form: str,
        program: dict[str, Any],
        is_replaced: bool,
        *,
        is_delete_first: bool,
    ) -> Callable[[], None]:
        known = self._find(name)
        if known is None:
            inputs = self.check(name, form, {}, program)
            return lambda: self._create(name, form, inputs)
        if not is_replaced:
            inputs = self.check(name, form, known.inputs, program)
            difference = self.call(form, name, "diff", known.id, known.outputs, inputs)
            if not difference.replaces:
                return lambda: self._update(known, inputs) if difference.changes else None
            is_delete_first = is_delete_first or difference.delete_before_replace
        inputs = self.check(name, form, {}, program)

        def replace() -> None:
            if is_delete_first:
                self._delete(known)
            else:
                known.is_left_over = True
            try:
                self._create(name, form, inputs)
            except Exception:
                known.is_left_over = False
                raise

        return replace

    def _create(self, name: str, form: str, inputs: dict[str, Any]) -> None:
        try:
            made = self.call(form, name, "create", inputs)
        except PartialResultError as error:
            self.state.append(Stored(name, form, error.id, inputs, error.outputs))
            raise
        self.state.append(Stored(name, form, str(made.id), inputs, dict(made.outs)))

    def _update(self, row: Stored, inputs: dict[str, Any]) -> None:
        try:
            changed = self.call(row.form, row.name, "update", row.id, row.outputs, inputs)
        except PartialResultError as error:
            row.inputs, row.outputs = inputs, error.outputs
            raise
        row.inputs, row.outputs = inputs, dict(changed.outs)

    def _delete_all(self, rows: list[Stored]) -> None:
        for row in rows:
            self._delete(row)

    def _delete(self, row: Stored) -> None:
        self.before_delete()
        self.call(row.form, row.name, "delete", row.id, row.outputs)
        self.state.remove(row)
