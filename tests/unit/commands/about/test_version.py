"""`--version`: what a report of a fault needs, whatever is missing on this machine."""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.__main__ import main
from pulumi_huaweicloud_cbr.commands.about.version import (
    INSTALLED,
    NO_EXECUTABLE,
    NO_PROJECT,
    NOT_INSTALLED,
    host_in,
)
from pulumi_huaweicloud_cbr.plugin import __main__ as plugin

REFERENCE = Path(__file__).parents[4] / "docs" / "reference" / "commands.md"


def write_cli(folder: Path, code: str) -> None:
    """Write a program that stands for the CLI."""
    program = folder / "pulumi"
    program.write_text(f"#!{sys.executable}\nimport sys\n{code}\n")
    program.chmod(0o755)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty directory, which is the current one and the whole PATH."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_version_names_what_is_installed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A few lines for people, or one document."""
    write_cli(folder, "print('v3.255.0') if sys.argv[-1] == 'version' else sys.exit(9)")

    assert 0 == main(["--version"])
    lines = capsys.readouterr().out.splitlines()
    assert 0 == main(["--version", "--json"])
    document = json.loads(capsys.readouterr().out)

    assert f"pulumi-huaweicloud-cbr  {version('pulumi-huaweicloud-cbr')}" == lines[0]
    assert "pulumi CLI              3.255.0" in lines
    assert f"httpx                   {version('httpx')}" in lines
    assert (1, "3.255.0", version("pulumi"), version("msgspec")) == (
        document["format"],
        document["pulumi_cli"],
        document["pulumi_sdk"],
        document["msgspec"],
    )
    assert len(lines) == len(document) - 1
    told = REFERENCE.read_text().partition("\n## --version\n")[2].partition("\n## ")[0]
    assert [] == [name for name in document if f"`{name}`" not in told]


def test_missing_cli_is_not_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a CLI, all others are told."""
    assert [] == list(folder.iterdir())
    assert 0 == main(["--version"])

    assert "pulumi CLI              not found on PATH\n" in capsys.readouterr().out


def test_cli_that_fails_says_why(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its words are shown, and the command goes on."""
    write_cli(folder, "sys.exit('it is broken')")

    assert 0 == main(["--version"])
    assert "pulumi CLI              fails: it is broken\n" in capsys.readouterr().out


def test_json_alone_is_a_wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` of a command stands behind its name."""
    with pytest.raises(SystemExit) as caught:
        main(["--json", "check"])

    assert 2 == caught.value.code
    assert "--json before a command goes with --version" in capsys.readouterr().err


@pytest.mark.parametrize(
    "lines",
    [
        "plugins: {providers: [{name: pulumi-python, path: ./host}]}",
        "plugins:\n  providers:\n    - name: pulumi-python\n      path: ./host",
        "plugins:\n  providers:\n    - path: './host'\n      name: 'pulumi-python'",
        '{"plugins": {"providers": [{"name": "pulumi-python", "path": "./host"}]}}',
        (
            "plugins:\n  providers:\n    - name: aws\n      path: x\n    - name: pulumi-python\n"
            "      path: ./host  # ours"
        ),
    ],
)
def test_host_of_the_project_is_found(tmp_path: Path, lines: str) -> None:
    """Whatever the form of the project's file is, and from a directory below as well."""
    (tmp_path / "Pulumi.yaml").write_text(f"name: p\nruntime: python\n{lines}\n")
    below = tmp_path / "stacks"
    below.mkdir()

    assert NO_EXECUTABLE == host_in(tmp_path)
    assert 0 == plugin.main(["--install", str(tmp_path / "host")])
    assert INSTALLED == host_in(below)


def test_project_without_a_host(tmp_path: Path) -> None:
    """A comment names no plugin, and a directory without a project has none."""
    assert NO_PROJECT == host_in(tmp_path)
    (tmp_path / "Pulumi.yaml").write_text("name: p\n# name: pulumi-python, path: ./plugin\n")

    assert NOT_INSTALLED == host_in(tmp_path)


def test_project_file_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That is told, and is no error."""

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError

    (tmp_path / "Pulumi.yaml").touch()
    monkeypatch.setattr(Path, "read_text", refuse)

    assert "not known: Pulumi.yaml cannot be read" == host_in(tmp_path)
