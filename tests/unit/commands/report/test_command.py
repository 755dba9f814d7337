"""The options of `report`, the files that it writes, and what it reads for a stack."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.__main__ import main, make_parser
from pulumi_huaweicloud_cbr.commands._cli import pulumi_cli, stack
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands.report import command
from pulumi_huaweicloud_cbr.commands.report.files import check_files, write_files
from pulumi_huaweicloud_cbr.commands.report.model import Report


@pytest.mark.parametrize(("text", "seconds"), [("90m", 5400), ("26h", 93_600), ("2w", 1_209_600)])
def test_objective_is_an_age(text: str, seconds: int) -> None:
    assert seconds == make_parser().parse_args(["report", "--rpo", text]).rpo


@pytest.mark.parametrize("text", ["26", "0h", "1h30m", "soon"])
def test_what_is_no_age_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args(["report", "--rpo", text])

    assert 2 == ended.value.code
    assert f"{text!r} is no age" in capsys.readouterr().err


def test_a_directory_goes_with_a_stack(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["report", "--cwd", "."])

    assert "--cwd goes with --stack" in capsys.readouterr().err


def test_files_are_replaced_whole(tmp_path: Path) -> None:
    """A reader sees the old file or the new one, and nothing else is left."""
    file = tmp_path / "cbr.prom"
    file.write_text("old")
    given = make_parser().parse_args(["report", "--metrics", str(file)])

    write_files(given, Report("2026-11-20T08:00:00Z"))

    assert file.read_text().endswith("# EOF\n")
    assert [file] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "no" / "report.xml"
    given = make_parser().parse_args(["report", "--junit", str(file)])

    with pytest.raises(ConfigurationError) as caught:
        write_files(given, Report("2026-11-20T08:00:00Z"))

    assert f"writing {str(file)!r}: No such file or directory" in str(caught.value)


ENTRY: dict[str, Any] = {
    "name": "hidden-entry",
    "select": {"resource_name": "erp"},
    "source_project_id": "0123456789abcdef0123456789abcdef",
    "rpo": "26h",
    "owner": "hidden-owner",
    "tier": "hidden-tier",
    "destinations": [{"region": "cn-south-1"}],
}
CONFIGURED = {
    "huaweicloud:region": "cn-north-4",
    "cbr-replication:defaults": json.dumps({"source_region": "cn-east-3"}),
    "cbr-replication:sets": json.dumps([ENTRY]),
}


@pytest.mark.parametrize("is_secret", [True, False])
def test_texts_of_secret_entries_are_not_shown(
    monkeypatch: pytest.MonkeyPatch, is_secret: bool
) -> None:
    """The report is written into files that others read; its figures need no owner."""
    keys = frozenset({"cbr-replication:sets"}) if is_secret else frozenset({"huaweicloud:password"})
    told: dict[str, Any] = {"resources": []}
    monkeypatch.setattr(pulumi_cli, "read_configuration", lambda *_: (CONFIGURED, keys))
    monkeypatch.setattr(stack, "export", lambda *_: told)
    monkeypatch.setattr(pulumi_cli, "default_owner", lambda *_: "p/prod")
    given = make_parser().parse_args(["report", "--stack", "prod"])

    (account,) = command.accounts_of(given, {})

    (declared,) = account.stacks[0].declared
    assert ("hidden" not in repr(declared)) == is_secret
    assert 93_600 == declared.objective.rpo_s


def test_places_of_an_entry_are_read_whatever_level_names_their_parts() -> None:
    """The region may stand in `defaults`, and the project in the entry; a vault is not needed."""
    account = command.account_of("prod", CONFIGURED, {}, None, default_owner=lambda: "p/prod")

    assert Scope("cn-east-3", ENTRY["source_project_id"]) in account.sources
    assert Scope("cn-south-1") in account.destinations


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "Is a directory"),
        (".", "Is a directory"),
        ("no/report.html", "No such file or directory"),
        ("a-file/report.html", "Not a directory"),
    ],
)
def test_what_takes_no_file_is_refused_before_anything_is_read(
    name: str,
    why: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong name costs no wait: the account is not asked, and the message has the remedy."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a-file").touch()
    monkeypatch.setattr(command, "make_report", lambda *_, **__: pytest.fail("CBR was asked"))

    assert 2 == main(["report", "--source", "cn-north-4", "--html", name])

    told = capsys.readouterr().err
    assert f"writing {str(Path(name))!r}: {why}; name a file in a directory" in told
    assert ["a-file"] == [one.name for one in tmp_path.iterdir()]


def test_a_check_of_files_leaves_them_as_they_are(tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text("old")

    check_files(make_parser().parse_args(["report", "--html", str(file)]))

    assert [(file, "old")] == [(one, one.read_text()) for one in tmp_path.iterdir()]


def test_a_missing_library_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "junitparser", None)
    monkeypatch.setattr(command, "make_report", lambda *_, **__: pytest.fail("CBR was asked"))

    assert 2 == main(["report", "--source", "cn-north-4", "--junit", str(tmp_path / "a.xml")])

    assert "the module junitparser is not installed" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_stops_no_other(tmp_path: Path) -> None:
    page, results = tmp_path / "no" / "report.html", tmp_path / "report.xml"
    given = make_parser().parse_args(["report", "--html", str(page), "--junit", str(results)])

    with pytest.raises(ConfigurationError, match=r"report\.html"):
        write_files(given, Report("2026-11-20T08:00:00Z"))

    assert results.read_text().startswith("<?xml")


def test_files_do_not_need_a_reader_of_the_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `report --html FILE | head -1`, the file is complete when the reader goes away."""
    file = tmp_path / "report.html"
    monkeypatch.setattr(command, "make_report", lambda *_, **__: Report("2026-11-20T08:00:00Z"))
    monkeypatch.setattr(command, "_show", lambda *_: _go_away())

    with pytest.raises(BrokenPipeError):
        command.run(
            make_parser().parse_args(["report", "--source", "cn-north-4", "--html", str(file)])
        )

    assert file.read_text().endswith("</html>")


def _go_away() -> None:
    raise BrokenPipeError


@pytest.mark.parametrize("words", ["report", "ci preview", "ci up", "owners"])
@pytest.mark.parametrize("name", ["", " "])
def test_a_stack_without_a_name_is_refused(
    words: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The CLI would take the selected stack in place of a variable that is not set."""
    with pytest.raises(SystemExit) as ended:
        make_parser().parse_args([*words.split(), "--stack", name])

    assert 2 == ended.value.code
    assert "--stack: is empty; name a stack that pulumi stack ls shows" in capsys.readouterr().err


def test_no_report_is_no_missed_objective(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A monitor tells "not known" from "missed" by the exit code alone."""
    monkeypatch.setenv("HW_METADATA", "false")

    assert 3 == main(["report"])
    assert "error: reporting on copies: no source region is known" in capsys.readouterr().err


def test_wrong_prices_are_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == main(["report", "--prices", str(tmp_path / "none.yaml")])
    assert "none.yaml" in capsys.readouterr().err
