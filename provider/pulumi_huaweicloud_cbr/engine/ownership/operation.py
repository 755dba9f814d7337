"""Notes of the current operation: what the engine asked, what the program declares, who has what.

An operation of the engine has its own plugin process. The engine calls a provider about one
resource at a time. Two resources may be about the same replication. They are the old and the new
one of a replacement, or of a resource that was renamed in the program. That is visible only once
both were seen, so each call leaves notes.

Only notes of claims and holders are about resources that will exist afterwards. A refresh covers
all resources of the state, also those that are deleted afterwards. So it leaves no such note.
Nothing here calls the API.
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from typing import Any

from msgspec import Struct

from pulumi_huaweicloud_cbr.base.process import process_state

QUIET_S, QUIET_LOOKS = 1.0, 10
"""Seconds without a call of the engine, before a replica is deleted that another resource may
declare; and the most such periods to wait for."""


class DiffOf(Enum):
    """Why the engine asks for a diff.

    It gives no reason; the calls before it for the same resource show the reason (seen with CLI
    3.255). `PROGRAM`: the program declares the resource, and `check` was called before. `REFRESH`:
    `read` was called before; the inputs are those of the state. `DEPENDENCY`: neither. Something
    that the resource depends on will be replaced, and the program has not declared it yet.
    """

    PROGRAM = auto()
    REFRESH = auto()
    DEPENDENCY = auto()


class VaultClaim(Struct, frozen=True):
    """An entire vault that a resource of the program copies, and where to; ids in lower case."""

    source_region: str
    vault_id: str
    destination_region: str
    destination_vault_id: str

    def is_same_copy(self, other: VaultClaim) -> bool:
        """Whether both copy the same vault to the same region, into whichever vault."""
        return (
            self.source_region == other.source_region
            and self.vault_id == other.vault_id
            and self.destination_region == other.destination_region
        )


class Operation:
    """The notes of one operation, by URN and by record id; used by several threads.

    The URN is empty if the plugin does not pass it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._checked: set[str] = set()
        self._checked_anew: set[str] = set()
        self._read: Counter[str] = Counter()
        self._replaced: defaultdict[str, set[str]] = defaultdict(set)
        self._created_first: set[str] = set()
        self._made: set[str] = set()
        self._made_records: set[str] = set()
        self._held: defaultdict[str, set[str]] = defaultdict(set)
        self._given_up: defaultdict[str, set[str]] = defaultdict(set)
        self._claimed: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._claimed_vaults: dict[str, VaultClaim] = {}
        self._vaults: set[tuple[str, ...]] = set()
        self._nothing_to_copy: set[str] = set()
        self._kept: dict[str, Any] = {}
        self._rolling_places: set[tuple[str, ...]] = set()
        self._rolling: set[str] = set()
        self._calls = 0
        self._calls_under_way = 0

    # -- what the engine does ---------------------------------------------------------------

    @contextmanager
    def call_about_program(self) -> Iterator[None]:
        """Note that the engine calls `check` or `diff`, and when it has its answer."""
        with self._lock:
            self._calls += 1
            self._calls_under_way += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls_under_way -= 1

    def note_checked(self, urn: str, *, is_new: bool) -> None:
        """Note that the program declares a resource.

        Args:
            is_new: the engine passed no old inputs. So it is about to create the resource. It
                checks it before it deletes the one that this replaces.
        """
        with self._lock:
            self._checked.add(urn)
            del self._read[urn]
            if is_new:
                self._checked_anew.add(urn)

    def note_read(self, urn: str) -> None:
        """Note that a resource is refreshed."""
        with self._lock:
            self._checked.discard(urn)
            self._read[urn] += 1

    def reason_of_diff(self, urn: str) -> DiffOf:
        """Return why the engine asks for a diff now; each `read` counts for one diff."""
        with self._lock:
            if urn in self._checked:
                return DiffOf.PROGRAM
            if self._read[urn]:
                self._read[urn] -= 1
                return DiffOf.REFRESH
            return DiffOf.DEPENDENCY

    async def settled(self, sleep: Callable[[float], Awaitable[None]]) -> None:
        """Wait until the engine has probably called about all resources.

        It calls as the program declares resources, all within moments, unless some depend on
        others. A call without an answer may still leave a note, however long it takes.
        """
        looks = 0
        while looks < QUIET_LOOKS:
            calls = self._calls
            await sleep(QUIET_S)
            if self._calls_under_way:
                continue
            if calls == self._calls:
                return
            looks += 1

    # -- what the program declares ----------------------------------------------------------

    def note_claimed(self, urn: str, copies: Iterable[tuple[str, str]]) -> None:
        """Note the copies that a resource of the program declares, whether they exist yet or not.

        Args:
            copies: pairs of a backup's id and a region.
        """
        with self._lock:
            self._claimed[urn] = {(backup_id.lower(), region) for backup_id, region in copies}

    def claimant_of(self, backup_id: str, region: str, *, besides: str) -> str | None:
        """Return the URN of another resource of the program that declares a copy, None if none.

        Args:
            besides: the URN of the calling resource. If it is empty, its own claims count too.
        """
        copy = (backup_id.lower(), region)
        with self._lock:
            for urn, copies in self._claimed.items():
                if copy in copies and (not besides or urn != besides):
                    return urn
            return None

    def is_claimed(self, backup_id: str, region: str, *, besides: str) -> bool:
        """Whether another resource of the program declares a copy; see `claimant_of`."""
        return self.claimant_of(backup_id, region, besides=besides) is not None

    def claims(self, urn: str, backup_id: str, region: str) -> bool:
        """Whether a resource of the program declares a copy itself."""
        with self._lock:
            return (backup_id.lower(), region) in self._claimed[urn]

    def backups_of_others(self, region: str, *, besides: str) -> frozenset[str]:
        """Return the backups, in lower case, whose copies to a region other resources declare."""
        with self._lock:
            return frozenset(
                backup_id
                for urn, copies in self._claimed.items()
                if urn != besides
                for backup_id, to_region in copies
                if to_region == region
            )

    def backups_claimed(self, urn: str) -> frozenset[str]:
        """Return the ids of the backups that a resource declares, in lower case."""
        with self._lock:
            return frozenset(backup_id for backup_id, _ in self._claimed[urn])

    def note_vault_claimed(self, urn: str, claim: VaultClaim) -> None:
        """Note an entire vault that a resource of the program copies: it claims all backups."""
        with self._lock:
            self._claimed_vaults[urn] = claim

    def vault_claimant_of(self, claim: VaultClaim, *, besides: str) -> str | None:
        """Return the URN of another resource that copies the vault to that region, or None."""
        with self._lock:
            for urn, other in self._claimed_vaults.items():
                if urn != besides and other.is_same_copy(claim):
                    return urn
            return None

    def vaults_claimed(self, *, besides: str) -> list[VaultClaim]:
        """Return the entire vaults that other resources of the program copy; see `is_claimed`."""
        with self._lock:
            return [
                claim
                for urn, claim in self._claimed_vaults.items()
                if not besides or urn != besides
            ]

    def note_vault(self, identity: tuple[str, ...]) -> None:
        """Note a vault and its destination that a resource of the program copies as a whole."""
        with self._lock:
            self._vaults.add(identity)

    def is_vault_copied(self, identity: tuple[str, ...]) -> bool:
        """Whether a resource that will exist after the operation copies the vault there."""
        with self._lock:
            return identity in self._vaults

    def note_plan(self, urn: str, *, is_more: bool) -> None:
        """Note whether the last diff of an entire vault found anything to copy, adopt or drop."""
        with self._lock:
            self._nothing_to_copy.discard(urn)
            if urn and not is_more:
                self._nothing_to_copy.add(urn)

    def has_nothing_to_copy(self, urn: str) -> bool:
        """Whether the diff of an entire vault found that only its state changes."""
        with self._lock:
            return urn in self._nothing_to_copy

    def note_kept(self, asked: str, members: Any) -> None:
        """Note the members that a set may keep beside those that the program lists.

        If the set is replaced, the engine checks it again, without old inputs.

        Args:
            asked: a key that is the same in both calls.
        """
        with self._lock:
            self._kept[asked] = members

    def kept(self, asked: str) -> Any:
        """Return the members that were noted under this key, None if there are none."""
        with self._lock:
            return self._kept.get(asked)

    def note_rolling(
        self, place: tuple[str, ...], record_ids: Iterable[str], *, is_new: bool
    ) -> None:
        """Note a rolling set that will exist after the operation, and its replications.

        Args:
            is_new: it was created in this operation, so it may be an old one under another name.
        """
        with self._lock:
            self._rolling.update(record_ids)
            if is_new:
                self._rolling_places.add(place)

    def is_rolling_on(self, place: tuple[str, ...], record_ids: Iterable[str]) -> bool:
        """Whether a noted rolling set may be the same as a deleted one, by place or by records."""
        with self._lock:
            return place in self._rolling_places or not self._rolling.isdisjoint(record_ids)

    # -- who has replications -----------------------------------------------------------------

    def note_replaced(
        self, urn: str, record_ids: Iterable[str], *, is_created_first: bool = False
    ) -> None:
        """Note a resource that will be replaced, and its replications.

        Args:
            is_created_first: the new one is created before the old one is deleted.
        """
        with self._lock:
            self._replaced[urn].update(record_ids)
            if is_created_first:
                self._created_first.add(urn)

    def is_created_first(self, urn: str) -> bool:
        """Whether a resource gets a successor that is created before it is deleted."""
        with self._lock:
            return urn in self._created_first

    def note_diff(
        self,
        urn: str,
        asked_for: DiffOf,
        record_ids: Iterable[str],
        *,
        is_replaced: bool,
        is_created_first: bool = False,
    ) -> None:
        """Note the result of a diff for a resource's replications: they are kept, or replaced.

        A refresh does not show what happens after it. A resource that a diff for a dependency
        leaves unchanged may still be deleted, if the program no longer declares it.
        """
        if is_replaced and asked_for is not DiffOf.REFRESH:
            self.note_replaced(urn, record_ids, is_created_first=is_created_first)
        elif not is_replaced and asked_for is DiffOf.PROGRAM:
            self.note_held(urn, record_ids)

    def is_replaced(self, urn: str) -> bool:
        """Whether a resource that is deleted now has, or gets, a successor of the same URN.

        Either its diff said so, or the engine has checked the successor. With `--replace`, and for
        a tainted resource, the engine asks for no diff. Without a URN, only a diff shows it.
        """
        with self._lock:
            return urn in self._replaced or bool(urn and urn in self._checked_anew)

    @property
    def replaced(self) -> frozenset[str]:
        """The replications that will be replaced, so they do not conflict with their successors."""
        with self._lock:
            return frozenset().union(*self._replaced.values())

    def note_held(self, urn: str, record_ids: Iterable[str]) -> None:
        """Note replications of a resource that will exist after the operation."""
        with self._lock:
            for record_id in record_ids:
                self._held[record_id].add(urn)

    def note_made(self, urn: str, record_ids: Iterable[str]) -> None:
        """Note a created resource, and its replications, copied or adopted."""
        with self._lock:
            self._made.add(urn)
            self._made_records.update(record_ids)

    def is_made(self, urn: str) -> bool:
        """Whether a resource of that URN was created in this operation."""
        with self._lock:
            return urn in self._made

    def is_held(self, record_id: str, *, besides: str) -> bool:
        """Whether a resource that will exist after the operation has the replication.

        A resource that was created in this operation counts in any case: one of the same URN is a
        successor.

        Args:
            besides: the URN of the calling resource. Its own notes never stop its own deletion. If
                it is empty, all notes count.
        """
        with self._lock:
            holders = self._held.get(record_id, set())
            return record_id in self._made_records or bool(
                holders - {besides} if besides else holders
            )

    def holds_itself(self, urn: str, record_id: str) -> bool:
        """Whether the diff of a resource said that it keeps the replication."""
        with self._lock:
            return urn in self._held.get(record_id, set())

    def give_up(self, urn: str, record_id: str, others: Iterable[str]) -> bool:
        """Leave a replication to others that the stack's state names, if any of them still has it.

        Of two resources that have one replica and are deleted, only the first may leave it.

        Args:
            others: URNs.
        Returns:
            Whether it was left.
        """
        with self._lock:
            if set(others) <= self._given_up[record_id]:
                return False
            self._given_up[record_id].add(urn)
            return True


def current_operation() -> Operation:
    """Return the notes of the operation that this process serves."""
    return process_state().part(Operation)


def begin_operation() -> None:
    """Forget all notes; for tests, in which one process serves many operations."""
    process_state().renew(Operation)
