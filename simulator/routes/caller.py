"""Who calls, and whether they may: tokens, checked as the gateway, IAM and CBR do.

Source: API Gateway user guide, "Error Codes"; IAM API reference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Header, Request

from simulator import errors
from simulator.clock import iam_time
from simulator.cloud import Cloud
from simulator.store import Token

AuthToken = Annotated[str | None, Header(alias="X-Auth-Token")]
_REFUSED = "Incorrect IAM authentication information: "


async def cloud_of(request: Request) -> Cloud:
    """Return the cloud that a request is for."""
    cloud: Cloud = request.state.cloud
    return cloud


CloudHere = Annotated[Cloud, Depends(cloud_of)]


async def require_project(
    request: Request, cloud: CloudHere, project_id: str, token: AuthToken = None
) -> str:
    """Return the project in the path if the caller may work in it, else refuse as CBR does."""
    caller = _valid_token(cloud, token, _refuse_as_gateway)
    region = request.state.region
    homes = {caller.region, cloud.project_regions.get(caller.project_id or "")} - {None}
    if region is not None and homes - {region}:
        raise errors.gateway("0307", "The token must be updated.")
    if caller.project_id != project_id:
        raise errors.wrong_project()
    return project_id


Project = Annotated[str, Depends(require_project)]


async def require_user(request: Request, cloud: CloudHere, token: AuthToken = None) -> Token:
    """Return the caller's token, else refuse as IAM does."""
    caller = _valid_token(cloud, token, _refuse_as_iam)
    if None not in (caller.region, request.state.region) and caller.region != request.state.region:
        raise _refuse_as_iam("the token is of another region")
    return caller


Caller = Annotated[Token, Depends(require_user)]


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
