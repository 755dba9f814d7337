"""`pulumi up` for a pipeline: without prompts, perhaps by a saved plan."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from pulumi_huaweicloud_cbr.commands.ci.run.pulumi import Ran, run
from pulumi_huaweicloud_cbr.engine.output.preview_facts import VARIABLE

_VIOLATED = "violates plan"
"""What the CLI says if an operation is not the planned one (seen with 3.255)."""


def update(
    stack: str, directory: Path | None, plan_file: Path | None, *, is_refreshed: bool = False
) -> Ran:
    """Run `up`, and show its output while it runs.

    Args:
        directory: the project's; default: the current one.
        plan_file: the plan that a preview saved.
        is_refreshed: read first what exists, so that a lost replica is made again.
    """
    # A refusal ends an `up`, whatever the environment says.
    env = {key: value for key, value in os.environ.items() if key != VARIABLE}
    options = ["--cwd", str(directory)] if directory is not None else []
    options += ["--plan", str(plan_file.absolute())] if plan_file is not None else []
    options += ["--refresh"] if is_refreshed else []
    options += ["--color", "always"] if sys.stdout.isatty() else []
    with tempfile.TemporaryDirectory(prefix="cbr-ci-") as name:
        return run(
            ["up", "--stack", stack, "--yes", "--skip-preview", *options],
            scratch=Path(name),
            env={**env, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            shows_output=True,
            shows_errors=True,
        )


def is_outdated(ran: Ran) -> bool:
    """Whether an `up` by a plan failed because the plan no longer fits."""
    return ran.code != 0 and _VIOLATED in f"{ran.out}\n{ran.said}"
