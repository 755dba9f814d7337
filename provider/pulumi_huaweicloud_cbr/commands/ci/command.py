"""``ci``: what a pipeline calls, for the same plan in a comment, on a terminal and as JSON."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import CommandParser, Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import add_dead, add_stack, as_text, stack_name
from pulumi_huaweicloud_cbr.commands.ci.policy import kinds

_FORMATS = ("text", "markdown")
_LIMITS = ("github", "gitlab")
_NAME = "ci"


def add_to(commands: Commands) -> None:
    """Add the command and its own commands to a parser."""
    parser = add_command(
        commands,
        _NAME,
        summary="for pipelines: preview, up, drift, recover, comment",
        purpose=(
            "What pipelines call. Reports are in replicas: a comment for a pull request, a step "
            "summary, plain text on a terminal. Values of programs and of the API form no markup."
        ),
        exits={
            Exit.DONE: "done; the report names nothing to do",
            Exit.TO_DO: "it failed, or `up` would refuse: the report tells why",
        },
        examples=("ci preview --stack prod", "ci drift --stack prod"),
        arguments="COMMAND",
    )
    own = parser.add_subparsers(
        prog=parser.prog, metavar="COMMAND", help=argparse.SUPPRESS, parser_class=CommandParser
    )
    for add in (_add_preview, _add_up, _add_drift, _add_recover, _add_comment):
        add(own)
    parser.list_commands()
    parser.set_defaults(run=lambda _given: parser.error("want a COMMAND; --help lists them"))


def _add_preview(commands: Commands) -> None:
    parser = add_command(
        commands,
        "preview",
        group=_NAME,
        summary="preview a stack, and say what happens to replicas",
        purpose=(
            "Runs pulumi preview, and reports what up would do with replicas. All faults of all "
            "resources are told in one run. A preview that fails has a report as well."
        ),
        exits={
            Exit.DONE: "the preview succeeded, and does nothing that --fail-on names",
            Exit.TO_DO: "the preview failed, or up would be refused: the report tells why",
            Exit.NOT_ALLOWED: "the preview would do what --fail-on names, and --allow does not",
        },
        examples=(
            "ci preview --stack prod --comment-file comment.md --json-file preview.json",
            "ci preview --stack prod --fail-on delete,replace,last-copy --allow delete",
        ),
        arguments="--stack NAME",
    )
    add_stack(parser, "the stack", is_required=True)
    parser.add_argument(
        "--offline",
        action="store_true",
        help="without credentials: preflight is off, secrets have stand-ins, the state is empty",
    )
    _add_refresh(parser)
    parser.add_argument(
        "--save-plan", type=Path, metavar="FILE", help="save the plan, for ci up --plan"
    )
    parser.add_argument(
        "--prices",
        type=Path,
        metavar="FILE",
        help="a table of what a gigabyte costs, for costs in the report (docs/how-to/report.md)",
    )
    _add_policy(parser)
    _add_outputs(parser)
    _add_origin(parser)
    parser.set_defaults(run=_run_preview)


def _add_up(commands: Commands) -> None:
    parser = add_command(
        commands,
        "up",
        group=_NAME,
        summary="run pulumi up for a stack, without prompts",
        purpose=(
            "Runs pulumi up without prompts, and names the command to recover after a killed one. "
            "With --plan it does only what a preview has saved."
        ),
        exits={
            Exit.DONE: "up succeeded",
            Exit.TO_DO: "up failed: the output tells why",
            Exit.OUTDATED: "the saved plan no longer fits; preview and review it again",
        },
        examples=("ci up --stack prod", "ci up --stack prod --plan plan.json"),
        arguments="--stack NAME",
    )
    add_stack(parser, "the stack", is_required=True)
    _add_refresh(parser)
    parser.add_argument(
        "--plan", type=Path, metavar="FILE", help="the plan that ci preview --save-plan wrote"
    )
    _add_summary(parser)
    _add_origin(parser)
    parser.set_defaults(run=_run_up)


def _add_drift(commands: Commands) -> None:
    parser = add_command(
        commands,
        "drift",
        group=_NAME,
        summary="say which replicas are lost, or were changed outside of Pulumi",
        purpose=(
            "Runs pulumi preview --refresh, which changes nothing, and reports replicas that are "
            "lost or differ from the state, and missed objectives. New backups that wait for the "
            "next up are no drift."
        ),
        exits={
            Exit.DONE: "no replica is lost, and none differs",
            Exit.TO_DO: "the preview failed: the report tells why",
            Exit.DIFFERS: "replicas are lost or were changed outside of Pulumi, or an objective is "
            "missed",
        },
        examples=("ci drift --stack prod --comment-file drift.md",),
        arguments="--stack NAME",
    )
    add_stack(parser, "the stack", is_required=True)
    parser.add_argument(
        "--strict", action="store_true", help="anything that up would do counts as drift"
    )
    _add_outputs(parser)
    _add_origin(parser)
    parser.set_defaults(run=_run_drift)


def _add_recover(commands: Commands) -> None:
    parser = add_command(
        commands,
        "recover",
        group=_NAME,
        summary="after a killed up: the same as the command recover",
        purpose=(
            "Removes the lock of a CLI that was killed, once its process is known to be dead, and "
            "the pending operations that it left."
        ),
        exits={
            Exit.DONE: "no lock and no pending operation is left; go on with ci up",
            Exit.TO_DO: "not done: the lock's holder may live, or the CLI failed",
        },
        examples=("ci recover --stack prod", "ci recover --stack prod --dead build-7:4711"),
        arguments="--stack NAME",
    )
    parser.add_argument("--stack", type=stack_name, required=True, metavar="NAME", help="the stack")
    add_dead(parser)
    parser.set_defaults(run=_run_recover)


def _add_comment(commands: Commands) -> None:
    parser = add_command(
        commands,
        "comment",
        group=_NAME,
        summary="render the comment of a preview's JSON file, and run nothing",
        purpose=(
            "Renders the report of a file that ci preview --json-file or pulumi preview --json "
            "wrote. The file may come from a fork: all in it is shown as text."
        ),
        exits={
            Exit.DONE: "the comment was written, also that of a preview that failed",
            Exit.TO_DO: "the file cannot be read",
        },
        examples=("ci comment preview.json --stack prod --comment-file comment.md",),
        arguments="FILE --stack NAME",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="the JSON of the preview")
    parser.add_argument(
        "--stack",
        type=stack_name,
        required=True,
        metavar="NAME",
        help="the stack, whatever the file says",
    )
    parser.add_argument(
        "--errors", type=Path, metavar="FILE", help="what pulumi preview wrote to standard error"
    )
    parser.add_argument(
        "--exit-code",
        type=int,
        metavar="CODE",
        help="that of pulumi preview (default: what the file says)",
    )
    _add_outputs(parser, with_json=False)
    _add_origin(parser)
    parser.set_defaults(run=_run_comment)


def _add_refresh(parser: CommandParser) -> None:
    parser.add_argument(
        "--refresh",
        action="store_true",
        help="read first what exists, so that up makes a lost replica again",
    )


def _add_policy(parser: CommandParser) -> None:
    parser.add_argument(
        "--fail-on",
        type=kinds,
        default=frozenset(),
        metavar="KINDS",
        help="exit with code 3 if it would do any of these: delete, replace, last-copy",
    )
    parser.add_argument(
        "--allow",
        type=kinds,
        default=frozenset(),
        metavar="KINDS",
        help="what --fail-on lets pass, for instance since the pull request has a label",
    )


def _add_outputs(parser: CommandParser, *, with_json: bool = True) -> None:
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        metavar="FORMAT",
        help="what is printed: text or markdown (default: text on a terminal, else markdown)",
    )
    parser.add_argument(
        "--comment-file",
        type=Path,
        metavar="FILE",
        help="write the comment; what is deleted and does not fit goes on in FILE-2 and so on",
    )
    if with_json:
        parser.add_argument(
            "--json-file", type=Path, metavar="FILE", help="write the JSON, for ci comment"
        )
    parser.add_argument(
        "--limit",
        choices=_LIMITS,
        metavar="SITE",
        help="the size of a comment: github or gitlab (default: the site of the pipeline)",
    )
    _add_summary(parser)


def _add_summary(parser: CommandParser) -> None:
    parser.add_argument(
        "--summary",
        type=Path,
        metavar="FILE",
        help="add the report to a step summary (default: GITHUB_STEP_SUMMARY)",
    )


def _add_origin(parser: CommandParser) -> None:
    parser.add_argument(
        "--commit", type=as_text, metavar="HASH", help="the commit (default: the pipeline's)"
    )
    parser.add_argument(
        "--run",
        dest="run_name",
        type=as_text,
        metavar="NAME",
        help="the run's number (default: the pipeline's)",
    )
    parser.add_argument(
        "--run-url",
        type=as_text,
        metavar="URL",
        help="the address of the run (default: the pipeline's)",
    )


def _run_preview(given: argparse.Namespace) -> int:
    from pulumi_huaweicloud_cbr.commands.ci.run.reporting import report_preview

    return report_preview(given, os.environ)


def _run_drift(given: argparse.Namespace) -> int:
    from pulumi_huaweicloud_cbr.commands.ci.run.reporting import report_drift

    return report_drift(given, os.environ)


def _run_comment(given: argparse.Namespace) -> int:
    from pulumi_huaweicloud_cbr.commands.ci.run.reporting import report_file

    return report_file(given, os.environ)


def _run_up(given: argparse.Namespace) -> int:
    from pulumi_huaweicloud_cbr.commands.ci.run.reporting import report_update

    return report_update(given, os.environ)


def _run_recover(given: argparse.Namespace) -> int:
    from pulumi_huaweicloud_cbr.commands.stack.recover import command as recover

    return recover.run(argparse.Namespace(stack=given.stack, dead=given.dead, advise=None))
