"""The end of a copy that replaces another one: it is complete only with a replica that stays."""

from __future__ import annotations

from typing import Any, cast

import pytest
from msgspec.structs import replace

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica
from pulumi_huaweicloud_cbr.base.errors import ConflictError
from pulumi_huaweicloud_cbr.replication import one
from pulumi_huaweicloud_cbr.replication.observe import Limits
from tests.unit.replication.test_observe import KNOWN

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("status", "failure", "reason"),
    [
        ("available", None, None),
        ("restoring", None, None),
        ("deleting", None, "no replica is to be seen"),
        ("waiting_delete", None, "no replica is to be seen"),
        (None, None, "no replica is to be seen"),
        (None, "BackupService.6129: no room", "BackupService.6129: no room"),
    ],
)
async def test_copy_is_complete_with_a_replica_that_stays(
    monkeypatch: pytest.MonkeyPatch, status: str | None, failure: str | None, reason: str | None
) -> None:
    """The old replica is deleted next, so one that is being deleted does not count."""
    backup = None if status is None else Backup(id="r", status=status)
    ended = one.Settled(replace(KNOWN, failure=failure), Replica("r", backup), is_source_gone=False)

    async def settle(*_: Any) -> one.Settled:
        return ended

    monkeypatch.setattr(one, "settle", settle)
    nothing = cast("Any", None)
    if reason is None:
        assert ended.tracked == await one.complete(nothing, KNOWN, nothing, Limits())
        return
    with pytest.raises(ConflictError) as caught:
        await one.complete(nothing, KNOWN, nothing, Limits())
    assert f"did not succeed ({reason}), so that the old replica stays" in str(caught.value)
