"""Which resources of the stack have a replication, as the stack's state records it.

The engine calls a provider only about resources that an operation visits. With ``--target`` and in
``destroy`` that is not all. The state has all of them. The CLI that started this process can export
it in the middle of an operation, without a lock and without secrets (seen with CLI 3.255, 3.260).
What follows from it does not belong here: see `resources._forms.owners`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from pulumi_huaweicloud_cbr.base.host import current_host

EXPORT_LIMIT_S = 120.0
"""Far above the time of an export, which is about half a second."""

_OURS = "/huaweicloud_cbr:"
"""A part of the type of each resource of this package."""
_SINGLE = "/huaweicloud_cbr:BackupReplication"
"""The end of the type of a single replication, whose id is that of its record."""
_MARKER = "4dabf18193072939515e22adb298388d"
"""The key that marks a secret in a deployment (Pulumi SDK, resource.SigKey)."""


class UnreadableStateError(Exception):
    """The stack's state cannot be read; the text says why."""


class Entry(msgspec.Struct, frozen=True):
    """A resource in the state. `is_left_over`: the engine will delete it after a replacement."""

    urn: str
    is_left_over: bool = False


class StackState:
    """The resources of this package in a stack's state, by replication record id."""

    def __init__(self, resources: list[dict[str, Any]]) -> None:
        self._entries: defaultdict[str, set[Entry]] = defaultdict(set)
        self.has_secret_rows = False
        """Whether the rows of a resource are secret, so that its replications are not known."""
        for resource in resources:
            if _OURS in resource.get("type", ""):
                entry = Entry(resource.get("urn", ""), bool(resource.get("delete")))
                self.has_secret_rows |= _has_secret_rows(resource)
                for record_id in _records_of(resource):
                    self._entries[record_id].add(entry)

    def entries_of(self, record_id: str) -> frozenset[Entry]:
        """Return the resources that have a replication."""
        return frozenset(self._entries.get(record_id, ()))

    @property
    def record_ids(self) -> frozenset[str]:
        """Return all replications of the stack."""
        return frozenset(self._entries)


Export = Callable[[str, bool], bytes]
"""Returns a deployment as JSON: for the URN of one of its resources, and whether secret values are
to be in plain text."""


class _Reading:
    """The state of this process's operation, exported at first use."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.export: Export = export_by_cli
        self.state: StackState | None = None
        self.failure: UnreadableStateError | None = None


def read_stack_state(urn: str) -> StackState:
    """Return the stack's state; one export serves all calls of an operation.

    Args:
        urn: of a resource in the stack.
    Raises:
        UnreadableStateError: it cannot be read.
    """
    reading = current_host().part(_Reading)
    with reading.lock:
        if reading.failure is not None:
            raise reading.failure
        if reading.state is None:
            try:
                state = StackState(_resources_in(reading.export(urn, False)))
                if state.has_secret_rows:
                    # Backup ids that are secret make the rows secret. They stay in this process.
                    text = reading.export(urn, True)
                    state = StackState(_resources_in(text))
                reading.state = state
            except UnreadableStateError as failure:
                reading.failure = failure
                raise
        return reading.state


def use_export(export: Export) -> None:
    """Read the stack's state in this way from now on, and forget what was read."""
    current_host().renew(_Reading)
    current_host().part(_Reading).export = export


def export_by_cli(urn: str, with_secrets: bool) -> bytes:
    """Return the deployment that the CLI exports.

    The stack's short name may be ambiguous, as with organisations. So the selected stack is tried
    too, and what is returned has the stack and the project of the URN.

    Raises:
        UnreadableStateError: there is no CLI, or it exports no such stack.
    """
    stack = urn.split("::", maxsplit=1)[0].removeprefix("urn:pulumi:")
    cli = _cli()
    if not stack or cli is None:
        raise UnreadableStateError("the pulumi CLI was not found")
    reason = ""
    secrets = ["--show-secrets"] if with_secrets else []
    for selection in (["--stack", stack], []):
        try:
            done = subprocess.run(
                [cli, "stack", "export", *selection, *secrets, "--non-interactive"],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=EXPORT_LIMIT_S,
                env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
                check=False,
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise UnreadableStateError(f"pulumi stack export did not end: {error}") from error
        if done.returncode == 0 and _is_of_stack(done.stdout, urn):
            return done.stdout
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        reason = reason or (last[0] if last else "it exported another stack")
    raise UnreadableStateError(f"pulumi stack export --stack {stack}: {reason}")


def _cli() -> str | None:
    """Return the CLI that started this process, or the one on the path."""
    try:
        parent = Path(f"/proc/{os.getppid()}/exe").readlink()
    except OSError:
        parent = None
    if parent is not None and parent.name == "pulumi" and os.access(parent, os.X_OK):
        return str(parent)
    return shutil.which("pulumi")


def _is_of_stack(deployment: bytes, urn: str) -> bool:
    """Whether all resources have the stack and the project of a URN."""
    start = "::".join(urn.split("::")[:2]) + "::"
    return all(str(row.get("urn", "")).startswith(start) for row in _resources_in(deployment))


def _resources_in(deployment: bytes) -> list[dict[str, Any]]:
    try:
        document = msgspec.json.decode(deployment)
    except msgspec.DecodeError as error:
        raise UnreadableStateError(f"pulumi stack export wrote no JSON: {error}") from error
    inner = document.get("deployment") if isinstance(document, Mapping) else None
    rows = inner.get("resources") if isinstance(inner, Mapping) else None
    return [row for row in rows or [] if isinstance(row, dict)]


def _has_secret_rows(resource: Mapping[str, Any]) -> bool:
    outputs = resource.get("outputs")
    members = outputs.get("members") if isinstance(outputs, Mapping) else None
    if not isinstance(members, Mapping):
        return False
    return _MARKER in members or any(
        isinstance(row, Mapping) and (_MARKER in row or _is_secret(row, "replication_record_id"))
        for row in members.values()
    )


def _is_secret(row: Mapping[str, Any], field: str) -> bool:
    value = row.get(field)
    return isinstance(value, Mapping) and _MARKER in value


def _records_of(resource: Mapping[str, Any]) -> Iterator[str]:
    """Return the replications of a resource: those of its rows, or its own id."""
    outputs = resource.get("outputs")
    members = outputs.get("members") if isinstance(outputs, Mapping) else None
    if isinstance(members, Mapping):
        for row in members.values():
            if isinstance(row, Mapping) and isinstance(row.get("replication_record_id"), str):
                yield row["replication_record_id"]
    elif str(resource.get("type", "")).endswith(_SINGLE) and resource.get("id"):
        yield str(resource["id"])
