"""What a state costs on each backend: its size, what is written, and the time of `up`.

``make bench-state`` prints a Markdown table; `results/state.md` is one such output. The stack
program declares a set, or single replications. `up` makes all of them, without a wait. What is
written is what the CLI gives to the operating system: files, or requests to a server.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from simulator.cloud.specs import Options
from simulator.testing import SimulatorProcess
from simulator.worlds.files import World
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.e2e.conftest import new_stacks_project
from tests.e2e.driver import Project
from tests.interrupts import heed_interrupts
from tools.benchmarks.rig import machine, pulumi_version
from tools.state_servers.places import Place, folder_place
from tools.state_servers.postgresql import PostgresServer
from tools.state_servers.running import Server
from tools.state_servers.s3 import S3Server

FORMS = ("set", "single")
BACKENDS = ("file", "postgresql", "s3")


def entries(form: str, world: World) -> dict[str, Any]:
    """Return the stack's configuration for all backups of a world, in a form.

    It names the destination once. Pulumi hands the configuration to the program in an environment
    variable, so Linux limits it to 128 KiB (execve(2), MAX_ARG_STRLEN).
    """
    _, destination = world.vaults
    to = [{"region": destination.region, "vault_id": destination.id}]
    defaults = {"defaults": {"destinations": to}}
    if form == "set":
        backups = {backup.name: {"backup_id": backup.id} for backup in world.backups}
        return {"sets": [{"name": "fleet", "backups": backups}], **defaults}
    rows = [{"name": row.name, "backup_id": row.id} for row in world.backups]
    return {"replications": rows, **defaults}


class Backends:
    """New places on each backend, as durable as in production; each server is started once."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._postgres: PostgresServer | None = None
        self._s3: S3Server | None = None

    def new(self, backend: str, scratch: Path) -> Place:
        """Return an empty place."""
        server = self.server_of(backend)
        return server.new_place() if server else folder_place(scratch / "backend")

    def server_of(self, backend: str) -> Server | None:
        """Return the server of a backend; files have none."""
        if backend == "s3":
            self._s3 = self._s3 or self._stack.enter_context(S3Server())
            return self._s3
        return self.postgres if backend == "postgresql" else None

    @property
    def postgres(self) -> PostgresServer:
        """The PostgreSQL server."""
        if self._postgres is None:
            self._postgres = self._stack.enter_context(PostgresServer(is_durable=True))
        return self._postgres

    def written(self, backend: str, place: Place) -> Written | None:
        """Return what PostgreSQL has written so far for a place; other servers do not tell."""
        if backend != "postgresql":
            return None
        database = place.url.rpartition("/")[2].partition("?")[0]
        # Statistics of a connection that has ended are complete.
        rows = "SELECT coalesce(sum(n_tup_ins + n_tup_upd), 0) FROM pg_stat_user_tables"
        return Written(
            int(self.postgres.query(rows, database)),
            int(self.postgres.query("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")),
        )


@dataclass(frozen=True)
class Written:
    """What PostgreSQL has written: rows, and bytes of its journal (WAL)."""

    rows: int
    journal_bytes: int


@dataclass
class Cell:
    """The results for one form, size, backend and compression."""

    state_bytes: int
    stored_bytes: int
    writes: int | None
    up_s: float
    up_cpu_s: float
    written_bytes: int
    journal_bytes: int | None
    server_cpu_s: float
    unchanged_cpu_s: float


@contextmanager
def fleet_on(
    form: str, size: int, place: Callable[[Path], Place], is_packed: bool
) -> Iterator[Project]:
    """A stack that declares this many copies, with its state in a place."""
    world = fleet_world(size, options=Options(deletion_seconds=0.0))
    settings = entries(form, world)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        (scratch / "simulator").mkdir()
        with SimulatorProcess(scratch / "simulator", world) as simulator:
            project = new_stacks_project(
                scratch,
                simulator,
                settings.pop("replications", []),
                place(scratch),
                **{
                    "huaweicloud:userName": FLEET_USER,
                    "huaweicloud:domainName": FLEET_ACCOUNT,
                    **{f"cbr-replication:{key}": value for key, value in settings.items()},
                },
            )
            project.environment["HW_USER_PASSWORD"] = FLEET_PASSWORD
            if is_packed:
                project.environment["PULUMI_DIY_BACKEND_GZIP"] = "true"
            yield project


class Spent:
    """The time of the commands while it is entered, in seconds: `wall_s`, and `cpu_s` of theirs.

    Servers still run afterwards, so the system does not count them here.
    """

    def __enter__(self) -> Self:
        self.wall_s, self.cpu_s = -time.perf_counter(), -self._ended_cpu_s()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall_s += time.perf_counter()
        self.cpu_s += self._ended_cpu_s()

    @staticmethod
    def _ended_cpu_s() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime


def bytes_written_by_up(project: Project) -> int:
    """Run `up`, and return how many bytes the CLI has written, to files, pipes and sockets.

    Raises:
        SystemExit: it failed.
    """
    with tempfile.TemporaryFile("w+") as output:
        with subprocess.Popen(
            project.command("up", "--yes", "--skip-preview"),
            cwd=project.directory,
            env=project.env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as running:
            # Once it has ended, and before its exit code is read, the system still has its counts.
            os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
            counts = Path(f"/proc/{running.pid}/io").read_text()
        if running.returncode:
            output.seek(0)
            raise SystemExit(f"pulumi up failed:\n{output.read()[-3000:]}")
    # proc(5): wchar counts what was given to write(2) and the like.
    return int(counts.split("wchar:")[1].split()[0])


def measure(form: str, size: int, backend: str, is_packed: bool, backends: Backends) -> Cell:
    """Measure the first `up` and one without changes, of a new stack on a new place."""
    places: list[Place] = []

    def place(scratch: Path) -> Place:
        places.append(backends.new(backend, scratch))
        return places[0]

    with fleet_on(form, size, place, is_packed) as project:
        before = backends.written(backend, places[0])
        server = backends.server_of(backend)
        served_s = server.cpu_s() if server else 0.0
        with Spent() as first:
            written = bytes_written_by_up(project)
        served_s = server.cpu_s() - served_s if server else 0.0
        after = backends.written(backend, places[0])
        stacks = places[0].read(".pulumi/stacks/")
        current = [len(text) for key, text in stacks.items() if key.endswith((".json", ".json.gz"))]
        state = project.stored_state()
        with Spent() as again:
            project.up("--expect-no-changes")
        return Cell(
            state_bytes=len(state),
            stored_bytes=max(current),
            writes=after.rows - before.rows if before and after else None,
            up_s=first.wall_s,
            up_cpu_s=first.cpu_s,
            written_bytes=written,
            journal_bytes=(
                after.journal_bytes - before.journal_bytes if before and after else None
            ),
            server_cpu_s=served_s,
            unchanged_cpu_s=again.cpu_s,
        )


HEAD = (
    "| form | copies | backend | gzip | state, kB | stored, kB | writes | written by `up`, MB "
    "| WAL, MB | `up`, s | CPU of `up`, s | of the server, s | CPU against a file "
    "| CPU of `up` without changes, s |"
)


def row(key: tuple[str, int, str, bool], cell: Cell, beside: Cell | None) -> str:
    """Return one line of the table; `beside` is the same on files, without compression."""
    form, size, backend, is_packed = key
    ratio = f"{(cell.up_cpu_s + cell.server_cpu_s) / beside.up_cpu_s:.2f}" if beside else ""
    wal = "" if cell.journal_bytes is None else f"{cell.journal_bytes / 1e6:.1f}"
    writes = "" if cell.writes is None else str(cell.writes)
    return (
        f"| {form} | {size} | {backend} | {'yes' if is_packed else 'no'} "
        f"| {cell.state_bytes / 1e3:.0f} | {cell.stored_bytes / 1e3:.0f} "
        f"| {writes} | {cell.written_bytes / 1e6:.1f} | {wal} | {cell.up_s:.1f} "
        f"| {cell.up_cpu_s:.1f} | {cell.server_cpu_s:.1f} | {ratio} | {cell.unchanged_cpu_s:.1f} |"
    )


def chosen_of(names: tuple[str, ...]) -> Callable[[str], list[str]]:
    """Return a type of options: a list with commas of some of these names."""

    def chosen(text: str) -> list[str]:
        if unknown := set(text.split(",")) - set(names):
            raise argparse.ArgumentTypeError(f"{min(unknown)!r} is none of {', '.join(names)}")
        return text.split(",")

    return chosen


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m tools.benchmarks.state", description=__doc__)
    parser.add_argument("--forms", type=chosen_of(FORMS), default=list(FORMS))
    parser.add_argument("--backends", type=chosen_of(BACKENDS), default=list(BACKENDS))
    parser.add_argument(
        "--sizes", type=lambda text: [int(part) for part in text.split(",")], default=[100, 300]
    )
    parser.add_argument("--gzip", type=chosen_of(("no", "yes")), default=["no", "yes"])
    options = parser.parse_args()
    heed_interrupts()
    command = " ".join(sys.argv[1:])
    print(f"`{f'python -m tools.benchmarks.state {command}'.strip()}`\n")
    print(f"{machine()}, {pulumi_version()}; one round, the answers of CBR without latency.\n")
    print(f"{HEAD}\n|{'---|' * (HEAD.count('|') - 1)}")
    with ExitStack() as stack:
        backends = Backends(stack)
        for form in options.forms:
            for size in options.sizes:
                beside: Cell | None = None
                for packed in options.gzip:
                    for backend in options.backends:
                        key = (form, size, backend, packed == "yes")
                        print(f"{key}", file=sys.stderr, flush=True)
                        cell = measure(*key, backends)
                        if backend == "file" and packed == "no":
                            beside = cell
                        print(row(key, cell, beside), flush=True)


if __name__ == "__main__":
    main()
