"""The state of a vault's backups, and whether two vaults match: tables without a network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import Backup, Replica, ReplicationRecord, Vault
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.replication.preflight.vault import (
    check_destination_vault,
    check_source_vault,
)
from pulumi_huaweicloud_cbr.replication.rules.decisions import Attempt
from pulumi_huaweicloud_cbr.replication.rules.model import DesiredVaultReplication
from pulumi_huaweicloud_cbr.replication.rules.sets.members import labelled
from pulumi_huaweicloud_cbr.replication.vault import VaultView, check_view, decide_vault
from tests.unit.wire import BACKUP, RECORD, REQUEST, SOURCE

VAULT = REQUEST.destination_vault_id
OTHER = "0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a"
SOURCE_VAULT = "de587d5d-f63e-4ea1-a892-5935070352ba"
DESIRED = DesiredVaultReplication(
    SOURCE_VAULT, SOURCE, ProjectScope("cn-east-3", REQUEST.destination_project_id), VAULT
)
REPLICA = Replica("r", Backup(id="r", status="available"))
GONE = Replica("r", None)


def make_backup(**fields: Any) -> Backup:
    """Return a server's backup that can be copied."""
    return Backup(
        **{
            "id": BACKUP,
            "status": "available",
            "image_type": "backup",
            "resource_type": "OS::Nova::Server",
            "resource_name": "erp",
            "resource_size": 100,
            "created_at": "2026-11-20T02:00:11.905331",
            **fields,
        }
    )


def make_attempt(
    status: str, replica: Replica | None = None, vault_id: str = VAULT, number: int = 0
) -> Attempt:
    """Return an attempt to copy a backup to the region."""
    record = ReplicationRecord(
        id=f"{RECORD}-{number}",
        status=status,
        destination_region="cn-east-3",
        destination_project_id=REQUEST.destination_project_id,
        destination_vault_id=vault_id,
    )
    return Attempt(record, replica)


def place_of(view: VaultView) -> list[str]:
    """Return the parts of a view that contain the one backup."""
    names = ("due", "held", "spent", "elsewhere", "unclear", "unfit")
    return [name for name in names if "erp" in getattr(view, name)]


@pytest.mark.parametrize(
    ("backup", "attempts", "place"),
    [
        pytest.param({}, [], "due", id="never-copied"),
        pytest.param({}, [make_attempt("fail")], "due", id="failed"),
        pytest.param({}, [make_attempt("skip")], "due", id="skipped"),
        pytest.param({"status": "protecting"}, [], "unfit", id="in-the-making"),
        pytest.param({"image_type": "replication"}, [], "unfit", id="a-replica"),
        pytest.param({}, [make_attempt("replicating")], "held", id="under-way"),
        pytest.param({}, [make_attempt("success", REPLICA)], "held", id="copied"),
        pytest.param(
            {"status": "restoring"}, [make_attempt("success", REPLICA)], "held", id="in-use"
        ),
        pytest.param({}, [make_attempt("success", GONE)], "spent", id="replica-gone"),
        pytest.param(
            {},
            [make_attempt("fail"), make_attempt("success", GONE, number=1)],
            "spent",
            id="replica-gone-then-failed",
        ),
        pytest.param(
            {},
            [make_attempt("success", Replica("r", Backup(id="r", status="deleting")))],
            "spent",
            id="replica-leaving",
        ),
        pytest.param(
            {}, [make_attempt("replicating", vault_id=OTHER)], "elsewhere", id="other-vault"
        ),
        pytest.param({}, [make_attempt("paused")], "unclear", id="unknown-status"),
    ],
)
def test_decide_vault_puts_each_backup_in_one_place(
    backup: dict[str, Any], attempts: list[Attempt], place: str
) -> None:
    """The table of docs/how-to/entire-vault.md, row by row."""
    view = decide_vault(DESIRED, {"erp": (make_backup(**backup), attempts)})

    assert [place] == place_of(view)


@pytest.mark.parametrize("attempt", [make_attempt("success", REPLICA), make_attempt("replicating")])
def test_decide_vault_promises_no_copy_of_what_is_deleted_first(attempt: Attempt) -> None:
    """No copy is promised after a replica that is deleted before its successor exists."""
    own = frozenset({attempt.record.id})

    view = decide_vault(DESIRED, {"erp": (make_backup(), [attempt])}, own)

    assert ["spent"] == place_of(view)


def test_due_but_omits_by_id() -> None:
    """A backup that CBR omitted is known by its id, whatever its label."""
    view = VaultView(due={"a": make_backup(), "b": make_backup(id="b")})

    assert ["b"] == view.due_but(frozenset({BACKUP}))


def test_check_view_names_some_and_counts_the_rest() -> None:
    """A hundred replicas elsewhere are not a hundred lines."""
    backups = {
        f"web-{number}": (
            make_backup(id=f"b{number}"),
            [make_attempt("replicating", vault_id=OTHER, number=number)],
        )
        for number in range(7)
    }

    (finding,) = check_view(decide_vault(DESIRED, backups), DESIRED)

    assert finding.reason.startswith(f"7 of the backups cannot come into vault ({VAULT}): 'web-0'")
    assert "'web-4'" in finding.reason
    assert "'web-5'" not in finding.reason
    assert " and 2 more; CBR keeps one replica" in finding.reason


# -- vaults -------------------------------------------------------------------------------------


def make_vault(**billing: Any) -> Vault:
    """Return a destination vault that matches."""
    facts = {"protect_type": "replication", "object_type": "server", "size": 100, "used": 0}
    return msgspec.convert({"id": VAULT, "billing": {**facts, **billing}}, Vault)


@pytest.mark.parametrize(
    ("billing", "is_fit"),
    [
        ({"protect_type": "backup", "object_type": "server"}, True),
        ({"protect_type": "hybrid", "object_type": "turbo"}, True),
        ({"protect_type": None, "object_type": None}, True),
        ({"protect_type": "replication"}, False),
        ({"protect_type": "backup", "object_type": "disk"}, False),
    ],
)
def test_check_source_vault(billing: dict[str, Any], is_fit: bool) -> None:
    """What CBR refuses with 6128 is found. Missing facts are no failure."""
    assert is_fit is not bool(check_source_vault(make_vault(**billing)))


@pytest.mark.parametrize(
    ("billing", "due", "certain"),
    [
        pytest.param({}, 1, [], id="fits"),
        pytest.param({}, 2, [False], id="not-all"),
        pytest.param({"used": 102400}, 1, [True], id="full"),
        pytest.param({"used": 102400}, 0, [], id="full-and-nothing-to-come"),
        pytest.param({"object_type": "turbo"}, 0, [True], id="other-type"),
        pytest.param({"status": "frozen"}, 0, [True], id="frozen"),
        pytest.param({"used": None}, 9, [False], id="room-not-told"),
        pytest.param({"used": None}, 0, [], id="room-not-told-and-nothing-to-come"),
    ],
)
def test_check_destination_vault(billing: dict[str, Any], due: int, certain: list[bool]) -> None:
    """A vault must match. Too little room for the sum is a warning."""
    backups = {str(number): make_backup(id=f"b{number}") for number in range(due)}
    source = make_vault(protect_type="backup")

    findings = check_destination_vault(make_vault(**billing), source, VaultView(due=backups))

    assert certain == [finding.is_certain for finding in findings]
    assert all(finding.field == "destination_vault_id" for finding in findings)


def test_check_destination_vault_without_a_look() -> None:
    """A full vault is reported even if the backups are unknown."""
    assert [] != check_destination_vault(make_vault(used=102400), None, None)


def test_labelled_uses_no_label_twice() -> None:
    """The id distinguishes two backups of one moment, or a label that is in use."""
    backups = [make_backup(), make_backup(id="6b974ebb-8376"), make_backup(resource_name="web")]

    labels = list(labelled(backups, {"web@2026-11-20T02:00:11"}))

    assert [
        "erp@2026-11-20T02:00:11",
        "erp@2026-11-20T02:00:11#6b974ebb",
        "web@2026-11-20T02:00:11#5a863daa",
    ] == labels


def test_labelled_loses_no_backup_with_a_similar_id() -> None:
    """Ids with the same first eight digits are written in full."""
    ids = ["6b974ebb-8376", "6b974ebb-8377", "6b974ebb-8378"]

    found = labelled(make_backup(id=id_) for id_ in ids)

    assert ids == [backup.id for backup in found.values()]
    assert [
        "erp@2026-11-20T02:00:11",
        "erp@2026-11-20T02:00:11#6b974ebb",
        "erp@2026-11-20T02:00:11#6b974ebb-8378",
    ] == list(found)
