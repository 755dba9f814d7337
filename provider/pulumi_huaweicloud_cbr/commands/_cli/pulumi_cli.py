"""The Pulumi CLI, as commands call it: a stack's settings and its owner.

It knows no option of a command and prints nothing.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import excerpt


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

    Raises the same errors as `read_configuration`.
    """
    return read_configuration(stack, directory)[0]


def read_configuration(
    stack: str, directory: Path | None = None
) -> tuple[dict[str, Any], frozenset[str]]:
    """Return a stack's configuration with secrets decrypted, and the keys that are secret.

    Args:
        directory: the project's; default: the current one.
    Raises:
        ConfigurationError: the CLI is missing, or cannot read the configuration.
    """
    there = ["--cwd", str(directory)] if directory is not None else []
    done = run_pulumi("config", "--json", "--show-secrets", "--stack", stack, *there)
    if done.returncode:
        raise failure_of(f"reading the configuration of stack {stack!r}", done.stderr)
    entries = json.loads(done.stdout)
    values = {key: entry.get("value") for key, entry in entries.items()}
    return values, frozenset(key for key, entry in entries.items() if entry.get("secret"))


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
