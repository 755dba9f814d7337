"""``check``: its options, what it prints, and its exit code. The examination is in `examiner`."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import (
    add_json,
    add_stack,
    like_input,
    require_stack_for_cwd,
    scope,
)
from pulumi_huaweicloud_cbr.commands._cli.output import print_json, tell
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner, stack_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pulumi_huaweicloud_cbr.api.transport.http import Transport
    from pulumi_huaweicloud_cbr.base.clock import Clock
    from pulumi_huaweicloud_cbr.commands._cli.stack import Copy
    from pulumi_huaweicloud_cbr.commands.account.check.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.account.check.report import Account

# What httpx reads from the environment, so that it affects the way of requests.
_OF_THE_NETWORK = frozenset(
    {"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_DIR", "SSL_CERT_FILE"}
)


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "check",
        summary="see whether an account is ready for copies, and what is to do",
        purpose=(
            "Looks at an account: how it is signed in to, its projects, to where backups can be "
            "copied, vaults of type replication, missing permissions, this machine's clock. With "
            "--stack it says whether the stack's copies are possible, and with --backup to where "
            "that one can be copied. Reads only."
        ),
        exits={
            Exit.DONE: "the account is ready",
            Exit.TO_DO: "something is to do: each line with TO DO names a remedy",
        },
        examples=("check --stack prod", "check --destination cn-east-3 --backup ID"),
    )
    add_stack(
        parser,
        "take huaweicloud:* settings from this stack of the project, beside the environment, and "
        "look at the copies that its configuration declares",
    )
    parser.add_argument(
        "--destination",
        action="append",
        default=[],
        type=scope,
        metavar="REGION[/PROJECT_ID]",
        help="a region to copy to, and the project there if it is not the one named like it. May "
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
    add_json(parser, "docs/how-to/check-an-account.md")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Examine the account and print the result; return the exit code.

    Raises:
        ConfigurationError: the stack's configuration or state cannot be read.
    """
    from pulumi_huaweicloud_cbr.commands._cli.stack import State, copies_in, export, read_state
    from pulumi_huaweicloud_cbr.commands.account.check.examiner import Asked
    from pulumi_huaweicloud_cbr.commands.account.check.text import as_text

    require_stack_for_cwd(given)
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
        print_json(account.to_json())
    else:
        print(as_text(account))
    return Exit.TO_DO if account.to_do_count else Exit.DONE


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
    from pulumi_huaweicloud_cbr.commands.account.check.examiner import examine
    from pulumi_huaweicloud_cbr.commands.account.check.report import Account, Remark, SignIn
    from pulumi_huaweicloud_cbr.config.settings import Settings

    try:
        settings = Settings.load(configured.get, environ)
    except ConfigurationError as error:
        unknown = SignIn(None, "not known", "the settings cannot be read")
        return Account(unknown, remarks=[Remark.of("settings", error)])

    looking = examine(
        settings, asked, clock=clock or SystemClock(), on_slow=tell, transport=transport
    )
    account = asyncio.run(looking)
    account.settings = places_of(settings.origins, environ)
    return account


def places_of(origins: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the place of each setting in use, ``stack`` or ``environment``, by its name there."""
    places = {
        name: "stack" if name.startswith("huaweicloud:") else "environment"
        for name in origins.values()
    }
    of_network = sorted(name for name in environ if name.upper() in _OF_THE_NETWORK)
    return places | {name: "environment" for name in of_network if environ[name]}
