"""Several accounts in one program: each resource and each question with its provider's settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.testing import SimulatorProcess
from simulator.worlds.files import load_world
from tests.e2e.conftest import SPEED
from tests.e2e.driver import BY_NIGHT_TOO, REPOSITORY, MakeProject, on_plugin
from tests.e2e.programs import BACKUP, VAULT
from tests.e2e.simulators import ForkedSimulator

SECOND_PASSWORD = "not-a-secret-second-demo"
SECOND_USER = "second-replicator"

PROGRAM = f"""
import json
import pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
second = cbr.Provider(
    "account-b",
    region="cn-north-4",
    user_name="{SECOND_USER}",
    password=given.require_secret("password"),
    domain_name="second-cloud",
    endpoints=json.loads(given.require("endpoints")),
    poll_interval=given.get_float("poll") or 0.1,
)
place = {{"destination_region": "cn-east-3", "destination_vault_id": "{VAULT}"}}
newest = cbr.get_backups_output(limit=1, opts=pulumi.InvokeOptions(provider=second))
replicas = [
    cbr.BackupReplication("a", backup_id="{BACKUP}", **place),
    cbr.BackupReplication(
        "b", backup_id="{BACKUP}", **place, opts=pulumi.ResourceOptions(provider=second)
    ),
]
# A wait has the provider of what it waits for: the account of the stack knows none of its copies.
waits = [
    cbr.ReplicationsComplete(f"wait-{{replica.pulumi_resource_name}}", replications=replica)
    for replica in replicas
]
pulumi.export("replicas", [wait.replica_of(one) for wait, one in zip(waits, replicas)])
pulumi.export("records", [replica.replication_record_id for replica in replicas])
pulumi.export("newest", newest.apply(lambda backups: backups[0].resource_name))
"""


@pytest.fixture
def second(tmp_path: Path) -> Iterator[SimulatorProcess]:
    """Another account's cloud, which refuses the first account."""
    world = load_world(REPOSITORY / "simulator" / "worlds" / "demo.yaml")
    account = world.accounts[0]
    user = account.users[0].model_copy(
        update={"name": SECOND_USER, "password": SECOND_PASSWORD, "access_keys": []}
    )
    account = account.model_copy(update={"name": "second-cloud", "users": [user]})
    world = world.model_copy(update={"accounts": [account]})
    directory = tmp_path / "second"
    directory.mkdir()
    with ForkedSimulator(directory, world=world, speed=SPEED) as running:
        yield running


@pytest.mark.parametrize("plugin", BY_NIGHT_TOO)
def test_two_accounts_in_one_program(
    make_program: MakeProject, plugin: str, simulator: SimulatorProcess, second: SimulatorProcess
) -> None:
    """The same backup's id in two accounts: each is copied once, in its own."""
    project = on_plugin(plugin, make_program, PROGRAM)
    address = f"{second.url}/regions/{{region}}"
    endpoints = json.dumps({"cbr": address, "iam": address})
    project.configure({"program:endpoints": endpoints}, {"program:password": SECOND_PASSWORD})
    before = simulator.control.replicas() + second.control.replicas()
    project.preview()
    assert [] == simulator.control.records() + second.control.records()

    project.up()

    shown = project.must("stack", "output", "--json").json()
    records = [*simulator.control.records(), *second.control.records()]
    assert [row["id"] for row in records] == shown["records"]
    assert 2 == len(shown["records"])
    assert [row["destination_backup_id"] for row in records] == shown["replicas"]
    assert shown["newest"]
    assert SECOND_PASSWORD not in project.everything_stored()
    project.up("--expect-no-changes")
    project.refresh()
    project.up("--expect-no-changes")

    # Another setting of the provider changes no replication.
    project.configure({"program:poll": "0.2"})
    project.up()
    assert shown == project.must("stack", "output", "--json").json()
    assert "0.2" == project.resources()["account-b"]["inputs"]["huaweicloud:pollInterval"]

    project.destroy()
    assert before == simulator.control.replicas() + second.control.replicas()
