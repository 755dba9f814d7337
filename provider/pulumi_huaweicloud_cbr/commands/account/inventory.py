"""What a project holds: its backups, replicas and vaults, each list read once. Reads only.

Commands that need all of a project ask here. So a region that is both a source and a destination
costs one list of backups: a page for a thousand rows, whatever is asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_all_vaults, find_backups
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.replication.preflight.flow import or_error


@dataclass(frozen=True)
class Inventory:
    """Everything in a project. A backup without a type is no replica: it would prove no copy.

    `vaults` is the error if the vaults alone could not be listed.
    """

    scope: ProjectScope
    rows: tuple[Backup, ...]
    vaults: tuple[Vault, ...] | CbrError

    @property
    def backups(self) -> tuple[Backup, ...]:
        """Return what can be a source, with replication records."""
        return tuple(row for row in self.rows if not row.is_replica)

    @property
    def replicas(self) -> tuple[Backup, ...]:
        """Return the replicas."""
        return tuple(row for row in self.rows if row.is_replica)

    @property
    def known_vaults(self) -> tuple[Vault, ...]:
        """Return the vaults; none if they could not be listed."""
        return () if isinstance(self.vaults, CbrError) else self.vaults


@dataclass
class Inventories:
    """The projects that were read so far, each once; a failed one is an error for all who ask.

    `on_read` is told of each project that was read.
    """

    api: Api
    on_read: Callable[[Inventory], None] | None = None
    _asked: dict[ProjectScope, asyncio.Task[Inventory | CbrError]] = field(default_factory=dict)

    def put(self, found: Inventory) -> None:
        """Note what was read elsewhere, so that it is not read again."""

        async def known() -> Inventory | CbrError:
            return found

        if found.scope not in self._asked:
            self._asked[found.scope] = asyncio.ensure_future(known())

    async def of(self, scope: ProjectScope) -> Inventory | CbrError:
        """Return what a project holds, or why its backups could not be listed."""
        task = self._asked.get(scope)
        if task is None:
            task = asyncio.ensure_future(or_error(self._read(scope)))
            self._asked[scope] = task
        return await task

    async def _read(self, scope: ProjectScope) -> Inventory:
        rows, vaults = await asyncio.gather(
            find_backups(self.api, scope, show_replication=True),
            or_error(find_all_vaults(self.api, scope)),
        )
        found = Inventory(scope, rows, vaults)
        if self.on_read is not None:
            self.on_read(found)
        return found
