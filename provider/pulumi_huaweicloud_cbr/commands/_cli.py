"""Runs the Pulumi CLI for a command."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.errors import ConfigurationError, excerpt


def run_pulumi(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the CLI in the present directory, without questions; return its outcome.

    Raises:
        ConfigurationError: there is none.
    """
    command = ["pulumi", "--non-interactive", *arguments]
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise ConfigurationError(
            f"running pulumi {arguments[0]}: there is no pulumi on PATH",
            remedy="install the Pulumi CLI, or make toolchain and add .toolchain/bin to PATH",
        ) from None


def stack_settings(stack: str, directory: Path | None = None) -> dict[str, Any]:
    """Return a stack's configuration, secrets decrypted by the CLI.

    Args:
        directory: the project's; default: the present one.
    """
    there = ["--cwd", str(directory)] if directory is not None else []
    done = run_pulumi("config", "--json", "--show-secrets", "--stack", stack, *there)
    if done.returncode:
        raise ConfigurationError(
            f"reading the configuration of stack {stack!r}: {excerpt(done.stderr)}",
            remedy="run this in the project's directory",
        )
    return {key: entry.get("value") for key, entry in json.loads(done.stdout).items()}
