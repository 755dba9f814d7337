"""The meaning of a replication record's status for the copy."""

from __future__ import annotations

import msgspec
import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import ReplicationRecord

REPLICA = "b28ce54c-70d0-42e4-ac6b-ff8723571da3"


@pytest.mark.parametrize(
    ("status", "replica", "expected"),
    [
        pytest.param("waiting_replicate", None, "pending", id="waiting"),
        pytest.param("replicating", None, "pending", id="replicating"),
        pytest.param("replicating", REPLICA, "pending", id="replicating-with-early-id"),
        pytest.param("success", REPLICA, "succeeded", id="success"),
        pytest.param("success", None, "succeeded", id="success-without-id"),
        pytest.param("fail", None, "failed", id="fail"),
        pytest.param("fail", REPLICA, "failed", id="fail-with-early-id"),
        pytest.param("skip", None, "failed", id="skip-without-replica"),
        pytest.param("skip", "", "failed", id="skip-with-empty-id"),
        pytest.param("skip", REPLICA, "succeeded", id="skip-with-replica"),
        pytest.param("suspended", REPLICA, None, id="unknown"),
        pytest.param("", None, None, id="empty"),
    ],
)
def test_record_status_is_one_of_three_or_unknown(
    status: str, replica: str | None, expected: str | None
) -> None:
    """A copy is pending, failed or succeeded; a skipped one succeeded if it names a replica."""
    record = msgspec.convert(
        {"id": "r", "status": status, "destination_backup_id": replica}, ReplicationRecord
    )

    said = {
        "pending": record.is_pending,
        "failed": record.is_failed,
        "succeeded": record.is_succeeded,
    }
    assert ([expected] if expected else []) == [name for name, is_so in said.items() if is_so]
