"""What a run creates in the cloud, noted beforehand, so that a later run finds it."""

from __future__ import annotations

import fcntl
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.find import find_backup, records_for_place
from pulumi_huaweicloud_cbr.api.wire.requests import STATUS_SUBMITTED, ProjectScope
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.one import remove
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, TrackedReplication
from pulumi_huaweicloud_cbr.replication.rules.ownership import DeletionRules, Removal
from tools.live.notes import write_whole

OWNER = "live-suite/make-live"
"""Whose mark the suite's copies have."""
LOOKS = 3
LOOK_AGAIN_S = 2.0


class BusyError(Exception):
    """Another run uses the same files."""


@dataclass(frozen=True)
class Entry:
    """A submission that was sent, or was about to be.

    `known_record_ids` are the backup's earlier records, which are not ours. `record_id` is None
    until an answer contains it.
    """

    backup_id: str
    source_region: str
    source_project_id: str
    destination_region: str
    destination_project_id: str
    destination_vault_id: str
    known_record_ids: tuple[str, ...]
    record_id: str | None = None

    @classmethod
    def of(cls, desired: DesiredReplication, known_record_ids: tuple[str, ...]) -> Entry:
        """Return the entry to write before a submission."""
        return cls(
            backup_id=desired.backup_id,
            source_region=desired.source.region,
            source_project_id=desired.source.project_id,
            destination_region=desired.destination.region,
            destination_project_id=desired.destination.project_id,
            destination_vault_id=desired.destination_vault_id,
            known_record_ids=known_record_ids,
        )

    @property
    def source(self) -> ProjectScope:
        """The source of the copy."""
        return ProjectScope(self.source_region, self.source_project_id)

    def tracked(self, record_id: str) -> TrackedReplication:
        """Return the replication that the package can delete."""
        return TrackedReplication(
            backup_id=self.backup_id,
            source=self.source,
            destination=ProjectScope(self.destination_region, self.destination_project_id),
            destination_vault_id=self.destination_vault_id,
            replication_record_id=record_id,
            status=STATUS_SUBMITTED,
        )

    def __str__(self) -> str:
        what = f"record ({self.record_id})" if self.record_id else "a copy, if it was accepted,"
        return (
            f"{what} of backup ({self.backup_id}) to vault ({self.destination_vault_id}) "
            f"in region {self.destination_region!r}"
        )


class Ledger:
    """The entries that are not known to be gone, for one process at a time.

    Raises:
        BusyError: another process has it.
    """

    def __init__(self, directory: Path) -> None:
        self._file = directory / "made.json"
        self._lock: IO[str] = (directory / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise BusyError(f"another run works with {directory}; wait for it") from None
        self._entries: list[Entry] = []
        if self._file.exists():
            for row in json.loads(self._file.read_text(encoding="utf-8")):
                self._entries.append(
                    Entry(**{**row, "known_record_ids": tuple(row["known_record_ids"])})
                )

    def close(self) -> None:
        """Release the ledger for other processes."""
        self._lock.close()

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What may still be in the cloud."""
        return tuple(self._entries)

    def add(self, entry: Entry) -> None:
        """Note a submission that is about to be sent."""
        self._entries.append(entry)
        self._write()

    def accepted(self, entry: Entry, record_id: str) -> Entry:
        """Note the record of the submission."""
        followed = replace(entry, record_id=record_id)
        # In one write, so that an entry exists at any time.
        self._entries[self._entries.index(entry)] = followed
        self._write()
        return followed

    def drop(self, entry: Entry) -> None:
        """Note that nothing exists, or no longer."""
        self._entries.remove(entry)
        self._write()

    def _write(self) -> None:
        write_whole(self._file, json.dumps([asdict(entry) for entry in self._entries], indent=2))


OWN = DeletionRules(Removal.REMOVED, frozenset({OWNER}), is_forced=True)
"""What the suite made itself is deleted in any case."""


async def remove_made(api: CbrClient, ledger: Ledger, report: Reporter) -> None:
    """Delete exactly what the ledger names; wait for a running copy first.

    Each entry is dropped once it is gone, so this may be interrupted and run again.
    """
    for entry in ledger.entries:
        report.tell(f"cleaning up {entry}")
        for record_id in [entry.record_id] if entry.record_id else await _records_of(api, entry):
            await remove(api, entry.tracked(record_id), report, OWN)
        ledger.drop(entry)


async def _records_of(api: CbrClient, entry: Entry) -> list[str]:
    """Return the records of a submission without an answer; they may be late.

    Raises:
        NotFoundError: the backup is gone, so its replica cannot be found.
    """
    for look in range(LOOKS):
        if look:
            await api.clock.sleep(LOOK_AGAIN_S)
        backup = await find_backup(api, entry.source, entry.backup_id)
        destination = ProjectScope(entry.destination_region, entry.destination_project_id)
        found = [
            record.id
            for record in records_for_place(backup, destination, entry.destination_vault_id)
            if record.id not in entry.known_record_ids
            # A record that tells no place may be somebody else's.
            and (record.destination_vault_id or entry.destination_vault_id)
            == entry.destination_vault_id
            and (record.destination_vault_id or record.destination_region)
        ]
        if found:
            return found
    return []
