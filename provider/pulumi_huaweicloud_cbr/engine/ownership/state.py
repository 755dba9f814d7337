"""Which resources of the stack have a replication, as the stack's state records it.

The engine calls a provider only about resources that an operation visits. With ``--target`` and in
``destroy`` that is not all. The state has all of them. The CLI that started this process can export
it in the middle of an operation, without a lock (seen with CLI 3.255, 3.260). The export has no
secret values. If the rows are secret, a second one has them in plain text; they stay in this
process. What follows from it does not belong here: see `resources._forms.owners`.
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

from pulumi_huaweicloud_cbr.base.process import process_state

EXPORT_LIMIT_S = 120.0
"""Far above the time of an export, which is about half a second."""

OURS = "pulumi-python:dynamic/huaweicloud_cbr:"
"""The beginning of the type of each resource of this package."""
SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
"""From the engine's protocol: an object with this key is not plain data (Pulumi, sig.Key)."""


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
            if is_managed(resource):
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


def is_managed(resource: Mapping[str, Any]) -> bool:
    """Whether a resource of the state is of this package, and has replicas to delete.

    What a program only reads, with `get`, is external: it owns nothing.
    """
    is_ours = str(resource.get("type", "")).startswith(OURS)
    return is_ours and not resource.get("external")


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
    reading = process_state().part(_Reading)
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
    process_state().renew(_Reading)
    process_state().part(_Reading).export = export


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
    return _is_signed(members) or any(
        _is_signed(row)
        or (isinstance(row, Mapping) and _is_signed(row.get("replication_record_id")))
        for row in members.values()
    )


def _is_signed(value: object) -> bool:
    return isinstance(value, Mapping) and SIGNATURE_KEY in value


def _records_of(resource: Mapping[str, Any]) -> Iterator[str]:
    """Return the replications of a resource, as far as they can be read."""
    try:
        rows = [row for _, row in replications_of(resource, plain_outputs(resource))]
    except (AttributeError, KeyError, TypeError, ValueError):
        return
    for row in rows:
        if isinstance(row, Mapping) and isinstance(row.get("replication_record_id"), str):
            yield row["replication_record_id"]


def plain_outputs(resource: Mapping[str, Any]) -> Any:
    """Return the outputs of a resource; secrets are plain if they were exported decrypted."""
    return _plain(resource.get("outputs") or {})


def replications_of(
    resource: Mapping[str, Any], outputs: Mapping[str, Any]
) -> Iterator[tuple[str | None, Any]]:
    """Yield what a resource of this package says of each of its replications.

    Args:
        outputs: of `plain_outputs`.
    Returns:
        The label of a member, None for a single replication, with the values about it.
    Raises:
        AttributeError, KeyError, TypeError, ValueError: it is not of the form that we write.
    """
    members = outputs.get("members")
    if members is not None:
        yield from members.items()
    elif outputs.get("destination_vault_id"):
        # The id of a single replication is that of its record. A wait has no replications.
        yield None, {**outputs, "replication_record_id": resource["id"]}


def _plain(value: Any) -> Any:
    """Return a value of the state without the wrapping of decrypted secrets, which is JSON text."""
    if isinstance(value, dict):
        if SIGNATURE_KEY in value and "plaintext" in value:
            return _plain(msgspec.json.decode(value["plaintext"]))
        return {key: _plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_plain(member) for member in value]
    return value
