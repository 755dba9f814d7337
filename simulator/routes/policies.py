"""CBR: policies, and the vaults that have them.

Source: CBR API reference, CreatePolicy, ListPolicies, ShowPolicy, UpdatePolicy, DeletePolicy,
AssociateVaultPolicy, DisassociateVaultPolicy.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, Field, StringConstraints, model_validator
from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.cloud import Cloud
from simulator.cloud.rules import policies
from simulator.cloud.store import Association, Policy
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import NAME, REGION, Body, Filters
from simulator.routes.vaults.changes import find_vault
from simulator.routes.wire import policy_body

router = APIRouter(prefix="/v3/{project_id}")

OperationType = Literal["backup", "replication"]
_PART = r"(FREQ=(WEEKLY|DAILY)|(BYDAY|BYHOUR|BYMINUTE|INTERVAL)=[A-Z0-9,]+)"
Pattern = Annotated[str, StringConstraints(pattern=rf"^{_PART}(;{_PART})*$")]


def _refuse_zero(count: int) -> int:
    if count == 0:
        raise ValueError("want -1 for no limit, or 1 and more")
    return count


Retention = Annotated[int, Field(ge=-1, le=99_999), AfterValidator(_refuse_zero)]
LongTerm = Annotated[int, Field(ge=0, le=100)]


class DefinitionBody(Body):
    """The retention, and the destination of copies."""

    destination_region: str | None = Field(None, max_length=255, pattern=REGION)
    destination_project_id: str | None = None
    enable_acceleration: bool | None = None
    max_backups: Retention | None = None
    retention_duration_days: Retention | None = None
    day_backups: LongTerm | None = None
    week_backups: LongTerm | None = None
    month_backups: LongTerm | None = None
    year_backups: LongTerm | None = None
    timezone: str | None = Field(None, pattern=r"^UTC[+-][0-9]{2}:[0-9]{2}$")
    full_backup_interval: int | None = Field(None, ge=-1, le=100)

    @model_validator(mode="after")
    def _require_timezone(self) -> DefinitionBody:
        long_term = (self.day_backups, self.week_backups, self.month_backups, self.year_backups)
        if self.timezone is None and any(count is not None for count in long_term):
            raise ValueError("day, week, month and year backups want a timezone")
        return self


class PropertiesBody(Body):
    pattern: list[Pattern] = Field(min_length=1, max_length=24)


class TriggerBody(Body):
    properties: PropertiesBody


class NewPolicyBody(Body):
    """The body of CreatePolicy."""

    name: str = Field(min_length=1, max_length=64, pattern=NAME)
    operation_type: OperationType
    operation_definition: DefinitionBody
    trigger: TriggerBody
    enabled: bool = True


class NewPolicyEnvelope(Body):
    policy: NewPolicyBody


class PolicyChangeBody(Body):
    """The body of UpdatePolicy. Omitted fields stay; a given definition replaces the old one."""

    name: str | None = Field(None, min_length=1, max_length=64, pattern=NAME)
    operation_definition: DefinitionBody | None = None
    trigger: TriggerBody | None = None
    enabled: bool | None = None


class PolicyChangeEnvelope(Body):
    policy: PolicyChangeBody


class PolicyFilters(Filters):
    """The query of ListPolicies."""

    operation_type: OperationType | None = None
    vault_id: str | None = None


class AssociationBody(Body):
    """The body of AssociateVaultPolicy, for one policy."""

    policy_id: str
    destination_vault_id: str | None = None


class DissociationBody(Body):
    policy_id: str


@router.post("/policies")
async def create_policy(
    project_id: Project, cloud: CloudHere, body: NewPolicyEnvelope
) -> dict[str, Any]:
    wanted = body.policy
    definition = _defined(cloud, wanted.operation_type, wanted.operation_definition)
    with cloud.session() as session:
        policy = policies.create(
            session,
            cloud.clock,
            project_id,
            name=wanted.name,
            operation_type=wanted.operation_type,
            enabled=wanted.enabled,
            definition=definition,
            patterns=wanted.trigger.properties.pattern,
        )
        return _shown(session, policy)


@router.get("/policies")
async def list_policies(
    project_id: Project, cloud: CloudHere, filters: Annotated[PolicyFilters, Query()]
) -> dict[str, Any]:
    query = select(Policy).where(Policy.project_id == project_id)
    if filters.operation_type is not None:
        query = query.where(Policy.operation_type == filters.operation_type)
    if filters.vault_id is not None:
        of_vault = select(Association.policy_id).where(Association.vault_id == filters.vault_id)
        query = query.where(Policy.id.in_(of_vault))
    with cloud.session() as session:
        found = [
            policy_body(policy, policies.applied(session, policy.id))
            for policy in session.scalars(query.order_by(Policy.sequence)).all()
        ]
    return {"policies": found, "count": len(found)}


@router.get("/policies/{policy_id}")
async def show_policy(project_id: Project, cloud: CloudHere, policy_id: str) -> dict[str, Any]:
    with cloud.session() as session:
        return _shown(session, policies.find(session, project_id, policy_id))


@router.put("/policies/{policy_id}")
async def update_policy(
    project_id: Project, cloud: CloudHere, policy_id: str, body: PolicyChangeEnvelope
) -> dict[str, Any]:
    wanted = body.policy
    with cloud.session() as session:
        policy = policies.find(session, project_id, policy_id)
        if wanted.operation_definition is not None:
            definition = _defined(cloud, policy.operation_type, wanted.operation_definition)
            policies.define(session, policy, definition)
        if wanted.trigger is not None:
            policy.patterns = wanted.trigger.properties.pattern
        if wanted.enabled is not None:
            policy.enabled = wanted.enabled
        policy.name = wanted.name or policy.name
        return _shown(session, policy)


@router.delete("/policies/{policy_id}", status_code=204)
async def delete_policy(project_id: Project, cloud: CloudHere, policy_id: str) -> Response:
    with cloud.session() as session:
        policies.forget(session, policies.find(session, project_id, policy_id))
    return Response(status_code=204)


@router.post("/vaults/{vault_id}/associatepolicy")
async def associate_policy(
    project_id: Project, cloud: CloudHere, vault_id: str, body: AssociationBody
) -> dict[str, Any]:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        policy = policies.find(session, project_id, body.policy_id)
        if policy.operation_type == "backup":
            policies.apply_to_own(session, policy, vault)
        elif body.destination_vault_id is None:
            raise errors.cbr("9900", "destination_vault_id: a policy of replication wants one")
        else:
            policies.apply_to_pair(session, cloud.world, policy, vault, body.destination_vault_id)
    named = {"policy_id": body.policy_id, "vault_id": vault_id}
    return {"associate_policy": {**named, "destination_vault_id": body.destination_vault_id}}


@router.post("/vaults/{vault_id}/dissociatepolicy")
async def dissociate_policy(
    project_id: Project, cloud: CloudHere, vault_id: str, body: DissociationBody
) -> dict[str, Any]:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        policies.lift(session, policies.find(session, project_id, body.policy_id), vault)
    return {"dissociate_policy": {"policy_id": body.policy_id, "vault_id": vault_id}}


def _defined(cloud: Cloud, operation_type: str, wanted: DefinitionBody) -> dict[str, Any]:
    """Return a definition that is valid for the type, or raise the refusal."""
    where_to = (wanted.destination_region, wanted.destination_project_id)
    if operation_type == "replication" and not all(where_to):
        raise errors.cbr("9900", "want destination_region and destination_project_id")
    if operation_type == "backup" and any(value is not None for value in where_to):
        raise errors.cbr("9900", "a policy of backups has no destination")
    if wanted.enable_acceleration and cloud.options.acceleration == "refused":
        raise errors.cbr("9900", "invalid key enable_acceleration")
    return wanted.model_dump(exclude_none=True)


def _shown(session: Session, policy: Policy) -> dict[str, Any]:
    return {"policy": policy_body(policy, policies.applied(session, policy.id))}
