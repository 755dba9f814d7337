"""Load tests: latency, throttling, and worlds with many backups."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from simulator.cloud.specs import CopyScript, Options, RateLimit
from simulator.testing import Control, InProcessSimulator
from simulator.worlds.files import World, WorldError, load_world
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.simulator.rig import LONG_S, SERVER_BACKUP, SMALL_BACKUP, UNKNOWN_ID, Caller, connect

pytestmark = pytest.mark.anyio


async def statuses(
    caller: Caller, count: int, path: str = f"/backups/{SERVER_BACKUP}"
) -> list[int]:
    """Return the statuses of a repeated request."""
    return [(await caller.call("GET", path)).status_code for _ in range(count)]


# -- latency ------------------------------------------------------------------------------------


async def test_latency_delays_calls_but_not_control_routes(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """Each API call takes at least the latency; the virtual clock does not advance by it."""
    now = simulator.clock.now()
    control.change_options(latency_ms=60_000)
    control.change_options(latency_ms=30)
    started = time.monotonic()
    await source.show(SERVER_BACKUP)

    assert 0.03 <= time.monotonic() - started
    assert now == simulator.clock.now()


async def test_latency_of_the_world_counts_from_the_start() -> None:
    """A world may define the latency of calls."""
    simulator = InProcessSimulator(fleet_world(1, options=Options(latency_ms=30)))
    async with connect(simulator) as client:
        started = time.monotonic()
        await client.get("/v3/projects")
    simulator.close()

    assert 0.03 <= time.monotonic() - started


# -- throttling ---------------------------------------------------------------------------------


async def test_rate_limit_reached_is_refused_as_the_gateway_does(
    control: Control, source: Caller
) -> None:
    """Excess calls are refused with the limit in the text, and are not executed."""
    control.change_options(rate_limit={"calls": 2, "seconds": 60})
    await statuses(source, 2)
    response = await source.replicate()
    body = response.json()

    assert 429 == response.status_code
    assert response.headers["X-Request-Id"] == body.pop("request_id")
    assert {
        "error_code": "APIGW.0308",
        "error_msg": "The throttling threshold has been reached: policy user over ratelimit,"
        "limit:2,time:1 minute",
    } == body
    assert "Retry-After" not in response.headers
    assert [] == control.records()
    assert (429, None) == (control.journal()[-1]["status"], control.journal()[-1]["fault"])


async def test_rate_limit_window_slides(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A call no longer counts once it is as old as the window, by the simulator's clock."""
    control.change_options(rate_limit={"calls": 2, "seconds": 10})
    seen = await statuses(source, 1)
    simulator.clock.advance(6)
    seen += await statuses(source, 2)
    simulator.clock.advance(4)
    seen += await statuses(source, 2)

    assert [200, 200, 429, 200, 429] == seen


async def test_rate_limit_refused_calls_do_not_count(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """A caller that asks too often is not locked out for longer."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10})
    await statuses(source, 5)
    simulator.clock.advance(10)

    assert [200] == await statuses(source, 1)


async def test_rate_limit_is_of_a_region(
    control: Control, source: Caller, destination: Caller
) -> None:
    """Each region counts separately, and IAM does not count."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10})

    assert [200, 429] == await statuses(source, 2)
    assert [200] == await statuses(destination, 1, "/vaults")
    headers = {"X-Auth-Token": source.token}
    assert 200 == (await source.client.get("/v3/projects", headers=headers)).status_code


async def test_rate_limit_of_operations_does_not_affect_others(
    control: Control, source: Caller
) -> None:
    """A limit may apply to some operations, as services limit writes more."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10, "operations": ["CopyBackup"]})
    copies = [(await source.replicate(each)).status_code for each in (SERVER_BACKUP, SMALL_BACKUP)]

    assert [200, 429] == copies
    assert [200, 200, 200] == await statuses(source, 3)


async def test_rate_limit_may_send_retry_after(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """On request, a refusal has the whole seconds after which a call is accepted."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10, "retry_after": True})
    await statuses(source, 1)
    simulator.clock.advance(2.5)
    refused = await source.call("GET", "/backups")
    simulator.clock.advance(int(refused.headers["Retry-After"]))

    assert "8" == refused.headers["Retry-After"]
    assert [200] == await statuses(source, 1)


async def test_rate_limit_does_not_count_what_a_fault_answers(
    control: Control, source: Caller
) -> None:
    """A scripted answer takes precedence over the gateway."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10})
    control.fault(operation="ShowBackup", action="respond", status=503)

    assert [503, 200, 429] == await statuses(source, 3)


async def test_operation_limits_count_each_operation_alone(
    simulator: InProcessSimulator, control: Control, source: Caller
) -> None:
    """An operation with a limit of its own neither uses up another's, nor is helped by it."""
    control.change_options(
        operation_limits={
            "ListBackups": {"calls": 1, "seconds": 10, "retry_after": True},
            "ListVault": {"calls": 2, "seconds": 10},
        }
    )
    backups = await statuses(source, 2, "/backups")
    vaults = await statuses(source, 3, "/vaults")
    others = await statuses(source, 3)
    refused = await source.call("GET", "/backups")
    simulator.clock.advance(10)

    assert ([200, 429], [200, 200, 429], [200, 200, 200]) == (backups, vaults, others)
    assert "10" == refused.headers["Retry-After"]
    assert refused.json()["error_msg"].endswith("limit:1,time:10 second")
    assert [200, 429] == await statuses(source, 2, "/backups")


async def test_operation_limits_hold_beside_the_rate_limit(
    control: Control, source: Caller
) -> None:
    """A call needs room in both, and one that is refused counts in neither."""
    control.change_options(
        rate_limit={"calls": 2, "seconds": 10},
        operation_limits={"ListBackups": {"calls": 1, "seconds": 60}},
    )
    backups = await statuses(source, 2, "/backups")
    others = await statuses(source, 2)

    assert ([200, 429], [200, 429]) == (backups, others)


async def test_operation_limits_empty_lifts_them(control: Control, source: Caller) -> None:
    """Without limits every call passes again."""
    control.change_options(operation_limits={"ListBackups": {"calls": 1, "seconds": 10}})
    await statuses(source, 2, "/backups")
    control.change_options(operation_limits={})

    assert [200, 200] == await statuses(source, 2, "/backups")


async def test_rate_limit_null_lifts_it(control: Control, source: Caller) -> None:
    """Without a limit every call passes again; the latency stays."""
    control.change_options(rate_limit={"calls": 1, "seconds": 10}, latency_ms=1)
    await statuses(source, 2)
    control.change_options(rate_limit=None)

    assert [200, 200, 200] == await statuses(source, 3)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"latency_ms": -1}, "latency_ms"),
        ({"latency_ms": None}, "latency_ms"),
        ({"rate_limit": {"calls": 0}}, "rate_limit.calls"),
        ({"rate_limit": {"calls": 1, "seconds": 0}}, "rate_limit.seconds"),
        ({"rate_limit": {"calls": 1, "operations": ["Copy"]}}, "found 'Copy', want some of"),
        ({"operation_limits": {"ListBackups": {"calls": 0}}}, "ListBackups.calls"),
        ({"operation_limits": {"List": {"calls": 1}}}, "found 'List', want some of"),
        ({"destination_ids": "early"}, "destination_ids"),
    ],
    ids=str,
)
async def test_wrong_options_are_refused(
    client: httpx.AsyncClient, change: dict[str, Any], named: str
) -> None:
    """An invalid option is reported with its name."""
    response = await client.patch("/_simulator/options", json=change)

    assert 422 == response.status_code
    assert named in response.json()["detail"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (1.5, "1.5 second"), (90, "90 second"), (120, "2 minute"), (3600, "1 hour")],
)
async def test_rate_limit_text_has_the_largest_whole_unit(
    control: Control, source: Caller, seconds: float, text: str
) -> None:
    """The text names the window like the gateway's samples."""
    control.change_options(rate_limit={"calls": 1, "seconds": seconds})
    await source.call("GET", "/backups")
    refused = await source.call("GET", "/backups")

    assert refused.json()["error_msg"].endswith(f"limit:1,time:{text}")


# -- many backups -------------------------------------------------------------------------------


def test_fleet_world_has_what_a_load_test_needs() -> None:
    """One vault of this many backups, a replication vault in each destination, room for all."""
    world = fleet_world(3, destinations=2, options=Options(rate_limit=RateLimit(calls=5)))

    assert ["backup-0001", "backup-0002", "backup-0003"] == [row.name for row in world.backups]
    assert 3 == len({row.resource_id for row in world.backups})
    assert ["fleet", "replicas-cn-east-3", "replicas-cn-south-1"] == [
        vault.name for vault in world.vaults
    ]
    assert ["cn-east-3", "cn-south-1"] == world.regions[0].replicates_to
    assert 5 == (world.options.rate_limit or RateLimit(calls=1)).calls


async def test_fleet_world_copies_as_a_whole() -> None:
    """All backups of the vault can be copied together, end together, and be listed together."""
    world = fleet_world(40, copy=CopyScript(seconds=10))
    simulator = InProcessSimulator(world)
    async with connect(simulator) as client:
        user = {"name": FLEET_USER, "password": FLEET_PASSWORD, "domain": {"name": FLEET_ACCOUNT}}
        identity = {"methods": ["password"], "password": {"user": user}}
        project = world.project_of(world.vaults[0])
        auth = {"auth": {"identity": identity, "scope": {"project": {"id": project}}}}
        signed_in = await client.post("/v3/auth/tokens", json=auth)
        source = Caller(client, project, signed_in.headers["X-Subject-Token"])
        wanted = {
            "vault_id": world.vaults[0].id,
            "destination_project_id": world.project_of(world.vaults[1]),
            "destination_region": world.vaults[1].region,
            "destination_vault_id": world.vaults[1].id,
        }
        copied = await source.call("POST", "/checkpoints/replicate", json={"replicate": wanted})
        simulator.clock.advance(10)
        listed = await source.get("/backups", show_replication="true")
        vault = simulator.control.state()["vaults"][1]
    simulator.close()

    assert 40 == len(copied.json()["replication"]["backups"])
    assert {("success", 100)} == {
        (record["status"], record["extra_info"]["progress"])
        for backup in listed["backups"]
        for record in backup["replication_records"]
    }
    assert 40 * 1024 == vault["billing"]["used"]


def test_repeated_backups_have_numbers_and_share_the_rest(tmp_path: Path) -> None:
    """A world file may have many similar backups; a JSON file is read as JSON."""
    world = fleet_world(1).model_dump(by_alias=True, mode="json")
    world["backups"] = [
        {"name": "db", "vault": "fleet", "repeat": 2, "size_gb": 7, "copy": {"mode": "never"}},
        {"name": "web", "vault": "fleet", "repeat": 2, "resource_name": "web-server"},
    ]
    file = tmp_path / "world.json"
    file.write_text(World.model_validate(world).model_dump_json(by_alias=True))
    backups = load_world(file).backups

    assert [
        ("db-0001", "db-0001", 7, "never"),
        ("db-0002", "db-0002", 7, "never"),
        ("web-0001", "web-server-0001", 40, None),
        ("web-0002", "web-server-0002", 40, None),
    ] == [
        (
            row.name,
            row.resource_name,
            row.size_gb,
            row.copy_script.mode if row.copy_script else None,
        )
        for row in backups
    ]
    assert 4 == len({row.id for row in backups})


@pytest.mark.parametrize("key", ["id", "resource_id"])
def test_repeated_backups_have_no_id_of_their_own(tmp_path: Path, key: str) -> None:
    """One id for many backups is an error of the world file."""
    world = fleet_world(1).model_dump(by_alias=True, mode="json")
    world["backups"] = [{"name": "db", "vault": "fleet", "repeat": 2, key: UNKNOWN_ID}]
    file = tmp_path / "world.json"
    file.write_text(json.dumps(world))
    with pytest.raises(WorldError) as caught:
        load_world(file)

    assert f"{file}: backups.0: found " in str(caught.value)
    assert "want no id and no resource_id beside repeat: they are made" in str(caught.value)


def test_world_that_is_no_json_is_reported(tmp_path: Path) -> None:
    """A file named JSON is not read as anything else."""
    file = tmp_path / "world.json"
    file.write_text("regions: []\n")
    with pytest.raises(WorldError, match=r"world\.json: is not JSON: Expecting value: line 1"):
        load_world(file)


# -- time and the journal -----------------------------------------------------------------------


async def test_what_is_due_happens_even_if_the_request_is_refused(
    simulator: InProcessSimulator, source: Caller
) -> None:
    """A refused request reverts nothing that was due before."""
    await source.begin_copy()
    simulator.clock.advance(LONG_S)
    refused = await source.replicate()

    assert 400 == refused.status_code
    assert "success" == (await source.record())["status"]


async def test_journal_counts_by_operation(control: Control, source: Caller) -> None:
    """The number of requests is available without all of them."""
    last = control.journal()[-1]["sequence"]
    await source.begin_copy()
    await statuses(source, 2)
    await source.client.get("/nowhere")

    assert {"CopyBackup": 1, "ShowBackup": 2, "": 1} == control.journal_counts(since=last)
    assert 1 <= control.journal_counts()["CreateToken"]


async def test_copy_takes_few_statements(simulator: InProcessSimulator, source: Caller) -> None:
    """It reads the backup, earlier copies and the room, and writes the copy and the journal.

    Client and simulator share the machine on which fleets are measured.
    """
    await source.replicate(SERVER_BACKUP)
    statements: list[str] = []

    @event.listens_for(simulator.cloud._engine, "before_cursor_execute")
    def _note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(" ".join(statement.split()[:3]))

    await source.replicate(SMALL_BACKUP)

    assert [
        "INSERT INTO backups",
        "INSERT INTO journal",
        "INSERT INTO records",
        "INSERT INTO tasks",
    ] == sorted(line for line in statements if line.startswith("INSERT"))
    assert 3 == sum(1 for line in statements if line.startswith("SELECT"))
