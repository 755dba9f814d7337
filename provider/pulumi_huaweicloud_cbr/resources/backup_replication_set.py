"""`BackupReplicationSet`: many backups copied to one destination, as one Pulumi resource.

The module's path and the name of `BackupReplicationSetProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Required, Unpack, overload

import pulumi
from pulumi.dynamic import Resource

from pulumi_huaweicloud_cbr.replication.rules.members import labelled
from pulumi_huaweicloud_cbr.resources._arguments import CopyInputs, CopyOutputs, declared
from pulumi_huaweicloud_cbr.resources._forms.state import known_replicas_output, tracking_output
from pulumi_huaweicloud_cbr.resources._reconciler import Reconciler

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.api.wire.answers import Backup
    from pulumi_huaweicloud_cbr.resources._forms.set import SetForm


class BackupReplicationSetProvider(Reconciler):
    """Reconciles a set of replications, member by member."""

    def form(self) -> SetForm:
        """Return what is special to sets."""
        from pulumi_huaweicloud_cbr.resources._forms.set import SetForm

        return SetForm()


def as_members(backups: Sequence[Backup]) -> dict[str, dict[str, str]]:
    """Return backups as members of a set, with readable labels and how old they are.

    The label is the resource's name and when the backup was made, such as
    ``erp-db-01@2026-11-20T02:00:11``. A backup without a time has neither of them.
    """
    return {
        label: {"backup_id": backup.id}
        | ({"created_at": backup.created_at} if backup.created_at else {})
        for label, backup in labelled(backups).items()
    }


@dataclass
class BackupReplicationSetArgs:
    """What a set of replications is to be.

    Args:
        backups: the members: labels with backup ids, or with objects of ``backup_id`` and, where
            wanted, ``name`` (the replica's) and ``created_at``; or a list of backup ids. What
            enters is copied, what leaves is deleted in the destination, a changed name renames.
        destination_region: the region to copy to. Changing it replaces the set.
        destination_vault_id: a vault of protect_type ``replication`` there. Changing it replaces.
        destination_project_id: default: the project named like the region. Changing it replaces.
        keep_newest: keep so many of the newest members, those included that are no longer listed
            because their source has expired. Members need ``created_at`` then; see `as_members`.
        enable_acceleration: copy faster, at extra cost. Default: false.
        source_region: where the backups are. Default: ``huaweicloud:region``.
        source_project_id: default: ``huaweicloud:projectId``, else the project named like the
            region. Changing it replaces.
        adopt: take over replicas or running copies that match, instead of failing. Default: true.
        preflight: ask the API in previews whether it will accept: ``error``, ``warn`` or
            ``off``. Default: ``error``.

    Source: CBR API reference, CopyBackup.
    """

    backups: pulumi.Input[Mapping[str, Any] | Sequence[Any]]
    destination_region: pulumi.Input[str]
    destination_vault_id: pulumi.Input[str]
    destination_project_id: pulumi.Input[str] | None = None
    keep_newest: pulumi.Input[int] | None = None
    enable_acceleration: pulumi.Input[bool] | None = None
    source_region: pulumi.Input[str] | None = None
    source_project_id: pulumi.Input[str] | None = None
    adopt: pulumi.Input[bool] | None = None
    preflight: pulumi.Input[str] | None = None


class BackupReplicationSetInputs(CopyInputs, total=False):
    """The inputs of `BackupReplicationSetArgs`, as keywords."""

    backups: Required[pulumi.Input[Mapping[str, Any] | Sequence[Any]]]
    keep_newest: pulumi.Input[int] | None


class BackupReplicationSet(
    CopyOutputs, Resource, module="huaweicloud_cbr", name="BackupReplicationSet"
):
    """Copies of many CBR backups in another region.

    Creating it submits all copies and returns. Deleting it deletes all replicas.
    """

    backups: pulumi.Output[dict[str, Any]]
    keep_newest: pulumi.Output[int | None]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label: ``backup_id``, ``replication_record_id``, ``status`` and, once known,
    ``destination_backup_id``, ``destination_checkpoint_id``, ``created_at``, ``name``,
    ``source_resource_id``, ``source_deleted``."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: BackupReplicationSetArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[BackupReplicationSetInputs],
    ) -> None: ...

    def __init__(self, resource_name: str, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(self, BackupReplicationSetArgs, resource_name, positional, keywords)
        super().__init__(
            BackupReplicationSetProvider(), resource_name, {**inputs, "members": None}, opts
        )

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """Return what `ReplicationsComplete` waits by."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replica's id by its record's, as far as the state knows it."""
        return known_replicas_output(self.members)
