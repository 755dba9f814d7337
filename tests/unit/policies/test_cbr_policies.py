"""The policies, called as Pulumi's policy SDK calls them: what they report about resources."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)

import pulumi_huaweicloud_cbr as cbr
from cbr_policies import _TYPES, POLICIES
from pulumi_huaweicloud_cbr.plugin.schema import ARGUMENTS

BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
OTHER = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
NORTH, EAST, SOUTH = "cn-north-4", "cn-east-3", "cn-south-1"
PAIRS, REGIONS, DESCRIPTION = POLICIES
ONE = {"backup_id": BACKUP, "source_region": NORTH, "destination_region": EAST}


def opts(*, protect: bool) -> PolicyResourceOptions:
    """Return the options of a resource."""
    return PolicyResourceOptions(protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def told(
    policy: Any, props: dict[str, Any], kind: str = "BackupReplication", **more: Any
) -> list[str]:
    """Return what a policy reports about one resource."""
    found: list[str] = []
    resource = opts(protect=more.pop("protect", False))
    token = kind if ":" in kind else f"{_TYPES}{kind}"
    args = ResourceValidationArgs(token, props, "urn", "erp", resource, None, more or None, {})
    policy.validate(args, lambda message, _urn: found.append(message))
    return found


def told_of_stack(*resources: tuple[str, str, dict[str, Any]], **config: Any) -> list[str]:
    """Return what the policy of stacks reports: kind, name and inputs of each resource."""
    found: list[str] = []
    rows = [
        PolicyResource(
            f"{_TYPES}{kind}", props, name, name, opts(protect=False), None, None, [], {}
        )
        for kind, name, props in resources
    ]
    policy: Any = REGIONS
    policy.validate(
        StackValidationArgs(rows, config, {}),
        lambda message, urn: found.append(f"{urn}: {message}"),
    )
    return found


def test_types_are_those_of_the_package() -> None:
    """A policy that looks for another token would accept everything."""
    names = {kind.__name__.removesuffix("Args") for kind in ARGUMENTS.values()}

    assert {f"pulumi-python:{getattr(cbr, name)._resource_type_name}" for name in names} == {
        f"{_TYPES}{name}" for name in names
    }
    assert {"BackupReplication", "BackupReplicationSet", "VaultReplication"} <= names


@pytest.mark.parametrize("kind", ["BackupReplication", "BackupReplicationSet", "VaultReplication"])
def test_copy_to_another_region_is_told(kind: str) -> None:
    """The rule and its words are those of the stack program."""
    allowed = {NORTH: [EAST]}

    assert [] == told(PAIRS, ONE, kind, allowed_pairs=allowed)
    (found,) = told(PAIRS, {**ONE, "destination_region": SOUTH}, kind, allowed_pairs=allowed)
    assert (
        "destination_region: 'cn-south-1' is no region that copies from 'cn-north-4' may go to; "
        "allowed_pairs allows 'cn-east-3'"
    ) == found


def test_other_resources_and_policies_without_rules_are_accepted() -> None:
    """A pack runs for whole programs."""
    far = {**ONE, "destination_region": SOUTH}

    assert [] == told(PAIRS, far, "aws:s3/bucket:Bucket", allowed_pairs={NORTH: [EAST]})
    assert [] == told(PAIRS, far, "ReplicationsComplete", allowed_pairs={NORTH: [EAST]})
    assert [] == told(PAIRS, far)
    assert [] == told(DESCRIPTION, far, protect=True)
    assert [] == told_of_stack(("BackupReplication", "erp", ONE))


@pytest.mark.parametrize("policy", [PAIRS, DESCRIPTION])
def test_wrong_configuration_is_a_violation(policy: Any) -> None:
    """A rule with a slip must not accept everything."""
    wrong: dict[str, Any] = {"allowed_pairs": {NORTH: EAST}, "description_required": "yes"}

    (message,) = told(policy, ONE, **wrong)

    assert message.startswith("the configuration of this policy: ")


@pytest.mark.parametrize(
    ("protect", "description", "is_told"),
    [(True, None, True), (True, " ", True), (True, "hold 1742", False), (False, None, False)],
)
def test_protected_copy_has_to_say_why(
    description: str | None, *, protect: bool, is_told: bool
) -> None:
    """A copy that is not protected need not."""
    props = {**ONE, "description": description}
    found = told(DESCRIPTION, props, protect=protect, description_required=True)

    assert is_told == bool(found)
    assert [] == told(DESCRIPTION, props, "VaultReplication", protect=protect)


SET = {
    "backups": {"erp": BACKUP, "web": {"backup_id": OTHER.upper()}},
    "source_region": NORTH,
    "destination_region": SOUTH,
}


def test_backup_may_be_copied_by_resources_of_different_kinds() -> None:
    """What counts is the backup: here a single resource and a set copy one of two."""
    (found,) = told_of_stack(
        ("BackupReplication", "erp", ONE), ("BackupReplicationSet", "all", SET), regions=2.0
    )

    assert (
        f"all: backup '{OTHER}' has copies in 1 region besides 'cn-north-4' ('cn-south-1'), and "
        "this policy wants 2; add destinations in other regions"
    ) == found


def test_vault_needs_two_resources() -> None:
    """Each copies it to one region."""
    vault = {"vault_id": BACKUP, "source_region": NORTH, "destination_region": EAST}
    south = {**vault, "destination_region": SOUTH}

    assert 1 == len(told_of_stack(("VaultReplication", "files", vault), regions=2))
    assert [] == told_of_stack(
        ("VaultReplication", "a", vault), ("VaultReplication", "b", south), regions=2
    )


def test_names_select_what_needs_so_many_regions() -> None:
    """A pattern selects by the names of resources."""
    resources = [
        ("BackupReplication", "gold-erp", ONE),
        ("BackupReplication", "web", {**ONE, "backup_id": OTHER}),
    ]

    (found,) = told_of_stack(*resources, regions=2, names=["gold-*"])

    assert found.startswith(f"gold-erp: backup '{BACKUP}'")
    assert [] == told_of_stack(*resources, regions=2, names=["silver-*"])
