"""The help of all commands, their exit codes, and how a command ends that cannot go on."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr import __main__ as program
from pulumi_huaweicloud_cbr.__main__ import main, make_parser
from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import MEANINGS, Exit
from pulumi_huaweicloud_cbr.commands._cli.help import COLUMNS, PROGRAM, CommandParser

COMMANDS = make_parser().commands
PARSERS = {"": make_parser(), **COMMANDS}
WORDS = {"ID": "5a863daa-7265-4c0a-822f-e66b2abcfb3d"}
"""What stands for the words in capitals that examples have for values."""


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a terminal that is wider than help is meant to be, without colours."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")


def runs(call: Callable[[], int], monkeypatch: pytest.MonkeyPatch) -> int:
    """Run a command that does what `call` does; return the exit code."""
    parser = CommandParser()
    parser.set_defaults(run=lambda _given: call(), program=parser, version=False, is_json=False)
    monkeypatch.setattr(program, "make_parser", lambda: parser)
    return main([])


@pytest.mark.parametrize("name", PARSERS)
def test_help_fits_80_columns(name: str) -> None:
    """No line is longer, and nothing is broken off at the end of one."""
    lines = PARSERS[name].format_help().splitlines()

    assert [] == [line for line in lines if len(line) > COLUMNS or line != line.rstrip()]


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_exit_codes_and_an_example(name: str) -> None:
    """Each command says in its own words what 0 and 1 mean, and shows how it is called."""
    text = COMMANDS[name].format_help()
    exits = COMMANDS[name].exits

    assert "\nexit codes:\n  0 " in text
    assert f"\n  {PROGRAM} {name} " in text
    assert {Exit.DONE, Exit.USAGE} <= exits.keys() <= set(Exit)
    assert MEANINGS[Exit.DONE] != exits[Exit.DONE]


@pytest.mark.parametrize("name", PARSERS)
def test_examples_can_be_parsed(name: str) -> None:
    """An example in the help is one that the command takes."""
    for example in PARSERS[name].examples:
        arguments = [WORDS.get(word, word) for word in shlex.split(example.partition(" >")[0])]
        if "--help" not in arguments:
            assert callable(make_parser().parse_args(arguments).run)


def test_long_examples_are_lines_that_a_shell_joins() -> None:
    """A line that goes on ends with a backslash."""
    parser = CommandParser(examples=[f"backups {'--server erp ' * 9}"])

    lines = parser.command_lines()

    assert len(lines) > 1
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert f"{PROGRAM} {parser.examples[0]}".split() == "\n".join(lines).replace("\\\n", "").split()


def test_list_of_commands_has_a_line_for_each() -> None:
    """The help of the program names every command, with its summary on the same line."""
    text = PARSERS[""].format_help()
    rows = text.partition("\ncommands:\n")[2].partition("\n\n")[0].splitlines()

    assert [[name, one.summary] for name, one in COMMANDS.items()] == [
        row.split(maxsplit=1) for row in rows
    ]
    assert "HW_REGION_NAME" in text
    assert "--stack NAME" in text


def test_options_of_the_same_name_have_the_same_form() -> None:
    """What `--stack`, `--json` or another option takes does not depend on the command."""
    forms: dict[str, set[object]] = {}
    for parser in COMMANDS.values():
        for action in parser._actions:
            form = (action.metavar, action.nargs, action.dest)
            for option in action.option_strings:
                forms.setdefault(option, set()).add(form)

    assert {} == {option: found for option, found in forms.items() if len(found) > 1}


def test_every_exit_code_has_one_meaning() -> None:
    """The table of all commands is complete."""
    assert set(Exit) == MEANINGS.keys()
    assert len(set(MEANINGS.values())) == len(Exit)


def test_missing_command_is_a_wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names what is missing, and how the program is called."""
    with pytest.raises(SystemExit) as caught:
        main([])

    assert Exit.USAGE == caught.value.code
    assert "error: want a COMMAND; --help lists them" in capsys.readouterr().err


def test_error_is_one_line_with_its_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error of the package ends a command without a traceback."""

    def fail() -> int:
        raise ConfigurationError("reading it: it is odd", remedy="mend it")

    assert Exit.TO_DO == runs(fail, monkeypatch)
    assert "error: reading it: it is odd; mend it\n" == capsys.readouterr().err


def test_interrupted_command_ends_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C ends with the code that shells report for it."""

    def interrupt() -> int:
        raise KeyboardInterrupt

    assert Exit.INTERRUPTED == runs(interrupt, monkeypatch)
    assert "interrupted\n" == capsys.readouterr().err


def test_closed_output_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in the buffer goes nowhere, so that Python's own flush succeeds."""
    with (tmp_path / "closed").open("w") as file:

        class Closed:
            encoding = "utf-8"

            def flush(self) -> None:
                raise BrokenPipeError

            def fileno(self) -> int:
                return file.fileno()

        monkeypatch.setattr(sys, "stdout", Closed())

        assert Exit.OUTPUT_CLOSED == runs(lambda: 0, monkeypatch)
        file.write("dropped")

    assert "" == (tmp_path / "closed").read_text()


def test_closed_output_ends_without_a_message() -> None:
    """`… | head` takes the lines that it wants, and the command says nothing about the rest."""
    reading, writing = os.pipe()
    os.close(reading)
    code = (
        "import sys; from pulumi_huaweicloud_cbr import __main__ as program;"
        "parser = program.make_parser(); parser.set_defaults(run=lambda _: print('x'));"
        "program.make_parser = lambda: parser; sys.exit(program.main([]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)

    assert (Exit.OUTPUT_CLOSED, "") == (done.returncode, done.stderr)
