"""Runs the Pulumi CLI for a command."""

from __future__ import annotations

import subprocess

from pulumi_huaweicloud_cbr.errors import ConfigurationError


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
