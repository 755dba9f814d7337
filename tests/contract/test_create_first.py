"""A replacement that creates first: it returns when the new copies have succeeded (0026)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from pulumi_huaweicloud_cbr import CbrError, InterruptedWaitError
from pulumi_huaweicloud_cbr.config.settings import Settings
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError
from pulumi_huaweicloud_cbr.engine.session import Session, use_session
from simulator.cloud.specs import CopyScript
from simulator.testing import Control, InProcessSimulator
from simulator.worlds.fleet import (
    DESTINATION_REGIONS,
    FLEET_ACCOUNT,
    FLEET_PASSWORD,
    FLEET_USER,
    SOURCE_REGION,
    fleet_world,
)
from tests.contract.engine import Engine
from tests.contract.owned import FORMS, SOUTH, WEB_1, declared
from tests.contract.rig import BACKUP, LONG_S, SimulatedClock

pytestmark = pytest.mark.simulator_only

MEMBERS = 60
COPY_S = 1000.0
BROKEN = {"mode": "immediate", "outcome": "fail"}


def in_region(control: Control, region: str) -> list[str]:
    """Return the ids of the replicas in a region; the demo world has none there."""
    return [row["id"] for row in control.replicas() if row["region"] == region]


@FORMS
def test_create_first_ends_with_the_new_copies(
    settled: Engine, control: Control, form: str
) -> None:
    """The state has the new replicas, which exist, and the old ones are deleted afterwards."""
    settled.up(declared(form, **SOUTH))

    (row,) = settled.state
    rows = row.outputs.get("members", {"": row.outputs})
    assert {"success"} == {row["status"] for row in rows.values()}
    assert sorted(in_region(control, "cn-south-1")) == sorted(
        row["destination_backup_id"] for row in rows.values()
    )
    assert [] == in_region(control, "cn-east-3")


@FORMS
def test_create_first_that_fails_leaves_the_old_copies(
    settled: Engine, control: Control, form: str
) -> None:
    """One new copy fails after its submission. Nothing is deleted, and the state is the old one."""
    before, state = set(in_region(control, "cn-east-3")), list(settled.state)
    control.change_backup(BACKUP, copy=BROKEN)

    with pytest.raises(CbrError, match=r"did not succeed|failed"):
        settled.up(declared(form, **SOUTH))

    assert before == set(in_region(control, "cn-east-3"))
    assert state == settled.state
    assert [] == control.journal(operation="DeleteBackup")


@pytest.mark.parametrize("form", ["set"])
def test_create_first_with_a_refused_member_leaves_the_old_copies(
    settled: Engine, control: Control
) -> None:
    """It is a plain error at once: no half of a new resource comes into the state."""
    before, state = set(in_region(control, "cn-east-3")), list(settled.state)
    refusal = {"error_code": "BackupService.6129", "error_msg": "The capacity is reached."}
    control.fault(
        operation="CopyBackup", action="respond", status=400, body=refusal, path=f"{WEB_1}/"
    )

    with pytest.raises(CbrError) as caught:
        settled.up(declared("set", **SOUTH))

    assert not isinstance(caught.value, PartialResultError)
    assert state == settled.state
    assert before == set(in_region(control, "cn-east-3"))
    settled.up(declared("set", **SOUTH))
    assert 2 == len(in_region(control, "cn-south-1"))
    assert [] == in_region(control, "cn-east-3")


@pytest.mark.parametrize("form", ["single"])
def test_create_first_that_cannot_rename_leaves_the_old_copy(
    settled: Engine, control: Control
) -> None:
    """The copy there exists already. It is adopted, and CBR refuses its new name."""
    settled.up({"dr": declared("single")["dr"], "other": declared("single", **SOUTH)["dr"]})
    control.advance(LONG_S)
    settled.state = [row for row in settled.state if row.name == "dr"]
    state = list(settled.state)
    refusal = {"error_code": "BackupService.6202", "error_msg": "The name is refused."}
    control.fault(operation="UpdateBackup", action="respond", status=400, body=refusal, times=9)

    with pytest.raises(CbrError) as caught:
        settled.up(declared("single", name="erp-dr", **SOUTH))

    assert not isinstance(caught.value, PartialResultError)
    assert state == settled.state
    assert 1 == len(in_region(control, "cn-east-3"))


@FORMS
def test_create_first_adopts_after_an_interruption_and_waits_on(
    settled: Engine, control: Control, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next `up` submits nothing anew. It waits for the running copies, then deletes."""
    before = set(in_region(control, "cn-east-3"))
    sleep = SimulatedClock.sleep

    async def interrupted(clock: SimulatedClock, seconds: float) -> None:
        # What `_submit` does before a request is no wait.
        if seconds:
            raise InterruptedWaitError("interrupted")
        await sleep(clock, seconds)

    monkeypatch.setattr(SimulatedClock, "sleep", interrupted)
    with pytest.raises(CbrError, match="interrupted"):
        settled.up(declared(form, **SOUTH))
    assert before == set(in_region(control, "cn-east-3"))
    monkeypatch.setattr(SimulatedClock, "sleep", sleep)
    control.clear_journal()

    settled.up(declared(form, **SOUTH))

    assert [] == control.journal(operation="CopyBackup")
    assert [] == control.journal(operation="CopyCheckpoint")
    assert [] == in_region(control, "cn-east-3")
    assert len(before) == len(in_region(control, "cn-south-1"))


@pytest.mark.parametrize("form", ["set"])
def test_create_first_that_is_late_names_what_goes_on(settled: Engine, control: Control) -> None:
    """After the limit nothing is deleted. The copy that ended is not among the failed ones."""
    control.change_backup(WEB_1, copy={"mode": "never"})

    with pytest.raises(CbrError, match=r"completing replications: 1 of 2 failed") as caught:
        settled.up(declared("set", **SOUTH))

    assert "'web'" in str(caught.value)
    assert "'erp'" not in str(caught.value)
    assert "1 still running after 4 h" in str(caught.value)
    assert [] == control.journal(operation="DeleteBackup")


@pytest.fixture
def fleet() -> Iterator[InProcessSimulator]:
    """A vault of many backups, and two regions to copy them to."""
    script = CopyScript(mode="seconds", seconds=COPY_S)
    running = InProcessSimulator(fleet_world(MEMBERS, destinations=2, copy=script))
    yield running
    running.close()


class CountingClock(SimulatedClock):
    """Virtual time that counts how many sleep at once: each of them would poll by itself."""

    def __init__(self, simulator: InProcessSimulator) -> None:
        super().__init__(simulator)
        self.sleeping = self.most = 0

    async def sleep(self, seconds: float) -> None:
        """Advance the virtual time."""
        self.sleeping += 1 if seconds else 0
        self.most = max(self.most, self.sleeping)
        await super().sleep(seconds)
        self.sleeping -= 1 if seconds else 0


def test_create_first_polls_all_members_together(fleet: InProcessSimulator) -> None:
    """One wait polls all of them, with one list for each poll, however many members there are."""
    address = f"{fleet.url}/regions/{{region}}"
    configuration = {
        "huaweicloud:region": SOURCE_REGION,
        "huaweicloud:userName": FLEET_USER,
        "huaweicloud:password": FLEET_PASSWORD,
        "huaweicloud:domainName": FLEET_ACCOUNT,
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
    }
    clock = CountingClock(fleet)
    settings = Settings.load(configuration.get, {})
    session = Session(settings, transport=fleet.transport(), clock=clock)
    use_session(session)
    engine, control = Engine(session, configuration), fleet.control
    names = {row["name"]: row["id"] for row in control.state()["vaults"]}
    backups = [row["id"] for row in control.state()["backups"] if row["region"] == SOURCE_REGION]
    assert MEMBERS == len(backups)
    inputs = [
        {
            "backups": backups,
            "destination_region": region,
            "destination_vault_id": names[f"replicas-{region}"],
        }
        for region in DESTINATION_REGIONS
    ]
    engine.up({"dr": ("set", inputs[0])})
    control.advance(LONG_S)
    engine.refresh()
    control.clear_journal()
    clock.most = 0
    began = clock.monotonic()
    ended: list[float] = []
    asked: list[Counter[str]] = []
    sleepers: list[int] = []

    def count() -> None:
        ended.append(clock.monotonic())
        sleepers.append(clock.most)
        asked.append(Counter(entry["operation"] for entry in control.journal()))

    engine.before_delete = count
    engine.up({"dr": ("set", inputs[1])})

    (requests,) = asked
    assert ended[0] - began > COPY_S
    assert [1] == sleepers
    polls = COPY_S / settings.poll_interval_s
    assert MEMBERS == requests["CopyBackup"]
    # One list for each poll, and some at the beginning and the end.
    assert requests["ListBackups"] <= polls + 12
    assert requests["ShowBackup"] <= 6
    assert MEMBERS == len(in_region(control, DESTINATION_REGIONS[1]))
    assert [] == in_region(control, DESTINATION_REGIONS[0])
    session.close()
