"""The first line of a report: in replicas, what is deleted first."""

from __future__ import annotations

from pulumi_huaweicloud_cbr.commands.ci.plan.effects import What
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan
from pulumi_huaweicloud_cbr.commands.ci.text.words import amount, total


def headline(plan: Plan, *, has_failed: bool) -> str:
    """Return the headline.

    Args:
        has_failed: the preview ended with an error, so that the plan may be a part of it.
    """
    counted = counts(plan)
    if has_failed:
        known = f"; known so far: {counted}" if counted else ""
        return f"Preview FAILED{known}"
    if plan.refusals:
        known = f"; otherwise {counted}" if counted else ""
        return f"`up` would be REFUSED for {amount(len(plan.refusals), 'fault')}{known}"
    if counted:
        return counted
    changed = len(plan.resources)
    if changed:
        return f"No replica changes; settings of {amount(changed, 'resource')} change"
    return "Nothing changes"


def counts(plan: Plan) -> str:
    """Return what happens to how many replicas, empty if nothing does."""
    sizes = total(one.size_gb for one in plan.of(What.COPIED))
    told = [
        (len(plan.of(What.DELETED)), "DELETED", ""),
        (len(plan.of(What.COPIED)), "copied", f" ({sizes})" if sizes else ""),
        (len(plan.of(What.RENAMED)), "renamed", ""),
        (len(plan.of(What.ADOPTED)), "adopted", ""),
        (len(plan.of(What.HANDED_OVER)), "handed over", ""),
        (len(plan.of(What.RETAINED)), "left behind", ""),
    ]
    parts: list[str] = []
    for count, verb, more in told:
        if count and not parts:
            parts.append(f"{amount(count, 'replica')} will be {verb}{more}")
        elif count:
            parts.append(f"{count:,} {verb}{more}")
    unknown = dict.fromkeys(one.what for one in plan.uncounted)
    for what in unknown:
        verb = "DELETED" if what is What.DELETED else what.value
        parts.append(
            f"an unknown number {verb}"
            if parts
            else f"An unknown number of replicas will be {verb}"
        )
    if plan.others:
        parts.append(amount(len(plan.others), "other resource changes", "other resources change"))
    return ", ".join(parts)
