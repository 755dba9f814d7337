"""The client: which requests are sent, which are repeated, and the error for each failure."""

from __future__ import annotations

import json
import logging
import ssl
from pathlib import Path
from typing import Any

import anyio
import certifi
import httpx
import pytest
from msgspec.structs import asdict

from pulumi_huaweicloud_cbr.api import client as client_module
from pulumi_huaweicloud_cbr.api.auth.choose import make_authenticator
from pulumi_huaweicloud_cbr.api.client import CbrClient
from pulumi_huaweicloud_cbr.api.find import find_project_id
from pulumi_huaweicloud_cbr.api.transport.http import TRANSPORT_ERRORS, Timeouts
from pulumi_huaweicloud_cbr.api.transport.retry import RetryBudget
from pulumi_huaweicloud_cbr.api.wire.exchange import UnansweredError
from pulumi_huaweicloud_cbr.api.wire.requests import (
    ProjectScope,
    ReplicateRequest,
    ReplicateVaultRequest,
)
from pulumi_huaweicloud_cbr.base.errors import (
    ApiError,
    AuthenticationError,
    CbrError,
    ConfigurationError,
    MalformedResponseError,
    NotFoundError,
    NotSentError,
    OutcomeUnknownError,
    TransportError,
)
from pulumi_huaweicloud_cbr.config.settings import Settings
from tests.unit.wire import (
    ACCEPTED,
    BACKUP,
    BUSY,
    PROJECT,
    RECORD,
    REQUEST,
    SHOWN,
    SOURCE,
    THROTTLED,
    TOKEN,
    Answer,
    FakeClock,
    Operation,
    Wire,
    delete_backup,
    error_from,
    get_backup,
    rename_backup,
    replicate,
)

# -- what is sent --------------------------------------------------------------------------


@pytest.mark.anyio
async def test_replicate_backup_sends_the_documented_request() -> None:
    """The request is the documented one, at the source region, with the token in its header."""
    wire = Wire(httpx.Response(200, json=ACCEPTED))
    request = ReplicateRequest(
        **{**asdict(REQUEST), "name": "erp-db-dr", "description": "weekly off-site copy"}
    )

    async with wire.client() as api:
        answer = await api.replicate_backup(SOURCE, BACKUP, request)

    (sent,) = wire.requests
    documented = (
        '{"replicate":{"destination_region":"cn-east-3",'
        '"destination_project_id":"863129926600475a959e8f2efb991722",'
        '"destination_vault_id":"ca0083e4-1bda-48ca-af6d-aa9c8c93bc85",'
        '"name":"erp-db-dr","description":"weekly off-site copy"}}'
    )
    address = f"https://cbr.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/backups/{BACKUP}/replicate"
    assert ("POST", address) == (sent.method, str(sent.url))
    assert documented == sent.content.decode()
    assert TOKEN == sent.headers["X-Auth-Token"]
    assert "application/json" == sent.headers["Content-Type"]
    assert RECORD == answer.replication_record_id


@pytest.mark.anyio
@pytest.mark.parametrize(("given", "told"), [(False, ""), (True, ',"enable_acceleration":true')])
async def test_replicate_vault_sends_the_documented_request(given: bool, told: str) -> None:
    """The request names the vault; optional fields with default values are not sent."""
    vault = "de587d5d-f63e-4ea1-a892-5935070352ba"
    # CBR API reference, CopyCheckpoint.
    row = {"backup_id": BACKUP, "replication_record_id": RECORD}
    accepted = {"replication": {"vault_id": vault, "backups": [row]}}
    wire = Wire(httpx.Response(200, json=accepted))
    request = ReplicateVaultRequest(
        vault_id=vault,
        destination_region=REQUEST.destination_region,
        destination_project_id=REQUEST.destination_project_id,
        destination_vault_id=REQUEST.destination_vault_id,
        enable_acceleration=given,
    )

    async with wire.client() as api:
        answer = await api.replicate_vault(SOURCE, request)

    (sent,) = wire.requests
    documented = (
        '{"replicate":{"vault_id":"de587d5d-f63e-4ea1-a892-5935070352ba",'
        '"destination_region":"cn-east-3",'
        '"destination_project_id":"863129926600475a959e8f2efb991722",'
        f'"destination_vault_id":"ca0083e4-1bda-48ca-af6d-aa9c8c93bc85"{told}}}}}'
    )
    address = f"https://cbr.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/checkpoints/replicate"
    assert ("POST", address) == (sent.method, str(sent.url))
    assert documented == sent.content.decode()
    assert [(BACKUP, RECORD)] == [
        (copy.backup_id, copy.replication_record_id) for copy in answer.backups
    ]


@pytest.mark.anyio
@pytest.mark.parametrize("trouble", [httpx.ReadTimeout("late"), httpx.Response(502)])
async def test_replicate_vault_is_sent_at_most_once(trouble: Answer) -> None:
    """A request that may have been carried out is not sent again."""
    wire = Wire(trouble)
    request = ReplicateVaultRequest("v", "cn-east-3", "p", "d")

    async with wire.client() as api:
        with pytest.raises(CbrError):
            await api.replicate_vault(SOURCE, request)

    assert 1 == len(wire.requests)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"name": "dr"}, {"name": "dr"}, id="name"),
        pytest.param({"description": ""}, {"description": ""}, id="empty-description"),
        pytest.param({"enable_acceleration": False}, {}, id="not-accelerated"),
        pytest.param(
            {"enable_acceleration": True}, {"enable_acceleration": True}, id="accelerated"
        ),
    ],
)
async def test_replicate_backup_optional_field_is_sent_only_when_given(
    given: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Undeclared fields are omitted, and acceleration is sent only if it is on."""
    wire = Wire(httpx.Response(200, json=ACCEPTED))
    required = {
        key: value for key, value in asdict(REQUEST).items() if key.startswith("destination")
    }

    async with wire.client() as api:
        await api.replicate_backup(SOURCE, BACKUP, ReplicateRequest(**{**required, **given}))

    assert {"replicate": {**required, **expected}} == json.loads(wire.requests[0].content)


@pytest.mark.anyio
async def test_get_backup_odd_ids_are_quoted() -> None:
    """An id cannot lead to another path, whatever it contains."""
    wire = Wire(httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await api.get_backup(ProjectScope("cn-north-4", "a/b"), "../vaults?x=1#y")

    assert b"/v3/a%2Fb/backups/..%2Fvaults%3Fx%3D1%23y" == wire.requests[0].url.raw_path


@pytest.mark.anyio
async def test_list_backups_filters_are_spelled_as_the_api_does() -> None:
    """Filters that are None are omitted, booleans are lower case, offset zero is omitted."""
    wire = Wire(httpx.Response(200, json={"backups": [], "count": 0}))

    async with wire.client() as api:
        first = await api.list_backups(SOURCE, limit=5, show_replication=True, name=None)
        await api.list_backups(SOURCE, limit=5, offset=5)

    assert () == first
    queries = [dict(request.url.params) for request in wire.requests]
    assert [{"limit": "5", "show_replication": "true"}, {"limit": "5", "offset": "5"}] == queries


@pytest.mark.anyio
async def test_rename_backup_sends_the_name_alone() -> None:
    """Only the name is sent: nothing else of a replica can be changed."""
    wire = Wire(httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await rename_backup(api)

    assert "PUT" == wire.requests[0].method
    assert {"backup": {"name": "erp-db-dr-q4"}} == json.loads(wire.requests[0].content)


@pytest.mark.anyio
async def test_list_vaults_reads_a_page() -> None:
    """A page of vaults contains the capacity of each."""
    vault = {"id": "v", "billing": {"size": 2, "used": 1024}}
    wire = Wire(httpx.Response(200, json={"vaults": [vault]}))

    async with wire.client() as api:
        (found,) = await api.list_vaults(SOURCE, limit=1)

    assert f"/v3/{PROJECT}/vaults" == wire.requests[0].url.path
    assert 1.0 == found.free_gb


@pytest.mark.anyio
async def test_list_projects_asks_iam_by_name() -> None:
    """A region's project is looked up by its name, at IAM."""
    wire = Wire(httpx.Response(200, json={"projects": [{"id": PROJECT, "name": "cn-east-3"}]}))

    async with wire.client() as api:
        (project,) = await api.list_projects("cn-east-3")

    expected = "https://iam.cn-east-3.myhuaweicloud.com/v3/projects?name=cn-east-3"
    assert expected == str(wire.requests[0].url)
    assert PROJECT == project.id


SIGN_IN: dict[str, Any] = {
    "token": None,
    "user_name": "ops",
    "password": "not-a-secret",
    "domain_name": "acme",
}


def signed_in(**project: str) -> httpx.Response:
    """Return IAM's response to a sign-in."""
    body = {"token": {"project": project}} if project else {"token": {}}
    return httpx.Response(201, json=body, headers={"X-Subject-Token": TOKEN})


@pytest.mark.anyio
async def test_sign_in_tells_the_regions_own_project() -> None:
    """One request signs in and returns the project; its token serves the next request there."""
    wire = Wire(signed_in(id=PROJECT, name=SOURCE.region), httpx.Response(200, json=SHOWN))

    async with wire.client(**SIGN_IN) as api:
        found = await api.sign_in(SOURCE.region)
        again = await api.sign_in(SOURCE.region)
        await api.get_backup(SOURCE, BACKUP)

    assert PROJECT == found == again
    asked = [(request.method, request.url.path) for request in wire.requests]
    assert [
        ("POST", "/v3/auth/tokens"),
        ("GET", f"/v3/{PROJECT}/backups/{BACKUP}"),
    ] == asked
    assert TOKEN == wire.requests[1].headers["X-Auth-Token"]


@pytest.mark.anyio
async def test_sign_in_that_tells_no_project_leaves_it_to_the_look_up() -> None:
    """If IAM's response lacks the project, it is looked up by its name."""
    projects = {"projects": [{"id": PROJECT, "name": SOURCE.region}]}
    wire = Wire(signed_in(), httpx.Response(200, json=projects))

    async with wire.client(**SIGN_IN) as api:
        found = await find_project_id(api, SOURCE.region)

    assert PROJECT == found
    assert ["POST", "GET"] == [request.method for request in wire.requests]


@pytest.mark.anyio
async def test_sign_in_is_nothing_where_a_token_is_given() -> None:
    """With a given token there is no sign-in."""
    wire = Wire()

    async with wire.client() as api:
        found = await api.sign_in(SOURCE.region)

    assert found is None
    assert [] == wire.requests


# -- failures on the way -------------------------------------------------------------------

UNSENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
)
UNCLEAR = (
    httpx.ReadTimeout,
    httpx.WriteTimeout,
    httpx.ReadError,
    httpx.WriteError,
    httpx.CloseError,
    httpx.RemoteProtocolError,
    httpx.DecodingError,
    httpx.TooManyRedirects,
    httpx.RequestError,
)


def leaves_of(kind: type[Exception]) -> set[type[Exception]]:
    """Return the subclasses of this class that have no subclasses."""
    below = kind.__subclasses__()
    return set().union(*map(leaves_of, below)) if below else {kind}


def test_transport_errors_all_of_httpx_are_covered() -> None:
    """Every httpx exception for a failed request is mapped to one of our two errors."""
    assert set() == leaves_of(httpx.RequestError) - {*UNSENT, *UNCLEAR}


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        *(pytest.param(kind, NotSentError, id=kind.__name__) for kind in UNSENT),
        *(pytest.param(kind, OutcomeUnknownError, id=kind.__name__) for kind in UNCLEAR),
    ],
)
async def test_send_transport_error_tells_whether_it_was_sent(
    theirs: type[httpx.RequestError], ours: type[TransportError]
) -> None:
    """Before a connection is established nothing was sent; after that the outcome is unknown."""
    wire = Wire(theirs("it broke"))

    error = await error_from(wire, replicate)

    assert ours is type(error)
    assert isinstance(error.__cause__, UnansweredError)
    assert isinstance(error.__cause__.__cause__, theirs)
    assert "cbr.cn-north-4.myhuaweicloud.com" in str(error)
    assert "it broke" in str(error)


def test_transport_errors_more_specific_comes_first() -> None:
    """No row of the table is hidden by an earlier one."""
    kinds = [theirs for theirs, _ in TRANSPORT_ERRORS]

    assert [] == [
        (later, earlier)
        for index, later in enumerate(kinds)
        for earlier in kinds[:index]
        if issubclass(later, earlier)
    ]


@pytest.mark.anyio
async def test_send_error_without_words_shows_its_class() -> None:
    """An error without a text is named by its class."""
    error = await error_from(Wire(httpx.ReadError("")), replicate)

    assert "ReadError" in str(error)


@pytest.mark.anyio
@pytest.mark.parametrize(
    "failure", [httpx.ReadTimeout("slow"), httpx.InvalidURL("bad")], ids=["timeout", "bad-url"]
)
async def test_send_sign_in_failed_on_the_way_is_not_sent(failure: Exception) -> None:
    """If a sign-in breaks off in any way, the request itself was not sent."""
    wire = Wire(failure)

    error = await error_from(
        wire, replicate, token=None, user_name="u", password="secret-word", domain_name="d"
    )

    assert isinstance(error, NotSentError)
    assert {"/v3/auth/tokens"} == {request.url.path for request in wire.requests}
    if isinstance(failure, httpx.RequestError):
        assert "'iam.cn-north-4.myhuaweicloud.com'" in str(error)


@pytest.mark.anyio
async def test_send_sign_in_failed_says_nothing_of_where_cbr_is() -> None:
    """Another host for CBR is proposed if CBR was not reached, and not if IAM was not."""
    wire = Wire(httpx.ConnectError("no such host"))

    error = await error_from(
        wire,
        lambda api: api.get_backup(ProjectScope("eu-west-101", "p"), BACKUP),
        token=None,
        user_name="u",
        password="secret-word",
        domain_name="d",
    )

    assert "'iam.eu-west-101.myhuaweicloud.eu' is the right endpoint" in str(error)
    assert "cbr." not in str(error)


@pytest.mark.anyio
async def test_send_answer_that_trickles_in_is_outcome_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If a response does not complete in time, the outcome is unknown."""
    monkeypatch.setattr(client_module, "CALL_LIMIT_S", 0.0)

    async def hang(_: httpx.Request) -> httpx.Response:
        await anyio.sleep_forever()
        raise AssertionError("nothing lasts for ever")

    settings = Settings.of(token=TOKEN)
    clock = FakeClock()
    async with CbrClient(
        settings,
        make_authenticator(settings, clock),
        clock=clock,
        transport=httpx.MockTransport(hang),
    ) as api:
        with pytest.raises(OutcomeUnknownError, match="no complete answer within 0 s"):
            await replicate(api)


# -- answers that are no success -----------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"<html>proxy</html>", id="html"),
        pytest.param(b"[]", id="list"),
        pytest.param(b'{"backup": {}}', id="no-id"),
        pytest.param(b'{"backup": {"id": "b"', id="truncated"),
    ],
)
async def test_respond_undocumented_body_is_malformed(body: bytes) -> None:
    """A response of another form is reported as such, with its request id, and not repeated."""
    wire = Wire(httpx.Response(200, content=body, headers={"X-Request-Id": "req-1"}))

    error = await error_from(wire, get_backup)

    assert isinstance(error, MalformedResponseError)
    assert "req-1" == error.request_id
    assert 1 == len(wire.requests)


@pytest.mark.anyio
async def test_respond_token_refused_is_an_authentication_error() -> None:
    """If a token that cannot be renewed is refused, the error is about the credentials, once."""
    body = {"error_code": "APIGW.0301", "error_msg": "decrypt token fail", "request_id": "r"}
    wire = Wire(httpx.Response(401, json=body))

    error = await error_from(wire, get_backup)

    assert isinstance(error, AuthenticationError)
    assert (401, "APIGW.0301", "r") == (error.status, error.code, error.request_id)
    assert 1 == len(wire.requests)


@pytest.mark.anyio
async def test_respond_wrong_path_is_an_api_error() -> None:
    """The 401 about the project in the path goes to the caller, so that a finder interprets it."""
    body = {"unauthorized": {"code": "401", "message": "Malformed request url"}}

    error = await error_from(Wire(httpx.Response(401, json=body)), get_backup)

    assert isinstance(error, ApiError)
    assert error.is_unauthorized_url


@pytest.mark.anyio
async def test_respond_missing_is_not_found() -> None:
    """The code for a missing backup raises NotFoundError, which names what was being done."""
    body = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}

    error = await error_from(Wire(httpx.Response(404, json=body)), get_backup)

    assert isinstance(error, NotFoundError)
    assert str(error).startswith(f"reading backup ({BACKUP}) in region 'cn-north-4'")


# -- repetition ----------------------------------------------------------------------------


@pytest.mark.anyio
@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(httpx.ConnectError("refused"), id="not-sent"),
        pytest.param(httpx.ReadTimeout("slow"), id="unclear"),
        pytest.param(httpx.Response(429, json=THROTTLED), id="throttled"),
        pytest.param(httpx.Response(400, json=BUSY), id="busy"),
        pytest.param(httpx.Response(503), id="unavailable"),
    ],
)
@pytest.mark.parametrize(
    "operation", [get_backup, rename_backup, delete_backup], ids=["GET", "PUT", "DELETE"]
)
async def test_respond_repeatable_call_is_sent_again(operation: Operation, trouble: Answer) -> None:
    """Requests that do no harm when repeated are sent again after any temporary error."""
    wire = Wire(trouble, httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await operation(api)

    assert 2 == len(wire.requests)
    assert 1 == len(wire.pauses)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("trouble", "times"),
    [
        pytest.param(httpx.ConnectError("refused"), 2, id="not-sent"),
        pytest.param(httpx.Response(429, json=THROTTLED), 2, id="throttled"),
        pytest.param(httpx.Response(400, json=BUSY), 2, id="busy"),
        pytest.param(httpx.ReadTimeout("slow"), 1, id="unclear"),
        pytest.param(httpx.Response(503), 1, id="unavailable"),
        pytest.param(httpx.Response(200, content=b"{}"), 1, id="malformed"),
    ],
)
async def test_respond_submission_is_sent_again_only_when_certainly_not_carried_out(
    trouble: Answer, times: int
) -> None:
    """A submission without an idempotency key is repeated only if it cannot double."""
    wire = Wire(trouble, httpx.Response(200, json=ACCEPTED))

    async with wire.client() as api:
        if times == 1:
            with pytest.raises(CbrError):
                await replicate(api)
        else:
            await replicate(api)

    assert times == len(wire.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("code", ["BackupService.6201", "BackupService.6216", "CSBS.2003"])
async def test_delete_backup_deletion_pending_is_not_sent_again(code: str) -> None:
    """The codes that a second deletion may get go to the caller without repetition."""
    wire = Wire(httpx.Response(400, json={"error_code": code, "error_msg": "in use"}))

    error = await error_from(wire, delete_backup)

    assert code == error.code
    assert 1 == len(wire.requests)


@pytest.mark.anyio
@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("call", ["delete", "get"])
async def test_backup_missing_in_the_predecessors_words(status: int, call: str) -> None:
    """CBR may say that a backup does not exist with the code of its predecessor, CSBS."""
    gone = {"error_code": "CSBS.3001", "error_msg": "The backup does not exist."}
    wire = Wire(httpx.Response(status, json=gone))

    error = await error_from(wire, delete_backup if call == "delete" else get_backup)

    assert isinstance(error, NotFoundError)
    assert 1 == len(wire.requests)


@pytest.mark.anyio
async def test_get_backup_deletion_pending_is_sent_again() -> None:
    """The same code is final for a deletion only."""
    busy = {"error_code": "BackupService.6216", "error_msg": "in use"}
    wire = Wire(httpx.Response(400, json=busy), httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await get_backup(api)

    assert 2 == len(wire.requests)


@pytest.mark.anyio
async def test_respond_retry_after_is_obeyed() -> None:
    """Retry-After is the minimum of the wait."""
    throttled = httpx.Response(429, json=THROTTLED, headers={"Retry-After": "33"})
    wire = Wire(throttled, httpx.Response(200, json=SHOWN))

    async with wire.client() as api:
        await get_backup(api)

    assert [33.0] == wire.clock.slept


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("value", "told"),
    [
        pytest.param("121", "2 min 1 s", id="seconds"),
        pytest.param("Fri, 20 Nov 2026 09:00:00 GMT", "1 h", id="date"),
        pytest.param("9" * 400, "more than a day", id="absurd"),
    ],
)
@pytest.mark.parametrize("operation", [get_backup, replicate], ids=["GET", "POST"])
async def test_respond_retry_after_beyond_the_budget_stops_at_once(
    operation: Operation, value: str, told: str
) -> None:
    """A Retry-After beyond the budget is not waited for: the message says how long it is."""
    headers = {"Retry-After": value, "Date": "Fri, 20 Nov 2026 08:00:00 GMT"}
    wire = Wire(httpx.Response(429, json=THROTTLED, headers=headers))

    error = await error_from(wire, operation)

    assert (1, []) == (len(wire.requests), wire.clock.slept)
    assert str(error).endswith(
        f"HTTP 429: over ratelimit; the service asks to wait {told}: requests are throttled, "
        "run the same command again later [APIGW.0308]"
    )


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("budget", "times"),
    [
        pytest.param(RetryBudget(attempts=3), 3, id="attempts"),
        pytest.param(RetryBudget(attempts=1), 1, id="one-attempt"),
        pytest.param(RetryBudget(attempts=99, seconds=25.0), 3, id="seconds"),
    ],
)
async def test_respond_budget_spent_ends_with_the_last_error(
    budget: RetryBudget, times: int
) -> None:
    """Retries end at a number of attempts or seconds, and the last error is raised unchanged."""
    throttled = httpx.Response(429, json=THROTTLED, headers={"Retry-After": "10"})
    wire = Wire(throttled)

    async with wire.client(budget) as api:
        with pytest.raises(ApiError) as caught:
            await get_backup(api)

    assert "APIGW.0308" == caught.value.code
    assert times == len(wire.requests)
    assert wire.clock.monotonic() <= budget.seconds


@pytest.mark.anyio
async def test_respond_pause_is_told_beforehand() -> None:
    """A waiting user sees the reason, the length of the wait and the attempts that are left."""
    throttled = httpx.Response(429, json=THROTTLED, headers={"Retry-After": "30"})
    wire = Wire(throttled, httpx.Response(200, json=SHOWN))

    async with wire.client(RetryBudget(attempts=4)) as api:
        await get_backup(api)

    (pause,) = wire.pauses
    assert f"reading backup ({BACKUP}) in {SOURCE}" == pause.doing
    assert str(pause).startswith("attempt 1 of 4, next in 30.0 s: reading backup (")
    assert str(pause).endswith("HTTP 429: over ratelimit [APIGW.0308]")


@pytest.mark.anyio
async def test_client_without_listener_pauses_silently() -> None:
    """The callback for pauses is optional."""
    settings = Settings.of(token=TOKEN)
    wire = Wire(httpx.Response(429, json=THROTTLED), httpx.Response(200, json=SHOWN))
    api = CbrClient(
        settings,
        make_authenticator(settings, wire.clock),
        clock=wire.clock,
        transport=httpx.MockTransport(wire.handle),
    )

    assert BACKUP == (await get_backup(api)).id
    await api.aclose()


# -- certificates and the log --------------------------------------------------------------


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["no-file", "no-pem"])
def test_client_unusable_ca_file_is_told(tmp_path: Path, content: str | None) -> None:
    """A certificate file that cannot be used is named, with its setting."""
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    settings = Settings.of(token=TOKEN, ca_file=str(path))

    with pytest.raises(ConfigurationError) as caught:
        CbrClient(settings, make_authenticator(settings, FakeClock()))

    assert "huaweicloud:caFile (or HW_CA_FILE)" in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("ca_file", [None, "none"], ids=["alone", "insecure-first"])
def test_tls_context_without_checks(ca_file: str | None) -> None:
    """Certificate checks are off only if the user says so."""
    assert client_module._tls_context(Settings.of(insecure=True, ca_file=ca_file)) is False


def test_tls_context_checks_certificates_and_names() -> None:
    """Unless the user says otherwise, a server needs a certificate for its name."""
    context = client_module._tls_context(Settings())

    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert ssl.CERT_REQUIRED == context.verify_mode
    assert context.get_ca_certs()


def test_tls_context_ca_file_is_loaded() -> None:
    """Certificates from a user's own file are trusted, and host names are still checked."""
    authorities = Path(certifi.where())

    context = client_module._tls_context(Settings.of(ca_file=str(authorities)))

    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname
    assert context.get_ca_certs()


@pytest.mark.anyio
async def test_client_system_clock_is_the_default() -> None:
    """Without a clock from the caller, the machine's own time is used."""
    settings = Settings.of(token=TOKEN)
    wire = Wire(httpx.Response(200, json=SHOWN))
    async with CbrClient(
        settings,
        make_authenticator(settings, wire.clock),
        transport=httpx.MockTransport(wire.handle),
    ) as api:
        before = api.clock.monotonic()
        await api.clock.sleep(0)

        assert before <= api.clock.monotonic()


@pytest.mark.anyio
async def test_on_answer_sees_each_answer_of_sign_ins_too() -> None:
    """The callback for responses sees all of them, for instance for their dates."""
    seen: list[tuple[str, int]] = []
    token = {"token": {"project": {"id": PROJECT}}}
    wire = Wire(
        httpx.Response(201, json=token, headers={"X-Subject-Token": TOKEN}),
        httpx.Response(404, json={"error_code": "BackupService.6200", "error_msg": "none"}),
    )
    settings = Settings.of(user_name="ops", password="a-password", domain_name="acme")
    async with CbrClient(
        settings,
        make_authenticator(settings, wire.clock),
        clock=wire.clock,
        on_answer=lambda answer: seen.append((answer.request.path, answer.status)),
        transport=httpx.MockTransport(wire.handle),
    ) as api:
        with pytest.raises(NotFoundError):
            await get_backup(api)

    assert [("/v3/auth/tokens", 201), (f"/v3/{PROJECT}/backups/{BACKUP}", 404)] == seen


@pytest.mark.anyio
async def test_limits_of_a_call_can_be_shorter() -> None:
    """A caller may set its own timeouts, and the message names the one that was reached."""
    settings = Settings.of(token=TOKEN)
    timeouts = Timeouts(connect_s=1.0, read_s=2.0, write_s=3.0, pool_s=4.0)
    asked: list[dict[str, float]] = []

    async def hang(request: httpx.Request) -> httpx.Response:
        asked.append(request.extensions["timeout"])
        await anyio.sleep_forever()
        raise AssertionError("nothing lasts for ever")

    async with CbrClient(
        settings,
        make_authenticator(settings, FakeClock()),
        clock=FakeClock(),
        budget=RetryBudget(attempts=1),
        timeouts=timeouts,
        call_limit_s=0.0,
        transport=httpx.MockTransport(hang),
    ) as api:
        with pytest.raises(OutcomeUnknownError, match="no complete answer within 0 s"):
            await get_backup(api)

    assert [{"connect": 1.0, "read": 2.0, "write": 3.0, "pool": 4.0}] == asked


@pytest.mark.anyio
async def test_send_debug_log_names_the_request_and_no_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log has method, path, status and request id of each request, and no token."""
    caplog.set_level(logging.DEBUG, logger="pulumi_huaweicloud_cbr")
    wire = Wire(httpx.Response(200, json=SHOWN, headers={"X-Request-Id": "req-1"}))

    async with wire.client() as api:
        await get_backup(api)

    lines = [
        r.getMessage() for r in caplog.records if r.name == "pulumi_huaweicloud_cbr.api.client"
    ]
    assert [f"GET /v3/{PROJECT}/backups/{BACKUP} -> 200 (request req-1)"] == lines
    assert TOKEN not in caplog.text
