"""Policies and the vaults that they are applied to. Nothing runs them; no HTTP here.

Source: CBR API reference, CreatePolicy, UpdatePolicy, AssociateVaultPolicy and "Error Codes"; the
user guide's constraints on policies.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from simulator.cloud import errors
from simulator.cloud.clock import Clock
from simulator.cloud.rules.copy_refusals import Destination, refuse_destination
from simulator.cloud.specs import World
from simulator.cloud.store import Association, Policy, Vault, next_sequence

MOST_OF_A_TYPE = 32
"""CBR user guide, constraints: policies of each type."""


def create(
    session: Session,
    clock: Clock,
    project_id: str,
    *,
    name: str,
    operation_type: str,
    enabled: bool,
    definition: dict[str, Any],
    patterns: list[str],
) -> Policy:
    """Create a policy, or raise the refusal."""
    alike = select(func.count()).where(
        Policy.project_id == project_id, Policy.operation_type == operation_type
    )
    if (session.scalar(alike) or 0) >= MOST_OF_A_TYPE:
        raise errors.cbr("6001")
    policy = Policy(
        id=str(uuid.uuid4()),
        sequence=next_sequence(session, Policy.sequence),
        project_id=project_id,
        name=name,
        operation_type=operation_type,
        enabled=enabled,
        definition=definition,
        patterns=patterns,
        created_at=clock.now(),
    )
    session.add(policy)
    return policy


def find(session: Session, project_id: str, policy_id: str) -> Policy:
    """Return a policy of a project, or raise the refusal."""
    policy = session.get(Policy, policy_id)
    if policy is None or policy.project_id != project_id:
        raise errors.cbr("6000")
    return policy


def applied(session: Session, policy_id: str) -> list[Association]:
    """Return the applications of a policy."""
    query = select(Association).where(Association.policy_id == policy_id)
    return list(session.scalars(query.order_by(Association.vault_id)))


def define(session: Session, policy: Policy, definition: dict[str, Any]) -> None:
    """Change a policy's definition. Its destination is fixed while a vault has the policy."""
    old, new = policy.definition.get("destination_region"), definition.get("destination_region")
    if old != new and applied(session, policy.id):
        raise errors.cbr("6003")
    policy.definition = definition


def apply_to_own(session: Session, policy: Policy, vault: Vault) -> Association:
    """Apply a backup policy to a vault, or raise the refusal."""
    if policy.operation_type != "backup" or vault.protect_type != "backup":
        raise errors.cbr("6127")
    return _apply(session, policy, vault, None)


def apply_to_pair(
    session: Session, world: World, policy: Policy, vault: Vault, destination_id: str
) -> Association:
    """Apply a replication policy to a vault and its destination, or raise the refusal."""
    if policy.operation_type != "replication" or vault.protect_type == "replication":
        raise errors.cbr("6127")
    wanted = Destination(
        policy.definition["destination_region"],
        policy.definition["destination_project_id"],
        destination_id,
    )
    destination = session.get(Vault, destination_id)
    refuse_destination(world, vault.region, vault.object_type, wanted, destination)
    return _apply(session, policy, vault, destination_id)


def lift(session: Session, policy: Policy, vault: Vault) -> None:
    """Detach a policy from a vault, or raise the refusal."""
    association = session.get(Association, (vault.id, policy.operation_type))
    if association is None or association.policy_id != policy.id:
        raise errors.cbr("6002")
    session.delete(association)


def forget(session: Session, policy: Policy) -> None:
    """Remove a policy, also from its vaults."""
    session.execute(delete(Association).where(Association.policy_id == policy.id))
    session.delete(policy)


def forget_vaults(session: Session) -> None:
    """Detach policies from vaults that are gone."""
    session.execute(delete(Association).where(Association.vault_id.not_in(select(Vault.id))))


def _apply(
    session: Session, policy: Policy, vault: Vault, destination_id: str | None
) -> Association:
    # A vault has one policy of each type: the new one replaces the old.
    return session.merge(
        Association(
            vault_id=vault.id,
            operation_type=policy.operation_type,
            policy_id=policy.id,
            destination_vault_id=destination_id,
        )
    )
