"""Read the stack's configuration into a plan: which backups to copy to which destinations.

A value may be in the destination, in its entry or in `defaults`; the first of these counts. A list
of destinations in an entry replaces that in `defaults`. A value in a destination in `defaults`
counts like that of any destination. `preflight` beside the lists overrides all three for the whole
run: a preview without credentials sets it to `off`.

One message reports every fault, under the key that the user wrote. Nothing here calls the API or
declares resources.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

import pulumi_huaweicloud_cbr as cbr
from cross_checks import faults_between, members_of, resource_name
from faults import ConfigurationFaultsError, Fault, Location, faults_of
from house_rules import broken_rules
from model import (
    LISTS,
    NAMESPACE,
    PERIODS,
    Configuration,
    Defaults,
    Destination,
    Entry,
    Part,
    Place,
    SetEntry,
    Source,
    VaultEntry,
)
from secrecy import Secrecy, find_secrecy


@dataclass(frozen=True)
class Resource:
    """Common to all resources: the name, the place in the configuration, Pulumi's own options."""

    name: str
    at: Location
    protect: bool
    retain_on_delete: bool


@dataclass(frozen=True)
class Replication(Resource):
    """One backup's copy in one region, as configured."""

    args: cbr.BackupReplicationArgs


@dataclass(frozen=True)
class Selection:
    """The filters that select the backups of a set; the same for all its destinations."""

    at: Location
    entry: str
    filters: tuple[tuple[str, str], ...]
    region: str | None
    project_id: str | None
    limit: int | None
    """At most this many, the newest; older ones would not be kept. None where periods count."""
    is_rolling: bool
    """A backup that is no longer selected stays until there are enough newer ones."""
    counts_periods: bool
    """One backup stands for a day, a week, a month or a year."""


@dataclass(frozen=True)
class ReplicationSet(Resource):
    """Copies of many backups in one region; with a selection, `args` is without backups."""

    args: cbr.BackupReplicationSetArgs
    selection: Selection | None


@dataclass(frozen=True)
class Vault(Resource):
    """The copy of an entire vault in one region, as configured."""

    args: cbr.VaultReplicationArgs


@dataclass(frozen=True)
class Wait:
    """Whether `up` waits for the copies, and the timeout; None is the default."""

    is_wanted: bool
    timeout: str | None


@dataclass(frozen=True)
class Plan:
    """Everything that a stack's configuration declares."""

    replications: list[Replication]
    sets: list[ReplicationSet]
    vaults: list[Vault]
    wait: Wait
    secrecy: Secrecy


def read_plan(
    config: Mapping[str, str],
    secret_keys: Collection[str] = (),
    stored: Callable[[], Mapping[str, Any]] = dict,
) -> Plan:
    """Read what to copy, and whether to wait for it.

    Args:
        config: full key, such as ``cbr-replication:replications``, to its text, which is JSON for a
            structured value. Keys of other namespaces are ignored.
        secret_keys: the full keys of which Pulumi says that they hold a secret.
        stored: returns `config` of the stack's file, which is asked only if there are secrets.
    Raises:
        ConfigurationFaultsError: it names every fault.
    """
    document = _own_keys(config)
    secrecy = Secrecy()
    if any(f"{NAMESPACE}:{key}" in secret_keys for key in document):
        secrecy = find_secrecy(document, secret_keys, stored())
    region = config.get("huaweicloud:region") or os.environ.get("HW_REGION_NAME")
    configuration = _read(document, secrecy, region)
    return Plan(
        replications=[
            _replication(level, entry, destination)
            for entry, destination, level in _pairs(configuration, "replications")
        ],
        sets=[
            _set(level, entry, destination)
            for entry, destination, level in _pairs(configuration, "sets")
        ],
        vaults=[
            _vault(level, entry, destination)
            for entry, destination, level in _pairs(configuration, "vaults")
        ],
        wait=Wait(configuration.wait, configuration.timeout),
        secrecy=secrecy,
    )


def _read(document: Mapping[str, Any], secrecy: Secrecy, region: str | None) -> Configuration:
    configuration = None
    faults = [*faults_between(document), *broken_rules(document, region), *secrecy.faults]
    try:
        configuration = Configuration(**document)
    except ValidationError as error:
        faults = [*faults_of(error), *faults]
    if configuration is None or faults:
        shown = [Fault(fault.location, secrecy.hide(fault.reason)) for fault in faults]
        raise ConfigurationFaultsError(shown)
    return configuration


def _own_keys(config: Mapping[str, str]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for key, text in config.items():
        namespace, _, name = key.partition(":")
        # The engine passes "" for a key without a value.
        if namespace != NAMESPACE or not text:
            continue
        document[name] = text
        if name in (*LISTS, "defaults", "rules"):
            try:
                document[name] = from_json(text)
            except ValueError:
                continue  # Plain text: reported as a value of the wrong kind.
    return document


class _Levels:
    """The places where a value may be, the most specific one first."""

    def __init__(self, at: Location, preflight: str | None, *parts: Part) -> None:
        self.at = at
        self._preflight = preflight
        self._parts = parts

    def first(self, key: str) -> Any:
        """Return the value of the first place that has one."""
        given = (getattr(part, key, None) for part in self._parts)
        return next((value for value in given if value is not None), None)

    def options(self) -> dict[str, bool]:
        """Return Pulumi's own options."""
        return {key: self.first(key) is True for key in ("protect", "retain_on_delete")}

    def choices(self, args: type[Any], *parts: type[Part]) -> dict[str, Any]:
        """Return the inputs of a resource whose keys have the same names.

        Args:
            args: the resource's Args class.
            parts: the levels on which such a key may be.
        """
        keys = {key for part in parts for key in part.model_fields}
        given = {field.name: self.first(field.name) for field in fields(args) if field.name in keys}
        return {**given, "preflight": self._preflight or given["preflight"]}


def _pairs(configuration: Configuration, kind: str) -> Iterator[tuple[Any, Any, _Levels]]:
    """Yield each entry of a list with each of its destinations."""
    defaults = configuration.defaults
    for number, entry in enumerate(getattr(configuration, kind)):
        for destination in entry.destinations or defaults.destinations or ():
            parts = (destination, entry, defaults)
            yield entry, destination, _Levels((kind, number), configuration.preflight, *parts)


def _replication(levels: _Levels, entry: Entry, destination: Destination) -> Replication:
    return Replication(
        name=resource_name(entry.name, destination.region),
        at=levels.at,
        args=cbr.BackupReplicationArgs(
            backup_id=entry.backup_id,
            **_coordinates(destination),
            name=destination.replica_name,
            **levels.choices(cbr.BackupReplicationArgs, Defaults, Destination),
        ),
        **levels.options(),
    )


def _set(levels: _Levels, entry: SetEntry, destination: Place) -> ReplicationSet:
    keep_newest = entry.keep_newest
    if keep_newest is None and entry.keep is None and entry.select is not None:
        keep_newest = entry.select.newest
    keep: Any = entry.keep.model_dump(exclude_none=True) if entry.keep is not None else None
    return ReplicationSet(
        name=resource_name(entry.name, destination.region),
        at=levels.at,
        args=cbr.BackupReplicationSetArgs(
            backups=_members(entry.backups),
            keep_newest=keep_newest,
            keep=keep,
            **_coordinates(destination),
            **levels.choices(cbr.BackupReplicationSetArgs, Source, Place),
        ),
        selection=_selection(levels, entry, keep_newest, keep),
        **levels.options(),
    )


def _members(backups: Any) -> Any:
    """Return the members in the form of the set's input, without empty keys."""
    if not isinstance(backups, dict):
        return backups
    return {
        label: {key: value for key, value in member.items() if value is not None}
        if isinstance(member, dict)
        else member
        for label, member in members_of(backups).items()
    }


def _selection(
    levels: _Levels, entry: SetEntry, keep_newest: int | None, keep: Mapping[str, Any] | None
) -> Selection | None:
    if entry.select is None:
        return None
    counts_periods = keep is not None and any(keep.get(period) for period in PERIODS)
    if keep is not None and not counts_periods:
        keep_newest = keep.get("newest")
    filters = entry.select.model_dump(exclude={"newest"}, exclude_none=True)
    counts = [count for count in (entry.select.newest, keep_newest) if count is not None]
    return Selection(
        at=levels.at,
        entry=entry.name,
        filters=tuple(filters.items()),
        region=levels.first("source_region"),
        project_id=levels.first("source_project_id"),
        limit=min(counts, default=None),
        is_rolling=keep_newest is not None or keep is not None,
        counts_periods=counts_periods,
    )


def _vault(levels: _Levels, entry: VaultEntry, destination: Place) -> Vault:
    return Vault(
        name=resource_name(entry.name, destination.region),
        at=levels.at,
        args=cbr.VaultReplicationArgs(
            vault_id=entry.vault_id,
            **_coordinates(destination),
            **levels.choices(cbr.VaultReplicationArgs, Source),
        ),
        **levels.options(),
    )


def _coordinates(destination: Place) -> dict[str, Any]:
    return {
        "destination_region": destination.region,
        "destination_vault_id": destination.vault_id,
        "destination_project_id": destination.project_id,
    }
