"""What CBR does not tell is unknown: it is neither "no copy" nor "failed"."""

from __future__ import annotations

from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    Replica,
    ReplicationRecord,
    Vault,
    VaultBilling,
)
from pulumi_huaweicloud_cbr.api.wire.requests import UNREADABLE, ProjectScope
from pulumi_huaweicloud_cbr.replication.preflight.vault import check_source_vault
from pulumi_huaweicloud_cbr.replication.rules.decisions import (
    Adopt,
    Attempt,
    AwaitDeletion,
    Observation,
    Refuse,
    Standing,
    Submit,
    decide_create,
    decide_read,
    doubled,
)
from pulumi_huaweicloud_cbr.replication.rules.fitness import (
    check_backup,
    check_records,
    check_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredReplication

DESIRED = DesiredReplication(
    "b", ProjectScope("cn-north-4", "north"), ProjectScope("cn-east-3", "east"), "v"
)
PLACE = {
    "destination_region": "cn-east-3",
    "destination_project_id": "east",
    "destination_vault_id": "v",
}
AVAILABLE = Replica("r", Backup(id="r", status="available", vault_id="v", project_id="east"))
ARRIVING = Replica("r", Backup(id="r", status="protecting", vault_id="v", project_id="east"))
DELETING = Replica("r", Backup(id="r", status="deleting", vault_id="v", project_id="east"))
GONE = Replica("r", None)
ELSEWHERE = Replica("r", Backup(id="r", status="available", vault_id="w", project_id="east"))


def record(id_: str = "rec", status: str | None = None, **fields: Any) -> ReplicationRecord:
    """Return a record of which little is told."""
    return ReplicationRecord(id=id_, status=status, **fields)


# -- create ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "attempt",
    [
        Attempt(record()),
        Attempt(record(destination_backup_id="r"), GONE),
        Attempt(record(f"{UNREADABLE}1>")),
        Attempt(record(status="suspended"), AVAILABLE),
        # A copy under way whose vault is not told may be in another one.
        Attempt(record(status="replicating")),
    ],
)
def test_copy_of_which_too_little_is_told_is_refused(attempt: Attempt) -> None:
    """It may be the copy that is wanted, so nothing is submitted."""
    assert isinstance(decide_create(DESIRED, [attempt]), Refuse)


@pytest.mark.parametrize("replica", [AVAILABLE, ARRIVING])
def test_replica_shows_what_its_record_does_not_tell(replica: Replica) -> None:
    """The replica is there, in the wanted vault: the record needs no status and no place."""
    assert isinstance(decide_create(DESIRED, [Attempt(record(), replica)]), Adopt)


def test_replica_that_is_deleted_is_waited_for_without_a_status() -> None:
    """As with a status."""
    assert isinstance(decide_create(DESIRED, [Attempt(record(), DELETING)]), AwaitDeletion)


def test_replica_shows_that_it_is_elsewhere() -> None:
    """Its own vault counts if the record names none."""
    decision = decide_create(DESIRED, [Attempt(record(status="success"), ELSEWHERE)])

    assert isinstance(decision, Refuse)
    assert "destination_vault_id" == decision.field


def test_unknown_record_does_not_hide_a_copy_that_is_certain() -> None:
    """CBR keeps one live replica. So the older record's replica is the one."""
    attempts = [
        Attempt(record("new")),
        Attempt(record("old", "success", **PLACE), AVAILABLE),
    ]

    decision = decide_create(DESIRED, attempts)

    assert isinstance(decision, Adopt)
    assert "old" == decision.attempt.record.id


def test_copies_that_are_over_prevent_nothing() -> None:
    """They failed, or their replicas are gone."""
    attempts = [Attempt(record(status="fail")), Attempt(record(status="success"), GONE)]

    assert isinstance(decide_create(DESIRED, attempts), Submit)


# -- read ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seen", "standing"),
    [
        (Observation(Backup(id="b"), record(), AVAILABLE), Standing.PRESENT),
        (Observation(Backup(id="b"), record(), GONE), Standing.UNKNOWN),
        (Observation(Backup(id="b"), record(), ARRIVING), Standing.UNKNOWN),
        (Observation(Backup(id="b"), record(), DELETING), Standing.DELETING),
        (Observation(Backup(id="b"), None, GONE), Standing.GONE),
        (Observation(Backup(id="b"), None, GONE, are_records_told=False), Standing.UNKNOWN),
        (Observation(Backup(id="b"), None, AVAILABLE, are_records_told=False), Standing.PRESENT),
    ],
)
def test_what_is_not_told_is_not_gone(seen: Observation, standing: Standing) -> None:
    """A replica that is found is present. One that is not found is gone only if CBR tells it."""
    assert standing is decide_read(seen)


# -- several live copies ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ([], 0),
        ([Attempt(record("2", "replicating"))], 2),
        ([Attempt(record("2", "success"), AVAILABLE)], 2),
        ([Attempt(record("2"), AVAILABLE), Attempt(record("3", "success"), ARRIVING)], 3),
        ([Attempt(record("2", "success"), GONE)], 0),
        ([Attempt(record("2", "success"), DELETING)], 0),
        ([Attempt(record("2", "fail"))], 0),
        ([Attempt(record("2"))], 0),
    ],
)
def test_doubled_counts_copies_that_are_certain(others: list[Attempt], count: int) -> None:
    """A copy that is running or stands, not one that is over, deleted or unknown."""
    own = Attempt(record("1", "success", **PLACE), AVAILABLE)

    assert count == len(doubled([own, *others]))


# -- fitness ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "certain"),
    [
        ({"resource_type": "OS::Nova::Server"}, []),
        ({"resource_type": "OS::Sfs::Turbo"}, []),
        ({"resource_type": "OS::Workspace::DesktopV2"}, [False]),
        ({"resource_type": "VMware::VirtualMachine"}, [False]),
        ({"resource_type": None}, []),
        ({"resource_type": "OS::Cinder::Volume"}, [True]),
        ({"resource_type": "OS::Ironic::BareMetalServer"}, [True]),
        ({"status": None}, [False]),
        ({"status": "error"}, [True]),
    ],
)
def test_backup_that_may_be_copied_is_not_refused(
    fields: dict[str, Any], certain: list[bool]
) -> None:
    """Only what CBR certainly refuses is. The rest is a warning."""
    found = check_backup(Backup(**{"id": "b", "status": "available", **fields}))

    assert certain == [finding.is_certain for finding in found]


@pytest.mark.parametrize("object_type", ["vmware", "workspace"])
def test_vault_that_may_be_copied_as_a_whole_is_not_refused(object_type: str) -> None:
    """Hybrid vaults can be, says the guide, and nothing says so of workspaces (section 10.1)."""
    vault = Vault(id="v", billing=VaultBilling(object_type=object_type, protect_type="hybrid"))

    (finding,) = check_source_vault(vault)

    assert not finding.is_certain


def test_room_that_is_not_told_is_a_warning_where_it_matters() -> None:
    """A vault that cannot take the copy for another reason has no second one."""
    (finding,) = check_vault(Vault(id="v"), None)
    assert not finding.is_certain

    assert [] == check_vault(Vault(id="v"), None, is_room_needed=False)
    (finding,) = check_vault(Vault(id="v", billing=VaultBilling(status="frozen")), None)
    assert finding.is_certain


def test_records_that_are_not_told_are_a_warning() -> None:
    """An empty list is none."""
    (finding,) = check_records(Backup(id="b"))

    assert not finding.is_certain
    assert [] == check_records(Backup(id="b", replication_records=()))
