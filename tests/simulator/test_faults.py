"""Faults: which requests they match, and what each action does."""

from __future__ import annotations

import time
from typing import Any

import anyio
import httpx
import pytest

from simulator.testing import Control
from tests.simulator.rig import (
    PASSWORD,
    REGION,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    SOURCE_REGION,
    Caller,
    code_of,
)

pytestmark = pytest.mark.anyio

BUSY = {"error_code": "APIGW.0308", "error_msg": "busy"}


# -- which requests -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "is_hit"),
    [
        ({}, True),
        ({"operation": "ShowBackup"}, True),
        ({"operation": "ListBackups"}, False),
        ({"method": "GET"}, True),
        ({"method": "PUT"}, False),
        ({"path": r"/backups/[0-9a-f-]+$"}, True),
        ({"path": r"^/backups"}, False),
        ({"backup_id": SERVER_BACKUP}, True),
        ({"backup_id": SMALL_BACKUP}, False),
        ({"region": SOURCE_REGION}, True),
        ({"region": REGION}, False),
        ({"operation": "ShowBackup", "region": REGION}, False),
    ],
    ids=str,
)
async def test_fault_hits_what_all_its_parts_fit(
    control: Control, source: Caller, rule: dict[str, Any], is_hit: bool
) -> None:
    """A rule applies to the requests that match all of its fields."""
    control.fault(action="respond", status=503, **rule)
    response = await source.call("GET", f"/backups/{SERVER_BACKUP}")

    assert (503 if is_hit else 200) == response.status_code
    assert (0 if is_hit else 1) == len(control.waiting_faults())


async def test_fault_skip_and_times_count_requests(control: Control, source: Caller) -> None:
    """A rule skips some requests, applies to some, and is then used up."""
    control.fault(operation="ListBackups", action="respond", status=503, skip=1, times=2)
    statuses = [(await source.call("GET", "/backups")).status_code for _ in range(4)]

    assert [200, 503, 503, 200] == statuses
    assert [] == control.waiting_faults()


async def test_faults_are_tried_in_order(control: Control, source: Caller) -> None:
    """The first matching rule is used, then the next."""
    for status in (500, 502):
        control.fault(action="respond", status=status)
    statuses = [(await source.call("GET", "/backups")).status_code for _ in range(3)]

    assert [500, 502, 200] == statuses


async def test_dropped_faults_do_not_hit(control: Control, source: Caller) -> None:
    """Rules that have not applied yet can be removed."""
    control.fault(action="respond", times=5)
    control.drop_faults()

    assert 200 == (await source.call("GET", "/backups")).status_code


@pytest.mark.parametrize(
    "rule",
    [
        {"operation": "ReplicateBackup"},
        {"action": "explode"},
        {"path": "("},
        {"times": 0},
        {"status": 42},
        {"method": "get"},
        {"operaton": "ShowBackup"},
    ],
    ids=str,
)
async def test_fault_that_could_never_hit_is_refused(
    control: Control, client: httpx.AsyncClient, rule: dict[str, Any]
) -> None:
    """A wrong rule is refused, so that no test waits for it in vain."""
    response = await client.post("/_simulator/faults", json=[rule])

    assert 422 == response.status_code
    assert next(iter(rule)) in response.json()["detail"]
    assert [] == control.waiting_faults()


# -- what happens -------------------------------------------------------------------------------


async def test_respond_answers_without_executing(control: Control, source: Caller) -> None:
    """The scripted answer is sent with its headers, and nothing is executed."""
    control.fault(action="respond", status=429, headers={"Retry-After": "7"}, body=BUSY)
    response = await source.replicate()

    assert (429, "APIGW.0308") == code_of(response)
    assert "7" == response.headers["Retry-After"]
    assert "application/json" == response.headers["Content-Type"]
    assert [] == control.records()


async def test_respond_text_is_sent_as_it_is(control: Control, source: Caller) -> None:
    """A text body represents what a proxy may send."""
    control.fault(action="respond", status=502, body="<html>bad gateway</html>")
    response = await source.call("GET", "/backups")

    assert (502, "<html>bad gateway</html>") == (response.status_code, response.text)


async def test_respond_after_executes(control: Control, source: Caller) -> None:
    """The request is executed, and another answer is sent."""
    control.fault(action="respond_after", status=504, body="timeout")
    response = await source.replicate()

    assert 504 == response.status_code
    assert 1 == len(control.records())


@pytest.mark.parametrize(("action", "count"), [("drop_before", 0), ("drop_after", 1)])
async def test_drop_breaks_the_connection(
    control: Control, source: Caller, action: str, count: int
) -> None:
    """The connection breaks, before or after the request is executed."""
    control.fault(operation="CopyBackup", action=action)
    with pytest.raises(httpx.ReadError):
        await source.replicate()

    (entry,) = control.journal(operation="CopyBackup")
    assert count == len(control.records())
    assert (None, action) == (entry["status"], entry["fault"])


async def test_truncate_after_breaks_off_the_answer(control: Control, source: Caller) -> None:
    """The request is executed, and its answer arrives in part."""
    control.fault(operation="CopyBackup", action="truncate_after", bytes=5)
    with pytest.raises(httpx.ReadError):
        await source.replicate()

    assert 1 == len(control.records())


async def test_pass_delay_waits_at_least_that_long(control: Control, source: Caller) -> None:
    """A slow answer takes real time."""
    control.fault(action="pass", delay_s=0.05)
    began = time.monotonic()
    response = await source.call("GET", "/backups")

    assert time.monotonic() - began >= 0.05
    assert 200 == response.status_code


@pytest.mark.parametrize(("action", "count"), [("hold_before", 0), ("hold_after", 1)])
async def test_hold_waits_for_release(
    control: Control, source: Caller, action: str, count: int
) -> None:
    """A held request is answered once it is released; others continue meanwhile."""
    control.fault(operation="CopyBackup", action=action)
    answers: list[int] = []

    async def ask() -> None:
        answers.append((await source.replicate()).status_code)

    with anyio.fail_after(30):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            # Only the control routes show how far the request has come.
            while control.waiting_faults() or len(control.records()) < count:  # noqa: ASYNC110
                await anyio.sleep(0.001)
            others = await source.call("GET", "/backups")
            held = list(answers), len(control.records())
            control.release()

    assert 200 == others.status_code
    assert ([], count) == held
    assert [200] == answers
    assert 1 == len(control.records())


@pytest.mark.parametrize("action", ["exit_before", "exit_after"])
async def test_exit_without_a_process_of_its_own_is_an_error(
    control: Control, source: Caller, action: str
) -> None:
    """A simulator inside a test never ends the test's process."""
    control.fault(action=action)
    with pytest.raises(RuntimeError, match="a process of its own"):
        await source.call("GET", "/backups")


async def test_control_routes_are_never_hit(control: Control) -> None:
    """Faults apply to the cloud's routes."""
    control.fault(action="respond", times=9)

    assert 11 == len(control.state()["backups"]) + len(control.replicas())
    assert 1 == len(control.waiting_faults())


# -- the journal --------------------------------------------------------------------------------


async def test_journal_has_each_request(control: Control, source: Caller) -> None:
    """The journal has each request as it arrived, with its answer's status."""
    control.clear_journal()
    response = await source.client.put(
        f"/regions/{SOURCE_REGION}/v3/{SOURCE_PROJECT}/backups/{SERVER_BACKUP}?a=b%20c",
        json={"backup": {"name": "x"}},
        headers={"X-Auth-Token": source.token},
    )
    (entry,) = control.journal()

    wanted = {
        "method": "PUT",
        "path": f"/v3/{SOURCE_PROJECT}/backups/{SERVER_BACKUP}",
        "query": "a=b c",
        "operation": "UpdateBackup",
        "region": SOURCE_REGION,
        "has_region_prefix": True,
        "project_id": SOURCE_PROJECT,
        "backup_id": SERVER_BACKUP,
        "body": {"backup": {"name": "x"}},
        "status": response.status_code,
        "fault": None,
    }
    assert wanted == {key: entry[key] for key in wanted}
    assert "x-auth-token" in entry["headers"]


async def test_journal_filters_narrow_it(control: Control, source: Caller) -> None:
    """The journal shows how often something was requested, and what came since."""
    await source.begin_copy()
    await source.show(SMALL_BACKUP)
    last = control.journal()[-1]["sequence"]
    await source.call("GET", "/nothing")

    assert 1 == len(control.journal(operation="CopyBackup", backup_id=SERVER_BACKUP))
    assert 0 == len(control.journal(operation="CopyBackup", backup_id=SMALL_BACKUP))
    assert ["CreateToken", "CopyBackup"] == [
        entry["operation"] for entry in control.journal(method="POST")
    ]
    assert [(None, 404)] == [
        (entry["operation"], entry["status"]) for entry in control.journal(since=last)
    ]


async def test_journal_holds_no_secret(control: Control, source: Caller) -> None:
    """Passwords and tokens in a body are redacted, and headers are only named."""
    identity = {
        "methods": ["password", "token"],
        "password": {"user": {"name": "u", "password": PASSWORD}, "password": PASSWORD},
        "token": {"id": source.token},
    }
    await source.client.post("/v3/auth/tokens", json={"auth": {"identity": identity}})
    await source.client.post("/v3/auth/tokens", content=f'{{"password": "{PASSWORD}"')
    await source.show(SERVER_BACKUP)

    written = str(control.journal())
    assert "[hidden]" in written
    assert PASSWORD not in written
    assert source.token not in written
