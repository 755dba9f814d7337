"""Tokens: the request to IAM, how long a token is kept, and how an invalid one is renewed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.api.auth.authorisation import Authorisation
from pulumi_huaweicloud_cbr.api.auth.choose import Authenticator, make_authenticator
from pulumi_huaweicloud_cbr.api.auth.tokens import REFUSED_FOR_S, PasswordAuth
from pulumi_huaweicloud_cbr.api.auth.trust import Trust
from pulumi_huaweicloud_cbr.api.client import send_authorised
from pulumi_huaweicloud_cbr.api.wire.exchange import Request, Response
from pulumi_huaweicloud_cbr.api.wire.requests import ProjectScope
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    AuthenticationError,
    ConfigurationError,
    MalformedResponseError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import FakeConnection, ManualClock, answered

PROJECT = "c6cb0876eaee4f5092d0fdf4c4fc09b3"
SOURCE = ProjectScope("cn-north-4", PROJECT)
CBR_URL = "https://cbr.cn-north-4.myhuaweicloud.com/v3/x/backups"
DAY_S = 24 * 3600.0
TOKEN_REFUSED = {"error_code": "APIGW.0307", "error_msg": "The token must be updated."}
WRONG_PATH = {"unauthorized": {"code": "401", "message": "Malformed request url"}}

Flow = AsyncGenerator[Request, Response]


def make_settings(**changes: Any) -> Settings:
    """Return the settings of a user who signs in with a password."""
    given = {
        "region": "cn-north-4",
        "user_name": "ops-replicator",
        "password": "<secret>",
        "domain_name": "acme-cloud",
        **changes,
    }
    return Settings.of(**{key: value for key, value in given.items() if value is not None})


def make_auth(clock: ManualClock, project_id: str | None = None, **changes: Any) -> PasswordAuth:
    """Return a sign-in, by the region's name unless a project is given."""
    settings = make_settings(**changes)
    return PasswordAuth(settings, clock, Trust(clock, REFUSED_FOR_S), "cn-north-4", project_id)


def token_answer(
    value: str | None = "token-one", status: int = 201, lifetime_s: float = DAY_S, **token: Any
) -> Response:
    """Return IAM's response to a sign-in."""
    hours, rest = divmod(int(lifetime_s), 3600)
    body = {
        "issued_at": "2026-11-20T00:00:00.000000Z",
        "expires_at": f"2026-11-{20 + hours // 24}T{hours % 24:02}:{rest // 60:02}:00.000000Z",
        "project": {"id": PROJECT},
        **token,
    }
    headers = {} if value is None else {"X-Subject-Token": value}
    return answered(status, headers=headers, json={"token": body})


def cbr_request() -> Request:
    """Return a request that needs a token."""
    return Request("GET", CBR_URL)


async def finish(flow: Flow, response: Response) -> None:
    """Answer the last request of a flow, which then ends."""
    with pytest.raises(StopAsyncIteration):
        await flow.asend(response)


async def sign_in(auth: PasswordAuth, answer: Response) -> Request:
    """Run one flow that signs in; return the request that got the token."""
    flow = auth.flow(cbr_request())
    await anext(flow)
    stamped = await flow.asend(answer)
    await finish(flow, answered(200))
    return stamped


# -- what is sent --------------------------------------------------------------------------


@pytest.mark.anyio
async def test_password_auth_without_token_sends_the_documented_sign_in() -> None:
    """The sign-in is the documented one, scoped to the project with the region's name."""
    auth = make_auth(ManualClock(), auth_url="https://iam.myhuaweicloud.com")

    request = await anext(auth.flow(cbr_request()))

    assert "POST" == request.method
    assert "https://iam.myhuaweicloud.com/v3/auth/tokens?nocatalog=true" == request.url
    user = {"name": "ops-replicator", "password": "<secret>", "domain": {"name": "acme-cloud"}}
    assert {
        "auth": {
            "identity": {"methods": ["password"], "password": {"user": user}},
            "scope": {"project": {"name": "cn-north-4"}},
        }
    } == json.loads(request.body)


@pytest.mark.anyio
async def test_password_auth_project_given_scopes_by_its_id() -> None:
    """A known project is requested by its id, at the region's own IAM endpoint."""
    auth = make_auth(ManualClock(), PROJECT)

    request = await anext(auth.flow(cbr_request()))

    assert "iam.cn-north-4.myhuaweicloud.com" == request.host
    assert {"project": {"id": PROJECT}} == json.loads(request.body)["auth"]["scope"]


@pytest.mark.anyio
async def test_password_auth_signed_in_stamps_the_request() -> None:
    """The token from IAM's header is sent in X-Auth-Token, to the original address."""
    stamped = await sign_in(make_auth(ManualClock()), token_answer("token-one"))

    assert "token-one" == stamped.headers["X-Auth-Token"]
    assert CBR_URL == stamped.url


@pytest.mark.anyio
async def test_password_auth_second_request_reuses_the_token() -> None:
    """A token that is still valid serves the next request without another sign-in."""
    auth = make_auth(ManualClock())
    await sign_in(auth, token_answer("token-one"))

    request = await anext(auth.flow(cbr_request()))

    assert CBR_URL == request.url
    assert "token-one" == request.headers["X-Auth-Token"]


# -- renewal when refused ------------------------------------------------------------------


@pytest.mark.anyio
async def test_password_auth_token_refused_renews_once_and_not_again() -> None:
    """A refused token is replaced and the request sent again; a second refusal is the result."""
    auth = make_auth(ManualClock())
    await sign_in(auth, token_answer("token-one"))
    flow = auth.flow(cbr_request())
    await anext(flow)

    renewal = await flow.asend(answered(401, json=TOKEN_REFUSED))
    again = await flow.asend(token_answer("token-two"))

    assert "/v3/auth/tokens" == renewal.path
    assert CBR_URL == again.url
    assert "token-two" == again.headers["X-Auth-Token"]
    await finish(flow, answered(401, json=TOKEN_REFUSED))


@pytest.mark.anyio
async def test_password_auth_token_renewed_meanwhile_is_taken() -> None:
    """A refused token that another request has already renewed is not renewed again."""
    auth = make_auth(ManualClock())
    await sign_in(auth, token_answer("token-one"))
    first, second = (auth.flow(cbr_request()) for _ in range(2))
    await anext(first)
    await anext(second)
    await first.asend(answered(401, json=TOKEN_REFUSED))
    await first.asend(token_answer("token-two"))

    again = await second.asend(answered(401, json=TOKEN_REFUSED))

    assert CBR_URL == again.url
    assert "token-two" == again.headers["X-Auth-Token"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(answered(401, json=WRONG_PATH), id="malformed-url"),
        pytest.param(answered(403, json=TOKEN_REFUSED), id="forbidden"),
        pytest.param(answered(500, json=TOKEN_REFUSED), id="server-error"),
    ],
)
async def test_password_auth_other_refusal_does_not_renew(answer: Response) -> None:
    """Only a 401 about the token itself renews it, not one about the project in the path."""
    auth = make_auth(ManualClock())
    await sign_in(auth, token_answer("token-one"))
    flow = auth.flow(cbr_request())
    await anext(flow)

    await finish(flow, answer)


# -- renewal by time -----------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("lifetime_s", "renewed_at_s"),
    [
        pytest.param(DAY_S, DAY_S - 600, id="day"),
        pytest.param(3600.0, 3240.0, id="hour"),
        pytest.param(0.0, 0.0, id="expired-at-birth"),
    ],
)
async def test_password_auth_token_near_its_end_is_renewed(
    lifetime_s: float, renewed_at_s: float
) -> None:
    """A token is renewed ten minutes, or a tenth of its life, before it expires by our clock."""
    clock = ManualClock()
    clock.now = 1000.0
    auth = make_auth(clock)
    await sign_in(auth, token_answer(lifetime_s=lifetime_s))

    clock.now = 1000.0 + renewed_at_s - 1
    before = await anext(auth.flow(cbr_request()))
    clock.now += 1
    after = await anext(auth.flow(cbr_request()))

    assert CBR_URL == before.url
    assert "/v3/auth/tokens" == after.path


@pytest.mark.anyio
async def test_password_auth_lifetime_not_told_is_a_day() -> None:
    """A token without dates is assumed to live the documented 24 hours."""
    clock = ManualClock()
    auth = make_auth(clock)
    await sign_in(auth, token_answer(issued_at=None, expires_at=None))

    clock.now = DAY_S - 601
    assert CBR_URL == (await anext(auth.flow(cbr_request()))).url
    clock.now = DAY_S - 600
    assert "/v3/auth/tokens" == (await anext(auth.flow(cbr_request()))).path


# -- many requests -------------------------------------------------------------------------


@pytest.mark.anyio
async def test_password_auth_concurrent_requests_share_one_sign_in() -> None:
    """Concurrent requests wait for one sign-in and share its token."""
    seen: list[tuple[str, str | None]] = []

    async def handle(request: Request) -> Response:
        seen.append((request.path, request.headers.get("X-Auth-Token")))
        await asyncio.sleep(0)
        return token_answer("token-one") if "tokens" in request.path else answered(200)

    auth = make_auth(ManualClock())
    http = FakeConnection(handle)
    await asyncio.gather(*(send_authorised(http, cbr_request(), auth) for _ in range(8)))

    expected = [("/v3/auth/tokens", None), *[("/v3/x/backups", "token-one")] * 8]
    assert expected == seen


@pytest.mark.anyio
async def test_password_auth_concurrent_refusals_share_one_renewal() -> None:
    """Requests whose token is refused at the same time renew it once."""
    tokens = iter(["token-one", "token-two", "token-three"])
    sign_ins: list[Request] = []

    async def handle(request: Request) -> Response:
        await asyncio.sleep(0)
        if "tokens" in request.path:
            sign_ins.append(request)
            return token_answer(next(tokens))
        if request.headers["X-Auth-Token"] == "token-one":
            return answered(401, json=TOKEN_REFUSED)
        return answered(200)

    auth = make_auth(ManualClock())
    http = FakeConnection(handle)
    sending = (send_authorised(http, cbr_request(), auth) for _ in range(8))
    answers = await asyncio.gather(*sending)

    assert [200] * 8 == [answer.status for answer in answers]
    assert 2 == len(sign_ins)


# -- a sign-in that fails ------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("status", "remedy"),
    [
        pytest.param(400, None, id="400"),
        pytest.param(401, "huaweicloud:userName, huaweicloud:password", id="401"),
        pytest.param(403, "the user may not work in this project", id="403"),
        pytest.param(404, "check the project id or the region's name", id="404"),
    ],
)
async def test_password_auth_sign_in_refused_is_an_authentication_error(
    status: int, remedy: str | None
) -> None:
    """A refused sign-in names the user, the project and what to check."""
    body = {"error": {"code": status, "message": "no such thing", "title": "t"}}
    flow = make_auth(ManualClock()).flow(cbr_request())
    await anext(flow)

    with pytest.raises(AuthenticationError) as caught:
        await flow.asend(answered(status, json=body, headers={"X-IAM-Trace-Id": "abc"}))

    assert status == caught.value.status
    assert "abc" == caught.value.request_id
    assert "user 'ops-replicator' to project 'cn-north-4'" in str(caught.value)
    assert (remedy is None) == (caught.value.remedy is None)
    assert (remedy or "") in (caught.value.remedy or "")
    assert "<secret>" not in str(caught.value)


@pytest.mark.anyio
async def test_password_auth_refused_again_keeps_the_code() -> None:
    """A refusal with an IAM code keeps the code, and names the project by its id."""
    body = {"error_code": "IAM.0061", "error_msg": "The account is locked."}
    flow = make_auth(ManualClock(), PROJECT).flow(cbr_request())
    await anext(flow)

    with pytest.raises(AuthenticationError) as caught:
        await flow.asend(answered(401, json=body))

    assert "IAM.0061" == caught.value.code
    assert "the user is locked" in (caught.value.remedy or "")
    assert f"project ({PROJECT})" in str(caught.value)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [429, 500, 503])
async def test_password_auth_sign_in_hindered_is_an_api_error(status: int) -> None:
    """A throttled sign-in or a fault of IAM says nothing about the credentials."""
    flow = make_auth(ManualClock()).flow(cbr_request())
    await anext(flow)

    with pytest.raises(ApiError) as caught:
        await flow.asend(answered(status, headers={"Retry-After": "7"}))

    assert status == caught.value.status
    assert 7.0 == caught.value.retry_after_s


@pytest.mark.anyio
async def test_password_auth_no_token_header_is_malformed() -> None:
    """A response without a token points to the setting that named the wrong host."""
    flow = make_auth(ManualClock()).flow(cbr_request())
    await anext(flow)

    with pytest.raises(MalformedResponseError) as caught:
        await flow.asend(token_answer(None))

    assert "HTTP 201 without a token in X-Subject-Token" in str(caught.value)
    assert "huaweicloud:authUrl" in str(caught.value)


@pytest.mark.anyio
async def test_password_auth_failed_sign_in_is_tried_anew() -> None:
    """A failed sign-in leaves no trace: the next request signs in."""
    auth = make_auth(ManualClock())
    flow = auth.flow(cbr_request())
    await anext(flow)
    with pytest.raises(ApiError):
        await flow.asend(answered(503))

    assert "token-two" == (await sign_in(auth, token_answer("token-two"))).headers["X-Auth-Token"]


def test_password_auth_nothing_to_send_is_a_programming_error() -> None:
    """To use a token before the sign-in, or to sign in without a password, is an error."""
    auth = make_auth(ManualClock(), password=None)

    with pytest.raises(RuntimeError, match="before the sign-in"):
        auth._stamp(cbr_request())
    with pytest.raises(RuntimeError, match="without a password"):
        asyncio.run(auth._password())


# -- a password that may be wrong ----------------------------------------------------------


def flow_in(authenticator: Authenticator, region: str) -> Flow:
    """Return the flow of a request in a region, which begins with a sign-in."""
    _, auth = authenticator.for_lookup(region)
    assert isinstance(auth, PasswordAuth)
    return auth.flow(cbr_request())


async def settle() -> None:
    """Let all tasks run that can."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.mark.anyio
async def test_refused_password_is_tried_once_by_many() -> None:
    """Several regions at once try a wrong password once, and not again for a while."""
    tried: list[str] = []

    async def handle(request: Request) -> Response:
        tried.append(request.host)
        await asyncio.sleep(0)
        return answered(401, json={"error": {"code": 401, "message": "wrong", "title": "t"}})

    clock = ManualClock()
    authenticator = make_authenticator(make_settings(), clock)
    regions = ["cn-north-4", "cn-east-3", "cn-north-4", "cn-south-1"]

    async def ask_all() -> list[BaseException | Response]:
        http = FakeConnection(handle)
        auths = [authenticator.for_lookup(region)[1] for region in regions]
        asked = (send_authorised(http, cbr_request(), auth) for auth in auths)
        return await asyncio.gather(*asked, return_exceptions=True)

    errors = await ask_all()
    clock.now = REFUSED_FOR_S - 1
    errors += await ask_all()
    before = len(tried)
    clock.now = REFUSED_FOR_S
    await ask_all()

    assert [AuthenticationError] * 2 * len(regions) == [type(error) for error in errors]
    assert 1 == len({str(error) for error in errors})
    assert 1 == before
    assert 2 == len(tried)


@pytest.mark.anyio
async def test_password_that_was_accepted_signs_in_everywhere_at_a_time() -> None:
    """The first sign-in goes alone; once the password is accepted, no region waits for another."""
    authenticator = make_authenticator(make_settings(), ManualClock())
    first, second, third = (
        flow_in(authenticator, region) for region in ("cn-north-4", "cn-east-3", "cn-south-1")
    )
    await anext(first)
    waiting = [asyncio.ensure_future(anext(flow)) for flow in (second, third)]
    await settle()
    begun_before = [task.done() for task in waiting]
    await first.asend(token_answer())
    await settle()

    assert [False, False] == begun_before
    assert ["/v3/auth/tokens"] * 2 == [task.result().path for task in waiting]


@pytest.mark.anyio
async def test_password_that_is_refused_later_goes_alone_again() -> None:
    """A password that was changed meanwhile is also refused only once."""
    authenticator = make_authenticator(make_settings(), ManualClock())
    first = flow_in(authenticator, "cn-north-4")
    await anext(first)
    await first.asend(token_answer())
    second = flow_in(authenticator, "cn-east-3")
    await anext(second)
    with pytest.raises(AuthenticationError):
        await second.asend(answered(401))

    with pytest.raises(AuthenticationError):
        await anext(flow_in(authenticator, "cn-south-1"))


@pytest.mark.anyio
async def test_refusal_of_one_project_is_not_the_passwords() -> None:
    """A project that the user may not access says nothing about the others."""
    authenticator = make_authenticator(make_settings(), ManualClock())
    first = flow_in(authenticator, "cn-north-4")
    await anext(first)
    with pytest.raises(AuthenticationError):
        await first.asend(answered(403))

    request = await anext(flow_in(authenticator, "cn-east-3"))

    assert "/v3/auth/tokens" == request.path


# -- one sign-in for each project ----------------------------------------------------------


@pytest.mark.anyio
async def test_password_sign_in_lookup_token_serves_the_project_it_found() -> None:
    """The token that found a region's project id is used for that project too."""
    authenticator = make_authenticator(make_settings(), ManualClock())
    region, by_name = authenticator.for_lookup("cn-north-4")
    assert isinstance(by_name, PasswordAuth)

    before = authenticator.for_project(SOURCE)
    await sign_in(by_name, token_answer())

    assert "cn-north-4" == region
    assert before is not by_name
    assert authenticator.for_project(SOURCE) is by_name


def test_password_sign_in_is_kept_for_each_project() -> None:
    """Each project and each region has one sign-in of its own."""
    authenticator = make_authenticator(make_settings(), ManualClock())
    other = ProjectScope("cn-east-3", PROJECT)

    assert authenticator.for_project(SOURCE) is authenticator.for_project(SOURCE)
    assert authenticator.for_project(SOURCE) is not authenticator.for_project(other)
    assert authenticator.for_lookup("cn-east-3") == authenticator.for_lookup("cn-east-3")


# -- tokens that the user brings -----------------------------------------------------------


async def stamped_by(auth: Authorisation) -> str:
    """Return the token that an authorisation adds to a request."""
    return (await anext(auth.flow(cbr_request()))).headers["X-Auth-Token"]


@pytest.mark.parametrize(
    ("tokens", "token", "expected"),
    [
        pytest.param({}, "for-all", "for-all", id="one"),
        pytest.param({PROJECT: "its-own"}, None, "its-own", id="by-project"),
        pytest.param({PROJECT: "its-own"}, "for-all", "its-own", id="both"),
        pytest.param({"other": "foreign"}, "for-all", "for-all", id="fallback"),
    ],
)
def test_given_tokens_project_gets_its_own_or_the_common_one(
    tokens: dict[str, str], token: str | None, expected: str
) -> None:
    """A project's own token comes before the one for all projects."""
    settings = Settings.of(token=token, tokens=tokens)
    authenticator = make_authenticator(settings, ManualClock())

    assert expected == asyncio.run(stamped_by(authenticator.for_project(SOURCE)))


def test_given_tokens_none_for_project_is_told() -> None:
    """A project without a token is named, with the setting that lacks it."""
    settings = Settings.of(tokens={"other": "foreign"})

    with pytest.raises(ConfigurationError) as caught:
        make_authenticator(settings, ManualClock()).for_project(SOURCE)

    assert PROJECT in str(caught.value)
    assert "huaweicloud:tokens (or HW_AUTH_TOKENS)" in str(caught.value)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({"token": "for-all"}, ("cn-east-3", "for-all"), id="no-home"),
        pytest.param({"token": "a", "region": "cn-north-4"}, ("cn-north-4", "a"), id="home"),
        pytest.param(
            {"tokens": {"x": "a", PROJECT: "b"}, "project_id": PROJECT, "region": "cn-north-4"},
            ("cn-north-4", "b"),
            id="home-project",
        ),
        pytest.param({"tokens": {"x": "a", "y": "b"}}, ("cn-east-3", "a"), id="any"),
    ],
)
def test_given_tokens_lookup_is_asked_at_home(
    given: dict[str, Any], expected: tuple[str, str]
) -> None:
    """A project is looked up in the configured region, for which the token is certainly valid."""
    region, auth = make_authenticator(Settings.of(**given), ManualClock()).for_lookup("cn-east-3")

    assert expected == (region, asyncio.run(stamped_by(auth)))
