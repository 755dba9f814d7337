"""Sets and vaults of the stack program with the real CLI."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.testing import Control
from tests.e2e.driver import MakeProject, Project
from tests.e2e.programs import BACKUP, VAULT

MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
"""The older backup of the same server as BACKUP."""
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
SHARE = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
OLDER_THAN_BACKUP = {"created_until": "2026-11-20T00:00:00Z"}
SETS = "cbr-replication:sets"


def sets(**select: Any) -> list[dict[str, Any]]:
    """Return two sets: the newest backup of a server, and one that is listed."""
    return [
        {"name": "erp", "select": {"resource_name": "erp-db-01", "newest": 1, **select}},
        {"name": "web", "backups": {"web-01": {"backup_id": WEB_1, "name": "web-dr"}}},
    ]


@pytest.fixture
def fleets(make_stacks_project: MakeProject, vault_ids: dict[str, str]) -> Project:
    """A stack without single replications that waits for its sets and its vault."""
    files = [{"region": "cn-east-3", "vault_id": vault_ids["dr-files"]}]
    return make_stacks_project(
        [],
        **{
            "cbr-replication:wait": "true",
            "cbr-replication:defaults": {
                "destinations": [{"region": "cn-east-3", "vault_id": VAULT}]
            },
            SETS: sets(**OLDER_THAN_BACKUP),
            "cbr-replication:vaults": [
                {"name": "files", "vault_id": vault_ids["prod-files"], "destinations": files}
            ],
        },
    )


def members_of(project: Project, name: str) -> dict[str, str]:
    """Return a set's labels in the state, by backup id."""
    members = project.resources()[name]["outputs"]["members"]
    return {member["backup_id"]: label for label, member in members.items()}


def test_fleets_full_cycle(fleets: Project, control: Control) -> None:
    """A rolling selection is previewed, copied and waited for. Expired sources delete nothing.

    An older copy goes when a newer one exists. The last copy goes only by force.
    """
    fleets.up()

    outputs = fleets.must("stack", "output", "--json").json()
    rows = {
        row["source_backup_id"]: row
        for name, kind in (
            ("erp-to-cn-east-3", "sets"),
            ("web-to-cn-east-3", "sets"),
            ("files-to-cn-east-3", "vaults"),
        )
        for row in outputs[kind][name].values()
    }
    assert {} == outputs["replications"]
    assert {record["source_backup_id"]: record["id"] for record in control.records()} == {
        backup_id: row["replication_record_id"] for backup_id, row in rows.items()
    }
    assert {MANUAL, WEB_1, SHARE} == set(rows)
    assert {"success"} == {row["status"] for row in rows.values()}
    replicas = {row["id"] for row in control.replicas()}
    assert {row["destination_backup_id"] for row in rows.values()} <= replicas
    fleets.up("--expect-no-changes")

    # The newer backup is selected from now on: a reviewer reads which members change.
    fleets.configure({SETS: sets()})
    text = fleets.preview("--diff").text
    assert "members that enter, to be copied or adopted: 'erp-db-01@2026-11-20T02:00:" in text
    older = "'erp-db-01@2026-11-19T22:00:00'"
    assert f"stay until enough newer copies have succeeded (keep_newest 1): {older}" in text
    fleets.up()
    assert {BACKUP, MANUAL} == set(members_of(fleets, "erp-to-cn-east-3"))
    assert fleets.resources()["erp-to-cn-east-3"]["outputs"]["members"][older[1:-1]]["leaving"]
    text = fleets.preview("--diff").text
    assert f"members that leave, to be deleted unless later resources declare them: {older}" in text
    fleets.up()
    assert {BACKUP} == set(members_of(fleets, "erp-to-cn-east-3"))

    # Its source expires, and only an older one can be selected: the replica stays.
    control.forget_backup(BACKUP)
    fleets.up("--expect-no-changes")
    control.forget_backup(MANUAL)
    copies = control.replicas()
    outcome = fleets.run("up", "--yes", "--skip-preview")

    assert 0 != outcome.code
    assert "cbr-replication:sets[0].select: 'erp' selects no backup" in outcome.text
    assert "Traceback" not in outcome.text
    assert "unhandled" not in outcome.text
    assert copies == control.replicas()
    refused = fleets.run("destroy", "--yes", "--skip-preview")
    assert 0 != refused.code
    assert "the source backups of 'erp-db-01@2026-11-20T02:00:11' are gone" in refused.text
    assert any(f"({row['id']}) are the last copies" in refused.text for row in control.replicas())
    fleets.environment["HW_FORCE_DESTROY"] = "true"
    fleets.destroy()
    assert {} == fleets.resources()
    assert {"cn-north-4"} == {row["region"] for row in control.replicas()}


def test_fleets_preview_without_preflight_plans_no_deletion(
    fleets: Project, control: Control
) -> None:
    """A selection that must not be asked is unknown: nothing of an existing set is deleted."""
    fleets.up()
    control.clear_journal()
    fleets.configure({"cbr-replication:preflight": "off"})

    plan = fleets.must("preview", "--json").json()

    ops = {step["urn"].rsplit("::", 1)[1]: step["op"] for step in plan["steps"]}
    assert "update" == ops["erp-to-cn-east-3"]
    assert "delete" not in ops.values()
    assert [] == control.journal(operation="ListBackups")
