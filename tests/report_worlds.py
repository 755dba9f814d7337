"""Reports of any size and shape, for tests of what shows them: the same report for the same seed.

The figures fit each other as those of a real report do: counts of copies, verdicts, flows.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pulumi_huaweicloud_cbr.commands.report.model import (
    IN_STATE,
    MET,
    MISSED,
    ORPHAN,
    OTHER_STACK,
    RUNNING,
    UNJUDGED,
    UNMARKED,
    UNSEEN,
    UNUSABLE,
    USABLE,
    VERDICTS,
    Area,
    CopyLook,
    Failure,
    Flow,
    Report,
    Resource,
    There,
    VaultLook,
)

NOW = datetime(2026, 11, 30, 6, 0, tzinfo=UTC)
DAY_S = 86_400
HOUR_S = 3_600

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</title></style></script><svg onload=alert(1)>",
    "{{ 7*7 }}{% raw %}",
    "a\"b'c\\d`e",
    "two\nlines\r\nand\ttabs",
    "\x00\x07\x1b[31m\x7f\x85",
    "\u202egnp.exe\u202c\u200b",
    "\ud800 half, \ufffe\uffff none",
    "]]>&amp;<!--&#0;",
    "web-01",
    "web-01",
    "",
    "日本語の名前-😀",
    "x" * 300,
    "javascript:alert(1)",
)
"""Texts that a name in a cloud may have, among them two that are equal."""


@dataclass
class World:
    """What a made-up report is made from."""

    servers: int = 12
    sources: Sequence[str] = ("cn-north-4", "cn-east-3")
    destinations: Sequence[str] = ("cn-southwest-2", "cn-south-1", "ap-southeast-3")
    copies: int = 20
    """At most this many copies of a server in a region."""
    unseen: frozenset[str] = frozenset()
    is_hostile: bool = False
    rpo_s: int | None = DAY_S
    has_prices: bool = False
    remarks: tuple[str, ...] = ()
    seed: int = 1
    random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def report(self) -> Report:
        """Return the report."""
        resources: list[Resource] = []
        copies: list[CopyLook] = []
        failures: list[Failure] = []
        for number in range(self.servers):
            of, its_copies, its_failures = self._resource(number)
            resources.append(of)
            copies += its_copies
            failures += its_failures
        resources.sort(key=lambda one: VERDICTS.index(one.verdict))
        return Report(
            made_at=f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
            stacks=("prod-dr", self._text("archive", 2)),
            rpo_s=self.rpo_s,
            currency="EUR" if self.has_prices else None,
            areas=tuple(self._areas()),
            resources=tuple(resources),
            copies=tuple(copies),
            failures=tuple(failures),
            vaults=tuple(self._vaults()),
            flows=tuple(self._flows(resources, copies)),
            remarks=tuple(self._text(one, number) for number, one in enumerate(self.remarks)),
        )

    def _text(self, plain: str, number: int) -> str:
        return HOSTILE[number % len(HOSTILE)] if self.is_hostile else plain

    def _areas(self) -> list[Area]:
        both = dict.fromkeys((*self.sources, *self.destinations))
        return [
            Area(
                region,
                None if region in self.unseen else f"{number:032x}",
                region in self.sources,
                region in self.destinations,
                backup_count=40 if region in self.sources else 0,
                replica_count=30 if region in self.destinations else 0,
                unseen_because=self._text("the service answered 503 after 5 attempts", 1)
                if region in self.unseen
                else None,
            )
            for number, region in enumerate(both)
        ]

    def _resource(self, number: int) -> tuple[Resource, list[CopyLook], list[Failure]]:
        kind = self.random.choice(("web", "db", "erp", "mail", "files"))
        name = self._text(f"{kind}-{number:02}", number)
        key = f"{number:08x}-aaaa-4bbb-8ccc-0123456789ab"
        source = None
        if self.sources and self.random.random() > 0.04:
            source = self.random.choice(self.sources)
        wanted = self.random.sample(
            self.destinations,
            k=min(len(self.destinations), self.random.choice((0, *(1,) * 12, *(2,) * 6))),
        )
        rpo_s = self.random.choice((self.rpo_s, 4 * HOUR_S, DAY_S, DAY_S)) if self.rpo_s else None
        there: list[There] = []
        copies: list[CopyLook] = []
        failures: list[Failure] = []
        size_gb = self.random.choice((40, 100, 250, 1_024))
        for region in wanted:
            region_copies, region_failures = self._copies(key, region, size_gb, number)
            copies += region_copies
            failures += region_failures
            there.append(
                _there(region, region_copies, region_failures, rpo_s, region in self.unseen)
            )
        verdict = min((one.verdict for one in there), key=VERDICTS.index, default=UNJUDGED)
        if source is None:
            verdict = UNJUDGED
        elif not there and self.rpo_s is not None:
            verdict = UNSEEN if self.unseen else MISSED
        owner, tier = self.random.choice(
            (("erp-team", "gold"), ("web-team", "silver"), (None, None))
        )
        resource = Resource(
            key=key,
            id=key if number % 7 else None,
            name=name,
            type=self.random.choice(("OS::Nova::Server", "OS::Sfs::Turbo", None)),
            source_region=source,
            source_project_id="0" * 32 if source else None,
            vault_name=self._text("daily", number + 3) if source else None,
            backup_count=self.random.randrange(1, 30) if source else 0,
            newest_backup_at=_at(5 * HOUR_S) if source else None,
            newest_backup_age_s=5 * HOUR_S if source else None,
            rpo_s=rpo_s if source else None,
            owner=self._text(owner, number + 1) if owner else None,
            tier=self._text(tier, number + 2) if tier else None,
            entries=("nightly",) if wanted else (),
            verdict=verdict,
            reason=self._text(_reason(there, verdict), number + 5),
            there=tuple(there),
        )
        return resource, copies, failures

    def _copies(
        self, key: str, region: str, size_gb: int, number: int
    ) -> tuple[list[CopyLook], list[Failure]]:
        if region in self.unseen:
            return [], []
        count = self.random.randrange(self.copies // 2, self.copies + 1)
        if self.random.random() < 0.05:
            count = 0
        step = self.random.choice((0.5, 1, 1, 1, 7)) * DAY_S
        start = self.random.choice((*(2 * HOUR_S, 3 * HOUR_S) * 8, 30 * HOUR_S, 9 * DAY_S))
        copies = []
        for index in range(count):
            # Now and then a night without a copy.
            if self.random.random() < 0.1:
                continue
            age_s = int(start + index * step)
            is_first = index == 0
            state = self.random.choice((RUNNING, *(USABLE,) * 12)) if is_first else USABLE
            if self.random.random() < 0.01:
                state = UNUSABLE
            owner = self.random.choice((IN_STATE,) * 8 + (OTHER_STACK, ORPHAN, UNMARKED))
            copies.append(
                CopyLook(
                    id=None
                    if state == RUNNING
                    else f"{self.random.randrange(16**8):08x}-1111-4222-8333-000000000000",
                    name=self._text(f"autobk_{self.random.randrange(16**4):04x}", number + index),
                    resource_key=key,
                    region=region,
                    project_id="1" * 32,
                    vault_id="2" * 32,
                    backup_id=f"{index:08x}-5555-4666-8777-000000000000",
                    made_at=_at(age_s),
                    age_s=age_s,
                    is_time_of_copy=owner == UNMARKED,
                    size_gb=size_gb,
                    state=state,
                    owner=owner,
                    held_by=self._text("nightly", number) if owner == IN_STATE else None,
                )
            )
        failures = []
        if self.random.random() < 0.12:
            failures.append(
                Failure(
                    key,
                    region,
                    "99999999-5555-4666-8777-000000000000",
                    self._text("autobk_9f1c", number),
                    _at(2 * HOUR_S),
                    _at(HOUR_S),
                    self._text("the destination vault has no room left (BackupService.6321)", 4),
                )
            )
        return copies, failures

    def _vaults(self) -> list[VaultLook]:
        return [
            VaultLook(
                region,
                f"{number:032x}",
                f"{number:08x}-7777-4888-8999-000000000000",
                self._text(f"dr-{region}", number),
                takes_replicas=region in self.destinations,
                size_gb=10_000,
                used_gb=None if number == 1 else 4_000.0 + 1_900 * number,
                free_gb=None if number == 1 else 6_000.0 - 1_900 * number,
                copy_count=12 * number,
                added_gb=600 * number,
                full_in_days=None if number < 2 else 90 // number,
            )
            for number, region in enumerate(dict.fromkeys((*self.sources, *self.destinations)))
        ]

    def _flows(self, resources: list[Resource], copies: list[CopyLook]) -> list[Flow]:
        source_of = {one.key: one.source_region for one in resources}
        groups: dict[tuple[str | None, str], list[CopyLook]] = defaultdict(list)
        for copy in copies:
            if copy.state == USABLE:
                groups[source_of[copy.resource_key], copy.region].append(copy)
        missed = [
            (one.source_region, there.region)
            for one in resources
            for there in one.there
            if there.verdict == MISSED
        ]
        flows = []
        for (source, region), members in groups.items():
            size_gb = sum(one.size_gb for one in members)
            flows.append(
                Flow(
                    source,
                    region,
                    len({one.resource_key for one in members}),
                    len(members),
                    size_gb,
                    missed.count((source, region)),
                    added_gb=size_gb // 3,
                    storage=round(size_gb * 0.021, 2) if self.has_prices else None,
                    transfer=round(size_gb / 3 * 0.05, 2) if self.has_prices else None,
                )
            )
        return flows


def _at(age_s: float) -> str:
    return f"{NOW - timedelta(seconds=age_s):%Y-%m-%dT%H:%M:%S.000000}"


def _there(
    region: str,
    copies: list[CopyLook],
    failures: list[Failure],
    rpo_s: int | None,
    is_unseen: bool,
) -> There:
    usable = [one for one in copies if one.state == USABLE]
    newest = min(usable, key=lambda one: one.age_s or 0, default=None)
    age_s = newest.age_s if newest else None
    verdict = UNJUDGED
    if rpo_s is not None:
        verdict = MET if age_s is not None and age_s <= rpo_s else MISSED
        if verdict == MISSED and is_unseen:
            verdict = UNSEEN
    return There(
        region,
        is_wanted=True,
        verdict=verdict,
        count=len(usable),
        size_gb=sum(one.size_gb for one in usable),
        running_count=sum(one.state == RUNNING for one in copies),
        unusable_count=sum(one.state == UNUSABLE for one in copies),
        failure_count=len(failures),
        newest_id=newest.id if newest else None,
        newest_made_at=newest.made_at if newest else None,
        newest_age_s=age_s,
        is_time_of_copy=newest is not None and newest.is_time_of_copy,
        last_failure=failures[-1].reason if failures else None,
        rpo_s=rpo_s,
    )


def _reason(there: list[There], verdict: str) -> str:
    if verdict == MISSED:
        late = next((one for one in there if one.verdict == MISSED), None)
        if late is None or late.newest_age_s is None:
            return f"no usable copy in {late.region if late else 'another region'}"
        return f"the newest copy in {late.region} is {late.newest_age_s // HOUR_S} h old"
    return "its region could not be read" if verdict == UNSEEN else ""


def worlds() -> dict[str, Report]:
    """Return the reports that each form has to show, by name."""
    return {
        "empty": Report(made_at="2026-11-30T06:00:00Z"),
        "no time": Report(made_at="soon"),
        "no destinations": World(destinations=()).report(),
        "no sources": World(sources=()).report(),
        "no objective": World(rpo_s=None, seed=3).report(),
        "all unseen": World(
            unseen=frozenset({"cn-southwest-2", "cn-south-1", "ap-southeast-3"}), seed=4
        ).report(),
        "one unseen": World(
            unseen=frozenset({"cn-south-1"}), remarks=("state of stack archive: no login",), seed=5
        ).report(),
        "priced": World(has_prices=True, seed=6).report(),
        "hostile": World(
            is_hostile=True,
            sources=("cn-north-4", HOSTILE[0], HOSTILE[1]),
            destinations=("cn-southwest-2", HOSTILE[2], HOSTILE[6], HOSTILE[8], "x" * 200),
            servers=40,
            unseen=frozenset({HOSTILE[2]}),
            remarks=("one", "two"),
            has_prices=True,
            seed=7,
        ).report(),
        **{
            f"random {seed}": World(servers=seed * 3, copies=seed * 2, seed=seed).report()
            for seed in (8, 9)
        },
    }


def large(servers: int = 600, copies: int = 5_000) -> Report:
    """Return a report of this many servers, and about as many copies, in three regions."""
    per_region = max(1, round(copies / servers / 0.84))
    return World(servers=servers, copies=per_region, has_prices=True, seed=11).report()
