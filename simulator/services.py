"""The routes of IAM and CBR.

Requests are checked as the reference has it: unknown fields and wrong types are refused with
BackupService.9900. Handlers are coroutines that never wait, so each sees a state of its own.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator import errors
from simulator.clock import iam_time, parse_time
from simulator.cloud import Cloud
from simulator.store import Backup, FailedSignIns, Task, Token, Vault
from simulator.wire import backup_body, task_answer, vault_body

# CBR API reference, CopyBackup.
NAME = r"^[\u4E00-\u9FA5\uf900-\ufa2da-zA-Z0-9_\-]*$"
REGION = r"^[a-zA-Z0-9._\-]*$"
_NOT_FOUND = "The API does not exist or has not been published in the environment."


class Body(BaseModel):
    """Base of request bodies: unknown fields are refused, types are not bent."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ReplicateBody(Body):
    """CopyBackup."""

    destination_project_id: str
    destination_region: str = Field(max_length=255, pattern=REGION)
    destination_vault_id: str
    name: str | None = Field(None, min_length=1, max_length=64, pattern=NAME)
    description: str | None = Field(None, max_length=255, pattern=r"^[^<>]*$")
    enable_acceleration: bool = False


class ReplicateEnvelope(Body):
    """``{"replicate": …}``."""

    replicate: ReplicateBody


class RenameBody(Body):
    """UpdateBackup: the name is all that can be changed."""

    name: str = Field(min_length=1, max_length=64, pattern=NAME)


class RenameEnvelope(Body):
    """``{"backup": …}``."""

    backup: RenameBody


def make_services(cloud: Cloud) -> FastAPI:
    """Return IAM and CBR as an ASGI application."""
    app = FastAPI(title="CBR and IAM simulator", docs_url=None, redoc_url=None)
    app.add_exception_handler(errors.Refusal, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_malformed)
    app.add_exception_handler(404, _refuse_unknown)
    app.add_exception_handler(405, _refuse_unknown)
    _add_iam(app, cloud)
    _add_backups(app, cloud)
    _add_vaults(app, cloud)
    _add_tasks(app, cloud)
    return app


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, errors.Refusal):
        raise error
    request_id = secrets.token_hex(16)
    body = error.body
    if str(body.get("error_code", "")).startswith("APIGW."):
        body = {**body, "request_id": request_id}
    return JSONResponse(body, error.status, headers={"X-Request-Id": request_id})


async def _refuse_malformed(request: Request, error: Exception) -> Response:
    if not isinstance(error, RequestValidationError):
        raise error
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"][1:])
    message = (
        f"invalid key {where}"
        if fault["type"] == "extra_forbidden"
        else (f"{where}: {fault['msg']}")
    )
    if request.url.path.startswith("/v3/auth"):
        return await _refuse(
            request, errors.keystone(400, "Bad Request", "The request body is invalid")
        )
    return await _refuse(request, errors.cbr("9900", message))


async def _refuse_unknown(request: Request, _: Exception) -> Response:
    return await _refuse(request, errors.gateway("0101", _NOT_FOUND))


class _Caller:
    """Who calls, and for which project; made from the token."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def token(self, session: Session, request: Request, value: str | None) -> Token:
        """Return the token, or raise the gateway's refusal."""
        prefix = "Incorrect IAM authentication information: "
        if not value:
            raise errors.gateway("0301", prefix + "x-auth-token not found")
        token = session.get(Token, value)
        if token is None:
            raise errors.gateway("0301", prefix + "decrypt token fail")
        if token.expires_at <= self._cloud.clock.now():
            until = iam_time(token.expires_at)
            raise errors.gateway("0301", prefix + f"token expires, expires_at: {until}")
        region = request.state.region
        home = self._cloud.project_regions.get(token.project_id or "")
        if region is not None and (token.region or home or region) != region:
            raise errors.gateway("0307", "The token must be updated.")
        return token

    def require(
        self, session: Session, request: Request, value: str | None, project_id: str
    ) -> None:
        """Make sure that the caller may work in the project."""
        token = self.token(session, request, value)
        if token.project_id != project_id:
            raise errors.wrong_project()


@contextmanager
def _working(
    cloud: Cloud, request: Request, token: str | None, project_id: str
) -> Iterator[Session]:
    with cloud.session() as session:
        _Caller(cloud).require(session, request, token, project_id)
        yield session


AuthToken = Annotated[str | None, Header(alias="X-Auth-Token")]


def _add_iam(app: FastAPI, cloud: Cloud) -> None:
    users = {
        user.name: (account, user) for account in cloud.world.accounts for user in account.users
    }

    def project_of(scope: dict[str, Any]) -> str | None:
        wanted = scope["project"]
        for project_id, name in cloud.project_names.items():
            if wanted.get("id") == project_id or wanted.get("name") == name:
                return project_id
        return None

    @app.post("/v3/auth/tokens")
    async def create_token(request: Request, body: dict[str, Any]) -> Response:
        try:
            given = body["auth"]["identity"]["password"]["user"]
            name, password, domain = given["name"], given["password"], given["domain"]["name"]
            scope = body["auth"]["scope"]
            is_form = body["auth"]["identity"]["methods"] == ["password"]
            is_form = is_form and ("project" in scope) != ("domain" in scope)
        except (KeyError, TypeError):
            is_form = False
        if not is_form:
            raise errors.keystone(400, "Bad Request", "The request body is invalid")
        with cloud.session() as session:
            failed = session.get(FailedSignIns, name)
            if failed and failed.count >= cloud.options.max_failed_sign_ins:
                raise errors.iam(401, "0061", "The account is locked.")
            account, user = users.get(name, (None, None))
            is_known = account is not None and user is not None and account.name == domain
            is_right = is_known and user is not None and user.password == password
            if failed and is_right:
                session.delete(failed)
            elif not is_right:
                session.merge(FailedSignIns(user=name, count=(failed.count if failed else 0) + 1))
        if not is_right or account is None or user is None:
            raise errors.keystone(401, "Unauthorized", "The username or password is wrong.")
        project_id = project_of(scope) if "project" in scope else None
        if "project" in scope and project_id is None:
            raise errors.keystone(404, "Not Found", "Could not find project.")
        now = cloud.clock.now()
        expires_at = now + cloud.options.token_lifetime_s
        owner = {"id": account.id, "name": account.name}
        token: dict[str, Any] = {
            "catalog": [],
            "methods": ["password"],
            "issued_at": iam_time(now),
            "expires_at": iam_time(expires_at),
            "roles": [{"id": "0", "name": "te_admin"}],
            "user": {
                "id": secrets.token_hex(16),
                "name": name,
                "password_expires_at": "",
                "domain": owner,
            },
        }
        if project_id is None:
            token["domain"] = owner
        else:
            token["project"] = {
                "id": project_id,
                "name": cloud.project_names[project_id],
                "domain": owner,
            }
        value = "MIIsim" + secrets.token_urlsafe(96)
        with cloud.session() as session:
            session.add(
                Token(
                    value=value,
                    user=name,
                    project_id=project_id,
                    region=request.state.region,
                    expires_at=expires_at,
                    body=token,
                )
            )
        return JSONResponse({"token": token}, 201, headers={"X-Subject-Token": value})

    @app.get("/v3/auth/tokens")
    async def show_token(
        request: Request,
        subject: Annotated[str, Header(alias="X-Subject-Token")],
        token: AuthToken = None,
    ) -> Response:
        with cloud.session() as session:
            _Caller(cloud).token(session, request, token)
            shown = session.get(Token, subject)
            if shown is None or shown.expires_at <= cloud.clock.now():
                raise errors.keystone(404, "Not Found", "Could not find token.")
            return JSONResponse({"token": shown.body}, headers={"X-Subject-Token": subject})

    def projects() -> list[dict[str, Any]]:
        account = cloud.world.accounts[0]
        roots = {region.name: region.project_id for region in cloud.world.regions}
        parents = {project.id: roots[project.region] for project in cloud.world.projects}
        return [
            {
                "id": project_id,
                "name": name,
                "domain_id": account.id,
                "parent_id": parents.get(project_id, account.id),
                "enabled": True,
                "is_domain": False,
                "description": "",
                "links": {"self": f"https://iam.example/v3/projects/{project_id}"},
            }
            for project_id, name in cloud.project_names.items()
        ]

    @app.get("/v3/projects")
    async def list_projects(
        request: Request,
        token: AuthToken = None,
        name: str | None = None,
        parent_id: str | None = None,
        enabled: bool | None = None,
        page: Annotated[int | None, Query(ge=1)] = None,
        per_page: Annotated[int | None, Query(ge=1, le=5000)] = None,
    ) -> dict[str, Any]:
        with cloud.session() as session:
            _Caller(cloud).token(session, request, token)
        found = [
            project
            for project in projects()
            if name in (None, project["name"])
            and parent_id in (None, project["parent_id"])
            and enabled in (None, project["enabled"])
        ]
        if page is not None and per_page is not None:
            found = found[(page - 1) * per_page : page * per_page]
        links = {"self": str(request.url), "next": None, "previous": None}
        return {"links": links, "projects": found}

    @app.get("/v3/auth/projects")
    async def list_own_projects(request: Request, token: AuthToken = None) -> dict[str, Any]:
        with cloud.session() as session:
            _Caller(cloud).token(session, request, token)
        links = {"self": str(request.url), "next": None, "previous": None}
        return {"links": links, "projects": projects()}


class BackupFilters(BaseModel):
    """The query of ListBackups."""

    limit: int = Field(1000, ge=1, le=1000)
    offset: int = Field(0, ge=0)
    marker: str | None = None
    sort: str = "created_at:desc"
    show_replication: bool = False
    image_type: Literal["backup", "replication"] | None = None
    resource_type: str | None = None
    resource_id: str | None = None
    resource_name: str | None = None
    name: str | None = None
    vault_id: str | None = None
    checkpoint_id: str | None = None
    start_time: str | None = None
    end_time: str | None = None
    own_type: Literal["all_granted", "private", "shared"] = "private"

    @property
    def equal(self) -> dict[str, str]:
        """The filters by equality that were given."""
        keys = ("image_type", "resource_type", "resource_id", "resource_name", "name", "vault_id")
        values = {key: getattr(self, key) for key in (*keys, "checkpoint_id")}
        return {key: value for key, value in values.items() if value is not None}


_SORT_KEYS = {"created_at", "updated_at", "name", "status", "id"}


def _add_backups(app: FastAPI, cloud: Cloud) -> None:
    is_early = cloud.options.destination_ids == "early"

    def find(session: Session, project_id: str, backup_id: str) -> Backup:
        backup = session.get(Backup, backup_id)
        if backup is None or backup.project_id != project_id:
            if cloud.options.missing_backup == "401":
                raise errors.wrong_project()
            raise errors.cbr("6200")
        return backup

    def shown(session: Session, backup: Backup, *, with_records: bool = True) -> dict[str, Any]:
        records = None
        if with_records:
            records = cloud.records_of(session, backup.id)
            for record in records:
                cloud.look_at(session, record)
        return backup_body(backup, records, early_ids=is_early)

    @app.post("/v3/{project_id}/backups/{backup_id}/replicate")
    async def copy_backup(
        request: Request,
        project_id: str,
        backup_id: str,
        body: ReplicateEnvelope,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        wanted = body.replicate
        with _working(cloud, request, token, project_id) as session:
            backup = find(session, project_id, backup_id)
            record = cloud.replicate(
                session,
                backup,
                region=wanted.destination_region,
                project_id=wanted.destination_project_id,
                vault_id=wanted.destination_vault_id,
                name=wanted.name,
                description=wanted.description,
            )
            return {
                "replication": {
                    "backup_id": backup_id,
                    "replication_record_id": record.id,
                    "project_id": project_id,
                    "provider_id": shown(session, backup, with_records=False)["provider_id"],
                    "source_region": backup.region,
                    "destination_region": wanted.destination_region,
                    "destination_project_id": wanted.destination_project_id,
                    "destination_vault_id": wanted.destination_vault_id,
                }
            }

    @app.get("/v3/{project_id}/backups/{backup_id}")
    async def show_backup(
        request: Request, project_id: str, backup_id: str, token: AuthToken = None
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            return {"backup": shown(session, find(session, project_id, backup_id))}

    @app.put("/v3/{project_id}/backups/{backup_id}")
    async def update_backup(
        request: Request,
        project_id: str,
        backup_id: str,
        body: RenameEnvelope,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            backup = find(session, project_id, backup_id)
            backup.name = body.backup.name
            backup.updated_at = cloud.clock.now()
            return {"backup": shown(session, backup)}

    @app.delete("/v3/{project_id}/backups/{backup_id}", status_code=204)
    async def delete_backup(
        request: Request, project_id: str, backup_id: str, token: AuthToken = None
    ) -> Response:
        with _working(cloud, request, token, project_id) as session:
            cloud.begin_deletion(session, find(session, project_id, backup_id))
        return Response(status_code=204)

    @app.get("/v3/{project_id}/backups")
    async def list_backups(
        request: Request,
        project_id: str,
        filters: Annotated[BackupFilters, Depends()],
        status: Annotated[list[str] | None, Query()] = None,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            query = select(Backup).where(Backup.project_id == project_id)
            query = query.filter_by(**filters.equal)
            if status:
                wanted = {part for value in status for part in value.split(",")}
                query = query.where(Backup.status.in_(wanted))
            try:
                if filters.start_time:
                    query = query.where(Backup.created_at >= parse_time(filters.start_time))
                if filters.end_time:
                    query = query.where(Backup.created_at <= parse_time(filters.end_time))
            except ValueError:
                raise errors.cbr("9900", "start_time or end_time is not a time") from None
            found = list(session.scalars(_sorted(query, filters.sort)))
            if filters.marker:
                ids = [backup.id for backup in found]
                start = ids.index(filters.marker) + 1 if filters.marker in ids else len(ids)
            else:
                start = filters.offset
            page = found[start : start + filters.limit]
            return {
                "backups": [
                    shown(session, backup, with_records=filters.show_replication) for backup in page
                ],
                "count": len(found),
            }


def _sorted(query: Any, sort: str) -> Any:
    for part in sort.split(","):
        key, _, direction = part.partition(":")
        if key not in _SORT_KEYS or direction not in ("", "asc", "desc"):
            raise errors.cbr("9900", f"sort: {part!r} is not a key with a direction")
        column = getattr(Backup, key)
        query = query.order_by(column.asc() if direction == "asc" else column.desc())
    return query.order_by(Backup.sequence)


def _add_vaults(app: FastAPI, cloud: Cloud) -> None:
    def listed(
        session: Session, project_id: str, limit: int, offset: int, **equal: str | None
    ) -> dict[str, Any]:
        query = select(Vault).where(Vault.project_id == project_id)
        given = {key: value for key, value in equal.items() if value is not None}
        found = list(session.scalars(query.filter_by(**given).order_by(Vault.name)))
        page = found[offset : offset + limit]
        return {
            "vaults": [vault_body(vault) for vault in page],
            "count": len(found),
            "limit": limit,
            "offset": offset,
        }

    @app.get("/v3/{project_id}/vaults/external")
    async def list_external_vaults(
        request: Request,
        project_id: str,
        external_project_id: str,
        region_id: str,
        protect_type: str | None = None,
        vault_id: str | None = None,
        objcet_type: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        offset: Annotated[int, Query(ge=0)] = 0,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            if cloud.project_regions.get(external_project_id) != region_id:
                return {"vaults": [], "count": 0, "limit": limit, "offset": offset}
            if vault_id is not None:
                return listed(session, external_project_id, limit, offset, id=vault_id)
            return listed(
                session,
                external_project_id,
                limit,
                offset,
                protect_type=protect_type,
                object_type=objcet_type,
            )

    @app.get("/v3/{project_id}/vaults/{vault_id}")
    async def show_vault(
        request: Request, project_id: str, vault_id: str, token: AuthToken = None
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            vault = session.get(Vault, vault_id)
            if vault is None or vault.project_id != project_id:
                raise errors.cbr("6105")
            return {"vault": vault_body(vault)}

    @app.get("/v3/{project_id}/vaults")
    async def list_vaults(
        request: Request,
        project_id: str,
        name: str | None = None,
        protect_type: Literal["backup", "replication"] | None = None,
        object_type: str | None = None,
        status: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        offset: Annotated[int, Query(ge=0)] = 0,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            return listed(
                session,
                project_id,
                limit,
                offset,
                name=name,
                protect_type=protect_type,
                object_type=object_type,
                status=status,
            )

    @app.get("/v3/{project_id}/replication-capabilities")
    async def show_capabilities(
        request: Request, project_id: str, token: AuthToken = None
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id):
            region = cloud.regions[cloud.project_regions[project_id]]
            return {
                "regions": [{"name": region.name, "replication_destinations": region.replicates_to}]
            }


def _add_tasks(app: FastAPI, cloud: Cloud) -> None:
    @app.get("/v3/{project_id}/operation-logs")
    async def list_tasks(
        request: Request,
        project_id: str,
        operation_type: str | None = None,
        status: str | None = None,
        resource_id: str | None = None,
        vault_id: str | None = None,
        limit: Annotated[int, Query(ge=1, le=1000)] = 1000,
        offset: Annotated[int, Query(ge=0)] = 0,
        token: AuthToken = None,
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            query = select(Task).where(Task.project_id == project_id)
            given = {"status": status, "resource_id": resource_id, "vault_id": vault_id}
            query = query.filter_by(**{key: value for key, value in given.items() if value})
            found = [
                task_answer(task)
                for task in session.scalars(query.order_by(Task.sequence.desc()))
                if operation_type in (None, task.body["operation_type"])
            ]
            page = found[offset : offset + limit]
            return {"operation_logs": page, "count": len(found), "limit": limit, "offset": offset}

    @app.get("/v3/{project_id}/operation-logs/{task_id}")
    async def show_task(
        request: Request, project_id: str, task_id: str, token: AuthToken = None
    ) -> dict[str, Any]:
        with _working(cloud, request, token, project_id) as session:
            task = session.get(Task, task_id)
            if task is None or task.project_id != project_id:
                raise errors.cbr("6500")
            return {"operation_log": task_answer(task)}
