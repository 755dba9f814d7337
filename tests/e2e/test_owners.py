"""`owners` as a user runs it: an orphan is found, and imported by the command that is printed."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess

import pytest

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.base.clock import SystemClock
from pulumi_huaweicloud_cbr.config.settings import Settings
from simulator.testing import Control, SimulatorProcess
from tests.e2e.driver import COMMAND_LIMIT_S, PASSWORD, MakeProject, Outcome, Project, connection
from tests.e2e.programs import BACKUP, REPLICATIONS, VAULT

WEB = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
TO_EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
NORTH = ProjectScope("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3")
EAST_PROJECT = "863129926600475a959e8f2efb991722"


def copy_marked(simulator: SimulatorProcess, backup_id: str) -> None:
    """Copy a backup with the mark of the test's stack, so that `up` adopts it."""
    configured = {**connection(simulator), "huaweicloud:password": PASSWORD}
    settings = Settings.load(configured.get, {})
    request = ReplicateRequest(
        "cn-east-3", EAST_PROJECT, VAULT, description="[pulumi program/test]"
    )

    async def submit() -> None:
        async with CbrClient(settings, make_authenticator(settings, SystemClock())) as api:
            await api.replicate_backup(NORTH, backup_id, request)

    asyncio.run(submit())


def shell(project: Project, command: str) -> Outcome:
    """Run a command line as a user does, in the project's directory."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project.directory,
        env=project.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=COMMAND_LIMIT_S,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def owners(project: Project, *options: str) -> Outcome:
    """Run the command."""
    return shell(
        project, " ".join(("python -m pulumi_huaweicloud_cbr owners --stack test", *options))
    )


@pytest.mark.full
def test_orphan_of_a_deleted_row_is_found_and_imported(
    make_program: MakeProject, simulator: SimulatorProcess, control: Control
) -> None:
    """`pulumi state delete` leaves an orphan; the printed commands take it over again."""
    project = make_program(REPLICATIONS)
    resources = {
        "few": {"backups": {"web": WEB}, **TO_EAST},
        "erp": {"backup_id": BACKUP, **TO_EAST},
    }
    project.configure({"program:replications": json.dumps(resources)})
    for backup_id in (BACKUP, WEB):
        copy_marked(simulator, backup_id)
    project.up()
    control.advance(20_000)

    before = owners(project)
    project.must("state", "delete", "--yes", project.resources()["erp"]["urn"])
    found = owners(project)
    document = owners(project, "--json")

    assert (0, "") == (before.code, before.stderr)
    assert "No orphans." == before.stdout.splitlines()[-1]
    assert (1, "") == (found.code, found.stderr)
    assert "1 orphan." == found.stdout.splitlines()[-1]
    assert (1, "") == (document.code, document.stderr)
    assert {"in_state": 1, "orphan": 1} == {
        group: count for group, count in document.json()["counts"].items() if count
    }
    (printed,) = re.findall(r"^ +import +(python .+\\\n.+)$", found.stdout, re.MULTILINE)
    written = shell(project, printed)
    assert 0 == written.code, written.text
    (line,) = (line for line in written.stdout.splitlines() if "pulumi import --file" in line)
    imported = shell(project, f"{line} --non-interactive")
    assert 0 == imported.code, imported.text
    after = owners(project, "--json")
    assert (0, "") == (after.code, after.stderr)
    titles = [holder["name"] for row in after.json()["replicas"] for holder in row["held_by"]]
    assert ["erp-db-01", "few"] == sorted(titles)
    assert PASSWORD not in before.text + found.text + document.text


def test_orphan_of_a_stack_with_an_empty_state_is_found(
    make_program: MakeProject, simulator: SimulatorProcess, control: Control
) -> None:
    """The backend tells the project, and the configuration the destinations. `up` adopts it."""
    project = make_program(REPLICATIONS)
    resources = {"erp": {"backup_id": BACKUP, **TO_EAST}}
    project.configure({"program:replications": json.dumps(resources)})
    copy_marked(simulator, BACKUP)
    control.advance(20_000)

    found = owners(project, "--json")
    project.up()
    after = owners(project)

    assert (1, "") == (found.code, found.stderr)
    assert "program/test" == found.json()["owner"]
    assert 1 == found.json()["counts"]["orphan"]
    assert (0, "") == (after.code, after.stderr)
