"""The name of the stack that this process works for, as marks on replicas have it.

What a mark means does not belong here: see `replication.rules.ownership`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi_huaweicloud_cbr.engine.call import current_call

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.config.settings import Settings


def this_owner(settings: Settings) -> str | None:
    """Return ``project/stack``, or what `huaweicloud:owner` says.

    Returns:
        None if neither is known: the SDK's plugin may not pass the URN.
    """
    return settings.owner or owner_of(current_call().urn)


def owner_of(urn: str) -> str | None:
    """Return ``project/stack`` of ``urn:pulumi:STACK::PROJECT::TYPE::NAME``."""
    parts = urn.split("::")
    if len(parts) < 4 or not parts[0].startswith("urn:pulumi:"):
        return None
    return f"{parts[1]}/{parts[0].removeprefix('urn:pulumi:')}"
