"""Runs Pulumi for many stacks at once; what happens to one stops no other."""

from __future__ import annotations

import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from pulumi.automation import CommandError, Stack
from pulumi.automation.errors import StackNotFoundError

from pulumi_huaweicloud_cbr.api.transport.shared_rate import VARIABLE as SHARED_RATE
from pulumi_huaweicloud_cbr.api.transport.shared_rate import SharedRate
from pulumi_huaweicloud_cbr.base.errors import CbrError
from pulumi_huaweicloud_cbr.base.text import redact
from pulumi_huaweicloud_cbr.commands.ci.plan.document import Document, read_document
from pulumi_huaweicloud_cbr.commands.ci.plan.lost import drift_of
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan, plain, read_plan
from pulumi_huaweicloud_cbr.commands.ci.run.preview import facts_in, with_facts
from pulumi_huaweicloud_cbr.commands.ci.run.pulumi import Ran
from pulumi_huaweicloud_cbr.commands.ci.text.drift import drift_report
from pulumi_huaweicloud_cbr.commands.ci.text.origin import origin_of
from pulumi_huaweicloud_cbr.commands.ci.text.report import report_of
from pulumi_huaweicloud_cbr.commands.fleet.estate import Estate, StackEntry
from pulumi_huaweicloud_cbr.commands.fleet.outcome import Ended, Outcome
from pulumi_huaweicloud_cbr.commands.fleet.progress import Board, Noted
from pulumi_huaweicloud_cbr.commands.fleet.stack_files import read_stack_file
from pulumi_huaweicloud_cbr.commands.fleet.workspace import (
    Children,
    StackCommand,
    StackWorkspace,
    StoppedError,
)
from pulumi_huaweicloud_cbr.commands.stack.recover.command import advice_after_kill, advice_for
from pulumi_huaweicloud_cbr.engine.output.preview_facts import VARIABLE as FACTS

_LOOK_S = 0.5
_LAST_LINES = 5
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "replace": "replaced",
    "import": "imported",
    "same": "unchanged",
}
_USELESS = ("update failed", "preview failed")
"""What the CLI adds to each failure."""


@dataclass(frozen=True)
class Fleet:
    """What all runs have in common.

    `project` is the directory of the project, `files` that of the stacks' files, and `scratch` one
    for what ends with the command. `rates` are the shared rates by account.
    """

    verb: str
    project: Path
    files: Path
    scratch: Path
    estate: Estate
    environ: Mapping[str, str]
    command: StackCommand
    board: Board
    rates: Mapping[str, SharedRate]

    def run(self, stack: StackEntry) -> Outcome:
        """Run one stack; a failure is an outcome as any other."""
        started = time.monotonic()
        self.board.note({"stack": stack.name, "event": "begun"})
        try:
            outcome = self._run(stack)
        except StoppedError:
            outcome = Outcome(stack.name, Ended.INTERRUPTED)
        except CbrError as error:
            outcome = Outcome(stack.name, Ended.FAILED, errors=(str(error),))
        except Exception as error:  # noqa: BLE001 -- one stack's failure stops no other
            told = redact(f"{type(error).__name__}: {error}")
            outcome = Outcome(stack.name, Ended.FAILED, errors=(told,))
        outcome = replace(outcome, seconds=time.monotonic() - started)
        self.board.note(outcome.to_json())
        return outcome

    def _run(self, stack: StackEntry) -> Outcome:
        folder = Path(tempfile.mkdtemp(prefix=f"{stack.name}-", dir=self.scratch))
        command = self.command.for_stack(self._environment(stack, folder))
        workspace = StackWorkspace(self.project, command, self.estate.secrets_provider)
        if self.verb == "up":
            return self._up(stack, workspace, command)
        return self._preview(stack, workspace, command, folder)

    def _environment(self, stack: StackEntry, folder: Path) -> dict[str, str]:
        env = self.estate.environment_of(stack, self.environ)
        env["PULUMI_SKIP_UPDATE_CHECK"] = "true"
        env.pop(FACTS, None)
        if self.verb != "up":
            (folder / "facts").mkdir()
            env[FACTS] = str(folder / "facts")
        rate = self.rates.get(stack.account.name) if stack.account is not None else None
        return env if rate is None else {**env, SHARED_RATE: str(rate)}

    def _up(self, stack: StackEntry, workspace: StackWorkspace, command: StackCommand) -> Outcome:
        # A fault of the file is told before a stack is made.
        read_stack_file(self.files, stack)
        noted = Noted()
        try:
            running = Stack.create_or_select(stack.name, workspace)
            if workspace.has_created:
                self.board.note({"stack": stack.name, "event": "created"})
            file = read_stack_file(self.files, stack)
            if file.differs:
                file.write()
                told = f"{file.path.name} written"
                self.board.note({"stack": stack.name, "event": "configured", "text": told})
            running.up(
                on_event=self.board.listener(stack.name, noted),
                show_secrets=False,
                suppress_outputs=True,
                color="never",
            )
        except CommandError:
            return self._failed(stack, command, noted)
        counted = [
            f"{noted.changes[one]} {word}" for one, word in _WORDS.items() if one in noted.changes
        ]
        return Outcome(stack.name, Ended.DONE, ", ".join(counted), changes=noted.changes)

    def _preview(
        self, stack: StackEntry, workspace: StackWorkspace, command: StackCommand, folder: Path
    ) -> Outcome:
        noted = Noted()
        file = read_stack_file(self.files, stack)
        other = folder / file.path.name if file.differs else None
        if other is not None:
            file.write(other)
        try:
            chosen = Stack.select(stack.name, workspace)
            chosen.preview(
                refresh=True if self.verb == "drift" else None,
                json=True,
                config_file=str(other) if other is not None else None,
                on_event=self.board.listener(stack.name, noted, is_preview=True),
            )
        except StackNotFoundError:
            return Outcome(stack.name, Ended.ABSENT, "the stack does not exist; up creates it")
        except CommandError:
            if not command.last.stdout.lstrip().startswith("{"):
                return self._failed(stack, command, noted)
        document = _document(stack, command, folder)
        outcome = self._judged(stack, document, read_plan(document))
        failed = outcome.ended is Ended.FAILED
        return self._failed(stack, command, noted, outcome) if failed else outcome

    def _judged(self, stack: StackEntry, document: Document, plan: Plan) -> Outcome:
        """Return what a preview's document says; the headline counts replicas."""
        origin = origin_of(stack.name, {})
        drift = drift_of(document, plan) if self.verb == "drift" else None
        report = (
            report_of(document, plan, origin)
            if drift is None
            else drift_report(document, plan, drift, origin)
        )
        has_failed = document.exit_code != 0 or not plan.is_read or bool(plan.refusals)
        ended = Ended.FAILED if has_failed else Ended.DIFFERS if drift else Ended.DONE
        return Outcome(
            stack.name,
            ended,
            report.headline,
            errors=tuple(dict.fromkeys(redact(one.reason) for one in plan.refusals)),
            changes=dict(document.raw.get("changeSummary") or {}),
        )

    def _failed(
        self,
        stack: StackEntry,
        command: StackCommand,
        noted: Noted,
        known: Outcome | None = None,
    ) -> Outcome:
        if self.command.is_stopping:
            return Outcome(stack.name, Ended.INTERRUPTED, changes=noted.changes)
        said = plain(command.last.stderr)
        errors = [*(known.errors if known is not None else ()), *noted.errors]
        errors = [one for one in dict.fromkeys(errors) if one not in _USELESS]
        advice = advice_for(stack.name, command.last.stderr, self.project)
        if command.last.code < 0:
            # Whoever kills it says nothing, and its lock may be all that is left.
            errors.append(f"pulumi was ended by signal {-command.last.code}")
            advice = advice or advice_after_kill(stack.name)
        last = [redact(line) for line in said.splitlines() if line.strip()][-_LAST_LINES:]
        return Outcome(
            stack.name,
            Ended.FAILED,
            known.headline if known is not None else f"{self.verb} FAILED",
            errors=tuple(errors) or tuple(last),
            advice=advice,
            changes=noted.changes,
        )


def _document(stack: StackEntry, command: StackCommand, folder: Path) -> Document:
    import json

    ran = Ran(command.last.code, command.last.stdout, command.last.stderr)
    facts: list[Mapping[str, Any]] = list(facts_in(folder))
    noted = with_facts(ran, stack.name, facts, is_offline=False, note="")
    return read_document(json.dumps(noted))


def run_all(
    stacks: Sequence[StackEntry],
    work: Callable[[StackEntry], Outcome],
    *,
    parallel: int,
    children: Children,
    draw: Callable[[], None],
) -> list[Outcome]:
    """Run the work of all stacks, so many at once; return the outcomes in the stacks' order.

    An interrupt ends those that run, in order, and begins no other one.
    """

    def run(stack: StackEntry) -> Outcome:
        if children.is_stopping:
            return Outcome(stack.name, Ended.NOT_BEGUN)
        return work(stack)

    with (
        _interrupting(children),
        warnings.catch_warnings(),
        ThreadPoolExecutor(parallel, "fleet") as pool,
    ):
        # The SDK warns when the stream of a CLI that was killed ends; its result tells that.
        warnings.filterwarnings("ignore", "Error in event stream", UserWarning)
        futures = [pool.submit(run, stack) for stack in stacks]
        pending = set(futures)
        while pending:
            _, pending = wait(pending, timeout=_LOOK_S)
            draw()
    return [future.result() for future in futures]


@contextmanager
def _interrupting(children: Children) -> Iterator[None]:
    """Pass each interrupt on to the running commands; pipelines and terminals send others."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        children.interrupt()

    former: dict[signal.Signals, Any] = {one: signal.signal(one, interrupt) for one in _ENDING}
    try:
        yield
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)
