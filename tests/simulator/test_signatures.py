"""Access keys: signatures are verified by the published rules; keys are locked and expire."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.sdk_request import SdkRequest
from hypothesis import given, settings

from simulator.routes.signatures import SignedRequest, canonical_path, canonical_query, signature_of
from simulator.testing import DEMO_WORLD, InProcessSimulator
from simulator.worlds.files import load_world
from tests.odd_requests import (
    ACCESS_KEY,
    HOST,
    SECRET_KEY,
    OddRequest,
    content_of,
    odd_requests,
)
from tests.simulator.rig import (
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SOURCE_PROJECT,
    SUBPROJECT,
    code_of,
    connect,
    sign_in,
)

EXAMPLES = 500
TEMPORARY_KEY, TEMPORARY_SECRET = "DEMOACCESSKEY0000002", "not-a-secret-demo-key-2"
SECURITY_TOKEN = "not-a-secret-demo-security-token"
PREFIX = "Incorrect IAM authentication information: "
WRONG_PROJECT = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
BACKUPS = f"/v3/{PROJECT}/backups"
DATE = "20251120T080000Z"

Answered = httpx.Response


def signed_headers(
    simulator: InProcessSimulator,
    method: str,
    path: str,
    *,
    key: tuple[str, str] = (ACCESS_KEY, SECRET_KEY),
    project_id: str | None = PROJECT,
    security_token: str | None = None,
    ahead_s: float = 0.0,
    params: dict[str, Any] | None = None,
    content: bytes = b"",
) -> dict[str, str]:
    """Return the headers of a request that the vendor's SDK signs at the simulator's time."""
    here = datetime.fromtimestamp(simulator.clock.now(), UTC)
    date = (here + timedelta(seconds=ahead_s)).strftime("%Y%m%dT%H%M%SZ")
    credentials = BasicCredentials(*key, project_id)
    credentials.security_token = security_token
    headers = {"X-Sdk-Date": date, "Host": "simulator.test", "Content-Type": "application/json"}
    request = SdkRequest(
        method,
        "http",
        "simulator.test",
        path,
        None,
        list((params or {}).items()),
        headers,
        content,
    )
    signed: dict[str, str] = credentials.sign_request(request).header_params
    return signed


async def ask(simulator: InProcessSimulator, path: str = BACKUPS, **options: Any) -> Answered:
    """Send a signed GET."""
    headers = signed_headers(simulator, "GET", path, **options)
    async with connect(simulator) as client:
        return await client.get(path, headers=headers, params=options.get("params"))


def detail_of(response: httpx.Response) -> str:
    """Return the gateway's message about a refused signature."""
    assert (401, "APIGW.0301") == code_of(response)
    assert 32 == len(response.json()["request_id"])
    text: str = response.json()["error_msg"]
    assert text.startswith(PREFIX)
    return text.removeprefix(PREFIX)


# -- the rules, against the vendor's signer and against published values -------------------------


@settings(derandomize=True, deadline=None, max_examples=EXAMPLES)
@given(odd_requests)
def test_signature_of_any_request_is_the_vendors(asked: OddRequest) -> None:
    """A request that the vendor's SDK signs and sends is accepted."""
    content = content_of(asked)
    vendors = asked.vendor_signed(DATE, content)
    path, _, query = vendors.uri.partition("?")
    headers = {name.lower(): value for name, value in vendors.header_params.items()}
    names = tuple(headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";"))

    signature = signature_of(
        SignedRequest(asked.method, path, query, headers, content), names, SECRET_KEY
    )

    assert headers["authorization"].endswith(f"Signature={signature}")


def test_signature_follows_the_published_steps() -> None:
    """The six parts, the text to sign and the key follow the signing guide."""
    headers = {"host": HOST, "x-sdk-date": DATE}
    request = SignedRequest("get", "/v3/p/backups", "name=b&limit=10&name=a%20c", headers, b"")
    parts = [
        "GET",
        "/v3/p/backups/",
        "limit=10&name=a%20c&name=b",
        f"host:{HOST}",
        f"x-sdk-date:{DATE}",
        "",
        "host;x-sdk-date",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ]
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    text = f"SDK-HMAC-SHA256\n{DATE}\n{digest}"

    expected = hmac.new(b"key", text.encode(), hashlib.sha256).hexdigest()
    assert expected == signature_of(request, ("host", "x-sdk-date"), "key")


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [("/", "/"), ("/a/", "/a/"), ("/a%2fb", "/a/b/"), ("/~.-_/%e5%a4%87+", "/~.-_/%E5%A4%87%2B/")],
)
def test_path_is_encoded_by_segment_and_ends_in_a_slash(raw: str, canonical: str) -> None:
    """Only letters, digits and four signs are not encoded."""
    assert canonical == canonical_path(raw)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("", ""),
        ("a", "a="),
        ("b=2&a=", "a=&b=2"),
        ("a=2&a=10&a=", "a=&a=10&a=2"),
        ("q=a+b", "q=a%20b"),
    ],
)
def test_query_is_sorted_by_name_and_value(raw: str, canonical: str) -> None:
    """A name without a value has an empty value."""
    assert canonical == canonical_query(raw)


# -- accepted signatures -------------------------------------------------------------------------


@pytest.mark.anyio
async def test_signed_request_is_served(simulator: InProcessSimulator) -> None:
    """A correct signature is as good as a token, also with a query."""
    response = await ask(simulator, params={"name": "备份 a+b", "limit": 10})

    assert 200 == response.status_code


@pytest.mark.anyio
async def test_signed_submission_is_served(simulator: InProcessSimulator) -> None:
    """The signature includes the body: it is refused with another one."""
    path = f"/v3/{SOURCE_PROJECT}/backups/{SERVER_BACKUP}/replicate"
    wanted = {
        "destination_project_id": PROJECT,
        "destination_region": REGION,
        "destination_vault_id": "ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",
    }
    content = json.dumps({"replicate": wanted}).encode()
    headers = signed_headers(simulator, "POST", path, project_id=SOURCE_PROJECT, content=content)

    async with connect(simulator) as client:
        changed = await client.post(path, headers=headers, content=content + b" ")
        served = await client.post(path, headers=headers, content=content)

    assert "verify aksk signature fail" == detail_of(changed)
    assert 200 == served.status_code


@pytest.mark.anyio
async def test_signature_is_over_the_path_with_its_region(simulator: InProcessSimulator) -> None:
    """The prefix for a region's host is part of the path that is sent and signed."""
    here, elsewhere = (f"/regions/{name}{BACKUPS}" for name in (REGION, "cn-north-4"))

    assert 200 == (await ask(simulator, here)).status_code
    assert WRONG_PROJECT == (await ask(simulator, elsewhere)).json()


@pytest.mark.anyio
async def test_temporary_key_is_served_with_its_token(simulator: InProcessSimulator) -> None:
    """A temporary key is accepted only with its security token."""
    key = (TEMPORARY_KEY, TEMPORARY_SECRET)

    served = await ask(simulator, key=key, security_token=SECURITY_TOKEN)
    alone = await ask(simulator, key=key)
    foreign = await ask(simulator, key=key, security_token="another")
    permanent = await ask(simulator, security_token=SECURITY_TOKEN)

    assert 200 == served.status_code
    assert f"ak {TEMPORARY_KEY} not exist" == detail_of(alone)
    assert "decrypt token fail" == detail_of(foreign)
    assert "decrypt token fail" == detail_of(permanent)


@pytest.mark.anyio
async def test_temporary_key_expires() -> None:
    """After its expiry, a temporary key is refused like a token."""
    world = load_world(DEMO_WORLD)
    world.accounts[0].users[0].access_keys[1].expires_at = "2026-11-20T09:00:00"
    simulator = InProcessSimulator(world)
    key = (TEMPORARY_KEY, TEMPORARY_SECRET)
    try:
        simulator.clock.advance(3599)
        assert 200 == (await ask(simulator, key=key, security_token=SECURITY_TOKEN)).status_code
        simulator.clock.advance(1)
        expired = await ask(simulator, key=key, security_token=SECURITY_TOKEN)
    finally:
        simulator.close()

    assert "token expires, expires_at: 2026-11-20T09:00:00.000000Z" == detail_of(expired)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path_project", "named", "is_served"),
    [
        pytest.param(PROJECT, PROJECT, True, id="named"),
        pytest.param(PROJECT, None, True, id="own-of-the-region"),
        pytest.param(SUBPROJECT, SUBPROJECT, True, id="subproject"),
        pytest.param(SUBPROJECT, None, False, id="subproject-not-named"),
        pytest.param(PROJECT, SOURCE_PROJECT, False, id="other"),
        pytest.param("0" * 32, "0" * 32, False, id="unknown"),
    ],
)
async def test_project_is_the_named_one_or_the_regions_own(
    simulator: InProcessSimulator, path_project: str, named: str | None, is_served: bool
) -> None:
    """X-Project-Id selects the project of a key; without it, the region's own is used."""
    response = await ask(simulator, f"/v3/{path_project}/backups", project_id=named)

    assert (200 if is_served else 401) == response.status_code
    assert is_served or WRONG_PROJECT == response.json()


@pytest.mark.anyio
async def test_key_of_another_account_has_no_projects() -> None:
    """All projects belong to the first account."""
    world = load_world(DEMO_WORLD).model_dump(by_alias=True)
    key = {"access_key": "OTHER", "secret_key": "not-a-secret-other"}
    eve = {"name": "eve", "password": "pw", "access_keys": [key]}
    world["accounts"].append({"name": "other", "users": [eve]})
    simulator = InProcessSimulator(type(load_world(DEMO_WORLD)).model_validate(world))
    pair = ("OTHER", "not-a-secret-other")
    try:
        projects = await ask(simulator, "/v3/projects", key=pair, project_id=None)
        backups = await ask(simulator, key=pair)
    finally:
        simulator.close()

    assert [] == projects.json()["projects"]
    assert WRONG_PROJECT == backups.json()


@pytest.mark.anyio
async def test_iam_lists_projects_to_a_key(simulator: InProcessSimulator) -> None:
    """IAM accepts signatures without a project."""
    response = await ask(simulator, "/v3/projects", project_id=None, params={"name": REGION})

    assert [PROJECT] == [project["id"] for project in response.json()["projects"]]


@pytest.mark.anyio
async def test_iam_refuses_a_signature_as_the_gateway(simulator: InProcessSimulator) -> None:
    """The gateway in front of IAM refuses a wrong signature."""
    response = await ask(simulator, "/v3/projects", key=(ACCESS_KEY, "wrong"), project_id=None)

    assert "verify aksk signature fail" == detail_of(response)


@pytest.mark.anyio
async def test_token_takes_precedence_over_a_signature(simulator: InProcessSimulator) -> None:
    """If both are sent, the token is used."""
    async with connect(simulator) as client:
        caller = await sign_in(client, PROJECT)
        headers = signed_headers(simulator, "GET", BACKUPS, key=(ACCESS_KEY, "wrong"))
        response = await client.get(BACKUPS, headers=headers | {"X-Auth-Token": caller.token})

    assert 200 == response.status_code


# -- refusals ------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_unknown_key_is_named(simulator: InProcessSimulator) -> None:
    """An unknown access key is reported as such."""
    assert "ak NOBODYS not exist" == detail_of(await ask(simulator, key=("NOBODYS", SECRET_KEY)))


@pytest.mark.anyio
@pytest.mark.parametrize("side", [1, -1], ids=["ahead", "behind"])
async def test_date_more_than_15_minutes_off_is_refused(
    simulator: InProcessSimulator, side: int
) -> None:
    """A quarter of an hour is accepted, a second more is not."""
    assert 200 == (await ask(simulator, ahead_s=side * 900)).status_code

    refused = await ask(simulator, ahead_s=side * 901)

    there = datetime.fromtimestamp(simulator.clock.now() + side * 901, UTC)
    expected = (
        f"signature expired, signature time:{there:%Y%m%dT%H%M%SZ},server time:20261120T080000Z"
    )
    assert expected == detail_of(refused)


@pytest.mark.anyio
async def test_six_wrong_signatures_in_a_row_lock_the_key(simulator: InProcessSimulator) -> None:
    """The sixth locks the key for five minutes, even for correct signatures."""
    wrong = (ACCESS_KEY, "wrong")
    for _ in range(5):
        assert "verify aksk signature fail" == detail_of(await ask(simulator, key=wrong))
    assert 200 == (await ask(simulator)).status_code
    for _ in range(6):
        assert "verify aksk signature fail" == detail_of(await ask(simulator, key=wrong))

    simulator.clock.advance(299)
    locked = await ask(simulator)
    simulator.clock.advance(1)

    assert "AK access failed to reach the limit,forbidden." == detail_of(locked)
    assert 200 == (await ask(simulator)).status_code
    assert "verify aksk signature fail" == detail_of(await ask(simulator, key=wrong))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("change", "detail"),
    [
        pytest.param(
            lambda text: text.replace("Access=", "Key="),
            "the authorization header is malformed",
            id="malformed",
        ),
        pytest.param(
            lambda text: text.replace(";x-sdk-date", ""),
            "verify aksk signature fail",
            id="date-unsigned",
        ),
        pytest.param(
            lambda text: text.replace("host;", "host;missing;"),
            "verify aksk signature fail",
            id="header-missing",
        ),
        pytest.param(
            lambda text: text.replace("host;x-project-id", "x-project-id;host"),
            "verify aksk signature fail",
            id="not-sorted",
        ),
    ],
)
async def test_authorization_of_another_form_is_refused(
    simulator: InProcessSimulator, change: Callable[[str], str], detail: str
) -> None:
    """The header must have the published form, and sign the date."""
    headers = signed_headers(simulator, "GET", BACKUPS)
    headers["Authorization"] = change(headers["Authorization"])

    async with connect(simulator) as client:
        response = await client.get(BACKUPS, headers=headers)

    assert detail == detail_of(response)


@pytest.mark.anyio
async def test_date_of_another_form_is_refused(simulator: InProcessSimulator) -> None:
    """An invalid date causes no crash."""
    headers = signed_headers(simulator, "GET", BACKUPS) | {"X-Sdk-Date": "today"}

    async with connect(simulator) as client:
        response = await client.get(BACKUPS, headers=headers)

    assert "verify aksk signature fail" == detail_of(response)


def test_payload_may_be_unsigned() -> None:
    """A content type that is not JSON is sent with its payload unsigned, as the SDK does."""
    request = SdkRequest(
        "PUT", "http", HOST, "/v3/x", None, [], {"Content-Type": "text/plain", "Host": HOST}, b"a"
    )
    headers = BasicCredentials(ACCESS_KEY, SECRET_KEY, PROJECT).sign_request(request).header_params
    lower = {name.lower(): value for name, value in headers.items()}
    names = tuple(sorted(set(lower) - {"authorization"}))

    signature = signature_of(
        SignedRequest("PUT", "/v3/x", "", lower, b"another"), names, SECRET_KEY
    )

    assert lower["authorization"].endswith(signature)


@pytest.mark.anyio
async def test_secrets_are_not_in_the_journal(simulator: InProcessSimulator) -> None:
    """The journal has the names of headers, but neither key nor token."""
    await ask(simulator, key=(TEMPORARY_KEY, TEMPORARY_SECRET), security_token=SECURITY_TOKEN)

    (entry,) = simulator.control.journal()
    assert "x-security-token" in entry["headers"]
    for secret in (TEMPORARY_SECRET, SECURITY_TOKEN):
        assert secret not in json.dumps(entry)
