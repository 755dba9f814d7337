"""Runs `check` against a simulator in this process, over a network that can fail."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

import httpx

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.wire.exchange import Response
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope, ReplicateRequest
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.stack import copies_in, read_state
from pulumi_huaweicloud_cbr.commands.account.check.command import look_at_account
from pulumi_huaweicloud_cbr.commands.account.check.examiner import Asked
from pulumi_huaweicloud_cbr.commands.account.check.report import Account
from pulumi_huaweicloud_cbr.commands.account.check.text import as_text
from pulumi_huaweicloud_cbr.config.settings import Settings
from simulator.testing import Control, InProcessSimulator
from tests.contract.rig import LONG_S, SimulatedClock, signed_with

NORTH_PROJECT = "c6cb0876eaee4f5092d0fdf4c4fc09b3"


class Network(httpx.AsyncBaseTransport):
    """Connects to the simulator, dates its answers, and fails for some addresses.

    Some host names cannot be resolved. All requests have the same id.
    """

    def __init__(self, simulator: InProcessSimulator) -> None:
        self._simulator = simulator
        self._inner = simulator.transport()
        self.silent = ""
        self.nameless = ""
        self.tried: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        if self.nameless and re.search(self.nameless, request.url.host):
            raise httpx.ConnectError("[Errno -2] Name or service not known", request=request)
        if self.silent and re.search(self.silent, request.url.path):
            self.tried.append(request.url.path)
            raise httpx.ConnectTimeout("timed out", request=request)
        response = await self._inner.handle_async_request(request)
        response.headers["X-Request-Id"] = "0123456789abcdef0123456789abcdef"
        response.headers["Date"] = formatdate(self._simulator.clock.now(), usegmt=True)
        return response


@dataclass
class Doctor:
    """The command, running against a simulator."""

    simulator: InProcessSimulator
    configured: dict[str, Any]
    environ: dict[str, str] = field(default_factory=dict)
    ahead_s: float = 0.0

    def __post_init__(self) -> None:
        self.network = Network(self.simulator)

    @property
    def control(self) -> Control:
        """Control of the simulator: what happens in the cloud without us."""
        return self.simulator.control

    def sign_with(self, credentials: dict[str, Any]) -> None:
        """Use these in place of the password."""
        self.configured = signed_with(self.configured, credentials)

    def shown(self, account: Account) -> str:
        """Return what is printed, with the ids of new objects replaced."""
        text = as_text(account) + "\n"
        for row, digit in (
            *((record, "1") for record in self.control.records()),
            *(
                (replica, "2")
                for replica in self.control.replicas()
                if replica["region"] == "cn-east-3"
            ),
        ):
            text = text.replace(row["id"], re.sub(r"\w", digit, row["id"]))
        return text

    def deny(self, operation: str) -> None:
        """Refuse an operation because a permission is missing."""
        body = {"error_code": "APIGW.0302", "error_msg": "The IAM user is not authorized."}
        self.control.fault(operation=operation, action="respond", status=403, body=body, times=99)

    def copy(
        self,
        backup_id: str,
        region: str,
        project_id: str,
        vault_id: str,
        description: str | None = None,
    ) -> None:
        """Copy a backup, wait for its end, and forget the requests."""
        source = ProjectScope("cn-north-4", NORTH_PROJECT)
        request = ReplicateRequest(region, project_id, vault_id, description=description)

        async def submit(api: CbrClient) -> None:
            await api.replicate_backup(source, backup_id, request)

        self._ask(submit)
        self.control.advance(LONG_S)
        self.control.clear_journal()

    def fetch_token(self, region: str, project_id: str) -> str:
        """Return a token as a user gets it from another tool."""
        scope = ProjectScope(region, project_id)
        tokens: list[str] = []

        async def sign_in(api: CbrClient) -> None:
            await api.list_backups(scope, limit=1)

        self._ask(sign_in, tokens)
        self.control.clear_journal()
        return tokens[0]

    def _ask(
        self, work: Callable[[CbrClient], Awaitable[None]], tokens: list[str] | None = None
    ) -> None:
        settings = Settings.load(self.configured.get, {})
        clock = SimulatedClock(self.simulator)

        def keep(answer: Response) -> None:
            if tokens is not None and "X-Subject-Token" in answer.headers:
                tokens.append(answer.headers["X-Subject-Token"])

        async def ask() -> None:
            async with CbrClient(
                settings,
                make_authenticator(settings, clock),
                clock=clock,
                on_answer=keep,
                transport=self.simulator.transport(),
            ) as api:
                await work(api)

        asyncio.run(ask())

    def look(
        self,
        *destinations: str,
        backup: str | None = None,
        owner: str | None = None,
        deployment: dict[str, Any] | None = None,
        is_listing: bool = False,
    ) -> Account:
        """Check the account.

        Args:
            owner: the stack that is meant.
            deployment: its state; None examines nothing that its configuration declares.
        """
        copies = () if deployment is None else copies_in(self.configured)
        return look_at_account(
            self.configured,
            self.environ,
            Asked(
                tuple(Scope(*at.split("/")) for at in destinations),
                backup,
                owner,
                copies,
                read_state(deployment or {}),
                is_listing,
            ),
            clock=SimulatedClock(self.simulator, self.ahead_s),
            transport=self.network,
        )
