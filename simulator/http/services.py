"""IAM and CBR as one application, and its refusals.

Requests are checked against the reference: unknown fields and wrong types are refused with
BackupService.9900. Handlers are coroutines that never wait, so none sees a partial change.
"""

from __future__ import annotations

import functools
import secrets

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from simulator.cloud import errors
from simulator.control import routes as control
from simulator.routes import backups, checkpoints, features, policies, tasks
from simulator.routes.iam import lists as iam_lists
from simulator.routes.iam import tokens
from simulator.routes.vaults import changes, contents, lists, tags

CONTROL = "/_simulator"
_NOT_FOUND = "The API does not exist or has not been published in the environment."
_OF_IAM = ("/v3/auth", "/v3/projects", "/v3/users")
_SERVICES = (
    *(tokens, iam_lists),
    *(backups, checkpoints, lists, changes, contents, policies, tags, tasks, features),
)


@functools.cache
def make_services() -> FastAPI:
    """Return IAM, CBR and the control routes as an ASGI application.

    It serves all clouds: the gateway writes a request's cloud into its state.
    """
    app = FastAPI(openapi_url=None, redirect_slashes=False)
    app.add_exception_handler(errors.RefusalError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_malformed)
    app.add_exception_handler(HTTPException, _refuse_unknown)
    for module in _SERVICES:
        app.include_router(module.router)
    app.include_router(control.router, prefix=CONTROL)
    return app


def refuse(error: errors.RefusalError) -> Response:
    """Return a refusal as a response, with a request id."""
    request_id = secrets.token_hex(16)
    body = error.body
    if str(body.get("error_code", "")).startswith("APIGW."):
        body = {**body, "request_id": request_id}
    return JSONResponse(body, error.status, headers={"X-Request-Id": request_id, **error.headers})


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, errors.RefusalError):
        raise error
    return refuse(error)


async def _refuse_malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"][1:])
    is_unknown = fault["type"] == "extra_forbidden"
    reason = f"invalid key {where}" if is_unknown else f"{where}: {fault['msg']}"
    if request.url.path.startswith(CONTROL):
        return JSONResponse({"detail": reason}, 422)
    if request.url.path.startswith(_OF_IAM):
        malformed = errors.keystone(400, "Bad Request", "The request body is invalid")
        return refuse(malformed)
    return refuse(errors.cbr("9900", reason))


async def _refuse_unknown(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    if request.url.path.startswith(CONTROL):
        return JSONResponse({"detail": error.detail}, error.status_code)
    return refuse(errors.gateway("0101", _NOT_FOUND))
