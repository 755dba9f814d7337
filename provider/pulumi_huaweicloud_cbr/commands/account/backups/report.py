"""The result of `backups`: plain values about backups and their copies, and the JSON document.

Nothing here queries the API: `examiner` does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pulumi_huaweicloud_cbr.commands._cli.text import redacted

FORMAT = 1
"""Of the JSON document. A new number means that a member was removed or has another meaning."""

BACKUP, REPLICATION = "backup", "replication"
"""The values of `image_type`, as CBR has them."""


@dataclass(frozen=True)
class CopyLook:
    """The newest replication record of a backup for a region; values are the record's own.

    `failure` tells why there is no copy, if the record says that it failed. `is_there` tells
    whether the destination has the replica; None if it was not asked.
    """

    region: str | None
    status: str | None
    progress: int | None
    project_id: str | None
    vault_id: str | None
    record_id: str
    replica_id: str | None
    created_at: str | None
    failure: str | None
    is_there: bool | None = None


@dataclass(frozen=True)
class BackupLook:
    """A backup, or a replica. `age_s` is the time since `created_at`, in seconds.

    No document tells whether `created_at` of a replica is the time of the backup or of the copy.
    `copies` is None if CBR does not tell the backup's records, and for a replica. `owner` is the
    stack that a replica's mark names.
    """

    id: str
    name: str | None
    resource_id: str | None
    resource_name: str | None
    resource_type: str | None
    vault_id: str | None
    size_gb: int | None
    status: str | None
    created_at: str | None
    age_s: int | None
    expired_at: str | None
    owner: str | None
    copies: tuple[CopyLook, ...] | None


@dataclass(frozen=True)
class Report:
    """The whole result; the newest backup is the first.

    `filters` is what was asked for, in words. `is_cut`: there are more backups than `--limit`.
    """

    region: str
    project_id: str
    image_type: str
    filters: tuple[str, ...]
    is_cut: bool
    backups: tuple[BackupLook, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints; docs/reference/commands.md describes it."""
        values = asdict(self)
        backups = values.pop("backups")
        document = {"format": FORMAT, **values, "count": len(backups), "backups": backups}
        shown: dict[str, Any] = redacted(document)
        return shown
