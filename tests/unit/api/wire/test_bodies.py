"""Limits for response bodies, compressed or not; the longest one of CBR is within them."""

from __future__ import annotations

import gzip
import json
import random
import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest

from pulumi_huaweicloud_cbr.api.client import PAGE_SIZE, CbrClient
from pulumi_huaweicloud_cbr.api.wire import bodies
from pulumi_huaweicloud_cbr.api.wire.bodies import BODY_LIMIT, VALUE_LIMIT, BoundedBody
from pulumi_huaweicloud_cbr.base.errors import (
    CbrError,
    MalformedResponseError,
    OutcomeUnknownError,
    ResponseTooLargeError,
)
from tests.unit.wire import (
    SHOWN,
    SOURCE,
    Operation,
    Wire,
    delete_backup,
    error_from,
    get_backup,
    list_projects,
    replicate,
)

SIGN_IN = {"token": None, "user_name": "u", "password": "secret-word", "domain_name": "d"}


class Parts(httpx.AsyncByteStream):
    """A body that arrives in parts; `taken` counts the bytes that were read."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = parts
        self.taken = 0
        self.is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self._parts:
            self.taken += len(part)
            yield part

    async def aclose(self) -> None:
        """Record that the connection was returned."""
        self.is_closed = True


class Once:
    """A network with one response, whose body is read on demand."""

    def __init__(self, parts: Iterable[bytes], status: int = 200, **headers: str) -> None:
        self.body = Parts(parts)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.wire = Wire(httpx.Response(status, headers=named, stream=self.body))


def in_parts(packed: bytes, size: int = 1000) -> list[bytes]:
    """Return a body in the form in which it may arrive."""
    return [packed[start : start + size] for start in range(0, len(packed), size)]


def zlib_of(body: bytes) -> bytes:
    """Compress in the form that HTTP calls deflate."""
    return zlib.compress(body)


async def list_backups(api: CbrClient) -> Any:
    """Read a page."""
    return await api.list_backups(SOURCE, limit=PAGE_SIZE)


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """A limit that a test reaches at once."""
    monkeypatch.setattr(bodies, "BODY_LIMIT", 100_000)
    return 100_000


# -- what is unpacked ----------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("size", [1, 7, 10_000], ids=lambda size: f"parts-of-{size}")
@pytest.mark.parametrize(
    ("encoding", "pack"),
    [("gzip", gzip.compress), ("X-GZip ", gzip.compress), ("deflate", zlib_of), ("", bytes)],
)
async def test_body_is_unpacked_whatever_its_parts(encoding: str, pack: Any, size: int) -> None:
    """A compressed response equals a plain one, however it arrives."""
    answer = {"backup": {**SHOWN["backup"], "description": "备份" * 500}}
    once = Once(in_parts(pack(json.dumps(answer).encode()), size), Content_Encoding=encoding)

    async with once.wire.client() as api:
        backup = await get_backup(api)

    assert "备份" * 500 == backup.description
    assert once.body.is_closed


@pytest.mark.anyio
async def test_body_of_many_pieces_is_whole() -> None:
    """A result that does not fit into one piece comes in several, without loss."""
    noise = random.Random(7).randbytes(500_000).hex().encode()
    packed = Parts(in_parts(gzip.compress(noise), 60_000))

    body = BoundedBody(packed, "gzip", "cbr.example")

    assert noise == b"".join([piece async for piece in body])


@pytest.mark.anyio
async def test_body_asked_for_is_gzip_alone() -> None:
    """Requests accept only the encodings that this code decompresses."""
    wire = Wire(httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await get_backup(api)

    assert "gzip" == wire.requests[0].headers["Accept-Encoding"]


@pytest.mark.anyio
async def test_body_falsely_named_packed_is_outcome_unknown() -> None:
    """A body that is not compressed as its header says counts as not arrived."""
    once = Once([b'{"backup": {}}'], Content_Encoding="gzip")

    error = await error_from(once.wire, replicate)

    assert isinstance(error, OutcomeUnknownError)
    assert "incorrect header check" in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "x"])
async def test_body_packed_otherwise_is_malformed(encoding: str) -> None:
    """A body with an encoding that was not accepted is not decompressed, nor is a double one."""
    twice = gzip.compress(gzip.compress(json.dumps(SHOWN).encode()))
    once = Once([twice], Content_Encoding=encoding)

    assert isinstance(await error_from(once.wire, get_backup), MalformedResponseError)


@pytest.mark.anyio
async def test_body_after_the_packed_end_is_dropped() -> None:
    """Bytes after a compressed body are neither content nor kept."""
    packed = gzip.compress(json.dumps(SHOWN).encode())
    once = Once([packed, b"junk", b"more"], Content_Encoding="gzip")

    async with once.wire.client() as api:
        assert SHOWN["backup"]["id"] == (await get_backup(api)).id


# -- what is too long ----------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize("status", [200, 302, 400, 401, 503])
@pytest.mark.parametrize(
    ("operation", "settings"),
    [
        pytest.param(get_backup, {}, id="GET"),
        pytest.param(replicate, {}, id="POST"),
        pytest.param(delete_backup, {}, id="DELETE"),
        pytest.param(list_projects, {}, id="IAM"),
        pytest.param(replicate, SIGN_IN, id="sign-in"),
        pytest.param(
            get_backup, {"token": None, "access_key": "A", "secret_key": "secret"}, id="signed"
        ),
    ],
)
async def test_body_without_end_is_refused_while_it_arrives(
    operation: Operation, settings: dict[str, Any], status: int, small_limit: int
) -> None:
    """Reading stops at the limit, the connection is returned, and nothing is requested again."""
    # Ten times the limit: long enough, and a reader without a limit still comes to an end.
    once = Once((b" " * 1000 for _ in range(small_limit // 100)), status=status)

    error = await error_from(once.wire, operation, **settings)

    assert isinstance(error, ResponseTooLargeError)
    assert small_limit < once.body.taken <= small_limit + 1000
    assert once.body.is_closed
    assert 1 == len(once.wire.requests)
    assert f"the answer of '{once.wire.requests[0].url.host}' is longer" in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize("pack", [gzip.compress, zlib_of], ids=["gzip", "deflate"])
async def test_bomb_is_refused_at_the_bound(
    pack: Any, small_limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small body that decompresses to a huge one is read in pieces, and only up to the limit."""
    pieces: list[int] = []
    require = bodies.BoundedBody._require_within

    def count(self: Any, so_far: int, values: int) -> None:
        pieces.append(so_far)
        require(self, so_far, values)

    monkeypatch.setattr(bodies.BoundedBody, "_require_within", count)
    packed = pack(b" " * 500 * small_limit)
    once = Once([packed], Content_Encoding="gzip")

    error = await error_from(once.wire, get_backup)

    assert isinstance(error, ResponseTooLargeError)
    assert len(packed) < small_limit
    assert small_limit < pieces[-1] <= small_limit + 64 * 1024


@pytest.mark.anyio
@pytest.mark.parametrize("value", [b"0", b"{}", b"[]", b'""'])
async def test_many_small_values_are_refused(value: bytes) -> None:
    """A short body that would take gigabytes when decoded is not decoded."""
    rows = b",".join([value] * (VALUE_LIMIT // 4))
    once = Once([b'{"backups":[', *[rows + b","] * 5, value + b"]}"])

    error = await error_from(once.wire, list_backups)

    assert ResponseTooLargeError is type(error)
    assert "has more than 3,000,000 values" in str(error)
    assert 1 == len(once.wire.requests)


@pytest.mark.anyio
async def test_body_at_the_bound_is_read(small_limit: int) -> None:
    """A body as long as the limit is accepted."""
    body = json.dumps(SHOWN).encode()
    once = Once([body, b" " * (small_limit - len(body))])

    async with once.wire.client() as api:
        assert SHOWN["backup"]["id"] == (await get_backup(api)).id


# -- what has to fit -----------------------------------------------------------------------


def fullest_backup(number: int) -> dict[str, Any]:
    """Return a backup with every field of the reference, of a server with 24 disks.

    Source: CBR API reference, ShowBackup: its fields, and their longest values if it names some.
    """
    id_ = f"{number:08d}-7265-4c0a-822f-e66b2abcfb3d"
    one = {
        **dict.fromkeys(("id", "vault_id", "checkpoint_id", "resource_id", "provider_id"), id_),
        **dict.fromkeys(("name", "resource_name"), "n" * 64),
        **dict.fromkeys(
            ("created_at", "updated_at", "protected_at", "expired_at"), "2026-11-20T02:00:11.900120"
        ),
        "description": "d" * 255,
        "parent_id": id_,
        "project_id": id_,
        "image_type": "replication",
        "status": "waiting_protect",
        "resource_type": "OS::Ironic::BareMetalServer",
        "resource_size": 2**31 - 1,
        "resource_az": "cn-north-4a",
        "enterprise_project_id": id_,
        "incremental": True,
        "version": 3,
        "scheduled_operation_id": id_,
        "children": [],
        "extend_info": {
            **dict.fromkeys(
                (
                    *("auto_trigger", "bootable", "system_disk", "contain_system_disk"),
                    *("encrypted", "is_multi_az", "support_lld"),
                ),
                False,
            ),
            "os_images_data": [{"image_id": id_}] * 4,
            "snapshot_id": id_,
            "supported_restore_mode": "snapshot",
            "progress": 100,
            "architecture": "x86_64",
            "app_consistency": {
                "app_consistency": "1",
                "app_consistency_status": "0",
                "app_consistency_error_code": "0",
                "app_consistency_error_message": "m" * 255,
            },
        },
    }
    record = {
        **dict.fromkeys(
            (
                *("id", "source_backup_id", "source_checkpoint_id", "source_project_id"),
                *("vault_id", "destination_backup_id", "destination_checkpoint_id"),
                *("destination_project_id", "destination_vault_id"),
            ),
            id_,
        ),
        "status": "waiting_replicate",
        "created_at": "2026-11-20T02:00:11.900120",
        "source_region": "ap-southeast-3",
        "destination_region": "my-kualalumpur-1",
        "extra_info": {
            "progress": 100,
            "fail_code": "BackupService.6129",
            "fail_reason": "r" * 255,
            "auto_trigger": True,
            "destination_vault_id": id_,
        },
    }
    return {**one, "children": [one] * 24, "replication_records": [record] * 10}


@pytest.mark.anyio
async def test_longest_page_fits() -> None:
    """The largest page of CBR, each backup as full as the reference allows, is read."""
    row = json.dumps({**fullest_backup(1)}).encode()
    rows = b",".join([row] * PAGE_SIZE)
    body = b'{"backups":[' + rows + b'],"count":1000}'
    once = Once([gzip.compress(body, 1)], Content_Encoding="gzip")

    async with once.wire.client() as api:
        found = await api.list_backups(SOURCE, limit=PAGE_SIZE)

    assert PAGE_SIZE == len(found)
    assert len(body) < BODY_LIMIT / 1.5
    assert body.count(b",") < VALUE_LIMIT / 2


def test_usual_page_has_much_room() -> None:
    """A page of servers with three disks and two copies takes less than a tenth of the limit."""
    full = fullest_backup(1)
    usual = {
        **full,
        "children": full["children"][:3],
        "replication_records": full["replication_records"][:2],
    }

    assert len(json.dumps({"backups": [usual] * PAGE_SIZE}).encode()) < BODY_LIMIT / 10


@pytest.mark.anyio
async def test_error_too_long_is_no_word_of_the_service(small_limit: int) -> None:
    """A truncated error proves nothing: neither that something is gone nor that a retry is safe."""
    body = json.dumps({"error_code": "BackupService.6200", "error_msg": "x" * small_limit})
    error: CbrError = await error_from(Once([body.encode()], status=404).wire, get_backup)

    assert ResponseTooLargeError is type(error)
