"""`BackupReplicationSet`: many backups copied to one destination, as one Pulumi resource.

The module's path and the name of `BackupReplicationSetProvider` are state format: the engine
stores a pickle that names them, so neither may ever change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack, overload

import pulumi

from pulumi_huaweicloud_cbr.resources._arguments.members import KeepArgsDict, Members, plain_members
from pulumi_huaweicloud_cbr.resources._arguments.reading import checked, declared
from pulumi_huaweicloud_cbr.resources._arguments.registration import Registered
from pulumi_huaweicloud_cbr.resources._arguments.shared import CopyArgs, CopyOutputs
from pulumi_huaweicloud_cbr.resources._forms.reconciler import Reconciler
from pulumi_huaweicloud_cbr.resources._forms.state import known_replicas_output, tracking_output

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.resources._arguments.dicts import BackupReplicationSetArgsDict
    from pulumi_huaweicloud_cbr.resources._forms.set.form import SetForm


class BackupReplicationSetProvider(Reconciler):
    """Reconciles a set of replications, member by member."""

    def form(self) -> SetForm:
        """Return the form of sets."""
        from pulumi_huaweicloud_cbr.resources._forms.set.form import SetForm

        return SetForm()


@checked
@dataclass(kw_only=True)
class BackupReplicationSetArgs(CopyArgs):
    """The inputs of `BackupReplicationSet`; those without a default are required.

    A change that replaces makes new copies of all members and deletes the old replicas.

    Source: CBR API reference, CopyBackup.
    """

    backups: pulumi.Input[Members]
    """The members: backups by label, or a list of backups, as `get_backups` returns it. A backup is
    its id, a `Backup`, or an object of ``backup_id`` and, optionally, ``name`` (the replica's) and
    ``created_at``. An added member is copied. A removed member's replica is deleted. A changed name
    renames the replica. A changed label copies nothing."""
    keep_newest: pulumi.Input[int] | None = None
    """Keep this many of the newest members. A member that is no longer listed, because its source
    has expired, counts too. Members need ``created_at``; see `as_members`. Default: keep the listed
    members. A change adds or removes members."""
    keep: pulumi.Input[KeepArgsDict] | None = None
    """Keep the newest members, and one for each of so many days, weeks, months and years, such as
    ``{"newest": 7, "days": 14, "weeks": 5, "months": 12, "timezone": "UTC+08:00"}``. A period that
    has no backup does not count. In place of `keep_newest`, which is ``newest`` alone. Members need
    ``created_at``. Default: keep the listed members. A change adds or removes members."""


class BackupReplicationSet(
    CopyOutputs, Registered, module="huaweicloud_cbr", name="BackupReplicationSet"
):
    """Copies of many CBR backups in another region.

    Creating it submits all copies and returns. If it replaces a set in another region, it waits
    until the new copies have succeeded. Deleting it deletes all replicas.
    """

    backups: pulumi.Output[Any]
    """Members by label. Where the engine echoes inputs, as with `--target`, a list stays a list."""
    keep_newest: pulumi.Output[int | None]
    keep: pulumi.Output[dict[str, Any] | None]
    """The parts that do not have their default."""
    members: pulumi.Output[dict[str, dict[str, Any]]]
    """By label: ``backup_id``, ``replication_record_id``, ``status`` and, once known,
    ``destination_backup_id``, ``destination_checkpoint_id``, ``created_at``, ``name``,
    ``source_resource_id``, ``source_deleted``, ``owner``; ``leaving`` while it cannot go yet."""

    @overload
    def __init__(
        self,
        resource_name: str,
        args: BackupReplicationSetArgs | BackupReplicationSetArgsDict,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None: ...

    @overload
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **inputs: Unpack[BackupReplicationSetArgsDict],
    ) -> None: ...

    def __init__(self, resource_name: Any = None, *positional: Any, **keywords: Any) -> None:
        inputs, opts = declared(
            self,
            BackupReplicationSetArgs,
            resource_name,
            positional,
            keywords,
            plain={"backups": plain_members},
        )
        self.register(
            BackupReplicationSetProvider, resource_name, {**inputs, "members": None}, opts
        )

    @property
    def tracking(self) -> pulumi.Output[dict[str, Any]]:
        """The data by which `ReplicationsComplete` waits for the copies."""
        return tracking_output(self)

    @property
    def known_replicas(self) -> pulumi.Output[dict[str, str]]:
        """The replicas' ids by replication record id, as far as the state knows them."""
        return known_replicas_output(self.members)
