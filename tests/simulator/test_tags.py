"""The tags of vaults."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator.rig import SOURCE_VAULT, UNKNOWN_ID, VAULT, Caller, code_of

pytestmark = pytest.mark.anyio


def tag(key: str, value: str = "") -> dict[str, str]:
    """Return a tag."""
    return {"key": key, "value": value}


async def act(
    caller: Caller, action: str, *tags: dict[str, Any], vault_id: str = VAULT
) -> httpx.Response:
    """Add or remove tags."""
    body = {"action": action, "tags": list(tags)}
    return await caller.call("POST", f"/vault/{vault_id}/tags/action", json=body)


async def tags_of(caller: Caller) -> list[dict[str, str]]:
    """Return the tags of the destination vault, from both places that show them."""
    tags: list[dict[str, str]] = (await caller.get(f"/vault/{VAULT}/tags"))["tags"]
    assert tags == (await caller.get(f"/vaults/{VAULT}"))["vault"]["tags"]
    return tags


async def test_change_tags_adds_replaces_and_removes(destination: Caller) -> None:
    """A key has one value, the latest. Removing a missing key is no error."""
    answers = [
        await act(destination, "create", tag("team", "erp"), tag("keep", "yes")),
        await act(destination, "create", tag("team", "web")),
        await act(destination, "delete", tag("keep"), tag("unknown")),
    ]

    assert [(204, b"")] * 3 == [(answer.status_code, answer.content) for answer in answers]
    assert [tag("team", "web")] == await tags_of(destination)


async def test_create_and_delete_tag_change_one(destination: Caller) -> None:
    """Single tags have their own calls."""
    path = f"/vault/{VAULT}/tags"
    created = await destination.call("POST", path, json={"tag": tag("team", "erp")})
    before = await tags_of(destination)
    deleted = await destination.call("DELETE", f"{path}/team")
    again = await destination.call("DELETE", f"{path}/team")

    assert (204, 204) == (created.status_code, deleted.status_code)
    assert ([tag("team", "erp")], []) == (before, await tags_of(destination))
    assert (404, "BackupService.6601") == code_of(again)


async def test_change_tags_more_than_ten_are_refused(destination: Caller) -> None:
    """A vault has ten tags at most, through any call."""
    await act(destination, "create", *(tag(f"key{number}") for number in range(10)))
    response = await act(destination, "create", tag("one-more"))
    replaced = await act(destination, "create", tag("key0", "new"))

    assert (400, "BackupService.6600") == code_of(response)
    assert 204 == replaced.status_code
    assert 10 == len(await tags_of(destination))


@pytest.mark.parametrize(
    ("action", "tags"),
    [
        ("update", [tag("a")]),
        ("create", []),
        ("create", [tag("a"), tag("a")]),
        ("create", [tag("")]),
        ("create", [tag("x" * 37)]),
        ("create", [tag("a", "x" * 44)]),
        ("create", [{"key": "a", "value": 1}]),
        ("create", [{**tag("a"), "colour": "red"}]),
    ],
    ids=str,
)
async def test_change_tags_malformed_is_refused(
    destination: Caller, action: str, tags: list[dict[str, Any]]
) -> None:
    """Keys are unique and within limits; otherwise nothing is changed."""
    assert (400, "BackupService.9900") == code_of(await act(destination, action, *tags))
    assert [] == await tags_of(destination)


@pytest.mark.parametrize("vault_id", [UNKNOWN_ID, SOURCE_VAULT], ids=["unknown", "other project"])
async def test_tags_of_no_vault_are_not_found(destination: Caller, vault_id: str) -> None:
    """A vault's tags are found only in its project."""
    path = f"/vault/{vault_id}/tags"
    for response in (
        await act(destination, "create", tag("a"), vault_id=vault_id),
        await destination.call("POST", path, json={"tag": tag("a")}),
        await destination.call("GET", path),
        await destination.call("DELETE", f"{path}/a"),
    ):
        assert (404, "BackupService.6105") == code_of(response)
