"""What a look at a replication changes in what is known of it."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.replication.observe import updated
from pulumi_huaweicloud_cbr.replication.rules.decisions import Observation
from pulumi_huaweicloud_cbr.replication.rules.model import TrackedReplication

KNOWN = TrackedReplication(
    backup_id="b",
    source=ProjectScope("cn-north-4", "north"),
    destination=ProjectScope("cn-east-3", "east"),
    destination_vault_id="v",
    replication_record_id="r1",
    status="success",
    destination_backup_id="r",
    description="weekly",
    owner="shop/prod",
    seen_owner="shop/test",
)


@pytest.mark.parametrize(
    ("backup", "text", "seen"),
    [
        (None, "weekly", "shop/test"),
        (Backup(id="r", description="weekly [pulumi shop/prod]"), "weekly", "shop/prod"),
        (Backup(id="r", description="monthly"), "monthly", None),
        (Backup(id="r", description="[pulumi shop/test]"), "weekly", "shop/test"),
        (Backup(id="r"), "weekly", None),
    ],
)
def test_mark_is_that_of_the_replica_as_long_as_it_is_seen(
    backup: Backup | None, text: str, seen: str | None
) -> None:
    """The recorded owner never changes by a look. A mark stays while no replica is to be seen."""
    found = updated(KNOWN, Observation(Backup(id="b"), None, Replica("r", backup)))

    assert ("shop/prod", seen, text) == (found.owner, found.seen_owner, found.description)
    assert (None if seen == "shop/prod" else seen) == found.other_owner
