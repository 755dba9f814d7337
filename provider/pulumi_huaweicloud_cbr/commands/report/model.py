"""The result of `report`: plain values, and their JSON document.

Times are UTC texts as CBR writes them, and ages are whole seconds. Sizes are GB as CBR tells them:
those of the disks, not of the data (CBR API reference, ListBackups, resource_size).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from pulumi_huaweicloud_cbr.commands._cli.text import redacted

FORMAT = 1
"""Of the JSON document. A new number means that a member was removed or has another meaning."""

MET, MISSED, UNJUDGED, UNSEEN = "met", "missed", "unjudged", "unseen"
"""Verdicts. `UNJUDGED`: there is no objective. `UNSEEN`: what is needed could not be seen, such as
a region, or the age of a copy whose source is gone."""
VERDICTS = (MISSED, UNSEEN, MET, UNJUDGED)
"""From the one that needs a person first to the one that needs none."""

USABLE, RUNNING, UNUSABLE = "usable", "running", "unusable"
"""States of a copy: it can be restored; it is being made; CBR says that it is in error."""

IN_STATE, ORPHAN, UNCLEAR = "in_state", "orphan", "unclear"
OTHER_STACK, UNMARKED = "other_stack", "unmarked"
OWNERS = (IN_STATE, UNCLEAR, OTHER_STACK, ORPHAN, UNMARKED)
"""Who owns a copy, as `owners` says it (docs/how-to/find-orphans.md)."""
UNDECLARED = frozenset({ORPHAN, UNMARKED})
"""Owners of copies that no stack declares."""


@dataclass(frozen=True)
class Area:
    """A project whose backups were read, or why they could not be.

    `backup_count` and `replica_count` are those that exist there.
    """

    region: str
    project_id: str | None
    is_source: bool = False
    is_destination: bool = False
    backup_count: int = 0
    replica_count: int = 0
    unseen_because: str | None = None


@dataclass(frozen=True)
class CopyLook:
    """A replica, or a copy that is being made and shows no replica yet (`id` is None then).

    `made_at` is when the source backup was made. `is_time_of_copy`: the source is gone, so that it
    is what CBR says of the replica, which may be the time of the copy. `owner` is one of `OWNERS`;
    `held_by` names the resource that has it, or the stack of its mark.
    """

    id: str | None
    name: str | None
    resource_key: str
    region: str
    project_id: str
    vault_id: str | None
    backup_id: str | None
    made_at: str | None
    age_s: int | None
    is_time_of_copy: bool
    size_gb: int
    state: str
    owner: str
    held_by: str | None = None


@dataclass(frozen=True)
class Failure:
    """An attempt to copy a backup that failed, with no copy of that backup in the region since."""

    resource_key: str
    region: str
    backup_id: str
    backup_name: str | None
    made_at: str | None
    attempted_at: str | None
    reason: str


@dataclass(frozen=True)
class There:
    """The copies of one resource in one destination region.

    `newest_*` are of the newest usable copy, None without one. `count` and `size_gb` are of all
    usable copies. `is_wanted`: an entry of a configuration declares copies here. `rpo_s` is the
    strictest objective of those entries, None without one. `last_failure` is why the last attempt
    failed, if it was one with a newer backup than those copied.

    If entries name several projects of the region, `verdict`, `newest_*` and `rpo_s` are of the
    project that needs a person most. `project_id` names it, if the region has several.
    `has_doubt`: it is not judged because of a usable copy that may be young enough, and of which it
    is not known when its backup was made.
    """

    region: str
    is_wanted: bool
    verdict: str
    count: int = 0
    size_gb: int = 0
    running_count: int = 0
    unusable_count: int = 0
    failure_count: int = 0
    newest_id: str | None = None
    newest_made_at: str | None = None
    newest_age_s: int | None = None
    is_time_of_copy: bool = False
    last_failure: str | None = None
    rpo_s: int | None = None
    project_id: str | None = None
    has_doubt: bool = False


@dataclass(frozen=True)
class Resource:
    """A server, a file system or a disk that vaults protect, with its copies elsewhere.

    `source_region` is None if no source that was read has it. `rpo_s` is how old the newest copy
    may be, None without an objective. `owner` and `tier` are those of the configuration. `entries`
    name what declares its copies. `reason` says why an objective is missed or was not judged.
    """

    key: str
    id: str | None
    name: str
    type: str | None
    source_region: str | None
    source_project_id: str | None
    vault_name: str | None
    backup_count: int
    newest_backup_at: str | None
    newest_backup_age_s: int | None
    rpo_s: int | None
    owner: str | None
    tier: str | None
    entries: tuple[str, ...]
    verdict: str
    reason: str | None
    there: tuple[There, ...] = ()

    @property
    def copy_count(self) -> int:
        """Return the number of usable copies in all regions."""
        return sum(one.count for one in self.there)

    @property
    def is_without_copy(self) -> bool:
        """Whether a resource of a source has no usable copy; not if nobody can know that."""
        return not self.copy_count and self.source_region is not None and self.verdict != UNSEEN

    @property
    def newest(self) -> There | None:
        """Return the destination with the newest usable copy."""
        aged = [one for one in self.there if one.newest_age_s is not None]
        return min(aged, key=lambda one: one.newest_age_s or 0, default=None)


@dataclass(frozen=True)
class VaultLook:
    """A vault with its room, and what came into it within `GROWTH_DAYS` and is still there.

    `used_gb` and `free_gb` are None if CBR does not tell. `full_in_days`: how long the free room
    lasts at that pace if nothing is deleted; None without growth.
    """

    region: str
    project_id: str
    id: str
    name: str | None
    takes_replicas: bool
    size_gb: int | None
    used_gb: float | None
    free_gb: float | None
    copy_count: int
    added_gb: int
    full_in_days: int | None


GROWTH_DAYS = 30


@dataclass(frozen=True)
class Flow:
    """All usable copies from one region to another; `source_region` is None if it is not known.

    `missed_count` is the number of resources that miss their objective in this destination.
    `storage` and `transfer` are costs by the user's prices, None without a price: of keeping these
    copies for a month, and of the copies that came within 30 days.
    """

    source_region: str | None
    region: str
    resource_count: int
    copy_count: int
    size_gb: int
    missed_count: int
    added_gb: int = 0
    storage: float | None = None
    transfer: float | None = None


@dataclass(frozen=True)
class Report:
    """The whole result. `rpo_s` is the objective of all resources without one of their own."""

    made_at: str
    stacks: tuple[str, ...] = ()
    rpo_s: int | None = None
    currency: str | None = None
    areas: tuple[Area, ...] = ()
    resources: tuple[Resource, ...] = ()
    copies: tuple[CopyLook, ...] = ()
    failures: tuple[Failure, ...] = ()
    vaults: tuple[VaultLook, ...] = ()
    flows: tuple[Flow, ...] = ()
    remarks: tuple[str, ...] = field(default=())
    """What could not be read beside regions, such as the state of a resource."""

    def having(self, verdict: str) -> list[Resource]:
        """Return the resources with a verdict."""
        return [one for one in self.resources if one.verdict == verdict]

    @property
    def without_copy(self) -> list[Resource]:
        """Return the resources of the sources that have no usable copy in what was read."""
        return [one for one in self.resources if one.is_without_copy]

    @property
    def undeclared(self) -> list[CopyLook]:
        """Return the copies that no stack declares."""
        return [one for one in self.copies if one.id is not None and one.owner in UNDECLARED]

    @property
    def unseen(self) -> list[Area]:
        """Return the areas that could not be read."""
        return [one for one in self.areas if one.unseen_because]

    @property
    def saw_all_destinations(self) -> bool:
        """Whether no copy can be hidden in a destination that could not be read."""
        return not any(one.is_destination for one in self.unseen)

    @property
    def is_complete(self) -> bool:
        """Whether everything was read that was asked for."""
        return not self.unseen and not self.remarks

    @property
    def counts(self) -> dict[str, int]:
        """Return the numbers that a reader looks at first."""
        verdicts = Counter(one.verdict for one in self.resources)
        states = Counter(one.state for one in self.copies)
        return {
            "resources": len(self.resources),
            **{verdict: verdicts[verdict] for verdict in VERDICTS},
            "without_copy": len(self.without_copy),
            "copies": states[USABLE],
            "copies_running": states[RUNNING],
            "copies_unusable": states[UNUSABLE],
            "undeclared": len(self.undeclared),
            "failures": len(self.failures),
            "size_gb": sum(one.size_gb for one in self.flows),
        }

    def to_json(self) -> dict[str, Any]:
        """Return the document that `--json` prints (docs/how-to/report.md)."""
        values = {"format": FORMAT, "is_complete": self.is_complete, "counts": self.counts}
        document: dict[str, Any] = redacted({**values, **asdict(self)})
        return document
