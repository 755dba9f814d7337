"""Rules of an organisation about copies: where to, how many regions, and with a description.

The stack program holds its entries to them, and the policy pack holds resources of any program to
them. Pure: plain data in, and a text for each fault out. How many members of a set an update may
delete is a setting, since only the provider knows the former members.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from pulumi_huaweicloud_cbr.base.text import REGION_ID, counted, listed, quoted
from pulumi_huaweicloud_cbr.config.objectives import RULES as OBJECTIVES

REGIONS_LIMIT = 100
"""More regions than CBR has: a larger number is a mistake."""


@dataclass(frozen=True)
class Rules:
    """What has to hold for each copy; made by `rules_of`.

    Attributes:
        allowed_pairs: source region to the regions that its copies may go to; a source that is not
            there has none. None: all pairs are allowed.
        regions_for_tier: tier to the number of regions, besides the source, that have a copy.
        is_description_required: what is kept for good has to say why.
        described_tiers: tiers of which each copy has to have a description, kept or not.
    """

    allowed_pairs: Mapping[str, Collection[str]] | None = None
    regions_for_tier: Mapping[str, int] = field(default_factory=dict)
    is_description_required: bool = False
    described_tiers: Collection[str] = ()

    def fault_of_pair(self, source: str, destination: str) -> str | None:
        """Return why copies may not go from one region to another; None if they may."""
        if self.allowed_pairs is None:
            return None
        allowed = self.allowed_pairs.get(source, ())
        if destination in allowed:
            return None
        rule = (
            f"allowed_pairs allows {_joined(allowed)}"
            if allowed
            else "allowed_pairs allows no destination"
        )
        return (
            f"{quoted(destination)} is no region that copies from {quoted(source)} may go to; "
            f"{rule}"
        )

    def fault_of_regions(
        self, tier: str | None, source: str | None, destinations: Collection[str]
    ) -> str | None:
        """Return why an entry has too few destinations for its tier; None if it has enough.

        Args:
            source: None if it is not known, so that each destination counts.
        """
        wanted = self.regions_for_tier.get(tier or "", 0)
        rule = f"regions_for_tier wants {wanted} for tier {quoted(tier)}"
        return self.fault_of_count(wanted, source, destinations, rule)

    @staticmethod
    def fault_of_count(
        wanted: int, source: str | None, destinations: Collection[str], rule: str
    ) -> str | None:
        """Return why copies are in too few regions; None if there are enough.

        Args:
            wanted: how many regions besides the source.
            rule: what wants so many, for the message.
        """
        regions = dict.fromkeys(region for region in destinations if region != source)
        if len(regions) >= wanted:
            return None
        besides = f" besides {quoted(source)}" if source else ""
        return (
            f"has copies in {_number_of(len(regions))}{besides}"
            f"{f' ({_joined(regions)})' if regions else ''}, and {rule}; "
            "add destinations in other regions"
        )

    def fault_of_description(
        self, tier: str | None, text: str | None, *, is_kept: bool, key: str = "description"
    ) -> str | None:
        """Return why a copy needs a description; None if it has one, or needs none.

        Args:
            text: the description, or what stands for it.
            is_kept: `protect` or `retain_on_delete` keeps it.
            key: what to give, for the message.
        """
        is_needed = self.is_description_required and is_kept
        if text and text.strip():
            return None
        if is_needed:
            why = "protect or retain_on_delete keeps it"
        elif tier in self.described_tiers:
            why = f"tier {quoted(tier)} wants one"
        else:
            return None
        return f"is missing, and {why} (description_required); give {key}, such as whom to ask"


def rules_of(given: Mapping[str, Any]) -> Rules:
    """Return rules from valid values; what is left out is no rule."""
    described = given.get("description_required") or False
    return Rules(
        allowed_pairs=given.get("allowed_pairs"),
        regions_for_tier={
            tier: int(count) for tier, count in (given.get("regions_for_tier") or {}).items()
        },
        is_description_required=bool(described),
        described_tiers=() if isinstance(described, bool) else tuple(described),
    )


@dataclass(frozen=True)
class TooManyDeletions:
    """An update that would delete more than is allowed: the reason, and what to do."""

    reason: str
    remedy: str


def fault_of_deletions(
    limit_percent: float, deleted: Collection[str], former_count: int
) -> TooManyDeletions | None:
    """Return why an update may not delete so many members of a set; None if it may.

    Small sets are held to it exactly: of four members, 20 % allow none to leave.

    Args:
        limit_percent: 0 to 100, of the former members.
        deleted: their labels.
        former_count: how many members there were.
    """
    if len(deleted) * 100 <= limit_percent * former_count:
        return None
    percent = 100 * len(deleted) / former_count
    return TooManyDeletions(
        f"members that leave: {len(deleted)} of {counted(former_count, 'member')} ({percent:.0f} %)"
        f" would be deleted, and huaweicloud:maxDeletedPercent allows {limit_percent:g} %: "
        f"{listed(deleted)}",
        "correct what lists or selects the members; if they are to go, run this once with "
        f"HW_MAX_DELETED_PERCENT={ceil(percent)}",
    )


def _joined(regions: Collection[str]) -> str:
    return ", ".join(map(quoted, regions))


def _number_of(regions: int) -> str:
    return counted(regions, "region") if regions else "no region"


# -- the rules themselves ------------------------------------------------------------------------


def _check_pairs(value: object) -> str | None:
    wanted = "want source regions, each with a list of regions, such as cn-north-4: [cn-east-3]"
    if not isinstance(value, Mapping) or not value:
        return f"is no mapping of regions to lists of regions; {wanted}"
    for source, destinations in value.items():
        if not _is_region(source):
            return f"{quoted(source)} is no region; {wanted}"
        if not isinstance(destinations, (list, tuple)):
            return f"has no list for {quoted(source)}; {wanted}"
        for region in destinations:
            if not _is_region(region):
                return f"{quoted(region)} of {quoted(source)} is no region; {wanted}"
    return None


def _is_region(value: object) -> bool:
    return isinstance(value, str) and REGION_ID.fullmatch(value) is not None


def _check_tiers(value: object) -> str | None:
    wanted = f"want tiers, each with a number of regions from 1 to {REGIONS_LIMIT}, such as gold: 2"
    if not isinstance(value, Mapping) or not value:
        return f"is no mapping of tiers to numbers; {wanted}"
    for tier, count in value.items():
        if OBJECTIVES["tier"](tier):
            return f"{quoted(tier)} is no tier; {wanted}"
        is_number = isinstance(count, (int, float)) and not isinstance(count, bool)
        if not is_number or count % 1 or not 1 <= count <= REGIONS_LIMIT:
            return f"{quoted(count)} of {quoted(tier)} is no number of regions; {wanted}"
    return None


def _check_described(value: object) -> str | None:
    if isinstance(value, bool):
        return None
    wanted = "want true, false, or a list of tiers"
    if not isinstance(value, (list, tuple)) or not value:
        return f"is neither true nor a list; {wanted}"
    for tier in value:
        if OBJECTIVES["tier"](tier):
            return f"{quoted(tier)} is no tier; {wanted}"
    return None


CHECKS: Mapping[str, Callable[[object], str | None]] = {
    "allowed_pairs": _check_pairs,
    "regions_for_tier": _check_tiers,
    "description_required": _check_described,
}
"""Each rule, with what finds the fault of its value."""
