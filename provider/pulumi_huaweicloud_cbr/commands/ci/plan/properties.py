"""The properties of changed resources that a reviewer wants to see.

Left out are those that follow from others, that have their default, or whose effect on replicas is
counted: ids of projects, backups, the destination, which the tables show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pulumi_huaweicloud_cbr.commands.ci.plan.document import Step, mapping
from pulumi_huaweicloud_cbr.commands.ci.plan.effects import Property, Resource

_INTERNAL = ("__provider",)
_DERIVED = ("source_project_id", "destination_project_id")
_COUNTED = ("backups", "backup_id", "vault_id")
_OF_PLACE = ("source_region", "destination_region", "destination_vault_id")
_DEFAULTS: Mapping[str, Any] = {
    "adopt": True,
    "enable_acceleration": False,
    "preflight": "error",
    "force_destroy": False,
}
_SHOWN_OPS = ("create", "update", "replace")


def resource_of(step: Step, *, is_offline: bool = False) -> Resource:
    """Return a resource with its changed properties.

    Args:
        is_offline: preflight is off in the preview alone.
    """
    properties = tuple(
        one
        for one in (_properties(step) if step.op in _SHOWN_OPS else ())
        if not (is_offline and one.name == "preflight")
    )
    return Resource(step.op, step.name, step.kind or step.type.rpartition(":")[2], properties)


def _properties(step: Step) -> Iterator[Property]:
    old, new = mapping(step.old.get("inputs")), mapping(step.new.get("inputs"))
    left_out = {*_INTERNAL}
    if step.kind:
        left_out |= {*_DERIVED, *_COUNTED, *_OF_PLACE}
    for name in sorted({*old, *new} - left_out):
        before, after = old.get(name), new.get(name)
        default = _DEFAULTS.get(name) if step.kind else None
        is_default = step.op == "create" and after is not None and after == default
        # States leave out defaults, and those of earlier versions do not.
        is_same = (default if before is None else before) == (default if after is None else after)
        if is_same or is_default:
            continue
        yield Property(name, before, after, name in step.replace_reasons)
