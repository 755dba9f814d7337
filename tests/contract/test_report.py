"""`report` against the simulator: its figures are those of the database."""

from __future__ import annotations

from collections import Counter

import httpx
import pytest

from tests.contract.reporting import REGIONS, figures, make_world, wanted_figures

pytestmark = pytest.mark.simulator_only


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
