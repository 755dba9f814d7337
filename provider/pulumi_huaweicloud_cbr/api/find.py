"""Finders: look-ups that interpret the oddities of the API, so that callers need not.

A finder makes as many calls as it needs to be sure. Look-ups by id raise NotFoundError, or return
an empty `Replica`; searches return None or nothing. It does not decide what to do with the result:
`replication.rules.decisions` does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

from pulumi_huaweicloud_cbr.api.client import Api
from pulumi_huaweicloud_cbr.api.pages import Listing, first, gathered
from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    Project,
    Replica,
    ReplicationRecord,
    Task,
    TaskReplication,
    Vault,
)
from pulumi_huaweicloud_cbr.api.wire.decoding import NOT_THE_SERVICE
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    ConfigurationError,
    MalformedResponseError,
    NotFoundError,
    UnidentifiedReplicaError,
)
from pulumi_huaweicloud_cbr.base.moments import moment
from pulumi_huaweicloud_cbr.base.text import counted, is_region_id, readable

Found = TypeVar("Found")

REPLICATION = "replication"
"""The `protect_type` of a vault that accepts replicas (CBR API reference, ListVault)."""


async def find_backup(api: Api, scope: ProjectScope, backup_id: str) -> Backup:
    """Return the backup with that id.

    Raises:
        NotFoundError: the project answers, and has no such backup.
        ApiError: also if the project itself cannot be reached with these credentials.
        MalformedResponseError: the response is about another backup.
    """
    backup = await _existing(api, scope, lambda: api.get_backup(scope, backup_id))
    _require_same("backup", scope, backup_id, backup.id)
    return backup


async def find_vault(api: Api, scope: ProjectScope, vault_id: str) -> Vault:
    """Return the vault with that id; raises the same errors as `find_backup`."""
    vault = await _existing(api, scope, lambda: api.get_vault(scope, vault_id))
    _require_same("vault", scope, vault_id, vault.id)
    return vault


def _require_same(what: str, scope: ProjectScope, asked_id: str, answered_id: str) -> None:
    # The caller may rename or delete it next. A cache could have answered with another one.
    if asked_id.lower() != answered_id.lower():
        raise MalformedResponseError(
            f"reading {what} ({asked_id}) in {scope}: the answer is about ({answered_id})",
            remedy=NOT_THE_SERVICE,
        )


async def _existing(api: Api, scope: ProjectScope, call: Callable[[], Awaitable[Found]]) -> Found:
    try:
        return await call()
    except ApiError as error:
        if not error.is_unauthorized_url:
            raise
        # CBR answers 401 "Malformed request url" for another project's path and, as other
        # clients have met, for an id that is gone. Confusing the first with the second would lose
        # a replica. So the project has to prove that it answers at all.
        try:
            await api.list_backups(scope, limit=1)
        except NotFoundError as silence:
            raise error from silence
        raise NotFoundError(
            f"{error.message} (the project answers, so it is the id that does not exist)",
            status=error.status,
            is_unauthorized_url=True,
            request_id=error.request_id,
        ) from error


def find_record(source: Backup, record_id: str) -> ReplicationRecord | None:
    """Return the source backup's record with that id; None if it lists none."""
    return next((record for record in source.records if record.id == record_id), None)


def records_for_place(
    source: Backup, destination: ProjectScope, vault_id: str
) -> tuple[ReplicationRecord, ...]:
    """Return the records of copies that are or may be in the region of a vault, newest first.

    A record may name its region otherwise than by its id, or not at all. Its vault or its project
    then tells the region, since each belongs to one. A record that tells neither may be of any
    region.
    """

    def may_be_there(record: ReplicationRecord) -> bool:
        region = record.destination_region
        if region is not None and (region == destination.region or is_region_id(region)):
            return region == destination.region
        if (record.destination_vault_id or "").lower() == vault_id.lower():
            return True
        return record.destination_project_id in (None, destination.project_id)

    matching = [record for record in source.records if may_be_there(record)]
    return tuple(sorted(matching, key=lambda record: moment(record.created_at), reverse=True))


async def find_replica_by_id(api: Api, scope: ProjectScope, backup_id: str) -> Replica:
    """Return the replica with that id in the destination, or a `Replica` without a backup."""
    try:
        return Replica(backup_id, await find_backup(api, scope, backup_id))
    except NotFoundError:
        return Replica(backup_id, None)


async def find_replica_by_checkpoint(
    api: Api, scope: ProjectScope, vault_id: str, checkpoint_id: str
) -> Replica:
    """Return the replica that belongs to a restore point of the destination vault."""
    filters = {"image_type": "replication", "vault_id": vault_id, "checkpoint_id": checkpoint_id}

    unreadable: list[Backup] = []

    def choose(backups: tuple[Backup, ...]) -> Replica | None:
        for backup in backups:
            if backup.checkpoint_id == checkpoint_id and backup.may_be_replica:
                return Replica(backup.id, backup)
        unreadable.extend(backup for backup in backups if backup.is_unreadable)
        return None

    listing = _backups(api, scope, **filters)
    found = await first(api, listing, choose)
    if found is None:
        _require_readable(listing, unreadable)
    return found or Replica(None, None)


COPY_OPERATIONS = ("replication", "copy")
"""The types of tasks that copy to another region: today's, and that of earlier versions of CBR (CBR
API reference, ListOpLogs, operation_type)."""


def _copy_tasks(api: Api, source_scope: ProjectScope, **filters: Any) -> Listing[Task]:
    return Listing(
        f"listing tasks in {source_scope}",
        lambda limit, offset: api.get_task_page(
            source_scope, limit=limit, offset=offset, **filters
        ),
    )


def _lists_of_copies(
    api: Api, source_scope: ProjectScope, resource_id: str | None
) -> list[Listing[Task]]:
    """Return the lists that contain the tasks of copies, the likelier one first.

    The log of one resource is short, so that one request shows its tasks of all types. Without a
    resource, each type of copies has a list of its own.
    """
    if resource_id is not None:
        return [_copy_tasks(api, source_scope, resource_id=resource_id)]
    return [_copy_tasks(api, source_scope, operation_type=type_) for type_ in COPY_OPERATIONS]


async def find_copy_task(
    api: Api,
    source_scope: ProjectScope,
    backup_id: str,
    destination: ProjectScope,
    resource_id: str | None = None,
) -> Task | None:
    """Return the task for the backup's copy from the source region's operation log.

    Used if the source backup is gone, and its records with it. The newest task counts that is
    under way or names a replica: a policy's run also logs that it skipped an earlier copy.
    The log is kept for about 30 days (CBR user guide, "Tasks").

    Args:
        resource_id: what the backup is of; None if that is not known.
    """

    def choose(tasks: tuple[Task, ...]) -> Task | None:
        for task in sorted(tasks, key=lambda task: moment(task.created_at), reverse=True):
            told = task.replication
            if (
                told.source_backup_id == backup_id
                and told.destination_project_id in (None, destination.project_id)
                # A project belongs to one region, whatever the name of that.
                and (told.destination_region == destination.region or _is_named_otherwise(told))
                and (told.destination_backup_id or task.is_under_way)
            ):
                return task
        return None

    for listing in _lists_of_copies(api, source_scope, resource_id):
        if (task := await first(api, listing, choose)) is not None:
            return task
    return None


def _is_named_otherwise(told: TaskReplication) -> bool:
    region, project_id = told.destination_region, told.destination_project_id
    return project_id is not None and not (region is not None and is_region_id(region))


async def find_copy_tasks(
    api: Api, source_scope: ProjectScope, resource_id: str | None = None
) -> tuple[Task, ...]:
    """Return all copies in the operation log of a source region, or only those of one resource.

    Raises:
        IncompleteListError: rows are missing each time that the list is read.
    """
    found: list[Task] = []
    for listing in _lists_of_copies(api, source_scope, resource_id):
        found += await gathered(api, listing, lambda task: [task])
    return tuple(found)


async def find_claimed_replicas(
    api: Api, source_scope: ProjectScope, backup_id: str, resource_id: str | None
) -> frozenset[str]:
    """Return the ids of replicas that are known to be copies of the resource's other backups.

    Replication records name them. If those other backups are gone as well, the operation log does.
    """

    def of_records(backup: Backup) -> Iterator[str]:
        if backup.id != backup_id:
            for record in backup.records:
                if record.destination_backup_id:
                    yield record.destination_backup_id

    def of_task(task: Task) -> Iterator[str]:
        told = task.replication
        if told.destination_backup_id and told.source_backup_id not in (None, backup_id):
            yield told.destination_backup_id

    filters = {"image_type": "backup", "resource_id": resource_id, "show_replication": True}
    in_records = await gathered(api, _backups(api, source_scope, **filters), of_records)
    tasks = await find_copy_tasks(api, source_scope, resource_id)
    return frozenset({*in_records, *(replica for task in tasks for replica in of_task(task))})


async def require_no_replica(
    api: Api,
    scope: ProjectScope,
    vault_id: str,
    resource_id: str | None,
    doing: str,
    claimed: frozenset[str] = frozenset(),
) -> None:
    """Require that no replica in the vault can be the one whose id is unknown.

    Args:
        claimed: ids of replicas that are known to be copies of other backups.

    Raises:
        UnidentifiedReplicaError: there are replicas of the same resource; any of them could be it.
    """
    replicas = await find_backups(
        api, scope, image_type="replication", vault_id=vault_id, resource_id=resource_id
    )
    candidates = [backup for backup in replicas if backup.id not in claimed]
    if not candidates:
        return
    names = ", ".join(
        f"{readable(repr(backup.name), 80)} ({backup.id})" for backup in candidates[:5]
    )
    raise UnidentifiedReplicaError(
        f"{doing}: neither the source backup's records nor the operation log names it any more, "
        f"and vault ({vault_id}) in {scope} holds {counted(len(candidates), 'replica')} of the "
        f"same resource that could be it: {names}",
        remedy=(
            "look at them in the CBR console, and delete there what is no longer needed; where all "
            "are needed, drop the resource with pulumi state delete, which deletes no replica: "
            "declared again, it adopts what CBR still names"
        ),
    )


async def find_project_id(api: Api, region: str) -> str:
    """Return the id of the project with the region's name.

    Raises:
        ConfigurationError: IAM shows no such project to these credentials, or more than one.
    """
    # If the sign-in returned it, no look-up is needed.
    return await api.sign_in(region) or (await find_project(api, region)).id


async def find_project(api: Api, region: str) -> Project:
    """Return the project with the region's name.

    Raises:
        ConfigurationError: IAM shows no such project to these credentials, or more than one.
    """
    projects = await api.list_projects(region)
    exact = [project for project in projects if project.name == region]
    if len(exact) == 1:
        return exact[0]
    remedy = "check the region's name and the user's access to it, or give the project id"
    doubt = api.settings.doubt_about(region)
    raise ConfigurationError(
        f"looking up the project of region {region!r} in IAM: found {len(exact)} of that name",
        remedy=f"{remedy}; {doubt}" if doubt else remedy,
    )


async def find_destinations(api: Api, scope: ProjectScope) -> frozenset[str] | None:
    """Return the regions that backups of this region can be copied to.

    Returns:
        None if that is not known: the only sample in the reference has a name that is no region id
        (CBR API reference, ShowReplicationCapabilities). So the answer may name regions otherwise,
        ours or the destinations.
    """
    regions = await api.get_replication_capabilities(scope)
    told = [region.replication_destinations for region in regions if region.name == scope.region]
    destinations = [name for names in told for name in names or ()]
    is_told = bool(told) and None not in told and all(is_region_id(name) for name in destinations)
    return frozenset(destinations) if is_told else None


async def find_replication_vaults(api: Api, scope: ProjectScope) -> tuple[Vault, ...]:
    """Return the vaults of a project that accept replicas, in the API's order."""
    return await gathered(
        api,
        _vaults(api, scope, protect_type=REPLICATION),
        lambda vault: [vault] if vault.takes_replicas is not False else [],
    )


async def find_all_vaults(api: Api, scope: ProjectScope) -> tuple[Vault, ...]:
    """Return all vaults of a project, in the API's order."""
    return await gathered(api, _vaults(api, scope), lambda vault: [vault])


def _vaults(api: Api, scope: ProjectScope, **filters: Any) -> Listing[Vault]:
    return Listing(
        f"listing vaults in {scope}",
        lambda limit, offset: api.get_vault_page(scope, limit=limit, offset=offset, **filters),
    )


async def find_backups(
    api: Api, scope: ProjectScope, *, limit: int | None = None, **filters: Any
) -> tuple[Backup, ...]:
    """Return all backups that match the filters, in the API's order.

    Args:
        limit: the maximum number of backups; pages after them are not read.
    Raises:
        IncompleteListError: rows are missing each time that the list is read.
        MalformedResponseError: a row cannot be read, so that the list does not tell what exists.
    """
    listing = _backups(api, scope, **filters)
    found = await gathered(api, listing, lambda row: [row], limit)
    _require_readable(listing, [row for row in found if row.is_unreadable])
    return found


async def find_statuses(api: Api, scope: ProjectScope, vault_id: str) -> dict[str, str | None]:
    """Return the status of each backup in a vault, by id.

    All who ask at about the same time share a list.
    """

    async def ask() -> dict[str, str | None]:
        listing = _backups(api, scope, vault_id=vault_id)
        return dict(await gathered(api, listing, lambda row: [(row.id, row.status)]))

    return await api.shared(("statuses", scope, vault_id), ask)


def _require_readable(listing: Listing[Any], unreadable: Sequence[Backup]) -> None:
    if unreadable:
        raise MalformedResponseError(
            f"{listing.doing}: {counted(len(unreadable), 'row')} cannot be read, so that the list "
            "does not tell what exists",
            remedy="run the same command again later; if it stays so, ask the vendor's support",
        )


def _backups(api: Api, scope: ProjectScope, **filters: Any) -> Listing[Backup]:
    return Listing(
        f"listing backups in {scope}",
        lambda limit, offset: api.get_backup_page(scope, limit=limit, offset=offset, **filters),
    )
