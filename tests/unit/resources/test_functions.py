"""Functions end a program with one line, and their errors stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi
import pytest

import pulumi_huaweicloud_cbr as cbr


def test_errors_are_shown_without_a_traceback_and_can_be_caught() -> None:
    """Pulumi shows a `RunError` in one line; a program catches the package's own class."""
    with pytest.raises(cbr.ConfigurationError) as caught:
        cbr.get_backups(limit=0)

    assert isinstance(caught.value, pulumi.RunError)
    assert "ConfigurationError" == type(caught.value).__name__
    told = "get_backups: limit: 0 is no number of backups; want a whole number, at least 1"
    assert told == str(caught.value)


LATER = pulumi.Output.from_input("erp-db-01")
A_BACKUP = "5a863daa-7265-4c0a-822f-e66b2abcfb3d"
WRONG: dict[str, tuple[Callable[..., object], dict[str, Any], str]] = {
    "a name that is known later": (
        cbr.get_backups,
        {"resource_name": LATER},
        "get_backups: resource_name is an Output, which is known later; ask with get_backups_o",
    ),
    "a vault's name": (
        cbr.get_backups,
        {"vault_id": "prod-servers"},
        "get_backups: vault_id: 'prod-servers' is not a UUID",
    ),
    "a number": (
        cbr.get_backups,
        {"resource_name": 7},
        "get_backups: resource_name: 7 is a number",
    ),
    "a truth value": (
        cbr.get_backups,
        {"limit": True},
        "get_backups: limit: True is a truth value",
    ),
    "a number as text": (cbr.get_backups, {"limit": "7"}, "get_backups: limit: '7' is text"),
    "half a backup": (cbr.get_backups, {"limit": 1.5}, "get_backups: limit: 1.5 is no number of"),
    "a day in words": (
        cbr.get_backups,
        {"created_since": "last week"},
        "get_backups: created_since: 'last week' is no such time; want a time in UTC",
    ),
    "no backup": (cbr.get_backup, {"backup_id": None}, "get_backup: backup_id is missing"),
    "a backup by number": (
        cbr.get_backup,
        {"backup_id": 7},
        "get_backup: backup_id: 7 is a number",
    ),
    "a backup that is known later": (
        cbr.get_backup,
        {"backup_id": LATER},
        "get_backup: backup_id is an Output, which is known later; ask with get_backup_output",
    ),
    "a vault by its name": (
        cbr.get_vault,
        {"vault_id": "prod-servers"},
        "get_vault: vault_id: 'prod-servers' is not a UUID",
    ),
    "no region": (cbr.get_project_id, {"region": None}, "get_project_id: region is missing"),
    "a region by number": (
        cbr.get_replication_capabilities,
        {"region": 7},
        "get_replication_capabilities: region: 7 is a number",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_questions_are_refused_before_a_request(case: str) -> None:
    """A filter that fits nothing would find nothing, and a program would delete its replicas."""
    ask, arguments, told = WRONG[case]

    with pytest.raises(pulumi.RunError) as caught:
        ask(**arguments)

    assert str(caught.value).startswith(told)


NO_BACKUPS: dict[str, tuple[Any, str]] = {
    "later": (
        pulumi.Output.from_input([]),
        "backups is an Output, which is known later; a set takes it as it is",
    ),
    "ids": ([A_BACKUP], "backups[0] is a str, not a Backup; get_backups and get_backup return"),
    "nothing": (None, "backups is a NoneType, not a list of backups; give what get_backups"),
    "one id": (A_BACKUP, "backups is a str, not a list of backups; give what get_backups"),
}


@pytest.mark.parametrize("case", NO_BACKUPS)
def test_members_are_made_of_backups_only(case: str) -> None:
    """One line says what to give instead."""
    given, told = NO_BACKUPS[case]

    with pytest.raises(cbr.ArgumentsError) as caught:
        cbr.as_members(given)

    assert str(caught.value).startswith(f"as_members: {told}")
