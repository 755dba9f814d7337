"""Preflight reports in a preview what CopyBackup would refuse, and the simulator agrees."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.dynamic import Config, ConfigureRequest, ResourceProvider
from pulumi.output import Unknown

from pulumi_huaweicloud_cbr import (
    ApiError,
    BackupReplicationProvider,
    BackupReplicationSetProvider,
    VaultReplicationProvider,
)
from pulumi_huaweicloud_cbr.engine.session import Session
from simulator.testing import InProcessSimulator
from tests.contract.rig import BACKUP, VAULT, Rig, declared
from tests.contract.test_vault import SOURCE_VAULT

pytestmark = pytest.mark.simulator_only

BROKEN = "afdb82ff-c7ba-415f-9773-32b07f014082"
IN_THE_MAKING = "b0ec9300-d8cb-4260-8884-43c180125193"
WITHOUT_SYSTEM_DISK = "c1fda411-e9dc-4371-9995-54d2912362a4"
OF_A_DISK = "d20eb522-faed-4482-8aa6-65e3a23473b5"
OF_BARE_METAL = "e31fc633-0bfe-4593-9bb7-76f4b34584c6"
A_REPLICA = "f420d744-1c0f-46a4-8cc8-8705c45695d7"
OF_FILES = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
NOWHERE = "00000000-0000-4000-8000-000000000000"
NOT_FOR_REPLICAS = "91a2b3c4-d5e6-4f70-8192-a3b4c5d6e7f8"
FULL = "a2b3c4d5-e6f7-4081-92a3-b4c5d6e7f809"
TIGHT = "b3c4d5e6-f708-4192-a3b4-c5d6e7f8091a"
FROZEN = "c4d5e6f7-0819-42a3-b4c5-d6e7f8091a2b"

REFUSALS = [
    pytest.param({"backup_id": NOWHERE}, "backup_id", "does not exist", "6200", id="no-backup"),
    pytest.param({"backup_id": BROKEN}, "backup_id", "status 'error'", "1001", id="broken"),
    pytest.param(
        {"backup_id": IN_THE_MAKING}, "backup_id", "status 'protecting'", "1001", id="unfinished"
    ),
    pytest.param(
        {"backup_id": A_REPLICA}, "backup_id", "is itself a replica", "1002", id="replica"
    ),
    pytest.param({"backup_id": OF_BARE_METAL}, "backup_id", "not an ECS", "1003", id="bare-metal"),
    pytest.param(
        {"backup_id": WITHOUT_SYSTEM_DISK}, "backup_id", "system disk", "1004", id="no-system-disk"
    ),
    pytest.param({"backup_id": OF_A_DISK}, "backup_id", "cannot be copied", "6122", id="disk"),
    pytest.param(
        {"destination_region": "ap-southeast-3"},
        "destination_region",
        "choose one of: cn-east-3, cn-south-1, cn-southwest-2",
        "1005",
        id="no-such-pair",
    ),
    pytest.param(
        {"destination_region": "cn-north-4"},
        "destination_region",
        "is the source region itself",
        "1005",
        id="same-region",
    ),
    pytest.param(
        {"destination_vault_id": NOWHERE},
        "destination_vault_id",
        "does not exist",
        "6120",
        id="no-vault",
    ),
    pytest.param(
        {"destination_vault_id": NOT_FOR_REPLICAS},
        "destination_vault_id",
        "want 'replication'",
        "6119",
        id="backup-vault",
    ),
    pytest.param(
        {"destination_vault_id": FULL}, "destination_vault_id", "is full", "6129", id="full"
    ),
    pytest.param(
        {"destination_vault_id": FROZEN},
        "destination_vault_id",
        "settle its bill",
        "6112",
        id="frozen",
    ),
    pytest.param(
        {"backup_id": OF_FILES}, "destination_vault_id", "want 'turbo'", "6102", id="other-type"
    ),
]


@pytest.mark.parametrize(("change", "field", "words", "code"), REFUSALS)
def test_preflight_refuses_what_the_api_refuses(
    rig: Rig, change: dict[str, Any], field: str, words: str, code: str
) -> None:
    """Each refusal of the API is reported beforehand, on the input to change, with a remedy."""
    program = declared(**change)

    findings = rig.faults(program)

    assert field in [found for found, _ in findings]
    reason = next(reason for found, reason in findings if found == field)
    assert words in reason
    assert ";" in reason
    assert [] == rig.writes()
    inputs = rig.provider.check({}, {**program, "preflight": "off"}).inputs
    with pytest.raises(ApiError) as caught:
        rig.provider.create(inputs)
    assert f"BackupService.{code}" == caught.value.code


def test_preflight_reports_all_failures_at_once(rig: Rig) -> None:
    """A bad backup and a bad vault are reported together."""
    fields = [
        field for field, _ in rig.faults(declared(backup_id=BROKEN, destination_vault_id=NOWHERE))
    ]

    assert ["backup_id", "destination_vault_id"] == sorted(fields)


def test_preflight_tight_vault_is_only_a_warning(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    """Less room than the resource's size may be enough, so it is a warning."""
    assert [] == rig.faults(declared(destination_vault_id=TIGHT))
    assert "50.0 GB free" in capfd.readouterr().err


@pytest.mark.parametrize(
    "unknown", ["backup_id", "destination_vault_id", "destination_region", "destination_project_id"]
)
def test_preflight_unknown_input_skips_its_checks(rig: Rig, unknown: str) -> None:
    """An unknown input is not a failure; the others are still checked."""
    program = {**declared(), unknown: Unknown()}  # type: ignore[no-untyped-call]
    assert [] == rig.faults(program)

    bad = {"destination_vault_id": FULL} if unknown == "backup_id" else {"backup_id": BROKEN}
    assert 1 == len(rig.faults({**program, **bad}))


def test_preflight_warn_only_warns(rig: Rig, capfd: pytest.CaptureFixture[str]) -> None:
    """With `warn` the same failures are warnings, and the preview continues."""
    assert [] == rig.faults(declared(backup_id=BROKEN, preflight="warn"))
    assert "status 'error'" in capfd.readouterr().err


def test_preflight_off_asks_nothing_and_says_so(
    rig: Rig, capfd: pytest.CaptureFixture[str]
) -> None:
    """With `off` no request is sent, not even a sign-in, and a line says what was not checked."""
    assert [] == rig.faults(declared(backup_id=BROKEN, preflight="off"))

    assert [] == rig.control.journal()
    shown = capfd.readouterr()
    assert "preflight is off: not checked" in shown.out + shown.err


def test_preflight_of_replacement_ignores_its_own_predecessor(rig: Rig) -> None:
    """The replica that is to be replaced does not block its successor."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    other = declared(destination_vault_id="0b7e6f3c-54a1-4c7e-8a52-3f0d9c1e2b4a")

    assert rig.diff(other).delete_before_replace
    # The engine checks the replacement as a new resource, after the diff.
    assert [] == rig.faults(other)


def test_preflight_no_op_makes_no_call(rig: Rig) -> None:
    """An unchanged resource is checked and compared without a request."""
    rig.create(declared())
    rig.finish_copies()
    rig.refresh()
    rig.control.clear_journal()

    assert not rig.diff(declared()).changes
    assert [] == rig.control.journal()


def test_preflight_unknown_region_is_reported_without_a_request_to_it(rig: Rig) -> None:
    """A region that is no destination is reported by the source; it need not even exist."""
    ((field, reason),) = rig.faults(declared(destination_region="xx-nowhere-1"))

    assert "destination_region" == field
    assert "choose one of:" in reason
    assert {"cn-north-4"} == {entry["region"] for entry in rig.control.journal()}


def test_preflight_with_capabilities_of_another_name_goes_on(rig: Rig) -> None:
    """The answer does not name our region, so it does not say that CBR cannot copy."""
    regions = [{"name": "southchina", "replication_destinations": ["cn-south-1"]}]
    rig.control.fault(
        operation="ShowReplicationCapabilities",
        action="respond",
        status=200,
        body={"regions": regions},
    )

    assert [] == rig.faults(declared())


def test_preflight_api_out_of_reach_is_one_message(rig: Rig) -> None:
    """If the API cannot be reached, the preview fails once, and says how to skip preflight."""
    rig.control.fault(
        operation="ShowReplicationCapabilities",
        action="respond",
        status=403,
        body={"error_code": "APIGW.0302", "error_msg": "not authorized", "request_id": "0" * 32},
    )

    ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "APIGW.0302" in reason
    assert "preflight 'off'" in reason


@pytest.mark.usefixtures("access_key")
def test_preflight_destination_without_a_project_blames_its_region(rig: Rig) -> None:
    """If IAM shows no project with the region's name, the region is the input to change."""
    nothing: dict[str, Any] = {"links": {}, "projects": []}
    rig.control.fault(operation="ListProjects", skip=1, action="respond", status=200, body=nothing)

    ((field, reason),) = rig.faults(declared())

    assert "destination_region" == field
    assert "'cn-east-3' in IAM: found 0 of that name" in reason


@pytest.mark.parametrize(
    "refused",
    [
        pytest.param({"operation": "ListProjects", "skip": 1}, id="project"),
        pytest.param({"operation": "ShowVault"}, id="vault"),
        pytest.param({"operation": "ShowBackup", "region": "cn-east-3"}, id="replica"),
    ],
)
@pytest.mark.usefixtures("access_key")
def test_preflight_destination_that_cannot_be_asked_is_reported(
    rig: Rig, refused: dict[str, Any]
) -> None:
    """If the destination cannot be checked, the preview reports that, and nothing else."""
    rig.create(declared())
    rig.finish_copies()
    body = {"error_code": "APIGW.0302", "error_msg": "not authorized", "request_id": "0" * 32}
    rig.session.close()
    rig.session._project_ids.clear()
    rig.control.fault(**refused, action="respond", status=403, body=body)

    ((field, reason),) = rig.faults(declared())

    assert "" == field
    assert "APIGW.0302" in reason
    assert "preflight 'off'" in reason


TO = {"destination_region": "cn-east-3", "destination_vault_id": VAULT}
FORMS = [
    pytest.param(BackupReplicationProvider, {"backup_id": BACKUP, **TO}, id="single"),
    pytest.param(BackupReplicationSetProvider, {"backups": [BACKUP], **TO}, id="set"),
    pytest.param(VaultReplicationProvider, {"vault_id": SOURCE_VAULT, **TO}, id="vault"),
]


def rig_of(
    provider: type[ResourceProvider],
    simulator: InProcessSimulator,
    session: Session,
    configuration: dict[str, str],
) -> Rig:
    """Return a rig for a provider of that form."""
    made = provider()
    made.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return Rig(made, simulator.control, session)


@pytest.mark.usefixtures("access_key")
@pytest.mark.parametrize(("provider", "program"), FORMS)
def test_preflight_returns_the_projects_that_it_looked_up(
    simulator: InProcessSimulator,
    session: Session,
    configuration: dict[str, str],
    provider: type[ResourceProvider],
    program: dict[str, Any],
) -> None:
    """Each form stores the projects of both regions in its checked inputs."""
    rig = rig_of(provider, simulator, session, configuration)

    checked = rig.provider.check({}, program)

    assert [] == checked.failures
    assert "c6cb0876eaee4f5092d0fdf4c4fc09b3" == checked.inputs["source_project_id"]
    assert "863129926600475a959e8f2efb991722" == checked.inputs["destination_project_id"]


@pytest.mark.usefixtures("access_key")
@pytest.mark.parametrize(("provider", "program"), FORMS)
def test_preflight_source_without_a_project_blames_its_region(
    simulator: InProcessSimulator,
    session: Session,
    configuration: dict[str, str],
    provider: type[ResourceProvider],
    program: dict[str, Any],
) -> None:
    """Each form reports the missing project of the source region once, and asks no more."""
    rig = rig_of(provider, simulator, session, configuration)
    nothing: dict[str, Any] = {"links": {}, "projects": []}
    rig.control.fault(operation="ListProjects", action="respond", status=200, body=nothing)

    ((field, reason),) = rig.faults(program)

    assert "source_region" == field
    assert "'cn-north-4' in IAM: found 0 of that name" in reason
    assert ["ListProjects"] == [entry["operation"] for entry in rig.control.journal()]


@pytest.fixture
def half_a_key(configuration: dict[str, str]) -> None:
    """Configure an access key without its secret."""
    configuration["huaweicloud:accessKey"] = "DEMOACCESSKEY0000001"


@pytest.mark.usefixtures("half_a_key")
@pytest.mark.parametrize(("provider", "program"), FORMS)
def test_preflight_with_half_a_key_blames_no_input(
    simulator: InProcessSimulator,
    configuration: dict[str, str],
    session: Session,
    provider: type[ResourceProvider],
    program: dict[str, Any],
) -> None:
    """Incomplete credentials are not reported as a failure of the source region."""
    rig = rig_of(provider, simulator, session, configuration)

    ((field, reason),) = rig.faults(program)

    assert "" == field
    assert "huaweicloud:secretKey" in reason
