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
        """Return the form of sets."""
        from pulumi_huaweicloud_cbr.resources._forms.set import SetForm

        return SetForm()


def as_members(backups: Sequence[Backup]) -> dict[str, dict[str, str]]:
    """Return backups as members of a set, with readable labels and creation times.

    A label is the resource's name and the backup's creation time, such as
    ``erp-db-01@2026-11-20T02:00:11``. If the backup has no creation time, label and member lack it.
    """
    return {
        label: {"backup_id": backup.id}
        | ({"created_at": backup.created_at} if backup.created_at else {})
        for label, backup in labelled(backups).items()
    }


@dataclass
class BackupReplicationSetArgs:
    """The inputs of `BackupReplicationSet`.

    An input without a default is required. A change that replaces makes new copies of all members
    and deletes the old replicas.

    Args:
        backups: the members: labels with backup ids, or a list of backup ids. A label may also have
            an object of ``backup_id`` and, optionally, ``name`` (the replica's) and ``created_at``.
            An added member is copied. A removed member's replica is deleted. A changed name renames
            the replica. A changed label copies nothing.
        destination_region: the region to copy to. A change replaces.
        destination_vault_id: a vault of protect_type ``replication`` there. A change replaces.
        destination_project_id: default: the project named like the region. A change replaces.
        keep_newest: keep this many of the newest members. A member that is no longer listed,
            because its source has expired, counts too. Members need ``created_at``; see
            `as_members`. Default: keep the listed members. A change adds or removes members.
        enable_acceleration: copy faster, at extra cost. Default: false. A change affects later
            copies only.
        source_region: the backups' region. Default: ``huaweicloud:region``. A change replaces.
        source_project_id: default: ``huaweicloud:projectId`` in ``huaweicloud:region``, else the
            project named like the region. A change replaces.
        adopt: take over matching replicas or running copies, instead of failing. ``any`` takes over
            those of other stacks too. Default: true. A change affects later copies only.
        preflight: ask the API in previews whether it will accept the copies. ``error`` fails if it
            will not, ``warn`` warns, ``off`` does not ask. Default: ``error``. A change
            affects only the state.
        force_destroy: delete replicas also if their source backups are gone, so that they are the
            last copies. Default: false. A change affects only the state.

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
    adopt: pulumi.Input[bool | str] | None = None
    preflight: pulumi.Input[str] | None = None
    force_destroy: pulumi.Input[bool] | None = None


class BackupReplicationSetInputs(CopyInputs, total=False):
    """The inputs of `BackupReplicationSetArgs`, as keywords."""

    backups: Required[pulumi.Input[Mapping[str, Any] | Sequence[Any]]]
    keep_newest: pulumi.Input[int] | None


class BackupReplicationSet(
    CopyOutputs, Resource, module="huaweicloud_cbr", name="BackupReplicationSet"
):
    """Copies of many CBR backups in another region.

    Creating it submits all copies and returns. If it replaces a set in another region, it waits
    until the new copies have succeeded. Deleting it deletes all replicas.
    """

    backups: pulumi.Output[Any]
    """Members by label. Where the engine echoes inputs, as with `--target`, a list stays a list."""
    keep_newest: pulumi.Output[int | None]
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label: ``backup_id``, ``replication_record_id``, ``status`` and, once known,
    ``destination_backup_id``, ``destination_checkpoint_id``, ``created_at``, ``name``,
    ``source_resource_id``, ``source_deleted``, ``owner``; ``leaving`` while it cannot go yet."""

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
        """The data by which `ReplicationsComplete` waits for the copies."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replicas' ids by replication record id, as far as the state knows them."""
        return known_replicas_output(self.members)
