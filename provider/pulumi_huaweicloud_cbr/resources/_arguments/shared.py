"""The inputs and outputs that single replications, sets and entire vaults have in common.

Also the types of inputs that have more than a plain value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pulumi

from pulumi_huaweicloud_cbr.resources._arguments.registration import told_or

Adopt = bool | Literal["any"]
Preflight = Literal["error", "warn", "off"]
Waitable = pulumi.Resource | pulumi.Input[dict[str, Any]]
"""A resource that replicates, or its `tracking`."""


@dataclass(kw_only=True)
class CopyArgs:
    """Where to copy to, and how. Given as keywords, as in all Args classes of Pulumi."""

    destination_region: pulumi.Input[str]
    """The region to copy to, such as ``cn-east-3``. A change replaces."""
    destination_vault_id: pulumi.Input[str]
    """A vault of protect_type ``replication`` there. A change replaces."""
    destination_project_id: pulumi.Input[str] | None = None
    """The project of that vault. Default: the project named like the region. A change replaces."""
    enable_acceleration: pulumi.Input[bool] | None = None
    """Copy faster, at extra cost. Default: false. A change affects later copies only."""
    source_region: pulumi.Input[str] | None = None
    """The region of what is copied. Default: ``huaweicloud:region``. A change replaces."""
    source_project_id: pulumi.Input[str] | None = None
    """The project of what is copied. Default: ``huaweicloud:projectId`` in ``huaweicloud:region``,
    else the project named like the region. A change replaces."""
    adopt: pulumi.Input[Adopt] | None = None
    """Take over a matching replica or running copy, instead of failing. ``any`` takes over those of
    other stacks too. Default: true. A change affects later copies only."""
    preflight: pulumi.Input[Preflight] | None = None
    """Ask the API in previews whether it will accept the copies. ``error`` fails if it will not,
    ``warn`` warns. ``off`` does not ask, so later runs of `up` do not copy what is new in an entire
    vault. Default: ``error``. A change affects only the state."""
    force_destroy: pulumi.Input[bool] | None = None
    """Delete a replica also if its source backup is gone, so that it is the last copy. Default:
    false. A change affects only the state."""


class CopyOutputs:
    """The same as outputs, resolved. States leave out defaults."""

    destination_region: pulumi.Output[str]
    """The region that is copied to."""
    destination_vault_id: pulumi.Output[str]
    """The vault that has the replicas."""
    destination_project_id: pulumi.Output[str]
    """The project of that vault."""
    source_region: pulumi.Output[str]
    """The region of what is copied."""
    source_project_id: pulumi.Output[str]
    """The project of what is copied."""
    force_destroy: pulumi.Output[bool | None]
    """Whether last copies may be deleted."""

    @property
    def enable_acceleration(self) -> pulumi.Output[bool]:
        """Whether later copies are made faster, at extra cost."""
        return told_or(vars(self)["enable_acceleration"], default=False)

    @property
    def adopt(self) -> pulumi.Output[Adopt]:
        """Whether existing copies are taken over."""
        return told_or(vars(self)["adopt"], default=True)

    @property
    def preflight(self) -> pulumi.Output[Preflight]:
        """What previews ask the API."""
        return told_or(vars(self)["preflight"], default="error")
