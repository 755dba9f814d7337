"""The result of `owners`: plain values about replicas, and their JSON document.

Nothing here queries the API: `examiner` does.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from pulumi_huaweicloud_cbr.commands._cli.text import redacted

FORMAT = 1
"""Of the JSON document. A new number means that a member was removed or has another meaning."""

IN_STATE, ORPHAN, UNCLEAR = "in_state", "orphan", "unclear"
"""Groups with this stack: a resource has the replica; its mark alone; perhaps a resource has it."""
OTHER_STACK, UNMARKED = "other_stack", "unmarked"
"""The groups of all other replicas: another stack's mark, and none."""
GROUPS = (IN_STATE, ORPHAN, UNCLEAR, OTHER_STACK, UNMARKED)

GONE, DELETING, FAILED = "gone", "deleting", "failed"
RUNNING, UNNAMED = "running", "unnamed"
UNSEEN = "unseen"
"""Why no replica is known of a row of the state. `UNNAMED`: CBR does not say which one it is.
`UNSEEN`: its destination could not be listed, so the replica may exist."""


@dataclass(frozen=True)
class Origin:
    """The source of a replica, as the source backup's record names it."""

    region: str
    project_id: str
    backup_id: str
    backup_name: str | None
    record_id: str


@dataclass(frozen=True)
class Holder:
    """A resource in the state that has a replica; `member` is a label, None for a single one."""

    urn: str
    name: str
    member: str | None
    is_leaving: bool

    @property
    def title(self) -> str:
        """Return its name, and the member's label if there is one."""
        title = self.name if self.member is None else f"{self.name}: {self.member}"
        return f"{title} (leaving)" if self.is_leaving else title


@dataclass(frozen=True)
class ReplicaLook:
    """A replica in a destination. `owner` is what its mark says, None without a mark.

    `may_be_of`: for an unclear one, the resources whose copy it may be. `import_id` and
    `import_name` are for an orphan that can be imported. `is_left_alone`: a resource has it, but
    its mark is another stack's, so that its deletion is refused.
    """

    group: str
    id: str
    name: str | None
    status: str | None
    region: str
    project_id: str
    vault_id: str | None
    vault_name: str | None
    resource_name: str | None
    resource_type: str | None
    size_gb: int | None
    created_at: str | None
    age_s: int | None
    owner: str | None
    held_by: tuple[Holder, ...] = ()
    may_be_of: tuple[str, ...] = ()
    origin: Origin | None = None
    import_id: str | None = None
    import_name: str | None = None
    is_left_alone: bool = False


@dataclass(frozen=True)
class RowLook:
    """A row of the state of which no replica was found, and why."""

    urn: str
    name: str
    member: str | None
    backup_id: str
    region: str
    project_id: str
    vault_id: str
    replica_id: str | None
    reason: str

    @property
    def title(self) -> str:
        """Return the resource's name, and the member's label if there is one."""
        return self.name if self.member is None else f"{self.name}: {self.member}"


@dataclass
class RegionLook:
    """A project whose backups were listed, or why they could not be.

    `elsewhere_count`: replicas in vaults that the stack does not name, without its mark.
    """

    region: str
    project_id: str | None
    vault_ids: tuple[str, ...] = ()
    replica_count: int = 0
    elsewhere_count: int = 0
    unseen_because: str | None = None


@dataclass
class Report:
    """The whole result.

    `owner` is what the marks of this stack say. `is_marking`: new replicas get a mark.
    `unreadable` are resources whose rows in the state cannot be read.
    """

    stack: str
    owner: str
    is_marking: bool
    pending_count: int = 0
    unreadable: tuple[str, ...] = ()
    destinations: list[RegionLook] = field(default_factory=list)
    sources: list[RegionLook] = field(default_factory=list)
    replicas: list[ReplicaLook] = field(default_factory=list)
    rows_without_replica: list[RowLook] = field(default_factory=list)

    def of(self, group: str) -> list[ReplicaLook]:
        """Return the replicas of a group."""
        return [replica for replica in self.replicas if replica.group == group]

    @property
    def is_complete(self) -> bool:
        """Whether everything was seen that was looked for."""
        looks = (*self.destinations, *self.sources)
        return not self.unreadable and not any(look.unseen_because for look in looks)

    @property
    def is_clean(self) -> bool:
        """Whether everything was seen, and there are no orphans."""
        return self.is_complete and not self.of(ORPHAN)

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints (docs/how-to/find-orphans.md)."""
        values = {
            "format": FORMAT,
            "is_clean": self.is_clean,
            "is_complete": self.is_complete,
            "counts": {group: len(self.of(group)) for group in GROUPS},
            **asdict(self),
        }
        document: dict[str, Any] = redacted(values)
        return document
