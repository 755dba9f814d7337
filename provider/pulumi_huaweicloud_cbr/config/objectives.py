"""What an entry of the stack program's configuration is to achieve: for reports, and for rules.

An objective is no input of a resource: it changes nothing in the cloud. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.moments import UNKNOWN, age, moment
from pulumi_huaweicloud_cbr.base.text import REGION_ID, quoted
from pulumi_huaweicloud_cbr.config.entries import (
    PROGRAM,
    Entry,
    Kind,
    as_mapping,
    as_text,
    read_document,
    read_entries,
)

OWNER_LIMIT = 64
TIER_LIMIT = 64
_FILTERS = ("vault_id", "resource_id", "resource_name", "name", "created_since", "created_until")
_IDS = frozenset({"vault_id", "resource_id"})
_UNREADABLE = "[secret]"
"""What the Pulumi CLI shows in place of a secret inside of a value that it may not decrypt."""


@dataclass(frozen=True)
class Objective:
    """What an entry is to achieve; None where nothing is said.

    `rpo_s` is the recovery point objective: the newest replica may be this many seconds old.
    `owner` is the team or person that answers for it. `tier` is a class of service, such as
    ``gold``.
    """

    rpo_s: int | None = None
    owner: str | None = None
    tier: str | None = None


@dataclass(frozen=True)
class Declared:
    """An entry of the configuration, with its objective and with what it covers.

    Attributes:
        entry: its name.
        source_region: None if the configuration does not tell it: then the environment does.
        source_project_id: None for the project that is named like the region.
        destinations: the region and the project of each; None for the default project.
        backup_ids: those that it names, in lower case. Empty for an entire vault, and for a
            selection.
        filters: what a selection selects by, as written, with the names of `get_backups`.
        vault_id: the entire vault, in lower case; None for other kinds.
    """

    entry: str
    kind: Kind
    source_region: str | None
    source_project_id: str | None
    destinations: tuple[tuple[str, str | None], ...]
    objective: Objective
    backup_ids: frozenset[str]
    filters: Mapping[str, str]
    vault_id: str | None

    @property
    def is_selection(self) -> bool:
        """Whether the backups of a set are found by filters."""
        return self.kind == "sets" and not self.backup_ids

    def covers(
        self,
        backup_id: str,
        *,
        region: str | None = None,
        project_id: str | None = None,
        resource_id: str | None = None,
        resource_name: str | None = None,
        name: str | None = None,
        vault_id: str | None = None,
        created_at: str | None = None,
    ) -> bool:
        """Whether the entry copies a backup, if it is one of those to keep.

        The filters are those of the stack program's `select`. How many of the newest it keeps does
        not count here. Ids are compared without regard to case.

        Args:
            region: the backup's own; None if it is not known, which fits all.
            project_id: likewise.
            created_at: as CBR writes it; None fits all limits of time.
        """
        if not _fits(self.source_region, region) or not _fits(self.source_project_id, project_id):
            return False
        if self.kind == "vaults":
            return vault_id is not None and vault_id.lower() == self.vault_id
        if not self.is_selection:
            return backup_id.lower() in self.backup_ids
        known = {
            "vault_id": vault_id,
            "resource_id": resource_id,
            "resource_name": resource_name,
            "name": name,
        }
        return _is_between(self.filters, created_at) and all(
            _spelled(key, known[key]) == _spelled(key, wanted)
            for key, wanted in self.filters.items()
            if key in known
        )


def _fits(wanted: str | None, seen: str | None) -> bool:
    return wanted is None or seen is None or wanted == seen


def _spelled(key: str, value: str | None) -> str | None:
    return value.lower() if value is not None and key in _IDS else value


def _is_between(filters: Mapping[str, str], created_at: str | None) -> bool:
    at = moment(created_at)
    if at == UNKNOWN:
        return True
    since, until = moment(filters.get("created_since")), moment(filters.get("created_until"))
    return since <= at and (until == UNKNOWN or at <= until)


# -- the values --------------------------------------------------------------------------------


def _check_rpo(value: object) -> str | None:
    found = age(value) if isinstance(value, str) else None
    wanted = "want a number of minutes, hours, days or weeks, such as '90m', '26h', '7d' or '2w'"
    if found is None:
        return f"{_shown(value)} is no such duration; {wanted}"
    return None if found else f"{_shown(value)} is no time at all; {wanted}"


def _check_owner(value: object) -> str | None:
    if (
        isinstance(value, str)
        and value.strip()
        and value.isprintable()
        and len(value) <= OWNER_LIMIT
    ):
        return None
    return f"{_shown(value)} is no name of an owner; want 1 to {OWNER_LIMIT} printable characters"


def _check_tier(value: object) -> str | None:
    if isinstance(value, str) and re.fullmatch(rf"[A-Za-z0-9_\-]{{1,{TIER_LIMIT}}}", value):
        return None
    return f"{_shown(value)} is no tier; want 1 to {TIER_LIMIT} letters, digits, '_' or '-'"


def _shown(value: object) -> str:
    # A list or an object is not shown: it was not meant for this key, and may hold a secret.
    if isinstance(value, (list, tuple, Mapping)):
        return "a list" if isinstance(value, (list, tuple)) else "an object"
    return quoted(value)


RULES: Mapping[str, Callable[[object], str | None]] = {
    "rpo": _check_rpo,
    "owner": _check_owner,
    "tier": _check_tier,
}
"""Each key of an objective, with what finds the fault of its value."""


def objective_of(values: Mapping[str, Any]) -> Objective:
    """Return the objective of valid values; what is left out is None."""
    rpo = values.get("rpo")
    found = age(rpo) if isinstance(rpo, str) else None
    return Objective(
        None if found is None else round(found.total_seconds()),
        values.get("owner"),
        values.get("tier"),
    )


# -- the configuration -------------------------------------------------------------------------


def read_declared(configured: Mapping[str, Any]) -> tuple[Declared, ...]:
    """Return the entries of the stack program's configuration, with their objectives.

    Entries that copy nothing, since they cannot be read, are left out: the program itself names
    such faults. So are secrets that cannot be read.

    Args:
        configured: full key to text, as ``pulumi config --json`` shows it.
    Raises:
        ConfigurationError: an objective is malformed. Without it, a report would be too good.
    """
    faults: list[str] = []
    found = [
        _declared(entry, configured, faults) for entry in read_entries(read_document(configured))
    ]
    if faults:
        raise ConfigurationError(" | ".join(dict.fromkeys(faults)))
    return tuple(one for one in found if one is not None)


def without_texts(declared: Iterable[Declared]) -> tuple[Declared, ...]:
    """Return entries of secret configuration without names, owners and tiers, which are shown."""
    return tuple(
        replace(one, entry=f"secret entry {number}", objective=Objective(one.objective.rpo_s))
        for number, one in enumerate(declared, 1)
    )


def _declared(entry: Entry, configured: Mapping[str, Any], faults: list[str]) -> Declared | None:
    destinations = tuple(
        (region, as_text(one.get("project_id")))
        for one in entry.destinations
        if (region := as_text(one.get("region"))) and REGION_ID.fullmatch(region)
    )
    name, vault_id = as_text(entry.keys.get("name")), as_text(entry.keys.get("vault_id"))
    backup_ids = frozenset(one.lower() for one in entry.members())
    filters = _filters_of(entry)
    covers_something = {
        "replications": bool(backup_ids),
        "sets": bool(backup_ids) or filters is not None,
        "vaults": vault_id is not None,
    }
    if name is None or not destinations or not covers_something[entry.kind]:
        return None
    region, project_id = _source_of(entry, configured)
    return Declared(
        entry=name,
        kind=entry.kind,
        source_region=region,
        source_project_id=project_id,
        destinations=destinations,
        objective=_objective(entry, faults),
        backup_ids=backup_ids,
        filters={} if backup_ids or filters is None else filters,
        vault_id=vault_id.lower() if vault_id and entry.kind == "vaults" else None,
    )


def _filters_of(entry: Entry) -> Mapping[str, str] | None:
    """Return the filters of a selection; None if there is none that can be read."""
    select = as_mapping(entry.keys.get("select"))
    given = {key: value for key, value in select.items() if value is not None}
    filters = {key: value for key, value in given.items() if key in _FILTERS}
    is_readable = all(isinstance(value, str) and value != _UNREADABLE for value in filters.values())
    return filters if given and is_readable else None


def _source_of(entry: Entry, configured: Mapping[str, Any]) -> tuple[str | None, str | None]:
    default = as_text(configured.get("huaweicloud:region"))
    region = as_text(entry.value_of("source_region")) or default
    project_id = as_text(entry.value_of("source_project_id"))
    if project_id is None and region == default:
        project_id = as_text(configured.get("huaweicloud:projectId"))
    return region, project_id


def _objective(entry: Entry, faults: list[str]) -> Objective:
    values = {}
    for key, fault_of in RULES.items():
        value = entry.value_of(key)
        if value is None or value == _UNREADABLE or _is_stored_secret(value):
            continue
        if fault := fault_of(value):
            at = "defaults" if entry.keys.get(key) is None else entry.at
            faults.append(f"{PROGRAM}{at}.{key}: {fault}")
        else:
            values[key] = value
    return objective_of(values)


def _is_stored_secret(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"}
