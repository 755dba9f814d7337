"""A preview of an unchanged stack shows nothing, whatever the stack: neither rows nor outputs."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.e2e.driver import MakeProject, Project
from tests.e2e.programs import BACKUP, VAULT

SOUTH = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
SECOND_VAULT = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
FILES = "0d9c8b7a-6f5e-4d3c-8b2a-190807060504"
DR_FILES = "3c9d2e1f-6b5a-4f48-9d7c-8e1f0a2b3c4d"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
CREATED_AT = {
    WEB_1: "2026-11-20T02:10:00",
    WEB_2: "2026-11-20T02:20:00",
    MANUAL: "2026-11-19T22:00:00",
}
BY_DAY = 1
STACKS = 50


def some(chance: random.Random, **options: Any) -> dict[str, Any]:
    """Return some of the options."""
    return {key: value for key, value in options.items() if chance.random() < 0.5}


def destinations(chance: random.Random) -> list[dict[str, Any]]:
    """Return one or two destinations."""
    east = {"region": "cn-east-3", "vault_id": chance.choice([VAULT, SECOND_VAULT])}
    south = {"region": "cn-south-1", "vault_id": SOUTH}
    return chance.choice([[east], [south], [east, south]])


def single(chance: random.Random, number: int, backup_id: str) -> dict[str, Any]:
    """Return an entry for one backup."""
    options = some(
        chance,
        description=f"copy {number}",
        retain_on_delete=True,
        protect=True,
        enable_acceleration=True,
        preflight=chance.choice(["warn", "off"]),
        adopt=chance.choice([False, "any"]),
        force_destroy=True,
    )
    places = [
        {**place, **some(chance, replica_name=f"r-{number}")} for place in destinations(chance)
    ]
    return {"name": f"one-{number}", "backup_id": backup_id, "destinations": places, **options}


def listed(chance: random.Random, backups: list[str]) -> dict[str, Any]:
    """Return an entry for a set of these backups, in one of its forms."""
    one: dict[str, Any] = {"name": "listed", "destinations": destinations(chance)}
    form = chance.choice(["ids", "labels", "rolling"])
    if form == "ids":
        return {**one, "backups": backups}
    members = {
        f"m{number}": {"backup_id": backup_id, "created_at": CREATED_AT[backup_id]}
        for number, backup_id in enumerate(backups)
    }
    if form == "rolling":
        keep = {"newest": len(members), "days": 3, "years": 0, "timezone": "UTC+08:00"}
        return {**one, "backups": members, "keep": keep}
    named = {
        label: {"backup_id": member["backup_id"], **some(chance, name=f"{label}-dr")}
        for label, member in members.items()
    }
    return {**one, "backups": named}


def stack(chance: random.Random) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return single entries, and the other settings of a random stack."""
    backups = [WEB_1, WEB_2, MANUAL]
    chance.shuffle(backups)
    in_set = backups[: chance.randint(0, 3)]
    singles = [*([BACKUP] if chance.random() < 0.5 else []), *backups[len(in_set) :]]
    settings: dict[str, Any] = {"cbr-replication:wait": chance.choice(["true", "false"])}
    sets = [listed(chance, in_set)] if in_set else []
    if BACKUP not in singles:
        select = {
            "resource_name": "erp-db-01",
            "newest": 1,
            "created_since": "2026-11-20T00:00:00Z",
        }
        one = {"name": "selected", "select": select, "destinations": destinations(chance)}
        sets.append({**one, **some(chance, keep_newest=1)})
    if sets:
        settings["cbr-replication:sets"] = sets
    if chance.random() < 0.5:
        files = [{"region": "cn-east-3", "vault_id": DR_FILES}]
        vault = {"name": "files", "vault_id": FILES, "destinations": files}
        settings["cbr-replication:vaults"] = [vault]
    return [single(chance, n, backup_id) for n, backup_id in enumerate(singles)], settings


def shown_by_preview(project: Project) -> str:
    """Return what a preview shows as different."""
    text = project.preview("--diff", "--expect-no-changes").stdout
    return "".join(text.partition("--outputs:--")[1:])


@pytest.mark.parametrize(
    "seed",
    [*range(BY_DAY), *(pytest.param(n, marks=pytest.mark.full) for n in range(BY_DAY, STACKS))],
)
def test_preview_of_an_unchanged_stack_shows_nothing(
    make_stacks_project: MakeProject, seed: int
) -> None:
    """Neither after `up`, nor once a refresh has seen all copies end."""
    singles, settings = stack(random.Random(seed))
    project = make_stacks_project(singles, **settings)
    project.up()

    assert "" == shown_by_preview(project)
    project.up("--expect-no-changes")
    if settings["cbr-replication:wait"] == "true":
        # All copies have ended, so a refresh sees nothing that the wait has not.
        project.refresh()
        assert "" == shown_by_preview(project)
