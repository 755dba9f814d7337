"""Access keys against the simulator: a replica's whole life, and the messages for refused keys."""

from __future__ import annotations

import pytest

from pulumi_huaweicloud_cbr import AuthenticationError
from simulator.testing import DEMO_WORLD, InProcessSimulator
from simulator.worlds.files import load_world
from tests.contract.rig import (
    PASSWORD,
    PERMANENT,
    TEMPORARY,
    Rig,
    SimulatedClock,
    connect,
    declared,
    signed_with,
)

pytestmark = pytest.mark.simulator_only


def connect_with_key(
    simulator: InProcessSimulator,
    configuration: dict[str, str],
    keys: dict[str, str],
    ahead_s: float = 0.0,
) -> Rig:
    """Return a provider that signs with an access key and has no other credentials."""
    clock = SimulatedClock(simulator, ahead_s)
    return connect(simulator, signed_with(configuration, keys), clock)


@pytest.mark.parametrize("keys", [PERMANENT, TEMPORARY], ids=["permanent", "temporary"])
@pytest.mark.parametrize("mark", ["", "regions/{region}"], ids=["one-address", "regional"])
def test_whole_life_of_a_replica_is_signed(
    simulator: InProcessSimulator, configuration: dict[str, str], keys: dict[str, str], mark: str
) -> None:
    """Look-up, preflight, submission, rename, refresh and deletion work with signatures alone."""
    address = f"{simulator.url}/{mark}"
    endpoints = f'{{"cbr": "{address}", "iam": "{address}"}}'
    rig = connect_with_key(simulator, {**configuration, "huaweicloud:endpoints": endpoints}, keys)

    rig.create(declared())
    rig.finish_copies()
    assert rig.refresh()
    rig.update(declared(name="灾备-1"))
    assert rig.refresh()
    rig.delete()

    assert [] == rig.replicas
    seen = rig.control.journal()
    assert {200, 204, 404} >= {entry["status"] for entry in seen}
    assert {"CopyBackup", "UpdateBackup", "DeleteBackup", "ListProjects"} <= {
        entry["operation"] for entry in seen
    }
    assert all("x-auth-token" not in entry["headers"] for entry in seen)
    assert all("authorization" in entry["headers"] for entry in seen)
    of_iam = [entry for entry in seen if entry["operation"] == "ListProjects"]
    for entry in seen:
        assert (entry in of_iam) != ("x-project-id" in entry["headers"])


def test_access_key_outlives_a_day(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """In thirty hours no call fails, and nobody signs in."""
    rig = connect_with_key(simulator, configuration, PERMANENT)
    rig.create(declared())
    for _ in range(30):
        rig.control.advance(3600)
        assert rig.refresh()

    assert {200} == {entry["status"] for entry in rig.control.journal()}


def test_access_key_takes_precedence_over_a_password(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """If both are given, nobody signs in."""
    rig = connect(simulator, {**configuration, **PERMANENT})

    rig.create(declared())

    assert PASSWORD == configuration["huaweicloud:password"]
    assert [] == rig.control.journal(operation="CreateToken")


def test_wrong_secret_key_is_sent_once(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """Many parallel requests send a wrong secret once: six in a row would lock the key."""
    keys = {**PERMANENT, "huaweicloud:secretKey": "wrong-on-purpose"}
    rig = connect_with_key(simulator, configuration, keys)

    for _ in range(8):
        ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "verify aksk signature fail; check huaweicloud:secretKey" in reason
    assert "wrong-on-purpose" not in reason
    assert 1 == len(rig.control.journal())
    assert not connect_with_key(simulator, configuration, PERMANENT).faults(declared())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        pytest.param(
            {**PERMANENT, "huaweicloud:accessKey": "NOBODYS"},
            "check huaweicloud:accessKey",
            id="unknown",
        ),
        pytest.param(
            {key: value for key, value in TEMPORARY.items() if "Token" not in key},
            "a temporary key has to come with huaweicloud:securityToken",
            id="temporary-alone",
        ),
        pytest.param(
            {**TEMPORARY, "huaweicloud:securityToken": "token-of-others"},
            "check huaweicloud:securityToken",
            id="foreign-token",
        ),
    ],
)
def test_refused_key_names_what_to_check(
    simulator: InProcessSimulator, configuration: dict[str, str], keys: dict[str, str], words: str
) -> None:
    """The message names the wrong setting, and quotes no value."""
    ((_, reason),) = connect_with_key(simulator, configuration, keys).faults(declared())

    assert words in reason
    # Without preflight the same credentials would be refused, so it is no advice.
    assert "preflight 'off'" not in reason
    assert "pulumi_huaweicloud_cbr check" in reason
    for key, value in keys.items():
        assert value not in reason, key


@pytest.mark.parametrize("ahead_s", [-1000.0, 1000.0], ids=["behind", "ahead"])
def test_skewed_clock_is_reported(
    simulator: InProcessSimulator, configuration: dict[str, str], ahead_s: float
) -> None:
    """A clock that is off by more than 15 minutes is reported as such."""
    ((_, reason),) = connect_with_key(simulator, configuration, PERMANENT, ahead_s).faults(
        declared()
    )

    assert "signature expired" in reason
    assert "set this machine's clock" in reason


def test_skew_within_15_minutes_is_accepted(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """A clock that is off by a little is accepted."""
    assert not connect_with_key(simulator, configuration, PERMANENT, 800.0).faults(declared())


def test_skew_reported_as_for_app_keys(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """The gateway's other code for a skewed clock has the same remedy."""
    rig = connect_with_key(simulator, configuration, PERMANENT)
    message = (
        "Incorrect app authentication information: signature expired, signature time:"
        "20261120T080000Z,server time:20261120T083000Z"
    )
    body = {"error_code": "APIGW.0303", "error_msg": message, "request_id": "0" * 32}
    rig.control.fault(action="respond", status=401, body=body)

    ((_, reason),) = rig.faults(declared())

    assert "set this machine's clock" in reason


def test_locked_key_is_reported_and_used_again_later(
    simulator: InProcessSimulator, configuration: dict[str, str]
) -> None:
    """A key that other people's wrong signatures locked is reported, and used again later."""
    wrong = {**PERMANENT, "huaweicloud:secretKey": "wrong-on-purpose"}
    for _ in range(6):
        connect_with_key(simulator, configuration, wrong).faults(declared())
    rig = connect_with_key(simulator, configuration, PERMANENT)

    ((_, reason),) = rig.faults(declared())
    rig.control.advance(300)

    assert "the access key is locked after wrong signatures" in reason
    assert not rig.faults(declared())


def test_expired_temporary_key_stops_with_one_message(configuration: dict[str, str]) -> None:
    """If temporary keys expire during a run, the call ends with a remedy, without a loop."""
    world = load_world(DEMO_WORLD)
    world.accounts[0].users[0].access_keys[1].expires_at = "2026-11-20T20:00:00"
    simulator = InProcessSimulator(world)
    try:
        rig = connect_with_key(simulator, configuration, TEMPORARY)
        rig.create(declared())
        rig.control.advance(13 * 3600)
        rig.control.clear_journal()

        with pytest.raises(AuthenticationError) as caught:
            rig.refresh()

        assert "the temporary keys have expired, get new ones" in str(caught.value)
        assert 1 == len(rig.control.journal())
    finally:
        simulator.close()


def test_signed_requests_leave_no_secret(
    simulator: InProcessSimulator, configuration: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    """Outputs, logs and the journal contain no key, token or signature."""
    caplog.set_level("DEBUG")
    rig = connect_with_key(simulator, configuration, TEMPORARY)
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()

    everything = f"{rig.inputs} {rig.outputs} {rig.control.journal()} {caplog.text}"
    for value in (*TEMPORARY.values(), "SDK-HMAC-SHA256"):
        assert value not in everything
