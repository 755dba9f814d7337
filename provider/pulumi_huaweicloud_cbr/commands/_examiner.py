"""Looks at an account for `check`, reading only: each look goes on as far as it can.

A fault of one call hides nothing that the others show, but what can only fail in the same way is
not asked: refused credentials are sent once, so that nobody is locked out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import NamedTuple, TypeVar

import httpx

from pulumi_huaweicloud_cbr.auth import choose
from pulumi_huaweicloud_cbr.backoff import RetryBudget
from pulumi_huaweicloud_cbr.checks import or_error
from pulumi_huaweicloud_cbr.client import CbrClient
from pulumi_huaweicloud_cbr.clock import Clock
from pulumi_huaweicloud_cbr.commands import _permissions as permissions
from pulumi_huaweicloud_cbr.commands._account import (
    GRANTED,
    MISSING,
    UNKNOWN,
    Account,
    BackupLook,
    RegionLook,
    Remark,
    SignIn,
    VaultLook,
)
from pulumi_huaweicloud_cbr.commands._backup import see_backup
from pulumi_huaweicloud_cbr.commands._refusals import (
    ENDPOINT,
    OF_THE_WHOLE_REGION,
    PROJECT,
    SIGN_IN,
    remark_on,
)
from pulumi_huaweicloud_cbr.errors import CbrError, ConfigurationError, NotFoundError
from pulumi_huaweicloud_cbr.finders import find_destinations, find_project, find_replication_vaults
from pulumi_huaweicloud_cbr.models import ProjectScope
from pulumi_huaweicloud_cbr.preflight import check_region_pair, check_vault
from pulumi_huaweicloud_cbr.reporting import span
from pulumi_huaweicloud_cbr.responses import answered_at
from pulumi_huaweicloud_cbr.settings import Settings
from pulumi_huaweicloud_cbr.sharing import SharedClient
from pulumi_huaweicloud_cbr.signing import LARGEST_SKEW_S
from pulumi_huaweicloud_cbr.wire import Project, Vault

Found = TypeVar("Found")

# Somebody waits for the answer: a host that does not answer is given up within seconds.
TIMEOUTS = httpx.Timeout(connect=5.0, read=10.0, write=10.0, pool=15.0)
CALL_LIMIT_S = 15.0
BUDGET = RetryBudget(attempts=2, seconds=10.0, first_wait_s=0.5, longest_wait_s=2.0)

SKEW_WORTH_NOTING_S = 60.0


class Destination(NamedTuple):
    """A region to copy to; without a project, the one named like it is meant."""

    region: str
    project_id: str | None = None


@dataclass(frozen=True)
class Asked:
    """What the user wants to know; no destinations stands for all that the source can copy to."""

    destinations: tuple[Destination, ...] = ()
    backup_id: str | None = None


class ServiceClock:
    """How far this machine's clock is ahead of the service's, by the dates of its answers."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ahead_s: float | None = None

    def see(self, response: httpx.Response) -> None:
        """Take note of an answer's date."""
        there = answered_at(response)
        if there is None:
            return
        ahead_s = self._clock.wall_time() - there
        # What an answer takes on its way only adds to the difference.
        if self.ahead_s is None or abs(ahead_s) < abs(self.ahead_s):
            self.ahead_s = ahead_s


async def examine(
    settings: Settings,
    asked: Asked,
    *,
    clock: Clock,
    transport: httpx.AsyncBaseTransport | None = None,
) -> Account:
    """Return what can be seen of the account that these settings sign in to.

    Args:
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
        api = SharedClient(
            settings,
            choice.make(clock),
            clock=clock,
            budget=BUDGET,
            on_answer=service_clock.see,
            timeouts=TIMEOUTS,
            call_limit_s=CALL_LIMIT_S,
            transport=transport,
        )
    except ConfigurationError as error:
        account.remarks.append(Remark.of("settings", error))
        return account
    async with api:
        await _Examiner(api, settings, asked, account).examine()
    account.clock_ahead_s = service_clock.ahead_s
    _judge_clock(account)
    return account


class _Examiner:
    """One examination; what it sees goes into the account."""

    def __init__(self, api: CbrClient, settings: Settings, asked: Asked, account: Account) -> None:
        self._api = api
        self._settings = settings
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
            at = Destination(region, self._settings.project_id)
            account.source = self._look(at, is_source=True)
            await self._see_source(account.source)
        account.destinations = self._destinations()
        await asyncio.gather(*(self._see_destination(look) for look in account.destinations))
        self._judge_destinations()
        if self._asked.backup_id is not None:
            account.backup = BackupLook(self._asked.backup_id)
            await see_backup(self._api, account, account.backup)

    def _look(self, at: Destination, *, is_source: bool = False) -> RegionLook:
        return RegionLook(
            at.region,
            is_source,
            is_asked=is_source or bool(self._asked.destinations),
            cbr_url=self._settings.cbr_url(at.region),
            iam_url=self._settings.iam_url(at.region),
            given_project_id=at.project_id,
        )

    def _destinations(self) -> list[RegionLook]:
        source = self._account.source
        known = source.destinations if source else None
        wanted = self._asked.destinations or [Destination(region) for region in known or ()]
        return [self._look(at) for at in dict.fromkeys(wanted)]

    # -- regions --------------------------------------------------------------------------------

    async def _see_source(self, look: RegionLook) -> None:
        scope = await self._enter(look)
        if scope is None:
            return
        api = self._api
        found = await self._try(
            look, permissions.QUERY_CAPABILITY, lambda: find_destinations(api, scope)
        )
        if found is not None:
            look.destinations = tuple(sorted(found))
        await self._try_backups(look, scope, "backup")
        await self._try(
            look,
            permissions.LIST_TASKS,
            lambda: api.list_tasks(scope, limit=1, operation_type="replication"),
        )
        if look.destinations == ():
            look.add(
                Remark(
                    "destinations",
                    f"CBR copies from region {look.region!r} to no other",
                    "choose another source region, or ask the vendor's support",
                )
            )

    async def _see_destination(self, look: RegionLook) -> None:
        source = self._account.source
        if source and source.destinations is not None:
            pair = check_region_pair(source.region, look.region, frozenset(source.destinations))
            if pair:
                # Nothing is asked of a region that CBR does not copy to: it need not even exist.
                look.unseen_because = "CBR does not copy there"
                look.remarks += [Remark("destinations", finding.reason) for finding in pair]
                return
        if source and self._is_refused_everywhere(source):
            look.unseen_because = f"the credentials were refused in {source.region}"
            return
        scope = await self._enter(look)
        if scope is None:
            return
        api = self._api
        vaults = await self._try(
            look, permissions.LIST_VAULTS, lambda: find_replication_vaults(api, scope)
        )
        if vaults is not None:
            look.vaults = tuple(_vault_look(vault) for vault in vaults)
        if vaults:
            first_id = vaults[0].id
            await self._try(look, permissions.GET_VAULT, lambda: api.get_vault(scope, first_id))
        await self._try_backups(look, scope, "replication")

    async def _try_backups(self, look: RegionLook, scope: ProjectScope, image_type: str) -> None:
        """Read one backup, if there is one: whether that is allowed cannot be told without."""
        api = self._api
        backups = await self._try(
            look,
            permissions.LIST_BACKUPS,
            lambda: api.list_backups(scope, limit=1, image_type=image_type),
        )
        if backups:
            first_id = backups[0].id
            await self._try(look, permissions.GET_BACKUP, lambda: api.get_backup(scope, first_id))

    def _is_refused_everywhere(self, source: RegionLook) -> bool:
        # Of tokens for single projects, each may be good or bad.
        is_refused = any(remark.check == SIGN_IN for remark in source.remarks)
        return is_refused and not self._settings.tokens

    async def _enter(self, look: RegionLook) -> ProjectScope | None:
        """Return the project to work in, None where there is no way in."""
        given = look.given_project_id
        named = await or_error(find_project(self._api, look.region))
        if isinstance(named, Project):
            look.named_project_id = named.id
            self._account.id = self._account.id or named.domain_id
        else:
            remark = remark_on(look, named)
            if isinstance(named, ConfigurationError):
                remark = replace(remark, check=PROJECT)
            if given is None or not self._is_way_past(remark):
                look.add(remark)
                look.unseen_because = "its project could not be looked up"
                return None
            look.add(remark.as_note())
        look.project_id = given or look.named_project_id
        if look.project_id is None:
            return None
        return ProjectScope(look.region, look.project_id)

    def _is_way_past(self, remark: Remark) -> bool:
        """Whether a project whose id is given may be reached although IAM did not answer well."""
        if remark.check == ENDPOINT:
            # A password has to be shown to IAM first.
            return self._account.sign_in.way != "password"
        return remark.check != SIGN_IN

    async def _try(
        self, look: RegionLook, permission: str, call: Callable[[], Awaitable[Found]]
    ) -> Found | None:
        """Return what a call finds, and note what it tells of the permission that it needs."""
        if look.unseen_because:
            look.permissions[permission] = UNKNOWN
            return None
        found = await or_error(call())
        if isinstance(found, NotFoundError):
            # It was there a moment ago; that it is gone was told to somebody who may ask.
            look.permissions[permission] = GRANTED
            return None
        if not isinstance(found, CbrError):
            look.permissions[permission] = GRANTED
            return found
        remark = remark_on(look, found, permission)
        look.permissions[permission] = MISSING if remark.permission else UNKNOWN
        look.add(remark)
        look.unseen_because = OF_THE_WHOLE_REGION.get(remark.check)
        return None

    def _judge_destinations(self) -> None:
        for look in self._account.destinations:
            if look.vaults is None:
                continue
            if not look.vaults:
                look.add(
                    Remark(
                        "vaults",
                        f"no vault of type replication in project ({look.project_id}) of region "
                        f"{look.region!r}",
                        _MAKE_A_VAULT,
                    )
                )
            elif not look.usable_vaults:
                look.add(
                    Remark(
                        "vaults",
                        "no vault of type replication takes a copy at present",
                        "settle what stands beside one of them, or create another",
                    )
                )
        self._judge_together()

    def _judge_together(self) -> None:
        """Where no destination was named, one that is ready is enough, and none is a fault."""
        looks = self._account.destinations
        if not looks or self._asked.destinations or any(look.usable_vaults for look in looks):
            return
        if all(look.vaults is None and not look.remarks for look in looks):
            return  # none was looked at
        regions = ", ".join(look.region for look in looks)
        self._account.remarks.append(
            Remark(
                "vaults",
                f"no vault of type replication that takes a copy was found in {regions}",
                f"{_MAKE_A_VAULT}; the notes tell where looking was not possible",
            )
        )


_INSECURE = Remark(
    "settings",
    "huaweicloud:insecure (or HW_INSECURE) is set: anybody on the way can read and change requests",
    "for a private CA set huaweicloud:caFile (or HW_CA_FILE) instead",
    is_to_do=False,
)
_MAKE_A_VAULT = "create one there, for the kind of resource that the backups are of"


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


def _vault_look(vault: Vault) -> VaultLook:
    billing = vault.billing
    return VaultLook(
        vault.id,
        vault.name,
        billing.object_type,
        billing.status,
        billing.size,
        vault.free_gb,
        tuple(finding.reason for finding in check_vault(vault, None) if finding.is_certain),
    )
