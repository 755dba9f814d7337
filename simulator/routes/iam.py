"""IAM: tokens for user names and passwords, and projects.

Source: IAM API reference, KeystoneCreateUserTokenByPassword, KeystoneValidateToken,
KeystoneListProjects, KeystoneListAuthProjects.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import iam_time
from simulator.cloud.cloud import Cloud
from simulator.cloud.specs import Account, User, made_hex
from simulator.cloud.store import FailedSignIns, Token, digest_of
from simulator.routes.caller import Caller, CloudHere
from simulator.routes.caller import User as CallingUser
from simulator.routes.shapes import Body, Filters, Flag

router = APIRouter()


class DomainBody(Body):
    name: str


class UserBody(Body):
    name: str
    password: str
    domain: DomainBody


class PasswordBody(Body):
    user: UserBody


class IdentityBody(Body):
    methods: list[Literal["password"]] = Field(min_length=1, max_length=1)
    password: PasswordBody


class ReferenceBody(Body):
    """A project or account, by id or by name."""

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


class ScopeBody(Body):
    """Either a project or an account."""

    project: ReferenceBody | None = None
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


class ProjectFilters(Filters):
    """The query of ListProjects."""

    name: str | None = None
    domain_id: str | None = None
    parent_id: str | None = None
    enabled: Flag | None = None
    is_domain: Flag | None = None
    page: int | None = Field(None, ge=1)
    per_page: int | None = Field(None, ge=1, le=5000)

    @model_validator(mode="after")
    def _pair_paging(self) -> ProjectFilters:
        if (self.page is None) != (self.per_page is None):
            raise ValueError("page and per_page go together")
        return self


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


@router.get("/v3/projects")
async def list_projects(
    request: Request,
    caller: Caller,
    cloud: CloudHere,
    filters: Annotated[ProjectFilters, Query()],
) -> dict[str, Any]:
    wanted = filters.model_dump(exclude={"page", "per_page"}, exclude_none=True)
    found = [
        project
        for project in _projects(cloud, caller)
        if all(project[key] == value for key, value in wanted.items())
    ]
    if filters.page is not None and filters.per_page is not None:
        found = found[(filters.page - 1) * filters.per_page :][: filters.per_page]
    return {"links": _links(request.url.path), "projects": found}


@router.get("/v3/auth/projects")
async def list_own_projects(request: Request, caller: Caller, cloud: CloudHere) -> dict[str, Any]:
    # There are no pages: links have no next and no previous.
    found = [
        {**project, "links": {"self": project["links"]["self"]}}
        for project in _projects(cloud, caller)
    ]
    return {"links": {"self": _links(request.url.path)["self"]}, "projects": found}


def _sign_in(cloud: Cloud, given: UserBody) -> tuple[Account, User]:
    with cloud.books() as session:
        if _is_locked(cloud, session, given):
            raise errors.iam(401, "0061", "The account is locked.")
        for account in cloud.world.accounts:
            for user in account.users:
                names = (account.name, user.name)
                is_known = names == (given.domain.name, given.name)
                if is_known and secrets.compare_digest(
                    user.password.encode(), given.password.encode()
                ):
                    _forget_failures(session, given)
                    return account, user
        _count_failure(cloud, session, given)
    raise errors.keystone(401, "Unauthorized", "The username or password is wrong.")


def _is_locked(cloud: Cloud, session: Session, given: UserBody) -> bool:
    failed = session.get(FailedSignIns, (given.domain.name, given.name))
    if failed is None:
        return False
    if cloud.clock.now() >= failed.last_at + cloud.options.lock_s:
        _forget_failures(session, given)
        return False
    return failed.count >= cloud.options.max_failed_sign_ins


def _count_failure(cloud: Cloud, session: Session, given: UserBody) -> None:
    failed = session.get(FailedSignIns, (given.domain.name, given.name))
    if failed is None:
        failed = FailedSignIns(account=given.domain.name, user=given.name, count=0)
        session.add(failed)
    failed.count += 1
    failed.last_at = cloud.clock.now()


def _forget_failures(session: Session, given: UserBody) -> None:
    failed = session.get(FailedSignIns, (given.domain.name, given.name))
    if failed is not None:
        session.delete(failed)
        session.flush()


def _project_in(cloud: Cloud, account: Account, wanted: ReferenceBody) -> str:
    if account is cloud.world.owner:
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
            "id": made_hex("user", account.name, user.name),
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


def _projects(cloud: Cloud, caller: CallingUser) -> list[dict[str, Any]]:
    world = cloud.world
    account = world.owner
    if caller.account_id != account.id:
        return []
    parents = {project.id: world.region(project.region).project_id for project in world.projects}
    return [
        {
            "id": project_id,
            "name": name,
            "domain_id": account.id,
            "parent_id": parents.get(project_id, account.id),
            "enabled": True,
            "is_domain": False,
            "description": "",
            "links": _links(f"/v3/projects/{project_id}"),
        }
        for project_id, name in cloud.project_names.items()
    ]


def _links(path: str) -> dict[str, str | None]:
    # As in the samples: on another host, so that nobody follows them.
    return {"self": f"https://iam.example{path}", "next": None, "previous": None}
