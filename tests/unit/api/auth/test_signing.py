"""Signing with an access key: equal to the vendor's, new each time; bad keys are rarely tried."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings

from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.auth.signing import LOCKED_FOR_S, AccessKeys, GivenKeys, Keys
from pulumi_huaweicloud_cbr.api.auth.tokens import GivenTokens, PasswordSignIn
from pulumi_huaweicloud_cbr.api.client import send_authorised
from pulumi_huaweicloud_cbr.api.transport.retry import RetryBudget
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import AuthenticationError, CbrError, ConfigurationError
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.odd_requests import (
    ACCESS_KEY,
    HOST,
    SECRET_KEY,
    OddRequest,
    odd_requests,
)
from tests.unit.wire import (
    PROJECT,
    SHOWN,
    SOURCE,
    START,
    FakeClock,
    Wire,
    connection_to,
    error_from,
    get_backup,
    list_projects,
    replicate,
)

EXAMPLES = 600
DATE = "20251120T080000Z"
"""`START` as a date."""
KEYS: dict[str, Any] = {"access_key": ACCESS_KEY, "secret_key": SECRET_KEY}
SIGNED: dict[str, Any] = {"token": None, **KEYS}
TOKEN = "not-a-secret/+=token"
PREFIX = "Incorrect IAM authentication information: "


def refusal(detail: str, code: str = "APIGW.0301", **headers: str) -> httpx.Response:
    """Return the gateway's response to a signature that it does not accept."""
    body = {"error_msg": PREFIX + detail, "error_code": code, "request_id": "0" * 32}
    return httpx.Response(401, json=body, headers=headers)


WRONG = refusal("verify aksk signature fail")
FOUND = httpx.Response(200, json=SHOWN)


def sent(asked: OddRequest) -> httpx.Request:
    """Return what is sent for a request."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200)

    chosen = Settings.of(**KEYS | {"security_token": asked.security_token})
    keys = AccessKeys(GivenKeys(chosen), FakeClock())
    auth = keys.for_lookup("cn-north-4")[1]
    if asked.project_id is not None:
        auth = keys.for_project(ProjectScope("cn-north-4", asked.project_id))
    http = connection_to(answer)
    url = f"https://{HOST}{asked.path}"
    request = http.build_request(asked.method, url, params=asked.params, json=asked.body)
    asyncio.run(send_authorised(http, request, auth))
    return seen[0]


# -- the same as the vendor's ----------------------------------------------------------------


@settings(derandomize=True, deadline=None, max_examples=EXAMPLES)
@given(odd_requests)
@example(
    OddRequest(
        "GET", ("a b", "备份", "%2F", ""), {"名": ["b", "", "a"], "x": "+ ~"}, None, PROJECT, TOKEN
    )
)
@example(OddRequest("POST", (), {"": "", "flag": True}, {"name": "灾备"}, PROJECT, None))
def test_signed_request_equals_the_vendors(asked: OddRequest) -> None:
    """For any request, URL, signature and headers equal those of the vendor's SDK."""
    request = sent(asked)

    assert asked.body == json.loads(request.content or "null")
    vendors = asked.vendor_signed(DATE, request.content)
    assert vendors.uri == request.url.raw_path.decode()
    for name, value in vendors.header_params.items():
        assert value == request.headers[name], name


@pytest.mark.anyio
async def test_cbr_call_is_signed_on_behalf_of_its_project() -> None:
    """A call to CBR names its project; the signature covers date, host and project."""
    wire = Wire(FOUND)
    async with wire.client(**SIGNED) as api:
        await get_backup(api)

    headers = wire.requests[0].headers
    assert PROJECT == headers["X-Project-Id"]
    assert DATE == headers["X-Sdk-Date"]
    assert "X-Auth-Token" not in headers
    assert "X-Security-Token" not in headers
    signed = f"SDK-HMAC-SHA256 Access={ACCESS_KEY}, SignedHeaders=host;x-project-id;x-sdk-date, "
    assert headers["Authorization"].startswith(signed)


@pytest.mark.anyio
async def test_lookup_of_a_project_is_signed_in_its_region() -> None:
    """IAM is called in the region itself, on behalf of no project."""
    wire = Wire(httpx.Response(200, json={"projects": []}))
    async with wire.client(**SIGNED) as api:
        await list_projects(api)

    (request,) = wire.requests
    assert "iam.cn-east-3.myhuaweicloud.com" == request.url.host
    assert "X-Project-Id" not in request.headers
    assert "SignedHeaders=host;x-sdk-date," in request.headers["Authorization"]


@pytest.mark.anyio
async def test_repetition_is_signed_anew() -> None:
    """Each attempt has a date and a signature of its own: an old one would be refused."""
    wire = Wire(httpx.Response(503, headers={"Retry-After": "60"}), FOUND)
    async with wire.client(**SIGNED) as api:
        await get_backup(api)

    first, second = (request.headers for request in wire.requests)
    assert (DATE, "20251120T080100Z") == (first["X-Sdk-Date"], second["X-Sdk-Date"])
    assert first["Authorization"] != second["Authorization"]


def test_signature_without_a_key_is_a_programming_error() -> None:
    """Nothing is signed with half a key."""
    with pytest.raises(RuntimeError, match="without an access key"):
        GivenKeys(Settings.of(**{**KEYS, "secret_key": None}))


# -- a key that is refused -------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        pytest.param(WRONG, "check huaweicloud:secretKey (or HW_SECRET_KEY)", id="secret"),
        pytest.param(
            refusal(f"ak {ACCESS_KEY} not exist"),
            "check huaweicloud:accessKey (or HW_ACCESS_KEY)",
            id="unknown",
        ),
        pytest.param(
            refusal(f"Get secretKey failed,ak:{ACCESS_KEY},err:ak not exist"),
            "check huaweicloud:accessKey (or HW_ACCESS_KEY)",
            id="unknown-older",
        ),
        pytest.param(
            refusal("AK access failed to reach the limit,forbidden."), "wait 5 minutes", id="locked"
        ),
        pytest.param(
            refusal("signature expired, signature time:a,server time:b"),
            "set this machine's clock: more than 15 minutes",
            id="skew",
        ),
        pytest.param(
            refusal("signature expired, signature time:a,server time:b", "APIG.0303"),
            "set this machine's clock: more than 15 minutes",
            id="skew-as-app",
        ),
        pytest.param(
            refusal("token expires, expires_at: 2025"), "temporary keys have expired", id="expired"
        ),
        pytest.param(
            refusal("decrypt token fail"),
            "check huaweicloud:securityToken (or HW_SECURITY_TOKEN)",
            id="foreign-token",
        ),
        pytest.param(refusal("签名验证失败"), "check huaweicloud:secretKey", id="other-language"),
        pytest.param(httpx.Response(401), "check huaweicloud:secretKey", id="empty"),
        pytest.param(
            httpx.Response(401, json={"error_code": "IAM.0061", "error_msg": "Locked."}),
            "the user is locked",
            id="code-of-its-own",
        ),
    ],
)
async def test_refusal_says_what_to_do(answer: httpx.Response, remedy: str) -> None:
    """Each way of refusing a key has its own remedy, and none quotes a secret."""
    error = await error_from(Wire(answer), get_backup, **SIGNED, security_token=TOKEN)

    assert isinstance(error, AuthenticationError)
    assert remedy in (error.remedy or "")
    assert SECRET_KEY not in str(error)
    assert TOKEN not in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("ahead_s", "remedy"),
    [
        pytest.param(-1200, "it is 20 min ahead of the service's", id="ahead"),
        pytest.param(1200, "it is 20 min behind the service's", id="behind"),
        pytest.param(600, "check huaweicloud:secretKey", id="near"),
    ],
)
async def test_refusal_dated_far_off_blames_the_clock(ahead_s: float, remedy: str) -> None:
    """The response's own date reveals a skewed clock in any language, and the size of the skew."""
    date = format_datetime(datetime.fromtimestamp(START + ahead_s, UTC), usegmt=True)

    error = await error_from(Wire(refusal("x", Date=date)), get_backup, **SIGNED)

    assert remedy in (error.remedy or "")


@pytest.mark.anyio
async def test_refused_key_is_tried_once_by_many() -> None:
    """Concurrent calls do not each send a wrong key: five in a row would lock it."""
    wire = Wire(WRONG)
    async with wire.client(**SIGNED) as api:
        outcomes = await asyncio.gather(
            *(get_backup(api) for _ in range(8)), return_exceptions=True
        )

    assert 1 == len(wire.requests)
    assert {AuthenticationError} == {type(outcome) for outcome in outcomes}
    assert all("huaweicloud:secretKey" in str(outcome) for outcome in outcomes)


@pytest.mark.anyio
async def test_refused_key_is_tried_again_when_a_lock_has_ended() -> None:
    """A refused key is tried again after the time for which the gateway locks keys."""
    wire = Wire(WRONG, FOUND)
    async with wire.client(**SIGNED) as api:
        for wait_s in (0.0, LOCKED_FOR_S - 1):
            await wire.clock.sleep(wait_s)
            with pytest.raises(AuthenticationError):
                await get_backup(api)
        assert 1 == len(wire.requests)

        await wire.clock.sleep(1)
        await get_backup(api)

    assert 2 == len(wire.requests)


@pytest.mark.anyio
async def test_accepted_key_lets_others_go_on() -> None:
    """Once the key was accepted, a refusal of one call does not stop the others."""
    wire = Wire(FOUND, WRONG, FOUND)
    async with wire.client(**SIGNED) as api:
        await get_backup(api)
        with pytest.raises(AuthenticationError):
            await get_backup(api)
        await get_backup(api)

    assert 3 == len(wire.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [407, 429, 503])
async def test_hindrance_before_the_signature_proves_nothing(status: int) -> None:
    """A proxy, throttling or a fault says nothing about the key: the next request goes alone."""
    wire = Wire(httpx.Response(status), WRONG)
    async with wire.client(budget=RetryBudget(attempts=1), **SIGNED) as api:
        with pytest.raises(CbrError):
            await get_backup(api)
        outcomes = await asyncio.gather(
            *(get_backup(api) for _ in range(3)), return_exceptions=True
        )

    assert 2 == len(wire.requests)
    assert {AuthenticationError} == {type(outcome) for outcome in outcomes}


@pytest.mark.anyio
async def test_wrong_project_is_not_the_keys_fault() -> None:
    """The 401 about the project in the path leaves the key in use."""
    body = {"unauthorized": {"code": "401", "message": "Malformed request url"}}
    wire = Wire(httpx.Response(401, json=body), FOUND)
    async with wire.client(**SIGNED) as api:
        with pytest.raises(CbrError) as caught:
            await get_backup(api)
        await get_backup(api)

    assert not isinstance(caught.value, AuthenticationError)
    assert 2 == len(wire.requests)


@pytest.mark.anyio
async def test_first_calls_go_one_by_one_and_then_together() -> None:
    """The first call proves the key; the others wait for it, and then run in parallel."""
    at_once, most = 0, [0]

    async def handle(request: httpx.Request) -> httpx.Response:
        assert "Authorization" in request.headers
        nonlocal at_once
        at_once += 1
        most.append(at_once)
        for _ in range(10):
            await asyncio.sleep(0)
        at_once -= 1
        return httpx.Response(200, json=SHOWN)

    keys = AccessKeys(GivenKeys(Settings.of(**KEYS)), FakeClock())
    auth = keys.for_project(SOURCE)
    http = connection_to(handle)
    requests = [http.build_request("GET", f"https://{HOST}/v3/x") for _ in range(5)]
    await asyncio.gather(*(send_authorised(http, request, auth) for request in requests))

    assert 1 == most[1]
    assert 4 == max(most)


@pytest.mark.anyio
async def test_refused_submission_was_not_carried_out() -> None:
    """A submission with a refused signature is reported as refused, not as unknown."""
    error = await error_from(Wire(WRONG), replicate, **SIGNED)

    assert isinstance(error, AuthenticationError)
    assert 401 == error.status


class Renewing:
    """Keys that change after each refusal: first with a token, then without."""

    remedy: str | None = "ask for others"
    are_exchanged = False

    def __init__(self) -> None:
        self.renewed = 0

    async def current(self, region: str) -> Keys:  # noqa: ARG002 -- a protocol's
        """Return the current keys."""
        token = None if self.renewed else TOKEN
        return Keys(f"{ACCESS_KEY}{self.renewed}", SECRET_KEY, token)

    async def renew(self, refused: Keys, region: str) -> bool:  # noqa: ARG002 -- as above
        """Report that there are other keys."""
        self.renewed += 1
        return True


@pytest.mark.anyio
async def test_refused_keys_are_renewed_once_in_a_request_and_leave_nothing_behind() -> None:
    """The second attempt is signed entirely with the new keys, and there is no third."""
    wire, source = Wire(WRONG), Renewing()
    auth = AccessKeys(source, wire.clock).for_project(SOURCE)
    http = connection_to(wire.handle)
    request = http.build_request("GET", f"https://{HOST}/v3/x", params={"a b": "ü"})
    answer = await send_authorised(http, request, auth)

    # One request object serves both attempts: it now has what was sent last.
    assert 401 == answer.status
    assert 2 == len(wire.requests)
    assert 1 == source.renewed
    headers = wire.requests[-1].headers
    assert f"Access={ACCESS_KEY}1," in headers["Authorization"]
    assert "x-security-token" not in headers["Authorization"]
    assert "X-Security-Token" not in headers


# -- which credentials -----------------------------------------------------------------------


def make(**given: Any) -> object:
    """Return the way of signing in for some settings."""
    return make_authenticator(Settings.of(**given), FakeClock())


PASSWORD = {"user_name": "ops", "password": "no-secret", "domain_name": "acme"}


def test_precedence_among_complete_credentials() -> None:
    """A token comes before an access key, an access key before a password."""
    assert isinstance(make(**KEYS, token="t"), GivenTokens)
    assert isinstance(make(**KEYS, tokens={"p": "t"}), GivenTokens)
    assert isinstance(make(**KEYS, **PASSWORD), AccessKeys)
    assert isinstance(make(**PASSWORD), PasswordSignIn)


@pytest.mark.parametrize(
    ("given_parts", "missing"),
    [
        pytest.param({"access_key": "x"}, "huaweicloud:secretKey (or HW_SECRET_KEY)", id="access"),
        pytest.param({"secret_key": "x"}, "huaweicloud:accessKey (or HW_ACCESS_KEY)", id="secret"),
        pytest.param(
            {"security_token": "x"},
            "huaweicloud:accessKey (or HW_ACCESS_KEY), huaweicloud:secretKey (or HW_SECRET_KEY)",
            id="token",
        ),
    ],
)
@pytest.mark.parametrize("beside", [{}, PASSWORD, {"token": "t"}], ids=["alone", "user", "token"])
def test_half_an_access_key_is_named(
    given_parts: dict[str, Any], missing: str, beside: dict[str, Any]
) -> None:
    """Half an access key is an error that names the other half, whatever else is given."""
    with pytest.raises(ConfigurationError) as caught:
        make(**given_parts, **beside)

    assert f"needs also {missing}" in str(caught.value)
