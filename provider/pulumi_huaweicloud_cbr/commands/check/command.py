"""``check``: its options, what it prints, and its exit code. The examination is in `examiner`."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli import (
    default_owner,
    destination,
    like_input,
    stack_settings,
    takes_every_character,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands._stack import Copy
    from pulumi_huaweicloud_cbr.commands.check.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.check.report import Account

# What httpx reads from the environment, so that it affects the way of requests.
_OF_THE_NETWORK = frozenset(
    {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to a parser."""
    parser = commands.add_parser(
        "check",
        help="see whether an account is ready for replications, and what is to do",
        description=(
            "Looks at an account: how it is signed in to, its projects, to where backups can be "
            "copied, vaults of type replication, missing permissions, this machine's clock; with "
            "--stack whether its copies are possible; with --backup to where that one can be "
            "copied. Reads only. Exit code 0: all is well; "
            "1: there is something to do, which is named; 2: the options are wrong."
        ),
    )
    parser.add_argument(
        "--stack",
        help="take huaweicloud:* settings from this stack of the project in this directory, beside "
        "the environment, and look at the copies that its configuration declares",
    )
    parser.add_argument("--cwd", type=Path, help="the project's directory, with --stack")
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        type=destination,
        metavar="REGION[/PROJECT_ID]",
        help="a region to copy to, and the project there if it is not the one named like it; may "
        "be repeated (default: those of the stack, else all that the source can copy to)",
    )
    parser.add_argument(
        "--backup",
        type=like_input("backup_id"),
        metavar="ID",
        help="say of this backup to where it can be copied",
    )
    parser.add_argument(
        "--list-backups",
        action="store_true",
        help="list the backups of the source region with ids, ages and sizes",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print a JSON document (docs/how-to/check-an-account.md)",
    )
    parser.set_defaults(run=run, parser=parser)


def run(given: argparse.Namespace) -> int:
    """Examine the account and print the result; return the exit code.

    Raises:
        ConfigurationError: the stack's configuration or state cannot be read.
    """
    from pulumi_huaweicloud_cbr.commands._stack import State, copies_in, export, read_state
    from pulumi_huaweicloud_cbr.commands.check.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.check.text import as_text

    if given.cwd is not None and given.stack is None:
        given.parser.error("--cwd goes with --stack")
    configured = stack_settings(given.stack, given.cwd) if given.stack else {}
    copies = copies_in(configured)
    asked = Asked(
        tuple(given.destination),
        given.backup,
        _owner_of(given, copies),
        copies,
        read_state(export(given.stack, given.cwd)) if copies else State(),
        given.list_backups,
    )
    account = look_at_account(configured, os.environ, asked)
    if given.json:
        document = account.to_json()
        print(json.dumps(document, indent=2, ensure_ascii=not takes_every_character(sys.stdout)))
    else:
        print(as_text(account))
    return 1 if account.to_do_count else 0


def _owner_of(given: argparse.Namespace, copies: Sequence[Copy] = ()) -> str | None:
    """Return whose copies are a stack's own; None if no stack is given, or no copy is asked for."""
    if given.stack is None or (given.backup is None and not copies):
        return None
    try:
        return default_owner(given.stack, given.cwd)
    except ConfigurationError:
        # A copy with a mark is then reported as that stack's, whoever that is.
        return None


def look_at_account(
    configured: Mapping[str, Any],
    environ: Mapping[str, str],
    asked: Asked,
    *,
    clock: Clock | None = None,
    transport: Transport | None = None,
) -> Account:
    """Examine the account of a stack's configuration and an environment.

    Args:
        clock: replaces the machine's time, in tests.
        transport: replaces the network, in tests.
    """
    import asyncio

    from pulumi_huaweicloud_cbr.base.clock import SystemClock
    from pulumi_huaweicloud_cbr.commands.check.examiner import examine
    from pulumi_huaweicloud_cbr.commands.check.report import Account, Remark, SignIn
    from pulumi_huaweicloud_cbr.config.settings import Settings

    try:
        settings = Settings.load(configured.get, environ)
    except ConfigurationError as error:
        unknown = SignIn(None, "not known", "the settings cannot be read")
        return Account(unknown, remarks=[Remark.of("settings", error)])

    looking = examine(
        settings, asked, clock=clock or SystemClock(), on_slow=_tell, transport=transport
    )
    account = asyncio.run(looking)
    account.settings = places_of(settings.origins, environ)
    return account


def _tell(message: str) -> None:
    # Not to standard output, which programs may read.
    print(message, file=sys.stderr, flush=True)


def places_of(origins: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the place of each setting in use, ``stack`` or ``environment``, by its name there."""
    places = {
        name: "stack" if name.startswith("huaweicloud:") else "environment"
        for name in origins.values()
    }
    of_network = sorted(name for name in environ if name.upper() in _OF_THE_NETWORK)
    return places | {name: "environment" for name in of_network if environ[name]}
