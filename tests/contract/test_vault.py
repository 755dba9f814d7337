"""Entire vaults: every missing backup is copied once, and what is not copied is reported."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr import (
    ApiError,
    ConflictError,
    OutcomeUnknownError,
    ReplicationsCompleteProvider,
    ReplicationsFailedError,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.base.errors import InterruptedWaitError
from pulumi_huaweicloud_cbr.engine.ownership.operation import begin_operation
from pulumi_huaweicloud_cbr.engine.ownership.state import use_export
from pulumi_huaweicloud_cbr.engine.provider import PartialResultError
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.replication.wait.tracking import COORDINATES
from simulator.testing import InProcessSimulator
from tests.contract.rig import (
    BACKUP,
    FULL,
    SECOND_VAULT,
    VAULT,
    Rig,
    SimulatedClock,
    refuse_to_export,
)
from tests.contract.rig import declared as declared_alone

pytestmark = pytest.mark.simulator_only

SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
WEB_2 = "7ca85fcc-9487-4e2c-a440-0f8d4cde1d5f"
MANUAL = "8db960dd-a598-4f3d-b551-109e5def2e60"
IN_THE_MAKING = "b0ec9300-d8cb-4260-8884-43c180125193"
FOUR = sorted([BACKUP, WEB_1, WEB_2, MANUAL])
WEB_1_LABEL = "web-01@2026-11-20T02:10:00"
WEB_2_LABEL = "web-02@2026-11-20T02:20:00"
OTHER_SOURCE_VAULT = "91a2b3c4-d5e6-4f70-8192-a3b4c5d6e7f8"
SOUTH = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}
UNCLEAR = {"error_code": "BackupService.9910", "error_msg": "Unknown error."}
NOTHING_TAKEN = {"replication": {"vault_id": SOURCE_VAULT, "backups": []}}
NOTHING_LEFT = {"error_code": "BackupService.0001", "error_msg": "No backup can be copied."}


@pytest.fixture
def rig(simulator: InProcessSimulator, session: Session, configuration: dict[str, str]) -> Rig:
    """The provider of entire vaults, called as the engine calls it."""
    provider = VaultReplicationProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, session)


@pytest.fixture
def single(simulator: InProcessSimulator, rig: Rig, configuration: dict[str, str]) -> Rig:
    """A replication of one backup beside it."""
    provider = cbr.BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(provider, simulator.control, rig.session)


def declared(**changes: Any) -> dict[str, Any]:
    """Return a program's inputs."""
    return {
        "vault_id": SOURCE_VAULT,
        "destination_region": "cn-east-3",
        "destination_vault_id": VAULT,
        **changes,
    }


def copied(rig: Rig) -> list[str]:
    """Return the sources of all replicas, once for each replica."""
    present = {row["id"] for row in rig.replicas if row["status"] != "deleting"}
    return sorted(
        record["source_backup_id"]
        for record in rig.control.records()
        if record["destination_backup_id"] in present
    )


def tracked(rig: Rig) -> list[str]:
    """Return the backups in the rows."""
    return sorted(row["backup_id"] for row in rig.outputs["members"].values())


def told(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the lines for the user since the last call."""
    return capsys.readouterr().err


def posts(rig: Rig) -> int:
    """Return how often a copy of the vault was requested."""
    return len(rig.control.journal(operation="CopyCheckpoint"))


def create_in_part(rig: Rig, program: dict[str, Any]) -> PartialResultError:
    """Create with a partial failure, and keep what the plugin host would keep."""
    with pytest.raises(PartialResultError) as caught:
        rig.create(program)
    rig.id, rig.outputs = caught.value.id, caught.value.outputs
    rig.inputs = rig.provider.check({}, program).inputs
    return caught.value


# -- create -------------------------------------------------------------------------------------


def test_create_copies_what_can_be_copied(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """One request copies all. Each has a row with a readable label. A poll shows no difference."""
    rig.create(declared())

    assert FOUR == copied(rig) == tracked(rig)
    assert ["CopyCheckpoint"] == rig.writes()
    assert WEB_1 == rig.outputs["members"][WEB_1_LABEL]["backup_id"]
    assert {row["id"] for row in rig.control.records()} == {
        row["replication_record_id"] for row in rig.outputs["members"].values()
    }
    assert [] == rig.outputs["left_out"]
    assert "4 backups will be copied: " in told(capsys)
    assert not rig.diff(declared()).changes
    rig.finish_copies()
    assert not rig.diff(declared()).changes


def test_create_adopts_what_exists(rig: Rig, single: Rig) -> None:
    """Existing replicas and running copies are adopted; the rest is copied."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    single.finish_copies()
    single.create(declared_alone(backup_id=WEB_2))
    begin_operation()

    rig.create(declared())

    assert FOUR == copied(rig) == tracked(rig)
    assert "success" == rig.outputs["members"][WEB_1_LABEL]["status"]
    assert rig.outputs["members"][WEB_1_LABEL]["destination_backup_id"]
    assert not rig.diff(declared()).changes


def test_create_again_after_a_lost_outcome(rig: Rig) -> None:
    """After a crash nothing is requested again, during the copies and later."""
    rig.create(declared())
    before = rig.outputs["members"]
    rig.create(declared())
    rig.finish_copies()
    rig.create(declared())

    assert 1 == posts(rig)
    assert FOUR == copied(rig) == tracked(rig)
    assert {row["replication_record_id"] for row in before.values()} == {
        row["replication_record_id"] for row in rig.outputs["members"].values()
    }


def test_create_adopts_nothing_with_adopt_off(rig: Rig, single: Rig) -> None:
    """With `adopt` false an existing replica is refused, in preview and create."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    program = declared(adopt=False)
    reason = (
        f"already in vault ({VAULT}), or on the way to it: '{WEB_1_LABEL}'; set adopt to true to "
        "take these over, or delete them first"
    )

    assert [("adopt", reason)] == rig.faults(program)
    with pytest.raises(ConflictError) as caught:
        rig.create({**program, "preflight": "off"})
    doing = f"submitting replication of vault ({SOURCE_VAULT}) to region 'cn-east-3'"
    assert f"{doing}: {reason}" == str(caught.value)
    assert 0 == posts(rig)


def test_vault_without_anything_to_copy(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty vault is no failure: no row, no request, and a line that says so."""
    for backup_id in FOUR:
        rig.control.forget_backup(backup_id)

    rig.create(declared())

    assert {} == rig.outputs["members"]
    assert 0 == posts(rig)
    assert "no backup of the vault is copied" in told(capsys)
    assert not rig.diff(declared()).changes
    assert rig.refresh()
    rig.delete()


def test_replica_in_another_vault_is_refused_by_name(rig: Rig, single: Rig) -> None:
    """CBR keeps one replica per region, so a program that declares all of them here is refused."""
    single.create(declared_alone(backup_id=WEB_1, destination_vault_id=SECOND_VAULT))
    begin_operation()

    ((field, reason),) = rig.faults(declared())

    assert "destination_vault_id" == field
    assert (
        f"1 of the backups cannot come into vault ({VAULT}): '{WEB_1_LABEL}': a "
        f"copy under way of replication record ({single.id}) is in vault ({SECOND_VAULT}), want "
        f"({VAULT}); CBR keeps one replica of a backup per region: delete these, or set preflight "
        "to 'warn' to copy the others only"
    ) == reason


def test_replica_in_another_vault_is_skipped_with_warn(
    rig: Rig, single: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `preflight` warn the others are copied, and later it is no difference."""
    single.create(declared_alone(backup_id=WEB_1, destination_vault_id=SECOND_VAULT))
    begin_operation()
    program = declared(preflight="warn")

    rig.create(program)

    assert WEB_1 not in tracked(rig)
    assert 3 == len(tracked(rig))
    messages = told(capsys)
    assert "cannot come into vault" in messages
    assert "another vault or project of region 'cn-east-3' has the replica" in messages
    assert not rig.diff(program).changes


def test_create_refuses_what_came_after_the_preview(rig: Rig, single: Rig) -> None:
    """Create refuses a new conflict before it sends anything."""
    checked = rig.provider.check({}, declared())
    single.create(declared_alone(backup_id=WEB_1, destination_vault_id=SECOND_VAULT))
    begin_operation()
    rig.control.clear_journal()

    with pytest.raises(ConflictError):
        rig.provider.create(checked.inputs)

    assert [] == rig.writes()


# -- unknown outcomes ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": "drop_after"}, id="dropped"),
        pytest.param({"action": "respond_after", "status": 502}, id="empty-502"),
        pytest.param({"action": "respond_after", "status": 500, "body": UNCLEAR}, id="9910"),
        pytest.param({"action": "respond_after", "status": 200, "body": "<html>"}, id="html-200"),
        pytest.param(
            {"action": "respond_after", "status": 200, "body": {"replication": {}}}, id="no-rows"
        ),
    ],
)
@pytest.mark.parametrize("adopt", [True, False])
def test_accepted_but_unanswered_is_found(rig: Rig, fault: dict[str, Any], adopt: bool) -> None:
    """A request that was accepted but not answered is looked for, and not sent again."""
    rig.control.fault(operation="CopyCheckpoint", **fault)

    rig.create(declared(adopt=adopt))

    assert 1 == posts(rig)
    assert FOUR == copied(rig) == tracked(rig)
    assert not rig.diff(declared(adopt=adopt)).changes


@pytest.mark.parametrize("action", ["drop_before", "respond"])
def test_not_accepted_is_sent_again_after_looking(rig: Rig, action: str) -> None:
    """A request that was not accepted is sent again, but only after a look-up."""
    rig.control.fault(operation="CopyCheckpoint", action=action)

    rig.create(declared())

    operations = [entry["operation"] for entry in rig.control.journal()]
    first = operations.index("CopyCheckpoint")
    second = operations.index("CopyCheckpoint", first + 1)
    assert 3 == operations[first:second].count("ListBackups")
    assert FOUR == copied(rig) == tracked(rig)


def test_never_accepted_is_an_error_that_says_so(rig: Rig) -> None:
    """After three requests the error says that it is safe to run up again."""
    rig.control.fault(operation="CopyCheckpoint", action="drop_before", times=9)

    with pytest.raises(OutcomeUnknownError) as caught:
        rig.create(declared())

    assert (
        f"submitting replication of vault ({SOURCE_VAULT}) to region 'cn-east-3': 3 submissions "
        "were neither answered nor found; run pulumi up again: it looks for the copies before it "
        "submits any"
    ) == str(caught.value)
    assert 3 == posts(rig)


def test_last_submission_is_looked_for_as_well(rig: Rig) -> None:
    """The third request is accepted but not answered: its copies are found, without an error."""
    rig.control.fault(operation="CopyCheckpoint", action="drop_before", times=2)
    rig.control.fault(operation="CopyCheckpoint", action="drop_after")

    rig.create(declared())

    assert 3 == posts(rig)
    assert FOUR == copied(rig) == tracked(rig)


def test_look_that_fails_after_a_lost_answer_keeps_what_is_known(rig: Rig, single: Rig) -> None:
    """What was adopted before stays in the state, and the next up finds the rest."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    checked = rig.provider.check({}, declared())
    rig.control.fault(operation="CopyCheckpoint", action="drop_after")
    rig.control.fault(operation="ListBackups", action="respond", status=403, skip=1, times=9)

    with pytest.raises(PartialResultError) as caught:
        rig.provider.create(checked.inputs)
    rig.control.drop_faults()
    rig.id, rig.inputs, rig.outputs = caught.value.id, checked.inputs, caught.value.outputs

    assert [WEB_1] == tracked(rig)
    assert rig.diff(declared()).changes
    rig.update(declared())
    assert FOUR == copied(rig) == tracked(rig)
    assert 1 == posts(rig)


def test_interruption_before_anything_is_sent_is_reported_as_it_is(
    rig: Rig, single: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interruption after the first poll ends it: nothing is sent, and no part is kept."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    checked = rig.provider.check({}, declared())
    sleep = SimulatedClock.sleep

    async def interrupted(clock: SimulatedClock, seconds: float) -> None:
        if seconds == 0:
            raise InterruptedWaitError("interrupted while waiting")
        await sleep(clock, seconds)

    monkeypatch.setattr(SimulatedClock, "sleep", interrupted)

    with pytest.raises(InterruptedWaitError):
        rig.provider.create(checked.inputs)
    assert 0 == posts(rig)


def test_throttled_is_repeated(rig: Rig) -> None:
    """A request that the gateway throttled was not executed, and is repeated."""
    body = {"error_code": "APIGW.0308", "error_msg": "over ratelimit", "request_id": "0" * 32}
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=429, body=body, times=2)

    rig.create(declared())

    assert 3 == posts(rig)
    assert FOUR == copied(rig)


def test_vault_that_is_busy_for_a_while_is_waited_for(rig: Rig) -> None:
    """6130 is repeated within the budget of attempts."""
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=400, body=BUSY, times=2)

    rig.create(declared())

    assert 3 == posts(rig)
    assert FOUR == copied(rig)


def test_vault_that_stays_busy_keeps_what_is_there(rig: Rig, single: Rig) -> None:
    """After a permanent 6130 and a look-up, it is the error. The next up does the rest."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=400, body=BUSY, times=6)

    error = create_in_part(rig, declared())

    assert "BackupService.6130" == error.code
    assert "a copy of the whole vault is running" in str(error)
    assert [WEB_1] == tracked(rig)
    assert rig.diff(declared()).changes
    rig.update(declared())
    assert FOUR == copied(rig) == tracked(rig)


def test_vault_that_is_busy_with_our_own_copy_is_found(rig: Rig) -> None:
    """A late 6130 for a request that was lost before leads to a look-up."""
    rig.control.fault(operation="CopyCheckpoint", action="respond_after", status=400, body=BUSY)

    rig.create(declared())

    assert FOUR == copied(rig) == tracked(rig)


@pytest.mark.parametrize("status", [400, 500])
def test_refused_for_good_is_sent_once(rig: Rig, status: int) -> None:
    """The code decides: a refusal by CBR is reported with its remedy, and nothing is kept."""
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=status, body=FULL)

    with pytest.raises(ApiError) as caught:
        rig.create(declared())

    assert "BackupService.6129" == caught.value.code
    assert (
        f"submitting replication of vault ({SOURCE_VAULT}) to region 'cn-east-3': HTTP "
        f"{status}: The maximum capacity is reached; enlarge the destination vault, or free room "
        "in it [BackupService.6129"
    ) in str(caught.value)
    assert 1 == posts(rig)


# -- later changes ------------------------------------------------------------------------------


def test_added_backup_is_a_difference(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview names it after one request. `up` copies only it, and keeps all rows."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    before = dict(rig.outputs["members"])
    rig.control.change_backup(IN_THE_MAKING, status="available")
    rig.control.clear_journal()

    assert rig.diff(declared()).changes
    assert {"ListBackups": 1} == rig.control.journal_counts()
    assert "1 backup will be copied: 'web-04@" in told(capsys)
    rig.update(declared())

    assert sorted([*FOUR, IN_THE_MAKING]) == copied(rig) == tracked(rig)
    assert before == {label: rig.outputs["members"][label] for label in before}
    assert not rig.diff(declared()).changes


def test_new_backup_while_the_vault_is_being_copied(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """A preview warns that CBR may refuse. The rows survive the refusal."""
    rig.create(declared())
    rig.control.change_backup(IN_THE_MAKING, status="available")

    assert rig.diff(declared()).changes
    assert (
        "copies of this vault's backups that are under way: 4; CBR refuses to copy a vault again "
        "while it is being copied as a whole: if pulumi up ends with error 6130, run it again"
    ) in told(capsys)
    with pytest.raises(PartialResultError) as caught:
        rig.provider.update(rig.id, rig.outputs, rig.inputs)
    assert "BackupService.6130" == caught.value.code
    assert 4 == len(caught.value.outputs["members"])


def test_copy_of_the_vault_to_another_region_is_reported_beforehand(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """CBR runs one copy of a vault at a time, whatever its destination."""
    rig.create(declared())
    told(capsys)

    assert [] == rig.faults(
        declared(
            destination_region="cn-south-1",
            destination_vault_id=SOUTH,
        )
    )

    assert "under way: 4; CBR refuses to copy a vault again" in told(capsys)


def test_copy_made_by_somebody_else_later_is_adopted(rig: Rig, single: Rig) -> None:
    """An untracked replica in the vault is a difference, and then a row."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_backup(IN_THE_MAKING, status="available")
    single.create(declared_alone(backup_id=IN_THE_MAKING))
    begin_operation()

    assert rig.diff(declared()).changes
    rig.update(declared())

    assert 1 == posts(rig)
    assert IN_THE_MAKING in tracked(rig)
    assert not rig.diff(declared()).changes


def test_replica_made_again_by_somebody_else_is_adopted(rig: Rig, single: Rig) -> None:
    """The row gets the newest copy once its own is gone."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    old = rig.outputs["members"][WEB_1_LABEL]
    rig.control.forget_backup(old["destination_backup_id"])
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()

    assert rig.diff(declared()).changes
    rig.update(declared())

    assert single.id == rig.outputs["members"][WEB_1_LABEL]["replication_record_id"]
    assert FOUR == tracked(rig)
    assert 1 == posts(rig)
    assert not rig.diff(declared()).changes


def test_backups_of_another_vault_are_not_taken_for_ours(rig: Rig) -> None:
    """The other backups of a list that was not filtered as requested are not used."""
    for backup_id in FOUR:
        rig.control.forget_backup(backup_id)
    other = {"id": UNKNOWN, "vault_id": SECOND_VAULT, "status": "available"}
    rig.control.fault(
        operation="ListBackups", action="respond", status=200, body={"backups": [other]}, times=9
    )

    rig.create(declared())

    assert 0 == posts(rig)


def test_copy_made_by_somebody_else_is_left_to_them(
    rig: Rig, single: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `adopt` false it is reported, and is no difference."""
    program = declared(adopt=False)
    rig.create(program)
    rig.finish_copies()
    rig.control.change_backup(IN_THE_MAKING, status="available")
    single.create(declared_alone(backup_id=IN_THE_MAKING))
    begin_operation()

    assert not rig.diff(program).changes

    assert "but not made by this resource: 'web-04@" in told(capsys)


def test_failed_copies_are_submitted_again(rig: Rig) -> None:
    """A failed copy is a difference, also if it is not in the state. The others are left alone."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "success"})
    failed = rig.outputs["members"][WEB_1_LABEL]["replication_record_id"]

    assert rig.diff(declared()).changes
    rig.refresh()
    assert "fail" == rig.outputs["members"][WEB_1_LABEL]["status"]
    assert rig.diff(declared()).changes
    assert rig.diff(declared(preflight="off")).changes
    rig.update(declared())

    assert FOUR == copied(rig) == tracked(rig)
    assert failed != rig.outputs["members"][WEB_1_LABEL]["replication_record_id"]
    rig.finish_copies()
    assert not rig.diff(declared()).changes


def test_replica_deleted_behind_our_back_is_reported_and_no_difference(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """CBR copies a backup with its vault once per region, so no preview promises another copy."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(rig.outputs["members"][WEB_1_LABEL]["destination_backup_id"])

    assert rig.refresh()

    assert WEB_1_LABEL not in rig.outputs["members"]
    assert "gone: 'web-01@2026-11-20T02:10:00'; CBR copies a backup" in told(capsys)
    assert not rig.diff(declared()).changes
    assert (
        "not copied, because the replica in region 'cn-east-3' was deleted, and CBR copies a "
        f"backup there once with its vault: '{WEB_1_LABEL}'; declare a BackupReplication"
    ) in told(capsys)


def test_replica_deleted_before_is_reported_by_the_preview(
    rig: Rig, single: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """A create says which backups CBR will not copy, copies the others, and has no difference."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    single.finish_copies()
    single.delete()

    assert [] == rig.faults(declared())
    assert "CBR copies a backup there once with its vault" in told(capsys)
    rig.create(declared())

    assert WEB_1 not in tracked(rig)
    assert 3 == len(tracked(rig))
    assert not rig.diff(declared()).changes


@pytest.mark.parametrize(
    ("status", "body"), [(200, NOTHING_TAKEN), (400, NOTHING_LEFT)], ids=["empty", "refused"]
)
def test_backups_that_cbr_omits_are_reported_once_and_remembered(
    rig: Rig, capsys: pytest.CaptureFixture[str], status: int, body: dict[str, Any]
) -> None:
    """A backup that an answer omits is no permanent difference, and is tried again with others.

    The refusal that nothing is left to copy means the same as an answer without copies.
    """
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=status, body=body)
    rig.create(declared())

    assert {} == rig.outputs["members"]
    assert FOUR == rig.outputs["left_out"]
    assert "CBR left out 4 backups when it copied the vault" in told(capsys)
    assert not rig.diff(declared()).changes
    rig.update(declared(preflight="warn"))
    assert 1 == posts(rig)
    rig.control.change_backup(IN_THE_MAKING, status="available")
    assert rig.diff(declared()).changes
    rig.update(declared())

    assert [] == rig.outputs["left_out"]
    assert sorted([*FOUR, IN_THE_MAKING]) == tracked(rig)


def test_answer_about_a_backup_that_was_not_listed(rig: Rig) -> None:
    """A backup that was added between list and request has its id as label."""
    row = {"backup_id": UNKNOWN, "replication_record_id": WEB_1}
    body = {"replication": {"backups": [row]}}
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=200, body=body)

    rig.create(declared())

    assert WEB_1 == rig.outputs["members"][UNKNOWN]["replication_record_id"]


def test_record_that_is_listed_late_is_not_asked_for_twice(rig: Rig) -> None:
    """A copy whose record is not listed, but whose replica is, is no difference."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_record(rig.outputs["members"][WEB_1_LABEL]["replication_record_id"])

    assert not rig.diff(declared()).changes


def test_expired_sources_keep_their_replicas(rig: Rig) -> None:
    """The replica of an expired backup stays in the destination, and is no difference."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)
    rig.refresh()

    assert rig.outputs["members"][WEB_1_LABEL]["source_deleted"]
    assert not rig.diff(declared()).changes
    rig.update(declared())
    assert 4 == len(rig.replicas) == len(rig.outputs["members"])


def test_record_with_an_unknown_status_is_reported(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """The row is kept, with a warning by refresh and preview, and is no difference."""
    rig.create(declared())
    row = rig.outputs["members"][WEB_1_LABEL]
    rig.control.change_record(row["replication_record_id"], status="paused")

    assert rig.refresh()
    assert f"left as they are: '{WEB_1_LABEL}: paused'" in told(capsys)
    assert not rig.diff(declared()).changes
    assert f"that this version does not know: '{WEB_1_LABEL}'" in told(capsys)


def test_refresh_that_cannot_look_changes_nothing(rig: Rig) -> None:
    """A failed request is an error, and never counts as gone."""
    rig.create(declared())
    rig.control.fault(operation="ShowBackup", action="respond", status=403, times=99)
    rig.control.fault(operation="ListBackups", action="respond", status=403, times=99)

    with pytest.raises(cbr.CbrError) as caught:
        rig.refresh()

    assert "reading replications: 4 of 4 failed" in str(caught.value)
    for mode in ("error", "warn", "off"):
        moved = {**rig.inputs, "destination_vault_id": SECOND_VAULT, "preflight": mode}
        with pytest.raises(cbr.CbrError) as caught:
            rig.provider.diff(rig.id, rig.outputs, moved)
        assert "looking at replicas: 4 of 4 failed" in str(caught.value)


def test_preview_without_preflight_looks_at_nothing(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says so, and sends no request."""
    program = declared(preflight="off")
    rig.create(program)
    rig.control.change_backup(IN_THE_MAKING, status="available")
    rig.control.clear_journal()

    assert not rig.diff(program).changes
    assert [] == rig.control.journal()
    assert "preflight is off: not looked" in told(capsys)


def test_preview_that_cannot_look_fails_or_warns(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `error` a preview without an answer fails; with `warn` it warns."""
    rig.create(declared())
    program = declared(preflight="warn")
    rig.update(program)
    rig.control.fault(operation="ListBackups", action="respond", status=403, times=9)

    with pytest.raises(ApiError):
        rig.diff(declared())
    assert not rig.diff(program).changes
    assert "preflight could not ask the API" in told(capsys)


# -- rows without a copy, and the wait -----------------------------------------------------------


@pytest.fixture
def waiter(rig: Rig, configuration: dict[str, str]) -> ReplicationsCompleteProvider:
    """The wait that a program declares beside it."""
    assert rig.session is not None
    provider = ReplicationsCompleteProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return provider


def wait(waiter: ReplicationsCompleteProvider, rig: Rig) -> set[str]:
    """Wait for all rows as `up` does. Return the backups whose replicas it has seen."""
    rows = rig.outputs["members"].values()
    records = {row["replication_record_id"]: row["backup_id"] for row in rows}
    group = {**{key: rig.outputs[key] for key in COORDINATES}, "records": records}
    checked = waiter.check({}, {"replications": [group]})
    assert [] == checked.failures
    result = waiter.create(checked.inputs)
    assert result.outs is not None
    return {records[record_id] for record_id in result.outs["replicas"]}


def replica_of(rig: Rig, backup_id: str) -> str:
    """Return the replica of a backup."""
    (record,) = [row for row in rig.control.records() if row["source_backup_id"] == backup_id]
    return str(record["destination_backup_id"])


@pytest.mark.parametrize("is_source_gone", [False, True])
def test_replica_that_was_lost_before_it_was_seen_leaves_with_the_next_up(
    rig: Rig,
    waiter: ReplicationsCompleteProvider,
    capsys: pytest.CaptureFixture[str],
    is_source_gone: bool,
) -> None:
    """A wait for it fails once. The next preview names it, and `up` drops its row."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(replica_of(rig, WEB_1))
    if is_source_gone:
        rig.control.forget_backup(WEB_1)

    with pytest.raises(ReplicationsFailedError) as caught:
        wait(waiter, rig)
    assert rig.diff(declared()).changes

    assert "run pulumi refresh, then pulumi up" in str(caught.value)
    assert (
        f"dropped from the state, because their copies failed or their replicas are gone, and they "
        f"cannot be copied with the vault at present: '{WEB_1_LABEL}'"
    ) in told(capsys)
    rig.update(declared())
    assert sorted({*FOUR} - {WEB_1}) == tracked(rig) == copied(rig)
    assert 1 == posts(rig)
    assert not rig.diff(declared()).changes
    assert {*FOUR} - {WEB_1} == wait(waiter, rig)


def test_replica_and_record_that_were_lost_before_they_were_seen(
    rig: Rig, waiter: ReplicationsCompleteProvider
) -> None:
    """Nothing shows that CBR copied it: it is requested again, and CBR's answer decides."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(replica_of(rig, WEB_1))
    rig.control.forget_record(rig.outputs["members"][WEB_1_LABEL]["replication_record_id"])

    assert rig.diff(declared()).changes
    rig.update(declared())

    assert 2 == posts(rig)
    assert [WEB_1] == rig.outputs["left_out"]
    assert sorted({*FOUR} - {WEB_1}) == tracked(rig)
    assert not rig.diff(declared()).changes
    assert {*FOUR} - {WEB_1} == wait(waiter, rig)


def test_failed_copy_of_a_backup_that_cannot_be_copied_now_is_dropped(
    rig: Rig, waiter: ReplicationsCompleteProvider
) -> None:
    """Nobody waits for it forever. Once it can be copied again, it is."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_backup(WEB_1, status="restoring", copy={"mode": "immediate"})
    with pytest.raises(ReplicationsFailedError):
        wait(waiter, rig)

    assert rig.diff(declared()).changes
    rig.update(declared())

    assert WEB_1 not in tracked(rig)
    assert not rig.diff(declared()).changes
    assert {*FOUR} - {WEB_1} == wait(waiter, rig)
    rig.control.change_backup(WEB_1, status="available")
    assert rig.diff(declared()).changes
    rig.update(declared())
    assert {*FOUR} == wait(waiter, rig)


def test_failed_copy_that_cbr_omits_is_dropped(
    rig: Rig, waiter: ReplicationsCompleteProvider
) -> None:
    """A backup that CBR omits has no row to wait for. The id contains that it was omitted."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared(preflight="off"))
    rig.finish_copies()
    rig.refresh()
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=200, body=NOTHING_TAKEN)

    assert rig.diff(declared(preflight="off")).changes
    rig.update(declared(preflight="off"))

    assert [WEB_1] == rig.outputs["left_out"]
    assert sorted({*FOUR} - {WEB_1}) == tracked(rig)
    assert not rig.diff(declared(preflight="off")).changes
    assert not rig.diff({**declared(), "preflight": "off"}).changes
    assert {*FOUR} - {WEB_1} == wait(waiter, rig)


def test_failed_copy_whose_source_is_gone_is_dropped(
    rig: Rig, waiter: ReplicationsCompleteProvider
) -> None:
    """No copy is expected of a backup that is no longer in the vault."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)

    assert rig.diff(declared()).changes
    rig.update(declared())

    assert not rig.diff(declared()).changes
    assert {*FOUR} - {WEB_1} == wait(waiter, rig)


def test_failed_copies_stay_in_the_rows_while_they_are_due(rig: Rig) -> None:
    """A refused request changes nothing: the next one is for the same backups."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    rig.control.fault(operation="CopyCheckpoint", action="respond", status=400, body=FULL)

    with pytest.raises(PartialResultError) as caught:
        rig.update(declared())

    assert 4 == len(caught.value.outputs["members"])


def test_replica_that_is_late_is_not_dropped(rig: Rig) -> None:
    """A replica that was never seen is polled several times, as by a refresh."""
    rig.create(declared())
    rig.finish_copies()
    missing = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
    path = f"/backups/{replica_of(rig, WEB_1)}$"
    rig.control.fault(
        operation="ShowBackup", action="respond", status=404, body=missing, path=path, times=4
    )

    assert not rig.diff(declared()).changes


@pytest.mark.parametrize("is_source_gone", [True, False], ids=["source-gone", "record-gone"])
def test_row_whose_replica_cannot_be_identified_stays(
    rig: Rig,
    simulator: InProcessSimulator,
    capsys: pytest.CaptureFixture[str],
    is_source_gone: bool,
) -> None:
    """A doubt about one copy is reported, and does not block the copies of new backups."""
    rig.create(declared())
    rig.finish_copies()
    if is_source_gone:
        rig.control.forget_backup(BACKUP)
    else:
        (row,) = (row for row in rig.outputs["members"].values() if row["backup_id"] == BACKUP)
        rig.control.forget_record(row["replication_record_id"])
    rig.control.fault(
        operation="ListOpLogs",
        action="respond",
        status=200,
        body={"operation_logs": [], "count": 0},
        times=99,
    )
    rig.control.forget_backup(MANUAL)
    rig.control.change_backup(IN_THE_MAKING, status="available")

    began = simulator.clock.now()
    assert rig.diff(declared()).changes
    assert began == simulator.clock.now()
    assert "left as they are: nothing names the replicas of 'erp-db-01@" in told(capsys)

    rig.update(declared())

    assert sorted([*FOUR, IN_THE_MAKING]) == tracked(rig)


# -- delete and replace -------------------------------------------------------------------------


def test_delete_takes_all_replicas(rig: Rig, single: Rig) -> None:
    """Running copies are waited for, adopted replicas are deleted too, and nothing is left."""
    single.create(declared_alone(backup_id=WEB_1))
    begin_operation()
    rig.create(declared())

    rig.delete()

    assert [] == rig.replicas


def test_replicas_stay_with_the_resource_that_has_adopted_them(rig: Rig) -> None:
    """A renamed resource is created as a new one; then the old one is deleted."""
    rig.create(declared())
    rig.finish_copies()
    old = dict(rig.outputs)
    begin_operation()

    rig.create(declared())
    rig.provider.delete("old", old)

    assert FOUR == copied(rig)
    assert 1 == posts(rig)


def test_replica_of_a_later_copy_is_not_taken_for_an_earlier_ones(rig: Rig) -> None:
    """A row whose record is not listed deletes nothing that belongs to another record."""
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_backup(WEB_1, copy={"mode": "immediate", "outcome": "success"})
    old = dict(rig.outputs)
    rig.update(declared())
    rig.finish_copies()
    rig.control.forget_record(old["members"][WEB_1_LABEL]["replication_record_id"])
    begin_operation()
    use_export(refuse_to_export)

    assert not rig.diff(declared()).changes
    rig.provider.delete("old", old)
    assert FOUR == copied(rig) == tracked(rig)

    # The same, if no other resource of the operation has, or could have, what is deleted.
    begin_operation()
    rig.provider.delete("old", old)
    assert [WEB_1] == copied(rig)


def test_resource_of_another_name_loses_no_orphans(rig: Rig) -> None:
    """The new one cannot know replicas whose sources are gone, so the old one is not deleted."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)
    old = dict(rig.outputs)
    begin_operation()

    rig.create(declared())
    with pytest.raises(cbr.ConflictError) as caught:
        rig.provider.delete("old", old)

    assert sorted({*FOUR} - {WEB_1}) == tracked(rig)
    assert ["available"] * 4 == [row["status"] for row in rig.replicas]
    assert (
        "nothing was deleted, since another resource copies the same vault to the same place, and "
        "could not adopt these, because their source backups are gone or in another vault, or CBR "
        f"does not list their replication records any more: '{WEB_1_LABEL}'; if it only got"
    ) in str(caught.value)


def test_resource_of_another_name_loses_no_replica_without_a_record(rig: Rig) -> None:
    """The new one cannot know the replica of an existing backup without a listed record either."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_record(rig.outputs["members"][WEB_1_LABEL]["replication_record_id"])
    old = dict(rig.outputs)
    begin_operation()

    rig.create(declared(preflight="warn"))
    with pytest.raises(cbr.ConflictError):
        rig.provider.delete("old", old)

    assert ["available"] * 4 == [row["status"] for row in rig.replicas]
    assert old["members"][WEB_1_LABEL]["destination_backup_id"] in {
        row["id"] for row in rig.replicas
    }


def test_resource_of_another_name_loses_no_replica_of_a_backup_that_moved(rig: Rig) -> None:
    """The new one does not look at a backup that has moved to another vault."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.change_backup(WEB_1, vault_id=OTHER_SOURCE_VAULT)
    old = dict(rig.outputs)
    begin_operation()

    rig.create(declared())
    with pytest.raises(cbr.ConflictError):
        rig.provider.delete("old", old)

    assert sorted({*FOUR} - {WEB_1}) == tracked(rig)
    assert FOUR == copied(rig)


def test_resource_of_another_name_that_cannot_look_deletes_nothing(rig: Rig) -> None:
    """A possible orphan stays until it is known; a second run deletes it."""
    program = declared(preflight="off")
    rig.create(program)
    rig.finish_copies()
    rig.refresh()
    old = dict(rig.outputs)
    begin_operation()
    assert not rig.diff(program).changes
    row = old["members"][WEB_1_LABEL]
    old["members"] = {WEB_1_LABEL: {**row, "replication_record_id": UNKNOWN}}
    rig.control.fault(operation="ShowBackup", action="respond", status=403, times=9)

    with pytest.raises(cbr.CbrError) as caught:
        rig.provider.delete("old", old)

    assert "looking at replicas: 1 of 1 failed" in str(caught.value)
    assert FOUR == copied(rig)


def test_removed_resource_deletes_its_orphans_if_it_is_forced(rig: Rig) -> None:
    """If no resource declares the same vault, all its replicas are deleted."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.forget_backup(WEB_1)

    rig.delete(is_forced=True)

    assert [] == rig.replicas


def test_delete_does_what_is_left(rig: Rig) -> None:
    """Failed deletions are reported, and a second run deletes the rest."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    replica = rig.outputs["members"][WEB_1_LABEL]["destination_backup_id"]
    body = {"error_code": "BackupService.6204", "error_msg": "used by an image"}
    rig.control.fault(
        operation="DeleteBackup", action="respond", status=400, body=body, backup_id=replica
    )

    with pytest.raises(cbr.CbrError) as caught:
        rig.delete()

    assert "deleting replicas: 1 of 4 failed" in str(caught.value)
    assert f"'{WEB_1_LABEL}': used by an image" in str(caught.value)
    assert 1 == len(rig.replicas)
    rig.delete()
    assert [] == rig.replicas


@pytest.mark.parametrize("preflight", ["error", "off"])
def test_other_destination_vault_would_lose_the_replicas(rig: Rig, preflight: str) -> None:
    """CBR would not copy them again in the same region, so the preview refuses."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()

    with pytest.raises(ConflictError) as caught:
        rig.diff(declared(destination_vault_id=SECOND_VAULT, preflight=preflight))

    assert str(caught.value).startswith(
        "replacing the replication of a vault: the replicas of 4 backups in region 'cn-east-3' ("
    )
    assert str(caught.value).endswith(
        ") would be deleted, and CBR does not copy a backup to the same region again with its "
        "vault; leave this one as it is, or declare a BackupReplicationSet for the "
        "other vault instead; with preflight 'warn' they are deleted nevertheless"
    )


def test_other_destination_vault_loses_no_copies_that_failed(rig: Rig) -> None:
    """If no copy has become a replica, nothing can be lost."""
    for backup_id in FOUR:
        rig.control.change_backup(backup_id, copy={"mode": "immediate", "outcome": "fail"})
    rig.create(declared())
    rig.finish_copies()
    moved = declared(destination_vault_id=SECOND_VAULT)

    difference = rig.diff(moved)

    assert ["destination_vault_id"] == difference.replaces
    for backup_id in FOUR:
        rig.control.change_backup(backup_id, copy={"mode": "immediate", "outcome": "success"})
    rig.delete()
    rig.create(moved)
    assert FOUR == copied(rig) == tracked(rig)


def test_other_destination_vault_with_a_warning_only(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `warn` the replacement happens, and the preview reports the loss."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    moved = declared(destination_vault_id=SECOND_VAULT, preflight="warn")

    difference = rig.diff(moved)

    assert ["destination_vault_id"] == difference.replaces
    assert difference.delete_before_replace
    assert "CBR does not copy a backup to the same region again" in told(capsys)
    assert [] == rig.faults(moved)
    assert "the replica in region 'cn-east-3' was deleted" in told(capsys)
    rig.delete()
    rig.create(moved)
    assert {} == rig.outputs["members"]


def test_unknown_destination_is_only_a_warning(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """A preview does not fail for a value that may turn out to be the same."""
    rig.create(declared())
    unknown = {**rig.inputs, "destination_vault_id": Unknown()}  # type: ignore[no-untyped-call]

    difference = rig.provider.diff(rig.id, rig.outputs, unknown)

    assert ["destination_vault_id"] == difference.replaces
    assert "would be deleted, and CBR does not copy" in told(capsys)


def test_unknown_destination_is_not_checked_without_preflight(
    rig: Rig,
) -> None:
    """With preflight off, previews ask nothing until something may be lost."""
    rig.create(declared())
    unknown = {**rig.inputs, "preflight": "off"}
    unknown["destination_vault_id"] = Unknown()  # type: ignore[no-untyped-call]
    rig.control.clear_journal()

    assert rig.provider.diff(rig.id, rig.outputs, unknown).replaces

    assert [] == rig.control.journal()


def test_unknown_region_is_only_a_warning(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A preview does not fail for orphans that may stay where they are."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(WEB_1)
    unknown = {**rig.inputs, "destination_region": Unknown()}  # type: ignore[no-untyped-call]

    difference = rig.provider.diff(rig.id, rig.outputs, unknown)

    assert ["destination_region"] == difference.replaces
    assert f"the source backups of '{WEB_1_LABEL}' are gone" in told(capsys)


def test_other_region_copies_first(rig: Rig) -> None:
    """The old replicas are deleted after the new copies were submitted."""
    rig.create(declared())
    rig.finish_copies()
    south = declared(
        destination_region="cn-south-1",
        destination_vault_id=SOUTH,
    )

    begin_operation()

    difference = rig.diff(south)

    assert "destination_region" in (difference.replaces or [])
    assert not difference.delete_before_replace
    old = dict(rig.outputs)
    rig.create(south)
    rig.provider.delete("old", old)
    assert {"cn-south-1"} == {row["region"] for row in rig.replicas}
    assert FOUR == tracked(rig)


@pytest.mark.parametrize("preflight", ["error", "warn", "off"])
def test_replacement_that_would_lose_orphans_is_refused(rig: Rig, preflight: str) -> None:
    """If a source is gone, its replica could not be made again anywhere."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.forget_backup(WEB_1)

    with pytest.raises(ConflictError) as caught:
        rig.diff(declared(destination_region="cn-south-1", preflight=preflight))

    assert (
        f"replacing the replication of a vault: the source backups of '{WEB_1_LABEL}' are gone, so "
        "that their replicas would be deleted and could not be made again; leave this one as it is "
        "and declare another one beside it"
    ) == str(caught.value)


def test_replacement_that_would_lose_what_left_the_vault_is_refused(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    """A backup that has moved to another vault would not be copied to the new destination."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.change_backup(WEB_1, vault_id=OTHER_SOURCE_VAULT)
    south = {"destination_region": "cn-south-1", "destination_vault_id": SOUTH}

    with pytest.raises(ConflictError) as caught:
        rig.diff(declared(**south))

    reason = (
        f"replacing the replication of a vault: the source backups of '{WEB_1_LABEL}' are not in "
        f"vault ({SOURCE_VAULT}) any more, so that their replicas would be deleted and not be made "
        "again"
    )
    remedy = (
        "leave this one as it is and declare another one beside it; with preflight 'warn' they are "
        "deleted nevertheless"
    )
    assert f"{reason}; {remedy}" == str(caught.value)
    assert "destination_region" in (rig.diff(declared(**south, preflight="warn")).replaces or [])
    assert f"warning: {reason}" in told(capsys)


def test_other_source_vault_gives_up_what_left_the_old_one(rig: Rig) -> None:
    """A user who declares another vault does not want the replicas of this one."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.change_backup(WEB_1, vault_id=OTHER_SOURCE_VAULT)

    difference = rig.diff(declared(vault_id=OTHER_SOURCE_VAULT))

    assert ["vault_id"] == difference.replaces


# -- check --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "field", "words"),
    [
        pytest.param({"vault_id": UNKNOWN}, "vault_id", "does not exist in region", id="no-vault"),
        pytest.param({"vault_id": "x"}, "vault_id", "is not a UUID", id="no-uuid"),
        pytest.param({"vault_id": None}, "vault_id", "is missing; give the id of", id="missing"),
        pytest.param(
            {"destination_vault_id": UNKNOWN},
            "destination_vault_id",
            "does not exist in region",
            id="no-destination",
        ),
        pytest.param(
            {"destination_vault_id": "91a2b3c4-d5e6-4f70-8192-a3b4c5d6e7f8"},
            "destination_vault_id",
            "has protect_type 'backup', want 'replication'",
            id="not-for-replicas",
        ),
        pytest.param(
            {"destination_vault_id": "3c9d2e1f-6b5a-4f48-9d7c-8e1f0a2b3c4d"},
            "destination_vault_id",
            "holds object type 'turbo', want 'server' as the source vault",
            id="other-type",
        ),
        pytest.param(
            {"destination_vault_id": "a2b3c4d5-e6f7-4081-92a3-b4c5d6e7f809"},
            "destination_vault_id",
            "is full (100 GB)",
            id="full",
        ),
        pytest.param(
            {"destination_region": "ap-southeast-3"},
            "destination_region",
            "is not among the regions",
            id="no-pair",
        ),
        pytest.param({"backup_id": BACKUP}, "backup_id", "is not an input of a vault's", id="key"),
    ],
)
def test_wrong_inputs_are_reported(
    rig: Rig, inputs: dict[str, Any], field: str, words: str
) -> None:
    """What the API would refuse is one line about one input, in the preview."""
    faults = rig.faults(declared(**inputs))

    assert any(found == field and words in reason for found, reason in faults), faults
    assert [] == rig.writes()


@pytest.mark.parametrize(
    ("name", "words"),
    [("prod-disks", "holds object type 'disk', which"), ("replicas", "holds replicas, which")],
)
def test_vault_of_the_wrong_kind_is_refused(rig: Rig, name: str, words: str) -> None:
    """A vault that CBR would refuse with 6128 is reported in the preview."""
    vaults = {row["name"]: row["id"] for row in rig.control.state()["vaults"]}
    program = declared(vault_id=vaults.get(name, VAULT))
    if name == "replicas":
        program |= {"source_region": "cn-east-3", "destination_region": "cn-north-4"}

    faults = rig.faults(program)

    assert any(field == "vault_id" and words in reason for field, reason in faults), faults


def test_room_for_all_is_added_up(rig: Rig, capsys: pytest.CaptureFixture[str]) -> None:
    """A vault with room for each but not for all causes a warning."""
    rig.control.change_vault(VAULT, size_gb=300)

    assert [] == rig.faults(declared())
    assert (
        f"vault ({VAULT}) has 300.0 GB free, and the resources of the backups to copy have 320 "
        "GB; enlarge the vault or free room in it"
    ) in told(capsys)


def test_full_vault_is_no_fault_without_new_copies(rig: Rig) -> None:
    """Existing replicas need no more room."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.change_vault(VAULT, size_gb=1)

    assert [] == rig.faults(declared())


@pytest.mark.parametrize(
    "field",
    [
        "vault_id",
        "destination_region",
        "destination_project_id",
        "destination_vault_id",
        "source_region",
        "adopt",
    ],
)
def test_unknown_inputs_are_no_faults(rig: Rig, field: str) -> None:
    """A preview with an unknown value does not fail."""
    program = declared(**{field: Unknown()})  # type: ignore[no-untyped-call]

    checked = rig.provider.check({}, program)

    assert [] == checked.failures
    assert isinstance(checked.inputs[field], Unknown)


def test_preflight_that_cannot_ask_is_a_fault(rig: Rig) -> None:
    """A preview without an answer fails, and says how to skip preflight."""
    rig.control.fault(operation="ShowVault", action="respond", status=403, times=9)
    rig.control.fault(operation="ListBackups", action="respond", status=403, times=9)

    faults = rig.faults(declared())

    assert faults
    assert all("preflight could not ask the API" in reason for _, reason in faults)


@pytest.mark.usefixtures("access_key")
@pytest.mark.parametrize(
    ("skip", "field"), [(0, "source_region"), (1, "destination_region")], ids=["source", "other"]
)
def test_region_without_a_project_is_reported(rig: Rig, skip: int, field: str) -> None:
    """A project that IAM does not show is reported for the region's input."""
    rig.control.fault(
        operation="ListProjects",
        action="respond",
        status=200,
        body={"projects": [], "links": {}},
        skip=skip,
    )

    ((found, reason),) = rig.faults(declared())

    assert field == found
    assert "looking up the project of region" in reason


@pytest.mark.usefixtures("access_key")
@pytest.mark.parametrize("skip", [pytest.param(0, id="source"), pytest.param(1, id="destination")])
def test_failed_look_up_of_a_project_is_reported(rig: Rig, skip: int) -> None:
    """A failed look-up is reported, with the way to avoid it."""
    rig.control.fault(operation="ListProjects", action="respond", status=403, skip=skip, times=9)

    ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "preflight could not ask the API" in reason


def test_malformed_setting_is_reported() -> None:
    """Without settings nothing can be asked, so the failure names the setting."""
    provider = VaultReplicationProvider()
    provider.configure(ConfigureRequest(Config({"huaweicloud:region": "a b"}, "p")))

    (failure,) = provider.check({}, declared()).failures

    assert "huaweicloud:region" in failure.reason


def test_vault_replication_cannot_be_imported() -> None:
    """Its id says nothing; the error says how to take over replicas."""
    with pytest.raises(cbr.ConfigurationError) as caught:
        VaultReplicationProvider().import_state("vault-1")

    assert (
        "importing 'vault-1': the replication of a vault has no id in CBR; declare it, and create "
        "adopts the replicas that exist"
    ) == str(caught.value)
