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
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

import pulumi
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider

from pulumi_huaweicloud_cbr import (
    BackupReplicationProvider,
    BackupReplicationSetProvider,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.base.process import process_state
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.output.messages import _Shown
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


LEAVING = "members that leave, to be deleted unless later resources declare them: "


def is_target(name: str, targets: Collection[str] | None) -> bool:
    """Whether the engine visits a resource."""
    return targets is None or name in targets


def begin_messages() -> None:
    """Show each message again, as a new process does."""
    process_state().renew(_Shown)


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
    is_in_error: bool = False
    """Its create or update was done in part, so the next `up` updates it in any case."""


@dataclass
class Preview:
    """What a preview shows.

    `gone` are entries of the state that will be deleted, also those of replacements. `leaving` are
    the members that a set will delete, as it tells: labels by the name of the set.
    """

    gone: list[Stored]
    leaving: dict[str, set[str]]


@dataclass
class Engine:
    """A stack with its state.

    `before_delete` is called before each call of a provider's `delete`, and `before_check` before
    each `check`. `stack` is its name; several stacks may share a session.
    """

    session: Session
    configuration: dict[str, str]
    state: list[Stored] = field(default_factory=list)
    before_delete: Callable[[], None] = lambda: None
    before_check: Callable[[], None] = lambda: None
    stack: str = "test"

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
        with serving(Call(urn=self.urn_of(form, name))):
            return getattr(self._providers[form], method)(*arguments)

    def urn_of(self, form: str, name: str) -> str:
        """Return the URN of a resource."""
        return f"urn:pulumi:{self.stack}::p::{form}::{name}"

    # -- commands ---------------------------------------------------------------------------

    def up(
        self,
        program: Program,
        *,
        is_refreshed: bool = False,
        replaced: Collection[str] = (),
        is_delete_first: bool = False,
        goes_on: bool = False,
        targets: Collection[str] | None = None,
    ) -> None:
        """Run `up`.

        Args:
            program: changes are made in its order.
            replaced: named in `--replace`.
            is_delete_first: the option `delete_before_replace` is set.
            goes_on: after errors, as with `--continue-on-error`.
            targets: named in `--target`; the engine calls about no other resource.
        """
        self._begin(is_refreshed=is_refreshed, targets=targets)
        steps = [
            self._plan(name, form, inputs, name in replaced, is_delete_first=is_delete_first)
            for name, (form, inputs) in program.items()
            if is_target(name, targets)
        ]
        failure: Exception | None = None
        for step in steps:
            try:
                step()
            except Exception as error:
                if not goes_on:
                    raise
                failure = error
        self._delete_all(self._gone(program, targets), goes_on=goes_on)
        if failure is not None:
            raise failure

    def preview(
        self,
        program: Program,
        *,
        targets: Collection[str] | None = None,
        is_refreshed: bool = False,
    ) -> Preview:
        """Run `preview`: it checks and diffs, and tells what will be deleted."""
        self._begin(is_refreshed=is_refreshed, targets=targets)
        gone = self._gone(program, targets)
        leaving: dict[str, set[str]] = {}
        for name, (form, inputs) in program.items():
            if not is_target(name, targets):
                continue
            with patch.object(pulumi.log, "info") as shown:
                self._plan(name, form, inputs, False, is_delete_first=False, is_replaced_to=gone)
            told = [str(call.args[0]) for call in shown.call_args_list]
            leaving[name] = {
                label
                for line in told
                if line.startswith(LEAVING)
                for label in re.findall(r"'([^']*)'", line.removeprefix(LEAVING))
            }
        return Preview(gone, leaving)

    def destroy(
        self,
        *,
        is_refreshed: bool = False,
        goes_on: bool = False,
        targets: Collection[str] | None = None,
    ) -> None:
        """Run `destroy`, which does not run the program."""
        self._begin(is_refreshed=is_refreshed, targets=targets)
        rows = [row for row in reversed(self.state) if is_target(row.name, targets)]
        self._delete_all(rows, goes_on=goes_on)

    def refresh(self) -> None:
        """Run `refresh` alone."""
        self._begin(is_refreshed=True)

    # -- steps ------------------------------------------------------------------------------

    def export(self, _urn: str, _with_secrets: bool) -> bytes:
        """Return the state, as the CLI exports it in the middle of an operation."""
        resources = [
            {
                "urn": self.urn_of(row.form, row.name),
                "type": TYPES[row.form],
                "id": row.id,
                "outputs": row.outputs,
                "delete": row.is_left_over,
            }
            for row in self.state
        ]
        return json.dumps({"deployment": {"resources": resources}}).encode()

    def _begin(self, *, is_refreshed: bool, targets: Collection[str] | None = None) -> None:
        begin_operation()
        begin_messages()
        use_export(self.export)
        self.session.forget()
        if not is_refreshed:
            return
        rows = [row for row in self.state if is_target(row.name, targets)]
        for row in list(rows):
            seen = self.call(row.form, row.name, "read", row.id, row.outputs)
            if not seen.id:
                self.state.remove(row)
                rows.remove(row)
                continue
            row.outputs = dict(seen.outs)
            row.inputs = seen.inputs or row.inputs
        for row in rows:
            self.call(row.form, row.name, "diff", row.id, row.outputs, row.inputs)

    def _gone(self, program: Program, targets: Collection[str] | None) -> list[Stored]:
        """Return what an `up` deletes at its end."""
        return [
            row
            for row in self.state
            if (row.is_left_over or row.name not in program) and is_target(row.name, targets)
        ]

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
        is_replaced_to: list[Stored] | None = None,
    ) -> Callable[[], None]:
        """Check and diff a resource; return what changes it.

        Args:
            is_replaced_to: takes the resource if it will be replaced.
        """
        known = self._find(name)
        if known is None:
            inputs = self.check(name, form, {}, program)
            return lambda: self._create(name, form, inputs)
        if not is_replaced:
            inputs = self.check(name, form, known.inputs, program)
            difference = self.call(form, name, "diff", known.id, known.outputs, inputs)
            if not difference.replaces:
                is_changed = difference.changes or known.is_in_error
                return lambda: self._update(known, inputs) if is_changed else None
            is_delete_first = is_delete_first or difference.delete_before_replace
        inputs = self.check(name, form, {}, program)
        if is_replaced_to is not None:
            is_replaced_to.append(known)

        def replace() -> None:
            if is_delete_first:
                self._delete(known)
            else:
                known.is_left_over = True
            try:
                self._create(name, form, inputs)
            except PartialResultError:
                raise
            except Exception:
                known.is_left_over = False
                raise

        return replace

    def _create(self, name: str, form: str, inputs: dict[str, Any]) -> None:
        try:
            made = self.call(form, name, "create", inputs)
        except PartialResultError as error:
            made = Stored(name, form, error.id, inputs, error.outputs, is_in_error=True)
            self.state.append(made)
            raise
        self.state.append(Stored(name, form, str(made.id), inputs, dict(made.outs)))

    def _update(self, row: Stored, inputs: dict[str, Any]) -> None:
        try:
            changed = self.call(row.form, row.name, "update", row.id, row.outputs, inputs)
        except PartialResultError as error:
            row.inputs, row.outputs, row.is_in_error = inputs, error.outputs, True
            raise
        row.inputs, row.outputs, row.is_in_error = inputs, dict(changed.outs), False

    def _delete_all(self, rows: list[Stored], *, goes_on: bool = False) -> None:
        failure: Exception | None = None
        for row in rows:
            try:
                self._delete(row)
            except Exception as error:
                if not goes_on:
                    raise
                failure = error
        if failure is not None:
            raise failure

    def _delete(self, row: Stored) -> None:
        self.before_delete()
        self.call(row.form, row.name, "delete", row.id, row.outputs)
        self.state.remove(row)
