"""`check` against the simulator: what it prints in each situation, and that it only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands.check.account import Account
from simulator.testing import InProcessSimulator
from tests.contract.doctor import Doctor
from tests.contract.rig import PASSWORD, PERMANENT, WRITES
from tests.contract.situations import (
    ALL_WELL,
    SITUATIONS,
    TEXTS,
    make_doctor,
    unreachable,
    wrong_key,
    wrong_password,
)

pytestmark = pytest.mark.simulator_only

SECRETS = (PASSWORD, "not-a-secret-demo-key", "not-a-secret-demo-security-token", "MIIsim")


@pytest.fixture
def doctor(simulator: InProcessSimulator) -> Doctor:
    """The command for an account without problems."""
    return make_doctor(simulator)


@dataclass(frozen=True)
class Seen:
    """The results of one situation: the lines, the document, and the requests."""

    name: str
    text: str
    document: dict[str, Any]
    sent: list[dict[str, Any]]


@pytest.fixture(scope="module", params=SITUATIONS)
def seen(request: pytest.FixtureRequest) -> Iterator[Seen]:
    """Each situation, run once for all tests about it."""
    simulator = InProcessSimulator()
    doctor = make_doctor(simulator)
    account = SITUATIONS[request.param](doctor)
    yield Seen(request.param, doctor.shown(account), account.to_json(), doctor.control.journal())
    simulator.close()


def test_situation_is_printed_word_for_word(seen: Seen) -> None:
    """Results, problems and remedies are printed in exactly these words."""
    assert (TEXTS / f"{seen.name}.txt").read_text() == seen.text


def test_situation_is_ready_or_has_a_remedy(seen: Seen) -> None:
    """Only an account without problems has no remedies; each problem has one."""
    document = seen.document
    looks = [document, document["source"], *document["destinations"], document["backup"]]
    looks += document["copies"]
    remarks = [remark for look in looks if look for remark in look["remarks"]]
    to_do = [remark for remark in remarks if remark["is_to_do"]]

    assert (seen.name in ALL_WELL) == document["is_ready"]
    assert (seen.name in ALL_WELL) == (not to_do)
    assert len(to_do) == seen.text.count("  TO DO ")
    assert all(remark["remedy"] or ";" in remark["observed"] for remark in to_do)


def test_situation_shows_no_secret(seen: Seen) -> None:
    """Neither lines nor JSON contain a password, a key, a token, or a proxy's credentials."""
    printed = seen.text + json.dumps(seen.document)

    secrets = (*SECRETS, *PERMANENT.values(), "wrong-on-purpose", "proxy-password")
    assert [] == [secret for secret in secrets if secret in printed]


def test_situation_is_only_read(seen: Seen) -> None:
    """No request changes anything; the only POST requests are sign-ins."""
    writes = {entry["operation"] for entry in seen.sent if entry["method"] in WRITES}

    assert {"CreateToken"} >= writes


def test_each_text_belongs_to_a_situation() -> None:
    """Each text file belongs to a situation that is still tested."""
    assert set(SITUATIONS) == {path.stem for path in TEXTS.iterdir()}


@pytest.mark.parametrize(
    ("situation", "operation"), [(wrong_password, "CreateToken"), (wrong_key, None)]
)
def test_refused_credentials_are_sent_once(
    doctor: Doctor, situation: Callable[[Doctor], Account], operation: str | None
) -> None:
    """Wrong credentials are sent once, whatever else is asked, so nobody is locked out."""
    situation(doctor)

    sent = doctor.control.journal()
    assert [operation or "ListProjects"] == [entry["operation"] for entry in sent]


def test_silent_address_is_tried_twice_and_the_rest_is_checked(doctor: Doctor) -> None:
    """A user waits for a few attempts only; the other region is still checked."""
    account = unreachable(doctor)

    assert 2 == len(doctor.network.tried)
    east, south = account.destinations
    assert (None, 1) == (east.vaults, len(south.vaults or ()))


def test_backup_that_vanishes_meanwhile_proves_the_permission(doctor: Doctor) -> None:
    """An answer that something does not exist proves the permission to ask."""
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
