"""What each command does after drift, as data: one row per situation.

`test_drift.py` creates each situation with the real CLI and compares the results. The table in the
user guide is written from here.
"""

from __future__ import annotations

from dataclasses import dataclass

NOTHING = "nothing"
COPIES = "copies again"
KEPT = "kept"
DROPPED = "dropped"
SAME = "no change"


@dataclass(frozen=True)
class Drift:
    """A situation and its results: of `up` alone, or of `refresh`, `preview` and `up`."""

    key: str
    title: str
    plain_up: str
    refresh: str
    preview: str
    up: str


def quiet(key: str, title: str, refresh: str = KEPT) -> Drift:
    """Return a situation in which nothing is done."""
    return Drift(key, title, NOTHING, refresh, SAME, NOTHING)


def refused(field: str) -> str:
    """Return the result of a command that preflight refuses; it names the input to change."""
    return f"refused: `{field}`"


_VAULT = refused("destination_vault_id")
_SOURCE = refused("backup_id")

DRIFTS = (
    quiet("source_expired", "source expired, replica exists", "kept, `source_deleted: true`"),
    Drift(
        "source_and_replica_gone",
        "source expired, replica deleted",
        *(NOTHING, DROPPED, _SOURCE, _SOURCE),
    ),
    quiet(
        "source_deleted_copying",
        "source deleted, copy under way",
        "kept, `source_deleted: true`",
    ),
    quiet(
        "source_deleted_copied",
        "source deleted while the copy was under way, copy ended",
        "kept, `status: success`, `source_deleted: true`",
    ),
    quiet("source_busy", "source `restoring` after the copy"),
    Drift("replica_deleted", "replica deleted", NOTHING, DROPPED, "create", COPIES),
    Drift(
        "replica_deleted_unseen",
        "replica deleted before any `refresh` saw it",
        *(COPIES, DROPPED, "create", COPIES),
    ),
    quiet(
        "replica_late",
        "record `success`, replica visible only at a later poll",
        "kept, `status: success`",
    ),
    Drift(
        "replica_leaving",
        "replica being deleted",
        *(NOTHING, DROPPED, "create", "waits, then copies again"),
    ),
    Drift(
        "replica_renamed",
        "replica renamed, `name` declared",
        *(NOTHING, "kept, `name: somebody-elses`", "update", "renames it back"),
    ),
    quiet("replica_renamed_freely", "replica renamed, no `name` declared"),
    Drift("vault_deleted", "vault deleted with everything in it", NOTHING, DROPPED, _VAULT, _VAULT),
    quiet("vault_frozen", "vault frozen"),
    Drift(
        "vault_frozen_replacement",
        "vault frozen, and a change that replaces",
        *(_VAULT, KEPT, _VAULT, _VAULT),
    ),
    Drift(
        "other_vault_first",
        "new resource, and another vault already has the region's replica",
        *(_VAULT, "nothing to look at", _VAULT, _VAULT),
    ),
    Drift(
        "other_vault_later",
        "replica deleted, and somebody copied to another vault",
        *(NOTHING, DROPPED, _VAULT, _VAULT),
    ),
    Drift(
        "copy_failed", "copy failed", COPIES, "kept, `status: fail`, a warning", "replace", COPIES
    ),
    Drift(
        "copy_skipped", "copy skipped", COPIES, "kept, `status: skip`, a warning", "replace", COPIES
    ),
    quiet("record_lost", "record no longer listed"),
    quiet(
        "record_lost_unseen",
        "record no longer listed, replica not yet seen by any `refresh`",
        "kept, `status: success`",
    ),
    quiet(
        "status_unknown",
        "record with an unknown status, such as `paused`",
        "kept, `status: paused`, a warning",
    ),
)


def table() -> str:
    """Return the situations as a Markdown table."""
    head = "| what happened | `up` alone | `refresh` | then `preview` | then `up` |"
    rows = [
        f"| {row.title} | {row.plain_up} | {row.refresh} | {row.preview} | {row.up} |"
        for row in DRIFTS
    ]
    return "\n".join([head, "|---" * 5 + "|", *rows])
