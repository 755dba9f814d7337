"""How a command reaches CBR: a client of its own, and the project of a region."""

from __future__ import annotations

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import Api, CbrClient
from pulumi_huaweicloud_cbr.api.find import find_project_id
from pulumi_huaweicloud_cbr.api.transport.http import Transport
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.output import tell
from pulumi_huaweicloud_cbr.config.settings import Settings


def make_client(settings: Settings, clock: Clock, transport: Transport | None = None) -> CbrClient:
    """Return a client that says on standard error why the user has to wait.

    Args:
        transport: replaces the network, in tests.
    Raises:
        ConfigurationError: there are no credentials, or a setting is wrong.
    """
    if settings.insecure:
        tell("huaweicloud:insecure is true: no certificate is verified")
    return CbrClient(
        settings,
        make_authenticator(settings, clock),
        clock=clock,
        on_pause=lambda pause: tell(str(pause)),
        on_slow=tell,
        transport=transport,
    )


async def find_scope(api: Api, scope: Scope) -> ProjectScope:
    """Return a region with its project: the given one, that of the settings, or the default.

    Raises:
        ConfigurationError: IAM shows no project with the region's name, or more than one.
    """
    settings = api.settings
    project_id = scope.project_id
    if project_id is None and scope.region == settings.region:
        project_id = settings.project_id
    return ProjectScope(scope.region, project_id or await find_project_id(api, scope.region))
