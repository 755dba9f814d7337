"""IAM: the projects, the account and the users that a caller sees.

Source: IAM API reference, KeystoneListProjects, KeystoneListAuthProjects, KeystoneListAuthDomains,
KeystoneListUsers.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import Field, model_validator

from simulator.cloud.cloud import Cloud
from simulator.cloud.specs import Account, user_id_of
from simulator.routes.caller import Caller, CloudHere, User
from simulator.routes.shapes import Filters, Flag

router = APIRouter()

_STRENGTH = "high"


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


class UserFilters(Filters):
    """The query of ListUsers."""

    domain_id: str | None = None
    name: str | None = None
    enabled: Flag | None = None
    # No password expires here, so that any valid bound finds nobody.
    password_expires_at: str | None = Field(
        None, pattern=r"^(lt|lte|gt|gte|eq|neq):[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z$"
    )


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


@router.get("/v3/auth/domains")
async def list_own_domains(request: Request, caller: Caller, cloud: CloudHere) -> dict[str, Any]:
    account = _account_of(cloud, caller)
    shown = {
        "id": account.id,
        "name": account.name,
        "enabled": True,
        "description": "",
        "links": {"self": _links(f"/v3/domains/{account.id}")["self"]},
    }
    return {"links": {"self": _links(request.url.path)["self"]}, "domains": [shown]}


@router.get("/v3/users")
async def list_users(
    request: Request, caller: Caller, cloud: CloudHere, filters: Annotated[UserFilters, Query()]
) -> dict[str, Any]:
    wanted = filters.model_dump(exclude={"password_expires_at"}, exclude_none=True)
    found = [
        user
        for user in _users(_account_of(cloud, caller))
        if filters.password_expires_at is None
        and all(user[key] == value for key, value in wanted.items())
    ]
    return {"links": _links(request.url.path), "users": found}


def _projects(cloud: Cloud, caller: User) -> list[dict[str, Any]]:
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


def _account_of(cloud: Cloud, caller: User) -> Account:
    return next(row for row in cloud.world.accounts if row.id == caller.account_id)


def _users(account: Account) -> list[dict[str, Any]]:
    ids = {user_id_of(account, user): user.name for user in account.users}
    return [
        {
            "id": user_id,
            "name": name,
            "domain_id": account.id,
            "enabled": True,
            "description": "",
            "password_expires_at": None,
            "pwd_status": False,
            "pwd_strength": _STRENGTH,
            "last_project_id": None,
            "links": _links(f"/v3/users/{user_id}"),
        }
        for user_id, name in ids.items()
    ]
