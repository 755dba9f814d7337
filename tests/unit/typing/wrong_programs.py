"""Programs that type checkers refuse, each at the line of its comment.

`make lint` fails if mypy accepts one: the comment is unused then. `test_pyright.py` runs Pyright.
"""

from __future__ import annotations

import pulumi

import pulumi_huaweicloud_cbr as cbr


def wrong_word() -> None:
    """`preflight` and `adopt` are one of a few words."""
    place: cbr.BackupReplicationArgsDict = {
        "backup_id": "5a863daa",
        "destination_region": "cn-east-3",
        "destination_vault_id": "ca0083e4",
    }
    cbr.BackupReplication("a", {**place, "preflight": "errors"})  # type: ignore[call-overload]
    cbr.BackupReplication("b", {**place, "adopt": "all"})  # type: ignore[call-overload]


def missing_input() -> None:
    """`destination_vault_id` is required, in each form."""
    cbr.BackupReplicationArgs(backup_id="5a", destination_region="r")  # type: ignore[call-arg]
    cbr.BackupReplication("a", backup_id="5a", destination_region="r")  # type: ignore[call-overload]
    cbr.BackupReplication("b", {"backup_id": "5a"})  # type: ignore[call-overload]


def unknown_input() -> None:
    """A misspelt input."""
    cbr.VaultReplication("a", vault="0d9c8b7a")  # type: ignore[call-overload]


def positional_input() -> None:
    """Args classes take keywords only."""
    cbr.BackupReplicationArgs("5a863daa", "cn-east-3", "ca0083e4")  # type: ignore[call-arg]


def members_of_a_wrong_kind() -> None:
    """A number is no backup."""
    args: cbr.BackupReplicationSetArgsDict = {
        "backups": [3],  # type: ignore[list-item]
        "destination_region": "cn-east-3",
        "destination_vault_id": "ca0083e4",
    }
    cbr.BackupReplicationSet("a", args)


def wait_for_a_text() -> None:
    """A resource's name does not replicate."""
    cbr.ReplicationsComplete("a", replications="erp-db")  # type: ignore[arg-type]


def options_of_a_wrong_kind() -> None:
    """Options of a question are not those of a resource."""
    cbr.get_backups(opts=pulumi.ResourceOptions())  # type: ignore[arg-type]


def limit_as_text() -> None:
    """A number in quotes."""
    cbr.get_backups(limit="7")  # type: ignore[arg-type]


def unknown_setting() -> None:
    """A key of the stack's configuration is no input's name."""
    cbr.Provider("a", accessKey="AK")  # type: ignore[call-overload]


def unknown_column(one: cbr.BackupReplication) -> None:
    """A result has fixed columns."""
    cbr.results_of(one).apply(lambda known: known["size"])  # type: ignore[typeddict-item]


def results_of_a_bucket(bucket: pulumi.CustomResource) -> None:
    """Only what replicates has results."""
    cbr.results_of(bucket)  # type: ignore[call-overload]


def unknown_resource() -> None:
    """A name that the package does not have."""
    cbr.BackupReplications  # type: ignore[attr-defined]  # noqa: B018
