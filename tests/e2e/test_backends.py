"""The life of a stack on each backend that a team can use: files, PostgreSQL and S3."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from simulator.testing import Control, SimulatorProcess
from tests.e2e.backends import ALL_FORMS, BACKENDS, SHARED, Places, records_in_state
from tests.e2e.driver import (
    REPOSITORY,
    STACK,
    Project,
    new_program,
    on_host,
    sdk_python,
    wait_until,
)
from tests.e2e.programs import REPLICATIONS
from tools.state_servers.places import Place
from tools.state_servers.running import Server, ServerError, is_open


def project_on(directory: Path, simulator: SimulatorProcess, place: Place) -> Project:
    """Return a project with its state in a place, which declares a replication of each form."""
    python = sdk_python("3.272.0")
    project = on_host(new_program(directory, REPLICATIONS, python, simulator, place))
    project.configure({"program:replications": json.dumps(ALL_FORMS)})
    return project


def assert_state_is_complete(project: Project, control: Control) -> None:
    """The state names each record that CBR has; nothing is pending, nothing locks the stack."""
    records = {row["id"] for row in control.records()}
    assert records == set(records_in_state(project).values())
    assert 7 == len(records)
    assert [] == project.deployment().get("pending_operations", [])
    assert [] == project.locks()


@pytest.mark.parametrize("backend", ["postgresql", pytest.param("s3", marks=pytest.mark.full)])
def test_stack_goes_up_and_is_destroyed(
    tmp_path: Path, simulator: SimulatorProcess, places: Places, backend: str
) -> None:
    """A single replication, a set and a vault: made once, found unchanged, deleted."""
    project = project_on(tmp_path, simulator, places.new(backend))
    project.up()
    assert_state_is_complete(project, simulator.control)
    project.up("--expect-no-changes")

    simulator.control.advance(20_000)
    project.destroy()

    assert {"cn-north-4"} >= {row["region"] for row in simulator.control.replicas()}
    assert {} == project.resources()


class Broken(Server):
    """A server that ends at once."""

    def prepare(self) -> None:
        """Create nothing."""

    def command(self) -> list[str]:
        """Return a command that fails."""
        return [sys.executable, "-c", "raise SystemExit('no such option')"]

    def is_ready(self) -> bool:
        """Never answer."""
        return False

    def new_place(self) -> Place:
        """Have none."""
        raise NotImplementedError


def test_server_that_does_not_start_tells_why() -> None:
    """The error has what it printed, and its folder is gone."""
    server = Broken()

    with pytest.raises(ServerError, match="no such option"), server:
        pytest.fail("it did not start")

    assert not server.folder.exists()


USER = """
import sys, time
from tests.e2e.backends import Places

with Places() as places:
    print(places.new(sys.argv[1]).url, places._servers[sys.argv[1]].folder, flush=True)
    time.sleep(600)
"""


@pytest.mark.full
@pytest.mark.parametrize("backend", SHARED)
def test_server_ends_with_its_user(places: Places, backend: str) -> None:
    """A test process that is killed leaves neither a server nor its folder behind."""
    places.new(backend)  # Skips where there is no such server.
    command = [sys.executable, "-c", USER, backend]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        url, folder = user.stdout.readline().split()
        port = int(re.findall(r"127\.0\.0\.1:(\d+)", url)[0])
        assert is_open(port)
        assert Path(folder).is_dir()

        user.kill()

    wait_until(lambda: not is_open(port))
    wait_until(lambda: not Path(folder).exists())


@pytest.mark.full
def test_state_that_was_put_back_from_a_backup(
    tmp_path: Path, simulator: SimulatorProcess, places: Places
) -> None:
    """The CLI's backup of an older state is copied over the state: newer copies are adopted."""
    project = project_on(tmp_path, simulator, places.new("file"))
    older = {name: ALL_FORMS[name] for name in ("single", "vault")}
    project.configure({"program:replications": json.dumps(older)})
    project.up()
    stored = Path(project.env["PULUMI_BACKEND_URL"].removeprefix("file://"), ".pulumi")
    (backup,) = (stored / "backups" / "program" / STACK).glob("*.json")
    project.configure({"program:replications": json.dumps(ALL_FORMS)})
    project.up()
    records = simulator.control.records()

    shutil.copy(backup, stored / "stacks" / "program" / f"{STACK}.json")
    assert 5 == len(records_in_state(project))
    project.up()

    assert records == simulator.control.records()
    assert_state_is_complete(project, simulator.control)


@pytest.mark.full
def test_database_user_that_owns_one_schema(
    tmp_path: Path, simulator: SimulatorProcess, places: Places
) -> None:
    """The rights that the documentation grants suffice, and the address needs no password."""
    place = places.restricted_database()
    project = project_on(tmp_path, simulator, place)

    project.up()

    assert_state_is_complete(project, simulator.control)
    assert place.environment["PGPASSWORD"] not in place.url


@pytest.mark.full
@pytest.mark.parametrize("gzip", ["", "true"], ids=["plain", "gzip"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_stack_whose_state_was_lost(
    tmp_path: Path, simulator: SimulatorProcess, places: Places, backend: str, gzip: str
) -> None:
    """The state is refreshed, and lost: an empty one adopts all copies, and nothing is sent."""
    control = simulator.control
    first = project_on(tmp_path / "first", simulator, places.new(backend))
    first.environment["PULUMI_DIY_BACKEND_GZIP"] = gzip
    first.up()
    control.advance(20_000)
    first.refresh()
    first.up("--expect-no-changes")
    assert_state_is_complete(first, control)
    assert bool(gzip) == first.is_state_packed()
    sent = len(control.records())

    again = project_on(tmp_path / "again", simulator, places.new(backend))
    again.environment["PULUMI_DIY_BACKEND_GZIP"] = gzip
    again.up()
    again.up("--expect-no-changes")

    assert records_in_state(first) == records_in_state(again)
    assert sent == len(control.records())
    assert_state_is_complete(again, control)
    again.destroy()
    assert {} == again.resources()
    assert {"cn-north-4"} >= {row["region"] for row in control.replicas()}
