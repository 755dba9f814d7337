"""Rules before it happens, with the real CLI: what breaks one is refused, and nothing changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.testing import Control
from tests.contract.owned import BACKUPS
from tests.contract.rig import WRITES
from tests.e2e.driver import BY_NIGHT, MakeProject, on_plugin
from tests.e2e.programs import REPLICATIONS, VAULT

FOUR = dict(zip("abcd", BACKUPS["vault"], strict=True))
TO_EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}


@pytest.mark.full
def test_entries_that_break_a_rule_are_told_together(
    make_stacks_project: MakeProject, erp: dict[str, Any], control: Control
) -> None:
    """The program tells all of them in one message, in a preview and in `up`, and asks nobody."""
    rules = {"allowed_pairs": {"cn-north-4": ["cn-south-1"]}, "regions_for_tier": {"gold": 2}}
    project = make_stacks_project(
        [{**erp, "tier": "gold"}], **{"cbr-replication:rules": json.dumps(rules)}
    )

    for outcome in (project.run("preview"), project.run("up", "--yes")):
        assert 0 != outcome.code
        assert "allowed_pairs" in outcome.text
        assert "regions_for_tier" in outcome.text
    assert not [one for one in control.journal() if one["method"] in WRITES]


@pytest.mark.parametrize("plugin", BY_NIGHT)
def test_update_that_deletes_too_much_is_refused(
    plugin: str, make_program: MakeProject, control: Control
) -> None:
    """A preview says it and `up` too; a run with a higher limit in its environment goes on."""
    project = on_plugin(plugin, make_program, REPLICATIONS)
    project.configure({"huaweicloud:maxDeletedPercent": "25"})
    project.configure({"program:replications": declared(FOUR)})
    project.up()
    control.advance(20_000)
    project.must("refresh", "--yes")
    fewer = {label: FOUR[label] for label in "ab"}
    project.configure({"program:replications": declared(fewer)})

    target = f"--target={project.state()['few']['urn']}"
    update = ("up", "--yes", "--skip-preview")
    for command in (("preview",), update, ("preview", target), (*update, target)):
        outcome = project.run(*command)
        assert 0 != outcome.code
        assert "2 of 4 members (50 %) would be deleted" in outcome.text
        assert "run this once with HW_MAX_DELETED_PERCENT=50" in outcome.text
    assert 4 == len(replicas(control))

    project.environment["HW_MAX_DELETED_PERCENT"] = "50"
    project.up()
    control.advance(20_000)
    assert 2 == len(replicas(control))


def declared(backups: dict[str, str]) -> str:
    """Return the program's configuration with a set of these backups."""
    return json.dumps({"few": {"backups": backups, **TO_EAST}})


def replicas(control: Control) -> list[dict[str, Any]]:
    """Return the replicas in the destination."""
    return [one for one in control.replicas() if one["region"] == "cn-east-3"]
