"""Examine an account for `check`, as far as possible. Reads only.

A failed call does not stop the others. Only calls that would fail in the same way are skipped:
refused credentials are sent once, so that the user is not locked out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi_huaweicloud_cbr.api.auth.choose import choose
from pulumi_huaweicloud_cbr.api.auth.signing import LARGEST_SKEW_S
from pulumi_huaweicloud_cbr.api.cache import CachedApi
from pulumi_huaweicloud_cbr.api.client import Api, CbrClient
from pulumi_huaweicloud_cbr.api.transport.http import Timeouts, Transport
from pulumi_huaweicloud_cbr.api.transport.retry import RetryBudget
from pulumi_huaweicloud_cbr.api.wire.decoding import answered_at
from pulumi_huaweicloud_cbr.api.wire.exchange import Response
from pulumi_huaweicloud_cbr.base.clock import Clock
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import REGION_ID, span
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.stack import Copy, State
from pulumi_huaweicloud_cbr.commands.account.check.backup import see_backup
from pulumi_huaweicloud_cbr.commands.account.check.copies import note_backups, see_copies
from pulumi_huaweicloud_cbr.commands.account.check.refusals import SIGN_IN
from pulumi_huaweicloud_cbr.commands.account.check.region import (
    MAKE_A_VAULT,
    see_destination,
    see_source,
)
from pulumi_huaweicloud_cbr.commands.account.check.report import (
    Account,
    BackupLook,
    RegionLook,
    Remark,
    SignIn,
)
from pulumi_huaweicloud_cbr.config.settings import Settings

# The user waits for the result, so a host that does not answer is given up within seconds.
TIMEOUTS = Timeouts(connect_s=5.0, read_s=10.0, write_s=10.0, pool_s=15.0)
CALL_LIMIT_S = 15.0
BUDGET = RetryBudget(attempts=2, seconds=10.0, first_wait_s=0.5, longest_wait_s=2.0)

SKEW_WORTH_NOTING_S = 60.0


@dataclass(frozen=True)
class Asked:
    """What the user wants to know; no destinations means all that the source can copy to.

    `owner` is whose marks are those of the stack that is meant, None if no stack is. `copies` are
    what its configuration declares, and `state` is its state. `is_listing`: the backups of the
    source are listed.
    """

    destinations: tuple[Scope, ...] = ()
    backup_id: str | None = None
    owner: str | None = None
    copies: tuple[Copy, ...] = ()
    state: State = field(default_factory=State)
    is_listing: bool = False

    @property
    def named(self) -> tuple[Scope, ...]:
        """Return the destinations that the user named, or else those of the stack."""
        places = (copy.destination.scope for copy in self.copies)
        usable = (at for at in places if REGION_ID.fullmatch(at.region))
        return self.destinations or tuple(dict.fromkeys(usable))


class ServiceClock:
    """How far this machine's clock is ahead of the service's, by the dates of its answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_s: float | None = None

    def see(self, response: Response) -> None:
        """Note the date of an answer."""
        there = answered_at(response)
        if there is None:
            return
        ahead_s = self._clock.wall_time() - there
        # The time that an answer takes only adds to the difference.
        if self.ahead_s is None or abs(ahead_s) < abs(self.ahead_s):
            self.ahead_s = ahead_s


async def examine(
    settings: Settings,
    asked: Asked,
    *,
    clock: Clock,
    on_slow: Callable[[str], None],
    transport: Transport | None = None,
) -> Account:
    """Examine the account that these settings sign in to.

    Args:
        on_slow: reports what is being tried if it takes longer than usual.
        transport: replaces the network, in tests.
    """
    notes = [_INSECURE] if settings.insecure else []
    try:
        choice = choose(settings)
    except ConfigurationError as error:
        nobody = SignIn(None, "not at all", error.message)
        return Account(nobody, remarks=[*notes, Remark.of(SIGN_IN, error)])
    account = Account(SignIn(choice.way, choice.described, choice.reason), remarks=notes)
    service_clock = ServiceClock(clock)
    try:
        client = CbrClient(
            settings,
            choice.make(clock),
            clock=clock,
            budget=BUDGET,
            on_slow=on_slow,
            on_answer=service_clock.see,
            timeouts=TIMEOUTS,
            call_limit_s=CALL_LIMIT_S,
            transport=transport,
        )
    except ConfigurationError as error:
        account.remarks.append(Remark.of("settings", error))
        return account
    async with client:
        await _Examiner(CachedApi(client), asked, account, clock).examine()
    account.clock_ahead_s = service_clock.ahead_s
    _judge_clock(account)
    return account


class _Examiner:
    """One examination; its results go into the account."""

    def __init__(self, api: Api, asked: Asked, account: Account, clock: Clock) -> None:
        self._api = api
        self._clock = clock
        self._settings = api.settings
        self._asked = asked
        self._account = account

    async def examine(self) -> None:
        account, region = self._account, self._settings.region
        if region is None:
            account.remarks.append(
                Remark(
                    "settings",
                    "no source region is set",
                    "set huaweicloud:region (or HW_REGION_NAME) to where the backups are",
                )
            )
        else:
            at = Scope(region, self._settings.project_id)
            account.source = self._look(at, is_source=True)
            listed = await see_source(
                self._api, account, account.source, is_listing=self._asked.is_listing
            )
            if listed is not None:
                note_backups(account, listed, self._clock.wall_time())
        account.destinations = self._destinations()
        looks = (see_destination(self._api, account, look) for look in account.destinations)
        await asyncio.gather(*looks)
        self._judge_together()
        owner = self._settings.owner or self._asked.owner
        await see_copies(self._api, account, self._asked.copies, self._asked.state, owner)
        if self._asked.backup_id is not None:
            account.backup = BackupLook(self._asked.backup_id)
            await see_backup(self._api, account, account.backup, owner)

    def _look(self, at: Scope, *, is_source: bool = False) -> RegionLook:
        return RegionLook(
            at.region,
            is_source,
            is_asked=is_source or bool(self._asked.named),
            cbr_url=self._settings.cbr_url(at.region),
            iam_url=self._settings.iam_url(at.region),
            given_project_id=at.project_id,
        )

    def _destinations(self) -> list[RegionLook]:
        source = self._account.source
        known = source.destinations if source else None
        wanted = self._asked.named or [Scope(region) for region in known or ()]
        return [self._look(at) for at in dict.fromkeys(wanted)]

    def _judge_together(self) -> None:
        """If the user named no destination, one ready region is enough, and none is a fault."""
        looks = self._account.destinations
        if not looks or self._asked.named or any(look.usable_vaults for look in looks):
            return
        if all(look.vaults is None and not look.remarks for look in looks):
            return  # none was examined
        regions = ", ".join(look.region for look in looks)
        self._account.remarks.append(
            Remark(
                "vaults",
                f"no vault of type replication that takes a copy was found in {regions}",
                f"{MAKE_A_VAULT}; the notes tell where looking was not possible",
            )
        )


_INSECURE = Remark(
    "settings",
    "huaweicloud:insecure (or HW_INSECURE) is set: anybody on the way can read and change requests",
    "for a private CA set huaweicloud:caFile (or HW_CA_FILE) instead",
    is_to_do=False,
)


def _judge_clock(account: Account) -> None:
    ahead_s = account.clock_ahead_s
    if ahead_s is None or abs(ahead_s) < SKEW_WORTH_NOTING_S:
        return
    side = "ahead of" if ahead_s > 0 else "behind"
    remark = Remark(
        "clock",
        f"this machine's clock is {span(abs(ahead_s))} {side} the service's",
        "set it: signatures are refused when it is more than 15 minutes off",
    )
    # A refused signature says the same already.
    is_told = account.sign_in.way == "access_key" and any(
        told.check == SIGN_IN for look in account.regions for told in look.remarks
    )
    is_far_off = abs(ahead_s) > LARGEST_SKEW_S
    account.remarks.append(remark if is_far_off and not is_told else remark.as_note())
