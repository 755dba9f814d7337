"""Unknown outcomes are looked up, never guessed: lost answers, throttling, second copies."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr import (
    ApiError,
    ConflictError,
    MalformedResponseError,
    OutcomeUnknownError,
    WaitTimeoutError,
)
from tests.contract.rig import BACKUP, Rig, declared

pytestmark = pytest.mark.simulator_only

UNKNOWN_ERROR = {"error_code": "BackupService.9910", "error_msg": "Unknown error."}
SECOND_COPY = {"error_code": "BackupService.1009", "error_msg": "already"}
BUSY = {"error_code": "BackupService.6130", "error_msg": "The vault is being replicated."}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": "drop_after"}, id="dropped"),
        pytest.param({"action": "respond_after", "status": 502}, id="empty-502"),
        pytest.param({"action": "respond_after", "status": 500, "body": UNKNOWN_ERROR}, id="9910"),
        pytest.param(
            {"action": "respond_after", "status": 200, "body": "<html>proxy</html>"}, id="html-200"
        ),
        pytest.param(
            {"action": "respond_after", "status": 504, "body": "<html>gateway</html>"},
            id="html-504",
        ),
        pytest.param(
            {"action": "respond_after", "status": 200, "body": {"replication": {}}}, id="no-id"
        ),
    ],
)
def test_accepted_but_unanswered_is_adopted(rig: Rig, fault: dict[str, Any]) -> None:
    """A submission that was accepted but not answered is found: one copy, same id."""
    rig.control.fault(operation="CopyBackup", **fault)

    rig.create(declared())

    (record,) = rig.control.records()
    assert record["id"] == rig.id
    assert ["CopyBackup"] == rig.writes()


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param({"action": "drop_before"}, id="dropped"),
        pytest.param({"action": "respond", "status": 503}, id="empty-503"),
        pytest.param({"action": "respond", "status": 500, "body": UNKNOWN_ERROR}, id="9910"),
    ],
)
def test_not_accepted_is_submitted_again_after_looking(rig: Rig, fault: dict[str, Any]) -> None:
    """A submission that was not accepted is sent again, but only after a look-up."""
    rig.control.fault(operation="CopyBackup", **fault)

    rig.create(declared())

    operations = [entry["operation"] for entry in rig.control.journal()]
    first = operations.index("CopyBackup")
    assert "ShowBackup" in operations[first + 1 : operations.index("CopyBackup", first + 1)]
    assert 1 == len(rig.control.records())


def test_never_accepted_is_an_error_that_says_so(rig: Rig) -> None:
    """If no submission gets through, the error says that it is safe to run up again."""
    rig.control.fault(operation="CopyBackup", action="drop_before", times=9)

    with pytest.raises(OutcomeUnknownError) as caught:
        rig.create(declared())

    assert "run pulumi up again" in str(caught.value)
    assert [] == rig.control.records()


def test_refused_for_now_is_repeated(rig: Rig) -> None:
    """A temporary refusal is repeated after a wait, without a look-up."""
    rig.control.fault(operation="CopyBackup", action="respond", status=400, body=BUSY, times=2)

    rig.create(declared())

    assert ["CopyBackup"] * 3 == rig.writes()


@pytest.mark.parametrize("status", [400, 500])
def test_refused_for_good_is_sent_once(rig: Rig, status: int) -> None:
    """The code decides, not the status: 1005 as a 500 is a refusal like any other."""
    body = {"error_code": "BackupService.1005", "error_msg": "no"}
    rig.control.fault(operation="CopyBackup", action="respond", status=status, body=body)

    with pytest.raises(ApiError) as caught:
        rig.create(declared())

    assert "BackupService.1005" == caught.value.code
    assert ["CopyBackup"] == rig.writes()


def test_second_copy_refused_turns_into_adoption(rig: Rig) -> None:
    """1009 at the submission means that somebody else was faster: their copy is adopted."""
    rig.control.fault(operation="CopyBackup", action="respond_after", status=400, body=SECOND_COPY)

    rig.create(declared())

    assert rig.control.records()[0]["id"] == rig.id
    assert 1 == len(rig.replicas)


def test_second_copy_refused_without_a_record_is_a_conflict(rig: Rig) -> None:
    """1009 without a listed record is reported as a conflict, with what to look for."""
    rig.control.fault(
        operation="CopyBackup", action="respond", status=400, body=SECOND_COPY, times=9
    )

    with pytest.raises(ConflictError) as caught:
        rig.create(declared())

    assert "BackupService.1009" == caught.value.code


@pytest.mark.parametrize("operation", ["ShowBackup", "UpdateBackup"])
@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
def test_lost_answer_of_repeatable_call_is_repeated(rig: Rig, operation: str, action: str) -> None:
    """Reading and renaming are idempotent, so a request with a lost answer is repeated."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.fault(operation=operation, action=action)

    rig.update(declared(name="erp-dr"))

    assert ["erp-dr"] == [replica["name"] for replica in rig.replicas]


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
def test_lost_answer_of_deletion_ends_well(rig: Rig, action: str) -> None:
    """A deletion with a lost answer is repeated. A replica that is already gone is fine."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.fault(operation="DeleteBackup", action=action)

    rig.delete()

    assert [] == rig.replicas


def test_throttled_for_good_stops_within_the_budget(rig: Rig) -> None:
    """Permanent throttling stops after a number of attempts, with the gateway's code."""
    body = {"error_code": "APIGW.0308", "error_msg": "over ratelimit", "request_id": "0" * 32}
    rig.create(declared())
    rig.control.fault(operation="ShowBackup", action="respond", status=429, body=body, times=99)
    rig.control.clear_journal()

    with pytest.raises(ApiError) as caught:
        rig.refresh()

    assert "APIGW.0308" == caught.value.code
    assert len(rig.control.journal(operation="ShowBackup")) <= 6


def test_truncated_answer_is_a_typed_error(rig: Rig) -> None:
    """An answer that is not JSON is reported as such, without its body."""
    rig.create(declared())
    rig.control.fault(operation="ShowBackup", action="respond", status=200, body='{"backup": {')

    with pytest.raises(MalformedResponseError):
        rig.refresh()


def test_copy_that_does_not_end_stops_a_deletion_in_time(rig: Rig) -> None:
    """A wait for a copy has a limit, and the message says that the copy continues."""
    rig.control.change_backup(BACKUP, copy={"mode": "never"})
    rig.create(declared())

    with pytest.raises(WaitTimeoutError) as caught:
        rig.delete()

    assert "after 4 h" in str(caught.value)
    assert "run the same command again" in str(caught.value)
