"""Query the API for the members of sets that have a `select`. Reads only.

A set without members would delete all its replicas, so an empty selection is a fault. A backup that
something else copies to the same region is a fault too: each of two owners could delete its
replica.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pulumi

import pulumi_huaweicloud_cbr as cbr
from config import Plan, ReplicationSet, Selection
from cross_checks import ONE_PER_REGION, backup_id_of, members_of
from faults import ConfigurationFaultsError, Fault, Location, path_of
from model import NAMESPACE

Members = Mapping[str, cbr.SelectedMember]

STAYING = frozenset({"available", "restoring", "waiting_restore"})
"""Statuses of a complete backup that remains. Source: CBR API reference, ListBackups."""


def select_members(plan: Plan, *, is_preview: bool) -> dict[Selection, Members | None]:
    """Return the members of each selection; None if a preview may do without, and had to.

    Raises:
        ConfigurationFaultsError: it names every selection that finds nothing or cannot be queried.
    """
    selected: dict[Selection, Members | None] = {}
    faults: list[Fault] = []
    for selection, mode in _modes(plan.sets).items():
        if is_preview and mode == "off":
            _tell(pulumi.log.info, selection, "preflight is off: not asked which backups it has")
            selected[selection] = None
            continue
        if not selection.is_rolling:
            _tell(
                pulumi.log.warn,
                selection,
                "has no keep, keep_newest or newest: once a source is gone, its replica is "
                "deleted too; give keep_newest to keep so many",
            )
        try:
            found = _ask(selection)
        except cbr.CbrError as error:
            if is_preview and mode == "warn":
                _tell(pulumi.log.warn, selection, f"not asked which backups it has: {error}")
                selected[selection] = None
            else:
                faults.append(Fault((*selection.at, "select"), str(error)))
            continue
        selected[selection] = cbr.as_members(found)
        resources = {backup.resource_id for backup in found if backup.resource_id}
        if selection.counts_periods and len(resources) > 1:
            _tell(
                pulumi.log.warn,
                selection,
                f"selects backups of {len(resources)} resources, and keep counts over all of them: "
                "of each period only one backup of one resource is kept; give each resource a set "
                "of its own, with select.resource_id",
            )
        if not found:
            faults.append(Fault((*selection.at, "select"), _nothing_found(selection)))
    faults += _faults_of_overlaps(plan, selected)
    if faults:
        raise ConfigurationFaultsError(faults, "nothing was changed")
    return selected


def _modes(sets: Iterable[ReplicationSet]) -> dict[Selection, str]:
    """Return the strictest mode of preflight among the destinations of each selection."""
    modes: dict[Selection, list[Any]] = {}
    for one in sets:
        if one.selection is not None:
            modes.setdefault(one.selection, []).append(one.args.preflight or "error")
    return {
        selection: next(mode for mode in ("error", "warn", "off") if mode in given)
        for selection, given in modes.items()
    }


def _ask(selection: Selection) -> list[cbr.Backup]:
    filters: dict[str, Any] = dict(selection.filters)
    # If a set keeps only what is selected, a backup that is being restored must not leave it.
    backups = cbr.get_backups(
        region=selection.region,
        project_id=selection.project_id,
        status="available" if selection.is_rolling else None,
        limit=selection.limit,
        **filters,
    )
    return [backup for backup in backups if backup.status in STAYING]


def _nothing_found(selection: Selection) -> str:
    where = f"in region {selection.region!r}" if selection.region else "in the source region"
    by = ", ".join(f"{key} {value!r}" for key, value in selection.filters) or "no filter"
    return (
        f"{selection.entry!r} selects no backup {where} ({by}), and a set without members would "
        "delete all its replicas; correct the selection, or remove the entry if that is what you "
        "want"
    )


def _faults_of_overlaps(
    plan: Plan, selected: Mapping[Selection, Members | None]
) -> Iterator[Fault]:
    seen: dict[tuple[str, str], Location] = {}
    for replication in plan.replications:
        seen[_key(replication.args.backup_id, replication.args)] = replication.at
    for one in plan.sets:
        for member in members_of(one.args.backups).values():
            seen[_key(backup_id_of(member), one.args)] = one.at
    for one in plan.sets:
        members = selected.get(one.selection) if one.selection else None
        for label, member in (members or {}).items():
            other = seen.setdefault(_key(member["backup_id"], one.args), one.at)
            if other != one.at:
                yield Fault(
                    (*one.at, "select"),
                    f"selects {label!r} ({member['backup_id']}), which is copied to region "
                    f"{one.args.destination_region!r} by {path_of(other)} already; "
                    f"{ONE_PER_REGION}",
                )


def _key(backup_id: Any, args: Any) -> tuple[str, str]:
    return str(backup_id).lower(), str(args.destination_region)


def _tell(say: Any, selection: Selection, message: str) -> None:
    say(f"{NAMESPACE}:{path_of(selection.at)} ({selection.entry!r}): {message}")
