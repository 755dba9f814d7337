"""``backups``: its options, what it prints, and its exit code. The look-ups are in `examiner`."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import (
    SETTINGS_OF_STACK,
    add_json,
    add_stack,
    as_text,
    like_input,
    require_stack_for_cwd,
    scope,
)
from pulumi_huaweicloud_cbr.commands._cli.output import print_json
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import stack_settings
from pulumi_huaweicloud_cbr.commands.account.backups.when import when

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands.account.backups.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.account.backups.report import Report
    from pulumi_huaweicloud_cbr.config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "backups",
        summary="list backups, and which regions have a copy of each",
        purpose=(
            "Lists the backups of the source region, the newest first, and below each one what "
            "its newest replication record for each region says. A record stays when its replica "
            "is deleted, so --without-copy-in asks that region which replicas exist. Reads only."
        ),
        exits={
            Exit.DONE: "the list is printed, also if it is empty",
            Exit.TO_DO: "a list could not be read; the error says why",
        },
        examples=(
            "backups --server erp-db-01 --since 7d",
            "backups --without-copy-in cn-east-3 --until 24h",
            "backups --replicas --region cn-east-3 --json",
        ),
    )
    parser.add_argument(
        "--region",
        type=scope,
        metavar="REGION[/PROJECT_ID]",
        help="the region to list, and the project there if it is not the one named like it "
        "(default: the region of the settings)",
    )
    parser.add_argument(
        "--replicas",
        action="store_true",
        help="list the replicas in --region, a destination, instead of its own backups; their "
        "times may be those of the copies",
    )
    parser.add_argument(
        "--without-copy-in",
        type=like_input("destination_region"),
        metavar="REGION",
        help="only backups without a replica in this region, and without a copy on its way",
    )
    parser.add_argument(
        "--server", type=as_text, metavar="NAME", help="only of the server with this name"
    )
    parser.add_argument(
        "--vault", type=like_input("destination_vault_id"), metavar="ID", help="only in this vault"
    )
    parser.add_argument(
        "--since",
        type=when,
        metavar="TIME",
        help="only made since then: a day or time in UTC, or an age such as 90m, 36h, 7d, 2w",
    )
    parser.add_argument(
        "--until", type=when, metavar="TIME", help="only made until then, in the same forms"
    )
    parser.add_argument(
        "--status",
        type=as_text,
        metavar="STATUS",
        help="only with this status, such as available or error (default: all)",
    )
    parser.add_argument("--limit", type=_count, metavar="N", help="at most the N newest")
    add_stack(parser, SETTINGS_OF_STACK)
    add_json(parser, "docs/reference/commands.md")
    parser.set_defaults(run=run)


def _count(text: str) -> int:
    # Python reads no number of more than some thousand digits.
    if not re.fullmatch(r"[0-9]{1,7}", text) or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000000")
    return int(text)


def run(given: argparse.Namespace) -> int:
    """List backups and print them; return the exit code.

    Raises:
        CbrError: the stack's configuration, or a list of CBR, cannot be read.
    """
    from pulumi_huaweicloud_cbr.commands.account.backups.text import as_text as lines_of

    require_stack_for_cwd(given)
    if given.replicas and given.region is None:
        given.parser.error("--replicas goes with --region, the destination")
    if given.replicas and given.without_copy_in is not None:
        given.parser.error("--without-copy-in is about backups, and --replicas lists none")
    configured = stack_settings(given.stack, given.cwd) if given.stack else {}
    report = look_at_backups(configured, os.environ, given)
    if given.json:
        print_json(report.to_json())
    else:
        print(lines_of(report))
    return Exit.DONE


def look_at_backups(
    configured: Mapping[str, Any],
    environ: Mapping[str, str],
    given: argparse.Namespace,
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
) -> Report:
    """Look up the backups that options ask for.

    Args:
        given: the options of the command.
        clock: replaces the machine's time, in tests.
        transport: replaces the network, in tests.
    Raises:
        CbrError: a setting is wrong, no region is known, or a list cannot be read.
    """
    import asyncio

    from pulumi_huaweicloud_cbr.base.clock import SystemClock
    from pulumi_huaweicloud_cbr.commands._cli.options import Scope
    from pulumi_huaweicloud_cbr.commands.account.backups.examiner import Asked
    from pulumi_huaweicloud_cbr.config.settings import Settings

    settings = Settings.load(configured.get, environ)
    at = given.region
    if at is None and settings.region is None:
        raise ConfigurationError(
            "listing backups: no region is set",
            remedy="name one with --region, or set huaweicloud:region (or HW_REGION_NAME)",
        )
    asked = Asked(
        at or Scope(str(settings.region)),
        given.replicas,
        given.server,
        given.vault,
        given.since,
        given.until,
        given.status,
        given.without_copy_in,
        given.limit,
    )
    return asyncio.run(_examine(settings, asked, clock or SystemClock(), transport))


async def _examine(
    settings: Settings, asked: Asked, clock: Clock, transport: Transport | None
) -> Report:
    from pulumi_huaweicloud_cbr.commands._cli.cloud import make_client
    from pulumi_huaweicloud_cbr.commands.account.backups.examiner import examine

    async with make_client(settings, clock, transport) as client:
        return await examine(client, asked)
