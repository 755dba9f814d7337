"""Runs `owners` against a simulator in this process, for a stack with an engine's state.

`make tables` writes the text of one situation, for people to read.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands.account.owners.command import look_at_stack
from pulumi_huaweicloud_cbr.commands.account.owners.report import ReplicaLook, Report
from pulumi_huaweicloud_cbr.commands.account.owners.text import as_text
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.testing import Control, InProcessSimulator
from tests.contract.doctor import NORTH_PROJECT
from tests.contract.engine import Engine
from tests.contract.rig import BACKUP, LONG_S, PASSWORD, SECOND_VAULT, VAULT, SimulatedClock

TEXT = Path(__file__).parents[1] / "fixtures" / "owners.txt"
STACK = "test"
OURS, OTHERS = "[pulumi p/test]", "nightly [pulumi team-b/prod]"
EAST = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
EAST_PROJECT = "863129926600475a959e8f2efb991722"
SOUTH_PROJECT = "4b1d8b3a0e5f4c0d9b6a7f8e9d0c1b2a"
SOUTH_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
FILES_VAULT = "3c9d2e1f-6b5a-4f48-9d7c-8e1f0a2b3c4d"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
FILES = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
PROJECTS = {"cn-east-3": EAST_PROJECT, "cn-south-1": SOUTH_PROJECT}
TYPES = {
    "single": "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication",
    "set": "pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet",
    "vault": "pulumi-python:dynamic/huaweicloud_cbr:VaultReplication",
}


@dataclass
class Estate:
    """A stack and the cloud around it; `configured` has the stack's whole configuration."""

    simulator: InProcessSimulator
    configured: dict[str, Any]
    engine: Engine
    environ: dict[str, str] = field(default_factory=dict)
    default_owner: Callable[[], str] = lambda: "p/test"

    @property
    def control(self) -> Control:
        """Control of the simulator: what happens in the cloud without us."""
        return self.simulator.control

    def copy(
        self,
        backup_id: str,
        description: str | None = None,
        *,
        region: str = "cn-east-3",
        vault_id: str = VAULT,
        wait: bool = True,
    ) -> str:
        """Copy a backup as somebody else would; return the replica's id."""
        settings = Settings.load(self.configured.get, {})
        clock = SimulatedClock(self.simulator)
        request = ReplicateRequest(region, PROJECTS[region], vault_id, description=description)

        async def submit() -> str:
            async with CbrClient(
                settings,
                make_authenticator(settings, clock),
                clock=clock,
                transport=self.simulator.transport(),
            ) as api:
                scope = ProjectScope("cn-north-4", NORTH_PROJECT)
                return (await api.replicate_backup(scope, backup_id, request)).replication_record_id

        before = {row["id"] for row in self.control.replicas()}
        asyncio.run(submit())
        (made,) = {row["id"] for row in self.control.replicas()} - before
        if wait:
            self.control.advance(LONG_S)
        return str(made)

    def deployment(self) -> dict[str, Any]:
        """Return the engine's state as `pulumi stack export` writes it."""
        return {
            "resources": [
                {
                    "urn": f"urn:pulumi:test::p::{TYPES[row.form]}::{row.name}",
                    "type": TYPES[row.form],
                    "custom": True,
                    "id": row.id,
                    "outputs": row.outputs,
                }
                for row in self.engine.state
            ]
        }

    def look(self, *destinations: str, deployment: dict[str, Any] | None = None) -> Report:
        """Run the command."""
        self.control.clear_journal()
        return look_at_stack(
            STACK,
            self.configured,
            self.environ,
            self.deployment() if deployment is None else deployment,
            tuple(Scope(*at.split("/")) for at in destinations),
            default_owner=self.default_owner,
            clock=SimulatedClock(self.simulator),
            transport=self.simulator.transport(),
        )

    def lists(self) -> list[str]:
        """Return the regions of all lists of backups that were requested."""
        return sorted(entry["region"] for entry in self.control.journal(operation="ListBackups"))


def groups_of(report: Report) -> dict[str, str]:
    """Return the group of each replica."""
    return {replica.id: replica.group for replica in report.replicas}


def only(report: Report, group: str) -> ReplicaLook:
    """Return the only replica of a group."""
    (replica,) = report.of(group)
    return replica


def make_estate(simulator: InProcessSimulator) -> Estate:
    """Return a stack without resources, with user and password."""
    address = f"{simulator.url}/regions/{{region}}"
    configured = {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:userName": "ops-replicator",
        "huaweicloud:password": PASSWORD,
        "huaweicloud:domainName": "acme-cloud",
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
    }
    session = Session(
        Settings.load(configured.get, {}),
        transport=simulator.transport(),
        clock=SimulatedClock(simulator),
    )
    use_session(session)
    return Estate(simulator, dict(configured), Engine(session, configured))


def make_all_groups(estate: Estate) -> dict[str, str]:
    """Make replicas of all groups, in two regions; return their ids by what they are."""
    backups = {"erp": BACKUP, "web": WEB_1}
    estate.engine.up({"nightly": ("set", {"backups": backups, **EAST})})
    estate.control.advance(LONG_S)
    estate.engine.refresh()
    rows = estate.engine.state[0].outputs["members"]
    estate.control.forget_backup(rows["web"]["destination_backup_id"])
    made = {
        "held": rows["erp"]["destination_backup_id"],
        "orphan": estate.copy(WEB_2, OURS),
        "orphan without source": estate.copy(MANUAL, OURS, vault_id=SECOND_VAULT),
        "other": estate.copy(BACKUP, OTHERS, region="cn-south-1", vault_id=SOUTH_VAULT),
        "unmarked": estate.copy(WEB_1, region="cn-south-1", vault_id=SOUTH_VAULT),
        "elsewhere": estate.copy(FILES, vault_id=FILES_VAULT),
    }
    estate.control.forget_backup(MANUAL)
    estate.control.advance(3 * 86400)
    place = {"region": "cn-south-1", "vault_id": SOUTH_VAULT}
    estate.configured["cbr-replication:defaults"] = json.dumps({"destinations": [place]})
    return made


def shown(estate: Estate, report: Report) -> str:
    """Return what is printed, with the ids of new objects replaced."""
    text = as_text(report) + "\n"
    new = [row["id"] for row in (*estate.control.records(), *estate.control.replicas())]
    for number, one in enumerate(one for one in new if one in text):
        text = text.replace(one, re.sub(r"\w", str(number + 1), one))
    return text


def write_text() -> None:
    """Write what is printed if there are replicas of all groups."""
    simulator = InProcessSimulator()
    estate = make_estate(simulator)
    make_all_groups(estate)
    TEXT.write_text(shown(estate, estate.look()))
    estate.engine.session.close()
    simulator.close()
