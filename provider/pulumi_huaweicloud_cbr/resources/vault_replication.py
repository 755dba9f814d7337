"""`VaultReplication`: all backups of a vault copied to another region, as one Pulumi resource.

The module's path and the name of `VaultReplicationProvider` are state format: the engine stores a
pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Required, Unpack, overload

import pulumi
from pulumi.dynamic import Resource

from pulumi_huaweicloud_cbr.resources._arguments import CopyInputs, CopyOutputs, declared
from pulumi_huaweicloud_cbr.resources._forms.state import known_replicas_output, tracking_output
from pulumi_huaweicloud_cbr.resources._reconciler import Reconciler

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm


class VaultReplicationProvider(Reconciler):
    """Reconciles the copy of an entire vault."""

    def form(self) -> VaultForm:
        """Return what is special to entire vaults."""
        from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm

        return VaultForm()


@dataclass
class VaultReplicationArgs:
    """What the copy of a vault is to be.

    Args:
        vault_id: the vault whose backups to copy. What comes into it is copied by the next `up`;
            what leaves it keeps its replica. Changing it replaces.
        destination_region: the region to copy to. Changing it replaces.
        destination_vault_id: a vault of protect_type ``replication`` there. Changing it replaces.
        destination_project_id: default: the project named like the region. Changing it replaces.
        enable_acceleration: copy faster, at extra cost. Default: false.
        source_region: where the vault is. Default: ``huaweicloud:region``.
        source_project_id: default: ``huaweicloud:projectId``, else the project named like the
            region. Changing it replaces.
        adopt: take over replicas or running copies that match, instead of failing. Default: true.
        preflight: ask the API in previews what it will copy, and whether it will accept:
            ``error``, ``warn`` or ``off``. Default: ``error``.

    Source: CBR API reference, CopyCheckpoint.
    """

    vault_id: pulumi.Input[str]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool] | None = None
    preflight: pulumi.Input[str] | None = None


class VaultReplicationInputs(CopyInputs, total=False):
    """The inputs of `VaultReplicationArgs`, as keywords."""

    vault_id: Required[pulumi.Input[str]]


class VaultReplication(CopyOutputs, Resource, module="huaweicloud_cbr", name="VaultReplication"):
    """Copies of all backups of a CBR vault in another region.

    Creating it submits the copies and returns; every later `up` submits those of backups that
    have come since. Deleting it deletes the replicas.
    """

    vault_id: pulumi.Output[str]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label, the resource's name and the backup's time: rows as those of
    `BackupReplicationSet`."""
    left_out: pulumi.Output[list[str]]
    """Ids of backups that CBR did not take when the vault was copied, without telling why."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: VaultReplicationArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[VaultReplicationInputs],
    ) -> None: ...

    def __init__(self, resource_name: str, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, VaultReplicationArgs, resource_name, positional, keywords)
        super().__init__(
            VaultReplicationProvider(),
            resource_name,
            {**inputs, "members": None, "left_out": None},
            opts,
        )

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """Return what `ReplicationsComplete` waits by."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replica's id by its record's, as far as the state knows it."""
        return known_replicas_output(self.members)
