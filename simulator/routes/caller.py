"""The caller and its permissions: tokens and signatures, checked as by the gateway, IAM and CBR.

Source: API Gateway user guide, "Error Codes"; IAM API reference.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request

from simulator.cloud import errors
from simulator.cloud.clock import iam_time
from simulator.cloud.cloud import Cloud
from simulator.cloud.store import Token
from simulator.routes.signatures import account_of, as_sent, is_signed

AuthToken = Annotated[str | None, Header(alias="X-Auth-Token")]
Authorization = Annotated[str | None, Header(alias="Authorization")]
_REFUSED = "Incorrect IAM authentication information: "


async def cloud_of(request: Request) -> Cloud:
    """Return the cloud that a request is for."""
    cloud: Cloud = request.state.cloud
    return cloud


CloudHere = Annotated[Cloud, Depends(cloud_of)]


@dataclass(frozen=True)
class User:
    """The caller of IAM: a user of this account."""

    account_id: str


async def require_project(
    request: Request,
    cloud: CloudHere,
    project_id: str,
    token: AuthToken = None,
    authorization: Authorization = None,
) -> str:
    """Return the project in the path if the caller may use it, otherwise refuse as CBR does."""
    if token is None and is_signed(authorization):
        await _require_signed_project(request, cloud, project_id)
        return project_id
    caller = _valid_token(cloud, token, _refuse_as_gateway)
    region = request.state.region
    homes = {caller.region, cloud.project_regions.get(caller.project_id or "")} - {None}
    if region is not None and homes - {region}:
        raise errors.gateway("0307", "The token must be updated.")
    if caller.project_id != project_id:
        raise errors.wrong_project()
    return project_id


Project = Annotated[str, Depends(require_project)]


async def require_user(
    request: Request,
    cloud: CloudHere,
    token: AuthToken = None,
    authorization: Authorization = None,
) -> User:
    """Return the caller, otherwise refuse as IAM does. The gateway checks signatures."""
    if token is None and is_signed(authorization):
        return User(account_of(cloud, await as_sent(request), _refuse_as_gateway).id)
    caller = _valid_token(cloud, token, _refuse_as_iam)
    if None not in (caller.region, request.state.region) and caller.region != request.state.region:
        raise _refuse_as_iam("the token is of another region")
    return User(caller.body["user"]["domain"]["id"])


Caller = Annotated[User, Depends(require_user)]


async def _require_signed_project(request: Request, cloud: Cloud, project_id: str) -> None:
    signed = await as_sent(request)
    account = account_of(cloud, signed, _refuse_as_gateway)
    home = cloud.project_regions.get(project_id)
    own = [region.project_id for region in cloud.world.regions if region.name == home]
    # Without X-Project-Id, a key uses the project with the region's name.
    meant = signed.headers.get("x-project-id", own[0] if own else None)
    is_elsewhere = request.state.region not in (None, home)
    if is_elsewhere or meant != project_id or account is not cloud.world.owner or home is None:
        raise errors.wrong_project()


def _valid_token(
    cloud: Cloud, value: str | None, refuse: Callable[[str], errors.RefusalError]
) -> Token:
    if not value:
        raise refuse("x-auth-token not found")
    token = cloud.token(value)
    if token is None:
        raise refuse("decrypt token fail")
    if token.expires_at <= cloud.clock.now():
        raise refuse(f"token expires, expires_at: {iam_time(token.expires_at)}")
    return token


def _refuse_as_gateway(reason: str) -> errors.RefusalError:
    return errors.gateway("0301", _REFUSED + reason)


def _refuse_as_iam(_: str) -> errors.RefusalError:
    message = "The request you have made requires authentication."
    return errors.keystone(401, "Unauthorized", message)
