"""Policies about the resources of this package, whatever program declares them.

They have the same rules as the stack program, from the package. Without configuration a policy has
no rule, and accepts everything. How much of a set an update may delete is no policy: a pack does
not know the former members. See `huaweicloud:maxDeletedPercent`.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from pulumi_policy import (
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)

import pulumi_huaweicloud_cbr as cbr

_TYPES = "pulumi-python:dynamic/huaweicloud_cbr:"
"""The tokens of this package's resources, up to their names."""
_SINGLE = f"{_TYPES}BackupReplication"
_REPLICATING = frozenset({_SINGLE, f"{_TYPES}BackupReplicationSet", f"{_TYPES}VaultReplication"})


def _rules(given: Mapping[str, Any], report: ReportViolation, urn: str) -> cbr.Rules | None:
    """Return the rules of a policy's configuration, None after a report of its faults."""
    faults = cbr.check_rules(given)
    for fault in faults:
        report(f"the configuration of this policy: {fault.field} {fault.reason}", urn)
    return None if faults else cbr.rules_of(given)


def _configured(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = config.get(key)
    return {} if value is None else {key: value}


# -- where copies go -------------------------------------------------------------------------------


def _check_pair(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    given = _configured(args.get_config(), "allowed_pairs")
    if args.resource_type not in _REPLICATING or not given:
        return
    rules = _rules(given, report_violation, args.urn)
    source, destination = args.props.get("source_region"), args.props.get("destination_region")
    if rules is None or not isinstance(source, str) or not isinstance(destination, str):
        return
    if fault := rules.fault_of_pair(source, destination):
        report_violation(f"destination_region: {fault}", args.urn)


# -- in how many regions ---------------------------------------------------------------------------


def _check_regions(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    config = args.get_config()
    wanted = config.get("regions")
    if wanted is None:
        return
    rule = f"this policy wants {int(wanted)}"
    names = config.get("names") or ["*"]
    for copied, regions in _regions_by_source(args.resources).items():
        resource = next(iter(regions.values()))
        if not any(fnmatchcase(one.name, name) for one in regions.values() for name in names):
            continue
        source = resource.props.get("source_region")
        if fault := cbr.Rules.fault_of_count(int(wanted), source, tuple(regions), rule):
            report_violation(f"{copied} {fault}", resource.urn)


def _regions_by_source(
    resources: list[PolicyResource],
) -> dict[str, dict[str, PolicyResource]]:
    """Return each backup or vault that is copied, with a resource for each destination region."""
    found: dict[str, dict[str, PolicyResource]] = {}
    for resource in resources:
        if resource.resource_type not in _REPLICATING:
            continue
        region = resource.props.get("destination_region")
        if isinstance(region, str):
            for copied in _copied_by(resource.props):
                found.setdefault(copied, {}).setdefault(region, resource)
    return found


def _copied_by(props: Mapping[str, Any]) -> list[str]:
    if isinstance(vault_id := props.get("vault_id"), str):
        return [f"vault {vault_id.lower()!r}"]
    given: Any = [props.get("backup_id")]
    backups = props.get("backups")
    if backups is not None:
        given = backups.values() if hasattr(backups, "values") else backups
    ids = (one.get("backup_id") if hasattr(one, "get") else one for one in given)
    return [f"backup {one.lower()!r}" for one in ids if isinstance(one, str)]


# -- what is kept ----------------------------------------------------------------------------------


def _check_description(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
    given = _configured(args.get_config(), "description_required")
    if args.resource_type != _SINGLE or not given:
        return
    rules = _rules(given, report_violation, args.urn)
    if rules is None:
        return
    text = args.props.get("description")
    if fault := rules.fault_of_description(None, text, is_kept=args.opts.protect):
        report_violation(f"description {fault}", args.urn)


POLICIES = (
    ResourceValidationPolicy(
        "cbr-copies-go-to-allowed-regions",
        "Copies of CBR backups go only from and to the regions that are allowed.",
        _check_pair,
        config_schema=PolicyConfigSchema(
            {
                "allowed_pairs": {
                    "type": "object",
                    "description": "Source region to the regions that its copies may go to.",
                    "additionalProperties": {"type": "array", "items": {"type": "string"}},
                }
            }
        ),
    ),
    StackValidationPolicy(
        "cbr-copies-are-in-enough-regions",
        "Each CBR backup that is copied has copies in so many regions.",
        _check_regions,
        config_schema=PolicyConfigSchema(
            {
                "regions": {
                    "type": "integer",
                    "minimum": 1,
                    "description": "How many regions need a copy, besides the source region.",
                },
                "names": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "Names of resources, with * and ?, of which this holds.",
                },
            }
        ),
    ),
    ResourceValidationPolicy(
        "cbr-kept-copies-say-why",
        "A protected copy of a CBR backup has a description.",
        _check_description,
        config_schema=PolicyConfigSchema(
            {
                "description_required": {
                    "type": "boolean",
                    "description": "Whether a protected BackupReplication needs a description.",
                }
            }
        ),
    ),
)
