"""IAM: tokens for user names and passwords.

Source: IAM API reference, KeystoneCreateUserTokenByPassword, KeystoneValidateToken. The forms with
the id of a user or an account, and with the account of a project, are those of OpenStack's
Identity API v3, which other clients send.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import iam_time
from simulator.cloud.cloud import Cloud
from simulator.cloud.specs import Account, User, made_hex, user_id_of
from simulator.cloud.store import FailedSignIns, Token, digest_of
from simulator.routes.caller import Caller, CloudHere
from simulator.routes.shapes import Body

router = APIRouter()


class ReferenceBody(Body):
    """An account, by id or by name."""

    id: str | None = None
    name: str | None = None

    @model_validator(mode="after")
    def _require_one(self) -> ReferenceBody:
        if self.id is None and self.name is None:
            raise ValueError("want an id or a name")
        return self

    def fits(self, key: str, name: str) -> bool:
        """Whether this refers to the object with this id and name."""
        return self.id in (None, key) and self.name in (None, name)


class ProjectBody(ReferenceBody):
    """A project, by id or by name, in an account."""

    domain: ReferenceBody | None = None


class UserBody(Body):
    """A user: by an id, or by a name in an account."""

    id: str | None = None
    name: str | None = None
    password: str
    domain: ReferenceBody | None = None

    @model_validator(mode="after")
    def _require_one(self) -> UserBody:
        if self.id is None and (self.name is None or self.domain is None):
            raise ValueError("want an id, or a name and a domain")
        return self

    def fits(self, account: Account, user: User) -> bool:
        """Whether this refers to a user of an account."""
        return (
            self.id in (None, user_id_of(account, user))
            and self.name in (None, user.name)
            and (self.domain is None or self.domain.fits(account.id, account.name))
        )


class PasswordBody(Body):
    user: UserBody


class IdentityBody(Body):
    methods: list[Literal["password"]] = Field(min_length=1, max_length=1)
    password: PasswordBody


class ScopeBody(Body):
    """Either a project or an account."""

    project: ProjectBody | None = None
    domain: ReferenceBody | None = None

    @model_validator(mode="after")
    def _require_one(self) -> ScopeBody:
        if (self.project is None) == (self.domain is None):
            raise ValueError("want either a project or a domain")
        return self


class AuthBody(Body):
    identity: IdentityBody
    scope: ScopeBody


class TokenEnvelope(Body):
    auth: AuthBody


@router.post("/v3/auth/tokens", status_code=201)
async def create_token(
    request: Request, cloud: CloudHere, body: TokenEnvelope, nocatalog: str = ""
) -> Response:
    given, scope = body.auth.identity.password.user, body.auth.scope
    account, user = _sign_in(cloud, given)
    project_id = None if scope.project is None else _project_in(cloud, account, scope.project)
    if scope.domain is not None and not scope.domain.fits(account.id, account.name):
        raise errors.keystone(404, "Not Found", "Could not find domain.")
    now = cloud.clock.now()
    expires_at = now + cloud.options.token_lifetime_s
    shown = _token_body(cloud, account, user, project_id)
    shown |= {"issued_at": iam_time(now), "expires_at": iam_time(expires_at)}
    if project_id is not None and not nocatalog:
        shown["catalog"] = _catalog(request, cloud, project_id)
    value = "MIIsim" + secrets.token_urlsafe(96)
    with cloud.books() as session:
        session.add(
            Token(
                digest=digest_of(value),
                project_id=project_id,
                region=request.state.region,
                expires_at=expires_at,
                body=shown,
            )
        )
    return JSONResponse({"token": shown}, 201, headers={"X-Subject-Token": value})


@router.get("/v3/auth/tokens")
async def show_token(
    _: Caller,
    cloud: CloudHere,
    subject: Annotated[str, Header(alias="X-Subject-Token")],
    nocatalog: str = "",
) -> Response:
    token = cloud.token(subject)
    if token is None or token.expires_at <= cloud.clock.now():
        raise errors.keystone(404, "Not Found", "Could not find token.")
    shown = {**token.body, "catalog": []} if nocatalog else token.body
    return JSONResponse({"token": shown}, headers={"X-Subject-Token": subject})


def _sign_in(cloud: Cloud, given: UserBody) -> tuple[Account, User]:
    found = _find(cloud, given)
    counted = (found[0].name, found[1].name) if found else _unknown(given)
    with cloud.books() as session:
        if _is_locked(cloud, session, counted):
            raise errors.iam(401, "0061", "The account is locked.")
        if found and secrets.compare_digest(found[1].password.encode(), given.password.encode()):
            _forget_failures(session, counted)
            return found
        _count_failure(cloud, session, counted)
    raise errors.keystone(401, "Unauthorized", "The username or password is wrong.")


def _find(cloud: Cloud, given: UserBody) -> tuple[Account, User] | None:
    for account in cloud.world.accounts:
        for user in account.users:
            if given.fits(account, user):
                return account, user
    return None


def _unknown(given: UserBody) -> tuple[str, str]:
    domain = given.domain
    return ((domain.name or domain.id or "") if domain else "", given.name or given.id or "")


def _is_locked(cloud: Cloud, session: Session, counted: tuple[str, str]) -> bool:
    failed = session.get(FailedSignIns, counted)
    if failed is None:
        return False
    if cloud.clock.now() >= failed.last_at + cloud.options.lock_s:
        _forget_failures(session, counted)
        return False
    return failed.count >= cloud.options.max_failed_sign_ins


def _count_failure(cloud: Cloud, session: Session, counted: tuple[str, str]) -> None:
    failed = session.get(FailedSignIns, counted)
    if failed is None:
        failed = FailedSignIns(account=counted[0], user=counted[1], count=0)
        session.add(failed)
    failed.count += 1
    failed.last_at = cloud.clock.now()


def _forget_failures(session: Session, counted: tuple[str, str]) -> None:
    failed = session.get(FailedSignIns, counted)
    if failed is not None:
        session.delete(failed)
        session.flush()


def _project_in(cloud: Cloud, account: Account, wanted: ProjectBody) -> str:
    is_there = wanted.domain is None or wanted.domain.fits(account.id, account.name)
    if is_there and account is cloud.world.owner:
        for project_id, name in cloud.project_names.items():
            if wanted.fits(project_id, name):
                return project_id
    raise errors.keystone(404, "Not Found", "Could not find project.")


def _token_body(
    cloud: Cloud, account: Account, user: User, project_id: str | None
) -> dict[str, Any]:
    owner = {"id": account.id, "name": account.name}
    scope: dict[str, Any] = {"domain": owner}
    if project_id is not None:
        name = cloud.project_names[project_id]
        scope = {"project": {"id": project_id, "name": name, "domain": owner}}
    return {
        "catalog": [],
        "methods": ["password"],
        "roles": [{"id": "0", "name": "te_admin"}],
        "user": {
            "id": user_id_of(account, user),
            "name": user.name,
            "password_expires_at": "",
            "domain": owner,
        },
        **scope,
    }


def _catalog(request: Request, cloud: Cloud, project_id: str) -> list[dict[str, Any]]:
    region = cloud.project_regions[project_id]
    endpoint = {
        "id": made_hex("endpoint", project_id),
        "interface": "public",
        "region": region,
        "region_id": region,
        "url": f"{request.base_url}regions/{region}/v3/{project_id}",
    }
    service = {"id": made_hex("service", "cbr"), "name": "cbr", "type": "cbr"}
    return [{**service, "endpoints": [endpoint]}]
