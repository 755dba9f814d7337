"""What a stack's state has: nothing of the machine, and little for each replication."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.driver import BY_NIGHT_TOO, MakeProject, on_plugin
from tests.e2e.programs import BACKUP, VAULT

# Every form, a component of the program's own, a provider, and later a replication that is read.
PROGRAM = f"""
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

to_east = {{"destination_region": "cn-east-3", "destination_vault_id": "{VAULT}"}}


class Site(pulumi.ComponentResource):
    def __init__(self, name, members):
        super().__init__("program:index:Site", name)
        self.copies = cbr.BackupReplicationSet(  # declares: many
            "many", backups=members, **to_east, opts=pulumi.ResourceOptions(parent=self)
        )


given = pulumi.Config()
settings = {{
    "region": "cn-north-4",
    "user_name": "ops-replicator",
    "password": "not-a-secret-demo",
    "domain_name": "acme-cloud",
    "endpoints": json.loads(pulumi.Config("huaweicloud").require("endpoints")),
}}
account = cbr.Provider("account", **settings)
one = cbr.BackupReplication("one", backup_id="{BACKUP}", **to_east)  # declares: one
site = Site("site", {{"second": "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"}})
everything = cbr.VaultReplication(  # declares: all
    "all",
    vault_id="de587d5d-f63e-4ea1-a892-5935070352ba",
    destination_region="cn-south-1",
    destination_vault_id="d5e6f708-192a-43b4-85d6-e7f8091a2b3c",
    opts=pulumi.ResourceOptions(provider=account),
)
wait = cbr.ReplicationsComplete(  # declares: wait
    "wait",
    replications=[one, site.copies, everything],
    opts=pulumi.ResourceOptions(provider=account),
)
if given.get("read"):
    cbr.BackupReplication.get("seen", given.get("read"))
"""
FORMS = ("one", "many", "all", "wait")
SINGLE_LIMIT = 1700
"""Bytes of one single replication in the state; 3,300 with the SDK's call stack."""


def line_of(name: str) -> int:
    """Return the line of the program that declares a resource."""
    (number,) = (
        number
        for number, line in enumerate(PROGRAM.splitlines(), 1)
        if line.endswith(f"# declares: {name}")
    )
    return number


def size(value: Any) -> int:
    """Return the size of a value in a state, in bytes; the engine stores no blanks."""
    return len(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize("plugin", BY_NIGHT_TOO)
def test_state_is_small_and_names_no_path_of_the_machine(
    make_program: MakeProject, plugin: str
) -> None:
    """Each form has the program's line alone; the SDK writes the stack's own entry itself."""
    project = on_plugin(plugin, make_program, PROGRAM)
    project.up()
    one = project.resources()["one"]
    project.configure({"program:read": f"cn-north-4/{BACKUP}/{one['id']}"})

    project.up()

    resources = project.resources()
    del resources["program-test"]
    assert {*FORMS, "account", "site", "seen"} <= set(resources)
    for name in FORMS:
        line = f"project:///__main__.py#{line_of(name)}"
        assert line == resources[name]["sourcePosition"]
        assert [{"sourcePosition": line}] == resources[name]["stackTrace"]
    for name in ("account", "seen"):
        assert {"sourcePosition", "stackTrace"}.isdisjoint(resources[name])
    # A component is the program's own, and so is what Pulumi tells of it.
    del resources["site"]
    told = json.dumps(resources)
    assert [] == [part for part in ("../", "file:", str(project.directory)) if part in told]
    assert size(resources["one"]) < SINGLE_LIMIT
