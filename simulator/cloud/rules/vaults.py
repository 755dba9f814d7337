"""Vaults that the API creates and changes, and CBR's refusals. No HTTP here.

Source: CBR API reference, CreateVault, UpdateVault and "Error Codes".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.rules.copy_refusals import MB_PER_GB
from simulator.cloud.specs import OBJECT_TYPES
from simulator.cloud.store import Vault


def usual_settings() -> dict[str, Any]:
    """Return the defaults of a vault."""
    return {
        "description": None,
        "backup_name_prefix": None,
        "auto_bind": False,
        "bind_rules": {},
        "auto_expand": False,
        "smn_notify": True,
        "threshold": 80,
        "locked": False,
        "availability_zone": None,
        "sys_lock_source_service": None,
        "tags": [],
        "resources": [],
        "consistent_level": "crash_consistent",
        "is_multi_az": False,
        "charging_mode": "post_paid",
    }


def refuse_kind(protect_type: str, object_type: str) -> None:
    """Raise the refusal of an invalid vault: disks cannot be replicated."""
    if protect_type == "replication" and object_type == "disk":
        raise errors.cbr("6116")


def refuse_resources(
    session: Session, protect_type: str, object_type: str, resources: list[dict[str, Any]]
) -> None:
    """Raise the refusal of resources that a new vault cannot protect."""
    if resources and protect_type == "replication":
        raise errors.cbr("6108")
    ids = [resource["id"] for resource in resources]
    if len(set(ids)) < len(ids):
        raise errors.cbr("6104")
    if any(OBJECT_TYPES[resource["type"]] != object_type for resource in resources):
        raise errors.cbr("6102")
    if set(ids) & _bound(session.scalars(select(Vault))):
        raise errors.cbr("6103")


def change(vault: Vault, size_gb: int | None, settings: dict[str, Any]) -> None:
    """Change a vault, or raise the refusal.

    The codes are a choice of ours. It is documented that a vault cannot be unlocked, nor set back
    to `crash_consistent`.
    """
    if vault.status not in ("available", "lock"):
        raise errors.cbr("6112")
    if size_gb is not None and size_gb * MB_PER_GB < vault.used_mb:
        raise errors.cbr("6101")
    wanted = {**vault.settings, **settings}
    was_app = vault.settings["consistent_level"] == "app_consistent"
    if was_app and wanted["consistent_level"] != "app_consistent":
        raise errors.cbr("6110")
    if vault.settings["locked"] and not wanted["locked"]:
        raise errors.cbr("6110")
    vault.size_gb = size_gb or vault.size_gb
    vault.settings = wanted


def _bound(vaults: Iterable[Vault]) -> set[str]:
    return {resource["id"] for vault in vaults for resource in vault.settings["resources"]}
