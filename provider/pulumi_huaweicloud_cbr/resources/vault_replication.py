"""`VaultReplication`: all backups of a vault copied to another region, as one Pulumi resource.

The module's path and the name of `VaultReplicationProvider` are state format: the engine stores a
pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, overload

import pulumi

from pulumi_huaweicloud_cbr.resources._arguments.reading import checked, declared
from pulumi_huaweicloud_cbr.resources._arguments.registration import Registered
from pulumi_huaweicloud_cbr.resources._arguments.shared import CopyArgs, CopyOutputs
from pulumi_huaweicloud_cbr.resources._forms.reconciler import Reconciler
from pulumi_huaweicloud_cbr.resources._forms.state import known_replicas_output, tracking_output

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import VaultReplicationArgsDict
    from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm


class VaultReplicationProvider(Reconciler):
    """Reconciles the copy of an entire vault."""

    def form(self) -> VaultForm:
        """Return the form of entire vaults."""
        from pulumi_huaweicloud_cbr.resources._forms.vault import VaultForm

        return VaultForm()


@checked
@dataclass(kw_only=True)
class VaultReplicationArgs(CopyArgs):
    """The inputs of `VaultReplication`; those without a default are required.

    A change that replaces makes new copies and deletes the old replicas.

    Source: CBR API reference, CopyCheckpoint.
    """

    vault_id: pulumi.Input[str]
    """The vault whose backups to copy. The next `up` copies backups that are new in it. A backup
    that leaves it keeps its replica. A change replaces."""


class VaultReplication(CopyOutputs, Registered, module="huaweicloud_cbr", name="VaultReplication"):
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
        args: VaultReplicationArgs | VaultReplicationArgsDict,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[VaultReplicationArgsDict],
    ) -> None: ...

    def __init__(self, resource_name: Any = None, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, VaultReplicationArgs, resource_name, positional, keywords)
        self.register(
            VaultReplicationProvider,
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
