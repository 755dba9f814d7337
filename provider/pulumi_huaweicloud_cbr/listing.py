"""Backups looked for in lists, as long as a list is cheaper than to ask for each by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import Any

from pulumi_huaweicloud_cbr.client import PAGE_SIZE, CbrClient
from pulumi_huaweicloud_cbr.models import ProjectScope
from pulumi_huaweicloud_cbr.wire import BackupPage

LIST_FROM = 3
"""So many backups are worth a list; fewer are read one by one."""
ROWS_LIMIT = 200 * PAGE_SIZE
"""More than this is not a long list, but a service that ignores the offset."""


async def pages_worth_reading(
    api: CbrClient, scope: ProjectScope, missing: Collection[object], **filters: Any
) -> AsyncIterator[BackupPage]:
    """Yield pages of ListBackups until what is missing is cheaper to have one by one.

    Args:
        missing: what is looked for; the caller takes out what it finds, before the next page.
    """
    offset = 0
    while missing and offset < ROWS_LIMIT:
        page = await api.get_backup_page(scope, limit=PAGE_SIZE, offset=offset, **filters)
        yield page
        offset += len(page.backups)
        pages_left = -(-((page.count or 0) - offset) // PAGE_SIZE)
        if len(page.backups) < PAGE_SIZE or pages_left >= len(missing):
            return
