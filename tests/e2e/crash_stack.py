"""A stack for crashes: a resource for each point, or for some, most of them created once."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from simulator.cloud.specs import made_uuid
from simulator.testing import DEMO_WORLD, SimulatorProcess
from tests.e2e.crash import POINTS, points_of
from tests.e2e.driver import Project, new_program, on_host, sdk_python
from tests.e2e.programs import REPLICATIONS
from tests.e2e.simulators import ForkedSimulator

SOURCE_REGION, REGION = "cn-north-4", "cn-east-3"
SPEED = 5000.0
"""A copy of 40 GB takes a tenth of a second."""
ADOPTED = ("adopt-sent", "adopt-done")
ALONE = ("sign-in", "between", "preflight", "look", "submit", "accepted", "answered")
"""Single replications that do not exist at the start."""
IN_NEW_SET = ("set-done", "set-sent", "set-accepted")
IN_OLD_SET = ("set-stays", "set-leaves", "set-left")
ENTERS = "set-enters"
WAITED = ("waited-1", "waited-2", "waited-3")
"""Members of the set that is waited for: from three on, a wait polls with lists."""
VAULTS = ("vault-sent", "vault-accepted")
NEW = (*ALONE, *VAULTS, "new-set", "wait")
"""Resources that do not exist at the start."""
MOVED = ("replace-sent", "replace-done")
BYSTANDER = "refresh"
"""Resources that all scenes declare."""
PREPARED = tuple(
    dict.fromkeys([*(point.resource for point in POINTS if point.resource not in NEW), "waited"])
)
ALREADY_ACCEPTED = {"fleets": ("set-done", ENTERS)}
"""Resources whose copies are accepted and answered before a scene's victim dies."""
UNENDED = {"waiting": ("copy-wait",), "awaiting": WAITED}
"""Resources whose copies end after a scene's victim has died, and only on demand."""
PLUGINS = ("host", "sdk-3.255.0", "sdk-3.272.0")

Replications = dict[str, dict[str, Any]]
Key = tuple[str, str]


def backup_of(name: str) -> str:
    """Return the id of the backup for a replication, or for a vault's."""
    return made_uuid("backup", name if name in VAULTS else "servers", name)


def vault(name: str, region: str = REGION) -> str:
    """Return the id of a vault, by default in the destination region."""
    return made_uuid("vault", region, name)


def declared(name: str, /, **more: Any) -> dict[str, Any]:
    """Return the arguments of a replication."""
    return {"backup_id": backup_of(name), **_destination(), **more}


def declared_set(*names: str) -> dict[str, Any]:
    """Return the arguments of a set with members of these labels."""
    return {"backups": {name: backup_of(name) for name in names}, **_destination()}


def declared_vault(name: str) -> dict[str, Any]:
    """Return the arguments of an entire vault."""
    return {"vault_id": vault(name, SOURCE_REGION), **_destination()}


def _destination() -> dict[str, Any]:
    return {"destination_region": REGION, "destination_vault_id": vault("first")}


def prepared(name: str) -> dict[str, Any]:
    """Return the arguments of one of `PREPARED`."""
    if name == "old-set":
        return declared_set(*IN_OLD_SET)
    return declared_set(*WAITED) if name == "waited" else declared(name)


def backups_of(name: str, arguments: dict[str, Any]) -> list[str]:
    """Return the ids of the backups that a resource should have copied."""
    if "backups" in arguments:
        return list(arguments["backups"].values())
    if "vault_id" in arguments:
        return [backup_of(name)]
    return [arguments["backup_id"]] if "backup_id" in arguments else []


def beforehand(scene: str) -> Replications:
    """Return what is declared and in the state before a scene begins."""
    names = [point.resource for point in points_of(scene) if point.resource in PREPARED]
    if scene == "awaiting":
        names.append("waited")
    return {name: prepared(name) for name in (*names, BYSTANDER) if name not in ADOPTED}


def afterwards(scene: str) -> Replications:
    """Return what a scene declares."""
    replications = beforehand(scene)
    for point in points_of(scene):
        name = point.key
        if scene in ("signing-in", "checking", "looking", "submitting", "answered"):
            replications[name] = declared(name)
        elif scene == "renaming":
            replications[name] = declared(name, name=f"{name}-dr")
        elif scene == "replacing":
            replications[name]["backup_id"] = backup_of(f"{name}-next")
        elif scene in ("removing", "waiting"):
            del replications[name]
    if scene == "checking":
        replications["preflight"]["after"] = ["between"]
    if scene == "submitting":
        replications["delete-first"]["destination_vault_id"] = vault("second")
    if scene == "fleets":
        replications["new-set"] = declared_set(*IN_NEW_SET)
        replications["old-set"] = declared_set("set-stays", ENTERS)
        replications |= {name: declared_vault(name) for name in VAULTS}
    if scene == "awaiting":
        replications["wait"] = {"replications": ["waited"]}
    return replications


def write_world(path: Path) -> None:
    """Write the demo world's accounts and regions, with a backup for each replication."""
    singles = [name for name in PREPARED if "backup_id" in prepared(name)]
    members = [*IN_NEW_SET, *IN_OLD_SET, ENTERS, *WAITED]
    names = [*ALONE, *singles, *(f"{name}-next" for name in MOVED), *members]
    endless = [name for scene in UNENDED.values() for name in scene]
    world = yaml.safe_load(DEMO_WORLD.read_text())
    vaults = [
        {"name": name, "region": REGION, "protect_type": "replication"}
        for name in ("first", "second")
    ]
    world["vaults"] = [
        *(
            {"name": name, "region": SOURCE_REGION, "size_gb": 10_000}
            for name in ("servers", *VAULTS)
        ),
        *({**row, "size_gb": 10_000} for row in vaults),
    ]
    world["backups"] = [
        {
            "name": name,
            "vault": name if name in VAULTS else "servers",
            **({"copy": {"mode": "never"}} if name in endless else {}),
        }
        for name in (*names, *VAULTS)
    ]
    path.write_text(yaml.safe_dump(world))


@dataclass(frozen=True)
class Prepared:
    """A stack with all of `PREPARED` replicated, which each test copies."""

    directory: Path

    @property
    def world(self) -> Path:
        """The simulator's world."""
        return self.directory / "world.yaml"

    def simulator(self, directory: Path) -> SimulatorProcess:
        """Return a simulator in the prepared state that is not running yet."""
        directory.mkdir()
        running = ForkedSimulator(directory, self.world, speed=SPEED)
        shutil.copy(self.directory / "simulator" / running.state_file.name, running.state_file)
        return running

    def project(
        self, directory: Path, plugin: str, simulator: SimulatorProcess, known: Iterable[str]
    ) -> Project:
        """Return the stack's project on a plugin; its state has these replications."""
        project = _project(directory, plugin, simulator)
        shutil.rmtree(project.backend)
        shutil.copytree(self.directory / "backend", project.backend)
        (file,) = (project.backend / ".pulumi" / "stacks").glob("*/*.json")
        # The state also has CBR's address, for commands that do not run the program.
        text = re.sub(r"http://127\.0\.0\.1:\d+", simulator.url, file.read_text())
        document = json.loads(text)
        latest = document["checkpoint"]["latest"]
        forgotten = set(PREPARED) - set(known)
        latest["resources"] = [
            row for row in latest["resources"] if row["urn"].rsplit("::", 1)[1] not in forgotten
        ]
        file.write_text(json.dumps(document))
        return project


def prepare(directory: Path) -> Prepared:
    """Create the stack and the replicas."""
    made = Prepared(directory)
    write_world(made.world)
    (directory / "simulator").mkdir()
    with ForkedSimulator(directory / "simulator", made.world, speed=SPEED) as simulator:
        project = _project(directory, "host", simulator)
        declare(project, {name: prepared(name) for name in PREPARED})
        project.up()
        simulator.control.advance(20_000)
        project.refresh()
        simulator.control.clear_journal()
    return made


def declare(project: Project, replications: Replications) -> None:
    """Declare these in the program."""
    project.configure({"program:replications": json.dumps(replications)})


def _project(directory: Path, plugin: str, simulator: SimulatorProcess) -> Project:
    if plugin == "host":
        python = sdk_python("3.272.0")
        return on_host(new_program(directory, REPLICATIONS, python, simulator))
    python = sdk_python(plugin.removeprefix("sdk-"))
    return new_program(directory, REPLICATIONS, python, simulator)


@dataclass(frozen=True)
class Copy:
    """A replica in the service's own database, with the record that made it."""

    key: Key
    id: str
    record_id: str
    name: str


def copies(simulator: SimulatorProcess) -> list[Copy]:
    """Return all replicas that the service has."""
    rows = _ask(
        simulator,
        "SELECT r.source_backup_id, b.region, b.id, r.id, b.name FROM backups b "
        "LEFT JOIN records r ON r.replica_id = b.id WHERE b.image_type = 'replication'",
    )
    return [Copy((source, region), *rest) for source, region, *rest in rows]


def records_in_state(project: Project) -> dict[str, dict[Key, str]]:
    """Return our resources' records for each copy, by the resources' names."""
    found: dict[str, dict[Key, str]] = {}
    for name, resource in project.resources().items():
        if "/huaweicloud_cbr:" not in resource["type"]:
            continue
        outputs = resource["outputs"]
        rows = outputs.get("members", {})
        found[name] = {
            (row["backup_id"], REGION): row["replication_record_id"] for row in rows.values()
        }
        if "backup_id" in outputs:
            found[name] = {(outputs["backup_id"], REGION): resource["id"]}
    return found


def submissions(simulator: SimulatorProcess) -> Counter[Key]:
    """Return how often the service has accepted a copy of each backup to each region."""
    query = "SELECT source_backup_id, destination_region FROM records"
    return Counter((source, region) for source, region in _ask(simulator, query))


def replica_of(simulator: SimulatorProcess, name: str) -> str:
    """Return the id of a prepared replica."""
    query = f"SELECT replica_id FROM records WHERE source_backup_id = '{backup_of(name)}'"
    ((replica,),) = _ask(simulator, query)
    return str(replica)


def _ask(simulator: SimulatorProcess, query: str) -> list[Any]:
    address = f"file:{simulator.state_file}?mode=ro"
    with closing(sqlite3.connect(address, uri=True)) as database:
        return database.execute(query).fetchall()


def unread_bytes(pid: int) -> int:
    """Return the number of bytes that a process's sockets have received and it has not read."""
    sockets = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        target = str(entry.readlink())
        if target.startswith("socket:["):
            sockets.add(target[len("socket:[") : -1])
    unread = 0
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in sockets and fields[3] == "01":  # Connections that are established.
            unread += int(fields[4].partition(":")[2], 16)
    return unread
