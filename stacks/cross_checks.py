"""Faults between values of the configuration, each of which may be valid by itself.

This checks the configuration as it is written, and skips what cannot be read. Faults of single
values do not belong here, except those of a set's members: `model` finds the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

import pulumi_huaweicloud_cbr as cbr
from faults import Fault, Location, faults_of, nothing_to_copy, path_of
from model import LISTS, MISSING_INPUTS, NAMESPACE, Member

ONE_PER_REGION = "CBR keeps one replica of a backup per region, so leave one of the two out"
_NOT_SHOWN = cbr.check_inputs({"backup_id": ""})[0].reason.removeprefix("'' ")
"""The package's message about a text that is not an id, without the text."""


@dataclass(frozen=True)
class WrittenEntry:
    """An entry of one of the lists."""

    at: Location
    keys: Mapping[str, Any]
    destinations: tuple[tuple[Location, Mapping[str, Any]], ...]

    @property
    def kind(self) -> str:
        return str(self.at[0])

    @property
    def regions(self) -> list[str]:
        """Return the regions to copy to, each once."""
        found = (keys.get("region") for _, keys in self.destinations)
        return list(dict.fromkeys(region for region in found if isinstance(region, str)))


def resource_name(entry: str, region: str) -> str:
    """Return the resource's name in the state; another name would copy everything again."""
    return f"{entry}-to-{region}"


def members_of(backups: Any) -> dict[str | int, Any]:
    """Return the members of a set as written, by label or by position."""
    if isinstance(backups, dict):
        return dict(backups)
    return dict(enumerate(backups)) if isinstance(backups, list) else {}


def backup_id_of(member: Any) -> Any:
    """Return the id of a member, which is an id or an object with one."""
    return member.get("backup_id") if isinstance(member, dict) else member


def faults_between(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield the faults between values."""
    if all(document.get(name) in (None, []) for name in LISTS):
        yield Fault(("replications",), nothing_to_copy(is_empty="replications" in document))
    entries = list(written_entries(document))
    for entry in entries:
        if not entry.destinations and _destinations(entry.keys, document) is None:
            yield Fault(
                (*entry.at, "destinations"),
                "is missing; give a list of destinations, each with region and vault_id, "
                f"here or in {NAMESPACE}:defaults",
            )
        if entry.kind == "sets":
            yield from _faults_of_set(entry)
    yield from _faults_of_names(entries)
    yield from _faults_of_copies(entries)


def written_entries(document: Mapping[str, Any]) -> Iterator[WrittenEntry]:
    """Yield the entries of all lists, each with the destinations that count for it."""
    for kind in LISTS:
        for number, keys in enumerate(_list(document.get(kind))):
            if not isinstance(keys, dict):
                continue
            at: Location = (kind, number)
            at_list: Location = (*at, "destinations")
            if keys.get("destinations") is None:
                at_list = ("defaults", "destinations")
            destinations = enumerate(_list(_destinations(keys, document)))
            yield WrittenEntry(
                at,
                keys,
                tuple(((*at_list, index), one) for index, one in destinations if _is_mapping(one)),
            )


def _destinations(keys: Mapping[str, Any], document: Mapping[str, Any]) -> Any:
    """Return an entry's destinations, None if there are none."""
    own, defaults = keys.get("destinations"), document.get("defaults", {})
    if own is not None:
        return own
    # Defaults that cannot be read are reported elsewhere, so nothing counts as missing here.
    return defaults.get("destinations") if isinstance(defaults, dict) else ()


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _is_mapping(value: object) -> bool:
    return isinstance(value, dict)


# -- sets -----------------------------------------------------------------------------------------


def _faults_of_set(entry: WrittenEntry) -> Iterator[Fault]:
    backups, select = entry.keys.get("backups"), entry.keys.get("select")
    if backups is None and select is None:
        yield Fault(
            (*entry.at, "backups"),
            "is missing; give labels with backup ids, or a list of backup ids, or select instead",
        )
    elif backups is not None and select is not None:
        yield Fault((*entry.at, "select"), "stands beside backups; give one of the two")
    if isinstance(select, dict) and all(value is None for value in select.values()):
        yield Fault((*entry.at, "select"), "is empty; say what backups to select by")
    keep, keep_newest = entry.keys.get("keep"), entry.keys.get("keep_newest")
    if isinstance(keep, dict):
        rule = {"keep": keep, "keep_newest": keep_newest}
        for finding in cbr.check_set_inputs(rule):
            if finding.field == "keep":
                yield Fault((*entry.at, "keep"), finding.reason)
    seen: dict[str, Location] = {}
    is_rolling = keep_newest is not None or keep is not None
    for key, member in members_of(backups).items():
        at: Location = (*entry.at, "backups", key)
        yield from _faults_of_member(at, member, is_rolling=is_rolling)
        backup_id = backup_id_of(member)
        if isinstance(backup_id, str) and seen.setdefault(backup_id.lower(), at) != at:
            other = path_of(seen[backup_id.lower()])
            yield Fault(at, f"names the backup of {other} again; leave one of the two out")


def _faults_of_member(at: Location, member: Any, *, is_rolling: bool) -> Iterator[Fault]:
    if member is None:
        yield Fault(at, MISSING_INPUTS["backup_id"])
    elif isinstance(member, dict) and isinstance(at[-1], str):
        try:
            Member(**member)
        except ValidationError as error:
            yield from faults_of(error, at)
    else:
        for finding in cbr.check_inputs({"backup_id": member}):
            if finding.field == "backup_id":
                # A label may be any word, so its value may be a secret and is not shown.
                yield Fault(at, _NOT_SHOWN if isinstance(at[-1], str) else finding.reason)
    if is_rolling and not (isinstance(member, dict) and member.get("created_at") is not None):
        yield Fault(
            at,
            "has no created_at, which keep and keep_newest go by; give the time the API tells, "
            "such as '2026-11-20T02:00:11.905331', or use select instead of backups",
        )


# -- entries beside each other --------------------------------------------------------------------


def _faults_of_names(entries: list[WrittenEntry]) -> Iterator[Fault]:
    """Yield names that two entries share, or that would give the same resource."""
    names: dict[str, WrittenEntry] = {}
    made: dict[str, WrittenEntry] = {}
    for entry in entries:
        name = entry.keys.get("name")
        if not isinstance(name, str):
            continue
        other = names.setdefault(name, entry)
        if other is not entry:
            yield Fault(
                (*entry.at, "name"),
                f"{name!r} is the name of {path_of(other.at)} already; "
                "give each entry a name of its own",
            )
            continue
        for region in entry.regions:
            resource = resource_name(name, region)
            other = made.setdefault(resource, entry)
            if other is not entry:
                yield Fault(
                    (*entry.at, "name"),
                    f"{name!r} makes the resource {resource!r}, as {path_of(other.at)} "
                    f"({other.keys['name']!r}) does already; give it another name",
                )


def _faults_of_copies(entries: list[WrittenEntry]) -> Iterator[Fault]:
    """Yield two copies of one backup to one region, of which CBR keeps only one."""
    backups: dict[tuple[str, str], WrittenEntry] = {}
    vaults: dict[tuple[str, str], WrittenEntry] = {}
    # Vaults first, although they are last in the file: sets are compared with them.
    for entry in sorted(entries, key=lambda entry: entry.kind != "vaults"):
        yield from _faults_of_regions(entry)
        for region in entry.regions:
            for at, backup_id in _backup_ids(entry):
                other = backups.setdefault((backup_id.lower(), region), entry)
                if other is not entry:
                    yield Fault(
                        at,
                        f"{backup_id!r} is copied to region {region!r} by {path_of(other.at)} "
                        f"already; {ONE_PER_REGION}",
                    )
            for at, vault_id in _vault_ids(entry):
                key = (vault_id.lower(), region)
                whole = vaults.setdefault(key, entry) if entry.kind == "vaults" else vaults.get(key)
                if whole is not None and whole is not entry:
                    yield Fault(
                        at,
                        f"the backups of {vault_id!r} are copied to region {region!r} by "
                        f"{path_of(whole.at)} already; {ONE_PER_REGION}",
                    )


def _faults_of_regions(entry: WrittenEntry) -> Iterator[Fault]:
    first: dict[str, Location] = {}
    for at, keys in entry.destinations:
        region = keys.get("region")
        if isinstance(region, str) and first.setdefault(region, at) != at:
            yield Fault(
                (*at, "region"),
                f"{region!r} is the region of {path_of(first[region])} already; {ONE_PER_REGION}",
            )


def _backup_ids(entry: WrittenEntry) -> Iterator[tuple[Location, str]]:
    """Return the backups that an entry names, with their locations."""
    found: list[tuple[Location, Any]] = []
    if entry.kind == "replications":
        found.append(((*entry.at, "backup_id"), entry.keys.get("backup_id")))
    if entry.kind == "sets":
        members = members_of(entry.keys.get("backups"))
        found += [
            ((*entry.at, "backups", key), backup_id_of(member)) for key, member in members.items()
        ]
    return ((at, backup_id) for at, backup_id in found if isinstance(backup_id, str))


def _vault_ids(entry: WrittenEntry) -> Iterator[tuple[Location, str]]:
    """Yield the vault that an entry copies entirely, or selects from, with its location."""
    at, keys = entry.at, entry.keys
    if entry.kind == "sets":
        at, keys = (*at, "select"), _mapping(keys.get("select"))
    if entry.kind != "replications" and isinstance(keys.get("vault_id"), str):
        yield (*at, "vault_id"), keys["vault_id"]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
