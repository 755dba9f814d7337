"""The options of `report`, the files that it writes, and what it reads for a stack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.__main__ import main, make_parser
from pulumi_huaweicloud_cbr.commands._cli import pulumi_cli, stack
from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands.report import command
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

    command._write_files(given, Report("2026-11-20T08:00:00Z"))

    assert file.read_text().endswith("# EOF\n")
    assert [file] == list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = tmp_path / "no" / "report.xml"
    given = make_parser().parse_args(["report", "--junit", str(file)])

    with pytest.raises(ConfigurationError) as caught:
        command._write_files(given, Report("2026-11-20T08:00:00Z"))

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
