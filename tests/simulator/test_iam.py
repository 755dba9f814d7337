"""IAM: sign-ins, tokens and projects; and how CBR treats tokens."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from simulator.cloud.specs import World, made_hex
from simulator.testing import DEMO_WORLD, Control, InProcessSimulator
from simulator.worlds.files import load_world
from tests.simulator.rig import (
    PROJECT,
    REGION,
    SOURCE_PROJECT,
    SOURCE_REGION,
    SUBPROJECT,
    Caller,
    code_of,
    connect,
    sign_in,
    sign_in_body,
)

pytestmark = pytest.mark.anyio

TOKENS = "/v3/auth/tokens"
WRONG = {
    "error": {
        "code": 401,
        "message": "The username or password is wrong.",
        "title": "Unauthorized",
    }
}
MALFORMED_URL = {"unauthorized": {"code": "401", "message": "Malformed request url"}}


def user_in(body: dict[str, Any]) -> dict[str, Any]:
    """Return the user part of a sign-in."""
    user: dict[str, Any] = body["auth"]["identity"]["password"]["user"]
    return user


async def sign_in_wrongly(client: httpx.AsyncClient) -> httpx.Response:
    """Sign in with a wrong password."""
    body = sign_in_body(project={"id": PROJECT})
    user_in(body)["password"] = "wrong-on-purpose"
    return await client.post(TOKENS, json=body)


# -- tokens -------------------------------------------------------------------------------------


async def test_token_project_scope_is_in_header_and_described_in_body(
    client: httpx.AsyncClient,
) -> None:
    """The token is in a header only. The body has its scope and its expiry."""
    response = await client.post(TOKENS, json=sign_in_body(project={"name": REGION}))

    value, token = response.headers["X-Subject-Token"], response.json()["token"]
    assert 201 == response.status_code
    assert value not in response.text
    assert "2026-11-20T08:00:00.000000Z" == token["issued_at"]
    assert "2026-11-21T08:00:00.000000Z" == token["expires_at"]
    assert (PROJECT, REGION, "acme-cloud") == (
        token["project"]["id"],
        token["project"]["name"],
        token["project"]["domain"]["name"],
    )
    assert "domain" not in token


async def test_token_domain_scope_has_no_project(client: httpx.AsyncClient) -> None:
    """A token scoped to the account names the account."""
    response = await client.post(TOKENS, json=sign_in_body(domain={"name": "acme-cloud"}))

    token = response.json()["token"]
    assert 201 == response.status_code
    assert "acme-cloud" == token["domain"]["name"]
    assert "project" not in token


@pytest.mark.parametrize(("query", "count"), [({}, 1), ({"nocatalog": "true"}, 0)])
async def test_token_nocatalog_empties_catalog(
    client: httpx.AsyncClient, query: dict[str, str], count: int
) -> None:
    """The catalogue of services is included unless it is waived."""
    body = sign_in_body(project={"id": PROJECT})
    response = await client.post(TOKENS, json=body, params=query)

    assert count == len(response.json()["token"]["catalog"])


@pytest.mark.parametrize(
    ("key", "value"),
    [("name", "nobody"), ("password", "wrong-on-purpose"), ("domain", {"name": "other-cloud"})],
)
async def test_token_wrong_credential_is_refused(
    client: httpx.AsyncClient, key: str, value: Any
) -> None:
    """Any wrong part of the credentials gives the same answer."""
    body = sign_in_body(project={"id": PROJECT})
    user_in(body)[key] = value
    response = await client.post(TOKENS, json=body)

    assert 401 == response.status_code
    assert response.json() == WRONG


def signed_in_as(**changes: Any) -> dict[str, Any]:
    """Return a sign-in with a changed user; None leaves a field out."""
    body = sign_in_body(project={"id": PROJECT})
    changed = {**user_in(body), **changes}
    body["auth"]["identity"]["password"]["user"] = {
        key: value for key, value in changed.items() if value is not None
    }
    return body


MALFORMED: dict[str, Any] = {
    "empty": {},
    "a list": [],
    "no scope": {"auth": {"identity": sign_in_body()["auth"]["identity"]}},
    "empty scope": sign_in_body(),
    "two scopes": sign_in_body(project={"id": PROJECT}, domain={"name": "acme-cloud"}),
    "project without id and name": sign_in_body(project={}),
    "project is null": sign_in_body(project=None),
    "name of a wrong type": sign_in_body(project={"name": 7}),
    "project in a domain without id and name": sign_in_body(project={"id": PROJECT, "domain": {}}),
    "user without a domain": signed_in_as(name="ops-replicator", domain=None),
    "user without id and name": signed_in_as(domain={"name": "acme-cloud"}, name=None),
    "unknown field": sign_in_body(project={"id": PROJECT}, region=REGION),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_token_malformed_request_is_refused(client: httpx.AsyncClient, body: Any) -> None:
    """A body of an undocumented form is refused in Keystone's envelope."""
    response = await client.post(TOKENS, json=body)

    assert 400 == response.status_code
    assert {
        "error": {"code": 400, "message": "The request body is invalid", "title": "Bad Request"}
    } == response.json()


@pytest.mark.parametrize(
    "scope",
    [
        {"project": {"name": "nowhere"}},
        {"project": {"name": REGION, "domain": {"name": "x"}}},
        {"domain": {"name": "x"}},
    ],
    ids=str,
)
async def test_token_unknown_scope_is_not_found(
    client: httpx.AsyncClient, scope: dict[str, Any]
) -> None:
    """A project or account without a role for the user is not found."""
    response = await client.post(TOKENS, json=sign_in_body(**scope))

    assert 404 == response.status_code


ACCOUNT = "677aa086f2614be08a737b6b22aad606"
USER = made_hex("user", "acme-cloud", "ops-replicator")
LATER = "lt:2026-12-08T22:02:00Z"
FORMS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"domain": {"id": ACCOUNT}}, {"id": PROJECT}),
    ({"id": USER, "name": None, "domain": None}, {"id": PROJECT}),
    ({}, {"name": REGION, "domain": {"name": "acme-cloud"}}),
    ({}, {"name": REGION, "domain": {"id": ACCOUNT}}),
]


@pytest.mark.parametrize(("user", "project"), FORMS, ids=str)
async def test_token_user_and_project_are_named_in_any_form(
    client: httpx.AsyncClient, user: dict[str, Any], project: dict[str, Any]
) -> None:
    """Other clients name a user and a project by id, or by name in an account."""
    body = signed_in_as(**user)
    body["auth"]["scope"] = {"project": project}
    response = await client.post(TOKENS, json=body)

    assert 201 == response.status_code
    assert PROJECT == response.json()["token"]["project"]["id"]
    assert USER == response.json()["token"]["user"]["id"]


@pytest.mark.parametrize(
    "user",
    [{"domain": {"id": "0" * 32}}, {"id": "0" * 32, "name": None, "domain": None}],
    ids=["account", "user"],
)
async def test_token_unknown_id_is_refused_like_a_wrong_password(
    client: httpx.AsyncClient, user: dict[str, Any]
) -> None:
    """An unknown id tells no more than an unknown name."""
    response = await client.post(TOKENS, json=signed_in_as(**user))

    assert WRONG == response.json()


async def test_token_wrong_passwords_count_in_every_form(client: httpx.AsyncClient) -> None:
    """A user who is named by id is the same user: wrong passwords count together."""
    for wrong in ({}, {"id": USER, "name": None, "domain": None}, {"domain": {"id": ACCOUNT}}, {}):
        await client.post(TOKENS, json=signed_in_as(password="wrong-on-purpose", **wrong))
    await sign_in_wrongly(client)

    locked = await client.post(TOKENS, json=signed_in_as())

    assert (401, "IAM.0061") == code_of(locked)


async def test_token_five_wrong_passwords_lock_user_for_a_while(
    simulator: InProcessSimulator, client: httpx.AsyncClient
) -> None:
    """A locked user is refused even with the right password, until the lock ends."""
    for _ in range(5):
        assert WRONG == (await sign_in_wrongly(client)).json()
    body = sign_in_body(project={"id": PROJECT})

    locked = await client.post(TOKENS, json=body)
    simulator.clock.advance(simulator.world.options.lock_s)
    later = await client.post(TOKENS, json=body)

    assert (401, "IAM.0061") == code_of(locked)
    assert 201 == later.status_code


async def test_token_right_password_forgets_wrong_ones(client: httpx.AsyncClient) -> None:
    """Only wrong passwords in a row count."""
    for _ in range(3):
        for _ in range(4):
            await sign_in_wrongly(client)
        await sign_in(client, PROJECT)


async def test_show_token_valid_token_is_described(destination: Caller) -> None:
    """A token can be verified with itself."""
    headers = {"X-Auth-Token": destination.token, "X-Subject-Token": destination.token}
    response = await destination.client.get(TOKENS, headers=headers)

    assert 200 == response.status_code
    assert destination.token == response.headers["X-Subject-Token"]
    assert PROJECT == response.json()["token"]["project"]["id"]


async def test_show_token_unknown_token_is_not_found(destination: Caller) -> None:
    """A token that was never issued is not found."""
    headers = {"X-Auth-Token": destination.token, "X-Subject-Token": "made-up"}
    response = await destination.client.get(TOKENS, headers=headers)

    assert 404 == response.status_code


@pytest.mark.parametrize(
    "path", ["/v3/projects", "/v3/auth/projects", "/v3/auth/domains", "/v3/users"]
)
async def test_iam_without_token_is_refused_in_keystone_form(
    client: httpx.AsyncClient, path: str
) -> None:
    """IAM's own refusals have a number as code."""
    response = await client.get(path)

    assert 401 == response.status_code
    assert 401 == response.json()["error"]["code"]


# -- how CBR treats tokens ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "reason"),
    [({}, "x-auth-token not found"), ({"X-Auth-Token": "made-up"}, "decrypt token fail")],
)
async def test_cbr_bad_token_is_refused_by_gateway(
    client: httpx.AsyncClient, headers: dict[str, str], reason: str
) -> None:
    """A missing or unknown token is refused with a request id."""
    response = await client.get(f"/v3/{PROJECT}/vaults", headers=headers)

    assert (401, "APIGW.0301") == code_of(response)
    assert response.json()["error_msg"].endswith(reason)
    assert 32 == len(response.json()["request_id"])


async def test_cbr_token_after_a_day_is_expired(
    simulator: InProcessSimulator, destination: Caller
) -> None:
    """A token is valid for 24 hours."""
    simulator.clock.advance(24 * 3600 - 1)
    in_time = await destination.call("GET", "/vaults")
    simulator.clock.advance(1)
    too_late = await destination.call("GET", "/vaults")

    assert 200 == in_time.status_code
    assert (401, "APIGW.0301") == code_of(too_late)
    assert "token expires" in too_late.json()["error_msg"]


async def test_cbr_expired_by_control_is_expired(control: Control, destination: Caller) -> None:
    """All tokens can be ended early, as by a change of permissions."""
    control.expire_tokens()

    assert (401, "APIGW.0301") == code_of(await destination.call("GET", "/vaults"))


async def test_cbr_bad_token_is_refused_before_bad_body(client: httpx.AsyncClient) -> None:
    """The gateway checks the token before CBR checks the request."""
    response = await client.put(f"/v3/{PROJECT}/backups/x", json={"wrong": 1})

    assert (401, "APIGW.0301") == code_of(response)


async def test_cbr_other_project_in_path_is_malformed_url(source: Caller) -> None:
    """A path with another project than the token's is refused in OpenStack's form."""
    source.project = PROJECT
    response = await source.call("GET", "/vaults")

    assert 401 == response.status_code
    assert response.json() == MALFORMED_URL


async def test_cbr_domain_token_is_malformed_url(client: httpx.AsyncClient) -> None:
    """CBR requires tokens of a project."""
    body = sign_in_body(domain={"name": "acme-cloud"})
    token = (await client.post(TOKENS, json=body)).headers["X-Subject-Token"]
    response = await Caller(client, PROJECT, token).call("GET", "/vaults")

    assert 401 == response.status_code
    assert response.json() == MALFORMED_URL


@pytest.mark.parametrize(
    ("signed_in_at", "used_at", "status"),
    [
        ("", f"/regions/{SOURCE_REGION}", 200),
        (f"/regions/{SOURCE_REGION}", f"/regions/{SOURCE_REGION}", 200),
        (f"/regions/{SOURCE_REGION}", "", 200),
        ("", f"/regions/{REGION}", 401),
        (f"/regions/{REGION}", f"/regions/{SOURCE_REGION}", 401),
    ],
)
async def test_cbr_regional_endpoint_refuses_tokens_of_other_regions(
    client: httpx.AsyncClient, signed_in_at: str, used_at: str, status: int
) -> None:
    """A regional endpoint accepts only its own projects and tokens of its own IAM."""
    caller = await sign_in(client, SOURCE_PROJECT, signed_in_at)
    response = await client.get(
        f"{used_at}/v3/{SOURCE_PROJECT}/vaults", headers={"X-Auth-Token": caller.token}
    )

    assert status == response.status_code
    if status == 401:
        assert "APIGW.0307" == response.json()["error_code"]


async def test_region_unknown_is_no_address(destination: Caller) -> None:
    """A region that does not exist has no endpoint."""
    response = await destination.client.get(
        f"/regions/nowhere/v3/{PROJECT}/vaults", headers={"X-Auth-Token": destination.token}
    )

    assert (404, "APIGW.0101") == code_of(response)


# -- projects -----------------------------------------------------------------------------------


async def list_projects(caller: Caller, path: str = "/v3/projects", **query: Any) -> httpx.Response:
    """Request projects."""
    headers = {"X-Auth-Token": caller.token}
    return await caller.client.get(path, params=query, headers=headers)


async def test_projects_by_name_is_the_region_project(source: Caller) -> None:
    """A region's project has the region's name; its parent is the account."""
    (project,) = (await list_projects(source, name=REGION)).json()["projects"]

    assert PROJECT == project["id"]
    assert project["parent_id"] == project["domain_id"]
    assert project["enabled"] is True
    assert project["is_domain"] is False
    assert {"self", "next", "previous"} == set(project["links"])


async def test_projects_subproject_has_region_project_as_parent(source: Caller) -> None:
    """A subproject of a region's project is found by its parent."""
    (project,) = (await list_projects(source, parent_id=PROJECT)).json()["projects"]

    assert (SUBPROJECT, f"{REGION}_dr") == (project["id"], project["name"])


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 6),
        ({"name": "nowhere"}, 0),
        ({"enabled": "false"}, 0),
        ({"is_domain": "false"}, 6),
        ({"domain_id": "677aa086f2614be08a737b6b22aad606"}, 6),
        ({"page": 1, "per_page": 4}, 4),
        ({"page": 2, "per_page": 4}, 2),
    ],
    ids=str,
)
async def test_projects_filter_finds_what_fits(
    source: Caller, query: dict[str, Any], count: int
) -> None:
    """Each filter narrows the list; pages cut it."""
    response = await list_projects(source, **query)

    assert count == len(response.json()["projects"])


@pytest.mark.parametrize(
    "query",
    [{"page": 1}, {"per_page": 5}, {"page": 0, "per_page": 5}, {"enabled": "maybe"}, {"nmae": "x"}],
    ids=str,
)
async def test_projects_bad_query_is_refused(source: Caller, query: dict[str, Any]) -> None:
    """A wrong page, a wrong value and an unknown filter are refused."""
    response = await list_projects(source, **query)

    assert 400 == response.status_code
    assert 400 == response.json()["error"]["code"]


async def test_projects_of_caller_are_all_projects(source: Caller) -> None:
    """The user may work in every project of the account."""
    response = await list_projects(source, "/v3/auth/projects")

    assert 6 == len(response.json()["projects"])


# -- accounts and users -------------------------------------------------------------------------


async def test_domains_are_the_callers_account(source: Caller) -> None:
    """A user belongs to one account; clients learn its id from its name, or the other way round."""
    (domain,) = (await list_projects(source, "/v3/auth/domains")).json()["domains"]

    assert (ACCOUNT, "acme-cloud", True) == (domain["id"], domain["name"], domain["enabled"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, [USER]),
        ({"name": "ops-replicator"}, [USER]),
        ({"name": "nobody"}, []),
        ({"domain_id": ACCOUNT}, [USER]),
        ({"domain_id": "0" * 32}, []),
        ({"enabled": "false"}, []),
        ({"password_expires_at": LATER}, []),
    ],
    ids=str,
)
async def test_users_filter_finds_what_fits(
    source: Caller, query: dict[str, Any], expected: list[str]
) -> None:
    """Each filter narrows the list of the account's users; no password expires."""
    found = (await list_projects(source, "/v3/users", **query)).json()["users"]

    assert expected == [user["id"] for user in found]
    assert {ACCOUNT} >= {user["domain_id"] for user in found}


@pytest.mark.parametrize(
    "query", [{"enabled": "maybe"}, {"password_expires_at": "soon"}, {"nmae": "x"}], ids=str
)
async def test_users_bad_query_is_refused(source: Caller, query: dict[str, Any]) -> None:
    """A wrong value and an unknown filter are refused in Keystone's envelope."""
    response = await list_projects(source, "/v3/users", **query)

    assert 400 == response.status_code
    assert 400 == response.json()["error"]["code"]


async def test_projects_other_account_sees_none() -> None:
    """The projects belong to the first account; a user of another one finds none."""
    document = load_world(DEMO_WORLD).model_dump(by_alias=True)
    document["accounts"].append({"name": "other", "users": [{"name": "eve", "password": "pw"}]})
    simulator = InProcessSimulator(World.model_validate(document))
    body = sign_in_body(domain={"name": "other"})
    user_in(body).update(name="eve", password="pw", domain={"name": "other"})
    async with connect(simulator) as client:
        token = (await client.post(TOKENS, json=body)).headers["X-Subject-Token"]
        caller = Caller(client, "", token)
        seen = await list_projects(caller, name=REGION)
        users = await list_projects(caller, "/v3/users")
        domains = await list_projects(caller, "/v3/auth/domains")
        body["auth"]["scope"] = {"project": {"name": REGION}}
        refused = await client.post(TOKENS, json=body)
    simulator.close()

    assert [] == seen.json()["projects"]
    assert ["eve"] == [user["name"] for user in users.json()["users"]]
    assert ["other"] == [domain["name"] for domain in domains.json()["domains"]]
    assert 404 == refused.status_code
