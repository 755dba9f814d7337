"""The operations of CBR: which the README calls modelled, and how the others are refused.

`tests/contract/test_vendor_operations.py` compares the list with the vendor's SDK, and calls each.
"""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest

from simulator.cloud.operations import CBR_OPERATIONS, NOT_MODELLED, OF_CBR, PATHS, operation_of
from simulator.testing import Control
from tests.simulator.rig import PROJECT, UNKNOWN_ID, VAULT, Caller, code_of

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
README = (ROOT / "simulator" / "README.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| `(\w+)` \| `([A-Z]+) (\S+)` \| ([a-z ]+) \| (?:`([\w.]+)`)? ?\|$", re.MULTILINE
)
PREFIX = "/v3/{project_id}"


def rows() -> list[tuple[str, str, str, str, str]]:
    """Return the rows of the README: name, method, path, how it is modelled, file of the test."""
    part = README.partition("\n### The operations of CBR\n")[2].partition("\n### ")[0]
    found: list[tuple[str, str, str, str, str]] = ROW.findall(part)
    return found


def test_readme_has_every_operation_once() -> None:
    """The README has the method and path of each operation, in the order of the names."""
    told = [(name, method, path.replace("…", PREFIX)) for name, method, path, _, _ in rows()]
    known = [(name.removesuffix(OF_CBR), *PATHS[name]) for name in CBR_OPERATIONS | NOT_MODELLED]

    assert sorted(known) == told


def test_readme_says_modelled_of_what_is() -> None:
    """The README neither claims nor conceals an operation."""
    told = {name for name, _, _, how, _ in rows() if how in ("modelled", "inferred")}
    refused = {name for name, _, _, how, _ in rows() if how == "not modelled"}

    assert CBR_OPERATIONS == told
    assert {name.removesuffix(OF_CBR) for name in NOT_MODELLED} == refused


@pytest.mark.parametrize("row", [row for row in rows() if row[3] != "not modelled"], ids=str)
def test_readme_names_a_test_that_calls_the_operation(row: tuple[str, ...]) -> None:
    """The named file exists, and has the last word of the operation's path."""
    _, _, path, _, file = row
    word = [part for part in path.split("/") if "{" not in part][-1]

    assert word in (ROOT / "tests" / "simulator" / file).read_text(encoding="utf-8")


async def test_not_modelled_is_refused_by_name(destination: Caller, control: Control) -> None:
    """The answer is no 404, which means "gone" to clients, and no 5xx, which they repeat."""
    control.clear_journal()
    known = {"project_id": PROJECT, "vault_id": VAULT}
    answers = {}
    for name in NOT_MODELLED:
        method, path = PATHS[name]
        address = re.sub(r"{(\w+)}", lambda part: known.get(part[1], UNKNOWN_ID), path)
        response = await destination.client.request(
            method, address, headers={"X-Auth-Token": destination.token}
        )
        named = response.json()["error_msg"].partition(" is not modelled")[0]
        answers[name] = (*code_of(response), named)

    assert {name: (400, "Simulator.NotModelled", name) for name in NOT_MODELLED} == answers
    assert dict.fromkeys(NOT_MODELLED, 1) == control.journal_counts()


async def test_not_modelled_is_answered_by_a_fault(destination: Caller, control: Control) -> None:
    """Whoever needs an operation that is not modelled scripts its answer."""
    control.fault(operation="ShowSummary", action="respond", status=200, body={"size": 5})

    assert {"size": 5} == await destination.get("/vaults/summary")


async def test_not_modelled_does_not_count_for_a_rate_limit(
    destination: Caller, control: Control
) -> None:
    """Only calls that the simulator carries out use up the limit."""
    control.change_options(rate_limit={"calls": 1, "seconds": 60})
    for _ in range(2):
        await destination.call("GET", "/vaults/summary")

    await destination.get("/vaults")


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("GET", "/vaults/summary", "ShowSummary"),
        ("PUT", "/vaults/batch-update", "BatchUpdateVault"),
        ("GET", "/vaults/external", "ListExternalVault"),
        ("GET", f"/vaults/{VAULT}", "ShowVault"),
        ("GET", "/vault/tags", "ShowVaultProjectTag"),
        ("POST", "/checkpoints/replicate", "CopyCheckpoint"),
        ("PATCH", f"/vaults/{VAULT}", None),
    ],
)
def test_operation_is_found_by_the_words_of_a_path_first(
    method: str, path: str, name: str | None
) -> None:
    """A word of the reference is no id: `/vaults/summary` is an operation, no vault."""
    assert name == operation_of(method, f"/v3/{PROJECT}{path}").name


async def test_unknown_path_is_no_operation(client: httpx.AsyncClient) -> None:
    """What the references do not have is refused as by the gateway."""
    response = await client.get(f"/v3/{PROJECT}/vaults-and-more")

    assert (404, "APIGW.0101") == code_of(response)
