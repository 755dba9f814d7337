"""The completion scripts: each shell that is installed completes with its own, as in a terminal."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pulumi_huaweicloud_cbr.__main__ import main, make_parser
from pulumi_huaweicloud_cbr.commands.about.completion.command import SHELLS
from pulumi_huaweicloud_cbr.commands.about.completion.shells import SCRIPTS
from pulumi_huaweicloud_cbr.commands.about.completion.words import (
    DIRECTORIES,
    FILES,
    TEXT,
    Option,
    commands_of,
    options_of,
)

PROGRAM = ("python", "-m", "pulumi_huaweicloud_cbr")
COMMANDS = list(make_parser().commands)


@pytest.fixture
def script(
    request: pytest.FixtureRequest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Path:
    """Return a file with the script of a shell, which has to be installed."""
    shell = request.param
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    assert 0 == main(["completion", shell])
    path = tmp_path / f"completion.{shell}"
    path.write_text(capsys.readouterr().out)
    return path


def run(*command: str) -> list[str]:
    """Run a shell; return the lines that it printed, and fail if it complains."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (0, "") == (done.returncode, done.stderr)
    return [line for line in done.stdout.splitlines() if line]


def by_bash(script: Path, *words: str, before: str = "") -> list[str]:
    """Return what bash offers for the last word; `before` runs first."""
    line = " ".join(f"'{word}'" for word in words)
    return run(
        "bash",
        "--norc",
        "-c",
        f"{before}\nsource {script}\n"
        f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}\n"
        "spec=$(complete -p python); [[ $spec =~ -F' '([^ ]+) ]] && ${BASH_REMATCH[1]} python x y\n"
        'printf "%s\\n" "${COMPREPLY[@]}"',
    )


def by_fish(script: Path, line: str) -> list[str]:
    """Return what fish offers for a line; not the descriptions."""
    code = f"source {script}; complete -C '{line}'"
    return [offer.split("\t")[0] for offer in run("fish", "--no-config", "-c", code)]


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), [*COMMANDS, "--help", "--version", "--json"]),
        (("ba",), ["backups"]),
        (("backups", "--s"), ["--server", "--since", "--status", "--stack"]),
        (("backups", "--limit", "5", "--re"), ["--region", "--replicas"]),
        (("completion", ""), [*SHELLS, "--help"]),
        (("ci", "pr"), ["preview"]),
        (("ci", "drift", "--str"), ["--strict"]),
        (("completion", "z"), ["zsh"]),
        (("recover", "--x"), []),
        (("backups", "--server", ""), []),
        (("import-file", "--out", ""), []),
    ],
)
def test_bash_completes(script: Path, words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, then their own options; no values, which the shell cannot know."""
    assert offered == by_bash(script, *PROGRAM, *words)


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_completes_behind_options_of_python(script: Path) -> None:
    """`-m` need not be the first word."""
    words = ("python3", "-W", "error", "-m", "pulumi_huaweicloud_cbr", "che")

    assert ["check"] == by_bash(script, *words)


@pytest.mark.parametrize("script", ["bash"], indirect=True)
@pytest.mark.parametrize("words", [("python", "-m", "ven"), ("python", "che")])
def test_bash_passes_on_what_is_not_ours(script: Path, words: tuple[str, ...]) -> None:
    """What completed Python before still does; without such, bash completes files."""
    before = "other() { COMPREPLY=(before); }; complete -F other python"

    assert ["before"] == by_bash(script, *words, before=before)
    assert [] == by_bash(script, *words)


@pytest.mark.parametrize("script", ["bash"], indirect=True)
def test_bash_sources_it_twice(script: Path) -> None:
    """The second time it does not pass on to itself."""
    assert [] == by_bash(script, "python", "x", before=f"source {script}")


@pytest.mark.parametrize("script", SHELLS, indirect=True)
def test_script_has_no_syntax_error(script: Path) -> None:
    """Each shell reads its own script to the end."""
    shell = script.suffix.removeprefix(".")

    assert [] == run(shell, "-n", str(script))


@pytest.mark.parametrize("script", ["zsh"], indirect=True)
def test_zsh_registers_it(script: Path) -> None:
    """It works with and without `compinit` before it."""
    code = f"source {script}; print -l $_comps[python] $_comps[python3]"

    assert 2 * ["_pulumi_huaweicloud_cbr"] == run("zsh", "-f", "-c", code)


@pytest.mark.parametrize("script", ["fish"], indirect=True)
@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("ba", ["backups"]),
        ("backups --s", ["--server", "--since", "--stack", "--status"]),
        ("completion z", ["zsh"]),
        ("recover --x", []),
    ],
)
def test_fish_completes(script: Path, line: str, offered: list[str]) -> None:
    """Commands, then their own options."""
    assert offered == sorted(by_fish(script, f"{' '.join(PROGRAM)} {line}"))


@pytest.mark.parametrize("script", ["fish"], indirect=True)
def test_fish_passes_on_what_is_not_ours(script: Path) -> None:
    """Another module gets none of our commands."""
    assert "check" not in by_fish(script, "python -m venv che")


def test_options_are_told_by_their_values() -> None:
    """A shell completes files and directories by itself, and no other value."""
    commands = {one.name: one for one in commands_of(make_parser())}
    takes = {option.name: option.takes for option in commands["import-file"].options}

    assert {"--help": None, "--stack": TEXT, "--cwd": DIRECTORIES, "--out": FILES} == takes
    assert Option("--limit", TEXT, "at most the N newest") in commands["backups"].options
    assert all(len(option.help) <= 60 for one in commands.values() for option in one.options)


@pytest.mark.parametrize("shell", SHELLS)
def test_script_has_every_command_and_option(shell: str) -> None:
    """A new option is completed without a change of the scripts."""
    parser = make_parser()

    text = SCRIPTS[shell](commands_of(parser), options_of(parser))

    for one in commands_of(parser):
        assert one.name in text
        for option in one.options:
            assert (f"-l {option.name[2:]} " if shell == "fish" else option.name) in text


def test_no_other_command_loads_the_scripts() -> None:
    """Programs, the plugin and the other commands do not pay for them."""
    code = (
        "import sys; from pulumi_huaweicloud_cbr import __main__, plugin;"
        "__main__.make_parser(); from pulumi_huaweicloud_cbr.plugin import __main__;"
        "print([name for name in sys.modules if 'completion.shells' in name])"
    )

    assert ["[]"] == run(sys.executable, "-c", code)
