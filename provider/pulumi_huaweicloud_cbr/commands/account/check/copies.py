"""Examine for `check` the copies that a stack declares, by preflight's rules; list all backups.

Reads only. A copy that the stack's state has is not examined: its source may have expired since.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable
from functools import partial

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.find import find_project_id
from pulumi_huaweicloud_cbr.api.wire.answers import Backup
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, moment
from pulumi_huaweicloud_cbr.commands._cli.stack import Copy, State
from pulumi_huaweicloud_cbr.commands.account.check.refusals import check_of
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    Account,
    CopyLook,
    ListedBackup,
    RegionLook,
    Remark,
)
from pulumi_huaweicloud_cbr.replication.preflight.backup import run_preflights
from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim
from pulumi_huaweicloud_cbr.replication.preflight.vault import run_vault_preflight
from pulumi_huaweicloud_cbr.replication.rules.finding import Finding
from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_inputs
from pulumi_huaweicloud_cbr.replication.rules.model import Identity

SUBJECT = "copies"


class _Silent:
    """Drops what a preview would report beside its findings."""

    def tell(self, message: str) -> None:
        """Drop a line."""

    def progress(self, message: str) -> None:
        """Drop a line."""

    waiting = progress


async def see_copies(
    api: Api, account: Account, copies: tuple[Copy, ...], state: State, owner: str | None
) -> None:
    """Examine the copies that the stack's configuration declares.

    Args:
        owner: whose copies are the stack's own.
    """
    looks = (_see_copy(api, account, copy, state, owner) for copy in copies)
    account.copies = list(await asyncio.gather(*looks))


async def _see_copy(
    api: Api, account: Account, copy: Copy, state: State, owner: str | None
) -> CopyLook:
    place = copy.destination
    look = CopyLook(copy.at, place.scope.region, place.vault_id or "")
    faults = _faults_of(copy)
    look.remarks += [Remark(SUBJECT, reason) for reason in faults]
    if faults:
        return look
    recorded = _recorded(copy, state)
    backup_ids = [one.lower() for one in copy.backup_ids if one.lower() not in recorded]
    look.in_state = len(copy.backup_ids) - len(backup_ids)
    if copy.vault_id is not None and _is_vault_recorded(copy, copy.vault_id, state):
        look.in_state = 1
    source = account.source
    if look.in_state and not backup_ids:
        return look
    if source is None or source.unseen_because:
        note = "not looked at, since the source could not be"
        look.remarks.append(Remark(SUBJECT, note, is_to_do=False))
        return look
    aim = _aim(copy, source, state, owner)
    findings: list[Finding] = []
    errors: list[CbrError] = []
    if copy.vault_id is not None:
        vault = await run_vault_preflight(
            api, aim, copy.vault_id.lower(), partial(find_project_id, api), _Silent()
        )
        findings, errors = list(vault.findings), list(vault.faults)
        look.possible = int(not _is_refused(findings) and not errors)
    else:
        # A selection names no backup, and its destination is looked at all the same.
        asked: list[str | None] = [*backup_ids]
        asked = asked or [None]
        for backup_id, verdict in zip(
            asked, await run_preflights(api, aim, asked, partial(find_project_id, api)), strict=True
        ):
            findings += verdict.findings
            errors += verdict.faults
            if backup_id is None or _is_refused(verdict.findings) or verdict.faults:
                continue
            if verdict.notes:
                look.copied += 1
            else:
                look.possible += 1
    _judge(look, copy, account, findings, errors)
    return look


def _judge(
    look: CopyLook,
    copy: Copy,
    account: Account,
    findings: list[Finding],
    errors: list[CbrError],
) -> None:
    """Add a remark for each reason, once; what does not stop a preview is a note."""
    for reason, is_certain in Counter((one.reason, one.is_certain) for one in findings):
        remark = Remark(SUBJECT, reason)
        look.remarks.append(remark if is_certain and copy.is_required else remark.as_note())
    told = {
        remark.check for region in account.regions for remark in region.remarks if remark.is_to_do
    }
    for error in {str(error): error for error in errors}.values():
        remark = Remark.of(SUBJECT, error)
        # The same refusal stands in the part about the region, with its remedy.
        is_told = check_of(error) in told
        look.remarks.append(remark.as_note() if is_told or not copy.is_required else remark)


def _is_refused(findings: list[Finding] | tuple[Finding, ...]) -> bool:
    return any(finding.is_certain for finding in findings)


def _faults_of(copy: Copy) -> list[str]:
    """Return what is wrong with the values; nothing is asked with a wrong one."""
    place = {
        "destination_region": copy.destination.scope.region,
        "destination_vault_id": copy.destination.vault_id,
    }
    given = [{**place, "backup_id": one} for one in copy.backup_ids] or [place]
    found = (
        finding.reason
        for inputs in given
        for finding in check_inputs(inputs, frozenset(FIELDS) - inputs.keys())
    )
    return list(dict.fromkeys(found))


def _recorded(copy: Copy, state: State) -> frozenset[str]:
    """Return the backups whose copies to this destination the state has."""
    region, vault_id = copy.destination.scope.region, copy.destination.vault_id
    return frozenset(
        row.backup_id for row in state.rows if (row.region, row.vault_id) == (region, vault_id)
    )


def _is_vault_recorded(copy: Copy, vault_id: str, state: State) -> bool:
    wanted = (vault_id.lower(), copy.destination.scope.region, copy.destination.vault_id)
    return any(
        (source, place.scope.region, place.vault_id) == wanted for source, place in state.vaults
    )


def _aim(copy: Copy, look: RegionLook, state: State, owner: str | None) -> Aim:
    region, project_id = look.region, look.project_id
    if copy.source is not None and copy.source.region != region:
        region, project_id = copy.source.region, copy.source.project_id
    elif copy.source is not None:
        project_id = copy.source.project_id or project_id
    place = copy.destination
    # A copy of the state that goes to another vault there is replaced, so it is no conflict.
    moved = (row.record_id for row in state.rows if row.region == place.scope.region)
    return Aim(
        source_region=region,
        source_project_id=project_id,
        destination_region=place.scope.region,
        destination_project_id=place.scope.project_id,
        destination_vault_id=place.vault_id,
        adopt=copy.adopt,
        identity=Identity(owner),
        own_record_ids=frozenset(moved),
    )


def note_backups(account: Account, found: Iterable[Backup], now: float) -> None:
    """Note the backups of the source, in their order.

    Args:
        now: seconds since the epoch.
    """
    account.backups = [
        ListedBackup(
            backup.id,
            backup.name,
            backup.resource_name,
            backup.resource_type,
            backup.vault_id,
            backup.resource_size,
            backup.status,
            backup.created_at,
            _age_s(backup.created_at, now),
        )
        for backup in found
    ]


def _age_s(created_at: str | None, now: float) -> float | None:
    made = moment(created_at)
    return None if made == UNKNOWN else max(0.0, now - made.timestamp())
