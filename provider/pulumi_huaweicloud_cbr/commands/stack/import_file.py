"""``import-file``: write the file with which `pulumi import --file` takes over replications.

The SDK's plugin cannot read a resource without a state, so `pulumi import` with an id alone fails
on it. If the file has inputs and outputs, the engine does not call the plugin. The command itself
imports nothing, and only reads from CBR.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.base.errors import ConfigurationError
from pulumi_huaweicloud_cbr.base.text import quoted
from pulumi_huaweicloud_cbr.commands._cli.exits import Exit
from pulumi_huaweicloud_cbr.commands._cli.help import Commands, add_command
from pulumi_huaweicloud_cbr.commands._cli.options import (
    SETTINGS_OF_STACK,
    add_stack,
    as_text,
    require_stack_for_cwd,
)
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import default_owner, stack_settings

OWNER = "huaweicloud:owner"
TYPE = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplication"


def add_to(commands: Commands) -> None:
    """Add the command to a parser."""
    parser = add_command(
        commands,
        "import-file",
        summary="write the file with which pulumi import takes over copies",
        purpose=(
            "Reads existing replications from CBR and writes the file with which `pulumi import` "
            "takes them into a stack, also with the SDK's own plugin. Imports nothing itself, and "
            "only reads from CBR."
        ),
        exits={
            Exit.DONE: "the file is written",
            Exit.TO_DO: "a replication could not be read; no file is written",
        },
        examples=("import-file erp=BACKUP_ID/RECORD_ID --stack prod",),
        arguments="NAME=ID...",
    )
    parser.add_argument(
        "replications",
        nargs="+",
        metavar="NAME=ID",
        help="the resource's name in the program, and SOURCE_REGION/BACKUP_ID/RECORD_ID "
        "(without the region: the configured one)",
    )
    add_stack(parser, SETTINGS_OF_STACK)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("import.json"),
        metavar="FILE",
        help="the file (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Write the file and print what to do with it; return the exit code.

    Raises:
        CbrError: a replication cannot be read; nothing is written.
    """
    require_stack_for_cwd(given)
    named = [_split(text) for text in given.replications]
    document = {"resources": _read(named, _settings_of(given.stack, given.cwd))}
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    try:
        given.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(
            f"writing {quoted(str(given.out))}: {error.strerror}",
            remedy="name another file with --out",
        ) from error
    for resource in document["resources"]:
        outputs = resource["outputs"]
        print(
            f"{resource['name']}: backup ({outputs['backup_id']}) to "
            f"{outputs['destination_region']}, status {outputs['status']}"
        )
    file = given.out
    stack = f" --stack {shlex.quote(given.stack)}" if given.stack else ""
    if given.cwd is not None:
        # The CLI looks for the file in that directory.
        file = file.resolve()
        stack += f" --cwd {shlex.quote(str(given.cwd))}"
    print(f"\nWrote {given.out}. Take them over with:")
    print(
        f"  pulumi import --file {shlex.quote(str(file))} --generate-code=false "
        f"--protect=false --yes{stack}"
    )
    print("Then `pulumi preview` should show no change.")
    return Exit.DONE


def _settings_of(stack: str | None, directory: Path | None) -> dict[str, Any]:
    """Return the stack's configuration, with the owner that the stack's marks name."""
    if stack is None:
        return {}
    settings = stack_settings(stack, directory)
    if OWNER not in settings and not os.environ.get("HW_OWNER"):
        settings[OWNER] = default_owner(stack, directory)
    return settings


def _split(text: str) -> tuple[str, str]:
    name, equals, identifier = as_text(text).partition("=")
    if not (name and equals and identifier):
        raise ConfigurationError(
            f"reading {text!r}: want NAME=SOURCE_REGION/BACKUP_ID/RECORD_ID",
            remedy="the name is that of the resource in the program",
        )
    return name, identifier


def _read(named: list[tuple[str, str]], settings: dict[str, Any]) -> list[dict[str, Any]]:
    from pulumi.dynamic import Config, ConfigureRequest

    from pulumi_huaweicloud_cbr.resources._arguments.registration import pickle_of
    from pulumi_huaweicloud_cbr.resources.backup_replication import BackupReplicationProvider

    pickled = pickle_of(BackupReplicationProvider)
    provider = BackupReplicationProvider()
    provider.configure(ConfigureRequest(Config(settings, "import")))
    resources = []
    for name, identifier in named:
        found = provider.import_state(identifier)
        resources.append(
            {
                "type": TYPE,
                "name": name,
                "id": found.id,
                "inputs": {**(found.inputs or {}), "__provider": pickled},
                "outputs": {**(found.outs or {}), "__provider": pickled},
            }
        )
    return resources
