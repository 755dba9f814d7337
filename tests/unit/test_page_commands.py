"""The commands of recovery, permissions and costs exist, with the options that are shown."""

from __future__ import annotations

import argparse
import re
import shlex
import textwrap
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.__main__ import main

REPOSITORY = Path(__file__).parents[2]
PAGES = ("costs", "permissions", "recovery")
BLOCK = re.compile(r"^[ \t]*```\n(.*?)^[ \t]*```$", re.MULTILINE | re.DOTALL)
OURS = "python -m pulumi_huaweicloud_cbr "


def commands() -> list[str]:
    """Return our commands in the pages, without redirections."""
    found = []
    for page in PAGES:
        text = (REPOSITORY / "docs" / f"{page}.md").read_text(encoding="utf-8")
        for block in BLOCK.findall(text):
            lines = textwrap.dedent(block).splitlines()
            found += [line.partition(" > ")[0] for line in lines if line.startswith(OURS)]
    return found


def parse(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Parse a command as `main` does, without running it."""
    whole = argparse.ArgumentParser.parse_args

    def only_parse(parser: argparse.ArgumentParser, given: Any = None) -> argparse.Namespace:
        parsed: argparse.Namespace = whole(parser, given)
        parsed.run = lambda _: 0
        return parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", only_parse)
    return main(arguments)


@pytest.mark.parametrize("command", commands())
def test_command_is_understood(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real parser accepts each command."""
    assert parse(shlex.split(command.removeprefix(OURS)), monkeypatch) == 0


def test_pages_have_commands() -> None:
    """The test above finds something to parse."""
    shown = {shlex.split(command.removeprefix(OURS))[0] for command in commands()}

    assert shown == {"backups", "check", "owners"}


def test_options_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt option is an error."""
    with pytest.raises(SystemExit):
        parse(["check", "--stakc", "prod"], monkeypatch)
