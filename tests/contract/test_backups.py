"""`backups` against the simulator: what it lists, what counts as a copy, and that it only reads."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.base.errors import ApiError, ConfigurationError, IncompleteListError
from pulumi_huaweicloud_cbr.commands._cli.text import COLUMNS
from pulumi_huaweicloud_cbr.commands.account.backups import command
from pulumi_huaweicloud_cbr.commands.account.backups.command import look_at_backups
from pulumi_huaweicloud_cbr.commands.account.backups.report import Report
from pulumi_huaweicloud_cbr.commands.account.backups.text import as_text
from simulator.testing import InProcessSimulator
from simulator.worlds.fleet import FLEET_ACCOUNT, FLEET_PASSWORD, FLEET_USER, fleet_world
from tests.contract.listing import (
    DOCUMENT,
    SITUATIONS,
    TEXTS,
    document,
    look,
    make_copies,
    shown,
)
from tests.contract.owning import (
    EAST_PROJECT,
    MANUAL,
    SOUTH_PROJECT,
    WEB_1,
    WEB_2,
    Estate,
    make_estate,
)
from tests.contract.rig import BACKUP, PASSWORD, WRITES, SimulatedClock

pytestmark = pytest.mark.simulator_only

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "commands.md"
WITHOUT = ("--without-copy-in", "cn-east-3")
DENIED = {"error_code": "APIGW.0302", "error_msg": "The IAM user is not authorized."}


@pytest.fixture
def estate(simulator: InProcessSimulator) -> Iterator[Estate]:
    """A stack without resources."""
    estate = make_estate(simulator)
    yield estate
    estate.engine.session.close()


def ids(report: Report) -> list[str]:
    """Return the ids of what is listed, in its order."""
    return [backup.id for backup in report.backups]


def states(report: Report, backup_id: str) -> dict[str | None, tuple[str | None, bool | None]]:
    """Return for each region what the copy's record says, and whether the replica is there."""
    (backup,) = (one for one in report.backups if one.id == backup_id)
    return {copy.region: (copy.status, copy.is_there) for copy in backup.copies or ()}


def answer(estate: Estate, row: dict[str, Any]) -> None:
    """Let the next list have this row alone."""
    body = {"backups": [row], "count": 1}
    estate.control.fault(operation="ListBackups", action="respond", status=200, body=body)


# -- what is printed ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SITUATIONS)
def test_list_is_printed_word_for_word(estate: Estate, name: str) -> None:
    """The lines are those of the reference, and fit a terminal of 100 columns."""
    make_copies(estate)

    text = as_text(look(estate, *SITUATIONS[name])) + "\n"

    assert (TEXTS / f"{name}.txt").read_text() == shown(estate, text)
    assert max(map(len, text.splitlines())) <= COLUMNS


def test_document_is_that_of_the_reference(estate: Estate) -> None:
    """`--json` prints one document, whose members the reference names."""
    make_copies(estate)

    text = document(estate)

    assert DOCUMENT.read_text() == text
    told = REFERENCE.read_text().partition("\n## backups\n")[2].partition("\n## ")[0]
    names = set(re.findall(r'"(\w+)":', text))
    assert set() == {name for name in names if not re.search(rf"`{name}(\[\])?`", told)}


def test_each_text_belongs_to_a_situation() -> None:
    """Each text file belongs to a situation that is still tested."""
    assert set(SITUATIONS) == {path.stem for path in TEXTS.glob("*.txt")}


def test_long_names_and_statuses_fit_the_columns(estate: Estate) -> None:
    """A server's name loses its middle where it must; an id loses nothing."""
    row = {
        "id": BACKUP,
        "resource_name": "a-server-with-a-name-that-nobody-should-have-given-it",
        "resource_size": 10485760,
        "status": "waiting_restore",
        "created_at": "2026-11-20T02:00:00",
        "replication_records": [],
    }
    answer(estate, row)

    text = as_text(look(estate))

    assert max(map(len, text.splitlines())) <= COLUMNS
    assert f"\n{BACKUP}  a-serv…en-it" in text
    assert " 10485760  waiting_restore\n  -> no copy\n" in text


def test_names_from_the_service_show_no_secret(estate: Estate) -> None:
    """A service may return any text as a name, also a password of ours."""
    estate.control.change_backup(BACKUP, name=PASSWORD)

    report = look(estate, "--server", "erp-db-01")

    assert PASSWORD not in as_text(report) + json.dumps(report.to_json())


# -- what is asked ------------------------------------------------------------------------------


@pytest.mark.parametrize("options", SITUATIONS.values(), ids=SITUATIONS)
def test_list_is_only_read(estate: Estate, options: list[str]) -> None:
    """No request changes anything; the only POST requests are sign-ins."""
    make_copies(estate)
    look(estate, *options)

    sent = estate.control.journal()
    assert {"CreateToken"} >= {one["operation"] for one in sent if one["method"] in WRITES}


def test_list_takes_one_request_for_each_thousand() -> None:
    """Pages hold a thousand backups, and overlap by one."""
    simulator = InProcessSimulator(fleet_world(1100, 1))
    estate = make_estate(simulator)
    names = {"userName": FLEET_USER, "password": FLEET_PASSWORD, "domainName": FLEET_ACCOUNT}
    estate.configured |= {f"huaweicloud:{key}": value for key, value in names.items()}

    report = look(estate)
    pages = len(estate.lists())
    few = look(estate, "--limit", "5")

    assert (1100, 2) == (len(report.backups), pages)
    assert ids(report)[:5] == ids(few)
    assert few.is_cut
    assert 1 == len(estate.lists())
    estate.engine.session.close()
    simulator.close()


def test_newest_are_first_and_filters_are_cbrs(estate: Estate) -> None:
    """Each filter is a parameter of the one request."""
    report = look(
        estate,
        *("--vault", "de587d5d-f63e-4ea1-a892-5935070352ba", "--status", "available"),
        *("--since", "2026-11-20", "--until", "2026-11-20T02:15:00Z"),
    )

    times = [backup.created_at or "" for backup in report.backups]
    assert {BACKUP, WEB_1} <= set(ids(report))
    assert sorted(times, reverse=True) == times
    assert not {MANUAL, WEB_2} & set(ids(report))
    assert ["cn-north-4"] == estate.lists()


def test_age_counts_back_from_now(estate: Estate) -> None:
    """`--until 8h` leaves out what is younger; the clock is that of this machine."""
    estate.control.advance(3600)

    assert [MANUAL] == ids(look(estate, "--server", "erp-db-01", "--until", "8h"))
    assert [BACKUP] == ids(look(estate, "--server", "erp-db-01", "--since", "8h"))


def test_project_of_a_region_can_be_given(estate: Estate) -> None:
    """A project beside the one that is named like the region has its own backups."""
    report = look(estate, "--region", "cn-east-3/5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0")

    assert "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0" == report.project_id
    assert [] == ids(report)


def test_replicas_have_the_stack_of_their_mark(estate: Estate) -> None:
    """A replica has no copies of its own; its mark tells whose it is."""
    made = make_copies(estate)

    report = look(estate, "--replicas", "--region", "cn-east-3")

    owners = {replica.id: replica.owner for replica in report.backups}
    assert "p/test" == owners[made["there"]]
    assert owners[made["of files"]] is None
    assert {None} == {replica.copies for replica in report.backups}


def test_time_of_a_replica_is_not_said_to_be_that_of_its_source(estate: Estate) -> None:
    """It may be the time of the copy, by which nobody can tell what is from before a damage."""
    make_copies(estate)

    text = as_text(look(estate, "--replicas", "--region", "cn-east-3", "--since", "7d"))

    assert "made" not in text.partition("\n\n")[0] + text.partition("\n\n")[2].splitlines()[0]
    assert "created (UTC)" in text
    assert "may be the time of the copy" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= COLUMNS
    assert "made (UTC)" in as_text(look(estate))
    assert "time of the copy" not in as_text(look(estate))


# -- what counts as a copy ----------------------------------------------------------------------


def test_success_without_a_replica_is_no_copy(estate: Estate) -> None:
    """A record stays when its replica is deleted; the destination tells the truth."""
    make_copies(estate)

    report = look(estate, *WITHOUT)

    assert {"cn-east-3": ("success", False)} == states(report, WEB_1)
    assert BACKUP not in ids(report)
    assert ["cn-east-3", "cn-north-4"] == estate.lists()


def test_replica_that_is_being_deleted_is_no_copy(estate: Estate) -> None:
    """It is listed for a while, and then it is gone."""
    made = make_copies(estate)
    estate.control.change_backup(made["there"], status="deleting")

    assert BACKUP in ids(look(estate, *WITHOUT))


def test_copy_under_way_counts_as_one(estate: Estate) -> None:
    """Nobody has to do anything about it."""
    make_copies(estate)

    assert WEB_2 not in ids(look(estate, *WITHOUT))


def test_failed_copy_is_none(estate: Estate) -> None:
    """The reason is that of the record."""
    make_copies(estate)

    report = look(estate, *WITHOUT)

    assert {"cn-east-3": ("fail", False)} == states(report, MANUAL)


def test_earlier_replica_counts_though_a_later_attempt_failed(estate: Estate) -> None:
    """Any record whose replica exists is a copy; the newest record is shown."""
    made = make_copies(estate)
    place = {"destination_region": "cn-east-3", "destination_project_id": EAST_PROJECT}
    old = {"id": "old", "status": "success", "created_at": "2026-11-20T03:00:00", **place}
    new = {"id": "new", "status": "fail", "created_at": "2026-11-20T04:00:00", **place}
    row = {
        "id": BACKUP,
        "replication_records": [new, {**old, "destination_backup_id": made["there"]}],
    }
    answer(estate, row)
    shown = look(estate)
    answer(estate, row)

    assert {"cn-east-3": ("fail", None)} == states(shown, BACKUP)
    assert [] == ids(look(estate, *WITHOUT))


def odd(**members: Any) -> dict[str, Any]:
    """Return a backup whose record names its region otherwise than by its id."""
    record = {"id": "record", "destination_region": "S\u00fcd 1", **members}
    return {"id": BACKUP, "replication_records": [record]}


def test_record_with_another_name_of_the_region_counts(estate: Estate) -> None:
    """The replica tells where it is, and the project of a copy under way does."""
    made = make_copies(estate)
    place = {"destination_project_id": EAST_PROJECT}
    answer(estate, odd(status="success", destination_backup_id=made["there"], **place))
    assert [] == ids(look(estate, *WITHOUT))
    answer(estate, odd(status="replicating", **place))
    assert [] == ids(look(estate, *WITHOUT))


@pytest.mark.parametrize("status", ["success", "replicating"])
def test_record_with_another_name_of_another_region_does_not_count(
    estate: Estate, status: str
) -> None:
    """Its project cannot be read in this region, which is no error."""
    made = make_copies(estate)
    place = {"destination_project_id": SOUTH_PROJECT}
    answer(estate, odd(status=status, destination_backup_id=made["in the south"], **place))

    assert [BACKUP] == ids(look(estate, *WITHOUT))


def test_record_without_any_place_does_not_count(estate: Estate) -> None:
    """A copy that may be on its way to anywhere hides nothing."""
    answer(estate, odd(status="replicating"))

    assert [BACKUP] == ids(look(estate, *WITHOUT))


def test_other_region_counts_for_itself(estate: Estate) -> None:
    """A copy in one region is none in another."""
    make_copies(estate)

    report = look(estate, "--without-copy-in", "cn-south-1")

    assert {WEB_1, WEB_2} <= set(ids(report))
    assert BACKUP not in ids(report)
    assert {"cn-east-3": ("replicating", None)} == states(report, WEB_2)


def test_region_without_any_record_is_not_asked(estate: Estate) -> None:
    """If no record names a replica there, there is nothing to look for."""
    report = look(estate, *WITHOUT)

    assert ["cn-north-4"] == estate.lists()
    assert 10 == len(report.backups)


def test_region_that_cbr_does_not_copy_to_is_refused(estate: Estate) -> None:
    """In a misspelt region nothing has a copy, which would be a false alarm."""
    with pytest.raises(ConfigurationError) as caught:
        look(estate, "--without-copy-in", "cn-east3")

    assert (
        "looking for backups without a copy in 'cn-east3': CBR copies from 'cn-north-4' to "
        "cn-east-3, cn-south-1, cn-southwest-2 only; name one of the regions that it copies to"
    ) == str(caught.value)


@pytest.mark.parametrize("status", [200, 403])
def test_region_is_not_refused_if_capabilities_are_not_known(estate: Estate, status: int) -> None:
    """They may name regions otherwise, or their permission may be missing."""
    body = {"regions": [{"name": "southchina"}]} if status == 200 else DENIED
    estate.control.fault(
        operation="ShowReplicationCapabilities",
        action="respond",
        status=status,
        body=body,
        times=9,
    )

    assert 10 == len(look(estate, "--without-copy-in", "cn-east3").backups)


def test_limit_counts_what_has_no_copy(estate: Estate) -> None:
    """Backups with a copy do not use up the limit."""
    make_copies(estate)
    everything = look(estate, *WITHOUT)

    report = look(estate, *WITHOUT, "--limit", "2")

    assert ids(everything)[:2] == ids(report)
    assert (False, True) == (everything.is_cut, report.is_cut)


def test_records_that_are_not_told_are_no_copies(estate: Estate) -> None:
    """Without its records a backup is listed, since nothing shows a copy."""
    make_copies(estate)
    answer(estate, {"id": BACKUP, "resource_name": "erp-db-01"})

    report = look(estate, *WITHOUT)

    assert [BACKUP] == ids(report)
    assert report.backups[0].copies is None
    assert "-> CBR does not tell its copies" in as_text(report)


def test_destination_that_cannot_be_read_is_an_error(estate: Estate) -> None:
    """What has no copy cannot be told then; no list is printed."""
    make_copies(estate)
    estate.control.fault(
        operation="ListBackups",
        region="cn-east-3",
        action="respond",
        status=403,
        body=DENIED,
        times=9,
    )

    with pytest.raises(ApiError, match=r"listing backups in region 'cn-east-3'"):
        look(estate, *WITHOUT)


def test_list_that_lacks_rows_is_an_error(estate: Estate) -> None:
    """A list that is cut short tells nothing about what is missing."""
    body: dict[str, Any] = {"backups": [], "count": 3}
    estate.control.fault(operation="ListBackups", action="respond", status=200, body=body, times=9)

    with pytest.raises(IncompleteListError):
        look(estate)


def test_region_is_required(estate: Estate) -> None:
    """Without a region, nothing is asked."""
    del estate.configured["huaweicloud:region"]

    with pytest.raises(ConfigurationError, match="no region is set; name one with --region"):
        look(estate)
    assert [] == estate.control.journal()


# -- as a command -------------------------------------------------------------------------------


@pytest.fixture
def cli(estate: Estate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pulumi CLI that prints the stack's configuration, and records how it was called."""
    values = {key: {"value": value} for key, value in estate.configured.items()}
    (tmp_path / "config").write_text(json.dumps(values))
    program = tmp_path / "pulumi"
    program.write_text(f'#!/bin/sh\necho "$@" >"{tmp_path}/called"\ncat "{tmp_path}/$2"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    clock, transport = SimulatedClock(estate.simulator), estate.simulator.transport()
    monkeypatch.setattr(
        command, "look_at_backups", partial(look_at_backups, clock=clock, transport=transport)
    )
    return tmp_path


def test_settings_are_those_of_the_stack(cli: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The stack's configuration is read in the project's directory; an empty list is no fault."""
    arguments = ["backups", "--stack", "test", "--cwd", "infra"]

    assert 0 == main([*arguments, "--server", "erp-db-01", "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert 0 == main([*arguments, "--server", "nobody"])
    lines = capsys.readouterr().out.splitlines()

    assert [BACKUP, MANUAL] == [backup["id"] for backup in shown["backups"]]
    assert "No backup fits." == lines[-1]
    called = (cli / "called").read_text()
    assert "config --json --show-secrets --stack test --cwd infra" in called


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cwd", "."], "--cwd goes with --stack"),
        (["--replicas"], "--replicas goes with --region, the destination"),
        (["--replicas", "--region", "cn-east-3", *WITHOUT], "--without-copy-in is about backups"),
        (["--limit", "0"], "argument --limit: '0' is no number from 1 to 1000000"),
        (["--limit", "9" * 5000], "999' is no number from 1 to 1000000"),
        (["--since", "yesterday"], "argument --since: 'yesterday' is neither a time nor an age"),
        (["--vault", "dr"], "argument --vault: 'dr' is not a UUID"),
        (["--region", "no region"], "argument --region: 'no region' contains ' '"),
        (["--serv", "erp"], "unrecognized arguments: --serv erp"),
    ],
)
def test_wrong_options_are_told_with_code_2(
    options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong option ends the command before any request."""
    with pytest.raises(SystemExit) as caught:
        main(["backups", *options])

    assert 2 == caught.value.code
    assert words in " ".join(capsys.readouterr().err.split())
