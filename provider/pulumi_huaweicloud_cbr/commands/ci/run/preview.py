"""A preview for a pipeline: runs it, and adds to its JSON what the plugins have noted."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.commands.ci.plan.document import (
    FACTS_KEY,
    FORMAT,
    Document,
    read_document,
)
from pulumi_huaweicloud_cbr.commands.ci.plan.facts import publishable
from pulumi_huaweicloud_cbr.commands.ci.run.judging import judged
from pulumi_huaweicloud_cbr.commands.ci.run.offline_project import make_offline_project
from pulumi_huaweicloud_cbr.commands.ci.run.pulumi import Ran, run
from pulumi_huaweicloud_cbr.commands.report.prices import Prices
from pulumi_huaweicloud_cbr.commands.stack.recover.command import advice_for
from pulumi_huaweicloud_cbr.engine.output.preview_facts import PATTERN, VARIABLE

_HIDDEN_OFFLINE = ("PULUMI_", "HW_", "HUAWEICLOUD_")
"""The beginnings of variables that a preview without credentials does not have."""


@dataclass(frozen=True)
class Previewed:
    """A preview that has ended."""

    document: Document
    is_interrupted: bool = False


def preview(
    stack: str,
    directory: Path | None,
    *,
    is_offline: bool = False,
    is_refreshed: bool = False,
    plan_file: Path | None = None,
    prices: Prices | None = None,
) -> Previewed:
    """Preview a stack; a failure is an outcome as any other.

    Args:
        directory: the project's; default: the current one.
        is_offline: without credentials, against an empty state.
        is_refreshed: look first how the replicas are, and show unchanged resources too.
        plan_file: where Pulumi saves the plan.
        prices: what a gigabyte costs; None leaves costs out.
    """
    with tempfile.TemporaryDirectory(prefix="cbr-ci-") as name:
        scratch = Path(name)
        env = _environment(scratch, is_offline=is_offline)
        root = directory or Path()
        if is_offline:
            failed = _prepare_offline(root, stack, scratch, env)
            if failed is not None:
                return _ended(failed, stack, [], is_offline=True)
            root, short = scratch / "project", stack.rpartition("/")[2]
        else:
            short = stack
        options = ["--refresh", "--show-sames"] if is_refreshed else []
        options += ["--save-plan", str(plan_file.absolute())] if plan_file is not None else []
        ran = run(
            ["preview", "--cwd", str(root), "--stack", short, "--json", *options],
            scratch=scratch,
            env=env,
        )
        note = "" if is_offline else _note(stack, ran.said, directory)
        facts: list[Mapping[str, Any]] = list(facts_in(scratch))
        # A preview that failed has more urgent news, and would often fail for this too.
        if not is_offline and ran.code == 0:
            facts += judged(stack, directory, os.environ, prices)
        return _ended(ran, stack, facts, is_offline=is_offline, note=note)


def _environment(scratch: Path, *, is_offline: bool) -> dict[str, str]:
    """Return the environment of a preview, with a folder for the facts."""
    folder = scratch / "facts"
    folder.mkdir()
    env = dict(os.environ)
    if is_offline:
        env = {key: value for key, value in env.items() if not key.startswith(_HIDDEN_OFFLINE)}
        if home := os.environ.get("PULUMI_HOME"):
            env["PULUMI_HOME"] = home
        env |= {"PULUMI_BACKEND_URL": f"file://{scratch}", "PULUMI_CONFIG_PASSPHRASE": ""}
    return {**env, "PULUMI_SKIP_UPDATE_CHECK": "true", VARIABLE: str(folder)}


def _prepare_offline(root: Path, stack: str, scratch: Path, env: Mapping[str, str]) -> Ran | None:
    """Make the project's copy and its stack; return what failed."""
    project = scratch / "project"
    try:
        make_offline_project(root, stack, project)
    except CbrError as error:
        return Ran(1, "", f"error: {error}")
    name = stack.rpartition("/")[2]
    ran = run(["stack", "init", name, "--cwd", str(project)], scratch=scratch, env=env)
    return ran if ran.code else None


def _note(stack: str, said: str, directory: Path | None) -> str:
    try:
        return advice_for(stack, said, directory) or ""
    except CbrError:
        # Only without a CLI, which the preview itself has told by now.
        return ""


def facts_in(scratch: Path) -> Iterator[Mapping[str, Any]]:
    """Yield the facts that plugins wrote into the folder ``facts`` of a folder."""
    for path in sorted((scratch / "facts").glob(PATTERN)):
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                fact = json.loads(line)
            except ValueError:
                continue  # The plugin was killed in the middle of a line.
            if isinstance(fact, dict):
                yield fact


def _ended(
    ran: Ran,
    stack: str,
    facts: list[Mapping[str, Any]],
    *,
    is_offline: bool,
    note: str = "",
) -> Previewed:
    document = with_facts(ran, stack, facts, is_offline=is_offline, note=note)
    return Previewed(read_document(json.dumps(document)), ran.is_interrupted)


def with_facts(
    ran: Ran, stack: str, facts: list[Mapping[str, Any]], *, is_offline: bool, note: str
) -> dict[str, Any]:
    """Return the JSON of a preview with what is known beside it, without the configuration."""
    printed = read_document(ran.out, ran.said)
    kept = {key: value for key, value in printed.raw.items() if key != "config"}
    steps = [step for step in kept.get("steps") or [] if isinstance(step, dict)]
    return {
        **kept,
        FACTS_KEY: {
            "format": FORMAT,
            "stack": stack,
            "exit_code": ran.code,
            "is_offline": is_offline,
            "note": note,
            "said": printed.said,
            "facts": publishable(facts, steps),
        },
    }
