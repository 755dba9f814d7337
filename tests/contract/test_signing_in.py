"""Tokens against the simulator: obtained, kept, renewed once, and never in a loop."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from pulumi_huaweicloud_cbr import ApiError, AuthenticationError
from simulator.testing import DEMO_WORLD, InProcessSimulator
from simulator.worlds.files import load_world
from tests.contract.rig import PASSWORD, Rig, connect, declared

pytestmark = pytest.mark.simulator_only


def sign_ins(rig: Rig) -> int:
    """Return the number of sign-ins."""
    return len(rig.control.journal(operation="CreateToken"))


def test_token_is_shared_by_all_calls_of_a_project(rig: Rig) -> None:
    """One sign-in serves all calls of a project."""
    rig.create(declared())
    rig.finish_copies()
    rig.control.clear_journal()

    for _ in range(3):
        rig.refresh()

    assert sign_ins(rig) <= 2


def test_token_expired_is_renewed_once(rig: Rig) -> None:
    """A token that expired early is replaced, and the call is repeated."""
    rig.create(declared())
    rig.control.expire_tokens()
    rig.control.clear_journal()

    assert rig.refresh()

    assert 1 == sign_ins(rig)


def test_token_refused_again_stops(rig: Rig) -> None:
    """A token that is refused right after its renewal ends with one message, without a loop."""
    rig.create(declared())
    body = {"error_code": "APIGW.0301", "error_msg": "decrypt token fail", "request_id": "0" * 32}
    rig.control.fault(operation="ShowBackup", action="respond", status=401, body=body, times=9)
    rig.control.clear_journal()

    with pytest.raises(AuthenticationError) as caught:
        rig.refresh()

    assert "APIGW.0301" == caught.value.code
    assert 1 == sign_ins(rig)
    assert 2 == len(rig.control.journal(operation="ShowBackup"))


def test_token_is_renewed_before_it_expires(rig: Rig) -> None:
    """Within thirty hours, a day-long token is replaced in time, and no call fails."""
    rig.create(declared())
    for _ in range(30):
        rig.control.advance(3600)
        assert rig.refresh()

    assert {200, 201} == {entry["status"] for entry in rig.control.journal()}


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({}, id="projects-looked-up"),
        pytest.param(
            {
                "source_project_id": "c6cb0876eaee4f5092d0fdf4c4fc09b3",
                "destination_project_id": "863129926600475a959e8f2efb991722",
            },
            id="projects-given",
        ),
    ],
)
def test_wrong_password_is_reported_once(
    simulator: InProcessSimulator, configuration: dict[str, str], given: dict[str, str]
) -> None:
    """Parallel calls try a wrong password once, so that nobody is locked out."""
    rig = connect(simulator, {**configuration, "huaweicloud:password": "wrong-on-purpose"})

    ((field, reason),) = rig.faults(declared(**given))

    assert "" == field
    assert "huaweicloud:password" in reason
    assert "wrong-on-purpose" not in reason
    assert 1 == sign_ins(rig)


@pytest.mark.parametrize("gone", ["userName", "password", "domainName"])
def test_missing_credential_is_reported_before_any_call(
    simulator: InProcessSimulator, configuration: dict[str, str], gone: str
) -> None:
    """A missing part of the credentials is named, and nothing is sent."""
    del configuration[f"huaweicloud:{gone}"]
    rig = connect(simulator, configuration)

    ((_, reason),) = rig.faults(declared())

    assert gone in reason
    assert [] == rig.control.journal()


def test_given_tokens_by_project(
    simulator: InProcessSimulator, configuration: dict[str, str], rig: Rig
) -> None:
    """Given tokens are used, each for its own project."""
    rig.create(declared())
    tokens = {}
    for region, project in (
        ("cn-north-4", "c6cb0876eaee4f5092d0fdf4c4fc09b3"),
        ("cn-east-3", "863129926600475a959e8f2efb991722"),
    ):
        tokens[project] = fetch_token(simulator, region, project)
    given = {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:endpoints": configuration["huaweicloud:endpoints"],
        "huaweicloud:tokens": tokens,
    }
    other = connect(simulator, given)
    other.control.clear_journal()

    other.create(declared())
    other.finish_copies()
    assert other.refresh()

    assert 0 == sign_ins(other)
    assert "success" == other.outputs["status"]


def fetch_token(simulator: InProcessSimulator, region: str, project_id: str) -> str:
    """Return a token as a user gets it from another tool."""

    async def ask() -> str:
        user = {"name": "ops-replicator", "password": PASSWORD, "domain": {"name": "acme-cloud"}}
        identity = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": identity, "scope": {"project": {"id": project_id}}}}
        async with httpx.AsyncClient(transport=simulator.transport()) as client:
            url = f"{simulator.url}/regions/{region}/v3/auth/tokens"
            return str((await client.post(url, json=body)).headers["X-Subject-Token"])

    return asyncio.run(ask())


@pytest.mark.unverified
def test_missing_backup_reported_as_401_is_gone_when_the_project_answers(
    configuration: dict[str, str],
) -> None:
    """A 401 for a deleted id counts as gone, once the token works for the project."""
    world = load_world(DEMO_WORLD)
    world.options.missing_backup = "401"
    simulator = InProcessSimulator(world)
    try:
        rig = connect(simulator, configuration)
        rig.create(declared())
        rig.finish_copies()
        assert rig.refresh()
        rig.control.forget_backup(rig.outputs["destination_backup_id"])

        assert not rig.refresh()
    finally:
        simulator.close()


def test_wrong_project_is_an_error_and_not_gone(simulator: InProcessSimulator, rig: Rig) -> None:
    """A token for another project must not make a replica look gone."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    source = "c6cb0876eaee4f5092d0fdf4c4fc09b3"
    other = connect(
        simulator,
        {
            "huaweicloud:region": "cn-north-4",
            "huaweicloud:endpoints": f'{{"cbr": "{simulator.url}", "iam": "{simulator.url}"}}',
            "huaweicloud:token": fetch_token(simulator, "cn-north-4", source),
        },
    )
    other.id, other.outputs = rig.id, rig.outputs

    with pytest.raises(ApiError) as caught:
        other.refresh()

    assert caught.value.is_unauthorized_url
