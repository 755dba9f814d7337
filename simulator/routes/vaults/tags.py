"""CBR: the tags of vaults, below a path with a singular "vault".

Source: CBR API reference, BatchCreateAndDeleteVaultTags, CreateVaultTags, ShowVaultTag,
DeleteVaultTag.
"""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response

from simulator.cloud import errors
from simulator.cloud.store import Vault
from simulator.routes.caller import CloudHere, Project
from simulator.routes.shapes import Body
from simulator.routes.vaults.changes import TagBody, Tags, find_vault

router = APIRouter(prefix="/v3/{project_id}/vault/{vault_id}/tags")

MOST_TAGS = 10
"""CBR API reference, CreateVault, tags."""


class TagsBody(Body):
    """The body of BatchCreateAndDeleteVaultTags; deletions use the key only."""

    action: Literal["create", "delete"]
    tags: Tags


class TagEnvelope(Body):
    tag: TagBody


@router.post("/action", status_code=204)
async def change_tags(
    project_id: Project, cloud: CloudHere, vault_id: str, body: TagsBody
) -> Response:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        if body.action == "create":
            _add(vault, body.tags)
        else:
            _remove(vault, {tag.key for tag in body.tags})
    return Response(status_code=204)


@router.post("", status_code=204)
async def create_tag(
    project_id: Project, cloud: CloudHere, vault_id: str, body: TagEnvelope
) -> Response:
    with cloud.session() as session:
        _add(find_vault(session, project_id, vault_id), [body.tag])
    return Response(status_code=204)


@router.get("")
async def show_tags(project_id: Project, cloud: CloudHere, vault_id: str) -> dict[str, Any]:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        return {"tags": vault.settings["tags"], "sys_tags": []}


@router.delete("/{key}", status_code=204)
async def delete_tag(project_id: Project, cloud: CloudHere, vault_id: str, key: str) -> Response:
    with cloud.session() as session:
        vault = find_vault(session, project_id, vault_id)
        if key not in {tag["key"] for tag in vault.settings["tags"]}:
            raise errors.cbr("6601")
        _remove(vault, {key})
    return Response(status_code=204)


def _add(vault: Vault, tags: list[TagBody]) -> None:
    values = {tag["key"]: tag["value"] for tag in vault.settings["tags"]}
    values |= {tag.key: tag.value for tag in tags}
    if len(values) > MOST_TAGS:
        raise errors.cbr("6600")
    _set(vault, [{"key": key, "value": value} for key, value in values.items()])


def _remove(vault: Vault, keys: set[str]) -> None:
    _set(vault, [tag for tag in vault.settings["tags"] if tag["key"] not in keys])


def _set(vault: Vault, tags: list[dict[str, str]]) -> None:
    vault.settings = {**vault.settings, "tags": tags}
