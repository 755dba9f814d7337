"""What commands read of a stack: the copies that it declares, and the CLI's errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands._cli.options import Scope
from pulumi_huaweicloud_cbr.commands._cli.pulumi_cli import failure_of
from pulumi_huaweicloud_cbr.commands._cli.stack import Copy, Place, copies_in

BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
VAULT = "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"
EAST = {"region": "cn-east-3", "vault_id": VAULT.upper()}
TO_EAST = Place(Scope("cn-east-3"), VAULT)


def copies(**keys: Any) -> tuple[Copy, ...]:
    """Return the copies of a configuration as the CLI shows it: structured values as JSON."""
    return copies_in(
        {
            f"cbr-replication:{key}": value if isinstance(value, str) else json.dumps(value)
            for key, value in keys.items()
        }
    )


def test_copies_of_all_three_lists() -> None:
    """Each entry is copied to each destination, its own or that of the defaults."""
    south = {"region": "cn-south-1", "vault_id": VAULT, "project_id": "p"}
    found = copies(
        defaults={"destinations": [EAST], "source_region": "cn-north-4"},
        replications=[{"name": "erp", "backup_id": BACKUP, "destinations": [EAST, south]}],
        sets=[
            {"name": "listed", "backups": [BACKUP]},
            {"name": "labelled", "backups": {"a": BACKUP, "b": {"backup_id": BACKUP}}},
            {"name": "selected", "select": {"name": "x"}},
        ],
        vaults=[{"name": "all", "vault_id": VAULT, "source_project_id": "q"}],
    )

    source = Scope("cn-north-4")
    assert found == (
        Copy("replications[0] (erp)", source, TO_EAST, (BACKUP,)),
        Copy("replications[0] (erp)", source, Place(Scope("cn-south-1", "p"), VAULT), (BACKUP,)),
        Copy("sets[0] (listed)", source, TO_EAST, (BACKUP,)),
        Copy("sets[1] (labelled)", source, TO_EAST, (BACKUP, BACKUP)),
        Copy("sets[2] (selected)", source, TO_EAST),
        Copy("vaults[0] (all)", Scope("cn-north-4", "q"), TO_EAST, vault_id=VAULT),
    )


@pytest.mark.parametrize(
    ("keys", "adopt", "is_required"),
    [
        ({}, True, True),
        ({"defaults": {"preflight": "off", "adopt": False}}, False, False),
        ({"preflight": "warn"}, True, False),
        ({"defaults": {"preflight": "off"}, "preflight": "error"}, True, True),
        ({"defaults": {"adopt": "any"}}, "any", True),
        ({"defaults": {"adopt": 7}}, True, True),
    ],
)
def test_copy_is_required_unless_a_preview_goes_without_it(
    keys: dict[str, Any], adopt: bool | str, is_required: bool
) -> None:
    """The key beside the lists goes before all others, as in the program."""
    entry = {"name": "erp", "backup_id": BACKUP, "destinations": [EAST]}

    (found,) = copies(replications=[entry], **keys)

    assert (adopt, is_required) == (found.adopt, found.is_required)


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"replications": "text"},
        {"replications": "[broken"},
        {"replications": {"a": 1}, "sets": [7, {"name": "x"}], "vaults": [{"destinations": 7}]},
        {"replications": [{"backup_id": BACKUP, "destinations": [{"region": "cn-east-3"}, 7]}]},
        {"replications": [{"backup_id": BACKUP}], "defaults": []},
    ],
)
def test_copies_that_cannot_be_read_are_left_out(keys: dict[str, Any]) -> None:
    """The program itself names the faults of its configuration."""
    assert () == copies(**keys)


def test_copies_of_another_program_are_left_out() -> None:
    """Only the keys of the stack program are understood."""
    entry = {"name": "erp", "backup_id": BACKUP, "destinations": [EAST]}

    assert () == copies_in({"shop:replications": json.dumps([entry]), "huaweicloud:region": "x"})


@pytest.mark.parametrize(
    ("said", "remedy"),
    [
        (
            "error: getting secrets manager: passphrase must be set with PULUMI_CONFIG_PASSPHRASE",
            "set PULUMI_CONFIG_PASSPHRASE, or",
        ),
        (
            "error: unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open /nope: no such file",
            "correct PULUMI_CONFIG_PASSPHRASE_FILE",
        ),
        ("error: incorrect passphrase", "correct PULUMI_CONFIG_PASSPHRASE: "),
        ("error: no stack named 'dve' found", "give one of the names that pulumi stack ls shows"),
        ("error: organization name must be 'organization'", "give the stack's name alone"),
        (
            "error: PULUMI_ACCESS_TOKEN must be set for login during non-interactive CLI sessions",
            "run pulumi login, or set PULUMI_BACKEND_URL",
        ),
        (
            "error: no Pulumi.yaml project file found (searching upwards from /)",
            "run this in the project's directory",
        ),
        ("something new", "run this in the project's directory"),
    ],
)
def test_failure_of_the_cli_names_what_helps(said: str, remedy: str) -> None:
    """The CLI's words stay, without its prefix, and what helps in that case follows."""
    text = str(failure_of("reading the state of stack 'prod'", said))

    assert text.startswith(f"reading the state of stack 'prod': {said.removeprefix('error: ')}; ")
    assert f"; {remedy}" in text
