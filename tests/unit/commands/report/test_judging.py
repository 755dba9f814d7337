"""What a report must not call met: each case shows a copy that nobody should rely on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.wire.answers import (
    Backup,
    ReplicationRecord,
    Vault,
    VaultBilling,
)
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands.account.inventory import Inventory
from pulumi_huaweicloud_cbr.commands.report.asking import Seen, SeenArea
from pulumi_huaweicloud_cbr.commands.report.command import exit_of
from pulumi_huaweicloud_cbr.commands.report.judging.judge import judge
from pulumi_huaweicloud_cbr.commands.report.model import Report, Resource
from pulumi_huaweicloud_cbr.commands.report.show.clean import cleaned
from pulumi_huaweicloud_cbr.commands.report.show.junit import as_junit
from pulumi_huaweicloud_cbr.commands.report.show.text import as_text
from pulumi_huaweicloud_cbr.config.objectives import Declared, Objective

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
NIGHT = "2026-11-20T02:00:00.000000"
NORTH, EAST = "cn-north-4", "cn-east-3"
HOUR_S = 3600


def backup(**changes: Any) -> Backup:
    """Return last night's backup of a server, which has no record."""
    given: dict[str, Any] = {
        "id": "backup-1",
        "image_type": "backup",
        "status": "available",
        "vault_id": "vault-north",
        "resource_id": "server-1",
        "resource_name": "erp",
        "created_at": NIGHT,
        "replication_records": (),
    }
    return Backup(**{**given, **changes})


def replica(**changes: Any) -> Backup:
    """Return a usable replica that no record names."""
    given = {"id": "replica-1", "image_type": "replication", "vault_id": "vault-east"}
    return backup(**{**given, **changes})


def record(project_id: str | None = "p-east", **changes: Any) -> ReplicationRecord:
    """Return the record of a copy that succeeded."""
    given: dict[str, Any] = {
        "id": "record-1",
        "status": "success",
        "created_at": "2026-11-20T03:00:00",
        "destination_backup_id": "replica-1",
        "destination_project_id": project_id,
        "destination_region": EAST,
    }
    return ReplicationRecord(**{**given, **changes})


def area(region: str, project_id: str, *rows: Backup, vaults: tuple[Vault, ...] = ()) -> SeenArea:
    """Return a project that was read: a source in the north, else a destination."""
    inventory = Inventory(ProjectScope(region, project_id), rows, vaults)
    return SeenArea(region, project_id, region == NORTH, region != NORTH, inventory)


def declared(*projects: str, source: str = "p-north", rpo_s: int | None = 26 * HOUR_S) -> Declared:
    """Return an entry that copies the server to projects in the east."""
    return Declared(
        entry="nightly",
        kind="sets",
        source_region=NORTH,
        source_project_id=source,
        destinations=tuple((EAST, one) for one in projects or ("p-east",)),
        objective=Objective(rpo_s=rpo_s),
        backup_ids=frozenset(),
        filters={"resource_name": "erp"},
        vault_id=None,
    )


def only(report: Report) -> Resource:
    """Return the only resource."""
    (resource,) = report.resources
    return resource


def look(*areas: SeenArea, entry: Declared | None = None, **seen: Any) -> Report:
    """Return the report of areas, and of an entry."""
    return judge(Seen(areas=list(areas), declared=[entry or declared()], **seen), NOW)


def test_copy_that_a_record_names_meets_the_objective() -> None:
    """The case that the others differ from."""
    report = look(
        area(NORTH, "p-north", backup(replication_records=(record(),))),
        area(EAST, "p-east", replica(created_at="2026-11-20T03:00:00")),
    )

    assert "met" == only(report).verdict
    assert 6 * HOUR_S == only(report).there[0].newest_age_s
    assert Exit.DONE == exit_of(report)


# -- several projects in one region --------------------------------------------------------------


def test_copies_in_another_project_of_the_region_do_not_count() -> None:
    """Two teams copy the same server to the same region, and only one of the copies exists."""
    report = look(
        area(NORTH, "p-north", backup(replication_records=(record(),))),
        area(EAST, "p-east", replica()),
        area(EAST, "p-other"),
        entry=declared("p-east", "p-other"),
    )

    (there,) = only(report).there
    assert ("missed", "p-other", None, 1) == (
        there.verdict,
        there.project_id,
        there.newest_age_s,
        there.count,
    )
    assert "no usable copy in project p-other of cn-east-3, want 26 h" == only(report).reason
    assert "cn-east-3 (project p-other)" in as_junit(cleaned(report))


def test_failure_in_one_project_is_told_beside_a_copy_in_another() -> None:
    failed = record("p-other", id="record-2", status="fail", destination_backup_id=None)
    report = look(
        area(NORTH, "p-north", backup(replication_records=(record(), failed))),
        area(EAST, "p-east", replica()),
        area(EAST, "p-other"),
    )

    assert 1 == len(report.failures)


def test_failure_without_a_project_is_over_once_a_copy_exists() -> None:
    failed = record(None, id="record-2", status="fail", destination_backup_id=None)
    report = look(
        area(NORTH, "p-north", backup(replication_records=(failed, record()))),
        area(EAST, "p-east", replica()),
    )

    assert () == report.failures


def test_entry_of_another_project_does_not_cover_a_server_of_the_same_name() -> None:
    """Its objective would be judged by the copies of a stranger."""
    report = look(
        area(NORTH, "p-north", backup(replication_records=(record(),))),
        area(EAST, "p-east", replica()),
        entry=declared(source="p-elsewhere"),
    )

    verdicts = {one.key: one.verdict for one in report.resources}
    assert {"server-1": "unjudged", "entry nightly": "missed"} == verdicts


# -- times ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_at", "verdict"),
    [
        ("2026-11-20T08:14:00", "met"),
        ("2026-11-20T08:16:00", "unseen"),
        ("9999-12-31T23:59:59", "unseen"),
        ("soon", "unseen"),
        (None, "unseen"),
    ],
)
def test_times_that_tell_no_age_meet_no_objective(made_at: str | None, verdict: str) -> None:
    """A clock may be a quarter of an hour behind, and what is later is not new for ever."""
    report = look(
        area(NORTH, "p-north", backup(created_at=made_at, replication_records=(record(),))),
        area(EAST, "p-east", replica()),
    )

    assert verdict == only(report).verdict
    if verdict == "unseen":
        assert "the age of the newest copy in cn-east-3 is not known" in str(only(report).reason)
        assert "the age of the newest copy is not known" in as_junit(cleaned(report))
        assert Exit.INCOMPLETE == exit_of(report)
    is_future = made_at is not None and made_at > "2026-11-20T08:15" and made_at != "soon"
    assert is_future == any("later than this machine's clock" in one for one in report.remarks)


def test_time_of_a_copy_proves_no_age() -> None:
    """A month-old backup was copied this night, and its source is gone."""
    areas = (area(NORTH, "p-north", backup(status="error")), area(EAST, "p-east", replica()))

    report = look(*areas)

    doubt = "the age of the newest copy in cn-east-3 is not known, nor when its backup was made"
    assert ("unseen", doubt) == (only(report).verdict, only(report).reason)
    assert Exit.INCOMPLETE == exit_of(report)
    assert "1 objective not judged." in as_text(report)
    assert "nor when its backup was made" in as_junit(cleaned(report))
    # Without an entry, too.
    report = judge(Seen(areas=list(areas)), NOW, rpo_s=26 * HOUR_S)
    assert ("unseen", doubt) == (only(report).verdict, only(report).reason)


@pytest.mark.parametrize(("made_at", "verdict"), [(NIGHT, "met"), ("2026-10-20", "missed")])
def test_state_knows_the_age_of_a_copy_whose_source_is_gone(made_at: str, verdict: str) -> None:
    """Rolling sets note when each backup was made."""
    report = look(
        area(NORTH, "p-north", backup(status="error")),
        area(EAST, "p-east", replica()),
        made_at={"replica-1": made_at},
    )

    assert verdict == only(report).verdict


# -- what cannot be restored, or was not read ----------------------------------------------------


@pytest.mark.parametrize("status", ["frozen", "deleting", "error"])
def test_copies_in_a_closed_vault_do_not_count(status: str) -> None:
    """Of a vault that is frozen for arrears, nobody promises that it restores."""
    vault = Vault(id="VAULT-EAST", billing=VaultBilling(status=status))
    report = look(
        area(NORTH, "p-north", backup(replication_records=(record(),))),
        area(EAST, "p-east", replica(), vaults=(vault,)),
    )

    assert "missed" == only(report).verdict
    assert (0, 1) == (only(report).there[0].count, only(report).there[0].unusable_count)


def test_source_that_was_not_read_is_not_gone() -> None:
    """Whoever believes it is gone may delete what is left."""
    report = look(
        SeenArea(NORTH, "p-north", is_source=True, unseen_because="refused"),
        area(EAST, "p-east", replica()),
        entry=declared(rpo_s=None),
    )

    assert "cn-north-4 could not be read, so only its copies were seen" == only(report).reason


def test_source_that_was_not_asked_for_is_not_gone() -> None:
    """The region has copies from elsewhere, too."""
    report = look(
        area(NORTH, "p-north"), area(EAST, "p-east", replica()), entry=declared(rpo_s=None)
    )

    assert "no source region that was read has a backup of it; only copies are left" == (
        only(report).reason
    )
    assert "gone;" not in as_text(report, shows_all=True)


def test_destination_that_nobody_read_is_not_done() -> None:
    """The exit code says so, although nothing failed."""
    report = look(area(NORTH, "p-north", backup()))

    assert "unseen" == only(report).verdict
    assert Exit.INCOMPLETE == exit_of(report)
    assert "All objectives are met" not in as_text(report)


def test_points_are_compared_without_regard_to_case() -> None:
    """A record may name the restore point alone, and ids have no fixed spelling."""
    made = record(destination_backup_id=None, destination_checkpoint_id="POINT-1")
    report = look(
        area(NORTH, "p-north", backup(resource_id="SERVER-1", replication_records=(made,))),
        area(EAST, "p-east", replica(checkpoint_id="point-1", created_at="2026-11-20T07:00:00")),
    )

    assert 6 * HOUR_S == only(report).there[0].newest_age_s
    assert 1 == only(report).copy_count


def test_objective_of_a_resource_is_the_strictest_that_it_is_judged_by() -> None:
    """An entry without one of its own is judged by the objective for all."""
    strict = declared(rpo_s=None)
    seen = Seen(
        areas=[area(NORTH, "p-north", backup()), area(EAST, "p-east")],
        declared=[declared(rpo_s=7 * 86400), replace(strict, entry="other")],
    )

    report = judge(seen, NOW, rpo_s=HOUR_S)

    assert HOUR_S == only(report).rpo_s == only(report).there[0].rpo_s


def test_a_newest_backup_without_a_time_is_not_called_missing() -> None:
    report = look(area(NORTH, "p-north", backup(created_at="soon")), area(EAST, "p-east"))

    assert "how old its newest backup is, is not known" in str(only(report).reason)
    assert "missed" == only(report).verdict
