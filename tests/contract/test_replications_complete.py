"""One wait for many copies, on the simulator's virtual time: few requests, and typed ends."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import (
    ApiError,
    InterruptedWaitError,
    ReplicationsFailedError,
    WaitTimeoutError,
)
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.cache import CachedApi
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.replication.wait.completion import (
    FAULTY_LOOKS,
    CompletionPlan,
    wait_for_all,
)
from pulumi_huaweicloud_cbr.replication.wait.copies import Copy
from pulumi_huaweicloud_cbr.replication.wait.tracking import Group, merge_groups
from simulator.cloud.rules.copy_refusals import Destination
from simulator.cloud.specs import World
from simulator.cloud.store import Backup
from simulator.testing import Control, InProcessSimulator
from tests.contract.rig import PASSWORD, SimulatedClock

pytestmark = [pytest.mark.simulator_only, pytest.mark.anyio]

INTERVAL_S = 10.0
PLAN = CompletionPlan(timeout_s=4 * 3600.0, interval_s=INTERVAL_S)
PROJECTS = {"source": "1" * 32, "other": "2" * 32, "destination": "3" * 32}


@dataclass
class Told:
    """A reporter that records its lines; `then` runs at the first line of progress."""

    lines: list[str] = field(default_factory=list)
    progressed: list[str] = field(default_factory=list)
    then: Callable[[], None] | None = None

    def tell(self, message: str) -> None:
        """Record a permanent line."""
        self.lines.append(message)

    def progress(self, message: str) -> None:
        """Record a line of progress."""
        self.progressed.append(message)
        then, self.then = self.then, None
        if then is not None:
            then()

    waiting = progress


@dataclass
class Bench:
    """Copies in a world of their own, and a client that waits for them."""

    simulator: InProcessSimulator
    api: CachedApi
    told: Told = field(default_factory=Told)
    groups: list[Group] = field(default_factory=list)
    began_at: float = 0.0
    ended: list[Copy] = field(default_factory=list)

    @property
    def control(self) -> Control:
        """Control of the simulator: what happens in the cloud without us."""
        return self.simulator.control

    def ids(self, vault: str = "prod") -> dict[str, str]:
        """Return the ids of a vault's backups, by the name of the server."""
        backups = self.simulator.world.backups
        return {row.resource_name: row.id for row in backups if row.vault == vault}

    def copy(self, vault: str = "prod", region: str = "source") -> None:
        """Start copies of a vault's backups, for a wait."""
        cloud = self.simulator.cloud
        replicas = next(row.id for row in self.simulator.world.vaults if row.name == "replicas")
        wanted = Destination("destination", PROJECTS["destination"], replicas)
        # Behind the API, where hundreds are started at once.
        with cloud.session() as session:
            for backup_id in self.ids(vault).values():
                backup = session.get(Backup, backup_id)
                assert backup is not None
                record = cloud.copies.replicate(session, backup, wanted, None, None)
                self.groups.append(
                    {
                        "source_region": region,
                        "source_project_id": PROJECTS[region],
                        "destination_region": "destination",
                        "destination_project_id": PROJECTS["destination"],
                        "destination_vault_id": replicas,
                        "records": {record.id: backup_id},
                    }
                )
        self.began_at = self.simulator.clock.now()

    async def wait(self, plan: CompletionPlan = PLAN) -> dict[str, str | None]:
        """Wait for all copies."""
        ended = await wait_for_all(self.api, merge_groups(self.groups), plan, self.told)
        self.ended = list(ended.values())
        return {record_id: copy.replica_id for record_id, copy in ended.items()}

    async def failed(self) -> ReplicationsFailedError:
        """Wait for all copies; some of them fail."""
        with pytest.raises(ReplicationsFailedError) as caught:
            await self.wait()
        return caught.value

    def forget_log(self) -> None:
        """Empty the operation log from now on."""
        empty = {"operation_logs": [], "count": 0}
        self.control.fault(
            operation="ListOpLogs", action="respond", status=200, body=empty, times=10_000
        )

    @property
    def took_s(self) -> float:
        """The virtual time since the start of the copies."""
        return self.simulator.clock.now() - self.began_at

    def asked(self, region: str = "source") -> dict[str, int]:
        """Return how often each operation of CBR was requested in a region."""
        return dict(
            Counter(
                str(entry["operation"])
                for entry in self.control.journal()
                if entry["region"] == region and entry["operation"] != "CreateToken"
            )
        )

    def record_of(self, name: str) -> str:
        """Return the id of a backup's record."""
        records = {row["source_backup_id"]: row["id"] for row in self.control.records()}
        return str(records[self.ids()[name]])

    def replicas(self) -> dict[str, str]:
        """Return replica ids by record id, as the simulator has them."""
        present = {row["id"] for row in self.control.replicas()}
        return {
            row["id"]: row["destination_backup_id"]
            for row in self.control.records()
            if row["destination_backup_id"] in present
        }


def copying(seconds: float, outcome: str = "success") -> dict[str, Any]:
    """Return the script of a copy."""
    return {"mode": "seconds", "seconds": seconds, "outcome": outcome}


MakeBench = Callable[..., Bench]


@pytest.fixture
async def make_bench() -> AsyncIterator[MakeBench]:
    """A factory of worlds with backups, given as name -> script of its copy."""
    async with contextlib.AsyncExitStack() as stack:

        def make(copies: dict[str, dict[str, Any]], **options: Any) -> Bench:
            simulator = InProcessSimulator(_world(copies, **options))
            stack.callback(simulator.close)
            settings = Settings.of(
                region="source",
                user_name="ops",
                password=PASSWORD,
                domain_name="acme",
                endpoints=dict.fromkeys(("cbr", "iam"), f"{simulator.url}/regions/{{region}}"),
            )
            clock = SimulatedClock(simulator)
            client = CbrClient(
                settings,
                make_authenticator(settings, clock),
                clock=clock,
                transport=simulator.transport(),
            )
            stack.push_async_callback(client.aclose)
            return Bench(simulator, CachedApi(client))

        yield make


def _world(
    copies: dict[str, dict[str, Any]], others: int = 0, elsewhere: int = 0, **options: Any
) -> World:
    """Return a world with backups to copy and `others` beside them.

    Args:
        elsewhere: backups in the region ``other``, with copies of 100 s.
    """

    def backup(name: str, vault: str, number: int, copy: dict[str, Any] | None) -> dict[str, Any]:
        moment = f"2026-11-{1 + number // 1440:02d}T{number // 60 % 24:02d}:{number % 60:02d}:00"
        return {"name": name, "vault": vault, "copy": copy, "size_gb": 1, "created_at": moment}

    return World.model_validate(
        {
            "accounts": [{"name": "acme", "users": [{"name": "ops", "password": PASSWORD}]}],
            "regions": [
                {
                    "name": name,
                    "project_id": project_id,
                    "replicates_to": [] if name == "destination" else ["destination"],
                }
                for name, project_id in PROJECTS.items()
            ],
            "vaults": [
                {"name": "prod", "region": "source", "size_gb": 10_000},
                {"name": "beside", "region": "source", "size_gb": 10_000},
                {"name": "far", "region": "other", "size_gb": 10_000},
                {
                    "name": "replicas",
                    "region": "destination",
                    "protect_type": "replication",
                    "size_gb": 10_000,
                },
            ],
            "backups": [
                *(backup(name, "prod", n, copy) for n, (name, copy) in enumerate(copies.items())),
                *(backup(f"beside-{n}", "beside", 5000 + n, None) for n in range(others)),
                *(backup(f"far-{n}", "far", n, copying(100)) for n in range(elsewhere)),
            ],
            "options": options,
        }
    )


async def test_hundreds_are_waited_for_with_one_list_per_poll(make_bench: MakeBench) -> None:
    """A poll is one request while many copies run, and a few requests when few do."""
    bench = make_bench({f"vm-{n}": copying(60 + n) for n in range(200)})
    bench.copy()
    longest_s = 60 + 199

    replicas = await bench.wait()

    assert bench.replicas() == replicas
    assert 200 == len(replicas)
    assert longest_s <= bench.took_s <= longest_s + 2 * INTERVAL_S
    asked = bench.asked()
    looks = len(bench.told.progressed) + 1
    # The last ones are read individually: fewer than three at a time.
    assert looks - 5 <= asked["ListBackups"] <= looks <= 1.2 * longest_s / INTERVAL_S
    assert asked.get("ShowBackup", 0) <= 2 * (looks - asked["ListBackups"])
    assert {"ListBackups": 1} == bench.asked("destination")


async def test_pause_grows_without_progress(make_bench: MakeBench) -> None:
    """Copies without progress for an hour are polled once a minute, not at each interval."""
    bench = make_bench({f"vm-{n}": {"mode": "never"} for n in range(5)})
    bench.copy()

    with pytest.raises(WaitTimeoutError):
        await bench.wait(CompletionPlan(timeout_s=3600, interval_s=INTERVAL_S))

    assert {"ListBackups"} == set(bench.asked())
    assert 55 <= bench.asked()["ListBackups"] <= 75
    assert 3600 == pytest.approx(bench.took_s)


async def test_progress_counts_names_and_estimates(make_bench: MakeBench) -> None:
    """The line counts, names the slowest with its id, and estimates after two different polls."""
    bench = make_bench({"erp": copying(2000), "web": copying(30, "fail"), "file": copying(20)})
    bench.copy()
    await bench.failed()

    lines = bench.told.progressed
    assert re.fullmatch(r"0 of 3 done; slowest: \w+ \([0-9a-f-]{36}\) waiting", lines[0])
    erp = re.escape(f"erp ({bench.ids()['erp']})")
    pattern = re.compile(rf"1 of 3 done, 1 failed, about (\d+) min left; slowest: {erp} (\d+) %")
    estimates = [match.groups() for match in map(pattern.fullmatch, lines) if match]
    assert len(estimates) > 20
    for minutes, percent in estimates:
        rest = (100 - int(percent)) * 2000 / 100 / 60
        assert rest == pytest.approx(int(minutes), rel=0.25, abs=1)


async def test_failures_are_reported_together_when_all_have_ended(make_bench: MakeBench) -> None:
    """One error lists each failure with its reason; the other copies were waited for."""
    bench = make_bench(
        {
            "erp": copying(40, "fail"),
            "web": {**copying(20, "skip")},
            "file": copying(300),
            "mail": {**copying(30, "fail"), "fail_code": "", "fail_reason": ""},
        }
    )
    bench.copy()

    error = await bench.failed()

    ids = bench.ids()
    to = "to region 'destination'"
    full = "BackupService.6129: destination vault full"
    expected = [
        f"  erp ({ids['erp']}) {to}: failed: {full}",
        f"  mail ({ids['mail']}) {to}: failed: CBR gave no reason",
        f"  web ({ids['web']}) {to}: skipped: CBR gave no reason",
    ]
    head, *lines = str(error).splitlines()
    assert (
        "waiting for 4 replications: 3 failed, 1 done; run pulumi up again to copy anew what "
        "failed, and to wait for it:"
    ) == head
    assert expected == sorted(lines)
    assert {bench.record_of(name) for name in ("erp", "web", "mail")} == set(error.record_ids)
    assert bench.took_s >= 300
    told = [f"{line.strip()}; the other copies are waited for" for line in expected]
    assert told == sorted(bench.told.lines)


async def test_error_stays_within_the_limit_of_the_protocol(make_bench: MakeBench) -> None:
    """Many failures are all named, the last of them beside the error."""
    script = {**copying(5, "fail"), "fail_reason": "\u5b58\u50a8\u5e93\u5df2\u6ee1" * 20}
    bench = make_bench({f"vm-{n}": script for n in range(60)})
    bench.copy()

    error = await bench.failed()

    everything = "\n".join([str(error), *bench.told.lines])
    assert all(backup_id in everything for backup_id in bench.ids().values())
    assert len(str(error).encode()) < 8000
    assert "more, told above" in str(error)


async def test_timeout_names_what_is_running_and_up_again_resumes(make_bench: MakeBench) -> None:
    """A timeout loses nothing: the slowest few are named, and the next wait continues."""
    copies = {f"vm-{n}": copying(1000 + 100 * n) for n in range(7)}
    bench = make_bench({**copies, "done": copying(30), "bad": copying(30, "fail")})
    bench.copy()

    with pytest.raises(WaitTimeoutError) as caught:
        await bench.wait(CompletionPlan(timeout_s=500, interval_s=INTERVAL_S))

    ids = bench.ids()
    text, failure = str(caught.value).splitlines()
    assert text.startswith(
        "waiting for 9 replications: 7 still running after 8 min 20 s, 1 of 9 done, 1 failed, "
        f"the slowest: vm-6 ({ids['vm-6']}) 31 %, vm-5 ({ids['vm-5']}) 33 %, "
    )
    assert text.endswith(
        " and 2 more; what is running goes on in CBR: run pulumi up again to go on waiting, or "
        "give a longer timeout; failed:"
    )
    assert f"  bad ({ids['bad']}) to region 'destination': failed: " in failure
    assert 500 == pytest.approx(bench.took_s)
    again = await bench.failed()
    assert (bench.record_of("bad"),) == again.record_ids
    assert 1600 <= bench.took_s <= 1600 + 2 * INTERVAL_S


async def test_interrupted_wait_loses_nothing(make_bench: MakeBench) -> None:
    """Ctrl-C ends the wait with what is known. The copies continue, and so does the next wait."""
    bench = make_bench({"erp": copying(300), "web": copying(50)})
    bench.copy()
    sleep = bench.api.clock.sleep

    async def interrupted(seconds: float) -> None:
        if bench.took_s > 100:
            raise InterruptedWaitError("interrupted while waiting")
        await sleep(seconds)

    bench.api.clock.sleep = interrupted  # type: ignore[method-assign]
    with pytest.raises(InterruptedWaitError) as caught:
        await bench.wait()
    bench.api.clock.sleep = sleep  # type: ignore[method-assign]

    assert (
        "waiting for 2 replications: interrupted, 1 of 2 done; the copies go on in CBR; run "
        "pulumi up again to go on waiting"
    ) == str(caught.value)
    assert 2 == len(await bench.wait())


async def test_throttled_and_failing_polls_are_repeated(make_bench: MakeBench) -> None:
    """A service that refuses requests for minutes does not end a wait of hours."""
    bench = make_bench({f"vm-{n}": copying(900) for n in range(4)})
    bench.copy()
    bench.control.fault(operation="ListBackups", action="respond", status=429, times=7, skip=1)
    bench.control.fault(operation="ListBackups", action="drop_before", times=7)
    bench.control.fault(
        operation="ListBackups", region="destination", action="respond", status=503, times=7
    )

    assert 4 == len(await bench.wait())
    assert any("looking again" in line for line in bench.told.progressed)


async def test_wait_ends_when_nothing_answers(make_bench: MakeBench) -> None:
    """After many polls without an answer, the error is that of the request."""
    bench = make_bench({f"vm-{n}": copying(900) for n in range(4)})
    bench.copy()
    bench.control.fault(operation="ListBackups", action="respond", status=503, times=10_000)

    with pytest.raises(ApiError) as caught:
        await bench.wait()
    asked = bench.asked()["ListBackups"]
    bench.control.drop_faults()

    assert str(caught.value).startswith("listing backups in region 'source'")
    assert FAULTY_LOOKS <= asked <= 6 * FAULTY_LOOKS


async def test_refused_list_falls_back_to_single_reads(make_bench: MakeBench) -> None:
    """Without permission to list backups, each is read individually after one refusal."""
    bench = make_bench({f"vm-{n}": copying(50) for n in range(4)})
    bench.copy()
    body = {"error_code": "APIGW.0302", "error_msg": "not allowed"}
    bench.control.fault(
        operation="ListBackups", action="respond", status=403, body=body, times=10_000
    )

    replicas = await bench.wait()

    assert bench.replicas() == replicas
    assert 1 == bench.asked()["ListBackups"]
    bench.control.drop_faults()


async def test_list_is_limited_to_the_vault_once_that_is_known(make_bench: MakeBench) -> None:
    """From the second poll on, the backups of other vaults are not listed."""
    bench = make_bench({f"vm-{n}": copying(100) for n in range(5)}, others=1100)
    bench.copy()
    prod = next(row.id for row in bench.simulator.world.vaults if row.name == "prod")

    await bench.wait()

    queries = [
        entry["query"]
        for entry in bench.control.journal(operation="ListBackups")
        if entry["region"] == "source"
    ]
    # Newest first: the first page has only others, and one page is left: cheaper than five.
    assert [False, True] == ["offset=1000" in query for query in queries[:2]]
    assert [False, False, *[True] * (len(queries) - 2)] == [prod in query for query in queries]
    assert len(queries) > 4


async def test_few_among_many_are_read_individually(make_bench: MakeBench) -> None:
    """If a list takes more requests than there are copies, it is not used again."""
    bench = make_bench({f"vm-{n}": copying(100) for n in range(3)}, others=4100)
    bench.copy()

    await bench.wait()

    assert 1 == bench.asked()["ListBackups"]
    assert 3 == bench.asked()["ShowBackup"] / (len(bench.told.progressed) + 1)


async def test_two_projects_are_polled_together(make_bench: MakeBench) -> None:
    """Copies from several projects are one wait: a list for each, and one of the replicas."""
    bench = make_bench({f"vm-{n}": copying(50) for n in range(4)}, elsewhere=4)
    bench.copy()
    bench.copy(vault="far", region="other")

    replicas = await bench.wait()

    assert bench.replicas() == replicas
    assert 8 == len(replicas)
    assert {"ListBackups"} == set(bench.asked("other")) == set(bench.asked())
    assert {"ListBackups": 1} == bench.asked("destination")


async def test_missing_replica_is_no_success(make_bench: MakeBench) -> None:
    """A success needs the replica: the destination is polled several times, then it failed."""
    bench = make_bench({f"vm-{n}": copying(20) for n in range(4)})
    bench.copy()
    bench.control.advance(30)
    lost = bench.replicas()[bench.record_of("vm-1")]
    bench.control.forget_backup(lost)

    error = await bench.failed()

    assert (bench.record_of("vm-1"),) == error.record_ids
    assert str(error).endswith(
        "CBR says that it succeeded, but the replica is not to be seen in the destination vault: "
        f"({lost})"
    )
    assert 5 * 0.9 * INTERVAL_S <= bench.took_s - 30 <= 6 * 1.1 * INTERVAL_S


async def test_source_deleted_while_copying(make_bench: MakeBench) -> None:
    """If the source expires, a copy with a known replica is followed there to its end."""
    bench = make_bench({f"vm-{n}": copying(200) for n in range(3)}, destination_ids="early")
    bench.copy()
    # Its replica is named from the first poll on.
    bench.told.then = lambda: bench.control.forget_backup(bench.ids()["vm-1"])

    assert 3 == len(await bench.wait())
    assert 200 <= bench.took_s <= 200 + 2 * INTERVAL_S
    assert any("whose source was deleted meanwhile" in line for line in bench.told.progressed)


async def test_source_deleted_with_all_traces(make_bench: MakeBench) -> None:
    """A copy without any trace ends with its own line, and does not block the others."""
    bench = make_bench({f"vm-{n}": copying(200) for n in range(3)})
    bench.copy()
    record_id = bench.record_of("vm-1")
    replica_id = next(
        row["destination_backup_id"] for row in bench.control.records() if row["id"] == record_id
    )
    bench.forget_log()

    def forget() -> None:
        bench.control.forget_backup(bench.ids()["vm-1"])
        bench.control.forget_backup(replica_id)

    bench.told.then = forget

    error = await bench.failed()

    assert (record_id,) == error.record_ids
    assert str(error).endswith(
        f"  vm-1 ({bench.ids()['vm-1']}) to region 'destination': the source backup was deleted, "
        "and no replica is to be seen: choose another backup"
    )
    assert 200 <= bench.took_s <= 200 + 2 * INTERVAL_S


async def test_source_deleted_and_several_replicas_could_be_it(make_bench: MakeBench) -> None:
    """If nothing identifies the replica, none is guessed: the copy ends with its own line."""
    bench = make_bench({f"vm-{n}": copying(20) for n in range(3)})
    bench.copy()
    bench.control.advance(30)
    record_id = bench.record_of("vm-1")
    bench.control.forget_backup(bench.ids()["vm-1"])
    bench.forget_log()

    error = await bench.failed()

    assert (record_id,) == error.record_ids
    vault_id = bench.groups[0]["destination_vault_id"]
    assert str(error).endswith(
        f"  backup ({bench.ids()['vm-1']}) to region 'destination': nothing names its replica any "
        f"more, and vault ({vault_id}) holds some that could be it; look there in the CBR console"
    )


async def test_source_deleted_after_the_copy(make_bench: MakeBench) -> None:
    """A replica outlives its source: the operation log identifies it as a success."""
    bench = make_bench({"erp": copying(20), "web": copying(30), "file": copying(30)})
    bench.copy()
    bench.control.advance(25)
    expected = bench.replicas()
    bench.control.forget_backup(bench.ids()["erp"])

    replicas = await bench.wait()

    assert expected.items() <= replicas.items()


@pytest.mark.parametrize("is_copied", [True, False])
async def test_vanished_record_is_judged_by_the_replica(
    make_bench: MakeBench, is_copied: bool
) -> None:
    """Without its record, a copy is judged by the replica alone, after some polls."""
    bench = make_bench({f"vm-{n}": copying(20, "success") for n in range(4)})
    bench.copy()
    record_id = bench.record_of("vm-2")
    bench.control.advance(25)
    if not is_copied:
        bench.control.forget_backup(bench.replicas()[record_id])
    bench.control.forget_record(record_id)

    if is_copied:
        assert record_id in await bench.wait()
        return
    error = await bench.failed()

    assert (record_id,) == error.record_ids
    assert "does not list the replication record any more" in str(error)


async def test_unknown_status_ends_that_copy(make_bench: MakeBench) -> None:
    """An unknown status is not waited for: it is reported, with a remedy."""
    bench = make_bench({"erp": copying(100), "web": copying(100)})
    bench.copy()
    record_id = bench.record_of("web")
    bench.control.change_record(record_id, status="paused", copy={"mode": "never"})

    error = await bench.failed()

    assert str(error).endswith(
        f"  web ({bench.ids()['web']}) to region 'destination': its record ({record_id}) has "
        "status 'paused', which this version does not know; look at it in the CBR console"
    )


async def test_nothing_to_wait_for(make_bench: MakeBench) -> None:
    """No replications are complete immediately, without a request."""
    bench = make_bench({"erp": copying(1)})

    assert {} == await bench.wait()
    assert [] == bench.control.journal()
