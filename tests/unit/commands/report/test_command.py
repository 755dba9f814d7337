"""The options of `report`, and the files that it writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr import ConfigurationError
from pulumi_huaweicloud_cbr.__main__ import main, make_parser
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
