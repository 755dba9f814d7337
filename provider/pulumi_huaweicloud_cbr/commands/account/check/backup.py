"""Examine one backup for `check`: its records, and the vaults that preflight's rules allow.

Reads only.
"""

from __future__ import annotations

import asyncio
from functools import partial

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_backup, find_project_id
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, ReplicationRecord
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import NotFoundError
from pulumi_huaweicloud_cbr.commands.account.check.refusals import GET_BACKUP, remark_on
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    COPIED,
    MISSING,
    POSSIBLE,
    REFUSED,
    UNKNOWN,
    Account,
    BackupLook,
    RecordLook,
    RegionLook,
    Remark,
    TargetLook,
    VaultLook,
)
from pulumi_huaweicloud_cbr.replication.preflight.backup import run_preflight
from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim, or_error
from pulumi_huaweicloud_cbr.replication.rules.decisions import another_stack
from pulumi_huaweicloud_cbr.replication.rules.inputs import ADOPT_ANY
from pulumi_huaweicloud_cbr.replication.rules.model import Identity
from pulumi_huaweicloud_cbr.replication.rules.ownership import Maker


async def see_backup(api: Api, account: Account, look: BackupLook, owner: str | None) -> None:
    """Examine a backup, and check for each known vault whether it can be copied there.

    Args:
        owner: whose copies are those of the stack that is meant, None if no stack is.
    """
    source = account.source
    if source is None or source.project_id is None or source.unseen_because:
        look.remarks.append(
            Remark("backup", "not looked at, since the source could not be", is_to_do=False)
        )
        return
    scope = ProjectScope(source.region, source.project_id)
    found = await or_error(find_backup(api, scope, look.id))
    if isinstance(found, Backup):
        _describe(look, found)
    elif not isinstance(found, NotFoundError):
        remark = remark_on(source, found, GET_BACKUP)
        is_told = source.permissions.get(GET_BACKUP) == MISSING
        look.remarks.append(remark.as_note() if is_told else remark)
        return
    aim = Aim(source_region=scope.region, source_project_id=scope.project_id)
    alone = await run_preflight(api, aim, look.id, partial(find_project_id, api))
    doubts = frozenset(finding.reason for finding in alone.findings if not finding.is_certain)
    look.remarks += [Remark("backup", doubt, is_to_do=False) for doubt in sorted(doubts)]
    reasons = [finding.reason for finding in alone.findings if finding.is_certain]
    look.remarks += [Remark("backup", reason) for reason in reasons]
    if reasons:
        return
    targets = [
        (destination, vault)
        for destination in account.destinations
        for vault in destination.vaults or ()
    ]
    answers = (_see_target(api, scope, look.id, *target, owner, doubts) for target in targets)
    look.targets = tuple(await asyncio.gather(*answers))
    _judge_targets(account, look)


async def _see_target(
    api: Api,
    source: ProjectScope,
    backup_id: str,
    destination: RegionLook,
    vault: VaultLook,
    owner: str | None,
    doubts: frozenset[str],
) -> TargetLook:
    aim = Aim(
        source_region=source.region,
        source_project_id=source.project_id,
        destination_region=destination.region,
        destination_project_id=destination.project_id,
        destination_vault_id=vault.id,
        # If no stack is meant, a stack's copy stands in nobody's way.
        adopt=True if owner else ADOPT_ANY,
        identity=Identity(owner),
    )
    verdict = await run_preflight(api, aim, backup_id, partial(find_project_id, api))
    certain = [finding.reason for finding in verdict.findings if finding.is_certain]
    uncertain = [
        finding.reason
        for finding in verdict.findings
        if not finding.is_certain and finding.reason not in doubts
    ]
    if certain:
        answer, reasons = REFUSED, certain
    elif verdict.notes:
        answer, reasons = COPIED, [*verdict.notes, *uncertain]
        if owner is None and verdict.maker is Maker.ANOTHER_STACK:
            maker = another_stack(verdict.owner)
            told = f"it is the copy of {maker}; others take it over only with adopt 'any'"
            reasons = [told, *uncertain]
    elif verdict.faults:
        answer, reasons = UNKNOWN, [fault.observed for fault in verdict.faults]
    else:
        answer, reasons = POSSIBLE, uncertain
    return TargetLook(destination.region, vault.id, vault.name, answer, tuple(reasons))


def _judge_targets(account: Account, look: BackupLook) -> None:
    good = {target.region for target in look.targets if target.answer in (POSSIBLE, COPIED)}
    # A region without a usable vault has a remark of its own.
    tried = [at.region for at in account.destinations if at.usable_vaults]
    bad = [region for region in dict.fromkeys(tried) if region not in good]
    if not bad or (good and not any(at.is_asked for at in account.destinations)):
        return
    look.remarks.append(
        Remark(
            "backup",
            f"no vault in {', '.join(bad)} can take a copy of it, as far as is known",
            "settle what stands beside one of the vaults, or create another",
        )
    )


def _describe(look: BackupLook, backup: Backup) -> None:
    look.name, look.resource_name = backup.name, backup.resource_name
    look.resource_type, look.size_gb = backup.resource_type, backup.resource_size
    look.status, look.created_at = backup.status, backup.created_at
    look.records = tuple(_record_look(record) for record in backup.records)


def _record_look(record: ReplicationRecord) -> RecordLook:
    return RecordLook(
        record.id,
        record.destination_region,
        record.destination_vault_id,
        record.status,
        record.extra_info.progress if record.extra_info else None,
        record.destination_backup_id,
        record.failure if record.is_failed else None,
    )
