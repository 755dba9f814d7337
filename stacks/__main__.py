"""Declare the replications that the stack's configuration lists.

See docs/reference/stack-configuration.md. Reading and validating the configuration does not belong
here: see `config`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime.config import get_config_secret_keys_env

import pulumi_huaweicloud_cbr as cbr
from config import (
    Plan,
    Replication,
    ReplicationSet,
    Resource,
    Selection,
    Vault,
    Wait,
    read_plan,
)
from faults import ConfigurationFaultsError
from rows import row_of, rows_of
from secrecy import Secrecy, read_stored
from selection import Members, select_members

# With this exit code, the language host adds nothing to our message. Any other code, that of
# `pulumi.RunError` too, makes it add "an unhandled error occurred".
TOLD_EXIT_CODE = 32


def options(resource: Resource, secret_outputs: Sequence[str]) -> pulumi.ResourceOptions:
    """Return Pulumi's own options of a resource."""
    return pulumi.ResourceOptions(
        protect=resource.protect,
        retain_on_delete=resource.retain_on_delete,
        additional_secret_outputs=list(secret_outputs) or None,
    )


def declare(replication: Replication, secrecy: Secrecy) -> cbr.BackupReplication:
    """Declare one replication as a resource."""
    args, secret = secrecy.sealed(replication.args, "replications")
    return cbr.BackupReplication(replication.name, args, options(replication, secret))


def declare_set(
    one: ReplicationSet, selected: Mapping[Selection, Members | None], secrecy: Secrecy
) -> cbr.BackupReplicationSet:
    """Declare a set; members that were not queried are unknown, in previews only."""
    args = one.args
    if one.selection is not None:
        members = selected[one.selection]
        unknown: pulumi.Output[Any] = pulumi.Output.from_input(pulumi.UNKNOWN)
        args = replace(args, backups=unknown if members is None else members)
    args, secret = secrecy.sealed(args, "sets")
    return cbr.BackupReplicationSet(one.name, args, options(one, secret))


def declare_vault(vault: Vault, secrecy: Secrecy) -> cbr.VaultReplication:
    """Declare the copy of a vault."""
    args, secret = secrecy.sealed(vault.args, "vaults")
    return cbr.VaultReplication(vault.name, args, options(vault, secret))


def declare_wait(
    wait: Wait, resources: Sequence[pulumi.Resource], secrecy: Secrecy
) -> cbr.ReplicationsComplete | None:
    """Declare the wait for all copies, if it is wanted."""
    if not wait.is_wanted:
        return None
    # It names the backups of all the others, so it is as secret as any of them.
    secret = ["replications"] if secrecy else []
    return cbr.ReplicationsComplete(
        "replications-complete",
        cbr.ReplicationsCompleteArgs(replications=resources, timeout=secrecy.seal(wait.timeout)),
        pulumi.ResourceOptions(additional_secret_outputs=secret or None),
    )


def build(plan: Plan, selected: Mapping[Selection, Members | None]) -> None:
    """Declare everything, and export a row for each copy."""
    secrecy = plan.secrecy
    replications = {one.name: declare(one, secrecy) for one in plan.replications}
    sets = {one.name: declare_set(one, selected, secrecy) for one in plan.sets}
    vaults = {one.name: declare_vault(one, secrecy) for one in plan.vaults}
    resources = [*replications.values(), *sets.values(), *vaults.values()]
    wait = declare_wait(plan.wait, resources, secrecy)
    pulumi.export("replications", {name: row_of(one, wait) for name, one in replications.items()})
    pulumi.export("sets", {name: rows_of(one, wait) for name, one in sets.items()})
    pulumi.export("vaults", {name: rows_of(one, wait) for name, one in vaults.items()})


def stored() -> Mapping[str, Any]:
    """Return what the stack's file has; its secrets are encrypted."""
    return read_stored(Path.cwd(), pulumi.get_stack())


def main() -> None:
    """Read, select and build; one message reports all faults of the configuration."""
    try:
        plan = read_plan(pulumi.runtime.get_config_env(), get_config_secret_keys_env(), stored)
        if plan.secrecy.warning:
            pulumi.log.warn(plan.secrecy.warning)
        selected = select_members(plan, is_preview=pulumi.runtime.is_dry_run())
    except ConfigurationFaultsError as faults:
        pulumi.log.error(str(faults))
        sys.exit(TOLD_EXIT_CODE)
    build(plan, selected)


main()
