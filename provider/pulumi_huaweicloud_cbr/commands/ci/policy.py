"""What a pipeline refuses to go on with, unless a person allows it."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan

KINDS = ("delete", "replace", "last-copy")


def kinds(text: str) -> frozenset[str]:
    """Return the kinds in the value of an option, which are separated by commas or blanks."""
    found = frozenset(text.replace(",", " ").split())
    unknown = sorted(found.difference(KINDS))
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    return found


def violations(plan: Plan, refused: Collection[str], allowed: Collection[str]) -> list[str]:
    """Return what a plan does of the refused kinds, each in words."""
    # The options of all commands are read with this module, and need none of it.
    from pulumi_huaweicloud_cbr.commands.ci.plan.effects import What
    from pulumi_huaweicloud_cbr.commands.ci.text.words import amount

    deleted = plan.of(What.DELETED)
    unknown = [one for one in plan.uncounted if one.what is What.DELETED]
    others = [one.op for one in plan.others]
    found = {
        "delete": (
            sum(not effect.is_replaced for effect in deleted) + len(unknown),
            others.count("delete"),
        ),
        "replace": (sum(effect.is_replaced for effect in deleted), others.count("replace")),
        "last-copy": (len(plan.last_copies), 0),
    }
    told = []
    for kind, (replicas, resources) in found.items():
        if kind in refused and kind not in allowed and (replicas or resources):
            parts = [amount(replicas, "replica")] if replicas else []
            parts += [amount(resources, "other resource")] if resources else []
            told.append(f"{kind}: {' and '.join(parts)}")
    return told
