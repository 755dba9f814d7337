"""Keys that the vendor's SDK finds, against the simulator: find, sign, renew, revoke."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huaweicloudsdkcore.auth.internal import MetadataAccessor

from pulumi_huaweicloud_cbr import AuthenticationError
from pulumi_huaweicloud_cbr.api.auth import chain
from simulator.testing import InProcessSimulator
from tests.contract.issuer import NO_AGENCY, Issuer, open_issuer
from tests.contract.rig import Rig, connect, declared

pytestmark = pytest.mark.simulator_only

Prepare = Callable[[pytest.MonkeyPatch, Issuer, Path], None]


@pytest.fixture
def issuer(simulator: InProcessSimulator) -> Iterator[Issuer]:
    """The issuer of keys."""
    with open_issuer(simulator) as issuer:
        yield issuer


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Use no proxy between the client and this machine."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def configuration(simulator: InProcessSimulator) -> dict[str, str]:
    """A configuration without credentials, with the address of IAM."""
    return {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:endpoints": json.dumps({"cbr": simulator.url}),
    }


def use_metadata(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Put the metadata service at another address."""
    monkeypatch.setattr(chain, "METADATA_URL", url)
    monkeypatch.setattr(MetadataAccessor, "_METADATA_ENDPOINT", url)


def use_agency(monkeypatch: pytest.MonkeyPatch, issuer: Issuer, _: Path) -> None:
    """Be a server with an agency."""
    use_metadata(monkeypatch, issuer.url)


def use_oidc(monkeypatch: pytest.MonkeyPatch, issuer: Issuer, directory: Path) -> None:
    """Be a CI job with a token of its own."""
    token_file = directory / "oidc-token"
    token_file.write_text("not.a-secret.oidc-1")
    monkeypatch.setenv("HUAWEICLOUD_SDK_STS_ENDPOINT", issuer.url)
    monkeypatch.setenv("HUAWEICLOUD_OIDC_PROVIDER_URN", "iam::acme:oidcProvider:ci")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_AGENCY_URN", "iam::acme:agency:deploy")
    monkeypatch.setenv("HUAWEICLOUD_OIDC_TOKEN_FILE", str(token_file))


def use_identity_provider(monkeypatch: pytest.MonkeyPatch, issuer: Issuer, directory: Path) -> None:
    """Be known to an identity provider."""
    token_file = directory / "id-token"
    token_file.write_text("not.a-secret.id-1")
    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", issuer.url)
    monkeypatch.setenv("HUAWEICLOUD_SDK_IDP_ID", "ci")
    monkeypatch.setenv("HUAWEICLOUD_SDK_ID_TOKEN_FILE", str(token_file))


def use_profile_of_identity_provider(
    monkeypatch: pytest.MonkeyPatch, issuer: Issuer, directory: Path
) -> None:
    """Set the same in the profile file."""
    token_file = directory / "id-token"
    token_file.write_text("not.a-secret.id-1")
    profile = directory / "profile"
    profile.write_text(
        f"[basic]\nidp_id = ci\nid_token_file = {token_file}\niam_endpoint = {issuer.url}\n"
    )
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", str(profile))


def use_pod(monkeypatch: pytest.MonkeyPatch, issuer: Issuer, directory: Path) -> None:
    """Be a pod with an identity."""
    token_file = directory / "pod-token"
    token_file.write_text("not-a-secret-pod-token-1")
    monkeypatch.setenv("HC_CONTAINER_CREDENTIALS_FULL_URI", f"{issuer.url}/pod")
    monkeypatch.setenv("HC_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token_file))


Connect = Callable[[Prepare], Rig]


@pytest.fixture
def connect_as(
    simulator: InProcessSimulator,
    configuration: dict[str, str],
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Connect:
    """Return a factory of providers that find their keys in one of the ways."""

    def prepare_and_connect(prepare: Prepare) -> Rig:
        prepare(monkeypatch, issuer, tmp_path)
        return connect(simulator, configuration)

    return prepare_and_connect


WAYS = pytest.mark.parametrize(
    "prepare",
    [use_agency, use_oidc, use_identity_provider, use_profile_of_identity_provider, use_pod],
    ids=["agency", "oidc", "identity-provider", "profile", "pod"],
)


@WAYS
def test_found_keys_carry_a_replica_through_thirty_hours(
    connect_as: Connect, issuer: Issuer, prepare: Prepare
) -> None:
    """Keys of two hours are renewed in time, in each way: no call fails, and nobody signs in."""
    rig = connect_as(prepare)
    rig.create(declared())
    for _ in range(30):
        rig.control.advance(3600)
        assert rig.refresh()
    rig.delete()

    seen = rig.control.journal()
    assert {200, 204, 404} >= {entry["status"] for entry in seen}
    assert all("authorization" in entry["headers"] for entry in seen)
    assert [] == rig.replicas
    assert 16 == len(issuer.issued)


def test_found_keys_leave_no_secret(
    connect_as: Connect,
    issuer: Issuer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Outputs and logs contain neither the keys nor the tokens that they were obtained with."""
    caplog.set_level("DEBUG")
    rig = connect_as(use_oidc)
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()

    (key,) = issuer.issued[-1:]
    everything = f"{rig.inputs} {rig.outputs} {rig.control.journal()} {caplog.text}"
    for value in (key.secret_key, key.security_token, key.access_key, "not.a-secret.oidc-1"):
        assert str(value) not in everything


@pytest.mark.parametrize("prepare", [use_oidc, use_pod], ids=["oidc", "pod"])
def test_token_is_read_again_for_each_renewal(
    connect_as: Connect,
    issuer: Issuer,
    tmp_path: Path,
    prepare: Prepare,
) -> None:
    """The token is read from its file for each renewal: an hours-old one would be refused."""
    rig = connect_as(prepare)
    rig.create(declared())
    (token_file,) = tmp_path.glob("*-token")
    token_file.write_text(f"{token_file.read_text()[:-1]}2")
    rig.control.advance(7200)
    assert rig.refresh()

    shown = [body.get("id_token") or body["authorization"] for _, body in issuer.asked]
    assert ["1", "2"] == [str(token)[-1] for token in shown]


def test_revoked_agency_stops_with_one_message(connect_as: Connect, issuer: Issuer) -> None:
    """With a revoked credential, each call ends without a request, after one renewal at most."""
    rig = connect_as(use_agency)
    rig.create(declared())
    rig.control.advance(3600)
    assert rig.refresh()
    issuer.revoke()
    issued = len(issuer.issued)
    rig.control.clear_journal()

    messages = set()
    for _ in range(5):
        with pytest.raises(AuthenticationError) as caught:
            rig.refresh()
        messages.add(caught.value.remedy)

    ((_, reason),) = rig.faults(declared())

    assert "less than 5 minutes ago" in reason
    assert 1 == len(messages)
    assert "the keys come from this server's agency" in str(messages)
    assert issued + 1 == len(issuer.issued)
    assert [401, 401] == [entry["status"] for entry in rig.control.journal()]


def test_removed_agency_is_reported(connect_as: Connect, issuer: Issuer) -> None:
    """A server that has lost its agency reports it, and how else to sign in."""
    rig = connect_as(use_agency)
    rig.create(declared())
    issuer.refusal = (404, NO_AGENCY)
    rig.control.advance(7200)
    rig.control.clear_journal()

    for _ in range(3):
        ((_, reason),) = rig.faults(declared())

    assert f"gives none: HTTP 404: {NO_AGENCY}; set huaweicloud:accessKey" in reason
    assert [] == rig.control.journal()


@pytest.mark.parametrize("prepare", [use_oidc, use_identity_provider], ids=["oidc", "idp"])
def test_refused_token_is_reported_with_its_remedy(
    connect_as: Connect, issuer: Issuer, prepare: Prepare
) -> None:
    """A token that IAM refuses is one error, after one request."""
    issuer.refusal = (401, {"error_code": "IAM.0064", "error_msg": "The token is stale."})
    rig = connect_as(prepare)

    for _ in range(3):
        ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "The token is stale" in reason
    assert "is fresh" in reason
    assert 1 == len(issuer.asked)
    assert [] == rig.control.journal()


def test_no_credentials_anywhere_is_reported_without_a_wait(
    simulator: InProcessSimulator, configuration: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """If no metadata service answers, the ways to sign in are listed after one try."""
    tries: list[Any] = []

    def connect_to(address: Any, *limits: float) -> socket.socket:
        tries.append((address, limits))
        raise TimeoutError("timed out")

    monkeypatch.setattr(socket, "create_connection", connect_to)
    rig = connect(simulator, configuration)

    for _ in range(4):
        ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "no credentials are configured, and this machine's metadata service" in reason
    assert "timed out; set huaweicloud:accessKey" in reason
    assert "HW_AUTH_TOKEN" in reason
    assert [(("169.254.169.254", 80), (chain.METADATA_CONNECT_S,))] == tries
    assert [] == rig.control.journal()


def test_unreachable_identity_provider_is_reported(
    simulator: InProcessSimulator,
    configuration: dict[str, str],
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """An STS that does not answer is one error; no other identity is used instead."""
    use_agency(monkeypatch, issuer, tmp_path)
    use_oidc(monkeypatch, issuer, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setenv("HUAWEICLOUD_SDK_STS_ENDPOINT", f"http://127.0.0.1:{port}")
    rig: Rig = connect(simulator, configuration)

    ((_, reason),) = rig.faults(declared())

    assert "getting keys with an OIDC token: " in reason
    assert [] == issuer.issued
