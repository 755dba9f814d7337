"""Typed dictionaries of the Args classes, for keywords and in place of an Args object.

`make tables` writes this module from the Args classes. Change those instead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict

import pulumi

from pulumi_huaweicloud_cbr.resources._arguments.members import KeepArgsDict, Members
from pulumi_huaweicloud_cbr.resources._arguments.shared import Adopt, Preflight, Waitable


class BackupReplicationArgsDict(TypedDict, total=False):
    """The inputs of `BackupReplicationArgs`, as a dictionary or as keywords."""

    backup_id: Required[pulumi.Input[str]]
    """The backup to copy, a UUID. A change replaces."""
    name: pulumi.Input[str] | None
    """The replica's name: 1 to 64 letters, digits, CJK, ``_`` or ``-``. Default: CBR's choice. A
    change renames the replica. Removing it changes nothing."""
    description: pulumi.Input[str] | None
    """The replica's: at most 255 characters without ``<`` and ``>``, together with the mark of the
    stack. Default: the mark alone. A change replaces, since CBR cannot change it. Removing it
    changes nothing."""
    destination_region: Required[pulumi.Input[str]]
    """The region to copy to, such as ``cn-east-3``. A change replaces."""
    destination_vault_id: Required[pulumi.Input[str]]
    """A vault of protect_type ``replication`` there. A change replaces."""
    destination_project_id: pulumi.Input[str] | None
    """The project of that vault. Default: the project named like the region. A change replaces."""
    enable_acceleration: pulumi.Input[bool] | None
    """Copy faster, at extra cost. Default: false. A change affects later copies only."""
    source_region: pulumi.Input[str] | None
    """The region of what is copied. Default: ``huaweicloud:region``. A change replaces."""
    source_project_id: pulumi.Input[str] | None
    """The project of what is copied. Default: ``huaweicloud:projectId`` in ``huaweicloud:region``,
    else the project named like the region. A change replaces."""
    adopt: pulumi.Input[Adopt] | None
    """Take over a matching replica or running copy, instead of failing. ``any`` takes over those of
    other stacks too. Default: true. A change affects later copies only."""
    preflight: pulumi.Input[Preflight] | None
    """Ask the API in previews whether it will accept the copies. ``error`` fails if it will not,
    ``warn`` warns. ``off`` does not ask, so later runs of `up` do not copy what is new in an entire
    vault. Default: ``error``. A change affects only the state."""
    force_destroy: pulumi.Input[bool] | None
    """Delete a replica also if its source backup is gone, so that it is the last copy. Default:
    false. A change affects only the state."""


class BackupReplicationSetArgsDict(TypedDict, total=False):
    """The inputs of `BackupReplicationSetArgs`, as a dictionary or as keywords."""

    backups: Required[pulumi.Input[Members]]
    """The members: backups by label, or a list of backups, as `get_backups` returns it. A backup is
    its id, a `Backup`, or an object of ``backup_id`` and, optionally, ``name`` (the replica's) and
    ``created_at``. An added member is copied. A removed member's replica is deleted. A changed name
    renames the replica. A changed label copies nothing."""
    keep_newest: pulumi.Input[int] | None
    """Keep this many of the newest members. A member that is no longer listed, because its source
    has expired, counts too. Members need ``created_at``; see `as_members`. Default: keep the listed
    members. A change adds or removes members."""
    keep: pulumi.Input[KeepArgsDict] | None
    """Keep the newest members, and one for each of so many days, weeks, months and years, such as
    ``{"newest": 7, "days": 14, "weeks": 5, "months": 12, "timezone": "UTC+08:00"}``. A period that
    has no backup does not count. In place of `keep_newest`, which is ``newest`` alone. Members need
    ``created_at``. Default: keep the listed members. A change adds or removes members."""
    destination_region: Required[pulumi.Input[str]]
    """The region to copy to, such as ``cn-east-3``. A change replaces."""
    destination_vault_id: Required[pulumi.Input[str]]
    """A vault of protect_type ``replication`` there. A change replaces."""
    destination_project_id: pulumi.Input[str] | None
    """The project of that vault. Default: the project named like the region. A change replaces."""
    enable_acceleration: pulumi.Input[bool] | None
    """Copy faster, at extra cost. Default: false. A change affects later copies only."""
    source_region: pulumi.Input[str] | None
    """The region of what is copied. Default: ``huaweicloud:region``. A change replaces."""
    source_project_id: pulumi.Input[str] | None
    """The project of what is copied. Default: ``huaweicloud:projectId`` in ``huaweicloud:region``,
    else the project named like the region. A change replaces."""
    adopt: pulumi.Input[Adopt] | None
    """Take over a matching replica or running copy, instead of failing. ``any`` takes over those of
    other stacks too. Default: true. A change affects later copies only."""
    preflight: pulumi.Input[Preflight] | None
    """Ask the API in previews whether it will accept the copies. ``error`` fails if it will not,
    ``warn`` warns. ``off`` does not ask, so later runs of `up` do not copy what is new in an entire
    vault. Default: ``error``. A change affects only the state."""
    force_destroy: pulumi.Input[bool] | None
    """Delete a replica also if its source backup is gone, so that it is the last copy. Default:
    false. A change affects only the state."""


class ProviderArgsDict(TypedDict, total=False):
    """The inputs of `ProviderArgs`, as a dictionary or as keywords."""

    region: pulumi.Input[str] | None
    """The region of the backups. A change affects only what resources leave out."""
    project_id: pulumi.Input[str] | None
    """The project of the backups. Default: the project named like the region."""
    access_key: pulumi.Input[str] | None
    """An access key, which signs each request. Stored encrypted."""
    secret_key: pulumi.Input[str] | None
    """The secret key that belongs to it. Stored encrypted."""
    security_token: pulumi.Input[str] | None
    """For a temporary access key. Stored encrypted."""
    user_name: pulumi.Input[str] | None
    """An IAM user, in place of an access key."""
    password: pulumi.Input[str] | None
    """The password of that user. Stored encrypted."""
    domain_name: pulumi.Input[str] | None
    """The name of that user's account."""
    token: pulumi.Input[str] | None
    """One token for everything. Stored encrypted."""
    tokens: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None
    """Tokens by project id. Stored encrypted."""
    metadata: pulumi.Input[bool] | None
    """Whether a server's metadata service may be asked for keys. Default: true."""
    auth_url: pulumi.Input[str] | None
    """The address of IAM."""
    cloud: pulumi.Input[str] | None
    """The domain of the endpoints. Default: the vendor's own addresses."""
    endpoints: pulumi.Input[Mapping[str, pulumi.Input[str]]] | None
    """Addresses of ``cbr`` and ``iam``; ``{region}`` is substituted."""
    insecure: pulumi.Input[bool] | None
    """Verify no certificate, with a warning. Default: false."""
    ca_file: pulumi.Input[str] | None
    """The file of a private CA."""
    poll_interval: pulumi.Input[float] | None
    """Seconds between polls while waiting. Default: 10."""
    owner: pulumi.Input[str] | None
    """The name in the marks on replicas. Default: ``project/stack``."""
    mark_replicas: pulumi.Input[bool] | None
    """Whether new replicas get a mark. Default: true."""
    force_destroy: pulumi.Input[bool] | None
    """Delete last copies as well; meant for one run. Default: false."""
    max_deleted_percent: pulumi.Input[float] | None
    """The part of a set's members that an update may delete. Default: 100."""


class ReplicationsCompleteArgsDict(TypedDict, total=False):
    """The inputs of `ReplicationsCompleteArgs`, as a dictionary or as keywords."""

    replications: Required[Waitable | Sequence[Waitable]]
    """A resource that replicates, or its `tracking`, or several of these. A new one is waited for;
    a removed one is dropped from the outputs."""
    timeout: pulumi.Input[str | float] | None
    """``30m``, ``4h``, ``1h30m`` or seconds, at most 30 days, from the first poll. Default: 4
    hours. The shorter of this and ``custom_timeouts`` counts."""
    poll_interval: pulumi.Input[str | float] | None
    """The shortest pause between polls, in the same form, 0.01 to 3600 seconds. Default:
    ``huaweicloud:pollInterval``, which is 10 seconds if not set."""


class VaultReplicationArgsDict(TypedDict, total=False):
    """The inputs of `VaultReplicationArgs`, as a dictionary or as keywords."""

    vault_id: Required[pulumi.Input[str]]
    """The vault whose backups to copy. The next `up` copies backups that are new in it. A backup
    that leaves it keeps its replica. A change replaces."""
    destination_region: Required[pulumi.Input[str]]
    """The region to copy to, such as ``cn-east-3``. A change replaces."""
    destination_vault_id: Required[pulumi.Input[str]]
    """A vault of protect_type ``replication`` there. A change replaces."""
    destination_project_id: pulumi.Input[str] | None
    """The project of that vault. Default: the project named like the region. A change replaces."""
    enable_acceleration: pulumi.Input[bool] | None
    """Copy faster, at extra cost. Default: false. A change affects later copies only."""
    source_region: pulumi.Input[str] | None
    """The region of what is copied. Default: ``huaweicloud:region``. A change replaces."""
    source_project_id: pulumi.Input[str] | None
    """The project of what is copied. Default: ``huaweicloud:projectId`` in ``huaweicloud:region``,
    else the project named like the region. A change replaces."""
    adopt: pulumi.Input[Adopt] | None
    """Take over a matching replica or running copy, instead of failing. ``any`` takes over those of
    other stacks too. Default: true. A change affects later copies only."""
    preflight: pulumi.Input[Preflight] | None
    """Ask the API in previews whether it will accept the copies. ``error`` fails if it will not,
    ``warn`` warns. ``off`` does not ask, so later runs of `up` do not copy what is new in an entire
    vault. Default: ``error``. A change affects only the state."""
    force_destroy: pulumi.Input[bool] | None
    """Delete a replica also if its source backup is gone, so that it is the last copy. Default:
    false. A change affects only the state."""
