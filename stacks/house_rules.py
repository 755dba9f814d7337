"""Hold the entries of the configuration to its rules, before anything is declared.

The rules themselves are the package's, so that the policy pack has the same ones. Entries and rules
that cannot be read are skipped: `model` reports them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pulumi_huaweicloud_cbr as cbr
from cross_checks import WrittenEntry, written_entries
from faults import Fault, Location


def broken_rules(document: Mapping[str, Any], region: str | None) -> Iterator[Fault]:
    """Yield a fault for each rule that an entry breaks.

    Args:
        region: the source region of entries that name none; None if it is not known.
    """
    given = document.get("rules")
    if not isinstance(given, dict) or not given:
        return
    known = {key: value for key, value in given.items() if value is not None}
    if cbr.check_rules(known):
        return
    rules = cbr.rules_of(known)
    defaults = document.get("defaults")
    for entry in written_entries(document):
        yield from _broken(rules, entry, defaults if isinstance(defaults, dict) else {}, region)


def _broken(
    rules: cbr.Rules, entry: WrittenEntry, defaults: Mapping[str, Any], region: str | None
) -> Iterator[Fault]:
    source = _text(_first("source_region", entry.keys, defaults)) or region
    tier = _text(_first("tier", entry.keys, defaults))
    for at, destination in entry.destinations:
        to = destination.get("region")
        if source and isinstance(to, str) and (fault := rules.fault_of_pair(source, to)):
            yield Fault((*at, "region"), fault)
    if entry.regions and (fault := rules.fault_of_regions(tier, source, entry.regions)):
        yield Fault((*entry.at, "destinations"), fault)
    yield from _without_description(rules, entry, defaults, tier)


def _without_description(
    rules: cbr.Rules, entry: WrittenEntry, defaults: Mapping[str, Any], tier: str | None
) -> Iterator[Fault]:
    """Yield copies that say not why they are kept.

    The replicas of sets and entire vaults have no description, so their entries name an owner.
    """
    for at, destination in entry.destinations:
        levels = (destination, entry.keys, defaults)
        is_kept = any(_first(key, *levels) is True for key in ("protect", "retain_on_delete"))
        where: Location = entry.at
        if entry.kind == "replications":
            key, text = "description", _first("description", *levels)
            if at[0] == entry.at[0] and len(entry.destinations) > 1:
                where = at
        else:
            key, text = "owner", _first("owner", entry.keys, defaults)
        fault = rules.fault_of_description(tier, _text(text), is_kept=is_kept, key=key)
        if fault:
            yield Fault((*where, key), fault)


def _first(key: str, *levels: Mapping[str, Any]) -> Any:
    given = (level.get(key) for level in levels)
    return next((value for value in given if value is not None), None)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
