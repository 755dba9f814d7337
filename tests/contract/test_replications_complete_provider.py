"""`ReplicationsComplete` as the engine calls it: which calls ask the API, and which never do."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi.dynamic import Config, ConfigureRequest
from pulumi.output import Unknown

import pulumi_huaweicloud_cbr as cbr
from pulumi_huaweicloud_cbr import (
    ConfigurationError,
    ReplicationsCompleteProvider,
    WaitTimeoutError,
)
from pulumi_huaweicloud_cbr.engine.call import Call, serving
from pulumi_huaweicloud_cbr.engine.session import Session
from pulumi_huaweicloud_cbr.resources.replications_complete import ID
from simulator.testing import Control
from tests.contract.rig import BACKUP, VAULT, Rig, declared

pytestmark = pytest.mark.simulator_only

UNKNOWN: Any = object.__new__(Unknown)
SECOND = "6b974ebb-8376-4d1b-933f-f77c3bcd0c4e"


@pytest.fixture
def provider(session: Session, configuration: dict[str, str]) -> ReplicationsCompleteProvider:
    """A provider, called as the engine calls it."""
    assert session is not None
    provider = ReplicationsCompleteProvider()
    provider.configure(ConfigureRequest(Config(configuration, "cbr-replication")))
    return provider


def copied(rig: Rig, **inputs: Any) -> dict[str, Any]:
    """Copy a backup; return its outputs with the record's id, which is that of the resource."""
    return {**rig.create(declared(**inputs)), "replication_record_id": rig.id}


def group(*outputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs of some replications to the same vault."""
    records = {row["replication_record_id"]: row["backup_id"] for row in outputs}
    coordinates = {key: outputs[0][key] for key in outputs[0] if key.startswith("destination_")}
    return {
        **{key: outputs[0][key] for key in ("source_region", "source_project_id")},
        **{key: coordinates[key] for key in ("destination_region", "destination_project_id")},
        "destination_vault_id": VAULT,
        "records": records,
    }


def test_life_of_a_wait(provider: ReplicationsCompleteProvider, rig: Rig, control: Control) -> None:
    """It waits once for each replication, and never polls a completed one again."""
    first, second = copied(rig), copied(rig, backup_id=SECOND)
    checked = provider.check({}, {"replications": [group(first), group(second)], "timeout": None})
    assert [] == checked.failures
    assert {"replications": [group(first, second)]} == checked.inputs

    only_first = {"replications": [group(first)]}
    created = provider.create(only_first)
    outputs = dict(created.outs or {})
    assert ID == created.id
    assert {first["replication_record_id"]} == outputs["replicas"].keys()
    assert "replications" not in outputs
    control.clear_journal()
    assert (ID, outputs) == (provider.read(ID, outputs).id, provider.read(ID, outputs).outs)
    assert [] == control.journal()

    ((record_id, told),) = outputs["copies"].items()
    (record,) = control.records()[:1]
    source = next(row for row in control.state()["backups"] if row["id"] == BACKUP)
    assert first["replication_record_id"] == record_id
    assert {
        "destination_checkpoint_id": record["destination_checkpoint_id"],
        "resource_name": source["resource_name"],
        "size_gb": source["resource_size"],
        "backup_created_at": source["created_at"],
        "created_at": record["created_at"],
    } == told

    grown = dict(provider.update(ID, outputs, checked.inputs).outs or {})
    assert outputs["copies"].items() <= grown["copies"].items()
    assert grown["replicas"].keys() == grown["copies"].keys()
    assert outputs["replicas"].items() <= grown["replicas"].items()
    assert {row["id"] for row in rig.replicas} == set(grown["replicas"].values())
    assert {SECOND} == {
        entry["backup_id"] for entry in control.journal(operation="ShowBackup", region="cn-north-4")
    } - {None, *grown["replicas"].values()}

    control.clear_journal()
    shrunk = dict(provider.update(ID, grown, {**only_first, "timeout": "2h"}).outs or {})
    provider.delete(ID, shrunk)
    assert {**outputs, "timeout": "2h"} == shrunk
    assert [] == control.journal()


@pytest.mark.parametrize(
    ("change", "is_changed"),
    [
        pytest.param({}, False, id="same"),
        pytest.param({"timeout": "2h"}, True, id="timeout"),
        pytest.param({"timeout": UNKNOWN}, True, id="timeout-unknown"),
        pytest.param({"poll_interval": 5.0}, True, id="poll-interval"),
        pytest.param({"replications": []}, True, id="replications"),
        pytest.param({"replications": UNKNOWN}, True, id="replications-unknown"),
        pytest.param({"__provider": "another"}, False, id="provider"),
        pytest.param({"known_replicas": {"r": "x"}}, False, id="known-replicas"),
        pytest.param({"known_replicas": UNKNOWN}, False, id="known-replicas-unknown"),
    ],
)
def test_diff_asks_nothing_and_replaces_nothing(
    provider: ReplicationsCompleteProvider,
    control: Control,
    change: dict[str, Any],
    is_changed: bool,
) -> None:
    """Every difference is an update. States of earlier versions have the groups as well."""
    coordinates = {"source_region": "a", "source_project_id": "b", "destination_region": "c"}
    to = {"destination_project_id": "d", "destination_vault_id": "e", "records": {"r": BACKUP}}
    inputs = {"replications": [{**coordinates, **to}], "timeout": "1h", "__provider": "one"}
    earlier = {**inputs, "replicas": {"r": "x"}}
    state = {name: value for name, value in earlier.items() if name != "replications"}

    checked = provider.check(inputs, {**inputs, **change})
    assert [] == checked.failures
    for outputs in (state, earlier):
        difference = provider.diff(ID, outputs, checked.inputs)
        assert (is_changed, []) == (difference.changes, difference.replaces)
    assert [] == control.journal()


def test_failures_of_inputs_are_reported_together(provider: ReplicationsCompleteProvider) -> None:
    """Each is reported for its input. Unknown inputs are left alone."""
    failures = provider.check(
        {}, {"replications": UNKNOWN, "timeout": "soon", "poll_interval": 0.0, "x": 1.0}
    ).failures

    assert ["x", "timeout", "poll_interval"] == [failure.property for failure in failures]


def test_shorter_limit_counts(
    provider: ReplicationsCompleteProvider, rig: Rig, control: Control
) -> None:
    """`custom_timeouts` and `timeout` both limit a wait. The error names the running copies."""
    control.change_backup(BACKUP, copy={"mode": "never"})
    inputs = {"replications": [group(copied(rig))]}
    for timeout, call_s, words in (
        (None, 40.0, "40 s"),
        ("1h", 40.0, "40 s"),
        ("30s", 40.0, "30 s"),
        ("2m", None, "2 min"),
        (None, None, "4 h"),
    ):
        with serving(Call(timeout_s=call_s)), pytest.raises(WaitTimeoutError) as caught:
            provider.create({**inputs, "timeout": timeout})

        assert (
            f"waiting for a replication: 1 still running after {words}, 0 of 1 done, the slowest: "
            f"erp-db-01 ({BACKUP}) waiting; what is running goes on in CBR: run pulumi up again to "
            "go on waiting, or give a longer timeout"
        ) == str(caught.value)


def test_source_that_went_long_ago(
    provider: ReplicationsCompleteProvider, rig: Rig, control: Control
) -> None:
    """A replica that the state names is complete, though CBR has no trace of its copy."""
    row = copied(rig)
    rig.finish_copies()
    rig.refresh()
    control.forget_backup(BACKUP)
    empty = {"operation_logs": [], "count": 0}
    control.fault(operation="ListOpLogs", action="respond", status=200, body=empty, times=100)
    replica = {rig.id: rig.outputs["destination_backup_id"]}
    program = {"replications": [group(row)], "known_replicas": replica}

    checked = provider.check({}, program)
    created = provider.create(checked.inputs)

    assert [] == checked.failures
    assert replica == (created.outs or {})["replicas"]
    assert "known_replicas" not in (created.outs or {})
    control.drop_faults()


@pytest.mark.anyio
@pytest.mark.parametrize("kind", [cbr.BackupReplicationSet, cbr.VaultReplication])
async def test_known_replicas_of_rows_are_passed_to_the_wait(kind: type[Any]) -> None:
    """The rows of members have them, by replication record."""
    resource = object.__new__(kind)
    seen = {"replication_record_id": "r1", "destination_backup_id": "x1"}
    resource.members = pulumi.Output.from_input(
        {"seen": seen, "coming": {"replication_record_id": "r2"}}
    )

    known = await resource.known_replicas.future()

    assert {"r1": "x1"} == known


def test_import_is_refused(provider: ReplicationsCompleteProvider) -> None:
    """CBR has nothing that a wait could be imported from."""
    with pytest.raises(ConfigurationError, match="nothing that could be imported"):
        provider.import_state("x")
