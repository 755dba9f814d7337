"""Will the API accept this replication? Preflight's rules, as pure checks of observations.

Nothing here calls the API or raises. A check returns findings, and a finding names the input that
the user can change. A check is skipped if its facts are missing: an input is not known yet, or a
call failed.

Sources of the rules: CBR user guide, "Replicating a Backup Across Regions". CBR API reference,
error codes 1001 to 1013, 6102, 6119, 6120, 6122, 6128 and 6129.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.replication.rules.finding import Finding

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Vault

RESOURCE_SERVER = "OS::Nova::Server"
RESOURCE_DESKTOP = "OS::Workspace::DesktopV2"
# The object type of the vault for each type of resource.
VAULT_OBJECT_TYPES = {
    RESOURCE_SERVER: "server",
    "OS::Sfs::Turbo": "turbo",
    RESOURCE_DESKTOP: "workspace",
}
COPIED_OBJECT_TYPES = frozenset({"server", "turbo"})
UNCERTAIN_OBJECT_TYPES = frozenset({"vmware", "workspace"})
"""Vaults of which it is not certain that CBR copies them. The guide says so of hybrid ones (object
type ``vmware``) as a whole; nothing says so of ``workspace``."""
RESOURCE_DISK = "OS::Cinder::Volume"
"""Disk backups cannot be copied at all (6122, 6128)."""
NOT_AN_ECS = frozenset({"OS::Ironic::BareMetalServer", "OS::Native::Server"})
# "lock" is a vault being expanded, in which other operations are allowed (CBR user guide).
USABLE_VAULT_STATUSES = frozenset({"available", "lock"})


def check_backup(backup: Backup) -> list[Finding]:
    """Return the reasons why a backup cannot be copied."""
    findings: list[str] = []
    doubts: list[str] = []
    if backup.is_replica:
        findings.append(
            f"backup ({backup.id}) is itself a replica, which cannot be copied again; "
            "give the original backup's id"
        )
    elif backup.status is None:
        doubts.append(f"CBR does not tell the status of backup ({backup.id})")
    elif backup.status != "available":
        findings.append(
            f"backup ({backup.id}) has status {backup.status!r}, want 'available'; "
            "wait for it or choose another backup"
        )
    kind = backup.resource_type
    if kind in NOT_AN_ECS:
        findings.append(
            f"backup ({backup.id}) is of resource type {kind!r}, which is not an ECS server; "
            "choose the backup of an ECS server or of an SFS Turbo file system"
        )
    elif kind == RESOURCE_DISK:
        findings.append(
            f"backup ({backup.id}) is of resource type {kind!r}, which cannot be copied; "
            "choose a server or SFS Turbo backup"
        )
    elif kind is not None and (kind == RESOURCE_DESKTOP or kind not in VAULT_OBJECT_TYPES):
        doubts.append(
            f"backup ({backup.id}) is of resource type {kind!r}, of which it is not certain that "
            "CBR copies it"
        )
    has_system_disk = backup.extend_info and backup.extend_info.contain_system_disk
    if kind == RESOURCE_SERVER and has_system_disk is False:
        findings.append(
            f"backup ({backup.id}) lacks the server's system disk; "
            "back the server up with its system disk and copy that backup"
        )
    return [
        *(Finding("backup_id", finding) for finding in findings),
        *(Finding("backup_id", doubt, is_certain=False) for doubt in doubts),
    ]


def check_records(backup: Backup) -> list[Finding]:
    """Return a doubt if CBR does not tell which copies of a backup exist."""
    if backup.replication_records is not None:
        return []
    reason = (
        f"CBR does not tell which copies of backup ({backup.id}) exist, so a copy there is not "
        "seen; CBR itself refuses a second one"
    )
    return [Finding("backup_id", reason, is_certain=False)]


def check_region_pair(
    source_region: str, destination_region: str, destinations: frozenset[str]
) -> list[Finding]:
    """Check that CBR copies from one region to the other.

    Args:
        destinations: the regions that the source can copy to, as CBR reports them.
    """
    if destination_region in destinations:
        return []
    if destination_region == source_region:
        observed = "is the source region itself"
    else:
        observed = f"is not among the regions that {source_region!r} can copy to"
    known = ", ".join(sorted(destinations))
    way_out = f"choose one of: {known}" if known else "CBR copies from there to no region at all"
    return [Finding("destination_region", f"{destination_region!r} {observed}; {way_out}")]


def check_vault(
    vault: Vault, backup: Backup | None, *, is_room_needed: bool = True
) -> list[Finding]:
    """Return the reasons why a destination vault cannot take the replica.

    Args:
        backup: its type and its size have to fit; None skips these checks.
        is_room_needed: false if nothing will be written.
    """
    billing = vault.billing
    findings: list[str] = []
    if billing.protect_type is not None and billing.protect_type != "replication":
        findings.append(
            f"vault ({vault.id}) has protect_type {billing.protect_type!r}, want 'replication'; "
            "give a replication vault's id"
        )
    if billing.status is not None and billing.status not in USABLE_VAULT_STATUSES:
        way_out = "settle its bill" if billing.status == "frozen" else "wait for it"
        findings.append(
            f"vault ({vault.id}) has status {billing.status!r}, want 'available'; "
            f"{way_out} or choose another vault"
        )
    wanted = VAULT_OBJECT_TYPES.get((backup.resource_type if backup else None) or "")
    if backup and wanted and billing.object_type not in (None, wanted):
        findings.append(
            f"vault ({vault.id}) holds object type {billing.object_type!r}, want {wanted!r} for "
            f"a backup of {backup.resource_type}; give a vault of that type"
        )
    # Room does not matter where nothing can be written.
    is_asked = is_room_needed and not (findings and vault.free_gb is None)
    room = _check_room(vault, backup) if is_asked else []
    return [Finding("destination_vault_id", finding) for finding in findings] + room


def _check_room(vault: Vault, backup: Backup | None) -> list[Finding]:
    free_gb = vault.free_gb
    if free_gb is None:
        reason = (
            f"CBR does not tell the free room of vault ({vault.id}), so it may be full; look at it "
            "in the CBR console"
        )
        return [Finding("destination_vault_id", reason, is_certain=False)]
    size = vault.billing.size
    if free_gb <= 0:
        reason = f"vault ({vault.id}) is full ({size} GB); enlarge it or free room in it"
        return [Finding("destination_vault_id", reason)]
    needed = backup.resource_size if backup else None
    if needed is not None and free_gb < needed:
        # A replica needs less room than the size of its resource if blocks are unused.
        reason = (
            f"vault ({vault.id}) has {free_gb:.1f} GB free of {size} GB, and this backup's "
            f"resource has {needed} GB; enlarge the vault or free room in it"
        )
        return [Finding("destination_vault_id", reason, is_certain=False)]
    return []
