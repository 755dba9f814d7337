"""``report``: its options, what it writes, and its exit code. The look-ups are in `asking`."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.base.moments import age
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import add_json, scope, stack_name
from pulumi_huaweicloud_cbr.commands._cli.output import print_json, tell

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands._cli.options import Scope
    from pulumi_huaweicloud_cbr.commands.account.inventory import Inventory
    from pulumi_huaweicloud_cbr.commands.report.asking import AskedAccount
    from pulumi_huaweicloud_cbr.commands.report.model import Report
    from pulumi_huaweicloud_cbr.commands.report.prices import Prices

_QUIET_S = 3.0
"""Work that takes longer than this reports its progress, wherever its output goes."""


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "report",
        summary="say what could be recovered in other regions, and how old it is",
        purpose=(
            "Shows for each protected server and file system its newest usable copy in other "
            "regions, and judges its age by the objective. It names servers without a copy, "
            "failed copies, the room in vaults, and copies that no stack declares. Reads only."
        ),
        exits={
            Exit.DONE: "all objectives are met, or there are none",
            Exit.TO_DO: "an objective is missed: the report names it",
            Exit.INCOMPLETE: "not all could be read or written, and nothing is known to be missed",
        },
        examples=(
            "report --stack prod --html report.html",
            "report --source cn-north-4 --source cn-east-3 --rpo 26h",
            "report --stack prod --metrics cbr.prom --junit cbr.xml",
        ),
    )
    parser.add_argument(
        "--stack",
        action="append",
        default=[],
        type=stack_name,
        metavar="NAME",
        help="report on what this stack copies, with its huaweicloud:* settings and its "
        "objectives; may be repeated, also for stacks of other accounts",
    )
    parser.add_argument(
        "--cwd",
        type=Path,
        metavar="DIRECTORY",
        help="the project's directory, with --stack (default: this one)",
    )
    parser.add_argument(
        "--source",
        action="append",
        default=[],
        type=scope,
        metavar="REGION[/PROJECT_ID]",
        help="a region with backups, beside those of the stacks; may be repeated (default: the "
        "region of the settings)",
    )
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        type=scope,
        metavar="REGION[/PROJECT_ID]",
        help="a region to look for copies in, beside those of the stacks; may be repeated "
        "(default: all that replication records name)",
    )
    parser.add_argument(
        "--rpo",
        type=_objective,
        metavar="AGE",
        help="the objective of whatever has none of its own: how old the newest copy may be, such "
        "as 26h, 7d or 2w",
    )
    parser.add_argument(
        "--prices",
        type=Path,
        metavar="FILE",
        help="a table of what a gigabyte costs, for costs in the report (docs/how-to/report.md)",
    )
    parser.add_argument("--all", action="store_true", help="list everything, also what is in order")
    for name, what in (
        ("html", "a page that needs no network"),
        ("metrics", "OpenMetrics, for Prometheus"),
        ("junit", "JUnit test results, for pipelines"),
    ):
        parser.add_argument(
            f"--{name}", type=Path, metavar="FILE", help=f"write the report as {what} too"
        )
    add_json(parser, "docs/how-to/report.md")
    parser.set_defaults(run=run, parser=parser)


def _objective(text: str) -> int:
    found = age(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no age; want such as 90m, 26h, 7d or 2w")
    return round(found.total_seconds())


def run(given: argparse.Namespace) -> int:
    """Make the report, and print and write it; return the exit code.

    A fault of what the options name is one of usage. If nothing can be read, that is incomplete: a
    monitor must not take it for a missed objective.
    """
    from pulumi_huaweicloud_cbr.base.clock import SystemClock
    from pulumi_huaweicloud_cbr.commands.report.files import check_files, write_files
    from pulumi_huaweicloud_cbr.commands.report.prices import read_prices

    if given.cwd is not None and not given.stack:
        given.parser.error("--cwd goes with --stack")
    try:
        prices = read_prices(given.prices) if given.prices is not None else None
        check_files(given)
    except ConfigurationError as error:
        return _ended(error, Exit.USAGE)
    clock = SystemClock()
    try:
        report = make_report(
            accounts_of(given, os.environ),
            clock,
            rpo_s=given.rpo,
            prices=prices,
            on_read=_progress(clock),
        )
    except CbrError as error:
        return _ended(error, Exit.INCOMPLETE)
    # First the files: the reader of the output may go away, as `head` does.
    code = exit_of(report)
    try:
        write_files(given, report)
    except ConfigurationError as error:
        code = _ended(error, Exit.TO_DO if code == Exit.TO_DO else Exit.INCOMPLETE)
    _show(report, given)
    return code


def _ended(error: CbrError, code: Exit) -> Exit:
    tell(f"error: {error}")
    return code


def _show(report: Report, given: argparse.Namespace) -> None:
    if given.json:
        print_json(report.to_json())
        return
    from pulumi_huaweicloud_cbr.commands.report.show import text

    print(text.as_text(report, shows_all=given.all))


def exit_of(report: Report) -> Exit:
    """Return the exit code: what is missed for certain counts before what is unknown."""
    from pulumi_huaweicloud_cbr.commands.report.model import MISSED, UNSEEN

    if report.having(MISSED):
        return Exit.TO_DO
    is_known = report.is_complete and not report.having(UNSEEN)
    return Exit.DONE if is_known else Exit.INCOMPLETE


def make_report(
    accounts: Sequence[AskedAccount],
    clock: Clock,
    *,
    rpo_s: int | None = None,
    prices: Prices | None = None,
    transport: Transport | None = None,
    on_read: Callable[[Inventory], None] | None = None,
) -> Report:
    """Read the accounts and judge what is there.

    Args:
        rpo_s: the objective of whatever has none of its own.
        transport: replaces the network, in tests.
        on_read: is told of each project that was read.
    Raises:
        ConfigurationError: an account has no credentials, or a setting is wrong.
    """
    import asyncio

    from pulumi_huaweicloud_cbr.commands.report.asking import ask
    from pulumi_huaweicloud_cbr.commands.report.judging.judge import judge, now_of

    seen = asyncio.run(ask(accounts, clock, transport=transport, on_read=on_read))
    return judge(seen, now_of(clock.wall_time()), rpo_s=rpo_s, prices=prices)


def accounts_of(given: argparse.Namespace, environ: Mapping[str, str]) -> list[AskedAccount]:
    """Return what to read: an account for each stack, or else that of the environment.

    Raises:
        ConfigurationError: a stack cannot be read, or no source region is known.
    """
    from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner, read_configuration
    from pulumi_huaweicloud_cbr.commands._cli.stack import export
    from pulumi_huaweicloud_cbr.config.entries import PROGRAM

    if not given.stack:
        return [account_of(None, {}, environ, None, given.source, given.destination)]
    accounts = []
    for name in dict.fromkeys(given.stack):
        configured, secret_keys = read_configuration(name, given.cwd)
        accounts.append(
            account_of(
                name,
                configured,
                environ,
                export(name, given.cwd),
                given.source,
                given.destination,
                default_owner=partial(default_owner, name, given.cwd),
                is_secret=any(key.startswith(PROGRAM) for key in secret_keys),
            )
        )
    return accounts


def account_of(
    stack: str | None,
    configured: Mapping[str, Any],
    environ: Mapping[str, str],
    deployment: Mapping[str, Any] | None,
    sources: Sequence[Scope] = (),
    destinations: Sequence[Scope] = (),
    *,
    default_owner: Callable[[], str] | None = None,
    is_secret: bool = False,
) -> AskedAccount:
    """Return what to read for a stack, or for the environment alone.

    Args:
        configured: the stack's configuration, full key to text.
        deployment: the stack's state, as ``pulumi stack export`` prints it.
        sources, destinations: the regions that options name.
        default_owner: returns ``project/stack`` if the state does not tell it.
        is_secret: the entries are secret. Then the report, and the files that it writes, have no
            texts of them.
    Raises:
        ConfigurationError: a setting or an objective is wrong, or no source region is known.
    """
    from pulumi_huaweicloud_cbr.commands._cli.options import Scope
    from pulumi_huaweicloud_cbr.commands._cli.stack import places_in, read_state, sources_in
    from pulumi_huaweicloud_cbr.commands.report.asking import AskedAccount, AskedStack
    from pulumi_huaweicloud_cbr.config.objectives import read_declared, without_texts
    from pulumi_huaweicloud_cbr.config.settings import Settings

    settings = Settings.load(configured.get, environ)
    state = read_state(deployment or {})
    declared = read_declared(configured) if stack is not None else ()
    if is_secret:
        declared = without_texts(declared)
    all_sources = [*sources, *sources_in(configured)]
    # Their parts may stand on different levels, so that no mapping has both of a place.
    all_sources += [
        Scope(one.source_region, one.source_project_id) for one in declared if one.source_region
    ]
    all_sources += [Scope(row.source.region, row.source.project_id) for row in state.rows]
    if settings.region is not None and (stack is not None or not sources):
        all_sources.append(Scope(settings.region))
    if not all_sources:
        raise ConfigurationError(
            "reporting on copies: no source region is known",
            remedy="name one with --source, or set huaweicloud:region (or HW_REGION_NAME)",
        )
    all_destinations = [*destinations, *(place.scope for place in places_in(configured))]
    all_destinations += [Scope(*place) for one in declared for place in one.destinations]
    all_destinations += [Scope(row.region, row.project_id) for row in state.rows]
    stacks: tuple[AskedStack, ...] = ()
    if stack is not None:
        owner = settings.owner or state.owner or (default_owner() if default_owner else stack)
        stacks = (AskedStack(stack, owner, state, declared),)
    return AskedAccount(
        settings,
        tuple(dict.fromkeys(all_sources)),
        tuple(dict.fromkeys(all_destinations)),
        stacks,
        is_closed=bool(destinations),
    )


def _progress(clock: Clock) -> Callable[[Inventory], None]:
    """Return what tells of each project that was read, if the user waits."""
    began = clock.monotonic()

    def told(found: Inventory) -> None:
        if sys.stderr.isatty() or clock.monotonic() - began > _QUIET_S:
            tell(
                f"read {found.scope}: {len(found.backups)} backups, {len(found.replicas)} replicas"
            )

    return told
