"""What each command does: run Pulumi, read what it printed, write the report, return the code."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.output import tell
from pulumi_huaweicloud_cbr.commands.ci.objectives import objectives_of
from pulumi_huaweicloud_cbr.commands.ci.plan.document import read_document
from pulumi_huaweicloud_cbr.commands.ci.plan.lost import drift_of
from pulumi_huaweicloud_cbr.commands.ci.plan.reading import Plan, plain, read_plan
from pulumi_huaweicloud_cbr.commands.ci.policy import violations
from pulumi_huaweicloud_cbr.commands.ci.run import outputs
from pulumi_huaweicloud_cbr.commands.ci.run.preview import Previewed, preview
from pulumi_huaweicloud_cbr.commands.ci.run.pulumi import MOST_BYTES, Ran
from pulumi_huaweicloud_cbr.commands.ci.run.update import is_outdated, update
from pulumi_huaweicloud_cbr.commands.ci.text.drift import drift_report
from pulumi_huaweicloud_cbr.commands.ci.text.origin import Origin, origin_of
from pulumi_huaweicloud_cbr.commands.ci.text.phrases import Block
from pulumi_huaweicloud_cbr.commands.ci.text.report import Report, Section, report_of
from pulumi_huaweicloud_cbr.commands.report.prices import read_prices
from pulumi_huaweicloud_cbr.commands.stack.recover.command import advice_for

_LAST_LINES = 40


def report_preview(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Preview a stack and report it; return the exit code."""
    prices = read_prices(given.prices) if given.prices is not None else None
    tell(f"previewing {given.stack} ...")
    done = preview(
        given.stack,
        given.cwd,
        is_offline=given.offline,
        is_refreshed=given.refresh,
        plan_file=given.save_plan,
        prices=prices,
    )
    plan = read_plan(done.document)
    code = _code_of(done, plan)
    if code and given.save_plan is not None and given.save_plan.is_file():
        # A plan that was refused must not be applied. What is no file, such as a device, stays.
        given.save_plan.unlink()
    report = report_of(done.document, plan, _origin(given, environ))
    outputs.write_json(done.document, given.json_file)
    outputs.write(report, given, environ)
    if code:
        return code
    found = violations(plan, given.fail_on, given.allow)
    for one in found:
        tell(f"not allowed: {one}")
    return Exit.NOT_ALLOWED if found else Exit.DONE


def report_drift(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Look for drift and report it; return the exit code."""
    tell(f"looking for drift of {given.stack} ...")
    done = preview(given.stack, given.cwd, is_refreshed=True)
    plan = read_plan(done.document)
    drift = drift_of(done.document, plan)
    report = drift_report(done.document, plan, drift, _origin(given, environ))
    outputs.write_json(done.document, given.json_file)
    outputs.write(report, given, environ)
    if drift or objectives_of(done.document).missed_count or (given.strict and not plan.is_empty):
        return Exit.DIFFERS
    return _code_of(done, plan)


def report_file(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Report the preview in a file; return the exit code."""
    errors = _read(given.errors) if given.errors is not None else ""
    document = read_document(_read(given.file), errors, given.exit_code)
    report = report_of(document, read_plan(document), _origin(given, environ))
    outputs.write(report, given, environ)
    return Exit.DONE


def report_update(given: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Run `up`, and say what to do if it failed; return the exit code."""
    if given.plan is not None and not given.plan.is_file():
        raise ConfigurationError(
            f"running up by plan {str(given.plan)!r}: there is no such file",
            remedy="write it with ci preview --save-plan",
        )
    ran = update(given.stack, given.cwd, given.plan, is_refreshed=given.refresh)
    advice = advice_for(given.stack, ran.said, given.cwd)
    if advice:
        tell(advice)
    outdated = given.plan is not None and is_outdated(ran)
    if outdated:
        tell(
            "the saved plan no longer fits: the program, its configuration or the replicas have "
            "changed since; preview it again with --save-plan, review that, and run up by it"
        )
    outputs.add_summary(_report_of(ran, _origin(given, environ), advice), given.summary, environ)
    if ran.is_interrupted:
        return Exit.INTERRUPTED
    if outdated:
        return Exit.OUTDATED
    return Exit.TO_DO if ran.code else Exit.DONE


def _report_of(ran: Ran, origin: Origin, advice: str | None) -> Report:
    """Return what a step summary says of an `up`: its diagnostics, and how many resources."""
    said = "\n".join([*_without_outputs(plain(ran.out)), *plain(ran.said).splitlines()])
    blocks = [Block(said.strip())] if said.strip() else []
    blocks += [Block(f"Before the next up: {advice}")] if advice else []
    return Report(
        headline="`up` FAILED" if ran.code else "`up` is done",
        origin=origin,
        kind="up",
        sections=(Section("Output", tuple(blocks), is_folded=not ran.code),) if blocks else (),
        is_grave=bool(ran.code),
    )


def _without_outputs(out: str) -> list[str]:
    """Return the CLI's diagnostics and totals; without any, its last lines."""
    _, _, diagnostics = out.partition("\nDiagnostics:\n")
    _, _, totals = out.rpartition("\nResources:\n")
    told = [*diagnostics.partition("\nOutputs:\n")[0].partition("\nResources:\n")[0].splitlines()]
    told += totals.splitlines() if totals != out else []
    return told or out.splitlines()[-_LAST_LINES:]


def _code_of(done: Previewed, plan: Plan) -> Exit:
    if done.is_interrupted:
        return Exit.INTERRUPTED
    has_failed = done.document.exit_code != 0 or not plan.is_read
    return Exit.TO_DO if has_failed or plan.refusals else Exit.DONE


def _origin(given: argparse.Namespace, environ: Mapping[str, str]) -> Origin:
    return origin_of(
        given.stack, environ, commit=given.commit, run=given.run_name, run_url=given.run_url
    )


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES).decode("utf-8", errors="replace")
    except OSError as error:
        raise ConfigurationError(
            f"reading {path}: {error.strerror or error}",
            remedy="give the file that ci preview --json-file wrote",
        ) from None
