"""The policies in the permissions page are those that the package needs, and no more.

The operations are read from the client's code, so a new call has no row until the page has one.
`tests/contract/test_recovery.py` compares the regions.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api import client
from pulumi_huaweicloud_cbr.commands.account.check import refusals
from simulator.cloud.operations import CBR_OPERATIONS, operation_of

REPOSITORY = Path(__file__).parents[2]
PAGE = (REPOSITORY / "docs" / "permissions.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (.+?) \| (source|destination|both) \| .+ \|$", re.MULTILINE)
POLICY = re.compile(r"^### ([\w ]+)\n```json\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PER_OPERATION = re.compile(r"`(cbr:\w+:\w+)`")
WITHOUT_ACTION = {"UpdateBackup"}
"""Source: CBR API reference, "Permissions and Supported Actions", which has no row for it."""

ROWS = {name: (PER_OPERATION.findall(action), side) for name, action, side in ROW.findall(PAGE)}
POLICIES: dict[str, Any] = {title: json.loads(text) for title, text in POLICY.findall(PAGE)}


def actions_of(title: str) -> set[str]:
    """Return the actions of a policy."""
    (statement,) = POLICIES[title]["Statement"]
    return set(statement["Action"])


def actions_in(*sides: str, of: set[str] | None = None) -> set[str]:
    """Return the actions that the table has for these sides, of some operations."""
    return {
        action
        for name, (actions, side) in ROWS.items()
        for action in actions
        if side in sides and (of is None or name in of)
    }


def operations_of_the_client() -> set[str]:
    """Return the operations of CBR whose requests the client builds, by method and path."""
    found = set()
    for node in ast.walk(ast.parse(Path(client.__file__).read_text(encoding="utf-8"))):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "self._cbr"):
            continue
        method, steps = ast.literal_eval(node.args[1]), node.args[3]
        assert isinstance(steps, ast.Tuple)
        path = [step.value if isinstance(step, ast.Constant) else "id" for step in steps.elts]
        told = f"/v3/id/{'/'.join(map(str, path))}"
        found.add(operation_of(method, told).name or f"{method} {told}")
    return found


READING = {
    "ListBackups",
    "ListOpLogs",
    "ListVault",
    "ShowBackup",
    "ShowReplicationCapabilities",
    "ShowVault",
}
WRITING = {"CopyBackup", "CopyCheckpoint", "DeleteBackup", "UpdateBackup"}


def test_each_operation_has_a_row() -> None:
    """A new call in the client needs its action in the page. A row without a call is obsolete."""
    assert operations_of_the_client() == set(ROWS) == READING | WRITING
    assert set(ROWS) <= CBR_OPERATIONS


def test_each_operation_has_one_action() -> None:
    """Only where the vendor's list has none there is none."""
    without = {name for name, (actions, _) in ROWS.items() if not actions}

    assert without == WITHOUT_ACTION
    assert {len(actions) for actions, _ in ROWS.values()} == {0, 1}


def test_check_names_the_actions_of_the_page() -> None:
    """The actions that `check` tries or names are those of the table."""
    tried = {
        refusals.QUERY_CAPABILITY,
        refusals.LIST_BACKUPS,
        refusals.GET_BACKUP,
        refusals.LIST_TASKS,
        refusals.LIST_VAULTS,
        refusals.GET_VAULT,
    }

    assert tried == actions_in("source", "destination", "both", of=READING)
    assert set(refusals.WRITING_AT_SOURCE) == actions_in("source", of=WRITING)
    assert set(refusals.WRITING_AT_DESTINATION) == actions_in("destination", of=WRITING)


def test_policies_have_the_actions_of_the_table() -> None:
    """Each action is in one policy that allows it."""
    assert actions_of("Read") == actions_in("source", "destination", "both", of=READING)
    assert actions_of("Copy") == actions_in("source", of=WRITING)
    assert actions_of("Delete") == actions_in("destination", of=WRITING)
    assert actions_of("Nobody deletes") == actions_of("Delete")


@pytest.mark.parametrize("title", POLICIES)
def test_policy_is_a_custom_policy(title: str) -> None:
    """It has the version of custom policies, one statement, and no wildcard."""
    policy = POLICIES[title]
    (statement,) = policy["Statement"]

    assert policy["Version"] == "1.1"
    assert set(policy) == {"Version", "Statement"}
    assert set(statement) == {"Effect", "Action"}
    assert statement["Effect"] == ("Deny" if title == "Nobody deletes" else "Allow")
    assert statement["Action"] == sorted(set(statement["Action"]))
    assert not [action for action in statement["Action"] if "*" in action]


def test_each_block_of_json_is_a_policy() -> None:
    """No policy escapes these tests, and the page names each action in backticks as it is."""
    named = set(PER_OPERATION.findall(PAGE)) - {"cbr:vaults:delete"}

    assert len(POLICIES) == PAGE.count("```json") == 4
    assert named == set().union(*map(actions_of, POLICIES))
