"""``owners``: its options, what it prints, and its exit code. The look-ups are in `examiner`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli import (
    Destination,
    as_text,
    default_owner,
    destination,
    stack_settings,
    takes_every_character,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands.owners.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.owners.report import Report
    from pulumi_huaweicloud_cbr.config.settings import Settings


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "owners",
        help="see who owns the replicas in a stack's destinations, and which have no owner",
        description=(
            "Lists the replicas in the destinations of a stack by owner: in the stack's state; "
            "with its mark but in no state (orphans, with the command that imports them); of "
            "other stacks; without a mark. Reads only. Run it in the project's directory, while "
            "no pulumi up runs. Exit code 0: no orphans; 1: there are some, or something could "
            "not be read; 2: the options are wrong."
        ),
    )
    parser.add_argument("--stack", required=True, type=as_text, help="the stack's name")
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        type=destination,
        metavar="REGION[/PROJECT_ID]",
        help="look at all vaults of this region too, beside what the state and the configuration "
        "name; may be repeated",
    )
    parser.add_argument(
        "--json", action="store_true", help="print a JSON document (docs/how-to/find-orphans.md)"
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Look up the owners and print them; return the exit code.

    Raises:
        ConfigurationError: the stack cannot be read, or no destination is known.
    """
    from pulumi_huaweicloud_cbr.commands._stack import export
    from pulumi_huaweicloud_cbr.commands.owners import text

    configured = stack_settings(given.stack)
    deployment = export(given.stack)
    report = look_at_stack(
        given.stack,
        configured,
        os.environ,
        deployment,
        tuple(given.destination),
        default_owner=lambda: default_owner(given.stack),
    )
    if given.json:
        document = report.to_json()
        print(json.dumps(document, indent=2, ensure_ascii=not takes_every_character(sys.stdout)))
    else:
        print(text.as_text(report))
    return 0 if report.is_clean else 1


def look_at_stack(
    stack: str,
    configured: Mapping[str, Any],
    environ: Mapping[str, str],
    deployment: Mapping[str, Any],
    destinations: tuple[Destination, ...] = (),
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
    from pulumi_huaweicloud_cbr.commands._stack import (
        Place,
        Scope,
        places_in,
        read_state,
        sources_in,
    )
    from pulumi_huaweicloud_cbr.commands.owners.examiner import Asked
    from pulumi_huaweicloud_cbr.config.settings import Settings

    settings = Settings.load(configured.get, environ)
    state = read_state(deployment)
    places = [Place(Scope(row.region, row.project_id), row.vault_id) for row in state.rows]
    places += places_in(configured)
    places += [Place(Scope(*one)) for one in destinations]
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
    from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
    from pulumi_huaweicloud_cbr.api.client import CbrClient
    from pulumi_huaweicloud_cbr.commands.owners.examiner import examine

    if settings.insecure:
        _tell("huaweicloud:insecure is true: no certificate is verified")
    client = CbrClient(
        settings,
        make_authenticator(settings, clock),
        clock=clock,
        on_pause=lambda pause: _tell(str(pause)),
        on_slow=_tell,
        transport=transport,
    )
    async with client:
        return await examine(client, asked)


def _tell(message: str) -> None:
    # Not to standard output, which programs may read.
    print(message, file=sys.stderr, flush=True)
