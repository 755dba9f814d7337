"""`check` against the simulator: what it prints in each situation, and that it only reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from pulumi_huaweicloud_cbr.commands.account.check.report import Account, CopyLook
from simulator.testing import InProcessSimulator
from tests.contract.doctor import NORTH_PROJECT, Doctor
from tests.contract.rig import BACKUP, PASSWORD, PERMANENT, VAULT, WRITES
from tests.contract.situations import (
    ALL_WELL,
    EAST,
    EAST_PROJECT,
    FILE_REPLICAS,
    FILES,
    SITUATIONS,
    TEXTS,
    declare,
    in_state,
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


# -- the copies of a stack --------------------------------------------------------------------


def declared(doctor: Doctor, **entry: Any) -> CopyLook:
    """Examine a stack that declares one copy, and nothing in its state."""
    declare(
        doctor,
        replications=[
            {
                "name": "erp",
                "backup_id": BACKUP,
                "destinations": [{"region": EAST, "vault_id": VAULT}],
                **entry,
            }
        ],
    )
    (look,) = doctor.look(owner="shop/prod", deployment={}).copies
    return look


def test_copy_that_exists_is_there(doctor: Doctor) -> None:
    """A copy outside the state is adopted by the next `up`."""
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT)

    look = declared(doctor)

    assert (0, 1, 0, []) == (look.possible, look.copied, look.in_state, look.remarks)


def test_copy_that_may_not_be_adopted_is_to_do(doctor: Doctor) -> None:
    """The entry's own `adopt` counts, as in a preview."""
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT)

    (remark,) = declared(doctor, adopt=False).remarks

    assert remark.is_to_do
    assert "adopt" in str(remark)


def test_copy_from_another_region_is_asked_there(doctor: Doctor) -> None:
    """An entry may name its source, which is looked up like that of the stack."""
    look = declared(doctor, source_region="cn-south-1")

    assert 0 == look.possible
    assert any("does not exist in region 'cn-south-1'" in str(found) for found in look.remarks)


def test_copy_from_a_given_project_is_asked_there(doctor: Doctor) -> None:
    """A project of the source region that is not the default one."""
    look = declared(doctor, source_region="cn-north-4", source_project_id=NORTH_PROJECT)

    assert 1 == look.possible


def test_copy_whose_query_fails_is_to_do_once(doctor: Doctor) -> None:
    """A missing permission that the region's part names already is a note here."""
    doctor.deny("ListBackups")
    doctor.deny("ShowBackup")
    doctor.deny("ListVault")
    doctor.deny("ShowVault")

    look = declared(doctor)

    assert look.remarks
    assert not any(remark.is_to_do for remark in look.remarks)


def test_vault_in_the_state_is_not_looked_at(doctor: Doctor) -> None:
    """An entire vault that is copied already may be full by now."""
    place = {"destinations": [{"region": EAST, "vault_id": FILE_REPLICAS}]}
    declare(doctor, vaults=[{"name": "files", "vault_id": FILES, **place}])
    deployment = in_state(vault_id=FILE_REPLICAS)
    deployment["resources"][0]["outputs"]["vault_id"] = FILES

    (look,) = doctor.look(owner="shop/prod", deployment=deployment).copies

    assert (0, 1, []) == (look.possible, look.in_state, look.remarks)


def test_stack_s_destinations_are_looked_at(doctor: Doctor) -> None:
    """Without --destination, only the regions that the stack copies to are examined."""
    declared(doctor)

    account = doctor.look(deployment={})

    assert [(EAST, True)] == [(look.region, look.is_asked) for look in account.destinations]


def test_list_of_backups_that_may_not_be_read_is_to_do(doctor: Doctor) -> None:
    """The missing permission is named; nothing is listed."""
    doctor.deny("ListBackups")

    account = doctor.look(EAST, is_listing=True)

    assert account.backups is None
    assert account.to_do_count


def test_list_of_backups_has_their_ages(doctor: Doctor) -> None:
    """The document has seconds, the exact time, and the vault."""
    account = doctor.look(EAST, is_listing=True)

    assert account.backups is not None
    erp = next(backup for backup in account.backups if backup.id == BACKUP)
    assert ("erp-db-01", 120, "available") == (erp.resource_name, erp.size_gb, erp.status)
    assert erp.age_s is not None
    assert 0 < erp.age_s < 86_400


def test_list_of_backups_needs_a_source(doctor: Doctor) -> None:
    """If the source cannot be looked at, its fault is told, and there is no list."""
    doctor.configured["huaweicloud:password"] = "wrong-on-purpose"

    assert doctor.look(EAST, is_listing=True).backups is None


def test_list_of_backups_is_the_only_one_of_the_source(doctor: Doctor) -> None:
    """It shows the permission as well, so that no other page of backups is read there."""
    doctor.look(EAST, is_listing=True)

    lists = doctor.control.journal(operation="ListBackups")
    assert ["cn-east-3", "cn-north-4"] == sorted(one["region"] for one in lists)
