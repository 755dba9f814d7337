"""What is odd in an answer to a look-up makes that one thing unknown, and the rest counts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import MalformedResponseError
from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    BackupEnvelope,
    BackupPage,
    CapabilitiesEnvelope,
    ProjectPage,
    ReplicationEnvelope,
    TaskPage,
    Vault,
    VaultBilling,
    VaultCopiesEnvelope,
    VaultEnvelope,
    VaultPage,
)
from pulumi_huaweicloud_cbr.api.wire.decoding import decode
from pulumi_huaweicloud_cbr.api.wire.requests import is_unreadable
from tests.unit.wire import RECORD, answered

NO_ID: list[Any] = [7, None, "x", [], {}, {"id": None}, {"id": 7.5}, {"id": "a b"}, {"status": "x"}]


def read(model: Any, value: Any) -> Any:
    """Return an answer as the client reads it."""
    return decode(answered(200, json.dumps(value)), model, "reading it")


def backup_of(**fields: Any) -> Backup:
    """Return a backup as ShowBackup tells it."""
    envelope: BackupEnvelope = read(BackupEnvelope, {"backup": {"id": "b", **fields}})
    return envelope.backup


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("status", 7),
        ("status", {"word": "available"}),
        ("status", "x" * 65),
        ("resource_size", "huge"),
        ("resource_size", 10**40),
        ("checkpoint_id", "a b"),
        ("extend_info", [1]),
    ],
)
def test_field_that_cannot_be_read_is_unknown(field: str, value: Any) -> None:
    """All other fields of the backup count."""
    backup = backup_of(**{"name": "erp", "description": "weekly", field: value})

    assert ("erp", "weekly") == (backup.name, backup.description)
    assert getattr(backup, field) is None


def test_part_of_an_object_that_cannot_be_read_is_unknown() -> None:
    """Only that part of the object is."""
    record = {"id": "r", "status": "replicating", "extra_info": {"progress": "?", "fail_code": "x"}}

    (seen,) = backup_of(replication_records=[record]).records

    assert seen.extra_info is not None
    assert (None, "x") == (seen.extra_info.progress, seen.extra_info.fail_code)


@pytest.mark.parametrize("row", NO_ID)
def test_record_without_an_id_is_still_a_record(row: Any) -> None:
    """It may be a copy to any region, so that it must not look like none."""
    good = {"id": "r", "status": "success"}

    first, second = backup_of(replication_records=[row, good]).records

    assert is_unreadable(first.id)
    assert (None, None) == (first.status, first.destination_region)
    assert ("r", "success") == (second.id, second.status)


@pytest.mark.parametrize("value", ["many", 7, True, {"count": 2}])
def test_records_that_are_no_list_are_an_unknown_record(value: Any) -> None:
    """They are there, and cannot be read."""
    (record,) = backup_of(replication_records=value).records

    assert is_unreadable(record.id)


@pytest.mark.parametrize("given", [{}, {"replication_records": None}])
def test_records_that_are_not_told_are_not_none(given: dict[str, Any]) -> None:
    """An empty list says that there are none; a missing one says nothing."""
    assert backup_of(**given).replication_records is None
    assert () == backup_of(replication_records=[]).replication_records


def test_record_of_the_id_alone_has_an_unknown_status() -> None:
    """The definition requires nothing else."""
    (record,) = backup_of(replication_records=[{"id": "r"}]).records

    assert record.status is None
    assert [False] * 3 == [record.is_pending, record.is_failed, record.is_succeeded]


@pytest.mark.parametrize(
    ("model", "field", "row"),
    [
        *((BackupPage, "backups", row) for row in NO_ID),
        *((VaultPage, "vaults", row) for row in NO_ID),
        # The id of a task is in no path, so it may be any text.
        *((TaskPage, "operation_logs", row) for row in NO_ID if row != {"id": "a b"}),
    ],
)
def test_odd_row_of_a_page_leaves_the_others(model: Any, field: str, row: Any) -> None:
    """It keeps its place in the count, with an id that is the same each time."""
    page = read(model, {field: [{"id": "a"}, row, {"id": "c"}], "count": 3})

    first, odd, last = page.rows

    assert ("a", "c") == (first.id, last.id)
    assert is_unreadable(odd.id)
    assert page == read(model, {field: [{"id": "a"}, row, {"id": "c"}], "count": 3})


def test_odd_rows_that_are_alike_are_several() -> None:
    """The list would seem to lack rows if two of them counted as one."""
    page = read(BackupPage, {"backups": [None, {"id": "a"}, None], "count": 3})

    assert 3 == len({row.id for row in page.rows})


def test_backup_whose_mark_cannot_be_read_is_no_nobodys() -> None:
    """Without its description, another stack's replica would look like nobody's."""
    with pytest.raises(MalformedResponseError):
        backup_of(description=7)

    page = read(BackupPage, {"backups": [{"id": "b", "description": 7}], "count": 1})
    assert page.rows[0].is_unreadable


@pytest.mark.parametrize(
    ("model", "field"),
    [
        (BackupPage, "backups"),
        (VaultPage, "vaults"),
        (TaskPage, "operation_logs"),
        (ProjectPage, "projects"),
        (CapabilitiesEnvelope, "regions"),
    ],
)
def test_page_that_is_null_has_no_rows(model: Any, field: str) -> None:
    """A null is a list without rows. An answer that is no page at all is an error."""
    assert () == getattr(read(model, {field: None}), field)
    others: list[dict[str, Any]] = [{}, {"message": "ok"}, {field: "none"}, {field: {}}]
    for other in others:
        with pytest.raises(MalformedResponseError):
            read(model, other)


def test_page_of_a_count_alone_has_no_rows() -> None:
    """The count shows that it is a page; if it is not 0, the list counts as incomplete."""
    for count in (0, 5):
        page = read(BackupPage, {"count": count})
        assert () == page.backups
        assert count == page.count
    assert read(BackupPage, {"backups": [], "count": "five"}).count is None


@pytest.mark.parametrize("billing", [None, "free", [], {"size": "big"}])
def test_vault_without_figures_has_unknown_room(billing: Any) -> None:
    """Everything about its billing is unknown."""
    vault: Vault = read(VaultEnvelope, {"vault": {"id": "v", "billing": billing}}).vault

    assert VaultBilling() == vault.billing
    assert vault.free_gb is None


def test_region_without_readable_destinations_is_unknown() -> None:
    """A list with one odd name tells nothing of what it lacks."""
    rows = [
        {"name": "cn-north-4", "replication_destinations": None},
        {"name": "cn-north-1", "replication_destinations": ["cn-east-3", 7]},
        {"name": "cn-east-3"},
        {"replication_destinations": ["cn-east-3"]},
        "southchina",
    ]

    regions = read(CapabilitiesEnvelope, {"regions": rows}).regions

    assert ["cn-north-4", "cn-north-1", "cn-east-3"] == [region.name for region in regions]
    assert {None} == {region.replication_destinations for region in regions}


def test_project_that_cannot_be_read_is_left_out() -> None:
    """The projects of other names are of no interest."""
    rows = [{"id": "p", "name": None}, 7, {"id": "q", "name": "cn-north-4", "enabled": "yes"}]

    (project,) = read(ProjectPage, {"projects": rows}).projects

    assert ("q", None) == (project.id, project.enabled)


@pytest.mark.parametrize(
    ("model", "value"),
    [
        (ReplicationEnvelope, {"replication": {"replication_record_id": None}}),
        (ReplicationEnvelope, {"replication": {"replication_record_id": RECORD, "backup_id": 7}}),
        (VaultCopiesEnvelope, {"replication": {"backups": None}}),
        (VaultCopiesEnvelope, {"replication": {"backups": [{"backup_id": "b"}]}}),
    ],
)
def test_answer_to_a_submission_is_never_guessed(model: Any, value: Any) -> None:
    """What was accepted is looked for instead."""
    with pytest.raises(MalformedResponseError):
        read(model, value)
