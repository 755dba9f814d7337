"""Wait until CBR has deleted a replica. The request for the deletion is in `one`."""

from __future__ import annotations

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_replica_by_id
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.reporting import Reporter
from pulumi_huaweicloud_cbr.replication.observe import Limits
from pulumi_huaweicloud_cbr.replication.wait.polling import GONE, Look, WaitPlan, wait

_UNTOLD = "not told"

# A deletion is asynchronous. Before it has ended, a backup may have any of its statuses (CBR API
# reference, ShowBackup).
_ANY_BACKUP_STATUS = frozenset(
    {
        "available",
        "protecting",
        "deleting",
        "restoring",
        "error",
        "waiting_protect",
        "waiting_delete",
        "waiting_restore",
        _UNTOLD,
    }
)


async def wait_gone(
    api: Api, scope: ProjectScope, backup_id: str, limits: Limits, report: Reporter
) -> None:
    async def look() -> Look[None]:
        replica = await find_replica_by_id(api.fresh, scope, backup_id)
        if replica.backup is None:
            return Look(GONE, None)
        return Look(replica.backup.status or _UNTOLD, None)

    plan = WaitPlan(
        what="waiting for the deletion",
        doing=f"waiting until replica ({backup_id}) in {scope} is deleted",
        pending=_ANY_BACKUP_STATUS,
        target=frozenset({GONE}),
        interval_s=api.settings.poll_interval_s,
        timeout_s=limits.deletion_s,
        hint="the deletion goes on in CBR; run the same command again to go on waiting",
    )
    await wait(plan, look, api.clock, report)
