"""What a preview knows and Pulumi's JSON does not carry, as lines of a file for `ci preview`.

Sizes, ages and free room; what is adopted; which members that leave are really deleted. `ci
preview` names a folder in the environment, and each plugin process writes a file there. Without
that folder nothing is written, and nothing behaves otherwise. What is made of the lines does not
belong here: see `commands.ci`.

With the folder, a refusal of one resource is written instead of ending the preview, so that one run
tells the faults of all of them. `ci preview` then fails. `pulumi up` never has the folder.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.process import process_state
from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.engine.call import current_call

if TYPE_CHECKING:
    from pulumi.dynamic import CheckFailure

VARIABLE = "CBR_PREVIEW_FACTS"
"""The environment variable with the folder, which exists only while `ci preview` runs."""
PATTERN = "facts-*.jsonl"

Facts = Iterable[Mapping[str, Any]]


class _Writing:
    """The lock of the process's file; two calls may write at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


def are_wanted() -> bool:
    """Whether a `ci preview` reads the facts."""
    folder = os.environ.get(VARIABLE)
    return bool(folder) and Path(folder or "").is_dir()


def note(facts: Facts) -> None:
    """Write facts about the resource of the current call; known secrets are redacted."""
    if not are_wanted():
        return
    urn = current_call().urn
    lines = [redact(json.dumps({"urn": urn, **fact}, ensure_ascii=True)) for fact in facts]
    if not lines:
        return
    path = Path(os.environ[VARIABLE], f"facts-{os.getpid()}.jsonl")
    with process_state().part(_Writing).lock, path.open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def note_refusal(reason: str, field: str = "") -> None:
    """Write that `up` would refuse the resource of the current call."""
    note([{"kind": "refused", "field": field, "reason": reason}])


def deferred(failures: list[CheckFailure]) -> list[CheckFailure]:
    """Return the failures that end the preview; the others are written as refusals.

    A failure without a property is one of the service or of the settings. All other resources would
    meet it as well, so it ends the preview at once.
    """
    if not are_wanted() or any(not failure.property for failure in failures):
        return failures
    for failure in failures:
        note_refusal(failure.reason, failure.property)
    return []
