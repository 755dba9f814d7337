"""Programs that type checkers accept: `make lint` runs mypy on them, `test_pyright.py` Pyright."""

from __future__ import annotations

import pulumi

import pulumi_huaweicloud_cbr as cbr


def keywords(bucket: pulumi.Output[str]) -> cbr.BackupReplication:
    """Give inputs as keywords, plain or known later, and Pulumi's options."""
    return cbr.BackupReplication(
        "erp-db",
        backup_id=bucket,
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4",
        adopt="any",
        preflight="warn",
        enable_acceleration=True,
        opts=pulumi.ResourceOptions(protect=True),
    )


def an_object() -> cbr.BackupReplication:
    """Give inputs in one object, and options by position."""
    args = cbr.BackupReplicationArgs(
        backup_id="5a863daa", destination_region="cn-east-3", destination_vault_id="ca0083e4"
    )
    return cbr.BackupReplication("erp-db", args, pulumi.ResourceOptions(protect=True))


def a_dictionary() -> cbr.BackupReplication:
    """Give inputs in a typed dictionary."""
    args: cbr.BackupReplicationArgsDict = {
        "backup_id": "5a863daa",
        "destination_region": "cn-east-3",
        "destination_vault_id": "ca0083e4",
        "adopt": False,
    }
    return cbr.BackupReplication("erp-db", args)


def members(given: cbr.Members) -> cbr.BackupReplicationSet:
    """Give the members of a set."""
    return cbr.BackupReplicationSet(
        "nightly",
        backups=given,
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4",
        keep_newest=7,
    )


def members_by_a_rule(months: pulumi.Output[int]) -> cbr.BackupReplicationSet:
    """Keep days, weeks and months; a number may be known later."""
    keep: cbr.KeepArgsDict = {"newest": 7, "days": 14, "months": months, "timezone": "UTC+08:00"}
    return cbr.BackupReplicationSet(
        "nightly",
        backups=["5a863daa"],
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4",
        keep=keep,
    )


def members_in_each_form(known_later: pulumi.Output[str]) -> list[cbr.BackupReplicationSet]:
    """Give ids, backups, and both by label."""
    backup = cbr.get_backup("5a863daa")
    return [
        members(["5a863daa", known_later]),
        members(cbr.get_backups(resource_name="erp-db-01", limit=7)),
        members(cbr.as_members([backup])),
        members({"erp": "5a863daa", "web": backup, "mail": known_later}),
        members({"erp": {"backup_id": known_later, "name": "erp-dr", "created_at": None}}),
    ]


def set_of_a_question_for_later(vault_id: pulumi.Output[str]) -> cbr.BackupReplicationSet:
    """Ask with what is known later."""
    return cbr.BackupReplicationSet(
        "nightly",
        backups=cbr.get_backups_output(vault_id=vault_id),
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4",
    )


def entire_vault() -> cbr.VaultReplication:
    """Copy a vault."""
    return cbr.VaultReplication(
        "files",
        vault_id="0d9c8b7a",
        destination_region="cn-east-3",
        destination_vault_id="3c9d2e1f",
    )


def wait(one: cbr.BackupReplication, many: cbr.BackupReplicationSet) -> pulumi.Output[str | None]:
    """Wait for one and for several; the results have types."""
    cbr.ReplicationsComplete("one", replications=one)
    complete = cbr.ReplicationsComplete("all", replications=[one, many.tracking], timeout="6h")
    result: pulumi.Output[cbr.CopyResult] = complete.result_of(one)
    size: pulumi.Output[float | None] = result.apply(lambda known: known["size_gb"])
    rows: pulumi.Output[dict[str, cbr.CopyResult]] = cbr.results_of(many)
    pulumi.export("copies", {"size": size, "rows": rows, "all": complete.results})
    return complete.replica_of(one)


def second_account(secret_key: pulumi.Output[str]) -> cbr.BackupReplication:
    """Use another account for a resource and for questions."""
    second = cbr.Provider(
        "account-b",
        region="cn-north-4",
        access_key="AK",
        secret_key=secret_key,
        endpoints={"cbr": "https://cbr.example.test"},
    )
    newest = cbr.get_backups_output(limit=1, opts=pulumi.InvokeOptions(provider=second))
    return cbr.BackupReplication(
        "b",
        backup_id=newest.apply(lambda backups: backups[0].id),
        destination_region="cn-east-3",
        destination_vault_id="ca0083e4",
        opts=pulumi.ResourceOptions(provider=second),
    )


def existing() -> cbr.BackupReplication:
    """Read what another program manages."""
    return cbr.BackupReplication.get("seen", "cn-north-4/5a863daa/e2c0d2b4")
