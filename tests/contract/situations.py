"""The situations in which `check` is tested, and the texts that it prints for them.

The texts are files for people to read. `make tables` writes them.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pulumi_huaweicloud_cbr.commands.account.check.report import Account
from simulator.testing import InProcessSimulator
from tests.contract.doctor import NORTH_PROJECT, Doctor
from tests.contract.rig import BACKUP, PASSWORD, PERMANENT, VAULT

TEXTS = Path(__file__).parents[1] / "fixtures" / "check"
EAST = "cn-east-3"
EAST_PROJECT = "863129926600475a959e8f2efb991722"
BROKEN = "afdb82ff-c7ba-415f-9773-32b07f014082"
EAST_SUBPROJECT = "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0"
OF_FILES = "9eca71ee-b6a9-404e-8662-21af6ef03f71"
WEB_1 = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"
FILES = "0d9c8b7a-6f5e-4d3c-8b2a-190807060504"
FILE_REPLICAS = "3c9d2e1f-6b5a-4f48-9d7c-8e1f0a2b3c4d"
SOUTH_VAULT = "d5e6f708-192a-43b4-85d6-e7f8091a2b3c"
MARKED = "weekly [pulumi shop/prod]"
NOWHERE = "00000000-0000-4000-8000-000000000000"


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
    doctor.sign_with({"huaweicloud:metadata": False})
    return doctor.look(EAST)


def half_a_key(doctor: Doctor) -> Account:
    doctor.configured["huaweicloud:accessKey"] = PERMANENT["huaweicloud:accessKey"]
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


def backup_copied_by_a_stack(doctor: Doctor) -> Account:
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT, MARKED)
    return doctor.look(EAST, backup=BACKUP)


def backup_copied_by_this_stack(doctor: Doctor) -> Account:
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT, MARKED)
    return doctor.look(EAST, backup=BACKUP, owner="shop/prod")


def backup_copied_by_another_stack(doctor: Doctor) -> Account:
    doctor.copy(BACKUP, EAST, EAST_PROJECT, VAULT, MARKED)
    return doctor.look(EAST, backup=BACKUP, owner="shop/test")


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


def host_in_doubt_not_known(doctor: Doctor) -> Account:
    doctor.sign_with(PERMANENT)
    del doctor.configured["huaweicloud:endpoints"]
    doctor.configured |= {
        "huaweicloud:region": "eu-west-101",
        "huaweicloud:projectId": NORTH_PROJECT,
        "huaweicloud:authUrl": doctor.simulator.url,
    }
    doctor.network.nameless = r"^cbr\.eu-west-101\."
    return doctor.look("cn-south-1")


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


def declare(doctor: Doctor, **keys: Any) -> None:
    """Add the configuration of the stack program, as the CLI shows it."""
    for key, value in keys.items():
        doctor.configured[f"cbr-replication:{key}"] = json.dumps(value)


def in_state(*backup_ids: str, vault_id: str = VAULT) -> dict[str, Any]:
    """Return a state with the copies of these backups, in a set."""
    rows = {
        f"#{number}": {"backup_id": backup_id, "replication_record_id": f"record-{number}"}
        for number, backup_id in enumerate(backup_ids)
    }
    outputs = {
        "source_region": "cn-north-4",
        "source_project_id": NORTH_PROJECT,
        "destination_region": EAST,
        "destination_project_id": EAST_PROJECT,
        "destination_vault_id": vault_id,
        "members": rows,
    }
    kind = "pulumi-python:dynamic/huaweicloud_cbr:BackupReplicationSet"
    urn = f"urn:pulumi:prod::shop::{kind}::all-to-{EAST}"
    return {"resources": [{"urn": urn, "type": kind, "id": "set", "outputs": outputs}]}


def stack_is_ready(doctor: Doctor) -> Account:
    to = [{"region": EAST, "vault_id": VAULT}]
    expired = {"backup_id": NOWHERE}
    declare(
        doctor,
        defaults={"destinations": to},
        replications=[{"name": "erp", "backup_id": BACKUP}],
        sets=[
            {"name": "web", "backups": {"web-01": WEB_1, "expired": expired}},
            {"name": "newest", "select": {"resource_name": "erp-db-01", "newest": 3}},
        ],
        vaults=[
            {
                "name": "files",
                "vault_id": FILES,
                "destinations": [{"region": EAST, "vault_id": FILE_REPLICAS}],
            }
        ],
    )
    return doctor.look(owner="shop/prod", deployment=in_state(NOWHERE))


def stack_is_refused(doctor: Doctor) -> Account:
    full = {"region": EAST, "vault_id": "a2b3c4d5-e6f7-4081-92a3-b4c5d6e7f809"}
    declare(
        doctor,
        replications=[
            {
                "name": "erp",
                "backup_id": NOWHERE,
                "destinations": [{"region": EAST, "vault_id": VAULT}],
            },
            {"name": "warned", "backup_id": NOWHERE, "preflight": "warn", "destinations": [full]},
            {
                "name": "typed",
                "backup_id": "5a863daa",
                "destinations": [{"region": EAST, "vault_id": VAULT}],
            },
        ],
        sets=[{"name": "web", "backups": [WEB_1, BACKUP], "destinations": [full]}],
        vaults=[
            {
                "name": "files",
                "vault_id": FILES,
                "destinations": [{"region": EAST, "vault_id": NOWHERE}],
            }
        ],
    )
    return doctor.look(owner="shop/prod", deployment={})


def stack_without_credentials(doctor: Doctor) -> Account:
    declare(
        doctor,
        replications=[
            {
                "name": "erp",
                "backup_id": BACKUP,
                "destinations": [{"region": EAST, "vault_id": VAULT}],
            }
        ],
    )
    doctor.configured["huaweicloud:password"] = "wrong-on-purpose"
    return doctor.look(owner="shop/prod", deployment={})


def backups_listed(doctor: Doctor) -> Account:
    return doctor.look(EAST, is_listing=True)


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
        half_a_key,
        malformed_settings,
        no_region,
        no_such_pair,
        backup_to_all,
        backup_unfit,
        backup_missing,
        backup_to_vaults_of_another_kind,
        backup_copied,
        backup_copied_by_a_stack,
        backup_copied_by_this_stack,
        backup_copied_by_another_stack,
        backup_not_readable,
        vault_not_readable,
        no_permission_anywhere,
        no_usable_vault,
        no_way_out,
        projects_not_listed,
        iam_unreachable_with_key,
        host_in_doubt_not_known,
        token_of_one_project,
        token_of_another_project,
        service_at_fault,
        no_answer,
        wrong_project_and_no_iam,
        refused_on_the_way,
        stack_is_ready,
        stack_is_refused,
        stack_without_credentials,
        backups_listed,
    )
}
ALL_WELL = {"perfect", "perfect_everywhere", "perfect_with_key"} | {
    "perfect_in_a_project",
    "backup_to_all",
    "backup_copied",
    "backup_copied_by_a_stack",
    "backup_copied_by_this_stack",
    "stack_is_ready",
    "backups_listed",
}


def write_texts() -> None:
    """Write what is printed in each situation."""
    for old in TEXTS.glob("*.txt"):
        old.unlink()
    for name, make in SITUATIONS.items():
        simulator = InProcessSimulator()
        doctor = make_doctor(simulator)
        (TEXTS / f"{name}.txt").write_text(doctor.shown(make(doctor)))
        simulator.close()
