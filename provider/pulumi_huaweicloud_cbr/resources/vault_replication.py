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
        """Return the form of entire vaults."""
        from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm

        return VaultForm()


@dataclass
class VaultReplicationArgs:
    """The inputs of `VaultReplication`.

    An input without a default is required. A change that replaces makes new copies and deletes the
    old replicas.

    Args:
        vault_id: the vault whose backups to copy. The next `up` copies backups that are new in it.
            A backup that leaves it keeps its replica. A change replaces.
        destination_region: the region to copy to. A change replaces.
        destination_vault_id: a vault of protect_type ``replication`` there. A change replaces.
        destination_project_id: default: the project named like the region. A change replaces.
        enable_acceleration: copy faster, at extra cost. Default: false. A change affects later
            copies only.
        source_region: the vault's region. Default: ``huaweicloud:region``. A change replaces.
        source_project_id: default: ``huaweicloud:projectId`` in ``huaweicloud:region``, else the
            project named like the region. A change replaces.
        adopt: take over matching replicas or running copies, instead of failing. ``any`` takes over
            those of other stacks too. Default: true. A change affects later copies only.
        preflight: ask the API in previews what it will copy, and whether it will accept that.
            ``error`` fails if it will not, ``warn`` warns. ``off`` does not ask, so later runs of
            `up` do not copy new backups. Default: ``error``. A change replaces nothing.
        force_destroy: delete replicas also if their source backups are gone, so that they are the
            last copies. Default: false. A change affects only the state.

    Source: CBR API reference, CopyCheckpoint.
    """

    vault_id: pulumi.Input[str]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool | str] | None = None
    preflight: pulumi.Input[str] | None = None
    force_destroy: pulumi.Input[bool] | None = None


class VaultReplicationInputs(CopyInputs, total=False):
    """The inputs of `VaultReplicationArgs`, as keywords."""

    vault_id: Required[pulumi.Input[str]]


class VaultReplication(CopyOutputs, Resource, module="huaweicloud_cbr", name="VaultReplication"):
    """Copies of all backups of a CBR vault in another region.

    Creating it submits the copies and returns. If it replaces a resource in another region, it
    waits until the new copies have succeeded. Every later `up` submits copies of backups that are
    new in the vault. Deleting it deletes the replicas.
    """

    vault_id: pulumi.Output[str]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """Rows by label, like those of `BackupReplicationSet`. A label is the resource's name and the
    backup's creation time."""
    left_out: pulumi.Output[list[str]]
    """Ids of backups that CBR did not take when it copied the vault, without giving a reason."""

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
        """The data by which `ReplicationsComplete` waits for the copies."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replicas' ids by replication record id, as far as the state knows them."""
        return known_replicas_output(self.members)
