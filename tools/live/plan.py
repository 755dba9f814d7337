"""The plan and cost of a run, from the environment and, free of charge, from the cloud."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pulumi_huaweicloud_cbr.api.client import PAGE_SIZE, CbrClient
from pulumi_huaweicloud_cbr.api.find import find_backup, find_project_id, find_vault
from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.text import readable, span
from pulumi_huaweicloud_cbr.replication.preflight.backup import run_preflight
from pulumi_huaweicloud_cbr.replication.preflight.flow import Aim
from pulumi_huaweicloud_cbr.replication.rules.fitness import check_vault
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication, Identity
from tools.live.ledger import OWNER

MB_PER_S = 80
"""Speed of one copy (CBR user guide, 2021)."""


class LiveError(Exception):
    """The suite cannot run or continue; the text has the reason and a remedy."""


@dataclass(frozen=True)
class Wanted:
    """The user's choices; those that are None are looked up."""

    backup_id: str
    source_region: str
    destination_region: str
    destination_vault_id: str | None = None
    source_project_id: str | None = None
    destination_project_id: str | None = None

    @classmethod
    def load(cls, environ: Mapping[str, str]) -> Wanted:
        """Read the environment.

        Raises:
            LiveError: something is missing; all of it is named.
        """
        needed = ("LIVE_BACKUP_ID", "HW_REGION_NAME", "LIVE_DESTINATION_REGION")
        missing = [name for name in needed if not environ.get(name)]
        if missing:
            raise LiveError(
                f"not set: {', '.join(missing)}; LIVE_BACKUP_ID is the backup to copy, "
                "HW_REGION_NAME where it is, LIVE_DESTINATION_REGION where to"
            )
        if environ["HW_REGION_NAME"] == environ["LIVE_DESTINATION_REGION"]:
            raise LiveError("LIVE_DESTINATION_REGION is HW_REGION_NAME; two regions are needed")
        return cls(
            backup_id=environ["LIVE_BACKUP_ID"],
            source_region=environ["HW_REGION_NAME"],
            destination_region=environ["LIVE_DESTINATION_REGION"],
            destination_vault_id=environ.get("LIVE_DESTINATION_VAULT_ID") or None,
            source_project_id=environ.get("HW_PROJECT_ID") or None,
            destination_project_id=environ.get("LIVE_DESTINATION_PROJECT_ID") or None,
        )


@dataclass(frozen=True)
class Plan:
    """One possible copy: nothing blocks it, and nothing like it exists."""

    backup: Backup
    source: ProjectScope
    destination: ProjectScope
    vault: Vault

    @property
    def desired(self) -> DesiredReplication:
        """Return the copy. It never exists already, since it is deleted at the end."""
        return DesiredReplication(
            backup_id=self.backup.id,
            source=self.source,
            destination=self.destination,
            destination_vault_id=self.vault.id,
            description="copied by make live",
            adopt=False,
            identity=Identity(OWNER),
        )

    def cost(self) -> str:
        """Say what costs money (CBR user guide, billing of replication)."""
        size_gb = self.backup.resource_size
        size = "of unknown size" if size_gb is None else f"{size_gb} GB at most"
        name = readable(self.backup.resource_name or self.backup.name or "without a name", 60)
        speed = f"some {MB_PER_S} MB/s"
        if size_gb is not None:
            speed += f", about {span(size_gb * 1024 / MB_PER_S)} for that"
        free_gb = self.vault.free_gb
        room = "" if free_gb is None else f" ({free_gb:.0f} GB are free in it)"
        return (
            "What it costs:\n"
            "  reads, and requests that CBR refuses: nothing\n"
            f"  one copy of backup ({self.backup.id}), {name}, {size}:\n"
            f"    traffic from {self.source.region} to {self.destination.region}, that size, once\n"
            f"    room of that size in vault ({self.vault.id}){room}, until it is deleted\n"
            f"  The replica is deleted as soon as it was looked at. CBR copies with {speed}.\n"
            "  The vault is yours, and stays. For prices see the vendor's price calculator."
        )


async def make_plan(api: CbrClient, wanted: Wanted) -> Plan:
    """Find out whether the copy can be made, with reads only.

    Raises:
        LiveError: something blocks it, for instance an existing replica.
    """
    source_project = wanted.source_project_id or await find_project_id(api, wanted.source_region)
    source = ProjectScope(wanted.source_region, source_project)
    destination = ProjectScope(
        wanted.destination_region,
        wanted.destination_project_id or await find_project_id(api, wanted.destination_region),
    )
    backup = await find_backup(api, source, wanted.backup_id)
    vault = await _vault(api, wanted, destination, backup)
    aim = Aim(
        source_region=source.region,
        source_project_id=source.project_id,
        destination_region=destination.region,
        destination_project_id=destination.project_id,
        destination_vault_id=vault.id,
        adopt=False,
    )
    verdict = await run_preflight(api, aim, backup.id, lambda region: find_project_id(api, region))
    if verdict.faults:
        raise verdict.faults[0]
    if verdict.findings:
        reasons = "\n".join(f"  {found.field}: {found.reason}" for found in verdict.findings)
        raise LiveError(f"this copy cannot be made:\n{reasons}")
    return Plan(backup=backup, source=source, destination=destination, vault=vault)


async def _vault(
    api: CbrClient, wanted: Wanted, destination: ProjectScope, backup: Backup
) -> Vault:
    if wanted.destination_vault_id:
        return await find_vault(api, destination, wanted.destination_vault_id)
    vaults = await api.list_vaults(destination, limit=PAGE_SIZE, protect_type="replication")
    fit = [vault for vault in vaults if not check_vault(vault, backup)]
    if not fit:
        raise LiveError(
            f"no vault in {destination} can take a replica of backup ({backup.id}); make one of "
            "type replication for the same kind of resource, or set LIVE_DESTINATION_VAULT_ID"
        )
    return max(fit, key=lambda vault: vault.free_gb or 0.0)
