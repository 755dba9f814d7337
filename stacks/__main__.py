"""Declare the replications that the stack's configuration lists; see docs/user-guide.md.

Reading and validating the configuration does not belong here: see `config`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pulumi

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
from rows import Replicas, row_of, rows_of
from selection import Members, select_members

# With this exit code, the language host adds nothing to our message. Any other code, that of
# `pulumi.RunError` too, makes it add "an unhandled error occurred".
TOLD_EXIT_CODE = 32


def options(resource: Resource) -> pulumi.ResourceOptions:
    """Return Pulumi's own options of a resource."""
    return pulumi.ResourceOptions(
        protect=resource.protect, retain_on_delete=resource.retain_on_delete
    )


def declare(replication: Replication) -> cbr.BackupReplication:
    """Declare one replication as a resource."""
    return cbr.BackupReplication(replication.name, replication.args, options(replication))


def declare_set(
    one: ReplicationSet, selected: Mapping[Selection, Members | None]
) -> cbr.BackupReplicationSet:
    """Declare a set; members that were not queried are unknown, in previews only."""
    args = one.args
    if one.selection is not None:
        members = selected[one.selection]
        unknown: pulumi.Output[Any] = pulumi.Output.from_input(pulumi.UNKNOWN)
        args = replace(args, backups=unknown if members is None else members)
    return cbr.BackupReplicationSet(one.name, args, options(one))


def declare_vault(vault: Vault) -> cbr.VaultReplication:
    """Declare the copy of a vault."""
    return cbr.VaultReplication(vault.name, vault.args, options(vault))


def declare_wait(wait: Wait, resources: list[pulumi.Resource]) -> Replicas:
    """Declare the wait for all copies, if it is wanted; return record id -> replica id."""
    if not wait.is_wanted:
        return pulumi.Output.from_input({})
    complete = cbr.ReplicationsComplete(
        "replications-complete",
        cbr.ReplicationsCompleteArgs(replications=resources, timeout=wait.timeout),
    )
    return complete.replicas


def build(plan: Plan, selected: Mapping[Selection, Members | None]) -> None:
    """Declare everything, and export a row for each copy."""
    replications = {one.name: declare(one) for one in plan.replications}
    sets = {one.name: declare_set(one, selected) for one in plan.sets}
    vaults = {one.name: declare_vault(one) for one in plan.vaults}
    replicas = declare_wait(plan.wait, [*replications.values(), *sets.values(), *vaults.values()])
    pulumi.export(
        "replications", {name: row_of(one, replicas) for name, one in replications.items()}
    )
    pulumi.export("sets", {name: rows_of(one, replicas) for name, one in sets.items()})
    pulumi.export("vaults", {name: rows_of(one, replicas) for name, one in vaults.items()})


def main() -> None:
    """Read, select and build; one message reports all faults of the configuration."""
    try:
        plan = read_plan(pulumi.runtime.get_config_env())
        selected = select_members(plan, is_preview=pulumi.runtime.is_dry_run())
    except ConfigurationFaultsError as faults:
        pulumi.log.error(str(faults))
        sys.exit(TOLD_EXIT_CODE)
    build(plan, selected)


main()
