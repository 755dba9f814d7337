"""The free steps: what exists, what CBR reports about it, and how it refuses."""

from __future__ import annotations

import uuid
from typing import Any

from pulumi_huaweicloud_cbr.api.auth.signing import LARGEST_SKEW_S, AccessKeys
from pulumi_huaweicloud_cbr.api.client import PAGE_SIZE
from pulumi_huaweicloud_cbr.api.find import find_backup, find_destinations
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.base.errors import CbrError, NotFoundError
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from tools.live.notes import Notes
from tools.live.observed import ObservedClient, outcome, words_of
from tools.live.plan import Plan


class LateClock(SystemClock):
    """A clock difference that is larger than the gateway accepts."""

    def wall_time(self) -> float:
        """Return a time long past."""
        return super().wall_time() - 4 * LARGEST_SKEW_S


class Asking:
    """Reads and refusals; their results go into `notes`."""

    def __init__(self, api: ObservedClient, plan: Plan, notes: Notes, report: Reporter) -> None:
        self._api = api
        self._plan = plan
        self._notes = notes
        self._report = report

    async def read_backup(self) -> None:
        """Check the form of a backup."""
        plan = self._plan
        backup = await find_backup(self._api, plan.source, plan.backup.id)
        row = self._api.raw("backup")
        self._notes.claim(backup.status == "available", "the backup is available")
        self._notes.answer("14.8", f"ShowBackup, before: {records_in(row)}")
        inner = row.get("extend_info") or {}
        holders = (("backup", row), ("extend_info", inner))
        places = [name for name, held in holders if "incremental" in held]
        self._notes.answer("14.15", f"`incremental` stands in: {', '.join(places) or 'neither'}")
        self._notes.answer("14.16", f"created_at of a backup is like {row.get('created_at')!r}")

    async def list_with_filters(self) -> None:
        """Compare the results of lists with filters."""
        plan, api = self._plan, self._api
        own: dict[str, Any] = {"limit": PAGE_SIZE, "resource_id": plan.backup.resource_id}
        found = await api.list_backups(plan.source, **own)
        self._notes.claim(
            plan.backup.id in {backup.id for backup in found}, "the list of its resource has it"
        )
        plain = records_in(self._row_in_list())
        await api.list_backups(plan.source, show_replication=True, **own)
        shown = records_in(self._row_in_list())
        self._notes.answer("14.8", f"ListBackups: {plain}; with show_replication: {shown}")
        for form in (["available", "error"], "available,error"):
            counted = await self._counted(status=form)
            self._notes.answer("14.13", f"status as {form!r}: {counted}")
        for kind in ("OS::Sfs::Turbo", "OS::Ironic::BareMetalServer"):
            self._notes.answer("14.14", f"{kind}: {await self._counted(resource_type=kind)}")
        counts = [
            f"{'without' if value is None else value}: {await self._counted(incremental=value)}"
            for value in (None, True, False)
        ]
        self._notes.answer("14.15", f"lists by `incremental`, {'; '.join(counts)}")

    async def ask_for_missing(self) -> None:
        """Request a backup that does not exist, and one in a foreign project's path."""
        plan, api = self._plan, self._api
        nobodys = str(uuid.uuid4())
        answered = await outcome(api, lambda: api.get_backup(plan.source, nobodys))
        self._notes.answer("14.2", f"a backup that does not exist: {answered}")
        try:
            await find_backup(api, plan.source, nobodys)
            is_missing = False
        except NotFoundError:
            is_missing = True
        self._notes.claim(is_missing, "a backup that does not exist is told as missing")
        mixed = ProjectScope(plan.source.region, plan.destination.project_id)
        answered = await outcome(api, lambda: api.get_backup(mixed, plan.backup.id))
        self._notes.answer("14.2", f"the other region's project in the path: {answered}")

    async def sign_late(self) -> None:
        """Sign one request with a wrong clock; only access keys sign."""
        clock = LateClock()
        async with ObservedClient(self._api.settings, clock) as late:
            if not isinstance(late.authenticator, AccessKeys):
                self._report.tell("  left out: no access key signs here")
                return
            try:
                await late.list_backups(self._plan.source, limit=1)
                answered = "accepted"
            except CbrError as error:
                answered = words_of(error)
        self._notes.answer("14.23", f"an hour behind: {answered}")

    async def read_capabilities(self) -> None:
        """Verify that CBR reports the copy as possible."""
        plan = self._plan
        destinations = await find_destinations(self._api, plan.source)
        self._notes.answer("14.24", f"/replication-capabilities: HTTP {self._api.last.status}")
        self._notes.claim(
            destinations is not None and plan.destination.region in destinations,
            f"{plan.source.region} can copy to {plan.destination.region}",
        )

    async def read_vault(self) -> None:
        """Check the numbers of the destination vault."""
        plan = self._plan
        await self._api.get_vault(plan.destination, plan.vault.id)
        billing = self._api.raw("vault", "billing")
        numbers = {name: billing.get(name) for name in ("size", "allocated", "used")}
        self._notes.answer("14.10", f"size in GB, allocated, used in MB: {numbers}")

    def _row_in_list(self) -> dict[str, Any]:
        rows: list[dict[str, Any]] = self._api.raw("backups")
        return next((row for row in rows if row["id"] == self._plan.backup.id), {})

    async def _counted(self, **filters: Any) -> str:
        api, scope = self._api, self._plan.source
        answered = await outcome(api, lambda: api.list_backups(scope, limit=1, **filters))
        if answered.startswith("HTTP 2"):
            return f"{answered}, count {self._api.raw().get('count')}"
        return answered


def records_in(row: dict[str, Any]) -> str:
    """Return what the raw answer about a backup says about its records."""
    if "replication_records" not in row:
        return "no replication_records"
    records = row["replication_records"]
    return "replication_records null" if records is None else f"{len(records)} replication_records"
