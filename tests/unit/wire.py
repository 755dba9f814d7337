"""A network that gives scripted answers to the real client, and records the requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import Api, CbrClient
from pulumi_huaweicloud_cbr.api.transport.retry import Pause, RetryBudget
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.config.settings import Settings

PROJECT = "c6cb0876eaee4f5092d0fdf4c4fc09b3"
SOURCE = ProjectScope("cn-north-4", PROJECT)
BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
RECORD = "22edc1e1-314b-4e5f-a443-a59fd79a71a8"
TOKEN = "token-that-nobody-may-read"
REQUEST = ReplicateRequest(
    destination_region="cn-east-3",
    destination_project_id="863129926600475a959e8f2efb991722",
    destination_vault_id="ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
)
# CBR API reference, CopyBackup.
ACCEPTED = {"replication": {"backup_id": BACKUP, "replication_record_id": RECORD}}
SHOWN = {"backup": {"id": BACKUP}}
THROTTLED = {"error_code": "APIGW.0308", "error_msg": "over ratelimit"}
BUSY = {"error_code": "BackupService.6130", "error_msg": "busy"}

START = 1_763_625_600.0
"""The start time of the clock in these tests: 2025-11-20, 08:00 UTC."""

Answer = httpx.Response | Exception
Operation = Callable[[CbrClient], Any]


class FakeClock:
    """A clock that only sleeping advances."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return the time slept so far."""
        return sum(self.slept)

    def wall_time(self) -> float:
        """Return the date and time, which only sleeping advances."""
        return START + self.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Advance the time."""
        self.slept.append(seconds)


class ManualClock:
    """A clock that a test sets, and that sleeping advances."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now

    def wall_time(self) -> float:
        """Return the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Advance the time."""
        self.now += seconds


class Wire:
    """A network that gives scripted answers, the last one repeatedly, and records the requests."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.clock = FakeClock()
        self.pauses: list[Pause] = []

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Return the next answer."""
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, httpx.RequestError):
            answer.request = request
        if isinstance(answer, Exception):
            raise answer
        return answer

    def client(self, budget: RetryBudget | None = None, **settings: Any) -> CbrClient:
        """Return a client on this network."""
        chosen = Settings.of(**({"token": TOKEN} | settings))
        return CbrClient(
            chosen,
            make_authenticator(chosen, self.clock),
            clock=self.clock,
            budget=budget,
            on_pause=self.pauses.append,
            transport=httpx.MockTransport(self.handle),
        )


async def get_backup(api: Api) -> Any:
    """Make a call that is repeatable."""
    return await api.get_backup(SOURCE, BACKUP)


async def replicate(api: Api) -> Any:
    """Make the call that is not repeatable."""
    return await api.replicate_backup(SOURCE, BACKUP, REQUEST)


async def delete_backup(api: Api) -> Any:
    """Delete."""
    await api.delete_backup(SOURCE, BACKUP)


async def rename_backup(api: Api) -> Any:
    """Rename."""
    return await api.rename_backup(SOURCE, BACKUP, "erp-db-dr-q4")


async def get_vault(api: Api) -> Any:
    """Read a vault."""
    return await api.get_vault(SOURCE, REQUEST.destination_vault_id)


async def list_projects(api: Api) -> Any:
    """Ask IAM."""
    return await api.list_projects("cn-east-3")


async def error_from(wire: Wire, operation: Operation, **settings: Any) -> CbrError:
    """Return the error that an operation raises."""
    async with wire.client(**settings) as api:
        with pytest.raises(CbrError) as caught:
            await operation(api)
    return caught.value
