"""CBR: creating, changing and deleting vaults.

Source: CBR API reference, CreateVault, UpdateVault, DeleteVault.
"""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.rules import policies, vaults
from simulator.cloud.rules.resources import usual
from simulator.cloud.specs import ObjectType, ResourceType
from simulator.cloud.store import Vault
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import DESCRIPTION, NAME, UUID, Body
from simulator.routes.wire import vault_body

router = APIRouter(prefix="/v3/{project_id}")

ConsistentLevel = Literal["crash_consistent", "app_consistent"]
# Fields of the body that are not settings: what the vault is, and how it is billed.
_APART = {"name", "billing"}


class TagBody(Body):
    """A tag of a vault, or of the resources that are bound to it."""

    key: str = Field(min_length=1, max_length=36)
    value: str = Field(max_length=43)


def unique_keys(tags: list[TagBody]) -> list[TagBody]:
    """Refuse tags with the same key."""
    if len({tag.key for tag in tags}) < len(tags):
        raise ValueError("want each key once")
    return tags


Tags = Annotated[list[TagBody], AfterValidator(unique_keys), Field(min_length=1, max_length=10)]


class BindRulesBody(Body):
    """Which resources are bound automatically."""

    tags: list[TagBody] = Field(min_length=1, max_length=5)


class BindRulesChangeBody(Body):
    """The same for an existing vault. Terraform clears the rules by an empty list."""

    tags: list[TagBody] = Field(max_length=5)


class IncludedVolumeBody(Body):
    id: str
    os_version: str | None = None


class ResourceExtraBody(Body):
    """Which of a server's disks are backed up."""

    exclude_volumes: list[str] | None = None
    include_volumes: list[IncludedVolumeBody] | None = None


class ResourceBody(Body):
    """A resource that a vault protects."""

    id: str = Field(pattern=UUID)
    type: ResourceType
    name: str | None = Field(None, max_length=255)
    extra_info: ResourceExtraBody | None = None


class BillingBody(Body):
    """The properties of a new vault; prepaid ones are not modelled."""

    protect_type: Literal["backup", "replication"]
    object_type: ObjectType
    consistent_level: ConsistentLevel
    size: int = Field(ge=10, le=10_485_760)
    charging_mode: Literal["post_paid"] = "post_paid"
    cloud_type: Literal["public"] = "public"
    is_auto_renew: Literal[False] = False
    is_auto_pay: Literal[False] = False
    is_multi_az: bool = False
    console_url: str | None = Field(None, min_length=1, max_length=255)


class SettingsBody(Body):
    """Fields that can be set at creation and later."""

    auto_bind: bool = False
    auto_expand: bool = False
    smn_notify: bool = True
    threshold: int = Field(80, ge=1, le=100)
    locked: bool = False


class NewVaultBody(SettingsBody):
    """The body of CreateVault."""

    name: str = Field(min_length=1, max_length=64, pattern=NAME)
    billing: BillingBody
    resources: list[ResourceBody] = Field(max_length=255)
    bind_rules: BindRulesBody | None = None
    backup_policy_id: str | None = None
    description: str | None = Field(None, max_length=64, pattern=DESCRIPTION)
    tags: Tags = Field(default_factory=list)
    enterprise_project_id: Literal["0"] = "0"
    backup_name_prefix: str | None = Field(None, max_length=32)
    demand_billing: Literal[False] = False
    availability_zone: str | None = Field(None, min_length=1, max_length=32)
    sys_lock_source_service: Literal["", "SMB"] | None = None


class NewVaultEnvelope(Body):
    vault: NewVaultBody


class BillingChangeBody(Body):
    size: int | None = Field(None, ge=1, le=10_485_760)
    consistent_level: ConsistentLevel | None = None


class VaultChangeBody(SettingsBody):
    """The body of UpdateVault; omitted fields stay."""

    name: str | None = Field(None, min_length=1, max_length=64, pattern=NAME)
    billing: BillingChangeBody = BillingChangeBody()
    bind_rules: BindRulesChangeBody | None = None


class VaultChangeEnvelope(Body):
    vault: VaultChangeBody


@router.post("/vaults")
async def create_vault(
    project_id: Project, cloud: CloudHere, body: NewVaultEnvelope
) -> dict[str, Any]:
    wanted, billing = body.vault, body.vault.billing
    vaults.refuse_kind(billing.protect_type, billing.object_type)
    at_first_only = {"demand_billing": wanted.demand_billing}
    apart = {*_APART, *at_first_only, "backup_policy_id", "enterprise_project_id", "resources"}
    with cloud.session() as session:
        resources = [resource.model_dump(exclude_none=True) for resource in wanted.resources]
        vaults.refuse_resources(session, billing.protect_type, billing.object_type, resources)
        vault = Vault(
            id=str(uuid.uuid4()),
            name=wanted.name,
            region=cloud.project_regions[project_id],
            project_id=project_id,
            protect_type=billing.protect_type,
            object_type=billing.object_type,
            size_gb=billing.size,
            used_mb=0,
            status="available",
            created_at=cloud.clock.now(),
            settings={
                **vaults.usual_settings(),
                **wanted.model_dump(exclude=apart, exclude_none=True),
                **billing.model_dump(include={"consistent_level", "is_multi_az"}),
                "resources": [usual(resource) for resource in resources],
            },
        )
        session.add(vault)
        if wanted.backup_policy_id is not None:
            policy = policies.find(session, project_id, wanted.backup_policy_id)
            policies.apply_to_own(session, policy, vault)
        return {"vault": {**vault_body(vault), **at_first_only}}


@router.put("/vaults/{vault_id}")
async def update_vault(
    project_id: Project, cloud: CloudHere, vault_id: str, body: VaultChangeEnvelope
) -> dict[str, Any]:
    wanted = body.vault
    given = wanted.model_dump(exclude=_APART, exclude_unset=True)
    given |= wanted.billing.model_dump(include={"consistent_level"}, exclude_unset=True)
    if wanted.bind_rules is not None and not wanted.bind_rules.tags:
        given["bind_rules"] = {}
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        vaults.change(vault, wanted.billing.size, given)
        vault.name = wanted.name or vault.name
        return {"vault": vault_body(vault)}


@router.delete("/vaults/{vault_id}", status_code=204)
async def delete_vault(project_id: Project, cloud: CloudHere, vault_id: str) -> Response:
    with cloud.session() as session:
        cloud.deletions.begin_vault(session, find_vault(session, project_id, vault_id))
    return Response(status_code=204)


def find_vault(session: Session, project_id: str, vault_id: str) -> Vault:
    """Return a vault of a project, or raise the refusal."""
    vault = session.get(Vault, vault_id)
    if vault is None or vault.project_id != project_id:
        raise errors.cbr("6105")
    return vault
