"""``owners``: its options, what it prints, and its exit code. The look-ups are in `examiner`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import add_json, add_stack, scope
from pulumi_huaweicloud_cbr.commands._cli.output import print_json
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner, stack_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands._cli.options import Scope
    from pulumi_huaweicloud_cbr.commands.account.owners.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.account.owners.report import Report
    from pulumi_huaweicloud_cbr.config.settings import Settings


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "owners",
        summary="see which replicas have an owner, and which have none",
        purpose=(
            "Lists the replicas in a stack's destinations by owner: those in its state, those "
            "with its mark but in no state (orphans), those of other stacks, those without a "
            "mark. It prints the command that imports an orphan. Reads only. Run it while no "
            "pulumi up runs."
        ),
        exits={
            Exit.DONE: "no orphans, and everything was looked at",
            Exit.TO_DO: "there are orphans, or something could not be read",
        },
        examples=("owners --stack prod", "owners --stack prod --destination cn-south-1 --json"),
        arguments="--stack NAME",
    )
    add_stack(parser, "the stack; its huaweicloud:* settings are used", is_required=True)
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        type=scope,
        metavar="REGION[/PROJECT_ID]",
        help="look at all vaults of this region too, beside what the state and the configuration "
        "name; may be repeated",
    )
    add_json(parser, "docs/how-to/find-orphans.md")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Look up the owners and print them; return the exit code.

    Raises:
        ConfigurationError: the stack cannot be read, or no destination is known.
    """
    from pulumi_huaweicloud_cbr.commands._cli.stack import export
    from pulumi_huaweicloud_cbr.commands.account.owners import text

    configured = stack_settings(given.stack, given.cwd)
    deployment = export(given.stack, given.cwd)
    report = look_at_stack(
        given.stack,
        configured,
        os.environ,
        deployment,
        tuple(given.destination),
        default_owner=lambda: default_owner(given.stack, given.cwd),
    )
    if given.json:
        print_json(report.to_json())
    else:
        print(text.as_text(report, given.cwd))
    return Exit.DONE if report.is_clean else Exit.TO_DO


def look_at_stack(
    stack: str,
    configured: Mapping[str, Any],
    environ: Mapping[str, str],
    deployment: Mapping[str, Any],
    destinations: tuple[Scope, ...] = (),
    *,
    default_owner: Callable[[], str],
    clock: Clock | None = None,
    transport: Transport | None = None,
) -> Report:
    """Look up who owns the replicas in a stack's destinations.

    Args:
        destinations: more places to look at.
        default_owner: returns ``project/stack`` if the state does not tell it.
        clock: replaces the machine's time, in tests.
        transport: replaces the network, in tests.
    Raises:
        ConfigurationError: a setting is wrong, or no destination is known.
    """
    import asyncio

    from pulumi_huaweicloud_cbr.base.clock import SystemClock
    from pulumi_huaweicloud_cbr.commands._cli.options import Scope
    from pulumi_huaweicloud_cbr.commands._cli.stack import (
        Place,
        places_in,
        read_state,
        sources_in,
    )
    from pulumi_huaweicloud_cbr.commands.account.owners.examiner import Asked
    from pulumi_huaweicloud_cbr.config.settings import Settings

    settings = Settings.load(configured.get, environ)
    state = read_state(deployment)
    places = [Place(Scope(row.region, row.project_id), row.vault_id) for row in state.rows]
    places += places_in(configured)
    places += [Place(one) for one in destinations]
    if not places:
        raise ConfigurationError(
            f"looking for the destinations of stack {stack!r}: neither its state nor its "
            "configuration names one",
            remedy="name the regions to look at: --destination REGION",
        )
    sources = [Scope(row.source.region, row.source.project_id) for row in state.rows]
    if settings.region is not None:
        sources.append(Scope(settings.region))
    sources += sources_in(configured)
    asked = Asked(
        stack,
        settings.owner or state.owner or default_owner(),
        state,
        tuple(dict.fromkeys(places)),
        tuple(dict.fromkeys(sources)),
    )
    return asyncio.run(_examine(settings, asked, clock or SystemClock(), transport))


async def _examine(
    settings: Settings, asked: Asked, clock: Clock, transport: Transport | None
) -> Report:
    from pulumi_huaweicloud_cbr.commands._cli.cloud import make_client
    from pulumi_huaweicloud_cbr.commands.account.owners.examiner import examine

    async with make_client(settings, clock, transport) as client:
        return await examine(client, asked)
