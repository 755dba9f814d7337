"""`report` against the simulator: its figures are those of the database."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS
from pulumi_huaweicloud_cbr.commands.report.asking import ask
from pulumi_huaweicloud_cbr.commands.report.command import account_of, exit_of, make_report
from pulumi_huaweicloud_cbr.commands.report.model import MISSED, UNJUDGED, UNSEEN, Area, Report
from pulumi_huaweicloud_cbr.commands.report.prices import Prices
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.html.page import as_page
from pulumi_huaweicloud_cbr.commands.report.show.text import as_text
from tests.contract.reporting import (
    REGIONS,
    STACK,
    TEXT,
    ReportWorld,
    figures,
    make_world,
    printed,
    verdict_in,
    wanted_figures,
)
from tests.contract.rig import WRITES, SimulatedClock

pytestmark = pytest.mark.simulator_only

DENIED = {"error_code": "APIGW.0302", "error_msg": "The IAM user is not authorized."}


@pytest.fixture
def world() -> Iterator[ReportWorld]:
    """A random world with everything in it."""
    made = make_world(5, servers=12)
    yield made
    made.simulator.close()


def deny(world: ReportWorld, region: str) -> None:
    """Refuse to list backups in a region."""
    world.simulator.control.fault(
        operation="ListBackups", region=region, action="respond", status=403, body=DENIED, times=99
    )


@pytest.mark.parametrize(
    "seed", [*range(8), *(pytest.param(one, marks=pytest.mark.full) for one in range(8, 200))]
)
def test_figures_are_those_of_the_database(seed: int) -> None:
    """Counts, sizes, ages, failures, owners and verdicts of a random world."""
    world = make_world(seed)
    rpo_s = 30 * 3600 if seed % 2 else None

    report = world.look(rpo_s=rpo_s)

    wanted = wanted_figures(world.expected(rpo_s))
    for name, found in figures(report):
        assert wanted[name] == found, name
    assert report.is_complete
    world.simulator.close()


class _SlowTransport(httpx.AsyncBaseTransport):
    """Answers after a latency that nobody waits for: `now_s` is what the longest chain takes."""

    def __init__(self, inner: httpx.AsyncBaseTransport, latency_s: float) -> None:
        self._inner = inner
        self._latency_s = latency_s
        self.now_s = 0.0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answered_s = self.now_s + self._latency_s
        response = await self._inner.handle_async_request(request)
        # Requests that are sent before this answer do not wait for it.
        self.now_s = max(self.now_s, answered_s)
        return response


def test_five_thousand_backups_take_few_requests() -> None:
    """40 servers in 3 regions: at most 8 requests to each, and few of them in a row."""
    world = make_world(1, servers=40, nights=80)
    slow = _SlowTransport(world.simulator.transport(), latency_s=0.2)

    report = world.look(transport=slow)

    assert 5000 <= sum(one.backup_count + one.replica_count for one in report.areas)
    wanted = wanted_figures(world.expected())
    for name, found in figures(report):
        assert wanted[name] == found, name
    requests = Counter(one["region"] for one in world.simulator.control.journal())
    assert set(REGIONS) == set(requests)
    assert max(requests.values()) <= 8, requests
    # The machine's part is measured by itself: it leaves the rest of five seconds for it.
    assert slow.now_s <= 3
    world.simulator.close()


# -- what cannot be read ------------------------------------------------------------------------


def test_region_that_cannot_be_read_stops_no_other(world: ReportWorld) -> None:
    """Objectives that need the region are not judged; the others are, and the exit code is 3."""
    deny(world, "cn-south-1")

    report = world.look()

    (unseen,) = report.unseen
    assert unseen.region == "cn-south-1"
    assert "APIGW.0302" in str(unseen.unseen_because)
    wanted = {one.region for row in report.having(UNSEEN) for one in row.there if one.is_wanted}
    assert "cn-south-1" in wanted
    assert not any(
        one.verdict == MISSED
        for row in report.resources
        for one in row.there
        if one.region == "cn-south-1"
    )
    assert {one.verdict for one in report.resources} >= {MISSED, UNSEEN}
    assert "NOT READ" in as_text(report)
    is_missed = bool(report.having(MISSED))
    assert (Exit.TO_DO if is_missed else Exit.INCOMPLETE) == exit_of(report)


def test_only_unread_regions_give_their_own_exit_code(world: ReportWorld) -> None:
    """Without a missed objective, an unread region is told by the exit code 3."""
    for region in REGIONS:
        deny(world, region)

    report = world.look()

    assert Exit.INCOMPLETE == exit_of(report) == 3
    assert not report.having(MISSED)
    assert len(REGIONS) == len(report.unseen)


def test_source_that_cannot_be_read_is_not_told_as_gone(world: ReportWorld) -> None:
    """Its copies are told with the reason why nothing else is known of their servers."""
    deny(world, "cn-north-4")

    report = world.look()

    sourceless = [one for one in report.resources if one.source_region is None]
    assert sourceless
    assert {"cn-north-4 could not be read, so only its copies were seen"} == {
        one.reason for one in sourceless
    }
    assert not [one for one in report.without_copy if one.verdict == UNSEEN]
    assert "is gone" not in as_text(report, shows_all=True)
    assert "source gone" not in as_page(cleaned(report))


def test_server_without_a_copy_in_what_was_read(world: ReportWorld) -> None:
    """Where a destination was not read, neither form says that no copy exists."""
    deny(world, "cn-south-1")

    report = world.look()

    assert [one for one in report.without_copy if one.verdict == UNJUDGED]
    assert "No copy in the regions that were read, and no objective" in as_text(report)
    assert "without a copy that was seen" in as_page(cleaned(report))
    assert "none in any region" not in as_page(cleaned(report))
    assert "cn-south-1 not known" in as_text(report)
    assert as_text(report).endswith("objectives missed.")
    assert "Not everything could be read: see NOT READ." in as_text(report)


def test_nothing_that_could_be_read_is_not_told_as_nothing_to_protect() -> None:
    unread = Area("cn-north-4", None, True, False, 0, 0, "there are no credentials")

    told = as_text(Report("2026-11-20T08:00:00Z", areas=(unread,)))

    assert told.startswith("No server, file system or disk was seen: not every region could be")


def test_vaults_that_cannot_be_listed_are_a_remark(world: ReportWorld) -> None:
    """Copies are judged all the same; rooms are missing, and the report is not complete."""
    world.simulator.control.fault(
        operation="ListVault",
        region="cn-east-3",
        action="respond",
        status=403,
        body=DENIED,
        times=9,
    )

    report = world.look()

    assert not report.unseen
    assert ["vaults in cn-east-3"] == [one[:19] for one in report.remarks]
    assert "cn-east-3" not in {one.region for one in report.vaults}
    assert not report.is_complete


def test_no_source_region_is_an_error() -> None:
    """The message names the option and the setting."""
    with pytest.raises(ConfigurationError) as caught:
        account_of(None, {}, {}, None)

    assert (
        "reporting on copies: no source region is known; name one with --source, or set "
        "huaweicloud:region (or HW_REGION_NAME)" == str(caught.value)
    )


def test_entries_get_the_projects_that_they_mean(world: ReportWorld) -> None:
    """Another account has another default project in the same region."""
    account = account_of(STACK, world.configured, {}, world.deployment)

    seen = asyncio.run(
        ask([account], SimulatedClock(world.simulator), transport=world.simulator.transport())
    )

    projects = {(one.region, one.project_id) for one in seen.areas}
    assert seen.declared
    for entry in seen.declared:
        assert (entry.source_region, entry.source_project_id) in projects
        assert set(entry.destinations) <= projects


# -- what is asked ------------------------------------------------------------------------------


def test_nothing_is_changed_and_no_secret_is_shown(world: ReportWorld) -> None:
    """The only POST requests are sign-ins."""
    report = world.look()

    shown = as_text(report, shows_all=True) + json.dumps(report.to_json())
    assert "not-a-secret" not in shown
    journal = world.simulator.control.journal()
    assert {"CreateToken"} == {one["operation"] for one in journal if one["method"] in WRITES}


def test_named_destinations_are_all_that_is_read(world: ReportWorld) -> None:
    """With --destination, regions that only records name are left alone."""
    account = account_of(
        None,
        {key: value for key, value in world.configured.items() if key.startswith("huawei")},
        {},
        None,
        destinations=[Scope("cn-south-1")],
    )

    report = make_report(
        [account], SimulatedClock(world.simulator), transport=world.simulator.transport()
    )

    assert {("cn-north-4", True), ("cn-south-1", False)} == {
        (one.region, one.is_source) for one in report.areas
    }


def test_without_a_stack_destinations_come_from_the_records(world: ReportWorld) -> None:
    """Marks tell the owners then, and --rpo is the only objective."""
    settings = {key: value for key, value in world.configured.items() if key.startswith("huawei")}
    account = account_of(None, settings, {}, None)

    report = make_report(
        [account],
        SimulatedClock(world.simulator),
        rpo_s=26 * 3600,
        transport=world.simulator.transport(),
    )

    assert set(REGIONS) == {one.region for one in report.areas}
    assert {"other_stack", "unmarked"} == {one.owner for one in report.copies}
    expected = world.expected()
    home = {one.key: one for one in report.resources if one.source_region == "cn-north-4"}
    assert home
    for key, resource in home.items():
        assert verdict_in(expected, key, REGIONS, 26 * 3600) == resource.verdict


def test_two_stacks_of_one_account_share_what_was_read(world: ReportWorld) -> None:
    """Each region's backups are listed once, and the stack that has a replica tells it."""
    first = account_of(STACK, world.configured, {}, world.deployment)
    second = account_of(
        "other", world.configured, {}, {"resources": []}, default_owner=lambda: "p/other"
    )
    world.simulator.control.clear_journal()

    report = make_report(
        [second, first], SimulatedClock(world.simulator), transport=world.simulator.transport()
    )

    assert ("other", STACK) == report.stacks
    lists = Counter(
        one["region"] for one in world.simulator.control.journal(operation="ListBackups")
    )
    assert dict.fromkeys(REGIONS, 1) == dict(lists)
    wanted = wanted_figures(world.expected())
    assert wanted["owners"] == dict(figures(report))["owners"]
    assert wanted["undeclared"] == dict(figures(report))["undeclared"]


def test_prices_give_costs(world: ReportWorld) -> None:
    """A place without a price of its own has the default, or no cost."""
    prices = Prices("CNY", {"cn-east-3": 0.25}, {"default": 2.0})
    account = account_of(STACK, world.configured, {}, world.deployment)

    report = make_report(
        [account],
        SimulatedClock(world.simulator),
        prices=prices,
        transport=world.simulator.transport(),
    )

    for flow in report.flows:
        wanted = round(flow.size_gb * 0.25, 2) if flow.region == "cn-east-3" else None
        assert wanted == flow.storage
        assert round(flow.added_gb * 2.0, 2) == flow.transfer
    assert "in CNY" in as_text(report)


def test_text_is_printed_word_for_word() -> None:
    """What needs a person comes first, with what may explain it."""
    assert TEXT.read_text() == printed()


def test_text_fits_in_its_columns(world: ReportWorld) -> None:
    """No line has more than 100 columns, whatever is listed."""
    for shows_all in (False, True):
        text = as_text(world.look(rpo_s=3600), shows_all=shows_all)
        assert [] == [line for line in text.splitlines() if len(line) > COLUMNS]
