"""Functions for programs: look things up while the program runs, in previews too.

They only read. They block, take plain values and raise the package's errors. Those whose names end
with ``_output`` take values that may be known later, and return an output. Settings come from the
stack's configuration or the environment, as for resources.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pulumi

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.moments import spelled
from pulumi_huaweicloud_cbr.engine.session import Session, open_session
from pulumi_huaweicloud_cbr.resources._arguments.questions import require_answerable
from pulumi_huaweicloud_cbr.resources._arguments.reading import ArgumentsError, in_one_line

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from pulumi_huaweicloud_cbr.api.wire.answers import Backup, RegionCapability, Vault
    from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
    from pulumi_huaweicloud_cbr.resources.provider import Provider

    Answer = TypeVar("Answer")


def get_backup(
    backup_id: str,
    *,
    region: str | None = None,
    project_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> Backup:
    """Return a backup with its replication records.

    Args:
        region: default: ``huaweicloud:region``.
        project_id: default: ``huaweicloud:projectId``, else the project named like the region.
        opts: its `provider` has the settings, in place of the stack's configuration.
    Raises:
        NotFoundError: the region and project have no backup with that id.
        ConfigurationError: a setting is missing or malformed.
    Source: CBR API reference, ShowBackup.
    """
    from pulumi_huaweicloud_cbr.api.find import find_backup

    asked = {"backup_id": backup_id, "region": region, "project_id": project_id}
    require_answerable("get_backup", asked, ("backup_id",))
    return _ask(
        region, project_id, lambda s, scope: find_backup(s.client(), scope, backup_id), opts
    )


def get_backups(
    *,
    region: str | None = None,
    project_id: str | None = None,
    vault_id: str | None = None,
    resource_id: str | None = None,
    resource_name: str | None = None,
    resource_type: str | None = None,
    name: str | None = None,
    status: str | None = "available",
    image_type: str | None = "backup",
    created_since: str | None = None,
    created_until: str | None = None,
    limit: int | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[Backup]:
    """Return backups, the newest first; the list is empty if no backup passes the filters.

    Args:
        region: default: ``huaweicloud:region``.
        project_id: default: ``huaweicloud:projectId``, else the project named like the region.
        status: default ``available``; None for all.
        image_type: ``backup`` (default), ``replication`` for replicas, None for both.
        created_since: ``YYYY-mm-ddTHH:MM:SSZ``, UTC.
        created_until: the same.
        limit: at most this many; None for all. Pages are read as needed.
        opts: its `provider` has the settings, in place of the stack's configuration.
    Raises:
        ArgumentsError: an argument is an output.
        ConfigurationError: a setting is missing or malformed, or an argument is malformed.
        IncompleteListError: CBR counts more backups than it lists, even after repeated requests.
    Source: CBR API reference, ListBackups.
    """
    from pulumi_huaweicloud_cbr.api.find import find_backups

    require_answerable(
        "get_backups",
        {
            "region": region,
            "project_id": project_id,
            "vault_id": vault_id,
            "resource_id": resource_id,
            "resource_name": resource_name,
            "resource_type": resource_type,
            "name": name,
            "status": status,
            "image_type": image_type,
            "created_since": created_since,
            "created_until": created_until,
            "limit": limit,
        },
    )
    filters: dict[str, Any] = {
        "vault_id": vault_id,
        "resource_id": resource_id,
        "resource_name": resource_name,
        "resource_type": resource_type,
        "name": name,
        "status": status,
        "image_type": image_type,
        # YAML parses a time without quotes, and Pulumi passes it on in Go's spelling.
        "start_time": created_since and spelled(created_since),
        "end_time": created_until and spelled(created_until),
    }

    async def collect(session: Session, scope: ProjectScope) -> list[Backup]:
        return list(
            await find_backups(
                session.client(),
                scope,
                limit=limit,
                sort="created_at:desc",
                show_replication=True,
                **filters,
            )
        )

    return _ask(region, project_id, collect, opts)


def get_vault(
    vault_id: str,
    *,
    region: str | None = None,
    project_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> Vault:
    """Return a vault; arguments and errors as for `get_backup`.

    Source: CBR API reference, ShowVault.
    """
    from pulumi_huaweicloud_cbr.api.find import find_vault

    asked = {"vault_id": vault_id, "region": region, "project_id": project_id}
    require_answerable("get_vault", asked, ("vault_id",))
    return _ask(region, project_id, lambda s, scope: find_vault(s.client(), scope, vault_id), opts)


def get_replication_capabilities(
    *,
    region: str | None = None,
    project_id: str | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> list[RegionCapability]:
    """Return which regions can copy backups to which others, as one region reports it.

    Source: CBR API reference, ShowReplicationCapabilities.
    """
    asked = {"region": region, "project_id": project_id}
    require_answerable("get_replication_capabilities", asked)

    async def read(session: Session, scope: ProjectScope) -> list[RegionCapability]:
        return list(await session.client().get_replication_capabilities(scope))

    return _ask(region, project_id, read, opts)


def get_project_id(region: str, *, opts: pulumi.InvokeOptions | None = None) -> str:
    """Return the id of the project that is named like the region.

    Args:
        region: such as ``cn-north-4``.
        opts: its `provider` has the settings, in place of the stack's configuration.
    Raises:
        ConfigurationError: IAM lists no such project for these credentials, or several.
    Source: IAM API reference, KeystoneListProjects.
    """
    require_answerable("get_project_id", {"region": region}, ("region",))
    with in_one_line():
        session = _session(opts)
        return session.run(session.project_id(region))


def get_backup_output(
    backup_id: pulumi.Input[str],
    *,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[Backup]:
    """Return what `get_backup` does, as soon as the arguments are known."""
    return _later(get_backup, opts, backup_id=backup_id, region=region, project_id=project_id)


def get_backups_output(
    *,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    vault_id: pulumi.Input[str] | None = None,
    resource_id: pulumi.Input[str] | None = None,
    resource_name: pulumi.Input[str] | None = None,
    resource_type: pulumi.Input[str] | None = None,
    name: pulumi.Input[str] | None = None,
    status: pulumi.Input[str] | None = "available",
    image_type: pulumi.Input[str] | None = "backup",
    created_since: pulumi.Input[str] | None = None,
    created_until: pulumi.Input[str] | None = None,
    limit: pulumi.Input[int] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[list[Backup]]:
    """Return what `get_backups` does, as soon as the arguments are known."""
    return _later(
        get_backups,
        opts,
        region=region,
        project_id=project_id,
        vault_id=vault_id,
        resource_id=resource_id,
        resource_name=resource_name,
        resource_type=resource_type,
        name=name,
        status=status,
        image_type=image_type,
        created_since=created_since,
        created_until=created_until,
        limit=limit,
    )


def get_vault_output(
    vault_id: pulumi.Input[str],
    *,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[Vault]:
    """Return what `get_vault` does, as soon as the arguments are known."""
    return _later(get_vault, opts, vault_id=vault_id, region=region, project_id=project_id)


def get_replication_capabilities_output(
    *,
    region: pulumi.Input[str] | None = None,
    project_id: pulumi.Input[str] | None = None,
    opts: pulumi.InvokeOptions | None = None,
) -> pulumi.Output[list[RegionCapability]]:
    """Return what `get_replication_capabilities` does, as soon as the arguments are known."""
    return _later(get_replication_capabilities, opts, region=region, project_id=project_id)


def get_project_id_output(
    region: pulumi.Input[str], *, opts: pulumi.InvokeOptions | None = None
) -> pulumi.Output[str]:
    """Return what `get_project_id` does, as soon as the region is known."""
    return _later(get_project_id, opts, region=region)


def _later(
    question: Callable[..., Answer], opts: pulumi.InvokeOptions | None, /, **arguments: Any
) -> pulumi.Output[Answer]:
    """Return the answer to a question whose arguments may be known later.

    The question blocks. It has a thread, so the program can go on declaring resources meanwhile.
    """
    provider = _provider_in(opts)
    given = None if provider is None else _known_settings(provider)

    async def ask(known: dict[str, Any]) -> Answer:
        import asyncio

        settings = known.pop(_SETTINGS)
        if settings is None:
            return await asyncio.to_thread(question, **known, opts=opts)
        return await asyncio.to_thread(question, **known, opts=_Known(settings))

    # Pulumi's types do not say that a function of `apply` may be asynchronous.
    answer: pulumi.Output[Any] = pulumi.Output.all(**arguments, **{_SETTINGS: given}).apply(ask)
    return answer


_SETTINGS = "settings of the provider"


class _Known(pulumi.InvokeOptions):
    """Options of a question whose provider's settings are known by now."""

    def __init__(self, settings: dict[str, str]) -> None:
        super().__init__()
        self.settings = settings


def _provider_in(opts: pulumi.InvokeOptions | None) -> Provider | None:
    provider = None if opts is None else opts.provider
    if provider is None:
        return None
    from pulumi_huaweicloud_cbr.resources.provider import Provider

    if not isinstance(provider, Provider):
        raise ArgumentsError(
            f"opts.provider is a {type(provider).__name__}, not a Provider of this package"
        )
    return provider


def _known_settings(provider: Provider) -> pulumi.Output[dict[str, str]]:
    from pulumi_huaweicloud_cbr.resources.provider import known_settings

    return known_settings(provider)


def _ask(
    region: str | None,
    project_id: str | None,
    question: Callable[[Session, ProjectScope], Awaitable[Answer]],
    opts: pulumi.InvokeOptions | None,
) -> Answer:
    with in_one_line():
        session = _session(opts)
        where = region or session.settings.region
        if where is None:
            raise ConfigurationError(
                "no region is given",
                remedy="pass region, or set huaweicloud:region (or HW_REGION_NAME)",
            )

        async def ask() -> Answer:
            return await question(session, await session.scope(where, project_id))

        return session.run(ask())


def _session(opts: pulumi.InvokeOptions | None) -> Session:
    if isinstance(opts, _Known):
        from pulumi_huaweicloud_cbr.resources.provider import load

        return open_session(load(opts.settings))
    provider = _provider_in(opts)
    if provider is not None:
        from pulumi_huaweicloud_cbr.resources.provider import settings_of

        return open_session(settings_of(provider))
    from pulumi_huaweicloud_cbr.config.settings import Settings

    return open_session(Settings.load(pulumi.runtime.get_config, os.environ))
