"""Reads the stack's configuration: which backups are to be copied where.

A value is looked for in the destination, then in its entry, then in `defaults`; the first one
given holds. A list of destinations in an entry stands instead of that in `defaults`, and what a
destination in `defaults` says is a destination's word too. `preflight` beside the lists overrides
all three for the whole run: a preview without credentials sets it to `off`.

Every fault is told in one message, under the key that the user wrote.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

import pulumi_huaweicloud_cbr as cbr
from faults import ConfigurationFaultsError, Fault, Location, faults_of, path_of
from model import NAMESPACE, Choices, Configuration, Destination, Entry


@dataclass(frozen=True)
class Replication:
    """One backup's copy in one region, as configured."""

    name: str
    args: cbr.BackupReplicationArgs
    protect: bool
    retain_on_delete: bool


@dataclass(frozen=True)
class Wait:
    """Whether `up` waits for the copies, and for how long at most; None is the default."""

    is_wanted: bool
    timeout: str | None


def read_replications(config: Mapping[str, str]) -> list[Replication]:
    """Read what is to be replicated.

    Args:
        config: full key, such as ``cbr-replication:replications``, to its text: JSON where it is
            structured. Keys of other namespaces are not looked at.
    Raises:
        ConfigurationFaultsError: naming every fault.
    """
    configuration = _read(config)
    return [
        _merge(configuration, entry, destination)
        for entry in configuration.replications
        for destination in entry.destinations or configuration.defaults.destinations or ()
    ]


def read_wait(config: Mapping[str, str]) -> Wait:
    """Read whether and how to wait for the copies; as `read_replications`."""
    configuration = _read(config)
    return Wait(configuration.wait, configuration.timeout)


def _read(config: Mapping[str, str]) -> Configuration:
    document = _own_keys(config)
    faults = list(_faults_between(document))
    try:
        configuration = Configuration(**document)
    except ValidationError as error:
        raise ConfigurationFaultsError([*faults_of(error), *faults]) from None
    if faults:
        raise ConfigurationFaultsError(faults)
    return configuration


def _own_keys(config: Mapping[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        # The engine hands over "" for a key without a value.
        if namespace != NAMESPACE or not text:
            continue
        document[name] = text
        if name in ("replications", "defaults"):
            try:
                document[name] = from_json(text)
            except ValueError:
                continue  # Plain text: told as a value of the wrong kind.
    return document


def resource_name(entry: str, region: str) -> str:
    """Return the name in the state of an entry's copy; changing it would copy all anew."""
    return f"{entry}-to-{region}"


def _merge(configuration: Configuration, entry: Entry, destination: Destination) -> Replication:
    levels: tuple[Choices, ...] = (destination, entry, configuration.defaults)

    def first(key: str) -> Any:
        given = (getattr(level, key, None) for level in levels)
        return next((value for value in given if value is not None), None)

    return Replication(
        name=resource_name(entry.name, destination.region),
        args=cbr.BackupReplicationArgs(
            backup_id=entry.backup_id,
            destination_region=destination.region,
            destination_vault_id=destination.vault_id,
            destination_project_id=destination.project_id,
            name=destination.replica_name,
            description=first("description"),
            enable_acceleration=first("enable_acceleration"),
            source_region=first("source_region"),
            source_project_id=first("source_project_id"),
            adopt=first("adopt"),
            preflight=configuration.preflight or first("preflight"),
        ),
        protect=first("protect") is True,
        retain_on_delete=first("retain_on_delete") is True,
    )


class _Copy(NamedTuple):
    """One copy as written, as far as it can be read: faults of single values are told elsewhere."""

    entry: Location
    destination: Location
    name: Any
    backup_id: Any
    region: Any


def _faults_between(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Find what is wrong between values that may each be right."""
    entries = document.get("replications")
    defaults = document.get("defaults", {})
    if not isinstance(entries, list):
        return
    copies: list[_Copy] = []
    names: dict[str, int] = {}
    for number, entry in enumerate(entries):
        if not isinstance(entry, dict):
            continue
        at_entry: Location = ("replications", number)
        name = entry.get("name")
        if isinstance(name, str) and names.setdefault(name, number) != number:
            yield Fault(
                (*at_entry, "name"),
                f"{name!r} is the name of replications[{names[name]}] already; "
                "give each entry a name of its own",
            )
        destinations, at_list = entry.get("destinations"), (*at_entry, "destinations")
        if destinations is None and isinstance(defaults, dict):
            destinations, at_list = defaults.get("destinations"), ("defaults", "destinations")
            if destinations is None:
                yield Fault(
                    (*at_entry, "destinations"),
                    "is missing; give a list of destinations, each with region and vault_id, "
                    f"here or in {NAMESPACE}:defaults",
                )
        for index, destination in enumerate(_list(destinations)):
            if isinstance(destination, dict):
                copies.append(
                    _Copy(
                        at_entry,
                        (*at_list, index),
                        name,
                        entry.get("backup_id"),
                        destination.get("region"),
                    )
                )
    yield from _faults_of_copies(copies)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _faults_of_copies(copies: Iterable[_Copy]) -> Iterator[Fault]:
    """Find two copies of one backup to one region, of which CBR keeps only one."""
    seen: dict[tuple[str, str], _Copy] = {}
    named: dict[str, _Copy] = {}
    for copy in copies:
        if not isinstance(copy.region, str):
            continue
        if isinstance(copy.backup_id, str):
            other = seen.setdefault((copy.backup_id.lower(), copy.region), copy)
            if other is not copy:
                yield _fault_of_same_copy(copy, other)
                continue
        if isinstance(copy.name, str):
            name = resource_name(copy.name, copy.region)
            other = named.setdefault(name, copy)
            if other.name != copy.name:
                yield Fault(
                    (*copy.entry, "name"),
                    f"{copy.name!r} makes the resource {name!r}, as {path_of(other.entry)} "
                    f"({other.name!r}) does already; give it another name",
                )


def _fault_of_same_copy(copy: _Copy, other: _Copy) -> Fault:
    if copy.entry == other.entry:
        return Fault(
            (*copy.destination, "region"),
            f"{copy.region!r} is the region of {path_of(other.destination)} already; "
            "CBR keeps one replica of a backup per region, so leave one of the two out",
        )
    return Fault(
        (*copy.entry, "backup_id"),
        f"{copy.backup_id!r} is copied to region {copy.region!r} by {path_of(other.entry)} "
        "already; CBR keeps one replica of a backup per region, so leave one of the two out",
    )
