"""The vendor's SDK against the simulator, over HTTP: it decodes every answer completely.

Each call goes through `Vendor`, which compares the SDK's models with what was sent.
"""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from huaweicloudsdkcbr import v1 as cbr
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkiam import v3 as iam

from simulator.cloud.operations import OPERATIONS
from simulator.cloud.specs import made_uuid
from simulator.testing import InProcessSimulator
from tests.contract.serving import Door, open_door
from tests.contract.vendor import ACCOUNT, FORMS, Vendor, sign_in_request
from tests.simulator.rig import (
    DISK_BACKUP,
    FILE_BACKUP,
    FILE_VAULT,
    LONG_S,
    PASSWORD,
    PROJECT,
    REGION,
    SERVER_BACKUP,
    SMALL_BACKUP,
    SOURCE_PROJECT,
    SOURCE_REGION,
    SOURCE_VAULT,
    UNKNOWN_ID,
    VAULT,
)

pytestmark = pytest.mark.simulator_only

Row = dict[str, Any]
Rows = list[Row]

_run: set[str] = set()
NOT_RUN: dict[str, str] = {}
"""Operations that the simulator has and the SDK lacks, each with the reason."""


def runs(*operations: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare which operations a test runs, and verify that the simulator served them."""
    _run.update(operations)

    def declare(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def run(vendor: Vendor, **arguments: Any) -> None:
            test(vendor, **arguments)

            assert set(operations) <= set(vendor.control.journal_counts())

        return run

    return declare


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    """An address for all tests of this module."""
    with open_door() as door:
        yield door


@pytest.fixture(params=FORMS)
def vendor(
    door: Door,
    simulator: InProcessSimulator,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Vendor]:
    """The SDK's clients, for this test's simulator, in each form of credentials."""
    # The SDK signs with the machine's date, whatever the time of the simulator.
    monkeypatch.setattr(simulator.clock, "wall_time", time.time)
    with door.lead_to(simulator):
        vendor = Vendor(door.url, simulator, request.param)
        yield vendor
        vendor.close()


def test_every_operation_is_run_by_the_sdk() -> None:
    """No operation is claimed that the vendor's client has not run."""
    assert set(OPERATIONS) == _run | set(NOT_RUN)
    assert set() == _run & set(NOT_RUN)


def test_credentials_are_sent_in_the_form_that_is_tried(vendor: Vendor) -> None:
    """Either a token or a signature is sent: no form replaces another."""
    vendor.source("show_backup", cbr.ShowBackupRequest(SERVER_BACKUP))
    vendor.iam("keystone_list_auth_projects", iam.KeystoneListAuthProjectsRequest())
    sent = [
        entry["headers"]
        for name in ("ShowBackup", "ListAuthProjects")
        for entry in vendor.control.journal(operation=name)
    ]

    wanted = {
        "token": {"x-auth-token"},
        "permanent key": {"authorization"},
        "temporary key": {"authorization", "x-security-token"},
    }[vendor.form]
    assert 2 == len(sent)
    for headers in sent:
        assert wanted == {"x-auth-token", "authorization", "x-security-token"} & set(headers)


def named(value: Any) -> str:
    """Return a value's part of a test's name; only filters have one."""
    return str(value) if isinstance(value, dict) else ""


def ids_of(rows: Any) -> list[str]:
    """Return the ids of models or of rows of the state."""
    return [row["id"] if isinstance(row, dict) else row.id for row in rows]


# -- IAM ----------------------------------------------------------------------------------------


@runs("CreateToken")
@pytest.mark.parametrize(
    "scope",
    [
        {"project": iam.AuthScopeProject(name=SOURCE_REGION)},
        {"project": iam.AuthScopeProject(id=SOURCE_PROJECT)},
    ],
    ids=["by name", "by id"],
)
def test_create_token_project_scope_has_header_and_catalog(
    vendor: Vendor, scope: dict[str, Any]
) -> None:
    """The SDK finds the token in the header, and project and CBR endpoint in the body."""
    answer = vendor.iam(
        "keystone_create_user_token_by_password",
        sign_in_request(PASSWORD, **scope),
        is_known=False,
    )

    assert 201 == answer.status_code
    assert answer.x_subject_token
    assert (SOURCE_PROJECT, SOURCE_REGION) == (answer.token.project.id, answer.token.project.name)
    assert ["cbr"] == [service.type for service in answer.token.catalog]
    assert SOURCE_REGION == answer.token.catalog[0].endpoints[0].region_id


@runs("CreateToken")
def test_create_token_domain_scope_without_catalog(vendor: Vendor) -> None:
    """A token for the account has its domain; `nocatalog` leaves the catalogue empty."""
    scope = {"domain": iam.AuthScopeDomain(name="acme-cloud")}
    request = sign_in_request(PASSWORD, **scope)
    request.nocatalog = "true"
    create = "keystone_create_user_token_by_password"
    token = vendor.iam(create, request, is_known=False).token

    assert ("acme-cloud", None, []) == (token.domain.name, token.project, token.catalog)


@runs("ShowToken")
@pytest.mark.parametrize("is_short", [False, True], ids=["with catalog", "nocatalog"])
def test_show_token_is_what_was_created(vendor: Vendor, is_short: bool) -> None:
    """A token is shown as it was issued, or without the catalogue."""
    token = vendor.token()
    request = iam.KeystoneValidateTokenRequest(
        x_subject_token=token, nocatalog="true" if is_short else None
    )
    answer = vendor.iam("keystone_validate_token", request)

    assert (token, SOURCE_PROJECT) == (answer.x_subject_token, answer.token.project.id)
    assert ("ops-replicator", "acme-cloud") == (
        answer.token.user.name,
        answer.token.user.domain.name,
    )
    assert is_short == (not answer.token.catalog)


PROJECTS = {
    "cn-north-4": SOURCE_PROJECT,
    "cn-east-3": PROJECT,
    "cn-east-3_dr": "5e2f6c1b7a8d4e90b3c4d5e6f7a8b9c0",
    "cn-south-1": "4b1d8b3a0e5f4c0d9b6a7f8e9d0c1b2a",
}
PROJECT_FILTERS: list[tuple[dict[str, Any], set[str]]] = [
    ({"name": "cn-east-3"}, {"cn-east-3"}),
    ({"domain_id": UNKNOWN_ID}, set()),
    ({"domain_id": ACCOUNT, "parent_id": PROJECT}, {"cn-east-3_dr"}),
    ({"enabled": False}, set()),
    ({"is_domain": True}, set()),
    ({"name": "cn-east-3", "page": 1, "per_page": 5}, {"cn-east-3"}),
    ({"name": "cn-east-3", "page": 2, "per_page": 5}, set()),
]


@runs("ListProjects")
@pytest.mark.parametrize(("filters", "expected"), PROJECT_FILTERS, ids=named)
def test_list_projects_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: set[str]
) -> None:
    """The SDK's filters of projects narrow the list."""
    request = iam.KeystoneListProjectsRequest(**filters)
    found = vendor.iam("keystone_list_projects", request).projects

    assert expected == {project.name for project in found}
    assert {PROJECTS[name] for name in expected} == set(ids_of(found))


@runs("ListAuthProjects")
def test_list_auth_projects_are_all_of_the_account(vendor: Vendor) -> None:
    """Without filters, the caller's projects are listed."""
    request = iam.KeystoneListAuthProjectsRequest()
    found = vendor.iam("keystone_list_auth_projects", request).projects

    assert PROJECTS.items() <= {project.name: project.id for project in found}.items()
    assert {ACCOUNT} == {project.domain_id for project in found}


@runs("ListAuthDomains")
def test_list_auth_domains_is_the_callers_account(vendor: Vendor) -> None:
    """The SDK finds the account's id and name."""
    request = iam.KeystoneListAuthDomainsRequest()
    (domain,) = vendor.iam("keystone_list_auth_domains", request).domains

    assert (ACCOUNT, "acme-cloud") == (domain.id, domain.name)


LATER = "lt:2030-12-08T22:02:00Z"
USER_FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "ops-replicator"}, ["ops-replicator"]),
    ({"domain_id": UNKNOWN_ID}, []),
    ({"enabled": True}, ["ops-replicator"]),
    ({"password_expires_at": LATER}, []),
]


@runs("ListUsers")
@pytest.mark.parametrize(("filters", "expected"), USER_FILTERS, ids=named)
def test_list_users_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: list[str]
) -> None:
    """The SDK's filters of users narrow the list."""
    found = vendor.iam("keystone_list_users", iam.KeystoneListUsersRequest(**filters)).users

    assert expected == [user.name for user in found]


# -- lists, with every filter ---------------------------------------------------------------------

Found = Callable[[Rows], Rows]


def having(key: str, value: Any) -> Found:
    """Return the rows in which a field has a value."""
    return lambda rows: [row for row in rows if row[key] == value]


def every(rows: Rows) -> Rows:
    """Return all rows."""
    return rows


def none(_: Rows) -> Rows:
    """Return no row."""
    return []


BACKUP_FILTERS: list[tuple[dict[str, Any], Found]] = [
    ({"checkpoint_id": made_uuid("checkpoint", SERVER_BACKUP)}, having("id", SERVER_BACKUP)),
    ({"dec": False}, every),
    ({"start_time": "2026-11-20T02:05:00Z"}, lambda rows: rows[:2]),
    ({"end_time": "2026-11-20T00:00:00Z"}, having("name", "manualbk_af41")),
    ({"image_type": "replication"}, having("image_type", "replication")),
    ({"limit": 3}, lambda rows: rows[:3]),
    ({"offset": 3}, lambda rows: rows[3:]),
    ({"limit": 2, "offset": 4}, lambda rows: rows[4:6]),
    ({"marker": SMALL_BACKUP, "limit": 2}, lambda rows: rows[2:4]),
    ({"name": "autobk_7c1e"}, having("name", "autobk_7c1e")),
    ({"resource_az": "cn-north-4a"}, every),
    ({"resource_az": "cn-north-4b"}, none),
    ({"resource_id": made_uuid("resource", "web-01")}, having("resource_name", "web-01")),
    ({"resource_name": "erp-db-01"}, having("resource_name", "erp-db-01")),
    ({"resource_type": "OS::Cinder::Volume"}, having("id", DISK_BACKUP)),
    ({"sort": "name:asc"}, lambda rows: sorted(rows, key=lambda row: str(row["name"]))),
    ({"status": "error"}, having("status", "error")),
    ({"vault_id": SOURCE_VAULT}, having("vault_id", SOURCE_VAULT)),
    ({"enterprise_project_id": "all_granted_eps"}, every),
    ({"enterprise_project_id": UNKNOWN_ID}, none),
    ({"own_type": "shared"}, none),
    ({"own_type": "all_granted"}, every),
    ({"member_status": "accepted"}, every),
    ({"parent_id": UNKNOWN_ID}, none),
    (
        {"used_percent": "20"},  # The vault of disks has more free space.
        lambda rows: [row for row in rows if row["id"] != DISK_BACKUP],
    ),
    ({"show_replication": True}, every),
    ({"incremental": True}, every),
]


@runs("ListBackups")
@pytest.mark.parametrize(("filters", "expected"), BACKUP_FILTERS, ids=named)
def test_list_backups_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: Found
) -> None:
    """The SDK's filters of backups narrow the list, the latest first."""
    truth = having("project_id", SOURCE_PROJECT)(vendor.control.state()["backups"])
    truth += having("project_id", SOURCE_PROJECT)(vendor.control.state()["replicas"])
    truth.sort(key=lambda row: str(row["created_at"]), reverse=True)
    found = vendor.source("list_backups", cbr.ListBackupsRequest(**filters)).backups

    if "sort" not in filters:  # Equal times keep the order of the world.
        assert ids_of(expected(truth))[:2] == ids_of(found)[:2]
    assert len(expected(truth)) == len(found)
    if not {"limit", "offset", "marker"} & set(filters):
        assert sorted(ids_of(expected(truth))) == sorted(ids_of(found))


VAULT_FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": "dr-full"}, ["dr-full"]),
    ({"id": [VAULT, FILE_VAULT]}, ["dr-files", "dr-replicas"]),
    ({"protect_type": "backup"}, ["not-for-replicas"]),
    ({"object_type": "turbo"}, ["dr-files"]),
    ({"status": "frozen"}, ["dr-frozen"]),
    ({"cloud_type": "hybrid"}, []),
    ({"policy_id": UNKNOWN_ID}, []),
    ({"resource_ids": UNKNOWN_ID}, []),
    ({"enterprise_project_id": UNKNOWN_ID}, []),
    ({"limit": 2, "offset": 1}, ["dr-frozen", "dr-full"]),
]


@runs("ListVault")
@pytest.mark.parametrize(("filters", "expected"), VAULT_FILTERS, ids=named)
def test_list_vault_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: list[str]
) -> None:
    """The SDK's filters of vaults narrow the list."""
    found = vendor.destination("list_vault", cbr.ListVaultRequest(**filters)).vaults

    assert expected == [vault.name for vault in found]


EXTERNAL_FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({"vault_id": VAULT}, ["dr-replicas"]),
    ({"protect_type": "backup"}, ["not-for-replicas"]),
    ({"objcet_type": "turbo"}, ["dr-files"]),
    ({"cloud_type": "hybrid"}, []),
    ({"external_project_id": UNKNOWN_ID}, []),
    ({"region_id": SOURCE_REGION}, []),
    ({"limit": 2, "offset": 1}, ["dr-frozen", "dr-full"]),
]


@runs("ListExternalVault")
@pytest.mark.parametrize(("filters", "expected"), EXTERNAL_FILTERS, ids=named)
def test_list_external_vault_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: list[str]
) -> None:
    """The SDK sees the destination's vaults from the source."""
    wanted = {"external_project_id": PROJECT, "region_id": REGION, **filters}
    found = vendor.source("list_external_vault", cbr.ListExternalVaultRequest(**wanted)).vaults

    assert expected == [vault.name for vault in found]


def copy(vendor: Vendor, backup_id: str, **destination: str) -> Any:
    """Start a copy to the demo world's usual destination; return the SDK's model of it."""
    body = cbr.BackupReplicateReqBody(
        destination_project_id=PROJECT,
        destination_region=REGION,
        **{"destination_vault_id": VAULT, **destination},
    )
    request = cbr.CopyBackupRequest(backup_id, cbr.BackupReplicateReq(replicate=body))
    return vendor.source("copy_backup", request).replication


def begin_tasks(vendor: Vendor) -> None:
    """Complete two copies, the second started a minute later, and start a deletion."""
    copy(vendor, SERVER_BACKUP)
    vendor.control.advance(60)
    copy(vendor, SMALL_BACKUP)
    vendor.control.advance(LONG_S)
    vendor.source("delete_backup", cbr.DeleteBackupRequest(DISK_BACKUP))


TASK_FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["delete", "web-01", "erp-db-01"]),
    ({"operation_type": "replication"}, ["web-01", "erp-db-01"]),
    ({"operation_type": "sync"}, []),
    ({"status": "success"}, ["web-01", "erp-db-01"]),
    ({"provider_id": "0daac4c5-6707-4851-97ba-169e36266b66"}, ["web-01", "erp-db-01"]),
    ({"resource_id": made_uuid("resource", "web-01")}, ["web-01"]),
    ({"resource_name": "erp-db-01"}, ["erp-db-01"]),
    ({"vault_id": SOURCE_VAULT}, ["web-01", "erp-db-01"]),
    ({"vault_name": "prod-disks"}, ["delete"]),
    ({"enterprise_project_id": UNKNOWN_ID}, []),
    ({"start_time": "2026-11-20T08:00:30Z"}, ["delete", "web-01"]),
    ({"end_time": "2026-11-20T08:00:30Z"}, ["erp-db-01"]),
    ({"limit": 1, "offset": 1}, ["web-01"]),
]


@runs("ListOpLogs")
@pytest.mark.parametrize(("filters", "expected"), TASK_FILTERS, ids=named)
def test_list_op_logs_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: list[str]
) -> None:
    """The SDK's filters of tasks narrow the list, the latest first."""
    begin_tasks(vendor)
    found = vendor.source("list_op_logs", cbr.ListOpLogsRequest(**filters)).operation_logs

    subjects = [
        "delete" if task.operation_type == "delete" else task.extra_info.resource.name
        for task in found
    ]
    assert expected == subjects


@runs("ShowOpLog")
def test_show_op_log_is_as_listed(vendor: Vendor) -> None:
    """A task is shown as in the list."""
    begin_tasks(vendor)
    found = vendor.source("list_op_logs", cbr.ListOpLogsRequest()).operation_logs
    shown = [
        vendor.source("show_op_log", cbr.ShowOpLogRequest(task.id)).operation_log for task in found
    ]

    assert 3 == len(found)
    assert [task.to_dict() for task in found] == [task.to_dict() for task in shown]


# -- copies and backups ---------------------------------------------------------------------------


@runs("CopyBackup", "ShowBackup")
def test_copy_backup_is_followed_to_its_replica(vendor: Vendor) -> None:
    """The SDK copies, follows the record from waiting to success, and finds the replica."""
    replication = copy(vendor, SERVER_BACKUP, name="erp-db-dr", description="weekly")
    seen = []
    for _ in range(3):
        backup = vendor.source("show_backup", cbr.ShowBackupRequest(SERVER_BACKUP)).backup
        (record,) = backup.replication_records
        seen.append((record.status, record.extra_info.progress))
        vendor.control.advance(900)
    shown = cbr.ShowBackupRequest(record.destination_backup_id)
    replica = vendor.destination("show_backup", shown).backup

    assert (SERVER_BACKUP, SOURCE_PROJECT, SOURCE_REGION) == (
        replication.backup_id,
        replication.project_id,
        replication.source_region,
    )
    assert (REGION, PROJECT, VAULT) == (
        replication.destination_region,
        replication.destination_project_id,
        replication.destination_vault_id,
    )
    assert replication.replication_record_id == record.id
    assert [("waiting_replicate", 0), ("replicating", 58), ("success", 100)] == seen
    assert ("erp-db-dr", "weekly", "replication") == (
        replica.name,
        replica.description,
        replica.image_type,
    )
    assert (120, "available", VAULT) == (replica.resource_size, replica.status, replica.vault_id)
    assert replica.id in ids_of(vendor.control.replicas())


@runs("CopyBackup", "ShowBackup")
def test_copy_backup_failed_record_has_code_and_reason(vendor: Vendor) -> None:
    """The SDK reads why a copy failed."""
    script = {"mode": "immediate", "outcome": "fail", "fail_code": "BackupService.6129"}
    vendor.control.change_backup(SERVER_BACKUP, copy=script)
    copy(vendor, SERVER_BACKUP)
    vendor.control.advance(1)
    backup = vendor.source("show_backup", cbr.ShowBackupRequest(SERVER_BACKUP)).backup
    (record,) = backup.replication_records

    assert ("fail", None) == (record.status, record.destination_backup_id)
    assert "BackupService.6129" == record.extra_info.fail_code
    assert "destination vault full" == record.extra_info.fail_reason


@runs("CopyCheckpoint")
def test_copy_checkpoint_copies_what_can_be_copied(vendor: Vendor) -> None:
    """The SDK copies a vault, and receives the record of each backup."""
    body = cbr.CheckpointReplicateParam(
        auto_trigger=False,
        destination_project_id=PROJECT,
        destination_region=REGION,
        destination_vault_id=VAULT,
        vault_id=SOURCE_VAULT,
    )
    request = cbr.CopyCheckpointRequest(cbr.CheckpointReplicateReq(replicate=body))
    replication = vendor.source("copy_checkpoint", request).replication
    records = vendor.control.records()

    assert SOURCE_VAULT == replication.vault_id
    assert 4 == len(replication.backups)
    assert {(row["source_backup_id"], row["id"]) for row in records} == {
        (row.backup_id, row.replication_record_id) for row in replication.backups
    }


@runs("ShowReplicationCapabilities")
def test_show_replication_capabilities_are_the_worlds(vendor: Vendor) -> None:
    """The SDK reads where the region can copy to."""
    request = cbr.ShowReplicationCapabilitiesRequest()
    (region,) = vendor.source("show_replication_capabilities", request).regions

    assert SOURCE_REGION == region.name
    assert ["cn-east-3", "cn-south-1", "cn-southwest-2"] == region.replication_destinations


@runs("UpdateBackup")
def test_update_backup_renames(vendor: Vendor) -> None:
    """The SDK renames a backup, and receives all of it."""
    body = cbr.BackupUpdateReq(backup=cbr.BackupUpdate(name="renamed"))
    vendor.source("update_backup", cbr.UpdateBackupRequest(SMALL_BACKUP, body))
    shown = vendor.source("show_backup", cbr.ShowBackupRequest(SMALL_BACKUP)).backup

    assert ("renamed", SMALL_BACKUP) == (shown.name, shown.id)
    assert shown.updated_at is not None


@runs("DeleteBackup", "ShowBackup")
def test_delete_backup_is_gone_after_a_while(vendor: Vendor) -> None:
    """The SDK deletes a backup: 204, still there, then 404."""
    answer = vendor.source("delete_backup", cbr.DeleteBackupRequest(FILE_BACKUP))
    shown = vendor.source("show_backup", cbr.ShowBackupRequest(FILE_BACKUP)).backup
    vendor.control.advance(LONG_S)
    with pytest.raises(ClientRequestException) as raised:
        vendor.source("show_backup", cbr.ShowBackupRequest(FILE_BACKUP))

    assert (204, "deleting") == (answer.status_code, shown.status)
    assert (404, "BackupService.6200") == (raised.value.status_code, raised.value.error_code)


# -- vaults -------------------------------------------------------------------------------------


@runs("ShowVault")
def test_show_vault_is_the_worlds(vendor: Vendor) -> None:
    """The SDK reads a vault's kind, size and use."""
    vault = vendor.destination("show_vault", cbr.ShowVaultRequest(VAULT)).vault

    assert ("dr-replicas", PROJECT) == (vault.name, vault.project_id)
    assert (1000, 0, "replication", "server") == (
        vault.billing.size,
        vault.billing.used,
        vault.billing.protect_type,
        vault.billing.object_type,
    )


def new_vault(vendor: Vendor, **changes: Any) -> Any:
    """Create a vault in the destination; return the SDK's model of the answer."""
    billing = cbr.BillingCreate(
        cloud_type="public",
        consistent_level="crash_consistent",
        object_type="server",
        protect_type=changes.pop("protect_type", "replication"),
        size=changes.pop("size", 500),
        charging_mode="post_paid",
    )
    body = cbr.VaultCreate(billing=billing, **{"name": "dr-new", "resources": [], **changes})
    request = cbr.CreateVaultRequest(cbr.VaultCreateReq(vault=body))
    return vendor.destination("create_vault", request).vault


@runs("CreateVault", "ShowVault")
def test_create_vault_is_shown_as_asked_for(vendor: Vendor) -> None:
    """The SDK creates a vault with all settings, and reads the same back."""
    resource = cbr.ResourceCreate(id=UNKNOWN_ID, type="OS::Nova::Server", name="web-09")
    rules = cbr.VaultBindRules(tags=[cbr.BindRulesTags(key="keep", value="yes")])
    made = new_vault(
        vendor,
        protect_type="backup",
        description="by another client",
        resources=[resource],
        tags=[cbr.Tag(key="team", value="erp")],
        auto_bind=True,
        bind_rules=rules,
        threshold=90,
        smn_notify=False,
        backup_name_prefix="nightly",
        availability_zone="cn-east-3a",
    )
    shown = vendor.destination("show_vault", cbr.ShowVaultRequest(made.id)).vault

    assert "nightly" == made.backup_name_prefix
    for vault in (made, shown):
        assert ("dr-new", "by another client") == (vault.name, vault.description)
        assert ("backup", 500, 0) == (
            vault.billing.protect_type,
            vault.billing.size,
            vault.billing.used,
        )
        assert [("team", "erp")] == [(tag.key, tag.value) for tag in vault.tags]
        assert [("keep", "yes")] == [(tag.key, tag.value) for tag in vault.bind_rules.tags]
        assert (True, 90, False) == (vault.auto_bind, vault.threshold, vault.smn_notify)
        assert [(UNKNOWN_ID, "web-09", "available")] == [
            (row.id, row.name, row.protect_status) for row in vault.resources
        ]


@runs("CreateVault", "CopyBackup")
def test_create_vault_takes_copies(vendor: Vendor) -> None:
    """A vault that another client created is an ordinary destination."""
    vault = new_vault(vendor)
    copy(vendor, SERVER_BACKUP, destination_vault_id=vault.id)
    vendor.control.advance(LONG_S)
    used = vendor.destination("show_vault", cbr.ShowVaultRequest(vault.id)).vault.billing.used

    assert 120 * 1024 == used


@runs("UpdateVault")
def test_update_vault_changes_what_is_given(vendor: Vendor) -> None:
    """The SDK changes a vault; omitted fields keep their values."""
    body = cbr.VaultUpdate(
        name="dr-larger", billing=cbr.BillingUpdate(size=2000), threshold=70, smn_notify=False
    )
    request = cbr.UpdateVaultRequest(VAULT, cbr.VaultUpdateReq(vault=body))
    vault = vendor.destination("update_vault", request).vault

    assert ("dr-larger", 2000, 70, False) == (
        vault.name,
        vault.billing.size,
        vault.threshold,
        vault.smn_notify,
    )
    assert ("crash_consistent", False) == (vault.billing.consistent_level, vault.auto_bind)


@runs("DeleteVault")
def test_delete_vault_is_gone_after_a_while(vendor: Vendor) -> None:
    """The SDK deletes a vault: 204, still there, then 404."""
    answer = vendor.destination("delete_vault", cbr.DeleteVaultRequest(VAULT))
    shown = vendor.destination("show_vault", cbr.ShowVaultRequest(VAULT)).vault
    vendor.control.advance(LONG_S)

    assert (204, "deleting") == (answer.status_code, shown.billing.status)
    assert (404, "BackupService.6105") == refused(
        lambda: vendor.destination("show_vault", cbr.ShowVaultRequest(VAULT))
    )


@runs("AddVaultResource", "RemoveVaultResource")
def test_resources_are_added_and_removed(vendor: Vendor) -> None:
    """The SDK binds a server to a vault, and removes it with its backups."""
    web = cbr.ResourceCreate(
        id=made_uuid("resource", "web-01"), type="OS::Nova::Server", name="web-01"
    )
    body = cbr.VaultAddResourceReq(resources=[web])
    added = vendor.source("add_vault_resource", cbr.AddVaultResourceRequest(SOURCE_VAULT, body))
    show = cbr.ShowVaultRequest(SOURCE_VAULT)
    (bound,) = vendor.source("show_vault", show).vault.resources
    leaving = cbr.VaultRemoveResourceReq(resource_ids=[web.id])
    request = cbr.RemoveVaultResourceRequest(SOURCE_VAULT, leaving)
    removed = vendor.source("remove_vault_resource", request)
    vendor.control.advance(LONG_S)
    (task,) = vendor.source("list_op_logs", cbr.ListOpLogsRequest()).operation_logs

    assert [web.id] == added.add_resource_ids == removed.remove_resource_ids
    assert ("web-01", "available", False) == (bound.name, bound.protect_status, bound.auto_protect)
    assert [] == vendor.source("show_vault", show).vault.resources
    assert 1 == task.extra_info.remove_resources.total_count


@runs("UpdateExpirationTime")
def test_update_expiration_time_is_of_all_backups(vendor: Vendor) -> None:
    """The SDK changes when the backups of a vault expire."""
    body = cbr.UpdateExpirationTimeReq("2026-12-24", "UTC+08:00")
    answer = vendor.source(
        "update_expiration_time", cbr.UpdateExpirationTimeRequest(SOURCE_VAULT, body)
    )
    shown = vendor.source("show_backup", cbr.ShowBackupRequest(SERVER_BACKUP)).backup
    request = cbr.ShowOpLogRequest(answer.operation_log_id)
    task = vendor.source("show_op_log", request).operation_log

    assert "2026-12-24" == answer.new_expiration_day
    assert "2026-12-23T16:00" == shown.expired_at.strftime("%Y-%m-%dT%H:%M")
    assert answer.affected_backups_count == (
        task.extra_info.update_expiration_time.affected_backups_count
    )


@runs("ListFeatures", "ShowFeature")
def test_features_name_the_region(vendor: Vendor) -> None:
    """The SDK reads a mapping, and one pair of it."""
    listed = vendor.source("list_features", cbr.ListFeaturesRequest())
    key = "replication.source_region"
    shown = vendor.source("show_feature", cbr.ShowFeatureRequest(key))

    assert SOURCE_REGION == json.loads(listed.raw_content)[key]
    assert {key: SOURCE_REGION} == json.loads(shown.raw_content)


@runs("CreateCheckpoint", "ShowCheckpoint")
def test_create_checkpoint_is_shown_until_ready(vendor: Vendor) -> None:
    """The SDK backs a server up, and later finds the restore point ready."""
    details = cbr.Resource(id=made_uuid("resource", "web-01"), type="OS::Nova::Server")
    parameters = cbr.CheckpointParam(
        name="by-sdk",
        description="by another client",
        auto_trigger=False,
        incremental=True,
        resource_details=[details],
        retention_duration_days=7,
    )
    body = cbr.VaultBackup(vault_id=SOURCE_VAULT, parameters=parameters)
    request = cbr.CreateCheckpointRequest(cbr.VaultBackupReq(checkpoint=body))
    made = vendor.source("create_checkpoint", request).checkpoint
    vendor.control.advance(LONG_S)
    shown = vendor.source("show_checkpoint", cbr.ShowCheckpointRequest(made.id)).checkpoint
    backups = vendor.source("list_backups", cbr.ListBackupsRequest(checkpoint_id=made.id)).backups

    assert ("protecting", "available") == (made.status, shown.status)
    assert ("by-sdk", "by another client", 7) == (
        shown.extra_info.name,
        shown.extra_info.description,
        shown.extra_info.retention_duration,
    )
    assert [("web-01", "40")] == [(row.name, row.resource_size) for row in shown.vault.resources]
    assert ["by-sdk"] == [backup.name for backup in backups]


@runs("BatchCreateAndDeleteVaultTags", "CreateVaultTags", "ShowVaultTag", "DeleteVaultTag")
def test_vault_tags_are_changed_together_and_singly(vendor: Vendor) -> None:
    """The SDK adds and removes tags, and reads the rest."""
    one, two = (cbr.BulkCreateAndDeleteTags(key=key, value="yes") for key in ("one", "two"))
    for action, tags in (("create", [one, two]), ("delete", [one])):
        body = cbr.BulkCreateAndDeleteVaultTagsReq(action=action, tags=tags)
        request = cbr.BatchCreateAndDeleteVaultTagsRequest(VAULT, body)
        vendor.destination("batch_create_and_delete_vault_tags", request)
    third = cbr.VaultTagsCreateReq(tag=cbr.TagCreate(key="three", value="3"))
    vendor.destination("create_vault_tags", cbr.CreateVaultTagsRequest(VAULT, third))
    before = vendor.destination("show_vault_tag", cbr.ShowVaultTagRequest(VAULT)).tags
    vendor.destination("delete_vault_tag", cbr.DeleteVaultTagRequest(key="two", vault_id=VAULT))
    after = vendor.destination("show_vault", cbr.ShowVaultRequest(VAULT)).vault.tags

    assert [("two", "yes"), ("three", "3")] == [(tag.key, tag.value) for tag in before]
    assert [("three", "3")] == [(tag.key, tag.value) for tag in after]


# -- policies -------------------------------------------------------------------------------------

POLICY_FILTERS: list[tuple[dict[str, Any], int]] = [
    ({"operation_type": "replication"}, 1),
    ({"operation_type": "backup"}, 0),
    ({"vault_id": SOURCE_VAULT}, 1),
    ({"vault_id": VAULT}, 0),
]


def new_policy(vendor: Vendor) -> Any:
    """Create a replication policy, and apply it to the source vault; return it."""
    properties = cbr.PolicyTriggerPropertiesReq(pattern=["FREQ=DAILY;BYHOUR=01;BYMINUTE=00"])
    policy = cbr.PolicyCreate(
        enabled=True,
        name="nightly",
        operation_definition=cbr.PolicyoODCreate(
            destination_project_id=PROJECT,
            destination_region=REGION,
            retention_duration_days=30,
            day_backups=7,
            timezone="UTC+08:00",
        ),
        operation_type="replication",
        trigger=cbr.PolicyTriggerReq(properties=properties),
    )
    request = cbr.CreatePolicyRequest(cbr.PolicyCreateReq(policy=policy))
    made = vendor.source("create_policy", request).policy
    associate = cbr.VaultAssociate(policy_id=made.id, destination_vault_id=VAULT)
    vendor.source(
        "associate_vault_policy", cbr.AssociateVaultPolicyRequest(SOURCE_VAULT, associate)
    )
    return made


@runs("CreatePolicy", "AssociateVaultPolicy", "ShowPolicy")
def test_policy_is_shown_with_its_vaults(vendor: Vendor) -> None:
    """The SDK creates a policy, applies it, and reads both back."""
    made = new_policy(vendor)
    shown = vendor.source("show_policy", cbr.ShowPolicyRequest(made.id)).policy
    vaults = vendor.source("list_vault", cbr.ListVaultRequest(policy_id=made.id)).vaults

    assert ([], [(SOURCE_VAULT, VAULT)]) == (
        made.associated_vaults,
        [(row.vault_id, row.destination_vault_id) for row in shown.associated_vaults],
    )
    assert (REGION, PROJECT, 30, 7) == (
        shown.operation_definition.destination_region,
        shown.operation_definition.destination_project_id,
        shown.operation_definition.retention_duration_days,
        shown.operation_definition.day_backups,
    )
    assert ["FREQ=DAILY;BYHOUR=01;BYMINUTE=00"] == shown.trigger.properties.pattern
    assert [SOURCE_VAULT] == ids_of(vaults)


@runs("ListPolicies")
@pytest.mark.parametrize(("filters", "expected"), POLICY_FILTERS, ids=str)
def test_list_policies_filter_finds_what_fits(
    vendor: Vendor, filters: dict[str, Any], expected: int
) -> None:
    """The SDK's filters of policies narrow the list."""
    new_policy(vendor)
    found = vendor.source("list_policies", cbr.ListPoliciesRequest(**filters))

    assert (expected, expected) == (found.count, len(found.policies))


@runs("UpdatePolicy", "DisassociateVaultPolicy", "DeletePolicy")
def test_policy_is_changed_detached_and_deleted(vendor: Vendor) -> None:
    """The SDK changes a policy, detaches it from its vault, and deletes it."""
    made = new_policy(vendor)
    change = cbr.PolicyUpdateReq(policy=cbr.PolicyUpdate(enabled=False, name="paused"))
    changed = vendor.source("update_policy", cbr.UpdatePolicyRequest(made.id, change)).policy
    part = cbr.DisassociateVaultPolicyRequest(SOURCE_VAULT, cbr.VaultDissociate(policy_id=made.id))
    parted = vendor.source("disassociate_vault_policy", part).dissociate_policy
    vendor.source("delete_policy", cbr.DeletePolicyRequest(made.id))

    assert (False, "paused", 7) == (
        changed.enabled,
        changed.name,
        changed.operation_definition.day_backups,
    )
    assert (made.id, SOURCE_VAULT) == (parted.policy_id, parted.vault_id)
    assert (404, "BackupService.6000") == refused(
        lambda: vendor.source("show_policy", cbr.ShowPolicyRequest(made.id))
    )


@pytest.mark.parametrize(
    ("request_type", "tried"),
    [
        (cbr.ListBackupsRequest, BACKUP_FILTERS),
        (cbr.ListVaultRequest, VAULT_FILTERS),
        (cbr.ListExternalVaultRequest, EXTERNAL_FILTERS),
        (cbr.ListOpLogsRequest, TASK_FILTERS),
        (cbr.ListPoliciesRequest, POLICY_FILTERS),
        (iam.KeystoneListProjectsRequest, PROJECT_FILTERS),
        (iam.KeystoneListUsersRequest, USER_FILTERS),
    ],
    ids=["backups", "vaults", "external vaults", "tasks", "policies", "projects", "users"],
)
def test_every_filter_of_the_sdk_is_tried(
    request_type: Any, tried: list[tuple[dict[str, Any], Any]]
) -> None:
    """Each filter that the SDK offers for a list has a test."""
    assert set(request_type.openapi_types) == {key for filters, _ in tried for key in filters}


# -- refusals -------------------------------------------------------------------------------------


def refused(call: Callable[[], Any]) -> tuple[int, str | int]:
    """Return status and code of a refusal as the SDK decodes them; each has a request id."""
    with pytest.raises(ClientRequestException) as raised:
        call()

    assert raised.value.request_id
    return raised.value.status_code, raised.value.error_code


def test_refusal_of_each_envelope_has_code_and_request_id(vendor: Vendor) -> None:
    """The SDK finds the code in the envelopes of CBR, the gateway, IAM, and in CBR's odd one."""
    unknown = cbr.ShowBackupRequest(UNKNOWN_ID)
    wrong = sign_in_request("wrong", project=iam.AuthScopeProject(id=SOURCE_PROJECT))
    create = "keystone_create_user_token_by_password"

    def elsewhere(project: str, token: str = "") -> Callable[[], Any]:
        return lambda: vendor.cbr(SOURCE_REGION, project, "show_backup", unknown, token)

    of_source = vendor.token()
    assert (404, "BackupService.6200") == refused(elsewhere(SOURCE_PROJECT))
    assert (401, "APIGW.0301") == refused(elsewhere(SOURCE_PROJECT, "none of ours"))
    assert (401, "401") == refused(elsewhere(UNKNOWN_ID, of_source))
    assert (401, 401) == refused(lambda: vendor.iam(create, wrong, is_known=False))


def test_refusal_of_a_second_copy_has_code(vendor: Vendor) -> None:
    """The SDK reads the error code of a rule."""
    copy(vendor, SERVER_BACKUP)

    assert (400, "BackupService.1009") == refused(lambda: copy(vendor, SERVER_BACKUP))


def test_refusal_of_a_body_out_of_limits_has_code(vendor: Vendor) -> None:
    """The SDK checks no limits; the simulator refuses with 9900."""
    assert (400, "BackupService.9900") == refused(
        lambda: copy(vendor, SERVER_BACKUP, name="with space")
    )
