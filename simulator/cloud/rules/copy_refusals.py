"""What may be copied, and where; and CBR's codes for refusals. Nothing is changed here.

Source: CBR API reference, CopyBackup, CopyCheckpoint and "Error Codes"; the user guide's
constraints on replication.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.cloud import errors
from simulator.cloud.specs import OBJECT_TYPES, Options, World
from simulator.cloud.store import Backup, Vault

MB_PER_GB = 1024
_USABLE_VAULT = ("available", "lock")
_NOT_ECS = ("OS::Ironic::BareMetalServer", "OS::Native::Server")


@dataclass(frozen=True)
class Destination:
    """The destination of a copy."""

    region: str
    project_id: str
    vault_id: str


def refusal(number: str, options: Options) -> errors.RefusalError:
    """Return a refusal of a replication; the status of some differs by region."""
    status = options.replication_refusals_status if number in errors.EITHER_STATUS else None
    return errors.cbr(number, status=status)


def refuse_source(backup: Backup, options: Options) -> None:
    """Raise the refusal of a backup that cannot be copied at all."""
    if backup.image_type != "backup":
        raise refusal("1002", options)
    if backup.status != "available":
        raise refusal("1001", options)
    if backup.resource_type in _NOT_ECS:
        raise refusal("1003", options)
    if OBJECT_TYPES[backup.resource_type] == "disk":
        raise refusal("6122", options)
    if backup.resource_type == "OS::Nova::Server" and not backup.contain_system_disk:
        raise refusal("1004", options)


def refuse_source_vault(vault: Vault, options: Options, *, is_being_copied: bool) -> None:
    """Raise the refusal of a vault that cannot be copied as a whole."""
    if vault.protect_type == "replication" or vault.object_type == "disk":
        raise refusal("6128", options)
    if is_being_copied:
        raise refusal("6130", options)


def refuse_destination(
    world: World, source_region: str, object_type: str, wanted: Destination, vault: Vault | None
) -> Vault:
    """Return the destination vault, or raise the refusal of the destination."""
    options = world.options
    if wanted.region not in world.region(source_region).replicates_to:
        raise refusal("1005", options)
    if world.project_regions.get(wanted.project_id) != wanted.region:
        raise refusal("1011", options)
    if vault is None or vault.project_id != wanted.project_id:
        raise refusal("6120", options)
    if vault.protect_type != "replication":
        raise refusal("6119", options)
    if vault.status not in _USABLE_VAULT:
        raise refusal("6112", options)
    if vault.object_type != object_type:
        raise refusal("6102", options)
    return vault


def refuse_overfull(vault: Vault, promised_mb: int, more_mb: int, options: Options) -> None:
    """Raise the refusal of a copy if running copies leave no room in the vault."""
    if vault.used_mb + promised_mb + more_mb > vault.size_gb * MB_PER_GB:
        raise refusal("6129", options)
