"""What commands share: the Pulumi CLI, a stack's settings, options, and encodings."""

from __future__ import annotations

import argparse
import codecs
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import excerpt


def print_whatever_comes() -> None:
    """Make output replace characters that its encoding lacks, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def as_text(argument: str) -> str:
    """Return an argument as text, even if this machine's encoding could not read all of it."""
    return os.fsencode(argument).decode("utf-8", errors="replace")


def takes_every_character(stream: TextIO) -> bool:
    """Whether a stream's encoding has every character, so that JSON needs no escapes."""
    return codecs.lookup(stream.encoding or "utf-8").name.startswith("utf")


def run_pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the CLI in the current directory, without prompts; return its outcome.

    Raises:
        ConfigurationError: there is no CLI on PATH.
    """
    command = ["pulumi", "--non-interactive", *arguments]
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            # Go programs print UTF-8, whatever this machine's encoding is.
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except FileNotFoundError:
        raise ConfigurationError(
            f"running pulumi {arguments[0]}: there is no pulumi on PATH",
            remedy="install the Pulumi CLI, or make toolchain and add .toolchain/bin to PATH",
        ) from None


# What the CLI says (seen with 3.255), and what helps. The first one that fits counts.
_REMEDIES = (
    (
        "passphrase must be set",
        "set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the stack's passphrase",
    ),
    ("unable to read PULUMI_CONFIG_PASSPHRASE_FILE", "correct PULUMI_CONFIG_PASSPHRASE_FILE"),
    (
        "incorrect passphrase",
        "correct PULUMI_CONFIG_PASSPHRASE: it is not this stack's, or no longer",
    ),
    ("no stack named", "give one of the names that pulumi stack ls shows"),
    (
        "organization name must be",
        "give the stack's name alone: this backend has no organisations",
    ),
    (
        "PULUMI_ACCESS_TOKEN must be set",
        "run pulumi login, or set PULUMI_BACKEND_URL to the backend that has the stack's state",
    ),
    ("no Pulumi.yaml project file found", "run this in the project's directory"),
)


def failure_of(
    doing: str, said: str, remedy: str = "run this in the project's directory"
) -> ConfigurationError:
    """Return the error about a call of the CLI that failed, with what helps.

    Args:
        doing: what the call was for.
        said: what the CLI printed as its error.
        remedy: what to do if the CLI's words are not known.
    """
    known = (helps for words, helps in _REMEDIES if words in said)
    return ConfigurationError(
        f"{doing}: {excerpt(said.removeprefix('error: '))}", remedy=next(known, remedy)
    )


def stack_settings(stack: str, directory: Path | None = None) -> dict[str, Any]:
    """Return a stack's configuration, with secrets decrypted by the CLI.

    Args:
        directory: the project's; default: the current one.
    Raises:
        ConfigurationError: the CLI is missing, or cannot read the configuration.
    """
    there = ["--cwd", str(directory)] if directory is not None else []
    done = run_pulumi("config", "--json", "--show-secrets", "--stack", stack, *there)
    if done.returncode:
        raise failure_of(f"reading the configuration of stack {stack!r}", done.stderr)
    return {key: entry.get("value") for key, entry in json.loads(done.stdout).items()}


def default_owner(stack: str, directory: Path | None = None) -> str:
    """Return ``project/stack``, which a stack's marks name by default.

    Args:
        directory: the project's; default: the current one.
    Raises:
        ConfigurationError: the backend does not tell the project.
    """
    there = ["--cwd", str(directory)] if directory is not None else []
    done = run_pulumi(
        "stack", "--show-name", "--fully-qualify-stack-names", "--stack", stack, *there
    )
    parts = done.stdout.strip().split("/")
    if done.returncode or len(parts) != 3 or not all(parts):
        raise failure_of(
            f"looking up the project of stack {stack!r}",
            done.stderr or done.stdout,
            "say with HW_OWNER=PROJECT/STACK what the marks of this stack say",
        )
    return f"{parts[1]}/{parts[2]}"


class Destination(NamedTuple):
    """A region to copy to; without a project, it is the project named like the region."""

    region: str
    project_id: str | None = None


def destination(text: str) -> Destination:
    """Return the value of an option ``REGION[/PROJECT_ID]``."""
    region, slash, project_id = text.partition("/")
    return Destination(
        like_input("destination_region")(region),
        like_input("destination_project_id")(project_id) if slash else None,
    )


def like_input(field: str) -> Callable[[str], str]:
    """Return a reader for an option that is also an input of replications; the rule is the same."""

    def read(text: str) -> str:
        from pulumi_huaweicloud_cbr.replication.rules.inputs import FIELDS, check_inputs

        faults = check_inputs({field: text}, unknown=frozenset(FIELDS))
        if faults:
            raise argparse.ArgumentTypeError(faults[0].reason)
        return text

    return read
