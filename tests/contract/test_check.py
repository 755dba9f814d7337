"""`check` against the simulator: what it prints of each situation, and that it only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands._account import Account
from simulator.testing import InProcessSimulator
from tests.contract.doctor import NORTH_PROJECT, Doctor
from tests.contract.rig import BACKUP, PASSWORD, VAULT, WRITES

pytestmark = pytest.mark.simulator_only

TEXTS = Path(__file__).parents[1] / "fixtures" / "check"
EAST = "cn-east-3"
EAST_PROJECT = "863129926600475a959e8f2efb991722"
BROKEN = "afdb82ff-c7ba-415f-9773-32b07f014082"
EAST_SUBPROJECT = "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0"
OF_FILES = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
SOUTH_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
NOWHERE = "00000000-0000-4000-8000-000000000000"
PERMANENT = {
    "huaweicloud:accessKey": "DEMOACCESSKEY0000001",
    "huaweicloud:secretKey": "not-a-secret-demo-key",
}
SECRETS = (PASSWORD, "not-a-secret-demo-key", "not-a-secret-demo-security-token", "MIIsim")


def make_doctor(simulator: InProcessSimulator) -> Doctor:
    """Return the command, as a stack with user and password runs it."""
    address = f"{simulator.url}/regions/{{region}}"
    configured = {
        "huaweicloud:region": "cn-north-4",
        "huaweicloud:userName": "ops-replicator",
        "huaweicloud:password": PASSWORD,
        "huaweicloud:domainName": "acme-cloud",
        "huaweicloud:endpoints": json.dumps({"cbr": address, "iam": address}),
    }
    return Doctor(simulator, configured)


@pytest.fixture
def doctor(simulator: InProcessSimulator) -> Doctor:
    """The command, with nothing amiss."""
    return make_doctor(simulator)


# -- the situations ---------------------------------------------------------------------------


def perfect(doctor: Doctor) -> Account:
    return doctor.look(EAST)


def perfect_everywhere(doctor: Doctor) -> Account:
    return doctor.look()


def perfect_with_key(doctor: Doctor) -> Account:
    doctor.configured |= PERMANENT
    doctor.environ["HTTPS_PROXY"] = "http://user:proxy-password@proxy.test"
    return doctor.look("cn-south-1")


def perfect_in_a_project(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:projectId"] = NORTH_PROJECT
    return doctor.look(f"{EAST}/{EAST_SUBPROJECT}")


def no_permission(doctor: Doctor) -> Account:
    doctor.deny("ListVault")
    return doctor.look(EAST)


def wrong_project(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:projectId"] = EAST_PROJECT
    return doctor.look(EAST)


def wrong_project_of_destination(doctor: Doctor) -> Account:
    return doctor.look(f"{EAST}/0123456789abcdef0123456789abcdef")


def wrong_project_with_key(doctor: Doctor) -> Account:
    doctor.sign_with(PERMANENT)
    doctor.configured["huaweicloud:projectId"] = EAST_PROJECT
    return doctor.look(EAST)


def no_vault(doctor: Doctor) -> Account:
    return doctor.look("cn-southwest-2")


def skewed_clock(doctor: Doctor) -> Account:
    doctor.sign_with(PERMANENT)
    doctor.ahead_s = 1200.0
    return doctor.look(EAST)


def skewed_clock_with_password(doctor: Doctor) -> Account:
    doctor.ahead_s = -4000.0
    return doctor.look("cn-south-1")


def unreachable(doctor: Doctor) -> Account:
    doctor.network.silent = f"/regions/{EAST}/v3/{EAST_PROJECT}"
    return doctor.look(EAST, "cn-south-1")


def unreachable_source(doctor: Doctor) -> Account:
    doctor.network.silent = "/regions/cn-north-4/"
    return doctor.look("cn-south-1", backup=BACKUP)


def wrong_password(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:password"] = "wrong-on-purpose"
    return doctor.look(EAST, backup=BACKUP)


def wrong_key(doctor: Doctor) -> Account:
    doctor.sign_with({**PERMANENT, "huaweicloud:secretKey": "wrong-on-purpose"})
    return doctor.look(EAST)


def no_credentials(doctor: Doctor) -> Account:
    doctor.sign_with({})
    return doctor.look(EAST)


def malformed_settings(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:region"] = "no region"
    return doctor.look(EAST)


def no_region(doctor: Doctor) -> Account:
    del doctor.configured["huaweicloud:region"]
    return doctor.look(EAST, backup=BACKUP)


def no_such_pair(doctor: Doctor) -> Account:
    return doctor.look("ap-southeast-3")


def backup_to_all(doctor: Doctor) -> Account:
    return doctor.look(EAST, backup=BACKUP)


def backup_unfit(doctor: Doctor) -> Account:
    return doctor.look("cn-south-1", backup=BROKEN)


def backup_missing(doctor: Doctor) -> Account:
    return doctor.look("cn-south-1", backup=NOWHERE)


def backup_to_vaults_of_another_kind(doctor: Doctor) -> Account:
    return doctor.look("cn-south-1", backup=OF_FILES)


def backup_copied(doctor: Doctor) -> Account:
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT)
    return doctor.look(EAST, backup=BACKUP)


def backup_not_readable(doctor: Doctor) -> Account:
    doctor.deny("ShowBackup")
    return doctor.look("cn-south-1", backup=BACKUP)


def vault_not_readable(doctor: Doctor) -> Account:
    doctor.deny("ShowVault")
    return doctor.look("cn-south-1", backup=BACKUP)


def no_permission_anywhere(doctor: Doctor) -> Account:
    doctor.deny("ListVault")
    return doctor.look()


def no_usable_vault(doctor: Doctor) -> Account:
    doctor.control.change_vault(SOUTH_VAULT, status="frozen")
    return doctor.look("cn-south-1", backup=BACKUP)


def no_way_out(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:region"] = "cn-south-1"
    return doctor.look(backup=BACKUP)


def projects_not_listed(doctor: Doctor) -> Account:
    doctor.configured |= {"huaweicloud:projectId": NORTH_PROJECT, "huaweicloud:insecure": "true"}
    doctor.deny("ListProjects")
    return doctor.look("cn-south-1")


def iam_unreachable_with_key(doctor: Doctor) -> Account:
    doctor.sign_with(PERMANENT)
    doctor.configured["huaweicloud:projectId"] = NORTH_PROJECT
    doctor.network.silent = "/v3/projects"
    return doctor.look("cn-south-1", backup=BACKUP)


def token_of_one_project(doctor: Doctor) -> Account:
    token = doctor.fetch_token("cn-north-4", NORTH_PROJECT)
    doctor.sign_with({"huaweicloud:tokens": {NORTH_PROJECT: token}})
    return doctor.look("cn-south-1")


def token_of_another_project(doctor: Doctor) -> Account:
    token = doctor.fetch_token("cn-east-3", EAST_PROJECT)
    doctor.sign_with({"huaweicloud:token": token})
    return doctor.look("cn-south-1")


def service_at_fault(doctor: Doctor) -> Account:
    body = {"error_code": "BackupService.9910", "error_msg": "Unknown error."}
    doctor.control.fault(
        operation="ShowReplicationCapabilities", action="respond", status=500, body=body, times=9
    )
    return doctor.look()


def no_answer(doctor: Doctor) -> Account:
    doctor.control.fault(operation="ListVault", action="drop_before", times=9)
    return doctor.look("cn-south-1")


def wrong_project_and_no_iam(doctor: Doctor) -> Account:
    doctor.sign_with(PERMANENT)
    doctor.configured["huaweicloud:projectId"] = EAST_PROJECT
    doctor.network.silent = "/v3/projects"
    return doctor.look()


def refused_on_the_way(doctor: Doctor) -> Account:
    body = {"error_code": "APIGW.0301", "error_msg": "decrypt token fail"}
    doctor.control.fault(operation="ListBackups", action="respond", status=401, body=body, times=9)
    return doctor.look()


SITUATIONS: dict[str, Callable[[Doctor], Account]] = {
    make.__name__: make
    for make in (
        perfect,
        perfect_everywhere,
        perfect_with_key,
        perfect_in_a_project,
        no_permission,
        wrong_project,
        wrong_project_with_key,
        wrong_project_of_destination,
        no_vault,
        skewed_clock,
        skewed_clock_with_password,
        unreachable,
        unreachable_source,
        wrong_password,
        wrong_key,
        no_credentials,
        malformed_settings,
        no_region,
        no_such_pair,
        backup_to_all,
        backup_unfit,
        backup_missing,
        backup_to_vaults_of_another_kind,
        backup_copied,
        backup_not_readable,
        vault_not_readable,
        no_permission_anywhere,
        no_usable_vault,
        no_way_out,
        projects_not_listed,
        iam_unreachable_with_key,
        token_of_one_project,
        token_of_another_project,
        service_at_fault,
        no_answer,
        wrong_project_and_no_iam,
        refused_on_the_way,
    )
}
ALL_WELL = {"perfect", "perfect_everywhere", "perfect_with_key"} | {
    "perfect_in_a_project",
    "backup_to_all",
    "backup_copied",
}


@dataclass(frozen=True)
class Seen:
    """What came of one situation: the lines, the document, and what was sent to get them."""

    name: str
    text: str
    document: dict[str, Any]
    sent: list[dict[str, Any]]


@pytest.fixture(scope="module", params=SITUATIONS)
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """Each situation, brought about once for all that holds in it."""
    simulator = InProcessSimulator()
    doctor = make_doctor(simulator)
    account = SITUATIONS[request.param](doctor)
    yield Seen(request.param, doctor.shown(account), account.to_json(), doctor.control.journal())
    simulator.close()


def test_situation_is_told_word_for_word(seen: Seen) -> None:
    """What is well, what is not, and what to do about it, in these words."""
    assert (TEXTS / f"{seen.name}.txt").read_text() == seen.text


def test_situation_is_well_or_names_what_to_do(seen: Seen) -> None:
    """Only where all is well there is nothing to do; each thing to do tells how."""
    document = seen.document
    looks = [document, document["source"], *document["destinations"], document["backup"]]
    remarks = [remark for look in looks if look for remark in look["remarks"]]
    to_do = [remark for remark in remarks if remark["is_to_do"]]

    assert (seen.name in ALL_WELL) == document["is_ready"]
    assert (seen.name in ALL_WELL) == (not to_do)
    assert len(to_do) == seen.text.count("  TO DO ")
    assert all(remark["remedy"] or ";" in remark["observed"] for remark in to_do)


def test_situation_shows_no_secret(seen: Seen) -> None:
    """Neither lines nor JSON hold a password, a key, a token, or what a proxy's address hides."""
    printed = seen.text + json.dumps(seen.document)

    secrets = (*SECRETS, *PERMANENT.values(), "wrong-on-purpose", "proxy-password")
    assert [] == [secret for secret in secrets if secret in printed]


def test_situation_is_only_read(seen: Seen) -> None:
    """Nothing is sent that could change anything; signing in is all that is posted."""
    writes = {entry["operation"] for entry in seen.sent if entry["method"] in WRITES}

    assert {"CreateToken"} >= writes


def test_texts_are_all_of_situations() -> None:
    """No text is left of a situation that nobody tries any more."""
    assert set(SITUATIONS) == {path.stem for path in TEXTS.iterdir()}


@pytest.mark.parametrize(
    ("situation", "operation"), [(wrong_password, "CreateToken"), (wrong_key, None)]
)
def test_refused_credentials_are_sent_once(
    doctor: Doctor, situation: Callable[[Doctor], Account], operation: str | None
) -> None:
    """Whatever else there is to ask, wrong credentials lock nobody out."""
    situation(doctor)

    sent = doctor.control.journal()
    assert [operation or "ListProjects"] == [entry["operation"] for entry in sent]


def test_silent_address_is_tried_twice_and_the_rest_is_seen(doctor: Doctor) -> None:
    """Who waits for the command waits for a few attempts; another region is seen all the same."""
    account = unreachable(doctor)

    assert 2 == len(doctor.network.tried)
    east, south = account.destinations
    assert (None, 1) == (east.vaults, len(south.vaults or ()))


def test_backup_that_vanishes_meanwhile_tells_of_the_permission(doctor: Doctor) -> None:
    """Whoever is told that something does not exist was allowed to ask."""
    body = {"error_code": "BackupService.6200", "error_msg": "The backup does not exist."}
    doctor.control.fault(operation="ShowBackup", action="respond", status=404, body=body)

    account = doctor.look("cn-south-1")

    assert account.source is not None
    assert "granted" == account.source.permissions["cbr:backups:get"]
    assert 0 == account.to_do_count


def test_nothing_is_asked_of_a_region_that_cannot_be_copied_to(doctor: Doctor) -> None:
    """Such a region need not even exist."""
    doctor.look("xx-nowhere-1")

    assert {"cn-north-4"} == {entry["region"] for entry in doctor.control.journal()}


@pytest.mark.parametrize(
    ("document", "name"), [("README.md", "no_vault"), ("docs/user-guide.md", "backup_to_all")]
)
def test_output_in_documents_is_real(document: str, name: str) -> None:
    """What users are shown is what is printed, line by line."""
    text = (Path(__file__).parents[2] / document).read_text()

    assert f"```\n{(TEXTS / f'{name}.txt').read_text()}```" in text
