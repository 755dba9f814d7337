"""A wait for many copies, with scripted polls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.base.errors import (
    AuthenticationError,
    ReplicationsFailedError,
    WaitTimeoutError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.replication.wait.completion import CompletionPlan, wait_for_all
from pulumi_huaweicloud_cbr.replication.wait.copies import GRACE_LOOKS
from tests.unit.wire import ManualClock

pytestmark = pytest.mark.anyio

INTERVAL_S = 10.0
VAULT = "destination-vault"
GROUP = {
    "source_region": "cn-north-4",
    "source_project_id": "source",
    "destination_region": "cn-east-3",
    "destination_project_id": "destination",
    "destination_vault_id": VAULT,
}

Record = dict[str, Any]
Script = Callable[[int], dict[str, "list[Record] | None"]]
"""Records of each source backup, by the number of a poll; None is a deleted one."""


def record(id_: str, status: str = "replicating", **changes: Any) -> Record:
    """Return a record as a backup lists it."""
    progress = changes.pop("progress", None)
    extra = {"progress": progress, "fail_code": "", "fail_reason": ""}
    return {"id": id_, "status": status, "extra_info": extra, **changes}


def copied(id_: str, replica_id: str | None = None) -> Record:
    """Return the record of a copy that succeeded."""
    return record(id_, "success", progress=100, destination_backup_id=replica_id or f"{id_}-copy")


@dataclass
class ScriptedCloud(ManualClock):
    """Answers from a script; each advance of time starts another poll."""

    script: Script
    replicas: Callable[[int], set[str]] = lambda _: set()
    shows_in_lists: bool = True
    look: int = 0
    now: float = 0.0
    requests: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    progressed: list[str] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        """Advance the virtual time."""
        await super().sleep(seconds)
        self.look += 1 if seconds else 0

    def tell(self, message: str) -> None:
        """Record a permanent line."""
        self.told.append(message)

    def progress(self, message: str) -> None:
        """Record a line of progress."""
        self.progressed.append(message)

    waiting = progress

    async def wait(
        self, records: dict[str, str], timeout_s: float = 3600.0
    ) -> dict[str, str | None]:
        """Wait for the copies of these records."""
        settings = Settings.of(token="a-token", region="cn-north-4")
        transport = httpx.MockTransport(self._answer)
        auth = make_authenticator(settings, self)
        async with CbrClient(settings, auth, clock=self, transport=transport) as api:
            plan = CompletionPlan(timeout_s=timeout_s, interval_s=INTERVAL_S)
            ended = await wait_for_all(api, [{**GROUP, "records": records}], plan, self)
            return {record_id: copy.replica_id for record_id, copy in ended.items()}

    def _answer(self, request: httpx.Request) -> httpx.Response:
        _, _, project, what, *rest = request.url.path.split("/")
        self.requests.append(f"{project} {what}{'/*' if rest else ''}")
        rows = {row["id"]: row for row in self._rows(project)}
        if what == "operation-logs":
            return httpx.Response(200, json={"operation_logs": [], "count": 0})
        if not rest:
            shown = list(rows.values())
            if not self.shows_in_lists:
                shown = [{**row, "replication_records": None} for row in shown]
            return httpx.Response(200, json={"backups": shown, "count": len(rows)})
        if rest[0] not in rows:
            missing = {"error_code": "BackupService.6200", "error_msg": "does not exist"}
            return httpx.Response(404, json=missing)
        return httpx.Response(200, json={"backup": rows[rest[0]]})

    def _rows(self, project: str) -> list[dict[str, Any]]:
        if project == "destination":
            present = sorted(self.replicas(self.look))
            return [
                {"id": key, "image_type": "replication", "status": "available", "vault_id": VAULT}
                for key in present
            ]
        return [
            {"id": key, "resource_name": f"{key}-server", "replication_records": records}
            for key, records in self.script(self.look).items()
            if records is not None
        ]


async def test_success_without_an_id_is_looked_for_by_its_restore_point() -> None:
    """A record may name only the restore point."""

    def script(_: int) -> dict[str, list[Record] | None]:
        return {"b": [record("r", "success", destination_checkpoint_id="c")]}

    cloud = ScriptedCloud(script)
    cloud._rows = lambda project: (  # type: ignore[method-assign]
        [{"id": "x", "image_type": "replication", "checkpoint_id": "c", "status": "available"}]
        if project == "destination"
        else [{"id": "b", "replication_records": script(0)["b"]}]
    )

    assert {"r": "x"} == await cloud.wait({"r": "b"})


async def test_skip_with_a_replica_is_a_success() -> None:
    """Nothing was copied because the replica already existed."""
    cloud = ScriptedCloud(
        lambda _: {"b": [record("r", "skip", destination_backup_id="x")]}, lambda _: {"x"}
    )

    assert {"r": "x"} == await cloud.wait({"r": "b"})


async def test_two_copies_of_one_backup_are_one_row() -> None:
    """Each record is followed by its own id; foreign ones are ignored."""

    def script(look: int) -> dict[str, list[Record] | None]:
        foreign = record("other", "fail")
        second = record("r2", progress=10) if look < 5 else copied("r2")
        return {"b": [foreign, copied("r1"), second]}

    cloud = ScriptedCloud(script, lambda _: {"r1-copy", "r2-copy"})

    assert {"r1": "r1-copy", "r2": "r2-copy"} == await cloud.wait({"r1": "b", "r2": "b"})
    assert 6 == cloud.requests.count("source backups/*")
    assert "source backups" not in cloud.requests


async def test_late_record_is_waited_for() -> None:
    """A record that is not listed yet is no failure, and is polled at the interval."""
    cloud = ScriptedCloud(
        lambda look: {"b": [] if look < GRACE_LOOKS - 1 else [copied("r")]}, lambda _: {"r-copy"}
    )

    assert {"r": "r-copy"} == await cloud.wait({"r": "b"})
    assert cloud.now <= GRACE_LOOKS * 1.1 * INTERVAL_S
    assert "whose record is not to be seen" in cloud.progressed[0]


async def test_list_without_records_is_verified_by_single_reads() -> None:
    """If lists omit the records, single reads decide."""
    names = [f"b{number}" for number in range(4)]
    cloud = ScriptedCloud(
        lambda _: {name: [copied(f"r-{name}")] for name in names},
        lambda _: {f"r-{name}-copy" for name in names},
        shows_in_lists=False,
    )

    replicas = await cloud.wait({f"r-{name}": name for name in names})

    assert {f"r-{name}": f"r-{name}-copy" for name in names} == replicas


async def test_copies_that_lists_do_not_show_are_followed_one_by_one() -> None:
    """Running and failed copies are each read individually."""

    def script(look: int) -> dict[str, list[Record] | None]:
        last = [record("r-b3")] if look < 20 else [copied("r-b3")]
        failed = [record("r-b2", "fail")]
        return {"b0": [copied("r-b0")], "b1": [copied("r-b1")], "b2": failed, "b3": last}

    cloud = ScriptedCloud(
        script, lambda _: {"r-b0-copy", "r-b1-copy", "r-b3-copy"}, shows_in_lists=False
    )

    with pytest.raises(ReplicationsFailedError) as caught:
        await cloud.wait({f"r-b{number}": f"b{number}" for number in range(4)})

    assert ("r-b2",) == caught.value.record_ids
    assert cloud.look >= 20


async def test_late_replica_is_waited_for() -> None:
    """A record may say success before the destination shows the replica."""
    cloud = ScriptedCloud(
        lambda _: {"b": [copied("r")]},
        lambda look: {"r-copy"} if look >= GRACE_LOOKS - 1 else set(),
    )

    assert {"r": "r-copy"} == await cloud.wait({"r": "b"})
    assert "1 of 1 done; looking for the replicas in the destination" == cloud.progressed[0]


async def test_limit_is_kept_also_while_a_replica_is_looked_for() -> None:
    """The user's limit applies up to the end of the wait."""
    cloud = ScriptedCloud(lambda _: {"b": [copied("r")]})

    with pytest.raises(WaitTimeoutError, match="not all replicas seen after 25 s, 1 of 1 done"):
        await cloud.wait({"r": "b"}, timeout_s=25)
    assert 25 == pytest.approx(cloud.now)


async def test_invalid_progress_gives_no_wrong_output() -> None:
    """Progress that is missing, decreases, or is out of range causes no wrong output."""
    odd = [None, 70, 20, -5, 900, 40, None]

    def script(look: int) -> dict[str, list[Record] | None]:
        if look >= len(odd):
            return {"b": [copied("r")]}
        return {"b": [record("r", progress=odd[look])]}

    cloud = ScriptedCloud(script, lambda _: {"r-copy"})

    assert {"r": "r-copy"} == await cloud.wait({"r": "b"})
    shown = [line.partition("slowest: b-server (b) ")[2] for line in cloud.progressed]
    words = ["progress unknown", "70 %", "20 %", "0 %", "100 %", "40 %", "progress unknown"]
    assert words == [line.partition(",")[0] for line in shown]


async def test_failure_is_reported_once_while_others_run_and_again_at_the_end() -> None:
    """The line has the name, and control characters do not reach the terminal."""

    def script(look: int) -> dict[str, list[Record] | None]:
        bad = record("r1", "fail", extra_info={"fail_code": "X.1", "fail_reason": "a\x1b[2Jb\nc"})
        return {"b1": [bad], "b2": [record("r2") if look < 4 else copied("r2")]}

    cloud = ScriptedCloud(script, lambda _: {"r2-copy"})

    with pytest.raises(ReplicationsFailedError) as caught:
        await cloud.wait({"r1": "b1", "r2": "b2"})

    line = "b1-server (b1) to region 'cn-east-3': failed: X.1: a\ufffd[2Jb c"
    assert [f"{line}; the other copies are waited for"] == cloud.told
    assert str(caught.value).endswith(f":\n  {line}")
    assert ("r1",) == caught.value.record_ids


async def test_refused_credentials_end_the_wait() -> None:
    """Waiting could not help."""
    cloud = ScriptedCloud(lambda _: {"b": [record("r")]})
    refusal = {"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail"}
    cloud._answer = lambda request: httpx.Response(  # type: ignore[method-assign]
        401, json=refusal, request=request
    )

    with pytest.raises(AuthenticationError):
        await cloud.wait({"r": "b"})
    assert 0 == cloud.look


@pytest.mark.parametrize("count", [1, 5])
async def test_copies_without_a_status_end_with_their_replicas(count: int) -> None:
    """A record may tell no status. Its replica shows the end, many of them in one list."""
    names = [f"b{number}" for number in range(count)]

    def script(_: int) -> dict[str, list[Record] | None]:
        return {name: [{"id": f"r-{name}", "destination_backup_id": name + "x"}] for name in names}

    def replicas(look: int) -> set[str]:
        return {name + "x" for name in names} if look >= 3 else set()

    cloud = ScriptedCloud(script, replicas)

    found = await cloud.wait({f"r-{name}": name for name in names})

    assert {f"r-{name}": name + "x" for name in names} == found
    assert cloud.look >= 3
    singles = cloud.requests.count("destination backups/*")
    assert singles == (cloud.look + 1 if count == 1 else 0)


async def test_copy_without_a_status_or_a_replica_goes_on_until_the_limit() -> None:
    """Nothing tells that it has failed."""
    cloud = ScriptedCloud(lambda _: {"b": [{"id": "r"}]})

    with pytest.raises(WaitTimeoutError, match="1 still running"):
        await cloud.wait({"r": "b"}, timeout_s=500.0)


async def test_copy_whose_records_are_not_told_ends_with_its_replica() -> None:
    """The list of records may be left out; what was known before names the replica."""
    shown = [0, 1]

    def script(look: int) -> dict[str, list[Record] | None]:
        return {"b": [record("r", destination_backup_id="x")] if look in shown else UNTOLD}

    cloud = ScriptedCloud(script, lambda look: {"x"} if look > 4 else set())
    rows = cloud._rows
    cloud._rows = lambda project: [  # type: ignore[method-assign]
        {key: value for key, value in row.items() if value is not UNTOLD} for row in rows(project)
    ]

    assert {"r": "x"} == await cloud.wait({"r": "b"})


UNTOLD: list[Record] = []
