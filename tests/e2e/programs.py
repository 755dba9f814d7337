"""Programs of the end-to-end tests, controlled by the stack's configuration."""

from __future__ import annotations

TYPE = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication"
BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
SECOND_VAULT = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"

# One replication with each of Pulumi's options that our plugin host improves.
REPLICATION = f"""
import json, pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
options = {{}}
if given.get("import"):
    options["import_"] = given.get("import")
if given.get("replace-on"):
    options["replace_on_changes"] = [given.get("replace-on")]
if given.get("create-timeout") or given.get("delete-timeout"):
    options["custom_timeouts"] = pulumi.CustomTimeouts(
        create=given.get("create-timeout"), delete=given.get("delete-timeout")
    )
replica = cbr.BackupReplication(
    "erp",
    cbr.BackupReplicationArgs(
        backup_id="{BACKUP}",
        destination_region="cn-east-3",
        destination_vault_id=given.get("vault") or "{VAULT}",
        name=given.get("name"),
    ),
    pulumi.ResourceOptions(**options),
)
if given.get("read"):
    seen = cbr.BackupReplication.get("seen", given.get("read"))
    pulumi.export("seen", seen.destination_backup_id)
"""

# Up to eight replications, one resource for each.
MANY = f"""
import itertools, pulumi
import pulumi_huaweicloud_cbr as cbr

backups = (
    "{BACKUP}",
    "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e",
    "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f",
    "8db960dd-a598-4f3d-b551-109e5def2e60",
)
vaults = {{"cn-east-3": "{VAULT}", "cn-south-1": "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"}}
pairs = itertools.product(backups, vaults)
for backup_id, region in itertools.islice(pairs, pulumi.Config().require_int("count")):
    cbr.BackupReplication(
        f"{{backup_id[:4]}}-{{region}}",
        cbr.BackupReplicationArgs(
            backup_id=backup_id,
            destination_region=region,
            destination_vault_id=vaults[region],
        ),
    )
"""

# A replication whose provider has a bug, and quotes a secret.
UNEXPECTED = f"""
from pulumi.dynamic import Resource
import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr.engine.provider import served

class Broken(cbr.BackupReplicationProvider):
    @served
    def create(self, props):
        password = self.open().settings.password.get_secret_value()
        raise RuntimeError(f"no sign-in with {{password!r}}")

class Replication(Resource, module="huaweicloud_cbr", name="BackupReplication"):
    def __init__(self, name, props):
        super().__init__(Broken(), name, props)

Replication("erp", {{
    "backup_id": "{BACKUP}",
    "destination_region": "cn-east-3",
    "destination_vault_id": "{VAULT}",
}})
"""

# A replication, and a wait for it.
WAITED_FOR = f"""
import pulumi
import pulumi_huaweicloud_cbr as cbr

given = pulumi.Config()
replica = cbr.BackupReplication(
    "erp",
    cbr.BackupReplicationArgs(
        backup_id="{BACKUP}", destination_region="cn-east-3", destination_vault_id="{VAULT}"
    ),
)
complete = cbr.ReplicationsComplete(
    "complete",
    cbr.ReplicationsCompleteArgs(replications=[replica], timeout=given.get("timeout")),
)
pulumi.export("replicas", complete.replicas)
"""

# Foreign dynamic resources: pickled by value, since they are defined in `__main__`.
FOREIGN = """
import pathlib, time
import pulumi
from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

class Provider(ResourceProvider):
    def create(self, props):
        what = props["what"]
        if what == "exit":
            raise SystemExit(3)
        if what == "interrupt":
            raise KeyboardInterrupt
        if what == "no-id":
            return CreateResult("", {})
        if what == "object":
            return CreateResult("x", {"what": what, "bad": object()})
        if what == "derive":
            derived = {"copy": props["secret"], "url": f"a:{props['secret']}@b"}
            return CreateResult("d", {**props, **derived})
        folder = pathlib.Path(props["folder"])
        number, want = int(props["number"]), int(props["want"])
        (folder / f"in-{number}").touch()
        if what == "stay":
            time.sleep(600)
        # Waits for all the others, as long as it takes if they have to come, else for a while.
        deadline = time.monotonic() + (120 if what == "meet" else 5)
        while len(list(folder.glob("in-*"))) < want and not list(folder.glob(f"saw-{want}")):
            if time.monotonic() > deadline:
                break
            time.sleep(0.02)
        (folder / f"saw-{len(list(folder.glob('in-*')))}").touch()
        (folder / f"in-{number}").unlink()
        return CreateResult(f"made-{number}", dict(props))

    def update(self, id, olds, news):
        return UpdateResult(dict(news))

class Thing(Resource):
    def __init__(self, name, props):
        super().__init__(Provider(), name, {**props, "copy": None, "url": None})

given = pulumi.Config()
for number in range(given.get_int("count") or 1):
    Thing(f"thing-{number}", {
        "what": given.require("what"), "folder": given.get("folder") or "",
        "number": number, "want": given.get_int("count") or 1,
        "secret": pulumi.Output.secret("hunter2-" + "x" * 4),
    })
"""

# As many resources as the configuration names: arguments by name, and what each waits for. The
# arguments determine the class: the first of these that is among them.
REPLICATIONS = """
import pulumi
import pulumi_huaweicloud_cbr as cbr

CLASSES = {
    "backup_id": (cbr.BackupReplication, cbr.BackupReplicationArgs),
    "backups": (cbr.BackupReplicationSet, cbr.BackupReplicationSetArgs),
    "vault_id": (cbr.VaultReplication, cbr.VaultReplicationArgs),
    "replications": (cbr.ReplicationsComplete, cbr.ReplicationsCompleteArgs),
}
made = {}
for name, arguments in pulumi.Config().require_object("replications").items():
    after = [made[other] for other in arguments.pop("after", [])]
    kind, form = next(pair for key, pair in CLASSES.items() if key in arguments)
    if "replications" in arguments:
        arguments["replications"] = [made[other] for other in arguments["replications"]]
    made[name] = kind(name, form(**arguments), pulumi.ResourceOptions(depends_on=after))
"""
